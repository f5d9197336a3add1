"""Does a mean leave its own band, and do free runs stay bounded?  `python -m benchmarks.bounded_means [seeds] [names]`.

Each data set × seed is fitted once, on the rows before the first of four origins; the later ones see the rows up to
them by `update`.  At every origin the mean of 24 steps is held against its own 98 % band (1,000 paths), and the mean
and paths of 300 steps from the last origin against the range of the data and of the linear rung's mean.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.writing import Draw, markdown, pictured, write
from varnn.data import load
from varnn.errors import StoreError, VarnnWarning
from varnn.forecaster import Fitted
from varnn.models.rung1_var import VAR
from varnn.models.rung3_tanh import TanhRNN
from varnn.series import FloatArray

ROWS, COLUMNS = 480, 2          # the last rows and first columns of a data set: what ten seeds of it can be paid for
ORIGINS, APART = 4, 12
STEPS, FAR, PATHS = 24, 300, 1000
TIMES = 3.0                     # ranges of data and linear mean that a mean of 300 steps may lie from their middle
NAMES = ("elnino", "lynx", "hare_lynx", "interest_inflation", "gas_furnace", "armacell_tar", "macrodata")


@dataclass(frozen=True)
class Band:
    """A mean beside the 98 % band of its own paths, in the units of the series."""

    mean: FloatArray
    paths: FloatArray

    @classmethod
    def of(cls, fit: Fitted, horizon: int) -> Band:
        made = fit.forecast(horizon, n_paths=PATHS, rng=0)
        return cls(made.point, made.paths)

    def excess(self) -> FloatArray:
        """Return how far the mean lies outside, in widths of the band (h, k); zero inside."""
        low, high = np.quantile(self.paths, [0.01, 0.99], axis=0)
        beyond = np.maximum(np.maximum(low - self.mean, self.mean - high), 0.0)
        return np.asarray(beyond / np.maximum(high - low, np.finfo(float).tiny))


def judged(y: FloatArray, seed: int) -> dict[str, float]:
    """Fit one seed and return its counts over origins, steps and series, and what 300 steps come to."""
    first = len(y) - (ORIGINS - 1) * APART
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VarnnWarning)
        fit = TanhRNN().fit(y[:first], rng=seed)
        linear = VAR().fit(y)
    excesses = []
    for stop in range(first, len(y) + 1, APART):
        moved = fit if stop == first else fit.update(y[first:stop])
        excesses.append(Band.of(moved, STEPS).excess())
    excess, far, flat = np.stack(excesses), Band.of(moved, FAR), linear.forecast(FAR, n_paths=20).point
    low, high = np.minimum(y.min(axis=0), flat.min(axis=0)), np.maximum(y.max(axis=0), flat.max(axis=0))
    middle, reach = (low + high) / 2, (high - low) / 2
    return {"units": fit.width, "means": excess.size, "outside": int((excess > 0).sum()),
            "one step": int((excess[:, 0] > 0).sum()), "12 steps": int((excess[:, 11] > 0).sum()),
            "largest excess": float(excess.max()), "outside of 300": int((far.excess() > 0).sum()),
            "farthest mean": float((np.abs(far.mean - middle) / reach).max()),
            "farthest path": float((np.abs(far.paths - middle) / reach).max())}


def found(seeds: int, names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Yield a row a data set and seed; a data set that is not on this machine is named and left out."""
    for name in names:
        try:
            y = load(name).frame.to_numpy(dtype=float)[-ROWS:, :COLUMNS]
        except StoreError as missing:
            print(f"{name}: {missing}", flush=True)
            continue
        y = y[np.isfinite(y).all(axis=1)]
        for seed in range(seeds):
            row = {"data": name, "rows": len(y), "seed": seed, **judged(y, seed)}
            print(row, flush=True)
            yield row


def main() -> None:
    """Run the study and write it."""
    begun, seeds = time.perf_counter(), int(sys.argv[1]) if len(sys.argv) > 1 else 10
    names = tuple(sys.argv[2:]) or NAMES
    with threadpool_limits(1):
        board = pd.DataFrame(found(seeds, names))
    seconds = pd.DataFrame({"fits": [len(board)], "seconds": [time.perf_counter() - begun]})
    command = " ".join(["python -m benchmarks.bounded_means", *sys.argv[1:]])
    print(write("bounded_means", board, seconds, page(board), command,
                time.perf_counter() - begun, draw=draw(board), size=(9.0, 4.0)))


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws the farthest mean and path of every seed, a row a data set."""

    def fill(figure: Figure) -> None:
        axes, names = figure.subplots(), list(dict.fromkeys(board["data"]))[::-1]
        rows = [names.index(name) for name in board["data"]]
        axes.plot(board["farthest path"], rows, "|", color="0.5", label=f"path of {FAR} steps")
        axes.plot(board["farthest mean"], rows, "o", color="black", fillstyle="none", label=f"mean of {FAR} steps")
        axes.axvline(1.0, color="0.7", lw=0.8)
        axes.set_xscale("log")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("distance from the middle, in half-ranges of data and linear mean")
        axes.legend()

    return fill


def page(board: pd.DataFrame) -> str:
    """Return the page: a row a data set over its seeds."""
    groups = board.groupby("data", sort=False)
    table = groups.agg(**{
        "rows": ("rows", "first"), "seeds": ("seed", "count"), "units kept": ("units", lambda u: int((u > 0).sum())),
        **{column: (column, "sum") for column in ("means", "outside", "one step", "12 steps")},
        **{column: (column, "max") for column in ("largest excess",)}, "outside of 300": ("outside of 300", "sum"),
        "farthest mean": ("farthest mean", "max"), "farthest path": ("farthest path", "max")}).reset_index()
    outside, far = int(board["outside"].sum()), int(board["outside of 300"].sum())
    wide = sorted(set(board.loc[board["farthest mean"] > TIMES, "data"]))
    return "\n".join([
        "# Means and their own bands", "",
        f"{len(groups)} data sets × {board['seed'].nunique()} seeds of the tanh RNN × {ORIGINS} origins × {STEPS} "
        "steps: how many means lie outside the 98 % band of their own paths?  And where are they after "
        f"{FAR} steps?", "",
        f"**{outside} of {int(board['means'].sum())}** means of up to {STEPS} steps lie outside, and **{far}** of "
        f"those of {FAR} steps.  After {FAR} steps the mean is farther than {TIMES:g} half-ranges from the middle of "
        f"the data and the linear mean for {', '.join(wide) if wide else 'no data set'}.", "",
        markdown(table), "",
        pictured("Farthest mean and path of each seed; the line is the edge of data and linear mean."), "",
        f"*outside*: over all origins, steps and series; *largest excess* in widths of the band; *farthest*: largest "
        f"distance of a {FAR}-step mean (path) from the middle of the range that the data and the mean of the VAR "
        "span, in halves of that range: 1 is its edge.  Paths also vary the weights, as those of an explosive draw of "
        f"the linear rung do, and have no limit here.  The last {ROWS} rows and first {COLUMNS} columns of each data "
        "set, one process; a seed is fitted once and moved on.  Data sets that are not on the machine are left out.",
        ""])


if __name__ == "__main__":
    main()
