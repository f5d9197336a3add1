"""Ridge maps from a look-back window to the next h values, all from one moment matrix of sliding windows.

Called by `models.beside_direct`. Windows are never laid out: their moments follow a recursion along the diagonals, so
memory is (L + h)² whatever T is, and the errors of every penalty on the validation rows are quadratic forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from varnn.series import FloatArray

Centring = Literal["last", "mean", "none"]
PENALTIES = tuple(float(penalty) for penalty in np.logspace(-3, 2, 11))  # of the mean square of an input
NARROW = 64         # below this width the windows are laid out: one product is quicker than the recursion
SINGULAR = 1e-12    # eigenvalues below this share of the largest are no information


@dataclass(frozen=True, eq=False)
class Candidate:
    """A look-back with a centring, the penalty chosen for it, and what it costs.

    Attributes
    ----------
    lookback : int
    centring : str
    penalty : float
        In units of the mean square of a centred input.
    error : float
        Mean squared error on the validation rows, on scaled values; NaN where nothing was chosen.
    degrees : float
        Effective number of coefficients for each step, tr G (G + λI)⁻¹.
    """

    lookback: int
    centring: Centring
    penalty: float
    error: float
    degrees: float


@dataclass(frozen=True, eq=False)
class WindowMap:
    """A linear map ŷ = Fᵀ w from a window w (L,) to the next h values.

    Attributes
    ----------
    weights : array (L, h)
        F; the columns sum to 1 where windows are centred, so that a shift of w shifts ŷ.
    candidates : tuple of Candidate
        What F averages.
    gram_root : array (L, r)
        R with RRᵀ ≈ (G + λI)⁻¹/N on windows centred as the best candidate does it, for the leverage of a new window.
    count : int
        Windows N it was estimated from.
    """

    weights: FloatArray
    candidates: tuple[Candidate, ...]
    gram_root: FloatArray
    count: int

    @property
    def degrees(self) -> float:
        """Effective number of coefficients for each step, averaged over the candidates."""
        return float(np.mean([one.degrees for one in self.candidates]))


def window_moments(x: FloatArray, width: int, count: int) -> FloatArray:
    """Return S[i, j] = Σ_{t<N} x_{t+i} x_{t+j} over N sliding windows, shape (w, w), in O(w² + Nw).

        S[i+1, j+1] = S[i, j] − x_i x_j + x_{N+i} x_{N+j}

    Parameters
    ----------
    x : array (at least N + w − 1,)
        One series, scaled so that its values are near 1.
    width, count : int
        w and N.

    Examples
    --------
    >>> window_moments(np.array([1.0, 2.0, 3.0]), 2, 2)  # (1, 2) and (2, 3)
    array([[ 5.,  8.],
           [ 8., 13.]])
    """
    windows = np.lib.stride_tricks.sliding_window_view(x[:count + width - 1], width)              # (N, w)
    if width <= NARROW:
        return np.asarray(windows.T @ windows)
    moments = np.empty((width, width))
    moments[0] = x[:count] @ windows
    for i in range(width - 1):
        moments[i + 1, i + 1:] = (moments[i, i:-1] - x[i] * x[i:width - 1]
                                  + x[count + i] * x[count + i:count + width - 1])
    lower = np.tril_indices(width, -1)
    moments[lower] = moments.T[lower]
    return moments


def mean_moments(columns: Sequence[FloatArray], width: int, horizon: int, skip: int, drop: int) -> tuple[FloatArray,
                                                                                                         int]:
    """Return mean moments (w, w) and the number of windows whose h targets lie between rows `skip` and T − `drop`.

    A negative `skip` counts from the end of each series.
    """
    total, windows = np.zeros((width, width)), 0
    for x in columns:
        stop = len(x) - drop
        first = max(width - horizon, skip if skip >= 0 else len(x) + skip)   # row of the first target
        count = stop - horizon - first + 1
        if count > 0:
            start = first - (width - horizon)
            total += window_moments(x[start:stop], width, count)
            windows += count
    return total / max(windows, 1), windows


def fit_map(columns: Sequence[FloatArray], horizon: int, lookbacks: Sequence[int], centrings: Sequence[Centring],
            penalties: Sequence[float] = PENALTIES, *, validation: int = 0, refit: bool = True,
            average: bool = True) -> WindowMap:
    """Estimate one map for all columns; see `models.beside_direct.Direct` for what the settings mean.

    For each look-back and centring the penalty is the one with the least squared error on the windows whose targets
    are all in the last `validation` rows, estimated on those whose targets all end before. The maps are then averaged,
    or the best is taken.

        F = argmin Σ_t |y_t − o_t − Fᵀ(w_t − o_t)|² + λN|F|²,  o_t = aᵀw_t the level of the window

    Parameters
    ----------
    columns : sequence of arrays (T_c,)
        Series scaled to like size, centred at 0.
    horizon : int
    lookbacks, centrings, penalties : sequences
        With one penalty nothing is validated unless there is a choice of candidates and `average` is False.
    validation : int
        Rows at the end.
    refit : bool
        Estimate again on all rows with the chosen penalties.
    average : bool
    """
    longest = max(lookbacks)
    width = longest + horizon
    valid = train = None
    if validation:
        train, count = mean_moments(columns, width, horizon, 0, validation)
        valid, _ = mean_moments(columns, width, horizon, -validation, 0)
    final = train
    if refit or train is None:
        final, count = mean_moments(columns, width, horizon, 0, 0)
    assert final is not None
    maps, found, roots = [], [], []
    for lookback in lookbacks:
        for centring in centrings:
            level = level_weights(lookback, centring, longest)
            errors = np.full(len(penalties), np.nan)
            if valid is not None and train is not None and (len(penalties) > 1 or not average):
                errors = _errors(_block(train, level, lookback, longest), _block(valid, level, lookback, longest),
                                 lookback, penalties)
            best = 0 if np.isnan(errors).all() else int(np.argmin(errors))
            weights, degrees, root = _ridge(_block(final, level, lookback, longest), lookback, penalties[best])
            full = np.zeros((longest, horizon))
            full[longest - lookback:] = weights
            padded = np.zeros((longest, root.shape[1]))
            padded[longest - lookback:] = root
            maps.append(full + np.outer(level, 1.0 - weights.sum(axis=0)) if centring != "none" else full)
            roots.append(padded - np.outer(level, root.sum(axis=0)))
            found.append(Candidate(lookback, centring, float(penalties[best]), float(errors[best]), degrees))
    errors = np.array([one.error for one in found])
    best = 0 if np.isnan(errors).all() else int(np.nanargmin(errors))
    root = roots[best] / np.sqrt(max(count, 1))
    if not average:
        return WindowMap(maps[best], (found[best],), root, count)
    return WindowMap(np.mean(maps, axis=0), tuple(found), root, count)


def level_weights(lookback: int, centring: Centring, longest: int) -> FloatArray:
    """Return a (L,) with aᵀw the level of a window: its last value, its mean over the look-back, or 0."""
    weights = np.zeros(longest)
    if centring == "last":
        weights[-1] = 1.0
    elif centring == "mean":
        weights[longest - lookback:] = 1.0 / lookback
    return weights


def _block(moments: FloatArray, level: FloatArray, lookback: int, longest: int) -> FloatArray:
    """Return moments of windows less their level, P S Pᵀ with P = I − 1aᵀ, over the look-back and the targets."""
    along = moments[:, :longest] @ level                                                          # S a
    inside = slice(longest - lookback, None)
    part = along[inside]
    return np.asarray(moments[inside, inside] - part[:, None] - part[None, :] + level @ along[:longest])


def _errors(train: FloatArray, valid: FloatArray, lookback: int, penalties: Sequence[float]) -> FloatArray:
    """Return the validation MSE of each penalty: tr(V_yy − 2 FᵀV_xy + FᵀV_xx F)/h."""
    values, vectors = np.linalg.eigh(train[:lookback, :lookback])
    rotated = vectors.T @ train[:lookback, lookback:]
    gram, cross = vectors.T @ valid[:lookback, :lookback] @ vectors, vectors.T @ valid[:lookback, lookback:]
    errors = []
    for penalty in penalties:
        weights = rotated * _shrunk(values, penalty)[:, None]
        errors.append(np.sum(weights * (gram @ weights - 2 * cross)))
    return np.asarray((np.array(errors) + np.trace(valid[lookback:, lookback:])) / (len(train) - lookback))


def _ridge(moments: FloatArray, lookback: int, penalty: float) -> tuple[FloatArray, float, FloatArray]:
    """Return the map (l, h), its effective number of coefficients and a root (l, l) of (G + λI)⁻¹."""
    values, vectors = np.linalg.eigh(moments[:lookback, :lookback])
    inverse = _shrunk(values, penalty)
    weights = vectors @ ((vectors.T @ moments[:lookback, lookback:]) * inverse[:, None])
    return weights, float(np.sum(values * inverse)), vectors * np.sqrt(inverse)


def _shrunk(values: FloatArray, penalty: float) -> FloatArray:
    """Return 1/(ev + λ · mean ev), and 0 where there is no information."""
    kept = values > SINGULAR * max(float(values[-1]), np.finfo(float).tiny)
    safe = np.where(kept, values, 1.0) + penalty * max(float(values.mean()), 0.0)
    return np.where(kept, 1.0 / safe, 0.0)
