"""Shrinking the linear RNN to the VAR by the evidence: MacKay's precisions around descents of `linear_fit`.

Called by `models.rung2_linear` and `linear_choice`.  Works in standardised units; returns data only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from varnn.estimate.linear import likelihood
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.maximum_likelihood import (
    FINE,
    Array,
    LinearEstimate,
    Mask,
    Optimum,
    Problem,
    finish,
    free_weights,
    information_of,
    maximise,
    var_below,
)
from varnn.estimate.linear.starts import VAR_START, starts
from varnn.estimate.numerics.quasi_newton import inverted

BLOCKS = ("memory, own series", "memory, other series", "hidden units")
LARGEST_PRECISION = 1e8
COARSE, DRAFT = 1e-5, 1e-3  # promised gain in nats at which a descent ends
RANGE = float(np.log(1e8))  # a precision is log-uniform over this many nats a priori; as for tanh units
STRONG = 3.0  # nats, 20 : 1; Kass and Raftery (1995), JASA 90, 773-795
ROUNDS, LARGE = 12, 300  # updates of the precisions; weights from which on they are rationed


def memory_blocks(sample: Sample, width: int) -> list[Mask]:
    """Which weights share a prior precision: A's diagonal, A's other entries, everything that touches hidden units."""
    k = sample.values.shape[1]
    shape = (width, sample.columns(width))
    own, other, hidden = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape, bool)
    own[:k, :k] = np.eye(k, dtype=bool)
    other[:k, :k] = ~np.eye(k, dtype=bool)
    hidden[k:] = True
    hidden[:k, k:width] = True
    return [own, other, hidden]


def fit_evidence(
    sample: Sample, width: int, *, exact: bool, intercept: bool = True, draft: bool = False,
    warm: LinearEstimate | None = None,
) -> LinearEstimate:
    """Maximum a posteriori fit, shrunk to the VAR with a strength that the evidence sets.

    A ~ N(0, 1/α) block by block, B free; α ← γ/|A|² with γ = n - α tr H⁻¹ until it settles.  With H the Gauss-Newton
    information, the log evidence over the VAR (A = 0, same B) is

        log L - log L_VAR - ½ α|A|² + ½ Σ n log α - ½ log|H| + ½ log|H_VAR|.

    Precisions settle on the conditional likelihood, from two starts, before the exact one takes over.  The memory is
    kept where its log-likelihood gain exceeds the γ weights it costs (Akaike's criterion with effective weights) and
    the evidence is not strongly (20 : 1) against it; otherwise the VAR itself, by least squares, is returned.

    Where the sample has a prior of the process, B is shrunk as in the shrunken VAR, which takes the VAR's place; the
    memory is kept where the evidence, of the rows given those before them and with the price of its precisions (as in
    `varnn.estimate.tanh.evidence.log_evidence`), is ahead of that VAR's.

    Parameters
    ----------
    sample, width, exact, intercept
        As for `fit_likelihood`.
    draft : bool              one start and coarse convergence, memory kept; for ranking candidates
    warm : LinearEstimate     a draft to begin from in place of the first start

    References
    ----------
    MacKay (1992), Neural Computation 4, 415-447, eqs. 2.27-2.32; Neural Computation 4, 448-472.
    """
    free = free_weights(sample, width, intercept=intercept)
    blocks = [block & free for block in memory_blocks(sample, width)]
    plain = var_below(sample, width, exact=False, intercept=intercept)
    problem = Problem(sample, free, False, np.zeros(free.shape))
    optima = list(plain.optima)
    ranked: list[LinearEstimate] = []
    begins = starts(sample, width, intercept=intercept)
    for name, weights in begins[:1] if draft or free.sum() > LARGE else begins:
        if ranked and name != VAR_START:
            continue
        first = None if ranked else warm
        settled = _settle(problem, blocks, weights, plain, name, first, DRAFT if draft else COARSE)
        if settled is not None:
            optima.extend(settled.optima)
            ranked.append(settled)
    best = max(ranked, key=lambda candidate: candidate.evidence) if ranked else None
    if draft or (best is None and not exact):
        return replace(best or plain, optima=tuple(optima))
    below, lead = plain, -np.inf if best is None else best.gain
    if exact:
        problem, below = replace(problem, exact=True), var_below(sample, width, exact=True, intercept=intercept)
        name, weights = (best.optima[0].start, best.weights) if best else begins[0]
        found = _settle(problem, blocks, weights, below, name, best, COARSE)
        if found is None and sample.pull is not None:  # the prior may lead to a random walk, which has no exact start
            problem, below, found = replace(problem, exact=False), plain, best
        best = found
    if best is not None:
        best = _settle(problem, blocks, best.weights, below, best.optima[0].start, best, FINE) or best
        optima.extend(best.optima)
    if best is None or not _pays(best, below, lead, by_evidence=sample.pull is not None):
        best = replace(plain, gain=min(best.gain, 0.0) if best else 0.0)
    elif sample.pull is not None:
        best = replace(best, evidence=plain.evidence + lead, gain=lead)
    return replace(best, optima=tuple(optima))


def _pays(best: LinearEstimate, below: LinearEstimate, lead: float, *, by_evidence: bool) -> bool:
    """Say whether the memory is kept; `lead` is its log evidence over the rung below given the presample."""
    if by_evidence:
        return lead > 0.0
    return below.value - best.value > sum(best.effective.values()) and best.gain >= -STRONG


def _settle(
    problem: Problem,
    blocks: list[Mask],
    weights: Array,
    below: LinearEstimate,
    name: str,
    warm: LinearEstimate | None,
    tolerance: float,
) -> LinearEstimate | None:
    """Alternate the fit at given precisions with updates of the precisions; to full accuracy they stay as they are.

    Where the fit runs into the edge of stability, Laplace's approximation has no meaning: the precisions are raised,
    stay at least so high, and the descent begins again nearer to the VAR.
    """
    free = problem.free
    live = [(label, block) for label, block in zip(BLOCKS, blocks, strict=True) if block.any()]
    members = [block[free] for _, block in live]
    alphas, sigma = np.full(len(live), 4.0), below.sigma
    if warm is not None:
        alphas, sigma, weights = np.array([warm.precision[label] for label, _ in live]), warm.sigma, warm.weights
    floor = np.full(len(live), 1e-4)
    steps, walls = 0, 0
    rounds = ROUNDS if free.sum() < LARGE else 4
    for last in [True] if tolerance == FINE else [False] * rounds + [True]:
        prior = _prior(free, [block for _, block in live], list(alphas))
        problem = replace(problem, prior=prior)
        result = maximise(problem, weights, sigma, tolerance=tolerance)
        if result.state is None:
            return None
        steps += result.steps
        if _at_wall(result.state.weights):
            walls += 1
            if walls == 4 or last:
                return None
            weights, sigma = 0.5 * (result.state.weights + below.weights), below.sigma
            floor = alphas = 8.0 * alphas
            continue
        weights, sigma = result.state.weights, result.state.sigma
        G = information_of(replace(problem, prior=np.zeros(free.shape)), result.state)
        if not np.isfinite(G).all():
            return None
        previous = alphas
        alphas, gammas = _update_precisions(G, weights[free], members, previous, floor)
        if last or float(np.abs(np.log(alphas / previous)).max()) < 1e-2:
            break
    state = result.state
    assert state is not None
    H = G + np.diag(prior[free])
    sizes = np.array([float(block.sum()) for _, block in live])
    gain = (
        below.value
        - state.value
        - 0.5 * float(np.sum(prior * state.weights**2))
        + 0.5 * float(sizes @ np.log(previous))
        - 0.5 * float(np.linalg.slogdet(H)[1])
        + 0.5 * float(np.linalg.slogdet(below.information)[1])
    )
    if problem.sample.pull is not None:  # the normalising constants of the prior of B given Σ
        weights_of_B = float(below.free[0].sum())
        gain -= 0.5 * weights_of_B * float(np.linalg.slogdet(state.sigma)[1] - np.linalg.slogdet(below.sigma)[1])
        gain -= sum(max(0.0, np.log(RANGE) - 0.5 * np.log(4 * np.pi / max(gamma, 1e-9))) for gamma in gammas)
    llf = -state.value - likelihood.constant(problem.rows, problem.sample.values.shape[1])
    outcome = replace(result, steps=steps)
    optimum = (Optimum(name, llf, outcome.stop, steps),)
    return finish(problem, outcome, list(previous), list(gammas), below.evidence + gain, gain, optimum, live)


def _at_wall(weights: Array) -> bool:
    return likelihood.spectral_radius(weights[:, : weights.shape[0]]) > 2.0 * likelihood.INVERTIBLE - 1.0


def _prior(free: Mask, blocks: list[Mask], alphas: list[float]) -> Array:
    """Prior precision of each weight."""
    prior = np.zeros(free.shape)
    for alpha, block in zip(alphas, blocks, strict=True):
        prior[block] = alpha
    return prior


def _update_precisions(G: Array, x: Array, blocks: list[Mask], alphas: Array, floor: Array) -> tuple[Array, Array]:
    """MacKay's α ← γ/|θ|² iterated on the quadratic model of the likelihood around the current fit x.

    With G its information, the optimum at other precisions is θ(α') = (G + α')⁻¹(G + α) x.  Returns the precisions
    (at most a factor 100 away, the reach of the quadratic model) and γ = n - α tr H⁻¹ at the given ones.
    """
    prior = np.zeros(x.size)
    for alpha, block in zip(alphas, blocks, strict=True):
        prior[block] = alpha
    target = G @ x + prior * x
    first: Array | None = None
    current = alphas.copy()
    for _ in range(max(3, min(100, 3000 // x.size))):
        for alpha, block in zip(current, blocks, strict=True):
            prior[block] = alpha
        inverse = inverted(G + np.diag(prior), 1e-12)
        theta, spread = inverse @ target, np.diag(inverse)
        gammas = np.array([max(b.sum() - a * spread[b].sum(), 1e-10) for a, b in zip(current, blocks, strict=True)])
        first = gammas if first is None else first
        sizes = np.array([max(float(theta[b] @ theta[b]), 1e-300) for b in blocks])
        updated = np.clip(gammas / sizes, np.maximum(alphas / 100, floor), np.minimum(alphas * 100, LARGEST_PRECISION))
        change = float(np.abs(np.log(updated / current)).max())
        current = updated
        if change < 1e-5:
            break
    assert first is not None
    return current, first
