"""The sentences of a report that a comparison's verdict does not already say.

Called by `page`. Each is made from numbers on the same page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from varnn.report.canvas import short
from varnn.report.outcomes import Outcomes
from varnn.report.tables import probability

FREQUENCIES = {"Q": "quarterly", "M": "monthly", "W": "weekly", "D": "daily", "B": "business-daily", "h": "hourly",
               "A": "yearly", "Y": "yearly", "MS": "monthly", "ME": "monthly", "QS": "quarterly", "QE": "quarterly",
               "YS": "yearly", "YE": "yearly", "min": "by the minute", "15min": "every quarter of an hour"}


def about(meta: Mapping[str, Any]) -> list[str]:
    """Return what the data and the windows are, a few words each."""
    names, windows = [str(name) for name in meta["names"]], meta["windows"]
    frequency = str(meta.get("frequency", "")).split("-")[0]
    said = [f"{len(names)} series" if len(names) > 1 else "1 series"]
    if frequency in FREQUENCIES:
        said.append(FREQUENCIES[frequency])
    if "rows" in meta:
        span = f", {meta['first_date']} to {meta['last_date']}" if frequency in FREQUENCIES else ""
        said.append(f"{meta['rows']} rows{span}")
    if meta.get("transform") not in ("", "none", None):
        said.append(str(meta["transform"]))
    if meta.get("units"):
        said.append(str(meta["units"]))
    count, horizon = windows.get("origins"), meta["horizon"]
    said.append(f"{count} forecast origins, {horizon} step{'s' if horizon > 1 else ''} ahead")
    return said


def calibration(outcomes: Outcomes) -> list[str]:
    """Say of each rung whether its 90 % bands kept their promise one step ahead, and how wide they are."""
    said = []
    lower, upper = (100 * float(side[0]) for side in outcomes.chance(90))
    step = f"{outcomes.steps[0]} step{'s' if outcomes.steps[0] > 1 else ''} ahead"
    for model in outcomes.rungs:
        share, count = (side[0] for side in outcomes.held(model, 90))
        if not count:
            said.append(f"The {short(model)} gave no forecast distribution.")
            continue
        held = 100 * float(share)
        verdict = ("as promised" if lower <= held <= upper else
                   "they are too narrow" if held < lower else "they are wider than need be")
        width = 100 * (float(outcomes.relative_width(model)[0]) - 1)
        said.append(f"{step[0].upper()}{step[1:]}, the 90 % bands of the {short(model)} held {held:.0f} % of {count} "
                    f"outcomes ({lower:.0f} to {upper:.0f} % is within chance): {verdict}"
                    + (f"; {_wider(width)} the {short(outcomes.reference)}'s." if model != outcomes.reference
                       and math.isfinite(width) else "."))
    return said


def tied(text: str) -> str:
    r"""Return the sentence with numbers tied to their signs and units, so that no line breaks between them.

    Examples
    --------
    >>> tied("gains 3.1 % (p = .04)").count("\N{NO-BREAK SPACE}")
    3
    """
    text = re.sub(r"(?<=\d) (?=%|ms\b|steps?\b|origins?\b)", "\N{NO-BREAK SPACE}", text)
    text = re.sub(r"\bp ([=<]) (?=[\d.])", "p\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)
    return re.sub(r"(?<=[ (])-(?=\d)", "−", text)


def pit_note(outcomes: Outcomes, model: str) -> str:
    """Say what the shape of a PIT histogram means."""
    found = outcomes.pit_histogram(model)
    if found is None:
        return ""
    outside = int(np.sum((found.height < found.lower) | (found.height > found.upper)))
    bins = len(found.height)
    return f"{outside} of {bins} bars leave the band; χ² p {probability(found.pvalue)}, {found.count} outcomes."


def _wider(width: float) -> str:
    if abs(width) < 0.5:
        return "as wide as"
    return f"{abs(width):.0f} % {'wider' if width > 0 else 'narrower'} than"
