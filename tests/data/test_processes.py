"""Simulated processes: the oracle really is the best forecast, and the ARMA-cell protocol is exact."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import varnn.data as data
from varnn.errors import DataNameError, HorizonError, ParameterError
from varnn.series import Series

SIMULATED = data.names(origin="simulated")
NOISELESS = {"henon", "logistic_map", "lorenz63", "lorenz96", "mackey_glass", "narma10"}
ANCHORS = {"arma": 1.979, "tar": 0.995, "sgn": 0.992, "nar": 0.996, "bilinear_ma": 1.013, "varma": 1.004,
           "exp": 2.793, "sq": 1.690}  # mean test RMSE of the oracle over replications 0–19


@pytest.mark.parametrize("name", SIMULATED)
def test_a_process_repeats_with_its_seed_and_passes_the_gate(name):
    first, second = data.load(name, n=120, seed=3), data.load(name, n=120, seed=3)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != data.load(name, n=120, seed=4).fingerprint
    assert Series.of(first.frame).values.shape == first.oracle.shape
    assert first.frame.shape == (120, data.about(name).shape[1])
    assert np.isfinite(first.oracle.to_numpy()).all()
    assert first.title
    assert first.citation
    assert "_t" in first.notes or "dt" in first.notes


@pytest.mark.parametrize("name", SIMULATED)
def test_simulating_leaves_the_global_random_state_alone(name):
    before = np.random.get_state()[1].copy()
    data.simulate(name, 20, 0)
    assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("name", sorted(NOISELESS))
def test_a_process_without_noise_is_forecast_exactly(name):
    drawn = data.simulate(name, 150, 0)
    assert_allclose(drawn.oracle, drawn.values, rtol=0, atol=0)
    if name != "narma10":  # its future inputs are random
        assert_allclose(drawn.ahead(50, 3, paths=2)[0], drawn.values[50:53])


@pytest.mark.parametrize("name", sorted(set(SIMULATED) - NOISELESS - {"armacell_exp", "armacell_sq"}))
def test_what_the_oracle_leaves_is_unpredictable_from_the_past(name):
    """Forecast errors of a conditional mean are uncorrelated with every function of the past."""
    drawn = data.simulate(name, 6000 if not name.startswith("armacell") else 3000, 5)
    errors = (drawn.values - drawn.oracle)[2:]
    past = np.hstack([drawn.values[1:-1], drawn.oracle[2:], np.tanh(drawn.values[1:-1]), drawn.values[:-2]])
    for error in errors.T:
        for column in past.T:
            if column.std() > 0:
                z = np.corrcoef(error, column)[0, 1] * np.sqrt(len(error))
                assert abs(z) < 4.5


@pytest.mark.parametrize("name", ["regime_switching", "threshold_var", "bilinear", "tanh_rnn", "time_varying_var",
                                  "narma10"])
def test_the_sampled_one_step_mean_is_the_oracle(name):
    drawn = data.simulate(name, 60, 2)
    sampled = drawn.ahead(40, 1, paths=40_000, rng=1)[:, 0, :]
    error = sampled.std(axis=0) / np.sqrt(len(sampled)) + 1e-12
    assert np.all(np.abs(sampled.mean(axis=0) - drawn.oracle[40]) < 4.5 * error)


def test_the_sampled_h_step_mean_of_an_autoregression_is_its_power():
    drawn = data.simulate("ar", 60, 2, coefficients=(0.8,))
    means = drawn.oracle_ahead([20, 60], 4, paths=7, rng=0)
    exact = drawn.values[[19, 59], 0][:, None] * 0.8 ** np.arange(1, 5)
    assert_allclose(means[:, :, 0], exact, atol=1e-12)


@pytest.mark.parametrize("name", ["tar", "regime_switching", "bilinear_ma", "tanh_rnn", "narma10"])
def test_the_averaged_h_step_mean_agrees_with_plain_sampling(name):
    drawn = data.simulate(name, 80, 2)
    averaged = drawn.oracle_ahead([70], 4, paths=40_000, rng=0)[0]
    sampled = drawn.ahead(70, 4, paths=40_000, rng=1)
    error = sampled.std(axis=0) / np.sqrt(len(sampled)) + 1e-12
    assert np.all(np.abs(averaged - sampled.mean(axis=0)) < 6 * error)
    assert_allclose(averaged[0], drawn.oracle[70])


def test_the_hamilton_filter_does_not_see_the_hidden_regime():
    drawn = data.simulate("regime_switching", 4000, 0)
    regime, belief = drawn.states[:-1, 1], drawn.states[:-1, 2]
    assert 0.0 < belief.min() < belief.max() < 1.0
    assert 0.05 < np.mean((belief > 0.5) != (regime == 1)) < 0.4  # it errs, as it must
    for low, high in ((0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):  # and it is calibrated
        inside = (belief > low) & (belief <= high)
        assert abs(belief[inside].mean() - regime[inside].mean()) < 4 / np.sqrt(inside.sum())


@pytest.mark.parametrize("family", ANCHORS)
def test_the_armacell_oracle_errors_of_the_anchors_are_reproduced(family):
    errors = []
    for rep in range(20):
        drawn = data.simulate(f"armacell_{family}", 1000, rep)
        errors.append(np.sqrt(np.mean((drawn.values - drawn.oracle)[700:] ** 2)))
    assert np.mean(errors) == pytest.approx(ANCHORS[family], abs=6e-4)


def test_the_armacell_stream_is_that_of_the_legacy_seed():
    """The third series of replication 4, drawn one number at a time as the paper's script does."""
    stream = np.random.RandomState(4)
    stream.normal(0, 2.0, 1050)
    y = np.zeros(1000)
    for _ in range(2):  # TAR, then SGN
        shocks = [stream.randn() for _ in range(999)]
    for i in range(1, 1000):
        y[i] = np.sign(y[i - 1]) + shocks[i - 1]
    assert_array_equal(data.simulate("armacell_sgn", 1000, 4).values[:, 0], y)


def test_a_cached_protocol_series_cannot_be_changed_by_its_user():
    with pytest.raises(ValueError, match="read-only"):
        data.simulate("armacell_tar", 1000, 0).values[0] = 1.0
    mine = data.load("armacell_tar").frame
    mine.iloc[0, 0] = 99.0
    assert data.load("armacell_tar").frame.iloc[0, 0] == 0.0


def test_narma10_follows_its_equation_with_the_input_one_row_late():
    drawn = data.simulate("narma10", 60, 0)
    y, u = drawn.values[:, 0], drawn.exog[:, 0]  # row t of u is u_{t−1}
    for t in range(11, 60):
        expected = 0.3 * y[t - 1] + 0.05 * y[t - 1] * y[t - 10 : t].sum() + 1.5 * u[t - 9] * u[t] + 0.1
        assert y[t] == pytest.approx(expected, abs=1e-12)


def test_the_lorenz_step_agrees_with_scipys_integrator():
    from scipy.integrate import solve_ivp

    values = data.simulate("lorenz63", 40, 0).values

    def flow(t, s):
        return [10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]]

    solved = solve_ivp(flow, (0, 0.25), values[0], rtol=1e-11, atol=1e-11, t_eval=[0.025, 0.25])
    assert_allclose(values[[1, 10]], solved.y.T, atol=2e-5)


def test_mackey_glass_follows_its_delay_equation():
    """With one Euler step a sample the recursion can be written down directly."""
    values = data.simulate("mackey_glass", 60, 0, substeps=1).values[:, 0]
    late = values[:-18]
    expected = values[17:-1] + 0.2 * late / (1 + late**10) - 0.1 * values[17:-1]
    assert_allclose(values[18:], expected, atol=1e-12)


def test_paths_from_fresh_starts_are_independent_copies():
    process = data.simulate("var", 10, 0).process
    paths = process.paths(500, 6, 1)
    assert paths.shape == (500, 6, 3)
    assert np.all(np.abs(paths.mean(axis=0)) < 0.35)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: data.simulate("tarr"), DataNameError, "did you mean 'tar'"),
        (lambda: data.simulate("tar", 10, outter=1), ParameterError, "no parameter 'outter'; it has inner, outer"),
        (lambda: data.simulate("armacell_tar", 10, outer=1.0), ParameterError, "its protocol is fixed"),
        (lambda: data.simulate("tar", 0), ParameterError, "n=0"),
        (lambda: data.simulate("tar", 2.5), ParameterError, "n=2.5"),
        (lambda: data.simulate("tar", 10, "x"), ParameterError, "rng='x'"),
        (lambda: data.simulate("tar", 10).ahead(11, 1), ParameterError, "origin=11"),
        (lambda: data.simulate("tar", 10).ahead(5, 0), HorizonError, "horizon=0"),
    ],
)
def test_a_wrong_request_is_refused_with_the_value_seen(call, error, message):
    with pytest.raises(error, match=message):
        call()
