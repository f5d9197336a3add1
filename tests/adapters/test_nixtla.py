"""Nixtla's long frames: the numbers are the native ones, the columns and cutoffs those of statsforecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from varnn import VAR, Drift, LinearRNN, Mean, Naive, Panel, SeasonalNaive
from varnn.adapters.nixtla import VarnnForecast
from varnn.errors import DataNameError, ExogError, InputError, ParameterError, TimeIndexError, TooShortError

ROWS = {"north": 40, "south": 36}


def frame(exog: bool = False, text: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    parts = []
    for name, rows in ROWS.items():
        dates = pd.date_range("2020-01-31", periods=rows, freq="ME")
        part = pd.DataFrame({"unique_id": name, "ds": dates.strftime("%Y-%m-%d") if text else dates,
                             "y": rng.normal(size=rows).cumsum()})
        parts.append(part.assign(oil=rng.normal(size=rows)) if exog else part)
    return pd.concat(parts, ignore_index=True)


def native(df, model, rows=slice(None), X=None):
    """Return the native fit of each series."""
    return {name: model.fit(part.set_index("ds").asfreq("ME")[["y"]].iloc[rows],
                            None if X is None else part.set_index("ds").asfreq("ME")[X].iloc[rows])
            for name, part in df.groupby("unique_id")}


@pytest.mark.parametrize("text", [False, True], ids=["dates", "text"])
def test_predictions_are_the_native_ones_to_the_bit(text):
    sf = VarnnForecast([Naive(), VAR(lags=1)], freq="ME").fit(frame(text=text))
    found = sf.predict(3, level=[95, 80])
    assert list(found) == ["unique_id", "ds", "Naive", "Naive-lo-95", "Naive-lo-80", "Naive-hi-80", "Naive-hi-95",
                           "VAR", "VAR-lo-95", "VAR-lo-80", "VAR-hi-80", "VAR-hi-95"]
    for name, fit in native(frame(), VAR(lags=1)).items():
        part, outlook = found[found["unique_id"] == name], fit.forecast(3, rng=0)
        assert np.array_equal(part["VAR"], outlook.point[:, 0])
        assert np.array_equal(part["VAR-lo-80"], outlook.interval(0.8)[0]["y"])
        assert np.array_equal(part["VAR-hi-95"], outlook.interval(0.95)[1]["y"])
        assert list(part["ds"]) == list(outlook.index)


def test_exogenous_columns_are_those_beside_and_their_future_is_asked_for():
    df = frame(exog=True)
    sf = VarnnForecast([VAR(lags=1), Naive()], freq="ME").fit(df)
    with pytest.raises(ExogError, match="give their future values for series 'north' in X_df"):
        sf.predict(2)
    ahead = pd.DataFrame({"unique_id": ["south"] * 2 + ["north"] * 2, "oil": [1.0, 2.0, 3.0, 4.0],
                          "ds": [*pd.date_range("2023-01-31", periods=2, freq="ME"),
                                 *pd.date_range("2023-05-31", periods=2, freq="ME")]})
    found = sf.predict(2, ahead)
    fit = native(df, VAR(lags=1), X=["oil"])["south"]
    assert np.array_equal(found[found["unique_id"] == "south"]["VAR"], fit.forecast(2, [[1.0], [2.0]]).point[:, 0])


@pytest.mark.parametrize("refit", [True, False, 2])
def test_cross_validation_is_a_native_fit_at_each_cutoff(refit):
    df = frame()
    found = VarnnForecast([VAR(lags=1)], freq="ME").cross_validation(df, h=2, n_windows=3, step_size=2, refit=refit)
    assert list(found) == ["unique_id", "ds", "cutoff", "y", "VAR"]
    for name, rows in ROWS.items():
        series = df[df["unique_id"] == name].set_index("ds").asfreq("ME")[["y"]]
        part = found[found["unique_id"] == name]
        for window in range(3):
            end = rows - 6 + 2 * window
            last = {True: end, False: rows - 6, 2: rows - 6 + 4 * (window // 2)}[refit]
            fit = VAR(lags=1).fit(series.iloc[:last])
            fit = fit if last == end else fit.update(series.iloc[last:end])
            rows_of = part[part["cutoff"] == series.index[end - 1]]
            assert np.array_equal(rows_of["VAR"], fit.forecast(2).point[:, 0])
            assert np.array_equal(rows_of["y"], series["y"].iloc[end:end + 2])
    order = found[["unique_id", "cutoff", "ds"]]
    assert order.equals(order.sort_values(["unique_id", "cutoff", "ds"]).reset_index(drop=True))


def test_it_agrees_with_statsforecast_in_numbers_columns_and_cutoffs():
    statsforecast = pytest.importorskip("statsforecast", reason="statsforecast is not installed", exc_type=ImportError)
    from statsforecast import models as theirs

    df = frame()
    them = statsforecast.StatsForecast(
        [theirs.Naive(), theirs.SeasonalNaive(12), theirs.RandomWalkWithDrift(), theirs.HistoricAverage()], freq="ME")
    ours = VarnnForecast({"Naive": Naive(), "SeasonalNaive": SeasonalNaive(season=12), "RWD": Drift(),
                          "HistoricAverage": Mean()}, freq="ME")
    a = them.cross_validation(df=df, h=3, n_windows=3, step_size=2)
    pd.testing.assert_frame_equal(ours.cross_validation(df, 3, 3, 2), a, check_dtype=False, rtol=1e-6)
    a = them.forecast(df=df, h=4, level=[80, 95])
    b = ours.forecast(df, 4, level=[80, 95])
    assert sorted(a) == sorted(b)  # statsforecast orders the bounds of its models in two ways
    points = [name for name in a if "-" not in name]
    pd.testing.assert_frame_equal(a[points], b[points], check_dtype=False, rtol=1e-6)


def test_fits_may_be_shared():
    sf = VarnnForecast([LinearRNN(lags=1)], freq="ME", sharing="global").fit(frame())
    fits = Panel(model=LinearRNN(lags=1)).fit({name: part.set_index("ds").asfreq("ME")[["y"]]
                                               for name, part in frame().groupby("unique_id")}, rng=0)
    assert np.array_equal(sf.predict(2)["LinearRNN"], fits.mean(2)["y"])


def test_rows_may_be_numbered():
    df = pd.DataFrame({"unique_id": ["a"] * 5 + ["b"] * 5, "ds": [*range(1, 6)] * 2, "y": np.arange(10.0)})
    assert VarnnForecast([Drift()], freq=1).forecast(df, 1)["ds"].tolist() == [6, 6]


@pytest.mark.parametrize(("call", "error", "told"), [
    (lambda: VarnnForecast([VAR(lags=1), VAR(lags=2)], freq="ME"), DataNameError, "two models are called 'VAR'"),
    (lambda: VarnnForecast([], freq="ME"), ParameterError, "give a list of models"),
    (lambda: VarnnForecast(["VAR"], freq="ME"), ParameterError, "give models of varnn"),
    (lambda: VarnnForecast([Naive()], freq=1.5), ParameterError, "freq=1.5"),
    (lambda: VarnnForecast([Naive()], freq="ME").predict(2), InputError, "call .fit"),
    (lambda: VarnnForecast([Naive()], freq="ME").fit(frame().rename(columns={"y": "value"})), InputError,
     "target_col"),
    (lambda: VarnnForecast([Naive()], freq="ME").fit(frame().rename(columns={"ds": "date"})), InputError,
     "no column 'ds'"),
    (lambda: VarnnForecast([Naive()], freq="D").fit(frame()), TimeIndexError, "frequency 'D'"),
    (lambda: VarnnForecast([Naive()], freq="ME").fit(frame().drop(index=5)), TimeIndexError, "series 'north'"),
    (lambda: VarnnForecast([Naive()], freq="ME").forecast(frame(), 2, level=[0.9]), ParameterError, "per cent"),
    (lambda: VarnnForecast([Naive()], freq="ME").forecast(frame(), 2, level=[900]), ParameterError, "level"),
    (lambda: VarnnForecast([Naive()], freq="ME").cross_validation(frame(), 10, n_windows=30), TooShortError,
     "series 'south' has 36 rows"),
    (lambda: VarnnForecast([Naive()], freq="ME").fit([1, 2]), InputError, "long pandas DataFrame"),
])
def test_mistakes_are_told_with_their_remedy(call, error, told):
    with pytest.raises(error, match=told):
        call()
