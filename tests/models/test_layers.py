"""Every rung is the one recursion: its layer gives its predictions, its forecasts and its states."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.errors import ParameterError, VarnnError
from varnn.estimate.tanh import mixture
from varnn.forecaster import Fitted
from varnn.models.rung0_naive import Naive
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import ANTITHETIC, FittedTanhRNN, TanhRNN
from varnn.models.rung4_gated import ANTITHETIC as GATED_PAIRS
from varnn.models.rung4_gated import GRU, LSTM
from varnn.recursion.wiring import aligned, encode_decode, one_to_many
from varnn.series import Series
from varnn.shocks import square_root

T, H = 90, 6
Z = np.random.default_rng(4).standard_normal((T + H, 2)) * 3.0 + 1.0


def bent(k: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    y, e = np.zeros((T, k)), rng.standard_normal((T, k))
    for t in range(1, T):
        y[t] = 2.0 * np.tanh(1.5 * y[t - 1]) * 0.6 + 0.3 * np.roll(y[t - 1], 1) + 0.4 * e[t - 1] + 0.5 * e[t]
    return 10.0 * y + 50.0


FITS = {
    "var": (VAR(lags=2), False), "var exog": (VAR(lags=1, trend="ct"), True), "var n": (VAR(lags=3, trend="n"), False),
    "var of X alone": (VAR(lags=0), True),
    "linear": (LinearRNN(lags=1, likelihood="conditional"), False),
    "linear exog": (LinearRNN(lags=2, trend="ct"), True),
    "linear plain": (LinearRNN(lags=1, trend="n", shrinkage=None, likelihood="conditional"), False),
    "linear wide": (LinearRNN(lags=1, width=4, shrinkage=None, likelihood="conditional"), False),
    "linear of X alone": (LinearRNN(lags=0, likelihood="conditional"), True),
    "linear exact": (LinearRNN(lags=1, likelihood="exact"), False), "linear chosen": (LinearRNN(), False),
    "linear exact wide": (LinearRNN(lags=2, width=3, shrinkage=None, likelihood="exact"), False),
    "tanh": (TanhRNN(lags=1, width=2), False), "tanh exog": (TanhRNN(lags=1, width=1, trend="ct"), True),
    "tanh chosen": (TanhRNN(), False), "tanh n": (TanhRNN(lags=2, width=1, trend="n"), False),
    "tanh no skip": (TanhRNN(lags=1, width=2, skip=False), False),
    "tanh of X alone": (TanhRNN(lags=0, width=2), True),
    "tanh of X through units": (TanhRNN(lags=0, width=2, skip=False), True),
    "gru": (GRU(lags=2, width=2), False), "gru exog": (GRU(lags=1, width=2, trend="ct"), True),
    "gru n": (GRU(lags=1, width=1, trend="n"), False), "gru of X alone": (GRU(lags=0, width=2), True),
    "lstm": (LSTM(lags=1, width=2), False), "lstm exog": (LSTM(lags=1, width=1), True),
}


@pytest.fixture(scope="module", params=sorted(FITS))
def case(request) -> tuple[Fitted, np.ndarray | None]:
    model, exogenous = FITS[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(bent(), Z[:T] if exogenous else None, rng=0), Z[T:] if exogenous else None


def scale(fit: Fitted) -> float:
    return float(np.abs(fit.series.values).max())


def by_member(fit: Fitted, y=None, X=None) -> list[np.ndarray]:
    """Predictions of each member, on the rows that all of them predict."""
    found = [aligned(fit.layer(y, X, member=j), fit.inputs(y, X, member=j))[:, 0].numpy()
             for j in range(len(fit.members) if isinstance(fit, FittedTanhRNN) else 1)]
    rows = min(map(len, found))
    return [part[len(part) - rows:] for part in found]


def test_aligned_is_the_fitted_values(case):
    fit, _ = case
    parts = by_member(fit)
    votes = fit.votes.to_numpy() if isinstance(fit, FittedTanhRNN) else np.ones((len(parts[0]), 1))
    ours = sum(votes[:, [j]] * part for j, part in enumerate(parts))
    expected = fit.fittedvalues.to_numpy()
    assert_allclose(ours, expected, rtol=0, atol=1e-10 * scale(fit))


def mean_shocks(fit: Fitted, member: int) -> np.ndarray:
    """Shocks over which a mean path is averaged."""
    k = fit.series.k
    if isinstance(fit, FittedTanhRNN):
        optimum = fit.members[member].optimum
        if optimum.design.n == 0:
            return np.zeros((1, H, k))
        half = np.random.default_rng(0).standard_normal((ANTITHETIC, H, k)) @ np.linalg.cholesky(optimum.sigma).T
        return np.concatenate([half, -half]) * fit.units.scale
    if fit.spec.label in ("GRU", "LSTM") and fit.evidence_gain > 0:
        white = np.random.default_rng(0).standard_normal((H, GATED_PAIRS, k)).swapaxes(0, 1)
        half = white @ square_root(fit.sigma_u).T
        return np.concatenate([half, -half])
    return np.zeros((1, H, k))


def mean_path(fit: Fitted, future, y=None, X=None) -> np.ndarray:
    """The mean forecast by `encode_decode`; member by member, weighed outside."""
    votes = [1.0]
    if isinstance(fit, FittedTanhRNN):
        series = fit.series.values if y is None else y
        exog = None if fit.exog is None else fit.exog.values if X is None else X
        votes = mixture.weighed(fit.members, fit._data(series, exog))[1][:, -1].tolist()
    total = np.zeros((H, fit.series.k))
    for j, vote in enumerate(votes):
        shocks = mean_shocks(fit, j)
        first, feed = fit.ahead(H, future, shocks, y=y, X_past=X, member=j)
        own, rows = fit.layer(y, X, member=j), fit.inputs(y, X, member=j)
        paths = encode_decode(own, own, rows.expand(-1, len(shocks), -1), first, H, feed=feed)
        total += vote * (paths.numpy() + shocks.swapaxes(0, 1)).mean(axis=1)
    return total


@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")  # of an LSTM on a rising series
def test_encode_decode_is_the_mean_path(case):
    fit, future = case
    assert_allclose(mean_path(fit, future), fit.forecast(H, future, n_paths=10).mean.to_numpy(), rtol=0,
                    atol=1e-10 * scale(fit))


@pytest.mark.filterwarnings("ignore::varnn.errors.StationarityWarning")
def test_encode_decode_from_a_window_is_the_forecast_from_it(case):
    fit, future = case
    y, X = fit.series.values[20:], None if fit.exog is None else fit.exog.values[20:]
    seen = Series.of(y)
    moved = replace(fit, seen=seen, seen_exog=None if X is None else seen.exog_of(X))
    assert_allclose(mean_path(fit, future, y, X), moved.forecast(H, future, n_paths=10).mean.to_numpy(), rtol=0,
                    atol=1e-10 * scale(fit))


def test_one_to_many_from_the_last_states_is_a_path(case):
    fit, future = case
    shocks = np.random.default_rng(2).standard_normal((3, H, fit.series.k))
    if isinstance(fit, FittedTanhRNN):
        particles = mixture.ends(fit.members, fit._seen_data)
        trend, known = fit._future(H, future)
        expected = fit.units.back(mixture.paths(fit.members, (replace(particles[0], weight=1.0),), trend, known,
                                                shocks / fit.units.scale, cycle=False))
    else:
        expected = fit._simulate(shocks, future)
    own = fit.layer()
    reached = tuple(part[-1].expand(3, -1) for part in own.run(fit.inputs()))
    first, feed = fit.ahead(H, future, shocks)
    paths = one_to_many(own, first, H, start=reached, feed=feed).numpy().swapaxes(0, 1) + shocks
    assert_allclose(paths, expected, rtol=0, atol=1e-10 * scale(fit))


def test_states_are_a_dated_table_whose_first_columns_are_predictions(case):
    fit, _ = case
    states = fit.states
    assert list(states.columns[:fit.series.k]) == list(fit.series.names)
    assert states.index[-1] == fit.series.index[-1]
    assert np.isfinite(states.to_numpy()).all()
    if not isinstance(fit, FittedTanhRNN) or len(fit.members) == 1:
        expected = fit.fittedvalues.to_numpy()
        assert_allclose(states.to_numpy()[:, :fit.series.k], expected[len(expected) - len(states):], rtol=0,
                        atol=1e-10 * scale(fit))


def test_what_an_exact_filter_adds_vanishes():
    rng = np.random.default_rng(1)
    e = rng.standard_normal((401, 1))
    fit = LinearRNN(lags=1, likelihood="exact", shrinkage=None).fit(e[1:] + 0.5 * e[:-1])
    added = fit.inputs()[:, 0, -1:].abs()
    assert added[:5].max() > 1e-6
    assert added[200:].max() < 1e-12


def test_a_layer_learns_on_in_torch():
    fit = VAR(lags=1).fit(bent())
    layer = fit.layer()
    weights = {name: value.clone().requires_grad_() for name, value in layer.weights.items()}
    target = torch.tensor(fit.series.values[1:])[:, None]
    loss = (aligned(replace(layer, weights=weights), fit.inputs()) - target).square().sum()
    loss.backward()
    assert weights["weight_ih"].grad.abs().max() < 1e-6 * float(loss.detach())     # least squares: it is at its minimum
    assert weights["weight_hh"].grad.abs().max() > 1e-6 * float(loss.detach())


@pytest.mark.parametrize(("call", "message"), [
    (lambda fit: fit.layer(bent(3)), "3 columns, the fit has 2"), (lambda fit: fit.layer(bent(), Z[:T]), "leave X out"),
    (lambda fit: fit.layer(member=1), "member"), (lambda fit: fit.inputs(bent()[:1]), "longer series"),
    (lambda fit: fit.ahead(3, shocks=np.zeros((2, 4, 2))), r"pass \(paths, 3, 2\)")])
def test_what_cannot_enter_is_refused(call, message):
    with pytest.raises(VarnnError, match=message):
        call(VAR(lags=1).fit(bent()))


def test_a_model_without_a_recursion_says_so():
    with pytest.raises(ParameterError, match="has no layer; there are layers of VAR"):
        Naive().fit(bent()).layer()
