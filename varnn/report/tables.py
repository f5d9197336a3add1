"""The tables of a comparison: as rows of formatted cells for the page, and as CSV beside it.

Called by `page`. Reads a Comparison's own tables; averages nothing anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from varnn.errors import StoreError
from varnn.evaluate.ledger import ORACLE
from varnn.report.canvas import NAIVE, short
from varnn.report.outcomes import LEVELS, Outcomes, thinned
from varnn.writing import write_table

if TYPE_CHECKING:
    from varnn.comparison.compare import Comparison

NOTHING = "–"
SIGNIFICANT = 0.05
MOST_STEPS = 24
MOST_SERIES = 60


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, what it sorts by ('' sorts last), the words on hovering, and how it stands out."""

    text: str
    value: str = ""
    hint: str = ""
    kind: str = ""
    heat: float = 0.0


@dataclass(frozen=True)
class Interval:
    """A point and its interval on a common axis, as percentages of the width; `cut` where it leaves the axis."""

    zero: float
    point: float
    lower: float
    upper: float
    cut: bool


@dataclass(frozen=True)
class Row:
    """One model's row in the main table."""

    model: str
    at: int
    kind: str
    cells: tuple[Cell, ...]
    interval: Interval | None


@dataclass(frozen=True)
class Column:
    """A column of the main table: header, explanation, and how its numbers are written."""

    key: str
    header: str
    hint: str
    write: Callable[[float], str]


def number(value: float, digits: int = 3) -> str:
    """Return a number as a reader wants it: a few digits, a real minus sign, a dash where there is none.

    Examples
    --------
    >>> number(-0.012345), number(float("nan"))
    ('−0.0123', '–')
    """
    if not math.isfinite(value):
        return NOTHING
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    places = digits if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 6)}f}".replace("-", "−")


def signed(value: float, places: int = 1) -> str:
    """Return a gain with its sign: '+3.1', '−0.4', '0.0'."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:+,.{0 if abs(value) >= 100 else places}f}".replace("-", "−")
    return text[1:] if not text.strip("+−0.") else text


def probability(value: float) -> str:
    """Return a p-value: '.034', '< .001'."""
    if not math.isfinite(value):
        return NOTHING
    return "< .001" if value < 0.001 else f"{value:.3f}".lstrip("0") if value < 0.9995 else "1.0"


def percent(share: float) -> str:
    """Return a share in [0, 1] as whole per cent."""
    return f"{100 * share:.0f}" if math.isfinite(share) else NOTHING


def duration(seconds: float) -> str:
    """Return seconds with a fitting unit: '0.4 ms', '12 ms', '3.1 s'."""
    if not math.isfinite(seconds):
        return NOTHING
    for unit, letter in ((1e-3, "ms"), (1.0, "s")):
        if seconds < 1000 * unit:
            return f"{seconds / unit:.{0 if seconds >= 10 * unit else 1}f} {letter}"
    return f"{seconds / 60:.0f} min"


COLUMNS = (
    Column("rmse", "RMSE", "root mean squared error, in the units of the series, all series and steps together",
           number),
    Column("mase", "MASE", "mean absolute error over that of the (seasonal) naive forecast in the first training "
           "window", number),
    Column("rmsse", "RMSSE", "root mean squared error over that of the (seasonal) naive forecast in the first training "
           "window; skill is measured on this", number),
    Column("crps", "CRPS", "continuous ranked probability score: the error of the whole distribution, in the units of "
           "the series", number),
    Column("coverage_90", "90 % band held", "per cent of outcomes inside the 90 % band; 90 is right",
           lambda value: f"{percent(value)} %" if math.isfinite(value) else NOTHING),
    Column("dm_p", "DM\N{NO-BREAK SPACE}p", "Diebold–Mariano test of equal squared error with the VAR, two-sided "
           "p-value", probability),
    Column("cw_p", "CW\N{NO-BREAK SPACE}p", "Clark–West test that a model which contains the VAR adds nothing "
           "but a better level and scale, one-sided p-value", probability),
    Column("seconds", "time", "seconds to fit and forecast at all origins together", duration))


def main_table(comparison: Comparison, models: list[str], columns: Sequence[Column] = COLUMNS) -> list[Row]:
    """Return one row a model with every one of `columns` after the skill; the best of a column is marked."""
    table = comparison.table.loc[[model for model in models if model in comparison.table.index]]
    fitted = [model for model in table.index if model not in NAIVE]
    best = {column.key: table[column.key].min() for column in columns
            if column.key in ("rmse", "mase", "rmsse", "crps") and len(table) > 1}
    low, high = _axis(table.loc[fitted])
    rows = []
    for model, line in lines(table).items():
        cells = [skill_cell(short(model), line)]
        for column in columns:
            value = line.get(column.key, math.nan)
            cells.append(Cell(column.write(value), _sortable(value), "",
                              "best" if column.key in best and value == best[column.key] else ""))
        rows.append(Row(short(model), models.index(model), "naive" if model in NAIVE else "", tuple(cells),
                        _interval(line, low, high)))
    return rows


def lines(table: pd.DataFrame) -> dict[Any, dict[str, float]]:
    """Return the numbers of each row of a table: by its label, then by column name."""
    numbers = table.select_dtypes("number")
    return dict(zip(table.index, [{str(name): float(value) for name, value in row.items()}
                                  for row in numbers.to_dict("records")], strict=True))


def skill_cell(model: str, line: dict[str, float], limit: float = 15.0) -> Cell:
    """Return a gain over the reference with its marks of significance, its heat (−1 … 1) and its words on hovering."""
    skill = line["skill"]
    if not math.isfinite(skill):
        return Cell(NOTHING)
    marks = "*" * (line.get("dm_p", math.nan) < SIGNIFICANT) + "†" * (line.get("cw_p", math.nan) < SIGNIFICANT)
    hint = f"{model}: {signed(skill, 2)} % RMSE against the VAR"
    if math.isfinite(line.get("skill_lower", math.nan)):
        hint += f", 95 % interval {signed(line['skill_lower'])} to {signed(line['skill_upper'])} %"
    for key, test in (("dm_p", "Diebold–Mariano"), ("dm_holm", "with Holm's correction over the steps"),
                      ("boot_p", "bootstrapped under the VAR, one-sided"), ("gw_p", "Giacomini–White"),
                      ("cw_p", "Clark–West")):
        if math.isfinite(line.get(key, math.nan)):
            hint += f"; {test} p {probability(line[key])}"
    heat = max(-1.0, min(1.0, skill / limit))
    side = "" if abs(skill) < 0.05 else "up" if skill > 0 else "down"
    return Cell(signed(skill) + marks, _sortable(skill), hint, side, round(abs(heat), 3))


def coverage_table(outcomes: Outcomes) -> list[tuple[str, int, list[Cell]]]:
    """Return for each model the share held by its 50, 80, 90 and 95 % bands over all steps, and the relative width."""
    rows = []
    for at, model in enumerate(outcomes.models):
        if model == ORACLE:
            continue
        cells = []
        for level in LEVELS:
            share, count = outcomes.held(model, level)
            mean = float(np.nansum(share * count) / count.sum()) if count.sum() else math.nan
            cells.append(Cell(f"{100 * mean:.1f}" if math.isfinite(mean) else NOTHING, _sortable(mean)))
        widths = outcomes.relative_width(model)
        width = float(np.nanmean(widths)) if np.isfinite(widths).any() else math.nan
        cells.append(Cell(f"{100 * width:.0f}" if math.isfinite(width) else NOTHING, _sortable(width)))
        rows.append((short(model), at, cells))
    return rows


def horizon_table(comparison: Comparison, models: list[str]) -> tuple[list[int], list[tuple[str, int, list[Cell]]]]:
    """Return the steps, at most 24 of them, and each model's skill at each."""
    table = comparison.by_horizon
    every = sorted(int(step) for step in table["step"].unique())
    steps = [every[at] for at in thinned(len(every), MOST_STEPS)]
    rows = []
    for model in [one for one in models if one in set(table["model"])]:
        mine = lines(table[table["model"] == model].set_index("step"))
        cells = [skill_cell(short(model), mine[step]) for step in steps]
        rows.append((short(model), models.index(model), cells))
    return steps, rows


def bootstrap_table(comparison: Comparison, models: list[str], steps: list[int]) -> list[tuple[str, int, list[Cell]]]:
    """Return each model's p-values bootstrapped under the VAR, the textbook's in brackets; nothing without them."""
    table = comparison.by_horizon
    if "boot_p" not in table:
        return []
    tested = set(table.loc[table["boot_p"].notna(), "model"])
    rows = []
    for model in [one for one in models if one in tested]:
        mine = lines(table[table["model"] == model].set_index("step"))
        cells = [Cell(f"{probability(mine[step]['boot_p'])} ({probability(mine[step]['dm_p'])})",
                      _sortable(mine[step]["boot_p"])) for step in steps]
        rows.append((short(model), models.index(model), cells))
    return rows


def series_table(outcomes: Outcomes) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return the names of the models, and each one's gain in RMSE on each of at most 60 series, all steps together."""
    models = [model for model in outcomes.models if model != ORACLE]
    squared = np.stack([outcomes.squared(model) for model in models])
    usable = outcomes.common
    if not usable.any():
        return [], []
    known = np.isfinite(squared[:, usable])                                                         # (r, o', h, k)
    count = known.sum(axis=(1, 2))
    total = np.where(known, squared[:, usable], 0.0).sum(axis=(1, 2))
    whole = known.all(axis=(1, 2)) | ~np.isfinite(outcomes.observed[usable]).all(axis=(0, 1))
    rmse = np.sqrt(np.where((count > 0) & whole, total / np.maximum(count, 1), np.nan))              # (r, k)
    base = rmse[models.index(outcomes.reference)]
    skill = np.full_like(rmse, np.nan)
    np.divide(100 * (base - rmse), base, out=skill, where=base > 0)
    return [short(model) for model in models], [
        (name, [skill_cell(f"{short(model)} on {name}", {"skill": float(gain)})
                for model, gain in zip(models, gains, strict=True)])
        for name, gains in zip(outcomes.series[:MOST_SERIES], skill.T, strict=False)]


def troubles(comparison: Comparison) -> list[tuple[str, str, int, str, str]]:
    """Return what did not go smoothly: model, outcome, how often, the first origin's date, the reason given."""
    fits, forecasts = comparison.ledger.fits, comparison.ledger.forecasts
    spoken = fits[fits["stop"].fillna("").astype(str) != ""]
    firsts = forecasts.drop_duplicates("origin")
    dates = dict(zip(firsts["origin"], firsts["origin_date"].astype(str).str.removesuffix(" 00:00:00"), strict=True))
    lost = set(forecasts[forecasts["mean"].isna()][["model", "origin"]].itertuples(index=False, name=None))
    found: dict[tuple[str, str, str], list[int]] = {}
    for model, origin, stop in spoken[["model", "origin", "stop"]].itertuples(index=False, name=None):
        outcome = "no forecast" if (model, origin) in lost else "warning"
        found.setdefault((short(str(model)), outcome, str(stop)), []).append(origin)
    return [(model, outcome, len(origins), dates.get(min(origins), ""), reason)
            for (model, outcome, reason), origins in found.items()]


def write_csv(comparison: Comparison, outcomes: Outcomes, folder: Path, slug: str) -> list[str]:
    """Write every table as CSV into `folder` and return the file names; texts cannot become spreadsheet formulas.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    tables: dict[str, pd.DataFrame | None] = {
        "overall": comparison.table.reset_index(), "by_horizon": comparison.by_horizon,
        "by_series": comparison.by_series, "coverage": _coverage(outcomes), "oracle_gap": comparison.oracle_gap}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            if table is not None:
                written.append(f"{slug}_{name}.csv")
                write_table(folder / written[-1], table, "%.10g")
    except OSError as problem:
        raise StoreError(f"the tables cannot be written to {folder}: {problem.strerror}") from None
    return written


def slugs(titles: list[str]) -> list[str]:
    """Return a file name and anchor for each title: lower case, no character with a meaning, no two alike.

    Examples
    --------
    >>> slugs(["US macro, 1959–2009", "../etc", "US macro 1959 2009"])
    ['us-macro-1959-2009', 'etc', 'us-macro-1959-2009-2']
    """
    given: list[str] = []
    for title in titles:
        base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "data"
        name, copy = base, 2
        while name in given:
            name, copy = f"{base}-{copy}", copy + 1
        given.append(name)
    return given


def _coverage(outcomes: Outcomes) -> pd.DataFrame:
    """One row a model and step: outcomes judged, and the share held by each band."""
    blocks = []
    for model in [model for model in outcomes.models if model != ORACLE]:
        shares = {f"coverage_{level}": outcomes.held(model, level)[0] for level in LEVELS}
        blocks.append(pd.DataFrame({"model": model, "step": outcomes.steps, "outcomes": outcomes.held(model, 90)[1],
                                    **shares}))
    return pd.concat(blocks, ignore_index=True)


def _axis(table: pd.DataFrame) -> tuple[float, float]:
    """Return the common axis of the intervals: it holds those of the fitted models, and zero."""
    values = table[["skill", "skill_lower", "skill_upper"]].to_numpy(dtype=float).ravel()
    values = np.clip(values[np.isfinite(values)], -60, 100)
    low, high = float(min(0.0, *values, -1.0)), float(max(0.0, *values, 1.0))
    room = 0.06 * (high - low)
    return low - room, high + room


def _interval(line: dict[str, float], low: float, high: float) -> Interval | None:
    skill, lower, upper = (line.get(key, math.nan) for key in ("skill", "skill_lower", "skill_upper"))
    if not math.isfinite(skill):
        return None
    lower, upper = (skill if not math.isfinite(side) else side for side in (lower, upper))

    def place(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 1)

    return Interval(place(0.0), place(skill), place(lower), place(upper), not low <= skill <= high)


def _sortable(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else ""
