"""Files written whole or not at all, with names that no reader of them takes for code.

Every file that varnn leaves behind, report, model or table, is written by `whole_file`. Names come from the user's
columns: a spreadsheet would run some as formulas, matplotlib would typeset some as mathematics.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from varnn.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

# What spreadsheets take for the beginning of a formula, in ASCII and in full width (OWASP, "CSV Injection").
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_DEFUSED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place only when all of it is on the disk.

    The bytes go to a hidden file beside it, which is renamed at the end: whatever happens meanwhile, a reader finds
    the old file or the new one. A link is followed, an existing file keeps its permissions, and what is no ordinary
    file (a pipe, `/dev/stdout`) is written to as it is.

    Parameters
    ----------
    path : path
        In a folder that exists.

    Raises
    ------
    StoreError
        If it cannot be written: a folder, a protected file or folder, a full disk.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "numbers.txt"
    ...     with whole_file(target) as file:
    ...         _ = file.write(b"1 2 3")
    ...     target.read_text()
    '1 2 3'
    """
    try:
        target, mode = _target(Path(path))
        if target is None:
            with open(path, "wb") as stream:
                yield stream
            return
        beside = target.with_name(f".{uuid4().hex[:12]}.part")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    except StoreError:
        raise
    except OSError as problem:
        raise StoreError(f"{path} cannot be written ({problem.strerror or problem}); what was there before is as it "
                         "was; choose a folder that exists, may be written to and has room") from None


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file whole or not at all; text as UTF-8.

    Raises
    ------
    StoreError
        If it cannot be written, or the text holds half of a surrogate pair.
    """
    if isinstance(content, str):
        try:
            content = content.encode()
        except UnicodeEncodeError as problem:
            raise StoreError(f"{path} cannot be written: its text holds {content[problem.start]!r}, which is no "
                             "character; rename the column or label that holds it") from None
    with whole_file(path) as file:
        file.write(content)
    return Path(path)


def write_table(path: str | os.PathLike[str], table: pd.DataFrame, float_format: str | None = None) -> Path:
    """Write a table as CSV, whole or not at all, with texts that no spreadsheet runs; see `csv_text`."""
    return write_whole(path, csv_text(table, float_format))


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a table as CSV; texts and column names that begin like a formula get an apostrophe before them.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv_text(pd.DataFrame({"series": ["=1+1", "gdp"], "mean": [-1.5, 2.0]})), end="")
    series,mean
    '=1+1,-1.5
    gdp,2.0
    """
    return str(defused(table).to_csv(index=False, lineterminator="\n", float_format=float_format))


def defused(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with `harmless` texts and column names; numbers are left alone."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    kinds = list(table.dtypes)
    columns = {at: table.iloc[:, at].map(harmless) for at, kind in enumerate(kinds)
               if not is_numeric_dtype(kind) and not is_bool_dtype(kind)}
    if columns:
        table = table.copy()
        for at, texts in columns.items():
            table.isetitem(at, texts.array)
    return table.rename(columns=harmless)


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; `restored` takes it away.

    Texts that begin with apostrophes and then like a formula get one more, so that nothing is lost.

    Examples
    --------
    >>> harmless("=cmd"), harmless("'=cmd"), harmless("gdp"), harmless(-1.0)
    ("'=cmd", "''=cmd", 'gdp', -1.0)
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def restored(text: str) -> str:
    """Return the text that `harmless` was given.

    Examples
    --------
    >>> [restored(harmless(text)) for text in ("=cmd", "'=cmd", "gdp", "'gdp'")]
    ['=cmd', "'=cmd", 'gdp', "'gdp'"]
    """
    return text[1:] if _DEFUSED.match(text) else text


def literal(name: object) -> str:
    r"""Return a name as matplotlib has to be given it to draw it as it is, dollar signs and all.

    Examples
    --------
    >>> print(literal("US$ per A$"))
    US\$ per A\$
    """
    return str(name).replace("$", r"\$")


def _target(path: Path) -> tuple[Path | None, int | None]:
    """Return where the bytes go in the end, None where there is no ordinary file, and the permissions to keep."""
    if "\0" in str(path):
        raise StoreError(f"{str(path)!r} holds a null character, which no file name can; give another name")
    try:
        found = os.stat(path)  # follows links; a loop of them is refused
    except FileNotFoundError:
        return Path(os.path.realpath(path)), None
    if stat.S_ISDIR(found.st_mode):
        raise StoreError(f"{path} is a folder; give a file name in it, such as {path / 'result'}")
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} cannot be written (it is write-protected); give another name")
    if not stat.S_ISREG(found.st_mode):
        return None, None
    return Path(os.path.realpath(path)), stat.S_IMODE(found.st_mode)
