"""From verified bytes to a frame, as the [read] table of a data set's .toml file says.

Three kinds of file: "table" (rows of numbers), "fred" (a table with transform codes) and "m4" (one
ragged series a row). Dates are generated from `start` and `freq`, which the checksum makes safe.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from varnn.data.transform import CODE_WORDS, by_code, transformed
from varnn.errors import InputError, ParameterError, StoreError

MISSING_MARKS = ["NA", "NaN", ""]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the main file is read; every key of [read] is one of these.

    kind : "table", "fred" or "m4"
    index : "range", "period" or "datetime", with `start` and `freq`
    separator : "," or "space"       header : whether a line of names comes first
    after : skip lines up to the one that starts with this mark
    names : names for the columns    drop : columns left out
    change : "none", "logdiff", "diff", "pct" or "log10", applied to all columns    scale : factor
    missing : "none" (there are none), "trim" (rows before and after the complete span are left out)
        or "interpolate" (trimmed, then straight lines across inner gaps)
    codes : for "fred": "" when the second line holds the codes, else their column in the file codes
    """

    kind: str = "table"
    index: str = "range"
    start: str = ""
    freq: str = ""
    separator: str = ","
    header: bool = True
    after: str = ""
    names: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    change: str = "none"
    scale: float = 1.0
    missing: str = "none"
    codes: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, Any], where: str) -> Reading:
        """Check a [read] table."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ParameterError(f"{where}: [read] has the unknown key {unknown[0]!r}; known are "
                                 f"{', '.join(sorted(known))}")
        if settings.get("kind", "table") not in KINDS:
            raise ParameterError(f"{where}: kind={settings['kind']!r}; use one of {', '.join(KINDS)}")
        checked: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
                                   for key, value in settings.items()}
        return cls(**checked)


@dataclass(frozen=True)
class Parsed:
    """A frame and, for panels, the part held out."""

    frame: pd.DataFrame
    holdout: pd.DataFrame | None = None


def parse(files: Mapping[str, bytes], how: Reading, *, columns: Sequence[str] | None, raw: bool) -> Parsed:
    """Return the data of a set; with `raw` the numbers of the file, untransformed and untrimmed."""
    return KINDS[how.kind](files, how, columns, raw)


def _table(files: Mapping[str, bytes], how: Reading, columns: Sequence[str] | None, raw: bool) -> Parsed:
    levels = _chosen(_indexed(_rows(files["main"], how), how), columns)
    return Parsed(levels if raw else _complete(_changed(levels, how), how))


def _fred(files: Mapping[str, bytes], how: Reading, columns: Sequence[str] | None, raw: bool) -> Parsed:
    frame = _rows(files["main"], how)
    if how.codes:
        table = pd.read_csv(io.BytesIO(files["codes"])).set_index("variable")[how.codes].dropna()
        codes = {str(name): CODE_WORDS[str(word)] for name, word in table.items()}
    else:
        codes = {str(name): int(code) for name, code in frame.iloc[0].items()}
        frame = frame.iloc[1:].reset_index(drop=True)
    levels = _chosen(_indexed(frame, how), columns)
    return Parsed(levels if raw else _complete(by_code(levels, codes), how))


def _m4(files: Mapping[str, bytes], how: Reading, columns: Sequence[str] | None, raw: bool) -> Parsed:
    return Parsed(_long(files["main"], columns), _long(files["test"], columns))


def _long(data: bytes, wanted: Sequence[str] | None) -> pd.DataFrame:
    wide = pd.read_csv(io.BytesIO(data), index_col=0)
    if wanted is not None:
        absent = [name for name in wanted if name not in wide.index]
        if absent:
            raise InputError(f"the panel has no series {absent[0]!r}; they run from {wide.index[0]} to "
                             f"{wide.index[-1]}")
        wide = wide.loc[list(wanted)]
    lengths = wide.notna().sum(axis=1).to_numpy()
    names = np.repeat(wide.index.to_numpy(dtype=object), lengths)
    steps = np.concatenate([np.arange(length) for length in lengths])
    values = wide.to_numpy(dtype=np.float64)
    index = pd.MultiIndex.from_arrays([names, steps], names=["series", "step"])
    return pd.DataFrame({"y": values[~np.isnan(values)]}, index=index)


KINDS: Mapping[str, Callable[[Mapping[str, bytes], Reading, Sequence[str] | None, bool], Parsed]] = {
    "table": _table, "fred": _fred, "m4": _m4,
}


def _rows(data: bytes, how: Reading) -> pd.DataFrame:
    text = data.decode("utf-8-sig")
    if how.after:
        lines = text.splitlines()
        mark = next((row for row, line in enumerate(lines) if line.startswith(how.after)), None)
        if mark is None:
            raise StoreError(f"no line starts with {how.after!r}")
        text = "\n".join(lines[mark + 1 :])
    frame = pd.read_csv(
        io.StringIO(text), sep=r"\s+" if how.separator == "space" else how.separator,
        header=0 if how.header else None, na_values=MISSING_MARKS, keep_default_na=False,
    )
    frame = frame.drop(columns=[name for name in frame.columns if str(name) in how.drop])
    if how.names:
        frame.columns = pd.Index(list(how.names))
    frame.columns = frame.columns.map(str)
    return frame.astype(np.float64)


def _indexed(frame: pd.DataFrame, how: Reading) -> pd.DataFrame:
    index: pd.Index[Any] = pd.RangeIndex(len(frame), name="step")
    if how.index == "period":
        index = pd.period_range(how.start, periods=len(frame), freq=how.freq, name="date")
    elif how.index == "datetime":
        index = pd.date_range(how.start, periods=len(frame), freq=how.freq, name="date")
    return frame.set_axis(index, axis=0)


def _chosen(frame: pd.DataFrame, columns: Sequence[str] | None) -> pd.DataFrame:
    if columns is None:
        return frame
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise InputError(f"there is no column {absent[0]!r}; there are {', '.join(frame.columns)}")
    return frame[list(columns)]


def _changed(levels: pd.DataFrame, how: Reading) -> pd.DataFrame:
    if how.change == "log10":
        changed = levels.apply(np.log10)
    elif how.change == "pct":
        changed = levels.pct_change().iloc[1:].reset_index(drop=True).rename_axis("step")
    else:
        changed = transformed(levels, how.change)
        if isinstance(levels.index, pd.RangeIndex):
            changed = changed.set_axis(pd.RangeIndex(len(changed), name="step"), axis=0)
    return changed * how.scale


def _complete(frame: pd.DataFrame, how: Reading) -> pd.DataFrame:
    if how.missing == "none":
        return frame
    whole = np.flatnonzero(frame.notna().all(axis=1).to_numpy())
    if not len(whole):
        raise InputError("no row has all the columns; choose fewer with columns=[…]")
    frame = frame.iloc[whole[0] : whole[-1] + 1]
    return frame.interpolate("linear") if how.missing == "interpolate" else frame
