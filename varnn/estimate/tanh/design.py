"""One recursion with the data it runs over: states, gradient, Jacobian, normal equations.

Called by `gauss_newton` and whoever builds or runs a structure.  Works in standard units; fits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from varnn.estimate.tanh import jacobian as sensitivities
from varnn.estimate.tanh import kernels, memoryless

Array = npt.NDArray[np.float64]
BLOCK = 2**18  # numbers of the Jacobian held at a time, 2 MiB: a fifth faster than 32 MiB, which leave the cache


class Cuts(NamedTuple):
    """Views of theta as matrices."""

    L: Array
    W: Array
    G: Array
    Lf: Array
    Lu: Array
    Gf: Array
    Gs: Array


@dataclass(frozen=True, eq=False)
class Design:
    """One recursion and the data it runs over, in standard units.

    Attributes
    ----------
    XL, XH : array (T, qL), (T, qH)      inputs of the identity and of the tanh units
    Y : array (T, k)                     observations
    base : array (T, k)                  Y where the feedback is the innovation, zeros where minus the forecast
    start : array (m,)                   identity state before the first row
    n, r, rl : int                       tanh units; feedback lags that tanh and identity units see
    ar, recurrent : bool                 identity units see themselves; tanh units see themselves
    first : int                          rows before it only warm the filter up
    flat, fixed, fixed_H : int           columns of XL that are intercept or trend; columns of XL, XH before the lags
    frozen : bool                        G is not estimated: random units with a fitted read-out
    """

    XL: Array
    XH: Array
    Y: Array
    base: Array
    start: Array
    n: int
    r: int = 0
    rl: int = 0
    ar: bool = False
    recurrent: bool = True
    first: int = 0
    flat: int = 1
    fixed: int = 1
    fixed_H: int = 1
    frozen: bool = False

    @property
    def k(self) -> int:
        """Number of series."""
        return int(self.Y.shape[1])

    @property
    def m(self) -> int:
        """Number of identity units."""
        return len(self.start)

    @cached_property
    def width_L(self) -> int:
        """Columns of L: inputs, feedback, the units themselves."""
        return int(self.XL.shape[1]) + self.k * self.rl + self.m * self.ar

    @cached_property
    def width_G(self) -> int:
        """Columns of G: inputs, feedback, the units themselves."""
        return int(self.XH.shape[1]) + self.k * self.r + self.n * self.recurrent

    @cached_property
    def size(self) -> int:
        """Number of weights P."""
        return self.m * (self.width_L + self.n) + self.n * self.width_G

    @property
    def rows(self) -> int:
        """Number of dates that count."""
        return len(self.Y) - self.first

    @cached_property
    def free(self) -> int:
        """Number of weights that are estimated: the first of theta."""
        return self.m * (self.width_L + self.n) if self.frozen else self.size

    @cached_property
    def static(self) -> bool:
        """Whether nothing is remembered: each forecast depends on its own inputs alone."""
        return not (self.rl or self.ar) and (self.frozen or self.n == 0 or not (self.r or self.recurrent))

    @cached_property
    def linear(self) -> bool:
        """Whether forecasts are linear in the estimated weights."""
        return self.static and (self.frozen or self.n == 0)

    @cached_property
    def fresh(self) -> npt.NDArray[np.bool_]:
        """Whether a row begins a series of its own; the first one follows zeros in any case."""
        return np.zeros(len(self.Y), dtype=bool)

    def matrices(self, theta: Array) -> tuple[Array, Array, Array]:
        """Cut theta into L (m, width_L), W (m, n) and G (n, width_G)."""
        m, n, dl = self.m, self.n, self.width_L
        return (theta[: m * dl].reshape(m, dl), theta[m * dl : m * (dl + n)].reshape(m, n),
                theta[m * (dl + n) :].reshape(n, self.width_G))

    def cuts(self, theta: Array) -> Cuts:
        """Cut theta into L, W, G and the parts of them that feed back."""
        L, W, G = self.matrices(theta)
        qL, qH = self.XL.shape[1], self.XH.shape[1]
        a, b = qL + self.k * self.rl, qH + self.k * self.r
        c = np.ascontiguousarray
        return Cuts(L, W, G, c(L[:, qL:a]), c(L[:, a:]), c(G[:, qH:b]), c(G[:, b:]))

    def run(self, theta: Array) -> tuple[Array, Array]:
        """Return tanh states (T, n) and identity states (T, m); forecasts are the first k of the latter."""
        c = self.cuts(theta)
        U = self.XL @ c.L[:, : self.XL.shape[1]].T
        S = self.XH @ c.G[:, : self.XH.shape[1]].T
        kernels.forward(c.Lf, c.Lu, c.W, c.Gf, c.Gs, self.base, self.start, S, U)
        return S, U

    def gradient(self, theta: Array, S: Array, U: Array, C: Array) -> Array:
        """Return the derivative of an objective by theta, given its derivative C (T, k) by the forecasts."""
        c = self.cuts(theta)
        T, k = C.shape
        DU, DZ = np.zeros((T, self.m)), np.zeros((T, self.n))
        DU[:, :k] = C
        kernels.adjoint(c.Lf, c.Lu, c.W, c.Gf, c.Gs, self.base, S, U, DU, DZ)
        RL, RH = self.seen(S, U)
        return np.concatenate([(DU.T @ RL).ravel(), (DU.T @ S).ravel(), (DZ.T @ RH).ravel()])

    def seen(self, S: Array, U: Array) -> tuple[Array, Array]:
        """Return all that identity and tanh units see, (T, width_L) and (T, width_G)."""
        past = self.feedback(U)
        state = [np.vstack([self.start, U[:-1]])] if self.ar else []
        stateH = [np.vstack([np.zeros(self.n), S[:-1]])] if self.recurrent and self.n else []
        return (np.hstack([self.XL, past[:, : self.rl * self.k], *state]),
                np.hstack([self.XH, past[:, : self.r * self.k], *stateH]))

    def feedback(self, U: Array) -> Array:
        """Return the feedback at lags 1, 2, … beside one another, shape (T, max(r, rl)·k)."""
        return self._lagged(kernels.believed(self.base - U[:, : self.k]))

    def slopes(self, U: Array) -> Array:
        """Return the derivatives of the feedback by what it is made of, laid out as it is."""
        size = np.abs(self.base - U[:, : self.k])
        share = kernels.LIMIT / np.maximum(size, kernels.LIMIT)
        return self._lagged(np.where(size <= kernels.LIMIT, 1.0, -2.0 * (share * share * share)))

    def _lagged(self, f: Array) -> Array:
        k = self.k
        out = np.zeros((len(f), max(self.r, self.rl) * k))
        for lag in range(1, out.shape[1] // k + 1):
            out[lag:, (lag - 1) * k : lag * k] = f[:-lag]
        return out

    def jacobian(self, theta: Array, S: Array, U: Array, white: Array) -> list[Array]:
        """Return the whitened Jacobian of the forecasts after `first`, in one or several blocks (rows, k, P).

        For a Jacobian larger than BLOCK use `normal`, which never holds it whole.
        """
        return [block for _, block in self._blocks(theta, S, U, white)]

    def normal(self, theta: Array, S: Array, U: Array, white: Array, errors: Array, gram: Array | None = None
               ) -> tuple[Array, Array]:
        """Return J'J (P, P) and J'e (P,) for whitened errors e (rows, k), the Jacobian held block by block.

        `gram` is X'X of the regressors where forecasts are linear in the weights, if it is known already.
        """
        if self.static:
            return memoryless.normal(*self._static(theta, S), white, errors, gram)
        G, g = np.zeros((self.free, self.free)), np.zeros(self.free)
        for at, block in self._blocks(theta, S, U, white):
            flat = block.reshape(-1, self.size)
            G += flat.T @ flat
            g += flat.T @ errors[at : at + len(block)].ravel()
        return G, g

    def leverages(self, theta: Array, S: Array, U: Array, white: Array, inverse: Array) -> Array:
        """Return J_t H⁻¹ J_t' for each date, shape (rows, k, k)."""
        if self.static:
            return memoryless.leverages(*self._static(theta, S), white, inverse)
        hats = [np.matmul(block @ inverse, block.transpose(0, 2, 1)) for _, block in self._blocks(theta, S, U, white)]
        return np.concatenate(hats)

    def gram(self, S: Array) -> Array:
        """Return X'X of the regressors (x_t, s_t) after `first`, for forecasts that are linear in the weights."""
        X = np.hstack([self.XL, S])[self.first :]
        return np.asarray(X.T @ X)

    def _static(self, theta: Array, S: Array) -> tuple[Array, Array, Array, Array]:
        """Return inputs of the identity and the tanh units, states and read-out after `first`."""
        H = self.XH if self.n and not self.frozen else np.empty((len(S), 0))
        return self.XL[self.first :], H[self.first :], S[self.first :], self.cuts(theta).W

    def _blocks(self, theta: Array, S: Array, U: Array, white: Array) -> Iterator[tuple[int, Array]]:
        """Yield the Jacobian after `first` in blocks, each with the number of its first row."""
        c, T = self.cuts(theta), len(self.Y)
        rows, own = max(1, min(T, BLOCK // (self.k * self.size))), self.n * self.recurrent
        (RL, RH), slope = self.seen(S, U), self.slopes(U)
        history = np.zeros((max(self.r, self.rl, int(self.ar or own > 0)), self.m + own, self.size))
        for begin in range(0, T, rows):
            part = slice(begin, begin + rows)
            J, history = sensitivities.jacobian(c.Lf, c.Lu, c.W, c.Gf, c.Gs, RL[part], RH[part], S[part], slope[part],
                                                white, history, self.fresh[part])
            warm = max(0, self.first - begin)
            if warm < len(J):
                yield begin + warm - self.first, J[warm:]
