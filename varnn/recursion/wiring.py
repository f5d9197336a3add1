"""The four uses of one recursion: an output each step, one at the end, many from one, and a sequence from a sequence.

Called by the gated rung and by anyone who wires cells by hand. A `Layer` is a cell with its weights and its read-out;
the loop over time is `recursion.unroll`. Nothing here learns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from varnn.errors import ParameterError, ShapeError
from varnn.recursion.cells import Cell, drive, times
from varnn.recursion.loop import unroll

if TYPE_CHECKING:
    from torch import Tensor

    from varnn.recursion.cells import States


@dataclass(frozen=True, eq=False)
class Layer:
    """A cell with weights and the read-out ŷ_t = W_hy h_t + c.

    Attributes
    ----------
    cell : Cell
        One of `varnn.recursion.cells.CELLS`.
    weights : mapping of str to tensor
        As `Cell.shapes` says; with "readout" (k, n) and "offset" (k,) for a read-out, otherwise ŷ_t = h_t.
    """

    cell: Cell
    weights: Mapping[str, Tensor]

    def read(self, output: Tensor) -> Tensor:
        """ŷ = W_hy h + c for outputs (…, B, n)."""
        if "readout" not in self.weights:
            return output
        return times(self.weights["readout"], output) + self.weights.get("offset", 0.0)

    def run(self, inputs: Tensor, start: States | None = None) -> States:
        """Return the states (T, B, n) that inputs (T, B, d) bring about from `start`, zeros when left out."""
        if inputs.dim() != 3 or not len(inputs):
            raise ShapeError(f"inputs have shape {tuple(inputs.shape)}; pass (T, B, d), time first, T >= 1")
        if inputs.shape[-1] != self.weights["weight_ih"].shape[-1]:
            raise ShapeError(f"inputs have {inputs.shape[-1]} columns, weight_ih takes "
                             f"{self.weights['weight_ih'].shape[-1]}; pass inputs of that width")
        driven = drive(self.weights, inputs)                                      # (T, B, gates n), one product
        begin = self.cell.start(self.weights, inputs.shape[1]) if start is None else start
        return unroll(self._step, begin, lambda t, states: driven[t], len(inputs))

    def generate(self, first: Tensor, steps: int, start: States, feed: Callable[[Tensor], Tensor]) -> Tensor:
        """Return outputs (h, B, k): `first` (B, d) enters at step 1, `feed` of the output before at each later one."""
        if steps < 1:
            raise ParameterError(f"steps={steps} is not usable; give a whole number of at least 1")

        def drive_at(t: int, states: States) -> Tensor:
            return drive(self.weights, first if t == 0 else feed(self.read(states[0])))

        return self.read(unroll(self._step, start, drive_at, steps)[0])

    def _step(self, states: States, driven: Tensor) -> States:
        return self.cell.step(self.weights, states, driven)


def aligned(layer: Layer, inputs: Tensor, start: States | None = None) -> Tensor:
    """Read an output at every step: inputs (T, B, d) to outputs (T, B, k), as in forecasting or tagging."""
    return layer.read(layer.run(inputs, start)[0])


def many_to_one(layer: Layer, inputs: Tensor, start: States | None = None) -> Tensor:
    """Read one output after the last step: inputs (T, B, d) to an output (B, k), as in classifying a sequence.

    Examples
    --------
    >>> import torch
    >>> from varnn.recursion.cells import CELLS
    >>> one = {"weight_ih": torch.ones(1, 1), "weight_hh": torch.ones(1, 1), "bias_ih": torch.zeros(1),
    ...        "bias_hh": torch.zeros(1)}
    >>> many_to_one(Layer(CELLS["linear"], one), torch.tensor([1.0, 2.0, 4.0]).reshape(3, 1, 1)).item()
    7.0
    """
    return layer.read(layer.run(inputs, start)[0][-1])


def one_to_many(layer: Layer, first: Tensor, steps: int, *, start: States | None = None,
                feed: Callable[[Tensor], Tensor] = lambda output: output) -> Tensor:
    """Generate outputs (h, B, k) from one input (B, d): each output is the next input, as in iterated forecasts.

    Parameters
    ----------
    layer : Layer
    first : tensor (B, d)
        What enters at the first step.
    steps : int
        Outputs wanted, h.
    start : states, optional
        Zeros when left out.
    feed : callable
        From an output (B, k) to the next input (B, d): the identity, or for instance a sampled class as one-hot.
    """
    begin = layer.cell.start(layer.weights, len(first)) if start is None else start
    return layer.generate(first, steps, begin, feed)


def encode_decode(encoder: Layer, decoder: Layer, inputs: Tensor, first: Tensor, steps: int, *,
                  bridge: Callable[[States], States] = lambda states: states,
                  feed: Callable[[Tensor], Tensor] = lambda output: output) -> Tensor:
    """Read a sequence (T, B, d) to its end, then write another (h, B, k) from the state reached, as in translation.

    Parameters
    ----------
    encoder, decoder : Layer
    inputs : tensor (T, B, d)
    first : tensor (B, d')
        What enters the decoder at its first step ("begin").
    steps : int
        Outputs wanted, h.
    bridge : callable
        From the encoder's last states to the decoder's first; the identity for equal cells and widths.
    feed : callable
        From an output to the decoder's next input.
    """
    reached = tuple(states[-1] for states in encoder.run(inputs))
    return decoder.generate(first, steps, bridge(reached), feed)
