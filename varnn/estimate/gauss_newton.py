"""Gauss-Newton with precisions set by the evidence, for every rung of the recursion.

Called by `search` and the rungs.  A `Design` says what is fitted, a `Prior` towards what it is shrunk, `fit` returns
the `Optimum`.  Works in standard units; never scales, warns, draws random numbers or searches over structures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from varnn.estimate import kernels
from varnn.estimate.stop import Stop
from varnn.estimate.symmetric import inverted, positive, variances, whitener

Array = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]
FLAT = 1e-6  # precision of weights that are not shrunk: intercepts and trends
_FLAT = np.array([FLAT])
SMALLEST, LARGEST = 1e-4, 1e8  # range of the other precisions
BLOCK = 2**22  # numbers of the Jacobian held at a time, 32 MiB


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
    def linear(self) -> bool:
        """Whether forecasts are linear in the estimated weights."""
        return not (self.rl or self.ar) and (self.frozen or self.n == 0)

    def cuts(self, theta: Array) -> Cuts:
        """Cut theta into L (m, width_L), W (m, n), G (n, width_G) and the parts of them that feed back."""
        m, n, dl = self.m, self.n, self.width_L
        L = theta[: m * dl].reshape(m, dl)
        W = theta[m * dl : m * (dl + n)].reshape(m, n)
        G = theta[m * (dl + n) :].reshape(n, self.width_G)
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
        seen = self.feedback(U)
        parts = [self.XL, *seen[: self.rl]] + ([np.vstack([self.start, U[:-1]])] if self.ar else [])
        partsH = [self.XH, *seen[: self.r]] + ([np.vstack([np.zeros(self.n), S[:-1]])] if self.recurrent else [])
        gL = np.hstack([DU.T @ part for part in parts])
        gG = np.hstack([DZ.T @ part for part in partsH])
        return np.concatenate([gL.ravel(), (DU.T @ S).ravel(), gG.ravel()])

    def feedback(self, U: Array) -> list[Array]:
        """Return the feedback at lags 1, 2, …, each of shape (T, k)."""
        f = self.base - U[:, : self.k]
        f = f * np.minimum(1.0, kernels.LIMIT / np.maximum(np.abs(f), kernels.LIMIT)) ** 3
        return [np.vstack([np.zeros((lag, self.k)), f[:-lag]]) for lag in range(1, max(self.r, self.rl) + 1)]

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
        if self.linear:  # J_t = I ⊗ (x_t', s_t'): a Kronecker product
            X, own = self._regressors(S)
            gram, right = X.T @ X if gram is None else gram, X.T @ (errors @ white)
            whole = ((white.T @ white)[:, None, :, None] * gram[None, :, None, :]).reshape(self.free, self.free)
            if not self.n:
                return whole, right.T.ravel()
            G, g, place = np.empty_like(whole), np.empty(self.free), np.concatenate(own)
            G[np.ix_(place, place)], g[place] = whole, right.T.ravel()
            return G, g
        G, g = np.zeros((self.free, self.free)), np.zeros(self.free)
        for at, block in self._blocks(theta, S, U, white):
            flat = block.reshape(-1, self.size)
            G += flat.T @ flat
            g += flat.T @ errors[at : at + len(block)].ravel()
        return G, g

    def gram(self, S: Array) -> Array:
        """Return X'X of the regressors [x_t, s_t] after `first`."""
        X, _ = self._regressors(S)
        return np.asarray(X.T @ X)

    def leverages(self, theta: Array, S: Array, U: Array, white: Array, inverse: Array) -> Array:
        """Return J_t H⁻¹ J_t' for each date, shape (rows, k, k)."""
        if self.linear:
            X, own = self._regressors(S)
            blocks = [[((X @ inverse[np.ix_(a, b)]) * X).sum(axis=1) for b in own] for a in own]
            return np.asarray(np.einsum("ai,ijt,bj->tab", white, np.array(blocks), white))
        hats = [np.matmul(block @ inverse, block.transpose(0, 2, 1)) for _, block in self._blocks(theta, S, U, white)]
        return np.concatenate(hats)

    def _regressors(self, S: Array) -> tuple[Array, list[Groups]]:
        """Return [x_t, s_t] after `first`, and which weights of theta multiply them in each equation."""
        m, n, dl = self.m, self.n, self.width_L
        own = [np.concatenate([np.arange(i * dl, (i + 1) * dl), m * dl + np.arange(i * n, (i + 1) * n)])
               for i in range(m)]
        return (np.hstack([self.XL, S]) if n else self.XL)[self.first :], own

    def _blocks(self, theta: Array, S: Array, U: Array, white: Array) -> Iterator[tuple[int, Array]]:
        """Yield the Jacobian after `first` in blocks, each with the number of its first row."""
        c = self.cuts(theta)
        P, k, T = self.size, self.k, len(self.Y)
        rows = max(1, min(T, BLOCK // (k * P)))
        carry = np.zeros((self.m * self.ar + max(self.r, self.rl) * k + self.n * self.recurrent, P))
        for begin in range(0, T, rows):
            J = np.empty((min(rows, T - begin), k, P))
            kernels.sensitivities(c.Lf, c.Lu, c.W, c.Gf, c.Gs, self.base, self.start, self.XL, self.XH, S, U, white,
                                  begin, J, carry)
            warm = max(0, self.first - begin)
            if warm < len(J):
                yield begin + warm - self.first, J[warm:]


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent Gaussians around a centre, one precision for each group of weights.

    Attributes
    ----------
    centre : array (P,)
    group : array (P,)           number of each weight's group; −1 where it is not shrunk
    names : tuple of str         one for each group
    """

    centre: Array
    group: Groups
    names: tuple[str, ...]

    def precisions(self, alpha: Array) -> Array:
        """Return the precision of each weight, shape (P,)."""
        return np.asarray(np.concatenate([alpha, _FLAT])[self.group])  # group −1 is the last

    def sums(self, weights: Array) -> Array:
        """Return the sum over each group, shape (groups,)."""
        return np.asarray(np.bincount(self._bin, weights, minlength=len(self.names) + 1)[:-1], dtype=np.float64)

    @cached_property
    def _bin(self) -> Groups:
        """Group of each weight, one more for those that are not shrunk."""
        return np.where(self.group < 0, len(self.names), self.group)

    @cached_property
    def count(self) -> Array:
        """Number of weights in each group."""
        return self.sums(np.ones(len(self.group)))


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where a fit ended.

    theta, sigma : array (P,), (k, k)    frozen weights of theta last
    alpha, gamma : array (groups,)       precisions, and numbers of weights the data determined
    laplace : float                      log evidence of this mode: Laplace in theta, plug-in precisions
    information : array (free, free)     H = J'Σ⁻¹J + diag(α)
    resid : array (rows, k)              in-sample residuals
    """

    design: Design
    prior: Prior
    theta: Array
    sigma: Array
    alpha: Array
    gamma: Array
    laplace: float
    information: Array
    resid: Array
    stop: Stop
    steps: int

    @property
    def effective(self) -> float:
        """Number of weights the data determined, the flat ones included."""
        return float(self.gamma.sum() + (self.prior.group < 0).sum())

    @cached_property
    def covariance(self) -> Array:
        """Laplace covariance of theta, H⁻¹ (P, P)."""
        scale = 1.0 / np.sqrt(np.diag(self.information))
        H = self.information * np.outer(scale, scale)
        return inverted(H, np.zeros(len(H)))[0] * np.outer(scale, scale)

    @cached_property
    def loo(self) -> Array:
        """Residuals with each date left out, to first order, shape (rows, k)."""
        root = np.linalg.cholesky(self.sigma)
        white = np.linalg.inv(root)
        S, U = self.design.run(self.theta)
        hats = self.design.leverages(self.theta, S, U, white, self.covariance)
        return left_out(self.resid @ white.T, hats) @ root.T


def fit(design: Design, prior: Prior, theta: Array, alpha: Array, *, sigma: Array | None = None, steps: int = 40,
        tolerance: float = 0.02, hold: int = 2) -> Optimum | None:
    r"""Climb to a mode of the posterior while the evidence sets the precisions and the covariance.

    .. math:: \alpha = \gamma / \|w\|^2, \quad \gamma = n - \alpha\,\mathrm{tr}\,H^{-1}, \quad
              \Sigma = E'E / (T - \gamma/k)

    Parameters
    ----------
    design, prior
    theta : array (P,)           start
    alpha : array (groups,)      first precisions
    sigma : array (k, k)         first covariance; that of the start when left out
    steps : int                  most Gauss-Newton steps
    tolerance : float            nats of evidence below which a step ends the climb
    hold : int                   steps before the precisions move

    Returns
    -------
    Optimum, or None where the start itself diverges.

    References
    ----------
    MacKay (1992), Bayesian interpolation, Neural Computation 4, eqs. 2.5-2.27.
    """
    k, T, first, Y = design.k, design.rows, design.first, design.Y
    flat, half = float((prior.group < 0).sum()), 0.5 * T * k * np.log(2 * np.pi)
    with np.errstate(all="ignore"):  # the derivatives of a filter that does not forget overflow
        S, U = design.run(theta)
        E = (Y - U[:, :k])[first:]
        if not np.abs(E).max() <= 1e6:  # false for NaN
            return None
        gram = design.gram(S) if design.linear else None
        sigma = positive(E.T @ E / T if sigma is None else sigma)
        alpha, damping, last, stop, step = alpha.copy(), 1e-2, -np.inf, Stop.out_of_steps, 0
        while True:
            white, log_root = whitener(sigma)
            e = E @ white.T
            G, g = design.normal(theta, S, U, white, e, gram)
            if not np.abs(G).max() < 1e200:
                return None
            a, away = prior.precisions(alpha), theta[: design.free] - prior.centre
            spread, logdet = variances(G, a)
            laplace = float(-0.5 * np.vdot(e, e) - T * log_root - half
                            - 0.5 * (a * away) @ away + 0.5 * np.log(a).sum() - 0.5 * logdet)
            gamma = np.maximum(prior.count - alpha * prior.sums(spread), 0.0)
            if step > hold + 2 and abs(laplace - last) < tolerance:
                stop = Stop.gradient_small
            if stop is not Stop.out_of_steps or step == steps:
                break
            last = laplace
            if step >= hold:
                alpha = np.minimum(np.maximum((gamma + 1e-3) / (prior.sums(away * away) + 1e-5), SMALLEST), LARGEST)
                a = prior.precisions(alpha)
            moved = _step(design, prior, theta, G, g - a * away, a, e, white, damping)
            step += 1
            if moved is None:
                if step > hold + 2:
                    stop = Stop.step_small
                damping = 1.0
                continue
            theta, S, U, E, damping = moved
            damping = max(damping / 4, 1e-10)
            sigma = positive(E.T @ E / max(T - (gamma.sum() + flat) / k, 0.1 * T))
    information = G + np.diag(prior.precisions(alpha))
    return Optimum(design, prior, theta, sigma, alpha, gamma, laplace, information, E, stop, step)


def left_out(errors: Array, hats: Array) -> Array:
    """Return the whitened residuals (I − h_t)⁻¹ e_t with each date left out, to first order; shape (T, k)."""
    k = errors.shape[1]
    if k == 1:
        return np.asarray(errors / np.clip(1.0 - hats[:, 0], 1e-3, None))
    values, vectors = np.linalg.eigh(np.eye(k) - hats)
    turned = np.einsum("tba,tb->ta", vectors, errors) / np.clip(values, 1e-3, None)
    return np.asarray(np.einsum("tab,tb->ta", vectors, turned))


def _step(design: Design, prior: Prior, theta: Array, G: Array, slope: Array, a: Array, e: Array, white: Array,
          damping: float) -> tuple[Array, Array, Array, Array, float] | None:
    """Take one damped step that lowers the objective; None where no damping finds one."""
    away, free = theta[: design.free] - prior.centre, design.free
    now = float(np.vdot(e, e) + (a * away) @ away)
    scale = 1.0 / np.sqrt(np.diag(G) + a)
    base = G * scale[:, None] * scale
    ridge, slope = 1.0 + damping, slope * scale
    for _ in range(14):
        H = base.copy()
        H.ravel()[:: free + 1] = ridge
        factor, failed = lapack.dpotrf(H.T, lower=1, overwrite_a=1, clean=0)
        if not failed:
            move, _ = lapack.dpotrs(factor, slope, lower=1)
            new = theta.copy()
            new[:free] += move * scale
            S, U = design.run(new)
            E = (design.Y - U[:, : design.k])[design.first :]
            error, left = E @ white.T, new[:free] - prior.centre
            if np.vdot(error, error) + (a * left) @ left <= now:  # false for NaN: a step that diverges is refused
                return new, S, U, E, damping
        damping = damping * 6 + 1e-12
        ridge = 1.0 + damping
    return None
