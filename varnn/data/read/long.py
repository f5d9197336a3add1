"""Long frames, in which many series stand one below the other: one frame for each series, with its dates.

Called by `Panel` and by the doors to libraries that speak long frames. Dates may be text; nothing is sorted or filled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

import pandas as pd

from varnn.data.read.dates import time_index
from varnn.errors import DtypeError, InputError, MissingDataError, TimeIndexError

CONVENTIONS = (("unique_id", "ds", "y"), ("item_id", "timestamp", "target"))
"""Names of the column of series, of dates and of values: Nixtla's, and those of gluonts and fev."""


def known_names(columns: Sequence[object]) -> tuple[str, str] | None:
    """Return the columns of series and dates where they have the names of a convention.

    Examples
    --------
    >>> known_names(["unique_id", "ds", "y"])
    ('unique_id', 'ds')
    """
    for of_series, of_dates, _ in CONVENTIONS:
        if of_series in columns and of_dates in columns:
            return of_series, of_dates
    return None


def unstacked(table: pd.DataFrame, by: str, time: str | None, *, argument: str = "data",
              like: Mapping[str, pd.Index[Any]] | None = None, freq: str | None = None) -> dict[str, pd.DataFrame]:
    """Split a long frame into the frames of its series, in order of appearance, without the two columns.

    Parameters
    ----------
    table : DataFrame
        One row a series and date.
    by, time : str
        Columns that name the series and date the rows; without `time` the rows of a series are numbered.
    argument : str
        How errors call the table.
    like : mapping of name to Index, optional
        Dates of the same series that these follow, whose frequency they have.
    freq : str, optional
        Frequency of the dates, for series too short to show theirs.

    Raises
    ------
    InputError
        A column that is absent, with the nearest name; a row without a name of its series.
    TimeIndexError
        Dates of a series that are out of order, twice, irregular or unreadable, naming the series.

    Examples
    --------
    >>> table = pd.DataFrame({"shop": ["a", "a", "b", "b"], "quarter": ["2024Q1", "2024Q2"] * 2, "sold": [1, 2, 3, 4]})
    >>> unstacked(table, "shop", "quarter")["b"]
             sold
    quarter
    2024Q1      3
    2024Q2      4
    """
    for name in filter(None, (by, time)):
        if name not in table.columns:
            near = get_close_matches(str(name), [str(one) for one in table.columns], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, table.columns))}"
            raise InputError(f"{argument} has no column {name!r}; {hint}")
    if by == time:
        raise InputError(f"{argument}: {by!r} is to name the series and to date the rows; name two columns")
    nameless = table[by].isna()
    if nameless.any():
        raise MissingDataError(f"{argument} has no name of a series in column {by!r} at row {nameless.argmax()}; "
                               "fill it in or drop the row")
    parts = {str(name): part.drop(columns=by) for name, part in table.groupby(by, sort=False, observed=True)}
    if time is None:
        return {name: part.reset_index(drop=True) for name, part in parts.items()}
    return dict(zip(parts, _dated(parts, time, like or {}, freq, argument), strict=True))


def _dated(parts: dict[str, pd.DataFrame], time: str, like: Mapping[str, pd.Index[Any]], freq: str | None,
           argument: str) -> list[pd.DataFrame]:
    """Return the parts on their dates; the longest shows how dates are written and how far apart they are."""
    first: pd.Index[Any] | None = next(iter(like.values()), None)
    known: dict[tuple[object, ...], pd.Index[Any]] = {}
    dated: dict[str, pd.DataFrame] = {}
    for name in sorted(parts, key=lambda one: -len(parts[one])):
        labels = tuple(parts[name][time])
        try:
            if labels not in known:
                known[labels] = _index(parts[name], time, like.get(name, first), freq)
        except InputError as problem:
            raise type(problem)(f"{argument}, series {name!r}: {problem}") from None
        first = known[labels] if first is None else first
        dated[name] = parts[name].drop(columns=time).set_axis(known[labels], axis=0)
    return [dated[name] for name in parts]


def _index(part: pd.DataFrame, time: str, like: pd.Index[Any] | None, freq: str | None) -> pd.Index[Any]:
    """Return the labels of one series as an index: dates, periods or whole numbers."""
    column = part[time]
    if pd.api.types.is_integer_dtype(column.dtype) and int(column.iloc[0]) < 1000:  # rows are numbered
        return cast("pd.Index[Any]", pd.Index(column.to_numpy(), name=time))
    if pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DtypeError(f"column {time!r} has type {column.dtype}, which dates no rows; give dates, text or whole "
                         "numbers")
    if freq is not None and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _with_frequency(column, time, freq)
    if not isinstance(column.dtype, pd.PeriodDtype) and not pd.api.types.is_datetime64_any_dtype(column.dtype):
        part = part.astype({time: str})
    return time_index(part, (time,), like).rename(time)


def _with_frequency(column: pd.Series[Any], time: str, freq: str) -> pd.DatetimeIndex:
    try:
        return pd.DatetimeIndex(column, freq=freq, name=time)
    except ValueError as problem:
        raise TimeIndexError(f"column {time!r} has not the frequency {freq!r} ({problem}); name the frequency of the "
                             "dates, or add the rows that are absent") from None
