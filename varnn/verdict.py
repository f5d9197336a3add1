"""A comparison in plain sentences: is a VAR enough, does a recurrent net earn its keep, is that luck.

Called by `Comparison.verdict`; reads tables only, never data or models.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from varnn.evaluate.board import NESTED, reference
from varnn.evaluate.many_datasets import holm
from varnn.evaluate.pairwise import p_text

SIGNIFICANT = 0.05
LARGE_GAIN = 5.0  # % of RMSE from which "not beyond chance" is no reason to say that a VAR is enough
PLAIN = {"VAR": "VAR", "LinearRNN": "linear RNN", "TanhRNN": "tanh RNN", "Naive": "naive forecast",
         "SeasonalNaive": "seasonal naive forecast", "Mean": "sample mean", "Drift": "drift forecast"}
NAIVE = ("Naive", "SeasonalNaive", "Mean", "Drift")


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
    said = [_answer(table, horizons), *_each_rung(horizons), _floor(table), _oracle(gap), _bands(table),
            *_failures(table)]
    return [sentence for sentence in said if sentence]


def plain(model: str) -> str:
    """Return what sentences call a model.

    Examples
    --------
    >>> plain("TanhRNN")
    'tanh RNN'
    """
    return PLAIN.get(model, model)


def _answer(table: pd.DataFrame, horizons: pd.DataFrame) -> str:
    """Say whether a recurrent rung beats the VAR beyond chance, all steps and rungs tested together."""
    models = _models(table)
    rungs = [model for model in models if model in NESTED[1:]]
    if reference(models) != "VAR" or not rungs:
        return ""
    tested = horizons[horizons["model"].isin(rungs) & horizons["dm_p"].notna()]
    if tested.empty:
        return "There are too few forecast origins to test whether a recurrent net beats the VAR."
    sure = tested.assign(holm=holm(tested["dm_p"].to_numpy())).query("holm < @SIGNIFICANT")
    gains, worse = sure[sure["skill"] > 0], sure[sure["skill"] < 0]
    if len(gains):
        top = gains.sort_values("skill").to_dict("records")[-1]
        steps = gains.loc[gains["model"] == top["model"], "step"]
        return (f"A recurrent net earns its keep: the {plain(top['model'])} beat the VAR beyond chance "
                f"{_steps(steps)}, by up to {top['skill']:.1f} % in RMSE (Diebold–Mariano with Holm's correction, "
                f"{p_text(top['holm'])}).")
    skill = _column(table, "skill")
    best = max(rungs, key=lambda model: skill[model])
    also = "" if worse.empty else (f" The {' and the '.join(plain(m) for m in dict.fromkeys(worse['model']))} did "
                                   f"worse than the VAR beyond chance {_steps(worse['step'])}.")
    count = tested["step"].nunique()
    where = "" if count == 1 else f" at any of the {count} horizons"
    lead = (f"A VAR is enough here: no recurrent net beat it beyond chance{where}" if skill[best] < LARGE_GAIN else
            f"Not settled: no recurrent net beat the VAR beyond chance{where}, though the gain is large; more origins "
            "would tell")
    return (f"{lead} (Diebold–Mariano with Holm's correction). The {plain(best)} came closest: "
            f"{_change(skill[best])}{'' if count == 1 else ' over all of them'}.{also}")


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


def _floor(table: pd.DataFrame) -> str:
    rmsse = {model: value for model, value in _column(table, "rmsse").items() if np.isfinite(value)}
    naive = {model: value for model, value in rmsse.items() if model in NAIVE}
    fitted = {model: value for model, value in rmsse.items() if model not in NAIVE}
    if not naive or not fitted:
        return ""
    floor, best = min(naive, key=lambda model: naive[model]), min(fitted, key=lambda model: fitted[model])
    lead = 100 * (1 - fitted[best] / naive[floor])
    if lead <= 0:
        return (f"Mind the floor: the {plain(floor)} beats every fitted model over all horizons, the best of them (the "
                f"{plain(best)}) by {-lead:.1f} % in RMSE.")
    return (f"The best fitted model over all horizons, the {plain(best)}, has {lead:.1f} % lower RMSE than the best of "
            f"the naive rows, the {plain(floor)}.")


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
    return [f"The {plain(model)} gave no forecast at {int(count)} origins; these are left out of every comparison and "
            "listed below." for model, count in _column(table, "failed").items() if count > 0]


def _models(table: pd.DataFrame) -> list[str]:
    return [str(model) for model in table.index]


def _column(table: pd.DataFrame, name: str) -> dict[str, float]:
    return dict(zip(_models(table), table[name].astype(float).tolist(), strict=True))


def _change(skill: float) -> str:
    if abs(skill) < 0.05:
        return "as good as the VAR"
    return f"{abs(skill):.1f} % {'better' if skill > 0 else 'worse'} than the VAR"


def _steps(steps: Iterable[int]) -> str:
    listed = [str(int(step)) for step in sorted(set(steps))]
    return f"at {', '.join(listed)} step{'s' if listed != ['1'] else ''} ahead"
