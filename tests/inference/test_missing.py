"""Gaps: likelihoods against statsmodels' Kalman filter, EM at its maximum, fills, forecasts and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn import VAR, Direct, Drift, Ensemble, LinearRNN, Naive
from varnn.errors import InputError, MissingDataError, ParameterError
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.wrap_conformal import Conformal

NAMES = ["a", "b"]
HOLES = [(20, 0), (21, 0), (21, 1), (40, 1), (60, 0), (60, 1), (61, 0), (61, 1), (99, 0)]


def frame(holes: list[tuple[int, int]] = HOLES, T: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    y = rng.standard_normal((T, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    for t in range(1, T):
        y[t] += np.array([[0.6, 0.2], [-0.1, 0.5]]) @ y[t - 1]
    y = y * [10.0, 0.1] + [50.0, -3.0]
    for row, column in holes:
        y[row, column] = np.nan
    return pd.DataFrame(y, columns=NAMES, index=pd.period_range("1990-01", periods=T, freq="M"))


def kalman(data, coefs, const, sigma, initial, ma=None):
    """statsmodels' log-likelihood of a VAR(p) or VARMA(1, 1) at given parameters, rows p … T − 1 from a known state."""
    varmax = pytest.importorskip("statsmodels.tsa.statespace.varmax")
    p = len(coefs)
    peer = varmax.VARMAX(data, order=(p, 0 if ma is None else 1), trend="c")
    theta = np.zeros(len(peer.param_names))
    for place, name in enumerate(peer.param_names):
        parts = name.split(".")
        if parts[0] == "intercept":
            theta[place] = const[NAMES.index(parts[1])]
        elif parts[0] == "sqrt":
            pair = [NAMES.index(part) for part in parts[2:]]
            theta[place] = np.linalg.cholesky(sigma)[max(pair), min(pair)]
        elif parts[1].startswith("e("):
            theta[place] = ma[NAMES.index(parts[2]), NAMES.index(parts[1][2:-1])]
        else:
            theta[place] = coefs[int(parts[0][1:]) - 1][NAMES.index(parts[2]), NAMES.index(parts[1])]
    if initial is not None:
        peer.ssm.initialize_known(*initial)
    return peer.loglike(theta)


@pytest.mark.filterwarnings("ignore:Estimation of VARMA")
@pytest.mark.parametrize("lags", [1, 2])
def test_the_likelihood_of_a_var_with_gaps_is_the_kalman_filters(lags):
    data, k = frame(), 2
    fit = VAR(lags=lags).fit(data, missing="filter")
    const, coefs, sigma = fit.params.loc["const"].to_numpy(), fit.full.coefs, fit.full.sigma_u_mle
    stacked = np.zeros((k * lags, k * lags))
    stacked[:k] = np.hstack(list(coefs))
    stacked[k:, :-k] = np.eye(k * (lags - 1))
    past = data.to_numpy()[:lags][::-1].ravel()
    spread = np.zeros((k * lags, k * lags))
    spread[:k, :k] = sigma
    first = stacked @ past + np.concatenate([const, np.zeros(k * (lags - 1))])
    # statsmodels keeps the intercept outside the state for trend "c" of a VAR in the observation-free form
    assert fit.llf == pytest.approx(kalman(data.iloc[lags:], coefs, const, sigma, (first, spread)), abs=1e-8)


def test_em_ends_at_the_maximum_of_the_likelihood():
    from varnn.estimate.missing import state_space as gaps

    data = frame()
    fit = VAR(lags=1).fit(data, missing="filter")

    def llf(params: np.ndarray, sigma: np.ndarray) -> float:
        space = gaps.var_space(params[1:].T[None], sigma, np.tile(params[0], (100, 1)), data.to_numpy())
        return gaps.smooth(space, data.to_numpy()).llf

    params, sigma = fit.params.to_numpy(), fit.full.sigma_u_mle
    assert llf(params, sigma) == pytest.approx(fit.llf, abs=1e-8)
    for row in range(3):
        for column in range(2):
            nudge = np.zeros((3, 2))
            nudge[row, column] = 0.05 * fit.bse.to_numpy()[row, column]
            assert max(llf(params + nudge, sigma), llf(params - nudge, sigma)) < fit.llf
    for factor in (0.98, 1.02):
        assert llf(params, sigma * factor) < fit.llf


def test_without_gaps_filter_changes_nothing():
    y = frame([])
    plain, asked = VAR(lags=2).fit(y), VAR(lags=2).fit(y, missing="filter")
    assert_allclose(asked.params, plain.params)
    assert asked.llf == plain.llf


def test_the_em_of_a_complete_series_is_least_squares():
    from varnn.inference.missing import _by_em

    y = frame([])
    plain = VAR(lags=2).fit(y)
    found, llf = _by_em(plain, y.to_numpy())
    assert_allclose(found.params, plain.params, rtol=1e-9)
    assert_allclose(found.bse, plain.bse, rtol=1e-9)
    assert_allclose(found.sigma_u, plain.sigma_u, rtol=1e-9)
    assert llf == pytest.approx(plain.llf, abs=1e-8)


@pytest.mark.filterwarnings("ignore:Estimation of VARMA")
def test_the_likelihood_of_a_linear_rnn_with_gaps_is_the_kalman_filters():
    data = frame()
    fit = LinearRNN(lags=1, shrinkage=None).fit(data, missing="filter")
    inside = fit.full
    assert inside.likelihood == "exact"
    const = fit.params.loc["const"].to_numpy()
    assert fit.llf == pytest.approx(kalman(data, inside.phi, const, inside.sigma_u_mle, None, ma=inside.ma), abs=1e-8)


def test_gaps_are_filled_with_what_both_sides_suggest():
    truth = frame([])
    fit = VAR(lags=1).fit(frame(), missing="filter")
    filled = fit.filled.to_numpy()
    kept = ~fit.gaps.to_numpy()
    assert_allclose(filled[kept], truth.to_numpy()[kept])
    scale = truth.to_numpy().std(axis=0)
    error = np.abs((filled - truth.to_numpy()) / scale)[~kept]
    flat = np.abs((np.nanmean(frame().to_numpy(), axis=0) - truth.to_numpy()) / scale)[~kept]
    assert error.mean() < flat.mean()
    assert fit.gaps.to_numpy().sum() == len(HOLES)


def test_many_gaps_leave_the_estimates_near_those_of_the_full_series():
    rng, full = np.random.default_rng(0), frame([], T=1500)
    holes = [(int(row), int(column)) for row, column in zip(rng.integers(2, 1500, 400), rng.integers(0, 2, 400),
                                                            strict=True)]
    fit, known = VAR(lags=1).fit(frame(holes, T=1500), missing="filter"), VAR(lags=1).fit(full)
    assert_allclose(fit.params / known.params, 1, atol=0.15)
    assert_allclose(fit.sigma_u, known.sigma_u, rtol=0.1)


def test_units_do_not_matter():
    one, other = (VAR(lags=1).fit(frame() * factor, missing="filter") for factor in (1.0, 1024.0))
    assert_allclose(other.filled, one.filled * 1024, rtol=1e-9)


@pytest.mark.parametrize("model", [VAR(lags=1), LinearRNN(lags=1), TanhRNN(lags=1, width=2, starts=1), Naive(),
                                   Drift()])
def test_every_recursion_fits_and_forecasts_through_gaps(model):
    fit = model.fit(frame(), missing="filter")
    outlook = fit.forecast(4)
    assert np.isfinite(outlook.paths).all()
    assert np.isfinite(fit.llf)
    assert "9 of 200 values" in fit.summary()
    assert np.isfinite(fit.update(frame([]).to_numpy()[:2]).forecast(2).point).all()


def test_a_gap_at_the_end_is_forecast_and_conditioned():
    fit = VAR(lags=1).fit(frame(), missing="filter")
    assert fit.forecast(1).index[0] == pd.Period("1998-05", freq="M")
    assert fit.scenario(2, {"a": 50.0}, uncertainty="none").effective == 1000


@pytest.mark.parametrize(("holes", "message"), [
    ([(row, 0) for row in range(1, 80)], "column 'a' lacks 79 of 100"),
])
def test_gaps_that_cannot_be_filled_are_named(holes, message):
    with pytest.raises(MissingDataError, match=message):
        VAR(lags=1).fit(frame(holes), missing="filter")


def test_without_the_option_gaps_are_refused_with_column_date_and_count():
    with pytest.raises(MissingDataError, match="9 missing values, the first in column 'a' at 1991-09"):
        VAR(lags=1).fit(frame())


@pytest.mark.parametrize("option", ["drop", None, True])
def test_an_unknown_option_is_refused(option):
    with pytest.raises(ParameterError, match="missing="):
        VAR(lags=1).fit(frame(), missing=option)


def test_other_faults_of_the_data_are_still_found():
    y = frame()
    with pytest.raises(InputError, match="not in time order"):
        VAR(lags=1).fit(y.iloc[::-1], missing="filter")
    with pytest.raises(InputError, match="inf"):
        VAR(lags=1).fit(y.replace(y.iloc[5, 0], np.inf), missing="filter")
    with pytest.raises(InputError, match="type"):
        VAR(lags=1).fit(y.astype(object).assign(c="x"), missing="filter")
    with pytest.raises(ParameterError, match="no recursion of its own"):
        Conformal(VAR(lags=1)).fit(y, missing="filter")


FIRST = [(0, 1), (1, 0), (1, 1), (30, 0)]


@pytest.mark.parametrize("model", [VAR(lags=2), VAR(), LinearRNN(lags=2), LinearRNN(lags=2, likelihood="conditional"),
                                   TanhRNN(lags=2, width=1, starts=1), Naive(), Drift()])
def test_every_recursion_fits_through_a_gap_among_its_first_rows(model):
    fit = model.fit(frame(FIRST), missing="filter")
    assert np.isfinite(fit.filled.to_numpy()).all()
    assert np.isfinite(fit.forecast(2).paths).all()
    assert np.isfinite(fit.llf)


def test_the_likelihood_with_a_gap_in_the_first_row_is_that_of_the_joint_normal():
    """y_0 ~ N(guess, variance of the series); y_1 … y_T given y_0 from the recursion: all one Gaussian vector."""
    from scipy.stats import multivariate_normal

    y = frame([])["a"].to_numpy()[:12, None].copy()
    y[0] = np.nan
    y[5] = np.nan
    fit = VAR(lags=1).fit(y, missing="filter")
    const, slope, sigma = fit.params.loc["const"].item(), fit.coefs.item(), fit.full.sigma_u_mle.item()
    mean, cov = np.empty(12), np.zeros((12, 12))
    mean[0], cov[0, 0] = y[1].item(), np.nanvar(y)
    for t in range(1, 12):
        mean[t] = const + slope * mean[t - 1]
        cov[t, :t] = cov[:t, t] = slope * cov[t - 1, :t]
        cov[t, t] = slope**2 * cov[t - 1, t - 1] + sigma
    seen = ~np.isnan(y[:, 0])
    joint = multivariate_normal(mean[seen], cov[np.ix_(seen, seen)])
    assert fit.llf == pytest.approx(joint.logpdf(y[seen, 0]), abs=1e-7)
    hole = [0]
    pull = cov[np.ix_(hole, seen)] @ np.linalg.solve(cov[np.ix_(seen, seen)], y[seen, 0] - mean[seen])
    assert fit.filled.iloc[0, 0] == pytest.approx(mean[0] + pull.item(), rel=1e-6)


@pytest.mark.parametrize("model", [VAR(lags=2), LinearRNN(lags=1), TanhRNN(lags=1, width=1, starts=1)])
def test_a_fit_with_gaps_answers_what_a_fit_without_does(model):
    with_gaps, without = model.fit(frame(), missing="filter"), model.fit(frame([]))
    for name in [name for name in dir(without) if not name.startswith("_")]:
        assert hasattr(with_gaps, name), name
    assert with_gaps.test_whiteness().pvalue == with_gaps.full.test_whiteness().pvalue
    assert with_gaps.is_stable() if hasattr(without, "is_stable") else True
    if isinstance(model, VAR):
        assert_allclose(with_gaps.irf(4).orth_irfs, with_gaps.full.irf(4).orth_irfs)
        assert with_gaps.test_causality("a", "b").pvalue == with_gaps.full.test_causality("a", "b").pvalue
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = with_gaps.no_such_thing


def test_new_rows_may_have_gaps_and_the_forecast_stands_in():
    fit = VAR(lags=1).fit(frame(), missing="filter")
    ahead = fit.forecast(1).mean
    moved = fit.update(np.array([[np.nan, np.nan]]))
    assert_allclose(moved.seen.values[-1], ahead.to_numpy()[0], rtol=1e-10)
    assert_allclose(moved.forecast(1).mean.to_numpy()[0], fit.forecast(2).mean.to_numpy()[1], rtol=1e-10)


@pytest.mark.parametrize(("model", "instead"), [
    (Direct(horizon=2), "fit a VAR or LinearRNN with missing='filter'"),
    (Conformal(VAR(lags=1)), "fit VAR alone with missing='filter'"),
    (Ensemble((VAR(lags=1), Naive())), "fit VAR and Naive alone with missing='filter'"),
], ids=lambda one: getattr(one, "label", ""))
def test_models_without_a_recursion_of_their_own_name_what_to_fit_instead(model, instead):
    y = np.random.default_rng(0).normal(size=(80, 1))
    y[20] = np.nan
    with pytest.raises(ParameterError, match=f"{instead}, or fill the gaps first"):
        model.fit(y, missing="filter")
