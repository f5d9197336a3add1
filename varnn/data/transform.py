"""Changes and back: differences, log differences and the seven FRED transform codes.

Used by the parsers, by `read_table` and by the command line to bring forecasts back to levels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from varnn.errors import InputError, ParameterError, ShapeError, TooShortError

FloatArray = NDArray[np.float64]
TRANSFORMS = ("none", "diff", "logdiff")


def transformed(levels: pd.DataFrame, how: str) -> pd.DataFrame:
    """Return the levels, their differences or their log differences; the first row drops out.

    none: y_t    diff: y_t − y_{t−1}    logdiff: ln y_t − ln y_{t−1} (×100 is roughly per cent)

    Parameters
    ----------
    levels : DataFrame (T, k)
    how : {"none", "diff", "logdiff"}

    Raises
    ------
    ParameterError   for another word
    InputError       for the logarithm of a number that is not positive, naming column and date
    TooShortError    when no row would be left

    Examples
    --------
    >>> transformed(pd.DataFrame({"a": [1.0, 3.0, 6.0]}), "diff")["a"].tolist()
    [2.0, 3.0]
    """
    _known(how)
    if how == "none":
        return levels
    if len(levels) < 2:
        raise TooShortError(f"transform={how!r} needs at least 2 rows, got {len(levels)}")
    if how == "logdiff":
        _all_positive(levels)
        levels = levels.apply(np.log)
    return levels.diff().iloc[1:].set_axis(levels.index[1:], axis=0)


@overload
def to_levels(changes: pd.DataFrame, last_levels: ArrayLike, how: str) -> pd.DataFrame: ...
@overload
def to_levels(changes: FloatArray, last_levels: ArrayLike, how: str) -> FloatArray: ...
def to_levels(
    changes: pd.DataFrame | FloatArray, last_levels: ArrayLike, how: str
) -> pd.DataFrame | FloatArray:
    """Turn forecast changes back into levels; the inverse of `transformed`.

    diff: y_{T+h} = y_T + Σ_{i≤h} Δy_{T+i}    logdiff: y_{T+h} = y_T · exp(Σ_{i≤h} Δ ln y_{T+i})

    Sums are taken along the horizon, so pass joint sample paths and take quantiles afterwards: the
    quantile of a sum is not the sum of quantiles, and exp of a mean is the median, not the mean.

    Parameters
    ----------
    changes : DataFrame (h, k) or array (h, k) or (m, h, k)
    last_levels : array (k,)      the last observed level of each column
    how : {"none", "diff", "logdiff"}

    Examples
    --------
    >>> to_levels(np.array([[2.0], [3.0]]), [1.0], "diff").ravel().tolist()
    [3.0, 6.0]
    """
    _known(how)
    values = np.asarray(changes, dtype=np.float64)
    last = np.asarray(last_levels, dtype=np.float64).ravel()
    if values.ndim < 2 or values.shape[-1] != last.size:
        raise ShapeError(f"changes have shape {values.shape} and last_levels {last.size} numbers; "
                         "give (h, k) or (m, h, k) changes and k last levels")
    if how == "logdiff" and not np.all(last > 0):
        raise InputError(f"last_levels holds {last.min():g}; levels behind log differences are positive")
    levels = values
    if how == "diff":
        levels = last + np.cumsum(values, axis=-2)
    elif how == "logdiff":
        levels = last * np.exp(np.cumsum(values, axis=-2))
    if isinstance(changes, pd.DataFrame):
        return pd.DataFrame(levels, index=changes.index, columns=changes.columns)
    return levels


def _known(how: str) -> None:
    if how not in TRANSFORMS:
        raise ParameterError(f"transform={how!r} is not known; use one of {', '.join(TRANSFORMS)}")


def _all_positive(levels: pd.DataFrame) -> None:
    bad = np.argwhere(levels.to_numpy(dtype=np.float64) <= 0)
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"column {str(levels.columns[column])!r} is {levels.to_numpy()[row, column]:g} at {levels.index[row]}, "
            f"which has no logarithm ({len(bad)} such values); use transform='diff' or 'none'"
        )


Column = pd.Series
CODES: Mapping[int, tuple[str, Callable[[Column], Column]]] = {
    1: ("x_t", lambda x: x),
    2: ("x_t − x_{t−1}", lambda x: x.diff()),
    3: ("second difference of x_t", lambda x: x.diff().diff()),
    4: ("100 ln x_t", lambda x: 100 * np.log(x)),
    5: ("100 (ln x_t − ln x_{t−1})", lambda x: 100 * np.log(x).diff()),
    6: ("100 × second difference of ln x_t", lambda x: 100 * np.log(x).diff().diff()),
    7: ("100 × difference of x_t/x_{t−1} − 1", lambda x: 100 * (x / x.shift(1) - 1).diff()),
}
CODE_WORDS = {
    "none": 1, "1st-diff": 2, "2nd-diff": 3, "log": 4, "log-diff": 5, "log-2nd-diff": 6, "pct-ch-diff": 7,
}


def by_code(levels: pd.DataFrame, codes: Mapping[str, int]) -> pd.DataFrame:
    """Apply the FRED-MD/FRED-QD transform code of each column.

    1 x   2 Δx   3 Δ²x   4 ln x   5 Δ ln x   6 Δ² ln x   7 Δ(x_t/x_{t−1} − 1); codes 4–7 are here
    multiplied by 100 so that columns are in per cent. Lost first rows become NaN.

    Parameters
    ----------
    levels : DataFrame (T, k)
    codes : dict                    column -> code 1 … 7

    Examples
    --------
    >>> by_code(pd.DataFrame({"a": [1.0, 2.0, 4.0]}), {"a": 2})["a"].tolist()
    [nan, 1.0, 2.0]

    References
    ----------
    McCracken, M. W. and Ng, S. (2016), FRED-MD: a monthly database for macroeconomic research,
    Journal of Business & Economic Statistics 34, 574–589, appendix.
    """
    done: dict[str, pd.Series] = {}
    for name in levels.columns:
        code = codes.get(str(name))
        if code is None or code not in CODES:
            raise InputError(f"column {str(name)!r} has transform code {code!r}; codes run from 1 to 7")
        if code >= 4 and code != 7:
            _all_positive(levels[[name]])
        done[str(name)] = CODES[code][1](levels[name])
    return pd.DataFrame(done, index=levels.index)
