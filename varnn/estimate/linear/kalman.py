"""A fitted linear recursion at work: its states on data, its forecast errors, and draws of its parameters.

Called by `models.rung2_linear`.  Works in standardised units; never estimates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from varnn.estimate.linear import kernels, likelihood
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.maximum_likelihood import LinearEstimate

Array = npt.NDArray[np.float64]
LONGEST_MEMORY = 5000  # most rows that a parameter draw re-filters; ρ(A)^5000 < 1e-14 up to ρ = .9936
FORGOTTEN = 1e-18      # a start whose weight in the end is less than this needs no more rows before it


def filtered_states(sample: Sample, estimate: LinearEstimate) -> tuple[Array, int]:
    """Return u_t for rows `start` … T - 1, and `start`: 0 from the stationary start, p from the presample."""
    T, n, start = len(sample.values), len(estimate.weights), sample.start
    if estimate.exact:
        return filtered(sample, estimate.weights, estimate.sigma), 0
    if start >= T:
        return np.empty((0, n)), T
    U = np.empty((T - start, n))
    first = estimate.weights @ likelihood.first_inputs(sample, n)
    values = sample.values[start - sample.before :]
    kernels.run(estimate.weights, values, sample.inputs[start:], 1.0, sample.lags, first, U)
    return U, start


def filtered(sample: Sample, weights: Array, sigma: Array) -> Array:
    """One-step states u_t given y_1 … y_{t-1} from the stationary start: the Kalman filter's, without its loop.

    With e_t(μ) and X_t as in `likelihood.exact`, u_{t|t-1} = u_t(μ) + X_t m_t, m_t = (I + P Q_t)⁻¹ P q_t, where Q_t
    and q_t are its sums up to t - 1.

    Returns
    -------
    array (T, n)
    """
    y, lags = sample.values, sample.lags
    (T, k), n, before = y.shape, weights.shape[0], sample.before
    F, G = likelihood.transition(weights, lags, k)
    d = F.shape[0]
    P = likelihood.stationary_covariance(F, G @ sigma @ G.T)
    constant = np.zeros(d)
    constant[:n] = weights[:, n + lags * k]
    mean = np.linalg.solve(np.eye(d) - F, constant)
    extended = np.vstack([mean[n:].reshape(before, k)[::-1], y])
    U = np.empty((T, n))
    kernels.run(weights, extended, sample.inputs, 1.0, lags, mean[:n].copy(), U)
    X = np.empty((min(T, likelihood.transient_rows(likelihood.spectral_radius(weights[:, :n]), before, d)), n, d))
    X = X[: kernels.transient(weights, lags, k, X)]
    V = np.linalg.inv(sigma)
    Q, q = np.zeros((d, d)), np.zeros(d)
    for first in range(0, len(X), 4096):
        HX = X[first : first + 4096, :k]
        VHX = V @ HX
        early = y[first : first + len(HX)] - U[first : first + len(HX), :k]
        steps = np.cumsum(np.swapaxes(HX, 1, 2) @ VHX, axis=0)
        pulls = np.cumsum(np.einsum("tkd,tk->td", VHX, early), axis=0)
        known = np.concatenate([np.zeros((1, d, d)), steps[:-1]]) + Q
        heard = np.concatenate([np.zeros((1, d)), pulls[:-1]]) + q
        shift = np.linalg.solve(np.eye(d) + P @ known, (heard @ P)[:, :, None])
        U[first : first + len(HX)] += (X[first : first + len(HX)] @ shift)[:, :, 0]
        Q, q = Q + steps[-1], q + pulls[-1]
    return U


def end_states(sample: Sample, states: Array, start: int, weights: Array) -> Array:
    """Return where each parameter draw's own filter ends, (d, n), begun far back at the point estimate's state.

    As far back as it takes for ρ(A)^rows to vanish: a draw without memory starts two rows before the end.
    """
    T, n = len(sample.values), states.shape[1]
    radius = np.maximum(np.abs(np.linalg.eigvals(weights[:, :, :n])).max(axis=1), 1e-300).max()
    rows = 2 + n + int(min(LONGEST_MEMORY, np.log(FORGOTTEN) / np.log(min(radius, 1 - 1e-12))))
    begin = max(start, T - rows, sample.lags)
    U, ends = np.empty((T - begin, n)), np.empty((len(weights), n))
    values, inputs = sample.values[begin - sample.before :], sample.inputs[begin:]
    for i, C in enumerate(weights):
        kernels.run(C, values, inputs, 1.0, sample.lags, states[begin - start], U)
        ends[i] = U[-1]
    return ends


def responses(weights: Array, lags: int, inputs: int, k: int, steps: int) -> Array:
    """Return Ψ_0 … Ψ_{steps-1} (steps, k, k): [s, i, j] is series i, s steps after a unit error of series j."""
    n = len(weights)
    silent = weights.copy()
    silent[:, n + lags * k] = 0.0
    shocks = np.zeros((k, steps, k))
    shocks[np.arange(k), 0, np.arange(k)] = 1.0
    after = paths(silent[None], np.zeros((lags, k)), np.zeros((steps, inputs)), lags, np.zeros((1, n)), shocks)
    return np.ascontiguousarray(np.transpose(after, (1, 2, 0)))


def paths(weights: Array, last: Array, inputs: Array, lags: int, states: Array, shocks: Array) -> Array:
    """Run shocks (m, h, k) through y_{T+s} = u_{T+s}[:k] + e_{T+s}; the bits of a path do not depend on the others.

    Parameters
    ----------
    weights : array (m or 1, n, ·)    C, one for each path or one for all
    last : array (p, k)               last observations, oldest first
    inputs : array (h, q)             future inputs
    states : array (m or 1, n)        u_T
    """
    (m, h, k), n = shocks.shape, weights.shape[1]
    past = n + lags * k
    out, r = np.empty(shocks.shape), np.empty((m, weights.shape[2]))
    r[:, :n], r[:, n:past], r[:, past] = states, last[::-1].ravel(), 1.0
    for s in range(h):
        r[:, past + 1:] = inputs[s]
        u = np.einsum("mij,mj->mi", weights, r) if len(weights) > 1 else np.einsum("ij,mj->mi", weights[0], r)
        out[:, s] = u[:, :k] + shocks[:, s]
        if lags:
            r[:, n + k:past] = r[:, n:past - k]
            r[:, n:n + k] = out[:, s]
        r[:, :n] = u
    return out


def stable_draws(point: Array, away: Array) -> Array:
    """Return point + away (d, n, m), each draw pulled to the point until its filter is stable."""
    n = len(point)
    for _ in range(60):
        radius = np.abs(np.linalg.eigvals((point + away)[:, :, :n])).max(axis=1)
        wild = radius >= likelihood.INVERTIBLE
        if not wild.any():
            break
        away[wild] *= 0.5
    return point + away


def posterior_draws(
    estimate: LinearEstimate, root: Array, spread: Array, df: int, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw weights (d, n, m) and Σ (d, k, k): Σ ~ IW(df · root root', df + k - 1), weights | Σ from Laplace.

    `spread` is a root of the covariance of the free weights at Σ = root root'; each draw's errors are turned from
    that Σ to its own, so that without memory this is the exact posterior of rung 1 (Bartlett's decomposition).
    """
    k, free = len(root), estimate.free
    lower = np.tril(rng.standard_normal((count, k, k)), -1)
    lower[:, np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df + k - 1 - np.arange(k), size=(count, k)))
    roots = np.sqrt(df) * root @ np.swapaxes(np.linalg.inv(lower), 1, 2)
    away = np.zeros((count, *free.shape))
    away[:, free] = rng.standard_normal((count, int(free.sum()))) @ spread.T
    away[:, :k] = roots @ np.linalg.pinv(root) @ away[:, :k]
    return stable_draws(estimate.weights, away), roots @ np.swapaxes(roots, 1, 2)
