"""Predictive paths of many fitted VARs of one shape at once: the same bits as one by one, for less overhead each.

Called by the VAR. Everything works on stacks: one VAR is a stack of no dimensions, which the dots in the shapes stand
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from varnn.estimate.least_squares.posterior import spread_around
from varnn.estimate.least_squares.regression import LeastSquares
from varnn.estimate.least_squares.small_sample import are_stable, lag_bias, spread_correction
from varnn.series import FloatArray

BoolArray = NDArray[np.bool_]
FEWEST_STABLE = 20  # all draws are kept if fewer than one in so many is stable


def recursion(coef: FloatArray, past: FloatArray, fixed: FloatArray, shocks: FloatArray) -> FloatArray:
    """Return paths (…, m, h, k) of y_t = Bᵀ x_t + e_t with x_t = (known regressors, y_{t−1} … y_{t−p}).

    Parameters
    ----------
    coef : array (…, d, k), or (…, m, d, k)
        B, of all paths or of each.
    past : array (…, pk)
        The last p observations, newest first.
    fixed : array (…, h, c)
        Regressors known in advance.
    shocks : array (…, m, h, k)

    Examples
    --------
    >>> recursion(np.array([[0.5]]), np.array([8.0]), np.empty((2, 0)), np.zeros((1, 2, 1))).ravel().tolist()
    [4.0, 2.0]
    """
    m, horizon, k = shocks.shape[-3:]
    c, each = fixed.shape[-1], coef.ndim > past.ndim + 1
    lags = np.broadcast_to(past[..., None, :], (*past.shape[:-1], m, past.shape[-1]))         # (…, m, pk)
    paths = np.empty(shocks.shape)
    for step in range(horizon):
        if each:
            drift = np.einsum("...c,...mck->...mk", fixed[..., step, :], coef[..., :c, :])
            drift += np.einsum("...md,...mdk->...mk", lags, coef[..., c:, :])
        else:
            drift = fixed[..., step:step + 1, :] @ coef[..., :c, :] + lags @ coef[..., c:, :]
        paths[..., step, :] = drift + shocks[..., step, :]
        if past.shape[-1]:
            lags = np.concatenate([paths[..., step, :], lags[..., :-k]], axis=-1)
    return paths


@dataclass(frozen=True, eq=False)
class Drawn:
    """What the predictive paths of one VAR are made of.

    Attributes
    ----------
    estimate : LeastSquares
    past, fixed : arrays (pk,) and (h, c)
        As for `recursion`.
    lower, noise : arrays (m, k, k) and (m, d, k)
        As for `posterior.spread_around`.
    white : array (m, h, k)
        Shocks of covariance I.
    """

    estimate: LeastSquares
    past: FloatArray
    fixed: FloatArray
    lower: FloatArray
    noise: FloatArray
    white: FloatArray


@dataclass(frozen=True, eq=False)
class Predicted:
    """Means (h, k) and paths (m, h, k) of one VAR, its draws and which are stable; no paths unless all of them are."""

    point: FloatArray
    paths: FloatArray | None
    sigma: FloatArray
    weights: FloatArray
    stable: BoolArray


def predictive(drawn: Sequence[Drawn], trend_terms: int, most: int) -> list[Predicted]:
    """Return the predictive means and paths of VARs of one shape.

    The formulas are those of `FittedVAR._draw` and `_respond`; the first `most` draws go into the correction for small
    samples.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a covariance is singular.
    """
    estimates = [one.estimate for one in drawn]
    coef, root, sigma = (np.stack([getattr(one, name) for one in estimates]) for name in ("coef", "root", "sigma"))
    past, fixed, lower, noise, white = (np.stack([getattr(one, name) for one in drawn])
                                        for name in ("past", "fixed", "lower", "noise", "white"))
    (B, m, horizon, k), p = white.shape, past.shape[1] // white.shape[3]
    scatter = np.linalg.cholesky(np.stack([one.resid.T @ one.resid for one in estimates]))
    covariances, weights = spread_around(coef, root, scatter, lower, noise)
    lags, own = lag_matrices(weights, p), lag_matrices(coef, p)                               # (B, m, p, k, k)
    scale = np.repeat(np.sqrt(np.diagonal(sigma, axis1=1, axis2=2)), m, axis=0)
    stable = are_stable(lags.reshape(B * m, p, k, k), scale).reshape(B, m)
    point = recursion(coef, past, fixed, np.zeros((B, 1, horizon, k)))                        # (B, 1, h, k)
    plain = np.asarray(stable.all(axis=1))
    coef, past, fixed, own, sigma = (block[plain] for block in (coef, past, fixed, own, sigma))
    bias = lag_bias(own, sigma, np.array([len(one.resid) for one in estimates])[plain], trend_terms)
    shocks = white[plain] @ np.linalg.cholesky(covariances[plain]).swapaxes(-1, -2)
    means = recursion(weights[plain], past, fixed, np.zeros(shocks.shape))
    responses = recursion(coef, past, fixed, shocks) - point[plain]
    paths = iter(means + spread_correction(own, sigma, lags[plain, :most], bias, horizon)[:, None] * responses)
    return [Predicted(point[i, 0], next(paths) if plain[i] else None, covariances[i], weights[i], stable[i])
            for i in range(B)]


def kept(sigma: FloatArray, weights: FloatArray, stable: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Keep the stable draws, or all where they are too few."""
    return (sigma[stable], weights[stable]) if stable.sum() * FEWEST_STABLE >= len(stable) else (sigma, weights)


def lag_matrices(coef: FloatArray, lags: int) -> FloatArray:
    """Return A_1 … A_p, (…, p, k, k), of coefficient tables (…, d, k) whose last rows are the lags."""
    k = coef.shape[-1]
    lagged = coef[..., coef.shape[-2] - lags * k:, :].reshape(*coef.shape[:-2], lags, k, k)
    return np.ascontiguousarray(lagged.swapaxes(-1, -2))
