"""
Is anything left in the residuals?
==================================

Residuals that can be forecast say that the model is too small.
"""

import varnn

y = varnn.data.load("sunspots").frame
fit = varnn.VAR(lags=1).fit(y)
print(fit.test_whiteness(10))
axes = fit.plot_acorr(15)

# %%
# With nine lags the cycle of eleven years is explained.
fit = varnn.VAR(lags=9).fit(y)
print(fit.test_whiteness(15))
axes = fit.plot_acorr(15)
