"""Panels: local fits are the fits of each, global fits share weights and keep levels and scales."""

from __future__ import annotations

import gc
import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.data import load
from varnn.errors import InputError, ParameterError, ShapeError, TooShortError
from varnn.models.beside_direct import Direct
from varnn.models.rung0_naive import Mean
from varnn.models.rung1_var import VAR
from varnn.models.wrap_panel import Panel, panel_of


def many(count: int, rows: int = 60, k: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Return AR(1) series of unlike levels and scales."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((count, rows, k))
    for t in range(1, rows):
        y[:, t] += 0.6 * y[:, t - 1]
    levels, scales = rng.normal(0, 100, (count, 1, k)), np.exp(rng.normal(0, 2, (count, 1, k)))
    return {f"s{i}": part for i, part in enumerate(levels + scales * y)}


@pytest.mark.parametrize("model", [VAR(lags=1), Mean(), Direct(horizon=2, lookback=4)])
def test_local_fits_are_the_fits_of_each_series_alone(model):
    data = many(3)
    fits = Panel(model=model, sharing="local").fit(data)
    for name, part in data.items():
        assert_array_equal(fits[name].forecast(3, n_paths=20).point, model.fit(part).forecast(3, n_paths=20).point)


def test_a_global_var_of_one_series_is_the_var():
    y = many(1, 80, 2)["s0"]
    ours, plain = Panel(model=VAR(lags=2)).fit([y])["0"], VAR(lags=2).fit(y)
    assert_allclose(ours.params, plain.params, rtol=1e-8)
    assert_allclose(ours.bse, plain.bse, rtol=1e-8)
    assert_allclose(ours.sigma_u, plain.sigma_u, rtol=1e-8)
    assert_allclose(ours.forecast(4, n_paths=20).point, plain.forecast(4, n_paths=20).point, rtol=1e-8)


def test_short_series_do_not_bias_the_slopes_nor_lengthen_the_order():
    data = many(2000, 24, seed=3)
    fit = Panel(model=VAR(lags=1)).fit(data)["s0"]
    error = np.sqrt((1 - 0.6**2) / (2000 * 23))
    assert_allclose(fit.params.loc["L1.y1"].item(), 0.6, atol=3 * error)
    centred = np.stack([part[:, 0] - part.mean() for part in data.values()]) / np.stack(
        [part.std() for part in data.values()])[:, None]
    with_means = (centred[:, 1:] * centred[:, :-1]).sum() / (centred[:, :-1] ** 2).sum()
    assert with_means < 0.6 - 20 * error
    assert Panel(model=VAR(max_lags=4)).fit(data)["s0"].k_ar == 1


def test_the_constant_of_each_series_is_that_of_its_level():
    fits = Panel(model=VAR(lags=1)).fit(many(20, 60, 2, seed=3))
    for name, part in many(20, 60, 2, seed=3).items():
        level = fits[name].forecast(400, n_paths=1, uncertainty="none").point[-1]
        assert (np.abs(level - part.mean(axis=0)) < 0.5 * part.std(axis=0)).all()


def test_sharing_beats_a_fit_of_each_when_series_are_short_and_alike():
    data = many(60, 24, seed=5)
    errors = {}
    for sharing in ("global", "local"):
        fits = Panel(model=VAR(lags=2), sharing=sharing).fit({name: part[:20] for name, part in data.items()})
        errors[sharing] = np.mean([((fits[name].forecast(4, n_paths=20).point - part[20:]) / part.std()) ** 2
                                   for name, part in data.items()])
    assert errors["global"] < errors["local"]


def test_the_order_of_a_global_var_is_found():
    fits = Panel(model=VAR(lags="bic", max_lags=4)).fit(many(20, 80))
    assert fits["s0"].k_ar == 1


@pytest.mark.parametrize("model", [VAR(lags=1), Direct(horizon=2, lookback=4)])
def test_units_of_one_series_do_not_touch_the_others(model):
    data = many(3)
    other = data | {"s0": data["s0"] * 1024.0 + 4096.0}
    one, two = Panel(model=model).fit(data), Panel(model=model).fit(other)
    assert_allclose(two["s1"].forecast(3, n_paths=20).point, one["s1"].forecast(3, n_paths=20).point, rtol=1e-8)
    assert_allclose(two["s0"].forecast(3, n_paths=20).point,
                    one["s0"].forecast(3, n_paths=20).point * 1024.0 + 4096.0, rtol=1e-8)


def test_a_list_a_mapping_and_long_frames_are_the_same_panel():
    data = many(2, 30)
    long = pd.concat([pd.DataFrame({"name": name, "week": range(30), "y": part[:, 0]}) for name, part in data.items()])
    expected = Panel(model=VAR(lags=1)).fit(data).mean(2).to_numpy()
    for given in (Panel(model=VAR(lags=1)).fit(list(data.values())),
                  Panel(model=VAR(lags=1)).fit(long, by="name", time="week"),
                  Panel(model=VAR(lags=1)).fit(long.set_index(["name", "week"]))):
        assert_allclose(given.mean(2).to_numpy(), expected, rtol=1e-12)


def test_all_forecasts_come_in_one_table():
    fits = Panel(model=VAR(lags=1)).fit(many(3))
    table = fits.forecast(2, coverage=0.8, n_paths=50)
    assert table.groupby("member").size().to_dict() == {"s0": 2, "s1": 2, "s2": 2}
    assert (table["lower_80"] <= table["upper_80"]).all()
    assert len(fits) == 3
    assert list(fits) == ["s0", "s1", "s2"]


@pytest.mark.parametrize("model", [VAR(lags=2), Direct(horizon=4, lookback=8)])
def test_ten_times_as_many_series_cost_at_most_twelve_times_as_much(model):
    small, large = panel_of(many(250)), panel_of(many(2500))

    def cost(data: object) -> float:
        start = time.process_time()
        Panel(model=model).fit(data)
        return time.process_time() - start

    costs = np.array([(cost(small), cost(large)) for _ in range(4)])    # in turn: both meet the same load
    assert costs[:, 1].min() <= 12 * np.median(costs[:, 0])


@pytest.mark.parametrize(("data", "error", "says"), [
    ([], TooShortError, "no series"),
    (3.0, InputError, "no panel"),
    ("abc", InputError, "no panel"),
    ([[1.0, 2.0, 3.0, 5.0], [1.0, float("nan"), 2.0, 3.0]], InputError, "series '1'"),
    ([np.ones((9, 1)), np.ones((9, 2))], ShapeError, "series '1' has 2 columns"),
    ([np.arange(30.0), np.arange(3.0)], TooShortError, "series '1' has 3 rows"),
    (pd.DataFrame({"y": [1.0, 2.0]}), InputError, "by="),
])
def test_a_bad_panel_is_refused_by_the_name_of_its_series(data, error, says):
    with pytest.raises(error, match=says):
        Panel(model=VAR(lags=1)).fit(data)


def test_what_cannot_be_shared_says_so():
    with pytest.raises(ParameterError, match="sharing='local'"):
        Panel(model=Mean())
    with pytest.raises(ParameterError, match="trend='ct'"):
        Panel(model=VAR(trend="ct"))
    with pytest.raises(ParameterError, match="sharing='all'"):
        Panel(model=VAR(), sharing="all")
    with pytest.raises(InputError, match="series '1'"):
        Panel(model=VAR(lags=3), sharing="local").fit([np.random.default_rng(0).standard_normal(40), np.arange(4.0)])


def test_a_bundled_set_can_be_a_panel_of_its_columns():
    frame = load("macrodata").frame.iloc[:, :2]
    fits = Panel(model=VAR(lags=1)).fit({name: frame[[name]] for name in frame})
    assert fits.mean(1).index.get_level_values(0).tolist() == list(frame.columns)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was_even_after_an_error(enabled):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        Panel(model=Mean(), sharing="local").fit(many(2))
        with pytest.raises(InputError, match="series '1'"):
            Panel(model=VAR(lags=3), sharing="local").fit([many(1)["s0"], np.arange(4.0)])
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
