"""The oracle-gap board: share of the way from AR/VAR by AIC to E[y | past] that the automatic tanh RNN closes.

python benchmarks/accuracy/oracle_gap.py            writes benchmarks/results/accuracy/oracle_gap.csv
python benchmarks/accuracy/oracle_gap.py --only ARMA SGN --first 20 --reps 160 --name oracle_gap_more
                                                    the same on more seeds, where 20 leave a difference open

Eight processes of arXiv 2208.14919 (equations of Lee, White and Granger 1993), n = 1000, first 700 rows train, one-step
forecasts of the last 300, RMSE over all columns, seeds 0 … 19.  One specification, `TanhRNN()`, for every process.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import varnn
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN

N, TRAIN, REPS = 1000, 700, 20
RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy"
Pair = tuple[np.ndarray, np.ndarray]


def step_function(random: np.random.RandomState, mean: Callable[[float], float]) -> Pair:
    """y_t = mean(y_{t-1}) + e_t and its conditional mean."""
    y, oracle = np.zeros(N), np.zeros(N)
    for t in range(1, N):
        oracle[t] = mean(y[t - 1])
        y[t] = oracle[t] + random.randn()
    return y[:, None], oracle[:, None]


def arma(random: np.random.RandomState) -> Pair:
    """y_t = .1 y_{t-1} + .3 y_{t-2} + e_t − .4 e_{t-1}, sd 2, 50 rows of burn-in."""
    e, y = random.normal(0, 2.0, N + 50), np.zeros(N + 50)
    for t in range(N + 50):
        y[t] = e[t] + (0.1 * y[t - 1] - 0.4 * e[t - 1] if t > 0 else 0.0) + (0.3 * y[t - 2] if t > 1 else 0.0)
    y, seen, oracle = y[50:], np.zeros(N), np.zeros(N)
    for t in range(N):
        oracle[t] = (0.1 * y[t - 1] - 0.4 * seen[t - 1] if t > 0 else 0.0) + (0.3 * y[t - 2] if t > 1 else 0.0)
        seen[t] = y[t] - oracle[t]
    return y[:, None], oracle[:, None]


def bilinear(random: np.random.RandomState) -> Pair:
    """y_t = e_t − .4 e_{t-1} + .3 e_{t-2} + .5 e_{t-1} e_{t-2}."""
    e, oracle = random.randn(N), np.zeros(N)
    oracle[2:] = -0.4 * e[1:-1] + 0.3 * e[:-2] + 0.5 * e[1:-1] * e[:-2]
    y = e + oracle
    y[1] = e[1] - 0.4 * e[0]
    return y[:, None], oracle[:, None]


def varma(random: np.random.RandomState) -> Pair:
    """VARMA(1,1) of two series, 50 rows of burn-in."""
    A, M = np.array([[0.1, -0.2], [-0.2, 0.1]]), np.array([[-0.4, 0.2], [0.2, -0.4]])
    e, y = random.normal(0, 1.0, (N + 50, 2)), np.zeros((N + 50, 2))
    for t in range(N + 50):
        y[t] = e[t] + (A @ y[t - 1] + M @ e[t - 1] if t > 0 else 0.0)
    y, seen, oracle = y[50:], np.zeros((N, 2)), np.zeros((N, 2))
    for t in range(N):
        oracle[t] = A @ y[t - 1] + M @ seen[t - 1] if t > 0 else 0.0
        seen[t] = y[t] - oracle[t]
    return y, oracle


def transformed(random: np.random.RandomState, f: Callable[[float], float], mean: Callable[[np.ndarray], np.ndarray]
                ) -> Pair:
    """x an AR(1), y = f(x) + noise."""
    noise, e = random.randn(N), random.randn(N)
    x, y = np.zeros(N), np.zeros(N)
    x[0], y[0] = e[0], noise[0]
    for t in range(1, N):
        x[t] = 0.6 * x[t - 1] + e[t]
        y[t] = f(x[t]) + noise[t]
    before = np.concatenate([[0.0], x[:-1]])
    return np.column_stack([x, y]), np.column_stack([0.6 * before, mean(before)])


def simulate(rep: int) -> dict[str, Pair]:
    """All processes of one seed, in the order in which the paper draws them."""
    random = np.random.RandomState(rep)
    out = {
        "ARMA": arma(random),
        "TAR": step_function(random, lambda y: (0.9 if abs(y) <= 1 else -0.3) * y),
        "SGN": step_function(random, lambda y: float(np.sign(y))),
        "NAR": step_function(random, lambda y: 0.7 * abs(y) / (abs(y) + 2)),
        "bilinear MA": bilinear(random),
    }
    random = np.random.RandomState(rep)
    out["VARMA"] = varma(random)
    out["EXP"] = transformed(random, np.exp, lambda x: np.exp(0.6 * x + 0.5))
    out["SQ"] = transformed(random, np.square, lambda x: (0.6 * x) ** 2 + 1)
    return out


def rmse(forecast: np.ndarray, y: np.ndarray) -> float:
    """Root mean squared error over the test rows and all columns."""
    return float(np.sqrt(np.mean((forecast[TRAIN:] - y[TRAIN:]) ** 2)))


def judge(process: str, rep: int, y: np.ndarray, oracle: np.ndarray) -> list[dict[str, object]]:
    """One row a model."""
    most = 8 if y.shape[1] == 1 else 6
    rows: list[dict[str, object]] = [
        {"process": process, "rep": rep, "model": "oracle", "rmse": rmse(oracle, y), "seconds": 0.0, "chosen": ""},
        {"process": process, "rep": rep, "model": "train mean", "rmse": rmse(np.tile(y[:TRAIN].mean(0), (N, 1)), y),
         "seconds": 0.0, "chosen": ""}]
    for model in (VAR(lags="aic", max_lags=most), LinearRNN(), TanhRNN()):
        began = time.perf_counter()
        fit = model.fit(y[:TRAIN])
        seconds = time.perf_counter() - began
        width = getattr(fit, "width", 0) if isinstance(model, TanhRNN) else 0
        chosen = f"lags {getattr(fit, 'lags', 0)} width {width}" if isinstance(model, TanhRNN) else ""
        rows.append({"process": process, "rep": rep, "model": type(model).__name__,
                     "rmse": rmse(fit._one_step(y, None), y), "seconds": round(seconds, 3), "chosen": chosen})
    return rows


def board(table: pd.DataFrame) -> pd.DataFrame:
    """Mean RMSE of each model, share of the gap closed and excess over AR/VAR, all in percent."""
    mean = table.pivot_table(index="process", columns="model", values="rmse", sort=False)
    gap = mean["VAR"] - mean["oracle"]
    for model in ("LinearRNN", "TanhRNN"):
        mean[f"{model} gap closed %"] = 100 * (mean["VAR"] - mean[model]) / gap
        mean[f"{model} over VAR %"] = 100 * (mean[model] / mean["VAR"] - 1)
    return mean


def main() -> None:
    """Run the board and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=REPS)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--name", default="oracle_gap", help="of the files")
    parser.add_argument("--only", nargs="*", default=None, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for rep in range(options.first, options.first + options.reps):
        for process, (y, oracle) in simulate(rep).items():
            if options.only is None or process in options.only:
                rows += judge(process, rep, y, oracle)
    table = pd.DataFrame(rows)
    table["varnn"], table["numpy"], table["python"] = varnn.__version__, np.__version__, platform.python_version()
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / f"{options.name}.csv", index=False, float_format="%.10g")
    summary = board(table)
    summary.to_csv(options.out / f"{options.name}_board.csv", float_format="%.5g")
    print(summary.round(3).to_string())
    print(table.groupby("model")["seconds"].median().to_string())


if __name__ == "__main__":
    main()
