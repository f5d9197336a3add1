"""The unit of a column and its origin do not matter: forecasts change as the data do, to 1e-8, for every rung."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.forecaster import Forecaster
from varnn.models.rung1_shrunk import ShrunkVAR
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.rung4_gated import GRU, LSTM

SCALES, SHIFT = np.array([1e12, 1.0, 1e-12]), 1e9
SPACING = 1.2e-7  # of float64 at 1e9: no forecast there can be finer

MODELS: dict[str, Forecaster] = {
    "VAR": VAR(), "VAR, two lags": VAR(lags=2), "shrunken VAR": ShrunkVAR(),
    "linear RNN": LinearRNN(), "linear RNN, likelihood": LinearRNN(lags=1, shrinkage=None),
    "linear RNN, wider": LinearRNN(lags=1, width=4),
    "tanh RNN": TanhRNN(starts=1), "tanh RNN, two units": TanhRNN(lags=1, width=2, starts=1),
    "tanh RNN without linear part": TanhRNN(lags=1, width=3, skip=False, starts=1),
    "GRU": GRU(lags=1, width=2), "LSTM": LSTM(lags=1, width=2),
}


def moving_average() -> np.ndarray:
    """Three series with a memory that a VAR lacks."""
    e = np.random.default_rng(1).normal(size=(161, 3))
    return e[1:] + e[:-1] @ np.array([[0.7, 0.2, 0.0], [0.0, 0.6, 0.0], [0.3, 0.0, 0.5]])


def signs() -> np.ndarray:
    """Three series that follow the sign of the first."""
    random = np.random.default_rng(2)
    y = np.zeros((160, 3))
    for t in range(1, len(y)):
        y[t] = np.sign(y[t - 1, 0]) * np.array([1.0, 0.8, 0.4]) + random.normal(size=3)
    return y


def on_grid(y: np.ndarray) -> np.ndarray:
    """Round to 2⁻²², so that y + 1e9 is exact in float64."""
    return np.round(y * 2**22) / 2**22


@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")  # of gated fits whose linear part is steep
@pytest.mark.parametrize("data", [moving_average, signs])
@pytest.mark.parametrize("name", MODELS)
def test_scaled_and_shifted_columns_give_the_same_forecasts(name, data):
    if name == "linear RNN, likelihood" and data is signs:
        pytest.skip("plain maximum likelihood ends on the edge of stability there, and says so")
    y, model = on_grid(data()), MODELS[name]
    size = y.std(axis=0)
    plain = model.fit(y).forecast(6, n_paths=20).point
    scaled = model.fit(y * SCALES).forecast(6, n_paths=20).point
    assert_allclose(scaled / SCALES / size, plain / size, rtol=0, atol=1e-8)
    shifted = model.fit(y + SHIFT).forecast(6, n_paths=20).point
    assert_allclose(shifted - SHIFT, plain, rtol=0, atol=1e-8 * size.max() + 4 * SPACING)


def test_the_data_call_for_more_than_a_var():
    """Else the test above would compare VARs only."""
    assert LinearRNN().fit(moving_average()).A.any()
    assert TanhRNN(starts=1).fit(signs()).chosen == "TanhRNN"
    for gated in (GRU(lags=1, width=2), LSTM(lags=1, width=2)):
        assert gated.fit(signs()).estimate.gain > 0
