"""Sunspots and lynx on their customary splits, one step ahead: `python -m benchmarks.sunspots_lynx`.

Yearly sunspot numbers: estimation on 1700–1920, error on 1921–55 and 1956–79 as ARV, the mean squared error over 1535,
the variance that the literature divides by. Canadian lynx, log10: estimation on 1821–1920, mean squared error on
1921–34. Each model is estimated once; every forecast then sees all years before.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from benchmarks.writing import PUBLISHED, Draw, markdown, pictured, write
from varnn.data import load
from varnn.errors import ConvergenceWarning
from varnn.models import by_name
from varnn.series import FloatArray


@dataclass(frozen=True)
class Task:
    """A series, the rows to estimate on, the parts judged, what errors are divided by, and AR orders to show."""

    name: str
    train: int
    parts: dict[str, slice]
    divisor: float
    season: int
    orders: tuple[int, ...]

    def models(self) -> dict[str, tuple[str, dict[str, object]]]:
        """Return every row of the board."""
        return {"Naive": ("Naive", {}), f"SeasonalNaive({self.season})": ("SeasonalNaive", {"season": self.season}),
                "Mean": ("Mean", {}), **{f"AR({order})": ("VAR", {"lags": order}) for order in self.orders},
                "AR by AIC": ("VAR", {"lags": "aic"}), "VAR": ("VAR", {}), "LinearRNN": ("LinearRNN", {}),
                "TanhRNN": ("TanhRNN", {}), "TanhRNN, 2 lags": ("TanhRNN", {"lags": 2})}


TASKS = (
    Task("sunspots", 221, {"sunspots 1921–55": slice(221, 256), "sunspots 1956–79": slice(256, 280)}, 1535.0, 11,
         (2, 9)),
    Task("lynx", 100, {"lynx 1921–34": slice(100, 114)}, 1.0, 10, (2, 11)))


def one_step(y: FloatArray, train: int, kind: str, settings: dict[str, object]) -> tuple[FloatArray, bool]:
    """Return forecasts of the rows after `train` (T − train, k), and whether the estimation stopped early."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ConvergenceWarning)
        fit = by_name(kind)(**settings).fit(y[:train])
    fits = (fit if row == train else fit.update(y[train:row]) for row in range(train, len(y)))
    return np.array([one.forecast(1, n_paths=1, uncertainty="none").point[0] for one in fits]), bool(heard)


def main() -> None:
    """Run the board and write it."""
    begun, rows, seconds = time.perf_counter(), [], []
    with threadpool_limits(1):
        for task in TASKS:
            y = load(task.name).frame.to_numpy(dtype=float)[:max(part.stop for part in task.parts.values())]
            for model, (kind, settings) in task.models().items():
                start = time.process_time()
                made, early = one_step(y, task.train, kind, settings)
                spent = time.process_time() - start
                for part, rows_of in task.parts.items():
                    miss = y[rows_of] - made[rows_of.start - task.train:rows_of.stop - task.train]
                    error = float((miss**2).mean()) / task.divisor
                    rows.append({"task": part, "model": model + (" (stopped early)" if early else ""),
                                 "error": error, "years": len(miss)})
                    print(f"{part} {model}: {error:.5f} ({spent:.1f} s)", flush=True)
                seconds.append({"task": task.name, "model": model, "seconds": spent})
    board, spent_table = pd.DataFrame(rows), pd.DataFrame(seconds)
    print(write("sunspots_lynx", board, spent_table, page(board, spent_table), "python -m benchmarks.sunspots_lynx",
                time.perf_counter() - begun, draw=draw(board), size=(9.5, 3.6)))


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws errors as dots, a panel a task."""

    def fill(figure: Figure) -> None:
        names = list(dict.fromkeys(board["task"]))
        for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
            part = board[board["task"] == name].sort_values("error", ascending=False, kind="stable")
            rnn = part["model"].str.contains("RNN")
            axes.hlines(range(len(part)), 0, part["error"], color="0.8", lw=0.8)
            for chosen, mark, style in ((rnn, "^", "full"), (~rnn, "o", "none")):
                axes.plot(part["error"][chosen], np.arange(len(part))[chosen], mark, color="black", fillstyle=style)
            axes.set_yticks(range(len(part)), list(part["model"]))
            axes.set_xlim(left=0.0, right=1.08 * float(part["error"].max()))
            axes.set_title(name)
            axes.set_xlabel("MSE (log10 trappings)" if name.startswith("lynx") else "ARV (MSE / 1535)")

    return fill


def page(board: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """Return the page: what it teaches and the numbers beside the measured ones."""
    published = pd.read_csv(PUBLISHED / "sunspots_lynx.csv").assign(model=lambda t: t["model"] + " *measured*")
    both = pd.concat([board, published])
    both["cell"] = [f"{error:.4f}" for error in both["error"]]
    table = both.pivot_table(index="model", columns="task", values="cell", aggfunc="first", sort=False)
    spent = seconds.groupby("model")["seconds"].sum()
    table["seconds"] = [f"{spent[model]:.1f}" if model in spent else "" for model in table.index]
    best = board.loc[board.groupby("task", sort=False)["error"].idxmin()]
    tanh = board[board["model"].str.startswith("TanhRNN")].groupby("task")["error"].min()
    linear = board[board["model"].str.startswith(("AR", "VAR", "LinearRNN"))].groupby("task")["error"].min()
    ahead = [task for task in dict.fromkeys(board["task"]) if tanh[task] < linear[task]]
    return "\n".join([
        "# Sunspots and lynx, one step ahead on the customary splits\n",
        "Sunspots: mean squared error over 1535 (ARV). Lynx: mean squared error of log10. Rows marked *measured* were "
        "got with another package, all others come from this run.\n",
        pictured("One-step errors: triangles are tanh and linear RNNs, circles the rest."),
        "**What it teaches.** The smallest error is that of "
        + ", ".join(f"{row.model} on {row.task}" for row in best.itertuples())
        + f". The better tanh RNN is ahead of every linear row on {', '.join(ahead) or 'no part'}. With 35, 24 and 14 "
        "years these are classics to reproduce, too short to settle a question.\n",
        markdown(table.fillna("").reset_index()) + "\n",
        "Mackey–Glass, NARMA-10 and Lorenz on their customary protocols are in `results/accuracy`; longer horizons and "
        "tests on these and other series in `results/classics`.\n"])


if __name__ == "__main__":
    main()
