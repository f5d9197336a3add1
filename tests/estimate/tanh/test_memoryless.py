"""Normal equations without memory equal those made of the Jacobian, whole and in blocks of rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.estimate.tanh import memoryless
from varnn.estimate.tanh.design import Design

WHITE = np.array([[1.0, 0.0, 0.0], [0.3, 2.0, 0.0], [-0.2, 0.1, 0.5]])


def problem(n: int, *, frozen: bool = False) -> tuple[Design, np.ndarray]:
    rng = np.random.default_rng(n)
    XL, XH, Y = rng.normal(size=(40, 4)), rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    design = Design(XL, XH, Y, Y, np.zeros(3), n, recurrent=False, first=5, frozen=frozen)
    return design, rng.normal(size=design.size)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("block", [2**22, 40])
def test_normal_equations_and_leverages_are_those_of_the_jacobian(n, frozen, block, monkeypatch):
    monkeypatch.setattr(memoryless, "BLOCK", block)
    design, theta = problem(n, frozen=frozen)
    assert design.static
    S, U = design.run(theta)
    errors = (design.Y - U)[design.first:] @ WHITE.T
    J = np.concatenate(design.jacobian(theta, S, U, WHITE))[:, :, : design.free]
    flat = J.reshape(-1, design.free)
    G, g = design.normal(theta, S, U, WHITE, errors)
    assert_allclose(G, flat.T @ flat, atol=1e-11)
    assert_allclose(g, flat.T @ errors.ravel(), atol=1e-11)
    inverse = np.linalg.inv(flat.T @ flat + np.eye(design.free))
    assert_allclose(design.leverages(theta, S, U, WHITE, inverse), J @ inverse @ J.transpose(0, 2, 1), atol=1e-11)
