"""The recursion of every model, written once for torch: h_t = step(h_{t-1}, drive_t).

Called by `wiring` and the gated rung; `estimate/kernels.py` is its compiled twin, and a test holds the two
equal. Knows neither cells nor weights nor data; the only loop over time that runs on torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    import torch

State = TypeVar("State")
Drive = TypeVar("Drive")


def unroll(step: Callable[[State, Drive], State], state: State, drive_at: Callable[[int, State], Drive],
           steps: int, over: Callable[[State], bool] = lambda state: False) -> State:
    """Run h_t = step(h_{t-1}, drive_at(t, h_{t-1})) for t = 0 … steps − 1 and return all states.

    Parameters
    ----------
    step : callable
        (state, drive) -> state.
    state : tensor (B, n), or tuple of such tensors
        h_{-1}; an LSTM carries two, a model that feeds back its forecasts carries those as well.
    drive_at : callable
        (t, h_{t-1}) -> drive; what enters at step t, which may depend on what the recursion did before.
    steps : int
        At least 1.
    over : callable
        From a state to whether it is the last, before `steps` of them are done; never by default.

    Returns
    -------
    tensor (steps, B, n), or tuple of such tensors
        Of the same form as `state`; fewer than `steps` where it was over before.

    Examples
    --------
    >>> import torch
    >>> half = unroll(lambda h, x: 0.5 * h + x, torch.zeros(1, 1), lambda t, h: torch.ones(1, 1), 3)
    >>> half.flatten().tolist()
    [1.0, 1.5, 1.75]
    """
    states = []
    for t in range(steps):
        state = step(state, drive_at(t, state))
        states.append(state)
        if over(state):
            break
    return stacked(states)


def stacked(states: list[State]) -> State:
    """Stack states along a new first axis: tensors as they are, tuples part by part."""
    import torch

    if isinstance(states[0], tuple):
        parts = zip(*cast("list[tuple[torch.Tensor, ...]]", states), strict=True)
        return cast(State, tuple(torch.stack(part) for part in parts))
    return cast(State, torch.stack(cast("list[torch.Tensor]", states)))


def rows_of(drives: Drive) -> list[Drive]:
    """Take drives (T, …), or a tuple of them, apart into those of each step, once.

    `drives[t]` at each step would cost a table of zeros (T, …) at each step of the backward pass.
    """
    if isinstance(drives, tuple):
        parts = (part.unbind(0) for part in cast("tuple[torch.Tensor, ...]", drives))
        return cast("list[Drive]", list(zip(*parts, strict=True)))
    return cast("list[Drive]", list(cast("torch.Tensor", drives).unbind(0)))


def present(steps: int, lengths: torch.Tensor) -> torch.Tensor:
    """Return whether step t belongs to each of B sequences of these lengths, (T, B).

    Examples
    --------
    >>> import torch
    >>> present(3, torch.tensor([3, 1])).T.tolist()
    [[True, True, True], [True, False, False]]
    """
    import torch

    return torch.arange(steps, device=lengths.device)[:, None] < lengths


def ends(states: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
    """Return the state (B, n) at each sequence's own last step, of states (T, B, n); at step T without lengths.

    Examples
    --------
    >>> import torch
    >>> ends(torch.arange(6).reshape(3, 2, 1), torch.tensor([3, 1])).flatten().tolist()
    [4, 1]
    """
    import torch

    if lengths is None:
        return states[-1]
    return states[lengths - 1, torch.arange(states.shape[1], device=states.device)]
