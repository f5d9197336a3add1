"""The site of a benchmark: pages that link to each other, the same bytes each time, inert, fit for a phone."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from tests.report.conftest import made_up
from tests.report.test_page import CHROMIUM, HOSTILE, Elements, in_browser
from varnn.errors import ParameterError
from varnn.report import site
from varnn.report.site import Standing, render_site

STANDING = Standing(
    title="Boards", question="Who wins?", suite='title = "Boards"', code=[("varnn", "0.1.0", "abc")], jobs=9, done=7,
    waiting=["ar"], failed=[("lynx", "VAR", "its worker died 2 times")], sources=[("lynx", "free")])
SECONDS = pd.DataFrame({"data": ["US macro, quarterly"], "model": ["VAR"], "fit": [0.0123], "seconds": [1.0]})


@pytest.fixture(scope="module")
def pages(macro, simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    render_site([macro, simulated], folder, STANDING, SECONDS)
    return folder


def read(path) -> str:
    return path.read_text(encoding="utf-8")


def test_there_is_a_page_for_each_question_and_each_data_set(pages):
    found = {path.name for path in pages.glob("*.html")}
    assert {"index.html", "oracle.html", "speed.html", "reproduce.html"} < found
    assert sum(name.startswith("data-") for name in found) == 2


def test_every_link_leads_to_a_file_that_is_there(pages):
    for path in pages.glob("*.html"):
        links = [attributes["href"] for tag, attributes in Elements(read(path)).found if tag == "a"]
        assert len(links) > 6
        assert [link for link in links if not (pages / link).is_file()] == []


def test_the_site_made_again_has_the_same_bytes(pages, macro, simulated, tmp_path):
    render_site([macro, simulated], tmp_path, STANDING, SECONDS)
    for path in pages.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(pages)).read_bytes(), path.name


def test_each_page_allows_its_own_script_and_style_only(pages):
    for path in pages.glob("*.html"):
        text = read(path)
        policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
        assert policy.startswith("default-src 'none'; script-src 'sha256-")
        assert re.findall(r"https?://(?!www\.w3\.org)", re.sub(r"<dd>.*?</dd>|<code>.*?</code>", "", text)) == []


def test_the_first_page_says_what_failed_and_what_is_missing(pages):
    text = read(pages / "index.html")
    assert "7 of 9 jobs are done" in text
    assert "VAR on lynx: its worker died 2 times" in text
    assert "Who wins?" in text


def test_seconds_stand_on_their_own_page_only(pages, macro, simulated, tmp_path):
    assert "12 ms" in read(pages / "speed.html")
    render_site([macro, simulated], tmp_path, STANDING, SECONDS.assign(fit=0.0456))
    differ = {path.name for path in pages.glob("*.html") if path.read_bytes() != (tmp_path / path.name).read_bytes()}
    assert differ == {"speed.html"}


def test_the_oracle_page_shows_the_gap_closed_and_the_regret(pages):
    text = read(pages / "oracle.html")
    assert text.count("<table") == 2
    assert "RMSE above the best possible" in text


def test_beyond_the_pages_there_are_rows(macro, simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "MOST_PAGES", 1)
    render_site([macro, simulated], tmp_path, STANDING, SECONDS)
    assert len(list(tmp_path.glob("data-*.html"))) == 1
    assert "The first 1 data sets have pages of their own" in read(tmp_path / "index.html")


def test_hostile_names_are_inert_on_every_page(tmp_path):
    label = "<b>X</b><script>document.title='owned'</script>"
    both = [made_up(names=HOSTILE, origins=12, horizon=2, title=title, models=("Naive", "VAR", label))
            for title in HOSTILE[:2]]
    told = replace(STANDING, title=HOSTILE[0], question=HOSTILE[1], suite=HOSTILE[2], waiting=[HOSTILE[0]],
                   failed=[HOSTILE[:3]], sources=[HOSTILE[:2]])
    render_site(both, tmp_path, told, SECONDS)
    for path in tmp_path.glob("*.html"):
        elements = Elements(read(path)).found
        assert [tag for tag, _ in elements].count("script") == 1
        assert "img" not in [tag for tag, _ in elements]
        assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
        if CHROMIUM is not None:
            document = in_browser(path, tmp_path / "user")
            assert 'data-ready="yes"' in document
            assert not re.search(r"<title>\s*owned", document)


def test_headings_go_down_one_by_one(pages):
    for path in pages.glob("*.html"):
        levels = [int(tag[1]) for tag, _ in Elements(read(path)).found if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(later - earlier <= 2 for earlier, later in pairwise(levels))


def test_nothing_to_report_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match="at least one comparison"):
        render_site([], tmp_path, STANDING, SECONDS)
