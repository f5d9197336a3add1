"""
Variance decomposition (FEVD)
=============================

Whose surprises the uncertainty of a forecast comes from.
"""

import varnn

fit = varnn.VAR(lags=2).fit(varnn.data.load("macrodata").frame)
axes = fit.fevd(12).plot()

# %%
# Shares are estimates, too: the same with bootstrap bands, series in rows and shocks in columns.
axes = fit.fevd(12).plot(fit.bootstrap(199, rng=0))
