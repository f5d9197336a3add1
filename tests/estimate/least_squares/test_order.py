"""Order search and rolling refits against statsmodels' own, one fit at a time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.tsa.api import VAR as Peer

from varnn.errors import InputError, RankDeficientError, TooShortError
from varnn.estimate.least_squares import order as order_module
from varnn.estimate.least_squares.order import CRITERIA, default_max_lags, search_orders
from varnn.estimate.least_squares.regression import fit_var, fit_windows
from varnn.estimate.least_squares.rolling import expanding_fits, one_step_forecasts


def autoregression(T, k, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(T, k))
    for t in range(2, T):
        y[t] += 0.5 * y[t - 1] - 0.3 * y[t - 2, ::-1]
    return y


@pytest.mark.parametrize(("T", "k", "trend", "q"), [
    (200, 3, "c", 0), (200, 3, "ct", 1), (150, 2, "n", 0), (150, 2, "n", 1), (1500, 10, "c", 0)])
def test_all_criteria_equal_select_order(T, k, trend, q):
    y, x = autoregression(T, k), np.random.default_rng(1).normal(size=(T, q)) if q else None
    ours, peer = search_orders(y, 9, trend, x), Peer(y, exog=x).select_order(9, trend=trend)
    for name in CRITERIA:
        assert_allclose(ours.criteria[name], peer.ics[name], rtol=1e-9)
        assert ours.best(name) == peer.selected_orders[name]


@pytest.mark.parametrize("level", [0.0, 1e4])
def test_criteria_of_a_random_walk_equal_separate_exact_fits(level):
    y = level + np.cumsum(np.random.default_rng(0).normal(size=(300, 2)), axis=0)
    search = search_orders(y, 6)
    for p, aic in zip(search.orders, search.criteria["aic"], strict=True):
        fit = fit_var(y, int(p), start=6)
        log_det = np.linalg.slogdet(fit.resid.T @ fit.resid / 294)[1]
        assert_allclose(aic, log_det + 2 * (4 * p + 2) / 294, rtol=1e-9)


def test_gram_and_qr_routes_give_the_same_criteria(monkeypatch):
    y = autoregression(200, 3)
    quick = search_orders(y, 8)
    monkeypatch.setattr(order_module, "SMALLEST_PIVOT", 2.0)
    careful = search_orders(y, 8)
    for name in CRITERIA:
        assert_allclose(careful.criteria[name], quick.criteria[name], rtol=1e-11)


def test_orders_whose_lags_are_collinear_are_never_chosen():
    t = np.arange(80.0)
    y = np.column_stack([np.sin(t), np.random.default_rng(0).normal(size=80)])
    search = search_orders(y, 6)
    assert np.isinf(search.criteria["aic"][3:]).all()
    assert search.best("aic") == 2


def test_a_constant_series_is_named():
    y = autoregression(80, 2)
    y[:, 1] = 3.0
    names = ["const", *(f"L{i}.{name}" for i in range(1, 5) for name in ("a", "b"))]
    with pytest.raises(RankDeficientError, match="lag 1 of 'b' is constant"):
        search_orders(y, 4, names=names)


def test_an_order_beyond_the_sample_is_refused_with_the_longest_possible():
    with pytest.raises(TooShortError, match="use max_lags <= 9"):
        search_orders(autoregression(40, 3), 12)


@pytest.mark.parametrize(("T", "k"), [(12, 3), (30, 1), (40, 3), (100, 5), (5000, 2)])
def test_the_default_bound_leaves_three_rows_a_coefficient(T, k):
    p = default_max_lags(T, k)
    assert p <= 1 or T - p >= 3 * (k * p + 1)
    assert p <= round(12 * (T / 100) ** 0.25)


@pytest.mark.parametrize(("trend", "q"), [("c", 0), ("ct", 0), ("n", 1), ("c", 2)])
def test_expanding_refits_equal_single_fits(trend, q):
    y, x = autoregression(260, 3), np.random.default_rng(1).normal(size=(260, q)) if q else None
    ends = np.arange(120, 260, 7)
    fits = expanding_fits(y, ends, 2, trend, x)
    for i, end in enumerate(ends):
        single = fit_var(y[:end], 2, trend, None if x is None else x[:end])
        assert_allclose(fits.coef[i], single.coef, rtol=1e-9, atol=1e-11)
        assert_allclose(fits.sigma[i], single.sigma, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_orders_chosen_afresh_at_each_origin_equal_statsmodels_refits(criterion):
    y = autoregression(200, 2)
    ends = np.arange(80, 200, 8)
    fits = expanding_fits(y, ends, 6, criterion=criterion)
    forecasts = one_step_forecasts(y, fits)
    for i, end in enumerate(ends):
        peer = Peer(y[:end]).fit(6, ic=criterion)
        assert fits.lags[i] == peer.k_ar
        assert_allclose(forecasts[i], peer.forecast(y[:end], 1)[0], rtol=1e-9, atol=1e-11)


def test_an_origin_depends_on_no_other_origin_and_on_nothing_after_it():
    y = autoregression(200, 2)
    all_ends = expanding_fits(y, np.arange(100, 200), 3)
    few = expanding_fits(y, [150, 110], 3)
    noise = y.copy()
    noise[150:] = 1e6 * np.random.default_rng(9).normal(size=(50, 2))
    blind = expanding_fits(noise, [110, 150], 3)
    assert_array_equal(few.coef[0], all_ends.coef[50])
    assert_array_equal(few.coef[1], all_ends.coef[10])
    assert_array_equal(blind.coef[1], all_ends.coef[50])


@pytest.mark.parametrize("make", [
    lambda y: 1e4 + np.cumsum(y, axis=0), lambda y: y + 1e5 * (np.arange(len(y)) > 90)[:, None],
    lambda y: y + 1e7 * (np.arange(len(y)) == 149)[:, None]])
def test_expanding_refits_keep_nine_digits_on_hard_data(make):
    y = make(autoregression(200, 2))
    ends = [100, 150, 152, 200]
    fits = expanding_fits(y, ends, 2)
    for i, end in enumerate(ends):
        single = fit_var(y[:end], 2)
        assert_allclose(fits.coef[i], single.coef, rtol=1e-9, atol=1e-9 * np.abs(single.coef).max())
        assert_allclose(fits.sigma[i], single.sigma, rtol=1e-9)


def test_sliding_windows_are_the_fits_of_each_window():
    y = autoregression(150, 2)
    fits = fit_windows(y, [(end - 60, end) for end in range(60, 150, 10)], 1)
    assert_allclose(fits.coef[3], Peer(y[30:90]).fit(1).params, rtol=1e-10)


def test_windows_that_are_too_short_or_too_long_are_refused():
    y = autoregression(60, 2)
    with pytest.raises(TooShortError, match="needs at least"):
        expanding_fits(y, [6, 50], 3)
    with pytest.raises(InputError, match="61"):
        expanding_fits(y, [61], 1)
