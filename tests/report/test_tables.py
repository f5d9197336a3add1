"""Tables: numbers as a reader wants them, CSV that a spreadsheet cannot be tricked by."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.report.conftest import made_up
from varnn.report import tables, words
from varnn.report.outcomes import Outcomes


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.000"), (1234.5678, "1,235"), (0.999, "0.999"), (-2.5, "−2.50"),
                                             (3e-7, "3.00e−07"), (2.5e8, "2.50e+08"), (math.inf, "–")])
def test_numbers_keep_three_digits_and_a_real_minus(value, text):
    assert tables.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(3.14, "+3.1"), (-0.04, "0.0"), (-212.3, "−212"), (math.nan, "–")])
def test_gains_carry_their_sign_unless_they_are_nought(value, text):
    assert tables.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< .001"), (0.0341, ".034"), (1.0, "1.0"), (math.nan, "–")])
def test_p_values_are_written_as_in_a_paper(value, text):
    assert tables.probability(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.00042, "0.4 ms"), (0.012, "12 ms"), (3.14, "3.1 s"), (7200, "120 min")])
def test_times_have_a_fitting_unit(value, text):
    assert tables.duration(value) == text


def test_every_csv_reads_back_to_the_comparison_s_numbers(macro, tmp_path):
    names = tables.write_csv(macro, Outcomes.of(macro.ledger), tmp_path, "macro")
    assert set(names) == {f"macro_{name}.csv" for name in ("overall", "by_horizon", "by_series", "coverage")}
    back = pd.read_csv(tmp_path / "macro_overall.csv", index_col="model")
    np.testing.assert_allclose(back["rmse"], macro.table["rmse"], rtol=1e-9)


def test_names_that_look_like_formulas_reach_no_spreadsheet_as_such(tmp_path):
    comparison = made_up(names=("=1+1", "@SUM(A1)", "-2", "fine"), origins=12, horizon=1)
    tables.write_csv(comparison, Outcomes.of(comparison.ledger), tmp_path, "x")
    lines = (tmp_path / "x_by_series.csv").read_text(encoding="utf-8").splitlines()
    cells = [cell for line in lines[1:] for cell in line.split(",")[:2]]
    assert "'=1+1" in cells
    assert "fine" in cells
    assert not [cell for cell in cells if cell[:1] in "=@+-"]


def test_the_gain_by_series_has_a_row_for_each_series_however_many():
    names = tuple(f"series number {i}, with a long name" for i in range(1, 17))
    comparison = made_up(names=names, origins=12, horizon=2)
    heads, rows = tables.series_table(Outcomes.of(comparison.ledger))
    assert heads == ["naive", "mean", "VAR", "linear RNN", "tanh RNN"]
    assert [name for name, _ in rows] == list(names)
    table = comparison.ledger.forecasts
    rmse = ((table["observed"] - table["mean"]) ** 2).groupby([table["series"], table["model"]]).mean() ** 0.5
    for name, cells in rows:
        gain = 100 * (1 - rmse[name, "TanhRNN"] / rmse[name, "VAR"])
        assert float(cells[4].value) == pytest.approx(gain, rel=1e-8)


def test_marks_of_significance_follow_the_p_values():
    line = {"skill": 3.0, "skill_lower": 1.0, "skill_upper": 5.0, "dm_p": 0.04, "cw_p": 0.2}
    assert tables.skill_cell("tanh RNN", line).text == "+3.0*"
    assert tables.skill_cell("tanh RNN", line | {"dm_p": 0.3, "cw_p": 0.01}).text == "+3.0†"
    assert tables.skill_cell("tanh RNN", line | {"skill": math.nan}).text == tables.NOTHING


def test_the_least_error_of_a_column_is_marked(macro):
    rows = {row.model: row for row in tables.main_table(macro, macro.ledger.models)}
    assert [cell.kind for cell in rows["tanh RNN"].cells[1:5]] == ["best"] * 4
    assert rows["VAR"].interval is not None
    assert rows["naive"].interval.cut


def test_troubles_count_each_reason_once(simulated, macro):
    [(model, outcome, times, first, reason)] = tables.troubles(simulated)
    assert (model, outcome, times) == ("linear RNN", "no forecast", 8)
    assert first
    assert reason.startswith("TooShortError")
    assert tables.troubles(macro) == []


@pytest.mark.parametrize("title", ["../../etc/passwd", "", "…", "a/b\\c:d", "<script>", "x" * 500])
def test_file_names_hold_nothing_but_letters_digits_and_dashes(title):
    [name] = tables.slugs([title])
    assert name
    assert len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_numbers_stay_with_their_units():
    assert words.tied("gain -4.5 to 11.9 %") == "gain −4.5 to 11.9\N{NO-BREAK SPACE}%"
