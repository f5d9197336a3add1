"""Requests that would fill the memory are refused by their argument; what is estimated is what is held."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn import GRU, VAR, Conformal, Direct, Ensemble, LinearRNN, Mean, Naive, ShrunkVAR, TanhRNN
from varnn.errors import ResourceLimitError, TooShortError, VarnnError

HUGE = 10**9


@pytest.fixture(scope="module")
def y():
    return pd.DataFrame(np.random.default_rng(0).normal(size=(80, 2)), columns=["gdp", "oil"],
                        index=pd.period_range("2000Q1", periods=80, freq="Q"))


@pytest.fixture(scope="module")
def long():
    return np.random.default_rng(0).normal(size=(200_000, 2))


def rung1(y):
    return VAR(lags=1).fit(y)


REQUESTS = {
    "horizon": lambda y: rung1(y).forecast(HUGE),
    "n_paths": lambda y: rung1(y).forecast(2, n_paths=HUGE),
    "horizon with too many paths": lambda y: rung1(y).forecast(10**6),
    "n_paths of a scenario": lambda y: rung1(y).scenario(2, hard={"gdp": 1.0}, n_paths=HUGE),
    "n_paths of a comparison": lambda y: varnn.compare(y, horizon=2, models=["Naive"], n_paths=HUGE),
    "periods of irf": lambda y: rung1(y).irf(HUGE),
    "periods with errors": lambda y: rung1(y).irf(10**6),
    "periods of fevd": lambda y: rung1(y).fevd(HUGE),
    "periods of a linear RNN": lambda y: LinearRNN(lags=1).fit(y).irf(HUGE),
    "replications": lambda y: rung1(y).bootstrap(HUGE),
    "width of tanh": lambda y: TanhRNN(width=10**6).fit(y),
    "width of linear": lambda y: LinearRNN(width=10**6).fit(y),
    "width of gated": lambda y: GRU(width=10**6).fit(y),
    "starts": lambda y: GRU(lags=1, starts=HUGE).fit(y),
    "n": lambda y: varnn.data.simulate("ar", HUGE, 0),
}


@pytest.mark.parametrize("named", REQUESTS)
def test_what_would_not_fit_is_refused_by_the_argument_before_it_is_tried(y, named):
    with pytest.raises(ResourceLimitError, match=rf"\b{named.split(' ')[0]}=|periods"):
        REQUESTS[named](y)


@pytest.mark.parametrize("model", [VAR(lags=60_000), LinearRNN(lags=60_000), TanhRNN(lags=60_000), GRU(lags=60_000),
                                   Direct(lookback=60_000, horizon=10)], ids=lambda model: model.label)
def test_lags_of_a_long_series_are_refused_by_their_number(long, model):
    with pytest.raises(ResourceLimitError, match=r"(lags|lookback)=60000.* GB at once"):
        model.fit(long)


@pytest.mark.parametrize("model", [VAR(lags=10**5), VAR(max_lags=HUGE), ShrunkVAR(lags=10**5), LinearRNN(lags=10**5),
                                   TanhRNN(lags=10**5), GRU(lags=10**5), Direct(lookback=HUGE), Direct(horizon=HUGE)],
                         ids=repr)
def test_more_lags_than_rows_are_refused_at_once(y, model):
    with pytest.raises(TooShortError, match="needs at least"):
        model.fit(y)


@pytest.mark.parametrize("horizon", [2, 300])
@pytest.mark.parametrize("model", [
    Naive(), Mean(), VAR(lags=1), VAR(lags=6), ShrunkVAR(lags=2), LinearRNN(lags=2), TanhRNN(lags=1, width=2),
    Direct(horizon=3), Ensemble((VAR(lags=1), LinearRNN(lags=1), Naive())), Conformal(VAR(lags=1))],
    ids=lambda model: f"{model.label} {getattr(model, 'lags', '')}")
def test_a_forecast_holds_no_more_than_its_model_says(model, horizon):
    rng, values = np.random.default_rng(0), np.zeros((150, 3))
    for t in range(1, 150):
        values[t] = 0.5 * values[t - 1] + rng.normal(size=3)
    if isinstance(model, Conformal) and horizon > 2:
        pytest.skip("a horizon beyond the calibration rows")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit, paths = model.fit(values), 4000 if horizon == 2 else 200
    fit.forecast(horizon, n_paths=20)  # compiles and imports what has to be
    tracemalloc.start()
    try:
        fit.forecast(horizon, n_paths=paths)
        held = tracemalloc.get_traced_memory()[1] / 8
    finally:
        tracemalloc.stop()
    assert held < 1.1 * fit._held(paths, horizon) + 50_000
    assert held > 0.2 * fit._held(paths, horizon)


def test_a_refusal_tells_the_number_of_paths_that_fits(y):
    fit = rung1(y)
    with pytest.raises(ResourceLimitError, match=r"use n_paths <= (\d+)") as refused:
        fit.forecast(1000, n_paths=HUGE)
    most = int(str(refused.value).split("n_paths <= ")[1].split(" ")[0])
    assert fit._checked_paths(most, 1000) == most
    with pytest.raises(VarnnError):
        fit._checked_paths(int(most * 1.001) + 1, 1000)
