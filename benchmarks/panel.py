"""200 short series of one process: do shared weights forecast better than a fit of each? `python -m benchmarks.panel`.

Each series has a level and a scale of its own and 60 rows to learn from; the next four are forecast. The oracle knows
process, level and scale. Errors are divided by the scale, so that every series counts alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.writing import LOOKS, Draw, markdown, pictured, write
from varnn.forecaster import Forecaster
from varnn.models.rung0_naive import Drift, Mean, Naive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.wrap_panel import Panel, Sharing
from varnn.series import FloatArray

SERIES, ROWS, H, BURN, SEEDS = 200, 60, 4, 50, 2
PATHS = 20_000  # behind the oracle's means beyond one step
Step = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def sign(y: FloatArray, e: FloatArray, past: FloatArray) -> FloatArray:
    """y_t = sign(y_{t-1}) + e_t (anchors: SGN)."""
    return np.asarray(np.sign(y) + e)


def bent(y: FloatArray, e: FloatArray, past: FloatArray) -> FloatArray:
    """y_t = 2 tanh(1.5 y_{t-1}) - 0.6 y_{t-1} + e_t."""
    return np.asarray(2.0 * np.tanh(1.5 * y) - 0.6 * y + e)


def arma(y: FloatArray, e: FloatArray, past: FloatArray) -> FloatArray:
    """y_t = 0.7 y_{t-1} + e_t + 0.6 e_{t-1}, a linear RNN."""
    return np.asarray(0.7 * y + e + 0.6 * past)


PROCESSES: dict[str, Step] = {"sign": sign, "tanh": bent, "ARMA(1,1)": arma}
MODELS: list[tuple[str, Forecaster, Sharing]] = [
    ("Naive", Naive(), "local"), ("Mean", Mean(), "local"), ("Drift", Drift(), "local"),
    ("VAR of each", VAR(lags="aic"), "local"), ("VAR shared", VAR(lags="aic"), "global"),
    ("LinearRNN of each", LinearRNN(), "local"), ("LinearRNN shared", LinearRNN(), "global"),
    ("TanhRNN of each", TanhRNN(), "local"), ("TanhRNN shared", TanhRNN(), "global")]


def draw_panel(step: Step, seed: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return series (B, T + h) in units of their own, levels and scales (B,), and the oracle's means (B, h)."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((SERIES, BURN + ROWS + H))
    y = np.zeros_like(e)
    for t in range(1, e.shape[1]):
        y[:, t] = step(y[:, t - 1], e[:, t], e[:, t - 1])
    origin = BURN + ROWS - 1
    now, past = np.repeat(y[:, origin, None], PATHS, axis=1), np.repeat(e[:, origin, None], PATHS, axis=1)
    oracle = np.empty((SERIES, H))
    for h in range(H):
        shocks = rng.standard_normal((1, PATHS // 2))
        shocks = np.broadcast_to(np.hstack([shocks, -shocks]), now.shape)
        oracle[:, h] = step(now, np.zeros_like(now), past).mean(axis=1)
        now, past = step(now, shocks, past), shocks
    levels, scales = rng.normal(0, 100, SERIES), np.exp(rng.normal(0, 1, SERIES))
    return levels[:, None] + scales[:, None] * y[:, BURN:], levels, scales, oracle


def main() -> None:
    """Run the board and write it."""
    begun, rows, spent = time.perf_counter(), [], dict.fromkeys([label for label, _, _ in MODELS], 0.0)
    with threadpool_limits(1):
        for name, step in PROCESSES.items():
            for seed in range(SEEDS):
                y, levels, scales, oracle = draw_panel(step, seed)
                ahead = (y[:, ROWS:] - levels[:, None]) / scales[:, None]
                losses = {"oracle": ((ahead - oracle) ** 2, np.nan)}
                train = {f"s{i}": part[:ROWS] for i, part in enumerate(y)}
                for label, model, sharing in MODELS:
                    start = time.process_time()
                    fits = Panel(model=model, sharing=sharing).fit(train, rng=seed)
                    spent[label] += time.process_time() - start
                    made = [fit.forecast(H, n_paths=400, rng=seed) for fit in fits.values()]
                    points = (np.array([one.point[:, 0] for one in made]) - levels[:, None]) / scales[:, None]
                    low, high = (np.array([np.quantile(one.paths[:, :, 0], q, axis=0) for one in made])
                                 for q in (0.05, 0.95))
                    held = float(((y[:, ROWS:] >= low) & (y[:, ROWS:] <= high)).mean())
                    losses[label] = (ahead - points) ** 2, held
                for label, (loss, held) in losses.items():
                    rows.append({"process": name, "seed": seed, "model": label, "mse": loss.mean(),
                                 "mse one step": loss[:, 0].mean(), "held by 90 %": held})
                    print(rows[-1], flush=True)
    board = pd.DataFrame(rows)
    seconds = pd.DataFrame({"model": list(spent), "seconds a panel": np.array(list(spent.values()))
                            / (SEEDS * len(PROCESSES))})
    print(write("panel", board, seconds, page(board, seconds), "python -m benchmarks.panel",
                time.perf_counter() - begun, draw=draw(board), size=(9.0, 4.2)))


def summary(board: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return means over the seeds, one row a model and one column a process."""
    wide = board.pivot_table(index="model", columns="process", values=column, sort=False)
    return wide.reindex(["oracle", *(label for label, _, _ in MODELS)])


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws the mean square error above the oracle's, one panel a process."""
    table = summary(board, "mse")
    excess = table.sub(table.loc["oracle"]).drop(index="oracle")

    def fill(figure: Figure) -> None:
        for number, (axes, name) in enumerate(zip(np.ravel(figure.subplots(1, len(PROCESSES), sharey=True)), PROCESSES,
                                                  strict=True)):
            values, places = excess[name].to_numpy(), np.arange(len(excess))[::-1]
            shared = excess.index.str.endswith("shared")
            for mask, look, label in ((shared, LOOKS[1], "shared"), (~shared, LOOKS[0], "of each")):
                axes.plot(values[mask], places[mask], color=look["color"], marker=look["marker"], ls="", label=label)
            axes.set_yticks(places, list(excess.index))
            axes.set_xlim(left=0.0)
            axes.set_title(name)
            axes.set_xlabel("MSE above the oracle's")
            if not number:
                axes.legend()

    return fill


def page(board: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """Return the page: what it teaches, and the numbers."""
    mse, first, held = (summary(board, column) for column in ("mse", "mse one step", "held by 90 %"))
    gains = []
    for name in PROCESSES:
        best = mse[name].drop("oracle").idxmin()
        pairs = ", ".join(f"{rung} {100 * (1 - mse[name][f'{rung} shared'] / mse[name][f'{rung} of each']):.1f} %"
                          for rung in ("VAR", "LinearRNN", "TanhRNN"))
        gains.append(f"* {name}: shared weights lower the mean square error of a fit of each by {pairs}; the best row "
                     f"is {best}.")
    return "\n".join([
        "# One process, 200 short series: weights for all or for each\n",
        f"{SERIES} series of {ROWS} rows with levels and scales of their own, {SEEDS} panels of each process; the next "
        f"{H} values are forecast. Mean square errors in units of each series' scale. The oracle knows the process, "
        "the level and the scale, which no model does.\n",
        pictured("Mean square error over four steps above that of the oracle."),
        "**What it teaches.**\n", *gains, "",
        "Mean square error, four steps:\n", markdown(mse.reset_index()), "",
        "One step:\n", markdown(first.reset_index()), "",
        "Share of outcomes inside 90 % intervals:\n", markdown(held.drop(index="oracle").reset_index()), "",
        "Processor seconds to fit one panel:\n", markdown(seconds)])


if __name__ == "__main__":
    main()
