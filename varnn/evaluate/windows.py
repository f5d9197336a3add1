"""Which rows each forecast may see and which it is judged on: the rolling origins of a comparison.

Used by `backtest`. Knows row numbers only, never data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from varnn.errors import TooShortError
from varnn.series import checked_horizon, whole_number

MOST_ORIGINS = 120   # default cap: tests of equal accuracy gain little beyond, the clock loses much
MOST_REFITS = 10
MOST_ROWS_FITTED = 20_000  # of all default estimations together: over long samples they cost more and move less


@dataclass(frozen=True)
class Origin:
    """One forecast origin: rows start … stop − 1 are seen, rows stop + gap … stop + gap + h − 1 are judged."""

    start: int
    stop: int
    refit: bool


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Rolling forecast origins.

    Parameters
    ----------
    horizon : int
        Steps h judged at each origin.
    first : int
        Rows in the first training sample.
    step : int
        Rows from one origin to the next.
    gap : int
        Rows between the last one seen and the first one judged (a publication delay).
    refit : int
        Estimate anew at every `refit`-th origin; in between the state moves on and the parameters stay.
    size : int, optional
        Rows in a sliding training window; an expanding one when left out.

    Examples
    --------
    >>> [(o.stop, o.refit) for o in Windows(horizon=2, first=6, step=2, refit=2).over(12)]
    [(6, True), (8, False), (10, True)]
    """

    horizon: int
    first: int
    step: int = 1
    gap: int = 0
    refit: int = 1
    size: int | None = None

    def __post_init__(self) -> None:
        checked_horizon(self.horizon)
        whole_number(self.first, "first", least=1)
        whole_number(self.step, "step", least=1)
        whole_number(self.gap, "gap", least=0)
        whole_number(self.refit, "refit", least=1)
        if self.size is not None:
            whole_number(self.size, "size", least=1, most=self.first)

    def count(self, rows: int) -> int:
        """Return the number of origins in `rows` rows: ⌊(rows − first − gap − h)/step⌋ + 1."""
        return max(0, (rows - self.first - self.gap - self.horizon) // self.step + 1)

    def over(self, rows: int) -> Iterator[Origin]:
        """Yield the origins in a series of `rows` rows, oldest first.

        Raises
        ------
        TooShortError
            If not even one origin fits.
        """
        if self.count(rows) == 0:
            raise TooShortError(f"{rows} rows leave no forecast origin: the first window has {self.first} rows, the "
                                f"gap {self.gap} and the horizon {self.horizon}; shorten one of them or give more rows")
        for number in range(self.count(rows)):
            stop = self.first + number * self.step
            start = 0 if self.size is None else stop - self.size
            yield Origin(start, stop, number % self.refit == 0)

    @classmethod
    def default(cls, rows: int, horizon: int, *, origins: int | None = None, step: int | None = None, gap: int = 0,
                refit: int | None = None, size: int | None = None) -> Windows:
        """Choose windows for a series of `rows` rows: the last 30 % judged, at most 120 origins and 10 refits.

        Windows of more than 2,000 rows get fewer refits, those of 10,000 and more get 2.

        Parameters
        ----------
        rows, horizon, gap, size
            As above.
        origins : int, optional
            Number of origins wanted.
        step, refit : int, optional
            As above; chosen when left out.
        """
        horizon = checked_horizon(horizon)
        gap = whole_number(gap, "gap", least=0)
        last_stop = rows - horizon - gap
        if last_stop < 2:
            raise TooShortError(f"{rows} rows are too few to judge a horizon of {horizon} with a gap of {gap}; "
                                "shorten the horizon or give more rows")
        if origins is not None:
            step = 1 if step is None else whole_number(step, "step", least=1)
            first = last_stop - (whole_number(origins, "origins", least=1) - 1) * step
            if first < 2:
                raise TooShortError(f"{rows} rows leave no training rows before {origins} origins {step} apart with "
                                    f"horizon {horizon}; ask for fewer origins or a smaller step")
        else:
            judged = max(1, min(last_stop - 1, round(0.3 * rows) - horizon + 1))
            step = max(1, -(-judged // MOST_ORIGINS)) if step is None else whole_number(step, "step", least=1)
            first = last_stop - (judged - 1) // step * step
        count = (last_stop - first) // step + 1
        if refit is None:
            refits = min(MOST_REFITS, max(2, MOST_ROWS_FITTED // (first if size is None else size)))
            refit = max(1, -(-count // refits))
        if size is not None:
            size = whole_number(size, "size", least=1, most=first)
        return cls(horizon=horizon, first=first, step=step, gap=gap, refit=refit, size=size)
