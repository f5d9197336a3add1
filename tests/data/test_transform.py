"""Changes and back again, and the FRED codes against their written definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from varnn.data import by_code, to_levels, transformed
from varnn.errors import InputError, ParameterError, ShapeError, TooShortError

LEVELS = pd.DataFrame({"a": [1.0, 2.0, 4.0, 5.0], "b": [3.0, 3.5, 3.0, 2.0]},
                      index=pd.period_range("2000Q1", periods=4, freq="Q"))


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=12), st.sampled_from(["diff", "logdiff", "none"]))
def test_levels_come_back_from_their_changes(numbers, how):
    levels = pd.DataFrame({"a": numbers})
    changes = transformed(levels, how)
    if how == "none":
        assert changes.equals(levels)
        return
    assert_allclose(to_levels(changes, levels.iloc[0], how)["a"], numbers[1:], rtol=1e-9)


def test_paths_are_summed_along_the_horizon_one_path_at_a_time():
    paths = np.array([[[1.0, 0.0], [2.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])  # (m, h, k)
    assert_allclose(to_levels(paths, [10.0, 20.0], "diff"), [[[11, 20], [13, 21]], [[10, 21], [10, 22]]])


def test_a_transformed_frame_keeps_its_frequency():
    dates = pd.DataFrame({"a": [1.0, 2.0, 4.0]}, index=pd.date_range("2000-01-01", periods=3, freq="MS"))
    assert transformed(dates, "diff").index.freqstr == "MS"
    assert transformed(LEVELS, "logdiff").index[0] == pd.Period("2000Q2", "Q")


def test_the_logarithm_of_a_number_that_is_not_positive_names_column_and_date():
    levels = LEVELS.copy()
    levels.iloc[2, 1] = -1.0
    with pytest.raises(InputError, match=r"column 'b' is -1 at 2000Q3, which has no logarithm \(1 such"):
        transformed(levels, "logdiff")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: transformed(LEVELS, "log"), ParameterError, "transform='log' is not known"),
        (lambda: transformed(LEVELS.iloc[:1], "diff"), TooShortError, "at least 2 rows, got 1"),
        (lambda: to_levels(np.ones((2, 2)), [1.0], "diff"), ShapeError, r"shape \(2, 2\) and last_levels 1"),
        (lambda: to_levels(np.ones((2, 1)), [0.0], "logdiff"), InputError, "last_levels holds 0"),
        (lambda: by_code(LEVELS, {"a": 8, "b": 1}), InputError, "column 'a' has transform code 8"),
        (lambda: by_code(LEVELS, {"a": 1}), InputError, "column 'b' has transform code None"),
        (lambda: by_code(-LEVELS, {"a": 5, "b": 1}), InputError, "column 'a' is -1 at 2000Q1"),
    ],
)
def test_a_wrong_request_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_seven_codes_do_what_the_appendix_says():
    x = LEVELS["a"].to_numpy()
    log, ratio = np.log(x), x[1:] / x[:-1] - 1
    expected = {1: x, 2: np.diff(x), 3: np.diff(x, 2), 4: 100 * log, 5: 100 * np.diff(log),
                6: 100 * np.diff(log, 2), 7: 100 * np.diff(ratio)}
    for code, numbers in expected.items():
        column = by_code(LEVELS[["a"]], {"a": code})["a"]
        assert column.isna().sum() == len(x) - len(numbers)
        assert_allclose(column.dropna(), numbers)
