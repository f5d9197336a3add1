"""compare: the tables follow from the ledger, leaks are refused, the verdict says what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from varnn.comparison.compare import Comparison, climb, compare, fingerprint
from varnn.errors import DataNameError, LookaheadError, ParameterError
from varnn.series import Series

QUARTERS = pd.period_range("1980Q1", periods=90, freq="Q")


def noise(seed: int = 0, k: int = 2) -> pd.DataFrame:
    values = np.random.default_rng(seed).standard_normal((90, k))
    return pd.DataFrame(values, index=QUARTERS, columns=[f"s{j}" for j in range(k)])


@pytest.fixture(scope="module")
def result() -> Comparison:
    return compare(noise(), horizon=2, models=["Naive", "SeasonalNaive", "Mean", "Drift"], n_paths=50)


def test_the_table_is_what_the_ledger_says(result):
    rows = result.ledger.forecasts.query("model == 'Mean'")
    miss = rows["observed"] - rows["mean"]
    assert result.table.loc["Mean", "rmse"] == pytest.approx(np.sqrt((miss**2).mean()), rel=1e-12)
    assert result.table.loc["Mean", "mase"] == pytest.approx((miss.abs() / rows["scale_mae"]).mean(), rel=1e-12)
    inside = (rows["observed"] >= rows["lower_90"]) & (rows["observed"] <= rows["upper_90"])
    assert result.table.loc["Mean", "coverage_90"] == pytest.approx(inside.mean())


def test_on_white_noise_the_mean_beats_the_last_value_by_root_two(result):
    ratio = result.table.loc["Mean", "rmse"] / result.table.loc["Naive", "rmse"]
    assert ratio == pytest.approx(1 / np.sqrt(2), abs=0.12)


def test_a_comparison_read_back_gives_the_same_tables(result, tmp_path):
    result.ledger.write(tmp_path)
    again = Comparison.read(tmp_path)
    pd.testing.assert_frame_equal(result.table, again.table, check_exact=True)
    pd.testing.assert_frame_equal(result.by_horizon, again.by_horizon, check_exact=True)
    assert result.verdict == again.verdict


@pytest.mark.parametrize("lead", [0, 1, 5, 12])
def test_an_exogenous_column_that_is_y_itself_is_refused(lead):
    y = noise()
    x = pd.DataFrame({"clever": 3.0 - 2.0 * y["s1"].shift(-lead).fillna(0.3)})
    with pytest.raises(LookaheadError, match="clever"):
        compare(y, x.iloc[:len(y)], horizon=1, models=["Mean"])


def test_the_fingerprint_moves_with_any_bit_name_or_date():
    y = noise()
    base = fingerprint(Series.of(y))
    assert base == fingerprint(Series.of(y.copy()))
    assert base != fingerprint(Series.of(y.rename(columns={"s0": "t0"})))
    assert base != fingerprint(Series.of(y.set_axis(y.index + 1)))
    bumped = y.copy()
    bumped.iloc[3, 0] = np.nextafter(bumped.iloc[3, 0], 9)
    assert base != fingerprint(Series.of(bumped))


def test_unknown_models_are_refused_with_the_list():
    with pytest.raises(DataNameError, match=r"'Vra'.*VAR"):
        compare(noise(), horizon=1, models=["Vra"])
    with pytest.raises(ParameterError, match="one text"):
        compare(noise(), horizon=1, models="VAR")


def test_climb_chooses_the_rung_that_made_the_series():
    rng = np.random.default_rng(4)
    e, steps = rng.normal(size=(500, 1)), rng.normal(size=500)
    autoregression, threshold = np.zeros((500, 1)), np.zeros(500)
    for t in range(1, 500):
        autoregression[t] = 0.6 * autoregression[t - 1] + e[t]
        threshold[t] = np.sign(threshold[t - 1]) + steps[t]
    series = {"VAR": autoregression, "LinearRNN": e[1:] + 0.8 * e[:-1], "TanhRNN": threshold[:, None]}
    for rung, y in series.items():
        found = climb(y)
        assert found.chosen == rung
        assert found.best is found.fits[rung]
        assert found.best.spec.label == rung
        assert list(found.evidence.index) == ["VAR", "LinearRNN", "TanhRNN"]
        if rung != "VAR":
            assert found.evidence.loc[rung, "over_the_one_below"] > 1


def test_climb_takes_exogenous_columns_and_a_trend():
    y, X = noise(), noise(seed=1).add_prefix("x")
    found = climb(y, X, trend="ct")
    assert found.chosen == "VAR"
    assert "xs0" in found.best.params.index
