"""Write the board of `sequence.py`: README.md and board.png from rows.csv."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

TITLES = {
    "names_zh": "Names → sex, Chinese", "names_en": "Names → sex, English",
    "japanese_vowels": "Japanese vowels → speaker", "shakespeare": "Next character, tiny Shakespeare",
    "sentences": "Next character, Chinese sentences (simplified script)",
    "regimes": "Regimes of a switching autoregression", "xor": "Exclusive or of first and last",
    "recall": "Recall of the first symbol", "adding": "Sum of two marked numbers",
}
# (task, what is asked for, row, column, sense, bound, every): sense +1 at least, −1 at most
TARGETS = (
    ("names_zh", "log loss beside", "gru beside", "log_loss", -1, 0.235, False),
    ("names_zh", "accuracy beside", "gru beside", "accuracy", 1, 0.903, False),
    ("names_zh", "gain over its regression", "gru beside", "gain", 1, 0.0, False),
    ("names_en", "accuracy beside", "gru beside", "accuracy", 1, 0.870, False),
    ("names_en", "log loss beside", "gru beside", "log_loss", -1, 0.295, False),
    ("japanese_vowels", "mean of 5 members, in every draw", "tanh alone", "accuracy", 1, 0.980, True),
    ("japanese_vowels", "with moments beside", "tanh beside", "accuracy", 1, 0.986, False),
    ("shakespeare", "LSTM alone, nats", "lstm alone", "log_loss", -1, 1.55, False),
    ("shakespeare", "LSTM beside Kneser–Ney, nats", "lstm beside", "log_loss", -1, 1.50, False),
    ("sentences", "beside Kneser–Ney, nats", "gru beside", "log_loss", -1, 3.20, False),
    ("sentences", "gain over Kneser–Ney in every split", "gru beside", "gain", 1, 0.0, True),
    ("regimes", "tanh, share of the filter's gain", "tanh", "share", 1, 0.98, False),
    ("regimes", "LSTM, share of the filter's gain", "lstm", "share", 1, 0.98, False),
    ("regimes", "tanh both ways, share of the smoother's gain", "tanh both ways", "share", 1, 0.96, False),
    ("regimes", "linear, share of the filter's gain", "linear", "share", -1, 0.02, False),
    ("xor", "linear at T = 10", "linear, T = 10", "accuracy", -1, 0.55, False),
    ("xor", "linear at T = 50", "linear, T = 50", "accuracy", -1, 0.55, False),
    ("xor", "tanh at T = 10", "tanh, T = 10", "accuracy", 1, 0.99, False),
    ("xor", "LSTM at T = 50", "lstm, T = 50", "accuracy", 1, 0.99, False),
    ("adding", "gated, mean squared error at T = 50", "gru, T = 50", "log_loss", -1, 0.02, False),
)


ASKED = 5


def mean_and_sd(values: pd.Series, digits: int, scale: float = 1.0) -> str:
    values = values.dropna() * scale
    if values.empty:
        return ""
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def verdict_of(reached: bool, splits: int) -> str:
    """Return what may be said: five seeds or splits were asked for, fewer show it for those only."""
    if not reached:
        return "**not met**"
    return "met" if splits >= ASKED else f"met on the {splits} made of {ASKED} asked for"


def targets(rows: pd.DataFrame) -> list[str]:
    lines = ["| task | asked for | bound | reached | splits | |", "|---|---|---|---|---|---|"]
    for task, words, row, column, sense, bound, every in TARGETS:
        found = rows[(rows.task == task) & (rows.row == row)][column].dropna()
        said = f"{'≥' if sense > 0 else '≤'} {bound:g}"
        if found.empty:
            lines.append(f"| {TITLES[task]} | {words} | {said} | – | 0 | **not met**: not run |")
            continue
        judged = (sense * found).min() if every else (sense * found).mean()
        verdict = verdict_of(judged >= sense * bound, len(found))
        lines.append(f"| {TITLES[task]} | {words} | {said} | {mean_and_sd(found, 4)} | {len(found)} | {verdict} |")
    # tanh over linear on English names, alone
    wide = rows[rows.task == "names_en"].pivot_table(index="split", columns="row", values="accuracy")
    if {"tanh alone", "linear alone"} <= set(wide.columns):
        gap = wide["tanh alone"] - wide["linear alone"]
        verdict = verdict_of(gap.mean() >= 0.03, len(gap))
        lines.append(f"| {TITLES['names_en']} | tanh over linear, alone | ≥ 0.03 | {mean_and_sd(gap, 4)} | "
                     f"{len(gap)} | {verdict} |")
    return lines


def table(rows: pd.DataFrame) -> list[str]:
    lines = ["| row | accuracy, % | log loss, nats | gain over the linear part (mean standard error) | share of the "
             "oracle's gain, % | splits | steps | what |", "|---|---|---|---|---|---|---|---|"]
    for row, part in rows.groupby("row", sort=False):
        gain = mean_and_sd(part.gain, 4)
        gain += f" ({part.gain_error.mean():.4f})" if gain else ""
        share = "" if part.task.iloc[0] != "regimes" else mean_and_sd(part.share, 1, 100)
        steps = "" if part.steps.isna().all() else f"{part.steps.mean():.0f}"
        lines.append(f"| {row} | {mean_and_sd(part.accuracy, 2, 100)} | {mean_and_sd(part.log_loss, 4)} | {gain} | "
                     f"{share} | {len(part)} | {steps} | {part.words.iloc[0]} |")
    return lines


def picture(rows: pd.DataFrame, folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    tasks = [task for task in TITLES if (rows.task == task).any()]
    columns = 2
    figure, axes = plt.subplots(-(-len(tasks) // columns), columns, figsize=(11, 2.5 * -(-len(tasks) // columns)),
                                squeeze=False, layout="constrained")
    for axis in axes.flat[len(tasks):]:
        axis.set_visible(False)
    for axis, task in zip(axes.flat, tasks, strict=False):
        part = rows[rows.task == task]
        grouped = part.groupby("row", sort=False).log_loss
        mean, spread = grouped.mean(), grouped.std().fillna(0)
        counting = [not name.startswith(("linear", "tanh", "gru", "lstm")) for name in mean.index]
        for at, plain in enumerate(counting):  # points: a bar whose foot is not at zero would mislead
            axis.errorbar(mean.iloc[at], at, xerr=spread.iloc[at], fmt="s" if plain else "o", capsize=3,
                          color="#8c8c8c" if plain else "#3b6ea5")
        axis.set_yticks(range(len(mean)), mean.index, fontsize=7)
        axis.invert_yaxis()
        axis.grid(axis="y", color="#e4e4e4")
        axis.set_title(f"{TITLES[task]} (n = {part.split.nunique()})", fontsize=9)
        axis.set_xlabel("log loss, nats", fontsize=8)
    figure.savefig(folder / "board.png", dpi=110)


def write(folder: Path) -> None:
    rows = pd.read_csv(folder / "rows.csv")
    lines = ["# Sequences: does recurrence pay, does bending pay?", "",
             "Made by `python benchmarks/sequence.py TASK --splits N`, then `… board`, from `rows.csv`. Mean ± "
             "standard deviation over seeds or splits (\"splits\" says how many there are; a single one has no ±). "
             "Budgets are in steps, on the processor, one thread. \"alone\": the recursion without its linear part; "
             "\"beside\": with it, pooled by the validation part. Names are split by spelling.", "",
             "## What was asked for, and what was reached", "", *targets(rows), "", "![board](board.png)", ""]
    for task, title in TITLES.items():
        part = rows[rows.task == task]
        if part.empty:
            lines += [f"## {title}", "", "Not run.", ""]
            continue
        lines += [f"## {title}", ""]
        ceiling = part[part.row == "naive Bayes 1"].share.dropna()
        if len(ceiling):
            lines += [f"Ceiling: {ceiling.iloc[0]:.1%} of rows, since some spellings come with both labels.", ""]
        lines += [*table(part), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    picture(rows, folder)
