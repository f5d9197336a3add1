"""Suites are refused with the entry and the nearest valid name, and build the models they describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from varnn import compare
from varnn.errors import DataNameError, InputError, StoreError
from varnn.evaluate.backtest import backtest
from varnn.harness.jobs import items, jobs
from varnn.harness.suite import Suite
from varnn.models.wrap_conformal import Conformal

GOOD = """
title = "t"
[[data]]
name = "macrodata"
horizon = 2
[models.Mean]
"""


@pytest.mark.parametrize(("change", "words"), [
    (("horizon = 2", "horizn = 2"), "'data.0.horizn' is not a setting, did you mean 'horizon'"),
    (("title", "titel"), "'titel' is not a setting, did you mean 'title'"),
    (("horizon = 2", "horizon = 0"), "'data.0.horizon' is 0: input should be greater than or equal to 1"),
    (("horizon = 2", "horizon = true"), "'data.0.horizon' is True"),
    (("horizon = 2", 'horizon = "2"'), "'data.0.horizon' is '2'"),
    (("[models.Mean]", ""), "'models' is missing"),
    (('title = "t"', 'title = "t'), "is not TOML"),
    (('title = "t"', 'title = "t"\nseeds = []'), "'seeds' is \\[\\]"),
])
def test_a_wrong_entry_is_named(change, words):
    with pytest.raises(InputError, match=words):
        Suite.parse(GOOD.replace(*change))


def test_settings_reach_the_models_and_wrappers_nest():
    suite = Suite.parse(GOOD + '[models.banded]\nclass = "Conformal"\noptions = { model = { class = "SeasonalNaive", '
                        'season = 4 }, method = "adaptive" }\n')
    banded = suite.forecasters()["banded"]
    assert isinstance(banded, Conformal)
    assert banded.method == "adaptive"
    assert banded.model.season == 4


def test_unknown_models_and_settings_are_named():
    with pytest.raises(DataNameError, match="Mena"):
        Suite.parse(GOOD.replace("models.Mean", "models.Mena")).forecasters()
    with pytest.raises(InputError, match="SeasonalNaive has no setting 'saeson', did you mean 'season'"):
        Suite.parse(GOOD + "[models.SeasonalNaive]\noptions = { saeson = 4 }\n").forecasters()


def test_every_committed_suite_is_valid():
    files = sorted((Path(__file__).parents[2] / "benchmarks" / "suites").glob("*.toml"))
    assert files
    for file in files:
        Suite.read(file).forecasters()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        Suite.read(tmp_path / "none.toml")


def test_targets_past_inputs_and_gaps_are_as_in_compare(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    y = pd.DataFrame(rng.standard_normal((60, 3)), columns=["gdp", "cons", "oil"],
                     index=pd.period_range("2000Q1", periods=60, freq="Q"))
    y.iloc[20, 0] = np.nan
    y.rename_axis("quarter").to_csv(tmp_path / "my.csv")
    monkeypatch.chdir(tmp_path)
    text = GOOD.replace('name = "macrodata"', 'file = "my.csv"\norigins = 5')
    text = text.replace("[models.Mean]", '{asked}\n[models.VAR]\noptions = {{ lags = 1 }}')
    suite = Suite.parse(text.format(asked='target = ["gdp"]\npast = ["oil"]\nmissing = "filter"'))
    (item,), models = items(suite), suite.forecasters()
    assert item.task.names == ("gdp",)
    mine = backtest(models, item.task, {}).forecasts
    theirs = compare(y, horizon=2, models=models, target="gdp", past="oil", missing="filter", origins=5, n_paths=200)
    pd.testing.assert_frame_equal(mine, theirs.ledger.forecasts)
    other = Suite.parse(text.format(asked='target = ["cons"]\nmissing = "filter"'))
    assert jobs([item], models)[0].key != jobs(items(other), models)[0].key


def test_an_unknown_target_of_a_suite_is_named():
    with pytest.raises(DataNameError, match="target: no series of y is called 'gdp'"):
        items(Suite.parse(GOOD.replace("horizon = 2", 'horizon = 2\ntarget = ["gdp"]')))
