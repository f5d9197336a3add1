"""The command line: what it writes, what it says, and that no mistake of a user ends in a traceback."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import typer.main
from typer.testing import CliRunner

import varnn
import varnn.cli.app
from varnn.cli.app import app

runner = CliRunner()
FAST = ["--models", "Naive,Mean,VAR", "--origins", "6"]


def run(*args: object, code: int = 0):
    """Run a command and return its result after checking the exit code."""
    result = runner.invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, f"{args}: {result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def csv(tmp_path):
    """Levels of two series that grow, and an exogenous column, quarterly."""
    rng = np.random.default_rng(5)
    growth = 0.01 + 0.02 * rng.standard_normal((80, 2))
    growth[1:] += 0.4 * growth[:-1]
    levels = 100 * np.exp(np.cumsum(growth, axis=0))
    table = pd.DataFrame(levels, columns=["gdp", "cons"])
    table.insert(0, "quarter", pd.period_range("2000Q1", periods=80, freq="Q").astype(str))
    table["oil"] = rng.standard_normal(80)
    path = tmp_path / "mydata.csv"
    table.to_csv(path, index=False)
    return path


def commands():
    """Yield (name, click command) of every command, those of groups too."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        for below, deeper in getattr(command, "commands", {}).items():
            yield f"{name} {below}", deeper
        yield name, command
    yield "", group


def test_the_version_is_the_packages():
    assert run("--version").stdout == f"varnn {varnn.__version__}\n"


def test_no_arguments_show_the_help():
    result = runner.invoke(app, [])
    for command in ("compare", "forecast", "demo", "data", "models", "report"):
        assert command in result.output


@pytest.mark.parametrize("name", ["", "compare", "forecast", "demo", "report", "models", "data", "benchmark run"])
def test_help_teaches_by_example(name):
    assert "$ varnn" in run(*name.split(), "--help").output


def examples():
    """Return every command line that a help text shows."""
    return [line for _, command in commands() for line in re.findall(r"\$ (varnn [^\[\]]+)\[", command.epilog or "")]


def test_every_example_in_a_help_text_is_accepted_by_the_parser():
    known = dict(commands())
    assert len(examples()) > 12
    for line in examples():
        words = shlex.split(line)[1:]
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        known[name].make_context(name, words[len(name.split()):])


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = "import sys, varnn.cli.app; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "numpy", "torch", "statsmodels", "numba", "matplotlib"} & set(loaded)


def test_compare_writes_a_report_of_a_users_own_file(csv, tmp_path):
    out = tmp_path / "out"
    result = run("compare", csv, "--horizon", 3, "--transform", "logdiff", "--columns", "gdp,cons", "--out", out, *FAST)
    assert "RMSSE" in result.stdout
    assert str(out / "index.html") in result.stdout.replace("\n", "")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "mydata.csv" in page
    table = pd.read_csv(out / "ledger" / "forecasts.csv")
    assert set(table["series"]) == {"gdp", "cons"}
    assert set(table["model"]) == {"Naive", "Mean", "VAR"}
    assert table["origin"].nunique() == 6


def test_the_report_is_rebuilt_from_its_ledger_with_the_same_bytes(csv, tmp_path):
    out = tmp_path / "out"
    run("compare", csv, "--horizon", 2, "--out", out, *FAST)
    first = (out / "index.html").read_bytes()
    (out / "index.html").unlink()
    run("report", out)
    assert (out / "index.html").read_bytes() == first


def test_the_command_in_the_report_repeats_the_run(csv, tmp_path):
    run("compare", csv, "--horizon", 2, "--out", tmp_path / "one", "--seed", 4, *FAST)
    command = varnn.Comparison.read(tmp_path / "one").ledger.meta["command"]
    run(*shlex.split(command)[1:], "--out", tmp_path / "two")
    one, two = (pd.read_csv(tmp_path / name / "ledger" / "forecasts.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)


def test_compare_takes_a_data_set_by_name_and_a_sliding_window(tmp_path):
    window = ["--scheme", "sliding", "--window", 40]
    run("compare", "interest-inflation", "--horizon", 2, "--out", tmp_path, *window, *FAST)
    meta = varnn.Comparison.read(tmp_path).ledger.meta
    assert meta["windows"]["size"] == 40
    assert meta["windows"]["scheme"] == "sliding"
    assert meta["season"] == 4


def test_forecasts_are_dated_and_have_intervals(csv, tmp_path):
    out = tmp_path / "forecasts.csv"
    run("forecast", csv, "--model", "VAR", "--horizon", 4, "--coverage", 0.8, "--columns", "gdp,cons", "--out", out)
    table = pd.read_csv(out)
    assert list(table["date"].unique()) == ["2020Q1", "2020Q2", "2020Q3", "2020Q4"]
    assert list(table["series"].unique()) == ["gdp", "cons"]
    assert (table["lower_80"] < table["mean"]).all()
    assert (table["mean"] < table["upper_80"]).all()


def test_a_transform_is_undone_to_levels_unless_changes_are_asked_for(csv):
    asked = ["forecast", csv, "--model", "VAR", "--horizon", 4, "--columns", "gdp,cons"]
    last = pd.read_csv(csv)["gdp"].iloc[-1]
    for how in ("diff", "logdiff"):
        levels = _table(run(*asked, "--transform", how).stdout)
        changes = _table(run(*asked, "--transform", how, "--changes").stdout)
        assert levels["gdp"].sub(last).abs().max() < 0.5 * last
        assert changes["gdp"].abs().max() < 0.2 * last
        summed = changes["gdp"].cumsum().to_numpy()
        back = last + summed if how == "diff" else last * np.exp(summed)
        np.testing.assert_allclose(levels["gdp"], back, rtol=1e-9 if how == "diff" else 0.01)


def _table(text: str) -> pd.DataFrame:
    from io import StringIO

    return pd.read_csv(StringIO(text)).pivot_table(index="step", columns="series", values="mean")


def test_auto_says_which_rung_it_chose_and_why(csv, monkeypatch):
    monkeypatch.setattr(varnn.cli.app, "AUTO", ("VAR", "Mean"))
    result = run("forecast", csv, "--horizon", 2, "--columns", "gdp,cons", "--transform", "logdiff")
    assert re.search(r"auto chose (VAR|Mean): RMSSE over rolling origins was VAR \d", result.stderr)


def test_exogenous_columns_come_from_a_second_file(csv, tmp_path):
    future = tmp_path / "plan.csv"
    pd.DataFrame({"quarter": ["2020Q1", "2020Q2", "2020Q3"], "oil": [0.5, 0.0, 1.0]}).to_csv(future, index=False)
    asked = ["forecast", csv, "--model", "VAR", "--horizon", 3, "--transform", "logdiff", "--exog", "oil"]
    table = _table(run(*asked, "--future", future).stdout)
    assert table.shape == (3, 2)
    assert "--future" in run(*asked, code=2).stderr


def test_a_future_file_of_one_row_takes_its_frequency_from_the_main_file(csv, tmp_path):
    table = pd.read_csv(csv)
    table["quarter"] = pd.PeriodIndex(table["quarter"], freq="Q").to_timestamp()
    dated, future = tmp_path / "dated.csv", tmp_path / "plan.csv"
    table.to_csv(dated, index=False)
    pd.DataFrame({"quarter": ["2020-01-01"], "oil": [0.5]}).to_csv(future, index=False)
    out = run("forecast", dated, "--model", "VAR", "--horizon", 1, "--exog", "oil", "--future", future).stdout
    assert out.count("2020-01-01") == 2


def test_what_is_left_out_of_a_file_is_said(csv, tmp_path):
    path = tmp_path / "more.csv"
    table = pd.read_csv(csv).assign(year=np.repeat(np.arange(2000, 2020), 4), place="u")
    table.loc[7, "oil"] = -999
    table.to_csv(path, index_label="id")
    for asked in (["compare", path, *FAST, "--horizon", 2, "--out", tmp_path / "out"],
                  ["forecast", path, "--model", "Naive", "--horizon", 2]):
        result = run(*asked)
        for name in ("id", "year", "place"):
            assert f"note: column '{name}' was left out" in result.stderr
        assert "'oil' is -999 in 1 row (first 2001Q4)" in result.stderr
        assert "left out" not in result.stdout
    named = run("forecast", path, "--model", "Naive", "--columns", "gdp", "--horizon", 2)
    assert "note:" not in named.stderr


def test_the_models_are_listed():
    listed = run("models").stdout
    for name in ("Naive", "VAR", "LinearRNN", "TanhRNN"):
        assert name in listed


def test_the_data_sets_are_listed_and_shown():
    assert "macrodata" in run("data", "list", "--origin", "bundled").stdout
    assert "realgdp" in run("data", "show", "macrodata").stdout
    assert "needs no download" in run("data", "fetch", "macrodata").stdout


MISTAKES = [
    (["compare", "nothing.csv"], "nothing.csv"),
    (["compare", "macrodta"], "did you mean 'macrodata'"),
    (["compare", "no/such/folder/file"], "no/such/folder/file"),
    (["compare", "{folder}"], "is a folder"),
    (["compare", "{empty}"], "is empty"),
    (["compare", "{binary}"], "not a text file"),
    (["compare", "{csv}", "--columns", "gpd"], "gdp"),
    (["compare", "{csv}", "--columns", "gdp,,cons"], "empty name"),
    (["compare", "{csv}", "--date", "day"], "day"),
    (["compare", "{csv}", "--exog", "gdp", "--columns", "gdp"], "gdp"),
    (["compare", "{csv}", "--columns", "oil", "--transform", "logdiff"], "logarithm"),
    (["compare", "{csv}", "--models", "VAR,Oracle"], "Oracle"),
    (["compare", "{csv}", "--models", "Naive", "--horizon", "0"], "horizon=0"),
    (["compare", "{csv}", "--models", "Naive", "--horizon", "500"], "500"),
    (["compare", "{csv}", "--models", "Naive", "--origins", "0"], "origins=0"),
    (["compare", "{csv}", "--models", "Naive", "--season", "-1"], "season=-1"),
    (["compare", "{csv}", "--models", "Naive", "--window", "20"], "--scheme sliding"),
    (["compare", "{csv}", "--models", "Naive", "--out", "{csv}"], "mydata.csv"),
    (["compare", "{csv}", "--models", "Naive", "--out", "{csv}/below"], "below"),
    (["compare", "macrodata", "--columns", "gdp"], "realgdp"),
    (["compare", "macrodata", "--date", "day"], "--date"),
    (["forecast", "{csv}", "--model", "Prophet"], "Prophet"),
    (["forecast", "{csv}", "--model", "VAR", "--coverage", "95"], "coverage=95"),
    (["forecast", "{csv}", "--model", "VAR", "--paths", "0"], "n_paths=0"),
    (["forecast", "{csv}", "--model", "VAR", "--seed", "-1"], "rng=-1"),
    (["forecast", "{csv}", "--model", "VAR", "--out", "{folder}"], "is a folder"),
    (["report", "{folder}"], "ledger"),
    (["report", "{folder}/none"], "no folder"),
    (["data", "show", "macrodta"], "macrodata"),
    (["data", "fetch", "nonsense"], "nonsense"),
    (["data", "fetch"], "--all"),
    (["data", "fetch", "etth1", "--all"], "--all"),
]


@pytest.mark.parametrize(("args", "says"), MISTAKES, ids=[" ".join(args) for args, _ in MISTAKES])
def test_a_mistake_is_one_line_on_standard_error_and_exit_code_two(args, says, csv, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    places = {"csv": csv, "folder": folder, "empty": tmp_path / "empty.csv", "binary": tmp_path / "binary.csv"}
    given = [arg.format(**places) for arg in args]
    if given[0] == "compare" and "--out" not in given:
        given += ["--out", str(tmp_path / "out")]
    result = run(*given, code=2)
    line = result.stderr.strip()
    assert line.startswith("error: "), line
    assert "\n" not in line
    assert says in line
    assert "Traceback" not in result.output


@pytest.mark.parametrize("args", [["compare"], ["compare", "macrodata", "--horizon", "two"], ["fly"],
                                  ["forecast", "macrodata", "--nonsense"], ["compare", "macrodata", "--scheme", "odd"]])
def test_a_wrong_command_line_is_explained(args):
    result = run(*args, code=2)
    assert "Usage" in result.stderr
    assert "Traceback" not in result.output
