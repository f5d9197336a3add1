"""
Columns known in advance
========================

Exogenous columns enter every rung; a forecast needs their future, by date.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import varnn

rng = np.random.default_rng(0)
dates = pd.date_range("2015-01", periods=120, freq="MS")
price = pd.DataFrame({"price": np.where(np.arange(120) // 10 % 2, 1.0, 0.0)}, index=dates)
sales = pd.DataFrame({"sales": 10 - 3 * price["price"] + 0.5 * rng.normal(size=120)}, index=dates)
fit = varnn.VAR(lags=1).fit(sales.iloc[:108], price.iloc[:108])
ahead = fit.forecast(12, price.iloc[108:], rng=0)
print(fit.params.round(2))

# %%
axes = sales["sales"].iloc[-36:].plot(color="black", label="sales")
ahead.mean["sales"].plot(ax=axes, style="o--", color="0.4", label="forecast, the prices known")
axes.set(ylabel="sales")
axes.legend()
plt.show()
