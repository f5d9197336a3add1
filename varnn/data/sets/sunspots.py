"""Yearly sunspot numbers from 1700, from statsmodels."""

from __future__ import annotations

import pandas as pd

from varnn.data.dataset import About, Dataset

ABOUT = About(
    name="sunspots",
    title="Yearly sunspot numbers",
    origin="bundled",
    season=11,
    frequency="yearly",
    shape=(309, 1),
    transform="none",
    labels={"sunspots": "sunspot number (yearly mean)"},
    licence="public domain",
    citation="NOAA National Geophysical Data Center; customary split of Tong, H. (1990), Non-linear Time Series",
    source="statsmodels.datasets.sunspots",
    notes="1700–2008. The cycle lasts 9 to 14 years; season 11 is its mean. Customary parts: to 1920, 1921–55, "
          "1956–79, and the years since.",
    split=(221, 35, 24, 29),
)


def load() -> Dataset:
    """Return the 309 yearly numbers."""
    from statsmodels.datasets import sunspots

    numbers = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(dtype=float)
    index = pd.period_range("1700", periods=len(numbers), freq="Y", name="date")
    return ABOUT.with_data(pd.DataFrame({"sunspots": numbers}, index=index))
