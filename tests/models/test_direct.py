"""Direct maps: the closed form against laid-out windows, and what the settings promise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import ParameterError, TooShortError
from varnn.estimate.direct import held_out, window_moments
from varnn.models.beside_direct import Direct
from varnn.series import Series


def walk(rows: int = 400, k: int = 2, seed: int = 0) -> np.ndarray:
    """Return a seasonal series with noise and a wandering level."""
    rng = np.random.default_rng(seed)
    season = np.sin(np.arange(rows)[:, None] * 2 * np.pi / 12 + np.arange(k))
    return 5.0 * np.arange(1, k + 1) * (season + 0.1 * rng.standard_normal((rows, k)).cumsum(axis=0)
                                        + 0.3 * rng.standard_normal((rows, k)))


@pytest.mark.parametrize(("width", "count"), [(5, 40), (70, 31), (130, 260), (5, 700), (90, 900)])
def test_moments_of_sliding_windows_equal_those_of_windows_laid_out(width, count):
    x = np.random.default_rng(1).standard_normal(width + count + 3)
    windows = sliding_window_view(x, width)[:count]
    assert_allclose(window_moments(x, width, count), windows.T @ windows, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("centring", ["last", "mean", "none"])
def test_the_map_is_ridge_regression_on_windows_laid_out(centring, pooled):
    y, L, h, penalty = walk(), 30, 7, 0.05
    fit = Direct(horizon=h, lookback=L, centring=centring, penalty=penalty, pooled=pooled).fit(y)
    scaled = (y - y.mean(axis=0)) / y.std(axis=0)
    groups = [scaled.T] if pooled else scaled.T[:, None]
    expected = []
    for group in groups:
        rows = np.vstack([sliding_window_view(column, L + h) for column in group])
        level = {"last": rows[:, L - 1:L], "mean": rows[:, :L].mean(axis=1, keepdims=True), "none": 0.0}[centring]
        x, target = rows[:, :L] - level, rows[:, L:] - level
        gram = x.T @ x / len(x)
        ridge = penalty * np.trace(gram) / L * np.eye(L)
        weights = np.linalg.solve(gram + ridge, x.T @ target / len(x))
        for column in group:
            window = column[-L:]
            base = {"last": window[-1], "mean": window.mean(), "none": 0.0}[centring]
            expected.append(base + (window - base) @ weights)
    made = fit.forecast(h, n_paths=20).point
    assert_allclose((made - y.mean(axis=0)) / y.std(axis=0), np.array(expected).T, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("lengths", [(90,), (60, 90), (31, 12, 80), (12,), (44, 45)])
@pytest.mark.parametrize(("horizon", "lookback", "folds"), [(1, 5, 5), (6, 8, 3), (11, 3, 6)])
def test_blocks_of_a_panel_hold_out_the_windows_whose_targets_they_are(lengths, horizon, lookback, folds):
    rng, width = np.random.default_rng(2), lookback + horizon
    columns = [rng.standard_normal(rows) for rows in lengths]
    every, found = held_out(columns, width, horizon, [len(x) for x in columns], folds)
    expected, rows = [], 0
    for f in range(folds):
        held, rest = [], []
        for x in columns:
            start, stop = (lookback + max(len(x) - lookback, 0) * edge // folds for edge in (f, f + 1))
            for t in range(lookback, len(x) - horizon + 1):  # the row of the first target
                rows += f == 0
                if start <= t and t + horizon <= stop:
                    held.append(x[t - lookback:t + horizon])
                elif t + horizon <= start or t >= stop:
                    rest.append(x[t - lookback:t + horizon])
        if held and rest:
            expected.append((np.array(held), np.array(rest)))
    assert every.count == rows
    assert len(found) == len(expected)
    for f, (held, rest) in enumerate(expected):
        assert (found.held.count[f], found.rest.count[f]) == (len(held), len(rest))
        assert_allclose(found.held.sums[f], held.T @ held, atol=1e-10)
        assert_allclose(found.rest.sums[f], rest.T @ rest, atol=1e-10)


def windows_between(columns: np.ndarray, L: int, h: int, start: int, stop: int) -> np.ndarray:
    """Return (N, L + h) windows whose targets lie in the rows start ≤ t < stop, of all columns."""
    begin = max(L, start)
    parts = [sliding_window_view(x[begin - L:stop], L + h) for x in columns.T if stop - begin >= h]
    return np.vstack([*parts, np.empty((0, L + h))])


def centred(rows: np.ndarray, L: int, centring: str) -> np.ndarray:
    """Return windows and targets less the level of the window."""
    level = {"last": rows[:, L - 1:L], "mean": rows[:, :L].mean(axis=1, keepdims=True)}[centring]
    return rows - level


@pytest.mark.parametrize("validation", [0, 80])
@pytest.mark.parametrize("centring", ["last", "mean"])
def test_the_held_out_error_is_that_of_blocked_cross_validation_laid_out(centring, validation):
    y, L, h, folds, penalty = walk(), 24, 6, 4, 0.1
    spec = Direct(horizon=h, lookback=L, centring=centring, folds=folds, validation=validation, refit=False)
    fit = spec.fit(y)
    z, stop = (y - fit.level) / fit.scale, len(y) - validation
    everything = centred(windows_between(z, L, h, 0, stop), L, centring)
    unit = np.trace(everything[:, :L].T @ everything[:, :L]) / L
    edges = [L + (stop - L) * f // folds for f in range(folds + 1)]
    blocks = [(np.vstack([windows_between(z, L, h, 0, a), windows_between(z, L, h, b, stop)]),
               windows_between(z, L, h, a, b)) for a, b in pairwise(edges)]
    if validation:
        blocks.append((windows_between(z, L, h, 0, stop), windows_between(z, L, h, stop, len(z))))

    def error(penalty: float) -> float:
        missed = []
        for rest, held in blocks:
            x, test = centred(rest, L, centring), centred(held, L, centring)
            gram = x[:, :L].T @ x[:, :L] + penalty * unit * np.eye(L)
            map_ = np.linalg.lstsq(gram, x[:, :L].T @ x[:, L:])[0]
            missed.append(test[:, L:] - test[:, :L] @ map_)
        return float((np.vstack(missed) ** 2).mean())

    best = fit.candidates[0]
    assert_allclose(best.error, error(best.penalty), rtol=1e-8)
    assert all(error(other) >= best.error - 1e-12 for other in (0.0, 1e-3, penalty, 1.0, 1e2))
    again = Direct(horizon=h, lookback=L, centring=centring, penalty=best.penalty, validation=validation, refit=False)
    assert_allclose(fit.maps[0].weights, again.fit(y).maps[0].weights, rtol=1e-10)


def test_without_refit_the_validation_rows_change_nothing_but_the_penalty():
    y = walk()
    spoilt = y.copy()
    spoilt[-80:] = 7.0
    settings = {"horizon": 6, "lookback": 24, "penalty": 0.1, "validation": 80, "refit": False}
    one, other = Direct(**settings).fit(y), Direct(**settings).fit(spoilt)
    assert_array_equal(one.maps[0].weights, other.maps[0].weights)


def test_many_windows_are_forecast_as_each_alone():
    y = walk()
    fit = Direct(horizon=6, lookback=(12, 24)).fit(y[:300])
    windows = sliding_window_view(y, 24, axis=0)[290:300].transpose(0, 2, 1)
    together = fit.forecast_many(windows, 9)
    for window, made in zip(windows, together, strict=True):
        assert_allclose(fit.forecast_many(window[None], 9)[0], made, rtol=1e-12)
    moved = fit.update(y[300:314])
    assert_allclose(moved.forecast(9, n_paths=20).point, fit.forecast_many(y[None, 290:314], 9)[0], rtol=1e-12)


def test_beyond_its_horizon_the_map_is_applied_to_its_own_forecasts():
    y = walk()
    fit = Direct(horizon=6, lookback=24).fit(y)
    first = fit.forecast(6, n_paths=20).point
    assert_allclose(fit.forecast(12, n_paths=20).point[6:], fit.update(first).forecast(6, n_paths=20).point, rtol=1e-10)


def test_a_shift_of_the_level_shifts_the_forecast():
    y = walk()
    fit = Direct(horizon=6, lookback=24).fit(y)
    windows = y[None, -24:]
    assert_allclose(fit.forecast_many(windows + 1000.0), fit.forecast_many(windows) + 1000.0, rtol=1e-9)


def test_the_average_is_the_mean_of_the_maps_and_the_best_is_one_of_them():
    y = walk()
    settings = {"horizon": 6, "validation": 80}
    single = [Direct(lookback=24, centring=centring, **settings).fit(y) for centring in ("last", "mean")]
    average = Direct(lookback=24, **settings).fit(y)
    best = Direct(lookback=24, choose="best", **settings).fit(y)
    points = [fit.forecast(6, n_paths=20).point for fit in single]
    assert_allclose(average.forecast(6, n_paths=20).point, np.mean(points, axis=0), rtol=1e-10)
    winner = int(np.argmin([fit.candidates[0].error for fit in single]))
    assert_allclose(best.forecast(6, n_paths=20).point, points[winner], rtol=1e-10)


@pytest.mark.parametrize("shocks", ["gaussian", "student", "residuals", "wild", "block"])
def test_paths_have_the_spread_of_the_errors_made_in_the_sample(shocks):
    y = walk(600)
    fit = Direct(horizon=6, lookback=24, penalty=0.01).fit(y)
    paths = fit.forecast(6, n_paths=4000, shocks=shocks, uncertainty="none").paths
    assert_allclose(paths.std(axis=0), fit._errors(6).std(axis=0), rtol=0.15)
    assert (fit.forecast(6, n_paths=4000, shocks=shocks).paths.std(axis=0) > paths.std(axis=0)).mean() > 0.5


def test_intervals_hold_about_as_many_outcomes_as_they_say():
    rng, inside = np.random.default_rng(5), []
    for _ in range(150):
        y = np.zeros((160, 1))
        shocks = rng.standard_normal((160, 1))
        for t in range(1, 160):
            y[t] = 0.8 * y[t - 1] + shocks[t]
        lower, upper = Direct(horizon=4, lookback=6).fit(y[:156]).forecast(4, n_paths=400).interval(0.9)
        inside.append((lower.to_numpy() <= y[156:]) & (y[156:] <= upper.to_numpy()))
    assert 0.85 < np.mean(inside) < 0.95


def test_a_panel_shares_one_map_and_keeps_each_level_and_scale():
    parts = [walk(200, 1, seed) * size + level for seed, size, level in ((0, 1.0, 0.0), (1, 50.0, 900.0))]
    spec = Direct(horizon=4, lookback=12, penalty=0.1)
    one, two = spec.fit_panel([Series.of(part) for part in parts])
    assert one.maps is two.maps
    side_by_side = spec.fit(np.hstack(parts)).forecast(4, n_paths=20).point
    assert_allclose(one.forecast(4, n_paths=20).point[:, 0], side_by_side[:, 0], rtol=1e-10)
    assert_allclose(two.forecast(4, n_paths=20).point[:, 0], side_by_side[:, 1], rtol=1e-10)


@pytest.mark.parametrize(("settings", "says"), [
    ({"lookback": 0}, "lookback=0"), ({"centring": "median"}, "centring='median'"), ({"penalty": -1.0}, "penalty=-1.0"),
    ({"penalty": True}, "penalty=True"), ({"horizon": 2.5}, "horizon=2.5"), ({"pooled": 1}, "pooled=1"),
    ({"choose": "worst"}, "choose='worst'"), ({"validation": -1}, "validation=-1"), ({"folds": 1}, "folds=1"),
])
def test_a_wrong_setting_is_named(settings, says):
    with pytest.raises(ParameterError, match=says):
        Direct(**settings)


def test_too_few_rows_are_told_apart_with_the_remedy():
    with pytest.raises(TooShortError, match=r"Direct\(horizon=4, lookback=60, validation=0\) needs at least 69 rows"):
        Direct(horizon=4, lookback=60).fit(walk(60))
    with pytest.raises(TooShortError, match="no shorter than the horizon"):
        Direct(horizon=9, lookback=5, validation=8).fit(walk(60))
    assert Direct(horizon=4, lookback=51).fit(walk(60)).candidates[0].error > 0


def test_the_summary_says_what_the_map_is_made_of():
    text = Direct(horizon=6, lookback=(12, 24)).fit(walk()).summary()
    assert "24 rows to 6 steps, one map for all series" in text
    assert "12 rows less their mean" in text


def test_bands_hold_what_they_say_although_paths_come_from_errors_in_the_sample():
    held = []
    for seed in range(40):
        e, y = np.random.default_rng(700 + seed).normal(size=232), np.zeros(232)
        for t in range(2, len(y)):
            y[t] = 0.6 * y[t - 1] + 0.25 * y[t - 2] + e[t]
        paths = Direct(horizon=12).fit(y[:220]).forecast(12, n_paths=300, rng=seed).paths[..., 0]
        low, high = np.quantile(paths, [0.025, 0.975], axis=0)
        held.append(((y[220:] >= low) & (y[220:] <= high)).mean())
    assert 0.91 <= np.mean(held) <= 0.99


def test_a_shorter_forecast_has_the_same_first_errors_as_a_longer_one():
    y = np.random.default_rng(3).normal(size=300).cumsum()
    fit = Direct(horizon=12).fit(y)
    one, all_steps = fit.forecast(1, n_paths=4000, rng=0).paths, fit.forecast(12, n_paths=4000, rng=0).paths
    assert_allclose(one[:, 0].std(), all_steps[:, 0].std(), rtol=0.1)
