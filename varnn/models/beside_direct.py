"""Beside the ladder: one linear map from the recent past straight to all of the next h values, no recursion.

The usual yardstick of long-horizon forecasting ("linear" models). Estimated in closed form by
`estimate.window_maps`; its predictive paths are drawn from the multi-step errors it made in the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pandas as pd

from varnn.errors import ExogError, ParameterError, TooShortError
from varnn.estimate.direct import PENALTIES, Candidate, Centring, WindowMap, fit_map
from varnn.estimate.numerics.threads import one_thread
from varnn.forecaster import Draws, Fitted, Forecaster, Plan, one_of
from varnn.series import FloatArray, Series, checked_memory, whole_number
from varnn.shocks import degrees_of_freedom, whitened

LONGEST = 720       # look-back and horizon are shorter than this unless asked for
MOST_ERRORS = 1000  # windows whose errors paths are drawn from
FEWEST_ERRORS = 10  # with fewer, paths come from the one-step errors

Choose = Literal["average", "best"]


@dataclass(frozen=True, kw_only=True)
class Direct(Forecaster):
    """Map the last L values of each series to its next h values: ŷ = o + Fᵀ(w − o), F by ridge regression.

    o is the level of the window w: its last value or its mean. Beyond the h steps it was fitted for, the map is
    applied again to its own forecasts.

    Parameters
    ----------
    horizon : int, optional
        Steps h mapped at once; a tenth of the rows, at most 24, when left out.
    lookback : int or several, optional
        Rows L of the window; a fifth of the rows (at most 720) and half of that when left out.
    centring : {"last", "mean", "none"} or several, optional
        What is taken out of each window and added to its forecast; "last" and "mean" when left out.
    penalty : float, optional
        Ridge penalty in units of the mean square of an input; the one best on rows held out when left out, no penalty
        among the candidates.
    pooled : bool
        One map for all series (each scaled by its standard deviation), or one each.
    folds : int
        Blocks of rows, each held out once, that penalties are chosen on; fewer where blocks would be shorter than h.
    validation : int
        Rows at the end of the sample that are one more such block, forecast by the estimate from all rows before.
    refit : bool
        Estimate on the validation rows too once penalties are chosen.
    choose : {"average", "best"}
        Average the maps of all look-backs and centrings, or take the one best on the rows held out; the board in
        benchmarks/results/ltsf shows both.

    References
    ----------
    Zeng, Chen, Zhang & Xu (2023), Are transformers effective for time series forecasting?, AAAI 37, for the task.
    Toner & Darlow (2024), An analysis of linear time series forecasting models, ICML, for the closed form.

    Examples
    --------
    >>> y = np.sin(np.arange(200) * 2 * np.pi / 10) + 0.01 * np.random.default_rng(0).normal(size=200)
    >>> fit = Direct(horizon=5, lookback=20, penalty=1e-6).fit(y)
    >>> bool(np.allclose(fit.forecast(12).point[:, 0], np.sin(np.arange(200, 212) * 2 * np.pi / 10), atol=0.05))
    True
    """

    horizon: int | None = None
    lookback: int | tuple[int, ...] | None = None
    centring: Centring | tuple[Centring, ...] | None = None
    penalty: float | None = None
    pooled: bool = True
    folds: int = 5
    validation: int = 0
    refit: bool = True
    choose: Choose = "average"
    takes_exog: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.horizon is not None:
            whole_number(self.horizon, "horizon", least=1)
        for lookback in () if self.lookback is None else _several(self.lookback):
            whole_number(lookback, "lookback", least=1)
        for centring in () if self.centring is None else _several(self.centring):
            one_of(centring, "centring", get_args(Centring))
        if self.penalty is not None and (
                isinstance(self.penalty, bool) or not isinstance(self.penalty, (int, float))
                or not 0 <= self.penalty < np.inf):
            raise ParameterError(f"penalty={self.penalty!r} is not usable; give a number of at least 0, or None to "
                                 "choose it on rows held out")
        whole_number(self.folds, "folds", least=2)
        whole_number(self.validation, "validation", least=0)
        one_of(self.pooled, "pooled", (True, False))
        one_of(self.refit, "refit", (True, False))
        one_of(self.choose, "choose", get_args(Choose))

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        if exog is not None:
            raise ExogError(f"Direct() takes no exogenous columns, got X with {list(exog.names)}; leave X out")
        return self.fit_panel([series])[0]

    def fit_panel(self, panel: Sequence[Series]) -> list[FittedDirect]:
        """Fit one map to many separate series, each with its own level and scale; one fit each comes back.

        Parameters
        ----------
        panel : sequence of Series
            Of any lengths; horizon and look-back left out follow the median length.
        """
        horizon, lookbacks, folds = self._sizes(panel)
        moments = [_level_and_scale(series, 0 if self.refit else self.validation) for series in panel]
        scaled = [(series.values - level) / scale for series, (level, scale) in zip(panel, moments, strict=True)]
        columns = [np.ascontiguousarray(values[:, j]) for values in scaled for j in range(values.shape[1])]
        groups = [columns] if self.pooled else [[column] for column in columns]
        centrings = ("last", "mean") if self.centring is None else _several(self.centring)
        penalties = PENALTIES if self.penalty is None else (float(self.penalty),)
        with one_thread():
            maps = tuple(fit_map(group, horizon, lookbacks, centrings, penalties, folds=folds,
                                 validation=self.validation, refit=self.refit, average=self.choose == "average")
                         for group in groups)
        fits, used = [], 0
        for series, (level, scale) in zip(panel, moments, strict=True):
            own = maps if self.pooled else maps[used:used + series.k]
            used += series.k
            fits.append(_fitted(self, series, level, scale, own, horizon))
        return fits

    def _sizes(self, panel: Sequence[Series]) -> tuple[int, tuple[int, ...], int]:
        """Return horizon, look-backs and the number of blocks to hold out, or raise if no window fits."""
        rows = int(np.median([len(series) for series in panel]))
        horizon = max(1, min(24, rows // 10)) if self.horizon is None else self.horizon
        longest = max(1, min(LONGEST, rows // 5))
        lookbacks = tuple(dict.fromkeys((longest, max(1, longest // 2)) if self.lookback is None
                                        else _several(self.lookback)))
        chosen = self.penalty is None or self.choose == "best"
        most = max(len(series) for series in panel)
        need = max(lookbacks) + (2 if chosen else 1) * horizon + self.validation + 1
        if most < need or 0 < self.validation < horizon:
            raise TooShortError(
                f"Direct(horizon={horizon}, lookback={max(lookbacks)}, validation={self.validation}) needs at least "
                f"{need} rows (and validation 0 or no shorter than the horizon), got {most}; use a shorter horizon or "
                "lookback, or give the penalty, which needs no rows held out")
        checked_memory(f"Direct(horizon={horizon}, lookback={max(lookbacks)}, folds={self.folds})",
                       (2.0 * self.folds + 6.0) * (max(lookbacks) + horizon) ** 2, "use a shorter lookback or horizon")
        blocks = (min(rows, most) - self.validation - max(lookbacks)) // horizon
        return horizon, lookbacks, max(2, min(self.folds, blocks))


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedDirect(Fitted):
    """Maps with the level and scale of each series.

    Attributes
    ----------
    maps : tuple of WindowMap
        One for all series, or one each.
    level, scale : array (k,)
        ŷ = level + scale · Fᵀ (w − level)/scale.

    Examples
    --------
    >>> import varnn
    >>> wave, noise = np.sin(2 * np.pi * np.arange(240) / 12), np.random.default_rng(0).normal(size=240)
    >>> fit = varnn.Direct(horizon=12, lookback=24).fit(wave + 0.01 * noise)
    >>> fit.lookback, bool(np.allclose(fit.forecast(12).point[:, 0], wave[:12], atol=0.05))
    (24, True)
    """

    maps: tuple[WindowMap, ...]
    level: FloatArray
    scale: FloatArray

    @property
    def lookback(self) -> int:
        """Rows of the window."""
        return int(self.maps[0].weights.shape[0])

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was averaged or chosen, with penalties and errors on rows held out; of the first map."""
        return self.maps[0].candidates

    def forecast_many(self, windows: FloatArray, horizon: int | None = None) -> FloatArray:
        """Forecast from many windows at once.

        Parameters
        ----------
        windows : array (B, L, k)
            Look-back windows in the units of the series, or longer ones whose last L rows are used.
        horizon : int, optional
            Steps h; those mapped at once when left out.

        Returns
        -------
        array (B, h, k)
        """
        steps = self.maps[0].weights.shape[1] if horizon is None else horizon
        made = np.empty((len(windows), steps, windows.shape[2]))
        for j in range(windows.shape[2]):
            weights = self.maps[j % len(self.maps)].weights                                       # (L, h)
            recent = (windows[:, windows.shape[1] - len(weights):, j] - self.level[j]) / self.scale[j]
            done = 0
            while done < steps:
                ahead = recent @ weights
                made[:, done:done + ahead.shape[1], j] = ahead[:, :steps - done]
                done += ahead.shape[1]
                recent = np.hstack([recent, ahead])[:, -len(weights):]
            made[:, :, j] = self.level[j] + self.scale[j] * made[:, :, j]
        return made

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        predicted = np.full(values.shape, np.nan)
        for j in range(values.shape[1]):
            scaled = (values[:, j] - self.level[j]) / self.scale[j]
            first = self.maps[j % len(self.maps)].weights[:, 0]
            reached = np.lib.stride_tricks.sliding_window_view(scaled, len(first))[:-1] @ first
            predicted[len(first):, j] = self.level[j] + self.scale[j] * reached
        return predicted

    def _mean(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        return np.asarray(self.forecast_many(self.seen.values[None, -self.lookback:], horizon)[0])

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        """Add to the mean what each shock does when every step is forecast from the one before it."""
        paths, horizon, k = shocks.shape
        moved = np.zeros((paths, self.lookback + horizon, k))
        for t in range(horizon):
            now = self.lookback + t
            for j in range(k):
                first = self.maps[j % len(self.maps)].weights[:, 0]
                moved[:, now, j] = moved[:, t:now, j] @ first + shocks[:, t, j]
        return self._mean(horizon, future_exog) + moved[:, self.lookback:]

    def _outlook(self, horizon: int, future_exog: FloatArray | None,
                 plan: Plan) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Draw paths from the h-step errors of the sample, all steps and series of a window together.

        gaussian and student paths are random mixtures of error paths, Σ_i z_i e_i/√J, so that they have the
        errors' covariance over steps and series; the others take one error path each, wild with a random sign.
        """
        errors = None if plan.uncertainty == "bootstrap" else self._errors(horizon)
        if errors is None:
            return super()._outlook(horizon, future_exog, plan)
        m, rng = plan.n_paths, plan.rng
        if plan.shocks in ("gaussian", "student"):
            mixing = rng.standard_normal((m, len(errors))) / np.sqrt(len(errors))
            if plan.shocks == "student":
                df = degrees_of_freedom(whitened(self._misses))
                mixing *= np.sqrt((df - 2) / rng.chisquare(df, size=(m, 1)))
            drawn = (mixing @ errors.reshape(len(errors), -1)).reshape(m, horizon, -1)
        else:
            drawn = errors[rng.integers(len(errors), size=m)]
            if plan.shocks == "wild":
                drawn = drawn * rng.choice([-1.0, 1.0], size=(m, 1, 1))
        widened = np.sqrt(1.0 + self._leverage()) if plan.uncertainty == "full" else np.ones(self.series.k)
        point = self._mean(horizon, future_exog)
        return point, point + widened * drawn, None

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return 6.5 arrays of the paths and of the errors they are drawn from, as measured, and how they mix."""
        errors = max(0, min(len(self.series) - self.lookback - horizon + 1, MOST_ERRORS))
        return 6.5 * (n_paths + errors) * horizon * self.series.k + n_paths * errors

    def _errors(self, horizon: int) -> FloatArray | None:
        """Return h-step errors (J, h, k) of windows spread over the sample, as large as those of rows held out."""
        errors = self._fitted_errors(horizon)
        return None if errors is None else np.asarray(errors * self._larger_out_of_sample)

    def _fitted_errors(self, horizon: int) -> FloatArray | None:
        """Return h-step errors (J, h, k) of windows spread over the sample, less their means; None where few."""
        L, values = self.lookback, self.series.values
        count = len(values) - L - horizon + 1
        if count < FEWEST_ERRORS:
            return None
        chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_ERRORS)).astype(int))
        windows = np.lib.stride_tricks.sliding_window_view(values, L + horizon, axis=0)[chosen].transpose(0, 2, 1)
        errors = windows[:, L:] - self.forecast_many(windows[:, :L], horizon)
        return np.asarray(errors - errors.mean(axis=0))

    @cached_property
    def _larger_out_of_sample(self) -> FloatArray:
        """How much larger errors are out of sample, (k,).

        Errors of the rows that a map was fitted to are too small, and overlapping windows hide by how much from any
        count of coefficients. So the mean square of the candidates on the blocks held out says it; rows over rows
        less coefficients where nothing was held out, or where that is more.
        """
        counted = np.full(self.series.k, np.sqrt(self.nobs / max(self.df_resid, 1)))
        errors = self._fitted_errors(self.maps[0].weights.shape[1])
        if errors is None:
            return counted
        inside = ((errors / self.scale) ** 2).mean(axis=(0, 1))
        if len(self.maps) == 1:
            inside = np.full(len(inside), inside.mean())
        outside = np.array([np.mean([one.error for one in self.maps[j % len(self.maps)].candidates])
                            for j in range(len(inside))])
        ratio = np.divide(outside, inside, out=np.full(len(inside), np.nan), where=inside > 0.0)
        return np.asarray(np.fmax(np.sqrt(ratio), counted))

    def _leverage(self) -> FloatArray:
        """Return wᵀ(G + λI)⁻¹w/N of the last window of each series, (k,): what estimation adds to the variance."""
        scaled = (self.seen.values[-self.lookback:] - self.level) / self.scale
        return np.array([float(np.sum((self.maps[j % len(self.maps)].gram_root.T @ scaled[:, j]) ** 2))
                         for j in range(self.series.k)])

    def _notes(self) -> list[str]:
        rows = [f"{one.lookback} rows less {'nothing' if one.centring == 'none' else f'their {one.centring}'}"
                f" (penalty {one.penalty:.3g}, held-out MSE {one.error:.4g})" for one in self.candidates]
        sharing = "one map for all series" if len(self.maps) == 1 and self.series.k > 1 else "one map a series"
        return [f"map           {self.lookback} rows to {self.maps[0].weights.shape[1]} steps, {sharing}",
                f"made of       {'; '.join(rows)}"]


def _fitted(spec: Direct, series: Series, level: FloatArray, scale: FloatArray, maps: tuple[WindowMap, ...],
            horizon: int) -> FittedDirect:
    L = maps[0].weights.shape[0]
    first = np.column_stack([maps[j % len(maps)].weights[::-1, 0] for j in range(series.k)])
    params = pd.DataFrame(first, index=[f"L{lag}" for lag in range(1, L + 1)], columns=list(series.names))
    shared = series.k if len(maps) == 1 else 1
    degrees = max(1, round(float(np.mean([one.degrees for one in maps])) / shared))
    return FittedDirect(spec=spec, series=series, exog=None, seen=series, seen_exog=None, params=params,
                        df_model=degrees, maps=maps, level=level, scale=scale)


def _level_and_scale(series: Series, drop: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column over the rows estimated on; a constant has scale 1."""
    values = series.values[:len(series) - drop] if drop < len(series) else series.values
    level, scale = values.mean(axis=0), values.std(axis=0)
    return level, np.where(scale > 1e-13 * np.abs(level), scale, 1.0)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
