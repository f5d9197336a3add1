"""One recursion over many separate series: `gauss_newton.Design` for a panel, its filter begun anew in each series.

Made by `structure.design`; fits and searches take it for a Design.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from varnn.estimate.tanh import kernels
from varnn.estimate.tanh.design import Array, Design
from varnn.estimate.tanh.gauss_newton import Groups


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
class Joined(Design):
    """Series that follow one another in time; nothing is carried from one into the next.

    Attributes
    ----------
    begins : array (B,)       first row of each series
    """

    begins: Groups = field(default_factory=lambda: np.zeros(1, dtype=np.intp))

    @cached_property
    def fresh(self) -> npt.NDArray[np.bool_]:
        """Whether a row begins a series."""
        out = np.zeros(len(self.Y), dtype=bool)
        out[self.begins] = True
        return out

    def seen(self, S: Array, U: Array) -> tuple[Array, Array]:
        """Return all that identity and tanh units see, each series from the state at its start."""
        RL, RH = super().seen(S, U)
        if self.ar:
            RL[self.begins, -self.m :] = self.start
        if self.recurrent and self.n:
            RH[self.begins, -self.n :] = 0.0
        return RL, RH

    def _lagged(self, f: Array) -> Array:
        out = super()._lagged(f)
        for lag in range(out.shape[1] // self.k):
            early = (self.begins + np.arange(lag + 1)[:, None]).ravel()
            out[early[early < len(out)], lag * self.k : (lag + 1) * self.k] = 0.0
        return out


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
    def joined(self) -> Joined:
        """The same rows in time, one series after another."""
        XL, XH, Y, base = (part[self._in_time] for part in (self.XL, self.XH, self.Y, self.base))
        return Joined(XL, XH, Y, base, self.start, self.n, self.r, self.rl, self.ar, self.recurrent, 0, self.flat,
                      self.fixed, self.fixed_H, self.frozen, np.array([a for a, _ in self._spans]))

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
        return self.joined.feedback(U[self._in_time])[self._held]

    def gradient(self, theta: Array, S: Array, U: Array, C: Array) -> Array:
        """Return the derivative of an objective by theta, the sum over the series."""
        S, U, C = (part[self._in_time] for part in (S, U, C))
        return np.asarray(sum(part.gradient(theta, S[a:b], U[a:b], C[a:b])
                              for part, (a, b) in zip(self.parts, self._spans, strict=True)))

    @property
    def parts(self) -> Iterator[Design]:
        """Each series alone, all its rows counted."""
        rows = self.joined
        alone = Design(rows.XL, rows.XH, rows.Y, rows.base, self.start, self.n, self.r, self.rl, self.ar,
                       self.recurrent, 0, self.flat, self.fixed, self.fixed_H, self.frozen)
        for a, b in self._spans:
            yield replace(alone, XL=rows.XL[a:b], XH=rows.XH[a:b], Y=rows.Y[a:b], base=rows.base[a:b])

    def _blocks(self, theta: Array, S: Array, U: Array, white: Array) -> Iterator[tuple[int, Array]]:
        """Yield the Jacobian of the rows that count, series by series, in blocks that may hold many series."""
        done, warm = 0, self.first // len(self.lengths)
        counts = np.concatenate([np.arange(rows) >= warm for rows in self.lengths])
        for begin, J in self.joined._blocks(theta, S[self._in_time], U[self._in_time], white):
            J = J[counts[begin : begin + len(J)]] if warm else J
            yield done, J
            done += len(J)
