"""Intervals: statsmodels' without parameter uncertainty, classical ones with it, and coverage that holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from varnn import VAR
from varnn.data import simulate
from varnn.data.process import recipes
from varnn.estimate.least_squares.paths import lag_matrices
from varnn.estimate.least_squares.small_sample import are_stable, forecast_variances, spread_correction
from varnn.estimate.numerics.companion import forecast_covariance, moving_average


def frame(T: int = 80, k: int = 3, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(simulate("var", T, seed).values[:, :k], columns=[f"y{j + 1}" for j in range(k)])


@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_without_parameter_uncertainty_intervals_are_those_of_statsmodels(lags, trend):
    api = pytest.importorskip("statsmodels.tsa.api")
    y = frame()
    point, low, high = api.VAR(y).fit(lags, trend=trend).forecast_interval(y.to_numpy()[-lags:], 8, alpha=0.1)
    found = VAR(lags=lags, trend=trend).fit(y).forecast(8, uncertainty="none", coverage=0.9)
    lower, upper = found.interval()
    assert_allclose(found.point, point, rtol=0, atol=1e-9)
    assert_allclose(lower, low, rtol=0, atol=1e-9)
    assert_allclose(upper, high, rtol=0, atol=1e-9)


def test_one_step_intervals_of_a_regression_are_the_students_of_the_textbook():
    y = frame(40, k=1)
    fit = VAR(lags=2).fit(y)
    row = np.array([1.0, y.iloc[-1, 0], y.iloc[-2, 0]])
    spread = np.sqrt(fit.sigma_u[0, 0] * (1 + row @ fit.estimate.inverse_gram @ row))
    reach = stats.t.ppf(0.95, fit.df_resid) * spread
    lower, upper = fit.forecast(1, n_paths=200_000, coverage=0.9).interval()
    centre = fit.forecast(1).point[0, 0]
    assert_allclose([lower.iloc[0, 0], upper.iloc[0, 0]], [centre - reach, centre + reach], atol=0.02 * reach)


def test_in_a_long_sample_parameter_uncertainty_vanishes():
    fit = VAR(lags=2).fit(frame(5000))
    full, none = fit.forecast(8, n_paths=20_000), fit.forecast(8, uncertainty="none")
    assert_allclose(full.paths.std(axis=0), none.spread, rtol=0.03)


def test_paths_at_one_step_have_the_spread_of_luetkepohls_approximate_mse():
    fit = VAR(lags=2).fit(frame(400))
    spread = np.sqrt(np.diagonal(fit.mse(4, estimation_error=True), axis1=1, axis2=2))
    assert_allclose(fit.forecast(4, n_paths=40_000).paths.std(axis=0), spread, rtol=0.04)


def test_variances_for_many_draws_are_those_of_each():
    coefs = np.stack([VAR(lags=2).fit(frame(seed=seed)).coefs for seed in (0, 1)])
    sigma = VAR(lags=2).fit(frame()).sigma_u
    for draw, found in zip(coefs, forecast_variances(coefs, sigma, 6), strict=True):
        known = forecast_covariance(moving_average(draw, 5), sigma)
        assert_allclose(found, np.diagonal(known, axis1=1, axis2=2), rtol=1e-10)


def test_stability_is_judged_as_by_eigenvalues():
    rng = np.random.default_rng(0)
    coefs = 0.45 * rng.standard_normal((400, 2, 2, 2))
    moves = np.zeros((400, 4, 4))
    moves[:, :2] = np.concatenate([coefs[:, 0], coefs[:, 1]], axis=2)
    moves[:, 2:, :2] = np.eye(2)
    radius = np.abs(np.linalg.eigvals(moves)).max(axis=1)
    clear = np.abs(radius - 1) > 0.02
    assert (are_stable(coefs, np.ones(2)) == (radius < 1))[clear].all()


def test_responses_are_narrowed_most_where_many_lags_meet_few_rows():
    factors = []
    for T, lags in ((50, 4), (50, 1), (2000, 1)):
        fit = VAR(lags=lags).fit(frame(T))
        draws = fit._draw(400, np.random.default_rng(0))
        coefs = lag_matrices(draws.weights, fit.k_ar)
        factors.append(spread_correction(fit.coefs, fit.sigma_u, coefs, np.zeros(fit.coefs.shape), 12)[-1].mean())
    assert factors[0] < factors[1] < factors[2] <= 1.0 + 1e-3
    assert factors[2] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("lags", [1, 4])
def test_ninety_percent_of_outcomes_lie_in_ninety_percent_intervals_of_fifty_rows(lags):
    process, held = recipes()["var"].build(), []
    for seed in range(60):
        drawn = process.run(50, seed)
        truth = drawn.ahead(50, 12, paths=100, rng=seed + 1000)
        lower, upper = VAR(lags=lags).fit(drawn.values).forecast(12, rng=seed).interval(0.9)
        held.append(((lower.to_numpy() <= truth) & (truth <= upper.to_numpy())).mean(axis=0)[[0, 3, 11]])
    coverage = np.mean(held, axis=0)
    assert (np.abs(coverage - 0.9) < 0.045).all()  # statsmodels: .82 at one step with 4 lags


def test_without_small_sample_care_four_lags_would_be_far_off():
    process, held = recipes()["var"].build(), []
    for seed in range(60):
        drawn = process.run(50, seed)
        truth = drawn.ahead(50, 1, paths=100, rng=seed + 1000)
        lower, upper = VAR(lags=4).fit(drawn.values).forecast(1, uncertainty="none").interval(0.9)
        held.append(((lower.to_numpy() <= truth) & (truth <= upper.to_numpy())).mean())
    assert np.mean(held) < 0.86


@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")
def test_explosive_estimates_still_give_finite_paths():
    y = np.cumsum(np.cumsum(np.random.default_rng(0).standard_normal((60, 2)), axis=0), axis=0)
    assert np.isfinite(VAR(lags=2).fit(y).forecast(40).paths).all()


def test_a_single_path_and_a_single_step_are_enough():
    assert VAR(lags=4).fit(frame(50)).forecast(1, n_paths=1).paths.shape == (1, 1, 3)
