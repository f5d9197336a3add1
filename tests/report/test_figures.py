"""Pictures: well-formed, told apart without colour, dated axes that read well."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from varnn.report import figures
from varnn.report.canvas import COLOURS, KNOWN, drawing, panel, rule, styles, svg
from varnn.report.outcomes import Outcomes


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))


@pytest.fixture(scope="module")
def drawn(macro, simulated):
    outcomes, known = Outcomes.of(macro.ledger), Outcomes.of(simulated.ledger)
    given = styles(outcomes.models)
    with drawing():
        return {
            "skill": figures.skill_by_horizon(macro.by_horizon, None, ["LinearRNN", "TanhRNN"], given, "VAR"),
            "time": figures.gain_over_time(outcomes, ["LinearRNN", "TanhRNN"], given),
            "forecasts": figures.forecasts(outcomes, "VAR", 0, given, (-4.0, 4.0)),
            "fan": figures.fan(outcomes, "TanhRNN", 1, given),
                "pit": figures.histogram(outcomes.pit_histogram("VAR"), "VAR", given),
            "coverage": figures.coverage_by_horizon(outcomes, outcomes.rungs, given),
            "width": figures.width_by_horizon(outcomes, outcomes.rungs, given),
            "gap": figures.gap_closed(simulated.oracle_gap, ["LinearRNN", "TanhRNN"], styles(known.models), "VAR")}


def test_each_picture_is_one_well_formed_element_with_words_for_a_screen_reader(drawn):
    for picture in drawn.values():
        root = parsed(picture)
        assert root.tag == "svg"
        assert root.get("role") == "img"
        assert len(root.get("aria-label", "")) > 10


def test_colours_are_the_page_s_and_text_is_text(drawn):
    for picture in drawn.values():
        assert not [code for code in COLOURS.values() if code in picture]
        assert "<text" in picture
        assert len(picture) < 30_000


def test_a_model_s_line_can_be_found_by_its_number(drawn):
    assert 'data-model="4"' in drawn["skill"]
    assert 'data-model="3"' in drawn["time"]


def test_models_are_told_apart_without_colour():
    drawn = [(style.dashes, style.marker) for style in styles([*KNOWN, "a", "b", "c", "d"]).values()]
    assert len(drawn) == len(set(drawn))


def test_markup_in_a_heading_stays_text():
    with drawing():
        figure, axes = panel(title="<script>alert(1)</script> $x_1$ & \"'", up="</svg>")
        rule(axes, None, str)
        picture = svg(figure, "\"><script>alert(1)</script>")
    root = parsed(picture)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert "<script>alert(1)</script> $x_1$ & \"'" in [element.text for element in root.iter()]


@pytest.mark.parametrize(("labels", "texts"), [
    ([f"{1990 + at // 4}Q{at % 4 + 1}" for at in range(80)], ["1992", "1996", "2000", "2004", "2008"]),
    ([f"2020-{at:02d}" for at in range(1, 13)], ["2020-01", "2020-04", "2020-07", "2020-09", "2020-12"]),
    ([str(at) for at in range(70, 140)], ["75", "90", "105", "120", "135"]),
    (["5"], ["5"])])
def test_axes_of_dates_have_few_round_marks(labels, texts):
    at, found = figures.date_ticks(labels)
    assert len(found) == len(at) <= 7
    assert [labels[position].startswith(text) for position, text in zip(at, found, strict=True)]
    assert found == texts or len(found) >= 3
