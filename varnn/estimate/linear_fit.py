"""Fitting the linear RNN: starts, maximum likelihood, and shrinkage to the VAR by the evidence.

Called by `models.rung2_linear` (and by rung 3 for its start).  Works in standardised units and returns data only;
never warns, never draws random numbers, never touches threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from varnn.estimate import likelihood
from varnn.estimate.likelihood import Sample
from varnn.estimate.linear_starts import HALFWAY, VAR_START, ordinary_least_squares, starts
from varnn.estimate.quasi_newton import Point, minimise
from varnn.estimate.stop import Stop

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
BLOCKS = ("memory, own series", "memory, other series", "hidden units")
LARGEST_PRECISION = 1e8
FINE, COARSE, DRAFT, ROUGH = 1e-13, 1e-5, 1e-3, 1e-1  # promised gain in nats at which a descent ends
STRONG = 3.0  # nats, 20 : 1; Kass and Raftery (1995), JASA 90, 773-795
ROUNDS = 12  # updates of the precisions


@dataclass(frozen=True)
class Optimum:
    """One end point of a descent: where it began, what it reached and why it stopped."""

    start: str
    llf: float
    stop: Stop
    steps: int


@dataclass(frozen=True)
class LinearEstimate:
    """A fitted linear recursion in standardised units.

    weights : array (n, m)          [A | B_1 … B_p | c | D]
    sigma : array (k, k)            innovation covariance at the optimum
    value : float                   negative log-likelihood without its constant
    rows : int                      observations that count in it
    exact : bool                    stationary start, or conditional on the presample
    information : array (f, f)      Gauss-Newton information of the free weights, prior included
    free : array (n, m) bool        which weights were estimated
    precision, effective : dict     α and γ = n - α tr H⁻¹ per block
    evidence : float                log evidence; differences between lags, widths and rungs are log Bayes factors
    gain : float                    log evidence over the VAR with the same lags
    """

    weights: Array
    sigma: Array
    value: float
    rows: int
    exact: bool
    information: Array
    free: Mask
    stop: Stop
    steps: int
    precision: dict[str, float]
    effective: dict[str, float]
    evidence: float
    gain: float
    optima: tuple[Optimum, ...]


@dataclass(frozen=True)
class _Problem:
    """What one descent needs: the sample, which weights move, which likelihood, the prior precision of each weight."""

    sample: Sample
    free: Mask
    exact: bool
    prior: Array

    @property
    def rows(self) -> int:
        T = int(self.sample.values.shape[0])
        return T if self.exact else T - self.sample.start


@dataclass(frozen=True)
class _State:
    """The detail kept with each point: full weights, covariance, states, plain likelihood value."""

    weights: Array
    sigma: Array
    states: Array
    value: float


def maximise(problem: _Problem, weights: Array, sigma: Array | None = None, *, tolerance: float = FINE) -> _Result:
    """Maximise likelihood times prior from one start; Σ is free (exact) or concentrated out (conditional).

    The exact likelihood moves Σ = L M M'L' through the entries of a lower-triangular M, exponential on its diagonal,
    so that its information is T off and 2T on the diagonal whatever the units.
    """
    sample, free = problem.sample, problem.free
    k = sample.values.shape[1]
    lower = np.tril_indices(k)
    diagonal = lower[0] == lower[1]
    if sigma is None:
        started = likelihood.conditional(sample, weights, gradient=False)
        if started is None:
            return _Result(None, Stop.diverged, 0)
        sigma = started.sigma
    L = np.linalg.cholesky(sigma)
    count = int(free.sum())
    prior = problem.prior[free]

    def evaluate(x: Array) -> Point | None:
        C = weights.copy()
        C[free] = x[:count]
        penalty = 0.5 * float(prior @ x[:count] ** 2)
        if not problem.exact:
            found = likelihood.conditional(sample, C)
            if found is None:
                return None
            gradient = found.weights[free] + prior * x[:count]
            state = _State(C, found.sigma, found.states, found.value)
            return Point(x, found.value + penalty, gradient, state)
        M = np.zeros((k, k))
        M[lower] = np.where(diagonal, np.exp(np.minimum(x[count:], 30.0)), x[count:])
        root = L @ M
        found = likelihood.exact(sample, C, root @ root.T)
        if found is None:
            return None
        dM = (2.0 * L.T @ found.sigma @ root)[lower]
        dM = np.where(diagonal, dM * M[lower], dM)
        state = _State(C, root @ root.T, found.states, found.value)
        gradient = np.concatenate([found.weights[free] + prior * x[:count], dM])
        return Point(x, found.value + penalty, gradient, state)

    def metric(point: Point) -> Array:
        state = point.detail
        assert isinstance(state, _State)
        core = _information(problem, state)
        if not problem.exact:
            return core
        full = np.zeros((core.shape[0] + lower[0].size,) * 2)
        full[: core.shape[0], : core.shape[0]] = core
        tail = np.arange(core.shape[0], full.shape[0])
        full[tail, tail] = np.where(diagonal, 2.0, 1.0) * problem.rows
        return full

    x = np.concatenate([weights[free], np.zeros(lower[0].size if problem.exact else 0)])
    start = evaluate(x)
    if start is None:
        return _Result(None, Stop.diverged, 0)
    descent = minimise(evaluate, start, metric, tolerance=tolerance)
    state = descent.point.detail
    assert isinstance(state, _State)
    return _Result(state, descent.stop, descent.steps)


@dataclass(frozen=True)
class _Result:
    """Outcome of one descent; `state` is None where not even the start could be evaluated."""

    state: _State | None
    stop: Stop
    steps: int


def _information(problem: _Problem, state: _State) -> Array:
    """Information of the free weights, Gauss-Newton plus prior."""
    inside = problem.free.ravel()
    full = likelihood.information(problem.sample, state.weights, state.sigma, state.states)
    core: Array = full[np.ix_(inside, inside)]
    core[np.diag_indices_from(core)] += problem.prior.ravel()[inside]
    return core


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


def free_weights(sample: Sample, width: int, *, intercept: bool) -> Mask:
    """All weights, but the constant only where the trend has one."""
    free = np.ones((width, sample.columns(width)), bool)
    free[:, width + sample.lags * sample.values.shape[1]] = intercept
    return free


def fit_likelihood(sample: Sample, width: int, *, exact: bool, intercept: bool = True) -> LinearEstimate:
    """Plain maximum likelihood, the best of several starts.

    A start that lies inside the confidence region of an optimum already found, or is led there by the conditional
    likelihood, is not run again; where all others agree, halfway between two starts is not tried.

    Parameters
    ----------
    sample : Sample
    width : int               n ≥ k
    exact : bool              exact or conditional likelihood
    intercept : bool

    Returns
    -------
    LinearEstimate            with `optima`, one for each start that was run
    """
    free = free_weights(sample, width, intercept=intercept)
    problem = _Problem(sample, free, exact, np.zeros(free.shape))
    best: _Result | None = None
    optima: list[Optimum] = []
    found: list[tuple[Array, Array]] = []
    for name, weights in starts(sample, width, intercept=intercept):
        if any(_close(weights[free], x, H) for x, H in found) or (name == HALFWAY and len(found) == 1):
            continue
        if found:
            rough = maximise(replace(problem, exact=False), weights, tolerance=ROUGH).state
            if rough is None or any(_close(rough.weights[free], x, H, 0.2) for x, H in found):
                continue
            weights = rough.weights
        result = maximise(problem, weights)
        if result.state is None:
            continue
        llf = -result.state.value - likelihood.constant(problem.rows, sample.values.shape[1])
        optima.append(Optimum(name, llf, result.stop, result.steps))
        found.append((result.state.weights[free], _information(problem, result.state)))
        if best is None or best.state is None or result.state.value < best.state.value:
            best = result
    assert best is not None, "the VAR start is always stable"
    return _finish(problem, best, [], [], float("nan"), float("nan"), tuple(optima))


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
    problem = _Problem(sample, free, False, np.zeros(free.shape))
    optima, ranked = list(plain.optima), []
    begins = starts(sample, width, intercept=intercept)
    for name, weights in begins[:1] if draft else begins:
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
    below = plain
    if exact:
        problem, below = replace(problem, exact=True), var_below(sample, width, exact=True, intercept=intercept)
        name, weights = (best.optima[0].start, best.weights) if best else begins[0]
        best = _settle(problem, blocks, weights, below, name, best, COARSE)
    if best is not None:
        best = _settle(problem, blocks, best.weights, below, best.optima[0].start, best, FINE) or best
        optima.extend(best.optima)
    if best is None or below.value - best.value <= sum(best.effective.values()) or best.gain < -STRONG:
        best = replace(plain, gain=min(best.gain, 0.0) if best else 0.0)
    return replace(best, optima=tuple(optima))


def var_below(sample: Sample, width: int, *, exact: bool, intercept: bool = True) -> LinearEstimate:
    """Fit the same likelihood with A held at zero: the rung below, its evidence by Schwarz's approximation."""
    free = free_weights(sample, width, intercept=intercept)
    k = sample.values.shape[1]
    free[:, :width] = False
    free[k:] = False
    problem = _Problem(sample, free, exact, np.zeros(free.shape))
    weights = ordinary_least_squares(sample, width, intercept=intercept)
    result = maximise(problem, weights)
    if result.state is None or not exact:
        problem = replace(problem, exact=False)
        found = likelihood.conditional(sample, weights, gradient=False)
        assert found is not None
        result = _Result(_State(weights, found.sigma, found.states, found.value), Stop.closed_form, 0)
    assert result.state is not None, "a recursion without memory is stable"
    evidence = -result.state.value - 0.5 * float(free.sum()) * np.log(problem.rows)
    llf = -result.state.value - likelihood.constant(problem.rows, k)
    optimum = Optimum("VAR, memory held at zero", llf, result.stop, result.steps)
    return _finish(problem, result, [], [], evidence, 0.0, (optimum,))


def _settle(
    problem: _Problem,
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
    for last in [True] if tolerance == FINE else [False] * ROUNDS + [True]:
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
        G = _information(replace(problem, prior=np.zeros(free.shape)), result.state)
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
    llf = -state.value - likelihood.constant(problem.rows, problem.sample.values.shape[1])
    outcome = replace(result, steps=steps)
    optimum = (Optimum(name, llf, outcome.stop, steps),)
    return _finish(problem, outcome, list(previous), list(gammas), below.evidence + gain, gain, optimum, live)


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
    for _ in range(200):
        for alpha, block in zip(current, blocks, strict=True):
            prior[block] = alpha
        inverse = np.linalg.inv(G + np.diag(prior))
        theta, spread = inverse @ target, np.diag(inverse)
        gammas = np.array([max(b.sum() - a * spread[b].sum(), 1e-10) for a, b in zip(current, blocks, strict=True)])
        first = gammas if first is None else first
        sizes = np.array([max(float(theta[b] @ theta[b]), 1e-300) for b in blocks])
        updated = np.clip(gammas / sizes, np.maximum(alphas / 100, floor), np.minimum(alphas * 100, LARGEST_PRECISION))
        change = float(np.abs(np.log(updated / current)).max())
        current = updated
        if change < 1e-7:
            break
    assert first is not None
    return current, first


def _finish(
    problem: _Problem,
    result: _Result,
    alphas: list[float],
    gammas: list[float],
    evidence: float,
    gain: float,
    optima: tuple[Optimum, ...],
    live: list[tuple[str, Mask]] | None = None,
) -> LinearEstimate:
    state = result.state
    assert state is not None
    labels = [label for label, _ in live or []]
    return LinearEstimate(
        weights=state.weights,
        sigma=state.sigma,
        value=state.value,
        rows=problem.rows,
        exact=problem.exact,
        information=_information(problem, state),
        free=problem.free,
        stop=result.stop,
        steps=result.steps,
        precision=dict(zip(labels, alphas, strict=True)),
        effective=dict(zip(labels, gammas, strict=True)),
        evidence=evidence,
        gain=gain,
        optima=optima,
    )


def _close(x: Array, optimum: Array, information: Array, reach: float = 2.0) -> bool:
    """Say whether x lies in the optimum's own confidence region, (x - x*)'H(x - x*) ≤ reach · number of weights."""
    away = x - optimum
    return float(away @ information @ away) <= reach * x.size
