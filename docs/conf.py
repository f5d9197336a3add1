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

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser", "mathml"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

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
