"""A user's file: what is recognised, and what is refused in words that name the place."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn.data import read_table
from varnn.dates import season_of
from varnn.errors import (
    DtypeError,
    InputError,
    MissingDataError,
    ReadingWarning,
    ShapeError,
    StoreError,
    TimeIndexError,
)
from varnn.series import Series


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def rows(dates, values=None):
    return "when,a\n" + "".join(f"{date},{j + 1.5}\n" for j, date in enumerate(dates))


@pytest.mark.parametrize(
    ("dates", "first", "freq", "season"),
    [
        (["1959Q4", "1960Q1", "1960Q2"], "1959Q4", "Q-DEC", 4),
        (["1959-Q4", "1960-Q1", "1960-Q2"], "1959Q4", "Q-DEC", 4),
        (["1959 q4", "1960 q1", "1960 q2"], "1959Q4", "Q-DEC", 4),
        (["1959M11", "1959M12", "1960M01"], "1959-11", "M", 12),
        (["1959-11", "1959-12", "1960-01"], "1959-11", "M", 12),
        (["1959-11-01", "1959-12-01", "1960-01-01"], "1959-11-01 00:00:00", "MS", 12),
        (["1959-03-31", "1959-06-30", "1959-09-30"], "1959-03-31 00:00:00", "QE-DEC", 4),
        (["2020-01-01", "2020-01-02", "2020-01-03"], "2020-01-01 00:00:00", "D", 7),
        (["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"], "2020-01-02 00:00:00", "B", 5),
        (["2020-01-05", "2020-01-12", "2020-01-19"], "2020-01-05 00:00:00", "W-SUN", 52),
        (["2020-01-01 00:00:00", "2020-01-01 01:00:00", "2020-01-01 02:00:00"], "2020-01-01 00:00:00", "h", 24),
        (["2020-01-01T00:00", "2020-01-01T00:15", "2020-01-01T00:30"], "2020-01-01 00:00:00", "15min", 96),
        (["2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z", "2020-01-01T02:00:00Z"], "2020-01-01 00:00:00+00:00",
         "h", 24),
        (["1/1/1959", "2/1/1959", "3/1/1959", "4/1/1959", "5/1/1959", "6/1/1959", "7/1/1959", "8/1/1959", "9/1/1959",
          "10/1/1959", "11/1/1959", "12/1/1959", "1/1/1960"], "1959-01-01 00:00:00", "MS", 12),
        (["30/11/1959", "31/12/1959", "31/01/1960"], "1959-11-30 00:00:00", "ME", 12),
        (["01.11.1959", "01.12.1959", "01.01.1960"], "1959-11-01 00:00:00", "MS", 12),
        (["1961-01-31", "1961-02-28", "1961-03-30", "1961-04-28"], "1961-01", "M", 12),  # last trading days
        (["20200101", "20200102", "20200103"], "2020-01-01 00:00:00", "D", 7),
        (["2020/01/01", "2020/01/02", "2020/01/03"], "2020-01-01 00:00:00", "D", 7),
    ],
)
def test_dates_in_many_hands_become_a_regular_index(file, dates, first, freq, season):
    y, inputs = read_table(file(rows(dates)), date="when")
    assert inputs is None
    assert str(y.index[0]) == first
    assert y.index.freqstr == freq
    assert season_of(y.index) == season
    assert Series.of(y).k == 1


@pytest.mark.parametrize(
    ("text", "freq"),
    [
        ("date,a\n1959Q1,1\n1959Q2,2\n1959Q3,3\n", "Q-DEC"),
        ("a,period\n1,1959-01-01\n2,1960-01-01\n3,1961-01-01\n", "YS-JAN"),
        ("a,somewhen\n1,2020-01-01\n2,2020-01-02\n3,2020-01-03\n", "D"),
        ("Year,a\n1900,1\n1901,2\n1902,3\n", "Y-DEC"),
        (",a\n1900,1\n1901,2\n1902,3\n", "Y-DEC"),
        ("year,quarter,a\n1959,1,5\n1959,2,6\n1959,3,7\n", "Q-DEC"),
        ("year,month,a\n1959,11,5\n1959,12,6\n1960,1,7\n", "M"),
        ("year,month,day,hour,a\n2010,1,1,0,5\n2010,1,1,1,6\n2010,1,1,2,7\n", "h"),
        ("year,month,day,a\n2010,1,31,5\n2010,2,1,6\n2010,2,2,7\n", "D"),
        ("year,mon,a\n1980,1,5\n1980,4,6\n1980,7,7\n1980,10,7\n1981,1,7\n", "Q-DEC"),
    ],
)
def test_the_date_column_is_found(file, text, freq):
    y, _ = read_table(file(text))
    assert list(y.columns) == ["a"]
    assert y.index.freqstr == freq


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n3,4\n", "rownames,a,b\n1,1,2\n2,3,4\n", ",a,b\n0,1,2\n1,3,4\n", '"","a","b"\n"1",1,2\n"2",3,4\n'],
)
def test_a_file_without_dates_numbers_its_rows(file, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)  # which a test of what is left out reads
        y, _ = read_table(file(text))
    assert isinstance(y.index, pd.RangeIndex)
    assert_allclose(y.to_numpy(), [[1, 2], [3, 4]])
    assert season_of(y.index) == 1


@pytest.mark.parametrize("date", [False, "none"])
def test_irregular_dates_can_be_left_out(file, date):
    path = file(rows(["2020-01-01", "2020-01-02", "2020-01-07"]))
    y, _ = read_table(path, date=date)
    assert isinstance(y.index, pd.RangeIndex)
    assert list(y.columns) == ["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("﻿a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a;b\n1;2\n3;4\n", [[1, 2], [3, 4]]),
        ("a;b\n1,5;2\n3,25;4\n", [[1.5, 2], [3.25, 4]]),
        ("a\tb\n1\t2\n3\t4\n", [[1, 2], [3, 4]]),
        ('a,b\n"1,234.5",2\n"12,345",4\n', [[1234.5, 2], [12345, 4]]),
        ("a, b\r\n1, 2\r\n3, 4\r\n", [[1, 2], [3, 4]]),
        ("a,b\n1e3,-2\n+.5,4\n", [[1000, -2], [0.5, 4]]),
        ("a,b\n1,2\n3,4\n,\n,\n", [[1, 2], [3, 4]]),
        ("a,b,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("  a   b\n  1 2e+001\n -3 4\n", [[1, 20], [-3, 4]]),
        ("größe,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
    ],
)
def test_separators_marks_and_commas_are_understood(file, text, expected):
    y, _ = read_table(file(text))
    assert_allclose(y.to_numpy(), expected)


def test_a_latin_1_file_is_read(file):
    y, _ = read_table(file("größe,b\n1,2\n3,4\n", encoding="latin-1"))
    assert list(y.columns) == ["größe", "b"]


def test_columns_exog_and_transform(file):
    text = "date,a,b,x\n1959Q1,1,10,7\n1959Q2,2,20,8\n1959Q3,4,40,9\n"
    y, inputs = read_table(file(text), columns=["b"], exog=["x"], transform="logdiff")
    assert_allclose(y["b"], np.log([2, 2]))
    assert_allclose(inputs["x"], [8, 9])
    assert y.index.equals(inputs.index)
    assert list(read_table(file(text), exog=["x"])[0].columns) == ["a", "b"]


def test_parquet_gives_what_csv_gives(file, tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"date": pd.date_range("2000-01-01", periods=4, freq="MS"), "a": [1.0, 2, 3, 5]})
    path = tmp_path / "mine.parquet"
    table.to_parquet(path)
    y, _ = read_table(path)
    assert y.index.freqstr == "MS"
    assert_allclose(y["a"], [1, 2, 3, 5])
    table.set_index("date").to_parquet(path)
    assert read_table(path)[0].equals(y)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(StoreError, match="not a readable Parquet file"):
        read_table(path)


def test_missing_cells_are_kept_for_the_input_gate_to_refuse_by_name(file):
    y, _ = read_table(file("date,a\n1959Q1,1\n1959Q2,NA\n1959Q3,3\n"))
    with pytest.raises(MissingDataError, match="column 'a' at 1959Q2"):
        Series.of(y)


BAD = [
    ("", {}, ShapeError, "is empty"),
    ("a,b\n", {}, ShapeError, "no rows of data"),
    ("date\n1959Q1\n1959Q2\n", {}, ShapeError, "no column to forecast besides date"),
    (b"\x00\x01\x02a,b", {}, StoreError, "not a text file"),
    ("1,2\n3,4\n", {}, InputError, "begins with numbers"),
    ("1.5\n2.5\n3.5\n", {}, InputError, "begins with numbers"),
    ("  1 2\n  3 4\n", {}, InputError, "begins with numbers"),
    ("sasdate,a\nTransform:,5\n1/1/1959,2\n2/1/1959,3\n3/1/1959,3\n4/1/1959,3\n", {}, InputError,
     "'sasdate' holds 'Transform:' in data row 1, which is not a date"),
    ("year,month,day,a\n2010,1,31,5\n2010,2,30,6\n", {}, InputError, "hold 2010, 2, 30 in data row 2"),
    ("a,b\n1,2\n3\n4,5,6\n", {}, StoreError, "cannot be read as a table"),
    ("a,a\n1,2\n", {}, InputError, "more than one column named 'a'"),
    ("a,b\n1,2\n3,x7\n", {}, DtypeError, r"column 'b' holds 'x7', which is not a number \(data row 2"),
    ("a,b\n1,red\n3,blue\n", {"columns": ["b"]}, DtypeError, "column 'b' holds no numbers at all"),
    ("a,b\n1,$3\n3,$4\n", {}, DtypeError, "column 'b' holds no numbers at all"),
    ('a,b\n"1,234",2\n"2,345",3\n', {}, DtypeError, "'1,234' can mean 1234 or 1.234"),
    ("date,a\n1959Q1,1\n1959Q2,2\n1959Q4,4\n", {}, TimeIndexError, "no row for 1959Q3"),
    ("date,a\n1959Q1,1\n1959Q2,2\n1959Q2,4\n", {}, TimeIndexError, "1959Q2 more than once"),
    ("date,a\n1959Q3,1\n1959Q2,2\n1959Q1,4\n", {}, TimeIndexError, "not in time order"),
    ("date,a\n2020-01-01,1\n2020-01-02,2\n2020-01-03,2\n2020-01-09,4\n", {}, TimeIndexError,
     "2020-01-03 .* is followed by 2020-01-09"),
    ("date,a\n2020-01-01,1\n,2\n2020-01-03,2\n", {}, TimeIndexError, "'date' is empty in data row 2"),
    ("date,a\n2020-01-01,1\n2020-01-32,2\n2020-01-03,2\n", {}, InputError, "'2020-01-32' in data row 2, which is not"),
    ("date,a\n1/1/2000,1\n2/1/2000,2\n3/1/2000,2\n", {}, TimeIndexError, "month first or day first"),
    ("year,quarter,a\n1959,1,5\n1959,5,6\n", {}, InputError, "column 'quarter' holds '5' in data row 2"),
    ("a,b\n1,2\n3,4\n", {"columns": ["c"]}, InputError, "columns: the file has no column 'c'"),
    ("gdp,cons\n1,2\n3,4\n", {"columns": ["gpd"]}, InputError, "did you mean 'gdp'"),
    ("a,b\n1,2\n3,4\n", {"exog": ["z"]}, InputError, "exog: the file has no column 'z'"),
    ("a,b\n1,2\n3,4\n", {"date": "when"}, InputError, "date: the file has no column 'when'"),
    ("a,b\n1,2\n3,4\n", {"date": "a"}, InputError, "'a' holds '1' in data row 1, which is not a date"),
    ("a,b\n1,2\n3,4\n", {"columns": ["a", "a"]}, InputError, "names a column twice"),
    ("a,b\n1,2\n3,4\n", {"columns": ["a"], "exog": ["a"]}, InputError, "in columns and in exog"),
    ("date,b\n1959Q1,2\n1959Q2,4\n", {"columns": ["date"]}, InputError, "column 'date' holds the dates"),
    ("date,a\n1959Q1,1\n1959Q2,-2\n", {"transform": "logdiff"}, InputError, "column 'a' is -2 at 1959Q2"),
    ("a,b\n1,2\n3,4\n", {"transform": "log"}, InputError, "transform='log' is not known"),
]


@pytest.mark.parametrize(("text", "options", "error", "message"), BAD)
def test_a_bad_file_or_request_is_refused_in_words(file, text, options, error, message):
    with pytest.raises(error, match=message):
        read_table(file(text), **options)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(StoreError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(StoreError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("freq", "season"),
    [("h", 24), ("30min", 48), ("5min", 288), ("D", 7), ("B", 5), ("W-SUN", 52), ("7D", 52), ("MS", 12), ("ME", 12),
     ("QS", 4), ("2QS", 2), ("YS", 1), ("2h", 12), ("7h", 1), ("3MS", 4), ("s", 86400)],
)
def test_the_season_follows_from_the_frequency(freq, season):
    assert season_of(pd.date_range("2000-01-03", periods=5, freq=freq)) == season
