"""The test of linearity of a whole VAR: equal to brute force, true to its size where variance changes, and to gaps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import varnn
from varnn.errors import MissingDataError, ParameterError, RankDeficientError, TooShortError
from varnn.inference.system_linearity import system_linearity


def linear(n: int, k: int, seed: int, arch: float = 0.0) -> np.ndarray:
    rng, y, e = np.random.default_rng(seed), np.zeros((n, k)), np.zeros(k)
    for t in range(1, n):
        e = np.sqrt(1 - arch + arch * e**2) * rng.normal(size=k)
        y[t] = 0.5 * y[t - 1] + 0.1 * y[t - 1, ::-1] + e
    return y


def signs(n: int, seed: int) -> np.ndarray:
    rng, y = np.random.default_rng(seed), np.zeros((n, 2))
    for t in range(1, n):
        y[t] = 0.7 * np.sign(y[t - 1, ::-1]) + rng.normal(size=2)
    return y


def test_the_statistic_is_that_of_two_regressions():
    y = linear(120, 2, 1)
    z = (y - y.mean(axis=0)) / y.std(axis=0)
    X = np.column_stack([np.ones(119), z[:-1]])
    b = 1.5 * np.tanh(z[:-1] / 1.5)
    wide = np.column_stack([X, b[:, 0] ** 2, b[:, 0] * b[:, 1], b[:, 1] ** 2, b**3])
    left = [z[1:] - one @ np.linalg.lstsq(one, z[1:], rcond=None)[0] for one in (X, wide)]
    small, large = (np.linalg.slogdet(e.T @ e)[1] for e in left)
    found = varnn.linearity(y, lags=1, draws=19)
    assert_allclose(found.statistic, small - large, rtol=1e-9)
    assert (found.lags, found.terms, found.n) == (1, 5, 119)


def test_it_depends_on_neither_units_nor_the_order_of_the_columns():
    y = signs(150, 2)
    found = varnn.linearity(y, lags=2, draws=49)
    moved = varnn.linearity(y * [1e6, 1e-4] + [3.0, 1e3], lags=2, draws=49)
    assert_allclose(moved.statistic, found.statistic, rtol=1e-6)
    assert_allclose(varnn.linearity(y[:, ::-1], lags=2, draws=49).statistic, found.statistic, rtol=1e-9)


def test_the_same_seed_gives_the_same_p_and_another_seed_another():
    y = linear(100, 1, 3)
    assert varnn.linearity(y, rng=1) == varnn.linearity(y, rng=1)
    assert varnn.linearity(y, rng=1).pvalue != varnn.linearity(y, rng=2).pvalue


@pytest.mark.parametrize("arch", [0.0, 0.5])
def test_linear_series_are_seldom_rejected_also_where_variance_changes(arch):
    rejected = sum(varnn.linearity(linear(100, 2, seed, arch), lags=1, draws=39).pvalue <= 0.05 for seed in range(80))
    assert rejected <= 10  # 4 are expected; 10 or fewer with probability .997


def test_a_sign_process_is_seen_and_said():
    found = varnn.linearity(signs(200, 4))
    assert found.pvalue == 0.002
    assert "misses structure" in found.sentence("the pair")
    quiet = varnn.linearity(linear(200, 2, 5))
    assert "misses nothing that 199 rows could show (a gap of" in quiet.sentence()


def test_a_fit_is_asked_with_its_own_lags_and_inputs():
    y, x = linear(120, 2, 6), np.random.default_rng(6).normal(size=(120, 1))
    fit = varnn.VAR(lags=2).fit(y, x)
    assert fit.test_linearity(draws=49) == varnn.linearity(y, x, lags=2, draws=49)
    assert varnn.TanhRNN(lags=1, width=1).fit(y[:60]).test_linearity(draws=19).lags == 1


def test_rows_next_to_gaps_are_left_out():
    y = linear(120, 2, 7)
    y[40] = np.nan
    assert system_linearity(y, 1, "c", None, draws=19).n == 117


def test_a_series_in_which_nothing_is_new_drops_out():
    y = linear(150, 2, 8)
    twice = np.column_stack([y, np.roll(y[:, 0], 1)])[2:]
    assert_allclose(varnn.linearity(twice, lags=1, draws=19).n, 147)


@pytest.mark.parametrize(("error", "call"), [
    (TooShortError, lambda: varnn.linearity(np.random.default_rng(0).normal(size=18))),
    (TooShortError, lambda: varnn.linearity(np.random.default_rng(0).normal(size=40), lags=15)),
    (RankDeficientError, lambda: varnn.linearity(np.ones(50), lags=1)),
    (RankDeficientError, lambda: varnn.linearity(np.tile([0.0, 1.0], 50), lags=1)),
    (MissingDataError, lambda: varnn.linearity(np.full(50, np.nan))),
    (ParameterError, lambda: varnn.linearity(np.random.default_rng(0).normal(size=50), lags=0)),
    (ParameterError, lambda: varnn.linearity(np.random.default_rng(0).normal(size=50), draws=5)),
])
def test_what_cannot_be_tested_is_refused(error, call):
    with pytest.raises(error):
        call()
