"""Every `.plot()` gives axes in one style, with words, and nothing on it covers a line."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from numpy.testing import assert_array_equal

import varnn
from varnn.comparison.panel import compare_panel
from varnn.inference.memory import Memory
from varnn.inference.residuals import autocorrelations
from varnn.picture import Picture, fonts
from varnn.report.unrolled import plot_memory, plot_unrolled

Y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)).cumsum(axis=0), columns=["gdp", "rate"],
                 index=pd.period_range("2000Q1", periods=60, freq="Q"))
FIT = varnn.VAR(lags=2).fit(Y)
OUTLOOK = FIT.forecast(6, rng=0)
HOURS = pd.DataFrame({"load": Y["gdp"].to_numpy()}, index=pd.date_range("2024-01-01", periods=60, freq="h"))
RESULT = varnn.compare(Y, horizon=3, models=["Naive", "Mean", "VAR"], origins=12)
SHOPS = compare_panel({"a": Y["gdp"].to_numpy(), "b": Y["rate"].to_numpy()}, horizon=1, models=["Naive", "VAR"],
                      origins=8)
SEQUENCES = varnn.SequenceClassifier(cell="tanh", width=2, embed=2, epochs=2).fit(
    ["anna", "ella", "mia", "otto", "hugo", "bruno"] * 4, ["f", "f", "f", "m", "m", "m"] * 4, rng=0)
PICTURES = {
    "forecast": OUTLOOK.plot, "fit": FIT.plot, "irf": FIT.irf(6).plot, "fevd": FIT.fevd(6).plot,
    "orthogonal and cumulated": lambda: FIT.irf(6).plot(orth=True, cumulative=True),
    "autocorrelations": FIT.plot_acorr, "roots": FIT.plot_roots, "comparison": RESULT.plot, "panel": SHOPS.plot,
    "scenario": lambda: FIT.scenario(3, {"gdp": [1.0, 1.0, 1.0]}).plot(),
    "hours": lambda: varnn.VAR(lags=1).fit(HOURS).forecast(30, rng=0).plot(),
    "memory": Memory(np.linspace(0.0, -3.0, 31)).plot, "unrolled": lambda: plot_unrolled(FIT, 8),
    "memories": lambda: plot_memory({"a": Memory(np.linspace(0.0, -3.0, 31))}),
    "sequences": lambda: SEQUENCES.plot(),
    "members": lambda: varnn.Panel(model=varnn.VAR(lags=1)).fit({"a": Y["gdp"].to_numpy()}).plot(3)["a"],
}


@cache
def picture_of(name):
    return PICTURES[name]()


every_picture = pytest.mark.parametrize("name", PICTURES)


@every_picture
def test_a_picture_is_axes_with_words_and_a_notebook_shows_it(name):
    before, open_figures = dict(mpl.rcParams), plt.get_fignums()
    picture = picture_of(name)
    assert isinstance(picture, Picture)
    assert all(isinstance(axes, Axes) for axes in picture.ravel())
    assert picture.alt.endswith(".")
    assert len(picture.alt) > 30
    shown = picture._repr_html_()
    assert 'src="data:image/png;base64,' in shown
    assert f'alt="{picture.alt[:20]}' in shown
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_figures


@every_picture
def test_a_legend_covers_no_axes_and_labels_do_not_touch(name):
    picture = picture_of(name)
    picture.figure.draw_without_rendering()
    legends = [legend.get_window_extent() for legend in picture.figure.legends]
    for axes in picture.ravel():
        assert axes.get_legend() is None
        assert not any(legend.overlaps(axes.get_window_extent()) for legend in legends)
    written = [label.get_window_extent() for label in picture.ravel()[-1].get_xticklabels() if label.get_text()]
    if name != "unrolled":  # its labels lean against one another, by 45 degrees
        assert all(left.x1 < right.x0 for left, right in pairwise(written))


def test_the_fan_opens_at_the_last_observation():
    for j, axes in enumerate(OUTLOOK.plot()):
        mean, observed = axes.lines
        last = observed.get_xydata()[-1]
        assert_array_equal(last[1], Y.iloc[-1, j])
        assert_array_equal(mean.get_xydata()[0], last)
        assert_array_equal(mean.get_ydata()[1:], OUTLOOK.point[:, j])
        for band in axes.collections:
            corner = band.get_paths()[0].vertices
            assert_array_equal(corner[corner[:, 0] == last[0]][:, 1], last[1])


def test_a_forecast_without_a_past_is_drawn_from_its_first_step():
    alone = varnn.Forecast(OUTLOOK.point, OUTLOOK.paths, OUTLOOK.names, OUTLOOK.index)
    mean = alone.plot()[0].lines[0]
    assert_array_equal(mean.get_xdata(), np.arange(6))


def test_autocorrelations_are_those_of_statsmodels():
    from statsmodels.tsa.stattools import acf

    resid = FIT.resid.to_numpy()
    theirs = np.stack([acf(resid[:, j], nlags=9, fft=False)[1:] for j in range(2)], axis=1)
    np.testing.assert_allclose(autocorrelations(resid, 9), theirs, atol=1e-12)


def test_residuals_that_are_all_alike_have_no_autocorrelations():
    with pytest.warns(varnn.errors.SingularWarning):
        still = varnn.Naive().fit(Y.assign(rate=1.0))
    axes = still.plot_acorr(5)
    assert axes[1].get_title(loc="left") == "residuals of rate, which are all alike"
    assert "of 10 are beyond" in axes.alt


def test_more_lags_than_residuals_are_refused():
    with pytest.raises(varnn.errors.ParameterError, match="use nlags <= 57"):
        FIT.plot_acorr(58)


def test_a_picture_of_chinese_names_says_them():
    picture = varnn.Naive().fit(Y.rename(columns={"gdp": "国内生产总值"})).forecast(2, rng=0).plot()
    assert picture[0].get_title(loc="left") == "国内生产总值"
    assert picture[0].title.get_fontfamily() == fonts()


def test_a_fit_to_sequences_is_shown_as_a_table():
    shown = SEQUENCES._repr_html_()
    assert "ClassifierFit: tanh recursion of 2 units" in shown
    assert all(f">{name}</th>" in shown for name in ("sequences", "classes", "weights", "ended", "in words"))


@pytest.mark.parametrize("shown", [FIT, OUTLOOK, RESULT, SHOPS, FIT.irf(3), FIT.fevd(3), Memory(np.zeros(3)),
                                   FIT.test_whiteness(6),
                                   varnn.Panel(model=varnn.Mean(), sharing="local").fit({"a": Y["gdp"].to_numpy()})],
                         ids=lambda one: type(one).__name__)
def test_a_notebook_shows_it(shown):
    assert "<" in shown._repr_html_()
