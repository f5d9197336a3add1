"""Write docs/benchmarks.md from the committed results; `make docs` runs it first.

Usage: python docs/write_benchmarks.py
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = Path(__file__).parent / "benchmarks.md"
MOST_ROWS = 70  # longer tables are named, not shown
SHOWN_LEVEL = 0.95  # of long coverage tables, at the first horizon
HEAD = """# Benchmarks

Every number on this page is read from a file under `benchmarks/results/` when the documentation is built. Each file
was left by a command that is named in it or beside it in `benchmarks/`, and names versions and seeds. The `smoke`
suite and the like are run with `varnn benchmark run SUITE --out DIR` and checked with `varnn benchmark verify`.
"""
WORDS = {
    "speed": "Times are medians of several runs, varnn and its peer in the same process; `ratio` is the peer's time "
             "over ours, `target` what was aimed at.",
    "coverage": "How often intervals held the outcome, on simulated series; `within` is the share of cells whose "
                "coverage is inside three binomial standard errors of the nominal one.",
    "faults": "A benchmark run was shot, starved or damaged at random moments, then resumed.",
    "accuracy": "How far the models go from the VAR to the best possible forecast of simulated processes.",
}


def main() -> None:
    """Write the page."""
    parts = [HEAD]
    for folder in sorted(path for path in RESULTS.iterdir() if path.is_dir()):
        page = folder / "README.md"
        if page.is_file():
            parts.append(lowered(page.read_text(encoding="utf-8"), folder))
            continue
        tables = [part for path in sorted(folder.iterdir()) for part in shown(path)]
        if tables:
            parts += [f"## {folder.name.replace('_', ' ').capitalize()}\n", f"{WORDS.get(folder.name, '')}\n", *tables]
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def lowered(text: str, folder: Path) -> str:
    """Return a result's own page, one level of headings down and with its pictures found from here."""
    lines = [f"#{line}" if re.match("#+ ", line) else line for line in text.splitlines()]
    return re.sub(r"!\[(.*?)\]\((?!http)(.*?)\)", rf"![\1](../{folder.relative_to(ROOT)}/\2)", "\n".join(lines)) + "\n"


def shown(path: Path) -> list[str]:
    """Return the parts of the page that one result file makes."""
    table = None
    if path.suffix == ".png":
        return [f"![{path.stem.replace('_', ' ')}](../{path.relative_to(ROOT)})\n"]
    if path.suffix == ".csv":
        table = pd.read_csv(path)
    elif path.suffix == ".json":
        table = from_json(json.loads(path.read_text(encoding="utf-8")))
    if table is None or table.empty:
        return []
    name = path.relative_to(ROOT)
    if {"nominal", "h"} <= set(table) and len(table) > MOST_ROWS:
        table = table[(table["nominal"] == SHOWN_LEVEL) & (table["h"] == table["h"].min())]
    title = f"### {path.stem.replace('_', ' ').replace('-', ' ').capitalize()}\n"
    if len(table) > MOST_ROWS:
        return [title, f"{len(table)} rows in `{name}`.\n"]
    return [title, f"`{name}`\n", markdown(table), ""]


def from_json(content: object) -> pd.DataFrame | None:
    """Return the rows of a result, whether they are a list or named; None for another kind of file."""
    rows = content.get("rows") if isinstance(content, dict) else content
    if isinstance(rows, dict):
        rows = [{"who": who, **row} for who, row in rows.items()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    simple = [{key: value for key, value in row.items() if not isinstance(value, (list, dict))} for row in rows]
    return pd.DataFrame(simple)


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers to four digits; empty columns are left out."""
    kept = [name for name in table if table[name].notna().any()]
    lines = ["| " + " | ".join(map(str, kept)) + " |", "|" + "---|" * len(kept)]
    lines += ["| " + " | ".join(cell(row[name]) for name in kept) + " |" for row in table[kept].to_dict("records")]
    return "\n".join(lines)


def cell(value: object) -> str:
    """Return one cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value).replace("|", "\\|")


if __name__ == "__main__":
    main()
