"""Time indices: are they regular, how do they go on, what is their season.

Called by the input gate; knows dates only, never observations.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from varnn.errors import HorizonLimitError, TimeIndexError


def season_of(index: pd.Index[Any]) -> int:
    """Return the usual number of observations in a seasonal period of this index; 1 when unknown.

    hour 24, quarter of an hour 96, day 7, business day 5, week 52, month 12, quarter 4, half-year 2, year 1

    Examples
    --------
    >>> season_of(pd.period_range("2000Q1", periods=8, freq="Q"))
    4
    """
    if not isinstance(index, (pd.PeriodIndex, pd.DatetimeIndex)) or index.freq is None:
        return 1
    step = re.match(r"(\d*)([A-Za-z]+)", str(index.freqstr))  # for example 30min, W-SUN, 2QS-OCT
    base, count = (step[2], int(step[1] or 1)) if step else ("", 1)
    whole = {"YE": 1, "YS": 1, "BYE": 1, "BYS": 1, "QE": 4, "QS": 4, "BQE": 4, "BQS": 4, "ME": 12, "MS": 12,
             "BME": 12, "BMS": 12, "W": 52, "D": 7, "B": 5, "Y": 1, "Q": 4, "M": 12,
             "h": 24, "min": 1440, "s": 86400}.get(base, 1)
    if base == "D" and count == 7:
        return 52
    return whole // count if whole % count == 0 else 1


def regular_index(index: pd.Index[Any], argument: str) -> pd.Index[Any]:
    """Return the index with its frequency made explicit, or raise TimeIndexError naming the place."""
    if isinstance(index, pd.MultiIndex):
        raise TimeIndexError(f"{argument} has a MultiIndex; use one time index and one column for each series")
    if isinstance(index, pd.RangeIndex) and index.step > 0:
        return index
    if index.hasnans:
        raise TimeIndexError(f"{argument} has a missing date at row {int(np.argmax(index.isna()))}; fill it in")
    if index.has_duplicates:
        where = index[index.duplicated()][0]
        raise TimeIndexError(f"{argument} has the date {where} more than once; keep one row for each date, "
                             "and one column for each series, or say which column tells series apart (Panel, --id)")
    ordered = isinstance(index, (pd.PeriodIndex, pd.DatetimeIndex)) or pd.api.types.is_integer_dtype(index.dtype)
    if ordered and not index.is_monotonic_increasing:
        raise TimeIndexError(f"{argument} is not in time order (see {_first_descent(index)}); "
                             "use .sort_index() first")
    if isinstance(index, pd.PeriodIndex):
        return _without_gaps(index, pd.period_range(index[0], index[-1], freq=index.freq), argument)
    if isinstance(index, pd.DatetimeIndex):
        return _regular_dates(index, argument)
    if pd.api.types.is_integer_dtype(index.dtype):
        return _regular_integers(index, argument)
    raise TimeIndexError(f"{argument} has an index of type {index.dtype}; use a PeriodIndex, a DatetimeIndex or "
                         "a RangeIndex (for example .set_index(pd.PeriodIndex(dates, freq='Q')))")


def _first_descent(index: pd.Index[Any]) -> str:
    later = np.asarray(index[1:] < index[:-1])
    row = int(np.argmax(later)) + 1
    return f"{index[row]} after {index[row - 1]}"


# What pandas raises where it has no such date: ValueErrors of its own, and OverflowError.
NO_DATE = (OverflowError, pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta)


def following(index: pd.PeriodIndex | pd.DatetimeIndex, horizon: int) -> pd.Index[Any]:
    """Return the `horizon` dates after the last one, or raise where pandas has no such dates.

    Examples
    --------
    >>> str(following(pd.period_range("2000Q1", periods=8, freq="Q"), 2)[-1])
    '2002Q2'
    """
    last, freq = _last_and_frequency(index)
    try:
        if isinstance(index, pd.PeriodIndex):
            every = int(index.asi8[-1] - index.asi8[-2]) // freq.n if len(index) > 1 else 1  # four years, say
            dates = pd.period_range(last + every, periods=1 + (horizon - 1) * every, freq=freq, name=index.name)
            return dates[::every]
        return pd.date_range(last, periods=horizon + 1, freq=freq, name=index.name)[1:]
    except NO_DATE:
        most = _most_steps(index, horizon)
    until = f"use horizon <= {most}, or " if most else ""
    raise HorizonLimitError(f"horizon={horizon} steps after {last} run beyond the last date that pandas can hold "
                            f"(with unit {getattr(index, 'unit', 'period')!r}); {until}number the rows "
                            "(.reset_index(drop=True), or --date none)") from None


def _most_steps(index: pd.PeriodIndex | pd.DatetimeIndex, beyond: int) -> int:
    """Return how many steps after the last date there still are dates, by bisection below `beyond`."""
    (last, freq), held, refused = _last_and_frequency(index), 0, beyond
    while refused - held > 1:
        middle = (held + refused) // 2
        try:
            _ = last + middle * freq
            held = middle
        except NO_DATE:
            refused = middle
    return held


def _last_and_frequency(index: pd.PeriodIndex | pd.DatetimeIndex) -> tuple[Any, Any]:
    """Return the last date and the step to the next one, which pandas' types do not know to go together."""
    return index[-1], index.freq


def joined(index: pd.Index[Any], more: pd.Index[Any]) -> pd.Index[Any]:
    """Return both indices as one, with the frequency of the first."""
    joined = index.append(more)
    if isinstance(index, pd.DatetimeIndex) and index.freq is not None:
        return pd.DatetimeIndex(joined, freq=index.freq)
    return joined


def _without_gaps(index: pd.PeriodIndex, full: pd.PeriodIndex, argument: str) -> pd.Index[Any]:
    steps = np.diff(index.asi8)
    usual = int(np.median(steps)) if len(steps) else 1
    own = int(getattr(index.freq, "n", 1))
    if usual > own and (steps % usual == 0).all():  # every fourth year, say
        full = full[:: usual // own]
    if len(full) != len(index):
        gap = full.difference(index)[0]
        raise TimeIndexError(f"{argument} has no row for {gap} ({len(full) - len(index)} of {len(full)} dates "
                             "are absent); add the rows or use a coarser frequency")
    return index


def _regular_dates(index: pd.DatetimeIndex, argument: str) -> pd.Index[Any]:
    if index.freq is not None:
        return index
    inferred = pd.DatetimeIndex(index, freq="infer")
    if inferred.freq is not None:
        return inferred
    if len(index) < 3:
        raise TimeIndexError(f"{argument} has {len(index)} dates without a frequency; set one, for example "
                             ".asfreq('MS'), or give more rows")
    absent = _absent_weekdays(index)
    if absent is not None:
        raise TimeIndexError(f"{argument} has weekdays only, and no row for {absent[0]:%A %Y-%m-%d} "
                             f"({len(absent)} of {len(absent) + len(index)} weekdays absent, as on holidays); add "
                             "these as rows with missing values (.asfreq('B'), or empty cells) and fit with "
                             "missing='filter', or number the rows (.reset_index(drop=True), or --date none)")
    gap = _absent_period(index)
    if gap:
        raise TimeIndexError(f"{argument} has irregular dates: {gap}; add the missing rows or resample to a regular "
                             "frequency")
    steps = np.diff(index.asi8)
    usual = int(np.median(steps))
    odd = int(np.argmax(steps != usual))
    raise TimeIndexError(f"{argument} has irregular dates: {index[odd]} is followed by {index[odd + 1]}, where the "
                         f"usual step is {pd.Timedelta(usual, unit=index.unit)}; "
                         "add the missing rows or resample to a regular frequency")


def _absent_weekdays(index: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
    """Return the weekdays without a row, where rows are Mondays to Fridays and most of these; else None."""
    days = index.tz_localize(None)
    weekend_days = len(pd.date_range(days[0], days[-1])) - len(pd.bdate_range(days[0], days[-1]))
    if weekend_days < 3 or (days.day_of_week > 4).any() or len(set(days - days.normalize())) > 1:
        return None  # a single weekend without rows may be a gap like any other
    every = pd.bdate_range(days[0].normalize(), days[-1].normalize())
    absent = every.difference(days.normalize())
    return absent if 0 < len(absent) < 0.2 * len(every) else None


def _absent_period(index: pd.DatetimeIndex) -> str:
    """Return in words the first month, quarter or year without a row, where nearly all others have one."""
    for freq, word in (("M", "month"), ("Q", "quarter"), ("Y", "year")):
        periods = index.tz_localize(None).to_period(freq)
        steps = np.diff(periods.asi8)
        if (steps >= 1).all() and (steps == 1).mean() >= 0.5 and (steps > 1).any():
            row = int(np.argmax(steps > 1))
            return f"the {word} {periods[row] + 1} has no row ({index[row]} is followed by {index[row + 1]})"
    return ""


def _regular_integers(index: pd.Index[Any], argument: str) -> pd.Index[Any]:
    labels = index.to_numpy()
    step = int(labels[1] - labels[0]) if len(labels) > 1 else 1
    full = pd.RangeIndex(int(labels[0]), int(labels[0]) + step * len(labels), step, name=index.name)
    if not np.array_equal(full.to_numpy(), labels):
        row = int(np.argmax(np.diff(labels) != step)) + 1
        raise TimeIndexError(f"{argument} has an irregular integer index: {labels[row]} after {labels[row - 1]}, "
                             f"where the first step is {step}; add the missing rows or use .reset_index(drop=True)")
    return full
