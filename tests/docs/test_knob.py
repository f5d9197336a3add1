"""The page with the knob opens from the disk, draws, and asks for nothing outside itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "_static" / "knob.html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open the page in")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("settings", "says"), [
    ("", "a VAR of one series, an AR(1) with root A + B = 0.80."),
    ("?A=0.5&B=0.4", "a linear RNN, an ARMA(1, 1) with root A + B = 0.90."),
    ("?B=1.4", "with root A + B = 1.40: it does not die out."),
    ("?s=1.5&B=1.8", "it would explode if it were straight, and the bend holds it.")])
def test_the_page_draws_and_says_what_the_knobs_make(width, settings, says):
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
                           "--dump-dom", PAGE.as_uri() + settings], capture_output=True, text=True, timeout=60,
                          check=True)
    assert 'data-drawn="150"' in done.stdout
    assert says in done.stdout


def test_the_page_asks_for_nothing_outside_itself():
    assert not re.findall(r"(?:src|href)=|@import|url\(|fetch\(|https?:", PAGE.read_text(encoding="utf-8"))
