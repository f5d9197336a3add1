"""The Jacobian of a recursion with memory: what each date adds of its own, and how it carries on what was before.

Called by `design`.  Derivatives of the states by theta obey a linear recursion of their own, which
`kernels.sensitivities` runs; here stand its coefficients.  What is carried, one row of derivatives each, is the
forecasts (or identity units), whitened, and, where tanh units remember themselves, the tanh units.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from varnn.estimate.tanh import kernels

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def jacobian(Lf: Array, Lu: Array, W: Array, Gf: Array, Gs: Array, RL: Array, RH: Array, S: Array, slope: Array,
             white: Array, history: Array, fresh: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    r"""Return the whitened Jacobian of the forecasts by theta = (L, W, G) in some rows, and the history for the next.

    With bends :math:`b_t = 1 - s_t^2`, the states of `kernels.forward` have the derivatives

    .. math:: ds_t = b_t (dG\, h_t + G_s\, ds_{t-1} - G_f\, df_t), \quad
              du_t = dL\, x_t + dW\, s_t + W ds_t + L_u du_{t-1} - L_f\, df_t

    where df stacks the derivatives of past forecasts times the slopes of the feedback.  Tanh units without memory of
    their own are eliminated: nothing of theirs is carried.

    Parameters
    ----------
    Lf, Lu, W, Gf, Gs
        As in `kernels.forward`.
    RL, RH : array (T, width_L), (T, width_G)     all that identity and tanh units see
    S : array (T, n)                              tanh states
    slope : array (T, max(r, rl)·k)               slopes of the feedback at lags 1, 2, …; zeros before the first row
    white : array (k, k)                          multiplies the Jacobian of each row
    history : array (lags, M, P)                  derivatives in the rows before that are carried on; zeros at first
    fresh : array (T,)                            whether a row begins a series, so that nothing is carried into it

    Returns
    -------
    array (T, k, P), array (lags, M, P)
    """
    (T, n), m, k, own, ar = S.shape, len(W), len(white), Gs.shape[1], Lu.shape[1]
    mix, fed, back = np.eye(m), slope.shape[1], len(history)
    mix[:k, :k] = white
    inverse, read, past = np.linalg.inv(mix), mix @ W, own + fed
    lag, row = _carried(m, k, own, fed // k, ar)
    both = np.zeros((n, past))                                                              # dz, by what is carried
    both[:, :own], both[:, own : own + Gf.shape[1]] = Gs, -Gf
    through, bend = (read.T[:, :, None] * both[:, None]).reshape(n, m * past), 1.0 - S * S
    F = np.zeros((T, m + own, past + ar))
    F[:, :m, :past] = (bend @ through).reshape(T, m, past)
    if own:
        F[:, m:, :past] = bend[:, :, None] * both
    if fed:
        F[:, :m, own : own + Lf.shape[1]] -= mix @ Lf
        moved = F[:, :, own:past] * slope[:, None]
        F[:, :, own:past] = (moved.reshape(-1, k) @ inverse[:k, :k]).reshape(moved.shape)    # from whitened forecasts
    if ar:
        F[:, :m, past:] = mix @ Lu @ inverse
    F[fresh] = 0.0
    V = np.empty((back + T, m + own, RL.shape[1] * m + m * n + RH.shape[1] * n))
    V[:back] = history
    kernels.sensitivities(mix, read, RL, RH, S, F, lag, row, V)
    return V[back:, :k], V[len(V) - back :]


@lru_cache(maxsize=64)
def _carried(m: int, k: int, own: int, lags: int, ar: int) -> tuple[Places, Places]:
    """Return how long ago and in which row of V each column of F is: tanh units, feedback, identity units."""
    lag = np.repeat([1, *range(1, lags + 1), 1], [own, *[k] * lags, ar])
    return lag, np.concatenate([np.arange(m, m + own), np.arange(lags * k) % k, np.arange(ar)])
