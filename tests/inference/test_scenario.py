"""Scenarios against Waggoner–Zha by hand, the Kalman smoother of statsmodels, rejection sampling, and bad input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn import VAR, LinearRNN, Naive
from varnn.errors import NonFiniteError, ParameterError, SingularWarning, TimeIndexError, VarnnWarning
from varnn.estimate.numerics.companion import moving_average
from varnn.forecaster import Fitted, Forecaster
from varnn.inference.scenario import truncated_normal
from varnn.models.wrap_conformal import Conformal

H, NAMES = 6, ["gdp", "rate", "price"]


def frame(T: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    y = rng.standard_normal((T, 3))
    for t in range(2, T):
        y[t] += y[t - 1] @ np.array([[0.5, 0.1, 0.0], [0.2, 0.4, 0.1], [0.0, 0.2, 0.3]]) - 0.2 * y[t - 2]
    y[:, 1] += 0.6 * y[:, 0]
    return pd.DataFrame(y, columns=NAMES, index=pd.period_range("1990Q1", periods=T, freq="Q"))


def conditions() -> pd.DataFrame:
    table = pd.DataFrame(np.nan, columns=NAMES, index=pd.period_range("2020Q1", periods=H, freq="Q"))
    table.loc["2020Q3", "gdp"], table.loc["2021Q2", "gdp"], table.loc["2020Q2":"2020Q4", "price"] = 1.0, -1.0, 0.5
    return table


@pytest.fixture(scope="module")
def var():
    return VAR(lags=2).fit(frame())


@pytest.fixture(scope="module")
def linear():
    return LinearRNN(lags=1).fit(frame())


def test_hard_conditions_on_a_var_give_the_gaussian_formula_of_waggoner_and_zha(var):
    phi, root, k = moving_average(var.coefs, H - 1), np.linalg.cholesky(var.sigma_u), 3
    response = np.block([[phi[a - b] @ root if a >= b else np.zeros((k, k)) for b in range(H)] for a in range(H)])
    joint, mean = response @ response.T, var.forecast(H).point.ravel()
    values = conditions().to_numpy().ravel()
    cells = np.flatnonzero(~np.isnan(values))
    gain = joint[:, cells] @ np.linalg.inv(joint[np.ix_(cells, cells)])
    found = var.scenario(H, conditions(), uncertainty="none")
    assert_allclose(found.point.ravel(), mean + gain @ (values - mean)[cells], atol=1e-10)
    assert_allclose(found.spread.ravel(), np.sqrt(np.maximum(np.diag(joint - gain @ joint[cells]), 0)), atol=1e-7)


def test_hard_conditions_equal_the_kalman_smoother_with_the_future_as_missing_data(var):
    varmax = pytest.importorskip("statsmodels.tsa.statespace.varmax")
    data = pd.concat([frame(), conditions()])
    peer = varmax.VARMAX(data, order=(2, 0), trend="c")
    names = list(peer.param_names)
    theta = np.zeros(len(names))
    for place, name in enumerate(names):
        if name.startswith("intercept."):
            theta[place] = var.params.loc["const", name.split(".")[1]]
        elif name.startswith("sqrt."):
            pair = [NAMES.index(part) for part in name.split(".")[2:]]
            theta[place] = np.linalg.cholesky(var.sigma_u)[max(pair), min(pair)]
        else:
            lag, cause, effect = name.split(".")
            theta[place] = var.coefs[int(lag[1:]) - 1][NAMES.index(effect), NAMES.index(cause)]
    smoothed = peer.smooth(theta).smoothed_state[:3, -H:].T
    assert_allclose(var.scenario(H, conditions(), uncertainty="none").point, smoothed, atol=1e-8)


def test_hard_conditions_on_a_linear_rnn_are_exact_too(linear):
    k, shocks = 3, np.zeros((3 * H, H, 3))
    shocks.reshape(3 * H, -1)[np.arange(3 * H), np.arange(3 * H)] = 1.0
    base = linear._simulate(np.zeros((1, H, k)), None)
    response = (linear._simulate(shocks, None) - base).reshape(3 * H, -1).T @ np.kron(
        np.eye(H), np.linalg.cholesky(linear.sigma_u))
    joint, mean = response @ response.T, base.ravel()
    values = conditions().to_numpy().ravel()
    cells = np.flatnonzero(~np.isnan(values))
    expected = mean + joint[:, cells] @ np.linalg.solve(joint[np.ix_(cells, cells)], (values - mean)[cells])
    found = linear.scenario(H, conditions(), uncertainty="none")
    assert_allclose(found.point.ravel(), expected, atol=1e-8)
    assert found.effective == pytest.approx(1000)


@pytest.mark.parametrize("uncertainty", ["full", "none"])
def test_every_path_keeps_hard_values_and_ranges(var, linear, uncertainty):
    for fit in (var, linear):
        found = fit.scenario(H, {"gdp": {"2020Q2": 0.7}}, {"rate": (-0.5, None)}, uncertainty=uncertainty)
        assert_allclose(found.paths[:, 1, 0], 0.7)
        assert (found.paths[:, :, 1] >= -0.5).all()
        assert found.effective > 100


def test_ranges_agree_with_throwing_away_paths_outside_them(var):
    paths = var.forecast(3, n_paths=200_000, uncertainty="none", rng=1).paths
    inside = ((paths[:, :2, 0] > 0.5) & (paths[:, :2, 0] < 1.5)).all(axis=1)
    within = {"gdp": {"2020Q1": (0.5, 1.5), "2020Q2": (0.5, 1.5)}}
    found = var.scenario(3, soft=within, n_paths=20_000, uncertainty="none")
    assert_allclose(found.point, paths[inside].mean(axis=0), atol=0.03)
    assert_allclose(found.paths.std(axis=0), paths[inside].std(axis=0), atol=0.03)
    assert found.log_density == pytest.approx(np.log(inside.mean()), abs=0.03)


def test_draws_of_the_parameters_count_by_the_density_they_give_to_the_conditions():
    y = frame(40)
    fit = VAR(lags=1).fit(y)
    paths = fit.forecast(2, n_paths=400_000, rng=3).paths
    near = np.abs(paths[:, 0, 0] - 0.8) < 0.05
    found = fit.scenario(2, {"gdp": {"2000Q1": 0.8}}, n_paths=20_000)
    assert_allclose(found.point[1], paths[near].mean(axis=0)[1], atol=0.06)
    assert_allclose(found.paths.std(axis=0)[1], paths[near].std(axis=0)[1], rtol=0.06)


@dataclass(frozen=True, kw_only=True)
class Saturating(Forecaster):
    """y_t = 2 tanh(2 y_{t−1}) + e_t, for a recursion far from linear."""

    def _estimate(self, series, exog, rng):
        return FittedSaturating(spec=self, series=series, exog=None, seen=series, seen_exog=None,
                                params=pd.DataFrame(), df_model=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedSaturating(Fitted):
    def _one_step(self, values, exog):
        return np.vstack([np.full((1, values.shape[1]), np.nan), 2 * np.tanh(2 * values[:-1])])

    def _simulate(self, shocks, future_exog, draws=None):
        paths, last = np.empty(shocks.shape), np.broadcast_to(self.seen.values[-1], shocks[:, 0].shape)
        for step in range(shocks.shape[1]):
            last = 2 * np.tanh(2 * last) + shocks[:, step]
            paths[:, step] = last
        return paths


def test_a_nonlinear_recursion_is_conditioned_as_rejection_sampling_does():
    rng, y = np.random.default_rng(0), [0.5]
    for _ in range(200):
        y.append(2 * np.tanh(2 * y[-1]) + 0.8 * rng.standard_normal())
    fit = Saturating().fit(y)
    paths = fit.forecast(3, n_paths=1_000_000, rng=1).paths
    target = float(np.quantile(paths[:, 2], 0.3))
    near = np.abs(paths[:, 2, 0] - target) < 0.01
    found = fit.scenario(3, {"y1": {203: target}}, n_paths=20_000)
    assert found.effective < 19_999  # weights are needed here
    assert_allclose(found.point[:, 0], paths[near].mean(axis=0)[:, 0], atol=0.04)
    assert_allclose(found.paths.std(axis=0)[:2, 0], paths[near].std(axis=0)[:2, 0], rtol=0.05)


def test_without_conditions_a_scenario_is_the_forecast(var):
    assert_allclose(var.scenario(4).paths, var.forecast(4).paths)


def test_inputs_are_a_scenario_by_themselves():
    dates = pd.period_range("1990Q1", periods=126, freq="Q")
    y, x = frame(), pd.DataFrame({"tax": np.sin(np.arange(126.0))}, index=dates)
    fit = VAR(lags=1).fit(y, x.iloc[:120])
    low = fit.scenario(H, {"gdp": 0.0}, X=x.iloc[120:], uncertainty="none").point
    high = fit.scenario(H, {"gdp": 0.0}, X=x.iloc[120:] + 1, uncertainty="none").point
    assert np.abs(high - low)[:, 1:].max() > 1e-4
    assert_allclose(high[:, 0], 0.0, atol=1e-12)


def test_a_random_walk_is_bridged():
    given = Naive().fit(np.cumsum(np.random.default_rng(0).standard_normal(50))).scenario(
        4, {"y1": {53: 5.0}}, uncertainty="none")
    start = Naive().fit(np.cumsum(np.random.default_rng(0).standard_normal(50))).forecast(1).point[0, 0]
    assert_allclose(given.point[:, 0], start + (5 - start) * np.arange(1, 5) / 4, atol=1e-9)


def test_an_implausible_scenario_warns_with_its_worth():
    with pytest.warns(VarnnWarning, match="worth"):
        VAR(lags=1).fit(frame(30)).scenario(6, {"gdp": 40.0}, n_paths=200)


def test_normals_in_a_far_tail_stay_in_their_range():
    draw, share = truncated_normal(np.array([20.0]), np.array([21.0]), np.array([0.3]))
    assert 20 <= draw[0] <= 21
    assert share[0] == pytest.approx(-203.917, abs=1e-3)  # ln(1 − Φ(20)), Abramowitz & Stegun 26.2.12


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"hard": {"gpd": 1.0}}, ParameterError, "'gpd', which is not a series"),
    ({"hard": {"gdp": {"2031Q1": 1.0}}}, TimeIndexError, "2031Q1, which is not among the 6 forecast dates 2020Q1"),
    ({"hard": {"gdp": {"soon": 1.0}}}, TimeIndexError, "soon"),
    ({"hard": {"gdp": [1.0, 2.0]}}, ParameterError, "2 values for 'gdp', the horizon is 6"),
    ({"hard": {"gdp": "high"}}, ParameterError, "'high' for 'gdp'"),
    ({"hard": {"gdp": float("inf")}}, NonFiniteError, "inf for 'gdp'"),
    ({"hard": 3.0}, ParameterError, "hard is float"),
    ({"soft": {"gdp": (2.0, 1.0)}}, ParameterError, "low 2 > high 1 for 'gdp' at 2020Q1"),
    ({"soft": {"gdp": 1.0}}, ParameterError, r"give \(low, high\)"),
    ({"soft": 1.0}, ParameterError, "soft is float"),
    ({"hard": {"gdp": 3.0}, "soft": {"gdp": (0.0, 1.0)}}, ParameterError, "contradict each other for 'gdp' at 2020Q1"),
    ({"hard": {"gdp": 1.0}, "n_paths": 0}, ParameterError, "n_paths=0"),
    ({"hard": {"gdp": 1.0}, "uncertainty": "bootstrap"}, ParameterError, "'bootstrap'"),
    ({"hard": {"gdp": 1.0}, "coverage": 95}, ParameterError, "coverage=95"),
])
def test_bad_scenarios_are_refused_with_their_place(var, arguments, error, message):
    with pytest.raises(error, match=message):
        var.scenario(H, **arguments)


def test_a_wrapper_without_a_recursion_says_where_to_ask():
    with pytest.raises(ParameterError, match="such as one inside"):
        Conformal(VAR(lags=1)).fit(frame()).scenario(2, {"gdp": 1.0})


@pytest.mark.parametrize("fixed", ["gdp", "before"])
def test_a_series_that_the_past_determines_is_refused_by_name(fixed):
    y = frame()[["gdp"]]
    y = y.assign(before=y["gdp"].shift()).dropna()
    with pytest.warns(SingularWarning, match="'before'"):
        fit = VAR(lags=1).fit(y)
    with pytest.raises(ParameterError, match="'before' follows from the past without error under VAR"):
        fit.scenario(3, hard={fixed: [0.1, 0.1, 0.1]})
