"""Refits at many forecast origins for little more than the price of one: sums carried from origin to origin.

`expanding_fits` serves growing windows, with the order fixed or searched again at each origin; sliding
windows are `closed_form.fit_windows`. An origin's numbers never depend on which other origins were asked for,
nor on anything after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import float64, int64, njit, types
from numpy.typing import NDArray

from varnn.errors import InputError, TooShortError
from varnn.estimate.least_squares.gram import LARGEST_LOSS
from varnn.estimate.least_squares.kernels import MATRIX, add_rows, complete_gram, factor, order_log_dets
from varnn.estimate.least_squares.order import CRITERIA, Criterion, search_orders
from varnn.estimate.least_squares.regression import Trend, fit_var, fixed_regressors, rows_needed
from varnn.estimate.numerics.compiling import compiled
from varnn.series import FloatArray

SAFE_PIVOT = 1e-5  # squared; below it an origin is refitted alone, to keep 1e-9 of every coefficient
CODES = types.Array(int64, 1, "C", readonly=True)


@dataclass(frozen=True, eq=False)
class ExpandingFits:
    """Least-squares fits on rows 0 … end − 1 for many ends.

    Attributes
    ----------
    ends : array (B,) of int
        Rows in each window.
    lags : array (B,) of int
        Order of each fit.
    coef : array (B, d, k)
        Coefficients as `LeastSquares.coef`, for the longest order; lags beyond a fit's own order are 0.
    sigma : array (B, k, k)
        Residual covariances with the degrees-of-freedom correction.
    """

    ends: NDArray[np.int64]
    lags: NDArray[np.int64]
    coef: FloatArray
    sigma: FloatArray


def expanding_fits(values: FloatArray, ends: Sequence[int] | NDArray[np.int64], lags: int, trend: Trend = "c",
                   exog: FloatArray | None = None, *, criterion: Criterion | None = None) -> ExpandingFits:
    """Fit a VAR to the first `end` rows, for each end.

    Parameters
    ----------
    values : array (T, k)
        Observations, oldest first.
    ends : sequence of int
        Numbers of rows; any order.
    lags : int
        Order p, or the longest order searched at every end when `criterion` is given.
    trend : {"n", "c", "ct"}
        Deterministic terms.
    exog : array (T, q), optional
        Exogenous z_t.
    criterion : {"aic", "bic", "hqic", "fpe"}, optional
        Choose the order afresh at each end, on the rows after the first `lags`, then fit it on all rows.

    Returns
    -------
    ExpandingFits
        Equal to `fit_var` on each window to 1e-9.

    Raises
    ------
    TooShortError
        If the shortest window leaves fewer than k residual degrees of freedom.
    RankDeficientError
        If a window has constant or collinear regressors.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(60, 2))
    >>> fits = expanding_fits(y, [40, 50, 60], lags=1)
    >>> bool(np.allclose(fits.coef[1], fit_var(y[:50], 1).coef, rtol=1e-9))
    True
    """
    wanted = np.asarray(ends, dtype=np.int64).ravel()
    k, q = values.shape[1], 0 if exog is None else exog.shape[1]
    need = rows_needed(k, lags, trend, q)
    if wanted.size == 0 or wanted.max() > len(values):
        raise InputError(f"ends={list(ends)[:5]} must be numbers of rows from {need} to {len(values)}")
    if wanted.min() < need:
        raise TooShortError(f"a VAR with lags={lags} on {k} series needs at least {need} rows, got a window of "
                            f"{wanted.min()}; start later or use fewer lags")
    z = fixed_regressors(len(values), trend, exog)
    c, g = int(trend != "n"), z.shape[1]
    sorted_ends, place = np.unique(wanted, return_inverse=True)
    B = len(sorted_ends)
    coef, sigma = np.zeros((B, c + g + lags * k, k)), np.empty((B, k, k))
    orders, usable = np.full(B, lags, dtype=np.int64), np.zeros(B)
    code = -1 if criterion is None else CRITERIA.index(criterion)
    _expand(np.ascontiguousarray(values), z, sorted_ends, lags, c == 1, code, need, coef, sigma, orders, usable)
    for i in np.flatnonzero(usable == 0):
        end = int(sorted_ends[i])
        part = None if exog is None else exog[:end]
        if criterion is not None:
            orders[i] = search_orders(values[:end], lags, trend, part).best(criterion)
        single = fit_var(values[:end], int(orders[i]), trend, part)
        coef[i], sigma[i] = 0.0, single.sigma
        coef[i, :len(single.coef)] = single.coef
    return ExpandingFits(wanted, orders[place], coef[place], sigma[place])


def one_step_forecasts(values: FloatArray, fits: ExpandingFits, trend: Trend = "c",
                       exog: FloatArray | None = None) -> FloatArray:
    """Forecast row `end` from each fit; `exog`, when the fits used it, reaches at least the last end. Shape (B, k).

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(60, 2))
    >>> one_step_forecasts(y, expanding_fits(y, [50, 60], lags=1)).shape
    (2, 2)
    """
    ends, k = fits.ends, values.shape[1]
    blocks: list[FloatArray] = [np.ones((len(ends), 1), dtype=np.float64)] if trend != "n" else []
    blocks += [ends[:, None].astype(np.float64) + 1.0] if trend == "ct" else []
    blocks += [exog[ends]] if exog is not None else []
    lags = (fits.coef.shape[1] - sum(block.shape[1] for block in blocks)) // k
    rows = np.hstack([*blocks, *(values[ends - i] for i in range(1, lags + 1))])
    return np.asarray(np.einsum("bd,bdk->bk", rows, fits.coef))


@njit(inline="always")
def _standardise_by(values: FloatArray, rows: int, shift: FloatArray, unit: FloatArray, out: FloatArray) -> None:
    """Shift and scale all rows by what the first `rows` alone say, so that later rows change no earlier bit."""
    T, k = values.shape
    for j in range(k):
        largest, centre = 0.0, shift[j]
        shift[j] = 0.0
        for t in range(rows):
            shift[j] += centre * values[t, j] / rows
        for t in range(rows):
            largest = max(largest, abs(values[t, j] - shift[j]))
        unit[j] = 2.0 ** -np.ceil(np.log2(largest)) if largest > 0.0 else 1.0
        for t in range(T):
            out[t, j] = (values[t, j] - shift[j]) * unit[j]


@njit(inline="always")
def _best_order(upper: FloatArray, g: int, lags: int, k: int, fixed: int, n: int, code: int) -> int:
    """Order with the smallest criterion, from R of the longest regression; 0 aic, 1 bic, 2 hqic, 3 fpe."""
    values = np.empty(lags + 1)
    order_log_dets(upper, g, lags, k, values)
    penalty = 2.0 if code == 0 else np.log(n) if code == 1 else 2.0 * np.log(np.log(n))
    best = 0 if fixed > 0 or lags == 0 else 1
    for order in range(lags + 1):
        d = order * k + fixed
        values[order] += k * np.log((n + d) / (n - d)) if code == 3 else penalty * k * d / n
        if order > best and values[order] < values[best]:
            best = order
    return best


@njit(inline="always")
def _write(upper: FloatArray, scale: FloatArray, sums: FloatArray, lags: int, n: int, y_shift: FloatArray,
           y_unit: FloatArray, z_shift: FloatArray, z_unit: FloatArray, centre: bool, coef: FloatArray,
           sigma: FloatArray) -> None:
    """Solve R B = Qᵀy and write coefficients and covariance in the units of the user."""
    k, g, c = len(y_shift), len(z_shift), 1 if centre else 0
    d, now = len(scale) - k, g + lags * k
    weights = np.empty((d, k))
    for j in range(k):
        for a in range(d - 1, -1, -1):
            weights[a, j] = upper[a, d + j]
            for b in range(a + 1, d):
                weights[a, j] -= upper[a, b] * weights[b, j]
            weights[a, j] /= upper[a, a]
    for j in range(k):
        constant = sums[now + j] / n
        for a in range(d):
            weights[a, j] *= scale[d + j] / scale[a]
            constant -= weights[a, j] * sums[a] / n
        if centre:
            coef[0, j] = constant / y_unit[j] + y_shift[j]
        for a in range(d):
            unit = z_unit[a] if a < g else y_unit[(a - g) % k]
            coef[c + a, j] = weights[a, j] * (unit / y_unit[j])
            if centre:
                coef[0, j] -= (z_shift[a] if a < g else y_shift[(a - g) % k]) * coef[c + a, j]
        for b in range(k):
            sigma[j, b] = 0.0
            for row in range(d, d + min(j, b) + 1):
                sigma[j, b] += upper[row, d + j] * upper[row, d + b]
            sigma[j, b] *= scale[d + j] / y_unit[j] * (scale[d + b] / y_unit[b]) / (n - d - c)


@compiled(types.void(MATRIX, MATRIX, CODES, int64, types.boolean, int64, int64, float64[:, :, ::1], float64[:, :, ::1],
                 int64[::1], float64[::1]), error_model="numpy")
def _expand(y: FloatArray, z: FloatArray, ends: NDArray[np.int64], lags: int, centre: bool, code: int, base: int,
            coef: FloatArray, sigma: FloatArray, orders: NDArray[np.int64], usable: FloatArray) -> None:
    """Fit every window; usable[i] stays 0 where an origin needs to be fitted alone."""
    (T, k), g, c = y.shape, z.shape[1], 1 if centre else 0
    width = g + lags * k + k
    yc, y_shift, y_unit = np.empty((T, k)), np.full(k, 1.0 * c), np.empty(k)
    zc, z_shift, z_unit = np.empty((T, g)), np.full(g, 1.0 * c), np.empty(g)
    _standardise_by(y, base, y_shift, y_unit, yc)
    _standardise_by(z, base, z_shift, z_unit, zc)
    head, head_sums = np.zeros((lags + 1, k + g, width)), np.zeros((lags + 1, width))
    for order in range(lags if code >= 0 else 0):
        add_rows(yc, zc, lags, order, order, lags, head[order], head_sums[order])
    products, sums, done = np.zeros((k + g, width)), np.zeros(width), lags
    for i in range(len(ends)):
        end, order, start = ends[i], lags, lags
        for t in range(done, end):
            add_rows(yc, zc, lags, lags, t, t + 1, products, sums)
        done = end
        for searching in range(2 if code >= 0 else 1):
            block, total = products, sums
            if code >= 0 and searching == 1:
                start = order
                block, total = products + head[order], sums + head_sums[order]
            d, n = g + order * k, end - start
            gram, scale = np.zeros((d + k, d + k)), np.empty(d + k)
            if complete_gram(yc, g, lags, order, start, end, block, total, centre, gram) > LARGEST_LOSS:
                break
            if factor(gram, scale, d) < SAFE_PIVOT:
                break
            if np.diag(gram)[d:].min() ** 2 < SAFE_PIVOT:
                break
            if code >= 0 and searching == 0:
                order = _best_order(gram, g, lags, k, g + c, n, code)
                continue
            _write(gram, scale, total, lags, n, y_shift, y_unit, z_shift, z_unit, centre, coef[i], sigma[i])
            orders[i], usable[i] = order, 1.0
