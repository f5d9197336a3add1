"""Normal equations of a recursion that remembers nothing, u_t = L x_t + W tanh(G h_t): small products, no Jacobian.

Called by `design`.  The derivative by a row of L or W is (x_t, s_t) in its own equation, that by row j of G is
W_j (1 - s_tj²) h_t, so J'J falls into blocks of the products of d = (x, s, (1 - s_j²) h) over the dates, each times a
k × k matrix: T (q + n + n h)² operations in place of T k P², P = k (q + n) + n h.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BLOCK = 2**17  # numbers of d held at a time, 1 MiB: they stay in the cache, which is 1.7 to 2.5 × as fast as 32 MiB


def normal(X: Array, H: Array, S: Array, W: Array, white: Array, errors: Array, gram: Array | None
           ) -> tuple[Array, Array]:
    """Return J'J (P, P) and J'e (P,), weights in the order L, W, G.

    Parameters
    ----------
    X, H : array (T, q), (T, h)    inputs of the identity and of the tanh units; no columns in H where G is known
    S, W : array (T, n), (k, n)    states and read-out of the tanh units
    white, errors : array (k, k), (T, k)    whitening matrix, whitened errors
    gram : array, optional         the products of d, where they are known
    """
    n, k, own, both = S.shape[1], len(white), X.shape[1] + S.shape[1], errors @ white
    bent = n * H.shape[1]
    slopes = np.zeros(bent)
    right = np.zeros((own, k))
    known, sums = gram is not None, np.zeros((own + bent, own + bent)) if gram is None else gram
    for rows, d in directions(X, H, S):
        if not known:
            sums += d.T @ d
        right += d[:, :own].T @ both[rows]
        if bent:
            slopes += (((1.0 - S[rows] ** 2) * (both[rows] @ W)).T @ H[rows]).ravel()
    precision = white.T @ white
    P, flat = k * own + bent, order(k, X.shape[1], n)
    G, g = np.empty((P, P)), np.empty(P)
    linear = (precision[:, None, :, None] * sums[None, :own, None, :own]).reshape(k * own, k * own)
    G[np.ix_(flat, flat)], g[flat] = linear, right.T.ravel()
    if bent:
        by_unit = np.repeat(precision @ W, H.shape[1], axis=1)  # (k, n h)
        G[flat, k * own :] = (by_unit[:, None] * sums[None, :own, own:]).reshape(k * own, bent)
        G[k * own :, flat] = G[flat, k * own :].T
        units = np.repeat(np.repeat(W.T @ precision @ W, H.shape[1], axis=0), H.shape[1], axis=1)
        G[k * own :, k * own :] = units * sums[own:, own:]
        g[k * own :] = slopes
    return G, g


def leverages(X: Array, H: Array, S: Array, W: Array, white: Array, inverse: Array) -> Array:
    """Return J_t H⁻¹ J_t' for each date, whitened, shape (T, k, k); `inverse` is H⁻¹ (P, P)."""
    n, k, own = S.shape[1], len(white), X.shape[1] + S.shape[1]
    bent, flat = n * H.shape[1], order(k, X.shape[1], n).reshape(k, own)
    out = np.empty((len(X), k, k))
    for rows, d in directions(X, H, S):
        linear, through = d[:, :own], d[:, own:]
        for a in range(k):
            for b in range(a + 1):
                out[rows, a, b] = np.einsum("ti,ti->t", linear @ inverse[np.ix_(flat[a], flat[b])], linear)
                out[rows, b, a] = out[rows, a, b]
        if bent:
            bend = through.reshape(len(d), n, -1)[None] * W[:, None, :, None]  # derivative of each forecast by G
            bend = bend.reshape(k, len(d), bent)
            for a in range(k):
                cross = linear @ inverse[flat[a], k * own :]
                both = np.einsum("tg,btg->tb", cross, bend)
                out[rows, a] += both
                out[rows, :, a] += both
                out[rows, a] += np.einsum("tg,btg->tb", bend[a] @ inverse[k * own :, k * own :], bend)
    return np.asarray(white @ out @ white.T)


def directions(X: Array, H: Array, S: Array) -> Iterator[tuple[slice, Array]]:
    """Yield d = (x_t, s_t, (1 - s_tj²) h_t) in blocks of rows, each with the rows it covers."""
    T, n, h = len(X), S.shape[1], H.shape[1]
    step = max(1, BLOCK // max(1, X.shape[1] + n + n * h))
    for begin in range(0, max(T, 1), step):
        rows = slice(begin, min(T, begin + step))
        bends = ((1.0 - S[rows] ** 2)[:, :, None] * H[rows][:, None, :]).reshape(-1, n * h) if n * h else X[rows, :0]
        yield rows, np.hstack([X[rows], S[rows], bends])


def order(k: int, q: int, n: int) -> npt.NDArray[np.intp]:
    """Return where the weights of (x_t, s_t) of each equation stand in theta, equation by equation."""
    return np.concatenate([np.concatenate([np.arange(i * q, (i + 1) * q), k * q + np.arange(i * n, (i + 1) * n)])
                           for i in range(k)])
