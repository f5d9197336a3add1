"""Scores of forecast distributions, marginal by marginal: one number for each step and series.

From sample paths (m, h, k) or in closed form (Gaussian, Student). All are negatively oriented: smaller
is better. Called through `scores.score`; also plain functions on arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from varnn.errors import NonFiniteError, ParameterError, TooShortError
from varnn.series import checked_coverage

FloatArray = NDArray[np.float64]
Estimator = Literal["empirical", "fair"]
DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def crps(observed: FloatArray, paths: FloatArray, *, estimator: Estimator = "empirical") -> FloatArray:
    """Score a sample by the continuous ranked probability score, in the units of the series.

        CRPS = E|X − y| − ½ E|X − X'|

    with E|X − X'| from the sorted sample, Σ_ij |x_i − x_j| = 2 Σ_i (2i − m − 1) x_(i), in O(m log m).
    'empirical' divides it by m² (the exact score of the sample as a distribution), 'fair' by m(m − 1)
    (unbiased for the distribution the paths were drawn from).

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)
    estimator : 'empirical' or 'fair'

    Returns
    -------
    array (h, k)

    Raises
    ------
    ParameterError
        For another estimator.
    TooShortError
        For 'fair' with a single path.

    References
    ----------
    Gneiting and Raftery (2007), JASA 102, eq. 21. Ferro (2014), QJRMS 140, section 2 (fair).
    Zamo and Naveau (2018), Mathematical Geosciences 50, section 3.2 (sorted form).

    Examples
    --------
    >>> crps(np.array([[0.0]]), np.array([[[-1.0]], [[1.0]]]))
    array([[0.5]])
    """
    if estimator not in get_args(Estimator):
        raise ParameterError(f"estimator={estimator!r} is not one of {list(get_args(Estimator))}")
    m = len(paths)
    if estimator == "fair" and m < 2:
        raise TooShortError(f"the fair CRPS needs at least 2 paths, got {m}; draw more or use estimator='empirical'")
    pairs = m * m if estimator == "empirical" else m * (m - 1)
    ordered = np.sort(paths - observed, axis=0)                            # (m, h, k), centred: no cancellation
    rank = 2.0 * np.arange(1, m + 1) - m - 1.0
    return np.asarray(np.abs(ordered).mean(axis=0) - np.tensordot(rank, ordered, axes=1) / pairs)


def crps_normal(observed: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> FloatArray:
    """Score N(mean, sd²) by the CRPS in closed form.

        CRPS = σ { z [2Φ(z) − 1] + 2φ(z) − π^{-½} },   z = (y − μ)/σ

    All arguments broadcast; the result has their common shape.

    References
    ----------
    Gneiting, Raftery, Westveld and Goldman (2005), Monthly Weather Review 133, eq. 5.

    Examples
    --------
    >>> round(float(crps_normal(0.0, 0.0, 1.0)), 10)
    0.2336949773
    """
    z, sd = _standardised(observed, mean, sd)
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return np.asarray(sd * (z * (2.0 * special.ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi)))


def crps_student(observed: ArrayLike, df: ArrayLike, location: ArrayLike = 0.0,
                 scale: ArrayLike = 1.0) -> FloatArray:
    """Score a Student t with location and scale by the CRPS in closed form.

        CRPS = s { z [2F_ν(z) − 1] + 2f_ν(z)(ν + z²)/(ν − 1) − 2√ν/(ν − 1) · B(½, ν − ½)/B(½, ν/2)² }

    All arguments broadcast; df must be above 1, where the score is finite.

    References
    ----------
    Jordan, Krüger and Lerch (2019), Journal of Statistical Software 90(12), appendix A.2.

    Examples
    --------
    >>> round(float(crps_student(0.5, 5.0)), 10)
    0.3496453472
    """
    z, scale = _standardised(observed, location, scale)
    nu = np.asarray(df, dtype=np.float64)
    if not (nu > 1.0).all():
        raise ParameterError(f"df={np.min(nu):g} has no finite CRPS; use df above 1")
    density = np.exp(-_student_surprise(z, nu))
    spread = 2.0 * np.sqrt(nu) / (nu - 1.0) * special.beta(0.5, nu - 0.5) / special.beta(0.5, nu / 2.0) ** 2
    return np.asarray(scale * (z * (2.0 * special.stdtr(nu, z) - 1.0)
                               + 2.0 * density * (nu + z * z) / (nu - 1.0) - spread))


def log_score_normal(observed: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> FloatArray:
    """Score N(mean, sd²) by its surprise, −log density at the outcome (nats); arguments broadcast.

    Examples
    --------
    >>> round(float(log_score_normal(1.0, 0.0, 2.0)), 9)
    1.737085714
    """
    z, sd = _standardised(observed, mean, sd)
    return np.asarray(0.5 * z * z + np.log(sd) + 0.5 * np.log(2.0 * np.pi))


def log_score_student(observed: ArrayLike, df: ArrayLike, location: ArrayLike = 0.0,
                      scale: ArrayLike = 1.0) -> FloatArray:
    """Score a Student t by its surprise, −log density at the outcome (nats); arguments broadcast.

    Examples
    --------
    >>> round(float(log_score_student(0.0, 1.0)), 9)  # Cauchy: log pi
    1.144729886
    """
    z, scale = _standardised(observed, location, scale)
    return np.asarray(_student_surprise(z, np.asarray(df, dtype=np.float64)) + np.log(scale))


def log_score(observed: FloatArray, paths: FloatArray) -> FloatArray:
    """Score a sample by the surprise of the Gaussian with the sample's mean and variance (ddof 1).

    Smooth and fast, but blind to skewness and fat tails; `log_score_kde` sees them at the price of noise.

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)

    Returns
    -------
    array (h, k)
        In nats.

    Raises
    ------
    NonFiniteError
        Where all paths agree, so that there is no density.

    Examples
    --------
    >>> log_score(np.array([[0.0]]), np.array([[[-1.0]], [[0.0]], [[1.0]]])).round(4)
    array([[0.9189]])
    """
    return log_score_normal(observed, paths.mean(axis=0), _spread(paths))


def log_score_kde(observed: FloatArray, paths: FloatArray) -> FloatArray:
    """Score a sample by the surprise of its Gaussian kernel density.

    Bandwidth 1.06 min(sd, IQR/1.34) m^{-1/5} (Silverman). Shapes and errors as in `log_score`.

    References
    ----------
    Krüger, Lerch, Thorarinsdottir and Gneiting (2021), International Statistical Review 89, section 3.

    Examples
    --------
    >>> paths = np.linspace(-2.0, 2.0, 41)[:, None, None]
    >>> bool(log_score_kde(np.array([[0.0]]), paths) < log_score_kde(np.array([[3.0]]), paths))
    True
    """
    m = len(paths)
    spread, quartiles = _spread(paths), np.quantile(paths, (0.25, 0.75), axis=0)
    bandwidth = 1.06 * np.minimum(spread, (quartiles[1] - quartiles[0]) / 1.34) * m ** -0.2       # (h, k)
    _refuse_no_spread(bandwidth, "more than half of the paths agree")
    kernels = -0.5 * ((observed - paths) / bandwidth) ** 2                                        # (m, h, k)
    return np.asarray(np.log(bandwidth) + 0.5 * np.log(2.0 * np.pi) + np.log(m)
                      - special.logsumexp(kernels, axis=0))


def dawid_sebastiani(observed: FloatArray, paths: FloatArray) -> FloatArray:
    """Score a sample by its first two moments, log s² + (y − x̄)²/s², with s² of ddof 1.

    Twice the Gaussian `log_score` up to the constant log 2π; shapes and errors as there.

    References
    ----------
    Dawid and Sebastiani (1999), Annals of Statistics 27, section 3.

    Examples
    --------
    >>> dawid_sebastiani(np.array([[2.0]]), np.array([[[-1.0]], [[0.0]], [[1.0]]]))
    array([[4.]])
    """
    spread = _spread(paths)
    return np.asarray(2.0 * np.log(spread) + ((observed - paths.mean(axis=0)) / spread) ** 2)


def quantile_loss(observed: ArrayLike, quantile: ArrayLike, level: ArrayLike) -> FloatArray:
    """Score a forecast of the `level` quantile by the pinball loss.

        ρ_τ(y, q) = (τ − 1{y < q}) (y − q)

    All arguments broadcast; in the units of the series.

    References
    ----------
    Koenker and Bassett (1978), Econometrica 46, eq. 3.1.

    Examples
    --------
    >>> float(quantile_loss(0.3, 0.5, 0.2).round(12))
    0.16
    """
    levels = _levels(np.atleast_1d(np.asarray(level, dtype=np.float64)).ravel())
    y, q = np.asarray(observed, dtype=np.float64), np.asarray(quantile, dtype=np.float64)
    tau = levels.reshape(np.shape(level))
    return np.asarray((tau - (y < q)) * (y - q))


def weighted_quantile_loss(observed: FloatArray, paths: FloatArray, *, levels: Sequence[float] = DECILES,
                           weights: Sequence[float] | None = None) -> FloatArray:
    """Score the quantiles of a sample by twice their weighted mean pinball loss.

        2 Σ_τ w_τ ρ_τ(y, q_τ) / Σ_τ w_τ

    With equal weights on a fine grid it tends to the CRPS; weights that grow with |τ − ½| stress the
    tails. Its sum over a data set divided by Σ|y| is the wQL of GluonTS.

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)
    levels, weights : sequences of length q
        Quantile levels in (0, 1); weights at least zero, equal by default.

    Returns
    -------
    array (h, k)
        In the units of the series.

    References
    ----------
    Gneiting and Ranjan (2011), JBES 29, eq. 14–17.

    Examples
    --------
    >>> weighted_quantile_loss(np.array([[1.0]]), np.zeros((5, 1, 1)), levels=[0.5])
    array([[1.]])
    """
    tau = _levels(np.asarray(levels, dtype=np.float64))
    share = np.ones_like(tau) if weights is None else np.asarray(weights, dtype=np.float64)
    if share.shape != tau.shape or not (share >= 0).all() or not share.sum() > 0:
        raise ParameterError(f"weights={weights!r} do not fit the {len(tau)} levels; give one weight of at least "
                             "zero for each level, not all zero")
    losses = quantile_loss(observed, np.quantile(paths, tau, axis=0), tau[:, None, None])          # (q, h, k)
    return np.asarray(2.0 * np.tensordot(share / share.sum(), losses, axes=1))


def interval_score(observed: ArrayLike, lower: ArrayLike, upper: ArrayLike, coverage: float) -> FloatArray:
    """Score a central interval by its width plus a penalty for what it misses (Winkler).

        (u − l) + 2/α (l − y)₊ + 2/α (y − u)₊,   α = 1 − coverage

    Observed, lower and upper broadcast; the result is in the units of the series.

    Raises
    ------
    ParameterError
        For a coverage outside (0, 1) or a lower end above the upper.

    References
    ----------
    Gneiting and Raftery (2007), JASA 102, eq. 43. Winkler (1972), JASA 67.

    Examples
    --------
    >>> float(interval_score(0.5, 0.0, 0.4, 0.5).round(12))
    0.8
    """
    alpha = 1.0 - checked_coverage(coverage)
    y, low, high = (np.asarray(part, dtype=np.float64) for part in (observed, lower, upper))
    if (low > high).any():
        raise ParameterError("an interval has its lower end above its upper end; swap lower and upper")
    missed = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    return np.asarray((high - low) + 2.0 / alpha * missed)


def _standardised(observed: ArrayLike, location: ArrayLike, scale: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, mu, s = (np.asarray(part, dtype=np.float64) for part in (observed, location, scale))
    if not (s > 0.0).all():
        raise ParameterError(f"a scale of {np.min(s):g} is no distribution; scales must be above zero")
    return (y - mu) / s, s


def _student_surprise(z: FloatArray, nu: FloatArray) -> FloatArray:
    """Return −log f_ν(z) of the standard Student t."""
    return np.asarray(0.5 * (nu + 1.0) * np.log1p(z * z / nu) + 0.5 * np.log(nu) + special.betaln(0.5, nu / 2.0))


def _spread(paths: FloatArray) -> FloatArray:
    if len(paths) < 2:
        raise TooShortError(f"a density from paths needs at least 2 paths, got {len(paths)}; draw more")
    spread = paths.std(axis=0, ddof=1)
    _refuse_no_spread(spread, "all paths agree")
    return np.asarray(spread)


def _refuse_no_spread(spread: FloatArray, reason: str) -> None:
    if not (spread > 0.0).all():
        step, series = np.argwhere(~(spread > 0.0))[0]
        raise NonFiniteError(f"{reason} at step {step + 1} of series {series}, so they have no density; "
                             "use crps, which needs none, or draw paths with shocks")


def _levels(levels: FloatArray) -> FloatArray:
    outside = ~((levels > 0.0) & (levels < 1.0))
    if len(levels) == 0 or outside.any():
        seen = f"{levels[outside][0]:g}" if outside.any() else "no level"
        raise ParameterError(f"{seen} is not a quantile level; give numbers strictly between 0 and 1")
    return levels
