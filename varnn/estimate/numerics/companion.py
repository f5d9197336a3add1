"""What the lag matrices A_1 … A_p of a VAR imply: companion matrix, roots, moving-average weights.

Used by the VAR and by inference/. Functions of arrays; nothing is estimated here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from varnn.series import FloatArray


def companion(coefs: FloatArray) -> FloatArray:
    """Return the matrix that moves (y_t, …, y_{t−p+1}) one step on, shape (kp, kp).

    Parameters
    ----------
    coefs : array (p, k, k)
        Lag matrices.

    Examples
    --------
    >>> companion(np.array([[[0.5]], [[0.2]]])).tolist()
    [[0.5, 0.2], [1.0, 0.0]]
    """
    p, k, _ = coefs.shape
    matrix = np.zeros((k * p, k * p))
    if p:
        matrix[:k] = np.hstack(list(coefs))
        matrix[k:, :-k] = np.eye(k * (p - 1))
    return matrix


def characteristic_roots(coefs: FloatArray) -> NDArray[np.complex128]:
    """Return the roots z of det(I − A_1 z − … − A_p z^p), furthest from 0 first; outside 1 means stable.

    A root at infinity (a singular companion matrix) is left as inf. Shape (kp,); none for p = 0.

    References
    ----------
    Lütkepohl (2005), eq. 2.1.12.
    """
    inverse = np.linalg.eigvals(companion(coefs)).astype(np.complex128)
    safe = np.where(inverse == 0, 1.0, inverse)
    roots = np.where(inverse == 0, np.inf, 1.0 / safe)
    return np.asarray(roots[np.argsort(-np.abs(roots), kind="stable")])


def moving_average(coefs: FloatArray, count: int) -> FloatArray:
    """Return Φ_0 = I, Φ_i = Σ_j Φ_{i−j} A_j for i = 0 … count, shape (count + 1, k, k).

    Examples
    --------
    >>> moving_average(np.array([[[0.5]]]), 3).ravel().tolist()
    [1.0, 0.5, 0.25, 0.125]

    References
    ----------
    Lütkepohl (2005), eq. 2.1.22.
    """
    p, k, _ = coefs.shape
    phi = np.zeros((count + 1, k, k))
    phi[0] = np.eye(k)
    for i in range(1, count + 1):
        for j in range(1, min(i, p) + 1):
            phi[i] += phi[i - j] @ coefs[j - 1]
    return phi


def forecast_covariance(phi: FloatArray, sigma: FloatArray) -> FloatArray:
    """Return Σ_{i<h} Φ_i Σ Φ_iᵀ for h = 1 … len(phi): forecast MSE at known parameters, (h, k, k).

    References
    ----------
    Lütkepohl (2005), eq. 2.2.11.
    """
    return np.asarray(np.cumsum(phi @ sigma @ np.swapaxes(phi, 1, 2), axis=0))


def estimation_covariance(phi: FloatArray, transition: FloatArray, inverse_gram: FloatArray, moment: FloatArray,
                          sigma: FloatArray) -> FloatArray:
    """Return Ω(h)/T, the part of the forecast MSE that comes from estimated coefficients, (h, k, k).

    Ω(h)/T = Σ_i Σ_j tr[(Bᵀ)^{h−1−i} (XᵀX)⁻¹ B^{h−1−j} XᵀX/T] Φ_i Σ Φ_jᵀ,  i, j = 0 … h − 1.

    Parameters
    ----------
    phi : array (h, k, k)
        Moving-average weights Φ_0 … Φ_{h−1}.
    transition : array (d, d)
        B, which moves the regressors x_t one step on.
    inverse_gram, moment : array (d, d)
        (XᵀX)⁻¹ and XᵀX/T.
    sigma : array (k, k)
        Residual covariance.

    References
    ----------
    Lütkepohl (2005), eq. 3.5.12–3.5.13.
    """
    h, k, _ = phi.shape
    powers = [np.eye(len(transition))]
    for _ in range(1, h):
        powers.append(powers[-1] @ transition)
    left = np.stack([power.T @ inverse_gram for power in powers])                             # (h, d, d)
    right = np.stack([power @ moment for power in powers])
    traces = np.einsum("aij,bji->ab", left, right)                                            # (h, h)
    out = np.zeros((h, k, k))
    for step in range(1, h + 1):
        weights = traces[step - 1::-1, step - 1::-1] if step < h else traces[::-1, ::-1]
        mixed = np.tensordot(weights, phi[:step], axes=(0, 0))                                # (step, k, k) over j
        out[step - 1] = np.einsum("jab,bc,jdc->ad", mixed, sigma, phi[:step])
    return out
