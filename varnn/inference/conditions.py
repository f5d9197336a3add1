"""What a scenario fixes: hard values and soft ranges of future cells, read from dicts or frames and checked.

Called by `scenario`; knows names and dates, no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.errors import NonFiniteError, ParameterError, TimeIndexError
from varnn.series import LARGEST, FloatArray


@dataclass(frozen=True, eq=False)
class Conditions:
    """Fixed values and ranges of the h × k future cells.

    Attributes
    ----------
    fixed : array (h, k)
        Hard values; NaN where a cell is free.
    low, high : array (h, k)
        Soft ranges; −∞ and ∞ where there is none.
    """

    fixed: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def hard_cells(self) -> NDArray[np.int64]:
        """Positions of the fixed cells in the flattened h × k block."""
        return np.flatnonzero(~np.isnan(self.fixed))

    @property
    def soft_cells(self) -> NDArray[np.int64]:
        """Positions of the cells with a range, those with a hard value left out."""
        ranged = np.isfinite(self.low) | np.isfinite(self.high)
        return np.flatnonzero(ranged & np.isnan(self.fixed))

    def first(self, steps: int) -> Conditions:
        """Return the conditions on the first steps."""
        return Conditions(self.fixed[:steps], self.low[:steps], self.high[:steps])


def read_conditions(hard: object, soft: object, names: tuple[str, ...], index: pd.Index[Any]) -> Conditions:
    """Read constraints on the future cells and check them against each other.

    Parameters
    ----------
    hard : DataFrame or dict, optional
        Frame of dates by series with NaN in free cells, or {series: value, list of h or {date: value}}.
    soft : dict or pair of DataFrames, optional
        {series: (low, high) or {date: (low, high)}}, or frames of lower and upper bounds; None, NaN or an
        infinite bound leaves that side open.
    names, index
        Series and future dates of the forecast.

    Raises
    ------
    ParameterError, TimeIndexError, NonFiniteError
        Naming the series, date or value.

    Examples
    --------
    >>> dates = pd.period_range("2020Q1", periods=2, freq="Q")
    >>> read_conditions({"gdp": {"2020Q2": 1.5}}, None, ("gdp",), dates).fixed.ravel().tolist()
    [nan, 1.5]
    """
    shape = (len(index), len(names))
    fixed = np.full(shape, np.nan) if hard is None else _block(hard, "hard", names, index)
    if np.isinf(fixed).any():
        row, column = np.argwhere(np.isinf(fixed))[0]
        raise NonFiniteError(f"hard has {fixed[row, column]} for {names[column]!r} at {index[row]}; give a finite "
                             "value")
    low, high = _ranges(soft, names, index) if soft is not None else (np.full(shape, -np.inf), np.full(shape, np.inf))
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    for row, column in np.argwhere(low > high):
        raise ParameterError(f"soft has low {low[row, column]:g} > high {high[row, column]:g} for {names[column]!r} at "
                             f"{index[row]}; give (low, high)")
    for row, column in np.argwhere((low == high) & np.isnan(fixed)):
        fixed[row, column] = low[row, column]
    for row, column in np.argwhere((fixed < low) | (fixed > high)):
        raise ParameterError(f"hard and soft contradict each other for {names[column]!r} at {index[row]}: the value "
                             f"{fixed[row, column]:g} lies outside {low[row, column]:g} … {high[row, column]:g}")
    return Conditions(fixed, low, high)


def _ranges(soft: object, names: tuple[str, ...], index: pd.Index[Any]) -> tuple[FloatArray, FloatArray]:
    if isinstance(soft, tuple) and len(soft) == 2:
        return _block(soft[0], "soft (low)", names, index), _block(soft[1], "soft (high)", names, index)
    if not isinstance(soft, Mapping):
        raise ParameterError(f"soft is {type(soft).__name__}; give {{series: (low, high)}}, {{series: {{date: (low, "
                             "high)}} or a pair of DataFrames of bounds")
    low, high = {}, {}
    for name, entry in soft.items():
        by_date = entry if isinstance(entry, Mapping) else dict.fromkeys(index, entry)
        pairs = {date: _pair(bounds, name, date) for date, bounds in by_date.items()}
        low[name], high[name] = ({date: pair[side] for date, pair in pairs.items()} for side in (0, 1))
    return _block(low, "soft", names, index), _block(high, "soft", names, index)


def _pair(bounds: object, name: object, date: object) -> tuple[object, object]:
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise ParameterError(f"soft has {bounds!r} for {name!r} at {date}; give (low, high)")
    return bounds[0], bounds[1]


def _block(data: object, argument: str, names: tuple[str, ...], index: pd.Index[Any]) -> FloatArray:
    """Return (h, k) numbers with NaN where nothing was said."""
    if isinstance(data, pd.DataFrame):
        data = {str(name): data[name].to_dict() for name in data.columns}
    if not isinstance(data, Mapping):
        raise ParameterError(f"{argument} is {type(data).__name__}; give a DataFrame of future dates by series with "
                             "NaN in the free cells, or a dict {series: value, list or {date: value}}")
    block = np.full((len(index), len(names)), np.nan)
    for name, entry in data.items():
        if name not in names:
            raise ParameterError(f"{argument} names {name!r}, which is not a series of the model; it has {list(names)}")
        column = names.index(str(name))
        if isinstance(entry, Mapping):
            for date, value in entry.items():
                block[_row(date, argument, index), column] = _number(value, argument, name, date)
        elif isinstance(entry, (list, tuple, np.ndarray, pd.Series)):
            if len(entry) != len(index):
                raise ParameterError(f"{argument} has {len(entry)} values for {name!r}, the horizon is {len(index)}; "
                                     "give one for each step, NaN where it is free")
            for row, value in enumerate(entry):
                block[row, column] = _number(value, argument, name, index[row])
        else:
            block[:, column] = _number(entry, argument, name, index[0])
    return block


def _row(date: object, argument: str, index: pd.Index[Any]) -> int:
    try:
        if isinstance(index, pd.PeriodIndex):
            wanted: object = date if isinstance(date, pd.Period) else pd.Period(str(date), freq=index.freqstr)
        elif isinstance(index, pd.DatetimeIndex):
            wanted = pd.Timestamp(date)  # type: ignore[arg-type]
        else:
            wanted = date
        if wanted in index and not isinstance(wanted, bool):
            return int(index.get_indexer(pd.Index([wanted]))[0])
    except (ValueError, TypeError):
        pass
    raise TimeIndexError(f"{argument} names the date {date}, which is not among the {len(index)} forecast dates "
                         f"{index[0]} … {index[-1]}")


def _number(value: object, argument: str, name: object, date: object) -> float:
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ParameterError(f"{argument} has {value!r} for {name!r} at {date}; give a number, or NaN where it is free")
    if LARGEST < abs(float(value)) < np.inf:
        raise NonFiniteError(f"{argument} has {value} for {name!r} at {date}; give a number below {LARGEST:g}")
    return float(value)
