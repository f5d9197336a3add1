"""Conformal intervals around any forecaster: the spread of forecasts is set by the errors it really made.

Wraps one model; knows none by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from varnn.errors import ParameterError, TooShortError
from varnn.forecaster import Draws, Fitted, Forecaster, Plan, one_of
from varnn.series import FloatArray, Series

FEWEST_SCORES = 19  # with fewer, not even a 90 % interval is bounded by scores: n ≥ 2/(1 − c) − 1
Method = Literal["split", "adaptive"]


@dataclass(frozen=True, kw_only=True)
class Conformal(Forecaster):
    """Calibrate a model's intervals on forecasts of the last part of its own window.

    A copy of the model, fitted on the first part, forecasts from every origin of the last part. Its errors at
    step h, divided by its own forecast spread, are the scores z_1 … z_n of that step; the model is then fitted on
    everything, and its distribution at step h becomes mean + spread · z. With c the coverage, the interval is cut
    at the ⌈(n + 1)(1 + c)/2⌉-th smallest score above and symmetrically below, which holds the next outcome with
    probability at least c, for any model and any n, *if the scores are exchangeable*.

    Time series are not exchangeable: drift in the spread, or scores that overlap at h > 1, weaken the promise.
    ``method="adaptive"`` weighs recent scores more, w ∝ ρ^age, which trades a little width for following change.

    Parameters
    ----------
    model : Forecaster
    method : {"split", "adaptive"}
    calibration : float
        Share of the window kept for calibration.
    decay : float
        ρ of the adaptive method.

    References
    ----------
    Vovk, Shen, Manokhin and Xie (2019), Machine Learning 108 (conformal predictive distributions).
    Barber, Candès, Ramdas and Tibshirani (2023), Annals of Statistics 51, Theorem 2 (weights).

    Examples
    --------
    >>> from varnn import Mean
    >>> y = np.random.default_rng(0).standard_normal(200)
    >>> lower, upper = Conformal(Mean()).fit(y).forecast(1).interval(0.9)
    >>> bool(1.2 < upper.iloc[0, 0] < 2.2)
    True
    """

    model: Forecaster = field(kw_only=False)
    method: Method = "split"
    calibration: float = 0.5
    decay: float = 0.98
    rung: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, Forecaster):
            raise ParameterError(f"model={self.model!r} is not a model; give one, for example Conformal(VAR())")
        one_of(self.method, "method", get_args(Method))
        for name in ("calibration", "decay"):
            value = getattr(self, name)
            if not isinstance(value, float) or not 0 < value < 1:
                raise ParameterError(f"{name}={value!r} is not usable; give a number strictly between 0 and 1")

    @property
    def label(self) -> str:
        """Name for tables, with the model in it."""
        return f"Conformal({self.model.label})"

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        cut = len(series) - round(self.calibration * len(series))
        streams = rng.spawn(3)
        early = self.model.fit(series.window(0, cut), None if exog is None else exog.window(0, cut), rng=streams[0])
        full = self.model.fit(series, exog, rng=streams[1])
        return FittedConformal(spec=self, series=series, exog=exog, seen=series, seen_exog=exog, params=full.params,
                               df_model=full.df_model, full=full, early=early, cut=cut,
                               seed=int(streams[2].integers(2**63)))


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedConformal(Fitted):
    """A fit on the whole window and one on its first part, whose later errors calibrate the intervals."""

    full: Fitted
    early: Fitted
    cut: int
    seed: int

    def _outlook(self, horizon: int, future_exog: FloatArray | None,
                 plan: Plan) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Keep the ranks of the model's own paths, so they stay joint, and give every margin the scores' spread."""
        point, paths, _ = self.full._outlook(horizon, future_exog, plan)
        scores, weights = self.scores(horizon)
        if len(scores) < FEWEST_SCORES:
            raise TooShortError(f"{self.spec.label} has {len(scores)} calibration errors at horizon {horizon}, it "
                                f"needs {FEWEST_SCORES}; use a longer series, a shorter horizon or a larger "
                                "calibration share")
        spread = np.maximum(paths.std(axis=0), np.finfo(float).tiny)                              # (h, k)
        ranks = (np.argsort(np.argsort(paths, axis=0, kind="stable"), axis=0) + 0.5) / len(paths)
        calibrated = np.empty_like(paths)
        for step in range(horizon):
            for j in range(self.series.k):
                level = conformal_quantile(scores[:, step, j], weights, ranks[:, step, j])
                calibrated[:, step, j] = point[step, j] + spread[step, j] * level
        return point, calibrated, None

    def scores(self, horizon: int) -> tuple[FloatArray, FloatArray]:
        """Return the calibration scores (n, h, k), oldest first, and the weight of each (n,)."""
        rows = len(self.series)
        origins = range(self.cut, rows - horizon + 1)
        fit, found = self.early, []
        for origin in origins:
            if origin > self.cut:
                fresh = None if self.exog is None else self.exog.window(origin - 1, origin)
                fit = fit.update(self.series.window(origin - 1, origin), fresh)
            future = None if self.exog is None else self.exog.window(origin, origin + horizon)
            outlook = fit.forecast(horizon, future, n_paths=200, rng=self.seed + origin)
            spread = np.maximum(outlook.paths.std(axis=0), np.finfo(float).tiny)
            found.append((self.series.values[origin:origin + horizon] - outlook.point) / spread)
        age = np.arange(len(found))[::-1].astype(float)
        spec = self.spec
        weights = spec.decay**age if isinstance(spec, Conformal) and spec.method == "adaptive" else np.ones(len(found))
        return np.array(found).reshape(len(found), horizon, self.series.k), weights

    def update(self, y_new: object, X_new: object = None) -> Self:
        """Move the full fit on; the calibration stays as it was estimated."""
        moved = super().update(y_new, X_new)
        return replace(moved, full=self.full.update(y_new, X_new))

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        return self.full._one_step(values, exog)

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        return self.full._simulate(shocks, future_exog, draws)

    def _notes(self) -> list[str]:
        return self.full._notes()


def conformal_quantile(scores: FloatArray, weights: FloatArray, level: FloatArray) -> FloatArray:
    """Return weighted score quantiles with one unit of weight for the unseen score, cut at the extremes.

    For equal weights and c ≥ ½ this is the ⌈(n + 1) c⌉-th smallest score, and its mirror image for c < ½.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 10.0), np.ones(9), np.array([0.05, 0.95])).tolist()
    [1.0, 9.0]
    """
    order = np.argsort(scores, kind="stable")
    ranked, mass = scores[order], np.append(weights[order], 1.0)
    upward = np.cumsum(mass[:-1]) / mass.sum()
    downward = np.cumsum(mass[:-1][::-1]) / mass.sum()
    above = np.minimum(np.searchsorted(upward, level - 1e-12), len(ranked) - 1)
    below = len(ranked) - 1 - np.minimum(np.searchsorted(downward, 1 - level - 1e-12), len(ranked) - 1)
    return np.asarray(np.where(level >= 0.5, ranked[above], ranked[below]))
