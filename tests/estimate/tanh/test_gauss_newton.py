"""Gauss-Newton: closed forms where the model is linear, stationarity of the posterior where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose

from varnn.estimate.numerics.covariance import LEAST_EIGENVALUE
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.tanh.design import Design
from varnn.estimate.tanh.evidence import prior
from varnn.estimate.tanh.gauss_newton import fit, left_out


def linear_problem(T=200, k=2, seed=0):
    rng = np.random.default_rng(seed)
    X = np.hstack([np.ones((T, 1)), rng.normal(size=(T, 2 * k))])
    Y = X @ rng.normal(size=(1 + 2 * k, k)) * 0.3 + rng.normal(size=(T, k)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    return Design(X, np.ones((T, 1)), Y, Y, np.zeros(k), 0), X, Y


def bent_problem(T=300, n=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(T, 1))
    Y = np.tanh(3 * x - 1) + 0.3 * rng.normal(size=(T, 1))
    X = np.hstack([np.ones((T, 1)), x])
    design = Design(X, X, Y, Y, np.zeros(1), n, 0, 0, False, False)
    return design, rng.normal(size=design.size)


def test_with_fixed_precisions_a_linear_model_ends_in_the_ridge_regression():
    design, X, Y = linear_problem()
    shrink = prior(design)
    alpha = np.linspace(0.5, 3.0, len(shrink.names))
    best = fit(design, shrink, np.zeros(design.size), alpha, hold=10**6, steps=60, tolerance=1e-12)
    precision = np.linalg.inv(best.sigma)
    G = np.kron(precision, X.T @ X) + np.diag(shrink.precisions(alpha))
    expected = np.linalg.solve(G, (X.T @ Y @ precision).T.ravel())
    assert_allclose(best.theta, expected, atol=1e-7)
    assert_allclose(best.information, G, rtol=1e-6)


def test_with_vanishing_precisions_it_is_least_squares():
    design, X, Y = linear_problem()
    shrink = prior(design)
    best = fit(design, shrink, np.zeros(design.size), np.full(len(shrink.names), 1e-9), hold=10**6, steps=60)
    assert_allclose(best.theta.reshape(2, -1).T, np.linalg.lstsq(X, Y, rcond=None)[0], atol=1e-6)


def test_the_laplace_evidence_of_a_linear_model_is_the_exact_marginal_likelihood():
    design, X, Y = linear_problem(T=40)
    shrink = prior(design)
    alpha = np.linspace(0.5, 3.0, len(shrink.names))
    best = fit(design, shrink, np.zeros(design.size), alpha, hold=10**6, steps=1)
    best = fit(design, shrink, best.theta, alpha, sigma=np.eye(2), hold=10**6, steps=0)
    spread = 1.0 / shrink.precisions(alpha)
    F = np.kron(np.eye(2), X)
    V = F @ np.diag(spread) @ F.T + np.eye(80)
    mode = np.linalg.solve(F.T @ F + np.diag(1 / spread), F.T @ Y.T.ravel())
    at_mode = fit(design, shrink, mode, alpha, sigma=np.eye(2), hold=10**6, steps=0)
    exact = -0.5 * (Y.T.ravel() @ np.linalg.solve(V, Y.T.ravel()) + np.linalg.slogdet(V)[1] + 80 * np.log(2 * np.pi))
    assert_allclose(at_mode.laplace, exact, rtol=1e-9)
    assert best.laplace <= at_mode.laplace


def test_precisions_end_in_mackays_fixed_point():
    design, _, _ = linear_problem(T=500)
    shrink = prior(design)
    best = fit(design, shrink, np.zeros(design.size), np.ones(len(shrink.names)), steps=200, tolerance=1e-10)
    gamma = shrink.sums(np.ones(design.size)) - best.alpha * shrink.sums(np.diag(best.covariance))
    assert_allclose(gamma, best.gamma, atol=1e-4)
    assert_allclose(best.alpha, gamma / shrink.sums(best.theta**2), rtol=0.02)


def test_the_end_of_a_climb_is_a_stationary_point_of_the_posterior():
    design, start = bent_problem()
    shrink = prior(design)
    best = fit(design, shrink, start, np.ones(len(shrink.names)), steps=300, tolerance=1e-10)
    assert best.stop in (Stop.gradient_small, Stop.step_small)
    S, U = design.run(best.theta)
    slope = design.gradient(best.theta, S, U, (design.Y - U) / best.sigma[0, 0])
    slope -= shrink.precisions(best.alpha) * best.theta
    assert np.abs(slope / np.sqrt(np.diag(best.information))).max() < 1e-2
    assert 0.25 < np.sqrt(best.sigma[0, 0]) < 0.35


def test_frozen_units_leave_a_linear_problem_with_the_same_answer():
    design, start = bent_problem(n=5)
    frozen = replace(design, frozen=True)
    shrink = prior(frozen)
    best = fit(frozen, shrink, start, np.ones(len(shrink.names)), hold=10**6, steps=60, tolerance=1e-12)
    assert (best.theta[frozen.free:] == start[frozen.free:]).all()
    S, _ = design.run(start)
    X = np.hstack([design.XL, S])
    G = X.T @ X / best.sigma[0, 0] + np.diag(shrink.precisions(best.alpha))
    assert_allclose(best.theta[: frozen.free], np.linalg.solve(G, X.T @ design.Y[:, 0] / best.sigma[0, 0]), atol=1e-6)


def test_leave_one_out_residuals_of_a_linear_model_are_those_of_refits():
    design, X, Y = linear_problem(T=30)
    shrink = prior(design)
    best = fit(design, shrink, np.zeros(design.size), np.full(len(shrink.names), 1e-9), hold=10**6, steps=60)
    for row in (0, 17):
        kept = np.arange(30) != row
        coefficients = np.linalg.lstsq(X[kept], Y[kept], rcond=None)[0]
        assert_allclose(best.loo[row], Y[row] - X[row] @ coefficients, atol=1e-4)
    assert_allclose(left_out(np.ones((1, 2)), np.zeros((1, 2, 2))), 1.0)


def test_a_start_that_diverges_gives_none_and_no_warning():
    design, _ = bent_problem()
    explosive = replace(design, ar=True)
    weights = np.zeros(explosive.size)
    weights[2] = 40.0
    weights[0] = 1.0
    assert fit(explosive, prior(explosive), weights, np.ones(len(prior(explosive).names))) is None


def test_collinear_errors_keep_their_covariance_invertible():
    design, X, _ = linear_problem()
    e = np.random.default_rng(1).normal(size=(200, 1))
    Y = X[:, :2] + 1e-3 * np.hstack([e, e])
    same = Design(X, design.XH, Y, Y, design.start, 0)
    best = fit(same, prior(same), np.zeros(same.size), np.ones(len(prior(same).names)))
    scale = np.sqrt(np.diag(best.sigma))
    assert np.linalg.eigvalsh(best.sigma / np.outer(scale, scale))[0] > 0.9 * LEAST_EIGENVALUE
