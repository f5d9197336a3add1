"""What does a shrunken VAR cost beside the Bank of England's? `python -m benchmarks.speed.shrunk [--with-bvar PATH]`.

Random walks with correlated changes; processor seconds of one fit on one thread, medians of three (one for 100 series),
in one process and interleaved: 5 lags, lags chosen by the marginal likelihood, `bvar` with 5 lags and its numpy
optimiser (`pip install --target PATH --no-deps bvar tqdm`). Writes benchmarks/results/speed/shrunk.csv.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.writing import machine
from varnn.models.rung1_shrunk import ShrunkVAR

OUT = Path(__file__).parents[1] / "results" / "speed" / "shrunk.csv"
SIZES = [(k, T) for k in (3, 7, 20, 100) for T in (250, 800)]
TARGETS = {3: 0.02, 7: 0.02, 20: 0.1, 100: 1.0}
LARGEST_FOR_PEER = 20  # with 100 series its differences take minutes


def walks(k: int, T: int) -> pd.DataFrame:
    """Return k random walks."""
    rng = np.random.default_rng(0)
    mix = np.eye(k) + 0.3 * rng.standard_normal((k, k)) / np.sqrt(k)
    values = np.cumsum(rng.standard_normal((T, k)) @ mix, axis=0) + 20
    return pd.DataFrame(values, index=pd.period_range("1800Q1", periods=T, freq="Q")).add_prefix("y")


def peer(y: pd.DataFrame) -> None:
    """Let the Bank of England's package choose hyper-parameters and find the posterior mean."""
    from bvar import BVAR, NaturalConjugate

    model: Any = BVAR(n_lags=5, model=NaturalConjugate(soc=True, sur=True), stationary=False, random_state=0)
    model.optimise_hyperparameters(y, optimisation_backend="numpy")
    model.sample(y, point_only=True, progressbar=False)


def main() -> None:
    """Time all sizes and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with-bvar", metavar="PATH")
    path, rows = parser.parse_args().with_bvar, []
    if path:
        sys.path.append(path)
    warnings.simplefilter("ignore")
    for k, T in SIZES:
        y = walks(k, T)
        jobs: dict[str, Callable[[pd.DataFrame], object]] = {"5 lags": ShrunkVAR(lags=5).fit,
                                                             "lags chosen": ShrunkVAR().fit}
        if path and k <= LARGEST_FOR_PEER:
            jobs["bvar"] = peer
        spent: dict[str, list[float]] = {name: [] for name in jobs}
        with threadpool_limits(1):
            for _ in range(3 if k <= LARGEST_FOR_PEER else 1):
                for name, job in jobs.items():
                    begun = time.process_time()
                    job(y)
                    spent[name].append(time.process_time() - begun)
        row: dict[str, Any] = {"k": k, "T": T, **{name: float(np.median(times)) for name, times in spent.items()}}
        row |= {"target": TARGETS[k], "ratio": row.get("bvar", np.nan) / row["5 lags"],
                "ratio, lags chosen": row.get("bvar", np.nan) / row["lags chosen"], "machine": machine()}
        rows.append(row)
        print(row, flush=True)
    pd.DataFrame(rows).to_csv(OUT, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
