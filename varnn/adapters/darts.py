"""Every model as a forecasting model of darts: `fit`, `predict`, `historical_forecasts`, `backtest`, `residuals`.

Called by users of darts only; needs `pip install "varnn[darts]"`. Forecasts are the native ones to the bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.models.forecasting.forecasting_model import TransferableFutureCovariatesLocalForecastingModel

from varnn.errors import ExogError, ParameterError
from varnn.forecaster import Fitted, Forecaster
from varnn.series import Series


class VarnnModel(TransferableFutureCovariatesLocalForecastingModel):  # type: ignore[misc, unused-ignore]
    """A model of varnn that darts can fit, backtest and put in ensembles.

    Parameters
    ----------
    model : Forecaster
        For example `varnn.VAR(lags=2)`.
    uncertainty, shocks : str
        Of `varnn.Fitted.forecast`: what drives the samples.
    seed : int
        Of everything random, in fits and, unless `predict` is given a random_state, in forecasts.
    add_encoders : dict, optional
        Future covariates that darts makes from the dates.

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0)
    >>> VarnnModel(varnn.VAR(lags=2)).fit(TimeSeries.from_values(y)).predict(3).shape
    (3, 2, 1)
    """

    def __init__(self, model: Forecaster, *, uncertainty: str = "full", shocks: str = "gaussian", seed: int = 0,
                 add_encoders: dict[str, Any] | None = None) -> None:
        if not isinstance(model, Forecaster):
            raise ParameterError(f"model={model!r} is not usable; give a model of varnn, for example VAR(lags=2)")
        super().__init__(add_encoders=add_encoders)
        self.model = model
        self.uncertainty, self.shocks, self.seed = uncertainty, shocks, seed
        self.native: Fitted | None = None

    def _fit(self, series: TimeSeries, future_covariates: TimeSeries | None = None, verbose: bool | None = None
             ) -> VarnnModel:
        super()._fit(series, future_covariates, verbose=verbose)
        exog = None if future_covariates is None else _frame(future_covariates)
        self.native = self.model.fit(_frame(series), exog, rng=self.seed)
        return self

    def _predict(self, n: int, series: TimeSeries | None = None,
                 historic_future_covariates: TimeSeries | None = None,
                 future_covariates: TimeSeries | None = None, num_samples: int = 1,
                 predict_likelihood_parameters: bool = False, verbose: bool = False,
                 random_state: int | None = None) -> TimeSeries:
        super()._predict(n=n, series=series, historic_future_covariates=historic_future_covariates,
                         future_covariates=future_covariates, num_samples=num_samples, verbose=verbose)
        assert self.native is not None
        fit = self.native if series is None else _seeing(self.native, series, historic_future_covariates)
        ahead = None if future_covariates is None else _frame(future_covariates).loc[fit.seen.future_index(n)]
        outlook = fit.forecast(n, ahead, n_paths=num_samples, uncertainty=self.uncertainty,  # type: ignore[arg-type]
                               shocks=self.shocks,  # type: ignore[arg-type]
                               rng=self.seed if random_state is None else random_state)
        values = outlook.point[:, :, None] if num_samples == 1 else np.moveaxis(outlook.paths, 0, 2)   # (h, k, m)
        return self._build_forecast_series(values, input_series=series)

    @property
    def supports_multivariate(self) -> bool:
        """Whether several series are forecast together."""
        return True

    @property
    def supports_probabilistic_prediction(self) -> bool:
        """Whether `predict` draws samples."""
        return True

    @property
    def min_train_samples(self) -> int:
        """Samples that a fit needs; varnn says more where a model needs more."""
        return 1

    @property
    def _target_window_lengths(self) -> tuple[int, int]:
        return 10, 0

    @property
    def _supports_range_index(self) -> bool:
        return True


def _frame(series: TimeSeries) -> pd.DataFrame:
    """Return a deterministic series of darts as a frame on its dates."""
    if not series.is_deterministic:
        raise ParameterError(f"the series holds {series.n_samples} samples; give one of observations, for example "
                             "series.mean()")
    table: pd.DataFrame = series.to_dataframe().rename_axis(columns=None)
    return table


def _seeing(fit: Fitted, series: TimeSeries, covariates: TimeSeries | None) -> Fitted:
    """Return the fit at the end of another series, its parameters as they are."""
    if type(fit).update is not Fitted.update:
        raise ParameterError(f"{fit.spec.label} forecasts the series it was fitted to only; leave series out, or give "
                             "retrain=True")
    seen = Series.of(_frame(series))
    if seen.k != fit.series.k:
        raise ParameterError(f"series has {seen.k} components, the fit {fit.series.k}")
    if fit.seen_exog is None:
        return replace(fit, seen=replace(seen, names=fit.seen.names))
    if covariates is None:
        raise ExogError(f"the fit used {', '.join(fit.seen_exog.names)}; give future_covariates from the start "
                        "of series")
    known = seen.exog_of(_frame(covariates))
    return replace(fit, seen=replace(seen, names=fit.seen.names), seen_exog=known)
