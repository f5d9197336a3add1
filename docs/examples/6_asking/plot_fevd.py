"""
Variance decomposition (FEVD)
=============================

Whose surprises the uncertainty of a forecast comes from.
"""

import varnn

fit = varnn.VAR(lags=2).fit(varnn.data.load("macrodata").frame)
axes = fit.fevd(12).plot()
