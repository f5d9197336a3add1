"""Models of varnn on the tasks of fev, the forecast evaluation benchmark: one list of predictions, ready to be scored.

Called by users of fev only. Imports nothing of it: a task is asked for its windows; what comes back are plain lists.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from varnn.errors import InputError, ParameterError
from varnn.forecast import Forecast
from varnn.forecaster import Forecaster, one_of
from varnn.models.wrap_panel import Panel, Sharing
from varnn.series import whole_number

Predictions = dict[str, list[dict[str, list[float]]]]


def predictions(task: Any, model: Forecaster, *, sharing: Sharing = "local",
                missing: Literal["raise", "filter"] = "raise", point: Literal["mean", "median"] = "mean",
                n_paths: int = 1000, seed: int = 0) -> list[Predictions]:
    """Return a model's forecasts for every window of a task, as `task.evaluation_summary` takes them.

    Series of one item are forecast together, and known future columns are exogenous ones; what is known of the past
    only, and static columns, are not used.

    Parameters
    ----------
    task : fev.Task
    model : Forecaster
        For example `varnn.VAR(lags=2)`.
    sharing : {"local", "global"}
        A fit for each item, or one shared by all.
    missing : {"raise", "filter"}
        Refuse missing values, or let the recursion fill them (local fits).
    point : {"mean", "median"}
        What is given as the point forecast; absolute errors are least at the median.
    n_paths, seed : int
        Sample paths behind quantiles, and the seed of everything random.

    Returns
    -------
    list of dict
        One a window: for each target a list of one dict an item, with "predictions" and each quantile level.

    Raises
    ------
    InputError
        Naming the item.
    """
    if not isinstance(model, Forecaster) or not hasattr(task, "iter_windows"):
        raise ParameterError("predictions takes a fev.Task and a model of varnn, for example VAR(lags=2)")
    one_of(missing, "missing", ("raise", "filter"))
    one_of(point, "point", ("mean", "median"))
    paths = whole_number(n_paths, "n_paths", least=1)
    found = []
    for window in task.iter_windows():
        past, future = window.get_input_data()
        outlooks = _outlooks(task, model, list(past), list(future), sharing=sharing, missing=missing, n_paths=paths,
                             seed=seed)
        found.append({target: [_said(outlook, column, point, task.quantile_levels) for outlook in outlooks]
                      for column, target in enumerate(task.target_columns)})
    return found


def _outlooks(task: Any, model: Forecaster, past: list[dict[str, Any]], future: list[dict[str, Any]], *,
              sharing: Sharing, missing: Literal["raise", "filter"], n_paths: int, seed: int) -> list[Forecast]:
    """Return the forecast of each item of a window."""
    known = list(task.known_dynamic_columns) if model.takes_exog else []
    names = [str(item[task.id_column]) for item in past]
    y = {name: _frame(item, list(task.target_columns), task.timestamp_column) for name, item in
         zip(names, past, strict=True)}
    X = {name: _frame(item, known, task.timestamp_column) for name, item in zip(names, past, strict=True)}
    ahead = {str(item[task.id_column]): np.column_stack([np.asarray(item[name], dtype=np.float64) for name in known])
             for item in future} if known else {}
    options: dict[str, Any] = {"n_paths": n_paths, "rng": seed}
    if sharing == "global":
        fits = Panel(model=model, sharing="global").fit(y, X if known else None, rng=seed)
        return [fits[name].forecast(task.horizon, ahead.get(name), **options) for name in names]
    found = []
    for name in names:
        try:
            fit = model.fit(y[name], X[name] if known else None, missing=missing, rng=seed)
        except InputError as problem:
            raise type(problem)(f"item {name!r}: {problem}") from None
        found.append(fit.forecast(task.horizon, ahead.get(name), **options))
    return found


def _frame(item: dict[str, Any], columns: list[str], dates: str) -> pd.DataFrame:
    """Return columns of an item on its dates, or on numbered rows where pandas knows no frequency of these."""
    index = pd.DatetimeIndex(item[dates])
    try:
        index = pd.DatetimeIndex(index, freq="infer")
    except ValueError:
        index = index[:0]
    table = pd.DataFrame({name: np.asarray(item[name], dtype=np.float64) for name in columns})
    return table.set_axis(index, axis=0) if len(index) == len(table) and index.freq is not None and columns else table


def _said(outlook: Forecast, column: int, point: str, levels: list[float]) -> dict[str, list[float]]:
    middle = outlook.point if point == "mean" else outlook.quantile(0.5).to_numpy()
    said = {"predictions": middle[:, column].tolist()}
    return said | {str(level): outlook.quantile(float(level)).iloc[:, column].tolist() for level in levels}
