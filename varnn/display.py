"""What a console and a notebook show of an object: one sheet, at most a screen, as text or as HTML.

A `Shown` class says what is on its sheet; both forms are made from it here. HTML is self-contained: no scripts, every
text escaped, black on white.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

LINES, WIDTH = 25, 100    # of a screen
WORD, CELL = 20, 16       # characters of a name and of a cell, at most
HTML_ROWS, HTML_COLUMNS = 12, 8
FACT_LINES = 4            # lines that one fact may take


@dataclass(frozen=True)
class Sheet:
    """A heading, facts as (name, text), tables as (caption, frame), and what to ask next."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[tuple[str, pd.DataFrame], ...] = ()
    next: str = ""

    def text(self) -> str:
        """Return at most 25 lines of at most 100 characters.

        Examples
        --------
        >>> print(Sheet("Forecast", (("series", "gdp"),), (("mean", pd.DataFrame({"gdp": [0.5]})),)).text())
        Forecast
          series  gdp
        mean         gdp
        0            0.5
        """
        wide = max((len(name) for name, _ in self.facts), default=0) + 2
        lines = [_clipped(self.title, WIDTH)]
        for name, said in self.facts:
            indent = " " * (2 + wide)
            wrapped = textwrap.wrap(_one_line(said), WIDTH, initial_indent=f"  {name:<{wide}}",
                                    subsequent_indent=indent, max_lines=FACT_LINES, placeholder=" …")
            lines += wrapped or [f"  {name}"]
        last = [_clipped(self.next, WIDTH)] if self.next else []
        room = LINES - len(lines) - len(last)
        for position, (caption, frame) in enumerate(self.tables):
            lines += _table_text(caption, frame, room // (len(self.tables) - position))
            room = LINES - len(lines) - len(last)
        return "\n".join([*lines[:LINES - len(last)], *last])

    def html(self) -> str:
        """Return a fragment for a notebook."""
        facts = "".join(f'<tr><th scope="row" style="{_LEFT}">{_safe(name)}</th>'
                        f'<td style="{_LEFT}">{_safe(_clipped(said, 400))}</td></tr>' for name, said in self.facts)
        tables = "".join(_table_html(caption, frame) for caption, frame in self.tables)
        more = f'<div style="margin-top:.4em"><code>{_safe(self.next)}</code></div>' if self.next else ""
        head = f'<div style="font-weight:bold">{_safe(self.title)}</div>'
        return (f'<div class="varnn" style="{_BOX}">{head}<table style="{_TABLE}"><tbody>{facts}</tbody></table>'
                f"{tables}{more}</div>")


class Shown:
    """An object that says what is on its sheet."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):  # else a dataclass would write one with every number of every array
            setattr(cls, "__repr__", Shown.__repr__)  # noqa: B010  (a method of that name cannot be assigned to)

    def _sheet(self) -> Sheet:
        """Return a dataclass in brief: what it says in words, small fields as they are, its one table."""
        held = [(item.name, getattr(self, item.name)) for item in fields(cast(Any, self)) if item.repr]
        facts = [(name, brief(value)) for name, value in held if value is not None]
        words = getattr(type(self), "sentence", None)
        if words is not None:
            facts.insert(0, ("in words", words(self)))
        facts = [(name, said) for name, said in facts if said]
        to_frame = getattr(type(self), "to_frame", None)
        frames = [("table", to_frame(self))] if to_frame else [
            (name, value) for name, value in held if isinstance(value, pd.DataFrame)][:1]
        return Sheet(type(self).__name__, tuple(facts), tuple(frames))

    def __repr__(self) -> str:
        return self._sheet().text()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return self._sheet().html()


# --- pieces of facts -------------------------------------------------------------------------------


def listed(names: Sequence[object], most: int = 8) -> str:
    """Return the first names and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(_clipped(_one_line(str(name)), WORD) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def together(words: Sequence[str]) -> str:
    """Return words as a sentence has them.

    Examples
    --------
    >>> together(["50", "80", "95"]), together(["90"])
    ('50, 80 and 95', '90')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def brief(value: object) -> str:
    """Return a field in a few words: the shape of what is large.

    Examples
    --------
    >>> brief(np.zeros((3, 2))), brief(0.25), brief(["a", "b"])
    ('array (3, 2)', '0.25', 'a, b')
    """
    if isinstance(value, Shown):
        return value._sheet().title
    if is_dataclass(value):
        return type(value).__name__
    if isinstance(value, (pd.DataFrame, pd.Series, np.ndarray)):
        shape = ", ".join(f"{size:,}" for size in value.shape)
        return f"{'array' if isinstance(value, np.ndarray) else 'table'} ({shape})"
    if isinstance(value, pd.Index):
        return span(value) if len(value) else "no dates"
    if isinstance(value, (list, tuple)):
        return listed([brief(one) for one in value[:40]])
    if isinstance(value, dict):
        return listed(list(value))
    return number(value) if isinstance(value, (int, float, np.number)) else _clipped(_one_line(str(value)), 200)


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "step"), count(1200, "row")
    ('1 step', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short_date(date: object) -> str:
    """Return a date without the midnight that pandas writes after it."""
    return str(date).removesuffix(" 00:00:00")


def span(index: pd.Index[Any]) -> str:
    """Return the first and the last date."""
    return f"{short_date(index[0])} … {short_date(index[-1])}"


# --- tables ----------------------------------------------------------------------------------------


def _table_text(caption: str, frame: pd.DataFrame, room: int) -> list[str]:
    """Return a table in at most `room` lines, its caption in the corner."""
    if room < 2:
        return []
    kept = len(frame) if len(frame) < room else room - 2
    corner = min(WORD + 4, max([len(caption), *(len(_label(name)) for name in frame.index[:kept])]))
    cells = frame.iloc[:kept, :WIDTH // 6].to_numpy(dtype=object)
    columns: list[list[str]] = []
    for j in range(cells.shape[1]):
        column = [_clipped(one, CELL) for one in (_label(frame.columns[j]), *map(number, cells[:, j]))]
        columns.append([f"  {one:>{max(4, *map(len, column))}}" for one in column])
        if corner + sum(len(one[0]) for one in columns) > WIDTH:
            columns.pop()
            break
    names = [caption, *(_label(name) for name in frame.index[:kept])]
    lines = [_clipped(name, corner).ljust(corner) + "".join(column[i] for column in columns)
             for i, name in enumerate(names)]
    left = _left_out(len(frame) - kept, frame.shape[1] - len(columns))
    return [line.rstrip() for line in lines] + ([left] if left else [])


def _table_html(caption: str, frame: pd.DataFrame) -> str:
    rows, columns = min(len(frame), HTML_ROWS), min(frame.shape[1], HTML_COLUMNS)
    cells = frame.iloc[:rows, :columns].to_numpy(dtype=object)
    head = "".join(f'<th scope="col" style="{_RIGHT};border-bottom:1px solid">{_safe(_clipped(_label(name), 40))}</th>'
                   for name in frame.columns[:columns])
    body = "".join(
        f'<tr><th scope="row" style="{_LEFT};font-weight:normal">'
        f"{_safe(_clipped(_label(frame.index[i]), 40))}</th>"
        + "".join(f'<td style="{_RIGHT}">{_safe(number(cells[i, j]))}</td>' for j in range(columns)) + "</tr>"
        for i in range(rows))
    left = _left_out(len(frame) - rows, frame.shape[1] - columns)
    more = f'<div>{_safe(left)}</div>' if left else ""
    return (f'<table style="{_TABLE};border-top:1px solid;border-bottom:1px solid"><thead><tr>'
            f'<th scope="col" style="{_LEFT};border-bottom:1px solid">{_safe(caption)}</th>'
            f"{head}</tr></thead><tbody>{body}</tbody></table>{more}")


def _left_out(rows: int, columns: int) -> str:
    parts = [count(rows, "more row")] if rows else []
    parts += [count(columns, "more column")] if columns else []
    return f"… {' and '.join(parts)}" if parts else ""


def number(value: object) -> str:
    """Return a cell of a table: four digits of a number, nothing for a missing one.

    Examples
    --------
    >>> number(0.123456), number(7), number(float("nan"))
    ('0.1235', '7', '–')
    """
    if isinstance(value, (bool, np.bool_, str)):
        return _one_line(str(value))
    if isinstance(value, (int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return "–" if np.isnan(value) else f"{value:.4g}"
    return _one_line(str(value))


def _label(name: object) -> str:
    return _one_line(short_date(" ".join(map(str, name)) if isinstance(name, tuple) else name))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[:width - 1]}…"


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


_BOX = "font-family:system-ui,sans-serif;color:#000;background:#fff;padding:.6em .8em;max-width:60em;overflow-x:auto"
_TABLE = "border-collapse:collapse;margin:.4em 0;color:#000;background:#fff"
_LEFT = "text-align:left;padding:.1em 1em .1em 0;vertical-align:top;color:#000;background:#fff"
_RIGHT = ("text-align:right;padding:.1em 0 .1em 1em;font-variant-numeric:tabular-nums;white-space:nowrap;color:#000;"
          "background:#fff")
