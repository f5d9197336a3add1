"""What a comparison produced, number by number: every forecast of every model at every origin.

Written by `backtest`, read by everything that averages, tests or draws. Nothing is averaged here, and a ledger
read back from its folder is equal to the one written, bit for bit.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from varnn.display import Shown
from varnn.errors import ChecksumError, StoreError, UncheckedWarning
from varnn.guide import Guided
from varnn.writing import csv_text, restored, write_whole

COVERAGES = (0.5, 0.8, 0.9, 0.95)
ORACLE = "oracle"
TABLES = {
    "forecasts": ("model", "origin", "origin_date", "step", "date", "series", "observed", "mean",
                  *(f"{side}_{100 * level:g}" for level in COVERAGES for side in ("lower", "upper")),
                  "crps", "pit", "scale_mae", "scale_rmse"),
    "joint": ("model", "origin", "step", "energy", "pit"),
    "fits": ("model", "origin", "refit", "seconds", "stop", "notes"),
}
TEXT = {"model", "origin_date", "date", "series", "stop", "notes"}
WHOLE = {"origin", "step"}  # every other column is a number, but for the flag `refit`
KEYS = {"forecasts": ["model", "origin", "step", "series"], "joint": ["model", "origin", "step"],
        "fits": ["model", "origin"]}  # no two rows of a table agree in these
META = "meta.json"
CHECKSUMS = "checksums"  # entry of META in the folder: SHA-256 of each table's file, and of META without this entry
DAMAGED = "restore the folder from a copy, or run the comparison again"


@dataclass(frozen=True, eq=False)
class Ledger(Guided, Shown):
    """Tidy tables of one comparison.

    Attributes
    ----------
    forecasts : DataFrame
        One row a model × origin × step × series: model, origin (rows seen), origin_date, step, date, series,
        observed, mean, lower_50 … upper_95, crps, pit, scale_mae, scale_rmse. A failed forecast is NaN.
    joint : DataFrame
        One row a model × origin × step: model, origin, step, energy (energy score over the k series), pit
        (of all series together).
    fits : DataFrame
        One row a model × origin: model, origin, refit, seconds, stop ('' when fine), notes.
    meta : dict
        What was run: title, names, season, windows, seed, versions, data fingerprint …

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=80)
    >>> ledger = varnn.compare(y, horizon=2, models=["Naive", "Mean"], origins=5).ledger
    >>> list(ledger.models)
    ['Naive', 'Mean']
    """

    forecasts: pd.DataFrame
    joint: pd.DataFrame
    fits: pd.DataFrame
    meta: Mapping[str, Any]

    @property
    def models(self) -> list[str]:
        """Models in the order they were run; the oracle, where there is one, comes last."""
        return list(self.forecasts["model"].unique())

    def write(self, folder: str | Path) -> Path:
        """Write the tables as CSV and `meta.json` into `folder`, which is made if need be.

        Each file is written whole or not at all, and `meta.json`, last, holds the SHA-256 of every one. Names that
        a spreadsheet would run as formulas have an apostrophe before them in the files; `read` takes it away.

        Raises
        ------
        StoreError
            If the folder cannot be written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreError(f"the ledger cannot be written to {folder}: {problem.strerror}") from None
        sums = {}
        for name in TABLES:
            text = csv_text(getattr(self, name))
            sums[f"{name}.csv"] = _digest(write_whole(folder / f"{name}.csv", text).read_bytes())
        meta = dict(self.meta)
        meta[CHECKSUMS] = sums | {META: _digest(_json(meta).encode())}
        write_whole(folder / META, _json(meta))
        return folder

    @classmethod
    def read(cls, folder: str | Path) -> Ledger:
        """Read a ledger that `write` left in `folder`, and believe none of it that is not as it was written.

        A ledger without checksums, as earlier versions wrote it, is read with an `UncheckedWarning`.

        Raises
        ------
        ChecksumError
            If the bytes of a file are not those that were written, naming the file.
        StoreError
            If a file is absent or is not a ledger's.
        """
        folder = Path(folder)
        meta = _read_meta(folder)
        sums = meta.pop(CHECKSUMS, None)
        if sums is None:
            warnings.warn(f"{folder} holds a ledger without checksums, so that an altered number would not be "
                          "noticed; writing the ledger again adds them", UncheckedWarning, stacklevel=2)
        else:
            _expect(folder / META, _json(meta).encode(), sums)
        try:
            tables = {name: _read_table(folder / f"{name}.csv", TABLES[name], KEYS[name], sums) for name in TABLES}
        except StoreError:
            raise
        except (ValueError, KeyError, OverflowError, pd.errors.ParserError) as problem:
            raise StoreError(f"{folder} holds a damaged ledger: {problem}; {DAMAGED}") from None
        return cls(**tables, meta=meta)


def _read_meta(folder: Path) -> dict[str, Any]:
    """Return what was run, still with the checksums."""
    path = folder / META
    try:
        meta: dict[str, Any] = json.loads(_bytes(path).decode())
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"{folder} holds a damaged ledger: {META} is no JSON ({problem}); {DAMAGED}") from None
    known = isinstance(meta, dict) and isinstance(meta.get(CHECKSUMS, {}), dict)
    if not known or not isinstance(meta.get("title", ""), str):
        raise StoreError(f"{folder} holds a damaged ledger: {META} is not what a comparison writes; {DAMAGED}")
    return meta


def _read_table(path: Path, columns: tuple[str, ...], keys: list[str], sums: Mapping[str, Any] | None) -> pd.DataFrame:
    """Read one table with every number exactly as it was written."""
    content = _bytes(path)
    if sums is not None:
        _expect(path, content, sums)
    table = pd.read_csv(io.StringIO(content.decode()), dtype=str, keep_default_na=False)
    absent = [column for column in columns if column not in table]
    if absent:
        raise ValueError(f"{path.name} has no column {absent[0]!r}, as one from an earlier version of varnn")
    if sums is not None:
        table = pd.DataFrame({column: table[column].map(restored) if column in TEXT else table[column]
                              for column in table.columns})
    twice = table.duplicated(keys)
    if twice.any():
        raise ValueError(f"{path.name} has two rows for {', '.join(table.loc[twice, keys].iloc[0])}")
    return pd.DataFrame({column: _typed(column, table[column]) for column in table.columns})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"{path.parent} holds no ledger: {path.name} is absent; give the folder that a comparison "
                         "wrote") from None
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem.strerror}); {DAMAGED}") from None


def _expect(path: Path, content: bytes, sums: Mapping[str, Any]) -> None:
    """Raise ChecksumError if the bytes are not those that were recorded."""
    if _digest(content) != sums.get(path.name):
        raise ChecksumError(f"{path} is not as it was written: its SHA-256 is not the one recorded in {META}; "
                            f"{DAMAGED}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(meta: Mapping[str, Any]) -> str:
    return json.dumps(dict(meta), indent=1, ensure_ascii=False) + "\n"


def _typed(column: str, texts: pd.Series) -> pd.Series:
    if column in TEXT:
        return texts
    if column == "refit":
        return texts == "True"
    numbers = np.array([float(text) if text else np.nan for text in texts.tolist()])  # half the time of a Series
    return pd.Series(numbers.astype(np.int64) if column in WHOLE else numbers)
