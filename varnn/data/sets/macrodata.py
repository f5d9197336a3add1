"""US real GDP, consumption and investment, quarterly growth, from statsmodels."""

from __future__ import annotations

import pandas as pd

from varnn.data.dataset import About, Dataset
from varnn.data.transform import transformed

ABOUT = About(
    name="macrodata",
    title="US real GDP, consumption and investment",
    origin="bundled",
    season=4,
    frequency="quarterly",
    shape=(202, 3),
    transform="100 × log difference of the level",
    labels={
        "realgdp": "real GDP growth (% a quarter)",
        "realcons": "real consumption growth (% a quarter)",
        "realinv": "real investment growth (% a quarter)",
    },
    licence="public domain",
    citation="Federal Reserve Bank of St. Louis, FRED (accessed 15 December 2009), compiled by S. Seabold",
    source="statsmodels.datasets.macrodata",
    notes="Levels are billions of chained 2005 dollars at seasonally adjusted annual rates, 1959Q1–2009Q3; "
          "this is one vintage, not what was known at the time.",
)


def load() -> Dataset:
    """Return the three growth rates, 1959Q2–2009Q3."""
    from statsmodels.datasets import macrodata

    table = macrodata.load_pandas().data
    index = pd.period_range("1959Q1", periods=len(table), freq="Q", name="date")
    levels = table[list(ABOUT.labels)].set_axis(index, axis=0)
    return ABOUT.with_data(100.0 * transformed(levels, "logdiff"))
