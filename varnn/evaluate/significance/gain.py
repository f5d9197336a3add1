"""How much lower a model's RMSE is, with limits that are the inverse of the Diebold–Mariano test.

Called by the judgement and the tables, on losses from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from varnn.display import Shown
from varnn.errors import NonFiniteError
from varnn.evaluate.significance.long_run_variance import (
    FEWEST_ORIGINS,
    ROUNDING,
    Variance,
    checked_pair,
    cosine_terms,
    kernel_for,
    long_run_variance,
)
from varnn.series import checked_coverage, whole_number

FloatArray = NDArray[np.float64]
POWER = 0.8


@dataclass(frozen=True)
class Gain(Shown):
    """How much lower a model's RMSE is than another's, in percent: 100 (1 − RMSE/RMSE of the other).

    Attributes
    ----------
    value : float
        Positive is better.
    pvalue : float
        Of no gain against a gain, one-sided: half of Diebold–Mariano's where the value is positive.
    detectable : float
        The smallest gain that a one-sided 5 % test of these losses shows with probability .8; NaN without a test.
    n : int
        Origins.
    same : bool
        The two models forecast alike, up to rounding.
    valid : bool
        False if there are too few origins for a test, or no ratio; limits are then −inf and 100.
    note : str
    """

    value: float
    pvalue: float
    detectable: float
    n: int
    same: bool = False
    valid: bool = True
    note: str = ""
    _moments: tuple[float, ...] = field(default=(), repr=False)
    _df: float = field(default=0.0, repr=False)

    def limit(self, confidence: float) -> float:
        """Return the one-sided limit that the gain lies above with this confidence: .95 gives the lower, .05 the upper.

        The set of ratios r of RMSE for which a Diebold–Mariano test of the losses and r² times the others does not
        reject; `limit(1 − p)` is 0 exactly where `pvalue` is p.

        Examples
        --------
        >>> e = np.random.default_rng(0).normal(size=80)
        >>> gain = gain_in_rmse((0.9 * e + 0.3 * e[::-1]) ** 2, e**2)
        >>> bool(abs(gain.limit(1.0 - gain.pvalue)) < 1e-8)
        True
        """
        if self.same:
            return 0.0
        if not self.valid:
            return -np.inf if confidence >= 0.5 else 100.0
        mine, other, v_mine, v_both, v_other = self._moments
        q = float(special.stdtrit(self._df, checked_coverage(max(confidence, 1.0 - confidence))))
        # (mine − ρ·other)² = q² (v_mine − 2 ρ v_both + ρ² v_other), ρ the ratio of mean squares (Fieller)
        a, b, c = other**2 - q**2 * v_other, mine * other - q**2 * v_both, mine**2 - q**2 * v_mine
        inside = b**2 - a * c
        if a <= 0.0 or inside < 0.0:  # the other's mean loss is itself not beyond chance above 0
            return -np.inf if confidence >= 0.5 else 100.0
        ratio = (b + (np.sqrt(inside) if confidence >= 0.5 else -np.sqrt(inside))) / a
        return float(100.0 * (1.0 - np.sqrt(max(ratio, 0.0))))


def gain_in_rmse(losses: ArrayLike, others: ArrayLike, *, horizon: int = 1, variance: Variance = "auto",
                 same: bool = False) -> Gain:
    """Measure the gain in RMSE over another model, with the test of no gain and its limits.

        gain = 100 (1 − (mean L / mean L')^½),   limits: {r : |DM(L, r² L')| ≤ t}

    DM is the test of `diebold_mariano` in the same form: rectangular against t(n − 1) at one step, the fixed-b cosine
    one against t(B) beyond.  The interval is Fieller's, so that it excludes 0 exactly where the test rejects.

    Parameters
    ----------
    losses, others : array (n,)
        Squared errors at the same origins, in time order.
    horizon : int
        Origins over which forecasts overlap.
    variance : 'auto', 'rectangular', 'bartlett' or 'cosine'
    same : bool
        Say that the forecasts were seen to agree up to rounding: a gain of 0 without a test.

    Returns
    -------
    Gain

    References
    ----------
    Fieller (1954), JRSS B 16. Lazarus, Lewis, Stock and Watson (2018), JBES 36. Coroneo and Iacone (2020), J. Applied
    Econometrics 35. Quaedvlieg (2021), JBES 39 (average superior predictive ability over horizons).

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=80)
    >>> gain = gain_in_rmse((0.9 * e + 0.3 * e[::-1]) ** 2, e**2)
    >>> round(gain.limit(0.95), 1), round(gain.value, 1), round(gain.limit(0.05), 1)
    (4.3, 9.3, 14.0)
    """
    a, b = checked_pair(losses, others)
    n, horizon = len(a), whole_number(horizon, "horizon", least=1)
    if same or (n and np.abs(a - b).max() <= ROUNDING * float(np.abs(np.concatenate([a, b])).mean())):
        return Gain(0.0, float("nan"), float("nan"), n, same=True, note="the forecasts are the same")
    if not n or not (a.mean() > 0 and b.mean() > 0):
        if n and (a.min() < 0 or b.min() < 0):
            raise NonFiniteError("a ratio of RMSE needs losses of at least zero; give squared errors")
        return Gain(float("nan"), float("nan"), float("nan"), n, valid=False, note="there is no ratio of errors")
    value = float(100.0 * (1.0 - np.sqrt(a.mean() / b.mean())))
    least = max(FEWEST_ORIGINS, horizon + 2)
    if n < least:
        return Gain(value, float("nan"), float("nan"), n, valid=False,
                    note=f"{n} origins are too few for a test, it needs at least {least}")
    kernel = kernel_for(variance, horizon)
    pair = np.column_stack([a, b])
    omega = long_run_variance(pair, horizon, kernel)
    if kernel == "rectangular" and horizon > 1 and np.linalg.eigvalsh(omega)[0] <= 0:
        omega, kernel = long_run_variance(pair, horizon, "bartlett"), "bartlett"
    correction = 1.0 if kernel == "cosine" else (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    omega, df = omega / (n * correction), float(cosine_terms(n) if kernel == "cosine" else n - 1)
    error = float(np.sqrt(max(omega[0, 0] - 2 * omega[0, 1] + omega[1, 1], 0.0)))
    if error <= ROUNDING * b.mean():
        return Gain(value, float("nan"), float("nan"), n, valid=False,
                    note="the loss difference is the same at every origin, so it has no variance to test with")
    pvalue = float(special.stdtr(df, (a.mean() - b.mean()) / error))
    ratio = a.mean() / b.mean()
    spread = float(np.sqrt(max(omega[0, 0] - 2 * ratio * omega[0, 1] + ratio**2 * omega[1, 1], 0.0)) / a.mean() / 2.0)
    reach = float(special.stdtrit(df, 0.95) + special.stdtrit(df, POWER)) * spread
    moments = tuple(float(x) for x in (a.mean(), b.mean(), omega[0, 0], omega[0, 1], omega[1, 1]))
    return Gain(value, pvalue, 100.0 * (1.0 - float(np.exp(-reach))), n, _moments=moments, _df=df)
