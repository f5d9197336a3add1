"""A VAR shrunk by the conjugate Minnesota prior, its tightness and centre set by the marginal likelihood.

Called by the shrunken VAR. Knows regressors (fixed columns, then lags, newest first) and series in
units in which the prior scale of the errors is 1; what these units are is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, qr, solve_triangular
from scipy.special import multigammaln

from varnn.estimate.numerics.quasi_newton import Descent, Point, minimise
from varnn.series import FloatArray

NONE = 1e-100      # prior variance of a coefficient that is 0, whose precision is a number still
LOOSE = 1e6        # prior variance of a fixed regressor's coefficient, in units of the error's
FURTHEST = 15.0    # logarithms of tightness beyond it are refused; every hyper-prior has died out
STEP = 1e-4        # of the differences of gradients that start the descent's metric
ROUNDS = 5         # centre and tightness in turn; two are the rule
EXACT = 1e-14      # nats that a further step may promise, so that the order of the columns shows nowhere
LEAST_GAIN = 1e-9  # of log|S|, for which a centre is changed
HYPER_PRIORS = {"overall": (0.2, 0.4), "decay": (2.0, 0.5), "sums": (1.0, 1.0), "initial": (1.0, 1.0),
                "seasonal": (0.2, 0.4)}
STARTS = ((0.0, 0.2, 1.0), (1.0, 0.2, 1.0), (1.0, 0.05, 0.1), (1.0, 0.02, 0.01))  # centre of all series, λ, and μ = δ


@dataclass(frozen=True)
class Tightness:
    """Hyper-parameters of the prior; small is tight, but for `decay`.

    Attributes
    ----------
    overall : float
        λ, standard deviation of a coefficient of lag 1 in standard units.
    decay : float
        a: the variance at lag l is λ² l^{−a}, and λ_s² (1 + d)^{−a} more at a distance d from a season.
    sums : float
        μ, how far the coefficients of one series, summed over lags, may lie from the centre.
    initial : float
        δ, how far the forecast from the first rows may lie from that of the centre.
    seasonal : float
        λ_s, standard deviation that a coefficient of lag s has beside that of its place in the decay; 0 where
        there is no season.
    """

    overall: float = 0.2
    decay: float = 2.0
    sums: float = 1.0
    initial: float = 1.0
    seasonal: float = 0.0

    @property
    def logs(self) -> FloatArray:
        """Logarithms of those that are not 0, (4,) or (5,)."""
        values = [self.overall, self.decay, self.sums, self.initial, self.seasonal]
        return np.log(values if self.seasonal else values[:4])

    @classmethod
    def of(cls, logs: FloatArray) -> Tightness:
        """Return the tightness with these logarithms."""
        return cls(*np.exp(logs).tolist())


@dataclass(frozen=True, eq=False)
class Regression:
    """A VAR's rows and what its prior is made of.

    Attributes
    ----------
    X : array (r, m)
        Regressors: fixed columns, then lag 1 of all series … lag p. May be any rows with the same
        products as the data, see `compressed`.
    Y : array (r, k)
        Series.
    rows : int
        Dates n that X and Y stand for.
    lags : int
        p, at least 1.
    spread : array (k,)
        s, how large a series is taken to be in the dummy observation of its sum of coefficients.
    first : array (m,)
        x₀, regressors of the initial observation.
    dof : float
        Degrees of freedom d of the prior IW(I, d) of Σ.
    loose : float
        Prior variance of coefficients of fixed columns, in units of Σ.
    season : int
        s, observations in a season; 0 or more than the lags where the prior has none.
    """

    X: FloatArray
    Y: FloatArray
    rows: int
    lags: int
    spread: FloatArray
    first: FloatArray
    dof: float
    loose: float = LOOSE
    season: int = 0

    @property
    def seasonal(self) -> bool:
        """Whether the prior has lags around a season."""
        return 1 < self.season <= self.lags

    @property
    def fixed(self) -> int:
        """Regressors that are no lags."""
        return int(self.X.shape[1] - self.lags * self.Y.shape[1])

    def compressed(self) -> Regression:
        """Return at most m + k rows with the same products, by QR, so that no digit is lost to squares."""
        both = np.hstack([self.X, self.Y])
        if len(both) <= both.shape[1]:
            return self
        upper = np.asarray(qr(both, mode="r", check_finite=False)[0][:both.shape[1]])
        m = self.X.shape[1]
        return replace(self, X=np.ascontiguousarray(upper[:, :m]), Y=np.ascontiguousarray(upper[:, m:]))

    @cached_property
    def gram(self) -> FloatArray:
        """XᵀX, (m, m)."""
        return np.asarray(self.X.T @ self.X)

    def variances(self, tight: Tightness) -> tuple[FloatArray, FloatArray]:
        """Return the parts of the prior variance of the coefficients of each lag, (parts, p), and logs of distances.

        λ² l^{−a} and, where there is a season, λ_s² (1 + |l − c|)^{−a} with c the nearer of s and 2s.
        """
        lag = np.arange(1.0, self.lags + 1)
        far = [lag]
        if self.seasonal:
            far.append(1.0 + np.minimum(np.abs(lag - self.season), np.abs(lag - 2 * self.season)))
        logs = np.log(far)
        sizes = np.array([tight.overall, tight.seasonal][:len(far)])
        return np.maximum(sizes[:, None] ** 2 * np.exp(-tight.decay * logs), NONE), logs

    def independent(self, tight: Tightness) -> FloatArray:
        """Return D, the precisions of the coefficients one by one, (m,): 1/loose, then 1/variance."""
        each = np.repeat(1.0 / self.variances(tight)[0].sum(axis=0), self.Y.shape[1])
        return np.concatenate([np.full(self.fixed, 1.0 / self.loose), each])

    def dummies(self, tight: Tightness) -> FloatArray:
        """Return F, GLP's dummy observations, (k + 1, m): (s_j/μ) g_j, g_j marking all lags of series j, and x₀/δ."""
        sums = np.tile(np.diag(self.spread / tight.sums), self.lags)
        return np.vstack([np.hstack([np.zeros((len(sums), self.fixed)), sums]), self.first / tight.initial])

    def precision(self, tight: Tightness) -> FloatArray:
        """Return Λ = D + FᵀF of B | Σ ~ N(B₀, Σ ⊗ Λ⁻¹), (m, m).

        The dummy observations agree with the centre B₀, so they add to the precision and to nothing else.
        """
        F = self.dummies(tight)
        return np.asarray(F.T @ F + np.diag(self.independent(tight)))

    def centre(self, walks: FloatArray) -> FloatArray:
        """Return B₀, (m, k): `walks` of each series (0 or 1) at its own first lag, else 0."""
        b = np.zeros((self.X.shape[1], self.Y.shape[1]))
        b[self.fixed:self.fixed + len(walks)] = np.diag(walks)
        return b


@dataclass(frozen=True, eq=False)
class Conjugate:
    """The posterior at given hyper-parameters: Σ ~ IW(S, n + d), B | Σ ~ N(B̂, Σ ⊗ H⁻¹), H = XᵀX + Λ.

    Attributes
    ----------
    coef : array (m, k)
        B̂ = H⁻¹(XᵀY + Λ B₀).
    scatter : array (k, k)
        S = I + (Y − X B̂)ᵀ(Y − X B̂) + (B̂ − B₀)ᵀ Λ (B̂ − B₀).
    evidence : float
        log p(Y), the matrix t density.
    slope : array (4,) or (5,)
        Derivatives of `evidence` by the logarithms of overall, decay, sums, initial and seasonal.
    pull : array (k, k)
        First-lag rows of Λ (B₀ − B̂): how the scatter moves with the centre.
    """

    coef: FloatArray
    scatter: FloatArray
    evidence: float
    slope: FloatArray
    pull: FloatArray


def posterior(data: Regression, tight: Tightness, walks: FloatArray) -> Conjugate:
    """Return the posterior, with the log marginal likelihood and its derivatives.

    log p(Y) = −½ nk log π + log Γ_k(½(n + d)) − log Γ_k(½d) + ½k log(|Λ|/|H|) − ½(n + d) log|S|.

    A row r of (F, D^½) with weight w contributes k(r Λ⁻¹rᵀ − r H⁻¹rᵀ) − (n + d) r M S⁻¹Mᵀrᵀ to the slope by
    log w, M = B̂ − B₀. Dummy observations may weigh 10⁵ times as much as data, so F is kept apart:
    H⁻¹ = A − A Fᵀ K⁻¹ F A with A = (XᵀX + D)⁻¹ and K = I + F A Fᵀ, and F H⁻¹Fᵀ = I − K⁻¹.

    Examples
    --------
    >>> y = np.array([[0.3], [-1.0], [0.2], [0.4]])
    >>> data = Regression(y[:-1], y[1:], 3, 1, np.zeros(1), np.zeros(1), dof=3.0)
    >>> round(posterior(data, Tightness(), np.zeros(1)).evidence, 4)  # a t density of three numbers
    -3.2814

    References
    ----------
    Giannone, Lenza & Primiceri (2015), Review of Economics and Statistics 97(2), appendix A.
    """
    k, n, dof, D, F = data.Y.shape[1], data.rows, data.dof, data.independent(tight), data.dummies(tight)
    b = data.centre(walks)
    from_centre = data.Y - data.X @ b
    plain_log, A = _inverted(data.gram + np.diag(D))
    AF = A @ F.T                                                                             # (m, k + 1)
    data_log, inner = _inverted(np.eye(k + 1) + F @ AF)
    prior_log, outer = _inverted(np.eye(k + 1) + (F / D) @ F.T)
    ridge = A @ (data.X.T @ from_centre)                                                     # (m, k)
    dummies_miss = inner @ (F @ ridge)                                                       # F M
    away = ridge - AF @ dummies_miss                                                         # M
    miss = from_centre - data.X @ away
    scatter = np.eye(k) + miss.T @ miss + (away.T * D) @ away + dummies_miss.T @ dummies_miss
    scatter_log, within = _inverted(scatter)
    evidence = (_constant(n, k, dof) + 0.5 * k * (np.log(D).sum() + prior_log - plain_log - data_log)
                - 0.5 * (n + dof) * scatter_log)
    known = inner.diagonal() - outer.diagonal()             # of each row of F: r Λ⁻¹rᵀ − r H⁻¹rᵀ
    alone = 1 - ((outer @ F) * F).sum(axis=0) / D - D * (A.diagonal() - ((AF @ inner) * AF).sum(axis=1))
    by_dummy = k * known - (n + dof) * ((dummies_miss @ within) * dummies_miss).sum(axis=1)  # (k + 1,)
    by_one = (k * alone - (n + dof) * D * ((away @ within) * away).sum(axis=1))[data.fixed:]  # (pk,)
    by_lag, (parts, far) = by_one.reshape(data.lags, k).sum(axis=1), data.variances(tight)
    shares = parts / parts.sum(axis=0)
    by_part = shares @ by_lag
    decayed = 0.5 * tight.decay * float((shares * far).sum(axis=0) @ by_lag)
    slope = np.array([-by_part[0], decayed, -by_dummy[:k].sum(), -by_dummy[k], *-by_part[1:]])
    head = slice(data.fixed, data.fixed + k)
    return Conjugate(b + away, scatter, float(evidence), slope, -(data.X[:, head].T @ miss))


def _inverted(matrix: FloatArray) -> tuple[float, FloatArray]:
    """Return log determinant and inverse of a positive definite matrix."""
    lower, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    inverse = lapack.dpotri(lower, lower=1)[0]  # its lower triangle, with zeros above
    inverse = inverse + inverse.T
    inverse.ravel()[::len(inverse) + 1] *= 0.5
    return 2.0 * float(np.log(lower.diagonal()).sum()), inverse


def root_of(data: Regression, tight: Tightness) -> FloatArray:
    """Return a root of H⁻¹, (m, m): R⁻¹ of the QR factorisation of (X, F, D^½)."""
    rows = np.vstack([data.X, data.dummies(tight), np.diag(np.sqrt(data.independent(tight)))])
    upper = qr(rows, mode="r", check_finite=False)[0][:rows.shape[1]]
    return np.asarray(solve_triangular(upper, np.eye(rows.shape[1])))


def hyper_prior(tight: Tightness) -> tuple[float, FloatArray]:
    """Return the log density of gamma hyper-priors, up to a constant, and its slope by the logarithms.

    Modes and standard deviations are .2 and .4 for λ and λ_s, 2 and .5 for the decay, 1 and 1 for μ and δ.
    Densities are of the parameters, not of their logarithms.

    Examples
    --------
    >>> hyper_prior(Tightness())[1].round(12).tolist()  # at the modes
    [0.0, 0.0, 0.0, 0.0]

    References
    ----------
    Giannone, Lenza & Primiceri (2015), section III.
    """
    logs = tight.logs
    power, rate, values = _POWER[:len(logs)], _RATE[:len(logs)], np.exp(logs)
    return float((power * logs - rate * values).sum()), power - rate * values


def gamma(mode: float, sd: float) -> tuple[float, float]:
    """Return power a and rate b of the density x^a e^{−bx} with this mode and standard deviation.

    Examples
    --------
    >>> power, rate = gamma(1.0, 1.0)
    >>> power / rate, round((power + 1) ** 0.5 / rate, 12)
    (1.0, 1.0)
    """
    scale = 0.5 * float(np.sqrt(mode**2 + 4 * sd**2) - mode)
    return mode / scale, 1 / scale


_POWER, _RATE = np.array([gamma(*HYPER_PRIORS[one.name]) for one in fields(Tightness)]).T


@dataclass(frozen=True, eq=False)
class Choice:
    """What the marginal likelihood chose: tightness, centres (k,) of 0 and 1, the posterior there, evaluations."""

    tight: Tightness
    walks: FloatArray
    found: Conjugate
    evaluations: int
    descent: Descent


def choose(data: Regression, start: Choice | None = None, *, tolerance: float = EXACT) -> Choice:
    """Choose tightness and centre where marginal likelihood times hyper-prior is largest.

    In turn: for given centres a quasi-Newton descent on the logarithms; for given tightness the centres
    that gain are flipped until none does.

    Parameters
    ----------
    data : Regression
    start : Choice, optional
        Where to start; at the modes of the hyper-prior, with the best of a few centres and μ, when left out.
    tolerance : float
        Nats that one more step of the descent may promise when it ends.

    Returns
    -------
    Choice
    """
    data = data.compressed()
    tight, walks = _start(data) if start is None else (start.tight, start.walks)
    tight = replace(tight, seasonal=(tight.seasonal or tight.overall) if data.seasonal else 0.0)
    best = descended(data, tight, walks, tolerance)
    total = best.evaluations
    for _ in range(ROUNDS):
        walks = _flipped(data, best.tight, best.found, best.walks)[0]
        if (walks == best.walks).all():
            break
        best = descended(data, best.tight, walks, tolerance)
        total += best.evaluations
    return replace(best, evaluations=total)


def _start(data: Regression) -> tuple[Tightness, FloatArray]:
    """Return the best of `STARTS`, each with its centres flipped as long as that gains."""
    best, chosen, height = Tightness(), np.zeros(0), -np.inf
    for centre, overall, rest in STARTS:
        tight = Tightness(overall=overall, sums=rest, initial=rest, seasonal=overall if data.seasonal else 0.0)
        walks = np.full(data.Y.shape[1], centre)
        flipped, evidence = _flipped(data, tight, posterior(data, tight, walks), walks)
        if evidence > height:
            best, chosen, height = tight, flipped, evidence
    return best, chosen


def evidence_of_orders(data: Regression, tight: Tightness, walks: FloatArray) -> FloatArray:
    """Return the log marginal likelihoods of 1 … p lags on the same rows, (p,), from one factorisation.

    Columns of longer lags come last, so the factors of Λ and of H of a shorter order are the upper left
    corners, and S_q = I + ỸᵀỸ − Σ_i z_i z_iᵀ over the first rows of z = L⁻¹XᵀỸ, where H = L Lᵀ and
    Ỹ = Y − X B₀.
    """
    (m, k), n, dof = (data.X.shape[1], data.Y.shape[1]), data.rows, data.dof
    prior, away = data.precision(tight), data.Y - data.X @ data.centre(walks)
    upper, lower = (np.linalg.cholesky(matrix) for matrix in (prior, data.gram + prior))
    z = solve_triangular(lower, data.X.T @ away, lower=True)
    ends = np.arange(data.fixed + k, m + 1, k)
    gained = np.add.reduceat(z[:, :, None] * z[:, None, :], np.concatenate([[0], ends[:-1]]), axis=0)
    scatters = np.eye(k) + away.T @ away - np.add.accumulate(gained)
    logs = np.add.accumulate(np.log(upper.diagonal() / lower.diagonal()))[ends - 1]
    return np.asarray(_constant(n, k, dof) + k * logs - 0.5 * (n + dof) * np.linalg.slogdet(scatters)[1])


@lru_cache(maxsize=64)
def _constant(n: int, k: int, dof: float) -> float:
    return float(-0.5 * n * k * np.log(np.pi) + multigammaln(0.5 * (n + dof), k) - multigammaln(0.5 * dof, k))


def descended(data: Regression, start: Tightness, walks: FloatArray, tolerance: float = EXACT) -> Choice:
    """Find the best tightness for given centres, by a descent started from differences of the exact gradient."""
    count = 0

    def at(logs: FloatArray) -> Point | None:
        nonlocal count
        if np.abs(logs).max() > FURTHEST:
            return None
        count += 1
        tight = Tightness.of(logs)
        try:
            found = posterior(data, tight, walks)
        except np.linalg.LinAlgError:
            return None
        prior, slope = hyper_prior(tight)
        return Point(logs, -(found.evidence + prior), -(found.slope + slope), found)

    def metric(point: Point) -> FloatArray:
        columns = [at(point.x + STEP * step) for step in np.eye(len(point.x))]
        bend = np.array([(one.gradient if one else point.gradient + STEP) - point.gradient for one in columns]) / STEP
        sizes, axes = np.linalg.eigh(0.5 * (bend + bend.T))
        return np.asarray(axes * np.maximum(np.abs(sizes), 0.1) @ axes.T)

    first = at(start.logs)
    if first is None:
        raise np.linalg.LinAlgError("the prior's precision is not positive definite")
    descent = minimise(at, first, metric, tolerance=tolerance, refresh=25)
    found = descent.point.detail
    assert isinstance(found, Conjugate)
    return Choice(Tightness.of(descent.point.x), walks, found, count, descent)


def _flipped(data: Regression, tight: Tightness, found: Conjugate, walks: FloatArray) -> tuple[FloatArray, float]:
    """Flip centres as long as the marginal likelihood gains, at a given tightness; also return where it ends.

    S(B₀ + E T) = S + T U + Uᵀ T + T W T for changes T = diag(t) of the first own lags, U the posterior's
    `pull` and W how it gives; so every change costs one k × k determinant.
    """
    scatter, pull, give, walks = found.scatter, found.pull, _give(data, tight), walks.copy()
    first = log = float(np.linalg.slogdet(scatter)[1])
    for _ in range(4 * len(walks)):
        change = 1.0 - 2.0 * walks
        gains = _gains(scatter, pull, give, change)
        better = gains < -LEAST_GAIN
        if not better.any():
            break
        alone = np.arange(len(walks)) == np.argmin(gains)
        moves = [np.where(chosen, change, 0.0) for chosen in (better, alone)]
        moved = [_moved(scatter, pull, give, move) for move in moves]
        logs = np.linalg.slogdet(np.stack(moved))[1]
        which = int(np.argmin(logs))
        walks, log = walks + moves[which], float(logs[which])
        scatter, pull = moved[which], pull + give * moves[which]
    return walks, found.evidence - 0.5 * (data.rows + data.dof) * (log - first)


def _give(data: Regression, tight: Tightness) -> FloatArray:
    """Return the first-lag block of Λ − ΛH⁻¹Λ, (k, k), in a form that keeps its digits where Λ is large."""
    k, D, F = data.Y.shape[1], data.independent(tight), data.dummies(tight)
    _, A = _inverted(data.gram + np.diag(D))
    head = slice(data.fixed, data.fixed + k)
    towards = A @ data.gram[:, head]
    follow = towards - A @ (F.T @ np.linalg.solve(np.eye(k + 1) + F @ A @ F.T, F @ towards))  # H⁻¹ XᵀX
    stay = np.eye(len(D), k, -data.fixed) - follow
    return np.asarray(stay.T @ data.gram @ stay + (follow.T * D) @ follow + (follow.T @ F.T) @ (F @ follow))


def _moved(scatter: FloatArray, pull: FloatArray, give: FloatArray, move: FloatArray) -> FloatArray:
    half = move[:, None] * pull
    return np.asarray(scatter + half + half.T + np.outer(move, move) * give)


def _gains(scatter: FloatArray, pull: FloatArray, give: FloatArray, change: FloatArray) -> NDArray[np.float64]:
    """Return log|S| of each single change less that of none: S + e vᵀ + v eᵀ with v = t u + ½ t² w e."""
    inverse = np.linalg.inv(scatter)
    v = change[:, None] * pull + 0.5 * np.diag(change**2 * give.diagonal())                  # (k, k), one a row
    turned = v @ inverse
    ratio = (1 + turned.diagonal()) ** 2 - inverse.diagonal() * (turned * v).sum(axis=1)
    return np.asarray(np.log(np.maximum(ratio, 1e-300)))
