"""What the fits of a panel do together: update, save, plot, summary; long frames with text dates; habits of sklearn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn import VAR, Conformal, Ensemble, LinearRNN, Mean, Naive, Panel
from varnn.errors import ExogError, InputError, MissingDataError, ParameterError, TimeIndexError
from varnn.models import catalogue


def long(rows=30, *, text="%Y-%m-%d", exog=False, names=("a", "b")) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    dates = pd.date_range("2020-01-01", periods=rows, freq="MS")
    parts = [pd.DataFrame({"unique_id": name, "ds": dates.strftime(text) if text else dates,
                           "y": rng.normal(size=rows).cumsum()}) for name in names]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(oil=rng.normal(size=len(table))) if exog else table


@pytest.mark.parametrize("text", ["%Y-%m-%d", "%d/%m/%Y", "%YM%m", "%b %Y", None])
def test_dates_of_long_frames_may_be_text_and_are_kept(text):
    fits = Panel(model=VAR(lags=1), sharing="local").fit(long(text=text))
    typed = Panel(model=VAR(lags=1), sharing="local").fit(long(text=None))
    for name in ("a", "b"):
        assert str(fits[name].forecast(2).index[0])[:7] == "2022-07"
        assert np.array_equal(fits[name].params, typed[name].params)
    assert fits.forecast(2)["date"].str[:7].tolist() == ["2022-07", "2022-08"] * 2


@pytest.mark.parametrize("sharing", ["local", "global"])
def test_update_is_that_of_each_fit_and_leaves_the_others(sharing):
    table = long(30)
    early = table[table["ds"] < "2022-01-01"]
    later = table[(table["ds"] >= "2022-01-01") & (table["unique_id"] == "b")]
    fits = Panel(model=VAR(lags=1), sharing=sharing).fit(early)
    moved = fits.update(later)
    part = later.set_index(pd.DatetimeIndex(later["ds"], freq="MS"))[["y"]]
    assert np.array_equal(moved["b"].forecast(3).point, fits["b"].update(part.to_numpy()).forecast(3).point)
    assert moved["a"] is fits["a"]
    assert len(fits["b"].seen) == 24


def test_one_new_row_of_text_goes_on_at_once_and_a_gap_is_refused_by_the_name_of_the_series():
    table = long(30)
    fits = Panel(model=VAR(lags=1)).fit(table)
    new = pd.DataFrame({"unique_id": ["a"], "ds": ["2022-07-01"], "y": [1.0]})
    assert str(fits.update(new)["a"].seen.index[-1])[:10] == "2022-07-01"
    with pytest.raises(TimeIndexError, match="series 'a'"):
        fits.update(new.assign(ds="2022-09-01"))
    with pytest.raises(InputError, match="series 'c', which the panel was not fitted to"):
        fits.update(new.assign(unique_id="c"))


def test_exogenous_columns_are_asked_for_at_updates_and_forecasts():
    table = long(30, exog=True)
    y, X = table[["unique_id", "ds", "y"]], table[["unique_id", "ds", "oil"]]
    now = y["ds"] < "2022-01-01"
    fits = Panel(model=VAR(lags=1), sharing="local").fit(y[now], X[now])
    moved = fits.update(y[~now], X[~now])
    assert len(moved["a"].seen_exog) == 30
    with pytest.raises(ExogError, match="X_new has nothing for series 'b'"):
        fits.update(y[~now], X[~now & (X["unique_id"] == "a")])
    ahead = pd.DataFrame({"unique_id": ["a", "b"], "ds": ["2022-07-01"] * 2, "oil": [1.0, 2.0]})
    assert moved.mean(1, ahead).shape == (2, 1)


@pytest.mark.parametrize("sharing", ["local", "global"])
def test_a_panel_is_saved_and_loaded_with_the_same_bits(sharing, tmp_path):
    fits = Panel(model=LinearRNN(lags=1), sharing=sharing).fit(long(40))
    back = varnn.load(fits.save(tmp_path / "panel.varnn"))
    assert back.spec == fits.spec
    assert back.forecast(3, rng=1).equals(fits.forecast(3, rng=1))
    assert back.time == "ds"


def test_a_summary_has_a_line_for_each_series_and_plots_are_by_name():
    fits = Panel(model=VAR(lags=1)).fit(long(30))
    page = str(fits)
    assert "Panel of VAR, global fit, 2 series" in page
    assert all(name in page for name in ("a", "b", "2020-01", "AIC"))
    figures = fits.plot(3, members=["b"])
    assert list(figures) == ["b"]
    assert len(figures["b"]) == 1
    with pytest.raises(InputError, match="no series 'c'"):
        fits.plot(3, members=["c"])


@pytest.mark.parametrize(("table", "error", "told"), [
    (long().assign(unique_id=lambda t: t["unique_id"].where(t.index != 3)), MissingDataError, "at row 3"),
    (long().assign(ds=lambda t: t["ds"].where(t.index != 35, "soon")), InputError, "series 'b'"),
    (long().iloc[::-1], TimeIndexError, "series 'b'"),
    (long().drop(index=4), TimeIndexError, "series 'a'"),
    (pd.concat([long(), long().iloc[-1:]]), TimeIndexError, "series 'b'"),
    (long().assign(ds=0.5), InputError, "dates no rows"),
    (long().assign(ds=True), InputError, "dates no rows"),
])
def test_what_cannot_be_dated_is_refused_by_the_name_of_the_series(table, error, told):
    with pytest.raises(error, match=told):
        Panel(model=Mean(), sharing="local").fit(table)


def test_options_are_read_and_set_as_scikit_learn_does():
    model = Conformal(model=VAR(lags=2))
    assert model.get_params(deep=False) == {"model": VAR(lags=2), "method": "split", "calibration": 0.5, "decay": 0.98}
    assert model.get_params()["model__trend"] == "c"
    assert model.set_params(model__lags=3, decay=0.9) == Conformal(model=VAR(lags=3), decay=0.9)
    assert model == Conformal(model=VAR(lags=2))
    with pytest.raises(ParameterError, match=r"write VAR\(lags=2\)|did you mean"):
        VAR().set_params(lag=2)
    with pytest.raises(ParameterError, match="no model called 'inner'"):
        model.set_params(inner__lags=2)


SPECIFICATIONS = [*(kind() for name, kind in catalogue().items() if name not in ("Conformal", "Ensemble")),
                  Conformal(model=VAR(lags=1)), Ensemble([Naive(), Mean()]), Panel(model=VAR())]


@pytest.mark.parametrize("model", SPECIFICATIONS, ids=lambda model: type(model).__name__)
def test_every_specification_is_made_again_from_its_options(model):
    assert type(model)(**model.get_params(deep=False)) == model
    assert model.set_params() == model


def test_scikit_learns_clone_takes_every_specification():
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed", exc_type=ImportError)
    for model in SPECIFICATIONS:
        assert base.clone(model) == model
