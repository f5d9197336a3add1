"""The pictures of a comparison, one function each: data in, one `<svg>` element out.

Called by `page`. Each says one thing, has its units on the axes, and is told apart in black and white by dashes,
markers and hatching. Nothing is fitted or tested here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from varnn.evaluate.calibration import PitHistogram
from varnn.evaluate.significance.ranks import RankComparison
from varnn.report.canvas import BAND, COLOURS, HALF, INK, MUTED, RULE, THIRD, Style, panel, rule, short, svg
from varnn.report.outcomes import Outcomes, thinned

MOST_ORIGINS_SHOWN = 120
MOST_SERIES_SHOWN = 3
MOST_STEPS_SHOWN = 40
YEAR = re.compile(r"\d{4}[-Q/]")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def skill_by_horizon(table: pd.DataFrame, gap: pd.DataFrame | None, models: Sequence[str], styles: dict[str, Style],
                     reference: str) -> str:
    """Gain in RMSE over the reference at each step, with 95 % intervals dodged sideways so that they can be told apart.

    Parameters
    ----------
    table : DataFrame
        `Comparison.by_horizon`.
    gap : DataFrame, optional
        `Comparison.oracle_gap`, which gives the line of the best possible forecast.
    models : sequence of str
        The ones to draw; the axis fits them, and a naive row is drawn where at least half of it lies within.
    styles : dict
        Of every model.
    reference : str
        The model at zero.
    """
    label = f"Skill against the {short(reference)} by steps ahead"
    figure, axes = panel(HALF, across="steps ahead", up=f"RMSE gain over the {short(reference)}, %")
    table = _shown_steps(table)
    axes.axhline(0, color=INK, linewidth=1)
    limits = [0.0]
    for at, model in enumerate(models):
        mine = table[table["model"] == model].sort_values("step")
        shift = 0.14 * (at - (len(models) - 1) / 2)
        steps, skill = mine["step"].to_numpy(dtype=float) + shift, mine["skill"].to_numpy(dtype=float)
        lower, upper = (mine[side].to_numpy(dtype=float) for side in ("skill_lower", "skill_upper"))
        style = styles[model]
        axes.vlines(steps, lower, upper, color=COLOURS[style.colour], linewidth=1, alpha=0.55, gid=_gid(model, styles))
        _line(axes, steps, skill, model, styles, marked=True)
        limits += [value for value in (*lower, *upper, *skill) if np.isfinite(value)]
    if gap is not None:
        base = _shown_steps(gap[gap["model"] == reference]).sort_values("step")
        best = 100 * (1 - base["oracle"].to_numpy(dtype=float) / base["rmsse"].to_numpy(dtype=float))
        _line(axes, base["step"].to_numpy(dtype=float), best, "oracle", styles)
        limits += [value for value in best if np.isfinite(value)]
    room = max(max(limits) - min(limits), 1.0)
    low, high = min(limits) - 0.08 * room, max(limits) + 0.08 * room
    for model in [one for one in styles if one not in models and one not in (reference, "oracle")]:
        mine = table[table["model"] == model].sort_values("step")
        steps, skill = mine["step"].to_numpy(dtype=float), mine["skill"].to_numpy(dtype=float)
        if np.mean((skill >= low) & (skill <= high)) >= 0.5:
            _line(axes, steps, skill, model, styles)
    axes.set_ylim(low, high)
    steps_shown = sorted(int(step) for step in table["step"].unique())
    axes.set_xlim(steps_shown[0] - 0.5, steps_shown[-1] + 0.5)
    rule(axes, None, _signed)
    return svg(figure, label)


def staircase(table: pd.DataFrame, reference: str) -> str:
    """Draw what each rung of the ladder adds to the one below it, as steps up from the VAR with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        `Comparison.staircase`; over all steps where there are several, else the first.
    reference : str
        The rung that the stairs begin at.
    """
    over = "all" if (table["steps"] == "all").any() else "first"
    rows = table[table["steps"] == over].to_dict("records")
    figure, axes = panel(HALF, up=f"gain in RMSE over the {short(reference)}, %")
    top, limits, marks = 0.0, [0.0], [(0.0, short(reference))]
    axes.hlines([0.0], -0.4, 0.4, color=INK, linewidth=2)
    for at, row in enumerate(rows, start=1):
        base, top = top, top + row["gain"]
        axes.bar([at], [row["gain"]], bottom=base, width=0.8, color=BAND, edgecolor=INK, linewidth=1,
                 hatch="" if row["gain"] >= 0 else "///")
        axes.hlines([base], at - 0.6, at + 0.4, color=MUTED, linewidth=0.8)
        if np.isfinite(row["lower"]) and row["upper"] > row["lower"]:
            axes.vlines([at], base + row["lower"], base + row["upper"], color=COLOURS["rust"], linewidth=1.6)
        limits += [value for value in (top, base + row["lower"], base + row["upper"]) if np.isfinite(value)]
        axes.annotate(f"{row['gain']:+.1f}".replace("-", "−"), (at, max(base, top)), (7, 3), "data", "offset points",
                      fontsize=11, color=INK, ha="left", va="bottom")
        marks.append((float(at), f"+ {row['part']}"))
    room = max(max(limits) - min(limits), 1.0)
    axes.set_ylim(min(limits) - 0.08 * room, max(limits) + 0.12 * room)
    axes.set_xlim(-0.6, len(rows) + 0.6)
    rule(axes, marks, _signed)
    return svg(figure, f"The gain over the {short(reference)} taken apart: {', '.join(row['part'] for row in rows)}")


def gain_over_time(outcomes: Outcomes, models: Sequence[str], styles: dict[str, Style]) -> str:
    """Cumulated difference in squared error against the reference, one line a model, over the judged dates."""
    reference = outcomes.reference
    figure, axes = panel(HALF, across="date forecast",
                         up=f"squared error saved, cumulated (the {short(reference)} is 0)")
    rows = outcomes.origins + outcomes.steps[0] - 1
    axes.axhline(0, color=INK, linewidth=1)
    for model in models:
        _line(axes, rows, outcomes.gain_over_time(model), model, styles)
    rule(axes, _dates(axes, outcomes, rows), number)
    return svg(figure, f"Where in time the gain over the {short(reference)} comes from")


def forecasts(outcomes: Outcomes, model: str, series: int, styles: dict[str, Style],
              limits: tuple[float, float], unit: str = "") -> str:
    """Outcomes as dots on a line, first-step forecasts as a line in 80 and 95 % bands, for one model and series."""
    shown = slice(-MOST_ORIGINS_SHOWN, None)
    at, name = outcomes.models.index(model), outcomes.series[series]
    rows = (outcomes.origins + outcomes.steps[0] - 1)[shown]
    figure, axes = panel((HALF[0], 233 if unit else 215), title=f"{_trimmed(name)} · {short(model)}",
                         up=_trimmed(unit, 68))
    _bands(axes, rows, [[side[at, shown, 0, series] for side in outcomes.bands[level]] for level in (95, 80)],
           styles[model])
    axes.plot(rows, outcomes.observed[shown, 0, series], color=INK, linewidth=0.9, marker="o",
              markersize=2.4 if len(rows) > 60 else 3)
    axes.plot(rows, outcomes.mean[at, shown, 0, series], color=COLOURS[styles[model].colour], linewidth=1.8,
              linestyle=styles[model].line)
    axes.set_ylim(*limits)
    rule(axes, _dates(axes, outcomes, rows), number)
    return svg(figure, f"{name}: forecasts of the {short(model)} against what happened")


def forecast_limits(outcomes: Outcomes, models: Sequence[str], series: int) -> tuple[float, float]:
    """Return y limits that hold the outcomes and the 95 % bands of `models`, so that panels can be compared."""
    shown = slice(-MOST_ORIGINS_SHOWN, None)
    values = [outcomes.observed[shown, 0, series]]
    for model in models:
        at = outcomes.models.index(model)
        values += [side[at, shown, 0, series] for side in outcomes.bands[95]]
    finite = np.concatenate(values)
    finite = finite[np.isfinite(finite)]
    if len(finite) == 0:
        return -1.0, 1.0
    low, high = np.quantile(finite, [0.002, 0.998])
    observed = outcomes.observed[shown, 0, series]
    low, high = min(low, np.nanmin(observed)), max(high, np.nanmax(observed))
    room = 0.06 * (high - low or 1.0)
    return float(low - room), float(high + room)


def fan(outcomes: Outcomes, model: str, series: int, styles: dict[str, Style], unit: str = "") -> str:
    """Draw the forecast from the last origin: the past, the outcomes, the model's fan and the reference's outline."""
    at, base = outcomes.models.index(model), outcomes.models.index(outcomes.reference)
    name, horizon = outcomes.series[series], len(outcomes.steps)
    rows = outcomes.origins[-1] + np.array(outcomes.steps) - 1
    past_rows, past = _history(outcomes, series, max(24, 2 * horizon))
    figure, axes = panel((THIRD[0], THIRD[1] + 18 * bool(unit)), title=_trimmed(name), up=_trimmed(unit, 44))
    axes.axvline(outcomes.origins[-1] - 0.5, color=RULE, linewidth=1.2)
    _bands(axes, rows, [[side[at, -1, :, series] for side in outcomes.bands[level]] for level in (95, 80)],
           styles[model])
    for side in outcomes.bands[95] if model != outcomes.reference else ():
        axes.plot(rows, side[base, -1, :, series], color=COLOURS["slate"], linewidth=1, linestyle=(0, (4, 2)))
    axes.plot(past_rows, past, color=INK, linewidth=1)
    axes.plot(rows, outcomes.observed[-1, :, series], color=INK, linewidth=0.9, marker="o", markersize=3)
    axes.plot(rows, outcomes.mean[at, -1, :, series], color=COLOURS[styles[model].colour],
              linestyle=styles[model].line)
    rule(axes, _dates(axes, outcomes, np.concatenate([past_rows, rows]), most=4), number)
    return svg(figure, f"{name}: fan of the {short(model)} from the last origin")


def histogram(found: PitHistogram, model: str, styles: dict[str, Style], kind: str = "PIT") -> str:
    """PIT or rank histogram as frequencies beside level ones, with its 95 % chance band."""
    bins = len(found.shares)
    height, lower, upper = bins * found.shares, bins * found.lower, bins * found.upper
    figure, axes = panel(THIRD, title=short(model), across="where the outcome fell in the forecast", left=4, right=4)
    axes.axhspan(lower, upper, facecolor=BAND, zorder=0.5)
    axes.bar(found.edges[:-1], height, width=1 / bins, align="edge", facecolor=(COLOURS[styles[model].colour], 0.35),
             edgecolor=COLOURS[styles[model].colour], linewidth=1)
    axes.axhline(1, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, max(1.6, 1.12 * float(height.max()), 1.05 * min(upper, 2.5)))
    rule(axes, [(0, "lowest"), (0.5, "middle"), (1, "highest")], None)
    return svg(figure, f"{kind} histogram of the {short(model)}")


def coverage_by_horizon(outcomes: Outcomes, models: Sequence[str], styles: dict[str, Style], level: int = 90) -> str:
    """Share of outcomes that the `level` % bands held at each step, with the limits of chance."""
    figure, axes = panel(HALF, across="steps ahead", up=f"outcomes inside the {level} % band, %")
    steps = np.array(outcomes.steps, dtype=float)
    lower, upper = outcomes.chance(level)
    wide = np.concatenate([[steps[0] - 0.5], steps, [steps[-1] + 0.5]])
    low, high = (100 * np.concatenate([side[:1], side, side[-1:]]) for side in (lower, upper))
    axes.fill_between(wide, low, high, color=BAND, linewidth=0)
    axes.axhline(level, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    seen, shown = [100 * lower.min(), 100.0], thinned(len(steps), MOST_STEPS_SHOWN)
    for model in models:
        share = 100 * outcomes.held(model, level)[0]
        _line(axes, steps[shown], share[shown], model, styles, marked=True)
        seen += [value for value in share if np.isfinite(value)]
    axes.set_ylim(max(0.0, min(seen) - 3), 101)
    axes.set_xlim(outcomes.steps[0] - 0.5, outcomes.steps[-1] + 0.5)
    rule(axes, None, number)
    return svg(figure, f"Coverage of the {level} % bands by steps ahead")


def width_by_horizon(outcomes: Outcomes, models: Sequence[str], styles: dict[str, Style], level: int = 90) -> str:
    """Mean width of each model's bands, as a percentage of the reference's."""
    figure, axes = panel(HALF, across="steps ahead",
                         up=f"width of the {level} % band, % of the {short(outcomes.reference)}'s")
    axes.axhline(100, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    steps = np.array(outcomes.steps, dtype=float)
    seen, shown = [95.0, 105.0], thinned(len(steps), MOST_STEPS_SHOWN)
    for model in models:
        width = 100 * outcomes.relative_width(model, level)
        _line(axes, steps[shown], width[shown], model, styles, marked=True)
        seen += [value for value in width if np.isfinite(value)]
    room = max(seen) - min(seen)
    axes.set_ylim(min(seen) - 0.06 * room, max(seen) + 0.06 * room)
    axes.set_xlim(outcomes.steps[0] - 0.5, outcomes.steps[-1] + 0.5)
    rule(axes, None, number)
    return svg(figure, f"Width of the {level} % bands by steps ahead")


def gap_closed(table: pd.DataFrame, models: Sequence[str], styles: dict[str, Style], reference: str) -> str:
    """Share of the way from the reference to the best possible forecast, by steps ahead."""
    figure, axes = panel(HALF, across="steps ahead", up="gap to the best forecast closed, %")
    axes.axhline(0, color=INK, linewidth=1)
    axes.axhline(100, color=INK, linewidth=1, linestyle=(0, (8, 2, 1, 2)))
    mine = table = _shown_steps(table[table["model"].isin(models)], 24)
    steps = sorted(int(step) for step in table["step"].unique())
    width = 0.8 / max(1, len(models))
    for at, model in enumerate(models):
        share = 100 * mine[mine["model"] == model].sort_values("step")["gap_closed"].to_numpy(dtype=float)
        style = styles[model]
        axes.bar(np.array(steps) + (at - (len(models) - 1) / 2) * width, np.nan_to_num(share).clip(-130, 130),
                 width=0.86 * width, facecolor="none", edgecolor=COLOURS[style.colour], linewidth=1.2,
                 hatch=("//", "\\\\", "xx", "--")[at % 4], gid=_gid(model, styles))
    low = float(np.nanmin([*(100 * mine["gap_closed"]), 0.0]))
    axes.set_ylim(max(-135.0, 1.1 * low - 4), 112)
    axes.text(steps[-1] + 0.45, 102, "best possible", ha="right", va="bottom", fontsize=10.5, color=MUTED)
    axes.text(steps[-1] + 0.45, 2, short(reference), ha="right", va="bottom", fontsize=10.5, color=MUTED)
    axes.set_xlim(steps[0] - 0.5, steps[-1] + 0.5)
    rule(axes, None, number)
    return svg(figure, "Gap to the best possible forecast closed, by steps ahead")


def ranks(found: RankComparison, models: Sequence[str], styles: dict[str, Style]) -> str:
    """Average rank of each model over the data sets; inside the band nobody can be told from the best.

    Parameters
    ----------
    found : RankComparison
    models : sequence of str
        The models by their own names, in the order of `found.names`.
    styles : dict
    """
    height = 60 + 24 * len(models)
    figure, axes = panel((HALF[0], height), left=112, right=14, across="average rank, 1 is best")
    best, worst = found.ranks[0], max(found.ranks[-1], found.ranks[0] + found.critical_difference)
    axes.axvspan(best, best + found.critical_difference, facecolor=BAND, zorder=0.4)
    for at, (model, rank) in enumerate(zip(models, found.ranks, strict=True)):
        style = styles[model]
        axes.hlines([-at], 0.7, rank, color=RULE, linewidth=1, zorder=0.6)
        axes.plot([rank], [-at], marker=style.marker, color=COLOURS[style.colour], markersize=8, linestyle="none")
        axes.annotate(short(model), (0, -at), (-8, 0), ("axes fraction", "data"), "offset points", ha="right",
                      va="center_baseline", fontsize=11.5)
        axes.annotate(f"{rank:.2f}", (rank, -at), (9, 0), "data", "offset points", va="center_baseline", fontsize=11,
                      color=MUTED)
    axes.set_xlim(0.7, worst + 0.6)
    axes.set_ylim(-len(models) + 0.4, 0.6)
    rule(axes, None, None)
    return svg(figure, "Average rank of each model over the data sets")


def date_ticks(labels: Sequence[str], most: int = 6) -> tuple[list[int], list[str]]:
    """Return positions and short texts for at most about `most` ticks on an axis of dates.

    Examples
    --------
    >>> date_ticks(["1998Q4", "1999Q1", "1999Q2", "2000Q1", "2001Q1", "2002Q1"])
    ([1, 3, 4, 5], ['1999', '2000', '2001', '2002'])
    >>> date_ticks(["98", "99", "100", "101", "102"], most=3)
    ([0, 2, 4], ['98', '100', '102'])
    """
    if all(YEAR.match(label) for label in labels):
        years = [int(label[:4]) for label in labels]
        starts = [at for at in range(1, len(years)) if years[at] != years[at - 1]]
        for every in (1, 2, 4, 5, 10, 20, 50, 100):
            chosen = [at for at in starts if years[at] % every == 0]
            if len(chosen) <= most:
                break
        if len(chosen) >= 3:
            return chosen, [str(years[at]) for at in chosen]
        if DAY.match(labels[0]):
            return _months(labels, most)
    if all(label.lstrip("-").isdigit() for label in labels) and len(labels) > most:
        found = [int(label) for label in labels]
        chosen = [at for at in range(len(found)) if found[at] in MaxNLocator(most).tick_values(found[0], found[-1])]
        if len(chosen) >= 3:
            return chosen, [labels[at] for at in chosen]
    last = len(labels) - 1
    count = max(2, min(most, 5, len(labels))) if last else 1
    spread = sorted({round(last * at / max(1, count - 1)) for at in range(count)})
    return spread, [labels[at][:10] for at in spread]


def _shown_steps(table: pd.DataFrame, most: int = MOST_STEPS_SHOWN) -> pd.DataFrame:
    """Return the rows of at most `most` steps, spread evenly."""
    steps = sorted(table["step"].unique())
    return table[table["step"].isin([steps[at] for at in thinned(len(steps), most)])]


def _months(labels: Sequence[str], most: int) -> tuple[list[int], list[str]]:
    """Return marks at the starts of months, or of days and hours where there are too few of those."""
    months = [label[:7] for label in labels]
    starts = [at for at in range(1, len(months)) if months[at] != months[at - 1]]
    for every in (1, 2, 3, 6):
        chosen = [at for at in starts if (int(months[at][5:]) - 1) % every == 0]
        if 2 <= len(chosen) <= most - 1:
            return chosen, [months[at] for at in chosen]
    spread = sorted({round((len(labels) - 1) * at / (most - 2)) for at in range(most - 1)})
    same_day = len({label[:10] for label in labels}) <= 3
    return spread, [labels[at][11:16] or labels[at][5:10] if same_day else labels[at][5:10] for at in spread]


def _line(axes: Axes, x: np.ndarray, y: np.ndarray, model: str, styles: dict[str, Style], *,
          marked: bool = False) -> None:
    style = styles[model]
    axes.plot(x, y, color=COLOURS[style.colour], linewidth=style.weight, linestyle=style.line, gid=_gid(model, styles),
              marker=style.marker if marked else None, markersize=4.5)


def _bands(axes: Axes, x: np.ndarray, bands: list[list[np.ndarray]], style: Style) -> None:
    """Fill the wide band lightly and the narrow one more so; a thin edge keeps them apart in print."""
    for (lower, upper), opacity in zip(bands, (0.16, 0.24), strict=True):
        axes.fill_between(x, lower, upper, color=COLOURS[style.colour], alpha=opacity, linewidth=0)


def _dates(axes: Axes, outcomes: Outcomes, rows: np.ndarray, most: int = 6) -> list[tuple[float, str]]:
    """Fit the horizontal axis to the rows and return its marks."""
    rows = np.unique(rows)
    axes.set_xlim(rows[0] - 0.02 * (rows[-1] - rows[0]) - 0.5, rows[-1] + 0.02 * (rows[-1] - rows[0]) + 0.5)
    at, texts = date_ticks([outcomes.dates.get(int(row), "") for row in rows], most)
    return list(zip(rows[at].tolist(), texts, strict=True))


def _history(outcomes: Outcomes, series: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return up to `length` rows before the last origin that earlier origins were judged on, and their values."""
    rows = outcomes.origins[:, None] + np.array(outcomes.steps) - 1
    known = dict(zip(rows.ravel().tolist(), outcomes.observed[..., series].ravel().tolist(), strict=True))
    past = sorted(row for row in known if row < outcomes.origins[-1])[-length:]
    return np.array(past, dtype=np.int64), np.array([known[row] for row in past])


def _gid(model: str, styles: dict[str, Style]) -> str:
    return f"model:{list(styles).index(model)}"


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if abs(value) > 1e-9 else "0"


def number(value: float) -> str:
    """Return a tick text that stays short from 1e-9 to 1e12."""
    for least, unit, letter in ((1e9, 1e9, " bn"), (1e6, 1e6, " M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / unit:.5g}{letter}".replace("-", "−")
    return f"{value:.5g}".replace("-", "−")


def _trimmed(name: str, most: int = 34) -> str:
    return name if len(name) <= most else name[:most - 1] + "…"
