"""One sequence through a fit, step by step, as `varnn.report.unrolled` draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.estimate.numerics.threads import one_torch_thread
from varnn.sequence.fitted import Floats, where
from varnn.sequence.symbols import Sequences


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A sequence step by step.

    Attributes
    ----------
    inputs : tuple of str
        What enters at each of T steps.
    states : array (T, n)
        h_t of the first member, in the forward direction.
    outputs : tuple of str
        The likeliest answer at each step, with its probability.
    probabilities : DataFrame (T, c)
        Of every answer at each step.
    losses : array (T,)
        −log p of what came true, in `loss_unit`; NaN where nothing is asked.
    title : str
    units : tuple of str
        Names of the n units; they have none.
    loss_unit : str
    """

    inputs: tuple[str, ...]
    states: Floats
    outputs: tuple[str, ...]
    probabilities: pd.DataFrame
    losses: Floats
    title: str = ""
    units: tuple[str, ...] = ()
    loss_unit: str = "nats"


def unrolled(inputs: tuple[str, ...], states: Floats, probabilities: pd.DataFrame, losses: Floats,
             title: str) -> Unrolled:
    """Return a sequence step by step, its likeliest answers put in words."""
    best = probabilities.to_numpy().argmax(1)
    said = tuple(f"{probabilities.columns[at]} {row[at]:.2f}" for at, row in
                 zip(best, probabilities.to_numpy(), strict=True))
    return Unrolled(inputs, states, said, probabilities, losses, title)


def entered(row: Sequences) -> tuple[str, ...]:
    """Return the symbols of the one sequence, or its numbers, shortened."""
    if row.kind != "numbers":
        return tuple(row.rows[0])
    return tuple(" ".join(f"{value:.3g}" for value in step[:3]) + (" …" if len(step) > 3 else "")
                 for step in row.rows[0])


def states_along(fit: Any, table: NDArray[Any]) -> Floats:
    """Return the first member's states (T, n) along one row of codes (1, T) or standardised numbers (1, T, k)."""
    import torch

    weights = fit.tensors(fit.members[0])
    batch = torch.as_tensor(np.ascontiguousarray(np.swapaxes(table, 0, 1)), device=where(fit.spec.device))
    batch = batch.to(getattr(torch, fit.spec.dtype)) if batch.is_floating_point() else batch
    lengths = torch.full((1,), len(batch), device=batch.device)
    with torch.no_grad(), one_torch_thread():
        states, _ = fit.network.layer(weights).outputs(fit.network.enter(weights, batch, lengths))
    found: Floats = states[:, 0].double().cpu().numpy()
    return found
