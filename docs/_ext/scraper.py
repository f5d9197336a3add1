"""Pictures of the gallery: those of pyplot, and those that varnn makes without it, with their words."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper

from varnn.picture import STYLE, Picture, fonts


def house_style(gallery_conf: dict[str, Any], file: str) -> None:
    """Let pyplot draw in the style of `.plot()`, from the start of each example on."""
    mpl.rcParams.update(STYLE | {"font.family": fonts(), "figure.figsize": (6.4, 3.8)})


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save a new `Picture` that the example holds in `axes`, besides whatever pyplot has drawn."""
    drawn: str = matplotlib_scraper(block, block_vars, gallery_conf)
    axes = block_vars["example_globals"].get("axes")
    if not isinstance(axes, Picture) or getattr(axes.figure, "_in_gallery", False):
        return drawn
    path = next(block_vars["image_path_iterator"])
    axes.figure.savefig(path, dpi=110)
    axes.figure._in_gallery = True
    return drawn + figure_rst([path], gallery_conf["src_dir"], fig_titles=axes.alt)
