"""Other packages on the same windows, each in its own environment.

    python -m benchmarks.peers --with darts=/path/to/python --with nixtla=/path/to/python

`darts` needs darts with torch; `nixtla` needs statsforecast and neuralforecast; statsmodels' VARMAX runs here. This
file is run by the other interpreter too (`python benchmarks/peers.py PEER FOLDER`), where varnn need not be installed:
there it reads windows from CSV files and writes forecasts, seconds and versions. A model is estimated once on the first
70 % of the rows and forecasts four steps from every fourth row after that, seeing all rows before.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

H = STEP = 4
EPOCHS = (20, 100)
TASKS: dict[str, dict[str, Any]] = {
    "macrodata": {}, "lutkepohl_e1": {}, "us_change": {}, "hare_lynx": {}, "armacell_tar": {"n": 300},
    "lorenz63": {"n": 600}, "sunspots_monthly": {}}
SETTINGS = {
    "varnn": "defaults: orders, widths and penalties are the model's own choice; all series in one model",
    "statsmodels VARMAX(1,1)": "VARMA(1,1) with a constant by exact likelihood, at most 200 iterations, all series in "
                               "one model; an ARMA(1,1) where there is one series",
    "statsforecast AutoARIMA": "defaults (no season), each series alone",
    "darts RNNModel": "a plain RNN, 16 units, input 12 rows, training length 24, Adam 0.01, batch 32, seed 0, "
                      "standardised, all series in one network",
    "neuralforecast RNN": "one encoder layer of 16 units, input 12 rows, scaler \"standard\", Adam 0.01, 100 steps, "
                          "seed 0, one network for all series, each a sample of its own",
}
PACKAGES = ("statsmodels", "darts", "statsforecast", "neuralforecast", "torch")
Made = dict[str, tuple[np.ndarray, float]]
"""Model -> forecasts (N, h, k) and seconds of processor time."""


def origins(rows: int) -> tuple[int, list[int]]:
    """Return the rows to estimate on, and the rows seen at each origin."""
    first = int(0.7 * rows)
    return first, list(range(first, rows - H + 1, STEP))


def timed(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return what `make` returns, and the processor seconds it took, all threads together."""
    begun = time.process_time()
    made = make()
    return made, time.process_time() - begun


# --- each peer: values (T, k) -> forecasts ----------------------------------------------------------------------


def statsmodels_varmax(y: np.ndarray) -> Made:
    """VARMA(1,1) with a constant by exact likelihood; an ARMA(1,1) where there is one series."""
    from statsmodels.tsa.api import SARIMAX, VARMAX

    first, starts = origins(len(y))

    def make() -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")    # its own convergence and identification warnings: shown as a number here
            if y.shape[1] == 1:
                fit = SARIMAX(y[:first], order=(1, 0, 1), trend="c").fit(disp=False)
            else:
                fit = VARMAX(y[:first], order=(1, 1), trend="c").fit(disp=False, maxiter=200)
            return np.array([np.asarray(fit.apply(y[:start]).forecast(H)).reshape(H, -1) for start in starts])

    return {"statsmodels VARMAX(1,1)": timed(make)}


def darts(y: np.ndarray) -> Made:
    """RNNModel, all series in one network, standardised; the defaults but for width, step and epochs."""
    import logging

    import torch
    from darts import TimeSeries
    from darts.models import RNNModel

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    first, starts = origins(len(y))
    level, scale = y[:first].mean(axis=0), y[:first].std(axis=0)
    series = TimeSeries.from_values(((y - level) / scale).astype(np.float32))

    def make(epochs: int) -> np.ndarray:
        quiet = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False, "logger": False,
                 "enable_checkpointing": False}
        model = RNNModel(input_chunk_length=12, training_length=24, model="RNN", hidden_dim=16, n_epochs=epochs,
                         batch_size=32, random_state=0, optimizer_kwargs={"lr": 1e-2}, pl_trainer_kwargs=quiet)
        model.fit(series[:first], verbose=False)
        made = model.predict(H, series=[series[:start] for start in starts], verbose=False)
        return np.array([one.values() for one in made]) * scale + level

    return {f"darts RNNModel, {epochs} epochs": timed(lambda epochs=epochs: make(epochs)) for epochs in EPOCHS}


def nixtla(y: np.ndarray) -> Made:
    """statsforecast's AutoARIMA of each series, and neuralforecast's RNN, one network for all series."""
    import logging

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    from neuralforecast import NeuralForecast
    from neuralforecast.models import RNN
    from statsforecast import StatsForecast
    from statsforecast.models import AutoARIMA

    _, starts = origins(len(y))
    used = starts[-1] + H
    long = pd.concat([pd.DataFrame({"unique_id": f"s{j}", "ds": np.arange(used), "y": y[:used, j]})
                      for j in range(y.shape[1])])
    how = {"df": long, "step_size": STEP, "n_windows": len(starts), "refit": False}

    def tidy(table: pd.DataFrame, column: str) -> np.ndarray:
        wide = table.reset_index().pivot_table(index=["cutoff", "ds"], columns="unique_id", values=column)
        return wide.to_numpy().reshape(len(starts), H, -1)

    def arima() -> np.ndarray:
        models = StatsForecast([AutoARIMA()], freq=1, n_jobs=1)
        return tidy(models.cross_validation(h=H, **how), "AutoARIMA")

    def rnn(steps: int) -> np.ndarray:
        model = RNN(h=H, input_size=12, encoder_n_layers=1, encoder_hidden_size=16, decoder_hidden_size=16,
                    scaler_type="standard", max_steps=steps, learning_rate=1e-2, random_seed=0, accelerator="cpu",
                    enable_progress_bar=False, enable_model_summary=False, logger=False, enable_checkpointing=False)
        return tidy(NeuralForecast([model], freq=1).cross_validation(verbose=False, **how), "RNN")

    return {"statsforecast AutoARIMA": timed(arima), "neuralforecast RNN, 100 steps": timed(lambda: rnn(100))}


PEERS = {"statsmodels": statsmodels_varmax, "darts": darts, "nixtla": nixtla}


def forecast_all(peer: str, folder: Path) -> None:
    """Let a peer forecast every window in `folder`; writes <task>.<peer>.json beside them."""
    for path in sorted(folder.glob("*.csv")):
        found = PEERS[peer](np.loadtxt(path, delimiter=",", ndmin=2))
        text = json.dumps({model: [made.tolist(), seconds] for model, (made, seconds) in found.items()})
        path.with_suffix(f".{peer}.json").write_text(text, encoding="utf-8")
    installed = {one.metadata["Name"].lower(): one.version for one in importlib.metadata.distributions()}
    versions = {name: installed[name] for name in PACKAGES if name in installed}
    (folder / f"{peer}.versions").write_text(json.dumps(versions), encoding="utf-8")


# --- ours, and the board ----------------------------------------------------------------------------------------


def ours(y: np.ndarray, season: int) -> Made:
    """Return the forecasts of varnn's rungs, everything automatic."""
    from varnn.models import by_name

    first, starts = origins(len(y))
    kinds = ("Naive", "SeasonalNaive", "Mean", "VAR", "LinearRNN", "TanhRNN")
    models = {kind: by_name(kind)(**({"season": season} if kind == "SeasonalNaive" else {})) for kind in kinds}

    def make(kind: str) -> np.ndarray:
        fit = models[kind].fit(y[:first])
        return np.array([(fit if start == first else fit.update(y[first:start]))._mean(H, None) for start in starts])

    return {f"varnn {kind}": timed(lambda kind=kind: make(kind)) for kind in kinds}


def main() -> None:
    """Write the windows, let everyone forecast, score."""
    from benchmarks.writing import write
    from varnn.data import load

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="others", action="append", default=[], metavar="PEER=PYTHON")
    begun, folder = time.perf_counter(), Path("out") / "peers"
    interpreters = dict(other.split("=", 1) for other in parser.parse_args().others) | {"statsmodels": sys.executable}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.*"):
        old.unlink()
    values, seasons = {}, {}
    for name, options in TASKS.items():
        data = load(name, **options)
        values[name], seasons[name] = data.frame.to_numpy(dtype=float), data.season
        np.savetxt(folder / f"{name}.csv", values[name], delimiter=",", fmt="%.17g")
    for peer, python in interpreters.items():
        print(peer, flush=True)
        subprocess.run([python, __file__, peer, str(folder)], check=True)
    rows, seconds = [], []
    for name, y in values.items():
        found = ours(y, seasons[name])
        for peer in interpreters:
            told = json.loads((folder / f"{name}.{peer}.json").read_text(encoding="utf-8"))
            found |= {model: (np.array(made), spent) for model, (made, spent) in told.items()}
        first, starts = origins(len(y))
        observed = np.array([y[start:start + H] for start in starts])
        for model, (made, spent) in found.items():
            miss = (observed - made) / y[:first].std(axis=0)
            rows.append({"data": name, "model": model, "rmse": float(np.sqrt((miss**2).mean())),
                         "rmse_step_1": float(np.sqrt((miss[:, 0] ** 2).mean())), "mae": float(np.abs(miss).mean()),
                         "origins": len(starts)})
            seconds.append({"data": name, "model": model, "seconds": spent})
    board, spent_table = pd.DataFrame(rows), pd.DataFrame(seconds)
    versions = {name: version for peer in interpreters
                for name, version in json.loads((folder / f"{peer}.versions").read_text(encoding="utf-8")).items()}
    shapes = {name: f"{len(y)} × {y.shape[1]}" for name, y in values.items()}
    print(write("peers", board, spent_table, page(board, spent_table, versions, shapes), "python -m benchmarks.peers "
                + " ".join(f"--with {peer}=…" for peer in interpreters if peer != "statsmodels"),
                time.perf_counter() - begun, draw=lambda figure: draw(figure, board, spent_table), size=(9.0, 4.6)))


def relative(board: pd.DataFrame) -> pd.DataFrame:
    """Return RMSE over that of the naive row, models × data sets."""
    wide = board.pivot_table(index="model", columns="data", values="rmse", sort=False)
    return wide / wide.loc["varnn Naive"]


def draw(figure: Any, board: pd.DataFrame, seconds: pd.DataFrame) -> None:
    """Plot error against seconds, a mark a model, ours filled."""
    axes = figure.subplots()
    error = relative(board).median(axis=1)
    spent = seconds.groupby("model")["seconds"].sum()
    marks = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
    for model, mark in zip(error.sort_values().index, marks, strict=False):
        mine = model.startswith("varnn")
        axes.plot(spent[model], error[model], mark, color="black" if mine else "tab:blue", label=model, ms=7,
                  fillstyle="full" if mine else "none")
    axes.axhline(1.0, color="0.6", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set_xlabel("processor seconds, all data sets, estimation and forecasts")
    axes.set_ylabel("RMSE over that of the naive row\n(median over data sets)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")


def page(board: pd.DataFrame, seconds: pd.DataFrame, versions: dict[str, str], shapes: dict[str, str]) -> str:
    """Return the page: what it teaches and the numbers."""
    from benchmarks.writing import markdown, pictured

    wide = board.pivot_table(index="model", columns="data", values="rmse", sort=False)
    rank = wide.round(8).rank().mean(axis=1).rename("mean rank")
    error = relative(board).median(axis=1).map("{:.3f}".format).rename("over naive")
    spent = seconds.groupby("model")["seconds"].sum().rename("seconds, all data")
    table = pd.concat([wide.map("{:#.3g}".format), error, rank, spent], axis=1)
    table = table.sort_values("mean rank", kind="stable").reset_index(names="model")
    times = seconds.pivot_table(index="model", columns="data", values="seconds", sort=False).loc[table["model"]]
    best = wide.idxmin()
    firsts = "; ".join(f"{model} on {', '.join(best.index[best == model])}" for model in dict.fromkeys(best))
    behind = [model for model in wide.index if (wide.loc[model] > wide.loc["varnn Mean"]).sum() > len(best) / 2]
    return "\n".join([
        "# Peers on the same windows\n",
        "RMSE over four steps, all origins and series, in standard deviations of the training rows; one estimation on "
        "the first 70 % of the rows, then a forecast from every fourth row. `over naive` is the median over data "
        "sets of the RMSE over that of the naive row.\n",
        pictured("Error against seconds, a mark a package and model; varnn's are filled."),
        f"**What it teaches.** {table['model'][0]} has the best mean rank over {len(best)} data sets; the best of each "
        f"is {firsts}. Behind the training mean on more than half of the data sets: {', '.join(behind) or 'none'}.\n",
        markdown(table) + "\n", "## What each was given\n",
        markdown(pd.DataFrame({"model": SETTINGS.keys(), "settings": SETTINGS.values()})) + "\n",
        "Rows × series: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items()) + ". Versions: "
        + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n",
        "Nothing was tuned for these windows, on either side. The networks of the peers have no early stopping here: "
        "darts is shown after two numbers of epochs, which bracket what a user would try first. AutoARIMA and "
        "neuralforecast's RNN see one series at a time, the others all series of a data set. Every package had one "
        "thread.\n",
        "## Seconds\n", markdown(times.reset_index(), 2) + "\n",
        "Processor time of estimation and forecasts. Starting the interpreter is not counted, nor are imports that "
        "came before; varnn's compiled recursions come from its cache on disk.\n"])


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in PEERS:
        forecast_all(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
