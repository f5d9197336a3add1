"""Least squares for the VAR: exact to the last digits that the data hold, in microseconds.

`fit_var` estimates one sample, `fit_windows` many, with the same bits. Centred and
scaled columns, a Gram matrix by shifted products, Cholesky and one step of refinement; Householder QR with
a rank check wherever the columns are too close to collinear for that. Never regularises, never drops a column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, qr, solve_triangular

from varnn.errors import InputError, RankDeficientError, TooShortError
from varnn.estimate.least_squares.gram import (
    LARGE,
    LARGEST_LOSS,
    centred,
    gram_by_shifts,
    regression,
    residuals,
    standardise,
)
from varnn.estimate.numerics.threads import one_thread
from varnn.series import FloatArray, checked_memory

Trend = Literal["n", "c", "ct"]
WORST_CONDITION = 500.0    # beyond it the Gram route would cost more than 1e-10 of a standard error
WELL_CONDITIONED = 10.0    # up to it the normal equations alone keep 14 digits, and one pass is saved
SMALL_PRODUCT = 200_000  # multiply-adds below which OpenBLAS never starts a second thread
_LAGGED = re.compile(r"^L(\d+)\.")  # what `regressor_names` puts before a lagged column
NOTHING = (np.empty((0, 0)), np.empty(0))  # no fixed regressors, centred


def pinned(work: int) -> AbstractContextManager[None]:
    """Hold BLAS to one thread for matrix products of `work` multiply-adds, where it could use more."""
    return nullcontext() if work < SMALL_PRODUCT else one_thread()


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Ordinary least squares of k series on the same d regressors.

    B = (XᵀX)⁻¹ XᵀY,  Σ = EᵀE / (n − d),  Cov(vec Bᵀ) = (XᵀX)⁻¹ ⊗ Σ.

    Attributes
    ----------
    coef : array (d, k)
        Coefficients; rows are const, trend, exogenous, then the lags L1.y1 … L1.yk, L2.y1 ….
    root : array (d, d)
        Any matrix with root rootᵀ = (XᵀX)⁻¹, so that standard errors never need the product.
    resid : array (n, k)
        Residuals E, in the units of the series.
    sigma : array (k, k)
        Residual covariance Σ with the degrees-of-freedom correction.
    """

    coef: FloatArray
    root: FloatArray
    resid: FloatArray
    sigma: FloatArray

    @property
    def df_resid(self) -> int:
        """Observations less regressors, n − d."""
        return int(len(self.resid) - len(self.coef))

    @cached_property
    def bse(self) -> FloatArray:
        """Standard errors of `coef`, (d, k): √((XᵀX)⁻¹_cc Σ_jj)."""
        lengths = np.sqrt(np.add.reduce(self.root * self.root, axis=1))
        return np.asarray(lengths[:, None] * np.sqrt(self.sigma.diagonal()))

    @property
    def inverse_gram(self) -> FloatArray:
        """(XᵀX)⁻¹, shape (d, d)."""
        return np.asarray(self.root @ self.root.T)


def regressor_names(names: Sequence[str], lags: int, trend: Trend, exog_names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the row labels of `coef`, as statsmodels writes them.

    Examples
    --------
    >>> regressor_names(["a", "b"], 1, "ct", ["z"])
    ('const', 'trend', 'z', 'L1.a', 'L1.b')
    """
    fixed = {"n": (), "c": ("const",), "ct": ("const", "trend")}[trend]
    return (*fixed, *exog_names, *(f"L{i}.{name}" for i in range(1, lags + 1) for name in names))


def in_words(label: str) -> str:
    """Return a row label of `coef` as a sentence names it, by column and lag.

    Examples
    --------
    >>> in_words("L2.gdp"), in_words("trend"), in_words("oil.price")
    ("lag 2 of 'gdp'", "'trend'", "'oil.price'")
    """
    lag, column = _LAGGED.match(label), column_of(label)
    return f"lag {lag[1]} of {column!r}" if lag else repr(column)


def column_of(label: str) -> str:
    """Return the column that a row label of `coef` belongs to.

    Examples
    --------
    >>> column_of("L2.gdp"), column_of("oil.price")
    ('gdp', 'oil.price')
    """
    return _LAGGED.sub("", label)


def numbered(fixed: int, lags: int, k: int) -> list[str]:
    """Return labels of regressors whose columns have no names here: inputs first, then the lags of each series.

    Examples
    --------
    >>> numbered(1, 2, 1)
    ['input 1', 'L1.series 1', 'L2.series 1']
    """
    return [*(f"input {a + 1}" for a in range(fixed)),
            *(f"L{lag}.series {j + 1}" for lag in range(1, lags + 1) for j in range(k))]


def fixed_regressors(rows: int, trend: Trend, exog: FloatArray | None, first: int = 1) -> FloatArray:
    """Return the regressors that are not lags nor the constant, (rows, g): trend first, first+1, …, then exog."""
    blocks = [np.arange(first, first + rows, dtype=np.float64)[:, None]] if trend == "ct" else []
    blocks += [] if exog is None else [np.asarray(exog, dtype=np.float64)]
    return np.ascontiguousarray(np.hstack(blocks)) if blocks else np.empty((rows, 0))


def rows_needed(k: int, lags: int, trend: Trend, q: int = 0) -> int:
    """Return the fewest rows T that leave k residual degrees of freedom: p + kp + trend + q + k.

    Examples
    --------
    >>> rows_needed(3, 2, "c")
    12
    """
    return lags + k * lags + len(trend.replace("n", "")) + q + k


def fit_var(values: FloatArray, lags: int, trend: Trend = "c", exog: FloatArray | None = None, *,
            start: int | None = None, names: Sequence[str] | None = None) -> LeastSquares:
    """Fit y_t = c + A_1 y_{t−1} + … + A_p y_{t−p} + D z_t + e_t by least squares.

    Parameters
    ----------
    values : array (T, k)
        Observations, oldest first.
    lags : int
        Number of lags p, at least 0.
    trend : {"n", "c", "ct"}
        Nothing, a constant, or a constant and a linear trend t = 1 … T.
    exog : array (T, q), optional
        Exogenous z_t at the dates of `values`.
    start : int, optional
        First row explained, at least `lags` (the default); a later one gives orders a common sample.
    names : sequence of str, optional
        Labels of the regressors, for error messages; see `regressor_names`.

    Returns
    -------
    LeastSquares

    Raises
    ------
    TooShortError
        If fewer than k residual degrees of freedom are left.
    RankDeficientError
        If a regressor is constant or a combination of others, naming it.

    Examples
    --------
    >>> y = np.cumsum(np.random.default_rng(0).normal(size=(50, 2)), axis=0) + 1e9
    >>> fit = fit_var(y, lags=1)
    >>> fit.coef.shape, fit.bse.shape, fit.df_resid
    ((3, 2), (3, 2), 46)

    References
    ----------
    Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, eq. 3.2.10 and 3.2.19;
    Björck (1996), Numerical Methods for Least Squares Problems, §2.4 and §2.9.3.
    """
    T, k = values.shape
    begin = lags if start is None else start
    z = fixed_regressors(T, trend, exog)
    _check_rows(T - begin, k, lags, trend, z.shape[1])
    d = z.shape[1] + lags * k
    checked_memory(f"lags={lags} on {T} rows of {k} series", 4.0 * (T - begin) * (d + k) + 3.0 * d * d,
                   "use fewer lags or series")
    found = _by_gram(np.ascontiguousarray(values), z, lags, begin, trend)
    if found is None:
        found = _by_qr(values, z, lags, begin, trend, names)
    return found


@dataclass(frozen=True, eq=False)
class WindowFits:
    """Least-squares fits of many windows; `fits[i]` is the `LeastSquares` of window i, bit for bit.

    Attributes
    ----------
    coef : array (B, d, k)
    root : array (B, d, d)
    sigma : array (B, k, k)
    resid : list of array (n_i, k)
    """

    coef: FloatArray
    root: FloatArray
    sigma: FloatArray
    resid: list[FloatArray]

    def __len__(self) -> int:
        return len(self.coef)

    def __getitem__(self, i: int) -> LeastSquares:
        return LeastSquares(self.coef[i], self.root[i], self.resid[i], self.sigma[i])


def fit_windows(values: FloatArray, windows: Sequence[tuple[int, int]] | NDArray[np.int64], lags: int,
                trend: Trend = "c", exog: FloatArray | None = None, *,
                names: Sequence[str] | None = None) -> WindowFits:
    """Fit the same VAR to many windows of rows, a few microseconds of overhead a window.

    Parameters
    ----------
    values : array (T, k)
        One long series, or many series stacked below one another.
    windows : sequence of (first, after)
        Rows first … after − 1 of each window; they may overlap.
    lags, trend, exog, names
        As for `fit_var`; the trend counts 1, 2, … inside each window.

    Returns
    -------
    WindowFits
        Equal bit for bit to `fit_var` on each window alone, in any order and number.

    Raises
    ------
    TooShortError, RankDeficientError
        As `fit_var`, naming the window.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(60, 2))
    >>> fits = fit_windows(y, [(0, 50), (5, 55)], lags=1)
    >>> bool((fits.coef[1] == fit_var(y[5:55], 1).coef).all())
    True
    """
    bounds = [(int(first), int(after)) for first, after in np.asarray(windows, dtype=np.int64).reshape(-1, 2)]
    (T, k), y, fits = values.shape, np.ascontiguousarray(values), []
    z = fixed_regressors(T, trend, exog)
    for first, after in bounds:
        if not 0 <= first < after <= T:
            raise InputError(f"window ({first}, {after}) does not lie inside rows 0 to {T}")
        _check_rows(after - first - lags, k, lags, trend, z.shape[1])
        found = _by_gram(y[first:after], z[first:after], lags, lags, trend, first)
        if found is None:
            found = fit_var(y[first:after], lags, trend, None if exog is None else exog[first:after], names=names)
        fits.append(found)
    return WindowFits(np.stack([fit.coef for fit in fits]), np.stack([fit.root for fit in fits]),
                      np.stack([fit.sigma for fit in fits]), [fit.resid for fit in fits])


def _check_rows(n: int, k: int, lags: int, trend: Trend, g: int) -> None:
    need = rows_needed(k, lags, "c" if trend == "ct" else trend, g) - lags
    if n < need:
        raise TooShortError(f"a VAR with lags={lags}, trend={trend!r} on {k} series estimates {need - k} coefficients "
                            f"an equation and needs at least {need} rows after the presample, got {n}; "
                            "use fewer lags or a longer series")


def _by_gram(values: FloatArray, z: FloatArray, lags: int, start: int, trend: Trend,
             first: int = 0) -> LeastSquares | None:
    """Fit by Cholesky of the Gram matrix of centred columns and refine; None if that keeps too few digits.

    `first` is the row of the whole series where `values` begins, from which a trend in z counts.
    """
    (T, k), g, centre = values.shape, z.shape[1], trend != "n"
    n, d = T - start, int(centre) + g + lags * k
    y, y_shift = centred(values, centre)
    zs, z_shift = centred(z, centre) if g else NOTHING
    with pinned(n * k * (d + k)):
        found = (_from_rows(regression(y, zs, lags, start, centre), k) if n * k * (d + k) < LARGE else
                 _from_sums(y, zs, lags, start, centre))
        if found is None:
            return None
        coef, root, resid = found
        sigma = resid.T @ resid / (n - d)
    if trend == "ct":
        z_shift[0] -= first
    _uncentre(coef, root, np.concatenate((z_shift, *(y_shift,) * lags)), y_shift)
    return LeastSquares(coef, root, resid, sigma)


Solution = tuple[FloatArray, FloatArray, FloatArray]  # weights (d, k), R⁻¹ (d, d), residuals (n, k)


def _from_rows(rows: FloatArray, k: int) -> Solution | None:
    """Regress the first k of the `rows` on the others; None if the normal equations keep too few digits."""
    y, x, gram = rows[:k], rows[k:], rows @ rows.T
    inverse, condition = _inverse_root(gram[k:, k:])
    if condition > WORST_CONDITION:
        return None
    weights = inverse @ (inverse.T @ gram[k:, :k])
    fitted = x.T @ weights
    if condition > WELL_CONDITIONED:
        weights += inverse @ (inverse.T @ (x @ (y.T - fitted)))
        fitted = x.T @ weights
    return weights, inverse, np.subtract(y.T, fitted, out=fitted)


def _from_sums(y: FloatArray, z: FloatArray, lags: int, start: int, centre: bool) -> Solution | None:
    """Do what `_from_rows` does with the rows of `regression`, without building them."""
    gram, loss = gram_by_shifts(y, z, lags, start, centre)
    k = len(y)
    inverse, condition = _inverse_root(gram[k:, k:])
    if loss > LARGEST_LOSS or condition > WORST_CONDITION:
        return None
    weights = inverse @ (inverse.T @ gram[:k, k:].T)
    if condition > WELL_CONDITIONED:
        products = np.zeros((len(weights), k))
        residuals(y, z, lags, start, weights, products)
        weights += inverse @ (inverse.T @ products)
    return weights, inverse, np.ascontiguousarray(residuals(y, z, lags, start, weights, None).T)


def _inverse_root(gram: FloatArray) -> tuple[FloatArray, float]:
    """Return R⁻¹ with RᵀR = `gram`, and its condition √(Σ R⁻¹²/d) for columns of length one (inf if singular)."""
    lower, failed = lapack.dpotrf(gram.T, lower=1)
    if failed:
        return lower, np.inf
    inverse = lapack.dtrtri(lower, lower=1)[0].T
    return inverse, float(np.einsum("ii,ij,ij", gram, inverse, inverse) / max(len(gram), 1)) ** 0.5


def _uncentre(coef: FloatArray, root: FloatArray, shift: FloatArray, y_shift: FloatArray) -> None:
    """Give the constant of `coef` and of a root of (XᵀX)⁻¹, in place, the value it has for columns not centred."""
    if len(coef) > len(shift):
        coef[0] += y_shift - shift @ coef[1:]
        root[0] -= shift @ root[1:]


@dataclass(frozen=True, eq=False)
class ScaledDesign:
    """Columns (z, lag 1, …, lag p, now) about their means and of length one, with what was taken out."""

    columns: FloatArray
    shift: FloatArray
    unit: FloatArray
    means: FloatArray
    scale: FloatArray
    resolution: FloatArray


def scaled_design(values: FloatArray, z: FloatArray, lags: int, start: int, centre: bool) -> ScaledDesign:
    """Build the regression of rows `start` … T − 1; `resolution` is each column's rounding over its length."""
    blocks = np.hstack([z[start:], *(values[start - i:len(values) - i] for i in range(1, lags + 1)), values[start:]])
    rows, shift, unit = standardise(blocks, centre)
    columns = rows.T
    means = columns.mean(axis=0) if centre else np.zeros(columns.shape[1])
    columns -= means
    scale = np.sqrt((columns**2).sum(axis=0))
    largest = np.abs(blocks).max(axis=0) * unit
    resolution = np.finfo(float).eps * np.sqrt(len(columns)) * largest / np.where(scale > 0.0, scale, 1.0)
    return ScaledDesign(columns / np.where(scale > 0.0, scale, 1.0), shift, unit, means, scale, resolution)


def _by_qr(values: FloatArray, z: FloatArray, lags: int, start: int, trend: Trend,
           names: Sequence[str] | None) -> LeastSquares:
    """Least squares by Householder QR of the centred, scaled design; raises where the rank is short."""
    centre, n, k, d = trend != "n", len(values) - start, values.shape[1], z.shape[1] + lags * values.shape[1]
    c = int(centre)
    labels = list(names)[c:] if names is not None else numbered(z.shape[1], lags, k)
    with pinned(n * (d + k) ** 2):
        design = scaled_design(values, z, lags, start, centre)
        scale, means, shift, unit = design.scale, design.means, design.shift, design.unit
        refuse_constant(scale[:d], design.resolution[:d], labels, centre)
        upper: FloatArray = np.asarray(qr(design.columns, mode="r")[0][:d + k], dtype=np.float64)
        refuse_collinear(upper[:d, :d], design.resolution[:d], n, labels)
        inverse = solve_triangular(upper[:d, :d], np.eye(d)) / scale[:d, None]
        scaled = solve_triangular(upper[:d, :d], upper[:d, d:])
        resid = (design.columns[:, d:] - design.columns[:, :d] @ scaled) * (scale[d:] / unit[d:])
        weights = scaled * scale[d:] / scale[:d, None]
        if centre:
            weights = np.vstack([means[d:] - means[:d] @ weights, weights])
            inverse = np.block([[np.full((1, 1), n**-0.5), -means[None, :d] @ inverse], [np.zeros((d, 1)), inverse]])
        coef = weights / unit[d:]
        coef[c:] *= unit[:d, None]
        inverse[c:] *= unit[:d, None]
        _uncentre(coef, inverse, shift[:d], shift[d:])
        return LeastSquares(coef, inverse, resid, resid.T @ resid / (n - c - d))


def refuse_constant(scale: FloatArray, resolution: FloatArray, labels: Sequence[str], centre: bool) -> None:
    """Raise RankDeficientError naming the first regressor that does not move (or is zero, without an intercept)."""
    still = np.flatnonzero((scale == 0.0) | (resolution > 0.5))
    if still.size:
        what = "constant, like the intercept" if centre else "zero throughout"
        raise RankDeficientError(f"{in_words(labels[still[0]])} is {what}, so its coefficient is not determined; "
                                 f"drop {column_of(labels[still[0]])!r} or use a sample in which it moves")


def undetermined_below(resolution: FloatArray, n: int) -> FloatArray:
    """Return, for each column, the length left after projection that rounding of the data alone can explain."""
    return np.asarray(np.maximum(64 * np.finfo(float).eps * np.sqrt(n), 4 * np.maximum.accumulate(resolution)))


def refuse_collinear(upper: FloatArray, resolution: FloatArray, n: int, labels: Sequence[str]) -> None:
    """Raise RankDeficientError naming the first column of R that is a combination of those before it."""
    short = np.flatnonzero(np.abs(np.diag(upper)) <= undetermined_below(resolution, n))
    if short.size:
        j = int(short[0])
        mix = np.abs(solve_triangular(upper[:j, :j], upper[:j, j]))
        others = [in_words(labels[a]) for a in np.argsort(-mix)[:4] if mix[a] > 1e-6 * mix.max()]
        raise RankDeficientError(f"{in_words(labels[j])} is a combination of {', '.join(others)}, so the coefficients "
                                 f"are not determined; drop {column_of(labels[j])!r} or use fewer lags")
