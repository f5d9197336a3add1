"""The tanh RNN: exact nesting, its limits, its export, its speed of sampling, and what it finds in known processes."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import ConvergenceWarning, ParameterError, RankDeficientError, RationWarning, TooShortError
from varnn.estimate.tanh import mixture, search
from varnn.estimate.tanh.design import Design
from varnn.models.rung1_shrunk import ShrunkVAR
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN, fit_windows
from varnn.series import Series

HORIZON = 24


def linear_data(T=160, k=2, seed=0):
    rng = np.random.default_rng(seed)
    A = np.array([[0.5, 0.2], [-0.1, 0.4]])[:k, :k]
    e, y = rng.normal(size=(T, k)), np.zeros((T, k))
    for t in range(1, T):
        y[t] = A @ y[t - 1] + e[t] + 0.4 * e[t - 1]
    return y


@cache
def sign_series(T=400, seed=1):
    rng = np.random.default_rng(seed)
    y = np.zeros(T)
    for t in range(1, T):
        y[t] = np.sign(y[t - 1]) + rng.normal()
    return y


@cache
def sign_fit():
    return TanhRNN(starts=1, max_lags=2).fit(sign_series())


@pytest.mark.parametrize("lags", [1, 3])
@pytest.mark.parametrize("trend", ["c", "n", "ct"])
def test_lifted_from_a_linear_rnn_it_forecasts_the_same(lags, trend):
    y = 10.0 + 3.0 * linear_data()
    below = LinearRNN(lags=lags, trend=trend, likelihood="conditional").fit(y)
    above = TanhRNN(width=3).lift(below)
    assert_allclose(above.forecast(HORIZON).point, below.forecast(HORIZON).point, atol=1e-10)
    assert_allclose(above.fittedvalues, below.fittedvalues, atol=1e-10)
    assert (above.W_hy == 0).all()


def test_lifted_twice_from_a_var_it_forecasts_the_same():
    y = linear_data()
    below = VAR(lags=2).fit(y)
    above = TanhRNN(width=3).lift(LinearRNN().lift(below))
    assert_allclose(above.forecast(HORIZON).point, below.forecast(HORIZON).point, atol=1e-10)
    assert_allclose(above.A, 0.0, atol=0)
    assert_allclose(above.params.loc[below.params.index], below.params, atol=1e-10)


def test_lifted_from_a_wider_state_with_inputs_it_forecasts_the_same():
    y = pd.DataFrame(linear_data(), columns=["a", "b"])
    X = pd.DataFrame({"z": np.sin(np.arange(160.0))})
    below = LinearRNN(lags=1, width=3).fit(y, X)
    above = TanhRNN(width=2).lift(below)
    future = pd.DataFrame({"z": np.sin(np.arange(160.0, 160 + HORIZON))}, index=range(160, 160 + HORIZON))
    assert_allclose(above.forecast(HORIZON, future).point, below.forecast(HORIZON, future).point, atol=1e-10)


def test_identity_units_scaled_down_inside_tanh_become_linear_as_the_square_of_the_scale():
    rng = np.random.default_rng(0)
    T, k = 60, 2
    Y, X = np.zeros((T, k)), np.hstack([np.ones((T, 1)), rng.normal(size=(T, k))])
    A, B = np.array([[0.5, 0.2], [-0.1, 0.4]]), rng.normal(size=(k, 1 + k))
    linear = Design(X, np.ones((T, 0)), Y, Y, np.zeros(k), 0, ar=True)
    _, U = linear.run(np.hstack([B, A]).ravel())

    def distance(scale):
        bent = Design(X[:, :0], X, Y, Y, np.zeros(k), k)
        _, V = bent.run(np.concatenate([np.eye(k).ravel() / scale, np.hstack([scale * B, A]).ravel()]))
        return np.abs(V - U).max()

    assert 3.9 < distance(0.02) / distance(0.01) < 4.1
    assert distance(1e-4) < 1e-6


@pytest.mark.parametrize("skip", [False, True])
def test_the_weights_give_the_same_outputs_in_torch(skip):
    torch = pytest.importorskip("torch")
    y = 5.0 + 2.0 * np.column_stack([sign_series()[:150], sign_series()[50:200]])
    fit = TanhRNN(lags=1, width=3, skip=skip, starts=1).fit(y)
    member = next(m for m in fit.members if m.optimum.design.n and not m.optimum.design.r and not m.optimum.design.rl)
    fit = replace(fit, members=(member,))
    rnn, readout, linear = fit.to_torch()
    assert isinstance(rnn, torch.nn.RNN)
    p = fit.members[0].presample
    lags = fit.members[0].lags_tanh
    x = torch.tensor(np.hstack([y[p - i : len(y) - i] for i in range(1, lags + 1)]))
    if rnn.input_size < x.shape[1] or fit.members[0].lags > lags:
        pytest.skip("the linear part chose more lags than the tanh part")
    out = readout(rnn(x[None])[0][0]) + linear(x)
    assert_allclose(out.detach().numpy(), fit._one_step(y, None)[p:], atol=1e-12)


def test_a_fit_with_feedback_says_why_it_is_no_torch_network():
    below = LinearRNN(lags=1).fit(linear_data())
    with pytest.raises(ParameterError, match="feedback"):
        TanhRNN(width=0).lift(below).to_torch()


def test_on_linear_data_no_tanh_unit_is_kept_and_forecasts_are_no_worse():
    y = linear_data(T=700, seed=3)
    fit = TanhRNN(starts=1).fit(y[:400])
    assert fit.width == 0
    below = VAR(lags="aic").fit(y[:400])
    error = [np.mean((y - f._one_step(y, None))[400:] ** 2) for f in (fit, below)]
    assert error[0] < 1.02 * error[1]


def test_forced_tanh_units_on_linear_data_have_next_to_no_effective_parameters():
    y = linear_data(T=400, seed=5)
    fit = TanhRNN(lags=2, width=3, starts=1).fit(y)
    assert fit.width == 3
    assert sum(value for block, value in fit.effective_params.items() if block.startswith("W")) < 0.1


def test_it_finds_the_sign_function():
    fit = sign_fit()
    assert fit.width > 0
    y = sign_series(1400, 1)
    fresh = fit._one_step(y[:, None], None)[400:, 0]
    oracle = np.sign(np.concatenate([[0.0], y[:-1]]))[400:]
    below = VAR(lags=1).fit(y[:400])._one_step(y[:, None], None)[400:, 0]
    assert np.mean((fresh - oracle) ** 2) < 0.25 * np.mean((below - oracle) ** 2)


def test_the_same_seed_gives_the_same_bits_alone_and_in_a_batch():
    windows = [Series.of(linear_data(T=80 + 10 * i, seed=i)) for i in range(3)]
    model = TanhRNN(lags=1, width=2, starts=1)
    batch = fit_windows(model, windows)
    for window, fit in zip(windows, batch, strict=True):
        alone = model.fit(window, rng=0)
        assert_array_equal(alone.members[0].optimum.theta, fit.members[0].optimum.theta)
        assert alone.evidence == fit.evidence


def test_any_number_of_threads_and_any_process_give_the_same_bits(monkeypatch):
    y = sign_series(150, 3)[:, None]
    code = ("import numpy as np; from varnn.models.rung3_tanh import TanhRNN; "
            f"y = np.array({y.ravel().tolist()})[:, None]; fit = TanhRNN().fit(y, rng=0); "
            "print(fit.forecast(4, rng=0).paths.sum())")
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for workers in (1, 2, 4):
        monkeypatch.setattr(search, "WORKERS", workers)
        assert str(TanhRNN().fit(y, rng=0).forecast(4, rng=0).paths.sum()) == elsewhere.strip()


def test_the_linear_mean_is_exact_and_the_nonlinear_mean_is_the_average_of_paths():
    fit = sign_fit()
    outlook = fit.forecast(3, n_paths=20_000, uncertainty="none", rng=0)
    assert_allclose(outlook.point, outlook.paths.mean(axis=0), atol=0.1)


def test_paths_never_become_nan_however_large_the_shocks():
    fit = sign_fit()
    assert np.isfinite(fit._simulate(1e6 * np.ones((4, 30, 1)), None)).all()


def test_ten_thousand_paths_of_ten_series_take_less_than_half_a_second():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(150, 10))
    y[1:] += 0.5 * np.tanh(y[:-1])
    fit = TanhRNN(lags=1, width=6, starts=1).fit(y)
    shocks = rng.normal(size=(10_000, 24, 10))
    fit._simulate(shocks[:5], None)
    times = []
    for _ in range(5):
        began = time.process_time()
        fit._simulate(shocks, None)
        times.append(time.process_time() - began)
    assert min(times) < 0.5


def test_posterior_draws_vary_and_stay_near_the_data():
    fit = sign_fit()
    full = fit.forecast(4, n_paths=2000, uncertainty="full", rng=1)
    assert np.isfinite(full.paths).all()
    assert full.paths.std(axis=0).max() < 3 * sign_series().std()


def test_driven_by_inputs_alone_it_uses_no_observation():
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"u": rng.normal(size=200)})
    y = np.zeros(200)
    for t in range(1, 200):
        y[t] = 0.6 * y[t - 1] + np.tanh(2 * X["u"].iloc[t])
    fit = TanhRNN(lags=0, starts=1).fit(y + 0.01 * rng.normal(size=200), X)
    other = fit._one_step(rng.normal(size=(200, 1)), X.to_numpy())
    assert_array_equal(other, fit._one_step(y[:, None], X.to_numpy()))
    assert np.corrcoef(other[50:, 0], y[50:])[0, 1] > 0.98


@pytest.mark.filterwarnings("ignore:TanhRNN stopped for the reason out_of_steps")  # next to no noise: a long climb
def test_the_start_of_a_driven_recursion_does_not_speak_against_tanh_units():
    """Its first rows depend on a state that nobody knows; left out one by one they once refused perfect networks."""
    rng = np.random.default_rng(7)
    u, y = rng.uniform(0, 0.5, 500), np.zeros(500)
    y[0] = 5.0
    for t in range(1, 500):
        y[t] = 0.5 * y[t - 1] + 1.5 * u[t] * u[t - 1] + 0.1
    X = pd.DataFrame({"u": u, "u1": np.concatenate([[0.0], u[:-1]])})
    fit = TanhRNN(lags=0, starts=1).fit(y[:400], X[:400])
    assert fit.chosen == "TanhRNN"
    error = fit._one_step(y[:, None], X.to_numpy())[400:, 0] - y[400:]
    assert np.sqrt(np.mean(error**2)) < 0.1 * y[400:].std()


def test_a_climb_cut_short_warns_by_name(monkeypatch):
    from varnn.estimate.tanh import search

    whole = search.fit
    monkeypatch.setattr(search, "fit", lambda *args, steps, **options: whole(*args, steps=min(steps, 1), **options))
    with pytest.warns(ConvergenceWarning, match="out_of_steps after 1 steps"):
        TanhRNN(lags=1, width=2, starts=1).fit(linear_data())


def test_a_noiseless_system_is_interpolated_and_runs_freely():
    x = np.full(300, 0.3)
    for t in range(1, 300):
        x[t] = 3.8 * x[t - 1] * (1.0 - x[t - 1])
    fit = TanhRNN().fit(x[50:290])
    assert_allclose(fit.forecast(8).point[:, 0], x[290:298], atol=0.01)


def test_one_odd_row_does_not_take_the_vote_of_a_member_and_a_lost_one_loses_it():
    fit = TanhRNN(lags=1, width=3, starts=1).fit(sign_series()[:400])
    sharp, below = fit.members[0], fit.members[-1]
    data = fit._data(fit.series.values[:80], None)
    for t in range(1, 80):  # what the first member says, and noise of 0.02
        data.Y[t] = sharp.over(data).run(sharp.optimum.theta)[1][t - 1] + 0.02 * np.cos(1.7 * t**2)
    sharp = replace(sharp, optimum=replace(sharp.optimum, sigma=np.array([[0.0004]])), weight=0.98)
    assert mixture.one_step((sharp, below), data)[1][0] > 0.999
    data.Y[-1] += 0.3
    assert mixture.one_step((sharp, below), data)[1][0] > 0.999
    lost = replace(sharp, optimum=replace(sharp.optimum, theta=1.5 * sharp.optimum.theta))
    assert mixture.one_step((lost, below), data)[1][0] < 0.001


def third_lag():
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    for t in range(3, 300):
        y[t] += 0.8 * y[t - 3]
    return y


def test_lags_that_are_rationed_below_those_of_the_var_are_said(monkeypatch):
    from varnn.estimate.tanh import structure

    monkeypatch.setattr(structure, "MOST_WEIGHTS", 1)
    with pytest.warns(RationWarning, match="tries 1 of the [3-9] lags"):
        TanhRNN(width=0).fit(third_lag())


def test_many_rows_ration_the_lags_beside_a_memory_and_the_fit_still_contains_the_var(monkeypatch):
    from varnn.estimate.tanh import search, structure

    monkeypatch.setattr(structure, "WORK", 300.0)  # one lag beside a memory
    monkeypatch.setattr(search, "MANY", 0)         # the orders tried are thinned
    fit = TanhRNN().fit(third_lag())
    assert (fit.lags, fit.width) == (3, 0)
    var = VAR(lags=3).fit(third_lag())
    assert_allclose(fit.forecast(4).point, var.forecast(4).point, rtol=0.03)
    bent = TanhRNN(width=3).fit(np.where(np.abs(y := third_lag()) > 1.5, 1.5 * np.sign(y), y))
    assert bent.members[0].optimum.design.static


def test_bad_settings_and_bad_data_are_refused_by_name():
    with pytest.raises(ParameterError, match="lags"):
        TanhRNN(lags=-1)
    with pytest.raises(ParameterError, match="skip"):
        TanhRNN(skip="yes")
    with pytest.raises(ParameterError, match="lags=0"):
        TanhRNN(lags=0).fit(linear_data())
    with pytest.raises(TooShortError, match="rows"):
        TanhRNN(lags=2).fit(linear_data()[:9])
    constant = linear_data()
    constant[:, 1] = 3.0
    with pytest.raises(RankDeficientError, match="y2"):
        TanhRNN().fit(constant)


def test_posterior_deviations_without_tanh_units_are_those_of_least_squares():
    e, y = np.random.default_rng(4).normal(size=(2000, 2)), np.zeros((2000, 2))
    for t in range(1, 2000):
        y[t] = [0.6 * y[t - 1, 0] + 0.3 * y[t - 1, 1], 0.5 * y[t - 1, 1]] + e[t]
    y = y * [1.0, 100.0] + [3.0, -50.0]
    fit, below = TanhRNN(lags=1, width=0).fit(y), VAR(lags=1).fit(y)
    assert not fit.A.any()
    assert_allclose(fit.bse.loc[below.bse.index], below.bse, rtol=0.02)


def test_posterior_deviations_are_those_of_posterior_draws():
    fit = sign_fit()
    best = fit.members[0].optimum
    root = np.linalg.cholesky(best.covariance)
    rng = np.random.default_rng(0)
    drawn = best.theta + rng.standard_normal((4000, best.design.free)) @ root.T
    W = np.array([best.design.cuts(theta).W[0] for theta in drawn]) * fit.units.scale
    assert_allclose(fit.weights_sd["W_hy"].to_numpy()[0], W.std(axis=0), rtol=0.06)


def test_the_summary_names_evidence_effective_parameters_and_the_chosen_rung():
    text = sign_fit().summary()
    for words in ("log evidence by rung: VAR", "chosen TanhRNN", "effective parameters: intercept", "standard errors"):
        assert words in text
    assert "NaN" not in text


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_a_step_is_found_though_one_row_may_decide_how_steep_it_is(seed):
    rng, y = np.random.default_rng(seed), np.zeros((160, 3))
    for t in range(1, len(y)):
        y[t] = np.sign(y[t - 1, 0]) * np.array([1.0, 0.8, 0.4]) + rng.normal(size=3)
    fit = TanhRNN(starts=1).fit(y)
    assert fit.chosen == "TanhRNN"
    assert fit.width == 1
    assert fit.certainty > 2


def test_the_same_data_have_the_same_fit_whatever_the_seed_and_nearly_the_same_when_disturbed():
    rng = np.random.default_rng(3)
    y = np.zeros((250, 1))
    for t in range(1, len(y)):
        y[t] = (-0.7 if y[t - 1] > 0 else 0.6) * y[t - 1] + 0.7 * rng.normal()
    first, second = (TanhRNN().fit(y, rng=seed) for seed in (0, 1))
    assert first.chosen == "TanhRNN"
    assert_array_equal(first.members[0].optimum.theta, second.members[0].optimum.theta)
    assert (first.forecast(1, rng=0).point == second.forecast(1, rng=0).point).all()
    disturbed = TanhRNN().fit(y + 1e-6 * y.std() * rng.normal(size=y.shape))
    shorter = TanhRNN().fit(y[1:])
    assert disturbed.chosen == shorter.chosen == "TanhRNN"
    away = np.abs(disturbed.forecast(12).point - first.forecast(12).point).max() / first.sigma_u[0, 0] ** 0.5
    assert away < 0.1


@pytest.mark.filterwarnings("ignore::varnn.errors.ConvergenceWarning")  # a climb may end on the bound of its runs
def test_few_rows_of_a_threshold_series_keep_units_where_a_linearity_test_calls_for_them():
    gaps, kept = [], []
    for seed in range(8):
        e, y, best = np.random.default_rng(600 + seed).normal(size=1140), np.zeros(1140), np.zeros(1140)
        for t in range(1, len(y)):
            best[t] = (0.9 if abs(y[t - 1]) <= 1 else -0.3) * y[t - 1]
            y[t] = best[t] + e[t]
        fit, below = TanhRNN().fit(y[:140]), ShrunkVAR().fit(y[:140])
        rest = [(one._one_step(y[:, None], None)[140:, 0] - best[140:]) ** 2 for one in (fit, below)]
        gaps.append([part.mean() for part in rest])
        kept.append(fit.width > 0)
    above, linear = np.mean(gaps, axis=0)
    assert np.mean(kept) >= 0.6
    assert above < 0.75 * linear
