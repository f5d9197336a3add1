"""
Variance decomposition (FEVD)
=============================

Whose surprises the uncertainty of a forecast comes from.
"""

import varnn

fit = varnn.VAR(lags=2).fit(varnn.data.load("macrodata").frame)
figure = fit.fevd(12).plot()
