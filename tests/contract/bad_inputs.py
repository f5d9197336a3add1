"""The table of bad inputs: what is passed, what must be said, and which answers would be right.

Used by test_bad_inputs.py for every model, and by write_bad_inputs.py for docs/bad_inputs.md.
"""

from __future__ import annotations

import datetime
import decimal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.contract.specimens import H, T, inputs, quarters, series
from varnn.data import read
from varnn.forecaster import Fitted, Forecaster

Act = Callable[["Bench"], Any]


@dataclass(frozen=True)
class Bench:
    """A model on which a case is tried; the fits are made once and shared."""

    spec: Forecaster
    fit: Fitted
    fit_with_inputs: Fitted | None


@dataclass(frozen=True)
class Case:
    """One bad (or suspicious) input.

    Attributes
    ----------
    topic, what : str
        Where it goes in the table and what is passed, in words.
    act : callable
        Does it, and returns what comes back when it is not refused.
    says : tuple of str
        One of these must be in the message.
    right : callable or None
        (bench, answer) -> bool: whether an answer is right. None means that it has to be refused.
    needs_inputs : bool
        Only for models that take exogenous columns.
    """

    topic: str
    what: str
    act: Act
    says: tuple[str, ...]
    right: Callable[[Bench, Any], bool] | None = None
    needs_inputs: bool = False


def fits(y: Any, X: Any = None, **options: Any) -> Act:
    """Fit on y and X; the answer is the mean forecast. A callable makes its data when it is needed."""
    return lambda bench: bench.spec.fit(y() if callable(y) else y, X() if callable(X) else X, **options).forecast(
        H, None if X is None else inputs().iloc[T:], n_paths=20).mean


def forecasts(*given: Any, **options: Any) -> Act:
    """Forecast from the shared fit without exogenous columns."""
    return lambda bench: bench.fit.forecast(*given, **options)


def forecasts_with(X: Callable[[], Any]) -> Act:
    """Forecast H steps from the shared fit with exogenous columns, given X for the future."""
    return lambda bench: bench.fit_with_inputs.forecast(H, X(), n_paths=20).mean


def same_as_plain(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether the answer is the forecast of the unspoilt series."""
    return bool(np.allclose(answer.to_numpy(), bench.fit.forecast(H, n_paths=20).point, rtol=1e-9, atol=1e-9))


def nearly_plain(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether the answer is the forecast of the unspoilt series to the precision of half floats."""
    return bool(np.allclose(answer.to_numpy(), bench.fit.forecast(H, n_paths=20).point, atol=0.02))


def same_as_with_inputs(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether the answer is the forecast with the unspoilt future columns."""
    plain = bench.fit_with_inputs.forecast(H, inputs().iloc[T:], n_paths=20).point
    return bool(np.allclose(answer.to_numpy(), plain, rtol=1e-9, atol=1e-9))


def constant_stays(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether the constant column is forecast to keep its value 3."""
    return bool(np.allclose(answer["rate"], 3.0, atol=1e-6)) and bool(np.isfinite(answer).all(axis=None))


def sum_stays(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether the forecasts keep the identity total = gdp + rate of the series."""
    return bool(np.allclose(answer["total"], answer["gdp"] + answer["rate"], atol=1e-6))


def twins_stay(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether two equal columns get equal forecasts."""
    return bool(np.allclose(answer.iloc[:, 0], answer.iloc[:, 1], atol=1e-6))


def finite(bench: Bench, answer: pd.DataFrame) -> bool:
    """Say whether every number is finite."""
    return bool(np.isfinite(answer).all(axis=None))


def follows(index: pd.Index) -> Callable[[Bench, pd.DataFrame], bool]:
    """Return a check that the forecast is that of the plain series on these dates."""
    return lambda bench, answer: same_as_plain(bench, answer) and bool(answer.index.equals(index))


def as_on(index: pd.DatetimeIndex) -> Callable[[Bench, pd.DataFrame], bool]:
    """Return a check that the forecast is that of the series on these dates, whose season models may know."""
    return lambda bench, answer: bool(answer.equals(
        bench.spec.fit(series().set_axis(index)).forecast(H, n_paths=20).mean))


def put(value: Any, row: int = 20, column: str = "rate", dtype: Any = None) -> Callable[[], pd.DataFrame]:
    """Return a maker of the series with one cell replaced."""

    def make() -> pd.DataFrame:
        frame = series() if dtype is None else series().astype(dtype)
        frame.loc[frame.index[row], column] = value
        return frame

    return make


def column(values: Any) -> Callable[[], pd.DataFrame]:
    """Return a maker of the series whose second column is replaced."""
    return lambda: series().assign(rate=values)


def dated(index: Any) -> Callable[[], pd.DataFrame]:
    """Return a maker of the series on another index."""
    return lambda: series().set_axis(index, axis=0)


def with_inputs(**changed: Any) -> Callable[[], pd.DataFrame]:
    """Return a maker of the in-sample exogenous columns with some replaced."""
    return lambda: inputs(T).assign(**changed)


def tensor() -> Any:
    """Return the series as a torch tensor that requires gradients."""
    import torch

    return torch.tensor(series().to_numpy(), requires_grad=True)


def reads(dates: Callable[[int], str], header: str = "date", *, cells: str = "{:.17g}", first: str = "") -> Act:
    """Fit on a file of the series, whose lines begin with dates(row); the answer is the mean forecast."""
    names = f"{first}{header},gdp,rate\n"
    lines = "".join(f"{dates(row)},{cells.format(gdp)},{cells.format(rate)}\n"
                    for row, (gdp, rate) in enumerate(series().to_numpy()))
    return _of_text((names + lines).encode())


def _of_text(content: bytes) -> Act:
    def act(bench: Bench) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mine.csv"
            path.write_bytes(content)
            y = read(path).y
        return bench.spec.fit(y).forecast(H, n_paths=20).mean

    return act


DAYS = pd.date_range("2020-01-01", periods=T, freq="D")
BERLIN = pd.date_range("2020-01-31", periods=T + H, freq="ME", tz="Europe/Berlin")
HOURS = pd.date_range("2020-10-24 20:00", periods=T, freq="h", tz="Europe/Berlin")
TWICE = quarters()[[*range(30), *range(29, T - 1)]]
SWAPPED = quarters()[[*range(20), 21, 20, *range(22, T)]]
GAP = quarters(T + 1).delete(30)

WHAT_Y_IS = [
    Case("what y is", "None", fits(None), ("y is NoneType",)),
    Case("what y is", "text", fits("macrodata"), ("y is str",)),
    Case("what y is", "bytes", fits(b"1,2"), ("y is bytes",)),
    Case("what y is", "a single number", fits(3.0), ("y is float",)),
    Case("what y is", "a dict", fits({"gdp": [1.0, 2.0]}), ("y is dict",)),
    Case("what y is", "a set", fits({1.0, 2.0}), ("y is set",)),
    Case("what y is", "a function", fits(lambda: max), ("y ",)),
    Case("what y is", "a generator", fits(lambda: (x for x in [1.0, 2.0])), ("y ",)),
    Case("what y is", "an empty list", fits([]), ("y is empty",)),
    Case("what y is", "an empty DataFrame", fits(pd.DataFrame()), ("y is empty",)),
    Case("what y is", "columns without rows", fits(lambda: series().iloc[:0]), ("y is empty",)),
    Case("what y is", "rows without columns", fits(lambda: series()[[]]), ("y is empty",)),
    Case("what y is", "a zero-dimensional array", fits(np.array(2.0)), ("y has 0 dimensions",)),
    Case("what y is", "a three-dimensional array", fits(np.ones((20, 2, 2))), ("y has 3 dimensions",)),
    Case("what y is", "a ragged list", fits([[1.0, 2.0], [3.0]]), ("y is not rectangular",)),
    Case("what y is", "a list of texts", fits([["a", "b"], ["c", "d"]] * 20), ("'y1'",)),
    Case("what y is", "a masked array", fits(lambda: np.ma.masked_greater(series().to_numpy(), 3.0)),
         ("y has masked",)),
    Case("what y is", "a masked array without a mask", fits(lambda: np.ma.array(series().to_numpy())), ("y",),
         same_as_plain),
    Case("what y is", "a list of lists", fits(lambda: series().to_numpy().tolist()), ("y",), same_as_plain),
    Case("what y is", "an array in Fortran order", fits(lambda: np.asfortranarray(series())), ("y",), same_as_plain),
    Case("what y is", "a read-only, strided view", fits(lambda: np.repeat(series().to_numpy(), 2, axis=0)[::2]),
         ("y",), same_as_plain),
    Case("what y is", "a torch tensor that requires gradients", fits(tensor), ("y cannot be read",)),
    Case("what y is", "a torch tensor", fits(lambda: tensor().detach()), ("y",), same_as_plain),
    Case("what y is", "one column of a DataFrame", fits(lambda: series()["gdp"]), ("y",), finite),
    Case("what y is", "one row", fits(lambda: series().iloc[:1]), ("row",)),
    Case("what y is", "two rows", fits(lambda: series().iloc[:2]), ("row",), finite),
    Case("what y is", "four rows", fits(lambda: series().iloc[:4]), ("row",), finite),
    Case("what y is", "more columns than rows", fits(np.random.default_rng(0).standard_normal((6, 20))), ("row",),
         finite),
]
CELLS = [
    Case("cells of y", "one NaN", fits(put(np.nan)), ("'rate' at 2005Q1",)),
    Case("cells of y", "NaN in the last row", fits(put(np.nan, row=T - 1)), ("'rate' at 2014Q4",)),
    Case("cells of y", "a column of NaN", fits(column(np.nan)), ("'rate'",)),
    Case("cells of y", "pd.NA in a Float64 column", fits(put(pd.NA, dtype="Float64")), ("'rate' at 2005Q1",)),
    Case("cells of y", "None in an object column", fits(put(None, dtype=object)), ("'rate'", "'gdp'")),
    Case("cells of y", "inf", fits(put(np.inf)), ("'rate' at 2005Q1",)),
    Case("cells of y", "-inf", fits(put(-np.inf)), ("'rate' at 2005Q1",)),
    Case("cells of y", "1e200", fits(put(1e200)), ("'rate' at 2005Q1",)),
    Case("cells of y", "moves of 1e-300", fits(lambda: series() * 1e-300), ("'gdp'", "power of ten")),
    Case("cells of y", "columns of 1e12 and 1e-12", fits(lambda: series() * [1e12, 1e-12]), ("y",), finite),
    Case("cells of y", "a straight line", fits(lambda: np.arange(60.0)), ("y", "innovations"), finite),
    Case("cells of y", "a column that alternates", fits(column((-1.0) ** np.arange(T))), ("innovations",), finite),
    Case("cells of y", "a step in the last row", fits(column([0.0] * (T - 1) + [1.0])), ("'rate'", "L1.rate"), finite),
    Case("cells of y", "a constant column", fits(column(3.0)), ("'rate'",), constant_stays),
    Case("cells of y", "every column constant", fits(lambda: series() * 0 + 3.0), ("gdp", "constant"), constant_stays),
    Case("cells of y", "a column that is the sum of the others",
         fits(lambda: series().assign(total=lambda y: y["gdp"] + y["rate"])), ("gdp", "rate", "total"), sum_stays),
    Case("cells of y", "two equal columns", fits(lambda: series().assign(rate=series()["gdp"])), ("gdp", "rate"),
         twins_stay),
    Case("cells of y", "a constant in the last ten rows only",
         fits(lambda: series().assign(rate=[*series()["rate"][:T - 10], *[3.0] * 10])), ("rate",), finite),
]
TYPES = [
    Case("types of y", "a text column", fits(column("high")), ("'rate'",)),
    Case("types of y", "numbers as text", fits(lambda: series().astype(str)), ("'gdp'",)),
    Case("types of y", "one text in a column", fits(put("n/a", dtype=object)), ("'gdp'", "'rate'")),
    Case("types of y", "a True/False column", fits(column(lambda y: y["rate"] > 0)), ("'rate'",)),
    Case("types of y", "complex numbers", fits(lambda: series() * 1j), ("'gdp'",)),
    Case("types of y", "a column of dates", fits(column(DAYS)), ("'rate'",)),
    Case("types of y", "a column of time spans", fits(column(DAYS - DAYS[0])), ("'rate'",)),
    Case("types of y", "a categorical column", fits(lambda: series().astype({"rate": "category"})), ("'rate'",)),
    Case("types of y", "decimals", fits(column([decimal.Decimal(1)] * T)), ("'rate'",)),
    Case("types of y", "lists in cells", fits(column([[1.0]] * T)), ("'rate'",)),
    Case("types of y", "numbers in an object column", fits(lambda: series().astype(object)), ("'gdp'",)),
    Case("types of y", "a structured array", fits(np.zeros(20, dtype=[("a", float), ("b", float)])), ("y",)),
    Case("types of y", "pd.NA in an Int64 column", fits(lambda: (series() * 10).round().astype("Int64").mask(
        np.arange(T)[:, None] == [-1, 20])), ("'rate' at 2005Q1",)),
    Case("types of y", "nullable boolean", fits(lambda: (series() > 2).astype("boolean")), ("'gdp'",)),
    Case("types of y", "pandas' string type", fits(lambda: series().astype("string")), ("'gdp'",)),
    Case("types of y", "sparse columns", fits(lambda: series().astype(pd.SparseDtype("float"))), ("y",), same_as_plain),
    Case("types of y", "long doubles", fits(lambda: series().to_numpy().astype(np.longdouble)), ("y",), same_as_plain),
    Case("types of y", "16-bit floats", fits(lambda: series().astype("float16")), ("y",), nearly_plain),
    Case("types of y", "nullable Float64", fits(lambda: series().astype("Float64")), ("y",), same_as_plain),
    Case("types of y", "whole numbers", fits(lambda: (series() * 10).round().astype("int8")), ("y",), finite),
    Case("names of y", "two columns of one name", fits(lambda: series().set_axis(["gdp", "gdp"], axis=1)), ("'gdp'",)),
    Case("names of y", "the names 1 and '1'", fits(lambda: series().set_axis([1, "1"], axis=1)), ("'1'",)),
    Case("names of y", "numbers as names", fits(lambda: series().set_axis([0, 1], axis=1)), ("y",), same_as_plain),
]
DATES = [
    Case("dates of y", "a date twice", fits(dated(TWICE)), ("2007Q2",)),
    Case("dates of y", "two dates swapped", fits(dated(SWAPPED)), ("2005Q1",)),
    Case("dates of y", "newest first", fits(lambda: series().iloc[::-1]), ("order",)),
    Case("dates of y", "a quarter left out", fits(dated(GAP)), ("2007Q3",)),
    Case("dates of y", "irregular days", fits(dated(DAYS.delete(7).append(DAYS[-1:] + pd.Timedelta(days=1)))),
         ("2020-01-07",)),
    Case("dates of y", "NaT", fits(dated(DAYS.where(np.arange(T) != 5))), ("row 5",)),
    Case("dates of y", "dates as text", fits(dated(quarters().astype(str))), ("index",)),
    Case("dates of y", "Python dates", fits(dated([day.date() for day in DAYS])), ("index",)),
    Case("dates of y", "a MultiIndex", fits(dated(pd.MultiIndex.from_product([["a", "b"], range(T // 2)]))),
         ("MultiIndex",)),
    Case("dates of y", "fractions as an index", fits(dated(np.arange(T) / 4)), ("index",)),
    Case("dates of y", "irregular numbers as an index", fits(dated([*range(T - 1), 99])), ("99",)),
    Case("dates of y", "mixed time zones", fits(dated([*DAYS[:30].tz_localize("UTC"),
                                                      *DAYS[30:].tz_localize("Europe/Berlin")])), ("index",)),
    Case("dates of y", "quarters dated mid-month", fits(dated(pd.DatetimeIndex(quarters().to_timestamp()
                                                                               + pd.Timedelta(days=14)))),
         ("2000-07-15",)),
    Case("dates of y", "an hour that a clock change repeats", fits(dated(HOURS.tz_localize(None))), ("02:00:00",)),
    Case("dates of y", "hours over a clock change in Berlin", fits(dated(HOURS)), ("y",),
         follows(HOURS[-1] + pd.timedelta_range("1h", periods=H, freq="h"))),
    Case("dates of y", "time spans as an index", fits(dated(pd.timedelta_range("0h", periods=T, freq="h"))),
         ("index",)),
    Case("dates of y", "numbers that fall", fits(dated(range(T, 0, -1))), ("59 after 60",)),
    Case("dates of y", "ends of quarters that have no frequency set",
         fits(dated(pd.DatetimeIndex(pd.date_range("2000-03-31", periods=T, freq="QE").to_numpy()))), ("y",),
         follows(pd.date_range("2015-03-31", periods=H, freq="QE"))),
    Case("dates of y", "days that have no frequency set", fits(dated(pd.DatetimeIndex(DAYS.to_numpy()))), ("y",),
         as_on(DAYS)),
    Case("dates of y", "month ends in Berlin", fits(dated(BERLIN[:T])), ("y",), follows(BERLIN[T:])),
]
WEEKDAYS = pd.bdate_range("2020-01-02", periods=T + 1).delete(12)
YEARS = pd.period_range("1900", periods=T + H, freq="4Y")
MONTHS = pd.period_range("2010-01", periods=T + H, freq="M")
HOURLY = pd.date_range("2020-01-01", periods=T + H, freq="h")
LATER = quarters(T + H)[T:]
COUNTERS = [
    Case("what only counts", "a column of dates", fits(lambda: series().assign(date=DAYS)), ("set_index('date')",)),
    Case("what only counts", "weekdays with a holiday", fits(dated(WEEKDAYS)), ("Monday 2020-01-20",)),
    Case("what only counts", "a month left out", fits(dated(MONTHS.to_timestamp()[:T + 1].delete(7))),
         ("the month 2010-08 has no row",)),
]
FILES = [
    Case("files", "year and quarter as floats",
         reads(lambda row: f"{2000 + row // 4}.0,{row % 4 + 1}.0", "year,quarter"), ("y",), follows(LATER)),
    Case("files", "decimal years", reads(lambda row: f"{2000 + row / 4:g}", "time"), ("y",), follows(LATER)),
    Case("files", "Q1 2000", reads(lambda row: f"Q{row % 4 + 1} {2000 + row // 4}"), ("y",), follows(LATER)),
    Case("files", "2000.1 … 2000.4", reads(lambda row: f"{2000 + row // 4}.{row % 4 + 1}"), ("y",), follows(LATER)),
    Case("files", "a counter beside the dates", reads(lambda row: f"{row + 1},{quarters()[row]}", first="X,"), ("y",),
         follows(LATER)),
    Case("files", "text beside the dates", reads(lambda row: f"DE,{quarters()[row]}", first="place,"), ("y",),
         follows(LATER)),
    Case("files", "years with a step of 4", reads(lambda row: f"{1900 + 4 * row}", "year"), ("y",), follows(YEARS[T:])),
    Case("files", "Jan-10", reads(lambda row: f"{MONTHS[row]:%b-%y}"), ("y",), follows(MONTHS[T:])),
    Case("files", "201001", reads(lambda row: f"{MONTHS[row]:%Y%m}"), ("y",), follows(MONTHS[T:])),
    Case("files", "seconds since 1970", reads(lambda row: f"{1577836800 + 3600 * row}", "timestamp"), ("y",),
         follows(HOURLY[T:])),
    Case("files", "no line of names", _of_text(b"2000-01,1,2\n2000-02,3,4\n2000-03,2,2\n"), ("add a header line",)),
    Case("files", "a column for each year", _of_text(b"place,2000,2001,2002\nA,1,2,3\nB,3,4,5\n"),
         ("time runs along the lines",)),
    Case("files", "series one below the other",
         reads(lambda row: f"{row // 20},{1950 + row % 20}", "year", first="firm,"), ("1950 more than once",)),
    Case("files", "a spreadsheet's day numbers", reads(lambda row: f"{43831 + row}"), ("43831",)),
    Case("files", "1.234 between semicolons", _of_text(b"date;a\n" + "".join(
        f"{MONTHS[row]};1.{(7 * row * row) % 900 + 100}\n" for row in range(T)).encode()), ("can mean",)),
    Case("files", "a decimal dot and a decimal comma", _of_text(b"date;a;b\n2000-01;1,5;2.5\n2000-02;2,5;3.5\n"),
         ("a decimal comma",)),
    Case("files", "an old Excel file", _of_text(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), ("old Excel",)),
    Case("files", "JSON", _of_text(b'{"a": [1, 2, 3]}'), ("JSON",)),
    Case("files", "a web page", _of_text(b"<!DOCTYPE html><html></html>"), ("web page",)),
    Case("files", "only a counter", _of_text(b"id\n1\n2\n3\n4\n5\n6\n7\n"), ("no column to forecast",)),
]
SEEDS = [
    Case("rng", f"rng={rng!r} in fit", fits(series, rng=rng), (f"rng={rng!r}",))
    for rng in ("a", -1, 1.5, True, [1, 2])
] + [
    Case("rng", f"rng={rng!r} in forecast", forecasts(3, rng=rng), (f"rng={rng!r}",)) for rng in ("a", -1, 1.5, True)
]
HORIZONS = [
    Case("horizon", f"horizon={horizon!r}", forecasts(horizon), (f"horizon={horizon!r}",))
    for horizon in (0, -3, 2.5, 3.0, np.float64(3.0), np.array(3), "3", True, None, float("nan"), [3], 10**9)
]
COVERAGES = [
    Case("coverage", f"coverage={coverage!r}", forecasts(3, coverage=coverage), (f"coverage={coverage!r}",))
    for coverage in (95, "95", 0, 1, 0.0, 1.0, -0.1, float("nan"), float("inf"), True, None)
] + [
    Case("coverage", "interval(95)", lambda bench: bench.fit.forecast(3, n_paths=20).interval(95), ("coverage=95",)),
    Case("coverage", "quantile(1.0)", lambda bench: bench.fit.forecast(3, n_paths=20).quantile(1.0), ("q=1.0",)),
    Case("coverage", "quantile('0.5')", lambda bench: bench.fit.forecast(3, n_paths=20).quantile("0.5"), ("q='0.5'",)),
]
PATHS = [
    Case("paths", f"n_paths={count!r}", forecasts(3, n_paths=count), (f"n_paths={count!r}",))
    for count in (0, -5, 2.5, "many", True, None)
] + [
    Case("paths", "n_paths=10**9", forecasts(3, n_paths=10**9), ("use n_paths <= ",)),
    Case("paths", "horizon=10**6 with 1,000 paths", forecasts(10**6), ("use n_paths <= ", "use horizon <= ")),
    Case("paths", "uncertainty='maybe'", forecasts(3, uncertainty="maybe"), ("uncertainty='maybe'",)),
    Case("paths", "shocks='cauchy'", forecasts(3, shocks="cauchy"), ("shocks='cauchy'",)),
    Case("paths", "shocks=None", forecasts(3, shocks=None), ("shocks=None",)),
]
IN_SAMPLE = [
    Case("X in fit", "text", fits(series, "oil"), ("X",)),
    Case("X in fit", "an empty frame", fits(series, pd.DataFrame), ("X",)),
    Case("X in fit", "a date left out", fits(series, lambda: inputs(T).drop(quarters()[9])), ("2002Q2", "no exog")),
    Case("X in fit", "other dates", fits(series, lambda: inputs(T).set_axis(quarters(3 * T)[2 * T:], axis=0)),
         ("2000Q1", "no exog")),
    Case("X in fit", "days for quarters", fits(series, lambda: inputs(T).set_axis(DAYS, axis=0)),
         ("2000Q1", "no exog")),
    Case("X in fit", "a time zone where y has none",
         fits(dated(DAYS), lambda: inputs(T).set_axis(DAYS.tz_localize("UTC"), axis=0)), ("2020-01-01", "no exog")),
    Case("X in fit", "a date twice", fits(series, lambda: inputs(T).set_axis(TWICE, axis=0)), ("2007Q2", "no exog")),
    Case("X in fit", "NaN", fits(series, with_inputs(oil=np.nan)), ("'oil'", "no exog")),
    Case("X in fit", "inf", fits(series, with_inputs(oil=np.inf)), ("'oil'", "no exog")),
    Case("X in fit", "a text column", fits(series, with_inputs(oil="dear")), ("'oil'", "no exog")),
    Case("X in fit", "a True/False column", fits(series, with_inputs(oil=True)), ("'oil'", "no exog")),
    Case("X in fit", "two columns of one name", fits(series, lambda: inputs(T).set_axis(["oil", "oil"], axis=1)),
         ("'oil'", "no exog")),
    Case("X in fit", "a column of y", fits(series, lambda: series()), ("'gdp'", "no exog")),
    Case("X in fit", "an array that is too short", fits(series, np.ones((T - 1, 2))), ("59 rows", "no exog")),
    Case("X in fit", "more dates than y", lambda bench: bench.spec.fit(series(), inputs()).forecast(
        H, inputs().iloc[T:], n_paths=20).mean, ("no exog",), same_as_with_inputs),
    Case("X in fit", "firsts of quarters for ends",
         fits(dated(quarters().to_timestamp(how="end").normalize()), lambda: inputs(T).set_axis(
             quarters().to_timestamp(), axis=0)), ("2000-03-31", "no exog")),
    Case("X in fit", "a constant column", fits(series, with_inputs(oil=1.0)), ("oil", "no exog")),
    Case("X in fit", "two equal columns", fits(series, with_inputs(tax=lambda X: X["oil"])), ("oil", "tax", "no exog")),
]
FUTURE = [
    Case("X in forecast", "given to a fit without X", lambda bench: bench.fit.forecast(H, inputs().iloc[T:]),
         ("X was given",)),
    *[Case("X in forecast", what, forecasts_with(X), says, right, needs_inputs=True) for what, X, says, right in (
        ("None", lambda: None, ("X is missing",), None),
        ("text", lambda: "oil", ("X is str",), None),
        ("a column missing", lambda: inputs().iloc[T:][["oil"]], ("'tax'",), None),
        ("a column misspelt", lambda: inputs().iloc[T:].rename(columns={"tax": "taxes"}), ("'tax'",), None),
        ("columns in another order", lambda: inputs().iloc[T:][["tax", "oil"]], ("X",), same_as_with_inputs),
        ("a column too many", lambda: inputs().iloc[T:].assign(more=1.0), ("X",), same_as_with_inputs),
        ("dates in another order", lambda: inputs().iloc[T:].iloc[::-1], ("X",), same_as_with_inputs),
        ("more dates than needed", lambda: inputs(), ("X",), same_as_with_inputs),
        ("the dates of the sample", lambda: inputs().iloc[:H], ("2015Q1",), None),
        ("too few dates", lambda: inputs().iloc[T:T + 2], ("2015Q3",), None),
        ("a date twice", lambda: pd.concat([inputs().iloc[T:], inputs().iloc[T:T + 1]]), ("2015Q1",), None),
        ("NaN", lambda: inputs().iloc[T:].assign(oil=np.nan), ("'oil'",), None),
        ("text for numbers", lambda: inputs().iloc[T:].astype(str), ("'oil'",), None),
        ("an array of one column", lambda: np.ones((H, 1)), ("1 columns", "1 column"), None),
        ("an array with a row too many", lambda: np.ones((H + 1, 2)), ("6 rows",), None),
    )],
]
UPDATES = [
    Case("update", what, lambda bench, y_new=y_new: bench.fit.update(y_new()), says) for what, y_new, says in (
        ("None", lambda: None, ("y_new is NoneType",)),
        ("text", lambda: "more", ("y_new is str",)),
        ("a gap before it", lambda: series(T + 4).iloc[T + 1:], ("2015Q1",)),
        ("rows that were seen", lambda: series(T + 2).iloc[T - 1:], ("2015Q1",)),
        ("columns in another order", lambda: series(T + 2).iloc[T:][["rate", "gdp"]], ("rate",)),
        ("a column missing", lambda: series(T + 2).iloc[T:][["gdp"]], ("gdp",)),
        ("an array with three columns", lambda: np.ones((2, 3)), ("3 columns",)),
        ("NaN", lambda: series(T + 2).iloc[T:].assign(rate=np.nan), ("'rate'",)),
        ("dates of another kind", lambda: series(T + 3).iloc[T:].set_axis(DAYS[:3], axis=0), ("2015Q1",)),
        ("a datetime", lambda: datetime.datetime(2020, 1, 1), ("y_new",)),
    )
]
GAPS = [
    Case("missing", "missing='maybe'", lambda bench: bench.spec.fit(series(), missing="maybe"), ("missing='maybe'",)),
    Case("missing", "a column of NaN and missing='filter'",
         lambda bench: bench.spec.fit(column(np.nan)(), missing="filter"), ("'rate'",)),
]


def scenario(*given: Any, **conditions: Any) -> Act:
    """Ask for a scenario; models that have no recursion of their own refuse all of them."""
    return lambda bench: bench.fit.scenario(*(given or (3,)), n_paths=20, **conditions).mean


NONE_OF_ITS_OWN = "no recursion of its own"
SCENARIOS = [
    Case("scenario", what, act, (*says, NONE_OF_ITS_OWN)) for what, act, says in (
        ("an unknown series", scenario(hard={"gnp": 1.0}), ("gnp",)),
        ("a date beyond the horizon", scenario(hard={"gdp": {"2031Q1": 1.0}}), ("2031Q1",)),
        ("a date that was seen", scenario(hard={"gdp": {"2001Q1": 1.0}}), ("2001Q1",)),
        ("a list of another length", scenario(hard={"gdp": [1.0, 2.0]}), ("gdp", "2")),
        ("text for a value", scenario(hard={"gdp": "high"}), ("gdp",)),
        ("inf for a value", scenario(hard={"gdp": float("inf")}), ("gdp", "inf")),
        ("a range with low > high", scenario(soft={"gdp": (2.0, 1.0)}), ("gdp",)),
        ("a value outside the range of the same cell", scenario(hard={"gdp": 5.0}, soft={"gdp": (0.0, 1.0)}), ("gdp",)),
        ("a range of one number", scenario(soft={"gdp": 1.0}), ("gdp",)),
        ("conditions that are a list", scenario(hard=[1.0, 2.0, 3.0]), ("hard",)),
        ("horizon 0", scenario(0, hard={"gdp": 1.0}), ("horizon=0",)),
        ("coverage 95", scenario(hard={"gdp": 1.0}, coverage=95), ("coverage=95",)),
    )
]
PICTURES = [
    Case("pictures", "autocorrelations at 0 lags", lambda bench: bench.fit.plot_acorr(0), ("nlags=0",)),
    Case("pictures", "at more lags than residuals", lambda bench: bench.fit.plot_acorr(500), ("nlags=500",)),
    Case("pictures", "at 'ten' lags", lambda bench: bench.fit.plot_acorr("ten"), ("nlags='ten'",)),
    Case("pictures", "a fan with bands of 95", lambda bench: bench.fit.forecast(H).plot([95]), ("coverage",)),
    Case("pictures", "a fan with bands of 'wide'", lambda bench: bench.fit.forecast(H).plot("wide"), ("coverage",)),
    Case("pictures", "a fan with no bands", lambda bench: bench.fit.forecast(H).plot([]), ("coverage",)),
    Case("pictures", "a fan with one band, 0.9", lambda bench: bench.fit.forecast(H, rng=0).plot(0.9), (),
         lambda bench, axes: len(axes[0].collections) == 1),
]
CASES: tuple[Case, ...] = (*WHAT_Y_IS, *CELLS, *TYPES, *DATES, *COUNTERS, *FILES, *IN_SAMPLE, *FUTURE, *UPDATES,
                           *HORIZONS, *COVERAGES, *PATHS, *SEEDS, *GAPS, *SCENARIOS, *PICTURES)
