"""What commands write to the screen: tables, sentences, progress, and one red line for an error.

Results go to standard output, progress and errors to standard error. Used by the command line only.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from varnn.errors import VarnnError

Report = Callable[[str, int, int], None]
WIDE = 200  # columns of a table that goes to a file or a pipe


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM); stops what Ctrl-C stops."""


class Commands(TyperGroup):
    """The group of all commands; turns varnn's errors into one line, and ends when asked to."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; exit code 130 after Ctrl-C, 143 after SIGTERM, as shells have it."""
        try:
            with _terminable():
                return super().invoke(ctx)
        except KeyboardInterrupt as problem:
            ended = isinstance(problem, Terminated)
            say(f"[bold]stopped[/bold] by {'SIGTERM' if ended else 'Ctrl-C'}; no output file was left half written",
                error=True)
            raise typer.Exit(128 + (signal.SIGTERM if ended else signal.SIGINT)) from None
        except VarnnError as problem:
            refuse(str(problem))
        except (IsADirectoryError, NotADirectoryError, PermissionError, FileNotFoundError) as problem:
            refuse(f"{problem.filename}: {problem.strerror}")


@contextmanager
def _terminable() -> Iterator[None]:
    """Raise `Terminated` in the main thread when SIGTERM arrives; what handled it before is put back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def resumable(command: str) -> Iterator[None]:
    """Say how to go on when what runs inside is stopped."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"what is finished is kept; go on with: [cyan]{escape(command)}[/cyan]", error=True)
        raise


def examples(*lines: str) -> str:
    """Return an epilog that shows commands, one a line."""
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"[cyan]$ {escape(line)}[/cyan]" for line in lines)


@contextmanager
def progress() -> Iterator[Report]:
    """Show on standard error what runs and how far it is; a line for each part where that is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                  TimeElapsedColumn(), console=console, transient=True) as bars:
        bar = bars.add_task("starting", total=None)
        shown = ""

        def report(name: str, done: int, total: int) -> None:
            nonlocal shown
            bars.update(bar, description=escape(name), completed=done, total=total)
            if not console.is_terminal and name not in ("", shown):
                console.print(f"{escape(name)} ({done} of {total} done)")
            shown = name

        yield report


def show_table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: bool = False) -> None:
    """Print rows of text under titles, wide enough for a file where it is not a terminal.

    With `numbers` every column after the first is set flush right.
    """
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for position, title in enumerate(titles):
        table.add_column(title, no_wrap=position == 0, justify="right" if numbers and position else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    on_screen = Console().is_terminal
    Console(highlight=False, width=None if on_screen else WIDE).print(table)


def say(text: str, *, error: bool = False) -> None:
    """Print a sentence, which may have rich's markup, to standard output or standard error."""
    Console(stderr=error, highlight=False).print(text, soft_wrap=True)


def refuse(message: str) -> None:
    """Print an error as one red line and stop with exit code 2."""
    Console(stderr=True, highlight=False).print(f"[bold red]error:[/bold red] [red]{escape(message)}[/red]",
                                                soft_wrap=True)
    raise typer.Exit(2)
