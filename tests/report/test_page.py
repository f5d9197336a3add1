"""The page: the same bytes each time, nothing from outside, hostile names inert, fit for a phone."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib as mpl
import pytest

from tests.report.conftest import made_up
from varnn.comparison.compare import Comparison
from varnn.errors import ParameterError, StoreError
from varnn.report.page import render

HOSTILE = ("<script>document.title='owned'</script>", "<img src=x onerror=document.title='owned'>", "=1+1",
           "\"><svg onload=document.title='owned'>", "$\\frac{a}{b}$ ]]> &amp; -->")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    comparison = made_up(names=HOSTILE, origins=12, horizon=2, title="</title><script>document.title='owned'</script>",
                         models=("Naive", "VAR", "<b>LSTM</b><script>document.title='owned'</script>"))
    return render([comparison], tmp_path_factory.mktemp("hostile"), title=HOSTILE[0])


@pytest.fixture(scope="module")
def board(macro, simulated, tmp_path_factory):
    return render([macro, simulated], tmp_path_factory.mktemp("board"), title="The ladder")


class Elements(HTMLParser):
    """Every element with its attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


def test_rendering_the_same_ledger_twice_gives_the_same_bytes(macro, simulated, tmp_path):
    first = render([macro, simulated], tmp_path / "a", title="The ladder")
    second = render([macro, simulated], tmp_path / "b" / "page.html", title="The ladder")
    assert first.read_bytes() == second.read_bytes()
    for table in (tmp_path / "a" / "tables").iterdir():
        assert table.read_bytes() == (tmp_path / "b" / "tables" / table.name).read_bytes()


def test_a_ledger_read_back_in_another_process_gives_the_same_bytes(macro, tmp_path):
    here = render([macro], tmp_path / "here", title="Macro")
    macro.ledger.write(tmp_path / "ledger")
    program = ("import sys; from varnn.comparison.compare import Comparison; from varnn.report.page import render\n"
               "render([Comparison.read(sys.argv[1])], sys.argv[2], title='Macro')")
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "ledger"), str(tmp_path / "there")], check=True,
                   timeout=120)
    assert (tmp_path / "there" / "index.html").read_bytes() == here.read_bytes()


def test_a_user_s_matplotlib_settings_are_neither_used_nor_changed(macro, tmp_path):
    plain = render([macro], tmp_path / "plain", title="Macro").read_bytes()
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert render([macro], tmp_path / "loud", title="Macro").read_bytes() == plain
        assert dict(mpl.rcParams) == before


def test_nothing_is_asked_for_outside_the_page(board):
    text = board.read_text(encoding="utf-8")
    for tag, attributes in Elements(text).found:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form")
        for name in ("src", "href", "xlink:href", "action", "data"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith(("#", "tables/")), (tag, name, value)
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text


def test_the_policy_allows_the_one_script_and_the_one_style_by_hash(board):
    text = board.read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert policy.startswith("default-src 'none'")
    for tag in ("script", "style"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_hostile_names_are_text_everywhere(hostile_page):
    elements = Elements(hostile_page.read_text(encoding="utf-8")).found
    assert [tag for tag, _ in elements].count("script") == 1
    assert "img" not in [tag for tag, _ in elements]
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]


def test_every_id_is_given_once_and_every_reference_is_kept(board):
    elements = Elements(board.read_text(encoding="utf-8")).found
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [attributes["href"][1:] for _, attributes in elements if (attributes.get("href") or "").startswith("#")]
    wanted += re.findall(r"url\(#([^)]+)\)", board.read_text(encoding="utf-8"))
    assert set(wanted) <= set(ids)


def test_one_comparison_goes_straight_to_its_page_and_many_have_an_overview(macro, board, tmp_path):
    single = render([macro], tmp_path, title="Macro").read_text(encoding="utf-8")
    assert 'id="overview"' not in single
    text = board.read_text(encoding="utf-8")
    for part in ("overview", "oracle", "speed", "reproduce", "us-macro-quarterly", "threshold-process-simulated"):
        assert f'id="{part}"' in text


def test_three_data_sets_are_ranked(macro, simulated, tmp_path):
    many = [macro, simulated, made_up(seed=8, title="Third", horizon=2)]
    text = render(many, tmp_path, title="Ladder").read_text(encoding="utf-8")
    assert "Average rank of each model over the data sets" in text
    assert "Over 3 data sets tanh RNN ranks best" in text


def test_the_verdict_comes_before_the_first_table(macro, tmp_path):
    text = render([macro], tmp_path, title="Macro").read_text(encoding="utf-8")
    first_words = html.escape(macro.verdict[0][:25], quote=True)
    assert 0 < text.index(first_words) < text.index("<table")


def test_failures_are_shown_with_their_reason(simulated, tmp_path):
    text = render([simulated], tmp_path, title="Threshold").read_text(encoding="utf-8")
    assert "TooShortError: 8 rows are too few for &lt;b&gt;4&lt;/b&gt; lags" in text
    assert "no forecast" in text


def test_a_page_stays_small(board):
    assert board.stat().st_size < 2 * 300_000


@pytest.mark.parametrize("shape", [{"horizon": 1, "origins": 5}, {"origins": 1}, {"models": ("Naive", "Mean")},
                                   {"names": ("y",), "models": ("TanhRNN",)},
                                   {"freq": "D", "origins": 200, "horizon": 2},
                                   {"horizon": 60, "origins": 9}, {"failing": ("TanhRNN",), "fail_every": 1},
                                   {"names": tuple(f"s{at}" for at in range(70)), "origins": 8}])
def test_odd_comparisons_are_rendered_without_a_warning(shape, tmp_path):
    assert render([made_up(**shape)], tmp_path, title="Odd").stat().st_size > 10_000


def test_nothing_to_report_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match="at least one comparison"):
        render([], tmp_path, title="Nothing")


def test_a_folder_that_cannot_be_written_is_named(macro, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        render([macro], tmp_path / "file" / "report", title="Macro")


def test_a_comparison_writes_and_rebuilds_its_own_report(macro, tmp_path):
    page = macro.report(tmp_path / "out")
    again = Comparison.read(tmp_path / "out").report(tmp_path / "again")
    assert page.read_bytes() == again.read_bytes()


def in_browser(page, folder, width=1280):
    """Return what Chromium's document looks like after its scripts have run."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               f"--user-data-dir={folder}", f"--window-size={width},900", "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_in_a_browser_our_script_runs_and_hostile_names_do_not(hostile_page, tmp_path):
    document = in_browser(hostile_page, tmp_path)
    assert 'data-ready="yes"' in document
    assert "<title>owned" not in document
    assert document.count("<script") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_in_a_browser_tables_sort_data_sets_filter_and_lines_hide(board, tmp_path):
    action = """<script>
      const sorted = document.querySelector('.heat th:last-child button');
      sorted.click();
      const box = document.querySelector('input[type=search]');
      box.value = 'thresh'; box.dispatchEvent(new Event('input'));
      const key = document.querySelector('.legend button[data-model="3"]');
      key.click();
      const count = which => document.querySelectorAll(which).length;
      document.body.innerHTML = 'SORT ' + sorted.closest('th').getAttribute('aria-sort')
        + ' HIDDEN ' + count('[data-name][hidden]') + ' OFF ' + count('svg .off') + ' PRESSED '
        + key.getAttribute('aria-pressed') + ' DONE';
    </script></body>"""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", board.read_text(encoding="utf-8"))
    probe = tmp_path / "probe.html"
    probe.write_text(text.replace("</body>", action), encoding="utf-8")
    said = re.search(r"SORT (\w+) HIDDEN (\d+) OFF (\d+) PRESSED (\w+) DONE", in_browser(probe, tmp_path / "user"))
    assert said is not None
    assert said[1] == "ascending"
    assert int(said[2]) > 0
    assert int(said[3]) > 0
    assert said[4] == "false"


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_nothing_hangs_over_the_edge(board, width, tmp_path):
    measure = """<script>const wide = document.documentElement.clientWidth;
      const over = [...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll, svg, pre')
        && one.getBoundingClientRect().right > wide + 1);
      parent.document.body.textContent = 'OVER ' + over.length + ' BY '
        + (document.documentElement.scrollWidth - wide) + ' DONE';</script></body>"""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", board.read_text(encoding="utf-8"))
    inside = html.escape(text.replace("</body>", measure))
    frame = tmp_path / "frame.html"
    frame.write_text(f'<!doctype html><body><iframe style="width:{width}px;height:900px" srcdoc="{inside}"></iframe>',
                     encoding="utf-8")
    assert "OVER 0 BY 0 DONE" in in_browser(frame, tmp_path / "user", 1400)
