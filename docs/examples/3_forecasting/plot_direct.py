"""
A map for each horizon
======================

``Direct`` fits the path ahead at once, for long horizons with a daily or weekly rhythm.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
t = np.arange(24 * 30)
y = 10 + 3 * np.sin(2 * np.pi * t / 24) + 0.1 * (t % 168 > 120) + 0.5 * rng.normal(size=len(t))
fit = varnn.Direct(horizon=48, lookback=96).fit(y[:-48])
plt.plot(t[-120:], y[-120:], color="0.6")
plt.plot(t[-48:], fit.forecast(48).point[:, 0], "--", color="black")
plt.xlabel("hour")
plt.ylabel("load")
plt.show()
