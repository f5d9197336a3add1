"""Least squares and lag orders of a panel: the rows of all its series in one regression, no row across two of them.

Called by `levels`, `linear_starts` and `linear_choice`, in standard units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr

from varnn.errors import RankDeficientError
from varnn.estimate.least_squares.order import OrderSearch, criteria_of, log_determinants_of
from varnn.estimate.linear.likelihood import Sample

Array = npt.NDArray[np.float64]
DETERMINED = 1e-10  # smallest diagonal of R, of columns of unit length, that determines a coefficient


def regressors_of_panel(sample: Sample) -> tuple[Array, Array]:
    """Return the rows (w_t, y_{t-1}, …, y_{t-p}) of all series from `start` on, and y_t beside them."""
    seen, said = [], []
    start = sample.start
    for part in sample.parts:
        T = len(part.values)
        lags = [part.values[start - lag : T - lag] for lag in range(1, part.lags + 1)]
        seen.append(np.hstack([part.inputs[start:], *lags]))
        said.append(part.values[start:])
    return np.vstack(seen), np.vstack(said)


def regression_of_panel(sample: Sample, intercept: bool) -> Array:
    """Return the least-squares coefficients (1, w, lags) of all series together, shape (d, k)."""
    X, Y = regressors_of_panel(sample)
    if intercept:
        X = np.hstack([np.ones((len(X), 1)), X])
    scale = np.sqrt((X * X).sum(axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    Q, R = np.linalg.qr(X / scale)
    if len(X) < X.shape[1] or np.abs(np.diag(R)).min(initial=1.0) < DETERMINED:
        raise RankDeficientError(f"the {X.shape[1]} regressors of the panel are not independent on its {len(X)} rows: "
                                 "columns of y or X move together in all series; leave one out or use fewer lags")
    return np.asarray(np.linalg.solve(R, Q.T @ Y) / scale[:, None])


def orders_of_panel(sample: Sample, max_lags: int, trend: str) -> OrderSearch:
    """Compute the criteria of `order.search_orders` for one VAR of all series, orders up to `max_lags`.

    Every order explains the rows of each series after its first `max_lags`.
    """
    centred = trend != "n"
    g, n = sample.inputs.shape[1], len(sample.values) - max_lags * len(sample.parts)
    X, Y = regressors_of_panel(Sample(sample.values, sample.inputs, max_lags, max_lags, sample.lengths))
    columns = np.hstack([X, Y])
    if centred:
        columns = columns - columns.mean(axis=0)
    scale = np.sqrt((columns * columns).sum(axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    upper: Array = np.asarray(qr(columns / scale, mode="r")[0], dtype=np.float64)
    d = X.shape[1]
    log_det = log_determinants_of(upper[g : columns.shape[1], d:], scale[d:])
    return criteria_of(log_det, len(scale) - d, g + centred, max_lags, n)


def noise_of_each(errors: Sequence[Array], sigma: Array, *, from_means: bool) -> Array:
    """Return the variance of each series' innovations in units of the common one, `towards_one` for what is chance.

    Parameters
    ----------
    errors : sequence of array (n_i, k)    innovations in standard units
    sigma : array (k, k)                   common covariance
    from_means : bool                      whether sigma is of errors about the means of the B series, which takes one
                                           degree of freedom from each: then times (n - 1)/(n - B), n rows in all

    Examples
    --------
    >>> e = np.random.default_rng(0).standard_normal((2, 1000, 1))
    >>> noise_of_each([e[0], 2 * e[1]], np.eye(1), from_means=True).round(2).tolist()
    [0.38, 1.63]
    """
    precision, rows = np.linalg.inv(sigma), np.array([len(e) for e in errors])
    sums = np.array([np.einsum("ti,ij,tj", e, precision, e) for e in errors])
    ratios = towards_one(sums / rows * (rows.sum() / sums.sum()), 2.0 / (rows * len(sigma)))
    n, B = int(rows.sum()), len(errors)
    return np.asarray(ratios * ((n - 1) / max(n - B, 1) if from_means else 1.0))


def towards_one(ratios: Array, chance: Array) -> Array:
    r"""Return ratios (B, …) of mean 1 less what of their differences is chance.

    .. math:: r_i = 1 + \frac{\tau^2}{\tau^2 + v_i} (\hat r_i - 1), \quad
              \tau^2 = \max\left(0, \frac{\sum v_i^{-1} ((\hat r_i - 1)^2 - v_i)}{\sum v_i^{-1}}\right)

    with v the variance of a ratio by chance: one of few rows counts for little, and for nothing where the ratios differ
    no more than chance has it.

    References
    ----------
    Efron and Morris (1973), Stein's estimation rule and its competitors, JASA 68, 117-130.

    Examples
    --------
    >>> [towards_one(np.array([0.5, 1.5]), np.full(2, chance)).round(3).tolist() for chance in (0.0, 0.1, 1.0)]
    [[0.5, 1.5], [0.7, 1.3], [1.0, 1.0]]
    """
    chance = np.broadcast_to(np.maximum(chance, 1e-12), ratios.shape)
    spread = np.maximum(0.0, (((ratios - 1.0) ** 2 - chance) / chance).sum(axis=0) / (1.0 / chance).sum(axis=0))
    return np.asarray(1.0 + spread / (spread + chance) * (ratios - 1.0))


def own_constants(shared: Array, own: Array, constants: Sequence[int]) -> Array:
    """Return the information on the weights of one series: a level of its own beside slopes known from all.

    The slopes w have the panel's information once the constants c are taken out, the constants that of the series:
    H = (S_w + O_wc O_c⁻¹ O_cw, O_wc; O_cw, O_c) with S_w = S_ww - S_wc S_c⁻¹ S_cw.

    Parameters
    ----------
    shared, own : array (f, f)     information of the panel and of the series
    constants : sequence of int    which weights are constants

    Examples
    --------
    >>> H = np.array([[9.0, 2.0], [2.0, 4.0]])
    >>> own_constants(H, H, [0]).tolist()
    [[9.0, 2.0], [2.0, 4.0]]
    """
    c = np.asarray(constants, dtype=np.intp)
    if not len(c):
        return shared
    w = np.setdiff1d(np.arange(len(shared)), c)
    out = own.copy()
    known = [H[np.ix_(w, c)] @ np.linalg.solve(H[np.ix_(c, c)], H[np.ix_(c, w)]) for H in (shared, own)]
    out[np.ix_(w, w)] = shared[np.ix_(w, w)] - known[0] + known[1]
    return out
