"""Each cell is the torch module of its name, to the last digits, and the compiled kernels of the rungs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.recursion.cells import CELLS, count, drive, flatten, mixed_step, unflatten
from varnn.recursion.loop import unroll
from varnn.recursion.wiring import Layer

T, B, D, N = 30, 4, 3, 5
MODULES = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def random_weights(name: str, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = CELLS[name].shapes(D, N)
    return {key: 0.5 * torch.randn(shape, generator=generator, dtype=torch.float64) for key, shape in shapes.items()}


def inputs(seed: int = 1) -> torch.Tensor:
    return torch.randn(T, B, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_cell_equals_the_torch_module_at_the_same_weights(name):
    weights, x = random_weights(name), inputs()
    module = MODULES[name](D, N, dtype=torch.float64)
    module.load_state_dict({f"{key}_l0": value for key, value in weights.items()})
    generator = torch.Generator().manual_seed(2)
    start = tuple(torch.randn(B, N, generator=generator, dtype=torch.float64) for _ in range(CELLS[name].carried))
    with torch.no_grad():
        begin = tuple(part[None] for part in start)
        expected, end = module(x, begin if len(begin) > 1 else begin[0])
        states = Layer(CELLS[name], weights).run(x, start)
    assert_allclose(states[0], expected, rtol=0, atol=1e-12)
    for part, final in zip(states, end if isinstance(end, tuple) else (end,), strict=True):
        assert_allclose(part[-1], final[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_gradients_flow_as_in_finite_differences(name):
    theta = flatten(random_weights(name), CELLS[name].shapes(D, N)).requires_grad_()
    x = inputs()[:4, :2]

    def loss(theta):
        return Layer(CELLS[name], unflatten(theta, CELLS[name].shapes(D, N))).run(x)[0].square().sum()

    assert torch.autograd.gradcheck(loss, theta, eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_one_weight_vector_for_each_member_of_a_batch_is_that_many_single_runs(name):
    shapes = CELLS[name].shapes(D, N)
    each = [flatten(random_weights(name, seed), shapes) for seed in range(B)]
    x = inputs()
    together = Layer(CELLS[name], unflatten(torch.stack(each), shapes))

    def step(states, driven):
        return CELLS[name].step(together.weights, states, driven)

    start = (torch.zeros(B, N, dtype=torch.float64),) * CELLS[name].carried
    states = unroll(step, start, lambda t, states: drive(together.weights, x[t]), T)
    for b, theta in enumerate(each):
        alone = Layer(CELLS[name], unflatten(theta, shapes)).run(x[:, b:b + 1])
        assert_allclose(states[0][:, b], alone[0][:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_flatten_undoes_unflatten(name):
    shapes = CELLS[name].shapes(D, N)
    theta = torch.arange(float(count(shapes)))
    assert torch.equal(flatten(unflatten(theta, shapes), shapes), theta)


def mixed(Lf, Lu, W, Gf, Gs, base, start, z, d):
    """States of rungs 1-3 by `recursion.unroll`; arguments as in the compiled kernel."""
    from varnn.estimate.tanh.kernels import held

    Lf, Lu, W, Gf, Gs, base, start, z, d = (torch.tensor(array) for array in (Lf, Lu, W, Gf, Gs, base, start, z, d))
    m, k, lags = len(W), base.shape[1], max(Lf.shape[1], Gf.shape[1]) // base.shape[1]
    weights = {"tanh": Gs, "linear": Lu if Lu.shape[1] else torch.zeros(m, m, dtype=torch.float64), "readout": W}
    seen = [torch.zeros(k, dtype=torch.float64)] * lags

    def drive_at(t, states):
        if t and lags:
            seen.insert(0, torch.tensor([held(float(error)) for error in base[t - 1] - states[1][0, :k]],
                                        dtype=torch.float64))
        feedback = torch.cat([*seen[:lags], torch.zeros(0, dtype=torch.float64)])
        return z[t] + Gf @ feedback[:Gf.shape[1]], d[t] + Lf @ feedback[:Lf.shape[1]]

    begin = (torch.zeros(1, z.shape[1], dtype=torch.float64), start[None])
    s, u = unroll(lambda states, driven: mixed_step(weights, states, driven), begin, drive_at, len(z))
    return s[:, 0].numpy(), u[:, 0].numpy()


@pytest.mark.parametrize(("n", "m", "r", "rl", "ar"), [(4, 2, 0, 0, 0), (4, 2, 0, 0, 1), (3, 3, 0, 0, 1),
                                                       (3, 2, 1, 0, 1), (3, 2, 2, 1, 1), (0, 2, 0, 2, 1)])
def test_the_mixed_cell_equals_the_compiled_kernel_of_rung_3(n, m, r, rl, ar):
    from varnn.estimate.tanh import kernels

    rng, k, rows = np.random.default_rng(0), 2, 40
    Lf, Lu, W = (0.3 * rng.standard_normal((m, columns)) for columns in (rl * k, m * ar, n))
    Gf, Gs = (0.3 * rng.standard_normal((n, columns)) for columns in (r * k, n))
    base, start = 3 * rng.standard_normal((rows, k)), rng.standard_normal(m)
    z, d = rng.standard_normal((rows, n)), rng.standard_normal((rows, m))
    S, U = z.copy(), d.copy()
    kernels.forward(Lf, Lu, W, Gf, Gs, base, start, S, U)
    s, u = mixed(Lf, Lu, W, Gf, Gs, base, start, z, d)
    assert_allclose(u, U, rtol=0, atol=1e-12)
    assert_allclose(s, S, rtol=0, atol=1e-12)


def test_the_linear_cell_equals_the_compiled_kernel_of_rung_2():
    from varnn.estimate.linear import kernels

    rng = np.random.default_rng(0)
    k, n, lags, rows = 2, 3, 2, 40
    y, w = rng.standard_normal((rows + lags - 1, k)), rng.standard_normal((rows, 1))
    C = 0.3 * rng.standard_normal((n, n + lags * k + 2))
    first, U = rng.standard_normal(n), np.empty((rows, n))
    kernels.run(C, y, w, 1.0, lags, first, U)
    weights = {"weight_ih": torch.tensor(C[:, n:]), "weight_hh": torch.tensor(C[:, :n]),
               "bias_ih": torch.zeros(n, dtype=torch.float64), "bias_hh": torch.zeros(n, dtype=torch.float64)}
    drives = np.array([np.concatenate([*(y[lags - 1 + t - 1 - lag] for lag in range(lags)), [1.0], w[t]])
                       for t in range(1, rows)])
    states = Layer(CELLS["linear"], weights).run(torch.tensor(drives)[:, None], (torch.tensor(first)[None],))
    assert_allclose(states[0][:, 0], U[1:], rtol=0, atol=1e-12)


def test_tanh_units_of_small_weights_are_linear_up_to_the_square_of_their_scale():
    weights, x = random_weights("linear"), inputs()
    weights["weight_hh"] *= 0.8 / torch.linalg.eigvals(weights["weight_hh"]).abs().max()
    exact = Layer(CELLS["linear"], weights).run(x)[0]
    errors = []
    for scale in (1e-2, 5e-3, 2.5e-3):
        small = {name: value if name == "weight_hh" else scale * value for name, value in weights.items()}
        errors.append(float((Layer(CELLS["tanh"], small).run(x)[0] / scale - exact).abs().max()))
    assert errors[0] > 0
    assert_allclose(np.divide(errors[:-1], errors[1:]), 4.0, rtol=0.01)
