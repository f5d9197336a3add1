"""A rung is never below the rung it contains: likelihoods on real series, and the evidence of what is chosen."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn.comparison.compare import compare
from varnn.data import load
from varnn.errors import ConvergenceWarning, ParameterError
from varnn.models.rung1_shrunk import ShrunkVAR
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN, lift
from varnn.models.rung3_tanh import TanhRNN

SERIES = ("macrodata", "sunspots", "interest_inflation", "danish_data", "elnino")

real_series = pytest.mark.parametrize("name", SERIES)


@real_series
@pytest.mark.parametrize("lags", [1, 2])
def test_the_likelihood_never_falls_from_the_var_to_the_linear_rnn(name, lags):
    y = load(name).frame.iloc[-200:]
    below = VAR(lags=lags).fit(y)
    assert_allclose(lift(below).llf, below.llf, rtol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of a maximum that is nearly flat
        above = LinearRNN(lags=lags, likelihood="conditional", shrinkage=None).fit(y)
    assert above.llf >= below.llf - 1e-6 * abs(below.llf)


@real_series
def test_the_likelihood_never_falls_from_the_linear_rnn_to_the_lifted_tanh_rnn(name):
    below = LinearRNN(lags=2, likelihood="conditional").fit(load(name).frame.iloc[-200:])
    lifted = TanhRNN(width=3).lift(below)
    assert_allclose(lifted.llf, below.llf, rtol=1e-9)
    assert lifted.chosen in ("VAR", "LinearRNN")


def _var(seed, k):
    rng = np.random.default_rng(seed)
    y, coef = np.zeros((240, k)), 0.5 * np.eye(k) + 0.1 * rng.normal(size=(k, k))
    for t in range(1, len(y)):
        y[t] = coef @ y[t - 1] + rng.normal(size=k)
    return y[40:]


DEFAULTS = [{}, {"lags": 1}, {"trend": "ct"}, {"trend": "n"}, {"max_lags": 2}]


@pytest.mark.parametrize("settings", DEFAULTS, ids=str)
@pytest.mark.parametrize(("seed", "k"), [(0, 1), (1, 2), (2, 3)])
def test_without_a_memory_the_linear_rnn_is_the_shrunken_var(seed, k, settings):
    y = _var(seed, k)
    below, fit = ShrunkVAR(**settings).fit(y), LinearRNN(**settings).fit(y)
    assert not fit.A.any()
    assert fit.lags == below.k_ar
    assert_allclose(fit.params.loc[below.params.index], below.params, atol=1e-10)
    assert_allclose(fit.bse.loc[below.params.index], below.bse, atol=1e-10)
    for name in ("sigma_u", "sigma_u_mle", "llf", "fittedvalues", "df_resid"):
        assert_allclose(getattr(fit, name), getattr(below, name), atol=1e-10, err_msg=name)
    assert_allclose(fit.forecast(12).point, below.forecast(12).point, atol=1e-10)
    assert_allclose(fit.evidence - below.evidence, 0.0, atol=1e-9)


@pytest.mark.parametrize("settings", DEFAULTS, ids=str)
@pytest.mark.parametrize("width", [None, 0])
def test_without_tanh_units_the_tanh_rnn_is_the_linear_rnn(settings, width):
    for y in (_var(3, 2), np.diff(np.random.default_rng(4).normal(size=(200, 1)), axis=0)):
        below, fit = LinearRNN(**settings).fit(y), TanhRNN(width=width, starts=1, **settings).fit(y)
        assert fit.width == 0
        assert fit.linear is not None
        for name in ("sigma_u", "llf", "fittedvalues", "df_resid"):
            assert_allclose(getattr(fit, name), getattr(below, name), atol=1e-10, err_msg=name)
        ours, its = fit.forecast(12, rng=1), below.forecast(12, rng=1)
        assert_allclose(ours.point, its.point, atol=1e-10)
        assert_allclose(ours.paths, its.paths, atol=1e-10)
        assert fit.evidence - below.evidence == 0.0
        assert_allclose(fit.update(y[:5]).forecast(3).point, below.update(y[:5]).forecast(3).point, atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_a_memory_is_kept_beside_the_prior_where_the_series_has_one(seed):
    e = np.random.default_rng(seed).normal(size=(301, 1))
    below, fit = ShrunkVAR(lags=1).fit(e[1:] + 0.8 * e[:-1]), LinearRNN(lags=1).fit(e[1:] + 0.8 * e[:-1])
    assert fit.A[0, 0] < -0.6
    assert fit.evidence - below.evidence == pytest.approx(fit.evidence_gain)
    assert fit.evidence_gain > 10


@real_series
def test_the_evidence_is_never_very_strong_against_what_the_search_keeps(name):
    """Rung 3 shrinks its linear part as well, so that its likelihood may fall where its evidence rises."""
    y = load(name).frame.iloc[-200:]
    fit = TanhRNN(starts=1).fit(y)
    if fit.linear is not None:
        assert fit.linear.evidence_gain >= 0.0
    else:
        assert fit.evidence >= fit.rungs["VAR"] - 5.0
    if fit.chosen == "TanhRNN":
        assert fit.rungs["TanhRNN"] > max(fit.rungs["VAR"], fit.rungs["LinearRNN"])
        assert fit.certainty > 2.0
    else:
        assert fit.width == 0
    assert np.isfinite(fit.llf)


def test_units_that_the_data_do_not_call_for_are_no_choice():
    y = np.random.default_rng(5).normal(size=(300, 2))
    fit = TanhRNN(lags=1, width=3, starts=1).fit(y)
    assert fit.width == 3
    assert fit.chosen == "VAR"


def _monthly(seed: int, T: int = 300, season: int = 12) -> pd.DataFrame:
    """Return y_t = .8 y_{t−s} + e_t, e_t standard normal, with the dates of months."""
    y = np.random.default_rng(seed).normal(size=(T + 240, 1))
    for t in range(season, len(y)):
        y[t] += 0.8 * y[t - season]
    return pd.DataFrame(y[240:], index=pd.period_range("1990-01", periods=T, freq="M"))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_season_known_from_the_dates_is_found_by_every_rung(seed):
    y = _monthly(seed)
    below, linear, tanh = ShrunkVAR().fit(y), LinearRNN().fit(y), TanhRNN().fit(y)
    assert below.k_ar in range(12, 26)
    assert below.params.iloc[12, 0] == pytest.approx(0.8, abs=0.12)  # constant, then lags: this is lag 12
    assert_allclose(linear.forecast(13).point, below.forecast(13).point, atol=1e-10)
    assert_allclose(tanh.forecast(13).point, below.forecast(13).point, atol=1e-8)
    assert below.evidence > ShrunkVAR(season=1, lags=below.k_ar).fit(y).evidence + 10


def test_a_season_can_be_named_where_there_are_no_dates():
    y = _monthly(3)
    dated, named = ShrunkVAR().fit(y), ShrunkVAR(season=12).fit(y.to_numpy())
    assert_allclose(named.forecast(3).point, dated.forecast(3).point, rtol=1e-12)
    assert ShrunkVAR().fit(y.to_numpy()).tightness.seasonal == 0.0
    with pytest.raises(ParameterError, match="season"):
        LinearRNN(season=0)


def test_a_season_named_to_compare_is_known_to_the_models():
    y = _monthly(4, season=30).to_numpy()
    named = compare(y, season=30, origins=20, horizon=1, models=["ShrunkVAR"])
    untold = compare(y, season=30, origins=20, horizon=1, models=[ShrunkVAR()])
    assert named.table.loc["ShrunkVAR", "rmsse"] < 0.85 * untold.table.loc["ShrunkVAR", "rmsse"]
