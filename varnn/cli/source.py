"""What a command line names — a file or a data set — as numbers with the words that describe them.

Called by the command line and by the default comparison. Reads; never estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from varnn.data import Dataset, Read, load, names, read
from varnn.data.calendar import Seasonal, calendar_columns
from varnn.data.steps import Steps, steps_of
from varnn.dates import season_of
from varnn.errors import DataNameError, InputError, MissingDataError, StoreError
from varnn.forecast import Forecast
from varnn.series import FloatArray

FILES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".parquet", ".pq", ".xlsx", ".xls", ".gz", ".bz2", ".xz",
         ".zip", ".ods", ".json", ".feather", ".dta", ".rds")  # endings of a path, read or refused by its kind
ORACLE_PATHS = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Series to forecast, and what a report says about them.

    Attributes
    ----------
    y : DataFrame (T, k)
        As the models see them, after the transform.
    X : DataFrame (T, q), optional
        Exogenous columns.
    levels : array (T, k)
        All observations before the transform.
    transform : str
        As asked for here, for example "logdiff" or "gdp=logdiff,rate=none".
    steps : Steps, optional
        The transform of each column, and the way back.
    season : int, optional
        As the data set's file says; None means from the dates.
    oracle : callable, optional
        (rows seen, horizon) -> best possible mean (h, k), for simulated data.
    about : dict
        Title, source, licence, citation, transform, for the report.
    calendar : DataFrame (T + h, c), optional
        Columns made from the dates, which are in X as well, with the dates to forecast.
    notes : tuple of str
        What was left out of a file, and which numbers may mark missing values.
    """

    y: pd.DataFrame
    X: pd.DataFrame | None = None
    levels: FloatArray
    transform: str = "none"
    steps: Steps | None = None
    season: int | None = None
    oracle: Callable[[int, int], FloatArray] | None = None
    about: dict[str, str] = field(default_factory=dict)
    calendar: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def with_calendar(self, seasonal: str, parts: Sequence[str], season: int | None, ahead: int) -> Source:
        """Return the source with columns made from its dates among the exogenous ones."""
        if seasonal == "none" and not parts:
            return self
        made = calendar_columns(self.y.index, parts=parts,
                                seasonal=None if seasonal == "none" else cast(Seasonal, seasonal),
                                season=self.season_of(season) if seasonal != "none" else None, ahead=ahead)
        held = [*map(str, self.y.columns), *(() if self.X is None else map(str, self.X.columns))]
        both = [name for name in made.columns if name in held]
        if both:
            raise InputError(f"the data have a column {both[0]!r}, as a column of the calendar is called; rename it or "
                             "leave one of them out")
        inside = made.iloc[:len(self.y)]
        return replace(self, X=inside if self.X is None else self.X.join(inside), calendar=made)

    def undo(self, outlook: Forecast) -> Forecast:
        """Return the forecast in the levels before the transform.

        Paths are summed (and exponentiated) one by one, so quantiles are those of the level; its mean is
        the mean of the paths.
        """
        if self.steps is None or not any(self.steps.chains):
            return outlook
        paths = self.steps.undo(outlook.paths, self.levels)
        lost = np.isnan(paths).any(axis=(0, 1))
        if lost.any():
            name = outlook.names[int(np.argmax(lost))]
            raise MissingDataError(f"the last levels of {name!r} are missing, so that its changes lead to no level; "
                                   "forecast the changes (--changes), or give the last rows")
        point = self.steps.undo(np.array(outlook.point), self.levels) if self.steps.linear else paths.mean(axis=0)
        return replace(outlook, point=point, paths=paths, history=None, spread=None)

    def season_of(self, asked: int | None) -> int | None:
        """Return the season asked for, or else the one that the data set's file gives."""
        return self.season if asked is None else asked


def find(given: str, *, date: str | None = None, columns: Sequence[str] | None = None,
         exog: Sequence[str] | None = None, transform: str = "none", season: int | None = None,
         nonnegative: bool = False) -> Source:
    """Return the file or the data set that `given` names.

    Parameters
    ----------
    given : str
        Path of a CSV, Excel or Parquet file, or a name that `varnn data list` shows.
    date : str, optional
        The file's date column; found when left out.
    columns, exog : list of str, optional
        Series to forecast (all that are left when None) and exogenous columns.
    transform : str
        Applied to the series, not to exog; see `varnn.data.steps.steps_of`.
    season : int, optional
        Rows in a season, for seasonal differences; from the dates when left out.
    nonnegative : bool
        Model ln(1 + y), so that no forecast falls below 0.

    Raises
    ------
    StoreError, DataNameError, InputError
        Naming the path, the name or the column.
    """
    path = Path(given)
    if path.exists() or path.suffix.lower() in FILES:
        return of_file(path, date=date, columns=columns, exog=exog, transform=transform, season=season,
                       nonnegative=nonnegative)
    if path.parent != Path() or path.suffix:
        raise StoreError(f"there is no file {given}; check the path, or name a data set (`varnn data list`)")
    if date is not None:
        raise InputError(f"--date {date} belongs to a file, and {given!r} is the name of a data set")
    return of_dataset(known(given), columns=columns, exog=exog, transform=transform, season=season,
                      nonnegative=nonnegative)


def known(name: str) -> str:
    """Return the data set's name as the catalogue spells it; DataNameError says what comes nearest."""
    plain = name.casefold().replace("-", "_")
    if plain in names():
        return plain
    near = get_close_matches(plain, names(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "see `varnn data list`"
    raise DataNameError(f"there is neither a file nor a data set called {name!r}; {hint}")


def of_file(path: Path, *, date: str | None = None, columns: Sequence[str] | None = None,
            exog: Sequence[str] | None = None, transform: str = "none", season: int | None = None,
            nonnegative: bool = False) -> Source:
    """Read a user's own file."""
    return of_read(read(path, date=date, columns=columns, exog=exog), path.name, transform, season, nonnegative)


def of_read(found: Read, name: str, transform: str, season: int | None, nonnegative: bool) -> Source:
    """Return what was read from a file, transformed."""
    about = {"title": name, "source": name, "transform": transform}
    steps = _steps(found.y, transform, season, nonnegative)
    return replace(_transformed(found.y, found.X, transform, steps, about), notes=found.notes)


def of_dataset(name: str, *, columns: Sequence[str] | None = None, exog: Sequence[str] | None = None,
               transform: str = "none", season: int | None = None, nonnegative: bool = False,
               **options: object) -> Source:
    """Load a data set by name; `options` go to `varnn.data.load`."""
    data = load(name, **options)
    if data.panel:
        raise InputError(f"{name} is a panel of many separate series, not one multivariate series; "
                         f"take one out with varnn.data.load({name!r}).each()")
    levels, X = _split(data, columns, exog)
    words = transform if data.transform == "none" else (
        data.transform if transform == "none" else f"{data.transform}, then {transform}")
    about = {"title": data.title, "source": data.source, "licence": data.licence, "citation": data.citation,
             "transform": words, "notes": data.notes,
             "units": "; ".join(f"{column}: {data.labels.get(column, column)}" for column in levels.columns)}
    simulated = data.simulated
    oracle = None
    untouched = transform == "none" and not nonnegative and list(levels.columns) == list(data.frame.columns)
    if simulated is not None and untouched:
        def oracle(rows: int, horizon: int) -> FloatArray:
            return np.asarray(simulated.oracle_ahead([rows], horizon, paths=ORACLE_PATHS, rng=rows)[0])

    steps = _steps(levels, transform, season if season is not None else data.season, nonnegative)
    return _transformed(levels, X, transform, steps, about, season=data.season, oracle=oracle)


def _split(data: Dataset, columns: Sequence[str] | None, exog: Sequence[str] | None,
           ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the chosen columns of a data set, and its own exogenous columns with those asked for."""
    inputs = [] if exog is None else _present(data, exog)
    rest = [str(name) for name in data.frame.columns if name not in inputs]
    wanted = rest if columns is None else _present(data, columns)
    both = [name for name in wanted if name in inputs]
    if both:
        raise InputError(f"column {both[0]!r} is in columns and in exog; a series cannot explain itself")
    if not wanted:
        raise InputError(f"every column of {data.name} is exogenous; leave one to forecast")
    own = data.exog if exog is None else (data.frame[inputs] if data.exog is None else
                                          data.exog.join(data.frame[inputs]))
    return data.frame[wanted], own


def _present(data: Dataset, wanted: Sequence[str]) -> list[str]:
    held = [str(name) for name in data.frame.columns]
    for name in wanted:
        if name not in held:
            near = get_close_matches(name, held, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(held[:12])}"
            raise InputError(f"{data.name} has no column {name!r}; {hint}")
    return list(dict.fromkeys(wanted))


def _steps(levels: pd.DataFrame, transform: str, season: int | None, nonnegative: bool) -> Steps:
    return steps_of(transform, list(levels.columns), season=season_of(levels.index) if season is None else season,
                    nonnegative=nonnegative)


def _transformed(levels: pd.DataFrame, X: pd.DataFrame | None, transform: str, steps: Steps, about: dict[str, str],
                 season: int | None = None, oracle: Callable[[int, int], FloatArray] | None = None) -> Source:
    y = steps.apply(levels)
    return Source(y=y, X=None if X is None else X.iloc[len(X) - len(y):], levels=levels.to_numpy(dtype=np.float64),
                  transform=transform, steps=steps, season=season, oracle=oracle, about=about)
