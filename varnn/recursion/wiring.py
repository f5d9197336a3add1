"""The four uses of one recursion: an output each step, one at the end, many from one, and a sequence from a sequence.

Called by the gated rung, by the sequence models and by anyone who wires cells by hand. A `Layer` is a cell with its
weights and its read-out; the loop over time is `recursion.unroll`. Nothing here learns.

Sequences of different length stand side by side, filled up on the right, with their `lengths`. What stands in the
padding, NaN too, changes no result: it never reaches the state at a sequence's own end, where outputs are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from varnn.errors import ParameterError, ShapeError
from varnn.recursion.cells import CELLS, Cell, times
from varnn.recursion.loop import ends, present, rows_of, unroll

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
    begin : tuple of tensor (1, n) or (B, n), optional
        States before the first step; zeros when left out.
    """

    cell: Cell
    weights: Mapping[str, Tensor]
    begin: States | None = None

    def read(self, output: Tensor) -> Tensor:
        """ŷ = W_hy h + c for outputs (…, B, n)."""
        if "readout" not in self.weights:
            return output
        return times(self.weights["readout"], output) + self.weights.get("offset", 0.0)

    def start(self, batch: int) -> States:
        """Return the states before the first step, for a batch of B."""
        if self.begin is None:
            return self.cell.start(self.weights, batch)
        return tuple(part.expand(batch, -1) for part in self.begin)

    def run(self, inputs: Tensor, start: States | None = None, lengths: Tensor | None = None) -> States:
        """Return the states (T, B, n) that inputs (T, B, d) bring about.

        Parameters
        ----------
        inputs : tensor (T, B, d)
        start : states, optional
            Those before the first step; the layer's own when left out.
        lengths : tensor (B,) of whole numbers, optional
            Steps of each sequence, 1 … T; T when left out. Later inputs count as zeros, and later states mean nothing.
        """
        entered = self._entered(inputs, lengths)
        rows = rows_of(self.cell.drive(self.weights, entered))                    # one product for all times
        begin = self.start(inputs.shape[1]) if start is None else start
        return unroll(self._step, begin, lambda t, states: rows[t], len(rows))

    def outputs(self, inputs: Tensor, start: States | None = None, lengths: Tensor | None = None
                ) -> tuple[Tensor, States]:
        """Return outputs h (T, B, n) and the states (B, n) at each sequence's own end; arguments as in `run`.

        The same numbers as `run`, but an LSTM goes through torch's kernel: its step is many small products, one there.
        """
        if self.cell is not CELLS["lstm"] or self.weights["weight_hh"].dim() != 2:
            states = self.run(inputs, start, lengths)
            return states[0], tuple(ends(part, lengths) for part in states)
        return self._fused(self._entered(inputs, lengths), self.start(inputs.shape[1]) if start is None else start,
                           lengths)

    def _fused(self, inputs: Tensor, start: States, lengths: Tensor | None) -> tuple[Tensor, States]:
        import torch

        flat = [self.weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        begin = tuple(part.contiguous()[None] for part in start)
        if lengths is None:
            outputs, *last = torch.lstm(inputs, begin, flat, True, 1, 0.0, False, False, False)
        else:
            packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, lengths.cpu(), enforce_sorted=False)
            order, back = packed.sorted_indices, packed.unsorted_indices
            assert order is not None
            assert back is not None
            begin = tuple(part[:, order] for part in begin)
            data, *last = torch.lstm(packed.data, packed.batch_sizes, begin, flat, True, 1, 0.0, False, False)
            full, _ = torch.nn.utils.rnn.pad_packed_sequence(packed._replace(data=data), total_length=len(inputs))
            outputs, last = full, [part[:, back] for part in last]
        return outputs, tuple(part[0] for part in last)

    def generate(self, first: Tensor, steps: int, start: States, feed: Callable[[Tensor], Tensor],
                 stop: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return outputs (h, B, k): `first` (B, d) enters at step 1, `feed` of the output before at each later one.

        `stop` says of what would enter next, (B, d), which rows are over, (B,): those stay as they are from there on,
        and outputs end, before `steps` of them are done, with the row that is over last.
        """
        import torch

        if steps < 1:
            raise ParameterError(f"steps={steps} is not usable; give a whole number of at least 1")
        if stop is None:
            def drive_at(t: int, states: States) -> Any:
                return self.cell.drive(self.weights, first if t == 0 else feed(self.read(states[0])))

            return self.read(unroll(self._step, start, drive_at, steps)[0])

        def step(carried: States, driven: Any) -> States:
            *before, _, over = carried
            after = self._step(tuple(before), driven)
            held = tuple(torch.where(over[:, None], old, new) for old, new in zip(before, after, strict=True))
            entering = feed(self.read(held[0]))
            return (*held, entering, over | stop(entering))

        begin = (*start, first, torch.zeros(len(first), dtype=torch.bool, device=first.device))
        return self.read(unroll(step, begin, lambda t, carried: self.cell.drive(self.weights, carried[-2]), steps,
                                lambda carried: bool(carried[-1].all()))[0])

    def _step(self, states: States, driven: Any) -> States:
        return self.cell.step(self.weights, states, driven)

    def _entered(self, inputs: Tensor, lengths: Tensor | None) -> Tensor:
        """Return checked inputs, zero where a sequence is over."""
        if inputs.dim() != 3 or not len(inputs):
            raise ShapeError(f"inputs have shape {tuple(inputs.shape)}; pass (T, B, d), time first, T >= 1")
        wanted = self.weights["weight_ih"].shape[-1]
        if inputs.shape[-1] != wanted:
            raise ShapeError(f"inputs have {inputs.shape[-1]} columns, weight_ih takes {wanted}; pass inputs of that "
                             "width")
        if lengths is None:
            return inputs
        checked_lengths(lengths, len(inputs), inputs.shape[1])
        return inputs.where(present(len(inputs), lengths)[..., None], inputs.new_zeros(()))


def checked_lengths(lengths: Tensor, steps: int, batch: int) -> None:
    """Raise where lengths are not B whole numbers of 1 … T."""
    if tuple(lengths.shape) != (batch,) or lengths.is_floating_point() or lengths.is_complex():
        raise ShapeError(f"lengths have shape {tuple(lengths.shape)} and type {lengths.dtype}; pass one whole number "
                         f"for each of the {batch} sequences")
    wrong = ((lengths < 1) | (lengths > steps)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise ShapeError(f"lengths[{row}] is {int(lengths[row])}; give 1 … {steps}, the steps that the inputs have")


def aligned(layer: Layer, inputs: Tensor, start: States | None = None, lengths: Tensor | None = None) -> Tensor:
    """Read an output at every step: inputs (T, B, d) to outputs (T, B, k), as in forecasting or tagging.

    With `lengths` (B,), outputs after a sequence's own end are zero.
    """
    read = layer.read(layer.outputs(inputs, start, lengths)[0])
    return read if lengths is None else read.where(present(len(read), lengths)[..., None], read.new_zeros(()))


def many_to_one(layer: Layer, inputs: Tensor, start: States | None = None, lengths: Tensor | None = None) -> Tensor:
    """Read one output after the last step: inputs (T, B, d) to an output (B, k), as in classifying a sequence.

    With `lengths` (B,), after each sequence's own last step.

    Examples
    --------
    >>> import torch
    >>> one = {"weight_ih": torch.ones(1, 1), "weight_hh": torch.ones(1, 1), "bias_ih": torch.zeros(1),
    ...        "bias_hh": torch.zeros(1)}
    >>> inputs = torch.tensor([[1.0, 2.0, 4.0], [3.0, float("nan"), float("nan")]]).T[..., None]
    >>> many_to_one(Layer(CELLS["linear"], one), inputs, lengths=torch.tensor([3, 1])).flatten().tolist()
    [7.0, 3.0]
    """
    return layer.read(layer.outputs(inputs, start, lengths)[1][0])


def one_to_many(layer: Layer, first: Tensor, steps: int, *, start: States | None = None,
                feed: Callable[[Tensor], Tensor] = lambda output: output,
                stop: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Generate outputs (h, B, k) from one input (B, d): each output is the next input, as in iterated forecasts.

    Parameters
    ----------
    layer : Layer
    first : tensor (B, d)
        What enters at the first step.
    steps : int
        Outputs wanted, h.
    start : states, optional
        The layer's own when left out.
    feed : callable
        From an output (B, k) to the next input (B, d): the identity, or for instance a sampled class as one-hot.
    stop : callable, optional
        From what would enter next (B, d) to which rows are over (B,), as where it is the symbol of the end. Such a row
        repeats its last output; there are fewer than h outputs where all rows are over before.

    Examples
    --------
    >>> import torch
    >>> one = {"weight_ih": torch.zeros(1, 1), "weight_hh": torch.ones(1, 1), "bias_ih": torch.ones(1),
    ...        "bias_hh": torch.zeros(1)}
    >>> counted = one_to_many(Layer(CELLS["linear"], one), torch.zeros(2, 1), 9, start=(torch.tensor([[0.0], [2.0]]),),
    ...                       stop=lambda value: value[:, 0] >= 4)
    >>> counted[..., 0].T.tolist()
    [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 4.0, 4.0]]
    """
    begin = layer.start(len(first)) if start is None else start
    return layer.generate(first, steps, begin, feed, stop)


def encode_decode(encoder: Layer, decoder: Layer, inputs: Tensor, first: Tensor, steps: int, *,
                  start: States | None = None, lengths: Tensor | None = None,
                  bridge: Callable[[States], States] = lambda states: states,
                  feed: Callable[[Tensor], Tensor] = lambda output: output,
                  stop: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Read a sequence (T, B, d) to its end, then write another (h, B, k) from the state reached, as in translation.

    Parameters
    ----------
    encoder, decoder : Layer
    inputs : tensor (T, B, d)
    first : tensor (B, d')
        What enters the decoder at its first step ("begin").
    steps : int
        Outputs wanted, h.
    start : states, optional
        Those of the encoder before the first step; its own when left out.
    lengths : tensor (B,), optional
        Steps of each sequence that is read.
    bridge : callable
        From the encoder's last states to the decoder's first; the identity for equal cells and widths.
    feed, stop : callable
        As in `one_to_many`, for the decoder.
    """
    reached = encoder.outputs(inputs, start, lengths)[1]
    return decoder.generate(first, steps, bridge(reached), feed, stop)
