"""The verdict says what the tables say, no more: each case is a table made by hand and the sentence it calls for."""

from __future__ import annotations

import pandas as pd

from varnn.evaluate.verdict import sentences

NOTHING = float("nan")


def tables(skill: dict[str, float], p: dict[str, float], by_step: dict[str, list[tuple[float, float]]],
           naive: float = 2.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `board.overall` and `board.by_horizon` of a VAR with RMSSE 1, a naive row and models with these gains."""
    gains = {"Naive": 100 * (1 - naive), "VAR": 0.0} | skill
    table = pd.DataFrame({"skill": gains, "rmsse": {model: 1 - gain / 100 for model, gain in gains.items()},
                          "dm_p": {"Naive": 0.5, "VAR": NOTHING} | p}).assign(coverage_90=0.9, failed=0)
    rows = [{"model": model, "step": step, "skill": gain, "dm_p": pvalue, "cw_p": NOTHING, "skill_lower": NOTHING,
             "skill_upper": NOTHING, "n": 60}
            for model, cells in by_step.items() for step, (gain, pvalue) in enumerate(cells, start=1)]
    return table, pd.DataFrame(rows)


def first(*given: object, **options: float) -> str:
    return sentences(*tables(*given, **options), None)[0]


def test_a_gain_that_luck_explains_leaves_the_var_in_place():
    said = first({"TanhRNN": 2.0}, {"TanhRNN": 0.3}, {"TanhRNN": [(3.0, 0.2), (1.0, 0.6)]})
    assert said.startswith("A VAR is enough here: no recurrent net beat it beyond chance at any of the 2 horizons")
    assert said.endswith("The tanh RNN did best: 2.0 % better than the VAR over all of them.")


def test_a_large_gain_that_is_not_beyond_chance_is_not_settled():
    said = first({"TanhRNN": 20.0}, {"TanhRNN": 0.1}, {"TanhRNN": [(20.0, 0.1)] * 3})
    assert said.startswith("Not settled:")
    assert "20.0 % better" in said


def test_a_gain_over_all_steps_together_counts_where_no_single_step_is_beyond_chance():
    said = first({"TanhRNN": 30.0}, {"TanhRNN": 0.01}, {"TanhRNN": [(30.0, 0.08)] * 9})
    assert said == ("A recurrent net earns its keep: over all 9 horizons together the tanh RNN beat the VAR beyond "
                    "chance, by 30.0 % in RMSE (Diebold–Mariano with Holm's correction, p = .020).")


def test_a_gain_at_some_steps_is_said_with_the_steps():
    said = first({"TanhRNN": 1.0}, {"TanhRNN": 0.6}, {"TanhRNN": [(9.0, 1e-5), (8.0, 1e-4), (0.1, 0.9), (7.0, 1e-3)]})
    assert "beyond chance at 1, 2 and 4 steps ahead, by up to 9.0 %" in said


def test_both_families_of_tests_share_the_level():
    told = {"TanhRNN": [(5.0, 0.9)] * 2}
    assert "earns its keep" in first({"TanhRNN": 5.0}, {"TanhRNN": 0.024}, told)
    assert "earns its keep" not in first({"TanhRNN": 5.0}, {"TanhRNN": 0.026}, told)
    assert "earns its keep" in first({"TanhRNN": 5.0}, {"TanhRNN": 0.049}, {"TanhRNN": [(5.0, 0.049)]})


def test_a_rung_that_loses_beyond_chance_is_named():
    said = first({"LinearRNN": -9.0, "TanhRNN": 0.2}, {"LinearRNN": 1e-4, "TanhRNN": 0.9},
                 {"LinearRNN": [(-9.0, 1e-4)] * 2, "TanhRNN": [(0.2, 0.9)] * 2})
    assert "The linear RNN did worse than the VAR beyond chance over all 2 horizons together." in said


def test_a_naive_row_ahead_of_every_fitted_model_is_said_at_once():
    said = first({"TanhRNN": 20.0}, {"TanhRNN": 0.2}, {"TanhRNN": [(20.0, 0.2)] * 2}, naive=0.5)
    assert "no fitted model beats the naive forecast" in said
    assert "the tanh RNN, is 60.0 % higher" in said


def test_without_tests_there_is_no_claim():
    said = first({"TanhRNN": 20.0}, {"TanhRNN": NOTHING}, {"TanhRNN": [(20.0, NOTHING)] * 2})
    assert said == "There are too few forecast origins to test whether a recurrent net beats the VAR."


def test_a_rung_that_failed_everywhere_is_passed_over():
    table, horizons = tables({"LinearRNN": NOTHING, "TanhRNN": 1.0}, {"LinearRNN": NOTHING, "TanhRNN": 0.4},
                             {"LinearRNN": [(NOTHING, NOTHING)] * 2, "TanhRNN": [(1.0, 0.4)] * 2})
    table.loc["LinearRNN", "failed"] = 60
    said = sentences(table, horizons, None)
    assert "The tanh RNN did best" in said[0]
    assert "gave no forecast at 60 origins" in said[-1]
    assert not any("nan" in sentence for sentence in said)
