"""Pictures of the gallery: those of pyplot, and the Figures that varnn makes without it."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save a new Figure that the example holds in `figure`, besides whatever pyplot has drawn."""
    drawn = matplotlib_scraper(block, block_vars, gallery_conf)
    figure, saved = block_vars["example_globals"].get("figure"), []
    if isinstance(figure, Figure) and not getattr(figure, "_in_gallery", False):
        path = next(block_vars["image_path_iterator"])
        figure.savefig(path, dpi=110)
        figure._in_gallery = True  # type: ignore[attr-defined]
        saved.append(path)
    return drawn + (figure_rst(saved, gallery_conf["src_dir"]) if saved else "")
