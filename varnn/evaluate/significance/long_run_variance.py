"""Variance of the mean of autocorrelated losses, and what every test of equal accuracy checks first.

Called by pairwise, fluctuation and calibrate; pure functions on arrays.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from varnn.errors import DtypeError, MissingDataError, NonFiniteError, ParameterError, ShapeError

FloatArray = NDArray[np.float64]
Variance = Literal["auto", "rectangular", "bartlett", "cosine"]
Kernel = Literal["rectangular", "bartlett", "cosine"]
FEWEST_ORIGINS = 8
ROUNDING = 1e-10  # forecasts of nested rungs agree to about this, their loss differences are then noise


def checked_losses(losses: ArrayLike, argument: str, *, dimensions: int = 1) -> FloatArray:
    """Return `losses` as a finite float64 array of the given number of dimensions, or say what is wrong.

    Examples
    --------
    >>> checked_losses([1.0, float("nan")], "first")
    Traceback (most recent call last):
    ...
    varnn.errors.MissingDataError: first has 1 missing loss, the first at origin 1; compare on origins all models have
    """
    try:
        array = np.asarray(losses, dtype=np.float64)
    except (TypeError, ValueError):
        raise DtypeError(f"{argument} is not an array of numbers; pass one loss for each origin") from None
    if array.ndim != dimensions:
        raise ShapeError(f"{argument} has {array.ndim} dimensions; it needs {dimensions}")
    missing = np.isnan(array)
    if missing.any():
        count = int(missing.sum())
        raise MissingDataError(f"{argument} has {count} missing loss{'es' if count > 1 else ''}, the first at origin "
                               f"{np.argwhere(missing)[0][0]}; compare on origins all models have")
    if not np.isfinite(array).all():
        raise NonFiniteError(f"{argument} has an infinite loss at origin {np.argwhere(~np.isfinite(array))[0][0]}; "
                             "drop the model that diverged")
    return array


def checked_pair(first: ArrayLike, second: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two loss arrays (n,) of equal length."""
    a, b = checked_losses(first, "first"), checked_losses(second, "second")
    if len(a) != len(b):
        raise ShapeError(f"first has {len(a)} losses and second {len(b)}; both need one for each origin, in order")
    return a, b


def kernel_for(variance: Variance, horizon: int) -> Kernel:
    """Return the estimator that 'auto' stands for: rectangular for one step ahead, cosine beyond."""
    if variance not in get_args(Variance):
        raise ParameterError(f"variance={variance!r} is not one of {list(get_args(Variance))}")
    if variance == "auto":
        return "rectangular" if horizon == 1 else "cosine"
    return variance


def cosine_terms(n: int) -> int:
    """Return the number of cosine averages, ⌊0.41 n^{2/3}⌋ and at least 2 (Lazarus et al. 2018, eq. 12)."""
    return max(2, int(0.41 * n ** (2.0 / 3.0)))


def long_run_variance(x: FloatArray, horizon: int, kernel: Kernel, *, centred: bool = True,
                      terms: int | None = None) -> FloatArray:
    """Estimate the long-run covariance Ω of a stationary sequence, n·Var(mean).

        rectangular : Γ_0 + Σ_{j<h} (Γ_j + Γ_j')             exact for MA(h − 1), may be indefinite
        bartlett    : Γ_0 + Σ_{j<h} (1 − j/h)(Γ_j + Γ_j')    never negative, too small
        cosine      : mean of B outer products of (2/n)^½ Σ_t x_t cos(π b (t − ½)/n), b = 1 … B

    Parameters
    ----------
    x : array (n, q)
    horizon : int
        h, the forecast horizon; errors h steps ahead overlap, so they are MA(h − 1).
    kernel : 'rectangular', 'bartlett' or 'cosine'
    centred : bool
        Subtract the mean first (the cosines do so by themselves).
    terms : int, optional
        B, `cosine_terms(n)` by default.

    Returns
    -------
    array (q, q)

    References
    ----------
    Diebold and Mariano (1995), JBES 13. Newey and West (1987), Econometrica 55.
    Lazarus, Lewis, Stock and Watson (2018), JBES 36 (equal-weighted cosine, with Student critical values).

    Examples
    --------
    >>> long_run_variance(np.array([[1.0], [-1.0], [1.0], [-1.0]]), 1, "rectangular")
    array([[1.]])
    """
    n = len(x)
    if kernel == "cosine":
        waves = np.arange(1, (cosine_terms(n) if terms is None else terms) + 1)
        cosines = np.sqrt(2.0 / n) * np.cos(np.pi * np.outer(waves, np.arange(n) + 0.5) / n)       # (B, n)
        averages = cosines @ (x - x.mean(axis=0))                                                  # (B, q)
        return np.asarray(averages.T @ averages / len(waves))
    z = x - x.mean(axis=0) if centred else x
    omega = z.T @ z / n
    for j in range(1, min(horizon, n)):
        gamma = z[j:].T @ z[:-j] / n
        omega = omega + (1.0 if kernel == "rectangular" else 1.0 - j / horizon) * (gamma + gamma.T)
    return np.asarray(omega)


def why_no_test(first: FloatArray, second: FloatArray, fewest: int) -> tuple[bool, str]:
    """Return (valid, note) if no test can be made of two loss arrays, or (True, '') if one can."""
    n, gap = len(first), np.abs(first - second)
    size = float(np.abs(np.concatenate([first, second])).mean()) if n else 0.0
    if n < fewest:
        return False, f"{n} origins are too few for this test, it needs at least {fewest}"
    if gap.max() <= ROUNDING * size:
        return True, "the losses are identical"
    if np.ptp(first - second) <= ROUNDING * size:
        return False, "the loss difference is the same at every origin, so it has no variance to test with"
    return True, ""
