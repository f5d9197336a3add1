"""Scores of joint forecast distributions: one number for each step (over series) or path (over everything).

`energy` and `variogram` see the dependence that marginal scores cannot. Called through `scores.score`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from varnn.errors import ParameterError, ShapeError, TooShortError

FloatArray = NDArray[np.float64]


def energy(observed: FloatArray, paths: FloatArray, *, fair: bool = False) -> float:
    """Score a sample of vectors by the energy score, the CRPS of many dimensions.

        ES = E‖X − y‖ − ½ E‖X − X'‖

    Parameters
    ----------
    observed : array (d,)
        The outcome: the k series of one step, or a whole path of h·k numbers.
    paths : array (m, d)
    fair : bool
        Divide the second term by m(m − 1) instead of m², which makes it unbiased.

    Returns
    -------
    float
        In the common unit of the d numbers; scale series of different units first.

    References
    ----------
    Gneiting and Raftery (2007), JASA 102, eq. 22.

    Examples
    --------
    >>> energy(np.zeros(2), np.array([[3.0, 4.0], [-3.0, -4.0]]))
    2.5
    """
    m = _sample_size(observed, paths)
    if fair and m < 2:
        raise TooShortError(f"the fair energy score needs at least 2 paths, got {m}; draw more or use fair=False")
    distance = np.linalg.norm(paths - observed, axis=1).mean()
    spread = float(pdist(paths).sum()) / (m * (m - 1) if fair else m * m)          # ½ of all ordered pairs
    return float(distance - spread)


def variogram(observed: FloatArray, paths: FloatArray, *, order: float = 0.5,
              weights: FloatArray | None = None) -> float:
    """Score a sample of vectors by how well it predicts the pairwise differences.

        VS_p = Σ_ij w_ij ( |y_i − y_j|^p − E|X_i − X_j|^p )²

    Parameters
    ----------
    observed : array (d,)
    paths : array (m, d)
    order : float
        p, above zero; ½ by default as the paper recommends.
    weights : array (d, d), optional
        All one by default, so each pair counts twice, as in scoringrules and scoringRules.

    Returns
    -------
    float

    References
    ----------
    Scheuerer and Hamill (2015), Monthly Weather Review 143, eq. 8–9.

    Examples
    --------
    >>> variogram(np.array([0.0, 4.0]), np.array([[0.0, 1.0]]))
    2.0
    """
    _sample_size(observed, paths)
    d = len(observed)
    if not order > 0:
        raise ParameterError(f"order={order!r} is not usable; give a number above zero, for example 0.5")
    if weights is not None and weights.shape != (d, d):
        raise ShapeError(f"weights have shape {weights.shape}; give one for each pair, shape ({d}, {d})")
    pair_weight = np.ones((d, d)) if weights is None else weights
    total = 0.0
    for i in range(d - 1):                                                         # memory stays at m·d
        expected = (np.abs(paths[:, i + 1:] - paths[:, i, None]) ** order).mean(axis=0)
        gap = np.abs(observed[i + 1:] - observed[i]) ** order - expected
        total += float((pair_weight[i, i + 1:] + pair_weight[i + 1:, i]) @ gap**2)
    return total


def _sample_size(observed: FloatArray, paths: FloatArray) -> int:
    if observed.ndim != 1 or paths.ndim != 2 or paths.shape[1] != len(observed) or len(paths) == 0:
        raise ShapeError(f"observed has shape {observed.shape} and paths {paths.shape}; pass (d,) and (m, d)")
    return len(paths)
