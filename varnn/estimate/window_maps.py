"""Ridge maps from a look-back window to the next h values, all from one moment matrix of sliding windows.

Called by `models.beside_direct`. Windows are never laid out: their moments follow a recursion along the diagonals, so
memory is (L + h)² whatever T is, and the errors of every penalty on rows held out are quadratic forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from varnn.series import FloatArray

Centring = Literal["last", "mean", "none"]
PENALTIES = (0.0, *(float(penalty) for penalty in np.logspace(-3, 2, 21)))  # of the mean square of an input
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
        Mean squared error on the rows held out, on scaled values; NaN where nothing was chosen.
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


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums S (w, w) over windows of L inputs and h targets, and the number of windows."""

    sums: FloatArray
    count: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.sums + other.sums, self.count + other.count)


@dataclass(frozen=True, eq=False)
class Fold:
    """Windows to estimate from and windows to be judged on, none of whose targets the estimate has seen."""

    rest: Moments
    held: Moments


def moments_between(columns: Sequence[FloatArray], width: int, horizon: int, starts: Sequence[int],
                    stops: Sequence[int]) -> Moments:
    """Return moments of the windows whose h targets all lie in the rows `starts` ≤ t < `stops` of their column."""
    total, windows = np.zeros((width, width)), 0
    for x, start, stop in zip(columns, starts, stops, strict=True):
        begin = max(width - horizon, start)                                      # row of the first target
        count = stop - horizon - begin + 1
        if count > 0:
            first = begin - (width - horizon)
            total += window_moments(x[first:stop], width, count)
            windows += count
    return Moments(total, windows)


def held_out(columns: Sequence[FloatArray], width: int, horizon: int, stops: Sequence[int], folds: int) -> list[Fold]:
    """Cut the targets before `stops` into blocks, each held out once; rows of a block are targets of no other window.

    References
    ----------
    Bergmeir & Benítez (2012), On the use of cross-validation for time series predictor evaluation, Inf. Sci. 191.
    """
    lookback, found = width - horizon, []
    edges = [[lookback + max(stop - lookback, 0) * f // folds for stop in stops] for f in range(folds + 1)]
    begin = [0] * len(columns)
    for start, stop in pairwise(edges):
        rest = (moments_between(columns, width, horizon, begin, start)
                + moments_between(columns, width, horizon, stop, stops))
        held = moments_between(columns, width, horizon, start, stop)
        if rest.count and held.count:
            found.append(Fold(rest, held))
    return found


def fit_map(columns: Sequence[FloatArray], horizon: int, lookbacks: Sequence[int], centrings: Sequence[Centring],
            penalties: Sequence[float] = PENALTIES, *, folds: int = 5, validation: int = 0, refit: bool = True,
            average: bool = True) -> WindowMap:
    """Estimate one map for all columns; see `models.beside_direct.Direct` for what the settings mean.

    For each look-back and centring the penalty is the one with the least squared error on blocks of rows held out.
    The maps are then averaged, or the best is taken.

        F = argmin Σ_t |y_t − o_t − Fᵀ(w_t − o_t)|² + λN|F|²,  o_t = aᵀw_t the level of the window

    λN is the same for an estimate from some of the windows and from all N, as the precision of a prior would be.

    Parameters
    ----------
    columns : sequence of arrays (T_c,)
        Series scaled to like size, centred at 0.
    horizon : int
    lookbacks, centrings, penalties : sequences
        With one penalty nothing is held out unless there is a choice of candidates and `average` is False.
    folds : int
        Blocks of the rows before the validation rows.
    validation : int
        Rows at the end that are one more block, forecast by the estimate from all rows before.
    refit : bool
        Estimate on the validation rows too once penalties are chosen.
    average : bool
    """
    longest = max(lookbacks)
    width = longest + horizon
    begin, stops, ends = [0] * len(columns), [len(x) - validation for x in columns], [len(x) for x in columns]
    final = moments_between(columns, width, horizon, begin, stops)
    tests: list[Fold] = []
    if len(penalties) > 1 or (not average and len(lookbacks) * len(centrings) > 1):
        tests = held_out(columns, width, horizon, stops, folds)
    if validation and (tests or refit):
        last = moments_between(columns, width, horizon, stops, ends)
        tests += [Fold(final, last)] if tests else []
        final = moments_between(columns, width, horizon, begin, ends) if refit else final
    maps, found, roots = [], [], []
    for lookback in lookbacks:
        for centring in centrings:
            level = level_weights(lookback, centring, longest)
            errors = _errors(tests, level, lookback, penalties, final)
            best = 0 if np.isnan(errors).all() else int(np.argmin(errors))
            weights, degrees, root = _ridge(_block(final, level, lookback), lookback, penalties[best])
            full = np.zeros((longest, horizon))
            full[longest - lookback:] = weights
            padded = np.zeros((longest, root.shape[1]))
            padded[longest - lookback:] = root
            maps.append(full + np.outer(level, 1.0 - weights.sum(axis=0)) if centring != "none" else full)
            roots.append(padded - np.outer(level, root.sum(axis=0)))
            found.append(Candidate(lookback, centring, float(penalties[best]), float(errors[best]), degrees))
    errors = np.array([one.error for one in found])
    best = 0 if np.isnan(errors).all() else int(np.nanargmin(errors))
    root = roots[best] / np.sqrt(max(final.count, 1))
    if not average:
        return WindowMap(maps[best], (found[best],), root, final.count)
    return WindowMap(np.mean(maps, axis=0), tuple(found), root, final.count)


def level_weights(lookback: int, centring: Centring, longest: int) -> FloatArray:
    """Return a (L,) with aᵀw the level of a window: its last value, its mean over the look-back, or 0."""
    weights = np.zeros(longest)
    if centring == "last":
        weights[-1] = 1.0
    elif centring == "mean":
        weights[longest - lookback:] = 1.0 / lookback
    return weights


def _block(moments: Moments, level: FloatArray, lookback: int) -> FloatArray:
    """Return P S Pᵀ/N with P = I − 1aᵀ, mean moments of windows less their level, over the look-back and targets."""
    longest = len(level)
    mean = moments.sums / max(moments.count, 1)
    along = mean[:, :longest] @ level                                                             # S a
    inside = slice(longest - lookback, None)
    part = along[inside]
    return np.asarray(mean[inside, inside] - part[:, None] - part[None, :] + level @ along[:longest])


def _errors(tests: Sequence[Fold], level: FloatArray, lookback: int, penalties: Sequence[float],
            final: Moments) -> FloatArray:
    """Return the mean squared error of each penalty on the windows held out; NaN where there are none.

    With G = UΛUᵀ, R = UᵀC and d = 1/(Λ + λ) the error is tr(V_yy − 2 FᵀV_xy + FᵀV_xx F)/h for F = U diag(d) R: in d a
    quadratic form with the matrix RRᵀ ∘ UᵀV_xx U, whatever the number of penalties.
    """
    if not tests:
        return np.full(len(penalties), np.nan)
    unit = float(np.trace(_block(final, level, lookback)[:lookback, :lookback])) / lookback * final.count
    losses, windows = np.zeros(len(penalties)), 0
    for fold in tests:
        rest, held = _block(fold.rest, level, lookback), _block(fold.held, level, lookback)
        values, vectors = np.linalg.eigh(rest[:lookback, :lookback])
        rotated = vectors.T @ rest[:lookback, lookback:]                                          # R (l, h)
        gram = vectors.T @ held[:lookback, :lookback] @ vectors
        cross = np.sum(rotated * (vectors.T @ held[:lookback, lookback:]), axis=1)
        scales = np.array([_shrunk(values, penalty * unit / fold.rest.count) for penalty in penalties])
        quadratic = np.sum((scales @ ((rotated @ rotated.T) * gram)) * scales, axis=1)
        losses += fold.held.count * (quadratic - 2 * scales @ cross + np.trace(held[lookback:, lookback:]))
        windows += fold.held.count
    return np.asarray(losses / (windows * (final.sums.shape[0] - len(level))))


def _ridge(moments: FloatArray, lookback: int, penalty: float) -> tuple[FloatArray, float, FloatArray]:
    """Return the map (l, h), its effective number of coefficients and a root (l, l) of (G + λI)⁻¹."""
    values, vectors = np.linalg.eigh(moments[:lookback, :lookback])
    inverse = _shrunk(values, penalty * max(float(values.mean()), 0.0))
    weights = vectors @ ((vectors.T @ moments[:lookback, lookback:]) * inverse[:, None])
    return weights, float(np.sum(values * inverse)), vectors * np.sqrt(inverse)


def _shrunk(values: FloatArray, ridge: float) -> FloatArray:
    """Return 1/(ev + ridge), and 0 where there is no information."""
    kept = values > SINGULAR * max(float(values[-1]), np.finfo(float).tiny)
    return np.where(kept, 1.0 / np.where(kept, values + ridge, 1.0), 0.0)
