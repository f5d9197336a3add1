"""Transforms of columns and their exact inverses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn.data.steps import STEPS, WORDS, steps_of
from varnn.data.transform import CODES, by_code, to_levels, transformed
from varnn.errors import InputError, ParameterError, TooShortError

Y = pd.DataFrame(np.exp(np.random.default_rng(0).normal(scale=0.1, size=(40, 2)).cumsum(axis=0)) + 0.5,
                 columns=["gdp", "rate"], index=pd.period_range("2000-01", periods=40, freq="M"))
CHAINS = [*WORDS, *STEPS, "log+sdiff+diff", "log1p+sdiff", "code5", "LogDiff", "sdiff+sdiff", "growth+sdiff"]


@pytest.mark.parametrize("how", CHAINS)
def test_what_comes_after_the_sample_is_brought_back_exactly(how):
    """Transform all rows, take the later ones as a path, and undo it from the earlier levels alone."""
    steps = steps_of(how, list(Y.columns), season=4)
    path = steps.apply(Y).to_numpy()[-9:]
    assert_allclose(steps.undo(path[None], Y.to_numpy()[:-9])[0], Y.to_numpy()[-9:], rtol=1e-11)
    assert_allclose(steps.undo(path, Y.to_numpy()[:-9]), Y.to_numpy()[-9:], rtol=1e-11)


@pytest.mark.parametrize("code", list(CODES))
def test_fred_codes_are_those_of_by_code(code):
    ours = steps_of(str(code), list(Y.columns)).apply(Y)
    assert_allclose(ours, by_code(Y, dict.fromkeys(Y.columns, code)).dropna(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("how", ["none", "diff", "logdiff"])
def test_the_words_known_before_mean_what_they_meant(how):
    steps = steps_of(how, list(Y.columns))
    assert_allclose(steps.apply(Y), transformed(Y, how), rtol=0, atol=1e-15)
    changes = np.random.default_rng(1).normal(scale=0.1, size=(3, 5, 2))
    assert_allclose(steps.undo(changes, Y.to_numpy()), to_levels(changes, Y.to_numpy()[-1], how), rtol=1e-13)


def test_columns_have_transforms_of_their_own_and_stay_side_by_side():
    steps = steps_of("gdp=log+sdiff", list(Y.columns), season=12)
    done = steps.apply(Y)
    assert len(done) == 28
    assert np.array_equal(done["rate"], Y["rate"].iloc[12:])
    assert_allclose(done["gdp"], np.log(Y["gdp"]).diff(12).dropna(), rtol=1e-12)


def test_nonnegative_keeps_every_path_at_or_above_nothing():
    steps = steps_of("none", ["n"], nonnegative=True)
    paths = np.random.default_rng(0).normal(size=(100, 5, 1))
    back = steps.undo(paths, np.zeros((4, 1)))
    assert back.min() == 0
    assert np.array_equal(back, np.maximum(np.expm1(paths), 0))
    assert not steps.linear


@pytest.mark.parametrize(("how", "options", "error", "told"), [
    ("logdif", {}, ParameterError, "did you mean 'logdiff'"),
    ("8", {}, ParameterError, "is not known"),
    ("gpd=log", {}, InputError, "did you mean 'gdp'"),
    ("gdp=log,gdp=diff", {}, InputError, "twice"),
    ("gdp=log,diff", {}, ParameterError, "'diff' names no column"),
    ("gdp=", {}, ParameterError, "is not known"),
    ("sdiff", {"season": 1}, ParameterError, "--season"),
    ("diff", {"nonnegative": True}, ParameterError, "can lead below 0"),
    ("", {}, ParameterError, "is not known"),
])
def test_what_is_not_known_is_refused_with_the_nearest(how, options, error, told):
    with pytest.raises(error, match=told):
        steps_of(how, list(Y.columns), **options)


@pytest.mark.parametrize(("how", "table", "told"), [
    ("log", Y.assign(rate=lambda t: t["rate"].where(t.index != "2000-05", 0.0)), "'rate' is 0 at 2000-05"),
    ("diff+log", Y, "after diff"),
    ("log1p", -Y, "'gdp' is -"),
    ("growth", Y * 0, "growth rate"),
])
def test_what_has_no_transform_is_named_with_its_date(how, table, told):
    with pytest.raises(InputError, match=told):
        steps_of(how, list(Y.columns)).apply(table)


def test_too_few_rows_are_told():
    with pytest.raises(TooShortError, match="more than 12 rows"):
        steps_of("sdiff", list(Y.columns), season=12).apply(Y.iloc[:12])
