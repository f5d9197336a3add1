"""
Bands from past errors
======================

``Conformal`` takes the spread from errors on rows that were held out, whatever the model.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(2)
y = rng.standard_t(3, size=(240, 1)).cumsum(axis=0) * 0.3
plain, conformal = varnn.VAR(lags=1).fit(y), varnn.Conformal(varnn.VAR(lags=1)).fit(y)
for fit, look in ((plain, "--"), (conformal, "-")):
    lower, upper = fit.forecast(6, rng=0).interval(0.8)
    plt.plot(range(1, 7), (upper - lower).iloc[:, 0], look, color="black", label=fit.spec.label)
plt.xlabel("steps ahead")
plt.ylabel("width of the 80 % band")
plt.legend()
plt.show()
