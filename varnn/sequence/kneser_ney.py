"""Counting: interpolated modified Kneser–Ney n-grams, the linear part of a text.

What the VAR is to a series, this is to a text: the next symbol from the few before it, by a table. All is arrays; a
distribution is a row of a sparse table for each order, mixed from the shortest context to the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from varnn.sequence.symbols import BEGIN, NO_OUTCOME

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 2_000_000  # numbers of a table of distributions at once


@dataclass(frozen=True, eq=False)
class Level:
    """The counts of one order, as arrays.

    Attributes
    ----------
    keys : array (G,)
        Sorted; each (n−1)-gram that is a context, as (first symbol, number of its rest); see `KneserNey.numbers`.
    starts, symbols : arrays
        Rows of a sparse table (contexts + 1, outcomes); the last row, of an unseen context, is empty.
    shares : array
        max(count − discount, 0) / total of each entry.
    passed : array (contexts + 1,)
        What is left for the shorter context, λ.
    """

    keys: Ints
    starts: Ints
    symbols: Ints
    shares: Floats
    passed: Floats


@dataclass(frozen=True, eq=False)
class KneserNey:
    """Probabilities of the next symbol by interpolated modified Kneser–Ney smoothing.

    p_n(w | c) = max(count(c w) − D(count), 0) / count(c) + λ(c) p_{n−1}(w | c without its first symbol); orders below
    the highest count the different symbols before c w; p_0 = 1 / outcomes.

    Attributes
    ----------
    order : int
        Longest n-gram.
    codes : int
        Codes of the vocabulary; outcomes are those from unknown on.
    levels : tuple of Level
        Order 1 first.

    References
    ----------
    Chen & Goodman (1999), An empirical study of smoothing techniques for language modeling, equations 24–26.
    """

    order: int
    codes: int
    levels: tuple[Level, ...]

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return f"Kneser–Ney {self.order}-gram"

    @property
    def outcomes(self) -> int:
        """Symbols that may come next."""
        return self.codes - NO_OUTCOME

    @cached_property
    def tables(self) -> list[Any]:
        """The shares as sparse tables, order 1 first."""
        return [sparse.csr_array((level.shares, level.symbols, level.starts),
                                 shape=(len(level.passed), self.outcomes)) for level in self.levels]

    def contexts(self, row: Ints) -> Ints:
        """Return for each symbol of codes (T,), and for what follows the last, its context's row in each table.

        The array is (T + 1, order): entry [t, n − 1] numbers the n − 1 symbols before t; unseen ones have the last row.
        """
        padded = np.concatenate([np.full(self.order - 1, BEGIN), row])
        found = np.zeros((len(row) + 1, self.order), dtype=np.int64)
        number = np.zeros(len(padded), dtype=np.int64)  # of the (n−1)-gram that ends here; one empty gram
        for n in range(2, self.order + 1):
            # the (n−1)-gram ending at i is (symbol i−n+2, number of the (n−2)-gram ending at i)
            number = self._numbered(n, padded, number)
            found[:, n - 1] = number[self.order - 2:]
        return found

    def _numbered(self, n: int, padded: Ints, rest: Ints) -> Ints:
        level = self.levels[n - 1]
        missing = len(level.keys)
        first = np.full(len(padded), -1, dtype=np.int64)
        first[n - 2:] = padded[:len(padded) - n + 2]
        key = rest * self.codes + first
        known = (first >= 0) & (rest < len(self.levels[n - 2].passed) - 1)
        at = np.searchsorted(level.keys, key)
        hit = known & (at < missing)
        hit[hit] = level.keys[at[hit]] == key[hit]
        return np.where(hit, at, missing)

    def of_contexts(self, contexts: Ints) -> Floats:
        """Return distributions (P, outcomes) for contexts (P, order)."""
        mixed = np.full((len(contexts), self.outcomes), 1.0 / self.outcomes)
        for n, (level, table) in enumerate(zip(self.levels, self.tables, strict=True)):
            rows = contexts[:, n]
            mixed = level.passed[rows][:, None] * mixed + table[rows].toarray()
        return mixed

    def log_each(self, row: Ints, outcomes: Ints) -> Floats:
        """Return log p of each outcome (numbers from 0) given the codes before it, (len(outcomes),)."""
        contexts = self.contexts(row)[:len(outcomes)]
        logs = np.empty(len(outcomes))
        step = max(1, CHUNK // self.outcomes)
        for first in range(0, len(outcomes), step):
            part = self.of_contexts(contexts[first:first + step])
            logs[first:first + step] = np.log(part[np.arange(len(part)), outcomes[first:first + step]])
        return logs


def fit_kneser_ney(rows: Sequence[Ints], order: int, codes: int, begun: Sequence[bool] | None = None) -> KneserNey:
    """Count the n-grams of sequences of codes, each with its end in it where an end is to be predicted.

    Parameters
    ----------
    rows : list of arrays (T_i,)
    order : int
    codes : int
        Of the vocabulary, reserved ones included.
    begun : list of bool, optional
        Which rows are whole sequences, preceded by begin; a piece from the middle of a text is not, and its first
        symbols, whose context is unknown, are only counted as context.
    """
    text, predicted = _joined(rows, order, begun)
    grams: list[Ints] = [np.zeros(len(text), dtype=np.int64)]  # number of the n-gram that ends here
    keys: list[Ints] = []
    for n in range(1, order):
        first = np.full(len(text), BEGIN, dtype=np.int64)
        first[n - 1:] = text[:len(text) - n + 1]
        kinds, numbers = np.unique(grams[-1] * codes + first, return_inverse=True)
        keys.append(kinds)
        grams.append(numbers.astype(np.int64))
    levels: list[Level] = []
    counts_above: tuple[Ints, Ints, Ints] | None = None
    for n in range(order, 0, -1):
        context = np.concatenate([[0], grams[n - 1][:-1]])[predicted]
        outcome = text[predicted] - NO_OUTCOME
        size = int(context.max()) + 1 if n > 1 else 1
        size = len(keys[n - 2]) if n > 1 else size
        if counts_above is None:
            pair, count = np.unique(context * codes + outcome, return_counts=True)
        else:  # how many different symbols stand before: each (n+1)-gram counts once for the n-gram in it
            pair, count = np.unique(_without_first(counts_above, keys[n - 1], codes) * codes + counts_above[1],
                                    return_counts=True)
        counts_above = (pair // codes, pair % codes, count)
        levels.append(_level(keys[n - 2] if n > 1 else np.zeros(1, dtype=np.int64), *counts_above, size))
    return KneserNey(order, codes, tuple(reversed(levels)))


def _joined(rows: Sequence[Ints], order: int, begun: Sequence[bool] | None) -> tuple[Ints, NDArray[np.bool_]]:
    """Return all rows behind each other, begins between them, and which places are predicted."""
    start = np.full(max(1, order - 1), BEGIN, dtype=np.int64)
    parts: list[Ints] = []
    marks: list[NDArray[np.bool_]] = []
    for i, row in enumerate(rows):
        parts += [start, row]
        own = np.ones(len(row), dtype=bool)
        if begun is not None and not begun[i]:
            own[:order - 1] = False
        marks += [np.zeros(len(start), dtype=bool), own]
    return np.concatenate(parts), np.concatenate(marks)


def _without_first(counts: tuple[Ints, Ints, Ints], keys: Ints, codes: int) -> Ints:
    """Return the context without its first symbol, of each entry: the rest that its key holds."""
    return keys[counts[0]] // codes


def _level(keys: Ints, context: Ints, outcome: Ints, count: Ints, size: int) -> Level:
    """Return discounted shares and what is passed on."""
    of = [int((count == k).sum()) for k in (1, 2, 3, 4)]
    y = of[0] / max(1, of[0] + 2 * of[1])
    # where a count of counts is missing (a tiny text) the formula may leave (0, k): held inside it
    discount = np.array([0.0, *(min(max(k - (k + 1) * y * of[k] / max(1, of[k - 1]), 0.05), k - 0.05)
                                for k in (1, 2, 3))])
    total = np.bincount(context, count, minlength=size)
    taken = discount[np.minimum(count, 3)]
    passed = np.ones(size + 1)
    seen = total > 0
    passed[:size][seen] = np.bincount(context, taken, minlength=size)[seen] / total[seen]
    starts = np.concatenate([[0], np.cumsum(np.bincount(context, minlength=size)), [len(count)]])
    return Level(keys, starts.astype(np.int64), outcome, (count - taken) / total[context], passed)
