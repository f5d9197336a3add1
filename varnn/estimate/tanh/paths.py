"""Sample paths of the recursion, of many weights and states at once.

Called by `mixture`.  A loop over the horizon in numpy: all paths take a step together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from varnn.estimate.tanh.bounds import Bounds
from varnn.estimate.tanh.kernels import believed

Array = npt.NDArray[np.float64]


class Layout(NamedTuple):
    """What units see: feedback lags of tanh and identity units, which see themselves, lags of the observations."""

    r: int
    rl: int
    ar: bool
    recurrent: bool
    lags: int
    lags_tanh: int


def simulate(L: Array, W: Array, G: Array, layout: Layout, drive: Array, driveH: Array, Y: Array, F: Array, s: Array,
             u: Array, scale: float, shocks: Array, bounds: Bounds | None = None) -> Array:
    """Sample paths from the end of a sample, some of each of d weights.

    Parameters
    ----------
    L, W, G : array (d, m, width_L), (d, m, n), (d, n, width_G)
        As `design.Design.matrices` cuts them.
    layout : Layout
    drive, driveH : array (h, ·)
        Constant, trend and exogenous columns, which come before the lags.
    Y, F : array (d, rows, k)             last observations and feedback, newest first
    s, u : array (d, n), (d, m)           states at the end of the sample
    scale : float                         1 where the feedback is the innovation, 0 where minus the forecast
    shocks : array (d, c, h, k)
    bounds : Bounds, optional             what keeps the paths near the linear rung below

    Returns
    -------
    array (d, c, h, k)
    """
    d, c, h, k = shocks.shape
    n = W.shape[2]
    r, rl, ar, recurrent, lags, lagsH = layout

    def each(part: Array, rows: int) -> Array:
        return np.repeat(part[:, :rows].reshape(d, 1, rows * k), c, axis=1)

    y, f = each(Y, max(lags, lagsH)), each(F, max(r, rl))
    s, u, out = np.repeat(s[:, None], c, axis=1), np.repeat(u[:, None], c, axis=1), np.empty(shocks.shape)
    own, ownH, turned = L[:, :, : drive.shape[1]], G[:, :, : driveH.shape[1]], np.swapaxes(W, 1, 2)
    rest, restH = (np.ascontiguousarray(np.swapaxes(part[:, :, known.shape[1] :], 1, 2))
                   for part, known in ((L, drive), (G, driveH)))
    outside = np.zeros((d, c), dtype=np.intp)  # dates until all lags are inside the box again
    for t in range(h):
        if n:
            seen = np.concatenate([y[..., : lagsH * k], f[..., : r * k], *([s] if recurrent else [])], axis=2)
            with np.errstate(over="ignore"):  # tanh as the kernel has it: 1 where exp is infinite
                s = 1.0 - 2.0 / (np.exp(2.0 * (seen @ restH + (ownH @ driveH[t])[:, None])) + 1.0)
        seen = np.concatenate([y[..., : lags * k], f[..., : rl * k], *([u] if ar else [])], axis=2)
        u = seen @ rest + (own @ drive[t])[:, None]
        if n:
            u += s @ turned
        if bounds is not None and t:
            u[..., :k] = bounds.kept(u[..., :k], bounds.forecast(drive[t], y), outside > 0)
        now = u[..., :k] + shocks[:, :, t]
        out[:, :, t] = now
        if bounds is not None:
            outside = np.where(bounds.left(now), max(lags, lagsH, 1), np.maximum(outside - 1, 0))
        if y.shape[2]:
            y = np.concatenate([now, y[..., :-k]], axis=2)
        if f.shape[2]:
            f = np.concatenate([believed(scale * now - u[..., :k]), f[..., :-k]], axis=2)
    return out
