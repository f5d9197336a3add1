"""A column that tells nothing new is named; what is not redundant is not."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from varnn import VAR, LinearRNN, Panel
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
    assert ".o'" in said[0]


def test_an_input_that_is_a_lag_of_y_is_named():
    y, X = cut(z()), cut(z()[["close"]].shift(2).rename(columns={"close": "x"}))
    with pytest.warns(SingularWarning, match=r"could try 1 of 16 lags only: 'L2.close' is a combination of 'x'"):
        VAR().fit(y, X)


@pytest.mark.parametrize("same", [lambda a: a.assign(o=a.close + a.vol), lambda a: a.assign(o=2 * a.close + 1)])
def test_an_identity_at_the_same_date_is_refused_by_name(same):
    for model in (VAR(), LinearRNN()):
        with pytest.raises(RankDeficientError, match=r"'L1.o' is a combination of 'L1.close'"):
            model.fit(same(z()))


def test_a_redundant_column_of_a_panel_is_refused_by_name():
    members = {name: cut(REDUNDANT["lagged copy"](z() * scale)) for name, scale in (("a", 1.0), ("b", 2.0))}
    with pytest.raises(RankDeficientError, match=r"a global VAR could try 1 of 16 lags only: 'L2.close'"):
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


def test_an_explosive_fit_says_so_with_its_root_when_it_forecasts():
    rng, y = np.random.default_rng(0), np.ones((60, 1))
    for t in range(1, 60):
        y[t] = 1.1 * y[t - 1] + 0.1 * rng.normal()
    fit = VAR(lags=1).fit(y)
    radius = abs(fit.params.loc["L1.y1", "y1"])
    for ask in (lambda: fit.forecast(3), lambda: fit.irf(3), lambda: fit.fevd(3)):
        with pytest.warns(StationarityWarning, match=f"explosive \\(a root of modulus {radius:.4g}\\)"):
            ask()
