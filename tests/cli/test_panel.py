"""Many series in one file on the command line: the numbers are those of each series alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import varnn
from varnn.cli.app import app
from varnn.comparison.panel import compare_panel
from varnn.data import calendar_columns, read_panel
from varnn.errors import InputError

runner = CliRunner()


def run(*args: object, code: int = 0):
    result = runner.invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, f"{args}: {result.output}\n{result.exception!r}"
    return result


def table(names=("shop", "month", "sold")) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    months = pd.period_range("2018-01", periods=48, freq="M")
    parts = []
    for shop in ("north", "south"):
        rate = 3 + 2 * np.sin(2 * np.pi * np.arange(48) / 12)
        parts.append(pd.DataFrame({names[0]: shop, names[1]: months.astype(str), names[2]: rng.poisson(rate),
                                   "price": rng.normal(size=48)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def shops(tmp_path):
    path = tmp_path / "shops.csv"
    table().to_csv(path, index=False)
    return path


def alone(name: str, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    whole = table() if frame is None else frame
    part = whole[whole.iloc[:, 0] == name]
    return part.set_axis(pd.PeriodIndex(part.iloc[:, 1], freq="M"), axis=0).iloc[:, 2:]


def test_forecasts_of_each_series_are_those_of_the_library(shops):
    told = json.loads(run("forecast", shops, "--id", "shop", "--columns", "sold", "--model", "VAR", "--lags", 1,
                          "--horizon", 2, "--json").stdout)["forecasts"]
    assert [row["shop"] for row in told] == ["north"] * 2 + ["south"] * 2
    for name in ("north", "south"):
        outlook = varnn.VAR(lags=1).fit(alone(name)[["sold"]]).forecast(2, n_paths=2000, rng=0)
        rows = [row for row in told if row["shop"] == name]
        assert [row["mean"] for row in rows] == outlook.point[:, 0].tolist()
        assert [row["upper_90"] for row in rows] == outlook.interval()[1]["sold"].tolist()
        assert [row["date"] for row in rows] == ["2022-01", "2022-02"]


def test_counts_with_seasons_are_forecast_and_stay_above_nothing(shops, tmp_path):
    out = tmp_path / "ahead.csv"
    run("forecast", shops, "--id", "shop", "--columns", "sold", "--model", "VAR", "--lags", 1, "--nonnegative",
        "--seasonal", "fourier", "--horizon", 12, "--coverage", 0.99, "--out", out)
    found = pd.read_csv(out)
    assert found[["mean", "lower_99"]].min(axis=None) >= 0
    y = np.log1p(alone("south")[["sold"]].astype(float))
    X = calendar_columns(y, seasonal="fourier", ahead=12)
    paths = varnn.VAR(lags=1).fit(y, X).forecast(12, X, n_paths=2000, rng=0).paths
    means = np.maximum(np.expm1(paths), 0).mean(axis=0)[:, 0]
    assert np.allclose(found[found["shop"] == "south"]["mean"], means, rtol=1e-12)


def test_nixtlas_names_are_found_and_said(tmp_path):
    path = tmp_path / "long.csv"
    table(("unique_id", "ds", "y")).to_csv(path, index=False)
    result = run("forecast", path, "--model", "Naive", "--horizon", 1)
    assert "unique_id" in result.stderr
    assert result.stdout.splitlines()[0].startswith("unique_id,date,step,series,mean")
    assert len(result.stdout.splitlines()) == 3


def test_exogenous_columns_have_their_future_in_a_long_file(shops, tmp_path):
    asked = ("forecast", shops, "--id", "shop", "--columns", "sold", "--exog", "price", "--model", "VAR", "--lags", 1,
             "--horizon", 1)
    assert "--future" in run(*asked, code=2).output
    plan = tmp_path / "plan.csv"
    pd.DataFrame({"shop": ["south", "north"], "month": ["2022-01"] * 2, "price": [1.0, 2.0]}).to_csv(plan, index=False)
    told = json.loads(run(*asked, "--future", plan, "--json").stdout)["forecasts"]
    fit = varnn.VAR(lags=1).fit(alone("north")[["sold"]], alone("north")[["price"]])
    assert told[0]["mean"] == fit.forecast(1, [[2.0]]).point[0, 0]


def test_compare_is_that_of_each_series_and_has_one_report(shops, tmp_path):
    out = tmp_path / "out"
    told = json.loads(run("compare", shops, "--id", "shop", "--columns", "sold", "--models", "VAR,Naive", "--lags", 1,
                          "--origins", 6, "--horizon", 1, "--out", out, "--json").stdout)
    result = compare_panel({name: alone(name)[["sold"]] for name in ("north", "south")}, horizon=1,
                           models={"VAR": varnn.VAR(lags=1), "Naive": varnn.Naive()}, origins=6)
    assert [row["rmsse"] for row in told["members"]] == result.by_member["rmsse"].tolist()
    assert told["table"][1]["gain"] == result.table.loc["Naive", "gain"]
    one = varnn.compare(alone("south")[["sold"]], horizon=1, models={"VAR": varnn.VAR(lags=1), "Naive": varnn.Naive()},
                        origins=6)
    assert result.members["south"].table["rmsse"].equals(one.table["rmsse"])
    ratio = np.log(result.by_member["rmsse"].loc[[("north", "Naive"), ("south", "Naive")]].to_numpy()
                   / result.by_member["rmsse"].loc[[("north", "VAR"), ("south", "VAR")]].to_numpy())
    assert np.isclose(result.table.loc["Naive", "gain"], 100 * (1 - np.exp(ratio.mean())))
    page = (out / "index.html").read_bytes()
    run("report", out)
    assert (out / "index.html").read_bytes() == page
    run("verify", out)


def test_a_long_frame_is_compared_with_its_names_found():
    result = compare_panel(table(("unique_id", "ds", "y")).drop(columns="price"), horizon=1,
                           models=["Naive", "Mean"], origins=4)
    assert list(result.members) == ["north", "south"]
    assert result.reference == "Naive"
    assert "over 2 series" in result.verdict[0]


@pytest.mark.parametrize(("options", "told"), [
    (["--id", "shp"], "did you mean 'shop'"),
    (["--id", "shop", "--past", "price"], "--past is not taken together with --id"),
    (["--id", "shop", "--columns", "sld"], "series 'north'"),
    (["--id", "shop", "--transform", "sold=log"], "series 'north'"),
    (["--id", "auto"], "no column that is known to name series"),
])
def test_mistakes_are_told_by_the_name_of_the_series(shops, options, told):
    assert told in " ".join(run("forecast", shops, "--model", "Naive", "--horizon", 1, *options, code=2).output.split())


def test_a_file_without_an_id_says_that_series_stand_below_each_other(shops):
    assert "--id" in run("forecast", shops, "--model", "Naive", code=2).output


def test_read_panel_reads_each_series_with_the_dates_of_the_longest(tmp_path):
    path = tmp_path / "ragged.csv"
    frame = table()
    pd.concat([frame[frame["shop"] == "north"], frame[frame["shop"] == "south"].iloc[-2:]]).to_csv(path, index=False)
    by, found = read_panel(path, by="shop", columns=["sold"])
    assert by == "shop"
    assert found["south"].y.index.tolist() == list(pd.period_range("2021-11", periods=2, freq="M"))
    frame.assign(shop=frame["shop"].where(frame.index != 2, "")).to_csv(path, index=False)
    with pytest.raises(InputError, match="no name of a series in column 'shop' at data row 3"):
        read_panel(path, by="shop")
