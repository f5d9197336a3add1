"""Gauss-Newton with evidence-set shrinkage for any torch cell beside a linear part.

Called by `models.rung4_gated` with a `Gated` to fit and the linear part of the rung below to start from. Standard
units throughout; outcomes are data (`GatedEstimate.stop`), nothing is printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from varnn.errors import ConvergenceError, ResourceLimitError
from varnn.estimate.gated.recursion import Gated
from varnn.estimate.numerics.stop import Stop
from varnn.recursion.cells import Shapes, count
from varnn.series import FloatArray, checked_memory

if TYPE_CHECKING:
    from torch import Tensor

FLAT = 1e-9              # prior precision of the linear part, in standard units: none to speak of
WEAKEST, STRONGEST = 1e-4, 1e6  # prior precisions the evidence may choose
SMALL_GAIN = 1e-4        # nats of evidence below which another step is not worth taking
WORTH = 0.05             # nats of evidence that count as progress
PATIENCE = 6             # steps without progress before a search ends
MOST_WEIGHTS, MOST_HELD = 4000, 400_000_000  # a Cholesky factor of 2 s; 3 GiB of derivatives
HELD = 1                 # steps before the precisions move


@dataclass(frozen=True, eq=False)
class GatedEstimate:
    """Where the search ended.

    Attributes
    ----------
    theta : array (P,)
        Weights (L, W, cell) in standard units.
    sigma : array (k, k)
        Residual covariance E'E/(T − γ/k).
    precision : array (f, f)
        Posterior precision J'Σ⁻¹J + diag(α) of the free weights, the first f of θ.
    alphas, effective : dict of str to float
        Prior precision and effective number of parameters γ of each block.
    evidence, gain : float
        Log evidence, and how much of it is above that of the linear part alone.
    stop : Stop
    steps : int
    start : int
        Which random start won.
    """

    theta: FloatArray
    sigma: FloatArray
    precision: FloatArray
    alphas: dict[str, float]
    effective: dict[str, float]
    evidence: float
    gain: float
    stop: Stop
    steps: int
    start: int


Array = npt.NDArray[np.float64]
BLOCKS = {"readout": "readout", "weight_hh": "recurrent", "weight_ih": "input", "bias_ih": "bias", "bias_hh": "bias"}


@dataclass(frozen=True, eq=False)
class _Point:
    """One evaluated θ with what the evidence needs of it."""

    theta: Array
    states: tuple[Tensor, ...]
    errors: Array


def starting_weights(gated: Gated, coefficients: Array, rng: np.random.Generator) -> Array:
    """Return θ that forecasts as the linear part `coefficients` (k, d) does: random cell, read-out zero.

    Input weights of 2 and biases of 1 put the bends of the units among the data (threshold AR: 5 of 6 starts find the
    threshold, against 4 of 6 with 1 and 0.3).
    """
    n, parts = gated.width, [coefficients.ravel(), np.zeros(gated.target.shape[1] * gated.width)]
    for name, shape in gated.cell.shapes(gated.inputs.shape[1], n).items():
        scale = {"weight_ih": 2.0, "weight_hh": 1.0 / np.sqrt(n), "bias_ih": 1.0}.get(name, 0.3)
        parts.append(scale * rng.standard_normal(int(np.prod(shape))))
    return np.concatenate(parts)


def with_readout(gated: Gated, theta: Array) -> Array:
    """Return θ with L and W of the ridge regression on the random cell's states; the cell stays.

    With W at zero the cell has no say in the forecasts, and the first step would only shrink it to nothing: of three
    starts on y = tanh(2z) + .1e one ended at zero so.
    """
    k, d, n = gated.target.shape[1], gated.linear.shape[1], gated.width
    design = np.hstack([gated.linear, gated.states(theta)[0][:, 0].cpu().numpy()])
    linear = theta[:k * d].reshape(k, d)
    scale = np.mean((gated.target - gated.linear @ linear.T) ** 2, axis=0) + 1e-13
    theta = theta.copy()
    for i in range(k):
        ridge = np.concatenate([np.full(d, FLAT), np.ones(n)]) * scale[i]
        factor = _cholesky(design.T @ design + np.diag(ridge))
        weights = lapack.dpotrs(factor, design.T @ gated.target[:, i], lower=1)[0]
        theta[i * d:(i + 1) * d] = weights[:d]
        theta[k * d + i * n:k * d + (i + 1) * n] = weights[d:]
    return theta


def fit(gated: Gated, coefficients: Array, starts: int, steps: int, rng: np.random.Generator) -> GatedEstimate:
    """Return the best of several searches by log evidence; the linear part alone where none is above it.

    Parameters
    ----------
    gated : Gated
    coefficients : array (k, d)
        The linear part of the rung below, in standard units: every search starts there.
    starts, steps : int
        Random starts, and Gauss-Newton steps allowed for each.
    rng : numpy Generator

    Returns
    -------
    GatedEstimate

    Raises
    ------
    ConvergenceError
        If no start has a finite objective.
    ResourceLimitError
        If the exact Jacobian would not fit into memory.

    References
    ----------
    MacKay (1992), Neural Computation 4(3), 415-472, eq. 2.21-2.24; Foresee & Hagan (1997), ICNN.
    """
    _refuse_large(gated)
    checked_memory(f"starts={starts}", starts * (200.0 + 10.0 * count(gated.shapes)), "use fewer starts")
    thetas = [starting_weights(gated, coefficients, child) for child in rng.spawn(starts)]
    ends = [shrunk(gated, with_readout(gated, theta), steps) for theta in thetas]
    found = [replace(end, start=number, evidence=end.evidence + _log_modes(end, gated))
             for number, end in enumerate(ends) if end is not None]
    below = linear_alone(gated, thetas[0])
    if not found:
        raise ConvergenceError("the gated units gave no finite objective from any start; the series may be far from "
                               "stationary: difference it, or use fewer lags")
    best = max(found, key=lambda one: one.evidence)
    if best.evidence <= below.evidence:
        return replace(below, stop=best.stop, steps=best.steps, start=best.start)
    return replace(best, gain=best.evidence - below.evidence)


def _refuse_large(gated: Gated) -> None:
    """Raise ResourceLimitError where the exact Jacobian is out of reach."""
    weights, (T, k) = count(gated.shapes), gated.target.shape
    held = T * weights * (k + 2 * gated.width * gated.cell.carried)
    if weights > MOST_WEIGHTS or held > MOST_HELD:
        raise ResourceLimitError(f"width={gated.width} on {k} series and {gated.inputs.shape[1]} inputs has {weights} "
                                 f"weights; over {T} rows their exact derivatives are {held:.2g} numbers, where up to "
                                 f"{MOST_WEIGHTS} weights and {MOST_HELD:.0e} numbers are allowed; use a smaller width "
                                 "or fewer lags")


def _log_modes(estimate: GatedEstimate, gated: Gated) -> float:
    """Log of the number 2^m n!/(n − m)! of equal modes: units may swap places and signs; MacKay (1992), §2.4.

    m is the number of units that the data determined, γ of the read-out over k, as unused units have one mode.
    """
    used = round(estimate.effective["readout"] / gated.target.shape[1])
    return float(used * np.log(2.0) + sum(np.log(gated.width - unit) for unit in range(min(used, gated.width))))


def linear_alone(gated: Gated, theta: Array) -> GatedEstimate:
    """Return θ with its read-out at zero as an estimate: the rung below, and what it is worth in evidence.

    The linear part must hold least-squares coefficients already; it stays as it is.
    """
    free = gated.linear.shape[1] * gated.target.shape[1]
    theta = theta.copy()
    theta[free:free + gated.target.shape[1] * gated.width] = 0.0
    below = shrunk(gated, theta, steps=0, free=free)
    if below is None:
        raise ConvergenceError("the linear part has no finite forecasts in standard units; rescale the series")
    return replace(below, stop=Stop.closed_form)


def shrunk(gated: Gated, theta: Array, steps: int, *, free: int | None = None) -> GatedEstimate | None:
    """Minimise ½ Σ e'Σ⁻¹e + ½ Σ α θ² by damped Gauss-Newton steps, α and Σ moving with the evidence.

        α_b = γ_b / ‖θ_b‖²,   γ_b = n_b − α_b tr (H⁻¹)_bb,   Σ = E'E / (T − γ/k)

    Parameters
    ----------
    gated : Gated
    theta : array (P,)
        Where to start.
    steps : int
    free : int, optional
        Only the first `free` weights move; all when left out.

    Returns
    -------
    GatedEstimate or None
        None where the start itself has no finite forecasts.
    """
    f = len(theta) if free is None else free
    names, block = _blocks(gated.shapes, f)
    alphas = np.array([FLAT, *np.ones(len(names) - 1)])
    point, weights = _evaluate(gated, theta), _measure(gated, f)
    if point is None:
        return None
    effective = float(gated.linear.shape[1] * gated.target.shape[1])
    sigma = _covariance(point.errors, effective)
    damping, before, stop, step, best, best_at = 1e-2, -np.inf, Stop.out_of_steps, 0, None, 0
    for step in range(steps + 1):
        G, g, root = weights(point, sigma)
        evidence, gamma, norms = _evidence(G, point, sigma, root, alphas, block, f)
        settled = step > HELD or len(names) == 1
        if settled and (best is None or evidence > best.evidence + SMALL_GAIN):
            best_at = step if best is None or evidence > best.evidence + WORTH else best_at
            best = GatedEstimate(point.theta, sigma, G + np.diag(alphas[block]),
                                 dict(zip(names, alphas.tolist(), strict=True)),
                                 dict(zip(names, gamma.tolist(), strict=True)), evidence, 0.0, stop, step, 0)
        if settled and (abs(evidence - before) < SMALL_GAIN or step - best_at >= PATIENCE):
            stop = Stop.gradient_small if abs(evidence - before) < SMALL_GAIN else Stop.step_small
            break
        if step == steps:
            break
        before = evidence
        if step >= HELD:
            alphas = np.clip((gamma + 1e-3) / (norms + 1e-5), WEAKEST, STRONGEST)
            alphas[0] = FLAT
        moved, damping = _damped_step(gated, point, G, g, alphas[block], root, damping, f)
        if moved is None and settled:
            stop = Stop.step_small
            break
        point = point if moved is None else moved
        sigma = _covariance(point.errors, float(gamma.sum()))
    return None if best is None else replace(best, stop=stop, steps=step)


def _blocks(shapes: Shapes, free: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return block names, "linear" first, and the block of each free weight."""
    labels = np.concatenate([np.full(int(np.prod(shape)), BLOCKS.get(name, name)) for name, shape in shapes.items()])
    names = list(dict.fromkeys(labels[:free].tolist()))
    return names, np.array([names.index(label) for label in labels[:free].tolist()])


def _evaluate(gated: Gated, theta: Array) -> _Point | None:
    states = gated.states(theta)
    errors = gated.target - gated.forecasts(theta, states)
    return _Point(theta, states, errors) if np.isfinite(errors).all() else None


def _measure(gated: Gated, free: int) -> Callable[[_Point, Array], tuple[Array, Array, Array]]:
    """Return a function from a point and Σ to J'Σ⁻¹J, J'Σ⁻¹e and the root R of Σ⁻¹ = R'R."""

    def measure(point: _Point, sigma: Array) -> tuple[Array, Array, Array]:
        T, k = gated.target.shape
        root = np.linalg.inv(np.linalg.cholesky(sigma))
        if free == k * gated.linear.shape[1]:
            inverse, products = root.T @ root, gated.linear.T @ gated.linear
            return np.kron(inverse, products), (inverse @ (point.errors.T @ gated.linear)).ravel(), root
        J = gated.jacobian(point.theta, point.states)[:, :, :free]
        J = np.matmul(root, J).reshape(T * k, free)
        return J.T @ J, J.T @ (point.errors @ root.T).ravel(), root

    return measure


def _evidence(G: Array, point: _Point, sigma: Array, root: Array, alphas: Array, block: npt.NDArray[np.int64],
              free: int) -> tuple[float, Array, Array]:
    """Return the Laplace log evidence, γ of each block and ‖θ‖² of each block; MacKay (1992), eq. 2.20-2.22."""
    T, k = point.errors.shape
    a, moved = alphas[block], point.theta[:free]
    factor = _cholesky(G + np.diag(a))
    inverse = np.asarray(lapack.dpotri(factor, lower=1)[0])
    traces = np.bincount(block, np.diag(inverse), len(alphas))
    norms = np.asarray(np.bincount(block, moved**2, len(alphas)), dtype=np.float64)
    gamma = np.clip(np.bincount(block, minlength=len(alphas)) - alphas * traces, 0.0, None)
    gamma[0] = np.count_nonzero(block == 0)
    misfit = float(((point.errors @ root.T) ** 2).sum())
    penalty = float((a * moved**2)[block > 0].sum())
    evidence = (-0.5 * misfit + T * float(np.log(np.diag(root)).sum()) - 0.5 * T * k * float(np.log(2 * np.pi))
                - 0.5 * penalty + 0.5 * float(np.log(a).sum()) - float(np.log(np.diag(factor)).sum()))
    return evidence, gamma, norms


def _damped_step(gated: Gated, point: _Point, G: Array, g: Array, a: Array, root: Array, damping: float,
                 free: int) -> tuple[_Point | None, float]:
    """Return the first point of (H + λ diag H) δ = g that lowers the objective, raising λ until one does."""
    H, theta = G + np.diag(a), point.theta
    pull = a * theta[:free]
    pull[a == FLAT] = 0.0
    now = _objective(point, root, a, free)
    for _ in range(12):
        factor = _cholesky(H + damping * np.diag(np.diag(H)))
        trial = theta.copy()
        trial[:free] += lapack.dpotrs(factor, g - pull, lower=1)[0]
        moved = _evaluate(gated, trial)
        if moved is not None and _objective(moved, root, a, free) <= now:
            return moved, max(damping / 4, 1e-9)
        damping *= 5
    return None, 1e-2


def _objective(point: _Point, root: Array, a: Array, free: int) -> float:
    shrinking = np.where(a == FLAT, 0.0, a)
    return 0.5 * float(((point.errors @ root.T) ** 2).sum() + (shrinking * point.theta[:free] ** 2).sum())


def _covariance(errors: Array, effective: float) -> Array:
    """E'E/(T − γ/k), kept positive definite where a series is fitted exactly."""
    T, k = errors.shape
    sigma = errors.T @ errors / max(T - effective / k, 0.1 * T)
    return np.asarray(sigma + 1e-13 * np.eye(k))


def _cholesky(matrix: Array) -> Array:
    """Lower factor; the diagonal is raised by parts in 1e10 of its mean where rounding made it indefinite."""
    lift = 0.0
    for _ in range(8):
        factor, failed = lapack.dpotrf(matrix + lift * np.eye(len(matrix)), lower=1)
        if not failed:
            return np.asarray(factor)
        lift = max(10 * lift, 1e-10 * float(np.trace(matrix)) / len(matrix))
    raise ConvergenceError("the information matrix of the gated units is not positive definite; rescale the series")

