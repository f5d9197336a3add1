"""The model confidence set keeps the best, drops the bad, and survives ties; skill and rank comparisons beside it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import MissingDataError, NonFiniteError, ParameterError, ShapeError, TooShortError, VarnnError
from varnn.evaluate.significance.block_bootstrap import block_indices, block_length, block_means
from varnn.evaluate.significance.model_confidence_set import confidence_set
from varnn.evaluate.significance.ranks import holm, rank_comparison
from varnn.evaluate.significance.skill import bootstrap_pvalue, skill_interval

RNG = np.random.default_rng(0)


def test_block_means_are_the_means_of_the_resampled_rows():
    losses, indices = RNG.normal(size=(30, 3)), block_indices(30, 4, 7, np.random.default_rng(1))
    assert_allclose(block_means(losses, indices), losses[indices].mean(axis=1), rtol=1e-12)


def test_stationary_blocks_have_the_mean_length_asked_for():
    indices = block_indices(2000, 8, 20, np.random.default_rng(2))
    breaks = (np.diff(indices, axis=1) % 2000 != 1).mean()
    assert_allclose(breaks, 1 / 8, rtol=0.1)


@pytest.mark.parametrize("statistic", ["max", "range"])
def test_the_set_keeps_the_best_and_drops_the_worst(statistic):
    losses = np.random.default_rng(3).normal(size=(150, 4)) ** 2 + [0.0, 0.0, 1.5, 3.0]
    result = confidence_set(losses, ["a", "b", "c", "d"], statistic=statistic)
    assert result.included() == ("a", "b")
    assert result.eliminated[:2] == ("d", "c")
    assert max(result.pvalues) == 1.0
    assert "one of a, b (over 150 origins; left out: c, d)" in result.sentence()


@pytest.mark.parametrize("statistic", ["max", "range"])
def test_models_with_identical_losses_stay_together(statistic):
    one = np.random.default_rng(4).normal(size=80) ** 2
    assert confidence_set(np.column_stack([one, one, one]), statistic=statistic).pvalues == (1.0, 1.0, 1.0)
    with_worse = confidence_set(np.column_stack([one, one + 5, one, one * (1 + 1e-14)]), statistic=statistic)
    assert with_worse.included() == ("0", "2", "3")


def test_the_set_loses_one_of_four_equal_models_about_as_often_as_it_says():
    rng, lost = np.random.default_rng(5), 0
    for seed in range(300):
        losses = (rng.normal(size=(100, 1)) + 0.6 * rng.normal(size=(100, 4))) ** 2
        lost += len(confidence_set(losses, count=200, rng=seed).included(0.1)) < 4
    assert lost / 300 < 0.1 + 3 * np.sqrt(0.09 / 300)


def test_a_short_or_single_model_table_says_so():
    short = confidence_set(np.ones((5, 2)))
    assert not short.valid
    assert short.pvalues == (1.0, 1.0)
    assert "5 origins are too few" in short.sentence()
    assert confidence_set(np.ones((20, 1))).included() == ("0",)


def test_skill_is_the_percentage_by_which_rmse_falls():
    mine, base = np.random.default_rng(6).normal(size=(2, 60)) ** 2
    result = skill_interval(mine, base)
    assert_allclose(result.value, 100 * (1 - np.sqrt(mine.mean() / base.mean())), rtol=1e-12)
    assert result.lower < result.value < result.upper
    assert_allclose(skill_interval(mine, base, power=1.0).value, 100 * (1 - mine.mean() / base.mean()), rtol=1e-12)


def test_skill_of_several_steps_averages_within_each_origin():
    mine, base = np.random.default_rng(7).normal(size=(2, 60, 4, 2)) ** 2
    assert skill_interval(mine, base) == skill_interval(mine.mean(axis=(1, 2)), base.mean(axis=(1, 2)))


def test_skill_intervals_repeat_and_widen_with_the_coverage():
    mine, base = np.random.default_rng(8).normal(size=(2, 60)) ** 2
    wide, narrow = skill_interval(mine, base, coverage=0.95), skill_interval(mine, base, coverage=0.5)
    assert wide == skill_interval(mine, base, coverage=0.95)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_skill_intervals_cover_no_skill_as_often_as_they_say():
    rng = np.random.default_rng(9)
    held = []
    for seed in range(600):
        losses = (rng.normal(size=(100, 1)) + rng.normal(size=(100, 2))) ** 2
        result = skill_interval(*losses.T, coverage=0.9, count=200, rng=seed)
        held.append(result.lower <= 0 <= result.upper)
    assert abs(np.mean(held) - 0.9) < 3 * np.sqrt(0.09 / 600)


def test_degenerate_skills_are_exact_or_say_why():
    losses = np.random.default_rng(10).normal(size=40) ** 2
    same = skill_interval(losses, losses)
    assert (same.value, same.lower, same.upper, same.note) == (0.0, 0.0, 0.0, "the losses are identical")
    assert_allclose([skill_interval(0.81 * losses, losses).lower, skill_interval(0.81 * losses, losses).upper], 10.0)
    short = skill_interval(losses[:5], losses[5:10])
    assert not short.valid
    assert (short.lower, short.upper) == (-np.inf, 100.0)
    assert "5 origins are too few" in short.sentence()


def test_holms_correction_equals_statsmodels():
    from statsmodels.stats.multitest import multipletests

    pvalues = np.random.default_rng(11).uniform(size=12) ** 3
    assert_allclose(holm(pvalues), multipletests(pvalues, method="holm")[1], rtol=1e-12)
    assert_array_equal(holm([]), [])


def test_bootstrap_pvalues_count_the_observed_draw():
    assert bootstrap_pvalue(10.0, np.zeros(99)) == 0.01
    assert bootstrap_pvalue(-1.0, np.zeros(99)) == 1.0


def test_groups_of_a_critical_difference_diagram_are_the_longest_runs():
    ranks = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], (30, 1)) + np.random.default_rng(12).normal(size=(30, 5))
    result = rank_comparison(ranks, list("abcde"))
    for group in result.groups:
        assert len(group) > 1
    apart = [set(group) >= {"a", "e"} for group in result.groups]
    assert not any(apart)
    assert result.pvalue < 0.001
    assert "a is told apart from" in result.sentence()


def test_friedman_holds_its_size_with_few_data_sets():
    rng = np.random.default_rng(13)
    rate = np.mean([rank_comparison(rng.normal(size=(10, 4))).pvalue < 0.05 for _ in range(1500)])
    assert abs(rate - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 1500)


def test_all_ties_and_too_few_data_sets_give_p_one():
    assert rank_comparison(np.ones((9, 3))).pvalue == 1.0
    few = rank_comparison(np.ones((2, 3)))
    assert not few.valid
    assert "2 data sets and 3 models are too few" in few.sentence()


def test_agreement_on_every_data_set_gives_p_zero():
    assert rank_comparison(np.tile([1.0, 2.0, 3.0], (6, 1))).pvalue == 0.0


@pytest.mark.parametrize(("error", "call"), [
    (MissingDataError, lambda: confidence_set(np.full((20, 2), np.nan))),
    (ShapeError, lambda: confidence_set(np.ones(20))),
    (ShapeError, lambda: confidence_set(np.ones((20, 2)), ["a"])),
    (ParameterError, lambda: confidence_set(np.ones((20, 2)), statistic="R")),
    (ParameterError, lambda: confidence_set(np.ones((20, 2)), block=21)),
    (ParameterError, lambda: block_indices(5, 0, 1, RNG)),
    (ParameterError, lambda: block_indices(5, 2, 1, RNG, scheme="moving")),
    (TooShortError, lambda: block_length(np.ones(4))),
    (NonFiniteError, lambda: skill_interval(-np.ones(20), np.ones(20))),
    (ParameterError, lambda: skill_interval(np.ones(20), np.arange(20.0), power=0)),
    (ParameterError, lambda: skill_interval(np.ones(20), np.arange(20.0), coverage=95)),
    (VarnnError, lambda: skill_interval(np.ones(20), np.ones(19))),
    (ParameterError, lambda: holm([1.2])),
    (ParameterError, lambda: rank_comparison(np.ones((9, 3)), level=5)),
    (ShapeError, lambda: rank_comparison(np.ones((9, 3)), ["a"])),
])
def test_bad_input_is_refused_with_our_own_error(error, call):
    with pytest.raises(error):
        call()
