"""Forecast error variance decomposition: whose shocks make the forecasts of a series uncertain.

A function of orthogonalised impulse responses, so that every linear model can use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from varnn.display import Shown
from varnn.guide import Guided
from varnn.inference.impulse import band_of
from varnn.series import FloatArray

if TYPE_CHECKING:
    import pandas as pd

    from varnn.inference.bootstrap import Bootstrap
    from varnn.picture import Picture


@dataclass(frozen=True, eq=False)
class VarianceDecomposition(Guided, Shown):
    """Shares of forecast error variance.

    Attributes
    ----------
    decomp : array (k, h, k)
        Entry [i, s, j]: share of the (s + 1)-step error variance of series i owed to shock j; sums to 1 over j.
    names : tuple of str
        Series.

    Examples
    --------
    >>> found = variance_decomposition(np.array([[[1.0, 0.0], [0.6, 0.8]]]), ["a", "b"])
    >>> found.to_frame().loc["b"].round(2).to_numpy().tolist()
    [[0.36, 0.64]]
    """

    decomp: FloatArray
    names: tuple[str, ...]

    def plot(self, bands: Bootstrap | None = None) -> Picture:
        """Draw the shares as stacked bars, one picture a series; with bands as lines, series by shock.

        Parameters
        ----------
        bands : Bootstrap, optional
            Of the same fit, from ``fit.bootstrap(199)``: 95 % percentile bands.

        Returns
        -------
        Picture
            An array (k,) of matplotlib axes, or a grid (k, k) where there are bands.

        Raises
        ------
        ParameterError
            If `bands` are of other series.
        """
        from varnn.inference.pictures import response_grid, share_bars

        if bands is None:
            return share_bars(self.decomp, self.names)
        horizon = self.decomp.shape[1]
        replicates = [_shares(one.orth_irfs[:horizon]) for one in bands.responses(horizon)]
        limits = band_of(bands, self.names, [shares.swapaxes(0, 1) for shares in replicates])
        return response_grid(self.decomp.swapaxes(0, 1), self.names, "share of the error variance owed to the shock",
                             limits, first=1)

    def to_frame(self) -> pd.DataFrame:
        """Table with one row a series and step, one column a shock."""
        import pandas as pd

        keys = pd.MultiIndex.from_product([self.names, range(1, self.decomp.shape[1] + 1)], names=["series", "step"])
        return pd.DataFrame(self.decomp.reshape(-1, len(self.names)), index=keys, columns=list(self.names))


def variance_decomposition(orthogonal: FloatArray, names: Sequence[str]) -> VarianceDecomposition:
    """Split the h-step error variance of each series: Σ_{s<h} (Φ_s P)²_ij over its sum over j.

    Parameters
    ----------
    orthogonal : array (h, k, k)
        Orthogonalised impulse responses Φ_s P at steps 0 … h − 1.
    names : sequence of str
        Series.

    Examples
    --------
    >>> variance_decomposition(np.array([[[1.0, 0.0], [0.6, 0.8]]]), ["a", "b"]).decomp[1].round(2).tolist()
    [[0.36, 0.64]]

    References
    ----------
    Lütkepohl (2005), eq. 2.3.37.
    """
    return VarianceDecomposition(_shares(orthogonal), tuple(names))


def _shares(orthogonal: FloatArray) -> FloatArray:
    contributions = (orthogonal**2).cumsum(axis=0)                                            # (h, k, k)
    total = contributions.sum(axis=2, keepdims=True)
    return np.ascontiguousarray((contributions / np.where(total > 0, total, 1.0)).swapaxes(0, 1))
