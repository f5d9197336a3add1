"""Test outcomes against scipy's distributions, and the tests' behaviour on data that obey or break the null."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from varnn.errors import ParameterError
from varnn.inference.decompose import variance_decomposition
from varnn.inference.hypothesis import HypothesisTest, positions
from varnn.inference.impulse import impulse_responses
from varnn.inference.residuals import normality, whiteness


@pytest.mark.parametrize(("df", "law"), [(4, stats.chi2(4)), ((3, 50), stats.f(3, 50))])
def test_p_values_and_critical_values_are_those_of_scipy(df, law):
    test = HypothesisTest("nothing", 2.9, df)
    assert_allclose(test.pvalue, law.sf(2.9), rtol=1e-12)
    assert_allclose(test.crit_value(0.01), law.ppf(0.99), rtol=1e-10)
    assert test.conclusion(0.99) == "reject"
    assert "fail to reject at 5 %" in str(test) or "reject at 5 %" in str(test)


@pytest.mark.parametrize("chosen", ["z", 5, -1, True, 1.0, [], ["a", "a"], ["a", 0]])
def test_series_that_are_unknown_or_named_twice_are_refused(chosen):
    with pytest.raises(ParameterError, match="causing="):
        positions(chosen, ["a", "b"], "causing")


@pytest.mark.parametrize("signif", [0.0, 1.0, "0.05", 5])
def test_a_level_outside_zero_and_one_is_refused(signif):
    with pytest.raises(ParameterError, match="signif="):
        HypothesisTest("nothing", 1.0, 2).conclusion(signif)


def test_whiteness_has_its_size_and_sees_autocorrelation():
    rng = np.random.default_rng(0)
    rejected = [whiteness(rng.normal(size=(200, 2)), 8, adjusted=True).pvalue < 0.05 for _ in range(300)]
    assert 0.02 < np.mean(rejected) < 0.09
    walk = np.cumsum(rng.normal(size=(200, 2)), axis=0)
    assert whiteness(walk, 8).pvalue < 1e-6


def test_normality_has_its_size_and_sees_heavy_tails():
    rng = np.random.default_rng(1)
    rejected = [normality(rng.normal(size=(400, 2))).pvalue < 0.05 for _ in range(300)]
    assert 0.02 < np.mean(rejected) < 0.09
    assert normality(rng.standard_t(3, size=(400, 2))).pvalue < 1e-6


def test_whiteness_needs_more_lags_than_the_model_and_fewer_than_the_rows():
    for nlags in (2, 50, 0, 2.5):
        with pytest.raises(ParameterError, match="nlags="):
            whiteness(np.random.default_rng(0).normal(size=(50, 2)), nlags, 2)


def test_responses_of_a_known_process_are_powers_of_its_matrix():
    turn = np.array([[0.5, 0.1], [-0.2, 0.3]])
    found = impulse_responses(turn[None], np.diag([4.0, 1.0]), 3, ["a", "b"])
    assert_allclose(found.irfs, [np.linalg.matrix_power(turn, s) for s in range(4)], rtol=1e-12)
    assert_allclose(found.orth_irfs, found.generalized_irfs, rtol=1e-12)  # the same where residuals are uncorrelated
    assert found.stderr is None


def test_a_shockless_series_has_no_shares_rather_than_nan():
    shares = variance_decomposition(np.zeros((2, 1, 1)), ["a"]).decomp
    assert (shares == 0).all()
