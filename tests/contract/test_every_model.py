"""What `Forecaster` promises, held by every model in the catalogue."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import pickle
import random
from functools import cached_property

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.contract.specimens import H, T, fitted, fitted_with_inputs, inputs, series, specimens
from varnn.errors import ParameterError, VarnnWarning
from varnn.evaluate.backtest import Task, backtest
from varnn.evaluate.windows import Windows
from varnn.series import Series

NAMES = list(specimens())
WITH_INPUTS = [name for name, spec in specimens().items() if spec.takes_exog]

every_model = pytest.mark.parametrize("name", NAMES)
every_model_with_inputs = pytest.mark.parametrize("name", WITH_INPUTS)


def test_the_catalogue_holds_the_four_rungs():
    rungs = {spec.rung for spec in specimens().values()}
    assert {0, 1, 2, 3} <= rungs


@every_model
@pytest.mark.parametrize(("column", "numbers"), [
    ("year", np.arange(T) // 4 + 2000.0), ("quarter", np.arange(T) % 4 + 1.0), ("X", np.arange(T) + 1.0),
    ("Unnamed: 0", np.arange(T) * 1.0), ("time", 2000 + np.arange(T) / 4), ("level", 7.0 - 3.0 * np.arange(T)),
    ("timestamp", 1577836800.0 + 3600 * np.arange(T))])
def test_a_column_that_dates_or_counts_the_rows_is_named(name, column, numbers):
    with pytest.warns(VarnnWarning) as caught:
        specimens()[name].fit(series().assign(**{column: numbers}))
    assert any(repr(column) in str(one.message) and "from the past without error" in str(one.message) for one in caught)


@every_model
def test_a_specification_is_frozen_and_fitting_leaves_it_alone(name):
    spec = specimens()[name]
    before = repr(spec)
    fit = spec.fit(series())
    assert repr(spec) == before
    assert fit.spec == spec
    assert spec == copy.deepcopy(spec)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.anything = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.seen = None


@every_model
def test_fitting_again_gives_the_same_bits(name):
    first, again = fitted(name).forecast(H), specimens()[name].fit(series()).forecast(H)
    assert_array_equal(first.point, again.point)
    assert_array_equal(first.paths, again.paths)


@every_model
def test_the_same_seed_gives_the_same_paths_and_another_seed_others(name):
    fit = fitted(name)
    one, same, other = fit.forecast(3, rng=1), fit.forecast(3, rng=1), fit.forecast(3, rng=2)
    assert_array_equal(one.paths, same.paths)
    assert not np.array_equal(one.paths, other.paths)
    assert_array_equal(one.point, other.point)
    generator = np.random.default_rng(1)
    assert_array_equal(fit.forecast(3, rng=generator).paths, one.paths)


@every_model
def test_dates_follow_on_and_names_are_kept(name):
    outlook = fitted(name).forecast(H)
    assert outlook.mean.index.equals(pd.period_range("2015Q1", periods=H, freq="Q"))
    assert list(outlook.mean.columns) == ["gdp", "rate"]
    lower, upper = outlook.interval()
    for table in (lower, upper, outlook.quantile(0.3)):
        assert table.index.equals(outlook.mean.index)
        assert list(table.columns) == ["gdp", "rate"]
    assert outlook.paths.shape == (1000, H, 2)
    assert np.isfinite(outlook.paths).all()
    assert np.isfinite(outlook.point).all()


@every_model
@pytest.mark.parametrize("index", [
    pd.date_range("2020-01-31", periods=T, freq="ME", tz="Europe/Berlin"),
    pd.date_range("2020-03-28", periods=T, freq="h", tz="UTC"),
    pd.RangeIndex(10, 10 + 2 * T, 2),
], ids=["month ends in Berlin", "hours", "every second number"])
def test_any_regular_index_is_carried_on(name, index):
    outlook = specimens()[name].fit(series().set_axis(index, axis=0)).forecast(3)
    last = index[-1]
    expected = (pd.date_range(last, periods=4, freq=index.freq)[1:] if isinstance(index, pd.DatetimeIndex)
                else pd.RangeIndex(last + 2, last + 8, 2))
    assert outlook.mean.index.equals(expected)
    assert getattr(outlook.mean.index, "tz", None) == getattr(index, "tz", None)


@every_model
def test_an_array_is_as_good_as_a_frame(name):
    outlook = specimens()[name].fit(series().reset_index(drop=True)).forecast(3)
    from_array = specimens()[name].fit(series().to_numpy()).forecast(3)
    assert_array_equal(outlook.point, from_array.point)
    assert list(from_array.mean.columns) == ["y1", "y2"]


@every_model
def test_update_moves_on_and_one_step_forecasts_are_the_one_step_predictions(name):
    fit, longer = fitted(name), series(T + H)
    predicted = fit._one_step(longer.to_numpy(), None)
    for seen in range(T, T + H):
        moved = fit if seen == T else fit.update(longer.iloc[T:seen])
        assert_allclose(moved.forecast(1, n_paths=20).point[0], predicted[seen], rtol=1e-8, atol=1e-8)
    assert moved.params is fit.params or moved.params.equals(fit.params)
    assert moved.nobs == fit.nobs


@every_model
def test_updating_twice_is_updating_once(name):
    fit, longer = fitted(name), series(T + H)
    twice = fit.update(longer.iloc[T:T + 2]).update(longer.iloc[T + 2:])
    once = fit.update(longer.iloc[T:])
    assert_array_equal(twice.forecast(H).paths, once.forecast(H).paths)
    assert len(fit.seen) == T, "update must leave the fit alone"


@every_model
def test_what_was_asked_before_an_update_changes_no_forecast_after_it(name):
    asked, silent, fresh = fitted(name).update(series(T + 1).iloc[T:]), fitted(name), series(T + H).iloc[T:]
    for question in (one for one in dir(type(asked)) if isinstance(getattr(type(asked), one), cached_property)):
        getattr(asked, question)
    moved = asked.update(fresh.iloc[1:])
    assert_array_equal(moved.forecast(H).paths, silent.update(fresh).forecast(H).paths)
    assert moved.nobs == silent.nobs


@every_model
def test_intervals_are_ordered_and_nested(name):
    outlook = fitted(name).forecast(H)
    bounds = [outlook.interval(coverage) for coverage in (0.5, 0.8, 0.95)]
    for (inner_low, inner_high), (low, high) in itertools.pairwise(bounds):
        assert (low <= inner_low).all(axis=None)
        assert (inner_low <= inner_high).all(axis=None)
        assert (inner_high <= high).all(axis=None)
    median = outlook.quantile(0.5)
    assert (bounds[0][0] <= median).all(axis=None)
    assert (median <= bounds[0][1]).all(axis=None)
    joint_low, joint_high = outlook.interval(0.8, joint=True)
    assert (joint_high - joint_low).mean(axis=None) >= (bounds[1][1] - bounds[1][0]).mean(axis=None)


@every_model
def test_units_do_not_matter(name):
    scale, shift = np.array([1024.0, 0.125]), np.array([4096.0, -3.0])
    plain = fitted(name).forecast(H)
    other = specimens()[name].fit(series() * scale + shift).forecast(H)
    size = series().std().to_numpy()
    assert_allclose((other.point - shift) / scale / size, plain.point / size, rtol=0, atol=1e-6)
    for q in (0.05, 0.95):
        back = (other.quantile(q).to_numpy() - shift) / scale
        assert_allclose(back / size, plain.quantile(q).to_numpy() / size, rtol=0, atol=1e-4)


@every_model
def test_one_series_is_enough(name):
    outlook = specimens()[name].fit(series(k=1)).forecast(3)
    assert outlook.point.shape == (3, 1)
    assert np.isfinite(outlook.paths).all()
    from_series = specimens()[name].fit(series(k=1)["gdp"]).forecast(3)
    assert_array_equal(from_series.paths, outlook.paths)


@every_model
def test_a_longer_horizon_begins_with_the_shorter_one(name):
    assert_allclose(fitted(name).forecast(2 * H, n_paths=20).point[:H], fitted(name).forecast(H, n_paths=20).point,
                    rtol=1e-12, atol=1e-12)


@every_model
def test_no_global_random_state_is_touched(name):
    import torch

    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    specimens()[name].fit(series()).forecast(2)
    assert before == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


@every_model
def test_inputs_are_left_as_they_were(name):
    y, X = series(), inputs(T) if name in WITH_INPUTS else None
    held, held_X = y.copy(deep=True), None if X is None else X.copy(deep=True)
    fit = specimens()[name].fit(y, X)
    fit.forecast(2, None if X is None else inputs().iloc[T:T + 2])
    pd.testing.assert_frame_equal(y, held)
    if X is not None:
        pd.testing.assert_frame_equal(X, held_X)
    y.iloc[:] = 0.0
    assert_array_equal(fit.seen.values, held.to_numpy())


@every_model
def test_the_summary_is_a_page_of_text(name):
    text = fitted(name).summary()
    for word in (specimens()[name].label, "gdp", "rate", "2000Q1", "AIC"):
        assert word in text


@every_model
def test_residuals_can_be_tested_and_drawn(name):
    fit = fitted(name)
    assert 0 <= fit.test_whiteness(12).pvalue <= 1
    assert 0 <= fit.test_normality().pvalue <= 1
    panels = fit.plot()
    assert len(panels) == fit.series.k
    for j, axes in enumerate(panels):
        assert_array_equal(axes.lines[0].get_ydata(), fit.series.values[:, j])
        assert_array_equal(axes.lines[1].get_ydata(), fit.fittedvalues.iloc[:, j])


@every_model
def test_likelihood_and_criteria_are_finite_and_agree(name):
    fit = fitted(name)
    constant = 2 * (1 + np.log(2 * np.pi))
    for value in (fit.llf, fit.aic, fit.bic, fit.hqic):
        assert np.isfinite(value)
    assert_allclose(fit.aic, -2 * fit.llf / fit.nobs - constant + 2 * fit.n_params / fit.nobs, rtol=1e-10)
    assert fit.sigma_u.shape == (2, 2)
    assert np.linalg.eigvalsh(fit.sigma_u)[0] > 0
    assert len(fit.resid) == len(fit.fittedvalues) == fit.nobs
    assert_allclose(fit.resid + fit.fittedvalues, series().iloc[-fit.nobs:], rtol=1e-12)
    if fit.bse is not None:
        assert (fit.bse.dropna(how="all") >= 0).all(axis=None)


@every_model
def test_a_fit_survives_the_way_to_another_process(name):
    back = pickle.loads(pickle.dumps(fitted(name)))
    assert_array_equal(back.forecast(3).paths, fitted(name).forecast(3).paths)


@every_model
def test_the_future_is_out_of_reach(name):
    """Noise in place of everything after a cutoff leaves the forecasts from that cutoff bit-identical."""
    task = {"windows": Windows(horizon=3, first=T - 8, step=4), "exog": None, "n_paths": 30}
    noise = series()
    noise.iloc[T - 8:] = np.random.default_rng(9).standard_normal((8, 2)) * 100
    held = []
    for y in (series(), noise):
        table = backtest({name: specimens()[name]}, Task(series=Series.of(y), **task), {}).forecasts
        made = table[table["origin"] == T - 8]
        assert len(made) == 6
        assert made["mean"].notna().all()
        held.append(made[["mean", "lower_90", "upper_95"]].to_numpy())
    assert_array_equal(*held)


@every_model_with_inputs
def test_inputs_are_matched_by_name_and_date(name):
    fit, future = fitted_with_inputs(name), inputs().iloc[T:]
    expected = fit.forecast(H, future)
    assert_array_equal(fit.forecast(H, future[["tax", "oil"]]).paths, expected.paths)
    assert_array_equal(fit.forecast(H, future.iloc[::-1]).paths, expected.paths)
    assert_array_equal(fit.forecast(H, inputs()).paths, expected.paths)
    assert_array_equal(fit.forecast(H, future.assign(unused=1.0)).paths, expected.paths)
    assert_array_equal(fit.forecast(H, future.to_numpy()).paths, expected.paths)
    assert not np.array_equal(fit.forecast(H, future * 2).point, expected.point)


@every_model_with_inputs
def test_update_takes_inputs_too(name):
    fit, longer = fitted_with_inputs(name), series(T + H)
    moved = fit.update(longer.iloc[T:T + 2], inputs().iloc[T:T + 2])
    predicted = fit._one_step(longer.to_numpy(), inputs().to_numpy())
    assert_allclose(moved.forecast(1, inputs().iloc[T + 2:T + 3], n_paths=20).point[0], predicted[T + 2],
                    rtol=1e-8, atol=1e-8)


def settings():
    """Return (model, field) of every setting that a model has."""
    return [(name, item.name) for name, spec in specimens().items() for item in dataclasses.fields(spec)]


@pytest.mark.parametrize(("name", "field"), settings(), ids=[f"{name}.{field}" for name, field in settings()])
@pytest.mark.parametrize("nonsense", [object(), "nonsense", -1, float("nan")], ids=["object", "text", "-1", "nan"])
def test_a_setting_that_makes_no_sense_is_refused_when_the_model_is_made(name, field, nonsense):
    with pytest.raises(ParameterError) as refused:
        dataclasses.replace(specimens()[name], **{field: nonsense})
    assert field in str(refused.value)
