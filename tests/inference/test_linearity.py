"""Linearity tests hold their size, have the power the literature reports, and refuse what they cannot test."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from varnn.errors import MissingDataError, ParameterError, RankDeficientError, ShapeError, TooShortError
from varnn.inference.linearity import terasvirta, terasvirta_regression, white


def simulate(mean, count: int, n: int = 200, seed: int = 0) -> np.ndarray:
    """Paths (count, n) of y_t = mean(y_{t−1}) + e_t after a burn-in of 50."""
    shocks = np.random.default_rng(seed).normal(size=(count, n + 50))
    y = np.zeros((count, n + 50))
    for t in range(1, n + 50):
        y[:, t] = mean(y[:, t - 1]) + shocks[:, t]
    return y[:, 50:]


PROCESSES = {"SGN": (np.sign, 0.98), "TAR": (lambda y: np.where(np.abs(y) <= 1, 0.9 * y, -0.3 * y), 0.88),
             "NAR": (lambda y: 0.7 * np.abs(y) / (np.abs(y) + 2), 0.12)}


@pytest.mark.parametrize("test", [terasvirta, white])
def test_a_linear_series_is_rejected_as_often_as_the_test_says(test):
    rates = [test(y).pvalue < 0.05 for y in simulate(lambda y: 0.6 * y, 1000)]
    assert abs(np.mean(rates) - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("name", PROCESSES)
def test_power_at_two_hundred_rows_is_that_of_lee_white_and_granger(name):
    mean, least = PROCESSES[name]
    paths = simulate(mean, 400, seed=1)
    power = max(np.mean([test(y).pvalue < 0.05 for y in paths]) for test in (terasvirta, white))
    assert power > least


def test_the_f_form_of_one_lag_is_the_textbook_f_test():
    y = simulate(np.tanh, 1, seed=2)[0]
    z = (y - y.mean()) / y.std(ddof=1)
    x, target = z[:-1], z[1:]
    small, big = np.column_stack([np.ones(199), x]), np.column_stack([np.ones(199), x, x**2, x**3])
    ssr = [((target - a @ np.linalg.lstsq(a, target, rcond=None)[0]) ** 2).sum() for a in (small, big)]
    expected = ((ssr[0] - ssr[1]) / 2) / (ssr[1] / 197)
    result = terasvirta(y)
    assert_allclose(result.statistic, expected, rtol=1e-9)
    assert_allclose(result.pvalue, stats.f.sf(expected, 2, 197), rtol=1e-8)


def test_statistics_do_not_depend_on_level_and_units():
    y = simulate(np.sign, 1, seed=3)[0]
    assert_allclose(terasvirta(1e6 + 1e3 * y, 2).statistic, terasvirta(y, 2).statistic, rtol=1e-6)
    assert_allclose(white(1e6 + 1e3 * y, 2, rng=4).statistic, white(y, 2, rng=4).statistic, rtol=1e-6)


def test_whites_test_repeats_with_its_seed_and_needs_it():
    y = simulate(np.sign, 1, seed=5)[0]
    assert white(y, rng=1) == white(y, rng=1)
    assert white(y, rng=1).statistic != white(y, rng=2).statistic


def test_residuals_of_a_linear_fit_can_be_tested_on_its_regressors():
    y = simulate(np.sign, 1, seed=6)[0]
    z = (y - y.mean()) / y.std(ddof=1)
    linear = np.column_stack([np.ones(199), z[:-1]])
    residual = z[1:] - linear @ np.linalg.lstsq(linear, z[1:], rcond=None)[0]
    direct = terasvirta(y)
    assert terasvirta_regression(residual, y[:-1, None]).df == (2, 196)
    assert_allclose(terasvirta_regression(residual, y[:-1, None]).statistic, direct.statistic * 196 / 197, rtol=1e-6)


def test_many_regressors_lose_their_cross_products():
    rng = np.random.default_rng(7)
    assert terasvirta_regression(rng.normal(size=300), rng.normal(size=(300, 9))).df[0] == 18


def test_sentences_say_what_was_found():
    assert "misses structure" in terasvirta(simulate(np.sign, 1, seed=8)[0]).sentence("x")
    assert "misses nothing" in terasvirta(np.random.default_rng(9).normal(size=200)).sentence("x")


@pytest.mark.parametrize(("error", "call"), [
    (TooShortError, lambda: terasvirta(np.arange(12.0))),
    (TooShortError, lambda: terasvirta(np.random.default_rng(0).normal(size=60), 6)),
    (RankDeficientError, lambda: terasvirta(np.ones(50))),
    (RankDeficientError, lambda: terasvirta(np.tile([0.0, 1.0], 50))),
    (MissingDataError, lambda: terasvirta(np.full(50, np.nan))),
    (ShapeError, lambda: terasvirta(np.random.default_rng(0).normal(size=(50, 2)))),
    (ParameterError, lambda: terasvirta(np.random.default_rng(0).normal(size=50), 0)),
    (ParameterError, lambda: terasvirta(np.random.default_rng(0).normal(size=50), form="LM")),
    (ParameterError, lambda: white(np.random.default_rng(0).normal(size=50), units=2, components=2)),
    (ParameterError, lambda: white(np.random.default_rng(0).normal(size=50), reach=0)),
    (ShapeError, lambda: terasvirta_regression(np.ones(5), np.ones((4, 1)))),
])
def test_bad_input_is_refused_with_our_own_error(error, call):
    with pytest.raises(error):
        call()
