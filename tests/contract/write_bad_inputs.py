"""Write docs/bad_inputs.md: every bad input and what each model makes of it.

Usage: python -m tests.contract.write_bad_inputs
"""

from __future__ import annotations

from pathlib import Path

from tests.contract.bad_inputs import CASES, Case
from tests.contract.specimens import specimens
from tests.contract.test_bad_inputs import outcome

PAGE = Path(__file__).parents[2] / "docs" / "bad_inputs.md"
HEAD = """# Bad inputs

What becomes of each bad or suspicious input, for every model that varnn finds: {models}.
An error named here is one of varnn's own; its message names the argument, the column or date, and the remedy.
"Right answer" means that the input is usable and the forecast was checked against the one it has to be.

This page is written by `python -m tests.contract.write_bad_inputs`; the same {count} cases × {many} models are
tests (`tests/contract/test_bad_inputs.py`).
"""


def row(case: Case, names: list[str]) -> str:
    """Return one line of the table: models with the same outcome together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(outcome(case, name), []).append(name)
    found.pop("", None)
    if len(found) == 1:
        return f"| {_cell(case.what)} | {next(iter(found))} |"
    most = max(found, key=lambda one: len(found[one]))
    parts = [f"{one}: {', '.join(found[one])}" for one in found if one != most]
    return f"| {_cell(case.what)} | {most}; {'; '.join(parts)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    names = list(specimens())
    lines = [HEAD.format(models=", ".join(names), count=len(CASES), many=len(names))]
    for topic in dict.fromkeys(case.topic for case in CASES):
        lines += [f"## {topic[0].upper()}{topic[1:]}", "", "| input | outcome |", "|---|---|"]
        lines += [row(case, names) for case in CASES if case.topic == topic] + [""]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
