"""Many series under one set of weights.

`effects` estimates levels and scales, `pooled` is least squares over all rows, `stacked` the tanh recursion begun anew
in each series.
"""
