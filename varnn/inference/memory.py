"""How fast a recursion forgets: norms of ∂h_T/∂h_{T−j}, and the rate at which they grow or shrink.

Called by users and the page on memory. The rate is the largest Lyapunov exponent of `stability`, for cells before and
after training and for fitted forecasters left to themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from varnn.display import Shown
from varnn.errors import ConvergenceError, ParameterError
from varnn.picture import INK, MUTED, Picture, styled
from varnn.series import generator, whole_number

if TYPE_CHECKING:
    from torch import Tensor

    from varnn.forecaster import Fitted
    from varnn.recursion.cells import States
    from varnn.recursion.wiring import Layer

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Memory(Shown):
    """What is left of a small change j steps ago.

    Attributes
    ----------
    log_norms : array (J + 1,)
        Mean over sequences of ln ‖(∂h_T/∂h_{T−j})ᵀ u‖ at j = 0 … J, for random u of length 1; so 0 at j = 0.

    Examples
    --------
    >>> memory = Memory(np.log(0.9) * np.arange(51))               # a linear recursion with root 0.9
    >>> round(memory.rate, 4), round(float(memory.norms[10]), 4)
    (-0.1054, 0.3487)
    """

    log_norms: FloatArray

    @property
    def norms(self) -> FloatArray:
        """Geometric means of the norms, (J + 1,); 0 below the range of float64."""
        return np.asarray(np.exp(np.clip(self.log_norms, -746.0, 709.0)))

    def plot(self) -> Picture:
        """Draw what is left against the steps back, on a log axis."""
        from matplotlib.figure import Figure

        with styled():
            figure = Figure(figsize=(6.4, 3.2), layout="constrained")
            axes = figure.subplots()
            axes.plot(np.arange(len(self.log_norms)), self.log_norms / np.log(10.0), color=INK, lw=1.4)
            axes.axhline(0.0, color=MUTED, lw=0.6)
            axes.set(xlabel="steps back, j", ylabel="log₁₀ ‖∂h(T)/∂h(T−j)‖")
        return Picture.of(axes, f"What is left of a change j steps ago, to {len(self.log_norms) - 1} steps: its "
                                f"logarithm moves by {self.rate:+.3f} a step.")

    @property
    def rate(self) -> float:
        """Growth of the logarithm for each step, over the later half: ln ρ(A) of a linear recursion."""
        half = len(self.log_norms) // 2
        return float((self.log_norms[-1] - self.log_norms[half]) / (len(self.log_norms) - 1 - half))


def layer_memory(layer: Layer, inputs: Tensor, *, rng: object = None) -> Memory:
    """Follow a change of the states of a layer back through the inputs it runs over.

    Parameters
    ----------
    layer : Layer
    inputs : tensor (T, B, d)
        What enters; J = T − 1.
    rng : int or numpy Generator, optional
        Of the directions u.

    Raises
    ------
    ConvergenceError
        If the states leave to infinity.

    Examples
    --------
    >>> import torch
    >>> from varnn.recursion.cells import CELLS
    >>> from varnn.recursion.wiring import Layer
    >>> arrays = CELLS["linear"].initial(2, 8, np.random.default_rng(0))
    >>> weights = {name: torch.tensor(value) for name, value in arrays.items()}
    >>> weights["weight_hh"] = 0.9 * weights["weight_hh"]
    >>> memory = layer_memory(Layer(CELLS["linear"], weights), torch.zeros(50, 1, 2, dtype=torch.float64))
    >>> bool(abs(memory.rate - np.log(0.9)) < 1e-12)
    True
    """
    rows = layer.cell.drive(layer.weights, inputs).unbind(0)
    return followed(lambda states, driven: layer.cell.step(layer.weights, states, driven), layer.start(inputs.shape[1]),
                    list(rows), rng=rng)


def forecast_memory(fit: Fitted, steps: int = 1000, *, discard: int = 200, rng: object = None) -> Memory:
    """Follow a change of a fitted forecaster back along its own forecasts, from the last observation on.

    The states are those of its layer and the lagged observations, so that the rate of a VAR is the log of its largest
    root, and that of any fit the largest Lyapunov exponent of its forecasts.

    Parameters
    ----------
    fit : Fitted
        Without a trend in time and without exogenous columns; of a TanhRNN its most probable member.
    steps : int
        J, at least 2.
    discard : int
        Steps run first.
    rng : int or numpy Generator, optional

    Raises
    ------
    ParameterError
        If the fit is driven from outside, or has no layer.

    Examples
    --------
    >>> from varnn.models.rung1_var import VAR
    >>> fit = VAR(lags=1).fit(np.random.default_rng(0).normal(size=100).cumsum())
    >>> bool(abs(forecast_memory(fit, 100).rate + np.log(abs(fit.roots[0]))) < 1e-6)  # the log of the largest root
    True
    """
    import torch

    steps, discard = whole_number(steps, "steps", least=2), whole_number(discard, "discard", least=0)
    if fit.exog is not None or getattr(fit.spec, "trend", "c") == "ct":
        raise ParameterError(f"this {fit.spec.label} is driven by exogenous columns or a trend in time, so that its "
                             "forecasts are no recursion of their own; give layer_memory its layer and inputs")
    layer, first = fit.layer(), fit.ahead(1)[0]
    corrections = layer.weights["weight_hh"].shape[0] if getattr(fit, "likelihood", "") == "exact" else 0
    known = first.shape[1] - corrections
    lagged, rest = first[:, :known], first[:, known:]

    def step(states: States, _: Any) -> States:
        *own, past = states
        driven = layer.cell.drive(layer.weights, torch.cat([past, rest], dim=-1))
        after = layer.cell.step(layer.weights, tuple(own), driven)
        return (*after, torch.cat([layer.read(after[0]), past], dim=-1)[:, :past.shape[1]])

    begin = (*(part[-1] for part in layer.run(fit.inputs())), lagged)
    with torch.no_grad():
        for _ in range(discard):
            begin = step(begin, None)
    return followed(step, begin, [None] * (steps + 1), rng=rng)


def followed(step: Callable[[States, Any], States], start: States, drives: list[Any], *, rng: object = None) -> Memory:
    """Run a step over its drives, then carry a direction back through it, rescaled at each step so that it never ends.

    Parameters
    ----------
    step : callable
        (states, drive) -> states, in torch.
    start : tuple of tensor (B, ·)
    drives : list
        One for each step; at least 2.
    rng : int or numpy Generator, optional
    """
    import torch

    if len(drives) < 2:
        raise ParameterError(f"there are {len(drives)} steps; give at least 2")
    states = [start]
    with torch.no_grad():
        for driven in drives:
            states.append(step(states[-1], driven))
    if not all(bool(part.isfinite().all()) for part in states[-1]):
        raise ConvergenceError("the states leave to infinity; give fewer steps or smaller recurrent weights")
    like = states[-1][0]
    draw = torch.tensor(generator(rng).standard_normal(like.shape)).to(like)
    back = (draw / draw.norm(dim=-1, keepdim=True), *(torch.zeros_like(part) for part in states[-1][1:]))
    total, logs = torch.zeros(len(like), dtype=like.dtype, device=like.device), [0.0]
    for before, driven in zip(states[-2:0:-1], drives[:0:-1], strict=True):
        leaves = tuple(part.detach().clone().requires_grad_() for part in before)
        after = step(leaves, driven.detach() if hasattr(driven, "detach") else driven)
        pairs = [(part, weight) for part, weight in zip(after, back, strict=True) if part.requires_grad]
        found: tuple[Tensor | None, ...] = (None,) * len(leaves)
        if pairs:
            found = torch.autograd.grad([part for part, _ in pairs], leaves, [weight for _, weight in pairs],
                                        allow_unused=True)
        moved = tuple(torch.zeros_like(leaf) if part is None else part
                      for part, leaf in zip(found, leaves, strict=True))
        size = torch.cat(moved, dim=-1).norm(dim=-1).clamp(min=torch.finfo(like.dtype).tiny)
        total = total + size.log()
        logs.append(float(total.mean()))
        back = tuple(part / size[:, None] for part in moved)
    return Memory(np.array(logs))
