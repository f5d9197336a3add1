"""Linearity tests equal R's tseries (0.10-53) on the lynx and sunspot series."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.inference.linearity import terasvirta

LYNX = """269 321 585 871 1475 2821 3928 5943 4950 2577 523 98 184 279 409 2285 2685 3409 1824 409 151 45 68 213 546
1033 2129 2536 957 361 377 225 360 731 1638 2725 2871 2119 684 299 236 245 552 1623 3311 6721 4254 687 255 473
358 784 1594 1676 2251 1426 756 299 201 229 469 736 2042 2811 4431 2511 389 73 39 49 59 188 377 1292 4031 3495
587 105 153 387 758 1307 3465 6991 6313 3794 1836 345 382 808 1388 2713 3800 3091 2985 3790 674 81 80 108 229
399 1132 2432 3574 2935 1537 529 485 662 1000 1590 2657 3396"""


@pytest.fixture(scope="module")
def lynx() -> np.ndarray:
    """Log10 of the Canadian lynx trappings 1821–1934, R's `lynx`."""
    return np.log10(np.array(LYNX.split(), dtype=float))


def test_the_lynx_numbers_here_are_those_of_the_data_folder(lynx):
    folder = os.environ.get("VARNN_DATA")
    if folder is None:
        pytest.skip("VARNN_DATA is not set")
    rows = np.genfromtxt(Path(folder) / "nonlinear" / "lynx.csv", delimiter=",", skip_header=1)
    assert_allclose(np.log10(rows[:, 1]), lynx)


@pytest.mark.parametrize(("lags", "df", "expected"), [(1, 2, 0.79964), (2, 7, 32.754728), (3, 16, 52.506473)])
def test_chi2_on_lynx_equals_tseries(lynx, lags, df, expected):
    result = terasvirta(lynx, lags, form="chi2")
    assert result.df == (df,)
    assert_allclose(result.statistic, expected, atol=6e-6 if lags == 1 else 6e-7)


def test_f_on_lynx_equals_tseries(lynx):
    result = terasvirta(lynx, 2)
    assert result.df == (7, 105)
    assert_allclose(result.statistic, 4.9928034, rtol=1e-8)


def test_yearly_sunspots_equal_tseries():
    """R's `sunspot.year` 1700–1988 is statsmodels' series but for four years, restored here."""
    from statsmodels.datasets import sunspots

    table = sunspots.load_pandas().data.set_index("YEAR")["SUNACTIVITY"]
    years = table.loc[1700:1988].to_numpy().copy()
    for year, value in {1962: 37.5, 1980: 154.7, 1981: 140.5, 1987: 29.2}.items():
        years[year - 1700] = value
    assert_allclose(terasvirta(years, 2, form="chi2").statistic, 99.349842, rtol=1e-7)
    f = terasvirta(years, 2)
    assert f.df == (7, 280)
    assert_allclose(f.statistic, 16.410231, rtol=1e-7)
