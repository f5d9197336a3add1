"""Frames of other libraries keep their names and dates, or are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn.errors import DtypeError, InputError, ShapeError, TimeIndexError
from varnn.series import Series

T = 36
DATES = pd.date_range("2020-01-01", periods=T, freq="MS")
VALUES = np.random.default_rng(0).normal(size=(T, 2))


def test_polars_names_and_dates_are_kept():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"date": DATES.to_numpy(), "gdp": VALUES[:, 0], "cons": VALUES[:, 1]})
    series = Series.of(frame)
    assert series.names == ("gdp", "cons")
    assert series.index.equals(DATES)
    assert series.index.freqstr == "MS"
    np.testing.assert_array_equal(series.values, VALUES)
    assert Series.of(frame.drop("date")).index.equals(pd.RangeIndex(T))
    days = frame.with_columns(frame["date"].dt.date())
    assert Series.of(days).index.equals(DATES)
    assert varnn.VAR(lags=1).fit(frame).forecast(2).mean.index.equals(series.future_index(2))


def test_polars_inputs_are_matched_by_date():
    polars = pytest.importorskip("polars")
    y = pd.DataFrame(VALUES[:, :1], index=DATES, columns=["gdp"])
    X = polars.DataFrame({"when": DATES.to_numpy(), "oil": VALUES[:, 1]})
    np.testing.assert_array_equal(Series.of(y).exog_of(X.reverse()).values[:, 0], VALUES[:, 1])


def test_what_a_polars_frame_cannot_say_is_refused():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"date": DATES.to_numpy(), "gdp": VALUES[:, 0]})
    with pytest.raises(DtypeError, match="LazyFrame; call"):
        Series.of(frame.lazy())
    with pytest.raises(InputError, match="columns of dates 'date', 'end'"):
        Series.of(frame.with_columns(end=frame["date"]))
    with pytest.raises(DtypeError, match="'place' has type"):
        Series.of(frame.with_columns(place=polars.lit("u")))
    with pytest.raises(TimeIndexError, match="missing date in column 'date'"):
        Series.of(frame.with_columns(date=polars.when(polars.col("gdp") > 1).then(None).otherwise(polars.col("date"))))


def test_xarray_names_and_dates_are_kept():
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(VALUES, dims=("time", "name"), coords={"time": DATES, "name": ["gdp", "cons"]})
    for given in (array, array.T, array.to_dataset("name")):
        series = Series.of(given)
        assert series.names == ("gdp", "cons")
        assert series.index.equals(DATES)
        np.testing.assert_array_equal(series.values, VALUES)
    assert Series.of(array[:, 0].rename("gdp")).names == ("gdp",)
    assert Series.of(xarray.DataArray(VALUES, dims=("time", "name"))).names == ("y1", "y2")
    with pytest.raises(ShapeError, match="dimensions z, time, name"):
        Series.of(array.expand_dims("z"))


def test_pyarrow_names_and_dates_are_kept():
    pyarrow = pytest.importorskip("pyarrow")
    series = Series.of(pyarrow.table({"date": DATES, "gdp": VALUES[:, 0]}))
    assert series.names == ("gdp",)
    assert series.index.equals(DATES)
