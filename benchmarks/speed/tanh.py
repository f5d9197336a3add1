"""Speed of the tanh RNN against torch in the same run: gradient, and fit to Adam's loss.

python benchmarks/speed/tanh.py              writes benchmarks/results/speed/tanh.csv

One thread.  Medians of at least five; torch runs nn.RNN in float64.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import varnn
from varnn.estimate.numerics.lbfgs import Network, descend
from varnn.estimate.numerics.threads import one_thread
from varnn.estimate.tanh.design import Design

RESULTS = Path(__file__).resolve().parents[1] / "results" / "speed"


def median(work: Callable[[], object], repeats: int = 5) -> float:
    """Median processor seconds of a call, after one that warms up."""
    work()
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return float(np.median(seconds))


def data(T: int, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A nonlinear vector process in standard units: lag 1 with intercept, and the next value."""
    random = np.random.default_rng(seed)
    A = random.normal(size=(k, k))
    y = np.zeros((T + 1, k))
    for t in range(1, T + 1):
        y[t] = np.tanh(A @ y[t - 1]) + 0.3 * random.normal(size=k)
    y = (y - y.mean(0)) / y.std(0)
    return np.hstack([np.ones((T, 1)), y[:-1]]), np.ascontiguousarray(y[1:])


class Peer(torch.nn.Module):
    """nn.RNN with a linear read-out, float64."""

    def __init__(self, k: int, n: int) -> None:
        super().__init__()
        self.rnn = torch.nn.RNN(k, n, batch_first=True, dtype=torch.float64)
        self.out = torch.nn.Linear(n, k, dtype=torch.float64)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((self.out(self.rnn(x)[0]) - y) ** 2).mean()


def gradient_row(T: int, n: int, target: float) -> dict[str, object]:
    X, Y = data(T)
    design = Design(X[:, :1], X, Y, Y, np.zeros(3), n)
    network = Network.of(design)
    theta = np.random.default_rng(1).normal(size=design.size) * 0.3 / np.sqrt(n)
    peer = Peer(3, n)
    x, y = torch.tensor(X[None, :, 1:]), torch.tensor(Y[None])

    def theirs() -> None:
        peer.zero_grad()
        peer.loss(x, y).backward()

    ours = median(lambda: [network.value_and_gradient(theta) for _ in range(20)], 9) / 20
    return row(f"value and gradient T={T} n={n}", "torch nn.RNN forward + backward", ours, median(theirs, 9), target)


def adam_row(target: float) -> dict[str, object]:
    X, Y = data(200)
    x, y = torch.tensor(X[None, :, 1:]), torch.tensor(Y[None])

    def theirs() -> float:
        torch.manual_seed(0)
        peer = Peer(3, 16)
        optimiser = torch.optim.Adam(peer.parameters(), lr=1e-2)
        for _ in range(1000):
            optimiser.zero_grad()
            peer.loss(x, y).backward()
            optimiser.step()
        return float(peer.loss(x, y).detach())

    loss = theirs()
    network = Network.of(Design(X[:, :1], X, Y, Y, np.zeros(3), 16))
    start = network.start(np.random.default_rng(0))
    fit = descend(network, start, steps=2000, target=loss * Y.size / 2)
    assert 2 * fit.value / Y.size <= loss * (1 + 1e-9), "Adam's loss was not reached"
    return row("fit to the loss of 1000 Adam steps T=200 n=16 k=3", "torch nn.RNN + Adam", median(
        lambda: descend(network, start, steps=2000, target=loss * Y.size / 2)), median(theirs), target)


def row(work: str, peer: str, ours: float, theirs: float, target: float) -> dict[str, object]:
    return {"work": work, "peer": peer, "ours_s": ours, "peer_s": theirs, "ratio": theirs / ours,
            "target": target}


def main() -> None:
    """Run every row and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with one_thread(), ThreadPoolExecutor(1):
        rows = [gradient_row(200, 8, 100.0), gradient_row(2000, 32, 35.0), adam_row(500.0)]
    table = pd.DataFrame(rows)
    table["machine"] = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    table["load"] = os.getloadavg()[0]
    table["varnn"], table["torch"], table["numpy"] = varnn.__version__, torch.__version__, np.__version__
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "tanh.csv", index=False, float_format="%.5g")
    print(table.iloc[:, :6].to_string())


if __name__ == "__main__":
    main()
