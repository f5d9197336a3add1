"""The command line: compare, forecast, demo, data, models, report, benchmark.

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
from varnn.cli.console import Commands, examples, progress, say, show_table
from varnn.errors import InputError, ParameterError, StoreError, VarnnWarning
from varnn.writing import csv_text, write_table

if TYPE_CHECKING:
    import pandas as pd

    from varnn.cli.source import Source
    from varnn.comparison.compare import Comparison
    from varnn.forecast import Forecast
    from varnn.forecaster import Forecaster

AUTO = ("VAR", "LinearRNN", "TanhRNN")  # the rungs that --model auto chooses from

app = typer.Typer(
    cls=Commands, name="varnn", no_args_is_help=True, add_completion=False, rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Compare classical and neural forecasts of the same series on equal terms: VAR, linear RNN and tanh RNN, "
         "each containing the one before it.",
    epilog=examples("varnn demo", "varnn compare macrodata --horizon 8 --out out/",
                     "varnn compare mydata.csv --horizon 8 --transform logdiff --out out/",
                     "varnn forecast mydata.csv --horizon 8 --out forecasts.csv"))
data_app = typer.Typer(no_args_is_help=True, help="List, fetch and describe the data sets that can be named.",
                       epilog=examples("varnn data list", "varnn data show macrodata", "varnn data fetch etth1"))
app.add_typer(data_app, name="data")
app.add_typer(cli_benchmark.app, name="benchmark")

Data = Annotated[str, typer.Argument(metavar="DATA", help="A CSV, Excel or Parquet file, or the name of a data set "
                                                          "([cyan]varnn data list[/cyan]).", show_default=False)]
Horizon = Annotated[int, typer.Option(help="Steps ahead.")]
Date = Annotated[str | None, typer.Option(help="The file's date column; found when left out; none "
                                                "numbers the rows.", show_default=False)]
Columns = Annotated[str | None, typer.Option(help="Series to forecast, as a,b; when left out, all numeric "
                                                  "columns that do not only count or date the rows.",
                                             show_default=False)]
Exog = Annotated[str | None, typer.Option(help="Exogenous columns, as a,b.", show_default=False)]
Past = Annotated[str | None, typer.Option(help="Inputs known up to each forecast's origin only, as a,b; they are "
                                          "forecast within and not scored.", show_default=False)]
Target = Annotated[str | None, typer.Option(help="Series to score or to write out, as a,b; the others are inputs. All "
                                            "when left out.", show_default=False)]
Trust = Annotated[str | None, typer.Option(help="Exogenous columns that are really known in advance although they tell "
                                           "what is new in the series, as a,b.", show_default=False)]
Missing = Annotated[Literal["raise", "filter"], typer.Option(
    help="filter lets the models bridge missing values; raise refuses them.")]
Start = Annotated[str | None, typer.Option(help="First date to use (or row number, where there are no dates); earlier "
                                           "rows are left out.", show_default=False)]
Transform = Annotated[Literal["none", "diff", "logdiff"], typer.Option(
    help="Change applied to the series before modelling.")]
Season = Annotated[int | None, typer.Option(help="Observations in a season; from the dates when left out.",
                                            show_default=False)]
Seed = Annotated[int, typer.Option(help="Seed of everything random; the same seed gives the same numbers.")]
Out = Annotated[Path, typer.Option(help="Folder for the report and its tables.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"varnn {__version__}")
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                               help="Show the version and stop.")] = False) -> None:
    """Take the options that stand before a command."""


@app.command(epilog=examples(
    "varnn compare macrodata --horizon 8 --out out/",
    "varnn compare mydata.csv --horizon 8 --date quarter --columns gdp,cons --transform logdiff",
    "varnn compare mydata.csv --horizon 4 --exog oil --models Naive,VAR,TanhRNN --origins 40",
    "varnn compare mydata.csv --target temp --past oil --missing filter --start 1990-01"))
def compare(
    data: Data, horizon: Horizon = 8, out: Out = Path("out"), date: Date = None, columns: Columns = None,
    exog: Exog = None, past: Past = None, target: Target = None, trust: Trust = None,
    missing: Missing = "raise", start: Start = None, transform: Transform = "none", season: Season = None,
    models: Annotated[str | None, typer.Option(help="Models, as a,b ([cyan]varnn models[/cyan]); the naive rows and "
                                               "the three rungs when left out.", show_default=False)] = None,
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
    seed: Seed = 0,
) -> None:
    """Compare models on rolling forecast origins and write a report."""
    from varnn.comparison.compare import compare as compare_models

    source = _source(data, date, columns, exog, transform, past=past, start=start)
    if window is not None and scheme == "expanding":
        raise InputError(f"--window {window} belongs to --scheme sliding; add that, or leave the window out")
    size = None if scheme == "expanding" else len(source.y) // 2 if window is None else window
    _writable(out)
    about = source.about | {"command": _command(
        "compare", data, horizon=horizon, date=date, columns=columns, exog=exog, past=past, target=target, trust=trust,
        missing=None if missing == "raise" else missing, start=start,
        transform=None if transform == "none" else transform, season=season, models=models, origins=origins, step=step,
        gap=gap or None, refit=refit, scheme=None if scheme == "expanding" else scheme, window=window,
        worth=None if worth == 2.0 else worth, seed=seed or None,
        **({} if p_values == "asymptotic" else {"p-values": p_values, "draws": draws}))}
    with progress() as advance, _spoken(source):
        result = compare_models(
            source.y, source.X, horizon=horizon, models=None if models is None else _list(models),
            **_inputs(past, target, trust), missing=missing, origins=origins, step=step,
            gap=gap, refit=refit, window=size, season=source.season if season is None else season, seed=seed,
            p_values=p_values, draws=draws, worth=worth, oracle=source.oracle, about=about, progress=advance)
    page = result.report(out)
    _show_result(result)
    if "bootstrap" in result.ledger.meta:
        _show_bootstrap(result)
    say(f"The report is [bold]{escape(str(page))}[/bold], its numbers are in {escape(str(page.parent / 'ledger'))}.")


@app.command(epilog=examples(
    "varnn forecast macrodata --horizon 8 --out forecasts.csv",
    "varnn forecast mydata.csv --model VAR --horizon 12 --coverage 0.8 --out forecasts.csv",
    "varnn forecast mydata.csv --transform logdiff --changes --out growth.csv",
    "varnn forecast mydata.csv --exog oil --future oil_plan.csv --horizon 4 --out forecasts.csv"))
def forecast(
    data: Data,
    model: Annotated[str, typer.Option(help="auto, or one of [cyan]varnn models[/cyan]; auto is the rung that "
                                       "forecast the series' last 30 % best.")] = "auto",
    horizon: Horizon = 8,
    coverage: Annotated[float, typer.Option(help="Probability that an interval holds the outcome.")] = 0.9,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output when left out.",
                                             show_default=False)] = None,
    date: Date = None, columns: Columns = None, exog: Exog = None, past: Past = None, target: Target = None,
    trust: Trust = None, missing: Missing = "raise", start: Start = None,
    future: Annotated[Path | None, typer.Option(help="File with the exogenous columns for the dates to forecast.",
                                                show_default=False)] = None,
    transform: Transform = "none",
    levels: Annotated[bool, typer.Option("--levels/--changes", help="After a transform, forecast the levels or the "
                                         "changes.")] = True,
    paths: Annotated[int, typer.Option(help="Sample paths behind the intervals.")] = 2000,
    season: Season = None, seed: Seed = 0,
) -> None:
    """Fit a model on all rows and write dated forecasts with intervals."""
    source = _source(data, date, columns, exog, transform, past=past, start=start)
    inputs = _inputs(past, target, trust)
    if out is not None:
        _writable(out.parent)
        if out.is_dir():
            raise StoreError(f"{out} is a folder; name a CSV file in it, for example {out / 'forecasts.csv'}")
    chosen = _model(model, source, horizon, source.season if season is None else season, seed,
                    missing=missing, **inputs)
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
    if out is None:
        typer.echo(csv_text(table), nl=False)
        return
    write_table(out, table)
    say(f"{horizon} steps of {', '.join(outlook.names)} by {chosen.label} are in [bold]{escape(str(out))}[/bold].")


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


@app.command(epilog=examples("varnn report out/report"))
def report(folder: Annotated[Path, typer.Argument(help="What --out was.", show_default=False)]) -> None:
    """Rebuild a report from its ledger: the same bytes, without fitting anything."""
    from varnn.cli.demo import read, render

    results, title = read(folder)
    page = render(results, folder, title)
    say(f"The report is [bold]{escape(str(page))}[/bold].")


@app.command(epilog=examples("varnn models"))
def models() -> None:
    """List the models that --model and --models take."""
    from varnn.models import catalogue

    rows = [(name, "" if model.rung is None else str(model.rung), "yes" if model.takes_exog else "no",
             (model.__doc__ or "").strip().splitlines()[0]) for name, model in catalogue().items()]
    show_table(("model", "rung", "exogenous", "what it says"), rows)


@data_app.command("list", epilog=examples("varnn data list", "varnn data list --origin bundled"))
def list_data(
    origin: Annotated[Literal["bundled", "simulated", "remote"] | None, typer.Option(
        help="Only those of one kind.", show_default=False)] = None,
) -> None:
    """List the data sets: where they are, size, season, licence."""
    from varnn.data import catalogue

    table = catalogue()
    table = table if origin is None else table[table["origin"] == origin]
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


def _source(data: str, date: str | None, columns: str | None, exog: str | None, transform: str, *,
            past: str | None = None, start: str | None = None) -> Source:
    """Read the data; inputs of the past stand beside the exogenous columns, untransformed."""
    from varnn.cli.source import find

    beside = [name for given in (exog, past) if given is not None for name in _list(given)]
    twice = [name for name in beside if beside.count(name) > 1]
    if twice:
        raise InputError(f"column {twice[0]!r} is in --exog and in --past; leave it in one of them")
    source = find(data, date=date, columns=None if columns is None else _list(columns), exog=beside or None,
                  transform=transform)
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


def _inputs(past: str | None, target: str | None, trust: str | None) -> dict[str, Any]:
    """Return what `varnn.compare` calls these options."""
    return {"past": None if past is None else _list(past), "target": None if target is None else _list(target),
            "trust": () if trust is None else _list(trust)}


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


def _model(name: str, source: Source, horizon: int, season: int | None, seed: int, **options: Any) -> Forecaster:
    """Return the named model, or the rung that forecast the end of the series best."""
    from varnn.models import by_name, catalogue

    if name != "auto":
        near = {known.casefold(): known for known in catalogue()}
        model = by_name(near.get(name.casefold(), name))
        return model(season=season) if name.casefold() == "seasonalnaive" else model()  # type: ignore[call-arg]
    from varnn.comparison.compare import compare as compare_models

    with progress() as advance, _spoken(source):
        tried = compare_models(source.y, source.X, horizon=horizon, models=list(AUTO), season=season, seed=seed,
                               progress=advance, **options)
    errors = tried.table["rmsse"].dropna()
    if errors.empty:
        raise InputError(f"none of {', '.join(AUTO)} could forecast this series: {tried.ledger.fits['stop'].iloc[0]}")
    best = str(errors.idxmin())
    said = ", ".join(f"{model} {error:.3f}" for model, error in errors.items())
    say(f"auto chose {best}: RMSSE over rolling origins was {said}.", error=True)
    return by_name(best)()


def _future(path: Path | None, names: list[str], date: str | None, source: Source) -> pd.DataFrame:
    """Return the inputs at the dates to forecast; a file of few rows has the frequency of the main one."""
    from varnn.data import read

    if path is None:
        raise InputError(f"the model uses {', '.join(names)}; give their values at the dates to forecast with --future")
    found = read(path, date=date, columns=names, like=source.y.index)
    _tell(found.notes)
    return found.y


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

    given = [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]
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
