"""Who does the jobs: this process, worker processes, or a dask cluster; the numbers are the same bits.

Called by `run`. Results are handed over as they come; a job that kills its worker is found, retried alone and
then given up with its reason, and the others go on.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait as wait_for
from typing import Any

from varnn.errors import MissingDependencyError, ParameterError, StoreError
from varnn.evaluate.backtest import Task
from varnn.forecaster import Forecaster
from varnn.harness.jobs import Job, run_jobs
from varnn.series import whole_number

SECONDS = 0.5   # work handed to a worker at a time, as far as a model's jobs so far can tell
MOST = 256      # jobs handed over at a time
AHEAD = 2       # chunks a thread of a cluster has at hand
PATIENCE_SECONDS = 10  # for a scheduler to answer
PATIENCE = 2    # times a job alone may kill its worker


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its payload, or why there is none."""

    job: Job
    payload: str | None
    failure: str = ""


@dataclass(frozen=True)
class Work:
    """What workers need: tasks by item and models by label; it travels to each worker once.

    A job that takes longer than `seconds`, where given, is ended.
    """

    tasks: Mapping[str, Task]
    models: Mapping[str, Forecaster]
    seconds: float | None = None


def execute(work: Work, todo: Sequence[Job], executor: str = "inline", workers: int = 2) -> Iterator[list[Outcome]]:
    """Do the jobs and yield their outcomes as they come, some at a time.

    Parameters
    ----------
    work : Work
    todo : sequence of Job
    executor : str
        "inline", "processes", "dask" (a local cluster) or the address of a dask scheduler, "tcp://…".
    workers : int
        Worker processes; of no meaning for "inline" and a given scheduler.
    """
    whole_number(workers, "workers", least=1, most=512)
    if work.seconds is not None and executor not in ("inline", "processes"):
        raise ParameterError(f"job_seconds={work.seconds:g} needs executor='inline' or 'processes': a cluster's worker "
                             "cannot be interrupted within a job; leave it out, or set a limit on the cluster")
    if executor == "inline":
        line = _Line(todo, workers=1)
        while line:
            chunk = line.take()
            outcomes, seconds = _timed(work, chunk)
            line.learn(chunk, seconds)
            yield outcomes
    elif executor == "processes":
        yield from _by_processes(work, todo, workers)
    elif executor == "dask" or executor.startswith(("tcp://", "tls://", "inproc://")):
        yield from _by_dask(work, todo, workers, None if executor == "dask" else executor)
    else:
        raise ParameterError(f"executor={executor!r} is not usable; give 'inline', 'processes', 'dask' or the address "
                             "of a dask scheduler such as 'tcp://127.0.0.1:8786'")


def do(work: Work, chunk: Sequence[Job]) -> list[Outcome]:
    """Do some jobs of one model here, together; a job that raises is an outcome like any other."""
    model, tasks = work.models[chunk[0].label], [work.tasks[job.item] for job in chunk]
    try:
        with limited(None if work.seconds is None else work.seconds * len(chunk)):
            return [Outcome(job, text) for job, text in zip(chunk, run_jobs(tasks, model, chunk), strict=True)]
    except JobTimeError:
        if len(chunk) > 1:  # one of them
            return [outcome for job in chunk for outcome in do(work, [job])]
        return [Outcome(chunk[0], None, f"took longer than job_seconds={work.seconds:g}")]
    except Exception as problem:  # kept with its place; the run goes on and says so at the end
        if len(chunk) > 1:  # one of them
            return [outcome for job in chunk for outcome in do(work, [job])]
        place = traceback.extract_tb(problem.__traceback__)[-1]
        return [Outcome(chunk[0], None, f"{type(problem).__name__}: {problem} ({place.name}, line {place.lineno})")]


class JobTimeError(BaseException):
    """A job has had its time; not an Exception, so that nothing within the job takes it for a failed fit."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise JobTimeError within, after so many seconds; needs the main thread and a system with alarms."""
    if seconds is None:
        yield
        return

    def over(*_: object) -> None:
        raise JobTimeError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


class _Line:
    """Jobs that wait, handed out in chunks of one model whose size follows from the seconds of the chunks before."""

    def __init__(self, todo: Sequence[Job], workers: int) -> None:
        self._waiting: dict[str, deque[Job]] = {}
        for job in todo:
            self._waiting.setdefault(job.label, deque()).append(job)
        self._workers = workers
        self._seconds: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def take(self) -> list[Job]:
        """Take jobs of the model that has most left, as many as may take `SECONDS`; one, as long as none was timed."""
        label = max(self._waiting, key=lambda label: len(self._waiting[label]))
        line, each = self._waiting[label], self._seconds.get(label, SECONDS)
        fair = max(1, len(line) // (2 * self._workers))
        size = min(MOST, fair, max(1, int(SECONDS / max(each, 1e-9))))
        return [line.popleft() for _ in range(min(size, len(line)))]

    def learn(self, chunk: Sequence[Job], seconds: float) -> None:
        """Note how long a chunk took; the latest counts."""
        self._seconds[chunk[0].label] = seconds / len(chunk)


_here: list[Work] = []  # in a worker process: what its initialiser was given


def _arrive(work: Work) -> None:
    """Take in the work; leave Ctrl-C to the parent, and end when it does, however it ends."""
    _here[:] = [work]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _timed(work: Work, chunk: Sequence[Job]) -> tuple[list[Outcome], float]:
    started = time.perf_counter()
    outcomes = do(work, chunk)
    return outcomes, time.perf_counter() - started


def _timed_here(chunk: Sequence[Job]) -> tuple[list[Outcome], float]:
    return _timed(_here[0], chunk)


def _by_processes(work: Work, todo: Sequence[Job], workers: int) -> Iterator[list[Outcome]]:
    """Run chunks in a pool; when a worker dies, do what was under way job by job, so that the culprit shows."""
    line, deaths = _Line(todo, workers), dict[str, int]()
    alone: list[list[Job]] = []
    while line or alone:
        together = bool(line)
        limit = workers if together else 1
        with ProcessPoolExecutor(limit, mp_context=get_context("spawn"), initializer=_arrive, initargs=(work,)) as pool:
            running: dict[Future[tuple[list[Outcome], float]], list[Job]] = {}
            chunk: list[Job] = []
            try:
                while (line if together else alone) or running:
                    while (line if together else alone) and len(running) < limit:
                        chunk = line.take() if together else alone.pop(0)
                        future = pool.submit(_timed_here, chunk)  # a broken pool refuses
                        running[future], chunk = chunk, []
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcomes, seconds = future.result()
                        line.learn(running.pop(future), seconds)
                        yield outcomes
            except KeyboardInterrupt:
                for process in active_children():  # or the pool would wait for what is under way
                    process.terminate()
                raise
            except BrokenProcessPool:
                suspects = [job for some in (*running.values(), chunk) for job in some]
                if limit == 1 and len(suspects) == 1:
                    deaths[suspects[0].key] = deaths.get(suspects[0].key, 0) + 1
                for job in suspects:
                    if deaths.get(job.key, 0) >= PATIENCE:
                        yield [Outcome(job, None, f"its worker died {PATIENCE} times")]
                    else:
                        alone.append([job])


def _client(distributed: Any, cluster: Any) -> Any:
    try:
        return distributed.Client(cluster, set_as_default=False, timeout=PATIENCE_SECONDS)
    except (OSError, TimeoutError) as problem:
        raise StoreError(f"no dask scheduler answers at {cluster} ({type(problem).__name__}); start one with "
                         "`dask scheduler`, or give executor='dask' for a cluster of this machine") from None


def _by_dask(work: Work, todo: Sequence[Job], workers: int, address: str | None) -> Iterator[list[Outcome]]:
    """Submit chunks to a dask cluster; dask moves them when a worker dies, and names a chunk that kills."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise MissingDependencyError("executor='dask' needs dask.distributed; install varnn[distributed]") from None
    cluster: Any = address
    if address is None:
        cluster = distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with _client(distributed, cluster) as client:
        there = client.scatter(work, broadcast=True, hash=False)
        line, alone, running = _Line(todo, workers), list[list[Job]](), dict[Any, list[Job]]()
        pending = distributed.as_completed(loop=client.loop)
        while line or alone or running:
            room = AHEAD * max(1, sum(client.nthreads().values()))  # workers may join and die
            while (line or alone) and len(running) < room:
                chunk = line.take() if line else alone.pop()
                future = client.submit(_timed, there, chunk, pure=False, retries=PATIENCE)
                running[future] = chunk
                pending.add(future)
            future = next(pending)
            chunk = running.pop(future)
            if future.status == "finished":
                outcomes, seconds = future.result()
                line.learn(chunk, seconds)
                yield outcomes
            elif len(chunk) > 1:
                alone += [[job] for job in chunk]
            else:
                problem = future.exception()
                yield [Outcome(chunk[0], None, f"{type(problem).__name__}: {str(problem).splitlines()[0]}")]
            future.release()  # dask forgets a result once it is here, and never redoes it
    if address is None:
        cluster.close()
