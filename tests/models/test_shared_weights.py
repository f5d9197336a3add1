"""RNNs shared by the series of a panel: one set of weights, a level, a scale and a noise for each series."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.errors import ExogError, ParameterError, RankDeficientError, RationWarning, TooShortError
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.wrap_panel import Panel
from varnn.persist import load, save

LINEAR, TANH = LinearRNN(lags=1), TanhRNN(lags=1, width=2, starts=1)
BOTH = pytest.mark.parametrize("model", [LINEAR, TANH], ids=["linear", "tanh"])


def many(count, rows=60, seed=0, bent=False):
    """Return ARMA(1, 1), or sign-autoregressive, series of unlike levels, scales and, by up to 9 rows, lengths."""
    rng = np.random.default_rng(seed)
    out = {}
    for i in range(count):
        n = rows + i % 10
        e, y = rng.standard_normal(n + 20), np.zeros(n + 20)
        for t in range(1, n + 20):
            y[t] = np.sign(y[t - 1]) + e[t] if bent else 0.6 * y[t - 1] + e[t] + 0.6 * e[t - 1]
        out[f"s{i}"] = rng.normal(0, 100) + np.exp(rng.normal()) * y[20:, None]
    return out


def weights(fit):
    return fit.estimate.weights if isinstance(fit.spec, LinearRNN) else fit.members[0].optimum.theta


@BOTH
def test_a_panel_of_one_series_is_the_plain_fit(model):
    y = many(1)["s0"]
    ours, plain = Panel(model=model).fit([y])["0"], model.fit(y)
    assert_array_equal(weights(ours), weights(plain))
    assert_array_equal(ours.forecast(3, n_paths=20).paths, plain.forecast(3, n_paths=20).paths)


@BOTH
def test_members_share_weights_and_forecast_from_their_own_past(model):
    data = many(6)
    fits = Panel(model=model).fit(data)
    for name, part in data.items():
        fit = fits[name]
        assert_array_equal(weights(fit), weights(fits["s0"]))
        known = fit.update(part[-1:] + part.std())
        assert len(known.seen) == len(part) + 1
        assert known.forecast(1, n_paths=20).point.item() > fit.forecast(1, n_paths=20).point.item()


@BOTH
def test_the_order_of_the_series_does_not_matter(model):
    data = many(5)
    one, two = Panel(model=model).fit(data), Panel(model=model).fit(dict(reversed(data.items())))
    for name in data:
        assert_array_equal(one[name].forecast(2, n_paths=20).paths, two[name].forecast(2, n_paths=20).paths)


@BOTH
def test_units_of_one_series_do_not_touch_the_others(model):
    data = many(5)
    one, two = Panel(model=model).fit(data), Panel(model=model).fit(data | {"s0": data["s0"] * 1024.0 + 4096.0})
    for name in ("s1", "s4"):
        assert_allclose(two[name].forecast(3, n_paths=20).point, one[name].forecast(3, n_paths=20).point, rtol=1e-8)
    assert_allclose(two["s0"].forecast(3, n_paths=20).paths,
                    one["s0"].forecast(3, n_paths=20).paths * 1024.0 + 4096.0, rtol=1e-7)


def test_copies_in_other_units_are_copies():
    y, model = many(1)["s0"], LinearRNN(lags=1, shrinkage=None)
    units, plain = Panel(model=model).fit([y, 7.0 * y - 3.0, 0.1 * y], rng=0), Panel(model=model).fit([y, y, y], rng=0)
    assert_allclose(weights(units["1"]), weights(plain["1"]), atol=1e-6)


def test_copies_have_the_weights_of_one_where_levels_are_means():
    data, X = with_inputs(1)
    y, z = data["s0"], X["s0"]
    fits = Panel(model=LinearRNN(lags=1, shrinkage=None)).fit([y, 7.0 * y - 3.0], [z, z])
    assert_allclose(weights(fits["1"]), weights(LinearRNN(lags=1, shrinkage=None).fit(y, z)), atol=1e-6)


def test_short_series_do_not_make_up_lags_or_units():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((400, 74))
    for t in range(1, 74):
        y[:, t] += 0.6 * y[:, t - 1]
    short = list(y[:, 50:])
    assert Panel(model=LinearRNN()).fit(short, rng=0)["0"].lags == 1
    fit = Panel(model=TanhRNN(starts=1)).fit(short, rng=0)["0"]
    assert (fit.lags, fit.members[0].optimum.design.n) == (1, 0)
    assert_allclose(fit.params.loc["L1.y1"].item(), 0.6, atol=0.04)


def test_sharing_beats_a_fit_of_each_and_tanh_units_find_what_single_series_are_too_short_for():
    data, errors = many(40, 60, seed=5, bent=True), {}
    train = {name: part[:-1] for name, part in data.items()}
    for name, model, sharing in (("tanh", TanhRNN(lags=1, width=3, starts=1), "global"), ("VAR", VAR(lags=1), "global"),
                                 ("tanh of each", TanhRNN(lags=1, width=3, starts=1), "local")):
        means = Panel(model=model, sharing=sharing).fit(train).mean(1).iloc[:, 0]
        errors[name] = np.mean([((means.loc[key].item() - data[key][-1]) / part.std()) ** 2
                                for key, part in train.items()])
    assert errors["tanh"] < 0.95 * errors["VAR"]
    assert errors["tanh"] < errors["tanh of each"]


def test_the_lags_and_the_memory_of_a_panel_are_found():
    fits = Panel(model=LinearRNN(max_lags=3)).fit(many(20))
    assert fits["s0"].lags == 1
    assert_allclose(fits["s0"].ma, 0.6, atol=0.15)
    assert fits["s0"].likelihood == "exact"
    assert Panel(model=TanhRNN(width=2, starts=1)).fit(many(6))["s0"].lags >= 1


@BOTH
def test_intervals_follow_the_noise_of_each_series(model):
    rng = np.random.default_rng(1)
    calm = {f"calm{i}": np.sin(np.arange(80) / 6 + i)[:, None] + 0.05 * rng.standard_normal((80, 1)) for i in range(4)}
    wild = {f"wild{i}": rng.standard_normal((80, 1)) for i in range(4)}
    fits = Panel(model=model).fit(calm | wild)
    width = {name: np.ptp(np.quantile(fits[name].forecast(1, n_paths=400).paths, [0.05, 0.95])) / part.std()
             for name, part in (calm | wild).items()}
    assert max(width[name] for name in calm) < 0.8 * min(width[name] for name in wild)


def test_intervals_of_short_series_hold_what_they_say():
    data, inside = many(150, 24, seed=2), []
    fits = Panel(model=LINEAR).fit({name: part[:-4] for name, part in data.items()})
    for name, part in data.items():
        low, high = np.quantile(fits[name].forecast(4, n_paths=200).paths, [0.05, 0.95], axis=0)
        inside.append((part[-4:] >= low) & (part[-4:] <= high))
    assert 0.85 < np.mean(inside) < 0.94


@BOTH
def test_a_member_is_saved_without_the_other_series(model, tmp_path):
    fit = Panel(model=model).fit(many(30))["s3"]
    path = save(fit, tmp_path / "s3.varnn")
    assert_array_equal(load(path).forecast(2, n_paths=20).paths, fit.forecast(2, n_paths=20).paths)
    assert path.stat().st_size < 100_000
    assert "likelihood" in fit.summary()


def test_ten_times_as_many_series_cost_at_most_twelve_times_as_much():
    small, large = many(40), many(400)
    Panel(model=LINEAR).fit(small)
    costs = []
    for _ in range(3):  # in turn: both meet the same load
        for data in (small, large):
            begun = time.process_time()
            Panel(model=LINEAR).fit(data)
            costs.append(time.process_time() - begun)
    assert min(costs[1::2]) <= 12 * np.median(costs[::2])


def with_inputs(count=5, rows=50):
    rng = np.random.default_rng(3)
    data, X = {}, {}
    for i in range(count):
        dates = pd.period_range("2001-01", periods=rows, freq="M")
        z = rng.standard_normal((rows, 2))
        y = np.zeros(rows)
        for t in range(1, rows):
            y[t] = 0.5 * y[t - 1] + z[t, 0] - 2.0 * z[t, 1] + 0.1 * rng.standard_normal()
        data[f"s{i}"] = pd.DataFrame({"y": 10.0**i * y}, index=dates)
        columns = ["price", "heat"] if i % 2 else ["heat", "price"]
        X[f"s{i}"] = pd.DataFrame(z, index=dates, columns=["price", "heat"])[columns]
    return data, X


@BOTH
def test_exogenous_columns_are_matched_by_series_date_and_name(model):
    data, X = with_inputs()
    train, past = ({name: part.iloc[:-1] for name, part in given.items()} for given in (data, X))
    fits = Panel(model=model).fit(train, dict(reversed(past.items())))
    made = fits.mean(1, {name: part.iloc[-1:] for name, part in X.items()}).iloc[:, 0]
    for name, part in data.items():
        assert abs(made.loc[name].item() - part.iloc[-1, 0]) < 0.6 * train[name].to_numpy().std()
    table = fits.forecast(1, {name: part.iloc[-1:] for name, part in X.items()}, n_paths=20)
    assert len(table) == len(data)
    with pytest.raises(ExogError, match="nothing for series 's2'"):
        fits.mean(1, {name: part.iloc[-1:] for name, part in X.items() if name != "s2"})
    with pytest.raises(ExogError):
        fits.mean(1)


def test_local_fits_take_exogenous_columns_too():
    data, X = with_inputs(2)
    fits = Panel(model=VAR(lags=1), sharing="local").fit(data, X)
    assert_array_equal(fits["s1"].params.to_numpy(),
                       VAR(lags=1).fit(data["s1"], X["s1"][["heat", "price"]]).params.to_numpy())


@pytest.mark.parametrize(("change", "error", "says"), [
    (lambda X: {"s0": X["s0"]}, ExogError, "nothing for series 's1'"),
    (lambda X: X | {"s1": X["s1"].rename(columns={"heat": "cold"})}, ExogError, "series 's1' has the columns"),
    (lambda X: X | {"s1": X["s1"].iloc[:-3]}, ExogError, "series 's1'"),
    (lambda X: {name: part.rename(columns={"heat": "y"}) for name, part in X.items()}, ExogError, "column named 'y'"),
    (lambda X: {name: part.assign(heat=1.0) for name, part in X.items()}, ExogError, "'heat' of X is constant"),
])
def test_bad_exogenous_columns_are_refused_by_name(change, error, says):
    data, X = with_inputs()
    with pytest.raises(error, match=says):
        Panel(model=LINEAR).fit(data, change(X))


@pytest.mark.parametrize("model", [LinearRNN(lags=3), TanhRNN(lags=3)])
def test_a_series_that_cannot_take_part_is_named(model):
    with pytest.raises(TooShortError, match=r"series 'b' has 5 rows; a global .* at least 6"):
        Panel(model=model).fit({"a": np.arange(9.0) ** 2, "b": np.arange(5.0)})
    with pytest.raises(RankDeficientError, match="series 'b': the column 'y1' is constant"):
        Panel(model=model).fit({"a": np.arange(9.0) ** 2, "b": np.ones(9)})


def test_what_has_no_global_fit_says_so():
    with pytest.raises(ParameterError, match="trend='ct'"):
        Panel(model=LinearRNN(trend="ct"))
    data = list(many(2).values())
    with pytest.raises(ParameterError, match="lags=0 without X"):
        Panel(model=LinearRNN(lags=0)).fit(data)
    with pytest.raises(ParameterError, match="width=1 is less than the 2"):
        Panel(model=LinearRNN(width=1)).fit([np.random.default_rng(i).normal(size=(20, 2)) for i in range(2)])
    with pytest.raises(ParameterError, match="global VAR takes no X"):
        Panel(model=VAR(lags=1)).fit(data, [np.arange(len(part)) % 3 for part in data])
    with pytest.raises(ParameterError, match="likelihood='exact'"):
        Panel(model=LinearRNN(lags=1, likelihood="exact")).fit(data, [np.arange(len(part)) % 3 for part in data])


def test_a_short_series_rations_the_lags_aloud():
    data = many(8) | {"short": many(1)["s0"][:5]}
    with pytest.warns(RationWarning, match="tries 2 of"):
        fits = Panel(model=LinearRNN()).fit(data)
    assert fits["short"].lags <= 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Panel(model=LINEAR).fit(data)


def test_inputs_alone_can_drive_a_panel():
    data, X = with_inputs()
    for model in (LinearRNN(lags=0), TanhRNN(lags=0, width=2, starts=1)):
        fits = Panel(model=model).fit(data, X)
        assert fits["s0"].lags == 0
        resid = fits["s1"].resid.to_numpy()
        assert resid[10:].std() < 0.5 * data["s1"].to_numpy().std()


def test_each_series_has_posterior_draws_of_its_own_and_the_seed_decides_them():
    fits, again, other = (Panel(model=TANH).fit(many(3), rng=seed) for seed in (1, 1, 2))
    seeds = [[panel[name].draws_seed for name in ("s0", "s1", "s2")] for panel in (fits, again, other)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert len(set(seeds[0])) == 3
    assert_array_equal(fits["s1"].forecast(2, rng=0).paths, again["s1"].forecast(2, rng=0).paths)
