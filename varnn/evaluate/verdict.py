"""A comparison in plain sentences: is a VAR enough, does a recurrent net earn its keep, is that luck.

Called by `Comparison.verdict`; reads the judgement and tables, never data or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from varnn.estimate.innovation import no_news
from varnn.evaluate.judgement import LEVEL, RULED_OUT, SURE, Judgement, Leg
from varnn.evaluate.ledger import ORACLE, Ledger
from varnn.evaluate.significance.pairwise import p_text
from varnn.evaluate.tables import NESTED

if TYPE_CHECKING:
    from varnn.evaluate.calibration import CoverageCheck

FEW_ORIGINS = 20  # fewer are said first
EQUAL = 0.05  # % of RMSE within which two models are called equally good
PLAIN = {"VAR": "VAR", "ShrunkVAR": "shrunken VAR", "LinearRNN": "linear RNN", "TanhRNN": "tanh RNN",
         "Naive": "naive forecast", "SeasonalNaive": "seasonal naive forecast", "Mean": "sample mean",
         "Drift": "drift forecast"}
RUNGS = ("VAR", "ShrunkVAR", "LinearRNN", "TanhRNN")
FEW_PATHS = 200
FAR = 0.05  # of coverage, from which bands that miss it beyond chance are told
NAIVE = ("Naive", "SeasonalNaive", "Mean", "Drift")
NO_WIDTH = 1e-6  # of the RMSSE yardstick


def sentences(found: Judgement, table: pd.DataFrame, gap: pd.DataFrame | None,
              checks: Mapping[str, CoverageCheck] | None = None) -> list[str]:
    """Return the verdict, most important sentence first.

    Parameters
    ----------
    found : Judgement
        What the rule says.
    table : DataFrame
        `tables.overall`.
    gap : DataFrame, optional
        `tables.oracle_gap`.
    checks : mapping of model to CoverageCheck, optional
        `band_checks`.
    """
    answer, (floor, above) = _answer(found), _floor(table)
    first, later = (answer, floor) if above else (f"{answer} {floor}".strip(), "")
    said = [first, *_each_rung(found), later, _oracle(gap), *_bands(table, checks or {}), *_failures(table)]
    return [sentence for sentence in said if sentence]


def cautions(ledger: Ledger) -> list[str]:
    """Return what a reader must know of the inputs and series before believing the rest.

    Inputs that tell most of what is new in y, those left out of windows in which they do not move, series in which
    nothing is new, and bands without width.
    """
    meta, said = ledger.meta, []
    said += [_told(leak) for leak in meta.get("told", [])]
    for name, (absent, windows) in meta.get("unmoved", {}).items():
        said.append(f"{name!r} does not move by itself in {absent} of the {windows} training windows, and is left out "
                    "of the models there.")
    if still := meta.get("still", []):
        said.append(f"{no_news(still, 'leave ' + ('it' if len(still) == 1 else 'them') + ' out of the comparison')}.")
    return said + _without_width(ledger, still)


def _told(leak: Mapping[str, Any]) -> str:
    """Say what share of the news in some series the inputs tell."""
    one, single = len(leak["columns"]) == 1, len(leak["of"]) == 1
    when = ("at the same date", "1 step later")[leak["lead"]] if leak["lead"] < 2 else f"{leak['lead']} steps later"
    what = _and(list(map(repr, leak["of"])))
    share = min(100 * leak["share"], 99)  # all of it would have been refused
    return (f"Mind the inputs: {_and(list(map(repr, leak['columns'])))} tell{'s' if one else ''} "
            f"{share:.0f} % of what is new in {what if single else f'a combination of {what}'} {when}; "
            f"gains over a model without {'it' if one else 'them'} hold only where {'it is' if one else 'they are'} "
            "known that far in advance.")


def _without_width(ledger: Ledger, known: list[str]) -> list[str]:
    """Name the models whose 90 % bands have no width, and the series."""
    table = ledger.forecasts[(ledger.forecasts["model"] != ORACLE) & ledger.forecasts["lower_90"].notna()]
    narrow = table[(table["upper_90"] - table["lower_90"]) <= NO_WIDTH * table["scale_rmse"]]
    said = []
    for (model, name), rows in narrow[~narrow["series"].isin(known)].groupby(["model", "series"], sort=False):
        all_of = len(table[(table["model"] == model) & (table["series"] == name)])
        said.append(f"The {plain(str(model))}'s bands of {name!r} have no width in {len(rows)} of {all_of} forecasts: "
                    "it takes the series to follow without error from what it is given, so ask whether an input or "
                    "another series is made from it.")
    return said


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def plain(model: str) -> str:
    """Return what sentences call a model.

    Examples
    --------
    >>> plain("TanhRNN")
    'tanh RNN'
    """
    return PLAIN.get(model, model)


def _answer(found: Judgement) -> str:
    """Say whether a recurrent net earns its keep over the VAR, in one of five sentences."""
    if not found.finding:
        return "" if not (found.base and found.rungs) else (
            "There are too few forecast origins to test whether a recurrent net beats the VAR.")
    few = f"With {found.origins} forecast origins little can be shown. " if found.origins < FEW_ORIGINS else ""
    return few + {"earns": _earns, "enough": _enough, "enough in practice, with structure": _enough_in_practice,
                  "undecided": _undecided, "undecided, with structure": _structure_alone}[found.finding](found)


def _earns(found: Judgement) -> str:
    assert found.top is not None
    rung, leg = found.top
    base = plain(found.base)
    return (f"A recurrent net earns its keep: {_where(leg, found)} the {plain(rung.model)} gains "
            f"{leg.gain.value:.1f} % in RMSE over the {base}, at least {_limit(leg, SURE)} (for "
            f"{100 * SURE:.0f} % sure); that it knows more than the {base} is beyond chance "
            f"({p_text(rung.structure)}).")


def _enough(found: Judgement) -> str:
    what = _same(found) if all(rung.same for rung in found.rungs) else f"{_ruled_out(found)} (95 %)"
    return f"A VAR is enough here: {what}{_left(found)}."


def _left(found: Judgement) -> str:
    """Say what the test of linearity on all rows sees, or could have seen."""
    test = found.linearity
    if test is None:
        return ""
    if test["pvalue"] > LEVEL:
        return (f", and nothing nonlinear is left that {test['n']} rows could show (a gap of "
                f"{test['detectable']:.1f} % would have shown)")
    return (f"; a test of linearity by itself sees something ({p_text(test['pvalue'])}), which with the forecasts "
            f"is not beyond chance ({p_text(found.structure)})")


def _enough_in_practice(found: Judgement) -> str:
    but = _same(found) if all(rung.same for rung in found.rungs) else f"{_ruled_out(found)} (95 %)"
    return f"A VAR is enough in practice: there is structure that it misses ({p_text(found.structure)}), but {but}."


def _structure_alone(found: Judgement) -> str:
    return (f"Undecided: there is structure that the {plain(found.base)} misses ({p_text(found.structure)}), but "
            f"{found.origins} origins do not show that it pays: {_widest(found)}. More origins, or a longer sample to "
            "learn it from, would tell.")


def _undecided(found: Judgement) -> str:
    paying = [(rung, leg) for rung in found.rungs for leg in rung.paying()]
    if paying:
        rung, leg = min(paying, key=lambda one: one[1].gain.pvalue)
        base = plain(found.base)
        return (f"Undecided: {_where(leg, found)} the {plain(rung.model)} gains {leg.gain.value:.1f} % in RMSE over "
                f"the {base}, at least {_limit(leg, SURE)} by itself (for {100 * SURE:.0f} % sure), but that it knows "
                f"more than the {base} is not beyond chance ({p_text(rung.structure)}). More origins would tell.")
    several = len(found.rungs[0].legs) > 1
    seen = [max((rung.legs[at].gain.detectable for rung in found.rungs
                 if np.isfinite(rung.legs[at].gain.detectable)), default=0.0) for at in range(1 + several)]
    could = f"{seen[0]:.1f} %" if not several else f"{seen[0]:.1f} % (one step) or {seen[1]:.1f} % (all steps)"
    return (f"Undecided: {found.origins} origins could only have shown a gain of {could} or more; up to "
            f"{found.most:.1f} % remains possible, and {found.worth:g} % would matter.")


def _ruled_out(found: Judgement) -> str:
    what = f"gains above {max(found.most, 0.0):.1f} % over the {plain(found.base)} are ruled out"
    if len(found.rungs[0].legs) > 1:
        what += " at one step and over all"
    kept = [rung for rung in found.rungs if rung.same]
    return what + (f" ({_same(found)})" if kept else "")


def _same(found: Judgement) -> str:
    """Say which rungs forecast as the VAR does."""
    names = [plain(rung.model) for rung in found.rungs if rung.same]
    return f"the {_and(names)} {'is' if len(names) == 1 else 'are'} the {plain(found.base)} here"


def _widest(found: Judgement) -> str:
    """Say what remains possible for the rung whose structure is surest."""
    rung = min(found.rungs, key=lambda one: one.structure if np.isfinite(one.structure) else 2.0)
    leg = max(rung.legs, key=lambda one: one.gain.limit(1.0 - RULED_OUT))
    if leg.gain.same:
        return (f"the {plain(rung.model)} is the {plain(found.base)} here, and other rungs may gain up to "
                f"{found.most:.1f} %")
    lower = leg.gain.limit(RULED_OUT)
    span = (f"up to {leg.gain.limit(1.0 - RULED_OUT):.1f} %" if not np.isfinite(lower) else
            f"{_signed(lower)} to {_signed(leg.gain.limit(1.0 - RULED_OUT))} %")
    return f"{_where(leg, found)} the {plain(rung.model)}'s gain may be {span} (90 % interval)"


def _limit(leg: Leg, confidence: float) -> str:
    return f"{_signed(leg.gain.limit(confidence))} %"


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return f"−{text}" if value < 0 and text != "0.0" else text


def _where(leg: Leg, found: Judgement) -> str:
    """Return "1 step ahead" or "over all 8 steps"."""
    return _steps(leg.steps).removeprefix("at ") if len(leg.steps) == 1 else f"over all {len(leg.steps)} steps"


def _each_rung(found: Judgement) -> list[str]:
    """Return for each rung its gain at one step and over all, with the two limits that the rule uses, and its tests."""
    said = []
    for rung in found.rungs:
        if rung.same:  # "enough" has said so
            said += [] if found.finding.startswith("enough") else [
                f"The {plain(rung.model)} is the {plain(found.base)} here: it forecast the same at every origin."]
            continue
        for leg in rung.legs:
            where, model = _where(leg, found), plain(rung.model)
            start = f"{where[:1].upper()}{where[1:]} the {model} is"
            if leg.gain.same:
                said.append(f"{start} the {plain(found.base)}.")
            elif not leg.gain.valid:
                known = np.isfinite(leg.gain.value)
                change = f" {_change(leg.gain.value, found.base)} in RMSE" if known else " untested"
                said.append(f"{start}{change} ({leg.gain.note}).")
            else:
                said.append(f"{start} {_change(leg.gain.value, found.base)} in RMSE ({_limits(leg)}); "
                            f"{_tests(leg)}, {leg.gain.n} origins.")
    return said


def _limits(leg: Leg) -> str:
    lower, upper = leg.gain.limit(SURE), leg.gain.limit(1.0 - RULED_OUT)
    below = f"a gain above {_signed(lower)} % for {100 * SURE:.0f} %" if np.isfinite(lower) else "no lower limit"
    return f"{below}, below {_signed(upper)} % for {100 * RULED_OUT:.0f} % sure"


def _tests(leg: Leg) -> str:
    said = f"Diebold–Mariano {p_text(leg.two_sided)}"
    if np.isfinite(leg.textbook) and p_text(leg.textbook) != p_text(leg.two_sided):
        said += f" (with the textbook's rectangular variance, as in R, {p_text(leg.textbook)})"
    return said + (f", Clark–West {p_text(leg.clark_west)}" if np.isfinite(leg.clark_west) else "")


def _floor(table: pd.DataFrame) -> tuple[str, bool]:
    """Compare the best fitted model with the best naive row; also whether the fitted one is ahead."""
    rmsse = {model: value for model, value in _column(table, "rmsse").items() if np.isfinite(value)}
    naive = {model: value for model, value in rmsse.items() if model in NAIVE}
    fitted = {model: value for model, value in rmsse.items() if model not in NAIVE}
    if not naive or not fitted:
        return "", True
    floor, best = min(naive, key=lambda model: naive[model]), min(fitted, key=lambda model: fitted[model])
    if fitted[best] < naive[floor]:
        return (f"The best fitted model over all horizons, the {plain(best)}, has "
                f"{100 * (1 - fitted[best] / naive[floor]):.1f} % lower RMSE than the best of the naive rows, the "
                f"{plain(floor)}."), True
    return (f"But mind the floor: no fitted model beats the {plain(floor)} over all horizons; the RMSE of the best of "
            f"them, the {plain(best)}, is {_higher(fitted[best], naive[floor])}."), False


def _higher(value: float, than: float) -> str:
    """Return by how much an error is the higher one; a floor of exactly 0 leaves no ratio."""
    return f"{100 * (value / than - 1):.1f} % higher" if than > 0 else "higher"


def _oracle(gap: pd.DataFrame | None) -> str:
    if gap is None:
        return ""
    first = {row["model"]: row for row in gap[gap["step"] == gap["step"].min()].to_dict("records")}
    rungs = [model for model in NESTED[1:] if model in first]
    if not rungs or not np.isfinite(first[rungs[0]]["gap_closed"]):
        return "The process is simulated, and the VAR did as well as its best possible forecast: no gap to close."
    base = first["VAR"]
    shares = " and ".join(f"the {plain(model)} closes {100 * first[model]['gap_closed']:.0f} %" for model in rungs)
    return (f"The process is simulated, so the best possible forecast is known: {_steps([base['step']])} the VAR's "
            f"RMSE is {100 * (base['rmsse'] / base['oracle'] - 1):.1f} % above it, and of that gap {shares}.")


def _bands(table: pd.DataFrame, checks: Mapping[str, CoverageCheck]) -> list[str]:
    """Say what share of the outcomes the 90 % bands held, and where that is far from 90 what helps."""
    coverage = _column(table, "coverage_90")
    held = [f"the {plain(model)} {100 * coverage[model]:.0f} %" for model in RUNGS
            if np.isfinite(coverage.get(model, np.nan))]
    said = [f"Share of outcomes inside the 90 % bands: {', '.join(held)}."] if held else []
    far = {model: check for model, check in checks.items() if model in RUNGS and check.valid
           and abs(check.held - check.coverage) >= FAR and check.pvalue < LEVEL}
    for narrow, word in ((True, "too narrow"), (False, "wider than need be")):
        models = [model for model, check in far.items() if (check.held < check.coverage) == narrow]
        if models:
            check = far[models[0]]
            which = _and([plain(model) for model in models])
            said.append(f"Mind the bands: those of the {which} are {word} beyond chance over all steps "
                        f"({100 * check.lower:.0f} to {100 * check.upper:.0f} % would be within it); "
                        f"Conformal({models[-1]}()) sets them by its own past errors, with method='adaptive' "
                        "where the spread changes.")
    return said


def band_checks(ledger: Ledger) -> dict[str, CoverageCheck]:
    """Compare what each model's 90 % bands held, over all steps and series, with what chance allows.

    Bands of few sample paths are too narrow by themselves, .9 (m − 1)/(m + 1) of m paths, and are not judged.
    """
    from varnn.evaluate.calibration import coverage_check  # scipy.stats is heavy

    if int(ledger.meta.get("n_paths", FEW_PATHS)) < FEW_PATHS:
        return {}
    table = ledger.forecasts[ledger.forecasts["model"] != ORACLE]
    known = table["lower_90"].notna() & table["observed"].notna()
    inside = (table["observed"] >= table["lower_90"]) & (table["observed"] <= table["upper_90"])
    overlap = -(-int(table["step"].max()) // int(ledger.meta["windows"]["step"]))
    checks = {}
    for model, rows in table.assign(known=known, inside=inside).groupby("model", sort=False):
        whole = rows.groupby("origin")["known"].transform("all")
        judged = rows.loc[whole, "inside"].to_numpy()
        origins = rows.loc[whole, "origin"].nunique()
        if origins:
            checks[str(model)] = coverage_check(judged.reshape(origins, -1), 0.9, horizon=overlap)
    return checks


def _failures(table: pd.DataFrame) -> list[str]:
    said, judged = list[str](), _column(table, "rmsse")
    for model, count in _column(table, "failed").items():
        if count > 0:
            where = f"The {plain(model)} gave no forecast at {int(count)} origin{'s' if count > 1 else ''}"
            said.append(
                f"{where}; these are left out of every comparison and listed below." if np.isfinite(judged[model]) else
                f"{where}, too many for its errors to be set beside the others'; the reasons are listed below.")
    return said


def _models(table: pd.DataFrame) -> list[str]:
    return [str(model) for model in table.index]


def _column(table: pd.DataFrame, name: str) -> dict[str, float]:
    return dict(zip(_models(table), table[name].astype(float).tolist(), strict=True))


def _change(skill: float, base: str) -> str:
    if abs(skill) < EQUAL:
        return f"as good as the {plain(base)}"
    return f"{abs(skill):.1f} % {'better' if skill > 0 else 'worse'} than the {plain(base)}"


def _steps(steps: Iterable[int]) -> str:
    """Return "at 1, 2 and 4 steps ahead"; more than two in a row are "at 2 to 6 steps ahead"."""
    known = sorted({int(step) for step in steps})
    if len(known) > 2 and known == list(range(known[0], known[-1] + 1)):
        return f"at {known[0]} to {known[-1]} steps ahead"
    listed = ", ".join(map(str, known[:-1])) + (" and " if len(known) > 1 else "") + str(known[-1])
    return f"at {listed} step{'s' if known != [1] else ''} ahead"
