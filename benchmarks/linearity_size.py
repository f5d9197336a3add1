"""Does the test of linearity keep its level, and what does it see? python -m benchmarks.linearity_size [SERIES]

`varnn.linearity` on linear series with normal, fat-tailed and changing errors and near unit roots, and on nonlinear
ones. Writes linearity_size.csv and a page. Stop and run again to resume; cells that hold so many series are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from benchmarks.writing import RESULTS, machine, markdown
from varnn.inference.system_linearity import linearity

FOLDER = RESULTS / "linearity_size"
SEED, LEVEL, DRAWS, BURN = 880_000, 0.05, 199, 100
FEW, MANY = 100, 200  # rows
LOW, HIGH = np.array([[0.7, 0.2], [-0.3, 0.5]]), np.array([[-0.4, 0.3], [0.2, 0.6]])
CONSTANT = np.array([-0.5, 0.3])
Step = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # y_{t−1}, y_{t−2}, e_{t−1}, e_{t−2}


def second_order(last: np.ndarray, before: np.ndarray, *_: np.ndarray) -> np.ndarray:
    return np.asarray(0.4 * last + 0.1 * last.sum() - 0.2 * before)


def threshold(share: float) -> Step:
    """Return a threshold VAR(1), or one so far on the way to it from the average of its regimes."""
    def step(last: np.ndarray, *_: np.ndarray) -> np.ndarray:
        side = share if last[0] > 0 else -share
        return np.asarray(-side * CONSTANT + ((LOW + HIGH) / 2 + side * (HIGH - LOW) / 2) @ last)

    return step


STEPS: dict[str, Step] = {
    "VAR(2), normal": second_order, "VAR(2), t(4)": second_order, "VAR(2), ARCH(.5)": second_order,
    "roots of .97": lambda last, *_: 0.97 * last,
    "threshold": threshold(1.0), "half threshold": threshold(0.5),
    "sign": lambda last, *_: 0.7 * np.sign(last[::-1]),
    "bilinear": lambda last, before, e, older: 0.4 * last * e[::-1],
    "TAR": lambda last, *_: np.where(np.abs(last) <= 1, 0.9, -0.3) * last,
    "bilinear MA": lambda last, before, e, older: -0.4 * e + 0.3 * older + 0.5 * e * older,
}
LINEAR = tuple(name for name in STEPS if name.startswith(("VAR", "roots")))


def plan() -> Iterator[tuple[str, int, int]]:
    yield from ((name, rows, k) for rows in (FEW, MANY) for k in (1, 2, 3) for name in LINEAR)
    yield from ((name, MANY, 2) for name in ("threshold", "half threshold", "sign", "bilinear"))
    yield from ((name, MANY, 1) for name in ("TAR", "bilinear MA"))


def drawn(name: str, rows: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return one series (rows, k)."""
    n = rows + BURN
    shocks = rng.standard_t(4, size=(n, k)) / np.sqrt(2) if "t(4)" in name else rng.standard_normal((n, k))
    y, e = np.zeros((n, k)), np.zeros((n, k))
    for t in range(2, n):
        e[t] = shocks[t] * (np.sqrt(0.5 + 0.5 * e[t - 1] ** 2) if "ARCH" in name else 1.0)
        y[t] = STEPS[name](y[t - 1], y[t - 2], e[t - 1], e[t - 2]) + e[t]
    return y[BURN:]


def main() -> None:
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "linearity_size.csv"
    found = pd.read_csv(path).to_dict("records") if path.exists() else []
    there = {(row["truth"], row["rows"], row["k"]) for row in found if row["series"] >= series}
    for cell, (name, rows, k) in enumerate(plan()):
        if (name, rows, k) in there:
            continue
        rng = np.random.default_rng([SEED, cell])
        rejected = sum(linearity(drawn(name, rows, k, rng), draws=DRAWS, rng=number).pvalue <= LEVEL
                       for number in range(series))
        found = [row for row in found if (row["truth"], row["rows"], row["k"]) != (name, rows, k)]
        found.append({"truth": name, "linear": name in LINEAR, "rows": rows, "k": k, "series": series,
                      "rejected": rejected / series})
        pd.DataFrame(found).to_csv(path, index=False, float_format="%.6g")
    table = pd.DataFrame(found)
    few = int(table["series"].min())
    (FOLDER / "README.md").write_text("\n".join([
        "# The test of linearity: level and power\n",
        f"Share of series that `varnn.linearity` rejects at 5 %, lags by AIC, {DRAWS} draws, {few} series a cell; "
        f"a share of .05 has a standard error of {np.sqrt(0.05 * 0.95 / few):.3f}, one of .7 of "
        f"{np.sqrt(0.21 / few):.3f}.\n",
        markdown(table, 3) + "\n",
        f"Made by `python -m benchmarks.linearity_size {few}` on {machine()}.\n"]), encoding="utf-8")


if __name__ == "__main__":
    main()
