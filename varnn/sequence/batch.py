"""Sequences of different length side by side: time first, padding on the right, and lengths.

Right padding never reaches the state at a sequence's own end, so the recursion needs no mask: `recursion.ends`
reads there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from varnn.errors import ResourceLimitError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 4 * 2**30  # bytes of one padded table; the largest of the board has 60 MB


def padded(rows: Sequence[NDArray[Any]], value: float = 0) -> NDArray[Any]:
    """Return rows of different length as one table (N, T) or (N, T, k), filled up on the right.

    Examples
    --------
    >>> padded([np.array([1, 2]), np.array([3])]).tolist()
    [[1, 2], [3, 0]]
    """
    longest = max(len(row) for row in rows)
    shape = (len(rows), longest, *rows[0].shape[1:])
    size = int(np.prod(shape, dtype=np.float64)) * rows[0].itemsize
    if size > LARGEST:
        long = int(np.argmax([len(row) for row in rows]))
        raise ResourceLimitError(f"{len(rows)} sequences, filled up to the {longest} steps of the longest "
                                 f"(number {long}), need {size / 2**30:.1f} GiB, allowed are "
                                 f"{LARGEST / 2**30:.0f}; cut long sequences into pieces, or leave the longest out")
    table = np.full(shape, value, dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        table[i, :len(row)] = row
    return table


def turned(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Turn each sequence of (T, B, …) around within its own length; padding stays where it is.

    Examples
    --------
    >>> import torch
    >>> turned(torch.tensor([[1, 4], [2, 5], [3, 0]]), torch.tensor([3, 2])).T.tolist()
    [[3, 2, 1], [5, 4, 0]]
    """
    import torch

    steps = len(inputs)
    t = torch.arange(steps, device=inputs.device)[:, None]
    source = torch.where(t < lengths, lengths - 1 - t, t)
    return inputs.gather(0, source.reshape(steps, -1, *[1] * (inputs.dim() - 2)).expand_as(inputs))
