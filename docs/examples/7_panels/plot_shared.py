"""
One model for many short series
===============================

Twenty rows are too few for a slope of their own; shared weights borrow from the others.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import varnn

rng = np.random.default_rng(0)
series = {}
for name in range(30):
    y = np.zeros(24)
    for t in range(1, 24):
        y[t] = 0.6 * y[t - 1] + rng.normal()
    series[f"shop {name}"] = pd.DataFrame({"sales": y + rng.normal() * 5})
alone = varnn.Panel(model=varnn.VAR(lags=1), sharing="local").fit(series)
shared = varnn.Panel(model=varnn.VAR(lags=1)).fit(series)
slopes = [[fit.coefs[0, 0, 0] for fit in panel.fits.values()] for panel in (alone, shared)]
plt.hist(slopes[0], bins=12, color="0.8", edgecolor="black", label="each alone")
plt.axvline(np.mean(slopes[1]), color="black", label="shared")
plt.axvline(0.6, color="black", linestyle=":", label="true")
plt.xlabel("slope")
plt.ylabel("series")
plt.legend()
plt.show()
