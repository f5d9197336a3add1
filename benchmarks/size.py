"""Does anything beat the mean of white noise? python -m benchmarks.size [SEEDS]

Every rung and naive row on independent standard normal numbers, where the sample mean cannot be beaten: how often do
the tests call one of them better than the mean? Writes size.csv and a page. Stop and run again to resume.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.writing import RESULTS, machine, markdown
from varnn.evaluate.significance.pairwise import clark_west, diebold_mariano, giacomini_white
from varnn.evaluate.significance.ranks import holm
from varnn.evaluate.tables import Losses
from varnn.harness.run import comparisons, run

LEVELS = (0.01, 0.05)
MODELS = ("Naive", "Drift", "VAR", "LinearRNN", "TanhRNN")
NESTING = ("VAR", "LinearRNN", "TanhRNN")  # hold the mean as a special case
ORIGINS, TRAINING = 40, 60
CONDITIONAL = (("Giacomini–White", "gw", "Mean"), ("Clark–West", "cw Mean", "Mean"), ("Clark–West", "cw VAR", "VAR"),
               ("Clark–West, textbook", "textbook Mean", "Mean"), ("Clark–West, textbook", "textbook VAR", "VAR"))


def suite(seeds: int) -> str:
    return f"""
title = "White noise"
question = "Does anything beat the mean where nothing can?"
seeds = {list(range(seeds))}
n_paths = 20
[[data]]
name = "white_noise"
options = {{ n = {TRAINING + ORIGINS} }}
horizon = 1
first = {TRAINING}
[models.Mean]
""" + "".join(f"[models.{model}]\n" for model in MODELS)


def judged(losses: Losses) -> list[dict[str, object]]:
    """Return for each model whether it came out better than the mean, and the p-values of the tests."""
    rows = []
    for model in MODELS:
        mine, mean = (error[:, 0, 0] for error in losses.pair(model, "Mean", 0))
        row: dict[str, object] = {"model": model, "skill": 100 * (1 - np.sqrt((mine**2).mean() / (mean**2).mean())),
                                  "dm": diebold_mariano(mine**2, mean**2).pvalue,
                                  "gw": giacomini_white(mine**2, mean**2).pvalue}
        for base in ("Mean", "VAR"):
            if model in NESTING and model != base:
                small, large = (error[:, 0, 0] for error in losses.pair(base, model, 0))
                row[f"cw {base}"] = losses.nested(base, model, 0).pvalue
                row[f"textbook {base}"] = clark_west(small, large).pvalue
        rows.append(row)
    corrected = holm([float(row["dm"]) for row in rows])  # type: ignore[arg-type]
    return [row | {"holm": p} for row, p in zip(rows, corrected, strict=True)]


def rates(table: pd.DataFrame, seeds: int) -> pd.DataFrame:
    """Count false alarms: a test rejects and the model is the better one."""
    rows = []
    better = table["skill"] > 0
    for level in LEVELS:
        most = int(stats.binom.ppf(0.95, seeds, level))
        for name, of in [("some model, Holm over models", table[better & (table["holm"] < level)]),
                         *((model, table[better & (table["model"] == model) & (table["dm"] < level)])
                           for model in MODELS)]:
            rows.append({"test": "Diebold–Mariano", "level": level, "who": name, "beats": "Mean",
                         "seeds": of["seed"].nunique(), "chance allows": most})
        for test, column, base in CONDITIONAL:
            for model in NESTING:
                mine = table[(table["model"] == model) & (table[column] < level)]
                if model != base:
                    rows.append({"test": test, "level": level, "who": model, "beats": base,
                                 "seeds": (mine[mine["skill"] > 0] if column == "gw" else mine)["seed"].nunique(),
                                 "chance allows": most})
    return pd.DataFrame(rows).assign(rate=lambda found: found["seeds"] / seeds)


def page(found: pd.DataFrame, seeds: int, spent: float) -> str:
    first = found.iloc[0]
    kept = "no more often than chance" if first["seeds"] <= first["chance allows"] else "MORE OFTEN THAN CHANCE"
    shipped = found[~found["test"].str.contains("textbook")]
    over = int((shipped["seeds"] > shipped["chance allows"]).sum())
    return "\n".join([
        "# White noise: nothing beats the mean\n",
        f"{seeds} series of independent standard normal numbers, {TRAINING} rows to estimate on, {ORIGINS} one-step "
        "forecasts each, every rung and naive row against the sample mean.\n",
        f"At the 1 % level some model beat the mean on {first['seeds']} of {seeds} series: {kept} "
        f"(a rate of 1 % gives at most {first['chance allows']} in 95 of 100 such studies). "
        f"{over} of the {len(shipped)} rows below that are not textbook ones exceed their bound, where one in twenty "
        "would by chance.\n",
        markdown(found, 3) + "\n",
        "Diebold–Mariano and Giacomini–White count where the test rejects and the model has the lower error; "
        "Clark–West is one-sided and asks whether the larger model adds anything. As boards use it, it is freed of the "
        "smaller model's errors of level and of proportion; the textbook form takes its weights for known, and then "
        "prefers whatever shrinks a VAR (its order by AIC) that has estimated lags where there are none.\n",
        f"Made by `python -m benchmarks.size {seeds}` in {spent:.0f} s on {machine()}.\n"])


def main() -> None:
    begun = time.perf_counter()
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    out, shown = Path("out") / f"size{seeds}", [0.0]

    def progress(done: int, total: int) -> None:
        if time.monotonic() - shown[0] > 30:
            print(f"{done} of {total}", flush=True)
            shown[0] = time.monotonic()

    summary = run(suite(seeds), out, progress=progress)
    if summary.failed:
        raise RuntimeError(f"{len(summary.failed)} jobs failed: {next(iter(summary.failed.values()))}")
    rows = [row | {"seed": seed} for seed, one in enumerate(comparisons(out)) for row in judged(Losses.of(one.ledger))]
    found = rates(pd.DataFrame(rows), seeds)
    folder = RESULTS / "size"
    folder.mkdir(parents=True, exist_ok=True)
    found.to_csv(folder / "size.csv", index=False, float_format="%.6g")
    (folder / "README.md").write_text(page(found, seeds, time.perf_counter() - begun), encoding="utf-8")


if __name__ == "__main__":
    main()
