"""Danish money demand, quarterly, from statsmodels."""

from __future__ import annotations

import pandas as pd

from varnn.data.dataset import About, Dataset

ABOUT = About(
    name="danish_data",
    title="Danish money, income, prices and interest rates",
    origin="bundled",
    season=4,
    frequency="quarterly",
    shape=(55, 5),
    transform="none (levels, cointegrated)",
    labels={
        "lrm": "log real money",
        "lry": "log real income",
        "lpy": "log prices",
        "ibo": "bond rate (a year, .1 = 10 %)",
        "ide": "deposit rate (a year, .1 = 10 %)",
    },
    licence="public domain",
    citation="Johansen, S. and Juselius, K. (1990), Maximum likelihood estimation and inference on cointegration, "
             "Oxford Bulletin of Economics and Statistics 52, 169–210",
    source="statsmodels.datasets.danish_data",
    notes="1974Q1–1987Q3; 55 quarters and 5 trending series: a small and hard sample.",
)


def load() -> Dataset:
    """Return the five series, 1974Q1–1987Q3."""
    from statsmodels.datasets import danish_data

    table = danish_data.load_pandas().data
    index = pd.period_range("1974Q1", periods=len(table), freq="Q", name="date")
    return ABOUT.with_data(table[list(ABOUT.labels)].astype(float).set_axis(index, axis=0))
