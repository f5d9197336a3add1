"""One small specification of every model, and the series that the contract is tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache

import numpy as np
import pandas as pd

from varnn.forecaster import Fitted, Forecaster
from varnn.models import by_name, catalogue

T, H = 60, 5

# A model that cannot be made without arguments needs a line here: how to make a small one.
MADE: dict[str, Callable[[type[Forecaster]], Forecaster]] = {
    "Conformal": lambda model: model(by_name("VAR")(lags=1)),
    "Ensemble": lambda model: model([by_name("Mean")(), by_name("VAR")(lags=1)]),
}
# Smaller than the default, so that the suite is quick; the defaults are tested beside each model.
SMALL: dict[str, dict[str, object]] = {"SeasonalNaive": {"season": 4}}


@cache
def specimens() -> dict[str, Forecaster]:
    """Return a specification of every model in the catalogue."""
    return {name: _specimen(name, model) for name, model in catalogue().items()}


def _specimen(name: str, model: type[Forecaster]) -> Forecaster:
    if name in MADE:
        return MADE[name](model)
    required = [item.name for item in fields(model) if item.default is MISSING and item.default_factory is MISSING]
    assert not required, f"{name} needs {required}; add a line for it to MADE in {__name__}"
    return model(**SMALL.get(name, {}))


@cache
def _numbers() -> np.ndarray:
    rng = np.random.default_rng(3)
    values = np.zeros((T + H + 20, 2))
    turn = np.array([[0.5, 0.2], [-0.3, 0.4]])
    drive = rng.standard_normal((len(values), 2))
    for t in range(1, len(values)):
        values[t] = turn @ values[t - 1] + 0.3 * drive[t] + rng.standard_normal(2)
    return np.hstack([values + np.array([2.0, -1.0]), drive])[20:]


def quarters(rows: int = T) -> pd.PeriodIndex:
    """Return dates."""
    return pd.period_range("2000Q1", periods=rows, freq="Q")


def series(rows: int = T, k: int = 2) -> pd.DataFrame:
    """Return the first rows of a stationary bivariate series."""
    return pd.DataFrame(_numbers()[:rows, :k].copy(), index=quarters(rows), columns=["gdp", "rate"][:k])


def inputs(rows: int = T + H) -> pd.DataFrame:
    """Return exogenous columns for the series and the steps after it."""
    return pd.DataFrame(_numbers()[:rows, 2:].copy(), index=quarters(rows), columns=["oil", "tax"])


@cache
def fitted(name: str) -> Fitted:
    """Return a specimen fitted to the series."""
    return specimens()[name].fit(series())


@cache
def fitted_with_inputs(name: str) -> Fitted:
    """Return a specimen fitted to the series and its exogenous columns."""
    return specimens()[name].fit(series(), inputs(T))
