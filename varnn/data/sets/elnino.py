"""Sea surface temperature of the Niño 1+2 region, monthly, from statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from varnn.data.dataset import About, Dataset

ABOUT = About(
    name="elnino",
    title="Sea surface temperature, Niño 1+2 region",
    origin="bundled",
    season=12,
    frequency="monthly",
    shape=(732, 1),
    transform="none (the table of 61 years × 12 months laid out as 732 months)",
    labels={"temperature": "sea surface temperature (°C)"},
    licence="public domain",
    citation="NOAA National Weather Service, ERSST.V3B, Niño 1+2",
    source="statsmodels.datasets.elnino",
    notes="January 1950 to December 2010, none missing.",
)


def load() -> Dataset:
    """Return the 732 monthly temperatures."""
    from statsmodels.datasets import elnino

    table = elnino.load_pandas().data.set_index("YEAR")
    months = table.to_numpy(dtype=np.float64).ravel()
    index = pd.period_range("1950-01", periods=len(months), freq="M", name="date")
    return ABOUT.with_data(pd.DataFrame({"temperature": months}, index=index))
