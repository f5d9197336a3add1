"""Levels and scales of a panel are estimated as if its series were drawn about them, and bias nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.estimate.panel.effects import TOLERANCE, Common, levels_of

A = {0: np.empty((0, 2)), 1: np.array([[0.5, 0.1], [-0.3, 0.2]]),
     2: np.array([[0.5, 0.1], [-0.3, 0.2], [0.2, 0.0], [0.1, -0.4]])}
SIGMA = np.array([[1.0, 0.4], [0.4, 2.0]])


def covariance_of(common, rows):
    """Return the covariance (rows·k, rows·k) of consecutive rows, from the infinite moving average."""
    k, p = len(common.sigma), common.lags
    C = np.zeros((k * max(p, 1),) * 2)
    C[:k, : k * p] = common.slopes.T
    C[k:, : C.shape[1] - k] = np.eye(len(C) - k)
    psi, power = [np.eye(k)], np.eye(len(C))
    for _ in range(400):
        power = C @ power
        psi.append(power[:k, :k])
    gamma = [sum(psi[j + h] @ common.sigma @ psi[j].T for j in range(400 - h)) for h in range(rows)]
    return np.block([[gamma[s - t] if s >= t else gamma[t - s].T for t in range(rows)] for s in range(rows)])


@pytest.mark.parametrize("lags", [0, 1, 2])
@pytest.mark.parametrize("rows", [3, 12])
def test_a_level_is_estimated_by_generalised_least_squares(lags, rows):
    common = Common(A[lags], SIGMA, 1_000_000)
    weights, V = common.level(rows)
    ones, precise = np.tile(np.eye(2), (rows, 1)), np.linalg.inv(covariance_of(common, rows))
    expected = np.linalg.inv(ones.T @ precise @ ones)
    assert_allclose(V, expected, rtol=1e-9)
    assert_allclose(weights, precise @ ones @ expected, atol=1e-9)


def test_series_without_lags_have_levels_too():
    y = np.random.default_rng(0).standard_normal((50, 30, 2))
    found = levels_of(list(y), lags=0, longest=0)
    assert_allclose(found.level, y.mean(axis=1), atol=1e-9)
    assert_allclose(found.covariance[:, 0, 0], found.common.sigma[0, 0] * found.scale[:, 0] ** 2 / 30,
                    rtol=2 * TOLERANCE)


def panel(count, rows, phi, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((count, rows + 100, 1))
    for t in range(1, rows + 100):
        y[:, t] += phi * y[:, t - 1]
    y = y[:, 100:]
    centred = y - y.mean(axis=1, keepdims=True)
    return list(centred / centred.std(axis=1, keepdims=True))


@pytest.mark.parametrize(("phi", "rows"), [(0.0, 20), (0.3, 20), (0.6, 20), (0.6, 60), (0.9, 60), (0.95, 60)])
def test_slopes_have_no_bias_and_orders_no_surplus(phi, rows):
    found = levels_of(panel(2000, rows, phi), lags=1, longest=1)
    error = np.sqrt((1 - phi**2) / (2000 * (rows - 1)))
    assert_allclose(found.common.slopes.item(), phi, atol=4 * error)
    assert levels_of(panel(2000, rows, phi), lags=None, longest=4, criterion="bic").common.lags == (phi > 0)


def test_levels_are_as_uncertain_as_they_say():
    rng, phi = np.random.default_rng(1), 0.6
    y = rng.standard_normal((2000, 140, 1))
    for t in range(1, 140):
        y[:, t] += phi * y[:, t - 1]
    found = levels_of(list(y[:, 100:]), lags=1, longest=1)  # true levels are zero
    assert_allclose((found.level[:, 0] ** 2 / found.covariance[:, 0, 0]).mean(), 1.0, atol=0.1)
    drawn = found.drawn(np.random.default_rng(2)) * found.scale
    assert_allclose(drawn.var(), found.covariance[:, 0, 0].mean(), rtol=0.1)


def test_scales_follow_innovations_where_series_are_alike_and_the_series_where_they_are_not():
    alike = levels_of(panel(500, 40, 0.8), lags=1, longest=1)
    assert alike.scale.std() > 0.15  # standard deviations of 40 rows of such series differ by chance, a fifth
    both = [*panel(50, 40, 0.98), *panel(50, 40, -0.5, seed=1)]
    unlike = levels_of(both, lags=1, longest=1)
    assert unlike.scale.std() < alike.scale.std()


def test_series_of_unlike_lengths_keep_their_places():
    long, short = panel(30, 40, 0.5), panel(30, 25, 0.5, seed=1)
    mixed = [one + 3.0 * i for i, one in enumerate(y for pair in zip(long, short, strict=True) for y in pair)]
    found = levels_of(mixed, lags=1, longest=1)
    assert_allclose(found.level[:, 0], 3.0 * np.arange(60), atol=0.6)
    assert (found.covariance[1::2, 0, 0].mean() > found.covariance[::2, 0, 0].mean())
    again = levels_of(mixed[::-1], lags=1, longest=1)
    assert_allclose(again.level[::-1], found.level, atol=1e-8)


def test_a_series_without_noise_does_not_take_over():
    still = [np.sin(np.arange(40.0) / (3 + i))[:, None] for i in range(5)] + [np.zeros((40, 1))]
    found = levels_of(still, lags=None, longest=4)
    assert np.isfinite(found.level).all()
    assert found.scale.min() > 1e-4
