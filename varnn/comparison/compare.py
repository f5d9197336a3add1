"""The comparison: fit every rung from the one below at rolling origins, test, score, give a verdict.

`compare` is the library's main verb; a `Comparison` is a pure function of its ledger. `climb` chooses a rung from one
sample alone, by the evidence.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from varnn.comparison.null_bootstrap import bootstrapped, contenders
from varnn.comparison.sample import known, names_of, sample_of
from varnn.dates import season_of
from varnn.display import Sheet, Shown, count, listed, short_date
from varnn.errors import InputError, ParameterError, SingularWarning, VarnnWarning
from varnn.estimate.innovation import no_news, without_innovation
from varnn.estimate.least_squares.regression import Trend
from varnn.evaluate import tables as board
from varnn.evaluate.backtest import Oracle, Progress, Task, backtest
from varnn.evaluate.judgement import WORTH, Judgement, judgement
from varnn.evaluate.leaks import LEADS, Leak, refuse_leaks
from varnn.evaluate.ledger import Ledger
from varnn.evaluate.staircase import staircase, taken_apart
from varnn.evaluate.verdict import band_checks, cautions, sentences
from varnn.evaluate.windows import Windows
from varnn.forecaster import Fitted, Forecaster, one_of
from varnn.guide import Guided, guided
from varnn.inference.system_linearity import lags_for_test, system_linearity
from varnn.models import by_name
from varnn.models.rung0_naive import SeasonalNaive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import FittedTanhRNN, TanhRNN
from varnn.picture import Picture
from varnn.series import Series, checked_paths, whole_number

DEFAULT_MODELS = ("Naive", "SeasonalNaive", "Mean", "Drift", "VAR", "ShrunkVAR", "LinearRNN", "TanhRNN")
MOST_TESTED, MOST_WORK = 30, 1e8  # series, and rows × regressors², up to which linearity is tested on all rows
TESTED_DRAWS = 199
VERSIONED = ("varnn", "numpy", "scipy", "pandas", "statsmodels", "numba")


@dataclass(frozen=True, eq=False)
class Comparison(Guided, Shown):
    """What a comparison found; every table comes from the ledger alone.

    Attributes
    ----------
    ledger : Ledger
        Every forecast of every model at every origin.

    Examples
    --------
    >>> import varnn
    >>> y = varnn.data.load("macrodata").frame
    >>> result = varnn.compare(y, horizon=2, models=["Naive", "VAR"], origins=12)
    >>> result.table.index.tolist(), sorted(set(result.by_horizon["step"].tolist()))
    (['Naive', 'VAR'], [1, 2])
    """

    ledger: Ledger

    _is: ClassVar[str] = "a comparison"
    _called: ClassVar[str] = "result"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ((".ledger", "Ledger"),)

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
    def staircase(self) -> pd.DataFrame:
        """The gain over the VAR taken apart: what shrinkage, memory and tanh units add, each with its interval."""
        return staircase(self.ledger)

    @cached_property
    def judgement(self) -> Judgement:
        """What the verdict rests on: tests of structure, gains with their limits, and what could have been seen."""
        return judgement(self.ledger)

    @cached_property
    def verdict(self) -> list[str]:
        """The result in plain sentences, the most important first."""
        said = [*sentences(self.judgement, self.table, self.oracle_gap, band_checks(self.ledger)),
                *cautions(self.ledger)]
        answer, *rest = said or [""]
        said = [answer, taken_apart(self.staircase), *rest]
        return [sentence for sentence in said if sentence]

    def plot(self) -> Picture:
        """Draw the gain of each model over the VAR (over the first model, where there is none) by steps ahead."""
        from varnn.comparison.pictures import gain_lines

        return gain_lines(self.by_horizon, board.reference([str(name) for name in self.table.index]))

    def report(self, path: str | Path) -> Path:
        """Write the ledger, the tables and a self-contained HTML page into the folder `path`; return the page."""
        from varnn.report.page import render

        folder = Path(path)
        self.ledger.write(folder / "ledger")
        return render([self], folder / "index.html", title=str(self.ledger.meta["title"]))

    def _sheet(self) -> Sheet:
        meta = self.ledger.meta
        first, last = short_date(meta["first_date"]), short_date(meta["last_date"])
        facts = (("series", listed([str(name) for name in meta["names"]])),
                 ("data", f"{count(int(meta['rows']), 'row')}, {first} … {last}"),
                 ("judged", f"{count(int(meta['windows']['origins']), 'origin')}, "
                  f"{count(int(meta['horizon']), 'step')} ahead"),
                 ("verdict", self.verdict[0] if self.verdict else "none"))
        columns = [name for name in ("rmsse", "skill", "dm_p", "coverage_90", "failed") if name in self.table]
        return Sheet("Comparison", facts, (("all steps and series", self.table[columns]),),
                     "result.verdict has all sentences; result.report('out/') writes the page")

    @classmethod
    def read(cls, path: str | Path) -> Comparison:
        """Read back a comparison that `report` wrote into the folder `path`."""
        folder = Path(path)
        return cls(Ledger.read(folder / "ledger" if (folder / "ledger").is_dir() else folder))


@guided
def compare(y: object, X: object = None, *, horizon: int,
            models: Mapping[str, Forecaster] | Sequence[str | Forecaster] | None = None,
            target: str | Sequence[str] | None = None, past: object = None, trust: str | Sequence[str] = (),
            missing: Literal["raise", "filter"] = "raise",
            origins: int | None = None, step: int | None = None, gap: int = 0, refit: int | None = None,
            window: int | None = None, season: int | None = None, n_paths: int = 500, seed: int = 0,
            p_values: Literal["asymptotic", "bootstrap"] = "asymptotic", draws: int = 99,
            worth: float = WORTH, oracle: Oracle | None = None, about: Mapping[str, Any] | None = None,
            progress: Progress | None = None) -> Comparison:
    """Compare models on rolling forecast origins, without look-ahead.

    Parameters
    ----------
    y : DataFrame or array (T, k)
        All observations, oldest first.
    X : DataFrame or array (T, q), optional
        Exogenous columns. Forecasts are given their actual future values, as is right for calendars, plans and
        policies that are known in advance; the report says so. Columns that tell 99.9 % or more of what is new in y
        are refused, see `varnn.evaluate.leaks.refuse_leaks`; 90 % or more are told in the verdict.
    horizon : int
        Steps h ahead.
    models : mapping of label to Forecaster, or list of names and specifications, optional
        Naive rows, VAR, ShrunkVAR, LinearRNN and TanhRNN when left out. Specifications in a list are labelled by their
        class, or as they are written where that would not tell them apart.
    target : str or list of str, optional
        Columns of y that are scored and judged; all when left out. The others are inputs: known up to each origin and
        forecast within.
    past : str, list of str, DataFrame or array (T, q), optional
        Inputs known up to each origin only: names of columns of X, or columns of their own. They are forecast within
        and not scored.
    trust : str or list of str
        Columns of X (or past) that are really known in advance although they tell what is new in y.
    missing : {"raise", "filter"}
        Refuse missing values of y, or let the models bridge them; forecasts are then judged by what was observed.
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
    worth : float
        Gain in % of RMSE that would matter: the verdict calls a VAR enough only where gains of that size are ruled
        out.
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
    one_of(missing, "missing", ("raise", "filter"))
    one_of(p_values, "p_values", ("asymptotic", "bootstrap"))
    worth = _worth(worth)
    series, exog, judged = sample_of(y, X, past, target, missing)
    season = season_of(series.index) if season is None else whole_number(season, "season", least=1)
    chosen = _chosen(models, season, named=season != season_of(series.index))
    windows = Windows.default(len(series), horizon, origins=origins, step=step, gap=gap, refit=refit, size=window)
    told = leaks_of(series, exog, judged, names_of(trust, "trust"), max(LEADS, windows.horizon + windows.gap))
    task = Task(series=series, exog=exog, windows=windows, season=season, seed=whole_number(seed, "seed", least=0),
                n_paths=checked_paths(whole_number(n_paths, "n_paths", least=20), windows.gap + windows.horizon,
                                      series.k), oracle=oracle,
                target=None if judged == series.names else judged, missing=missing)
    _ = task.kept_scales  # a series without a yardstick is refused before anything is fitted
    known = facts(task, chosen, about or {}) | {"worth": worth, "told": [vars(leak) | {
        "columns": list(leak.columns), "of": list(leak.of)} for leak in told]}
    if still := known["still"]:
        warnings.warn(no_news(still, f"leave {'it' if len(still) == 1 else 'them'} out of y"), SingularWarning,
                      stacklevel=2)
    if p_values == "asymptotic":
        return Comparison(backtest(chosen, task, known, progress))
    contenders(chosen)
    draws = whole_number(draws, "draws", least=9)
    ledger = backtest(chosen, task, known, progress)
    return Comparison(bootstrapped(ledger, task, chosen, draws=draws, progress=progress))


@dataclass(frozen=True, eq=False)
class Climb(Guided, Shown):
    """Every rung fitted to one sample, and the one that its evidence chooses.

    Attributes
    ----------
    fits : dict
        "VAR", "LinearRNN" and "TanhRNN" to Fitted, each with lags and size of its own choice.
    chosen : str
        Name of the rung.

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=401)
    >>> found = climb(e[1:] + 0.8 * e[:-1])
    >>> found.chosen, found.best is found.fits[found.chosen], found.evidence.index.tolist()
    ('LinearRNN', True, ['VAR', 'LinearRNN', 'TanhRNN'])
    """

    fits: dict[str, Fitted]
    chosen: str

    _is: ClassVar[str] = "a choice among fits"
    _called: ClassVar[str] = "found"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ((".best", "Fitted"),)

    def _sheet(self) -> Sheet:
        return Sheet("Climb", (("chosen", self.chosen), ("series", listed(self.best.series.names))),
                     (("evidence", self.evidence),), "found.best is the fit of the chosen rung")

    def plot(self) -> Picture:
        """Draw the log evidence of each rung, less that of the first."""
        from varnn.comparison.pictures import evidence_dots

        return evidence_dots(self.evidence, self.chosen)

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


@guided
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


def leaks_of(series: Series, exog: Series | None, judged: tuple[str, ...], trust: list[str],
             furthest: int) -> list[Leak]:
    """Refuse what holds y: exogenous columns now or later, and inputs known to the origin that hold the future."""
    scored = _columns(series, list(judged))
    inputs = _columns(series, [name for name in series.names if name not in judged])
    known(trust, (*(() if exog is None else exog.names), *inputs.names), "trust", "column of X or past")
    told = [] if exog is None else refuse_leaks(series, exog, furthest, trust=trust)
    if inputs.k and np.isfinite(inputs.values).all():
        told += refuse_leaks(scored, inputs, furthest, trust=trust, past=inputs.names)
    return told


def _columns(series: Series, names: list[str]) -> Series:
    columns = [series.names.index(name) for name in names]
    return Series(np.ascontiguousarray(series.values[:, columns]), tuple(names), series.index)


def _chosen(models: Mapping[str, Forecaster] | Sequence[str | Forecaster] | None, season: int, *,
            named: bool) -> dict[str, Forecaster]:
    """Return the models by label; those given by name are told the season where it is not that of the dates."""
    if isinstance(models, str):
        raise ParameterError(f"models={models!r} is one text; give a list of names, for example ['VAR', 'TanhRNN']")
    if models is None:
        models = [name for name in DEFAULT_MODELS if name != "SeasonalNaive" or season > 1]
    if isinstance(models, Forecaster):
        models = [models]
    if not isinstance(models, (Mapping, list, tuple)):
        raise ParameterError(f"models={models!r} is not usable; give a list of names and specifications, for example "
                             "['Naive', VAR(lags=2)], or a mapping of labels to specifications")
    if not models:
        raise ParameterError("models is empty; name at least one, for example ['Naive', 'VAR'], or leave it out for "
                             "the naive rows and the three rungs")
    if isinstance(models, Mapping):
        for label, model in models.items():
            if not isinstance(label, str) or not label.strip():
                raise ParameterError(f"models has the label {label!r}; labels are texts, for example 'VAR'")
            _specification(model, f"models[{label!r}]")
        return dict(models)
    return _labelled([_by_name(one, season, named=named) if isinstance(one, str)
                      else _specification(one, f"models[{place}]") for place, one in enumerate(models)])


def _by_name(name: str, season: int, *, named: bool) -> Forecaster:
    """Return the model of this name with its defaults, and the season."""
    if name == "SeasonalNaive":
        return SeasonalNaive(season=season)
    model = by_name(name)()
    return replace(model, season=season) if named and hasattr(model, "season") else model  # type: ignore[call-arg]


def _specification(given: object, place: str) -> Forecaster:
    if isinstance(given, Forecaster):
        return given
    if isinstance(given, type) and issubclass(given, Forecaster):
        raise ParameterError(f"{place} is the class {given.__name__}; give a specification, {given.__name__}(), or its "
                             f"name {given.__name__!r}")
    if isinstance(given, Fitted):
        raise ParameterError(f"{place} is a fit, and every origin needs one of its own; give its specification, .spec")
    raise ParameterError(f"{place} is {type(given).__name__}, not a model; give a name such as 'VAR' or a "
                         "specification such as VAR(lags=2)")


def _labelled(models: Sequence[Forecaster]) -> dict[str, Forecaster]:
    """Label each model by its class, or as it is written where two are of one class; two alike are refused."""
    labels = [model.label for model in models]
    found: dict[str, Forecaster] = {}
    for model, label in zip(models, labels, strict=True):
        name = label if labels.count(label) == 1 or _written(model) == f"{label}()" else _written(model)
        if name in found:
            raise ParameterError(f"models has {name!r} more than once; leave one out, or give a mapping of different "
                                 f"labels to specifications")
        found[name] = model
    return found


def _written(model: Forecaster) -> str:
    """Return the specification as one would write it, without the settings that are left as they are.

    Examples
    --------
    >>> _written(VAR(lags=2))
    'VAR(lags=2)'
    """
    usual = [(field.name, getattr(model, field.name), field.default) for field in fields(model) if field.repr]
    set_here = ", ".join(f"{name}={value!r}" for name, value, default in usual if value != default)
    return f"{type(model).__name__}({set_here})"


def _worth(given: float) -> float:
    if isinstance(given, bool) or not isinstance(given, Real) or not 0.0 < given < 100.0:
        raise ParameterError(f"worth={given!r} is not usable; give the gain in % of RMSE that would matter, "
                             "above 0 and below 100, for example 2")
    return float(given)


def _linearity(task: Task, models: Mapping[str, Forecaster]) -> dict[str, Any] | None:
    """Test on all rows whether a VAR misses something nonlinear; None where the verdict has no use for it.

    The forecasts stay free of look-ahead: this compares models, for which the whole sample has the most
    power (Diebold 2015, JBES 33).
    """
    series, rows = task.series, len(task.series)
    if not {"VAR", "ShrunkVAR"} & set(models) or "TanhRNN" not in models or series.k > MOST_TESTED:
        return None
    judged = [series.names.index(name) for name in task.names]
    exog = None if task.exog is None else task.exog.values
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VarnnWarning)  # each fit of the comparison says these itself
            fit = VAR().fit(series, task.exog, missing=task.missing)
        lags = lags_for_test(series.k, fit.k_ar)  # type: ignore[attr-defined]
        if rows * (3 * lags * series.k) ** 2 > MOST_WORK:
            return None
        found = system_linearity(series.values, lags, "c", exog, draws=TESTED_DRAWS, judged=judged, rng=task.seed)
    except InputError:
        return None
    return {"pvalue": found.pvalue, "lags": found.lags, "n": found.n, "detectable": found.detectable}


def _unmoved(task: Task) -> dict[str, list[int]]:
    """Return the exogenous columns that some training windows had to do without: in how many, of how many."""
    if task.exog is None:
        return {}
    fitted = [origin for origin in task.windows.over(len(task.series)) if origin.refit]
    kept = [set(task.inputs.determined(origin.start, origin.stop)) for origin in fitted]
    return {name: [absent, len(fitted)] for column, name in enumerate(task.exog.names)
            if (absent := sum(column not in some for some in kept))}


def facts(task: Task, models: Mapping[str, Forecaster], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report says of a run besides its numbers, all of it JSON-able."""
    series, windows = task.series, task.windows
    described = {"title": "Comparison", "units": "", "source": "", "licence": "", "citation": "", "transform": "none",
                 "command": "varnn.compare(…)"}
    inputs = [name for name in series.names if name not in task.names]
    gaps = int(np.isnan(series.values).sum())
    return described | dict(about) | {
        "names": list(task.names), **({"inputs": inputs} if inputs else {}), **({"gaps": gaps} if gaps else {}),
        "unmoved": _unmoved(task), "still": [
            series.names[column] for column in without_innovation(series.values, names=series.names)],
        "exog": [] if task.exog is None else list(task.exog.names),
        "rows": len(series), "first_date": str(series.index[0]), "last_date": str(series.index[-1]),
        "frequency": str(getattr(series.index, "freqstr", None) or "steps"), "season": task.season,
        "horizon": windows.horizon, "seed": task.seed, "n_paths": task.n_paths,
        "windows": {"first": windows.first, "step": windows.step, "gap": windows.gap, "refit": windows.refit,
                    "size": windows.size, "origins": windows.count(len(series)),
                    "scheme": "expanding" if windows.size is None else "sliding"},
        "models": {label: repr(model) for label, model in models.items()},
        "linearity": _linearity(task, models), "fingerprint": fingerprint(series, task.exog),
        "versions": {"python": platform.python_version()} | {
            name: importlib.metadata.version(name) for name in VERSIONED}}
