"""P-values bootstrapped under the VAR: ranks among comparisons of series drawn from it."""

from __future__ import annotations

import numpy as np
import pytest

from varnn import VAR, Mean, Naive
from varnn.errors import ParameterError
from varnn.under_null import bootstrapped_tests

SETTINGS = {"horizon": 1, "origins": 15, "refit": 15, "n_paths": 20, "draws": 19}  # small: each draw is a comparison


def test_the_same_seed_gives_the_same_pvalues_and_each_is_a_rank():
    y = np.random.default_rng(1).standard_normal((50, 1))
    first, second = (bootstrapped_tests(y, model=Naive(), null=VAR(lags=1), **SETTINGS) for _ in range(2))
    assert first.equals(second)
    assert (first["boot_p"] * 20 % 1 < 1e-9).all()
    assert first["draws"].tolist() == [19]


def test_a_model_that_sees_what_the_null_leaves_out_is_found_better():
    rng = np.random.default_rng(2)
    y = rng.standard_normal((90, 1))
    for t in range(2, 90):
        y[t] += 0.9 * y[t - 2]
    found = bootstrapped_tests(y, model=VAR(lags=2), null=VAR(lags=1), **SETTINGS | {"origins": 30, "refit": 30})
    assert found.loc[1, "skill"] > 10
    assert found.loc[1, "boot_p"] == 1 / 20


def test_too_few_draws_are_refused():
    with pytest.raises(ParameterError, match="draws=3"):
        bootstrapped_tests(np.zeros((9, 1)), horizon=1, model=Mean(), draws=3)
