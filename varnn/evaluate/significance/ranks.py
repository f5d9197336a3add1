"""Comparisons over many data sets or many horizons: Friedman and Nemenyi on ranks, Holm on p-values.

Called by compare and the report; a data set (or a series) is one independent trial here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from varnn.display import Shown
from varnn.errors import ParameterError, ShapeError
from varnn.evaluate.significance.long_run_variance import checked_losses

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RankComparison(Shown):
    """Average ranks of models over data sets, with the distance at which two of them differ.

    Attributes
    ----------
    names : tuple of str
        From the best average rank to the worst.
    ranks : tuple of float
        1 would be best on every data set.
    statistic, pvalue : float
        Friedman's test that all models rank alike, in Iman and Davenport's F form.
    chi2 : float
        Friedman's own statistic, corrected for ties.
    critical_difference : float
        Nemenyi's, at `level`.
    groups : tuple of tuples of str
        Models that cannot be told apart, the bars of a critical-difference diagram.
    n : int
        Data sets.
    level : float
    valid : bool
    note : str
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    statistic: float
    pvalue: float
    chi2: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    n: int
    level: float
    valid: bool = True
    note: str = ""

    def sentence(self) -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> rank_comparison([[1.0, 2.0, 3.0]] * 9, ["RNN", "VAR", "naive"]).sentence()
        'Over 9 data sets RNN ranks best (1.00); ranks 1.10 or more apart differ at the 5 % level, so RNN is told \
apart from naive.'
        """
        if not self.valid:
            return f"No comparison of ranks: {self.note}."
        head = f"Over {self.n} data sets {self.names[0]} ranks best ({self.ranks[0]:.2f})"
        if self.pvalue >= self.level:
            return f"{head}, but the ranks differ no more than chance explains (Friedman, p = {self.pvalue:.2g})."
        beaten = [name for name, rank in zip(self.names, self.ranks, strict=True)
                  if rank - self.ranks[0] >= self.critical_difference]
        apart = f"is told apart from {', '.join(beaten)}" if beaten else "is told apart from no other by itself"
        return (f"{head}; ranks {self.critical_difference:.2f} or more apart differ at the {100 * self.level:g} % "
                f"level, so {self.names[0]} {apart}.")


def rank_comparison(losses: ArrayLike, names: Sequence[str] | None = None, *, level: float = 0.05) -> RankComparison:
    """Rank models on each data set and ask whether the average ranks differ (Friedman, then Nemenyi).

        χ²_F = 12N/(r(r + 1)) [ Σ R_j² − r(r + 1)²/4 ],   F = (N − 1)χ²_F / (N(r − 1) − χ²_F)
        CD = q_level (r(r + 1)/(6N))^½

    with N data sets, r models, R_j average ranks, q the studentised range quantile over √2. F is compared
    with F(r − 1, (r − 1)(N − 1)), which is less conservative than χ². Ties share ranks.

    Parameters
    ----------
    losses : array (N, r)
        One average loss for each data set and model; only their order within a row counts.
    names : sequence of str, optional
    level : float
        Of the critical difference.

    Returns
    -------
    RankComparison
        With valid=False and p = 1 for fewer than 3 data sets or 2 models.

    References
    ----------
    Friedman (1937), JASA 32. Iman and Davenport (1980), Communications in Statistics 9.
    Nemenyi (1963), PhD thesis, Princeton. Demšar (2006), JMLR 7, section 3.2.2.

    Examples
    --------
    >>> result = rank_comparison([[1.0, 2.0], [1.0, 3.0], [2.0, 1.0], [0.0, 5.0]], ["a", "b"])
    >>> result.names, result.ranks
    (('a', 'b'), (1.25, 1.75))
    """
    table = checked_losses(losses, "losses", dimensions=2)
    n, r = table.shape
    labels = tuple(map(str, range(r))) if names is None else tuple(names)
    if len(labels) != r:
        raise ShapeError(f"losses have {r} columns and there are {len(labels)} names; give one for each model")
    if not 0.0 < level < 1.0:
        raise ParameterError(f"level={level!r} is not usable; give a number between 0 and 1, for example 0.05")
    if n < 3 or r < 2:
        return RankComparison(labels, (0.0,) * r, 0.0, 1.0, 0.0, np.inf, (labels,), n, level, False,
                              f"{n} data sets and {r} models are too few, it needs at least 3 and 2")
    ranks = np.apply_along_axis(stats.rankdata, 1, table)                                      # (N, r)
    average = ranks.mean(axis=0)
    order = np.argsort(average, kind="stable")
    chi2, statistic, pvalue = _friedman(ranks)
    difference = nemenyi_quantile(r, level) * float(np.sqrt(r * (r + 1) / (6.0 * n)))
    sorted_names, sorted_ranks = tuple(labels[j] for j in order), tuple(float(average[j]) for j in order)
    note = "all models tie on every data set" if chi2 == 0.0 and np.ptp(ranks) == 0 else ""
    return RankComparison(sorted_names, sorted_ranks, statistic, pvalue, chi2, difference,
                          _groups(sorted_names, sorted_ranks, difference), n, level, note=note)


@cache
def nemenyi_quantile(models: int, level: float) -> float:
    """Return Nemenyi's q for a number of models, the studentised range quantile over √2.

    Examples
    --------
    >>> round(nemenyi_quantile(5, 0.05), 3)  # Demšar (2006), table 5a
    2.728
    """
    return float(stats.studentized_range.ppf(1.0 - level, models, np.inf) / np.sqrt(2.0))


def holm(pvalues: Sequence[float] | FloatArray) -> FloatArray:
    """Correct p-values for having looked m times, so that one false alarm in all has the nominal rate.

        p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j))

    Parameters
    ----------
    pvalues : sequence of length m
        For example over horizons.

    Returns
    -------
    array (m,)
        In the order given.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = checked_losses(np.asarray(pvalues, dtype=np.float64), "pvalues")
    if ((p < 0) | (p > 1)).any():
        raise ParameterError(f"{p[(p < 0) | (p > 1)][0]:g} is not a p-value; they lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, (len(p) - np.arange(len(p))) * p[order]))
    corrected = np.empty_like(p)
    corrected[order] = stepped
    return corrected


def _friedman(ranks: FloatArray) -> tuple[float, float, float]:
    """Return Friedman's χ² corrected for ties, Iman and Davenport's F and its p-value."""
    n, r = ranks.shape
    between = float(n * ((ranks.mean(axis=0) - (r + 1) / 2.0) ** 2).sum())
    total = float(((ranks - (r + 1) / 2.0) ** 2).sum())
    if between <= 1e-12 * max(total, 1.0):
        return 0.0, 0.0, 1.0
    chi2 = n * (r - 1) * between / total
    if total - between <= 1e-12 * total:                   # every data set gives the same order
        return chi2, np.inf, 0.0
    statistic = (n - 1) * between / (total - between)
    return chi2, statistic, float(special.fdtrc(r - 1, (r - 1) * (n - 1), statistic))


def _groups(names: tuple[str, ...], ranks: tuple[float, ...], difference: float) -> tuple[tuple[str, ...], ...]:
    """Return the longest runs of sorted models whose ranks lie less than `difference` apart."""
    runs: list[tuple[int, int]] = []
    for start in range(len(ranks)):
        stop = max(j for j in range(start, len(ranks)) if ranks[j] - ranks[start] < difference) + 1
        if stop - start > 1 and (not runs or stop > runs[-1][1]):
            runs.append((start, stop))
    return tuple(names[start:stop] for start, stop in runs)


def cauchy_combination(pvalues: ArrayLike) -> float:
    """Combine p-values of tests of one hypothesis that may depend on one another, into one p-value.

        p = ½ − arctan( mean tan((½ − p_i) π) ) / π

    Small p hold their level under any dependence.  A p_i above .99, as a one-sided test gives where the other side is
    better, counts as .99: it must not outweigh what another test sees.

    Parameters
    ----------
    pvalues : array (m,)

    Returns
    -------
    float

    References
    ----------
    Liu and Xie (2020), JASA 115. Fang, Chang, Park and Tseng (2023), Statistica Sinica 33 (truncation).

    Examples
    --------
    >>> round(cauchy_combination([0.004, 0.3, 0.5]), 4)
    0.0119
    """
    p = checked_losses(pvalues, "pvalues")
    if not len(p) or p.min() < 0.0 or p.max() > 1.0:
        raise ParameterError(f"pvalues={p.tolist()} is not usable; give at least one, each between 0 and 1")
    tangents = np.tan((0.5 - np.clip(p, 1e-15, 0.99)) * np.pi)
    return float(0.5 - np.arctan(tangents.mean()) / np.pi)
