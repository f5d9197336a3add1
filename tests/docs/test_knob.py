"""The page with the knob opens from the disk, draws at any width, and asks for nothing outside itself."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import STATIC, needs_chromium, opened

PAGE = STATIC / "knob.html"
WIDTHS = (1280, 390)  # a desktop's and a phone's
SAYS = {
    "": "a VAR of one series, an AR(1) with root A + B = 0.80.",
    "?A=0.5&B=0.4": "a linear RNN, an ARMA(1, 1) with root A + B = 0.90.",
    "?B=1.4": "with root A + B = 1.40: it does not die out.",
    "?s=1.5&B=1.8": "it would explode if it were straight, and the bend holds it.",
    "?lang=zh&A=0.5&B=0.4": "线性 RNN，即 ARMA(1, 1)，根 A + B = 0.90。"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return opened(PAGE, tmp_path_factory.mktemp("knob"), [(settings, width) for settings in SAYS for width in WIDTHS])


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("settings", SAYS)
def test_the_page_draws_and_says_what_the_knobs_make(pages, settings, width):
    page = pages[settings, width]
    assert 'data-drawn="150"' in page.text
    assert SAYS[settings] in page.text
    assert page.width == width
    assert page.across == width  # nothing sticks out to the right


@needs_chromium
def test_in_chinese_no_english_is_left(pages):
    words = set(re.findall(r"[A-Za-z]{2,}", pages["?lang=zh&A=0.5&B=0.4", 390].shown))
    assert words <= {"VAR", "RNN", "ARMA", "tanh", "AR"}


def test_the_page_asks_for_nothing_outside_itself():
    assert not re.findall(r"(?:src|href)=|@import|url\(|fetch\(|https?:", PAGE.read_text(encoding="utf-8"))
