"""The arguments and options that several commands take, with their help. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def data_names(begun: str) -> list[str]:
    """Complete the name of a data set; files are completed by the shell."""
    from varnn.data import names

    return [name for name in names() if name.startswith(begun.casefold())]


def model_names(begun: str) -> list[str]:
    """Complete the name of a model."""
    from varnn.models import catalogue

    return [name for name in catalogue() if name.casefold().startswith(begun.casefold())]


Data = Annotated[str, typer.Argument(metavar="DATA", autocompletion=data_names, show_default=False,
                                     help="A CSV, Excel or Parquet file, or the name of a data set ([cyan]varnn data "
                                          "list[/cyan]).")]
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
Transform = Annotated[str, typer.Option(
    metavar="HOW", help="Change applied to the series before modelling: none, diff, logdiff, log, diff2, logdiff2, "
    "sdiff, logsdiff, log1p, a FRED code from 1 to 7, steps joined by + (log+sdiff+diff), or one for each column: "
    "gdp=logdiff,rate=none.")]
Nonnegative = Annotated[bool, typer.Option("--nonnegative", help="Let no forecast fall below 0: model ln(1 + y), as "
                                           "for counts.")]
Seasonal = Annotated[Literal["none", "dummies", "fourier"], typer.Option(
    help="Seasonal terms made from the dates, for the models that take exogenous columns; their future is known.")]
Calendar = Annotated[str | None, typer.Option(metavar="PARTS", help="Columns made from the dates, as a,b: weekday, "
                                              "weekend, month, hour, trading_days, month_length.", show_default=False)]
Id = Annotated[str | None, typer.Option("--id", metavar="COLUMN", show_default=False, help=(
    "Column that names the series, where many stand one below the other in the file; Nixtla's unique_id, ds, y and "
    "gluonts' item_id, timestamp, target are found."))]
Lags = Annotated[str | None, typer.Option(metavar="LAGS", help="Lags of every model that has them: a number, or aic, "
                                          "bic, hqic, fpe for a VAR.", show_default=False)]
Width = Annotated[int | None, typer.Option(help="Width of every model that has one.", show_default=False)]
Trend = Annotated[str | None, typer.Option(metavar="TREND", help="Trend of every model that has one: c, n or ct.",
                                           show_default=False)]
Option = Annotated[list[str] | None, typer.Option(
    metavar="NAME=VALUE", help="Another option of the models that have it, or of one: starts=4, TanhRNN.starts=4. "
    "[cyan]varnn models --json[/cyan] lists them.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON, for programs.")]
Season = Annotated[int | None, typer.Option(help="Observations in a season; from the dates when left out.",
                                            show_default=False)]
Seed = Annotated[int, typer.Option(help="Seed of everything random; the same seed gives the same numbers.")]
Out = Annotated[Path, typer.Option(help="Folder for the report and its tables.")]
