"""What a tanh fit is made of: the data, what may vary, one optimum with its structure, and the recursion of each.

Called by `search`, `mixture` and `models.rung3_tanh`.  Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from varnn.estimate.least_squares.order import default_max_lags, search_orders
from varnn.estimate.least_squares.regression import Trend, fixed_regressors, regressor_names
from varnn.estimate.linear.units import Units
from varnn.estimate.numerics.covariance import whitener
from varnn.estimate.panel.pooled import noise_of_each, own_constants
from varnn.estimate.panel.stacked import PooledDesign, panel_rows
from varnn.estimate.tanh.bounds import Bounds
from varnn.estimate.tanh.design import Array, Design
from varnn.estimate.tanh.gauss_newton import Optimum
from varnn.estimate.tanh.posterior import WeightDraws
from varnn.series import Series

USUAL_LAGS = 12
MOST_WEIGHTS = 3000  # k² p up to which p lags are tried
WORK = 1e9           # T · (k² p)² up to which p lags are tried beside a memory


@dataclass(frozen=True, eq=False)
class Data:
    """Training rows in standard units: Y (T, k), trend columns (T, d) flat in time, exogenous Z (T, q).

    The series of a panel lie below one another; `lengths` are their rows.
    """

    Y: Array
    trend: Array
    Z: Array
    lengths: tuple[int, ...] = ()

    @property
    def shortest(self) -> int:
        """Rows of the series, of the shortest one in a panel."""
        return min(self.lengths or (len(self.Y),))


@dataclass(frozen=True)
class Space:
    """What may vary: None is chosen by the evidence; `with_memory` is the most lags beside a memory."""

    lags: int | None
    width: int | None
    skip: bool
    max_lags: int
    with_memory: int
    starts: int


@dataclass(frozen=True, eq=False)
class Member:
    """One optimum of the mixture with its structure and posterior weight.

    lags, lags_tanh : int        that the identity and the tanh units see
    skip, driven : bool          inputs reach the identity units; forecasts are fed back, not innovations
    bounds : Bounds or None      what keeps its paths near the linear rung below, where there is one
    bounding : bool              the last climb was the one that pulls its linear part to that of the rung below
    """

    optimum: Optimum
    lags: int
    lags_tanh: int
    skip: bool
    driven: bool
    evidence: float = -np.inf
    weight: float = 0.0
    bounds: Bounds | None = None
    bounding: bool = False

    @property
    def presample(self) -> int:
        """Rows that serve as lags only."""
        return max(self.lags, self.lags_tanh)

    @cached_property
    def weight_draws(self) -> WeightDraws:
        """Posterior draws of the weights, in standard units."""
        return WeightDraws(self.optimum)

    def over(self, data: Data) -> Design:
        """Return the same recursion over other rows, from `presample` on."""
        shape = self.optimum.design
        rows = design(data, self.lags, self.lags_tanh, shape.n, shape.r, shape.rl, first=0, recurrent=shape.recurrent,
                      skip=self.skip, driven=self.driven)
        if not shape.ar:
            return rows
        start = np.zeros(shape.m)
        if self.presample:  # the state before the first row forecasts it without error, as in rung 2
            start[: shape.k] = data.Y[self.presample - 1]
        return replace(rows, ar=True, start=start)


def lag_limits(series: Series, exog: Series | None, trend: Trend, most: int | None) -> tuple[int, int, int]:
    """Return the most lags to consider, the most beside a memory, and the order that AIC gives a VAR.

    `most` is the user's limit, for both, where there is one.
    """
    k, T, q = series.k, len(series), 0 if exog is None else len(exog.names)
    if most is not None:
        most = max(1, min(most, (T - 2 * q - 10) // (3 * k)))
        return most, most, 0
    longest = default_max_lags(T, k, trend, q)
    usual = search_orders(series.values, longest, trend, None if exog is None else exog.values,
                          names=regressor_names(series.names, longest, trend, () if exog is None else exog.names)
                          ).best("aic")
    most = max(usual, min(USUAL_LAGS, T // (10 * k), (T - 2 * q - 10) // (3 * k), 60 // k))
    return *affordable(most, T, k), usual


def affordable(lags: int, rows: int, k: int) -> tuple[int, int]:
    """Return how many of these lags are tried, and how many beside a memory."""
    most = max(1, min(lags, MOST_WEIGHTS // k**2))
    return most, max(1, min(most, int((WORK / rows) ** 0.5 / k**2)))


def lagged(Y: Array, lags: int) -> Array:
    """Return [y_{t-1} … y_{t-lags}], zeros before the sample; shape (T, k·lags)."""
    T, k = Y.shape
    out = np.zeros((T, k * lags))
    for lag in range(1, lags + 1):
        out[lag:, (lag - 1) * k : lag * k] = Y[: T - lag]
    return out


def design(data: Data, lags: int, lags_tanh: int, n: int, r: int, rl: int, *, first: int, recurrent: bool = True,
           skip: bool = True, driven: bool = False) -> Design:
    """Build the recursion of one structure over the rows of `data` that have all lags; `first` counts from row 0."""
    T, k = data.Y.shape
    XL = np.hstack([data.trend, data.Z, lagged(data.Y, lags)]) if skip else data.trend
    XH = np.hstack([np.ones((T, 1)), data.Z, lagged(data.Y, lags_tanh)])
    fixed = data.trend.shape[1] + data.Z.shape[1] * skip
    p = max(lags, lags_tanh)
    warm = max(first - p, 0)
    kept = panel_rows(data.lengths, p, warm) if data.lengths else slice(p, None)
    XL, XH, Y = (np.ascontiguousarray(part[kept]) for part in (XL, XH, data.Y))
    shape = (XL, XH, Y, np.zeros_like(Y) if driven else Y, np.zeros(k), n, r, rl, False, recurrent)
    known = {"flat": data.trend.shape[1], "fixed": fixed, "fixed_H": 1 + data.Z.shape[1]}
    if not data.lengths:
        return Design(*shape, first=warm, **known)
    return PooledDesign(*shape, first=warm * len(data.lengths), lengths=tuple(T - p for T in data.lengths), **known)


def standardised(series: Series, exog: Series | None, trend: Trend) -> tuple[Data, Units]:
    """Return the sample in standard units, and the units."""
    inputs = fixed_regressors(len(series), trend, None if exog is None else exog.values)
    units = Units.of(series.values, inputs, centred=trend != "n")
    return in_units(series.values, None if exog is None else exog.values, trend, units), units


def in_units(values: Array, exog: Array | None, trend: Trend, units: Units) -> Data:
    """Return rows of series and exogenous columns in standard units."""
    inputs = units.inputs(fixed_regressors(len(values), trend, exog))
    return Data(units.series(values), *trend_columns(inputs, trend, len(values)))


def trend_columns(inputs: Array, trend: Trend, rows: int) -> tuple[Array, Array]:
    """Split standardised inputs into intercept and trend, and exogenous columns."""
    ones = [np.ones((rows, 1))] if trend != "n" else []
    slope = 1 if trend == "ct" else 0
    return np.hstack([*ones, inputs[:, :slope]]) if ones else np.empty((rows, 0)), inputs[:, slope:]


def own_members(shared: Member, each: Sequence[Data], *, from_means: bool) -> list[Member]:
    """Return a member fitted to a panel as one of each of its series: same weights, own noise and own level.

    Parameters
    ----------
    shared : Member
    each : sequence of Data        the series, in the order of the panel, less their own levels
    from_means : bool              whether the panel was less its means; see `pooled.noise_of_each`
    """
    optimum = shared.optimum
    shape = optimum.design
    assert isinstance(shape, PooledDesign)
    warm = shape.first // len(shape.lengths)
    alone = [replace(design(data, shared.lags, shared.lags_tanh, shape.n, shape.r, shape.rl,
                            first=len(data.Y) - rows + warm, recurrent=shape.recurrent, skip=shared.skip,
                            driven=shared.driven), frozen=shape.frozen)
             for data, rows in zip(each, shape.lengths, strict=True)]
    states = [own.run(optimum.theta) for own in alone]
    errors = [(own.Y - U[:, : own.k])[warm:] for own, (_, U) in zip(alone, states, strict=True)]
    noise = noise_of_each(errors, optimum.sigma, from_means=from_means)
    constants = [i * shape.width_L for i in range(shape.m)] if shape.flat else []
    out = []
    for own, run, resid, size in zip(alone, states, errors, noise, strict=True):
        white, _ = whitener(size * optimum.sigma)
        known, _ = own.normal(optimum.theta, *run, white, resid @ white.T)
        known += np.diag(optimum.prior.precisions(optimum.alpha))
        information = own_constants(optimum.information, known, constants)
        out.append(replace(shared, optimum=replace(optimum, design=own, sigma=size * optimum.sigma, resid=resid,
                                                   information=information)))
    return out
