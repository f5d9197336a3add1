"""Rung 0: the floor every comparison must show — last value, last season, mean and drift.

Each is a random walk, a seasonal random walk, white noise around a mean or a random walk with drift,
so each has joint predictive paths like every other rung. Hyndman & Athanasopoulos (2021), ch. 5.2 and 5.5.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from varnn.dates import season_of
from varnn.errors import ExogError
from varnn.estimate.least_squares.posterior import standard_numbers
from varnn.forecaster import Draws, Fitted, Forecaster, Outlook, Plan, need_rows, square_root
from varnn.series import FloatArray, Series, whole_number


@dataclass(frozen=True, kw_only=True)
class Naive(Forecaster):
    """Say that nothing changes: ŷ_{T+h} = y_T.

    Examples
    --------
    >>> Naive().fit([1.0, 2.0, 4.0]).forecast(2).mean["y1"].tolist()
    [4.0, 4.0]
    """

    rung: ClassVar[int | None] = 0
    takes_exog: ClassVar[bool] = False
    draws_together: ClassVar[bool] = True

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        return _seasonal_walk(self, series, exog, 1)


@dataclass(frozen=True, kw_only=True)
class SeasonalNaive(Forecaster):
    """Repeat the last season: ŷ_{T+h} = y_{T+h−s⌈h/s⌉}.

    Parameters
    ----------
    season : int, optional
        Observations s in a season; found from the frequency of the dates when left out
        (4 for quarters, 12 for months, 52 for weeks, 7 for days, 24 for hours, else 1).

    Examples
    --------
    >>> SeasonalNaive(season=2).fit([1.0, 5.0, 2.0, 6.0]).forecast(3).mean["y1"].tolist()
    [2.0, 6.0, 2.0]
    """

    season: int | None = None
    rung: ClassVar[int | None] = 0
    takes_exog: ClassVar[bool] = False
    draws_together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.season is not None:
            whole_number(self.season, "season", least=1)

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        return _seasonal_walk(self, series, exog, season_of(series.index) if self.season is None else self.season)


@dataclass(frozen=True, kw_only=True)
class Mean(Forecaster):
    """Say the sample mean: ŷ_{T+h} = ȳ.

    Examples
    --------
    >>> Mean().fit([1.0, 2.0, 6.0]).forecast(1).mean["y1"].tolist()
    [3.0]
    """

    rung: ClassVar[int | None] = 0
    takes_exog: ClassVar[bool] = False
    draws_together: ClassVar[bool] = True

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        _no_exog(self, exog)
        need_rows("Mean()", series, 3, "use a longer series")
        params = _table("mean", series.values.mean(axis=0), series)
        return FittedMean(spec=self, series=series, exog=None, seen=series, seen_exog=None, params=params, df_model=1)


@dataclass(frozen=True, kw_only=True)
class Drift(Forecaster):
    """Continue the average change: ŷ_{T+h} = y_T + h (y_T − y_1)/(T − 1).

    Examples
    --------
    >>> Drift().fit([1.0, 2.0, 5.0]).forecast(2).mean["y1"].tolist()
    [7.0, 9.0]
    """

    rung: ClassVar[int | None] = 0
    takes_exog: ClassVar[bool] = False
    draws_together: ClassVar[bool] = True

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        _no_exog(self, exog)
        need_rows("Drift()", series, 3, "use a longer series")
        slope = (series.values[-1] - series.values[0]) / (len(series) - 1)
        params = _table("drift", slope, series)
        return FittedWalk(spec=self, series=series, exog=None, seen=series, seen_exog=None, params=params, df_model=1,
                          season=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _FittedLevel(Fitted):
    """What the two below share: one number for each series, or none, and errors around it."""

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        if draws is None:
            return self._moved_by(shocks, self.params.to_numpy(), self.seen.values)
        return self._moved_by(shocks, draws.weights[np.arange(len(shocks)) % len(draws.weights)], self.seen.values)

    @abstractmethod
    def _moved_by(self, shocks: FloatArray, level: FloatArray, seen: FloatArray) -> FloatArray:
        """Return paths (…, m, h, k) from shocks of that shape, levels (…, m or 1 or 0, k) and rows seen (…, T, k)."""

    def _draw(self, count: int, rng: np.random.Generator) -> Draws | None:
        if not len(self.params):
            return None
        numbers = standard_numbers(1, self.series.k, self.nobs - 2 + self.series.k, count, rng)
        root = square_root(self._misses.T @ self._misses)
        return Draws(*_around(root, self.params.to_numpy()[0], self.nobs, *numbers))

    @classmethod
    def _outlooks(cls, fits: Sequence[Self], horizon: int, futures: Sequence[FloatArray | None],
                  plans: Sequence[Plan]) -> list[Outlook]:
        """Do fits that are alike in one stack."""
        first, plan = fits[0], plans[0]
        need, alike = first._rows_used, {(fit._rows_used, len(fit.params), fit.series.k) for fit in fits}
        if len(alike) > 1 or {(one.n_paths, one.uncertainty, one.shocks) for one in plans} != {
                (plan.n_paths, "full", "gaussian")}:
            return super()._outlooks(fits, horizon, futures, plans)
        m, k = plan.n_paths, first.series.k
        levels = np.stack([fit.params.to_numpy() for fit in fits])                                # (B, 1 or 0, k)
        seen = np.stack([fit.seen.values[len(fit.seen) - need:] for fit in fits])
        points = first._moved_by(np.zeros((len(fits), 1, horizon, k)), levels, seen)[:, 0]
        if not levels.size:
            white = np.stack([one.rng.standard_normal((m, horizon, k)) for one in plans])         # (B, m, h, k)
            roots = np.asarray(np.linalg.cholesky(np.stack([fit.sigma_u for fit in fits]))[:, None])
        else:
            numbers = [(*standard_numbers(1, k, fit.nobs - 2 + k, m, one.rng), one.rng.standard_normal((m, horizon, k)))
                       for fit, one in zip(fits, plans, strict=True)]
            lower, noise, white = (np.stack(block) for block in zip(*numbers, strict=True))
            scatter = np.linalg.cholesky(np.stack([fit._misses.T @ fit._misses for fit in fits]))
            nobs = np.array([fit.nobs for fit in fits])[:, None, None]
            sigma, levels = _around(scatter, levels[:, 0], nobs, lower, noise)
            roots = np.asarray(np.linalg.cholesky(sigma))
        paths = first._moved_by(white @ roots.swapaxes(-1, -2), levels, seen)
        return [(point, path, None) for point, path in zip(points, paths, strict=True)]

    @property
    def _rows_used(self) -> int:
        return 1


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedWalk(_FittedLevel):
    """y_t = drift + y_{t−s} + e_t, where the drift may be absent.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.Drift().fit([1.0, 2.0, 2.0, 4.0])
    >>> fit.drift.tolist(), fit.forecast(2).point.ravel().tolist()
    ([1.0], [5.0, 6.0])
    """

    season: int

    @property
    def drift(self) -> FloatArray:
        """Change for each step, shape (k,)."""
        return np.asarray(self.params.to_numpy()[0]) if len(self.params) else np.zeros(self.series.k)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        predicted = np.full_like(values, np.nan)
        predicted[self.season:] = values[:-self.season] + self.drift
        return predicted

    def _moved_by(self, shocks: FloatArray, level: FloatArray, seen: FloatArray) -> FloatArray:
        horizon, k = shocks.shape[-2:]
        cycles = -(-horizon // self.season)
        steps = np.zeros((*shocks.shape[:-2], cycles * self.season, k))
        steps[..., :horizon, :] = shocks
        steps = steps.reshape(*shocks.shape[:-2], cycles, self.season, k)
        if level.size:
            steps += level[..., None, None, :]
        walk = np.cumsum(steps, axis=-3) + seen[..., None, None, -self.season:, :]
        return np.ascontiguousarray(walk.reshape(*shocks.shape[:-2], -1, k)[..., :horizon, :])

    @property
    def _rows_used(self) -> int:
        return self.season


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedMean(_FittedLevel):
    """y_t = μ + e_t.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.Mean().fit([1.0, 3.0, 1.0, 3.0])
    >>> fit.forecast(2, rng=0).point.ravel().tolist()
    [2.0, 2.0]
    """

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        return np.broadcast_to(self.params.to_numpy()[0], values.shape).copy()

    def _moved_by(self, shocks: FloatArray, level: FloatArray, seen: FloatArray) -> FloatArray:
        return np.asarray(level[..., None, :] + shocks)

    @property
    def bse(self) -> pd.DataFrame:
        """Standard error of the mean, sd/√T."""
        return pd.DataFrame([np.sqrt(np.diag(self.sigma_u) / self.nobs)], index=["mean"],
                            columns=list(self.series.names))


def _seasonal_walk(spec: Forecaster, series: Series, exog: Series | None, season: int) -> FittedWalk:
    _no_exog(spec, exog)
    need_rows(f"{spec.label}() with season {season}", series, season + 2, "use a longer series or a shorter season")
    return FittedWalk(spec=spec, series=series, exog=None, seen=series, seen_exog=None,
                      params=_table("", np.empty(0), series), df_model=0, season=season)


def _table(row: str, numbers: FloatArray, series: Series) -> pd.DataFrame:
    """Return one row of coefficients, or none."""
    rows = _index((row,) if numbers.size else ())
    return pd.DataFrame(numbers.reshape(len(rows), series.k), index=rows, columns=_index(series.names))


@lru_cache(maxsize=64)
def _index(names: tuple[str, ...]) -> pd.Index[Any]:
    """Return labels as pandas keeps them; making them anew takes longer than the fit."""
    return pd.Index(list(names), dtype=object if not names else None)


def _around(root: FloatArray, level: FloatArray, nobs: int | FloatArray, lower: FloatArray,
            noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return draws (Σ, level) under a flat prior: Σ ~ IW(E'E, n − 2 + k), level | Σ ~ N(·, Σ/n); `root` of E'E."""
    half = root[..., None, :, :] @ np.linalg.inv(lower).swapaxes(-1, -2)                          # (…, m, k, k)
    shift = (half @ noise.swapaxes(-1, -2))[..., 0] / np.sqrt(nobs)
    return half @ half.swapaxes(-1, -2), level[..., None, :] + shift


def _no_exog(spec: Forecaster, exog: Series | None) -> None:
    if exog is not None:
        raise ExogError(f"{spec.label}() takes no exogenous columns, got X with {list(exog.names)}; leave X out")


