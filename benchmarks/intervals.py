"""Do nominal c % intervals hold c % of outcomes? Simulate, fit, forecast, count; one CSV a cell, a board and a plot.

    python benchmarks/intervals.py            every cell not yet there, then the board
    python benchmarks/intervals.py --help     fewer replications, one model, a time budget

Cells are resumed: a finished cell is one file in benchmarks/results/coverage/cells, written whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import ndtri

import varnn
from varnn.data._process import Process, recipes
from varnn.models import catalogue

RESULTS = Path(__file__).parent / "results" / "coverage"
LENGTHS = (50, 100, 400)
HORIZONS = (1, 4, 12)
LEVELS = (0.5, 0.8, 0.9, 0.95)
CONTINUATIONS = 20  # true futures drawn for each sample; their mean takes most of the binomial noise away
SEED = 20261124
VAR1 = (((0.5, 0.1, 0.0), (0.2, 0.3, 0.1), (0.0, 0.2, 0.4)),)
PROCESSES: dict[str, tuple[str, dict[str, object]]] = {
    "VAR(1)": ("var", {"coefficients": VAR1}),
    "VAR(2)": ("var", {}),
    "VARMA(1,1)": ("varma", {}),
    "tanh RNN": ("tanh_rnn", {}),
}
Bounds = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # sample (T, k), seed -> (c, h, k) twice


@dataclass(frozen=True)
class Contestant:
    """A way to make intervals, its replications for each cell (fewer where a fit is slow, 30 of 400 rows), the
    processes it can represent exactly, and those it is run on.
    """

    name: str
    bounds: Bounds
    replications: int
    represents: tuple[str, ...]
    runs_on: tuple[str, ...] = tuple(PROCESSES)


def of_model(model: Any, **options: object) -> Bounds:
    """Intervals of a varnn model, all levels from the same 1000 paths (exact quantiles of its predictive law)."""
    tails = [(1 - level) / 2 for level in LEVELS]

    def bounds(sample: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        fit = model.fit(sample, rng=seed)
        paths = fit.forecast(max(HORIZONS), n_paths=1000, rng=seed, **options).paths
        ends = np.quantile(paths[:, [h - 1 for h in HORIZONS]], [*tails, *(1 - tail for tail in tails)], axis=0)
        return ends[:len(LEVELS)], ends[len(LEVELS):]

    return bounds


def of_statsmodels(lags: int) -> Bounds:
    """Intervals of statsmodels' VAR: normal, from `forecast` and `mse`, as `forecast_interval` makes them."""
    from statsmodels.tsa.api import VAR as Peer

    def bounds(sample: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        fit = Peer(sample).fit(lags)
        rows = [h - 1 for h in HORIZONS]
        mean = fit.forecast(sample[-lags:], max(HORIZONS))[rows]
        spread = np.sqrt(np.diagonal(fit.mse(max(HORIZONS)), axis1=1, axis2=2))[rows]
        reach = ndtri((1 + np.array(LEVELS)) / 2)[:, None, None] * spread
        return mean - reach, mean + reach

    return bounds


def contestants() -> list[Contestant]:
    """Every row of the board, quick ones first."""
    linear, nets, some = ("VAR(1)", "VAR(2)"), ("VAR(1)", "VARMA(1,1)"), ("VAR(1)", "VARMA(1,1)", "tanh RNN")
    models = catalogue()
    return [
        Contestant("VAR p=1", of_model(models["VAR"](lags=1)), 1000, linear[:1]),
        Contestant("VAR p=4", of_model(models["VAR"](lags=4)), 1000, linear),
        Contestant("statsmodels VAR p=1", of_statsmodels(1), 1000, linear[:1]),
        Contestant("statsmodels VAR p=4", of_statsmodels(4), 1000, linear),
        Contestant("linear RNN p=1", of_model(models["LinearRNN"](lags=1)), 100, nets, some),
        Contestant("tanh RNN p=1", of_model(models["TanhRNN"](lags=1, starts=1)), 40, some, some),
        Contestant("VAR p=4, bootstrap", of_model(models["VAR"](lags=4), uncertainty="bootstrap"), 100, linear, some),
        Contestant("Conformal VAR p=1", of_model(models["Conformal"](models["VAR"](lags=1))), 50, some, some),
    ]


def samples(process: Process, length: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return samples (B, T, k) and, for each, futures (B, c, h, k) drawn from where the sample ends."""
    rng = np.random.default_rng(seed)
    state = process.start(count, rng)
    for t in range(-process.burn, 0):
        _, state = process.step(state, process.shock(count, rng), t)
    rows = []
    for t in range(length):
        value, state = process.step(state, process.shock(count, rng), t)
        rows.append(value)
    ahead, futures = np.repeat(state, CONTINUATIONS, axis=0), []
    for step in range(max(HORIZONS)):
        value, ahead = process.step(ahead, process.shock(len(ahead), rng), length + step)
        futures.append(value)
    kept = np.stack([futures[h - 1] for h in HORIZONS], axis=1)                                   # (B c, h, k)
    return np.stack(rows, axis=1), kept.reshape(count, CONTINUATIONS, *kept.shape[1:])


def cell(contestant: Contestant, process: str, length: int, replications: int) -> pd.DataFrame:
    """Count one cell of the board: one row for each series, horizon and level."""
    name, parameters = PROCESSES[process]
    seed = SEED + 1000 * list(PROCESSES).index(process) + length
    drawn, futures = samples(recipes()[name].build(**parameters), length, replications, seed)
    held, width, failed = [], [], 0
    for i, (sample, truth) in enumerate(zip(drawn, futures, strict=True)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", varnn.errors.ConvergenceWarning)
                lower, upper = contestant.bounds(sample, i)
        except varnn.errors.TooShortError:
            failed += 1
            continue
        held.append(((lower[:, None] <= truth) & (truth <= upper[:, None])).mean(axis=1))         # (c, h, k)
        width.append(upper - lower)
    if not held:
        return pd.DataFrame()
    count, hits, widths = len(held), np.mean(held, axis=0), np.mean(width, axis=0)
    rows = []
    for c, level in enumerate(LEVELS):
        reach = 3 * np.sqrt(level * (1 - level) / count)
        for h, horizon in enumerate(HORIZONS):
            for j in range(hits.shape[2]):
                gap = hits[c, h, j] - level
                rows.append({
                    "process": process, "T": length, "model": contestant.name, "series": f"y{j + 1}", "h": horizon,
                    "nominal": level, "coverage": round(hits[c, h, j], 4), "width": round(widths[c, h, j], 4),
                    "three_se": round(reach, 4), "within": bool(abs(gap) <= reach), "replications": count,
                    "failed": failed,
                    "reason": "" if abs(gap) <= reach else
                    "too wide" if gap > 0 else
                    "short: the model cannot represent the process" if process not in contestant.represents else
                    "short: estimation noise",
                })
    return pd.DataFrame(rows)


def todo(args: argparse.Namespace) -> Iterator[tuple[Contestant, str, int, int, Path]]:
    """Yield the cells asked for whose file is not there yet."""
    for contestant in contestants():
        if args.model and contestant.name not in args.model:
            continue
        for process in contestant.runs_on:
            for length in LENGTHS:
                most = contestant.replications if contestant.replications > 100 or length < 400 else 30
                count = min(args.replications or most, most)
                stem = f"{contestant.name}_{process}_{length}_{count}".replace(" ", "-").replace(",", "")
                path = RESULTS / "cells" / f"{stem}.csv"
                if not path.exists():
                    yield contestant, process, length, count, path


def board() -> pd.DataFrame:
    """Join all cells, the most replications of each, and write board.csv, summary.csv and the plot."""
    numbers = {key: [""] for key in ("coverage", "width", "three_se")}
    cells = pd.concat([pd.read_csv(path, keep_default_na=False, na_values=numbers)
                       for path in sorted((RESULTS / "cells").glob("*.csv"))])
    keys = ["model", "process", "T", "series", "h", "nominal"]
    cells = cells.sort_values("replications").drop_duplicates(keys, keep="last").sort_values(keys)
    cells.to_csv(RESULTS / "board.csv", index=False)
    mean = cells.groupby(["model", "process", "T", "h", "nominal"]).agg(
        coverage=("coverage", "mean"), lowest=("coverage", "min"), highest=("coverage", "max"), width=("width", "mean"),
        within=("within", "mean"), replications=("replications", "first")).round(4).reset_index()
    peer = mean[mean.model.str.startswith("statsmodels")].assign(
        model=lambda table: table.model.str.removeprefix("statsmodels "))[
        ["model", "process", "T", "h", "nominal", "coverage", "width"]]
    mean = mean.merge(peer.rename(columns={"coverage": "statsmodels_coverage", "width": "statsmodels_width"}),
                      how="left", on=["model", "process", "T", "h", "nominal"])
    mean.to_csv(RESULTS / "summary.csv", index=False)
    draw(cells)
    about = {"command": "python benchmarks/intervals.py", "version": varnn.__version__, "seed": SEED,
             "coverage": f"mean over samples of the share of {CONTINUATIONS} true futures inside the interval",
             "three_se": "3 sqrt(c (1 - c) / replications): a margin is within if coverage is that close to nominal",
             "replications": {name: sorted(int(count) for count in counts if count)
                              for name, counts in cells.groupby("model").replications.unique().items()},
             "share_of_margins_within": cells[cells.replications > 0].groupby("model").within.apply(
                 lambda column: round(float((column.astype(str) == "True").mean()), 3)).to_dict()}
    (RESULTS / "about.json").write_text(json.dumps(about, indent=2) + "\n")
    return mean


def draw(cells: pd.DataFrame) -> None:
    """Plot coverage less nominal: a row a model, a column a length, a mark for each process, series and horizon."""
    from matplotlib.figure import Figure

    models = [one.name for one in contestants() if one.name in set(cells.model)]
    figure = Figure(figsize=(10.5, 1.75 * len(models) + 0.8), layout="constrained")
    panels = figure.subplots(len(models), len(LENGTHS), sharex=True, sharey=True, squeeze=False)
    marks = {1: ("o", "0.0"), 4: ("s", "tab:blue"), 12: ("^", "tab:orange")}
    for row, model in zip(panels, models, strict=True):
        for axes, length in zip(row, LENGTHS, strict=True):
            own = cells[(cells.model == model) & (cells["T"] == length)]
            for at, level in enumerate(LEVELS):
                reach = 100 * float(own[own.nominal == level].three_se.max()) if len(own) else 0.0
                axes.fill_between([at - 0.45, at + 0.45], -reach, reach, color="0.88", lw=0)
                for horizon, (mark, colour) in marks.items():
                    here = own[(own.nominal == level) & (own.h == horizon)]
                    shift = 0.25 * (HORIZONS.index(horizon) - 1)
                    spots = at + shift + 0.06 * (here.process.map(list(PROCESSES).index).to_numpy() - 1.5)
                    axes.plot(spots, 100 * (here.coverage - here.nominal), mark, color=colour, ms=2.6, alpha=0.75,
                              label=f"{horizon} step{'s' if horizon > 1 else ''} ahead" if at == 0 else None)
            axes.axhline(0, color="black", lw=0.7)
            axes.set_title(f"{model}, T = {length}", loc="left", fontsize=8)
            axes.set_ylim(-16, 16)
            axes.set_xticks(range(len(LEVELS)), [f"{100 * level:g} %" for level in LEVELS], fontsize=7)
            axes.tick_params(labelsize=7)
        row[0].set_ylabel("held less\nnominal, points", fontsize=7)
    panels[0, 0].legend(fontsize=6, ncols=3, loc="lower right", frameon=False)
    figure.savefig(RESULTS / "coverage.png", dpi=130, metadata={"Software": None})


def main() -> None:
    """Run the cells that are missing within the budget, then write the board."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, help="at most so many samples a cell")
    parser.add_argument("--model", action="append", help="only this row of the board; may be repeated")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds after which no new cell is begun")
    args = parser.parse_args()
    (RESULTS / "cells").mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for contestant, process, length, count, path in todo(args):
        if time.monotonic() - started > args.budget:
            print("budget spent; run again to go on")
            break
        begun = time.monotonic()
        table = cell(contestant, process, length, count)
        if table.empty:
            table = pd.DataFrame([{"process": process, "T": length, "model": contestant.name, "series": "", "h": 0,
                                   "nominal": 0.0, "coverage": np.nan, "width": np.nan, "three_se": np.nan,
                                   "within": False, "replications": 0, "failed": count,
                                   "reason": "no intervals: too few rows for this model at this horizon"}])
        table.insert(0, "version", varnn.__version__)
        table.insert(1, "seed", SEED)
        partial = path.with_suffix(".part")
        table.to_csv(partial, index=False)
        partial.replace(path)
        print(f"{contestant.name:22s} {process:11s} T={length:<4d} {count} samples {time.monotonic() - begun:6.1f} s, "
              f"{100 * table.within.mean():.0f} % of {len(table)} margins within", flush=True)
    board()


if __name__ == "__main__":
    main()
