"""Random shocks for sample paths: normal, Student, or drawn from the residuals singly, in blocks or with a coin.

Called by `Fitted.forecast`. Every kind has the covariance asked for; none looks at a forecast.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from varnn.series import FloatArray

Shocks = Literal["gaussian", "student", "residuals", "wild", "block"]
KINDS: tuple[str, ...] = get_args(Shocks)


def white_shocks(kind: Shocks, residuals: FloatArray, paths: int, horizon: int, rng: np.random.Generator) -> FloatArray:
    """Return shocks (m, h, k) with mean 0 and covariance I.

    gaussian   N(0, I).
    student    multivariate t, the degrees of freedom most likely for the residuals, covariance I.
    residuals  whitened residuals, drawn with replacement: the iid bootstrap.
    wild       the same, each with a random sign: keeps large and small dates, makes the shape symmetric.
    block      runs of ⌈T^⅓⌉ consecutive whitened residuals: keeps volatility that comes in clusters.

    Parameters
    ----------
    kind : str
        One of the above.
    residuals : array (T, k)
        In-sample one-step errors, in any units.
    paths, horizon : int
        m and h.
    rng : numpy Generator

    References
    ----------
    Künsch (1989), Annals of Statistics 17, for the blocks; Wu (1986), Annals of Statistics 14, for the wild bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> white_shocks("block", rng.standard_normal((50, 2)), 3, 5, rng).shape
    (3, 5, 2)
    """
    k = residuals.shape[1]
    if kind == "gaussian":
        return rng.standard_normal((paths, horizon, k))
    standard = whitened(residuals)                                                                # (T, k)
    if kind == "student":
        df = degrees_of_freedom(standard)
        mixing = rng.chisquare(df, size=(paths, horizon, 1)) / (df - 2)
        return np.asarray(rng.standard_normal((paths, horizon, k)) / np.sqrt(mixing))
    if kind == "block":
        return np.asarray(standard[_block_rows(len(standard), paths, horizon, rng)])
    drawn = standard[rng.integers(len(standard), size=(paths, horizon))]
    if kind == "wild":
        return np.asarray(drawn * rng.choice([-1.0, 1.0], size=(paths, horizon, 1)))
    return np.asarray(drawn)


def square_root(sigma: FloatArray) -> FloatArray:
    """Return R with R R' = Σ, shape (…, k, k): Cholesky factors, or symmetric roots if a Σ is singular.

    Examples
    --------
    >>> float(square_root(np.array([[4.0, 0.0], [0.0, 0.0]]))[0, 0])
    2.0
    """
    try:
        return np.asarray(np.linalg.cholesky(sigma))
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.maximum(np.diagonal(sigma, axis1=-2, axis2=-1), np.finfo(float).tiny))[..., :, None]
        values, vectors = np.linalg.eigh(sigma / (scale * np.swapaxes(scale, -1, -2)))
        roots = (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)
        return np.asarray(scale * roots)


def whitened(errors: FloatArray) -> FloatArray:
    """Return centred errors (T, k) rotated and scaled to covariance I; a constant column stays 0."""
    centred = errors - errors.mean(axis=0)
    centred = centred / np.maximum(centred.std(axis=0), np.finfo(float).tiny)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = values > 1e-12 * values[-1]
    return np.asarray(centred @ (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T)


def degrees_of_freedom(standard: FloatArray) -> float:
    """Return the Student degrees of freedom, from 3 to 200, most likely for residuals of covariance I.

        ln L(ν) = Σ_t ln t_k(e_t; ν, scale I (ν − 2)/ν)

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_t(5, size=(4000, 1))
    >>> 4.5 < degrees_of_freedom(draws / draws.std()) < 5.5
    True
    """
    k = standard.shape[1]
    norms = (standard**2).sum(axis=1)

    def surprise(log_df: float) -> float:
        df = float(np.exp(log_df))
        constant = gammaln((df + k) / 2) - gammaln(df / 2) - 0.5 * k * np.log(df - 2)
        return float(0.5 * (df + k) * np.log1p(norms / (df - 2)).mean() - constant)

    return float(np.exp(minimize_scalar(surprise, bounds=(np.log(3.0), np.log(200.0)), method="bounded").x))


def _block_rows(rows: int, paths: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    length = min(rows, int(np.ceil(rows ** (1 / 3))))
    starts = rng.integers(rows - length + 1, size=(paths, -(-horizon // length)))
    return np.asarray((starts[:, :, None] + np.arange(length)).reshape(paths, -1)[:, :horizon])
