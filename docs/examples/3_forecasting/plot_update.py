"""
New observations
================

``update`` moves the state on and leaves the parameters; forecasts go on from the newest date.
"""

import matplotlib.pyplot as plt

import varnn

y = varnn.data.load("elnino").frame["ENSO"] if "ENSO" in varnn.data.load("elnino").frame else (
    varnn.data.load("elnino").frame.iloc[:, 0])
fit = varnn.ShrunkVAR(lags=6).fit(y.iloc[:-24].to_frame())
axes = y.iloc[-48:].plot(color="black", linewidth=1)
for seen in (0, 6, 12, 18):
    now = fit.update(y.iloc[-24:-24 + seen].to_frame()) if seen else fit
    now.forecast(6).mean.iloc[:, 0].plot(ax=axes, style="o--", color="0.4", markersize=3)
axes.set(ylabel="degrees", title="Forecasts of six months, every six months")
plt.show()
