"""Processes in which past shocks and past values multiply; all invertible, so the past shows the shocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, at_rest, normal_shocks, process
from varnn.data.processes.threshold import LEE

FloatArray = NDArray[np.float64]


@process("bilinear", "bilinear autoregression", citation=LEE)
def bilinear(*, coefficient: float = 0.7, sd: float = 1.0) -> Process:
    """Return the bilinear process of Lee, White and Granger.

    y_t = coefficient · y_{t−1} e_{t−2} + e_t
    """

    def mean(state: FloatArray, t: int) -> FloatArray:
        return coefficient * state[:, :1] * state[:, 2:]

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        value = mean(state, t) + shock
        return value, np.hstack([value, shock, state[:, 1:2]])  # y_{t}, e_{t}, e_{t−1}

    return Process(columns=("y",), mean=mean, step=step, shock=normal_shocks(1, sd), symmetric=True, start=at_rest(3))


@process("bilinear_ma", "bilinear moving average", citation=LEE)
def bilinear_ma(*, first: float = -0.4, second: float = 0.3, product: float = 0.5, sd: float = 1.0) -> Process:
    """Return a moving average with a product of shocks.

    y_t = e_t + first · e_{t−1} + second · e_{t−2} + product · e_{t−1} e_{t−2}
    """

    def mean(state: FloatArray, t: int) -> FloatArray:
        last, before = state[:, :1], state[:, 1:]
        return first * last + second * before + product * last * before

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        return mean(state, t) + shock, np.hstack([shock, state[:, :1]])

    return Process(columns=("y",), mean=mean, step=step, shock=normal_shocks(1, sd), symmetric=True, start=at_rest(2))
