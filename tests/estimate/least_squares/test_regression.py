"""Least squares against statsmodels, against exact rational arithmetic, and against itself in company."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.tsa.api import VAR as Peer
from threadpoolctl import threadpool_limits

from varnn.errors import InputError, RankDeficientError, TooShortError
from varnn.estimate.least_squares import regression as closed_form
from varnn.estimate.least_squares.regression import fit_var, fit_windows, regressor_names


def autoregression(T, k, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(T, k))
    for t in range(2, T):
        y[t] += 0.5 * y[t - 1] - 0.2 * y[t - 2, ::-1] + 1.0
    return y


def exact_coefficients(y, lags):
    """Solve the normal equations with constant in rational arithmetic: no rounding at all."""
    rows = [[Fraction(1)] + [Fraction(float(v)) for i in range(1, lags + 1) for v in y[t - i]]
            for t in range(lags, len(y))]
    targets = [[Fraction(float(v)) for v in y[t]] for t in range(lags, len(y))]
    d, k = len(rows[0]), y.shape[1]
    table = [[sum(r[a] * r[b] for r in rows) for b in range(d)] +
             [sum(r[a] * s[j] for r, s in zip(rows, targets, strict=True)) for j in range(k)] for a in range(d)]
    for a in range(d):
        table[a] = [v / table[a][a] for v in table[a]]
        for b in range(d):
            if b != a:
                table[b] = [v - table[b][a] * w for v, w in zip(table[b], table[a], strict=True)]
    return np.array([[float(v) for v in row[d:]] for row in table])


@pytest.mark.parametrize(("T", "k", "p", "trend", "q"), [
    (200, 3, 2, "c", 0), (200, 3, 2, "ct", 2), (200, 3, 2, "n", 1), (90, 2, 8, "c", 0), (60, 2, 0, "c", 1),
    (5000, 10, 4, "c", 0), (3000, 30, 2, "ct", 2)])
def test_the_fit_equals_statsmodels_to_ten_digits(T, k, p, trend, q):
    y, x = autoregression(T, k), np.random.default_rng(1).normal(size=(T, q)) if q else None
    ours, peer = fit_var(y, p, trend, x), Peer(y, exog=x).fit(p, trend=trend)
    for mine, theirs in ((ours.coef, peer.params), (ours.resid, peer.resid), (ours.sigma, peer.sigma_u)):
        assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())
    assert_allclose(ours.bse, peer.bse, rtol=1e-10)
    assert ours.df_resid == peer.df_resid
    assert_allclose(ours.inverse_gram, np.linalg.inv(peer.endog_lagged.T @ peer.endog_lagged), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("scale", "offset"), [
    ([1.0, 1.0], [1e9, 1e8]), ([1e12, 1e-12], [0.0, 0.0]), ([1.0, 1e-6], [1e8, 1.0])])
def test_digits_survive_scales_and_offsets(scale, offset):
    y = autoregression(40, 2) * scale + offset
    exact = exact_coefficients(y, 1)
    assert_allclose(fit_var(y, 1).coef, exact, rtol=1e-11)


def test_a_random_walk_at_a_high_level_keeps_twelve_digits():
    y = 1e4 + np.cumsum(np.random.default_rng(2).normal(size=(60, 2)), axis=0)
    assert_allclose(fit_var(y, 2).coef, exact_coefficients(y, 2), rtol=1e-10)


def test_rescaled_columns_give_rescaled_coefficients():
    y, units = autoregression(150, 3), np.array([1e12, 1.0, 1e-12])
    plain, scaled = fit_var(y, 2), fit_var(y * units, 2)
    assert_allclose(scaled.coef[0], plain.coef[0] * units, rtol=1e-11)
    assert_allclose(scaled.coef[1:4] * units[:, None] / units, plain.coef[1:4], rtol=1e-11)
    assert_allclose(scaled.bse[0], plain.bse[0] * units, rtol=1e-11)


@pytest.mark.parametrize("well_conditioned", [0.0, 1e9])
@pytest.mark.parametrize(("trend", "q"), [("c", 0), ("ct", 2), ("n", 1)])
def test_the_routes_by_rows_by_shifts_and_by_qr_agree(trend, q, well_conditioned, monkeypatch):
    y, x = autoregression(400, 5), np.random.default_rng(1).normal(size=(400, q)) if q else None
    by_rows = fit_var(y, 3, trend, x)
    monkeypatch.setattr(closed_form, "LARGE", 0)
    monkeypatch.setattr(closed_form, "WELL_CONDITIONED", well_conditioned)
    by_shifts = fit_var(y, 3, trend, x)
    monkeypatch.setattr(closed_form, "WORST_CONDITION", 0.0)
    by_qr = fit_var(y, 3, trend, x)
    for other in (by_shifts, by_qr):
        assert not np.array_equal(other.coef, by_rows.coef)
        assert_allclose(other.coef, by_rows.coef, rtol=1e-10, atol=1e-12)
        assert_allclose(other.bse, by_rows.bse, rtol=1e-11)
        assert_allclose(other.resid, by_rows.resid, rtol=1e-9, atol=1e-11)
        assert_allclose(other.inverse_gram, by_rows.inverse_gram, rtol=1e-9, atol=1e-14)


def test_nearly_collinear_columns_go_to_qr_and_keep_their_digits():
    rng = np.random.default_rng(3)
    y = autoregression(50, 2)
    y[:, 1] = y[:, 0] + 1e-5 * rng.normal(size=50)
    assert_allclose(fit_var(y, 1).coef, exact_coefficients(y, 1), rtol=1e-9)


def test_an_outlier_in_the_last_row_does_not_cost_digits():
    y = autoregression(50, 2)
    y[-1] *= 1e9
    assert_allclose(fit_var(y, 1).coef, exact_coefficients(y, 1), rtol=1e-10)


def test_a_fit_has_the_same_bits_alone_and_in_any_company():
    y, x = autoregression(300, 3), np.random.default_rng(1).normal(size=(300, 1))
    windows = [(0, 200), (37, 251), (100, 300), (0, 60)]
    together = fit_windows(y, windows, 2, "c", x)
    backwards = fit_windows(y, windows[::-1], 2, "c", x)
    for i, (first, after) in enumerate(windows):
        alone = fit_var(y[first:after], 2, "c", x[first:after])
        for name in ("coef", "root", "resid", "sigma", "bse"):
            assert_array_equal(getattr(together[i], name), getattr(alone, name))
            assert_array_equal(getattr(backwards[3 - i], name), getattr(alone, name))


def test_a_trend_counts_from_one_in_each_window():
    y = autoregression(120, 2) + 0.05 * np.arange(120)[:, None]
    fits = fit_windows(y, [(0, 80), (40, 120)], 1, "ct")
    assert_allclose(fits[1].coef, fit_var(y[40:], 1, "ct").coef, rtol=1e-9)
    assert_allclose(fits[1].bse, fit_var(y[40:], 1, "ct").bse, rtol=1e-9)


@pytest.mark.parametrize("shape", [(4000, 12), (300, 3)])
def test_the_number_of_blas_threads_changes_no_bit(shape):
    y = autoregression(*shape)
    with threadpool_limits(1):
        one = fit_var(y, 2)
    with threadpool_limits(2):
        two = fit_var(y, 2)
    assert_array_equal(one.coef, two.coef)
    assert_array_equal(one.root, two.root)


def test_wide_windows_also_have_the_bits_of_single_fits():
    y = autoregression(2500, 12)
    fits = fit_windows(y, [(0, 2400), (100, 2500)], 2)
    assert_array_equal(fits[1].coef, fit_var(y[100:], 2).coef)


def test_a_constant_column_is_named():
    y = autoregression(60, 3)
    y[:, 1] = 7.25
    with pytest.raises(RankDeficientError, match=r"lag 1 of 'b' is constant.*drop 'b'"):
        fit_var(y, 1, names=regressor_names("abc", 1, "c"))


def test_a_collinear_column_is_named_with_its_partners():
    y = autoregression(60, 3)
    y[:, 2] = 2 * y[:, 0] - y[:, 1] + 3
    with pytest.raises(RankDeficientError, match=r"lag 1 of 'c' is a combination of lag 1 of 'a', lag 1 of 'b'"):
        fit_var(y, 1, names=regressor_names("abc", 1, "c"))


def test_equal_columns_at_a_high_offset_are_found_collinear():
    y = autoregression(60, 2)
    y[:, 1] = y[:, 0] + 1e9
    with pytest.raises(RankDeficientError, match="combination"):
        fit_var(y, 1)


def test_a_copied_exogenous_column_is_refused():
    y, x = autoregression(60, 2), np.random.default_rng(0).normal(size=(60, 1))
    with pytest.raises(RankDeficientError, match="combination"):
        fit_var(y, 1, exog=np.hstack([x, 3 * x]))


@pytest.mark.parametrize(("T", "lags"), [(8, 4), (7, 1), (3, 2)])
def test_too_few_rows_are_refused_with_the_number_needed(T, lags):
    with pytest.raises(TooShortError, match="needs at least"):
        fit_var(autoregression(T, 3), lags)


def test_a_window_outside_the_data_is_refused():
    with pytest.raises(InputError, match=r"window \(10, 70\)"):
        fit_windows(autoregression(60, 2), [(10, 70)], 1)


def test_a_common_sample_starts_where_it_is_told():
    y = autoregression(100, 2)
    peer = Peer(y)._estimate_var(2, offset=3)
    assert_allclose(fit_var(y, 2, start=5).coef, peer.params, rtol=1e-10)
