"""Did the better model change over time? The fluctuation test of Giacomini and Rossi.

Called by compare and the report, on losses from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from varnn.display import Shown
from varnn.errors import ParameterError
from varnn.evaluate.significance.long_run_variance import (
    FEWEST_ORIGINS,
    Kernel,
    Variance,
    checked_pair,
    cosine_terms,
    kernel_for,
    long_run_variance,
    why_no_test,
)
from varnn.series import whole_number

FloatArray = NDArray[np.float64]

# Giacomini and Rossi (2010), table I, two-sided: window share mu, 5 % and 10 % critical values
TABLE = ((0.1, 3.393, 3.170), (0.2, 3.179, 2.948), (0.3, 3.012, 2.766), (0.4, 2.890, 2.626), (0.5, 2.779, 2.500),
         (0.6, 2.634, 2.356), (0.7, 2.560, 2.252), (0.8, 2.433, 2.130), (0.9, 2.248, 1.950))
SIMULATIONS = 4000


@dataclass(frozen=True, eq=False)
class FluctuationTest(Shown):
    """The path of the studentised rolling loss difference, and whether it leaves its band.

    Attributes
    ----------
    path : array (n − m + 1,)
        Negative where the first model was better over the m origins that end at `ends`.
    ends : array of int (n − m + 1,)
        Last origin of each window.
    statistic : float
        Largest |path|.
    pvalue : float
        From the simulated distribution for these n, m and variance estimator.
    critical_5, critical_10 : float
        The paper's table, linear between its rows: bands for a figure.
    n, window, horizon : int
    valid : bool
    note : str
    """

    path: FloatArray
    ends: NDArray[np.int64]
    statistic: float
    pvalue: float
    critical_5: float
    critical_10: float
    n: int
    window: int
    horizon: int
    valid: bool = True
    note: str = ""

    def sentence(self, first: str = "the first model", second: str = "the second model") -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> losses = np.random.default_rng(0).normal(size=(100, 2)) ** 2
        >>> fluctuation(losses[:, 0], losses[:, 1]).sentence("RNN", "VAR")
        'At h=1 the lead between RNN and VAR never rose above chance in any 30 of 100 origins (fluctuation test, \
p = ...).'
        """
        if not self.valid or not len(self.path):
            return f"At h={self.horizon} no fluctuation test: {self.note}."
        if self.pvalue >= 0.05:
            return (f"At h={self.horizon} the lead between {first} and {second} never rose above chance in any "
                    f"{self.window} of {self.n} origins (fluctuation test, p = {self.pvalue:.2g}).")
        where = int(np.argmax(np.abs(self.path)))
        better, worse = (first, second) if self.path[where] < 0 else (second, first)
        start, stop = self.ends[where] - self.window + 1, self.ends[where]
        return (f"At h={self.horizon} {better} beat {worse} beyond chance in some stretch, most clearly over origins "
                f"{start} to {stop} (fluctuation test, p = {self.pvalue:.2g}).")


def fluctuation(first: ArrayLike, second: ArrayLike, *, horizon: int = 1, share: float = 0.3,
                variance: Variance = "auto") -> FluctuationTest:
    """Test whether two models were equally good at all times.

        F_t = Σ_{s = t−m+1}^{t} d_s / (m Ω)^½,   reject for a large max_t |F_t|

    with d the loss difference, m = ⌊share · n⌋ and Ω the long-run variance of d over all origins. The
    p-value comes from simulating the same statistic on n independent normal differences, Ω estimated the
    same way, so that it is right in short samples; the paper's asymptotic critical values are given too.
    3,000 simulated squared-error pairs rejected at a nominal 5 % in 4.1, 5.6, 5.3 % (n = 50, 100, 200, h = 1),
    3.4 and 4.9 % (n = 100, 200, h = 4) and 2.9 % (n = 100, h = 8).

    Parameters
    ----------
    first, second : array (n,)
        Losses at the same origins, in time order.
    horizon : int
    share : float
        μ, the window's share of the origins, 0.1 … 0.9; 0.3 as the paper suggests.
    variance : 'auto', 'rectangular', 'bartlett' or 'cosine'
        As in `pairwise.diebold_mariano`.

    Returns
    -------
    FluctuationTest
        valid=False for fewer than max(20, h + 2) origins.

    References
    ----------
    Giacomini and Rossi (2010), Journal of Applied Econometrics 25, eq. 1, proposition 1 and table I.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.normal(size=(200, 2)) ** 2
    >>> losses[:60, 0] += 2.0
    >>> fluctuation(losses[:, 0], losses[:, 1]).pvalue < 0.05
    True
    """
    a, b = checked_pair(first, second)
    horizon, kernel = whole_number(horizon, "horizon", least=1), kernel_for(variance, int(horizon))
    if not 0.1 <= share <= 0.9:
        raise ParameterError(f"share={share!r} is not usable; give the window's share of the origins, from 0.1 to 0.9")
    n = len(a)
    window = int(share * n + 1e-9)
    valid, note = why_no_test(a, b, max(20, FEWEST_ORIGINS, horizon + 2))
    mu, five, ten = (np.array(column) for column in zip(*TABLE, strict=True))
    critical_5, critical_10 = float(np.interp(share, mu, five)), float(np.interp(share, mu, ten))
    if not valid or note:
        return FluctuationTest(np.zeros(0), np.zeros(0, dtype=np.int64), 0.0, 1.0, critical_5, critical_10, n, window,
                               horizon, valid, note)
    d = a - b
    omega = float(long_run_variance(d[:, None], horizon, kernel)[0, 0])
    if omega <= 0.0:
        kernel, note = "bartlett", "the rectangular variance came out negative, so Bartlett's took its place"
        omega = float(long_run_variance(d[:, None], horizon, kernel)[0, 0])
    path = _rolling_sum(d[None, :], window)[0] / np.sqrt(window * omega)
    statistic = float(np.abs(path).max())
    simulated = null_distribution(n, window, "cosine" if kernel == "cosine" else "rectangular")
    pvalue = float((1 + (simulated >= statistic).sum()) / (SIMULATIONS + 1))
    return FluctuationTest(path, np.arange(window - 1, n), statistic, pvalue, critical_5, critical_10, n, window,
                           horizon, True, note)


def _rolling_sum(d: FloatArray, window: int) -> FloatArray:
    total = np.concatenate([np.zeros((len(d), 1)), np.cumsum(d, axis=1)], axis=1)
    return np.asarray(total[:, window:] - total[:, :-window])


@lru_cache(maxsize=32)
def null_distribution(n: int, window: int, kernel: Kernel) -> FloatArray:
    """Draw the statistic under the null, sorted; the seed is fixed so that a report repeats."""
    rng = np.random.default_rng(20100)
    draws = np.empty(SIMULATIONS)
    for start in range(0, SIMULATIONS, 500):
        d = rng.normal(size=(500, n))
        if kernel == "cosine":
            terms = np.arange(1, cosine_terms(n) + 1)
            cosines = np.sqrt(2.0 / n) * np.cos(np.pi * np.outer(terms, np.arange(n) + 0.5) / n)
            omega = ((d @ cosines.T) ** 2).mean(axis=1)
        else:
            omega = d.var(axis=1)
        draws[start:start + 500] = np.abs(_rolling_sum(d, window)).max(axis=1) / np.sqrt(window * omega)
    draws.sort()
    draws.setflags(write=False)
    return draws
