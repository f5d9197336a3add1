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
    (q, n), h, k, both = (X.shape[1], S.shape[1]), H.shape[1], len(white), errors @ white
    own, known = q + n, gram is not None
    sums = np.zeros((own + n * h, own + n * h)) if gram is None else gram
    right, slopes = np.zeros((own, k)), np.zeros((n, h))
    for rows, d in directions(X, H, S):
        if not known:
            sums += d.T @ d
        right += d[:, :own].T @ both[rows]
        if h:
            slopes += ((both[rows] @ W) * (1.0 - S[rows] ** 2)).T @ H[rows]
    precision = white.T @ white
    G, g = np.empty((k * own + n * h,) * 2), np.concatenate([right[:q].T.ravel(), right[q:].T.ravel(), slopes.ravel()])
    spans = ((slice(0, k * q), slice(0, q), q), (slice(k * q, k * own), slice(q, own), n))   # of L, W: in theta, in d
    last, through = slice(k * own, None), precision @ W
    for at, rows, size in spans:
        for beside, columns, width in spans:
            block = G[at, beside].reshape(k, size, k, width)
            np.multiply(precision[:, None, :, None], sums[None, rows, None, columns], out=block)
        if h:
            block = G[at, last].reshape(k, size, n, h)
            np.multiply(through[:, None, :, None], sums[rows, own:].reshape(1, size, n, h), out=block)
            G[last, at] = G[at, last].T
    if h:
        block = G[last, last].reshape(n, h, n, h)
        np.multiply((W.T @ through)[:, None, :, None], sums[own:, own:].reshape(n, h, n, h), out=block)
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
