"""Impulse responses of the linear rungs: what a shock today does to every series later.

Functions of moving-average weights and a residual covariance, so that every linear model can use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from varnn.display import Shown
from varnn.errors import ParameterError
from varnn.estimate.numerics.companion import companion, moving_average
from varnn.forecaster import square_root
from varnn.guide import Guided
from varnn.series import FloatArray, checked_memory, whole_number

if TYPE_CHECKING:
    import pandas as pd

    from varnn.inference.bootstrap import Bootstrap
    from varnn.picture import Picture


@dataclass(frozen=True, eq=False)
class ImpulseResponses(Guided, Shown):
    """Responses at steps 0 … h of every series to every shock; entry [step, i, j] is series i to shock j.

    Attributes
    ----------
    irfs : array (h + 1, k, k)
        Responses Φ_s to a unit residual of series j, the others at zero.
    orth_irfs : array (h + 1, k, k)
        Responses Φ_s P to shocks of one standard deviation, with Σ = P Pᵀ lower triangular: series later in
        the order do not move earlier ones at once.
    generalized_irfs : array (h + 1, k, k)
        Responses Φ_s Σ e_j / √Σ_jj to a typical residual of series j, whatever the order.
    stderr : array (h + 1, k, k) or None
        Large-sample standard errors of `irfs`.
    names : tuple of str
        Series.

    Examples
    --------
    >>> found = impulse_responses(np.array([[[0.5, 0.0], [0.25, 0.5]]]), np.eye(2), 3, ["a", "b"])
    >>> found.irfs[:, 1, 0].tolist()                               # b after a shock to a
    [0.0, 0.25, 0.25, 0.1875]
    >>> found.to_frame().columns.tolist()
    ['step', 'response', 'impulse', 'irf', 'orth_irf', 'generalized_irf']
    """

    irfs: FloatArray
    orth_irfs: FloatArray
    generalized_irfs: FloatArray
    stderr: FloatArray | None
    names: tuple[str, ...]

    @property
    def cum_effects(self) -> FloatArray:
        """Sums of `irfs` over the steps so far."""
        return np.asarray(self.irfs.cumsum(axis=0))

    @property
    def orth_cum_effects(self) -> FloatArray:
        """Sums of `orth_irfs` over the steps so far."""
        return np.asarray(self.orth_irfs.cumsum(axis=0))

    def plot(self, *, orth: bool = False, cumulative: bool = False, bands: Bootstrap | None = None) -> Picture:
        """Draw every response, series in rows and shocks in columns.

        Parameters
        ----------
        orth : bool
            Responses to orthogonal shocks of one standard deviation, in place of unit residuals.
        cumulative : bool
            Sums over the steps so far.
        bands : Bootstrap, optional
            Of the same fit, from ``fit.bootstrap(199)``: percentile bands of whatever is drawn.

        Returns
        -------
        Picture
            A grid (k, k) of matplotlib axes, with 95 % bands: from `bands`, or from `stderr` where these are what is
            drawn.

        Raises
        ------
        ParameterError
            If `bands` are of other series.
        """
        from varnn.inference.pictures import response_grid

        def shown(found: ImpulseResponses) -> FloatArray:
            responses = found.orth_irfs if orth else found.irfs
            return np.asarray(responses.cumsum(axis=0)) if cumulative else responses

        shock = "orthogonal shock of one standard deviation" if orth else "unit residual"
        label = f"{'cumulated response' if cumulative else 'response'} to a{'n' if orth else ''} {shock}"
        if bands is not None:
            limits = band_of(bands, self.names, [shown(one) for one in bands.responses(len(self.irfs) - 1)])
        elif orth or cumulative or self.stderr is None:
            limits = None
        else:
            limits = (self.irfs - 1.96 * self.stderr, self.irfs + 1.96 * self.stderr)
        return response_grid(shown(self), self.names, label, limits)

    def to_frame(self) -> pd.DataFrame:
        """Tidy table: step, response, impulse, irf, orth_irf, generalized_irf."""
        import pandas as pd

        keys = pd.MultiIndex.from_product([range(len(self.irfs)), self.names, self.names],
                                          names=["step", "response", "impulse"])
        return pd.DataFrame({"irf": self.irfs.ravel(), "orth_irf": self.orth_irfs.ravel(),
                             "generalized_irf": self.generalized_irfs.ravel()}, index=keys).reset_index()


def band_of(bands: Bootstrap, names: tuple[str, ...], replicates: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return the 2.5 and 97.5 % points over replicates of what is drawn of a fit of these series."""
    if bands.fit.series.names != names:
        raise ParameterError(f"bands are of {', '.join(bands.fit.series.names)}, the picture is of {', '.join(names)}; "
                             "give the bootstrap of the same fit")
    lower, upper = np.quantile(replicates, [0.025, 0.975], axis=0)
    return np.asarray(lower), np.asarray(upper)


def impulse_responses(coefs: FloatArray, sigma: FloatArray, periods: int, names: Sequence[str],
                      inverse_gram: FloatArray | None = None) -> ImpulseResponses:
    """Compute the responses of a VAR for `periods` steps after the shock.

    Parameters
    ----------
    coefs : array (p, k, k)
        Lag matrices A_1 … A_p.
    sigma : array (k, k)
        Residual covariance.
    periods : int
        Steps h after the shock, at least 1.
    names : sequence of str
        Series.
    inverse_gram : array (kp, kp), optional
        Block of (XᵀX)⁻¹ that belongs to the lags, for standard errors.

    Raises
    ------
    ParameterError
        If `periods` is not a whole number of at least 1.

    Examples
    --------
    >>> found = impulse_responses(np.array([[[0.5, 0.0], [0.2, 0.0]]]), np.eye(2), 2, ["a", "b"])
    >>> found.irfs[:, 1, 0].tolist()
    [0.0, 0.2, 0.1]

    References
    ----------
    Lütkepohl (2005), §2.3.2 and prop. 3.6; Pesaran & Shin (1998), Economics Letters 58(1), eq. 10.
    """
    steps, k, p = whole_number(periods, "periods", least=1), len(sigma), len(coefs)
    errors_hold = 2 * steps**2 * k + 4 * steps * k * k * p if inverse_gram is not None and p else 0
    checked_memory(f"irf(periods={steps})", 5 * steps * k * k + errors_hold, "use a smaller periods")
    phi = moving_average(coefs, steps)
    errors = None if inverse_gram is None or not len(coefs) else _standard_errors(coefs, phi, sigma, inverse_gram)
    return responses(phi, sigma, names, errors)


def responses(phi: FloatArray, sigma: FloatArray, names: Sequence[str],
              errors: FloatArray | None = None) -> ImpulseResponses:
    """Return plain, orthogonalised and generalised responses from moving-average weights Φ_0 … Φ_h (h + 1, k, k)."""
    typical = np.sqrt(np.where(np.diag(sigma) > 0, np.diag(sigma), 1.0))
    return ImpulseResponses(phi, phi @ square_root(sigma), phi @ sigma / typical, errors, tuple(names))


def _standard_errors(coefs: FloatArray, phi: FloatArray, sigma: FloatArray, inverse_gram: FloatArray) -> FloatArray:
    """√diag(G_s ((XᵀX)⁻¹ ⊗ Σ) G_sᵀ), G_s = Σ_{m<s} P_{s−1−m} ⊗ Φ_m, P_i the first k rows of the companion's (𝐀ᵀ)^i."""
    p, k, _ = coefs.shape
    turn, powers = companion(coefs).T, [np.eye(k * p)[:k]]
    for _ in range(2, len(phi)):
        powers.append(powers[-1] @ turn)
    rows = np.stack(powers)                                                                   # (h, k, kp)
    past = np.einsum("ajx,bjx->abj", rows @ inverse_gram, rows)                               # diag P_a V P_bᵀ
    weights = np.einsum("mix,nix->mni", phi[:-1] @ sigma, phi[:-1])                           # diag Φ_m Σ Φ_nᵀ
    errors = np.zeros(phi.shape)
    for step in range(1, len(phi)):
        variances = np.einsum("mnj,mni->ij", past[:step, :step][::-1, ::-1], weights[:step, :step])
        errors[step] = np.sqrt(np.maximum(variances, 0.0))
    return errors
