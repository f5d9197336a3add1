"""Rung 1: the vector autoregression y_t = c + A_1 y_{t−1} + … + A_p y_{t−p} + D z_t + e_t.

The recursion h_t = W_hh h_{t−1} + W_xh x_t + b with W_hh = 0, so that h_t = ŷ_t. Estimated by exact least
squares (`engine="qr"`) or by statsmodels; both give the same attributes. The rungs above start from this fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from varnn.deferred import later
from varnn.display import count
from varnn.errors import ParameterError, TooShortError
from varnn.estimate.least_squares.order import OrderSearch, default_max_lags, search_orders
from varnn.estimate.least_squares.paths import Drawn, Predicted, kept, lag_matrices, predictive, recursion
from varnn.estimate.least_squares.posterior import spread_around, standard_numbers
from varnn.estimate.least_squares.redundant import (
    spectral_radius,
    warn_of_cut_search,
    warn_of_explosion,
    warn_of_near_copies,
)
from varnn.estimate.least_squares.regression import LeastSquares, Trend, fit_var, fit_windows, rows_needed
from varnn.estimate.least_squares.regressors import (
    TERMS,
    all_regressors,
    coefficient_table,
    known_regressors,
    labels,
    transition,
)
from varnn.estimate.least_squares.small_sample import are_stable, debiased, lag_bias, spread_correction, stability_held
from varnn.estimate.numerics.companion import (
    characteristic_roots,
    estimation_covariance,
    forecast_covariance,
    moving_average,
)
from varnn.estimate.numerics.covariance import SINGULAR
from varnn.forecaster import Draws, Fitted, Forecaster, Outlook, Plan, coloured, one_of, square_root
from varnn.series import FloatArray, Series, checked_horizon, whole_number

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARResults

    from varnn.inference.decompose import VarianceDecomposition
    from varnn.inference.hypothesis import HypothesisTest
    from varnn.inference.impulse import ImpulseResponses
    from varnn.picture import Picture

MANY_REGRESSORS, PLENTY_OF_ROWS = 60, 20  # from here corrections of order d/T cost minutes and change nothing
CORRECTION_DRAWS = 200  # enough for the median of a variance

Engine = Literal["qr", "statsmodels"]
Criterion = Literal["aic", "bic", "hqic", "fpe"]


@dataclass(frozen=True, kw_only=True)
class VAR(Forecaster):
    """Explain each series by the recent past of all: ŷ_t = c + A_1 y_{t−1} + … + A_p y_{t−p} + D z_t.

    Parameters
    ----------
    lags : int or {"aic", "bic", "hqic", "fpe"}, optional
        Number of lags p, or the criterion that chooses it; "aic" when left out.
    max_lags : int, optional
        Longest order searched; 12 (T/100)^¼ when left out, less where the sample is small.
    trend : {"c", "n", "ct"}
        A constant, nothing, or a constant and a linear trend.
    engine : {"qr", "statsmodels"}
        Who computes the least squares; the numbers agree to nine digits or more on well-scaled data,
        and "qr" keeps its digits on badly scaled data too.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=(200, 2))
    >>> y[1:] += 0.5 * y[:-1]
    >>> fit = VAR(lags="bic").fit(y)
    >>> fit.k_ar, fit.params.index.tolist()
    (1, ['const', 'L1.y1', 'L1.y2'])

    References
    ----------
    Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, ch. 2–4.
    """

    lags: int | Criterion | None = None
    max_lags: int | None = None
    trend: Trend = "c"
    engine: Engine = "qr"
    rung: ClassVar[int | None] = 1
    draws_together: ClassVar[bool] = True
    draws_to_fit: ClassVar[bool] = False

    def __post_init__(self) -> None:
        one_of(self.trend, "trend", ("c", "n", "ct"))
        one_of(self.engine, "engine", ("qr", "statsmodels"))
        if isinstance(self.lags, str):
            one_of(self.lags, "lags", ("aic", "bic", "hqic", "fpe"))
        elif self.lags is not None:
            whole_number(self.lags, "lags", least=0)
        if self.max_lags is not None:
            whole_number(self.max_lags, "max_lags", least=1)
            if isinstance(self.lags, (int, np.integer)):
                raise ParameterError(f"max_lags={self.max_lags} has no use beside lags={self.lags}; leave one out")

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator | None) -> FittedVAR:
        q = 0 if exog is None else exog.k
        z = None if exog is None else exog.values
        lags, search = self._order(series, exog)
        if search is not None:
            warn_of_cut_search(self.label, search, series, exog, self.trend, stacklevel=4)
        if lags == 0 and self.trend == "n" and q == 0:
            raise ParameterError("lags=0 with trend='n' and no X leaves nothing to estimate; use lags >= 1, "
                                 "trend='c' or X")
        self._need_rows(series, lags, q)
        others = () if exog is None else exog.names
        rows = labels(series.names, lags, self.trend, others)[0]
        if self.engine == "statsmodels":
            from varnn.estimate.least_squares.statsmodels import statsmodels_estimate, statsmodels_results

            estimate = statsmodels_estimate(statsmodels_results(series, exog, lags, self.trend))
        else:
            estimate = fit_var(series.values, lags, self.trend, z, names=rows)
        warn_of_near_copies(self.label, series, exog, stacklevel=4)
        params = later(partial(coefficient_table, estimate.coef, series.names, lags, self.trend, others))
        return FittedVAR(spec=self, series=series, exog=exog, seen=series, seen_exog=exog, params=params,
                         df_model=len(rows), estimate=estimate, k_ar=lags, search=search)

    def _order(self, series: Series, exog: Series | None) -> tuple[int, OrderSearch | None]:
        if isinstance(self.lags, (int, np.integer)):
            return int(self.lags), None
        q, z, exog_names = (0, None, ()) if exog is None else (exog.k, exog.values, exog.names)
        longest = default_max_lags(len(series), series.k, self.trend, q) if self.max_lags is None else self.max_lags
        if longest < 1:
            self._need_rows(series, 1, q)
        enough = len(series) >= rows_needed(series.k, longest, self.trend, q)  # else the search refuses, and at once
        names = labels(series.names, longest, self.trend, exog_names)[0] if enough else None
        search = search_orders(series.values, longest, self.trend, z, names=names)
        return search.best("aic" if self.lags is None else self.lags), search

    def _need_rows(self, series: Series, lags: int, q: int) -> None:
        need = rows_needed(series.k, lags, self.trend, q) if lags or self.trend != "n" or q else 1
        if len(series) < need:
            most = (len(series) - rows_needed(series.k, 0, self.trend, q)) // (series.k + 1)
            remedy = f"use lags <= {most} or a longer series" if most > 0 else "use a longer series"
            raise TooShortError(f"{self.label}(lags={lags}) on {series.k} series needs at least {need} rows, got "
                                f"{len(series)}; {remedy}")


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedVAR(Fitted):
    """A VAR with its least-squares estimates; the names are those of statsmodels' VARResults.

    Attributes
    ----------
    estimate : LeastSquares
        Coefficients, root of (XᵀX)⁻¹, residuals and their covariance, as arrays.
    k_ar : int
        Number of lags p.
    search : OrderSearch or None
        Criteria of all orders, when the order was searched.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.VAR(lags=1).fit(varnn.data.load("macrodata").frame)
    >>> fit.params.shape, fit.is_stable(), fit.irf(8).irfs.shape
    ((4, 3), True, (9, 3, 3))
    >>> fit.forecast(4).mean.index[0]
    Period('2009Q4', 'Q-DEC')
    """

    estimate: LeastSquares
    k_ar: int
    search: OrderSearch | None = None

    _carried: ClassVar[tuple[str, ...]] = (*Fitted._carried, "roots", "_bias")

    # --- estimates -----------------------------------------------------------------------------

    @property
    def trend(self) -> Trend:
        """Deterministic terms of the specification."""
        assert isinstance(self.spec, VAR)
        return self.spec.trend

    @property
    def _misses(self) -> FloatArray:
        return self.estimate.resid

    @cached_property
    def _predicted(self) -> FloatArray:
        return np.asarray(self.series.values[self.k_ar:] - self.estimate.resid)

    def _without_news(self) -> list[int]:
        """Return the series whose errors are rounding; quicker than to ask all of their past."""
        spread = self.estimate.sigma.diagonal()
        return np.flatnonzero(spread <= SINGULAR * self.series.values.var(axis=0)).tolist()

    @property
    def nobs(self) -> int:
        """Rows explained, T − p."""
        return len(self.estimate.resid)

    @property
    def sigma_u(self) -> FloatArray:
        """Residual covariance EᵀE/(T − p − d), shape (k, k)."""
        return self.estimate.sigma

    @property
    def sigma_u_mle(self) -> FloatArray:
        """Residual covariance EᵀE/(T − p), shape (k, k)."""
        return np.asarray(self.estimate.sigma * (self.df_resid / self.nobs))

    @cached_property
    def bse(self) -> pd.DataFrame:
        """Standard errors of `params`."""
        others = () if self.exog is None else self.exog.names
        return coefficient_table(self.estimate.bse, self.series.names, self.k_ar, self.trend, others)

    @property
    def tvalues(self) -> pd.DataFrame:
        """Coefficients over their standard errors."""
        return self.params / self.bse

    @property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided normal p-values of `tvalues`, the large-sample convention of statsmodels."""
        return pd.DataFrame(2 * ndtr(-self.tvalues.abs()))

    @property
    def coefs(self) -> FloatArray:
        """Lag matrices A_1 … A_p, shape (p, k, k); row i of A_j moves series i."""
        return lag_matrices(self.estimate.coef, self.k_ar)

    @property
    def fpe(self) -> float:
        """Final prediction error ((T + d)/(T − d))^k det Σ̃, T the rows explained; Lütkepohl (2005), eq. 4.3.1."""
        ratio = (2 * self.nobs - self.df_resid) / self.df_resid
        return float(np.exp(self.series.k * np.log(ratio) + np.linalg.slogdet(self.sigma_u_mle)[1]))

    @cached_property
    def roots(self) -> NDArray[np.complex128]:
        """Roots of det(I − A_1 z − … − A_p z^p), furthest from 0 first; all outside 1 when stable."""
        return characteristic_roots(self.coefs)

    def plot_roots(self) -> Picture:
        """Draw the inverse roots and the unit circle, inside which all of them lie when the recursion is stable."""
        from varnn.inference.pictures import root_circle

        return root_circle(1.0 / self.roots, self.series.names)

    def is_stable(self) -> bool:
        """Whether every root lies outside the unit circle."""
        return bool((np.abs(self.roots) > 1).all())

    def _warn_unless_stable(self, what: str) -> None:
        if self.k_ar and not self.is_stable():
            warn_of_explosion(self.spec.label, what, spectral_radius(np.abs(self.roots)))

    def to_statsmodels(self) -> VARResults:
        """Hand over to statsmodels: the VARResults of the same order, sample and regressors."""
        from varnn.estimate.least_squares.statsmodels import statsmodels_results

        results: VARResults = statsmodels_results(self.series, self.exog, self.k_ar, self.trend)
        return results

    # --- forecasts -----------------------------------------------------------------------------

    def mse(self, horizon: int, *, estimation_error: bool = False) -> FloatArray:
        """Forecast error covariance at steps 1 … h, shape (h, k, k).

        Σ_{i<h} Φ_i Σ Φ_iᵀ, to which ``estimation_error=True`` adds Ω(h)/T for estimated coefficients
        (large-sample average over forecast origins; not defined with exogenous columns).

        Raises
        ------
        HorizonError
        ParameterError
            If estimation error is asked for a fit with exogenous columns.

        References
        ----------
        Lütkepohl (2005), eq. 2.2.11 and 3.5.13.
        """
        phi = moving_average(self.coefs, checked_horizon(horizon) - 1)
        known = forecast_covariance(phi, self.sigma_u)
        if not estimation_error:
            return known
        if self.exog is not None:
            raise ParameterError("estimation_error=True has no closed form with exogenous columns, whose future is "
                                 "given; use the paths of forecast(), which include it")
        design = all_regressors(self.series.values, self.k_ar, self.trend, None)[self.k_ar:]
        step, moment = transition(self.estimate.coef, self.coefs, self.trend), design.T @ design / self.nobs
        return known + estimation_covariance(phi, step, self.estimate.inverse_gram, moment, self.sigma_u)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        predicted, p = np.full(values.shape, np.nan), self.k_ar
        if len(values) > p:
            predicted[p:] = all_regressors(values, p, self.trend, exog)[p:] @ self.estimate.coef
        return predicted

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        m, horizon, _ = shocks.shape
        coef = self.estimate.coef if draws is None else draws.weights[np.arange(m) % len(draws.weights)]
        return recursion(coef, *self._start(horizon, future_exog), shocks)

    def _start(self, horizon: int, future_exog: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Return the last p observations seen, newest first (pk,), and what is known of the h rows ahead (h, c)."""
        T = len(self.seen)
        return (self.seen.values[T - self.k_ar:][::-1].ravel(),
                known_regressors(horizon, self.trend, future_exog, first=T + 1))

    @property
    def choice(self) -> str:
        """The number of lags, in words."""
        return count(self.k_ar, "lag")

    def _draw(self, count: int, rng: np.random.Generator) -> Draws:
        """Draw from the posterior; explosive draws are left out where the estimate itself is stable."""
        estimate, numbers = self.estimate, standard_numbers(*self._sizes, count, rng)
        root = square_root(estimate.resid.T @ estimate.resid)
        sigma, weights = spread_around(estimate.coef, estimate.root, root, *numbers)
        if self.k_ar == 0 or self._is_large or not self.is_stable():
            return Draws(sigma, weights)
        stable = are_stable(lag_matrices(weights, self.k_ar), np.sqrt(np.diag(self.sigma_u)))
        return Draws(*kept(sigma, weights, stable))

    @property
    def _sizes(self) -> tuple[int, int, int]:
        (d, k), df = self.estimate.coef.shape, self.estimate.df_resid
        return d, k, df + k - 1

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return the larger peak: of the draws and what tells the stable ones, or of the paths beside the draws."""
        k, lagged = self.series.k, self.k_ar * self.series.k
        draws = len(self.estimate.coef) * k + 2 * k * k
        return n_paths * max(stability_held(lagged) + 4 * draws, 2.8 * horizon * k + 2 * draws)

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        """Give each path the mean of its own draw and the responses of the estimate, corrected for small samples.

        Paths that used their draw's A for the responses as well would count its sampling noise twice.
        """
        if draws is None or not self.k_ar or self._is_large:
            return self._simulate(shocks, future_exog, draws)
        (m, horizon, k), d = shocks.shape, len(draws.weights)
        paths = self._simulate(shocks, future_exog)                                                # (m, h, k)
        del shocks  # as large as the paths: in a long forecast the difference between two of these and three
        paths -= self._mean(horizon, future_exog)
        bias = self._bias if draws.bias is None else lag_matrices(draws.bias, self.k_ar)
        paths *= spread_correction(self.coefs, self.sigma_u, lag_matrices(draws.weights[:CORRECTION_DRAWS], self.k_ar),
                                   bias, horizon)
        means = self._simulate(np.broadcast_to(0.0, (d, horizon, k)), future_exog, draws)         # (d, h, k)
        for first in range(0, m, d):
            paths[first:first + d] += means[:m - first]
        return paths

    @cached_property
    def _bias(self) -> FloatArray:
        return lag_bias(self.coefs, self.sigma_u, self.nobs, TERMS[self.trend])

    @classmethod
    def _outlooks(cls, fits: Sequence[Self], horizon: int, futures: Sequence[FloatArray | None],
                  plans: Sequence[Plan]) -> list[Outlook]:
        """Do fits of one shape at once."""
        found: dict[int, Outlook] = {}
        shapes: dict[Any, list[int]] = {}
        first = {id(fit.estimate): fit for fit in reversed(fits)}  # of those that `update` moved on
        for i, (fit, plan) in enumerate(zip(fits, plans, strict=True)):
            usual = plan.uncertainty == "full" and plan.shocks == "gaussian" and fit.k_ar and not fit._is_large
            if usual and first[id(fit.estimate)].is_stable():
                shapes.setdefault((fit.estimate.coef.shape, fit.k_ar, fit.trend, plan.n_paths), []).append(i)
            else:
                found[i] = fit._outlook(horizon, futures[i], plan)
        for alike in shapes.values():
            drawn = [fits[i]._drawn(horizon, futures[i], plans[i]) for i in alike]
            made = predictive(drawn, TERMS[fits[alike[0]].trend], CORRECTION_DRAWS)
            for i, by, one in zip(alike, drawn, made, strict=True):
                if one.paths is None:
                    vars(fits[i])["_bias"] = first[id(fits[i].estimate)]._bias
                found[i] = one.point, fits[i]._answered(by, one, futures[i]) if one.paths is None else one.paths, None
        return [found[i] for i in range(len(fits))]

    def _drawn(self, horizon: int, future_exog: FloatArray | None, plan: Plan) -> Drawn:
        lower, noise = standard_numbers(*self._sizes, plan.n_paths, plan.rng)
        white = plan.rng.standard_normal((plan.n_paths, horizon, self.series.k))
        return Drawn(self.estimate, *self._start(horizon, future_exog), lower, noise, white)

    def _answered(self, by: Drawn, one: Predicted, future_exog: FloatArray | None) -> FloatArray:
        draws = Draws(*kept(one.sigma, one.weights, one.stable))
        return self._respond(coloured(by.white, self.sigma_u, draws), future_exog, draws)

    @property
    def _is_large(self) -> bool:
        """Whether small-sample corrections are left out."""
        return self.df_model > MANY_REGRESSORS and self.nobs > PLENTY_OF_ROWS * self.df_model

    def _refit(self, samples: FloatArray) -> Draws | None:
        B, T, k = samples.shape
        exog = None if self.exog is None else np.tile(self.exog.values, (B, 1))
        fits = fit_windows(samples.reshape(B * T, k), [(i * T, (i + 1) * T) for i in range(B)], self.k_ar, self.trend,
                           exog, names=labels(self.series.names, self.k_ar, self.trend,
                                              () if self.exog is None else self.exog.names)[0])
        return Draws(fits.sigma, fits.coef)

    def _debiased(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        return debiased(weights, bias, self.k_ar, np.sqrt(np.diag(self.sigma_u)))

    def _spread(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        return np.asarray(np.sqrt(np.diagonal(self.mse(horizon), axis1=1, axis2=2)))

    def _notes(self) -> list[str]:
        chosen = "" if self.search is None else f" (chosen among {self.search.orders[0]} … {self.search.orders[-1]})"
        closest = np.abs(self.roots).min() if self.k_ar else np.inf
        return [f"lags          {self.k_ar}{chosen}, trend {self.trend!r}",
                f"stable        {'yes' if self.is_stable() else 'no'}, smallest root modulus {closest:.4g}"]

    # --- questions to the fit, answered in inference/ ------------------------------------------------------

    def irf(self, periods: int = 10) -> ImpulseResponses:
        """Impulse responses at steps 0 … periods, with their standard errors."""
        from varnn.inference.impulse import impulse_responses

        self._warn_unless_stable("its responses do not die out")
        return impulse_responses(self.coefs, self.sigma_u, periods, self.series.names, self._lag_block())

    def fevd(self, periods: int = 10) -> VarianceDecomposition:
        """Shares of the forecast error variance owed to each orthogonalised shock, at steps 1 … periods."""
        from varnn.inference.decompose import variance_decomposition

        return variance_decomposition(self.irf(periods).orth_irfs[:periods], self.series.names)

    def test_causality(self, caused: object, causing: object = None, kind: str = "f") -> HypothesisTest:
        """Test that the past of `causing` (all others when left out) does not help to forecast `caused`."""
        from varnn.inference.causality import granger

        return granger(self.coefs, self._lag_block(), self.sigma_u, self.df_resid, self.series.names, caused, causing,
                       kind)

    def test_inst_causality(self, causing: object) -> HypothesisTest:
        """Test that the residuals of `causing` and of the other series are uncorrelated."""
        from varnn.inference.causality import instantaneous

        return instantaneous(self.sigma_u, self.nobs, self.series.names, causing)

    # --- regressors ----------------------------------------------------------------------------

    def _lag_block(self) -> FloatArray:
        """Return the part of (XᵀX)⁻¹ that belongs to the lags, (kp, kp)."""
        c = self.df_model - self.k_ar * self.series.k
        return self.estimate.inverse_gram[c:, c:]
