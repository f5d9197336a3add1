"""Shoot a benchmark run in every way there is and count what it loses: python -m benchmarks.faults.

Kills the parent and a worker 30 times each, interrupts it, fills its disk, flips bytes, starts it twice in one
folder, and adds a job that always kills its worker. After each kind of fault the run is resumed and its report
compared, byte for byte, with that of an undisturbed run. Then times a resume at half. Writes faults.csv, resume.csv
and a page.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from benchmarks.writing import RESULTS as COMMITTED
from benchmarks.writing import machine, markdown
from varnn.errors import StoreError
from varnn.harness.run import Summary, report, resume, run
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
HEAVY = SUITE.replace("[models.Naive]\n[models.Mean]\n", "").replace("models.VAR", "models.LinearRNN")
JOBS = 180
KILLS = 30
FEW = 10
POISON = """
import os, signal
from dataclasses import dataclass
from varnn.models.rung0_naive import Mean

@dataclass(frozen=True, kw_only=True)
class Poison(Mean):
    def _estimate(self, series, exog, rng):
        if len(series) == 100:
            os.kill(os.getpid(), signal.SIGKILL)
        return Mean._estimate(self, series, exog, rng)
"""


def digest(folder: Path) -> str:
    """Return a digest of every page and table of the report but the seconds, which no two runs share."""
    report(folder)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".html", ".csv")
             and path.stem not in ("speed", "seconds")]
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def start(folder: Path, *options: str, suite: str = SUITE, path: str = "") -> subprocess.Popen[bytes]:
    """Start the command line on the suite, in a process group of its own."""
    file = folder.with_suffix(".toml")
    file.write_text(suite)
    program = "from varnn.cli.app import app; app()"
    paths = os.pathsep.join(one for one in (path, os.environ.get("PYTHONPATH", "")) if one)
    return subprocess.Popen([sys.executable, "-c", program, "benchmark", "run", str(file), "--out", str(folder),
                             *options], start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            env=os.environ | {"PYTHONPATH": paths})


def wait_for(folder: Path, jobs: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and len(Store(folder)) < jobs:
        time.sleep(0.001)


def stop_parent(folder: Path, how: signal.Signals, times: int) -> int:
    """Stop the run again and again, at most a few jobs on each time; return the jobs lost."""
    lost, kept = 0, 0
    for _ in range(times):
        process = start(folder)
        wait_for(folder, min(kept + random.randint(1, 8), JOBS), process)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        process.wait()
        now = len(Store(folder))
        lost, kept = lost + max(0, kept - now), now
        if kept >= JOBS:
            (folder / RESULTS).unlink()
            kept = 0
    return lost


def kill_parent(folder: Path) -> int:
    return stop_parent(folder, signal.SIGKILL, KILLS)


def press_ctrl_c(folder: Path) -> int:
    return stop_parent(folder, signal.SIGINT, FEW)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid), "-f", "spawn_main"], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def kill_workers(folder: Path) -> int:
    lost, kept, shots = 0, 0, 0
    process = start(folder, "--executor", "processes")
    while shots < KILLS:
        if process.poll() is not None:
            if len(Store(folder)) >= JOBS:
                (folder / RESULTS).unlink()
                kept = 0
            process = start(folder, "--executor", "processes")
        time.sleep(random.uniform(0.5, 2.0))
        workers = children(process.pid)
        if workers:
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
                shots += 1
        now = len(Store(folder))
        lost, kept = lost + max(0, kept - now), now
    process.wait()
    return lost


def limit_size(folder: Path) -> int:
    lost = 0
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for _ in range(FEW):
        size = (folder / RESULTS).stat().st_size if (folder / RESULTS).exists() else 0
        kept = len(Store(folder)) if size else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, usual[1]))
        try:
            with suppress(StoreError):
                run(SUITE, folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        lost += max(0, kept - len(Store(folder)))
    return lost


def fill_disk(folder: Path) -> int:
    """Run on a file system of 64 KiB, give it 32 KiB more each time it is full; needs the right to mount."""
    folder.mkdir(exist_ok=True)
    lost, kept, refused = 0, 0, 0
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
    for time_round in range(FEW):
        process = start(folder)
        said = process.communicate()[1].decode()
        refused += "No space left on device" in said and process.returncode == 2
        now = len(Store(folder))
        lost, kept = lost + max(0, kept - now), now
        subprocess.run(["mount", "-o", f"remount,size={96 + 32 * time_round}k", str(folder)], check=True)
    if refused == 0:
        raise RuntimeError("the disk was never full")
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    return lost


def flip_bytes(folder: Path) -> int:
    run(SUITE, folder)
    lost = 0
    for _ in range(KILLS):
        raw = bytearray((folder / RESULTS).read_bytes())
        raw[random.randrange(len(raw))] ^= random.randint(1, 255)
        (folder / RESULTS).write_bytes(raw)
        lost += max(0, resume(folder).done - 2)         # a flipped line end joins two lines
    return lost


def run_twice(folder: Path) -> int:
    """Start two runs at once: one must be refused at once and leave the other's results alone."""
    lost = 0
    for _ in range(FEW):
        both = [start(folder), start(folder)]
        codes = sorted(process.wait() for process in both)
        said = b"".join(process.stderr.read() for process in both if process.stderr)
        if codes == [0, 2] and b"another run is at work" not in said:
            raise RuntimeError(said.decode())
        lost += JOBS - len(Store(folder))
        (folder / RESULTS).unlink()
    return lost


def add_poison(folder: Path) -> int:
    """Add a model from another package that kills its worker at one origin; count the other jobs that are absent."""
    package = folder.with_name("package")
    (package / "poison-1.0.dist-info").mkdir(parents=True)
    (package / "poison.py").write_text(POISON)
    (package / "poison-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: poison\nVersion: 1.0\n")
    (package / "poison-1.0.dist-info" / "entry_points.txt").write_text("[varnn.models]\nPoison = poison:Poison\n")
    process = start(folder, "--executor", "processes", suite=SUITE + "[models.Poison]\n", path=str(package))
    said = process.communicate()[1].decode()
    if process.returncode != 1 or not re.search("Poison on var: its worker died 2 times", said):
        raise RuntimeError(f"exit code {process.returncode}: {said}")
    sys.path.insert(0, str(package))
    board, page = digest(folder), (folder / "index.html").read_text()
    if "Poison on var: its worker died 2 times" not in page or not board:
        raise RuntimeError("the report does not name the job")
    return JOBS + 60 - 1 - len(Store(folder))


FAULTS: list[tuple[str, Callable[[Path], int], int]] = [
    ("kill -9 of the parent", kill_parent, KILLS), ("kill -9 of a worker", kill_workers, KILLS),
    ("Ctrl-C", press_ctrl_c, FEW), ("disk full", fill_disk, FEW), ("file size limit reached", limit_size, FEW),
    ("one byte flipped", flip_bytes, KILLS), ("two runs in one folder", run_twice, FEW),
    ("a job that always kills its worker", add_poison, 1)]


def timed(action: Callable[[], Summary]) -> tuple[float, float, Summary]:
    wall, cpu = time.perf_counter(), time.process_time()
    summary = action()
    return time.perf_counter() - wall, time.process_time() - cpu, summary


def half_and_half(scratch: Path) -> pd.DataFrame:
    """Time whole runs and, beside each, the resume of one stopped at half."""
    def stop(done: int, total: int) -> None:
        if 2 * done >= total:
            raise KeyboardInterrupt

    run(HEAVY, scratch / "warm")
    rows = []
    for number in range(3):
        whole, half = scratch / f"whole{number}", scratch / f"half{number}"
        wall, cpu, summary = timed(lambda whole=whole: run(HEAVY, whole))
        with suppress(KeyboardInterrupt):
            run(HEAVY, half, progress=stop)
        rest_wall, rest_cpu, rest = timed(lambda half=half: resume(half))
        rows.append({"run": number + 1, "jobs": summary.done, "resumed jobs": rest.done, "seconds": wall,
                     "resume, seconds": rest_wall, "share of wall time": rest_wall / wall,
                     "share of processor time": rest_cpu / cpu,
                     "keeping results, share": summary.bookkeeping / summary.seconds})
    return pd.DataFrame(rows)


def page(faults: pd.DataFrame, halves: pd.DataFrame) -> str:
    lost = int(faults["finished jobs lost"].sum())
    return "\n".join([
        "# What a benchmark run loses when it is shot\n",
        markdown(faults, 1) + "\n",
        f"- {int(faults['times'].sum())} faults, {lost} finished jobs lost.",
        "- After each kind the run was resumed; the report is compared, every page and table but the seconds, with "
        "that of a run that nobody disturbed. The poisoned run has one hole, named in the exit code, on the command "
        "line and in the report, and so has a report of its own.\n",
        "## Resume at half\n", markdown(halves) + "\n",
        f"Median share of a whole run: {halves['share of wall time'].median():.2f} of the wall time, "
        f"{halves['share of processor time'].median():.2f} of the processor time; keeping results took "
        f"{100 * halves['keeping results, share'].median():.2f} % of the time.\n",
        f"Made by `python -m benchmarks.faults` on {machine()}.\n"])


def main() -> None:
    random.seed(0)
    out = COMMITTED / "faults"
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        clean = Path(scratch) / "clean"
        run(SUITE, clean)
        wanted = digest(clean)
        for name, fault, count in FAULTS:
            folder = Path(scratch) / fault.__name__
            started = time.perf_counter()
            try:
                lost = fault(folder)
                equal = "one hole, named"
                if fault is not add_poison:
                    resume(folder)
                    equal = str(digest(folder) == wanted)
            finally:
                if fault is fill_disk:
                    subprocess.run(["umount", str(folder)], check=False)
            rows.append({"fault": name, "times": count, "jobs": JOBS, "finished jobs lost": lost,
                         "report equal to the undisturbed one": equal,
                         "seconds": round(time.perf_counter() - started, 1)})
            print(rows[-1], flush=True)
        halves = half_and_half(Path(scratch))
    faults = pd.DataFrame(rows)
    faults.to_csv(out / "faults.csv", index=False)
    halves.to_csv(out / "resume.csv", index=False, float_format="%.4g")
    (out / "README.md").write_text(page(faults, halves), encoding="utf-8")


if __name__ == "__main__":
    main()
