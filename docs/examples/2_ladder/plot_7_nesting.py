"""
Each rung holds the one below
=============================

Without a memory the linear RNN is the shrunken VAR, and without tanh units the tanh RNN is the linear RNN: the same
forecasts to the last digits. So what a rung gains is its own.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
y = np.zeros((200, 2))
for t in range(1, 200):
    y[t] = np.array([[0.5, 0.1], [0.2, 0.3]]) @ y[t - 1] + rng.normal(size=2)
fits = [model.fit(y) for model in (varnn.ShrunkVAR(), varnn.LinearRNN(), varnn.TanhRNN())]
ahead = [fit.forecast(8).point for fit in fits]
print([float(np.abs(one - ahead[0]).max()) for one in ahead])

# %%
for fit, one, look in zip(fits, ahead, ("s-", "o--", "^:"), strict=True):
    plt.plot(range(1, 9), one[:, 0], look, color="black", fillstyle="none", label=fit.spec.label)
plt.xlabel("steps ahead")
plt.ylabel("forecast of the first series")
plt.legend()
plt.show()
