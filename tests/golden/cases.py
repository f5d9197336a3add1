"""Every model on small samples: what it forecasts, estimates and answers, as named arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import varnn
from varnn.data import load

Arrays = dict[str, np.ndarray]
Case = tuple[str, Callable[[], Arrays]]

SPECS: dict[str, varnn.Forecaster] = {
    "Naive": varnn.Naive(),
    "SeasonalNaive": varnn.SeasonalNaive(season=4),
    "Mean": varnn.Mean(),
    "Drift": varnn.Drift(),
    "VAR": varnn.VAR(),
    "VAR ct": varnn.VAR(lags=2, trend="ct"),
    "VAR by statsmodels": varnn.VAR(lags=2, engine="statsmodels"),
    "LinearRNN": varnn.LinearRNN(lags=1),
    "LinearRNN by likelihood": varnn.LinearRNN(lags=1, shrinkage=None),
    "LinearRNN wide": varnn.LinearRNN(lags=1, width=4),
    "TanhRNN": varnn.TanhRNN(lags=1, width=2, starts=1),
    "TanhRNN automatic": varnn.TanhRNN(),
    "TanhRNN pure": varnn.TanhRNN(lags=1, width=2, skip=False, starts=1),
    "GRU": varnn.GRU(lags=1, width=2, starts=1),
    "LSTM": varnn.LSTM(lags=1, width=2, starts=1),
    "Direct": varnn.Direct(),
    "Conformal": varnn.Conformal(varnn.VAR(lags=1)),
    "Ensemble": varnn.Ensemble([varnn.Mean(), varnn.VAR(lags=1)]),
}
WITHOUT_ONE_SERIES = ("LinearRNN wide", "VAR by statsmodels")
SAVED = Path(__file__).parent / "saved"  # fits of 60 quarters, written by varnn 0.1.0 before its modules moved
RESEEDED = ("VAR", "LinearRNN", "TanhRNN")  # whose other kinds of paths are looked at


def quarterly() -> pd.DataFrame:
    """Return 120 quarters of three growth rates."""
    return load("macrodata").frame.iloc[-120:]


def yearly() -> pd.DataFrame:
    """Return 150 years of sunspots."""
    return load("sunspots").frame.iloc[-150:]


def input_beside(y: pd.DataFrame, more: int) -> pd.DataFrame:
    """Return white noise on the dates of `y` and `more` after them."""
    index = pd.period_range(y.index[0], periods=len(y) + more, freq=y.index.freq)
    return pd.DataFrame({"z": np.random.default_rng(1).standard_normal(len(index))}, index=index)


def cases() -> Iterator[Case]:
    """Yield the name of each case and the function that computes it."""
    for name, spec in SPECS.items():
        yield f"{name}, quarterly", lambda spec=spec: fitted(spec, quarterly())
        if name not in WITHOUT_ONE_SERIES:
            yield f"{name}, yearly", lambda spec=spec: fitted(spec, yearly())
        if name in RESEEDED:
            yield f"{name}, fixed parameters", lambda spec=spec: at_fixed_parameters(spec)
        if spec.takes_exog and name != "TanhRNN automatic":
            yield f"{name}, with an input", lambda spec=spec: with_an_input(spec)
    yield from (("gaps", gaps), ("scenario", scenario), ("bootstrap", bootstrap), ("responses", responses),
                ("update", update), ("panel", panel), ("shared panel", shared_panel), ("climb", climb),
                ("comparison", comparison), ("saved files", saved_files))


def fitted(spec: varnn.Forecaster, y: pd.DataFrame) -> Arrays:
    """Return what a fit is and what it forecasts."""
    fit = spec.fit(y, rng=3)
    outlook = fit.forecast(4, n_paths=50, rng=5)
    return {"point": outlook.point, "paths": outlook.paths, "params": fit.params.to_numpy(dtype=float),
            "sigma_u": fit.sigma_u, "llf": np.array([fit.llf]), "resid": fit.resid.to_numpy()}


def at_fixed_parameters(spec: varnn.Forecaster) -> Arrays:
    """Return paths with Student's t shocks and no parameter uncertainty."""
    outlook = spec.fit(quarterly(), rng=3).forecast(4, n_paths=50, rng=5, uncertainty="none", shocks="student")
    return {"point": outlook.point, "paths": outlook.paths}


def with_an_input(spec: varnn.Forecaster) -> Arrays:
    """Return what is forecast with an exogenous column."""
    y = quarterly()
    z = input_beside(y, 4)
    outlook = spec.fit(y, z.iloc[:-4], rng=3).forecast(4, z.iloc[-4:], n_paths=50, rng=5)
    return {"point": outlook.point, "paths": outlook.paths}


def gaps() -> Arrays:
    """Return forecasts of a sample with a missing value."""
    y = quarterly()
    y.iloc[60, 1] = np.nan
    outlook = varnn.VAR(lags=1).fit(y, missing="filter", rng=0).forecast(2, n_paths=20)
    return {"point": outlook.point, "paths": outlook.paths}


def scenario() -> Arrays:
    """Return forecasts under a condition."""
    outlook = varnn.VAR(lags=1).fit(quarterly()).scenario(3, hard={"realgdp": 1.0}, n_paths=50)
    return {"point": outlook.point, "paths": outlook.paths}


def bootstrap() -> Arrays:
    """Return refits on simulated samples."""
    return {"params": np.asarray(varnn.VAR(lags=1).fit(quarterly()).bootstrap(50).params, dtype=float)}


def responses() -> Arrays:
    """Return impulse responses and the decomposition of variances."""
    fit = varnn.VAR(lags=2).fit(quarterly())
    found = fit.irf(5)
    return {"irfs": found.irfs, "orthogonal": found.orth_irfs, "standard errors": found.stderr,
            "fevd": fit.fevd(5).decomp}


def update() -> Arrays:
    """Return forecasts of a fit that has seen more than its sample."""
    y = quarterly()
    outlook = varnn.TanhRNN(lags=1, width=2, starts=1).fit(y.iloc[:-6], rng=3).update(y.iloc[-6:]).forecast(
        3, n_paths=20, rng=1)
    return {"point": outlook.point, "paths": outlook.paths}


def panel() -> Arrays:
    """Return forecasts of a panel fitted one by one."""
    y = quarterly()
    fit = varnn.Panel(model=varnn.VAR(lags=1), sharing="local").fit({"a": y.iloc[:60], "b": y.iloc[60:]})
    return {"mean": fit.mean(3).to_numpy(dtype=float)}


def shared_panel() -> Arrays:
    """Return forecasts of a panel with weights in common."""
    y = quarterly()
    model = varnn.TanhRNN(lags=1, width=1, starts=1)
    fit = varnn.Panel(model=model, sharing="global").fit({"a": y.iloc[:60], "b": y.iloc[60:]}, rng=2)
    return {"mean": fit.mean(3).to_numpy(dtype=float)}


def climb() -> Arrays:
    """Return the evidence of each rung."""
    return {"evidence": varnn.climb(yearly(), rng=0).evidence.to_numpy(dtype=float)}


def comparison() -> Arrays:
    """Return the numbers of a ledger."""
    ledger = varnn.compare(quarterly(), horizon=2, models=["Naive", "VAR", "LinearRNN"], origins=6, refit=3,
                           n_paths=30).ledger
    return {name: table.drop(columns="seconds", errors="ignore").select_dtypes("number").to_numpy(dtype=float)
            for name, table in (("forecasts", ledger.forecasts), ("joint", ledger.joint))}


def saved_files() -> Arrays:
    """Return the forecasts of fits that an earlier version saved."""
    outlooks = {path.stem: varnn.load(path).forecast(4, n_paths=20, rng=5) for path in sorted(SAVED.glob("*.varnn"))}
    points = {name: outlook.point for name, outlook in outlooks.items()}
    return points | {f"paths of {name}": outlook.paths for name, outlook in outlooks.items()}
