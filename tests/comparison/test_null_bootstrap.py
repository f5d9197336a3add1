"""P-values bootstrapped under the VAR: ranks among comparisons of series drawn from it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn import VAR, LinearRNN, Mean, Naive, compare
from varnn.comparison.null_bootstrap import bootstrapped_tests, unbiased
from varnn.data import load
from varnn.errors import ParameterError
from varnn.estimate.least_squares.small_sample import lag_bias
from varnn.harness.run import comparisons, report, run

SETTINGS = {"horizon": 1, "origins": 15, "refit": 15, "n_paths": 20, "draws": 19}  # small: each draw is a comparison


def test_the_same_seed_gives_the_same_pvalues_and_each_is_a_rank():
    y = np.random.default_rng(1).standard_normal((50, 1))
    first, second = (bootstrapped_tests(y, model=LinearRNN(lags=1), null=VAR(lags=1), **SETTINGS) for _ in range(2))
    assert first.equals(second)
    assert (first["boot_p"] * 20 % 1 < 1e-9).all()


def test_a_model_that_sees_what_the_null_leaves_out_is_found_better():
    rng = np.random.default_rng(2)
    y = rng.standard_normal((90, 1))
    for t in range(2, 90):
        y[t] += 0.9 * y[t - 2]
    found = bootstrapped_tests(y, model=VAR(lags=2), null=VAR(lags=1), **SETTINGS | {"origins": 30, "refit": 30})
    assert found.loc[1, "skill"] > 10
    assert found.loc[1, "boot_p"] == 1 / 20


def test_too_few_draws_and_a_comparison_without_a_var_are_refused():
    y = np.random.default_rng(1).standard_normal((50, 1))
    with pytest.raises(ParameterError, match="draws=3"):
        bootstrapped_tests(y, horizon=1, model=LinearRNN(), draws=3)
    with pytest.raises(ParameterError, match="need a VAR under the label 'VAR'"):
        compare(y, horizon=1, models={"Mean": Mean(), "LinearRNN": LinearRNN()}, p_values="bootstrap")


def test_a_suite_finds_the_pvalues_of_compare_and_shows_them_with_the_number_of_draws(tmp_path):
    text = ('title = "t"\nn_paths = 20\np_values = "bootstrap"\ndraws = 9\n[[data]]\nname = "ar"\noptions = {n = 60}\n'
            'horizon = 2\norigins = 12\nrefit = 12\n[models.Naive]\n[models.VAR]\n[models.VAR2]\nclass = "VAR"\n'
            "options = {lags = 2}\n")
    run(text, tmp_path)
    found = comparisons(tmp_path)
    assert [one.ledger.meta["title"] for one in found] == ["ar"]
    y = next(frame for _, frame in load("ar", n=60, seed=0).each())
    by_hand = compare(y, horizon=2, origins=12, refit=12, n_paths=20, p_values="bootstrap",
                      draws=9, models={"Naive": Naive(), "VAR": VAR(), "VAR2": VAR(lags=2)})
    assert found[0].by_horizon["boot_p"].equals(by_hand.by_horizon["boot_p"])
    assert found[0].by_horizon["boot_p"].notna().sum() == 2                                  # of VAR2, h = 1 and 2
    report(tmp_path)
    assert "from 9 series drawn from the VAR" in (tmp_path / "data-ar.html").read_text()
    assert "boot_p" in (tmp_path / "board.csv").read_text().splitlines()[0]


def test_the_null_has_the_bias_of_its_lags_taken_out_and_its_other_weights_fitted_to_the_rest():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((80, 1))
    y = rng.standard_normal((80, 2)) + 1e6
    for t in range(1, 80):
        y[t] += 0.6 * (y[t - 1] - 1e6) + x[t]
    fit = VAR(lags=2, trend="ct").fit(y, x)
    found = unbiased(fit).weights[0]
    bias = lag_bias(fit.coefs, fit.sigma_u, fit.nobs, 2)
    moved = found[3:].reshape(2, 2, 2).swapaxes(1, 2)
    assert_allclose(moved, fit.coefs - bias, rtol=1e-12)
    rest = y[2:] - y[1:-1] @ moved[0].T - y[:-2] @ moved[1].T
    Z = np.column_stack([np.ones(78), np.arange(3, 81), x[2:]])
    assert_allclose(rest - Z @ found[:3], rest - Z @ np.linalg.lstsq(Z, rest, rcond=None)[0], atol=1e-8)


def test_series_drawn_from_the_null_are_as_persistent_as_the_data_on_average():
    estimates = []
    for seed in range(200):
        y = np.random.default_rng(seed).standard_normal(150)
        for t in range(1, 150):
            y[t] += 0.8 * y[t - 1]
        fit = VAR(lags=1).fit(y[90:, None])
        estimates.append((fit.coefs[0, 0, 0], unbiased(fit).weights[0, 1, 0]))
    plain, corrected = np.mean(estimates, axis=0)
    error = np.std(estimates, axis=0)[1] / np.sqrt(200)
    assert plain < 0.8 - 3 * error
    assert abs(corrected - 0.8) < 2 * error


def test_a_null_that_is_explosive_or_has_no_lags_is_left_as_it_is():
    y = 1.1 ** np.arange(40.0)[:, None] + np.random.default_rng(0).standard_normal((40, 1))
    for fit in (VAR(lags=1).fit(y), VAR(lags=0).fit(y)):
        assert_allclose(unbiased(fit).weights[0], fit.estimate.coef, rtol=1e-12)
