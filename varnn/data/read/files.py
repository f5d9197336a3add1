"""From a path to a table of cells: CSV in many hands, Excel and Parquet; packed or not, in the usual encodings.

Called by `read_table`. What is not one of these is refused by its name. Nothing is guessed about cells here.
"""

from __future__ import annotations

import bz2
import csv
import datetime
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd

from varnn.data.read.numbers import MISSING_MARKS, NUMBER
from varnn.data.read.spellings import MONTHS, cell_text, readings
from varnn.errors import InputError, MissingDependencyError, ResourceLimitError, ShapeError, StoreError

MOST_BYTES = 2_000_000_000  # of one unpacked file
PACKED: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda raw: cast(IO[bytes], gzip.GzipFile(fileobj=raw)),
    b"BZh": lambda raw: cast(IO[bytes], bz2.BZ2File(raw)),
    b"\xfd7zXZ": lambda raw: cast(IO[bytes], lzma.LZMAFile(raw)),  # noqa: SIM115
}
OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)", b"\x89HDF": "an HDF5 or NetCDF file", b"CDF": "a NetCDF file",
    b"ARROW1": "a Feather (Arrow) file", b"FEA1": "a Feather file", b"RDX": "an R data file", b"RDA": "an R data file",
    b"X\n": "an R data file (.rds)", b"<stata_dta>": "a Stata file", b"$FL2": "an SPSS file", b"SQLite": "a database",
    b"%PDF": "a PDF", b"\x80\x04": "a Python pickle", b"\x28\xb5\x2f\xfd": "a file packed by zstd",
    b"7z\xbc": "a 7z archive",
    b"\x89PNG": "a picture", b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc2\xea": "a SAS file",
}
SAVE_AS = "save it as CSV (or Parquet) and give that"
BOMS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def cells_of(path: Path) -> tuple[pd.DataFrame, str, list[str]]:
    """Return the file's cells (text, but for Parquet), the mark between them, and what was left out.

    Raises
    ------
    StoreError
        The file cannot be read, or is of a kind that is not, which is named.
    InputError
        Names that are not unique, or no line of names.
    """
    if not path.exists():
        raise StoreError(f"there is no file {path}; check the path")
    if path.is_dir():
        raise StoreError(f"{path} is a folder; give a CSV, Excel or Parquet file")
    raw = _bytes(path)
    separator = ","
    if raw.startswith(b"PAR1") or path.suffix.lower() in (".parquet", ".pq"):
        table = _parquet(path, raw)
    elif raw.startswith(b"PK"):
        table = _excel(path, raw)
    else:
        table, separator = _csv(path, _text(path, raw))
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    empty = [name for name in table.columns if _blank(table[name])] if table.columns.is_unique else []
    table = table.drop(columns=empty)
    notes = [f"column {name!r} was left out: it is empty" for name in empty if name]
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{path} has more than one column named {repeated[0]!r}; rename so that names are unique")
    if not len(table):
        raise ShapeError(f"{path} has a header and no rows of data")
    return table, separator, notes


def _blank(column: pd.Series[Any]) -> bool:
    """Tell whether a column of text has no cell with anything in it."""
    return len(column) > 0 and pd.api.types.is_string_dtype(column.dtype) and bool((column.fillna("") == "").all())


def _bytes(path: Path) -> bytes:
    """Return the content, unpacked."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            opened = next((unpack(file) for mark, unpack in PACKED.items() if start.startswith(mark)), file)
            data = opened.read(MOST_BYTES + 1)
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile) as problem:
        raise StoreError(f"{path} cannot be unpacked ({problem}); unpack it and give the file inside") from None
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem.strerror or problem})") from problem
    if len(data) > MOST_BYTES:
        raise ResourceLimitError(f"{path} holds more than {MOST_BYTES / 1e9:.0f} GB; give a shorter file")
    return data


def _parquet(path: Path, raw: bytes) -> pd.DataFrame:
    try:
        table = pd.read_parquet(io.BytesIO(raw))
    except ImportError:
        raise MissingDependencyError(f"reading {path} needs pyarrow: pip install 'varnn[parquet]'") from None
    except (OSError, ValueError) as problem:
        raise StoreError(f"{path} is not a readable Parquet file ({problem})") from problem
    unlabelled = isinstance(table.index, pd.RangeIndex) and table.index.start == 0 and table.index.name is None
    return table if unlabelled else table.reset_index()


def _excel(path: Path, raw: bytes) -> pd.DataFrame:
    """Return the cells of the only sheet that has any, or of the only file in a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            held = archive.namelist()
    except zipfile.BadZipFile as problem:
        raise StoreError(f"{path} is a damaged Excel file or zip archive ({problem}); {SAVE_AS}") from None
    if "mimetype" in held:
        raise StoreError(f"{path} is an OpenDocument file; {SAVE_AS}")
    if not any(name.startswith("xl/") for name in held):
        raise StoreError(f"{path} is a zip archive; unpack it and give one of {', '.join(held[:5])}")
    try:
        import openpyxl  # noqa: F401 -- pandas names it only after it has failed
    except ImportError:
        raise MissingDependencyError(f"reading {path} (Excel) needs openpyxl: pip install 'varnn[excel]', or "
                                     f"{SAVE_AS}") from None
    try:
        sheets = pd.read_excel(io.BytesIO(raw), sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except Exception as problem:  # openpyxl raises whatever a garbled file makes it raise
        raise StoreError(f"{path} is not a readable Excel file ({problem}); {SAVE_AS}") from problem
    filled = {str(name): sheet for name, sheet in sheets.items() if sheet.notna().any(axis=None)}
    if not filled:
        raise ShapeError(f"{path} is empty")
    if len(filled) > 1:
        raise InputError(f"{path} has the sheets {', '.join(map(repr, filled))}; save the one you mean as CSV")
    return _with_header(path, next(iter(filled.values())).map(_as_text))


def _as_text(cell: object) -> str:
    """Return a spreadsheet's cell as CSV would hold it."""
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


FOREIGN = re.compile("[\u0080-\u024f\u2010-\u2122]{3,}")  # no western word has three such letters in a row


def _text(path: Path, raw: bytes) -> str:
    """Return the text in its encoding: by its mark, UTF-16 by its zeros, UTF-8, else Windows-1252."""
    kind = next((words for mark, words in OTHERS.items() if raw.startswith(mark)), None)
    if kind is not None:
        raise StoreError(f"{path} is {kind}, which is not read; {SAVE_AS}")
    encoding = next((name for mark, name in BOMS if raw.startswith(mark)), None)
    head = raw[:2000]
    if encoding is None and b"\x00" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if min(even, odd) * 10 > max(even, odd) or max(even, odd) * 3 < len(head):
            raise StoreError(f"{path} is not a text file; give a CSV, Excel or Parquet file")
        encoding = "utf-16-le" if odd > even else "utf-16-be"
    for name in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = raw.decode(name)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise StoreError(f"{path} is neither UTF-8 nor Windows-1252 text; save it as UTF-8")
    if name == "cp1252" and (odd_word := FOREIGN.search(text.lstrip().partition("\n")[0])):
        raise StoreError(f"{path} is not UTF-8, and read as Windows-1252 its first line holds {odd_word[0]!r}, which "
                         "is no word: it may be Cyrillic, Chinese or Greek in another encoding; save it as UTF-8")
    if not text.strip():
        raise ShapeError(f"{path} is empty")
    if "\x00" in text:
        raise StoreError(f"{path} is not a text file; give a CSV, Excel or Parquet file")
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<table")):
        raise StoreError(f"{path} is a web page or XML, not a table; {SAVE_AS}")
    if start.startswith(("{", "[{", "[[")):
        raise StoreError(f"{path} is JSON, which is not read; {SAVE_AS}")
    return text


def _csv(path: Path, text: str) -> tuple[pd.DataFrame, str]:
    text = text.lstrip("\ufeff")
    if text[:4].casefold() == "sep=" and "\n" in text:  # a line that tells spreadsheets the separator
        text = text.partition("\n")[2]
    text = re.sub(r"\A(?:[ \t]*#[^\n]*\n)+", "", text)  # lines of comment before the header
    separator = _separator(text)
    text = _row_names_named(text, separator)
    try:
        table = pd.read_csv(io.StringIO(text), sep=r"\s+" if separator == " " else separator, dtype=str,
                            keep_default_na=False, header=None,
                            skipinitialspace=True, index_col=False, skip_blank_lines=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as problem:
        raise StoreError(f"{path} cannot be read as a table ({str(problem).strip()}); every line needs the same "
                         f"number of cells, separated by {separator!r}, and nothing may come before the line of "
                         "names") from None
    return _with_header(path, table.fillna("")), separator


def _with_header(path: Path, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows under the names in the first one."""
    blank = (cells == "").all(axis=1)
    cells = cells.iloc[int(blank.cummin().sum()) : len(cells) - int(blank[::-1].cummin().sum())]
    cells = cells.loc[:, (cells != "").any(axis=0)]  # a separator at the end of each line
    header = [str(cell).strip() for cell in cells.iloc[0]]
    shown = ", ".join(header[:3])
    if all(_is_number(cell) for cell in header):
        raise InputError(f"{path} begins with numbers ({shown} …) where column names are expected; add a header line")
    if all(_is_value(cell) for cell in header) and any(map(_is_date, header)):
        raise InputError(f"{path} begins with a date and numbers ({shown} …) where column names are expected; add a "
                         "header line")
    _time_runs_down(path, header)
    return cells.iloc[1:].reset_index(drop=True).set_axis(header, axis=1)


def _time_runs_down(path: Path, header: Sequence[str]) -> None:
    """Refuse a table with a column for each date."""
    dates = [cell for cell in header if re.fullmatch(r"(1[6-9]|2[01])\d\d", cell) or _is_date(cell)]
    months = [cell for cell in header if cell.casefold() in MONTHS or re.fullmatch("q(tr)?[1-4]", cell.casefold())]
    if len(dates) >= 3 or len(months) >= 4:
        what = f"a column for each date ({', '.join((dates if len(dates) >= 3 else months)[:3])} …)"
        raise InputError(f"{path} has {what}, so time runs along the lines; turn it so that each line is one date and "
                         "each column one series")


def _row_names_named(text: str, separator: str) -> str:
    """Return the text with an empty name before the header where it is one cell short, as R's write.table leaves it."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    counts = [len(cells) for cells in _split(lines, separator)]
    rows = [cells[0] for cells in _split(lines[1:], separator)]
    counted = rows == [str(row + 1) for row in range(len(rows))]
    named = counted or all(line.lstrip().startswith('"') for line in lines[1:])
    if len(counts) > 2 and named and len(set(counts[1:])) == 1 and counts[0] == counts[1] - 1:
        return f'""{separator}' + text.lstrip()
    return text


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    if separator == " ":
        return list(csv.reader([" ".join(line.split()) for line in lines], delimiter=" "))
    return list(csv.reader(lines, delimiter=separator))


def _separator(text: str) -> str:
    """Return the mark that splits most of the first lines into the same number of cells."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    best, cells = ",", 1
    for mark in (";", "\t", ",", "|"):
        counts = {len(row) for row in csv.reader(lines, delimiter=mark)}
        if len(counts) == 1 and max(counts) > cells:
            best, cells = mark, max(counts)
    words = {len(row) for row in _split(lines[1:] or lines, " ")}
    if cells == 1 and len(words) == 1 and max(words) > 1 and any(map(_is_value, _split(lines[-1:], " ")[0])):
        return " "
    return best


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell.strip()) is not None


def _is_date(cell: str) -> bool:
    return next(readings([cell_text(cell)], numbers=False), None) is not None


def _is_value(cell: str) -> bool:
    return cell.strip() in MISSING_MARKS or _is_number(cell) or _is_date(cell)
