"""Granger and instantaneous causality in a VAR, as tests of zero restrictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from varnn.errors import ParameterError
from varnn.inference.hypothesis import HypothesisTest, positions
from varnn.series import FloatArray


def granger(coefs: FloatArray, inverse_gram: FloatArray, sigma: FloatArray, df_resid: int, names: Sequence[str],
            caused: object, causing: object = None, kind: str = "f") -> HypothesisTest:
    """Test that the past of `causing` adds nothing to the forecast of `caused`.

    λ = (C β)ᵀ [C ((XᵀX)⁻¹ ⊗ Σ) Cᵀ]⁻¹ (C β) for the N coefficients of `causing` in the equations of `caused`;
    λ is χ²(N) in large samples, λ/N is F(N, k df).

    Parameters
    ----------
    coefs : array (p, k, k)
        Lag matrices.
    inverse_gram : array (kp, kp)
        Block of (XᵀX)⁻¹ that belongs to the lags, in the order L1.y1 … L1.yk, L2.y1 ….
    sigma : array (k, k)
        Residual covariance.
    df_resid : int
        Residual degrees of freedom of one equation.
    names : sequence of str
        Series.
    caused, causing : str, int or list of them
        Series; `causing` is all others when left out.
    kind : {"f", "wald"}
        Which distribution to use.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    ParameterError
        If a series is unknown or on both sides, the model has no lags or `kind` is another word.

    References
    ----------
    Lütkepohl (2005), eq. 3.6.5 and §7.6.3.
    """
    p, k, _ = coefs.shape
    to, source = _sides(names, caused, causing)
    if p == 0:
        raise ParameterError("a VAR with lags=0 has no past whose effect could be tested; fit it with lags >= 1")
    if kind not in ("f", "wald"):
        raise ParameterError(f"kind={kind!r} is not usable; give 'f' or 'wald'")
    columns = np.array([lag * k + j for lag in range(p) for j in source])
    beta = np.concatenate([coefs[column // k][list(to), column % k] for column in columns])   # caused within column
    middle = np.kron(inverse_gram[np.ix_(columns, columns)], sigma[np.ix_(to, to)])
    wald = float(beta @ np.linalg.solve(middle, beta))
    null = f"{_listed(names, source)} does not Granger-cause {_listed(names, to)}"
    if kind == "wald":
        return HypothesisTest(null, wald, len(beta))
    return HypothesisTest(null, wald / len(beta), (len(beta), k * df_resid))


def instantaneous(sigma: FloatArray, nobs: int, names: Sequence[str], causing: object) -> HypothesisTest:
    """Test that the residuals of `causing` and of all other series are uncorrelated.

    T s ᵀ[2 C D⁺ (Σ ⊗ Σ) D⁺ᵀ Cᵀ]⁻¹ s for the N covariances s between the two groups, χ²(N) in large samples.

    Parameters
    ----------
    sigma : array (k, k)
        Residual covariance.
    nobs : int
        Number of residuals T.
    names : sequence of str
        Series.
    causing : str, int or list of them
        One side; all other series are the other.

    Raises
    ------
    ParameterError
        If a series is unknown or no series is left on the other side.

    References
    ----------
    Lütkepohl (2005), eq. 3.6.11 and §7.6.4.
    """
    one = positions(causing, names, "causing")
    other = tuple(j for j in range(len(names)) if j not in one)
    if not other:
        raise ParameterError(f"causing={causing!r} takes every series; leave at least one on the other side")
    pairs = [(a, b) for a in one for b in other]
    s = np.array([sigma[a, b] for a, b in pairs])
    # Cov(√T s_ab, √T s_cd) = Σ_ac Σ_bd + Σ_ad Σ_bc, which is 2 D⁺(Σ ⊗ Σ)D⁺ᵀ written out
    spread = np.array([[sigma[a, c] * sigma[b, d] + sigma[a, d] * sigma[b, c] for c, d in pairs] for a, b in pairs])
    null = f"no instantaneous causality between {_listed(names, one)} and {_listed(names, other)}"
    return HypothesisTest(null, float(nobs * s @ np.linalg.solve(spread, s)), len(pairs))


def _sides(names: Sequence[str], caused: object, causing: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    to = positions(caused, names, "caused")
    source = (tuple(j for j in range(len(names)) if j not in to) if causing is None
              else positions(causing, names, "causing"))
    both = sorted(set(to) & set(source))
    if both or not source:
        what = f"{names[both[0]]!r} is on both sides" if both else "no series is left to do the causing"
        raise ParameterError(f"caused={caused!r}, causing={causing!r}: {what}; name different series")
    return to, source


def _listed(names: Sequence[str], chosen: Sequence[int]) -> str:
    return ", ".join(names[j] for j in chosen)
