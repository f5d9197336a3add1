"""Write docs/benchmarks/ from the committed results, a page a board; `conf.py` calls it first.

Usage: python docs/write_benchmarks.py
"""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = Path(__file__).parent / "benchmarks"
MOST_ROWS = 70  # longer tables are named, not shown
SHOWN_LEVEL = 0.95  # of long coverage tables, at the first horizon
FOOT = """
Every number on these pages is read from a file under `benchmarks/results/` when the documentation is built. Each file
was left by a command that is named in it or beside it, and names versions and seeds.

```{{toctree}}
:hidden:

{pages}
```
"""
WORDS = {
    "speed": "Times are medians of several runs, varnn and its peer in the same process; `ratio` is the peer's time "
             "over ours, `target` what was aimed at.",
    "coverage": "How often intervals held the outcome, on simulated series; `within` is the share of cells whose "
                "coverage is inside three binomial standard errors of the nominal one.",
    "faults": "A benchmark run was shot, starved or damaged at random moments, then resumed.",
    "accuracy": "How far the models go from the VAR to the best possible forecast of simulated processes, and what "
                "they reach on dynamical systems.",
}


def main() -> None:
    """Write the pages and their index."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    pages = {folder.name: page(folder) for folder in sorted(RESULTS.iterdir()) if folder.is_dir()}
    pages = {name: text for name, text in pages.items() if text}
    for name, text in pages.items():
        (PAGES / f"{name}.md").write_text(text, encoding="utf-8")
    index = linked((ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8"), set(pages))
    (PAGES / "index.md").write_text(index + FOOT.format(pages="\n".join(pages)), encoding="utf-8")


def page(folder: Path) -> str:
    """Return the page of a result: its own words where it has some, else its tables."""
    own = folder / "README.md"
    if own.is_file():
        text = own.read_text(encoding="utf-8")
        text = re.sub(r"!\[(.*?)\]\((?!http)(.*?)\)", rf"![\1](../../{folder.relative_to(ROOT)}/\2)", text)
        return linked(text, {one.name for one in RESULTS.iterdir()})
    tables = [part for path in sorted(folder.iterdir()) for part in shown(path)]
    head = [f"# {folder.name.replace('_', ' ').capitalize()}\n", f"{WORDS.get(folder.name, '')}\n"]
    return "\n".join(head + tables) if tables else ""


def linked(text: str, pages: set[str]) -> str:
    """Let links to results lead to their pages here, and name other files of the repository instead of linking them."""

    def target(found: re.Match[str]) -> str:
        label, path = found.groups()
        name = next((part for part in reversed(Path(path).parts) if part != "README.md"), "")
        return f"[{label}]({name}.md)" if name in pages else f"`{label}`"

    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!http|#)([^)]*)\)", target, text)


def shown(path: Path) -> list[str]:
    """Return the parts of the page that one result file makes."""
    table = None
    if path.suffix == ".png":
        return [f"![{path.stem.replace('_', ' ')}](../../{path.relative_to(ROOT)})\n"]
    if path.suffix == ".csv":
        table = pd.read_csv(path)
    elif path.suffix == ".json":
        table = from_json(json.loads(path.read_text(encoding="utf-8")))
    if table is None or table.empty:
        return []
    name = path.relative_to(ROOT)
    if {"nominal", "h"} <= set(table) and len(table) > MOST_ROWS:
        table = table[(table["nominal"] == SHOWN_LEVEL) & (table["h"] == table["h"].min())]
    title = f"## {path.stem.replace('_', ' ').replace('-', ' ').capitalize()}\n"
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
