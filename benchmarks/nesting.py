"""How exactly each rung holds the one below: largest difference of the forecasts at horizons 1 … 24.

    python -m benchmarks.nesting

A LinearRNN with A = 0 against the VAR, a TanhRNN with W_hy = 0 against that LinearRNN, on US macro data. Prints.
"""

from __future__ import annotations

import numpy as np

from varnn.data import load
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import lift
from varnn.models.rung3_tanh import TanhRNN

HORIZON = 24


def errors() -> tuple[np.ndarray, np.ndarray]:
    """Return max over series |VAR − LinearRNN| and |LinearRNN − TanhRNN| at each step, (h,) each."""
    below = VAR(lags=2).fit(load("macrodata").frame)
    middle = lift(below)
    above = TanhRNN(width=3).lift(middle)
    one, two, three = (fit.forecast(HORIZON, n_paths=20).point for fit in (below, middle, above))
    return np.abs(one - two).max(axis=1), np.abs(two - three).max(axis=1)


if __name__ == "__main__":
    print("step   VAR − linear RNN   linear RNN − tanh RNN")
    for step, (first, second) in enumerate(zip(*errors(), strict=True), start=1):
        print(f"{step:4d}   {first:16.1e}   {second:21.1e}")
