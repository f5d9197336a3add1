"""Every score by name: `score("crps")(observed, prediction, scale)` gives losses, never an average.

The table `SCORES` is the list; a new score is one function and one line there (or `register`). Called by
the backtest for each origin; never imports a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from varnn.errors import DataNameError, MissingDataError, NonFiniteError, ParameterError, ShapeError
from varnn.evaluate.scores import density as density_scores
from varnn.evaluate.scores import joint as joint_scores
from varnn.evaluate.scores import point as point_scores

FloatArray = NDArray[np.float64]
GROUP = "varnn.scores"
Grain = Literal["step and series", "step", "path"]
Yardstick = Literal["none", "absolute", "squared"]


class Predicted(Protocol):
    """What a score reads of a forecast: the mean (h, k) and, for distributions, paths (m, h, k)."""

    @property
    def mean(self) -> FloatArray:
        """Point forecasts (h, k)."""
        ...

    @property
    def paths(self) -> FloatArray:
        """Joint sample paths (m, h, k)."""
        ...


@dataclass(frozen=True, eq=False)
class Prediction:
    """The plainest `Predicted`: two arrays.

    Attributes
    ----------
    mean : array (h, k)
    paths : array (m, h, k)
        May hold no path, shape (0, h, k), when only point scores are asked for.
    """

    mean: FloatArray
    paths: FloatArray


@dataclass(frozen=True)
class Score:
    """A loss with a name; smaller is better.

    Attributes
    ----------
    name : str
    title : str
        What tables and figures call it.
    function : callable (observed (h, k), prediction, scale (k,)) -> array
        The loss itself.
    grain : str
        The result is (h, k) for 'step and series', (h,) for 'step', () for 'path'.
    reads_paths : bool
        False if the mean is enough.
    yardstick : str
        The scale the loss is divided by, see `scale_of`.
    root : bool
        True if tables take the root of the average, as RMSE does.
    """

    name: str
    title: str
    function: Callable[[FloatArray, Predicted, FloatArray], FloatArray]
    grain: Grain = "step and series"
    reads_paths: bool = False
    yardstick: Yardstick = "none"
    root: bool = False

    def __call__(self, observed: FloatArray, prediction: Predicted, scale: FloatArray | None = None) -> FloatArray:
        """Return the losses of one origin.

        Parameters
        ----------
        observed : array (h, k)
            The outcomes, in the units of the series.
        prediction : Predicted
            Anything with .mean (h, k) and .paths (m, h, k).
        scale : array (k,), optional
            From `scale_of`; needed by scores with a yardstick.

        Returns
        -------
        array (h, k), (h,) or ()
            By the score's grain; finite.

        Raises
        ------
        ShapeError, MissingDataError, NonFiniteError, ParameterError
            Naming what does not fit.

        Examples
        --------
        >>> forecast = Prediction(mean=np.zeros((2, 1)), paths=np.empty((0, 2, 1)))
        >>> score("absolute_error")(np.array([[1.0], [-2.0]]), forecast)
        array([[1.],
               [2.]])
        """
        observed = np.asarray(observed, dtype=np.float64)
        _check(self, observed, prediction)
        if self.yardstick == "none":
            scale = np.ones(observed.shape[1])
        if scale is None or np.shape(scale) != observed.shape[1:] or not (np.asarray(scale) > 0).all():
            raise ParameterError(f"{self.name} needs scale with one number above zero for each of the "
                                 f"{observed.shape[1]} series, got {scale!r}; make it with score.scale_of(training)")
        losses = np.asarray(self.function(observed, prediction, scale))
        if not np.isfinite(losses).all():
            raise NonFiniteError(f"{self.name} is not finite; the forecast is too far from the outcome for float64")
        return losses

    def scale_of(self, training: FloatArray, season: int = 1) -> FloatArray:
        """Return the scale (k,) this score divides by, from the training window (T, k) alone.

        'absolute' is the in-sample mean absolute error of the seasonal naive forecast (`mase_scale`),
        'squared' the root of its mean square (`rmsse_scale`), 'none' is one.
        """
        if self.yardstick == "none":
            return np.ones(training.shape[1])
        scale = point_scores.mase_scale if self.yardstick == "absolute" else point_scores.rmsse_scale
        return scale(training, season)


def _energy_by_step(y: FloatArray, f: Predicted, scale: FloatArray) -> FloatArray:
    return np.array([joint_scores.energy(y[i] / scale, f.paths[:, i] / scale) for i in range(len(y))])


def _energy_of_path(y: FloatArray, f: Predicted, scale: FloatArray) -> FloatArray:
    return np.asarray(joint_scores.energy((y / scale).ravel(), (f.paths / scale).reshape(len(f.paths), -1)))


def _variogram_by_step(y: FloatArray, f: Predicted, scale: FloatArray) -> FloatArray:
    return np.array([joint_scores.variogram(y[i] / scale, f.paths[:, i] / scale) for i in range(len(y))])


def _variogram_of_path(y: FloatArray, f: Predicted, scale: FloatArray) -> FloatArray:
    return np.asarray(joint_scores.variogram((y / scale).ravel(), (f.paths / scale).reshape(len(f.paths), -1)))


SCORES: dict[str, Score] = {entry.name: entry for entry in (
    Score("squared_error", "RMSE", lambda y, f, _: point_scores.squared_error(y, f.mean), root=True),
    Score("absolute_error", "MAE", lambda y, f, _: point_scores.absolute_error(y, f.mean)),
    Score("absolute_scaled_error", "MASE", lambda y, f, s: point_scores.absolute_scaled_error(y, f.mean, s),
          yardstick="absolute"),
    Score("squared_scaled_error", "RMSSE", lambda y, f, s: point_scores.squared_scaled_error(y, f.mean, s),
          yardstick="squared", root=True),
    Score("crps", "CRPS", lambda y, f, _: density_scores.crps(y, f.paths), reads_paths=True),
    Score("crps_fair", "CRPS (fair)", lambda y, f, _: density_scores.crps(y, f.paths, estimator="fair"),
          reads_paths=True),
    Score("crps_scaled", "scaled CRPS", lambda y, f, s: density_scores.crps(y, f.paths) / s,
          reads_paths=True, yardstick="absolute"),
    Score("log_score", "log score", lambda y, f, _: density_scores.log_score(y, f.paths), reads_paths=True),
    Score("log_score_kde", "log score (kernel density)", lambda y, f, _: density_scores.log_score_kde(y, f.paths),
          reads_paths=True),
    Score("dawid_sebastiani", "Dawid–Sebastiani", lambda y, f, _: density_scores.dawid_sebastiani(y, f.paths),
          reads_paths=True),
    Score("weighted_quantile_loss", "weighted quantile loss",
          lambda y, f, _: density_scores.weighted_quantile_loss(y, f.paths), reads_paths=True),
    Score("energy", "energy score", _energy_by_step, "step", reads_paths=True, yardstick="absolute"),
    Score("energy_path", "energy score of paths", _energy_of_path, "path", reads_paths=True, yardstick="absolute"),
    Score("variogram", "variogram score", _variogram_by_step, "step", reads_paths=True, yardstick="absolute"),
    Score("variogram_path", "variogram score of paths", _variogram_of_path, "path", reads_paths=True,
          yardstick="absolute"),
)}


def score(name: str) -> Score:
    """Return the score called `name`.

    Besides the names in `SCORES`, 'quantile_0.9' is the pinball loss of the paths' 90 % quantile and
    'interval_0.9' the interval score of their central 90 % interval, for any number in (0, 1), and packages offer
    scores of their own under the entry point ``varnn.scores``.

    Raises
    ------
    DataNameError
        For an unknown name, with the list of known ones.

    Examples
    --------
    >>> score("interval_0.9").title
    'interval score at 90 %'
    """
    kind, _, level = name.rpartition("_") if isinstance(name, str) else ("", "", "")
    if isinstance(name, str) and name in SCORES:
        return SCORES[name]
    if kind in ("quantile", "interval") and _is_level(level):
        return _quantile_score(name, float(level)) if kind == "quantile" else _interval_score(name, float(level))
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if name in offered:
        return _checked(offered[name].load(), name)
    raise DataNameError(f"no score is called {name!r}; choose from {', '.join(SCORES)}, "
                        "or quantile_0.9, interval_0.9 with any level between 0 and 1")


def _checked(entry: object, name: str) -> Score:
    if not isinstance(entry, Score) or entry.name != name:
        raise ParameterError(f"the entry point {GROUP}: {name} is {entry!r}, not a Score of that name; offer Score("
                             f"{name!r}, title, function)")
    return entry


def register(entry: Score) -> Score:
    """Add a score of your own; refuses a name that is taken.

    Raises
    ------
    ParameterError
        If the name is in use.
    """
    if entry.name in SCORES:
        raise ParameterError(f"a score called {entry.name!r} exists already; choose another name")
    SCORES[entry.name] = entry
    return entry


def _quantile_score(name: str, level: float) -> Score:
    return Score(name, f"quantile loss at {level:g}", reads_paths=True, function=lambda y, f, _:
                 density_scores.quantile_loss(y, np.quantile(f.paths, level, axis=0), level))


def _interval_score(name: str, coverage: float) -> Score:
    def function(y: FloatArray, f: Predicted, _: FloatArray) -> FloatArray:
        lower, upper = np.quantile(f.paths, ((1.0 - coverage) / 2.0, (1.0 + coverage) / 2.0), axis=0)
        return density_scores.interval_score(y, lower, upper, coverage)

    return Score(name, f"interval score at {100 * coverage:g} %", function, reads_paths=True)


def _is_level(text: str) -> bool:
    try:
        return 0.0 < float(text) < 1.0
    except ValueError:
        return False


def _check(entry: Score, observed: FloatArray, prediction: Predicted) -> None:
    mean, paths = prediction.mean, prediction.paths
    if observed.ndim != 2 or np.shape(mean) != observed.shape:
        raise ShapeError(f"{entry.name}: observed has shape {observed.shape} and mean {np.shape(mean)}; "
                         "both must be (h, k)")
    if np.isnan(observed).any():
        step, series = np.argwhere(np.isnan(observed))[0]
        raise MissingDataError(f"{entry.name}: the outcome of step {step + 1}, series {series} is missing; "
                               "score only what was observed")
    read = {"observed": observed, "paths": paths} if entry.reads_paths else {"observed": observed, "mean": mean}
    if entry.reads_paths and (np.ndim(paths) != 3 or np.shape(paths)[1:] != observed.shape or len(paths) == 0):
        raise ShapeError(f"{entry.name}: paths have shape {np.shape(paths)}; it needs (m, {observed.shape[0]}, "
                         f"{observed.shape[1]}) with at least one path, ask for the forecast with n_paths above 0")
    for part, values in read.items():
        if not np.isfinite(values).all():
            raise NonFiniteError(f"{entry.name}: {part} holds a number that is not finite; refit the model or drop it")
