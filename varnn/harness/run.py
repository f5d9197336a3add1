"""Run a suite, resume it, put its results together, check a committed result.

The only part of the harness that the command line calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from varnn.errors import StoreError
from varnn.evaluate.backtest import assemble, oracle_part
from varnn.harness.execute import Outcome, Work, execute
from varnn.harness.jobs import Item, Job, items, jobs, part_of
from varnn.harness.store import Store
from varnn.harness.suite import Suite
from varnn.ladder import Comparison, facts

SUITE = "suite.toml"
FAILURES = "failures.csv"
BOARD = "board.csv"
SECONDS = "seconds.csv"  # apart from the rest, which has the same bytes whenever and wherever it was computed
COLUMNS = ["data", "model", "step", "n", "rmse", "mae", "mase", "rmsse", "crps", "coverage_90", "skill", "dm_p",
           "cw_p", "gap_closed"]

EVERY = 0.5  # seconds between syncs at most; what a crash can cost is the work of that long

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
        _claim(folder, suite_text)
        models, found = suite.forecasters(), items(suite)
        all_jobs = jobs(found, models)
        todo = [job for job in all_jobs if job.key not in store]
        work = Work({item.name: replace(item.task, oracle=None) for item in found}, models)
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
        failed = keeper.failed
        _write_failures(folder, failed)
    return Summary(len(todo) - len(failed), len(all_jobs) - len(todo), store.damaged, failed,
                   time.perf_counter() - started, keeper.seconds)


class _Keeper:
    """Hands outcomes to the store, several at a time when they come fast: a sync costs milliseconds."""

    def __init__(self, store: Store) -> None:
        self.store, self.failed, self.seconds = store, dict[Job, str](), 0.0
        self._waiting: dict[str, str] = {}
        self._last = time.perf_counter()

    def take(self, outcomes: Sequence[Outcome]) -> None:
        self._waiting |= {one.job.key: one.payload for one in outcomes if one.payload is not None}
        self.failed |= {one.job: one.failure for one in outcomes if one.payload is None}
        if time.perf_counter() - self._last > EVERY:
            self.flush()

    def flush(self) -> None:
        before = time.perf_counter()
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self.store.add(waiting)
        self._last = time.perf_counter()
        self.seconds += self._last - before


def resume(out: str | Path, **options: object) -> Summary:
    """Go on with the suite that `out` was begun with."""
    return run(_suite_text(Path(out)), out, **options)  # type: ignore[arg-type]


def comparisons(out: str | Path) -> list[Comparison]:
    """Return one comparison a data set and seed, from the finished jobs in `out`.

    Raises
    ------
    StoreError
        If jobs are missing; run resume first.
    """
    folder = Path(out)
    suite, store = Suite.parse(_suite_text(folder), SUITE), Store(folder)
    models, found = suite.forecasters(), items(suite)
    all_jobs = jobs(found, models)
    missing = [job for job in all_jobs if job.key not in store]
    if missing:
        raise StoreError(f"{len(missing)} of {len(all_jobs)} jobs in {folder} have no result, the first is "
                         f"{missing[0].label} on {missing[0].item}; run varnn benchmark resume --out {folder}")
    by_item: dict[str, list[Job]] = {}
    for job in all_jobs:
        by_item.setdefault(job.item, []).append(job)
    return [_comparison(item, by_item[item.name], store, suite) for item in found]


def board(results: list[Comparison]) -> pd.DataFrame:
    """Return one row a data set × model × step, averages over origins and series; the committed form of a result."""
    tables = []
    for result in results:
        table = result.by_horizon.assign(data=result.ledger.meta["title"])
        gap = result.oracle_gap
        if gap is not None:
            table = table.merge(gap[["model", "step", "gap_closed"]], on=["model", "step"], how="left")
        tables.append(table)
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)


def report(out: str | Path) -> Path:
    """Write `index.html`, `board.csv` and the tables of a finished benchmark into `out`; return the page."""
    from varnn.report.page import render

    folder, results = Path(out), comparisons(out)
    suite = Suite.parse(_suite_text(folder), SUITE)
    _seconds(folder, suite).to_csv(folder / SECONDS, index=False)
    board(results).to_csv(folder / BOARD, index=False, float_format="%.10g")
    return render(results, folder / "index.html", title=suite.title)


def verify(results: str | Path, out: str | Path, *, rtol: float = 1e-6, sample: int | None = None,
           executor: str = "inline", workers: int = 2) -> pd.DataFrame:
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
    summary = run(text, out, executor=executor, workers=workers)
    if summary.failed:
        raise StoreError(f"{len(summary.failed)} jobs failed in the new run; see {Path(out) / FAILURES}")
    now = board(comparisons(out))
    both = committed.merge(now, on=["data", "model", "step"], how="outer", suffixes=(" then", " now"), indicator=True)
    return _differences(both, rtol)


def _differences(both: pd.DataFrame, rtol: float) -> pd.DataFrame:
    rows = [{"data": row["data"], "model": row["model"], "step": row["step"], "column": "(row)",
             "committed": row["_merge"] != "right_only", "now": row["_merge"] != "left_only"}
            for row in both[both["_merge"] != "both"].to_dict("records")]
    for column in COLUMNS[3:]:
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


def _comparison(item: Item, mine: list[Job], store: Store, suite: Suite) -> Comparison:
    parts = [part_of(store.read(job.key)) for job in mine]
    for fit in (fit for part in parts for fit in part.fits):
        fit["seconds"] = np.nan
    if item.oracle is not None:
        parts.append(oracle_part(replace(item.task, oracle=item.oracle)))
    about = item.about | {"command": f"varnn benchmark run {SUITE}", "question": suite.question}
    return Comparison(assemble(parts, facts(item.task, suite.forecasters(), about)))


def _seconds(folder: Path, suite: Suite) -> pd.DataFrame:
    """Return the seconds each model took on each item, estimation and forecasts together."""
    store = Store(folder)
    rows = [{"data": job.item, "model": job.label, "seconds": sum(fit["seconds"] for fit in part.fits)}
            for job in jobs(items(suite), suite.forecasters()) for part in [part_of(store.read(job.key))]]
    return pd.DataFrame(rows).groupby(["data", "model"], sort=False)["seconds"].sum().reset_index()


def _claim(folder: Path, suite_text: str) -> None:
    """Keep the suite with its results; refuse a folder that was begun with another one."""
    path = folder / SUITE
    if not path.exists():
        path.write_text(suite_text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != suite_text:
        raise StoreError(f"{folder} was begun with another suite; resume that one or give another folder")


def _suite_text(folder: Path) -> str:
    try:
        return (folder / SUITE).read_text(encoding="utf-8")
    except OSError:
        raise StoreError(f"{folder} holds no {SUITE}; give the folder of a benchmark run") from None


def _write_failures(folder: Path, failed: Mapping[Job, str]) -> None:
    rows = [{"data": job.item, "model": job.label, "block": job.block, "reason": reason}
            for job, reason in failed.items()]
    path = folder / FAILURES
    if rows:
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        path.unlink(missing_ok=True)


__all__ = ["Outcome", "Summary", "board", "comparisons", "report", "resume", "run", "verify"]
