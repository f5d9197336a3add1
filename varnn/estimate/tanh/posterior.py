"""Draws of the weights of an optimum from its posterior, made once for a fit however often it forecasts.

Called by `mixture`.  Laplace's Gaussian around the mode, made safe; random numbers come from a seed.
"""

from __future__ import annotations

import numpy as np

from varnn.estimate.tanh.design import Array
from varnn.estimate.tanh.extrapolation import linear_radius
from varnn.estimate.tanh.gauss_newton import Optimum

HALVINGS = 5  # of a draw that fits too badly, before it becomes the mode


class WeightDraws:
    """Draws of the weights of one optimum: the first are the same however many are asked for, and whenever.

    Laplace's Gaussian is too wide along flat directions (the slope of a steep unit): a draw that fits the data much
    worse than a posterior draw should, or whose linear part explodes where that of the mode does not, is pulled
    half-way to the mode, up to five times.
    """

    def __init__(self, optimum: Optimum) -> None:
        self._optimum = optimum
        self._made: dict[int, Array] = {}

    def first(self, count: int, seed: int) -> Array:
        """Return the first draws of a seed, shape (count, P)."""
        made = self._made.get(seed, np.empty((0, len(self._optimum.theta))))
        if len(made) < count:
            lengths, axes = self._optimum.axes
            numbers = np.random.default_rng(seed).standard_normal((count, len(lengths)))[len(made) :]
            away = [axes @ (lengths * one) for one in numbers]  # one by one: bits do not depend on how many
            made = np.vstack([made, _safe(self._optimum, np.stack(away))])
            self._made[seed] = made
        return made[:count]


def _safe(optimum: Optimum, away: Array) -> Array:
    """Return the weights at these distances from the mode, nearer where that fits too badly or explodes."""
    shape, mode = optimum.design, optimum.theta
    least_squares = shape.n == 0 and not (shape.rl or shape.ar)  # where Laplace is exact
    precision, penalty = np.linalg.inv(optimum.sigma), optimum.prior.precisions(optimum.alpha)

    def loss(theta: Array) -> float:
        _, U = shape.run(theta)
        error, free = (shape.Y - U[:, : shape.k])[shape.first :], theta[: shape.free]
        return 0.5 * float(np.vdot(error @ precision, error) + (penalty * free) @ free)

    free = 0.5 * max(optimum.effective, 1.0)
    most = np.inf if least_squares else loss(mode) + free + 2.0 * np.sqrt(free) + 2.0
    steady = max(1.0, linear_radius(shape, mode))
    thetas = np.tile(mode, (len(away), 1))
    for number, step in enumerate(away):
        for halved in range(HALVINGS):
            theta = mode.copy()
            theta[: shape.free] += 0.5**halved * step  # frozen weights, last in theta, stay where they are
            if linear_radius(shape, theta) <= steady and (least_squares or loss(theta) <= most):
                thetas[number] = theta
                break
    return thetas
