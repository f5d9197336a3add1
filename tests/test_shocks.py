"""Shocks of every kind are white, and each keeps what it promises of the residuals."""

from __future__ import annotations

import numpy as np
import pytest

from varnn.shocks import KINDS, degrees_of_freedom, white_shocks, whitened


@pytest.fixture
def residuals() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.standard_normal((400, 2)) @ np.array([[2.0, 0.0], [1.5e-6, 1e-6]]).T + 7.0


@pytest.mark.parametrize("kind", KINDS)
def test_shocks_have_mean_zero_and_unit_covariance_whatever_the_units(kind, residuals):
    drawn = white_shocks(kind, residuals, 4000, 10, np.random.default_rng(1)).reshape(-1, 2)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.04)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(2), atol=0.05)


def test_resampled_shocks_are_the_whitened_residuals(residuals):
    standard = {tuple(row) for row in whitened(residuals)}
    drawn = white_shocks("residuals", residuals, 20, 5, np.random.default_rng(1)).reshape(-1, 2)
    assert {tuple(row) for row in drawn} <= standard


def test_blocks_keep_neighbours_together(residuals):
    standard = whitened(residuals)
    drawn = white_shocks("block", residuals, 50, 8, np.random.default_rng(1))
    rows = np.array([[int(np.flatnonzero((standard == one).all(axis=1))[0]) for one in path] for path in drawn])
    assert (np.diff(rows, axis=1) == 1).all()


@pytest.mark.parametrize("df", [4.0, 8.0])
def test_degrees_of_freedom_are_found(df):
    draws = np.random.default_rng(2).standard_t(df, size=(20000, 1))
    assert degrees_of_freedom(draws / draws.std()) == pytest.approx(df, rel=0.12)


def test_normal_residuals_have_many_degrees_of_freedom():
    assert degrees_of_freedom(np.random.default_rng(2).standard_normal((20000, 3))) > 40
