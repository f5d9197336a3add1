"""Every model as a forecaster of sktime: pipelines, tuning, evaluation and hierarchies there take it as one of theirs.

One class a model, of the same name and with the same options, written from the specification. Called by users of
sktime only; needs `pip install "varnn[sktime]"`. Forecasts are the native ones to the bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster, ForecastingHorizon

from varnn.errors import HorizonError, MissingDependencyError
from varnn.forecast import Forecast
from varnn.forecaster import Fitted, Forecaster
from varnn.models import (
    beside_direct,
    rung0_naive,
    rung1_shrunk,
    rung1_var,
    rung2_linear,
    rung3_tanh,
    rung4_gated,
    wrap_conformal,
    wrap_ensemble,
)
from varnn.series import FloatArray

OWN: dict[str, object] = {"missing": "raise", "n_paths": 1000, "uncertainty": "full", "shocks": "gaussian", "seed": 0}
"""Options that `Forecaster.fit` and `Fitted.forecast` take here, and sktime's forecasters when they are made."""


class Adapter(BaseForecaster):  # type: ignore[misc, unused-ignore]  # sktime carries no types
    """What the forecasters below share."""

    specification: ClassVar[type[Forecaster]]
    """The class of specification that the forecaster stands for."""

    trial: ClassVar[Sequence[dict[str, Any]]] = ({},)
    """Options that sktime's own tests try, small so that they take no time."""

    _tags = {  # noqa: RUF012  (as sktime declares it)
        "authors": "The varnn developers",
        "maintainers": "The varnn developers",
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": False,
        "capability:non_contiguous_X": False,
        "capability:update": True,
        "capability:categorical_in_X": False,
        "requires-fh-in-fit": False,
        "y_inner_mtype": "pd.DataFrame",
        "X_inner_mtype": "pd.DataFrame",
    }
    _config = {"remember_data": False}  # noqa: RUF012  (a fit knows its rows)

    def native(self) -> Forecaster:
        """Return the specification that this forecaster fits."""
        model = self.specification
        return model(**{field.name: getattr(self, field.name) for field in fields(model)})

    @property
    def fit_(self) -> Fitted:
        """The native fit, with its coefficients, tests and impulse responses."""
        self.check_is_fitted()
        return self._native_fit

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None, fh: object) -> Self:
        self._labels = list(y.columns)
        self._native_fit = self.native().fit(y, _beside(X), missing=self.missing, rng=self.seed)
        return self

    def _update(self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True) -> Self:
        fit, X = self._native_fit, _beside(X)
        new = y.index > fit.seen.index[-1]  # sktime may send rows again that were seen
        if new.any():
            fit = fit.update(y[new], None if fit.seen_exog is None or X is None else X[X.index.isin(y.index[new])])
        if update_params:
            exog = None if fit.seen_exog is None else fit.seen_exog.to_frame()
            fit = self.native().fit(fit.seen.to_frame(), exog, missing=self.missing, rng=self.seed)
        self._native_fit = fit
        return self

    def _outlook(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> tuple[Forecast, FloatArray, pd.Index[Any]]:
        """Return the native forecast, the rows of it that are asked for, and their labels."""
        ahead = np.asarray(fh.to_relative(self.cutoff).to_numpy(), dtype=int)
        if ahead.min() < 1:
            raise HorizonError(f"fh={ahead.min()} lies in the sample; ask for steps ahead, and read predictions within "
                               "the sample from forecaster.fit_.fittedvalues")
        fit = self._native_fit
        outlook = fit.forecast(int(ahead.max()), None if fit.seen_exog is None else _beside(X), n_paths=self.n_paths,
                               uncertainty=self.uncertainty, shocks=self.shocks, rng=self.seed)
        return outlook, ahead - 1, fh.to_absolute_index(self.cutoff)

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> pd.DataFrame:
        outlook, rows, index = self._outlook(fh, X)
        return pd.DataFrame(outlook.point[rows], index=index, columns=self._labels)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: Sequence[float]
                           ) -> pd.DataFrame:
        outlook, rows, index = self._outlook(fh, X)
        blocks = [outlook.quantile(float(level)).to_numpy()[rows] for level in alpha]             # (h, k) each
        return _columns(blocks, [(level,) for level in alpha], self._names_out(), index)

    def _predict_interval(self, fh: ForecastingHorizon, X: pd.DataFrame | None, coverage: Sequence[float]
                          ) -> pd.DataFrame:
        outlook, rows, index = self._outlook(fh, X)
        blocks = [bound.to_numpy()[rows] for level in coverage for bound in outlook.interval(float(level))]
        return _columns(blocks, [(level, side) for level in coverage for side in ("lower", "upper")],
                        self._names_out(), index)

    def _predict_var(self, fh: ForecastingHorizon, X: pd.DataFrame | None, cov: bool = False) -> pd.DataFrame:
        outlook, rows, index = self._outlook(fh, X)
        spread = outlook.paths.std(axis=0) if outlook.spread is None else outlook.spread
        return pd.DataFrame(spread[rows] ** 2, index=index, columns=self._names_out())

    def _predict_proba(self, fh: ForecastingHorizon, X: pd.DataFrame | None, marginal: bool = True) -> Any:
        try:
            from skpro.distributions import Empirical
        except ImportError:
            raise MissingDependencyError("predict_proba returns a distribution of skpro; pip install skpro") from None
        outlook, rows, index = self._outlook(fh, X)
        paths, names = outlook.paths[:, rows], self._names_out()                                  # (m, h, k)
        each = pd.MultiIndex.from_product([range(len(paths)), index], names=["path", index.name])
        drawn = pd.DataFrame(paths.reshape(-1, paths.shape[-1]), index=each, columns=names)
        return Empirical(drawn, time_indep=False, index=index, columns=pd.Index(names))

    def _names_out(self) -> list[Any]:
        return list(self._get_varnames())

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the options that sktime's own tests try."""
        return [{"n_paths": 40, **options} for options in cls.trial]


def _beside(X: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return X with names for columns that sktime only numbers, as it numbers those of y."""
    if X is None or not any(isinstance(name, int) for name in X.columns):
        return X
    return X.set_axis([f"x{name}" if isinstance(name, int) else name for name in X.columns], axis=1)


def _columns(blocks: Sequence[FloatArray], heads: Sequence[tuple[Any, ...]], names: Sequence[Any],
             index: pd.Index[Any]) -> pd.DataFrame:
    """Return blocks (h, k) as sktime orders them: all levels of the first series, then of the next."""
    stacked = np.stack(blocks, axis=-1)                                                           # (h, k, levels)
    columns = pd.MultiIndex.from_tuples([(name, *head) for name in names for head in heads])
    return pd.DataFrame(stacked.reshape(len(stacked), -1), index=index, columns=columns)


def _adapted(model: type[Forecaster], example: str, *trial: dict[str, Any]) -> type[Adapter]:
    """Return the forecaster of sktime with a model's name, options and defaults."""
    options = [inspect.Parameter(field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                                 default=inspect.Parameter.empty if field.default is MISSING else field.default)
               for field in fields(model)]
    options += [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
                for name, default in OWN.items()]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *options])

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        bound = signature.bind(self, *given, **named)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)
        Adapter.__init__(self)
        inner = bound.arguments.get("model")
        if isinstance(inner, Forecaster) and not inner.takes_exog:  # a wrapper takes what it wraps takes
            self.set_tags(**{"capability:exogenous": False})
        self._y = self._X = None  # read where a user sets sktime's remember_data

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    made_of = "varnn." if "varnn." in example else ""
    text = f"""{(model.__doc__ or "").strip().splitlines()[0]}

    The options are those of `varnn.{model.__name__}`, and what its `fit` and `forecast` take.

    Parameters
    ----------
    {", ".join(field.name for field in fields(model)) or "none of its own"}
        See `varnn.{model.__name__}`.
    missing : {{"raise", "filter"}}
        Refuse missing values of y, or let the recursion fill them.
    n_paths, uncertainty, shocks
        Of `varnn.Fitted.forecast`: how many sample paths, and what drives them.
    seed : int
        Of everything random, in fits and in forecasts.

    Examples
    --------
    >>> import numpy as np{"; import varnn" if made_of else ""}
    >>> from varnn.adapters.sktime import {model.__name__}
    >>> y = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0)
    >>> {model.__name__}({example}).fit(y).predict(fh=[1, 3]).shape
    (2, 2)
    """
    made = type(model.__name__, (Adapter,), {
        "__init__": __init__, "__doc__": text, "__module__": __name__, "trial": trial, "specification": model,
        "_tags": {"capability:exogenous": model.takes_exog}})
    return made


Naive = _adapted(rung0_naive.Naive, "", {}, {"uncertainty": "none"})
SeasonalNaive = _adapted(rung0_naive.SeasonalNaive, "season=4", {"season": 2}, {"season": 1})
Mean = _adapted(rung0_naive.Mean, "", {}, {"uncertainty": "none"})
Drift = _adapted(rung0_naive.Drift, "", {}, {"uncertainty": "none"})
VAR = _adapted(rung1_var.VAR, "lags=2", {"lags": 1}, {"lags": 1, "trend": "n"})
ShrunkVAR = _adapted(rung1_shrunk.ShrunkVAR, "lags=2", {"lags": 1}, {"lags": 1, "uncertainty": "none"})
LinearRNN = _adapted(rung2_linear.LinearRNN, "lags=1",
                     {"lags": 1, "shrinkage": None, "likelihood": "conditional"},
                     {"lags": 1, "shrinkage": None, "likelihood": "conditional", "trend": "n"})
TanhRNN = _adapted(rung3_tanh.TanhRNN, "lags=1, width=1, starts=1",
                   {"lags": 1, "width": 1, "starts": 1, "skip": False}, {"lags": 1, "width": 0})
GRU = _adapted(rung4_gated.GRU, "lags=1, width=1, starts=1",
               {"lags": 1, "width": 1, "starts": 1, "max_steps": 3},
                {"lags": 1, "width": 1, "starts": 1, "max_steps": 2})
LSTM = _adapted(rung4_gated.LSTM, "lags=1, width=1, starts=1",
                {"lags": 1, "width": 1, "starts": 1, "max_steps": 3},
                {"lags": 1, "width": 1, "starts": 1, "max_steps": 2})
Direct = _adapted(beside_direct.Direct, "horizon=3, lookback=2", {"horizon": 3, "lookback": 2, "folds": 2},
                  {"horizon": 2, "lookback": 1, "folds": 2})
Conformal = _adapted(wrap_conformal.Conformal, "model=varnn.Naive()",
                     {"model": rung0_naive.Naive(), "calibration": 0.8},
                     {"model": rung0_naive.Mean(), "calibration": 0.8})
Ensemble = _adapted(wrap_ensemble.Ensemble, "members=(varnn.Naive(), varnn.Mean())",
                    {"members": (rung0_naive.Naive(), rung0_naive.Mean())},
                    {"members": (rung0_naive.Naive(), rung1_var.VAR(lags=1))})

FORECASTERS: tuple[type[Adapter], ...] = (Naive, SeasonalNaive, Mean, Drift, VAR, ShrunkVAR, LinearRNN, TanhRNN, GRU,
                                          LSTM, Direct, Conformal, Ensemble)
