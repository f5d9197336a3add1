"""The recursion of rungs 1-3, compiled: forward, adjoint, forward sensitivities, simulation.

Called by `gauss_newton`, `descend` and the tanh rung.  Never chooses, scales or checks: arrays in, arrays out.
One equation (`forward`) and one weight vector theta = (L, W, G), both described by `gauss_newton.Design`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64, types

from varnn.estimate.compiling import compiled

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


@compiled(types.void(float64[::1], float64[::1], float64[:, ::1], int64, int64))  # one for literal zeros as well
def _combine(out: Any, weights: Any, rows: Any, begin: int, low: int) -> None:
    """Add Σ_{j ≥ begin} weights_j rows_j to out from column `low` on; four rows at a time, to write out less often."""
    columns, count, j = out.shape[0], weights.shape[0], begin
    while j + 4 <= count:
        w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        r0, r1, r2, r3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
        for c in range(low, columns):
            out[c] += (w0 * r0[c] + w1 * r1[c]) + (w2 * r2[c] + w3 * r3[c])
        j += 4
    while j < count:
        w0, r0 = weights[j], rows[j]
        for c in range(low, columns):
            out[c] += w0 * r0[c]
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
        for i in range(m):
            _add(dz, du[i], W[i])
        if t + 1 < T:
            for i in range(Gs.shape[1]):
                _add(dz, DZ[t + 1, i], Gs[i])
        for j in range(n):
            dz[j] *= 1.0 - S[t, j] * S[t, j]


@compiled()
def sensitivities(Lf: Any, Lu: Any, W: Any, Gf: Any, Gs: Any, base: Any, start: Any, XL: Any, XH: Any, S: Any,
                  U: Any, white: Any, first: int, J: Any, carry: Any) -> None:
    """Rows first … first + len(J) - 1 of the Jacobian of the whitened forecasts by theta.

    Parameters
    ----------
    Lf, Lu, W, Gf, Gs, base, start, S, U
        As in `forward`, after it ran.
    XL, XH : array (T, qL), (T, qH)
    white : array (k, k)      multiplies the Jacobian of each row
    first : int               blocks must be asked for in order
    J : array (rows, k, P)    written
    carry : array (len(Lu) + max(r, rl)·k + len(Gs), P)
        Derivatives of u_{t-1}, of the feedback, whose lags take turns, and of s_{t-1}, carried from row to row; zeros
        before the first.  Tanh units without memory of their own are eliminated: nothing of theirs is carried.
    """
    n, m, k, P = S.shape[1], U.shape[1], base.shape[1], J.shape[2]
    r, rl, ar, own = Gf.shape[1] // k, Lf.shape[1] // k, Lu.shape[1], Gs.shape[1]
    qL, qH = XL.shape[1], XH.shape[1]
    dl, dh, oW = qL + rl * k + ar, qH + r * k + own, m * (qL + rl * k + ar)
    oG = oW + m * n
    lags = r if r > rl else rl
    low, states = 0 if r else oG, ar + lags * k  # without feedback the tanh units do not see L and W
    nS, nU, f, bend = np.empty((own, P)), np.empty((m, P)), np.zeros(lags * k), np.empty(n)
    heard, fed = np.zeros((n, len(carry))), np.zeros((m, len(carry)))  # weights of the rows of `carry`
    for i in range(own):
        for j in range(own):
            heard[i, states + j] = Gs[i, j]
    for i in range(m):
        for j in range(ar):
            fed[i, j] = Lu[i, j]
        for j in range(own):
            fed[i, states + j] = W[i, j]
    for row in range(J.shape[0]):
        t = first + row
        for i in range(n):
            bend[i] = 1.0 - S[t, i] * S[t, i]
        for lag in range(1, lags + 1):
            for a in range(k):
                at, slot = (lag - 1) * k + a, ar + (t - lag) % lags * k + a
                f[at] = held(base[t - lag, a] - U[t - lag, a]) if lag <= t else 0.0
                for i in range(n):
                    heard[i, slot] = -Gf[i, at] if lag <= r else 0.0
                for i in range(m):
                    total = -Lf[i, at] if lag <= rl else 0.0
                    for j in range(n - own):
                        total += W[i, j] * bend[j] * heard[j, slot]
                    fed[i, slot] = total
        for i in range(own):
            at = oG + i * dh
            for c in range(P):
                nS[i, c] = 0.0
            _combine(nS[i], heard[i], carry, ar, low)
            for c in range(qH):
                nS[i, at + c] += XH[t, c]
            for c in range(r * k):
                nS[i, at + qH + c] += f[c]
            for c in range(own if t else 0):
                nS[i, at + qH + r * k + c] += S[t - 1, c]
            for c in range(low, P):
                nS[i, c] *= bend[i]
        for i in range(own):
            for c in range(P):
                carry[states + i, c] = nS[i, c]
        for i in range(m):
            for c in range(P):
                nU[i, c] = 0.0
            _combine(nU[i], fed[i], carry, 0, 0)
            for j in range(n - own):
                w, at = W[i, j] * bend[j], oG + j * dh
                for c in range(qH):
                    nU[i, at + c] += w * XH[t, c]
                for c in range(r * k):
                    nU[i, at + qH + c] += w * f[c]
            for c in range(qL):
                nU[i, i * dl + c] += XL[t, c]
            for c in range(rl * k):
                nU[i, i * dl + qL + c] += f[c]
            for j in range(ar):
                nU[i, i * dl + qL + rl * k + j] += U[t - 1, j] if t else start[j]
            for j in range(n):
                nU[i, oW + i * n + j] += S[t, j]
        for i in range(ar):
            for c in range(P):
                carry[i, c] = nU[i, c]
        for a in range(k):
            slope = _slope(base[t, a] - U[t, a])
            for c in range(P):
                J[row, a, c] = 0.0
                if lags:
                    carry[ar + t % lags * k + a, c] = slope * nU[a, c]
            _combine(J[row, a], white[a], nU, 0, 0)


@compiled()
def _inputs(x: Any, drive: Any, y: Any, f: Any, state: Any, seen: int, fed: int, own: int, now: int, k: int) -> None:
    """Write one row of inputs: known columns, lags of y and of the feedback, newest first, and the state itself."""
    at = drive.shape[0]
    for c in range(at):
        x[c] = drive[c]
    for c in range(seen):
        x[at + c] = y[now - (c // k + 1) * k + c % k]
    for c in range(fed):
        x[at + seen + c] = f[now - (c // k + 1) * k + c % k]
    for c in range(own):
        x[at + seen + fed + c] = state[c]


@compiled()
def _mix(out: Any, x: Any, weights: Any, rows: int) -> None:
    """Write x' · weights over the first `rows` rows to out."""
    for c in range(out.shape[0]):
        out[c] = 0.0
    for j in range(rows):
        _add(out, x[j], weights[j])


@compiled()
def simulate(LT: Any, WT: Any, GT: Any, shape: Any, drive: Any, driveH: Any, Y: Any, F: Any, s0: Any, u0: Any,
             scale: float, out: Any) -> None:
    """Sample paths of the recursion from the end of a sample.

    Parameters
    ----------
    LT, WT, GT : array (width_L, m), (n, m), (width_G, n)      L', W' and G' of `design.Design.matrices`
    shape : tuple (r, rl, ar, recurrent, lags_L, lags_H)
    drive, driveH : array (h, dL), (h, dH)
        Constant, trend and exogenous columns, which come before the lags in XL and XH.
    Y, F : array (rows, k)                last observations and feedback, newest first
    s0, u0 : array (n,), (m,)             states at the end of the sample
    scale : float                         1 where the feedback is the innovation, 0 where minus the forecast
    out : array (M, h, k)                 holds the shocks on entry, the paths on return
    """
    r, rl, ar, recurrent, lagsL, lagsH = shape
    M, h, k = out.shape
    n, m, dl, dh, old = WT.shape[0], WT.shape[1], LT.shape[0], GT.shape[0], Y.shape[0]
    y, f = np.zeros((h + old) * k), np.zeros((h + old) * k)
    for lag in range(old):
        for a in range(k):
            y[(old - 1 - lag) * k + a], f[(old - 1 - lag) * k + a] = Y[lag, a], F[lag, a]
    s, u, x = np.empty(n), np.empty(m), np.empty(dl + dh)
    for path in range(M):
        for j in range(n):
            s[j] = s0[j]
        for j in range(m):
            u[j] = u0[j]
        for t in range(h):
            now = (old + t) * k
            _inputs(x, driveH[t], y, f, s, lagsH * k, r * k, n * recurrent, now, k)
            _mix(s, x, GT, dh)
            for j in range(n):
                s[j] = 1.0 - 2.0 / (np.exp(2.0 * s[j]) + 1.0)
            _inputs(x, drive[t], y, f, u, lagsL * k, rl * k, m * ar, now, k)
            _mix(u, x, LT, dl)
            for j in range(n):
                _add(u, s[j], WT[j])
            for a in range(k):
                y[now + a] = u[a] + out[path, t, a]
                f[now + a] = held(scale * y[now + a] - u[a])
                out[path, t, a] = y[now + a]
