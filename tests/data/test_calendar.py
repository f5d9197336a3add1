"""Columns that dates make: against a definition written out date by date, and going on beyond the sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from varnn import VAR, compare
from varnn.data import calendar_columns
from varnn.data.calendar import PARTS
from varnn.errors import ParameterError, TimeIndexError

KINDS = {  # index, and the season of a date by the calendar
    "months": (pd.period_range("2019-11", periods=40, freq="M"), 12, lambda d: d.month - 1),
    "month ends": (pd.date_range("2019-11-30", periods=40, freq="ME"), 12, lambda d: d.month - 1),
    "month starts": (pd.date_range("2019-11-01", periods=40, freq="MS"), 12, lambda d: d.month - 1),
    "quarters": (pd.period_range("2019Q3", periods=20, freq="Q"), 4, lambda d: d.quarter - 1),
    "quarter starts": (pd.date_range("2019-07-01", periods=20, freq="QS"), 4, lambda d: d.quarter - 1),
    "days": (pd.date_range("2024-02-27", periods=30, freq="D"), 7, lambda d: d.day_of_week),
    "periods of days": (pd.period_range("2024-02-27", periods=30, freq="D"), 7, lambda d: d.day_of_week),
    "business days": (pd.date_range("2024-02-27", periods=30, freq="B"), 5, lambda d: d.day_of_week),
    "hours": (pd.date_range("2024-03-30 05:00", periods=80, freq="h", tz="Europe/Berlin"), 24, lambda d: d.hour),
    "half hours": (pd.date_range("2024-03-30 05:30", periods=99, freq="30min"), 48,
                   lambda d: 2 * d.hour + d.minute // 30),
    "numbers": (pd.RangeIndex(3, 43), 4, lambda d: d % 4),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ahead", [0, 9])
def test_dummies_are_those_of_the_calendar(kind, ahead):
    index, s, season = KINDS[kind]
    X = calendar_columns(index, seasonal="dummies", season=None if kind not in ("numbers", ) else s, ahead=ahead)
    assert X.shape == (len(index) + ahead, s - 1)
    for date, row in X.iterrows():
        at = season(date)
        assert row.tolist() == ([-1.0] * (s - 1) if at == 0 else [float(j == at) for j in range(1, s)]), date


@pytest.mark.parametrize("kind", KINDS)
def test_fourier_terms_with_all_pairs_span_the_dummies(kind):
    index, s, _ = KINDS[kind]
    waves = calendar_columns(index, seasonal="fourier", season=s, terms=s // 2).to_numpy()
    dummies = calendar_columns(index, seasonal="dummies", season=s).to_numpy()
    assert waves.shape[1] == s - 1
    left = dummies - waves @ np.linalg.lstsq(waves, dummies, rcond=None)[0]
    assert np.abs(left).max() < 1e-10


@pytest.mark.parametrize("freq", ["W-SUN", "W-WED", "2h", "15min", "2W", "2MS", "YS"])
def test_seasons_go_on_alike_whatever_the_frequency(freq):
    index = pd.date_range("2020-03-01", periods=60, freq=freq)
    whole = calendar_columns(index, seasonal="dummies", season=6)
    assert np.array_equal(whole.iloc[6:], whole.iloc[:-6])
    part = calendar_columns(index[:20], seasonal="dummies", season=6, ahead=40)
    assert part.equals(whole)
    later = calendar_columns(index[30:], seasonal="dummies", season=6)
    assert later.equals(whole.iloc[30:])


def test_parts_of_the_calendar():
    X = calendar_columns(pd.period_range("2024-01", periods=3, freq="M"), parts=["trading_days", "month_length"])
    assert X["trading_days"].tolist() == [23.0, 21.0, 21.0]
    assert X["month_length"].tolist() == [31.0, 29.0, 31.0]
    days = calendar_columns(pd.date_range("2024-03-01", periods=4, freq="D"), parts=["weekend", "weekday"])
    assert days["weekend"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert days.iloc[0, 1:].tolist() == [0, 0, 0, 1, 0, 0]


def test_one_table_serves_fit_forecast_and_compare():
    index = pd.period_range("2010-01", periods=96, freq="M")
    rng = np.random.default_rng(0)
    y = pd.DataFrame({"y": 3 * np.sin(2 * np.pi * np.arange(96) / 12) + 0.3 * rng.normal(size=96)}, index=index)
    X = calendar_columns(y, seasonal="fourier", terms=1, ahead=12)
    outlook = VAR(lags=1).fit(y, X).forecast(12, X)
    assert np.abs(outlook.point[:, 0] - 3 * np.sin(2 * np.pi * np.arange(12) / 12)).max() < 0.5
    table = compare(y, X, horizon=3, models={"with": VAR(lags=1)}, origins=5).table
    without = compare(y, horizon=3, models={"without": VAR(lags=1)}, origins=5).table
    assert table["rmsse"].iloc[0] < 0.5 * without["rmsse"].iloc[0]


@pytest.mark.parametrize(("index", "options", "error", "told"), [
    (pd.RangeIndex(9), {"seasonal": "dummies"}, ParameterError, "give season="),
    (pd.RangeIndex(9), {"parts": "month"}, TimeIndexError, "only numbered"),
    (pd.period_range("2020", periods=9, freq="Y"), {"seasonal": "fourier"}, ParameterError, "tell no season"),
    (pd.date_range("2024-01-01", periods=9), {"seasonal": "dummy"}, ParameterError, "'dummies' or 'fourier'"),
    (pd.date_range("2024-01-01", periods=9), {"parts": ["weekdays"]}, ParameterError, "did you mean 'weekday'"),
    (pd.date_range("2024-01-01", periods=9), {"parts": ["trading_days"]}, TimeIndexError, "months, quarters or years"),
    (pd.date_range("2024-01-01", periods=9), {}, ParameterError, "nothing is asked for"),
    (pd.date_range("2024-01-01", periods=9), {"seasonal": "fourier", "terms": 4}, ParameterError, "terms=4"),
    (pd.date_range("2024-01-01", periods=9), {"seasonal": "fourier", "ahead": -1}, ParameterError, "ahead=-1"),
    (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-05"]), {"seasonal": "dummies"}, TimeIndexError,
     "irregular"),
    ([1, 2], {"seasonal": "dummies"}, TimeIndexError, "has no dates"),
])
def test_what_cannot_be_made_is_refused(index, options, error, told):
    with pytest.raises(error, match=told):
        calendar_columns(index, **options)


def test_every_part_is_made_somewhere():
    made = set()
    for freq in ("M", "h"):
        for part in PARTS:
            try:
                made |= {part for _ in calendar_columns(pd.period_range("2024", periods=5, freq=freq), parts=part)}
            except TimeIndexError:
                continue
    assert made == set(PARTS)
