"""The linear RNN on US macrodata: its likelihood beside statsmodels' VARMAX, its forecasts beside the VAR.

python benchmarks/accuracy/macro_linear.py     adds to benchmarks/results/accuracy/macro_linear.csv what it lacks

All ten choices of three from five log-differenced series of statsmodels' `macrodata` (in percent).  Likelihood: the
exact Gaussian one of VARMA(1,1), `LinearRNN(lags=1, shrinkage=None, likelihood="exact")` and
`VARMAX(order=(1, 1)).fit(maxiter=200)`.  Forecasts: one step, refitted at each of the last 52 quarters, RMSE over all
columns in units of their standard deviation, with the p-value of Diebold and Mariano, and how much of the linear RNN's
RMSE, in percent of the VAR's, the quarter adds in which it does worst.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels
from statsmodels.datasets import macrodata
from statsmodels.tsa.statespace.varmax import VARMAX

import varnn
from varnn.evaluate.significance.pairwise import diebold_mariano
from varnn.forecaster import Forecaster
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN

RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy"
COLUMNS = ["realgdp", "realcons", "realinv", "realgovt", "realdpi"]
LAST = 52
PAIRS = {"lags=1": (VAR(lags=1), LinearRNN(lags=1)), "chosen lags": (VAR(), LinearRNN())}


def growth() -> pd.DataFrame:
    """Return 100 Δ log of the five series."""
    return 100 * np.log(macrodata.load_pandas().data[COLUMNS]).diff().dropna().reset_index(drop=True)


def likelihoods(y: pd.DataFrame) -> dict[str, object]:
    """Return what both reach, and the seconds."""
    with warnings.catch_warnings():  # both say where they stopped early; the columns below say so too
        warnings.simplefilter("ignore")
        began = time.process_time()
        ours = LinearRNN(lags=1, shrinkage=None, likelihood="exact").fit(y)
        between = time.process_time()
        peer = VARMAX(y, order=(1, 1)).fit(maxiter=200, disp=False)
        ended = time.process_time()
    return {"llf": ours.llf, "llf VARMAX": peer.llf, "ahead": ours.llf - peer.llf, "stop": ours.stop.name,
            "optima": len(ours.optima), "VARMAX converged": bool(peer.mle_retvals["converged"]),
            "seconds": round(between - began, 3), "seconds VARMAX": round(ended - between, 3)}


def rolling(y: pd.DataFrame, model: Forecaster) -> np.ndarray:
    """Return the mean squared one-step error of each of the last 52 quarters."""
    values = y.to_numpy()
    errors = [values[t] - model.fit(values[:t])._mean(1, None)[0] for t in range(len(values) - LAST, len(values))]
    return ((np.array(errors) / values.std(axis=0)) ** 2).mean(axis=1)


def compared(y: pd.DataFrame, name: str, below: Forecaster, model: Forecaster) -> dict[str, object]:
    """Return both RMSE, the p-value of a difference, and what the quarter worst for the linear RNN adds to it."""
    plain, memory = rolling(y, below), rolling(y, model)
    worst = int(np.argmax(memory - plain))
    without = np.delete(memory, worst).sum() + plain[worst]
    return {f"RMSE VAR, {name}": np.sqrt(plain.mean()), f"RMSE LinearRNN, {name}": np.sqrt(memory.mean()),
            f"p, {name}": diebold_mariano(memory, plain).pvalue,
            f"worst quarter %, {name}": 100 * (np.sqrt(memory.sum() / plain.sum()) - np.sqrt(without / plain.sum()))}


def main() -> None:
    """Run all choices of three and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    data, file = growth(), options.out / "macro_linear.csv"
    options.out.mkdir(parents=True, exist_ok=True)
    table = pd.read_csv(file) if file.exists() else pd.DataFrame({"series": []})
    for names in itertools.combinations(COLUMNS, 3):
        if " ".join(names) in set(table["series"]):  # delete the file to begin anew
            continue
        y = data[list(names)]
        row: dict[str, object] = {"series": " ".join(names), **likelihoods(y)}
        for name, (below, model) in PAIRS.items():
            row |= compared(y, name, below, model)
        row |= {"varnn": varnn.__version__, "statsmodels": statsmodels.__version__, "python": platform.python_version()}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        table.to_csv(file, index=False, float_format="%.10g")
        print(row, flush=True)


if __name__ == "__main__":
    main()
