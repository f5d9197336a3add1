"""Every rung as the one recursion: the `Layer` that a fitted forecaster is, and the rows that enter it.

Called by `Fitted.layer`, `inputs`, `ahead` and `states`. A fit's one-step predictions are `aligned(fit.layer(),
fit.inputs())`, its forecasts `encode_decode(layer, layer, inputs, *ahead)`. Nothing here estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from varnn.deferred import need
from varnn.errors import ParameterError, TooShortError
from varnn.estimate.least_squares.regression import Trend, fixed_regressors
from varnn.estimate.linear.units import Units
from varnn.estimate.tanh.kernels import LIMIT
from varnn.forecaster import Fitted
from varnn.models.rung1_var import FittedVAR
from varnn.models.rung2_linear import FittedLinearRNN
from varnn.models.rung3_tanh import FittedTanhRNN
from varnn.models.rung4_gated import FittedGated
from varnn.recursion.cells import CELLS, Cell, mixed_step, times
from varnn.recursion.wiring import Layer
from varnn.series import FloatArray, Series, whole_number

if TYPE_CHECKING:
    from torch import Tensor

    from varnn.recursion.cells import States, Weights


@dataclass(frozen=True, eq=False)
class Recursion:
    """A fit as a recursion over rows x_t = (trend, z_t, y_{t-1} … y_{t-p}) in the units of the series.

    Attributes
    ----------
    cell : Cell
    weights : dict of str to array
    begin : tuple of array
        States before the first row.
    lags : int
        p, lags in a row.
    first : int
        Number of the row of the data that enters first.
    units : tuple of str
        Names of what the states hold, in their order.
    correction : array (T − first, n) or None
        Last columns of the rows: what a Kalman filter adds to the states while it does not know the start yet. It
        vanishes with time, and is zero in forecasts.
    """

    cell: Cell
    weights: dict[str, FloatArray]
    begin: tuple[FloatArray, ...]
    lags: int
    first: int
    units: tuple[str, ...]
    correction: FloatArray | None = None

    def ahead(self) -> int:
        """Return how many zeros end a row after the data."""
        return 0 if self.correction is None else self.correction.shape[1]


def layer(fit: Fitted, y: object = None, X: object = None, *, member: int = 0) -> Layer:
    """Return the fit as a `Layer`; see `Fitted.layer`."""
    need("torch", "layer", "torch")
    import torch

    found = _recursion(fit, *_data(fit, y, X), member)
    weights = {name: torch.tensor(value) for name, value in found.weights.items()}
    return Layer(found.cell, weights, tuple(torch.tensor(part)[None] for part in found.begin))


def inputs(fit: Fitted, y: object = None, X: object = None, *, member: int = 0) -> Tensor:
    """Return the rows (T − first, 1, q) that enter the layer; see `Fitted.inputs`."""
    import torch

    values, exog = _data(fit, y, X)
    found = _recursion(fit, values, exog, member)
    fixed = fixed_regressors(len(values), _trend(fit), exog)
    rows = [np.hstack([fixed[t], _past(values[:t], found.lags, fit)]) for t in range(found.first, len(values))]
    entered = np.array(rows) if found.correction is None else np.hstack([rows, found.correction])
    return torch.tensor(entered)[:, None]


def ahead(fit: Fitted, horizon: int, X: object = None, shocks: object = None, *, y: object = None,
          X_past: object = None, member: int = 0) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return the row that enters after the last observation, and the feed of the later ones; see `Fitted.ahead`."""
    import torch

    horizon = whole_number(horizon, "horizon", least=1)
    if y is not None:
        seen = Series.of(y)
        fit = replace(fit, seen=seen, seen_exog=None if X_past is None else seen.exog_of(X_past))
    exog = None if fit.seen_exog is None else fit.seen_exog.values
    found = _recursion(fit, fit.seen.values, exog, member)
    moved = np.zeros((1, horizon, fit.series.k)) if shocks is None else np.asarray(shocks, dtype=np.float64)
    if moved.ndim != 3 or moved.shape[1:] != (horizon, fit.series.k):
        raise ParameterError(f"shocks have shape {moved.shape}; pass (paths, {horizon}, {fit.series.k})")
    fixed = torch.tensor(fixed_regressors(horizon, _trend(fit), fit._future_exog(X, horizon), first=len(fit.seen) + 1))
    errors = torch.tensor(moved)
    paths = len(errors)
    past = torch.tensor(_past(fit.seen.values, found.lags, fit)).expand(paths, -1)
    ends = torch.zeros(paths, found.ahead(), dtype=torch.float64)

    def row(step: int, lagged: Tensor) -> Tensor:
        return torch.cat([fixed[min(step, horizon - 1)].expand(paths, -1), lagged, ends], dim=-1)

    step, lagged = 0, past

    def feed(output: Tensor) -> Tensor:
        nonlocal step, lagged
        now = output + errors[:, min(step, horizon - 1)]
        step, lagged = step + 1, torch.cat([now, lagged], dim=-1)[:, :lagged.shape[1]]
        return row(step, lagged)

    return row(0, past), feed


def states(fit: Fitted, *, member: int = 0) -> pd.DataFrame:
    """Return the states at each date of the estimation sample; see `Fitted.states`."""
    import torch

    exog = None if fit.exog is None else fit.exog.values
    found = _recursion(fit, fit.series.values, exog, member)
    with torch.no_grad():
        own = layer(fit, member=member)
        parts = list(own.run(inputs(fit, member=member)))
        parts[0] = torch.cat([own.read(parts[0]), parts[0][..., fit.series.k:]], dim=-1)
    table = torch.cat(parts, dim=-1)[:, 0].numpy()[:, :len(found.units)]
    return pd.DataFrame(table, index=fit.series.index[found.first:], columns=list(found.units))


# ----------------------------------------------------------------------------------------------- each rung


def _recursion(fit: Fitted, values: FloatArray, exog: FloatArray | None, member: int) -> Recursion:
    members = len(fit.members) if isinstance(fit, FittedTanhRNN) else 1
    whole_number(member, "member", least=0, most=members - 1)
    if isinstance(fit, FittedTanhRNN) and fit.linear is not None:
        fit = fit.linear
    if isinstance(fit, FittedVAR):
        found = _var(fit)
    elif isinstance(fit, FittedLinearRNN):
        found = _linear(fit, values, exog)
    elif isinstance(fit, FittedTanhRNN):
        found = _tanh(fit, values, member)
    elif isinstance(fit, FittedGated):
        found = _gated(fit)
    else:
        raise ParameterError(f"{fit.spec.label} is no recursion with one set of weights, so that it has no layer; "
                             "there are layers of VAR, LinearRNN, TanhRNN, GRU and LSTM")
    if len(values) <= found.first:
        raise TooShortError(f"the recursion of {fit.spec.label} starts after {found.first} rows, got {len(values)}; "
                            "give a longer series")
    return found


def _var(fit: FittedVAR) -> Recursion:
    k, constant = fit.series.k, int(fit.trend != "n")
    coef = fit.estimate.coef.T
    bias = coef[:, 0] if constant else np.zeros(k)
    weights = {"weight_ih": coef[:, constant:], "weight_hh": np.zeros((k, k)), "bias_ih": bias, "bias_hh": np.zeros(k)}
    return Recursion(CELLS["linear"], weights, (np.zeros(k),), fit.k_ar, fit.k_ar, fit.series.names)


def _linear(fit: FittedLinearRNN, values: FloatArray, exog: FloatArray | None) -> Recursion:
    k, n, lags = fit.series.k, fit.width, fit.lags
    at = n + lags * k
    weights = {"weight_ih": np.hstack([fit.weights[:, at + 1:], fit.weights[:, n:at]]), "weight_hh": fit.A.copy(),
               "bias_ih": fit.weights[:, at].copy(), "bias_hh": np.zeros(n), "readout": np.eye(k, n)}
    names = (*fit.series.names, *_numbered("hidden", n - k))
    begin = np.zeros(n)
    if not fit.estimate.exact and lags and len(values) >= lags:    # the state before the first row forecasts it exactly
        begin[:k] = fit.units.series(values[lags - 1:lags])[0]
    correction = _correction(fit, values, exog) if fit.estimate.exact else None
    if correction is not None:
        rows = np.concatenate([fit.units.scale, np.ones(n - k)])
        correction = correction * rows
        weights["weight_ih"] = np.hstack([weights["weight_ih"], np.eye(n)])
    begin[:k] = fit.units.back(begin[:k])
    return Recursion(CELLS["linear"], weights, (begin,), lags, 0 if fit.estimate.exact else lags, names, correction)


def _correction(fit: FittedLinearRNN, values: FloatArray, exog: FloatArray | None) -> FloatArray:
    """Return what the Kalman filter of an exact fit adds to u_t = A u_{t-1} + B x_t, (T, n), in standard units."""
    lags = fit.lags
    filtered, _ = fit._states(values, exog)
    observed = fit._observed(values, exog)
    known = np.vstack([np.zeros((lags, values.shape[1])), observed.values])           # levels stand before the data
    past = [known[lags - lag:len(known) - lag] for lag in range(1, lags + 1)]
    before = np.vstack([np.zeros((1, fit.width)), filtered[:-1]])
    rows = np.hstack([before, *past, np.ones((len(values), 1)), observed.inputs])
    return np.asarray(filtered - rows @ fit.estimate.weights.T)


def _tanh(fit: FittedTanhRNN, values: FloatArray, number: int) -> Recursion:
    member = fit.members[number]
    shape, cut, units = member.optimum.design, member.optimum.design.cuts(member.optimum.theta), fit.units
    k, m, n, p = shape.k, shape.m, shape.n, member.presample
    fed = bool(shape.r or shape.rl)
    lags = max(p, int(fed and not member.driven))
    fixed = units.input_scale.size
    linear, inner = np.zeros((m, fixed + lags * k)), np.zeros((n, fixed + lags * k))
    slope = fixed - (shape.fixed_H - 1)                                  # columns of the trend: not for tanh units
    known = shape.fixed - min(shape.flat, 1)
    linear[:, :known] = cut.L[:, min(shape.flat, 1):shape.fixed]
    linear[:, fixed:fixed + (shape.XL.shape[1] - shape.fixed)] = cut.L[:, shape.fixed:shape.XL.shape[1]]
    inner[:, slope:fixed] = cut.G[:, 1:shape.fixed_H]
    inner[:, fixed:fixed + (shape.XH.shape[1] - shape.fixed_H)] = cut.G[:, shape.fixed_H:shape.XH.shape[1]]
    heard = np.zeros((k, fixed + lags * k))                              # y_{t-1}, for the innovation that is fed back
    if fed and not member.driven:
        heard[:, fixed:fixed + k] = np.eye(k)
    constants = np.concatenate([cut.L[:, 0] if shape.flat else np.zeros(m), cut.G[:, 0], np.zeros(k)])
    weight, bias = _in_units(np.vstack([linear, inner, heard]), constants, units, lags)
    begin = np.zeros(m)
    if p and not member.driven and len(values) >= p:                     # nothing is fed back at the first row
        begin[:k] = units.series(values[p - 1:p])[0]
    zeros = np.zeros((m, m)), np.zeros((n, n))
    weights = {"weight_ih": weight, "bias_ih": bias, "W_hy": cut.W.copy(), "linear": cut.Lu if shape.ar else zeros[0],
               "tanh": cut.Gs if shape.recurrent and n else zeros[1], "fed": cut.Lf.copy(), "fed_tanh": cut.Gf.copy(),
               "readout": np.diag(units.scale) @ np.eye(k, m), "offset": units.location}
    older = np.zeros(max(max(shape.r, shape.rl) - 1, 0) * k)
    names = (*fit.series.names, *_numbered("hidden", m - k), *_numbered("unit", n))
    return Recursion(TANH, weights, (begin, np.zeros(n), older), lags, p, names)


def _tanh_step(weights: Weights, states: States, driven: Any) -> States:
    """Take a step of rung 3: identity units u, tanh units s, and what was fed back before, newest first."""
    import torch

    u, s, older = states
    m, n = u.shape[-1], s.shape[-1]
    y = driven[..., m + n:]
    innovation = y - u[..., :y.shape[-1]]
    share = LIMIT / innovation.abs().clamp(min=LIMIT)
    fed = torch.cat([innovation * share**3, older], dim=-1)
    z = driven[..., m:m + n] + times(weights["fed_tanh"], fed[..., :weights["fed_tanh"].shape[-1]])
    d = driven[..., :m] + times(weights["fed"], fed[..., :weights["fed"].shape[-1]])
    s, u = mixed_step({**weights, "readout": weights["W_hy"]}, (s, u), (z, d))
    return u, s, fed[..., :older.shape[-1]]


TANH = Cell(_tanh_step, gates=1, carried=3)


def _gated(fit: FittedGated) -> Recursion:
    units, weights, k, lags = fit.units, fit.weights, fit.series.k, fit.lags
    cell: str = fit.spec.cell  # type: ignore[attr-defined]
    constant, trend = int(_trend(fit) != "n"), int(_trend(fit) == "ct")
    linear = weights["linear"][:, constant:]
    gates, n = weights["weight_hh"].shape
    over = np.zeros((gates, linear.shape[1]))           # the cell sees neither the trend nor later lags
    over[:, trend:trend + weights["weight_ih"].shape[1]] = weights["weight_ih"]
    constants = np.concatenate([weights["linear"][:, 0] if constant else np.zeros(k), weights["bias_ih"]])
    weight, bias = _in_units(np.vstack([linear, over]), constants, units, lags)
    own = {"weight_ih": weight, "bias_ih": bias, "weight_hh": weights["weight_hh"], "bias_hh": weights["bias_hh"],
           "W_hy": weights["readout"], "readout": np.diag(units.scale), "offset": units.location}
    carried = _numbered("memory", n) if CELLS[cell].carried > 1 else ()
    return Recursion(BESIDE[cell], own, (np.zeros(k),) + (np.zeros(n),) * CELLS[cell].carried, lags, lags,
                     (*fit.series.names, *_numbered(cell, n), *carried))


def _beside(inner: Cell) -> Cell:
    """Return a cell beside a linear part: its first state is L x_t + W s_t, the others are the inner cell's."""
    def step(weights: Weights, states: States, driven: Any) -> States:
        k = states[0].shape[-1]
        after = inner.step(weights, states[1:], driven[..., k:])
        return (driven[..., :k] + times(weights["W_hy"], after[0]), *after)

    return Cell(step, gates=inner.gates, carried=1 + inner.carried)


BESIDE = {name: _beside(CELLS[name]) for name in ("gru", "lstm")}


# ----------------------------------------------------------------------------------------------- data and units


def _data(fit: Fitted, y: object, X: object) -> tuple[FloatArray, FloatArray | None]:
    """Return observations and exogenous columns: given ones, or the estimation sample."""
    if y is None:
        return fit.series.values, None if fit.exog is None else fit.exog.values
    series = Series.of(y)
    if series.k != fit.series.k:
        raise ParameterError(f"y has {series.k} columns, the fit has {fit.series.k}; pass the series it was fitted to")
    if (X is None) != (fit.exog is None):
        raise ParameterError("X must be given exactly when the fit used exogenous columns; "
                             + ("pass those of the same dates" if X is None else "leave X out"))
    return series.values, None if X is None else series.exog_of(X).values


def _past(values: FloatArray, lags: int, fit: Fitted) -> FloatArray:
    """Return the last observations, newest first; the level of the series stands for those before the data."""
    known = values[max(len(values) - lags, 0):][::-1].ravel()
    if known.size == lags * fit.series.k:
        return known
    return np.concatenate([known, np.tile(_units(fit).location, lags)])[:lags * fit.series.k]


def _units(fit: Fitted) -> Units:
    assert isinstance(fit, (FittedLinearRNN, FittedTanhRNN, FittedGated))
    return fit.units


def _trend(fit: Fitted) -> Trend:
    trend: Trend = fit.spec.trend  # type: ignore[attr-defined]
    return trend


def _in_units(matrix: FloatArray, constants: FloatArray, units: Units, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return weights of standardised (fixed, lags) and constants as weights of the same in the user's units."""
    scale = np.concatenate([units.input_scale, np.tile(units.scale, lags)])
    shift = np.concatenate([units.input_location, np.tile(units.location, lags)])
    weight = matrix / scale
    return weight, constants - weight @ shift


def _numbered(name: str, count: int) -> Sequence[str]:
    return tuple(f"{name}{i + 1}" for i in range(count))
