"""A benchmark gives the same bytes whoever runs it, and loses nothing when it is shot."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from varnn.errors import StoreError
from varnn.harness import execute
from varnn.harness.execute import Work
from varnn.harness.jobs import items, jobs
from varnn.harness.run import BOARD, FAILURES, SUITE, comparisons, report, resume, run, verify
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
    report(folder)
    return hashlib.sha256((folder / "index.html").read_bytes()).hexdigest()


def test_every_job_is_done_once_and_resuming_does_nothing(clean):
    again = resume(clean)
    assert (again.done, again.reused, again.failed) == (0, 24, {})


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
    raw[len(raw) // 2] ^= 1
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
