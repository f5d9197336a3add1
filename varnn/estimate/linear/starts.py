"""Where descents of the linear RNN begin: the VAR, and Hannan-Rissanen regressions on long-autoregression residuals.

Called by `linear_fit` only.  Works in standardised units from moment matrices; accuracy is the optimiser's business.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from varnn.estimate.least_squares.regression import fit_var
from varnn.estimate.linear import kernels, likelihood
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.panel.pooled import regression_of_panel

Array = npt.NDArray[np.float64]
BLOCK_ROWS = 4096
VAR_START = "VAR"
HALFWAY = "halfway between VAR and Hannan-Rissanen"


def starts(sample: Sample, width: int, *, intercept: bool = True) -> list[tuple[str, Array]]:
    """Named starting weights: Hannan-Rissanen from several long autoregressions, halved, and the VAR.

    References
    ----------
    Hannan and Rissanen (1982), Biometrika 69, 81-94; Hannan and Kavalieris (1984).
    """
    below = least_squares(sample, width, intercept=intercept)
    k = sample.values.shape[1]
    found: list[tuple[str, Array]] = []
    if sample.lags:
        for order in _long_orders(sample):
            found.append((f"Hannan-Rissanen, long AR({order})", _hannan_rissanen(sample, width, order, intercept)))
    else:
        for decay in (0.5, 0.9):
            patient = below.copy()
            patient[:k, :k] = decay * np.eye(k)
            patient[:, width:] *= 1.0 - decay
            found.append((f"decay {decay}", patient))
    found.append((VAR_START, below))
    if sample.lags and len(found) > 1:
        found.append((HALFWAY, 0.5 * (found[0][1] + below)))
    return [(name, _with_hidden(sample, weights, width)) for name, weights in found]


def ordinary_least_squares(sample: Sample, width: int, *, intercept: bool = True) -> Array:
    """Weights of the VAR below, A = 0, by the closed form of rung 1 or 1½ to its last digits."""
    k, p = sample.values.shape[1], sample.lags
    if sample.pull is not None:
        return np.vstack([sample.pull.mean, np.zeros((width - k, sample.columns(width)))])
    inputs = sample.inputs if sample.inputs.shape[1] else None
    coef = (regression_of_panel(sample, intercept) if sample.lengths else
            fit_var(sample.values, p, "c" if intercept else "n", inputs, start=sample.start).coef)
    weights = np.zeros((width, sample.columns(width)))
    q, c = sample.inputs.shape[1], int(intercept)
    weights[:k, width : width + p * k] = coef[c + q :].T
    weights[:k, width + p * k + 1 :] = coef[c : c + q].T
    if intercept:
        weights[:k, width + p * k] = coef[0]
    return weights


def least_squares(sample: Sample, width: int, *, intercept: bool = True) -> Array:
    """Weights of the VAR below, A = 0, from the moments of the standardised sample."""
    if sample.pull is not None:
        return ordinary_least_squares(sample, width, intercept=intercept)
    p, k, q = sample.lags, sample.values.shape[1], sample.inputs.shape[1]
    G = np.sum([lagged_moments(np.hstack([part.values, part.inputs]) if q else part.values, p, sample.start)
                for part in sample.parts], axis=0)
    d = k + q
    own = [1 + lag * d + j for lag in range(1, p + 1) for j in range(k)]
    chosen = own + ([0] if intercept else []) + list(range(1 + k, 1 + d))
    B = _solve_moments(G, chosen, list(range(1, 1 + k)))
    weights = np.zeros((width, sample.columns(width)))
    columns = list(range(width, width + p * k)) + ([width + p * k] if intercept else [])
    columns += list(range(width + p * k + 1, weights.shape[1]))
    weights[:k, columns] = B
    return weights


def _hannan_rissanen(sample: Sample, width: int, order: int, intercept: bool) -> Array:
    """Regress y_t on its lags and on the lagged residual of a long autoregression: A = -M, B_1 = Φ_1 + M."""
    p, k, q = sample.lags, sample.values.shape[1], sample.inputs.shape[1]
    long = replace(sample, lags=order, start=order, pull=None)
    C = least_squares(long, k, intercept=intercept)
    d, moments = 2 * k + q, []
    for part in long.parts:
        y, w = part.values, part.inputs
        U = np.empty((len(y) - order, k))
        r = likelihood.first_inputs(part, k)
        kernels.run(C, y[order - long.before :], w[order:], 1.0, order, C @ r, U)
        moments.append(lagged_moments(np.hstack([y[order:], y[order:] - U, w[order:]]), p, max(p, 1)))
    G = np.sum(moments, axis=0)
    lags = [1 + lag * d + j for lag in range(1, p + 1) for j in range(k)]
    noise = [1 + d + k + j for j in range(k)]
    chosen = lags + noise + ([0] if intercept else []) + list(range(1 + 2 * k, 1 + d))
    B = _solve_moments(G, chosen, list(range(1, 1 + k)))
    M = B[:, p * k : (p + 1) * k]
    Phi = B[:, :k] + 0.0
    radius = likelihood.spectral_radius(M)
    if radius > 0.9:
        M = M * (0.9 / radius)
    weights = np.zeros((width, sample.columns(width)))
    weights[:k, :k] = -M
    weights[:k, width : width + p * k] = B[:, : p * k]
    weights[:k, width : width + k] = Phi + M
    rest = B[:, (p + 1) * k :]
    tail = width + p * k + (0 if intercept else 1)
    weights[:k, tail : tail + rest.shape[1]] = rest
    return weights


def _long_orders(sample: Sample) -> list[int]:
    """Return a few orders for the long autoregression, growing like log T and bounded by the data."""
    T, k = sample.usual_rows, sample.values.shape[1]
    most = max((T - sample.start - sample.inputs.shape[1] - 2) // (3 * k + 1), 0)
    most = min([most, *(rows - sample.lags - 2 for rows in sample.lengths)])
    wanted = (round(1.2 * np.log(T)), round(2.2 * np.log(T)), sample.lags + 1)
    return [order for order in dict.fromkeys(max(want, sample.lags + 1) for want in wanted) if order <= most]


def _with_hidden(sample: Sample, weights: Array, width: int) -> Array:
    """Give hidden units (width > k) their own decay and drive, read by nothing yet, so the forecasts stay the same."""
    k, p = sample.values.shape[1], sample.lags
    weights = weights.copy()
    for i in range(k, width):
        decay = (0.8, 0.3, 0.6, -0.5)[(i - k) // k % 4]
        weights[i, i] = decay
        drive = width + (i - k) % k if p else weights.shape[1] - 1
        weights[i, drive] = 1.0 - abs(decay)
    return weights


def lagged_moments(Z: Array, lags: int, start: int) -> Array:
    """Return Σ_t x_t x_t' with x_t = (1, z_t, z_{t-1}, …, z_{t-p}) over rows t ≥ start, a block of rows at a time."""
    T, d = Z.shape
    size = 1 + d * (lags + 1)
    G = np.zeros((size, size))
    x = np.ones((min(BLOCK_ROWS, T - start), size))
    for first in range(start, T, BLOCK_ROWS):
        rows = min(BLOCK_ROWS, T - first)
        for lag in range(lags + 1):
            x[:rows, 1 + lag * d : 1 + (lag + 1) * d] = Z[first - lag : first - lag + rows]
        G += x[:rows].T @ x[:rows]
    return G


def _solve_moments(G: Array, chosen: list[int], targets: list[int]) -> Array:
    """Least-squares coefficients (targets, chosen) from a moment matrix, in the scale of its diagonal."""
    if not chosen:
        return np.zeros((len(targets), 0))
    scale = np.sqrt(np.maximum(np.diag(G)[chosen], 1e-300))
    gram = G[np.ix_(chosen, chosen)] / np.outer(scale, scale)
    right = G[np.ix_(chosen, targets)] / scale[:, None]
    solved = np.linalg.lstsq(gram, right, rcond=1e-13)[0]
    return np.asarray((solved / scale[:, None]).T)
