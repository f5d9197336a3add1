"""The VAR as statsmodels estimates it: the reference beside our own least squares, and the way to hand over to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from varnn.errors import ParameterError, RankDeficientError
from varnn.estimate.least_squares.regression import LeastSquares, Trend
from varnn.series import Series


def statsmodels_results(series: Series, exog: Series | None, lags: int, trend: Trend) -> Any:
    """Return statsmodels' VARResults for the sample.

    Raises
    ------
    ParameterError
        For one series, which statsmodels' VAR refuses.
    """
    from statsmodels.tsa.api import VAR

    if series.k < 2:
        raise ParameterError(f"statsmodels' VAR needs at least 2 series, got {series.k}; use engine='qr' for one")
    return VAR(series.to_frame(), exog=None if exog is None else exog.to_frame()).fit(lags, trend=trend)


def statsmodels_estimate(results: Any) -> LeastSquares:
    """Return the estimates of VARResults as ours.

    Raises
    ------
    RankDeficientError
        If the regressors are collinear, where statsmodels returns one solution of many.
    """
    design = np.asarray(results.endog_lagged)
    if np.linalg.matrix_rank(design / np.maximum(np.abs(design).max(axis=0), np.finfo(float).tiny)) < design.shape[1]:
        raise RankDeficientError("constant or collinear columns leave the coefficients undetermined; drop them, or use "
                                 "engine='qr', which names them")
    root = np.linalg.inv(np.linalg.qr(design, mode="r"))
    return LeastSquares(np.ascontiguousarray(results.params), root, np.ascontiguousarray(results.resid),
                        np.asarray(results.sigma_u))
