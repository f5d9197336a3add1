"""All speed boards in one command, and the page that says which targets are met.

    python -m benchmarks.speed --with darts=/path/to/python --with nixtla=/path/to/python --with gluonts=/path/to/python

Runs each board in a process of its own, one after another, and writes benchmarks/results/speed/README.md from the
files they leave.  `--page` writes the page alone.  Boards of absent peers are left as they were.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.writing import machine

HERE = Path(__file__).parents[1] / "results" / "speed"
REASONS = Path(__file__).parent / "missed.toml"
Line = tuple[str, str, float, float, float | None, bool | None]
"""Work, peer, seconds of ours and of the peer, target ratio, whether it is met with an error not larger."""


def read(name: str) -> Any:
    """Return what a board wrote, or nothing where it never ran."""
    path = HERE / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def lines() -> Iterator[Line]:
    """Collect the rows of all boards."""
    for row in read("var.json").get("rows", []):
        met = None if row["target"] is None else row["ratio"] >= row["target"]
        yield f"{row['work']}, {row['size']}", row["peer"], row["ours_s"], row["peer_s"], row["target"], met
    for row in read("linear.json").get("rows", []):
        met = row["ratio"] >= row["target_ratio"] and row["llf_gain"] >= -1e-3
        yield (f"{row['work']}, T={row['T']}, k=3", "statsmodels VARMAX", row["seconds"], row["peer_seconds"],
               row["target_ratio"], met)
    if (HERE / "tanh.csv").exists():
        for row in pd.read_csv(HERE / "tanh.csv").to_dict("records"):
            yield (f"tanh: {row['work']}", row["peer"], row["ours_s"], row["peer_s"], row["target"],
                   row["ratio"] >= row["target"])
    for row in read("recurrent.json").get("rows", []):
        errors = f" (held-out error {row['ours_rmse']:.3f}, peer {row['peer_rmse']:.3f})"
        yield "tanh: " + row["work"] + errors, row["peer"], row["ours_s"], row["peer_s"], row["target"], row["met"]
    sampled = read("sampling.json").get("rows", {})
    ours = sampled.get("varnn TanhRNN", {}).get("seconds")
    for name, row in sampled.items():
        if ours and name != "varnn TanhRNN" and "seconds" in row:
            yield "10,000 joint paths, 24 steps, 10 series", name, ours, row["seconds"], None, None


def limits() -> Iterator[tuple[str, float, float, str]]:
    """Collect what has an upper limit: measured, limit, unit."""
    cold = read("cold.json")
    if cold:
        yield "import varnn", cold["import_s"], cold["import_target_s"], "s"
        yield "compiling on first use of VAR, LinearRNN and TanhRNN, once", cold["compiling_s"], 6.0, "s"
    for name, board in (("VAR", read("var.json")), ("LinearRNN", read("linear.json"))):
        if board:
            used = board["memory"]
            yield f"memory that {name} adds, T=1,000,000, k=3", used["added_mib"], used["allowed_mib"], "MiB"


def seconds(value: float) -> str:
    """Return seconds with a unit that suits."""
    unit, size = next((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if value >= size
                      or unit == "µs")
    return f"{value / size:.3g} {unit}"


def page(wall: float | None) -> str:
    """Return the page."""
    rows = list(lines())
    text = ["# Speed\n", "Processor seconds of one thread, medians of at least five, ours and the peer in one run.\n",
            "| work | peer | ours | peer | ratio | target | met |", "| --- | --- | --- | --- | --- | --- | --- |"]
    text += [f"| {work} | {peer} | {seconds(ours)} | {seconds(theirs)} | ×{theirs / ours:.3g} | "
             f"{'' if target is None else f'×{target:g}'} | {'' if met is None else 'yes' if met else '**no**'} |"
             for work, peer, ours, theirs, target, met in rows]
    text += ["\n| limit | measured | allowed | met |", "| --- | --- | --- | --- |"]
    text += [f"| {name} | {value:.3g} {unit} | {most:.3g} {unit} | {'yes' if value < most else '**no**'} |"
             for name, value, most, unit in limits()]
    share = read("var.json").get("share_of_peak")
    if share:
        text += [f"\nA VAR(2) fit with standard errors, T=20,000, k=50, runs at {share['fit_gflops']:.3g} of the "
                 f"{share['matmul_gflops']:.3g} Gflop/s of a matrix product on one thread ({share['share']:.0%})."]
    missed = [work for work, *_, met in rows if met is False]
    missed += [name for name, value, most, _ in limits() if value >= most]
    if missed:
        why = tomllib.loads(REASONS.read_text(encoding="utf-8"))
        text += ["\n## What is short of its target, and why\n"]
        text += [f"* {work}: {next((why[part] for part in why if part in work), 'not looked into')}" for work in missed]
    if (HERE / "growth.png").exists():
        from benchmarks.speed.growth import slopes

        grown = slopes(pd.read_csv(HERE / "growth.csv"))
        said = ", ".join(f"{row.model} in {row.against} {row.exponent:.2f}" for row in grown.itertuples())
        text += ["\n## Growth\n", "![Seconds against rows, series, units and number of fits](growth.png)\n",
                 f"Exponents between the last two points of each curve (1 is in proportion): {said}."]
    took = f" in {wall:.0f} s" if wall is not None else ""
    return "\n".join([*text, f"\nMade by `python -m benchmarks.speed --with darts=… --with nixtla=… --with gluonts=…`"
                             f"{took} on {machine()}.\n"])


def main() -> None:
    """Run the boards, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="others", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--page", action="store_true", help="write the page from the files that are there")
    options = parser.parse_args()
    begun, peers = time.perf_counter(), dict(other.split("=", 1) for other in options.others)
    jobs: list[list[str]] = [["var"], ["linear"], ["tanh"], ["cold"], ["growth"]]
    networks = [f"--with={peer}={peers[peer]}" for peer in ("darts", "nixtla") if peer in peers]
    jobs += [["recurrent", *networks]] if networks else []
    samplers = [f"--{peer}={peers[peer]}" for peer in ("darts", "gluonts") if peer in peers]
    jobs += [["sampling", *samplers]] if samplers else []
    alone = {**os.environ, **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    for name, *words in [] if options.page else jobs:
        print("==", name, flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.speed.{name}", *words], check=True, env=alone)
    (HERE / "README.md").write_text(page(None if options.page else time.perf_counter() - begun), encoding="utf-8")


if __name__ == "__main__":
    main()
