"""Pictures of the gallery: pyplot's, and those that varnn makes without it, with words for who cannot see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from varnn.picture import STYLE, Picture, fonts


def house_style(gallery_conf: dict[str, Any], file: str) -> None:
    """Let pyplot draw in the style of `.plot()`, from the start of each example on."""
    mpl.rcParams.update(STYLE | {"font.family": fonts(), "figure.figsize": (6.4, 3.8)})


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save what pyplot has drawn, and a new `Picture` that the example holds in `axes`."""
    shown = []
    for figure, words in drawn(block_vars["example_globals"].get("axes")):
        path = next(block_vars["image_path_iterator"])
        figure.savefig(path, dpi=110)
        shown.append(figure_rst([path], gallery_conf["src_dir"], fig_titles=words))
    plt.close("all")
    return "".join(shown)


def drawn(axes: object) -> Iterator[tuple[Figure, str]]:
    """Yield each new figure with its words."""
    for number in plt.get_fignums():
        yield plt.figure(number), described(plt.figure(number))
    if isinstance(axes, Picture) and not hasattr(axes.figure, "_in_gallery"):
        axes.figure._in_gallery = True
        yield axes.figure, axes.alt


def described(figure: Figure) -> str:
    """Say what is on a figure of pyplot: its titles, what is drawn against what, and the names in its legends."""
    said = []
    for axes in figure.axes:
        up, across, legend = axes.get_ylabel(), axes.get_xlabel(), axes.get_legend()
        against = " against ".join(filter(None, (up, across)))
        names = ", ".join(text.get_text() for text in legend.get_texts()) if legend else ""
        said.append(": ".join(filter(None, (axes.get_title(), against, names))))
    return "; ".join(filter(None, said))
