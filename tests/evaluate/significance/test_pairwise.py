"""Pairwise tests: exact identities, degenerate inputs, and rejection rates under a true null."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats

from varnn.errors import MissingDataError, NonFiniteError, ShapeError, VarnnError
from varnn.evaluate.significance.long_run_variance import cosine_terms, long_run_variance
from varnn.evaluate.significance.pairwise import clark_west, diebold_mariano, giacomini_white, p_text


def overlapping_losses(count: int, n: int, horizon: int, seed: int) -> np.ndarray:
    """Squared errors (count, n, 2) of two equally good h-step forecasts: correlated MA(h − 1) errors."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=(count, n + horizon - 1, 1)) + rng.normal(size=(count, n + horizon - 1, 2))
    return sum(0.9**j * shocks[:, horizon - 1 - j:n + horizon - 1 - j] for j in range(horizon)) ** 2


def rejection_rate(pvalues: list[float], level: float = 0.05) -> tuple[float, float]:
    """The share below `level` and three binomial standard errors around it."""
    return float(np.mean(np.array(pvalues) < level)), 3 * float(np.sqrt(level * (1 - level) / len(pvalues)))


def test_one_step_diebold_mariano_is_the_paired_t_test():
    losses = overlapping_losses(1, 50, 1, 0)[0]
    ours, theirs = diebold_mariano(*losses.T), stats.ttest_rel(*losses.T)
    assert_allclose((ours.statistic, ours.pvalue), (theirs.statistic, theirs.pvalue), rtol=1e-12)
    assert ours.distribution == "t(49)"


def test_rectangular_variance_sums_the_autocovariances_and_shrinks_by_the_small_sample_factor():
    a, b = overlapping_losses(1, 60, 3, 1)[0].T
    d, n, h = a - b, 60, 3
    gamma = [((d - d.mean())[j:] * (d - d.mean())[:n - j]).sum() / n for j in range(h)]
    factor = np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    expected = factor * d.mean() / np.sqrt((gamma[0] + 2 * gamma[1] + 2 * gamma[2]) / n)
    assert_allclose(diebold_mariano(a, b, horizon=h, variance="rectangular").statistic, expected, rtol=1e-12)
    bartlett = factor * d.mean() / np.sqrt((gamma[0] + 2 * gamma[1] * 2 / 3 + 2 * gamma[2] / 3) / n)
    assert_allclose(diebold_mariano(a, b, horizon=h, variance="bartlett").statistic, bartlett, rtol=1e-12)


def test_bartlett_variance_equals_statsmodels_newey_west():
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    x = np.random.default_rng(2).normal(size=(80, 2))
    theirs = S_hac_simple(x - x.mean(axis=0), nlags=3) / 80
    assert_allclose(long_run_variance(x, 4, "bartlett"), theirs, rtol=1e-12)


def test_a_negative_rectangular_variance_falls_back_to_bartlett_with_a_note():
    d = np.tile([1.0, -1.0], 20) + np.linspace(0, 0.1, 40)
    result = diebold_mariano(d + 2, np.full(40, 2.0), horizon=2, variance="rectangular")
    assert result.valid
    assert "Bartlett" in result.note
    assert np.isfinite(result.statistic)


def test_one_step_giacomini_white_is_n_times_the_r2_of_one_on_the_instruments():
    a, b = overlapping_losses(1, 70, 1, 3)[0].T
    d = a - b
    z = np.column_stack([d[1:], d[1:] * d[:-1]])
    fitted = z @ np.linalg.lstsq(z, np.ones(69), rcond=None)[0]
    result = giacomini_white(a, b)
    assert_allclose(result.statistic, (fitted**2).sum(), rtol=1e-10)
    assert_allclose(result.pvalue, stats.chi2.sf((fitted**2).sum(), 2), rtol=1e-9)


def test_giacomini_white_with_a_constant_alone_agrees_with_diebold_mariano_up_to_centring():
    a, b = overlapping_losses(1, 4000, 1, 4)[0].T
    wald = giacomini_white(a, b, instruments=np.ones((4000, 1))).statistic
    assert_allclose(wald, diebold_mariano(a, b).statistic ** 2, rtol=5e-3)


def test_giacomini_white_does_not_depend_on_the_units_of_the_losses():
    a, b = overlapping_losses(1, 70, 1, 5)[0].T
    assert_allclose(giacomini_white(1e9 * a, 1e9 * b).pvalue, giacomini_white(a, b).pvalue, rtol=1e-9)


def test_giacomini_white_sees_a_lead_that_changes_hands_where_diebold_mariano_does_not():
    rng = np.random.default_rng(6)
    d = np.where(np.arange(200) // 25 % 2 == 0, 1.0, -1.0) + rng.normal(size=200)
    assert giacomini_white(5 + d, np.full(200, 5.0)).pvalue < 1e-4
    assert diebold_mariano(5 + d, np.full(200, 5.0)).pvalue > 0.3


def test_one_sided_pvalues_add_up_and_the_sign_follows_the_better_model():
    a, b = overlapping_losses(1, 60, 1, 7)[0].T
    first, second = (diebold_mariano(a, b + 0.5, alternative=side) for side in ("first", "second"))
    assert_allclose(first.pvalue + second.pvalue, 1.0)
    assert first.statistic < 0
    assert first.pvalue < 0.5


@pytest.mark.parametrize("test", [diebold_mariano, giacomini_white])
@pytest.mark.parametrize("horizon", [1, 4])
def test_identical_losses_give_p_one_with_a_note(test, horizon):
    losses = np.random.default_rng(8).normal(size=50) ** 2
    for other in (losses, losses * (1 + 1e-13)):
        result = test(losses, other, horizon=horizon)
        assert (result.pvalue, result.statistic, result.valid) == (1.0, 0.0, True)
        assert "identical" in result.note
        assert "same loss" in result.sentence("RNN", "VAR")


def test_nested_models_with_identical_forecasts_give_clark_west_p_one():
    errors = np.random.default_rng(9).normal(size=50)
    for forecast in (None, errors):
        result = clark_west(errors, errors * (1 + 1e-13), forecast=forecast)
        assert (result.pvalue, result.valid) == (1.0, True)


def test_clark_west_given_the_forecast_is_the_coefficient_in_fair_and_shillers_regression():
    """y on a constant and both forecasts: same sign, and the t statistic with White's standard error."""
    rng = np.random.default_rng(19)
    small, large, noise = rng.normal(size=(3, 60))
    y = 0.5 * small + 0.2 * large + noise
    fit = sm.OLS(y, np.column_stack([np.ones(60), small, large])).fit(cov_type="HC0")
    ours = clark_west(y - small, y - large, forecast=small)
    X = np.column_stack([np.ones(60), small])
    e, g = (x - X @ np.linalg.lstsq(X, x, rcond=None)[0] for x in (y - small, large - small))
    assert_allclose((e @ g) / (g @ g), fit.params[2], rtol=1e-10)
    assert_allclose(ours.statistic, (e * g).mean() / (e * g).std() * 60**0.5, rtol=1e-10)
    assert ours.distribution == "t(57)"
    assert np.sign(ours.statistic) == np.sign(fit.tvalues[2])


def test_a_model_that_only_moves_and_shrinks_the_forecasts_of_another_adds_nothing():
    y, small = np.random.default_rng(20).normal(size=(2, 40, 2))
    result = clark_west(y - small, y - (0.1 + 0.3 * small), forecast=small)
    assert (result.pvalue, result.valid) == (1.0, True)
    assert "a line" in result.note
    assert clark_west(y - small, y - (0.1 + 0.3 * small)).pvalue < 0.05


def test_clark_west_given_the_forecast_keeps_its_size_where_only_level_and_slope_are_known_better():
    """Estimated once, the restricted model is off by a line in its forecast, which the larger one has right."""
    rng, pvalues, textbook = np.random.default_rng(21), [], []
    for _ in range(1000):
        x, noise, news = rng.normal(size=(3, 40))
        errors = 0.4 + 0.4 * x + noise, noise - news
        pvalues.append(clark_west(*errors, forecast=x).pvalue)
        textbook.append(clark_west(*errors).pvalue)
    rate, error = rejection_rate(pvalues)
    assert abs(rate - 0.05) < error
    assert rejection_rate(textbook)[0] > 0.2


@pytest.mark.parametrize("test", [diebold_mariano, giacomini_white])
@pytest.mark.parametrize(("n", "horizon"), [(0, 1), (1, 1), (5, 1), (20, 30)])
def test_too_few_origins_give_an_invalid_result_that_says_so(test, n, horizon):
    losses = np.random.default_rng(10).normal(size=(2, n)) ** 2
    result = test(*losses, horizon=horizon)
    assert not result.valid
    assert result.pvalue == 1.0
    assert f"{n} origins are too few" in result.note
    assert "cannot be tested" in result.sentence()


def test_a_difference_without_variance_is_not_called_significant():
    losses = np.random.default_rng(11).normal(size=50) ** 2
    result = diebold_mariano(losses, losses + 1.0)
    assert not result.valid
    assert result.pvalue == 1.0
    assert "no variance" in result.note


def test_bad_losses_are_refused_by_name():
    good = np.ones(20)
    with pytest.raises(MissingDataError, match="second has 2 missing losses, the first at origin 3"):
        diebold_mariano(good, np.where(np.isin(np.arange(20), [3, 7]), np.nan, 1.0))
    with pytest.raises(NonFiniteError, match="first has an infinite loss at origin 0"):
        diebold_mariano(np.full(20, np.inf), good)
    with pytest.raises(ShapeError, match="first has 20 losses and second 19"):
        giacomini_white(good, good[:19])
    with pytest.raises(ShapeError, match=r"forecast has shape \(19, 1\) and restricted \(20, 1\)"):
        clark_west(good, -good, forecast=good[:19])
    for call in (lambda: diebold_mariano(good, good, variance="hac"), lambda: diebold_mariano("ab", good),
                 lambda: diebold_mariano(good, good, alternative="less"), lambda: clark_west(good, good[:3]),
                 lambda: giacomini_white(good, good, instruments=good), lambda: diebold_mariano(good, good, horizon=0),
                 lambda: giacomini_white(good, good, instruments=np.ones((3, 1))),
                 lambda: diebold_mariano(good, good, horizon=2.5), lambda: diebold_mariano(good, good, horizon="1")):
        with pytest.raises(VarnnError):
            call()


def test_collinear_instruments_are_reported_not_inverted():
    a, b = overlapping_losses(1, 50, 1, 12)[0].T
    result = giacomini_white(a, b, instruments=np.ones((50, 2)))
    assert not result.valid
    assert "collinear" in result.note


@pytest.mark.parametrize(("n", "horizon"), [(20, 1), (20, 8), (100, 1), (100, 4), (200, 1), (200, 4)])
def test_diebold_mariano_rejects_a_true_null_as_often_as_it_says(n, horizon):
    pairs = overlapping_losses(2000, n, horizon, 13)
    rate, error = rejection_rate([diebold_mariano(*pair.T, horizon=horizon).pvalue for pair in pairs])
    assert abs(rate - 0.05) < error


def test_the_textbook_rectangular_form_rejects_too_often_at_eight_steps_and_twenty_origins():
    pairs = overlapping_losses(1000, 20, 8, 14)
    rate, _ = rejection_rate([diebold_mariano(*pair.T, horizon=8, variance="rectangular").pvalue for pair in pairs])
    assert rate > 0.1


@pytest.mark.parametrize(("n", "horizon"), [(100, 1), (200, 1), (100, 4), (200, 4)])
def test_giacomini_white_never_rejects_a_true_null_more_often_than_it_says(n, horizon):
    pairs = overlapping_losses(1500, n, horizon, 15)
    rate, error = rejection_rate([giacomini_white(*pair.T, horizon=horizon).pvalue for pair in pairs])
    assert 0.02 < rate < 0.05 + error


@pytest.mark.parametrize(("n", "horizon"), [(100, 1), (100, 4)])
def test_clark_west_never_rejects_a_true_null_more_often_than_it_says(n, horizon):
    """White noise forecast by its rolling mean and by a rolling regression on a useless predictor."""
    rng, window, pvalues = np.random.default_rng(16), 40, []
    for _ in range(400):
        y, x = rng.normal(size=(2, n + window + horizon))
        past = np.lib.stride_tricks.sliding_window_view
        ys, xs = past(y[horizon:], window)[:n], past(x[:-horizon], window)[:n]
        slope = ((xs - xs.mean(1, keepdims=True)) * ys).sum(1) / ((xs - xs.mean(1, keepdims=True)) ** 2).sum(1)
        now = x[window + horizon - 1:][:n]
        target = y[window + 2 * horizon - 1:][:n]
        m = len(target)
        mean = ys.mean(1)[:m]
        full = mean + slope[:m] * (now[:m] - xs.mean(1)[:m])
        pvalues.append(clark_west(target - mean, target - full, horizon=horizon).pvalue)
    rate, error = rejection_rate(pvalues)
    assert rate < 0.05 + error


def test_clark_west_finds_a_larger_model_useful_whose_raw_loss_is_no_lower():
    rng = np.random.default_rng(17)
    signal, noise, estimation = rng.normal(size=(3, 200))
    y = 0.3 * signal + noise
    full = 0.3 * signal + 0.3 * estimation
    result = clark_west(y, y - full)
    assert result.pvalue < 0.05
    assert result.second_mean > 0.97 * result.first_mean


def test_cosine_averages_number_as_lazarus_and_others_say():
    assert [cosine_terms(n) for n in (8, 20, 100, 200)] == [2, 3, 8, 14]


def test_pvalues_are_written_as_papers_do():
    assert [p_text(p) for p in (0.0004, 0.05, 0.5, 0.9999)] == ["p < .001", "p = .050", "p = .500", "p = 1"]
