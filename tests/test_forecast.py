"""The predictive distribution: quantiles are those of the paths, bands nest, the frame is tidy."""

from __future__ import annotations

import html
import io

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from varnn import VAR
from varnn.errors import ParameterError
from varnn.forecast import Forecast

DATES = pd.period_range("2020Q1", periods=6, freq="Q")


@pytest.fixture
def outlook() -> Forecast:
    paths = np.random.default_rng(0).standard_normal((4000, 6, 2)).cumsum(axis=1)
    return Forecast(np.zeros((6, 2)), paths, ("a", "b"), DATES, (0.8, 0.95))


def test_quantiles_are_those_of_the_paths(outlook):
    np.testing.assert_array_equal(outlook.quantile(0.3), np.quantile(outlook.paths, 0.3, axis=0))
    lower, upper = outlook.interval()
    np.testing.assert_allclose(lower, np.quantile(outlook.paths, 0.1, axis=0), rtol=1e-9)
    assert (upper.index == DATES).all()


def test_wider_coverage_holds_the_narrower_one(outlook):
    (low50, up50), (low90, up90) = outlook.interval(0.5), outlook.interval(0.9)
    assert (low90 <= low50).all(axis=None)
    assert (up90 >= up50).all(axis=None)


def test_a_joint_band_holds_whole_paths_with_its_coverage(outlook):
    lower, upper = outlook.interval(0.9, joint=True)
    inside = (outlook.paths >= lower.to_numpy()) & (outlook.paths <= upper.to_numpy())
    np.testing.assert_allclose(inside.all(axis=1).mean(axis=0), 0.9, atol=0.002)
    assert inside.all(axis=1).mean() < inside.mean()


def test_an_exact_gaussian_spread_gives_normal_quantiles():
    spread = np.array([[1.0, 2.0]])
    exact = Forecast(np.ones((1, 2)), np.zeros((1, 1, 2)), ("a", "b"), DATES[:1], spread=spread)
    np.testing.assert_allclose(exact.quantile(0.975), 1 + norm.ppf(0.975) * spread, rtol=1e-14)


def test_the_frame_has_a_row_a_date_and_series_and_all_coverages(outlook):
    frame = outlook.to_frame()
    assert list(frame.columns) == ["date", "step", "series", "mean", "median", "lower_80", "upper_80", "lower_95",
                                   "upper_95"]
    assert len(frame) == 12
    assert frame.loc[0, "date"] == "2020Q1"


@pytest.mark.parametrize("q", [0.0, 1.0, 95, "0.5", float("nan"), True])
def test_quantiles_that_are_no_probability_are_refused(outlook, q):
    with pytest.raises(ParameterError, match="q="):
        outlook.quantile(q)


def test_paths_cannot_be_changed_by_a_reader(outlook):
    with pytest.raises(ValueError, match="read-only"):
        outlook.paths[0, 0, 0] = 1.0


def test_the_fan_chart_draws_one_panel_a_series(outlook):
    assert [axes.get_title(loc="left") for axes in outlook.plot()] == ["a", "b"]


@pytest.mark.parametrize("name", ["a $x_{ in $", r"US$ \frac per A$", "$"])
def test_names_with_dollar_signs_are_drawn_as_they_are(name):
    mpl = pytest.importorskip("matplotlib")
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 1)), columns=[name])
    fit = VAR(lags=1).fit(y)
    for figure in (fit.forecast(3).plot().figure, fit.plot().figure):
        drawn = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none"}):
            figure.canvas.print_figure(drawn, format="svg")  # would raise for a formula that is none
        assert html.escape(name) in drawn.getvalue()
