"""Inputs made from what is to be forecast: how much of the news in y the exogenous columns already tell.

Called before a comparison. The innovation of y given its past is set beside the one given its past and X now (and X of
up to so many steps before, which would hold y's future). Judges; the caller refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from varnn.errors import LookaheadError
from varnn.estimate.innovation import counts_or_repeats
from varnn.estimate.least_squares.order import default_max_lags
from varnn.series import FloatArray, Series

REFUSED, TOLD = 0.999, 0.9  # shares of the innovation variance
LEADS = 12        # steps ahead at which X is tried for holding y, in every form that is known
ROWS = 3000       # looked at, the last ones
TRIMMED = 0.05    # share of rows left out on either side: one jump after a law is no leak, a filled edge no excuse
FEWEST = 8        # degrees of freedom without which nothing is said
LOST = 1e-7       # share of a column's length below which it lies in the span of others
SCREENED = 0.5    # shares below are not looked at closely
PAIRS = 5         # columns up to which products of two are tried
DEEPEST = 60      # lags of a single series, for differences and averages over a season or a year
MANY = 30         # series from which that many lags are too many


@dataclass(frozen=True)
class Leak:
    """Columns of X that tell a share of what is new in some series.

    Attributes
    ----------
    columns, of : tuple of str
        Of X; of y, several where only a combination of them is told.
    lead : int
        Steps by which X is ahead of y; 0 is the same date.
    share : float
        Of the variance of y's innovation, in [0, 1].
    """

    columns: tuple[str, ...]
    of: tuple[str, ...]
    lead: int
    share: float

    @property
    def when(self) -> str:
        """The date of y that X tells of, in words."""
        return "at the same date" if self.lead == 0 else f"{self.lead} step{'s' if self.lead > 1 else ''} later"


def refuse_leaks(series: Series, exog: Series, furthest: int = LEADS, *, trust: Sequence[str] = (),
                 past: Sequence[str] = ()) -> list[Leak]:
    """Raise LookaheadError where exogenous columns tell 99.9 % of what is new in y; return those that tell 90 %.

        share = 1 − Var(y_t | past of y and X, X_{t−l}) / Var(y_t | past of y and X),   l = 0 … furthest

    Both variances are of least-squares residuals, by degrees of freedom, without the twentieth of rows that either fits
    worst.  Beside X itself its square, its products with another column and with y_{t−1}, and logarithms are tried, so
    that changes, growth rates, running sums, ratios and monotone functions of y are found.  Columns that only repeat
    themselves or count (calendars, trends) cannot hold news and pass.

    Parameters
    ----------
    series, exog : Series
        y may have gaps (NaN).
    furthest : int
        Largest l.
    trust : sequence of str
        Columns that are known in advance although they tell so much.
    past : sequence of str
        Columns known up to the origin only: X now tells nothing that a forecast is given, l begins at 1.

    Raises
    ------
    LookaheadError
        Naming the columns, the series and the ways out.
    """
    suspects = [name for name in exog.names if name not in trust]
    told: list[Leak] = []
    for ahead in (True, False):
        columns = [exog.names.index(name) for name in suspects if (name not in past) == ahead]
        if not columns:
            continue
        inputs = Series(np.ascontiguousarray(exog.values[:, columns]), tuple(exog.names[at] for at in columns),
                        exog.index)
        first = 0 if ahead else 1
        _refuse_copies(series, inputs, first, furthest)
        told += leaks(series, inputs, first, furthest)
    for leak in told:
        if leak.share >= REFUSED:
            raise LookaheadError(_refusal(leak))
    return told


def _refuse_copies(series: Series, exog: Series, first: int, furthest: int) -> None:
    """Refuse columns that are y but for level, scale and sign, in all rows or in those that are judged.

    A copy has a correlation of more than 1 − 1e-9. The last rows are looked at alone, where y moves enough for that to
    be no chance: an input that was forecast once and later filled with outcomes is a copy only there.
    """
    rows = len(series)
    last = rows // 3
    for column, name in enumerate(exog.names):
        for target, of in enumerate(series.names):
            for lead in range(first, min(furthest, rows - 10) + 1):
                ahead, x = series.values[lead:, target], exog.values[:rows - lead, column]
                seen = np.isfinite(ahead)
                ahead, x = ahead[seen], x[seen]
                if len(x) > 2 and ahead.std() > 0 and x.std() > 0 and abs(np.corrcoef(ahead, x)[0, 1]) > 1 - 1e-9:
                    when = Leak((), (), lead, 1.0).when
                    raise LookaheadError(f"X column {name!r} equals {of!r} {when}; a forecast would be given what it "
                                         f"has to forecast. {_ways_out((name,), lead)}")
                y, x = ahead[-last:], x[-last:]
                moves = len(np.unique(y)) > max(2 * FEWEST, len(y) // 2) and x.std() > 0 and not counts_or_repeats(x)
                if moves and abs(np.corrcoef(y, x)[0, 1]) > 1 - 1e-9:
                    raise LookaheadError(f"X column {name!r} equals {of!r} {Leak((), (), lead, 1.0).when} in the last "
                                         f"{len(y)} rows; a forecast would be given what it has to forecast. "
                                         f"{_ways_out((name,), lead)}")


def _refusal(leak: Leak) -> str:
    columns, of = _listed(leak.columns), _listed(leak.of)
    several = len(leak.columns) > 1
    who = f"X columns {columns} together tell" if several else f"X column {columns} tells"
    what = of if len(leak.of) == 1 else f"a combination of {of}"
    return (f"{who} {100 * REFUSED:g} % or more of what is new in {what} {leak.when}, as columns made "
            f"from y do (changes, sums, averages, rates); a forecast would be given what it has to forecast. "
            f"{_ways_out(leak.columns, leak.lead)}")


def _ways_out(columns: tuple[str, ...], lead: int) -> str:
    one = len(columns) == 1
    names = ",".join(columns)
    known = f"use {'it' if one else 'them'} up to the origin only with past= (--past {names}), " if lead == 0 else ""
    return (f"Leave {'the column' if one else 'them'} out, lag {'it' if one else 'them'} by the horizon, {known}or, "
            f"where {'it is' if one else 'they are'} really known in advance, say so with trust= (--trust {names})")


def _listed(names: Sequence[str]) -> str:
    quoted = list(map(repr, names))
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def leaks(series: Series, exog: Series, first: int = 0, furthest: int = LEADS) -> list[Leak]:
    """Return what columns of X tell 90 % or more of the news in a series or a combination of them, most first.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal((200, 1)).cumsum(axis=0)
    >>> change = Series.of(np.diff(y, axis=0, prepend=0.0), argument="x")
    >>> [(leak.columns, leak.lead, round(leak.share, 3)) for leak in leaks(Series.of(y), change)]
    [(('x1',), 0, 1.0)]
    """
    values, X = series.values[-ROWS:], exog.values[-ROWS:]
    calendar = [column for column in range(exog.k) if counts_or_repeats(X[:, column])]
    suspects = [column for column in range(exog.k) if column not in calendar and np.ptp(X[:, column]) > 0]
    found: list[Leak] = []
    if not suspects or len(values) < 2 * FEWEST:
        return found
    names = [exog.names[column] for column in suspects]
    most = max(1, len(values) // 16)  # series at a time, so that their lags leave rows to judge by
    for begin in range(0, series.k, most):
        part = slice(begin, begin + most)
        found += _found(values[:, part], series.names[part], X[:, suspects], names, X[:, calendar], first, furthest)
    best: dict[tuple[str, ...], Leak] = {}
    for leak in sorted(found, key=lambda leak: (-round(leak.share, 3), leak.lead, len(leak.columns), len(leak.of))):
        if not any(set(known.of) & set(leak.of) and set(known.columns) & set(leak.columns) for known in best.values()):
            best.setdefault((*leak.columns, "", *leak.of), leak)
    return list(best.values())


def _found(Y: FloatArray, of: Sequence[str], X: FloatArray, names: Sequence[str], known: FloatArray, first: int,
           furthest: int) -> list[Leak]:
    """Try every form and lead."""
    rows, found = len(Y), list[Leak]()
    near = min(LEADS, furthest, rows // 4)
    forms: list[tuple[FloatArray, FloatArray, bool]] = [(Y, X, True)]
    positive = (np.nanmin(Y, axis=0) > 0)
    if positive.any():
        forms.append((np.log(np.where(Y > 0, Y, np.nan))[:, positive], X, False))
    for y, x, plain in forms:
        mine = list(of) if plain else [name for name, good in zip(of, positive, strict=True) if good]
        setting = _Setting.of(y, x, known, near)
        for lead in range(first, near + 1):
            found += setting.leaks(mine, names, lead, _plain_terms(x, y) if plain else _rates(x))
    for lead in range(first, near + 1):
        found += _monotone(Y, of, X, names, lead)
    deep = min(DEEPEST, rows // 4)
    for y, x, plain in forms if Y.shape[1] <= MANY else []:
        mine = list(of) if plain else [name for name, good in zip(of, positive, strict=True) if good]
        for j, name in enumerate(mine):
            setting = _Setting.of(y[:, [j]], x, known, min(1, near), deep)
            for lead in range(first, min(1, near) + 1):
                found += setting.leaks([name], names, lead, _linear(x) if plain else _rates(x))
    further = min(furthest, rows - 4 * FEWEST)
    if further > near:
        setting = _Setting.of(Y, X, known, further)
        for lead in range(max(first, near + 1), further + 1):
            found += setting.leaks(of, names, lead, _linear(X))
    return found


Terms = list[tuple[tuple[int, ...], FloatArray]]  # columns that a term is made of, and its values (T,)


def _linear(x: FloatArray) -> Terms:
    return [((column,), x[:, column]) for column in range(x.shape[1])]


def _plain_terms(x: FloatArray, y: FloatArray) -> Terms:
    """Return X, its squares, products of two columns, and products with y at the date before."""
    count, before = x.shape[1], np.vstack([np.full((1, y.shape[1]), np.nan), y[:-1]])
    terms = _linear(x)
    room = len(x) // 8 - count
    more: Terms = [((column,), x[:, column] ** 2) for column in range(count)]
    more += [((column,), x[:, column] * before[:, j]) for column in range(count) for j in range(y.shape[1])]
    if count <= PAIRS:
        more += [(pair, x[:, pair[0]] * x[:, pair[1]]) for pair in combinations(range(count), 2)]
    return terms + (more if len(more) <= room else [])


def _rates(x: FloatArray) -> Terms:
    """Return X, and logarithms of it as a level, as a rate and as a rate in per cent, where there are any."""
    terms: Terms = []
    for column in range(x.shape[1]):
        low, values = float(x[:, column].min()), x[:, column]
        terms.append(((column,), values))
        if low > 0:
            terms.append(((column,), np.log(values)))
        if low > -1:
            terms.append(((column,), np.log1p(values)))
        if low > -100:
            terms.append(((column,), np.log1p(values / 100)))
    return terms


@dataclass(frozen=True, eq=False)
class _Setting:
    """News of y given its past on rows `start` … T − 1, and what X may add.

    start : int              first row
    seen : bool array (T,)   rows without gaps in y or its lags
    base : array (n, d)      orthonormal: constant, trend, calendar columns, lags of y, on those rows
    news : array (n, k)      what the base leaves of y
    x : array (T, q)
    """

    start: int
    rows: NDArray[np.int64]
    base: FloatArray
    news: FloatArray
    size: FloatArray
    x: FloatArray

    @classmethod
    def of(cls, y: FloatArray, x: FloatArray, known: FloatArray, furthest: int, lags: int = 0) -> _Setting:
        (T, k), fixed = y.shape, known.shape[1] + 2
        start = furthest + 2
        lags = lags or max(1, min(default_max_lags(T, k, "c", 0), ((T - start) // 4 - fixed) // k))
        start = max(start, lags)
        past = np.hstack([y[start - lag:T - lag] for lag in range(1, lags + 1)])
        seen = np.isfinite(np.hstack([y[start:], past])).all(axis=1)
        rows = np.flatnonzero(seen) + start
        given = np.hstack([np.ones((len(rows), 1)), rows[:, None] / T, known[rows], past[seen]])
        base = _basis(given, np.zeros((len(rows), 0)))
        about = y[rows] - y[rows].mean(axis=0)
        news = about - base @ (base.T @ about)
        return cls(start, rows, base, news - base @ (base.T @ news), np.sqrt((about**2).sum(axis=0)), x)

    def leaks(self, of: Sequence[str], names: Sequence[str], lead: int, terms: Terms) -> Iterator[Leak]:
        """Yield what X of `lead` steps before tells of single series, else of a combination of them."""
        moving = np.flatnonzero(np.sqrt((self.news**2).sum(axis=0)) > LOST * self.size)  # others have no news
        if not len(moving) or len(self.rows) < 2 * FEWEST:
            return
        base = self._with_past_of_x(lead)
        news = self.news[:, moving] - base @ (base.T @ self.news[:, moving])
        scale = np.sqrt((news**2).sum(axis=0))
        alive = scale > LOST * self.size[moving]
        if not alive.any():
            return
        single, together = news[:, alive] / scale[alive], [of[j] for j in moving[alive]]
        tried, sides = _Trial(base, terms, self.rows - lead), single.shape[1]
        hit = False
        for j in range(sides):
            share = tried.share(single[:, j], range(len(terms)))
            if share >= TOLD:
                hit = True
                columns, share = tried.culprits(single[:, j], share)
                yield Leak(tuple(names[c] for c in columns), (together[j],), lead, share)
        if sides == 1 or hit:
            return
        weights = tried.best_mix(single)
        if weights is not None and (share := tried.share(single @ weights, range(len(terms)))) >= TOLD:
            columns, share = tried.culprits(single @ weights, share)
            some = tuple(together[j] for j in np.flatnonzero(np.abs(weights) > 0.1 * np.abs(weights).max()))
            yield Leak(tuple(names[c] for c in columns), some, lead, share)

    def _with_past_of_x(self, lead: int) -> FloatArray:
        """Return the base with the two rows of X before the one that is tried."""
        room = len(self.rows) // 8
        lags = min(2, room // max(1, self.x.shape[1]))
        if not lags:
            return self.base
        before = np.hstack([self.x[self.rows - lead - lag] for lag in range(1, lags + 1)])
        return np.hstack([self.base, _basis(before, self.base)])


@dataclass(frozen=True, eq=False)
class _Trial:
    """A base and terms of X on the rows judged."""

    base: FloatArray
    terms: Terms
    rows: NDArray[np.int64]

    def share(self, news: FloatArray, some: Sequence[int]) -> float:
        """Return which share of the news some of the terms tell."""
        fresh = self._fresh(some)
        left = news - fresh @ (fresh.T @ news)
        if not fresh.shape[1] or 1 - float(left @ left) / float(news @ news) < SCREENED:
            return 0.0
        keep = (np.abs(news) <= np.quantile(np.abs(news), 1 - TRIMMED)) & (
            np.abs(left) <= np.quantile(np.abs(left), 1 - TRIMMED))
        n, d, m = int(keep.sum()), self.base.shape[1], fresh.shape[1]
        if n - d - m < FEWEST:
            return 0.0
        without = _residual(news[keep], self.base[keep])
        with_x = _residual(news[keep], np.hstack([self.base, fresh])[keep])
        ratio = (float(with_x @ with_x) / (n - d - m)) / max(float(without @ without) / (n - d), np.finfo(float).tiny)
        return float(1 - ratio)

    def culprits(self, news: FloatArray, share: float) -> tuple[list[int], float]:
        """Return the fewest columns, found one by one, whose terms tell as much as all of them, and their share."""
        columns = sorted({column for made, _ in self.terms for column in made})
        goal, chosen, told = REFUSED if share >= REFUSED else TOLD, list[int](), 0.0
        while told < goal and len(chosen) < len(columns):
            tried = {column: self._raw(news, self._made_of([*chosen, column]))
                     for column in columns if column not in chosen}
            chosen.append(max(tried, key=lambda column: tried[column]))
            told = self.share(news, self._made_of(chosen))
        return sorted(chosen), max(told, share) if len(chosen) == len(columns) else told

    def best_mix(self, news: FloatArray) -> FloatArray | None:
        """Return weights of the series whose combination X tells most of, by the largest canonical correlation."""
        left, size, right = np.linalg.svd(news, full_matrices=False)
        rank = int((size > 1e-6 * size[0]).sum())
        fresh = self._fresh(range(len(self.terms)))
        if rank < 2 or not fresh.shape[1]:
            return None
        direction = np.linalg.svd(left[:, :rank].T @ fresh, full_matrices=False)[0][:, 0]
        return np.asarray(right[:rank].T @ (direction / size[:rank]))

    def _made_of(self, columns: Sequence[int]) -> list[int]:
        return [at for at, (made, _) in enumerate(self.terms) if set(made) <= set(columns)]

    def _raw(self, news: FloatArray, some: Sequence[int]) -> float:
        told = self._fresh(some).T @ news
        return float(told @ told)

    def _fresh(self, some: Sequence[int]) -> FloatArray:
        if not len(some):
            return np.zeros((len(self.rows), 0))
        block = np.column_stack([self.terms[at][1][self.rows] for at in some])
        return _basis(np.where(np.isfinite(block), block, 0.0), self.base)


def _basis(block: FloatArray, against: FloatArray) -> FloatArray:
    """Return an orthonormal basis of what columns hold beyond an orthonormal block."""
    about = block if not against.shape[1] else block - block.mean(axis=0)
    length = np.sqrt((about**2).sum(axis=0))
    rest = about[:, length > 0] / length[length > 0]
    for _ in range(2):
        rest = rest - against @ (against.T @ rest)
    rest = rest[:, np.sqrt((rest**2).sum(axis=0)) > LOST]
    if not rest.shape[1]:
        return np.asarray(rest)
    left, size, _ = np.linalg.svd(rest / np.sqrt((rest**2).sum(axis=0)), full_matrices=False)
    return np.ascontiguousarray(left[:, size > LOST * size[0]])


def _residual(y: FloatArray, X: FloatArray) -> FloatArray:
    return np.asarray(y - X @ np.linalg.lstsq(X, y, rcond=None)[0])


def _monotone(Y: FloatArray, of: Sequence[str], X: FloatArray, names: Sequence[str], lead: int) -> Iterator[Leak]:
    """Yield columns of which y is a rising or falling function, where y itself turns often enough for that to tell."""
    rows = len(Y)
    for j, target in enumerate(of):
        y = Y[lead:, j]
        seen = np.isfinite(y)
        moves = np.diff(y[seen])
        turns = min(int((moves > 0).sum()), int((moves < 0).sum()))
        if turns < max(FEWEST, rows // 20) or len(np.unique(y[seen])) < 2 * FEWEST:
            continue
        for column, name in enumerate(names):
            x = X[:rows - lead, column][seen]
            by_x = y[seen][np.lexsort((y[seen], x))]
            if len(np.unique(x)) >= len(x) // 2 and ((np.diff(by_x) >= 0).all() or (np.diff(by_x) <= 0).all()):
                yield Leak((name,), (target,), lead, 1.0)
