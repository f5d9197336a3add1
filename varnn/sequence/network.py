"""The recursive part of a sequence model: symbols or numbers in, a state a step, and logits W_hy h + c out.

Weights are plain mappings, in torch's names with the direction before them; the recursion is `wiring.Layer`. W_hy and c
start at zero, so that a fit starts as its linear part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from varnn.recursion.cells import CELLS, Shapes
from varnn.recursion.wiring import Layer
from varnn.sequence.batch import ends, present, turned
from varnn.sequence.symbols import NO_OUTCOME, PAD, RESERVED, UNKNOWN

if TYPE_CHECKING:
    from torch import Tensor

    from varnn.recursion.cells import States

    Weights = Mapping[str, Tensor]

Arrays = dict[str, NDArray[Any]]
# Logits see the linear part times this weight, which starts at 1: with W_hy = 0 and weight 1 they are the linear part.
BESIDE = "beside"


@dataclass(frozen=True, kw_only=True)
class Network:
    """What a fit computes with its weights.

    Attributes
    ----------
    cell : str
        A name in `varnn.recursion.cells.CELLS`.
    inputs : int
        Numbers that enter the cell at a step: those of the embedding for symbols.
    width : int
        Units in each direction, n.
    outputs : int
        Classes or outcomes, c.
    symbols : int
        Codes, 0 for numbers.
    both : bool
        Whether a second recursion reads each sequence from its end.
    tied : bool
        Whether the logit of a symbol is the product of its embedding with W h, as suits a next symbol.
    beside : bool
        Whether logits of a linear part are added.
    """

    cell: str
    inputs: int
    width: int
    outputs: int
    symbols: int = 0
    both: bool = False
    tied: bool = False
    beside: bool = False

    @property
    def directions(self) -> tuple[str, ...]:
        """The recursions there are."""
        return ("forward", "backward") if self.both else ("forward",)

    def shapes(self) -> Shapes:
        """Return the weights, name by name."""
        shapes: Shapes = {}
        if self.symbols:
            shapes["embedding"] = (self.symbols, self.inputs)
        for direction in self.directions:
            for name, shape in CELLS[self.cell].shapes(self.inputs, self.width).items():
                shapes[f"{direction}.{name}"] = shape
        shapes["readout"] = (self.inputs if self.tied else self.outputs, self.width * len(self.directions))
        shapes["offset"] = (self.outputs,)
        if self.beside:
            shapes[BESIDE] = ()
        return shapes

    def initial(self, rng: np.random.Generator, memory: float, dtype: str) -> Arrays:
        """Return weights to start from; `memory` is the number of steps that gates begin by keeping."""
        arrays: Arrays = {name: np.zeros(shape) for name, shape in self.shapes().items()}
        if self.symbols:
            arrays["embedding"] = rng.standard_normal((self.symbols, self.inputs))
            arrays["embedding"][PAD] = 0.0
        for direction in self.directions:
            for name, array in starting_weights(self.cell, self.inputs, self.width, rng, memory).items():
                arrays[f"{direction}.{name}"] = array
        if self.beside:
            arrays[BESIDE] = np.ones(())
        return {name: array.astype(dtype) for name, array in arrays.items()}

    def layer(self, weights: Weights, direction: str = "forward") -> Layer:
        """Return the recursion of one direction."""
        own = {name.removeprefix(f"{direction}."): weight for name, weight in weights.items()
               if name.startswith(f"{direction}.")}
        return Layer(CELLS[self.cell], own)

    def enter(self, weights: Weights, batch: Tensor, lengths: Tensor) -> Tensor:
        """Return what enters the cell, (T, B, d); zero where a sequence is over, whatever stands in the padding."""
        here = present(len(batch), lengths)[..., None]
        rows = weights["embedding"][batch.clamp(0, self.symbols - 1)] if self.symbols else batch
        return rows.where(here, rows.new_zeros(()))

    def last(self, weights: Weights, batch: Tensor, lengths: Tensor, drop: Drop) -> Tensor:
        """Return the logits (B, c) that are read at each sequence's own end."""
        import torch

        entered = drop(self.enter(weights, batch, lengths))
        read = [ends(run(self.layer(weights, "forward"), entered)[0], lengths)]
        if self.both:
            read.append(ends(run(self.layer(weights, "backward"), turned(entered, lengths))[0], lengths))
        return self.logits(weights, drop(torch.cat(read, -1)))

    def each(self, weights: Weights, batch: Tensor, lengths: Tensor, drop: Drop,
             start: States | None = None) -> tuple[Tensor, States]:
        """Return the logits (T, B, c) of every step, and the states after the last."""
        import torch

        entered = drop(self.enter(weights, batch, lengths))
        states, after = run(self.layer(weights, "forward"), entered, start)
        read = [states]
        if self.both:
            back = run(self.layer(weights, "backward"), turned(entered, lengths))[0]
            read.append(turned(back, lengths))
        return self.logits(weights, drop(torch.cat(read, -1))), after

    def logits(self, weights: Weights, states: Tensor) -> Tensor:
        """W_hy h + c; through the embedding where the outcomes are symbols."""
        read = states @ weights["readout"].mT
        if self.tied:
            read = read @ weights["embedding"][NO_OUTCOME:].mT
        return read + weights["offset"]


def run(layer: Layer, inputs: Tensor, start: States | None = None) -> tuple[Tensor, States]:
    """Return all outputs h (T, B, n) and the states after the last step.

    An LSTM goes by torch's own kernel, which computes the same: its step is many small products, one kernel there.
    """
    if layer.cell is not CELLS["lstm"]:
        states = layer.run(inputs, start)
        return states[0], tuple(part[-1] for part in states)
    import torch

    begin = layer.cell.start(layer.weights, inputs.shape[1]) if start is None else start
    flat = [layer.weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    outputs, h, c = torch.lstm(inputs, tuple(part[None] for part in begin), flat, True, 1, 0.0, False, False, False)
    return outputs, (h[0], c[0])


@dataclass(frozen=True, eq=False)
class Drop:
    """Noise of training: a share of numbers held at zero, and a share of symbols read as unknown.

    Attributes
    ----------
    share : float
    unknown : float
    generator : torch.Generator, optional
        None outside training: nothing is dropped then.
    noise : float
        Standard deviation of what is added to numbers that enter.
    """

    share: float = 0.0
    unknown: float = 0.0
    generator: Any = None
    noise: float = 0.0

    def __call__(self, values: Tensor) -> Tensor:
        """Hold a share of the numbers at zero, and enlarge the others by as much."""
        if self.generator is None or self.share == 0.0:
            return values
        import torch

        kept = torch.rand(values.shape, generator=self.generator, dtype=torch.float32) >= self.share
        return values * (kept.to(values) / (1.0 - self.share))

    def blank(self, codes: Tensor) -> Tensor:
        """Read a share of the symbols as unknown, so that the unknown symbol is learnt; add noise to numbers."""
        if self.generator is None:
            return codes
        import torch

        if codes.is_floating_point():
            if self.noise == 0.0:
                return codes
            return codes + self.noise * torch.randn(codes.shape, generator=self.generator).to(codes)
        if self.unknown == 0.0:
            return codes
        hit = torch.rand(codes.shape, generator=self.generator).to(codes.device) < self.unknown
        return torch.where(hit & (codes >= RESERVED), UNKNOWN, codes)


def starting_weights(cell: str, inputs: int, width: int, rng: np.random.Generator, memory: float) -> Arrays:
    """Return the cell's weights to start from: orthogonal recurrent blocks, gates that keep for about `memory` steps."""
    bound = 1.0 / sqrt(width)
    arrays: Arrays = {name: rng.uniform(-bound, bound, shape) for name, shape in
                      CELLS[cell].shapes(inputs, width).items()}
    blocks = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(CELLS[cell].gates)]
    if CELLS[cell].gates == 1:
        arrays["weight_hh"] = np.vstack(blocks)
    keep = np.log(rng.uniform(1.0, max(memory - 1.0, 1.0 + 1e-6), width))
    if cell == "gru":
        arrays["bias_hh"][width:2 * width] = keep
    if cell == "lstm":
        arrays["bias_hh"][:width] = -keep
        arrays["bias_hh"][width:2 * width] = keep
    return arrays
