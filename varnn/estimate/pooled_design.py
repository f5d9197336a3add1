"""One recursion over many separate series: `gauss_newton.Design` for a panel, its filter begun anew in each series.

Made by `structure.design`; fits and searches take it for a Design.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from varnn.estimate import kernels
from varnn.estimate.design import Array, Design
from varnn.estimate.gauss_newton import Groups


def panel_rows(lengths: tuple[int, ...], skipped: int, warm: int) -> Groups:
    """Return which of the rows of series below one another a recursion runs over, in the order it holds them.

    After the `skipped` first of each series come `warm` rows that only warm the filter up, those of one age together,
    then the rows that count, series by series: a shorter warm-up is the end of a longer one, and the rows that count
    are the last whatever the structure, as they are for a single series.

    Examples
    --------
    >>> panel_rows((4, 3), 1, 1).tolist()
    [1, 5, 2, 3, 6]
    """
    begins = np.cumsum((0, *lengths))[:-1]
    age = np.arange(sum(lengths)) - np.repeat(begins, lengths)
    warming = (begins + (skipped + np.arange(warm))[:, None]).ravel()
    return np.concatenate([warming, np.flatnonzero(age >= skipped + warm)])


@dataclass(frozen=True, eq=False)
class PooledDesign(Design):
    """A recursion over several series, rows in the order of `panel_rows`.

    Attributes
    ----------
    lengths : tuple of int       rows of each series
    """

    lengths: tuple[int, ...] = ()

    @cached_property
    def _held(self) -> Groups:
        """Number, series by series in time, of each row held."""
        return panel_rows(self.lengths, 0, self.first // len(self.lengths))

    @cached_property
    def _in_time(self) -> Groups:
        """Place of each row of the series, one series after another in time."""
        return np.argsort(self._held)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return list(pairwise(np.cumsum((0, *self.lengths)).tolist()))

    @cached_property
    def joined(self) -> Design:
        """The same rows in time as if the series followed one another."""
        XL, XH, Y, base = (part[self._in_time] for part in (self.XL, self.XH, self.Y, self.base))
        return Design(XL, XH, Y, base, self.start, self.n, self.r, self.rl, self.ar, self.recurrent, 0, self.flat,
                      self.fixed, self.fixed_H, self.frozen)

    def run(self, theta: Array) -> tuple[Array, Array]:
        """Return tanh and identity states as `Design.run` does."""
        c, rows = self.cuts(theta), self.joined
        U = rows.XL @ c.L[:, : self.XL.shape[1]].T
        S = rows.XH @ c.G[:, : self.XH.shape[1]].T
        for a, b in self._spans:
            kernels.forward(c.Lf, c.Lu, c.W, c.Gf, c.Gs, rows.base[a:b], self.start, S[a:b], U[a:b])
        return S[self._held], U[self._held]

    def feedback(self, U: Array) -> Array:
        """Return the feedback at lags 1, 2, …, zeros before each series."""
        U = U[self._in_time]
        parts = [part.feedback(U[a:b]) for part, (a, b) in zip(self.parts, self._spans, strict=True)]
        return np.vstack(parts)[self._held]

    def gradient(self, theta: Array, S: Array, U: Array, C: Array) -> Array:
        """Return the derivative of an objective by theta, the sum over the series."""
        S, U, C = (part[self._in_time] for part in (S, U, C))
        return np.asarray(sum(part.gradient(theta, S[a:b], U[a:b], C[a:b])
                              for part, (a, b) in zip(self.parts, self._spans, strict=True)))

    @property
    def parts(self) -> Iterator[Design]:
        """Each series alone, all its rows counted."""
        rows = self.joined
        for a, b in self._spans:
            yield replace(rows, XL=rows.XL[a:b], XH=rows.XH[a:b], Y=rows.Y[a:b], base=rows.base[a:b])

    def _blocks(self, theta: Array, S: Array, U: Array, white: Array) -> Iterator[tuple[int, Array]]:
        """Yield the Jacobian of the rows that count, in blocks within a series."""
        S, U, done, warm = S[self._in_time], U[self._in_time], 0, self.first // len(self.lengths)
        for part, (a, b) in zip(self.parts, self._spans, strict=True):
            for begin, J in replace(part, first=warm)._blocks(theta, S[a:b], U[a:b], white):
                yield done + begin, J
            done += b - a - warm
