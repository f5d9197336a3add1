"""Same data, same answer?  `python -m benchmarks.same_answer [--series N]`.

The tanh RNN is fitted to each series as it is, with another seed, with 1e-6 of its standard deviation added as noise,
without its first and without its last row.  Is the rung the same, and how far apart are the forecasts, in units of
max(standard deviation of the errors, 1 % of that of the data)?  Real series of the catalogue (the last rows and first
columns) and simulated ones, several seeds each.  The fit as it is also runs freely for 300 steps: is the mean finite,
inside its own 98 % band and near the data?
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.bounded_means import COLUMNS, FAR, TIMES, Band
from benchmarks.writing import Draw, markdown, pictured, write
from varnn.data import about, load, names
from varnn.errors import StoreError, VarnnWarning
from varnn.models.rung1_shrunk import ShrunkVAR
from varnn.models.rung3_tanh import FittedTanhRNN, TanhRNN
from varnn.series import FloatArray

ROWS, DRAWN_ROWS = 300, 250
DRAWN = ("ar", "varma", "white_noise", "random_walk", "tar", "sgn", "bilinear_ma", "nar", "threshold_var",
         "smooth_transition", "tanh_rnn")
CHAOTIC = ("logistic_map", "henon", "mackey_glass", "mackey_glass_t17", "lorenz63")
SEEDS, STEPS, NOISE = 4, 12, 1e-6
CHANGES = ("another seed", "1e-6 of noise", "first row dropped", "last row dropped")


def series() -> Iterator[tuple[str, FloatArray]]:
    """Yield names and arrays; a data set that is not on this machine is named and left out."""
    for name in names():
        if about(name).origin == "simulated" or name in ("m4_weekly", "metr_la_week"):
            continue
        try:
            y = load(name).frame.to_numpy(dtype=float)[-ROWS:, :COLUMNS]
        except StoreError as missing:
            print(f"{name}: {missing}", flush=True)
            continue
        yield name, y[np.isfinite(y).all(axis=1)]
    for name in DRAWN:
        for seed in range(SEEDS):
            yield f"{name} {seed}", load(name, n=DRAWN_ROWS, seed=500 + seed).frame.to_numpy()[:, :COLUMNS]
    for name in ("logistic_map", "henon"):
        yield f"{name} 0", load(name, n=DRAWN_ROWS, seed=500).frame.to_numpy()[:, :COLUMNS]


def changed(y: FloatArray) -> dict[str, tuple[FloatArray, int]]:
    """Return the data and the seed of each change."""
    noise = NOISE * y.std(axis=0) * np.random.default_rng(1).normal(size=y.shape)
    return dict(zip(CHANGES, ((y, 1), (y + noise, 0), (y[1:], 0), (y[:-1], 0)), strict=True))


def fitted(y: FloatArray, seed: int) -> FittedTanhRNN:
    """Fit without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VarnnWarning)
        return TanhRNN().fit(y, rng=seed)  # type: ignore[return-value]


def judged(name: str, y: FloatArray) -> list[dict[str, Any]]:
    """Return a row a change; forecasts without the last row are of a later date and are not compared."""
    base = fitted(y, 0)
    unit = np.maximum(np.sqrt(np.diag(base.sigma_u)), 0.01 * y.std(axis=0))
    ahead = base.forecast(STEPS, n_paths=20, rng=0).point
    far, flat = Band.of(base, FAR), ShrunkVAR().fit(y).forecast(FAR, n_paths=20).point
    low, high = np.minimum(y.min(axis=0), flat.min(axis=0)), np.maximum(y.max(axis=0), flat.max(axis=0))
    away = float((np.abs(far.mean - (low + high) / 2) / ((high - low) / 2)).max())
    rows = []
    for change, (data, seed) in changed(y).items():
        other = fitted(data, seed)
        row = {"series": name, "rows": len(y), "chaotic": name.split()[0] in CHAOTIC, "change": change,
               "units": base.width, "units then": other.width, "same rung": (base.width > 0) == (other.width > 0),
               "1 step": np.nan, "12 steps": np.nan, "evidence": np.nan, "mean at 300": away,
               "outside of 300": int((far.excess() > 0).sum())}
        if change != CHANGES[-1]:
            apart = np.abs(other.forecast(STEPS, n_paths=20, rng=0).point - ahead) / unit
            row |= {"1 step": float(apart[0].max()), "12 steps": float(apart[-1].max())}
        if change in CHANGES[:2]:
            row["evidence"] = abs(float(other.evidence) - float(base.evidence))
        rows.append(row)
    return rows


def main() -> None:
    """Run the study and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=None, help="only so many, for a look")
    options = parser.parse_args()
    begun, rows = time.perf_counter(), []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", VarnnWarning)
        for name, y in list(series())[: options.series]:
            rows += judged(name, y)
            print(rows[-1], flush=True)
    board = pd.DataFrame(rows)
    seconds = pd.DataFrame({"fits": [len(board) + board["series"].nunique()],
                            "seconds": [time.perf_counter() - begun]})
    command = "python -m benchmarks.same_answer" + (f" --series {options.series}" if options.series else "")
    print(write("same_answer", board, seconds, page(board), command, time.perf_counter() - begun, draw=draw(board)))


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws how far apart one-step and twelve-step forecasts are, every series a stroke."""

    def fill(figure: Figure) -> None:
        axes = figure.subplots()
        part = board[~board["chaotic"]]
        lines = [(change, step) for change in CHANGES[:-1] for step in ("1 step", "12 steps")][::-1]
        for place, (change, step) in enumerate(lines):
            values = part.loc[part["change"] == change, step]
            axes.plot(np.maximum(values, 1e-8), np.full(len(values), place), "|", color="black", markersize=12)
        axes.axvline(0.1, color="0.6", lw=0.8)
        axes.set_xscale("log")
        axes.set_yticks(range(len(lines)), [f"{change}, {step}" for change, step in lines])
        axes.set_xlabel("forecasts apart, in standard deviations of the errors (line: a tenth; below 1e-8 shown there)")

    return fill


def page(board: pd.DataFrame) -> str:
    """Return the page."""
    calm = board[~board["chaotic"]]
    table = pd.DataFrame([{
        "change": change, "series": len(part), "same rung, %": 100 * part["same rung"].mean(),
        "1 step within .1, %": _share(part["1 step"], 0.1), "1 step within .3, %": _share(part["1 step"], 0.3),
        "12 steps within .5, %": _share(calm.loc[calm["change"] == change, "12 steps"], 0.5),
        "evidence within 2 nats, %": _share(part["evidence"], 2.0)}
        for change, part in board.groupby("change", sort=False)])
    moved = board[~board["same rung"] | (board["1 step"] > 0.1)]
    alone = board.drop_duplicates("series")
    absurd = alone[(alone["mean at 300"] > TIMES) | (alone["outside of 300"] > 0)]
    return "\n".join([
        "# Same data, same answer", "",
        f"The tanh RNN on {board['series'].nunique()} series, as they are and changed a little: is the rung the same, "
        "and how far apart are the forecasts, in standard deviations of the errors (at least 1 % of the data's)?", "",
        markdown(table, 1), "",
        pictured("How far forecasts of the changed series lie from those of the series; chaotic series left out."), "",
        "Another seed gives the same fit, as the starts follow from the data. Twelve steps leave out "
        f"{board.loc[board['chaotic'], 'series'].nunique()} chaotic series.", "",
        f"**After {FAR} steps** the mean is outside its own 98 % band, or farther than {TIMES:g} half-ranges from the "
        f"middle of the data and the linear mean, on {len(absurd)} of {len(alone)} series"
        f"{': ' + ', '.join(absurd['series']) if len(absurd) else ''}.", "",
        "Where the rung or the next forecast moved:", "",
        markdown(moved[["series", "change", "units", "units then", "1 step", "12 steps"]]) if len(moved) else "nowhere",
        ""])


def _share(values: pd.Series, limit: float) -> float:
    known = values.dropna()
    return float(100 * (known <= limit).mean()) if len(known) else float("nan")


if __name__ == "__main__":
    main()
