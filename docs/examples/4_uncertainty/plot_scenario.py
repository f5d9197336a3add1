"""
What if?
========

A scenario fixes some of the future and asks what follows for the rest.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import varnn

y = varnn.data.load("macrodata").frame
fit = varnn.VAR(lags=2).fit(y)
free = fit.forecast(6, rng=0)
path = pd.DataFrame(np.nan, index=free.mean.index, columns=y.columns)
path.iloc[:, 1] = float(y.iloc[-1, 1]) + 0.5
told = fit.scenario(6, path, rng=0)

# %%
axes = y.iloc[-16:, 0].plot(color="black", label=y.columns[0])
free.mean.iloc[:, 0].plot(ax=axes, style="--", color="0.5", label="forecast")
told.mean.iloc[:, 0].plot(ax=axes, style="o-", color="black", markersize=3, label="given the path of the second")
axes.legend()
plt.show()
