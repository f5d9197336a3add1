"""Ridge maps from a look-back window to the next h values, all from one moment matrix of sliding windows.

Called by `models.beside_direct`. Many windows are never laid out: their moments follow a recursion along the diagonals,
so memory is (L + h)² whatever T is, and the errors of every penalty on rows held out are quadratic forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from varnn.series import FloatArray

Centring = Literal["last", "mean", "none"]
PENALTIES = (0.0, *(float(penalty) for penalty in np.logspace(-3, 2, 21)))  # of the mean square of an input
CELLS = 1_000_000   # numbers in the moments of blocks that are judged together; more leave the cache
FEW = 600           # windows up to which they are laid out: one product is then quicker than the recursion
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
    if count <= FEW:
        rows = np.ascontiguousarray(windows)  # BLAS takes no rows that overlap
        return np.asarray(rows.T @ rows)
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
    """Sums S (…, w, w) over windows of L inputs and h targets, and the number of windows (…)."""

    sums: FloatArray
    count: NDArray[np.int64]

    def __getitem__(self, some: slice | NDArray[np.bool_]) -> Moments:
        return Moments(self.sums[some], self.count[some])


@dataclass(frozen=True, eq=False)
class Folds:
    """Blocks f of targets: windows to be judged on each, and windows to estimate from, which have none of them."""

    rest: Moments
    held: Moments

    def __len__(self) -> int:
        return len(self.held.count)

    def joined(self, rest: Moments, held: Moments) -> Folds:
        """Return these and one more."""
        return Folds(*(Moments(np.concatenate([many.sums, one.sums[None]]), np.append(many.count, one.count))
                       for many, one in ((self.rest, rest), (self.held, held))))


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
    return Moments(total, np.array(windows))


def held_out(columns: Sequence[FloatArray], width: int, horizon: int, stops: Sequence[int],
             folds: int) -> tuple[Moments, Folds]:
    """Cut the targets before `stops` into blocks, each held out once; rows of a block are targets of no other window.

    Ordered by their first target, windows enter or leave a block or the rest of it only at `cuts`: the moments between
    two cuts are found once and added up for all blocks.

    Returns
    -------
    all : Moments
    folds : Folds

    References
    ----------
    Bergmeir & Benítez (2012), On the use of cross-validation for time series predictor evaluation, Inf. Sci. 191.
    """
    lookback, size = width - horizon, (width, width)
    total, windows = np.zeros(size), 0
    rest, held = (Moments(np.zeros((folds, *size)), np.zeros(folds, dtype=np.int64)) for _ in range(2))
    for x, stop in zip(columns, stops, strict=True):
        edges = [lookback + max(stop - lookback, 0) * f // folds for f in range(folds + 1)]
        cuts = {min(max(cut, lookback), max(stop - horizon + 1, lookback)) for edge in edges
                for cut in (edge, edge - horizon + 1)}
        for first, after in pairwise(sorted(cuts)):  # windows whose first targets are the rows first … after - 1
            count, end = after - first, after - 1 + horizon
            sums = window_moments(x[first - lookback:], width, count)
            total, windows = total + sums, windows + count
            for f, (begin, close) in enumerate(pairwise(edges)):
                if end <= begin or first >= close:
                    rest.sums[f] += sums
                    rest.count[f] += count
                elif first >= begin and end <= close:
                    held.sums[f] += sums
                    held.count[f] += count
    kept = (rest.count > 0) & (held.count > 0)
    return Moments(total, np.array(windows)), Folds(rest[kept], held[kept])


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
    tests: Folds | None = None
    if len(penalties) > 1 or (not average and len(lookbacks) * len(centrings) > 1):
        final, tests = held_out(columns, width, horizon, stops, folds)
    else:
        final = moments_between(columns, width, horizon, begin, stops)
    if validation and tests:
        tests = tests.joined(final, moments_between(columns, width, horizon, stops, ends))
    if validation and refit:
        final = moments_between(columns, width, horizon, begin, ends)
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
    count = int(final.count)
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


def _block(moments: Moments, level: FloatArray, lookback: int) -> FloatArray:
    """Return P S Pᵀ/N with P = I − 1aᵀ, mean moments of windows less their level, over the look-back and targets."""
    longest = len(level)
    inside = slice(longest - lookback, None)
    mean = moments.sums / np.maximum(moments.count, 1)[..., None, None]
    along = mean[..., :longest] @ level                                                           # S a
    part, both = along[..., inside], along[..., :longest] @ level
    return np.asarray(mean[..., inside, inside] - part[..., :, None] - part[..., None, :] + both[..., None, None])


def _errors(tests: Folds | None, level: FloatArray, lookback: int, penalties: Sequence[float],
            final: Moments) -> FloatArray:
    """Return the mean squared error of each penalty on the windows held out; NaN where there are none.

    With G = UΛUᵀ, R = UᵀC and d = 1/(Λ + λ) the error is tr(V_yy − 2 FᵀV_xy + FᵀV_xx F)/h for F = U diag(d) R: in d a
    quadratic form with the matrix RRᵀ ∘ UᵀV_xx U, whatever the number of penalties.
    """
    if not tests:
        return np.full(len(penalties), np.nan)
    unit = float(np.trace(_block(final, level, lookback)[:lookback, :lookback])) / lookback * int(final.count)
    losses, together = np.zeros(len(penalties)), max(1, CELLS // final.sums.size)
    x, y = slice(lookback), slice(lookback, None)
    for first in range(0, len(tests), together):
        rests, helds = tests.rest[first:first + together], tests.held[first:first + together]
        rest, held = _block(rests, level, lookback), _block(helds, level, lookback)               # (f, l + h, l + h)
        values, vectors = np.linalg.eigh(rest[:, x, x])
        turned = vectors.transpose(0, 2, 1)
        rotated = turned @ rest[:, x, y]                                                          # R (f, l, h)
        gram = turned @ held[:, x, x] @ vectors
        cross = np.sum(rotated * (turned @ held[:, x, y]), axis=2)                                # (f, l)
        ridges = np.outer(unit / rests.count, penalties)                                          # (f, λ)
        scales = _shrunk(values[:, None], ridges[:, :, None])                                     # d (f, λ, l)
        quadratic = np.sum((scales @ ((rotated @ rotated.transpose(0, 2, 1)) * gram)) * scales, axis=2)
        apart = np.trace(held[:, y, y], axis1=1, axis2=2)[:, None]
        losses += helds.count @ (quadratic - 2 * (scales @ cross[:, :, None])[:, :, 0] + apart)
    return np.asarray(losses / (tests.held.count.sum() * (final.sums.shape[0] - len(level))))


def _ridge(moments: FloatArray, lookback: int, penalty: float) -> tuple[FloatArray, float, FloatArray]:
    """Return the map (l, h), its effective number of coefficients and a root (l, l) of (G + λI)⁻¹."""
    values, vectors = np.linalg.eigh(moments[:lookback, :lookback])
    inverse = _shrunk(values, np.array(penalty * max(float(values.mean()), 0.0)))
    weights = vectors @ ((vectors.T @ moments[:lookback, lookback:]) * inverse[:, None])
    return weights, float(np.sum(values * inverse)), vectors * np.sqrt(inverse)


def _shrunk(values: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return 1/(ev + ridge), and 0 where there is no information; eigenvalues ascend along the last axis."""
    kept = values > SINGULAR * np.maximum(values[..., -1:], np.finfo(float).tiny)
    return np.where(kept, 1.0 / np.where(kept, values + ridge, 1.0), 0.0)
