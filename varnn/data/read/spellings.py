"""How dates are written: each spelling is a pattern for a cell and a reading of all cells as an index.

Called by varnn.data.read.dates. Years, quarters, months and weeks of text and number, days and times, decimal years and
seconds since 1970. Nothing is guessed here: a column that two spellings fit gives two readings.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Dates = pd.PeriodIndex | pd.DatetimeIndex
Match = re.Match[str]
MONTHS = {name.casefold(): number for names in (calendar.month_name, calendar.month_abbr)
          for number, name in enumerate(names) if name} | {"sept": 9} | {
    name: number + 1 for names in (  # German, French, Spanish, Italian and Portuguese, where they differ
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez", "jänner feber mrz",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "- feb mar apr - giu lug ago - ott nov dic",  # gen, mag, set and out are words of other meaning
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago - - nov dez",
    ) for number, name in enumerate(names.split()) if name != "-"}
NAME = "(?P<name>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
YEAR4 = r"(?P<year>1[5-9]\d\d|2[0-2]\d\d)"
YEAR = r"(?P<year>\d{4}|\d{2})"
CLOCK = r"(?:,?[ T](?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?))?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
WEEKDAY = r"(?:[A-Za-z]{3,9},? )?"
LATEST = 2040  # years of two digits are read as none later than this
EPOCH = {"s": (1e8, 4.3e9), "ms": (1e11, 4.3e12), "us": (1e14, 4.3e15), "ns": (1e17, 4.3e18)}


@dataclass(frozen=True)
class Spelling:
    """One way to write dates.

    Attributes
    ----------
    words : str
        What it is called in messages.
    pattern : Pattern
        Matches a whole cell.
    read : callable
        Matches of all cells -> index, not yet checked for gaps; None where a match is no date.
    number : bool
        Whether its cells are numbers, so that only a name or regular steps make them dates.
    """

    words: str
    pattern: re.Pattern[str]
    read: Callable[[Sequence[Match]], Dates | None]
    number: bool = False


def cell_text(cell: object) -> str:
    """Return a cell as it is matched: without blanks around it, whole numbers without .0, decimals with a dot.

    Examples
    --------
    >>> cell_text(" 2000.0 "), cell_text("1960,25"), cell_text("1.5778368e9")
    ('2000', '1960.25', '1577836800')
    """
    text = re.sub(r"^(\d+)\.0+$", r"\1", str(cell).strip())
    span = re.fullmatch(r"(\S+ \d{1,2}:\d{2}(?::\d{2})?) ?[-–] ?\S.*", text)  # an hour given with its end
    if span is not None:
        return span[1]
    if re.fullmatch(r"\d{4},\d+", text):
        return text.replace(",", ".")
    if re.fullmatch(r"\d\.?\d*[eE]\+?\d+", text) and float(text).is_integer():
        return str(int(float(text)))
    return text


def matches(spelling: Spelling, cells: Sequence[str]) -> list[Match] | None:
    """Return the match of each cell, or None where one does not match."""
    found = []
    for cell in cells:
        hit = spelling.pattern.fullmatch(cell)
        if hit is None:
            return None
        found.append(hit)
    return found


def _periods(ordinals: Sequence[int], freq: str) -> pd.PeriodIndex:
    """Return the periods with these numbers, counted from the year 0 in units of `freq`."""
    first = {"Y": 1970, "Q": 1970 * 4, "M": 1970 * 12}[freq]
    return from_ordinals(np.asarray(ordinals, dtype=np.int64) - first, freq)


def from_ordinals(ordinals: NDArray[np.int64], freq: str) -> pd.PeriodIndex:
    """Return periods by their numbers, as pandas counts them from 1970."""
    made: pd.PeriodIndex = pd.PeriodIndex.from_ordinals(  # type: ignore[attr-defined]  # pandas-stubs lack it
        ordinals, freq=freq, name="date")
    return made


def _years(found: Sequence[Match]) -> list[int]:
    """Return the years, those of two digits in the century that lets them rise and end by LATEST."""
    years = [int(hit["year"]) for hit in found]
    if all(len(hit["year"]) == 4 for hit in found):
        return years
    risen = np.cumsum([0, *(100 * (later < sooner - 50) for sooner, later in pairwise(years))])
    if len(set(risen)) > 2:  # not in time order: left to be refused by name
        risen = np.zeros(len(years), dtype=np.int64)
    late = [year + 2000 + rise for year, rise in zip(years, risen.tolist(), strict=True)]
    return late if max(late) <= LATEST else [year - 100 for year in late]


def _year(found: Sequence[Match]) -> Dates:
    return _periods(_years(found), "Y")


def _quarter(found: Sequence[Match]) -> Dates:
    return _periods([year * 4 + int(hit["part"]) - 1 for year, hit in zip(_years(found), found, strict=True)], "Q")


def _half(found: Sequence[Match]) -> Dates:
    return _periods([year * 4 + 2 * int(hit["part"]) - 2 for year, hit in zip(_years(found), found, strict=True)], "Q")


def _month(found: Sequence[Match]) -> Dates | None:
    months = [int(hit["part"]) for hit in found]
    if not all(1 <= month <= 12 for month in months):
        return None
    if len(found) > 1 and _are_split_years(found):
        return None
    return _periods([year * 12 + month - 1 for year, month in zip(_years(found), months, strict=True)], "M")


def _are_split_years(found: Sequence[Match]) -> bool:
    """Tell whether each cell is a year and the next: 1999/00, 2000/01."""
    return all(len(hit["part"]) == 2 and int(hit["part"]) == (int(hit["year"]) + 1) % 100 for hit in found)


def _split_year(found: Sequence[Match]) -> Dates | None:
    return _year(found) if len(found) > 1 and _are_split_years(found) else None


def _named_month(found: Sequence[Match]) -> Dates | None:
    months = [MONTHS[hit["name"].casefold()] for hit in found]
    return _periods([year * 12 + month - 1 for year, month in zip(_years(found), months, strict=True)], "M")


def _year_then_named_month(found: Sequence[Match]) -> Dates | None:
    """Read 10-Jan, which spreadsheets also write for 10 January, as January 2010 where the years go on."""
    if all(len(hit["year"]) == 2 for hit in found) and len({hit["year"] for hit in found}) < 2:
        return None
    return _named_month(found)


def _week(found: Sequence[Match]) -> Dates | None:
    days = pd.to_datetime(pd.Series([f"{hit['year']}-W{int(hit['part']):02d}-{hit['day'] or 1}" for hit in found],
                                    dtype=object), format="%G-W%V-%u", errors="coerce")
    return None if days.isna().any() else pd.DatetimeIndex(days, name="date")


def _number_week(found: Sequence[Match]) -> Dates | None:
    weeks = [f"{hit['year']}-W{hit['part']}-1" for hit in found]
    days = pd.to_datetime(pd.Series(weeks, dtype=object), format="%G-W%V-%u", errors="coerce")
    return None if days.isna().any() else pd.DatetimeIndex(days, name="date")


def _text(cells: Sequence[str], written: str, **options: Any) -> Dates | None:
    days = pd.to_datetime(pd.Series(list(cells), dtype=object), format=written, errors="coerce", **options)
    return None if days.isna().any() else pd.DatetimeIndex(days, name="date")


def _compact(written: str) -> Callable[[Sequence[Match]], Dates | None]:
    return lambda found: _text([hit[0] for hit in found], written)


def _day_of(order: str) -> Callable[[Sequence[Match]], Dates | None]:
    """Return the reading of 3/4/1999 month first or day first."""
    first, second = ("month", "day") if order == "month first" else ("day", "month")

    def read(found: Sequence[Match]) -> Dates | None:
        return _days(_years(found), [{first: hit["a"], second: hit["b"]} for hit in found], found)

    return read


def _named_day(found: Sequence[Match]) -> Dates | None:
    parts = [{"month": str(MONTHS[hit["name"].casefold()]), "day": hit["day"]} for hit in found]
    return _days(_years(found), parts, found)


def _days(years: Sequence[int], parts: Sequence[dict[str, str]], found: Sequence[Match]) -> Dates | None:
    dates = [f"{year:04d}-{int(part['month']):02d}-{int(part['day']):02d}" for year, part in
             zip(years, parts, strict=True)]
    clocks = [hit["clock"] or "" for hit in found]
    if not any(clocks):
        return _text(dates, "%Y-%m-%d")
    noon = any(clock[-1:] in "mM" for clock in clocks if clock)
    return _text([f"{day} {clock or '0:00'}" for day, clock in zip(dates, clocks, strict=True)],
                 "mixed" if noon else "ISO8601" if all(len(clock) > 4 and clock[1] != ":" for clock in clocks)
                 else "mixed")


def _iso(found: Sequence[Match]) -> Dates | None:
    cells = [hit[0].replace("/", "-") for hit in found]
    return _text(cells, "ISO8601") if _text(cells[:1], "ISO8601") is not None else _text(cells, "mixed")


def _wall(found: Sequence[Match]) -> Dates | None:
    """Read the local day and hour, whatever the zone: right for days over a clock change."""
    zones = {hit["zone"] for hit in found}
    if len(zones) < 2:
        return None
    return _text([hit["local"] for hit in found], "ISO8601")


def _instant(found: Sequence[Match]) -> Dates | None:
    """Read the moment: right for hours over a clock change."""
    zones = {hit["zone"] for hit in found}
    return _text([hit[0] for hit in found], "ISO8601", utc=len(zones) > 1)


def _epoch(found: Sequence[Match]) -> Dates | None:
    counts = np.array([int(hit[0]) for hit in found], dtype=np.int64)
    for unit, (low, high) in EPOCH.items():
        if (counts >= low).all() and (counts <= high).all():
            return pd.DatetimeIndex(pd.to_datetime(counts, unit=unit), name="date")  # type: ignore[call-overload]
    return None


def decimal_years(cells: Sequence[str], rate: int | None = None) -> Dates | None:
    """Read 1960.25 as the second quarter of 1960: the years advance by 1/4 or 1/12, to the decimals given.

    Parameters
    ----------
    cells : list of str
        Years with decimals.
    rate : int, optional
        Periods in a year; from the steps when None.

    Examples
    --------
    >>> list(decimal_years(["1959.917", "1960", "1960.083"]).astype(str))
    ['1959-12', '1960-01', '1960-02']
    """
    years = np.array([float(cell) for cell in cells])
    if rate is None:
        if len(years) < 2 or not (np.diff(years) > 0).all():
            return None
        rate = round((len(years) - 1) / float(years[-1] - years[0]))
    if rate not in (4, 12):
        return None
    counts = years * rate
    # Written to three decimals a month is off by 0.006 of itself; dated in mid-month it is near one half.
    decimals = min((len(cell.partition(".")[2]) for cell in cells if "." in cell), default=3)
    slack = min(0.2, rate * 10.0 ** -max(decimals, 2))
    ordinals = np.floor(counts + slack).astype(np.int64)
    return _periods([int(ordinal) for ordinal in ordinals], "Q" if rate == 4 else "M")


def _decimal(found: Sequence[Match]) -> Dates | None:
    if not any("." in hit[0] for hit in found):
        return None
    dates = decimal_years([hit[0] for hit in found])
    return None if dates is None or len(dates) < 3 or (np.diff(dates.asi8) != 1).any() else dates


def _point_quarter(found: Sequence[Match]) -> Dates | None:
    """Read 1960.1 … 1960.4, 1961.1; four rows or fewer may as well be tenths of a year or months."""
    return _quarter(found) if {hit["part"] for hit in found} == set("1234") and len(found) > 4 else None


def _point_month(found: Sequence[Match]) -> Dates | None:
    """Read 1960.01 … 1960.12 and 1960.1 … 1960.12; not 1960.1 for October."""
    parts = [hit["part"] for hit in found]
    if "01" in parts and "10" not in parts:  # January is .01, so .1 is .10 without its last zero
        months = [10 if part == "1" else int(part) for part in parts]
        years = _years(found)
        return _periods([12 * year + month - 1 for year, month in zip(years, months, strict=True)], "M") if all(
            1 <= month <= 12 for month in months) else None
    if "1" in parts and "10" not in parts and len(parts) > 9 and max(map(int, parts)) > 10:
        return None
    return _month(found) if any(len(part) == 2 for part in parts) else None


def _spell(words: str, pattern: str, read: Callable[[Sequence[Match]], Dates | None], number: bool = False) -> Spelling:
    return Spelling(words, re.compile(pattern, re.IGNORECASE), read, number)


SPELLINGS: tuple[Spelling, ...] = (
    _spell("quarters", YEAR4 + r"\s*[-:./ ]?\s*(?:Q|QTR|K)\s*0?(?P<part>[1-4])", _quarter),
    _spell("quarters", r"Q\s*(?P<part>[1-4])\s*[-:./' ]*" + YEAR, _quarter),
    _spell("quarters", r"(?P<part>[1-4])\s*Q\s*[-:./' ]*" + YEAR, _quarter),
    _spell("quarters", YEAR4 + r"-?T(?P<part>[1-4])", _quarter),
    _spell("quarters", r"T(?P<part>[1-4])[-/ ]" + YEAR4, _quarter),
    _spell("quarters", YEAR4 + r":0?(?P<part>[1-4])", _quarter),
    _spell("half-years", YEAR4 + r"\s*-?\s*[HSB](?P<part>[12])", _half),
    _spell("half-years", r"[HS](?P<part>[12])[- ]?" + YEAR4, _half),
    _spell("months", YEAR4 + r"\s*[-:./ ]?\s*M\s*(?P<part>\d{1,2})", _month),
    _spell("months", r"M(?P<part>\d{1,2})[-/ ]" + YEAR4, _month),
    _spell("months", YEAR4 + r"[-/:](?P<part>\d{1,2})", _month),
    _spell("months", r"(?P<part>\d{1,2})[-/]" + YEAR4, _month),
    _spell("years", YEAR4 + r"[-/](?P<part>\d{2})", _split_year),
    _spell("months", r"(?P<part>\d{1,2})/(?P<year>\d{2})", _month),
    _spell("months", NAME + r"[-/,' ]*" + YEAR, _named_month),
    _spell("months", YEAR4 + r"[-/,:. ]*" + NAME, _named_month),
    _spell("months", r"(?P<year>\d{2})[-/ ]" + NAME, _year_then_named_month),
    _spell("weeks", YEAR4 + r"[- ]?\s*W(?P<part>\d{1,2})(?:-?(?P<day>[1-7]))?", _week),
    _spell("days", r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?", _iso),
    _spell("days", r"\d{4}-\d{1,2}-\d{1,2}T\d{2}", _iso),
    _spell("days", r"\d{4}/\d{1,2}/\d{1,2}(?: \d{1,2}:\d{2}(?::\d{2})?)?", _iso),
    _spell("local times", r"(?P<local>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?"
           r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)", _wall),
    _spell("moments", r"(?P<local>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?"
           r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)", _instant),
    *(_spell(order, r"(?P<a>\d{1,2})([/.-])(?P<b>\d{1,2})\2" + YEAR + CLOCK, _day_of(order))
      for order in ("month first", "day first")),
    _spell("days", WEEKDAY + DAY + "[-/. ]*" + NAME + r"[-/,. ]*" + YEAR + CLOCK, _named_day),
    _spell("days", WEEKDAY + NAME + "[-/ ]*" + DAY + r"[-/, ]+(?P<year>\d{4})" + CLOCK, _named_day),
    _spell("days", YEAR4 + r"[-/ ]?" + NAME + r"[-/ ]?(?P<day>\d{1,2})" + CLOCK, _named_day),
    _spell("years", YEAR4, _year, number=True),
    _spell("years", r"(?:FY|CY) ?" + YEAR4, _year),
    _spell("year and month", YEAR4 + r"(?P<part>0[1-9]|1[0-2])", _month, number=True),
    _spell("year and week", YEAR4 + r"(?P<part>0[1-9]|[1-4]\d|5[0-3])", _number_week, number=True),
    _spell("year and quarter", YEAR4 + r"(?P<part>[1-4])", _quarter, number=True),
    _spell("year, month and day", YEAR4 + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", _compact("%Y%m%d"), number=True),
    _spell("year and day of the year", YEAR4 + r"[0-3]\d\d", _compact("%Y%j"), number=True),
    _spell("year, month, day and hour", YEAR4 + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])",
           _compact("%Y%m%d%H"), number=True),
    _spell("year to minute", YEAR4 + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d",
           _compact("%Y%m%d%H%M"), number=True),
    _spell("year to second", YEAR4 + r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d){2}",
           _compact("%Y%m%d%H%M%S"), number=True),
    _spell("year.quarter", YEAR4 + r"\.(?P<part>[1-4])", _point_quarter, number=True),
    _spell("year.month", YEAR4 + r"\.(?P<part>\d{1,2})", _point_month, number=True),
    _spell("month.year", r"(?P<part>0[1-9]|1[0-2])\." + YEAR4, _month, number=True),
    _spell("decimal years", YEAR4 + r"(\.\d+)?", _decimal, number=True),
    _spell("seconds since 1970", r"\d{9,19}", _epoch, number=True),
)


def readings(cells: Sequence[str], *, numbers: bool = True) -> Iterator[tuple[Spelling, Dates]]:
    """Yield every spelling that fits all cells, with the dates it makes of them."""
    for spelling in SPELLINGS:
        if spelling.number and not numbers:
            continue
        found = matches(spelling, cells)
        dates = None if found is None else spelling.read(found)
        if dates is not None:
            yield spelling, dates
