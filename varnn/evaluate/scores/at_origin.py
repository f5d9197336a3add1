"""Everything a forecast distribution is judged by at one origin, from one sort of its paths, in one compiled call.

Called by `backtest`, for thousands of origins. The formulas are those of `density_scores`, `joint_scores` and
`calibrate`, which are the place to read them; a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from varnn.estimate.numerics.compiling import compiled
from varnn.series import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Marks:
    """What the paths of one origin say about its outcome.

    Attributes
    ----------
    quantiles : array (q, h, k)
    crps, pit : array (h, k)
    energy, joint_pit : array (h,)
        Over the k series of a step, energy in units of `scale`.
    """

    quantiles: FloatArray
    crps: FloatArray
    pit: FloatArray
    energy: FloatArray
    joint_pit: FloatArray


def marks(observed: FloatArray, paths: FloatArray, levels: FloatArray, scale: FloatArray,
          rng: np.random.Generator) -> Marks:
    """Judge sample paths by their outcome.

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)
        Without missing values.
    levels : array (q,)
        Of the quantiles.
    scale : array (k,)
        Units of the energy score.
    rng : numpy Generator
        Breaks ties, and randomises PIT values within their ranks.

    Examples
    --------
    >>> found = marks(np.zeros((1, 1)), np.array([[[-1.0]], [[1.0]]]), np.array([0.5]), np.ones(1),
    ...               np.random.default_rng(0))
    >>> found.quantiles.item(), found.crps.item(), found.energy.item()
    (0.0, 0.5, 0.5)
    """
    (m, h, k), y = paths.shape, np.ascontiguousarray(observed)
    drawn = np.ascontiguousarray(paths.transpose(1, 2, 0))                                        # (h, k, m)
    order = drawn.argsort(axis=2)
    quantiles, crps = np.empty((len(levels), h, k)), np.empty((h, k))
    energy, below, ties = np.empty(h), np.empty((2, h, k), dtype=np.int64), np.empty((2, h, k), dtype=np.int64)
    _judge(y, drawn, order, levels, scale, quantiles, crps, energy, below, ties)
    pit = _within(below[0], ties[0], m, rng)
    return Marks(quantiles, crps, pit, energy, _within(below[1, :, 0], ties[1, :, 0], m, rng))


def _within(below: IntArray, ties: IntArray, m: int, rng: np.random.Generator) -> FloatArray:
    rank = below + rng.integers(0, ties + 1) if ties.any() else below
    return np.asarray((rank + rng.random(rank.shape)) / (m + 1))


@njit(error_model="numpy")
def _distances(points: FloatArray, to: int, count: int, gaps: FloatArray) -> float:
    """Sum the Euclidean distances from points[:, to] to the first `count` points, in four partial sums."""
    for i in range(count):
        gaps[i] = 0.0
    for j in range(len(points)):
        here = points[j, to]
        for i in range(count):
            gap = points[j, i] - here
            gaps[i] += gap * gap
    for i in range(count):
        gaps[i] = np.sqrt(gaps[i])
    a, b, c, d, full = 0.0, 0.0, 0.0, 0.0, count - count % 4
    for i in range(0, full, 4):
        a += gaps[i]
        b += gaps[i + 1]
        c += gaps[i + 2]
        d += gaps[i + 3]
    for i in range(full, count):
        a += gaps[i]
    return (a + b) + (c + d)


@compiled(error_model="numpy")
def _judge(y: FloatArray, drawn: FloatArray, order: IntArray, levels: FloatArray, scale: FloatArray,
           quantiles: FloatArray, crps: FloatArray, energy: FloatArray, below: IntArray, ties: IntArray) -> None:
    """Write all that needs no random number; below[1, :, 0] and ties[1, :, 0] are those of the joint ranks."""
    h, k, m = drawn.shape
    row, level, gaps, unit = np.empty(m), np.empty(m), np.empty(m), np.empty((k, m + 1))
    for s in range(h):
        own = 0.0
        for i in range(m):
            level[i] = 0.0
        for j in range(k):
            for i in range(m):
                row[i] = drawn[s, j, order[s, j, i]]
            for q in range(len(levels)):
                place = levels[q] * (m - 1)
                low = int(place)
                share, a, b = place - low, row[low], row[min(low + 1, m - 1)]
                quantiles[q, s, j] = a + (b - a) * share if share < 0.5 else b - (b - a) * (1.0 - share)
            distance, spread, under, equal = 0.0, 0.0, 0, 0
            for i in range(m):
                gap = row[i] - y[s, j]
                distance += abs(gap)
                spread += (2.0 * i - m + 1.0) * gap
                under += 1 if gap < 0.0 else 0
                equal += 1 if gap == 0.0 else 0
            crps[s, j] = distance / m - spread / (m * m)
            below[0, s, j], ties[0, s, j] = under, equal
            own += under + 1.0 + 0.5 * equal
            first = 0
            while first < m:  # a run of equal values has the middle of its ranks
                last = first
                while last + 1 < m and row[last + 1] == row[first]:
                    last += 1
                shift = 1.0 if row[first] > y[s, j] else 0.5 if row[first] == y[s, j] else 0.0
                for i in range(first, last + 1):
                    level[order[s, j, i]] += 0.5 * (first + last) + 1.0 + shift
                first = last + 1
        under, equal = 0, 0
        for i in range(m):
            under += 1 if level[i] < own else 0
            equal += 1 if level[i] == own else 0
        below[1, s, 0], ties[1, s, 0] = under, equal
        if k == 1:
            energy[s] = crps[s, 0] / scale[0]
            continue
        for j in range(k):
            unit[j, m] = y[s, j] / scale[j]
            for i in range(m):
                unit[j, i] = drawn[s, j, i] / scale[j]
        spread = 0.0
        for i in range(1, m):
            spread += _distances(unit, i, i, gaps)
        energy[s] = _distances(unit, m, m, gaps) / m - spread / (m * m)
