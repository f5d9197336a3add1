"""The pictures of a recursion show what the fit computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.errors import ParameterError, ShapeError
from varnn.inference.memory import Memory
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.report.unrolled import (
    Unrolled,
    forecaster_unrolled,
    plot_memory,
    plot_regimes,
    plot_unrolled,
    plot_where_bending_pays,
)

Y = np.random.default_rng(0).normal(size=(60, 2)) + 5.0
NAME = Unrolled(tuple("李清照"), np.array([[0.1, -0.8], [0.4, 0.2], [-0.3, 0.9]]), ("", "", "F"),
                np.array([np.nan, np.nan, 0.3]), title="name to gender")


@pytest.mark.filterwarnings("ignore::varnn.errors.ConvergenceWarning")  # noise leaves three units little to find
@pytest.mark.parametrize("model", [VAR(lags=2), LinearRNN(lags=1, width=3, shrinkage=None, likelihood="conditional")])
def test_the_picture_of_a_forecaster_holds_its_states_and_losses(model):
    fit = model.fit(Y)
    run = forecaster_unrolled(fit, 7)
    e = fit.resid.to_numpy()[-7:]
    assert_allclose(run.losses, [0.5 * row @ np.linalg.solve(fit.sigma_u, row) for row in e])
    assert_allclose(run.states[:, 2:], fit.states.to_numpy()[-7:, 2:])
    heat, loss = plot_unrolled(fit, 7)
    assert_allclose(heat.images[0].get_array(), (run.states / np.abs(run.states).max(axis=0)).T)
    assert_allclose([bar.get_height() for bar in loss.patches], run.losses)


def test_a_name_is_drawn_with_its_characters():
    heat, _ = plot_unrolled(NAME)
    assert [label.get_text() for label in heat.get_xticklabels()] == ["", "", "F"]


def test_too_many_steps_and_unequal_parts_are_refused():
    with pytest.raises(ParameterError, match="too many for one picture"):
        plot_unrolled(VAR(lags=1).fit(Y), 50)
    with pytest.raises(ShapeError, match="give T of each"):
        replace(NAME, outputs=("F",))


def test_the_other_pictures_draw_what_they_are_given():
    memory = plot_memory({"linear": Memory(np.linspace(0.0, -10.0, 101))})
    assert "linear (-0.100 a step)" in memory.figure.legends[0].get_texts()[0].get_text()
    regimes = plot_regimes([0, 1, 1], {"oracle filter": [0.1, 0.8, 0.9], "linear": [0.5, 0.5, 0.5]})
    assert [axes.get_title(loc="left") for axes in regimes] == ["oracle filter", "linear"]
    pays = plot_where_bending_pays({"XOR": {"linear": (0.01, 0.01), "tanh": (1.0, 0.001)}})
    assert [bar.get_height() for bar in pays[0].patches] == [0.01, 1.0]
