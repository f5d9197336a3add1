"""Bounds that keep every path of a tanh recursion near the linear rung below it, whatever the weights and shocks.

Called by `search`, which makes them from the training rows, and by `simulation`, which keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from varnn.estimate.tanh.design import Array

if TYPE_CHECKING:
    from varnn.estimate.tanh.gauss_newton import Optimum

MARGIN = 1.0  # ranges of the data, on either side of it, within which tanh units are listened to
REACH = 2.0   # times the largest difference from the linear rung on the training rows that a forecast may have


@dataclass(frozen=True, eq=False)
class Bounds:
    r"""How far a simulated path may differ from the linear rung below.

    .. math:: u_t = v_t + \max(-c, \min(c, \tilde u_t - v_t)) \text{ where the lags are inside the box, else } v_t

    with ũ the forecast of the recursion, v that of the linear rung from the same lags, and the box the range of the
    training data, widened by `MARGIN` ranges on either side.  A path that leaves the box moves as the linear rung
    does until it is back: it is bounded, for all weights and shocks, where the free runs of the linear rung are.
    Paths that do neither keep their bits, and so does the first step, which is the filter's own forecast.

    Attributes
    ----------
    linear : array (k, fixed + lags · k)     weights of constant, trend, inputs and lags in the rung below
    lags : int
    low, high : array (k,)                   the box, in standard units
    reach : array (k,)                       c
    """

    linear: Array
    lags: int
    low: Array
    high: Array
    reach: Array

    @classmethod
    def of(cls, optimum: Optimum, below: Optimum, values: Array, lags: int) -> Bounds:
        """Measure the bounds of an optimum on the rows that it was fitted to.

        Parameters
        ----------
        optimum, below : Optimum      with tanh units, and the VAR with `lags` lags
        values : array (T, k)         all training rows, in standard units
        lags : int
        """
        k = optimum.design.k
        _, above = optimum.design.run(optimum.theta)
        _, flat = below.design.run(below.theta)
        rows = min(optimum.design.rows, below.design.rows)
        differences = np.abs(above[-rows:, :k] - flat[-rows:, :k]).max(axis=0)
        low, high = values.min(axis=0), values.max(axis=0)
        wide = MARGIN * (high - low)
        linear = below.design.matrices(below.theta)[0][:k, : below.design.XL.shape[1]]
        return cls(np.ascontiguousarray(linear), lags, low - wide, high + wide, REACH * differences)

    def forecast(self, drive: Array, Y: Array) -> Array:
        """Return v (…, k) of the linear rung from the known columns of a date and its lags (…, rows · k)."""
        fixed = len(drive)
        return np.asarray(Y[..., : self.linear.shape[1] - fixed] @ self.linear[:, fixed:].T
                          + self.linear[:, :fixed] @ drive)

    def kept(self, u: Array, v: Array, outside: npt.NDArray[np.bool_]) -> Array:
        """Return forecasts u (…, k) within reach of v, and v itself where `outside` (…) says so."""
        away = u - v
        near = np.where(np.abs(away) <= self.reach, u, v + np.clip(away, -self.reach, self.reach))
        return np.where(outside[..., None], v, near)

    def left(self, y: Array) -> npt.NDArray[np.bool_]:
        """Return whether values (…, k) lie outside the box, shape (…)."""
        return np.asarray(~((y >= self.low) & (y <= self.high)).all(axis=-1))
