"""Sets of sequences by name: files with a checksum, and drawn tasks.

Called by users and the board; nothing here is shipped but the descriptions.
"""

from __future__ import annotations

import csv
import io
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from varnn.data.sequences import _tasks
from varnn.data.store import Source, contents
from varnn.errors import DataNameError, MissingDependencyError, ParameterError, StoreError

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceSet:
    """Sequences with their labels, and where they come from.

    Attributes
    ----------
    name, title, licence, citation, notes, source : str
    x : list
        N sequences: str, or arrays (T_i, k).
    y : list or array
        N labels, N label sequences, or N translations; empty where the sequence itself is to be predicted.
    test_x, test_y : list
        The publisher's test part, where there is one.
    oracle : dict of str to array
        What is best possible, for drawn tasks: see the task.
    """

    name: str
    title: str
    licence: str
    citation: str
    notes: str
    source: str
    x: list[Any]
    y: list[Any]
    test_x: list[Any] = field(default_factory=list)
    test_y: list[Any] = field(default_factory=list)
    oracle: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __repr__(self) -> str:
        test = f", {len(self.test_x)} to test" if self.test_x else ""
        return f"{self.name}: {self.title}\n{len(self.x)} sequences{test}; licence: {self.licence}\n{self.notes}"


@dataclass(frozen=True)
class Described:
    """A file's description."""

    words: dict[str, str]
    kind: str
    files: dict[str, Source]


def sequence_names() -> tuple[str, ...]:
    """Return the names of all sets of sequences.

    Examples
    --------
    >>> "names_zh" in sequence_names(), "xor" in sequence_names()
    (True, True)
    """
    return tuple(sorted([*(path.stem for path in HERE.glob("*.toml")), *_tasks.TASKS]))


@lru_cache(maxsize=16)
def _described(name: str) -> Described:
    written = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    files = {part: Source(**entry) for part, entry in written.pop("file").items()}
    kind = written.pop("kind")
    return Described({**written, "source": files["main"].address}, kind, files)


def about_sequences(name: str) -> dict[str, str]:
    """Return title, licence, citation, notes and source of a set without loading it."""
    name = _resolved(name)
    if name in _tasks.TASKS:
        return _drawn_words(name)
    return dict(_described(name).words)


def load_sequences(name: str, *, download: bool = True, **options: Any) -> SequenceSet:
    """Load a set of sequences by name.

    Parameters
    ----------
    name : str
        See `sequence_names()`.
    download : bool
        Whether a missing file may be fetched.
    **options
        tatoeba_zh: script="simplified"; drawn tasks: n, length, seed and what else they take.

    Returns
    -------
    SequenceSet

    Raises
    ------
    DataNameError
        For an unknown name.
    StoreError
        Where a file is neither here nor to be had.
    ParameterError
        For an option that the set does not take.

    Examples
    --------
    >>> load_sequences("xor", n=4, length=6, seed=0).x[0].shape
    (6, 2)
    """
    name = _resolved(name)
    if name in _tasks.TASKS:
        try:
            x, y, oracle = _tasks.TASKS[name](**options)
        except TypeError as problem:
            raise ParameterError(f"set {name!r}: {problem}; see its function in varnn.data.sequences") from None
        parts: dict[str, Any] = {"x": x, "y": y, "oracle": oracle, **_drawn_words(name)}
        return SequenceSet(name=name, **parts)
    described = _described(name)
    files = {part: contents(source, download=download) for part, source in described.files.items()}
    known = {"pairs": {"script"}}.get(described.kind, set())
    if set(options) - known:
        raise ParameterError(f"set {name!r} takes {', '.join(known) or 'no options'}, not "
                             f"{sorted(set(options) - known)[0]!r}")
    try:
        parts = READERS[described.kind](files, **options)
    except (ValueError, KeyError, IndexError, UnicodeDecodeError) as problem:
        raise StoreError(f"the file of {name!r} is not as described: {problem}") from problem
    return SequenceSet(**{"name": name, **described.words, **parts})


def _resolved(name: object) -> str:
    plain = str(name).casefold().replace("-", "_")
    if isinstance(name, str) and plain in sequence_names():
        return plain
    near = get_close_matches(plain, sequence_names(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sequence_names())}"
    raise DataNameError(f"no set of sequences is named {name!r}; {hint}")


def _drawn_words(name: str) -> dict[str, str]:
    said = (_tasks.TASKS[name].__doc__ or "").strip().split("\n")
    return {"title": said[0], "licence": "computed by varnn (BSD-3)", "citation": "", "source": "drawn",
            "notes": " ".join(line.strip() for line in said[1:4] if line.strip())}


def _names_csv(files: dict[str, bytes]) -> dict[str, Any]:
    rows = list(csv.DictReader(io.StringIO(files["main"].decode("utf-8"))))
    return {"x": [row["gname"] for row in rows], "y": [int(row["sex"]) for row in rows]}


def _names_zip(files: dict[str, bytes]) -> dict[str, Any]:
    archive = zipfile.ZipFile(io.BytesIO(files["main"]))
    x: list[str] = []
    y: list[str] = []
    for label in ("female", "male"):
        text = archive.read(f"names/{label}.txt").decode("utf-8")
        found = [line.strip().lower() for line in text.splitlines() if line.strip()]
        x += found
        y += [label] * len(found)
    return {"x": x, "y": y}


def _ts(files: dict[str, bytes]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for name, prefix in (("main", ""), ("test", "test_")):
        lines = files[name].decode("utf-8", errors="replace").splitlines()
        start = next(i for i, line in enumerate(lines) if line.strip().lower() == "@data")
        rows = [line.strip().split(":") for line in lines[start + 1:] if line.strip()]
        parts[f"{prefix}x"] = [np.array([[float(v) for v in column.split(",")] for column in row[:-1]]).T
                               for row in rows]
        parts[f"{prefix}y"] = [int(row[-1]) for row in rows]
    return parts


def _text(files: dict[str, bytes]) -> dict[str, Any]:
    return {"x": [files["main"].decode("utf-8")], "y": []}


def _pairs(files: dict[str, bytes], script: str = "both") -> dict[str, Any]:
    if script not in ("both", "simplified"):
        raise ParameterError(f"script={script!r} is not usable; choose 'both' (as in the file) or 'simplified'")
    convert = _simplify() if script == "simplified" else str
    seen: dict[str, str] = {}
    for line in files["main"].decode("utf-8").strip().split("\n"):
        english, chinese = line.split("\t")[:2]
        seen.setdefault(convert(chinese).replace(" ", ""), english)
    x = sorted(seen)
    return {"x": x, "y": [seen[sentence] for sentence in x]}


def _simplify() -> Callable[[str], str]:
    try:
        from zhconv import convert
    except ImportError:
        raise MissingDependencyError("script='simplified' needs the package zhconv; install it, or use script='both'"
                                     ) from None
    return lambda text: str(convert(text, "zh-cn"))


READERS: dict[str, Callable[..., dict[str, Any]]] = {
    "names_csv": _names_csv, "names_zip": _names_zip, "ts": _ts, "text": _text, "pairs": _pairs,
}
