"""Are forecast distributions right? PIT and rank histograms with bands and a test, coverage by horizon, sharpness.

Called by the report, on outcomes and paths or intervals of many origins; pure functions on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from varnn.display import Shown
from varnn.errors import MissingDataError, ParameterError, ShapeError
from varnn.evaluate.significance.long_run_variance import (
    FEWEST_ORIGINS,
    checked_losses,
    cosine_terms,
    long_run_variance,
)
from varnn.evaluate.significance.pairwise import p_text
from varnn.series import checked_coverage, generator, whole_number

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SMOOTH_ORDER = 4


def ranks(observed: FloatArray, paths: FloatArray, *, rng: object = None) -> NDArray[np.int64]:
    """Return how many paths lie below each outcome, ties broken by lot: uniform on 0 … m if all are right.

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)
    rng : seed or Generator

    Returns
    -------
    array of int (h, k)

    References
    ----------
    Hamill (2001), Monthly Weather Review 129.

    Examples
    --------
    >>> ranks(np.array([[1.5]]), np.array([[[0.0]], [[1.0]], [[2.0]]]))
    array([[2]])
    """
    y, x = np.asarray(observed, dtype=np.float64), np.asarray(paths, dtype=np.float64)
    if x.ndim != y.ndim + 1 or x.shape[1:] != y.shape or len(x) == 0:
        raise ShapeError(f"observed has shape {y.shape} and paths {x.shape}; pass (h, k) and (m, h, k)")
    if np.isnan(y).any() or np.isnan(x).any():
        raise MissingDataError("observed or paths hold a missing value; calibrate on origins with both")
    ties = (x == y).sum(axis=0)
    return np.asarray((x < y).sum(axis=0) + generator(rng).integers(0, ties + 1), dtype=np.int64)


def pit(observed: FloatArray, paths: FloatArray, *, rng: object = None) -> FloatArray:
    """Return the probability integral transform of each outcome, randomised within its rank.

        u = (rank + V)/(m + 1),   V ~ U(0, 1)

    exactly uniform if outcome and paths come from one distribution, for any number of paths.

    Parameters and shapes as in `ranks`; returns array (h, k) in (0, 1).

    References
    ----------
    Czado, Gneiting and Held (2009), Biometrics 65, section 2. Dawid (1984), JRSS A 147.

    Examples
    --------
    >>> u = pit(np.array([[1.5]]), np.array([[[0.0]], [[1.0]], [[2.0]]]))
    >>> bool(0.5 < u[0, 0] < 0.75)
    True
    """
    rng = generator(rng)
    rank = ranks(observed, paths, rng=rng)
    return np.asarray((rank + rng.random(rank.shape)) / (len(paths) + 1))


def joint_pit(observed: FloatArray, paths: FloatArray, *, rng: object = None) -> FloatArray:
    """Return the randomised PIT of all series of a step together: uniform if their dependence is right, too.

        v_i = Σ_j rank of x_ij among (y_j, x_1j … x_mj),   u = (rank of v_0 among v_0 … v_m + V)/(m + 1)

    with x_0 = y: its histogram is the average-rank histogram. A valley means that the series move together more than
    their paths say, or that the margins are too narrow; a hill the opposite. For one series it is `pit`.

    Parameters
    ----------
    observed : array (h, k)
    paths : array (m, h, k)
    rng : seed or Generator

    Returns
    -------
    array (h,)

    References
    ----------
    Thorarinsdottir, Scheuerer and Heinz (2016), J. Computational and Graphical Statistics 25(1), section 3.

    Examples
    --------
    >>> u = joint_pit(np.array([[1.5, 9.0]]), np.array([[[0.0, 0.0]], [[1.0, 1.0]], [[2.0, 2.0]]]))
    >>> bool(u[0] > 0.75)
    True
    """
    both = np.concatenate([np.asarray(observed, dtype=np.float64)[None], np.asarray(paths, dtype=np.float64)])
    levels = stats.rankdata(both, axis=0).sum(axis=2)                                             # (m + 1, h)
    return pit(levels[0], levels[1:], rng=rng)


@dataclass(frozen=True, eq=False)
class PitHistogram(Shown):
    """Shares of PIT values in equal bins, with the band each should stay in and a test of uniformity.

    Attributes
    ----------
    edges : array (bins + 1,)
    shares : array (bins,)
        Sum to 1; 1/bins each if calibrated.
    lower, upper : float
        Where each share lies with 95 % probability if calibrated.
    bias, spread : float
        Studentised first and second Legendre averages. Bias above zero: outcomes above the forecasts.
        Spread above zero: outcomes in the tails too often, distributions too narrow.
    statistic, pvalue : float
        Neyman's smooth test; where its p-value comes from is in `distribution`.
    distribution : str
    n, horizon : int
        Outcomes, and steps ahead.
    valid : bool
    note : str
    """

    edges: FloatArray
    shares: FloatArray
    lower: float
    upper: float
    bias: float
    spread: float
    statistic: float
    pvalue: float
    distribution: str
    n: int
    horizon: int
    valid: bool = True
    note: str = ""

    def sentence(self, model: str = "the model") -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> pit_histogram(np.linspace(0.01, 0.99, 99) ** 2).sentence("the VAR")
        'At h=1 outcomes fall below the distributions of the VAR too often, beyond chance (99 outcomes, \
smooth test, p < .001).'
        """
        if not self.valid:
            return f"At h={self.horizon} the distributions of {model} cannot be checked: {self.note}."
        end = f"({self.n} outcomes, smooth test, {p_text(self.pvalue)})."
        if self.pvalue >= 0.05:
            return f"At h={self.horizon} the distributions of {model} are calibrated as far as the data can tell {end}"
        if abs(self.spread) > abs(self.bias):
            fault = f"the distributions of {model} are too {'narrow' if self.spread > 0 else 'wide'}"
        else:
            fault = (f"outcomes fall {'above' if self.bias > 0 else 'below'} the distributions of {model} too often")
        return f"At h={self.horizon} {fault}, beyond chance {end}"


def pit_histogram(pits: ArrayLike, *, bins: int = 10, horizon: int = 1) -> PitHistogram:
    """Bin PIT values and test whether they are uniform.

        N = n Σ_j P̄_j²  with  P_j the orthonormal Legendre polynomials on (0, 1)

    At h = 1 the PIT of one series is independent if forecasts are right: N over four polynomials is χ²(4), the
    bands are binomial. Beyond, errors overlap, and series of one date depend on each other: the larger of |P̄_1| and
    |P̄_2| (mean and spread, averaged over series) over its standard error, with Bonferroni's factor 2: against t(n − 1)
    at h = 1, else with a cosine long-run error against t(B); the bands widen likewise. At a nominal 5 % it rejected
    right forecasts in 5 % (n = 100, 200, h = 4) and 6–7 % (h = 8, or h = 4 and three series) of 6,000 simulations.

    Parameters
    ----------
    pits : array (n,) or (n, k)
        Origins in time order, one horizon; series across.
    bins : int
    horizon : int

    Returns
    -------
    PitHistogram
        valid=False for fewer than max(8, h + 2) origins.

    References
    ----------
    Neyman (1937), Skandinavisk Aktuarietidskrift 20. Knüppel (2015), JBES 33 (moments with a long-run variance).

    Examples
    --------
    >>> pit_histogram(np.random.default_rng(0).random(200)).pvalue > 0.05
    True
    """
    u = checked_losses(pits, "pits", dimensions=2 if np.ndim(pits) == 2 else 1)
    u = u.reshape(len(u), -1)
    (n, k), bins, horizon = u.shape, whole_number(bins, "bins", least=2), whole_number(horizon, "horizon", least=1)
    if ((u < 0) | (u > 1)).any():
        raise ParameterError(f"{u[(u < 0) | (u > 1)][0]:g} is not a PIT value; they lie between 0 and 1")
    edges = np.linspace(0.0, 1.0, bins + 1)
    shares = np.histogram(u, edges)[0] / max(u.size, 1)
    if n < max(FEWEST_ORIGINS, horizon + 2):
        return PitHistogram(edges, shares, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, "", u.size, horizon, False,
                            f"{n} origins are too few, it needs at least {max(FEWEST_ORIGINS, horizon + 2)}")
    independent = horizon == 1 and k == 1
    order = SMOOTH_ORDER if independent else 2
    legendre = np.stack([np.sqrt(2 * j + 1) * special.eval_legendre(j, 2 * u - 1) for j in range(1, order + 1)],
                        axis=1).mean(axis=2)                                                         # (n, order)
    mean, terms = legendre.mean(axis=0), cosine_terms(n)
    if independent:
        omega, statistic, law = np.eye(order), float(n * mean @ mean), f"chi2({order})"
        pvalue = float(special.chdtrc(order, statistic))
        lower, upper = (float(stats.binom.ppf(tail, n, 1.0 / bins)) / n for tail in (0.025, 0.975))
    else:
        terms = n - 1 if horizon == 1 else max(2, min(terms, n // (2 * horizon)))
        omega = long_run_variance(legendre, horizon, "rectangular" if horizon == 1 else "cosine", terms=terms)
        omega = np.maximum(omega, 1.0 / k)                                                        # 1/k if independent
        statistic = float(np.max(np.sqrt(n) * np.abs(mean) / np.sqrt(np.diag(omega))))
        pvalue, law = min(1.0, 4.0 * float(special.stdtr(terms, -statistic))), f"2 × t({terms})"
        lower, upper = _dependent_bin_band(u, bins, horizon)
    bias, spread = (np.sqrt(n) * mean / np.sqrt(np.diag(omega)))[:2]
    return PitHistogram(edges, shares, lower, upper, float(bias), float(spread), statistic, pvalue, law, u.size,
                        horizon)


@dataclass(frozen=True)
class CoverageCheck(Shown):
    """How often intervals held the outcome at one horizon, and how often they would if they were right.

    Attributes
    ----------
    coverage : float
        Nominal.
    held : float
        Share of outcomes inside.
    lower, upper : float
        Where `held` lies with 95 % probability if the nominal coverage is true.
    pvalue : float
        Two-sided.
    outcomes, horizon : int
    valid : bool
    note : str
    """

    coverage: float
    held: float
    lower: float
    upper: float
    pvalue: float
    outcomes: int
    horizon: int
    valid: bool = True
    note: str = ""

    def sentence(self, model: str = "the model") -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> CoverageCheck(0.9, 0.87, 0.83, 0.96, 0.3, 240, 4).sentence("the tanh RNN")
        'At h=4 the 90 % bands of the tanh RNN held 87 % of 240 outcomes (expected 83–96 % if they were right).'
        """
        head = (f"At h={self.horizon} the {100 * self.coverage:g} % bands of {model} held {100 * self.held:.0f} % of "
                f"{self.outcomes} outcomes")
        if not self.valid:
            return f"{head} ({self.note})."
        return f"{head} (expected {100 * self.lower:.0f}–{100 * self.upper:.0f} % if they were right)."


def coverage_check(inside: ArrayLike, coverage: float, *, horizon: int = 1) -> CoverageCheck:
    """Compare the share of outcomes inside their intervals with the nominal coverage c.

    One series one step ahead: exact binomial quantiles and the exact two-sided p-value. Otherwise the
    origins' shares overlap or depend across series, so the band is c ± t(B) (Ω/n)^½ with the cosine
    long-run variance Ω of the origins' shares, never narrower than with independent outcomes.

    Parameters
    ----------
    inside : array of bool (n,) or (n, k)
        Whether each outcome lay in its interval; origins in time order, series across.
    coverage : float
        c, nominal.
    horizon : int

    Returns
    -------
    CoverageCheck
        valid=False for fewer than max(8, h + 2) origins.

    References
    ----------
    Christoffersen (1998), International Economic Review 39 (unconditional coverage).
    Lazarus, Lewis, Stock and Watson (2018), JBES 36.

    Examples
    --------
    >>> check = coverage_check(np.arange(100) % 10 > 0, 0.9)
    >>> check.held, check.lower, check.upper
    (0.9, 0.84, 0.95)
    """
    coverage, horizon = checked_coverage(coverage), whole_number(horizon, "horizon", least=1)
    hits = np.asarray(inside)
    if hits.dtype != np.bool_ or hits.ndim not in (1, 2):
        raise ShapeError(f"inside has type {hits.dtype} and shape {hits.shape}; pass True/False, shape (n,) or (n, k)")
    n, outcomes = len(hits), hits.size
    held = float(hits.mean()) if outcomes else 0.0
    if n < max(FEWEST_ORIGINS, horizon + 2):
        return CoverageCheck(coverage, held, 0.0, 1.0, 1.0, outcomes, horizon, False,
                             f"{n} origins are too few to say what to expect, it needs at least "
                             f"{max(FEWEST_ORIGINS, horizon + 2)}")
    if horizon == 1 and outcomes == n:
        lower, upper = (float(stats.binom.ppf(tail, n, coverage)) / n for tail in (0.025, 0.975))
        pvalue = float(stats.binomtest(int(hits.sum()), n, coverage).pvalue)
        return CoverageCheck(coverage, held, lower, upper, pvalue, outcomes, horizon)
    shares = hits.reshape(n, -1).mean(axis=1)
    omega = float(long_run_variance(shares[:, None], horizon, "cosine")[0, 0])
    error = np.sqrt(max(omega / n, coverage * (1.0 - coverage) / outcomes))
    terms = cosine_terms(n)
    reach = float(special.stdtrit(terms, 0.975)) * error
    pvalue = 2.0 * float(special.stdtr(terms, -abs(held - coverage) / error))
    return CoverageCheck(coverage, held, max(0.0, coverage - reach), min(1.0, coverage + reach), pvalue, outcomes,
                         horizon)


def sharpness(lower: FloatArray, upper: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """Return the mean width of intervals by horizon; among calibrated forecasts, narrower is better.

    Parameters
    ----------
    lower, upper : array (n, h, k)
        Interval ends for n origins.
    scale : array (k,), optional
        Divide each series' widths, to average over series of different units.

    Returns
    -------
    array (h, k), or (h,) with a scale
        In the units of the series, or without units.

    References
    ----------
    Gneiting, Balabdaoui and Raftery (2007), JRSS B 69 (sharpness subject to calibration).

    Examples
    --------
    >>> sharpness(np.zeros((5, 2, 1)), np.full((5, 2, 1), 3.0), np.array([2.0]))
    array([1.5, 1.5])
    """
    low, high = checked_losses(lower, "lower", dimensions=3), checked_losses(upper, "upper", dimensions=3)
    if low.shape != high.shape or (low > high).any():
        raise ShapeError(f"lower has shape {low.shape} and upper {high.shape}; they need one (n, h, k) shape with "
                         "every lower end at or below its upper end")
    width = (high - low).mean(axis=0)
    return np.asarray(width if scale is None else (width / scale).mean(axis=1))


def _dependent_bin_band(u: FloatArray, bins: int, horizon: int) -> tuple[float, float]:
    """Return where a bin's share lies with 95 % probability, from the average long-run variance of the bins."""
    n, k = u.shape
    bin_of = np.minimum((u * bins).astype(int), bins - 1)                                          # (n, k)
    member = (bin_of[:, :, None] == np.arange(bins)).mean(axis=1)                                  # (n, bins)
    omega = float(np.diag(long_run_variance(member, horizon, "cosine")).mean())
    independent = (1.0 - 1.0 / bins) / bins / k
    reach = float(special.stdtrit(cosine_terms(n) * (bins - 1), 0.975)) * np.sqrt(max(omega, independent) / n)
    return max(0.0, 1.0 / bins - reach), min(1.0, 1.0 / bins + reach)
