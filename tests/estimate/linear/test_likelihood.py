"""The likelihood of the linear RNN against brute force, statsmodels, torch and complex steps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.estimate.linear import likelihood
from varnn.estimate.linear.kalman import filtered
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.starts import lagged_moments
from varnn.estimate.numerics.covariance import SINGULAR

CASES = [(1, 1, 1), (3, 1, 3), (2, 2, 2), (1, 3, 1), (2, 1, 4), (2, 3, 3)]


def _case(k, lags, width, T=40, q=0, seed=0):
    rng = np.random.default_rng(seed + 10 * k + lags)
    sample = Sample(rng.normal(size=(T, k)), rng.normal(size=(T, q)), lags, lags)
    weights = rng.normal(size=(width, sample.columns(width))) * 0.15
    weights[:, :width] += 0.4 * np.eye(width)
    half = np.eye(k) + 0.3 * np.tril(rng.normal(size=(k, k)))
    return sample, weights, half @ half.T


def _dense(sample, weights, sigma):
    """-log density of the stacked sample from its T k x T k covariance matrix."""
    y, (T, k) = sample.values, sample.values.shape
    F, G = likelihood.transition(weights, sample.lags, k)
    d, n = len(F), len(weights)
    P = np.linalg.solve(np.eye(d * d) - np.kron(F, F), (G @ sigma @ G.T).ravel()).reshape(d, d)
    constant = np.zeros(d)
    constant[:n] = weights[:, n + sample.lags * k]
    mean = np.tile(np.linalg.solve(np.eye(d) - F, constant)[:k], T)
    H = np.eye(k, d)
    covariance = np.zeros((T * k, T * k))
    ahead = F @ P @ H.T + G @ sigma
    for lag in range(T):
        block = H @ P @ H.T + sigma if lag == 0 else H @ ahead
        for t in range(T - lag):
            covariance[(t + lag) * k : (t + lag + 1) * k, t * k : (t + 1) * k] = block
            covariance[t * k : (t + 1) * k, (t + lag) * k : (t + lag + 1) * k] = block.T
        ahead = ahead if lag == 0 else F @ ahead
    away = y.ravel() - mean
    return 0.5 * (np.linalg.slogdet(covariance)[1] + away @ np.linalg.solve(covariance, away))


@pytest.mark.parametrize(("k", "lags", "width"), CASES)
def test_the_exact_likelihood_is_the_gaussian_density_of_the_whole_sample(k, lags, width):
    sample, weights, sigma = _case(k, lags, width)
    found = likelihood.exact(sample, weights, sigma)
    assert_allclose(found.value, _dense(sample, weights, sigma), rtol=1e-11)


@pytest.mark.parametrize(("k", "p"), [(1, 1), (3, 1), (2, 2), (3, 3)])
def test_the_exact_likelihood_is_statsmodels_kalman_filter_at_the_same_parameters(k, p):
    from statsmodels.tsa.statespace.varmax import VARMAX

    sample, weights, sigma = _case(k, p, k, T=120)
    A, B, c = weights[:, :k], weights[:, k : k + p * k], weights[:, -1]
    phi = B.copy()
    phi[:, :k] += A
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # VARMA is "not generically robust"; the parameters are given here
        peer = VARMAX(sample.values, order=(p, 1))
    peer.ssm.tolerance = 0.0  # its early switch to the steady state costs up to 3e-7
    root = np.linalg.cholesky(sigma)[np.tril_indices(k)]
    params = np.concatenate([c, phi.ravel(), -A.ravel(), root])
    ours = -likelihood.exact(sample, weights, sigma).value - likelihood.constant(120, k)
    assert_allclose(ours, peer.loglike(params, transformed=True), atol=1e-8, rtol=1e-10)


@pytest.mark.parametrize(("k", "lags", "width"), CASES)
def test_the_adjoint_gradient_of_the_exact_likelihood_is_its_derivative(k, lags, width):
    sample, weights, sigma = _case(k, lags, width)
    found = likelihood.exact(sample, weights, sigma)
    rng = np.random.default_rng(1)
    for _ in range(4):
        step, turn = rng.normal(size=weights.shape), rng.normal(size=sigma.shape)
        turn = turn + turn.T

        def value(size, step=step, turn=turn):
            return likelihood.exact(sample, weights + size * step, sigma + size * turn, gradient=False).value

        slope = (8 * (value(1e-3) - value(-1e-3)) - (value(2e-3) - value(-2e-3))) / 12e-3
        ours = np.sum(found.weights * step) + np.sum(found.sigma * turn)
        assert_allclose(ours, slope, rtol=1e-6, atol=1e-6)


def _unrolled(sample, weights, xp):
    """ŷ_t for t ≥ p in plain array code, the start as in `likelihood.conditional`."""
    y, p = sample.values, sample.lags
    k, n = y.shape[1], weights.shape[0]
    state = xp.asarray(np.concatenate([y[p - 1], np.zeros(n - k)]) if p else np.zeros(n)) + 0 * weights[:, 0]
    found = []
    for t in range(p, len(y)):
        known = np.concatenate([*(y[t - 1 - lag] for lag in range(p)), [1.0], sample.inputs[t]])
        state = weights[:, :n] @ state + weights[:, n:] @ (xp.asarray(known) + 0 * weights[0, n:])
        found.append(state[:k])
    return xp.stack(found)


@pytest.mark.parametrize(("k", "lags", "width"), [*CASES, (2, 0, 2)])
def test_the_conditional_gradient_agrees_with_torch_autograd(k, lags, width):
    torch = pytest.importorskip("torch")
    sample, weights, _ = _case(k, lags, width, q=2)
    free = torch.tensor(weights, requires_grad=True)
    errors = torch.tensor(sample.values[lags:]) - _unrolled(sample, free, torch)
    N = len(errors)
    value = 0.5 * N * (torch.logdet(errors.T @ errors / N) + k)
    value.backward()
    ours = likelihood.conditional(sample, weights)
    assert_allclose(ours.value, value.item(), rtol=1e-12)
    assert_allclose(ours.weights, free.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("k", "lags", "width"), [*CASES, (2, 0, 2)])
def test_the_jacobian_agrees_with_complex_steps(k, lags, width):
    sample, weights, sigma = _case(k, lags, width, q=1)
    half = np.linalg.inv(np.linalg.cholesky(sigma))
    columns = []
    for i in np.ndindex(weights.shape):
        moved = weights.astype(complex)
        moved[i] += 1e-30j
        columns.append((_unrolled(sample, moved, np).imag / 1e-30 @ half.T).ravel())
    J = np.stack(columns, axis=1)
    states = likelihood.conditional(sample, weights, gradient=False).states
    for rows in (7, 256):
        ours = likelihood.information(sample, weights, sigma, states, rows=rows)
        assert_allclose(ours, J.T @ J, rtol=1e-12, atol=1e-12 * np.abs(J.T @ J).max())


@pytest.mark.parametrize(("k", "lags", "width"), CASES)
def test_filtered_states_are_those_of_a_kalman_filter(k, lags, width):
    sample, weights, sigma = _case(k, lags, width)
    F, G = likelihood.transition(weights, lags, k)
    d, n = len(F), len(weights)
    P = likelihood.stationary_covariance(F, G @ sigma @ G.T)
    constant = np.zeros(d)
    constant[:n] = weights[:, n + lags * k]
    a, H = np.linalg.solve(np.eye(d) - F, constant), np.eye(k, d)
    expected = []
    for y in sample.values:
        expected.append(a[:n])
        S = H @ P @ H.T + sigma
        K = (F @ P @ H.T + G @ sigma) @ np.linalg.inv(S)
        a = F @ a + constant + K @ (y - H @ a)
        P = F @ P @ F.T + G @ sigma @ G.T - K @ S @ K.T
    assert_allclose(filtered(sample, weights, sigma), expected, atol=1e-11)


def test_an_explosive_process_or_an_unstable_filter_has_no_exact_likelihood():
    sample, weights, sigma = _case(2, 1, 2)
    unstable, explosive = weights.copy(), weights.copy()
    unstable[:, :2] = 1.01 * np.eye(2)
    explosive[:, 2:4] = np.eye(2)
    assert likelihood.exact(sample, unstable, sigma) is None
    assert likelihood.conditional(sample, unstable) is None
    assert likelihood.exact(sample, explosive, sigma) is None


def _lag_of_itself(T=200, seed=0):
    """A sample whose second series is the first a date ago, and the weights of that VAR."""
    e, y = np.random.default_rng(seed).normal(size=T + 1), np.zeros(T + 1)
    for t in range(1, T + 1):
        y[t] = 0.6 * y[t - 1] + e[t]
    weights = np.zeros((2, 5))
    weights[0, 2], weights[1, 2] = 0.6, 1.0
    return Sample(np.column_stack([y[1:], y[:-1]]), np.empty((T, 0)), 1, 1), weights


def test_without_an_error_the_conditional_likelihood_is_the_largest_over_regular_covariances():
    sample, weights = _lag_of_itself()
    found, N = likelihood.conditional(sample, weights), sample.conditional_rows
    moment = found.moments / N
    assert moment[1, 1] < SINGULAR < moment[0, 0]
    rng = np.random.default_rng(1)
    for _ in range(50):
        root = np.diag(np.sqrt(np.diag(found.sigma))) @ (np.eye(2) + 0.2 * np.tril(rng.normal(size=(2, 2))))
        other = root @ root.T + SINGULAR * np.eye(2)
        value = 0.5 * N * (np.linalg.slogdet(other)[1] + np.trace(np.linalg.solve(other, moment)))
        assert found.value <= value
    assert_allclose(found.value, 0.5 * N * (np.log(moment[0, 0]) + np.log(SINGULAR) + 1.0), rtol=1e-9)


def test_without_an_error_the_conditional_gradient_is_its_derivative():
    sample, weights = _lag_of_itself()
    step = np.zeros_like(weights)
    step[1] = np.random.default_rng(2).normal(size=5)  # of the series without error
    at = weights + 1e-8 * step
    slope = (likelihood.conditional(sample, at + 1e-9 * step, gradient=False).value
             - likelihood.conditional(sample, at - 1e-9 * step, gradient=False).value) / 2e-9
    assert_allclose(np.sum(likelihood.conditional(sample, at).weights * step), slope, rtol=1e-6)


def test_a_singular_covariance_has_no_exact_likelihood():
    sample, weights = _lag_of_itself()
    assert likelihood.exact(sample, weights, np.diag([1.0, 1e-13])) is not None
    assert likelihood.exact(sample, weights, np.diag([1.0, 1e-15])) is None
    assert likelihood.exact(sample, weights, np.ones((2, 2))) is None


@pytest.mark.parametrize("d", [3, 9])
def test_the_stationary_covariance_solves_the_lyapunov_equation(d):
    rng = np.random.default_rng(0)
    F = rng.normal(size=(d, d)) * 0.2
    Q = np.cov(rng.normal(size=(d, 20)))
    P = likelihood.stationary_covariance(F, Q)
    assert_allclose(P, F @ P @ F.T + Q, atol=1e-12)


def test_lagged_moments_are_those_of_the_stacked_regressors():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(30, 2))
    rows = [np.concatenate([[1.0], Z[t], Z[t - 1], Z[t - 2]]) for t in range(4, 30)]
    assert_allclose(lagged_moments(Z, 2, 4), np.transpose(rows) @ rows, rtol=1e-12)
