"""Shoot a benchmark run in every way there is and count what it loses. Usage: python benchmarks/faults.py [OUT]

Kills the parent 30 times and a worker 30 times with SIGKILL, runs into a full file 10 times, flips 30 bytes and adds
a job that always kills its worker. After each kind of fault the run is resumed and its report compared, byte for
byte, with that of an undisturbed run. Writes faults.csv.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from varnn.errors import StoreError
from varnn.harness.run import report, resume, run
from varnn.harness.store import RESULTS, Store

SUITE = """
title = "Fault study"
n_paths = 20
[[data]]
name = "var"
options = { n = 150 }
horizon = 2
origins = 60
refit = 1
[models.Naive]
[models.Mean]
[models.VAR]
options = { lags = 1 }
"""
JOBS = 180
KILLS = 30


def page(folder: Path) -> str:
    return hashlib.sha256(report(folder).read_bytes()).hexdigest()


def start(folder: Path, executor: str) -> subprocess.Popen[bytes]:
    program = (f"from varnn.harness.run import run\nif __name__ == '__main__':\n"
               f"    run({SUITE!r}, {str(folder)!r}, executor={executor!r})\n")
    script = folder.with_suffix(".py")
    script.write_text(program)
    return subprocess.Popen([sys.executable, str(script)], start_new_session=True, stderr=subprocess.DEVNULL)


def wait_for(folder: Path, jobs: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and len(Store(folder)) < jobs:
        time.sleep(0.001)


def kill_parent(folder: Path) -> int:
    lost, kept = 0, 0
    for _ in range(KILLS):
        process = start(folder, "inline")
        wait_for(folder, kept + random.randint(1, 8), process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = len(Store(folder))
        lost, kept = lost + max(0, kept - now), now
    return lost


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid), "-f", "spawn_main"], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def kill_workers(folder: Path) -> int:
    lost, kept, shots = 0, 0, 0
    process = start(folder, "processes")
    while shots < KILLS:
        if process.poll() is not None:
            if len(Store(folder)) >= JOBS:
                (folder / RESULTS).unlink()
                kept = 0
            process = start(folder, "processes")
        time.sleep(random.uniform(0.5, 2.0))
        workers = children(process.pid)
        if workers:
            os.kill(random.choice(workers), signal.SIGKILL)
            shots += 1
        now = len(Store(folder))
        lost, kept = lost + max(0, kept - now), now
    process.wait()
    return lost


def full_disk(folder: Path) -> int:
    lost = 0
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for _ in range(10):
        size = (folder / RESULTS).stat().st_size if (folder / RESULTS).exists() else 0
        kept = len(Store(folder)) if size else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, usual[1]))
        try:
            run(SUITE, folder)
        except StoreError:
            pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        lost += max(0, kept - len(Store(folder)))
    return lost


def flip_bytes(folder: Path) -> int:
    run(SUITE, folder)
    lost = 0
    for _ in range(KILLS):
        raw = bytearray((folder / RESULTS).read_bytes())
        raw[random.randrange(len(raw))] ^= random.randint(1, 255)
        (folder / RESULTS).write_bytes(raw)
        mended = resume(folder)
        lost += max(0, mended.done - 2)         # a flipped line end joins two lines
    return lost


def main() -> None:
    random.seed(0)
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "benchmarks/results/faults")
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        clean = Path(scratch) / "clean"
        run(SUITE, clean)
        wanted = page(clean)
        for name, fault, count in [("kill -9 of the parent", kill_parent, KILLS),
                                   ("kill -9 of a worker", kill_workers, KILLS),
                                   ("file size limit reached", full_disk, 10),
                                   ("one byte flipped", flip_bytes, KILLS)]:
            folder = Path(scratch) / fault.__name__
            started = time.perf_counter()
            lost = fault(folder)
            resume(folder)
            rows.append({"fault": name, "times": count, "jobs": JOBS, "finished jobs lost": lost,
                         "report equal to the undisturbed one": page(folder) == wanted,
                         "seconds": round(time.perf_counter() - started, 1)})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(out / "faults.csv", index=False)


if __name__ == "__main__":
    main()
