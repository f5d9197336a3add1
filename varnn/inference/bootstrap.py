"""What the estimates would have been on other samples from the fitted model: simulate, refit, look at the spread.

Called by `Fitted.bootstrap` and by `forecast(uncertainty="bootstrap")`. A VAR is refitted in one compiled batch and
its small-sample bias taken out; any other model is refitted by its own specification. Never changes the fit.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from varnn.display import Shown
from varnn.errors import (
    ConvergenceError,
    ConvergenceWarning,
    ParameterError,
    ResourceLimitError,
    VarnnError,
    callers_level,
)
from varnn.estimate.least_squares.paths import lag_matrices
from varnn.forecaster import Draws, Fitted, Plan, coloured, one_of
from varnn.guide import Guided
from varnn.inference.impulse import ImpulseResponses, impulse_responses
from varnn.series import COPIES, MOST_CELLS, FloatArray, Series, checked_coverage, generator, whole_number
from varnn.shocks import KINDS, Shocks, white_shocks

MOST_SLOW_REFITS = 100  # for models without a batched refit
ENOUGH_REFITS = 0.8  # share that has to succeed


@dataclass(frozen=True, eq=False)
class Bootstrap(Guided, Shown):
    """Replicated estimates of one fit.

    Attributes
    ----------
    fit : Fitted
    params : array (B, c, k)
        Replicates of `fit.params`, bias taken out where `corrected`.
    bias : DataFrame (c, k)
        Mean replicate less estimate.
    corrected : bool
    draws : Draws or None
        Replicates as the model's own draws, where it refits in a batch.
    centre : Draws or None
        The one estimate they lie around: the fit's, less its bias where corrected.
    refits : tuple of Fitted
        The refitted models otherwise, moved to the end of what `fit` has seen.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.VAR(lags=1).fit(np.random.default_rng(0).normal(size=200))
    >>> found = fit.bootstrap(200, rng=0)
    >>> found.params.shape, bool((found.bse > 0).all(axis=None))
    ((200, 2, 1), True)
    """

    fit: Fitted
    params: FloatArray
    bias: pd.DataFrame
    corrected: bool
    draws: Draws | None
    centre: Draws | None
    refits: tuple[Fitted, ...]

    @property
    def bse(self) -> pd.DataFrame:
        """Standard deviations of the replicates: bootstrap standard errors."""
        return self._table(self.params.std(axis=0, ddof=1))

    def interval(self, coverage: float = 0.9) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lower and upper percentile bounds of each parameter.

        Raises
        ------
        ParameterError
            If the coverage is not a number strictly between 0 and 1.
        """
        tail = (1 - checked_coverage(coverage)) / 2
        lower, upper = np.quantile(self.params, [tail, 1 - tail], axis=0)
        return self._table(lower), self._table(upper)

    def responses(self, periods: int = 10) -> list[ImpulseResponses]:
        """Impulse responses of each replicate at steps 0 … periods, of a linear fit.

        Raises
        ------
        ParameterError
            If the fit has no impulse responses.
        """
        steps, names = whole_number(periods, "periods", least=1), self.fit.series.names
        if not hasattr(type(self.fit), "irf"):
            raise ParameterError(f"{self.fit.spec.label} has no impulse responses; ask a VAR, ShrunkVAR or LinearRNN")
        if self.draws is None:
            return [cast("Any", refit).irf(steps) for refit in self.refits]
        lags = cast("Any", self.fit).k_ar
        return [impulse_responses(lag_matrices(weights, lags), sigma, steps, names)
                for weights, sigma in zip(self.draws.weights, self.draws.sigma, strict=True)]

    def _table(self, block: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(block, index=self.fit.params.index, columns=self.fit.params.columns)


def bootstrap(fit: Fitted, replications: int = 999, *, shocks: Shocks = "residuals", corrected: bool = True,
              rng: object = None) -> Bootstrap:
    """Refit the model on samples simulated from the fit.

    Samples keep the first rows of the data and follow the fitted recursion with fresh shocks. Where the model refits
    in a batch (the VAR, at its chosen order) and `corrected`, this is Kilian's bootstrap after bootstrap: a first
    round estimates the bias b of the coefficients, a second simulates from θ̂ − b, and b is taken out of its
    replicates too; each correction is shrunk until it leaves the recursion stable.

    Parameters
    ----------
    fit : Fitted
    replications : int
        Number B of samples; at most 100 are used where every refit is a full estimation.
    shocks : {"residuals", "wild", "block", "gaussian", "student"}
        See `varnn.shocks.white_shocks`.
    corrected : bool
    rng : int or numpy Generator, optional

    Returns
    -------
    Bootstrap

    Raises
    ------
    ParameterError
    ConvergenceError
        If samples overflow (an explosive fit) or too few refits succeed.

    References
    ----------
    Kilian (1998), Small-sample confidence intervals for impulse response functions, Review of Economics and
    Statistics 80(2), 218–230. Clements & Taylor (2001), Int. J. Forecasting 17(2), for forecast intervals.

    Examples
    --------
    >>> from varnn import VAR
    >>> y = np.random.default_rng(0).standard_normal((60, 1))
    >>> y[1:] += 0.5 * y[:-1]
    >>> replicates = bootstrap(VAR(lags=1).fit(y), 99)
    >>> bool(replicates.bias.loc["L1.y1", "y1"] < 0)
    True
    """
    count = whole_number(replications, "replications", least=2)
    one_of(shocks, "shocks", KINDS)
    one_of(corrected, "corrected", (True, False))
    cells = fit.series.values.size
    if count * cells > MOST_CELLS:
        raise ResourceLimitError(f"replications={count} samples of {len(fit.series)} rows of {fit.series.k} series "
                                 f"need about {COPIES * 8e-9 * count * cells:.0f} GB; use replications <= "
                                 f"{max(2, MOST_CELLS // cells)}")
    private = generator(rng)
    samples = samples_of(fit, count, shocks, private, None)
    draws, centre = fit._refit(samples), fit._refit(fit.series.values[None])
    if draws is None or centre is None:
        return _one_by_one(fit, samples[:MOST_SLOW_REFITS], private)
    bias = draws.weights.mean(axis=0) - centre.weights[0]
    if corrected:
        centre = Draws(centre.sigma, fit._debiased(centre.weights, bias))
        again = fit._refit(samples_of(fit, count, shocks, private, centre))
        assert again is not None
        draws = Draws(again.sigma, fit._debiased(again.weights, bias), bias)
    return Bootstrap(fit, draws.weights, pd.DataFrame(bias, index=fit.params.index, columns=fit.params.columns),
                     corrected, draws, centre, ())


def bootstrap_outlook(fit: Fitted, horizon: int, future_exog: FloatArray | None,
                      plan: Plan) -> tuple[FloatArray, FloatArray, None]:
    """Return means (h, k) and paths (m, h, k), each path from one of the bootstrap replicates."""
    m, k = plan.n_paths, fit.series.k
    found = bootstrap(fit, max(m, 2), shocks=plan.shocks, rng=plan.rng)
    white = white_shocks(plan.shocks, fit.resid.to_numpy(), m, horizon, plan.rng)
    if found.draws is not None:
        point = fit._simulate(np.zeros((1, horizon, k)), future_exog, found.centre)[0]
        return point, fit._respond(coloured(white, fit.sigma_u, found.draws), future_exog, found.draws), None
    paths = np.empty((m, horizon, k))
    for i, refit in enumerate(found.refits[:m]):
        own = slice(i, None, len(found.refits))
        paths[own] = refit._simulate(coloured(white[own], refit.sigma_u, None), future_exog)
    return fit._mean(horizon, future_exog), paths, None


def samples_of(fit: Fitted, count: int, shocks: Shocks, rng: np.random.Generator,
               centre: Draws | None = None) -> FloatArray:
    """Simulate samples (B, T, k) from the fit, or from other coefficients, that share its first rows."""
    T = len(fit.series)
    kept = T - len(fit.resid) + 1
    white = white_shocks(shocks, fit.resid.to_numpy(), count, T - kept, rng)
    early, later = (None, None) if fit.exog is None else (fit.exog.window(0, kept), fit.exog.values[kept:])
    begun = replace(fit, seen=fit.series.window(0, kept), seen_exog=early)
    with np.errstate(over="ignore", invalid="ignore"):
        rest = begun._simulate(coloured(white, fit.sigma_u, None), later, centre)
    if not np.isfinite(rest).all():
        raise ConvergenceError(f"the fit of {fit.spec.label} is so explosive that samples of {T} rows simulated from "
                               "it overflow; use uncertainty='full' or fewer lags")
    start = np.broadcast_to(fit.series.values[:kept], (count, kept, fit.series.k))
    return np.concatenate([start, rest], axis=1)


def refits_of(fit: Fitted, count: int, rng: np.random.Generator) -> list[Fitted]:
    """Return the model, with the lags of the fit, estimated anew on `count` samples simulated from it."""
    lags = getattr(fit, "lags", getattr(fit, "k_ar", None))
    fixed = {"lags": lags, "max_lags": None} if hasattr(fit.spec, "max_lags") else {"lags": lags}
    spec = replace(fit.spec, **fixed) if hasattr(fit.spec, "lags") and lags is not None else fit.spec
    samples = samples_of(fit, count, "gaussian", rng)
    return _refitted(replace(fit, spec=spec), samples, rng)


def _one_by_one(fit: Fitted, samples: FloatArray, rng: np.random.Generator) -> Bootstrap:
    """Refit by the model's own specification, and give the units of each refit the order and signs of the fit's."""
    refits = _refitted(fit, samples, rng)
    tables = np.stack([_aligned(fit, refit).reindex(fit.params.index).fillna(0.0).to_numpy()
                       for refit in refits])
    bias = pd.DataFrame(tables.mean(axis=0) - fit.params.to_numpy(), index=fit.params.index, columns=fit.params.columns)
    return Bootstrap(fit, tables, bias, False, None, None, tuple(refits))


def _aligned(fit: Fitted, refit: Fitted) -> pd.DataFrame:
    """Return the parameters of a refit with its units in the order and signs of the fit's."""
    values, exog = fit.series.values, None if fit.exog is None else fit.exog.values
    own, other = fit._unit_outputs(values, exog), refit._unit_outputs(values, exog)
    if own is None or other is None or not own[0] or not other[0]:
        return refit.params
    rows = min(len(own[1]), len(other[1]))
    return aligned_readout(refit.params, other[0], own[1][-rows:], other[1][-rows:])


def aligned_readout(table: pd.DataFrame, units: list[str], own: FloatArray, other: FloatArray) -> pd.DataFrame:
    """Give the read-out rows of a refit's `table` the order and signs of the units of another fit.

    Units may swap places, and change signs, without changing a forecast. They are matched by what they do on the same
    rows: the assignment with the largest sum of |correlation| of their outputs.

    Parameters
    ----------
    table : DataFrame
        Coefficients of the refit; its rows `units` belong to the columns of `other`.
    units : list of str
    own : array (T, n)
        Outputs of the units of the estimate, in order.
    other : array (T, n')
        Outputs of the units of the refit on the same rows.

    Examples
    --------
    >>> own = np.random.default_rng(0).normal(size=(50, 2))
    >>> table = pd.DataFrame({"y": [5.0, 2.0, 3.0]}, index=["const", "unit1", "unit2"])
    >>> aligned_readout(table, ["unit1", "unit2"], own, -own[:, ::-1])["y"].tolist()
    [5.0, -3.0, -2.0]
    """
    from scipy.optimize import linear_sum_assignment

    alike = _correlations(own, other)                                                         # (n, n')
    mine, theirs = linear_sum_assignment(-np.abs(alike))
    rest = table.drop(index=units)
    rows = np.zeros((own.shape[1], table.shape[1]))
    readout = table.loc[units].to_numpy()
    for a, b in zip(mine, theirs, strict=True):
        rows[a] = readout[b] * (-1.0 if alike[a, b] < 0 else 1.0)
    stem = units[0].rstrip("0123456789")
    named = pd.DataFrame(rows, index=[f"{stem}{i + 1}" for i in range(len(rows))], columns=table.columns)
    return pd.concat([rest, named])


def _correlations(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the correlations of the columns of a (T, n) with those of b (T, m); 0 where one does not move."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    sizes = np.sqrt(np.outer((a**2).sum(axis=0), (b**2).sum(axis=0)))
    return np.asarray((a.T @ b) / np.where(sizes > 0, sizes, 1.0))


def _refitted(fit: Fitted, samples: FloatArray, rng: np.random.Generator) -> list[Fitted]:
    """Refit by the model's own specification; failed refits are left out, too many raise."""
    count = len(samples)
    streams = rng.spawn(count)
    refits: list[Fitted] = []
    failure: VarnnError | None = None
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ConvergenceWarning)
        for values, stream in zip(samples, streams, strict=True):
            try:
                refit = fit.spec.fit(Series(values.copy(), fit.series.names, fit.series.index), fit.exog, rng=stream)
            except VarnnError as problem:
                failure = problem
                continue
            refits.append(replace(refit, seen=fit.seen, seen_exog=fit.seen_exog))
    if len(refits) < ENOUGH_REFITS * count or len(refits) < 2:
        raise ConvergenceError(f"{count - len(refits)} of {count} bootstrap refits of {fit.spec.label} failed, the "
                               f"last with: {failure}") from failure
    slow = sum(issubclass(one.category, ConvergenceWarning) for one in heard)
    if slow:
        warnings.warn(f"{slow} of {count} bootstrap refits of {fit.spec.label} stopped early; their best points are "
                      "used", ConvergenceWarning, stacklevel=callers_level())
    return refits
