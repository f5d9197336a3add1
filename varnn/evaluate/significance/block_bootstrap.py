"""Resampling of origins in blocks, so that autocorrelated losses keep their dependence.

Called by confidence_set and skill. The indices are those of `arch.bootstrap` for the same seed.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from varnn.errors import ParameterError, TooShortError
from varnn.evaluate.significance.long_run_variance import checked_losses
from varnn.series import whole_number

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Scheme = Literal["stationary", "circular"]


def block_indices(n: int, block: int, count: int, rng: np.random.Generator, *,
                  scheme: Scheme = "stationary") -> IntArray:
    """Draw the origins of bootstrap samples, in blocks that wrap around the end.

    'stationary' starts a new block with probability 1/block at each origin (geometric lengths, Politis
    and Romano), 'circular' joins blocks of exactly `block` origins.

    Parameters
    ----------
    n : int
        Number of origins.
    block : int
        Mean or exact block length, 1 … n.
    count : int
        B, number of samples.
    rng : numpy Generator
    scheme : 'stationary' or 'circular'

    Returns
    -------
    array of int (B, n)

    References
    ----------
    Politis and Romano (1994), JASA 89. Politis and Romano (1992), in Exploring the Limits of Bootstrap.

    Examples
    --------
    >>> block_indices(5, 2, 1, np.random.default_rng(0), scheme="circular")
    array([[4, 0, 3, 4, 2]])
    """
    if scheme not in get_args(Scheme):
        raise ParameterError(f"scheme={scheme!r} is not one of {list(get_args(Scheme))}")
    n, count = whole_number(n, "n", least=1), whole_number(count, "count", least=1)
    block = whole_number(block, "block", least=1, most=n)
    if scheme == "circular":
        starts = rng.integers(n, size=(count, -(-n // block)), dtype=np.int64)
        return np.asarray((starts[:, :, None] + np.arange(block)).reshape(count, -1)[:, :n] % n)
    return np.stack([_stationary(n, block, rng) for _ in range(count)])


def block_means(losses: FloatArray, indices: IntArray) -> FloatArray:
    """Return the mean losses (B, models) of bootstrap samples `indices` (B, n) of `losses` (n, models)."""
    count, n = indices.shape
    often = np.zeros((count, n))
    np.add.at(often, (np.arange(count)[:, None], indices), 1.0)
    return np.asarray(often @ losses / n)


def block_length(x: ArrayLike, *, scheme: Scheme = "stationary") -> float:
    """Estimate the block length with the smallest mean squared error of the bootstrap variance.

        b = (2 ĝ²/d̂ · n)^{1/3},   ĝ = Σ_j λ(j/m)|j| γ_j,   d̂ = c (Σ_j λ(j/m) γ_j)²

    with the flat-top window λ, m twice the lag after which autocorrelations stay inside ±2(log₁₀ n/n)^½,
    c = 2 (stationary) or 4/3 (circular); at most min(3√n, n/3).

    Parameters
    ----------
    x : array (n,)
        For losses, the difference to be averaged.
    scheme : 'stationary' or 'circular'

    Returns
    -------
    float
        At least 1; 1 for a constant sequence.

    References
    ----------
    Politis and White (2004), Econometric Reviews 23. Patton, Politis and White (2009), Econometric Reviews 28.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=400)
    >>> block_length(np.convolve(x, np.ones(8))) > 3 * block_length(x)
    True
    """
    series = checked_losses(x, "x")
    n = len(series)
    if n < FEWEST:
        raise TooShortError(f"a block length needs at least {FEWEST} origins, got {n}; give block= yourself")
    z = series - series.mean()
    if float(z @ z) <= 1e-20 * float(series @ series):
        return 1.0
    span, most = max(5, int(np.log10(n))), int(np.ceil(np.sqrt(n)))
    lags = min(most + span, n - 2)
    gamma = np.array([z[j:] @ z[: n - j] for j in range(lags + 1)]) / n
    norms = np.array([(z[j + 1:] @ z[j + 1:]) * (z[: -(j + 1)] @ z[: -(j + 1)]) for j in range(lags + 1)])
    small = n * np.abs(gamma) < 2.0 * np.sqrt(np.log10(n) / n) * np.sqrt(norms)
    quiet = [i for i in range(lags + 1 - span) if small[i:i + span].all()]
    m = min(2 * max(quiet[0], 1) if quiet else lags, lags)
    j = np.arange(1, m + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - j / m))
    g, spectrum = 2.0 * window @ (j * gamma[1:m + 1]), gamma[0] + 2.0 * window @ gamma[1:m + 1]
    if spectrum == 0.0:
        return 1.0
    best = (2.0 * g**2 / ((2.0 if scheme == "stationary" else 4.0 / 3.0) * spectrum**2) * n) ** (1.0 / 3.0)
    return float(min(max(best, 1.0), np.ceil(min(3.0 * np.sqrt(n), n / 3.0))))


FEWEST = 8


def _stationary(n: int, block: int, rng: np.random.Generator) -> IntArray:
    starts = rng.integers(n, size=n, dtype=np.int64)
    fresh = rng.random(n) <= 1.0 / block
    fresh[0] = True
    since = np.maximum.accumulate(np.where(fresh, np.arange(n), 0))      # where the running block began
    return np.asarray((starts[since] + np.arange(n) - since) % n)
