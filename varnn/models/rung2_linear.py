"""Rung 2, the linear RNN: u_t = A u_{t-1} + B x_t, ŷ_t = u_t[:k] — a VAR that remembers its own forecasts.

Called by users and by the ladder; rung 3 imports it.  Estimation is in `varnn.estimate`; nothing here loops over time.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from varnn.display import count
from varnn.errors import (
    ConvergenceWarning,
    ParameterError,
    RankDeficientError,
    RationWarning,
    SingularWarning,
    callers_level,
)
from varnn.estimate.least_squares.minnesota import Tightness, choose
from varnn.estimate.least_squares.order import default_max_lags
from varnn.estimate.least_squares.redundant import cut_search, warn_of_explosion, warn_of_near_copies
from varnn.estimate.least_squares.regression import Trend, fit_var, fixed_regressors, regressor_names, rows_needed
from varnn.estimate.least_squares.small_sample import stability_held
from varnn.estimate.linear import likelihood as gaussian
from varnn.estimate.linear.kalman import end_states, filtered_states, paths, posterior_draws, responses
from varnn.estimate.linear.lag_choice import affordable_beside_a_memory, fit_beside, fit_chosen
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.maximum_likelihood import LinearEstimate, Optimum, var_below
from varnn.estimate.linear.prior import Pull, pull_of
from varnn.estimate.linear.units import Units, weight_table
from varnn.estimate.log_evidence import LogEvidence
from varnn.estimate.numerics.covariance import SINGULAR, regular, without_error
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.numerics.threads import one_thread
from varnn.forecaster import Draws, Fitted, Forecaster, need_rows, one_of, square_root
from varnn.models.rung1_shrunk import ROUGH, FittedShrunkVAR, ShrunkVAR
from varnn.questions import LinearQuestions
from varnn.series import FloatArray, Series, checked_memory, checked_weights, whole_number

if TYPE_CHECKING:
    from varnn.models.rung1_var import FittedVAR


@contextmanager
def _numerics() -> Iterator[None]:
    """Use one thread, for the same bits everywhere, and name a singular Σ."""
    with one_thread():
        try:
            yield
        except np.linalg.LinAlgError:
            raise RankDeficientError("the covariance of the innovations is singular in float64: two series move "
                                     "together, or there are nearly as many coefficients as rows; drop a series, "
                                     "use fewer lags or more rows") from None


@dataclass(frozen=True, kw_only=True)
class LinearRNN(Forecaster):
    """Linear recurrent network, the VARMA in innovations form: u_t = A u_{t-1} + B x_t, y_t = u_t[:k] + e_t.

    x_t = (trend, y_{t-1} … y_{t-p}, z_t).  With width k it is VARMA(p, 1),
    Φ_1 = B_1 + A and M_1 = -A; A = 0 is the VAR.

    Parameters
    ----------
    lags : int, optional
        p; chosen by the evidence on the training data when left out.  0 with exogenous X is h_t = B z_t + A h_{t-1}.
    width : int, optional
        Number n ≥ k of linear units; k when left out.  More make a general state space in innovations form.
    trend : {"c", "n", "ct"}
        Constant, none, or constant and linear trend.
    shrinkage : {"evidence", None}
        The prior of the shrunken VAR and a memory where the evidence calls for one, or plain maximum likelihood.
    likelihood : {"auto", "exact", "conditional"}
        Exact (stationary start), given the presample, or exact where the sample is stationary and undriven.
    max_lags : int, optional
        Largest p considered when `lags` is left out.
    season : int, optional
        Observations in a season, around which the shrunken VAR has lags; found from the dates when left out.

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=(301, 1))
    >>> fit = LinearRNN(lags=1, shrinkage=None).fit(e[1:] + 0.6 * e[:-1])
    >>> round(float(fit.ma[0, 0]), 1)
    0.6

    References
    ----------
    Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, chapters 11-12; Hannan and Deistler (1988).
    """

    lags: int | None = None
    width: int | None = None
    trend: Trend = "c"
    shrinkage: Literal["evidence"] | None = "evidence"
    likelihood: Literal["auto", "exact", "conditional"] = "auto"
    max_lags: int | None = None
    season: int | None = None
    rung: ClassVar[int | None] = 2

    def __post_init__(self) -> None:
        if self.lags is not None:
            whole_number(self.lags, "lags", least=0)
        if self.width is not None:
            whole_number(self.width, "width", least=1)
        if self.max_lags is not None:
            whole_number(self.max_lags, "max_lags", least=1)
        if self.season is not None:
            whole_number(self.season, "season", least=1)
        one_of(self.trend, "trend", ("c", "n", "ct"))
        one_of(self.shrinkage, "shrinkage", ("evidence", None))
        one_of(self.likelihood, "likelihood", ("auto", "exact", "conditional"))

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> FittedLinearRNN:
        with _numerics():
            fit = _estimate(self, series, exog)
        cut = ""
        if self.lags is None:
            q = 0 if exog is None else exog.k
            longest = default_max_lags(len(series), series.k, self.trend, q) if self.max_lags is None else self.max_lags
            most = (len(series) - q - fit.width - series.k - 3) // (series.k + 1)
            cut = cut_search(self.label, series, exog, self.trend, min(longest, most))
        warn_of_near_copies(self.label, series, exog, stacklevel=4)
        if still := [repr(series.names[j]) for j in without_error(fit.estimate.sigma)]:
            what = still[0] if len(still) == 1 else f"a combination of {', '.join(still)}"
            warnings.warn(f"{what} follows from the past without error: nothing in it is ever new, and the likelihood "
                          f"has no maximum, so its error is taken as {SINGULAR**0.5:.0e} standard deviations; leave "
                          f"{still[-1]} out of y (the rule that a VAR finds gives it)" + (cut and f"; {cut}"),
                          SingularWarning, stacklevel=callers_level())
        elif cut:
            warnings.warn(cut, SingularWarning, stacklevel=callers_level())
        warn_of_an_unfinished_descent(self.label, fit)
        if fit.tightness is not None and not affordable_beside_a_memory(len(series), series.k):
            warnings.warn(rationed(self.label, series, "shrinkage=None"), RationWarning, stacklevel=callers_level())
        return fit

    @staticmethod
    def lift(below: FittedVAR) -> FittedLinearRNN:
        """Return the fitted VAR as a linear RNN: A = 0, B the VAR's coefficients, the same forecasts."""
        return lift(below)


def rationed(label: str, series: Series, way_out: str) -> str:
    """Return what a RationWarning says where a sample is too large for a memory of every series on every other."""
    return (f"{label} tries no memory and no tanh units for {series.k} series of {len(series)} rows, which would take "
            f"minutes, and is the shrunken VAR; leave series out, or set {way_out} to wait for it")


def warn_of_an_unfinished_descent(label: str, fit: FittedLinearRNN) -> None:
    """Warn where the descent of a fit ended before it had converged."""
    if not fit.stop.converged:
        warnings.warn(f"{label} stopped for the reason {fit.stop.name} after {fit.estimate.steps} steps: "
                      f"{fit.stop.message}; the best point found is kept (shrinkage='evidence' or fewer lags help)",
                      ConvergenceWarning, stacklevel=callers_level())


def lift(below: FittedVAR) -> FittedLinearRNN:
    """Return the fitted VAR as a linear RNN with A = 0; it forecasts the same to rounding error."""
    trend, lags = below.trend, below.k_ar
    model = LinearRNN(lags=lags, trend=trend, shrinkage=None, likelihood="conditional")
    with _numerics():
        sample, units = _sample(below.series, below.exog, lags, trend)
        estimate = var_below(sample, below.series.k, exact=False, intercept=trend != "n")
    return _fitted(model, below.series, below.exog, lags, estimate, units, below.seen, below.seen_exog)


def fit_windows(model: LinearRNN, windows: Sequence[Series], exog: Sequence[Series | None] | None = None, *,
                threads: int = 1) -> list[FittedLinearRNN]:
    """Fit one specification to many samples; the bits do not depend on the number of threads or on the order.

    `windows` are estimation samples of any lengths, `exog` their exogenous columns; fits come back in the same order.
    """
    beside = [None] * len(windows) if exog is None else list(exog)
    whole_number(threads, "threads", least=1)
    with _numerics():
        if threads == 1:
            return [_estimate(model, series, z) for series, z in zip(windows, beside, strict=True)]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda series, z: _estimate(model, series, z), windows, beside))


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedLinearRNN(LinearQuestions, Fitted):
    """A fitted linear RNN.

    Attributes
    ----------
    lags, width : int
        p and n as used.
    estimate : LinearEstimate
        Weights, information, precisions and optima in standard units.
    units : Units
        From standard units to those of the series.
    tightness : Tightness, optional
        Hyper-parameters of the shrunken VAR below, whose prior the autoregressive part has.
    walks : tuple of str
        Series that this prior takes for random walks.
    shrunken : FittedShrunkVAR, optional
        The rung below, where no memory pays: every answer is its answer, and `weights` are its weights.

    Examples
    --------
    >>> import varnn
    >>> e = np.random.default_rng(0).normal(size=401)
    >>> fit = varnn.LinearRNN(lags=1, width=1).fit(e[1:] + 0.8 * e[:-1])
    >>> fit.lags, fit.width, fit.states.shape[1]
    (1, 1, 1)
    >>> bool(np.allclose(fit.ma_rep(2)[0], 1.0))                   # the response to a shock at once is the shock
    True
    """

    lags: int
    width: int
    estimate: LinearEstimate
    units: Units
    tightness: Tightness | None = None
    walks: tuple[str, ...] = ()
    shrunken: FittedShrunkVAR | None = None

    _carried: ClassVar[tuple[str, ...]] = (*Fitted._carried, "_scatter")

    @property
    def _whiteness_samples(self) -> int:
        """Samples that p-values need: none where the shrunken VAR answers, whose degrees of freedom are known."""
        return 99 if self.shrunken is None else 0

    def _without_news(self) -> list[int]:
        """Return none where `_estimate` named them already."""
        return [] if without_error(self.estimate.sigma) else super()._without_news()

    @cached_property
    def _below(self) -> FittedShrunkVAR | None:
        """The rung below that answers in this one's place, having seen as much."""
        return None if self.shrunken is None else replace(self.shrunken, seen=self.seen, seen_exog=self.seen_exog)

    @property
    def likelihood(self) -> Literal["exact", "conditional"]:
        """Which likelihood was maximised."""
        return "exact" if self.estimate.exact else "conditional"

    @property
    def stop(self) -> Stop:
        """Why the optimiser stopped."""
        return self.estimate.stop

    @property
    def optima(self) -> tuple[Optimum, ...]:
        """Every optimum found, with its start; log-likelihoods in standard units."""
        return self.estimate.optima

    @property
    def evidence(self) -> LogEvidence:
        """Log evidence; differences between fits on the same rows are log Bayes factors.  NaN without shrinkage.

        It is of the rows that `evidence.sample` names, in units of their standard deviation: the marginal likelihood
        of the shrunken VAR below and Laplace's approximation for the memory, given the rows before, whichever
        likelihood was maximised.  Unlike evidences refuse to be compared.
        """
        rule, rows = f"{self.likelihood} likelihood, Schwarz below and Laplace", self.nobs
        if self.tightness is not None:
            rule, rows = f"marginal likelihood given {self.lags} rows, conjugate prior", len(self.series) - self.lags
        return LogEvidence.of(self.estimate.evidence, self.series, rows, self.units.scale, rule)

    @property
    def evidence_gain(self) -> float:
        """Log evidence over the VAR with the same lags; 0 where the memory was dropped."""
        return self.estimate.gain

    @property
    def effective_params(self) -> dict[str, float]:
        """Number of weights that the data determined, block by block: γ = n - α tr H⁻¹."""
        memory = self.estimate.free.copy()
        memory[: self.series.k, self.width :] = False
        blocks = self.estimate.effective or {"memory": float(memory.sum())}
        if self.shrunken is not None:
            return {"feed-forward": self.series.k * self.shrunken.estimate.effective}
        if self.estimate.dof:
            return {"feed-forward": self.estimate.determined, **self.estimate.effective}
        return {"feed-forward": float((self.estimate.free & ~memory).sum()), **blocks}

    @cached_property
    def weights(self) -> FloatArray:
        """[A | B_1 … B_p | c | D] in the units of the series, shape (n, m)."""
        return self.units.weights(self.estimate.weights, self.lags)[0]

    @property
    def A(self) -> FloatArray:
        """Memory of the previous state, shape (n, n)."""
        return self.weights[:, : self.width]

    @property
    def B(self) -> FloatArray:
        """Weights of x_t = (y lags, constant, trend and exogenous), shape (n, m - n)."""
        return self.weights[:, self.width :]

    @cached_property
    def phi(self) -> FloatArray:
        """Autoregressive matrices Φ_1 … Φ_p of the VARMA(max(p, 1), 1) form, shape (p, k, k); width k only."""
        k = self._square()
        phi = np.zeros((max(self.lags, 1), k, k))
        for lag in range(self.lags):
            phi[lag] = self.weights[:, k + lag * k : 2 * k + lag * k]
        phi[0] += self.A
        return phi

    @property
    def ma(self) -> FloatArray:
        """Moving-average matrix M_1 = -A of the VARMA form, shape (k, k); width k only."""
        self._square()
        return -self.A

    @cached_property
    def stationary(self) -> bool:
        """True where every root of the autoregressive part lies inside the unit circle."""
        F, _ = gaussian.transition(self.estimate.weights, self.lags, self.series.k)
        return bool(gaussian.spectral_radius(F) < 1.0)

    def _warn_unless_stable(self, what: str) -> None:
        if not self.stationary:
            F, _ = gaussian.transition(self.estimate.weights, self.lags, self.series.k)
            warn_of_explosion(self.spec.label, what, float(gaussian.spectral_radius(F)))

    @property
    def n_params(self) -> int:
        """Weights estimated in all equations; those that the data determined where they were shrunk."""
        return round(sum(self.effective_params.values()))

    @property
    def df_resid(self) -> int:
        """Observations less weights for each equation."""
        return max(self.nobs - round(self.n_params / self.series.k), 1)

    @property
    def nobs(self) -> int:
        """Number of dates the likelihood is over."""
        return self.estimate.rows

    @cached_property
    def sigma_u_mle(self) -> FloatArray:
        """Innovation covariance at the optimum, shape (k, k); of the errors alone where Σ has a prior."""
        if self.estimate.dof:
            return np.asarray(self._misses.T @ self._misses / len(self._misses))
        return np.asarray(self.estimate.sigma * np.outer(self.units.scale, self.units.scale))

    @cached_property
    def llf(self) -> float:
        """Gaussian log-likelihood, exact or given the presample as `likelihood` says."""
        k, rows = self.series.k, self.estimate.rows
        if self.estimate.dof:
            log_det = float(np.linalg.slogdet(self.sigma_u_mle)[1])
            return -gaussian.constant(rows, k) - 0.5 * rows * (log_det + k)
        return float(-self.estimate.value - gaussian.constant(rows, k) - rows * np.log(self.units.scale).sum())

    @cached_property
    def bse(self) -> pd.DataFrame:
        """Standard errors of `params` from the Gauss-Newton information; 0 where a weight is held."""
        if self.shrunken is not None:
            return self.shrunken.bse.reindex(self.params.index, fill_value=0.0).reindex(self.params.columns, axis=1,
                                                                                        fill_value=0.0)
        errors = self.units.standard_errors(self.estimate.free, self._covariance, self.lags)
        others = () if self.exog is None else self.exog.names
        return weight_table(errors, self.series.names, others, self.spec_trend, self.lags)

    @property
    def spec_trend(self) -> Trend:
        """Deterministic terms of the specification."""
        assert isinstance(self.spec, LinearRNN)
        return self.spec.trend

    def _square(self) -> int:
        k = self.series.k
        if self.width != k:
            raise ParameterError(f"a linear RNN of width {self.width} on {k} series is a state space, not VARMA(p, 1); "
                                 f"use width={k} for phi and ma, or A and B")
        return k

    @property
    def _covariance(self) -> FloatArray:
        """Covariance of the free weights in standard units, with the degrees-of-freedom factor of rung 1."""
        with one_thread():
            return np.asarray(self.estimate.inverse_information * self.widening)

    @property
    def _freedom(self) -> float:
        """Degrees of freedom ν − k − 1 of the posterior of Σ, whose prior has some, less what the memory took."""
        estimate, k = self.estimate, self.series.k
        return estimate.rows + estimate.dof - k - 1 - sum(estimate.effective.values()) / k

    @property
    def widening(self) -> float:
        """What Σ at the optimum is multiplied by: for degrees of freedom as in rung 1, or for its posterior mean."""
        if self.estimate.dof:
            return (self.estimate.rows + self.estimate.dof) / self._freedom
        return self.nobs / self.df_resid

    @property
    def sigma_u(self) -> FloatArray:
        """Covariance of the errors, (k, k): for degrees of freedom as in rung 1, or the posterior mean."""
        if not self.estimate.dof:
            return super().sigma_u
        return np.asarray(self.estimate.sigma * self.widening * np.outer(self.units.scale, self.units.scale))

    @cached_property
    def _scatter(self) -> FloatArray:
        """Root of `_covariance`, found once for all forecasts from this estimate."""
        return square_root(self._covariance)

    # --- what every rung writes ----------------------------------------------------------------

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        states, start = self._states(values, exog)
        predicted = np.full(values.shape, np.nan)
        predicted[start:] = self.units.back(states[:, : values.shape[1]])
        return predicted

    def _states(self, values: FloatArray, exog: FloatArray | None) -> tuple[FloatArray, int]:
        """States u_t in standard units for rows `start` … T - 1."""
        return filtered_states(self._observed(values, exog), self.estimate)

    def _observed(self, values: FloatArray, exog: FloatArray | None) -> Sample:
        inputs = self.units.inputs(fixed_regressors(len(values), self.spec_trend, exog))
        return Sample(self.units.series(values), inputs, self.lags, self.lags)

    @cached_property
    def _seen_states(self) -> tuple[Sample, FloatArray, int]:
        exog = None if self.seen_exog is None else self.seen_exog.values
        states, start = self._states(self.seen.values, exog)
        return self._observed(self.seen.values, exog), states, start

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return 4.8 arrays of the paths, as measured, beside the draws and what tells the stable ones."""
        k, lagged = self.series.k, self.lags * self.series.k
        draws = self.estimate.weights.size + 2 * k * k
        return n_paths * max(stability_held(lagged), 4.8 * horizon * k + 4 * draws)

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        if self._below is not None:
            return self._below._simulate(shocks, future_exog, draws)
        sample, states, start = self._seen_states
        (m, h, _), T = shocks.shape, len(self.seen)
        inputs = self.units.inputs(fixed_regressors(h, self.spec_trend, future_exog, first=T + 1))
        weights, ends = self.estimate.weights[None], states[-1:]
        if draws is not None:
            which = np.arange(m) % len(draws.weights)
            weights, ends = draws.weights[which], end_states(sample, states, start, draws.weights)[which]
        last = sample.values[T - self.lags :]
        return self.units.back(paths(weights, last, inputs, self.lags, ends, shocks / self.units.scale))

    def ma_rep(self, maxn: int = 10) -> FloatArray:
        """Responses Ψ_0 … Ψ_maxn to unit errors, shape (maxn + 1, k, k), in the units of the series."""
        weights, inputs, steps = self.estimate.weights, self.units.input_scale.size, whole_number(maxn, "maxn", least=0)
        checked_memory(f"{steps} periods of responses", 6 * steps * self.series.k**2, "use a smaller periods or maxn")
        psi = responses(weights, self.lags, inputs, self.series.k, 1 + steps)
        return psi * np.outer(self.units.scale, 1 / self.units.scale)

    def _spread(self, horizon: int, future_exog: FloatArray | None) -> FloatArray | None:
        if self._below is not None:
            return self._below._spread(horizon, future_exog)
        psi = self.ma_rep(horizon - 1)
        return np.asarray(np.sqrt(np.cumsum(np.einsum("hij,jl,hil->hi", psi, self.sigma_u, psi), axis=0)))

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        if self._below is not None:
            return self._below._respond(shocks, future_exog, draws)
        return super()._respond(shocks, future_exog, draws)

    def _draw(self, count: int, rng: np.random.Generator) -> Draws:
        """Draw (C, Σ): Σ from its inverse-Wishart posterior, C | Σ from Laplace's, kept where the filter is stable.

        Where the memory was dropped this is the exact posterior of rung 1.
        """
        if self._below is not None:
            return self._below._draw(count, rng)
        units = np.outer(self.units.scale, self.units.scale)
        with one_thread():
            root = square_root(self.sigma_u / units)
            weights, sigma = posterior_draws(self.estimate, root, self._scatter, self.df_resid, count, rng)
        return Draws(sigma * units, weights)

    @property
    def choice(self) -> str:
        """Lags, and whether a memory was kept."""
        return f"{count(self.lags, 'lag')}, {'a' if self.A.any() else 'no'} memory"

    def _notes(self) -> list[str]:
        effective = ", ".join(f"{name} {value:.2f}" for name, value in self.effective_params.items())
        lines = [f"lags {self.lags}   width {self.width}   likelihood {self.likelihood}   stopped: {self.stop.name}",
                 f"effective parameters: {effective}"]
        if np.isfinite(self.evidence):
            lines.append(f"log evidence {self.evidence:.6g}, over the VAR with the same lags {self.evidence_gain:+.4g}")
        return lines


def _sample(series: Series, exog: Series | None, lags: int, trend: Trend) -> tuple[Sample, Units]:
    inputs = fixed_regressors(len(series), trend, None if exog is None else exog.values)
    units = Units.of(series.values, inputs, centred=trend != "n")
    return Sample(units.series(series.values), units.inputs(inputs), lags, lags), units


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # of trial points, which are then refused
def _estimate(model: LinearRNN, series: Series, exog: Series | None) -> FittedLinearRNN:
    k, intercept = series.k, model.trend != "n"
    width = k if model.width is None else model.width
    q = 0 if exog is None else len(exog.names)
    if width < k:
        raise ParameterError(f"width={width} is less than the {k} series to be forecast; use width={k} or more")
    if model.lags == 0 and exog is None:
        raise ParameterError("lags=0 without X leaves nothing to drive the recursion; give exogenous columns or lags=1")
    least = 1 if model.lags is None else model.lags
    checked_weights(model.label, "width", width, width * (width + 1))
    need = rows_needed(k, least, model.trend, q) + width
    need_rows(f"LinearRNN(lags={least})", series, need, "use fewer lags or a longer series")
    for name, spread in zip(series.names, np.ptp(series.values, axis=0), strict=True):
        if spread == 0.0:
            raise RankDeficientError(f"the column {name!r} is constant, so nothing about it can be estimated; "
                                     "leave it out")
    names = regressor_names(series.names, least, model.trend, () if exog is None else exog.names)
    fit_var(series.values, least, model.trend, None if exog is None else exog.values, names=names)  # or names a column
    sample, units = _sample(series, exog, least, model.trend)
    driven = model.trend == "ct" or exog is not None
    if model.likelihood == "exact" and driven:
        raise ParameterError("likelihood='exact' needs a stationary process; with a trend or exogenous X use 'auto'")
    rule = "conditional" if driven else model.likelihood
    def exact_rule(lags: int) -> bool:
        """Whether a VAR with these lags leaves some series without error; a prior would only blur its rule."""
        if len(series) < rows_needed(k, lags, model.trend, q):
            return False
        inputs = sample.inputs if sample.inputs.shape[1] else None
        try:
            errors = fit_var(sample.values, lags, "c" if intercept else "n", inputs).resid
        except RankDeficientError:  # redundant lags, which a prior can do with
            return False
        return bool(without_error(regular(errors.T @ errors / len(errors))))

    if model.shrinkage is not None and model.lags != 0 and not exact_rule(least):
        fit = _beside_shrunken(model, series, exog, sample, units, width, rule)
        if fit.lags == least or not exact_rule(fit.lags):
            return fit
    most = (len(series) - q - width - k - 3) // (k + 1)
    estimate, lags = fit_chosen(
        sample, width, searched=model.lags is None, max_lags=model.max_lags, most=most, intercept=intercept,
        shrunk=model.shrinkage is not None, likelihood=rule)
    return _fitted(model, series, exog, lags, estimate, units, series, exog)


def _beside_shrunken(model: LinearRNN, series: Series, exog: Series | None, sample: Sample, units: Units, width: int,
                     rule: Literal["auto", "exact", "conditional"]) -> FittedLinearRNN:
    """Fit the memory beside the shrunken VAR, whose prior B has; that VAR itself where no memory pays."""
    max_lags = model.max_lags if model.lags is None else None
    below = ShrunkVAR(lags=model.lags, max_lags=max_lags, trend=model.trend, season=model.season)
    var_lags, choice = below.choice(series, exog)

    @cache
    def pulls(lags: int, start: int) -> Pull:
        rows, own = below.rows(series, exog, lags)
        known = choice if lags == var_lags else choose(rows, choice, tolerance=ROUGH)
        rows = replace(rows, X=rows.X[start - lags:], Y=rows.Y[start - lags:], rows=len(series) - start)
        return pull_of(rows, known.tight, known.walks, units.scale / own.scale, width, constant=own.constant)

    estimate, lags = fit_beside(sample, width, pulls, var_lags, searched=model.lags is None,
                                intercept=model.trend != "n", likelihood=rule)
    fit = _fitted(model, series, exog, lags, estimate, units, series, exog)
    shrunken = None if estimate.effective else below.fitted(series, exog, var_lags, choice)
    walks = tuple(name for name, walk in zip(series.names, choice.walks, strict=True) if walk == 1.0)
    return replace(fit, tightness=choice.tight, walks=walks, shrunken=shrunken)


def _fitted(model: LinearRNN, series: Series, exog: Series | None, lags: int, estimate: LinearEstimate, units: Units,
            seen: Series, seen_exog: Series | None) -> FittedLinearRNN:
    others = () if exog is None else exog.names
    table = weight_table(units.weights(estimate.weights, lags)[0], series.names, others, model.trend, lags)
    width = len(estimate.weights)
    return FittedLinearRNN(spec=model, series=series, exog=exog, seen=seen, seen_exog=seen_exog, params=table,
                           df_model=len(table), lags=lags, width=width, estimate=estimate, units=units)
