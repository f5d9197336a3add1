"""A user's own file: CSV or Parquet to dated, numeric frames, with errors that name column and row.

Called by the command line and by anyone who starts from a file. Nothing is imputed, sorted or dropped.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.data.read.dates import date_columns, time_index
from varnn.data.transform import transformed
from varnn.dates import regular_index
from varnn.errors import DtypeError, InputError, MissingDependencyError, ShapeError, StoreError

MISSING_MARKS = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", ".", "#N/A", "-"}
COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


def read_table(
    path: str | Path,
    date: str | bool | None = None,
    columns: Sequence[str] | None = None,
    exog: Sequence[str] | None = None,
    transform: str = "none",
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read a CSV or Parquet file into the series to forecast and their exogenous columns.

    Separators (comma, semicolon, tab), a byte-order mark, decimal commas and thousands separators are
    recognised. Dates may be ISO dates or times, 1959Q1, 1959-Q1, 1959M01, 1959-01, years, m/d/Y, or a
    year column beside a quarter or month column.

    Parameters
    ----------
    path : str or Path
    date : str, False or None     the date column; None finds it, False (or "none", when no column
                                  has that name) leaves dates out and numbers the rows
    columns : list of str         series to forecast; None takes all columns that are not date or exog
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
    DtypeError        a cell that is not a number, naming column and row
    TimeIndexError    duplicated, unsorted or irregular dates, naming the first gap
    """
    table = _columns_of_text(Path(path))
    names = [str(name) for name in table.columns]
    found = date_columns(table.astype(str)) if _all_text(table) else _typed_dates(table)
    numbered = date is False or (date == "none" and date not in names)
    dates = () if numbered else found if date in (None, True) else tuple(_known([str(date)], names, "date"))
    inputs = _known(exog or (), names, "exog")
    wanted = _known(columns, names, "columns") if columns is not None else [
        name for name in names if name not in (*dates, *inputs, *(found if numbered else ()))
        and not _row_numbers(table[name])
    ]
    for name in [*wanted, *inputs]:
        if name in dates:
            raise InputError(f"column {name!r} holds the dates; leave it out of columns and exog")
    twice = [name for name in wanted if name in inputs]
    if twice:
        raise InputError(f"column {twice[0]!r} is in columns and in exog; a series cannot explain itself")
    if not wanted:
        raise ShapeError(f"{path} has no column to forecast besides {', '.join([*dates, *inputs])}")
    index = time_index(table, dates) if dates else _own_index(table)
    levels = _numbers(table[wanted].set_axis(index, axis=0))
    y = transformed(levels, transform)
    if not inputs:
        return y, None
    return y, _numbers(table[inputs].set_axis(index, axis=0)).iloc[len(levels) - len(y) :]


def _columns_of_text(path: Path) -> pd.DataFrame:
    """Return the file's cells, as text for CSV and as they are for Parquet; names are unique text."""
    if not path.exists():
        raise StoreError(f"there is no file {path}; check the path")
    if path.is_dir():
        raise StoreError(f"{path} is a folder; give a CSV or Parquet file")
    table = _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{path} has more than one column named {repeated[0]!r}; rename so that names are unique")
    if not len(table):
        raise ShapeError(f"{path} has a header and no rows of data")
    return table


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except ImportError:
        raise MissingDependencyError(f"reading {path} needs pyarrow: pip install pyarrow") from None
    except (OSError, ValueError) as problem:
        raise StoreError(f"{path} is not a readable Parquet file ({problem})") from problem
    return table


def _csv(path: Path) -> pd.DataFrame:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem.strerror})") from problem
    if not text.strip():
        raise ShapeError(f"{path} is empty")
    if "\x00" in text:
        raise StoreError(f"{path} is not a text file; give a CSV or Parquet file")
    separator = _separator(text)
    first = text.lstrip().splitlines()[0]
    header = first.split() if separator == " " else next(csv.reader([first], delimiter=separator))
    if all(_is_number(cell) for cell in header):
        raise InputError(f"{path} begins with numbers ({', '.join(header[:3])} …) where column names are expected; "
                         "add a header line")
    try:
        table = pd.read_csv(io.StringIO(text), sep=r"\s+" if separator == " " else separator, dtype=str,
                            keep_default_na=False, header=None,
                            skipinitialspace=True, index_col=False, skip_blank_lines=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as problem:
        raise StoreError(f"{path} cannot be read as a table ({str(problem).strip()}); every line needs the same "
                         f"number of cells, separated by {separator!r}") from None
    table = table.fillna("")
    blank = (table == "").all(axis=1)
    table = table.iloc[: len(table) - int(blank[::-1].cummin().sum())]  # spreadsheets leave ",,,," at the end
    table = table.loc[:, (table != "").any(axis=0)]  # and a separator at the end of each line
    return table.iloc[1:].reset_index(drop=True).set_axis(list(table.iloc[0].astype(str)), axis=1)


def _separator(text: str) -> str:
    """Return the mark that splits most of the first lines into the same number of cells."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    best, cells = ",", 1
    for mark in (";", "\t", ",", "|"):
        counts = {len(row) for row in csv.reader(lines, delimiter=mark)}
        if len(counts) == 1 and max(counts) > cells:
            best, cells = mark, max(counts)
    words = {len(line.split()) for line in lines}
    if cells == 1 and len(words) == 1 and max(words) > 1 and all(map(_is_number, lines[-1].split())):
        return " "
    return best


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _all_text(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_string_dtype(dtype) for dtype in table.dtypes)


def _typed_dates(table: pd.DataFrame) -> tuple[str, ...]:
    for name, dtype in table.dtypes.items():
        if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return (str(name),)
    if isinstance(table.index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return ()
    return date_columns(table.astype(str))


def _own_index(table: pd.DataFrame) -> pd.Index[Any]:
    if isinstance(table.index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return regular_index(table.index, "the table")
    return pd.RangeIndex(len(table))


def _row_numbers(column: pd.Series[Any]) -> bool:
    """Tell whether this is an unnamed or `rownames` column that only counts rows, as R and pandas write."""
    name = str(column.name).casefold()
    if name not in ("", "rownames", "index") and not name.startswith("unnamed"):
        return False
    cells = [str(cell).strip() for cell in column]
    return any(cells == [str(row + first) for row in range(len(cells))] for first in (0, 1))


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


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    if not _all_text(table):
        return _typed_numbers(table)
    decimal_comma = _commas_are_decimal(table)
    columns = {str(name): _number_column(table[name], decimal_comma) for name in table.columns}
    return pd.DataFrame(columns, index=table.index)


def _typed_numbers(table: pd.DataFrame) -> pd.DataFrame:
    done: dict[str, Any] = {}
    for name, dtype in table.dtypes.items():
        if pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype):
            done[str(name)] = _number_column(table[name].astype(str), False)
        elif pd.api.types.is_bool_dtype(dtype) or not pd.api.types.is_numeric_dtype(dtype):
            raise DtypeError(f"column {str(name)!r} has type {dtype}, not numbers; choose others with columns=[…]")
        else:
            done[str(name)] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.DataFrame(done, index=table.index)


def _commas_are_decimal(table: pd.DataFrame) -> bool:
    """Tell whether some cell is a number only with a decimal comma (1,5) and none has thousands (1,234.5)."""
    with_comma = [
        cell.strip() for name in table.columns for cell in table[name][table[name].str.contains(",", regex=False)]
    ]
    if any("." in cell for cell in with_comma):
        return False
    plain = [cell for cell in with_comma if COMMA_DECIMAL.fullmatch(cell)]
    sure = any(not THOUSANDS.fullmatch(cell) or cell.lstrip("+-").startswith("0") for cell in plain)
    unsure = next((cell for cell in plain if THOUSANDS.fullmatch(cell)), None)
    if plain and not sure and unsure is not None and not any(cell.count(",") > 1 for cell in with_comma):
        raise DtypeError(f"{unsure!r} can mean {unsure.replace(',', '')} or {unsure.replace(',', '.')}; "
                         "write numbers without thousands separators")
    return sure


def _number_column(column: pd.Series[Any], decimal_comma: bool) -> NDArray[np.float64]:
    cells = column.str.strip()
    if decimal_comma:
        cells = cells.str.replace(",", ".", regex=False)
    elif cells.str.contains(",", regex=False).any():
        grouped = cells.str.fullmatch(THOUSANDS.pattern)
        cells = cells.where(~grouped, cells.str.replace(",", "", regex=False))
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    odd = np.flatnonzero(np.isnan(numbers) & ~cells.isin(MISSING_MARKS).to_numpy())
    if len(odd):
        row = int(odd[0])
        what = "no numbers at all" if len(odd) == len(cells) else f"{cells.iloc[row]!r}, which is not a number"
        raise DtypeError(f"column {str(column.name)!r} holds {what} (data row {row + 1}, {column.index[row]}: "
                         f"{cells.iloc[row]!r}); correct it, or choose other columns with columns=[…]")
    return numbers
