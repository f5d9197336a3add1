"""Sums of lagged products: the one pass over the data that every least-squares fit starts from.

Used by closed_form and order. Series lie in rows here, (k, T), where memory is read in order. The variables of the
regression stand in the order (now, 1, z, lag 1, …, lag p): the k series themselves, the constant if there is one, the
other fixed regressors z (trend and exogenous), and the k series at each lag. The callers judge the accuracy.
"""

from __future__ import annotations

import numpy as np

from varnn.series import FloatArray

LARGEST_LOSS = 1e4  # beyond this loss (see `gram_by_shifts`) a Gram matrix is left for QR
BLOCK_ROWS = 2048  # times that a matrix product takes at once; they stay in the second-level cache
LARGE = 600_000  # products of rows, series and columns from which the shifts save more than they cost


def centred(values: FloatArray, centre: bool) -> tuple[FloatArray, FloatArray]:
    """Lay each column in a row, less its mean.

    Parameters
    ----------
    values : array (T, k)

    Returns
    -------
    values - shift : array (k, T)
    shift : array (k,)

    Examples
    --------
    >>> centred(np.array([[1.0], [4.0]]), True)
    (array([[-1.5,  1.5]]), array([2.5]))
    """
    T, k = values.shape
    out = np.array(values.T, order="C")
    shift = np.add.reduce(out, axis=1) / T if centre else np.zeros(k)
    out -= shift[:, None]
    return out, shift


def standardise(values: FloatArray, centre: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shift each column by its mean and scale it by a power of two, so that no digit is lost by either.

    x̃_t = (x_t − shift) · unit, with max |x̃| in [½, 1); `unit` is 1 for a column that is all zero.

    Parameters
    ----------
    values : array (T, k)

    Returns
    -------
    x̃ : array (k, T)
    shift, unit : array (k,)

    Examples
    --------
    >>> standardise(np.array([[1.0], [4.0]]), True)
    (array([[-0.75,  0.75]]), array([2.5]), array([0.5]))
    """
    out, shift = centred(values, centre)
    unit = np.ldexp(1.0, -np.frexp(np.maximum.reduce(np.abs(out), axis=1))[1])
    out *= unit[:, None]
    return out, shift, unit


def regression(y: FloatArray, z: FloatArray, lags: int, start: int, centre: bool) -> FloatArray:
    """Return all variables, one a row, at the times `start` … T − 1.

    Examples
    --------
    >>> regression(np.arange(4.0)[None], np.empty((0, 4)), 2, 2, True)
    array([[2., 3.],
           [1., 1.],
           [1., 2.],
           [0., 1.]])
    """
    (k, T), n, c = y.shape, y.shape[1] - start, int(centre)
    at = k + c + len(z)
    rows = np.empty((at + lags * k, n))
    rows[:k] = y[:, start:]
    rows[k:k + c] = 1.0
    if at > k + c:
        rows[k + c:at] = z[:, start:]
    if lags:
        step = y.itemsize
        lagged = np.ndarray((lags, k, n), y.dtype, y, (start - 1) * step, (-step, T * step, step))  # a view of y
        rows[at:].reshape(lags, k, n)[:] = lagged
    return rows


def gram_by_shifts(y: FloatArray, z: FloatArray, lags: int, start: int, centre: bool) -> tuple[FloatArray, float]:
    """Return the upper triangle of the products Σ_t x_t x_tᵀ of all variables, without building `regression`.

    Σ_t y_{t−i−1} y_{t−j−1}ᵀ = Σ_t y_{t−i} y_{t−j}ᵀ + (the time that enters) − (the time that leaves), so only the block
    rows of 1, z and now need a pass over the data, by one BLAS product a lag. Also returns the largest factor by which
    a sum of squares shrank on the way; its logarithm is digits lost.
    """
    k, T = y.shape
    fixed, now = np.vstack([np.ones((int(centre), T - start)), *z[:, start:]]), y[:, start:]
    at, d = k + len(fixed), k + len(fixed) + lags * k
    gram = np.zeros((d, d))
    gram[:k, :k], gram[:k, k:at], gram[k:at, k:at] = now @ now.T, now @ fixed.T, fixed @ fixed.T
    for i in range(lags):
        past, where = y[:, start - 1 - i:T - 1 - i], slice(at + i * k, at + (i + 1) * k)
        gram[:k, where], gram[k:at, where] = now @ past.T, fixed @ past.T
    enters, leaves = y.T[:start][::-1][:lags].ravel(), y.T[::-1][:lags].ravel()
    above = np.hstack([gram[:k, :k], gram[:k, at:]])
    for i in range(0, lags * k, k):
        above = above[:, :-k] + np.outer(enters[i:i + k], enters[i:]) - np.outer(leaves[i:i + k], leaves[i:])
        gram[at + i:at + i + k, at + i:] = above
    lengths = gram.diagonal()
    if not (lengths[at:] > 0.0).all():
        return gram, np.inf
    return gram, float(np.max(np.tile(lengths[:k], lags) / lengths[at:], initial=1.0))


def residuals(y: FloatArray, z: FloatArray, lags: int, start: int, weights: FloatArray,
              products: FloatArray | None) -> FloatArray:
    """Return e_t = y_t − weightsᵀ x_t, (k, n), and add Σ x_t e_tᵀ to `products`.

    Block by block of rows, which stay in the cache, and lag by lag, which needs no copy of the lags.
    """
    (k, T), g = y.shape, len(z)
    c = len(weights) - g - lags * k
    resid = np.empty((k, T - start))
    for first in range(start, T, BLOCK_ROWS):
        after = min(first + BLOCK_ROWS, T)
        parts = [(c, c + g, z[:, first:after])] if g else []
        parts += [(c + g + (i - 1) * k, c + g + i * k, y[:, first - i:after - i]) for i in range(1, lags + 1)]
        e = np.subtract(y[:, first:after], weights[:c].sum(axis=0)[:, None], out=resid[:, first - start:after - start])
        for a, b, part in parts:
            e -= weights[a:b].T @ part
        if products is not None:
            for a, b, part in parts:
                products[a:b] += part @ e.T
            products[:c] += e.sum(axis=1)
    return resid
