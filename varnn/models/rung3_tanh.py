"""Rung 3, the tanh RNN: s_t = tanh(W_hh s_{t-1} + W_xh x_t + W_eh e_t + b), u_t = A u_{t-1} + B x_t + W_hy s_t.

Called by users and by the ladder.  Structure and weights are found by `varnn.estimate.tanh.search`; paths are drawn by
`varnn.estimate.tanh.mixture`; nothing here loops over time.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from varnn.display import count
from varnn.errors import (
    ConvergenceWarning,
    InputError,
    ParameterError,
    RankDeficientError,
    RationWarning,
    callers_level,
)
from varnn.estimate.least_squares.order import default_max_lags, search_orders
from varnn.estimate.least_squares.redundant import warn_of_near_copies, warn_of_redundant_lags
from varnn.estimate.least_squares.regression import Trend, fit_var, fixed_regressors, regressor_names, rows_needed
from varnn.estimate.linear.lag_choice import affordable_beside_a_memory
from varnn.estimate.linear.units import Units
from varnn.estimate.log_evidence import LogEvidence
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.numerics.threads import one_thread
from varnn.estimate.tanh.evidence import chosen_rung, effective_by_block
from varnn.forecaster import Draws, Fitted, Forecaster, need_rows, one_of
from varnn.models.rung2_linear import FittedLinearRNN, LinearRNN, rationed, warn_of_an_unfinished_descent
from varnn.models.rung2_linear import fit_windows as linear_windows
from varnn.series import FloatArray, Series, checked_weights, whole_number

if TYPE_CHECKING:
    from varnn.estimate.tanh.mixture import Particles
    from varnn.estimate.tanh.search import Found
    from varnn.estimate.tanh.structure import Data, Member

STARTS_SEED = 0   # of the starts: the same data have the same fit, whatever the seed of its draws
FEW = 500          # rows up to which a linearity test speaks for tanh units that do not predict surely better
TESTED_DRAWS = 199  # of its bootstrap
ANTITHETIC = 256  # pairs of mirrored shocks behind a mean beyond one step


@dataclass(frozen=True, kw_only=True)
class TanhRNN(Forecaster):
    """Recurrent network of tanh units beside the linear RNN, everything left out chosen by the evidence.

    s_t = tanh(W_hh s_{t-1} + W_xh x_t + W_eh e_t + b),   u_t = A u_{t-1} + B x_t + W_hy s_t,   y_t = u_t + error
    with x_t = (trend, y_{t-1} … y_{t-p}, z_t) and e_t the last two innovations y - u.  W_hy = 0 is the linear RNN.

    Parameters
    ----------
    lags : int, optional
        p; chosen by the evidence on the training data when left out.  0 with exogenous X: driven by X alone.
    width : int, optional
        Number n of tanh units.  When left out it is chosen, and 0 (the linear rungs) unless tanh units predict surely
        better, see `varnn.estimate.tanh.evidence.paired_gain`.
    skip : bool
        Linear part beside the tanh units; False is the lecture's y_t = W_hy s_t + c, s_t = tanh(W_hh s_{t-1} +
        W_xh x_t + b).
    trend : {"c", "n", "ct"}
        Constant, none, or constant and linear trend, in the linear part.
    starts : int
        Starts for each structure. They follow from the data alone: another seed gives the same fit, and other draws.
    max_lags : int, optional
        Largest p considered when `lags` is left out; by default a tenth of the rows for each series, at most 12,
        but never less than the order AIC gives the VAR, unless k² p > 3000: a RationWarning says so.  Memory (W_hh,
        W_eh and that of the linear part) is then tried beside lags up to T · (k² p)² = 1e9; a `max_lags` that is
        given holds for both, whatever it costs.
    season : int, optional
        Observations in a season, around which the shrunken VAR below has lags; found from the dates when left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.zeros(301)
    >>> for t in range(1, 301):
    ...     y[t] = np.sign(y[t - 1]) + rng.normal()
    >>> fit = TanhRNN(lags=1, width=2, starts=1).fit(y[1:])
    >>> round(float(fit.forecast(1).point[0, 0]), 1) == round(float(np.sign(y[-1])), 1) or fit.width
    2

    References
    ----------
    Elman (1990), Finding structure in time; MacKay (1992), A practical Bayesian framework for backpropagation networks.
    """

    lags: int | None = None
    width: int | None = None
    skip: bool = True
    trend: Trend = "c"
    starts: int = 2
    max_lags: int | None = None
    season: int | None = None
    rung: ClassVar[int | None] = 3

    def __post_init__(self) -> None:
        if self.lags is not None:
            whole_number(self.lags, "lags", least=0)
        if self.width is not None:
            whole_number(self.width, "width", least=0 if self.skip is True else 1)
        one_of(self.skip, "skip", (True, False))
        one_of(self.trend, "trend", ("c", "n", "ct"))
        whole_number(self.starts, "starts", least=1)
        if self.max_lags is not None:
            whole_number(self.max_lags, "max_lags", least=1)
        if self.season is not None:
            whole_number(self.season, "season", least=1)

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> FittedTanhRNN:
        from varnn.estimate.tanh.search import Found, search, surely_better
        from varnn.estimate.tanh.structure import Space, standardised

        most, with_memory = self._check(series, exog)
        data, units = standardised(series, exog, self.trend)
        space = Space(self.lags, self.width, self.skip, most, with_memory, self.starts)
        plain = Found((), {})
        if self.width == 0 and self.lags != 0:
            return self._linear(series, exog, plain)
        if self.width is None and self.lags != 0 and not affordable_beside_a_memory(len(series), series.k):
            warnings.warn(rationed(self.label, series, "width=3"), RationWarning, stacklevel=callers_level())
            return self._linear(series, exog, plain)
        linearity = cache(lambda: self._linearity(series, exog))
        with one_thread():
            found = search(data, space, np.random.default_rng(STARTS_SEED), linearity)
        if not found.members:
            raise ParameterError(f"no start of {self.label} converged on these {len(series)} rows; use fewer lags or a "
                                 "smaller width")
        if self.lags != 0 and self.width is None:
            below = self._linear(series, exog, found)
            with one_thread():
                found = surely_better(found, below.members[0], below.left_out, linearity)
            if not found.members:
                return replace(below, certainty=found.certainty)
        fit = replace(_fitted(self, series, exog, found.members, units, series, exog), rungs=found.rungs,
                      certainty=found.certainty, draws_seed=int(rng.integers(2**62)))
        if not fit.stop.converged:
            warnings.warn(unfinished(self.label, fit.members[0]), ConvergenceWarning, stacklevel=callers_level())
        return fit

    def _linearity(self, series: Series, exog: Series | None) -> float:
        """Return the p-value of a linearity test with the lags that BIC gives a VAR; 1 where rows are many."""
        from varnn.inference.system_linearity import lags_for_test, system_linearity

        if len(series) > FEW or self.lags == 0:
            return 1.0
        inputs = None if exog is None else exog.values
        longest = default_max_lags(len(series), series.k, self.trend, 0 if exog is None else exog.k)
        usual = search_orders(series.values, longest, self.trend, inputs, names=regressor_names(
            series.names, longest, self.trend, () if exog is None else exog.names)).best("bic")
        lags = lags_for_test(series.k, usual)
        try:
            test = system_linearity(series.values, lags, self.trend, inputs, draws=TESTED_DRAWS, rng=STARTS_SEED)
        except InputError:
            return 1.0
        return test.pvalue

    def _linear(self, series: Series, exog: Series | None, found: Found) -> FittedTanhRNN:
        """Return the linear RNN with the same settings, the rung below, where no tanh unit pays."""
        from varnn.estimate.tanh.mixture import linear_member
        from varnn.estimate.tanh.structure import standardised

        max_lags = self.max_lags if self.lags is None else None
        linear = LinearRNN(lags=self.lags, max_lags=max_lags, trend=self.trend, season=self.season)
        below = linear_windows(linear, [series], [exog])[0]
        warn_of_an_unfinished_descent(self.label, below)
        data, units = standardised(series, exog, self.trend)
        with one_thread():
            member = linear_member(data, below.estimate, below.lags, below.widening)
        return replace(_fitted(self, series, exog, (member,), units, series, exog), rungs=found.rungs,
                       certainty=found.certainty, linear=below)

    def lift(self, below: FittedLinearRNN, *, rng: object = None) -> FittedTanhRNN:
        """Return this model holding the fitted linear RNN: W_hy = 0, the same forecasts to rounding error.

        Parameters
        ----------
        below : FittedLinearRNN
        rng : int or numpy Generator, optional
            Seed of the tanh units' other weights, which do not matter while W_hy = 0.
        """
        from varnn.estimate.tanh.mixture import lifted
        from varnn.estimate.tanh.structure import standardised
        from varnn.series import generator

        trend = below.spec_trend
        data, units = standardised(below.series, below.exog, trend)
        width = 3 if self.width is None else self.width
        member = lifted(data, below.estimate.weights, below.estimate.sigma, below.lags, width, generator(rng))
        model = TanhRNN(lags=below.lags, width=width, trend=trend)
        return _fitted(model, below.series, below.exog, (member,), units, below.seen, below.seen_exog)

    def _check(self, series: Series, exog: Series | None) -> tuple[int, int]:
        """Refuse what cannot be fitted and return the most lags to consider, without and beside a memory."""
        from varnn.estimate.tanh.structure import lag_limits

        k, T, q = series.k, len(series), 0 if exog is None else len(exog.names)
        if self.lags == 0 and exog is None:
            raise ParameterError("lags=0 without X leaves nothing to drive the recursion; give exogenous columns or "
                                 "lags=1")
        least = 1 if self.lags is None else self.lags
        width = self.width or 0
        checked_weights(self.label, "width", width, width * (width + 1 + k))
        need_rows(f"TanhRNN(lags={least})", series, rows_needed(k, least, self.trend, q) + k + 6,
                  "use fewer lags or a longer series")
        for name, spread in zip(series.names, np.ptp(series.values, axis=0), strict=True):
            if spread == 0.0:
                raise RankDeficientError(f"the column {name!r} is constant, so nothing about it can be estimated; "
                                         "leave it out")
        names = regressor_names(series.names, least, self.trend, () if exog is None else exog.names)
        fit_var(series.values, least, self.trend, None if exog is None else exog.values, names=names)
        warn_of_near_copies(self.label, series, exog, stacklevel=5)
        if self.lags is not None:
            return self.lags, self.lags
        longest = default_max_lags(T, k, self.trend, q) if self.max_lags is None else self.max_lags
        warn_of_redundant_lags(self.label, series, exog, self.trend, min(longest, (T - 2 * q - 10) // (3 * k)),
                               stacklevel=5)
        most, with_memory, usual = lag_limits(series, exog, self.trend, self.max_lags)
        if most < usual:
            warnings.warn(f"{self.label} tries {most} of the {usual} lags that AIC gives a VAR of {T} rows and can be "
                          f"behind it; max_lags={usual} tries them all", RationWarning,
                          stacklevel=callers_level())
        return most, with_memory


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedTanhRNN(Fitted):
    """A fitted tanh RNN: a small mixture of optima weighted by their evidence.

    Attributes
    ----------
    members : tuple of Member
        The optima in standard units, the most probable first.
    units : Units
        From standard units to those of the series.
    rungs : dict
        Best log evidence that the search found for each rung, all on the same rows; empty for a lifted fit.
    certainty : float
        t statistic of the paired leave-one-out losses of tanh units against the linear rungs, which keeps them above 2.
    draws_seed : int
        Seed of the posterior draws of the weights, which are made once and serve all forecasts of the fit.
    linear : FittedLinearRNN, optional
        The rung below, where no tanh unit pays: every answer is its answer, and the one member holds its weights.

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=(120, 1)).cumsum(axis=0)
    >>> fit = varnn.TanhRNN(lags=1).fit(y, rng=0)
    >>> fit.chosen, fit.width                                      # no unit pays on a random walk
    ('VAR', 0)
    """

    members: tuple[Member, ...]
    units: Units
    rungs: dict[str, float] = field(default_factory=dict)
    certainty: float = 0.0
    draws_seed: int = 0
    linear: FittedLinearRNN | None = None

    @cached_property
    def _below(self) -> FittedLinearRNN | None:
        """The rung below that answers in this one's place, having seen as much."""
        return None if self.linear is None else replace(self.linear, seen=self.seen, seen_exog=self.seen_exog)

    @property
    def left_out(self) -> FloatArray:
        """Residuals with each date left out, to first order, of the most probable member; standard units, (rows, k)."""
        below = None if self.linear is None else self.linear.shrunken
        return self.members[0].optimum.loo if below is None else below.left_out / self.units.scale

    @property
    def lags(self) -> int:
        """Lags that the most probable member sees."""
        return self.members[0].presample

    @property
    def width(self) -> int:
        """Tanh units of the most probable member; 0 where the linear rungs were kept."""
        return self.members[0].optimum.design.n

    @property
    def chosen(self) -> str:
        """Rung that the training data call for: "VAR", "LinearRNN" or "TanhRNN"; see `evidence.chosen_rung`."""
        if self.linear is not None:
            return "LinearRNN" if self.linear.A.any() else "VAR"
        return chosen_rung(self.members[0].optimum, self.rungs)

    @property
    def stop(self) -> Stop:
        """Why the optimiser of the most probable member stopped."""
        return self.members[0].optimum.stop

    @property
    def evidence(self) -> LogEvidence:
        """Log evidence (Laplace) of the most probable member, of the rows and in the units that `evidence.sample` says.

        All members and `rungs` are on these rows; evidences of other rows or rules refuse to be compared.
        """
        if self.linear is not None:
            return self.linear.evidence
        best = self.members[0]
        return LogEvidence.of(best.evidence, self.series, best.optimum.design.rows, self.units.scale,
                              "Laplace, given the rows before")

    @cached_property
    def effective_params(self) -> dict[str, float]:
        """Number of weights that the data determined, block by block, of the most probable member."""
        return effective_by_block(self.members[0].optimum)

    def _warn_unless_stable(self, what: str) -> None:
        """Warn as the rung below does where it answers; beside tanh units the roots of the linear part are not all."""
        if self._below is not None:
            self._below._warn_unless_stable(what)

    @property
    def n_params(self) -> int:
        """Weights that the data determined, averaged over the members."""
        return round(sum(member.weight * member.optimum.effective for member in self.members))

    @property
    def sigma_u(self) -> FloatArray:
        """Covariance of the errors, (k, k): residual covariance E'E/(T − weights), or that of the rung below."""
        return super().sigma_u if self.linear is None else self.linear.sigma_u

    @property
    def df_resid(self) -> int:
        """Observations less weights for each equation."""
        if self.linear is not None:
            return self.linear.df_resid
        return max(self.nobs - round(self.n_params / self.series.k), 1)

    @cached_property
    def weights(self) -> dict[str, pd.DataFrame]:
        """Weights of the most probable member by block, in the units of the series, labelled.

        A, B (linear part), W_hy (read-out), W_xh with intercept (inputs), W_eh (innovations, or forecasts where
        lags=0), W_hh (memory).
        """
        from varnn.estimate.tanh.mixture import blocks

        member = self.members[0]
        others = () if self.exog is None else self.exog.names
        return blocks(member, self.units, list(self.series.names), list(others), _spec(self).trend)

    @cached_property
    def weights_sd(self) -> dict[str, pd.DataFrame]:
        """Posterior standard deviations (Laplace) of `weights`, with the same labels."""
        from varnn.estimate.tanh.mixture import spreads

        others = () if self.exog is None else self.exog.names
        return spreads(self.members[0], self.units, list(self.series.names), list(others), _spec(self).trend)

    @cached_property
    def bse(self) -> pd.DataFrame:
        """Posterior standard deviations of `params`, of the most probable member."""
        from varnn.estimate.tanh.mixture import equations

        return equations(self.weights_sd, list(self.series.names))

    @cached_property
    def votes(self) -> pd.DataFrame:
        """Weight of each member in each of `fittedvalues`, columns member1, member2, …; rows sum to 1."""
        from varnn.estimate.tanh.mixture import weighed

        if self.linear is not None:
            return pd.DataFrame({"member1": np.ones(len(self.fittedvalues))}, index=self.fittedvalues.index)
        with one_thread():
            _, votes = weighed(self.members, self._data(self.series.values,
                                                        None if self.exog is None else self.exog.values))
        rows = votes[:, :-1].T
        return pd.DataFrame(rows, index=self.series.index[len(self.series) - len(rows):],
                            columns=[f"member{j + 1}" for j in range(len(self.members))])

    @property
    def A(self) -> FloatArray:
        """Memory of the identity units, shape (m, m)."""
        return self.weights["A"].to_numpy()

    @property
    def B(self) -> FloatArray:
        """Inputs of the identity units, shape (m, columns)."""
        return self.weights["B"].to_numpy()

    @property
    def W_hh(self) -> FloatArray:
        """Memory of the tanh units, shape (n, n); zeros where the evidence took it out."""
        return self.weights["W_hh"].to_numpy()

    @property
    def W_xh(self) -> FloatArray:
        """Weights of the inputs in the tanh units, intercept first, shape (n, 1 + columns)."""
        return self.weights["W_xh"].to_numpy()

    @property
    def W_hy(self) -> FloatArray:
        """Read-out of the tanh units, shape (m, n)."""
        return self.weights["W_hy"].to_numpy()

    def to_torch(self) -> Any:
        """Return the most probable member as torch modules (rnn, readout, linear), in the units of the series.

        The forecasts are ``readout(rnn(x)[0]) + linear(z)`` with x and z the rows of inputs without and with constants:
        x_t = (z_t, y_{t-1} … y_{t-p}).  Needs a member without feedback of innovations.

        Returns
        -------
        TorchParts
        """
        from varnn.estimate.tanh.mixture import to_torch

        return to_torch(self.members[0], self.units)

    # --- what every rung writes ----------------------------------------------------------------

    def _data(self, values: FloatArray, exog: FloatArray | None) -> Data:
        from varnn.estimate.tanh.structure import in_units

        return in_units(values, exog, _spec(self).trend, self.units)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        if self._below is not None:
            return self._below._one_step(values, exog)
        from varnn.estimate.tanh.mixture import one_step

        with one_thread():
            predicted, _ = one_step(self.members, self._data(values, exog))
        return np.asarray(self.units.back(predicted))

    def _unit_outputs(self, values: FloatArray, exog: FloatArray | None) -> tuple[list[str], FloatArray] | None:
        best = self.members[0]
        with one_thread():
            states, _ = best.over(self._data(values, exog)).run(best.optimum.theta)
        return [f"unit{i + 1}" for i in range(best.optimum.design.n)], states

    @cached_property
    def _ends(self) -> Particles:
        from varnn.estimate.tanh.mixture import ends

        with one_thread():
            return ends(self.members, self._seen_data)

    @cached_property
    def _seen_data(self) -> Data:
        return self._data(self.seen.values, None if self.seen_exog is None else self.seen_exog.values)

    def _future(self, horizon: int, future_exog: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        from varnn.estimate.tanh.structure import trend_columns

        trend = _spec(self).trend
        inputs = self.units.inputs(fixed_regressors(horizon, trend, future_exog, first=len(self.seen) + 1))
        return trend_columns(inputs, trend, horizon)

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        if self._below is not None:
            return self._below._simulate(shocks, future_exog, draws)
        from varnn.estimate.tanh.mixture import paths

        trend, Z = self._future(shocks.shape[1], future_exog)
        particles = self._ends if draws is None else draws.weights
        out = paths(self.members, particles, trend, Z, shocks / self.units.scale, cycle=draws is not None)
        return np.asarray(self.units.back(out))

    def _respond(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None) -> FloatArray:
        if self._below is not None:
            return self._below._respond(shocks, future_exog, draws)
        return super()._respond(shocks, future_exog, draws)

    def _mean(self, horizon: int, future_exog: FloatArray | None) -> FloatArray:
        if self._below is not None:
            return self._below._mean(horizon, future_exog)
        from varnn.estimate.tanh.mixture import mean_path

        trend, Z = self._future(horizon, future_exog)
        return np.asarray(self.units.back(mean_path(self.members, self._ends, trend, Z, ANTITHETIC)))

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return 6.6 arrays of the paths and five of those behind the mean, as measured, and the draws."""
        weights = self.members[0].optimum.theta.size
        behind = 2 * ANTITHETIC if any(one.optimum.design.n for one in self.members) else 20
        return (6.6 * n_paths + 5 * behind) * horizon * self.series.k + 4.0 * n_paths * weights

    def _draw(self, count: int, rng: np.random.Generator) -> Draws:
        if self._below is not None:
            return self._below._draw(count, rng)
        from varnn.estimate.tanh.mixture import draw

        with one_thread():
            sigma, particles = draw(self.members, self._seen_data, self._ends, self.nobs, count, self.draws_seed,
                                    rng)
        return Draws(sigma * np.outer(self.units.scale, self.units.scale), particles)

    def _spread(self, horizon: int, future_exog: FloatArray | None) -> FloatArray | None:
        return None if self._below is None else self._below._spread(horizon, future_exog)

    def _mixture(self) -> tuple[Draws | None, FloatArray | None]:
        if self._below is not None:
            return self._below._mixture()
        shares = np.array([particle.weight for particle in self._ends])
        return Draws(np.repeat(self.sigma_u[None], len(shares), axis=0), self._ends), shares / shares.sum()

    @property
    def choice(self) -> str:
        """Lags, and how many tanh units were kept."""
        if self.linear is not None:
            return f"{self.linear.choice}, no tanh unit"
        units = count(self.width, "tanh unit") if self.width else "no tanh unit"
        return f"{count(self.lags, 'lag')}, {units}"

    def _notes(self) -> list[str]:
        effective = ", ".join(f"{name} {value:.2f}" for name, value in self.effective_params.items())
        by_rung = ", ".join(f"{name} {value:.6g}" for name, value in self.rungs.items())
        best = self.members[0].optimum.design
        memory = "with" if best.recurrent and best.n else "without"
        return [f"lags {self.lags}   width {self.width}, {memory} W_hh   innovations fed back {max(best.r, best.rl)}   "
                f"members {len(self.members)}   stopped: {self.stop.name}",
                f"effective parameters: {effective}", f"log evidence {self.evidence:.6g}",
                *([f"log evidence by rung: {by_rung}; chosen {self.chosen}"] if self.rungs else [])]


def fit_windows(model: TanhRNN, windows: Sequence[Series], exog: Sequence[Series | None] | None = None, *,
                seed: int = 0) -> list[FittedTanhRNN]:
    """Fit one specification to many samples; each has the bits of its own single fit with that seed.

    Parameters
    ----------
    model : TanhRNN
    windows : sequence of Series       estimation samples, of any lengths
    exog : sequence of Series, optional
    seed : int

    Returns
    -------
    list of FittedTanhRNN              in the order of `windows`
    """
    from concurrent.futures import ThreadPoolExecutor

    beside = [None] * len(windows) if exog is None else list(exog)
    with one_thread(), ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(model._estimate, series, z, np.random.default_rng(seed))
                for series, z in zip(windows, beside, strict=True)]
        return [job.result() for job in jobs]


def unfinished(label: str, member: Member) -> str:
    """Return what a ConvergenceWarning says of the most probable member: where the climb ended, and what helps."""
    stop, shape = member.optimum.stop, member.optimum.design
    stage = ("the climb that pulls its linear part back to a stable one (its free runs are bounded all the same)"
             if member.bounding else "the last climb of the search")
    fewer = f"lags={max(1, member.lags // 2)} or " if member.lags > 1 else ""
    return (f"{label} stopped for the reason {stop.name} after {member.optimum.steps} steps of {stage}: "
            f"{stop.message}; the best point found is kept. Compare it with one of more starts (starts=6); "
            f"a smaller model, {fewer}width={max(shape.n // 2, 0)}, is easier to climb")


def _spec(fit: Fitted) -> TanhRNN:
    assert isinstance(fit.spec, TanhRNN)
    return fit.spec


def _fitted(spec: TanhRNN, series: Series, exog: Series | None, members: tuple[Member, ...], units: Units, seen: Series,
            seen_exog: Series | None) -> FittedTanhRNN:
    from varnn.estimate.tanh.mixture import blocks, equations

    others = [] if exog is None else list(exog.names)
    parts = blocks(members[0], units, list(series.names), others, spec.trend)
    table = equations(parts, list(series.names))
    return FittedTanhRNN(spec=spec, series=series, exog=exog, seen=seen, seen_exog=seen_exog, params=table,
                         df_model=len(table), members=members, units=units)
