"""A training step through the loop of `wiring.Layer`, against torch's own kernels in the same run.

    python -m benchmarks.speed.sequence

Forward, sum of squares and backward of one batch, one thread, float32 and float64; the best of seven, ours and
torch's in turn, so that a busy machine slows both. Only ratios are claims: at most 1.2 at 64 units or more. Writes
benchmarks/results/speed/sequence.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parents[1] / "results" / "speed" / "sequence.json"
SIZES = [(25, 32, 12, 32), (10, 64, 32, 64), (100, 32, 64, 128)]  # T, B, d, n
REPEATS, TARGET = 7, 1.2


def best(ways: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the least seconds of each way, taken in turn."""
    found = dict.fromkeys(ways, np.inf)
    for repeat in range(REPEATS + 2):
        for name, work in ways.items():
            begun = time.perf_counter()
            work()
            if repeat >= 2:
                found[name] = min(found[name], time.perf_counter() - begun)
    return found


def measured(kind: str, size: tuple[int, int, int, int], dtype: Any) -> dict[str, Any]:
    """Return seconds of one training step, ours and torch's, at the same weights."""
    import torch

    from varnn.recursion.cells import CELLS
    from varnn.recursion.wiring import Layer

    T, B, d, n = size
    torch.manual_seed(0)
    net = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](d, n).to(dtype)
    weights = {name[:-3]: value for name, value in net.named_parameters()}
    layer, x = Layer(CELLS[kind], weights), torch.randn(T, B, d, dtype=dtype)

    def step(outputs: Callable[[], Any]) -> Callable[[], Any]:
        def work() -> None:
            net.zero_grad()
            outputs().square().sum().backward()
        return work

    found = best({"ours": step(lambda: layer.outputs(x)[0]), "torch": step(lambda: net(x)[0])})
    ratio = found["ours"] / found["torch"]
    return {"cell": kind, "dtype": str(dtype)[6:], "steps": T, "batch": B, "inputs": d, "units": n,
            "seconds": found, "ratio": ratio, "met": None if n < 64 else bool(ratio <= TARGET)}


def main() -> None:
    """Run the board and write its file."""
    import torch

    torch.set_num_threads(1)
    rows = [measured(kind, size, dtype) for dtype in (torch.float32, torch.float64) for size in SIZES
            for kind in ("tanh", "gru", "lstm")]
    HERE.write_text(json.dumps({"target": TARGET, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['cell']:5} {row['dtype']} T={row['steps']:<3} B={row['batch']} n={row['units']:<3} "
              f"{row['ratio']:.2f} {'' if row['met'] is None else 'met' if row['met'] else 'not met'}", flush=True)


if __name__ == "__main__":
    main()
