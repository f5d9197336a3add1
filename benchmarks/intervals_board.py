"""From counts to the coverage board: every margin with its band, the ones outside with the reason, widths, a page.

Called by `benchmarks.intervals`. A margin is one model, process, length, series, step (or whole path) and level.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.writing import machine, markdown

RESULTS = Path(__file__).parent / "results" / "coverage"
LENGTHS = (50, 100, 400)
STEPS = (1, 4, 12)
LEVELS = (0.5, 0.8, 0.9, 0.95)
PEER = "statsmodels "
COMMAND = "python -m benchmarks.intervals"


def read(path: Path) -> pd.DataFrame:
    """Read a file of counts."""
    return pd.read_csv(path, dtype={"h": str, "commit": str}, keep_default_na=False)


def margins(models: Mapping[str, tuple[Path, tuple[str, ...]]]) -> pd.DataFrame:
    """Return one row a margin: its coverage, three binomial standard errors, whether it is within, else the reason.

    Parameters
    ----------
    models : dict of name to (file of counts, processes the model can represent)
    """
    tables = []
    for name, (path, represented) in models.items():
        if not path.exists():
            continue
        table = read(path).assign(model=name)
        table["coverage"] = table.held / table.outcomes.where(table.outcomes > 0)
        table["three_se"] = 3 * np.sqrt(table.nominal * (1 - table.nominal) / table.replications.clip(lower=1))
        table["within"] = (table.coverage - table.nominal).abs() <= table.three_se
        fits = table.process.isin(represented)
        table["reason"] = np.select(
            [table.replications == 0, table.within, table.coverage > table.nominal, ~fits & (name[:4] != PEER[:4])],
            ["no intervals: too few rows for this model at this horizon", "", "too wide",
             "short: the model cannot represent the process"],
            "short: parameters taken as known" if name.startswith(PEER) else "short: estimation noise")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def write(models: Mapping[str, tuple[Path, tuple[str, ...]]], processes: list[str]) -> None:
    """Write summary.csv, short.csv, coverage.png and README.md from the counts that are there."""
    found = margins(models)
    keys = ["model", "process", "T", "h", "nominal"]
    summary = found.groupby(keys, sort=False).agg(
        coverage=("coverage", "mean"), lowest=("coverage", "min"), highest=("coverage", "max"),
        width=("width", "mean"), within=("within", "mean"), replications=("replications", "first"),
        failed=("failed", "first")).reset_index()
    peer = summary[summary.model.str.startswith(PEER)].assign(
        model=lambda table: table.model.str.removeprefix(PEER))[[*keys, "coverage", "width"]]
    summary = summary.merge(peer.rename(columns={"coverage": "statsmodels_coverage", "width": "statsmodels_width"}),
                            how="left", on=keys)
    summary.to_csv(RESULTS / "summary.csv", index=False, float_format="%.4f")
    outside = found[(found.reason != "") & (found.replications > 0)]
    columns = ["model", "process", "T", "series", "h", "nominal", "coverage", "three_se", "replications", "reason"]
    outside[columns].to_csv(RESULTS / "short.csv", index=False, float_format="%.4f")
    draw(found, list(models), processes)
    (RESULTS / "README.md").write_text(page(found, summary, outside), encoding="utf-8")


def page(found: pd.DataFrame, summary: pd.DataFrame, outside: pd.DataFrame) -> str:
    """Return what the board teaches, in numbers."""
    steps = found[(found.h != "path") & (found.replications > 0)]
    within = (100 * steps.pivot_table("within", "model", "T", sort=False)).round(1)
    counts = steps.pivot_table("replications", "model", "T", aggfunc="min", sort=False)
    shares = within.astype(str).where(within.notna(), "") + " of " + counts.fillna(0).astype(int).astype(str)
    shares = shares.where(counts.notna(), "").reset_index()
    shares.columns = ["model", *(f"T = {length}: % within, replications" for length in within.columns)]
    ours = steps[~steps.model.str.startswith(PEER)]
    worst = outside[~outside.model.str.startswith(PEER) & (outside.h != "path")]
    text = [
        "# Do nominal intervals hold what they say?\n",
        f"Samples are drawn from a known process, a model is fitted, its intervals 1, 4 and 12 steps ahead are held "
        f"against 20 true futures each. A margin (process, series, step, level) is *within* if its coverage is at most "
        f"three binomial standard errors, 3 √(c (1 − c)/replications), from nominal: 2.1 points at 95 % with 1000 "
        f"replications, 6.5 with 100; the table says how many there were. {len(ours)} margins of varnn's models were "
        f"counted, {100 * ours.within.mean():.1f} % are within.\n",
        _lesson(summary),
        markdown(shares, 1),
        "\n## Outside their band\n",
        "None of varnn's margins.\n" if worst.empty else _grouped(worst),
        f"Of statsmodels', which takes its estimates as known, {(~steps.within & ~steps.index.isin(ours.index)).sum()} "
        f"of {len(steps) - len(ours)}, at 50 and 100 rows (`short.csv`).\n",
        _thousand(ours[ours.replications < 1000]),
        "\n## Width beside statsmodels, 95 %\n", _widths(summary),
        "\nOf other models there is no counterpart in statsmodels. Width is the mean over series; coverage in per "
        "cent.\n",
        "\n## Whole paths\n",
        "Share of paths of 12 steps that stay inside the joint band (`interval(coverage, joint=True)`), per cent, the "
        "mean over series and processes:\n", _paths(found),
        "\n![coverage](coverage.png)\n\n![fan charts](fan_charts.png)\n",
        "`cells/` has the counts, one file a model, `short.csv` every margin outside its band, `summary.csv` the means "
        "over series. The fan charts are of US macrodata to 2006Q3 (`python benchmarks/fan_charts.py`).\n",
        f"Made by `{COMMAND}` on {machine()}; counted at {', '.join(sorted(set(' '.join(found.commit).split())))}.\n"]
    return "\n".join(text)


def _lesson(summary: pd.DataFrame) -> str:
    at = summary[(summary["T"] == 50) & (summary.h == "1") & (summary.nominal == 0.95) & (summary.process == "VAR(2)")]
    four = at[at.model == "VAR p=4"].iloc[0]
    known, asked, ratio = 100 * four.statsmodels_coverage, 100 * four.coverage, four.width / four.statsmodels_width
    return ("**What it teaches.** With 50 rows and four lags of three series, intervals that take the estimates as "
            f"known (statsmodels) and call themselves 95 % hold {known:.1f} % one step ahead; with the estimates' "
            f"uncertainty they hold {asked:.1f} % and are {100 * ratio - 100:.0f} % wider. "
            "With 400 rows the two are alike.\n")


def _grouped(rows: pd.DataFrame) -> str:
    keys = ["model", "process", "T", "h", "nominal", "reason"]
    table = rows.assign(miss=(rows.coverage - rows.nominal).abs()).sort_values("miss").groupby(keys, sort=False).agg(
        series=("series", "count"), worst=("coverage", "last"), replications=("replications", "first")).reset_index()
    return markdown(table.sort_values(keys[:5])[[*keys[:5], "series", "worst", "replications", "reason"]]) + "\n"


def _thousand(fewer: pd.DataFrame) -> str:
    """Say how rows with fewer replications stand to the narrower band that 1000 would have."""
    far = fewer[(fewer.coverage - fewer.nominal).abs() > 3 * np.sqrt(fewer.nominal * (1 - fewer.nominal) / 1000)]
    keys = ["model", "T", "h", "nominal"]
    table = fewer.groupby(keys).agg(coverage=("coverage", "mean"), margins=("coverage", "count")).join(
        far.groupby(keys).size().rename("beyond"), how="inner").reset_index()
    return (f"{len(far)} of the {len(fewer)} margins with fewer than 1000 replications are further from nominal than "
            "the band of 1000; some by chance, since a mean of so few is noisier, others would stay. Means over "
            "processes and series:\n\n" + markdown(table[[*keys, "coverage", "beyond", "margins"]]))


def _widths(summary: pd.DataFrame) -> str:
    rows = summary[summary.statsmodels_width.notna() & (summary.nominal == 0.95) & (summary.h != "path")
                   & ~summary.model.str.startswith(PEER)]
    table = rows.assign(ratio=rows.width / rows.statsmodels_width).groupby(["model", "T", "h"], sort=False).agg(
        coverage=("coverage", "mean"), statsmodels=("statsmodels_coverage", "mean"), width_ratio=("ratio", "mean"))
    table[["coverage", "statsmodels"]] *= 100
    return markdown(table.round(3).reset_index(), 2)


def _paths(found: pd.DataFrame) -> str:
    rows = found[(found.h == "path") & (found.replications > 0)]
    table = (100 * rows.pivot_table("coverage", ["model", "T"], "nominal", sort=False)).round(1).reset_index()
    table.columns = [name if isinstance(name, str) else f"{100 * name:g} %" for name in table.columns]
    return markdown(table, 1)


def draw(found: pd.DataFrame, models: list[str], processes: list[str]) -> None:
    """Plot coverage less nominal: a row a model, a column a length, a mark for each process, series and step."""
    from matplotlib.figure import Figure

    models = [name for name in models if name in set(found.model)]
    figure = Figure(figsize=(10.5, 1.75 * len(models) + 0.8), layout="constrained")
    panels = figure.subplots(len(models), len(LENGTHS), sharex=True, sharey=True, squeeze=False)
    marks = {"1": ("o", "0.0"), "4": ("s", "tab:blue"), "12": ("^", "tab:orange")}
    for row, model in zip(panels, models, strict=True):
        for axes, length in zip(row, LENGTHS, strict=True):
            own = found[(found.model == model) & (found["T"] == length) & (found.replications > 0)
                        & (found.h != "path")]
            for at, level in enumerate(LEVELS):
                reach = 100 * float(own[own.nominal == level].three_se.max()) if len(own) else 0.0
                axes.fill_between([at - 0.45, at + 0.45], -reach, reach, color="0.88", lw=0)
                for step, (mark, colour) in marks.items():
                    here = own[(own.nominal == level) & (own.h == step)]
                    shift = 0.25 * (list(marks).index(step) - 1)
                    spots = at + shift + 0.06 * (here.process.map(processes.index).to_numpy() - 1.5)
                    axes.plot(spots, 100 * (here.coverage - here.nominal), mark, color=colour, ms=2.6, alpha=0.75,
                              label=f"{step} step{'s' if step != '1' else ''} ahead" if at == 0 else None)
            axes.axhline(0, color="black", lw=0.7)
            axes.set_title(f"{model}, T = {length}", loc="left", fontsize=8)
            axes.set_ylim(-16, 16)
            axes.set_xticks(range(len(LEVELS)), [f"{100 * level:g} %" for level in LEVELS], fontsize=7)
            axes.tick_params(labelsize=7)
        row[0].set_ylabel("held less\nnominal, points", fontsize=7)
    panels[0, 0].legend(fontsize=6, ncols=3, loc="lower right", frameon=False)
    figure.savefig(RESULTS / "coverage.png", dpi=130, metadata={"Software": None})
