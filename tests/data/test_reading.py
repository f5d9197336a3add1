"""Files as people bring them: nothing that only counts or dates is forecast, and no date or number is guessed.

Each layout is written from its rule, so that the dates and numbers to be read are known exactly.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import varnn
from varnn.data import read, read_table
from varnn.dates import season_of
from varnn.errors import (
    DtypeError,
    InputError,
    MissingDependencyError,
    ReadingWarning,
    ShapeError,
    StoreError,
    TimeIndexError,
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


GERMAN = ("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")


def rows(line: Callable[[int], str], n: int = 24) -> str:
    """Return the lines 0 … n − 1."""
    return "".join(f"{line(i)}\n" for i in range(n))


def value(i: int) -> int:
    """Return what the series is in row i: no arithmetic progression, no cycle of a calendar."""
    return 50 + i * i % 11 + i % 3


def month(i: int, year: int = 2000) -> pd.Period:
    return pd.Period(f"{year}-01", freq="M") + i


def quarter(i: int, year: int = 2000) -> pd.Period:
    return pd.Period(f"{year}Q1", freq="Q") + i


def day(i: int) -> pd.Timestamp:
    return pd.Timestamp("2020-01-01") + pd.Timedelta(days=i)


def hour(i: int) -> pd.Timestamp:
    return pd.Timestamp("2020-01-01") + pd.Timedelta(hours=i)


def week(i: int) -> pd.Timestamp:
    return pd.Timestamp("2020-12-07") + pd.Timedelta(weeks=i)


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def quietly(path, **options):
    """Return what a file holds, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        return read_table(path, **options)[0]


@dataclass(frozen=True)
class Layout:
    """A way to write a file: one line for each row, and the dates that it means."""

    name: str
    header: str
    line: Callable[[int], str]
    index: pd.Index
    column: str = "x1"
    left_out: tuple[str, ...] = ()
    encoding: str = "utf-8"

    @property
    def text(self) -> str:
        return f"{self.header}\n{rows(self.line, len(self.index))}"


def monthly(n: int = 30, first: str = "2000-01") -> pd.PeriodIndex:
    return pd.period_range(first, periods=n, freq="M")


def quarterly(n: int = 24, first: str = "2000Q1") -> pd.PeriodIndex:
    return pd.period_range(first, periods=n, freq="Q")


def yearly(n: int = 24, first: str = "1900", freq: str = "Y") -> pd.PeriodIndex:
    return pd.period_range(first, periods=n, freq=freq)


def at(first: str, freq: str, n: int = 30, tz: str | None = None) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq=freq, tz=tz)


WEEKDAYS = pd.bdate_range("2020-01-02", periods=90)
NEW_YORK = pd.bdate_range("2024-02-26", periods=30, tz="America/New_York")
BERLIN = pd.date_range("2020-03-20", periods=24, tz="Europe/Berlin")
BERLIN_HOURS = pd.date_range("2020-03-28 12:00", periods=40, freq="h", tz="Europe/Berlin")

LAYOUTS = [
    # numbers that date
    Layout("year and quarter as floats", "year,quarter,gdp", lambda i: f"{2000 + i // 4}.0,{i % 4 + 1}.0,{value(i)}",
           quarterly(), "gdp"),
    Layout("decimal years, quarterly", "time,gas", lambda i: f"{1960 + i / 4:g},{value(i)}", quarterly(60, "1960Q1"),
           "gas"),
    Layout("decimal years, monthly, all digits", ",time,co2", lambda i: f"{i + 1},{1959 + i / 12!r},{value(i)}",
           monthly(60, "1959-01"), "co2", ("",)),
    Layout("decimal years, three digits", "time,deaths", lambda i: f"{round(1974 + i / 12, 3)},{value(i)}",
           monthly(60, "1974-01"), "deaths"),
    Layout("decimal years, two digits", "time,deaths", lambda i: f"{1974 + i / 12:.2f},{value(i)}",
           monthly(60, "1974-01"), "deaths"),
    Layout("decimal years, mid-month", "decimal date,x1",
           lambda i: f"{2000 + (i + 0.5) / 12:.4f},{value(i)}", monthly()),
    Layout("decimal years under another name", "date,dec,x1",
           lambda i: f"{month(i)},{2000 + (i + 0.5) / 12:.3f},{value(i)}", monthly(), left_out=("dec",)),
    Layout("decimal years, second quarter first", "time,x1", lambda i: f"{1971.25 + i / 4},{value(i)}",
           quarterly(24, "1971Q2")),
    Layout("seconds since 1970", "timestamp,load", lambda i: f"{1577836800 + 3600 * i},{value(i)}",
           at("2020-01-01", "h"), "load"),
    Layout("seconds as floats", "time,x1", lambda i: f"{1577836800 + 60 * i}.0,{value(i)}", at("2020-01-01", "min")),
    Layout("seconds with an exponent", "time,x1", lambda i: f"{1577836800 + 3600 * i:.7e},{value(i)}",
           at("2020-01-01", "h")),
    Layout("milliseconds since 1970", "Open time,x1", lambda i: f"{1577836800000 + 86400000 * i},{value(i)}",
           at("2020-01-01", "D")),
    Layout("milliseconds, first of each month", "time,x1",
           lambda i: f"{int(month(i).to_timestamp().timestamp()) * 1000},{value(i)}", at("2000-01-01", "MS")),
    Layout("microseconds", "ts,x1", lambda i: f"{(1577836800 + 3600 * i) * 10**6},{value(i)}", at("2020-01-01", "h")),
    Layout("milliseconds at both ends", "Open time,x1,Close time",
           lambda i: f"{1577836800000 + 3600000 * i},{value(i)},{1577836800000 + 3600000 * (i + 1) - 1}",
           at("2020-01-01", "h"), left_out=("Close time",)),
    Layout("years as floats", "year,x1", lambda i: f"{1990 + i}.0,{value(i)}", yearly(first="1990")),
    Layout("years, step 4", "year,seats", lambda i: f"{1900 + 4 * i},{value(i)}", yearly(freq="4Y"), "seats"),
    Layout("every fourth November", "date,x1", lambda i: f"{1900 + 4 * i}-11-08,{value(i)}", yearly(freq="4Y")),
    Layout("census years", "year,pop", lambda i: f"{1790 + 10 * i},{value(i)}", yearly(20, "1790", "10Y"), "pop"),
    Layout("years under a name that says nothing", "anno_x,x1",
           lambda i: f"{1950 + i},{value(i)}", yearly(first="1950")),
    Layout("years beside a counter", "X,year,x1", lambda i: f"{i + 1},{1950 + i},{value(i)}", yearly(first="1950"),
           left_out=("X",)),
    Layout("200001", "date,x1", lambda i: f"{month(i):%Y%m},{value(i)}", monthly()),
    Layout("200001 without a name", ",Mkt",
           lambda i: f"{month(i, 1926):%Y%m},{value(i)}", monthly(30, "1926-01"), "Mkt"),
    Layout("200001 in twelve rows", "date,x1", lambda i: f"{month(i):%Y%m},{value(i)}", monthly(12)),
    Layout("20000131", "date,x1", lambda i: f"{month(i).end_time:%Y%m%d},{value(i)}", at("2000-01-31", "ME")),
    Layout("20001 … 20004", "date,x1", lambda i: f"{2000 + i // 4}{i % 4 + 1},{value(i)}", quarterly()),
    Layout("1960.1 … 1960.4", "date,x1", lambda i: f"{1960 + i // 4}.{i % 4 + 1},{value(i)}", quarterly(24, "1960Q1")),
    Layout("1960.01 … 1960.12", "date,x1", lambda i: f"{month(i, 1960):%Y.%m},{value(i)}", monthly(30, "1960-01")),
    Layout("1960.01 … with 1960.1 for October", "Date,x1", lambda i: f"{float(f'{month(i, 1960):%Y.%m}')},{value(i)}",
           monthly(30, "1960-01")),
    Layout("01.2000", "Monat;x1", lambda i: f"{month(i):%m.%Y};{value(i)}", monthly()),
    Layout("year and day of the year", "date,x1", lambda i: f"{day(i):%Y%j},{value(i)}", at("2020-01-01", "D")),
    Layout("2020010100", "time,x1", lambda i: f"{hour(i):%Y%m%d%H},{value(i)}", at("2020-01-01", "h")),
    Layout("202001010000", "time,x1", lambda i: f"{hour(i):%Y%m%d%H%M},{value(i)}", at("2020-01-01", "h")),
    Layout("yearweek 202050", "yearweek,x1", lambda i: "{}{:02d},{}".format(*week(i).isocalendar()[:2], value(i)),
           at("2020-12-07", "W-MON")),
    # names of months, quarters, weeks
    Layout("Jan 2010", "month,x1", lambda i: f"{month(i, 2010):%b %Y},{value(i)}", monthly(first="2010-01")),
    Layout("January 2010", "month,x1", lambda i: f"{month(i, 2010):%B %Y},{value(i)}", monthly(first="2010-01")),
    Layout("Jan-10", "month,x1", lambda i: f"{month(i, 2010):%b-%y},{value(i)}", monthly(first="2010-01")),
    Layout("Jan-59", "month,x1", lambda i: f"{month(i, 1959):%b-%y},{value(i)}", monthly(first="1959-01")),
    Layout("Jan-99, Jan-00", "month,x1", lambda i: f"{month(i, 1999):%b-%y},{value(i)}", monthly(first="1999-01")),
    Layout("10-Jan", "month,x1", lambda i: f"{month(i, 2010):%y-%b},{value(i)}", monthly(first="2010-01")),
    Layout("2000 JAN", "date,x1", lambda i: f"{month(i):%Y %b},{value(i)}".upper(), monthly()),
    Layout("2000Jan", "TIME PERIOD,x1", lambda i: f"{month(i):%Y%b},{value(i)}", monthly()),
    Layout("01-Jan-2010", "when,x1", lambda i: f"{month(i, 2010):01-%b-%Y},{value(i)}", at("2010-01-01", "MS")),
    Layout("1 Jan 2020", "when,x1", lambda i: f"{day(i).day} {day(i):%b %Y},{value(i)}", at("2020-01-01", "D")),
    Layout("01JAN2020", "DATE,x1", lambda i: f"{day(i):%d%b%Y}".upper() + f",{value(i)}", at("2020-01-01", "D")),
    Layout("1-Jan-20", "Date,x1", lambda i: f"{day(i).day}-{day(i):%b-%y},{value(i)}", at("2020-01-01", "D")),
    Layout("Jan 2, 2020", "Date,x1", lambda i: f'"{WEEKDAYS[i]:%b} {WEEKDAYS[i].day}, 2020",{value(i)}',
           at("2020-01-02", "B")),
    Layout("Monday, January 06, 2020", "Date,x1",
           lambda i: f'"{day(i):%A, %B %d, %Y}",{value(i)}', at("2020-01-01", "D")),
    Layout("Mär 2000", "Monat;x1", lambda i: f"{GERMAN[i % 12]} {2000 + i // 12};{value(i)}", monthly()),
    Layout("1/86", "month,x1", lambda i: f"{i % 12 + 1}/{86 + i // 12},{value(i)}", monthly(first="1986-01")),
    Layout("01/2000", "mes,x1", lambda i: f"{month(i):%m/%Y},{value(i)}", monthly()),
    Layout("Q1 2000", "when,x1", lambda i: f"Q{i % 4 + 1} {2000 + i // 4},{value(i)}", quarterly()),
    Layout("Q1-2000", "Time,x1", lambda i: f"Q{i % 4 + 1}-{2000 + i // 4},{value(i)}", quarterly()),
    Layout("Q1/00", "q,x1", lambda i: f"Q{i % 4 + 1}/{i // 4:02d},{value(i)}", quarterly()),
    Layout("1Q00", "q,x1", lambda i: f"{i % 4 + 1}Q{i // 4:02d},{value(i)}", quarterly()),
    Layout("2000-T1", "Trimestre;x1", lambda i: f"{2000 + i // 4}-T{i % 4 + 1};{value(i)}", quarterly()),
    Layout("2000Q01", "date,x1", lambda i: f"{2000 + i // 4}Q0{i % 4 + 1},{value(i)}", quarterly()),
    Layout("2000:1", "obs,x1", lambda i: f"{2000 + i // 4}:{i % 4 + 1},{value(i)}", quarterly()),
    Layout("2000:01", "obs,x1", lambda i: f"{month(i):%Y:%m},{value(i)}", monthly()),
    Layout("1960M1", "Time Period,x1", lambda i: f"{1960 + i // 12}M{i % 12 + 1},{value(i)}", monthly(first="1960-01")),
    Layout("2000H1", "period,x1", lambda i: f"{2000 + i // 2}H{i % 2 + 1},{value(i)}", at("2000-01-01", "2QS-JAN")),
    Layout("2000-S1", "TIME,x1", lambda i: f"{2000 + i // 2}-S{i % 2 + 1},{value(i)}", at("2000-01-01", "2QS-JAN")),
    Layout("1999/00", "season,x1", lambda i: f"{1999 + i}/{i % 100:02d},{value(i)}", yearly(12, "1999")),
    Layout("FY2000", "year,x1", lambda i: f"FY{2000 + i},{value(i)}", yearly(12, "2000")),
    Layout("2020-W50", "week,x1", lambda i: "{}-W{:02d},{}".format(*week(i).isocalendar()[:2], value(i)),
           at("2020-12-07", "W-MON")),
    Layout("2020-W50-1", "week,x1", lambda i: "{}-W{:02d}-1,{}".format(*week(i).isocalendar()[:2], value(i)),
           at("2020-12-07", "W-MON")),
    # dates in parts
    Layout("year and month name", "year,month,x1", lambda i: f"{month(i):%Y,%b},{value(i)}", monthly()),
    Layout("year and whole month name", "Year,Month,x1", lambda i: f"{month(i):%Y,%B},{value(i)}", monthly()),
    Layout("yr and mo", "yr,mo,x1", lambda i: f"{2000 + i // 12},{i % 12 + 1},{value(i)}", monthly()),
    Layout("mo, dd and yyyy", "mo,dd,yyyy,x1", lambda i: f"{day(i):%m,%d,%Y},{value(i)}", at("2020-01-01", "D", 40)),
    Layout("year and M01", "Series ID,Year,Period,x1", lambda i: f"CU,{2000 + i // 12},M{i % 12 + 1:02d},{value(i)}",
           monthly(), left_out=("Series ID",)),
    Layout("year and Q01", "Year,Period,x1", lambda i: f"{2000 + i // 4},Q0{i % 4 + 1},{value(i)}", quarterly()),
    Layout("year and roman quarter", "year,qtr,x1",
           lambda i: f"{2000 + i // 4},{('I', 'II', 'III', 'IV')[i % 4]},{value(i)}",
           quarterly()),
    Layout("year and week", "Year,Week,x1", lambda i: "{},{},{}".format(*week(i).isocalendar()[:2], value(i)),
           at("2020-12-07", "W-MON")),
    Layout("Jahr und Monat", "Jahr;Monat;x1", lambda i: f"{2000 + i // 12};{i % 12 + 1};{value(i)}", monthly()),
    Layout("date and time of day", "Date;Time;x1", lambda i: f"16/12/2006;17:{i:02d}:00;{value(i)}",
           at("2006-12-16 17:00", "min")),
    Layout("date and time with dots", "Date;Time;x1", lambda i: f"{hour(i):%d/%m/%Y;%H.%M.%S};{value(i)}",
           at("2020-01-01", "h", 48)),
    Layout("date and hours 0 to 23", "date,hour,x1", lambda i: f"{hour(i):%Y-%m-%d},{i % 24},{value(i)}",
           at("2020-01-01", "h", 72)),
    Layout("date and hours 1 to 24", "Date,Hour,x1", lambda i: f"{hour(i):%m/%d/%Y},{i % 24 + 1},{value(i)}",
           at("2020-01-01", "h", 72)),
    Layout("parts beside a date", "date,year,month,x1",
           lambda i: f"{month(i)}-01,{2000 + i // 12},{i % 12 + 1},{value(i)}",
           at("2000-01-01", "MS"), left_out=("year", "month")),
    Layout("counter, parts and text", "No,year,month,day,hour,x1,wind",
           lambda i: f"{i + 1},2020,1,{i // 24 + 1},{i % 24},{value(i)},NW", at("2020-01-01", "h", 48),
           left_out=("No", "wind")),
    # clocks and zones
    Layout("1/31/20", "Date,x1",
           lambda i: f"{day(i).month}/{day(i).day}/{day(i):%y},{value(i)}", at("2020-01-01", "D", 40)),
    Layout("01/31/2020 01:00 PM", "Time stamp,x1", lambda i: f"{hour(i):%m/%d/%Y %I:%M %p},{value(i)}",
           at("2020-01-01", "h", 40)),
    Layout("an hour with its end", "MTU,x1",
           lambda i: f"{hour(i):%d.%m.%Y %H:%M} - {hour(i + 1):%d.%m.%Y %H:%M},{value(i)}",
           at("2020-01-01", "h", 40)),
    Layout("days of a zone over a clock change", "date,x1", lambda i: f"{BERLIN[i].isoformat()},{value(i)}",
           at("2020-03-20", "D", 24)),
    Layout("hours of a zone over a clock change", "date,x1", lambda i: f"{BERLIN_HOURS[i].isoformat()},{value(i)}",
           at("2020-03-28 11:00", "h", 40, "UTC")),
    Layout("one zone all along", "time,x1", lambda i: f"{hour(i).isoformat()}+01:00,{value(i)}",
           at("2020-01-01", "h", 30, "+01:00")),
    Layout("weekdays of New York", "Date,x1",
           lambda i: f"{NEW_YORK[i].isoformat(sep=' ')},{value(i)}",
           at("2024-02-26", "B")),
    # agencies
    Layout("SDMX-CSV", "DATAFLOW,freq,geo,TIME_PERIOD,x1,OBS_FLAG",
           lambda i: f"E:X(1.0),Q,DE,{2000 + i // 4}-Q{i % 4 + 1},{value(i)},{'p' if i > 20 else ''}", quarterly(),
           left_out=("DATAFLOW", "freq", "geo", "OBS_FLAG")),
    Layout("an empty column", "TIME,x1,Flag Codes", lambda i: f"{2000 + i // 4}-Q{i % 4 + 1},{value(i)},", quarterly(),
           left_out=("Flag Codes",)),
    Layout("a spreadsheet's sep= line", "sep=;\nDate;x1",
           lambda i: f"{day(i):%Y-%m-%d};{value(i)}", at("2020-01-01", "D")),
    Layout("lines of comment", "# a\n# b\ndate,x1", lambda i: f"{day(i):%Y-%m-%d},{value(i)}", at("2020-01-01", "D")),
    Layout("UTF-16 with tabs", "date\tx1", lambda i: f"{month(i)}\t{value(i)}", monthly(), encoding="utf-16"),
    Layout("UTF-16 without its mark", "date\tx1", lambda i: f"{month(i)}\t{value(i)}", monthly(), encoding="utf-16-le"),
    Layout("Windows-1252", "date,€ größe", lambda i: f"{month(i)},{value(i)}", monthly(), "€ größe", encoding="cp1252"),
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_a_layout_gives_its_dates_and_its_series(file, layout):
    found = read(file(layout.text, encoding=layout.encoding))
    assert list(found.y.columns) == [layout.column]
    assert found.y.index.equals(layout.index)
    assert found.y.index.freqstr == layout.index.freqstr
    assert_array_equal(found.y[layout.column], [value(i) for i in range(len(layout.index))])
    said = [note.split("was left out")[0] for note in found.notes]
    assert len(said) == len(layout.left_out)
    for name in layout.left_out:
        assert any(f"{name!r}" in one or (not name and "without a name" in one) for one in said)


COUNTERS = [
    ("X,x1", lambda i: f"{i + 1}"), ("id,x1", lambda i: f"{i + 1}"), (",x1", lambda i: f"{i}"),
    ("Unnamed: 0,x1", lambda i: f"{i}"), ("rownames,x1", lambda i: f"{i + 1}"), ("...1,x1", lambda i: f"{i + 1}"),
    ("t,x1", lambda i: f"{i + 1}"), ("time,x1", lambda i: f"{i + 1}"), ("trend,x1", lambda i: f"{3 * i}"),
    ("k,x1", lambda i: f"{0.5 + 0.5 * i}"), ("down,x1", lambda i: f"{100 - i}"), ("id,x1", lambda i: f"{i * i}"),
    ("time,x1", lambda i: f"{2000 + i / 52}"), ("time,x1", lambda i: f"{1991.49615384615 + i / 260}"),
    ("month,x1", lambda i: f"{i % 12 + 1}"), ("hour,x1", lambda i: f"{i % 24}"), ("dow,x1", lambda i: f"{i % 7}"),
    ("c,x1", lambda i: f"{i % 4 + 1}"), ("time,x1", lambda i: f"{i - 6000}"),
]


@pytest.mark.parametrize(("header", "counter"), COUNTERS, ids=[f"{head[:-3]} {line(3)}" for head, line in COUNTERS])
def test_a_column_that_counts_is_left_out_with_a_line_and_taken_when_it_is_named(file, header, counter):
    path = file(f"{header}\n" + rows(lambda i: f"{counter(i)},{value(i)}", 30))
    name = header[:-3]
    with pytest.warns(ReadingWarning, match=f"{name!r} was left out" if name else "without a name was left out"):
        y, _ = read_table(path)
    assert list(y.columns) == ["x1"]
    assert isinstance(y.index, pd.RangeIndex)
    if name:
        assert list(read_table(path, columns=[name, "x1"])[0].columns) == [name, "x1"]
        assert list(quietly(path, exog=[name]).columns) == ["x1"]


@pytest.mark.parametrize("name", ["X", "index", "x", "t", "n", "sales"])
def test_a_column_that_measures_is_kept_whatever_its_name(file, name):
    y, _ = read_table(file(f"{name},b\n" + rows(lambda i: f"{1.5 * value(i)},{value(i + 1)}")))
    assert list(y.columns) == [name, "b"]


def test_a_straight_line_that_is_all_there_is_is_kept(file):
    y, _ = read_table(file("date,pop\n" + rows(lambda i: f"{2000 + i},{100 + 2 * i}")))
    assert list(y.columns) == ["pop"]


REFUSED = [
    ("no header, months", rows(lambda i: f"{month(i)},{value(i)}"), InputError, "begins with a date and numbers"),
    ("no header, quarters", rows(lambda i: f"{quarter(i)};{value(i)}"), InputError, "begins with a date and numbers"),
    ("no header, names of months", rows(lambda i: f"{month(i):%b %Y},{value(i)}"), InputError, "begins with a date"),
    ("no header, milliseconds", rows(lambda i: f"{1577836800000 + 3600000 * i},{value(i)}"), InputError,
     "begins with numbers"),
    ("no header, a date and a missing cell", "2000-01-01,NA\n2000-02-01,3\n", InputError, "begins with a date"),
    ("years along the lines", '"Country","1960","1961","1962"\nA,1,2,3\n', InputError, "time runs along the lines"),
    ("quarters along the lines", "Line,2000Q1,2000Q2,2000Q3\n1,5,6,7\n", InputError, "time runs along the lines"),
    ("days along the lines", "State,1/22/20,1/23/20,1/24/20\nA,1,2,3\n", InputError, "time runs along the lines"),
    ("months along the lines", "Year," + ",".join(MONTHS) + "\n2000" + ",1" * 12 + "\n", InputError,
     "time runs along the lines"),
    ("series one below the other", "firm,year,inv\n" + rows(lambda i: f"{i // 12},{1935 + i % 12},{value(i)}"),
     TimeIndexError, "one column for each series"),
    ("years 1 to 12 twice", "line,year,cost\n" + rows(lambda i: f"{i // 12},{i % 12 + 1},{value(i)}"),
     TimeIndexError, "'year' starts again at 1 in data row 13"),
    ("a spreadsheet's days", "Date,x1\n" + rows(lambda i: f"{43831 + i},{value(i)}"), InputError,
     "day counted from 1899-12-30"),
    ("January of no year", "Date,x1\n" + rows(lambda i: f"{i + 1}-Jan,{value(i)}"), InputError,
     "'1-Jan' in data row 1"),
    ("January to December of no year", "Month,x1\n" + rows(lambda i: f"{MONTHS[i]},{value(i)}", 12), InputError,
     "'Jan' in data row 1, which is not a date"),
    ("durations called time", "time,x1\n" + rows(lambda i: f"{value(i)}.5,{value(i + 1)}"), InputError,
     "'time' holds .* where they are none, number the rows with date=False"),
    ("tenths of a year or quarters", "date,x1\n1960.1,3\n1960.2,5\n1960.3,4\n1960.4,3\n", InputError, "1960.1"),
    ("seconds with a gap", "timestamp,x1\n" + rows(lambda i: f"{1577836800 + 3600 * (i + (i > 9))},{value(i)}"),
     TimeIndexError, "2020-01-01 09:00:00 is followed by 2020-01-01 11:00:00"),
    ("a month left out", "date,x1\n" + rows(lambda i: f"{month(i + (i > 8))}-01,{value(i)}"), TimeIndexError,
     "the month 2000-10 has no row"),
    ("years with a gap", "year,x1\n" + rows(lambda i: f"{1900 + i + (i > 9)},{value(i)}"), TimeIndexError,
     "no row for 1910"),
    ("every fourth year with a gap", "year,x1\n" + rows(lambda i: f"{1900 + 4 * (i + (i > 9))},{value(i)}"),
     TimeIndexError, r"no row for 1940 \(1 of 25 dates"),
    ("weeks with a gap", "date,x1\n" + rows(lambda i: f"{week(i + (i > 9)):%Y-%m-%d},{value(i)}"), TimeIndexError,
     "2021-02-08 00:00:00 is followed by 2021-02-22"),
    ("days with a gap", "date,x1\n" + rows(lambda i: f"{day(i + (i > 9)):%Y-%m-%d},{value(i)}"), TimeIndexError,
     "2020-01-10 00:00:00 is followed by 2020-01-12"),
    ("newest first, years of two digits", "date,x1\n" + rows(lambda i: f"{month(23 - i, 2010):%b-%y},{value(i)}"),
     TimeIndexError, "not in time order .see 2011-11 after 2011-12"),
    ("half a year's annual average", "Year,Period,x1\n" + rows(lambda i: f"2000,M{i + 1:02d},{value(i)}",
     13), InputError,
     "'M13' in data row 13"),
    ("thousands or decimals", "date;x1\n" + rows(lambda i: f"{month(i)};1.{7 * i:03d}"), DtypeError,
     "'1.000' can mean 1000 or 1.000"),
    ("two decimal marks", "date;a;b\n" + rows(lambda i: f"{month(i)};{i},5;{i}.5"), DtypeError,
     "has a decimal dot and .* a decimal comma"),
    ("dollars", "date,x1\n" + rows(lambda i: f"{month(i)},${value(i)}"), DtypeError, "'x1' holds no numbers at all"),
    ("rows with names", "town,x1\n" + rows(lambda i: f"place {chr(65 + i)},{value(i)}"), TimeIndexError,
     "column 'town' gives each row a name of its own"),
    ("dates in an unknown spelling", "Maand,x1\n" + rows(lambda i: f"{'xi' * (i + 1)} anno MM,{value(i)}"),
     TimeIndexError, "number them with date=False"),
    ("only a counter", "id\n" + rows(lambda i: f"{i}"), ShapeError, "no column to forecast .*'id' was left out"),
    ("title above the names", "A title\n\ndate,x1\n2000-01,3\n2000-02,4\n", StoreError, "nothing may come before"),
]


@pytest.mark.parametrize(("text", "error", "message"), [case[1:] for case in REFUSED],
                         ids=[case[0] for case in REFUSED])
def test_what_would_have_to_be_guessed_is_refused(file, text, error, message):
    with pytest.raises(error, match=message):
        read_table(file(text))


def test_weekdays_with_a_holiday_are_named_and_have_their_ways_out(file):
    days = WEEKDAYS.delete([12, 40])
    path = file("date,x1\n" + rows(lambda i: f"{days[i]:%Y-%m-%d},{value(i)}", 60))
    with pytest.raises(TimeIndexError, match=r"no row for Monday 2020-01-20 \(2 of 62 weekdays .*'B'.*--date none"):
        read_table(path)
    assert isinstance(read_table(path, date="none")[0].index, pd.RangeIndex)
    filled = file("date,x1\n" + rows(lambda i: f"{WEEKDAYS[i]:%Y-%m-%d},{'' if i in (12, 40) else value(i)}", 60))
    y, _ = read_table(filled)
    assert y.index.freqstr == "B"
    assert list(np.flatnonzero(y["x1"].isna())) == [12, 40]


NUMBERS = [
    ("date;x1;b\n",
     lambda i: f"{month(i)};1.{7 * i * i % 1000:03d};{i * i % 5},5", [1000 + 7 * i * i % 1000 for i in range(24)]),
    ("date;x1;b\n", lambda i: f"{month(i)};1.{i * i:03d},25;{value(i)}", [1000.25 + i * i for i in range(24)]),
    ("date;x1\n", lambda i: f"{month(i)};0,{100 + i * i % 7}", [(100 + i * i % 7) / 1000 for i in range(24)]),
    ("date,x1,b\n", lambda i: f'{month(i)},"1,{200 + value(i)}",0.5{i * i % 7}', [1200 + value(i) for i in range(24)]),
    ("date,x1\n", lambda i: f"{month(i)},1.{200 + value(i)}", [1.2 + value(i) / 1000 for i in range(24)]),
    ("date;x1\n", lambda i: f"{month(i)};1\u00a0{200 + value(i)},5", [1200.5 + value(i) for i in range(24)]),
    ("date;x1\n", lambda i: f"{month(i)};1'{200 + value(i)}.5", [1200.5 + value(i) for i in range(24)]),
    ("date,x1\n", lambda i: f"{month(i)},−{value(i)}", [-value(i) for i in range(24)]),
    ("date,x1\n", lambda i: f"{month(i)},{value(i)}e3", [1000 * value(i) for i in range(24)]),
]


@pytest.mark.parametrize(("header", "line", "expected"), NUMBERS)
def test_a_mark_proven_once_holds_for_the_file(file, header, line, expected):
    y = quietly(file(header + rows(line)))
    np.testing.assert_allclose(y["x1"], expected, rtol=1e-14)


@pytest.mark.parametrize("mark", ["-999", "9999", "-99.9", "-9999.0", "99999"])
def test_a_number_far_outside_the_rest_that_marks_missing_values_is_warned_of(file, mark):
    path = file("date,x1\n" + rows(lambda i: f"{month(i)},{mark if i in (4, 7) else value(i)}"))
    with pytest.warns(ReadingWarning, match=rf"'x1' is {float(mark):.12g} in 2 rows \(first 2000-05\), far outside"):
        read_table(path)


@pytest.mark.parametrize("mark", ["", "NA", ".", "..", ":", "n/a", "ND", "null", "-", "#N/A"])
def test_marks_of_missing_values_are_missing(file, mark):
    y, _ = read_table(file("date,x1\n" + rows(lambda i: f"{month(i)},{mark if i == 4 else value(i)}")))
    assert list(np.flatnonzero(y["x1"].isna())) == [4]


def test_999_among_numbers_like_it_is_a_number(file):
    y, _ = read_table(file("date,x1\n" + rows(lambda i: f"{month(i)},{999 if i == 4 else 900 + 2 * value(i)}")))
    assert y["x1"].iloc[4] == 999


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_is_read(file, pack):
    text = "date,x1\n" + rows(lambda i: f"{month(i)},{value(i)}")
    assert quietly(file(pack(text.encode()), name="mine.csv.gz")).equals(quietly(file(text)))


KINDS = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel"), (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
    (b"RDX3\nX\n" + bytes(50), "R data"), (b'{"a": [1, 2]}', "JSON"), (b"<!DOCTYPE html><html>", "web page"),
    (b"ARROW1\x00\x00" + bytes(50), "Feather"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08broken", "unpacked"),
    (b"\x80\x04\x95" + bytes(20), "pickle"),
]


@pytest.mark.parametrize(("content", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_a_file_of_another_kind_is_refused_by_its_name(file, content, kind):
    with pytest.raises(StoreError, match=kind):
        read_table(file(content, name="mine.csv"))


def workbook(sheets: int = 1) -> bytes:
    """Return an Excel file with a column of dates and one of numbers on each sheet."""
    import io

    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as book:
        for number in range(sheets):
            pd.DataFrame({"date": [day(i) for i in range(24)], "x1": [value(i) for i in range(24)],
                          "note": "u"}).to_excel(book, sheet_name=f"s{number}", index=False)
    return buffer.getvalue()


def test_excel_is_read(file):
    pytest.importorskip("openpyxl")
    y = quietly(file(workbook(), name="mine.xlsx"))
    assert y.index.equals(at("2020-01-01", "D", 24))
    assert_array_equal(y["x1"], [value(i) for i in range(24)])
    with pytest.raises(InputError, match="has the sheets 's0', 's1'; save the one you mean"):
        read_table(file(workbook(2), name="two.xlsx"))


def test_excel_without_openpyxl_is_refused_by_name(file, monkeypatch):
    import io
    import sys
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingDependencyError, match=r"Excel.*needs openpyxl"):
        read_table(file(buffer.getvalue(), name="mine.xlsx"))


def test_parquet_keeps_zones_and_leaves_out_what_counts(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "mine.parquet"
    frame = pd.DataFrame({"id": range(24), "year": 2020, "day": BERLIN, "x1": [float(value(i)) for i in range(24)],
                          "place": "u", "flag": True})
    frame.to_parquet(path)
    found = read(path)
    assert found.y.index.equals(BERLIN)
    assert list(found.y.columns) == ["x1"]
    assert [note.split("'")[1] for note in found.notes] == ["id", "year", "place", "flag"]
    frame.drop(columns="day").assign(year=range(1950, 1974)).set_index("year").to_parquet(path)
    assert read(path).y.index.equals(yearly(24, "1950"))


FUTURES = [
    ("date,x1,oil\n", lambda i: f"{month(i)}-01,{value(i)},{value(i + 2)}", 1),
    ("date,x1,oil\n", lambda i: f"{month(i)}-01,{value(i)},{value(i + 2)}", 2),
    ("date,x1,oil\n", lambda i: f"{quarter(i)},{value(i)},{value(i + 2)}", 1),
    ("date,x1,oil\n", lambda i: f"{WEEKDAYS[i]:%Y-%m-%d},{value(i)},{value(i + 2)}", 2),
    ("date,x1,oil\n", lambda i: f"{WEEKDAYS[i]:%d/%m/%Y},{value(i)},{value(i + 2)}", 2),
    ("year,x1,oil\n", lambda i: f"{1900 + 4 * i},{value(i)},{value(i + 2)}", 2),
    ("time,x1,oil\n", lambda i: f"{1960 + i / 4:g},{value(i)},{value(i + 2)}", 1),
    ("time,x1,oil\n", lambda i: f"{1960 + i / 12:.3f},{value(i)},{value(i + 2)}", 2),
    ("timestamp,x1,oil\n", lambda i: f"{1577836800 + 3600 * i},{value(i)},{value(i + 2)}", 1),
    ("year,quarter,x1,oil\n", lambda i: f"{2000 + i // 4},{i % 4 + 1},{value(i)},{value(i + 2)}", 1),
    ("week,x1,oil\n", lambda i: "{}-W{:02d},{},{}".format(*week(i).isocalendar()[:2], value(i), value(i + 2)), 1),
    ("date,x1,oil\n", lambda i: f"{month(i):%b-%y},{value(i)},{value(i + 2)}", 1),
    ("date,x1,oil\n",
     lambda i: f"{month(i).end_time - pd.offsets.BDay(i % 3 + 1):%Y-%m-%d},{value(i)},{value(i + 2)}", 2),
    ("x1,oil\n", lambda i: f"{value(i)},{value(i + 2)}", 2),
]


@pytest.mark.parametrize(("header", "line", "more"), FUTURES)
def test_a_future_file_of_one_or_two_rows_takes_its_frequency_from_the_main_file(file, header, line, more):
    main = read(file(header + rows(line, 40)), columns=["x1"], exog=["oil"])
    ahead = read(file(header + "".join(f"{line(i)}\n" for i in range(40, 40 + more)), name="plan.csv"),
                 columns=["oil"], like=main.y.index)
    fit = varnn.VAR(lags=1).fit(main.y, main.X)
    forecast = fit.forecast(more, ahead.y, n_paths=10)
    assert forecast.mean.index.equals(ahead.y.index)
    assert forecast.mean.index.equals(fit.series.future_index(more))


def test_a_future_file_of_other_dates_is_refused(file):
    main = read(file("date,x1\n" + rows(lambda i: f"{month(i)}-01,{value(i)}")))
    with pytest.raises(TimeIndexError, match="2 dates without a frequency"):
        read(file("date,oil\n2002-01-05,3\n2002-01-09,4\n", name="plan.csv"), like=main.y.index)


def test_decimal_quarters_have_the_season_of_quarters(file):
    y, _ = read_table(file("time,gas\n" + rows(lambda i: f"{1960 + i / 4:g},{value(i)}", 60)))
    assert season_of(y.index) == 4


def test_the_var_of_decimal_quarters_follows_the_rule_that_made_them(file):
    y, _ = read_table(file("time,gas\n" + rows(lambda i: f"{1960 + i / 4:g},{100 + 40 * (i % 4) + i * i % 7}", 60)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", varnn.errors.SingularWarning)  # the rule has no error
        mean = varnn.VAR().fit(y).forecast(2).mean
    assert list(mean.index.astype(str)) == ["1975Q1", "1975Q2"]
    np.testing.assert_allclose(mean["gas"], [102, 144], rtol=1e-9)


def serial(i: int, how: str) -> str:
    """Return the spreadsheet's number of a day, a month, a quarter or a weekday."""
    return str((pd.date_range("2020-01-01", periods=i + 1, freq=how)[i] - pd.Timestamp("1899-12-30")).days)


@pytest.mark.parametrize("how", ["MS", "ME", "QS", "QE", "YS", "B"])
@pytest.mark.parametrize("name", ["t", "serialday", "value2"])
def test_day_numbers_of_months_quarters_years_and_weekdays_are_no_series(tmp_path, how, name):
    path = tmp_path / "f.csv"
    path.write_text(f"{name},load\n" + rows(lambda i: f"{serial(i, how)},{value(i)}"))
    found = read(path)
    assert list(found.y.columns) == ["load"]
    assert any(repr(name) in note and "dates the rows" in note for note in found.notes)
    assert list(read(path, columns=[name, "load"]).y.columns) == [name, "load"]


@pytest.mark.parametrize("unit", [1, 1000])
def test_unevenly_spaced_moments_are_no_series(tmp_path, unit):
    path = tmp_path / "f.csv"
    path.write_text("ts,load\n" + rows(lambda i: f"{(1577836800 + 86400 * i + 7 * i * i) * unit},{value(i)}"))
    assert list(read(path).y.columns) == ["load"]


def test_numbers_that_rise_nearly_as_the_calendar_stay_a_series(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("stock,load\n" + rows(lambda i: f"{40000 + 30 * i + i * i % 7},{value(i)}"))
    assert list(read(path).y.columns) == ["stock", "load"]


def test_six_digits_that_are_weeks_or_days_of_short_years_are_refused(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("date,load\n" + rows(lambda i: f"{day(i):%y%m%d},{value(i)}"))
    with pytest.raises(TimeIndexError, match=r"'200101'.*year and week or as a day of a two-digit year"):
        read(path)
    path.write_text("week,load\n" + rows(lambda i: f"2001{i + 1:02d},{value(i)}"))
    assert str(read(path).y.index[-1].date()) == "2001-06-11"  # the Monday of ISO week 24 of 2001


@pytest.mark.parametrize("name", ["f.xlsx", "f.zip", "f.csv"])
def test_a_damaged_archive_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04" + b"0" * 600)
    with pytest.raises(StoreError, match="damaged Excel file or zip archive"):
        read(path)


@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u2009"])
def test_thousands_between_narrow_blanks_are_read(tmp_path, blank):
    path = tmp_path / "f.csv"
    path.write_text("date;load\n" + rows(lambda i: f"{day(i).date()};1{blank}{value(i):03d},5"), encoding="utf-8")
    assert_array_equal(read(path).y["load"], [1000.5 + value(i) for i in range(24)])


def test_the_mark_of_earth_science_for_missing_values_is_told(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("date,load\n" + rows(lambda i: f"{day(i).date()},{'-9.99E+30' if i == 5 else value(i)}"))
    assert any("-9.99e+30 in 1 row" in note for note in read(path).notes)


@pytest.mark.parametrize(("head", "encoding"),
                         [("Дата,Цена", "cp1251"), ("日期,价格", "gbk"), ("ημέρα,τιμή", "cp1253")])
def test_names_in_another_encoding_are_not_garbled_in_silence(tmp_path, head, encoding):
    rows = "".join(f"2020-{i + 1:02d},{i * i % 7}\n" for i in range(12))
    (tmp_path / "a.csv").write_bytes(f"{head}\n{rows}".encode(encoding))
    with pytest.raises(StoreError, match="save it as UTF-8"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text(f"{head}\n{rows}", encoding="utf-8")
    assert list(read_table(tmp_path / "b.csv")[0].columns) == [head.split(",")[1]]
