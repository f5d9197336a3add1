"""Who does the jobs: this process, worker processes, or a dask cluster; the numbers are the same bits.

Called by `run`. Results are handed over as they come; a job that kills its worker is found, retried alone and
then given up with its reason, and the others go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from varnn.errors import MissingDependencyError, ParameterError
from varnn.evaluate.backtest import Task
from varnn.forecaster import Forecaster
from varnn.harness.jobs import Job, run_job
from varnn.series import whole_number

CHUNK = 16      # jobs handed to a worker at a time
PATIENCE = 2    # times a job alone may kill its worker


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its payload, or why there is none."""

    job: Job
    payload: str | None
    failure: str = ""


@dataclass(frozen=True)
class Work:
    """What workers need: tasks by item and models by label; it travels to each worker once."""

    tasks: Mapping[str, Task]
    models: Mapping[str, Forecaster]


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
    if executor == "inline":
        for job in todo:
            yield do(work, [job])
    elif executor == "processes":
        yield from _by_processes(work, todo, workers)
    elif executor == "dask" or executor.startswith(("tcp://", "tls://", "inproc://")):
        yield from _by_dask(work, todo, workers, None if executor == "dask" else executor)
    else:
        raise ParameterError(f"executor={executor!r} is not usable; give 'inline', 'processes', 'dask' or the address "
                             "of a dask scheduler such as 'tcp://127.0.0.1:8786'")


def do(work: Work, chunk: Sequence[Job]) -> list[Outcome]:
    """Do some jobs here; a job that raises is an outcome like any other."""
    outcomes = []
    for job in chunk:
        try:
            outcomes.append(Outcome(job, run_job(work.tasks[job.item], work.models[job.label], job)))
        except Exception as problem:  # kept with its place; the run goes on and says so at the end
            place = traceback.extract_tb(problem.__traceback__)[-1]
            reason = f"{type(problem).__name__}: {problem} ({place.name}, line {place.lineno})"
            outcomes.append(Outcome(job, None, reason))
    return outcomes


_here: list[Work] = []  # in a worker process: what its initialiser was given


def _arrive(work: Work) -> None:
    _here[:] = [work]


def _do_here(chunk: Sequence[Job]) -> list[Outcome]:
    return do(_here[0], chunk)


def _by_processes(work: Work, todo: Sequence[Job], workers: int) -> Iterator[list[Outcome]]:
    """Run chunks in a pool; when a worker dies, do what was under way job by job, so that the culprit shows."""
    waiting, deaths = _chunks(todo, workers), dict[str, int]()
    alone: list[Sequence[Job]] = []
    while waiting or alone:
        pool = ProcessPoolExecutor(1 if not waiting else workers, mp_context=get_context("spawn"),
                                   initializer=_arrive, initargs=(work,))
        with pool:
            running: dict[Future[list[Outcome]], Sequence[Job]] = {}
            source = waiting if waiting else alone
            limit = workers if waiting else 1
            try:
                while source or running:
                    while source and len(running) < limit:
                        running[pool.submit(_do_here, source[0])] = source[0]
                        source.pop(0)  # not before: a broken pool refuses, and the chunk would be lost
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcomes = future.result()
                        del running[future]
                        yield outcomes
            except BrokenProcessPool:
                suspects = [job for chunk in running.values() for job in chunk]
                if limit == 1 and len(suspects) == 1:
                    deaths[suspects[0].key] = deaths.get(suspects[0].key, 0) + 1
                for job in suspects:
                    if deaths.get(job.key, 0) >= PATIENCE:
                        yield [Outcome(job, None, f"its worker died {PATIENCE} times")]
                    else:
                        alone.append([job])


def _by_dask(work: Work, todo: Sequence[Job], workers: int, address: str | None) -> Iterator[list[Outcome]]:
    """Submit chunks to a dask cluster; dask moves them when a worker dies, and names a chunk that kills."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise MissingDependencyError("executor='dask' needs dask.distributed; install varnn[distributed]") from None
    cluster: Any = address
    if address is None:
        cluster = distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with distributed.Client(cluster, set_as_default=False) as client:
        there = client.scatter(work, broadcast=True, hash=False)
        futures: dict[Any, Sequence[Job]] = {
            client.submit(do, there, chunk, pure=False, retries=PATIENCE): chunk for chunk in _chunks(todo, workers)}
        again: list[Job] = []
        for jobs, result, problem in _as_completed(distributed, client, futures):
            if problem is None:
                yield result
            elif len(jobs) == 1:
                yield [Outcome(jobs[0], None, problem)]
            else:
                again += jobs
        futures = {client.submit(do, there, [job], pure=False): [job] for job in again}
        for jobs, result, problem in _as_completed(distributed, client, futures):
            yield result if problem is None else [Outcome(jobs[0], None, problem)]
    if address is None:
        cluster.close()


def _as_completed(distributed: Any, client: Any,
                  futures: dict[Any, Sequence[Job]]) -> Iterator[tuple[Any, Any, str | None]]:
    """Yield jobs with their result or why there is none; dask forgets a result once it is here, and never redoes it."""
    for future in distributed.as_completed(list(futures), loop=client.loop):
        jobs, result, reason = futures.pop(future), None, None
        if future.status == "finished":
            result = future.result()
        else:
            problem = future.exception()
            reason = f"{type(problem).__name__}: {str(problem).splitlines()[0]}"
        future.release()
        yield jobs, result, reason


def _chunks(todo: Sequence[Job], workers: int) -> list[Sequence[Job]]:
    size = max(1, min(CHUNK, len(todo) // (4 * workers)))
    return [todo[start:start + size] for start in range(0, len(todo), size)]
