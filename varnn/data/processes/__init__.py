"""Simulated processes, a family a file; every builder decorated with `process` is found by name."""
