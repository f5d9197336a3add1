"""Forecasts given some of the future: condition predictive paths on fixed values and ranges of future cells.

Called by `Fitted.scenario`. Works through a model's own recursion, so every rung has it; on the linear rungs it is
exact Gaussian conditioning. Never changes the fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from varnn.errors import ParameterError, VarnnWarning, callers_level
from varnn.forecast import Forecast
from varnn.forecaster import HISTORY_ROWS, Draws, Fitted, Uncertainty, one_of, square_root
from varnn.inference.conditions import Conditions, read_conditions
from varnn.series import FloatArray, checked_coverages, checked_horizon, generator

MOST_DRAWS, FEWEST_DRAWS = 200, 20  # parameter draws; each is conditioned on its own
MOST_SLOPES = 4_000_000  # numbers in all draws' Jacobians
SLOPE_STEP = 1e-3  # standard deviations
NEWTON_STEPS = 8
FEW_EFFECTIVE = 50.0
ROUNDING = 1e-9  # standard deviations of a series that an error has to be to be one
CONSTANT = 1e-6  # log weights that differ by less are rounding: the recursion is linear


@dataclass(frozen=True, eq=False)
class Scenario(Forecast):
    """A forecast given conditions on the future.

    Attributes
    ----------
    effective : float
        Effective number of paths, (Σw)²/Σw² of the importance weights; the number of paths where they are exact.
    log_density : float
        Log predictive density of the hard values, plus the log probability of the soft ranges given them:
        how plausible the model found the scenario.
    """

    effective: float = float("nan")
    log_density: float = float("nan")


def scenario(fit: Fitted, horizon: int, hard: object = None, soft: object = None, X: object = None, *,
             coverage: float | Sequence[float] = 0.9, n_paths: int = 1000, uncertainty: Uncertainty = "full",
             rng: object = None) -> Scenario:
    """Forecast the rest of the future given fixed values (hard) and ranges (soft) of some of it.

    The path y has density Π_t N(y_t; ŷ_t(y_{<t}), Σ), whatever the recursion. Around the most likely path that
    keeps the conditions (Gauss–Newton) it is close to a Gaussian, whose conditional distribution is known; paths
    drawn from that are weighted by the ratio of the two densities and resampled. For linear recursions the ratio
    is constant and the result exact: Waggoner and Zha's, or a Kalman smoother's with the future as missing data.
    Each parameter draw counts with the density it gives to the conditions.

    Parameters
    ----------
    fit : Fitted
    horizon : int
    hard : DataFrame or dict, optional
        Frame of future dates by series with NaN in free cells, or {series: value, list of h or {date: value}}.
    soft : dict or pair of DataFrames, optional
        {series: (low, high) or {date: (low, high)}}, or frames of lower and upper bounds.
    X : DataFrame or array (h, q), optional
        Future exogenous columns, when the fit used them: scenarios of inputs need no more than this.
    coverage, n_paths, rng
        As in `forecast`.
    uncertainty : {"full", "none"}
        With "none" and hard conditions alone a linear rung gives exact means and intervals, not sampled ones.

    Returns
    -------
    Scenario

    Raises
    ------
    ParameterError, TimeIndexError
        For an unknown series or date, low > high, conditions that contradict or determine each other, or a model
        without a recursion of its own (a mixture, conformal intervals).

    References
    ----------
    Waggoner & Zha (1999), Conditional forecasts in dynamic multivariate models, Review of Economics and Statistics
    81(4). Bańbura, Giannone & Lenza (2015), Int. J. Forecasting 31(3). Geweke (1991) and Hajivassiliou & McFadden
    (1998), Econometrica 66(4), for ranges.

    Examples
    --------
    >>> from varnn import VAR
    >>> y = np.random.default_rng(0).standard_normal((80, 2))
    >>> y[:, 1] += y[:, 0]
    >>> given = scenario(VAR(lags=1).fit(y), 2, hard={"y1": 2.0}, uncertainty="none")
    >>> given.mean["y1"].tolist(), bool((given.mean["y2"] > 1).all())
    ([2.0, 2.0], True)
    """
    horizon, coverages = checked_horizon(horizon), checked_coverages(coverage)
    n_paths = fit._checked_paths(n_paths, horizon)
    one_of(uncertainty, "uncertainty", ("full", "none"))
    if type(fit)._outlook is not Fitted._outlook:
        raise ParameterError(f"{fit.spec.label} has no recursion of its own to condition; ask a model "
                             "that has, such as one inside it")
    private, index = generator(rng), fit.seen.future_index(horizon)
    asked = read_conditions(hard, soft, fit.series.names, index)
    future = fit._future_exog(X, horizon)
    history = fit.seen.window(max(0, len(fit.seen) - HISTORY_ROWS), len(fit.seen)).to_frame()
    if not len(asked.hard_cells) and not len(asked.soft_cells):
        plain = fit.forecast(horizon, X, n_paths=n_paths, uncertainty=uncertainty, rng=private)
        return Scenario(plain.point, plain.paths, plain.names, index, coverages, history, plain.spread, n_paths, 0.0)
    affordable = max(FEWEST_DRAWS, MOST_SLOPES // (horizon * fit.series.k) ** 2)
    draws, shares = fit._mixture() if uncertainty == "none" else (
        fit._draw(min(n_paths, MOST_DRAWS, affordable), private), None)
    law = _Law(fit, future, horizon, draws, shares)
    if uncertainty == "none" and law.count == 1 and not len(asked.soft_cells):
        laplace = _around(law, asked)
        paths, _, log_weights = _proposals(law, laplace, asked, n_paths, private)
        if np.ptp(log_weights) < CONSTANT:
            spread = np.sqrt(np.maximum(np.diagonal(laplace.covariance[0]), 0.0)).reshape(horizon, -1)
            return Scenario(laplace.mean[0], paths, fit.series.names, index, coverages, history, spread, n_paths,
                            float(log_weights[0]))
    until = 1 + int(max([*asked.hard_cells, *asked.soft_cells])) // fit.series.k
    near, early = _Law(fit, future, until, draws, shares), asked.first(until)
    paths, white, log_weights = _proposals(near, _around(near, early), early, n_paths, private)
    paths = law.continued(paths, white, private)
    effective = float(np.exp(2 * logsumexp(log_weights) - logsumexp(2 * log_weights)))
    if effective < min(FEW_EFFECTIVE, 0.5 * n_paths):
        warnings.warn(f"the scenario is worth {effective:.0f} of {n_paths} paths: the conditions are far from what "
                      f"{fit.spec.label} expects; raise n_paths or ease them", VarnnWarning,
                      stacklevel=callers_level())
    weights = np.exp(log_weights - logsumexp(log_weights))
    return Scenario(np.tensordot(weights, paths, axes=1), paths[_systematic(weights, private)], fit.series.names, index,
                    coverages, history, None, effective, float(logsumexp(log_weights) - np.log(n_paths)))


class _Law:
    """A model's paths as a function of white shocks, for each of d parameter draws (or parts of a mixture)."""

    def __init__(self, fit: Fitted, future: FloatArray | None, horizon: int, draws: Draws | None,
                 shares: FloatArray | None) -> None:
        self.fit, self.future, self.draws = fit, future, draws
        self.horizon, self.k = horizon, fit.series.k
        self.roots = square_root(fit.sigma_u)[None] if draws is None else square_root(draws.sigma)
        self.count = len(self.roots)
        self.log_shares = np.zeros(self.count) if shares is None else np.log(shares * self.count)
        size = np.sqrt(np.diag(fit.sigma_u))
        for name, error, spread in zip(fit.series.names, size, fit.series.values.std(axis=0), strict=True):
            if error < ROUNDING * spread:
                raise ParameterError(f"{name!r} follows from the past without error under {fit.spec.label}, so that no "
                                     "value of it is free to be fixed; fit without it")
        if np.linalg.eigvalsh(fit.sigma_u / np.outer(size, size))[0] < 1e-12:
            raise ParameterError("one series is an exact combination of the others, so values of them may contradict "
                                 "each other; fit without it")

    def paths(self, white: FloatArray) -> FloatArray:
        """Return paths (r, d, s, k) for white shocks (r, d, s, k), s ≤ h steps."""
        rounds, d, steps, k = white.shape
        shocks = np.einsum("rdsj,dij->rdsi", white, self.roots).reshape(rounds * d, steps, k)
        future = None if self.future is None else self.future[:steps]
        return self.fit._respond(shocks, future, self.draws).reshape(rounds, d, steps, k)

    def continued(self, paths: FloatArray, white: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Let paths (m, s, k) with white shocks (r, d, s, k) go on to the horizon with fresh shocks."""
        rounds, d, done, k = white.shape
        if done == self.horizon:
            return paths
        rest = rng.standard_normal((rounds, d, self.horizon - done, k))
        full = self.paths(np.concatenate([white, rest], axis=2)).reshape(-1, self.horizon, k)[:len(paths)]
        full[:, :done] = paths
        return full

    def slopes(self, white: FloatArray) -> FloatArray:
        """Return ∂ path/∂ shocks at shocks (d, h, k) by central differences, shape (d, hk, hk)."""
        d, h, k = white.shape
        nudges = SLOPE_STEP * np.eye(h * k).reshape(h * k, 1, h, k)
        up, down = self.paths(white[None] + nudges), self.paths(white[None] - nudges)
        return np.ascontiguousarray(((up - down) / (2 * SLOPE_STEP)).reshape(h * k, d, h * k).transpose(1, 2, 0))

    def shocks_behind(self, paths: FloatArray, impact: FloatArray) -> FloatArray:
        """Return the white shocks (r, d, h, k) that make paths (r, d, h, k), step by step; impact (d, h, k, k)."""
        white = np.zeros(paths.shape)
        for step in range(self.horizon):
            gap = paths[:, :, step] - self.paths(white[:, :, :step + 1])[:, :, step]
            white[:, :, step] = np.linalg.solve(impact[None, :, step], gap[..., None])[..., 0]
        return white


@dataclass(frozen=True, eq=False)
class _Laplace:
    """Joint Gaussian N(centre, J J') of each draw's path around its most likely one, and its conditional."""

    slopes: FloatArray      # (d, hk, hk)
    centre: FloatArray      # (d, hk)
    impact: FloatArray      # (d, h, k, k)
    mean: FloatArray        # (d, h, k) given the hard values
    covariance: FloatArray  # (d, hk, hk) given the hard values


def _around(law: _Law, asked: Conditions) -> _Laplace:
    """Linearise at the most likely path that keeps the conditions."""
    h, k, d = law.horizon, law.k, law.count
    white, before = np.zeros((d, h, k)), np.full((d, h, k), np.inf)
    cells = np.concatenate([asked.hard_cells, asked.soft_cells])
    low, high = asked.low.ravel()[cells], asked.high.ravel()[cells]
    held = asked.fixed.ravel()[cells]
    for _ in range(NEWTON_STEPS):
        slopes = law.slopes(white)
        base = law.paths(white[None])[0]
        centre = base.reshape(d, -1) - np.einsum("dij,dj->di", slopes, white.reshape(d, -1))
        inside = np.clip(centre[:, cells], low, high)
        target = np.where(np.isnan(held), inside, held)
        most_likely = _given(slopes, centre, cells, target).reshape(d, h, k)
        impact = np.stack([slopes[:, t * k:(t + 1) * k, t * k:(t + 1) * k] for t in range(h)], axis=1)
        size = np.sqrt((slopes**2).sum(axis=2)).reshape(d, h, k)
        if np.abs((most_likely - before) / size).max() < 1e-6:
            break
        before = most_likely
        white = law.shocks_behind(most_likely[None], impact)[0]
    hard = asked.hard_cells
    mean = _given(slopes, centre, hard, np.broadcast_to(asked.fixed.ravel()[hard], (d, len(hard))))
    covariance = slopes @ slopes.swapaxes(1, 2)
    if len(hard):
        gain = np.linalg.solve(covariance[:, hard][:, :, hard], covariance[:, hard])
        covariance = covariance - covariance[:, :, hard] @ gain
    return _Laplace(slopes, centre, impact, mean.reshape(d, h, k), covariance)


def _given(slopes: FloatArray, centre: FloatArray, cells: np.ndarray, target: FloatArray) -> FloatArray:
    """Return E[y | y_cells = target] for y ~ N(centre, J J'), (…, d, hk); for draws of y in its place, draws of it."""
    if not len(cells):
        return centre
    reach = slopes[:, cells] @ slopes.swapaxes(1, 2)                                              # (d, c, hk)
    inner = reach[:, :, cells]
    size = np.sqrt(np.diagonal(inner, axis1=1, axis2=2))
    if np.linalg.eigvalsh(inner / (size[:, :, None] * size[:, None, :])).min() < 1e-10:
        raise ParameterError("the conditions determine or contradict each other: fixed cells are an exact combination "
                             "of others under the fitted model; drop one of them")
    gain = np.linalg.solve(inner, reach)                                                          # (d, c, hk)
    moved: FloatArray = centre + np.einsum("...dc,dcy->...dy", target - centre[..., cells], gain)
    moved[..., cells] = target
    return moved


def _proposals(law: _Law, laplace: _Laplace, asked: Conditions, count: int,
               rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw paths (m, h, k) that keep the conditions, their white shocks, and the logs of their weights (m,)."""
    d, h, k = law.count, law.horizon, law.k
    rounds = -(-count // d)
    hard, soft = asked.hard_cells, asked.soft_cells
    white = rng.standard_normal((rounds, d, h * k))
    joint = laplace.centre + np.einsum("dij,rdj->rdi", laplace.slopes, white)                     # (r, d, hk)
    fixed = np.broadcast_to(asked.fixed.ravel()[hard], (rounds, d, len(hard)))
    chosen, log_weights = fixed, np.tile(
        law.log_shares + _log_density(laplace, hard, asked.fixed.ravel()[hard]), (rounds, 1))
    if len(soft):
        ranged, log_share = _truncated(laplace, soft, asked, rounds, rng)
        chosen, log_weights = np.concatenate([fixed, ranged], axis=2), log_weights + log_share
    paths = _given(laplace.slopes, joint, np.concatenate([hard, soft]), chosen)
    true = law.shocks_behind(paths.reshape(rounds, d, h, k), laplace.impact)
    near = np.linalg.solve(laplace.slopes[None], (paths - laplace.centre)[..., None])[..., 0]
    log_weights = log_weights - 0.5 * (true**2).sum(axis=(2, 3)) + 0.5 * (near**2).sum(axis=2)
    paths, log_weights = paths.reshape(-1, h, k)[:count], log_weights.ravel()[:count]
    if not np.isfinite(log_weights).any():
        raise ParameterError("the conditions have probability zero under the fitted model; widen the ranges or move "
                             "the fixed values")
    return paths, true, np.where(np.isfinite(log_weights), log_weights, -np.inf)


def _log_density(laplace: _Laplace, cells: np.ndarray, values: FloatArray) -> FloatArray:
    """Return ln N(values; centre_cells, (J J')_cells) for each draw, (d,); 0 without cells."""
    if not len(cells):
        return np.zeros(len(laplace.centre))
    inner = laplace.slopes[:, cells] @ laplace.slopes[:, cells].swapaxes(1, 2)
    gap = values - laplace.centre[:, cells]
    quadratic = (gap * np.linalg.solve(inner, gap[..., None])[..., 0]).sum(axis=1)
    return np.asarray(-0.5 * (quadratic + np.linalg.slogdet(inner)[1] + len(cells) * np.log(2 * np.pi)))


def _truncated(laplace: _Laplace, cells: np.ndarray, asked: Conditions, rounds: int,
               rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw the ranged cells inside their ranges one after another (GHK); return (r, d, c) and log weights (r, d)."""
    d = len(laplace.mean)
    mean = laplace.mean.reshape(d, -1)[:, cells]
    root = square_root(laplace.covariance[:, cells][:, :, cells])
    low, high = asked.low.ravel()[cells], asked.high.ravel()[cells]
    white, log_share = np.zeros((rounds, d, len(cells))), np.zeros((rounds, d))
    for c in range(len(cells)):
        before = mean[:, c] + np.einsum("rdj,dj->rd", white[..., :c], root[:, c, :c])
        lower, upper = (low[c] - before) / root[:, c, c], (high[c] - before) / root[:, c, c]
        white[..., c], share = truncated_normal(lower, upper, rng.random((rounds, d)))
        log_share += share
    return mean + np.einsum("rdj,dij->rdi", white, root), log_share


def truncated_normal(lower: FloatArray, upper: FloatArray, uniform: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return standard normals inside [lower, upper] by inversion, and the log probability of that range.

    Examples
    --------
    >>> draw, share = truncated_normal(np.array([1.0]), np.array([np.inf]), np.array([0.5]))
    >>> bool(draw[0] > 1), round(float(np.exp(share[0])), 4)
    (True, 0.1587)
    """
    flip = lower > 0                                                   # work in the left tail, where ndtr keeps digits
    a, b = np.where(flip, -upper, lower), np.where(flip, -lower, upper)
    share = log_ndtr(b) + np.log1p(-np.exp(np.minimum(log_ndtr(a) - log_ndtr(b), 0.0)))
    drawn = ndtri(ndtr(a) + uniform * (ndtr(b) - ndtr(a)))
    inside = np.clip(drawn, a, b)
    return np.asarray(np.where(flip, -inside, inside)), np.asarray(share)


def _systematic(weights: FloatArray, rng: np.random.Generator) -> np.ndarray:
    """Return m positions drawn in proportion to m weights, in random order."""
    m = len(weights)
    positions = np.searchsorted(np.cumsum(weights), (np.arange(m) + rng.random()) / m)
    return np.asarray(rng.permutation(np.minimum(positions, m - 1)))
