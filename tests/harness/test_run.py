"""A benchmark gives the same bytes whoever runs it, and loses nothing when it is shot."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from varnn.errors import DataNameError, ParameterError, StoreError
from varnn.evaluate.backtest import blocks, forecast_block
from varnn.harness import execute
from varnn.harness.execute import Outcome, Work
from varnn.harness.jobs import Job, items, jobs, part_of, run_jobs
from varnn.harness.run import BOARD, FAILURES, SUITE, _Keeper, comparisons, report, results, resume, run, verify
from varnn.harness.store import RESULTS, Store
from varnn.harness.suite import Suite
from varnn.models.rung0_naive import Mean

TEXT = """
title = "small"
n_paths = 20
[[data]]
name = "white_noise"
options = { n = 60 }
horizon = 1
origins = 24
refit = 2
[models.Naive]
[models.Mean]
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    run(TEXT, folder)
    report(folder)
    return folder


def page_hash(folder: Path) -> str:
    """Digest of every page and table but the seconds, which differ from run to run."""
    report(folder)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".html", ".csv")
             and path.stem not in ("speed", "seconds")]
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def test_every_job_is_done_once_and_resuming_does_nothing(clean):
    again = resume(clean)
    assert (again.done, again.reused, again.failed) == (0, 24, {})


def test_the_seconds_of_every_model_are_kept_beside_the_report(clean):
    seconds = results(clean).seconds
    assert list(seconds["model"]) == ["Naive", "Mean"]
    assert (seconds[["fit", "seconds"]] > 0).to_numpy().all()


@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_whoever_runs_it_the_report_has_the_same_bytes(clean, tmp_path, executor):
    if executor == "dask":
        pytest.importorskip("distributed")
    summary = run(TEXT, tmp_path, executor=executor)
    assert (summary.done, summary.failed) == (24, {})
    assert page_hash(tmp_path) == page_hash(clean)


def test_shot_at_any_moment_it_loses_no_finished_job(clean, tmp_path):
    program = f"from varnn.harness.run import run; run({TEXT!r}, {str(tmp_path)!r})"
    kept = 0
    for shot in range(6):
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        deadline = time.monotonic() + 30
        target = kept + 3
        while time.monotonic() < deadline and process.poll() is None:
            if len(Store(tmp_path)) >= target:
                break
            time.sleep(0.002)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = len(Store(tmp_path))
        assert now >= kept, f"shot {shot} lost {kept - now} finished jobs"
        kept = now
    assert kept >= 3
    finish = resume(tmp_path)
    assert finish.reused == kept
    assert page_hash(tmp_path) == page_hash(clean)


def test_an_altered_result_is_found_and_only_its_job_done_again(clean, tmp_path):
    run(TEXT, tmp_path)
    raw = bytearray((tmp_path / RESULTS).read_bytes())
    raw[raw.index(b"mean", len(raw) // 2)] ^= 1
    (tmp_path / RESULTS).write_bytes(raw)
    with pytest.raises(StoreError, match="1 of 24 jobs"):
        comparisons(tmp_path)
    mended = resume(tmp_path)
    assert (mended.done, mended.damaged) == (1, 1)
    assert page_hash(tmp_path) == page_hash(clean)


@dataclass(frozen=True, kw_only=True)
class Poison(Mean):
    """Kills the process it is fitted in."""

    def _estimate(self, series, exog, rng):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, kw_only=True)
class Buggy(Mean):
    """Has a defect."""

    def _estimate(self, series, exog, rng):
        raise ZeroDivisionError("a defect")


def test_a_job_that_kills_its_worker_is_given_up_and_the_others_finish():
    suite = Suite.parse(TEXT)
    found = items(suite)
    models = suite.forecasters() | {"Poison": Poison()}
    todo = [job for job in jobs(found, models) if job.label != "Poison" or job.block == 3]
    work = Work({item.name: item.task for item in found}, models)
    object.__setattr__(work, "tasks", {name: _without_oracle(task) for name, task in work.tasks.items()})
    outcomes = [one for some in execute.execute(work, todo, "processes", 2) for one in some]
    failed = [one for one in outcomes if one.payload is None]
    assert len(outcomes) == len(todo) == 25
    assert [(one.job.label, one.failure) for one in failed] == [("Poison", "its worker died 2 times")]


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_pool_that_breaks_while_it_is_given_work_loses_none(monkeypatch, refused):
    class Breaking(ProcessPoolExecutor):
        given = 0

        def submit(self, *work):
            Breaking.given += 1
            if Breaking.given == refused:
                raise BrokenProcessPool("a worker died")
            return super().submit(*work)

    monkeypatch.setattr(execute, "ProcessPoolExecutor", Breaking)
    suite = Suite.parse(TEXT)
    found, models = items(suite), suite.forecasters()
    work = Work({item.name: _without_oracle(item.task) for item in found}, models)
    todo = jobs(found, models)
    outcomes = [one for some in execute.execute(work, todo, "processes", 2) for one in some]
    assert sorted(one.job.key for one in outcomes if one.payload is not None) == sorted(job.key for job in todo)


def test_a_defect_in_a_model_is_reported_with_its_place_and_the_rest_is_kept():
    suite = Suite.parse(TEXT)
    found = items(suite)
    models = {"Buggy": Buggy(), "Mean": Mean()}
    work = Work({item.name: item.task for item in found}, models)
    outcomes = [one for some in execute.execute(work, jobs(found, models)) for one in some]
    reasons = {one.failure for one in outcomes if one.payload is None}
    assert len(reasons) == 1
    assert reasons.pop().startswith("ZeroDivisionError: a defect (_estimate")
    assert sum(one.payload is not None for one in outcomes) == 12


def test_a_failed_job_is_a_hole_in_the_report_that_says_why(clean, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "run_jobs", failing_once(execute.run_jobs))
    summary = run(TEXT, tmp_path)
    assert (summary.done, len(summary.failed)) == (23, 1)
    page = report(tmp_path).read_text()
    assert "1 jobs failed" in page
    assert "Mean on white_noise: ZeroDivisionError: a defect" in page
    with pytest.raises(StoreError, match="1 of 24 jobs"):
        comparisons(tmp_path)
    holes = results(tmp_path).comparisons[0].ledger
    lost = holes.forecasts[holes.forecasts["mean"].isna()]
    assert lost[["model", "origin"]].drop_duplicates().shape == (2, 2)          # both origins of the block
    assert set(holes.fits.loc[holes.fits["stop"] != "", "stop"].str[:17]) == {"ZeroDivisionError"}
    monkeypatch.undo()
    assert resume(tmp_path).done == 1
    assert page_hash(tmp_path) == page_hash(clean)


def test_a_report_of_an_unfinished_run_shows_what_is_done_and_names_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "MOST", 1)
    two = TEXT.replace("[models.Naive]", '[[data]]\nname = "ar"\nhorizon = 1\norigins = 4\n[models.Naive]')
    seen = 0

    def stop(done: int, total: int) -> None:
        nonlocal seen
        seen = done
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(two, tmp_path, progress=stop)
    assert len(Store(tmp_path)) == seen == 25                                   # nothing finished is lost
    page = report(tmp_path).read_text()
    assert "25 of 28 jobs are done" in page or "25 of" in page
    assert "wait for theirs: ar" in page
    assert (tmp_path / "data-white-noise.html").exists()
    assert not (tmp_path / "data-ar.html").exists()
    finish = resume(tmp_path)
    assert finish.reused == 25
    report(tmp_path)
    assert (tmp_path / "data-ar.html").exists()


def test_a_report_of_nothing_says_what_to_do(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(TEXT, tmp_path, progress=interrupted)
    with pytest.raises(StoreError, match=r"no data set in .* is done: 1 of 24 jobs"):
        report(tmp_path)


def test_a_suite_that_cannot_run_claims_no_folder(tmp_path):
    with pytest.raises(DataNameError, match="did you mean 'white_noise'"):
        run(TEXT.replace("white_noise", "white_noize"), tmp_path)
    assert run(TEXT, tmp_path).done == 24


@pytest.mark.parametrize("sync", [0.002, 0.02, 0.05])
def test_keeping_results_takes_less_than_a_fiftieth_of_the_time_on_fast_and_slow_disks(monkeypatch, sync):
    now = 0.0

    class Disk:
        def add(self, results):
            nonlocal now
            now += sync

    monkeypatch.setattr("varnn.harness.run.time.perf_counter", lambda: now)
    keeper = _Keeper(Disk())
    for number in range(20_000):
        now += 0.005                                                            # the work of one job
        keeper.take([Outcome(Job(str(number), "item", "label", 0), "payload")])
    keeper.flush()
    assert keeper.seconds < 0.02 * now


def interrupted(done: int, total: int) -> None:
    raise KeyboardInterrupt


def failing_once(usual):
    """The fourth block of the mean has a defect."""
    def run_jobs(tasks, model, some):
        if ("Mean", 3) in [(job.label, job.block) for job in some]:
            raise ZeroDivisionError("a defect")
        return usual(tasks, model, some)
    return run_jobs


@pytest.mark.parametrize("options", [{}, {"lags": 1}, {"lags": 2, "trend": "ct"}, {"trend": "n"}])
def test_jobs_done_together_have_the_bits_of_jobs_done_alone(options):
    walks = [{"name": name, "horizon": 3, "origins": 8, "refit": 3, "options": {"n": 50}}
             for name in ("random_walk", "var", "ar", "white_noise")]
    suite = Suite.model_validate({"title": "t", "n_paths": 25, "seeds": [0, 1], "data": walks, "models": {
        "VAR": {"options": options}, "Naive": {}, "SeasonalNaive": {"options": {"season": 4}}, "Mean": {},
        "Drift": {}}})
    found, models = items(suite), suite.forecasters()
    tasks = {item.name: item.task for item in found}
    for label, model in models.items():
        some = [job for job in jobs(found, models) if job.label == label]
        together = run_jobs([tasks[job.item] for job in some], model, some)
        for job, text in zip(some, together, strict=True):
            task = tasks[job.item]
            part, alone = part_of(text), forecast_block(label, model, task, blocks(task)[job.block])
            assert json.dumps(part.forecasts) == json.dumps(alone.forecasts, default=np.ndarray.tolist)
            assert json.dumps(part.joint) == json.dumps(alone.joint, default=np.ndarray.tolist)
            assert [(fit["stop"], fit["notes"]) for fit in part.fits] == [(f["stop"], f["notes"]) for f in alone.fits]


def test_another_suite_in_the_same_folder_is_refused(clean):
    with pytest.raises(StoreError, match="begun with another suite"):
        run(TEXT.replace("small", "other"), clean)


def test_no_failures_no_failure_file(clean):
    assert not (clean / FAILURES).exists()


def test_a_committed_result_is_verified_number_by_number(clean, tmp_path):
    committed = tmp_path / "committed"
    committed.mkdir()
    (committed / SUITE).write_text(TEXT)
    board = pd.read_csv(clean / BOARD)
    board.to_csv(committed / BOARD, index=False)
    assert verify(committed, tmp_path / "again").empty
    board.loc[1, "rmse"] *= 1.001
    board.to_csv(committed / BOARD, index=False)
    wrong = verify(committed, tmp_path / "again")
    assert wrong[["model", "column"]].to_numpy().tolist() == [["Mean", "rmse"]]


def test_the_result_of_a_job_depends_on_its_key_alone():
    suite = Suite.parse(TEXT)
    keys = {job.key for job in jobs(items(suite), suite.forecasters())}
    again = {job.key for job in jobs(items(Suite.parse(TEXT)), suite.forecasters())}
    other = {job.key for job in jobs(items(Suite.parse(TEXT.replace("n = 60", "n = 61"))), suite.forecasters())}
    assert keys == again
    assert not keys & other


def _without_oracle(task):
    from dataclasses import replace

    return replace(task, oracle=None)


LIMITED = """
title = "limited"
job_seconds = {seconds}

[[data]]
name = "sunspots"
horizon = 2
origins = 2

[models.Naive]
class = "Naive"

[models.TanhRNN]
class = "TanhRNN"
"""


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_job_that_takes_too_long_is_named_and_the_others_are_done(tmp_path, executor):
    slow = "options = { starts = 2000 }"  # minutes; a worker's first job of the other model loads what it needs
    summary = run(LIMITED.format(seconds=6) + slow, tmp_path / "out", executor=executor, workers=1)
    assert {job.label for job in summary.failed} == {"TanhRNN"}
    assert set(summary.failed.values()) == {"took longer than job_seconds=6"}
    assert summary.done >= 1


def test_a_cluster_cannot_limit_a_job(tmp_path):
    with pytest.raises(ParameterError, match="job_seconds=1 needs executor='inline' or 'processes'"):
        run(LIMITED.format(seconds=1), tmp_path / "out", executor="tcp://127.0.0.1:9")


def test_a_scheduler_that_is_not_there_is_named(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("varnn.harness.execute.PATIENCE_SECONDS", 0.5)
    with pytest.raises(StoreError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run(LIMITED.replace("job_seconds = {seconds}", ""), tmp_path / "out", executor="tcp://127.0.0.1:9")
