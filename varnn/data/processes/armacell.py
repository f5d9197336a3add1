"""The eight simulated families of the ARMA-cell paper, with its protocol and its random stream.

Replication `rep` draws from `numpy.random.RandomState(rep)` in the order of the paper's scripts, so
the numbers are those of `numpy.random.seed(rep)` there. One-step RMSE on the last 30 % is the measure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import RECIPES, Process, Recipe, Simulated, at_rest, normal_shocks
from varnn.data.processes.bilinear import bilinear_ma
from varnn.data.processes.linear import varma_process
from varnn.data.processes.threshold import nar, sgn, tar

FloatArray = NDArray[np.float64]
CITATION = ("Schiele, P., Berninger, C. and Rügamer, D. (2022), ARMA cell: a modular and effective approach for "
            "neural autoregressive modeling, arXiv:2208.14919; families of Lee, White and Granger (1993)")
BURN = 50


def arma() -> Process:
    """Return an ARMA(2,1).

    y_t = .1 y_{t−1} + .3 y_{t−2} + e_t − .4 e_{t−1},  sd(e) = 2
    """
    return varma_process([[[0.1]], [[0.3]]], [[[-0.4]]], sd=2.0, burn=BURN)


def varma() -> Process:
    """Return a VARMA(1,1) of two series.

    y_t = A y_{t−1} + e_t + M e_{t−1},  A = [[.1, −.2], [−.2, .1]],  M = [[−.4, .2], [.2, −.4]]
    """
    return varma_process([[[0.1, -0.2], [-0.2, 0.1]]], [[[-0.4, 0.2], [0.2, -0.4]]], sd=1.0, burn=BURN)


def observed_through(curve: Callable[[FloatArray], FloatArray],
                     expected: Callable[[FloatArray], FloatArray]) -> Process:
    """Return x_t = .6 x_{t−1} + e_t with y_t = curve(x_t) + ε_t; `expected` is E[curve(x_t) | .6 x_{t−1}]."""

    def mean(state: FloatArray, t: int) -> FloatArray:
        centre = 0.6 * state
        return np.hstack([centre, expected(centre)])

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        after = 0.6 * state + shock[:, :1]
        return np.hstack([after, curve(after) + shock[:, 1:]]), after

    return Process(columns=("x", "y"), mean=mean, step=step, burn=0,
                   shock=normal_shocks(2), start=at_rest(1), symmetric=True)


def exp() -> Process:
    """Return an autoregression and its exponential.

    x_t = .6 x_{t−1} + e_t,  y_t = exp(x_t) + ε_t;  E[y_t | past] = exp(.6 x_{t−1} + ½)
    """
    return observed_through(np.exp, lambda centre: np.exp(centre + 0.5))


def sq() -> Process:
    """Return an autoregression and its square.

    x_t = .6 x_{t−1} + e_t,  y_t = x_t² + ε_t;  E[y_t | past] = (.6 x_{t−1})² + 1
    """
    return observed_through(np.square, lambda centre: centre**2 + 1.0)


def _started_at_zero(process: Process, n: int, stream: np.random.RandomState) -> Simulated:
    """Run y_0 = 0, then n − 1 shocks, as the paper's loops from i = 1 do."""
    shocks = np.concatenate([[0.0], stream.standard_normal(n - 1)])[:, None]
    return _unburnt(process).run(n, shocks=shocks, state=np.zeros(1))


def _unburnt(process: Process) -> Process:
    return replace(process, burn=0)


@lru_cache(maxsize=64)
def _univariate(n: int, rep: int) -> dict[str, Simulated]:
    stream = np.random.RandomState(rep)
    drawn = {"arma": arma().run(n, shocks=stream.normal(0, 2.0, n + BURN)[:, None], state=np.zeros(3))}
    for name, process in (("tar", tar()), ("sgn", sgn()), ("nar", nar())):
        drawn[name] = _started_at_zero(process, n, stream)
    drawn["bilinear_ma"] = _unburnt(bilinear_ma()).run(n, shocks=stream.standard_normal(n)[:, None],
                                                       state=np.zeros(2))
    return _frozen(drawn)


@lru_cache(maxsize=64)
def _multivariate(n: int, rep: int) -> dict[str, Simulated]:
    stream = np.random.RandomState(rep)
    drawn = {"varma": varma().run(n, shocks=stream.normal(0, 1.0, (n + BURN, 2)), state=np.zeros(4))}
    for name, process in (("exp", exp()), ("sq", sq())):
        noise, shock = stream.standard_normal(n), stream.standard_normal(n)
        drawn[name] = process.run(n, shocks=np.column_stack([shock, noise]), state=np.zeros(1))
        drawn[name].values[0, 1] = noise[0]  # the paper starts y without the curve
    return _frozen(drawn)


def _frozen(drawn: dict[str, Simulated]) -> dict[str, Simulated]:
    """Make the cached arrays read-only: callers share them."""
    for simulated in drawn.values():
        for array in (simulated.values, simulated.oracle, simulated.states):
            array.setflags(write=False)
    return drawn


def _protocol(group: Callable[[int, int], dict[str, Simulated]], name: str) -> Callable[[int, int], Simulated]:
    return lambda n, rep: group(n, rep)[name]


FAMILIES: tuple[tuple[str, str, Callable[..., Process], Callable[[int, int], dict[str, Simulated]]], ...] = (
    ("arma", "ARMA(2,1)", arma, _univariate),
    ("tar", "threshold autoregression", tar, _univariate),
    ("sgn", "sign autoregression", sgn, _univariate),
    ("nar", "rational nonlinear autoregression", nar, _univariate),
    ("bilinear_ma", "bilinear moving average", bilinear_ma, _univariate),
    ("varma", "VARMA(1,1) of two series", varma, _multivariate),
    ("exp", "autoregression and its exponential", exp, _multivariate),
    ("sq", "autoregression and its square", sq, _multivariate),
)
for _name, _title, _build, _group in FAMILIES:
    RECIPES[f"armacell_{_name}"] = Recipe(
        name=f"armacell_{_name}", title=f"ARMA-cell paper: {_title}", build=_build, citation=CITATION,
        length=1000, protocol=_protocol(_group, _name),
    )
