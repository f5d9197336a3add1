"""Boards: suites are valid, results belong to them, protocols count every window, scores are the published ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from benchmarks.lstnet import errors
from benchmarks.ltsf import Scale, Task, floors, in_logs, iterated, score
from benchmarks.m4_weekly import H as WEEKS
from benchmarks.m4_weekly import scores, weighted
from benchmarks.peers import H, origins
from benchmarks.suite import counts, verdicts
from benchmarks.sunspots_lynx import TASKS, one_step
from benchmarks.writing import picture
from varnn.comparison.compare import compare
from varnn.data import load
from varnn.evaluate.significance.pairwise import diebold_mariano
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


def test_the_index_of_boards_names_every_result_and_scripts_that_are_there():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(results/(\w+)", text))
    assert {path.name for path in (FOLDER / "results").iterdir() if path.is_dir()} <= named
    scripts = re.findall(r"python -m benchmarks\.([\w.]+)", text)
    assert all((FOLDER / (name.replace(".", "/") + ".py")).is_file() for name in scripts)


def task() -> Task:
    """Return a small task of the LTSF kind."""
    values = np.random.default_rng(0).standard_normal((300, 2)).cumsum(axis=0)
    scale = Scale(np.zeros(2), np.ones(2), np.zeros(2, dtype=bool))
    return Task("small", (4, 8), (10, 20), 5, (200, 240, 300), values, scale)


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


def test_whole_batches_leave_out_the_last_windows_and_nothing_else():
    small = task()                                          # 57 windows of 4 steps
    windows, targets = small.windows(4, 20, batch=25)
    assert len(windows) == len(targets) == 50
    assert_allclose(targets, small.windows(4, 20)[1][:50])
    naive = floors(small, 4)["Naive"]
    assert_allclose(score(small, 4, 20, naive, 25)["mse"], ((targets - windows[:, -1:]) ** 2).mean())


def test_growing_spread_asks_for_logarithms_and_the_scale_undoes_them():
    rng = np.random.default_rng(2)
    walk = 50 + rng.standard_normal((400, 1)).cumsum(axis=0)
    growth = np.exp(0.1 * rng.standard_normal((400, 1)).cumsum(axis=0))
    y = np.hstack([walk, growth, growth - growth.mean()])
    assert in_logs(y).tolist() == [False, True, False]
    scale = Scale(y.mean(axis=0), y.std(axis=0), in_logs(y))
    standard = scale.standard(y)
    assert_allclose(scale.to_logs(standard)[:, 1], np.log(y[:, 1]))
    assert_allclose(scale.from_logs(scale.to_logs(standard)), standard, atol=1e-12)


def test_weights_follow_the_errors_on_the_last_training_weeks_and_nothing_later():
    def ahead(step: float):
        return lambda train: {name: y[-1] + step * np.arange(1, WEEKS + 1) for name, y in train.items()}

    train = {"a": np.arange(60.0)}
    made = weighted({"right": ahead(1.0), "off by a half": ahead(0.5), "still": ahead(0.0)})(train)["a"]
    assert_allclose(made, 59 + np.arange(1, WEEKS + 1), rtol=1e-6)    # the one without errors gets all the weight
    two = weighted({"half": ahead(0.5), "still": ahead(0.0)})(train)["a"]
    assert_allclose(two, 59 + np.arange(1, WEEKS + 1) * 0.5 * 4 / 5)  # errors 1 : 2, weights 4 : 1


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


def test_ar_rows_on_sunspots_are_those_of_another_package():
    measured = pd.read_csv(FOLDER / "published" / "sunspots_lynx.csv").set_index(["task", "model"])["error"]
    task = TASKS[0]
    y = load(task.name).frame.to_numpy(dtype=float)[:280]
    for order in task.orders:
        made, _ = one_step(y, task.train, "VAR", {"lags": order})
        for part, rows in task.parts.items():
            missed = y[rows] - made[rows.start - task.train:rows.stop - task.train]
            assert (missed**2).mean() / task.divisor == pytest.approx(measured[part, f"AR({order})"], abs=5e-4)


def test_every_origin_of_a_peer_leaves_room_for_its_steps():
    first, starts = origins(100)
    assert first == 70
    assert starts[0] == 70
    assert starts[-1] + H <= 100 < starts[-1] + 2 * H


def test_the_tests_of_a_suite_are_those_of_its_losses_and_corrected_for_their_number():
    rng = np.random.default_rng(3)
    result = compare(rng.standard_normal((80, 2)).cumsum(axis=0), horizon=2, models=["Naive", "Mean", "VAR"],
                     origins=20, n_paths=20, about={"title": "walks"})
    found = verdicts([result])
    assert list(found["data"].unique()) == ["walks"]
    mean = found[found["model"] == "Mean"]
    assert (mean["dm_holm_p"] >= mean["dm_p"]).all()
    assert mean["dm_holm_p"].min() == pytest.approx(min(1.0, 2 * mean["dm_p"].min()))
    table = result.ledger.forecasts
    loss = ((table["observed"] - table["mean"]) / table["scale_rmse"]) ** 2
    first = table.assign(loss=loss)[table["step"] == 1].pivot_table(index="origin", columns="model", values="loss")
    test = diebold_mariano(first["Mean"].to_numpy(), first["VAR"].to_numpy())
    assert mean["dm_p"].iloc[0] == pytest.approx(test.pvalue)
    assert found.groupby("step")["mcs_p"].max().tolist() == [1.0, 1.0]    # the best always stays in
    assert counts(found).set_index("model").loc["Mean", "cells"] == "2"


def test_a_picture_has_the_same_bytes_each_time(tmp_path):
    for name in ("one.png", "two.png"):
        picture(tmp_path / name, lambda figure: figure.subplots().plot([0, 1], [1, 0], label="é"), (2.0, 1.5))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
