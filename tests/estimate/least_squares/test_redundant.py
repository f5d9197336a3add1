"""A column that tells nothing new is named; what is not redundant is not."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from varnn import GRU, VAR, Conformal, Ensemble, LinearRNN, Naive, Panel, ShrunkVAR, TanhRNN
from varnn.errors import CollinearWarning, RankDeficientError, SingularWarning, StationarityWarning, VarnnWarning


def z():
    rng, y = np.random.default_rng(0), np.zeros((303, 2))
    for t in range(2, 303):
        y[t] = np.array([[0.5, 0.1], [0.2, 0.3]]) @ y[t - 1] + 0.3 * y[t - 2] + rng.normal(size=2)
    return pd.DataFrame(y, columns=["close", "vol"])


def cut(frame):
    return frame.iloc[3:].reset_index(drop=True)


REDUNDANT = {
    "lagged copy": lambda a: a.assign(o=a.close.shift(1)),
    "copy two rows late": lambda a: a.assign(o=a.close.shift(2)),
    "copy three rows late": lambda a: a.assign(o=a.vol.shift(3)),
    "scaled lagged copy": lambda a: a.assign(o=100 * a.close.shift(1) - 7),
    "lagged sum": lambda a: a.assign(o=a.close.shift(1) + a.vol.shift(2)),
    "difference": lambda a: a.assign(o=a.close.diff()),
    "second difference": lambda a: a.assign(o=a.close.diff().diff()),
    "moving average": lambda a: a.assign(o=a.close.rolling(2).mean()),
    "average of the past": lambda a: a.assign(o=a.close.rolling(2).mean().shift(1)),
    "change of a sum": lambda a: a.assign(o=(a.close + a.vol).diff()),
}


@pytest.mark.parametrize("kind", REDUNDANT)
@pytest.mark.parametrize("model", [VAR(), VAR(lags="bic"), LinearRNN(shrinkage=None, likelihood="conditional")],
                         ids=repr)
def test_a_search_cut_by_a_redundant_column_says_so_and_names_it(kind, model):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(cut(REDUNDANT[kind](z())))
    said = [str(one.message) for one in caught if "lags only" in str(one.message)]
    assert len(said) == 1
    assert "lags only" in said[0]
    assert " of 'o'" in said[0]


def test_an_input_that_is_a_lag_of_y_is_named():
    y, X = cut(z()), cut(z()[["close"]].shift(2).rename(columns={"close": "x"}))
    with pytest.warns(SingularWarning, match=r"could try 1 of 16 lags only: lag 2 of 'close' is a combination of 'x'"):
        VAR().fit(y, X)


@pytest.mark.parametrize("same", [lambda a: a.assign(o=a.close + a.vol), lambda a: a.assign(o=2 * a.close + 1)])
def test_an_identity_at_the_same_date_is_refused_by_name(same):
    for model in (VAR(), LinearRNN()):
        with pytest.raises(RankDeficientError, match=r"lag 1 of 'o' is a combination of lag 1 of 'close'"):
            model.fit(same(z()))


def test_a_redundant_column_of_a_panel_is_refused_by_name():
    members = {name: cut(REDUNDANT["lagged copy"](z() * scale)) for name, scale in (("a", 1.0), ("b", 2.0))}
    with pytest.raises(RankDeficientError, match=r"a global VAR could try 1 of 16 lags only: lag 2 of 'close'"):
        Panel(model=VAR(), sharing="global").fit(members)


def test_a_column_with_news_of_its_own_is_not_warned_of():
    rng = np.random.default_rng(1)
    frame = z().assign(o=z().close.shift(1) + 0.1 * rng.normal(size=303)).iloc[3:].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", VarnnWarning)
        assert VAR().fit(frame).search.best("aic") >= 1
        VAR().fit(z().to_numpy())


@pytest.mark.parametrize("noise", [1e-4, 1e-6])
def test_near_copies_are_named_and_nearly_only_they(noise):
    rng, frame = np.random.default_rng(1), z()
    frame["o"] = frame.close + noise * rng.normal(size=len(frame))
    with pytest.warns(CollinearWarning, match=r"VAR: ('close', 'o'|'o', 'close') are all but a combination"):
        VAR(lags=1).fit(frame)


def growing(rate, rows=60):
    rng, y = np.random.default_rng(0), np.ones((rows, 1))
    for t in range(1, rows):
        y[t] = rate * y[t - 1] + 0.1 * rng.normal()
    return y


def test_an_explosive_fit_says_so_with_its_root_when_it_forecasts():
    fit = VAR(lags=1).fit(growing(1.1))
    radius = abs(fit.params.loc["L1.y1", "y1"])
    for ask in (lambda: fit.forecast(3), lambda: fit.irf(3), lambda: fit.fevd(3)):
        with pytest.warns(StationarityWarning, match=f"explosive \\(a root of modulus {radius:.4g}: shocks double"):
            ask()


@pytest.mark.parametrize("above", [1e-2, 5e-4, 3e-6])
def test_any_root_beyond_one_by_more_than_rounding_is_explosive(above):
    y = growing(1.0 + above)
    fit = VAR(lags=1, trend="n").fit(y)
    fit = replace(fit, estimate=replace(fit.estimate, coef=np.array([[1.0 + above]])))
    with pytest.warns(StationarityWarning, match=r"explosive \(a root of modulus 1\.0"):
        fit.forecast(3, n_paths=20)


@pytest.mark.parametrize("coefs", [[1.0], [2.0, -1.0], [1.0, 0.0, 0.0, 1.0, -1.0]], ids=["walk", "double", "seasonal"])
def test_unit_roots_are_not_explosive_for_rounding(coefs):
    fit = VAR(lags=len(coefs), trend="n").fit(np.random.default_rng(0).normal(size=(60, 1)))
    fit = replace(fit, estimate=replace(fit.estimate, coef=np.array(coefs)[:, None]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.forecast(3, n_paths=20, uncertainty="none")


@pytest.mark.parametrize("model", [
    VAR(lags=1), ShrunkVAR(lags=1), LinearRNN(lags=1), TanhRNN(lags=1, width=0), Ensemble((VAR(lags=1), Naive())),
    Conformal(VAR(lags=1)), GRU(lags=1, width=1, starts=1, max_steps=3)], ids=lambda model: model.label)
def test_every_rung_says_that_its_recursion_is_explosive(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit(growing(1.1))
    with pytest.warns(StationarityWarning, match="explosive .* its forecasts run away"):
        fit.forecast(3, n_paths=20)

