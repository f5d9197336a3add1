"""varnn benchmark: run, report, verify, and clear words when it cannot."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from varnn.cli.app import app

SUITE = """
title = "tiny"
n_paths = 20
[[data]]
name = "white_noise"
options = { n = 40 }
horizon = 1
origins = 10
[models.Naive]
[models.Mean]
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "tiny.toml").write_text(SUITE)
    result = CliRunner().invoke(app, ["benchmark", "run", str(folder / "tiny.toml"), "--out", str(folder / "out")])
    assert result.exit_code == 0, result.output
    assert "20 jobs done, 0 found finished" in result.output
    return folder


def test_the_report_is_a_page_and_a_board(done):
    result = CliRunner().invoke(app, ["benchmark", "report", "--out", str(done / "out")])
    assert result.exit_code == 0
    assert (done / "out" / "index.html").stat().st_size > 10_000
    assert len(pd.read_csv(done / "out" / "board.csv")) == 2


def test_resuming_a_finished_run_does_nothing(done):
    result = CliRunner().invoke(app, ["benchmark", "resume", "--out", str(done / "out")])
    assert "0 jobs done, 20 found finished" in result.output


def test_verify_agrees_with_itself_and_says_what_differs(done, tmp_path):
    CliRunner().invoke(app, ["benchmark", "report", "--out", str(done / "out")])
    good = CliRunner().invoke(app, ["benchmark", "verify", str(done / "out"), "--out", str(tmp_path / "a")])
    assert good.exit_code == 0
    assert "Every number" in good.output
    board = pd.read_csv(done / "out" / "board.csv")
    (tmp_path / "suite.toml").write_text(SUITE)
    board.assign(crps=board["crps"] * 1.01).to_csv(tmp_path / "board.csv", index=False)
    bad = CliRunner().invoke(app, ["benchmark", "verify", str(tmp_path), "--out", str(tmp_path / "b")])
    assert bad.exit_code == 1
    assert "2 numbers" in bad.output
    assert "Which code made them is not recorded." in bad.output
    record = done / "out" / "code.txt"
    for text, said in ((record.read_text(), "The same code made them"), ("0.0+other\n", "varnn was 0.0, is ")):
        (tmp_path / "code.txt").write_text(text)
        told = CliRunner().invoke(app, ["benchmark", "verify", str(tmp_path), "--out", str(tmp_path / "b")]).output
        assert said in " ".join(told.split())
    (tmp_path / "code.txt").write_text(record.read_text().replace("numpy", "numpi"))
    altered = CliRunner().invoke(app, ["benchmark", "verify", str(tmp_path), "--out", str(tmp_path / "b")])
    assert altered.exit_code != 0
    assert "code.txt" in altered.output


def test_listing_names_each_suite(done):
    result = CliRunner().invoke(app, ["benchmark", "list", "--folder", str(done)])
    assert "tiny (1 data sets × 2 models × 1 seeds)" in result.output


def test_a_suite_is_found_by_its_name_and_a_misspelt_one_is_told_the_nearest(done, tmp_path, monkeypatch):
    monkeypatch.setattr("varnn.cli.benchmark.SUITES", done)
    good = CliRunner().invoke(app, ["benchmark", "run", "tiny", "--out", str(tmp_path / "out")])
    assert good.exit_code == 0
    bad = CliRunner().invoke(app, ["benchmark", "run", "tinny", "--out", str(tmp_path / "out")])
    assert bad.exit_code == 2
    assert "did you mean 'tiny'" in bad.output


def test_dask_is_an_option_of_its_own(done, tmp_path, monkeypatch):
    asked = []

    def run(text, out, *, executor, workers, progress):
        asked.append(executor)
        raise KeyboardInterrupt

    monkeypatch.setattr("varnn.harness.run.run", run)
    for dask in ("local", "tcp://10.0.0.5:8786"):
        CliRunner().invoke(app, ["benchmark", "run", str(done / "tiny.toml"), "--dask", dask])
    assert asked == ["dask", "tcp://10.0.0.5:8786"]


@pytest.mark.parametrize("command", [["run", "nope.toml"], ["resume", "--out", "nope"], ["list", "--folder", "nope"]])
def test_what_is_not_there_is_one_line_and_exit_code_two(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["benchmark", *command])
    assert result.exit_code == 2
    assert "nope" in result.output
