"""The default comparison: what it covers, and that its numbers depend on nothing but the seed."""

from __future__ import annotations

import pytest

from varnn.cli.demo import JOBS, Job, fresh, read, render, run
from varnn.data import about
from varnn.errors import StoreError

QUICK = (Job(data="interest_inflation", horizon=2, origins=4, models=("Naive", "VAR")),
         Job(data="var", horizon=2, origins=4, models=("Mean", "VAR"), options={"n": 120}))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    return out, run(out, jobs=QUICK, workers=2)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out, seen = tmp_path_factory.mktemp("alone"), []
    run(out, jobs=QUICK, workers=1, progress=lambda names, done, total: seen.append((names, done, total)))
    return out, seen


def test_the_jobs_are_six_real_and_four_simulated_series_that_need_no_network():
    origins = [about(job.data).origin for job in JOBS]
    assert origins == ["bundled"] * 6 + ["simulated"] * 4


def test_the_simulated_series_are_compared_with_their_best_possible_forecast(ran):
    real, simulated = ran[1]
    assert real.oracle_gap is None
    assert simulated.oracle_gap is not None


def test_the_numbers_do_not_depend_on_the_number_of_workers(ran, alone):
    for job in QUICK:
        for table in ("forecasts.csv", "joint.csv"):
            one, two = (folder / "ledger" / job.data / table for folder in (alone[0], ran[0]))
            assert one.read_bytes() == two.read_bytes()


def test_progress_says_what_runs_and_ends_with_all_done(alone):
    assert alone[1][-1] == ("", 2, 2)
    assert {names for names, _, _ in alone[1]} >= {"interest_inflation"}


def test_the_page_is_rebuilt_with_the_same_bytes(ran, tmp_path):
    results, title = read(ran[0])
    again = render(results, tmp_path, title)
    assert again.read_bytes() == (ran[0] / "index.html").read_bytes()


def test_a_second_run_replaces_the_ledgers_of_the_first_and_nothing_else(alone):
    home = alone[0] / "ledger"
    (home / "notes").mkdir()
    fresh(home)
    assert sorted(path.name for path in home.iterdir()) == ["notes", "report.json"]


def test_a_damaged_list_of_ledgers_is_refused(ran, tmp_path):
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "report.json").write_text("{")
    with pytest.raises(StoreError, match=r"report\.json is damaged"):
        read(tmp_path)
