"""The bootstrap: replicates against single refits, bias against Pope's formula, intervals, speed and bad input."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn import VAR, LinearRNN, Mean
from varnn.errors import ConvergenceError, ParameterError
from varnn.estimate.least_squares.small_sample import are_stable, debiased, lag_bias
from varnn.inference.bootstrap import bootstrap


def frame(T: int = 60, slope: float = 0.9, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((T, 2))
    for t in range(1, T):
        y[t] += y[t - 1] @ np.array([[slope, 0.1], [0.0, 0.4]])
    return pd.DataFrame(y, columns=["a", "b"], index=pd.period_range("2000Q1", periods=T, freq="Q"))


def test_batched_refits_are_the_single_refits():
    y, x = frame(), pd.DataFrame({"x": np.cos(np.arange(60.0))}, index=frame().index)
    for trend in ("n", "c", "ct"):
        fit = VAR(lags=2, trend=trend).fit(y, x)
        others = np.stack([frame(seed=seed).to_numpy() for seed in (1, 2)])
        batch = fit._refit(others)
        for i in range(2):
            single = VAR(lags=2, trend=trend).fit(pd.DataFrame(others[i], columns=["a", "b"], index=y.index), x)
            assert_allclose(batch.weights[i], single.params.to_numpy(), rtol=0, atol=1e-11)
            assert_allclose(batch.sigma[i], single.sigma_u, rtol=1e-11)


def test_the_bias_found_is_that_of_popes_formula():
    fit = VAR(lags=1).fit(frame(80, slope=0.6))
    found = bootstrap(fit, 8000, shocks="gaussian", corrected=False).bias.loc[["L1.a", "L1.b"]].to_numpy().T
    assert_allclose(lag_bias(fit.coefs, fit.sigma_u, fit.nobs, 1)[0], found, atol=0.012)


@pytest.mark.parametrize(("terms", "expected"), [(0, -2 * 0.5), (1, -(1 + 3 * 0.5)), (2, -(2 + 4 * 0.5))])
def test_the_bias_of_a_first_order_autoregression_is_the_textbooks(terms, expected):
    assert lag_bias(np.array([[[0.5]]]), np.eye(1), 100, terms)[0, 0, 0] == pytest.approx(expected / 100)


def test_bias_does_not_depend_on_units():
    coefs, sigma = VAR(lags=2).fit(frame()).coefs, VAR(lags=2).fit(frame()).sigma_u
    units = np.array([1e9, 1e-9])
    scaled = lag_bias(coefs * units[:, None] / units, sigma * np.outer(units, units), 58, 1)
    assert_allclose(scaled / (units[:, None] / units), lag_bias(coefs, sigma, 58, 1), rtol=1e-9)


def test_standard_errors_and_percentiles_are_near_the_classical_ones():
    fit = VAR(lags=1).fit(frame(400, slope=0.5))
    found = fit.bootstrap(1000)
    assert_allclose(found.bse / fit.bse, 1, atol=0.12)
    low, high = found.interval(0.95)
    assert_allclose((high - low) / (2 * 1.96 * fit.bse), 1, atol=0.15)
    assert list(low.index) == list(fit.params.index)


def test_correction_moves_the_centre_towards_the_unit_root_and_not_over_it():
    fit = VAR(lags=1).fit(frame(50, slope=0.95))
    raw, corrected = fit.bootstrap(500, corrected=False), fit.bootstrap(500)
    assert corrected.params.mean(axis=0)[1, 0] > raw.params.mean(axis=0)[1, 0]
    scale = np.ones(2)
    centre = np.ascontiguousarray(corrected.centre.weights[:, 1:].reshape(1, 1, 2, 2).swapaxes(2, 3))
    assert are_stable(centre, scale).all()
    pushed = debiased(np.array([[[0.98]]]), np.array([[-0.05]]), 1, np.ones(1))
    assert 0.98 < pushed[0, 0, 0] < 1
    assert debiased(np.array([[[1.02]]]), np.array([[-0.05]]), 1, np.ones(1))[0, 0, 0] == 1.02


def test_bootstrap_forecasts_repeat_and_are_near_the_posterior_ones():
    fit = VAR(lags=1).fit(frame(200, slope=0.5))
    first, again = (fit.forecast(8, uncertainty="bootstrap", rng=3) for _ in range(2))
    assert_allclose(first.paths, again.paths)
    assert_allclose(first.paths.std(axis=0), fit.forecast(8).paths.std(axis=0), rtol=0.12)


def test_models_without_a_batch_are_refitted_by_their_specification():
    fit = Mean().fit(np.random.default_rng(0).standard_normal(80))
    found = fit.bootstrap(100)
    assert found.bse.to_numpy()[0, 0] == pytest.approx(1 / np.sqrt(80), rel=0.3)
    linear = LinearRNN(lags=1).fit(frame(60, slope=0.5))
    assert len(linear.bootstrap(3).refits) == 3
    outlook = Mean().fit(np.sqrt(np.arange(30.0))).forecast(3, uncertainty="bootstrap", n_paths=50)
    assert np.isfinite(outlook.paths).all()


def test_a_thousand_refits_take_less_than_a_second():
    fit = VAR(lags=2).fit(frame(200, slope=0.5))
    fit.bootstrap(10)
    begun = time.perf_counter()
    fit.bootstrap(1000, corrected=False)
    assert time.perf_counter() - begun < 1.0  # 0.07 s on an idle core


@pytest.mark.parametrize(("arguments", "message"), [
    ({"replications": 1}, "replications=1"), ({"replications": 2.5}, "replications=2.5"),
    ({"shocks": "normal"}, "shocks='normal'"), ({"corrected": "yes"}, "corrected='yes'"), ({"rng": -1}, "rng=-1"),
])
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ParameterError, match=message):
        VAR(lags=1).fit(frame()).bootstrap(**arguments)


def test_a_coverage_above_one_and_an_unknown_uncertainty_are_refused():
    fit = VAR(lags=1).fit(frame())
    with pytest.raises(ParameterError, match="coverage=90"):
        fit.bootstrap(10).interval(90)
    with pytest.raises(ParameterError, match="uncertainty='boot'"):
        fit.forecast(2, uncertainty="boot")


def test_an_explosive_fit_whose_samples_overflow_says_so():
    y = 3.0 ** np.arange(60.0) * (1 + 0.01 * np.random.default_rng(0).standard_normal(60))
    longer = np.concatenate([np.random.default_rng(1).standard_normal(900), y])
    fit = VAR(lags=1).fit(longer)
    with pytest.raises(ConvergenceError, match="explosive"):
        fit.bootstrap(20)
