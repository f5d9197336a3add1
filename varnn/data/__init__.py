"""Data sets by name, simulated processes with a known best forecast, and a user's own tables.

`load("macrodata")` gives a `Dataset`; `names()` and `catalogue()` list what there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from varnn.data.calendar import calendar_columns
from varnn.data.catalogue import about, catalogue, fetch, load, names
from varnn.data.dataset import About, Dataset
from varnn.data.process import Process, Simulated, simulate
from varnn.data.read.table import Read, read, read_panel, read_table
from varnn.data.transform import by_code, to_levels, transformed

__all__ = [
    "About", "Dataset", "Process", "Read", "Simulated", "about", "by_code", "calendar_columns", "catalogue", "fetch",
    "load", "names", "read", "read_panel", "read_table", "simulate", "to_levels", "transformed",
]

if not TYPE_CHECKING:  # type checkers are to go on finding names that do not exist

    def __getattr__(name: str) -> Any:
        from varnn.guide import no_name

        raise no_name("varnn.data", name, __all__)
