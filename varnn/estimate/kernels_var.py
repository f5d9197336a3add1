"""Compiled least squares of one VAR sample: Gram matrix, Cholesky, one step of refinement.

Called by closed_form only, which also takes over where `fit_one` reports too few digits.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, njit, types

from varnn.estimate.moments import MATRIX, QUICK, VECTOR, add_rows, complete_gram, factor, invert_upper, standardise
from varnn.series import FloatArray

WORST_CONDITION = 500.0   # beyond it the Gram route would cost more than 1e-10 of a standard error
LARGEST_LOSS = 1e4        # ratio of sums of squares between one lag and the next; beyond it digits are lost


@njit(types.void(MATRIX, MATRIX, int64, int64, MATRIX, VECTOR, float64[:, ::1], float64[:, ::1], types.boolean),
      **QUICK)
def residuals(y: FloatArray, z: FloatArray, lags: int, start: int, weights: FloatArray, constant: FloatArray,
              resid: FloatArray, products: FloatArray, with_products: bool) -> None:
    """e_t = y_t − constant − weightsᵀ x_t, and Σ_t (x_t, 1) e_tᵀ in `products` when asked."""
    k, g = y.shape[1], z.shape[1]
    d = g + lags * k
    row = np.empty(d)
    for t in range(start, y.shape[0]):
        e = resid[t - start]
        for a in range(g):
            row[a] = z[t, a]
        for i in range(lags):
            for j in range(k):
                row[g + i * k + j] = y[t - 1 - i, j]
        for j in range(k):
            e[j] = y[t, j] - constant[j]
        for a in range(d):
            for j in range(k):
                e[j] -= row[a] * weights[a, j]
        if with_products:
            for a in range(d):
                for j in range(k):
                    products[a, j] += row[a] * e[j]
            for j in range(k):
                products[d, j] += e[j]


@njit(inline="always")
def refine(inverse: FloatArray, scale: FloatArray, means: FloatArray, products: FloatArray,
           weights: FloatArray) -> None:
    """Add (XᵀX)⁻¹ XᵀE to the weights, X about its column means; `products` holds Σ (x_t, 1) e_tᵀ."""
    d, k = weights.shape
    half = np.empty(d)
    for j in range(k):
        for a in range(d):
            products[a, j] = (products[a, j] - means[a] * products[d, j]) / scale[a]
        for a in range(d):
            half[a] = 0.0
            for b in range(a + 1):
                half[a] += inverse[b, a] * products[b, j]
        for a in range(d):
            step = 0.0
            for b in range(a, d):
                step += inverse[a, b] * half[b]
            weights[a, j] += step / scale[a]


@njit(inline="always")
def intercept(weights: FloatArray, means: FloatArray, constant: FloatArray) -> None:
    """Constant that makes the residuals sum to zero: mean of y less the weighted means of x."""
    d, k = weights.shape
    for j in range(k):
        constant[j] = means[d + j]
        for a in range(d):
            constant[j] -= means[a] * weights[a, j]


@njit(types.void(MATRIX, VECTOR, MATRIX, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, types.boolean, int64,
                 float64[:, ::1], float64[:, ::1]), **QUICK)
def in_user_units(weights: FloatArray, constant: FloatArray, inverse: FloatArray, scale: FloatArray,
                  means: FloatArray, y_shift: FloatArray, y_unit: FloatArray, z_shift: FloatArray,
                  z_unit: FloatArray, centre: bool, n: int, coef: FloatArray, root: FloatArray) -> None:
    """Undo `standardise`: write coefficients and a root of (XᵀX)⁻¹ for the columns as the user gave them."""
    d, k = weights.shape
    g, c = len(z_shift), 1 if centre else 0
    shift, unit = np.empty(d), np.empty(d)
    for a in range(d):
        shift[a] = z_shift[a] if a < g else y_shift[(a - g) % k]
        unit[a] = z_unit[a] if a < g else y_unit[(a - g) % k]
        for j in range(k):
            coef[c + a, j] = weights[a, j] * (unit[a] / y_unit[j])
        for b in range(d):
            root[c + a, c + b] = inverse[a, b] * (unit[a] / scale[a])
    if centre:
        root[0, 0] = 1.0 / np.sqrt(float(n))
        for j in range(k):
            coef[0, j] = constant[j] / y_unit[j] + y_shift[j]
            for a in range(d):
                coef[0, j] -= shift[a] * coef[1 + a, j]
        for b in range(d):
            root[1 + b, 0] = 0.0
            root[0, 1 + b] = 0.0
            for a in range(b + 1):
                root[0, 1 + b] -= (shift[a] + means[a] / unit[a]) * root[1 + a, 1 + b]


@njit(float64(MATRIX, MATRIX, int64, int64, types.boolean, types.boolean, int64, float64[:, ::1], float64[:, ::1],
              float64[:, ::1], float64[:, ::1]), **QUICK)
def fit_one(y: FloatArray, z: FloatArray, lags: int, start: int, centre: bool, counts: bool, first: int,
            coef: FloatArray, root: FloatArray, resid: FloatArray, sigma: FloatArray) -> float:
    """Fit one window into the arrays given; return 0 if the Gram route keeps too few digits, else 1.

    `counts` says that column 0 of z counts the rows of the whole series, of which this window begins at `first`.
    """
    T, k, g = y.shape[0], y.shape[1], z.shape[1]
    d, n = g + lags * k, T - start
    yc, y_shift, y_unit = standardise(y, centre)
    zc, z_shift, z_unit = standardise(z, centre)
    products, sums = np.zeros((k + g, d + k)), np.zeros(d + k)
    gram, scale, inverse = np.zeros((d + k, d + k)), np.empty(d + k), np.empty((d, d))
    add_rows(yc, zc, lags, lags, start, T, products, sums)
    complete_gram(yc, g, lags, lags, start, T, products, sums, centre, gram)
    for a in range(g, d):
        if not gram[a, a] * LARGEST_LOSS > gram[d + (a - g) % k, d + (a - g) % k]:
            return 0.0
    if factor(gram, scale, d) < 1.0 / WORST_CONDITION**2:
        return 0.0
    invert_upper(gram, inverse)

    weights, constant, means = np.zeros((d, k)), np.zeros(k), sums / n
    for a in range(d):
        for b in range(a, d):
            for j in range(k):
                weights[a, j] += inverse[a, b] * gram[b, d + j]
        for j in range(k):
            weights[a, j] *= scale[d + j] / scale[a]
    products = np.zeros((d + 1, k))
    if centre:
        intercept(weights, means, constant)
    else:
        means[:] = 0.0
    residuals(yc, zc, lags, start, weights, constant, resid, products, True)
    refine(inverse, scale, means, products, weights)
    if centre:
        intercept(weights, means, constant)
    residuals(yc, zc, lags, start, weights, constant, resid, products, False)

    sigma[:, :] = 0.0
    for t in range(n):
        for a in range(k):
            resid[t, a] /= y_unit[a]
        for a in range(k):
            for b in range(k):
                sigma[a, b] += resid[t, a] * resid[t, b]
    for a in range(k):
        for b in range(k):
            sigma[a, b] /= n - coef.shape[0]
    if counts:
        z_shift[0] -= first
    in_user_units(weights, constant, inverse, scale, means, y_shift, y_unit, z_shift, z_unit, centre, n, coef, root)
    return 1.0
