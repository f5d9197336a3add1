"""Rung 4, gated units: ŷ_t = c + Σ A_i y_{t-i} + D z_t + W_hy s_t with s_t a GRU or LSTM of (y_{t-1}, z_t).

The VAR of rung 1 is W_hy = 0, and every fit starts there; the evidence decides how far it moves away. Fitted by
`estimate.gated_fit` on torch, in float64; nothing here loops over time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from varnn.deferred import need
from varnn.errors import ConvergenceWarning, ParameterError, callers_level
from varnn.estimate.gated.gauss_newton import GatedEstimate, fit, linear_alone, starting_weights
from varnn.estimate.gated.recursion import Gated
from varnn.estimate.least_squares.paths import lag_matrices
from varnn.estimate.least_squares.redundant import warn_of_explosion
from varnn.estimate.least_squares.regression import Trend, fit_var, fixed_regressors, regressor_names
from varnn.estimate.linear.units import Units
from varnn.estimate.log_evidence import LogEvidence
from varnn.estimate.numerics.companion import companion
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.numerics.threads import one_torch_thread
from varnn.forecaster import Draws, Fitted, Forecaster, one_of, square_root
from varnn.models.rung1_var import VAR, FittedVAR
from varnn.recursion.cells import CELLS, unflatten
from varnn.series import FloatArray, Series, generator, whole_number

if TYPE_CHECKING:
    from torch import Tensor

Device = Literal["cpu", "cuda"]
ANTITHETIC = 256       # pairs of mirrored shocks behind a mean beyond one step
DISTINCT_DRAWS = 200   # posterior draws of the weights; each runs its own filter over the data, and paths share them


@dataclass(frozen=True, kw_only=True)
class _Gated(Forecaster):
    """What both gated models are asked."""

    lags: int | None = None
    width: int = 4
    trend: Trend = "c"
    starts: int = 2
    max_steps: int = 60
    device: Device = "cpu"
    rung: ClassVar[int | None] = 4
    cell: ClassVar[str]

    def __post_init__(self) -> None:
        if self.lags is not None:
            whole_number(self.lags, "lags", least=0)
        whole_number(self.width, "width", least=1)
        one_of(self.trend, "trend", ("c", "n", "ct"))
        whole_number(self.starts, "starts", least=1)
        whole_number(self.max_steps, "max_steps", least=1)
        one_of(self.device, "device", ("cpu", "cuda"))

    def lift(self, below: FittedVAR, *, rng: object = None) -> FittedGated:
        """Return this model holding the fitted VAR: read-out zero, the same forecasts to rounding error.

        Parameters
        ----------
        below : FittedVAR
        rng : int or numpy Generator, optional
            Seed of the cell's weights, which have no effect while the read-out is zero.

        Raises
        ------
        ParameterError
            If the VAR has no lags and no X, so that nothing could enter the cell.
        """
        with one_torch_thread():
            gated, units = _task(self, below)
            theta = starting_weights(gated, _coefficients(below, units), generator(rng))
            estimate = linear_alone(gated, theta)
        return _fitted(self, below, gated, units, estimate)

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> FittedGated:
        if self.lags == 0 and exog is None:
            raise ParameterError("lags=0 without X leaves nothing to drive the gated units; give exogenous columns "
                                 "or lags=1")
        need("torch", f"{self.label}.fit", "torch")
        _check_device(self.device)
        below = self._below(series, exog)
        with one_torch_thread():
            gated, units = _task(self, below)
            estimate = fit(gated, _coefficients(below, units), self.starts, self.max_steps, rng)
        if not estimate.stop.converged:
            warnings.warn(f"{self.label} stopped for the reason {estimate.stop.name} after {estimate.steps} steps: "
                          f"{estimate.stop.message}; the best point found is kept (raise max_steps, or use a smaller "
                          "width)", ConvergenceWarning, stacklevel=callers_level())
        return _fitted(self, below, gated, units, estimate)

    def _below(self, series: Series, exog: Series | None) -> FittedVAR:
        """Fit the VAR with the same linear part; at least one lag, as something has to enter the cell."""
        part = _LinearPart(lags=self.lags, trend=self.trend, of=self.label)
        below = part._estimate(series, exog, None)
        if below.k_ar or exog is not None:
            return below
        return replace(part, lags=1)._estimate(series, exog, None)


@dataclass(frozen=True, kw_only=True)
class _LinearPart(VAR):
    """The VAR inside a gated model, which speaks of that model in its errors and warnings."""

    of: str

    @property
    def label(self) -> str:
        """Name of the whole model."""
        return self.of


@dataclass(frozen=True, kw_only=True)
class GRU(_Gated):
    """Gated recurrent units beside a VAR: ŷ_t = c + Σ A_i y_{t-i} + D z_t + W_hy GRU(s_{t-1}, (y_{t-1}, z_t)).

    Weights of the cell have Gaussian priors whose precisions the evidence sets, one for each block; where no start has
    an evidence above the VAR's, the read-out stays zero and the model forecasts as the VAR.

    Parameters
    ----------
    lags : int, optional
        Lags p of the linear part; the VAR's choice by AIC when left out. 0 with X drives the model by X alone.
    width : int
        Units n.
    trend : {"c", "n", "ct"}
        Constant, none, or constant and linear trend in the linear part.
    starts : int
        Random starts; the best by evidence is kept.
    max_steps : int
        Gauss-Newton steps allowed for each start.
    device : {"cpu", "cuda"}
        Where torch runs; float64 on both, equal to 1e-6.

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=200)
    >>> y = np.zeros(200)
    >>> for t in range(1, 200): y[t] = 2 * np.tanh(3 * y[t - 1]) + e[t]
    >>> fit = GRU(lags=1, width=2).fit(y)
    >>> fit.evidence_gain > 5
    True

    References
    ----------
    Cho et al. (2014), EMNLP; MacKay (1992), Neural Computation 4(3).
    """

    cell: ClassVar[str] = "gru"


@dataclass(frozen=True, kw_only=True)
class LSTM(_Gated):
    """Long short-term memory beside a VAR: as `GRU`, with s_t the output of an LSTM that also carries a memory c_t.

    Parameters
    ----------
    lags, width, trend, starts, max_steps, device
        As for `GRU`.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=80)
    >>> LSTM(lags=1, width=2).fit(y).forecast(3).mean.shape
    (3, 1)

    References
    ----------
    Gers, Schmidhuber & Cummins (2000), Neural Computation 12(10); MacKay (1992), Neural Computation 4(3).
    """

    cell: ClassVar[str] = "lstm"


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedGated(Fitted):
    """A fitted gated model.

    Attributes
    ----------
    lags : int
        Lags p of the linear part.
    estimate : GatedEstimate
        Weights, precisions and evidence, in standard units.
    units : Units
        From standard units to those of the series.

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=(80, 1)).cumsum(axis=0)
    >>> fit = varnn.GRU(lags=1, width=1).fit(y)
    >>> fit.lags, fit.forecast(3, n_paths=50, rng=0).mean.shape
    (1, (3, 1))
    """

    lags: int
    estimate: GatedEstimate
    units: Units

    @property
    def stop(self) -> Stop:
        """Why the optimiser stopped."""
        return self.estimate.stop

    @property
    def evidence(self) -> LogEvidence:
        """Log evidence; differences between gated fits on the same rows are log Bayes factors.

        It is of the rows and in the units that `evidence.sample` says; unlike evidences refuse to be compared.
        """
        return LogEvidence.of(self.estimate.evidence, self.series, self.nobs, self.units.scale,
                              "Laplace of all weights, given the presample")

    @property
    def evidence_gain(self) -> float:
        """Log evidence over that of the VAR with the same lags; 0 where the units were dropped."""
        return self.estimate.gain

    @property
    def effective_params(self) -> dict[str, float]:
        """Number of weights that the data determined, block by block: γ = n − α tr H⁻¹."""
        return self.estimate.effective

    @cached_property
    def weights(self) -> dict[str, FloatArray]:
        """All weights in standard units; the cell's by the names of `torch.nn.GRU` and `LSTM`."""
        return unflatten(self.estimate.theta, self._task.shapes)

    def _warn_unless_stable(self, what: str) -> None:
        """Warn where the linear part is explosive: what the read-out adds is bounded and cannot hold it."""
        if self.lags:
            lagged = lag_matrices(self.params.to_numpy()[:len(self.params) - self._model.width], self.lags)
            roots = np.linalg.eigvals(companion(lagged))
            warn_of_explosion(self.spec.label, what, float(np.abs(roots).max()))

    @property
    def n_params(self) -> int:
        """Weights that the data determined, γ of all blocks."""
        return round(sum(self.estimate.effective.values()))

    @property
    def df_resid(self) -> int:
        """Observations less weights that the data determined, for each equation."""
        return max(self.nobs - round(self.n_params / self.series.k), 1)

    @cached_property
    def bse(self) -> pd.DataFrame:
        """Posterior standard deviations of `params`; zero for a read-out that was dropped."""
        covariance = np.linalg.inv(self.estimate.precision)
        map_, k = self._to_user, self.series.k
        d, n = self.weights["linear"].shape[1], self._model.width
        spread = np.zeros(self.params.shape)
        for i in range(k):
            rows = np.r_[i * d:(i + 1) * d, k * d + i * n:k * d + (i + 1) * n]
            rows = rows[rows < len(covariance)]
            block = map_[:, :len(rows)] @ covariance[np.ix_(rows, rows)] @ map_[:, :len(rows)].T
            spread[:, i] = self.units.scale[i] * np.sqrt(np.maximum(np.diag(block), 0.0))
        return pd.DataFrame(spread, index=self.params.index, columns=self.params.columns)

    # --- what every rung writes ----------------------------------------------------------------

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        predicted = np.full(values.shape, np.nan)
        if len(values) > self.lags:
            gated = _arrays(self._model, self.units, values, exog, self.lags)
            with one_torch_thread():
                standard = gated.forecasts(self.estimate.theta, gated.states(self.estimate.theta))
            predicted[self.lags:] = self.units.back(standard)
        return predicted

    def _unit_outputs(self, values: FloatArray, exog: FloatArray | None) -> tuple[list[str], FloatArray] | None:
        gated = _arrays(self._model, self.units, values, exog, self.lags)
        with one_torch_thread():
            states = gated.states(self.estimate.theta)[0][:, 0].cpu().numpy()
        return [f"{self._model.cell}{unit + 1}" for unit in range(self._model.width)], states

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        m, horizon, _ = shocks.shape
        gated = self._task
        fixed = fixed_regressors(horizon, self._model.trend, future_exog, first=len(self.seen) + 1)
        fixed = self.units.inputs(fixed)                                          # (h, g)
        which = np.arange(m) % (1 if draws is None else len(draws.weights))
        theta = self.estimate.theta[None] if draws is None else draws.weights
        with one_torch_thread():
            ends = tuple(part[which] for part in gated.ends(theta, self._seen_states))
            weights = unflatten(gated.tensor(theta[0] if len(theta) == 1 else theta[which]), gated.shapes)
            latest = self.units.series(self.seen.values[len(self.seen) - self.lags:])[::-1].reshape(1, -1)
            lags = gated.tensor(np.repeat(latest, m, axis=0))                     # (m, pk), newest first
            paths = gated.paths(weights, ends, lags, gated.tensor(fixed), gated.tensor(shocks / self.units.scale))
        return self.units.back(paths)

    def _mean(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        """Return E[y_{T+h} | past]: beyond one step an average over mirrored shocks, for the units bend."""
        k = self.series.k
        if self.evidence_gain <= 0 or horizon == 1:
            return np.asarray(self._simulate(np.zeros((1, horizon, k)), future_exog)[0])
        white = np.random.default_rng(0).standard_normal((horizon, ANTITHETIC, k)).swapaxes(0, 1)
        shocks = white @ square_root(self.sigma_u).T
        paths, origin = self._simulate(np.concatenate([shocks, -shocks]), future_exog), self.units.origin
        return np.asarray(origin + (paths - origin).mean(axis=0))  # a sum of 512 numbers near 1e9 has lost digits

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return eight arrays of the paths and of those behind the mean, for numpy and torch hold some each."""
        behind = 2 * ANTITHETIC if self.evidence_gain > 0 else 1
        return 8.0 * (n_paths + behind) * horizon * self.series.k

    def _draw(self, count: int, rng: np.random.Generator) -> Draws:
        """Draw the weights from their Laplace posterior N(θ, H⁻¹) and Σ from its inverse-Wishart posterior."""
        d, k = min(count, DISTINCT_DRAWS), self.series.k
        root = np.linalg.cholesky(self.estimate.precision)                        # H = R Rᵀ
        free = len(root)
        weights = np.repeat(self.estimate.theta[None], d, axis=0)
        weights[:, :free] += np.linalg.solve(root.T, rng.standard_normal((free, d))).T
        df = max(self.df_resid, k + 1)
        bartlett = np.tril(rng.standard_normal((d, k, k)), -1)
        bartlett[:, np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df + k - 1 - np.arange(k), size=(d, k)))
        half = square_root(self.sigma_u) @ np.linalg.inv(bartlett).swapaxes(1, 2) * np.sqrt(df)
        return Draws(half @ half.swapaxes(1, 2), weights)

    def _notes(self) -> list[str]:
        effective = ", ".join(f"{name} {value:.2f}" for name, value in self.effective_params.items())
        kept = f"{self._model.width} {self.spec.label} units" if self.evidence_gain > 0 else "gated units dropped"
        return [f"lags {self.lags}   {kept}   stopped: {self.stop.name} after {self.estimate.steps} steps",
                f"effective parameters: {effective}",
                f"log evidence {self.evidence:.6g}   over the VAR with the same lags {self.evidence_gain:+.4g}"]

    @property
    def _model(self) -> _Gated:
        assert isinstance(self.spec, _Gated)
        return self.spec

    @cached_property
    def _task(self) -> Gated:
        """All that has been seen, in standard units."""
        exog = None if self.seen_exog is None else self.seen_exog.values
        return _arrays(self._model, self.units, self.seen.values, exog, self.lags)

    @cached_property
    def _seen_states(self) -> tuple[Tensor, ...]:
        return self._task.states(self.estimate.theta)

    @cached_property
    def _to_user(self) -> FloatArray:
        return _to_user(self.units, self.lags, self._model.trend, self._model.width)


# ------------------------------------------------------------------------------------------------ from data to arrays


def _arrays(model: _Gated, units: Units, values: FloatArray, exog: FloatArray | None, lags: int) -> Gated:
    """Return what the recursion reads in standard units: x_t = (1, trend, z_t, lags of y) and v_t = (z_t, y_{t-1})."""
    T = len(values)
    y = units.series(values)
    fixed = units.inputs(fixed_regressors(T, model.trend, exog))[lags:]
    constant = [np.ones((T - lags, 1))] if model.trend != "n" else []
    past = [y[lags - lag:T - lag] for lag in range(1, lags + 1)]
    own = fixed[:, int(model.trend == "ct"):]
    return Gated(CELLS[model.cell], model.width, np.hstack([*constant, fixed, *past]), np.hstack([own, *past[:1]]),
                 y[lags:], constant=model.trend != "n", drifting=model.trend == "ct", device=model.device)


def _task(model: _Gated, below: FittedVAR) -> tuple[Gated, Units]:
    if below.k_ar == 0 and below.exog is None:
        raise ParameterError("a VAR with lags=0 and no X leaves nothing to drive the gated units; fit VAR(lags=1)")
    exog = None if below.exog is None else below.exog.values
    inputs = fixed_regressors(len(below.series), below.trend, exog)
    units = Units.of(below.series.values, inputs, centred=below.trend != "n")
    return _arrays(replace(model, trend=below.trend), units, below.series.values, exog, below.k_ar), units


def _coefficients(below: FittedVAR, units: Units) -> FloatArray:
    """Return the VAR's coefficients (k, d) in standard units, from the sample, as 1e9 in a constant costs digits."""
    exog = None if below.exog is None else below.exog.values
    inputs = units.inputs(fixed_regressors(len(below.series), below.trend, exog))
    trend: Trend = "n" if below.trend == "n" else "c"
    return fit_var(units.series(below.series.values), below.k_ar, trend, inputs if inputs.size else None).coef.T


def _to_user(units: Units, lags: int, trend: Trend, width: int) -> FloatArray:
    """Return the map from standard coefficients of one equation to s⁻¹ times the user's, but for the location."""
    scale = np.concatenate([units.input_scale, np.tile(units.scale, lags), np.ones(width)])
    shift = np.concatenate([units.input_location, np.tile(units.location, lags), np.zeros(width)])
    c = int(trend != "n")
    matrix = np.zeros((c + len(scale), c + len(scale)))
    matrix[c:, c:] = np.diag(1.0 / scale)
    if c:
        matrix[0, 0] = 1.0
        matrix[0, 1:] = -shift / scale
    return matrix


def _fitted(model: _Gated, below: FittedVAR, gated: Gated, units: Units, estimate: GatedEstimate) -> FittedGated:
    weights = unflatten(estimate.theta, gated.shapes)
    standard = np.hstack([weights["linear"], weights["readout"]]).T
    user = _to_user(units, below.k_ar, below.trend, gated.width) @ standard * units.scale
    if below.trend != "n":
        user[0] += units.location
    exog_names = () if below.exog is None else below.exog.names
    rows = [*regressor_names(below.series.names, below.k_ar, below.trend, exog_names),
            *(f"{model.cell}{unit + 1}" for unit in range(gated.width))]
    params = pd.DataFrame(user, index=rows, columns=list(below.series.names))
    return FittedGated(spec=replace(model, trend=below.trend), series=below.series, exog=below.exog, seen=below.seen,
                       seen_exog=below.seen_exog, params=params, lags=below.k_ar, estimate=estimate, units=units,
                       df_model=len(params) - (estimate.gain <= 0) * gated.width)


def _check_device(device: Device) -> None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ParameterError("device='cuda' is not usable here: torch finds no CUDA device; use device='cpu', or "
                             "install a CUDA build of torch on a machine with a GPU")
