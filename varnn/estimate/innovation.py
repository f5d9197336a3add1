"""Columns in which nothing is ever new: they count, repeat themselves, or follow from the past without error.

Asked after a fit and before a comparison; such a column makes a likelihood without maximum and bands without width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from varnn.counters import counts_by_name_and_steps
from varnn.estimate.numerics.covariance import SINGULAR
from varnn.series import FloatArray

SEEN = 1000     # rows looked at, the last ones
FEWEST = 5      # degrees of freedom without which an exact fit tells nothing
MOST_LAGS = 3   # lags of all columns tried


def counts_or_repeats(x: FloatArray) -> bool:
    """Tell whether a column is a polynomial of the row number up to the second degree, or periodic.

    Examples
    --------
    >>> rows = np.arange(30.0)
    >>> [counts_or_repeats(column) for column in (rows, rows % 7, np.sin(rows**2))]
    [True, True, False]
    """
    if len(x) < 2 * FEWEST:
        return False
    rounding = float(np.abs(x).max()) * 1e-12
    if (np.abs(np.diff(x, 3)) <= 8 * rounding).all():
        return True
    near = np.flatnonzero(np.abs(x[1:len(x) // 3 + 1] - x[0]) <= rounding) + 1
    return any((np.abs(x[period:] - x[:-period]) <= 4 * rounding).all() for period in near.tolist())


def counting(values: FloatArray, names: Sequence[str]) -> list[int]:
    """Return the columns that date or count the rows, by name and numbers or by equal steps.

    Examples
    --------
    >>> counting(np.column_stack([np.arange(12.0) ** 2, 1990 + np.arange(12) / 4]), ["gdp", "level"])
    [1]
    """
    steps = np.diff(values, 2, axis=0)
    even = (np.abs(steps) <= 8e-12 * np.abs(values).max(axis=0)).all(axis=0) & (len(values) >= 2 * FEWEST)
    return [column for column, name in enumerate(names)
            if even[column] or counts_by_name_and_steps(name, values[:, column])]


def without_innovation(values: FloatArray, exog: FloatArray | None = None, names: Sequence[str] = ()) -> list[int]:
    """Return the columns that follow from the past of all (and X now) without error, in float64.

    Parameters
    ----------
    values : array (T, k)
        Rows with gaps (NaN) are passed over.
    exog : array (T, q), optional
    names : sequence of str, optional
        Names of the columns: one that is called year and holds a calendar is known by both.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(50)
    >>> without_innovation(np.column_stack([noise, 1990 + np.arange(50) / 4]))
    [1]
    >>> without_innovation(np.column_stack([noise[1:], noise[:-1]]))
    [1]
    """
    y, z = values[-SEEN:], None if exog is None else exog[-SEEN:]
    complete = np.isfinite(y).all(axis=0)
    still = {column for column in np.flatnonzero(complete).tolist() if counts_or_repeats(y[:, column])}
    still |= {column for column, name in enumerate(names) if counts_by_name_and_steps(name, y[:, column])}
    T, k = y.shape
    known = 1 + (0 if z is None else z.shape[1])
    lags = min(MOST_LAGS, (T - known - FEWEST) // (k + 1))
    if lags > 0:
        now, blocks = y[lags:], [y[lags - lag:T - lag] for lag in range(1, lags + 1)]
        design = np.hstack([*blocks, *([] if z is None else [z[lags:]])])
        seen = np.isfinite(design).all(axis=1) & np.isfinite(now).all(axis=1)
        if seen.sum() > design.shape[1] + FEWEST:
            still |= set(_exact(now[seen], design[seen]))
    return sorted(still)


def _exact(now: FloatArray, design: FloatArray) -> list[int]:
    """Return the columns of `now` that a regression on a constant and `design` leaves no more of than rounding."""
    centred, about = design - design.mean(axis=0), now - now.mean(axis=0)
    length, size = np.sqrt((centred**2).sum(axis=0)), np.sqrt((about**2).sum(axis=0))
    scaled, target = centred[:, length > 0] / length[length > 0], about / np.where(size > 0, size, 1.0)
    left = target - scaled @ np.linalg.lstsq(scaled, target, rcond=1e-11)[0]
    return np.flatnonzero(((left**2).sum(axis=0) <= SINGULAR) & (size > 0)).tolist()


def no_news(names: Sequence[str], remedy: str) -> str:
    """Return what is said of columns without innovation.

    Examples
    --------
    >>> no_news(["year"], "leave it out of y").partition(":")[0]
    "'year' follows from the past without error"
    """
    quoted = ", ".join(map(repr, names))
    if len(names) == 1:
        return (f"{quoted} follows from the past without error: nothing in it is ever new, so its bands have no width "
                f"and no score of it says anything; {remedy}")
    return (f"{quoted} follow from the past without error: nothing in them is ever new, so their bands have no width "
            f"and no score of them says anything; {remedy}")
