"""What stands on the right-hand side of a VAR: rows x_t = (const, trend, exogenous, lags), in that order.

Used by the VAR to forecast; estimation never builds these rows unless it has to (see closed_form).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from varnn.estimate.least_squares.regression import Trend, fixed_regressors, regressor_names
from varnn.estimate.numerics.companion import companion
from varnn.series import FloatArray

TERMS = {"n": 0, "c": 1, "ct": 2}  # columns of each trend


def known_regressors(rows: int, trend: Trend, exog: FloatArray | None, first: int = 1) -> FloatArray:
    """Return what is known in advance, (rows, c): const, trend first, first + 1, …, exogenous.

    Examples
    --------
    >>> known_regressors(2, "ct", None, first=5).tolist()
    [[1.0, 5.0], [1.0, 6.0]]
    """
    rest = fixed_regressors(rows, trend, exog, first)
    return rest if trend == "n" else np.hstack([np.ones((rows, 1)), rest])


def all_regressors(values: FloatArray, lags: int, trend: Trend, exog: FloatArray | None) -> FloatArray:
    """Return x_t for every row of `values`, (T, d); the lags of the first `lags` rows reach before it and hold NaN.

    Examples
    --------
    >>> all_regressors(np.array([[3.0], [4.0]]), 1, "c", None).tolist()
    [[1.0, nan], [1.0, 3.0]]
    """
    (T, k), known = values.shape, known_regressors(len(values), trend, exog)
    design = np.full((T, known.shape[1] + lags * k), np.nan)
    design[:, :known.shape[1]] = known
    for lag in range(1, lags + 1):
        first = known.shape[1] + (lag - 1) * k
        design[lag:, first:first + k] = values[:-lag]
    return design


def transition(coef: FloatArray, coefs: FloatArray, trend: Trend) -> FloatArray:
    """Return B with E[x_{t+1} | x_t] = B x_t for x = (const, trend, lags), shape (d, d).

    Parameters
    ----------
    coef : array (d, k)
        All coefficients, without exogenous rows.
    coefs : array (p, k, k)
        Lag matrices.
    trend : {"n", "c", "ct"}

    References
    ----------
    Lütkepohl (2005), p. 96.
    """
    (d, k), c = coef.shape, TERMS[trend]
    matrix = np.zeros((d, d))
    matrix[:c, :c] = np.tril(np.ones((c, c)))
    matrix[c:, c:] = companion(coefs)
    if len(coefs):
        matrix[c:c + k, :c] = coef[:c].T
    return matrix


@lru_cache(maxsize=64)
def labels(names: tuple[str, ...], lags: int, trend: Trend,
           exog_names: tuple[str, ...]) -> tuple[tuple[str, ...], pd.Index[Any], pd.Index[Any]]:
    """Return the labels of x_t, and indexes for the rows and columns of a table of coefficients.

    Kept, because making two pandas indexes takes longer than a small fit.
    """
    rows = regressor_names(names, lags, trend, exog_names)
    return rows, pd.Index(list(rows)), pd.Index(list(names))


def coefficient_table(block: FloatArray, names: tuple[str, ...], lags: int, trend: Trend,
                      exog_names: tuple[str, ...]) -> pd.DataFrame:
    """Return numbers of the shape of the coefficients, (d, k), with their labels.

    Examples
    --------
    >>> coefficient_table(np.array([[2.0], [0.5]]), ("a",), 1, "c", ()).loc["L1.a", "a"].item()
    0.5
    """
    _, index, columns = labels(names, lags, trend, exog_names)
    return pd.DataFrame(block, index=index.view(), columns=columns.view())  # renamed, they leave those kept as they are
