"""A suite of one's own file, suites and data sets and scores of other packages, and a result packed for others."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import varnn
from varnn import data
from varnn.adapters.torch import to_torch
from varnn.cli.app import app
from varnn.data.dataset import About
from varnn.errors import DataNameError, InputError, MissingDependencyError, ParameterError, StoreError
from varnn.evaluate.scores.registry import Score, score
from varnn.harness.jobs import items
from varnn.harness.publish import publish
from varnn.harness.run import comparisons, run, verify
from varnn.harness.suite import Suite, suites

CATALOGUE = importlib.import_module("varnn.data.catalogue")
CACHES = (CATALOGUE._origins, CATALOGUE._offered)
MINE = """
title = "mine"
n_paths = 20
[[data]]
file = "my.csv"
transform = "gdp=logdiff"
columns = ["gdp", "rate"]
horizon = 1
origins = 4
[models.Naive]
[models.VAR]
options = { lags = 1 }
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"month": pd.period_range("2015-01", periods=40, freq="M").astype(str),
                          "gdp": np.exp(rng.normal(size=40).cumsum() / 50), "rate": rng.normal(size=40),
                          "left": rng.normal(size=40)})
    table.to_csv(tmp_path / "my.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return table


def test_a_suite_may_name_a_target_inputs_of_the_past_and_gaps(mine):
    mine.loc[5, "left"] = np.nan
    mine.to_csv("my.csv", index=False)
    text = MINE.replace("transform", 'past = ["left"]\ntarget = ["gdp"]\nmissing = "filter"\ntransform')
    (item,) = items(Suite.parse(text))
    assert item.task.series.names == ("gdp", "rate", "left")
    assert item.task.names == ("gdp",)
    assert np.isnan(item.task.series.values).sum() == 1
    with pytest.raises(InputError, match="left"):
        items(Suite.parse(text.replace('"filter"', '"raise"')))
    with pytest.raises(InputError, match="target and in past"):
        items(Suite.parse(text.replace('["gdp"]', '["left"]')))
    run(text, "out")
    given = pd.DataFrame(item.task.series.values, columns=["gdp", "rate", "left"], index=item.task.series.index)
    alone = varnn.compare(given, horizon=1, origins=4, models={"VAR": varnn.VAR(lags=1)}, n_paths=20,
                          past=["left"], target="gdp", missing="filter")
    assert comparisons("out")[0].table.loc["VAR", "rmsse"] == alone.table.loc["VAR", "rmsse"]


def test_a_file_of_ones_own_is_a_data_set_of_a_suite(mine):
    (item,) = items(Suite.parse(MINE))
    assert item.name == "my"
    assert item.task.series.names == ("gdp", "rate")
    assert np.allclose(item.task.series.values[:, 0], np.diff(np.log(mine["gdp"])))
    assert item.task.season == 12
    assert hashlib.sha256(Path("my.csv").read_bytes()).hexdigest() in item.about["source"]


@pytest.mark.parametrize(("old", "new", "told"), [
    ('file = "my.csv"', 'file = "my.csv"\nname = "macrodata"', "one of them"),
    ('file = "my.csv"', "", "one of them"),
    ('file = "my.csv"', 'name = "macrodata"', "belong to a file"),
    ('columns = ["gdp", "rate"]', "options = { n = 3 }", "options belong to a data set with a name"),
    ('file = "my.csv"', 'fil = "my.csv"', "did you mean 'file'"),
])
def test_what_a_file_cannot_have_is_refused(old, new, told):
    with pytest.raises(InputError, match=told):
        Suite.parse(MINE.replace(old, new))


def test_a_file_that_is_not_there_is_looked_for_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"'my\.csv' is not in"):
        items(Suite.parse(MINE))


def test_a_result_is_packed_with_its_checksums_and_verifies_elsewhere(mine, tmp_path):
    run(MINE, tmp_path / "run")
    packed = publish(tmp_path / "run")
    again = publish(tmp_path / "run", tmp_path / "again.zip")
    assert packed.path.read_bytes() == again.path.read_bytes()
    with zipfile.ZipFile(packed.path) as held:
        held.extractall(tmp_path / "there")
    there = tmp_path / "there" / "run"
    manifest = json.loads((there / "manifest.json").read_text())
    assert {"suite.toml", "board.csv", "code.txt", "index.html"} <= set(manifest["files"])
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((there / name).read_bytes()).hexdigest() == digest
    assert verify(there, tmp_path / "anew").empty
    assert publish(tmp_path / "anew").citation == packed.citation
    result = CliRunner().invoke(app, ["benchmark", "publish", "--out", str(tmp_path / "run")])
    assert packed.citation in result.output.replace("\n", " ")


def test_a_run_that_is_not_finished_is_not_published(mine, tmp_path):
    run(MINE, tmp_path / "run")
    results = tmp_path / "run" / "results.log"
    results.write_bytes(b"".join(results.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(StoreError, match="is not finished"):
        publish(tmp_path / "run")


def test_the_suites_of_varnn_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"smoke", "macro", "classics", "armacell"} <= set(suites())
    listed = json.loads(CliRunner().invoke(app, ["benchmark", "list", "--json"]).output)
    assert "smoke" in [one["name"] for one in listed]
    assert Suite.find("smoke", Path("benchmarks/suites")).is_file()


# ------------------------------------------------------------------------------------ other packages


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that offers a data set, a score and a folder of suites."""
    (tmp_path / "offer.py").write_text('''
import numpy as np, pandas as pd
from pathlib import Path
from varnn.data.dataset import About
from varnn.evaluate.scores.registry import Score
ABOUT = About(name="tides", title="Tides", origin="bundled", shape=(9, 1))
def load():
    return ABOUT.with_data(pd.DataFrame({"height": np.arange(9.0)}))
BIAS = Score("bias", "bias", lambda y, f, _: y - f.mean)
SUITES = Path(__file__).parent / "boards"
''')
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "tides.toml").write_text(
        'title = "tides"\n[[data]]\nname = "tides"\nhorizon = 1\n[models.Naive]\n')
    monkeypatch.syspath_prepend(tmp_path)
    offered = {"varnn.data": [("tides", "offer")], "varnn.scores": [("bias", "offer:BIAS")],
               "varnn.suites": [("offer", "offer:SUITES")]}
    real = importlib.metadata.entry_points

    def entry_points(*, group):
        return [*real(group=group), *(importlib.metadata.EntryPoint(name, value, group)
                                      for name, value in offered.get(group, ()))]

    for module in ("varnn.data.catalogue", "varnn.evaluate.scores.registry", "varnn.harness.suite"):
        monkeypatch.setattr(importlib.import_module(module), "entry_points", entry_points)
    caches = CACHES
    for cache in caches:
        cache.cache_clear()
    yield offered
    monkeypatch.undo()
    sys.modules.pop("offer", None)
    for cache in caches:
        cache.cache_clear()


def test_a_package_offers_data_sets_scores_and_suites(package):
    assert "tides" in data.names(origin="bundled")
    assert data.load("Tides").frame["height"].tolist() == list(range(9))
    assert data.about("tides").title == "Tides"
    assert "tides" in data.catalogue().index
    assert score("bias").title == "bias"
    assert Suite.read(suites()["tides"]).title == "tides"


def test_what_a_package_offers_wrongly_is_refused(package):
    package["varnn.scores"][0] = ("bias", "offer:SUITES")
    with pytest.raises(ParameterError, match=r"varnn\.scores: bias"):
        score("bias")
    with pytest.raises(DataNameError, match="no score is called"):
        score("nothing")
    package["varnn.data"].append(("macrodata", "offer"))
    for cache in CACHES:
        cache.cache_clear()
    with pytest.raises(ParameterError, match="offers a data set named 'macrodata'"):
        data.names()
    assert isinstance(score("crps"), Score)
    assert SimpleNamespace(about=About(name="a", title="b", origin="bundled")).about.title == "b"


# ------------------------------------------------------------------------------------ without torch


@pytest.mark.parametrize("call", [
    lambda: varnn.GRU(lags=1).fit(np.random.default_rng(0).normal(size=(40, 1))),
    lambda: varnn.SequenceClassifier().fit([f"{n:b}" for n in range(60)], ["x", "y"] * 30),
    lambda: to_torch(varnn.VAR(lags=1).fit(np.random.default_rng(0).normal(size=(40, 1)))),
    lambda: varnn.VAR(lags=1).fit(np.random.default_rng(0).normal(size=(40, 1))).layer(),
], ids=["a gated model", "a sequence model", "to_torch", "layer"])
def test_what_needs_torch_says_how_to_install_it(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'varnn\[torch\]'"):
        call()
