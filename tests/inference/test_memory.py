"""Gradient norms of a recursion: exact for linear ones, by autograd for others, and the exponent of `stability`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.errors import ParameterError
from varnn.inference.memory import forecast_memory, layer_memory
from varnn.inference.stability import linear_exponents, lyapunov_exponents
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.recursion.cells import CELLS
from varnn.recursion.wiring import Layer

D, N = 3, 12


def layer(name: str, weight_hh: np.ndarray | None = None, memory: float | None = None) -> Layer:
    arrays = CELLS[name].initial(D, N, np.random.default_rng(0), memory)
    if weight_hh is not None:
        arrays["weight_hh"] = weight_hh
    return Layer(CELLS[name], {key: torch.tensor(value) for key, value in arrays.items()})


def noise(steps: int, batch: int = 4) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(1).standard_normal((steps, batch, D)))


def matrices() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    raw = rng.standard_normal((N, N))
    return {"orthogonal": 0.95 * np.linalg.qr(raw)[0], "symmetric": (raw + raw.T) / 12,
            "positive": np.abs(raw) / 11, "explosive": 1.05 * np.linalg.qr(raw)[0]}


@pytest.mark.parametrize("name", sorted(matrices()))
def test_a_linear_cell_forgets_at_the_log_of_its_spectral_radius(name):
    A = matrices()[name]
    memory = layer_memory(layer("linear", A), noise(401))
    assert_allclose(memory.rate, linear_exponents(A)[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_norms_are_those_of_the_product_of_jacobians(name):
    model, x, steps = layer(name, memory=4.0), noise(7, 1), 7
    start = tuple(torch.zeros(1, N, dtype=torch.float64) for _ in range(CELLS[name].carried))
    u = np.random.default_rng(5).standard_normal((1, N))
    u = torch.tensor(u / np.linalg.norm(u))
    memory = layer_memory(model, x, rng=5)
    for j in range(1, steps):
        reached = model.run(x[:steps - j], start)
        leaves = tuple(part[-1].clone().requires_grad_() for part in reached)
        (model.run(x[steps - j:], leaves)[0][-1] * u).sum().backward()
        size = torch.cat([leaf.grad for leaf in leaves if leaf.grad is not None], -1).norm()
        assert_allclose(memory.norms[j], float(size), rtol=1e-10)


def test_gates_remember_when_their_bias_says_so():
    forgetful, long = layer_memory(layer("lstm"), noise(200)), layer_memory(layer("lstm", memory=200.0), noise(200))
    assert forgetful.rate < -0.2 < long.rate


def test_a_norm_below_the_range_of_floats_keeps_its_logarithm():
    memory = layer_memory(layer("linear", 0.01 * np.eye(N)), noise(401))
    assert_allclose(memory.log_norms[400], 400 * np.log(0.01), rtol=1e-12)
    assert memory.norms[400] == 0.0


def series(k: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    y, e = np.zeros((150, k)), rng.standard_normal((150, k))
    for t in range(2, len(y)):
        y[t] = 0.5 * y[t - 1] + 0.2 * y[t - 2, ::-1] + np.tanh(y[t - 1, ::-1]) + 0.3 * e[t]
    return y


def test_a_var_forgets_at_the_log_of_its_largest_root():
    fit = VAR(lags=2).fit(series())
    F = np.block([[fit.coefs[0], fit.coefs[1]], [np.eye(2), np.zeros((2, 2))]])
    assert_allclose(forecast_memory(fit, 600).rate, linear_exponents(F)[0], atol=1e-6)


@pytest.mark.parametrize("likelihood", ["conditional", "exact"])
def test_a_linear_rnn_forgets_at_its_exponent(likelihood):
    y = np.diff(series(1)[:, :1], axis=0)
    fit = LinearRNN(lags=1, likelihood=likelihood, shrinkage=None).fit(y)
    A, B = fit.A[0, 0], fit.B[0, 0]
    assert_allclose(forecast_memory(fit, 600).rate, np.log(abs(A + B)), atol=1e-6)


def test_a_tanh_rnn_forgets_at_the_lyapunov_exponent_of_its_forecasts():
    fit = TanhRNN(lags=1, width=2).fit(series())
    own, (first, _) = fit.layer(), fit.ahead(1)
    sizes = [part.shape[-1] for part in own.run(fit.inputs())]

    def step(x: np.ndarray) -> np.ndarray:
        *states, past = torch.tensor(x)[None].split([*sizes, len(x) - sum(sizes)], dim=-1)
        after = own.cell.step(own.weights, tuple(states), own.cell.drive(own.weights, past))
        lagged = torch.cat([own.read(after[0]), past], -1)[:, :past.shape[1]]
        return torch.cat([*after, lagged], -1)[0].numpy()

    start = torch.cat([*(part[-1] for part in own.run(fit.inputs())), first], -1)[0].numpy()
    expected = lyapunov_exponents(step, start, steps=400, discard=200, count=1)
    assert_allclose(forecast_memory(fit, 400, discard=200).rate, expected.exponents[0],
                    atol=max(5e-3, 4 * expected.errors[0]))


def test_a_fit_driven_from_outside_is_refused():
    with pytest.raises(ParameterError, match="trend in time"):
        forecast_memory(VAR(lags=1, trend="ct").fit(series()))
