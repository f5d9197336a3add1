"""Lag order by information criteria: every order from one factorisation of the longest regression.

Called by the VAR and by anything that needs a lag length. All orders are compared on the same rows, as in
statsmodels' `select_order`, and to the same numbers. Never looks at forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, qr

from varnn.errors import TooShortError
from varnn.estimate.least_squares.gram import LARGE, LARGEST_LOSS, centred, gram_by_shifts, regression
from varnn.estimate.least_squares.regression import (
    NOTHING,
    Trend,
    fixed_regressors,
    numbered,
    pinned,
    refuse_collinear,
    refuse_constant,
    rows_needed,
    scaled_design,
    undetermined_below,
)
from varnn.series import FloatArray, checked_memory

Criterion = Literal["aic", "bic", "hqic", "fpe"]
CRITERIA: tuple[Criterion, ...] = ("aic", "bic", "hqic", "fpe")
SMALLEST_PIVOT = 1e-6      # below it the Gram route would cost more than 1e-9 of a criterion
LARGEST_EXPONENT = 700.0   # fpe beyond exp(700) is no longer told apart
ROWS_PER_COEFFICIENT = 3   # what the default bound on the order leaves; AIC overfits badly below it


@dataclass(frozen=True, eq=False)
class OrderSearch:
    """Information criteria of the orders 0 (or 1) … max_lags on a common sample.

    Attributes
    ----------
    orders : array (P,) of int
        Lag orders searched.
    criteria : dict of str to array (P,)
        Values of aic, bic, hqic and fpe, one an order; inf where the coefficients are not determined.
    nobs : int
        Rows that every order explains.
    """

    orders: NDArray[np.int64]
    criteria: dict[Criterion, FloatArray]
    nobs: int

    def best(self, criterion: Criterion) -> int:
        """Order with the smallest value of `criterion`; the shortest of equals."""
        return int(self.orders[int(np.argmin(self.criteria[criterion]))])


def default_max_lags(T: int, k: int, trend: Trend = "c", q: int = 0) -> int:
    """Return the longest order worth a search: 12 (T/100)^¼, cut so that n ≥ 3 rows a coefficient remain.

    Examples
    --------
    >>> default_max_lags(200, 3), default_max_lags(40, 3)
    (14, 3)

    References
    ----------
    Schwert (1989), J. Business & Economic Statistics 7(2), for 12 (T/100)^¼.
    """
    fixed = len(trend.replace("n", "")) + q
    enough = (T - ROWS_PER_COEFFICIENT * fixed) // (ROWS_PER_COEFFICIENT * k + 1)
    possible = (T - k - fixed) // (1 + k)
    return int(min(round(12 * (T / 100) ** 0.25), max(1, enough), max(0, possible)))


def search_orders(values: FloatArray, max_lags: int, trend: Trend = "c", exog: FloatArray | None = None, *,
                  names: Sequence[str] | None = None) -> OrderSearch:
    """Compute aic, bic, hqic and fpe of every VAR order up to `max_lags`.

    ln|Σ_p| + penalty · k(kp + c)/n with Σ_p = E_pᵀE_p/n and penalty 2, ln n or 2 ln ln n;
    fpe = ((n + kp + c)/(n − kp − c))^k |Σ_p|. With RᵀR the Gram matrix of (x, y), n Σ_p is the sum of the squares
    of the columns of y in the rows of R below order p, so that one factorisation serves all orders.

    Parameters
    ----------
    values : array (T, k)
        Observations, oldest first.
    max_lags : int
        Longest order P; all orders explain the rows after the first P.
    trend : {"n", "c", "ct"}
        Deterministic terms.
    exog : array (T, q), optional
        Exogenous z_t, in every order.
    names : sequence of str, optional
        Labels of the regressors of the longest order, for error messages.

    Returns
    -------
    OrderSearch

    Raises
    ------
    TooShortError
        If the longest order leaves fewer than k residual degrees of freedom.
    RankDeficientError
        If not even the shortest order is determined.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(300, 2))
    >>> for t in range(1, 300):
    ...     y[t] += 0.8 * y[t - 1]
    >>> search_orders(y, 8).best("bic")
    1

    References
    ----------
    Lütkepohl (2005), eq. 4.3.1–4.3.9.
    """
    T, k = values.shape
    z = fixed_regressors(T, trend, exog)
    q = 0 if exog is None else exog.shape[1]
    need = rows_needed(k, max_lags, trend, q)
    if need > T:
        most = max(0, (T - k - len(trend.replace("n", "")) - q) // (1 + k))
        raise TooShortError(f"max_lags={max_lags} on {k} series needs at least {need} rows, got {T}; "
                            f"use max_lags <= {most} or a longer series")
    checked_memory(f"max_lags={max_lags} on {k} series", 4.0 * (z.shape[1] + (max_lags + 1) * k) ** 2, "use fewer")
    with pinned(T * k * k * max_lags):
        log_det, determined = _log_determinants(values, z, max_lags, trend != "n", names)
    return criteria_of(log_det, k, z.shape[1] + (trend != "n"), determined, T - max_lags)


def criteria_of(log_det: FloatArray, k: int, fixed: int, determined: int, n: int) -> OrderSearch:
    """Return the criteria, given ln|n Σ_p| of the orders 0 … P, of which those up to `determined` count."""
    max_lags, least = len(log_det) - 1, 0 if fixed else 1
    table = log_det[least:] + _penalties(k, fixed, least, max_lags, n)
    table[3] = np.exp(np.minimum(table[3], LARGEST_EXPONENT))
    orders = np.arange(least, max_lags + 1)
    if determined < max_lags:
        table[:, orders > determined] = np.inf
    return OrderSearch(orders, dict(zip(CRITERIA, table, strict=True)), n)


@lru_cache(maxsize=64)
def _penalties(k: int, fixed: int, least: int, most: int, n: int) -> FloatArray:
    """Return what each criterion, and the logarithm of fpe, adds to ln|n Σ_p|; (4, orders)."""
    coefficients = np.arange(least, most + 1) * k + fixed
    penalties = [weight * k / n * coefficients for weight in (2.0, log(n), 2.0 * log(log(n)))]
    return np.stack([*penalties, k * np.log((n + coefficients) / (n - coefficients))]) - k * log(n)


def log_determinants_of(rows: FloatArray, scale: FloatArray) -> FloatArray:
    """Return ln|n Σ_p| of all orders, given the rows of R below the fixed columns in the columns of `now`.

    n Σ_p is the product of the rows of order p and beyond with themselves, in units of `scale`.
    """
    k = len(scale)
    blocks = rows.reshape(-1, k, k)
    products = np.add.accumulate((blocks.swapaxes(1, 2) @ blocks)[::-1])[::-1]
    return np.asarray(np.linalg.slogdet(products)[1] + 2.0 * np.log(scale).sum())


def _log_determinants(values: FloatArray, z: FloatArray, lags: int, centre: bool,
                      names: Sequence[str] | None) -> tuple[FloatArray, int]:
    """Return ln|n Σ_p| of the orders 0 … `lags`, and the longest order that is determined.

    |n Σ_p| = |G(now, x_p)| / |G(x_p)|, G the Gram matrix and x_p the regressors of order p, both products of the
    pivots of one factorisation for all orders: of (now, 1, z, lag 1 … lag P), and of the same without `now`.
    """
    (T, k), loss, fixed = values.shape, 1.0, z.shape[1] + centre
    y, zs = centred(values, centre)[0], centred(z, centre)[0] if z.size else NOTHING[0]
    if (T - lags) * k * (z.shape[1] + (lags + 1) * k) >= LARGE:
        gram, loss = gram_by_shifts(y, zs, lags, lags, centre)
    else:
        design = regression(y, zs, lags, lags, centre)
        gram = design @ design.T
    given_now, failed = lapack.dpotrf(gram.T, lower=1, clean=0)
    pivots = given_now.diagonal() ** 2
    if failed or loss > LARGEST_LOSS or (pivots < SMALLEST_PIVOT * gram.diagonal()).any():
        return _log_determinants_by_qr(values, z, lags, centre, names)
    logs = np.log(pivots)
    logs[k:] -= np.log(lapack.dpotrf(gram[k:, k:].T, lower=1, clean=0)[0].diagonal() ** 2)
    return np.add.accumulate(logs)[k + fixed - 1::k], lags


def _log_determinants_by_qr(values: FloatArray, z: FloatArray, lags: int, centre: bool,
                            names: Sequence[str] | None) -> tuple[FloatArray, int]:
    """Do what `_log_determinants` does without squaring, and find the first column that is not determined."""
    k, g = values.shape[1], z.shape[1]
    design = scaled_design(values, z, lags, lags, centre)
    d = g + lags * k
    labels = list(names)[int(centre):] if names is not None else numbered(g, lags, k)
    refuse_constant(design.scale[:d], design.resolution[:d], labels, centre)
    upper: FloatArray = np.asarray(qr(design.columns, mode="r")[0][:d + k], dtype=np.float64)
    refuse_collinear(upper[:g + k, :g + k], design.resolution[:g + k], len(design.columns), labels)
    short = np.flatnonzero(np.abs(np.diag(upper))[:d] <= undetermined_below(design.resolution[:d], len(design.columns)))
    longest = (int(short[0]) - g) // k if short.size else lags
    return log_determinants_of(np.ascontiguousarray(upper[g:, d:]), design.scale[d:] / design.unit[d:]), longest
