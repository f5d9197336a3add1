"""What programs and scripts need of the command line: JSON, exit codes, tracebacks asked for, lines in a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import varnn
import varnn.cli.app
import varnn.cli.console
from varnn.cli.app import app
from varnn.cli.settings import settings, specifications
from varnn.errors import DataNameError, ParameterError

runner = CliRunner()


def run(*args: object, code: int = 0):
    result = runner.invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, f"{args}: {result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def csv(tmp_path):
    rng = np.random.default_rng(5)
    e = rng.normal(size=(80, 2))
    e[1:] += 0.4 * e[:-1]
    table = pd.DataFrame(100 * np.exp(0.02 * np.cumsum(e, axis=0)), columns=["gdp", "cons"])
    table.insert(0, "month", pd.period_range("2010-01", periods=80, freq="M").astype(str))
    table["visits"] = rng.poisson(2.0, 80)
    path = tmp_path / "my.csv"
    table.to_csv(path, index=False)
    return path


def test_every_list_and_result_is_json_where_asked(csv, tmp_path):
    models = json.loads(run("models", "--json").stdout)
    assert {one["model"] for one in models} == set(varnn.models.catalogue())
    assert next(one for one in models if one["model"] == "VAR")["options"]["trend"] == "c"
    sets = json.loads(run("data", "list", "--json").stdout)
    assert {one["name"] for one in sets} == set(varnn.data.names())
    told = json.loads(run("compare", csv, "--columns", "gdp,cons", "--models", "Naive,VAR", "--origins", 5, "--horizon",
                          2, "--out", tmp_path / "out", "--json").stdout)
    result = varnn.Comparison.read(tmp_path / "out")
    assert [row["model"] for row in told["table"]] == ["Naive", "VAR"]
    assert told["table"][1]["rmsse"] == result.table.loc["VAR", "rmsse"]
    assert told["verdict"] == result.verdict
    ahead = json.loads(run("forecast", csv, "--model", "VAR", "--lags", 2, "--horizon", 2, "--json").stdout)
    assert ahead["specification"] == repr(varnn.VAR(lags=2))
    assert ahead["forecasts"][0]["date"] == "2016-09"


def test_climb_says_what_the_evidence_chooses(csv):
    told = json.loads(run("climb", csv, "--columns", "gdp", "--transform", "logdiff", "--json").stdout)
    y = np.log(pd.read_csv(csv)["gdp"]).diff().iloc[1:].to_numpy()
    found = varnn.climb(y)
    assert told["chosen"] == found.chosen
    assert told["evidence"][0]["log evidence"] == found.evidence["log evidence"].iloc[0]
    assert found.chosen in run("climb", csv, "--columns", "gdp", "--transform", "logdiff").stdout


def test_simulate_draws_what_the_library_draws(tmp_path):
    run("simulate", "tar", "--rows", 50, "--seed", 3, "--out", tmp_path / "drawn.csv")
    drawn = np.loadtxt(tmp_path / "drawn.csv", skiprows=1, ndmin=2)  # to the last digit in every version
    assert np.array_equal(drawn, varnn.data.simulate("tar", 50, 3).values.reshape(drawn.shape))
    assert "did you mean" in run("simulate", "tanh_rn", code=2).output
    assert "is no process" in run("simulate", "macrodata", code=2).output
    assert "it has" in run("simulate", "var", "--option", "nonsense=1", code=2).output
    assert "NAME=VALUE" in run("simulate", "var", "--option", "nonsense", code=2).output


def test_verify_finds_one_changed_number(csv, tmp_path):
    run("compare", csv, "--columns", "gdp", "--models", "Naive,Mean", "--origins", 5, "--horizon", 1, "--out", tmp_path)
    assert "as they were written" in run("verify", tmp_path).stdout
    assert json.loads(run("verify", tmp_path, "--json").stdout)["verified"][0]["forecasts"] == 10
    table = tmp_path / "ledger" / "forecasts.csv"
    text = table.read_text()
    table.write_text(text.replace("Naive,", "Naive,1", 1))
    assert "not as it was written" in run("verify", tmp_path, code=2).output


def test_debug_shows_where_an_error_arose_before_and_after_a_command():
    for args in (["--debug", "compare", "nothing.csv"], ["compare", "nothing.csv", "--debug"]):
        result = run(*args, code=2)
        assert "Traceback (most recent call last)" in result.output
        assert "StoreError" in result.output
    assert "Traceback" not in run("compare", "nothing.csv", code=2).output


def test_a_fault_of_varnn_has_a_code_of_its_own(monkeypatch):
    def broken(*args):
        raise KeyError("inside")

    monkeypatch.setattr(varnn.cli.app, "_source", broken)
    result = run("forecast", "macrodata", code=3)
    assert "a fault of varnn" in result.output
    assert "Traceback" not in result.output
    assert "Traceback" in run("forecast", "macrodata", "--debug", code=3).output


def test_the_help_tells_the_exit_codes_and_completion():
    text = " ".join(run("--help").output.split())
    for told in ("0 done", "2 the input or a call is wrong", "130 Ctrl-C", "--install-completion", "--debug"):
        assert told in text


def test_the_shell_completes_commands_and_names():
    def completed(words: str) -> list[str]:
        asked = {"_VARNN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return runner.invoke(app, env=asked, prog_name="varnn").output.split()

    assert completed("varnn sim") == ["simulate"]
    assert completed("varnn data sh") == ["show"]
    assert "--transform" in completed("varnn compare --tr")
    assert completed("varnn forecast macrod") == ["macrodata"]
    assert completed("varnn forecast macrodata --model Tan") == ["TanhRNN"]


@pytest.mark.parametrize("typed", ["comparre", "forcast", "model", "clim", "benchmrk"])
def test_a_misspelt_command_is_answered_with_the_nearest(typed):
    assert "Did you mean" in run(typed, code=2).output


def test_a_pipe_is_told_what_runs_and_hears_again_after_a_silence(monkeypatch, capfd):
    monkeypatch.setattr(varnn.cli.console, "SILENCE", 0.1)
    with varnn.cli.console.progress() as advance:
        advance("VAR", 0, 7)
        advance("VAR", 3, 7)
        time.sleep(0.35)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "VAR (0 of 7 done)"
    again = [line for line in lines[1:] if line.strip()]
    assert len(again) >= 2
    assert all(line.startswith("VAR (3 of 7 done, ") for line in again)


def test_options_reach_the_models_that_have_them_and_one_alone():
    asked = settings("2", None, "n", ["starts=1", "TanhRNN.width=2", "linearrnn.shrinkage=none"])
    made = specifications(["var", "LinearRNN", "TanhRNN", "Naive"], asked, 12)
    assert made == {"VAR": varnn.VAR(lags=2, trend="n"),
                    "LinearRNN": varnn.LinearRNN(lags=2, trend="n", shrinkage=None),
                    "TanhRNN": varnn.TanhRNN(lags=2, trend="n", starts=1, width=2), "Naive": varnn.Naive()}
    assert specifications(None, settings(), 12) is None
    assert list(specifications(None, settings("1"), 12))[:2] == ["Naive", "SeasonalNaive"]
    assert specifications(["SeasonalNaive"], settings(), 4, always=True) == {
        "SeasonalNaive": varnn.SeasonalNaive(season=4)}


@pytest.mark.parametrize(("names", "options", "error", "told"), [
    (["VAR"], ["lag=2"], ParameterError, "did you mean 'lags'"),
    (["Naive"], ["lags=2"], ParameterError, "none of Naive has an option 'lags'; there are none"),
    (["VAR"], ["TanhRNN.width=2"], DataNameError, "no 'tanhrnn' among the models"),
    (["VAR"], ["VAR.width=2"], ParameterError, "that model has no option 'width'"),
    (["VAR"], ["lags"], ParameterError, "write NAME=VALUE"),
    (["VAR"], ["lags=1", "lags=2"], ParameterError, "given twice"),
    (["VAR", "var"], ["lags=1"], DataNameError, "names VAR twice"),
    (["VRA"], ["lags=1"], DataNameError, "did you mean 'VAR'"),
    (["VAR"], ["lags=-1"], ParameterError, "lags=-1"),
])
def test_options_that_no_model_takes_are_refused_with_the_nearest(names, options, error, told):
    with pytest.raises(error, match=told):
        specifications(names, settings(options=options), 1)


def test_the_command_in_a_report_repeats_options_and_transforms(csv, tmp_path):
    import shlex

    run("compare", csv, "--models", "VAR,Mean", "--origins", 5, "--horizon", 1, "--lags", 1, "--option", "engine=qr",
        "--transform", "gdp=logdiff,cons=log", "--nonnegative", "--out", tmp_path / "one")
    command = varnn.Comparison.read(tmp_path / "one").ledger.meta["command"]
    run(*shlex.split(command)[1:], "--out", tmp_path / "two")
    one, two = (pd.read_csv(tmp_path / name / "ledger" / "forecasts.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)


def test_counts_are_forecast_with_bands_that_do_not_fall_below_nothing(csv, tmp_path):
    plain, kept = tmp_path / "plain.csv", tmp_path / "kept.csv"
    asked = ("forecast", csv, "--columns", "visits", "--model", "VAR", "--horizon", 6, "--coverage", 0.99)
    run(*asked, "--out", plain)
    run(*asked, "--nonnegative", "--out", kept)
    assert pd.read_csv(plain)["lower_99"].min() < 0
    assert pd.read_csv(kept)[["mean", "median", "lower_99", "upper_99"]].min(axis=None) >= 0
    y = pd.read_csv(csv)[["visits"]].set_axis(pd.period_range("2010-01", periods=80, freq="M"), axis=0)
    paths = varnn.VAR().fit(np.log1p(y)).forecast(6, coverage=0.99, n_paths=2000, rng=0).paths
    assert np.allclose(pd.read_csv(kept)["mean"], np.maximum(np.expm1(paths), 0).mean(axis=0)[:, 0], rtol=1e-12)


def test_help_runs_in_a_bare_pipe():
    done = subprocess.run([sys.executable, "-m", "varnn", "climb", "--help"], capture_output=True, text=True,
                          env={**os.environ, "NO_COLOR": "1"}, check=True)
    assert "--transform" in done.stdout


def test_seasonal_terms_are_made_from_the_dates_and_go_on_by_themselves(csv, tmp_path):
    asked = ("--columns", "gdp", "--seasonal", "fourier", "--calendar", "trading_days", "--lags", 1)
    told = json.loads(run("forecast", csv, "--model", "VAR", "--horizon", 3, *asked, "--json").stdout)
    y = pd.read_csv(csv)[["gdp"]].set_axis(pd.period_range("2010-01", periods=80, freq="M"), axis=0)
    X = varnn.data.calendar_columns(y, seasonal="fourier", parts="trading_days", ahead=3)
    outlook = varnn.VAR(lags=1).fit(y, X).forecast(3, X, n_paths=2000, rng=0)
    assert [row["mean"] for row in told["forecasts"]] == outlook.point[:, 0].tolist()
    run("compare", csv, *asked, "--models", "Naive,VAR", "--origins", 5, "--horizon", 2, "--out", tmp_path)
    assert "--seasonal fourier" in varnn.Comparison.read(tmp_path).ledger.meta["command"]
    plan = tmp_path / "plan.csv"
    pd.DataFrame({"month": ["2016-09", "2016-10"], "visits": [1, 2]}).to_csv(plan, index=False)
    run("forecast", csv, "--model", "VAR", "--horizon", 2, *asked, "--exog", "visits", "--future", plan)
    assert "did you mean 'weekend'" in run("forecast", csv, "--calendar", "weekends", code=2).output


def test_changes_after_a_missing_level_are_refused_as_levels(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"month": pd.period_range("2015-01", periods=60, freq="M").astype(str),
                          "gdp": rng.normal(size=60).cumsum(), "rate": rng.normal(size=60)})
    table.loc[59, "gdp"] = np.nan
    table.to_csv(tmp_path / "my.csv", index=False)
    asked = ("forecast", tmp_path / "my.csv", "--model", "VAR", "--lags", 1, "--missing", "filter", "--horizon", 2,
             "--transform", "gdp=diff")
    assert "the last levels of 'gdp' are missing" in run(*asked, code=2).output
    assert "2020-02" in run(*asked, "--changes").stdout
