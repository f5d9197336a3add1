"""Is the rung that `varnn.climb` chooses the one that made the series?  200 random series of 1000 rows.

python benchmarks/accuracy/rung_choice.py            writes benchmarks/results/accuracy/rung_choice.csv

67 VAR(p), 67 VARMA(1,1) and 66 tanh RNN series of one to three columns, parameters drawn anew for each.  A rung can
only be told from the one below where it matters, so that draws are repeated until ‖Φ + M‖ > 0.5 (at Φ = −M a VARMA is
white noise) and until the best VAR(4) leaves at least 10 % more error variance than the tanh RNN itself.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd

import varnn
from varnn.estimate.numerics.companion import companion
from varnn.models.rung1_var import VAR
from varnn.models.rung3_tanh import FittedTanhRNN

RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy"
N, BURN, LONG, NOISE = 1000, 300, 6000, 0.5
RUNGS = ("VAR", "LinearRNN", "TanhRNN")
Array = np.ndarray


def radius(matrix: Array) -> float:
    """Return the largest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def square(random: np.random.Generator, size: int, wanted: float) -> Array:
    """Return a Gaussian matrix scaled to a spectral radius."""
    matrix = random.normal(size=(size, size))
    return matrix * wanted / radius(matrix)


def var(random: np.random.Generator) -> Array:
    """VAR(p), p = 1 … 3, spectral radius .5 to .9."""
    k, p = random.integers(1, 4, size=2)
    lags = np.arange(1, p + 1)[:, None, None]
    A = random.normal(size=(p, k, k)) / lags
    A *= (random.uniform(0.5, 0.9) / radius(companion(A))) ** lags
    y, e = np.zeros((BURN + N, k)), random.normal(size=(BURN + N, k))
    for t in range(p, BURN + N):
        y[t] = np.einsum("pij,pj->i", A, y[t - p : t][::-1]) + e[t]
    return y[BURN:]


def varma(random: np.random.Generator) -> Array:
    """VARMA(1,1), spectral radius of Φ .3 to .9 and of M .5 to .9."""
    k = random.integers(1, 4)
    while True:
        Phi, M = square(random, k, random.uniform(0.3, 0.9)), square(random, k, random.uniform(0.5, 0.9))
        if np.linalg.norm(Phi + M, 2) > 0.5:
            break
    y, e = np.zeros((BURN + N, k)), random.normal(size=(BURN + N, k))
    for t in range(1, BURN + N):
        y[t] = Phi @ y[t - 1] + M @ e[t - 1] + e[t]
    return y[BURN:]


def tanh_rnn(random: np.random.Generator) -> Array:
    """s_t = tanh(W s_{t-1} + X y_{t-1} + b), y_t = V s_t + e_t with two to six units."""
    while True:
        k, n = random.integers(1, 4), random.integers(2, 7)
        W, X = square(random, n, random.uniform(0.0, 0.8)), 2.0 * random.normal(size=(n, k))
        V, b = 1.5 * random.normal(size=(k, n)) / np.sqrt(n), 0.5 * random.normal(size=n)
        y, oracle, e = np.zeros((LONG, k)), np.zeros((LONG, k)), NOISE * random.normal(size=(LONG, k))
        state = np.zeros(n)
        for t in range(1, LONG):
            state = np.tanh(W @ state + X @ y[t - 1] + b)
            oracle[t] = V @ state
            y[t] = oracle[t] + e[t]
        linear = VAR(lags=4).fit(y).fittedvalues.to_numpy()
        if np.mean((linear - oracle[-len(linear) :]) ** 2) > 0.1 * NOISE**2:
            return y[BURN : BURN + N]


def judge(seed: int) -> dict[str, object]:
    """Make one series and let the evidence choose."""
    made = RUNGS[seed % 3]
    y = dict(zip(RUNGS, (var, varma, tanh_rnn), strict=True))[made](np.random.default_rng(seed))
    began = time.process_time()
    found = varnn.climb(y)
    seconds = time.process_time() - began
    top = found.fits["TanhRNN"]
    assert isinstance(top, FittedTanhRNN)
    return {"seed": seed, "k": y.shape[1], "made by": made, "chosen": found.chosen,
            **{f"log evidence {rung}": top.rungs.get(rung) for rung in RUNGS}, "certainty": top.certainty,
            "cpu seconds": round(seconds, 2)}


def main() -> None:
    """Run the study and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    table = pd.DataFrame([judge(seed) for seed in range(options.first, options.first + options.series)])
    table["varnn"], table["numpy"], table["python"] = varnn.__version__, np.__version__, platform.python_version()
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "rung_choice.csv", index=False, float_format="%.8g")
    print(pd.crosstab(table["made by"], table["chosen"]).to_string())
    print(f"right: {100 * (table['made by'] == table['chosen']).mean():.1f} %; "
          f"median {table['cpu seconds'].median():.1f} CPU seconds")


if __name__ == "__main__":
    main()
