"""Scores of point forecasts: one number for each step and series, never an average.

Called through `scores.score`; also plain functions on arrays. `mase_scale` and `rmsse_scale` turn a
training window into the yardstick of the scaled errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from varnn.errors import RankDeficientError, ShapeError, TooShortError
from varnn.series import whole_number

FloatArray = NDArray[np.float64]


def squared_error(observed: FloatArray, mean: FloatArray) -> FloatArray:
    """Score the mean by its squared distance to the outcome, (y − ŷ)².

    Parameters
    ----------
    observed, mean : array (h, k)
        Outcomes and point forecasts, in the units of the series.

    Returns
    -------
    array (h, k)
        In squared units; the root of its average is the RMSE.

    Examples
    --------
    >>> squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    array([[1., 4.]])
    """
    return np.asarray((observed - mean) ** 2)


def absolute_error(observed: FloatArray, mean: FloatArray) -> FloatArray:
    """Score the mean by its distance to the outcome, |y − ŷ|; shapes as in `squared_error`.

    Examples
    --------
    >>> absolute_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    array([[1., 2.]])
    """
    return np.asarray(np.abs(observed - mean))


def absolute_scaled_error(observed: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Score by |y − ŷ| / scale, whose average over steps is the MASE when `scale` is `mase_scale`.

    Parameters
    ----------
    observed, mean : array (h, k)
        Outcomes and point forecasts, in the units of the series.
    scale : array (k,)
        In the units of the series, above zero.

    Returns
    -------
    array (h, k)
        Without units: 1 is the in-sample error of the seasonal naive forecast.

    References
    ----------
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy, IJF 22, eq. 2.

    Examples
    --------
    >>> absolute_scaled_error(np.array([[3.0]]), np.array([[0.0]]), np.array([2.0]))
    array([[1.5]])
    """
    return np.asarray(np.abs(observed - mean) / scale)


def squared_scaled_error(observed: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Score by ((y − ŷ) / scale)²; the root of its average is the RMSSE when `scale` is `rmsse_scale`.

    Shapes as in `absolute_scaled_error`.

    References
    ----------
    Makridakis, Spiliotis and Assimakopoulos (2022), M5 accuracy competition, IJF 38, section 2.3.

    Examples
    --------
    >>> squared_scaled_error(np.array([[3.0]]), np.array([[0.0]]), np.array([2.0]))
    array([[2.25]])
    """
    return np.asarray(((observed - mean) / scale) ** 2)


def mase_scale(training: FloatArray, season: int = 1, names: Sequence[str] | None = None) -> FloatArray:
    """Return the mean absolute error of the seasonal naive forecast inside the training window.

        scale_j = mean_{t>s} |y_{t,j} − y_{t−s,j}|

    Parameters
    ----------
    training : array (T, k)
        The window a model was fitted on; nothing after the forecast origin.
        NaN where nothing was observed.
    season : int
        s, rows in a season; 1 compares with the naive forecast.
    names : sequence of str, optional
        Of the series, for error messages.

    Returns
    -------
    array (k,)
        In the units of the series.

    Raises
    ------
    TooShortError
        With fewer than s + 1 rows.
    RankDeficientError
        If a series repeats itself exactly, which leaves no yardstick.

    Examples
    --------
    >>> mase_scale(np.array([[1.0], [2.0], [4.0]]))
    array([1.5])
    """
    return _yardstick(_mean(np.abs(_seasonal_difference(training, season))), season, names)


def rmsse_scale(training: FloatArray, season: int = 1, names: Sequence[str] | None = None) -> FloatArray:
    """Return the root mean squared error of the seasonal naive forecast inside the training window.

        scale_j = ( mean_{t>s} (y_{t,j} − y_{t−s,j})² )^½

    Parameters, returns and errors as in `mase_scale`.

    Examples
    --------
    >>> rmsse_scale(np.array([[1.0], [2.0], [9.0]]))
    array([5.])
    """
    return _yardstick(np.sqrt(_mean(_seasonal_difference(training, season) ** 2)), season, names)


def _seasonal_difference(training: FloatArray, season: int) -> FloatArray:
    season = whole_number(season, "season", least=1)
    if training.ndim != 2:
        raise ShapeError(f"training has {training.ndim} dimensions; pass a (T, k) array")
    if len(training) <= season:
        raise TooShortError(f"a seasonal scale with season={season} needs at least {season + 1} training rows, "
                            f"got {len(training)}; use a longer window or season=1")
    return np.asarray(training[season:] - training[:-season])


def _mean(changes: FloatArray) -> FloatArray:
    """Return the mean of each column over what there is of it; 0 where nothing is."""
    known = np.isfinite(changes)
    if known.all():
        return np.asarray(changes.mean(axis=0))
    return np.asarray(np.where(known, changes, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _yardstick(scale: FloatArray, season: int, names: Sequence[str] | None) -> FloatArray:
    if not (scale > 0).all():
        column = int(np.argmin(scale > 0))
        who = f"series {column}" if names is None else repr(names[column])
        every = "every row" if season == 1 else f"every {season} rows"
        raise RankDeficientError(
            f"{who} repeats itself {every} of the first training window, so that scaled errors would divide by zero; "
            "leave it out of y (on the command line: name the others with --columns) or score others with "
            "target= (--target), take fewer origins= (--origins) so that the window reaches where it moves, or score "
            "single forecasts by varnn.evaluate.scores.registry.score('absolute_error')")
    return np.asarray(scale)
