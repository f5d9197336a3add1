"""Calls in the habits of other packages are answered with the name here and what to write."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn import GRU, LSTM, VAR, Conformal, Direct, Ensemble, LinearRNN, Naive, Panel, SeasonalNaive, TanhRNN
from varnn.errors import ParameterError, VarnnError

Y = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 2)), columns=["a", "b"])
FIT = VAR(lags=1).fit(Y)
OUTLOOK = FIT.forecast(3)
CALLS = {
    "a number alone": (lambda: VAR(2), "write VAR(lags=2)"),
    "R's p": (lambda: VAR(p=2), "write VAR(lags=2)"),
    "statsmodels' order": (lambda: VAR(order=(2, 0)), "write VAR(lags=2)"),
    "a slip of the pen": (lambda: VAR(lag=2), "did you mean lags"),
    "statsmodels' maxlags": (lambda: VAR(maxlags=4), "write VAR(max_lags=4)"),
    "data first": (lambda: VAR(Y), "write VAR().fit(y)"),
    "endog": (lambda: VAR(endog=Y), "write VAR().fit(y)"),
    "lags in fit": (lambda: VAR().fit(Y, maxlags=4), "write VAR(max_lags=4).fit(y)"),
    "criterion in fit": (lambda: VAR().fit(Y, ic="aic"), "write VAR(lags='aic').fit(y)"),
    "forecast before fit": (lambda: VAR().forecast(3), "call .fit(y) first"),
    "predict before fit": (lambda: VAR().predict(3), "call .fit(y) first"),
    "summary before fit": (lambda: VAR().summary(), "call .fit(y) first"),
    "steps": (lambda: FIT.forecast(steps=8), "write fit.forecast(8)"),
    "alpha": (lambda: FIT.forecast(alpha=0.05), "coverage=0.95"),
    "data in forecast": (lambda: FIT.forecast(Y, 8), "a fit knows its data"),
    "n": (lambda: FIT.forecast(n=8), "write fit.forecast(8)"),
    "h": (lambda: FIT.forecast(h=8), "write fit.forecast(8)"),
    "R's n.ahead": (lambda: FIT.forecast(n_ahead=8), "write fit.forecast(8)"),
    "Nixtla's level": (lambda: FIT.forecast(3, level=[90]), "coverage=(0.9,)"),
    "darts' num_samples": (lambda: FIT.forecast(3, num_samples=100), "n_paths=100"),
    "exog_future": (lambda: FIT.forecast(3, exog_future=None), "is called X here"),
    "predict": (lambda: FIT.predict(8), "write fit.forecast(horizon)"),
    "sktime's fh": (lambda: FIT.predict(fh=[1, 2]), "write fit.forecast(horizon)"),
    "forecast_interval": (lambda: FIT.forecast_interval(3), ".interval()"),
    "plot_forecast": (lambda: FIT.plot_forecast(3), ".plot()"),
    "get_forecast": (lambda: FIT.get_forecast(3), "write fit.forecast(horizon)"),
    "conf_int of a fit": (lambda: FIT.conf_int(), "fit.params and fit.bse"),
    "get_prediction": (lambda: FIT.get_prediction(), "fittedvalues"),
    "simulate_var": (lambda: FIT.simulate_var(3), "paths"),
    "append": (lambda: FIT.append(Y), "fit.update(y_new)"),
    "n_boot": (lambda: FIT.bootstrap(n_boot=3), "replications"),
    "torch's hidden_size": (lambda: GRU(hidden_size=4), "write GRU(width=4)"),
    "hidden_dim": (lambda: GRU(hidden_dim=3), "write GRU(width=3)"),
    "units": (lambda: GRU(units=4), "write GRU(width=4)"),
    "layers": (lambda: GRU(n_layers=2), "one layer"),
    "torch's num_layers": (lambda: LSTM(num_layers=2), "one layer"),
    "input_chunk_length": (lambda: GRU(input_chunk_length=12), "write GRU(lags=12)"),
    "output_chunk_length": (lambda: Direct(output_chunk_length=4), "write Direct(horizon=4)"),
    "random_state": (lambda: TanhRNN(random_state=0), "fit(y, rng=0)"),
    "order": (lambda: LinearRNN(order=(1, 1)), "write LinearRNN(lags=1)"),
    "sktime's sp": (lambda: SeasonalNaive(sp=4), "season=4"),
    "darts' K": (lambda: SeasonalNaive(K=4), "season=4"),
    "season_length": (lambda: SeasonalNaive(season_length=4), "season=4"),
    "strategy": (lambda: Naive(strategy="last"), "no option is called strategy"),
    "compare without a horizon": (lambda: varnn.compare(Y), "horizon is missing"),
    "compare's h": (lambda: varnn.compare(Y, h=3), "write compare(y, horizon=3)"),
    "compare's model": (lambda: varnn.compare(Y, horizon=1, model=["VAR"]), "models=['VAR']"),
    "compare's metric": (lambda: varnn.compare(Y, horizon=1, metric="mae"), "result.table"),
    "n_splits": (lambda: varnn.compare(Y, horizon=1, n_splits=3), "origins=3"),
    "a panel of a model": (lambda: Panel(VAR()), "write Panel(model=VAR())"),
    "an ensemble of one": (lambda: Ensemble(VAR()), "Ensemble([VAR(), TanhRNN()])"),
    "a class for a model": (lambda: Conformal(VAR), "Conformal(VAR())"),
    "conf_int of a forecast": (lambda: OUTLOOK.conf_int(), "interval(0.95)"),
    "predicted_mean": (lambda: OUTLOOK.predicted_mean, "outlook.mean"),
    "darts' values": (lambda: OUTLOOK.values(), "outlook.point"),
    "summary_frame": (lambda: OUTLOOK.summary_frame(), "to_frame"),
    "VARMAX": (lambda: varnn.VARMAX, "VARMA(p, 1)"),
    "ARIMA": (lambda: varnn.ARIMA, "LinearRNN"),
    "RNN": (lambda: varnn.RNN, "TanhRNN"),
    "auto_arima": (lambda: varnn.auto_arima, "climb"),
    "NaiveSeasonal": (lambda: varnn.NaiveSeasonal, "SeasonalNaive"),
    "cross_validation": (lambda: varnn.cross_validation, "compare"),
    "a data set's name": (lambda: varnn.data.load("macro"), "did you mean 'macrodata'"),
}


@pytest.mark.parametrize("habit", CALLS)
def test_a_call_in_the_habit_of_another_package_says_what_to_write(habit):
    call, remedy = CALLS[habit]
    with pytest.raises(VarnnError) as caught:
        call()
    assert remedy in str(caught.value)
    assert isinstance(caught.value, (TypeError, ValueError, AttributeError))
    assert "_Gated" not in str(caught.value)


def test_names_that_do_not_exist_leave_hasattr_and_copies_as_python_has_them():
    assert not hasattr(FIT, "predict")
    assert not hasattr(varnn, "VARMAX")
    assert getattr(VAR(), "forecast", None) is None


def test_tvalues_are_coefficients_over_their_errors():
    pd.testing.assert_frame_equal(FIT.tvalues, FIT.params / FIT.bse)


@pytest.mark.parametrize(("ask", "remedy"), [
    (lambda fit: fit.forecast(2)["y1"], r"outlook\.mean\['y1'\]"), (lambda fit: fit[0], r"fit\.params"),
    (lambda fit: list(fit.forecast(2)), r"outlook\.mean"), (lambda fit: fit.bootstrap(n=3), "replications=3"),
    (lambda fit: varnn.Direct(lags=2), r"Direct\(lookback=2\)")])
def test_an_index_and_a_number_of_other_packages_get_the_remedy(ask, remedy):
    fit = varnn.VAR(lags=1).fit(np.random.default_rng(0).normal(size=(60, 2)))
    with pytest.raises(ParameterError, match=remedy):
        ask(fit)
    assert np.asarray(fit, dtype=object).shape == ()
    assert bool(fit)
