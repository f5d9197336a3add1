"""How a script of this folder keeps what it found: tables as CSV, and a page that says what it teaches.

`board.csv` has the same bytes whenever it is made again on one kind of processor; seconds have a file of their own.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
import pandas as pd

import varnn

RESULTS = Path(__file__).parent / "results"
PUBLISHED = Path(__file__).parent / "published"


def machine() -> str:
    """Return what seconds depend on, in a line."""
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return (f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
            f"varnn {varnn.__version__}; load {os.getloadavg()[0]:.1f} when it ended")


def markdown(table: pd.DataFrame, digits: int = 3) -> str:
    """Return a table as Markdown; numbers to so many digits, nothing where there is none."""
    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:.{digits}f}"
        return str(value)

    head = "| " + " | ".join(map(str, table.columns)) + " |"
    rule = "|" + " --- |" * len(table.columns)
    rows = ["| " + " | ".join(map(cell, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, rule, *rows])


def write(name: str, board: pd.DataFrame, seconds: pd.DataFrame, page: str, command: str, wall: float) -> Path:
    """Write board.csv, seconds.csv and README.md into the folder of a result."""
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    board.to_csv(folder / "board.csv", index=False, float_format="%.10g")
    seconds.to_csv(folder / "seconds.csv", index=False, float_format="%.4g")
    foot = f"\n\nMade by `{command}` in {wall:.0f} s on {machine()}.\n"
    (folder / "README.md").write_text(page.rstrip() + foot, encoding="utf-8")
    return folder
