"""Benchmarks that others can repeat: frozen suites, durable jobs, any number of workers, checked results."""
