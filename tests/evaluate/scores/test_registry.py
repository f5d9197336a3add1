"""Scores equal scoringrules', brute force and the values of R's scoringRules; bad input is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from numpy.testing import assert_allclose
from scipy import stats

from varnn.errors import (
    DataNameError,
    MissingDataError,
    NonFiniteError,
    ParameterError,
    RankDeficientError,
    ShapeError,
    TooShortError,
    VarnnError,
)
from varnn.evaluate.scores import density as density_scores
from varnn.evaluate.scores import joint as joint_scores
from varnn.evaluate.scores import point as point_scores
from varnn.evaluate.scores.registry import SCORES, Prediction, Score, register, score

M, H, K = 60, 4, 3


@pytest.fixture
def observed() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(H, K)) * [1.0, 10.0, 0.1]


@pytest.fixture
def prediction() -> Prediction:
    paths = np.random.default_rng(2).gamma(2.0, size=(M, H, K)) * [1.0, 10.0, 0.1] - [1.0, 10.0, 0.1]
    return Prediction(mean=paths.mean(axis=0), paths=paths)


def last(paths: np.ndarray) -> np.ndarray:
    return np.moveaxis(paths, 0, -1)


@pytest.mark.parametrize(("estimator", "theirs"), [("empirical", "nrg"), ("fair", "fair")])
def test_crps_of_paths_equals_scoringrules(observed, prediction, estimator, theirs):
    expected = scoringrules.crps_ensemble(observed, last(prediction.paths), estimator=theirs, backend="numpy")
    assert_allclose(density_scores.crps(observed, prediction.paths, estimator=estimator), expected, rtol=1e-10)


def test_crps_keeps_its_digits_at_a_level_of_a_billion(observed, prediction):
    shifted = density_scores.crps(observed + 2.0**30, prediction.paths + 2.0**30)
    assert_allclose(shifted, density_scores.crps(observed, prediction.paths), rtol=1e-5)


def test_crps_of_one_path_is_the_absolute_error(observed, prediction):
    one = prediction.paths[:1]
    assert_allclose(density_scores.crps(observed, one), np.abs(observed - one[0]), rtol=1e-12)


def test_fair_crps_of_few_paths_averages_to_the_score_of_the_distribution():
    rng = np.random.default_rng(3)
    paths = rng.normal(size=(3, 40_000, 1))
    outcome = np.full((40_000, 1), 0.7)
    fair = density_scores.crps(outcome, paths, estimator="fair")
    error = fair.std() / 200.0
    assert abs(fair.mean() - float(density_scores.crps_normal(0.7, 0.0, 1.0))) < 3 * error


def test_closed_forms_equal_r_scoringrules():
    """R scoringRules 1.1.1, the project's anchor values."""
    assert_allclose(density_scores.crps_normal(0.0, 0.0, 1.0), 0.2336949773, atol=5e-11)
    assert_allclose(density_scores.crps_normal(1.0, 0.0, 2.0), 0.6628070625, atol=5e-11)
    assert_allclose(density_scores.log_score_normal(1.0, 0.0, 2.0), 1.737085714, atol=5e-10)
    assert_allclose(density_scores.crps_student(0.5, 5.0), 0.3496453472, atol=5e-11)


def test_closed_forms_equal_scoringrules_and_scipy():
    rng = np.random.default_rng(4)
    y, mu, sd, df = rng.normal(size=20) * 3, rng.normal(size=20), rng.uniform(0.1, 4, 20), rng.uniform(1.5, 30, 20)
    assert_allclose(density_scores.crps_normal(y, mu, sd), scoringrules.crps_normal(y, mu, sd), rtol=1e-10)
    assert_allclose(density_scores.crps_student(y, df, mu, sd),
                    scoringrules.crps_t(y, df, mu, sd, backend="numpy"), rtol=1e-10)
    assert_allclose(density_scores.log_score_normal(y, mu, sd), -stats.norm.logpdf(y, mu, sd), rtol=1e-10)
    assert_allclose(density_scores.log_score_student(y, df, mu, sd), -stats.t.logpdf(y, df, mu, sd), rtol=1e-10)


def test_crps_of_many_gaussian_paths_tends_to_the_closed_form():
    paths = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None, None]
    assert_allclose(density_scores.crps(np.array([[0.3]]), paths), density_scores.crps_normal([[0.3]], 0, 1), atol=1e-4)


def test_log_scores_and_dawid_sebastiani_equal_scoringrules(observed, prediction):
    paths = last(prediction.paths)
    assert_allclose(density_scores.log_score_kde(observed, prediction.paths),
                    scoringrules.logs_ensemble(observed, paths, backend="numpy"), rtol=1e-10)
    assert_allclose(density_scores.dawid_sebastiani(observed, prediction.paths),
                    scoringrules.dssuv_ensemble(observed, paths, backend="numpy"), rtol=1e-10)
    assert_allclose(2 * density_scores.log_score(observed, prediction.paths) - np.log(2 * np.pi),
                    density_scores.dawid_sebastiani(observed, prediction.paths), rtol=1e-10)


def test_the_kernel_density_score_stays_finite_far_in_the_tail(prediction):
    assert np.isfinite(density_scores.log_score_kde(np.full((H, K), 1e4), prediction.paths)).all()


def test_quantile_and_interval_scores_equal_scoringrules(observed, prediction):
    for level in (0.05, 0.5, 0.9):
        quantile = np.quantile(prediction.paths, level, axis=0)
        expected = scoringrules.quantile_score(observed, quantile, level, backend="numpy")
        assert_allclose(score(f"quantile_{level}")(observed, prediction), expected, rtol=1e-10)
    low, high = np.quantile(prediction.paths, [0.05, 0.95], axis=0)
    expected = scoringrules.interval_score(observed, low, high, 0.1, backend="numpy")
    assert_allclose(score("interval_0.9")(observed, prediction), expected, rtol=1e-10)


def test_the_weighted_quantile_loss_equals_scoringrules_crps_from_quantiles(observed, prediction):
    levels = np.array(density_scores.DECILES)
    quantiles = np.moveaxis(np.quantile(prediction.paths, levels, axis=0), 0, -1)
    expected = scoringrules.crps_quantile(observed, quantiles, levels, backend="numpy")
    assert_allclose(score("weighted_quantile_loss")(observed, prediction), expected, rtol=1e-10)


def test_weights_move_the_quantile_loss_to_one_level(observed, prediction):
    upper = density_scores.weighted_quantile_loss(observed, prediction.paths, weights=[0] * 8 + [3])
    assert_allclose(upper, 2 * score("quantile_0.9")(observed, prediction), rtol=1e-12)


@pytest.mark.parametrize(("fair", "theirs"), [(False, "nrg"), (True, "fair")])
def test_energy_score_equals_scoringrules(observed, prediction, fair, theirs):
    for step in range(H):
        expected = scoringrules.es_ensemble(observed[step], prediction.paths[:, step], estimator=theirs,
                                            backend="numpy")
        assert_allclose(joint_scores.energy(observed[step], prediction.paths[:, step], fair=fair), expected, rtol=1e-10)


def test_variogram_score_equals_scoringrules(observed, prediction):
    rng = np.random.default_rng(5)
    y, paths = observed.ravel(), prediction.paths.reshape(M, -1)
    weights = rng.uniform(size=(H * K, H * K))
    for order in (0.5, 1.0):
        expected = scoringrules.vs_ensemble(y, paths, p=order, backend="numpy")
        assert_allclose(joint_scores.variogram(y, paths, order=order), expected, rtol=1e-10)
    expected = scoringrules.vs_ensemble(y, paths, weights, backend="numpy")
    assert_allclose(joint_scores.variogram(y, paths, weights=weights), expected, rtol=1e-10)


def test_joint_scores_by_name_are_those_of_the_scaled_series(observed, prediction):
    scale = np.array([1.0, 10.0, 0.1])
    y, paths = observed / scale, prediction.paths / scale
    by_step = score("energy")(observed, prediction, scale)
    assert_allclose(by_step, [joint_scores.energy(y[i], paths[:, i]) for i in range(H)], rtol=1e-12)
    assert_allclose(score("variogram_path")(observed, prediction, scale),
                    joint_scores.variogram(y.ravel(), paths.reshape(M, -1)), rtol=1e-12)


def test_the_energy_score_of_one_dimension_is_the_crps(observed, prediction):
    assert_allclose(joint_scores.energy(observed[0, :1], prediction.paths[:, 0, :1]),
                    density_scores.crps(observed, prediction.paths)[0, 0], rtol=1e-12)


def test_the_variogram_score_sees_a_wrong_correlation_that_the_crps_cannot():
    rng = np.random.default_rng(6)
    right = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=400)
    wrong = np.column_stack([right[:, 0], rng.permutation(right[:, 1])])
    outcomes = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=200)
    gain = [joint_scores.variogram(y, wrong) - joint_scores.variogram(y, right) for y in outcomes]
    assert np.mean(gain) > 5 * np.std(gain) / np.sqrt(200)


def test_scaled_errors_average_to_mase_and_rmsse_of_their_definitions():
    rng = np.random.default_rng(7)
    training, y, mean = rng.normal(size=(40, K)), rng.normal(size=(H, K)), rng.normal(size=(H, K))
    forecast = Prediction(mean, np.empty((0, H, K)))
    seasonal = training[4:] - training[:-4]
    mase, rmsse = score("absolute_scaled_error"), score("squared_scaled_error")
    assert_allclose(mase(y, forecast, mase.scale_of(training, 4)).mean(axis=0),
                    np.abs(y - mean).mean(axis=0) / np.abs(seasonal).mean(axis=0), rtol=1e-12)
    assert_allclose(np.sqrt(rmsse(y, forecast, rmsse.scale_of(training, 4)).mean(axis=0)),
                    np.sqrt(((y - mean) ** 2).mean(axis=0) / (seasonal**2).mean(axis=0)), rtol=1e-12)


@pytest.mark.parametrize("name", [*SCORES, "quantile_0.3", "interval_0.8"])
def test_every_score_has_the_shape_of_its_grain_and_prefers_the_truth(name, prediction):
    rng = np.random.default_rng(8)
    entry = score(name)
    sizes = {"step and series": (H, K), "step": (H,), "path": ()}
    truth = rng.normal(size=(M, H, K))
    far = Prediction(truth.mean(axis=0) + 3.0, 2.0 * truth + 3.0)
    near, scale = Prediction(truth.mean(axis=0), truth), np.ones(K)
    gains = [entry(y, far, scale) - entry(y, near, scale) for y in rng.normal(size=(100, H, K))]
    assert gains[0].shape == sizes[entry.grain]
    assert (np.mean(gains, axis=0) > 0).all()


def test_a_score_of_ones_own_is_registered_once():
    entry = Score("test_only_bias", "bias", lambda y, f, _: y - f.mean)
    register(entry)
    try:
        assert score("test_only_bias") is entry
        with pytest.raises(ParameterError, match="exists already"):
            register(entry)
    finally:
        del SCORES["test_only_bias"]


@pytest.mark.parametrize("name", ["rmse", "quantile_1", "interval_x", "quantile_nan", "", None, 3])
def test_an_unknown_score_is_refused_with_the_list_of_known_ones(name):
    with pytest.raises(DataNameError, match="squared_error"):
        score(name)


def test_bad_shapes_and_numbers_are_refused_by_name(observed, prediction):
    crps, missing, infinite = score("crps"), observed.copy(), prediction.paths.copy()
    missing[2, 1], infinite[0, 0, 0] = np.nan, np.inf
    with pytest.raises(MissingDataError, match="step 3, series 1"):
        crps(missing, prediction)
    with pytest.raises(NonFiniteError, match="paths"):
        crps(observed, Prediction(prediction.mean, infinite))
    with pytest.raises(ShapeError, match="n_paths above 0"):
        crps(observed, Prediction(prediction.mean, np.empty((0, H, K))))
    with pytest.raises(ShapeError, match=r"observed has shape \(3, 3\)"):
        crps(observed[:3], prediction)
    with pytest.raises(ParameterError, match="scale_of"):
        score("absolute_scaled_error")(observed, prediction)
    with pytest.raises(NonFiniteError, match="not finite"), np.errstate(over="ignore"):
        score("squared_error")(np.full((H, K), 1e200), prediction)


def test_paths_without_spread_have_a_crps_but_no_density(observed):
    flat = np.zeros((5, H, K))
    assert_allclose(density_scores.crps(observed, flat), np.abs(observed))
    for density in (density_scores.log_score, density_scores.log_score_kde, density_scores.dawid_sebastiani):
        with pytest.raises(NonFiniteError, match="all paths agree at step 1 of series 0"):
            density(observed, flat)
        with pytest.raises(TooShortError, match="at least 2 paths, got 1"):
            density(observed, flat[:1])


@pytest.mark.parametrize("call", [
    lambda: density_scores.crps(np.zeros((1, 1)), np.zeros((2, 1, 1)), estimator="best"),
    lambda: density_scores.crps(np.zeros((1, 1)), np.zeros((1, 1, 1)), estimator="fair"),
    lambda: density_scores.crps_normal(0.0, 0.0, 0.0),
    lambda: density_scores.crps_student(0.0, 1.0),
    lambda: density_scores.quantile_loss(0.0, 0.0, 1.0),
    lambda: density_scores.weighted_quantile_loss(np.zeros((1, 1)), np.zeros((2, 1, 1)), levels=[]),
    lambda: density_scores.weighted_quantile_loss(np.zeros((1, 1)), np.zeros((2, 1, 1)), weights=[1.0]),
    lambda: density_scores.interval_score(0.0, 1.0, 0.0, 0.9),
    lambda: density_scores.interval_score(0.0, 0.0, 1.0, 95),
    lambda: joint_scores.energy(np.zeros(2), np.zeros((3, 1))),
    lambda: joint_scores.energy(np.zeros(2), np.zeros((1, 2)), fair=True),
    lambda: joint_scores.variogram(np.zeros(2), np.zeros((3, 2)), order=0.0),
    lambda: joint_scores.variogram(np.zeros(2), np.zeros((3, 2)), weights=np.ones(2)),
    lambda: point_scores.mase_scale(np.zeros((3, 1)), 3),
    lambda: point_scores.mase_scale(np.zeros(3), 1),
    lambda: point_scores.mase_scale(np.zeros((3, 1)), True),
])
def test_every_bad_argument_is_refused_with_our_own_error(call):
    with pytest.raises(VarnnError):
        call()


def test_a_constant_series_has_no_yardstick():
    with pytest.raises(RankDeficientError, match="series 1 repeats itself every row"):
        point_scores.rmsse_scale(np.column_stack([np.arange(9.0), np.ones(9)]))
