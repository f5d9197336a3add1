"""The input gate: what it accepts it keeps exactly; what it refuses it names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn import errors
from varnn.dates import regular_index, season_of
from varnn.series import Series, checked_coverage, checked_horizon, generator


def quarters(rows: int) -> pd.PeriodIndex:
    return pd.period_range("2001Q1", periods=rows, freq="Q")


def test_values_names_and_dates_are_kept_exactly():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}, index=quarters(2))
    series = Series.of(frame)
    assert series.names == ("a", "b")
    assert series.index.equals(frame.index)
    np.testing.assert_array_equal(series.values, frame.to_numpy(float))


def test_the_gate_copies_so_that_later_changes_do_not_reach_the_series():
    array = np.ones((4, 2))
    series = Series.of(array)
    array[:] = 7
    assert (series.values == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        series.values[0, 0] = 2


def test_a_window_holds_no_reference_to_later_rows():
    series = Series.of(np.arange(10.0))
    part = series.window(0, 4)
    assert part.values.base is None
    assert not np.shares_memory(part.values, series.values)


@pytest.mark.parametrize(("index", "expected"), [
    (quarters(3), ["2001Q4", "2002Q1"]),
    (pd.date_range("2020-01-31", periods=3, freq="ME"), ["2020-04-30", "2020-05-31"]),
    (pd.date_range("2020-03-28 22:00", periods=3, freq="h", tz="Europe/Paris"),
     ["2020-03-29 01:00:00+01:00", "2020-03-29 03:00:00+02:00"]),
    (pd.RangeIndex(5, 8), ["8", "9"]),
    (pd.Index([1990, 1992, 1994]), ["1996", "1998"]),
])
def test_future_dates_follow_on(index, expected):
    series = Series.of(pd.DataFrame({"a": [1.0, 2.0, 4.0]}, index=index))
    assert series.future_index(2).astype(str).tolist() == expected


def test_irregular_dates_are_refused_at_the_first_gap():
    dates = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-07", "2020-01-08"])
    with pytest.raises(errors.TimeIndexError, match="2020-01-03 00:00:00 is followed by 2020-01-07"):
        Series.of(pd.DataFrame({"a": np.arange(5.0)}, index=dates))


def test_a_missing_period_is_named():
    index = quarters(5).delete(2)
    with pytest.raises(errors.TimeIndexError, match="no row for 2001Q3"):
        regular_index(index, "y")


def test_missing_values_are_counted_and_placed():
    frame = pd.DataFrame({"a": [1.0, np.nan, np.nan]}, index=quarters(3))
    with pytest.raises(errors.MissingDataError, match="2 missing values, the first in column 'a' at 2001Q2"):
        Series.of(frame)


@pytest.mark.parametrize(("data", "kind", "words"), [
    (None, errors.DtypeError, "NoneType"),
    ("abc", errors.DtypeError, "str"),
    ([[1.0, 2.0], [3.0]], errors.ShapeError, "not rectangular"),
    (np.zeros((2, 2, 2)), errors.ShapeError, "3 dimensions"),
    (pd.DataFrame(), errors.ShapeError, "empty"),
    (pd.DataFrame({"a": ["x", "y"]}), errors.DtypeError, "'a'"),
    (pd.DataFrame({"a": [True, False]}), errors.DtypeError, "True/False"),
    (np.array([1 + 2j, 3]), errors.DtypeError, "complex"),
    ([1.0, np.inf], errors.NonFiniteError, "inf"),
    ([1.0, 1e200], errors.NonFiniteError, "1e\\+200"),
    (np.ma.masked_array([1.0, 2.0], [False, True]), errors.MissingDataError, "masked"),
])
def test_what_is_no_series_is_refused_by_name(data, kind, words):
    with pytest.raises(kind, match=words):
        Series.of(data)


def test_duplicate_and_unsorted_dates_are_refused():
    twice = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.PeriodIndex(["2001Q1", "2001Q1"], freq="Q"))
    with pytest.raises(errors.TimeIndexError, match="2001Q1 more than once"):
        Series.of(twice)
    unsorted = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.PeriodIndex(["2001Q2", "2001Q1"], freq="Q"))
    with pytest.raises(errors.TimeIndexError, match="2001Q1 after 2001Q2"):
        Series.of(unsorted)


def test_exogenous_columns_are_matched_by_name_and_date_not_by_position():
    series = Series.of(pd.DataFrame({"a": [1.0, 2.0]}, index=quarters(2)))
    future = pd.DataFrame({"q": [30.0, 40.0], "p": [1.0, 2.0]}, index=quarters(4)[2:])
    shuffled = future.iloc[::-1][["p", "q"]]
    np.testing.assert_array_equal(series.future_exog(shuffled, 2, ["q", "p"]), future.to_numpy())


@pytest.mark.parametrize(("frame", "words"), [
    (pd.DataFrame({"q": [1.0, 2.0]}, index=quarters(6)[4:]), "no row for 2001Q3"),
    (pd.DataFrame({"typo": [1.0, 2.0]}, index=quarters(4)[2:]), "no column 'q'"),
    (pd.DataFrame({"q": [1.0, 2.0]}), "no row for 2001Q3"),
    (None, "X is missing"),
    (np.ones((3, 1)), "3 rows; 2 are needed"),
    (np.ones((2, 2)), "2 columns, the fit used 1"),
])
def test_exogenous_data_that_do_not_match_are_refused(frame, words):
    series = Series.of(pd.DataFrame({"a": [1.0, 2.0]}, index=quarters(2)))
    with pytest.raises(errors.ExogError, match=words):
        series.future_exog(frame, 2, ["q"])


def test_new_rows_must_follow_on():
    series = Series.of(pd.DataFrame({"a": [1.0, 2.0]}, index=quarters(2)))
    later = pd.DataFrame({"a": [3.0]}, index=quarters(4)[3:])
    with pytest.raises(errors.TimeIndexError, match="must start at 2001Q3"):
        series.extend(later)
    assert series.extend([[3.0]]).index[-1] == pd.Period("2001Q3", freq="Q")


@pytest.mark.parametrize("horizon", [0, -3, 2.5, "3", True, None, np.nan, 10**7])
def test_horizons_that_are_no_whole_number_of_steps_are_refused(horizon):
    with pytest.raises(errors.HorizonError, match="horizon="):
        checked_horizon(horizon)


@pytest.mark.parametrize("coverage", [95, "95", 0.0, 1.0, np.nan, True, -0.1])
def test_coverages_outside_the_unit_interval_are_refused(coverage):
    with pytest.raises(errors.ParameterError, match="coverage="):
        checked_coverage(coverage)


def test_no_seed_is_seed_zero_and_zero_is_a_seed():
    assert generator(None).random() == generator(0).random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(("freq", "season"), [("Q", 4), ("M", 12), ("D", 7), ("h", 24), ("W-SUN", 52), ("Y", 1)])
def test_seasons_follow_from_the_frequency(freq, season):
    assert season_of(pd.period_range("2000-01-01", periods=3, freq=freq)) == season


def test_a_column_that_dates_or_counts_the_rows_is_named_when_it_is_forecast():
    quarters = pd.period_range("2000Q1", periods=24, freq="Q")
    gdp = np.random.default_rng(0).normal(size=24)
    for name, numbers in {"year": np.repeat(np.arange(2000, 2006), 4), "X": np.arange(1, 25), "id": np.arange(24),
                          "Unnamed: 0": np.arange(24), "quarter": np.arange(24) % 4 + 1,
                          "time": 2000 + np.arange(24) / 4,
                          "timestamp": 1577836800 + 3600 * np.arange(24), "index": np.arange(24)}.items():
        for index in (quarters, pd.RangeIndex(24)):
            frame = pd.DataFrame({name: numbers, "gdp": gdp}, index=index)
            with pytest.warns(errors.SingularWarning, match=f"'{name}' follows from the past without error"):
                varnn.Direct(horizon=1, lookback=2).fit(frame)
            assert Series.of(frame.rename(columns={name: "level"})).names == ("level", "gdp")


@pytest.mark.parametrize("name", ["year", "X", "t", "index", "x", "time"])
def test_a_column_that_measures_is_taken_whatever_its_name(name):
    values = np.random.default_rng(0).normal(size=(24, 2)) + 100
    assert Series.of(pd.DataFrame(values, columns=[name, "gdp"])).names == (name, "gdp")


def test_compare_names_a_year_beside_the_dates_and_takes_a_trend_as_an_input():
    quarters = pd.period_range("1990Q1", periods=60, freq="Q")
    y = pd.DataFrame({"gdp": np.random.default_rng(0).normal(size=60)}, index=quarters)
    with pytest.warns(errors.SingularWarning, match="'year' follows from the past"):
        varnn.compare(y.assign(year=quarters.year), horizon=1, models=["Naive"])
    assert Series.of(y).exog_of(pd.DataFrame({"t": np.arange(60.0)}, index=quarters)).names == ("t",)


def test_a_column_of_dates_is_refused_with_the_way_to_make_it_the_index():
    frame = pd.DataFrame({"date": pd.date_range("2000-01-01", periods=9), "a": np.arange(9.0) ** 2})
    with pytest.raises(errors.DtypeError, match=r"set_index\('date'\)"):
        Series.of(frame)


def test_weekdays_with_a_holiday_are_named_with_their_ways_out():
    days = pd.bdate_range("2020-01-02", periods=60).delete(12)
    with pytest.raises(errors.TimeIndexError, match=r"no row for Monday 2020-01-20 \(1 of 60 weekdays .*asfreq\('B'\)"):
        Series.of(pd.DataFrame({"a": np.arange(59.0) ** 2}, index=days))


def test_a_gap_in_months_is_named_as_a_month():
    months = pd.date_range("2020-01-31", periods=30, freq="ME").delete(7)
    with pytest.raises(errors.TimeIndexError, match="the month 2020-08 has no row"):
        Series.of(pd.DataFrame({"a": np.arange(29.0) ** 2}, index=months))
