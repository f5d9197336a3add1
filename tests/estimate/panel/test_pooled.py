"""A panel's likelihood, regression and recursion are those of its series, added up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import RankDeficientError
from varnn.estimate.least_squares.order import search_orders
from varnn.estimate.linear import likelihood
from varnn.estimate.linear.lag_choice import fit_chosen
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.panel.pooled import noise_of_each, orders_of_panel, own_constants, regression_of_panel
from varnn.estimate.panel.stacked import PooledDesign
from varnn.estimate.tanh.evidence import forgets, prior
from varnn.estimate.tanh.gauss_newton import fit
from varnn.estimate.tanh.structure import Data, design

LENGTHS = (20, 31, 17)
CASES = [(1, 1, 1, 5, 0), (2, 3, 2, 4, 0), (1, 2, 0, 0, 2), (2, 2, 1, 3, 1)]  # k, width, lags, start, inputs


def panel(k, n, lags, start, q):
    rng = np.random.default_rng(100 * k + lags)
    sample = Sample(rng.normal(size=(sum(LENGTHS), k)), rng.normal(size=(sum(LENGTHS), q)), lags, start, LENGTHS)
    return sample, 0.2 * rng.normal(size=(n, sample.columns(n)))


def errors(sample, weights):
    """Return y - ŷ in plain array code: each filter begins after its own presample, rows from `start` on count."""
    n, k, p, out = len(weights), sample.values.shape[1], sample.lags, []
    for part in sample.parts:
        r = likelihood.first_inputs(part, n)
        u, rows = weights @ r, []
        for t in range(p, len(part.values)):
            if t > p:
                seen = part.values[t - p : t][::-1].ravel()
                u = weights @ np.concatenate([u, seen, [1.0], part.inputs[t]])
            rows.append(part.values[t] - u[:k])
        out.append(np.array(rows)[sample.start - p :])
    return np.vstack(out)


@pytest.mark.parametrize("case", CASES)
def test_the_conditional_likelihood_of_a_panel_is_that_of_all_its_errors(case):
    sample, weights = panel(*case)
    found, e = likelihood.conditional(sample, weights), errors(sample, weights)
    assert len(e) == sample.conditional_rows
    assert_allclose(found.moments, e.T @ e, rtol=1e-12)
    assert_allclose(found.value, 0.5 * len(e) * (np.linalg.slogdet(e.T @ e / len(e))[1] + e.shape[1]), rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_its_gradient_and_information_are_those_of_differences(case):
    sample, weights = panel(*case)
    found, h = likelihood.conditional(sample, weights), 1e-6
    steps = [h * one.reshape(weights.shape) for one in np.eye(weights.size)]

    def value(at):
        return likelihood.conditional(sample, at, gradient=False).value

    slopes = [(value(weights + step) - value(weights - step)) / (2 * h) for step in steps]
    assert_allclose(found.weights.ravel(), slopes, rtol=1e-6, atol=1e-6)
    J = np.stack([((errors(sample, weights - step) - errors(sample, weights + step)) / (2 * h)).ravel()
                  for step in steps], axis=1)
    ours = likelihood.information(sample, weights, np.eye(sample.values.shape[1]), found.states)
    assert_allclose(ours, J.T @ J, rtol=1e-6, atol=1e-6)


def test_the_exact_likelihood_of_a_panel_is_the_sum_over_its_series():
    sample, weights = panel(2, 3, 2, 2, 0)
    parts = [likelihood.exact(part, weights, np.eye(2)) for part in sample.parts]
    found = likelihood.exact(sample, weights, np.eye(2))
    assert_allclose(found.value, sum(part.value for part in parts), rtol=1e-14)
    assert_allclose(found.weights, sum(part.weights for part in parts), rtol=1e-12)
    assert_allclose(found.sigma, sum(part.sigma for part in parts), rtol=1e-12)
    ours = likelihood.information(sample, weights, np.eye(2), found.states)
    assert_allclose(ours, sum(likelihood.information(part, weights, np.eye(2), own.states)
                              for part, own in zip(sample.parts, parts, strict=True)), rtol=1e-12)
    assert likelihood.exact(sample, 100 * weights, np.eye(2)) is None


def test_orders_and_coefficients_of_a_panel_of_one_are_those_of_the_series():
    rng = np.random.default_rng(3)
    y, z = rng.normal(size=(80, 2)), rng.normal(size=(80, 1))
    sample = Sample(y, z, 4, 4, (80,))
    ours, plain = orders_of_panel(sample, 4, "c"), search_orders(y, 4, "c", z)
    for name, values in plain.criteria.items():
        assert_allclose(ours.criteria[name], values, rtol=1e-9)
    assert ours.nobs == plain.nobs
    coef = regression_of_panel(sample, intercept=True)
    X = np.hstack([np.ones((76, 1)), z[4:], *(y[4 - lag : 80 - lag] for lag in range(1, 5))])
    assert_allclose(coef, np.linalg.lstsq(X, y[4:], rcond=None)[0], rtol=1e-9)
    with pytest.raises(RankDeficientError, match="move together"):
        regression_of_panel(Sample(np.hstack([y, y]), z, 1, 1, (80,)), intercept=True)


@pytest.mark.parametrize("likelihood_asked", ["exact", "conditional"])
@pytest.mark.parametrize("shrunk", [True, False])
def test_a_pooled_fit_of_one_series_or_of_its_copies_is_the_plain_fit(likelihood_asked, shrunk):
    rng = np.random.default_rng(4)
    e = rng.normal(size=201)
    y = np.zeros((200, 1))
    for t in range(1, 200):
        y[t] = 0.5 * y[t - 1] + e[t + 1] + 0.6 * e[t]
    plain = Sample(y, np.empty((200, 0)), 1, 1)
    options = {"searched": False, "max_lags": None, "most": 1, "intercept": True, "likelihood": likelihood_asked}
    alone, _ = fit_chosen(plain, 1, shrunk=shrunk, **options)
    one, _ = fit_chosen(replace(plain, lengths=(200,)), 1, shrunk=shrunk, **options)
    assert_allclose(one.value, alone.value, rtol=1e-10)
    assert_allclose(one.weights, alone.weights, atol=1e-6)
    if not shrunk:
        twice, _ = fit_chosen(Sample(np.vstack([y, y]), np.empty((400, 0)), 1, 1, (200, 200)), 1, shrunk=False,
                              **options)
        assert_allclose(twice.value, 2 * alone.value, rtol=1e-10)
        assert_allclose(twice.weights, alone.weights, atol=1e-6)


def test_noise_differs_only_as_far_as_the_series_do():
    rng = np.random.default_rng(5)
    e = rng.standard_normal((50, 40, 1))
    assert noise_of_each([e[0]], np.eye(1), from_means=True).tolist() == [1.0]
    alike = noise_of_each(list(e), np.eye(1), from_means=True)
    assert np.ptp(alike) < 0.1
    sizes = np.exp(rng.normal(size=50))
    unlike = noise_of_each(list(e * np.sqrt(sizes)[:, None, None]), np.eye(1), from_means=False)
    assert np.corrcoef(np.log(unlike), np.log(sizes))[0, 1] > 0.95


def test_a_level_of_its_own_costs_what_a_regression_with_two_constants_says():
    rng = np.random.default_rng(6)
    x, groups = rng.normal(size=60), np.repeat([0, 1], [20, 40])
    X = np.column_stack([groups == 0, groups == 1, x]).astype(float)
    both = np.linalg.inv(X.T @ X)[np.ix_([0, 2], [0, 2])]  # (constant of the first series, slope)
    centred = x - np.where(groups == 0, x[:20].mean(), x[20:].mean())
    shared = np.array([[60.0, 0.0], [0.0, centred @ centred]])
    own = np.array([[20.0, x[:20].sum()], [x[:20].sum(), x[:20] @ x[:20]]])
    assert_allclose(np.linalg.inv(own_constants(shared, own, [0])), both, rtol=1e-12)


# --- recursions of tanh units -------------------------------------------------------------------


def recursions(first=4, k=2, lengths=(12, 15, 9), **shape):
    """Return a recursion over a panel, those of its series, and weights."""
    rng = np.random.default_rng(7)
    parts = [Data(rng.normal(size=(T, k)), np.ones((T, 1)), rng.normal(size=(T, 1))) for T in lengths]
    data = Data(*(np.vstack([getattr(part, name) for part in parts]) for name in ("Y", "trend", "Z")), lengths)
    one = {"lags": 2, "lags_tanh": 1, "n": 2, "r": 2, "rl": 1, "first": first} | shape
    pooled, alone = design(data, **one), [design(part, **one) for part in parts]
    return pooled, alone, 0.3 * rng.normal(size=pooled.size)


@pytest.mark.parametrize("first", [2, 4])
@pytest.mark.parametrize("shape", [{}, {"rl": 0, "r": 0}, {"recurrent": False}, {"n": 0, "rl": 0, "r": 0},
                                   {"driven": True}])
def test_a_recursion_over_a_panel_is_that_of_each_series(first, shape):
    pooled, alone, theta = recursions(first, **shape)
    assert isinstance(pooled, PooledDesign)
    assert pooled.rows == sum(part.rows for part in alone)
    S, U = pooled.run(theta)
    runs = [part.run(theta) for part in alone]
    for ours, theirs in ((S, [s for s, _ in runs]), (U, [u for _, u in runs]),
                         (pooled.Y, [part.Y for part in alone]), (pooled.XH, [part.XH for part in alone])):
        assert_array_equal(ours[pooled.first :],
                           np.vstack([own[part.first :] for own, part in zip(theirs, alone, strict=True)]))
    E, white = (pooled.Y - U[:, :2])[pooled.first :], np.array([[1.0, 0.0], [0.3, 0.8]])
    G, g = pooled.normal(theta, S, U, white, E @ white.T)
    sums = [part.normal(theta, *run, white, (part.Y - run[1][:, :2])[part.first :] @ white.T)
            for part, run in zip(alone, runs, strict=True)]
    assert_allclose(G, sum(H for H, _ in sums), rtol=1e-11, atol=1e-12)
    assert_allclose(g, sum(h for _, h in sums), rtol=1e-11, atol=1e-12)
    inverse = np.linalg.inv(G + np.eye(len(G)))
    assert_allclose(pooled.leverages(theta, S, U, white, inverse),
                    np.vstack([part.leverages(theta, *run, white, inverse)
                               for part, run in zip(alone, runs, strict=True)]), rtol=1e-10, atol=1e-12)
    assert_array_equal(pooled.feedback(U)[pooled.first :],
                       np.vstack([part.feedback(u)[part.first :] for part, (_, u) in zip(alone, runs, strict=True)]))


def test_the_gradient_over_a_panel_is_that_of_differences():
    pooled, _, theta = recursions()
    S, U = pooled.run(theta)
    slope = np.random.default_rng(8).normal(size=pooled.Y.shape)
    found = pooled.gradient(theta, S, U, slope)
    for j in range(len(theta)):
        step = 1e-6 * np.eye(len(theta))[j]
        rise = ((pooled.run(theta + step)[1] - pooled.run(theta - step)[1])[:, :2] * slope).sum() / 2e-6
        assert_allclose(found[j], rise, rtol=1e-6, atol=1e-6)


def test_a_longer_warm_up_keeps_the_rows_that_count_and_holds_those_of_a_shorter_one():
    longer, _, _ = recursions(lags=1)
    shorter, _, _ = recursions(lags=2)
    assert longer.rows == shorter.rows
    assert_array_equal(longer.Y[-len(shorter.Y) :], shorter.Y)


def test_a_pooled_climb_of_one_series_is_the_plain_one():
    rng = np.random.default_rng(9)
    data = Data(rng.normal(size=(60, 1)), np.ones((60, 1)), np.empty((60, 0)))
    found = []
    for lengths in ((), (60,)):
        shape = design(replace(data, lengths=lengths), 1, 1, 2, 1, 1, first=3)
        shrink = prior(shape)
        theta = 0.3 * np.random.default_rng(1).normal(size=shape.size)
        found.append(fit(shape, shrink, theta, np.ones(len(shrink.names)), steps=10))
    assert_allclose(found[1].theta, found[0].theta, rtol=1e-9)
    assert_allclose(found[1].laplace, found[0].laplace, rtol=1e-11)
    assert_allclose(found[1].loo, found[0].loo, rtol=1e-8)
    assert forgets(found[1]) == forgets(found[0])
