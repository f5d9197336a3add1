"""L-BFGS on the pure recursion: its gradient, its ends, and single fits inside a batch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import ParameterError
from varnn.estimate.numerics.lbfgs import Network, descend, descend_many
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.tanh.design import Design


def problem(n=5, T=60, seed=0):
    rng = np.random.default_rng(seed)
    X = np.hstack([np.ones((T, 1)), rng.normal(size=(T, 2))])
    Y = np.tanh(X @ rng.normal(size=(3, 2))) + 0.1 * rng.normal(size=(T, 2))
    return Design(X[:, :1], X, Y, Y, np.zeros(2), n)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_value_and_gradient_are_those_of_the_general_kernels(n):
    design = problem(n)
    network = Network.of(design)
    theta = np.random.default_rng(1).normal(size=design.size) * 0.4
    value, gradient = network.value_and_gradient(theta)
    S, U = design.run(theta)
    assert_allclose(value, 0.5 * ((design.Y - U) ** 2).sum(), rtol=1e-12)
    assert_allclose(gradient, design.gradient(theta, S, U, U - design.Y), atol=1e-12)


def test_the_penalty_is_on_all_weights_but_the_intercepts():
    network = Network.of(problem())
    theta = np.ones(network.size)
    plain, slope = network.value_and_gradient(theta)
    value, gradient = network.value_and_gradient(theta, 3.0)
    assert_allclose(value - plain, 1.5 * (network.size - 2))
    assert_allclose(gradient - slope, np.concatenate([np.zeros(2), np.full(network.size - 2, 3.0)]), atol=1e-12)


def test_a_descent_ends_where_the_gradient_is_small_or_says_that_steps_ran_out():
    network = Network.of(problem())
    start = network.start(np.random.default_rng(0))
    end = descend(network, start, steps=3000, penalty=0.1, tolerance=1e-14)
    assert end.stop in (Stop.gradient_small, Stop.step_small)
    assert np.abs(network.value_and_gradient(end.theta, 0.1)[1]).max() < 1e-3
    assert descend(network, start, steps=3).stop is Stop.out_of_steps


def test_a_batch_has_the_bits_of_single_fits_for_any_number_of_workers():
    networks = [Network.of(problem(seed=i)) for i in range(6)]
    starts = [network.start(np.random.default_rng(i)) for i, network in enumerate(networks)]
    alone = [descend(network, start, steps=20) for network, start in zip(networks, starts, strict=True)]
    for workers in (1, 2, 4):
        for one, other in zip(alone, descend_many(networks, starts, steps=20, workers=workers), strict=True):
            assert_array_equal(one.theta, other.theta)


def test_recursions_with_feedback_are_refused():
    design = problem()
    with pytest.raises(ParameterError, match="feedback"):
        Network.of(Design(**{**design.__dict__, "r": 1}))
