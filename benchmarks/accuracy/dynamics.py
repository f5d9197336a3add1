"""Accuracy beyond the oracle-gap board: linear and nonlinear processes with known oracle, chaos, NARMA-10.

python benchmarks/accuracy/dynamics.py             writes benchmarks/results/accuracy/dynamics.csv

Everything is `TanhRNN()` on the training rows; excess is E|forecast − oracle|² / sigma² over 5,000 later rows.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd

import varnn
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN

RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy"
BURN, LATER = 300, 5000
Pair = tuple[np.ndarray, np.ndarray]


def run(n: int, seed: int, k: int, sd: float, mean, order: int = 1) -> Pair:  # type: ignore[no-untyped-def]
    """Simulate y_t = mean(past) + sd e_t; `mean` gets y and the innovations so far."""
    random = np.random.default_rng(seed)
    N = n + LATER + BURN
    y, m, e = np.zeros((N, k)), np.zeros((N, k)), sd * random.normal(size=(N, k))
    for t in range(order, N):
        m[t] = mean(y, e, t)
        y[t] = m[t] + e[t]
    return y[BURN:], m[BURN:]


def var2(n: int, seed: int) -> Pair:
    A1 = np.array([[0.5, 0.2, 0], [0, 0.4, 0.1], [0.1, 0, 0.3]])
    A2 = np.array([[-0.2, 0, 0.1], [0.1, 0.2, 0], [0, -0.1, 0.2]])
    return run(n, seed, 3, 1.0, lambda y, e, t: A1 @ y[t - 1] + A2 @ y[t - 2], 2)


def varma(n: int, seed: int) -> Pair:
    P = np.array([[0.6, 0.1, 0], [0, 0.5, 0.2], [0.1, 0, 0.4]])
    M = np.array([[0.5, 0, 0.1], [0.2, 0.6, 0], [0, 0.1, -0.5]])
    return run(n, seed, 3, 1.0, lambda y, e, t: P @ y[t - 1] + M @ e[t - 1])


def tanh_rnn(n: int, seed: int) -> Pair:
    """Eight hidden tanh units, three series."""
    fixed, h, k = np.random.default_rng(1234), 8, 3
    W = fixed.normal(size=(h, h)) * 0.5 / np.sqrt(h)
    X = fixed.normal(size=(h, k)) * 1.5
    V = fixed.normal(size=(k, h)) * 1.2 / np.sqrt(h)
    state = np.zeros(h)

    def mean(y: np.ndarray, e: np.ndarray, t: int) -> np.ndarray:
        nonlocal state
        state = np.tanh(W @ state + X @ y[t - 1])
        return V @ state

    return run(n, seed, k, 0.5, mean)


def threshold(n: int, seed: int) -> Pair:
    A, B = np.array([[0.7, 0.2], [-0.2, 0.5]]), np.array([[-0.5, 0.1], [0.3, 0.6]])
    low, high = np.array([0.5, 0]), np.array([-0.3, 0.2])
    return run(n, seed, 2, 0.5, lambda y, e, t: low + A @ y[t - 1] if y[t - 1, 0] <= 0.3 else high + B @ y[t - 1])


def steep_threshold(n: int, seed: int) -> Pair:
    A, B = np.array([[0.8, -0.3], [0.2, 0.6]]), np.array([[-0.6, 0.4], [-0.1, 0.3]])
    return run(n, seed, 2, 0.7, lambda y, e, t: A @ y[t - 1] + 1 if y[t - 1, 0] < 0 else B @ y[t - 1] - 1)


ORACLES = {"VAR(2)": (var2, 500, 1.0), "VARMA(1,1)": (varma, 500, 1.0), "VARMA(1,1) long": (varma, 2000, 1.0),
           "tanh RNN": (tanh_rnn, 2000, 0.25), "threshold VAR": (threshold, 2000, 0.25),
           "threshold VAR, other": (steep_threshold, 2000, 0.49)}


def against_oracle(name: str, seed: int) -> list[dict[str, object]]:
    simulate, n, variance = ORACLES[name]
    y, oracle = simulate(n, 100 + seed)
    out: list[dict[str, object]] = []
    for model in (VAR(lags="aic"), LinearRNN(), TanhRNN()):
        began = time.perf_counter()
        fit = model.fit(y[:n])
        seconds = time.perf_counter() - began
        forecast = fit._one_step(y, None)[n:]
        out.append({"case": name, "seed": seed, "model": type(model).__name__, "measure": "MSE / oracle MSE",
                    "value": 1 + float(((forecast - oracle[n:]) ** 2).mean()) / variance, "seconds": round(seconds, 2)})
    return out


def lorenz_path(rows: int, seed: int, dt: float = 0.025) -> np.ndarray:
    """Lorenz-63 by fourth-order Runge-Kutta with ten inner steps, after 20 time units."""
    def slope(x: np.ndarray) -> np.ndarray:
        return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])

    x, inner = np.random.default_rng(seed).normal(size=3) + np.array([0, 0, 25.0]), dt / 10
    out = np.empty((rows + 800, 3))
    for t in range(len(out)):
        for _ in range(10):
            a = slope(x)
            b = slope(x + inner / 2 * a)
            c = slope(x + inner / 2 * b)
            d = slope(x + inner * c)
            x = x + inner / 6 * (a + 2 * b + 2 * c + d)
        out[t] = x
    return out[800:]


def lorenz(seed: int) -> list[dict[str, object]]:
    """400 training points, NRMSE over the next 44 steps, one Lyapunov time."""
    y = lorenz_path(444, seed)
    began = time.perf_counter()
    fit = TanhRNN().fit(y[:400])
    seconds = time.perf_counter() - began
    error = (fit._mean(44, None) - y[400:]) / y[:400].std(axis=0)
    return [{"case": "Lorenz-63", "seed": seed, "model": "TanhRNN", "measure": "NRMSE, one Lyapunov time",
             "value": float(np.sqrt((error**2).mean())), "seconds": round(seconds, 2)}]


def narma10(seed: int) -> list[dict[str, object]]:
    """y from the input alone: X holds u at lags 1 … 20, lags=0; train 2000, test 2000, wash-out 200."""
    u = np.random.default_rng(seed).uniform(0, 0.5, 4200)
    y = np.zeros(4200)
    for t in range(9, 4199):
        y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - 9 : t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
    X = pd.DataFrame({f"u{lag}": np.concatenate([np.zeros(lag), u[:-lag]]) for lag in range(1, 21)})
    began = time.perf_counter()
    fit = TanhRNN(lags=0).fit(y[:2200], X[:2200])
    seconds = time.perf_counter() - began
    forecast = fit._one_step(y[:, None], X.to_numpy())[2200:, 0]
    return [{"case": "NARMA-10", "seed": seed, "model": "TanhRNN(lags=0)", "measure": "NRMSE",
             "value": float(np.sqrt(((forecast - y[2200:]) ** 2).mean() / y[2200:].var())),
             "seconds": round(seconds, 2)}]


def mackey_glass(seed: int) -> list[dict[str, object]]:
    """3000 points, free-running 84 steps from 50 later origins; NRMSE84."""
    x = np.empty(60_000)
    x[:171] = 1.2 + 0.2 * (np.random.default_rng(seed).random(171) - 0.5)
    for t in range(170, len(x) - 1):
        x[t + 1] = x[t] + 0.1 * (0.2 * x[t - 170] / (1 + x[t - 170] ** 10) - 0.1 * x[t])
    y = x[10_000::10]
    began = time.perf_counter()
    fit = TanhRNN(max_lags=24).fit(y[:3000])
    seconds = time.perf_counter() - began
    errors = []
    for origin in range(3000, 4900, 38):
        moved = fit.update(pd.DataFrame({"y1": y[3000:origin]}, index=range(3000, origin))) if origin > 3000 else fit
        errors.append(moved._mean(84, None)[-1, 0] - y[origin + 83])
    return [{"case": "Mackey-Glass 17", "seed": seed, "model": "TanhRNN(max_lags=24)", "measure": "NRMSE84",
             "value": float(np.sqrt(np.mean(np.square(errors)) / y.var())), "seconds": round(seconds, 2)}]


def main() -> None:
    """Run the chosen cases and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    cases = {**{name: (lambda seed, name=name: against_oracle(name, seed)) for name in ORACLES},
             "Lorenz-63": lorenz, "NARMA-10": narma10, "Mackey-Glass 17": mackey_glass}
    for name in options.only or cases:
        table = pd.DataFrame([row for seed in range(options.seeds) for row in cases[name](seed)])
        summary = table.groupby(["case", "model"], sort=False)[["value", "seconds"]].agg(["median", "mean"])
        print(summary.to_string(), flush=True)
        table["varnn"], table["numpy"], table["python"] = varnn.__version__, np.__version__, platform.python_version()
        keep(table, options.out / "dynamics.csv")


def keep(table: pd.DataFrame, file: Path) -> None:
    """Write the cases of a table; they replace their old rows, the others stay."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        old = pd.read_csv(file)
        table = pd.concat([old[~old["case"].isin(table["case"])], table])
    table.to_csv(file, index=False, float_format="%.8g")


if __name__ == "__main__":
    main()
