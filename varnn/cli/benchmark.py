"""The command line of the benchmark harness: run, resume, report, list, verify, publish.

Mounted by `cli` as ``varnn benchmark``; errors are shown there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from varnn.cli.arguments import Json
from varnn.cli.console import Talk, resumable, say, show_json

if TYPE_CHECKING:
    from varnn.harness.run import Progress, Summary

SUITES = Path("benchmarks") / "suites"

app = typer.Typer(no_args_is_help=True, help="Run frozen suites that others can repeat: resume, report, verify.")

Out = Annotated[Path, typer.Option(help="Folder of the run: results, report and failures.")]
Workers = Annotated[int, typer.Option(help="Worker processes.")]
Executor = Annotated[str, typer.Option(help="Who does the jobs: inline (this process, which a job that crashes takes "
                                            "along) or processes, where such a job costs only itself.")]
Dask = Annotated[str | None, typer.Option(help="Let dask do them: local, or a scheduler's address such as "
                                               "tcp://10.0.0.5:8786.", show_default=False)]


@app.command("run", epilog="[cyan]$ varnn benchmark run smoke --out out/smoke[/cyan]")
def run_suite(suite: Annotated[str, typer.Argument(help="A suite file, or the name of one (varnn benchmark list).",
                                                   show_default=False)],
              out: Out = Path("out/benchmark"), executor: Executor = "inline", workers: Workers = 2,
              dask: Dask = None,
              p_values: Annotated[str | None, typer.Option(help="bootstrap adds p-values from comparisons on series "
                                                           "drawn from the VAR (p_values and draws of a suite).",
                                                           show_default=False)] = None,
              draws: Annotated[int | None, typer.Option(help="Series drawn for them; 99 when left out.",
                                                        show_default=False)] = None) -> None:
    """Run a suite; stop it at any moment and resume."""
    from varnn.harness.run import run
    from varnn.harness.suite import Suite

    file = Suite.find(suite, SUITES)
    text = "".join(f"{name} = {value!r}\n" for name, value in (("p_values", p_values), ("draws", draws))
                   if value is not None) + file.read_text(encoding="utf-8")
    Suite.parse(text, str(file)).forecasters()
    with resumable(f"varnn benchmark resume --out {out}"), _progress() as progress:
        summary = run(text, out, executor=_executor(executor, dask), workers=workers,
                      progress=progress)
    _finish(summary, out)


@app.command("resume", epilog="[cyan]$ varnn benchmark resume --out out/smoke[/cyan]")
def resume_run(out: Out = Path("out/benchmark"), executor: Executor = "inline", workers: Workers = 2,
               dask: Dask = None) -> None:
    """Go on with a run that was stopped, and try again what failed."""
    from varnn.harness.run import resume

    with resumable(f"varnn benchmark resume --out {out}"), _progress() as progress:
        summary = resume(out, executor=_executor(executor, dask), workers=workers, progress=progress)
    _finish(summary, out)


@app.command("report", epilog="[cyan]$ varnn benchmark report --out out/smoke[/cyan]")
def write_report(out: Out = Path("out/benchmark")) -> None:
    """Write the site (index.html) and board.csv of what is done; the same bytes each time."""
    from varnn.harness.run import report

    typer.echo(f"The report is {report(out)}")


@app.command("list", epilog="[cyan]$ varnn benchmark list[/cyan]")
def list_suites(folder: Annotated[Path, typer.Option(help="Where suites of your own are.")] = SUITES,
                as_json: Json = False) -> None:
    """List the suites of varnn, of other packages and of a folder."""
    from varnn.errors import StoreError
    from varnn.harness.suite import Suite, suites

    found = suites(folder)
    if folder != SUITES and not any(file.parent == folder for file in found.values()):
        raise StoreError(f"{folder} holds no suite; give the folder of the .toml files with --folder")
    files = [file for file in found.values() if folder == SUITES or file.parent == folder]
    if as_json:
        show_json([{"name": file.stem, "file": str(file), **Suite.read(file).model_dump(include={"title", "question"})}
                   for file in files])
        return
    for file in files:
        suite = Suite.read(file)
        typer.echo(f"{file}: {suite.title} ({len(suite.data)} data sets × {len(suite.models)} models × "
                   f"{len(suite.seeds)} seeds)")


@app.command("verify", epilog="[cyan]$ varnn benchmark verify benchmarks/results/macro --sample 1[/cyan]")
def verify_result(results: Annotated[Path, typer.Argument(help="A committed result.", show_default=False)],
                  out: Annotated[Path | None, typer.Option(help="Folder of the run; out/verify/NAME when left out.",
                                                           show_default=False)] = None,
                  executor: Executor = "inline", workers: Workers = 2, dask: Dask = None,
                  sample: Annotated[int | None, typer.Option(help="Only the first so many data sets.",
                                                             show_default=False)] = None,
                  rtol: Annotated[float, typer.Option(help="Largest relative difference that counts as equal.")] = 1e-6,
                  ) -> None:
    """Run a committed result again and compare every number; exit code 1 if any differs."""
    from varnn.harness.code import differences
    from varnn.harness.run import code_now, code_then, verify

    out = Path("out/verify") / results.resolve().name if out is None else out
    with _progress() as progress:
        wrong = verify(results, out, rtol=rtol, sample=sample, executor=_executor(executor, dask), workers=workers,
                       progress=progress)
    if wrong.empty:
        typer.echo(f"Every number of {results} was found again.")
        return
    typer.echo(wrong.to_string(index=False))
    typer.echo(f"{len(wrong)} numbers of {results} differ.", err=True)
    made = code_then(results)
    if not made:
        typer.echo("Which code made them is not recorded.", err=True)
    elif changed := differences(made, code_now(results)):
        typer.echo("Other code made them, which may be why: " + "; ".join(changed) + ".", err=True)
    else:
        typer.echo("The same code made them, so the machine or the data differ.", err=True)
    raise typer.Exit(1)


@app.command("publish", epilog="[cyan]$ varnn benchmark publish --out out/smoke --to smoke.zip[/cyan]")
def publish_result(out: Out = Path("out/benchmark"),
                   to: Annotated[Path | None, typer.Option(help="The zip file; NAME.zip beside the folder when left "
                                                           "out.", show_default=False)] = None) -> None:
    """Pack a finished run for others: suite, board, tests and code, with a manifest of checksums and how to cite it."""
    from varnn.harness.publish import publish

    packed = publish(out, to)
    typer.echo(f"{packed.path} holds {len(packed.files)} files, as its manifest.json lists them.")
    say("Cite this result as:", error=False)
    typer.echo(packed.citation)


def _executor(executor: str, dask: str | None) -> str:
    return executor if dask is None else "dask" if dask == "local" else dask


def _finish(summary: Summary, out: Path) -> None:
    typer.echo(f"{summary.done} jobs done, {summary.reused} found finished, {summary.damaged} damaged lines, "
               f"{len(summary.failed)} failed, in {summary.seconds:.1f} s (of that {summary.bookkeeping:.2f} s "
               "for keeping results).")
    if summary.failed:
        for job, reason in list(summary.failed.items())[:10]:
            typer.echo(f"failed: {job.label} on {job.item}: {reason}", err=True)
        typer.echo(f"All failures are in {out / 'failures.csv'}; resume tries them again.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Next: varnn benchmark report --out {out}")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show a bar on standard error where there is a terminal, and a line now and then where there is none."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(TextColumn("jobs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
             disable=not console.is_terminal) as bar:
        task = bar.add_task("jobs", total=None)
        talk = Talk(console)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            talk.heard("jobs", done, total)

        with talk:
            yield advance
