"""How fast a fitted tanh RNN draws sample paths, against darts and GluonTS: `python -m benchmarks.speed.sampling`.

10,000 joint paths of 10 series over 24 steps, one thread, processor seconds, median of five calls after one to warm
up (one call where it takes over 20 s); ours includes the parameter draws. Peers run in interpreters of their own and
are trained for one epoch only, since only sampling is timed. Writes benchmarks/results/speed/sampling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
OUT = Path(__file__).parents[1] / "results" / "speed" / "sampling.json"
PATHS, STEPS, SERIES, UNITS, ROWS, REPEATS, SLOW = 10_000, 24, 10, 8, 400, 5, 20.0
PATIENCE = 150  # seconds for each contestant

DATA = f"""
import json, statistics, time, warnings
import numpy as np
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
y = rng.standard_normal(({ROWS}, {SERIES}))
W = rng.standard_normal(({SERIES}, {SERIES}))
W *= 0.8 / np.abs(np.linalg.eigvals(W)).max()
for t in range(1, {ROWS}):
    y[t] += 1.5 * np.tanh(W @ y[t - 1])
"""
TIMED = f"""
begun = time.process_time()
shape = draw()
first = time.process_time() - begun
seconds = [first] if first > {SLOW} else []
while len(seconds) < {REPEATS} and first <= {SLOW}:
    begun = time.process_time()
    shape = draw()
    seconds.append(time.process_time() - begun)
print("RESULT" + json.dumps({{"version": version, "seconds": statistics.median(seconds), "shape": list(shape)}}))
"""
OURS = f"""
import varnn
version = varnn.__version__
fit = varnn.TanhRNN(lags=1, width={UNITS}, starts=1).fit(y)
draw = lambda: fit.forecast({STEPS}, n_paths={PATHS}).paths.shape
"""
DARTS = f"""
import logging
logging.disable(logging.CRITICAL)
import darts, torch
torch.set_num_threads(1)
from darts import TimeSeries
from darts.models import RNNModel
from darts.utils.likelihood_models.torch import GaussianLikelihood
version = darts.__version__
series = TimeSeries.from_values(y.astype(np.float32))
model = RNNModel(model="RNN", hidden_dim={UNITS}, input_chunk_length=24, training_length=48, n_epochs=1,
                 likelihood=GaussianLikelihood(), random_state=0,
                 pl_trainer_kwargs={{"accelerator": "cpu", "enable_progress_bar": False, "logger": False}})
model.fit(series)
draw = lambda: model.predict({STEPS}, num_samples={PATHS}).all_values().shape
"""
GLUONTS = f"""
import logging
logging.disable(logging.CRITICAL)
import gluonts, pandas as pd, tempfile, torch
torch.set_num_threads(1)
from gluonts.dataset.common import ListDataset
from gluonts.torch import DeepAREstimator
version = gluonts.__version__
data = ListDataset([{{"start": pd.Period("2000-01-01", freq="D"), "target": y[:, j].astype(np.float32)}}
                    for j in range({SERIES})], freq="D")
estimator = DeepAREstimator(freq="D", prediction_length={STEPS}, context_length=24, lags_seq=[1], num_layers=1,
                            hidden_size={UNITS}, num_parallel_samples={PATHS}, num_batches_per_epoch=2,
                            trainer_kwargs={{"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False,
                                             "logger": False, "default_root_dir": tempfile.mkdtemp()}})
predictor = estimator.train(data)
draw = lambda: np.stack([one.samples for one in predictor.predict(data, num_samples={PATHS})]).shape
"""


def run(python: str, body: str) -> dict[str, object]:
    """Run one contestant in a process of its own; say what went wrong where it did not finish."""
    program, alone = DATA + body + TIMED, {**os.environ, **ONE_THREAD}
    try:
        found = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False,
                               env=alone)
    except subprocess.TimeoutExpired:
        return {"error": f"fitting and sampling did not end within {PATIENCE} s"}
    lines = [line for line in found.stdout.splitlines() if line.startswith("RESULT")]
    if not lines:
        return {"error": (found.stderr.strip().splitlines() or ["no output"])[-1]}
    return dict(json.loads(lines[-1].removeprefix("RESULT")))


def main() -> None:
    """Time all, write the file, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--darts", metavar="PYTHON", help="an environment with darts")
    parser.add_argument("--gluonts", metavar="PYTHON", help="an environment with gluonts and torch")
    args = parser.parse_args()
    rows = {"varnn TanhRNN": run(sys.executable, OURS)}
    if args.darts:
        rows["darts RNNModel"] = run(args.darts, DARTS)
    if args.gluonts:
        rows["GluonTS DeepAR"] = run(args.gluonts, GLUONTS)
    ours = rows["varnn TanhRNN"].get("seconds")
    for row in rows.values():
        if ours and "seconds" in row:
            row["times_ours"] = round(float(str(row["seconds"])) / float(str(ours)), 1)
            row["seconds"] = round(float(str(row["seconds"])), 4)
    task = f"{PATHS} paths, {STEPS} steps, {SERIES} series, {UNITS} tanh units, one thread, processor seconds"
    report = {"task": task,
              "command": "python -m benchmarks.speed.sampling --darts PYTHON --gluonts PYTHON",
              "machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__, "rows": rows,
              "note": "GluonTS' DeepAR samples the series one by one, not jointly; all networks have one width and "
                      "see one lag (DeepAR's own choice for daily data reaches back three years and took over 150 s)"}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(report, indent=2) + "\n")
    for name, row in rows.items():
        print(name, row)


if __name__ == "__main__":
    main()
