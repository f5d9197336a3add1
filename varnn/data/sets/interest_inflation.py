"""German inflation and long-term interest rate, quarterly, from statsmodels."""

from __future__ import annotations

import pandas as pd

from varnn.data.dataset import About, Dataset

ABOUT = About(
    name="interest_inflation",
    title="German inflation and long-term interest rate",
    origin="bundled",
    season=4,
    frequency="quarterly",
    shape=(107, 2),
    transform="none (inflation is the log difference of the deflator, as published)",
    labels={
        "Dp": "inflation, Δ log GDP deflator (a quarter)",
        "R": "long-term interest rate (a year, .08 = 8 %)",
    },
    licence="not stated; JMulTi teaching data shipped with statsmodels (BSD-3)",
    citation="Lütkepohl, H. and Krätzig, M. (2004), Applied Time Series Econometrics, file e6",
    source="statsmodels.datasets.interest_inflation",
    notes="1972Q2–1998Q4, West Germany until 1990Q2, all of Germany afterwards; not seasonally adjusted.",
)


def load() -> Dataset:
    """Return the two series, 1972Q2–1998Q4."""
    from statsmodels.datasets import interest_inflation

    table = interest_inflation.load_pandas().data
    index = pd.period_range("1972Q2", periods=len(table), freq="Q", name="date")
    return ABOUT.with_data(table[list(ABOUT.labels)].astype(float).set_axis(index, axis=0))
