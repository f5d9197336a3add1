"""The comparison of many series: one comparison each, and what they say together.

Called by users with panels and by the command line (`--id`). Every number of a member is that of `compare`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from varnn.comparison.compare import Comparison, compare
from varnn.data.read.long import known_names
from varnn.display import Sheet, Shown, count, listed
from varnn.errors import InputError, ParameterError
from varnn.guide import Guided, guided
from varnn.models.wrap_panel import parts_of
from varnn.picture import Picture
from varnn.series import Series
from varnn.writing import write_whole

REFERENCE = "VAR"  # what gains are over, where it is among the models; else the first
ORDER = "report.json"  # beside the ledgers, for who rebuilds the page
MEANS = ("rmsse", "mase", "coverage_90", "failed", "seconds")


@dataclass(frozen=True, eq=False)
class PanelComparison(Guided, Shown):
    """What a comparison of many series found.

    Attributes
    ----------
    members : dict of name to Comparison

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shops = {name: rng.normal(size=60) for name in ("north", "south")}
    >>> result = compare_panel(shops, horizon=1, models=["Naive", "Mean"], origins=10)
    >>> result.by_member.index.get_level_values("member").unique().tolist()
    ['north', 'south']
    """

    members: dict[str, Comparison]

    _is: ClassVar[str] = "a comparison of many series"
    _called: ClassVar[str] = "result"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ((".members[name]", "Comparison"),)

    @cached_property
    def by_member(self) -> pd.DataFrame:
        """One row a member and model: the columns of `Comparison.table`."""
        return pd.concat({name: one.table for name, one in self.members.items()}, names=["member", "model"])

    @property
    def reference(self) -> str:
        """The model that gains are over."""
        models = list(next(iter(self.members.values())).table.index)
        return REFERENCE if REFERENCE in models else str(models[0])

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a model: means over members, and the gain over the reference.

        gain = 100 (1 − exp(mean of ln RMSSE/RMSSE of the reference)) with a 95 % interval by Student's t over the
        members, which takes them as independent draws: where they move together it is too narrow. `better` is the share
        of the members in which the model's RMSSE is below the reference's.
        """
        rows = self.by_member
        means = rows[[name for name in MEANS if name in rows]].groupby("model", sort=False).mean()
        errors = rows.reset_index().pivot_table(index="member", columns="model", values="rmsse", sort=False)
        errors = errors.reindex(columns=list(means.index))
        logs = errors.div(errors[self.reference], axis=0).transform(np.log)
        gains = pd.DataFrame({model: _gain(logs[model].dropna().to_numpy()) for model in means.index},
                             index=["gain", "gain_lower", "gain_upper"]).T
        better = (logs < 0).sum() / logs.notna().sum()
        table = means.join(gains).assign(better=better, members=errors.notna().sum())
        table.loc[self.reference, ["gain_lower", "gain_upper", "better"]] = np.nan
        return table

    def plot(self) -> Picture:
        """Draw the gain of each model over the reference, with its interval over the members."""
        from varnn.comparison.pictures import gain_intervals

        return gain_intervals(self.table, self.reference)

    @property
    def verdict(self) -> list[str]:
        """The result in plain sentences."""
        said = []
        for model, row in self.table.iterrows():
            if model == self.reference:
                continue
            held = row["gain_lower"] > 0 or row["gain_upper"] < 0
            word = "beats" if row["gain_lower"] > 0 else "loses to" if held else "is not told apart from"
            said.append(f"{model} {word} {self.reference} over {int(row['members'])} series: gain "
                        f"{row['gain']:+.1f} % ({row['gain_lower']:+.1f} to {row['gain_upper']:+.1f}), better in "
                        f"{100 * row['better']:.0f} % of them{'' if held else '; the interval holds 0'}.")
        return said

    def report(self, path: str | Path) -> Path:
        """Write the ledgers and one page of all members into the folder `path`; return the page."""
        from varnn.report.page import render

        folder = Path(path)
        title, order = count(len(self.members), "member"), [f"{number:04d}" for number in range(len(self.members))]
        for part, one in zip(order, self.members.values(), strict=True):
            one.ledger.write(folder / "ledger" / part)
        write_whole(folder / "ledger" / ORDER, json.dumps({"title": title, "order": order}, indent=1) + "\n")
        return render(list(self.members.values()), folder / "index.html", title=title)

    def _sheet(self) -> Sheet:
        columns = ["rmsse", "gain", "gain_lower", "gain_upper", "better", "members"]
        return Sheet("Comparison of a panel", (("members", listed(list(self.members))),),
                     (("over all members", self.table[columns]),),
                     "result.members[name] is the comparison of one; result.verdict has sentences")


@guided
def compare_panel(data: object, X: object = None, *, horizon: int, by: str | None = None, time: str | None = None,
                  about: Mapping[str, Any] | None = None, progress: Callable[[str, int, int], None] | None = None,
                  **options: Any) -> PanelComparison:
    """Compare models on each of many series, and over all of them.

    Parameters
    ----------
    data : mapping of name to series, list of series, or long DataFrame
        As `Panel.fit` takes it; `unique_id` and `ds` are found.
    X : as `data`, optional
        Exogenous columns of each series.
    horizon : int
    by, time : str, optional
        Columns of a long frame that name the series and date the rows.
    about : mapping, optional
        Facts for the reports.
    progress : callable, optional
        Called as (series and model, origins done, origins in all).
    **options
        Of `varnn.compare`: models, origins, refit, seed …

    Returns
    -------
    PanelComparison

    Raises
    ------
    InputError
        Naming the series at fault.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> walks = {name: rng.standard_normal(60).cumsum() for name in "abc"}
    >>> result = compare_panel(walks, horizon=1, models=["VAR", "Naive", "Mean"], origins=10)
    >>> result.table.index.tolist(), result.reference, int(result.table.loc["Mean", "members"])
    (['VAR', 'Naive', 'Mean'], 'VAR', 3)
    """
    if by is None and time is None and isinstance(data, pd.DataFrame) and data.index.nlevels < 2:
        by, time = known_names(list(data.columns)) or (None, None)
    parts = parts_of(data, by=by, time=time)
    if not parts:
        raise ParameterError("data holds no series; a panel needs at least one")
    beside = None if X is None else parts_of(X, by=by, time=time, argument="X")
    found: dict[str, Comparison] = {}
    for name, part in parts.items():
        if beside is not None and name not in beside:
            raise InputError(f"X has nothing for series {name!r}; name its parts as those of the data")

        def heard(model: str, done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(f"{name}: {model}", done, total)

        try:
            found[name] = compare(part if isinstance(part, pd.DataFrame) else Series.of(part),
                                  None if beside is None else beside[name], horizon=horizon, progress=heard,
                                  about={**(about or {}), "title": name}, **options)
        except InputError as problem:
            raise type(problem)(f"series {name!r}: {problem}") from None
    return PanelComparison(found)


def _gain(logs: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Return the gain in per cent and its interval, from the logarithms of error ratios."""
    from scipy.stats import t

    n = len(logs)
    if n == 0:
        return [np.nan] * 3
    middle = float(logs.mean())
    reach = float(t.ppf(0.975, n - 1) * logs.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return [100 * (1 - float(np.exp(bound))) for bound in (middle, middle + reach, middle - reach)]
