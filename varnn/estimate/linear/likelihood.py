"""Gaussian likelihood of the linear RNN u_t = C r_t, exact (stationary start) or conditional, with its gradient.

Called by `linear_fit` and `models.rung2_linear`.  The exact likelihood needs no Kalman filter over the whole sample:
one pass of the recursion from the stationary mean, and a start-up correction of the size of the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from varnn.estimate.linear import kernels as kernels_linear
from varnn.estimate.linear.prior import Pull
from varnn.estimate.numerics.covariance import regular
from varnn.estimate.tanh import kernels

Array = npt.NDArray[np.float64]
INVERTIBLE = 1.0 - 1e-4  # the filter forgets its start: spectral radius of A stays below
STATIONARY = 1.0 - 1e-8
SMALL = 4  # states up to which d² linear equations are solved sooner than doubling converges


@dataclass(frozen=True)
class Sample:
    """The data of one fit, in the units in which it is estimated.

    values : array (T, k)   standardised series; those of a panel below one another
    inputs : array (T, q)   trend and exogenous columns (without the constant)
    lags : int              p
    start : int             first row, of each series, that counts when the likelihood is conditional
    lengths : tuple of int  rows of each series of a panel
    pull : Pull, optional   the prior of the process, whose rows are fitted beside the data
    """

    values: Array
    inputs: Array
    lags: int
    start: int
    lengths: tuple[int, ...] = ()
    pull: Pull | None = None

    @property
    def warm(self) -> int:
        """Rows before `start` that warm the filter up: all there are in a panel, where every series has a start.

        Beside a prior too, so that a memory with few lags is not judged by a start which a VAR with many is spared.
        """
        return self.start - self.lags if self.lengths or self.pull is not None else 0

    @cached_property
    def parts(self) -> tuple[Sample, ...]:
        """The series of a panel, from where their filters begin; the log-likelihood is the sum of theirs."""
        if not self.lengths:
            return (replace(self, start=self.lags, pull=None),) if self.warm else (self,)
        cuts = np.cumsum((0, *self.lengths)).tolist()
        return tuple(Sample(self.values[a:b], self.inputs[a:b], self.lags, self.lags) for a, b in pairwise(cuts))

    @property
    def usual_rows(self) -> int:
        """Rows of the series, the median in a panel."""
        return int(np.median(self.lengths or len(self.values)))

    @property
    def conditional_rows(self) -> int:
        """Rows that count when the likelihood is conditional."""
        return len(self.values) - self.start * max(len(self.lengths), 1)

    @property
    def before(self) -> int:
        """Rows of y needed before the first likelihood row, once its u is known."""
        return max(self.lags - 1, 0)

    def columns(self, width: int) -> int:
        """Length of r_t = (u_{t-1}, y_{t-1}, …, y_{t-p}, 1, w_t)."""
        return int(width + self.lags * self.values.shape[1] + 1 + self.inputs.shape[1])


@dataclass(frozen=True)
class Evaluation:
    """Value and derivatives of a negative log-likelihood at one point."""

    value: float
    weights: Array
    sigma: Array
    moments: Array
    states: Array


def spectral_radius(matrix: Array) -> float:
    """Return the largest modulus of an eigenvalue, ρ(A); infinite when the matrix is not finite."""
    if matrix.size == 0:
        return 0.0
    if not np.isfinite(matrix).all():
        return float("inf")
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def radius_bound(matrix: Array) -> float:
    """Return ρ(A), or the Frobenius norm above it where that is below .95 already and saves the eigenvalues."""
    norm = float(np.sqrt(np.vdot(matrix, matrix)))
    return norm if norm < 0.95 else spectral_radius(matrix)


def transition(weights: Array, lags: int, k: int) -> tuple[Array, Array]:
    """State space of the process itself, ξ_{t+1} = F ξ_t + G e_t + c with ξ_t = (u_t, y_{t-1}, …, y_{t-p+1}).

    Substituting y_t = H u_t + e_t in u_{t+1} = A u_t + B_1 y_t + … gives F's first rows (A + B_1 H, B_2, …, B_p)
    and G's B_1; the rows below shift the observations down.

    Parameters
    ----------
    weights : array (n, m)   [A | B_1 … B_p | c | D]
    lags : int
    k : int

    Returns
    -------
    F : array (d, d)         d = n + (p - 1) k
    G : array (d, k)
    """
    n = weights.shape[0]
    d = n + max(lags - 1, 0) * k
    F = np.zeros((d, d))
    G = np.zeros((d, k))
    F[:n, :n] = weights[:, :n]
    if lags:
        F[:n, :k] += weights[:, n : n + k]
        F[:n, n:] = weights[:, n + k : n + lags * k]
        G[:n] = weights[:, n : n + k]
    if lags > 1:
        F[n : n + k, :k] = np.eye(k)
        G[n : n + k] = np.eye(k)
        F[n + k :, n:-k] = np.eye(d - n - k)
    return F, G


def stationary_covariance(F: Array, Q: Array) -> Array:
    """Solve P = F P F' + Q, as linear equations where small, else by doubling, P ← P + F P F', F ← F².

    References
    ----------
    Anderson and Moore (1979), Optimal Filtering, section 6.7.
    """
    d = len(F)
    if d <= SMALL:
        system = (F[:, None, :, None] * F[None, :, None, :]).reshape(d * d, d * d)
        P = np.linalg.solve(np.eye(d * d) - system, Q.ravel())
        return _symmetric(np.asarray(P.reshape(d, d)))
    P, power = Q, F
    for _ in range(64):
        step = power @ P @ power.T
        P = P + step
        size = np.abs(P).max()
        if not size < 1e200 or np.abs(step).max() <= 1e-16 * size:
            break
        power = power @ power
    return _symmetric(P)


def _symmetric(matrix: Array) -> Array:
    return 0.5 * (matrix + matrix.T)


def exact(sample: Sample, weights: Array, sigma: Array, *, gradient: bool = True) -> Evaluation | None:
    """Exact Gaussian negative log-likelihood of a stationary linear RNN, and its gradient.

    Given the unknown start ξ_1 = μ + δ, δ ~ N(0, P), the innovations are linear in δ, e_t = e_t(μ) - H X_t δ.
    Integrating δ out, with Q = Σ X_t'H'Σ⁻¹H X_t and q = Σ X_t'H'Σ⁻¹e_t(μ),

        -2 log L = T log|2πΣ| + Σ e_t(μ)'Σ⁻¹e_t(μ) + log|I + PQ| - q'(I + PQ)⁻¹P q,

    which is the Kalman filter's value exactly.  Differentiating under the integral, the gradient is that of ½Σe'Σ⁻¹e
    along the path that starts at the posterior mean of δ and along d paths that start at the columns of a square
    root of its posterior covariance, plus the chain through P (a second Lyapunov equation) and μ.

    Parameters
    ----------
    sample : Sample           without inputs (q = 0)
    weights : array (n, m)    [A | B_1 … B_p | c]
    sigma : array (k, k)      innovation covariance

    Returns
    -------
    Evaluation, or None where the process is not stationary, the filter not stable or Σ singular.

    References
    ----------
    de Jong (1988), Biometrika 75, 165-169; Mélard, Roy and Saidi (2006), CSDA 50, 1158-1184.
    """
    if sample.lengths:
        return _summed(exact(part, weights, sigma, gradient=gradient) for part in sample.parts)
    y, lags = sample.values, sample.lags
    (T, k), n, before = y.shape, weights.shape[0], sample.before
    F, G = transition(weights, lags, k)
    radius = radius_bound(weights[:, :n])
    if radius >= INVERTIBLE or radius_bound(F) >= STATIONARY or regular(sigma) is not sigma:
        return None
    d = F.shape[0]
    P = stationary_covariance(F, G @ sigma @ G.T)
    constant = np.zeros(d)
    constant[:n] = weights[:, n + lags * k]
    settle = np.linalg.inv(np.eye(d) - F)
    mean = settle @ constant

    V = np.linalg.inv(sigma)
    extended = np.empty((before + T, k))
    extended[before:] = y
    extended[:before] = mean[n:].reshape(before, k)[::-1]
    U = np.empty((T, n))
    S = kernels_linear.run(weights, extended, sample.inputs, 1.0, lags, mean[:n].copy(), U)
    X = np.empty((min(T, transient_rows(radius, before, d)), n, d))
    length = kernels_linear.transient(weights, lags, k, X)
    X = X[:length].reshape(length * n, d)
    HX = X.reshape(length, n, d)[:, :k].transpose(1, 0, 2).reshape(k * length, d)  # series by series
    VHX = (V @ HX.reshape(k, length * d)).reshape(k * length, d)
    early = y[:length] - U[:length, :k]
    Q, q = HX.T @ VHX, early.T.ravel() @ VHX
    K = np.eye(d) + P @ Q
    sign, logdet = np.linalg.slogdet(K)
    if sign <= 0:
        return None
    J = np.linalg.inv(K)
    posterior = _symmetric(J @ P)
    shift = posterior @ q
    value = 0.5 * (T * _logdet(sigma) + float(np.sum(V * S)) + logdet - float(q @ shift))
    pull, dof = sample.pull, 0.0 if sample.pull is None else sample.pull.dof
    if pull is not None:
        value += 0.5 * (dof * _logdet(sigma) + float(np.sum(V * pull.scattered(weights))))
    if not np.isfinite(value):
        return None
    if not gradient:
        return Evaluation(value, np.empty(0), np.empty(0), S, U)

    # the path from the posterior mean of the start, then those of its uncertainty
    U[:length] += (X @ shift).reshape(length, n)
    extended[:before] += shift[n:].reshape(before, k)[::-1]
    revised = early - (HX @ shift).reshape(k, length).T
    S = S - early.T @ early + revised.T @ revised
    D, past = np.zeros(weights.shape), np.zeros((before, k))
    lam = kernels_linear.pull_back(weights, extended, sample.inputs, 1.0, lags, U, V, 1, D, past)
    spread, axes = np.linalg.eigh(posterior)
    roots = axes * np.sqrt(np.maximum(spread, 0.0))
    paths, states = np.zeros((d, before + length, k)), (roots.T @ X.T).reshape(d * length, n)
    paths[:, :before] = roots[n:].T.reshape(d, before, k)[:, ::-1]
    unused = np.zeros((before, k))
    kernels_linear.pull_back(weights, paths.reshape(-1, k), sample.inputs[:length], 0.0, lags, states, V, d, D, unused)
    S += states[:, :k].T @ states[:, :k]
    if pull is not None:
        D[:k] += V @ pull.away(weights).T @ pull.rows
        S = S + pull.scattered(weights)
    dsigma = 0.5 * ((T + dof) * V - V @ S @ V)

    # through the stationary covariance and mean of the start
    tilt = q @ J
    dP = 0.5 * (J.T @ Q - np.outer(tilt, tilt))
    Lam = stationary_covariance(F.T, _symmetric(dP))
    adjoint = np.concatenate([lam, past[::-1].ravel()]) @ settle
    dF = 2.0 * Lam @ F @ P + np.outer(adjoint, mean)
    dG = 2.0 * Lam @ G @ sigma
    dsigma += G.T @ Lam @ G
    D[:, :n] += dF[:n, :n]
    D[:, n + lags * k] += adjoint[:n]
    if lags:
        D[:, n : n + k] += dF[:n, :k] + dG[:n]
        D[:, n + k : n + lags * k] += dF[:n, n:]
    return Evaluation(value, D, _symmetric(dsigma), S, U)


def _summed(found: Iterable[Evaluation | None]) -> Evaluation | None:
    """Add up the likelihoods of several series, their states below one another."""
    parts: list[Evaluation] = []
    for part in found:
        if part is None:
            return None
        parts.append(part)
    return Evaluation(sum(part.value for part in parts), np.sum([part.weights for part in parts], axis=0),
                      np.sum([part.sigma for part in parts], axis=0), np.sum([part.moments for part in parts], axis=0),
                      np.vstack([part.states for part in parts]))


def conditional(sample: Sample, weights: Array, *, gradient: bool = True) -> Evaluation | None:
    """Negative log-likelihood given the presample, e_{p-1} = 0, with Σ at its optimum S/N.

        -2 log L = N log|S/N| + N k,   S = Σ_{t ≥ start} e_t e_t'

    Used where the stationary start is undefined: unit roots, trends, exogenous inputs.  A prior of the process adds its
    own scatter to S and its degrees of freedom to N.  A series without errors has no
    maximum; Σ is then the best one that is `regular`, and tr Σ⁻¹S takes the place of N k.

    Returns
    -------
    Evaluation (`sigma` holds S/N), or None where the filter is not stable.
    """
    lags, before, warm = sample.lags, sample.before, sample.warm
    k, n, N = sample.values.shape[1], weights.shape[0], sample.conditional_rows
    if radius_bound(weights[:, :n]) >= INVERTIBLE:
        return None
    S, states, at = np.zeros((k, k)), np.empty((N + warm * len(sample.parts), n)), 0
    runs = []
    for part in sample.parts:
        r, rows = first_inputs(part, n), len(part.values) - part.start
        extended, inputs, U = part.values[part.start - before :], part.inputs[part.start :], states[at : at + rows]
        S += kernels_linear.run(weights, extended, inputs, 1.0, lags, weights @ r, U)
        if warm:
            early = extended[before : before + warm] - U[:warm, :k]
            S -= early.T @ early
        runs.append((r, extended, inputs, U))
        at += rows
    if not np.isfinite(S).all():
        return None
    pull, count = sample.pull, float(N)
    if pull is not None:
        S, count = S + pull.scattered(weights), N + pull.dof
    sigma = regular(raw := S / count)
    misfit = k if sigma is raw else float(np.vdot(np.linalg.inv(sigma), raw))
    value = 0.5 * count * (_logdet(sigma) + misfit)
    if not gradient:
        return Evaluation(value, np.empty(0), sigma, S, states)
    D, past, V = np.zeros(weights.shape), np.zeros((before, k)), np.linalg.inv(sigma)
    fades = [np.eye(n)]  # λ_{t-1} = A' λ_t through the warm-up, where no error counts
    for _ in range(warm):
        fades.insert(0, weights[:, :n].T @ fades[0])
    for r, extended, inputs, U in runs:
        lam = kernels_linear.pull_back(weights, extended[warm:], inputs[warm:], 1.0, lags, U[warm:], V, 1, D, past)
        if warm:
            back = np.array(fades) @ lam
            seen = [extended[before + 1 - lag : before + 1 - lag + warm] for lag in range(1, lags + 1)]
            D += back[1:].T @ np.hstack([U[:warm], *seen, np.ones((warm, 1)), inputs[1 : warm + 1]])
            lam = back[0]
        D += np.outer(lam, r)
    if pull is not None:
        D[:k] += V @ pull.away(weights).T @ pull.rows
    return Evaluation(value, D, sigma, S, states)


def first_inputs(sample: Sample, n: int) -> Array:
    """R at the first conditional row: the state before it forecasts y without error, hidden parts are zero."""
    y, p, start = sample.values, sample.lags, sample.start
    k = y.shape[1]
    r = np.zeros(sample.columns(n))
    if p:
        r[:k] = y[start - 1]
        r[n : n + p * k] = y[start - p : start][::-1].ravel()
    r[n + p * k] = 1.0
    r[n + p * k + 1 :] = sample.inputs[start]
    return r


def information(sample: Sample, weights: Array, sigma: Array, states: Array, *, rows: int = 256, warm: int = 0
                ) -> Array:
    """Gauss-Newton information Σ_t J_t'Σ⁻¹J_t of the weights, J_t = ∂ŷ_t/∂vec(C), accumulated block by block.

    `states` are the u_t of the last evaluation; its number of rows tells where the sample starts, and the first `warm`
    of them do not count.  The rows of a prior of the process are counted.

    Returns
    -------
    array (n m, n m)          row-major in (row of C, column of C)
    """
    if sample.pull is not None:
        precision = np.zeros((len(weights), len(weights)))
        precision[: len(sigma), : len(sigma)] = np.linalg.inv(sigma)
        told = np.kron(precision, sample.pull.rows.T @ sample.pull.rows)
        part = sample.parts[0]
        warm = sample.warm if len(states) > len(sample.values) - sample.start else 0
        return told + information(replace(part, pull=None), weights, sigma, states, rows=rows, warm=warm)
    if sample.lengths:
        skipped = (len(sample.values) - len(states)) // len(sample.lengths)
        cuts, warm = np.cumsum([len(part.values) - skipped for part in sample.parts])[:-1], sample.warm * (skipped > 0)
        return np.asarray(np.sum([information(part, weights, sigma, own, rows=rows, warm=warm)
                                  for part, own in zip(sample.parts, np.split(states, cuts), strict=True)], axis=0))
    n, m = weights.shape
    k, N, lags = sample.values.shape[1], states.shape[0], sample.lags
    start = sample.values.shape[0] - N
    conditioned = start > 0 or sample.lags == 0
    extended = np.zeros((sample.before + N, k))
    extended[sample.before :] = sample.values[start:]
    if conditioned and sample.before:
        extended[: sample.before] = sample.values[start - sample.before : start]
    inputs = sample.inputs[start:]
    mix, size, before = np.eye(n), n * m, sample.before
    mix[:k, :k] = np.linalg.inv(np.linalg.cholesky(sigma))
    total, last = np.zeros((size, size)), np.zeros((1, n, size))  # derivatives of the state, its forecasts whitened
    if conditioned:
        last[0] = np.kron(mix, first_inputs(sample, n))
        total += last[0, :k].T @ last[0, :k] if not warm else 0.0
    F, none, one = (mix @ weights[:, :n] @ np.linalg.inv(mix))[None], np.zeros((n, 0)), np.ones(n, dtype=np.int64)
    for t in range(1, N, rows):
        end = min(t + rows, N)
        seen = [extended[before + t - 1 - lag : before + end - 1 - lag] for lag in range(lags)]
        R = np.hstack([states[t - 1 : end - 1], *seen, np.ones((end - t, 1)), inputs[t:end]])
        V, absent = np.concatenate([last, np.empty((end - t, n, size))]), np.zeros((end - t, 0))
        kernels.sensitivities(mix, none, R, absent, absent, F, one, np.arange(n), V)
        block, last = V[1 + max(warm - t, 0) :, :k].reshape(-1, size), V[-1:]
        total += block.T @ block
    return total


def transient_rows(radius: float, before: int, d: int) -> int:
    """Rows after which ρ(A)^t, with room for a non-normal A, is below float64's resolution."""
    decay = 40.0 / -np.log(radius) if radius > 1e-12 else 2.0
    return int(before + 3 * d + 8 + 1.25 * decay)


def _logdet(sigma: Array) -> float:
    sign, logdet = np.linalg.slogdet(sigma)
    return float(logdet) if sign > 0 else float("inf")


def constant(T: int, k: int) -> float:
    """½ T k log 2π, the part of the negative log-likelihood that no parameter changes."""
    return 0.5 * T * k * float(np.log(2.0 * np.pi))


