"""What a data set is: `About` says where it comes from, `Dataset` adds the numbers.

Made by every file of this folder, read by `evaluate`, `report` and the command line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from varnn.display import Sheet, Shown, count, listed
from varnn.guide import Guided

if TYPE_CHECKING:
    from varnn.data.process import Simulated

Origin = Literal["bundled", "simulated", "remote"]


@dataclass(frozen=True, kw_only=True)
class About:
    """Where a data set comes from and how it is read; known without loading it.

    Parameters
    ----------
    name : str                 the name `load` takes
    title : str                one line for a heading
    origin : str               "bundled" (an installed package), "simulated" or "remote"
    season : int               observations in one seasonal period, 1 for none
    frequency : str            in words: "quarterly", "hourly", "steps" …
    shape : (T, k)             of the loaded frame
    transform : str            what was done to the source's numbers, in words
    labels : dict              column -> axis label with its unit
    licence, citation, source : str
    notes : str                what a reader must know before using it
    split : tuple of int       rows of the customary train, (validation,) test parts; empty if none
    """

    name: str
    title: str
    origin: Origin
    season: int = 1
    frequency: str = "steps"
    shape: tuple[int, int] = (0, 0)
    transform: str = "none"
    labels: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    citation: str = ""
    source: str = ""
    notes: str = ""
    split: tuple[int, ...] = ()

    def with_data(
        self,
        frame: pd.DataFrame,
        *,
        exog: pd.DataFrame | None = None,
        oracle: pd.DataFrame | None = None,
        holdout: pd.DataFrame | None = None,
        simulated: Simulated | None = None,
    ) -> Dataset:
        """Return the `Dataset` that these words describe."""
        words = {item.name: getattr(self, item.name) for item in fields(About)}
        columns = [str(column) for column in frame.columns]
        words["shape"] = (len(frame), len(columns))
        words["labels"] = {column: self.labels.get(column, column) for column in columns}
        return Dataset(
            **words, frame=frame, exog=exog, oracle=oracle, holdout=holdout, simulated=simulated
        )

    def describe(self) -> str:
        """Return title, size, treatment, licence and citation as a few lines of text."""
        rows, columns = self.shape
        said = [
            ("title", self.title),
            ("size", f"{rows} rows × {columns} columns, {self.frequency}, season {self.season}"),
            ("transform", self.transform),
            ("split", " / ".join(map(str, self.split))),
            ("licence", self.licence),
            ("citation", self.citation),
            ("source", self.source),
            ("notes", self.notes),
        ]
        lines = [f"{word + ':':<11}{text}" for word, text in said if text]
        return "\n".join([self.name, *lines])


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(Guided, Shown, About):
    """A data set with its numbers.

    Parameters
    ----------
    frame : DataFrame (T, k)          on a PeriodIndex, a DatetimeIndex with freq or a RangeIndex;
                                      a panel has the two-level index (series, step)
    exog : DataFrame (T, q) or None   inputs that are known when the row is forecast
    oracle : DataFrame (T, k) or None one-step conditional means E[y_t | past]; None for real data
    holdout : DataFrame or None       the part the publisher kept for testing (panels)
    simulated : Simulated or None     the process behind the numbers; samples E[y_{t+h} | past]

    Examples
    --------
    >>> from varnn.data import load
    >>> data = load("sunspots")
    >>> data.frame.columns.tolist(), len(data.frame)
    (['sunspots'], 309)
    """

    frame: pd.DataFrame
    exog: pd.DataFrame | None = None
    oracle: pd.DataFrame | None = None
    holdout: pd.DataFrame | None = None
    simulated: Simulated | None = None

    _is: ClassVar[str] = "a data set"
    _called: ClassVar[str] = "dataset"

    def _sheet(self) -> Sheet:
        size = f"{count(len(self.frame), 'row')}, {self.frequency}" if self.frequency else count(len(self.frame), "row")
        said = (("title", self.title), ("columns", listed(list(self.frame.columns))), ("size", size),
                ("transform", self.transform), ("source", self.source), ("licence", self.licence))
        return Sheet(f"Data set {self.name}", tuple((name, text) for name, text in said if text),
                     (("frame", self.frame),), "dataset.frame holds the numbers; dataset.describe() has all facts")

    @property
    def panel(self) -> bool:
        """True when the frame holds many separate series under each other."""
        return isinstance(self.frame.index, pd.MultiIndex)

    def each(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield (series name, its frame on a RangeIndex) for a panel, or the one frame."""
        if not self.panel:
            yield self.name, self.frame
            return
        for series, part in self.frame.groupby(level=0, sort=False):
            yield str(series), part.reset_index(drop=True)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of names, index and numbers: equal exactly when the data are."""
        digest = hashlib.sha256()
        for table in (self.frame, self.exog):
            if table is None:
                continue
            digest.update("\x1f".join(map(str, table.columns)).encode())
            digest.update("\x1f".join(map(str, table.index)).encode())
            digest.update(np.ascontiguousarray(table.to_numpy(dtype="<f8")).tobytes())
        return digest.hexdigest()
