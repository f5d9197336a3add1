"""
Against the best possible forecast
==================================

Where the process is known, so is the best forecast, and a board can say how much of the gap a model closes.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
y = np.zeros((260, 1))
for t in range(1, 260):
    y[t] = np.sign(y[t - 1]) + rng.normal()


def best(seen, horizon):
    """Return the mean of the next observation."""
    return np.sign(np.asarray(y[:seen] if np.isscalar(seen) else seen)[-1:])


result = varnn.compare(y, horizon=1, origins=60, n_paths=50, oracle=best, models=["VAR", "TanhRNN"])
print(result.oracle_gap.round(3))

# %%
gap = result.oracle_gap.set_index("model")["gap_closed"]
gap.plot.barh(color="0.6", edgecolor="black", xlabel="share of the gap to the best forecast that is closed")
plt.show()
