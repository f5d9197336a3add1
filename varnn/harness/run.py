"""Run a suite, resume it, put its results together, check a committed result.

The only part of the harness that the command line calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from varnn.comparison.compare import Comparison, facts
from varnn.comparison.null_bootstrap import with_pvalues
from varnn.errors import StoreError
from varnn.evaluate.backtest import Part, assemble, blocks, failed_part, oracle_part
from varnn.evaluate.ledger import Ledger
from varnn.forecaster import Forecaster
from varnn.harness.code import Piece, all_code, read_record, write_record
from varnn.harness.execute import Outcome, Work, execute
from varnn.harness.jobs import Item, Job, items, jobs, part_of
from varnn.harness.store import Store
from varnn.harness.suite import Suite
from varnn.writing import restored, write_table, write_whole

SUITE = "suite.toml"
FAILURES = "failures.csv"
BOARD = "board.csv"
CODE = "code.txt"  # every distribution that made the board, with its version and a digest of its files
SECONDS = "seconds.csv"  # apart from the rest, which has the same bytes whenever and wherever it was computed
COLUMNS = ["data", "model", "step", "n", "rmse", "mae", "mase", "rmsse", "crps", "coverage_90", "skill", "dm_p",
           "dm_holm", "gw_p", "cw_p", "gap_closed"]  # and boot_p, where asked for

EVERY, SELDOM = 0.5, 5.0  # seconds between syncs: what a crash can cost is the work of that long
SHARE = 0.01              # of the time may go to syncs; a slow disk is asked less often, up to SELDOM

Progress = Callable[[int, int], None]
"""(jobs done, jobs in all) -> None."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    done, reused : int
        Jobs finished now, and found finished.
    damaged : int
        Lines of the results that had been altered or cut off; their jobs were done again.
    failed : mapping of job to reason
    seconds, bookkeeping : float
        In all, and of that for keeping the results.
    """

    done: int
    reused: int
    damaged: int
    failed: Mapping[Job, str]
    seconds: float
    bookkeeping: float


def run(suite_text: str, out: str | Path, *, executor: str = "inline", workers: int = 2,
        progress: Progress | None = None) -> Summary:
    """Run a suite into the folder `out`, or what is left of it there.

    Every finished job is on disk before it counts; stop at any moment and run again to resume.

    Raises
    ------
    StoreError
        If `out` holds another suite, another run is at work there, or the disk fails.
    """
    started = time.perf_counter()
    suite, folder = Suite.parse(suite_text, SUITE), Path(out)
    store = Store(folder)
    with store.alone():
        models, found = suite.forecasters(), items(suite)  # a suite that cannot run claims no folder
        _claim(folder, suite_text)
        all_jobs = jobs(found, models)
        todo = [job for job in all_jobs if job.key not in store]
        work = Work({item.name: replace(item.task, oracle=None) for item in found}, models, suite.job_seconds)
        keeper = _Keeper(store)
        count = len(all_jobs) - len(todo)
        try:
            for outcomes in execute(work, todo, executor, workers):
                keeper.take(outcomes)
                count += len(outcomes)
                if progress is not None:
                    progress(count, len(all_jobs))
        finally:
            keeper.flush()
            _write_failures(folder, _failures(folder) | {job.key: why for job, why in keeper.failed.items()}, [
                job for job in all_jobs if job.key not in store])
    return Summary(sum(job.key in store for job in todo), len(all_jobs) - len(todo), store.damaged, keeper.failed,
                   time.perf_counter() - started, keeper.seconds)


class _Keeper:
    """Hands outcomes to the store, several at a time when they come fast: a sync costs milliseconds."""

    def __init__(self, store: Store) -> None:
        self.store, self.failed, self.seconds = store, dict[Job, str](), 0.0
        self._waiting: dict[str, str] = {}
        self._last, self._pause = time.perf_counter(), EVERY

    def take(self, outcomes: Sequence[Outcome]) -> None:
        self._waiting |= {one.job.key: one.payload for one in outcomes if one.payload is not None}
        self.failed |= {one.job: one.failure for one in outcomes if one.payload is None}
        if time.perf_counter() - self._last > self._pause:
            self.flush()

    def flush(self) -> None:
        before = time.perf_counter()
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self.store.add(waiting)
        self._last = time.perf_counter()
        self.seconds += self._last - before
        self._pause = min(SELDOM, max(EVERY, (self._last - before) / SHARE))


def resume(out: str | Path, **options: object) -> Summary:
    """Go on with the suite that `out` was begun with."""
    return run(_suite_text(Path(out)), out, **options)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Results:
    """What is in the folder of a run.

    Attributes
    ----------
    suite : Suite
    comparisons : list of Comparison
        One a data set and seed, of those whose jobs all have a result or failed.
    seconds : DataFrame
        data, model, fit (median seconds of an estimation and its first forecast), seconds (all origins).
    jobs, done : int
    waiting : list of Job
        Neither finished nor failed.
    unready : list of str
        Data sets that wait for one.
    failed : mapping of Job to its reason
    """

    suite: Suite
    comparisons: list[Comparison]
    seconds: pd.DataFrame
    jobs: int
    done: int
    waiting: list[Job]
    failed: Mapping[Job, str]
    unready: list[str]


def results(out: str | Path) -> Results:
    """Return what the jobs in `out` have found so far; a run may be at work there."""
    folder = Path(out)
    suite, store = Suite.parse(_suite_text(folder), SUITE), Store(folder)
    models, found = suite.forecasters(), items(suite)
    all_jobs, reasons = jobs(found, models), _failures(folder)
    absent = [job for job in all_jobs if job.key not in store]
    failed = {job: reasons[job.key] for job in absent if job.key in reasons}
    waiting = [job for job in absent if job not in failed]
    origin = {item.name: item.drawn_for or item.name for item in found}
    unready = list(dict.fromkeys(origin[job.item] for job in waiting))
    by_item: dict[str, list[Job]] = {}
    for job in all_jobs:
        by_item.setdefault(job.item, []).append(job)
    made, seconds = list[Comparison](), list[dict[str, Any]]()
    drawn: dict[str, list[Ledger]] = {}
    for item in sorted(found, key=lambda item: not item.drawn_for):  # what was drawn for an item comes before it
        if origin[item.name] not in unready:
            parts = [failed_part(job.label, item.task, blocks(item.task)[job.block], failed[job]) if job in failed
                     else part_of(store.read(job.key)) for job in by_item[item.name]]
            took = _seconds(item.name, parts)
            one = _comparison(item, parts, models, suite.question)
            if item.drawn_for:
                drawn.setdefault(item.drawn_for, []).append(one.ledger)
                continue
            seconds += took
            made.append(one if item.name not in drawn else Comparison(with_pvalues(one.ledger, drawn[item.name])))
    return Results(suite, made, pd.DataFrame(seconds, columns=["data", "model", "fit", "seconds"]), len(all_jobs),
                   len(all_jobs) - len(absent), waiting, failed, unready)


def comparisons(out: str | Path) -> list[Comparison]:
    """Return one comparison a data set and seed, from the finished jobs in `out`.

    Raises
    ------
    StoreError
        If jobs are missing; run resume first.
    """
    found = results(out)
    absent = [*found.waiting, *found.failed]
    if absent:
        raise StoreError(f"{len(absent)} of {found.jobs} jobs in {out} have no result, the first is "
                         f"{absent[0].label} on {absent[0].item}; run varnn benchmark resume --out {out}")
    return found.comparisons


def board(results: list[Comparison]) -> pd.DataFrame:
    """Return one row a data set × model × step, averages over origins and series; the committed form of a result."""
    tables = []
    for result in results:
        table = result.by_horizon.assign(data=result.ledger.meta["title"])
        gap = result.oracle_gap
        if gap is not None:
            table = table.merge(gap[["model", "step", "gap_closed"]], on=["model", "step"], how="left")
        tables.append(table)
    joined = pd.concat(tables, ignore_index=True)
    return joined.reindex(columns=[*COLUMNS, *(["boot_p"] if "boot_p" in joined else [])])


def report(out: str | Path) -> Path:
    """Write the site (`index.html`), `board.csv` and the tables of what is done in `out`; return the first page.

    Jobs that failed are holes in the numbers, named on the first page; data sets whose jobs are not all done are
    left out and named there too.

    Raises
    ------
    StoreError
        If no data set is done, or the files cannot be written.
    """
    from varnn.report.site import Standing, render_site

    folder, found = Path(out), results(out)
    if not found.comparisons:
        raise StoreError(f"no data set in {folder} is done: {found.done} of {found.jobs} jobs have a result; run varnn "
                         f"benchmark resume --out {folder}")
    code = all_code(found.suite.forecasters().values())
    write_table(folder / SECONDS, found.seconds)
    write_table(folder / BOARD, board(found.comparisons), float_format="%.10g")
    write_record(folder / CODE, code)
    facts = {one.ledger.meta["data"]: one.ledger.meta for one in found.comparisons}
    standing = Standing(
        title=found.suite.title, question=found.suite.question, suite=_suite_text(folder),
        code=[(piece.name, piece.version, piece.digest) for piece in code],
        jobs=found.jobs, done=found.done, waiting=found.unready,
        failed=[(job.item, job.label, reason) for job, reason in found.failed.items()],
        sources=[(name, "; ".join(str(meta[key]) for key in ("licence", "citation", "source") if meta[key]))
                 for name, meta in facts.items()])
    return render_site(found.comparisons, folder, standing, found.seconds)


def verify(results: str | Path, out: str | Path, *, rtol: float = 1e-6, sample: int | None = None,
           executor: str = "inline", workers: int = 2, progress: Progress | None = None) -> pd.DataFrame:
    """Run a committed result again and compare every number of its board.

    Parameters
    ----------
    results : path
        A folder with `suite.toml` and `board.csv`.
    out : path
        Where the new run goes.
    rtol : float
        Largest relative difference that counts as equal; other machines round the last digits differently.
    sample : int, optional
        Check only the first so many data sets.

    Returns
    -------
    DataFrame
        One row a number that differs: data, model, step, column, committed, now. Empty if all agree.
    """
    folder = Path(results)
    text = _suite_text(folder)
    try:
        committed = pd.read_csv(folder / BOARD)
    except OSError as problem:
        raise StoreError(f"{folder} holds no {BOARD}: {problem.strerror}") from None
    if sample is not None:
        text, committed = _sampled(text, committed, sample)
    summary = run(text, out, executor=executor, workers=workers, progress=progress)
    if summary.failed:
        raise StoreError(f"{len(summary.failed)} jobs failed in the new run; see {Path(out) / FAILURES}")
    now = board(comparisons(out))
    both = committed.merge(now, on=["data", "model", "step"], how="outer", suffixes=(" then", " now"), indicator=True)
    return _differences(both, rtol)


def code_then(results: str | Path) -> tuple[Piece, ...]:
    """Return the code that made a committed result; nothing where none is recorded."""
    return read_record(Path(results) / CODE)


def code_now(results: str | Path) -> tuple[Piece, ...]:
    """Return the code that would make it now."""
    return all_code(Suite.parse(_suite_text(Path(results)), SUITE).forecasters().values())


def _differences(both: pd.DataFrame, rtol: float) -> pd.DataFrame:
    rows = [{"data": row["data"], "model": row["model"], "step": row["step"], "column": "(row)",
             "committed": row["_merge"] != "right_only", "now": row["_merge"] != "left_only"}
            for row in both[both["_merge"] != "both"].to_dict("records")]
    for column in [column for column in [*COLUMNS[3:], "boot_p"] if f"{column} then" in both]:
        then, now = (both[f"{column} {when}"].to_numpy(dtype=float) for when in ("then", "now"))
        differs = ~np.isclose(then, now, rtol=rtol, atol=1e-9, equal_nan=True) & (both["_merge"] == "both").to_numpy()
        rows += [{"data": row["data"], "model": row["model"], "step": row["step"], "column": column,
                  "committed": row[f"{column} then"], "now": row[f"{column} now"]}
                 for row in both[differs].to_dict("records")]
    return pd.DataFrame(rows, columns=["data", "model", "step", "column", "committed", "now"])


def _sampled(text: str, committed: pd.DataFrame, sample: int) -> tuple[str, pd.DataFrame]:
    """Keep the first `sample` data sets of a suite's text and of its board."""
    head, *entries = text.split("[[data]]")
    tail = entries[-1].partition("\n[models")
    kept = "[[data]]".join([head, *entries[:sample]])
    text = kept if sample >= len(entries) else kept + tail[1] + tail[2]
    titles = [entry.title for entry in Suite.parse(text, SUITE).data]
    return text, committed[[any(str(name).startswith(title) for title in titles) for name in committed["data"]]]


def _comparison(item: Item, parts: list[Part], models: dict[str, Forecaster], question: str) -> Comparison:
    for fit in (fit for part in parts for fit in part.fits):  # they differ from run to run; the report does not
        fit["seconds"] = np.nan
    if item.oracle is not None:
        parts = [*parts, oracle_part(replace(item.task, oracle=item.oracle))]
    about = item.about | {"command": f"varnn benchmark run {SUITE}", "question": question}
    return Comparison(assemble(parts, facts(item.task, models, about)))


def _seconds(name: str, parts: list[Part]) -> list[dict[str, Any]]:
    """Return the seconds each model took on one item, for one fit and in all."""
    spent: dict[str, list[dict[str, Any]]] = {}
    for fit in (fit for part in parts for fit in part.fits):
        spent.setdefault(fit["model"], []).append(fit)
    return [{"data": name, "model": model, "fit": float(np.median([fit["seconds"] for fit in fits if fit["refit"]])),
             "seconds": sum(fit["seconds"] for fit in fits)} for model, fits in spent.items()]


def _claim(folder: Path, suite_text: str) -> None:
    """Keep the suite with its results; refuse a folder that was begun with another one."""
    path = folder / SUITE
    if not path.exists():
        write_whole(path, suite_text)
    elif _suite_text(folder) != suite_text:
        raise StoreError(f"{folder} was begun with another suite; resume that one or give another folder")


def _suite_text(folder: Path) -> str:
    try:
        return (folder / SUITE).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise StoreError(f"{folder / SUITE} is no text; restore the suite that the run was begun with") from None
    except OSError:
        raise StoreError(f"{folder} holds no {SUITE}; give the folder of a benchmark run") from None


def _failures(folder: Path) -> dict[str, str]:
    """Return why jobs failed, by key, as the last run left it."""
    path = folder / FAILURES
    if not path.exists():
        return {}
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return {row["key"]: restored(row["reason"]) for row in table.to_dict("records")}
    except (OSError, ValueError, KeyError) as problem:
        raise StoreError(f"{path} is no list of failures ({problem}); delete it and resume, which writes it "
                         "again") from None


def _write_failures(folder: Path, reasons: Mapping[str, str], absent: Sequence[Job]) -> None:
    """Keep the reason of every absent job that has one."""
    rows = [{"key": job.key, "data": job.item, "model": job.label, "block": job.block, "reason": reasons[job.key]}
            for job in absent if job.key in reasons]
    path = folder / FAILURES
    if rows:
        write_table(path, pd.DataFrame(rows))
    else:
        path.unlink(missing_ok=True)


__all__ = ["Outcome", "Summary", "board", "comparisons", "report", "results", "resume", "run", "verify"]
