"""Rung 1, shrunk: the VAR with the conjugate Minnesota prior, its strength set by the evidence.

The same recursion as the VAR, and the same answers; many lags and many series cost it little.
Nothing is random in the fit, and neither the order of the columns nor their units matter.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from varnn.dates import season_of
from varnn.deferred import later
from varnn.errors import ConvergenceWarning, ParameterError, RankDeficientError, callers_level
from varnn.estimate.least_squares.minnesota import Choice, Regression, Tightness, choose, evidence_of_orders, root_of
from varnn.estimate.least_squares.paths import kept, lag_matrices
from varnn.estimate.least_squares.posterior import spread_around, standard_numbers
from varnn.estimate.least_squares.redundant import warn_of_explosion, warn_of_near_copies
from varnn.estimate.least_squares.regression import LeastSquares, Trend, fit_var, rows_needed
from varnn.estimate.least_squares.regressors import (
    TERMS,
    all_regressors,
    coefficient_table,
    known_regressors,
    labels,
)
from varnn.estimate.least_squares.small_sample import are_stable
from varnn.estimate.log_evidence import LogEvidence
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.numerics.threads import one_thread
from varnn.forecaster import Draws, Fitted, Forecaster, Outlook, Plan, need_rows, one_of, square_root
from varnn.models.rung1_var import FittedVAR
from varnn.series import FloatArray, Series, whole_number

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARResults

FEWEST_LAGS, MOST_COLUMNS = 5, 250  # lags tried whatever k is, and lagged columns beyond which the search takes long
ROWS_FOR_A_LAG = 8  # that the search for the number of lags leaves
SMALLEST_ERROR = 1e-5  # of a series' standard deviation, as its unit; the prior of what has none is not sharper
WALK_ROOT = 2.0     # T(ρ − 1) of the least-squares root of a random walk exceeds it once in a hundred times
ROUGH = 1e-2        # nats within which tightness is found before the number of lags is chosen


@contextmanager
def numerics() -> Iterator[None]:
    """Use one thread, for the same bits everywhere, and name a singular posterior."""
    with one_thread():
        try:
            yield
        except np.linalg.LinAlgError:
            raise RankDeficientError("the posterior's precision is singular in float64: columns of y or X move "
                                     "together almost exactly, or one explodes; leave one of them out, or take "
                                     "logarithms") from None


@dataclass(frozen=True, kw_only=True)
class ShrunkVAR(Forecaster):
    """The VAR with coefficients shrunk to white noise or to a random walk, as strongly as the data ask for.

    ŷ_t = c + A_1 y_{t−1} + … + A_p y_{t−p} + D z_t with the conjugate prior Σ ~ IW(Ψ, k + 2),
    B | Σ ~ N(B₀, Σ ⊗ Λ⁻¹). A coefficient of lag l of series j in equation i has variance
    λ² l^{−a} Ψ_i/Ψ_j, Ψ_i the error variance of an AR(1) of series i; constant, trend and X are free.
    Where the dates have a season s, lags around s and 2s are candidates too, and have λ_s² (1 + d)^{−a} more,
    d the distance of l from the nearer of the two.
    The coefficients of series j, summed over lags, lie μ Ψ_j/var(y_j) about the centre (of order 1/T for
    a random walk); the forecast from the mean of the first p rows lies δ Ψ_i^½ about that of the centre.
    λ, a, μ, δ, λ_s and the centre of each series (0, white noise, or 1, a random walk) maximise the
    marginal likelihood times the hyper-prior. Own and other lags are shrunk alike.

    Parameters
    ----------
    lags : int, optional
        Number of lags p, at least 1; chosen by the marginal likelihood when left out.
    max_lags : int, optional
        Longest p considered; 12 (T/100)^¼ when left out, less where rows are few or series many.
    trend : {"c", "n", "ct"}
        A constant, nothing, or a constant and a linear trend.
    season : int, optional
        Observations s in a season, 1 for none; found from the frequency of the dates when left out.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
    >>> fit = ShrunkVAR(lags=4).fit(y)
    >>> fit.walks, fit.forecast(1).point.shape
    (('y1', 'y2'), (1, 2))

    References
    ----------
    Giannone, Lenza & Primiceri (2015), Prior selection for vector autoregressions, Review of Economics
    and Statistics 97(2). Kadiyala & Karlsson (1997), J. Applied Econometrics 12(2), for the prior.
    """

    lags: int | None = None
    max_lags: int | None = None
    trend: Trend = "c"
    season: int | None = None
    rung: ClassVar[int | None] = 1
    draws_to_fit: ClassVar[bool] = False

    def __post_init__(self) -> None:
        one_of(self.trend, "trend", ("c", "n", "ct"))
        if self.lags is not None:
            whole_number(self.lags, "lags", least=1)
        if self.max_lags is not None:
            whole_number(self.max_lags, "max_lags", least=1)
            if self.lags is not None:
                raise ParameterError(f"max_lags={self.max_lags} has no use beside lags={self.lags}; leave one out")
        if self.season is not None:
            whole_number(self.season, "season", least=1)

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator | None) -> FittedShrunkVAR:
        fit = self.fitted(series, exog, *self.choice(series, exog))
        warn_of_near_copies(self.label, series, exog, stacklevel=4)
        return fit

    def fitted(self, series: Series, exog: Series | None, lags: int, choice: Choice) -> FittedShrunkVAR:
        """Return the posterior with these lags and hyper-parameters."""
        others = () if exog is None else exog.names
        with numerics():
            data, units = self.rows(series, exog, lags)
            estimate = _in_user_units(series, data, units, choice)
        params = later(partial(coefficient_table, estimate.coef, series.names, lags, self.trend, others))
        return FittedShrunkVAR(spec=self, series=series, exog=exog, seen=series, seen_exog=exog, params=params,
                               df_model=len(estimate.coef), estimate=estimate, k_ar=lags, tightness=choice.tight,
                               walks=tuple(np.array(series.names, dtype=object)[choice.walks == 1.0]),
                               stop=choice.descent.stop)

    def choice(self, series: Series, exog: Series | None) -> tuple[int, Choice]:
        """Refuse what cannot be fitted; return p and the hyper-parameters, and warn where the search is unfinished."""
        _refuse(self, series, exog)
        with numerics():
            lags, start = self._order(series, exog)
            choice = choose(self.rows(series, exog, lags)[0], start)
        if not choice.descent.stop.converged:
            warnings.warn(f"{self.label} stopped for the reason {choice.descent.stop.name} after "
                          f"{choice.descent.steps} steps: {choice.descent.stop.message}; the best point found is kept",
                          ConvergenceWarning, stacklevel=callers_level())
        return lags, choice

    def _order(self, series: Series, exog: Series | None) -> tuple[int, Choice | None]:
        """Return p, and where the search for it leaves the hyper-parameters."""
        if self.lags is not None:
            return int(self.lags), None
        longest = self._longest(series, 0 if exog is None else exog.k)
        if longest == 1:
            return 1, None
        data = self.rows(series, exog, longest)[0].compressed()
        choice = choose(data, tolerance=ROUGH)
        return 1 + int(evidence_of_orders(data, choice.tight, choice.walks).argmax()), choice

    def rows(self, series: Series, exog: Series | None, lags: int) -> tuple[Regression, ShrunkUnits]:
        """Return the regression with these lags and this model's season, and its units."""
        season = season_of(series.index) if self.season is None else int(self.season)
        data, units = standard_rows(series, exog, lags, self.trend)
        return replace(data, season=season), units

    def _longest(self, series: Series, q: int) -> int:
        """Return the longest order considered: the usual one, or just beyond one or two seasons where they fit."""
        if self.max_lags is not None:
            return int(self.max_lags)
        usual: int = round(12 * (len(series) / 100) ** 0.25)
        affordable = max(FEWEST_LAGS, MOST_COLUMNS // series.k)
        most = max(1, min(affordable, (len(series) - TERMS[self.trend] - q) // ROWS_FOR_A_LAG))
        season = season_of(series.index) if self.season is None else int(self.season)
        seasonal = (seasons * season + 1 for seasons in (1, 2) if season > 1)
        return max(min(usual, most), *(lags for lags in seasonal if lags <= most), 1)


@dataclass(frozen=True, eq=False)
class ShrunkEstimate(LeastSquares):
    """The posterior of a shrunken VAR, in the units of the series: Σ ~ IW(S, ν), B | Σ ~ N(B̂, Σ ⊗ root rootᵀ).

    `coef` is B̂, `sigma` the posterior mean S/(ν − k − 1), and `root` rootᵀ = (XᵀX + Λ)⁻¹.

    Attributes
    ----------
    scatter : array (k, k)
        S.
    dof : int
        ν, rows plus k + 2.
    effective : float
        Coefficients of one equation that the data determined, tr XᵀX(XᵀX + Λ)⁻¹.
    evidence : float
        Log marginal likelihood, in units of `scale`: the series' standard deviations, their sizes without a constant.
    scale : array (k,)
    """

    scatter: FloatArray
    dof: int
    effective: float
    evidence: float
    scale: FloatArray

    @property
    def df_resid(self) -> int:
        """Observations less coefficients that the data determined, for each equation."""
        return max(len(self.resid) - round(self.effective), 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedShrunkVAR(FittedVAR):
    """A shrunken VAR; `params` are posterior means, `bse` posterior standard deviations.

    Attributes
    ----------
    tightness : Tightness
        λ (`overall`), a (`decay`), μ (`sums`), δ (`initial`) and λ_s (`seasonal`), as the data chose them.
    walks : tuple of str
        Series whose centre is the random walk; the others' is white noise.
    stop : Stop
        Why the descent on the hyper-parameters ended.

    Examples
    --------
    >>> import varnn
    >>> y = varnn.data.load("macrodata").frame
    >>> fit = varnn.ShrunkVAR(lags=4).fit(y)
    >>> fit.tightness.overall > 0, fit.walks
    (True, ())
    >>> bool((fit.bse < varnn.VAR(lags=4).fit(y).bse).all(axis=None))  # the prior knows something, too
    True
    """

    estimate: ShrunkEstimate
    tightness: Tightness
    walks: tuple[str, ...]
    stop: Stop

    @property
    def trend(self) -> Trend:
        """Deterministic terms of the specification."""
        assert isinstance(self.spec, ShrunkVAR)
        return self.spec.trend

    @property
    def evidence(self) -> LogEvidence:
        """Log marginal likelihood of the rows explained, given the p rows before them: a matrix t density.

        Exact at the hyper-parameters chosen. `evidence.sample` says which rows, and in which units.
        """
        return LogEvidence.of(self.estimate.evidence, self.series, self.nobs, self.estimate.scale,
                              f"marginal likelihood given {self.k_ar} rows, conjugate prior")

    @property
    def sigma_u(self) -> FloatArray:
        """Posterior mean of the error covariance, (k, k)."""
        return self.estimate.sigma

    @cached_property
    def sigma_u_mle(self) -> FloatArray:
        """Residual covariance EᵀE/(T − p) at the posterior mean, (k, k)."""
        return np.asarray(self._misses.T @ self._misses / self.nobs)

    @property
    def n_params(self) -> int:
        """Coefficients of all equations that the data determined; the rest is the prior's."""
        return round(self.series.k * self.estimate.effective)

    @property
    def df_resid(self) -> int:
        """Observations less coefficients that the data determined, for each equation."""
        return self.estimate.df_resid

    @cached_property
    def left_out(self) -> FloatArray:
        """Residuals that each date would have, were it left out at these hyper-parameters: e_t/(1 − ‖x_t root‖²)."""
        X = all_regressors(self.series.values, self.k_ar, self.trend, None if self.exog is None else self.exog.values)
        leverage = ((X[self.k_ar:] @ self.estimate.root) ** 2).sum(axis=1)
        return np.asarray(self.estimate.resid / (1.0 - leverage)[:, None])

    def to_statsmodels(self) -> VARResults:
        """Refuse, as statsmodels has no VAR with a prior."""
        raise ParameterError("statsmodels has no VAR with a prior to hand this fit to; fit VAR(lags="
                             f"{self.k_ar}) for its least squares")

    def _without_news(self) -> list[int]:
        return Fitted._without_news(self)

    def _warn_unless_stable(self, what: str) -> None:
        """Warn of a root that a random walk in so many rows would not show; where walks are the centre, 1 is usual."""
        radius = float(1 / np.abs(self.roots).min())
        if radius > 1 + (WALK_ROOT / self.nobs if self.walks else 0.0):
            warn_of_explosion(self.spec.label, what, radius)

    def _draw(self, count: int, rng: np.random.Generator) -> Draws:
        """Draw from the posterior; explosive draws are left out where the posterior mean is stable."""
        estimate = self.estimate
        (d, k), df = estimate.coef.shape, estimate.dof
        numbers = standard_numbers(d, k, df, count, rng)
        sigma, weights = spread_around(estimate.coef, estimate.root, square_root(estimate.scatter), *numbers)
        if not self.is_stable():
            return Draws(sigma, weights)
        stable = are_stable(lag_matrices(weights, self.k_ar), np.sqrt(np.diag(self.sigma_u)))
        return Draws(*kept(sigma, weights, stable))

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        """Give each path its own draw: a proper posterior needs no correction for small samples."""
        return self._simulate(shocks, future_exog, draws)

    @classmethod
    def _outlooks(cls, fits: Sequence[Self], horizon: int, futures: Sequence[FloatArray | None],
                  plans: Sequence[Plan]) -> list[Outlook]:
        return [fit._outlook(horizon, future, plan) for fit, future, plan in zip(fits, futures, plans, strict=True)]

    def _refit(self, samples: FloatArray) -> Draws | None:
        return None

    def _debiased(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        return Fitted._debiased(self, weights, bias)

    def _notes(self) -> list[str]:
        tight = self.tightness
        seasonal = f", seasonal {tight.seasonal:.3g}" if tight.seasonal else ""
        centres = "white noise for all" if not self.walks else f"random walk for {', '.join(self.walks)}"
        return [*super()._notes(),
                f"shrinkage     overall {tight.overall:.3g}, decay {tight.decay:.3g}, sums {tight.sums:.3g}, "
                f"initial {tight.initial:.3g}{seasonal}; {self.estimate.effective:.1f} of {self.df_model} coefficients "
                "an equation determined",
                f"centre        {centres}",
                f"log evidence  {self.evidence:.6g}"]


@dataclass(frozen=True, eq=False)
class ShrunkUnits:
    """Shift and scale of the series (k,) and of the fixed columns (c,), whose first may be the constant."""

    constant: bool
    shift: FloatArray
    scale: FloatArray
    fixed_shift: FloatArray
    fixed_scale: FloatArray


def standard_rows(series: Series, exog: Series | None, lags: int, trend: Trend) -> tuple[Regression, ShrunkUnits]:
    """Return the regression about the means, in units of the errors of an AR(1) of each series."""
    values, (T, k) = series.values, series.values.shape
    fixed = known_regressors(T, trend, None if exog is None else exog.values)
    centred, constant = trend != "n", np.arange(fixed.shape[1]) < (trend != "n")
    away = fixed.std(axis=0) if centred else np.sqrt((fixed**2).mean(axis=0))
    units = ShrunkUnits(centred, values.mean(axis=0) if centred else np.zeros(k), _error_sizes(values),
                   np.where(constant, 0.0, fixed.mean(axis=0)) if centred else np.zeros(fixed.shape[1]),
                   np.where(constant, 1.0, away))
    y, z = (values - units.shift) / units.scale, (fixed - units.fixed_shift) / units.fixed_scale
    X = np.hstack([z, all_regressors(y, lags, "n", None)])[lags:]
    first = np.concatenate([z[:lags].mean(axis=0), np.tile(y[:lags].mean(axis=0), lags)])
    spread = np.minimum(y.var(axis=0), float(T) ** 2)  # no sample tells sums of coefficients apart that are closer
    return Regression(X, y[lags:], T - lags, lags, spread, first, k + 2.0), units


def _error_sizes(values: FloatArray) -> FloatArray:
    """Return the root mean squared error of an AR(1) of each series, (k,); at least a small share of its size."""
    before, now = (block - block.mean(axis=0) for block in (values[:-1], values[1:]))
    slope = (before * now).sum(axis=0) / (before**2).sum(axis=0)
    return np.asarray(np.maximum(np.sqrt(((now - slope * before) ** 2).mean(axis=0)),
                                 SMALLEST_ERROR * values.std(axis=0)))


def _in_user_units(series: Series, data: Regression, units: ShrunkUnits, choice: Choice) -> ShrunkEstimate:
    """Return the posterior of coefficients on the regressors as they are given."""
    found, (n, k) = choice.found, data.Y.shape
    sizes = np.concatenate([units.fixed_scale, np.tile(units.scale, data.lags)])
    plain = root_of(data.compressed(), choice.tight)
    coef, root = found.coef / sizes[:, None] * units.scale, plain / sizes[:, None]
    if units.constant:
        shift = np.concatenate([units.fixed_shift[1:], np.tile(units.shift, data.lags)])
        coef[0] += units.shift - shift @ coef[1:]
        root[0] -= shift @ root[1:]
    own = np.outer(units.scale, units.scale)
    scatter, dof = found.scatter * own, n + int(data.dof)
    sd = series.values.std(axis=0) if units.constant else np.sqrt((series.values**2).mean(axis=0))
    return ShrunkEstimate(np.ascontiguousarray(coef), np.ascontiguousarray(root),
                          (data.Y - data.X @ found.coef) * units.scale, scatter / (dof - k - 1), scatter, dof,
                          float(((data.X @ plain) ** 2).sum()),
                          found.evidence + n * float(np.log(sd / units.scale).sum()), sd)


def _refuse(model: ShrunkVAR, series: Series, exog: Series | None) -> None:
    """Refuse samples that are too short, and columns that are constant or combinations of others."""
    q, trend = 0 if exog is None else exog.k, model.trend
    asked = [f"{name}={value}" for name, value in (("lags", model.lags), ("max_lags", model.max_lags)) if value]
    need = (model.lags or model.max_lags or 1) + TERMS[trend] + q + series.k + 2
    need_rows(f"ShrunkVAR({', '.join(asked)})", series, need, "use fewer lags or a longer series" if asked else
              "use a longer series")
    for name, spread in zip(series.names, np.ptp(series.values, axis=0), strict=True):
        if spread == 0.0:
            raise RankDeficientError(f"the column {name!r} is constant, so nothing about it can be estimated; "
                                     "leave it out")
    if len(series) >= rows_needed(series.k, 1, trend, q):
        names = labels(series.names, 1, trend, () if exog is None else exog.names)[0]
        fit_var(series.values, 1, trend, None if exog is None else exog.values, names=names)
