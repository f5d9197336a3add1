"""Boards: suites are valid, results belong to them, protocols count every window, scores are the published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from benchmarks.lstnet import errors
from benchmarks.ltsf import Task, floors, iterated, score
from benchmarks.m4_weekly import scores
from benchmarks.peers import H, origins
from varnn.harness.suite import Suite
from varnn.models.rung1_var import VAR

FOLDER = Path(__file__).parents[1] / "benchmarks"
SUITES = sorted((FOLDER / "suites").glob("*.toml"))
RESULTS = sorted(path.parent for path in (FOLDER / "results").glob("*/board.csv"))


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_is_valid_and_shows_the_floor(path):
    models = Suite.read(path).forecasters()
    assert {"Naive", "Mean", "VAR"} <= set(models)


@pytest.mark.parametrize("folder", RESULTS, ids=lambda path: path.name)
def test_a_committed_suite_is_the_one_in_the_suites_folder(folder):
    committed = folder / "suite.toml"
    if committed.exists():
        assert committed.read_text() == (FOLDER / "suites" / f"{folder.name}.toml").read_text()


def task() -> Task:
    """Return a small task of the LTSF kind."""
    values = np.random.default_rng(0).standard_normal((300, 2)).cumsum(axis=0)
    return Task("small", (4, 8), (10, 20), 5, (200, 240, 300), values)


def test_all_windows_are_scored_and_the_last_batch_is_kept():
    small = task()
    for horizon in small.horizons:
        windows, targets = small.windows(horizon, 20)
        assert len(windows) == len(targets) == 300 - 240 - horizon + 1
        assert_allclose(windows[0, -1], small.values[239])
        assert_allclose(targets[-1, -1], small.values[-1])


def test_ltsf_errors_are_means_over_windows_steps_and_series():
    small, missed = task(), []
    found = score(small, 4, 20, floors(small, 4)["SeasonalNaive(5)"])
    for start in range(240, 297):
        missed.append(small.values[start:start + 4] - small.values[start - 5:start - 1])
    assert_allclose(found["mse"], np.mean(np.square(missed)))
    assert_allclose(found["mae"], np.mean(np.abs(missed)))


def test_iterated_paths_are_the_forecasts_of_the_model():
    small = task()
    fit = VAR(lags=2).fit(small.values[:200])
    made = iterated(fit, small.values, [250, 260], 6, 20)
    again = fit.update(small.values[200:260]).forecast(6, n_paths=20).point
    assert_allclose(made[1], again, rtol=1e-9)


def test_lstnet_scores_are_relative_squared_error_and_mean_correlation():
    rng = np.random.default_rng(1)
    y = rng.standard_normal((50, 3))
    forecast = y + 0.3 * rng.standard_normal((50, 3))
    found = errors(y, forecast)
    assert_allclose(found["rse"], np.sqrt(((y - forecast) ** 2).sum() / ((y - y.mean()) ** 2).sum()))
    assert_allclose(found["corr"], np.mean([np.corrcoef(y[:, j], forecast[:, j])[0, 1] for j in range(3)]))


def test_m4_scores_follow_the_organisers_formulas():
    train, test, made = {"a": np.array([1.0, 2.0, 4.0])}, {"a": np.array([5.0, 8.0])}, {"a": np.array([4.0, 4.0])}
    smape, mase = scores(train, test, made)
    assert_allclose(smape, 100 * (2 * 1 / 9 + 2 * 4 / 12) / 2)
    assert_allclose(mase, 2.5 / 1.5)


def test_the_naive_row_of_m4_weekly_is_the_published_naive2():
    board = pd.read_csv(FOLDER / "results" / "m4_weekly" / "board.csv", index_col="model")
    assert_allclose(board.loc["Naive (= Naive2)", ["smape", "mase"]].astype(float), [9.161, 2.777], atol=5e-4)


def test_every_origin_of_a_peer_leaves_room_for_its_steps():
    first, starts = origins(100)
    assert first == 70
    assert starts[0] == 70
    assert starts[-1] + H <= 100 < starts[-1] + 2 * H
