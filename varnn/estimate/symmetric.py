"""Curvatures and covariances kept invertible: an inverse with its log determinant, a floor for eigenvalues.

Used by `gauss_newton`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

Array = npt.NDArray[np.float64]
LEAST_EIGENVALUE = 0.02


def inverted(G: Array, a: Array) -> tuple[Array, float]:
    """Return (G + diag a)⁻¹ and the log determinant, scaled to a unit diagonal first."""
    scale = 1.0 / np.sqrt(np.diag(G) + a)
    H = G * np.outer(scale, scale)
    H[np.diag_indices_from(H)] += a * scale * scale
    for nudge in (0.0, 1e-12, 1e-9, 1e-6):
        H[np.diag_indices_from(H)] += nudge
        factor, failed = lapack.dpotrf(H, lower=1)
        if not failed:
            break
    logdet = 2 * float(np.log(np.diag(factor)).sum() - np.log(scale).sum())
    inverse, _ = lapack.dpotri(factor, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    return np.asarray(inverse * np.outer(scale, scale)), logdet


def positive(sigma: Array) -> Array:
    """Return sigma with the eigenvalues of its correlations at least LEAST_EIGENVALUE.

    Where a network approximates a noiseless system its errors are nearly collinear; weighed by the inverse of such a
    covariance the fit would perfect one combination of the series and give up the others.
    """
    scale = np.sqrt(np.diag(sigma)) + 1e-12
    values, vectors = np.linalg.eigh(sigma / np.outer(scale, scale))
    if values[0] < LEAST_EIGENVALUE:
        sigma = (vectors * np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T * np.outer(scale, scale)
    return sigma
