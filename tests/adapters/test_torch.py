"""Every rung leaves for torch with its weights and gives the same numbers there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.adapters.torch import inputs, pair_state, to_torch
from varnn.errors import ParameterError
from varnn.forecaster import Fitted
from varnn.models.rung0_naive import Naive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.rung4_gated import GRU, LSTM

T, K = 160, 2


def sample(driven: bool) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(0)
    y, X = rng.standard_normal((T, K)), 3 + 2 * rng.standard_normal((T, 1))
    for t in range(1, T):
        y[t] += np.tanh(3 * y[t - 1] @ np.array([[1.5, 0.0], [-1.0, 0.5]])) + 0.3 * X[t]
    return y * [1.0, 50.0] + [5.0, -200.0], X if driven else None


def same(module: torch.nn.Module, fit: Fitted, y: np.ndarray) -> None:
    with torch.no_grad():
        ours = module(inputs(fit))[0].numpy()
    assert_allclose(ours / y.std(0), fit.fittedvalues / y.std(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("driven", [False, True], ids=["alone", "with X"])
@pytest.mark.parametrize("model", [VAR(lags=2), VAR(lags=1, trend="n"), VAR(lags=2, trend="ct"),
                                   GRU(lags=1, width=2, starts=1),
                                   GRU(lags=2, width=2, starts=1, trend="ct"),
                                   LSTM(lags=2, width=2, starts=1),
                                   LSTM(lags=1, width=2, starts=1, trend="n")], ids=str)
def test_one_step_predictions_are_the_same_in_torch(model, driven):
    y, X = sample(driven)
    fit = model.fit(y, X)
    same(to_torch(fit), fit, y)


def test_a_linear_rnn_is_an_rnn_of_rectified_pairs():
    y, X = sample(True)
    fit = LinearRNN(lags=1, width=3, likelihood="conditional").fit(y, X)
    standard, first = fit._states(fit.series.values, fit.exog.values)
    states = standard.copy()
    states[:, :K] = fit.units.back(standard[:, :K])
    with torch.no_grad():
        ours = to_torch(fit)(inputs(fit)[:, first:], pair_state(states[0]))[0].numpy()
    assert_allclose(ours / y.std(0), fit.fittedvalues.to_numpy()[1:] / y.std(0), rtol=0, atol=1e-12)


def test_the_lectures_rnn_is_torchs_rnn():
    y, _ = sample(False)
    fit = TanhRNN(lags=1, width=2, skip=False, starts=1).fit(y)
    module = to_torch(fit)
    assert type(module.recurrent) is torch.nn.RNN
    same(module, replace(fit, members=fit.members[:1]), y)


def test_a_module_is_an_ordinary_one():
    y, _ = sample(False)
    fit = GRU(lags=1, width=2, starts=1).fit(y)
    module = to_torch(fit)
    assert type(module.recurrent) is torch.nn.GRU
    assert {name.split(".")[0] for name in module.state_dict()} == {"recurrent", "readout", "linear"}
    module(inputs(fit, y[-20:])).sum().backward()
    assert all(weight.grad is not None for weight in module.parameters())


def test_other_fits_are_refused_by_name():
    with pytest.raises(ParameterError, match="Naive has no torch module"):
        to_torch(Naive().fit([1.0, 2.0, 4.0]))
