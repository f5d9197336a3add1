"""The outcome of a test of a hypothesis about one fit: a number, its distribution and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri, fdtrc, fdtri

from varnn.display import Sheet, Shown
from varnn.errors import ParameterError
from varnn.guide import Guided
from varnn.series import FloatArray


@dataclass(frozen=True)
class HypothesisTest(Guided, Shown):
    """A statistic with a χ² or F distribution under the null hypothesis.

    Attributes
    ----------
    null : str
        The hypothesis, in words.
    test_statistic : float
        Value of the statistic.
    df : int or (int, int)
        Degrees of freedom: χ²(df), or F with two of them.

    Examples
    --------
    >>> test = HypothesisTest("x does not Granger-cause y", 6.1465, (2, 198))
    >>> round(test.pvalue, 5), test.conclusion()
    (0.00257, 'reject')
    """

    null: str
    test_statistic: float
    df: int | tuple[int, int]

    @property
    def pvalue(self) -> float:
        """Probability of a statistic at least this large if the null is true."""
        if isinstance(self.df, tuple):
            return float(fdtrc(*self.df, self.test_statistic))
        return float(chdtrc(self.df, self.test_statistic))

    def _sheet(self) -> Sheet:
        return Sheet("Test", (("in words", str(self)),), (), "test.pvalue, .crit_value(0.05), .conclusion()")

    def crit_value(self, signif: float = 0.05) -> float:
        """Value that the statistic exceeds with probability `signif` if the null is true."""
        signif = _level(signif)
        return float(fdtri(*self.df, 1 - signif) if isinstance(self.df, tuple) else chdtri(self.df, signif))

    def conclusion(self, signif: float = 0.05) -> str:
        """Return "reject" or "fail to reject" at the level `signif`."""
        return "reject" if self.pvalue < _level(signif) else "fail to reject"

    def __str__(self) -> str:
        law = f"F({self.df[0]}, {self.df[1]})" if isinstance(self.df, tuple) else f"χ²({self.df})"
        return f"H0: {self.null}: {law} = {self.test_statistic:.4f}, p = {self.pvalue:.4f}: {self.conclusion()} at 5 %"


@dataclass(frozen=True, eq=False)
class SimulatedTest(HypothesisTest):
    """A statistic whose distribution under the null hypothesis was simulated.

    Attributes
    ----------
    simulated : array (B,)
        The statistic on B samples drawn from the fit, each with the model estimated anew.
    """

    simulated: FloatArray

    @property
    def pvalue(self) -> float:
        """Share (1 + #{Q* ≥ Q})/(B + 1) of simulated statistics at least as large; exact where Q is one of them."""
        return float((1 + (self.simulated >= self.test_statistic).sum()) / (len(self.simulated) + 1))

    def crit_value(self, signif: float = 0.05) -> float:
        """Value that the simulated statistics exceed with probability `signif`."""
        return float(np.quantile(self.simulated, 1 - _level(signif)))

    def __str__(self) -> str:
        return (f"H0: {self.null}: Q = {self.test_statistic:.4f}, p = {self.pvalue:.4f} from {len(self.simulated)} "
                f"samples of the fit: {self.conclusion()} at 5 %")


def _level(signif: float) -> float:
    if isinstance(signif, bool) or not isinstance(signif, float) or not 0.0 < signif < 1.0:
        raise ParameterError(f"signif={signif!r} is not usable; give a number between 0 and 1, for example 0.05")
    return signif


def positions(chosen: object, names: Sequence[str], argument: str) -> tuple[int, ...]:
    """Return the positions of the series called or numbered by `chosen`, one or several.

    Examples
    --------
    >>> positions(["b", 0], ["a", "b"], "causing")
    (1, 0)
    """
    several = list(chosen) if isinstance(chosen, (list, tuple)) else [chosen]
    found = []
    for one in several:
        if isinstance(one, str) and one in names:
            found.append(list(names).index(one))
        elif isinstance(one, int) and not isinstance(one, bool) and 0 <= one < len(names):
            found.append(one)
        else:
            raise ParameterError(f"{argument}={one!r} is not one of the series; use {', '.join(map(repr, names))}")
    if not found or len(set(found)) < len(found):
        raise ParameterError(f"{argument}={chosen!r} must name one or more different series of "
                             f"{', '.join(map(repr, names))}")
    return tuple(found)
