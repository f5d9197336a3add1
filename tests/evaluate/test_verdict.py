"""The verdict says what the rule finds, no more: a judgement made by hand, and the sentence it calls for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn.errors import ParameterError
from varnn.evaluate.calibration import coverage_check
from varnn.evaluate.judgement import Judgement, Leg, Rung, decide
from varnn.evaluate.significance.gain import Gain, gain_in_rmse
from varnn.evaluate.significance.pairwise import diebold_mariano
from varnn.evaluate.significance.ranks import cauchy_combination
from varnn.evaluate.verdict import sentences

NOTHING = float("nan")
SAME = Gain(0.0, NOTHING, NOTHING, 60, same=True)


def losses(gain: float, noise: float, n: int = 60) -> Gain:
    """A gain of so many percent; the losses differ by a wave, so that its error is set by `noise`."""
    base = 1.0 + 0.3 * np.sin(np.arange(n))
    wave = np.cos(np.arange(n) * 2.0)
    mine = (1 - gain / 100) ** 2 * base.mean() + (base - base.mean()) + noise * (wave - wave.mean())
    return gain_in_rmse(mine, base)


def found(*rungs: tuple[str, list[Gain], float], linearity: float | None = None, **options: Any) -> Judgement:
    legs = {model: tuple(Leg((1,) if at == 0 else (1, 2), gain, 0.2) for at, gain in enumerate(gains))
            for model, gains, _ in rungs}
    tested = None if linearity is None else {"pvalue": linearity, "lags": 1, "n": 200, "detectable": 1.5}
    return decide("ShrunkVAR", tuple(Rung(model, legs[model], p) for model, _, p in rungs), tested,
                  **{"worth": 2.0, "origins": 60} | options)


def table(naive: float = 2.0, failed: int = 0) -> pd.DataFrame:
    models = {"Naive": naive, "VAR": 1.0, "TanhRNN": 0.98}
    return pd.DataFrame({"rmsse": models}).assign(coverage_90=0.9, failed=[0, 0, failed])


def first(one: Judgement, **options: Any) -> str:
    return sentences(one, table(**options), None)[0]


def test_gains_are_ruled_out_before_a_var_is_enough():
    said = first(found(("TanhRNN", [losses(0.1, 0.02), losses(0.0, 0.02)], 0.4), linearity=0.6))
    assert said.startswith("A VAR is enough here: gains above 0.")
    assert "over the shrunken VAR are ruled out at one step and over all (95 %)" in said
    assert "nothing nonlinear is left that 200 rows could show (a gap of 1.5 % or more" not in said
    assert "a gap of 1.5 % would have shown" in said


def test_structure_without_a_gain_is_enough_in_practice():
    said = first(found(("TanhRNN", [losses(0.1, 0.02)], 0.004), linearity=0.005))
    assert said.startswith("A VAR is enough in practice: there is structure that it misses (p = .004), but gains above")


def test_a_wide_interval_is_undecided_and_says_what_could_have_been_seen():
    one = found(("TanhRNN", [losses(0.1, 1.0)], 0.4))
    assert one.finding == "undecided"
    said = first(one)
    assert "60 origins could only have shown a gain of" in said
    assert "remains possible, and 2 % would matter" in said


def test_structure_that_is_not_shown_to_pay_is_undecided():
    said = first(found(("TanhRNN", [losses(3.0, 1.0)], 0.005)))
    assert said.startswith("Undecided: there is structure that the shrunken VAR misses (p = .005), but 60 origins do")


def test_a_gain_with_structure_earns_its_keep():
    legs = [losses(8.0, 0.1), losses(2.0, 1.0)]
    said = first(found(("LinearRNN", [SAME, SAME], NOTHING), ("TanhRNN", legs, 0.0004)))
    assert said.startswith("A recurrent net earns its keep: 1 step ahead the tanh RNN gains 8.0 % in RMSE over the "
                           "shrunken VAR, at least 7.")
    assert "is beyond chance (p < .001)" in said


def test_a_gain_without_structure_is_undecided_and_both_are_said():
    said = first(found(("TanhRNN", [losses(8.0, 0.1)], 0.2)))
    assert said.startswith("Undecided: 1 step ahead the tanh RNN gains 8.0 % in RMSE over the shrunken VAR, at least")
    assert "not beyond chance (p = .200)" in said


def test_a_trifle_does_not_earn_however_sure():
    assert found(("TanhRNN", [losses(0.3, 0.001)], 0.001)).finding == "enough in practice, with structure"


def test_the_worth_decides_what_is_enough():
    rung = ("TanhRNN", [losses(0.1, 0.1)], 0.5)
    assert found(rung, worth=5.0).finding == "enough"
    assert found(rung, worth=0.2).finding == "undecided"


def test_a_rung_that_is_the_var_has_no_p_value():
    said = sentences(found(("LinearRNN", [SAME, SAME], NOTHING), ("TanhRNN", [SAME, SAME], 0.3)), table(), None)
    assert said[0].startswith("A VAR is enough here: the linear RNN and tanh RNN are the shrunken VAR here")
    assert not any("Mariano" in sentence for sentence in said)


def test_without_tests_there_is_no_claim():
    none = Gain(20.0, NOTHING, NOTHING, 5, valid=False, note="5 origins are too few for a test, it needs at least 8")
    one = found(("TanhRNN", [none], NOTHING), origins=5)
    assert one.finding == ""
    assert first(one) == "There are too few forecast origins to test whether a recurrent net beats the VAR."


def test_few_origins_are_said_first():
    assert first(found(("TanhRNN", [losses(0.1, 1.0, 12)], 0.4), origins=12)).startswith(
        "With 12 forecast origins little can be shown. Undecided")


def test_a_naive_row_ahead_of_every_fitted_model_is_said_at_once():
    said = first(found(("TanhRNN", [SAME], NOTHING)), naive=0.5)
    assert "no fitted model beats the naive forecast" in said


def test_a_rung_that_failed_is_told():
    said = sentences(found(("TanhRNN", [SAME], NOTHING)), table(failed=60), None)
    assert "gave no forecast at 60 origins" in said[-1]


@pytest.mark.parametrize("horizon", [1, 4])
@pytest.mark.parametrize("seed", range(5))
def test_the_limits_are_the_inverse_of_the_diebold_mariano_test(horizon, seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=80)
    mine, other = (shared + 0.3 * rng.normal(size=80)) ** 2, (1.05 * shared + 0.3 * rng.normal(size=80)) ** 2
    gain, test = gain_in_rmse(mine, other, horizon=horizon), diebold_mariano(mine, other, horizon=horizon)
    assert_allclose(2 * min(gain.pvalue, 1 - gain.pvalue), test.pvalue, rtol=1e-10)
    for confidence in (0.025, 0.05, 0.9, 0.975):  # the losses, scaled by the limit, are not rejected just so
        ratio = (1 - gain.limit(confidence) / 100) ** 2
        alternative = "first" if confidence > 0.5 else "second"
        at_limit = diebold_mariano(mine, ratio * other, horizon=horizon, alternative=alternative).pvalue
        assert_allclose(at_limit, 1 - max(confidence, 1 - confidence), rtol=1e-7)


def test_cauchys_combination_is_the_p_value_of_one_test_and_ignores_a_certain_loser():
    assert_allclose(cauchy_combination([0.03]), 0.03)
    assert_allclose(cauchy_combination([0.03, 0.03]), 0.03)
    assert cauchy_combination([0.002, 1.0]) < 0.01
    with pytest.raises(ParameterError, match="between 0 and 1"):
        cauchy_combination([1.5])


def test_bands_far_from_what_they_say_are_told_with_the_remedy():
    one, outcomes = found(("TanhRNN", [SAME], NOTHING)), np.arange(100)
    def said(of_ten: int) -> str:
        return " ".join(sentences(one, table(), None, {"TanhRNN": coverage_check(outcomes % 10 < of_ten, 0.9)}))

    assert "those of the tanh RNN are too narrow beyond chance" in said(7)
    assert "Conformal(TanhRNN())" in said(7)
    assert "wider than need be" in said(10)
    assert "Mind the bands" not in said(9)
