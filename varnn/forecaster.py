"""The interface every model keeps: `Forecaster.fit(y, X) -> Fitted.forecast(horizon, X) -> Forecast`.

A `Forecaster` is a frozen specification; `fit` returns a new frozen `Fitted`. A model subclasses both
and writes `_estimate`, `_one_step` and `_simulate`; everything else here is shared by all rungs.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd

from varnn.deferred import Deferred
from varnn.display import Sheet, Shown, count, listed, short_date, span
from varnn.errors import ConvergenceError, ExogError, ParameterError, SingularWarning, TooShortError
from varnn.estimate.innovation import counting, no_news, without_innovation
from varnn.forecast import Forecast
from varnn.guide import Specified, nearest
from varnn.habits import VALUES
from varnn.kept import Kept
from varnn.questions import Questions
from varnn.series import COPIES, FloatArray, Series, checked_coverages, checked_horizon, checked_paths, generator
from varnn.shocks import KINDS, Shocks, white_shocks
from varnn.shocks import square_root as square_root

Uncertainty = Literal["full", "bootstrap", "none"]
Outlook = tuple[FloatArray, FloatArray, FloatArray | None]  # means (h, k), paths (m, h, k), deviations (h, k) or None
NO_WIDTH = 1e-12  # share of the range below which a band has no width; larger ones are small, not absent
HISTORY_ROWS = 60  # what Forecast.plot shows of the past


@dataclass(frozen=True, eq=False)
class Draws:
    """Parameter draws for predictive paths: path i uses draw i modulo d.

    Attributes
    ----------
    sigma : array (d, k, k)
        Innovation covariances.
    weights : object
        The model's own parameters, d of each; only the model reads them.
    bias : object, optional
        Small-sample bias of the estimate, in the model's own parameters, where it is known.
    """

    sigma: FloatArray
    weights: Any
    bias: Any = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """How sample paths are to be drawn: checked arguments of `Fitted.forecast`."""

    n_paths: int
    uncertainty: Uncertainty
    shocks: Shocks
    rng: np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Forecaster(Specified, ABC):
    """Specification of a model. It never changes; `fit` may be called any number of times.

    Examples
    --------
    >>> import varnn
    >>> model = varnn.VAR(lags=2)
    >>> model.get_params()["lags"], model.set_params(lags=3).lags, model.lags
    (2, 3, 2)
    """

    _is: ClassVar[str] = "a specification"
    _called: ClassVar[str] = "VAR(lags=2)"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ((".fit(y)", "Fitted"),)

    rung: ClassVar[int | None] = None
    """Place on the ladder of nested models, or None beside it."""

    takes_exog: ClassVar[bool] = True
    """Whether `fit` accepts X; comparisons leave X out for models that do not."""

    draws_together: ClassVar[bool] = False
    """Whether `Fitted._outlooks` is quicker than one by one."""

    draws_to_fit: ClassVar[bool] = True
    """Whether `_estimate` is given a generator; making one takes longer than many a fit that needs none."""

    def fit(self, y: object, X: object = None, *, missing: Literal["raise", "filter"] = "raise",
            rng: object = None) -> Fitted:
        """Estimate the model on observations, oldest first.

        Parameters
        ----------
        y : DataFrame or array (T, k)
            Observations in any units; dates must be regular.
        X : DataFrame or array (T, q), optional
            Exogenous columns z_t, known at the time of y_t; matched to y by date.
        missing : {"raise", "filter"}
            Refuse missing values of y, or let the recursion fill them; see `varnn.inference.missing`.
        rng : int or numpy Generator, optional
            Seed of whatever is random in the estimation; None is seed 0.

        Returns
        -------
        Fitted

        Raises
        ------
        InputError
            Naming the argument, the place and the remedy.
        """
        one_of(missing, "missing", ("raise", "filter"))
        if missing == "filter":
            from varnn.inference.missing import fit_with_gaps

            return fit_with_gaps(self, y, X, rng=rng)
        series = Series.of(y)
        exog = None if X is None else series.exog_of(X)
        random = generator(rng) if self.draws_to_fit or rng is not None else None
        fit = self._estimate(series, exog, random)
        if still := fit._without_news():
            remedy = f"leave {'it' if len(still) == 1 else 'them'} out of y"
            warnings.warn(no_news([series.names[column] for column in still], remedy), SingularWarning, stacklevel=2)
        return fit

    @property
    def label(self) -> str:
        """Short name for tables and legends."""
        return type(self).__name__

    @abstractmethod
    def _estimate(self, series: Series, exog: Series | None, rng: Any) -> Fitted:
        """Return the fit; `rng` is a Generator, or None where `draws_to_fit` is False."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted(Questions, Shown, Kept, ABC):
    """A model with its estimates; immutable.

    Attributes
    ----------
    spec : Forecaster
        What was asked for.
    series, exog : Series
        The sample the parameters were estimated from.
    seen, seen_exog : Series
        Everything observed so far, which forecasts start from; `update` extends it.
    params : DataFrame
        Coefficients, one column for each equation.
    df_model : int
        Regressors in each equation.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.VAR(lags=1).fit(varnn.data.load("macrodata").frame)
    >>> fit.fittedvalues.shape == fit.resid.shape, fit.forecast(2).mean.shape
    (True, (2, 3))
    >>> fit.update(fit.forecast(1).mean).forecast(1).mean.index[0]  # the next quarter, seen
    Period('2010Q1', 'Q-DEC')
    """

    spec: Forecaster
    series: Series
    exog: Series | None
    seen: Series
    seen_exog: Series | None
    params: Deferred = Deferred()  # noqa: RUF009  (a descriptor, which keeps nothing of its own)
    df_model: int

    _is: ClassVar[str] = "a fit"
    _called: ClassVar[str] = "fit"
    _indexed: ClassVar[str] = "write fit.params, fit.fittedvalues or fit.forecast(horizon).mean"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = (
        (".forecast(horizon)", "Forecast"), (".spec", "Forecaster"))

    _carried: ClassVar[tuple[str, ...]] = ("_predicted", "fittedvalues", "resid", "sigma_u_mle", "llf")
    """Cached properties that depend on the estimates alone, which `update` takes along."""

    # --- what a model writes -------------------------------------------------------------------

    @abstractmethod
    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        """Return E[y_t | past] for every row, shape (T, k); NaN in the presample rows."""

    @abstractmethod
    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        """Return paths (m, h, k) from the end of `seen` driven by the given shocks (m, h, k)."""

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        """Return predictive paths (m, h, k); `_simulate` unless a model knows how to correct it in small samples."""
        return self._simulate(shocks, future_exog, draws)

    def _mean(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        """Return E[y_{T+1..T+h} | past], shape (h, k); the path without shocks unless overridden."""
        return np.asarray(self._simulate(np.zeros((1, horizon, self.series.k)), future_exog)[0])

    def _draw(self, count: int, rng: np.random.Generator) -> Draws | None:
        """Return draws from the distribution of the parameters, or None where there is none."""
        return None

    def _warn_unless_stable(self, what: str) -> None:
        """Warn, where the model has roots, that it is explosive, and hence of `what`."""

    def _unit_outputs(self, values: FloatArray, exog: FloatArray | None) -> tuple[list[str], FloatArray] | None:
        """Return the outputs (T', n) of interchangeable units on the last rows, and the rows of `params` they have."""
        return None

    def _mixture(self) -> tuple[Draws | None, FloatArray | None]:
        """Return the parts of a model that mixes recursions at fixed parameters, and their shares; most have one."""
        return None, None

    def _spread(self, horizon: int, future_exog: FloatArray | None) -> FloatArray | None:
        """Return exact Gaussian forecast standard deviations (h, k) at fixed parameters, or None."""
        return None

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return how many numbers a forecast holds at its peak: as measured, arrays of the size of its paths."""
        return COPIES * n_paths * horizon * self.series.k

    def _checked_paths(self, n_paths: object, horizon: int) -> int:
        """Return the number of sample paths, or raise where this model would fill the memory with them."""
        return checked_paths(n_paths, horizon, self.series.k, lambda paths: self._held(paths, horizon))

    def _refit(self, samples: FloatArray) -> Draws | None:
        """Return the estimates on B other samples (B, T, k) as draws, or None where there is no batched refit."""
        return None

    def _debiased(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        """Take a bias out of the weights of draws, as far as the recursion stays stable."""
        return weights - bias

    def _without_news(self) -> list[int]:
        """Return the series in which nothing is ever new, for a warning; naive rows name those that count, only."""
        if self.spec.rung == 0:
            return counting(self.series.values, self.series.names)
        return without_innovation(self.series.values, None if self.exog is None else self.exog.values,
                                  self.series.names)

    # --- what every model offers ---------------------------------------------------------------

    def forecast(self, horizon: int, X: object = None, *, coverage: float | Sequence[float] = 0.9, n_paths: int = 1000,
                 uncertainty: Uncertainty = "full", shocks: Shocks = "gaussian", rng: object = None) -> Forecast:
        """Forecast `horizon` steps after the last observation seen.

        Parameters
        ----------
        horizon : int
            Number of steps h, at least 1.
        X : DataFrame or array (h, q), optional
            Future exogenous columns; needed exactly when the fit used them, matched by name and date.
        coverage : float or several
            Probability that `Forecast.interval()` holds each outcome.
        n_paths : int
            Number m of joint sample paths.
        uncertainty : {"full", "bootstrap", "none"}
            Whether paths also vary the estimated parameters: by draws from their posterior, by refits of samples
            simulated from the fit (see `bootstrap`; a VAR takes milliseconds, other models 100 fits), or not at all.
        shocks : {"gaussian", "student", "residuals", "wild", "block"}
            What drives the paths; see `varnn.shocks.white_shocks`.
        rng : int or numpy Generator, optional
            Seed of the paths; None is seed 0.

        Returns
        -------
        Forecast

        Raises
        ------
        HorizonError, ExogError, ParameterError, ResourceLimitError
        ConvergenceError
            Where a mean or path is not finite: the fitted recursion explodes within the horizon.
        """
        horizon, coverages = checked_horizon(horizon), checked_coverages(coverage)
        self._warn_unless_stable("its forecasts run away from the data")
        n_paths = self._checked_paths(n_paths, horizon)
        one_of(uncertainty, "uncertainty", get_args(Uncertainty))
        one_of(shocks, "shocks", KINDS)
        plan = Plan(n_paths=n_paths, uncertainty=uncertainty, shocks=shocks, rng=generator(rng))
        index = self.seen.future_index(horizon)
        # Numbers that run off are refused below in words of ours, so numpy need not say so first.
        with np.errstate(over="ignore", invalid="ignore"):
            point, paths, spread = self._outlook(horizon, self._future_exog(X, horizon), plan)
        self._need_finite(point, paths)
        self._name_bands_without_width(paths)
        history = self.seen.window(max(0, len(self.seen) - HISTORY_ROWS), len(self.seen)).to_frame()
        return Forecast(point, paths, self.series.names, index, coverages, history, spread)

    def _need_finite(self, point: FloatArray, paths: FloatArray) -> None:
        """Raise ConvergenceError where a mean or a path is infinite or NaN, naming the model, series and step."""
        for what, values in (("means", point[None]), ("paths", paths)):
            wrong = ~np.isfinite(values).all(axis=0)                                               # (h, k)
            if wrong.any():
                step, column = np.argwhere(wrong)[0]
                raise ConvergenceError(
                    f"the {what} of {self.spec.label} for {self.series.names[column]!r} run off to infinity "
                    f"from step {step + 1} of {len(point)} on: the fitted recursion is explosive; use a horizon below "
                    f"{step + 1}, fewer lags, or differences or logarithms of the series")

    def update(self, y_new: object, X_new: object = None) -> Self:
        """Return the same fit having seen more observations: the state moves on, the parameters stay.

        Parameters
        ----------
        y_new : DataFrame or array (s, k)
            Observations that follow the last one seen without a gap.
        X_new : DataFrame or array (s, q), optional
            Exogenous columns at those dates, when the fit used them.
        """
        seen = self.seen.extend(y_new)
        seen_exog = self.seen_exog
        if seen_exog is None:
            _refuse_exog(X_new)
        else:
            fresh = self.seen.future_exog(X_new, len(seen) - len(self.seen), seen_exog.names)
            seen_exog = seen_exog.extend(fresh)
        moved = replace(self, seen=seen, seen_exog=seen_exog)
        vars(moved).update({name: vars(self)[name] for name in self._carried if name in vars(self)})
        return moved

    def _name_bands_without_width(self, paths: FloatArray) -> None:
        """Warn of series whose paths (m, h, k) are all one, whatever made them so."""
        if len(paths) < 2:
            return
        size = NO_WIDTH * np.ptp(self.seen.values[-HISTORY_ROWS:], axis=0)
        narrow = (np.ptp(paths, axis=0) <= size).any(axis=0)                                      # (k,)
        if narrow.any():
            names = ", ".join(repr(self.seen.names[column]) for column in np.flatnonzero(narrow))
            warnings.warn(f"the bands of {names} have no width: {self.spec.label} takes the series to follow without "
                          "error from what it is given; ask whether an input or another series is made from it",
                          SingularWarning, stacklevel=3)

    @cached_property
    def fittedvalues(self) -> pd.DataFrame:
        """One-step predictions inside the estimation sample, without the presample rows."""
        return self._dated(self._predicted)

    @cached_property
    def resid(self) -> pd.DataFrame:
        """Observations less `fittedvalues`, in the units of the series."""
        return self._dated(self._misses)

    @cached_property
    def _predicted(self) -> FloatArray:
        predicted = self._one_step(self.series.values, None if self.exog is None else self.exog.values)
        return predicted[int(np.argmax(~np.isnan(predicted).any(axis=1))):]

    @property
    def _misses(self) -> FloatArray:
        return np.asarray(self.series.values[len(self.series) - len(self._predicted):] - self._predicted)

    def _dated(self, block: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(block, index=self.series.index[len(self.series) - len(block):],
                            columns=list(self.series.names))

    @property
    def nobs(self) -> int:
        """Number of dates the likelihood is over."""
        return len(self._misses)

    @property
    def df_resid(self) -> int:
        """Residual degrees of freedom of each equation."""
        return self.nobs - self.df_model

    @property
    def n_params(self) -> int:
        """Number of estimated coefficients in all equations, the covariance not counted."""
        return self.df_model * self.series.k

    @cached_property
    def sigma_u_mle(self) -> FloatArray:
        """Residual covariance E'E/T, shape (k, k)."""
        errors = self._misses
        return np.asarray(errors.T @ errors / len(errors))

    @property
    def sigma_u(self) -> FloatArray:
        """Residual covariance E'E/(T − df_model), shape (k, k); statsmodels' VAR convention."""
        return np.asarray(self.sigma_u_mle * (self.nobs / max(self.df_resid, 1)))

    @property
    def bse(self) -> pd.DataFrame | None:
        """Standard errors of `params`, or None where the model has none."""
        return None

    @cached_property
    def llf(self) -> float:
        """Gaussian log-likelihood −T/2 (k ln 2π + ln|Σ| + k) at Σ = `sigma_u_mle`."""
        k = self.series.k
        return float(-0.5 * self.nobs * (k * np.log(2 * np.pi) + np.linalg.slogdet(self.sigma_u_mle)[1] + k))

    @property
    def aic(self) -> float:
        """Akaike's criterion for each observation: −2 llf/T − k(1 + ln 2π) + 2 n_params/T."""
        return self._criterion(2.0)

    @property
    def bic(self) -> float:
        """Schwarz's criterion for each observation, penalty ln T in place of 2."""
        return self._criterion(float(np.log(self.nobs)))

    @property
    def hqic(self) -> float:
        """Hannan and Quinn's criterion for each observation, penalty 2 ln ln T in place of 2."""
        return self._criterion(2.0 * float(np.log(np.log(self.nobs))))

    def summary(self) -> str:
        """Return a text page with the sample, the criteria and the coefficients."""
        series = self.series
        head = [self.spec.label, "=" * len(self.spec.label),
                f"sample        {series.index[0]} … {series.index[-1]}, {self.nobs} dates in the likelihood",
                f"series        {', '.join(series.names)}",
                f"log-likelihood {self.llf:.6g}   AIC {self.aic:.6g}   BIC {self.bic:.6g}   HQIC {self.hqic:.6g}"]
        notes = self._notes()
        body = [self.params.to_string(float_format=lambda number: f"{number:.6g}")] if self.params.size else []
        errors = self.bse
        if errors is not None:
            body += ["standard errors", errors.to_string(float_format=lambda number: f"{number:.6g}")]
        return "\n".join([*head, *notes, "", *body])

    @property
    def choice(self) -> str:
        """What was chosen in the fit, in a few words; "" where nothing is."""
        return ""

    def _notes(self) -> list[str]:
        """Return further lines for `summary`, one fact each."""
        return []

    def __str__(self) -> str:
        return self.summary()

    def _sheet(self) -> Sheet:
        """Return what a console or a notebook shows: the sample and the coefficients, nothing that takes long."""
        series, seen = self.series, self.seen
        facts = [("specification", repr(self.spec)), ("series", listed(series.names)),
                 ("sample", f"{span(series.index)}, {count(len(series), 'row')}")]
        if len(seen) > len(series):
            facts.append(("seen", f"to {short_date(seen.index[-1])}, {count(len(seen), 'row')}"))
        if self.exog is not None:
            facts.append(("inputs", listed(self.exog.names)))
        tables = (("coefficients", self.params),) if self.params.size else ()
        return Sheet(f"{self.spec.label}, fitted", tuple(facts), tables,
                     "print(fit) is the summary; fit.forecast(horizon) forecasts")

    def _criterion(self, penalty: float) -> float:
        constant = self.series.k * (1 + float(np.log(2 * np.pi)))
        return -2 * self.llf / self.nobs - constant + penalty * self.n_params / self.nobs

    def _future_exog(self, X: object, horizon: int) -> FloatArray | None:
        if self.seen_exog is None:
            _refuse_exog(X)
            return None
        return self.seen.future_exog(X, horizon, self.seen_exog.names)

    def _outlook(self, horizon: int, future_exog: FloatArray | None, plan: Plan) -> Outlook:
        """Return means (h, k), sample paths (m, h, k) and exact standard deviations (h, k) where there are any."""
        if plan.uncertainty == "bootstrap":
            from varnn.inference.bootstrap import bootstrap_outlook

            return bootstrap_outlook(self, horizon, future_exog, plan)
        draws = self._draw(plan.n_paths, plan.rng) if plan.uncertainty == "full" else None
        # Nothing here keeps the shocks (m, h, k), so that they are let go as soon as they have been used.
        paths = self._respond(coloured(white_shocks(plan.shocks, self._misses, plan.n_paths, horizon, plan.rng),
                                       self.sigma_u, draws), future_exog, draws)
        exact = plan.uncertainty == "none" and plan.shocks == "gaussian"
        return self._mean(horizon, future_exog), paths, self._spread(horizon, future_exog) if exact else None

    @classmethod
    def _outlooks(cls, fits: Sequence[Self], horizon: int, futures: Sequence[FloatArray | None],
                  plans: Sequence[Plan]) -> list[Outlook]:
        """Return `_outlook` of each of many fits, to the bit; a model may do alike ones at once."""
        return [fit._outlook(horizon, future, plan) for fit, future, plan in zip(fits, futures, plans, strict=True)]


def coloured(white: FloatArray, sigma: FloatArray, draws: Draws | None) -> FloatArray:
    """Give white shocks (m, h, k) the covariance of their draw, or `sigma` without draws."""
    if draws is None:
        return np.asarray(white @ square_root(sigma).T)
    roots = square_root(draws.sigma)[np.arange(len(white)) % len(draws.sigma)]                    # (m, k, k)
    return np.asarray(white @ roots.transpose(0, 2, 1))


def one_of(value: object, argument: str, accepted: tuple[object, ...]) -> None:
    """Raise ParameterError unless `value` is one of the accepted ones, of the same type.

    Examples
    --------
    >>> one_of("c", "trend", ("c", "n"))
    """
    if type(value) not in map(type, accepted) or value not in accepted:
        texts = [one for one in accepted if isinstance(one, str)]
        near = VALUES.get((argument, value)) if isinstance(value, str) else None
        near = near or (nearest(value, texts, 0.6) if isinstance(value, str) else None)
        hint = f", did you mean {near!r}?" if near else ""
        raise ParameterError(f"{argument}={value!r} is not usable; give one of "
                             f"{', '.join(map(repr, accepted))}{hint}")


def need_rows(model: str, series: Series, need: int, remedy: str) -> None:
    """Raise TooShortError when the series has fewer than `need` rows."""
    if len(series) < need:
        raise TooShortError(f"{model} on {series.k} series needs at least {need} rows, got {len(series)}; {remedy}")


def _refuse_exog(X: object) -> None:
    if X is not None:
        raise ExogError("X was given, but this model was fitted without exogenous columns; leave X out or refit "
                        "with X")
