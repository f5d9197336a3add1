"""Inputs made from y are found in whatever form, honest ones pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from varnn import compare
from varnn.cli.app import app
from varnn.errors import DataNameError, LookaheadError
from varnn.evaluate.leaks import REFUSED, TOLD, leaks, refuse_leaks
from varnn.series import Series

ROWS = 160


def noise(seed: int, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(rows)


def persistent(phi: float = 0.8, seed: int = 0, rows: int = ROWS) -> pd.Series:
    y = noise(seed, rows)
    for t in range(1, rows):
        y[t] += phi * y[t - 1]
    return pd.Series(y, name="y")


def level(seed: int = 0) -> pd.Series:
    """A positive series, for rates and ratios."""
    return (100 * np.exp(persistent(1.0, seed) / 40)).rename("y")


def refused(y: pd.Series | pd.DataFrame, **columns: object) -> str:
    X = pd.DataFrame(columns, index=y.index).bfill().ffill()
    with pytest.raises(LookaheadError) as caught:
        refuse_leaks(Series.of(y), Series.of(X, argument="X"))
    return str(caught.value)


MADE = {
    "difference": lambda y: y.diff(), "twice with noise": lambda y: 2 * y + 0.01 * noise(1),
    "running sum": lambda y: y.cumsum(), "mean of three": lambda y: y.rolling(3).mean(),
    "mean of twelve": lambda y: y.rolling(12).mean(), "centred mean": lambda y: y.rolling(3, center=True).mean(),
    "smoothed": lambda y: y.ewm(alpha=0.3).mean(), "lead": lambda y: y.shift(-1) + 0.01 * noise(2),
    "change to come": lambda y: y.diff().shift(-1), "standardised": lambda y: (y - y.mean()) / y.std(),
    "difference over a season": lambda y: y.diff(12), "exponential": np.exp, "bounded": lambda y: np.tanh(y / 5),
    "cube": lambda y: y**3, "mean over past and now, reversed": lambda y: -y.rolling(2).mean() + 7,
}
RATES = {
    "logarithm": np.log, "growth rate": lambda y: y.pct_change(), "growth in per cent": lambda y: 100 * y.pct_change(),
    "log difference": lambda y: np.log(y).diff(), "root": np.sqrt, "growth over a year": lambda y: y.pct_change(12),
    "reciprocal": lambda y: 1 / y, "share of the last value": lambda y: y / y.shift(1),
}


@pytest.mark.parametrize("phi", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_column_made_from_y_is_refused_by_name(made, phi):
    y = persistent(phi)
    said = refused(y, honest=noise(8), clever=made(y))
    assert "'clever'" in said
    assert "'honest'" not in said


@pytest.mark.parametrize("made", RATES.values(), ids=RATES)
def test_a_rate_of_y_is_refused_by_name(made):
    assert "'clever'" in refused(level(), clever=made(level()))


def test_columns_that_only_together_give_y_are_named_together():
    y, part, other = persistent(), noise(3), noise(4) ** 3
    assert "columns 'u', 'v' and 'w' together" in refused(y, u=y - part - other, v=part, w=other, honest=noise(5))
    price, volume = level(), np.exp(noise(6) / 10)
    said = refused((price * volume).rename("turnover"), price=price, volume=volume)
    assert "'price' and 'volume' together" in said


def test_of_several_series_the_one_that_leaks_is_named():
    y = pd.DataFrame({name: persistent(0.7, seed) for seed, name in enumerate("abc")})
    assert "new in 'b' at the same date" in refused(y, x=y.b.diff())
    assert "a combination of 'a', 'b' and 'c'" in refused(y, total=y.sum(axis=1))
    assert "a combination of 'a' and 'c'" in refused(y, spread=(y.a - y.c).diff())
    levels = np.exp(y / 10)
    assert "a combination of 'a' and 'b'" in refused(levels, ratio=levels.a / levels.b)


def test_a_lead_beyond_twelve_is_found_within_the_horizon():
    y = persistent(rows=400)
    X = Series.of(pd.DataFrame({"x": y.diff().shift(-20).ffill().bfill()}))
    assert all(leak.share < REFUSED for leak in refuse_leaks(Series.of(y), X, furthest=12))
    with pytest.raises(LookaheadError, match="20 steps later"):
        refuse_leaks(Series.of(y), X, furthest=24)


def honest_inputs() -> dict[str, tuple[pd.Series, dict[str, object]]]:
    y, rows, month = persistent(), np.arange(ROWS), np.arange(ROWS) % 12
    temperature = 10 * np.sin(2 * np.pi * rows / 12) + 3 * noise(7)
    late = rows > 110
    daylight = pd.Series(8 * np.sin(2 * np.pi * month / 12) + 0.01 * noise(9), name="daylight")
    months = {f"m{one}": (month == one).astype(float) for one in range(11)}
    return {
        "its own past": (y, {"x": y.shift(1)}), "its own past, a year ago": (y, {"x": y.shift(12)}),
        "noise": (y, {"x": noise(2)}), "a random walk": (y, {"x": noise(2).cumsum()}),
        "many": (y, {f"x{one}": noise(20 + one) for one in range(12)}),
        "temperature for load": (pd.Series(50 + 2 * temperature + 4 * noise(3)), {"temperature": temperature}),
        "a calendar that explains all": (daylight, months), "a month's number": (daylight, {"month": month * 1.0}),
        "a law after which y jumps": (y + 1000.0 * late, {"law": late.astype(float)}),
        "trends": (y + rows, {"t": rows * 1.0, "t2": rows**2.0}),
        "the outcome of another series": (y, {"x": 0.7 * y + noise(4)}),
    }


@pytest.mark.parametrize("case", honest_inputs().values(), ids=honest_inputs())
def test_honest_inputs_pass_without_a_word(case):
    y, columns = case
    X = pd.DataFrame(columns, index=y.index).bfill()
    assert refuse_leaks(Series.of(y), Series.of(X, argument="X")) == []


def test_noise_is_refused_in_none_of_300_samples():
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(20, 120))
        y = rng.standard_normal((rows, int(rng.integers(1, 4))))
        X = rng.standard_normal((rows, int(rng.integers(1, 6))))
        assert leaks(Series.of(y), Series.of(X, argument="X")) == []


def test_the_share_is_that_of_the_innovations():
    y = persistent(0.9, rows=3000)
    for spread in (0.1, 0.2, 0.3):
        told = leaks(Series.of(y), Series.of(pd.DataFrame({"x": y + spread * noise(5, 3000)})))
        assert told[0].share == pytest.approx(1 / (1 + spread**2), abs=0.015)  # Var(e | e + sv) = s²/(1 + s²)
        assert told[0].share >= TOLD


def test_a_near_copy_is_told_in_the_verdict_and_a_change_is_refused_unless_trusted():
    y = persistent()
    near = compare(y, pd.DataFrame({"x": y + 0.2 * noise(1)}), horizon=1, models=["Naive", "VAR"], origins=20)
    assert any(said.startswith("Mind the inputs: 'x' tells 9") and "of what is new in 'y'" in said
               for said in near.verdict)
    change = pd.DataFrame({"change": y.diff().fillna(0.0)})
    with pytest.raises(LookaheadError, match=r"'change'.*trust= \(--trust change\)"):
        compare(y, change, horizon=1, models=["Naive", "VAR"], origins=20)
    with pytest.raises(DataNameError, match="did you mean 'change'"):
        compare(y, change, horizon=1, models=["Naive"], trust="chnge")
    trusted = compare(y, change, horizon=1, models=["Naive", "VAR"], origins=20, trust="change")
    assert any("VAR's bands of 'y' have no width in 20 of 20 forecasts" in said for said in trusted.verdict)


def test_the_command_line_refuses_a_change_and_takes_it_as_an_input_of_the_past(tmp_path):
    y = persistent()
    pd.DataFrame({"y": y, "change": y.diff().fillna(0.0)}).to_csv(tmp_path / "d.csv", index=False)
    call = ["compare", str(tmp_path / "d.csv"), "--horizon", "1", "--columns", "y", "--origins", "10", "--models",
            "Naive,VAR", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*call, "--exog", "change"])
    assert done.exit_code == 2
    assert "--past change" in done.output
    assert CliRunner().invoke(app, [*call, "--past", "change"]).exit_code == 0


@pytest.mark.parametrize("lead", [0, 1, 5])
def test_outcomes_filled_in_after_a_law_are_refused(lead):
    y = persistent()
    guess = np.where(np.arange(ROWS) < 100, noise(3), y.shift(-lead).ffill())
    words = refused(y, x=guess)
    assert words.startswith("X column 'x' equals 'y' ")
    assert "in the last 53 rows" in words


def test_a_trend_beside_a_series_that_ends_as_one_passes():
    y = persistent()
    y.iloc[90:] = np.arange(ROWS - 90.0)
    X = pd.DataFrame({"trend": np.arange(float(ROWS)), "other": noise(4)})
    assert not refuse_leaks(Series.of(y), Series.of(X, argument="X"))
