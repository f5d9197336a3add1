"""
Impulse responses with bands
============================

What a surprise in one series does to all, with bands from the posterior.
"""

import varnn

fit = varnn.ShrunkVAR(lags=4).fit(varnn.data.load("macrodata").frame)
axes = fit.irf(16).plot()

# %%
# To orthogonal shocks, cumulated, with bands from 99 samples that the fit could have come from.
axes = fit.irf(16).plot(orth=True, cumulative=True, bands=fit.bootstrap(99, rng=0))
