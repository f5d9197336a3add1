"""Exchange rates as LSTNet forecasts them: `python -m benchmarks.lstnet`.

Each of eight series over its largest value, 60/20/20 % of the rows, window 168, one forecast h = 3, 6, 12, 24 rows
ahead of every test row. RSE is the root mean squared error over the standard deviation of all test values, CORR the
correlation of forecasts and values averaged over series. Penalties and orders come from the first 80 % of the rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

from benchmarks.ltsf import iterated
from benchmarks.writing import LOOKS, PUBLISHED, Draw, markdown, pictured, write
from varnn.data import load
from varnn.models import by_name
from varnn.series import FloatArray

HORIZONS, WINDOW, SEASON = (3, 6, 12, 24), 168, 7
DIRECT: dict[str, dict[str, object]] = {
    "Direct": {"lookback": (84, WINDOW), "refit": False},
    "Direct AR(2) of each series": {"lookback": 2, "centring": "none", "pooled": False, "penalty": 0.0, "refit": False},
}
RUNGS: dict[str, tuple[str, dict[str, object]]] = {
    "VAR, iterated": ("VAR", {"lags": "bic"}),
    "LinearRNN(lags=1), iterated": ("LinearRNN", {"lags": 1}),
    "TanhRNN(lags=1, width=4), iterated": ("TanhRNN", {"lags": 1, "width": 4, "starts": 1}),
}


def errors(observed: FloatArray, forecast: FloatArray) -> dict[str, float]:
    """Return RSE and CORR of forecasts (N, k)."""
    rse = np.sqrt(((observed - forecast) ** 2).mean()) / observed.std()
    spread = observed.std(axis=0) * forecast.std(axis=0)
    both = ((observed - observed.mean(axis=0)) * (forecast - forecast.mean(axis=0))).mean(axis=0)
    moving = spread > 1e-12
    corr = float((both[moving] / spread[moving]).mean()) if moving.any() else float("nan")
    return {"rse": float(rse), "corr": corr, "rows": len(observed)}


def main() -> None:
    """Run the board and write it."""
    begun = time.perf_counter()
    y = load("exchange_rate_lstnet").frame.to_numpy(dtype=float)
    n = len(y)
    train, valid = int(0.6 * n), int(0.8 * n)
    size = np.abs(y).max(axis=0)
    scaled = y / size
    rows, seconds = [], []

    def add(model: str, horizon: int, made: Callable[[], FloatArray], fitting: float = 0.0) -> None:
        start = time.process_time()
        found = errors(y[valid:], made() * size)
        rows.append({"horizon": horizon, "model": model, **found})
        seconds.append({"horizon": horizon, "model": model, "fit": fitting, "forecasts": time.process_time() - start})
        print(f"{horizon} {model}: RSE {found['rse']:.4f} CORR {found['corr']:.4f}", flush=True)

    test = np.arange(valid, n)
    with threadpool_limits(1):
        fits, made = {}, {}
        for model, (kind, settings) in RUNGS.items():
            start = time.process_time()
            fits[model] = by_name(kind)(**settings).fit(scaled[:train])
            spent = time.process_time() - start
            made[model] = (iterated(fits[model], scaled, range(valid - max(HORIZONS) + 1, n), max(HORIZONS), WINDOW),
                           spent)
        for horizon in HORIZONS:
            add("Naive", horizon, lambda h=horizon: scaled[test - h])
            ago = SEASON * -(-horizon // SEASON)
            add(f"SeasonalNaive({SEASON})", horizon, lambda ago=ago: scaled[test - ago])
            add("Mean", horizon, lambda: np.broadcast_to(scaled[:train].mean(axis=0), (len(test), y.shape[1])))
            for model, settings in DIRECT.items():
                start = time.process_time()
                fit = by_name("Direct")(horizon=horizon, validation=valid - train, **settings).fit(scaled[:valid])
                spent = time.process_time() - start
                windows = sliding_window_view(scaled[valid - horizon + 1 - WINDOW:n - horizon], WINDOW, axis=0)
                add(model, horizon, lambda f=fit, w=windows: f.forecast_many(w.transpose(0, 2, 1))[:, -1], spent)
            for model, (paths, spent) in made.items():
                first = max(HORIZONS) - horizon
                add(model, horizon, lambda p=paths, f=first, h=horizon: p[f:f + len(test), h - 1], spent)
    board, spent_table = pd.DataFrame(rows), pd.DataFrame(seconds)
    print(write("lstnet", board, spent_table, page(board), "python -m benchmarks.lstnet", time.perf_counter() - begun,
                draw=draw(board), size=(9.0, 4.2)))


def draw(board: pd.DataFrame) -> Draw:
    """Return what draws RSE over that of the naive row, by horizon: ours left, quoted right."""
    published = pd.read_csv(PUBLISHED / "lstnet.csv")
    naive = board[board["model"] == "Naive"].set_index("horizon")["rse"]
    ours = board[~board["model"].isin(["Naive", "Mean", f"SeasonalNaive({SEASON})"])]

    def fill(figure: Figure) -> None:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, title, part in zip(panels, ("this run", "quoted"), (ours, published), strict=True):
            axes.axhline(0.0, color="black", lw=0.8)
            for (model, rows), look in zip(part.groupby("model", sort=False), LOOKS, strict=False):
                excess = 100 * (rows["rse"].to_numpy() / naive[rows["horizon"]].to_numpy() - 1)
                axes.plot(range(len(rows)), excess, label=model, **look)
            axes.set_xticks(range(len(naive)), [str(horizon) for horizon in naive.index])
            axes.set_title(title)
            axes.set_xlabel("days ahead")
            axes.legend(loc="upper left")
        panels[0].set_ylabel("RSE above that of the naive row (%)")

    return fill


def page(board: pd.DataFrame) -> str:
    """Return the page: what it teaches and the numbers beside the published ones."""
    published = pd.read_csv(PUBLISHED / "lstnet.csv")
    naive = board[board["model"] == "Naive"].set_index("horizon")["rse"].round(4)
    beaten = int((published.set_index("horizon")["rse"] > naive.reindex(published["horizon"]).to_numpy()).sum())
    both = pd.concat([board, published.assign(model=published["model"] + " *quoted*")])
    both["cell"] = [f"{rse:.4f} ({corr:.4f})" if np.isfinite(corr) else f"{rse:.4f}"
                    for rse, corr in zip(both["rse"], both["corr"], strict=True)]
    table = both.pivot_table(index="model", columns="horizon", values="cell", aggfunc="first", sort=False)
    return "\n".join([
        "# Exchange rates, the LSTNet task: nothing beats saying that nothing changes\n",
        "RSE (CORR) over all test rows; rows marked *quoted* are other people's numbers as printed, all others come "
        "from this run.\n",
        pictured("How much larger the error of each row is than that of saying that nothing changes."),
        f"**What it teaches.** The naive row is ahead of {beaten} of {len(published)} published cells on RSE. A board "
        "without it lets any network look good; the models here that may say \"no change\" learn to say nearly that.\n",
        markdown(table.reset_index())])


if __name__ == "__main__":
    main()
