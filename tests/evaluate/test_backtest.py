"""The backtest: no look-ahead, nothing dropped, the same numbers however it is cut."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from varnn import Drift, Mean, Naive
from varnn.errors import ConvergenceWarning, InputError, StoreError, UncheckedWarning
from varnn.evaluate.backtest import Task, backtest
from varnn.evaluate.ledger import CHECKSUMS, ORACLE, Ledger
from varnn.evaluate.windows import Windows
from varnn.forecaster import Forecaster
from varnn.models.rung0_naive import FittedMean
from varnn.series import Series


def walk(rows: int = 40, k: int = 2, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, k)).cumsum(axis=0)


def task(values: np.ndarray, **windows: int) -> Task:
    settings = {"horizon": 3, "first": 20, "step": 2, "refit": 2} | windows
    return Task(series=Series.of(values), exog=None, windows=Windows(**settings), n_paths=50)


META = {"names": ["y1", "y2"], "windows": {"step": 2}}


def test_every_model_origin_step_and_series_has_one_row():
    given = task(walk())
    ledger = backtest({"Naive": Naive(), "Mean": Mean()}, given, META)
    assert len(ledger.forecasts) == 2 * given.windows.count(40) * 3 * 2
    assert not ledger.forecasts.duplicated(["model", "origin", "step", "series"]).any()


def test_each_forecast_equals_a_fit_by_hand():
    values = walk()
    ledger = backtest({"Drift": Drift()}, task(values, refit=1), META)
    for origin, rows in ledger.forecasts.groupby("origin"):
        by_hand = Drift().fit(values[:origin]).forecast(3).mean.to_numpy().ravel()
        np.testing.assert_allclose(rows["mean"], by_hand, rtol=1e-11)
        np.testing.assert_array_equal(rows["observed"], values[origin:origin + 3].ravel())


def test_what_comes_after_an_origin_cannot_change_its_forecasts():
    values = walk()
    honest = backtest({"Mean": Mean(), "Drift": Drift()}, task(values), META).forecasts
    for origin in sorted(honest["origin"].unique()):
        noisy = values.copy()
        noisy[origin:] = np.random.default_rng(9).standard_normal(noisy[origin:].shape) * 1e3
        again = backtest({"Mean": Mean(), "Drift": Drift()}, task(noisy), META).forecasts
        forecasts = ["mean", "lower_95", "lower_50", "upper_50", "upper_95"]
        pd.testing.assert_frame_equal(honest.loc[honest["origin"] <= origin, forecasts],
                                      again.loc[again["origin"] <= origin, forecasts], check_exact=True)


@dataclass(frozen=True, kw_only=True)
class Spy(Forecaster):
    """Looks at every array it can reach from what it is given."""

    furthest: ClassVar[list[float]] = []

    def _estimate(self, series, exog, rng):
        reached, seen = [series], set()
        while reached:
            thing = reached.pop()
            if id(thing) in seen or isinstance(thing, type):
                continue
            seen.add(id(thing))
            if isinstance(thing, np.ndarray) and thing.dtype == float:
                self.furthest.append(float(thing.max()))
            if isinstance(thing, (Series, np.ndarray, tuple, list, dict)):
                reached += [one for one in gc.get_referents(thing) if not isinstance(one, type)]
                reached += [thing.base] if isinstance(thing, np.ndarray) and thing.base is not None else []
        params = pd.DataFrame([series.values.mean(axis=0)], columns=list(series.names))
        return FittedMean(spec=self, series=series, exog=None, seen=series, seen_exog=None, params=params, df_model=1)


def test_a_spy_finds_no_future_value_in_anything_it_can_reach():
    values = np.arange(40.0)[:, None] ** 1.5 + 0.1  # rising: a larger number is a later one
    Spy.furthest.clear()
    backtest({"Spy": Spy()}, task(values, refit=1), {"names": ["y1"], "windows": {"step": 2}})
    stops = [origin.stop for origin in task(values).windows.over(40)]
    assert max(Spy.furthest) <= values[stops[-1] - 1, 0]
    assert len(Spy.furthest) >= len(stops)


@dataclass(frozen=True, kw_only=True)
class Moody(Mean):
    """Fails in some windows and complains in others."""

    def _estimate(self, series, exog, rng):
        if len(series) == 24:
            raise InputError("a window I do not like")
        if len(series) == 28:
            import warnings
            warnings.warn("stopped early: out_of_steps", ConvergenceWarning, stacklevel=2)
        return Mean._estimate(self, series, exog, rng)


def test_failures_and_warnings_are_kept_in_the_ledger():
    ledger = backtest({"Moody": Moody()}, task(walk(), refit=1), META)
    stops = ledger.fits.set_index("origin")["stop"]
    assert stops[24] == "InputError: a window I do not like"
    assert stops[28] == "stopped early: out_of_steps"
    assert stops.drop([24, 28]).eq("").all()
    failed = ledger.forecasts.set_index("origin")["mean"].isna()
    assert failed[24].all()
    assert not failed.drop(24).any()


def test_a_model_gives_the_same_numbers_alone_and_in_company():
    given = task(walk())
    alone = backtest({"Mean": Mean()}, given, META).forecasts
    together = backtest({"Drift": Drift(), "Mean": Mean(), "Naive": Naive()}, given, META).forecasts
    pd.testing.assert_frame_equal(alone, together[together["model"] == "Mean"].reset_index(drop=True), check_exact=True)


def test_a_gap_withholds_the_rows_between():
    values = walk()
    ledger = backtest({"Naive": Naive()}, task(values, gap=2), META)
    first = ledger.forecasts[ledger.forecasts["origin"] == 20]
    assert first["step"].tolist() == [3, 3, 4, 4, 5, 5]
    np.testing.assert_allclose(first["mean"], np.tile(values[19], 3), rtol=1e-11)
    np.testing.assert_array_equal(first["observed"], values[22:25].ravel())


def test_the_oracle_is_a_row_of_the_ledger():
    values = walk()
    given = Task(series=Series.of(values), exog=None, windows=Windows(horizon=2, first=30), n_paths=50,
                 oracle=lambda stop, horizon: values[stop:stop + horizon])
    ledger = backtest({"Naive": Naive()}, given, META)
    best = ledger.forecasts[ledger.forecasts["model"] == ORACLE]
    np.testing.assert_allclose(best["mean"], best["observed"], rtol=1e-11)


def test_a_ledger_read_back_is_equal_to_the_bit(tmp_path):
    ledger = backtest({"Mean": Mean(), "Moody": Moody()}, task(walk(), refit=1), META)
    again = Ledger.read(ledger.write(tmp_path))
    for table in ("forecasts", "joint", "fits"):
        pd.testing.assert_frame_equal(getattr(ledger, table), getattr(again, table), check_exact=True)
    assert again.meta == ledger.meta


def test_reading_a_folder_without_a_ledger_says_so(tmp_path):
    with pytest.raises(OSError, match="holds no ledger"):
        Ledger.read(tmp_path)


def test_a_ledger_without_a_column_says_which_and_what_to_do(tmp_path):
    folder = backtest({"Mean": Mean()}, task(walk(), refit=1), META).write(tmp_path)
    pd.read_csv(folder / "joint.csv").drop(columns="pit").to_csv(folder / "joint.csv", index=False)
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({key: value for key, value in meta.items() if key != CHECKSUMS}))
    lacking = pytest.raises(StoreError, match=r"joint\.csv has no column 'pit'.* run the comparison again")
    with pytest.warns(UncheckedWarning), lacking:
        Ledger.read(folder)
