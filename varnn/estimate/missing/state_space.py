"""Observations with gaps: the Kalman likelihood of a linear recursion, and what the missing values were likely to be.

Called by `inference.missing`. Every linear rung is s_{t+1} = T s_t + d_{t+1} + R η, y_t = Z s_t without noise, of which
any entries may be missing. Functions of arrays; never imputes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from varnn.estimate.numerics.compiling import compiled
from varnn.series import FloatArray


@dataclass(frozen=True, eq=False)
class StateSpace:
    """A linear recursion at fixed parameters, from row `start` on.

    move : array (K, K)      T
    noise : array (K, K)     covariance of the state's shocks, the same at each date
    read : array (k, K)      Z
    drive : array (T, K)     known part of the state at each row (constants, trend, inputs)
    mean, spread             of the state at row `start`, given what comes before it
    start : int              first row in the likelihood
    """

    move: FloatArray
    noise: FloatArray
    read: FloatArray
    drive: FloatArray
    mean: FloatArray
    spread: FloatArray
    start: int


@dataclass(frozen=True, eq=False)
class Smoothed:
    """What all observations say about the states, rows `start` … T − 1.

    llf : float              Gaussian log-likelihood of the observed entries
    states : array (N, K)    E[s_t | all]
    spread : array (N, K, K) Cov(s_t | all)
    """

    llf: float
    states: FloatArray
    spread: FloatArray


def var_space(coefs: FloatArray, sigma: FloatArray, constants: FloatArray, values: FloatArray,
              doubt: FloatArray | None = None) -> StateSpace:
    """Return y_t = c_t + Σ A_i y_{t−i} + e_t with the state (y_t … y_{t−p}), given the first p rows.

    Parameters
    ----------
    coefs : array (p, k, k)
    sigma : array (k, k)
    constants : array (T, k)      c_t: trend and inputs at each row
    values : array (T, k)         guesses where the first p rows have gaps
    doubt : array (p, k)          variances of these guesses, 0 where a value was observed; all 0 when left out
    """
    p, k, _ = coefs.shape
    size = k * (p + 1)
    move, noise, drive = np.zeros((size, size)), np.zeros((size, size)), np.zeros((len(values), size))
    move[:k, :k * p] = np.hstack(list(coefs)) if p else 0.0
    move[k:, :-k] = np.eye(k * p)
    noise[:k, :k] = sigma
    drive[:, :k] = constants
    before = np.concatenate([values[:p][::-1].ravel(), np.zeros(k)])
    spread = noise.copy()
    if doubt is not None and doubt.any():
        unsure = np.concatenate([doubt[::-1].ravel(), np.zeros(k)])
        spread += (move * unsure) @ move.T
    return StateSpace(move, noise, np.eye(k, size), drive, move @ before + drive[p], spread, p)


def innovations_space(transition: FloatArray, gain: FloatArray, sigma: FloatArray, drive: FloatArray,
                      mean: FloatArray, spread: FloatArray, start: int) -> StateSpace:
    """Return ξ_{t+1} = F ξ_t + G e_t + d_{t+1}, y_t = ξ_t[:k] + e_t with the state (ξ_t, e_t); F (d, d), G (d, k)."""
    d, k = gain.shape
    move = np.zeros((d + k, d + k))
    move[:d, :d], move[:d, d:] = transition, gain
    noise, first = np.zeros((d + k, d + k)), np.zeros((d + k, d + k))
    noise[d:, d:] = first[d:, d:] = sigma
    first[:d, :d] = spread
    read = np.hstack([np.eye(k, d), np.eye(k)])
    return StateSpace(move, noise, read, np.hstack([drive, np.zeros((len(drive), k))]),
                      np.concatenate([mean, np.zeros(k)]), first, start)


def smooth(space: StateSpace, values: FloatArray) -> Smoothed:
    """Filter and smooth observations (T, k), NaN where missing.

    References
    ----------
    Durbin & Koopman (2012), Time Series Analysis by State Space Methods, eq. 4.44 and 4.69, §4.10 (missing entries).
    """
    rows, size = len(values) - space.start, len(space.move)
    states, spread = np.empty((rows, size)), np.empty((rows, size, size))
    llf = _smooth(np.ascontiguousarray(values[space.start:]), space.move, space.noise, np.ascontiguousarray(space.read),
                  np.ascontiguousarray(space.drive[space.start:]), space.mean, space.spread, states, spread)
    return Smoothed(float(llf), states, spread)


# Loops, not np.linalg: numba compiles these in a tenth of the time, and the matrices are small.


@compiled()
def _times(A, B, flipped, out):  # type: ignore[no-untyped-def]
    """Write A B, or A B' where `flipped`, to `out`."""
    rows, inner, columns = A.shape[0], A.shape[1], out.shape[1]
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for m in range(inner):
                total += A[i, m] * (B[j, m] if flipped else B[m, j])
            out[i, j] = total


@compiled()
def _inverse(F, count, out):  # type: ignore[no-untyped-def]
    """Write the inverse of the leading block of a positive definite F and return its log determinant."""
    root = np.zeros((count, count))
    log_det = 0.0
    for i in range(count):
        for j in range(i + 1):
            total = 0.5 * (F[i, j] + F[j, i])
            for m in range(j):
                total -= root[i, m] * root[j, m]
            root[i, j] = np.sqrt(total) if i == j else total / root[j, j]
        log_det += 2 * np.log(root[i, i])
    for column in range(count):
        for i in range(count):
            total = 1.0 if i == column else 0.0
            for m in range(i):
                total -= root[i, m] * out[m, column]
            out[i, column] = total / root[i, i]
        for i in range(count - 1, -1, -1):
            total = out[i, column]
            for m in range(i + 1, count):
                total -= root[m, i] * out[m, column]
            out[i, column] = total / root[i, i]
    return log_det


@compiled()
def _smooth(y, move, noise, read, drive, mean, first, states, spread):  # type: ignore[no-untyped-def]
    rows, k = y.shape
    size = len(move)
    a, P, fresh = mean.copy(), first.copy(), np.empty(size)
    means, covers = np.empty((rows, size)), np.empty((rows, size, size))
    steps, pulls, weights = np.empty((rows, size, size)), np.zeros((rows, size)), np.zeros((rows, size, size))
    Z, v, F, inverse = np.zeros((k, size)), np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
    ZP, gain, half, square = np.zeros((k, size)), np.zeros((size, k)), np.zeros((size, k)), np.zeros((size, size))
    llf = 0.0
    for t in range(rows):
        means[t], covers[t] = a, P
        n = 0
        for j in range(k):
            if not np.isnan(y[t, j]):
                Z[n] = read[j]
                v[n] = y[t, j]
                for m in range(size):
                    v[n] -= read[j, m] * a[m]
                n += 1
        steps[t] = move
        for i in range(size):
            total = 0.0
            for m in range(size):
                total += move[i, m] * a[m]
            fresh[i] = total
        if n:
            _times(Z[:n], P, False, ZP)
            _times(ZP[:n], Z[:n], True, F[:n, :n])
            log_det = _inverse(F, n, inverse)
            _times(move, ZP[:n], True, half[:, :n])
            _times(half[:, :n], inverse[:n, :n], False, gain[:, :n])
            quadratic = 0.0
            for i in range(n):
                weighted = 0.0
                for j in range(n):
                    weighted += inverse[i, j] * v[j]
                quadratic += v[i] * weighted
                for m in range(size):
                    pulls[t, m] += Z[i, m] * weighted
                    fresh[m] += gain[m, i] * v[i]
            llf -= 0.5 * (n * np.log(2 * np.pi) + log_det + quadratic)
            for i in range(size):
                for m in range(size):
                    for j in range(n):
                        steps[t, i, m] -= gain[i, j] * Z[j, m]
            for j in range(n):
                for i in range(n):
                    for m in range(size):
                        for o in range(size):
                            weights[t, m, o] += Z[j, m] * inverse[j, i] * Z[i, o]
        _times(P, steps[t], True, square)
        _times(move, square, False, P)
        for i in range(size):
            a[i] = fresh[i] + (drive[t + 1, i] if t + 1 < rows else 0.0)
            for j in range(i + 1):
                P[i, j] = P[j, i] = 0.5 * (P[i, j] + P[j, i]) + noise[i, j]
    r, N = np.zeros(size), np.zeros((size, size))
    for t in range(rows - 1, -1, -1):
        for i in range(size):
            total = pulls[t, i]
            for m in range(size):
                total += steps[t, m, i] * r[m]
            fresh[i] = total
        r[:] = fresh
        _times(N, steps[t], False, square)
        for i in range(size):
            for j in range(size):
                total = weights[t, i, j]
                for m in range(size):
                    total += steps[t, m, i] * square[m, j]
                N[i, j] = total
        _times(covers[t], N, False, square)
        _times(square, covers[t], False, spread[t])
        for i in range(size):
            states[t, i] = means[t, i]
            for m in range(size):
                states[t, i] += covers[t, i, m] * r[m]
                spread[t, i, m] = covers[t, i, m] - spread[t, i, m]
    return llf
