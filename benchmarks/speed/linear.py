"""How fast the linear RNN is against statsmodels' VARMAX, in one run: `python -m benchmarks.speed.linear`.

Writes benchmarks/results/speed/linear.json.  Both maximise the exact Gaussian likelihood of a VARMA(1,1) with a
constant, k = 3, until they say that they have converged; `llf_gain` is our log-likelihood less the peer's.  Seconds
are medians of processor time on one thread, timed ours, peer, ours, peer …
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels
from statsmodels.tsa.statespace.varmax import VARMAX
from threadpoolctl import threadpool_limits

import varnn
from varnn.models.rung2_linear import LinearRNN, fit_windows
from varnn.series import Series

OUT = Path(__file__).parents[1] / "results" / "speed" / "linear.json"
SEED = 5
PHI = np.array([[0.6, 0.1, 0.0], [0.0, 0.5, 0.2], [0.1, 0.0, 0.4]])
MA = np.array([[0.5, 0.0, 0.1], [0.2, 0.4, 0.0], [0.0, 0.1, -0.5]])


def simulated(T: int, seed: int = SEED) -> np.ndarray:
    """Return a VARMA(1,1) of three series."""
    e = np.random.default_rng(seed).normal(size=(T + 500, 3))
    y = np.zeros_like(e)
    for t in range(1, len(e)):
        y[t] = PHI @ y[t - 1] + e[t] + MA @ e[t - 1]
    return np.ascontiguousarray(y[500:])


def peer_fit(y: np.ndarray) -> Any:
    """Fit VARMAX(1,1) with its own defaults until it converges."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "VARMA is not generically robust"
        return VARMAX(y, order=(1, 1)).fit(disp=False, maxiter=1000)


def likelihood_fits() -> list[dict[str, Any]]:
    """Time plain maximum likelihood, and beside it the default fit shrunk by the evidence."""
    lines = []
    model, shrunk = LinearRNN(lags=1, shrinkage=None, likelihood="exact"), LinearRNN(lags=1, likelihood="exact")
    for T, inner in ((500, 4), (2_000, 4), (10_000, 2)):
        y = simulated(T)
        model.fit(y)
        seconds: dict[str, list[float]] = {"ours": [], "shrunk": [], "peer": []}
        for _ in range(5):
            for name, work, times in (("ours", model.fit, inner), ("shrunk", shrunk.fit, 1), ("peer", peer_fit, 1)):
                begin = time.process_time()
                for _ in range(times):
                    found = work(y)
                seconds[name].append((time.process_time() - begin) / times)
        ours = model.fit(y)
        median = {name: statistics.median(values) for name, values in seconds.items()}
        line = {"work": "VARMA(1,1) exact maximum likelihood", "T": T, "k": 3, "seconds": median["ours"],
                "seconds_shrunk": median["shrunk"], "peer_seconds": median["peer"],
                "ratio": median["peer"] / median["ours"], "target_ratio": 100, "llf": ours.llf, "peer_llf": found.llf,
                "llf_gain": ours.llf - found.llf, "stop": ours.stop.name,
                "peer_converged": bool(found.mle_retvals["converged"]), "repeats": 5}
        lines.append(line)
        print(f"T = {T:6d}: {1e3 * line['seconds']:8.1f} ms against {1e3 * line['peer_seconds']:9.1f} ms, "
              f"x {line['ratio']:6.0f}, log-likelihood {line['llf_gain']:+.5f}")
    return lines


def batch() -> dict[str, float]:
    """Time 40 expanding windows in one call, threads 1 and 2."""
    y = simulated(400)
    windows = [Series.of(y[:stop]) for stop in range(200, 400, 5)]
    model = LinearRNN(lags=1)
    found: dict[str, float] = {"windows": len(windows)}
    for threads in (1, 2):
        begin = time.perf_counter()
        fit_windows(model, windows, threads=threads)
        found[f"fits_a_second_{threads}_threads"] = len(windows) / (time.perf_counter() - begin)
    print(found)
    return found


def growth() -> list[dict[str, float]]:
    """Time one fit against T; near-linear growth keeps `nanoseconds_a_row` level once T is large."""
    model, lines = LinearRNN(lags=1, shrinkage=None), []
    for T in (1_000, 10_000, 100_000, 1_000_000):
        y = simulated(T)
        begin = time.process_time()
        model.fit(y)
        seconds = time.process_time() - begin
        lines.append({"T": T, "seconds": seconds, "nanoseconds_a_row": seconds / T * 1e9})
        print(f"T = {T:9,d}: {seconds * 1e3:9.1f} ms, {seconds / T * 1e9:8.0f} ns a row")
    return lines


def memory() -> dict[str, float]:
    """Return MiB that a fit of T = 1,000,000, k = 3 adds, measured in a process of its own."""
    code = ("from benchmarks.speed.linear import simulated; from varnn.models.rung2_linear import LinearRNN; "
            "model = LinearRNN(lags=1, shrinkage=None); model.fit(simulated(300)); y = simulated(1_000_000); "
            "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024; "
            "open('/proc/self/clear_refs', 'w').write('5'); before = peak(); fit = model.fit(y); "
            "print(y.nbytes / 2**20, peak() - before)")
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    used = {"input_mib": float(words[0]), "added_mib": float(words[1]), "allowed_mib": 4 * float(words[0]) + 150}
    print(f"T = 1,000,000, k = 3: input {used['input_mib']:.0f} MiB, fit adds {used['added_mib']:.0f} MiB")
    return used


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__,
            "statsmodels": statsmodels.__version__, "varnn": varnn.__version__, "blas_threads": 1,
            "load_average": os.getloadavg()[0], "command": "python -m benchmarks.speed.linear", "seed": SEED}


def main() -> None:
    """Run everything and write the results."""
    threadpool_limits(1)
    results: dict[str, Any] = {"machine": machine()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    for name, work in (("batch", batch), ("growth", growth), ("memory", memory), ("rows", likelihood_fits)):
        results[name] = work()
        OUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"results are in {OUT}")


if __name__ == "__main__":
    main()
