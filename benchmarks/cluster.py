"""5,000 short series × 4 models on a local dask cluster, one worker shot midway: python -m benchmarks.cluster [N].

Runs the same suite inline, on one worker, on two, and on two with one of them killed when half is done; compares
every forecast bit for bit. Writes cluster.csv, the log of the run that was shot, and a page.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import distributed
import pandas as pd

from benchmarks.writing import RESULTS, machine, markdown
from varnn.harness.run import Summary, run
from varnn.harness.store import Store

OUT = RESULTS / "cluster"
MODELS = 4
RUNS = [("inline", 0, False), ("dask, 1 worker", 1, False), ("dask, 2 workers", 2, False),
        ("dask, 2 workers, one killed at half", 2, True)]
log = logging.getLogger("varnn.cluster")


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


class Clock:
    """Notes when jobs come in, so that loading the data, the same in every run, is left out of the job seconds."""

    def __init__(self, every: int) -> None:
        self.every, self.next, self.first, self.last = every, every, 0.0, 0.0

    def __call__(self, done: int, total: int) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        if done >= self.next or done == total:
            log.info("%d of %d jobs kept", done, total)
            self.next += self.every


def shoot(cluster: distributed.LocalCluster, folder: Path, half: int) -> None:
    """Kill a worker process, without warning, once half of the jobs are kept."""
    while len(Store(folder)) < half:
        time.sleep(0.5)
    victim = next(iter(cluster.workers.values())).pid
    log.info("kill -9 of worker process %d, %d jobs are kept", victim, len(Store(folder)))
    os.kill(victim, signal.SIGKILL)


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Keep what dask and this script say, without addresses of this machine."""
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    heard = [logging.getLogger(name) for name in ("varnn.cluster", "distributed.scheduler", "distributed.nanny")]
    for one in heard:
        one.addHandler(handler)
        one.setLevel(logging.INFO)
    try:
        yield
    finally:
        for one in heard:
            one.removeHandler(handler)
        handler.close()


def measured(text: str, folder: Path, workers: int, shot_at: int | None) -> tuple[Summary, Clock]:
    clock = Clock(every=text.count(",") // 4)
    if not workers:
        return run(text, folder, progress=clock), clock
    with distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        if shot_at is not None:
            threading.Thread(target=shoot, args=(cluster, folder, shot_at), daemon=True).start()
        return run(text, folder, executor=cluster.scheduler_address, progress=clock), clock


def fingerprint(folder: Path) -> str:
    """Return a digest of every forecast that was kept; seconds come after them in a result and are left out."""
    store = Store(folder)
    digest = hashlib.sha256()
    for key in sorted(store.keys()):
        digest.update(key.encode() + store.read(key).partition('"fits"')[0].encode())
    return digest.hexdigest()[:16]


def page(table: pd.DataFrame) -> str:
    equal = len(set(table["digest"])) == 1
    seconds = table.set_index("run")["jobs, seconds"]
    return "\n".join([
        "# Many short series on a cluster\n",
        f"{table['series'][0]} simulated series × {MODELS} models, one job each, on a local dask cluster.\n",
        markdown(table, 2) + "\n",
        f"- Every forecast of the four runs has {'the same bits' if equal else 'NOT THE SAME BITS'} (digest).",
        f"- The worker that was killed cost no job: {table['jobs done'].iloc[-1]} done, {table['failed'].iloc[-1]} "
        "failed. What dask and the harness said meanwhile is in [log.txt](log.txt).",
        f"- One worker to two: {seconds['dask, 1 worker'] / seconds['dask, 2 workers']:.2f} times as fast. "
        '"jobs, seconds" counts from the first job kept to the last; "all, seconds" also has the simulation of the '
        "series, which one process does, and the start of the workers.",
        f"\nMade by `python -m benchmarks.cluster {table['series'][0]}` on {machine()}; two workers, the scheduler and "
        "the harness share its cores.\n"])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    text, rows = suite(count), []
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, workers, killed in RUNS:
            folder = Path(scratch) / f"run{len(rows)}"
            with logged(OUT / "log.txt"):  # the last run, the one that is shot, stays
                summary, clock = measured(text, folder, workers, MODELS * count // 2 if killed else None)
            rows.append({"run": name, "series": count, "jobs done": summary.done, "failed": len(summary.failed),
                         "all, seconds": round(summary.seconds, 1), "jobs, seconds": round(clock.last - clock.first, 1),
                         "keeping results, seconds": round(summary.bookkeeping, 2), "digest": fingerprint(folder)})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(OUT / "cluster.csv", index=False)
    (OUT / "README.md").write_text(page(table), encoding="utf-8")


if __name__ == "__main__":
    main()
