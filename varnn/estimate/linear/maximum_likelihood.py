"""Fitting the linear RNN by maximum likelihood: descents from several starts, and the VAR below.

Called by `linear_evidence` and `models.rung2_linear`.  Works in standardised units and returns data only;
never warns, never draws random numbers, never touches threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from varnn.estimate.linear import likelihood
from varnn.estimate.linear.likelihood import Sample
from varnn.estimate.linear.starts import HALFWAY, ordinary_least_squares, starts
from varnn.estimate.numerics.quasi_newton import Point, inverted, minimise
from varnn.estimate.numerics.stop import Stop

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST_TOLD = 1000  # weights of a shrunken VAR up to which their joint information is written out
FINE, ROUGH = 1e-13, 1e-1  # promised gain in nats at which a descent ends


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
    information : array (f, f)      Gauss-Newton information of the free weights, prior included; its inverse is kept;
                                    empty for a shrunken VAR too large for it, whose posterior is known otherwise
    free : array (n, m) bool        which weights were estimated
    precision, effective : dict     α and γ = n - α tr H⁻¹ per block
    evidence : float                log evidence; differences between lags, widths and rungs are log Bayes factors
    gain : float                    log evidence over the VAR with the same lags
    dof : float                     degrees of freedom that the prior of Σ adds to the rows; 0 where there is none
    determined : float              number of weights of B that the data determined beside that prior
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
    dof: float = 0.0
    determined: float = float("nan")

    @cached_property
    def inverse_information(self) -> Array:
        """Inverse of `information`, found once for all forecasts; 0 for weights of which the sample says nothing."""
        told = np.flatnonzero(self.information.diagonal() > 0.0)
        inverse = np.zeros_like(self.information)
        inverse[np.ix_(told, told)] = inverted(self.information[np.ix_(told, told)], 0.0)
        return inverse


@dataclass(frozen=True)
class Problem:
    """What one descent needs: the sample, which weights move, which likelihood, the prior precision of each weight."""

    sample: Sample
    free: Mask
    exact: bool
    prior: Array

    @property
    def rows(self) -> int:
        """Observations that count."""
        return len(self.sample.values) if self.exact else self.sample.conditional_rows


@dataclass(frozen=True)
class State:
    """The detail kept with each point: full weights, covariance, states, plain likelihood value."""

    weights: Array
    sigma: Array
    states: Array
    value: float


def maximise(problem: Problem, weights: Array, sigma: Array | None = None, *, tolerance: float = FINE) -> Result:
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
            return Result(None, Stop.diverged, 0)
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
            state = State(C, found.sigma, found.states, found.value)
            return Point(x, found.value + penalty, gradient, state)
        M = np.zeros((k, k))
        M[lower] = np.where(diagonal, np.exp(np.minimum(x[count:], 30.0)), x[count:])
        root = L @ M
        found = likelihood.exact(sample, C, root @ root.T)
        if found is None:
            return None
        dM = (2.0 * L.T @ found.sigma @ root)[lower]
        dM = np.where(diagonal, dM * M[lower], dM)
        state = State(C, root @ root.T, found.states, found.value)
        gradient = np.concatenate([found.weights[free] + prior * x[:count], dM])
        return Point(x, found.value + penalty, gradient, state)

    def metric(point: Point) -> Array:
        state = point.detail
        assert isinstance(state, State)
        core = information_of(problem, state)
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
        return Result(None, Stop.diverged, 0)
    descent = minimise(evaluate, start, metric, tolerance=tolerance)
    state = descent.point.detail
    assert isinstance(state, State)
    return Result(state, descent.stop, descent.steps)


@dataclass(frozen=True)
class Result:
    """Outcome of one descent; `state` is None where not even the start could be evaluated."""

    state: State | None
    stop: Stop
    steps: int


def information_of(problem: Problem, state: State) -> Array:
    """Information of the free weights, Gauss-Newton plus prior."""
    inside = problem.free.ravel()
    full = likelihood.information(problem.sample, state.weights, state.sigma, state.states)
    core: Array = full[np.ix_(inside, inside)]
    core[np.diag_indices_from(core)] += problem.prior.ravel()[inside]
    return core


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
    problem = Problem(sample, free, exact, np.zeros(free.shape))
    best: Result | None = None
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
        found.append((result.state.weights[free], information_of(problem, result.state)))
        if best is None or best.state is None or result.state.value < best.state.value:
            best = result
    if best is None:
        raise np.linalg.LinAlgError("the innovation covariance is singular")
    return finish(problem, best, [], [], float("nan"), float("nan"), tuple(optima))


def var_below(sample: Sample, width: int, *, exact: bool, intercept: bool = True) -> LinearEstimate:
    """Fit the same likelihood with A held at zero: the rung below, its evidence by Schwarz's approximation.

    With a prior of the process it is the shrunken VAR, and its evidence that one's marginal likelihood.
    """
    free = free_weights(sample, width, intercept=intercept)
    k = sample.values.shape[1]
    free[:, :width] = False
    free[k:] = False
    problem = Problem(sample, free, exact, np.zeros(free.shape))
    weights = ordinary_least_squares(sample, width, intercept=intercept)
    result = maximise(problem, weights) if exact else Result(None, Stop.closed_form, 0)
    if result.state is None:
        problem = replace(problem, exact=False)
        found = likelihood.conditional(sample, weights, gradient=False)
        if found is None:
            raise np.linalg.LinAlgError("the innovation covariance is singular")
        result = Result(State(weights, found.sigma, found.states, found.value), Stop.closed_form, 0)
    assert result.state is not None
    evidence = -result.state.value - 0.5 * float(free.sum()) * np.log(problem.rows)
    if sample.pull is not None:
        evidence = sample.pull.evidence
    llf = -result.state.value - likelihood.constant(problem.rows, k)
    optimum = Optimum("VAR, memory held at zero", llf, result.stop, result.steps)
    return finish(problem, result, [], [], evidence, 0.0, (optimum,))


def finish(
    problem: Problem,
    result: Result,
    alphas: list[float],
    gammas: list[float],
    evidence: float,
    gain: float,
    optima: tuple[Optimum, ...],
    live: list[tuple[str, Mask]] | None = None,
) -> LinearEstimate:
    """Collect what a descent found, in the form that fits share."""
    state = result.state
    assert state is not None
    labels, pull = [label for label, _ in live or []], problem.sample.pull
    large = pull is not None and int(problem.free.sum()) > MOST_TOLD
    estimate = LinearEstimate(
        weights=state.weights,
        sigma=state.sigma,
        value=state.value,
        rows=problem.rows,
        exact=problem.exact,
        information=np.zeros((0, 0)) if large else information_of(problem, state),
        free=problem.free,
        stop=result.stop,
        steps=result.steps,
        precision=dict(zip(labels, alphas, strict=True)),
        effective=dict(zip(labels, gammas, strict=True)),
        evidence=evidence,
        gain=gain,
        optima=optima,
    )
    if pull is None or large:
        return estimate if pull is None else replace(estimate, dof=pull.dof)
    told = np.zeros((len(state.weights),) * 2)
    told[: len(pull.scatter), : len(pull.scatter)] = np.linalg.inv(state.sigma)
    inside, width = problem.free.ravel(), len(state.weights)
    B = np.tile(np.arange(problem.free.shape[1]) >= width, width)
    prior = np.kron(told, pull.rows.T @ pull.rows)[np.ix_(inside, inside)]
    held = np.einsum("ij,ji->i", prior, estimate.inverse_information)
    return replace(estimate, dof=pull.dof, determined=float((1.0 - held)[B[inside]].sum()))


def _close(x: Array, optimum: Array, information: Array, reach: float = 2.0) -> bool:
    """Say whether x lies in the optimum's own confidence region, (x - x*)'H(x - x*) ≤ reach · number of weights."""
    away = x - optimum
    return float(away @ information @ away) <= reach * x.size
