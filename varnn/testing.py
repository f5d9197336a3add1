"""Checks for models of other packages, that a `Forecaster` keeps what varnn promises of every model.

Called by the tests of packages that offer models under the entry point ``varnn.models``. Draws its own data.
"""

from __future__ import annotations

import copy
import dataclasses
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from varnn.comparison.compare import compare
from varnn.errors import InputError, ParameterError, VarnnError, VarnnWarning
from varnn.forecaster import Fitted, Forecaster
from varnn.persist import load, save

PASSED = "PASSED"
Check = Callable[[Forecaster, pd.DataFrame, pd.DataFrame], str]


def check_forecaster(model: Forecaster, *, rows: int = 80, horizon: int = 4) -> pd.Series[str]:
    """Run every check on a model and say for each what came out.

    Parameters
    ----------
    model : Forecaster
        A specification, small enough to be fitted some twenty times.
    rows : int
        Length of the series drawn; two series and one exogenous column.
    horizon : int
        Steps of the comparison at the end.

    Returns
    -------
    Series of str
        "PASSED", or what went wrong, by the name of the check.

    Raises
    ------
    ParameterError
        If `model` is not a specification.

    Examples
    --------
    >>> from varnn.models.rung1_var import VAR
    >>> set(check_forecaster(VAR(lags=1)))
    {'PASSED'}
    """
    if not isinstance(model, Forecaster):
        what = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}"
        raise ParameterError(f"check_forecaster takes a specification, for example VAR(lags=1); this is {what}")
    y, X = _drawn(rows)
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VarnnWarning)
        for check in CHECKS:
            try:
                found[check.__name__.lstrip("_")] = check(model, y, X) or PASSED
            except Exception as problem:  # whatever a model of others raises is what the check found
                found[check.__name__.lstrip("_")] = f"{type(problem).__name__}: {problem}"
        try:
            table = compare(y, horizon=horizon, models={"checked": model}, origins=3, n_paths=50).table
            found["is_compared"] = PASSED if table["failed"].iloc[0] == 0 else "it failed at an origin"
        except VarnnError as problem:
            found["is_compared"] = f"{type(problem).__name__}: {problem}"
    return pd.Series(found, name=model.label, dtype=object)


def _drawn(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two series that depend on their past and on one exogenous column, quarterly."""
    rng = np.random.default_rng(11)
    dates = pd.period_range("2000Q1", periods=rows + 12, freq="Q")
    x = rng.standard_normal((len(dates), 1))
    y = rng.standard_normal((len(dates), 2)) + 0.3 * x
    for t in range(1, len(y)):
        y[t] += y[t - 1] @ np.array([[0.5, -0.3], [0.2, 0.4]])
    return (pd.DataFrame(y[:rows] + np.array([2.0, -1.0]), index=dates[:rows], columns=["gdp", "rate"]),
            pd.DataFrame(x, index=dates, columns=["oil"]))


def _is_a_frozen_dataclass_of_options(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    if not dataclasses.is_dataclass(model) or not type(model).__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return "the class is not @dataclass(frozen=True, kw_only=True)"
    if type(model)(**model.get_params(deep=False)) != model or copy.deepcopy(model) != model:
        return "made again from its options it is not equal to itself"
    return "" if model.label.strip() else "it has no label"


def _leaves_itself_and_the_data_alone(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    before, copied = repr(model), y.copy()
    model.fit(y)
    if repr(model) != before:
        return "fit changes the specification"
    return "" if y.equals(copied) else "fit changes the data"


def _gives_the_same_bits_again(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    first, again = (model.fit(y, rng=3).forecast(3, rng=5) for _ in range(2))
    if not np.array_equal(first.point, again.point) or not np.array_equal(first.paths, again.paths):
        return "the same seeds give other numbers"
    state = str(np.random.get_state())  # noqa: NPY002  (that it is left alone)
    model.fit(y).forecast(2)
    return "" if state == str(np.random.get_state()) else "it uses numpy's global generator"  # noqa: NPY002


def _forecasts_are_whole_and_dated(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    outlook = model.fit(y).forecast(3, n_paths=60)
    if outlook.point.shape != (3, 2) or outlook.paths.shape != (60, 3, 2):
        return f"means have shape {outlook.point.shape} and paths {outlook.paths.shape}, not (3, 2) and (60, 3, 2)"
    if not np.isfinite(outlook.paths).all() or not np.isfinite(outlook.point).all():
        return "a mean or path is not finite"
    if outlook.names != ("gdp", "rate"):
        return f"series are called {outlook.names}"
    expected = pd.period_range(y.index[-1] + 1, periods=3, freq="Q")
    return "" if outlook.index.equals(expected) else f"dates are {outlook.index[0]} …, not {expected[0]} …"


def _predicts_within_the_sample(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    fit = model.fit(y)
    if not isinstance(fit, Fitted):
        return f"fit returns {type(fit).__name__}, no Fitted"
    whole = fit.fittedvalues + fit.resid
    if not np.allclose(whole, y.loc[whole.index]):
        return "fittedvalues and resid do not add up to the series"
    first = int(np.flatnonzero(y.index == whole.index[0])[0])
    changed = y.copy()
    changed.iloc[-1] += 5.0
    one_step = fit._one_step(changed.to_numpy(), None)
    return "" if np.allclose(one_step[first:-1], fit.fittedvalues.to_numpy()[:-1]) and np.allclose(
        one_step[-1], fit.fittedvalues.to_numpy()[-1]) else "a one-step prediction sees the row it predicts, or later"


def _update_moves_the_state_only(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    fit = model.fit(y.iloc[:-5])
    moved = fit.update(y.iloc[-5:])
    if len(fit.seen) != len(y) - 5 or len(moved.seen) != len(y):
        return "update changes the fit, or does not see the new rows"
    if not moved.params.equals(fit.params):
        return "update changes the parameters"
    one_by_one = fit
    for row in range(len(y) - 5, len(y)):
        one_by_one = one_by_one.update(y.iloc[row:row + 1])
    gap = np.abs(one_by_one.forecast(2).point - moved.forecast(2).point).max()
    return "" if gap < 1e-8 else f"rows one by one lead elsewhere than together, by {gap:.1e}"


def _takes_exogenous_columns_as_it_says(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    past, ahead = X.loc[y.index], X.iloc[len(y):len(y) + 3]
    if not model.takes_exog:
        try:
            model.fit(y, past)
        except InputError:
            return ""
        return "takes_exog is False, and X is accepted"
    fit = model.fit(y, past)
    base, moved = fit.forecast(3, ahead).point, fit.forecast(3, ahead + 3.0).point
    try:
        fit.forecast(3)
    except InputError:
        return "" if base.shape == moved.shape else "means change their shape with X"
    return "forecast needs no X although the fit used it"


def _refuses_what_it_cannot_use(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    holed = y.copy()
    holed.iloc[3, 0] = np.nan
    for bad, what in ((holed, "a missing value"), (y.iloc[:1], "one row"), (y.assign(gdp="a"), "text")):
        try:
            model.fit(bad)
        except InputError:
            continue
        except VarnnError as problem:
            return f"{what} raises {type(problem).__name__}, no InputError"
        if what != "one row":  # a model may need no more
            return f"{what} is accepted"
    return ""


def _is_saved_with_the_same_bits(model: Forecaster, y: pd.DataFrame, X: pd.DataFrame) -> str:
    fit = model.fit(y)
    with tempfile.TemporaryDirectory() as folder:
        back = load(save(fit, Path(folder) / "checked.varnn"))
    same = np.array_equal(back.forecast(3, rng=1).paths, fit.forecast(3, rng=1).paths)
    return "" if same else "loaded, it forecasts otherwise"


CHECKS: tuple[Check, ...] = (
    _is_a_frozen_dataclass_of_options, _leaves_itself_and_the_data_alone, _gives_the_same_bits_again,
    _forecasts_are_whole_and_dated, _predicts_within_the_sample, _update_moves_the_state_only,
    _takes_exogenous_columns_as_it_says, _refuses_what_it_cannot_use, _is_saved_with_the_same_bits)
