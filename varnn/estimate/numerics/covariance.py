"""Curvatures and covariances kept invertible: an inverse with its log determinant, a floor for eigenvalues.

Used by `gauss_newton`, the likelihood of the linear RNN and the models above them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

Array = npt.NDArray[np.float64]
LEAST_EIGENVALUE = 0.02
SINGULAR = 1e-14  # share of the variance below which an error is rounding: float64 keeps no more beside an error of 1


def inverted(G: Array, a: Array) -> tuple[Array, float]:
    """Return (G + diag a)⁻¹ and the log determinant, scaled to a unit diagonal first."""
    factor, scale, logdet = _factored(G, a)
    inverse, _ = lapack.dpotri(factor, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    return np.asarray(inverse * np.outer(scale, scale)), logdet


def variances(G: Array, a: Array) -> tuple[Array, float]:
    """Return the diagonal of (G + diag a)⁻¹ and the log determinant, for half the work of `inverted`."""
    factor, scale, logdet = _factored(G, a)
    below, _ = lapack.dtrtri(factor, lower=1, overwrite_c=1)  # H⁻¹ = L⁻ᵀL⁻¹
    return np.asarray(np.einsum("ij,ij->j", below, below) * scale * scale), logdet


def _factored(G: Array, a: Array) -> tuple[Array, Array, float]:
    """Return Cholesky's L of G + diag a scaled to a unit diagonal, the scale, and the log determinant of G + diag a."""
    scale = 1.0 / np.sqrt(G.diagonal() + a)
    for nudge in (0.0, 1e-12, 1e-9, 1e-6):
        H = G * scale[:, None]
        H *= scale
        H.ravel()[:: len(H) + 1] = 1.0 + nudge
        factor, failed = lapack.dpotrf(H.T, lower=1, overwrite_a=1)
        if not failed:
            break
    return factor, scale, 2 * float(np.log(factor.diagonal()).sum() - np.log(scale).sum())


def positive(sigma: Array) -> Array:
    """Return sigma with the eigenvalues of its correlations at least LEAST_EIGENVALUE.

    Where a network approximates a noiseless system its errors are nearly collinear; weighed by the inverse of such a
    covariance the fit would perfect one combination of the series and give up the others.
    """
    scale = np.sqrt(np.diag(sigma)) + 1e-12
    near = sigma / np.outer(scale, scale)
    near.ravel()[:: len(near) + 1] -= LEAST_EIGENVALUE
    if lapack.dpotrf(near.T, lower=1, overwrite_a=1)[1]:  # not positive definite: an eigenvalue is too small
        values, vectors = np.linalg.eigh(sigma / np.outer(scale, scale))
        sigma = (vectors * np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T * np.outer(scale, scale)
    return sigma


def regular(sigma: Array) -> Array:
    """Return sigma with eigenvalues of at least `SINGULAR`, more where it is large; the same array where they are."""
    least = SINGULAR * max(1.0, float(sigma.trace()) / len(sigma))
    if not lapack.dpotrf(sigma - least * np.eye(len(sigma)), lower=1)[1]:
        return sigma
    values, vectors = np.linalg.eigh(sigma)
    return np.asarray((vectors * np.maximum(values, least)) @ vectors.T)


def without_error(sigma: Array) -> list[int]:
    """Return the series in the combination of least variance where a `regular` sigma was raised, else none.

    Examples
    --------
    >>> without_error(np.eye(2)), without_error(regular(np.diag([1.0, 0.0])))
    ([], [1])
    """
    values, vectors = np.linalg.eigh(sigma)
    weights = np.abs(vectors[:, 0])
    return np.flatnonzero(weights > 0.1 * weights.max()).tolist() if values[0] < 2 * SINGULAR else []


def whitener(sigma: Array) -> tuple[Array, float]:
    """Return W with W'W = Σ⁻¹, lower triangular, and ½ ln|Σ|."""
    root, _ = lapack.dpotrf(sigma.T, lower=1)
    white, _ = lapack.dtrtri(root, lower=1)
    return np.ascontiguousarray(white), float(np.log(np.diag(root)).sum())
