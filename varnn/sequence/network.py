"""The recursive part of a sequence model: symbols or numbers in, a state a step, and logits W_hy h + c out.

Weights are plain mappings, in torch's names with the direction before them; the recursion is `wiring.Layer`. W_hy and c
start at zero, so that a fit starts as its linear part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from varnn.recursion.cells import CELLS, Shapes
from varnn.recursion.loop import ends, present
from varnn.recursion.wiring import Layer
from varnn.sequence.batch import turned
from varnn.sequence.symbols import NO_OUTCOME, PAD, RESERVED, UNKNOWN

if TYPE_CHECKING:
    from torch import Tensor

    from varnn.recursion.cells import States

    Weights = Mapping[str, Tensor]

Arrays = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
# Two weights, of the linear part's logits and of the recursion's; both start at 1, and with W_hy = 0, c = 0 and the
# first at 1 the logits are those of the linear part.
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
            shapes[BESIDE] = (2,)
        return shapes

    def initial(self, rng: np.random.Generator, memory: float, dtype: str) -> Arrays:
        """Return weights to start from; `memory` is the number of steps that gates begin by keeping."""
        arrays: Arrays = {name: np.zeros(shape) for name, shape in self.shapes().items()}
        if self.symbols:
            arrays["embedding"] = rng.standard_normal((self.symbols, self.inputs))
            arrays["embedding"][PAD] = 0.0
        for direction in self.directions:
            started = CELLS[self.cell].initial(self.inputs, self.width, rng, max(2.0, memory))
            for name, array in started.items():
                arrays[f"{direction}.{name}"] = array
        if self.beside:
            arrays[BESIDE] = np.ones(2)
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
        read = [ends(self.layer(weights, "forward").outputs(entered)[0], lengths)]
        if self.both:
            read.append(ends(self.layer(weights, "backward").outputs(turned(entered, lengths))[0], lengths))
        return self.logits(weights, drop(torch.cat(read, -1)))

    def each(self, weights: Weights, batch: Tensor, lengths: Tensor, drop: Drop,
             start: States | None = None) -> tuple[Tensor, States]:
        """Return the logits (T, B, c) of every step, and the states after the last."""
        import torch

        entered = drop(self.enter(weights, batch, lengths))
        states, after = self.layer(weights, "forward").outputs(entered, start)
        read = [states]
        if self.both:
            back = self.layer(weights, "backward").outputs(turned(entered, lengths))[0]
            read.append(turned(back, lengths))
        return self.logits(weights, drop(torch.cat(read, -1))), after

    def logits(self, weights: Weights, states: Tensor) -> Tensor:
        """W_hy h + c; through the embedding where the outcomes are symbols."""
        read = states @ weights["readout"].mT
        if self.tied:
            read = read @ weights["embedding"][NO_OUTCOME:].mT
        return read + weights["offset"]


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


def pool_weights(own: Floats, said: Floats, y: NDArray[np.int64]) -> Floats:
    """Return the two weights, above 0, whose a · linear part + b · own predicts y best on the validation part.

    Half a case draws both to 1/2, where both are trusted alike: on few sequences of validation, or where all are named
    right, the best weights would run off.
    """
    rows = np.arange(len(y))

    def loss(log_weights: Floats) -> float:
        a, b = np.exp(log_weights)
        logs = log_softmax(a * said + b * own, axis=1)
        return -float(logs[rows, y].sum()) + 0.5 * float(((log_weights - np.log(0.5)) ** 2).sum())

    found = minimize(loss, np.log([0.5, 0.5]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    weights: Floats = np.exp(found.x)
    return weights
