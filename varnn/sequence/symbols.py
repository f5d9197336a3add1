"""What a sequence is, and how symbols become numbers.

Called by both estimators before anything is learnt: it refuses what they cannot use, and says where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.errors import (
    DtypeError,
    InputError,
    MissingDataError,
    NonFiniteError,
    ParameterError,
    ShapeError,
    TooShortError,
)

Kind = Literal["characters", "words", "numbers"]
Row = Any  # a str, a tuple of str, or an array (T, k)
PAD, BEGIN, UNKNOWN, END = range(4)
RESERVED = 4
NO_OUTCOME = 2  # padding and begin are never what comes next
MARKS = ("\x02", "\x03")  # begin and end of a sequence, where an n-gram has to show them


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences that have been looked at: all of one kind, none empty, every number finite.

    Attributes
    ----------
    kind : str
        "characters" (each a str), "words" (each a tuple of str) or "numbers" (each an array (T_i, k)).
    rows : tuple
    columns : int
        Numbers in a step, k; 0 for symbols.
    """

    kind: Kind
    rows: tuple[Row, ...]
    columns: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each, (N,)."""
        return np.array([len(row) for row in self.rows], dtype=np.int64)

    @cached_property
    def keys(self) -> list[object]:
        """What is equal exactly when two sequences are."""
        if self.kind == "numbers":
            return [(row.shape, row.tobytes()) for row in self.rows]
        return list(self.rows)

    def take(self, places: Iterable[int]) -> Sequences:
        """Return some of them, in the order asked for."""
        return Sequences(self.kind, tuple(self.rows[i] for i in places), self.columns)


def checked(sequences: object, argument: str, *, like: Sequences | None = None,
            empty: bool = False) -> Sequences:
    """Return the sequences of one argument, or say which of them cannot be used and why.

    Parameters
    ----------
    sequences : list, tuple, array or Series
        Of str (characters), of lists or tuples of str (words), or of arrays (T_i, k) or frames.
    argument : str
        Its name, for messages.
    like : Sequences, optional
        What they have to agree with in kind and columns.
    empty : bool
        Whether a sequence may have no symbols.

    Raises
    ------
    DtypeError
        If it is no collection of sequences, or mixes kinds.
    TooShortError
        If there is none, or one of them is empty.
    ShapeError, MissingDataError, NonFiniteError
        For numbers of unlike columns, missing or infinite.

    Examples
    --------
    >>> checked(["ab", "c"], "x").kind
    'characters'
    >>> checked([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], "x").lengths.tolist()
    [1, 2]
    """
    rows = _rows(sequences, argument)
    kind = like.kind if like is not None else _kind(rows[0], f"{argument}[0]")
    found = []
    for i, row in enumerate(rows):
        place = f"{argument}[{i}]"
        own = _kind(row, place)
        # an empty list has no kind of its own
        if own != kind and not (len(row) == 0 and not isinstance(row, str)):
            raise DtypeError(f"{place} is a sequence of {own}, {_before(like, argument)} of {kind}; pass sequences of "
                             "one kind: all str (characters), all lists of str (words) or all arrays of numbers")
        if len(row) == 0 and not empty:
            raise TooShortError(f"{place} is empty; leave it out, or give a sequence of at least one step")
        found.append(_row(row, kind, place))
    columns = 0
    if kind == "numbers":
        columns = like.columns if like is not None else found[0].shape[1]
        for i, row in enumerate(found):
            if row.shape[1] != columns:
                raise ShapeError(f"{argument}[{i}] has {row.shape[1]} columns, {_before(like, argument)} {columns}; "
                                 "every step of every sequence holds the same numbers")
    return Sequences(kind, tuple(found), columns)


def _before(like: Sequences | None, argument: str) -> str:
    return f"{argument}[0]" if like is None else "the fit was made on sequences"


def _rows(sequences: object, argument: str) -> list[Row]:
    if isinstance(sequences, str):
        raise DtypeError(f"{argument} is one str; pass a list of sequences, [{argument}] for a single one")
    if isinstance(sequences, (pd.DataFrame, dict)) or not isinstance(sequences, Iterable):
        raise DtypeError(f"{argument} is a {type(sequences).__name__}; pass a list of sequences, one for each label")
    rows = list(sequences)
    if not rows:
        raise TooShortError(f"{argument} holds no sequence; pass at least one")
    return rows


def _kind(row: Row, place: str) -> Kind:
    if isinstance(row, str):
        return "characters"
    if isinstance(row, (list, tuple)) and row and all(isinstance(word, str) for word in row):
        return "words"
    if row is None or row is pd.NA or (isinstance(row, float) and np.isnan(row)):
        raise MissingDataError(f"{place} is missing ({row!r}); leave the row out with its label")
    if isinstance(row, (list, tuple)) and any(isinstance(word, str) for word in row):
        odd = next(i for i, word in enumerate(row) if not isinstance(word, str))
        raise DtypeError(f"{place}[{odd}] is a {type(row[odd]).__name__} among str; a sequence of words holds str only")
    if isinstance(row, (list, tuple, np.ndarray, pd.DataFrame, pd.Series)):
        return "numbers"
    raise DtypeError(f"{place} is a {type(row).__name__}; a sequence is a str, a list of str, or an array (T, k)")


def _row(row: Row, kind: Kind, place: str) -> Row:
    if kind == "characters":
        return row
    if kind == "words":
        return tuple(row)
    try:
        if isinstance(row, np.ndarray) and row.dtype.kind in "OSUMmc":
            raise TypeError(f"it holds {row.dtype}")
        values = np.asarray(row, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DtypeError(f"{place} is not an array of numbers ({problem}); pass (T, k), one row a step") from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise ShapeError(f"{place} has shape {values.shape}; pass (T, k), one row a step")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        step, column = (int(at) for at in bad[0])
        error = MissingDataError if np.isnan(values[step, column]) else NonFiniteError
        raise error(f"{place} holds {values[step, column]} at step {step}, column {column}; fill it or leave the "
                    "sequence out: padding is added here, not by you")
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return values


@dataclass(frozen=True)
class Vocabulary:
    """The symbols that a fit knows; codes 0 … 3 are padding, begin, unknown and end.

    Attributes
    ----------
    symbols : tuple of str
        Sorted; symbol i has the code i + 4.
    """

    symbols: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]], least: int = 1) -> Vocabulary:
        """Return the symbols that occur at least `least` times.

        Examples
        --------
        >>> Vocabulary.of(["abba", "b"], least=2).symbols
        ('a', 'b')
        """
        counts = Counter(symbol for row in rows for symbol in row)
        return cls(tuple(sorted(symbol for symbol, count in counts.items() if count >= least)))

    def __len__(self) -> int:
        return len(self.symbols) + RESERVED

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The code of each symbol."""
        return {symbol: i + RESERVED for i, symbol in enumerate(self.symbols)}

    def encode(self, row: Iterable[str]) -> NDArray[np.int64]:
        """Return the codes (T,) of a sequence; what is not known has the code of the unknown symbol."""
        known = self.numbers
        return np.array([known.get(symbol, UNKNOWN) for symbol in row], dtype=np.int64)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What may come next: unknown, end, and every symbol."""
        return ("<unknown>", "<end>", *self.symbols)

    def refuse_unknown(self, rows: Sequence[Sequence[str]], argument: str) -> None:
        """Raise InputError that names the first symbol that is not known, and where it stands."""
        for i, row in enumerate(rows):
            for j, symbol in enumerate(row):
                if symbol not in self.numbers:
                    raise InputError(f"{argument}[{i}] has the symbol {symbol!r} at step {j}, which was not among the "
                                     f"{len(self.symbols)} of the training part; fit with unknown= a share above 0 to "
                                     "have it read as unknown")


def labels_of(labels: object, count: int, argument: str) -> list[object]:
    """Return one label a sequence, (N,); str, whole numbers or booleans."""
    if isinstance(labels, str) or not isinstance(labels, Iterable) or isinstance(labels, (pd.DataFrame, dict)):
        raise DtypeError(f"{argument} is a {type(labels).__name__}; pass one label for each sequence")
    if isinstance(labels, np.ndarray) and labels.ndim != 1:
        raise ShapeError(f"{argument} has shape {labels.shape}; pass one label for each sequence, (N,)")
    found = [_label(label, f"{argument}[{i}]") for i, label in enumerate(labels)]
    if len(found) != count:
        raise ShapeError(f"{argument} has {len(found)} labels for {count} sequences; pass one for each")
    return found


def _label(label: object, place: str) -> object:
    if isinstance(label, np.generic):
        label = label.item()
    if label is None or label is pd.NA or label is pd.NaT or (isinstance(label, float) and np.isnan(label)):
        raise MissingDataError(f"{place} is missing; leave the sequence out, or give its label")
    if isinstance(label, float) and label.is_integer():
        return int(label)
    if not isinstance(label, (str, int, bool)):
        raise DtypeError(f"{place} is {label!r}, a {type(label).__name__}; a label is a str, a whole number or a bool")
    return label


def classes_of(labels: Iterable[object], argument: str) -> tuple[Any, ...]:
    """Return the different labels in order; at least two, of one type."""
    kinds = sorted(set(labels), key=lambda label: (str(type(label)), label))
    types = {str if isinstance(label, str) else int for label in kinds}
    if len(types) > 1:
        raise DtypeError(f"{argument} mixes str and numbers ({kinds[0]!r}, {kinds[-1]!r}); give labels of one type")
    if len(kinds) < 2:
        raise InputError(f"{argument} has the one class {kinds[0]!r}; there is nothing to tell apart: give at least "
                         "two")
    return tuple(kinds)


def class_numbers(labels: Sequence[object], classes: Sequence[object], argument: str) -> NDArray[np.int64]:
    """Return the place of each label among the classes, (N,)."""
    place = {label: i for i, label in enumerate(classes)}
    for i, label in enumerate(labels):
        if label not in place:
            shown = ", ".join(map(repr, classes[:8])) + (" …" if len(classes) > 8 else "")
            raise ParameterError(f"{argument}[{i}] is {label!r}, a class that the fit does not know; known are {shown}")
    return np.array([place[label] for label in labels], dtype=np.int64)
