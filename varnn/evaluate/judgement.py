"""Is a VAR enough, or does a recurrent net earn its keep? The rule, in numbers; `verdict` puts it in words.

Called by `Comparison`; reads the losses of a ledger and what its `meta` says of the whole sample, never data or models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from varnn.display import Shown
from varnn.evaluate.ledger import Ledger
from varnn.evaluate.significance.gain import Gain, gain_in_rmse
from varnn.evaluate.significance.pairwise import diebold_mariano
from varnn.evaluate.significance.ranks import cauchy_combination, holm
from varnn.evaluate.tables import NESTED, Losses, alike, mean_square

Finding = Literal["enough", "enough in practice, with structure", "undecided", "undecided, with structure", "earns", ""]
LEVEL = 0.05       # of the tests of structure together
SURE = 0.90        # confidence that there is a gain at all, where structure is beyond chance
RULED_OUT = 0.95   # confidence that a gain is smaller
LEAST_GAIN = 0.5   # % of RMSE below which a rung does not earn its keep however sure
WORTH = 2.0        # % of RMSE from which a gain would matter


@dataclass(frozen=True)
class Leg:
    """One rung against the VAR, one step ahead or over all steps.

    Attributes
    ----------
    steps : tuple of int
        What is averaged over.
    gain : Gain
        In RMSE, with its test and limits.
    clark_west : float
        p-value that the rung knows more than the VAR; NaN where there is no test.
    textbook : float
        Diebold–Mariano's two-sided p-value with the rectangular variance of the textbook (and of R's forecast package).
    """

    steps: tuple[int, ...]
    gain: Gain
    clark_west: float
    textbook: float = float("nan")

    @property
    def two_sided(self) -> float:
        """Diebold–Mariano's p-value that neither model is better."""
        return float(2.0 * min(self.gain.pvalue, 1.0 - self.gain.pvalue))


@dataclass(frozen=True)
class Rung:
    """What the comparison says of one recurrent rung.

    Attributes
    ----------
    model : str
    legs : tuple of Leg
        One step ahead, and over all steps where there are several.
    structure : float
        p-value that there is structure which the VAR misses: Clark–West of all legs and, for a nonlinear rung, the test
        of linearity on all rows, combined by Cauchy's rule and corrected by Holm over rungs. NaN without any test.
    """

    model: str
    legs: tuple[Leg, ...]
    structure: float

    @property
    def same(self) -> bool:
        """Whether it forecast as the VAR does, everywhere."""
        return all(leg.gain.same for leg in self.legs)

    @property
    def most(self) -> float:
        """The gain, in %, that is ruled out: the larger of the legs' upper limits."""
        return max(leg.gain.limit(1.0 - RULED_OUT) for leg in self.legs)

    def paying(self) -> list[Leg]:
        """Return the legs whose gain is above zero for 90 % and no trifle, the surest first."""
        good = [leg for leg in self.legs if leg.gain.valid and not leg.gain.same
                and leg.gain.pvalue < 1.0 - SURE and leg.gain.value >= LEAST_GAIN]
        return sorted(good, key=lambda leg: leg.gain.pvalue)


@dataclass(frozen=True)
class Judgement(Shown):
    """Structure × pay × resolution: what a comparison says of recurrent nets against the VAR.

    1. *Structure*: does any rung, or the test of linearity on all rows, see what the VAR misses?
    2. *Pay*: how much lower is a rung's RMSE, at one step and over all?
    3. *Resolution*: what is the smallest gain that these origins could have shown?

    A net *earns its keep* if its structure is beyond chance (5 %, Holm over rungs) and its gain at one step or
    over all is at least .5 % and above zero for 90 %. A VAR is *enough* if gains of `worth` or more are ruled out
    for 95 % at one step and over all, of every rung. All else is *undecided*.

    Attributes
    ----------
    finding : str
        "enough", "enough in practice, with structure", "undecided", "undecided, with structure", "earns", or "" where
        no recurrent rung was set beside a VAR or nothing could be tested.
    base : str
        What a recurrent net is measured against: the shrunken VAR where it was compared, else the VAR.
    rungs : tuple of Rung
        Those that could be judged.
    linearity : mapping or None
        Test of linearity on all rows: pvalue, lags, n, detectable.
    worth : float
        % of RMSE that would matter.
    origins : int

    Examples
    --------
    >>> import varnn
    >>> y = np.random.default_rng(0).normal(size=120).cumsum()
    >>> found = varnn.compare(y, horizon=1, models=["Naive", "VAR"], origins=20).judgement
    >>> found.rungs, found.finding                               # no recurrent rung was set beside the VAR
    ((), '')
    """

    finding: Finding
    base: str
    rungs: tuple[Rung, ...]
    linearity: Mapping[str, Any] | None = None
    worth: float = WORTH
    origins: int = 0

    @property
    def structure(self) -> float:
        """The smallest corrected p-value of structure."""
        found = [rung.structure for rung in self.rungs if np.isfinite(rung.structure)]
        return min(found, default=float("nan"))

    @property
    def most(self) -> float:
        """The gain, in %, that is ruled out for every rung."""
        return max(rung.most for rung in self.rungs)

    @property
    def top(self) -> tuple[Rung, Leg] | None:
        """The rung that earns its keep, and where most surely."""
        earning = [(rung, rung.paying()[0]) for rung in self.rungs if rung.structure <= LEVEL and rung.paying()]
        return min(earning, key=lambda one: one[1].gain.pvalue, default=None)


def judgement(ledger: Ledger) -> Judgement:
    """Apply the rule to a ledger.

    Parameters
    ----------
    ledger : Ledger
        Its meta may hold "linearity" and "worth".

    Examples
    --------
    >>> from varnn import compare
    >>> y = np.random.default_rng(0).normal(size=(120, 1))
    >>> judgement(compare(y, horizon=1, models=["VAR", "LinearRNN"], origins=40).ledger).base
    'VAR'
    """
    losses, worth = Losses.of(ledger), float(ledger.meta.get("worth", WORTH))
    base = next((model for model in ("ShrunkVAR", "VAR") if model in losses.models), "")
    rungs = [model for model in NESTED[1:] if model in losses.models]
    linearity = ledger.meta.get("linearity") or None
    found = [] if not base else [(model, _legs(losses, model, base)) for model in rungs]
    found = [(model, legs) for model, legs in found if legs]
    tested = _corrected([_structure(model, legs, linearity) for model, legs in found])
    judged = tuple(Rung(model, legs, p) for (model, legs), p in zip(found, tested, strict=True))
    origins = max((leg.gain.n for rung in judged for leg in rung.legs), default=0)
    return decide(base, judged, linearity, worth, origins)


def decide(base: str, rungs: tuple[Rung, ...], linearity: Mapping[str, Any] | None, worth: float,
           origins: int) -> Judgement:
    """Return the finding that the rungs' tests and limits give.

    Examples
    --------
    >>> same = Leg((1,), gain_in_rmse(np.ones(40), np.ones(40)), float("nan"))
    >>> decide("VAR", (Rung("LinearRNN", (same,), float("nan")),), None, 2.0, 40).finding
    'enough'
    """
    found = Judgement("", base, rungs, linearity, worth, origins)
    if not any(leg.gain.valid for rung in rungs for leg in rung.legs):
        return found
    structure = found.structure <= LEVEL
    finding: Finding = "earns"
    if found.top is None:
        finding = "undecided, with structure" if structure else "undecided"
        if found.most < worth:
            finding = "enough in practice, with structure" if structure else "enough"
    return Judgement(finding, base, rungs, linearity, worth, origins)


def _legs(losses: Losses, model: str, base: str) -> tuple[Leg, ...]:
    """Return the gain one step ahead and over all steps; none where the two were never both there."""
    found = []
    for position in (0, None) if len(losses.steps) > 1 else (0,):
        errors = losses.pair(model, base, position)
        if not len(errors[0]):
            return ()
        mine, theirs = (mean_square(error) for error in errors)
        overlap = max(losses.overlap) if position is None else losses.overlap[position]
        same = alike(errors)
        gain = gain_in_rmse(mine, theirs, horizon=overlap, same=same)
        nested = losses.nested(base, model, position) if gain.valid and not same else None
        known = nested is not None and nested.valid and not nested.note
        textbook = float("nan")
        if gain.valid and not same and overlap > 1:
            textbook = diebold_mariano(mine, theirs, horizon=overlap, variance="rectangular").pvalue
        found.append(Leg(tuple(losses.steps) if position is None else (losses.steps[position],), gain,
                         nested.pvalue if nested is not None and known else float("nan"), textbook))
    return tuple(found)


def _structure(model: str, legs: tuple[Leg, ...], linearity: Mapping[str, Any] | None) -> float:
    """Return the combined p-value of one rung, NaN without any test."""
    tests = [leg.clark_west for leg in legs if np.isfinite(leg.clark_west)]
    if model == NESTED[-1] and linearity is not None:
        tests.append(float(linearity["pvalue"]))
    return cauchy_combination(tests) if tests else float("nan")


def _corrected(pvalues: list[float]) -> list[float]:
    known = [p for p in pvalues if np.isfinite(p)]
    corrected = iter(holm(known).tolist() if known else [])
    return [next(corrected) if np.isfinite(p) else p for p in pvalues]
