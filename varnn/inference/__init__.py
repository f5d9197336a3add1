"""Questions to one fit: tests, impulse responses, stability; never imports a model."""
