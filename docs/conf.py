"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import varnn

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "varnn"
author = "The varnn developers"
project_copyright = "2026, The varnn developers"
version = release = varnn.__version__

from scraper import pictures
from sphinx_gallery.sorting import FileNameSortKey

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser", "mathml",
              "sphinx_gallery.gen_gallery"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext", "examples"]
sphinx_gallery_conf = {
    "examples_dirs": "examples", "gallery_dirs": "gallery", "filename_pattern": r"/plot_",
    "image_scrapers": (pictures,), "within_subsection_order": FileNameSortKey, "abort_on_example_error": True,
    "download_all_examples": False, "show_signature": False, "min_reported_time": 1e6, "plot_gallery": "True",
    "capture_repr": ()}
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

suppress_warnings = ["config.cache"]  # of the gallery, whose settings hold a function
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = True

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "varnn"
html_static_path = ["_static"]
html_css_files = ["formula.css"]
html_show_sourcelink = False
html_theme_options = {"show_prev_next": True, "navigation_with_keys": False, "secondary_sidebar_items": ["page-toc"]}
