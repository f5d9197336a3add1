"""Models that learn from many sequences of different length: one recursion, read once or at every step."""
