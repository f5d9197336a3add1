"""Recurrent networks fitted from start to finish, against darts and neuralforecast in one run, with held-out errors.

    python -m benchmarks.speed.recurrent --with darts=/path/to/python --with nixtla=/path/to/python

Eight data sets: three series, one nonlinear process each, 200 rows to fit on and 200 more for one-step forecasts from
every row.  The first work is the automatic `TanhRNN().fit(y).forecast(8)`, lags, widths and starts searched, intervals
ready, against one fit and forecast of each peer at 100 epochs.  The second is one of many independent fits of 16 tanh
units, on as many cores for both; its steps and penalty were picked on data sets 1000 … 1059.  Seconds are processor
seconds, medians over the data sets after a fit that warms up; errors are root mean squares in standard deviations of
the rows fitted on.  Peers run this file in their own interpreter, where varnn need not be installed.  Writes
benchmarks/results/speed/recurrent.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS, K, SETS, UNITS, EPOCHS = 200, 3, 8, 16, (10, 20, 40, 100)
STEPS, PENALTY, BATCH = 14, 5.0, 400  # of our fits with fixed settings
Outcome = dict[str, list[float]]


def process(seed: int) -> np.ndarray:
    """Return 2 · ROWS rows of y_t = tanh(A y_{t-1}) + .3 e_t, in standard deviations of the first ROWS."""
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(K, K)), np.zeros((2 * ROWS + 1, K))
    for t in range(1, len(y)):
        y[t] = np.tanh(A @ y[t - 1]) + 0.3 * random.normal(size=K)
    y = y[1:]
    return (y - y[:ROWS].mean(axis=0)) / y[:ROWS].std(axis=0)


def judged(fit: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]) -> Outcome:
    """Fit each data set, `fit(rows)` returning a forecaster of rows ROWS … from all rows; seconds and errors."""
    fit(process(99)[:ROWS])
    found: Outcome = {"seconds": [], "rmse": []}
    for seed in range(SETS):
        y = process(seed)
        begun = time.process_time()
        forecast = fit(y[:ROWS])
        found["seconds"].append(time.process_time() - begun)
        found["rmse"].append(float(np.sqrt(np.mean((forecast(y) - y[ROWS:]) ** 2))))
    return found


# --- the peers, in their own interpreters -----------------------------------------------------------------------


QUIET = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False, "logger": False,
         "enable_checkpointing": False}


def darts() -> dict[str, Outcome]:
    """RNNModel with its defaults but for the epochs; and with UNITS units and a tenfold learning rate."""
    from darts import TimeSeries
    from darts.models import RNNModel

    def one(epochs: int, **options: Any) -> Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]:
        def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
            model = RNNModel(input_chunk_length=12, training_length=24, model="RNN", n_epochs=epochs, random_state=0,
                             pl_trainer_kwargs=QUIET, **options)
            series = TimeSeries.from_values(rows.astype(np.float32))
            model.fit(series, verbose=False)
            model.predict(8, verbose=False)

            def forecast(y: np.ndarray) -> np.ndarray:
                whole = TimeSeries.from_values(y.astype(np.float32))
                made = model.predict(1, series=[whole[t - 24 : t] for t in range(ROWS, 2 * ROWS)], verbose=False)
                return np.array([one.values()[0] for one in made])

            return forecast
        return fit

    small = {"hidden_dim": UNITS, "optimizer_kwargs": {"lr": 1e-2}}
    return {"darts RNNModel, defaults, 100 epochs": judged(one(100)),
            **{f"darts RNNModel, {UNITS} units, {epochs} epochs": judged(one(epochs, **small)) for epochs in EPOCHS}}


def nixtla() -> dict[str, Outcome]:
    """neuralforecast's RNN with its defaults but for the steps (one step sees all series); and with UNITS units."""
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import RNN

    def long(rows: np.ndarray) -> pd.DataFrame:
        return pd.concat([pd.DataFrame({"unique_id": f"s{j}", "ds": np.arange(len(rows)), "y": rows[:, j]})
                          for j in range(K)])

    def one(**options: Any) -> Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]:
        def model(horizon: int) -> NeuralForecast:
            return NeuralForecast([RNN(h=horizon, max_steps=100, random_seed=0, **options, **QUIET)], freq=1)

        def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
            fitted = model(8)
            fitted.fit(long(rows))
            fitted.predict()

            def forecast(y: np.ndarray) -> np.ndarray:  # its horizon is fixed when it is fitted: one for one step
                table = model(1).cross_validation(long(y), n_windows=ROWS, step_size=1, refit=False)
                wide = table.reset_index().pivot_table(index="ds", columns="unique_id", values="RNN")
                return wide.to_numpy()

            return forecast
        return fit

    small = {"input_size": 12, "encoder_n_layers": 1, "encoder_hidden_size": UNITS, "decoder_layers": 1,
             "decoder_hidden_size": UNITS, "learning_rate": 1e-2}
    return {"neuralforecast RNN, defaults, 100 epochs": judged(one()),
            f"neuralforecast RNN, {UNITS} units, 100 epochs": judged(one(**small))}


PEERS = {"darts": darts, "nixtla": nixtla}


def as_peer(name: str) -> None:
    """Run a peer and print what it found."""
    import logging

    import torch

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # the peers' own
    torch.set_num_threads(1)
    print("RESULT" + json.dumps(PEERS[name]()))


# --- ours, and the rows -----------------------------------------------------------------------------------------


def automatic() -> Outcome:
    """Everything searched, forecasts with intervals eight steps ahead."""
    from varnn import TanhRNN
    from varnn.estimate.tanh import search

    def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        found = TanhRNN().fit(rows)
        found.forecast(8).interval()
        return lambda y: found._one_step(y, None)[ROWS:]

    before, search.WORKERS = search.WORKERS, 1  # processor seconds are those of one thread
    try:
        return judged(fit)
    finally:
        search.WORKERS = before


def fixed() -> Outcome:
    """Sixteen tanh units, fixed settings, `BATCH` fits at once on two threads; `wall` is seconds a fit by the clock."""
    from varnn.estimate.numerics.lbfgs import Network, descend_many
    from varnn.estimate.tanh.design import Design

    def network(rows: np.ndarray) -> Network:
        X = np.hstack([np.ones((len(rows) - 1, 1)), rows[:-1]])
        Y = np.ascontiguousarray(rows[1:])
        return Network.of(Design(X[:, :1], X, Y, Y, np.zeros(K), UNITS))

    many = [network(process(seed)[:ROWS]) for seed in range(BATCH)]
    starts = [one.start(np.random.default_rng(seed)) for seed, one in enumerate(many)]
    seconds, wall = [], []
    for _ in range(6):
        begun, clock = time.process_time(), time.perf_counter()
        fits = descend_many(many, starts, steps=STEPS, penalty=PENALTY, workers=2)
        seconds.append((time.process_time() - begun) / BATCH)
        wall.append((time.perf_counter() - clock) / BATCH)
    errors = []
    for seed in range(SETS):
        y = process(seed)
        whole = network(y)
        forecasts = whole.forecasts(fits[seed].theta)[ROWS - 1 :]
        errors.append(float(np.sqrt(np.mean((forecasts - y[ROWS:]) ** 2))))
    return {"seconds": seconds[1:], "wall": wall[1:], "rmse": errors}


def rows(found: dict[str, Outcome]) -> list[dict[str, Any]]:
    """Return the lines of the table."""
    seconds = {name: float(np.median(one["seconds"])) for name, one in found.items()}
    rmse = {name: float(np.sqrt(np.mean(np.square(one["rmse"])))) for name, one in found.items()}

    def line(work: str, own: str, peer: str, target: float | None) -> dict[str, Any]:
        ratio = seconds[peer] / seconds[own]
        met = None if target is None else bool(ratio >= target and rmse[own] <= rmse[peer])
        return {"work": work, "peer": peer, "ours_s": seconds[own], "peer_s": seconds[peer], "ratio": ratio,
                "target": target, "ours_rmse": rmse[own], "peer_rmse": rmse[peer], "met": met}

    auto, batch = "automatic fit, forecast and intervals, T=200, k=3", "one of 400 independent fits, T=200, k=3, n=16"
    epochs = {f"darts RNNModel, {UNITS} units, {count} epochs": count for count in EPOCHS}
    best = min(epochs, key=lambda name: rmse.get(name, np.inf))
    lines = [line(auto, "varnn TanhRNN, automatic", name, 5.0) for name in found
             if name.startswith(("darts", "neuralforecast")) and "100 epochs" in name]
    targets = {best: 100.0, f"darts RNNModel, {UNITS} units, 100 epochs": 350.0}
    return lines + [line(batch, "varnn tanh, 16 units", name, targets.get(name)) for name in epochs if name in found]


def main() -> None:
    """Let the peers run, run ours, write the rows."""
    from benchmarks.speed.var import machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="others", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "speed")
    options = parser.parse_args()
    alone = {**os.environ, **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    found = {"varnn TanhRNN, automatic": automatic(), "varnn tanh, 16 units": fixed()}
    for peer, python in (other.split("=", 1) for other in options.others):
        ran = subprocess.run([python, __file__, peer], capture_output=True, text=True, check=True, env=alone)
        text = next(line for line in ran.stdout.splitlines() if line.startswith("RESULT"))
        found |= json.loads(text.removeprefix("RESULT"))
    lines = rows(found)
    for line in lines:
        print({name: round(value, 5) if isinstance(value, float) else value for name, value in line.items()})
    about = machine() | {"command": "python -m benchmarks.speed.recurrent --with darts=… --with nixtla=…", "seed": 0}
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"rows": lines, "runs": found, "machine": about}, indent=1)
    (options.out / "recurrent.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in PEERS:
        as_peer(sys.argv[1])
    else:
        main()
