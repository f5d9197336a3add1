"""Are the residuals white noise, and are they normal? Functions of a residual array, for every model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from varnn.errors import ParameterError, RankDeficientError
from varnn.inference.hypothesis import HypothesisTest, SimulatedTest
from varnn.series import FloatArray, generator, whole_number

if TYPE_CHECKING:
    from varnn.forecaster import Fitted
    from varnn.picture import Picture


def whiteness(resid: FloatArray, nlags: int = 10, estimated_lags: int = 0, *, adjusted: bool = False) -> HypothesisTest:
    """Portmanteau test that residual autocorrelations up to `nlags` are zero.

    Q = T Σ_{s=1}^{h} tr(C_sᵀ C_0⁻¹ C_s C_0⁻¹) ~ χ²(k²(h − p)); ``adjusted=True`` weights lag s by T/(T − s).

    Parameters
    ----------
    resid : array (T, k)
        Residuals.
    nlags : int
        Longest autocorrelation h; more than `estimated_lags`, less than T.
    estimated_lags : int
        Lags p whose coefficients were estimated, which cost degrees of freedom.
    adjusted : bool
        Small-sample version (Hosking 1980).

    Returns
    -------
    HypothesisTest

    Raises
    ------
    ParameterError
        If `nlags` is out of range.

    Examples
    --------
    >>> whiteness(np.random.default_rng(0).normal(size=(200, 2)), 8).df
    32

    References
    ----------
    Lütkepohl (2005), eq. 4.4.21 and 4.4.23.
    """
    T, k = resid.shape
    nlags = whole_number(nlags, "nlags", least=1, most=T - 1)
    if nlags <= estimated_lags:
        raise ParameterError(f"nlags={nlags} must be more than the {estimated_lags} lags of the model; "
                             f"use at least {estimated_lags + 1}")
    centred = resid - resid.mean(axis=0)
    root = _root(centred)
    inverse = np.linalg.inv(root @ root.T)
    total = 0.0
    for lag in range(1, nlags + 1):
        cov = centred[lag:].T @ centred[:-lag] / T
        total += float(np.trace(cov.T @ inverse @ cov @ inverse)) * (T / (T - lag) if adjusted else 1.0)
    return HypothesisTest(f"no residual autocorrelation up to lag {nlags}", T * total, k * k * (nlags - estimated_lags))


USUAL_LAGS = 10


def usual_nlags(rows: int, estimated_lags: int) -> int:
    """Return the autocorrelations tested when left out: ten, twice the lags of a model that has ten or more.

    Examples
    --------
    >>> usual_nlags(200, 3), usual_nlags(200, 11), usual_nlags(20, 11)
    (10, 22, 19)
    """
    wanted = USUAL_LAGS if estimated_lags < USUAL_LAGS else 2 * estimated_lags
    return max(1, min(wanted, rows - 1))


def simulated_whiteness(fit: Fitted, nlags: int, simulations: int, *, adjusted: bool = False,
                        rng: object = None) -> SimulatedTest:
    """Test as `whiteness`, the p-value from samples drawn from the fit on which the model is estimated anew.

    χ² with degrees of freedom for the lags alone forgets what a memory, tanh units or shrinkage fit away; samples
    forget nothing. Each is refitted with the lags of the fit.

    Parameters
    ----------
    fit : Fitted
    nlags : int
    simulations : int
        Samples B; 99 tell a p-value of 5 % from one of 1 %.
    adjusted : bool
    rng : int or numpy Generator, optional

    Raises
    ------
    ConvergenceError
        If the fit is explosive, or too few refits succeed.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, §4.2.
    """
    from varnn.inference.bootstrap import refits_of

    count = whole_number(simulations, "simulations", least=19, most=9999)
    own = whiteness(fit.resid.to_numpy(), nlags, adjusted=adjusted)
    refits = refits_of(fit, count, generator(rng))
    statistics = [whiteness(refit.resid.to_numpy(), nlags, adjusted=adjusted).test_statistic for refit in refits]
    return SimulatedTest(own.null, own.test_statistic, own.df, np.array(statistics))


def normality(resid: FloatArray) -> HypothesisTest:
    """Test that residuals are jointly normal, by the third and fourth moments of their rotated values.

    T b₁ᵀb₁/6 + T b₂ᵀb₂/24 ~ χ²(2k), b₁ and b₂ the mean cubes and mean fourth powers less 3 of P⁻¹(e − ē).

    Parameters
    ----------
    resid : array (T, k)
        Residuals.

    Returns
    -------
    HypothesisTest

    Examples
    --------
    >>> normality(np.random.default_rng(0).normal(size=(500, 2))).conclusion()
    'fail to reject'

    References
    ----------
    Lütkepohl (2005), eq. 4.5.13.
    """
    T, k = resid.shape
    centred = resid - resid.mean(axis=0)
    standard = np.linalg.solve(_root(centred), centred.T)                                     # (k, T)
    skewness, excess = (standard**3).mean(axis=1), (standard**4).mean(axis=1) - 3
    statistic = float(T * (skewness @ skewness / 6 + excess @ excess / 24))
    return HypothesisTest("the residuals are normally distributed", statistic, 2 * k)


def _root(centred: FloatArray) -> FloatArray:
    """Return Cholesky's root of the residual covariance, or say that it has none."""
    try:
        return np.asarray(np.linalg.cholesky(centred.T @ centred / len(centred)))
    except np.linalg.LinAlgError:
        raise RankDeficientError("the residuals have a singular covariance: a series follows without error from the "
                                 "past or from the others; leave it out of the test") from None


def plot_fitted(fit: Fitted) -> Picture:
    """Draw each series (line) with the one-step predictions of the fit (dashes), one panel a series."""
    from varnn.inference.pictures import fitted_lines

    series = fit.series
    return fitted_lines(series.values, fit.fittedvalues.to_numpy(), series.names, series.index)


def autocorrelations(resid: FloatArray, nlags: int) -> FloatArray:
    """Return the autocorrelation of each series of residuals at lags 1 … nlags, (nlags, k); NaN where all are alike.

    Examples
    --------
    >>> autocorrelations(np.array([[1.0], [-1.0], [1.0], [-1.0]]), 2).ravel().tolist()
    [-0.75, 0.5]
    """
    centred = resid - resid.mean(axis=0)
    spread = (centred**2).sum(axis=0)
    spread[spread == 0.0] = np.nan
    return np.stack([(centred[lag:] * centred[:-lag]).sum(axis=0) / spread for lag in range(1, nlags + 1)])


def plot_autocorrelations(fit: Fitted, nlags: object = None) -> Picture:
    """Draw the autocorrelations of the residuals of a fit, one panel a series.

    Raises
    ------
    ParameterError
        If there are not more residuals than lags.
    """
    from varnn.inference.pictures import autocorrelation_bars

    resid = fit.resid.to_numpy()
    usual = min(20, len(resid) - 1)
    lags = usual if nlags is None else whole_number(nlags, "nlags", least=1)
    if lags >= len(resid):
        raise ParameterError(f"nlags={lags} needs more than {lags} residuals, there are {len(resid)}; use nlags <= "
                             f"{len(resid) - 1}")
    return autocorrelation_bars(autocorrelations(resid, lags), fit.series.names, len(resid))
