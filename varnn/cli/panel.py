"""`--id` on the command line: a file in which many series stand one below the other.

Called by compare and forecast; reads, fits and writes each series as they do with one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from varnn.cli.source import Source, of_read
from varnn.comparison.panel import PanelComparison, compare_panel
from varnn.data import read_panel
from varnn.errors import ExogError, InputError, ParameterError
from varnn.forecaster import Forecaster
from varnn.models.wrap_panel import Panel, Sharing


@dataclass(frozen=True, kw_only=True)
class Members:
    """The series of a file, by name.

    Attributes
    ----------
    by : str
        The column that names them.
    sources : dict of name to Source
    notes : tuple of str
        What was left out, once each.
    """

    by: str
    sources: dict[str, Source]
    notes: tuple[str, ...]


def members(path: str, by: str | None, *, date: str | None, columns: Sequence[str] | None, exog: Sequence[str] | None,
            how: Mapping[str, Any]) -> Members:
    """Read a long file; `how` holds transform, nonnegative, season, seasonal, calendar and ahead.

    Raises
    ------
    InputError
        Naming the series.
    """
    by, found = read_panel(path, by=by, date=date, columns=columns, exog=exog)
    sources = {}
    for name, one in found.items():
        try:
            source = of_read(one, Path(path).name, how["transform"], how["season"], how["nonnegative"])
            sources[name] = source.with_calendar(how["seasonal"], how["calendar"], how["season"], how["ahead"])
        except InputError as problem:
            raise type(problem)(f"series {name!r}: {problem}") from None
    return Members(by=by, sources=sources, notes=tuple(dict.fromkeys(
        note for one in found.values() for note in one.notes)))


def compared(found: Members, *, horizon: int, progress: Any, about: Mapping[str, Any], **options: Any
             ) -> PanelComparison:
    """Compare models on every series."""
    inputs = {name: source.X for name, source in found.sources.items() if source.X is not None}
    first = next(iter(found.sources.values()))
    trust = [] if first.calendar is None else [str(name) for name in first.calendar.columns]
    return compare_panel({name: source.y for name, source in found.sources.items()}, inputs or None, horizon=horizon,
                         progress=progress, about=about, trust=trust, **options)


def forecasts(found: Members, model: Forecaster, *, horizon: int, sharing: Sharing, future: Path | None,
              date: str | None, levels: bool, seed: int, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return dated forecasts of every series, its name first; paths are brought back to levels one by one."""
    sources = found.sources
    first = next(iter(sources.values()))
    takes = model.takes_exog and first.X is not None
    ahead = _ahead(found, future, date) if takes else None
    fits = Panel(model=model, sharing=sharing).fit(
        {name: source.y for name, source in sources.items()},
        {name: source.X for name, source in sources.items()} if takes else None, rng=seed)
    tables = []
    for name, source in sources.items():
        outlook = fits[name].forecast(horizon, None if ahead is None else ahead[name], rng=seed, **options)
        table = (source.undo(outlook) if levels else outlook).to_frame()
        table.insert(0, found.by, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def best(tried: PanelComparison) -> tuple[str, str]:
    """Return the model with the smallest mean RMSSE over the series, and the numbers in words."""
    errors = tried.table["rmsse"].dropna()
    if errors.empty:
        raise InputError("none of the models could forecast these series")
    return str(errors.idxmin()), ", ".join(f"{model} {error:.3f}" for model, error in errors.items())


def alone(**given: object) -> None:
    """Refuse options that a panel does not take yet, by name."""
    for name, value in given.items():
        if value not in (None, "raise", "asymptotic"):
            raise ParameterError(f"--{name} is not taken together with --id; leave it out, or forecast the series one "
                                 "by one")


def _ahead(found: Members, future: Path | None, date: str | None) -> dict[str, pd.DataFrame]:
    """Return what is known of the dates to forecast, of every series: of the file, and of the calendar."""
    first = next(iter(found.sources.values()))
    assert first.X is not None
    dated = [] if first.calendar is None else list(first.calendar.columns)
    names = [str(name) for name in first.X.columns if name not in dated]
    calendars = {name: source.calendar for name, source in found.sources.items() if source.calendar is not None}
    if not names:
        return calendars
    if future is None:
        raise ExogError(f"the model uses {', '.join(names)}; give their values at the dates to forecast with --future")
    _, read = read_panel(future, by=found.by, date=date, columns=names,
                         like={name: source.y.index for name, source in found.sources.items()})
    absent = [name for name in found.sources if name not in read]
    if absent:
        raise ExogError(f"--future has no row of series {absent[0]!r}")
    return {name: read[name].y if name not in calendars else read[name].y.join(calendars[name])
            for name in found.sources}
