"""Open a page of the documentation in headless Chromium, at the width of a desktop or of a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "docs" / "_static"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open the page in")

# Chromium's window is never narrower than 500 pixels, so a phone is a frame of its width inside one.
FRAME = '<iframe src="{address}" width="{width}" height="900" style="border: 0"></iframe>'
AROUND = """<!DOCTYPE html><body style="margin: 0">{frames}<script>
window.addEventListener("load", () => {{
  document.body.dataset.found = JSON.stringify(Array.from(document.querySelectorAll("iframe"), (frame) => ({{
    width: frame.contentWindow.innerWidth, across: frame.contentDocument.documentElement.scrollWidth,
    text: frame.contentDocument.documentElement.outerHTML }})));
}});
</script>"""


@dataclass(frozen=True)
class Opened:
    """What a page looks like once its scripts ran: the width of its window, of all that is in it, and its HTML."""

    width: int
    across: int
    text: str

    @property
    def shown(self) -> str:
        """The text below the heading, without tags."""
        body = self.text.partition("<h1")[2].partition("<script")[0]
        return re.sub(r"<[^>]*>", " ", re.sub(r'data-zh="[^"]*"', "", "<h1" + body))


def opened(page: Path, folder: Path, views: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Opened]:
    """Open a page once for each (settings, width in pixels), all side by side; `folder` takes their frame."""
    frames = [FRAME.format(address=html.escape(page.as_uri() + settings), width=width) for settings, width in views]
    around = folder / "frames.html"
    around.write_text(AROUND.format(frames="".join(frames)), encoding="utf-8")
    done = subprocess.run([str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                           "--window-size=1400,1000", "--allow-file-access-from-files",
                           "--virtual-time-budget=3000", "--dump-dom", around.as_uri()],
                          capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found is not None, done.stdout[:2000]
    return {view: Opened(**said) for view, said in zip(views, json.loads(html.unescape(found[1])), strict=True)}
