"""Reference numbers of forecast comparison, from R's forecast::dm.test, arch, scoringRules and published tables."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from varnn.evaluate.significance.block_bootstrap import block_indices, block_length
from varnn.evaluate.significance.fluctuation import TABLE, fluctuation, null_distribution
from varnn.evaluate.significance.model_confidence_set import confidence_set
from varnn.evaluate.significance.pairwise import clark_west, diebold_mariano
from varnn.evaluate.significance.ranks import nemenyi_quantile, rank_comparison

STEPS = np.arange(1, 101)
E1 = np.sin(STEPS) + 0.3 * np.cos(2.7 * STEPS)
E2 = 0.9 * np.cos(1.3 * STEPS) + 0.2 * np.sin(STEPS**2 / 50)


def test_diebold_mariano_equals_r_forecast():
    """forecast 8.20: dm.test(e1, e2, h = 1, power = 2) and power = 1."""
    squared, absolute = diebold_mariano(E1**2, E2**2), diebold_mariano(np.abs(E1), np.abs(E2))
    assert_allclose((squared.statistic, squared.pvalue), (2.939980888, 0.004085701639), rtol=1e-9)
    assert_allclose((absolute.statistic, absolute.pvalue), (2.387098365, 0.01888101579), rtol=1e-9)


def test_clark_west_equals_its_reference_value():
    """Outcome 0, e1 of the restricted model: forecasts are −e1 and −e2; standard deviation with ddof 0."""
    result = clark_west(E1, E2)
    assert_allclose(result.statistic, 8.0392287, rtol=1e-8)


@pytest.mark.parametrize(("statistic", "method"), [("range", "R"), ("max", "max")])
@pytest.mark.parametrize("scheme", ["stationary", "circular"])
def test_the_confidence_set_equals_arch_for_the_same_seed(statistic, method, scheme):
    from arch.bootstrap import MCS

    losses = np.random.default_rng(1).normal(size=(120, 6)) ** 2 + 0.1 * np.arange(6)
    theirs = MCS(losses, size=0.1, reps=300, block_size=5, method=method, bootstrap=scheme, seed=7)
    theirs.compute()
    ours = confidence_set(losses, block=5, count=300, statistic=statistic, scheme=scheme, rng=7)
    assert_allclose(ours.pvalues, theirs.pvalues["Pvalue"].sort_index().to_numpy(), atol=1e-15)
    assert [int(name) for name in ours.eliminated] == list(theirs.pvalues.index)


@pytest.mark.parametrize(("scheme", "name"), [("stationary", "StationaryBootstrap"),
                                              ("circular", "CircularBlockBootstrap")])
def test_bootstrap_origins_equal_arch_for_the_same_seed(scheme, name):
    import arch.bootstrap

    theirs = getattr(arch.bootstrap, name)(4, np.arange(30), seed=3)
    expected = [data[0][0] for data in theirs.bootstrap(5)]
    assert np.array_equal(block_indices(30, 4, 5, np.random.default_rng(3), scheme=scheme), expected)


def test_block_lengths_equal_arch():
    from arch.bootstrap import optimal_block_length

    rng = np.random.default_rng(2)
    for weight in (0.0, 0.5, 0.9):
        x = rng.normal(size=300)
        for t in range(1, 300):
            x[t] += weight * x[t - 1]
        theirs = optimal_block_length(x)
        assert_allclose(block_length(x), max(1.0, theirs["stationary"].iloc[0]), rtol=1e-10)
        assert_allclose(block_length(x, scheme="circular"), max(1.0, theirs["circular"].iloc[0]), rtol=1e-10)


def test_friedman_equals_scipy_and_the_critical_differences_equal_demsars_table():
    """Demšar (2006), JMLR 7, table 5a: q at 5 % and 10 % for 2 … 10 models."""
    assert_allclose([nemenyi_quantile(r, 0.05) for r in range(2, 11)],
                    [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164], atol=1.1e-3)
    assert_allclose([nemenyi_quantile(r, 0.10) for r in range(2, 11)],
                    [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920], atol=1.1e-3)
    losses = np.random.default_rng(4).integers(0, 4, size=(12, 5)).astype(float)
    assert_allclose(rank_comparison(losses).chi2, stats.friedmanchisquare(*losses.T).statistic, rtol=1e-10)


def test_friedman_reproduces_demsars_worked_example():
    """Demšar (2006), section 3.2.2: average ranks 3.143, 2.000, 2.893, 1.964 over 14 data sets give 9.28 and 3.69."""
    auc = np.array([
        [.763, .768, .771, .798], [.599, .591, .590, .569], [.954, .971, .968, .967], [.628, .661, .654, .657],
        [.882, .888, .886, .898], [.936, .931, .916, .931], [.661, .668, .609, .685], [.583, .583, .563, .625],
        [.775, .838, .866, .875], [1., 1., 1., 1.], [.940, .962, .965, .962], [.619, .666, .614, .669],
        [.972, .981, .9751, .975], [.957, .978, .946, .970]])
    result = rank_comparison(-auc, ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"])
    ranks = dict(zip(result.names, result.ranks, strict=True))
    published = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    assert_allclose([ranks[name] for name in published], list(published.values()), atol=6e-4)
    # Demšar's 9.28 ignores ties; the tie-corrected value is scipy's
    uncorrected = 12 * 14 / (4 * 5) * (sum(r**2 for r in result.ranks) - 4 * 25 / 4)
    assert_allclose(uncorrected, 9.28, atol=5e-3)
    assert_allclose(result.critical_difference, 1.25, atol=1e-2)


def test_the_fluctuation_test_simulates_the_published_critical_values():
    """Giacomini and Rossi (2010), table I: at n = 400 the simulated quantiles are within 3 % of the asymptotic ones."""
    losses = np.random.default_rng(5).normal(size=(400, 2)) ** 2
    for share, five, ten in TABLE[::4]:
        result = fluctuation(*losses.T, share=share)
        assert (result.critical_5, result.critical_10) == (five, ten)
        simulated = np.quantile(null_distribution(400, result.window, "rectangular"), [0.95, 0.90])
        assert_allclose(simulated, [five, ten], rtol=0.03)
