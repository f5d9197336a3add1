"""
The recursion unrolled
======================

Inputs, states and losses of the last steps; the weights are the same at every one.
"""

import numpy as np

import varnn
from varnn.report.unrolled import plot_unrolled

rng = np.random.default_rng(0)
e = rng.normal(size=(201, 2))
fit = varnn.LinearRNN(lags=1).fit(e[1:] + 0.7 * e[:-1])
axes = plot_unrolled(fit, 10)
