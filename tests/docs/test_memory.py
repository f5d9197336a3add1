"""The page on memory opens from the disk, and its rates are those of the recursion itself."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pytest

from tests.docs.pages import STATIC, needs_chromium, opened
from varnn.inference.memory import layer_memory

PAGE = STATIC / "memory.html"


def rates(text: str) -> dict[str, float]:
    found = re.search(r'data-rates="([^"]*)"', text)
    assert found is not None
    return json.loads(html.unescape(found[1]))


def of_layer(cell: str, a: float, b: float, x) -> float:
    """Return the rate of one unit with recurrent weight a, input weight 1 and gates of bias b, by autograd."""
    import torch

    from varnn.recursion.cells import CELLS
    from varnn.recursion.wiring import Layer

    kind = CELLS[cell]
    weights = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in kind.shapes(1, 1).items()}
    new = {"linear": 0, "tanh": 0, "gru": 2, "lstm": 2}[cell]  # the block that makes the new content
    weights["weight_hh"][new, 0], weights["weight_ih"][new, 0] = a, 1.0
    for block, bias in ((kind.keeps, b), (kind.takes, -b)):
        if block is not None:
            weights["bias_hh"][block] = bias
    return layer_memory(Layer(kind, weights), torch.tensor(x), rng=0).rate


RESTING = [(1280, 0.9, 2.0), (390, -0.6, 0.5), (390, 0.95, 5.0)]
DRIVEN, CHINESE = ("?a=0.9&b=2&size=0.5&back=100", 390), ("?lang=zh", 390)


def resting(a: float, b: float) -> str:
    return f"?a={a}&b={b}&size=0&back=50"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    views = [(resting(a, b), width) for width, a, b in RESTING]
    return opened(PAGE, tmp_path_factory.mktemp("memory"), [*views, DRIVEN, CHINESE])


@needs_chromium
@pytest.mark.parametrize(("width", "a", "b"), RESTING)
def test_without_inputs_the_rates_are_those_of_the_layers(pages, width, a, b):
    page = pages[resting(a, b), width]
    assert page.width == page.across == width
    found = rates(page.text)
    for cell in ("linear", "tanh", "gru", "lstm"):
        assert found[cell] == pytest.approx(of_layer(cell, a, b, np.zeros((51, 1, 1))), abs=1e-6)


@needs_chromium
def test_with_inputs_they_are_those_of_like_inputs(pages):
    found = rates(pages[DRIVEN].text)
    x = 0.5 * np.random.default_rng(0).standard_normal((201, 400, 1))
    assert found["linear"] == pytest.approx(np.log(0.9), abs=1e-9)
    for cell, noise in (("tanh", 0.1), ("gru", 0.005), ("lstm", 0.005)):  # of 20 series over 50 steps
        assert found[cell] == pytest.approx(of_layer(cell, 0.9, 2.0, x), abs=noise)


@needs_chromium
def test_it_speaks_chinese(pages):
    assert 'lang="zh-CN"' in pages[CHINESE].text
    assert set(re.findall(r"[A-Za-z]{2,}", pages[CHINESE].shown)) <= {"tanh", "GRU", "LSTM", "ln"}


def test_the_page_asks_for_nothing_outside_itself():
    assert not re.findall(r"(?:src|href)=|@import|url\(|fetch\(|https?:", PAGE.read_text(encoding="utf-8"))
