"""Questions to many fits: windows, scores, tests of equal accuracy, calibration; never imports a model."""
