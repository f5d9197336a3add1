"""Linear processes: AR, VAR, VARMA, a VAR whose coefficients drift, white noise, random walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, at_rest, normal_shocks, process

FloatArray = NDArray[np.float64]
Matrices = Sequence[Sequence[Sequence[float]]]

LUETKEPOHL = "Lütkepohl, H. (2005), New Introduction to Multiple Time Series Analysis, Springer"
VAR_COEFFICIENTS = (
    ((0.5, 0.1, 0.0), (0.2, 0.3, 0.1), (0.0, 0.2, 0.4)),
    ((-0.2, 0.0, 0.1), (0.0, 0.2, -0.1), (0.1, 0.0, 0.1)),
)
VARMA_AR = (((0.6, 0.2, 0.0), (0.1, 0.5, 0.1), (0.0, 0.1, 0.4)),)
VARMA_MA = (((-0.4, 0.1, 0.0), (0.2, 0.3, 0.0), (0.0, -0.1, 0.5)),)


def numbered(k: int) -> tuple[str, ...]:
    """Return the column names y (k = 1) or y1 … yk."""
    return ("y",) if k == 1 else tuple(f"y{j + 1}" for j in range(k))


def varma_process(ar: Matrices, ma: Matrices, *, sd: float, burn: int) -> Process:
    """Return y_t = Σ A_i y_{t−i} + e_t + Σ M_j e_{t−j} with e_t ~ N(0, sd² I)."""
    k = len((list(ar) or list(ma))[0])
    weights = np.hstack([np.asarray(block, dtype=np.float64) for block in [*ar, *ma]])  # (k, k(p+q))
    p, q = len(ar), len(ma)

    def mean(state: FloatArray, t: int) -> FloatArray:
        return state @ weights.T

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        value, after = mean(state, t) + shock, np.empty_like(state)
        for begin, end, newest in ((0, k * p, value), (k * p, k * (p + q), shock)):
            if end > begin:
                after[:, begin : begin + k] = newest
                after[:, begin + k : end] = state[:, begin : end - k]
        return value, after

    return Process(columns=numbered(k), mean=mean, step=step, shock=normal_shocks(k, sd), symmetric=True,
                   start=at_rest(k * (p + q)), burn=burn)


@process("ar", "AR(2), a damped cycle", citation=LUETKEPOHL, length=500)
def ar(*, coefficients: Sequence[float] = (1.2, -0.5), sd: float = 1.0) -> Process:
    """Return an autoregression.

    y_t = Σ a_i y_{t−i} + e_t,  e_t ~ N(0, sd²)
    """
    return varma_process([[[a]] for a in coefficients], [], sd=sd, burn=100)


@process("white_noise", "independent standard normal numbers", citation=LUETKEPOHL, length=500)
def white_noise(*, k: int = 1, sd: float = 1.0) -> Process:
    """Return noise that nothing predicts: any gain over the mean is luck.

    y_t = e_t,  e_t ~ N(0, sd² I_k)
    """
    return varma_process([np.zeros((k, k)).tolist()], [], sd=sd, burn=0)


@process("random_walk", "independent random walks", citation=LUETKEPOHL, length=500)
def random_walk(*, k: int = 1, sd: float = 1.0) -> Process:
    """Return random walks: the last value is the best forecast at every horizon.

    y_t = y_{t−1} + e_t,  e_t ~ N(0, sd² I_k)
    """
    return varma_process([np.eye(k).tolist()], [], sd=sd, burn=0)


@process("var", "VAR(2) of three series", citation=LUETKEPOHL, length=500)
def var(*, coefficients: Matrices = VAR_COEFFICIENTS, sd: float = 1.0) -> Process:
    """Return a stationary vector autoregression; spectral radius .86 by default.

    y_t = Σ A_i y_{t−i} + e_t,  e_t ~ N(0, sd² I)
    """
    return varma_process(coefficients, [], sd=sd, burn=200)


@process("varma", "VARMA(1,1) of three series", citation=LUETKEPOHL, length=500)
def varma(*, ar: Matrices = VARMA_AR, ma: Matrices = VARMA_MA, sd: float = 1.0) -> Process:
    """Return a stationary, invertible VARMA: the linear RNN's own world.

    y_t = Σ A_i y_{t−i} + e_t + Σ M_j e_{t−j},  e_t ~ N(0, sd² I)
    """
    return varma_process(ar, ma, sd=sd, burn=200)


@process("time_varying_var", "VAR(1) of two series whose coefficients turn slowly", length=1000,
         citation="Primiceri, G. E. (2005), Time varying structural vector autoregressions and monetary policy, "
                  "Review of Economic Studies 72, 821–852 (the drift here is a fixed cycle, so the oracle is exact)")
def time_varying_var(*, radius: float = 0.8, period: float = 400.0, sd: float = 1.0) -> Process:
    """Return a VAR(1) whose coefficient matrix is a rotation by a slowly changing angle.

    y_t = radius · R(θ_t) y_{t−1} + e_t,  θ_t = π/2 · sin(2πt/period),  e_t ~ N(0, sd² I_2)
    """

    def mean(state: FloatArray, t: int) -> FloatArray:
        angle = 0.5 * np.pi * np.sin(2 * np.pi * t / period)
        turn = radius * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return state @ turn.T

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        value = mean(state, t) + shock
        return value, value

    return Process(columns=("y1", "y2"), mean=mean, step=step, shock=normal_shocks(2, sd), symmetric=True,
                   start=at_rest(2))
