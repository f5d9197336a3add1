"""darts' door: the native numbers, and historical forecasts with and without training anew."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn.errors import ParameterError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("darts", reason="darts is not installed: pip install '.[darts]'", exc_type=ImportError)
    from darts import TimeSeries

    from varnn.adapters.darts import VarnnModel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def y() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(90, 2))
    for t in range(1, 90):
        values[t] += 0.5 * values[t - 1]
    return pd.DataFrame(values, index=pd.date_range("2015-01-01", periods=90, freq="MS"), columns=["a", "b"])


@pytest.fixture(scope="module")
def X(y) -> pd.DataFrame:
    return pd.DataFrame({"z": np.random.default_rng(2).normal(size=102)},
                        index=pd.date_range("2015-01-01", periods=102, freq="MS"))


@pytest.mark.parametrize("model", [varnn.VAR(lags=2), varnn.LinearRNN(lags=1), varnn.Naive()],
                         ids=lambda one: one.label)
def test_means_and_samples_are_the_native_ones_to_the_bit(model, y):
    theirs = VarnnModel(model).fit(TimeSeries.from_dataframe(y))
    fit = model.fit(y)
    assert np.array_equal(theirs.predict(4).values(), fit.forecast(4, rng=0).point)
    samples = theirs.predict(4, num_samples=50, random_state=7)
    assert np.array_equal(samples.all_values(), np.moveaxis(fit.forecast(4, n_paths=50, rng=7).paths, 0, 2))
    assert list(samples.components) == ["a", "b"]
    assert list(theirs.predict(4).time_index) == list(fit.forecast(4).index)


@pytest.mark.parametrize("retrain", [True, False])
def test_historical_forecasts_are_native_fits_at_each_date(retrain, y):
    series = TimeSeries.from_dataframe(y)
    theirs = VarnnModel(varnn.VAR(lags=1)).fit(series[:70])
    found = theirs.historical_forecasts(series, start=80, forecast_horizon=2, retrain=retrain, last_points_only=False,
                                        verbose=False)
    start = varnn.VAR(lags=1).fit(y.iloc[:70])
    for at, one in enumerate(found):
        rows = 80 + at
        fit = varnn.VAR(lags=1).fit(y.iloc[:rows]) if retrain else start.update(y.iloc[70:rows])
        assert one.start_time() == y.index[rows]
        assert np.array_equal(one.values(), fit.forecast(2).point)
    assert len(found) == 9


def test_future_covariates_are_exogenous_columns(y, X):
    series, known = TimeSeries.from_dataframe(y), TimeSeries.from_dataframe(X)
    theirs = VarnnModel(varnn.VAR(lags=1)).fit(series, future_covariates=known)
    fit = varnn.VAR(lags=1).fit(y, X)
    assert np.array_equal(theirs.predict(3, future_covariates=known).values(), fit.forecast(3, X).point)
    errors = theirs.backtest(series, future_covariates=known, start=85, forecast_horizon=1, retrain=True, verbose=False)
    assert np.isfinite(errors)


def test_rows_may_be_numbered_and_mistakes_are_told(y):
    numbered = TimeSeries.from_values(y.to_numpy())
    assert VarnnModel(varnn.Drift()).fit(numbered).predict(2).time_index.tolist() == [90, 91]
    with pytest.raises(ParameterError, match="give a model of varnn"):
        VarnnModel("VAR")
    with pytest.raises(ParameterError, match="retrain=True"):
        VarnnModel(varnn.Conformal(varnn.Naive())).fit(numbered).predict(1, series=numbered)
