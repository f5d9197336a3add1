"""Rolling origins: how many there are, what they see, what they judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from varnn.errors import ParameterError, TooShortError
from varnn.evaluate.windows import MOST_ORIGINS, Windows

small = st.integers(1, 12)


@given(rows=st.integers(2, 400), horizon=small, first=small, step=small, gap=st.integers(0, 5))
def test_the_count_is_the_documented_formula_and_no_origin_judges_a_row_that_is_not_there(rows, horizon, first, step,
                                                                                          gap):
    windows = Windows(horizon=horizon, first=first, step=step, gap=gap)
    if windows.count(rows) == 0:
        with pytest.raises(TooShortError):
            list(windows.over(rows))
        return
    origins = list(windows.over(rows))
    assert len(origins) == (rows - first - gap - horizon) // step + 1
    assert origins[-1].stop + gap + horizon <= rows < origins[-1].stop + gap + horizon + step


@given(rows=st.integers(20, 5000), horizon=small)
def test_default_windows_judge_the_last_row_and_stay_within_the_cap(rows, horizon):
    windows = Windows.default(rows, horizon)
    origins = list(windows.over(rows))
    assert origins[-1].stop + horizon == rows
    assert len(origins) <= MOST_ORIGINS
    assert origins[0].refit


def test_a_sliding_window_keeps_its_size():
    windows = Windows(horizon=1, first=10, size=6)
    assert {origin.stop - origin.start for origin in windows.over(20)} == {6}


def test_refits_come_at_every_rth_origin():
    windows = Windows(horizon=1, first=4, refit=3)
    assert [origin.refit for origin in windows.over(12)] == [True, False, False, True, False, False, True, False]


@pytest.mark.parametrize(("name", "value"), [("step", 0), ("gap", -1), ("refit", 2.0), ("first", "9"), ("size", 99)])
def test_settings_that_make_no_sense_are_named(name, value):
    with pytest.raises(ParameterError, match=name):
        Windows(**{"horizon": 1, "first": 10, name: value})


def test_asking_for_more_origins_than_rows_says_what_to_do():
    with pytest.raises(TooShortError, match="fewer origins"):
        Windows.default(20, 4, origins=30)


@pytest.mark.parametrize(("rows", "refits"), [(300, 10), (2800, 10), (5700, 5), (17_420, 2), (100_000, 2)])
def test_long_windows_are_estimated_anew_less_often(rows, refits):
    origins = list(Windows.default(rows, 8).over(rows))
    assert sum(origin.refit for origin in origins) == pytest.approx(refits, abs=1)
