"""Descent by Adam over small batches, with clipping, a one-cycle rate and an early stop.

Called by the sequence estimators, whose losses are sums over many sequences; knows neither cells nor data. Its budget
is counted in steps, never in seconds: the same seed gives the same weights on a slow machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import cos, inf, isfinite, pi
from typing import TYPE_CHECKING, TypeVar

from varnn.estimate.numerics.stop import Stop

if TYPE_CHECKING:
    from torch import Tensor

Batch = TypeVar("Batch")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How far and how fast.

    Attributes
    ----------
    steps : int
        Steps allowed; the rate rises over the first fifth of them and falls to nothing at the last.
    check : int
        Steps between two looks at the validation part.
    rate : float
        Largest rate of learning.
    decay : float
        Pull of the weights towards zero, as in AdamW.
    clip : float
        Largest norm of a gradient.
    patience : int
        Looks without an improvement after which the descent ends.
    rise : float
        Share of the steps over which the rate rises.
    """

    steps: int
    check: int
    rate: float
    decay: float = 1e-3
    clip: float = 1.0
    patience: int = 8
    rise: float = 0.2

    def rate_at(self, step: int) -> float:
        """Return the rate of a step: up by a cosine, then down by one; Smith & Topin (2018).

        Examples
        --------
        >>> pace = Pace(steps=100, check=10, rate=0.01)
        >>> round(pace.rate_at(20), 4), pace.rate_at(100) < 1e-5
        (0.01, True)
        """
        top = max(1.0, self.rise * self.steps)
        if step < top:
            return self.rate * (0.04 + 0.96 * (1 - cos(pi * step / top)) / 2)
        return self.rate * (1e-4 + (1 + cos(pi * min(1.0, (step - top) / max(1.0, self.steps - top)))) / 2)


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    weights : dict of str to tensor
        The weights that were best on the validation part.
    stop : Stop
    steps : int
        Steps taken.
    best_step : int
        The step after which the weights were kept.
    losses : tuple of (int, float, float)
        At each look: the step, the mean training loss since the look before, the validation loss.
    """

    weights: Mapping[str, Tensor]
    stop: Stop
    steps: int
    best_step: int
    losses: tuple[tuple[int, float, float], ...] = field(default=())


def descend(weights: Mapping[str, Tensor], loss: Callable[[Mapping[str, Tensor], Batch], Tensor],
            batches: Callable[[], Iterable[Batch]], validate: Callable[[Mapping[str, Tensor]], float], pace: Pace,
            progress: Progress | None = None, *, name: str = "fit", free_of_decay: Iterable[str] = ()) -> Descent:
    """Lower a loss over batches and keep the weights that were best on the validation part; the start counts as well.

    Parameters
    ----------
    weights : mapping of str to tensor
        Where to start; not changed.
    loss : callable
        (weights, batch) -> scalar tensor.
    batches : callable
        () -> the batches of one pass over the training part, in a new order each time.
    validate : callable
        (weights) -> loss on the validation part; called without gradients.
    pace : Pace
    progress : callable, optional
        (name, steps done, steps allowed), after every look.
    name : str
        What progress is told.
    free_of_decay : iterable of str
        Weights that are not pulled towards zero.

    Returns
    -------
    Descent

    References
    ----------
    Kingma & Ba (2015), Adam; Loshchilov & Hutter (2019), decoupled decay; Smith & Topin (2018), one cycle.
    """
    import torch

    own = {key: weight.detach().clone().requires_grad_() for key, weight in weights.items()}
    free = set(free_of_decay)
    adam = torch.optim.AdamW([
        {"params": [own[key] for key in own if key not in free], "weight_decay": pace.decay},
        {"params": [own[key] for key in own if key in free], "weight_decay": 0.0},
    ], lr=pace.rate)

    def look() -> float:
        with torch.no_grad():
            return validate(own)

    best = look()
    kept = {key: weight.detach().clone() for key, weight in own.items()}
    best_step = since = step = 0
    losses: list[tuple[int, float, float]] = []
    seen: list[Tensor] = []
    while True:
        for batch in batches():
            for group in adam.param_groups:
                group["lr"] = pace.rate_at(step)
            adam.zero_grad()
            value = loss(own, batch)
            value.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(list(own.values()), pace.clip)
            if not torch.isfinite(norm):
                return Descent(kept, Stop.diverged, step, best_step, tuple(losses))
            adam.step()
            step += 1
            seen.append(value.detach())
            if step % pace.check and step < pace.steps:
                continue
            now = look()
            losses.append((step, float(torch.stack(seen).mean()), now))
            seen = []
            if progress is not None:
                progress(name, step, pace.steps)
            if isfinite(now) and now < (best if isfinite(best) else inf) - 1e-6:
                best, best_step, since = now, step, 0
                kept = {key: weight.detach().clone() for key, weight in own.items()}
            else:
                since += 1
            if step >= pace.steps:
                return Descent(kept, Stop.out_of_steps, step, best_step, tuple(losses))
            if since >= pace.patience:
                return Descent(kept, Stop.validation_rose, step, best_step, tuple(losses))
