"""How often is the verdict right? python -m benchmarks.verdict_study [SERIES A CELL] [SECONDS]

Series whose best forecasts are known, compared with the real rungs: how often does the verdict say that a VAR is
enough, or that a net earns its keep, and how often wrongly? Writes series.csv, verdict_study.csv, board.png, a page.
Stop and run again to resume; the series that are there are not made again.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.writing import RESULTS, STYLE, machine, markdown
from varnn.comparison.compare import compare
from varnn.data.process import Process, Simulated, at_rest, normal_shocks
from varnn.data.processes.bilinear import bilinear
from varnn.data.processes.linear import varma_process
from varnn.data.processes.networks import tanh_rnn
from varnn.data.processes.threshold import sgn, threshold_var
from varnn.errors import VarnnWarning
from varnn.evaluate.judgement import Judgement
from varnn.evaluate.tables import Losses

FOLDER = RESULTS / "verdict_study"
HORIZON, PATHS, ESTIMATED = 4, 20, 2  # steps, sample paths, estimations of each model over the origins
SEED = 770_000  # first seed; those of the series on which the rule was made are far below
MATTERS = 2.0
FINDINGS = ("enough", "enough in practice, with structure", "undecided", "undecided, with structure", "earns")
FIRST, SECOND = np.array([[0.5, 0.1], [0.2, 0.3]]), np.array([[-0.2, 0.0], [0.1, 0.2]])


def fat_tailed() -> Process:
    """A VAR(2) with independent t(4) shocks of variance 1."""
    return replace(varma_process([FIRST, SECOND], [], sd=1.0, burn=100),
                   shock=lambda m, rng: rng.standard_t(4, size=(m, 2)) / np.sqrt(2.0))


def changing_variance() -> Process:
    """A VAR(2) with ARCH(.5) shocks of variance 1."""
    def mean(state: np.ndarray, t: int) -> np.ndarray:
        return np.asarray(state[:, :2] @ FIRST.T + state[:, 2:4] @ SECOND.T)

    def step(state: np.ndarray, shock: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        error = np.sqrt(0.5 + 0.5 * state[:, 4:] ** 2) * shock
        value = mean(state, t) + error
        return value, np.hstack([value, state[:, :2], error])

    return Process(columns=("y1", "y2"), mean=mean, step=step, shock=normal_shocks(2, 1.0), symmetric=True,
                   start=at_rest(6), burn=100)


CELLS: dict[str, tuple[Callable[[], Process], tuple[int, ...]]] = {
    "VAR(2)": (lambda: varma_process([FIRST, SECOND], [], sd=1.0, burn=100), (200, 400)),
    "VAR(2), t(4)": (fat_tailed, (200, 400)),
    "VAR(2), ARCH(.5)": (changing_variance, (200, 400)),
    "tanh net": (lambda: tanh_rnn(k=2, width=4, gain=2.0, sd=0.3, weights=3), (200, 400)),
    "threshold VAR": (threshold_var, (200, 400, 800)),
    "VARMA(1,1)": (lambda: varma_process([np.array([[0.8, 0.1], [0.0, 0.7]])], [np.array([[-0.6, 0.2], [0.1, 0.5]])],
                                         sd=1.0, burn=100), (200, 400)),
    "sign": (sgn, (200, 400)),
    "bilinear": (bilinear, (200, 400)),
}
NULLS = tuple(name for name in CELLS if name.startswith("VAR("))


def plan(series: int) -> Iterator[tuple[str, int, int]]:
    """Yield what is to be made, one series of every cell before the next, so that a stop leaves cells of one size."""
    for number in range(series):
        for name, (_, lengths) in CELLS.items():
            for rows in lengths:
                yield name, rows, number


def judged(name: str, rows: int, number: int) -> dict[str, Any]:
    """Simulate a series, compare the rungs on it, and return what the verdict said and what is true."""
    seed = SEED + number
    drawn = CELLS[name][0]().run(rows, seed)
    origins = round(0.3 * rows) - HORIZON + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VarnnWarning)
        result = compare(drawn.values, horizon=HORIZON, models=["VAR", "ShrunkVAR", "LinearRNN", "TanhRNN"],
                         n_paths=PATHS, refit=-(-origins // ESTIMATED), seed=seed, oracle=_best(drawn, seed))
    found = result.judgement
    return {"truth": name, "rows": rows, "number": number, "finding": found.finding, "origins": found.origins,
            "most": found.most, "structure": found.structure,
            "linearity": float("nan") if found.linearity is None else found.linearity["pvalue"],
            **_legs(found, Losses.of(result.ledger))}


def _best(drawn: Simulated, seed: int) -> Callable[[int, int], np.ndarray]:
    def best(seen: int, horizon: int) -> np.ndarray:
        stream = np.random.default_rng([seed, seen])
        return np.asarray(drawn.oracle_ahead([seen], horizon, paths=400, rng=stream)[0])

    return best


def _legs(found: Judgement, losses: Losses) -> dict[str, float]:
    """Return for each rung and leg what was seen, and the true gain: noise around the best forecast left out."""
    assert losses.best is not None
    kept: dict[str, float] = {}
    for rung in found.rungs:
        for key, leg, position in zip(("first", "all"), rung.legs, (0, None), strict=True):
            steps = slice(None) if position is None else slice(position, position + 1)
            noise = losses.best[losses.both(rung.model, found.base, position), steps]
            mine, theirs = (float((noise**2).mean() + ((error - noise) ** 2).mean())
                            for error in losses.pair(rung.model, found.base, position))
            gain = leg.gain
            kept |= {f"{rung.model} {key} {what}": value for what, value in {
                "true": 100.0 * (1.0 - np.sqrt(mine / theirs)), "seen": gain.value, "p": gain.pvalue,
                "lower": gain.limit(0.9), "upper": gain.limit(0.05), "Clark–West": leg.clark_west,
                "detectable": gain.detectable, "same": float(gain.same)}.items()}
        kept[f"{rung.model} structure"] = rung.structure
    return kept


def rates(series: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each sentence in each cell, and how often it was wrong."""
    true = [column for column in series if column.endswith(" true")]
    most = series[true].max(axis=1)
    earning = series[[column for column in true if column.startswith(("LinearRNN", "TanhRNN"))]].max(axis=1)
    rows = []
    for name, (_, lengths) in CELLS.items():
        for length in lengths:
            here = (series["truth"] == name) & (series["rows"] == length)
            said = series.loc[here, "finding"]
            matters, nothing = here & (most >= MATTERS), here & (earning <= 0.0)
            rows.append({"truth": name, "rows": length, "series": int(here.sum()),
                         **{finding: float((said == finding).mean()) for finding in FINDINGS},
                         "true gain ≥ 2 %": int(matters.sum()), "of these enough": int(
                             series.loc[matters, "finding"].str.startswith("enough").sum()),
                         "true gain ≤ 0": int(nothing.sum()), "of these earns": int(
                             (series.loc[nothing, "finding"] == "earns").sum()),
                         "median true gain": float(most[here].median())})
    return pd.DataFrame(rows)


def draw(found: pd.DataFrame, figure: Figure) -> None:
    """Draw the share of each sentence in each cell as stacked bars."""
    axes = figure.subplots()
    left, shades = np.zeros(len(found)), ("#2166ac", "#92c5de", "#f0f0f0", "#fddbc7", "#b2182b")
    for finding, shade in zip(FINDINGS, shades, strict=True):
        axes.barh(np.arange(len(found)), found[finding], left=left, color=shade, edgecolor="white", label=finding)
        left += found[finding].to_numpy()
    axes.set_yticks(np.arange(len(found)), [f"{row.truth}, {row.rows} rows" for row in found.itertuples()])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("share of series")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=2)


def page(found: pd.DataFrame) -> str:
    """Return the result page."""
    def share(which: pd.Series, finding: str) -> str:
        part = found[which]
        return f"{(part[finding] * part['series']).sum():.0f} of {part['series'].sum()}"

    null, few = found["truth"].isin(NULLS), int(found["series"].min())
    enough, matters = found["of these enough"].sum(), found["true gain ≥ 2 %"].sum()
    return "\n".join([
        "# What the verdict says of series whose truth is known\n",
        f"{found['series'].sum()} series, {found['series'].min()} to {found['series'].max()} a cell, none of "
        "them among those on which the rule was made. VAR, shrunken VAR, linear RNN and tanh RNN, "
        f"{HORIZON} steps ahead, the last 30 % of the rows as origins, each model estimated {ESTIMATED} times; "
        f"{MATTERS:g} % of RMSE would matter. The true gain is that of the very forecasts made, the noise around "
        "the best forecast left out.\n",
        f"* \"A VAR is enough\", in either form, where a rung's true gain is {MATTERS:g} % or more: "
        f"{enough} of {matters}.",
        f"* \"A recurrent net earns its keep\" where a VAR is the truth: {share(null, 'earns')}.",
        f"* The same where no rung truly gains: {found['of these earns'].sum()} of {found['true gain ≤ 0'].sum()}.\n",
        "![Share of each sentence](board.png)\n",
        markdown(found, 2) + "\n",
        f"With {few} series a cell a share of .05 has a standard error of {np.sqrt(0.05 * 0.95 / few):.2f}, one of "
        f".5 of {np.sqrt(0.25 / few):.2f}. Made by `python -m benchmarks.verdict_study` on {machine()}.\n"])


def write(series: pd.DataFrame) -> None:
    """Write what is known so far."""
    found = rates(series)
    found.to_csv(FOLDER / "verdict_study.csv", index=False, float_format="%.6g")
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 6.0), layout="constrained")
        draw(found, figure)
        figure.savefig(FOLDER / "board.png", dpi=110, metadata={"Software": None})
    (FOLDER / "README.md").write_text(page(found), encoding="utf-8")


def main() -> None:
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    stop = time.monotonic() + (float(sys.argv[2]) if len(sys.argv) > 2 else np.inf)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "series.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    there = {(row["truth"], row["rows"], row["number"]) for row in rows}
    for one in plan(series):
        if one in there:
            continue
        if time.monotonic() > stop:
            break
        rows.append(judged(*one))
        if len(rows) % 10 == 0:
            pd.DataFrame(rows).to_csv(path, index=False, float_format="%.6g")
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.6g")
    write(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
