"""One self-contained HTML page from any number of comparisons, and the same tables as CSV beside it.

Called by `Comparison.report`, the command line and the benchmark harness. The page asks for nothing outside itself
and runs one script, known by its hash. The same ledgers give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup

from varnn.errors import ParameterError, StoreError
from varnn.evaluate.ledger import ORACLE
from varnn.evaluate.significance.ranks import rank_comparison
from varnn.report import figures, tables, words
from varnn.report.canvas import NAIVE, Style, drawing, short, styles
from varnn.report.outcomes import Outcomes
from varnn.writing import write_whole

if TYPE_CHECKING:
    from varnn.comparison.compare import Comparison

MOST_PIT = 5
FEWEST_RANKED = 3


def render(comparisons: Sequence[Comparison], path: str | Path, *, title: str) -> Path:
    """Write the report of one or many comparisons.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One gives a page about it; more give an overview first and then a section for each.
    path : str or Path
        The HTML file, or a folder to hold `index.html`. Tables go to `tables/` beside the file.
    title : str
        The heading of the page.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    ParameterError
        If there is nothing to report.
    StoreError
        If the files cannot be written.
    """
    if not comparisons:
        raise ParameterError("comparisons=[] is not usable; give at least one comparison to report")
    path = Path(path)
    page = path if path.suffix.lower() in (".html", ".htm") else path / "index.html"
    names = tables.slugs([str(comparison.ledger.meta["title"]) for comparison in comparisons])
    sections = []
    for comparison, name in zip(comparisons, names, strict=True):
        with drawing(name):
            sections.append(section_of(comparison, brief_of(comparison, name, f"#{name}"), page.parent / "tables"))
    write(page, "page.html", title=title, sections=sections, columns=tables.COLUMNS,
          overview=overview_of(sections, comparisons) if len(sections) > 1 else None,
          versions=dict(comparisons[0].ledger.meta.get("versions", {})))
    return page


@dataclass(frozen=True, eq=False)
class Brief:
    """What an overview says about one comparison: the cells of each model, and where more is said."""

    slug: str
    href: str
    title: str
    meta: Mapping[str, Any]
    verdict: list[str]
    first: Mapping[str, tables.Cell]
    whole: Mapping[str, tables.Cell]
    gap: Mapping[str, tables.Cell]
    regret: Mapping[str, tables.Cell]
    speed: Mapping[str, tables.Cell]


@dataclass(frozen=True, eq=False)
class Section(Brief):
    """Everything the template says about one comparison."""

    about: list[str]
    models: list[Legend]
    reference: str
    best: str
    rows: list[tables.Row]
    interval_known: bool
    steps: list[int]
    horizons: list[tuple[str, int, list[tables.Cell]]]
    bootstrap: list[tuple[str, int, list[tables.Cell]]]
    by_series: tuple[list[str], list[tuple[str, list[tables.Cell]]]]
    coverage: list[tuple[str, int, list[tables.Cell]]]
    calibration: list[str]
    best_set: str
    stretches: list[str]
    troubles: list[tuple[str, str, int, str, str]]
    pictures: Mapping[str, Any]
    files: list[str]


@dataclass(frozen=True)
class Legend:
    """A model's name and line, as the legend and the tables draw it."""

    name: str
    at: int
    style: Style
    drawn: bool

    @property
    def dashes(self) -> str:
        """Dash pattern in units of SVG."""
        return " ".join(f"{1.7 * length:g}" for length in self.style.dashes)


def brief_of(comparison: Comparison, slug: str, href: str = "",
             speed: Mapping[str, tables.Cell] | None = None) -> Brief:
    """Return what an overview says about a comparison; `speed` where its ledger does not hold the seconds."""
    ledger, table = comparison.ledger, comparison.table
    judged = [model for model in ledger.models if model in table.index]
    horizons = tables.horizon_table(comparison, judged)[1]
    return Brief(
        slug=slug, href=href, title=words.heading(str(ledger.meta["title"])), meta=ledger.meta,
        verdict=list(comparison.verdict), first={ledger.models[at]: cells[0] for _, at, cells in horizons},
        whole={model: tables.skill_cell(short(model), line)
               for model, line in tables.lines(table.loc[judged]).items()},
        gap=_gap_cells(comparison), regret=_regret_cells(comparison),
        speed=_speed_cells(comparison) if speed is None else speed)


def section_of(comparison: Comparison, brief: Brief, folder: Path,
               columns: Sequence[tables.Column] = tables.COLUMNS) -> Section:
    """Return everything a page says about a comparison, its pictures drawn and its tables written to `folder`."""
    ledger = comparison.ledger
    outcomes = Outcomes.of(ledger)
    given = styles(outcomes.models)
    judged = [model for model in outcomes.models if model in comparison.table.index]
    rungs = [model for model in outcomes.rungs if model != outcomes.reference] or [
        model for model in judged if model != outcomes.reference]
    best = _best(comparison, rungs) or outcomes.reference
    steps, horizons = tables.horizon_table(comparison, judged)
    return Section(
        **{field.name: getattr(brief, field.name) for field in fields(brief)}, about=words.about(ledger.meta),
        models=[Legend(short(model), at, given[model], model in outcomes.rungs)
                for at, model in enumerate(outcomes.models)],
        reference=short(outcomes.reference), best=short(best),
        rows=tables.main_table(comparison, outcomes.models, columns),
        interval_known=bool(comparison.table["skill_lower"].notna().any()),
        steps=steps, horizons=horizons, bootstrap=tables.bootstrap_table(comparison, judged, steps),
        by_series=tables.series_table(outcomes),
        coverage=tables.coverage_table(outcomes), calibration=words.calibration(outcomes),
        best_set=words.best_set(outcomes), stretches=words.stretches(outcomes, rungs),
        troubles=tables.troubles(comparison),
        pictures=_pictures(comparison, outcomes, given, rungs, best),
        files=tables.write_csv(comparison, outcomes, folder, brief.slug))


def _pictures(comparison: Comparison, outcomes: Outcomes, given: dict[str, Style], rungs: list[str],
              best: str) -> dict[str, Any]:
    """Draw every picture of one section, as markup that matplotlib has escaped."""
    reference = outcomes.reference
    pair = list(dict.fromkeys([reference, best]))
    series = range(min(len(outcomes.series), figures.MOST_SERIES_SHOWN))
    units = [words.unit(comparison.ledger.meta, outcomes.series[at]) for at in series]
    against = []
    for at in series:
        limits = figures.forecast_limits(outcomes, pair, at)
        against.append([Markup(figures.forecasts(outcomes, model, at, given, limits, units[at])) for model in pair])
    histograms = {kind: [(Markup(figures.histogram(found, model, given, kind)), words.histogram_note(found, model))
                         for model in outcomes.rungs[:MOST_PIT] if (found := of(model))]
                  for kind, of in (("PIT", outcomes.pit_histogram), ("Rank", outcomes.joint_histogram))}
    pictures: dict[str, Any] = {
        "skill": figures.skill_by_horizon(comparison.by_horizon, comparison.oracle_gap, rungs, given, reference),
        "time": figures.gain_over_time(outcomes, [*rungs, *(model for model in given if model == ORACLE)], given),
        "fans": [Markup(figures.fan(outcomes, best, at, given, units[at])) for at in series
                 if len(outcomes.steps) > 1],
        "coverage": figures.coverage_by_horizon(outcomes, outcomes.rungs, given),
        "width": figures.width_by_horizon(outcomes, outcomes.rungs, given),
        "stairs": "" if comparison.staircase.empty or comparison.staircase["gain"].isna().any() else
                  figures.staircase(comparison.staircase, reference),
        "gap": ""}
    if comparison.oracle_gap is not None:
        pictures["gap"] = figures.gap_closed(comparison.oracle_gap, rungs, given, reference)
    drawn = {name: Markup(picture) if isinstance(picture, str) else picture
             for name, picture in pictures.items()}
    return drawn | histograms | {"against": against}


def _best(comparison: Comparison, rungs: list[str]) -> str | None:
    errors = comparison.table.loc[rungs, "rmsse"].dropna()
    return str(errors.idxmin()) if len(errors) else None


def _gap_cells(comparison: Comparison) -> dict[str, tables.Cell]:
    """Share of the gap to the best possible forecast closed at the first step."""
    gap = comparison.oracle_gap
    if gap is None:
        return {}
    cells = {}
    for row in gap[gap["step"] == gap["step"].min()].itertuples():
        share, best = 100 * float(row.gap_closed), float(row.oracle)
        if not np.isfinite(share) or best <= 0:
            cells[str(row.model)] = tables.Cell(tables.NOTHING, hint="the VAR is as good as the best possible here")
            continue
        excess = 100 * (float(row.rmsse) / best - 1)
        hint = f"{short(str(row.model))}: RMSE {tables.signed(excess, 2)} % from the best possible"
        cells[str(row.model)] = tables.Cell(f"{share:.0f}".replace("-", "−"), f"{share:.6g}", hint,
                                            "up" if share > 0 else "down" if share < 0 else "",
                                            round(min(1.0, abs(share) / 100), 3))
    return cells


def _regret_cells(comparison: Comparison) -> dict[str, tables.Cell]:
    """How many per cent the RMSE at the first step lies above that of the best possible forecast."""
    gap = comparison.oracle_gap
    if gap is None:
        return {}
    cells = {}
    for row in gap[gap["step"] == gap["step"].min()].itertuples():
        best = float(row.oracle)
        excess = 100 * (float(row.rmsse) / best - 1) if best > 0 else np.nan
        kind, heat = ("down", round(min(1.0, excess / 20), 3)) if excess >= 0.05 else ("", 0.0)
        cells[str(row.model)] = tables.Cell(tables.signed(excess), f"{excess:.6g}" if np.isfinite(excess) else "",
                                            f"best possible RMSSE {tables.number(best)}", kind, heat)
    return cells


def _speed_cells(comparison: Comparison) -> dict[str, tables.Cell]:
    """Median seconds of one fit and its first forecast, over the origins where the model was estimated anew."""
    fits = comparison.ledger.fits
    medians = fits[fits["refit"].astype(bool)].groupby("model", sort=False)["seconds"].median()
    return {str(model): tables.Cell(tables.duration(float(value)), f"{value:.6g}") for model, value in medians.items()}


@dataclass(frozen=True, eq=False)
class Overview:
    """What the first screen of a report of many data sets says."""

    models: list[tuple[str, str]]
    gains: list[tuple[str, str]]
    summary: list[str]
    simulated: list[Brief]
    ranks: Markup | None
    ranked: str
    rungs: list[tuple[str, str]]


def overview_of(sections: Sequence[Brief], comparisons: Sequence[Comparison]) -> Overview:
    """Return what is said over many comparisons: counts, ranks, and who is simulated."""
    every = list(dict.fromkeys(model for section in sections for model in section.whole))
    rungs = [model for model in every if model not in NAIVE]
    models = [*rungs, *(model for model in every if model in NAIVE)]
    gains = [model for model in models if model != "VAR"] or models
    summary = []
    for model in [model for model in rungs if model != "VAR"]:
        cells = [section.whole[model] for section in sections if model in section.whole]
        better = sum(cell.kind == "up" for cell in cells)
        sure = sum(cell.kind == "up" and "*" in cell.text for cell in cells)
        worse = sum(cell.kind == "down" and "*" in cell.text for cell in cells)
        summary.append(words.tally(model, better, sure, worse, len(cells)))
    simulated = [section for section in sections if section.gap]
    picture, ranked = _ranks(comparisons)
    return Overview([(model, short(model)) for model in models], [(model, short(model)) for model in gains], summary,
                    simulated, picture, ranked, [(model, short(model)) for model in rungs if model in gains])


def _ranks(comparisons: Sequence[Comparison]) -> tuple[Markup | None, str]:
    """Rank the models that every data set has by their RMSSE over all steps."""
    shared = [str(model) for model in comparisons[0].table.index
              if all(np.isfinite(one.table["rmsse"].get(model, np.nan)) for one in comparisons)]
    if len(comparisons) < FEWEST_RANKED or len(shared) < 2:
        return None, ""
    errors = np.array([one.table["rmsse"].loc[shared].to_numpy() for one in comparisons])
    names = {short(model): model for model in shared}
    found = rank_comparison(errors, list(names))
    with drawing("overview"):
        picture = figures.ranks(found, [names[name] for name in found.names], styles(shared))
    return Markup(picture), found.sentence()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("varnn.report", ""), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(tied=words.tied, told=words.told)
    return environment


def _asset(name: str) -> str:
    return resources.files("varnn.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write(path: Path, template: str, **facts: Any) -> None:
    """Fill a template and write the page whole or not at all.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    style, script = _asset("style.css"), _asset("script.js")
    text = _environment().get_template(template).render(
        style=Markup(style), script=Markup(script), style_hash=_hash(style), script_hash=_hash(script), **facts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(f"the report cannot be written to {path}: {problem.strerror}") from None
    write_whole(path, text)
