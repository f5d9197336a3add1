"""Recurrent networks with random weights as the truth: what a tanh or gated rung can at best recover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, at_rest, normal_shocks, process
from varnn.data.processes.linear import numbered

FloatArray = NDArray[np.float64]


@process("tanh_rnn", "tanh RNN with random weights, three series", length=2000,
         citation="Elman, J. L. (1990), Finding structure in time, Cognitive Science 14, 179–211")
def tanh_rnn(*, k: int = 3, width: int = 6, gain: float = 2.0, sd: float = 0.5, weights: int = 0) -> Process:
    """Return a tanh RNN driven by its own output; `weights` is the seed of its weights.

    s_t = tanh(W_hh s_{t−1} + W_xh y_{t−1} + b),  y_t = W_hy s_t + e_t,  e_t ~ N(0, sd² I_k)

    W_hh is random with spectral radius .6, W_xh ~ N(0, gain²/k), W_hy ~ N(0, 1/width), b ~ N(0, .25).
    """
    private = np.random.default_rng(weights)
    hh = private.standard_normal((width, width))
    hh *= 0.6 / np.abs(np.linalg.eigvals(hh)).max()
    xh = gain / np.sqrt(k) * private.standard_normal((width, k))
    hy: FloatArray = private.standard_normal((k, width)) / np.sqrt(width)
    bias = 0.5 * private.standard_normal(width)

    def hidden(state: FloatArray) -> FloatArray:
        units: FloatArray = np.tanh(state[:, :width] @ hh.T + state[:, width:] @ xh.T + bias)
        return units

    def mean(state: FloatArray, t: int) -> FloatArray:
        return hidden(state) @ hy.T

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        units = hidden(state)
        value = units @ hy.T + shock
        return value, np.hstack([units, value])

    return Process(columns=numbered(k), mean=mean, step=step, shock=normal_shocks(k, sd), symmetric=True,
                   start=at_rest(width + k))


@process("lstm_net", "LSTM with random weights, two series", length=2000,
         citation="Hochreiter, S. and Schmidhuber, J. (1997), Long short-term memory, Neural Computation 9, 1735–1780")
def lstm_net(*, k: int = 2, width: int = 4, gain: float = 4.0, sd: float = 0.3, weights: int = 0) -> Process:
    """Return an LSTM driven by its own output; `weights` is the seed of its weights.

    (i, f, o, g) = W [y_{t−1}; h_{t−1}] + b,  c_t = σ(f) c_{t−1} + σ(i) tanh(g),  h_t = σ(o) tanh(c_t),
    y_t = W_hy h_t + e_t,  e_t ~ N(0, sd² I_k)

    W ~ N(0, gain²/(k + width)), W_hy ~ N(0, 4/width), b ~ N(0, .25) with 1 added for the forget gate.
    """
    private = np.random.default_rng(weights)
    gates = gain / np.sqrt(k + width) * private.standard_normal((4 * width, k + width))
    bias = 0.5 * private.standard_normal(4 * width)
    bias[width : 2 * width] += 1.0
    hy: FloatArray = 2.0 * private.standard_normal((k, width)) / np.sqrt(width)

    def cell(state: FloatArray) -> tuple[FloatArray, FloatArray]:
        memory = state[:, k + width :]
        drive = state[:, : k + width] @ gates.T + bias
        enter, forget, out = (0.5 * (1 + np.tanh(0.5 * drive[:, j * width : (j + 1) * width])) for j in range(3))
        memory = forget * memory + enter * np.tanh(drive[:, 3 * width :])
        return out * np.tanh(memory), memory

    def mean(state: FloatArray, t: int) -> FloatArray:
        return cell(state)[0] @ hy.T

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        units, memory = cell(state)
        value = units @ hy.T + shock
        return value, np.hstack([value, units, memory])

    return Process(columns=numbered(k), mean=mean, step=step, shock=normal_shocks(k, sd), symmetric=True,
                   start=at_rest(k + 2 * width))
