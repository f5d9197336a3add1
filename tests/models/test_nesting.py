"""A rung is never below the rung it contains: likelihoods on real series, and the evidence of what is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.data import load
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
    shrunk = LinearRNN(lags=lags, likelihood="conditional").fit(y)
    assert shrunk.llf >= below.llf - 1e-6 * abs(below.llf)


@real_series
def test_the_likelihood_never_falls_from_the_linear_rnn_to_the_lifted_tanh_rnn(name):
    below = LinearRNN(lags=2, likelihood="conditional").fit(load(name).frame.iloc[-200:])
    lifted = TanhRNN(width=3).lift(below)
    assert_allclose(lifted.llf, below.llf, rtol=1e-9)
    assert lifted.chosen in ("VAR", "LinearRNN")


@real_series
def test_what_the_search_keeps_is_never_below_the_var_in_evidence(name):
    """Rung 3 shrinks its linear part as well, so that its likelihood may fall where its evidence rises."""
    fit = TanhRNN(starts=1).fit(load(name).frame.iloc[-200:])
    assert fit.evidence >= fit.rungs["VAR"] - 1e-9
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
