"""
Gates: GRU and LSTM
===================

Gates let a cell decide how long to remember. They are the highest rung here, and the one that needs most data.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
y = np.sin(np.arange(240) / 6) + 0.2 * rng.normal(size=240)
fit = varnn.GRU(lags=2, width=2, starts=1, max_steps=400).fit(y)
print(fit.spec)

# %%
states = fit.states
axes = states.iloc[-60:].plot(style=["-", "--", "-.", ":"], color="black")
axes.set(xlabel="row", ylabel="hidden state", title="What the cell holds")
plt.show()
