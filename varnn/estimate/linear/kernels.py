"""The linear recursion u_t = C r_t, compiled: forward, adjoint, start-up transient.

r_t = (u_{t-1}, y_{t-1}, …, y_{t-p}, 1, w_t) and ŷ_t = u_t[:k].  Called by `likelihood`, `linear_starts` and
`linear_states`; with `linear_states.paths`, quick enough in numpy, all that loops over time in the linear rung.
Every array is C-contiguous float64, one signature each, no reduction across threads: the same bits however called.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from varnn.estimate.numerics.compiling import compiled


@compiled()
def run(C: Any, y: Any, w: Any, one: float, lags: int, first: Any, U: Any) -> Any:
    """Fill U (N, n) with u_t = C r_t from U[0] = first and return Σ e_t e_t', shape (k, k).

    `y` (s + N, k) starts with the s = max(lags - 1, 0) rows that precede the first likelihood row.
    """
    n, N, k, q = C.shape[0], U.shape[0], y.shape[1], w.shape[1]
    before = y.shape[0] - N
    S = np.zeros((k, k))
    e = np.empty(k)
    for t in range(N):
        for i in range(n):
            if t == 0:
                U[0, i] = first[i]
                continue
            total = C[i, n + lags * k] * one
            for j in range(q):
                total += C[i, n + lags * k + 1 + j] * w[t, j]
            for lag in range(lags):
                for j in range(k):
                    total += C[i, n + lag * k + j] * y[before + t - 1 - lag, j]
            for j in range(n):
                total += C[i, j] * U[t - 1, j]
            U[t, i] = total
        for i in range(k):
            e[i] = y[before + t, i] - U[t, i]
            for j in range(i + 1):
                S[i, j] += e[i] * e[j]
    for i in range(k):
        for j in range(i):
            S[j, i] = S[i, j]
    return S


@compiled()
def pull_back(C: Any, y: Any, w: Any, one: float, lags: int, U: Any, V: Any, paths: int, D: Any, past: Any) -> Any:
    """Add ∂(½ Σ e_t' V e_t)/∂C to D (n, m), ∂/∂presample y to `past` (s, k); return ∂/∂u at the first row.

    The adjoint recursion λ_t = A' λ_{t+1} - H' V e_t runs backwards through the states U that `run` left.  Several
    `paths` of one length may lie below one another in y and U; each has an adjoint of its own, from λ = 0.
    """
    n, m, N, k, q = C.shape[0], C.shape[1], U.shape[0] // paths, y.shape[1], w.shape[1]
    before = y.shape[0] // paths - N
    lam = np.empty(n)
    new = np.empty(n)
    e = np.empty(k)
    r = np.empty(m)
    for path in range(paths):
        top, over = path * N, path * (N + before) + before
        for i in range(n):
            lam[i] = 0.0
        for t in range(N - 1, -1, -1):
            for i in range(k):
                e[i] = y[over + t, i] - U[top + t, i]
            for i in range(n):
                total = 0.0
                if i < k:
                    for j in range(k):
                        total -= V[i, j] * e[j]
                for j in range(n):
                    total += C[j, i] * lam[j]
                new[i] = total
            for i in range(n):
                lam[i] = new[i]
            if t == 0:
                break
            for j in range(n):
                r[j] = U[top + t - 1, j]
            for lag in range(lags):
                back = t - 1 - lag
                for j in range(k):
                    r[n + lag * k + j] = y[over + back, j]
                if back < 0:
                    for j in range(k):
                        for i in range(n):
                            past[before + back, j] += C[i, n + lag * k + j] * lam[i]
            r[n + lags * k] = one
            for j in range(q):
                r[n + lags * k + 1 + j] = w[t, j]
            for i in range(n):
                for j in range(m):
                    D[i, j] += lam[i] * r[j]
    return lam


@compiled()
def transient(C: Any, lags: int, k: int, X: Any) -> Any:
    """Fill X (N, n, d) with ∂u_t/∂ξ_1, ξ_1 = (u_1, y_0, …, y_{2-p}), until it has died out; return the rows filled."""
    n, N, d = C.shape[0], X.shape[0], X.shape[2]
    before = (d - n) // k
    for i in range(n):
        for c in range(d):
            X[0, i, c] = 1.0 if i == c else 0.0
    for t in range(1, N):
        largest = 0.0
        for i in range(n):
            for c in range(d):
                total = 0.0
                for j in range(n):
                    total += C[i, j] * X[t - 1, j, c]
                lag = (c - n) // k + t
                if c >= n and lag < lags:
                    total += C[i, n + lag * k + (c - n) % k]
                X[t, i, c] = total
                largest = max(largest, abs(total))
        if t > before and largest < 1e-17:
            return t + 1
    return N
