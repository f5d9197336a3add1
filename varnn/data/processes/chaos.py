"""Chaotic and delay systems without noise: the past determines the future, so the oracle is the value itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, Start, process

FloatArray = NDArray[np.float64]
Flow = Callable[[FloatArray], FloatArray]


def runge_kutta(flow: Flow, state: FloatArray, dt: float) -> FloatArray:
    """Advance dx/dt = flow(x) by dt with the classical fourth-order step; shape (m, s) kept."""
    first = flow(state)
    second = flow(state + 0.5 * dt * first)
    third = flow(state + 0.5 * dt * second)
    fourth = flow(state + dt * third)
    return state + dt / 6 * (first + 2 * second + 2 * third + fourth)


def deterministic(advance: Flow, start: Start, columns: tuple[str, ...], burn: int) -> Process:
    """Return y_t = first k entries of x_t, x_{t+1} = advance(x_t), without noise; the state before t is x_t."""
    k = len(columns)

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        return state[:, :k], advance(state)

    return Process(columns=columns, mean=lambda state, t: state[:, :k], step=step,
                   shock=lambda m, rng: np.zeros((m, 1)), start=start, burn=burn)


def near(centre: FloatArray, spread: float) -> Start:
    """Return a start drawn uniformly within `spread` of `centre`."""
    return lambda m, rng: centre + spread * (2 * rng.random((m, len(centre))) - 1)


@process("logistic_map", "logistic map", length=1000,
         citation="May, R. M. (1976), Simple mathematical models with very complicated dynamics, Nature 261, 459–467")
def logistic_map(*, r: float = 4.0) -> Process:
    """Return the logistic map; Lyapunov exponent ln 2 at r = 4.

    y_t = r y_{t−1} (1 − y_{t−1})
    """
    return deterministic(lambda y: r * y * (1 - y), near(np.array([0.4]), 0.1), ("y",), 100)


@process("henon", "Hénon map", length=1000,
         citation="Hénon, M. (1976), A two-dimensional mapping with a strange attractor, "
                  "Communications in Mathematical Physics 50, 69–77")
def henon(*, a: float = 1.4, b: float = 0.3) -> Process:
    """Return the Hénon map; Lyapunov exponents sum to ln b.

    x_t = 1 − a x²_{t−1} + y_{t−1},  y_t = b x_{t−1}
    """

    def advance(state: FloatArray) -> FloatArray:
        return np.column_stack([1 - a * state[:, 0] ** 2 + state[:, 1], b * state[:, 0]])

    return deterministic(advance, near(np.array([0.1, 0.1]), 0.05), ("x", "y"), 100)


@process("lorenz63", "Lorenz's convection model", length=2000, train=400,
         citation="Lorenz, E. N. (1963), Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20, "
                  "130–141")
def lorenz63(*, sigma: float = 10.0, rho: float = 28.0, beta: float = 8 / 3, dt: float = 0.025,
             substeps: int = 5) -> Process:
    """Return the Lorenz system sampled every dt, by Runge–Kutta steps of dt/substeps.

    dx/dt = σ(y − x),  dy/dt = x(ρ − z) − y,  dz/dt = xy − βz
    """

    def flow(s: FloatArray) -> FloatArray:
        x, y, z = s.T
        return np.stack([sigma * (y - x), x * (rho - z) - y, x * y - beta * z], axis=1)

    def advance(state: FloatArray) -> FloatArray:
        for _ in range(substeps):
            state = runge_kutta(flow, state, dt / substeps)
        return state

    return deterministic(advance, near(np.array([1.0, 1.0, 25.0]), 1.0), ("x", "y", "z"), 400)


@process("lorenz96", "Lorenz's ring of coupled variables", length=2000,
         citation="Lorenz, E. N. (1996), Predictability: a problem partly solved, ECMWF Seminar on Predictability 1")
def lorenz96(*, k: int = 8, forcing: float = 8.0, dt: float = 0.05, substeps: int = 5) -> Process:
    """Return the Lorenz-96 system sampled every dt, by Runge–Kutta steps of dt/substeps.

    dx_j/dt = (x_{j+1} − x_{j−2}) x_{j−1} − x_j + F,  indices modulo k
    """

    def flow(s: FloatArray) -> FloatArray:
        return (np.roll(s, -1, 1) - np.roll(s, 2, 1)) * np.roll(s, 1, 1) - s + forcing

    def advance(state: FloatArray) -> FloatArray:
        for _ in range(substeps):
            state = runge_kutta(flow, state, dt / substeps)
        return state

    columns = tuple(f"x{j + 1}" for j in range(k))
    return deterministic(advance, near(np.full(k, forcing), 1.0), columns, 400)


@process("mackey_glass", "Mackey–Glass delay equation, delay 17", length=5000, train=3000,
         citation="Mackey, M. C. and Glass, L. (1977), Oscillation and chaos in physiological control systems, "
                  "Science 197, 287–289; sampled as in Jaeger, H. (2001), GMD report 148")
def mackey_glass(*, delay: float = 17.0, substeps: int = 10) -> Process:
    """Return the Mackey–Glass series sampled every time unit, by Euler steps of 1/substeps.

    dx/dt = .2 x(t−τ) / (1 + x(t−τ)^10) − .1 x(t)
    """
    dt, lags = 1.0 / substeps, round(delay * substeps)

    def advance(state: FloatArray) -> FloatArray:
        # A row of state is x(t), x(t−dt) … x(t−τ); the steps ahead need only values already in it.
        now, fresh = state[:, 0], []
        for j in range(substeps):
            late = state[:, lags - j]
            now = now + dt * (0.2 * late / (1 + late**10) - 0.1 * now)
            fresh.append(now)
        return np.column_stack([*fresh[::-1], state[:, : lags + 1 - substeps]])

    return deterministic(advance, near(np.full(lags + 1, 1.2), 0.1), ("y",), 1000)
