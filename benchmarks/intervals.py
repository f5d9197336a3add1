"""Do nominal c % intervals hold c % of outcomes? Simulate, fit, forecast, count; one CSV a model, then a board.

    python -m benchmarks.intervals            all replications not yet there, then the board
    python -m benchmarks.intervals --help     fewer replications, one model, a time budget

Replications come in hundreds, and every cell has its first hundred before any has its second. A hundred that is done is
in benchmarks/results/coverage/cells/<model>.csv, which is written whole or not at all; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import ndtri

import varnn
from benchmarks.intervals_board import LENGTHS, LEVELS, RESULTS, STEPS, read, write
from varnn.data.process import Process, recipes
from varnn.models import catalogue

HORIZON = 12
CHUNK = 100
CONTINUATIONS = 20  # true futures drawn for each sample; their mean takes most of the binomial noise away
SEED = 20261124
VAR1 = (((0.5, 0.1, 0.0), (0.2, 0.3, 0.1), (0.0, 0.2, 0.4)),)
PROCESSES: dict[str, tuple[str, dict[str, object]]] = {
    "VAR(1)": ("var", {"coefficients": VAR1}),
    "VAR(2)": ("var", {}),
    "VARMA(1,1)": ("varma", {}),
    "tanh RNN": ("tanh_rnn", {}),
}
KEYS = ["process", "T", "series", "h", "nominal"]
Array = np.ndarray
Bounds = Callable[[Array, int], tuple[Array, Array]]  # sample (T, k), seed -> lower, upper (1 or 2, c, h, k)


@dataclass(frozen=True)
class Contestant:
    """A way to make intervals, processes it can represent, the most replications of a cell, processes it is run on."""

    name: str
    bounds: Bounds
    represents: tuple[str, ...]
    replications: int = 1000
    runs_on: tuple[str, ...] = tuple(PROCESSES)

    @property
    def path(self) -> Path:
        """File of its counts."""
        return RESULTS / "cells" / f"{self.name.replace(',', '').replace(' ', '-')}.csv"


def of_model(model: Any, **options: object) -> Bounds:
    """Intervals of a varnn model, step by step and over the whole path, all from the same 1000 paths."""
    tails = [0.5 - level / 2 for level in LEVELS]

    def bounds(sample: Array, seed: int) -> tuple[Array, Array]:
        outlook = model.fit(sample, rng=seed).forecast(HORIZON, n_paths=1000, rng=seed, **options)
        ends = np.quantile(outlook.paths, [*tails, *(1 - tail for tail in tails)], axis=0)       # as `interval` does
        whole = np.array([[end.to_numpy() for end in outlook.interval(level, joint=True)] for level in LEVELS])
        return np.stack([ends[:len(LEVELS)], whole[:, 0]]), np.stack([ends[len(LEVELS):], whole[:, 1]])

    return bounds


def of_statsmodels(lags: int) -> Bounds:
    """Intervals of statsmodels' VAR: normal, from `forecast` and `mse`, as `forecast_interval` makes them."""
    from statsmodels.tsa.api import VAR as Peer

    def bounds(sample: Array, seed: int) -> tuple[Array, Array]:
        fit = Peer(sample).fit(lags)
        mean = fit.forecast(sample[-lags:], HORIZON)
        spread = np.sqrt(np.diagonal(fit.mse(HORIZON), axis1=1, axis2=2))
        reach = ndtri((1 + np.array(LEVELS)) / 2)[None, :, None, None] * spread
        return mean - reach, mean + reach

    return bounds


def contestants() -> list[Contestant]:
    """Every row of the board, quick ones first."""
    one, linear, nets = ("VAR(1)",), ("VAR(1)", "VAR(2)"), ("VAR(1)", "VARMA(1,1)")
    some, models = ("VAR(1)", "VARMA(1,1)", "tanh RNN"), catalogue()
    return [
        Contestant("statsmodels VAR p=1", of_statsmodels(1), one),
        Contestant("statsmodels VAR p=4", of_statsmodels(4), linear),
        Contestant("VAR p=1", of_model(models["VAR"](lags=1)), one),
        Contestant("VAR p=4", of_model(models["VAR"](lags=4)), linear),
        Contestant("linear RNN p=1", of_model(models["LinearRNN"](lags=1)), nets, runs_on=some),
        Contestant("tanh RNN p=1", of_model(models["TanhRNN"](lags=1, starts=1)), some, runs_on=some),
        Contestant("VAR p=4, bootstrap", of_model(models["VAR"](lags=4), uncertainty="bootstrap"), linear, 300, some),
        Contestant("Conformal VAR p=1", of_model(models["Conformal"](models["VAR"](lags=1))), some, 300, some),
    ]


def samples(process: Process, length: int, seed: list[int]) -> tuple[Array, Array]:
    """Return samples (B, T, k) and, for each, futures (B, f, h, k) drawn from where the sample ends."""
    rng = np.random.default_rng(seed)
    state = process.start(CHUNK, rng)
    for t in range(-process.burn, 0):
        _, state = process.step(state, process.shock(CHUNK, rng), t)
    rows = []
    for t in range(length):
        value, state = process.step(state, process.shock(CHUNK, rng), t)
        rows.append(value)
    ahead, futures = np.repeat(state, CONTINUATIONS, axis=0), []
    for step in range(HORIZON):
        value, ahead = process.step(ahead, process.shock(len(ahead), rng), length + step)
        futures.append(value)
    kept = np.stack(futures, axis=1)                                                              # (B f, h, k)
    return np.stack(rows, axis=1), kept.reshape(CHUNK, CONTINUATIONS, *kept.shape[1:])


def count(contestant: Contestant, process: str, length: int, chunk: int) -> pd.DataFrame:
    """Count a hundred replications of one cell: one row for each series, step (or whole path) and level."""
    name, parameters = PROCESSES[process]
    drawn, futures = samples(recipes()[name].build(**parameters), length,
                             [SEED, list(PROCESSES).index(process), length, chunk])
    k, bands = drawn.shape[2], [str(step) for step in STEPS]
    held, width, done = np.zeros((2, len(LEVELS), HORIZON, k)), np.zeros((2, len(LEVELS), HORIZON, k)), 0
    for i, (sample, truth) in enumerate(zip(drawn, futures, strict=True)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", varnn.errors.ConvergenceWarning)
                lower, upper = contestant.bounds(sample, chunk * CHUNK + i)
        except varnn.errors.TooShortError:
            continue
        inside = (lower[:, :, None] <= truth) & (truth <= upper[:, :, None])                   # (1 or 2, c, f, h, k)
        held[0] += inside[0].sum(axis=1)
        if len(inside) == 2:
            held[1] += inside[1].all(axis=2).sum(axis=1)[:, None]
            bands = [*(str(step) for step in STEPS), "path"]
        width[:len(lower)] += upper - lower
        done += 1
    rows = []
    for c, level in enumerate(LEVELS):
        for band in bands:
            at = (1, c, slice(None)) if band == "path" else (0, c, slice(int(band) - 1, int(band)))
            for j in range(k):
                rows.append({
                    "process": process, "T": length, "series": f"y{j + 1}", "h": band, "nominal": level,
                    "held": int(held[at][0, j]), "outcomes": done * CONTINUATIONS, "replications": done,
                    "failed": CHUNK - done, "width": width[at][:, j].mean() / max(done, 1)})
    return pd.DataFrame(rows)


def add(path: Path, fresh: pd.DataFrame, commit: str) -> None:
    """Add counts to a file, whole or not at all."""
    table = fresh.assign(version=varnn.__version__, commit=commit)
    if path.exists():
        table = pd.concat([read(path), table])
        table["width"] *= table.replications
        sums = ["held", "outcomes", "replications", "failed", "width"]
        table = table.groupby(KEYS, sort=False).agg(
            {**dict.fromkeys(sums, "sum"), "version": "last", "commit": joined}).reset_index()
        table["width"] /= table.replications.clip(lower=1)
    partial = path.with_suffix(".part")
    table.to_csv(partial, index=False, float_format="%.6g")
    partial.replace(path)


def joined(commits: pd.Series) -> str:
    """Return the distinct commits that a cell was counted at."""
    return " ".join(dict.fromkeys(" ".join(commits).split()))


def replications_there(path: Path) -> dict[tuple[str, int], int]:
    """Return how many replications, failed ones too, each cell of a file has."""
    if not path.exists():
        return {}
    table = read(path).drop_duplicates(["process", "T"])
    return dict(zip(zip(table.process, table["T"], strict=True), table.replications + table.failed, strict=True))


def here() -> str:
    """Return the commit that is run, with a plus where files differ from it."""
    root = Path(__file__).parents[1]

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "varnn") else "")


def main() -> None:
    """Run the replications that are missing within the budget, then write the board."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=1000, help="at most so many samples a cell")
    parser.add_argument("--model", action="append", help="only this row of the board; may be repeated")
    parser.add_argument("--length", type=int, action="append", help="only samples of so many rows; may be repeated")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds after which nothing new is begun")
    parser.add_argument("--board", action="store_true", help="only write the board from the counts that are there")
    args = parser.parse_args()
    (RESULTS / "cells").mkdir(parents=True, exist_ok=True)
    started, commit, last = time.monotonic(), here(), 0 if args.board else args.replications // CHUNK
    field = [one for one in contestants() if not args.model or one.name in args.model]
    tasks = [(chunk, one, process, length) for chunk in range(last) for one in field
             if chunk < one.replications // CHUNK for process in one.runs_on
             for length in args.length or LENGTHS]
    for chunk, one, process, length in tasks:
        if replications_there(one.path).get((process, length), 0) > chunk * CHUNK:
            continue
        if time.monotonic() - started > args.budget:
            print("budget spent; run again to go on")
            break
        begun = time.process_time()
        add(one.path, count(one, process, length, chunk), commit)
        print(f"{one.name:22s} {process:11s} T={length:<4d} to {(chunk + 1) * CHUNK} replications, "
              f"{time.process_time() - begun:6.1f} s of processor", flush=True)
    write({one.name: (one.path, one.represents) for one in contestants()}, list(PROCESSES))


if __name__ == "__main__":
    main()
