"""The unrolled recursion as a picture: inputs, the state as a heat map, outputs, the loss under each step, W once.

Called by users with a fitted forecaster, or with any fit whose `unrolled(sequence)` gives what `Unrolled` holds. Draws
through matplotlib's Figure objects, never through pyplot, and leaves its settings alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from varnn.display import together
from varnn.errors import ParameterError, ShapeError
from varnn.forecaster import Fitted
from varnn.inference.memory import Memory
from varnn.picture import INK, MUTED, Picture, legend_outside, styled
from varnn.writing import literal

FloatArray = NDArray[np.float64]
MOST_STEPS = 40   # labels of more do not fit beside one another
LINES = ("solid", (0, (6, 2)), (0, (2, 2)), (0, (8, 2, 1, 2)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = "os^vDx"


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A recursion step by step.

    Attributes
    ----------
    inputs, outputs : tuple of str
        What enters and what is said at each of T steps; an output may be empty, as where only the last one counts.
    states : array (T, n)
        Outputs of the units.
    losses : array (T,)
        In `loss_unit`; NaN where nothing is asked.
    units : tuple of str
        Names of the n units, or () where they have none.
    loss_unit : str
    title : str
    """

    inputs: tuple[str, ...]
    states: FloatArray
    outputs: tuple[str, ...]
    losses: FloatArray
    units: tuple[str, ...] = ()
    loss_unit: str = "nats"
    title: str = ""

    def __post_init__(self) -> None:
        steps = len(self.states)
        if self.states.ndim != 2 or not steps or {len(self.inputs), len(self.outputs), len(self.losses)} != {steps}:
            raise ShapeError(f"states have shape {self.states.shape}, with {len(self.inputs)} inputs, "
                             f"{len(self.outputs)} outputs and {len(self.losses)} losses; give T of each, T >= 1")


def forecaster_unrolled(fit: Fitted, last: int = 12) -> Unrolled:
    """Return the last steps of a fitted forecaster: y_{t-1} in, its states, ŷ_t out, half the squared error as loss.

    The loss is ½ eₜᵀ Σ⁻¹ eₜ with the fit's own Σ, so that its mean is k/2 for a fit that knows its errors.
    """
    states, predicted = fit.states, fit.fittedvalues
    steps = min(last, len(states), len(predicted), len(fit.series) - 1)
    if steps < 1:
        raise ParameterError(f"last={last} leaves no step to draw; give at least 1")
    values, k = fit.series.values, fit.series.k
    errors = fit.resid.to_numpy()[-steps:]
    losses = 0.5 * np.einsum("ti,ij,tj->t", errors, np.linalg.inv(fit.sigma_u), errors)
    scale = values.std(axis=0)
    shown = states.to_numpy()[-steps:].copy()
    shown[:, :k] = (shown[:, :k] - values.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    return Unrolled(tuple(_numbers(row) for row in values[-steps - 1:-1]), shown,
                    tuple(_numbers(row) for row in predicted.to_numpy()[-steps:]), losses,
                    tuple(f"ŷ {name}" if i < k else name for i, name in enumerate(map(str, states.columns))),
                    "½ eᵀΣ⁻¹e", f"{fit.spec.label}: y at t−1 enters, the prediction of y at t comes out")


def plot_unrolled(fit: Any, sequence: Any = None) -> Picture:
    """Draw a fit unrolled over a sequence; over the last steps of its sample for a forecaster.

    Parameters
    ----------
    fit : Fitted, Unrolled, or a fit with a method `unrolled(sequence)`
    sequence : object, optional
        What it runs over; for a forecaster the number of steps, 12 when left out.

    Returns
    -------
    Picture
        Two matplotlib axes: the states as a heat map, and the losses under it.

    Examples
    --------
    >>> from varnn.models.rung1_var import VAR
    >>> heat, losses = plot_unrolled(VAR(lags=1).fit(np.random.default_rng(0).normal(size=(60, 2))), 8)
    >>> heat.get_ylabel()
    'unit'
    """
    if isinstance(fit, Unrolled):
        run = fit
    elif isinstance(fit, Fitted):
        run = forecaster_unrolled(fit, 12 if sequence is None else sequence)
    else:
        run = cast(Unrolled, fit.unrolled(sequence))
    if len(run.states) > MOST_STEPS:
        raise ParameterError(f"{len(run.states)} steps are too many for one picture, the most is {MOST_STEPS}; give a "
                             "shorter sequence or its last steps")
    with styled():
        return _drawn(run)


def plot_memory(memories: dict[str, Memory], title: str = "") -> Picture:
    """Draw ‖∂h_T/∂h_{T−j}‖ over j on a log axis, a line for each recursion with its rate in the legend.

    Examples
    --------
    >>> axes = plot_memory({"linear": Memory(np.log(0.9) * np.arange(51))})
    >>> axes.alt
    'What is left of a change j steps ago, on a log axis: linear -0.105 a step.'
    """
    with styled():
        figure = Figure(figsize=(7.5, 4.4), layout="constrained")
        axes = figure.subplots()
        for i, (name, memory) in enumerate(memories.items()):
            steps = np.arange(len(memory.log_norms))
            axes.plot(steps, memory.log_norms / np.log(10.0), color=INK if i % 2 == 0 else MUTED, ls=LINES[i % 6],
                      marker=MARKERS[i % 6], markevery=max(len(steps) // 8, 1), ms=4,
                      label=f"{literal(name)} ({memory.rate:+.3f} a step)")
        axes.axhline(0.0, color=MUTED, lw=0.6)
        axes.set(xlabel="steps back, j", ylabel="log₁₀ ‖∂h(T)/∂h(T−j)‖",
                 title=literal(title) or "What is left of a small change j steps ago")
        legend_outside(figure, axes, columns=2)
    return Picture.of(axes, "What is left of a change j steps ago, on a log axis: " + "; ".join(
        f"{name} {memory.rate:+.3f} a step" for name, memory in memories.items()) + ".")


def plot_regimes(true: ArrayLike, probabilities: dict[str, ArrayLike], title: str = "") -> Picture:
    """Draw the probability of regime 1 over time, a panel for each labeler, the true regime shaded behind it.

    Parameters
    ----------
    true : array (T,) of 0 and 1
    probabilities : mapping of str to array (T,)
        For instance of the oracle filter, of tanh units and of linear units.
    title : str

    Examples
    --------
    >>> plot_regimes([0, 1, 1], {"filter": [0.1, 0.8, 0.9], "tanh": [0.2, 0.7, 0.9]}).shape
    (2,)
    """
    regime = np.asarray(true, dtype=np.float64)
    with styled():
        figure = Figure(figsize=(8.0, 0.6 + 1.35 * len(probabilities)), layout="constrained")
        panels = np.atleast_1d(cast("Any", figure.subplots(len(probabilities), 1, sharex=True)))
        for axes, (name, values) in zip(panels, probabilities.items(), strict=True):
            axes.fill_between(np.arange(len(regime)), regime, step="mid", color="#d8dee4", lw=0)
            axes.plot(np.asarray(values), color=INK, lw=1.3)
            axes.set(ylim=(-0.03, 1.03), ylabel="P(regime 1)")
            axes.set_title(literal(name), loc="left")
        panels[-1].set_xlabel("step (shaded: the true regime is 1)")
        figure.suptitle(literal(title) or "Which regime? Probabilities from the past alone")
    return Picture.of(panels, f"Probability of regime 1 over {len(regime)} steps by {together(list(probabilities))}, "
                              "the true regime shaded.")


def plot_where_bending_pays(shares: dict[str, dict[str, tuple[float, float]]], title: str = "") -> Picture:
    """Draw a panel for each task: the share of the reachable gain that each cell gets, with two standard errors.

    Parameters
    ----------
    shares : mapping of task to mapping of cell to (share, standard error)
        0 is the baseline without a recursion, 1 the best that is known to be possible.
    title : str

    Examples
    --------
    >>> axes = plot_where_bending_pays({"XOR": {"linear": (0.01, 0.01), "tanh": (1.0, 0.001)}})
    >>> [label.get_text() for label in axes[0].get_xticklabels()]
    ['linear', 'tanh']
    """
    with styled():
        figure = Figure(figsize=(2.3 * max(len(shares), 2), 3.2), layout="constrained")
        panels = np.atleast_1d(cast("Any", figure.subplots(1, len(shares), sharey=True)))
        for axes, (task, cells) in zip(panels, shares.items(), strict=True):
            for at, (cell, (share, error)) in enumerate(cells.items()):
                axes.bar(at, share, color="white" if cell == "linear" else "#8a929c", edgecolor=INK,
                         hatch="///" if cell == "linear" else "")
                axes.errorbar(at, share, 2.0 * error, color=INK, capsize=3)
            axes.axhline(0.0, color=INK, lw=0.8)
            axes.axhline(1.0, color=MUTED, lw=0.8, ls=(0, (4, 3)))
            axes.set_xticks(range(len(cells)), [literal(cell) for cell in cells])
            axes.set_title(literal(task))
        panels[0].set_ylabel("share of the reachable gain")
        figure.suptitle(literal(title) or "Where does bending pay?")
    return Picture.of(panels, f"Share of the reachable gain of each cell, with two standard errors, in "
                              f"{together(list(shares))}.")


def _drawn(run: Unrolled) -> Picture:
    steps, n = run.states.shape
    wide = max(len(label) for label in (*run.inputs, *run.outputs)) > 3
    figure = Figure(figsize=(1.9 + (0.72 if wide else 0.55) * max(steps, 6), 4.9), layout="constrained")
    heat, loss = cast("tuple[Axes, Axes]", figure.subplots(2, 1, height_ratios=(2.6, 1.0)))
    reach = np.maximum(np.abs(run.states).max(axis=0), 1e-300)
    image = heat.imshow((run.states / reach).T, aspect="auto", cmap="gray_r", vmin=-1.0, vmax=1.0,
                        interpolation="nearest")
    figure.colorbar(image, ax=heat, label="state, share of the\nunit's largest here", pad=0.01)
    heat.set_ylabel("unit")
    if run.units and n <= 16:
        heat.set_yticks(range(n), [literal(unit) for unit in run.units])
    slant = 45 if wide else 0
    heat.xaxis.tick_top()
    heat.set_xticks(range(steps), [literal(text) for text in run.outputs], rotation=slant,
                    ha="left" if wide else "center")
    heat.tick_params(axis="x", length=0)
    heat.set_title("outputs", loc="left", fontsize=10, color=MUTED)
    heat.set_xlabel("one W for all steps:  h(t−1) → W → h(t)", color=MUTED)
    loss.bar(range(steps), np.nan_to_num(run.losses), color="#8a929c", edgecolor=INK, width=0.6)
    loss.set(ylabel=f"loss\n({literal(run.loss_unit)})", xlabel="inputs", xlim=(-0.5, steps - 0.5))
    loss.set_xticks(range(steps), [literal(text) for text in run.inputs], rotation=slant,
                    ha="right" if wide else "center")
    figure.suptitle(literal(run.title))
    return Picture.of([heat, loss], f"{run.title}: the states of {n} units over {steps} steps as greys, inputs below, "
                                    "outputs above, the loss of each step as bars.")


def _numbers(row: Sequence[float] | FloatArray) -> str:
    return " ".join(f"{value:.2g}" for value in row) if len(row) <= 2 else f"{row[0]:.2g} …"
