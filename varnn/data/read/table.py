"""A user's own file: CSV, Excel or Parquet to dated, numeric frames, with errors that name column and row.

Called by the command line and by anyone who starts from a file. Nothing is imputed or sorted; what is not taken for
a series — text, counters, a second date — is named in a `ReadingWarning`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from varnn.counters import COUNTED, DATE_NAMES, SHOWN, plain, why_it_only_counts
from varnn.data.read.dates import AS_DATES, can_only_be_dates, date_columns, time_index
from varnn.data.read.files import cells_of
from varnn.data.read.long import CONVENTIONS
from varnn.data.read.numbers import MISSING_MARKS, decimal_mark, is_text, numbers, stand_in, tidy
from varnn.data.transform import transformed
from varnn.errors import (
    DtypeError,
    InputError,
    ReadingWarning,
    ShapeError,
    TimeIndexError,
)
from varnn.guide import guided

TENTHS = re.compile(r"\d{4}\.[1-4]")  # quarters, months or tenths of a year
STACKED = DATE_NAMES & {"date", "year", "years", "yr", "time", "period", "timeperiod", "ds"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """What a file holds.

    Attributes
    ----------
    y : DataFrame (T, k)
        The series to forecast.
    X : DataFrame (T, q) or None
        Exogenous columns.
    notes : tuple of str
        A sentence for each column that was left out, and for each mark of missing values taken for a number.
    """

    y: pd.DataFrame
    X: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


@guided
def read_table(
    path: str | Path,
    date: str | bool | None = None,
    columns: Sequence[str] | None = None,
    exog: Sequence[str] | None = None,
    transform: str = "none",
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read a CSV, Excel or Parquet file into the series to forecast and their exogenous columns.

    Separators (comma, semicolon, tab, bar, blanks), encodings (UTF-8, UTF-16, Windows-1252), packing (gz, bz2, xz),
    decimal commas and thousands separators are recognised. Dates may be ISO dates or times, 1959Q1, Q1 1959, 1959M01,
    Jan 1959, Jan-59, 01-Jan-1959, 1959-W05, m/d/Y or d/m/Y where only one is regular, years, 195901, 19590131,
    decimal years (1959.25), seconds or milliseconds since 1970, or a year beside a quarter, month or week.

    Columns that are text, that only count or date the rows (named like it, or in equal steps) are left out and named
    in a `ReadingWarning`, unless `columns` or `exog` names them.

    Parameters
    ----------
    path : str or Path
    date : str, False or None     the date column; None finds it, False (or "none", when no column
                                  has that name) leaves dates out and numbers the rows
    columns : list of str         series to forecast; None takes all that measure something
    exog : list of str            exogenous columns, kept as they are
    transform : {"none", "diff", "logdiff"}     applied to the series, not to exog; drops the first row

    Returns
    -------
    y : DataFrame (T, k)          on a PeriodIndex, DatetimeIndex with freq or RangeIndex
    X : DataFrame (T, q) or None

    Raises
    ------
    StoreError        the file cannot be read
    InputError        an unknown column, with the nearest name; a logarithm of a number ≤ 0
    DtypeError        a cell that is not a number, naming column and row; a decimal mark in doubt
    TimeIndexError    duplicated, unsorted or irregular dates, naming the first gap; dates in doubt

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> lines = ["month;sales", "2024-01;3,5", "2024-02;4,0", "2024-03;3,8"]
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sales.csv"
    ...     _ = file.write_text(chr(10).join(lines))
    ...     frame, _ = read_table(file)
    >>> frame.index[0], frame["sales"].tolist()
    (Period('2024-01', 'M'), [3.5, 4.0, 3.8])
    """
    found = read(path, date=date, columns=columns, exog=exog)
    for note in found.notes:
        warnings.warn(note, ReadingWarning, stacklevel=2)
    y = transformed(found.y, transform)
    return y, None if found.X is None else found.X.iloc[len(found.X) - len(y) :]


def read(
    path: str | Path,
    *,
    date: str | bool | None = None,
    columns: Sequence[str] | None = None,
    exog: Sequence[str] | None = None,
    like: pd.Index[Any] | None = None,
) -> Read:
    """Read a file as `read_table` does, and return its notes instead of warning.

    Parameters
    ----------
    path, date, columns, exog
        As in `read_table`.
    like : Index, optional
        The dates of the main file, for a file of what follows: it takes their frequency, and goes on from their last
        row where there are no dates.
    """
    return _of_cells(_Cells(path, *cells_of(Path(path))), date, columns, exog, like)


def read_panel(
    path: str | Path,
    *,
    by: str | None = None,
    date: str | bool | None = None,
    columns: Sequence[str] | None = None,
    exog: Sequence[str] | None = None,
    like: Mapping[str, pd.Index[Any]] | None = None,
) -> tuple[str, dict[str, Read]]:
    """Read a file in which many series stand one below the other; return the name of their column, and each by name.

    Parameters
    ----------
    path : str or Path
    by : str, optional
        The column that names the series; found when left out, where it has the name that Nixtla's or gluonts' files
        give it (`unique_id`, `item_id`), which also tells the columns of dates and values.
    date, columns, exog
        As in `read_table`, within each series.
    like : mapping of name to Index, optional
        The dates that those of each series follow.

    Raises
    ------
    InputError
        Naming the series, or the column that there is not, with the nearest.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> lines = [f"{shop},2024-{month:02d}-01,{month}" for shop in "ab" for month in range(1, 7)]
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "shops.csv"
    ...     _ = file.write_text(chr(10).join(["unique_id,ds,y", *lines]))
    ...     by, parts = read_panel(file)
    >>> by, {name: part.y.shape for name, part in parts.items()}
    ('unique_id', {'a': (6, 1), 'b': (6, 1)})
    """
    table, separator, notes = cells_of(Path(path))
    names = [str(name) for name in table.columns]
    convention = next((one for one in CONVENTIONS if by in (None, one[0]) and set(one[:2]) <= set(names)), None)
    if by is None and convention is None:
        raise InputError(f"{path} has no column that is known to name series; name it with by=… (--id …), one of "
                         f"{', '.join(names)}")
    by = convention[0] if by is None and convention else _known([str(by)], names, "by")[0]
    if convention is not None:
        date = convention[1] if date is None else date
        columns = [convention[2]] if columns is None and convention[2] in names else columns
    nameless = table[by].astype(str).str.strip() == ""
    if nameless.any():
        raise InputError(f"{path} has no name of a series in column {by!r} at data row {int(nameless.argmax()) + 1}")
    groups = {str(name): part.drop(columns=by).reset_index(drop=True) for name, part in table.groupby(by, sort=False)}
    found: dict[str, Read] = {}
    first: pd.Index[Any] | None = None
    for name in sorted(groups, key=lambda one: -len(groups[one])):
        known = first if like is None else like.get(name)
        try:
            found[name] = _of_cells(_Cells(path, groups[name], separator, notes), date, columns, exog, known)
        except InputError as problem:
            raise type(problem)(f"series {name!r}: {problem}") from None
        if first is None:
            first, columns = found[name].y.index, list(found[name].y.columns)
    return by, {name: found[name] for name in groups}


@dataclass(frozen=True, eq=False)
class _Cells:
    """What is in a file: its cells, the mark between them, and what was left out."""

    path: str | Path
    table: pd.DataFrame
    separator: str
    notes: Sequence[str]


def _of_cells(
    cells: _Cells,
    date: str | bool | None,
    columns: Sequence[str] | None,
    exog: Sequence[str] | None,
    like: pd.Index[Any] | None,
) -> Read:
    """Read the cells of one series, or of several beside each other."""
    path, table, separator, notes = cells.path, cells.table, cells.separator, list(cells.notes)
    names = [str(name) for name in table.columns]
    found = _typed_dates(table) or date_columns(table.astype(str), like)
    numbered = date is False or (date == "none" and date not in names)
    dates = () if numbered else found if date in (None, True) else tuple(_known([str(date)], names, "date"))
    inputs = _known(exog or (), names, "exog")
    rest = [name for name in names if name not in (*dates, *inputs, *(found if numbered else ()))]
    wanted = _known(columns, names, "columns") if columns is not None else rest
    for name in [*wanted, *inputs]:
        if name in dates:
            raise InputError(f"column {name!r} holds the dates; leave it out of columns and exog, or number "
                             "the rows with date=False (--date none)")
    twice = [name for name in wanted if name in inputs]
    if twice:
        raise InputError(f"column {twice[0]!r} is in columns and in exog; a series cannot explain itself")
    decimal = _decimal_mark(table, rest, separator)
    if date is None and not dates:
        _no_unread_dates(table, [name for name in rest if columns is None or name not in wanted], decimal)
        _no_names_of_rows(table, rest if columns is None else [])
    if columns is None:
        wanted, left = _measures(table[wanted], decimal)
        notes = [*notes, *left]
    if not wanted:
        besides = ", ".join(filter(None, [*dates, *inputs]))
        besides = f" besides {besides}" if besides else ""
        raise ShapeError(f"{path} has no column to forecast{besides}{_told(notes)}")
    index = time_index(table, dates, like) if dates else _following(len(table), like)
    y = _numbers(table[wanted].set_axis(index, axis=0), decimal)
    X = _numbers(table[inputs].set_axis(index, axis=0), decimal) if inputs else None
    return Read(y=y, X=X, notes=(*notes, *_stand_ins(y), *(() if X is None else _stand_ins(X))))


def _told(notes: Sequence[str]) -> str:
    return f" ({'; '.join(notes)})" if notes else ""


def _typed_dates(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the first column of dates in a Parquet file."""
    for name, dtype in table.dtypes.items():
        if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return (str(name),)
    return ()


def _following(rows: int, like: pd.Index[Any] | None) -> pd.RangeIndex:
    """Return numbers for rows without dates, those after the last of `like` where that has numbers."""
    if isinstance(like, pd.RangeIndex) and len(like):
        return pd.RangeIndex(like[-1] + like.step, like[-1] + like.step * (rows + 1), like.step)
    return pd.RangeIndex(rows)


def _no_names_of_rows(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table without dates whose rows have names, all different: places, or dates in an unknown spelling."""
    for name in names:
        cells = table[name].astype(str).str.strip() if _is_text_column(table[name]) else pd.Series(dtype=str)
        if len(cells) >= COUNTED and cells.is_unique and is_text(cells):
            raise TimeIndexError(f"no dates are found, and column {name!r} gives each row a name of its own "
                                 f"({', '.join(cells.iloc[:SHOWN])} …); if they are dates, {AS_DATES}; if the rows are "
                                 "in time order all the same, number them with date=False (--date none)")


def _no_unread_dates(table: pd.DataFrame, names: Sequence[str], decimal: str) -> None:
    """Refuse a table in which no dates were found, and a column is named like them and cannot be read as such."""
    for name in names:
        if plain(name) not in DATE_NAMES:
            continue
        why = _why_left_out(table[name], decimal)
        first = tidy(str(table[name].iloc[0])).replace(",", ".")
        day_numbers = why.startswith("counts") and float(first) >= 10_000
        unclear = day_numbers or all(TENTHS.fullmatch(str(cell).strip()) for cell in table[name])
        if not why or unclear or why.startswith(("is named like a date", "holds text")):
            try:
                time_index(table, (name,))
            except InputError as problem:
                raise type(problem)(f"{problem}; where they are none, number the rows with date=False "
                                    f"(--date none), and name {name!r} in columns if it is a series") from None
        if why.startswith("repeats") and plain(name) in STACKED:
            cells = table[name].map(tidy).tolist() if _is_text_column(table[name]) else table[name].tolist()
            again = cells.index(cells[0], 1)
            raise TimeIndexError(f"column {name!r} starts again at {cells[0]} in data row {again + 1}, as where "
                                 "several series stand one below the other; give each series its own column, or "
                                 "name the column that tells them apart (--id)")


def _measures(table: pd.DataFrame, decimal: str) -> tuple[list[str], list[str]]:
    """Return the columns that measure something, and a sentence for each of the others.

    A column that rises in equal steps under a name that says nothing is a counter only beside others that are not.
    """
    kept: list[str] = []
    even: dict[str, str] = {}
    notes: list[str] = []
    for name in map(str, table.columns):
        why = _why_left_out(table[name], decimal)
        told = f"{f'column {name!r}' if name else 'the column without a name'} was left out: it {why}"
        if not why:
            kept.append(name)
        elif why.startswith(("rises or falls", "repeats")):
            even[name] = told
        else:
            notes.append(f"{told}; name it in columns (--columns) to forecast it"
                         if why.startswith(("counts", "dates", "is named")) and name else told)
    if not kept:
        return list(even), notes
    return kept, [*notes, *(f"{told}; name it in columns (--columns) to forecast it" for told in even.values())]


def _why_left_out(column: pd.Series[Any], decimal: str) -> str:
    """Return in words why a column is no series to forecast; "" where it is one."""
    if not _is_text_column(column):
        if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
            return f"holds {'True and False' if pd.api.types.is_bool_dtype(column.dtype) else f'type {column.dtype}'}"
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return why_it_only_counts(column.name, values) or _why_dates(column.astype(str))
    cells = [str(cell) for cell in column]
    if is_text(cells):
        return f"holds text ({next(cell for cell in cells if cell.strip())!r} …)"
    try:
        why = why_it_only_counts(column.name, numbers(column, decimal))
    except DtypeError:
        return ""  # named, with its row, when it is read
    return why or _why_dates(column)


def _why_dates(column: pd.Series[Any]) -> str:
    """Return in words that a column of numbers holds consecutive dates under a name that does not say so."""
    if len(column) < COUNTED or not can_only_be_dates(column):
        return ""
    return f"dates the rows ({', '.join(map(str, column.iloc[:SHOWN]))} …)"


def _is_text_column(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)


def _decimal_mark(table: pd.DataFrame, names: Sequence[str], separator: str) -> str:
    cells = (tidy(str(cell)) for name in names if _is_text_column(table[name]) for cell in table[name])
    return decimal_mark(cells, separator)


def _stand_ins(y: pd.DataFrame) -> list[str]:
    """Return a sentence for each column in which a number seems to stand for missing values."""
    notes = []
    for name in y.columns:
        values = y[name].to_numpy()
        mark = stand_in(values)
        if mark is not None:
            count = int((values == mark).sum())
            first = y.index[int(np.argmax(values == mark))]
            notes.append(f"column {name!r} is {mark:.12g} in {count} row{'s' if count > 1 else ''} (first {first}), "
                         "far outside the rest, and was read as that number; if it marks missing values, leave those "
                         "cells empty")
    return notes


def _known(asked: Sequence[str], names: Sequence[str], argument: str) -> list[str]:
    asked = [asked] if isinstance(asked, str) else list(asked)
    for name in asked:
        if name not in names:
            near = get_close_matches(str(name), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, names))}"
            raise InputError(f"{argument}: the file has no column {name!r}; {hint}")
    if len(set(asked)) < len(asked):
        raise InputError(f"{argument} names a column twice: {', '.join(asked)}")
    return asked


def _numbers(table: pd.DataFrame, decimal: str) -> pd.DataFrame:
    done: dict[str, Any] = {}
    for name, dtype in table.dtypes.items():
        column = table[name]
        if _is_text_column(column):
            done[str(name)] = numbers(column.where(column.notna(), ""), decimal)
        elif pd.api.types.is_bool_dtype(dtype) or not pd.api.types.is_numeric_dtype(dtype):
            raise DtypeError(f"column {str(name)!r} has type {dtype}, not numbers; choose others with columns=[…]")
        else:
            done[str(name)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.DataFrame(done, index=table.index)


__all__ = ["MISSING_MARKS", "Read", "read", "read_panel", "read_table"]
