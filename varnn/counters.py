"""Columns that count or date the rows instead of measuring anything: told by their names and their steps.

Called by the input gate, for frames, and by the reader of files. Knows names and numbers, never dates.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Names that say "a date" or "a number of the row", in lower case without blanks, dots and dashes.
DATE_NAMES = frozenset({
    "date", "dates", "datetime", "timestamp", "timestamps", "time", "times", "ds", "period",
    "timeperiod", "refperiod", "refdate", "sasdate", "obsdate", "observationdate", "obstime",
    "yyyymm", "yyyymmdd", "yyyyq", "yearmonth", "yearmon", "yearquarter", "yearqtr",
    "yearweek", "monthyear", "year", "years", "yr", "yyyy", "quarter", "qtr", "month",
    "months", "mon", "week", "weeks", "unix", "unixtime", "unixtimestamp", "epoch",
    "epochtime", "decimaldate", "decimalyear", "decyear", "dateutc", "timeutc", "datetimeutc",
    "utctime", "localtime", "datelocal", "tradedate", "tradingday", "weekday", "dayofweek",
    "dow", "dayofyear", "doy", "dayofmonth", "weekofyear", "hourofday", "fecha", "datum",
    "jahr", "monat", "julday", "julianday", "jday",
})
COUNTER_NAMES = frozenset({
    "id", "rownames", "rowname", "rowid", "rownumber", "rownum", "rowno", "obsno", "sno",
    "slno", "serialno", "recordid", "level0",
})
# Names that also belong to measurements (a share index, x of an experiment): their steps have to agree.
LOOSE_NAMES = frozenset({
    "index", "idx", "x", "t", "n", "i", "no", "nr", "num", "number", "row", "rows", "obs",
    "observation", "observations", "case", "seq", "sequence", "serial", "step", "steps",
    "trend", "counter", "record", "day", "days", "hour", "hours", "minute", "second", "v1",
    "1", "#", "ts", "dt",
})
DATE_WORDS = frozenset(["date", "datetime", "timestamp", "time", "year", "month", "quarter", "week", "day", "period"])
CYCLES = (4, 7, 12, 24, 52)  # quarters, weekdays, months, hours, weeks
# Days from one row to the next, days of so many rows, and the rows, where rows are months, quarters, years, weekdays.
PERIODS = (
    ((28, 29, 30, 31), (365, 366), 12),
    ((90, 91, 92), (365, 366), 4),
    ((365, 366), (365, 366), 1),
    ((1, 3), (7,), 5),
)
STAMPS = frozenset({"ts", "dt", "t"})  # short names of moments, which need not be evenly spaced
COUNTED = 6  # equal steps in fewer rows than this may be chance
SHOWN = 3


def plain(name: object) -> str:
    """Return a column's name in lower case, without blanks, dots, dashes and brackets.

    Examples
    --------
    >>> plain("Time Period"), plain("Unnamed: 0")
    ('timeperiod', '')
    """
    text = str(name).strip().casefold()
    if text.startswith("unnamed:") or text in ("", "nan", "none"):
        return ""
    return re.sub(r"[\s._\-()\[\]/:]+", "", text)


def named_like_a_date(name: object) -> bool:
    """Tell whether the whole name, or a word of it, says that the column holds dates.

    Examples
    --------
    >>> named_like_a_date("TIME_PERIOD"), named_like_a_date("obs_date"), named_like_a_date("sales")
    (True, True, False)
    """
    words = re.split(r"[\s._\-()\[\]/:]+", str(name).strip().casefold())
    return plain(name) in DATE_NAMES or not DATE_WORDS.isdisjoint(words)


def named_like_a_counter(name: object) -> bool:
    """Tell whether the name is one that exports give to the number of a row, or no name at all.

    Examples
    --------
    >>> named_like_a_counter("X"), named_like_a_counter(""), named_like_a_counter("gdp")
    (True, True, False)
    """
    return plain(name) == "" or plain(name) in COUNTER_NAMES | LOOSE_NAMES


def equal_steps(values: Numbers) -> bool:
    """Tell whether v_{t+1} − v_t is the same number in every row, and not 0.

    Examples
    --------
    >>> equal_steps(np.array([1960.0, 1960.25, 1960.5])), equal_steps(np.array([2.0, 2.0, 2.0]))
    (True, False)
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    rounding = 8 * np.finfo(np.float64).eps * float(np.abs(values).max())
    return bool(steps[0] != 0 and np.abs(steps - steps[0]).max() <= rounding + 1e-9 * abs(steps[0]))


def rises_by_the_calendar(values: Numbers) -> bool:
    """Tell whether whole numbers rise as the days, seconds or milliseconds of months, quarters, years or weekdays do.

    Twelve months, four quarters and one year are 365 or 366 days, and five weekdays are 7.

    Examples
    --------
    >>> rises_by_the_calendar(np.cumsum([43831.0, 31, 29, 31, 30, 31, 30]))
    True
    >>> rises_by_the_calendar(np.cumsum([43831.0, 31, 33, 31, 30, 31, 30]))
    False
    """
    if not _whole(values) or len(values) < COUNTED:
        return False
    for unit in (1.0, 86400.0, 86400e3):
        days = np.diff(values) / unit
        for steps, round_trip, length in PERIODS:
            if np.isin(days, steps).all() and np.isin((values[length:] - values[:-length]) / unit, round_trip).all():
                return True
    return False


def turns_in_a_cycle(values: Numbers, *, any_length: bool = False) -> bool:
    """Tell whether whole numbers rise by 1 and fall back, as quarters, weekdays, months, hours and weeks do.

    With `any_length` as any cycle does; without, only those of 4, 7, 12, 24 or 52.

    Examples
    --------
    >>> turns_in_a_cycle(np.array([3.0, 4, 1, 2, 3, 4, 1, 2]))
    True
    """
    if not _whole(values) or len(values) < COUNTED:
        return False
    low, high = values.min(), values.max()
    steps = np.diff(values)
    falls = steps != 1
    return bool(low in (0, 1) and high > low and (any_length or high - low + 1 in CYCLES) and falls.any()
                and (steps[falls] == low - high).all())


def why_it_only_counts(name: object, values: Numbers) -> str:
    """Return in words why a column counts or dates its rows; "" where it measures something.

    Parameters
    ----------
    name : object
        Its name.
    values : array (T,)
        Its numbers; nan where a cell is empty.

    Examples
    --------
    >>> why_it_only_counts("id", np.arange(1.0, 9.0))
    'counts the rows (1, 2, 3 …)'
    >>> why_it_only_counts("price", np.array([3.0, 1.0, 2.0]))
    ''
    """
    seen = ", ".join(f"{value:.12g}" for value in values[:SHOWN]) + (" …" if len(values) > SHOWN else "")
    own = plain(name)
    if equal_steps(values):
        if named_like_a_counter(name) or named_like_a_date(name):
            return f"counts the rows ({seen})"
        if len(values) >= COUNTED:
            return f"rises or falls by {values[1] - values[0]:.6g} in every row ({seen})"
    if rises_by_the_calendar(values):
        return f"dates the rows ({seen})"
    if turns_in_a_cycle(values, any_length=named_like_a_date(name)):
        return f"repeats a calendar ({seen})"
    if own in DATE_NAMES:
        return f"is named like a date ({seen})"
    if own in COUNTER_NAMES | {""} and _whole(values):
        return f"is named like a counter ({seen})"
    if own in STAMPS and _moments(values):
        return f"dates the rows ({seen})"
    if own in LOOSE_NAMES and _rising_whole(values):
        return f"counts the rows ({seen})"
    if own in {"day", "days", "hour", "hours", "minute", "second"} and _part_of_a_date(values):
        return f"repeats a calendar ({seen})"
    return ""


def counts_by_name_and_steps(name: object, values: Numbers) -> bool:
    """Tell whether name and numbers of a frame's column both say that it dates or counts rows.

    Narrower than `why_it_only_counts`, because a frame's columns were chosen by somebody: besides the name, the
    numbers must rise evenly, turn like a calendar, or be years that never fall.

    Examples
    --------
    >>> counts_by_name_and_steps("year", np.repeat([2000.0, 2001.0], 4))
    True
    >>> counts_by_name_and_steps("t", np.array([3.0, 1.0, 2.0]))
    False
    """
    own = plain(name)
    if own not in DATE_NAMES | COUNTER_NAMES | LOOSE_NAMES | {""} or len(values) < SHOWN:
        return False
    if equal_steps(values) or turns_in_a_cycle(values) or rises_by_the_calendar(values):
        return True
    if own in STAMPS and _moments(values):
        return True
    steps = np.diff(values) if np.isfinite(values).all() else np.array([-1.0])
    in_time = own in DATE_NAMES and (steps >= 0).all() and (steps > 0).any()
    return bool(in_time and (_between(values, 1500, 2200) or (values > 1e5).all()))


def _whole(values: Numbers) -> bool:
    return bool(len(values) and np.isfinite(values).all() and (values == np.round(values)).all())


def _moments(values: Numbers) -> bool:
    """Seconds or smaller parts since 1970, at least since 1985, that never fall."""
    return _whole(values) and values.min() >= 5e8 and bool((np.diff(values) >= 0).all() and values[-1] > values[0])


def _rising_whole(values: Numbers) -> bool:
    return _whole(values) and len(values) >= COUNTED and bool((np.diff(values) == 1).mean() > 0.8)


def _part_of_a_date(values: Numbers) -> bool:
    """Days of a month, hours and minutes: whole numbers that rise by 1 or stay, and fall back to the least."""
    if not _whole(values) or not _between(values, 0, 366) or len(values) < COUNTED:
        return False
    steps = np.diff(values)
    return bool((np.isin(steps, (0, 1)) | (values[1:] <= values.min() + 3)).all() and (steps != 0).any())


def _between(values: Numbers, low: float, high: float) -> bool:
    return bool(np.isfinite(values).all() and (values >= low).all() and (values <= high).all())
