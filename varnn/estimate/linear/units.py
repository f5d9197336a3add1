"""Units of the linear RNN: standardise a series for estimation, give weights back in the user's units.

Called by `models.rung2_linear`.  Every map is affine, so that scaled and shifted columns are fitted alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from varnn.estimate.least_squares.regression import Trend, regressor_names

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """Location and scale of the series and of the inputs w_t (trend, exogenous).

    A location is kept in two parts, an observation and a small rest, so that columns shifted by 1e9 have the same bits
    in standard units; as one number it has the spacing of float64 there, 1e-7.

    origin, rest, scale : array (k,)
    input_origin, input_rest, input_scale : array (q,)
    """

    origin: Array
    rest: Array
    scale: Array
    input_origin: Array
    input_rest: Array
    input_scale: Array

    @classmethod
    def of(cls, values: Array, inputs: Array, *, centred: bool) -> Units:
        """Mean and standard deviation of each column; no location where the model has no constant."""
        return cls(*_standard(values, centred), *_standard(inputs, centred))

    @property
    def location(self) -> Array:
        """Location of the series, (k,)."""
        return self.origin + self.rest

    @property
    def input_location(self) -> Array:
        """Location of the inputs, (q,)."""
        return self.input_origin + self.input_rest

    def series(self, values: Array) -> Array:
        """Return observations (T, k) in standard units."""
        return np.ascontiguousarray((values - self.origin - self.rest) / self.scale)

    def inputs(self, inputs: Array) -> Array:
        """Return inputs (T, q) in standard units."""
        return np.ascontiguousarray((inputs - self.input_origin - self.input_rest) / self.input_scale)

    def back(self, values: Array) -> Array:
        """Bring standard units to the user's, for the last axis of length k."""
        return (values * self.scale + self.rest) + self.origin

    def weights(self, weights: Array, lags: int) -> tuple[Array, Array]:
        """Return weights in the user's units, and the map T (m, m) with row_i(user) = s_i row_i(standard) T + location.

        With u = μ + s ũ and y = μ + s ỹ, a coefficient on y_j becomes s_i/s_j times itself and the constant takes up
        the locations; hidden units keep their scale.
        """
        n, k = len(weights), self.scale.size
        location = np.zeros(n)
        location[:k] = self.location
        rows = np.ones(n)
        rows[:k] = self.scale
        divide = np.concatenate([rows, np.tile(self.scale, lags), np.ones(1), self.input_scale])
        shift = np.concatenate([location, np.tile(self.location, lags), np.zeros(1), self.input_location])
        T = np.diag(1.0 / divide)
        constant = n + lags * k
        T[:, constant] -= shift / divide
        T[constant, constant] = 1.0
        user = rows[:, None] * (weights @ T)
        user[:, constant] += location
        return user, T

    def standard_errors(self, free: npt.NDArray[np.bool_], covariance: Array, lags: int) -> Array:
        """Return standard errors (n, m) in the user's units from the covariance (f, f) of the free weights; else 0."""
        n, m = free.shape
        _, T = self.weights(np.zeros((n, m)), lags)
        where = np.flatnonzero(free.ravel())
        full = np.zeros((n * m, n * m))
        full[np.ix_(where, where)] = covariance
        blocks = full.reshape(n, m, n, m)[np.arange(n), :, np.arange(n)]                  # (n, m, m)
        scale = np.concatenate([self.scale, np.ones(n - self.scale.size)])
        variances = np.einsum("ab,iac,cb->ib", T, blocks, T)
        return np.asarray(scale[:, None] * np.sqrt(np.maximum(variances, 0.0)))


def _standard(columns: Array, centred: bool) -> tuple[Array, Array, Array]:
    """Return an observation, the mean as seen from it, and the standard deviation of each column."""
    if columns.shape[1] == 0:
        return np.zeros(0), np.zeros(0), np.ones(0)
    origin = columns[0].copy() if centred else np.zeros(columns.shape[1])
    away = columns - origin
    rest = away.mean(axis=0) if centred else np.zeros(columns.shape[1])
    scale = np.sqrt(np.mean((away - rest) ** 2, axis=0))
    return origin, rest, np.where(scale > 0.0, scale, 1.0)


def weight_table(weights: Array, names: Sequence[str], exog: Sequence[str], trend: Trend, lags: int) -> pd.DataFrame:
    """Return weights (n, m) as a table in the order of rung 1, the memory last; one column for each equation."""
    n, k = len(weights), len(names)
    units = [*names, *(f"hidden{i + 1}" for i in range(n - k))]
    rows = [*regressor_names(names, lags, trend, exog), *(f"memory.{unit}" for unit in units)]
    constant = n + lags * k
    order = [constant] if trend != "n" else []
    order += [*range(constant + 1, weights.shape[1]), *range(n, constant), *range(n)]
    return pd.DataFrame(weights[:, order].T, index=rows, columns=units)
