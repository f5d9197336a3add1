"""What the data say about the coefficients and the covariance of a multivariate regression, as random draws."""

from __future__ import annotations

import numpy as np

from varnn.series import FloatArray


def standard_numbers(d: int, k: int, df: int, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw what `spread_around` turns into (Σ, B): triangles L (m, k, k) with L Lᵀ ~ W(I, df), and N(0, 1) (m, d, k).

    References
    ----------
    Bartlett (1933), Proc. Royal Society of Edinburgh 53; Smith & Hocking (1972), JRSS C 21.
    """
    lower = np.tril(rng.standard_normal((count, k, k)), -1)
    lower[:, np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df - np.arange(k), size=(count, k)))
    return lower, rng.standard_normal((count, d, k))


def spread_around(coef: FloatArray, root: FloatArray, scatter_root: FloatArray, lower: FloatArray,
                  noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draw (Σ, B) from their posterior under the flat prior p(B, Σ) ∝ |Σ|^{−k}.

    Σ ~ IW(EᵀE, n − d + k − 1), B | Σ ~ N(B̂, Σ ⊗ (XᵀX)⁻¹). With this prior each coefficient and each one-step
    forecast has the Student distribution with n − d degrees of freedom that classical regression gives it, so
    that its intervals have exact coverage there.

    Parameters
    ----------
    coef : array (…, d, k)
        B̂ of one regression, or of a stack of them.
    root : array (…, d, d)
        A root of (XᵀX)⁻¹.
    scatter_root : array (…, k, k)
        A root of EᵀE.
    lower, noise : arrays (…, m, k, k) and (…, m, d, k)
        Standard numbers, with n − d + k − 1 degrees of freedom.

    Returns
    -------
    sigma : array (…, m, k, k)
    weights : array (…, m, d, k)

    Examples
    --------
    >>> numbers = standard_numbers(3, 2, 100, 4000, np.random.default_rng(0))
    >>> sigma, weights = spread_around(np.ones((3, 2)), 0.1 * np.eye(3), np.sqrt(97.0) * np.eye(2), *numbers)
    >>> sigma.mean(axis=0).round(1).tolist(), float(weights.std(axis=0).mean().round(2))  # 97/(df − k − 1), 0.1
    ([[1.0, 0.0], [0.0, 1.0]], 0.1)

    References
    ----------
    Geisser & Cornfield (1963), J. Royal Statistical Society B 25(2), for |Σ|^{−k}.
    """
    half = scatter_root[..., None, :, :] @ np.swapaxes(np.linalg.inv(lower), -1, -2)
    weights = coef[..., None, :, :] + root[..., None, :, :] @ noise @ np.swapaxes(half, -1, -2)
    return half @ np.swapaxes(half, -1, -2), weights                                          # Σ = half halfᵀ
