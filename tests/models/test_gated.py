"""GRU and LSTM: they begin as the VAR, leave it only where the evidence pays, and stand on exact derivatives."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import ConvergenceError, ConvergenceWarning, ParameterError, ResourceLimitError, TooShortError
from varnn.estimate.gated.gauss_newton import fit as search
from varnn.estimate.gated.gauss_newton import linear_alone, shrunk, starting_weights, with_readout
from varnn.estimate.gated.recursion import Gated
from varnn.estimate.numerics.stop import Stop
from varnn.models.rung1_var import VAR
from varnn.models.rung4_gated import GRU, LSTM
from varnn.recursion.cells import CELLS, count

both = pytest.mark.parametrize("model", [GRU, LSTM], ids=["GRU", "LSTM"])


def linear_series(T=150, k=2, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((T, k))
    for t in range(1, T):
        y[t] += 0.5 * y[t - 1] + 0.2 * y[t - 1, ::-1]
    return y


def sign_series(T=400, seed=0):
    """y_t = sign(y_{t-1}) + e_t; the best forecast is the sign."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((T, 1))
    y = np.zeros((T, 1))
    for t in range(1, T):
        y[t] = np.sign(y[t - 1]) + e[t]
    return y


@pytest.fixture(scope="module")
def sign_fit():
    return {model: model(lags=1, width=3).fit(sign_series()) for model in (GRU, LSTM)}


@both
@pytest.mark.parametrize("trend", ["c", "n", "ct"])
@pytest.mark.parametrize("driven", [False, True], ids=["alone", "with X"])
def test_a_gated_rung_lifted_from_a_var_forecasts_the_same(model, trend, driven):
    y = linear_series() * [1.0, 1e6] + [1e3, -50.0]
    X = np.random.default_rng(1).standard_normal((150 + 24, 1)) * 20 + 5 if driven else None
    below = VAR(lags=2, trend=trend).fit(y, None if X is None else X[:150])
    lifted = model().lift(below)
    future = None if X is None else X[150:]
    one, other = lifted.forecast(24, future), below.forecast(24, future)
    assert_allclose(one.point / y.std(0), other.point / y.std(0), rtol=0, atol=1e-10)
    assert_allclose(lifted.params.to_numpy()[:len(below.params)], below.params, rtol=1e-9)
    assert_allclose(lifted.fittedvalues / y.std(0), below.fittedvalues / y.std(0), rtol=0, atol=1e-10)
    assert_allclose(lifted.sigma_u, below.sigma_u, rtol=1e-9)
    assert_allclose(lifted.bse.to_numpy()[:len(below.bse)], below.bse, rtol=1e-4)
    assert_allclose([lifted.llf, lifted.aic], [below.llf, below.aic], rtol=1e-10)


@both
def test_the_jacobian_equals_finite_differences_and_autograd_through_time(model):
    rng = np.random.default_rng(0)
    gated = Gated(CELLS[model.cell], 3, rng.standard_normal((25, 4)), rng.standard_normal((25, 2)),
                  rng.standard_normal((25, 2)))
    theta = 0.5 * rng.standard_normal(count(gated.shapes))
    J = gated.jacobian(theta, gated.states(theta))
    for _ in range(3):
        step = rng.standard_normal(len(theta)) * 1e-6
        ahead, behind = (gated.forecasts(at, gated.states(at)) for at in (theta + step, theta - step))
        assert_allclose(J @ step, (ahead - behind) / 2, rtol=0, atol=1e-13)

    from varnn.recursion.cells import unflatten
    from varnn.recursion.wiring import Layer

    def forecasts(at):
        weights = unflatten(at, gated.shapes)
        s = Layer(gated.cell, weights).run(torch.tensor(gated.inputs)[:, None])[0][:, 0]
        return torch.tensor(gated.linear) @ weights["linear"].T + s @ weights["readout"].T

    through_time = torch.autograd.functional.jacobian(forecasts, torch.tensor(theta))
    assert_allclose(J, through_time, rtol=0, atol=1e-10)


@both
def test_the_evidence_of_the_linear_part_is_that_of_bayesian_regression(model, monkeypatch):
    """Brute force: the log marginal likelihood of y ~ N(0, Σ⊗I + X X'/α) at the same Σ."""
    from scipy.stats import multivariate_normal

    monkeypatch.setattr("varnn.estimate.gated.gauss_newton.FLAT", 1e-6)
    rng = np.random.default_rng(0)
    X, Y = np.hstack([np.ones((12, 1)), rng.standard_normal((12, 1))]), rng.standard_normal((12, 1))
    coefficients = np.linalg.lstsq(X, Y, rcond=None)[0].T
    gated = Gated(CELLS[model.cell], 2, X, X[:, 1:], Y)
    below = linear_alone(gated, starting_weights(gated, coefficients, rng))
    marginal = multivariate_normal(np.zeros(12), below.sigma[0, 0] * np.eye(12) + X @ X.T / 1e-6)
    assert_allclose(below.evidence, marginal.logpdf(Y[:, 0]), atol=1e-4)
    assert below.stop is Stop.closed_form


@both
def test_a_sign_process_is_recovered_and_its_gap_closed(model, sign_fit):
    fit, y = sign_fit[model], sign_series(3000, seed=5)
    assert fit.evidence_gain > 20
    assert fit.llf > VAR(lags=1).fit(sign_series()).llf
    predicted = fit._one_step(y, None)[1:]
    linear = VAR(lags=1).fit(sign_series())._one_step(y, None)[1:]
    loss = [np.sqrt(np.mean((y[1:] - forecast) ** 2)) for forecast in (linear, predicted, np.sign(y[:-1]))]
    assert (loss[0] - loss[1]) / (loss[0] - loss[2]) > 0.8


@both
def test_on_linear_data_the_units_hardly_matter(model):
    y = linear_series(T=300)
    fit, below = model(lags=1).fit(y), VAR(lags=1).fit(y)
    fresh = linear_series(T=2000, seed=9)
    ours, theirs = (np.nanmean((fresh - one._one_step(fresh, None)) ** 2) for one in (fit, below))
    assert ours < 1.005 * theirs
    assert fit.effective_params.get("readout", 0.0) < 2.0


@both
def test_units_without_evidence_are_dropped_and_leave_the_var(model):
    rng = np.random.default_rng(0)
    for seed in range(6):
        y = np.random.default_rng(seed).standard_normal((120, 1))
        fit = model(lags=1, width=2).fit(y)
        if fit.evidence_gain == 0:
            break
    below = VAR(lags=1).fit(y)
    assert_allclose(fit.forecast(5).point, below.forecast(5).point, rtol=0, atol=1e-12)
    assert fit.n_params == below.n_params
    assert_allclose(fit.aic, below.aic, rtol=1e-12)
    assert "gated units dropped" in fit.summary()
    assert np.isfinite(fit.forecast(5, rng=rng).paths).all()


@both
def test_the_same_seed_gives_the_same_bits_and_threads_change_nothing(model):
    y = sign_series(150)
    one = model(lags=1, width=2).fit(y, rng=3)
    again = {}
    workers = [threading.Thread(target=lambda i=i: again.setdefault(i, model(lags=1, width=2).fit(y, rng=3)))
               for i in range(2)]
    before = torch.get_num_threads()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert torch.get_num_threads() == before
    for other in again.values():
        assert_array_equal(one.estimate.theta, other.estimate.theta)
        assert_array_equal(one.forecast(4).paths, other.forecast(4).paths)
    assert not np.array_equal(one.estimate.theta, model(lags=1, width=2).fit(y, rng=4).estimate.theta)


@both
def test_paths_repeat_the_recursion_step_by_step(model, sign_fit):
    """A path's steps are the one-step predictions from that path, plus its shocks."""
    fit = sign_fit[model]
    shocks = np.random.default_rng(0).standard_normal((3, 6, 1))
    paths = fit._simulate(shocks, None)
    for path, shock in zip(paths, shocks, strict=True):
        whole = np.vstack([fit.seen.values, path])
        assert_allclose(fit._one_step(whole, None)[-6:] + shock, path, rtol=0, atol=1e-10)


@both
def test_each_draw_runs_its_own_filter(model, sign_fit):
    from dataclasses import replace

    fit = sign_fit[model]
    draws = fit._draw(4, np.random.default_rng(0))
    shocks = np.random.default_rng(1).standard_normal((8, 3, 1))
    paths = fit._simulate(shocks, None, draws)
    for i in range(8):
        alone = replace(fit, estimate=replace(fit.estimate, theta=draws.weights[i % 4]))
        assert_allclose(paths[i], alone._simulate(shocks[i:i + 1], None)[0], rtol=0, atol=1e-10)


@both
def test_draws_have_the_covariance_of_the_posterior(model, sign_fit):
    from varnn.models import rung4_gated

    fit = sign_fit[model]
    assert rung4_gated.DISTINCT_DRAWS == 200
    draws = [fit._draw(200, np.random.default_rng(seed)) for seed in range(15)]
    weights = np.concatenate([draw.weights for draw in draws]) - fit.estimate.theta
    covariance = np.linalg.inv(fit.estimate.precision)
    assert_allclose(weights.std(0), np.sqrt(np.diag(covariance)), rtol=0.1)
    sigma = np.concatenate([draw.sigma for draw in draws]).mean(0)
    assert_allclose(sigma, fit.sigma_u, rtol=0.05)


@both
def test_the_cell_moves_to_torch_by_name(model, sign_fit):
    fit = sign_fit[model]
    module = {GRU: torch.nn.GRU, LSTM: torch.nn.LSTM}[model](1, 3, dtype=torch.float64)
    module.load_state_dict({f"{name}_l0": torch.tensor(value) for name, value in fit.weights.items()
                            if name not in ("linear", "readout")})
    y = fit.units.series(fit.series.values)
    with torch.no_grad():
        states = module(torch.tensor(y[:-1])[:, None])[0][:, 0].numpy()
    weights = fit.weights
    ours = np.hstack([np.ones((len(y) - 1, 1)), y[:-1]]) @ weights["linear"].T + states @ weights["readout"].T
    assert_allclose(fit.units.back(ours), fit.fittedvalues, rtol=0, atol=1e-12)


def test_running_out_of_steps_is_a_named_warning():
    with pytest.warns(ConvergenceWarning, match="GRU stopped for the reason out_of_steps after 6 steps"):
        fit = GRU(lags=1, width=2, max_steps=6, starts=1).fit(sign_series(150))
    assert fit.stop is Stop.out_of_steps
    assert np.isfinite(fit.forecast(3).paths).all()


def test_a_search_without_a_finite_start_is_an_error_of_ours():
    gated = Gated(CELLS["gru"], 2, np.full((20, 1), np.inf), np.ones((20, 1)), np.ones((20, 1)))
    with np.errstate(invalid="ignore"), pytest.raises(ConvergenceError, match="no finite"):
        search(gated, np.ones((1, 1)), 1, 5, np.random.default_rng(0))


@pytest.mark.filterwarnings("ignore::varnn.errors.SingularWarning")
@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")
@both
def test_divergence_never_becomes_nan(model):
    """Near-constant, explosive and huge series end in finite numbers or in an error of ours."""
    rng = np.random.default_rng(0)
    explosive = 1.3 ** np.arange(80)[:, None] * (1 + 0.01 * rng.standard_normal((80, 1)))
    for y in (explosive, 1e12 + 1e-3 * rng.standard_normal((80, 1)), 1e100 * rng.standard_normal((80, 1))):
        fit = model(lags=1, width=2, starts=1).fit(y)
        assert np.isfinite(fit.estimate.theta).all()
        assert np.isfinite(fit.forecast(8).paths).all()


@both
def test_lags_zero_is_driven_by_other_series_alone(model):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((302, 1))
    y = np.tanh(2 * X) + 0.1 * rng.standard_normal((302, 1))
    fit = model(lags=0, width=2).fit(y[:300], X[:300])
    assert fit.evidence_gain > 20
    assert_allclose(fit.forecast(2, X[300:]).point, np.tanh(2 * X[300:]), atol=0.15)
    assert fit.nobs == 300
    assert fit.params.index[:2].tolist() == ["const", "x1"]


@both
def test_a_width_beyond_memory_is_refused_at_once(model):
    with pytest.raises(ResourceLimitError, match=r"width=500 on 2 series and 2 inputs has \d+ weights.*smaller width"):
        model(lags=1, width=500).fit(linear_series())


@both
def test_settings_that_cannot_be_used_are_named(model):
    y = linear_series()
    with pytest.raises(ParameterError, match="lags=0 without X leaves nothing to drive"):
        model(lags=0).fit(y)
    with pytest.raises(ParameterError, match="leaves nothing to drive the gated units"):
        model().lift(VAR(lags=0).fit(y))
    with pytest.raises(ParameterError, match="device='tpu' is not usable"):
        model(device="tpu")
    for setting in ({"width": 0}, {"width": 2.5}, {"lags": -1}, {"starts": 0}, {"max_steps": "9"}, {"trend": "x"}):
        with pytest.raises(ParameterError, match=f"{next(iter(setting))}="):
            model(**setting)
    with pytest.raises(TooShortError, match=rf"{model.__name__}\(lags=\d+\) on \d+ series needs at least"):
        model(lags=20).fit(y[:30])
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="torch finds no CUDA device; use device='cpu'"):
            model(device="cuda").fit(y)


@both
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_results(model):
    y = sign_series()
    on_cpu, on_gpu = model(lags=1).fit(y), model(lags=1, device="cuda").fit(y)
    assert_allclose(on_gpu.forecast(12).point, on_cpu.forecast(12).point, rtol=0, atol=1e-6)
    assert_allclose(on_gpu.fittedvalues, on_cpu.fittedvalues, rtol=0, atol=1e-6)
    assert_allclose(on_gpu.forecast(12).paths, on_cpu.forecast(12).paths, rtol=0, atol=1e-4)


def test_columns_in_other_units_give_the_same_forecasts():
    y = np.hstack([sign_series(150), linear_series()[:, :1]])
    scale, shift = np.array([1e12, 1e-12]), np.array([1e9, 5.0])
    one = GRU(lags=1, width=2).fit(y).forecast(6)
    other = GRU(lags=1, width=2).fit(y * scale + shift * [1, 0]).forecast(6)
    assert_allclose((other.point - shift * [1, 0]) / scale, one.point, rtol=0, atol=1e-8)


def test_dates_names_and_updates_go_through():
    y = pd.DataFrame(sign_series(120), columns=["gdp"], index=pd.period_range("1990Q1", periods=120, freq="Q"))
    fit = GRU(width=2).fit(y.iloc[:110])
    moved = fit.update(y.iloc[110:])
    assert moved.forecast(2).mean.index.astype(str).tolist() == ["2020Q1", "2020Q2"]
    assert_array_equal(moved.estimate.theta, fit.estimate.theta)
    assert_allclose(moved.forecast(1).point[0], fit._one_step(np.vstack([y, [[0.0]]]), None)[-1], atol=1e-10)


def test_more_steps_never_lower_the_evidence():
    y = sign_series(150)
    y = (y - y.mean()) / y.std()
    X = np.hstack([np.ones((149, 1)), y[:-1]])
    gated = Gated(CELLS["gru"], 2, X, X[:, 1:], y[1:])
    theta = starting_weights(gated, np.linalg.lstsq(X, y[1:], rcond=None)[0].T, np.random.default_rng(0))
    theta = with_readout(gated, theta)
    evidences = [shrunk(gated, theta, steps).evidence for steps in (8, 14, 30)]
    assert evidences == sorted(evidences)
