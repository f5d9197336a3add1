"""
Several series at once
======================

A vector autoregression, :math:`y_t = c + A_1 y_{t-1} + \\dots + e_t`: each series hears the past of all.
"""

import varnn

y = varnn.data.load("macrodata").frame
fit = varnn.VAR(lags=2).fit(y)
print(fit.params.round(2))

# %%
# A surprise in one series travels through the others.
axes = fit.irf(12).plot()
