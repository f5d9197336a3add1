"""Fan charts of US macrodata for every rung, side by side: `python benchmarks/fan_charts.py`.

Growth of GDP, consumption and investment to 2006Q3, forecast for 12 quarters through the crisis; bands of 50, 80, 95 %.
Writes benchmarks/results/coverage/fan_charts.png.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from varnn.data import load
from varnn.models import catalogue

OUT = Path(__file__).parent / "results" / "coverage" / "fan_charts.png"
LAST, HORIZON, SHOWN = "2006Q3", 12, 32
BANDS = ((0.95, "0.88"), (0.8, "0.78"), (0.5, "0.66"))


def main() -> None:
    """Fit, forecast and draw."""
    y = load("macrodata").frame.rename(columns={"realgdp": "GDP", "realcons": "consumption", "realinv": "investment"})
    models = catalogue()
    rungs = [("mean", models["Mean"]()), ("VAR", models["VAR"]()), ("linear RNN", models["LinearRNN"]()),
             ("tanh RNN", models["TanhRNN"]()), ("GRU", models["GRU"]())]
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    panels = figure.subplots(y.shape[1], len(rungs), sharex=True, sharey="row")
    for column, (label, model) in enumerate(rungs):
        outlook = model.fit(y.loc[:LAST]).forecast(HORIZON, n_paths=10_000)
        past = y.loc[:LAST].iloc[-SHOWN:]
        after = y.loc[LAST:].iloc[:HORIZON + 1]
        steps = np.arange(SHOWN, SHOWN + HORIZON)
        for row, name in enumerate(y.columns):
            axes = panels[row, column]
            for coverage, shade in BANDS:
                low, high = outlook.interval(coverage)
                axes.fill_between(steps, low[name], high[name], color=shade, lw=0,
                                  label=f"{100 * coverage:g} %")
            axes.plot(np.arange(SHOWN), past[name], color="black", lw=0.9)
            axes.plot(np.arange(SHOWN - 1, SHOWN + len(after) - 1), after[name], color="tab:red", lw=1.1, label="came")
            axes.plot(steps, outlook.mean[name], color="black", ls="--", lw=1, label="mean")
            if row == 0:
                axes.set_title(label, loc="left", fontsize=9)
            if column == 0:
                axes.set_ylabel(f"{name}, % a quarter", fontsize=8)
            axes.tick_params(labelsize=7)
    ticks = np.arange(0, SHOWN + HORIZON, 12)
    dates = pd.period_range(past.index[0], periods=SHOWN + HORIZON, freq="Q")
    panels[-1, 0].set_xticks(ticks, [str(dates[tick]) for tick in ticks])
    panels[0, 0].legend(fontsize=6, frameon=False, loc="lower left", ncols=2)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(OUT, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
