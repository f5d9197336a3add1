"""Traps for a comparison that peeks: y itself as a covariate, misspelt covariates, a spy, a dropped last window."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from varnn import VAR, compare
from varnn.cli.app import app
from varnn.errors import ExogError, LookaheadError
from varnn.evaluate.backtest import Task, backtest
from varnn.evaluate.windows import Windows
from varnn.forecaster import Forecaster
from varnn.harness.run import comparisons, run
from varnn.harness.suite import Suite
from varnn.models.rung0_naive import FittedMean
from varnn.series import Series

META = {"names": ["y1"], "windows": {"step": 1}}


def noise(rows: int = 120, k: int = 2) -> pd.DataFrame:
    values = np.random.default_rng(11).standard_normal((rows, k))
    return pd.DataFrame(values, columns=[f"s{j}" for j in range(k)])


@pytest.mark.parametrize("lead", range(13))
@pytest.mark.parametrize("scale", [1.0, -250.0])
def test_y_itself_now_or_up_to_twelve_steps_later_is_refused_as_a_covariate(lead, scale):
    y = noise()
    x = pd.DataFrame({"calendar": np.arange(120.0) % 7, "clever": scale * y["s1"].shift(-lead).fillna(0.0) + 3.0})
    with pytest.raises(LookaheadError, match="'clever' equals 's1' "):
        compare(y, x, horizon=1, models=["Mean"])


@pytest.mark.parametrize(("lead", "horizon"), [(13, 13), (20, 24)])
def test_y_itself_is_refused_as_far_ahead_as_is_forecast(lead, horizon):
    y = noise(200)
    x = pd.DataFrame({"clever": y["s1"].shift(-lead).fillna(0.0)})
    with pytest.raises(LookaheadError, match=f"{lead} steps later"):
        compare(y, x, horizon=horizon, models=["Mean"])


def test_y_of_the_past_is_a_covariate_like_any_other_and_gains_nothing_on_noise():
    y = noise(300, 1)
    x = pd.DataFrame({"lagged": y["s0"].shift(2).fillna(0.0)})
    result = compare(y, x, horizon=1, models={"VAR": VAR(lags=1), "Mean": VAR(lags=0)})
    assert result.table.loc["Mean", "skill"] > -3


def test_a_file_whose_covariate_is_tomorrow_s_outcome_is_refused_by_the_command_line(tmp_path):
    frame = noise().assign(clever=lambda table: table["s0"].shift(-1).fillna(0.0))
    frame.to_csv(tmp_path / "leak.csv", index=False)
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "leak.csv"), "--horizon", "1", "--exog", "clever",
                                    "--columns", "s0,s1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "'clever' equals 's0' 1 step later" in done.output.replace("\n", " ")


def test_a_misspelt_covariate_is_refused_by_name_in_a_file_and_in_a_forecast(tmp_path):
    frame = noise(60).assign(oil=np.arange(60.0) % 5)
    frame.to_csv(tmp_path / "data.csv", index=False)
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "data.csv"), "--horizon", "1", "--exog", "oli",
                                    "--columns", "s0,s1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "did you mean 'oil'" in done.output.replace("\n", " ")
    fit = VAR(lags=1).fit(frame[["s0", "s1"]], frame[["oil"]])
    with pytest.raises(ExogError, match="oil"):
        fit.forecast(2, pd.DataFrame({"olli": [1.0, 2.0]}, index=[60, 61]))


def test_after_an_origin_everything_may_be_noise_and_no_rung_forecasts_a_bit_differently():
    values = noise(70, 2).cumsum().to_numpy()
    exog = Series.of(pd.DataFrame({"plan": np.arange(70.0) % 4}))
    models = Suite.parse('title = "t"\nseeds = [0]\n[[data]]\nname = "ar"\nhorizon = 1\n[models.Drift]\n[models.VAR]\n'
                         "[models.LinearRNN]\n[models.TanhRNN]\n[models.Direct]\n").forecasters()
    windows = Windows(horizon=2, first=50, step=9, refit=2)

    def forecasts(y: np.ndarray) -> pd.DataFrame:
        task = Task(series=Series.of(y), exog=exog, windows=windows, n_paths=20)
        return backtest(models, task, META | {"names": ["y1", "y2"]}).forecasts

    honest = forecasts(values)
    for origin in sorted(honest["origin"].unique()):
        noisy = values.copy()
        noisy[origin:] = np.random.default_rng(9).standard_normal(noisy[origin:].shape) * 1e3
        told = forecasts(noisy)
        columns = ["mean", "lower_95", "lower_50", "upper_50", "upper_95"]
        pd.testing.assert_frame_equal(honest.loc[honest["origin"] <= origin, columns],
                                      told.loc[told["origin"] <= origin, columns], check_exact=True)


NOT_DATA = (type, ModuleType, FunctionType, BuiltinFunctionType, FrameType)


def reachable(*given: object) -> list[np.ndarray]:
    """Return every array of numbers reachable from some objects, by any reference, but through code and modules."""
    waiting, seen, arrays = list(given), set(), []
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, NOT_DATA):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            arrays.append(thing)
            waiting.append(thing.base)
        waiting += gc.get_referents(thing)
        waiting += [vars(thing)] if hasattr(thing, "__dict__") else []
    return arrays


@dataclass(frozen=True, kw_only=True)
class Spy(Forecaster):
    """Keeps the largest number it can reach from what it is given."""

    takes_exog: ClassVar[bool] = True
    furthest: ClassVar[dict[int, float]] = {}

    def _estimate(self, series, exog, rng):
        numbers = [float(array.max()) for array in reachable(self, series, exog, rng)
                   if array.size and np.issubdtype(array.dtype, np.floating)]
        self.furthest[len(series)] = max(numbers)
        params = pd.DataFrame([series.values.mean(axis=0)], columns=list(series.names))
        return FittedMean(spec=self, series=series, exog=None, seen=series, seen_exog=None, params=params, df_model=1)


def test_a_spy_that_searches_every_reachable_object_finds_no_future_value():
    rising = np.arange(1.0, 41.0)[:, None] ** 3                                  # a larger number is a later one
    task = Task(series=Series.of(rising), exog=Series.of(pd.DataFrame({"plan": np.arange(40.0) ** 2})),
                windows=Windows(horizon=3, first=20), n_paths=20)
    Spy.furthest.clear()
    backtest({"Spy": Spy()}, task, META)
    stops = [origin.stop for origin in task.windows.over(40)]
    assert {rows: Spy.furthest[rows] for rows in stops} == {rows: rising[rows - 1, 0] for rows in stops}


def test_the_spy_would_find_a_view_into_the_whole_series():
    whole = np.arange(40.0)
    assert max(float(array.max()) for array in reachable({"seen": [whole[:10]]})) == 39.0


def test_the_scored_points_are_origins_times_steps_times_series_down_to_the_last_row(tmp_path):
    text = ('title = "t"\nn_paths = 20\n[[data]]\nname = "var"\noptions = { n = 97 }\nhorizon = 5\nfirst = 50\nstep = 3'
            "\nrefit = 4\n[models.Mean]\n[models.Naive]\n")
    run(text, tmp_path)
    ledger = comparisons(tmp_path)[0].ledger
    origins = (97 - 50 - 5) // 3 + 1
    scored = ledger.forecasts[ledger.forecasts["model"] == "Mean"]
    assert len(scored) == origins * 5 * 3
    assert scored["mean"].notna().all()
    assert scored["date"].astype(int).max() == 50 + 3 * (origins - 1) + 5 - 1
    assert 97 - 1 - scored["date"].astype(int).max() < 3                        # fewer rows than a step are left over


def test_an_exact_copy_of_y_under_another_name_is_refused_by_every_fit():
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    copy = pd.DataFrame({"season": np.arange(60) % 4, "twin": y["b"]})
    with pytest.raises(LookaheadError, match="X column 'twin' equals 'b' at the same date"):
        VAR(lags=1).fit(y, copy)
    assert VAR(lags=1).fit(y, copy.assign(twin=y["b"].shift(3, fill_value=0.0))).nobs == 59
