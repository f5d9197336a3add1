"""Descent in a statistician's metric: BFGS started from, and refreshed with, the Gauss-Newton information.

Called by `linear_fit`; knows nothing about time series.  Outcomes are data: a point, its gradient, a `Stop`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from varnn.estimate.numerics.stop import Stop

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], "Point | None"]
Metric = Callable[["Point"], Array]


@dataclass(frozen=True)
class Point:
    """One evaluated point: where, value, gradient, and whatever the metric needs of the evaluation."""

    x: Array
    value: float
    gradient: Array
    detail: object


@dataclass(frozen=True)
class Descent:
    """Where a descent ended and why; `decrement` is the gain that one more Newton step promises."""

    point: Point
    stop: Stop
    steps: int
    evaluations: int
    decrement: float


def minimise(
    objective: Objective,
    start: Point,
    metric: Metric,
    *,
    steps: int = 200,
    tolerance: float = 1e-13,
    refresh: int = 10,
) -> Descent:
    """Minimise a negative log-likelihood (in nats) by quasi-Newton steps x ← x - s H g.

    H starts as the inverse of the Gauss-Newton information and takes BFGS updates; every `refresh` steps, and when
    a line search fails, the information is computed anew.  The iteration ends when ½ g'Hg, the gain promised by a
    full step, falls below `tolerance` nats (`gradient_small`), or when float64 shows no further descent.

    Parameters
    ----------
    objective : callable      x -> Point, or None where x is not allowed
    start : Point
    metric : callable         Point -> positive semi-definite information matrix

    Returns
    -------
    Descent

    References
    ----------
    Nocedal and Wright (2006), Numerical Optimization, eq. 6.17 and algorithm 6.1.
    """
    point, evaluations, fresh, walls = start, 0, True, 0
    H = inverted(metric(point), 1e-9)
    damping, age = 1e-9, 0
    for step in range(steps):
        direction = -H @ point.gradient
        slope = float(direction @ point.gradient)
        if -0.5 * slope <= tolerance:
            return Descent(point, Stop.gradient_small, step, evaluations, -0.5 * slope)
        found, tried, blocked = _search(objective, point, direction, slope, H)
        evaluations += tried
        walls = walls + 1 if blocked and found is not None and point.value - found.value < 1e-3 else 0
        if walls == 3:
            assert found is not None
            return Descent(found, Stop.at_boundary, step + 1, evaluations, -0.5 * slope)
        if found is None:
            if -0.5 * slope <= max(1e-7, 100 * _resolution(point.value)):
                return Descent(point, Stop.step_small, step, evaluations, -0.5 * slope)
            if fresh and damping > 1e3:
                return Descent(point, Stop.no_descent, step, evaluations, -0.5 * slope)
            damping = max(100 * damping, 1e-4) if fresh else damping
            H, fresh, age = inverted(metric(point), damping), True, 0
            continue
        moved, turned = found.x - point.x, found.gradient - point.gradient
        curvature = float(moved @ turned)
        point, fresh, age = found, False, age + 1
        if age >= refresh:
            damping = max(damping / 10, 1e-9)
            H, fresh, age = inverted(metric(point), damping), True, 0
        elif curvature > 1e-10 * float(np.sqrt((moved @ moved) * (turned @ turned))):
            bent = H @ turned
            H = H + np.outer(moved, moved) * ((curvature + turned @ bent) / curvature**2)
            cross = np.outer(bent, moved) / curvature
            H -= cross + cross.T
    return Descent(point, Stop.out_of_steps, steps, evaluations, float(0.5 * point.gradient @ H @ point.gradient))


def _search(
    objective: Objective, point: Point, direction: Array, slope: float, H: Array
) -> tuple[Point | None, int, bool]:
    """Backtrack along `direction` until Armijo's condition holds; shrink by the parabola through what is known.

    Where the promised gain is below what float64 resolves in the value, the gradient decides instead.  Also returns
    the evaluations used and whether a point outside the allowed region was met.
    """
    size, resolution, blocked = 1.0, _resolution(point.value), False
    for tried in range(1, 13):
        found = objective(point.x + size * direction)
        if found is None:
            size, blocked = 0.3 * size, True
            continue
        promised, gain = -slope * size, point.value - found.value
        if promised < 1e3 * resolution:
            flatter = float(found.gradient @ H @ found.gradient) < -0.5 * slope
            return (found if flatter and gain > -1e3 * resolution else None), tried, blocked
        if gain >= 1e-4 * promised:
            return found, tried, blocked
        size *= min(max(promised / (2.0 * (promised - gain)), 0.1), 0.5)
    return None, 12, blocked


def _resolution(value: float) -> float:
    """Return what float64 sums of T terms can tell apart at this value."""
    return 4e-16 * max(abs(value), 1.0)


def inverted(information: Array, damping: float) -> Array:
    """Return (I + damping · diag I)⁻¹ in the scale of its diagonal, so that units do not matter.

    Where rounding has made it indefinite, eigenvalues are kept at 1e-10 or above.
    """
    scale = np.sqrt(np.maximum(information.diagonal(), 1e-300))
    scaled = information / scale / scale[:, None]
    scaled.ravel()[:: len(scaled) + 1] += damping
    factor, failed = lapack.dpotrf(scaled.T, lower=1)
    if not failed and np.isfinite(factor[-1, -1]):
        half, _ = lapack.dtrtri(factor, lower=1, overwrite_c=1)
        found = half.T @ half
    else:
        spread, axes = np.linalg.eigh(scaled)
        root = axes / np.sqrt(np.maximum(spread, max(1e-10, damping)))
        found = root @ root.T
    return np.asarray(found / scale / scale[:, None])
