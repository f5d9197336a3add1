"""Forecasters around forecasters: mixtures mix, conformal intervals cover in finite samples."""

from __future__ import annotations

import numpy as np
import pytest

from varnn import VAR, Drift, Mean, Naive
from varnn.errors import ParameterError, TooShortError
from varnn.models.wrap_conformal import Conformal, conformal_quantile
from varnn.models.wrap_ensemble import Ensemble, stacking_weights


def noise(rows: int, seed: int, k: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, k))


def test_an_ensemble_of_one_is_that_one():
    y = noise(40, 0)
    alone = Mean().fit(y).forecast(3, rng=5)
    mixed = Ensemble([Mean()]).fit(y).forecast(3, rng=5)
    np.testing.assert_array_equal(mixed.point, alone.point)
    np.testing.assert_allclose(mixed.paths.std(axis=0), alone.paths.std(axis=0), rtol=0.15)


def test_equal_weights_average_the_means_and_share_the_paths():
    y = noise(40, 1)
    fit = Ensemble([Mean(), Drift()]).fit(y)
    expected = (Mean().fit(y).forecast(4).point + Drift().fit(y).forecast(4).point) / 2
    np.testing.assert_allclose(fit.forecast(4).point, expected, rtol=1e-14)


@pytest.mark.parametrize("weights", ["inverse_mse", "stacked"])
def test_learned_weights_favour_the_model_that_made_the_data(weights):
    walk, still = noise(300, 2).cumsum(axis=0), noise(300, 2)
    assert Ensemble([Naive(), Mean()], weights=weights).fit(walk).shares[0] > 0.8
    assert Ensemble([Naive(), Mean()], weights=weights).fit(still).shares[1] > 0.6


def test_stacking_reaches_the_optimum_of_its_concave_objective():
    densities = np.log(np.random.default_rng(0).gamma(2.0, size=(200, 3)))
    shares = stacking_weights(densities, steps=5000)
    slopes = (np.exp(densities) / (np.exp(densities) @ shares)[:, None]).mean(axis=0)
    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(slopes[shares > 1e-4], 1.0, atol=1e-4)   # Karush–Kuhn–Tucker
    assert (slopes <= 1 + 1e-3).all()


def test_an_updated_ensemble_forecasts_from_the_new_end():
    y = noise(60, 3)
    fit = Ensemble([Naive(), Drift()]).fit(y[:50]).update(y[50:])
    expected = (y[-1] + y[-1] + Drift().fit(y[:50]).params.to_numpy()[0]) / 2
    np.testing.assert_allclose(fit.forecast(1).point[0], expected, rtol=1e-12)


def test_conformal_quantiles_are_order_statistics_and_go_on_as_the_models_own_tail_does():
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 20.0))        # n = 19
    own = np.linspace(0.0, 3.0, 3001)
    level = np.array([0.05, 0.5, 0.9, 0.95, 0.99])
    found = conformal_quantile(scores, np.ones(19), level, own)
    np.testing.assert_allclose(found, [1, 10, 18, 19, 19 + 3 * 0.04], rtol=1e-12)


def test_conformal_intervals_are_the_mean_and_the_ranked_errors_over_their_spread():
    y = noise(80, 4, k=1)
    fit = Conformal(Mean()).fit(y)
    outlook = fit.forecast(1, n_paths=20_000)
    lower, upper = (end.to_numpy()[0, 0] for end in outlook.interval(0.8))
    ranked = np.sort(np.abs(fit.scores(1)[0].ravel()))                          # n = 40: ⌈41 · 0.8⌉ = 33
    reach = fit._spread_now(1, None)[0, 0] * ranked[32]
    np.testing.assert_allclose([lower, upper], [outlook.point[0, 0] - reach, outlook.point[0, 0] + reach], rtol=1e-9)


def test_conformal_intervals_cover_in_finite_samples_even_around_a_wrong_model():
    rng, inside = np.random.default_rng(7), []
    for _ in range(200):
        y = rng.standard_t(3, size=(60, 1)) * 5.0                                # Mean's normal bands are wrong here
        lower, upper = Conformal(Mean()).fit(y[:-1]).forecast(1, n_paths=400).interval(0.8)
        inside.append(lower.iloc[0, 0] <= y[-1, 0] <= upper.iloc[0, 0])
    error = np.sqrt(0.8 * 0.2 / 200)
    assert 0.8 - 3 * error < np.mean(inside) < 0.8 + 2 / 31 + 3 * error          # [c, c + 2/(n + 1)]


def test_adaptive_scores_follow_a_change_of_spread():
    rng = np.random.default_rng(8)
    y = np.concatenate([rng.standard_normal(300), 4 * rng.standard_normal(100)])[:, None]
    def width(method: str) -> float:
        lower, upper = Conformal(Mean(), method=method).fit(y).forecast(1).interval(0.8)
        return float((upper - lower).iloc[0, 0])
    assert width("adaptive") > 1.3 * width("split")


def test_a_window_too_short_to_calibrate_is_refused():
    with pytest.raises(TooShortError, match="calibration errors"):
        Conformal(Mean()).fit(noise(20, 0)).forecast(4)


def test_conformal_forecasts_go_on_from_new_observations():
    y = noise(90, 6)
    moved = Conformal(VAR(lags=1)).fit(y[:80]).update(y[80:])
    assert len(moved.scores(2)[0]) == 39                                        # calibration stays with the fit
    np.testing.assert_allclose(moved.forecast(2).point, VAR(lags=1).fit(y[:80]).update(y[80:]).forecast(2).point)


@pytest.mark.parametrize("wrong", [lambda: Ensemble([]), lambda: Ensemble("VAR"),
                                   lambda: Ensemble([Mean()], weights="x"),
                                   lambda: Conformal("VAR"), lambda: Conformal(Mean(), method="x"),
                                   lambda: Conformal(Mean(), calibration=1.5)])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ParameterError, match="="):
        wrong()
