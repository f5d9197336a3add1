"""How time grows with T, k, n and the number of fits: `python -m benchmarks.speed.growth`.

Processor seconds of one thread, medians of three after a call that warms up, for VAR(2), the linear RNN by maximum
likelihood, and a tanh RNN of fixed structure (lags=1, one start).  Writes benchmarks/results/speed/growth.csv and
growth.png; a slope of 1 on the logarithmic axes is growth in proportion.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

import varnn
from benchmarks.speed.var import machine
from varnn.estimate.least_squares.regression import fit_windows as var_windows
from varnn.estimate.tanh import search
from varnn.models.rung2_linear import fit_windows as linear_windows
from varnn.models.rung3_tanh import fit_windows as tanh_windows
from varnn.series import Series

RESULTS = Path(__file__).parents[1] / "results" / "speed"
LABELS = {"T": "rows T", "k": "series k", "n": "tanh units n", "fits": "independent fits of T = 200"}
STYLES = {"VAR": ("o", "-"), "LinearRNN": ("s", "--"), "TanhRNN": ("^", ":")}
MOST = {"VAR": 1_000_000, "LinearRNN": 1_000_000, "TanhRNN": 20_000}


def simulated(T: int, k: int, seed: int = 0) -> np.ndarray:
    """Return k series of y_t = tanh(A y_{t-1}) + ½ e_t plus a moving average of the errors."""
    random = np.random.default_rng(seed)
    A, e = random.normal(size=(k, k)) / np.sqrt(k), random.normal(size=(T + 1, k))
    y = np.zeros((T + 1, k))
    for t in range(1, T + 1):
        y[t] = np.tanh(A @ y[t - 1]) + 0.5 * e[t] + 0.2 * e[t - 1]
    return np.ascontiguousarray(y[1:])


def seconds(work: Callable[[], object]) -> float:
    """Median processor seconds of three calls after one to warm up; of one where it takes over 10 s."""
    spent = []
    for _ in range(4):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
        if spent[0] > 10.0:
            return spent[0]
    return statistics.median(spent[1:])


def model(kind: str, width: int = 3) -> varnn.Forecaster:
    """Return the model of a curve."""
    if kind == "TanhRNN":
        return varnn.TanhRNN(lags=1, width=width, starts=1)
    return varnn.VAR(lags=2) if kind == "VAR" else varnn.LinearRNN(lags=1, shrinkage=None)


def many(kind: str, windows: list[np.ndarray]) -> None:
    """Fit all windows in one call."""
    if kind == "VAR":
        ends = np.cumsum([len(window) for window in windows])
        var_windows(np.vstack(windows), [(end - len(w), end) for end, w in zip(ends, windows, strict=True)], 2)
    elif kind == "LinearRNN":
        linear_windows(model(kind), [Series.of(window) for window in windows])  # type: ignore[arg-type]
    else:
        tanh_windows(model(kind), [Series.of(window) for window in windows])  # type: ignore[arg-type]


def measured() -> pd.DataFrame:
    """Return one row a point."""
    points = []

    def add(axis: str, kind: str, size: int, work: Callable[[], object]) -> None:
        points.append({"against": axis, "model": kind, "size": size, "seconds": seconds(work)})
        print(points[-1], flush=True)

    for kind in STYLES:
        for T in (200, 1_000, 5_000, 20_000, 100_000, 1_000_000):
            if MOST[kind] >= T:
                y = simulated(T, 3)
                add("T", kind, T, lambda y=y, kind=kind: model(kind).fit(y))  # type: ignore[misc]
        for k in (1, 2, 4, 8, 16):
            if kind == "VAR" or k <= 8:
                y = simulated(1_000, k)
                add("k", kind, k, lambda y=y, kind=kind: model(kind).fit(y))  # type: ignore[misc]
        for count in (1, 10, 100, 1_000):
            if kind == "VAR" or count <= 100:
                windows = [simulated(200, 3, seed) for seed in range(count)]
                add("fits", kind, count, lambda w=windows, kind=kind: many(kind, w))  # type: ignore[misc]
    y = simulated(1_000, 3)
    for n in (1, 2, 4, 8, 16):
        add("n", "TanhRNN", n, lambda n=n: model("TanhRNN", n).fit(y))  # type: ignore[misc]
    return pd.DataFrame(points)


def figure(table: pd.DataFrame, path: Path) -> None:
    """Draw the four panels, readable in black and white."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing, axes = plt.subplots(1, 4, figsize=(14, 3.6), sharey=True, layout="constrained")
    for panel, (axis, label) in zip(axes, LABELS.items(), strict=True):
        for kind, part in table[table.against == axis].groupby("model", sort=False):
            mark, line = STYLES[str(kind)]
            panel.loglog(part["size"], part["seconds"], marker=mark, linestyle=line, color="black", label=kind,
                         markerfacecolor="white")
        panel.set_xlabel(label)
        panel.grid(True, which="major", color="0.85")
    axes[0].set_ylabel("processor seconds, one thread")
    axes[0].legend(frameon=False)
    drawing.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(drawing)


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the growth exponent of each curve between its last two points."""
    rows = []
    for (axis, kind), part in table.groupby(["against", "model"], sort=False):
        last = part.sort_values("size").iloc[-2:]
        steps = np.diff(np.log(last[["size", "seconds"]].to_numpy()), axis=0)[0]
        rows.append({"against": axis, "model": kind, "exponent": float(steps[1] / steps[0])})
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, write the numbers, draw."""
    search.WORKERS = 1
    table = measured()
    about = machine()
    table["processor"], table["varnn"], table["numpy"] = about["processor"], about["varnn"], about["numpy"]
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / "growth.csv", index=False, float_format="%.5g")
    figure(table, RESULTS / "growth.png")
    print(slopes(table).to_string())


if __name__ == "__main__":
    main()
