"""How fast the VAR is against statsmodels, in one run on one machine: `python -m benchmarks.speed.var`.

Writes benchmarks/results/speed/var.json. Every row is timed ours, peer, ours, peer … so that both meet the same
load; seconds are medians of processor time on one thread; `difference` is the largest relative difference found
between the two results.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels
from statsmodels.tsa.api import VAR as Peer
from threadpoolctl import threadpool_limits

import varnn
from varnn.estimate.least_squares.order import CRITERIA, search_orders
from varnn.estimate.least_squares.regression import fit_var, fit_windows
from varnn.estimate.least_squares.rolling import expanding_fits, one_step_forecasts

OUT = Path(__file__).parents[1] / "results" / "speed" / "var.json"
SEED = 0


def simulated(T: int, k: int, seed: int = SEED) -> np.ndarray:
    """Return a stationary VAR(2) around a mean of 3."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(T + 50, k))
    for t in range(2, T + 50):
        y[t] += 0.5 * y[t - 1] - 0.2 * y[t - 2, ::-1]
    return y[50:] + 3.0


def timed(ours: Callable[[], Any], peer: Callable[[], Any], repeats: int, inner: int = 1) -> tuple[float, float]:
    """Return median processor seconds of both, run in turn, `inner` times in a row each."""
    ours()
    peer()
    mine, theirs = [], []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(inner):
            ours()
        middle = time.process_time()
        for _ in range(inner):
            peer()
        mine.append((middle - start) / inner)
        theirs.append((time.process_time() - middle) / inner)
    return statistics.median(mine), statistics.median(theirs)


def row(work: str, size: str, target: float | None, repeats: int, seconds: tuple[float, float], difference: float,
        peer: str = "statsmodels VAR") -> dict[str, Any]:
    """Return one line of the table."""
    ours, theirs = seconds
    line = {"work": work, "size": size, "peer": peer, "ours_s": ours, "peer_s": theirs, "ratio": theirs / ours,
            "target": target, "repeats": repeats, "difference": difference}
    print(f"{work:52s} {size:34s} {ours * 1e3:10.3f} ms  {theirs * 1e3:10.1f} ms  ×{theirs / ours:7.1f} "
          f"(at least ×{target or 0:g})  {difference:.1e}")
    return line


def apart(one: Any, other: Any) -> float:
    """Largest difference relative to the largest value."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return float(np.abs(a - b).max() / np.abs(b).max())


def fits() -> list[dict[str, Any]]:
    """Time single fits with standard errors: on arrays, and through the user's interface."""
    lines = []
    for T, k, p, target, repeats, inner in ((200, 3, 2, 10, 21, 10), (5000, 10, 4, 8, 9, 3), (20000, 50, 2, 3, 5, 1)):
        y = simulated(T, k)
        found, peer = fit_var(y, p), Peer(y).fit(p)
        difference = max(apart(found.coef, peer.params), float(np.abs(found.bse / peer.bse - 1).max()))
        size = f"T={T}, k={k}, p={p}"
        seconds = timed(lambda y=y, p=p: fit_var(y, p).bse, lambda y=y, p=p: Peer(y).fit(p).bse, repeats, inner)
        lines.append(row("fit + standard errors, arrays", size, target, repeats, seconds, difference))
        seconds = timed(lambda y=y, p=p: varnn.VAR(lags=p).fit(y).bse, lambda y=y, p=p: Peer(y).fit(p).bse, repeats,
                        inner)
        lines.append(row("fit + standard errors, VAR(lags=p).fit(y).bse", size, target, repeats, seconds, difference))
    y = simulated(100_000, 3)
    windows = [(200 * i, 200 * (i + 1)) for i in range(500)]
    seconds = timed(lambda: fit_windows(y, windows, 2).coef,
                    lambda: [Peer(y[a:b]).fit(2).params for a, b in windows], 5)
    difference = apart(fit_windows(y, windows, 2).coef, [Peer(y[a:b]).fit(2).params for a, b in windows])
    lines.append(row("500 series at once", "T=200, k=3, p=2", None, 5, seconds, difference))
    return lines


def order_searches() -> list[dict[str, Any]]:
    """Time all four criteria of the orders 0 … 12."""
    lines = []
    for T, k, target, repeats, inner in ((200, 3, 50, 11, 5), (5000, 10, 60, 5, 2), (20000, 50, 25, 5, 1)):
        y = simulated(T, k)
        ours, peer = search_orders(y, 12), Peer(y).select_order(12)
        difference = max(apart(ours.criteria[name], peer.ics[name]) for name in CRITERIA)
        seconds = timed(lambda y=y: search_orders(y, 12), lambda y=y: Peer(y).select_order(12), repeats, inner)
        lines.append(row("order search to 12 lags", f"T={T}, k={k}", target, repeats, seconds, difference))
    return lines


def refits() -> list[dict[str, Any]]:
    """Time refits with one-step forecasts at 200 origins, against a loop of fits."""
    y, ends = simulated(400, 3), np.arange(200, 400)

    def fixed() -> np.ndarray:
        return one_step_forecasts(y, expanding_fits(y, ends, 2))

    def fixed_peer() -> np.ndarray:
        return np.array([Peer(y[:end]).fit(2).forecast(y[end - 2:end], 1)[0] for end in ends])

    def searched() -> np.ndarray:
        return one_step_forecasts(y, expanding_fits(y, ends, 8, criterion="aic"))

    def searched_peer() -> np.ndarray:
        return np.array([Peer(y[:end]).fit(8, ic="aic").forecast(y[:end], 1)[0] for end in ends])

    def sliding() -> np.ndarray:
        return fit_windows(y, [(end - 200, end) for end in ends], 2).coef

    def sliding_peer() -> np.ndarray:
        return np.array([Peer(y[end - 200:end]).fit(2).params for end in ends])

    return [
        row("200 expanding refits + forecasts", "T=400, k=3, p=2", 400, 5, timed(fixed, fixed_peer, 5, 2),
            apart(fixed(), fixed_peer())),
        row("200 expanding refits, order to 8 by AIC each time", "T=400, k=3", 300, 5,
            timed(searched, searched_peer, 5), apart(searched(), searched_peer())),
        row("200 sliding refits", "T=400, window 200, k=3, p=2", None, 5, timed(sliding, sliding_peer, 5),
            apart(sliding(), sliding_peer())),
    ]


def growth() -> list[dict[str, float]]:
    """Time one fit (k=3, p=2) against T; near-linear growth keeps `nanoseconds_a_row` level."""
    lines = []
    for T in (1_000, 10_000, 100_000, 1_000_000):
        y = simulated(T, 3)
        seconds = timed(lambda y=y: fit_var(y, 2), lambda: None, 5)[0]
        lines.append({"T": T, "seconds": seconds, "nanoseconds_a_row": seconds / T * 1e9})
        print(f"T = {T:9,d}: {seconds * 1e3:9.3f} ms, {seconds / T * 1e9:6.1f} ns a row")
    return lines


def memory() -> dict[str, float]:
    """Return MiB that a fit of T = 1,000,000, k = 3 adds, measured in a process of its own."""
    code = ("import numpy as np; from varnn.estimate.least_squares.regression import fit_var; "
            "fit_var(np.random.default_rng(0).normal(size=(100, 3)), 2); "
            "y = np.random.default_rng(0).normal(size=(1_000_000, 3)); "
            "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024; "
            "open('/proc/self/clear_refs', 'w').write('5'); before = peak(); fit = fit_var(y, 2); "
            "print(y.nbytes / 2**20, peak() - before)")
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    used = {"input_mib": float(words[0]), "added_mib": float(words[1]), "allowed_mib": 4 * float(words[0]) + 150}
    print(f"T = 1,000,000, k = 3: input {used['input_mib']:.0f} MiB, fit adds {used['added_mib']:.0f} MiB")
    return used


def share_of_peak() -> dict[str, float]:
    """Return the multiply-adds a second of the fit (20000, 50, 2) over those of a square matrix product."""
    a = np.random.default_rng(SEED).normal(size=(2000, 2000))
    y, n, k, d = simulated(20000, 50), 20000, 50, 100
    fit_s, product_s = timed(lambda: fit_var(y, 2).bse, lambda: a @ a, 5)
    work = 2.0 * n * k * (d + k) + 2 * (2.0 * n * k * d) + 2.0 * n * k * k  # Gram row, residuals, refinement, Σ
    share = (work / fit_s) / (2.0 * 2000**3 / product_s)
    found = {"fit_gflops": work / fit_s / 1e9, "matmul_gflops": 2.0 * 2000**3 / product_s / 1e9, "share": share}
    print(f"fit (20000, 50, 2): {found['fit_gflops']:.1f} of {found['matmul_gflops']:.1f} Gflop/s on one thread")
    return found


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__,
            "statsmodels": statsmodels.__version__, "varnn": varnn.__version__, "blas_threads": 1,
            "load_average": os.getloadavg()[0], "command": "python -m benchmarks.speed.var", "seed": SEED,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Run everything and write the results."""
    threadpool_limits(1)
    results = {"rows": fits() + refits() + order_searches(), "growth": growth(), "memory": memory(),
               "share_of_peak": share_of_peak(), "machine": machine()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"results are in {OUT}")


if __name__ == "__main__":
    main()
