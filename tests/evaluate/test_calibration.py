"""Calibration checks: exactly uniform where they must be, loud where forecasts are wrong, of the size they claim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

from varnn.errors import MissingDataError, ParameterError, ShapeError
from varnn.evaluate.calibration import coverage_check, joint_pit, pit, pit_histogram, ranks, sharpness


def overlapping_normals(count: int, n: int, horizon: int, seed: int, k: int = 1) -> np.ndarray:
    """Standard normal h-step errors (count, n, k) that are MA(h − 1)."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=(count, n + horizon - 1, k))
    weights = 0.9 ** np.arange(horizon)
    weights /= np.sqrt((weights**2).sum())
    return sum(w * shocks[:, horizon - 1 - j:n + horizon - 1 - j] for j, w in enumerate(weights))


def test_ranks_of_outcomes_drawn_like_the_paths_are_uniform_even_with_ties():
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 6, size=(5, 40_000, 1)).astype(float)
    counts = np.bincount(ranks(draws[0], draws[1:], rng=1).ravel(), minlength=5)
    assert stats.chisquare(counts).pvalue > 0.01


def test_pit_of_few_paths_is_uniform_and_of_many_is_the_distribution_function():
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(4, 20_000, 1))
    assert stats.kstest(pit(draws[0], draws[1:], rng=2).ravel(), "uniform").pvalue > 0.01
    many = stats.norm.ppf((np.arange(50_000) + 0.5) / 50_000)[:, None, None]
    assert_allclose(pit(np.array([[0.7]]), many, rng=3), stats.norm.cdf(0.7), atol=1e-4)


def test_the_one_step_smooth_test_is_neymans():
    u = np.random.default_rng(2).random(50)
    z = 2 * u - 1
    polynomials = np.array([np.sqrt(3) * z, np.sqrt(5) * (3 * z**2 - 1) / 2, np.sqrt(7) * (5 * z**3 - 3 * z) / 2,
                            3 * (35 * z**4 - 30 * z**2 + 3) / 8])
    expected = (polynomials.sum(axis=1) ** 2).sum() / 50
    result = pit_histogram(u)
    assert_allclose(result.statistic, expected, rtol=1e-12)
    assert_allclose(result.pvalue, stats.chi2.sf(expected, 4), rtol=1e-9)
    assert_allclose(result.shares.sum(), 1.0)


@pytest.mark.parametrize(("n", "horizon"), [(50, 1), (100, 1), (100, 4), (200, 4), (100, 8)])
def test_the_smooth_test_rejects_right_forecasts_as_often_as_it_says(n, horizon):
    errors = overlapping_normals(2000, n, horizon, 3)[..., 0]
    rate = np.mean([pit_histogram(special.ndtr(e), horizon=horizon).pvalue < 0.05 for e in errors])
    assert abs(rate - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 2000) + (0.015 if horizon == 8 else 0.0)


@pytest.mark.parametrize(("n", "horizon"), [(60, 1), (120, 4)])
def test_the_smooth_test_of_several_dependent_series_keeps_its_size(n, horizon):
    shared = overlapping_normals(2000, n, horizon, 8, 1)
    errors = np.sqrt(0.6) * shared + np.sqrt(0.4) * overlapping_normals(2000, n, horizon, 9, 3)
    rate = np.mean([pit_histogram(special.ndtr(e), horizon=horizon).pvalue < 0.05 for e in errors])
    assert abs(rate - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 2000) + (0.015 if horizon > 1 else 0.0)
    alone = np.mean([pit_histogram(special.ndtr(e).ravel()).pvalue < 0.05 for e in errors])
    assert alone > 0.15  # as if the series of a date were independent


def test_the_joint_pit_of_one_series_is_its_pit():
    rng = np.random.default_rng(3)
    observed, paths = rng.normal(size=(6, 1)), rng.normal(size=(40, 6, 1))
    assert_allclose(joint_pit(observed, paths, rng=4), pit(observed, paths, rng=4)[:, 0])


def test_the_joint_pit_is_uniform_for_right_paths_and_sees_a_wrong_correlation():
    rng = np.random.default_rng(4)
    root = np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]])
    draws = rng.normal(size=(21, 20_000, 2)) @ root.T
    right = joint_pit(draws[0], draws[1:], rng=5)
    assert stats.kstest(right, "uniform").pvalue > 0.01
    apart = draws[1:].copy()
    apart[:, :, 1] = rng.permuted(apart[:, :, 1], axis=0)
    assert "too narrow" in pit_histogram(joint_pit(draws[0], apart, rng=5)[:400]).sentence()


@pytest.mark.parametrize(("transform", "words"), [
    (lambda e: 2 * e, "too narrow"), (lambda e: e / 2, "too wide"), (lambda e: e + 0.7, "above the distributions"),
    (lambda e: e - 0.7, "below the distributions")])
@pytest.mark.parametrize("horizon", [1, 4])
def test_wrong_distributions_are_found_and_named(transform, words, horizon):
    errors = overlapping_normals(1, 400, horizon, 4)[0, :, 0]
    result = pit_histogram(special.ndtr(transform(errors)), horizon=horizon)
    assert result.pvalue < 0.01
    assert words in result.sentence("the VAR")


@pytest.mark.parametrize("shape", [(100,), (100, 3)])
def test_nineteen_bins_in_twenty_stay_in_their_band_when_forecasts_are_right(shape):
    inside = []
    for u in np.random.default_rng(5).random((300, *shape)):
        result = pit_histogram(u)
        inside.append((result.shares >= result.lower) & (result.shares <= result.upper))
    assert 0.93 < np.mean(inside) < 0.985


@pytest.mark.parametrize(("n", "horizon", "k"), [(60, 1, 1), (200, 1, 1), (100, 1, 3), (100, 4, 1), (200, 4, 3)])
def test_coverage_bands_hold_the_share_of_right_intervals_as_often_as_they_say(n, horizon, k):
    errors = overlapping_normals(1500, n, horizon, 6, k)
    checks = [coverage_check(np.abs(e[:, 0] if k == 1 else e) < stats.norm.ppf(0.95), 0.9, horizon=horizon)
              for e in errors]
    outside = np.mean([not c.lower <= c.held <= c.upper for c in checks])
    assert outside < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1500) + 0.012  # few misses, skewed shares: at most 7.9 %
    assert np.mean([c.pvalue < 0.05 for c in checks]) < 0.079


def test_one_step_coverage_is_the_exact_binomial_test():
    inside = np.arange(240) >= 31
    check = coverage_check(inside, 0.9)
    assert_allclose(check.pvalue, stats.binomtest(209, 240, 0.9).pvalue)
    assert check.sentence("the tanh RNN") == ("At h=1 the 90 % bands of the tanh RNN held 87 % of 240 outcomes "
                                              "(expected 86–94 % if they were right).")


def test_bands_that_hold_everything_still_have_an_expected_range():
    check = coverage_check(np.ones((50, 2), dtype=bool), 0.9, horizon=4)
    assert 0.5 < check.lower < 0.9 < check.upper <= 1.0
    assert check.pvalue < 0.05


def test_sharpness_is_the_mean_width_by_horizon():
    lower = np.random.default_rng(7).normal(size=(20, 3, 2))
    upper = lower + np.array([1.0, 10.0]) * np.array([[1.0], [2.0], [3.0]])
    assert_allclose(sharpness(lower, upper), [[1, 10], [2, 20], [3, 30]])
    assert_allclose(sharpness(lower, upper, np.array([1.0, 10.0])), [1, 2, 3])


def test_short_and_bad_input_say_what_is_wrong():
    short = coverage_check(np.ones(5, dtype=bool), 0.9)
    assert not short.valid
    assert "5 origins are too few" in short.sentence()
    few = pit_histogram(np.full(6, 0.5), horizon=4)
    assert not few.valid
    assert "6 origins are too few" in few.sentence()
    assert_array_equal(few.edges, np.linspace(0, 1, 11))
    for error, call in [
            (ParameterError, lambda: coverage_check(np.ones(50, dtype=bool), 90)),
            (ShapeError, lambda: coverage_check(np.ones(50), 0.9)),
            (ParameterError, lambda: pit_histogram(np.full(50, 1.2))),
            (MissingDataError, lambda: pit_histogram(np.full(50, np.nan))),
            (ParameterError, lambda: pit_histogram(np.full(50, 0.5), bins=1)),
            (ShapeError, lambda: ranks(np.zeros((2, 1)), np.zeros((3, 1, 1)))),
            (MissingDataError, lambda: pit(np.full((1, 1), np.nan), np.zeros((3, 1, 1)))),
            (ShapeError, lambda: sharpness(np.ones((5, 1, 1)), np.zeros((5, 1, 1))))]:
        with pytest.raises(error):
            call()
