"""What every `.plot()` returns: the axes of one picture, in one style, with the words that say what is on it.

Pictures are matplotlib's, made without pyplot, so that no global state is touched; a notebook shows them by themselves.
They are told apart without colour: by greys, dashes, markers and hatches.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from varnn.display import short_date

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Chinese characters in whichever of these is installed; without one they are drawn as boxes.
FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
         "Source Han Sans SC", "Droid Sans Fallback", "PingFang SC", "Microsoft YaHei", "SimHei")
INK, MUTED = "#1f2328", "#59636e"
STYLE: dict[str, Any] = {
    "font.size": 9.0, "axes.titlesize": 9.0, "axes.labelsize": 9.0, "xtick.labelsize": 8.0, "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0, "legend.frameon": False, "figure.titlesize": 10.0, "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "text.usetex": False,
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white"}
DOTS = 100          # an inch, in a notebook
LETTER = 0.085      # inches that a letter of a tick label takes, with some air


class Picture(np.ndarray[Any, np.dtype[np.object_]]):
    """The matplotlib axes of one picture, an array that a notebook shows as the picture.

    Single pictures are ``axes[0]``, or ``axes[i, j]`` where they form a grid.

    Attributes
    ----------
    figure : matplotlib Figure
        All of it: ``axes.figure.savefig("fan.png")``.
    alt : str
        What is on it, in words, for who cannot see it.

    Examples
    --------
    >>> import varnn
    >>> axes = varnn.VAR(lags=1).fit(varnn.data.load("macrodata").frame).forecast(4).plot()
    >>> axes.shape, axes[0].get_title(loc="left")
    ((3,), 'realgdp')
    >>> axes.alt
    'Fan chart of realgdp, realcons, realinv: 4 steps from 2009Q4 on, with bands of 50, 80 and 95 %.'
    """

    alt: str

    @classmethod
    def of(cls, axes: object, alt: str) -> Self:
        """Return axes, one or an array of them, as a picture with its words."""
        picture = np.atleast_1d(np.asarray(axes, dtype=object)).view(cls)
        picture.alt = alt
        return picture

    def __array_finalize__(self, other: object) -> None:
        self.alt = getattr(other, "alt", "")

    @property
    def figure(self) -> Figure:
        """The figure that the axes are on."""
        first: Any = self.flat[0]
        return cast("Figure", first.figure)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the picture, and its words where it cannot be seen."""
        drawn = io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=DOTS)
        code = base64.b64encode(drawn.getvalue()).decode("ascii")
        return f'<img alt="{html.escape(self.alt, quote=True)}" src="data:image/png;base64,{code}">'


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our style, whatever the user's settings are; they are as before on leaving."""
    import matplotlib as mpl

    plain: dict[str, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name}
    ours: Any = plain | STYLE | {"font.family": fonts()}
    with mpl.rc_context(ours):
        yield


def fonts() -> list[str]:
    """Return those of `FONTS` that are installed, so that Chinese characters are found where there is a font."""
    from matplotlib.font_manager import fontManager

    known = set(fontManager.get_font_names())
    return [name for name in FONTS if name in known] or ["sans-serif"]


def mark_dates(axes: Axes, dates: Sequence[object] | pd.Index[Any], width: float = 7.0) -> None:
    """Write some dates under the rows 0, 1, … of a picture `width` inches wide, no more than fit side by side."""
    labels = [short_date(date) for date in dates]
    room = max(2, min(6, int(0.85 * width / (LETTER * max(map(len, labels))))))
    ticks = np.unique(np.linspace(0, len(labels) - 1, min(room, len(labels))).astype(int))
    axes.set_xticks(ticks, [labels[tick] for tick in ticks])


def legend_outside(figure: Figure, axes: Axes, columns: int = 6, title: str | None = None) -> None:
    """Put the legend of one of the axes above all of them, where it covers no line."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, title=title, loc="outside upper right", ncols=min(columns, len(labels)))
