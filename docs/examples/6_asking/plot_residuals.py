"""
Is anything left in the residuals?
==================================

Residuals that can be forecast say that the model is too small.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

fit = varnn.VAR(lags=1).fit(varnn.data.load("sunspots").frame)
print(fit.test_whiteness(10))

# %%
e = fit.resid.to_numpy()[:, 0]
e = e - e.mean()
acf = [float(e[lag:] @ e[:len(e) - lag] / (e @ e)) for lag in range(1, 16)]
plt.bar(range(1, 16), acf, color="0.4", edgecolor="black")
plt.axhspan(-1.96 / np.sqrt(len(e)), 1.96 / np.sqrt(len(e)), color="0.9", zorder=0)
plt.xlabel("lag")
plt.ylabel("autocorrelation of the residuals")
plt.show()
