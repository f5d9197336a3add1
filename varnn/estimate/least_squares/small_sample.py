"""What least squares gets wrong in small samples: biased lag matrices and inflated forecast variances.

Called by the VAR for its predictive paths and by the bootstrap. Functions of arrays; nothing is estimated here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from varnn.forecaster import square_root
from varnn.series import FloatArray

SQUARINGS = 8  # ρ(F) ≈ ‖F^256‖^(1/256): a non-normal F with ‖F^256‖ = 10 ρ^256 is judged .9 % too high
BLOCK = 500  # steps whose variances of all draws are held at once
NARROWEST, WIDEST = 0.5, 2.0  # bounds of the correction of a standard deviation


def lag_bias(coefs: FloatArray, sigma: FloatArray, rows: int | NDArray[np.int64], trend_terms: int) -> FloatArray:
    """Return the bias E[Â] − A of least squares to order 1/T, shape (…, p, k, k); zeros for an unstable A.

        −Σ [c (I − F')⁻¹ + F' (I − F'²)⁻¹ + Σ_λ λ (I − λF')⁻¹] Γ⁻¹ / T

    with F the companion matrix, λ its eigenvalues, Γ the covariance of (y_t … y_{t−p+1}) and c the number of
    trend terms: c = 1 is Pope's formula; in an AR(1) it is −(1 + 3ρ)/T, without constant −2ρ/T, with a line
    −(2 + 4ρ)/T.

    Parameters
    ----------
    coefs : array (…, p, k, k)
    sigma : array (…, k, k)
        Innovation covariance.
    rows : int or array (…)
        T, the rows of the regression.
    trend_terms : int
        c.

    References
    ----------
    Pope (1990), J. Time Series Analysis 11(3), 249–258; Nicholls & Pope (1988), Australian J. Statistics 30A.

    Examples
    --------
    >>> round(float(lag_bias(np.array([[[0.5]]]), np.eye(1), 100, 1)[0, 0, 0]), 12)  # −(1 + 3/2)/100
    -0.025
    """
    p, k, _ = coefs.shape[-3:]
    found = np.zeros(coefs.shape)
    if not p:
        return found
    many, covariances, out = coefs.reshape(-1, p, k, k), sigma.reshape(-1, k, k), found.reshape(-1, p, k, k)
    scale = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))                                   # (n, k)
    units = np.where(scale > 0, scale, 1.0)[:, :, None] / np.where(scale > 0, scale, 1.0)[:, None, :]
    move = np.zeros((len(many), p * k, p * k))
    move[:, :k] = (many / units[:, None]).swapaxes(1, 2).reshape(-1, k, p * k)
    move[:, k:, :-k] = np.eye(k * (p - 1))
    roots = np.linalg.eigvals(move).astype(np.complex128)
    # a series that follows from the past without error has no bias to take out
    usable = (scale > 0).all(axis=1) & (np.abs(roots).max(axis=1) < 1.0 - 1e-6)
    move, roots, units, scale = move[usable], roots[usable], units[usable], scale[usable]
    one = np.eye(p * k)
    shock = np.zeros(move.shape)
    shock[:, :k, :k] = covariances[usable] / (scale[:, :, None] * scale[:, None, :])
    back = move.swapaxes(1, 2).astype(np.complex128)
    terms = trend_terms * np.linalg.inv(one - back) + back @ np.linalg.inv(one - back @ back)
    own = roots[:, :, None, None]
    terms = terms + (own * np.linalg.inv(one - own * back[:, None])).sum(axis=1)
    tilt = shock @ np.linalg.solve(_stationary_covariance(move, shock), terms.swapaxes(1, 2)).swapaxes(1, 2)
    count = np.broadcast_to(rows, len(many))[usable][:, None, None]
    blocks = -tilt.real[:, :k] / count                                                            # Σ [·] Γ⁻¹, Γ = Γ'
    blocks = np.where(np.isfinite(blocks).all(axis=(1, 2), keepdims=True), blocks, 0.0)           # none is known
    out[usable] = blocks.reshape(-1, k, p, k).swapaxes(1, 2) * units[:, None]
    return found


LARGE = 60           # sides of F from which on clear cases are decided by a few runs
RUNS, STEPS = 1, 48  # of these, and the steps whose growth is measured
CLOSE = 0.03         # growth a step that is too near to none to be sure of


def are_stable(coefs: FloatArray, scale: FloatArray) -> NDArray[np.bool_]:
    """Say of each of d VARs, (d, p, k, k), whether its recursion dies out: ρ(F) < 1.

    `scale`, (k,) or one for each (d, k), are typical sizes of the series; norms are taken in these units.

    Examples
    --------
    >>> are_stable(np.array([[[[0.9]]], [[[1.1]]]]), np.ones(1)).tolist()
    [True, False]
    """
    d, p, k, _ = coefs.shape
    scale = np.where(scale > 0, scale, 1.0)
    units = scale[..., :, None] / scale[..., None, :]
    top = (coefs / np.broadcast_to(units, (d, k, k))[:, None]).swapaxes(1, 2).reshape(d, k, p * k)
    if p * k <= LARGE:
        return _dies_out(top)
    growth = _growth(top)
    stable, close = growth < 0, np.flatnonzero(np.abs(growth) < CLOSE)
    if len(close):
        stable[close] = _dies_out(top[close])
    return stable


def _growth(top: FloatArray) -> FloatArray:
    """Return about log ρ(F) of each of d recursions with first rows (d, k, pk), from a few runs of random starts."""
    d, k, m = top.shape
    past = np.repeat(np.random.default_rng(0).standard_normal((1, m, RUNS)), d, axis=0)
    logs = np.zeros(d)
    for step in range(2 * STEPS):
        past = np.concatenate([top @ past, past[:, :-k]], axis=1)
        if step in (STEPS - 1, 2 * STEPS - 1):
            size = np.maximum(np.sqrt((past**2).sum(axis=(1, 2))), np.finfo(float).tiny)
            logs, past = np.log(size), past / size[:, None, None]
    return np.asarray(logs / STEPS)


def _dies_out(top: FloatArray) -> NDArray[np.bool_]:
    """Say of each of d recursions with first rows (d, k, pk) whether ρ(F) < 1, by squaring F."""
    d, k, m = top.shape
    p = m // k
    power = np.zeros((d, m, m))
    power[:, :k] = top
    power[:, k:, :-k] = np.eye(k * (p - 1))
    log_norm, rest = np.zeros(d), np.arange(d)
    for _ in range(SQUARINGS):
        power = power @ power
        size = np.maximum(np.sqrt((power**2).sum(axis=(1, 2))), np.finfo(float).tiny)
        power /= size[:, None, None]
        log_norm[rest] = 2 * log_norm[rest] + np.log(size)
        unsettled = log_norm[rest] >= 0  # ‖F^n‖ < 1 for one n and all its multiples
        rest, power = rest[unsettled], power[unsettled]
    return np.asarray(log_norm < 0)


def stability_held(lagged: int) -> float:
    """Return how many numbers `are_stable` holds at its peak for each draw of pk = `lagged` lagged columns.

    Measured; a side of the companion matrix beyond 60 is counted as if runs of the recursion told it.
    """
    return 2.7 * lagged * min(lagged, 60)


def forecast_variances(coefs: FloatArray, sigma: FloatArray, horizon: int) -> FloatArray:
    """Return diag Σ_{i<h} Φ_i Σ Φ_i' for each of d VARs (…, d, p, k, k) and one Σ (…, k, k), shape (…, d, h, k).

    Examples
    --------
    >>> forecast_variances(np.array([[[[0.5]]]]), np.eye(1), 3).ravel().tolist()
    [1.0, 1.25, 1.3125]
    """
    found = np.stack(list(_variances(coefs, sigma, horizon)))                                     # (h, …, d, k)
    return np.asarray(np.moveaxis(found, 0, -2))


def _variances(coefs: FloatArray, sigma: FloatArray, horizon: int) -> Iterator[FloatArray]:
    """Yield diag Σ_{i<h} Φ_i Σ Φ_i' for h = 1, 2, …, (…, d, k), with no more than p responses held."""
    p, k = coefs.shape[-3], coefs.shape[-1]
    now = np.zeros((*coefs.shape[:-3], k, k))
    now[:] = square_root(sigma)[..., None, :, :]
    past, total = deque([now], maxlen=max(p, 1)), (now**2).sum(axis=-1)                           # newest first
    yield total
    faded = 0  # steps in a row whose squares are 0 in float64: after p of them nothing is ever added
    for _ in range(1, horizon):
        if faded < max(p, 1):
            now = np.zeros(now.shape)
            for lag, response in enumerate(past if p else ()):
                now += coefs[..., lag, :, :] @ response
            past.appendleft(now)
            more = (now**2).sum(axis=-1)
            total, faded = total + more, 0 if more.any() else faded + 1
        yield total


def spread_correction(coefs: FloatArray, sigma: FloatArray, draws: FloatArray, bias: FloatArray,
                      horizon: int) -> FloatArray:
    """Return factors (…, h, k) that take the small-sample error out of the standard deviations Â implies.

    V_h(A) = diag Σ_{i<h} Φ_i Σ Φ_i' is convex in A, so V_h(Â) is too large by the sampling noise of Â and too small
    by its bias. Refits of samples drawn from Â would be spread as Â + bias + noise, so that

        factor = √(V_h(Â) / median_d V_h(A_d + bias)),  between ½ and 2,

    makes V_h median-unbiased to first order. Measured with three series, VAR(4), T = 50: intervals of
    nominal 80 % at 12 steps cover 81–82 % with it, 94 % without it (`python -m benchmarks.intervals`).

    Parameters
    ----------
    coefs : array (…, p, k, k)
        Â.
    sigma : array (…, k, k)
    draws : array (…, d, p, k, k)
        Draws from the distribution of Â.
    bias : array (…, p, k, k)
    horizon : int

    References
    ----------
    Kilian (1998), Review of Economics and Statistics 80(2), for the bootstrap correction of bias.
    """
    scale = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
    scale = np.where(scale == 0, 1.0, scale)
    unit = sigma / (scale[..., :, None] * scale[..., None, :])
    rescale = (scale[..., :, None] / scale[..., None, :])[..., None, None, :, :]          # A in units of the residuals
    around = _variances((draws + bias[..., None, :, :, :]) / rescale, unit, horizon)
    plugged = _variances(coefs[..., None, :, :, :] / rescale, unit, horizon)
    factors = []
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, horizon, BLOCK):  # what a million steps of all draws would hold is never there at once
            steps = min(BLOCK, horizon - first)
            middle = np.median(np.stack(list(islice(around, steps))), axis=-2)                    # (steps, …, k)
            ratio = np.stack(list(islice(plugged, steps)))[..., 0, :] / middle
            factors.append(np.clip(np.sqrt(np.where(np.isfinite(ratio), ratio, 1.0)), NARROWEST, WIDEST))
    return np.asarray(np.moveaxis(np.concatenate(factors), 0, -2))


def debiased(weights: FloatArray, bias: FloatArray, lags: int, scale: FloatArray) -> FloatArray:
    """Take a bias out of coefficient tables (d, c, k), the last kp rows lags, as far as they stay stable.

    The correction is cut to ¾, ½, ¼ and nothing until the recursion is stable; a table that is not stable itself is
    left alone. Kilian (1998), step 1b, in quarters.

    Examples
    --------
    >>> debiased(np.array([[[0.9]]]), np.array([[-0.15]]), 1, np.ones(1)).ravel().round(4).tolist()
    [0.975]
    """
    d, rows, k = weights.shape
    best = weights.copy()
    for share in (0.25, 0.5, 0.75, 1.0):
        moved = weights - share * bias
        lagged = moved[:, rows - lags * k:].reshape(d, lags, k, k).swapaxes(2, 3)
        stable = are_stable(lagged, scale) if lags else np.ones(d, dtype=bool)
        best[stable] = moved[stable]
    if lags:
        own = weights[:, rows - lags * k:].reshape(d, lags, k, k).swapaxes(2, 3)
        explosive = ~are_stable(own, scale)
        best[explosive] = weights[explosive]
    return np.asarray(best)


def _stationary_covariance(move: FloatArray, shock: FloatArray) -> FloatArray:
    """Solve Γ = F Γ F' + Q for each of n by doubling, Γ ← Γ + F Γ F', F ← F², until it stands still; ρ(F) < 1.

    Not finite where powers of F overflow before they fade, as they do beside a series with next to no error.
    """
    total, power, rest = shock.copy(), move, np.arange(len(move))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(60):
            more = power @ total[rest] @ power.swapaxes(1, 2)
            total[rest] += more
            moving = np.abs(more).max(axis=(1, 2)) > 1e-16 * np.abs(total[rest]).max(axis=(1, 2))
            if not moving.any():
                break
            rest, power = rest[moving], power[moving] @ power[moving]
    return np.asarray(0.5 * (total + total.swapaxes(1, 2)))
