"""The command line: compare, forecast, climb, simulate, demo, data, models, report, verify, benchmark.

Every error of varnn is one red line on standard error and exit code 2; results go to standard output,
progress to standard error. Nothing heavy is imported until a command runs.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from varnn import __version__
from varnn.cli import benchmark as cli_benchmark
from varnn.cli.arguments import (
    Calendar,
    Columns,
    Data,
    Date,
    Exog,
    Horizon,
    Id,
    Json,
    Lags,
    Missing,
    Nonnegative,
    Option,
    Out,
    Past,
    Season,
    Seasonal,
    Seed,
    Start,
    Target,
    Transform,
    Trend,
    Trust,
    Width,
    model_names,
)
from varnn.cli.console import Commands, examples, progress, say, show_json, show_table
from varnn.errors import InputError, ParameterError, StoreError, VarnnWarning
from varnn.writing import csv_text, write_table

if TYPE_CHECKING:
    import pandas as pd

    from varnn.cli.panel import Members
    from varnn.cli.settings import Settings
    from varnn.cli.source import Source
    from varnn.comparison.compare import Comparison
    from varnn.forecast import Forecast
    from varnn.forecaster import Forecaster

CLOSING = ("\n\n[bold]Completion[/bold] of names in your shell: [cyan]varnn --install-completion[/cyan]"
           "\n\n[bold]Exit codes[/bold]\n\n0 done   1 a job failed or a number differs   2 the input or a "
           "call is wrong   3 a fault of varnn   130 Ctrl-C   143 SIGTERM")
AUTO = ("VAR", "LinearRNN", "TanhRNN")  # the rungs that --model auto chooses from

app = typer.Typer(
    cls=Commands, name="varnn", no_args_is_help=True, add_completion=True, rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Compare classical and neural forecasts of the same series on equal terms: VAR, linear RNN and tanh RNN, "
         "each containing the one before it.",
    epilog=examples("varnn demo", "varnn compare macrodata --horizon 8 --out out/",
                     "varnn compare mydata.csv --horizon 8 --transform logdiff --out out/",
                     "varnn forecast mydata.csv --horizon 8 --out forecasts.csv") + CLOSING)
data_app = typer.Typer(no_args_is_help=True, help="List, fetch and describe the data sets that can be named.",
                       epilog=examples("varnn data list", "varnn data show macrodata", "varnn data fetch etth1"))
app.add_typer(data_app, name="data")
app.add_typer(cli_benchmark.app, name="benchmark")

def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"varnn {__version__}")
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                               help="Show the version and stop.")] = False,
         debug: Annotated[bool, typer.Option("--debug", help="Show where in the code an error arose; also after a "
                                             "command.")] = False) -> None:
    """Take the options that stand before a command."""


@app.command(epilog=examples(
    "varnn compare macrodata --horizon 8 --out out/",
    "varnn compare mydata.csv --horizon 8 --date quarter --columns gdp,cons --transform logdiff",
    "varnn compare mydata.csv --horizon 4 --exog oil --models Naive,VAR,TanhRNN --origins 40",
    "varnn compare mydata.csv --target temp --past oil --missing filter --start 1990-01"))
def compare(
    data: Data, horizon: Horizon = 8, out: Out = Path("out"), date: Date = None, columns: Columns = None,
    exog: Exog = None, past: Past = None, target: Target = None, trust: Trust = None,
    missing: Missing = "raise", start: Start = None, transform: Transform = "none", nonnegative: Nonnegative = False,
    season: Season = None, seasonal: Seasonal = "none", calendar: Calendar = None, by: Id = None,
    models: Annotated[str | None, typer.Option(help="Models, as a,b ([cyan]varnn models[/cyan]); the naive rows and "
                                               "the three rungs when left out.", autocompletion=model_names,
                                               show_default=False)] = None,
    origins: Annotated[int | None, typer.Option(help="Number of forecast origins; the last 30 % of the rows, at most "
                                                "120, when left out.", show_default=False)] = None,
    step: Annotated[int | None, typer.Option(help="Rows from one origin to the next.", show_default=False)] = None,
    gap: Annotated[int, typer.Option(help="Rows withheld between the last one seen and the first judged.")] = 0,
    refit: Annotated[int | None, typer.Option(help="Estimate anew at every n-th origin; 10 times in all (less "
                                              "often over long series) when left out.", show_default=False)] = None,
    scheme: Annotated[Literal["expanding", "sliding"], typer.Option(help="Training window.")] = "expanding",
    window: Annotated[int | None, typer.Option(help="Rows of a sliding window; half of all rows when left out.",
                                               show_default=False)] = None,
    p_values: Annotated[Literal["asymptotic", "bootstrap"], typer.Option(
        help="bootstrap adds p-values from comparisons on series drawn from the VAR, which costs --draws times as "
             "much.")] = "asymptotic",
    draws: Annotated[int, typer.Option(help="Series drawn for bootstrapped p-values.")] = 99,
    worth: Annotated[float, typer.Option(help="Gain in % of RMSE that would matter: the verdict calls a VAR "
                                         "enough only where gains of that size are ruled out.")] = 2.0,
    lags: Lags = None, width: Width = None, trend: Trend = None, option: Option = None, seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare models on rolling forecast origins and write a report."""
    from varnn.cli.settings import settings, specifications
    from varnn.comparison.compare import compare as compare_models

    by = _known_id(data) if by is None else by
    if by is not None:
        from varnn.cli.panel import alone

        alone(past=past, target=target, trust=trust, missing=missing, start=start, **{"p-values": p_values})
        _compare_panel(data, by, date, columns, exog, out, as_json, horizon=horizon,
                       how={"transform": transform, "nonnegative": nonnegative, "season": season, "seasonal": seasonal,
                            "calendar": calendar}, models=models, asked=settings(lags, width, trend, option),
                       options={"origins": origins, "step": step, "gap": gap, "refit": refit, "window": window,
                                "seed": seed})
        return
    source = _source(data, date, columns, exog, transform, season, past=past, start=start,
                     nonnegative=nonnegative)
    source = source.with_calendar(seasonal, [] if calendar is None else _list(calendar), season, horizon)
    asked = settings(lags, width, trend, option)
    if window is not None and scheme == "expanding":
        raise InputError(f"--window {window} belongs to --scheme sliding; add that, or leave the window out")
    size = None if scheme == "expanding" else len(source.y) // 2 if window is None else window
    _writable(out)
    about = source.about | {"command": _command(
        "compare", data, horizon=horizon, date=date, columns=columns, exog=exog, past=past, target=target, trust=trust,
        missing=None if missing == "raise" else missing, start=start,
        transform=None if transform == "none" else transform, nonnegative=nonnegative or None, season=season,
        seasonal=None if seasonal == "none" else seasonal, calendar=calendar, models=models,
        origins=origins, step=step, gap=gap or None, refit=refit,
        scheme=None if scheme == "expanding" else scheme, window=window, lags=lags, width=width, trend=trend,
        option=option, worth=None if worth == 2.0 else worth, seed=seed or None,
        **({} if p_values == "asymptotic" else {"p-values": p_values, "draws": draws}))}
    with progress() as advance, _spoken(source):
        result = compare_models(
            source.y, source.X, horizon=horizon,
            models=specifications(None if models is None else _list(models), asked, source.season_of(season)),
            **_inputs(past, target, trust, source), missing=missing, origins=origins, step=step,
            gap=gap, refit=refit, window=size, season=source.season_of(season), seed=seed,
            p_values=p_values, draws=draws, worth=worth, oracle=source.oracle, about=about, progress=advance)
    page = result.report(out)
    if as_json:
        show_json({"report": str(page), "ledger": str(page.parent / "ledger"), "verdict": result.verdict,
                   "table": result.table.reset_index().to_dict("records")})
        return
    _show_result(result)
    if "bootstrap" in result.ledger.meta:
        _show_bootstrap(result)
    say(f"The report is [bold]{escape(str(page))}[/bold], its numbers are in {escape(str(page.parent / 'ledger'))}.")


@app.command(epilog=examples(
    "varnn forecast macrodata --horizon 8 --out forecasts.csv",
    "varnn forecast mydata.csv --model VAR --horizon 12 --coverage 0.8 --out forecasts.csv",
    "varnn forecast mydata.csv --transform logdiff --changes --out growth.csv",
    "varnn forecast mydata.csv --exog oil --future oil_plan.csv --horizon 4 --out forecasts.csv",
    "varnn forecast shops.csv --id shop --seasonal dummies --nonnegative --horizon 6 --out forecasts.csv"))
def forecast(
    data: Data,
    model: Annotated[str, typer.Option(help="auto, or one of [cyan]varnn models[/cyan]; auto is the rung that "
                                       "forecast the series' last 30 % best.",
                                       autocompletion=model_names)] = "auto",
    horizon: Horizon = 8,
    coverage: Annotated[float, typer.Option(help="Probability that an interval holds the outcome.")] = 0.9,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output when left out.",
                                             show_default=False)] = None,
    date: Date = None, columns: Columns = None, exog: Exog = None, past: Past = None, target: Target = None,
    trust: Trust = None, missing: Missing = "raise", start: Start = None,
    future: Annotated[Path | None, typer.Option(help="File with the exogenous columns for the dates to forecast.",
                                                show_default=False)] = None,
    transform: Transform = "none", nonnegative: Nonnegative = False,
    levels: Annotated[bool, typer.Option("--levels/--changes", help="After a transform, forecast the levels or the "
                                         "changes.")] = True,
    paths: Annotated[int, typer.Option(help="Sample paths behind the intervals.")] = 2000,
    season: Season = None, seasonal: Seasonal = "none", calendar: Calendar = None, by: Id = None,
    sharing: Annotated[Literal["local", "global"], typer.Option(help="With --id: a fit for each series, or one shared "
                                                                "by all.")] = "local",
    lags: Lags = None, width: Width = None, trend: Trend = None, option: Option = None, seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a model on all rows and write dated forecasts with intervals."""
    from varnn.cli.settings import settings

    by = _known_id(data) if by is None else by
    if by is not None:
        from varnn.cli.panel import alone

        alone(past=past, target=target, trust=trust, missing=missing, start=start)
        table, chosen = _forecast_panel(
            data, by, date, columns, exog, model, horizon=horizon, asked=settings(lags, width, trend, option),
            how={"transform": transform, "nonnegative": nonnegative, "season": season, "seasonal": seasonal,
                 "calendar": calendar},
            fit={"sharing": sharing, "future": future, "date": date, "levels": levels, "seed": seed,
                 "options": {"coverage": coverage, "n_paths": paths}})
        _write_forecasts(table, chosen, out, as_json)
        return
    source = _source(data, date, columns, exog, transform, season, past=past, start=start,
                     nonnegative=nonnegative)
    source = source.with_calendar(seasonal, [] if calendar is None else _list(calendar), season, horizon)
    asked = settings(lags, width, trend, option)
    inputs = _inputs(past, target, trust, source)
    _no_folder(out)
    chosen = _model(model, source, horizon, source.season_of(season), seed, asked, missing=missing, **inputs)
    y, X = _within(source, inputs["past"])
    if not chosen.takes_exog:
        X = None
    ahead = None if X is None else _future(future, [str(name) for name in X.columns], date, source)
    with _spoken(source):
        fit = chosen.fit(y, X, missing=missing, rng=seed)
        outlook = _of(fit.forecast(horizon, ahead, coverage=coverage, n_paths=paths, rng=seed), source)
    table = (source.undo(outlook) if levels else outlook).to_frame()
    if inputs["target"]:
        table = table[table["series"].isin(_wanted(inputs["target"], source))]
    _write_forecasts(table, chosen, out, as_json)


@app.command(epilog=examples("varnn demo", "varnn demo --out out/report --workers 4"))
def demo(
    out: Out = Path("out/report"),
    workers: Annotated[int, typer.Option(min=1, help="Processes; the numbers do not depend on it.")] = 2,
    origins: Annotated[int | None, typer.Option(min=1, help="Forecast origins of each data set, for a shorter run.",
                                                show_default=False)] = None,
    seed: Seed = 0,
) -> None:
    """Run the default comparison: six real and four simulated data sets, no network needed."""
    from varnn.cli.demo import JOBS, run

    _writable(out)
    with progress() as advance:
        results = run(out, seed=seed, workers=workers, origins=origins, progress=advance)
    for job, result in zip(JOBS, results, strict=True):
        say(f"[bold]{job.data}[/bold]  {escape(result.verdict[0])}")
    say(f"The report is [bold]{escape(str(out / 'index.html'))}[/bold], its numbers are in "
         f"{escape(str(out / 'ledger'))}.")


@app.command(epilog=examples("varnn climb macrodata", "varnn climb mydata.csv --transform logdiff --json"))
def climb(
    data: Data, date: Date = None, columns: Columns = None, exog: Exog = None, start: Start = None,
    transform: Transform = "none", season: Season = None,
    trend: Annotated[str, typer.Option(metavar="TREND", help="c, n or ct.")] = "c", seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit every rung to all rows and choose one by its evidence, without test data."""
    from typing import cast

    from varnn.comparison.compare import climb as climb_rungs

    source = _source(data, date, columns, exog, transform, season, start=start)
    with _spoken(source):
        found = climb_rungs(source.y, source.X, trend=cast(Any, trend), rng=seed)
    evidence = found.evidence
    if as_json:
        show_json({"chosen": found.chosen, "specification": repr(found.best.spec),
                   "evidence": evidence.reset_index().to_dict("records")})
        return
    rows = [(str(rung), f"{row['log evidence']:.2f}", "" if row.isna().any() else f"{row.iloc[1]:+.2f}")
            for rung, row in evidence.iterrows()]
    show_table(("rung", "log evidence", "over the one below"), rows, numbers=True)
    say(f"The evidence chooses [bold]{found.chosen}[/bold].")
    typer.echo(found.best.summary())


@app.command(epilog=examples("varnn simulate tanh_rnn --rows 400 --out drawn.csv",
                             "varnn simulate var --rows 200 --seed 3"))
def simulate(
    process: Annotated[str, typer.Argument(help="A simulated data set ([cyan]varnn data list --origin "
                                           "simulated[/cyan]).", show_default=False)],
    rows: Annotated[int | None, typer.Option(help="Observations; as many as the data set has when left out.",
                                             show_default=False)] = None,
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A coefficient of the process.",
                                                     show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output when left out.",
                                             show_default=False)] = None,
    seed: Seed = 0,
) -> None:
    """Draw a series from a known process, for trying what a model can find in it."""
    from varnn.cli.settings import value_of
    from varnn.cli.source import known
    from varnn.data import about
    from varnn.data import simulate as draw

    name = known(process)
    if about(name).origin != "simulated":
        raise ParameterError(f"{name} is no process to draw from; `varnn data list --origin simulated` lists those")
    given = dict(_named_value(one) for one in option or ())
    drawn = draw(name, rows, seed, **{key: value_of(text) for key, text in given.items()})
    table = drawn.to_frame() if hasattr(drawn, "to_frame") else _frame_of(drawn.values)
    if out is None:
        typer.echo(csv_text(table), nl=False)
        return
    _writable(out.parent)
    write_table(out, table)
    say(f"{len(table)} rows of {name} are in [bold]{escape(str(out))}[/bold].")


@app.command(epilog=examples("varnn verify out/report", "varnn verify benchmarks/results/smoke"))
def verify(
    folder: Annotated[Path, typer.Argument(help="What --out of compare or demo was, or a committed result of a "
                                           "benchmark.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Check that every number of a report is as it was written; a benchmark's numbers are computed anew."""
    from varnn.cli.demo import read

    if (folder / "suite.toml").is_file():
        cli_benchmark.verify_result(folder)
        return
    results, title = read(folder)
    held = [{"title": str(one.ledger.meta["title"]), "forecasts": len(one.ledger.forecasts)} for one in results]
    if as_json:
        show_json({"folder": str(folder), "title": title, "verified": held})
        return
    say(f"All {len(held)} ledgers of {escape(str(folder))} are as they were written: "
        f"{sum(int(str(one['forecasts'])) for one in held)} forecasts.")


@app.command(epilog=examples("varnn report out/report"))
def report(folder: Annotated[Path, typer.Argument(help="What --out was.", show_default=False)]) -> None:
    """Rebuild a report from its ledger: the same bytes, without fitting anything."""
    from varnn.cli.demo import read, render

    results, title = read(folder)
    page = render(results, folder, title)
    say(f"The report is [bold]{escape(str(page))}[/bold].")


@app.command(epilog=examples("varnn models", "varnn models --json"))
def models(as_json: Json = False) -> None:
    """List the models that --model and --models take."""
    from varnn.cli.settings import described
    from varnn.models import catalogue

    if as_json:
        show_json(described())
        return
    rows = [(name, "" if model.rung is None else str(model.rung), "yes" if model.takes_exog else "no",
             (model.__doc__ or "").strip().splitlines()[0]) for name, model in catalogue().items()]
    show_table(("model", "rung", "exogenous", "what it says"), rows)


@data_app.command("list", epilog=examples("varnn data list", "varnn data list --origin bundled"))
def list_data(
    origin: Annotated[Literal["bundled", "simulated", "remote"] | None, typer.Option(
        help="Only those of one kind.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """List the data sets: where they are, size, season, licence."""
    from varnn.data import catalogue

    table = catalogue()
    table = table if origin is None else table[table["origin"] == origin]
    if as_json:
        show_json(table.rename_axis("name").reset_index().to_dict("records"))
        return
    shown = table[["origin", "found", "rows", "columns", "season", "licence", "title"]].astype(str)
    shown["licence"] = shown["licence"].str.split(r"[;(]", n=1, regex=True).str[0].str.strip()  # `show` has all of it
    show_table(("name", *shown.columns), [(str(name), *row) for name, row in zip(
        shown.index, shown.itertuples(index=False, name=None), strict=True)])


@data_app.command("fetch", epilog=examples("varnn data fetch etth1 etth2", "varnn data fetch --all"))
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help="Remote data sets.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every remote data set.")] = False,
) -> None:
    """Download data sets, or find them in $VARNN_DATA, and verify their checksums."""
    from varnn.cli.source import known
    from varnn.data import catalogue, fetch
    from varnn.errors import ParameterError, VarnnError

    if bool(names) == everything:
        raise ParameterError("name the data sets to fetch, or give --all for every remote one")
    table = catalogue()
    failed = []
    for name in table.index[table["origin"] == "remote"] if everything else [known(one) for one in names or ()]:
        try:
            paths = fetch(str(name))
        except VarnnError as problem:
            if not everything:
                raise
            failed.append(str(name))
            say(f"{name}: {escape(str(problem))}")
            continue
        for path in paths:
            typer.echo(path)
        if not paths:
            say(f"{name} needs no download: it comes with an installed package or is computed.")
    if failed:
        say(f"{len(failed)} of the data sets could not be fetched: {', '.join(failed)}")
        raise typer.Exit(1)


@data_app.command("show", epilog=examples("varnn data show macrodata"))
def show_data(name: Annotated[str, typer.Argument(help="Any data set.", show_default=False)]) -> None:
    """Show what a data set is: size, treatment, licence, citation, first rows."""
    from varnn.cli.source import known
    from varnn.data import about, load

    name = known(name)
    typer.echo(about(name).describe())
    data = load(name)
    typer.echo(f"\n{data.frame.head().to_string(max_cols=8)}")


def _no_folder(out: Path | None) -> None:
    if out is None:
        return
    _writable(out.parent)
    if out.is_dir():
        raise StoreError(f"{out} is a folder; name a CSV file in it, for example {out / 'forecasts.csv'}")


def _write_forecasts(table: pd.DataFrame, chosen: Forecaster, out: Path | None, as_json: bool) -> None:
    """Write forecasts to their file, or show them."""
    if out is not None:
        _no_folder(out)
        write_table(out, table)
    if as_json:
        show_json({"model": chosen.label, "specification": repr(chosen), "forecasts": table.to_dict("records"),
                   "out": None if out is None else str(out)})
        return
    if out is None:
        typer.echo(csv_text(table), nl=False)
        return
    names = list(dict.fromkeys(table.iloc[:, 0] if "date" in table.columns[1:2] else table["series"]))
    listed = ", ".join(map(str, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    say(f"{table['step'].max()} steps of {escape(listed)} by {escape(chosen.label)} are in "
        f"[bold]{escape(str(out))}[/bold].")


def _known_id(data: str) -> str | None:
    """Return "auto" for a text file whose first line has the names of a long frame, and say so."""
    from varnn.data.read.long import CONVENTIONS

    path = Path(data)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.readline(4096).decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    names = {cell.strip().strip('"') for cell in re.split(r"[,;\t|]", head)}
    for of_series, of_dates, _ in CONVENTIONS:
        if {of_series, of_dates} <= names:
            _tell((f"the columns {of_series} and {of_dates} tell that many series stand one below the other "
                   f"(--id {of_series})",))
            return "auto"
    return None


def _members(data: str, by: str, date: str | None, columns: str | None, exog: str | None, horizon: int,
             how: dict[str, Any]) -> Members:
    """Read the series of a file that stand one below the other."""
    from varnn.cli.panel import members

    parts = [] if how["calendar"] is None else _list(how["calendar"])
    found = members(data, None if by == "auto" else by, date=date, columns=None if columns is None else _list(columns),
                    exog=None if exog is None else _list(exog), how={**how, "calendar": parts, "ahead": horizon})
    _tell(found.notes)
    return found


def _compare_panel(data: str, by: str, date: str | None, columns: str | None, exog: str | None, out: Path,
                   as_json: bool, *, horizon: int, how: dict[str, Any], models: str | None, asked: Settings,
                   options: dict[str, Any]) -> None:
    """Compare models on every series of a file and over all of them."""
    from varnn.cli.panel import compared
    from varnn.cli.settings import specifications

    found = _members(data, by, date, columns, exog, horizon, how)
    _writable(out)
    first = next(iter(found.sources.values()))
    chosen = specifications(None if models is None else _list(models), asked, how["season"])
    with progress() as advance, _spoken(first):
        result = compared(found, horizon=horizon, progress=advance, about=first.about, models=chosen,
                          season=how["season"], **options)
    page = result.report(out)
    if as_json:
        show_json({"report": str(page), "verdict": result.verdict,
                   "table": result.table.reset_index().to_dict("records"),
                   "members": result.by_member.reset_index().to_dict("records")})
        return
    for sentence in result.verdict:
        say(f"• {escape(sentence)}")
    rows = [(str(model), *(f"{row[name]:.3g}" for name in ("gain", "gain_lower", "gain_upper", "rmsse", "better",
                                                           "members"))) for model, row in result.table.iterrows()]
    show_table(("model", "gain, %", "from", "to", "RMSSE", "better in", "series"), rows, numbers=True)
    say(f"The report is [bold]{escape(str(page))}[/bold].")


def _forecast_panel(data: str, by: str, date: str | None, columns: str | None, exog: str | None, model: str, *,
                    horizon: int, asked: Settings, how: dict[str, Any], fit: dict[str, Any]
                    ) -> tuple[pd.DataFrame, Forecaster]:
    """Fit a model to every series of a file, or one to all, and return their forecasts."""
    from varnn.cli.panel import best, compared, forecasts
    from varnn.cli.settings import specifications

    found = _members(data, by, date, columns, exog, horizon, how)
    first = next(iter(found.sources.values()))
    rungs: dict[str, Forecaster] = specifications(list(AUTO) if model == "auto" else [model], asked,
                                                  first.season_of(how["season"]), always=True)
    with _spoken(first):
        name = next(iter(rungs))
        if model == "auto":
            with progress() as advance:
                tried = compared(found, horizon=horizon, progress=advance, about={}, models=rungs,
                                 season=how["season"], seed=fit["seed"])
            name, said = best(tried)
            say(f"auto chose {name}: mean RMSSE over the series was {said}.", error=True)
        return forecasts(found, rungs[name], horizon=horizon, **fit), rungs[name]


def _source(data: str, date: str | None, columns: str | None, exog: str | None, transform: str,
            season: int | None = None, *, past: str | None = None, start: str | None = None,
            nonnegative: bool = False) -> Source:
    """Read the data; inputs of the past stand beside the exogenous columns, untransformed."""
    from varnn.cli.source import find

    beside = [name for given in (exog, past) if given is not None for name in _list(given)]
    twice = [name for name in beside if beside.count(name) > 1]
    if twice:
        raise InputError(f"column {twice[0]!r} is in --exog and in --past; leave it in one of them")
    source = find(data, date=date, columns=None if columns is None else _list(columns), exog=beside or None,
                  transform=transform, season=season, nonnegative=nonnegative)
    _tell(source.notes)
    return source if start is None else _since(source, start)


def _tell(notes: tuple[str, ...]) -> None:
    """Say on standard error what was left out of a file."""
    for note in notes:
        say(f"[bold]note:[/bold] {escape(note)}", error=True)


def _since(source: Source, start: str) -> Source:
    """Leave out the rows before a date, or before a row number where there are no dates."""
    import pandas as pd

    index = source.y.index
    try:
        if isinstance(index, pd.PeriodIndex):
            first: Any = pd.Period(start, freq=index.freqstr)
        elif isinstance(index, pd.DatetimeIndex):
            first = pd.Timestamp(start)
            first = first.tz_localize(index.tz) if index.tz is not None and first.tz is None else first
        else:
            first = int(start)
        rows = int(index.searchsorted(first))
    except (ValueError, TypeError):
        kind = "row number" if isinstance(index, pd.RangeIndex) else "date"
        raise ParameterError(f"--start {start} is no {kind} of this file, which runs from {index[0]} to {index[-1]}; "
                             "write it the same way") from None
    if rows >= len(index) or first < index[0]:
        raise ParameterError(f"--start {start} lies outside the rows, which run from {index[0]} to {index[-1]}")
    oracle = source.oracle
    return replace(source, y=source.y.iloc[rows:], X=None if source.X is None else source.X.iloc[rows:],
                   oracle=None if oracle is None else lambda seen, horizon: oracle(seen + rows, horizon))


def _inputs(past: str | None, target: str | None, trust: str | None, source: Source) -> dict[str, Any]:
    """Return what `varnn.compare` calls these options; the calendar is known in advance."""
    dated = [] if source.calendar is None else [str(name) for name in source.calendar.columns]
    return {"past": None if past is None else _list(past), "target": None if target is None else _list(target),
            "trust": [*([] if trust is None else _list(trust)), *dated]}


def _within(source: Source, past: list[str] | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the series with the inputs of the past among them, and the exogenous columns that are left."""
    if not past or source.X is None:
        return source.y, source.X
    rest = [str(name) for name in source.X.columns if name not in past]
    return source.y.join(source.X[past]), source.X[rest] if rest else None


def _of(outlook: Forecast, source: Source) -> Forecast:
    """Return the forecast without the inputs that were forecast within."""
    k = source.y.shape[1]
    if len(outlook.names) == k:
        return outlook
    history = None if outlook.history is None else outlook.history.iloc[:, :k]
    return replace(outlook, point=outlook.point[:, :k].copy(), paths=outlook.paths[:, :, :k].copy(),
                   names=outlook.names[:k], history=history,
                   spread=None if outlook.spread is None else outlook.spread[:, :k])


def _wanted(target: list[str], source: Source) -> list[str]:
    held = [str(name) for name in source.y.columns]
    for name in target:
        if name not in held:
            raise InputError(f"--target: no series is called {name!r}; there are {', '.join(held)}")
    return target


@contextmanager
def _spoken(source: Source) -> Iterator[None]:
    """Say what varnn warns of in a line each, with the remedy a command line has; other warnings stay as they are."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    names = [str(name) for name in source.y.columns]
    said = []
    for one in caught:
        if issubclass(one.category, VarnnWarning):
            text = str(one.message)
            rest = ",".join(name for name in names if repr(name) not in text.split(":", maxsplit=1)[0])
            if rest:
                text = re.sub(r"leave (it|them) out of y", rf"leave \1 out: --columns {rest}", text)
            said.append(text.replace("leave it out of y", "it cannot be forecast"))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno, source=one.source)
    for text in dict.fromkeys(said):
        say(f"[yellow]note:[/yellow] {escape(text)}", error=True)


def _model(name: str, source: Source, horizon: int, season: int | None, seed: int, asked: Settings,
           **options: Any) -> Forecaster:
    """Return the named model, or the rung that forecast the end of the series best."""
    from varnn.cli.settings import specifications

    if name != "auto":
        made: dict[str, Forecaster] = specifications([name], asked, season, always=True)
        return made.popitem()[1]
    from varnn.comparison.compare import compare as compare_models

    rungs: dict[str, Forecaster] = specifications(list(AUTO), asked, season, always=True)
    with progress() as advance, _spoken(source):
        tried = compare_models(source.y, source.X, horizon=horizon, models=rungs, season=season, seed=seed,
                               progress=advance, **options)
    errors = tried.table["rmsse"].dropna()
    if errors.empty:
        raise InputError(f"none of {', '.join(AUTO)} could forecast this series: {tried.ledger.fits['stop'].iloc[0]}")
    best = str(errors.idxmin())
    said = ", ".join(f"{model} {error:.3f}" for model, error in errors.items())
    say(f"auto chose {best}: RMSSE over rolling origins was {said}.", error=True)
    return rungs[best]


def _future(path: Path | None, names: list[str], date: str | None, source: Source) -> pd.DataFrame:
    """Return the inputs at the dates to forecast; a file of few rows has the frequency of the main one."""
    from varnn.data import read

    made = source.calendar
    names = [name for name in names if made is None or name not in made.columns]
    if made is not None and not names:
        return made
    if path is None:
        raise InputError(f"the model uses {', '.join(names)}; give their values at the dates to forecast with --future")
    found = read(path, date=date, columns=names, like=source.y.index)
    _tell(found.notes)
    return found.y if made is None else found.y.join(made)


def _named_value(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise ParameterError(f"--option {text}: write NAME=VALUE")
    return name.strip(), value.strip()


def _frame_of(values: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values, columns=[f"y{column + 1}" for column in range(values.shape[1])])


def _list(text: str) -> list[str]:
    """Return the parts of a,b,"c,d" without the blanks around them.

    Examples
    --------
    >>> _list('gdp, cons,"a,b"')
    ['gdp', 'cons', 'a,b']
    """
    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    if not parts or not all(parts):
        raise ParameterError(f"{text!r} has an empty name in it; give names as a,b")
    return parts


def _command(verb: str, data: str, **options: object) -> str:
    """Return the command line that repeats this run."""
    import shlex

    given = [part for name, value in options.items() if value is not None
             for one in (value if isinstance(value, list) else [value])
             for part in ([f"--{name}"] if one is True else [f"--{name}", str(one)])]
    return shlex.join(["varnn", verb, data, *given])


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(f"{folder} cannot be made ({problem.strerror}); give another --out") from None


def _show_result(result: Comparison) -> None:
    from varnn.report import tables

    for sentence in result.verdict:
        say(f"• {escape(sentence)}")
    rows = [_row(str(model), line) for model, line in tables.lines(result.table).items()]
    show_table(("model", "gain, %", "95 % interval", "RMSSE", "MASE", "DM p", "CW p", "90 % held", "time"), rows,
               numbers=True)


def _row(model: str, line: dict[str, float]) -> tuple[str, ...]:
    """Return one model's numbers, written as in the report."""
    from varnn.report import tables

    known, held = line["skill_lower"] == line["skill_lower"], tables.percent(line["coverage_90"])
    interval = f"{tables.signed(line['skill_lower'])} to {tables.signed(line['skill_upper'])}" if known else ""
    return (model, tables.signed(line["skill"]), interval, tables.number(line["rmsse"]), tables.number(line["mase"]),
            tables.probability(line["dm_p"]), tables.probability(line["cw_p"]),
            held if held == tables.NOTHING else f"{held} %", tables.duration(line["seconds"]))


def _show_bootstrap(result: Comparison) -> None:
    from varnn.report import tables

    horizons = result.by_horizon
    steps = sorted(horizons["step"].unique())
    rows = [(model, *(cell.text for cell in cells)) for model, _, cells in tables.bootstrap_table(
        result, result.ledger.models, steps)]
    say(f"p-values bootstrapped under the VAR, one-sided, from {result.ledger.meta['bootstrap']['draws']} series drawn "
        "from it; in brackets Diebold–Mariano, two-sided")
    show_table(("model", *(f"h = {step}" for step in steps)), rows, numbers=True)
