"""Do p-values bootstrapped under the VAR hold their size? python -m benchmarks.size_bootstrap [SEEDS]

An AR(1) with coefficient 0.7: the VAR is the truth and no RNN can beat it. How often do textbook tests and bootstrapped
ones say that one does? One series drawn from the fitted VAR for each seed, the statistics of all drawn series in one
distribution: the warp-speed method of Giacomini, Politis and White (2013), Econometric Theory 29, which costs two fits
a seed where B = 99 costs a hundred. The critical value is then as uncertain as the share beyond it, which doubles the
variance of that share: 400 seeds leave a standard error of 1.5 points at 5 %. The first run had 400 and drew from the
VAR as fitted. TanhRNN against VAR(1) came to 12.5 %, most of it chance: pooled with 1,000 more series and as many drawn
ones, those 400 included, it was 5.9 %. Stop and run again to resume.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.writing import LOOKS, Draw, markdown, pictured, write
from varnn.comparison.null_bootstrap import FEW_PATHS, NULL, tasks_under
from varnn.estimate.numerics.threads import one_thread
from varnn.evaluate.backtest import Task, backtest
from varnn.evaluate.significance.pairwise import clark_west, diebold_mariano
from varnn.evaluate.tables import Losses
from varnn.evaluate.windows import Windows
from varnn.forecaster import Forecaster
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.series import FloatArray, Series

COEFFICIENT, TRAINING, ORIGINS, BURN = 0.7, 60, 40, 50
NULLS: dict[str, Forecaster] = {"VAR(1)": VAR(lags=1), "VAR by AIC": VAR()}
RNNS: dict[str, Forecaster] = {"LinearRNN": LinearRNN(), "TanhRNN": TanhRNN()}
LEVELS = (0.05, 0.10)
KINDS = ("Diebold–Mariano, textbook", "Clark–West, textbook", "Clark–West", "Diebold–Mariano, bootstrapped")


def task_of(seed: int) -> Task:
    """Return the task of a seed: a series of 100 rows, estimation on 60, 40 one-step forecasts."""
    y = np.random.default_rng(seed).standard_normal(BURN + TRAINING + ORIGINS)
    for t in range(1, len(y)):
        y[t] += COEFFICIENT * y[t - 1]
    windows = Windows(horizon=1, first=TRAINING, refit=ORIGINS)
    return Task(series=Series.of(y[BURN:]), exog=None, windows=windows, seed=seed, n_paths=FEW_PATHS)


def errors_of(models: dict[str, Forecaster], task: Task) -> dict[str, FloatArray]:
    """Return the one-step errors (o,) of each model."""
    losses = Losses.of(backtest(models, task, {"names": ["y"], "windows": {"step": 1}}))
    return {model: losses.error[i, :, 0, 0] for i, model in enumerate(losses.models)}


def one_seed(seed: int) -> dict[str, FloatArray]:
    """Return errors on the series of a seed and on one series drawn from each null fitted to it."""
    task = task_of(seed)
    out = errors_of({**NULLS, **RNNS}, task)
    for name, null in NULLS.items():
        drawn = tasks_under(task, {NULL: null}, 9)[0]
        found = errors_of({name: null, **RNNS}, drawn)
        out |= {f"{model} under {name}": error for model, error in found.items()}
    return out


def observed(seed: int) -> FloatArray:
    """Return the observations (o,) that the series of a seed is judged on, in units of the errors."""
    task = task_of(seed)
    return np.asarray(task.series.values[TRAINING:, 0] / task.kept_scales[1, 0])


def rates(seeds: list[dict[str, FloatArray]]) -> pd.DataFrame:
    """Return how often each test rejects that the VAR is as good, one row a null, model, test and level."""
    rows = []
    for null in NULLS:
        for model in RNNS:
            pairs, scaled = [(one[model], one[null]) for one in seeds], [observed(seed) for seed in range(len(seeds))]
            tests = [diebold_mariano(mine**2, theirs**2, alternative="first") for mine, theirs in pairs]
            drawn = np.array([diebold_mariano(one[f"{model} under {null}"] ** 2, one[f"{null} under {null}"] ** 2
                                              ).statistic for one in seeds])
            pvalues = {
                KINDS[0]: [test.pvalue for test in tests],
                KINDS[1]: [clark_west(theirs, mine).pvalue for mine, theirs in pairs],
                KINDS[2]: [clark_west(theirs, mine, forecast=y - theirs).pvalue
                           for (mine, theirs), y in zip(pairs, scaled, strict=True)],
                KINDS[3]: [(1 + (drawn <= test.statistic).sum()) / (1 + len(drawn)) for test in tests]}
            for test, found in pvalues.items():
                for level in LEVELS:
                    rate, sources = float(np.mean(np.array(found) <= level)), 2 if test == KINDS[3] else 1
                    rows.append({"null": null, "model": model, "test": test, "level": level, "rate": rate,
                                 "standard error": np.sqrt(sources * rate * (1 - rate) / len(seeds)),
                                 "lower RMSE, %": 100 * np.mean([1 - np.sqrt((a**2).mean() / (b**2).mean())
                                                                 for a, b in pairs])})
    return pd.DataFrame(rows)


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws the rejection rates at both levels."""

    def fill(figure: Figure) -> None:
        for axes, level in zip(np.ravel(figure.subplots(1, len(LEVELS), sharey=True)), LEVELS, strict=True):
            part = board[board["level"] == level]
            labels = list(dict.fromkeys(f"{row['model']} against {row['null']}" for _, row in part.iterrows()))
            for look, (shift, kind) in zip(LOOKS, zip((0.27, 0.09, -0.09, -0.27), KINDS, strict=True), strict=False):
                mine = part[part["test"] == kind]
                places = np.arange(len(labels))[::-1] + shift
                axes.errorbar(mine["rate"], places, xerr=2 * mine["standard error"], fmt=look["marker"],
                              color=look["color"], capsize=2, label=kind)
            axes.axvline(level, color="0.6", lw=1, zorder=0)
            axes.set_yticks(np.arange(len(labels))[::-1], labels)
            axes.set_xlim(left=0.0)
            axes.set_xlabel("share of series on which the test rejects")
            axes.set_title(f"nominal {100 * level:g} %")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)

    return fill


def page(board: pd.DataFrame, count: int) -> str:
    """Return the page: what it teaches, and the numbers."""
    five = board[board["level"] == LEVELS[0]]
    said = []
    for (null, model), part in five.groupby(["null", "model"], sort=False):
        rate = part.set_index("test")["rate"]
        said.append(f"* {model} against {null}: at 5 %, " + ", ".join(
            f"{kind} rejects on {100 * rate[kind]:.1f} %" for kind in KINDS)
            + f"; its RMSE is lower by {part['lower RMSE, %'].iloc[0]:.1f} % on average.")
    return "\n".join([
        "# p-values bootstrapped under the VAR: do they hold their size?\n",
        f"{count} series y_t = {COEFFICIENT} y_(t-1) + e_t, {TRAINING} rows to estimate on, {ORIGINS} one-step "
        "forecasts each. The truth is a VAR, so a test of level α should say that an RNN knows more on a share α of "
        "the series. All tests are one-sided: the RNN is the better one. Clark–West as boards use it is freed of the "
        "VAR's errors of level and of proportion. For each seed one series is drawn from the VAR fitted to it, its "
        "lags freed of their small-sample bias, and the statistics of all drawn series make one distribution "
        "(Giacomini, Politis and White 2013, Econometric Theory 29), whose own error is in the standard error.\n",
        pictured("Share of series on which each test rejects a true null, with two Monte Carlo standard errors."),
        "**What it teaches.**\n", *said, "",
        "A VAR whose order is chosen by AIC has surplus lags on some series, and a model that shrinks them forecasts "
        "better than it: to find that is no error, but it is no news about the process either.\n",
        markdown(board)])


def main() -> None:
    """Run what is not yet run, and write the board."""
    begun, count = time.perf_counter(), int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    folder = Path("out") / "size_bootstrap"
    folder.mkdir(parents=True, exist_ok=True)
    seeds = []
    with one_thread():
        for seed in range(count):
            path = folder / f"{seed}.npz"
            if not path.exists():
                np.savez(path.with_suffix(".part.npz"), **one_seed(seed))
                path.with_suffix(".part.npz").rename(path)
            with np.load(path) as kept:
                seeds.append(dict(kept))
            if seed % 25 == 24:
                print(f"{seed + 1} of {count}, {time.perf_counter() - begun:.0f} s", flush=True)
    board, before = rates(seeds), folder / "seconds.txt"
    spent = time.perf_counter() - begun + (float(before.read_text()) if before.exists() else 0.0)
    before.write_text(f"{spent:.0f}")
    seconds = pd.DataFrame({"seeds": [count], "seconds": [spent]})
    write("size_bootstrap", board, seconds, page(board, count), f"python -m benchmarks.size_bootstrap {count}", spent,
          draw=draw(board), size=(9.0, 4.0))


if __name__ == "__main__":
    main()
