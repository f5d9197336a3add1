"""The step of each rung, h_t = f_W(h_{t-1}, x_t), as functions on torch tensors, and the shapes of its weights.

Called through `recursion.unroll` by `wiring` and the gated rung. Weights are plain mappings of tensors, in
the names and the order of `torch.nn.RNN`, `GRU` and `LSTM`, so they move there and back; no state, no modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, prod, sqrt
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from varnn.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

    Weights = Mapping[str, Tensor]
    States = tuple[Tensor, ...]

Shapes = dict[str, tuple[int, ...]]
Vector = TypeVar("Vector", "Tensor", "NDArray[np.float64]")


def times(matrix: Tensor, vectors: Tensor) -> Tensor:
    """Return W v for vectors (B, n) and W (m, n), or one W for each vector, (B, m, n)."""
    if matrix.dim() == 2:
        return vectors @ matrix.mT
    return (matrix @ vectors.unsqueeze(-1)).squeeze(-1)


def affine(matrix: Tensor, bias: Tensor, vectors: Tensor) -> Tensor:
    """Return W v + b, in one operation where there is one W and a plain batch."""
    if matrix.dim() == 2 and vectors.dim() == 2:
        return bias.addmm(vectors, matrix.mT)
    return times(matrix, vectors) + bias


def drive(weights: Weights, inputs: Tensor) -> Tensor:
    """W_ih x_t + b_ih, what enters a cell from outside; for all times in one product when inputs are (T, B, d)."""
    return affine(weights["weight_ih"], weights["bias_ih"], inputs)


def linear_step(weights: Weights, states: States, driven: Tensor) -> States:
    """h_t = W_hh h_{t-1} + b_hh + drive; identity units, rung 2."""
    return (driven + affine(weights["weight_hh"], weights["bias_hh"], states[0]),)


def tanh_step(weights: Weights, states: States, driven: Tensor) -> States:
    """h_t = tanh(W_hh h_{t-1} + b_hh + drive); Elman (1990), `torch.nn.RNN`."""
    return ((driven + affine(weights["weight_hh"], weights["bias_hh"], states[0])).tanh(),)


def gru_step(weights: Weights, states: States, driven: Tensor) -> States:
    """Gated recurrent unit: h_t = (1 − z) ∘ n + z ∘ h_{t-1}; Cho et al. (2014), in torch's form.

    r = σ(W_ir x + W_hr h), z = σ(W_iz x + W_hz h), n = tanh(W_in x + b_in + r ∘ (W_hn h + b_hn)).
    """
    (h,) = states
    split = 2 * h.shape[-1]
    recurrent = affine(weights["weight_hh"], weights["bias_hh"], h)               # (B, 3n): r, z, n
    r, z = (driven[..., :split] + recurrent[..., :split]).sigmoid().chunk(2, dim=-1)
    n = driven[..., split:].addcmul(r, recurrent[..., split:]).tanh()
    return (n.addcmul(z, h - n),)


def lstm_step(weights: Weights, states: States, driven: Tensor) -> States:
    """Long short-term memory: c_t = f ∘ c_{t-1} + i ∘ g, h_t = o ∘ tanh(c_t); Gers et al. (2000), in torch's form."""
    h, c = states
    inner = driven + affine(weights["weight_hh"], weights["bias_hh"], h)          # (B, 4n): i, f, g, o
    i, f, _, o = inner.sigmoid().chunk(4, dim=-1)
    g = inner[..., 2 * h.shape[-1]:3 * h.shape[-1]].tanh()
    c = (f * c).addcmul(i, g)
    return (o * c.tanh(), c)


def mixed_step(weights: Weights, states: States, driven: tuple[Tensor, Tensor]) -> States:
    """Tanh units beside identity units, rung 3: s_t = tanh(G s_{t-1} + drive_s), u_t = A u_{t-1} + drive_u + W s_t.

    ŷ_t = u_t[:k]. W = 0 is rung 2, and A = 0 besides is rung 1. `weights` holds G "tanh", A "linear" and W "readout";
    the drives hold W_xh x_t + b, the feedback of earlier forecasts, and B x_t.
    """
    s, u = states
    s = (driven[0] + times(weights["tanh"], s)).tanh()
    return (s, driven[1] + times(weights["linear"], u) + times(weights["readout"], s))


@dataclass(frozen=True)
class Cell:
    """A kind of unit.

    Attributes
    ----------
    step : callable
        (weights, states, drive) -> states; the first state is the output h_t.
    gates : int
        Blocks of n rows in weight_ih and weight_hh.
    carried : int
        Number of state tensors.
    keeps, takes : int or None
        Which block, with a large bias, keeps the state, and which takes in what is new; None where there is none.
    drive : callable
        (weights, inputs) -> drive, for all times at once or for one.
    """

    step: Callable[[Weights, States, Any], States]
    gates: int
    carried: int = 1
    keeps: int | None = None
    takes: int | None = None
    drive: Callable[[Weights, Tensor], Any] = drive

    def shapes(self, inputs: int, width: int) -> Shapes:
        """Return the weights of `width` units on `inputs` inputs, name by name.

        Examples
        --------
        >>> CELLS["gru"].shapes(2, 4)
        {'weight_ih': (12, 2), 'weight_hh': (12, 4), 'bias_ih': (12,), 'bias_hh': (12,)}
        """
        rows = self.gates * width
        return {"weight_ih": (rows, inputs), "weight_hh": (rows, width), "bias_ih": (rows,), "bias_hh": (rows,)}

    def initial(self, inputs: int, width: int, rng: np.random.Generator, memory: float | None = None
                ) -> dict[str, NDArray[np.float64]]:
        """Return weights to start learning from, as arrays.

        Linear and tanh units get an orthogonal W_hh, which neither shrinks nor enlarges a state, and biases of zero.
        Gated units get uniform weights in ±1/√n, as torch has them. With a `memory` of T steps the bias of the gate
        that keeps is ln u, u uniform in [1, T − 1], so that units forget at rates between 1/2 and 1/T, and that of
        the gate that takes in is −ln u; without one these biases are zero, and half is forgotten at each step.

        Parameters
        ----------
        inputs, width : int
            d and n, at least 1.
        rng : numpy Generator
        memory : float, optional
            Steps T ≥ 2 over which gated units should remember; linear and tanh units have no use for it.

        Raises
        ------
        ParameterError
            If `memory` is below 2 or not finite.

        References
        ----------
        Saxe, McClelland and Ganguli (2014), ICLR. Tallec and Ollivier (2018), ICLR, section 2.

        Examples
        --------
        >>> W = CELLS["tanh"].initial(2, 4, np.random.default_rng(0))["weight_hh"]
        >>> bool(np.allclose(W @ W.T, np.eye(4)))
        True
        """
        if memory is not None and not (isfinite(memory) and memory >= 2):
            raise ParameterError(f"memory={memory!r} is not usable; give the number of steps to remember, at least 2, "
                                 "or None")
        bound = 1.0 / sqrt(width)
        weights = {name: rng.uniform(-bound, bound, shape) for name, shape in self.shapes(inputs, width).items()}
        if self.keeps is None:
            Q, R = np.linalg.qr(rng.standard_normal((width, width)))
            signs = np.where(np.diag(R) < 0.0, -1.0, 1.0)               # without them Q is not uniform
            return {**weights, "weight_hh": Q * signs, "bias_ih": np.zeros(width), "bias_hh": np.zeros(width)}
        keep = np.zeros(width) if memory is None else np.log(rng.uniform(1.0, memory - 1.0, width))
        for block, bias in ((self.keeps, keep), (self.takes, -keep)):
            if block is not None:
                rows = slice(block * width, (block + 1) * width)
                weights["bias_ih"][rows], weights["bias_hh"][rows] = 0.0, bias
        return weights

    def start(self, weights: Weights, batch: int) -> States:
        """Return zero states (B, n) of the type and on the device of the weights."""
        like = weights["weight_hh"]
        return (like.new_zeros(batch, like.shape[-1]),) * self.carried


CELLS: dict[str, Cell] = {
    "linear": Cell(linear_step, gates=1),
    "tanh": Cell(tanh_step, gates=1),
    "gru": Cell(gru_step, gates=3, keeps=1),
    "lstm": Cell(lstm_step, gates=4, carried=2, keeps=1, takes=0),
}


def count(shapes: Shapes) -> int:
    """Return the number of weights in all."""
    return sum(prod(shape) for shape in shapes.values())


def unflatten(theta: Vector, shapes: Shapes) -> dict[str, Vector]:
    """Return views of a vector (P,), or of one for each of B models (B, P), as named weights; torch or numpy.

    Examples
    --------
    >>> import torch
    >>> weights = unflatten(torch.arange(6.0), {"W": (2, 2), "b": (2,)})
    >>> weights["b"].tolist()
    [4.0, 5.0]
    """
    weights: dict[str, Vector] = {}
    first = 0
    for name, shape in shapes.items():
        size = prod(shape)
        weights[name] = theta[..., first:first + size].reshape(*theta.shape[:-1], *shape)
        first += size
    return weights


def flatten(weights: Weights, shapes: Shapes) -> Tensor:
    """Return named weights as one vector (P,); the inverse of `unflatten`."""
    import torch

    return torch.cat([weights[name].reshape(-1) for name in shapes])
