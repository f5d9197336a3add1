"""A made-up ledger with every column a real one has, so that the report is tested without fitting anything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from varnn.comparison.compare import Comparison
from varnn.evaluate.ledger import COVERAGES, ORACLE, Ledger

QUALITY = {"Naive": 1.6, "Mean": 1.25, "VAR": 0.45, "LinearRNN": 0.38, "TanhRNN": 0.2}


def made_up(*, names=("gdp", "consumption", "investment"), origins=60, horizon=8, seed=0, oracle=False,
            title="US macro, quarterly", freq="Q", models=tuple(QUALITY), failing=(), fail_every=7) -> Comparison:
    """Outcomes are noise around a known mean; each model's mean is off by noise of its own size."""
    rng = np.random.default_rng(seed)
    k, first = len(names), 80
    rows = first + origins + horizon - 1
    index = pd.period_range("1985Q1", periods=rows, freq=freq) if freq else pd.RangeIndex(rows)
    truth = rng.normal(size=(rows, k)).cumsum(axis=0) * 0.15
    observed = truth + rng.normal(size=(rows, k))
    blocks, fits, joint = [], [], []
    for model in [*models, *([ORACLE] if oracle else [])]:
        off = 0.0 if model == ORACLE else QUALITY.get(model, 0.3)
        for origin in range(first, first + origins):
            failed = model in failing and origin % fail_every == 0
            target = np.arange(origin, origin + horizon)
            mean = truth[target] + off * rng.normal(size=(horizon, k)) * np.linspace(1, 1.5, horizon)[:, None]
            mean = np.full_like(mean, np.nan) if failed else mean
            spread = np.full_like(mean, np.nan) if model == ORACLE else np.full_like(mean, np.sqrt(0.9 + off**2))
            block = {"model": model, "origin": origin, "origin_date": str(index[origin - 1]),
                     "step": np.repeat(np.arange(1, horizon + 1), k), "date": np.repeat(index[target].astype(str), k),
                     "series": list(names) * horizon, "observed": observed[target].ravel(), "mean": mean.ravel()}
            for coverage in COVERAGES:
                half = stats.norm.ppf((1 + coverage) / 2) * spread
                block[f"lower_{100 * coverage:g}"] = (mean - half).ravel()
                block[f"upper_{100 * coverage:g}"] = (mean + half).ravel()
            pit = stats.norm.cdf((observed[target] - mean) / spread)
            blocks.append(pd.DataFrame(block | {"crps": np.abs(observed[target] - mean).ravel() * 0.7,
                                                "pit": pit.ravel(), "scale_mae": 1.0, "scale_rmse": 1.3}))
            joint.append(pd.DataFrame({"model": model, "origin": origin, "step": np.arange(1, horizon + 1),
                                       "energy": 1.0, "pit": stats.norm.cdf(
                                           ((observed[target] - mean) / spread).sum(axis=1) / np.sqrt(k))}))
            if model != ORACLE:
                fits.append({"model": model, "origin": origin, "refit": origin % 6 == 0, "seconds": 0.01 * (1 + off),
                             "stop": "TooShortError: 8 rows are too few for <b>4</b> lags" if failed else "",
                             "notes": "lags 2" if model == "VAR" else ""})
    windows = {"first": first, "step": 1, "gap": 0, "refit": 6, "size": None, "origins": origins,
               "scheme": "expanding"}
    meta = {"title": title, "units": "% growth a quarter", "source": "statsmodels macrodata",
            "licence": "public domain", "citation": "", "transform": "log difference",
            "command": "varnn compare macrodata --horizon 8",
            "names": list(names), "exog": [], "rows": rows, "first_date": str(index[0]), "last_date": str(index[-1]),
            "frequency": "Q-DEC" if freq else "steps", "season": 4, "horizon": horizon, "seed": seed, "n_paths": 500,
            "windows": windows, "models": {model: f"{model}()" for model in models}, "fingerprint": f"{seed:064x}",
            "versions": {"python": "3.11.7", "varnn": "0.1.0", "numpy": "2.0"}}
    return Comparison(Ledger(pd.concat(blocks, ignore_index=True), pd.concat(joint, ignore_index=True),
                             pd.DataFrame(fits), meta))


@pytest.fixture(scope="session")
def macro() -> Comparison:
    return made_up()


@pytest.fixture(scope="session")
def simulated() -> Comparison:
    return made_up(names=("y1",), horizon=4, seed=3, oracle=True, title="Threshold process, simulated", freq=None,
                   failing=("LinearRNN",))
