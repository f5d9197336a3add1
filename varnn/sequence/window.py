"""The linear part of a label at each step: a regression on the steps around, as a VAR's lags are.

Called by `aligned` for label sequences; symbols enter one-hot, numbers as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import log_softmax

from varnn.sequence.linear_parts import STRENGTHS, logistic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REACHES = (0, 1, 2, 4)
ROWS = 50_000  # steps that choose reach and strength


@dataclass(frozen=True, eq=False)
class WindowRegression:
    """Logistic regression of a label on the steps t − reach … t, and to t + reach where both directions are read.

    Attributes
    ----------
    reach : int
    both : bool
    strength : float
        Inverse of the ridge.
    symbols : int
        Codes, 0 for numbers.
    weights : array (F + 1, c)
        The constant is last.
    """

    reach: int
    both: bool
    strength: float
    symbols: int
    weights: Floats

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        sides = "around" if self.both else "before"
        return f"logistic regression on the step and {self.reach} {sides}"

    def log_proba(self, rows: list[NDArray[Any]]) -> Floats:
        """Return log probabilities (ΣT_i, c) of all steps of rows, one row behind the other."""
        table = window_table(rows, self.reach, self.both, self.symbols)
        logs: Floats = log_softmax(table @ self.weights[:-1] + self.weights[-1], axis=1)
        return logs


def window_table(rows: list[NDArray[Any]], reach: int, both: bool, symbols: int) -> Any:
    """Return what each step sees, (ΣT_i, F); zero beyond the ends of a sequence."""
    shifts = range(-reach, reach + 1) if both else range(-reach, 1)
    lengths = np.array([len(row) for row in rows])
    flat = np.concatenate(rows)
    within = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    size = np.repeat(lengths, lengths)
    blocks: list[Any] = []
    for shift in shifts:
        there = (within + shift >= 0) & (within + shift < size)
        source = np.clip(np.arange(len(flat)) + shift, 0, len(flat) - 1)
        if symbols:
            blocks.append(sparse.csr_array((there.astype(float), (np.arange(len(flat)), flat[source])),
                                           shape=(len(flat), symbols)))
        else:
            blocks.append(np.where(there[:, None], flat[source], 0.0))
    return sparse.hstack(blocks, format="csr") if symbols else np.hstack(blocks)


def fit_window(rows: list[NDArray[Any]], labels: Ints, count: int, symbols: int, both: bool,
               held: list[NDArray[Any]], held_labels: Ints) -> WindowRegression:
    """Return the regression whose reach and strength predict the validation part best."""
    few = _few(rows)
    few_labels = labels[:sum(map(len, few))]
    best: tuple[float, int, float] | None = None
    for reach in REACHES:
        table = window_table(few, reach, both, symbols)
        asked = window_table(held, reach, both, symbols)
        weights: Floats | None = None
        for strength in STRENGTHS[::2]:
            weights = logistic(table, few_labels, count, strength, weights)
            logs = log_softmax(asked @ weights[:-1] + weights[-1], axis=1)
            loss = -float(logs[np.arange(len(held_labels)), held_labels].mean())
            if best is None or loss < best[0] - 1e-6:
                best = (loss, reach, strength)
    assert best is not None
    return refit_window(WindowRegression(best[1], both, best[2], symbols, np.zeros((1, count))), rows, labels)


def refit_window(like: WindowRegression, rows: list[NDArray[Any]], labels: Ints) -> WindowRegression:
    """Return the same regression fitted to other rows."""
    table = window_table(rows, like.reach, like.both, like.symbols)
    weights = logistic(table, labels, like.weights.shape[1], like.strength)
    return WindowRegression(like.reach, like.both, like.strength, like.symbols, weights)


def _few(rows: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the first rows, up to a number of steps that is enough to choose settings."""
    total = np.cumsum([len(row) for row in rows])
    return rows[:max(1, int(np.searchsorted(total, ROWS)))]
