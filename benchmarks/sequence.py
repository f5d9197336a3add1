"""Sequences: does recurrence pay, does bending pay, or is counting enough?

    python benchmarks/sequence.py names_zh --splits 5      (also names_en, japanese_vowels, regimes, xor, recall,
                                                            shakespeare, sentences)
    python benchmarks/sequence.py board                    writes README.md and board.png from rows.csv

Each task writes its rows as it goes and leaves out what rows.csv has; delete a row to have it made again. Budgets are
in steps: the same seed gives the same numbers on a slow machine. Data come from VARNN_DATA or their address.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import varnn
from varnn import SequenceClassifier, SequenceLabeler
from varnn.data.sequences import load_sequences
from varnn.sequence.fitted import group_numbers, parted

FOLDER = Path(__file__).parent / "results" / "sequence"
ROWS = FOLDER / "rows.csv"
FIELDS = ("task", "split", "row", "accuracy", "log_loss", "standard_error", "linear_log_loss", "gain", "gain_error",
          "p_value", "share", "n", "steps", "cpu_seconds", "words", "version")
CELLS = ("linear", "tanh", "gru", "lstm")


def have() -> set[tuple[str, str, str]]:
    if not ROWS.exists():
        return set()
    with ROWS.open(encoding="utf-8") as file:
        return {(row["task"], row["split"], row["row"]) for row in csv.DictReader(file)}


def put(task, split, row, **values):
    """Append a row; numbers with six digits."""
    new = not ROWS.exists()
    said = {key: f"{value:.6f}" if isinstance(value, float) else value for key, value in values.items()}
    with ROWS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({"task": task, "split": split, "row": row, "version": varnn.__version__, **said})
    print(task, split, row, said, flush=True)


def put_fit(task, split, row, fit, x, y=None, groups=None, began=0.0, **more):
    """Append the row of a fit: its score, and its paired gain over its linear part."""
    score, gain = fit.score(x, y, groups=groups), fit.against("linear part", x, y, groups=groups)
    lost = fit.losses(x, y)
    put(task, split, row, accuracy=score.accuracy, log_loss=score.log_loss, standard_error=score.standard_error,
        linear_log_loss=float(lost.linear.sum() / lost.steps.sum()), gain=gain.gain, gain_error=gain.standard_error,
        p_value=gain.p_value, n=score.n, steps=sum(member.steps for member in fit.members),
        cpu_seconds=round(time.process_time() - began, 1), words=fit.words, **more)


def put_table(task, split, row, logs, y, **more):
    """Append the row of a baseline from its log probabilities (N, c)."""
    rows = np.arange(len(y))
    lost = -logs[rows, y]
    put(task, split, row, accuracy=float((logs.argmax(1) == y).mean()), log_loss=float(lost.mean()),
        standard_error=float(lost.std(ddof=1) / np.sqrt(len(y))), n=len(y), **more)


def ceiling(x, y) -> float:
    """Share of rows that is right at best: the most frequent label of each spelling."""
    seen = defaultdict(list)
    for name, label in zip(x, y, strict=True):
        seen[name].append(label)
    return sum(max(labels.count(label) for label in set(labels)) for labels in seen.values()) / len(y)


def naive_bayes(x, y, asked, order):
    """Counting: log p(class) + Σ log p(n-gram | class), half a case added to each count."""
    from varnn.sequence.linear_parts import n_grams

    grams = sorted({gram for name in x for gram in n_grams(name, order)})
    place = {gram: i for i, gram in enumerate(grams)}
    counts = np.full((2, len(grams)), 0.5)
    for name, label in zip(x, y, strict=True):
        for gram in n_grams(name, order):
            counts[label, place[gram]] += 1
    logs = np.log(counts / counts.sum(1, keepdims=True))
    prior = np.log(np.bincount(y, minlength=2) / len(y))
    joint = np.array([prior + sum((logs[:, place[g]] for g in n_grams(name, order) if g in place), np.zeros(2))
                      for name in asked])
    return joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)


def names(task, splits, epochs):
    data = load_sequences(task)
    kinds = sorted(set(data.y))
    y = np.array([kinds.index(label) for label in data.y])
    for split in range(splits):
        rest, test = parted(group_numbers(data.x), 0.1, np.random.default_rng(split))
        X, Z = [data.x[i] for i in rest], [data.x[i] for i in test]
        Y, labels = [int(v) for v in y[rest]], [int(v) for v in y[test]]
        for order in (1, 3):
            if (task, str(split), f"naive Bayes {order}") not in have():
                put_table(task, split, f"naive Bayes {order}", naive_bayes(X, Y, Z, order), y[test],
                          words=f"naive Bayes on 1- to {order}-grams, counting" if order > 1 else
                          "naive Bayes on single characters: no order, counting", share=ceiling(data.x, data.y))
        for cell in CELLS:
            if (task, str(split), f"{cell} beside") in have():
                continue
            began = time.process_time()
            spec = SequenceClassifier(cell=cell, epochs=epochs, members=2)
            fit = spec.fit(X, Y, validation=1 / 9, rng=split)
            if (task, str(split), "regression") not in have():
                put_table(task, split, "regression", fit.linear.log_proba(fit._checked(Z)), y[test],
                          words=fit.linear.words)
            one = fit.alone()
            put_fit(task, split, f"{cell} alone", one, Z, labels, Z, began)
            put_fit(task, split, f"{cell} beside", fit, Z, labels, Z, began)


def japanese_vowels(splits):
    data = load_sequences("japanese_vowels")
    for split in range(splits):
        for cell in CELLS:
            if ("japanese_vowels", str(split), f"{cell} beside") in have():
                continue
            began = time.process_time()
            fit = SequenceClassifier(cell=cell, both=True, members=5, batch=32, epochs=60, patience=60, noise=0.3,
                                     decay=1e-2).fit(data.x, data.y, rng=split)
            if ("japanese_vowels", str(split), "Gaussian") not in have():
                numbers = np.array(data.test_y) - 1
                put_table("japanese_vowels", split, "Gaussian", fit.linear.log_proba(fit._checked(data.test_x)),
                          numbers, words=fit.linear.words)
            put_fit("japanese_vowels", split, f"{cell} alone", fit.alone(), data.test_x, data.test_y, began=began)
            put_fit("japanese_vowels", split, f"{cell} beside", fit, data.test_x, data.test_y, began=began)


def regimes(splits):
    for split in range(splits):
        train = load_sequences("regimes", n=2000, seed=100 + split)
        test = load_sequences("regimes", n=1000, seed=200 + split)
        true = np.array(test.y)

        def nats(p, true=true):
            return float(-np.log(np.where(true == 1, p, 1 - p)).mean())

        best = {False: nats(test.oracle["filter"]), True: nats(test.oracle["smoother"])}
        for both, name in ((False, "filter"), (True, "smoother")):
            if ("regimes", str(split), name) not in have():
                put("regimes", split, name, accuracy=float(((test.oracle[name] > 0.5) == true).mean()),
                    log_loss=best[both], share=1.0, n=true.size,
                    words=f"{'Kim smoother' if both else 'Hamilton filter'}, true parameters")
        for cell, both in (("linear", False), ("tanh", False), ("lstm", False), ("tanh", True), ("gru", False)):
            row = f"{cell} both ways" if both else cell
            if ("regimes", str(split), row) in have():
                continue
            began = time.process_time()
            fit = SequenceLabeler(cell=cell, both=both, beside=None, width=24, drop=0.0, batch=64, epochs=16, rate=1e-2,
                                  decay=0.0).fit(train.x, train.y, rng=split)
            lost = fit.score(test.x, test.y).log_loss
            put_fit("regimes", split, row, fit, test.x, test.y, began=began,
                    share=(np.log(2) - lost) / (np.log(2) - best[both]))


def drawn(task, splits, lengths, epochs):
    """XOR and recall: labels from first and last, at several lengths."""
    for split in range(splits):
        for length in lengths:
            train = load_sequences(task, n=8000, length=length, seed=300 + split)
            test = load_sequences(task, n=2000, length=length, seed=400 + split)
            for cell in CELLS:
                row = f"{cell}, T = {length}"
                if (task, str(split), row) in have():
                    continue
                began = time.process_time()
                fit = SequenceClassifier(cell=cell, beside=None, drop=0.0, noise=0.0, unknown=0.01, batch=64,
                                         epochs=epochs, patience=epochs, rate=3e-3, decay=0.0,
                                         embed=16).fit(train.x, train.y, rng=split)
                put_fit(task, split, row, fit, test.x, test.y, began=began)


def shakespeare(splits):
    text = load_sequences("tiny_shakespeare").x[0]
    cuts = [int(len(text) * 0.9), int(len(text) * 0.95)]
    parts = [text[:cuts[0]], text[cuts[0]:cuts[1]], text[cuts[1]:]]
    for split in range(splits):
        if ("shakespeare", str(split), "lstm beside") in have():
            continue
        began = time.process_time()
        fit = SequenceLabeler(cell="lstm", width=256, embed=64, drop=0.05, batch=16, window=100, epochs=5, memory=4,
                              unknown=0.0).fit([parts[0]], validation=[parts[1]], rng=split,
                                               progress=lambda name, done, of: print(name, done, of, flush=True))
        lost = fit.losses([parts[2]])
        if ("shakespeare", str(split), "Kneser-Ney") not in have():
            put("shakespeare", split, "Kneser-Ney", log_loss=float(lost.linear.sum() / lost.steps.sum()),
                n=int(lost.steps.sum()), words=fit.linear.words)
        put_fit("shakespeare", split, "lstm alone", fit.alone(), [parts[2]], began=began)
        put_fit("shakespeare", split, "lstm beside", fit, [parts[2]], began=began)
        fit.save(FOLDER.parent.parent.parent / "out" / f"shakespeare_{split}.varnn")


def sentences(splits):
    lines = load_sequences("tatoeba_zh", script="simplified").x
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(lines))
        train, held, test = ([lines[i] for i in part] for part in
                             np.split(order, [int(0.8 * len(lines)), int(0.9 * len(lines))]))
        for cell in ("gru",):
            if ("sentences", str(split), f"{cell} beside") in have():
                continue
            began = time.process_time()
            fit = SequenceLabeler(cell=cell, width=192, embed=128, drop=0.2, batch=64, epochs=1, memory=4,
                                  patience=12).fit(train, validation=held, rng=split,
                                                   progress=lambda name, done, of: print(name, done, of, flush=True))
            lost = fit.losses(test)
            put("sentences", split, "Kneser-Ney", log_loss=float(lost.linear.sum() / lost.steps.sum()),
                n=int(lost.steps.sum()), words=fit.linear.words)
            put_fit("sentences", split, f"{cell} alone", fit.alone(), test, began=began)
            put_fit("sentences", split, f"{cell} beside", fit, test, began=began)


def main(arguments: list[str]) -> None:
    task = arguments[0]
    splits = int(arguments[arguments.index("--splits") + 1]) if "--splits" in arguments else 5
    FOLDER.mkdir(parents=True, exist_ok=True)
    tasks = {
        "names_zh": lambda: names("names_zh", splits, 12), "names_en": lambda: names("names_en", splits, 20),
        "japanese_vowels": lambda: japanese_vowels(splits), "regimes": lambda: regimes(splits),
        "xor": lambda: drawn("xor", splits, (10, 50), 8), "recall": lambda: drawn("recall", splits, (50,), 4),
        "shakespeare": lambda: shakespeare(splits), "sentences": lambda: sentences(splits),
    }
    if task == "board":
        from sequence_board import write

        write(FOLDER)
    elif task in tasks:
        tasks[task]()
    else:
        raise SystemExit(f"no task is named {task!r}; known are {', '.join(tasks)}, board")


if __name__ == "__main__":
    main(sys.argv[1:])
