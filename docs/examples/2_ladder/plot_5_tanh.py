"""
Bending: the tanh RNN
=====================

:math:`s_t = \\tanh(W_{hh} s_{t-1} + W_{xh} x_t + b)` beside the linear part. Where the series turns at a threshold no
line can follow; where it does not, no unit is kept and the fit *is* the linear RNN.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(3)
y = np.zeros(300)
for t in range(1, 300):
    y[t] = (-0.7 if y[t - 1] > 0 else 0.6) * y[t - 1] + 0.7 * rng.normal()
linear, bent = varnn.LinearRNN(lags=1).fit(y), varnn.TanhRNN(lags=1).fit(y)
print(bent.choice, "| chosen:", bent.chosen)

# %%
today, tomorrow = y[:-1], y[1:]
plt.plot(today, tomorrow, ".", color="0.7", label="the series")
for fit, look, name in ((linear, "--", "linear RNN"), (bent, "-", "tanh RNN")):
    predicted = fit.fittedvalues.to_numpy()[:, 0]
    given = today[-len(predicted):]
    order = np.argsort(given)
    plt.plot(given[order], predicted[order], look, color="black", linewidth=2, label=name)
plt.xlabel("today")
plt.ylabel("tomorrow")
plt.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
plt.show()
