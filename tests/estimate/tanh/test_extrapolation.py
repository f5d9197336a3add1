"""Free runs of a tanh fit stay bounded where those of the rung below do, at next to no cost one step ahead."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.estimate.tanh.evidence import prior
from varnn.estimate.tanh.extrapolation import STEADY, calmed, height, linear_radius
from varnn.estimate.tanh.gauss_newton import Optimum, fit
from varnn.estimate.tanh.structure import Data, design
from varnn.models.rung3_tanh import TanhRNN


def bent_back(T: int = 600, seed: int = 0) -> np.ndarray:
    """y_t = 1.1 y_{t-1} − 1.6 tanh(1.5 y_{t-1}) + e_t: stable near zero, explosive beyond what is ever seen."""
    rng = np.random.default_rng(seed)
    y = np.zeros(T)
    for t in range(1, T):
        y[t] = 1.1 * y[t - 1] - 1.6 * np.tanh(1.5 * y[t - 1]) + 0.3 * rng.normal()
    return y[:, None]


def optima() -> tuple[Optimum, Optimum]:
    y = bent_back()
    rows = Data(y / y.std(), np.ones((len(y), 1)), np.zeros((len(y), 0)))
    flat, bent = (design(rows, 1, 1, n, 0, 0, first=1, recurrent=False) for n in (0, 1))
    below = fit(flat, prior(flat), np.zeros(flat.size), np.ones(2))
    start = np.array([0.0, 1.1, -1.6 / y.std(), 0.0, 1.5 * y.std()])
    shrink = prior(bent)
    above = fit(bent, shrink, start, np.ones(len(shrink.names)))
    assert below is not None
    assert above is not None
    return below, above


def test_the_radius_is_that_of_the_lag_polynomial():
    rng = np.random.default_rng(1)
    rows = Data(rng.normal(size=(50, 2)), np.ones((50, 1)), np.zeros((50, 0)))
    shape = design(rows, 2, 1, 3, 1, 1, first=2)
    theta = rng.normal(size=shape.size)
    B = shape.cuts(theta).L[:, 1:5]
    past = np.vstack([B, np.eye(2, 4)])
    assert_allclose(linear_radius(shape, theta), np.abs(np.linalg.eigvals(past)).max(), rtol=1e-12)
    assert linear_radius(design(rows, 0, 1, 3, 0, 0, first=2), theta) == 0.0


def test_an_explosive_linear_part_is_pulled_back_and_the_evidence_pays_for_it():
    below, above = optima()
    assert linear_radius(above.design, above.theta) > 1.0
    calm = calmed(above, below)
    assert linear_radius(calm.design, calm.theta) <= STEADY + 1e-6
    lost = height(above, above.prior, above.alpha) - height(calm, above.prior, above.alpha)
    assert_allclose(calm.laplace, above.laplace - lost)
    assert lost > 0
    assert np.mean(calm.resid**2) < 1.1 * np.mean(above.resid**2) < 0.9 * np.mean(below.resid**2)
    assert_array_equal(calm.prior.centre, above.prior.centre)


def test_an_optimum_that_is_calm_comes_back_as_it_is():
    below, above = optima()
    calm = calmed(above, below)
    assert calmed(calm, below) is calm


@pytest.mark.parametrize("width", [None, 2])
def test_free_runs_and_drawn_paths_stay_bounded_from_far_outside_the_data(width):
    y = bent_back()
    fit = TanhRNN(lags=1, width=width, starts=1).fit(y)
    far = fit.update(np.full((1, 1), 40.0))
    mean = far._mean(400, None)
    assert np.abs(mean[-100:]).max() < 10 * np.abs(y).max()
    assert np.abs(far.forecast(400, n_paths=200).paths[:, -100:]).max() < 20 * np.abs(y).max()
