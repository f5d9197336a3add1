"""A comparison in plain sentences: is a VAR enough, does a recurrent net earn its keep, is that luck.

Called by `Comparison.verdict`; reads tables only, never data or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from varnn.estimate.innovation import no_news
from varnn.evaluate.ledger import ORACLE, Ledger
from varnn.evaluate.significance.pairwise import p_text
from varnn.evaluate.significance.ranks import holm
from varnn.evaluate.tables import NESTED, reference

SIGNIFICANT = 0.05
EQUAL = 0.05  # % of RMSE within which two models are called equally good
LARGE_GAIN = 5.0  # % of RMSE from which "not beyond chance" is no reason to say that a VAR is enough
PLAIN = {"VAR": "VAR", "ShrunkVAR": "shrunken VAR", "LinearRNN": "linear RNN", "TanhRNN": "tanh RNN",
         "Naive": "naive forecast", "SeasonalNaive": "seasonal naive forecast", "Mean": "sample mean",
         "Drift": "drift forecast"}
NAIVE = ("Naive", "SeasonalNaive", "Mean", "Drift")
NO_WIDTH = 1e-6  # of the RMSSE yardstick
TEST = "Diebold–Mariano with Holm's correction"


def sentences(table: pd.DataFrame, horizons: pd.DataFrame, gap: pd.DataFrame | None) -> list[str]:
    """Return the verdict, most important sentence first.

    Parameters
    ----------
    table : DataFrame
        `board.overall`.
    horizons : DataFrame
        `board.by_horizon`.
    gap : DataFrame, optional
        `board.oracle_gap`.
    """
    answer, (floor, above) = _answer(table, horizons), _floor(table)
    first, later = (answer, floor) if above else (f"{answer} {floor}".strip(), "")
    said = [first, *_each_rung(horizons), later, _oracle(gap), _bands(table), *_failures(table)]
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
    return (f"Mind the inputs: {_and(list(map(repr, leak['columns'])))} tell{'s' if one else ''} "
            f"{100 * leak['share']:.0f} % of what is new in {what if single else f'a combination of {what}'} {when}; "
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


def _answer(table: pd.DataFrame, horizons: pd.DataFrame) -> str:
    """Say whether a recurrent rung beats the VAR beyond chance, over all steps together or at some of them."""
    skill = {model: gain for model, gain in _column(table, "skill").items() if np.isfinite(gain)}
    rungs = [model for model in NESTED[1:] if model in skill]
    if reference(_models(table)) != "VAR" or not rungs:
        return ""
    tested = _corrected(table, horizons, rungs)
    if all(family.empty for family in tested):
        return "There are too few forecast origins to test whether a recurrent net beats the VAR."
    whole, each = (family.query("p < @SIGNIFICANT").sort_values("skill") for family in tested)
    count = horizons["step"].nunique()
    together = _steps(horizons["step"]) if count == 1 else f"over all {count} horizons together"
    won, won_at = (sure[sure["skill"] > 0].to_dict("records") for sure in (whole, each))
    if won:
        top = won[-1]
        steps = [row["step"] for row in won_at if row["model"] == top["model"]]
        alone = f", and beyond chance by itself {_steps(steps)}" if steps and count > 1 else ""
        return (f"A recurrent net earns its keep: {together} the {plain(top['model'])} beat the VAR beyond chance, by "
                f"{top['skill']:.1f} % in RMSE ({TEST}, {p_text(top['p'])}){alone}.")
    if won_at:
        top = won_at[-1]
        steps = [row["step"] for row in won_at if row["model"] == top["model"]]
        return (f"A recurrent net earns its keep: the {plain(top['model'])} beat the VAR beyond chance "
                f"{_steps(steps)}, by up to {top['skill']:.1f} % in RMSE ({TEST}, {p_text(top['p'])}).")
    best = max(rungs, key=lambda model: skill[model])
    where = "" if count == 1 else f" at any of the {count} horizons or over all of them"
    lead = (f"A VAR is enough here: no recurrent net beat it beyond chance{where} ({TEST})." if skill[best] < LARGE_GAIN
            else f"Not settled: no recurrent net beat the VAR beyond chance{where} ({TEST}), though the gain is large; "
                 "more origins would tell.")
    place = "came closest" if skill[best] < EQUAL else "did best"
    over = "" if count == 1 else " over all of them"
    return f"{lead} The {plain(best)} {place}: {_change(skill[best])}{over}.{_lost(whole, each, together)}"


def _corrected(table: pd.DataFrame, horizons: pd.DataFrame, rungs: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tests of the rungs against the VAR, over all steps together and at each step, with p corrected.

    By Holm within each of the two families, and doubled for there being two; with one step both are the same test
    and only the first is made.
    """
    several = len(set(horizons["step"])) > 1
    families = (table.rename_axis("model").reset_index(), horizons if several else horizons.iloc[:0])
    tested = [family[family["model"].isin(rungs) & family["dm_p"].notna()] for family in families]
    whole, each = (family.assign(p=np.minimum(1.0, (1 + several) * holm(family["dm_p"].to_numpy())))
                   if len(family) else family.assign(p=np.nan) for family in tested)
    return whole, each


def _lost(whole: pd.DataFrame, each: pd.DataFrame, together: str) -> str:
    """Say which rungs did worse than the VAR beyond chance, and where."""
    said = []
    for model in NESTED[1:]:
        steps = each.loc[(each["model"] == model) & (each["skill"] < 0), "step"].tolist()
        if ((whole["model"] == model) & (whole["skill"] < 0)).any():
            said.append(f" The {plain(model)} did worse than the VAR beyond chance {together}.")
        elif steps:
            said.append(f" The {plain(model)} did worse than the VAR beyond chance {_steps(steps)}.")
    return "".join(said)


def _each_rung(horizons: pd.DataFrame) -> list[str]:
    said = []
    for model in [model for model in NESTED[1:] if model in set(horizons["model"])]:
        rows = horizons[(horizons["model"] == model) & horizons["dm_p"].notna()].to_dict("records")
        for row in rows[:1] + rows[1:][-1:]:
            nested = f", Clark–West {p_text(row['cw_p'])}" if np.isfinite(row["cw_p"]) else ""
            interval = "too few origins for an interval"
            if np.isfinite(row["skill_lower"]):
                interval = f"95 % interval of the gain {row['skill_lower']:.1f} to {row['skill_upper']:.1f} %"
            said.append(f"{_steps([row['step']]).capitalize()} the {plain(model)} is {_change(row['skill'])} in RMSE "
                        f"({interval}); "
                        f"Diebold–Mariano {p_text(row['dm_p'])}{nested}, {row['n']} origins.")
    return said


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


def _bands(table: pd.DataFrame) -> str:
    coverage = _column(table, "coverage_90")
    held = [f"the {plain(model)} {100 * coverage[model]:.0f} %" for model in NESTED
            if np.isfinite(coverage.get(model, np.nan))]
    return f"Share of outcomes inside the 90 % bands: {', '.join(held)}." if held else ""


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


def _change(skill: float) -> str:
    if abs(skill) < EQUAL:
        return "as good as the VAR"
    return f"{abs(skill):.1f} % {'better' if skill > 0 else 'worse'} than the VAR"


def _steps(steps: Iterable[int]) -> str:
    """Return "at 1, 2 and 4 steps ahead"; more than two in a row are "at 2 to 6 steps ahead"."""
    known = sorted({int(step) for step in steps})
    if len(known) > 2 and known == list(range(known[0], known[-1] + 1)):
        return f"at {known[0]} to {known[-1]} steps ahead"
    listed = ", ".join(map(str, known[:-1])) + (" and " if len(known) > 1 else "") + str(known[-1])
    return f"at {listed} step{'s' if known != [1] else ''} ahead"
