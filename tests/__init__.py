"""The tests: folders mirror varnn/, beside them contract, architecture, oracle and property."""
