"""What the pages promise: works cited are in the bibliography, classes met have a page with an example, twins exist."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [page for folder in ("", "ladder", "sequence", "howto", "zh") for page in sorted((DOCS / folder).glob("*.md"))
         if page.name not in ("bad_inputs.md", "bibliography.md", "glossary.md", "tour.md")]
NAME = r"[A-Z][\wäöüéÀ-ž’\-]+"
CITED = re.compile(rf"({NAME})(?:(?:, {NAME})*,? (?:and|&|与) {NAME}| et al\.)?,?\s+[\(（]?((?:19|20)\d\d)[,)，）]")
NAMES = [(module, name) for page in sorted((DOCS / "api").glob("*.md"))
         for module, names in re.findall(r"currentmodule:: (\S+)\n\n.. autosummary::\n(?:   :.*\n)+\n((?:   \w+\n)+)",
                                         page.read_text("utf-8")) for name in names.split()]


def cited() -> set[tuple[str, str, str]]:
    """Return (first author, year, page) of every work cited by author and year."""
    return {(author, year, page.name) for page in PAGES for author, year in CITED.findall(page.read_text("utf-8"))}


def test_every_work_cited_is_in_the_bibliography():
    entries = re.findall(r"^\* ([^,]+),.*?\(((?:19|20)\d\d)\)", (DOCS / "bibliography.md").read_text("utf-8"),
                         re.M | re.S)
    assert len(entries) > 30
    found = cited()
    assert {("Clark", "2007"), ("Tallec", "2018")} <= {(author, year) for author, year, _ in found}
    assert {work for work in found if work[:2] not in set(entries)} == set()


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_what_has_a_page_has_an_example(module, name):
    assert ">>>" in getattr(importlib.import_module(module), name).__doc__


def test_every_fit_and_every_result_that_can_be_shown_has_a_page():
    named = {name for _, name in NAMES}
    package = DOCS.parent / "varnn"
    classes = {node.name for folder in ("models", "inference", "sequence", "comparison")
               for path in sorted((package / folder).glob("*.py"))
               for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)
               and any(base.id in ("Shown", "Fitted", "SequenceFit", "FittedVAR")
                       for base in node.bases if isinstance(base, ast.Name))}
    assert "FittedTanhRNN" in classes
    assert {name for name in classes if not name.startswith("_")} - named == set()


def test_every_page_in_chinese_is_somebodys_twin():
    there = {page.stem for page in (DOCS / "zh").glob("*.md")}
    assert there == set(re.findall(r'"zh/(\w+)"', (DOCS / "conf.py").read_text("utf-8")))
