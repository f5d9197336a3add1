"""A log evidence that knows what it is the evidence of: rows, units and rule; unlike ones are not compared.

Called by the fits that have one. It is a float in every other respect. Computes no evidence.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from varnn.errors import InputError
from varnn.series import FloatArray, Series


@dataclass(frozen=True)
class EvidenceSample:
    """What an evidence is of.

    Attributes
    ----------
    rows : int
        Dates whose density it is, the last of the sample.
    first, last : str
        The first and the last of them.
    names : tuple of str
        Series.
    scale : tuple of float
        What each series was divided by: the density is of the quotients.
    rule : str
        How it was approximated, and given what.
    digest : str
        Of the values of these rows.
    """

    rows: int
    first: str
    last: str
    names: tuple[str, ...]
    scale: tuple[float, ...]
    rule: str
    digest: str

    def __str__(self) -> str:
        return f"{self.rows} rows, {self.first} … {self.last}, {self.rule}"


class LogEvidence(float):
    """A log evidence; its difference from another one on the same rows by the same rule is a log Bayes factor.

    `sample` says what it is of. ``a - b``, ``a < b`` and the like raise InputError where the two differ in rows,
    units or rule, as their difference would mean nothing; ``float(a)`` is the bare number.

    Examples
    --------
    >>> y = Series.of(np.arange(6.0) ** 2)
    >>> a, b = (LogEvidence.of(-3.0, y, rows, np.ones(1), "Laplace") for rows in (5, 4))
    >>> a - a
    0.0
    >>> a - b
    Traceback (most recent call last):
    ...
    varnn.errors.InputError: these evidences are of different things (5 rows, 1 … 5, Laplace; 4 rows, 2 … 5, Laplace), \
so their difference is no Bayes factor; fit both with the same lags and likelihood, or use varnn.climb
    """

    sample: EvidenceSample

    @classmethod
    def of(cls, value: float, series: Series, rows: int, scale: FloatArray, rule: str) -> LogEvidence:
        """Return `value` as the evidence of the last `rows` rows of a series in units of `scale`."""
        made = cls(value)
        start = max(len(series) - rows, 0)  # the evidence of a panel is of more rows than its member has
        made.sample = EvidenceSample(rows, str(series.index[start]), str(series.index[-1]), series.names,
                                     tuple(float(one) for one in scale), rule,
                                     hashlib.sha256(series.values[start:].tobytes()).hexdigest())
        return made

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)

    def _refuse_unlike(self, other: object) -> None:
        if not isinstance(other, LogEvidence):
            return
        mine, its = self.sample, other.sample
        same = (mine.rows, mine.digest, mine.rule) == (its.rows, its.digest, its.rule)
        if not same or not np.allclose(mine.scale, its.scale, rtol=1e-9, atol=0.0):
            raise InputError(f"these evidences are of different things ({mine}; {its}), so their difference is no "
                             "Bayes factor; fit both with the same lags and likelihood, or use varnn.climb")

    def __sub__(self, other: float) -> float:
        self._refuse_unlike(other)
        return float(self) - float(other)

    def __lt__(self, other: float) -> bool:
        self._refuse_unlike(other)
        return float(self) < float(other)

    def __le__(self, other: float) -> bool:
        self._refuse_unlike(other)
        return float(self) <= float(other)

    def __gt__(self, other: float) -> bool:
        self._refuse_unlike(other)
        return float(self) > float(other)

    def __ge__(self, other: float) -> bool:
        self._refuse_unlike(other)
        return float(self) >= float(other)
