"""The fluctuation test finds a lead that changes hands, and holds its size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.errors import MissingDataError, ParameterError
from varnn.evaluate.significance.fluctuation import fluctuation

from .test_pairwise import overlapping_losses, rejection_rate


def test_the_path_is_the_rolling_mean_difference_over_its_standard_error():
    a, b = overlapping_losses(1, 50, 1, 0)[0].T
    result = fluctuation(a, b, share=0.2)
    d = a - b
    assert len(result.path) == 41
    assert_allclose(result.path[3], d[3:13].sum() / np.sqrt(10 * d.var()), rtol=1e-12)
    assert result.ends[3] == 12
    assert result.statistic == np.abs(result.path).max()


def test_a_lead_that_changes_hands_is_found_where_the_average_shows_nothing():
    rng = np.random.default_rng(1)
    d = np.where(np.arange(200) < 100, 1.0, -1.0) + rng.normal(size=200)
    result = fluctuation(5 + d, np.full(200, 5.0))
    assert result.pvalue < 0.01
    assert result.path.min() < -result.critical_5
    assert result.path.max() > result.critical_5
    assert "beyond chance in some stretch" in result.sentence("RNN", "VAR")


@pytest.mark.parametrize(("n", "horizon"), [(50, 1), (100, 1), (200, 4)])
def test_the_fluctuation_test_rejects_a_true_null_as_often_as_it_says(n, horizon):
    pairs = overlapping_losses(1000, n, horizon, 2)
    rate, error = rejection_rate([fluctuation(*pair.T, horizon=horizon).pvalue for pair in pairs])
    assert abs(rate - 0.05) < error + 0.005  # fat-tailed losses, null simulated from Gaussian ones


def test_identical_short_and_bad_input():
    losses = np.ones(40)
    same = fluctuation(losses, losses)
    assert (same.pvalue, same.valid, same.note) == (1.0, True, "the losses are identical")
    assert "identical" in same.sentence()
    short = fluctuation(losses[:10], 2 * losses[:10])
    assert not short.valid
    assert "10 origins are too few" in short.sentence()
    with pytest.raises(ParameterError, match=r"share=1\.5"):
        fluctuation(losses, losses, share=1.5)
    with pytest.raises(MissingDataError):
        fluctuation(losses * np.nan, losses)


def test_the_pvalue_repeats():
    a, b = overlapping_losses(1, 60, 1, 3)[0].T
    assert fluctuation(a, b).pvalue == fluctuation(a, b).pvalue
