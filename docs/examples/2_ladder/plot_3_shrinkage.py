"""
Shrinkage: the same VAR with a prior
====================================

With many lags and few rows least squares fits noise. The Minnesota prior pulls coefficients to white noise or to a
random walk, as strongly as the data themselves ask for (Giannone, Lenza and Primiceri 2015).
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

y = varnn.data.load("macrodata").frame.iloc[-100:]
plain, shrunk = varnn.VAR(lags=6).fit(y), varnn.ShrunkVAR(lags=6).fit(y)
print(shrunk.tightness)

# %%
first = [np.abs(fit.coefs).mean(axis=(1, 2)) for fit in (plain, shrunk)]
lags = np.arange(1, 7)
plt.bar(lags - 0.2, first[0], width=0.4, color="white", edgecolor="black", hatch="//", label="least squares")
plt.bar(lags + 0.2, first[1], width=0.4, color="0.4", edgecolor="black", label="shrunken")
plt.xlabel("lag")
plt.ylabel("mean size of a coefficient")
plt.legend()
plt.show()
