"""Compiled least squares for many origins: sums row by row, their completion, Cholesky, criteria of all orders.

Called by `rolling` only, for which it is compiled on first use; one sample alone goes through `moments`. Columns stand
as described there. Nothing here decides whether the result is accurate enough; the caller does.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, types

from varnn.estimate.numerics.compiling import compiled
from varnn.series import FloatArray

MATRIX = types.Array(float64, 2, "C", readonly=True)
VECTOR = types.Array(float64, 1, "C", readonly=True)
PIVOT_FLOOR = 1e-10  # a squared relative pivot below this leaves a Gram matrix too few digits


@compiled(types.void(MATRIX, MATRIX, int64, int64, int64, int64, float64[:, ::1], float64[::1]), error_model="numpy")
def add_rows(y: FloatArray, z: FloatArray, lags: int, order: int, start: int, stop: int, products: FloatArray,
             sums: FloatArray) -> None:
    """Add rows start … stop − 1 to the first block row of the Gram matrix and to the column sums.

    products[i] += Σ_t y_ti · (z_t, y_{t−1}, …, y_{t−p}, y_t) for each series i, and below those k rows
    Σ_t z_ti · (z_t, …); sums[j] += Σ_t of column j. `order` lags are filled, the columns stand as for `lags`.
    """
    k, g = y.shape[1], z.shape[1]
    now = g + lags * k
    row = np.empty(now + k)
    for t in range(start, stop):
        for j in range(g):
            row[j] = z[t, j]
        for i in range(order):
            for j in range(k):
                row[g + i * k + j] = y[t - 1 - i, j]
        for i in range(order * k + g, now):
            row[i] = 0.0
        for j in range(k):
            row[now + j] = y[t, j]
        for j in range(now + k):
            sums[j] += row[j]
        for i in range(k):
            for j in range(now + k):
                products[i, j] += row[now + i] * row[j]
        for i in range(g):
            for j in range(now + k):
                products[k + i, j] += row[i] * row[j]


@compiled(float64(MATRIX, int64, int64, int64, int64, int64, MATRIX, VECTOR, types.boolean, float64[:, ::1]),
          error_model="numpy")
def complete_gram(y: FloatArray, g: int, lags: int, order: int, start: int, stop: int, products: FloatArray,
                  sums: FloatArray, centre: bool, gram: FloatArray) -> float:
    """Fill the Gram matrix of (z, lag 1 … lag `order`, now) about the column means from its first block row.

    Σ_t y_{t−i−1} y_{t−j−1}ᵀ = Σ_t y_{t−i} y_{t−j}ᵀ + (the row that enters) − (the row that leaves), so only
    the first block row needs a pass over the data; sums over rows start … stop − 1. Returns the largest factor by
    which a column's sum of squares shrank on the way, in these steps or in centring: its logarithm is digits lost.
    """
    k = y.shape[1]
    now, last = g + lags * k, g + order * k
    width = last + k
    n = stop - start
    for a in range(g):
        for b in range(a, last):
            gram[a, b] = products[k + a, b]
        for b in range(k):
            gram[a, last + b] = products[k + a, now + b]
    for i in range(order):
        for j in range(i, order):
            for a in range(k):
                for b in range(k):
                    if i == 0:
                        previous = products[a, now + b] if j == 0 else products[a, g + (j - 1) * k + b]
                    else:
                        previous = gram[g + (i - 1) * k + a, g + (j - 1) * k + b]
                    gram[g + i * k + a, g + j * k + b] = (
                        previous + y[start - 1 - i, a] * y[start - 1 - j, b]
                        - y[stop - 1 - i, a] * y[stop - 1 - j, b])
        for a in range(k):
            for b in range(k):
                gram[g + i * k + a, last + b] = products[b, g + i * k + a]
    for a in range(k):
        for b in range(a, k):
            gram[last + a, last + b] = products[a, now + b]
    loss = 1.0
    for a in range(width):
        if centre:
            at_a = sums[a] if a < last else sums[now + a - last]
            for b in range(a + 1, width):
                at_b = sums[b] if b < last else sums[now + b - last]
                gram[a, b] -= at_a * (at_b / n)
            before = gram[a, a]
            gram[a, a] -= at_a * (at_a / n)
            loss = max(loss, before / gram[a, a] if gram[a, a] > 0.0 else np.inf)
    for i in range(order):
        for a in range(k):
            here = gram[g + i * k + a, g + i * k + a]
            loss = max(loss, gram[last + a, last + a] / here if here > 0.0 else np.inf)
    return loss


@compiled(float64(float64[:, ::1], float64[::1], int64), error_model="numpy")
def factor(gram: FloatArray, scale: FloatArray, pivots: int) -> float:
    """Overwrite the upper triangle of the Gram matrix by R with RᵀR = D⁻¹ G D⁻¹, D = diag(scale).

    Every column is scaled to length one first. Returns the smallest squared pivot among the first `pivots`
    columns (one minus that column's R² on the columns before it); stops early, with a value below
    `PIVOT_FLOOR`, where a column is as good as a combination of those before.
    """
    width = gram.shape[0]
    for a in range(width):
        scale[a] = np.sqrt(gram[a, a]) if gram[a, a] > 0.0 else 1.0
        if a < pivots and not gram[a, a] > 0.0:
            return 0.0
    for a in range(width):
        for b in range(a, width):
            gram[a, b] /= scale[a] * scale[b]
    smallest = 1.0
    for a in range(width):
        if a < pivots:
            smallest = min(smallest, gram[a, a])
            if not gram[a, a] > PIVOT_FLOOR:
                return float(gram[a, a])
        root = np.sqrt(max(gram[a, a], 0.0))
        for b in range(a, width):
            gram[a, b] = gram[a, b] / root if root > 0.0 else 0.0
        for c in range(a + 1, width):
            weight = gram[a, c]
            for b in range(c, width):
                gram[c, b] -= weight * gram[a, b]
    return smallest


@compiled(types.void(MATRIX, int64, int64, int64, float64[::1]), error_model="numpy")
def order_log_dets(upper: FloatArray, g: int, lags: int, k: int, log_dets: FloatArray) -> None:
    """Write ln det of the (scaled) residual products of the orders 0 … lags, from R of the longest regression.

    The residual products of order p are the sums over the rows of R below it of the last k columns' products.
    """
    last = g + lags * k
    square, work = np.zeros((k, k)), np.empty((k, k))
    for order in range(lags, -1, -1):
        first, after = (last, last + k) if order == lags else (g + order * k, g + (order + 1) * k)
        for row in range(first, after):
            for a in range(k):
                for b in range(a, k):
                    if order < lags or row - first <= a:
                        square[a, b] += upper[row, last + a] * upper[row, last + b]
        total = 0.0
        for a in range(k):
            for b in range(a, k):
                work[a, b] = square[a, b]
        for a in range(k):
            total += np.log(work[a, a]) if work[a, a] > 0.0 else -np.inf
            for b in range(a + 1, k):
                weight = work[a, b] / work[a, a] if work[a, a] > 0.0 else 0.0
                for c in range(b, k):
                    work[b, c] -= weight * work[a, c]
        log_dets[order] = total
