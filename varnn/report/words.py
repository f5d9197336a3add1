"""The sentences of a report that a comparison's verdict does not already say.

Called by `page`. Each is made from numbers on the same page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from varnn.evaluate.calibration import PitHistogram
from varnn.evaluate.ledger import ORACLE
from varnn.evaluate.significance.fluctuation import fluctuation
from varnn.evaluate.significance.model_confidence_set import confidence_set
from varnn.report.canvas import short
from varnn.report.outcomes import Outcomes
from varnn.report.tables import SIGNIFICANT, probability

FREQUENCIES = {"Q": "quarterly", "M": "monthly", "W": "weekly", "D": "daily", "B": "business-daily", "h": "hourly",
               "A": "yearly", "Y": "yearly", "MS": "monthly", "ME": "monthly", "QS": "quarterly", "QE": "quarterly",
               "YS": "yearly", "YE": "yearly", "min": "by the minute", "15min": "every quarter of an hour"}

FINE = 4.0  # per cent; chance that reaches less far is told with a decimal, so that verdict and numbers agree

TRANSFORMS = {"diff": "difference", "logdiff": "log difference"}


def about(meta: Mapping[str, Any]) -> list[str]:
    """Return what the data and the windows are, a few words each."""
    names, windows = [str(name) for name in meta["names"]], meta["windows"]
    frequency = str(meta.get("frequency", "")).split("-")[0]
    said = [str(meta["subject"])] if meta.get("subject") else []
    said.append(f"{len(names)} series" if len(names) > 1 else "1 series")
    if frequency in FREQUENCIES:
        said.append(FREQUENCIES[frequency])
    if "rows" in meta:
        span = f", {day(meta['first_date'])} to {day(meta['last_date'])}" if frequency in FREQUENCIES else ""
        said.append(f"{meta['rows']} rows{span}")
    if meta.get("transform") not in ("", "none", None):
        transform = str(meta["transform"])
        said.append(f"{TRANSFORMS[transform]}s" if transform in TRANSFORMS else transform)
    if 0 < len(str(meta.get("units") or "")) <= 40 and ":" not in str(meta["units"]):
        said.append(str(meta["units"]))
    count, horizon = windows.get("origins"), meta["horizon"]
    said.append(f"{count} forecast origins, {horizon} step{'s' if horizon > 1 else ''} ahead")
    return said


def calibration(outcomes: Outcomes) -> list[str]:
    """Say of each rung whether its 90 % bands kept their promise one step ahead, and how wide they are."""
    said = []
    step = f"{outcomes.steps[0]} step{'s' if outcomes.steps[0] > 1 else ''} ahead"
    for model in outcomes.rungs:
        found = outcomes.check(model, 90)
        if not found.outcomes:
            said.append(f"The {short(model)} gave no forecast distribution.")
            continue
        held, lower, upper = 100 * found.held, 100 * found.lower, 100 * found.upper
        verdict = ("as promised" if lower <= held <= upper else
                   "they are too narrow" if held < lower else "they are wider than need be")
        width = 100 * (float(outcomes.relative_width(model)[0]) - 1)
        digits = 0 if upper - lower >= FINE else 1
        said.append(f"{step[0].upper()}{step[1:]}, the 90 % bands of the {short(model)} held {held:.{digits}f} % of "
                    f"{found.outcomes} outcomes ({lower:.{digits}f} to {upper:.{digits}f} % is within chance): "
                    + verdict
                    + (f"; {_wider(width)} the {short(outcomes.reference)}'s." if model != outcomes.reference
                       and math.isfinite(width) else "."))
    return said


def day(date: object) -> str:
    """Return a date without the midnight that pandas writes after it."""
    return str(date).removesuffix(" 00:00:00")


def unit(meta: Mapping[str, Any], name: str) -> str:
    """Return what one series measures, for the top of its axis: from the units of the data, else from the transform.

    Examples
    --------
    >>> unit({"units": "gdp: growth (%); rate: % a year"}, "rate"), unit({"transform": "logdiff"}, "rate")
    ('% a year', 'log difference')
    """
    units, transform = str(meta.get("units") or ""), str(meta.get("transform") or "none")
    own = re.search(rf"(?:^|; ){re.escape(name)}: (.*?)(?:; |$)", units)
    if own and own[1] != name:
        return own[1]
    return units if units and ": " not in units else TRANSFORMS.get(transform, "")


def told(units: object) -> str:
    """Return the units of the series, without those that only say the series' name again.

    Examples
    --------
    >>> told("y1: y1; y2: y2"), told("gdp: growth (%); rate: rate"), told("% a year")
    ('', 'gdp: growth (%)', '% a year')
    """
    pieces = [piece.partition(": ") for piece in str(units or "").split("; ")]
    return "; ".join("".join(piece) for piece in pieces if piece[0] != piece[2])


def heading(title: str) -> str:
    """Return a title that starts with a capital."""
    return title[:1].upper() + title[1:]


def tally(model: str, better: int, surely_better: int, surely_worse: int, among: int) -> str:
    """Say on how many data sets a model beats the VAR, and on how many that is beyond chance."""
    sure = f"by a single Diebold–Mariano test beyond chance on {surely_better or 'none'}"
    worse = f"it is worse beyond chance on {surely_worse}" if surely_worse else "it is nowhere worse beyond chance"
    return (f"Over all steps together the {short(model)} has a lower RMSE than the VAR on {better or 'none'} of "
            f"{among} data sets, {sure}; {worse}.")


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


def best_set(outcomes: Outcomes) -> str:
    """Say which models the data cannot tell from the best over all steps (the model confidence set)."""
    models = [model for model in outcomes.models if model != ORACLE]
    losses, _ = outcomes.losses(models)
    found = confidence_set(losses, [short(model) for model in models], horizon=outcomes.overlap(-1))
    return found.sentence() if len(models) > 1 and found.valid else ""


def stretches(outcomes: Outcomes, models: list[str]) -> list[str]:
    """Say for each model whether it led or trailed the reference beyond chance in some stretch of the dates."""
    said = []
    for model in [model for model in models if model != outcomes.reference]:
        losses, origins = outcomes.losses([model, outcomes.reference], 0)
        found = fluctuation(losses[:, 0], losses[:, 1], horizon=outcomes.overlap(0)) if len(losses) else None
        if found is None or not found.valid or not len(found.path):
            continue
        p = f"(Giacomini–Rossi, p {_comparable(found.pvalue)})"
        if found.pvalue >= SIGNIFICANT:
            said.append(f"The {short(model)} neither led nor trailed beyond chance in any {found.window} origins "
                        f"on end {p}.")
            continue
        where = int(np.argmax(np.abs(found.path)))
        first, last = (outcomes.dates[int(outcomes.origins[origins[at]]) + outcomes.steps[0] - 1]
                       for at in (found.ends[where] - found.window + 1, found.ends[where]))
        leads = "led" if found.path[where] < 0 else "trailed"
        said.append(f"The {short(model)} {leads} the {short(outcomes.reference)} beyond chance in a stretch, most "
                    f"clearly from {first} to {last} {p}.")
    return said


def _comparable(value: float) -> str:
    text = probability(value)
    return text if text.startswith("<") else f"= {text}"


def histogram_note(found: PitHistogram, model: str) -> str:
    """Say what the shape of a PIT or rank histogram means, and how many bars leave the band."""
    bins, outside = len(found.shares), int(np.sum((found.shares < found.lower) | (found.shares > found.upper)))
    return f"{found.sentence(f'the {short(model)}')} {outside} of {bins} bars leave the zone of chance."


def _wider(width: float) -> str:
    if abs(width) < 0.5:
        return "as wide as"
    return f"{abs(width):.0f} % {'wider' if width > 0 else 'narrower'} than"
