"""Does a recursion forget where it started, or is it chaotic? Lyapunov exponents of maps and linear recursions.

Called by the report for nonlinear rungs and by the tests of simulators; takes plain functions, never a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from varnn.display import Shown
from varnn.errors import ConvergenceError, ParameterError, ShapeError
from varnn.series import whole_number

FloatArray = NDArray[np.float64]
Step = Callable[[FloatArray], FloatArray]
BATCHES = 10


@dataclass(frozen=True, eq=False)
class LyapunovSpectrum(Shown):
    """Mean log growth rates of small differences, largest first.

    Attributes
    ----------
    exponents : array (c,)
        For each unit of time; above zero the map is chaotic, below zero it forgets its start.
    errors : array (c,)
        Standard errors from ten batches of the run.
    steps : int

    Examples
    --------
    >>> spectrum = lyapunov_exponents(lambda x: 0.5 * x, [1.0], steps=100, discard=0)
    >>> bool(abs(spectrum.exponents[0] - np.log(0.5)) < 1e-6)
    True
    """

    exponents: FloatArray
    errors: FloatArray
    steps: int

    def sentence(self, name: str = "the recursion") -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> LyapunovSpectrum(np.array([0.42]), np.array([0.002]), 10000).sentence("the Hénon map")
        'A small difference in the start of the Hénon map grows 1.52-fold each unit of time (largest Lyapunov \
exponent 0.420, standard error 0.002): chaotic.'
        """
        top, error = float(self.exponents[0]), float(self.errors[0])
        kind = "chaotic" if top > 3 * error else "it forgets its start" if top < -3 * error else "on the border"
        change = "grows" if top > 0 else "shrinks"
        return (f"A small difference in the start of {name} {change} {np.exp(abs(top)):.2f}-fold each unit of time "
                f"(largest Lyapunov exponent {top:.3f}, standard error {error:.3f}): {kind}.")


def lyapunov_exponents(step: Step, start: ArrayLike, *, steps: int = 10_000, jacobian: Step | None = None,
                       count: int | None = None, discard: int = 1_000, dt: float = 1.0) -> LyapunovSpectrum:
    """Estimate the Lyapunov exponents of x_{t+1} = f(x_t) by QR factorisation of the tangent map.

        J(x_t) Q_{t−1} = Q_t R_t,   λ_i = mean_t log|R_t[i, i]| / dt

    Parameters
    ----------
    step : callable (d,) -> (d,)
        f.
    start : array (d,)
        x_0, in the basin of the attractor.
    steps : int
        Steps averaged over.
    jacobian : callable (d,) -> (d, d), optional
        ∂f/∂x; central differences by default (about nine digits).
    count : int, optional
        c, exponents wanted, the largest first; all d by default.
    discard : int
        Steps run first, so that x reaches the attractor and Q the right directions.
    dt : float
        Time between steps.

    Returns
    -------
    LyapunovSpectrum

    Raises
    ------
    ConvergenceError
        If the orbit leaves to infinity.

    References
    ----------
    Benettin, Galgani, Giorgilli and Strelcyn (1980), Meccanica 15. Eckmann and Ruelle (1985), RMP 57, section V.C.

    Examples
    --------
    >>> henon = lambda x: np.array([1.0 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])
    >>> spectrum = lyapunov_exponents(henon, [0.1, 0.1], steps=2000)
    >>> bool(abs(spectrum.exponents.sum() - np.log(0.3)) < 1e-6)
    True
    """
    x = np.array(start, dtype=np.float64)
    if x.ndim != 1 or len(x) == 0 or not np.isfinite(x).all():
        raise ShapeError(f"start has shape {x.shape}; pass the finite state (d,) the recursion starts from")
    steps, discard = whole_number(steps, "steps", least=BATCHES), whole_number(discard, "discard", least=0)
    count = whole_number(len(x) if count is None else count, "count", least=1, most=len(x))
    if not dt > 0:
        raise ParameterError(f"dt={dt!r} is not usable; give the time between steps, above zero")
    tangent = (lambda at: _central_differences(step, at)) if jacobian is None else jacobian
    directions = np.eye(len(x))[:, :count]
    growth = np.empty((steps, count))
    for t in range(-discard, steps):
        directions, r = np.linalg.qr(_finite(tangent(x), t) @ directions)
        x = _finite(step(x), t)
        if t >= 0:
            growth[t] = np.abs(np.diag(r))
    logs = np.log(np.maximum(growth, np.finfo(float).tiny)) / dt
    batches = np.array([part.mean(axis=0) for part in np.array_split(logs, BATCHES)])           # (10, c)
    exponents = logs.mean(axis=0)
    order = np.argsort(-exponents, kind="stable")
    return LyapunovSpectrum(exponents[order], (batches.std(axis=0, ddof=1) / np.sqrt(BATCHES))[order], steps)


def linear_exponents(transition: ArrayLike) -> FloatArray:
    """Return the Lyapunov exponents of x_{t+1} = A x_t exactly, the logs of |eigenvalues|, largest first.

    The first is the log spectral radius: below zero the recursion is stable. A zero eigenvalue gives −inf.

    Parameters
    ----------
    transition : array (d, d)
        A; for a VAR the companion matrix.

    Returns
    -------
    array (d,)

    Examples
    --------
    >>> linear_exponents([[0.5, 1.0], [0.0, 0.25]]).round(4)
    array([-0.6931, -1.3863])
    """
    a = np.asarray(transition, dtype=np.float64)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or a.size == 0 or not np.isfinite(a).all():
        raise ShapeError(f"transition has shape {a.shape}; pass a finite square matrix")
    moduli = np.sort(np.abs(np.linalg.eigvals(a)))[::-1]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(moduli))


def runge_kutta(field: Step, dt: float) -> Step:
    """Return the map x(t) → x(t + dt) of dx/dt = field(x), one classical fourth-order step.

    Examples
    --------
    >>> decay = runge_kutta(lambda x: -x, 0.1)
    >>> bool(abs(decay(np.array([1.0]))[0] - np.exp(-0.1)) < 1e-7)
    True
    """
    def step(x: FloatArray) -> FloatArray:
        a = field(x)
        b = field(x + 0.5 * dt * a)
        c = field(x + 0.5 * dt * b)
        d = field(x + dt * c)
        return np.asarray(x + dt / 6.0 * (a + 2.0 * b + 2.0 * c + d))

    return step


def _central_differences(step: Step, x: FloatArray) -> FloatArray:
    width = 6e-6 * np.maximum(np.abs(x), 1.0)                               # ε^{1/3}
    columns = [(step(x + shift) - step(x - shift)) / (2.0 * w) for shift, w in zip(np.diag(width), width, strict=True)]
    return np.column_stack(columns)


def _finite(values: FloatArray, t: int) -> FloatArray:
    if not np.isfinite(values).all():
        raise ConvergenceError(f"the orbit left to infinity at step {t}; start inside the basin of the attractor")
    return np.asarray(values, dtype=np.float64)
