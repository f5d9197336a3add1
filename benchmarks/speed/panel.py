"""Do ten times as many series cost ten times as much? `python -m benchmarks.speed.panel`.

500 and 5,000 series of 60 rows, a fit of each and one fit for all, processor seconds on one thread, the smaller of
two runs. Writes benchmarks/results/speed/panel.csv.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.writing import machine
from varnn.forecaster import Forecaster
from varnn.models.beside_direct import Direct
from varnn.models.rung0_naive import Mean
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.wrap_panel import Panel, Sharing, panel_of
from varnn.series import Series

OUT = Path(__file__).parents[1] / "results" / "speed" / "panel.csv"
FEW, MANY, ROWS = 500, 5000, 60
CASES: list[tuple[Forecaster, Sharing, int]] = [
    (Mean(), "local", 1), (VAR(lags=2), "local", 1), (VAR(), "local", 1), (Direct(horizon=4, lookback=8), "local", 1),
    (LinearRNN(lags=1), "local", 10), (VAR(lags=2), "global", 1), (Direct(horizon=4, lookback=8), "global", 1),
    (LinearRNN(lags=1), "global", 1), (LinearRNN(), "global", 1), (TanhRNN(), "global", 1)]


def panel(count: int) -> dict[str, Series]:
    """Return AR(1) series of unlike levels and scales."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((count, ROWS))
    for t in range(1, ROWS):
        y[:, t] += 0.6 * y[:, t - 1]
    return panel_of(list(rng.normal(0, 100, (count, 1)) + np.exp(rng.normal(0, 2, (count, 1))) * y))


def seconds(model: Forecaster, sharing: Sharing, data: dict[str, Series]) -> float:
    spent = []
    for _ in range(2):
        begun = time.process_time()
        Panel(model=model, sharing=sharing).fit(data)
        spent.append(time.process_time() - begun)
    return min(spent)


def main() -> None:
    few, many, rows = panel(FEW), panel(MANY), []
    for model, sharing, fewer in CASES:  # a slow model is timed on fewer series, in the same ratio
        small, large = (dict(list(data.items())[:len(data) // fewer]) for data in (few, many))
        Panel(model=model, sharing=sharing).fit(dict(list(small.items())[:5]))
        cost = seconds(model, sharing, small), seconds(model, sharing, large)
        rows.append({"model": repr(model), "sharing": sharing, "series": len(small), "seconds": cost[0],
                     "ten times as many, seconds": cost[1], "ratio": cost[1] / cost[0],
                     "ms a series": 1000 * cost[1] / len(large), "machine": machine()})
        print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(OUT, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
