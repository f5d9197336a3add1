"""Pictures of one fit: impulse responses, variance decompositions, residuals and roots, told apart without colour.

Called by the `plot` methods of fits and of results; computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from varnn.display import listed
from varnn.picture import INK, Picture, legend_outside, mark_dates, styled
from varnn.series import FloatArray
from varnn.writing import literal

if TYPE_CHECKING:
    import pandas as pd

SIDE = 1.9    # inches of one picture
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")


def response_grid(responses: FloatArray, names: Sequence[str], label: str,
                  limits: tuple[FloatArray, FloatArray] | None = None, *, first: int = 0) -> Picture:
    """Draw responses (h + 1, k, k), series i in row i to shock j in column j, with their lower and upper limits."""
    from matplotlib.figure import Figure

    steps, k = np.arange(first, first + len(responses)), len(names)
    band = "" if limits is None else ", with 95 % bands"
    with styled():
        figure = Figure(figsize=(SIDE * 1.3 * k + 0.6, SIDE * k + 0.6), layout="constrained")
        grid = figure.subplots(k, k, sharex=True, squeeze=False)
        for i in range(k):
            for j in range(k):
                axes, line = grid[i, j], responses[:, i, j]
                axes.axhline(0.0, color="0.6", lw=0.8)
                if limits is not None:
                    axes.fill_between(steps, limits[0][:, i, j], limits[1][:, i, j], color="0.85", lw=0)
                axes.plot(steps, line, color=INK, lw=1.3)
                axes.set_title(literal(f"{names[j]} → {names[i]}"), loc="left")
        for axes in grid[-1]:
            axes.set_xlabel("steps ahead" if first else "steps after the shock")
        figure.suptitle(f"{label}{band}", fontsize=9, x=0.01, ha="left")
    return Picture.of(grid, f"Grid of {listed(names)} by shocks to each, steps {first} to {steps[-1]}: {label}{band}.")


def share_bars(shares: FloatArray, names: Sequence[str]) -> Picture:
    """Draw shares of error variance (k, h, k), one picture a series, stacked by shock."""
    from matplotlib.figure import Figure

    k, horizon, _ = shares.shape
    steps = np.arange(1, horizon + 1)
    with styled():
        figure = Figure(figsize=(6.4, 1.5 * k + 0.8), layout="constrained")
        panels = figure.subplots(k, 1, sharex=True, squeeze=False)[:, 0]
        for i, axes in enumerate(panels):
            base = np.zeros(horizon)
            for j, name in enumerate(names):
                axes.bar(steps, shares[i, :, j], bottom=base, width=0.9, color=str(0.95 - 0.6 * j / max(k - 1, 1)),
                         edgecolor=INK, lw=0.5, hatch=HATCHES[j % len(HATCHES)], label=literal(name))
                base = base + shares[i, :, j]
            axes.set_title(literal(f"error variance of {names[i]}"), loc="left")
            axes.set_ylim(0, 1)
        panels[-1].set_xlabel("steps ahead")
        legend_outside(figure, panels[0], title="owed to shocks in")
    return Picture.of(panels, f"Shares of the forecast error variance of {listed(names)} owed to each shock, at 1 to "
                              f"{horizon} steps, as stacked bars.")


def fitted_lines(values: FloatArray, fitted: FloatArray, names: Sequence[str], dates: pd.Index) -> Picture:
    """Draw each series (T, k) as a line and its one-step predictions, (T', k) on the last rows, as dashes."""
    from matplotlib.figure import Figure

    rows = np.arange(len(values))
    with styled():
        figure = Figure(figsize=(7.0, 1.8 * len(names) + 0.5), layout="constrained")
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for j, (axes, name) in enumerate(zip(panels, names, strict=True)):
            axes.plot(rows, values[:, j], color=INK, lw=1.0, label="observed")
            axes.plot(rows[-len(fitted):], fitted[:, j], color="0.45", ls="--", lw=1.2,
                      label="predicted a step ahead")
            axes.set_title(literal(name), loc="left")
        mark_dates(panels[-1], dates)
        legend_outside(figure, panels[0])
    return Picture.of(panels, f"{listed(names)} over {len(values)} rows, with the predictions of the fit one step "
                              "ahead.")


def autocorrelation_bars(correlations: FloatArray, names: Sequence[str], rows: int) -> Picture:
    """Draw autocorrelations (L, k) of residuals at lags 1 … L, with ± 1.96/√rows, the limits of white noise."""
    from matplotlib.figure import Figure

    lags, limit = np.arange(1, len(correlations) + 1), 1.96 / np.sqrt(rows)
    with styled():
        figure = Figure(figsize=(6.4, 1.4 * len(names) + 0.6), layout="constrained")
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for j, (axes, name) in enumerate(zip(panels, names, strict=True)):
            axes.axhspan(-limit, limit, color="0.9", lw=0)
            axes.axhline(0.0, color="0.6", lw=0.8)
            axes.vlines(lags, 0.0, correlations[:, j], color=INK, lw=1.6)
            axes.plot(lags, correlations[:, j], "o", color=INK, ms=3)
            alike = ", which are all alike" if np.isnan(correlations[:, j]).all() else ""
            axes.set_title(literal(f"residuals of {name}{alike}"), loc="left")
        panels[-1].set_xlabel("lag (shaded: 95 % limits of white noise)")
    outside = int((np.abs(correlations) > limit).sum())
    return Picture.of(panels, f"Autocorrelations of the residuals of {listed(names)} at lags 1 to {len(lags)}; "
                              f"{outside} of {correlations.size} are beyond the 95 % limits of white noise.")


def root_circle(inverse: NDArray[np.complex128], names: Sequence[str]) -> Picture:
    """Draw inverse roots, complex, and the unit circle that they lie inside of where the recursion is stable."""
    from matplotlib.figure import Figure

    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    largest = float(np.abs(inverse).max(initial=0.0))
    with styled():
        figure = Figure(figsize=(4.2, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0.0, color="0.85", lw=0.8)
        axes.axvline(0.0, color="0.85", lw=0.8)
        axes.plot(np.cos(angle), np.sin(angle), color="0.6", lw=1.0)
        axes.plot(inverse.real, inverse.imag, "o", color=INK, ms=4)
        axes.set_aspect("equal")
        axes.set(xlabel="real part", ylabel="imaginary part")
        axes.set_title(f"inverse roots, the largest {largest:.3g} from 0", loc="left")
    return Picture.of(axes, f"Inverse roots of the recursion of {listed(names)} and the unit circle; the largest has "
                            f"modulus {largest:.3g}.")
