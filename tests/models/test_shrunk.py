"""The shrunken VAR: what must not matter, what it must agree with, and what it answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, multivariate_t

from varnn import VAR, LinearRNN, ShrunkVAR, load, save
from varnn.data import load as data
from varnn.errors import InputError, ParameterError, RankDeficientError, TooShortError
from varnn.estimate.least_squares.minnesota import Tightness, choose, descended, hyper_prior
from varnn.estimate.least_squares.regression import fit_var
from varnn.models.rung1_shrunk import _in_user_units, standard_rows
from varnn.series import Series


def macro() -> pd.DataFrame:
    """Return levels of three series, 100 log, and a stationary one."""
    growth = data("macrodata").frame
    return growth.cumsum().assign(noise=np.random.default_rng(0).standard_normal(len(growth)))


@pytest.fixture(scope="module")
def fit():
    return ShrunkVAR().fit(macro())


def stationary(T: int = 120, k: int = 3) -> np.ndarray:
    y = np.random.default_rng(1).standard_normal((T, k))
    for t in range(1, T):
        y[t] += 0.5 * y[t - 1] + 0.2 * y[t - 1][::-1]
    return y


@pytest.mark.parametrize("y", [macro().to_numpy(), stationary(), stationary().cumsum(axis=0)],
                         ids=["macro", "stationary", "walks"])
def test_the_order_of_the_columns_does_not_matter(y):
    turn = np.random.default_rng(2).permutation(y.shape[1])
    one, other = ShrunkVAR().fit(y), ShrunkVAR().fit(y[:, turn])
    assert one.k_ar == other.k_ar
    assert_allclose(other.evidence + 0.0, float(one.evidence), rtol=1e-10)
    assert_allclose(other.tightness.logs, one.tightness.logs, atol=1e-7)
    size = y.std(axis=0)
    points, turned = (each.forecast(8, n_paths=2).point for each in (one, other))
    assert_allclose(turned / size[turn], points[:, turn] / size[turn], rtol=0, atol=1e-10)


@pytest.mark.parametrize("trend", ["c", "ct", "n"])
def test_units_of_series_and_inputs_do_not_matter(trend):
    y, X = stationary(), np.random.default_rng(3).standard_normal((120, 2))
    scale, inputs = np.array([1e-6, 1.0, 1e5]), np.array([1e4, 1e-3])
    model, future = ShrunkVAR(trend=trend), np.ones((4, 2))
    one, other = model.fit(y, X), model.fit(y * scale, X * inputs)
    assert_allclose(other.forecast(4, future * inputs, n_paths=2).point / scale,
                    one.forecast(4, future, n_paths=2).point, atol=1e-10)
    assert_allclose(float(other.evidence), float(one.evidence), rtol=1e-10)
    assert_allclose(other.estimate.scatter / np.outer(scale, scale), one.estimate.scatter, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("trend", ["c", "ct"])
def test_a_shift_does_not_matter(trend):
    y = stationary().cumsum(axis=0)
    shift = np.array([1e4, -300.0, 7.0])
    one, other = ShrunkVAR(trend=trend).fit(y), ShrunkVAR(trend=trend).fit(y + shift)
    assert_allclose(other.forecast(8, n_paths=2).point - shift, one.forecast(8, n_paths=2).point, atol=1e-7)
    assert_allclose(float(other.evidence), float(one.evidence), rtol=1e-9)


def test_with_a_prior_that_says_nothing_it_is_the_var():
    y = stationary()
    series = Series.of(y)
    regression, units = standard_rows(series, None, 2, "c")
    chosen = choose(regression.compressed())
    loose = descended(regression.compressed(), chosen.tight, chosen.walks)
    from dataclasses import replace

    from varnn.estimate.least_squares.minnesota import posterior

    tight = Tightness(1e5, 1.0, 1e6, 1e6)
    nothing = replace(loose, tight=tight, found=posterior(regression, tight, np.zeros(3)))
    found, ols = _in_user_units(series, regression, units, nothing), fit_var(y, 2)
    assert_allclose(found.coef, ols.coef, atol=1e-6)
    assert_allclose(found.inverse_gram, ols.inverse_gram, rtol=1e-4, atol=1e-8)
    assert_allclose(found.resid, ols.resid, atol=1e-6)
    assert abs(found.effective - 7) < 1e-3


def test_levels_are_centred_on_a_walk_and_noise_on_noise(fit):
    assert fit.walks == ("realgdp", "realcons", "realinv")
    assert ShrunkVAR().fit(data("macrodata").frame).walks == ()


def test_residuals_and_posterior_belong_to_the_coefficients(fit):
    y = macro().to_numpy()
    p = fit.k_ar
    X = np.hstack([np.ones((len(y) - p, 1)), *(y[p - lag:len(y) - lag] for lag in range(1, p + 1))])
    assert_allclose(fit.resid, y[p:] - X @ fit.params.to_numpy(), atol=1e-8)
    assert fit.estimate.dof == len(y) - p + 4 + 2
    assert_allclose(fit.sigma_u * (fit.estimate.dof - 5), fit.estimate.scatter, rtol=1e-12)
    assert 4 < fit.estimate.effective < fit.df_model
    assert fit.n_params == round(4 * fit.estimate.effective)


def test_draws_have_the_moments_of_the_posterior():
    fit = ShrunkVAR(lags=2).fit(stationary())
    draws = fit._draw(20000, np.random.default_rng(0))
    assert len(draws.sigma) == 20000, "none is explosive here"
    errors = draws.weights.std(axis=0) / fit.bse.to_numpy()
    assert_allclose(errors, 1.0, atol=0.03)
    assert_allclose(draws.weights.mean(axis=0), fit.params, atol=0.01)
    assert_allclose(draws.sigma.mean(axis=0), fit.sigma_u, atol=0.02)


def test_one_step_paths_have_the_predictive_t_distribution():
    y = stationary()
    fit = ShrunkVAR(lags=2).fit(y)
    x = np.concatenate([[1.0], y[-1], y[-2]])
    df = fit.estimate.dof - 2
    wide = 1 + x @ fit.estimate.inverse_gram @ x
    exact = multivariate_t(x @ fit.params.to_numpy(), fit.estimate.scatter * wide / df, df=df)
    paths = fit.forecast(1, n_paths=20000).paths[:, 0]
    drawn = exact.rvs(20000, random_state=1)
    for j in range(3):
        spread = np.sqrt(fit.estimate.scatter[j, j] * wide / df)
        assert kstest((paths[:, j] - x @ fit.params.to_numpy()[:, j]) / spread, "t", args=(df,)).pvalue > 0.001
    assert_allclose(np.corrcoef(paths.T), np.corrcoef(drawn.T), atol=0.03)


def test_the_evidence_says_what_it_is_of_and_refuses_others(fit):
    longer = ShrunkVAR(lags=fit.k_ar + 1).fit(macro())
    assert fit.evidence.sample.rows == fit.nobs
    assert_allclose(fit.evidence.sample.scale, macro().std(ddof=0), rtol=1e-9)
    assert fit.evidence - ShrunkVAR(lags=fit.k_ar).fit(macro()).evidence == pytest.approx(0.0, abs=1e-5)
    for other in (longer, LinearRNN(lags=1).fit(macro().iloc[:, :2])):
        with pytest.raises(InputError, match="different things"):
            fit.evidence - other.evidence


def test_what_the_var_answers_it_answers_too(fit):
    responses = fit.irf(6)
    assert responses.orth_irfs.shape == (7, 4, 4)
    assert_allclose(responses.orth_irfs[0] @ responses.orth_irfs[0].T, fit.sigma_u, rtol=1e-8)
    assert_allclose(fit.fevd(4).decomp.sum(axis=2), 1.0)
    assert 0 <= fit.test_causality("realgdp", "noise").pvalue <= 1
    assert fit.mse(3, estimation_error=True).shape == (3, 4, 4)
    assert "shrinkage" in fit.summary()
    with pytest.raises(ParameterError, match="fit VAR"):
        fit.to_statsmodels()


def test_a_saved_fit_gives_the_same_bits(fit, tmp_path):
    back = load(save(fit, tmp_path / "fit.varnn"))
    assert back.tightness == fit.tightness
    assert back.walks == fit.walks
    assert_array_equal(back.forecast(4).paths, fit.forecast(4).paths)


def test_more_coefficients_than_rows_are_no_obstacle():
    y = np.random.default_rng(4).standard_normal((60, 15)).cumsum(axis=0)
    fit = ShrunkVAR(lags=5).fit(y)
    assert fit.df_model > fit.nobs
    assert fit.estimate.effective < fit.nobs
    assert np.isfinite(fit.forecast(4).paths).all()


def test_gaps_are_filled_and_shrunk_alike():
    y, full = stationary(), ShrunkVAR(lags=1).fit(stationary())
    y[40:42, 1] = np.nan
    fit = ShrunkVAR(lags=1).fit(y, missing="filter")
    assert np.abs(fit.params - full.params).to_numpy().max() < 0.05
    assert np.abs(fit.params - VAR(lags=1).fit(y, missing="filter").params).to_numpy().max() > 1e-4


@pytest.mark.parametrize(("y", "error", "says"), [
    (np.ones((40, 1)) * [[1.0]], RankDeficientError, "'y1' is constant"),
    (np.arange(80.0).reshape(40, 2) % 7 * [1, 0] + [[0, 3.0]], RankDeficientError, "'y2' is constant"),
    (stationary(6), TooShortError, "needs at least 7 rows"),
])
def test_what_cannot_be_estimated_is_refused(y, error, says):
    with pytest.raises(error, match=says):
        ShrunkVAR().fit(y)


def test_lags_that_leave_no_rows_are_refused_and_max_lags_beside_lags():
    with pytest.raises(TooShortError, match=r"ShrunkVAR\(lags=119\)"):
        ShrunkVAR(lags=119).fit(stationary())
    with pytest.raises(TooShortError, match=r"ShrunkVAR\(max_lags=119\)"):
        ShrunkVAR(max_lags=119).fit(stationary())
    with pytest.raises(ParameterError, match="no use beside"):
        ShrunkVAR(lags=2, max_lags=3)


def test_hyper_parameters_are_at_a_maximum():
    series = Series.of(stationary())
    regression = standard_rows(series, None, 3, "c")[0].compressed()
    chosen = choose(regression)
    slope = chosen.found.slope + hyper_prior(chosen.tight)[1]
    assert np.abs(slope).max() < 1e-3
