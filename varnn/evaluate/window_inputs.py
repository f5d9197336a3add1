"""Exogenous columns window by window: one that has not moved yet says nothing there, and is left out of that design.

Called by `backtest` and by whoever tells how often that was. Knows columns and rows only, no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from varnn.estimate.least_squares.regression import undetermined_below
from varnn.series import FloatArray, Series


@dataclass(frozen=True, eq=False)
class Inputs:
    """The exogenous columns of a whole sample, from which windows take what moves in them.

    Attributes
    ----------
    whole : Series, optional
        All rows of all columns.
    """

    whole: Series | None

    def window(self, start: int, stop: int) -> Series | None:
        """Return rows start … stop − 1 of the columns that are determined there, or None where none is.

        A law dummy is 0 until the law; two of them are one until the second law. Columns that depend on one another
        in the whole sample stay, for the model to refuse by name.
        """
        if self.whole is None:
            return None
        kept = self.determined(start, stop)
        return self.rows(start, stop, [self.whole.names[column] for column in kept]) if kept else None

    def rows(self, start: int, stop: int, names: Sequence[str]) -> Series:
        """Return rows start … stop − 1 of some columns, as a copy that holds no reference to the rest."""
        assert self.whole is not None
        if tuple(names) == self.whole.names:
            return self.whole.window(start, stop)
        columns = [self.whole.names.index(name) for name in names]
        block = np.ascontiguousarray(self.whole.values[start:stop, columns])
        return Series(block, tuple(names), self.whole.index[start:stop].copy())

    def determined(self, start: int, stop: int) -> list[int]:
        """Return the columns whose coefficients rows start … stop − 1 can tell, as far as the whole sample can."""
        assert self.whole is not None
        if (start, stop) == (0, len(self.whole)):
            return list(range(self.whole.k))
        spanned = set(_independent(self.whole.values[start:stop]))
        return [column for column in range(self.whole.k) if column in spanned or column in self._dependent]

    @cached_property
    def _dependent(self) -> set[int]:
        assert self.whole is not None
        return set(range(self.whole.k)) - set(_independent(self.whole.values))


def _independent(block: FloatArray) -> list[int]:
    """Return the columns that are no combination of a constant and the columns before them.

    Examples
    --------
    >>> law = (np.arange(6.0) > 3)[:, None]
    >>> _independent(np.hstack([np.ones((6, 1)), law, 1 - law, np.arange(6.0)[:, None]]))
    [1, 3]
    """
    rows, count = block.shape
    if rows < 2 or count == 0:
        return []
    centred = block - block.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    size = np.abs(block).max(axis=0)
    resolution = np.finfo(float).eps * np.sqrt(rows) * size / np.where(length > 0, length, 1.0)
    moves = (length > 0) & (resolution < 0.5)
    directions, found = np.zeros((rows, 0)), list[int]()
    for column in np.flatnonzero(moves):
        rest = centred[:, column] / length[column]
        for _ in range(2):  # a second pass takes out what rounding left
            rest = rest - directions @ (directions.T @ rest)
        left = float(np.sqrt(rest @ rest))
        if left > undetermined_below(resolution[[column]], rows)[0]:
            directions = np.column_stack([directions, rest / left])
            found.append(int(column))
    return found
