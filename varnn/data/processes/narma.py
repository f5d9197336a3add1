"""NARMA-10: a tenth-order nonlinear system driven by a known random input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, process

FloatArray = NDArray[np.float64]


@process("narma10", "NARMA-10 from its input", length=4000, train=2000,
         citation="Atiya, A. F. and Parlos, A. G. (2000), New results on recurrent network training, IEEE "
                  "Transactions on Neural Networks 11, 697–709; input range of Jaeger (2003)")
def narma10(*, high: float = 0.5) -> Process:
    """Return NARMA-10 with its input as the exogenous column u.

    y_t = .3 y_{t−1} + .05 y_{t−1} Σ_{i=1}^{10} y_{t−i} + 1.5 u_{t−10} u_{t−1} + .1,  u ~ U[0, high]

    Row t of the exogenous column holds u_{t−1}, the newest input that drives y_t, so that a model
    with `lags=0` sees exactly what it may see. Given the input the series has no noise: the oracle is
    the value itself. A run that leaves [−10, 10] (the recursion can diverge) is held there.
    """

    def mean(state: FloatArray, t: int) -> FloatArray:
        y, u = state[:, :10], state[:, 10:]
        drive = 0.3 * y[:, 0] + 0.05 * y[:, 0] * y.sum(axis=1) + 1.5 * u[:, 9] * u[:, 0] + 0.1
        held: FloatArray = np.clip(drive, -10.0, 10.0)[:, None]
        return held

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        value = mean(state, t)
        return value, np.hstack([value, state[:, :9], shock, state[:, 10:19]])

    def shock(m: int, rng: np.random.Generator) -> FloatArray:
        return high * rng.random((m, 1))

    def start(m: int, rng: np.random.Generator) -> FloatArray:
        return np.hstack([np.zeros((m, 10)), high * rng.random((m, 10))])

    return Process(columns=("y",), mean=mean, step=step, shock=shock, start=start, burn=200,
                   exog=lambda states: states[:, 10:11], exog_columns=("u",))
