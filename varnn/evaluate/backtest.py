"""Rolling-origin evaluation without look-ahead: every model, every origin, into one ledger.

A model gets a copy of the rows before its origin and nothing else; scaling, order and every other choice are
made inside that copy. Called by `compare`; never averages a loss.
"""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.errors import InputError, VarnnError, VarnnWarning
from varnn.evaluate.ledger import COVERAGES, ORACLE, Ledger
from varnn.evaluate.scores.at_origin import marks
from varnn.evaluate.scores.point import mase_scale, rmsse_scale
from varnn.evaluate.window_inputs import Inputs
from varnn.evaluate.windows import Origin, Windows
from varnn.forecaster import Fitted, Forecaster, Plan
from varnn.series import FloatArray, Series

Oracle = Callable[[int, int], FloatArray]
"""(rows seen, horizon) -> best possible mean (h, k), NaN where unknown."""

Progress = Callable[[str, int, int], None]
"""(model, origins done, origins in all) -> None, called after each origin."""

BOUNDS = [(f"{side}_{100 * c:g}", round((1 + sign * c) / 2, 6))
          for c in COVERAGES for side, sign in (("lower", -1), ("upper", 1))]
LEVELS = np.array([level for _, level in BOUNDS])
MARKED = ["mean", *(name for name, _ in BOUNDS), "crps", "pit"]
CELLS = 60_000  # numbers in the paths that are drawn together; more leave the cache and cost more
Troubles = tuple[type[BaseException], ...]
OURS: Troubles = (VarnnError,)
ANY: Troubles = (Exception, SystemExit)  # what one model may raise without ending a comparison; not Ctrl-C
KEPT = (VarnnWarning, RuntimeWarning)  # warnings that the ledger keeps
DIGITS = 12  # significant digits kept of each number, so that a ledger read from file equals the one in memory


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to forecast: the series, the windows and how it is judged.

    Attributes
    ----------
    series, exog : Series
        All observations; models only ever get copies of the rows before an origin.
    windows : Windows
    season : int
        Of the scale that MASE and RMSSE divide by.
    seed : int
        Every model × origin draws from its own generator, derived from this.
    n_paths : int
        Sample paths for each forecast.
    oracle : callable, optional
        Best possible means, for simulated data.
    target : tuple of str, optional
        Series that are scored; all when left out. The others are forecast too, as inputs known up to each origin.
    missing : {"raise", "filter"}
        With "filter" the series may hold NaN: models bridge them, and no forecast is judged by them.
    """

    series: Series
    exog: Series | None
    windows: Windows
    season: int = 1
    seed: int = 0
    n_paths: int = 500
    oracle: Oracle | None = None
    target: tuple[str, ...] | None = None
    missing: Literal["raise", "filter"] = "raise"

    @cached_property
    def judged(self) -> list[int]:
        """Columns of the series that are scored."""
        names = self.series.names
        return list(range(self.series.k)) if self.target is None else [names.index(name) for name in self.target]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the series that are scored."""
        return tuple(self.series.names[column] for column in self.judged)

    @cached_property
    def outcomes(self) -> FloatArray:
        """Every observation that is scored, (T, k)."""
        return np.ascontiguousarray(self.series.values[:, self.judged])

    @cached_property
    def scales(self) -> tuple[FloatArray, FloatArray]:
        """MASE and RMSSE yardsticks (k,) of the first training window, the same at every origin.

        Raises
        ------
        RankDeficientError
            If a scored series repeats itself in that window, naming it.
        """
        training = self.outcomes[:self.windows.first]
        season = self.season if len(training) > self.season else 1
        return mase_scale(training, season, self.names), rmsse_scale(training, season, self.names)

    @cached_property
    def inputs(self) -> Inputs:
        """What each window has of the exogenous columns."""
        return Inputs(self.exog)

    @cached_property
    def kept_scales(self) -> FloatArray:
        """The same (2, k), with the digits that a ledger keeps."""
        return _short(np.array(self.scales))

    @cached_property
    def dates(self) -> NDArray[np.object_]:
        """The date of every row as text."""
        index = self.series.index
        return np.array(list(map(str, index)) if isinstance(index, pd.RangeIndex) else index.astype(str), dtype=object)


@dataclass
class Part:
    """Forecasts of one model over some origins: columns of the ledger's three tables, a block an origin."""

    forecasts: list[dict[str, Any]] = field(default_factory=list)
    joint: list[dict[str, Any]] = field(default_factory=list)
    fits: list[dict[str, Any]] = field(default_factory=list)


def backtest(models: Mapping[str, Forecaster], task: Task, meta: Mapping[str, Any],
             progress: Progress | None = None) -> Ledger:
    """Forecast from every origin with every model and return all of it.

    A model that refuses a window, or fails in it for whatever reason, is kept in the ledger with NaN forecasts and
    that reason; all others are scored.

    Parameters
    ----------
    models : mapping of label to Forecaster
    task : Task
    meta : mapping
        JSON-able facts about the data and the run, kept with the ledger.
    progress : callable, optional
        Called after each origin.

    Returns
    -------
    Ledger
    """
    if ORACLE in models:
        raise InputError(f"a model is labelled {ORACLE!r}, which is the name of the best possible forecast; rename it")
    total = task.windows.count(len(task.series))
    parts = []
    for label, model in models.items():
        done = 0
        for block in blocks(task):
            parts += forecast_blocks(label, model, [(task, block)], ANY)
            done += len(block)
            if progress is not None:
                progress(label, done, total)
    if task.oracle is not None:
        parts.append(oracle_part(task))
    return assemble(parts, meta)


def blocks(task: Task) -> list[list[Origin]]:
    """Return the origins in blocks that each begin with an estimation, so that blocks can run apart."""
    parts: list[list[Origin]] = []
    for origin in task.windows.over(len(task.series)):
        if origin.refit:
            parts.append([])
        parts[-1].append(origin)
    return parts


def forecast_blocks(label: str, model: Forecaster, work: Sequence[tuple[Task, Sequence[Origin]]],
                    troubles: Troubles = OURS) -> list[Part]:
    """Return one model's forecasts from blocks of origins, of one series or of many; the same bits alone and together.

    All fits are made first, then their paths are drawn together where the model can. A block with any trouble is done
    by itself, origin by origin; `troubles` are what then makes a hole at an origin instead of being raised.
    """
    if not model.draws_together:
        return [forecast_block(label, model, task, origins, troubles) for task, origins in work]
    fits: list[list[_Asked]] = []
    for task, origins in work:
        try:
            fits.append(_asked(label, model, task, origins))
        except ANY:  # raised again where it is no hole
            fits.append([])
    asked = [one for block in fits for one in block]
    try:
        outlooks = _together(asked)
    except ANY:
        outlooks = {}
    parts = []
    for (task, origins), block in zip(work, fits, strict=True):
        if not block or any(id(one) not in outlooks for one in block):
            parts.append(forecast_block(label, model, task, origins, troubles))
            continue
        part = Part()
        for one in block:
            point, paths, seconds = outlooks[id(one)]
            part.fits.append(_fit_row(label, one.origin, one.seconds + seconds, one.stop, one.fit))
            _record(label, one.origin, point, paths, task, part)
        parts.append(part)
    return parts


@dataclass(frozen=True, eq=False)
class _Asked:
    """A fit at one origin, whose paths are still to be drawn."""

    task: Task
    origin: Origin
    fit: Fitted
    rng: np.random.Generator
    stop: str
    seconds: float


def _asked(label: str, model: Forecaster, task: Task, origins: Sequence[Origin]) -> list[_Asked]:
    found: list[_Asked] = []
    for origin in origins:
        rng, started = origin_seed(task.seed, label, origin.stop), time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = _moved_on(found[-1].fit, task, origin.stop) if found and not origin.refit else _fitted(
                model, task, origin, rng)
        stop = _said(caught)
        found.append(_Asked(task, origin, fit, rng, stop, time.perf_counter() - started))
    return found


def _together(asked: Sequence[_Asked]) -> dict[int, tuple[FloatArray, FloatArray, float]]:
    """Return point, paths and seconds of each, drawn together as far as the memory allows; warnings are trouble."""
    found: dict[int, tuple[FloatArray, FloatArray, float]] = {}
    groups: dict[Any, list[_Asked]] = {}
    for one in asked:
        steps, k = one.task.windows.gap + one.task.windows.horizon, one.fit.series.k
        groups.setdefault((type(one.fit), steps, one.fit._checked_paths(one.task.n_paths, steps), k), []).append(one)
    for (kind, steps, n_paths, k), alike in groups.items():
        most = max(1, CELLS // (steps * n_paths * k))
        for first in range(0, len(alike), most):
            some, started = alike[first:first + most], time.perf_counter()
            plans = [Plan(n_paths=n_paths, uncertainty="full", shocks="gaussian", rng=one.rng) for one in some]
            with warnings.catch_warnings():
                for kind_of_warning in KEPT:
                    warnings.simplefilter("error", kind_of_warning)
                futures = [_future(one.fit, one.task) for one in some]
                outlooks = kind._outlooks([one.fit for one in some], steps, futures, plans)
            seconds = (time.perf_counter() - started) / len(some)
            found |= {id(one): (*_finite(one.fit, one.task, point, paths), seconds)
                      for one, (point, paths, _) in zip(some, outlooks, strict=True)}
    return found


def forecast_block(label: str, model: Forecaster, task: Task, origins: Sequence[Origin],
                   troubles: Troubles = OURS) -> Part:
    """Return one model's forecasts from one block of origins, one by one; a failure is a row with its reason."""
    part = Part()
    fit: Fitted | None = None
    for origin in origins:
        rng = origin_seed(task.seed, label, origin.stop)
        started = time.perf_counter()
        stop, point, paths = "", None, None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if fit is None or origin.refit:
                    fit = _fitted(model, task, origin, rng)
                else:
                    fit = _moved_on(fit, task, origin.stop)
                point, paths = _forecast(fit, task, rng)
            except troubles as problem:
                stop, fit = f"{type(problem).__name__}: {problem}".removesuffix(": "), None
        stop = stop or _said(caught)
        part.fits.append(_fit_row(label, origin, time.perf_counter() - started, stop, fit))
        _record(label, origin, point, paths, task, part)
    return part


def _fit_row(label: str, origin: Origin, seconds: float, stop: str, fit: Fitted | None) -> dict[str, Any]:
    return {"model": label, "origin": origin.stop, "refit": origin.refit, "seconds": round(seconds, 6), "stop": stop,
            "notes": "" if fit is None else "; ".join([fit.choice, *fit._notes()] if fit.choice else fit._notes())}


def failed_part(label: str, task: Task, origins: Sequence[Origin], reason: str) -> Part:
    """Return one block of origins at which a model gave nothing, with the reason why."""
    part = Part()
    for origin in origins:
        part.fits.append({"model": label, "origin": origin.stop, "refit": origin.refit, "seconds": np.nan,
                          "stop": reason, "notes": ""})
        _record(label, origin, None, None, task, part)
    return part


def oracle_part(task: Task) -> Part:
    """Return the best possible forecasts at every origin of a simulated series."""
    part = Part()
    if task.oracle is None:
        return part
    for origin in task.windows.over(len(task.series)):
        best = task.oracle(origin.stop, task.windows.gap + task.windows.horizon)[task.windows.gap:]
        _record(ORACLE, origin, best, None, task, part)
    return part


def assemble(parts: Sequence[Part], meta: Mapping[str, Any]) -> Ledger:
    """Return the ledger that parts in the order model × origin, the oracle last, make together."""
    def joined(blocks: Iterable[dict[str, Any]]) -> pd.DataFrame:
        every = list(blocks)
        rows = [len(block["step"]) for block in every]
        table: dict[str, Any] = {}
        for name in every[0]:
            parts = [block[name] for block in every]
            if isinstance(parts[0], (str, int)):
                table[name] = [part for part, count in zip(parts, rows, strict=True) for _ in range(count)]
            else:  # a DataFrame for each origin takes ten times as long
                table[name] = [number for part in parts for number in part]
        return pd.DataFrame(table)

    return Ledger(joined(block for part in parts for block in part.forecasts),
                  joined(block for part in parts for block in part.joint),
                  pd.DataFrame([row for part in parts for row in part.fits]), dict(meta))


def origin_seed(seed: int, label: str, stop: int) -> np.random.Generator:
    """Return the private generator of one model at one origin, whatever ran before it or beside it."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(label.encode()), stop]))


def _fitted(model: Forecaster, task: Task, origin: Origin, rng: np.random.Generator) -> Fitted:
    known = task.series.window(origin.start, origin.stop)
    exog = task.inputs.window(origin.start, origin.stop) if model.takes_exog else None
    return model.fit(known, exog, rng=rng) if task.missing == "raise" else model.fit(
        known, exog, missing=task.missing, rng=rng)


def _moved_on(fit: Fitted, task: Task, stop: int) -> Fitted:
    """Let a fit see the rows since its last origin."""
    seen = stop - _rows_seen(fit, task)
    if seen == 0:
        return fit
    fresh = task.series.window(stop - seen, stop)
    exog = None if fit.seen_exog is None else task.inputs.rows(stop - seen, stop, fit.seen_exog.names)
    return fit.update(fresh, exog)


def _forecast(fit: Fitted, task: Task, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    steps = task.windows.gap + task.windows.horizon
    n_paths = fit._checked_paths(task.n_paths, steps)
    plan = Plan(n_paths=n_paths, uncertainty="full", shocks="gaussian", rng=rng)
    point, paths, _ = fit._outlook(steps, _future(fit, task), plan)
    return _finite(fit, task, point, paths)


def _future(fit: Fitted, task: Task) -> FloatArray | None:
    if fit.seen_exog is None:
        return None
    stop = _rows_seen(fit, task)
    return task.inputs.rows(stop, stop + task.windows.gap + task.windows.horizon, fit.seen_exog.names).values


def _finite(fit: Fitted, task: Task, point: FloatArray, paths: FloatArray) -> tuple[FloatArray, FloatArray]:
    if not np.isfinite(point).all() or not np.isfinite(paths).all():
        raise InputError(f"{fit.spec.label} forecast a number that is not finite; this is a defect of the model")
    return point[task.windows.gap:], paths[:, task.windows.gap:]


def _rows_seen(fit: Fitted, task: Task) -> int:
    """Return how many rows of the task lie at or before the last one the fit has seen."""
    return int(task.series.index.searchsorted(fit.seen.index[-1], side="right"))


def _said(caught: list[warnings.WarningMessage]) -> str:
    """Return varnn's own warnings and those of arithmetic, which the ledger keeps; others are raised again."""
    said = []
    for one in caught:
        if issubclass(one.category, VarnnWarning):
            said.append(str(one.message))
        elif issubclass(one.category, RuntimeWarning):
            said.append(f"{one.category.__name__}: {one.message}")
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno, source=one.source)
    return "; ".join(dict.fromkeys(said))


def _record(label: str, origin: Origin, point: FloatArray | None, paths: FloatArray | None, task: Task,
            part: Part) -> None:
    series, windows = task.series, task.windows
    first = origin.stop + windows.gap
    last = first + windows.horizon
    observed, steps = task.outcomes[first:last], np.arange(windows.gap + 1, windows.gap + windows.horizon + 1)
    h, k = observed.shape
    numbers = np.full((len(MARKED), h, k), np.nan)
    together = np.full((2, h), np.nan)
    if point is not None:
        numbers[0] = point if task.target is None else point[:, task.judged]
    if paths is not None:
        paths = paths if task.target is None else np.ascontiguousarray(paths[:, :, task.judged])
        found = marks(observed, paths, LEVELS, task.scales[1], origin_seed(task.seed, "pit", origin.stop))
        numbers[1:-2], numbers[-2], numbers[-1] = found.quantiles, found.crps, found.pit
        together[:] = found.energy, found.joint_pit
        if (absent := np.isnan(observed)).any():  # a rank among the paths needs an outcome
            numbers[-2:, absent] = np.nan
            together[:, absent.any(axis=1)] = np.nan
    scale_mae, scale_rmse = task.kept_scales
    part.forecasts.append({
        "model": label, "origin": origin.stop, "origin_date": str(series.index[origin.stop - 1]),
        "step": np.repeat(steps, k), "date": np.repeat(task.dates[first:last], k), "series": list(task.names) * h,
        "observed": observed.ravel(), **dict(zip(MARKED, _short(numbers), strict=True)),
        "scale_mae": np.tile(scale_mae, h), "scale_rmse": np.tile(scale_rmse, h)})
    energy, pit = _short(together)
    part.joint.append({"model": label, "origin": origin.stop, "step": steps, "energy": energy, "pit": pit})


def _short(numbers: FloatArray) -> FloatArray:
    """Return the numbers rounded to `DIGITS` significant digits, one row for each of the first axis."""
    kept = [float(f"{number:.{DIGITS - 1}e}") for number in numbers.ravel().tolist()]
    return np.array(kept).reshape(len(numbers), -1)
