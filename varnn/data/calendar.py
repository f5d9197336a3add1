"""Exogenous columns that dates alone make: seasonal dummies, Fourier terms, weekdays, trading days.

Known for every date to come, so that one table serves `fit`, `forecast` and `compare`. Called by users and by the
command line; looks at dates only, never at observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from varnn.dates import joined, regular_index, season_of
from varnn.errors import ParameterError, TimeIndexError
from varnn.guide import guided, nearest
from varnn.series import FloatArray, Series, whole_number

Seasonal = Literal["dummies", "fourier"]
PARTS = ("weekday", "weekend", "month", "hour", "trading_days", "month_length")
MONDAY = pd.Timestamp("1970-01-05")
MONTHS_IN = {"M": 1, "ME": 1, "MS": 1, "BME": 1, "BMS": 1, "Q": 3, "QE": 3, "QS": 3, "BQE": 3, "BQS": 3, "Y": 12,
             "YE": 12, "YS": 12, "BYE": 12, "BYS": 12}


@guided
def calendar_columns(index: object, *, seasonal: Seasonal | None = None, season: int | None = None,
                     terms: int | None = None, parts: str | Sequence[str] = (), ahead: int = 0) -> pd.DataFrame:
    """Return columns that dates alone make, for the dates given and `ahead` more.

    dummies: s − 1 columns d_j = 1{season of t is j} − 1{season of t is 1}, which sum to nothing over a season, so that
    the constant stays the mean.  fourier: sin(2π i t/s), cos(2π i t/s), i = 1 … K.

    Parameters
    ----------
    index : Index, or DataFrame or Series with one
        Regular dates, or numbered rows.
    seasonal : {"dummies", "fourier"}, optional
    season : int, optional
        Rows s in a season; from the dates when left out. Numbered rows need it.
    terms : int, optional
        Pairs K of sine and cosine, at most s/2; the smaller of 3 and s/2 when left out.
    parts : str or list of str
        "weekday" and "month" and "hour" (dummies), "weekend" (1 on Saturdays and Sundays), "trading_days" (Mondays to
        Fridays in the period), "month_length" (days in the period).
    ahead : int
        Dates after the last one for which the columns are made as well.

    Returns
    -------
    DataFrame (T + ahead, q)

    Raises
    ------
    ParameterError
        For a word that there is not, or a season that the dates do not tell.
    TimeIndexError
        For dates that are not regular, or parts of the calendar of rows that have no dates.

    Examples
    --------
    >>> y = pd.Series(range(8), index=pd.period_range("2020Q1", periods=8, freq="Q"))
    >>> X = calendar_columns(y, seasonal="dummies", ahead=4)
    >>> X.shape, X.iloc[0].tolist(), X.iloc[1].tolist()
    ((12, 3), [-1.0, -1.0, -1.0], [1.0, 0.0, 0.0])
    """
    dates = regular_index(_index(index), "index")
    more = whole_number(ahead, "ahead", least=0)
    if more:
        dates = joined(dates, Series(np.zeros((len(dates), 1)), ("y",), dates).future_index(more))
    wanted = [parts] if isinstance(parts, str) else list(parts)
    for name in wanted:
        if name not in PARTS:
            near = nearest(str(name), list(PARTS), 0.6)
            raise ParameterError(f"parts: there is no {name!r}; {f'did you mean {near!r}?' if near else ''} there are "
                                 f"{', '.join(PARTS)}")
    if seasonal is not None and seasonal not in get_args(Seasonal):
        raise ParameterError(f"seasonal={seasonal!r} is not usable; give 'dummies' or 'fourier'")
    if seasonal is None and not wanted:
        raise ParameterError("nothing is asked for; give seasonal='dummies' or 'fourier', or parts of the calendar")
    columns: dict[str, FloatArray] = {}
    if seasonal is not None:
        s = season_of(dates) if season is None else whole_number(season, "season", least=2)
        if s < 2:
            raise ParameterError("the dates tell no season; give season=, the number of rows in one (--season)")
        columns |= _dummies("season", rows_since(dates) % s, s) if seasonal == "dummies" else _fourier(dates, s, terms)
    for name in wanted:
        columns |= _part(dates, name)
    return pd.DataFrame(columns, index=dates)


def rows_since(index: pd.Index[Any]) -> FloatArray:
    """Return how many rows of its frequency each label is after a fixed one, so that seasons go on alike.

    Days and hours count from a Monday at midnight, months and quarters from January; clocks are those of the dates.

    Examples
    --------
    >>> (rows_since(pd.date_range("2024-01-31", periods=3, freq="ME")) % 12).tolist()
    [0, 1, 2]
    """
    if isinstance(index, pd.PeriodIndex):
        name, n = str(index.freqstr).partition("-")[0].lstrip("0123456789"), int(getattr(index.freq, "n", 1))
        if name not in MONTHS_IN:
            return rows_since(pd.DatetimeIndex(index.to_timestamp(), freq="infer")) if len(index) > 2 else (
                index.asi8 // n)  # type: ignore[return-value]
        return _months(index) // (MONTHS_IN[name] * n)
    if isinstance(index, pd.DatetimeIndex):
        return _dates_since(index)
    labels = np.asarray(index, dtype=np.int64)
    step = int(labels[1] - labels[0]) if len(labels) > 1 else 1
    return labels // step  # type: ignore[return-value]


def _dates_since(index: pd.DatetimeIndex) -> FloatArray:
    name, n = str(index.freqstr).partition("-")[0].lstrip("0123456789"), int(getattr(index.freq, "n", 1))
    clock = index.tz_localize(None)
    if name in MONTHS_IN:
        return _months(clock) // (MONTHS_IN[name] * n)
    if name == "B":
        days = clock.to_numpy().astype("datetime64[D]")
        return np.busday_count(MONDAY.to_datetime64().astype("datetime64[D]"), days) // n  # type: ignore[return-value]
    fixed = {"W": "W", "D": "D"}.get(name)  # a Day is no fixed length to pandas
    step = pd.Timedelta(n, unit=fixed) if fixed else pd.Timedelta(index.freq)  # type: ignore[arg-type]
    return np.asarray((clock - MONDAY) // step)


def _months(index: Any) -> FloatArray:
    return np.asarray(index.year) * 12 + np.asarray(index.month) - 1  # type: ignore[no-any-return]


def _index(data: object) -> pd.Index[Any]:
    if isinstance(data, pd.Index):
        return data
    found = getattr(data, "index", None)
    if not isinstance(found, pd.Index):
        raise TimeIndexError(f"index of type {type(data).__name__} has no dates; give an index, or a DataFrame "
                             "with one")
    return found


def _dummies(name: str, which: FloatArray, kinds: int, first: int = 0) -> dict[str, FloatArray]:
    """Return centred dummies of all kinds but the first."""
    base = (which == 0).astype(np.float64)
    return {f"{name}_{kind + first}": (which == kind) - base for kind in range(1, kinds)}


def _fourier(dates: pd.Index[Any], s: int, terms: int | None) -> dict[str, FloatArray]:
    pairs = min(3, s // 2) if terms is None else whole_number(terms, "terms", least=1, most=s // 2)
    turn = 2 * np.pi * (rows_since(dates) % s) / s
    columns: dict[str, FloatArray] = {}
    for i in range(1, pairs + 1):
        columns[f"sin_{i}"] = np.sin(i * turn)
        columns[f"cos_{i}"] = np.cos(i * turn)
    if 2 * pairs == s:
        del columns[f"sin_{pairs}"]  # 0 at every row
    return columns


def _part(dates: pd.Index[Any], name: str) -> dict[str, FloatArray]:
    """Return one part of the calendar."""
    if not isinstance(dates, (pd.PeriodIndex, pd.DatetimeIndex)):
        raise TimeIndexError(f"parts: {name} needs dates, and the rows are only numbered")
    at = dates.to_timestamp() if isinstance(dates, pd.PeriodIndex) else dates.tz_localize(None)
    if name == "weekday":
        return _dummies("weekday", np.asarray(at.day_of_week), 7, 1)
    if name == "month":
        return _dummies("month", np.asarray(at.month) - 1, 12, 1)
    if name == "hour":
        return _dummies("hour", np.asarray(at.hour), 24)
    if name == "weekend":
        return {name: (np.asarray(at.day_of_week) > 4).astype(np.float64)}
    freq = str(dates.freqstr).partition("-")[0]
    if freq not in MONTHS_IN:
        raise TimeIndexError(f"parts: {name} is counted over months, quarters or years, and the dates are {freq}")
    whole = dates if isinstance(dates, pd.PeriodIndex) else at.to_period({1: "M", 3: "Q", 12: "Y"}[MONTHS_IN[freq]])
    first = whole.start_time.to_numpy().astype("datetime64[D]")
    last = whole.end_time.to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    count = np.busday_count(first, last) if name == "trading_days" else (last - first).astype(np.int64)
    return {name: np.asarray(count, dtype=np.float64)}
