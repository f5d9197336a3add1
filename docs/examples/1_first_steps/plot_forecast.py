"""
Fit and forecast
================

A model is a frozen specification; ``fit`` gives a fit, ``forecast`` gives means, bands and joint sample paths with
their dates.
"""

import varnn

y = varnn.data.load("macrodata").frame
print(y.tail(3).round(2))

# %%
# The orders of lags are chosen on the data.
fit = varnn.VAR().fit(y)
print(fit.k_ar, "lags")

# %%
# Bands are of whole paths: of the errors and of what is not known of the coefficients.
ahead = fit.forecast(8, rng=0)
print(ahead.interval(0.9)[0].head(3).round(2))
axes = ahead.plot()
