"""A request that cannot be held is refused within a second, by the name of the argument."""

from __future__ import annotations

import time

import numpy as np
import pytest

from varnn import GRU, LSTM, VAR, Direct, LinearRNN, Naive, TanhRNN
from varnn.errors import HorizonError, InputError, ResourceLimitError

Y = np.random.default_rng(0).normal(size=(80, 2))
FITS = {"Naive": Naive(), "VAR": VAR(lags=1), "LinearRNN": LinearRNN(lags=1), "Direct": Direct(horizon=4),
        "TanhRNN": TanhRNN(lags=1, width=1, starts=1)}


@pytest.fixture(scope="module", params=FITS)
def fit(request):
    return FITS[request.param].fit(Y)


@pytest.mark.parametrize(("ask", "argument"), [
    (lambda fit: fit.forecast(10**9), "horizon=1000000000"),
    (lambda fit: fit.forecast(4, n_paths=10**9), "n_paths=1000000000"),
    (lambda fit: fit.forecast(10**6, n_paths=1000), "n_paths=1000"),
    (lambda fit: fit.bootstrap(10**9), "replications=1000000000")])
def test_what_a_fit_cannot_hold_is_refused_at_once(fit, ask, argument):
    begun = time.perf_counter()
    with pytest.raises(ResourceLimitError, match=argument):
        ask(fit)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("model", [
    TanhRNN(lags=1, width=10**6), TanhRNN(width=10**5), LinearRNN(lags=1, width=10**6), LinearRNN(width=10**5),
    GRU(lags=1, width=10**6), LSTM(lags=1, width=10**6)], ids=repr)
def test_a_width_without_bound_is_refused(model):
    with pytest.raises(ResourceLimitError, match=f"width={model.width}"):
        model.fit(Y)


@pytest.mark.parametrize("model", [VAR(lags=10**5), LinearRNN(lags=10**5), TanhRNN(lags=10**5), GRU(lags=10**5),
                                   VAR(max_lags=10**5), Direct(lookback=10**9), Direct(horizon=10**9)], ids=repr)
def test_lags_beyond_the_rows_are_refused_before_anything_is_built(model):
    begun = time.perf_counter()
    with pytest.raises(InputError, match=r"10{5}|10{9}"):
        model.fit(Y)
    assert time.perf_counter() - begun < 1


def test_a_horizon_beyond_the_limit_is_both_kinds_of_error():
    with pytest.raises(HorizonError) as caught:
        Naive().fit(Y).forecast(10**7)
    assert isinstance(caught.value, ResourceLimitError)
