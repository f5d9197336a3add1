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

FEWEST_SCORES = 9  # with fewer, not even a 90 % interval is bounded by scores: n ≥ c/(1 − c)
SCORE_PATHS, SPREAD_PATHS = 200, 1000  # behind the spread of one calibration forecast, and of the one that counts
Method = Literal["split", "adaptive"]


@dataclass(frozen=True, kw_only=True)
class Conformal(Forecaster):
    """Calibrate a model's intervals on forecasts of the last part of its own window.

    A copy of the model, fitted on the first part, forecasts from every origin of the last part. The sizes of its
    errors at step h, divided by its own forecast spread, are the scores z_1 … z_n of that step. The model is then
    fitted on everything, and its interval at step h becomes mean ± spread · z_(⌈(n + 1) c⌉), the spread still that of
    the copy, whose mistakes the scores know. It holds the next outcome with probability at least c, for any model and
    any n, *if the scores are exchangeable*. Beyond the largest score, c > n/(n + 1), the model's own tail goes on.

    Time series are not exchangeable: drift in the spread, or scores that overlap at h > 1, weaken the promise.
    ``method="adaptive"`` weighs recent scores more, w ∝ ρ^age, which trades a little width for following change.
    Scores with a sign would make intervals that lean as the errors do, but were too few here: with three series,
    T = 100 and 12 steps, nominal 95 % held 89 % of outcomes with them and holds 95 % without (benchmarks/intervals.py).

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
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), JASA 113, section 5.2 (errors over their spread).
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
    """A fit on the whole window and one on its first part, whose later errors calibrate the intervals.

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=200)
    >>> fit = varnn.Conformal(varnn.VAR(lags=1)).fit(y)
    >>> lower, upper = fit.forecast(2, rng=0).interval(0.8)        # calibrated on errors the early fit made later
    >>> bool((lower < upper).all(axis=None))
    True
    """

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
        own = np.sort(np.abs(paths - point) / spread_of(paths), axis=0)                               # (m, h, k)
        ranks = (np.argsort(np.argsort(paths, axis=0, kind="stable"), axis=0) + 0.5) / len(paths)
        reach = self._spread_now(horizon, future_exog)                                                # (h, k)
        calibrated = np.empty_like(paths)
        for step, j in np.ndindex(horizon, self.series.k):
            level = 2 * ranks[:, step, j] - 1
            size = conformal_quantile(np.abs(scores[:, step, j]), weights, np.abs(level), own[:, step, j])
            calibrated[:, step, j] = point[step, j] + reach[step, j] * np.sign(level) * size
        return point, calibrated, None

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return the peak: of the model, of its paths and their ranks, or of the calibrated copy beside these."""
        size = n_paths * horizon * self.series.k
        return max(self.full._held(n_paths, horizon), 6.5 * size + 14 * n_paths,
                   3.5 * size + self.early._held(SPREAD_PATHS, horizon))

    def _warn_unless_stable(self, what: str) -> None:
        self.full._warn_unless_stable(what)

    def scores(self, horizon: int) -> tuple[FloatArray, FloatArray]:
        """Return the calibration scores with their signs (n, h, k), oldest first, and the weight of each (n,)."""
        rows = len(self.series)
        fit, found = self.early, []
        for origin in range(self.cut, rows - horizon + 1):
            fit = self._moved(fit, origin)
            future = None if self.exog is None else self.exog.window(origin, origin + horizon)
            outlook = fit.forecast(horizon, future, n_paths=SCORE_PATHS, rng=self.seed + origin)
            miss = self.series.values[origin:origin + horizon] - outlook.point
            found.append(miss / spread_of(outlook.paths))
        age = np.arange(len(found))[::-1].astype(float)
        spec = self.spec
        weights = spec.decay**age if isinstance(spec, Conformal) and spec.method == "adaptive" else np.ones(len(found))
        return np.array(found).reshape(len(found), horizon, self.series.k), weights

    def _spread_now(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        """Spread (h, k) of the copy that was calibrated, from the end of what has been seen."""
        plan = Plan(n_paths=SPREAD_PATHS, uncertainty="full", shocks="gaussian", rng=np.random.default_rng(self.seed))
        return spread_of(self._moved(self.early, len(self.seen))._outlook(horizon, future_exog, plan)[1])

    def _moved(self, fit: Fitted, rows: int) -> Fitted:
        """Let a fit see the series up to so many rows."""
        seen = len(fit.seen)
        if seen == rows:
            return fit
        return fit.update(self.seen.window(seen, rows),
                          None if self.seen_exog is None else self.seen_exog.window(seen, rows))

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


def spread_of(paths: FloatArray) -> FloatArray:
    """Return the standard deviations (h, k) of paths (m, h, k), above zero."""
    return np.asarray(np.maximum(paths.std(axis=0), np.finfo(float).tiny))


def conformal_quantile(scores: FloatArray, weights: FloatArray, level: FloatArray, own: FloatArray) -> FloatArray:
    """Return weighted quantiles of scores with one unit of weight for the unseen score.

    For equal weights this is the ⌈(n + 1) c⌉-th smallest score. Beyond the largest one it grows as the sorted sample
    `own` does from the level that the largest score has to the level asked for.

    Examples
    --------
    >>> own = np.linspace(0, 2, 101)
    >>> conformal_quantile(np.arange(1.0, 10.0), np.ones(9), np.array([0.5, 0.9, 0.95]), own).round(6).tolist()
    [5.0, 9.0, 9.1]
    """
    order = np.argsort(scores, kind="stable")
    mass = np.cumsum(weights[order]) / (weights.sum() + 1.0)
    at = np.searchsorted(mass, level - 1e-12)
    beyond = np.maximum(level, mass[-1])
    tail = np.quantile(own, beyond) - np.quantile(own, mass[-1])
    return np.asarray(scores[order][np.minimum(at, len(order) - 1)] + tail)
