"""
A memory: the linear RNN
========================

:math:`h_t = B x_t + A h_{t-1}`. The forecast remembers the forecast before, so a short recursion stands for
infinitely many lags: a moving average needs one number here and many lags in a VAR.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

e = np.random.default_rng(1).normal(size=401)
y = e[1:] + 0.8 * e[:-1]
below, fit = varnn.ShrunkVAR().fit(y), varnn.LinearRNN().fit(y)
print(below.k_ar, "lags without a memory;", fit.lags, "with A =", fit.A.round(2))

# %%
# How much the data prefer it: the log Bayes factor over the same VAR without a memory.
print(round(fit.evidence_gain, 1))

# %%
plt.plot(below.ma_rep(8)[:, 0, 0] if hasattr(below, "ma_rep") else below.irf(8).irfs[:, 0, 0], "s--", color="0.5",
         label="shrunken VAR")
plt.plot(fit.ma_rep(8)[:, 0, 0], "o-", color="black", label="linear RNN")
plt.plot([1, 0.8] + [0] * 7, "x", color="black", markersize=9, label="true")
plt.xlabel("steps after a surprise")
plt.ylabel("response")
plt.legend()
plt.show()
