"""Gauss-Newton with precisions set by the evidence, for every rung of the recursion.

Called by `search` and the rungs.  A `Design` says what is fitted, a `Prior` towards what it is shrunk, `fit` returns
the `Optimum`.  Works in standard units; never scales, warns, draws random numbers or searches over structures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from varnn.estimate.numerics.covariance import inverted, positive, variances, whitener
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.tanh.design import Array, Design

Groups = npt.NDArray[np.intp]
FLAT = 1e-6  # precision of weights that are not shrunk: intercepts and trends
_FLAT = np.array([FLAT])
SMALLEST, LARGEST = 1e-4, 1e8  # range of the other precisions


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
    def axes(self) -> tuple[Array, Array]:
        """Lengths (free,) and directions (free, free) of a square root of the covariance."""
        scale = np.sqrt(np.diag(self.information))
        values, vectors = np.linalg.eigh(self.covariance * np.outer(scale, scale))
        return np.sqrt(np.maximum(values, 0.0)), vectors / scale[:, None]

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
        settled = (0 if hold > steps else hold) + 2  # precisions held throughout have no climb of their own to wait for
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
            if step > settled and abs(laplace - last) < tolerance:
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
                if step > settled:
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
    scale = 1.0 / np.sqrt(G.diagonal() + a)
    slope = slope * scale
    for _ in range(14):
        H = G * scale[:, None]
        H *= scale
        H.ravel()[:: free + 1] = 1.0 + damping
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
    return None
