"""How the documentation is built: `make docs`."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import varnn

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "_ext")]

project = "varnn"
author = "The varnn developers"
project_copyright = "2026, The varnn developers"
version = release = varnn.__version__

import write_benchmarks
from inventories import inventories
from scraper import house_style, pictures
from sphinx.application import Sphinx
from sphinx_gallery.sorting import FileNameSortKey

MATHJAX = Path(str(files("sphinx-mathjax-offline"))) / "static" / "mathjax" / "tex-svg.js"  # one file, fonts and all

extensions = [
    "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.intersphinx", "sphinx.ext.viewcode",
    "sphinx.ext.mathjax", "numpydoc", "myst_parser", "sphinx_design", "sphinx_copybutton",
    "sphinx_gallery.gen_gallery", "outside"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext", "_templates", "examples"]
templates_path = ["_templates"]
sphinx_gallery_conf = {
    "examples_dirs": "examples", "gallery_dirs": "gallery", "filename_pattern": r"/plot_",
    "image_scrapers": (pictures,), "reset_modules": ("matplotlib", house_style),
    "within_subsection_order": FileNameSortKey,
    "abort_on_example_error": True, "download_all_examples": False, "show_signature": False,
    "min_reported_time": 1e6, "plot_gallery": "True", "capture_repr": (),
    "write_computation_times": False}
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

suppress_warnings = ["config.cache"]  # of the gallery, whose settings hold a function
autosummary_generate = True
default_role = "py:obj"  # of `words` in docstrings: code, and a link where there is a page
autodoc_typehints = "none"
numpydoc_show_class_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = True
intersphinx_mapping = inventories({
    "python": "https://docs.python.org/3/", "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/", "matplotlib": "https://matplotlib.org/stable/",
    "statsmodels": "https://www.statsmodels.org/stable/"}, Path(__file__).parent / "_build" / "inventories")
copybutton_prompt_text = r">>> |\.\.\. |\$ "  # what is copied is what one types
copybutton_prompt_is_regexp = True

CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
TWINS = {  # pages that are there in Chinese too; where two have one twin, it leads back to the last
    **{f"ladder/rung{rung}": "zh/ladder" for rung in range(5)}, "ladder/index": "zh/ladder", "index": "zh/index",
    "tour": "zh/tour", "knob": "zh/knob", "sequence/index": "zh/sequence", "sequence/many_to_one": "zh/many_to_one",
    "sequence/aligned": "zh/aligned", "sequence/memory": "zh/memory"}

html_math_renderer = "mathjax"
mathjax_path = MATHJAX.name
mathjax3_config = {"options": {"enableMenu": False}}
html_theme = "pydata_sphinx_theme"
html_title = "varnn"
html_static_path = ["_static", str(MATHJAX)]
html_css_files = ["varnn.css"]
html_show_sourcelink = False
# A page that is no section has nothing beside it to show, so that the space is its own.
alone = [page.stem for page in Path(__file__).parent.glob("*.md") if "{toctree}" not in page.read_text("utf-8")]
html_sidebars = {page: [] for page in [*alone, "index", "genindex", "py-modindex", "search", "_modules/*"]}
html_theme_options = {
    "show_prev_next": True, "navigation_with_keys": False, "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "navbar_end": ["language", "theme-switcher", "navbar-icon-links"]}


def in_its_language(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Tell a page its language and where it stands in the other one: at its twin, or at the front."""
    chinese = page.startswith("zh/")
    context["language"] = "zh_CN" if chinese else "en"
    there = {ours: theirs for theirs, ours in TWINS.items()} if chinese else TWINS
    context["other_language"] = ("English" if chinese else "中文", there.get(page, "index" if chinese else "zh/index"))


def unbroken(app: Sphinx, page: str, source: list[str]) -> None:
    """Join the lines of a Chinese paragraph, between which a browser would put a blank."""
    if page.startswith("zh/"):
        source[0] = re.sub(rf"(?<={CHINESE})\n(?={CHINESE})", "", source[0])


def setup(app: Sphinx) -> None:
    """Write the pages of the boards from their results before the sources are listed."""
    app.connect("builder-inited", lambda _: write_benchmarks.main())
    app.connect("html-page-context", in_its_language)
    app.connect("source-read", unbroken)
