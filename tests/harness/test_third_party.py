"""A model of another package, found by its entry point, is a model of a suite like any other."""

from __future__ import annotations

import sys

import pytest

from varnn.errors import DataNameError
from varnn.harness import code
from varnn.harness.run import run
from varnn.harness.suite import Suite
from varnn.models import catalogue

MODULE = """
from dataclasses import dataclass
from varnn.models.rung0_naive import Mean

@dataclass(frozen=True, kw_only=True)
class Lucky(Mean):
    charm: float = 7.0
"""
TEXT = """
title = "theirs"
n_paths = 20
[[data]]
name = "white_noise"
options = { n = 40 }
horizon = 1
origins = 4
[models.Mean]
[models.Lucky]
options = { charm = 3.0 }
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    package = tmp_path / "site"
    (package / "lucky-1.0.dist-info").mkdir(parents=True)
    (package / "lucky_models.py").write_text(MODULE)
    (package / "lucky-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lucky\nVersion: 1.0\n")
    (package / "lucky-1.0.dist-info" / "entry_points.txt").write_text("[varnn.models]\nLucky = lucky_models:Lucky\n")
    monkeypatch.syspath_prepend(str(package))
    yield
    sys.modules.pop("lucky_models", None)


@pytest.mark.usefixtures("installed")
def test_a_model_of_an_installed_package_runs_in_a_suite(tmp_path):
    assert "Lucky" in catalogue()
    assert Suite.parse(TEXT).forecasters()["Lucky"].charm == 3.0
    summary = run(TEXT, tmp_path / "out")
    assert (summary.done, summary.failed) == (8, {})


def test_only_the_jobs_of_a_package_whose_code_changed_are_done_again(tmp_path, installed):
    run(TEXT, tmp_path / "out")
    assert run(TEXT, tmp_path / "out").reused == 8
    file = tmp_path / "site" / "lucky_models.py"
    file.write_text(MODULE + "\n# other arithmetic\n")
    for cached in (code._foreign, code._owner, code._owners, code._offers_models):
        cached.cache_clear()  # as in a new process
    again = run(TEXT, tmp_path / "out")
    assert (again.done, again.reused) == (4, 4)
    names = {piece.name for piece in code.all_code(Suite.parse(TEXT).forecasters().values())}
    assert {"varnn", "python", "numpy", "scipy", "pandas", "statsmodels", "numba", "lucky"} <= names


def test_where_it_is_not_installed_the_suite_says_so(tmp_path):
    with pytest.raises(DataNameError, match="no model is called 'Lucky'"):
        run(TEXT, tmp_path / "out")
