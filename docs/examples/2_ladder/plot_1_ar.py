r"""
An autoregression
=================

Tomorrow is a share of today and a surprise, :math:`y_t = c + a y_{t-1} + e_t`. With \|a\| < 1 a surprise dies out.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
y = np.zeros(200)
for t in range(1, 200):
    y[t] = 0.8 * y[t - 1] + rng.normal()
fit = varnn.VAR(lags=1).fit(y)
print(fit.params.round(2))

# %%
# What is left of a surprise after h steps is :math:`a^h`.
a = fit.coefs[0, 0, 0]
plt.bar(range(13), a ** np.arange(13), color="0.4", edgecolor="black")
plt.xlabel("steps after the surprise")
plt.ylabel("left of it")
plt.title(f"a = {a:.2f}")
plt.show()
