"""Compiled parts of the least-squares fit of one VAR sample: refinement, residuals, and the way back to user units.

Called by closed_form only; see moments for the sums that come before.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, njit, types

from varnn.estimate.compiling import compiled
from varnn.estimate.moments import MATRIX, VECTOR
from varnn.series import FloatArray


@njit(inline="always")
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


@compiled(types.void(MATRIX, VECTOR, MATRIX, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR, types.boolean, int64,
                 float64[:, ::1], float64[:, ::1]), error_model="numpy")
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


@compiled(types.void(MATRIX, MATRIX, int64, int64, VECTOR, MATRIX, VECTOR, float64[:, ::1], float64[::1],
                 float64[:, ::1]), error_model="numpy")
def refined(y: FloatArray, z: FloatArray, lags: int, start: int, means: FloatArray, inverse: FloatArray,
            scale: FloatArray, weights: FloatArray, constant: FloatArray, resid: FloatArray) -> None:
    """Refine the weights once and write constant and residuals; `means` are zero without an intercept."""
    d, k = weights.shape
    products = np.zeros((d + 1, k))
    for final in range(2):
        for j in range(k):
            constant[j] = means[d + j]
            for a in range(d):
                constant[j] -= means[a] * weights[a, j]
        residuals(y, z, lags, start, weights, constant, resid, products, final == 0)
        if final == 0:
            refine(inverse, scale, means, products, weights)
