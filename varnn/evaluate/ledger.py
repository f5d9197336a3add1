"""What a comparison produced, number by number: every forecast of every model at every origin.

Written by `backtest`, read by everything that averages, tests or draws. Nothing is averaged here, and a ledger
read back from its folder is equal to the one written, bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from varnn.display import Shown
from varnn.errors import StoreError
from varnn.guide import Guided

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

        Raises
        ------
        StoreError
            If the folder cannot be written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                getattr(self, name).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
            text = json.dumps(dict(self.meta), indent=1, ensure_ascii=False)
            (folder / "meta.json").write_text(text + "\n", encoding="utf-8")
        except OSError as problem:
            raise StoreError(f"the ledger cannot be written to {folder}: {problem.strerror}") from None
        return folder

    @classmethod
    def read(cls, folder: str | Path) -> Ledger:
        """Read a ledger that `write` left in `folder`.

        Raises
        ------
        StoreError
            If a file is absent or is not a ledger's.
        """
        folder = Path(folder)
        try:
            tables = {name: _read_table(folder, name) for name in TABLES}
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        except FileNotFoundError as problem:
            raise StoreError(f"{folder} holds no ledger: {Path(problem.filename).name} is absent; "
                             "give the folder that a comparison wrote") from None
        except (OSError, ValueError, KeyError) as problem:
            raise StoreError(f"{folder} holds a damaged ledger: {problem}") from None
        return cls(**tables, meta=meta)


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one table with every number exactly as it was written."""
    table = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    absent = [column for column in TABLES[name] if column not in table]
    if absent:
        raise ValueError(f"{name}.csv has no column {absent[0]!r}, as one from an earlier version of varnn; run the "
                         "comparison again")
    return pd.DataFrame({column: _typed(column, table[column]) for column in table.columns})


def _typed(column: str, texts: pd.Series) -> pd.Series:
    if column in TEXT:
        return texts
    if column == "refit":
        return texts == "True"
    numbers = np.array([float(text) if text else np.nan for text in texts.tolist()])  # half the time of a Series
    return pd.Series(numbers.astype(np.int64) if column in WHOLE else numbers)
