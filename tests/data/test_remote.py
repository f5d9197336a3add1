"""Every registered file parses to the recorded shape and dates; needs the folder named by VARNN_DATA."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import varnn.data as data
from varnn.data.catalogue import _remote
from varnn.data.store import contents
from varnn.errors import InputError
from varnn.series import Series

pytestmark = pytest.mark.skipif(
    not os.environ.get("VARNN_DATA"), reason="set VARNN_DATA to the folder that holds the registered files"
)
REMOTE = data.names(origin="remote")


def text(name: str, part: str = "main") -> list[str]:
    return contents(_remote(name).files[part]).decode("utf-8-sig").splitlines()


@pytest.mark.parametrize("name", REMOTE)
def test_a_remote_set_loads_with_the_shape_it_announces_and_passes_the_gate(name):
    loaded = data.load(name, download=False)
    assert loaded.frame.shape == data.about(name).shape
    for _, frame in list(loaded.each())[:3]:
        assert Series.of(frame).values.shape == frame.shape
    assert set(data.about(name).labels) <= set(loaded.frame.columns)


@pytest.mark.parametrize("name", [name for name in REMOTE if name != "m4_weekly"])
def test_the_raw_frame_has_the_rows_of_the_file(name):
    how = _remote(name).reading
    lines = [line for line in text(name) if line.strip()]
    if how.after:
        lines = lines[next(row for row, line in enumerate(lines) if line.startswith(how.after)) + 1 :]
    skipped = int(how.header) + int(how.kind == "fred" and not how.codes)
    assert len(data.load(name, raw=True).frame) == len(lines) - skipped


@pytest.mark.parametrize(
    ("name", "column", "written"),
    [
        ("etth1", 0, "%Y-%m-%d %H:%M:%S"), ("etth2", 0, "%Y-%m-%d %H:%M:%S"), ("ettm1", 0, "%Y-%m-%d %H:%M:%S"),
        ("ettm2", 0, "%Y-%m-%d %H:%M:%S"), ("ili", 0, "%Y-%m-%d %H:%M:%S"), ("fred_md", 0, "%m/%d/%Y"),
        ("sunspots_monthly", 0, '"%Y-%m"'), ("lynx", 0, "%Y"), ("hare_lynx", 1, "%Y"),
        ("ibmspko", 0, "%Y%m%d"), ("fred_qd", 0, "%Y-%m-%d"),
    ],
)
def test_the_generated_index_equals_the_dates_in_the_file(name, column, written):
    cells = [line.split(",")[column] for line in text(name)[1:] if line.strip()]
    cells = [cell for cell in cells if cell != "Transform:"]
    dates = pd.to_datetime(pd.Series(cells), format=written)
    index = data.load(name, raw=True).frame.index
    if isinstance(index, pd.PeriodIndex):
        dates = dates.dt.to_period(index.freqstr)
    assert list(dates) == list(index)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("blanchard_quah_1989", "1948Q2", "1987Q4"), ("stock_watson_2001", "1960Q1", "2000Q4"),
     ("us_change", "1970Q1", "2019Q2"), ("lutkepohl_e2", "1947Q1", "1972Q4"), ("lutkepohl_e3", "1954Q1", "1987Q4"),
     ("lutkepohl_e5", "1960-01", "1987-12"), ("lutkepohl_e6", "1972Q2", "1998Q4"),
     ("kilian_2009", "1973-02", "2007-12"),
     ("irates", "1946-12", "1991-02")],
)
def test_quarters_and_months_end_where_the_source_says(name, first, last):
    index = data.load(name).frame.index
    assert (str(index[0]), str(index[-1])) == (first, last)


def test_lutkepohl_e1_is_the_log_difference_of_the_printed_levels():
    frame, levels = data.load("lutkepohl_e1").frame, data.load("lutkepohl_e1", raw=True).frame
    assert_allclose(levels.iloc[0], [180, 451, 415])
    assert_allclose(frame.to_numpy(), np.diff(np.log(levels.to_numpy()), axis=0))


def test_interest_inflation_is_lutkepohls_file_e6():
    assert_allclose(data.load("lutkepohl_e6").frame, data.load("interest_inflation").frame)


def test_the_two_exchange_rate_files_hold_the_same_numbers_with_two_columns_swapped():
    lstnet, ltsf = data.load("exchange_rate_lstnet").frame, data.load("exchange_rate").frame
    assert_allclose(ltsf[lstnet.columns], lstnet, atol=1e-9)
    assert list(ltsf.columns[-2:]) == ["Singapore", "New Zealand"]


def test_fred_md_applies_the_codes_of_its_second_line():
    raw = data.load("fred_md", columns=["RPI", "UNRATE", "HWI"], raw=True).frame
    frame = data.load("fred_md", columns=["RPI", "UNRATE"]).frame  # codes 5 and 2
    assert_allclose(frame["RPI"], 100 * np.log(raw["RPI"]).diff().iloc[1:])
    assert_allclose(frame["UNRATE"], raw["UNRATE"].diff().iloc[1:])
    assert str(frame.index[0]) == "1959-02"


def test_fred_qd_growth_of_gdp_starts_in_the_second_quarter():
    frame = data.load("fred_qd", columns=["GDPC1", "UNRATE", "FEDFUNDS"]).frame
    raw = data.load("fred_qd", columns=["GDPC1"], raw=True).frame
    assert_allclose(frame["GDPC1"], 100 * np.log(raw["GDPC1"]).diff().iloc[1:])


def test_an_unknown_column_is_named():
    with pytest.raises(InputError, match="no column 'GDP'"):
        data.load("fred_qd", columns=["GDP"])


def test_m4_weekly_has_359_series_and_13_weeks_held_out():
    panel = data.load("m4_weekly")
    series = dict(panel.each())
    assert panel.panel
    assert len(series) == 359
    assert panel.holdout.groupby(level=0).size().eq(13).all()
    lengths = [len(frame) for frame in series.values()]
    assert (min(lengths), max(lengths)) == (80, 2597)
    cells = text("m4_weekly", "test")[1].replace('"', "").split(",")
    assert_allclose(panel.holdout.loc["W1", "y"], [float(cell) for cell in cells[1:]])
    assert len(data.load("m4_weekly", columns=["W3", "W1"]).frame.index.unique(level=0)) == 2


def test_beijing_keeps_its_gaps_when_raw_and_fills_only_them_otherwise():
    raw, filled = data.load("beijing_pm25", raw=True).frame, data.load("beijing_pm25").frame
    kept = raw["pm2.5"].iloc[24:]
    assert kept.isna().sum() == 2043
    assert_allclose(filled["pm2.5"][kept.notna()], kept.dropna())


def test_the_whole_catalogue_is_found_in_the_mirror():
    table = data.catalogue()
    assert (table.loc[table["origin"] == "remote", "found"] == "mirror").all()
    assert all(path.is_file() for path in data.fetch("m4_weekly"))
