"""Fits to series with gaps: the recursion puts its own expectation where an observation is missing.

Called by `Forecaster.fit(y, missing="filter")`. Exact on the linear rungs (Kalman likelihood and smoother); other
recursions substitute their own forecast. Knows estimates by their type, no model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
import pandas as pd

from varnn.errors import MissingDataError, ParameterError
from varnn.estimate.least_squares.regression import LeastSquares, fixed_regressors
from varnn.estimate.least_squares.regressors import known_regressors
from varnn.estimate.linear import likelihood
from varnn.estimate.linear.maximum_likelihood import LinearEstimate
from varnn.estimate.missing import state_space as gaps
from varnn.estimate.numerics.covariance import regular
from varnn.forecaster import Draws, Fitted, Forecaster, square_root
from varnn.series import FloatArray, Series, generator
from varnn.shocks import whitened

MOST_MISSING = 0.5  # share of a column
ROUNDS, SETTLED = 8, 1e-3  # fill and refit, until fills move by less than this share of a standard deviation
EM_STEPS, EM_GAIN = 2000, 1e-9  # nats


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedWithGaps(Fitted):
    """A fit to a series with missing values; forecasts, parameters and paths are those of `full`.

    Attributes
    ----------
    full : Fitted
        The model on the filled series, with parameters estimated from what was observed.
    gaps : DataFrame of bool (T, k)
        Which observations were missing.
    loglik : float
        Log-likelihood of the observed values: the Kalman filter's on the linear rungs, else that of one-step
        forecasts with the model's own forecasts in the gaps.

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=100).cumsum()
    >>> y[40:43] = np.nan
    >>> fit = varnn.VAR(lags=1).fit(y, missing="filter")
    >>> int(fit.gaps.to_numpy().sum()), fit.forecast(2).mean.shape
    (3, (2, 1))
    """

    full: Fitted
    gaps: pd.DataFrame
    loglik: float

    @property
    def filled(self) -> pd.DataFrame:
        """The series with expected values in its gaps."""
        return self.series.to_frame()

    @property
    def llf(self) -> float:
        """Log-likelihood of the observed values."""
        return self.loglik

    @property
    def sigma_u(self) -> FloatArray:
        """Residual covariance of the model inside."""
        return self.full.sigma_u

    @property
    def nobs(self) -> int:
        """Dates in the likelihood."""
        return self.full.nobs

    @property
    def n_params(self) -> int:
        """Coefficients of the model inside."""
        return self.full.n_params

    @property
    def bse(self) -> pd.DataFrame | None:
        """Standard errors of the model inside; they count expected values as if they had been observed."""
        return self.full.bse

    def update(self, y_new: object, X_new: object = None) -> Self:
        """Move on with new observations; where one is missing the forecast of it, given the others, stands in."""
        values, series = _read(y_new, most=1.0)
        if not np.isnan(values).any():
            return replace(super().update(y_new, X_new), full=self.full.update(y_new, X_new))
        labelled = isinstance(y_new, (pd.DataFrame, pd.Series, Series))
        moved = self.full.update(series if labelled else series.values, X_new)
        known = len(self.seen)
        seen = _substituted(moved, np.vstack([self.seen.values, values]), moved.seen, moved.seen_exog, known)
        whole = Series(seen, moved.seen.names, moved.seen.index)
        full = replace(moved, seen=whole)
        vars(full).update({name: vars(moved)[name] for name in moved._carried if name in vars(moved)})
        return replace(self, seen=whole, seen_exog=moved.seen_exog, full=full)

    def __getattr__(self, name: str) -> Any:
        """Answer what only the model inside knows: its lags, roots, impulse responses and tests."""
        if name.startswith("_") or "full" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name}")
        return getattr(self.full, name)

    def __dir__(self) -> list[str]:
        """List also what the model inside answers."""
        return sorted({*super().__dir__(), *(name for name in dir(self.full) if not name.startswith("_"))})

    @property
    def sigma_u_mle(self) -> FloatArray:
        """Residual covariance of the model inside, without its correction for degrees of freedom."""
        return self.full.sigma_u_mle

    @property
    def df_resid(self) -> int:
        """Residual degrees of freedom of the model inside."""
        return self.full.df_resid

    @property
    def _misses(self) -> FloatArray:
        return self.full._misses

    @property
    def _predicted(self) -> FloatArray:
        return self.full._predicted

    def test_whiteness(self, *given: Any, **named: Any) -> Any:
        """Test that the residuals are not autocorrelated, as the model itself does."""
        return self.full.test_whiteness(*given, **named)

    @property
    def states(self) -> pd.DataFrame:
        """What the recursion carries at each date, missing values filled."""
        return self.full.states

    def layer(self, *given: Any, **named: Any) -> Any:
        """Return the recursion as a layer."""
        return self.full.layer(*given, **named)

    def inputs(self, *given: Any, **named: Any) -> Any:
        """Return the rows that the layer runs over."""
        return self.full.inputs(*given, **named)

    def ahead(self, *given: Any, **named: Any) -> Any:
        """Return what the layer needs to forecast."""
        return self.full.ahead(*given, **named)

    def _without_news(self) -> list[int]:
        return self.full._without_news()

    def _refit(self, samples: FloatArray) -> Draws | None:
        return self.full._refit(samples)

    def _debiased(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        return self.full._debiased(weights, bias)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        return self.full._one_step(values, exog)

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        return self.full._simulate(shocks, future_exog, draws)

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        return self.full._respond(shocks, future_exog, draws)

    def _mean(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        return self.full._mean(horizon, future_exog)

    def _draw(self, count: int, rng: np.random.Generator) -> Draws | None:
        return self.full._draw(count, rng)

    def _mixture(self) -> tuple[Draws | None, FloatArray | None]:
        return self.full._mixture()

    def _spread(self, horizon: int, future_exog: FloatArray | None) -> FloatArray | None:
        return self.full._spread(horizon, future_exog)

    def _notes(self) -> list[str]:
        return [f"missing       {int(self.gaps.to_numpy().sum())} of {self.gaps.size} values", *self.full._notes()]


def fit_with_gaps(model: Forecaster, y: object, X: object = None, *, rng: object = None) -> Fitted:
    """Fit a model to a series with missing values (NaN).

    A VAR is fitted by EM, at its order for the interpolated series: the maximum of the likelihood of the observed
    values given the first p rows. A linear RNN alternates between smoothing and refitting until the filled values
    settle (its covariance by EM); its likelihood is the Kalman filter's. Any other recursion alternates between
    forecasting the gaps, corrected for what was observed of the same date, and refitting.

    Parameters
    ----------
    model : Forecaster
    y : DataFrame or array (T, k)
        Regular dates, NaN where nothing was observed. In the first p rows, given which a model with p lags is
        fitted, gaps start from straight lines; the linear rungs weigh these like an observation whose error has the
        variance of the series, and learn better from what follows.
    X : DataFrame or array (T, q), optional
        Without gaps.
    rng : int or numpy Generator, optional

    Returns
    -------
    FittedWithGaps, or the plain fit where nothing is missing.

    Raises
    ------
    MissingDataError
        If more than half of a column is missing, naming it.
    ParameterError
        For mixtures and wrappers; wrap a model that has been fitted this way instead.

    References
    ----------
    Dempster, Laird & Rubin (1977), JRSS B 39(1). Shumway & Stoffer (1982), J. Time Series Analysis 3(4).

    Examples
    --------
    >>> from varnn import VAR
    >>> y = np.random.default_rng(0).standard_normal((100, 2))
    >>> y[40, 1] = np.nan
    >>> int(fit_with_gaps(VAR(lags=1), y).gaps.to_numpy().sum())
    1
    """
    values, series = _read(y)
    if not np.isnan(values).any():
        return model.fit(series, X, rng=rng)
    seeds = generator(rng).spawn(ROUNDS + 1)
    fit = model.fit(series, X, rng=seeds[0])
    if type(fit)._outlook is not Fitted._outlook:
        inside = [part.label for part in (*getattr(model, "members", ()), getattr(model, "model", None))
                  if isinstance(part, Forecaster)]
        instead = f"{' and '.join(inside)} alone" if inside else "a VAR or LinearRNN"
        raise ParameterError(f"{model.label} has no recursion of its own to fill gaps with; fit {instead} with "
                             "missing='filter', or fill the gaps first (y.interpolate())")
    estimate = getattr(fit, "estimate", None)
    linear = isinstance(estimate, LinearEstimate)
    if type(estimate) is LeastSquares:  # what shrinks them is refitted like any other recursion
        fit, loglik = _by_em(fit, values)
    else:
        for seed in seeds[1:]:
            before = fit.series.values
            filled = _smoothed(fit, values) if linear else _substituted(fit, values, fit.series, fit.exog)
            spec = replace(cast(Any, model), lags=cast(Any, fit).lags) if linear else model
            fit = spec.fit(Series(filled, series.names, series.index), fit.exog, rng=seed)
            if (np.abs(filled - before) / np.nanstd(values, axis=0)).max() < SETTLED:
                break
        fit = replace(fit, spec=model)
        if linear:
            fit, loglik = _with_covariance(fit, values)
        else:
            loglik = _substitution_likelihood(fit, values)
    mask = pd.DataFrame(np.isnan(values), index=series.index, columns=list(series.names))
    return FittedWithGaps(spec=model, series=fit.series, exog=fit.exog, seen=fit.seen, seen_exog=fit.seen_exog,
                          params=fit.params, df_model=fit.df_model, full=fit, gaps=mask, loglik=loglik)


def with_gaps(y: object) -> Series:
    """Return observations as a Series that keeps NaN in its gaps, everything else checked.

    For a comparison, whose windows are fitted with ``missing="filter"``.

    Examples
    --------
    >>> with_gaps([[1.0], [np.nan], [4.0]]).values.ravel().tolist()
    [1.0, nan, 4.0]
    """
    values, series = _read(y)
    return Series(np.array(values), series.names, series.index)


def _read(y: object, most: float = MOST_MISSING) -> tuple[FloatArray, Series]:
    """Return the values with NaN in the gaps, and the checked series with straight lines there."""
    y = y.to_frame() if isinstance(y, Series) else y
    frame = y if isinstance(y, pd.DataFrame) else y.to_frame(y.name or "y1") if isinstance(y, pd.Series) else None
    if frame is None:
        array = np.asarray(y)
        if not np.issubdtype(array.dtype, np.number) or array.ndim not in (1, 2):
            Series.of(y)
        array = array.astype(np.float64).reshape(len(array), -1)
        frame = pd.DataFrame(array, columns=[f"y{j + 1}" for j in range(array.shape[1])])
    missing = frame.isna().to_numpy()
    for j, name in enumerate(frame.columns):
        share = missing[:, j].mean() if len(frame) else 0.0
        if share > most:
            raise MissingDataError(f"y column {str(name)!r} lacks {missing[:, j].sum()} of {len(frame)} values; "
                                   "missing='filter' fills at most half of a column, leave it out")
    if not missing.any():
        series = Series.of(y)
        return series.values, series
    lines = frame.interpolate(limit_direction="both") if all(
        pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes) else frame
    series = Series.of(lines if most < 1 else lines.fillna(0.0))  # a column may lack all of a few new rows
    return np.where(missing, np.nan, series.values), series


# --- the VAR: EM in standard units -----------------------------------------------------------------------


def _by_em(fit: Fitted, values: FloatArray) -> tuple[Fitted, float]:
    """Maximise the likelihood of what was observed, given the first p rows (guessed where these have gaps)."""
    var = cast(Any, fit)
    p, trend, k = var.k_ar, var.trend, values.shape[1]
    shift = np.nanmean(values, axis=0) if trend != "n" else np.zeros(k)
    scale = np.nanstd(values, axis=0)
    standard = (values - shift) / scale
    first = ((fit.series.values - shift) / scale)[:p]
    doubt = np.isnan(values[:p]).astype(np.float64)
    known = known_regressors(len(values), trend, None if fit.exog is None else fit.exog.values)
    c, start = known.shape[1], fit.spec.fit(_standardised(fit.series, shift, scale), fit.exog)
    if cast(Any, start).k_ar != p:
        start = replace(fit.spec, lags=p, max_lags=None).fit(_standardised(fit.series, shift, scale), fit.exog)  # type: ignore[call-arg]
    coef, sigma, before = cast(Any, start).estimate.coef, start.sigma_u_mle, -np.inf
    for _ in range(EM_STEPS):
        space = gaps.var_space(_lag_matrices(coef, p, k), sigma, known @ coef[:c], _headed(first, standard), doubt)
        found = gaps.smooth(space, standard)
        if found.llf - before < EM_GAIN:
            break
        before = found.llf
        design = np.hstack([known[p:], found.states[:, k:]])
        extra = found.spread.sum(axis=0)
        gram, cross = design.T @ design, design.T @ found.states[:, :k]
        gram[c:, c:] += extra[k:, k:]
        cross[c:] += extra[k:, :k]
        coef = np.linalg.solve(gram, cross)
        sigma = (found.states[:, :k].T @ found.states[:, :k] + extra[:k, :k] - cross.T @ coef) / len(design)
        sigma = regular(0.5 * (sigma + sigma.T))
    errors = found.states[:, :k] - np.hstack([known[p:], found.states[:, k:]]) @ coef
    resid = whitened(errors) @ square_root(sigma).T * scale          # errors with the covariance EM found
    table, root = _in_user_units(coef, np.asarray(np.linalg.inv(square_root(gram)).T), c, shift, scale, trend != "n", p)
    n, d = len(errors), len(coef)
    estimate = LeastSquares(table, root, resid, sigma * np.outer(scale, scale) * n / (n - d))
    filled = fit.series.values.copy()
    rows = filled[p:]
    rows[np.isnan(values[p:])] = (found.states[:, :k] * scale + shift)[np.isnan(values[p:])]
    if doubt.any():
        guessed = found.states[0, k:].reshape(p, k)[::-1] * scale + shift
        filled[:p][np.isnan(values[:p])] = guessed[np.isnan(values[:p])]
    series = Series(filled, fit.series.names, fit.series.index)
    params = pd.DataFrame(table, index=fit.params.index, columns=fit.params.columns)
    made = replace(fit, series=series, seen=series, params=params, estimate=estimate)  # type: ignore[call-arg]
    return made, found.llf - _log_scale(values[p:], scale)


def _headed(first: FloatArray, values: FloatArray) -> FloatArray:
    """Return the values with their first rows replaced."""
    return np.vstack([first, values[len(first):]])


def _standardised(series: Series, shift: FloatArray, scale: FloatArray) -> Series:
    return Series((series.values - shift) / scale, series.names, series.index)


def _lag_matrices(coef: FloatArray, p: int, k: int) -> FloatArray:
    return np.ascontiguousarray(coef[len(coef) - p * k:].reshape(p, k, k).swapaxes(1, 2))


def _in_user_units(coef: FloatArray, root: FloatArray, c: int, shift: FloatArray, scale: FloatArray, constant: bool,
                   p: int) -> tuple[FloatArray, FloatArray]:
    """Map coefficients on (known, lags) and a root of the inverse Gram matrix back from standard units."""
    back = np.eye(len(coef))
    back[c:, c:] = np.diag(np.tile(1 / scale, p))
    if constant:
        back[0, c:] = -np.tile(shift / scale, p)
    table = back @ coef * scale
    if constant:
        table[0] += shift
    return np.ascontiguousarray(table), np.ascontiguousarray(back @ root)


def _log_scale(values: FloatArray, scale: FloatArray) -> float:
    return float((~np.isnan(values)).sum(axis=0) @ np.log(scale))


# --- the linear RNN: Kalman smoother, covariance by EM ---------------------------------------------------


def _space(fit: Fitted, values: FloatArray, sigma: FloatArray) -> tuple[gaps.StateSpace, FloatArray]:
    """Return the linear RNN as a state space in standard units, and the values in these units."""
    rnn = cast(Any, fit)
    weights, lags, k = rnn.estimate.weights, rnn.lags, values.shape[1]
    n = len(weights)
    exog = None if fit.exog is None else fit.exog.values
    inputs = rnn.units.inputs(fixed_regressors(len(values), rnn.spec_trend, exog))
    standard = np.asarray(rnn.units.series(values))
    move, gain = likelihood.transition(weights, lags, k)
    drive = np.zeros((len(values), len(move)))
    drive[:, :n] = weights[:, n + lags * k] + inputs @ weights[:, n + lags * k + 1:].T
    if rnn.estimate.exact:
        mean = np.linalg.solve(np.eye(len(move)) - move, drive[0])
        spread = likelihood.stationary_covariance(move, gain @ sigma @ gain.T)
        return gaps.innovations_space(move, gain, sigma, drive, mean, spread, 0), standard
    begun = _headed(np.asarray(rnn.units.series(fit.series.values[:lags])), standard)
    sample = likelihood.Sample(begun, inputs, lags, lags)
    mean = np.concatenate([weights @ likelihood.first_inputs(sample, n), begun[1:lags][::-1].ravel()])
    reach = _reach(fit)
    spread = (reach * np.isnan(values[:lags])[::-1].ravel()) @ reach.T
    return gaps.innovations_space(move, gain, sigma, drive, mean, spread, lags), standard


def _reach(fit: Fitted) -> FloatArray:
    """Return how the state at the first row moves with the rows before it, newest first; (state, pk)."""
    rnn = cast(Any, fit)
    weights, lags, k = rnn.estimate.weights, rnn.lags, fit.series.k
    n = len(weights)
    last = weights[:, n:n + lags * k].copy()
    last[:, :k] += weights[:, :k]
    return np.vstack([last, np.eye((lags - 1) * k, lags * k)]) if lags else last


def _smoothed(fit: Fitted, values: FloatArray) -> FloatArray:
    """Fill gaps with their expectation given all that was observed."""
    rnn = cast(Any, fit)
    space, standard = _space(fit, values, rnn.estimate.sigma)
    found = gaps.smooth(space, standard)
    filled, k = fit.series.values.copy(), values.shape[1]
    rows, holes = filled[space.start:], np.isnan(values[space.start:])
    rows[holes] = rnn.units.back(found.states @ space.read.T)[:, :k][holes]
    before = np.isnan(values[:space.start])
    if before.any():  # what is learnt of the first state says what led to it
        reach = _reach(fit) * before[::-1].ravel()
        learnt = found.states[0, :len(reach)] - space.mean[:len(reach)]
        moved = reach.T @ np.linalg.pinv(reach @ reach.T) @ learnt
        guessed = np.asarray(rnn.units.series(filled[:space.start]))[::-1].ravel() + moved
        back = rnn.units.back(guessed.reshape(space.start, k)[::-1])
        filled[:space.start][before] = back[before]
    return filled


def _with_covariance(fit: Fitted, values: FloatArray) -> tuple[Fitted, float]:
    """Estimate Σ by EM at the weights found, and evaluate the likelihood of what was observed."""
    rnn = cast(Any, fit)
    sigma, before, k = rnn.estimate.sigma, -np.inf, values.shape[1]
    for _ in range(EM_STEPS):
        space, standard = _space(fit, values, sigma)
        found = gaps.smooth(space, standard)
        if found.llf - before < EM_GAIN:
            break
        before = found.llf
        errors = found.states[:, -k:]
        sigma = (errors.T @ errors + found.spread[:, -k:, -k:].sum(axis=0)) / len(errors)
    scale = rnn.units.scale
    made = replace(fit, estimate=replace(rnn.estimate, sigma=space.noise[-k:, -k:]))  # type: ignore[call-arg]
    return made, found.llf - _log_scale(values[space.start:], scale)


# --- any other recursion: its own forecasts --------------------------------------------------------------


def _substituted(fit: Fitted, values: FloatArray, series: Series, inputs: Series | None,
                 first: int = 0) -> FloatArray:
    """Fill gaps from row `first` on, in order of time, with the forecast given what was observed of the same date."""
    filled, sigma = series.values.copy(), fit.sigma_u_mle
    exog = None if inputs is None else inputs.values
    for row in first + np.flatnonzero(np.isnan(values[first:]).any(axis=1)):
        forecast = fit._one_step(filled[:row + 1], None if exog is None else exog[:row + 1])[row]
        if np.isnan(forecast).any():
            continue
        hole = np.isnan(values[row])
        error = (values[row] - forecast)[~hole]
        pull = np.linalg.lstsq(sigma[np.ix_(~hole, ~hole)], error, rcond=None)[0] if len(error) else error
        filled[row, hole] = forecast[hole] + sigma[np.ix_(hole, ~hole)] @ pull
    return filled


def _substitution_likelihood(fit: Fitted, values: FloatArray) -> float:
    """Return Σ_t ln N(observed entries of y_t; forecast, Σ) with filled values in the past."""
    forecasts = fit._one_step(fit.series.values, None if fit.exog is None else fit.exog.values)
    sigma, total = fit.sigma_u_mle, 0.0
    for errors in (values - forecasts)[len(values) - len(fit.resid):]:
        seen = ~np.isnan(errors)
        if seen.any():
            block = sigma[np.ix_(seen, seen)]
            total -= 0.5 * (seen.sum() * np.log(2 * np.pi) + np.linalg.slogdet(block)[1]
                            + errors[seen] @ np.linalg.solve(block, errors[seen]))
    return float(total)
