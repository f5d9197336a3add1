"""Each cell is the torch module of its name, to the last digits, and the compiled kernels of the rungs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.cells import CELLS, count, drive, flatten, mixed_step, unflatten
from varnn.recursion import unroll
from varnn.wiring import Layer

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


def mixed(theta, dims, XL, XH, base, start):
    """The forecasts of rungs 1-3 by `recursion.unroll`, weights in the order of the compiled kernels."""
    n, m, k, r, rl, ar = dims
    dl, dh = XL.shape[1] + k * rl + m * ar, XH.shape[1] + k * r + n
    L = torch.tensor(theta[:m * dl].reshape(m, dl))
    W = torch.tensor(theta[m * dl:m * (dl + n)].reshape(m, n))
    G = torch.tensor(theta[m * (dl + n):].reshape(n, dh))
    qL, qH = XL.shape[1], XH.shape[1]
    linear = L[:, qL + k * rl:] if ar else torch.zeros(m, m, dtype=torch.float64)
    weights = {"tanh": G[:, qH + k * r:], "linear": linear, "readout": W}
    XL, XH, base = torch.tensor(XL), torch.tensor(XH), torch.tensor(base)
    seen = []

    def drive_at(t, states):
        if t:
            seen.insert(0, base[t - 1] - states[1][0, :k])
        past = torch.cat([*seen[:max(r, rl)], torch.zeros(max(r, rl) * k, dtype=torch.float64)])
        return (XH[t] @ G[:, :qH].T + past[:k * r] @ G[:, qH:qH + k * r].T,
                XL[t] @ L[:, :qL].T + past[:k * rl] @ L[:, qL:qL + k * rl].T)

    begin = (torch.zeros(1, n, dtype=torch.float64), torch.tensor(start)[None])
    s, u = unroll(lambda states, driven: mixed_step(weights, states, driven), begin, drive_at, len(XL))
    return s[:, 0].numpy(), u[:, 0].numpy()


@pytest.mark.parametrize("dims", [(4, 2, 2, 0, 0, 0), (4, 2, 2, 0, 0, 1), (3, 3, 2, 0, 0, 1), (3, 2, 2, 1, 0, 1),
                                  (3, 2, 2, 2, 1, 1), (0, 2, 2, 0, 2, 1)], ids=str)
def test_the_mixed_cell_equals_the_compiled_kernel_of_rung_3(dims):
    kernels = pytest.importorskip("varnn.estimate.kernels")
    n, m, k, r, rl, ar = dims
    rng = np.random.default_rng(0)
    XL, XH, base = rng.standard_normal((40, 5)), rng.standard_normal((40, 3)), rng.standard_normal((40, k))
    theta = 0.3 * rng.standard_normal(m * (5 + k * rl + m * ar + n) + n * (3 + k * r + n))
    start = rng.standard_normal(m)
    S, U = kernels.forward(theta, dims, XL, XH, base, start)
    s, u = mixed(theta, dims, XL, XH, base, start)
    assert_allclose(u, U, rtol=0, atol=1e-12)
    assert_allclose(s, S, rtol=0, atol=1e-12)


def test_the_linear_cell_equals_the_compiled_kernel_of_rung_2():
    kernels = pytest.importorskip("varnn.estimate.kernels_linear")
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
