"""Every path of a tanh net stays near the linear rung below: for all draws and shocks, by what `simulate` does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from varnn.data import load
from varnn.errors import ConvergenceError
from varnn.estimate.tanh.bounds import Bounds
from varnn.estimate.tanh.extrapolation import STEADY, linear_radius
from varnn.estimate.tanh.paths import Layout, simulate
from varnn.models.rung1_var import VAR
from varnn.models.rung3_tanh import FittedTanhRNN, TanhRNN


def nearly_noiseless(T: int = 300) -> np.ndarray:
    """z_t = tanh(2 z_{t-1})/2 + 0.3 cos(t/7) + noise of 0.001: its search ends with many smooth random units."""
    rng, z = np.random.default_rng(0), np.zeros((T, 1))
    z[0] = 1.0
    for t in range(1, T):
        z[t] = 0.5 * np.tanh(2 * z[t - 1]) + 0.3 * np.cos(t / 7) + 1e-3 * rng.normal()
    return z


@cache
def noiseless_fit() -> FittedTanhRNN:
    fit = TanhRNN().fit(nearly_noiseless())
    assert isinstance(fit, FittedTanhRNN)
    return fit


def one_path(bounds: Bounds | None, shocks: np.ndarray, slope: float = 3.0) -> np.ndarray:
    """Run y_t = slope · y_{t-1} + tanh(y_{t-1}) + e_t from zero, shocks (c, h, 1)."""
    L, W, G = np.array([[[0.0, slope]]]), np.array([[[1.0]]]), np.array([[[0.0, 1.0]]])
    ones, zero = np.ones((shocks.shape[1], 1)), np.zeros((1, 1, 1))
    return simulate(L, W, G, Layout(0, 0, False, False, 1, 1), ones, ones, zero, zero, np.zeros((1, 1)),
                    np.zeros((1, 1)), 1.0, shocks[None], bounds)[0]


def box(slope: float = 0.5, reach: float = 1.0) -> Bounds:
    return Bounds(np.array([[0.0, slope]]), 1, np.array([-2.0]), np.array([2.0]), np.array([reach]))


def test_the_paths_are_those_of_the_formula():
    shocks = np.random.default_rng(0).normal(size=(20, 50, 1))
    made = one_path(box(), shocks)
    for path, shock in zip(made[..., 0], shocks[..., 0], strict=True):
        y = 0.0
        for t, e in enumerate(shock):
            recursion, linear = 3.0 * y + np.tanh(y), 0.5 * y
            inside = linear + max(-1.0, min(1.0, recursion - linear))
            y = (recursion if t == 0 else inside if -2.0 <= y <= 2.0 else linear) + e
            assert abs(path[t] - y) < 1e-9  # a slope of 3 inside the box makes rounding errors grow
            y = path[t]


@pytest.mark.parametrize("size", [0.1, 1.0, 100.0, 1e9])
def test_whatever_the_shock_a_path_is_within_what_the_linear_rung_and_the_reach_allow(size):
    shocks = size * np.random.default_rng(1).normal(size=(50, 300, 1))
    most = (np.abs(shocks).max() + 1.0) / (1 - 0.5)
    assert np.abs(one_path(box(), shocks)).max() <= most
    with np.errstate(over="ignore", invalid="ignore"):
        assert not np.isfinite(one_path(None, np.ones((1, 900, 1)))).all()


def test_paths_that_stay_near_keep_their_bits():
    shocks = 0.1 * np.random.default_rng(2).normal(size=(5, 40, 1))
    wide = Bounds(np.array([[0.0, 0.5]]), 1, np.array([-9.0]), np.array([9.0]), np.array([9.0]))
    assert_array_equal(one_path(wide, shocks, slope=-0.5), one_path(None, shocks, slope=-0.5))


def test_a_nearly_noiseless_series_may_have_a_linear_part_that_explodes_and_its_paths_do_not():
    y, fit = nearly_noiseless(), noiseless_fit()
    member = fit.members[0]
    assert linear_radius(member.optimum.design, member.optimum.theta) > 10.0
    for moved in (fit, fit.update([[1.5]]), fit.update([[-40.0]])):
        made = moved.forecast(300, n_paths=200)
        begun = np.abs(moved.seen.values[-1]).max()
        linear = VAR().fit(y).update([[-40.0]]).forecast(300, n_paths=20).point
        most = 10 * np.abs(y).max() if begun < 2 else 3 * np.abs(linear).max()
        assert np.abs(made.paths).max() < most
        assert np.isfinite(made.point).all()


@pytest.mark.parametrize("seed", [0, 3])
def test_the_mean_of_the_sea_surface_temperature_stays_in_its_own_band(seed):
    y = load("elnino").frame.iloc[:672]
    fit = TanhRNN().fit(y, rng=seed)
    below = max(linear_radius(member.optimum.design, member.optimum.theta)
                for member in fit.members if not member.optimum.design.n)
    for member in fit.members:
        assert linear_radius(member.optimum.design, member.optimum.theta) <= max(below, STEADY) + 1e-3
    made = fit.forecast(300, n_paths=400)
    low, high = np.quantile(made.paths, [0.01, 0.99], axis=0)
    assert ((made.point >= low) & (made.point <= high)).all()
    spread = np.ptp(y.to_numpy())
    assert float(y.min().iloc[0]) - spread < made.point.min() <= made.point.max() < float(y.max().iloc[0]) + spread


@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")
def test_a_forecast_that_is_not_finite_is_refused_by_name():
    y = 1.5 ** np.arange(40.0) * (1 + 0.01 * np.random.default_rng(0).normal(size=40))
    with pytest.raises(ConvergenceError, match=r"of VAR.* run off to infinity from step \d+ of 5000"):
        VAR(lags=1).fit(y).forecast(5000, n_paths=20, uncertainty="none")
