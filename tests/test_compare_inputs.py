"""compare: what is scored, what is known when, what is missing, who fails."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from varnn import VAR, Drift, LinearRNN, Mean, Naive, compare
from varnn.cli.app import app
from varnn.comparison.compare import Comparison
from varnn.errors import (
    DataNameError,
    InputError,
    LookaheadError,
    MissingDataError,
    ParameterError,
    RankDeficientError,
    SingularWarning,
)
from varnn.evaluate.tables import Losses
from varnn.models.rung3_tanh import TanhRNN

MONTHS = pd.period_range("2000-01", periods=120, freq="M")


def walk(k: int = 2, rows: int = 120, seed: int = 1) -> pd.DataFrame:
    values = np.random.default_rng(seed).standard_normal((rows, k)).cumsum(axis=0)
    return pd.DataFrame(values, index=MONTHS[:rows], columns=["temp", "wind", "oil", "gas"][:k])


# --- common origins, failing models ---------------------------------------------------------------------


def law_after_95() -> tuple[np.ndarray, pd.DataFrame]:
    rng, n = np.random.default_rng(5), 120
    late = np.arange(n) >= 95
    return 50 + rng.normal(size=n) * np.where(late, 6, 1), pd.DataFrame({"law": late.astype(float)})


@dataclass(frozen=True, kw_only=True)
class Needy(VAR):
    """Fails as long as nothing moves in X."""

    def _estimate(self, series, exog, rng):
        if exog is None:
            raise RankDeficientError("the law does not move")
        return super()._estimate(series, exog, rng)


def test_a_model_that_fails_at_some_origins_is_set_beside_the_naive_rows_over_the_common_ones():
    y, X = law_after_95()
    result = compare(y, X, horizon=1, models={"Naive": Naive(), "VAR": Needy()}, origins=40)
    table, rows = result.table, result.ledger.forecasts
    common = rows[rows["model"] == "VAR"].dropna(subset="mean")["origin"]
    naive = rows[(rows["model"] == "Naive") & rows["origin"].isin(common)]
    miss = naive["observed"] - naive["mean"]
    assert table["n"].tolist() == [24, 24]
    assert table.loc["Naive", "rmsse"] == pytest.approx(np.sqrt(((miss / naive["scale_rmse"]) ** 2).mean()), rel=1e-12)
    assert table.loc["Naive", "mase"] == pytest.approx((miss.abs() / naive["scale_mae"]).mean(), rel=1e-12)
    inside = (naive["observed"] >= naive["lower_90"]) & (naive["observed"] <= naive["upper_90"])
    assert table.loc["Naive", "coverage_90"] == pytest.approx(inside.mean())
    assert any("the VAR, has 19.6 % lower RMSE than the best of the naive rows" in said for said in result.verdict)


def test_a_dummy_that_has_not_moved_is_left_out_of_its_windows_and_said_once():
    y, X = law_after_95()
    result = compare(y, X, horizon=1, models=["Naive", "VAR"], origins=40)
    assert (result.ledger.fits["stop"] == "").all()
    assert result.table["failed"].tolist() == [0, 0]
    assert [said for said in result.verdict if "'law'" in said] == [
        "'law' does not move by itself in 4 of the 10 training windows, and is left out of the models there."]
    first = result.ledger.forecasts.query("model == 'VAR'").iloc[0]
    alone = VAR().fit(y[:int(first["origin"])]).forecast(1).mean.iloc[0, 0]
    assert first["mean"] == pytest.approx(alone, rel=1e-11)


def test_two_laws_of_one_date_stay_one_until_they_part():
    rng, rows = np.random.default_rng(2), np.arange(120)
    X = pd.DataFrame({"first": (rows > 60) * 1.0, "second": ((rows > 60) & (rows < 105)) * 1.0})
    result = compare(rng.normal(size=120), X, horizon=1, models=["VAR"], origins=30, refit=1)
    assert (result.ledger.fits["stop"] == "").all()
    assert "'second'" in result.verdict[-1]


def broken(kind: str):
    """Return a model that fails in its own way at some origins."""
    def fail() -> None:
        if kind == "LinAlgError":
            np.linalg.inv(np.zeros((2, 2)))
        raise {"SystemExit": SystemExit(3), "MemoryError": MemoryError(),
               "ZeroDivisionError": ZeroDivisionError("by 0"),
               "KeyError": KeyError("x"), "RecursionError": RecursionError("deep")}[kind]

    @dataclass(frozen=True, kw_only=True)
    class Broken(Mean):
        def _estimate(self, series, exog, rng):
            if len(series) > 100:
                fail()
            return super()._estimate(series, exog, rng)

    return Broken()


@pytest.mark.parametrize("kind", ["LinAlgError", "SystemExit", "MemoryError", "ZeroDivisionError", "KeyError",
                                  "RecursionError"])
@pytest.mark.parametrize("together", [True, False])
def test_whatever_a_model_raises_is_its_own_hole_and_the_others_are_scored(kind, together, monkeypatch):
    model = broken(kind)
    monkeypatch.setattr(type(model), "draws_together", together)
    result = compare(walk(), horizon=1, models={"Naive": Naive(), "Odd": model}, origins=30, refit=5)
    fits = result.ledger.fits.query("model == 'Odd' and stop != ''")
    assert fits["stop"].str.startswith(kind).all()
    assert result.table.loc["Odd", "failed"] == len(fits) > 0
    assert result.table.loc["Naive", "failed"] == 0
    assert np.isfinite(result.table.loc["Naive", "rmsse"])


def test_ctrl_c_is_no_hole():
    @dataclass(frozen=True, kw_only=True)
    class Stopped(Mean):
        def _estimate(self, series, exog, rng):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(walk(), horizon=1, models={"Stopped": Stopped()}, origins=5)


def test_a_model_that_nearly_always_fails_does_not_take_the_origins_of_the_others():
    @dataclass(frozen=True, kw_only=True)
    class Rare(Mean):
        def _estimate(self, series, exog, rng):
            if len(series) != 100:
                raise InputError("not today")
            return super()._estimate(series, exog, rng)

    result = compare(walk(), horizon=1, models={"Naive": Naive(), "Rare": Rare()}, origins=30, refit=1)
    assert result.table["n"].tolist() == [30, 0]
    assert np.isnan(result.table.loc["Rare", "rmsse"])
    assert "at 29 origins, too many for its errors to be set beside the others'" in result.verdict[-1]


def test_warnings_of_arithmetic_are_counted_in_the_report_like_our_own(tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Loud(Mean):
        def _estimate(self, series, exog, rng):
            warnings.warn("overflow encountered in exp", RuntimeWarning, stacklevel=1)
            return super()._estimate(series, exog, rng)

    result = compare(walk(), horizon=1, models={"Loud": Loud()}, origins=4, refit=1)
    assert result.ledger.fits["stop"].tolist() == ["RuntimeWarning: overflow encountered in exp"] * 4
    assert "RuntimeWarning: overflow encountered in exp" in result.report(tmp_path).read_text(encoding="utf-8")


# --- models= ----------------------------------------------------------------------------------------------


def test_models_may_be_specifications_and_names_mixed():
    mixed = ["Naive", VAR(lags=2), VAR(lags=1), LinearRNN(lags=1), Drift()]
    result = compare(walk(), horizon=1, models=mixed, origins=3)
    assert result.ledger.models == ["Naive", "VAR(lags=2)", "VAR(lags=1)", "LinearRNN", "Drift"]
    assert compare(walk(), horizon=1, models=["VAR", VAR(lags=1)], origins=3).ledger.models == ["VAR", "VAR(lags=1)"]


@pytest.mark.parametrize(("models", "said"), [
    ([], "models is empty"), ({}, "models is empty"), (["VAR", "VAR"], "'VAR' more than once"),
    ([VAR(), "VAR"], "'VAR' more than once"), ([VAR(lags=1), VAR(lags=1)], r"'VAR\(lags=1\)' more than once"),
    ([VAR], r"models\[0\] is the class VAR; give a specification, VAR\(\)"), ([3], r"models\[0\] is int"),
    ({"a": VAR}, r"models\['a'\] is the class VAR"), ({1: VAR()}, "label 1"), ("VAR", "one text"), (7, "models=7"),
])
def test_empty_duplicate_and_foreign_models_are_refused_by_name(models, said):
    with pytest.raises(ParameterError, match=said):
        compare(walk(), horizon=1, models=models, origins=3)


# --- target and past ----------------------------------------------------------------------------------------


def test_a_target_is_scored_and_the_others_are_inputs():
    y = walk()
    whole, alone = (compare(y, horizon=2, models=["Naive", "VAR"], origins=20, target=target)
                    for target in (None, "temp"))
    assert alone.ledger.meta["names"] == ["temp"]
    assert alone.ledger.meta["inputs"] == ["wind"]
    assert set(alone.ledger.forecasts["series"]) == {"temp"}
    rows = whole.ledger.forecasts.query("series == 'temp'").reset_index(drop=True)
    columns = ["model", "origin", "step", "observed", "mean", "lower_90", "upper_90", "crps", "scale_rmse"]
    pd.testing.assert_frame_equal(rows[columns], alone.ledger.forecasts[columns], check_exact=True)


def test_an_input_of_the_past_is_forecast_within_like_one_more_series():
    y = walk(3)
    asked = compare(y[["temp", "wind"]], y[["oil"]], horizon=2, models=["VAR"], origins=20, past="oil")
    frame = compare(y[["temp", "wind"]], horizon=2, models=["VAR"], origins=20, past=y[["oil"]])
    target = compare(y, horizon=2, models=["VAR"], origins=20, target=["temp", "wind"])
    for other in (frame, target):
        pd.testing.assert_frame_equal(asked.ledger.forecasts, other.ledger.forecasts, check_exact=True)
    assert asked.ledger.meta["inputs"] == ["oil"]


def test_an_input_of_the_past_cannot_be_seen_beyond_the_origin():
    y = walk(2)
    noisy = y.copy()
    noisy.iloc[90:, 1] = 1e3
    first = [compare(one[["temp"]], horizon=1, models=["VAR", "Naive"], origins=30, refit=1, past=one[["wind"]])
             .ledger.forecasts.query("origin <= 90")["mean"] for one in (y, noisy)]
    np.testing.assert_array_equal(*first)


def test_an_input_of_the_past_that_holds_the_future_is_refused():
    y = walk(1)
    with pytest.raises(LookaheadError, match=r"'clever' .*1 step later"):
        compare(y, horizon=1, models=["VAR"], origins=9, past=pd.DataFrame({"clever": y["temp"].shift(-1).ffill()}))


@pytest.mark.parametrize(("options", "kind", "said"), [
    ({"target": "tmp"}, DataNameError, "did you mean 'temp'"), ({"target": []}, ParameterError, "target="),
    ({"past": "oil"}, DataNameError, "past: no column"), ({"past": ["temp", "wind"]}, ParameterError, "to score"),
    ({"target": "temp", "past": "temp"}, ParameterError, "in target and in past"),
    ({"target": ["temp", "temp"]}, ParameterError, "twice"), ({"target": 3}, ParameterError, "target=3"),
    ({"missing": "drop"}, ParameterError, "missing="),
])
def test_what_cannot_be_scored_or_known_is_refused_by_name(options, kind, said):
    with pytest.raises(kind, match=said):
        compare(walk(), horizon=1, models=["Naive"], origins=3, **options)


# --- missing values ----------------------------------------------------------------------------------------


def holes() -> pd.DataFrame:
    y = walk()
    y.iloc[[0, 1, 30, 95, 110], 0] = np.nan
    y.iloc[[1, 111], 1] = np.nan
    return y


def test_missing_values_are_refused_with_the_ways_out_and_bridged_when_asked():
    with pytest.raises(MissingDataError, match=r"missing='filter' \(--missing filter\).*\(--start\)"):
        compare(holes(), horizon=1, models=["Naive"])
    models = {"Naive": Naive(), "VAR": VAR(lags=1), "LinearRNN": LinearRNN(lags=1),
              "TanhRNN": TanhRNN(lags=1, width=1, starts=1)}
    result = compare(holes(), horizon=1, models=models, origins=24, refit=12, missing="filter")
    assert (result.ledger.fits["stop"] == "").all()
    rows = result.ledger.forecasts
    assert rows["mean"].notna().all()
    assert rows["observed"].isna().sum() == 2 * len(models)  # 110 and 111, once a model
    miss = (rows["observed"] - rows["mean"])[rows["model"] == "VAR"]
    assert result.table.loc["VAR", "rmse"] == pytest.approx(np.sqrt((miss**2).mean()), rel=1e-12)
    assert np.isfinite(result.table[["skill", "dm_p", "crps", "energy"]].drop("VAR").to_numpy()).all()


def test_without_gaps_filter_gives_the_same_comparison():
    plain, asked = (compare(walk(), horizon=1, models=["Naive", "VAR"], origins=9, missing=missing)
                    for missing in ("raise", "filter"))
    pd.testing.assert_frame_equal(plain.ledger.forecasts, asked.ledger.forecasts, check_exact=True)


def test_the_command_line_takes_start_missing_target_and_past(tmp_path):
    holes().assign(oil=walk(3)["oil"]).rename_axis("month").to_csv(tmp_path / "d.csv")
    call = [str(tmp_path / "d.csv"), "--columns", "temp,wind", "--horizon", "1"]
    done = CliRunner().invoke(app, ["compare", *call, "--out", str(tmp_path / "out"), "--models", "Naive,VAR",
                                    "--origins", "9", "--missing", "filter", "--start", "2000-03", "--target", "temp",
                                    "--past", "oil"])
    assert done.exit_code == 0, done.output
    meta = Comparison.read(tmp_path / "out").ledger.meta
    assert (meta["first_date"], meta["names"], meta["inputs"]) == ("2000-03", ["temp"], ["wind", "oil"])
    assert "--missing filter" in meta["command"]
    done = CliRunner().invoke(app, ["forecast", *call, "--model", "VAR", "--missing", "filter", "--past", "oil",
                                    "--target", "temp"])
    assert done.exit_code == 0, done.output
    assert [line.split(",")[2] for line in done.stdout.splitlines()] == ["series", "temp"]
    for start in ("1990-01", "2031-01", "soon"):
        refused = CliRunner().invoke(app, ["compare", *call, "--start", start, "--out", str(tmp_path / "no")])
        assert refused.exit_code == 2
        assert f"--start {start}" in refused.output


# --- nothing new, nothing to divide by ------------------------------------------------------------------------


@pytest.mark.parametrize("column", [np.arange(120.0), 1990 + np.arange(120) / 4, 7 - 3 * np.arange(120.0),
                                    1577836800 + 3600 * np.arange(120.0)])
@pytest.mark.parametrize("model", [VAR(), LinearRNN(), TanhRNN(width=1, starts=1)])
def test_a_progression_is_named_by_every_rung(model, column):
    y = walk(1).assign(year=column)
    with pytest.warns(SingularWarning, match="'year'"):
        model.fit(y)


def test_a_progression_is_named_by_compare_and_in_the_words_of_the_command_line(tmp_path):
    y = walk(1).assign(counter=np.arange(120.0) * 2)
    with pytest.warns(SingularWarning, match=r"'counter' follows from the past without error.*leave it out of y"):
        result = compare(y, horizon=1, models=["Naive", "VAR"], origins=5)
    assert any(said.startswith("'counter' follows from the past without error") for said in result.verdict)
    y.rename(columns={"counter": "load"}).to_csv(tmp_path / "d.csv", index_label="month")
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "d.csv"), "--columns", "temp,load", "--horizon", "1",
                                    "--models", "Naive,VAR", "--origins", "5", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "leave it out: --columns temp" in done.output.replace("\n", " ")


def test_a_forecast_without_width_is_never_silent():
    y = walk(1)
    X = pd.DataFrame({"change": y["temp"].diff().fillna(0.0)})
    with pytest.warns(SingularWarning):
        fit = VAR(lags=1).fit(y, X)
    with pytest.warns(SingularWarning, match="'temp' have no width"):
        fit.forecast(1, np.zeros((1, 1)))


def test_a_series_without_a_yardstick_is_named_with_the_ways_out():
    y = walk(2)
    y.iloc[:115, 1] = 5.0
    with pytest.raises(RankDeficientError, match=r"'wind' repeats itself.*--columns.*--target.*--origins"):
        compare(y, horizon=1, models=["Naive"], origins=10)
    compare(y, horizon=1, models=["Naive"], origins=10, target="temp")


def test_losses_leave_out_what_was_not_observed():
    ledger = compare(holes(), horizon=1, models=["Naive", "Mean"], origins=24, missing="filter").ledger
    losses = Losses.of(ledger)
    mine, theirs = losses.pair("Mean", "Naive")
    assert len(mine) == 24
    assert np.isnan(mine).sum() == np.isnan(theirs).sum() == 2
    assert losses.both("Mean", "Naive").all()
    assert replace(ledger, meta=dict(ledger.meta)).models == ["Naive", "Mean"]


# --- the verdict's own inputs ---------------------------------------------------------------------------


@pytest.mark.parametrize("worth", [0, -1.0, 100, True, "2", float("nan"), None])
def test_a_worth_that_is_no_gain_is_refused(worth):
    with pytest.raises(ParameterError, match="the gain in % of RMSE that would matter, above 0 and below 100"):
        compare(walk(), horizon=1, models=["VAR"], worth=worth)


def test_the_worth_and_the_test_on_all_rows_stand_in_the_ledger(tmp_path):
    y = walk(3).diff().dropna()
    result = compare(y, horizon=1, models=[VAR(lags=1), TanhRNN(lags=1, width=1)], origins=10, refit=10, n_paths=20,
                     target=["temp"], worth=np.float64(7.5), seed=3)
    result.ledger.write(tmp_path)
    again = Comparison.read(tmp_path)
    assert repr(again.judgement) == repr(result.judgement)
    assert again.judgement.worth == 7.5
    assert again.judgement.linearity["n"] <= len(y) - 1
    assert again.verdict == result.verdict
    assert "With 10 forecast origins little can be shown." in result.verdict[0]


def test_a_ledger_without_a_test_on_all_rows_is_judged_by_its_forecasts():
    found = compare(walk(), horizon=1, models=[VAR(lags=1), LinearRNN(lags=1)], origins=24, refit=24, n_paths=20)
    meta = {name: value for name, value in found.ledger.meta.items() if name not in ("linearity", "worth")}
    old = Comparison(replace(found.ledger, meta=meta))
    assert old.judgement.finding == found.judgement.finding
    assert old.judgement.base == "VAR"
