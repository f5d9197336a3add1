"""Levels and scales of the series of a panel, under one VAR for all of them.

Called by `models.shared_weights`, in standard units.

A level and a scale that are estimated from the very rows that are explained make these predictable: what was high has
to come down for the mean to be what it is.  Slopes are biased towards zero for it (Nickell, 1981), and with many short
series the effect is found, and taken for long lags or for a memory.  So levels count as unknown, and where series are
alike but for their scale it is taken from their innovations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_discrete_lyapunov

from varnn.estimate.least_squares.order import Criterion, criteria_of
from varnn.estimate.numerics.companion import companion
from varnn.estimate.numerics.covariance import positive
from varnn.estimate.panel.pooled import towards_one

Array = npt.NDArray[np.float64]
Known = tuple[Array, Array, Array]  # level, covariance and scale of each series
STEPS, TOLERANCE = 100, 1e-6  # most steps of the EM algorithm, and the change of a parameter at which it ends
ROUNDS = 5                    # most choices of the order, each with the levels that the one before gives
LEAST = 1e-6                  # variance of innovations, of the mean one, below which a series counts as without any


@dataclass(frozen=True, eq=False)
class Common:
    """One VAR for all series, less their levels and divided by their scales.

    slopes : array (k·lags, k)    y_t = Σ_j slopes_j' y_{t-j} + u_t
    sigma : array (k, k)          covariance of u_t
    rows : int                    a usual length: roots are held at 1 − 1/rows, slower reversion is not seen in as many
    """

    slopes: Array
    sigma: Array
    rows: int

    @property
    def lags(self) -> int:
        """Order."""
        return len(self.slopes) // len(self.sigma)

    @cached_property
    def companion(self) -> Array:
        """Companion matrix of the VAR with its roots held; of order 0 as of order 1, its slopes zero."""
        k, p = len(self.sigma), max(self.lags, 1)
        slopes = self.slopes if self.lags else np.zeros((k, k))
        C = companion(slopes.reshape(p, k, k).swapaxes(1, 2))
        radius, limit = np.abs(np.linalg.eigvals(C)).max(), 1.0 - 1.0 / self.rows
        if radius > limit:
            C[:k] *= np.repeat((limit / radius) ** np.arange(1, p + 1), k)
        return C

    @cached_property
    def covariance(self) -> Array:
        """Covariance of (y_t, …, y_{t-p+1})."""
        Q, k = np.zeros_like(self.companion), len(self.sigma)
        Q[:k, :k] = self.sigma
        return np.asarray(solve_discrete_lyapunov(self.companion, Q))

    def level(self, rows: int) -> tuple[Array, Array]:
        r"""Return the weights (rows·k, k) of observations in the estimate of a level, and its covariance (k, k).

        .. math:: \hat\mu = V\, 1'\Omega^{-1} y, \quad V = (1'\Omega^{-1}1)^{-1}

        with Ω the covariance of all rows, whose inverse is that of the first and the filter of the others.
        """
        k, p = len(self.sigma), min(max(self.lags, 1), rows)
        A = self.companion[:k].reshape(k, -1, k).swapaxes(0, 1)
        pull = np.linalg.solve(self.sigma, np.eye(k) - A.sum(axis=0))
        weights = np.zeros((rows, k, k))
        weights[p:] += pull
        for lag in range(1, p + 1):
            weights[p - lag : rows - lag] -= A[lag - 1].T @ pull
        first = self.covariance[: k * p, : k * p]
        weights[:p] += np.linalg.solve(first, np.tile(np.eye(k), (p, 1))).reshape(p, k, k)[::-1]
        V = np.linalg.inv(weights.sum(axis=0))
        return np.asarray((weights @ V).reshape(rows * k, k)), np.asarray(0.5 * (V + V.T))

    def spread_of_variances(self) -> Array:
        """Return Σ_h ρ(h)² − 1 of each series, (k,): n/2 times the relative variance of innovations over that of y."""
        k, power, total = len(self.sigma), self.covariance, np.zeros(len(self.sigma))
        variances = np.diag(power)[:k]
        for _ in range(1, self.rows):
            power = self.companion @ power
            squares = (np.diag(power[:k, :k]) / variances) ** 2
            total += 2.0 * squares
            if squares.max() < 1e-9:
                break
        return total


@dataclass(frozen=True, eq=False)
class Levels:
    """What is known of the series beside what they share.

    common : Common
    products : array (k·lags, k·lags)    sum over all rows of the products of its regressors
    level : array (B, k)          where each series is
    covariance : array (B, k, k)  of what is not known of that
    scale : array (B, k)          by which each is divided; `common` is of the quotients
    """

    common: Common
    products: Array
    level: Array
    covariance: Array
    scale: Array

    def drawn(self, rng: np.random.Generator) -> Array:
        """Return what may be left of each level once `level` is taken out, (B, k), in units of `scale`."""
        roots = np.linalg.cholesky(self.covariance) / self.scale[:, :, None]
        return np.asarray(np.einsum("bij,bj->bi", roots, rng.standard_normal(self.level.shape)))


@dataclass(frozen=True, eq=False)
class _Moments:
    """Sums over the rows of each series that have all lags: of products of (y_t … y_{t-p}), of them alone, of ones."""

    products: Array
    sums: Array
    rows: Array

    @classmethod
    def of(cls, stacks: Sequence[Array], lags: int, start: int) -> _Moments:
        products, sums, rows = [], [], []
        for Y in stacks:
            windows = np.lib.stride_tricks.sliding_window_view(Y[:, start - lags :], lags + 1, axis=1)  # B, n, k, p + 1
            X = windows[..., ::-1].swapaxes(2, 3).reshape(len(Y), Y.shape[1] - start, -1)
            products.append(X.swapaxes(1, 2) @ X)
            sums.append(X.sum(axis=1))
            rows.append(np.full(len(Y), X.shape[1], dtype=np.float64))
        return cls(np.concatenate(products), np.concatenate(sums), np.concatenate(rows))

    def less(self, level: Array, covariance: Array, scale: Array) -> Array:
        """Return the products (B, d, d) expected of rows less their level, in units of the scale."""
        times = self.sums.shape[1] // level.shape[1]
        at, by = np.tile(level, times), np.tile(scale, times)
        cross = self.sums[:, :, None] * at[:, None, :]
        own = at[:, :, None] * at[:, None, :] + np.tile(covariance, (times, times))
        return np.asarray((self.products - cross - cross.swapaxes(1, 2) + self.rows[:, None, None] * own)
                          / (by[:, :, None] * by[:, None, :]))


def levels_of(values: Sequence[Array], *, lags: int | None, longest: int, criterion: Criterion = "aic") -> Levels:
    """Estimate the VAR, the levels and the scales in turn, until they agree.

    The levels are integrated out of the likelihood (EM, with a flat prior: restricted maximum likelihood).  Scales are
    standard deviations of the innovations as far as these are a common multiple of those of the series.

    Parameters
    ----------
    values : sequence of array (T_i, k)    series in standard units
    lags : int, optional                   order; by `criterion` when left out
    longest : int                          the most it may be

    References
    ----------
    Nickell (1981), Econometrica 49(6). Patterson & Thompson (1971), Biometrika 58(3). Cheang & Reinsel (2000), JASA 95.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal((400, 70, 1))
    >>> for t in range(1, 70):
    ...     y[:, t] += 0.6 * y[:, t - 1]
    >>> centred = [(one - one.mean()) / one.std() for one in y[:, 50:]]
    >>> once = np.sum([one[:-1].T @ one[1:] for one in centred]) / np.sum([one[:-1].T @ one[:-1] for one in centred])
    >>> round(once.item(), 2), levels_of(centred, lags=1, longest=1).common.slopes.round(2).item()
    (0.44, 0.59)
    """
    k, lengths = values[0].shape[1], np.array([len(y) for y in values])
    order = np.argsort(lengths, kind="stable")
    counts = np.unique(lengths, return_counts=True)[1]
    stacks = [np.stack([values[i] for i in order[end - count : end]])
              for count, end in zip(counts, np.cumsum(counts), strict=True)]
    known = (np.concatenate([Y.mean(axis=1) for Y in stacks]), np.zeros((len(values), k, k)), np.ones((len(values), k)))
    usual = int(np.median(lengths))
    if lags is not None:
        common, products, known = _agreed(stacks, known, lags, usual)
    else:
        every = _Moments.of(stacks, longest, longest)
        tried: list[int] = []
        p = _best(every.less(*known).sum(axis=0), k, int(every.rows.sum()), "bic")
        while p not in tried and len(tried) < ROUNDS:
            tried.append(p)
            common, products, known = _agreed(stacks, known, p, usual)
            p = _best(every.less(*known).sum(axis=0), k, int(every.rows.sum()), criterion)
    back = np.argsort(order, kind="stable")
    return Levels(common, products, *(part[back] for part in known))


def _agreed(stacks: Sequence[Array], known: Known, lags: int, usual: int) -> tuple[Common, Array, Known]:
    """Estimate the VAR of an order, and with it what is known of the series; return also the products of regressors."""
    k, moments = stacks[0].shape[2], _Moments.of(stacks, lags, lags)
    old = np.zeros((k * (lags + 1), k))
    for _ in range(STEPS):
        each = moments.less(*known)
        gram, n = each.sum(axis=0), moments.rows.sum()
        slopes = np.linalg.pinv(gram[k:, k:], hermitian=True) @ gram[k:, :k]
        common = Common(slopes, positive((gram[:k, :k] - slopes.T @ gram[k:, :k]) / n), usual)
        now = np.vstack([slopes, common.sigma])
        if np.abs(now - old).max() < TOLERANCE:
            break
        old = now
        scale = known[2]
        take = np.vstack([np.eye(k), -slopes])
        left = np.einsum("bij,ik,jk->bk", each, take, take) / moments.rows[:, None] * scale**2   # in standard units
        ratios = np.maximum(left / np.maximum(left.mean(axis=0), LEAST), LEAST)
        scale = np.sqrt(ratios / towards_one(ratios, 2.0 / moments.rows[:, None] * common.spread_of_variances()))
        levels, covariances, at = [], [], 0
        for Y in stacks:
            weights, V = common.level(Y.shape[1])
            by = scale[at : at + len(Y)]
            levels.append((Y / by[:, None]).reshape(len(Y), -1) @ weights * by)
            covariances.append(V * by[:, :, None] * by[:, None, :])
            at += len(Y)
        known = np.concatenate(levels), np.concatenate(covariances), scale
    return common, gram[k:, k:], known


def _best(gram: Array, k: int, n: int, criterion: Criterion) -> int:
    """Return the order with the smallest value of a criterion, all on the same rows."""
    logs = []
    for d in range(k, len(gram) + 1, k):
        seen, cross = gram[k:d, k:d], gram[k:d, :k]
        explained = cross.T @ np.linalg.pinv(seen, hermitian=True) @ cross if d > k else 0.0
        logs.append(np.linalg.slogdet(gram[:k, :k] - explained)[1])
    return criteria_of(np.array(logs), k, 1, len(logs) - 1, n).best(criterion)
