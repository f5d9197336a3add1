"""Posterior draws of the weights: the same whenever and however many, Laplace's where that is exact, never wild."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn import TanhRNN
from varnn.estimate.tanh.extrapolation import linear_radius
from varnn.estimate.tanh.posterior import WeightDraws


def bent(seed: int = 0, T: int = 150) -> np.ndarray:
    random, y = np.random.default_rng(seed), np.zeros((T, 2))
    for t in range(1, T):
        y[t] = np.tanh(np.array([[1.5, -1.0], [0.8, 1.2]]) @ y[t - 1]) + 0.2 * random.standard_normal(2)
    return y


@pytest.fixture(scope="module")
def fit():
    return TanhRNN(lags=1, width=3).fit(bent())


def test_the_first_draws_do_not_depend_on_how_many_were_asked_for_before(fit):
    optimum = fit.members[0].optimum
    grown, whole = WeightDraws(optimum), WeightDraws(optimum).first(40, 5)
    for count in (1, 3, 4, 17, 40):
        assert_array_equal(grown.first(count, 5), whole[:count])
    assert_array_equal(grown.first(2, 5), whole[:2])
    assert (grown.first(3, 6) != whole[:3]).any()


def test_least_squares_draws_have_the_covariance_of_the_posterior():
    y = np.zeros(300)
    for t, shock in enumerate(np.random.default_rng(2).normal(size=299), start=1):
        y[t] = 0.5 * y[t - 1] + shock
    optimum = TanhRNN(lags=1, width=0).fit(y).members[0].optimum
    assert not optimum.design.rl
    draws = WeightDraws(optimum).first(20_000, 0)
    scale = np.sqrt(np.diag(optimum.covariance))
    assert_allclose(draws.mean(axis=0), optimum.theta, atol=4 * scale.max() / np.sqrt(20_000))
    assert_allclose(np.cov(draws.T) / np.outer(scale, scale), optimum.covariance / np.outer(scale, scale), atol=0.04)


def test_no_draw_of_a_persistent_linear_fit_explodes():
    y = np.random.default_rng(0).normal(size=120).cumsum()
    optimum = TanhRNN(lags=1, width=0).fit(y).members[0].optimum
    assert 0.9 < linear_radius(optimum.design, optimum.theta) < 1.0  # so that one draw in several would explode
    draws = WeightDraws(optimum).first(200, 0)
    assert max(linear_radius(optimum.design, theta) for theta in draws) <= 1.0


def test_no_draw_fits_much_worse_than_a_posterior_draw_should_or_explodes(fit):
    optimum = fit.members[0].optimum
    shape, precision = optimum.design, np.linalg.inv(optimum.sigma)
    penalty = optimum.prior.precisions(optimum.alpha)

    def loss(theta):
        error = (shape.Y - shape.run(theta)[1][:, : shape.k])[shape.first :]
        return 0.5 * np.einsum("ti,ij,tj", error, precision, error) + 0.5 * (penalty * theta[: shape.free] ** 2).sum()

    draws = WeightDraws(optimum).first(60, 1)
    free = 0.5 * optimum.effective
    assert max(map(loss, draws)) <= loss(optimum.theta) + free + 2 * np.sqrt(free) + 2 + 1e-9
    assert max(linear_radius(shape, theta) for theta in draws) <= max(1.0, linear_radius(shape, optimum.theta))
    assert len(np.unique(draws[:, 0])) > 50


def test_forecasts_of_one_fit_share_its_draws_and_seeds_of_fits_have_their_own():
    model = TanhRNN(lags=1, width=3)
    fit, again, other = (model.fit(bent(), rng=seed) for seed in (1, 1, 2))
    assert fit.draws_seed == again.draws_seed != other.draws_seed
    one, two = (fit._draw(40, np.random.default_rng(seed)).weights for seed in (0, 1))
    both = {particle.theta.tobytes() for particle in one} & {particle.theta.tobytes() for particle in two}
    assert both
    later, same = (one.update(bent(T=160)).forecast(3, rng=0).paths for one in (fit, again))  # `again` drew none yet
    assert_array_equal(later, same)
