"""The gain over the VAR taken apart: least squares → shrinkage → memory → tanh units, one step of the ladder each.

Called by `Comparison.staircase`, the verdict and the report; reads the ledger only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from varnn.evaluate.ledger import Ledger
from varnn.evaluate.significance.long_run_variance import (
    FEWEST_ORIGINS,
    ROUNDING,
    cosine_terms,
    kernel_for,
    long_run_variance,
)
from varnn.evaluate.tables import Losses, mean_square
from varnn.series import FloatArray

LADDER = {"VAR": "", "ShrunkVAR": "shrinkage", "LinearRNN": "memory", "TanhRNN": "tanh units"}
COLUMNS = ("steps", "model", "below", "part", "gain", "lower", "upper", "kept", "refits", "n")
NOTHING = {"LinearRNN": "no memory", "TanhRNN": "no tanh unit"}  # in the notes of a fit that kept none


def staircase(ledger: Ledger, losses: Losses | None = None) -> pd.DataFrame:
    """Return what each rung adds to the one below it, as a share of the VAR's RMSE.

    With RMSE_0 of the VAR and RMSE_r of the rungs above it, rung r gains 100 (RMSE_{r−1} − RMSE_r)/RMSE_0 percent, so
    that the gains add up to that of the highest rung.  The 95 % interval is the gain ± a Student quantile times its
    error, both as in the Diebold–Mariano test that the verdict rests on.

    Parameters
    ----------
    ledger : Ledger
    losses : Losses, optional
        Those of the ledger, where they are known already.

    Returns
    -------
    DataFrame
        One row a rung, first one step ahead and then over all steps: steps ("first" or "all"), model, below, part (what
        the rung adds), gain, lower, upper (NaN with too few origins), kept (re-estimations that kept any of it) of
        refits, n. Empty without the VAR, or with fewer than two rungs.

    Examples
    --------
    >>> from varnn import compare
    >>> y = np.random.default_rng(0).normal(size=(90, 1)).cumsum(axis=0)
    >>> table = compare(y, horizon=1, models=["VAR", "ShrunkVAR"], origins=20).staircase
    >>> table[["model", "part"]].to_numpy().tolist()
    [['ShrunkVAR', 'shrinkage']]
    """
    losses = Losses.of(ledger) if losses is None else losses
    counted = dict(zip(losses.models, losses.counted.tolist(), strict=True))
    rungs = [model for model in LADDER if counted.get(model, False)]
    if not rungs or rungs[0] != "VAR" or len(rungs) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = []
    positions = [0, None] if len(losses.steps) > 1 else [0]
    for position in positions:
        squares = _squares(losses, rungs, position)
        overlap = max(losses.overlap) if position is None else losses.overlap[position]
        for at in range(1, len(rungs)):
            gain, lower, upper = _gain(squares[:, [at - 1, at, 0]], overlap)
            kept, refits = _kept(ledger, rungs[at])
            rows.append(("all" if position is None else "first", rungs[at], rungs[at - 1], _part(rungs, at), gain,
                         lower, upper, kept, refits, len(squares)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _part(rungs: list[str], at: int) -> str:
    """Name what lies between two rungs that were compared; a rung left out hands its part on."""
    ladder = list(LADDER)
    between = ladder[ladder.index(rungs[at - 1]) + 1:ladder.index(rungs[at]) + 1]
    return " and ".join(LADDER[model] for model in between)


def _squares(losses: Losses, rungs: list[str], position: int | None) -> FloatArray:
    """Return the mean squared error of every rung at the origins that all have in common, (n, rungs)."""
    return np.column_stack([mean_square(losses.pair(model, "VAR", position)[0]) for model in rungs])


def _gain(squares: FloatArray, overlap: int) -> tuple[float, float, float]:
    """Return the gain of the second column over the first, in percent of the third's RMSE, with its 95 % interval.

    By the influence of each origin on the gain, and the variance and Student quantile of the Diebold–Mariano test.
    """
    n = len(squares)
    if n == 0 or not (squares.mean(axis=0) > 0).all():
        return float("nan"), float("nan"), float("nan")
    below, above, base = np.sqrt(squares.mean(axis=0))
    gain = float(100.0 * (below - above) / base)
    relative = squares / squares.mean(axis=0)
    if np.abs(relative[:, 0] - relative[:, 1]).max() <= ROUNDING:
        return 0.0, 0.0, 0.0
    if n < max(FEWEST_ORIGINS, overlap + 2):
        return gain, float("nan"), float("nan")
    kernel = kernel_for("auto", overlap)
    influence = 50.0 * (below * (relative[:, 0] - relative[:, 2]) - above * (relative[:, 1] - relative[:, 2])) / base
    variance = float(long_run_variance(influence[:, None], overlap, kernel)[0, 0])
    freedom = cosine_terms(n) if kernel == "cosine" else n - 1
    correction = 1.0 if kernel == "cosine" else (n - 1) / n
    spread = float(special.stdtrit(freedom, 0.975)) * float(np.sqrt(variance / (n * correction)))
    return gain, gain - spread, gain + spread


def _kept(ledger: Ledger, model: str) -> tuple[int, int]:
    """Return at how many re-estimations a rung kept what it adds, and of how many."""
    fits = ledger.fits[(ledger.fits["model"] == model) & ledger.fits["refit"].astype(bool)]
    notes = fits["notes"].astype(str)
    known = notes[notes != ""]
    absent = known.str.split(";").str[0].str.contains(NOTHING[model]) if model in NOTHING else known == ""
    return int((~absent).sum()), len(known)


def taken_apart(table: pd.DataFrame) -> str:
    """Say in a sentence what the gain of the highest rung over the VAR is made of, over all steps.

    Examples
    --------
    >>> row = ("first", "ShrunkVAR", "VAR", "shrinkage", 5.3, 1.0, 9.5, 4, 4, 30)
    >>> taken_apart(pd.DataFrame([row], columns=list(COLUMNS)))
    'Of the 5.3 % that the ladder gains on least squares at the first step, shrinkage gives 5.3 (95 % \
interval 1.0 to 9.5).'
    """
    if table.empty or not np.isfinite(table["gain"]).all():
        return ""
    over = "all" if (table["steps"] == "all").any() else "first"
    rows = table[table["steps"] == over].to_dict("records")
    total = sum(row["gain"] for row in rows)
    parts = []
    for row in rows:
        interval = "" if not np.isfinite(row["lower"]) or row["lower"] == row["upper"] else (
            f" (95 % interval {_signed(row['lower'])} to {_signed(row['upper'])}"
            + (f"; kept at {row['kept']} of {row['refits']} re-estimations)"
               if row["model"] in NOTHING and row["refits"] else ")"))
        none = " (none kept)" if row["refits"] and not row["kept"] else ""
        parts.append(f"{row['part']} {'give' if row['part'].endswith('s') else 'gives'} {_signed(row['gain'])}"
                     f"{interval or none}")
    where = "over all steps" if over == "all" else "at the first step"
    verb = "gains on" if total >= 0 else "loses to"
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of the {abs(total):.1f} % that the ladder {verb} least squares {where}, {listed}."


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return f"−{text}" if value < 0 and text != "0.0" else text
