"""
Impulse responses with bands
============================

What a surprise in one series does to all, with bands from the posterior.
"""

import varnn

fit = varnn.ShrunkVAR(lags=4).fit(varnn.data.load("macrodata").frame)
axes = fit.irf(16).plot()
