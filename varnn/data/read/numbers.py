"""Cells of text to numbers: which mark is the decimal, which groups thousands, which means "missing".

Called by `read_table`. One decimal mark holds for a whole file, and where nothing in the file proves which it is,
the file is refused: a factor of 1000 is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.errors import DtypeError

MISSING_MARKS = frozenset({
    "", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", ".", "..", "...", ":", "#N/A", "#NA", "-",
    "--", "–", "—", "ND", "n.a.", "na", "NAN", "Nan",
})
NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?")
GROUPED = {  # thousands grouped by the key, decimals after the other mark
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?"),
}
SIMPLE = {  # a number with at most this decimal mark
    ".": re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?"),
}
BLANK_GROUPS = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?:[.,]\d*)?")
DRESSED = re.compile(r"[(]?[$€£¥₹+\-−]*\s*[\d][\d.,'’ \u00a0\u202f\u2009]*\s*(?:[%KMBTkmb€$£)]|bn|mn|\*|[a-z])?[)]?")
STAND_INS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, -99.9, -999.9, -99.99, -999.99, -9999.99, -8888.0, -7777.0,
             999.0, 9999.0, 99999.0, 999999.0, 999.9, 9999.9, 99.99, 999.99, 9999.99, -1e34, -9.99e30,
             -9.999e30, 1e20, 1e34, 1e36)


def tidy(cell: str) -> str:
    """Return the cell without blanks around it or between its thousands, and with a plain minus.

    Examples
    --------
    >>> tidy(" −1 234,5 ")
    '-1234,5'
    """
    plain = cell.strip().replace("−", "-")
    return re.sub(r"[ \u00a0\u202f\u2009'’]", "", plain) if BLANK_GROUPS.fullmatch(plain) else plain


def decimal_mark(cells: Iterable[str], separator: str = ",") -> str:
    """Return the mark before decimals that the cells of a file prove, "." where there is nothing to decide.

    A mark is proven by a number that can be read in no other way: 1.5, 0.123 and 1,234.5 prove the dot; 1,5, 0,123 and
    1.234,5 the comma. 1.234 and 1,234 prove nothing.

    Raises
    ------
    DtypeError
        Both marks are proven, or neither where they are needed; naming the cells.

    Examples
    --------
    >>> decimal_mark(["1.000", "0,5"])
    ','
    """
    proof: dict[str, str] = {}
    doubt: dict[str, str] = {}
    whole = ""
    for cell in cells:
        settled = "." in proof and "," not in cell  # nothing more can be learnt from the cell
        if settled or not NUMBER.fullmatch(cell):
            continue
        marks = {mark for mark in ".," if mark in cell}
        if not marks:
            whole = whole or cell
            continue
        possible = [mark for mark, other in ((".", ","), (",", ".")) if _reads(cell, mark, other)]
        if len(possible) == 1:
            proof.setdefault(possible[0], cell)
        elif possible:
            doubt.setdefault(next(iter(marks)), cell)
    if len(proof) == 2:
        raise DtypeError(f"{proof['.']!r} has a decimal dot and {proof[',']!r} a decimal comma; write all numbers of "
                         "a file with the same mark")
    if proof:
        return next(iter(proof))
    unsure = doubt.get(",", "")
    if not unsure and "." in doubt and separator != "," and (separator == ";" or whole):
        unsure = doubt["."]  # where commas separate cells, a dot is the decimal mark
    if unsure:
        bare = re.sub(r"[.,]", "", unsure)
        raise DtypeError(f"{unsure!r} can mean {bare} or {bare[:-3]}.{bare[-3:]}; write numbers without thousands "
                         "separators, or at least one with decimals that leave no doubt")
    return "."


def numbers(column: pd.Series[Any], decimal: str) -> NDArray[np.float64]:
    """Return a column of text as numbers, nan for the marks of missing values.

    Raises
    ------
    DtypeError
        A cell is neither; naming column and row.
    """
    cells = column.astype(str).map(tidy)
    other = "," if decimal == "." else "."
    grouped = cells.str.fullmatch(GROUPED[other].pattern)
    cells = cells.where(~grouped, cells.str.replace(other, "", regex=False))
    usable = cells.str.fullmatch(SIMPLE[decimal].pattern)
    plain = cells.where(usable, "").str.replace(",", ".", regex=False)
    found = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    missing = cells.isin(MISSING_MARKS).to_numpy()
    odd = np.flatnonzero(np.isnan(found) & ~missing)
    if len(odd):
        row = int(odd[0])
        cell = cells.iloc[row]
        if re.fullmatch(r"[+-]?inf(inity)?", cell, re.IGNORECASE):
            return np.array([float(one) if re.fullmatch(r"[+-]?inf(inity)?", one, re.IGNORECASE) else value
                             for one, value in zip(cells, found, strict=True)])
        what = "no numbers at all" if not np.isfinite(found).any() else f"{cell!r}, which is not a number"
        raise DtypeError(f"column {str(column.name)!r} holds {what} (data row {row + 1}, {column.index[row]}: "
                         f"{cell!r}); correct it, or choose other columns with columns=[…]")
    return found


def is_text(cells: Iterable[str]) -> bool:
    """Tell whether no cell holds anything like a number: 1.5, 12 %, $3, 1.2K are like numbers.

    Examples
    --------
    >>> is_text(["red", "blue", ""]), is_text(["$3", "$4"]), is_text(["", ""])
    (True, False, False)
    """
    held = [cell.strip() for cell in cells if cell.strip() not in MISSING_MARKS]
    return bool(held) and not any(NUMBER.fullmatch(cell) or DRESSED.fullmatch(cell) for cell in held)


def stand_in(values: NDArray[np.float64]) -> float | None:
    """Return the number that stands for missing values in these, far outside all others; None where there is none.

    "Far" means farther from the others than they are from each other, or negative where all others are not.

    Examples
    --------
    >>> stand_in(np.array([12.0, 14.0, -999.0, 13.0]))
    -999.0
    """
    present = values[np.isfinite(values)]
    for mark in STAND_INS:
        rest = present[present != mark]
        if len(rest) < 2 or len(rest) == len(present):
            continue
        low, high = float(rest.min()), float(rest.max())
        away = low - mark if mark < low else mark - high
        if away > max(high - low, 0.1 * max(abs(low), abs(high))) or (mark <= -99 and low >= 0 and away > 0):
            return mark
    return None


def _reads(cell: str, decimal: str, other: str) -> bool:
    return bool(SIMPLE[decimal].fullmatch(cell) or GROUPED[other].fullmatch(cell))
