"""L-BFGS for networks too large for Gauss-Newton, or too many: one compiled call a fit, any number of fits at once.

Called by `benchmarks/speed` and for wide networks.  The pure form with a linear intercept; same kernels, same priors.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from varnn.errors import ParameterError
from varnn.estimate.numerics.compiling import compiled
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.tanh import kernels
from varnn.estimate.tanh.design import Array, Design

MEMORY = 10
STOPS = (Stop.gradient_small, Stop.step_small, Stop.out_of_steps)


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended: weights, penalised half sum of squares, why, and after how many steps."""

    theta: Array
    value: float
    stop: Stop
    steps: int


@dataclass(frozen=True, eq=False)
class Network:
    """A recursion without feedback, s_t = tanh(W_hh s_{t-1} + W_xh x_t), ŷ_t = B z_t + W_hy s_t, ready to descend."""

    XL: Array
    XH: Array
    Y: Array
    n: int

    @classmethod
    def of(cls, design: Design) -> Network:
        """Take the data of a design; refuse one with feedback, which has no use for this file.

        Raises
        ------
        ParameterError
        """
        if design.r or design.rl or design.ar or not design.recurrent:
            raise ParameterError("descend() fits recursions without feedback of innovations; use gauss_newton.fit")
        XL, XH, Y = (np.ascontiguousarray(part[design.first :]) for part in (design.XL, design.XH, design.Y))
        return cls(XL, XH, Y, design.n)

    @property
    def size(self) -> int:
        """Number of weights."""
        k = self.Y.shape[1]
        return int(k * (self.XL.shape[1] + self.n) + self.n * (self.XH.shape[1] + self.n))

    def start(self, rng: np.random.Generator) -> Array:
        """Return random weights: read-out zero, memory of spectral radius about a half."""
        k, q, n = self.Y.shape[1], self.XH.shape[1], self.n
        G = np.hstack([rng.normal(size=(n, q)) / np.sqrt(q), 0.5 * rng.normal(size=(n, n)) / np.sqrt(n)])
        return np.concatenate([np.zeros(k * (self.XL.shape[1] + n)), G.ravel()])

    def forecasts(self, theta: Array) -> Array:
        """Return ŷ (T, k), each from the rows before it."""
        k, n = self.Y.shape[1], self.n
        shape = Design(self.XL, self.XH, self.Y, self.Y, np.zeros(k), n)
        return shape.run(theta)[1]

    def value_and_gradient(self, theta: Array, penalty: float = 0.0) -> tuple[float, Array]:
        """Return ½ Σ‖y − ŷ‖² + ½ penalty ‖θ‖² (intercepts of the read-out free) and its gradient."""
        gradient = np.empty(self.size)
        value = _value(theta, self.XL, self.XH, self.Y, self.n, penalty, gradient)
        return value, gradient


def descend(network: Network, start: Array, *, steps: int = 200, penalty: float = 0.0, target: float = -np.inf,
            tolerance: float = 1e-7) -> Descent:
    """Descend by L-BFGS until the gradient is small, the target is reached or the steps are used up.

    Parameters
    ----------
    network : Network
    start : array (P,)
    steps : int
    penalty : float          precision of the Gaussian prior, in units of the noise
    target : float           value at which to stop
    tolerance : float        relative decrease that ends the descent

    Returns
    -------
    Descent

    References
    ----------
    Nocedal and Wright (2006), Numerical Optimization, algorithms 7.4-7.5.
    """
    theta = start.copy()
    value, reason, taken = _descend(theta, network.XL, network.XH, network.Y, network.n, penalty, steps, target,
                                    tolerance)
    return Descent(theta, value, STOPS[reason], taken)


def descend_many(networks: Sequence[Network], starts: Sequence[Array], *, steps: int = 200, penalty: float = 0.0,
                 workers: int = 2) -> list[Descent]:
    """Descend in many networks at once; each result has the bits of its own single descent.

    The compiled descent holds no interpreter lock, so threads run side by side.
    """
    def one(pair: tuple[Network, Array]) -> Descent:
        return descend(pair[0], pair[1], steps=steps, penalty=penalty)

    jobs = list(zip(networks, starts, strict=True))
    if workers == 1:
        return [one(job) for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, jobs))


@compiled()
def _value(theta: Any, XL: Any, XH: Any, Y: Any, n: int, penalty: float, gradient: Any) -> float:
    """Write the gradient and return the value; no feedback, so inputs and gradients are plain sums over rows."""
    T, k = Y.shape
    qL, qH = XL.shape[1], XH.shape[1]
    dh, oW = qH + n, k * qL
    oG = oW + k * n
    L, W, G = theta[:oW].reshape(k, qL), theta[oW:oG].reshape(k, n), theta[oG:].reshape(n, dh)
    GT = np.ascontiguousarray(G.T)
    Gs, Gb = GT[qH:], np.ascontiguousarray(G[:, qH:])
    S, D = np.empty((T, n)), np.zeros((T, n))
    E = np.empty((T, k))
    value = 0.0
    for t in range(T):
        s = S[t]
        for i in range(n):
            s[i] = 0.0
        kernels._combine(s, XH[t], GT)
        if t:
            kernels._combine(s, S[t - 1], Gs)
        for i in range(n):
            s[i] = 1.0 - 2.0 / (np.exp(2.0 * s[i]) + 1.0)
        for a in range(k):
            e = -Y[t, a]
            for q in range(qL):
                e += L[a, q] * XL[t, q]
            for j in range(n):
                e += W[a, j] * s[j]
            E[t, a] = e
            value += 0.5 * e * e
    for i in range(theta.shape[0]):
        gradient[i] = 0.0
    gG = np.zeros((dh, n))
    for t in range(T - 1, -1, -1):
        d = D[t]
        for a in range(k):
            kernels._add(d, E[t, a], W[a])
            kernels._add(gradient[a * qL : (a + 1) * qL], E[t, a], XL[t])
            kernels._add(gradient[oW + a * n : oW + (a + 1) * n], E[t, a], S[t])
        for j in range(n):
            d[j] *= 1.0 - S[t, j] * S[t, j]
        if t:
            kernels._combine(D[t - 1], d, Gb)
    seen, before = np.ascontiguousarray(XH.T), np.ascontiguousarray(S.T)
    for q in range(qH):
        kernels._combine(gG[q], seen[q], D)
    for j in range(n):
        kernels._combine(gG[qH + j], before[j, : T - 1], D[1:])
    for i in range(n):
        for q in range(dh):
            gradient[oG + i * dh + q] = gG[q, i]
    for i in range(oW, theta.shape[0]):
        value += 0.5 * penalty * theta[i] * theta[i]
        gradient[i] += penalty * theta[i]
    return value


@compiled()
def _dot(a: Any, b: Any) -> float:
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@compiled()
def _descend(theta: Any, XL: Any, XH: Any, Y: Any, n: int, penalty: float, steps: int, target: float, tolerance: float
             ) -> Any:
    """L-BFGS in place; returns value, number of the reason in STOPS, steps."""
    P = theta.shape[0]
    gradient, new, fresh, step = np.empty(P), np.empty(P), np.empty(P), np.empty(P)
    moves, turns, rho, a = np.zeros((MEMORY, P)), np.zeros((MEMORY, P)), np.zeros(MEMORY), np.zeros(MEMORY)
    value, kept, small = _value(theta, XL, XH, Y, n, penalty, gradient), 0, 0
    for it in range(steps):
        if value <= target or _dot(gradient, gradient) < 1e-16 * (1.0 + value * value):
            return value, 0, it
        for c in range(P):
            step[c] = -gradient[c]
        for back in range(min(kept, MEMORY)):
            i = (kept - 1 - back) % MEMORY
            a[i] = rho[i] * _dot(moves[i], step)
            kernels._add(step, -a[i], turns[i])
        if kept:
            i = (kept - 1) % MEMORY
            scale = 1.0 / (rho[i] * _dot(turns[i], turns[i]))
        else:
            scale = 1.0 / (1.0 + np.sqrt(_dot(gradient, gradient)))
        for c in range(P):
            step[c] *= scale
        for ahead in range(min(kept, MEMORY)):
            i = (kept - min(kept, MEMORY) + ahead) % MEMORY
            kernels._add(step, a[i] - rho[i] * _dot(turns[i], step), moves[i])
        slope, length, found = _dot(gradient, step), 1.0, False
        for _ in range(25):
            for c in range(P):
                new[c] = theta[c] + length * step[c]
            trial = _value(new, XL, XH, Y, n, penalty, fresh)
            if trial <= value + 1e-4 * length * slope:  # false for NaN
                found = True
                break
            length *= 0.4
        if not found:
            return value, 1, it
        i = kept % MEMORY
        for c in range(P):
            moves[i, c], turns[i, c] = new[c] - theta[c], fresh[c] - gradient[c]
        curvature = _dot(moves[i], turns[i])
        if curvature > 1e-12:
            rho[i] = 1.0 / curvature
            kept += 1
        small = small + 1 if value - trial < tolerance * (abs(value) + 1e-12) else 0
        value = trial
        for c in range(P):
            theta[c], gradient[c] = new[c], fresh[c]
        if small >= 3:
            return value, 0, it + 1
    return value, 2, steps
