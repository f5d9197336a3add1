"""One small picture as clean inline SVG: its size, its ink, and the line that belongs to each model.

Used by `figures`. Draws through matplotlib's Figure objects, never through pyplot, and leaves its settings alone.
Colours leave as CSS variables, so that the page decides between light and dark; text leaves as text.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INK, MUTED, RULE, BAND = "#1f2328", "#59636e", "#d8dee4", "#e7ebf0"
COLOURS = {"ink": INK, "muted": MUTED, "rule": RULE, "band": BAND, "slate": "#3d4a5c", "blue": "#2463a6",
           "rust": "#c2440e", "green": "#177245", "plum": "#7b3a94", "ochre": "#9a6a08", "teal": "#0c7489",
           "grey": "#8a929c"}
NAIVE = ("Naive", "SeasonalNaive", "Mean", "Drift")
SHORT = {"Naive": "naive", "SeasonalNaive": "seasonal naive", "Mean": "mean", "Drift": "drift",
         "ShrunkVAR": "shrunken VAR", "LinearRNN": "linear RNN", "TanhRNN": "tanh RNN", "oracle": "best possible"}
HALF, THIRD = (430, 275), (285, 210)
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": ["DejaVu Sans"], "font.size": 11.5,
    "text.color": INK, "axes.grid": False, "path.simplify": True, "path.simplify_threshold": 0.3, "figure.dpi": 72}


@dataclass(frozen=True)
class Style:
    """How one model is drawn everywhere: told apart by colour, and without colour by dashes and marker."""

    name: str
    colour: str
    dashes: tuple[float, ...] = ()
    marker: str = "o"
    weight: float = 1.8

    @property
    def line(self) -> tuple[float, tuple[float, ...]] | str:
        """Matplotlib's line style."""
        return (0.0, self.dashes) if self.dashes else "solid"


KNOWN = {
    "VAR": Style("VAR", "slate", marker="s"),
    "ShrunkVAR": Style("ShrunkVAR", "green", (2, 1), "D"),
    "LinearRNN": Style("LinearRNN", "blue", (6, 2), "o"),
    "TanhRNN": Style("TanhRNN", "rust", (), "^", 2.2),
    "Naive": Style("Naive", "grey", (1, 2), "x", 1.2),
    "SeasonalNaive": Style("SeasonalNaive", "grey", (4, 2, 1, 2), "+", 1.2),
    "Mean": Style("Mean", "grey", (3, 3), "1", 1.2),
    "Drift": Style("Drift", "grey", (1, 1), "2", 1.2),
    "oracle": Style("oracle", "ink", (8, 2, 1, 2), "*", 1.4)}
OTHERS = (("plum", (8, 2, 2, 2), "v"), ("ochre", (5, 1, 1, 1, 1, 1), "P"),
          ("teal", (3, 1), "X"), ("green", (7, 1, 2, 1), "p"))


def styles(models: Sequence[str]) -> dict[str, Style]:
    """Give each model its style; unknown ones take theirs in order of appearance.

    Examples
    --------
    >>> styles(["VAR", "GRU"])["GRU"].colour
    'plum'
    """
    given: dict[str, Style] = {}
    for model in models:
        position = sum(name not in KNOWN for name in given)
        colour, dashes, marker = OTHERS[position % len(OTHERS)]
        given[model] = KNOWN.get(model, Style(model, colour, dashes, marker))
    return given


def short(model: str) -> str:
    """Return the name of a model as pictures and tables show it."""
    return SHORT.get(model, model)


@contextmanager
def drawing(section: str = "") -> Iterator[None]:
    """Draw with varnn's settings and no others, whatever the user's matplotlibrc says; restored on leaving.

    Ids inside the pictures are digests that begin from the name of the section, so that pictures can share a page.
    """
    plain: dict[str, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name}
    with mpl.rc_context(plain | SETTINGS | {"svg.hashsalt": f"varnn {section}"}):  # type: ignore[arg-type]  # the stubs want literal keys
        yield


def panel(size: tuple[int, int] = HALF, *, left: int = 44, right: int = 8, title: str = "", across: str = "",
          up: str = "") -> tuple[Figure, Axes]:
    """Return an empty picture of `size` CSS pixels; what the upright axis measures stands level, above it.

    Parameters
    ----------
    size : (int, int)
        Width and height, pixels.
    left, right : int
        Margins, pixels; those above and below follow from the texts.
    title, across, up : str
        A heading in bold, and the names of the two axes.
    """
    width, height = size
    top, bottom = 10 + 20 * bool(title) + 18 * bool(up), 24 + 18 * bool(across)
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width,
                            (height - top - bottom) / height))
    axes.set_axis_off()
    figure.patch.set_visible(False)
    if title:
        figure.text(2 / width, 1 - 14 / height, title, fontweight="bold", fontsize=12)
    if up:
        figure.text(2 / width, 1 - (14 + 20 * bool(title)) / height, up, color=MUTED)
    if across:
        figure.text((left + (width - left - right) / 2) / width, 6 / height, across, color=MUTED, ha="center")
    return figure, axes


def rule(axes: Axes, across: Sequence[tuple[float, str]] | None, upward: Callable[[float], str] | None) -> None:
    """Draw level grid lines with their numbers and the marks of the horizontal axis, once the limits are set.

    Matplotlib's own axes take four times as long as everything else in a picture, and the report has hundreds.

    Parameters
    ----------
    axes : Axes
    across : sequence of (position, text), optional
        Marks of the horizontal axis; whole numbers when left out.
    upward : callable, optional
        Writes a number of the upright axis; no grid when left out.
    """
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    if upward is not None:
        round_numbers = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        levels = [level for level in round_numbers if low <= level <= high]
        axes.hlines(levels, left, right, color=RULE, linewidth=0.8, zorder=0.6)
        for level in levels:
            axes.annotate(upward(level), (0, level), (-6, 0), ("axes fraction", "data"), "offset points",
                          fontsize=11, color=MUTED, ha="right", va="center_baseline")
    if across is None:
        whole = MaxNLocator(8, integer=True).tick_values(left, right)
        across = [(at, f"{at:g}") for at in whole if left <= at <= right]
    axes.hlines([low], left, right, color=RULE, linewidth=1, zorder=0.6, clip_on=False)
    for at, text in across:
        side = "left" if at == left else "right" if at == right else "center"
        axes.annotate(text, (at, 0), (0, -6), ("data", "axes fraction"), "offset points", fontsize=11, color=MUTED,
                      ha=side, va="top")
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def svg(figure: Figure, label: str) -> str:
    """Return the picture as one `<svg>` element for a page; `label` is what a screen reader says.

    Ids that nothing refers to are dropped. Coordinates keep one decimal, a tenth of a pixel.
    """
    with mpl.rc_context({"svg.hashsalt": f"{mpl.rcParams['svg.hashsalt']} {label}"}):
        buffer = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None,
                                                            "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style type.*?</style>", "", text, flags=re.S)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = re.sub(r"<[^<>]*>", lambda tag: _clean(tag[0], used), text)
    width, height = (round(72 * side) for side in figure.get_size_inches())
    text = re.sub(r"<g\s*/>|<defs>\s*</defs>", "", text)
    text = re.sub(r"<svg[^>]*>", f'<svg viewBox="0 0 {width} {height}" role="img" '
                                 f'aria-label="{html.escape(label)}">', text, count=1)
    return re.sub(r">\s+<", "><", text).strip()


def _clean(tag: str, used: set[str]) -> str:
    """Return one tag with short numbers, CSS colours and only the ids that are needed."""
    tag = re.sub(r' id="([^"]*)"', lambda found: _identity(found[1], used), tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag).replace("xlink:href", "href")
    tag = re.sub(r'(?<= )(d|x|y|width|height|transform|points)="[^"]*"', lambda found: _rounded(found[0]), tag)
    return re.sub(r'style="[^"]*"', lambda found: _coloured(found[0]), tag)


def _identity(identity: str, used: set[str]) -> str:
    if identity.startswith("model:"):
        return f' data-model="{html.escape(identity.split(":")[1])}"'
    return f' id="{identity}"' if identity in used else ""


def _rounded(attribute: str) -> str:
    attribute = re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), attribute)
    return re.sub(r"\s+", " ", attribute).replace(' "', '"')


def _coloured(style: str) -> str:
    for name, code in COLOURS.items():
        style = style.replace(code, f"var(--{name})")
    style = re.sub(r"; ?font-family: [^;\"]*", "", style)
    return style.replace(": ", ":").replace("; ", ";")
