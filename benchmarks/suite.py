"""Run a suite and commit its result: `python -m benchmarks.suite macro`.

The work goes to out/<suite> (stop and resume at will; the report is out/<suite>/index.html); the suite, the board,
the seconds and a page of what they teach go to benchmarks/results/<suite>.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd

from benchmarks.writing import RESULTS, markdown, write
from varnn.harness.run import SECONDS, SUITE, report, run
from varnn.harness.suite import Suite

SUITES = Path(__file__).parent / "suites"


def lesson(board: pd.DataFrame) -> str:
    """Return in a sentence for each model how it did against the VAR, counted over data sets and steps."""
    lines = []
    for model, rows in board.groupby("model", sort=False):
        if model == "VAR":
            continue
        better, sure = rows["skill"] > 0, (rows["skill"] > 0) & (rows["dm_p"] < 0.05)
        worse = (rows["skill"] < 0) & (rows["dm_p"] < 0.05)
        lines.append(f"- {model}: smaller error than the VAR in {int(better.sum())} of {len(rows)} cells, surely "
                     f"(Diebold–Mariano p < .05, not corrected for their number) better in {int(sure.sum())} and worse "
                     f"in {int(worse.sum())}; median skill {rows['skill'].median():+.1f} %.")
    return "\n".join(lines)


def page(suite: Suite, board: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """Return the page: the question, the answer in numbers, the tables."""
    parts = [f"# {suite.title}\n", f"{suite.question}\n",
             "Each cell is a data set × step; skill is the percentage of RMSSE saved against the VAR.\n",
             lesson(board) + "\n", "## Skill against the VAR (%), by step\n"]
    table = board.assign(skill=[f"{skill:+.1f}" + ("*" if p < 0.05 else "") if skill == skill else ""
                                for skill, p in zip(board["skill"], board["dm_p"], strict=True)])
    wide = table.pivot_table(index=["data", "model"], columns="step", values="skill", aggfunc="first", sort=False)
    spent = seconds.set_index(["data", "model"])["seconds"]
    wide["seconds"] = [f"{spent.get(key, float('nan')):.1f}" for key in wide.index]
    parts += [markdown(wide.reset_index()), "\n\\* Diebold–Mariano p < .05. Seconds are wall time, all origins, on a "
              "machine that did other work too.\n"]
    if board["gap_closed"].notna().any():
        first = board[board["step"] == board["step"].min()]
        gap = first.assign(family=first["data"].str.replace(r" \(seed \d+\)", "", regex=True))
        mean = gap.pivot_table(index="family", columns="model", values="rmse", aggfunc="mean", sort=False)
        closed = gap.pivot_table(index="family", columns="model", values="gap_closed", aggfunc="median", sort=False)
        parts += ["## One step: mean RMSE over seeds\n", markdown(mean.reset_index(), 4) + "\n",
                  "## One step: share of the way from the VAR to the best possible forecast, median over seeds\n",
                  markdown(closed.reset_index(), 2) + "\n",
                  "Where the VAR is nearly the best possible, the share is a ratio of two small numbers.\n"]
    return "\n".join(parts)


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
        board, seconds = pd.read_csv(out / "board.csv"), pd.read_csv(out / SECONDS)
        print(write(name, board, seconds, page(Suite.parse(text), board, seconds), f"python -m benchmarks.suite {name}",
                    time.perf_counter() - begun))
        (RESULTS / name / SUITE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
