"""A benchmark as a small static site: an overview, a page a data set, the oracle, speed, how to repeat it.

Called by the benchmark harness. It opens from disk, asks for nothing outside itself, and is the same bytes whenever
it is made from the same results; seconds stand on a page of their own, because they differ from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from varnn.errors import ParameterError
from varnn.report import tables
from varnn.report.canvas import drawing
from varnn.report.page import brief_of, overview_of, section_of, write

if TYPE_CHECKING:
    from varnn.comparison.compare import Comparison

MOST_PAGES = 100  # data sets with a page of their own; each takes a second or two to draw


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a benchmark says of itself besides its comparisons.

    Attributes
    ----------
    title, question, suite : str
        `suite` is the text of its file.
    code : list of (name, version, digest)
        Every distribution whose code can change a number.
    jobs, done : int
        In all, and with a result.
    waiting : list of str
        Data sets that are not shown because some of their jobs have neither a result nor a reason.
    failed : list of (data, model, reason)
    sources : list of (data, licence and citation)
    """

    title: str
    question: str = ""
    suite: str = ""
    code: list[tuple[str, str, str]] = field(default_factory=list)
    jobs: int = 0
    done: int = 0
    waiting: Sequence[str] = ()
    failed: Sequence[tuple[str, str, str]] = ()
    sources: Sequence[tuple[str, str]] = field(default=())


def render_site(comparisons: Sequence[Comparison], folder: Path, standing: Standing, seconds: pd.DataFrame) -> Path:
    """Write the site into `folder` and return its `index.html`.

    Parameters
    ----------
    comparisons : sequence of Comparison
    folder : Path
    standing : Standing
    seconds : DataFrame
        Columns data, model, fit: the median seconds of one fit and its first forecast.

    Raises
    ------
    ParameterError
        If there is nothing to report.
    StoreError
        If a file cannot be written.
    """
    if not comparisons:
        raise ParameterError("comparisons=[] is not usable; give at least one comparison to report")
    titles = [str(one.ledger.meta["title"]) for one in comparisons]
    names, speed = tables.slugs(titles), _speed(seconds)
    briefs = [brief_of(one, name, f"data-{name}.html" if number < MOST_PAGES else "", speed.get(title, {}))
              for number, (one, name, title) in enumerate(zip(comparisons, names, titles, strict=True))]
    overview, linked = overview_of(briefs, comparisons), briefs[:MOST_PAGES]
    pages = [("index.html", "Overview"), *([("oracle.html", "Distance to the best forecast")] * bool(
        overview.simulated)), ("speed.html", "Speed"), ("reproduce.html", "How to repeat it")]
    columns = [column for column in tables.COLUMNS if column.key != "seconds"]
    shared = {"title": standing.title, "pages": pages, "linked": linked, "briefs": briefs, "overview": overview,
              "standing": standing, "columns": columns,
              "versions": dict(comparisons[0].ledger.meta.get("versions", {}))}
    for (file, heading) in pages:
        kind = file.removesuffix(".html")
        write(folder / file, "site.html", kind=kind, here=file, heading=standing.title if kind == "index" else heading,
              **shared)
    for one, brief in zip(comparisons, linked, strict=False):
        with drawing(brief.slug):
            section = section_of(one, brief, folder / "tables", columns)
        write(folder / brief.href, "site.html", kind="data", here=brief.href, heading=brief.title, section=section,
              **shared)
    return folder / "index.html"


def _speed(seconds: pd.DataFrame) -> dict[str, Mapping[str, tables.Cell]]:
    found: dict[str, dict[str, tables.Cell]] = {}
    for row in seconds.to_dict("records"):
        found.setdefault(row["data"], {})[row["model"]] = tables.Cell(tables.duration(row["fit"]), f"{row['fit']:.6g}")
    return dict(found)
