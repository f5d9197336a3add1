"""Carbon dioxide at Mauna Loa, weekly, from statsmodels."""

from __future__ import annotations

from varnn.data.dataset import About, Dataset

ABOUT = About(
    name="co2",
    title="Carbon dioxide at Mauna Loa",
    origin="bundled",
    season=52,
    frequency="weekly",
    shape=(2284, 1),
    transform="59 missing weeks filled on straight lines between their neighbours; otherwise none",
    labels={"co2": "CO₂ concentration (parts per million by volume)"},
    licence="public domain",
    citation="Keeling, C. D. and Whorf, T. P. (2004), Atmospheric CO2 concentrations derived from flask air samples "
             "at sites in the SIO network, Carbon Dioxide Information Analysis Center",
    source="statsmodels.datasets.co2",
    notes="Weeks ending on Saturday, 29 March 1958 to 29 December 2001. The filling looks one observation ahead "
          "inside a gap (longest gap: 18 weeks, in 1964), so forecasts made inside a gap are flattered a little.",
)


def load() -> Dataset:
    """Return the 2,284 weekly means, gaps interpolated."""
    from statsmodels.datasets import co2

    weeks = co2.load_pandas().data.astype(float).interpolate("linear")
    return ABOUT.with_data(weeks.rename_axis("date"))
