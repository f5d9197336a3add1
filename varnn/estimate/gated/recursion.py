"""A gated recursion beside a linear part: ŷ_t = L x_t + W s_t with s_t = cell(s_{t-1}, v_t), in standard units.

Called by `gated_fit` and `models.rung4_gated`. The exact Jacobian comes from the cell's one-step derivatives, taken at
all times at once by torch, and one linear recursion; any cell of `varnn.recursion.cells` will do. Estimates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from varnn.recursion.cells import Cell, Shapes, count, drive, times, unflatten
from varnn.recursion.loop import unroll
from varnn.recursion.wiring import Layer
from varnn.series import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

    States = tuple[Tensor, ...]

REFILTERED = 500  # rows over which other weights than the estimate run their own filter


@dataclass(frozen=True, eq=False)
class Gated:
    """What is fitted: forecasts of `target` by a linear part and a cell.

    Attributes
    ----------
    cell : Cell
    width : int
        Units n.
    linear : array (T, d)
        x_t, the regressors of the linear part.
    inputs : array (T, q)
        v_t, what enters the cell.
    target : array (T, k)
    constant, drifting : bool
        Whether x_t begins with a 1, and whether a trend comes next, which the cell does not see.
    device : str
        Where torch runs.
    """

    cell: Cell
    width: int
    linear: FloatArray
    inputs: FloatArray
    target: FloatArray
    constant: bool = True
    drifting: bool = False
    device: str = "cpu"

    @property
    def shapes(self) -> Shapes:
        """Weights by name, in the order of the vector θ = (L, W, cell)."""
        k = self.target.shape[1]
        return {"linear": (k, self.linear.shape[1]), "readout": (k, self.width),
                **self.cell.shapes(self.inputs.shape[1], self.width)}

    def tensor(self, array: FloatArray) -> Tensor:
        """Return the array as a float64 tensor on the device."""
        import torch

        return torch.tensor(array, dtype=torch.float64, device=self.device)

    def states(self, theta: FloatArray) -> tuple[Tensor, ...]:
        """Return the cell's states (T, 1, n), one tensor for each that it carries."""
        import torch

        with torch.no_grad():
            weights = unflatten(self.tensor(theta), self.shapes)
            return Layer(self.cell, weights).run(self.tensor(self.inputs)[:, None])

    def forecasts(self, theta: FloatArray, states: tuple[Tensor, ...]) -> FloatArray:
        """ŷ = L x + W s for all rows, (T, k)."""
        weights = unflatten(theta, self.shapes)
        outputs = states[0][:, 0].cpu().numpy()
        return np.asarray(self.linear @ weights["linear"].T + outputs @ weights["readout"].T)

    def jacobian(self, theta: FloatArray, states: tuple[Tensor, ...]) -> FloatArray:
        r"""Return ∂ŷ_t/∂θ for all rows, (T, k, P).

        .. math:: \dot s_t = (\partial f/\partial s)_t \dot s_{t-1} + (\partial f/\partial W)_t
        """
        import torch

        T, k, n = len(self.target), self.target.shape[1], self.width
        shapes = self.cell.shapes(self.inputs.shape[1], n)
        first = len(theta) - count(shapes)
        after = torch.cat(states, dim=-1)[:, 0]                                   # (T, c n)
        before = torch.cat([torch.zeros_like(after[:1]), after[:-1]])
        by_state, by_weights = self._one_step_derivatives(self.tensor(theta)[first:], before)
        with torch.no_grad():
            carried = unroll(lambda moved, rows: torch.addmm(rows[1], rows[0], moved), torch.zeros_like(by_weights[0]),
                             lambda t, moved: (by_state[t], by_weights[t]), T)    # (T, c n, P_cell)
            sensitivity = carried[:, :n].cpu().numpy()
        readout = unflatten(theta, self.shapes)["readout"]
        J = np.zeros((T, k, len(theta)))
        d, outputs = self.linear.shape[1], states[0][:, 0].cpu().numpy()
        for i in range(k):
            J[:, i, i * d:(i + 1) * d] = self.linear
            J[:, i, k * d + i * n:k * d + (i + 1) * n] = outputs
        J[:, :, first:] = np.einsum("kn,tnp->tkp", readout, sensitivity)
        return J

    def _one_step_derivatives(self, inside: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Return ∂s_t/∂s_{t-1}, (T, c n, c n), and ∂s_t/∂W, (T, c n, P_cell), of one step at every t.

        Each t gets its own copy of the weights, so that one backward sweep for each unit serves all t. (`vmap` of
        `jacrev` does the same, but its first call spends seconds on imports.)
        """
        import torch

        own = inside.repeat(len(before), 1).requires_grad_()                      # (T, P_cell)
        past = before.clone().requires_grad_()
        weights = unflatten(own, self.cell.shapes(self.inputs.shape[1], self.width))
        with torch.enable_grad():
            parts = torch.split(past, self.width, dim=-1)
            outputs = torch.cat(self.cell.step(weights, parts, drive(weights, self.tensor(self.inputs))), dim=-1)
        rows = [torch.autograd.grad(outputs[:, unit].sum(), (past, own), retain_graph=True)
                for unit in range(outputs.shape[1])]
        return torch.stack([row[0] for row in rows], dim=1), torch.stack([row[1] for row in rows], dim=1)

    def ends(self, theta: FloatArray, states: States) -> States:
        """Return the states (d, n) after the last row for weights (d, P), each running its own filter.

        Parameters
        ----------
        theta : array (d, P)
            One vector is taken to be the one that `states` belong to.
        states : tuple of tensor (T, 1, n)
            Of the estimate; the others start from them, `REFILTERED` rows before the end.
        """
        import torch

        if len(theta) == 1:
            return tuple(part[-1] for part in states)
        begin = max(0, len(self.inputs) - REFILTERED)
        with torch.no_grad():
            weights = unflatten(self.tensor(theta), self.shapes)
            inputs = self.tensor(self.inputs[begin:])
            start = (tuple(part[begin - 1].repeat(len(theta), 1) for part in states) if begin else
                     self.cell.start(weights, len(theta)))
            run = unroll(lambda state, driven: self.cell.step(weights, state, driven), start,
                         lambda t, state: drive(weights, inputs[t].expand(len(theta), -1)), len(inputs))
        return tuple(part[-1] for part in run)

    def paths(self, weights: Mapping[str, Tensor], ends: States, lags: Tensor, fixed: Tensor,
              shocks: Tensor) -> FloatArray:
        """Return sample paths (m, h, k): each y_t enters the linear part and the cell of the steps after it.

        Parameters
        ----------
        weights : mapping
            One set, or one for each path (leading dimension m).
        ends : tuple of tensor (m, n)
            The cell's states at the end of the sample.
        lags : tensor (m, pk)
            The last observations, newest first.
        fixed : tensor (h, g)
            Future trend and exogenous columns.
        shocks : tensor (m, h, k)
        """
        import torch

        m, horizon, k = shocks.shape
        own, ones = fixed[:, int(self.drifting):], lags.new_ones(m, int(self.constant))

        def drive_at(t: int, state: States) -> States:
            past = state[1]
            x = torch.cat([ones, fixed[t].expand(m, -1), past], dim=-1)           # (m, d)
            v = torch.cat([own[t].expand(m, -1), past[:, :k]], dim=-1)            # (m, q)
            return drive(weights, v), times(weights["linear"], x) + shocks[:, t]

        def step(state: States, driven: States) -> States:
            cell = self.cell.step(weights, state[2:], driven[0])
            y = driven[1] + times(weights["readout"], cell[0])
            kept = state[1].shape[1] - k
            return (y, torch.cat([y, state[1][:, :kept]], dim=-1) if kept >= 0 else state[1], *cell)

        with torch.no_grad():
            y = unroll(step, (lags.new_zeros(m, k), lags, *ends), drive_at, horizon)[0]
        return np.ascontiguousarray(y.transpose(0, 1).cpu().numpy())
