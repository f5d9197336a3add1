"""Lyapunov exponents equal their exact values where there are any."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.errors import ConvergenceError, ParameterError, ShapeError
from varnn.inference.stability import linear_exponents, lyapunov_exponents, runge_kutta


def henon(x: np.ndarray) -> np.ndarray:
    return np.array([1.0 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def henon_jacobian(x: np.ndarray) -> np.ndarray:
    return np.array([[-2.8 * x[0], 1.0], [0.3, 0.0]])


def lorenz(x: np.ndarray) -> np.ndarray:
    return np.array([10.0 * (x[1] - x[0]), x[0] * (28.0 - x[2]) - x[1], x[0] * x[1] - 8.0 / 3.0 * x[2]])


def test_the_logistic_map_doubles_differences_at_each_step():
    spectrum = lyapunov_exponents(lambda x: 4.0 * x * (1.0 - x), [0.3], steps=20_000,
                                  jacobian=lambda x: np.array([4.0 - 8.0 * x]))
    assert_allclose(spectrum.exponents[0], np.log(2), atol=5e-3)
    assert "chaotic" in spectrum.sentence("the logistic map")


def test_the_henon_map_contracts_areas_by_its_determinant():
    spectrum = lyapunov_exponents(henon, [0.1, 0.1], steps=20_000, jacobian=henon_jacobian)
    assert_allclose(spectrum.exponents.sum(), np.log(0.3), atol=1e-12)
    assert_allclose(spectrum.exponents[0], 0.4201, atol=4 * spectrum.errors[0])
    assert spectrum.errors[0] < 0.005


def test_central_differences_give_the_exponents_of_the_exact_jacobian():
    exact = lyapunov_exponents(henon, [0.1, 0.1], steps=500, jacobian=henon_jacobian)
    assert_allclose(lyapunov_exponents(henon, [0.1, 0.1], steps=500).exponents, exact.exponents, atol=1e-8)


def test_the_lorenz_flow_contracts_volumes_by_its_divergence():
    spectrum = lyapunov_exponents(runge_kutta(lorenz, 0.02), [1.0, 1.0, 20.0], steps=8_000, dt=0.02)
    assert_allclose(spectrum.exponents.sum(), -41.0 / 3.0, atol=5e-3)
    assert_allclose(spectrum.exponents[0], 0.908, atol=0.05)
    assert_allclose(spectrum.exponents[1], 0.0, atol=0.03)


def test_a_linear_recursion_has_its_log_spectral_radius():
    a = np.array([[0.9, 0.3, 0.0], [0.0, 0.5, 0.2], [0.1, 0.0, 0.2]])
    expected = np.log(np.sort(np.abs(np.linalg.eigvals(a)))[::-1])
    assert_allclose(linear_exponents(a), expected, atol=1e-12)
    by_qr = lyapunov_exponents(lambda x: a @ x, np.zeros(3), steps=200, jacobian=lambda x: a)
    assert_allclose(by_qr.exponents[0], np.log(np.abs(np.linalg.eigvals(a)).max()), atol=1e-10)
    assert "forgets its start" in by_qr.sentence()


def test_a_rotation_neither_grows_nor_fades():
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    assert_allclose(linear_exponents(turn), 0.0, atol=1e-12)
    assert_allclose(lyapunov_exponents(lambda x: turn @ x, [1.0, 0.0], steps=100).exponents, 0.0, atol=1e-8)


def test_a_large_random_tanh_recursion_is_chaotic_and_a_small_one_is_not():
    weights = np.random.default_rng(0).normal(size=(40, 40)) / np.sqrt(40)
    start = np.random.default_rng(1).normal(size=40)
    for gain, chaotic in ((0.8, False), (3.0, True)):
        w = gain * weights
        top = lyapunov_exponents(lambda x, w=w: np.tanh(w @ x), start, steps=1000, count=1, discard=200,
                                 jacobian=lambda x, w=w: (1 - np.tanh(w @ x) ** 2)[:, None] * w).exponents[0]
        assert (top > 0) == chaotic


def test_a_singular_map_has_minus_infinity_not_a_warning():
    assert linear_exponents([[0.5, 0.0], [0.0, 0.0]])[1] == -np.inf


@pytest.mark.parametrize(("error", "call"), [
    (ConvergenceError, lambda: lyapunov_exponents(lambda x: x**2, [2.0], steps=100)),
    (ShapeError, lambda: lyapunov_exponents(henon, [[0.1, 0.1]])),
    (ShapeError, lambda: lyapunov_exponents(henon, [np.nan, 0.1])),
    (ParameterError, lambda: lyapunov_exponents(henon, [0.1, 0.1], steps=0)),
    (ParameterError, lambda: lyapunov_exponents(henon, [0.1, 0.1], count=3)),
    (ParameterError, lambda: lyapunov_exponents(henon, [0.1, 0.1], dt=0)),
    (ShapeError, lambda: linear_exponents(np.ones((2, 3)))),
])
def test_bad_input_is_refused_with_our_own_error(error, call):
    with pytest.raises(error), np.errstate(over="ignore", invalid="ignore"):
        call()
