"""Dates in a table: which columns hold them, and the regular index that they make.

Called by `read_table` only. How a date can be written is in varnn.data.read.spellings; here a column is given the one
reading that is regular, and refused where there are two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from varnn.counters import COUNTED, DATE_NAMES, named_like_a_counter, named_like_a_date, plain
from varnn.data.read.spellings import MONTHS, SPELLINGS, Dates, cell_text, decimal_years, from_ordinals, readings
from varnn.dates import regular_index
from varnn.errors import InputError, TimeIndexError

PROBED = 60  # rows looked at to tell what a column holds
YEARS = ("year", "years", "yr", "yyyy", "jahr", "année", "annee", "año", "ano", "anno")
PARTS = {  # names of the column beside a year -> how many there are in a year, and their letter
    "quarter": 4, "quarters": 4, "qtr": 4, "q": 4, "qrt": 4, "month": 12, "months": 12, "mon": 12, "mm": 12, "m": 12,
    "mo": 12, "mnth": 12, "mth": 12,
    "monthname": 12, "week": 53, "weeks": 53, "isoweek": 53, "weekofyear": 53, "wk": 53, "period": 12, "per": 12,
    "quartal": 4, "trimestre": 4, "trim": 4, "monat": 12, "mois": 12, "mes": 12, "mês": 12, "mese": 12, "woche": 53,
    "semaine": 53, "semana": 53,
}
HOURS = ("time", "hour", "hours", "hr", "timeofday", "clock", "hourending", "start", "starttime", "anfang", "uhrzeit",
         "zeit", "heure", "hora", "ora")
MONTH_NAMES = ("month", "mon", "mo", "mm", "mnth", "mth", "months", "monat")
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
CLOCK = re.compile(r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?")
DAY_NUMBER = re.compile(r"[1-8]\d{4}(\.\d+)?")  # spreadsheets and R count days, each from a day of its own
AS_DATES = "write dates as 1999-12-31, 1999Q4, 1999-12 or 1999"


def date_columns(table: pd.DataFrame, like: pd.Index[Any] | None = None) -> tuple[str, ...]:
    """Return the column that holds the dates, or a year with its parts, or a date with its hours, or nothing.

    Text that reads as dates comes first, then numbers under a name that says so, then numbers under any name that
    can only be dates: consecutive years, months or seconds, in at least six rows. With `like`, the dates of the main
    file, numbers under such a name in a short file are dates where they can have its frequency.
    """
    by_name = {plain(name): str(name) for name in reversed(list(table.columns))}
    written = [str(name) for name in table.columns if _mostly(table[name], "text")]
    whole = next((name for name in written if named_like_a_date(name) and table[name].nunique() == len(table)), None)
    if whole is not None and plain(whole) not in PARTS:
        return (whole,)
    year = next((by_name[word] for word in YEARS if word in by_name), None)
    if year is not None and _mostly(table[year], "years"):
        month, day, hour = (next((by_name[word] for word in words if word in by_name), None)
                            for words in (MONTH_NAMES, ("day", "dd", "dayofmonth"), ("hour", "hr", "hh")))
        if month is not None and day is not None:
            return (year, month, day) if hour is None else (year, month, day, hour)
        for word in PARTS:
            if word in by_name and by_name[word] != year and _are_parts(table[by_name[word]], PARTS[word]):
                return year, by_name[word]
    if written:
        beside = _hours_beside(table, by_name, written[0])
        return (written[0],) if beside is None else (written[0], beside)
    names = [str(name) for name in table.columns]
    for name in [*(one for one in names if plain(one) in DATE_NAMES), *names]:
        strict = plain(name) in DATE_NAMES
        known = strict or named_like_a_date(name) or named_like_a_counter(name)
        if strict and _mostly(table[name], "number", "year"):
            return (name,)
        if known and like is not None and not isinstance(like, pd.RangeIndex) and _has_dates_like(table, name, like):
            return (name,)
        if (known or len(table) >= COUNTED) and len(table) > 1 and can_only_be_dates(table[name]):
            return (name,)
    return ()


def time_index(table: pd.DataFrame, columns: Sequence[str], like: pd.Index[Any] | None = None) -> pd.Index[Any]:
    """Return the regular index that the date columns make.

    Parameters
    ----------
    table : DataFrame
    columns : list of str
        As `date_columns` returns them.
    like : Index, optional
        An index whose frequency the dates have, for a table too short to show its own.

    Raises
    ------
    InputError
        A cell that is not a date, naming column and row.
    TimeIndexError
        Duplicated, unsorted or irregular dates, naming the first; or dates that can be read in two ways.
    """
    where = f"date column {columns[0]!r}"
    column = table[columns[0]]
    if isinstance(column.dtype, pd.PeriodDtype):
        return _settled(pd.PeriodIndex(column, name="date"), where, like)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if column.isna().any():
            _no_blanks(["" if gone else "." for gone in column.isna()], columns[0])
        return _settled(pd.DatetimeIndex(column, name="date"), where, like)
    if len(columns) > 2:
        return _settled(_from_numbers(table[list(columns)]), "the table", like)
    if len(columns) == 2:
        if plain(columns[0]) in YEARS:
            return _settled(_from_parts(column, table[columns[1]]), "the table", like)
        # Hours of 1 to 24 number the hours of a day; the first begins at 0:00.
        late = any(re.fullmatch(r"24(\.0+)?", str(cell).strip()) for cell in table[columns[1]])
        cells = [_with_clock(*pair, late) for pair in zip(column, table[columns[1]], strict=True)]
    else:
        cells = [cell_text(cell) for cell in column]
    _no_blanks(cells, columns[0])
    return _read(cells, columns[0], like)


def _read(cells: list[str], column: str, like: pd.Index[Any] | None) -> pd.Index[Any]:
    """Return the one regular index that the cells can be read as."""
    where = f"date column {column!r}"
    found = [(spelling.words, dates) for spelling, dates in readings(cells)]
    if like is not None and len(cells) < COUNTED and any("." in cell for cell in cells):
        rate = {"Q": 4, "M": 12}.get(str(getattr(like, "freqstr", ""))[:1])
        plain_years = all(re.fullmatch(r"\d{4}(\.\d+)?", cell) for cell in cells)
        decimal = decimal_years(cells, rate) if rate and plain_years else None
        found = found if decimal is None else [("decimal years", decimal)]
    weeks = "week" in column.casefold()
    if {"year and month", "year and week"} <= {words for words, _ in found}:
        found = [(words, dates) for words, dates in found if words != ("year and month" if weeks else "year and week")]
    if not weeks and [words for words, _ in found] == ["year and week"] and all(map(_short_day, cells)):
        raise TimeIndexError(f"{where} begins with {cells[0]!r}, {cells[min(1, len(cells) - 1)]!r}, which can be read "
                             f"as year and week or as a day of a two-digit year; {AS_DATES}")
    if len(found) > 1:  # ten digits that read as a year, month, day and hour are no seconds after 2030
        found = [(words, dates) for words, dates in found if words != "seconds since 1970"]
    if not found:
        raise InputError(_no_date(cells, column))
    regular = {words: index for words, dates in found if (index := _regular(dates, like)) is not None}
    different = {words: index for number, (words, index) in enumerate(regular.items())
                 if not any(index.equals(sooner) for sooner in list(regular.values())[:number])}
    if like is not None and len(different) > 1:
        following = {words: index for words, index in different.items() if _next(like) in index}
        different = following or different
    if len(different) == 1:
        return next(iter(different.values()))
    others = different or _distinct(found)
    if len(others) > 1:
        raise TimeIndexError(f"{where} begins with {cells[0]!r}, {cells[min(1, len(cells) - 1)]!r}, which can be read "
                             f"{_as_words(list(others))}; {AS_DATES}")
    return regular_index(found[0][1], where)


def _short_day(cell: str) -> bool:
    """Tell whether six digits are a day written YYMMDD."""
    return bool(re.fullmatch(r"\d{6}", cell)) and not pd.isna(pd.to_datetime(cell, format="%y%m%d", errors="coerce"))


def _distinct(found: Sequence[tuple[str, Dates]]) -> dict[str, Dates]:
    """Return the readings that differ, of those that are at least in time order where some are."""
    ordered = [(words, dates) for words, dates in found if dates.is_monotonic_increasing] or list(found)
    # Local times and moments are told apart by regularity alone: irregular ones are irregular either way.
    kept: dict[str, Dates] = {}
    for words, dates in ordered:
        if words != "moments" and not any(dates.equals(other) for other in kept.values()):
            kept[words] = dates
    return kept


def _as_words(names: list[str]) -> str:
    return " or ".join(name if name.endswith("first") else f"as {name}" for name in names)


def _no_date(cells: Sequence[str], column: str) -> str:
    """Return the message about cells that no spelling fits, naming the first that most others' spelling does not."""
    if all(DAY_NUMBER.fullmatch(cell) for cell in cells):
        return (f"date column {column!r} holds {cells[0]!r} in data row 1, which may be a day counted from 1899-12-30 "
                f"(spreadsheets), 1970-01-01 (R) or 1960-01-01; {AS_DATES}")
    most, row = 0, 0
    for spelling in SPELLINGS:
        fits = [spelling.pattern.fullmatch(cell) is not None for cell in cells]
        if sum(fits) > most:
            most = sum(fits)
            row = fits.index(False) if False in fits else _first_wrong(spelling, cells)
    return f"date column {column!r} holds {cells[row]!r} in data row {row + 1}, which is not a date; {AS_DATES}"


def _first_wrong(spelling: Any, cells: Sequence[str]) -> int:
    return next((row for row, cell in enumerate(cells) if spelling.read([spelling.pattern.fullmatch(cell)]) is None), 0)


def _regular(dates: Dates, like: pd.Index[Any] | None) -> pd.Index[Any] | None:
    """Return the dates with the frequency they show or are given; None where they are not regular."""
    given = None if like is None else _as_those(dates, like)
    if given is not None:
        return given
    if not dates.is_monotonic_increasing or not dates.is_unique:
        return None
    if isinstance(dates, pd.PeriodIndex):
        return _even_periods(dates)
    return by_calendar(dates)


def _as_those(dates: Dates, like: pd.Index[Any]) -> pd.Index[Any] | None:
    """Return the dates with the frequency of another index, None where they do not have it."""
    stamps = dates.to_timestamp() if isinstance(dates, pd.PeriodIndex) else dates
    try:
        if isinstance(like, pd.PeriodIndex):
            index: pd.Index[Any] = pd.PeriodIndex(stamps.tz_localize(None), freq=like.freq, name=like.name)
            span = pd.period_range(index[0], periods=len(index), freq=like.freq)
            return index if index.equals(span) else None
        if isinstance(like, pd.DatetimeIndex) and like.freq is not None:
            if isinstance(dates, pd.PeriodIndex) and not str(like.freqstr).startswith(("MS", "QS", "YS", "2QS")):
                stamps = pd.DatetimeIndex([like.freq.rollforward(stamp) for stamp in stamps])
            if stamps.tz is None and like.tz is not None:
                stamps = stamps.tz_localize(like.tz)
            elif stamps.tz is not None:
                stamps = stamps.tz_convert(like.tz)
            return pd.DatetimeIndex(stamps, freq=like.freq, name=like.name)
    except (ValueError, TypeError):
        return None
    return None


def _next(like: pd.Index[Any]) -> Any:
    return like[-1] + like.freq if isinstance(like, (pd.PeriodIndex, pd.DatetimeIndex)) and like.freq else None


def _even_periods(periods: pd.PeriodIndex) -> pd.Index[Any] | None:
    """Return periods that are the same number of years, quarters or months apart, with that as their frequency."""
    if len(periods) < 2:
        return periods
    steps = np.diff(periods.asi8)
    step = int(steps[0])
    if step < 1 or (steps != step).any() or (step > 1 and len(periods) < 3):
        return None
    base = periods.freqstr[0]
    if step == 1:
        return periods
    if base != "Y" and step not in (2, 3, 4, 6) and step % (12 if base == "M" else 4):
        return None
    if base == "M" and step in (3, 12):
        return periods.asfreq("Q" if step == 3 else "Y")
    if base == "Q" and step == 4:
        return periods.asfreq("Y")
    if base == "Q" and step == 2:  # half-years
        return pd.DatetimeIndex(periods.to_timestamp(), freq="2QS-JAN" if periods[0].quarter in (1, 3) else "2QS-APR",
                                name="date")
    return from_ordinals(periods.asi8, f"{step}{base}")


def by_calendar(days: pd.DatetimeIndex) -> pd.Index[Any] | None:
    """Return the days with their frequency, or as one period each where only the day of the month varies."""
    inferred = pd.DatetimeIndex(days, freq="infer")
    many_days = re.fullmatch(r"(\d+)D", str(inferred.freqstr))  # 1461D are four years, as long as no century comes
    if inferred.freq is not None and (many_days is None or int(many_days[1]) < 365):
        return inferred
    if len(days) < 3:
        return None
    for coarse in ("M", "Q", "Y"):
        periods = days.tz_localize(None).to_period(coarse)
        if np.all(np.diff(periods.asi8) == 1):
            return periods
    return _even_periods(days.tz_localize(None).to_period("Y"))


def _settled(dates: Dates, where: str, like: pd.Index[Any] | None) -> pd.Index[Any]:
    index = _regular(dates, like)
    return regular_index(dates, where) if index is None else index


def _mostly(column: pd.Series[Any], *kinds: str) -> bool:
    """Tell whether at least two thirds of the first cells fit one spelling; the others are named as errors later."""
    cells = [cell_text(cell) for cell in column.iloc[:PROBED]]
    kinds_of: dict[str, Callable[[Any], bool]] = {
        "text": lambda one: not one.number, "years": lambda one: one.words == "years",
        "number": lambda one: one.number and one.words not in ("years", "decimal years", "year.quarter", "year.month"),
        "year": lambda one: one.words == "years"}
    chosen = [one for one in SPELLINGS if any(kinds_of[kind](one) for kind in kinds)]
    fitting = [sum(one.pattern.fullmatch(cell) is not None for cell in cells) for one in chosen]
    return any(3 * count >= 2 * len(cells) for count in fitting) or ("number" in kinds and can_only_be_dates(column))


def can_only_be_dates(column: pd.Series[Any]) -> bool:
    """Tell whether numbers read as consecutive dates."""
    first = cell_text(column.iloc[0])
    if not any(spelling.pattern.fullmatch(first) for spelling in SPELLINGS):
        return False
    cells = [cell_text(cell) for cell in column]
    if not all(cells):
        return False
    return any(_regular(dates, None) is not None for _, dates in readings(cells))


def _has_dates_like(table: pd.DataFrame, name: str, like: pd.Index[Any]) -> bool:
    """Tell whether a column of numbers reads as dates of the frequency of `like`."""
    try:
        index = time_index(table, (name,), like)
    except InputError:
        return False
    return bool(getattr(index, "freq", None) == getattr(like, "freq", None))


def _are_parts(column: pd.Series[Any], most: int) -> bool:
    parts = [_part(cell) for cell in column.iloc[:PROBED]]
    return sum(part is not None for part in parts) * 3 >= 2 * len(parts)


def _part(cell: object) -> int | None:
    """Return the number of a quarter, month or week written as 3, 3.0, Q3, III, M03, Mar or W12; None for others."""
    text = re.sub(r"\.0*$", "", str(cell).strip()).casefold()
    if text in MONTHS:
        return MONTHS[text]
    if text in ROMAN:
        return ROMAN[text]
    found = re.fullmatch(r"(?:q|qtr|m|w|t)?\s*0?(\d{1,2})", text)
    return None if found is None else int(found[1])


def _hours_beside(table: pd.DataFrame, by_name: dict[str, str], date: str) -> str | None:
    """Return the column of times of the day or hours beside a column of days, where there is one."""
    if table[date].nunique() == len(table) or any(":" in str(cell) for cell in table[date].iloc[:PROBED]):
        return None
    for word in HOURS:
        name = by_name.get(word)
        if name is None or name == date:
            continue
        cells = [re.sub(r"\.0+$", "", str(cell).strip()) for cell in table[name].iloc[:PROBED]]
        if all(CLOCK.fullmatch(cell) or (cell.isdigit() and int(cell) <= 24) for cell in cells):
            return name
    return None


def _with_clock(day: object, clock: object, late: bool) -> str:
    """Return a day and a time of day, or the number of an hour, as one cell; `late` where hours run from 1 to 24."""
    time = re.sub(r"\.0+$", "", str(clock).strip())
    if not time or not str(day).strip():
        return ""
    if time.isdigit():
        time = f"{int(time) - late:02d}:00"
    elif "." in time[:3] or "h" in time[:3]:
        time = re.sub(r"[.h]", ":", time)
    return f"{cell_text(day)} {time}"


def _no_blanks(cells: Sequence[str], column: str) -> None:
    for row, cell in enumerate(cells):
        if not cell:
            raise TimeIndexError(f"date column {column!r} is empty in data row {row + 1}; fill it in or drop the row")


def _from_numbers(parts: pd.DataFrame) -> pd.DatetimeIndex:
    """Read year, month, day (and hour) columns."""
    named = parts.set_axis(["year", "month", "day", "hour"][: parts.shape[1]], axis=1)
    numbers = named.assign(month=named["month"].map(_part)).apply(pd.to_numeric, errors="coerce")
    days = pd.to_datetime(numbers, errors="coerce")
    wrong = np.flatnonzero(days.isna().to_numpy())
    if len(wrong):
        cells = ", ".join(map(str, named.iloc[wrong[0]]))
        raise InputError(f"columns {', '.join(map(str, parts.columns))} hold {cells} in data row {wrong[0] + 1}, "
                         "which is not a date")
    return pd.DatetimeIndex(days, name="date")


def _from_parts(years: pd.Series[Any], parts: pd.Series[Any]) -> Dates:
    """Read a year column beside one of quarters, months or weeks."""
    most = PARTS[plain(parts.name)]
    if plain(parts.name) in ("period", "per"):
        most = 4 if str(parts.iloc[0]).strip()[:1].casefold() in "qt" else 12
    numbers = []
    for row, (year, cell) in enumerate(zip(years, parts, strict=True)):
        part = _part(cell)
        if part is None or not 1 <= part <= most:
            raise InputError(f"column {str(parts.name)!r} holds {cell!r} in data row {row + 1}; "
                             f"expected a number from 1 to {most}")
        text = cell_text(year)
        if not re.fullmatch(r"\d{4}", text):
            raise InputError(f"column {str(years.name)!r} holds {year!r} in data row {row + 1}; expected a year")
        numbers.append((int(text), part))
    if most == 53:
        weeks = [f"{year}-W{week:02d}" for year, week in numbers]
        found = [dates for spelling, dates in readings(weeks) if spelling.words == "weeks"]
        if not found:
            raise InputError(f"columns {years.name!r} and {parts.name!r} hold a week that its year does not have; "
                             "number weeks as ISO 8601 does, or give dates")
        return found[0]
    labels = [f"{year}Q{part}" if most == 4 else f"{year}-{part:02d}" for year, part in numbers]
    return pd.PeriodIndex(labels, freq="Q" if most == 4 else "M", name="date")
