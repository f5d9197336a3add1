"""Dates in a table: which column holds them, how they are written, and the regular index they make.

Called by `read_table` only. Reads ISO dates and times, quarters (1959Q1, 1959-Q1), months (1959M01,
1959-01), years, m/d/Y and d/m/Y where only one of the two is regular, and year + quarter or month columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from varnn.dates import regular_index
from varnn.errors import InputError, TimeIndexError

DATE_WORDS = {"date", "dates", "time", "datetime", "timestamp", "ds", "period", "sasdate", "observation_date",
              "index", "day", "week", "month", "quarter", "year", "yr", "t"}
QUARTER = re.compile(r"(\d{4})\s*[-:. ]?\s*[Qq]([1-4])")
MONTH = re.compile(r"(\d{4})\s*(?:[-:. ]?\s*[Mm](\d{1,2})|[-/](\d{1,2}))")
YEAR = re.compile(r"\d{4}")
ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
COMPACT = re.compile(r"(1[6-9]|2[01])\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
SLASH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T](.*))?")
YEAR_FIRST = re.compile(r"\d{4}/\d{1,2}/\d{1,2}( .*)?")
TEXT_DATES = (QUARTER, MONTH, ISO, SLASH, YEAR_FIRST)
PARTS = {"quarter": ("Q", 4), "qtr": ("Q", 4), "q": ("Q", 4), "month": ("M", 12), "mon": ("M", 12)}
PROBED = 60  # rows looked at to tell what a column holds


def date_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the column that holds the dates, or (year, quarter), (year, month[, day[, hour]]), or nothing."""
    lower = {str(name).strip().casefold(): str(name) for name in table.columns}
    if "year" in lower and _looks_like(table[lower["year"]], YEAR):
        if {"month", "day"} <= set(lower):
            return tuple(lower[word] for word in ("year", "month", "day", "hour") if word in lower)
        for word in PARTS:
            if word in lower:
                return lower["year"], lower[word]
    for name in table.columns:
        if _looks_like(table[name], *TEXT_DATES):
            return (str(name),)
    for name in table.columns:
        word = str(name).strip().casefold()
        if (word in DATE_WORDS or word == "" or word.startswith("unnamed")) and _looks_like(table[name], YEAR, COMPACT):
            return (str(name),)
    return ()


def time_index(table: pd.DataFrame, columns: Sequence[str]) -> pd.Index[Any]:
    """Return the regular index that the date columns make.

    Raises
    ------
    InputError        for a cell that is not a date, naming column and row
    TimeIndexError    for duplicated, unsorted or irregular dates, naming the first
    """
    where = f"date column {columns[0]!r}"
    if len(columns) > 2:
        return _from_numbers(table[list(columns)])
    if len(columns) == 2:
        freq, parts = PARTS[columns[1].strip().casefold()]
        return _from_parts(table[columns[0]], table[columns[1]], freq, parts)
    cells = [str(cell).strip() for cell in table[columns[0]]]
    _no_blanks(cells, columns[0])
    if _match_all(cells, YEAR):
        return _periods([f"{cell}" for cell in cells], "Y", where)
    if _match_all(cells, QUARTER):
        found = [QUARTER.fullmatch(cell) for cell in cells]
        return _periods([f"{hit[1]}Q{hit[2]}" for hit in found if hit], "Q", where)
    if _match_all(cells, MONTH):
        found = [MONTH.fullmatch(cell) for cell in cells]
        return _periods([f"{hit[1]}-{int(hit[2] or hit[3]):02d}" for hit in found if hit], "M", where)
    return _of_days(_days(cells, columns[0]), where)


def _looks_like(column: pd.Series[Any], *patterns: re.Pattern[str]) -> bool:
    """Tell whether at least two thirds of the first cells match one pattern; the others are named as errors later."""
    cells = [str(cell).strip() for cell in column.iloc[:PROBED]]
    return any(sum(pattern.fullmatch(cell) is not None for cell in cells) * 3 >= 2 * len(cells) for pattern in patterns)


def _match_all(cells: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return all(pattern.fullmatch(cell) for cell in cells)


def _no_blanks(cells: Sequence[str], column: str) -> None:
    for row, cell in enumerate(cells):
        if not cell:
            raise TimeIndexError(f"date column {column!r} is empty in data row {row + 1}; fill it in or drop the row")


def _from_numbers(parts: pd.DataFrame) -> pd.Index[Any]:
    """Read year, month, day (and hour) columns."""
    named = parts.set_axis(["year", "month", "day", "hour"][: parts.shape[1]], axis=1)
    numbers = named.apply(pd.to_numeric, errors="coerce")
    days = pd.to_datetime(numbers, errors="coerce")
    wrong = np.flatnonzero(days.isna().to_numpy())
    if len(wrong):
        cells = ", ".join(map(str, named.iloc[wrong[0]]))
        raise InputError(f"columns {', '.join(map(str, parts.columns))} hold {cells} in data row {wrong[0] + 1}, "
                         "which is not a date")
    return _of_days(pd.DatetimeIndex(days, name="date"), "the table")


def _from_parts(years: pd.Series[Any], parts: pd.Series[Any], freq: str, most: int) -> pd.Index[Any]:
    labels = []
    for row, (year, part) in enumerate(zip(years, parts, strict=True)):
        digits = re.sub(r"\.0+$", "", str(part).strip())
        if not digits.isdigit() or not 1 <= int(digits) <= most:
            raise InputError(f"column {str(parts.name)!r} holds {part!r} in data row {row + 1}; "
                             f"expected a number from 1 to {most}")
        labels.append(f"{str(year).strip()[:4]}{'Q' if freq == 'Q' else '-'}{int(digits)}")
    if freq == "M" and _quarterly_months(parts):
        return _periods([f"{label[:4]}Q{(int(label[5:]) + 2) // 3}" for label in labels], "Q", "the table")
    return _periods(labels, freq, "the table")


def _quarterly_months(parts: pd.Series[Any]) -> bool:
    months = [int(float(str(part))) for part in parts]
    return len(months) > 4 and set(np.diff(months) % 12) == {3}


def _periods(labels: list[str], freq: str, where: str) -> pd.Index[Any]:
    try:
        index = pd.PeriodIndex(labels, freq=freq, name="date")
    except ValueError as problem:
        raise InputError(f"{where} cannot be read ({problem})") from None
    return regular_index(index, where)


def _days(cells: Sequence[str], column: str) -> pd.DatetimeIndex:
    if _match_all(cells, COMPACT):
        return _strict(cells, "%Y%m%d", column)
    if _match_all(cells, SLASH):
        return _slashed(cells, column)
    if _match_all(cells, YEAR_FIRST):
        return _strict([cell.replace("/", "-") for cell in cells], "mixed", column)
    return _strict(cells, "ISO8601", column)


def _strict(cells: Sequence[str], written: str, column: str) -> pd.DatetimeIndex:
    parsed = pd.to_datetime(pd.Series(list(cells), dtype=object), format=written, errors="coerce",
                            utc=any(re.search(r"(Z|[+-]\d\d:?\d\d)$", cell) for cell in cells[:1]))
    wrong = np.flatnonzero(parsed.isna().to_numpy())
    if len(wrong):
        raise InputError(f"date column {column!r} holds {cells[wrong[0]]!r} in data row {wrong[0] + 1}, which is not a "
                         "date; write dates as 1999-12-31, 1999Q4, 1999-12 or 1999")
    return pd.DatetimeIndex(parsed, name="date")


def _slashed(cells: Sequence[str], column: str) -> pd.DatetimeIndex:
    """Read 3/4/1999 month first or day first, whichever makes sense; refuse when both do."""
    sep = "." if "." in cells[0] else "/"
    clock = " %H:%M" + (":%S" if cells[0].count(":") == 2 else "") if ":" in cells[0] else ""
    readings = {}
    for word, order in (("month first", f"%m{sep}%d{sep}%Y"), ("day first", f"%d{sep}%m{sep}%Y")):
        parsed = pd.to_datetime(pd.Series(list(cells), dtype=object), format=order + clock, errors="coerce")
        if not parsed.isna().any():
            readings[word] = pd.DatetimeIndex(parsed, name="date")
    if not readings:
        return _strict(cells, f"%m{sep}%d{sep}%Y{clock}", column)
    if len(readings) == 2 and not readings["month first"].equals(readings["day first"]):
        regular = {word: days for word, days in readings.items() if _regular(days)}
        if len(regular) != 1:
            raise TimeIndexError(f"date column {column!r} begins with {cells[0]!r}, {cells[min(1, len(cells) - 1)]!r}, "
                                 "which can be read month first or day first; write dates as 1999-12-31")
        readings = regular
    return next(iter(readings.values()))


def _regular(days: pd.DatetimeIndex) -> bool:
    return days.is_monotonic_increasing and days.is_unique and _by_calendar(days) is not None


def _by_calendar(days: pd.DatetimeIndex) -> pd.Index[Any] | None:
    """Return the days with their frequency, or as one period each where only the day of the month varies."""
    inferred = pd.DatetimeIndex(days, freq="infer")
    if inferred.freq is not None:
        return inferred
    if len(days) < 3:
        return None
    for coarse in ("M", "Q", "Y"):
        periods = days.tz_localize(None).to_period(coarse)
        if np.all(np.diff(periods.asi8) == 1):
            return periods
    return None


def _of_days(days: pd.DatetimeIndex, where: str) -> pd.Index[Any]:
    if days.is_monotonic_increasing and days.is_unique:
        index = _by_calendar(days)
        if index is not None:
            return index
    return regular_index(days, where)
