"""fev's tasks: predictions are the native forecasts, and fev's own scores take them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn.adapters.fev import predictions
from varnn.errors import MissingDataError, ParameterError

DATES = pd.date_range("2020-01-01", periods=60, freq="MS")


def items() -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    return [{"id": name, "timestamp": DATES.to_numpy(), "a": rng.normal(size=60),
             "b": rng.normal(size=60), "z": rng.normal(size=60)} for name in ("one", "two")]


def task(known: bool = False, holes: bool = False) -> SimpleNamespace:
    """What `predictions` reads of a fev.Task, with two windows."""
    def window(end: int) -> SimpleNamespace:
        held = [dict(item) for item in items()]
        if holes:
            held[1]["a"] = np.where(np.arange(60) == 9, np.nan, held[1]["a"])
        past = [{name: value if name == "id" else value[:end] for name, value in item.items()} for item in held]
        future = [{"id": item["id"], "z": item["z"][end:end + 3]} for item in held]
        return SimpleNamespace(get_input_data=lambda: (past, future))

    return SimpleNamespace(iter_windows=lambda: [window(50), window(55)], horizon=3, id_column="id",
                           timestamp_column="timestamp", target_columns=["a", "b"], quantile_levels=[0.1, 0.9],
                           known_dynamic_columns=["z"] if known else [])


def native(end: int, name: int, known: bool):
    item = items()[name]
    y = pd.DataFrame({"a": item["a"][:end], "b": item["b"][:end]}, index=DATES[:end])
    X = pd.DataFrame({"z": item["z"][:end]}, index=DATES[:end]) if known else None
    fit = varnn.VAR(lags=1).fit(y, X)
    return fit.forecast(3, item["z"][end:end + 3][:, None] if known else None)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("point", ["mean", "median"])
def test_predictions_are_the_native_forecasts_to_the_bit(known, point):
    found = predictions(task(known), varnn.VAR(lags=1), point=point)
    for window, end in enumerate((50, 55)):
        for item in (0, 1):
            outlook = native(end, item, known)
            for column, target in enumerate(("a", "b")):
                told = found[window][target][item]
                middle = outlook.mean if point == "mean" else outlook.quantile(0.5)
                assert told["predictions"] == middle.iloc[:, column].tolist()
                assert told["0.9"] == outlook.quantile(0.9).iloc[:, column].tolist()


def test_fits_may_be_shared_and_gaps_filled():
    shared = predictions(task(), varnn.VAR(lags=1), sharing="global")
    fits = varnn.Panel(model=varnn.VAR(lags=1)).fit({
        item["id"]: pd.DataFrame({"a": item["a"][:50], "b": item["b"][:50]}) for item in items()})
    assert shared[0]["a"][1]["predictions"] == fits["two"].forecast(3).point[:, 0].tolist()
    with pytest.raises(MissingDataError, match="item 'two'"):
        predictions(task(holes=True), varnn.VAR(lags=1))
    filled = predictions(task(holes=True), varnn.VAR(lags=1), missing="filter")
    assert np.isfinite(filled[0]["a"][1]["predictions"]).all()


@pytest.mark.parametrize("given", [(SimpleNamespace(), varnn.Naive()), (task(), "VAR")])
def test_what_is_no_task_or_no_model_is_refused(given):
    with pytest.raises(ParameterError, match=r"takes a fev\.Task"):
        predictions(*given)


@pytest.mark.filterwarnings("default")  # fev's and its loader's own
def test_fevs_own_scores_take_them(tmp_path):
    fev = pytest.importorskip("fev", reason="fev is not installed", exc_type=ImportError)
    rows = [{"id": item["id"], "timestamp": list(DATES), "target": item["a"]} for item in items()]
    pd.DataFrame(rows).to_parquet(tmp_path / "data.parquet")
    asked = fev.Task(dataset_path=str(tmp_path / "data.parquet"), horizon=3, num_windows=2, eval_metric="MASE",
                     quantile_levels=[0.1, 0.5, 0.9], seasonality=1)
    summary = asked.evaluation_summary(predictions(asked, varnn.Naive()), model_name="varnn.Naive")
    errors = []
    for window in (0, 1):
        end = 60 - 3 * (2 - window)
        for item in items():
            scale = np.abs(np.diff(item["a"][:end])).mean()
            errors.append(np.abs(item["a"][end:end + 3] - item["a"][end - 1]).mean() / scale)
    assert np.isclose(summary["test_error"], np.mean(errors))
