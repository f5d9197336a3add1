"""What the data say about the coefficients and the covariance of a multivariate regression, as random draws."""

from __future__ import annotations

import numpy as np

from varnn.estimate.closed_form import LeastSquares
from varnn.forecaster import square_root
from varnn.series import FloatArray


def posterior_draws(estimate: LeastSquares, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw (Σ, B) from their posterior under the flat prior p(B, Σ) ∝ |Σ|^{−k}.

    Σ ~ IW(EᵀE, n − d + k − 1), B | Σ ~ N(B̂, Σ ⊗ (XᵀX)⁻¹). With this prior each coefficient and each one-step
    forecast has the Student distribution with n − d degrees of freedom that classical regression gives it, so
    that its intervals have exact coverage there.

    Parameters
    ----------
    estimate : LeastSquares
        Of k series on d regressors.
    count : int
        Number of draws m.
    rng : numpy Generator

    Returns
    -------
    sigma : array (m, k, k)
    weights : array (m, d, k)

    Examples
    --------
    >>> from varnn.estimate.closed_form import fit_var
    >>> fit = fit_var(np.random.default_rng(0).normal(size=(60, 2)), lags=1)
    >>> [block.shape for block in posterior_draws(fit, 5, np.random.default_rng(1))]
    [(5, 2, 2), (5, 3, 2)]

    References
    ----------
    Geisser & Cornfield (1963), J. Royal Statistical Society B 25(2), for |Σ|^{−k}; Bartlett (1933), Proc. Royal
    Society of Edinburgh 53, for the triangular draw of a Wishart matrix.
    """
    (d, k), df = estimate.coef.shape, estimate.df_resid + estimate.coef.shape[1] - 1
    bartlett = np.tril(rng.standard_normal((count, k, k)), -1)
    bartlett[:, np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df - np.arange(k), size=(count, k)))
    root = square_root(estimate.resid.T @ estimate.resid) @ np.swapaxes(np.linalg.inv(bartlett), 1, 2)
    noise = rng.standard_normal((count, d, k))
    weights = estimate.coef + estimate.root @ noise @ np.swapaxes(root, 1, 2)
    return root @ np.swapaxes(root, 1, 2), weights                                            # Σ = root rootᵀ
