"""The comparison: fit every rung from the one below at rolling origins, test, score, give a verdict.

`compare` is the library's main verb; a `Comparison` is a pure function of its ledger. `climb` chooses a rung from one
sample alone, by the evidence.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from varnn.comparison.null_bootstrap import bootstrapped, contenders
from varnn.dates import season_of
from varnn.errors import LookaheadError, ParameterError
from varnn.estimate.least_squares.regression import Trend
from varnn.evaluate import tables as board
from varnn.evaluate.backtest import Oracle, Progress, Task, backtest
from varnn.evaluate.ledger import Ledger
from varnn.evaluate.verdict import sentences
from varnn.evaluate.windows import Windows
from varnn.forecaster import Fitted, Forecaster, one_of
from varnn.models import by_name
from varnn.models.rung0_naive import SeasonalNaive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import FittedTanhRNN, TanhRNN
from varnn.series import Series, whole_number

DEFAULT_MODELS = ("Naive", "SeasonalNaive", "Mean", "Drift", "VAR", "LinearRNN", "TanhRNN")
LEADS = 12  # steps ahead at which a covariate is tested for being y itself, or the horizon where that is longer
VERSIONED = ("varnn", "numpy", "scipy", "pandas", "statsmodels", "numba")


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found; every table comes from the ledger alone.

    Attributes
    ----------
    ledger : Ledger
        Every forecast of every model at every origin.
    """

    ledger: Ledger

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a model over all steps and series: errors, skill against the VAR, tests, coverage, seconds."""
        return board.overall(self.ledger)

    @cached_property
    def by_horizon(self) -> pd.DataFrame:
        """One row a model and step."""
        return board.by_horizon(self.ledger)

    @cached_property
    def by_series(self) -> pd.DataFrame:
        """One row a model, series and step."""
        return board.by_series(self.ledger)

    @cached_property
    def oracle_gap(self) -> pd.DataFrame | None:
        """Share of the way from the VAR to the best possible forecast, for simulated data; else None."""
        return board.oracle_gap(self.ledger)

    @cached_property
    def verdict(self) -> list[str]:
        """The result in plain sentences, the most important first."""
        return sentences(self.table, self.by_horizon, self.oracle_gap)

    def report(self, path: str | Path) -> Path:
        """Write the ledger, the tables and a self-contained HTML page into the folder `path`; return the page."""
        from varnn.report.page import render

        folder = Path(path)
        self.ledger.write(folder / "ledger")
        return render([self], folder / "index.html", title=str(self.ledger.meta["title"]))

    @classmethod
    def read(cls, path: str | Path) -> Comparison:
        """Read back a comparison that `report` wrote into the folder `path`."""
        folder = Path(path)
        return cls(Ledger.read(folder / "ledger" if (folder / "ledger").is_dir() else folder))


def compare(y: object, X: object = None, *, horizon: int,
            models: Mapping[str, Forecaster] | Sequence[str] | None = None,
            origins: int | None = None, step: int | None = None, gap: int = 0, refit: int | None = None,
            window: int | None = None, season: int | None = None, n_paths: int = 500, seed: int = 0,
            p_values: Literal["asymptotic", "bootstrap"] = "asymptotic", draws: int = 99,
            oracle: Oracle | None = None, about: Mapping[str, Any] | None = None,
            progress: Progress | None = None) -> Comparison:
    """Compare models on rolling forecast origins, without look-ahead.

    Parameters
    ----------
    y : DataFrame or array (T, k)
        All observations, oldest first.
    X : DataFrame or array (T, q), optional
        Exogenous columns. Forecasts are given their actual future values, as is right for calendars, plans and
        policies that are known in advance; the report says so. Columns that hold y itself are refused.
    horizon : int
        Steps h ahead.
    models : mapping of label to Forecaster, or names, optional
        Naive rows, VAR, LinearRNN and TanhRNN when left out.
    origins : int, optional
        Number of forecast origins; the last 30 % of the rows when left out, at most 120.
    step, gap, refit : int, optional
        Rows between origins, rows withheld before the first judged one, origins between re-estimations.
    window : int, optional
        Rows of a sliding training window; expanding when left out.
    season : int, optional
        Observations in a season; from the frequency of the dates when left out.
    n_paths, seed : int
        Sample paths for each forecast, and the seed of everything random.
    p_values : {"asymptotic", "bootstrap"}
        "bootstrap" adds p-values from `draws` comparisons on series drawn from the VAR, at that many times the cost.
    draws : int
        Series drawn for bootstrapped p-values; 99 resolve 1 %.
    oracle : callable, optional
        (rows seen, horizon) -> best possible mean (h, k), for simulated data.
    about : mapping, optional
        Facts for the report: title, units, source, licence, citation, transform, command.
    progress : callable, optional
        Called as (model, origins done, origins in all).

    Returns
    -------
    Comparison

    Raises
    ------
    InputError, LookaheadError

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> result = compare(rng.standard_normal((60, 1)), horizon=1, models=["Naive", "Mean"], origins=20)
    >>> float(result.table.loc["Mean", "skill"]) > 10
    True
    """
    series = Series.of(y)
    exog = None if X is None else series.exog_of(X)
    season = season_of(series.index) if season is None else whole_number(season, "season", least=1)
    chosen = _chosen(models, season)
    windows = Windows.default(len(series), horizon, origins=origins, step=step, gap=gap, refit=refit, size=window)
    if exog is not None:
        refuse_leaks(series, exog, furthest=max(LEADS, windows.horizon + windows.gap))
    task = Task(series=series, exog=exog, windows=windows, season=season, seed=whole_number(seed, "seed", least=0),
                n_paths=whole_number(n_paths, "n_paths", least=20), oracle=oracle)
    one_of(p_values, "p_values", ("asymptotic", "bootstrap"))
    if p_values == "asymptotic":
        return Comparison(backtest(chosen, task, facts(task, chosen, about or {}), progress))
    contenders(chosen)
    draws = whole_number(draws, "draws", least=9)
    ledger = backtest(chosen, task, facts(task, chosen, about or {}), progress)
    return Comparison(bootstrapped(ledger, task, chosen, draws=draws, progress=progress))


@dataclass(frozen=True, eq=False)
class Climb:
    """Every rung fitted to one sample, and the one that its evidence chooses.

    Attributes
    ----------
    fits : dict
        "VAR", "LinearRNN" and "TanhRNN" to Fitted, each with lags and size of its own choice.
    chosen : str
        Name of the rung.
    """

    fits: dict[str, Fitted]
    chosen: str

    @property
    def best(self) -> Fitted:
        """The chosen fit."""
        return self.fits[self.chosen]

    @property
    def evidence(self) -> pd.DataFrame:
        """Best log evidence of each rung, all on the same rows, and the log Bayes factor over the rung before it."""
        found = self.fits["TanhRNN"].rungs  # type: ignore[attr-defined]
        table = pd.DataFrame({"log evidence": found}).rename_axis("rung")
        return table.assign(over_the_one_below=table["log evidence"].diff())


def climb(y: object, X: object = None, *, trend: Trend = "c", rng: object = None) -> Climb:
    """Fit every rung to all rows and choose one by the evidence, without test data.

    The evidences come from one search on one set of rows, so that their differences are log Bayes factors.  The memory
    of the linear RNN needs a lead of 1 over the VAR; tanh units must lead and predict surely better, date by date, with
    that date left out (`varnn.estimate.tanh.evidence.paired_gain`).

    Parameters
    ----------
    y : DataFrame or array (T, k)
        Observations, oldest first.
    X : DataFrame or array (T, q), optional
        Exogenous columns.
    trend : {"c", "n", "ct"}
        Constant, none, or constant and linear trend.
    rng : int or numpy Generator, optional
        Seed of the tanh units' starts; None is seed 0.

    Returns
    -------
    Climb

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=401)
    >>> climb(e[1:] + 0.8 * e[:-1]).chosen
    'LinearRNN'
    """
    fits: dict[str, Fitted] = {
        "VAR": VAR(trend=trend).fit(y, X), "LinearRNN": LinearRNN(trend=trend).fit(y, X)}
    top = TanhRNN(trend=trend).fit(y, X, rng=rng)
    assert isinstance(top, FittedTanhRNN)
    return Climb({**fits, "TanhRNN": top}, top.chosen)


def fingerprint(series: Series, exog: Series | None = None) -> str:
    """Return the SHA-256 of names, dates and the exact bits of the values.

    Examples
    --------
    >>> fingerprint(Series.of([1.0, 2.0]))[:8] == fingerprint(Series.of([1.0, 2.5]))[:8]
    False
    """
    digest = hashlib.sha256()
    for part in (series,) if exog is None else (series, exog):
        digest.update("\x1f".join([*part.names, *part.index.astype(str)]).encode())
        digest.update(np.ascontiguousarray(part.values).astype("<f8").tobytes())
    return digest.hexdigest()


def refuse_leaks(series: Series, exog: Series, furthest: int = LEADS) -> None:
    """Raise LookaheadError if an exogenous column is y itself, now or up to `furthest` steps in the future.

    A column counts as y when the two correlate by more than 1 − 1e-9 over the rows they share.
    """
    for column, name in enumerate(exog.names):
        for target, of in enumerate(series.names):
            for lead in range(min(furthest, len(series) - 10) + 1):
                ahead, x = series.values[lead:, target], exog.values[:len(series) - lead, column]
                if ahead.std() > 0 and x.std() > 0 and abs(np.corrcoef(ahead, x)[0, 1]) > 1 - 1e-9:
                    when = "at the same date" if lead == 0 else f"{lead} step{'s' if lead > 1 else ''} later"
                    raise LookaheadError(f"X column {name!r} equals {of!r} {when}; a forecast would be given what it "
                                         "has to forecast. Leave the column out, or lag it by the horizon")


def _chosen(models: Mapping[str, Forecaster] | Sequence[str] | None, season: int) -> dict[str, Forecaster]:
    if isinstance(models, Mapping):
        return dict(models)
    if isinstance(models, str):
        raise ParameterError(f"models={models!r} is one text; give a list of names, for example ['VAR', 'TanhRNN']")
    names = list(models) if models is not None else [
        name for name in DEFAULT_MODELS if name != "SeasonalNaive" or season > 1]
    return {name: SeasonalNaive(season=season) if name == "SeasonalNaive" else by_name(name)() for name in names}


def facts(task: Task, models: Mapping[str, Forecaster], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report says of a run besides its numbers, all of it JSON-able."""
    series, windows = task.series, task.windows
    described = {"title": "Comparison", "units": "", "source": "", "licence": "", "citation": "", "transform": "none",
                 "command": "varnn.compare(…)"}
    return described | dict(about) | {
        "names": list(series.names), "exog": [] if task.exog is None else list(task.exog.names),
        "rows": len(series), "first_date": str(series.index[0]), "last_date": str(series.index[-1]),
        "frequency": str(getattr(series.index, "freqstr", None) or "steps"), "season": task.season,
        "horizon": windows.horizon, "seed": task.seed, "n_paths": task.n_paths,
        "windows": {"first": windows.first, "step": windows.step, "gap": windows.gap, "refit": windows.refit,
                    "size": windows.size, "origins": windows.count(len(series)),
                    "scheme": "expanding" if windows.size is None else "sliding"},
        "models": {label: repr(model) for label, model in models.items()},
        "fingerprint": fingerprint(series, task.exog),
        "versions": {"python": platform.python_version()} | {
            name: importlib.metadata.version(name) for name in VERSIONED}}
