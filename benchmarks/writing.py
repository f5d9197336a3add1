"""How a script of this folder keeps what it found: tables as CSV, a picture, and a page that says what it teaches.

`board.csv` and `board.png` have the same bytes whenever they are made again on one kind of processor; seconds have a
file of their own.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import varnn

RESULTS = Path(__file__).parent / "results"
PUBLISHED = Path(__file__).parent / "published"
STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"], "font.size": 9, "axes.titlelocation": "left", "axes.titlesize": 9.5,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.5,
    "lines.markersize": 5, "lines.linewidth": 1.5, "hatch.linewidth": 0.6}
LOOKS: tuple[dict[str, Any], ...] = (  # told apart by dashes and marker where there is no colour
    {"color": "black", "marker": "o"}, {"color": "tab:blue", "marker": "s", "linestyle": "--"},
    {"color": "tab:orange", "marker": "^", "linestyle": "-."}, {"color": "tab:green", "marker": "D", "linestyle": ":"},
    {"color": "tab:purple", "marker": "v", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
    {"color": "0.55", "marker": "x", "linestyle": (0, (1, 2))})
Draw = Callable[[Figure], None]


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


def pictured(caption: str) -> str:
    """Return the board's picture with its caption, as Markdown."""
    return f"![{caption}](board.png)\n\n*{caption}*\n"


def picture(path: Path, draw: Draw, size: tuple[float, float]) -> None:
    """Let `draw` fill a figure of so many inches and save it as PNG, with the same bytes each time."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(path, dpi=130, metadata={"Software": None})


def write(name: str, board: pd.DataFrame, seconds: pd.DataFrame, page: str, command: str, wall: float, *,
          draw: Draw, size: tuple[float, float] = (9.0, 5.0)) -> Path:
    """Write board.csv, seconds.csv, board.png and README.md into the folder of a result."""
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    board.to_csv(folder / "board.csv", index=False, float_format="%.10g")
    seconds.to_csv(folder / "seconds.csv", index=False, float_format="%.4g")
    picture(folder / "board.png", draw, size)
    foot = f"\n\nMade by `{command}` in {wall:.0f} s on {machine()}.\n"
    (folder / "README.md").write_text(page.rstrip() + foot, encoding="utf-8")
    return folder
