"""`check_forecaster` passes every model here, and names what is wrong with one that breaks a promise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.contract.specimens import specimens
from varnn import VAR, LinearRNN
from varnn.errors import ParameterError
from varnn.forecaster import Forecaster
from varnn.models.rung0_naive import FittedNaive, Naive
from varnn.testing import PASSED, check_forecaster

QUICK = ("Naive", "SeasonalNaive", "Mean", "Drift", "VAR", "ShrunkVAR", "Ensemble", "Conformal")


@pytest.mark.parametrize("name", QUICK)
def test_models_of_varnn_pass(name):
    found = check_forecaster(specimens()[name])
    assert {check: told for check, told in found.items() if told != PASSED} == {}
    assert len(found) == 10


@dataclass(frozen=True, kw_only=True)
class Broken(Naive):
    """A naive row that breaks one promise."""

    how: str = ""
    seen: list[int] = field(default_factory=list, compare=False)

    def _estimate(self, series, exog, rng: Any):
        fit = super()._estimate(series, exog, rng)
        if self.how == "remembers":
            self.seen.append(len(series))
        if self.how == "takes X":
            return replace(fit, exog=None)
        return replace(fit) if not self.how else _BROKEN.get(self.how, FittedNaive)(**{
            name: getattr(fit, name) for name in fit.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True, eq=False)
class Peeking(FittedNaive):
    """Predicts each row by itself."""

    def _one_step(self, values, exog):
        return np.array(values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Restless(FittedNaive):
    """Draws from the global generator."""

    def _simulate(self, shocks, future_exog, draws=None):
        return super()._simulate(shocks, future_exog, draws) + np.random.normal()


@dataclass(frozen=True, kw_only=True, eq=False)
class Endless(FittedNaive):
    """Has no finite means."""

    def _mean(self, horizon, future_exog):
        return np.full((horizon, self.series.k), np.inf)


_BROKEN = {"peeks": Peeking, "restless": Restless, "endless": Endless}


@pytest.mark.parametrize(("how", "check", "told"), [
    ("peeks", "predicts_within_the_sample", "sees the row it predicts"),
    ("restless", "gives_the_same_bits_again", "other numbers"),
    ("endless", "forecasts_are_whole_and_dated", "infinity"),
    ("remembers", "leaves_itself_and_the_data_alone", "changes the specification"),
])
def test_a_broken_promise_is_named(how, check, told):
    found = check_forecaster(Broken(how=how))
    assert told in found[check]


@pytest.mark.parametrize("given", [VAR, "VAR", VAR(lags=1).fit(np.random.default_rng(0).normal(size=(30, 1)))])
def test_what_is_no_specification_is_refused(given):
    with pytest.raises(ParameterError, match="takes a specification"):
        check_forecaster(given)


def test_the_checks_of_a_recursive_model_pass():
    assert set(check_forecaster(LinearRNN(lags=1))) == {PASSED}
    assert isinstance(check_forecaster(VAR(lags=1)), pd.Series)
    assert issubclass(Broken, Forecaster)
