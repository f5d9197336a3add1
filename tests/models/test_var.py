"""The VAR behind the common interface: two engines, one set of numbers, forecasts that include what is not known."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.tsa.api import VAR as Peer

from varnn.data import load
from varnn.errors import ExogError, ParameterError, RankDeficientError, TooShortError
from varnn.forecaster import Draws
from varnn.models.rung1_var import VAR


def frame(T=150, k=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(T, k))
    for t in range(2, T):
        y[t] += 0.5 * y[t - 1] - 0.2 * y[t - 2, ::-1] + 1.0
    return pd.DataFrame(y, index=pd.period_range("1970Q1", periods=T, freq="Q"), columns=list("abcdefgh"[:k]))


def inputs(T, q=2, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(T, q)), index=pd.period_range("1970Q1", periods=T, freq="Q"),
                        columns=["oil", "tax"][:q])


CASES = [("c", 0), ("ct", 0), ("n", 0), ("c", 2), ("ct", 2)]


@pytest.fixture(scope="module", params=CASES, ids=[f"{trend}-{q}" for trend, q in CASES])
def both(request):
    trend, q = request.param
    y, X = frame(), inputs(150, q) if q else None
    return VAR(lags=2, trend=trend).fit(y, X), VAR(lags=2, trend=trend, engine="statsmodels").fit(y, X), trend, q


def test_both_engines_have_the_same_attributes_to_nine_digits(both):
    ours, theirs, _, _ = both
    for name in ("params", "bse", "tvalues", "pvalues", "resid", "fittedvalues", "sigma_u", "sigma_u_mle", "coefs",
                 "llf", "aic", "bic", "hqic", "fpe", "nobs", "df_resid", "df_model", "k_ar"):
        mine, peer = np.asarray(getattr(ours, name)), np.asarray(getattr(theirs, name))
        assert_allclose(mine, peer, rtol=1e-9, atol=1e-9 * np.abs(peer).max(), err_msg=name)
    assert_allclose(np.sort(np.abs(ours.roots)), np.sort(np.abs(theirs.roots)), rtol=1e-9)


def test_attributes_are_those_of_varresults_with_the_same_labels(both):
    ours = both[0]
    peer = ours.to_statsmodels()
    assert ours.params.columns.tolist() == peer.params.columns.tolist()
    assert ours.params.index.tolist() == peer.params.index.tolist()
    for name in ("params", "bse", "tvalues", "pvalues", "resid", "fittedvalues"):
        mine, theirs = getattr(ours, name), getattr(peer, name)
        assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.abs(np.asarray(theirs)).max(), err_msg=name)
    for name in ("sigma_u", "llf", "aic", "bic", "hqic", "fpe", "nobs", "df_resid"):
        assert_allclose(getattr(ours, name), getattr(peer, name), rtol=1e-9, err_msg=name)
    assert ours.resid.index.equals(frame().index[2:])
    assert ours.is_stable() == peer.is_stable()


def test_forecasts_and_intervals_at_known_parameters_equal_statsmodels(both):
    ours, theirs, _, q = both
    future = inputs(162, q).iloc[150:] if q else None
    peer = ours.to_statsmodels()
    point, low, high = peer.forecast_interval(np.asarray(frame())[-2:], 12, alpha=0.1,
                                              exog_future=None if future is None else np.asarray(future))
    for fit in (ours, theirs):
        outlook = fit.forecast(12, future, uncertainty="none", n_paths=5)
        assert_allclose(outlook.mean, point, rtol=1e-9)
        assert_allclose(outlook.interval(0.9)[0], low, rtol=1e-9, atol=1e-9)
        assert_allclose(outlook.interval(0.9)[1], high, rtol=1e-9, atol=1e-9)


def test_one_step_predictions_are_the_fitted_values(both):
    ours, _, _, _ = both
    inside = ours._one_step(ours.series.values, None if ours.exog is None else ours.exog.values)
    assert np.isnan(inside[:2]).all()
    assert_allclose(inside[2:], ours.fittedvalues, rtol=1e-10)


def test_paths_follow_the_equation_and_their_own_draw(both):
    ours, _, trend, q = both
    rng = np.random.default_rng(5)
    future = rng.normal(size=(3, q)) if q else None
    shocks, draws = rng.normal(size=(4, 3, 3)), ours._draw(2, rng)
    paths = ours._simulate(shocks, future, draws)
    for path in range(4):
        coef, past = draws.weights[path % 2], list(ours.series.values[-2:])
        for step in range(3):
            fixed = [1.0] * (trend != "n") + [151.0 + step] * (trend == "ct")
            x = np.concatenate([fixed, [] if future is None else future[step], past[-1], past[-2]])
            past.append(x @ coef + shocks[path, step])
            assert_allclose(paths[path, step], past[-1], rtol=1e-10)
    same = Draws(np.repeat(ours.sigma_u[None], 1, axis=0), ours.estimate.coef[None])
    assert_allclose(ours._simulate(shocks, future, same), ours._simulate(shocks, future), rtol=1e-12)


def test_draws_have_the_moments_of_the_posterior():
    fit = VAR(lags=1).fit(frame(60, 2))
    draws = fit._draw(40_000, np.random.default_rng(0))
    df = fit.df_resid
    assert_allclose(draws.weights.mean(axis=0), fit.params, atol=4e-3)
    assert_allclose(draws.sigma.mean(axis=0), fit.sigma_u * df / (df - 2), rtol=0.02)
    assert_allclose(draws.weights.std(axis=0), fit.bse * np.sqrt(df / (df - 2)), rtol=0.02)


def test_one_step_intervals_have_the_student_quantiles_of_regression():
    from scipy.stats import t as student

    fit = VAR(lags=1).fit(frame(30, 2))
    outlook = fit.forecast(1, n_paths=60_000, coverage=0.9)
    x = np.r_[1.0, fit.series.values[-1]]
    spread = np.sqrt(np.diag(fit.sigma_u) * (1 + x @ fit.estimate.inverse_gram @ x))
    reach = student.ppf(0.95, fit.df_resid) * spread
    lower, upper = outlook.interval()
    assert_allclose(upper.iloc[0] - lower.iloc[0], 2 * reach, rtol=0.02)


def test_the_default_order_is_statsmodels_choice_by_aic():
    y = frame(300)
    fit = VAR().fit(y)
    assert fit.k_ar == Peer(y).fit(fit.search.orders[-1], ic="aic").k_ar == 2
    assert VAR(lags="bic", max_lags=5).fit(y).search.orders[-1] == 5
    assert "chosen among 0 …" in fit.summary()


def test_update_moves_the_origin_and_keeps_the_parameters():
    y = frame(160)
    moved = VAR(lags=2).fit(y.iloc[:150]).update(y.iloc[150:])
    assert moved.params.equals(VAR(lags=2).fit(y.iloc[:150]).params)
    peer = Peer(y.iloc[:150]).fit(2)
    assert_allclose(moved.forecast(3, n_paths=2).mean, peer.forecast(y.to_numpy()[-2:], 3), rtol=1e-9)


def test_badly_scaled_columns_give_rescaled_forecasts():
    y, units = frame(), np.array([1e12, 1.0, 1e-12])
    plain = VAR(lags=2).fit(y).forecast(6, n_paths=50)
    scaled = VAR(lags=2).fit(y * units).forecast(6, n_paths=50)
    assert_allclose(scaled.mean / units, plain.mean, rtol=1e-9)
    assert_allclose(scaled.paths / units, plain.paths, rtol=1e-8)


def test_an_offset_of_a_billion_moves_the_forecasts_by_as_much():
    y = frame().round(5)
    plain, moved = VAR(lags=2).fit(y).forecast(6, n_paths=5).mean, VAR(lags=2).fit(y + 1e9).forecast(6, n_paths=5).mean
    assert_allclose(moved - 1e9, plain, atol=2e-5)  # 1e-7 is the spacing of float64 at 1e9


def test_one_series_is_an_autoregression():
    fit = VAR(lags=2).fit(frame(k=1))
    peer = sm.tsa.AutoReg(frame(k=1), 2).fit()
    assert_allclose(fit.params["a"], peer.params, rtol=1e-9)
    with pytest.raises(ParameterError, match="at least 2 series"):
        VAR(lags=2, engine="statsmodels").fit(frame(k=1))


def test_no_lags_is_a_regression_on_the_inputs():
    fit = VAR(lags=0).fit(frame(), inputs(150))
    peer = sm.OLS(frame().to_numpy(), sm.add_constant(inputs(150).to_numpy())).fit()
    assert_allclose(fit.params, peer.params, rtol=1e-9)
    assert fit.is_stable()
    assert fit.forecast(4, inputs(154).iloc[150:]).mean.shape == (4, 3)


def test_impulse_responses_and_decomposition_equal_statsmodels(both):
    ours, _, _, _ = both
    peer, found = ours.to_statsmodels(), ours.irf(8)
    them = peer.irf(8)
    assert_allclose(found.irfs, them.irfs, rtol=1e-9, atol=1e-12)
    assert_allclose(found.orth_irfs, them.orth_irfs, rtol=1e-9, atol=1e-12)
    assert_allclose(found.cum_effects, them.cum_effects, rtol=1e-9, atol=1e-12)
    assert_allclose(found.orth_cum_effects, them.orth_cum_effects, rtol=1e-9, atol=1e-12)
    assert_allclose(found.stderr, them.stderr(), rtol=1e-8, atol=1e-10)
    assert_allclose(ours.fevd(8).decomp, peer.fevd(8).decomp, rtol=1e-9, atol=1e-12)
    assert_allclose(found.generalized_irfs[0][:, 0], found.orth_irfs[0][:, 0], rtol=1e-12)
    assert found.to_frame().shape == (81, 6)
    assert_allclose(ours.fevd(4).to_frame().sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("kind", ["f", "wald"])
@pytest.mark.parametrize(("caused", "causing"), [("a", "b"), (["a", "c"], "b"), (["a"], ["b", "c"]), (2, 0)])
def test_granger_causality_equals_statsmodels(both, kind, caused, causing):
    ours, _, _, _ = both
    mine, peer = ours.test_causality(caused, causing, kind), ours.to_statsmodels().test_causality(caused, causing, kind)
    assert_allclose([mine.test_statistic, mine.pvalue, mine.crit_value()], [peer.test_statistic, peer.pvalue,
                                                                            peer.crit_value], rtol=1e-8)
    assert mine.conclusion() == peer.conclusion


def test_residual_tests_equal_statsmodels(both):
    ours, _, _, _ = both
    peer = ours.to_statsmodels()
    for mine, theirs in ((ours.test_whiteness(10), peer.test_whiteness(10)),
                         (ours.test_whiteness(8, adjusted=True), peer.test_whiteness(8, adjusted=True)),
                         (ours.test_normality(), peer.test_normality()),
                         (ours.test_inst_causality("b"), peer.test_inst_causality("b"))):
        assert_allclose(mine.test_statistic, theirs.test_statistic, rtol=1e-9)
        assert_allclose(mine.pvalue, theirs.pvalue, rtol=1e-9, atol=1e-12)


def test_jmulti_macrodata_granger_causality():
    levels = sm.datasets.macrodata.load_pandas().data[["realgdp", "realcons", "realinv"]]
    fit = VAR(lags=4).fit(levels)
    test = fit.test_causality(["realcons", "realinv"], "realgdp")
    assert (fit.nobs, test.df) == (199, (8, 558))
    assert_allclose([test.test_statistic, test.pvalue], [3.7090, 0.0003], rtol=0, atol=5e-5)


def test_mse_equals_statsmodels_and_grows_with_estimation_error(both):
    ours, _, _, q = both
    assert_allclose(ours.mse(6), ours.to_statsmodels().mse(6), rtol=1e-9, atol=1e-12)
    if q:
        with pytest.raises(ParameterError, match="no closed form with exogenous"):
            ours.mse(6, estimation_error=True)
    else:
        extra = ours.mse(6, estimation_error=True) - ours.mse(6)
        assert_allclose(extra[0], ours.sigma_u * ours.df_model / ours.nobs, rtol=1e-9)
        assert (np.linalg.eigvalsh(extra) > 0).all()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: VAR(lags=-1), "lags=-1"), (lambda: VAR(lags=2.5), "lags=2.5"), (lambda: VAR(lags=True), "lags=True"),
    (lambda: VAR(lags="aicc"), "lags='aicc'"), (lambda: VAR(trend="ctt"), "trend='ctt'"),
    (lambda: VAR(engine="svd"), "engine='svd'"), (lambda: VAR(max_lags=0), "max_lags=0"),
    (lambda: VAR(lags=2, max_lags=4), "max_lags=4 has no use"),
    (lambda: VAR(lags=0, trend="n").fit(frame()), "nothing to estimate"),
    (lambda: VAR(lags=2).fit(frame()).test_causality("a", "z"), "causing='z'"),
    (lambda: VAR(lags=2).fit(frame()).test_causality("a", "a"), "both sides"),
    (lambda: VAR(lags=2).fit(frame()).test_causality("a", kind="x"), "kind='x'"),
    (lambda: VAR(lags=0).fit(frame()).test_causality("a"), "lags=0"),
    (lambda: VAR(lags=2).fit(frame()).test_inst_causality(["a", "b", "c"]), "every series"),
    (lambda: VAR(lags=2).fit(frame()).test_whiteness(2), "nlags=2"),
    (lambda: VAR(lags=2).fit(frame()).irf(0), "periods=0")])
def test_settings_that_cannot_be_used_are_named(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize("engine", ["qr", "statsmodels"])
def test_too_short_and_collinear_series_are_refused_by_both_engines(engine):
    with pytest.raises(TooShortError, match=r"VAR\(lags=4\) on 3 series needs at least 20 rows, got 8; use lags <= 1"):
        VAR(lags=4, engine=engine).fit(frame(8))
    y = frame()
    y["c"] = y["a"] - y["b"]
    with pytest.raises(RankDeficientError, match="c"):
        VAR(lags=1, engine=engine).fit(y)


def test_an_unfindable_order_names_the_constant_series():
    y = frame()
    y["b"] = 2.0
    with pytest.raises(RankDeficientError, match=r"lag 1 of 'b' is constant.*drop 'b'"):
        VAR().fit(y)


def test_inputs_are_needed_again_for_the_future():
    with pytest.raises(ExogError):
        VAR(lags=1).fit(frame(), inputs(150)).forecast(3)


def test_the_specification_survives_its_fits():
    spec = VAR(lags="bic")
    first, second = spec.fit(frame()), spec.fit(frame())
    assert spec == VAR(lags="bic")
    assert_array_equal(first.params, second.params)


def test_a_table_is_made_when_first_read_and_travels_with_the_fit():
    fit = VAR(lags=2).fit(frame())
    travelled = pickle.loads(pickle.dumps(fit))
    assert not isinstance(vars(fit)["params"], pd.DataFrame)
    assert fit.params is fit.params
    pd.testing.assert_frame_equal(travelled.params, fit.params)
    assert fit.update(frame(160)[150:]).params is fit.params


def test_what_a_user_does_to_a_table_reaches_no_other():
    y = frame()
    fit, clean = VAR(lags=2).fit(y), VAR(lags=2).fit(y)
    fit.params.index.name, fit.bse.columns.name = "term", "equation"
    fit.params.iloc[0, 0] = fit.bse.iloc[0, 0] = 99.0
    for table in (clean.params, clean.bse, VAR(lags=2).fit(y).params):
        assert table.index.name is None
        assert table.columns.name is None
    assert_array_equal(clean.params, fit.estimate.coef)
    assert_array_equal(clean.bse, fit.estimate.bse)


@pytest.mark.parametrize("scale", [1e149, 1e-149])
def test_units_near_the_ends_of_float64_lose_no_digit(scale):
    y = frame() * [scale, 1.0, 1.0]
    fit, plain = VAR(lags=2).fit(y), VAR(lags=2).fit(frame())
    assert_allclose(fit.tvalues, plain.tvalues, rtol=1e-11)
    assert VAR().fit(y).k_ar == VAR().fit(frame()).k_ar


def test_a_nearly_noiseless_system_is_forecast_without_a_warning():
    y = load("lorenz63", n=600).frame.iloc[:360]   # powers of its companion matrix overflow before they fade
    forecast = VAR(lags="aic").fit(y).forecast(4, n_paths=20)
    assert np.isfinite(forecast.paths).all()
    assert (np.abs(forecast.point[0] - y.iloc[-1]) < y.std()).all()
