"""sktime's door: every model passes sktime's own checks, and its forecasts are the native ones to the bit."""

from __future__ import annotations

import warnings
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

import varnn
from varnn.errors import HorizonError
from varnn.models import catalogue

pytest.importorskip("sktime", reason="sktime is not installed: pip install -c constraints-sktime.txt '.[sktime]'",
                    exc_type=ImportError)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what sktime says of its own parts as it loads
    from varnn.adapters import sktime as door

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:sktime", "ignore::DeprecationWarning",
                                        "ignore::varnn.errors.VarnnWarning", "ignore::UserWarning:sktime")
ids = [one.__name__ for one in door.FORECASTERS]
HORIZON, LEVELS = 3, [0.1, 0.5, 0.75]


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    dates = pd.period_range("2000-01", periods=90, freq="M")
    z = pd.DataFrame({"oil": rng.normal(size=90)}, index=dates)
    e = rng.normal(size=(90, 2))
    for t in range(1, 90):
        e[t] += 0.5 * e[t - 1] + 0.3 * z["oil"].iloc[t - 1]
    return pd.DataFrame(e, index=dates, columns=["gdp", "rate"]), z


def both(kind, sample, options=None):
    """Return sktime's forecaster and the native fit of the first rows, and what is known of later ones."""
    y, X = sample
    X = X if kind.specification.takes_exog and kind.__name__ not in ("Conformal", "Ensemble") else None
    theirs = kind(**(kind.get_test_params()[0] if options is None else options))
    past = None if X is None else X.iloc[:80]
    theirs.fit(y.iloc[:80], X=past)
    return theirs, theirs.native().fit(y.iloc[:80], past, rng=theirs.seed), X


def test_every_model_has_a_forecaster_with_its_options():
    assert {one.__name__: one.specification for one in door.FORECASTERS} == {
        name: model for name, model in catalogue().items() if model.__module__.startswith("varnn.")}
    for one in door.FORECASTERS:
        options = {field.name for field in fields(one.specification)}
        assert set(one.get_param_names()) == options | set(door.OWN)


@pytest.mark.parametrize("kind", door.FORECASTERS, ids=ids)
def test_forecasts_intervals_quantiles_and_draws_are_the_native_ones_to_the_bit(kind, sample):
    theirs, fit, X = both(kind, sample)
    ahead = None if X is None else X.iloc[80:80 + HORIZON]
    outlook = fit.forecast(HORIZON, ahead, n_paths=theirs.n_paths, rng=theirs.seed)
    fh = [1, HORIZON]
    rows = [step - 1 for step in fh]
    pd.testing.assert_frame_equal(theirs.predict(fh, X=ahead), outlook.mean.iloc[rows], check_exact=True)
    quantiles = theirs.predict_quantiles(fh, X=ahead, alpha=LEVELS)
    for level in LEVELS:
        for name in ("gdp", "rate"):
            assert (quantiles[name, level] == outlook.quantile(level)[name].iloc[rows]).all()
    bands = theirs.predict_interval(fh, X=ahead, coverage=[0.5, 0.9])
    for level in (0.5, 0.9):
        for side, bound in zip(("lower", "upper"), outlook.interval(level), strict=True):
            for name in ("gdp", "rate"):
                assert (bands[name, level, side] == bound[name].iloc[rows]).all()
    pytest.importorskip("skpro", exc_type=ImportError)
    drawn = theirs.predict_proba(fh, X=ahead).spl
    assert np.array_equal(drawn.to_numpy().reshape(-1, len(fh), 2), outlook.paths[:, rows])


@pytest.mark.parametrize(("kind", "options"), [(door.LinearRNN, {}), (door.VAR, {}), (door.TanhRNN, {"lags": 1})],
                         ids=["LinearRNN", "VAR", "TanhRNN"])
def test_a_fit_with_its_options_at_their_defaults_is_the_native_one(kind, options, sample):
    theirs, fit, X = both(kind, sample, {"n_paths": 10, **options})
    ahead = X.iloc[80:81]
    pd.testing.assert_frame_equal(theirs.predict([1], X=ahead), fit.forecast(1, ahead, n_paths=10).mean,
                                  check_exact=True)


@pytest.mark.parametrize("kind", [door.VAR, door.LinearRNN, door.Naive], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("estimate", [False, True], ids=["state moves on", "estimated anew"])
def test_update_is_the_native_one(kind, sample, estimate):
    theirs, fit, X = both(kind, sample)
    y, now = sample[0], None if X is None else X.iloc[80:85]
    theirs.update(y.iloc[80:85], X=now, update_params=estimate)
    fit = fit.spec.fit(y.iloc[:85], None if X is None else X.iloc[:85]) if estimate else fit.update(y.iloc[80:85], now)
    ahead = None if X is None else X.iloc[85:87]
    pd.testing.assert_frame_equal(theirs.predict([1, 2], X=ahead), fit.forecast(2, ahead, n_paths=40).mean,
                                  check_exact=True)


def test_the_native_fit_can_be_asked(sample):
    theirs, fit, _ = both(door.VAR, sample)
    assert theirs.fit_.params.equals(fit.params)


def test_steps_within_the_sample_are_refused_with_where_they_are(sample):
    theirs, _, X = both(door.VAR, sample)
    with pytest.raises((HorizonError, NotImplementedError), match=r"fit_\.fittedvalues|in-sample"):
        theirs.predict([0, 1], X=X.iloc[80:81])


def test_sktimes_own_evaluation_and_reduction_to_panels_take_it(sample):
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.split import ExpandingWindowSplitter

    y = sample[0]
    table = evaluate(door.VAR(lags=1), ExpandingWindowSplitter(fh=[1, 2], initial_window=70, step_length=10), y)
    assert table.filter(like="test_").notna().all(axis=None)
    long = pd.concat({"north": y, "south": 2 * y}, names=["where", "month"])
    panel = door.VAR(lags=1).fit(long).predict([1])
    alone = varnn.VAR(lags=1).fit(y).forecast(1).mean
    assert np.array_equal(panel.loc["north"].to_numpy(), alone.to_numpy())


@pytest.mark.parametrize("kind", [door.Naive, door.VAR], ids=lambda kind: kind.__name__)
def test_sktimes_own_checks_pass(kind):
    """Two kinds here, for time; `python -m tests.adapters.check_sktime` runs them for every class."""
    from sktime.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(kind, raise_exceptions=False, verbose=False)
    assert len(results) > 300
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}
