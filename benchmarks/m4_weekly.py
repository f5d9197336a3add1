"""M4 Weekly, 359 series, 13 weeks each: `python -m benchmarks.m4_weekly`.

sMAPE, MASE (season 1, as the organisers scored weekly series) and OWA = (sMAPE/sMAPE_naive2 + MASE/MASE_naive2)/2;
with season 1 Naive2 is the naive forecast. The 13 weeks kept by the organisers are read once, for scoring.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.writing import PUBLISHED, Draw, markdown, pictured, write
from varnn.data import load
from varnn.forecaster import Forecaster
from varnn.models.beside_direct import Direct
from varnn.models.rung0_naive import Drift, Mean, Naive, SeasonalNaive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.wrap_panel import Panel
from varnn.series import FloatArray

H = 13
Panels = dict[str, FloatArray]


def scores(train: Panels, test: Panels, made: Panels) -> tuple[float, float]:
    """Return sMAPE (%) and MASE, averaged over steps and then over series."""
    smape, mase = [], []
    for name, observed in test.items():
        miss = np.abs(observed - made[name])
        smape.append((200 * miss / (np.abs(observed) + np.abs(made[name]))).mean())
        mase.append(miss.mean() / np.abs(np.diff(train[name])).mean())
    return float(np.mean(smape)), float(np.mean(mase))


def by_panel(model: Forecaster, sharing: str, transform: str = "levels") -> Callable[[Panels], Panels]:
    """Return a maker of forecasts for all series, in levels, logarithms or changes of logarithms."""

    def make(train: Panels) -> Panels:
        given = train if transform == "levels" else {name: np.log(y) for name, y in train.items()}
        if transform == "log changes":
            given = {name: np.diff(y) for name, y in given.items()}
        means = Panel(model=model, sharing=sharing).fit(given).mean(H).iloc[:, 0]
        made = {name: means.loc[name].to_numpy() for name in train}
        if transform == "log changes":
            made = {name: np.log(train[name][-1]) + np.cumsum(change) for name, change in made.items()}
        return made if transform == "levels" else {name: np.exp(path) for name, path in made.items()}

    return make


def average(*makers: Callable[[Panels], Panels]) -> Callable[[Panels], Panels]:
    """Return a maker of the mean of several forecasts."""

    def make(train: Panels) -> Panels:
        made = [maker(train) for maker in makers]
        return {name: np.mean([one[name] for one in made], axis=0) for name in train}

    return make


def weighted(makers: Mapping[str, Callable[[Panels], Panels]], blocks: int = 1) -> Callable[[Panels], Panels]:
    """Return a maker of weighted means: each series weighs by 1 / mean squared error on its own last training weeks.

    References
    ----------
    Bates & Granger (1969), The combination of forecasts, Operational Research Quarterly 20, 451–468.
    """

    def make(train: Panels) -> Panels:
        squared = {name: np.zeros(len(makers)) for name in train}
        for block in range(1, blocks + 1):
            shorter = {name: y[:-block * H] for name, y in train.items()}
            for position, maker in enumerate(makers.values()):
                for name, path in maker(shorter).items():
                    missed = train[name][len(shorter[name]):][:H] - path
                    squared[name][position] += float((missed**2).mean())
        made = [maker(train) for maker in makers.values()]
        weights = {name: 1.0 / np.maximum(loss, 1e-12 * loss.max()) for name, loss in squared.items()}
        return {name: weight @ np.array([one[name] for one in made]) / weight.sum() for name, weight in weights.items()}

    return make


def last_year(train: Panels) -> Panels:
    """Return the values of 52 weeks before, or the last value where there are none."""
    return {name: SeasonalNaive(season=52 if len(y) > 54 else 1).fit(y).forecast(H, n_paths=1).point[:, 0]
            for name, y in train.items()}


DIRECT = Direct(horizon=H, lookback=(26, 52))
SINGLE: dict[str, Callable[[Panels], Panels]] = {
    "Naive (= Naive2)": by_panel(Naive(), "local"),
    "SeasonalNaive(52)": last_year,
    "Mean": by_panel(Mean(), "local"),
    "Drift": by_panel(Drift(), "local"),
    "AR of each series": by_panel(VAR(lags="aic"), "local"),
    "AR of each series, log changes": by_panel(VAR(lags="aic"), "local", "log changes"),
    "AR pooled": by_panel(VAR(lags="aic", max_lags=13), "global"),
    "AR pooled, log changes": by_panel(VAR(lags="aic", max_lags=52), "global", "log changes"),
    "LinearRNN(lags=1) of each series, log changes": by_panel(LinearRNN(lags=1), "local", "log changes"),
    "LinearRNN pooled, log changes": by_panel(LinearRNN(max_lags=52), "global", "log changes"),
    "Direct of each series": by_panel(Direct(horizon=H, lookback=26, penalty=0.1), "local"),
    "Direct pooled": by_panel(DIRECT, "global"),
    "Direct pooled, logs": by_panel(DIRECT, "global", "logs"),
    "Direct pooled, log changes": by_panel(DIRECT, "global", "log changes"),
}
MODELS = SINGLE | {
    "Single models, weighted by errors on training weeks": weighted(SINGLE),
    "Average of AR of each and Direct pooled, in levels and in log changes": average(
        by_panel(VAR(lags="aic"), "local"), by_panel(VAR(lags="aic"), "local", "log changes"),
        by_panel(DIRECT, "global"), by_panel(DIRECT, "global", "log changes")),
}


def main() -> None:
    """Run the board and write it."""
    begun = time.perf_counter()
    data = load("m4_weekly")
    train = {str(name): part.to_numpy()[:, 0] for name, part in data.frame.groupby(level=0, sort=False)}
    test = {str(name): part.to_numpy()[:, 0] for name, part in data.holdout.groupby(level=0, sort=False)}
    rows, seconds = [], []
    with threadpool_limits(1):
        for model, make in MODELS.items():
            start = time.process_time()
            made = make(train)
            spent = time.process_time() - start
            smape, mase = scores(train, test, made)
            base = rows[0] if rows else {"smape": smape, "mase": mase}
            owa = (smape / base["smape"] + mase / base["mase"]) / 2
            rows.append({"model": model, "smape": smape, "mase": mase, "owa": owa, "series": len(made)})
            seconds.append({"model": model, "seconds": spent})
            print(f"{model}: sMAPE {smape:.3f} MASE {mase:.3f} OWA {owa:.3f} ({spent:.1f} s)", flush=True)
    board, spent_table = pd.DataFrame(rows), pd.DataFrame(seconds)
    print(write("m4_weekly", board, spent_table, page(board, spent_table), "python -m benchmarks.m4_weekly",
                time.perf_counter() - begun, draw=draw(board), size=(9.0, 0.9 + 0.26 * (len(MODELS) + 5))))


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws OWA as bars, ours filled and quoted ones hatched."""
    published = pd.read_csv(PUBLISHED / "m4_weekly.csv").assign(model=lambda t: t["model"] + " (quoted)", quoted=True)
    both = pd.concat([board.assign(quoted=False), published]).sort_values("owa", ascending=False, kind="stable")
    widest = 2.0

    def fill(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (owa, quoted) in enumerate(zip(both["owa"], both["quoted"], strict=True)):
            axes.barh(place, min(owa, widest), facecolor="white" if quoted else "0.45", edgecolor="0.2", lw=0.7,
                      hatch="////" if quoted else None)
            axes.text(min(owa, widest) + 0.01, place, f"{owa:.3f}", va="center", fontsize=8)
        axes.axvline(1.0, color="0.7", lw=0.8, ls=":", zorder=0)
        axes.set_yticks(range(len(both)), list(both["model"]))
        axes.set_ylim(-0.7, len(both) - 0.3)
        axes.set_xlim(0.0, widest + 0.15)
        axes.set_xlabel(f"OWA: 1 is the naive forecast, less is better; bars end at {widest:g}")

    return fill


def page(board: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """Return the page: what it teaches and the numbers beside the published ones."""
    published = pd.read_csv(PUBLISHED / "m4_weekly.csv").assign(model=lambda t: t["model"] + " *quoted*")
    both = pd.concat([board.merge(seconds, on="model"), published]).sort_values("owa", kind="stable")
    best = board.sort_values("owa").iloc[0]
    single = board[board["model"].isin(list(SINGLE))].sort_values("owa").iloc[0]
    return "\n".join([
        "# M4 Weekly: one small model for 359 series, or one each\n",
        "sMAPE (%), MASE and OWA over 359 series × 13 weeks; rows marked *quoted* are the organisers' figures, all "
        "others come from this run.\n",
        pictured("OWA of each row; hatched bars are quoted."),
        f"**What it teaches.** Best of ours: {best['model']}, OWA {best['owa']:.3f}, below "
        f"{int((published['owa'] > best['owa']).sum())} of {len(published)} quoted rows; the best single model is "
        f"{single['model']}, OWA {single['owa']:.3f}. No single model rules 359 series of so many kinds: letting each "
        "series weigh all rows by their errors on its own last 13 training weeks costs a second fit of each and no "
        "judgement. Weights shared by all series, with a level and a scale for each, cost less than a fit of each "
        "series; whether they also forecast better is in the rows *pooled* against *of each series*.\n",
        markdown(both[["model", "smape", "mase", "owa", "seconds"]])])


if __name__ == "__main__":
    main()
