"""The evidence: what a fit is shrunk towards, how likely its structure is, and whether a rung pays.

Called by `search`, the rungs and the ladder.  The same formula serves every rung, so log evidences of fits on the
same rows differ by log Bayes factors.  Never fits anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import lgamma, log
from typing import Literal

import numpy as np
import numpy.typing as npt

from varnn.estimate.panel.stacked import PooledDesign
from varnn.estimate.tanh.design import Array, Design
from varnn.estimate.tanh.gauss_newton import Optimum, Prior

Kind = Literal["unit", "sparse"]
POSITIVE = 1.0     # nats of evidence that a memory or tanh units need to be called for
RANGE = log(1e8)  # a precision is log-uniform over this many nats a priori


def prior(design: Design, kind: Kind = "unit") -> Prior:
    """Group the weights of a recursion: around zero, which is the rung below, one precision a group.

    Parameters
    ----------
    design : Design
    kind : {"unit", "sparse"}
        One precision for all input weights of a tanh unit, or one for each unit and lag.

    Returns
    -------
    Prior
        Groups named "B …" (inputs of the identity units), "A …" (their memory), "W_hy …", "W_xh …", "W_hh";
        intercept and trend are not shrunk.
    """
    k, m, n = design.k, design.m, design.n
    names: list[str] = []

    def new(name: str) -> int:
        names.append(name)
        return len(names) - 1

    qL, inside = design.XL.shape[1], design.XH.shape[1] + design.r * k
    L, G = np.full((m, design.width_L), -1), np.zeros((n, design.width_G))
    for column in range(design.flat, design.fixed):
        L[:, column] = new(f"B exogenous {column - design.flat + 1}")
    for lag, left in enumerate(range(design.fixed, qL, k), start=1):
        own, other = new(f"B lag {lag} own"), (new(f"B lag {lag} other") if m * k > 1 else 0)
        L[:, left : left + k] = np.where(np.eye(m, k, dtype=bool), own, other)
    for lag, left in enumerate(range(qL, qL + design.rl * k, k), start=1):
        L[:, left : left + k] = new(f"A lag {lag}")
    if design.ar:
        L[:, qL + design.rl * k :] = new("A state")
    if design.frozen:
        group = np.concatenate([L.ravel(), np.full(m * n, new("W_hy"))]).astype(np.intp)
        return Prior(np.zeros(design.free), group, tuple(names))
    W = np.tile([new(f"W_hy unit {i + 1}") for i in range(n)], (m, 1)) if n else np.empty((m, 0))
    edges = [0, *range(2, design.fixed_H), *range(max(design.fixed_H, 1), inside, k), inside]
    if design.fixed_H == 1:
        edges = [0, *range(1 + k, inside, k), inside]
    for i in range(n):
        if kind == "unit":
            G[i, :inside] = new(f"W_xh unit {i + 1}")
        else:
            for number, (left, right) in enumerate(pairwise(edges), start=1):
                G[i, left:right] = new(f"W_xh unit {i + 1} input {number}")
    if n and design.recurrent:
        G[:, inside:] = new("W_hh")
    group = np.concatenate([L.ravel(), W.ravel(), G.ravel()]).astype(np.intp)
    return Prior(np.zeros(design.size), group, tuple(names))


def log_evidence(optimum: Optimum) -> float:
    r"""Return the log probability of the data under a structure, from one mode.

    .. math:: \ln p(Y) \approx \ln L - \tfrac12 \sum \alpha w^2 + \tfrac12 \sum \ln \alpha - \tfrac12 \ln|H|
              + \ln \frac{n!}{(n-a)!} + a \ln 2 - \sum_g \max\left(0, \ln R - \tfrac12 \ln \frac{4\pi}{\gamma_g}\right)

    The factorials count the equivalent modes of a units in use (order and sign); the last sum is the price of each
    precision, log-uniform over R nats a priori.

    References
    ----------
    MacKay (1992), A practical Bayesian framework for backpropagation networks, Neural Computation 4, sections 3-4.
    """
    n = optimum.design.n
    used = 0 if optimum.design.frozen else units_used(optimum)
    gamma = np.maximum(optimum.gamma, 1e-9)
    price = np.maximum(0.0, log(RANGE) - 0.5 * np.log(4 * np.pi / gamma)).sum()
    return float(optimum.laplace + lgamma(n + 1) - lgamma(n - used + 1) + used * log(2) - price)


def units_used(optimum: Optimum) -> int:
    """Return the number of tanh units whose read-out the data determined."""
    names = optimum.prior.names
    return sum(1 for name, gamma in zip(names, optimum.gamma, strict=True) if name.startswith("W_hy") and gamma > 0.5)


def effective_by_block(optimum: Optimum) -> dict[str, float]:
    """Return the effective number of weights γ of the blocks B, A, W_hy, W_xh and W_hh that exist."""
    totals: dict[str, float] = {}
    for name, gamma in zip(optimum.prior.names, optimum.gamma, strict=True):
        block = name.split()[0]
        totals[block] = totals.get(block, 0.0) + float(gamma)
    return {"intercept": float((optimum.prior.group < 0).sum()), **totals}


def chosen_rung(best: Optimum, rungs: dict[str, float]) -> str:
    """Return the rung that the data call for, given the best optimum and the best log evidence of each rung.

    Tanh units where the data determine a read-out; else the memory of the linear RNN where its log evidence is ahead of
    the VAR's by more than 1, "positive" evidence in the words of Kass and Raftery (1995), JASA 90, 777.
    """
    if units_used(best):
        return "TanhRNN"
    if not rungs:
        cut = best.design.cuts(best.theta)
        return "LinearRNN" if cut.Lf.any() or cut.Lu.any() else "VAR"
    return "LinearRNN" if rungs.get("LinearRNN", -np.inf) > rungs.get("VAR", -np.inf) + POSITIVE else "VAR"


def forgets(optimum: Optimum, *, kick: float = 5.0, within: float = 0.5) -> bool:
    """Return whether the filter forgets: the trace of a kick to the feedback shrinks in every stretch of the data.

    Kicks of either sign fall about every 40 rows; over the last five rows before the next, forecasts may be moved by
    at most `within` of what they were moved before.
    """
    design = optimum.design.joined if isinstance(optimum.design, PooledDesign) else optimum.design
    if not (design.r or design.rl or design.ar):
        return True
    _, calm = design.run(optimum.theta)
    T = len(calm)
    edges = np.linspace(0, T, max(2, min(12, T // 40)) + 1).astype(int)
    for size in (kick, -kick):
        base = design.base.copy()
        base[edges[:-1]] += size
        _, U = replace(design, base=base, start=design.start + size).run(optimum.theta)
        moved = np.abs(U - calm).max(axis=1)
        if not np.isfinite(moved).all():
            return False
        for left, right in pairwise(edges):
            if moved[right - 5 : right].max() > within * moved[left:right].max() + 1e-9:
                return False
    return True


def paired_gain(below: Array, above: Array, sigma: Array) -> float:
    r"""Return how surely the upper fit predicts better: the t statistic of the paired leave-one-out losses.

    .. math:: d_t = e_t' \Sigma^{-1} e_t - \tilde e_t' \Sigma^{-1} \tilde e_t, \quad t = \bar d / (s_d / \sqrt T)

    The evidence trusts the Gaussian; this does not.  Where a few outliers carry the likelihood (y = exp x), the
    evidence for tanh units was 305 nats and their forecasts twice as bad, with t = −0.2 (anchors §1, process EXP).
    """
    precision = np.linalg.inv(sigma)
    loss = [np.einsum("ti,ij,tj->t", e, precision, e) for e in (below, above)]
    gain = loss[0] - loss[1]
    spread = gain.std()
    return float(gain.mean() / spread * np.sqrt(len(gain))) if spread > 0 else 0.0


def mixture_weights(log_evidences: Sequence[float], *, temperature: float = 1.0, least: float = 0.01
                    ) -> npt.NDArray[np.float64]:
    """Return posterior probabilities of structures of equal prior probability; those below `least` become 0.

    Examples
    --------
    >>> mixture_weights([-10.0, -10.0, -40.0]).tolist()
    [0.5, 0.5, 0.0]
    """
    logs = np.asarray(log_evidences, dtype=float)
    weights = np.exp((logs - logs.max()) / temperature)
    weights = np.where(weights / weights.sum() < least, 0.0, weights)
    return np.asarray(weights / weights.sum())

