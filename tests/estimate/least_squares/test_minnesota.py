"""The conjugate Minnesota prior against brute force, numerical integration and the Bank of England's bvar."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import trapezoid
from scipy.stats import invgamma, multivariate_t, norm
from statsmodels.datasets import macrodata

from varnn.estimate.least_squares.minnesota import (
    Regression,
    Tightness,
    _flipped,
    choose,
    descended,
    evidence_of_orders,
    hyper_prior,
    posterior,
)
from varnn.estimate.least_squares.regression import fit_var

TIGHT = Tightness(0.3, 1.5, 0.7, 2.0)


def regression(y: np.ndarray, p: int, first: int | None = None) -> Regression:
    """Return the regression of rows `first` … on a constant and p lags."""
    T, k = y.shape
    begin = p if first is None else first
    lagged = [y[begin - lag:T - lag] for lag in range(1, p + 1)]
    start = np.concatenate([[1.0], np.tile(y[:begin].mean(axis=0), p)])
    return Regression(np.hstack([np.ones((T - begin, 1)), *lagged]), y[begin:], T - begin, p, y.std(axis=0), start,
                      k + 2.0)


def walks_and_noise(seed: int, T: int = 120, k: int = 3) -> np.ndarray:
    """Return k series about their means, every other one a random walk."""
    y = np.random.default_rng(seed).standard_normal((T, k))
    y[:, ::2] = y[:, ::2].cumsum(axis=0)
    return y - y.mean(axis=0)


def one_by_one(data: Regression, tight: Tightness, walks: np.ndarray) -> float:
    """Return log p(Y) as the sum of one-step predictive t densities, each from the posterior before it."""
    k, precision, b = data.Y.shape[1], data.precision(tight), data.centre(walks)
    scatter, dof, total = np.eye(k), data.dof, 0.0
    for x, y in zip(data.X, data.Y, strict=True):
        wide = 1 + x @ np.linalg.solve(precision, x)
        df = dof - k + 1
        total += multivariate_t.logpdf(y, x @ b, scatter * wide / df, df=df)
        after = precision + np.outer(x, x)
        b_after = np.linalg.solve(after, precision @ b + np.outer(x, y))
        scatter = scatter + np.outer(y, y) + b.T @ precision @ b - b_after.T @ after @ b_after
        precision, b, dof = after, b_after, dof + 1
    return total


@pytest.mark.parametrize("walks", [np.zeros(3), np.array([1.0, 0.0, 1.0])], ids=["noise", "walks"])
def test_the_evidence_is_the_product_of_one_step_predictive_densities(walks):
    data = regression(walks_and_noise(0), 2)
    assert_allclose(posterior(data, TIGHT, walks).evidence, one_by_one(data, TIGHT, walks), rtol=1e-10)


def test_the_evidence_is_the_matrix_t_density():
    data, walks = regression(walks_and_noise(1, T=30, k=2), 2), np.array([1.0, 0.0])
    n, k, away = data.rows, 2, data.Y - data.X @ data.centre(walks)
    rows = np.eye(n) + data.X @ np.linalg.solve(data.precision(TIGHT), data.X.T)
    inner = np.linalg.slogdet(np.eye(k) + away.T @ np.linalg.solve(rows, away))[1]
    from scipy.special import multigammaln

    density = (multigammaln((n + data.dof) / 2, k) - multigammaln(data.dof / 2, k) - n * k / 2 * np.log(np.pi)
               - k / 2 * np.linalg.slogdet(rows)[1] - (n + data.dof) / 2 * inner)
    assert_allclose(posterior(data, TIGHT, walks).evidence, density, rtol=1e-12)


def test_the_evidence_is_the_integral_of_likelihood_times_prior():
    y = np.array([[0.3], [-1.0], [0.2], [0.4]])
    data = Regression(y[:-1], y[1:], 3, 1, np.array([0.8]), np.array([0.3]), dof=3.0)
    variance = 1 / data.precision(TIGHT).item()

    def joint(b: np.ndarray, s: np.ndarray) -> np.ndarray:
        rows = [norm.pdf(now, b * before, np.sqrt(s)) for before, now in zip(y[:-1, 0], y[1:, 0], strict=True)]
        prior = norm.pdf(b, 1.0, np.sqrt(s * variance)) * invgamma.pdf(s, data.dof / 2, scale=0.5)
        return np.asarray(np.prod(rows, axis=0) * prior)

    logs, steps = (np.linspace(low, high, 1201) for low, high in ((-6.0, 6.0), (-9.0, 9.0)))   # of s, and of b
    s = np.exp(logs)[:, None]
    whole = trapezoid(trapezoid(joint(1 + steps * np.sqrt(s * variance), s) * np.sqrt(s * variance), steps) * s[:, 0],
                      logs)
    assert_allclose(posterior(data, TIGHT, np.ones(1)).evidence, np.log(whole), atol=1e-5)


def test_the_slopes_are_those_of_differences():
    data, walks, step = regression(walks_and_noise(2), 4), np.array([1.0, 0.0, 1.0]), 1e-5
    for i, slope in enumerate(posterior(data, TIGHT, walks).slope):
        high, low = (posterior(data, Tightness.of(TIGHT.logs + sign * step * np.eye(4)[i]), walks).evidence
                     for sign in (1, -1))
        assert_allclose(slope, (high - low) / (2 * step), rtol=1e-6, atol=1e-6)
    for i, slope in enumerate(hyper_prior(TIGHT)[1]):
        high, low = (hyper_prior(Tightness.of(TIGHT.logs + sign * step * np.eye(4)[i]))[0] for sign in (1, -1))
        assert_allclose(slope, (high - low) / (2 * step), rtol=1e-6, atol=1e-8)


def test_the_slopes_are_those_of_differences_where_there_is_a_season():
    data, walks, step = replace(regression(walks_and_noise(2), 9), season=4), np.array([1.0, 0.0, 1.0]), 1e-5
    tight = replace(TIGHT, seasonal=0.4)
    for i, slope in enumerate(posterior(data, tight, walks).slope):
        high, low = (posterior(data, Tightness.of(tight.logs + sign * step * np.eye(5)[i]), walks).evidence
                     for sign in (1, -1))
        assert_allclose(slope, (high - low) / (2 * step), rtol=1e-6, atol=1e-6)
    for i, slope in enumerate(hyper_prior(tight)[1]):
        high, low = (hyper_prior(Tightness.of(tight.logs + sign * step * np.eye(5)[i]))[0] for sign in (1, -1))
        assert_allclose(slope, (high - low) / (2 * step), rtol=1e-6, atol=1e-8)


def test_a_season_adds_to_the_variances_around_it_and_twice_it():
    data = replace(regression(walks_and_noise(4), 9), season=4)
    tight = replace(TIGHT, seasonal=0.4)
    own = data.fixed + 3 * np.arange(9)                       # of the first series, lag by lag
    extra = 1 / data.independent(tight)[own] - 0.3**2 * np.arange(1.0, 10.0) ** -1.5
    assert_allclose(extra, 0.4**2 * np.array([4, 3, 2, 1, 2, 3, 2, 1, 2.0]) ** -1.5)
    assert_allclose(posterior(data, tight, np.zeros(3)).evidence, one_by_one(data, tight, np.zeros(3)), rtol=1e-10)
    assert not replace(data, season=10).seasonal
    assert not replace(data, season=1).seasonal


def test_rows_compressed_by_qr_have_the_same_posterior():
    data, walks = regression(walks_and_noise(3, T=400), 3), np.array([1.0, 0.0, 0.0])
    short = data.compressed()
    assert len(short.X) == data.X.shape[1] + 3
    full, found = posterior(data, TIGHT, walks), posterior(short, TIGHT, walks)
    assert_allclose(found.evidence, full.evidence, rtol=1e-12)
    assert_allclose(found.coef, full.coef, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_no_other_centres_are_more_probable_than_those_chosen(seed):
    rng = np.random.default_rng(100 + seed)
    y = rng.standard_normal((90, 3))
    for t in range(1, 90):  # from noise to walks, and what lies between
        y[t] += np.array([0.2, 0.8, 0.97]) * y[t - 1]
    data = regression((y - y.mean(axis=0)) @ rng.standard_normal((3, 3)), 3)
    chosen = choose(data)
    best = max(height(descended(data, Tightness(sums=sums), np.array(one, dtype=float)))
               for one in itertools.product((0, 1), repeat=3) for sums in (1.0, 0.1, 0.01))
    assert height(chosen) >= best - 1e-5


def height(choice) -> float:
    return choice.found.evidence + hyper_prior(choice.tight)[0]


def test_the_evidence_of_every_order_is_that_of_the_order_alone():
    y, walks = walks_and_noise(5), np.array([1.0, 0.0, 1.0])
    found = evidence_of_orders(regression(y, 6), TIGHT, walks)
    alone = [posterior(regression(y, p, first=6), TIGHT, walks).evidence for p in range(1, 7)]
    assert_allclose(found, alone, rtol=1e-12)


def test_a_prior_that_says_nothing_leaves_least_squares():
    y = walks_and_noise(6)
    found = posterior(regression(y, 2), Tightness(1e5, 1.0, 1e6, 1e6), np.zeros(3))
    assert_allclose(found.coef, fit_var(y, 2).coef, atol=1e-6)


# Bank of England's bvar 0.3.5: NaturalConjugate(soc=True, sur=True), stationary=False,
# optimise_hyperparameters(optimisation_backend="numpy", random_state=2), then sample(point_only=True).
# λ, decay, μ, θ; forecasts 1 and 8 steps ahead. Its finite differences stop up to .01 nats early on macrodata.
PEER = {
    "macrodata": (
        (0.32841088256450457, 2.0665592784600304, 0.5458542001695847, 0.775799823277905),
        (947.7437333825, 913.8868671725, 730.9660623108),
        (952.1267121795, 918.9393311051, 733.5400608726),
    ),
    "five walks": (
        (0.08001849961874073, 2.083014279182055, 0.20016184545224597, 0.1522189715093613),
        (17.2669907131, 34.4458633669, 31.2621574079, 25.688989615, 32.9369962107),
        (15.8986527829, 34.2664494944, 30.6685253198, 25.0181308902, 32.3067005959),
    ),
}


def peer_case(name: str) -> tuple[np.ndarray, int]:
    if name == "macrodata":
        return 100 * np.log(macrodata.load_pandas().data[["realgdp", "realcons", "realinv"]].to_numpy()), 5
    mixed = np.array([[1, .3, 0, 0, 0], [0, 1, .5, 0, 0], [0, 0, 1, 0, .2], [.1, 0, 0, 1, 0], [0, 0, 0, .4, 1]])
    return np.cumsum(np.random.default_rng(7).standard_normal((160, 5)) @ mixed, axis=0) + 50, 4


def as_in_bvar(y: np.ndarray, p: int) -> tuple[Regression, np.ndarray]:
    """Return the package's prior: raw levels, dummies of the first p rows explained, which count as rows of Σ."""
    k = y.shape[1]
    sizes = np.sqrt([fit_var(one[:, None], 1).resid.var() for one in y.T])
    data = regression(y / sizes, p)
    first = data.Y[:p].mean(axis=0)
    return Regression(data.X, data.Y, data.rows, p, abs(first), np.concatenate([[1.0], np.tile(first, p)]),
                      k + 2.0 + k + 1, loose=10.0), sizes


def ahead(data: Regression, coef: np.ndarray, steps: int) -> np.ndarray:
    k, p = data.Y.shape[1], data.lags
    past = [*data.Y[-p:][::-1]]
    for _ in range(steps):
        past.insert(0, np.concatenate([[1.0], *past[:p]]) @ coef)
    return np.array(past[:steps][::-1]).reshape(steps, k)


@pytest.mark.parametrize("name", PEER)
def test_at_its_hyper_parameters_the_forecasts_are_those_of_bvar(name):
    y, p = peer_case(name)
    data, sizes = as_in_bvar(y, p)
    tight, near, far = PEER[name]
    found = ahead(data, posterior(data, Tightness(*tight), np.ones(y.shape[1])).coef, 8) * sizes
    assert_allclose(found[[0, 7]] / sizes, np.array([near, far]) / sizes, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", PEER)
def test_the_hyper_parameters_are_those_of_bvar_or_more_probable(name):
    y, p = peer_case(name)
    data, sizes = as_in_bvar(y, p)
    tight, near, _ = PEER[name]
    chosen, theirs = descended(data, Tightness(), np.ones(y.shape[1])), posterior(data, Tightness(*tight),
                                                                                   np.ones(y.shape[1]))
    gap = height(chosen) - theirs.evidence - hyper_prior(Tightness(*tight))[0]
    assert -1e-9 < gap < 0.01
    assert_allclose(chosen.tight.logs, np.log(tight), atol=0.07 if name == "macrodata" else 1e-4)
    found = ahead(data, chosen.found.coef, 1)[0]
    assert_allclose(found, np.array(near) / sizes, rtol=0, atol=0.02 if name == "macrodata" else 1e-5)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_the_evidence_where_flips_end_is_that_of_a_fit_there(start):
    data = regression(np.hstack([walks_and_noise(8, k=5), walks_and_noise(9, k=2).cumsum(axis=0)]), 4)
    walks, evidence = _flipped(data, TIGHT, posterior(data, TIGHT, np.full(7, start)), np.full(7, start))
    assert_allclose(evidence, posterior(data, TIGHT, walks).evidence, rtol=1e-8)  # S falls from 1e6 times
    for i in range(7):
        other = walks.copy()
        other[i] = 1 - other[i]
        assert posterior(data, TIGHT, other).evidence < evidence


def test_the_order_chosen_is_that_of_a_search_with_a_descent_for_every_order():
    y = np.random.default_rng(11).standard_normal((150, 2))
    for t in range(3, 150):
        y[t] += 0.5 * y[t - 1] - 0.4 * y[t - 3]
    longest = regression(y - y.mean(axis=0), 6)
    chosen = choose(longest)
    quick = evidence_of_orders(longest.compressed(), chosen.tight, chosen.walks)
    m = longest.fixed
    each = [height(choose(replace(longest, X=longest.X[:, :m + 2 * p], first=longest.first[:m + 2 * p], lags=p)))
            for p in range(1, 7)]
    assert np.argmax(quick) == np.argmax(each) >= 2
