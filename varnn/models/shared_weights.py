"""Weights shared by all series of a panel, each in its own level and scale: VAR, linear RNN, tanh RNN.

Called by `wrap_panel`.  Every series comes back as an ordinary fit of its rung, which forecasts from its own past.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from varnn.errors import (
    ConvergenceWarning,
    ExogError,
    ParameterError,
    RankDeficientError,
    RationWarning,
    TooShortError,
    callers_level,
)
from varnn.estimate.least_squares.order import Criterion, default_max_lags
from varnn.estimate.least_squares.redundant import cut_search, warn_of_near_copies
from varnn.estimate.least_squares.regression import LeastSquares, regressor_names
from varnn.estimate.linear import likelihood
from varnn.estimate.linear.kalman import filtered_states
from varnn.estimate.linear.lag_choice import fit_chosen
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.units import Units, weight_table
from varnn.estimate.numerics.threads import one_thread
from varnn.estimate.panel.effects import Levels, levels_of
from varnn.estimate.panel.pooled import noise_of_each, orders_of_panel, own_constants
from varnn.forecaster import Fitted
from varnn.models.rung1_var import VAR, FittedVAR
from varnn.models.rung2_linear import FittedLinearRNN, LinearRNN
from varnn.models.rung3_tanh import STARTS_SEED, FittedTanhRNN, TanhRNN, unfinished
from varnn.series import FloatArray, Series

JUDGED = 20_000  # rows of a panel, about, that the lags of a linear RNN are chosen on
Shared = VAR | LinearRNN | TanhRNN


def fit_shared(model: Shared, members: Mapping[str, Series], beside: Mapping[str, Series] | None,
               rng: np.random.Generator) -> list[Fitted]:
    """Estimate one set of weights on all series and return the fit of each.

    The objective of an RNN is the sum over the series of that of the rung, every series less its level and divided by
    its scale, both from `levels.levels_of`, its filter begun anew from its own presample; weights are estimated with
    levels drawn from what is known of them.  With exogenous columns they are means and standard deviations.

    Parameters
    ----------
    model : VAR, LinearRNN or TanhRNN
    members : mapping of name to Series
    beside : mapping of name to Series, optional
        Exogenous columns of each, the same names in the same order.
    rng : Generator
    """
    if isinstance(model, VAR) and beside is not None:
        raise ParameterError("a global VAR takes no X; use LinearRNN(lags=…), which does, or sharing='local'")
    if len(members) == 1:
        return [model._estimate(series, None if beside is None else beside[name], rng)
                for name, series in members.items()]
    _warn_of_columns(model, members, beside)
    if isinstance(model, VAR):
        return _global_var(model, list(members.items()))
    panel = _Panel.of(model, members, beside)
    with one_thread():
        found = _linear(model, panel, rng) if isinstance(model, LinearRNN) else _tanh(model, panel, rng)
    back = np.argsort(panel.order)
    return [found[place] for place in back]


def _warn_of_columns(model: VAR | LinearRNN | TanhRNN, members: Mapping[str, Series],
                     beside: Mapping[str, Series] | None) -> None:
    """Warn of near copies, and refuse columns that tell nothing new, in the longest series, which speaks for all."""
    name = max(members, key=lambda one: len(members[one]))
    series, exog, label = members[name], None if beside is None else beside[name], f"a global {model.label}"
    if len(series) <= 2 * series.k + 10 or not np.ptp(series.values, axis=0).all():
        return
    warn_of_near_copies(label, series, exog, stacklevel=5)
    if not isinstance(model.lags, int):
        longest = default_max_lags(len(series), series.k, model.trend, 0 if exog is None else exog.k)
        if cut := cut_search(label, series, exog, model.trend, min(longest, model.max_lags or longest)):
            raise RankDeficientError(cut)  # the levels of a panel have no likelihood there


# --- many series in standard units --------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Panel:
    """Series in standard units, in an order that depends on their values alone; `order` are their places as given.

    So the same panel in another order has the same weights, random starts included. `levels` is None where units are
    means and standard deviations.
    """

    series: list[Series]
    exog: list[Series | None]
    units: list[Units]
    values: list[FloatArray]
    inputs: list[FloatArray]
    order: list[int]
    levels: Levels | None

    @classmethod
    def of(cls, model: LinearRNN | TanhRNN, members: Mapping[str, Series], beside: Mapping[str, Series] | None
           ) -> _Panel:
        _refuse(model, members, beside)
        series = list(members.values())
        exog = [None if beside is None else beside[name] for name in members]
        units = [Units.of(y.values, _inputs(y, z), centred=True) for y, z in zip(series, exog, strict=True)]
        values = [unit.series(y.values) for y, unit in zip(series, units, strict=True)]
        inputs = [unit.inputs(_inputs(y, z)) for y, z, unit in zip(series, exog, units, strict=True)]
        order = sorted(range(len(series)), key=lambda i: (len(values[i]), values[i].tobytes(), inputs[i].tobytes()))
        units, values, levels = [units[i] for i in order], [values[i] for i in order], None
        if beside is None:
            levels = levels_of(values, lags=None, longest=_longest(values))
            units = [replace(unit, rest=unit.rest + unit.scale * level, scale=unit.scale * scale)
                     for unit, level, scale in zip(units, levels.level, levels.scale, strict=True)]
            values = [(y - level) / scale for y, level, scale in zip(values, levels.level, levels.scale, strict=True)]
        return cls([series[i] for i in order], [exog[i] for i in order], units, values, [inputs[i] for i in order],
                   order, levels)

    def drawn(self, rng: np.random.Generator) -> _Panel:
        """Return the panel less levels drawn from what is known of them, on which weights are estimated."""
        if self.levels is None:
            return self
        shifts = self.levels.drawn(rng)
        return replace(self, values=[y - shift for y, shift in zip(self.values, shifts, strict=True)])

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(values) for values in self.values)

    @property
    def k(self) -> int:
        return self.series[0].k

    @property
    def q(self) -> int:
        return int(self.inputs[0].shape[1])

    def sample(self, lags: int, every: int = 1) -> Sample:
        return Sample(np.vstack(self.values[::every]), np.vstack(self.inputs[::every]), lags, lags,
                      self.lengths[::every])


def _inputs(series: Series, exog: Series | None) -> FloatArray:
    return np.empty((len(series), 0)) if exog is None else exog.values


def _refuse(model: LinearRNN | TanhRNN, members: Mapping[str, Series], beside: Mapping[str, Series] | None) -> None:
    """Refuse what cannot be fitted, by the name of the series at fault."""
    if model.lags == 0 and beside is None:
        raise ParameterError("lags=0 without X leaves nothing to drive the recursion; give exogenous columns or lags=1")
    k = next(iter(members.values())).k
    if isinstance(model, LinearRNN) and model.width is not None and model.width < k:
        raise ParameterError(f"width={model.width} is less than the {k} series to be forecast; use width={k} or more")
    if isinstance(model, LinearRNN) and model.likelihood == "exact" and beside is not None:
        raise ParameterError("likelihood='exact' needs a stationary process; with exogenous X use 'auto'")
    most = model.lags if model.lags is not None else (model.max_lags or 1)
    for name, series in members.items():
        if len(series) < most + 3:
            raise TooShortError(f"series {name!r} has {len(series)} rows; a global {model.label} with up to {most} "
                                f"lags needs at least {most + 3} of each: leave it out or use fewer lags")
        for column, spread in zip(series.names, np.ptp(series.values, axis=0), strict=True):
            if spread == 0.0:
                raise RankDeficientError(f"series {name!r}: the column {column!r} is constant, so it has no scale; "
                                         "leave the series out")
    if beside is not None:
        exog = list(beside.values())
        still = np.all([np.ptp(z.values, axis=0) == 0.0 for z in exog], axis=0)
        if still.any():
            raise ExogError(f"column {exog[0].names[int(np.argmax(still))]!r} of X is constant in every series; "
                            "leave it out")


def _rationed(model: LinearRNN | TanhRNN, panel: _Panel, wanted: int) -> int:
    """Return the most lags to try: those wanted, as far as the shortest series has rows for them."""
    most = max(1, min(wanted, min(panel.lengths) - 3))
    if most < wanted:
        warnings.warn(f"a global {model.label} tries {most} of {wanted} lags because the shortest series has "
                      f"{min(panel.lengths)} rows; leave short series out to try them all", RationWarning,
                      stacklevel=callers_level())
    return most


def _longest(values: list[FloatArray]) -> int:
    """Return the most lags of the VAR that levels are judged by."""
    rows = [len(y) for y in values]
    return max(0, min(default_max_lags(int(np.median(rows)), values[0].shape[1]), min(rows) - 3))


# --- a linear RNN -------------------------------------------------------------------------------


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # of trial points, which are then refused
def _linear(model: LinearRNN, panel: _Panel, rng: np.random.Generator) -> list[Fitted]:
    k, q, intercept = panel.k, panel.q, model.trend != "n"
    width = k if model.width is None else model.width
    rows = int(np.median(panel.lengths))
    wanted = model.lags if model.lags is not None else (model.max_lags or default_max_lags(rows, k, model.trend, q))
    most = min(_rationed(model, panel, wanted), (sum(panel.lengths) - q - width - k - 3) // (k + len(panel.series)))
    least, drawn = 1 if model.lags is None else model.lags, panel.drawn(rng)
    try:
        shared, lags = fit_chosen(
            drawn.sample(least), width, searched=model.lags is None, max_lags=model.max_lags, most=most,
            intercept=intercept, shrunk=model.shrinkage is not None,
            likelihood="conditional" if q else model.likelihood,
            judged=drawn.sample(least, every=-(-sum(panel.lengths) // JUDGED)))
    except np.linalg.LinAlgError:
        raise RankDeficientError("the covariance of the innovations of the panel is singular in float64: columns move "
                                 "together in all series, or there are nearly as many coefficients as rows") from None
    if not shared.stop.converged:
        warnings.warn(f"the global {model.label} stopped for the reason {shared.stop.name} after {shared.steps} steps: "
                      f"{shared.stop.message}; the best point found is kept", ConvergenceWarning,
                      stacklevel=callers_level())
    parts = panel.sample(lags).parts
    states = [filtered_states(part, shared) for part in parts]
    errors = [part.values[start:] - U[:, :k] for part, (U, start) in zip(parts, states, strict=True)]
    noise = noise_of_each(errors, shared.sigma, from_means=panel.levels is None)
    place = np.full(shared.free.shape, -1)
    place[shared.free] = np.arange(shared.free.sum())
    constants = [int(i) for i in place[:k, len(shared.weights) + lags * k] if i >= 0]
    inside = shared.free.ravel()
    fits: list[Fitted] = []
    for series, exog, units, part, (U, _), size in zip(panel.series, panel.exog, panel.units, parts, states, noise,
                                                       strict=True):
        own = likelihood.information(part, shared.weights, size * shared.sigma, U)[np.ix_(inside, inside)]
        estimate = replace(shared, sigma=size * shared.sigma,
                           information=own_constants(shared.information, own, constants))
        table = weight_table(units.weights(shared.weights, lags)[0], series.names, () if exog is None else exog.names,
                             model.trend, lags)
        fits.append(FittedLinearRNN(
            spec=model, series=series, exog=exog, seen=series, seen_exog=exog, params=table, df_model=len(table),
            lags=lags, width=len(shared.weights), estimate=estimate, units=units))
    return fits


# --- a tanh RNN ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedSharedTanhRNN(FittedTanhRNN):
    """The fit of one series of a panel whose tanh RNN is shared.

    Attributes
    ----------
    rows : int       dates of the whole panel that the weights were estimated from
    """

    rows: int

    @property
    def nobs(self) -> int:
        """Number of dates of the panel that the likelihood is over."""
        return self.rows

    @property
    def sigma_u(self) -> FloatArray:
        """Innovation covariance of this series, shape (k, k)."""
        mixed = np.sum([member.weight * member.optimum.sigma for member in self.members], axis=0)
        return np.asarray(mixed * np.outer(self.units.scale, self.units.scale))

    @property
    def sigma_u_mle(self) -> FloatArray:
        """Innovation covariance without correction for the weights estimated, shape (k, k)."""
        return np.asarray(self.sigma_u * (self.df_resid / self.nobs))


def _tanh(model: TanhRNN, panel: _Panel, rng: np.random.Generator) -> list[Fitted]:
    from varnn.estimate.tanh.mixture import blocks, equations
    from varnn.estimate.tanh.search import search
    from varnn.estimate.tanh.structure import Data, Space, own_members

    drawn, ones = panel.drawn(rng), np.ones((sum(panel.lengths), 1))
    sample = drawn.sample(1)
    data = Data(sample.values, ones, sample.inputs, panel.lengths)
    space = Space(model.lags, model.width, model.skip, *_most_lags(model, drawn), model.starts)
    found = search(data, space, np.random.default_rng(STARTS_SEED))
    if not found.members:
        raise ParameterError(f"no start of a global {model.label} converged on these {len(panel.lengths)} series; use "
                             "fewer lags or a smaller width")
    first = found.members[0].optimum
    if not first.stop.converged:
        warnings.warn(unfinished(f"the global {model.label}", found.members[0]), ConvergenceWarning,
                      stacklevel=callers_level())
    each = [Data(values, np.ones((len(values), 1)), inputs)
            for values, inputs in zip(panel.values, panel.inputs, strict=True)]
    members = list(zip(*(own_members(member, each, from_means=panel.levels is None) for member in found.members),
                       strict=True))
    fits: list[Fitted] = []
    for series, exog, units, own in zip(panel.series, panel.exog, panel.units, members, strict=True):
        table = equations(blocks(own[0], units, list(series.names), [] if exog is None else list(exog.names),
                                 model.trend), list(series.names))
        fits.append(FittedSharedTanhRNN(
            spec=model, series=series, exog=exog, seen=series, seen_exog=exog, params=table, df_model=len(table),
            members=own, units=units, rungs=found.rungs, certainty=found.certainty, rows=first.design.rows,
            draws_seed=int(rng.integers(2**62))))
    return fits


def _most_lags(model: TanhRNN, panel: _Panel) -> tuple[int, int]:
    """Return the most lags to try, as rung 3 does but by BIC, and the most beside a memory."""
    from varnn.estimate.tanh.structure import USUAL_LAGS, affordable

    if model.lags is not None:
        return model.lags, model.lags
    T, k, q = int(np.median(panel.lengths)), panel.k, panel.q
    if model.max_lags is not None:
        most = _rationed(model, panel, model.max_lags)
        return most, most
    longest = max(1, min(default_max_lags(T, k, model.trend, q), min(panel.lengths) - 3))
    below = orders_of_panel(panel.sample(longest), longest, model.trend).best("bic")
    usual = _rationed(model, panel, max(below, min(USUAL_LAGS, T // (10 * k), 60 // k), 1))
    most, with_memory = affordable(usual, sum(panel.lengths), k)
    if most < min(below, usual):
        warnings.warn(f"a global {model.label} tries {most} of the {below} lags that BIC gives a VAR of the panel and "
                      f"can be behind it; max_lags={below} tries them all", RationWarning,
                      stacklevel=callers_level())
    return most, with_memory


# --- a VAR with shared lags ---------------------------------------------------------------------


def _global_var(model: VAR, members: list[tuple[str, Series]]) -> list[Fitted]:
    """Fit A_1 … A_p on all series, less levels that count as unknown and in units of each series' scale."""
    panel = [series for _, series in members]
    rows, k = int(np.median([len(series) for series in panel])), panel[0].k
    lags = None if isinstance(model.lags, str) else model.lags
    criterion: Criterion = model.lags if isinstance(model.lags, str) else "aic"
    longest = (model.max_lags or default_max_lags(rows, k)) if lags is None else int(lags)
    for name, series in members:
        if len(series) < longest + 3:
            raise TooShortError(f"series {name!r} has {len(series)} rows; a global VAR with up to {longest} lags needs "
                                f"at least {longest + 3} of each: leave it out or use fewer lags")
    with one_thread():
        units = [Units.of(series.values, _inputs(series, None), centred=True) for series in panel]
        found = levels_of([unit.series(series.values) for unit, series in zip(units, panel, strict=True)],
                          lags=lags, longest=longest, criterion=criterion)
        values, vectors = np.linalg.eigh(np.linalg.pinv(found.products, hermitian=True))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return [_member(series, unit.back(level), unit.scale * scale, found.common.slopes, root)
                for series, unit, level, scale in zip(panel, units, found.level, found.scale, strict=True)]


def _member(series: Series, level: FloatArray, scale: FloatArray, shared: FloatArray, root: FloatArray) -> FittedVAR:
    """Return the fit of one series: the shared lags in its units, its own constant and residuals."""
    k, y = series.k, series.values
    lags = len(shared) // k
    scales, levels, n = np.tile(scale, lags), np.tile(level, lags), len(y) - lags
    windows = np.lib.stride_tricks.sliding_window_view(y, lags + 1, axis=0)                       # (n, k, p + 1)
    rows = windows[:, :, ::-1].transpose(0, 2, 1).reshape(n, -1) - np.append(level, levels)       # newest first
    slopes = shared * scale / scales[:, None]                                                     # (kp, k)
    resid = rows[:, :k] - rows[:, k:] @ slopes
    half = root / scales[:, None]
    full = np.block([[np.full((1, 1), 1 / np.sqrt(n)), -(levels @ half)[None]], [np.zeros((len(half), 1)), half]])
    coef = np.vstack([level - levels @ slopes, slopes])
    sigma = resid.T @ resid / max(n - len(coef), 1)
    labels = regressor_names(series.names, lags, "c", ())
    params = pd.DataFrame(coef, index=list(labels), columns=list(series.names))
    return FittedVAR(spec=VAR(lags=lags, trend="c"), series=series, exog=None, seen=series, seen_exog=None,
                     params=params, df_model=len(coef), estimate=LeastSquares(coef, full, resid, sigma), k_ar=lags)
