"""The compiled recursion against torch, complex steps and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.estimate.tanh.design import Design
from varnn.estimate.tanh.kernels import LIMIT
from varnn.estimate.tanh.paths import Layout, simulate

SHAPES = [{"n": 4, "r": 2, "rl": 1, "ar": False}, {"n": 3, "r": 0, "rl": 0, "ar": False},
          {"n": 0, "r": 0, "rl": 2, "ar": False}, {"n": 3, "r": 1, "rl": 2, "ar": True},
          {"n": 5, "r": 1, "rl": 0, "ar": False, "recurrent": False}]


def problem(n, r, rl, ar, recurrent=True, T=40, k=2, m=None, qL=3, qH=4, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    m = (k + 1 if ar else k) if m is None else m
    Y = rng.normal(size=(T, k))
    design = Design(rng.normal(size=(T, qL)), rng.normal(size=(T, qH)), Y, Y, rng.normal(size=m), n, r, rl, ar,
                    recurrent)
    return design, rng.normal(size=design.size) * scale / np.sqrt(max(n, 3)), rng


def reference(design, theta):
    """The same equations in plain numpy, for real or complex weights."""
    c = design.cuts(theta)
    qL, qH = design.XL.shape[1], design.XH.shape[1]
    S, U = [], []
    zero = np.zeros(design.k)
    held = lambda f: f if abs(f) <= LIMIT else f * (LIMIT / abs(f)) ** 3  # noqa: E731
    for t in range(len(design.Y)):
        gaps = [np.array([held(v) for v in design.base[t - lag] - U[t - lag][: design.k]]) if t >= lag else zero
                for lag in range(1, max(design.r, design.rl) + 1)]
        before = S[t - 1] if t else np.zeros(design.n)
        s = np.tanh(np.concatenate([design.XH[t], *gaps[: design.r], before if design.recurrent else zero[:0]]) @ c.G.T)
        u = np.concatenate([design.XL[t], *gaps[: design.rl],
                            (U[t - 1] if t else design.start) if design.ar else zero[:0]]) @ c.L.T + c.W @ s
        S.append(s)
        U.append(u)
    assert qL + qH
    return np.array(S), np.array(U)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_compiled_recursion_is_the_written_one(shape):
    design, theta, _ = problem(**shape)
    S, U = design.run(theta)
    expected_S, expected_U = reference(design, theta)
    assert_allclose(S, expected_S.reshape(S.shape), atol=1e-13)
    assert_allclose(U, expected_U, atol=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_and_jacobian_equal_complex_steps(shape):
    design, theta, rng = problem(**shape)
    C = rng.normal(size=design.Y.shape)
    S, U = design.run(theta)
    gradient = design.gradient(theta, S, U, C)
    J = np.concatenate(design.jacobian(theta, S, U, np.eye(design.k)))
    step = np.empty_like(J)
    for i in range(len(theta)):
        moved = theta.astype(complex)
        moved[i] += 1e-30j
        step[:, :, i] = reference(design, moved)[1][:, : design.k].imag / 1e-30
    assert_allclose(J, step, atol=1e-12)
    assert_allclose(gradient, np.einsum("tk,tkp->p", C, step), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_and_jacobian_equal_torch_autograd(shape):
    torch = pytest.importorskip("torch")
    design, theta, rng = problem(**shape)
    C = rng.normal(size=design.Y.shape)
    S, U = design.run(theta)
    weights = torch.tensor(theta, requires_grad=True)
    m, n, dl = design.m, design.n, design.width_L
    L = weights[: m * dl].reshape(m, dl)
    W = weights[m * dl : m * (dl + n)].reshape(m, n)
    G = weights[m * (dl + n) :].reshape(n, design.width_G)
    s, states = torch.zeros(n, dtype=torch.float64), []
    u = torch.tensor(design.start)
    for t in range(len(design.Y)):
        gaps = [torch.tensor(design.base[t - lag]) - states[t - lag][: design.k] if t >= lag
                else torch.zeros(design.k, dtype=torch.float64) for lag in range(1, max(design.r, design.rl) + 1)]
        s = torch.tanh(G @ torch.cat([torch.tensor(design.XH[t]), *gaps[: design.r], s if design.recurrent else s[:0]]))
        u = L @ torch.cat([torch.tensor(design.XL[t]), *gaps[: design.rl], u if design.ar else u[:0]]) + W @ s
        states.append(u)
    forecasts = torch.stack(states)[:, : design.k]
    assert_allclose(U[:, : design.k], forecasts.detach().numpy(), atol=1e-12)
    (slope,) = torch.autograd.grad((forecasts * torch.tensor(C)).sum(), weights, retain_graph=True)
    assert_allclose(design.gradient(theta, S, U, C), slope.numpy(), atol=1e-10)
    rows = [torch.autograd.grad(one, weights, retain_graph=True)[0].numpy() for one in forecasts.ravel()]
    J = np.concatenate(design.jacobian(theta, S, U, np.eye(design.k)))
    assert_allclose(J.reshape(-1, design.size), np.stack(rows), atol=1e-10)


def test_an_outlier_beyond_the_limit_is_not_believed_and_derivatives_stay_exact():
    design, theta, rng = problem(n=2, r=1, rl=1, ar=False, T=30)
    design.Y[10, 0] += 40.0
    S, U = design.run(theta)
    assert_allclose(U, reference(design, theta)[1], atol=1e-12)
    C = rng.normal(size=design.Y.shape)
    gradient = design.gradient(theta, S, U, C)
    J = np.concatenate(design.jacobian(theta, S, U, np.eye(2)))
    for i in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += 1e-6
        down[i] -= 1e-6
        numeric = ((design.run(up)[1] - design.run(down)[1])[:, :2] / 2e-6 * C).sum()
        assert_allclose(gradient[i], numeric, rtol=1e-5, atol=1e-6)
    assert_allclose(np.einsum("tk,tkp->p", C, J), gradient, atol=1e-11)


def test_the_jacobian_in_blocks_is_the_jacobian(monkeypatch):
    design, theta, _ = problem(n=3, r=2, rl=1, ar=False)
    white = np.array([[1.0, 0.0], [0.3, 2.0]])
    S, U = design.run(theta)
    errors = (design.Y - U) @ white.T
    whole = np.concatenate(design.jacobian(theta, S, U, white))
    monkeypatch.setattr("varnn.estimate.tanh.design.BLOCK", 7 * 2 * design.size)
    assert len(design.jacobian(theta, S, U, white)) == 6
    assert_array_equal(np.concatenate(design.jacobian(theta, S, U, white)), whole)
    flat = whole.reshape(-1, design.size)
    G, g = design.normal(theta, S, U, white, errors)
    assert_allclose(G, flat.T @ flat, atol=1e-11)
    assert_allclose(g, flat.T @ errors.ravel(), atol=1e-11)


def test_the_gram_matrix_of_a_linear_rung_is_a_kronecker_product():
    design, theta, _ = problem(n=0, r=0, rl=0, ar=False)
    white = np.array([[1.0, 0.0], [0.3, 2.0]])
    S, U = design.run(theta)
    flat = np.concatenate(design.jacobian(theta, S, U, white)).reshape(-1, design.size)
    errors = (design.Y - U) @ white.T
    G, g = design.normal(theta, S, U, white, errors)
    assert_allclose(G, flat.T @ flat, atol=1e-11)
    assert_allclose(g, flat.T @ errors.ravel(), atol=1e-11)


@pytest.mark.parametrize("driven", [False, True])
def test_simulated_paths_obey_the_recursion(driven):
    rng = np.random.default_rng(3)
    T, k, n, h = 30, 2, 3, 5
    Y = rng.normal(size=(T + h, k))
    one = np.ones((T + h, 1))
    lags = np.hstack([np.vstack([np.zeros((i, k)), Y[:-i]]) for i in (1, 2)])
    design = Design(np.hstack([one, lags]), np.hstack([one, lags[:, :k]]), Y, Y * (not driven), np.zeros(k), n, 2, 1)
    theta = rng.normal(size=design.size) * 0.3
    S, U = design.run(theta)
    shocks = (Y - U)[None, T:].copy()
    feedback = (design.base - U)[T - 2 : T][::-1].copy()
    more = rng.normal(size=(1, 4, h, k))
    one_of = [part[None] for part in (*design.matrices(theta), Y[T - 2 : T][::-1], feedback, S[T - 1], U[T - 1])]
    paths = simulate(*one_of[:3], Layout(2, 1, False, True, 2, 1), one[:h], one[:h], *one_of[3:],
                     0.0 if driven else 1.0, np.concatenate([shocks[None], more], axis=1))
    assert_allclose(paths[0, 0], Y[T:], atol=1e-12)
