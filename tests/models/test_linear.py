"""Rung 2: nests the VAR, reaches the peer's likelihood, shrinks where there is nothing to remember, keeps its bits."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from varnn.data import load
from varnn.errors import (
    ConvergenceWarning,
    InputError,
    ParameterError,
    RankDeficientError,
    SingularWarning,
    TooShortError,
)
from varnn.estimate.numerics.covariance import SINGULAR
from varnn.estimate.numerics.stop import Stop
from varnn.models.rung1_shrunk import ShrunkVAR
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN, fit_windows, lift
from varnn.series import Series

PHI = np.array([[0.6, 0.1, 0.0], [0.1, 0.5, 0.1], [0.0, 0.1, 0.7]])
MA = np.array([[0.5, 0.2, 0.0], [0.0, 0.6, 0.1], [0.1, 0.0, 0.5]])


def _varma(T, seed, phi=PHI, ma=MA, burn=200):
    e = np.random.default_rng(seed).normal(size=(T + burn, len(phi)))
    y, mean = np.zeros_like(e), np.zeros_like(e)
    for t in range(1, T + burn):
        mean[t] = phi @ y[t - 1] + ma @ e[t - 1]
        y[t] = mean[t] + e[t]
    return y[burn:], mean[burn:]


@pytest.fixture(scope="module")
def growth():
    from statsmodels.datasets import macrodata

    levels = macrodata.load_pandas().data[["realgdp", "realcons", "realinv"]]
    return 100 * np.log(levels).diff().dropna().reset_index(drop=True)


@pytest.fixture(scope="module")
def varma_fit():
    return LinearRNN(lags=1).fit(_varma(500, 0)[0])


@pytest.mark.parametrize("trend", ["c", "n", "ct"])
@pytest.mark.parametrize("lags", [1, 3])
def test_a_linear_rnn_lifted_from_a_var_forecasts_the_same(growth, lags, trend):
    below = VAR(lags=lags, trend=trend).fit(growth)
    lifted = lift(below)
    assert_array_equal(lifted.A, 0.0)
    assert_allclose(lifted.forecast(24).mean, below.forecast(24).mean, atol=1e-10)
    assert_allclose(lifted.llf, below.llf, rtol=1e-12)
    assert_allclose(lifted.aic, below.aic, rtol=1e-12)
    assert_allclose(lifted.sigma_u, below.sigma_u, rtol=1e-10)
    assert_allclose(lifted.fittedvalues, below.fittedvalues, atol=1e-10)
    assert_allclose(lifted.params.loc[below.params.index], below.params, rtol=1e-8, atol=1e-10)
    assert_allclose(lifted.bse.loc[below.params.index], below.bse, rtol=1e-8)
    assert_allclose(lifted.forecast(8, uncertainty="none").spread, below.forecast(8, uncertainty="none").spread)


def test_a_lift_with_exogenous_columns_after_updates_forecasts_the_same(growth):
    y, X = growth[["realgdp", "realcons"]], growth[["realinv"]]
    below = VAR(lags=2).fit(y[:150], X[:150]).update(y[150:160], X[150:160])
    assert_allclose(lift(below).forecast(5, X[160:165]).mean, below.forecast(5, X[160:165]).mean, atol=1e-10)


def test_maximum_likelihood_is_not_below_varmax_on_macrodata(growth):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the optimum lies on the edge of invertibility; both sides say so
        ours = LinearRNN(lags=1, shrinkage=None, likelihood="exact").fit(growth)
    assert ours.llf > -798.83 > -803.83  # VARMAX(order=(1, 1)) ends at -803.83 after 1000 iterations
    assert max(optimum.llf for optimum in ours.optima) == pytest.approx(
        ours.llf + len(growth) * np.log(ours.units.scale).sum())
    assert len(ours.optima) >= 2


def test_maximum_likelihood_recovers_a_varma_and_statsmodels_agrees_on_its_value():
    from statsmodels.tsa.statespace.varmax import VARMAX

    y, _ = _varma(2000, 1)
    fit = LinearRNN(lags=1, shrinkage=None).fit(y)
    assert fit.stop is Stop.gradient_small
    assert fit.likelihood == "exact"
    assert_allclose(fit.phi[0], PHI, atol=0.1)
    assert_allclose(fit.ma, MA, atol=0.12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = VARMAX(y, order=(1, 1))
    root = np.linalg.cholesky(fit.sigma_u_mle)[np.tril_indices(3)]
    params = np.concatenate([fit.params.loc["const"], fit.phi.ravel(), fit.ma.ravel(), root])
    assert_allclose(fit.llf, peer.loglike(params, transformed=True), atol=1e-6)


@pytest.mark.parametrize(("T", "most"), [(500, 1.02), (2000, 1.004)])
def test_varma_forecasts_are_near_the_oracle(T, most):
    ratios = []
    for seed in range(4):
        y, mean = _varma(T + 4000, seed)
        fit = LinearRNN().fit(y[:T])
        assert fit.lags <= 2
        assert fit.A.any()
        away = fit._one_step(y, None)[T:] - mean[T:]
        ratios.append(1.0 + np.mean(away**2))
    assert np.mean(ratios) <= most


def test_on_var_data_the_memory_has_no_effective_parameters_and_costs_nothing():
    first = np.array([[0.5, 0.1, 0.0], [0.2, 0.4, 0.1], [0.0, 0.2, 0.3]])
    second = np.array([[0.2, 0.0, 0.1], [0.0, -0.2, 0.0], [0.1, 0.0, 0.2]])
    excess = {"ShrunkVAR": [], "LinearRNN": []}
    memory = []
    for seed in range(6):
        e = np.random.default_rng(seed).normal(size=(4700, 3))
        y, mean = np.zeros_like(e), np.zeros_like(e)
        for t in range(2, len(e)):
            mean[t] = first @ y[t - 1] + second @ y[t - 2]
            y[t] = mean[t] + e[t]
        y, mean = y[200:], mean[200:]
        for name, model in (("ShrunkVAR", ShrunkVAR()), ("LinearRNN", LinearRNN())):
            fit = model.fit(y[:500])
            excess[name].append(np.mean((fit._one_step(y, None)[500:] - mean[500:]) ** 2))
        memory.append(sum(value for block, value in fit.effective_params.items() if block != "feed-forward"))
    assert np.mean(memory) < 1.0
    assert np.mean(excess["LinearRNN"]) <= 1.02 * np.mean(excess["ShrunkVAR"])


def test_the_memory_costs_nothing_on_macrodata(growth):
    y = growth.to_numpy()
    errors = {"ShrunkVAR": [], "LinearRNN": []}
    for name, model in (("ShrunkVAR", ShrunkVAR(lags=1)), ("LinearRNN", LinearRNN(lags=1))):
        for origin in range(len(y) - 52, len(y), 2):
            errors[name].append(y[origin] - model.fit(y[:origin]).forecast(1, n_paths=1).point[0])
    rmse = {name: np.sqrt(np.mean(np.square(found))) for name, found in errors.items()}
    assert rmse["LinearRNN"] <= 1.01 * rmse["ShrunkVAR"]


def test_levels_of_random_walks_take_the_conditional_likelihood_and_a_stable_filter():
    y = np.cumsum(np.random.default_rng(3).normal(size=(200, 2)), axis=0)
    fit = LinearRNN(lags=1).fit(y)
    assert fit.likelihood == "conditional"
    assert np.abs(np.linalg.eigvals(fit.A)).max() < 1
    assert np.isfinite(fit.forecast(12).paths).all()


def test_scaled_and_shifted_columns_give_the_same_forecasts(varma_fit):
    y = varma_fit.series.values
    base = varma_fit.forecast(6, n_paths=20)
    scale = np.array([1e12, 1.0, 1e-12])
    scaled = LinearRNN(lags=1).fit(y * scale).forecast(6, n_paths=20)
    assert_allclose(scaled.point / scale, base.point, rtol=1e-8, atol=1e-8)
    shifted = LinearRNN(lags=1).fit(y + 1e9).forecast(6, n_paths=20)
    assert_allclose(shifted.point, base.point + 1e9, rtol=1e-15, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_many_windows_at_once_give_the_bits_of_single_fits(threads):
    y, _ = _varma(160, 5)
    windows = [Series.of(y[:stop]) for stop in (120, 140, 160)]
    model = LinearRNN(lags=1)
    for fit, window in zip(fit_windows(model, windows, threads=threads), windows, strict=True):
        single = model.fit(window)
        assert_array_equal(fit.weights, single.weights)
        assert_array_equal(fit.forecast(3).paths, single.forecast(3).paths)


def test_the_number_of_blas_threads_changes_no_bit_of_a_forecast_of_many_series():
    y = np.random.default_rng(0).normal(size=(200, 16))
    y[1:] += 0.3 * y[:-1]
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fit = lift(VAR(lags=1).fit(y))
            found.append((fit.forecast(3, n_paths=50, rng=0).paths, fit.bse))
    assert_array_equal(found[0][0], found[1][0])
    assert_array_equal(found[0][1], found[1][1])


def test_the_lectures_recursion_driven_by_other_series_alone_is_recovered():
    rng = np.random.default_rng(0)
    z, A, D = rng.normal(size=(600, 2)), np.array([[0.7, 0.1], [0.0, 0.5]]), np.array([[1.0, -0.5], [0.3, 0.8]])
    h = np.zeros((600, 2))
    for t in range(1, 600):
        h[t] = A @ h[t - 1] + D @ z[t]
    y = pd.DataFrame(h + 0.1 * rng.normal(size=(600, 2)), columns=["a", "b"])
    X = pd.DataFrame(z, columns=["u", "v"])
    fit = LinearRNN(lags=0, shrinkage=None).fit(y[:500], X[:500])
    assert_allclose(fit.A, A, atol=0.02)
    assert_allclose(fit.params.loc[["u", "v"]].to_numpy().T, D, atol=0.02)
    assert_allclose(fit.forecast(100, X[500:]).mean, h[500:], atol=0.1)


def test_a_wider_state_forecasts_an_arma21_sum_better_than_width_one():
    rng = np.random.default_rng(2)
    fast, slow = np.zeros(3000), np.zeros(3000)
    for t in range(1, 3000):
        fast[t] = -0.5 * fast[t - 1] + rng.normal()
        slow[t] = 0.95 * slow[t - 1] + 0.3 * rng.normal()
    y = (fast + slow + rng.normal(size=3000))[:, None]
    narrow = LinearRNN(lags=1, shrinkage=None, likelihood="conditional").fit(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rotation of the hidden states is not identified
        wide = LinearRNN(lags=1, width=2, shrinkage=None, likelihood="conditional").fit(y)
    assert wide.llf > narrow.llf + 5
    with pytest.raises(ParameterError, match="width 2"):
        _ = wide.phi


def test_forecasts_from_the_paths_agree_with_the_mean_and_the_spread(varma_fit):
    fixed = varma_fit.forecast(4, n_paths=20000, uncertainty="none")
    assert_allclose(fixed.paths.mean(axis=0), fixed.point, atol=0.06)
    assert_allclose(fixed.paths.std(axis=0), fixed.spread, rtol=0.03)
    drawn = varma_fit.forecast(4, n_paths=4000)
    assert (drawn.paths.std(axis=0) > 0.97 * fixed.spread).all()


def test_update_moves_the_state_as_if_all_had_been_seen(varma_fit):
    y, _ = _varma(520, 0)
    later = varma_fit.update(y[500:])
    assert_allclose(later.forecast(1).point[0], varma_fit._states(y, None)[0][-1] @ varma_fit.estimate.weights[:, :3].T
                    @ np.diag(varma_fit.units.scale) + _feed(varma_fit, y[-1]), atol=1e-10)


def _feed(fit, last):
    """B x_t of the next step, and what the locations add, in the units of the series."""
    standard = (last - fit.units.location) / fit.units.scale
    drive = fit.estimate.weights[:, 3:6] @ standard + fit.estimate.weights[:, 6]
    return drive * fit.units.scale + fit.units.location


def test_standard_errors_are_those_of_repeated_samples():
    found, errors = [], []
    phi, ma = np.array([[0.7]]), np.array([[0.4]])
    for seed in range(60):
        fit = LinearRNN(lags=1, shrinkage=None).fit(_varma(400, seed, phi, ma)[0])
        found.append(fit.params.to_numpy()[:, 0])
        errors.append(fit.bse.to_numpy()[:, 0])
    assert_allclose(np.mean(errors, axis=0)[1:], np.std(found, axis=0)[1:], rtol=0.3)


def test_summary_names_likelihood_evidence_and_effective_parameters(varma_fit):
    page = varma_fit.summary()
    assert "likelihood exact" in page
    assert "log evidence" in page
    assert "memory, own series" in page
    assert varma_fit.evidence_gain > 0


@pytest.mark.parametrize(("settings", "error"), [
    ({"lags": -1}, InputError), ({"lags": 1.5}, InputError), ({"lags": True}, InputError), ({"width": 0}, InputError),
    ({"width": 1}, ParameterError), ({"trend": "q"}, ParameterError), ({"shrinkage": "ridge"}, ParameterError),
    ({"likelihood": "maybe"}, ParameterError), ({"lags": 0}, ParameterError), ({"lags": 40}, TooShortError),
    ({"likelihood": "exact", "trend": "ct"}, ParameterError)])
def test_settings_that_cannot_be_used_are_refused(growth, settings, error):
    with pytest.raises(error):
        LinearRNN(**settings).fit(growth[:60])


@pytest.mark.parametrize("lags", [None, 1])
def test_constant_and_collinear_columns_are_refused_by_name(growth, lags):
    constant = growth.assign(still=1.0)
    double = growth.assign(twice=2 * growth["realgdp"])
    with pytest.raises(RankDeficientError, match="still"):
        LinearRNN(lags=lags).fit(constant)
    with pytest.raises(RankDeficientError, match="twice"):
        LinearRNN(lags=lags).fit(double)


def test_a_draw_is_filtered_over_no_more_rows_than_its_start_is_remembered(monkeypatch):
    fit = LinearRNN(lags=1, shrinkage=None).fit(_varma(400, 3)[0])
    assert 0.3 < np.abs(np.linalg.eigvals(fit.A)).max() < 0.99
    short = fit.forecast(6, n_paths=50).paths
    monkeypatch.setattr("varnn.estimate.linear.kalman.FORGOTTEN", 1e-300)
    assert_allclose(short, fit.forecast(6, n_paths=50).paths, rtol=1e-12, atol=1e-12)


def test_responses_are_those_of_the_var_and_in_a_varma_the_closed_form():
    y = _varma(300, 5)[0] * [1.0, 1e6, 1e-3]
    below = VAR(lags=2).fit(y)
    lifted, own = lift(below), below.irf(8)
    for part in ("irfs", "orth_irfs", "generalized_irfs"):
        assert_allclose(getattr(lifted.irf(8), part), getattr(own, part), rtol=1e-9)
    assert_allclose(lifted.fevd(8).decomp, below.fevd(8).decomp, atol=1e-12)
    assert lifted.is_stable() == below.is_stable()
    fit = LinearRNN(lags=1, shrinkage=None).fit(_varma(400, 3)[0])
    theta, phi = fit.ma, fit.phi[0]                    # Ψ_1 = Φ + Θ, Ψ_s = Φ Ψ_{s-1}
    assert_allclose(fit.ma_rep(3)[1:], [phi + theta, phi @ (phi + theta), phi @ phi @ (phi + theta)], atol=1e-12)


def _henon():
    return next(frame for _, frame in load("henon", n=300, seed=0).each())


def _shock_and_last():
    y, _ = _varma(301, 2, np.array([[0.6]]), np.array([[0.0]]))
    return pd.DataFrame({"first": y[1:, 0], "lag": y[:-1, 0]})


@pytest.mark.parametrize("settings", [{}, {"lags": 1}, {"lags": 1, "shrinkage": None}, {"lags": 1, "width": 3},
                                      {"lags": 1, "shrinkage": None, "likelihood": "exact"}])
@pytest.mark.parametrize(("series", "name"), [(_henon, "'y' follows"), (_shock_and_last, "'lag' follows")])
def test_a_series_without_error_is_named_and_every_number_stays_finite(series, name, settings):
    y = series()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rounding decides among equally perfect forecasts
        with pytest.warns(SingularWarning, match=f"^{name} from the past without error"):
            fit = LinearRNN(**settings).fit(y)
    most = 0.5 * len(y) * -np.log(SINGULAR) * y.shape[1]  # no error is taken to be less than the least
    assert all(abs(optimum.llf) < most for optimum in fit.optima)
    assert abs(fit.llf + fit.nobs * np.log(fit.units.scale).sum()) < most
    assert fit.likelihood == "conditional"
    assert_allclose(np.sqrt(fit.sigma_u_mle[1, 1]), 1e-7 * fit.units.scale[1], rtol=1e-6)
    ahead = fit.forecast(3, n_paths=50)
    with pytest.warns(SingularWarning, match=f"^{name} from the past without error"):
        below = VAR(lags=1).fit(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularWarning)  # said of the fit already
        assert_allclose(ahead.point[0, 1], below.forecast(1).point[0, 1], atol=1e-6)
    assert np.isfinite(ahead.paths).all()


def test_an_accounting_identity_is_named_by_its_members():
    y, _ = _varma(301, 4, PHI[:2, :2], MA[:2, :2])
    parts = pd.DataFrame(y[1:], columns=["C", "I"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(SingularWarning, match="combination of 'C', 'I', 'Y' follows"):
            fit = LinearRNN(lags=1).fit(parts.assign(Y=parts.sum(axis=1) + 0.5 * y[:-1, 0]))
    assert np.isfinite([fit.llf, *(optimum.llf for optimum in fit.optima)]).all()
    assert np.isfinite(fit.forecast(3, n_paths=50).paths).all()


def test_a_series_that_its_own_past_determines_is_named():
    wave = pd.DataFrame({"wave": np.sin(0.7 * np.arange(200))})
    with pytest.warns(SingularWarning, match="'wave' follows"):
        fit = LinearRNN(lags=2).fit(wave)
    assert_allclose(fit.forecast(10, n_paths=50).point[:, 0], np.sin(0.7 * np.arange(200, 210)), atol=1e-5)


def test_hidden_units_that_nothing_is_known_of_leave_the_forecasts_finite():
    wave = pd.DataFrame({"wave": np.sin(0.7 * np.arange(200))})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.warns(SingularWarning, match="^'wave' follows from the past without error"):
            fit = LinearRNN(lags=1, width=4, shrinkage=None).fit(wave)
    assert (fit.estimate.information.diagonal() == 0.0).any()
    assert np.isfinite(fit.forecast(3, n_paths=50).paths).all()
