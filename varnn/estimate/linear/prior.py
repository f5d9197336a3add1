"""The shrunken VAR's prior, as observations that the linear RNN is fitted to beside the data.

Called by `likelihood`, which adds them, and by the linear RNN, which makes them. The prior is of the process, so a
row stands for a date at which the forecast before was right, u_{t−1} = y_{t−1}: it pulls Φ_1 = B_1 + A and the other
B_l, and says nothing of the memory alone. With A = 0 the posterior is the shrunken VAR's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from varnn.estimate.least_squares.minnesota import Regression, Tightness, posterior

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pull:
    """The conjugate prior Σ ~ IW(scatter, dof), [Φ | c | D] | Σ ~ N(·, Σ ⊗ (RᵀR)⁻¹), in standard units.

    Attributes
    ----------
    rows : array (r, m)
        R over r_t = (u_{t−1}, y_{t−1}, …, y_{t−p}, 1, w_t).
    targets : array (r, k)
        R times the centre.
    scatter : array (k, k)
    dof : float
        d.
    mean : array (k, m)
        Posterior mean with A = 0: the shrunken VAR.
    evidence : float
        Log marginal likelihood of the shrunken VAR on the rows that count.
    """

    rows: Array
    targets: Array
    scatter: Array
    dof: float
    mean: Array
    evidence: float

    def away(self, weights: Array) -> Array:
        """Return R C' less the targets, (r, k): how far weights [A | B | c | D] lie from the centre."""
        return np.asarray(self.rows @ weights[: len(self.scatter)].T - self.targets)

    def scattered(self, weights: Array) -> Array:
        """Return what the prior adds to the scatter of the errors, (k, k)."""
        away = self.away(weights)
        return np.asarray(self.scatter + away.T @ away)


def pull_of(data: Regression, tight: Tightness, walks: Array, ratio: Array, width: int, *, constant: bool) -> Pull:
    """Return the prior of a regression at its hyper-parameters, for a linear RNN in standard units.

    Parameters
    ----------
    data : Regression
        In units of its own.
    tight, walks
        Hyper-parameters.
    ratio : array (k,)
        Standard units of the series in units of `data`.
    width : int
        n, units of the recursion.
    constant : bool
        Whether the first fixed column is the constant; where it is not, the weight of a constant is not estimated.
    """
    k, p, fixed = data.Y.shape[1], data.lags, data.fixed
    found = posterior(data, tight, walks)
    R = np.vstack([data.dummies(tight), np.diag(np.sqrt(data.independent(tight)))])
    centre = data.centre(walks)
    sizes = np.concatenate([np.ones(fixed), np.tile(ratio, p)])
    first, rest = (slice(0, 1), slice(1, fixed)) if constant else (slice(0, 0), slice(0, fixed))

    def arranged(columns: Array) -> Array:
        """Order columns (·, m of the regression) as r_t, whose u_{t−1} are a second first lag."""
        lags = columns[:, fixed:]
        none = np.zeros((len(columns), 1 - int(constant)))
        hidden = np.zeros((len(columns), width - k))
        return np.hstack([lags[:, :k], hidden, lags, columns[:, first], none, columns[:, rest]])

    mean = arranged((found.coef * sizes[:, None] / ratio).T)
    mean[:, :width] = 0.0
    rows = arranged(R / sizes)
    return Pull(np.ascontiguousarray(rows), R @ centre / ratio, np.diag(1.0 / ratio**2), data.dof,
                np.ascontiguousarray(mean), found.evidence + data.rows * float(np.log(ratio).sum()))
