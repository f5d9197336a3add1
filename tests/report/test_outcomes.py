"""A ledger as arrays, and what they say about calibration, against brute force and the board's own tables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from tests.report.conftest import made_up
from varnn.evaluate.calibration import coverage_check
from varnn.evaluate.ledger import Ledger
from varnn.report.outcomes import Outcomes
from varnn.report.words import best_set, calibration, histogram_note, stretches


def test_the_order_of_the_rows_does_not_matter(macro):
    ledger = macro.ledger
    shuffled = Ledger(ledger.forecasts.sample(frac=1, random_state=1), ledger.joint, ledger.fits, ledger.meta)
    plain, mixed = Outcomes.of(ledger), Outcomes.of(shuffled)
    order = [mixed.models.index(model) for model in plain.models]
    assert_array_equal(plain.mean, mixed.mean[order])
    assert_array_equal(plain.observed, mixed.observed)
    assert plain.dates == mixed.dates


@pytest.mark.parametrize("level", [50, 80, 90, 95])
def test_coverage_by_step_equals_the_board_s(macro, level):
    outcomes = Outcomes.of(macro.ledger)
    for model in outcomes.models:
        mine = macro.by_horizon[macro.by_horizon["model"] == model].sort_values("step")
        assert_allclose(outcomes.held(model, level)[0], mine[f"coverage_{level}"], rtol=1e-12)


def test_gain_over_time_ends_at_the_difference_of_the_summed_squared_errors(macro):
    table = macro.ledger.forecasts
    first = table[table["step"] == 1]
    loss = ((first["observed"] - first["mean"]) / first["scale_rmse"]) ** 2
    sums = loss.groupby(first["model"]).sum() / first["series"].nunique()
    assert_allclose(Outcomes.of(macro.ledger).gain_over_time("TanhRNN")[-1], sums["VAR"] - sums["TanhRNN"], rtol=1e-10)


def test_origins_without_a_forecast_add_nothing_to_the_gain(simulated):
    outcomes = Outcomes.of(simulated.ledger)
    gain = np.diff(outcomes.gain_over_time("LinearRNN"), prepend=0.0)
    failed = np.isnan(outcomes.mean[outcomes.models.index("LinearRNN"), :, 0, 0])
    assert failed.any()
    assert_array_equal(gain[failed], 0.0)


def test_the_limits_of_chance_are_those_of_the_coverage_check(macro):
    outcomes = Outcomes.of(macro.ledger)
    lower, upper = outcomes.bands[90]
    for at, model in enumerate(outcomes.models):
        inside = (outcomes.observed >= lower[at]) & (outcomes.observed <= upper[at])
        for step in (0, 7):
            expected = coverage_check(inside[:, step], 0.9, horizon=step + 1)
            assert outcomes.check(model, 90, step) == expected
            assert outcomes.chance(90)[0][step] <= expected.lower
            assert expected.upper <= outcomes.chance(90)[1][step]


def test_an_origin_without_a_forecast_is_not_judged(simulated):
    outcomes = Outcomes.of(simulated.ledger)
    found, whole = (outcomes.check(model, 90).outcomes for model in ("LinearRNN", "VAR"))
    assert found == whole == outcomes.common.sum() * len(outcomes.series)  # of both, or dates unlike would be compared
    assert 0 < outcomes.common.sum() < len(outcomes.origins)


def test_the_pit_of_right_forecasts_is_level_and_of_narrow_ones_is_not():
    right = made_up(models=("VAR",), origins=200, horizon=1)
    found = Outcomes.of(right.ledger).pit_histogram("VAR")
    assert found.pvalue > 0.01
    assert found.n == 600
    narrow = right.ledger.forecasts.assign(pit=stats.norm.cdf(2 * stats.norm.ppf(right.ledger.forecasts["pit"])))
    ledger = Ledger(narrow, right.ledger.joint, right.ledger.fits, right.ledger.meta)
    u_shaped = Outcomes.of(ledger).pit_histogram("VAR")
    assert u_shaped.pvalue < 1e-6
    assert u_shaped.shares[0] > u_shaped.upper
    assert "too narrow" in histogram_note(u_shaped, "VAR")


def test_all_series_together_are_ranked_where_there_are_several():
    several, one = made_up(models=("VAR",), origins=200, horizon=1), made_up(models=("VAR",), names=("y",), horizon=1)
    assert Outcomes.of(several.ledger).joint_histogram("VAR").pvalue > 0.01
    assert Outcomes.of(one.ledger).joint_histogram("VAR") is None
    folded = several.ledger.joint.assign(pit=lambda table: 0.25 + table["pit"] / 2)
    ledger = Ledger(several.ledger.forecasts, folded, several.ledger.fits, several.ledger.meta)
    assert "too wide" in Outcomes.of(ledger).joint_histogram("VAR").sentence()


def test_relative_width_is_one_for_the_reference_and_follows_the_bands(macro):
    outcomes = Outcomes.of(macro.ledger)
    assert_allclose(outcomes.relative_width("VAR"), 1.0)
    assert_allclose(outcomes.relative_width("TanhRNN"), np.sqrt((0.9 + 0.2**2) / (0.9 + 0.45**2)), rtol=1e-9)


def test_bands_that_hold_too_few_are_called_too_narrow(macro):
    table = macro.ledger.forecasts
    half = 0.4 * (table["upper_90"] - table["lower_90"]) / 2
    squeezed = table.assign(lower_90=table["mean"] - half, upper_90=table["mean"] + half)
    said = calibration(Outcomes.of(Ledger(squeezed, macro.ledger.joint, macro.ledger.fits, macro.ledger.meta)))
    assert len(said) == 3
    assert all("too narrow" in sentence and "of 180 outcomes" in sentence for sentence in said)
    assert all("as promised" in sentence for sentence in calibration(Outcomes.of(macro.ledger)))


def test_a_verdict_on_coverage_agrees_with_the_numbers_beside_it_where_chance_reaches_less_far():
    said = []
    for seed in range(2):
        many = made_up(names=tuple(f"y{i}" for i in range(16)), origins=300, horizon=1, seed=seed)
        said += calibration(Outcomes.of(many.ledger))
    for sentence in said:
        held, lower, upper = map(float, re.search(r"held ([0-9.]+) % .*\(([0-9.]+) to ([0-9.]+) %", sentence).groups())
        assert upper - lower < 4
        assert ("as promised" in sentence) == (lower <= held <= upper)
    assert any("too narrow" in sentence for sentence in said)
    assert any("as promised" in sentence for sentence in said)


def test_the_oracle_gives_no_bands_and_takes_no_part_in_calibration(simulated):
    outcomes = Outcomes.of(simulated.ledger)
    assert "oracle" not in outcomes.rungs
    assert outcomes.pit_histogram("oracle") is None
    assert isinstance(simulated.oracle_gap, pd.DataFrame)


def test_the_best_set_keeps_the_best_and_leaves_out_the_worst(macro):
    said = best_set(Outcomes.of(macro.ledger))
    assert "tanh RNN" in said.split("left out:")[0]
    assert "naive" in said.split("left out:")[1]


def test_a_model_that_leads_in_one_stretch_is_said_to_with_its_dates():
    comparison = made_up(names=("y",), horizon=1, models=("VAR", "TanhRNN"), origins=100)
    table = comparison.ledger.forecasts
    poor = (table["model"] == "VAR") & (table["origin"] < 115)
    worse = table.assign(mean=table["mean"] + 4.0 * poor)
    [said] = stretches(Outcomes.of(Ledger(worse, comparison.ledger.joint, comparison.ledger.fits,
                                          comparison.ledger.meta)), ["TanhRNN"])
    assert "The tanh RNN led the VAR beyond chance" in said
    assert "from 2005Q" in said
    alike = made_up(names=("y",), horizon=1, models=("VAR", "LinearRNN"), seed=1)
    [plain] = stretches(Outcomes.of(alike.ledger), ["LinearRNN"])
    assert "neither led nor trailed beyond chance in any 18 origins" in plain
