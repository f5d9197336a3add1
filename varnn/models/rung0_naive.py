"""Rung 0: the floor every comparison must show — last value, last season, mean and drift.

Each is a random walk, a seasonal random walk, white noise around a mean or a random walk with drift,
so each has joint predictive paths like every other rung. Hyndman & Athanasopoulos (2021), ch. 5.2 and 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from varnn.dates import season_of
from varnn.errors import ExogError
from varnn.forecaster import Draws, Fitted, Forecaster, need_rows, square_root
from varnn.series import FloatArray, Series, whole_number
from varnn.shocks import inverse_wishart


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

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        _no_exog(self, exog)
        need_rows("Drift()", series, 3, "use a longer series")
        slope = (series.values[-1] - series.values[0]) / (len(series) - 1)
        params = _table("drift", slope, series)
        return FittedWalk(spec=self, series=series, exog=None, seen=series, seen_exog=None, params=params, df_model=1,
                          season=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedWalk(Fitted):
    """y_t = drift + y_{t−s} + e_t, where the drift may be absent."""

    season: int

    @property
    def drift(self) -> FloatArray:
        """Change for each step, shape (k,)."""
        return np.asarray(self.params.to_numpy()[0]) if len(self.params) else np.zeros(self.series.k)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        predicted = np.full_like(values, np.nan)
        predicted[self.season:] = values[:-self.season] + self.drift
        return predicted

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        paths, horizon, k = shocks.shape
        cycles = -(-horizon // self.season)
        padded = np.zeros((paths, cycles * self.season, k))
        padded[:, :horizon] = shocks
        steps = padded.reshape(paths, cycles, self.season, k)
        drift = self.drift if draws is None else draws.weights[np.arange(paths) % len(draws.weights)][:, None, None, :]
        walk = np.cumsum(steps + drift, axis=1) + self.seen.values[-self.season:]
        return np.ascontiguousarray(walk.reshape(paths, -1, k)[:, :horizon])

    def _draw(self, count: int, rng: np.random.Generator) -> Draws | None:
        return _level_draws(self, count, rng) if len(self.params) else None


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedMean(Fitted):
    """y_t = μ + e_t."""

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        return np.broadcast_to(self.params.to_numpy()[0], values.shape).copy()

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        if draws is None:
            return np.asarray(self.params.to_numpy()[0] + shocks)
        level = draws.weights[np.arange(len(shocks)) % len(draws.weights)]
        return np.asarray(level[:, None, :] + shocks)

    def _draw(self, count: int, rng: np.random.Generator) -> Draws | None:
        return _level_draws(self, count, rng)

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


def _level_draws(fit: Fitted, count: int, rng: np.random.Generator) -> Draws:
    """Draw (Σ, level) from their posterior under a flat prior: Σ ~ IW(E'E, n − 2 + k), level | Σ ~ N(·, Σ/n)."""
    k, errors = fit.series.k, fit._misses
    half = inverse_wishart(square_root(errors.T @ errors), fit.nobs - 2 + k, count, rng)
    level = fit.params.to_numpy()[0] + (half @ rng.standard_normal((count, k, 1)))[:, :, 0] / np.sqrt(fit.nobs)
    return Draws(half @ half.transpose(0, 2, 1), level)


def _no_exog(spec: Forecaster, exog: Series | None) -> None:
    if exog is not None:
        raise ExogError(f"{spec.label}() takes no exogenous columns, got X with {list(exog.names)}; leave X out")


