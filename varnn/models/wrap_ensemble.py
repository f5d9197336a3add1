"""A forecaster made of forecasters: their predictive distributions mixed, with weights learned inside the window.

Wraps any models; knows none of them by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd

from varnn.errors import ParameterError
from varnn.forecaster import Draws, Fitted, Forecaster, Plan, need_rows, one_of
from varnn.series import FloatArray, Series

Weights = Literal["equal", "inverse_mse", "stacked"]


@dataclass(frozen=True, kw_only=True)
class Ensemble(Forecaster):
    """Mix the predictive distributions of several models: p(y) = Σ_i w_i p_i(y).

    Parameters
    ----------
    members : tuple of Forecaster
        At least one.
    weights : {"equal", "inverse_mse", "stacked"}
        equal: w_i = 1/n. inverse_mse: w_i ∝ 1/MSE_i. stacked: w maximises Σ_t ln Σ_i w_i p_i(y_t).
        The last two judge one-step forecasts of the last `holdout` of the window by members fitted on what
        is before it (scaled, so that units do not matter); the members are then fitted again on all of it.
    holdout : float
        Share of the window that the weights are learned on, between 0 and 1.

    References
    ----------
    Bates and Granger (1969), Operational Research Quarterly 20. Hall and Mitchell (2007), IJF 23, eq. 7.

    Examples
    --------
    >>> from varnn import Drift, Mean
    >>> fit = Ensemble([Mean(), Drift()]).fit([1.0, 2.0, 2.0, 3.0])
    >>> round(float(fit.forecast(1).mean.iloc[0, 0]), 6)  # (2 + 3 2/3) / 2
    2.833333
    """

    members: tuple[Forecaster, ...] = field(kw_only=False)
    weights: Weights = "equal"
    holdout: float = 0.25
    rung: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if isinstance(self.members, list):
            object.__setattr__(self, "members", tuple(self.members))
        if not isinstance(self.members, tuple) or not self.members or not all(
                isinstance(member, Forecaster) for member in self.members):
            raise ParameterError(f"members={self.members!r} is not usable; give at least one model, for example "
                                 "Ensemble([VAR(), TanhRNN()])")
        one_of(self.weights, "weights", get_args(Weights))
        if not isinstance(self.holdout, float) or not 0 < self.holdout < 1:
            raise ParameterError(f"holdout={self.holdout!r} is not usable; give a share strictly between 0 and 1")

    @property
    def label(self) -> str:
        """Name for tables, with the members in it."""
        return f"Ensemble({', '.join(member.label for member in self.members)})"

    def _estimate(self, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
        streams = rng.spawn(2 * len(self.members))
        shares = np.full(len(self.members), 1 / len(self.members))
        if self.weights != "equal":
            shares = self._learned(series, exog, streams[len(self.members):])
        fits = tuple(_fit(member, series, exog, stream)
                     for member, stream in zip(self.members, streams, strict=False))
        params = pd.DataFrame(dict.fromkeys(series.names, shares), index=_labels(self.members))
        return FittedEnsemble(spec=self, series=series, exog=exog, seen=series, seen_exog=exog, params=params,
                              df_model=max(fit.df_model for fit in fits), fits=fits, shares=shares)

    def _learned(self, series: Series, exog: Series | None, streams: list[np.random.Generator]) -> FloatArray:
        """Return the weights that one-step forecasts of the held-out end of the window earn."""
        cut = len(series) - max(2, round(self.holdout * len(series)))
        need_rows(self.label, series, 8, "use a longer series or weights='equal'")
        early = None if exog is None else exog.window(0, cut)
        errors, densities = [], []
        for member, stream in zip(self.members, streams, strict=True):
            fit = _fit(member, series.window(0, cut), early, stream)
            known = None if fit.exog is None or exog is None else exog.values
            miss = (series.values - fit._one_step(series.values, known))[cut:]
            errors.append(((miss / series.values[:cut].std(axis=0)) ** 2).mean())
            densities.append(_log_density(miss, fit.sigma_u))
        if self.weights == "inverse_mse":
            inverse = 1 / np.maximum(np.array(errors), np.finfo(float).tiny)
            return np.asarray(inverse / inverse.sum())
        return stacking_weights(np.column_stack(densities))


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedEnsemble(Fitted):
    """Fitted members and their weights.

    Examples
    --------
    >>> import varnn
    >>> fit = varnn.Ensemble([varnn.Naive(), varnn.Mean()]).fit([1.0, 3.0, 1.0, 3.0])
    >>> fit.shares.tolist(), fit.forecast(1, rng=0).point.ravel().tolist()
    ([0.5, 0.5], [2.5])
    """

    fits: tuple[Fitted, ...]
    shares: FloatArray

    def _outlook(self, horizon: int, future_exog: FloatArray | None,
                 plan: Plan) -> tuple[FloatArray, FloatArray, FloatArray | None]:
        """Give each member its share of the paths, in random order."""
        streams = plan.rng.spawn(len(self.fits))
        outlooks = [fit._outlook(horizon, None if fit.exog is None else future_exog, replace(plan, rng=stream))
                    for fit, stream in zip(self.fits, streams, strict=True)]
        owner = np.searchsorted(np.cumsum(self.shares)[:-1], (np.arange(plan.n_paths) + 0.5) / plan.n_paths)
        plan.rng.shuffle(owner)
        paths = np.stack([paths for _, paths, _ in outlooks])[owner, np.arange(plan.n_paths)]
        point = sum(share * point for share, (point, _, _) in zip(self.shares, outlooks, strict=True))
        return np.asarray(point), paths, None

    def _held(self, n_paths: int, horizon: int) -> float:
        """Return what the paths of all members, stacked and mixed, hold beside the peak of one of them."""
        own = (2 * len(self.fits) + 1) * n_paths * horizon * self.series.k
        others = (len(self.fits) - 1) * n_paths * horizon * self.series.k
        return max(own, others + max(fit._held(n_paths, horizon) for fit in self.fits))

    def _warn_unless_stable(self, what: str) -> None:
        """Warn of every member that counts."""
        for fit, share in zip(self.fits, self.shares, strict=True):
            if share > 0:
                fit._warn_unless_stable(what)

    def update(self, y_new: object, X_new: object = None) -> Self:
        """Move every member on, as `Fitted.update` does."""
        moved = super().update(y_new, X_new)
        fits = tuple(fit.update(y_new, X_new if fit.exog is not None else None) for fit in self.fits)
        return replace(moved, fits=fits)

    def _one_step(self, values: FloatArray, exog: FloatArray | None) -> FloatArray:
        steps = [fit._one_step(values, exog if fit.exog is not None else None) for fit in self.fits]
        return np.asarray(sum(share * step for share, step in zip(self.shares, steps, strict=True)))

    def _simulate(self, shocks: FloatArray, future_exog: FloatArray | None, draws: Draws | None = None) -> FloatArray:
        paths = [fit._simulate(shocks, future_exog if fit.exog is not None else None) for fit in self.fits]
        return np.asarray(sum(share * path for share, path in zip(self.shares, paths, strict=True)))

    def _notes(self) -> list[str]:
        named = zip(_labels(self.spec.members), self.shares, strict=True)  # type: ignore[attr-defined]
        return ["weights       " + ", ".join(f"{name} {share:.3f}" for name, share in named)]


def stacking_weights(densities: FloatArray, steps: int = 500, tol: float = 1e-10) -> FloatArray:
    """Return the weights on the simplex that maximise Σ_t ln Σ_i w_i exp(densities_{t,i}), by EM.

    The objective is concave, so the maximum EM climbs to is the global one.

    Parameters
    ----------
    densities : array (T, n)
        Log predictive densities of n members.

    Examples
    --------
    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(6).tolist()
    [1.0, 0.0]
    """
    likelihood = np.exp(densities - densities.max(axis=1, keepdims=True))
    shares = np.full(densities.shape[1], 1 / densities.shape[1])
    for _ in range(steps):
        blame = likelihood * shares
        fresh = (blame / blame.sum(axis=1, keepdims=True)).mean(axis=0)
        done = np.abs(fresh - shares).max() < tol
        shares = fresh
        if done:
            break
    return np.asarray(shares)


def _fit(member: Forecaster, series: Series, exog: Series | None, rng: np.random.Generator) -> Fitted:
    return member.fit(series, exog if member.takes_exog else None, rng=rng)


def _labels(members: tuple[Forecaster, ...]) -> list[str]:
    names = [member.label for member in members]
    return [name if names.count(name) == 1 else f"{name} {i + 1}" for i, name in enumerate(names)]


def _log_density(miss: FloatArray, sigma: FloatArray) -> FloatArray:
    scale = np.sqrt(np.maximum(np.diag(sigma), np.finfo(float).tiny))
    standard, correlation = miss / scale, sigma / np.outer(scale, scale) + 1e-12 * np.eye(len(scale))
    quadratic = (standard * np.linalg.solve(correlation, standard.T).T).sum(axis=1)
    return np.asarray(-0.5 * quadratic - 0.5 * np.linalg.slogdet(correlation)[1] - np.log(scale).sum())
