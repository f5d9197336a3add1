"""Run a suite and commit its result: `python -m benchmarks.suite macro`.

The work goes to out/<suite> (stop and resume at will; the report is out/<suite>/index.html); the suite, the board,
every test, the seconds, a picture and a page of what they teach go to benchmarks/results/<suite>.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.writing import LOOKS, Draw, markdown, pictured, write
from varnn.comparison.compare import Comparison
from varnn.evaluate.significance.model_confidence_set import confidence_set
from varnn.evaluate.significance.ranks import holm
from varnn.evaluate.tables import Losses
from varnn.harness.run import CODE, SECONDS, SUITE, comparisons, report, run
from varnn.harness.suite import Suite

SUITES = Path(__file__).parent / "suites"
TESTS = ["data", "model", "step", "n", "skill", "skill_lower", "skill_upper", "dm_p", "dm_holm_p", "gw_p", "cw_p",
         "mcs_p"]
LEVEL, MCS_LEVEL = 0.05, 0.10
FLOOR = ("Naive", "SeasonalNaive", "Mean", "Drift")
LOWEST = -60.0  # skill shown in the picture; what is worse leaves it


def verdicts(results: list[Comparison]) -> pd.DataFrame:
    """Return one row a data set × model × step: skill against the VAR with its 95 % interval, and p-values.

    dm_p of Diebold and Mariano (two-sided, Harvey, Leybourne and Newbold's correction), dm_holm_p the same corrected
    for the number of steps, gw_p of Giacomini and White, cw_p of Clark and West where the VAR is nested, mcs_p the
    level at which a model leaves the model confidence set.
    """
    tables = []
    for result in results:
        table = result.by_horizon.assign(data=result.ledger.meta["title"], dm_holm_p=np.nan, mcs_p=np.nan)
        for _, rows in table.groupby("model", sort=False):
            known = rows.index[rows["dm_p"].notna()]
            if len(known):
                table.loc[known, "dm_holm_p"] = holm(table.loc[known, "dm_p"].to_numpy())
        losses = Losses.of(result.ledger)
        usable = losses.usable.all(axis=0)
        for position, step in enumerate(losses.steps):
            squared = (losses.error[:, usable, position] ** 2).mean(axis=2).T                    # (origins, models)
            found = confidence_set(squared, losses.models, horizon=losses.overlap[position])
            if found.valid:
                pvalues, here = dict(zip(found.names, found.pvalues, strict=True)), table["step"] == step
                table.loc[here, "mcs_p"] = table.loc[here, "model"].map(pvalues)
        tables.append(table)
    return pd.concat(tables, ignore_index=True).reindex(columns=TESTS)


def counts(found: pd.DataFrame) -> pd.DataFrame:
    """Return for each model in how many data sets × steps it is ahead of the VAR, and how sure that is."""
    rows = []
    for model, part in found.groupby("model", sort=False):
        ahead = part["skill"] > 0
        cells = {"model": model, "cells": str(len(part))}
        if model != "VAR":
            cells |= {"median skill (%)": f"{part['skill'].median():+.1f}", "smaller error": str(int(ahead.sum()))}
        for label, column in (("DM", "dm_p"), ("DM after Holm", "dm_holm_p"), ("GW", "gw_p")):
            sure = part[column] < LEVEL
            if part[column].notna().any():
                cells[f"surely better / worse ({label})"] = f"{(ahead & sure).sum()} / {(~ahead & sure).sum()}"
        if part["cw_p"].notna().any():
            cells["more than the VAR (CW)"] = str((part["cw_p"] < LEVEL).sum())
        rows.append(cells | {"in the confidence set": str((part["mcs_p"] > MCS_LEVEL).sum())})
    return pd.DataFrame(rows, columns=list(max(rows, key=len)), dtype=object).fillna("")


def lesson(found: pd.DataFrame) -> str:
    """Return in a sentence for each model how it did against the VAR, counted over data sets and steps."""
    cells = found.loc[found["model"] == "VAR", ["data", "step"]].drop_duplicates().shape[0]
    lines = []
    for model, part in found.groupby("model", sort=False):
        if model in FLOOR or model == "VAR":
            continue
        sure = part["dm_holm_p"] < LEVEL
        better = part[sure & (part["skill"] > 0)]
        worse = part[sure & (part["skill"] < 0)]
        where = f" ({', '.join(dict.fromkeys(better['data']))})" if len(better) else ""
        lines.append(f"{model} has the smaller error in {int((part['skill'] > 0).sum())} of {cells} cells; after "
                     f"Holm's correction over the steps that is sure in {len(better)}{where}, and the opposite in "
                     f"{len(worse)}.")
        if part["cw_p"].notna().any():
            lines.append(f"Clark and West's test finds that it knows more than the VAR in "
                         f"{int((part['cw_p'] < LEVEL).sum())}.")
    kept = found[found["mcs_p"] > MCS_LEVEL].groupby("model", sort=False).size()
    floor = [f"{model} {int(kept.get(model, 0))}" for model in dict.fromkeys(found["model"])]
    judged = int(found.loc[found["model"] == "VAR", "mcs_p"].notna().sum())
    lines.append(f"Of the {judged} cells with origins enough for a {100 * (1 - MCS_LEVEL):g} % model confidence set it "
                 f"holds: {', '.join(floor)}.")
    return " ".join(lines)


def p_text(p: float) -> str:
    """Return a p-value in two digits."""
    return "–" if np.isnan(p) else "<.01" if p < 0.01 else f"{p:.2f}"[1:] if p < 0.995 else "1"


def page(suite: Suite, board: pd.DataFrame, found: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """Return the page: the question, the picture, the answer in numbers, the tables."""
    parts = [f"# {suite.title}\n", f"{suite.question}\n",
             pictured("Skill against the VAR, with 95 % block-bootstrap intervals of the recurrent rungs where there "
                      "are several steps; lines that leave a panel are worse than it shows."),
             f"**What it teaches.** {lesson(found)}\n",
             "A cell is a data set × step. Skill is the percentage of RMSSE saved against the VAR. DM: Diebold and "
             "Mariano's test with Harvey, Leybourne and Newbold's correction, two-sided; Holm: corrected for the "
             "number of steps; GW: Giacomini and White; CW: Clark and West, one-sided, for models that contain the "
             "VAR: does the model know more than the VAR, even if noise in its estimates costs the gain? All at "
             f"{LEVEL:g}. Confidence set: Hansen, Lunde and Nason, {100 * (1 - MCS_LEVEL):g} %. Every p-value is in "
             "`tests.csv`.\n",
             markdown(counts(found)) + "\n", "## Skill against the VAR (%), by step\n"]
    table = found.assign(skill=[f"{skill:+.1f}" + ("*" if p < LEVEL else "") if skill == skill else ""
                                for skill, p in zip(found["skill"], found["dm_p"], strict=True)])
    wide = table.pivot_table(index=["data", "model"], columns="step", values="skill", aggfunc="first", sort=False)
    spent = seconds.set_index(["data", "model"])["seconds"]
    wide["seconds"] = [f"{spent.get(key, float('nan')):.1f}" for key in wide.index]
    parts += [markdown(wide.reset_index()), f"\n\\* DM p < {LEVEL:g}. Seconds are wall time, all origins, on a machine "
              "that did other work too.\n"]
    rungs = found[~found["model"].isin([*FLOOR, "VAR"])]
    pvalues = rungs[["dm_p", "gw_p", "cw_p", "mcs_p"]].to_numpy()
    cells = rungs.assign(cell=[" ".join(map(p_text, row)) for row in pvalues])
    wide = cells.pivot_table(index=["data", "model"], columns="step", values="cell", aggfunc="first", sort=False)
    parts += ["## Recurrent rungs: p-values of DM, GW, CW and the confidence set, by step\n",
              markdown(wide.reset_index()) + "\n"]
    if board["gap_closed"].notna().any():
        first = board[board["step"] == board["step"].min()]
        gap = first.assign(family=family(first["data"]))
        mean = gap.pivot_table(index="family", columns="model", values="rmse", aggfunc="mean", sort=False)
        closed = gap.pivot_table(index="family", columns="model", values="gap_closed", aggfunc="median", sort=False)
        parts += ["## One step: mean RMSE over seeds\n", markdown(mean.reset_index(), 4) + "\n",
                  "## One step: share of the way from the VAR to the best possible forecast, median over seeds\n",
                  markdown(closed.reset_index(), 2) + "\n",
                  "Where the VAR is nearly the best possible, the share is a ratio of two small numbers.\n"]
    return "\n".join(parts)


def resumed(reused: int, jobs: int) -> str:
    """Say that the wall time below is not that of the whole suite."""
    return f"The run went on with one that had {reused} of {jobs} jobs done: the time below is that of its last part."


def family(names: pd.Series) -> pd.Series:
    """Return the data sets without their seeds."""
    return names.str.replace(r" \(seed \d+\)", "", regex=True)


def draw(found: pd.DataFrame) -> Draw:
    """Return what draws skill by step, or over data sets where there is one step."""
    models = [model for model in dict.fromkeys(found["model"]) if model != "VAR"]
    order = [*(model for model in models if model not in FLOOR), *(model for model in models if model in FLOOR)]
    looks = {model: LOOKS[i % len(LOOKS)] for i, model in enumerate(order)}
    one = set(found["step"]) == {1}
    return (lambda figure: _by_data(figure, found, looks)) if one else (lambda figure: _by_step(figure, found, looks))


def _by_step(figure: Figure, found: pd.DataFrame, looks: dict[str, dict[str, object]]) -> None:
    names = list(dict.fromkeys(found["data"]))
    columns = min(3, len(names))
    panels = figure.subplots(-(-len(names) // columns), columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        part = found[found["data"] == name]
        axes.axhline(0.0, color="black", lw=0.8)
        for place, (model, look) in enumerate(looks.items()):
            rows = part[part["model"] == model].sort_values("step")
            shift = 0.12 * (place - 0.5)
            if model not in FLOOR:
                axes.vlines(rows["step"] + shift, rows["skill_lower"].clip(LOWEST), rows["skill_upper"],
                            color=str(look["color"]), lw=0.9)
            axes.plot(rows["step"] + (shift if model not in FLOOR else 0.0), rows["skill"], label=model, **look)
        shown = part.loc[~part["model"].isin(FLOOR), ["skill", "skill_upper"]].max().max()
        axes.set_ylim(LOWEST, max(20.0, min(105.0, 1.1 * float(shown))))
        axes.set_title(name)
        axes.set_ylabel("skill against the VAR (%)")
        axes.set_xlabel("steps ahead")
        axes.set_xticks(sorted(part["step"].unique()))
    for axes in panels[len(names):]:
        axes.axis("off")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(looks))


def _by_data(figure: Figure, found: pd.DataFrame, looks: dict[str, dict[str, object]]) -> None:
    axes = figure.subplots()
    mean = found.assign(family=family(found["data"])).pivot_table(index="family", columns="model", values="skill",
                                                                  sort=False)
    axes.axvline(0.0, color="black", lw=0.8)
    places = np.arange(len(mean))[::-1]
    for model, look in looks.items():
        axes.plot(mean[model].clip(lower=LOWEST), places, label=model, **(look | {"linestyle": "none"}))
    axes.set_yticks(places, list(mean.index))
    axes.grid(axis="y", color="0.9")
    axes.set_xlabel(f"one-step skill against the VAR (%), mean over seeds; below {LOWEST:g} shown at {LOWEST:g}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(looks))


def main() -> None:
    """Run the suites named on the command line."""
    for name in sys.argv[1:]:
        begun = time.perf_counter()
        text, out = (SUITES / f"{name}.toml").read_text(encoding="utf-8"), Path("out") / name
        shown = [0.0]

        def progress(done: int, all_jobs: int, shown: list[float] = shown) -> None:
            if time.monotonic() - shown[0] > 10:
                print(f"{done} of {all_jobs}", flush=True)
                shown[0] = time.monotonic()

        summary = run(text, out, progress=progress)
        if summary.failed:
            print(f"{len(summary.failed)} jobs failed: {next(iter(summary.failed.values()))}")
        report(out)
        suite, board, seconds = Suite.parse(text), pd.read_csv(out / "board.csv"), pd.read_csv(out / SECONDS)
        found = verdicts(comparisons(out))
        panels = 0 if set(found["step"]) == {1} else len(set(found["data"]))
        size = (9.5, 0.9 + 2.5 * -(-panels // 3)) if panels else (9.0, 4.5)
        text_of_page = page(suite, board, found, seconds)
        if summary.reused:
            text_of_page += f"\n{resumed(summary.reused, summary.reused + summary.done)}\n"
        folder = write(name, board, seconds, text_of_page, f"python -m benchmarks.suite {name}",
                       time.perf_counter() - begun, draw=draw(found), size=size)
        found.to_csv(folder / "tests.csv", index=False, float_format="%.6g")
        (folder / SUITE).write_text(text, encoding="utf-8")
        (folder / CODE).write_text((out / CODE).read_text(encoding="utf-8"), encoding="utf-8")
        print(folder)


if __name__ == "__main__":
    main()
