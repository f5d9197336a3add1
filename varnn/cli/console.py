"""What commands write to the screen: tables, sentences, progress, and one red line for an error.

Results go to standard output, progress and errors to standard error. Used by the command line only.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from varnn.errors import VarnnError

Report = Callable[[str, int, int], None]
DEBUG = "varnn.debug"  # in click's context: print tracebacks
SILENCE = 30.0  # seconds after which a pipe is told again what runs
WIDE = 200  # columns of a table that goes to a file or a pipe


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM); stops what Ctrl-C stops."""


class Commands(TyperGroup):
    """The group of all commands; turns varnn's errors into one line, and ends when asked to."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take --debug wherever it stands before a lone --."""
        own = args[:args.index("--")] if "--" in args else args
        ctx.meta[DEBUG] = "--debug" in own
        return super().parse_args(ctx, [one for one in own if one != "--debug"] + args[len(own):])

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command.

        Exit code 2 for what a user can mend, 3 for a fault of varnn, 130 after Ctrl-C, 143 after SIGTERM.
        """
        try:
            with _terminable():
                return super().invoke(ctx)
        except KeyboardInterrupt as problem:
            ended = isinstance(problem, Terminated)
            say(f"[bold]stopped[/bold] by {'SIGTERM' if ended else 'Ctrl-C'}; no output file was left half written",
                error=True)
            raise typer.Exit(128 + (signal.SIGTERM if ended else signal.SIGINT)) from None
        except VarnnError as problem:
            _trace(ctx)
            refuse(str(problem))
        except (IsADirectoryError, NotADirectoryError, PermissionError, FileNotFoundError) as problem:
            _trace(ctx)
            refuse(f"{problem.filename}: {problem.strerror}")
        except Exception as problem:
            own = type(problem).__module__.partition(".")[0] in ("click", "typer")  # leave the command line as it says
            if own or isinstance(problem, OSError):
                raise
            _trace(ctx)
            refuse(f"{type(problem).__name__}: {problem} — a fault of varnn, not yours: run it again with --debug and "
                   "report what it prints", code=3)


def _trace(ctx: Any) -> None:
    """Print where in the code the present error arose, where --debug asks for it."""
    if ctx.meta.get(DEBUG):
        Console(stderr=True, highlight=False).print(traceback.format_exc(), markup=False, soft_wrap=True)


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
        talk = Talk(console)

        def report(name: str, done: int, total: int) -> None:
            bars.update(bar, description=escape(name), completed=done, total=total)
            talk.heard(name, done, total)

        with talk:
            yield report


class Talk:
    """Lines for a pipe: one for each part that begins, and one again after every silence of half a minute."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.now = ("", 0, 0)
        self.began = self.last = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._keep_talking, daemon=True)

    def __enter__(self) -> Talk:
        if not self.console.is_terminal:
            self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()

    def heard(self, name: str, done: int, total: int) -> None:
        """Take note of how far it is; say so where another part begins."""
        other = name not in ("", self.now[0])
        self.now = (name or self.now[0], done, total)
        if other and not self.console.is_terminal:
            self._say()

    def _say(self, since: str = "") -> None:
        name, done, total = self.now
        self.last = time.monotonic()
        self.console.print(f"{escape(name or 'starting')} ({done} of {total} done{since})", soft_wrap=True)

    def _keep_talking(self) -> None:
        while not self.over.wait(SILENCE / 10):
            if time.monotonic() - self.last >= SILENCE:
                self._say(f", {time.monotonic() - self.began:.0f} s")


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


def show_json(result: object) -> None:
    """Print a result as JSON on standard output; numbers that are not finite, and missing ones, are null."""
    typer.echo(json.dumps(_plain(result), indent=1, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return a value made of what JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, bool, int)) else str(value)


def refuse(message: str, *, code: int = 2) -> None:
    """Print an error as one red line and stop, with exit code 2 unless another is given."""
    Console(stderr=True, highlight=False).print(f"[bold red]error:[/bold red] [red]{escape(message)}[/red]",
                                                soft_wrap=True)
    raise typer.Exit(code)
