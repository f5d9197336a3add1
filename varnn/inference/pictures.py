"""Impulse responses and variance decompositions as grids of small pictures, told apart without colour.

Called by `ImpulseResponses.plot` and `VarianceDecomposition.plot`; computes nothing. Figures are matplotlib's, made
without pyplot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from varnn.series import FloatArray
from varnn.writing import literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 1.9    # inches of one picture
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")


def response_grid(responses: FloatArray, names: Sequence[str], label: str, reach: FloatArray | None = None) -> Figure:
    """Draw responses (h + 1, k, k), series i in row i to shock j in column j, with bands of ± `reach`."""
    from matplotlib.figure import Figure

    steps, k = np.arange(len(responses)), len(names)
    figure = Figure(figsize=(SIDE * 1.3 * k + 0.6, SIDE * k + 0.6), layout="constrained")
    grid = figure.subplots(k, k, sharex=True, squeeze=False)
    for i in range(k):
        for j in range(k):
            axes, line = grid[i, j], responses[:, i, j]
            axes.axhline(0.0, color="0.6", lw=0.8)
            if reach is not None:
                axes.fill_between(steps, line - reach[:, i, j], line + reach[:, i, j], color="0.85", lw=0)
            axes.plot(steps, line, color="black", lw=1.3)
            axes.set_title(literal(f"{names[j]} → {names[i]}"), fontsize=9, loc="left")
            axes.tick_params(labelsize=7)
    for axes in grid[-1]:
        axes.set_xlabel("steps after the shock", fontsize=8)
    band = "" if reach is None else ", with 95 % bands"
    figure.suptitle(f"{label}{band}", fontsize=9, x=0.01, ha="left")
    return figure


def share_bars(shares: FloatArray, names: Sequence[str]) -> Figure:
    """Draw shares of error variance (k, h, k), one picture a series, stacked by shock."""
    from matplotlib.figure import Figure

    k, horizon, _ = shares.shape
    figure = Figure(figsize=(6.4, 1.5 * k + 0.8), layout="constrained")
    panels = figure.subplots(k, 1, sharex=True, squeeze=False)[:, 0]
    steps = np.arange(1, horizon + 1)
    for i, axes in enumerate(panels):
        base = np.zeros(horizon)
        for j, name in enumerate(names):
            axes.bar(steps, shares[i, :, j], bottom=base, width=0.9, color=str(0.95 - 0.6 * j / max(k - 1, 1)),
                     edgecolor="black", lw=0.5, hatch=HATCHES[j % len(HATCHES)], label=literal(name))
            base = base + shares[i, :, j]
        axes.set_title(literal(f"error variance of {names[i]}"), fontsize=9, loc="left")
        axes.set_ylim(0, 1)
        axes.tick_params(labelsize=7)
    panels[-1].set_xlabel("steps ahead", fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="owed to shocks in", fontsize=7, title_fontsize=7, loc="outside right upper")
    return figure
