"""5,000 short series × 4 models on a local dask cluster, one worker shot midway: python benchmarks/cluster.py [N].

Runs the same suite inline, on one worker, on two, and on two with one of them killed when half is done; compares
the boards byte for byte. Writes cluster.csv.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import threading
import time
from pathlib import Path

import distributed
import pandas as pd

from varnn.harness.run import BOARD, board, comparisons, run
from varnn.harness.store import Store

OUT = Path("benchmarks/results/cluster")


def suite(count: int) -> str:
    return f"""
title = "Many short series"
seeds = {list(range(count))}
n_paths = 20
[[data]]
name = "ar"
options = {{ n = 60 }}
horizon = 2
origins = 1
[models.Naive]
[models.Mean]
[models.Drift]
[models.VAR]
options = {{ lags = 1 }}
"""


def shoot(cluster: distributed.LocalCluster, folder: Path, half: int) -> None:
    """Kill a worker process, without warning, once half of the jobs are kept."""
    while len(Store(folder)) < half:
        time.sleep(0.2)
    worker = next(iter(cluster.workers.values()))
    worker.process.process.kill()


def fingerprint(folder: Path, sample: int = 200) -> str:
    found = board(comparisons(folder)[:sample]).to_csv(index=False)
    (folder / BOARD).write_text(found)
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    text, rows = suite(count), []
    with tempfile.TemporaryDirectory() as scratch:
        for name, workers, killed in [("inline", 0, False), ("dask, 1 worker", 1, False), ("dask, 2 workers", 2, False),
                                      ("dask, 2 workers, one killed at half", 2, True)]:
            folder = Path(scratch) / name.replace(" ", "_").replace(",", "")
            if workers:
                with distributed.LocalCluster(n_workers=workers, threads_per_worker=1,
                                              dashboard_address=None) as cluster:
                    if killed:
                        threading.Thread(target=shoot, args=(cluster, folder, 2 * count), daemon=True).start()
                    summary = run(text, folder, executor=cluster.scheduler_address)
            else:
                summary = run(text, folder)
            rows.append({"run": name, "series": count, "jobs": summary.done, "failed": len(summary.failed),
                         "seconds": round(summary.seconds, 1),
                         "keeping results, seconds": round(summary.bookkeeping, 2), "board": fingerprint(folder)})
            print(rows[-1], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(OUT / "cluster.csv", index=False)


if __name__ == "__main__":
    main()
