"""No page loads anything from outside: the documentation can be read from a disk, and tells nobody that it is read."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

LOADED = re.compile(r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(?:https?:)?//[^>]*>"
                    r"|<link[^>]*rel=[\"']?(?:stylesheet|preload|icon)[^>]*href=[\"']?(?:https?:)?//[^>]*>", re.I)


def refuse(app: Sphinx, problem: Exception | None) -> None:
    """Fail the build on the first page that would load a script, style or picture from another site."""
    if problem is not None or app.builder.format != "html":
        return
    for page in sorted(Path(app.outdir).rglob("*.html")):
        found = LOADED.search(page.read_text(encoding="utf-8"))
        if found:
            raise ExtensionError(f"{page.relative_to(app.outdir)} loads {found[0][:200]}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at all pages when they are written."""
    app.connect("build-finished", refuse)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
