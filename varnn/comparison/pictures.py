"""Pictures of comparisons: gains by step, over many series, and the evidence of each rung.

Called by the `plot` methods of `Comparison`, `PanelComparison` and `Climb`; computes nothing. A model looks as it does
in the report: told apart by colour, and without colour by dashes and marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from varnn.display import together
from varnn.picture import INK, MUTED, Picture, legend_outside, styled
from varnn.writing import literal


def gain_lines(by_horizon: pd.DataFrame, reference: str) -> Picture:
    """Draw the skill of each model against the steps ahead, the reference at zero."""
    from matplotlib.figure import Figure

    from varnn.report.canvas import COLOURS, NAIVE, styles

    table = by_horizon.reset_index()
    models = [str(model) for model in table["model"].unique() if model != reference]
    looks, far = styles(models), []
    near = [0.0, *table.loc[table["model"].isin(set(models) - set(NAIVE)), "skill"]]
    room = 0.25 * (max(near) - min(near)) or 1.0
    with styled():
        figure = Figure(figsize=(7.0, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0.0, color=INK, lw=0.8)
        for model in models:
            rows, look = table[table["model"] == model], looks[model]
            if model in NAIVE and len(near) > 1 and rows["skill"].max() < min(near) - room:
                far.append(model)  # the floor would flatten everything else
                continue
            axes.plot(rows["step"], rows["skill"], color=COLOURS[look.colour], linestyle=look.line, lw=look.weight,
                      marker=look.marker, ms=4, label=literal(model))
        axes.set_xticks(sorted(table["step"].unique()) if table["step"].nunique() <= 12 else axes.get_xticks())
        if len(near) > 1:
            axes.set_ylim(min(near) - room, None)
        below = f" (below the picture: {together(far)})" if far else ""
        axes.set(xlabel=f"steps ahead{below}", ylabel=literal(f"RMSE below that of {reference}, %"))
        legend_outside(figure, axes, columns=4)
    return Picture.of(axes, f"Gain in RMSE over {reference} in percent, by steps ahead: {_means(table, models)}.")


def gain_intervals(table: pd.DataFrame, reference: str) -> Picture:
    """Draw the gain of each model over many series with its 95 % interval, the reference at zero."""
    shown = table.drop(index=reference)
    reach = [shown["gain"] - shown["gain_lower"], shown["gain_upper"] - shown["gain"]]
    axes = _dots([str(name) for name in shown.index], shown["gain"].to_numpy(), reach,
                 f"RMSSE below that of {reference}, %, with 95 % intervals over members")
    said = ", ".join(f"{name} {gain:+.1f}" for name, gain in shown["gain"].items())
    return Picture.of(axes, f"Gain in RMSSE over {reference} in percent, with 95 % intervals over members: {said}.")


def evidence_dots(evidence: pd.DataFrame, chosen: str) -> Picture:
    """Draw the log evidence of each rung less that of the first, the chosen one named."""
    values = evidence["log evidence"]
    axes = _dots([str(name) for name in values.index], (values - values.iloc[0]).to_numpy(), None,
                 f"log evidence less that of {values.index[0]} (chosen: {chosen})")
    said = ", ".join(f"{name} {value:.1f}" for name, value in values.items())
    return Picture.of(axes, f"Log evidence of each rung: {said}. Chosen: {chosen}.")


def _dots(names: Sequence[str], values: Any, reach: Any, across: str) -> Any:
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(7.0, 0.9 + 0.35 * len(names)), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(names))[::-1]
        axes.axvline(0.0, color=MUTED, lw=0.8)
        axes.errorbar(values, places, xerr=reach, fmt="o", color=INK, ms=5, capsize=3, lw=1.2)
        axes.set_yticks(places, [literal(name) for name in names])
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel(literal(across))
    return axes


def _means(table: pd.DataFrame, models: Sequence[str]) -> str:
    means = table.groupby("model")["skill"].mean()
    return ", ".join(f"{model} {means[model]:+.1f} on average" for model in models)
