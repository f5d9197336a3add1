"""The recursion of rungs 1-3, compiled: forward, adjoint, derivatives carried forward.

Called by `gauss_newton`, `descend` and the tanh rung.  Never chooses, scales or checks: arrays in, arrays out.
One equation (`forward`) and one weight vector theta = (L, W, G), both described by `design.Design`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from varnn.estimate.numerics.compiling import compiled

Array = npt.NDArray[np.float64]

# Weight matrices, already cut from theta by the caller (k series, n tanh units, m identity units):
#   Lf (m, rl·k), Lu (m, m or 0)    identity units see feedback and themselves
#   W (m, n)                        read-out of the tanh units
#   Gf (n, r·k), Gs (n, n or 0)     tanh units see feedback and themselves
# What comes from the inputs alone, X_L L_x' and X_H G_x', is a matrix product and arrives precomputed.
# Inner loops run along contiguous memory and never reduce, so LLVM vectorises them without changing the
# order of sums: a fit has the same bits alone, in a batch and on any number of threads.

LIMIT = 4.0  # standard deviations of the series; feedback beyond them is not believed


@compiled()
def held(f: Any) -> Any:
    """Return the feedback f where |f| ≤ LIMIT, and less the larger it is beyond: L (L/|f|)².

    A filter thrown off course, by an outlier or because a bilinear recursion is only invertible on average, so starts
    afresh; with a plain bound it stays at the bound.
    """
    size = abs(f)
    return f if size <= LIMIT else f * (LIMIT / size) ** 3


def believed(f: Array) -> Array:
    """Return `held` of each element, in numpy."""
    share = LIMIT / np.maximum(np.abs(f), LIMIT)
    return np.asarray(f * (share * share * share))


@compiled()
def _slope(f: float) -> float:
    """Return the derivative of `held`."""
    size = abs(f)
    return 1.0 if size <= LIMIT else -2.0 * (LIMIT / size) ** 3


@compiled()
def _add(out: Any, w: Any, source: Any) -> None:
    """Add w · source to out, element by element."""
    for c in range(source.shape[0]):
        out[c] += w * source[c]


@compiled()
def _combine(out: Any, weights: Any, rows: Any) -> None:
    """Add Σ_j weights_j rows_j to out; four rows at a time, to write out less often."""
    columns, count, j = out.shape[0], weights.shape[0], 0
    while j + 4 <= count:
        w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        r0, r1, r2, r3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
        for c in range(columns):
            out[c] += (w0 * r0[c] + w1 * r1[c]) + (w2 * r2[c] + w3 * r3[c])
        j += 4
    while j < count:
        _add(out, weights[j], rows[j])
        j += 1


@compiled()
def forward(Lf: Any, Lu: Any, W: Any, Gf: Any, Gs: Any, base: Any, start: Any, S: Any, U: Any) -> None:
    r"""Run the mixed recursion in place.

    .. math:: s_t = \tanh(z_t + G_f f_t + G_s s_{t-1}), \quad u_t = d_t + L_f f_t + L_u u_{t-1} + W s_t

    with the feedback :math:`f_t = (b_{t-1} - u_{t-1}, \dots, b_{t-r} - u_{t-r})`: innovations when b holds
    the observations, minus the previous forecasts when it holds zeros.

    Parameters
    ----------
    base : array (T, k)       b
    start : array (m,)        u before the first row; tanh states and feedback start at zero
    S : array (T, n)          holds z_t on entry, s_t on return
    U : array (T, m)          holds d_t on entry, u_t on return; the forecast of row t is U[t, :k]
    """
    T, n = S.shape
    m, k = U.shape[1], base.shape[1]
    r, rl, own = Gf.shape[1] // k, Lf.shape[1] // k, Gs.shape[1]
    GsT = np.empty_like(Gs)
    for i in range(own):
        for j in range(own):
            GsT[j, i] = Gs[i, j]
    for t in range(T):
        for lag in range(1, (r if r > rl else rl) + 1):
            if lag > t:
                break
            for a in range(k):
                f = held(base[t - lag, a] - U[t - lag, a])
                at = (lag - 1) * k + a
                if lag <= r:
                    for i in range(n):
                        S[t, i] += Gf[i, at] * f
                if lag <= rl:
                    for i in range(m):
                        U[t, i] += Lf[i, at] * f
        if t:
            for j in range(own):
                past = S[t - 1, j]
                for i in range(n):
                    S[t, i] += GsT[j, i] * past
        for i in range(n):
            S[t, i] = 1.0 - 2.0 / (np.exp(2.0 * S[t, i]) + 1.0)  # six times faster than libm's tanh
        for i in range(m):
            for j in range(n):
                U[t, i] += W[i, j] * S[t, j]
            for j in range(Lu.shape[1]):
                U[t, i] += Lu[i, j] * (U[t - 1, j] if t else start[j])


@compiled()
def adjoint(Lf: Any, Lu: Any, W: Any, Gf: Any, Gs: Any, base: Any, S: Any, U: Any, DU: Any, DZ: Any) -> None:
    """Sweep backwards: the derivative of an objective by every d_t and z_t of `forward`.

    Parameters
    ----------
    Lf, Lu, W, Gf, Gs, base, S, U
        As in `forward`, after it ran.
    DU : array (T, m)         holds the derivative by u_t alone on entry, by d_t on return
    DZ : array (T, n)         zeros on entry, the derivative by z_t on return
    """
    T, n = S.shape
    m, k = U.shape[1], base.shape[1]
    r, rl = Gf.shape[1] // k, Lf.shape[1] // k
    for t in range(T - 1, -1, -1):
        du, dz = DU[t], DZ[t]
        if t + 1 < T:
            for i in range(Lu.shape[1]):
                _add(du, DU[t + 1, i], Lu[i])
        for a in range(k):
            slope = _slope(base[t, a] - U[t, a])
            for lag in range(1, rl + 1):
                if t + lag >= T:
                    break
                for i in range(m):
                    du[a] -= slope * Lf[i, (lag - 1) * k + a] * DU[t + lag, i]
            for lag in range(1, r + 1):
                if t + lag >= T:
                    break
                for i in range(n):
                    du[a] -= slope * Gf[i, (lag - 1) * k + a] * DZ[t + lag, i]
        _combine(dz, du, W)
        if t + 1 < T and Gs.shape[1]:
            _combine(dz, DZ[t + 1], Gs)
        for j in range(n):
            dz[j] *= 1.0 - S[t, j] * S[t, j]


@compiled()
def sensitivities(mix: Any, read: Any, RL: Any, RH: Any, S: Any, F: Any, lag: Any, row: Any, V: Any) -> None:
    r"""Carry derivatives of the states by theta = (L, W, G) forward, in place.

    .. math:: V_t = D_t + \sum_c F_{t,\cdot,c} \, V_{t - \text{lag}_c, \, \text{row}_c}

    D_t is what weights do to their own date: x_t and s_t to their identity unit, all of them mixed by `mix`, and
    (1 - s_t²) h_t to their tanh unit and through `read` to the identity units.

    Parameters
    ----------
    mix, read : array (m, m), (m, n)
    RL, RH : array (T, width_L), (T, width_G)     x and h, all that identity and tanh units see
    S : array (T, n)                              s
    F : array (T or 1, M, C)      how what was carried moves each row; one for all dates where it does not change
    lag, row : array (C,) of int  what was carried: how long ago, at least 1, and which row
    V : array (back + T, M, P)    `back` = max(lag) rows of history; M is m, or m + n with the tanh units themselves
    """
    (m, n), dl, dh, C, P = read.shape, RL.shape[1], RH.shape[1], lag.shape[0], V.shape[2]
    back, oW, oG = V.shape[0] - RL.shape[0], m * dl, m * (dl + n)
    for t in range(RL.shape[0]):
        for i in range(V.shape[1]):
            out = V[back + t, i]
            if i < m:
                for j in range(m):
                    for c in range(dl):
                        out[j * dl + c] = mix[i, j] * RL[t, c]
                    for c in range(n):
                        out[oW + j * n + c] = mix[i, j] * S[t, c]
            else:
                for c in range(oG):
                    out[c] = 0.0
            for j in range(n):
                weight = (read[i, j] if i < m else (1.0 if i == m + j else 0.0)) * (1.0 - S[t, j] * S[t, j])
                for c in range(dh):
                    out[oG + j * dh + c] = weight * RH[t, c]
            weights, c = F[t if F.shape[0] > 1 else 0, i], 0
            while c + 4 <= C:
                w0, w1, w2, w3 = weights[c], weights[c + 1], weights[c + 2], weights[c + 3]
                v0, v1 = V[back + t - lag[c], row[c]], V[back + t - lag[c + 1], row[c + 1]]
                v2, v3 = V[back + t - lag[c + 2], row[c + 2]], V[back + t - lag[c + 3], row[c + 3]]
                for p in range(P):
                    out[p] += (w0 * v0[p] + w1 * v1[p]) + (w2 * v2[p] + w3 * v3[p])
                c += 4
            while c < C:
                w0, v0 = weights[c], V[back + t - lag[c], row[c]]
                for p in range(P):
                    out[p] += w0 * v0[p]
                c += 1
