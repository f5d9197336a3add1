"""The evidence: blocks of the prior, rating of structures, and the test that an outlier cannot fool."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from varnn.estimate.tanh.design import Design
from varnn.estimate.tanh.evidence import (
    effective_by_block,
    forgets,
    log_evidence,
    mixture_weights,
    paired_gain,
    prior,
    units_used,
)
from varnn.estimate.tanh.gauss_newton import fit
from varnn.estimate.tanh.search import search
from varnn.estimate.tanh.structure import Data, Space, design


def data(values):
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    return Data(np.ascontiguousarray(z), np.ones((len(z), 1)), np.empty((len(z), 0)))


def autoregression(T=400, seed=0, k=1):
    rng = np.random.default_rng(seed)
    y = np.zeros((T, k))
    for t in range(1, T):
        y[t] = 0.6 * y[t - 1] + rng.normal(size=k)
    return data(y)


def linear_fit(rows, lags, rl=0, first=4):
    shape = design(rows, lags, 0, 0, 0, rl, first=first)
    shrink = prior(shape)
    return fit(shape, shrink, np.zeros(shape.size), np.ones(len(shrink.names)), steps=60)


@pytest.mark.parametrize("kind", ["unit", "sparse"])
def test_every_weight_has_one_block_and_intercepts_are_not_shrunk(kind):
    rng = np.random.default_rng(0)
    XL, XH = rng.normal(size=(20, 2 + 1 + 4)), rng.normal(size=(20, 1 + 1 + 2))
    shape = Design(XL, XH, rng.normal(size=(20, 2)), np.zeros((20, 2)), np.zeros(2), 3, 2, 1,
                   flat=2, fixed=3, fixed_H=2)
    blocks = prior(shape, kind)
    cut = shape.cuts(blocks.group.astype(float))
    assert (cut.L[:, :2] == -1).all()
    assert (blocks.group >= 0).sum() == shape.size - 4
    assert sorted(set(blocks.group[blocks.group >= 0])) == list(range(len(blocks.names)))
    names = np.array(blocks.names)
    assert names[int(cut.L[0, 2])] == "B exogenous 1"
    assert names[int(cut.L[0, 3])] == "B lag 1 own"
    assert names[int(cut.L[0, 4])] == "B lag 1 other"
    assert names[int(cut.Lf[1, 0])] == "A lag 1"
    assert (names[cut.W[0].astype(int)] == [f"W_hy unit {i}" for i in (1, 2, 3)]).all()
    assert (names[cut.Gs.ravel().astype(int)] == "W_hh").all()
    assert len(set(cut.G[0, :4])) == (1 if kind == "unit" else 2)


def test_the_evidence_prefers_the_true_number_of_lags_on_common_rows():
    rows = autoregression(T=800)
    ratings = [log_evidence(linear_fit(rows, lags)) for lags in range(5)]
    assert int(np.argmax(ratings)) == 1
    assert ratings[1] - ratings[0] > 50


def test_blocks_without_effect_cost_nothing_and_count_no_parameters():
    rows = autoregression(T=800, k=2)
    best = linear_fit(rows, 1)
    effective = effective_by_block(best)
    assert effective["intercept"] == 2
    assert 2 < effective["B"] < 3.5
    assert units_used(best) == 0


def test_a_filter_that_forgets_is_told_from_one_that_does_not():
    rows = autoregression()
    good = linear_fit(rows, 1, rl=1)
    assert forgets(good)
    wild = good.theta.copy()
    wild[-1] = 1.3
    assert not forgets(type(good)(**{**good.__dict__, "theta": wild}))


def test_a_gain_carried_by_few_outliers_is_not_sure():
    rng = np.random.default_rng(0)
    below = rng.normal(size=(500, 1))
    better, lucky = 0.9 * below, below.copy()
    below[7], lucky[7] = 40.0, 0.0
    assert paired_gain(below, lucky, np.eye(1)) < 1.1
    below[7] = better[7] = 0.0
    assert paired_gain(below, better, np.eye(1)) > 10
    assert paired_gain(below, below, np.eye(1)) == 0.0


def test_mixture_weights_are_posterior_probabilities():
    assert_allclose(mixture_weights([-1.0, -2.0]), np.exp([0, -1]) / (1 + np.exp(-1)))
    assert_allclose(mixture_weights([-1.0, -2.0], temperature=2.0), np.exp([0, -0.5]) / (1 + np.exp(-0.5)))
    assert mixture_weights([0.0, -1e9]).tolist() == [1.0, 0.0]


def test_the_search_keeps_the_linear_rung_on_linear_data_and_units_on_a_threshold():
    rng = np.random.default_rng(3)
    y = np.zeros((400, 1))
    for t in range(1, 400):
        y[t] = (0.9 if abs(y[t - 1, 0]) <= 1 else -0.3) * y[t - 1] + 0.5 * rng.normal()
    space = Space(None, None, True, 2, 2, 1)
    bent = search(data(y), space, np.random.default_rng(0))
    linear = search(autoregression(), space, np.random.default_rng(0))
    assert bent.members[0].optimum.design.n > 0
    assert bent.certainty > 2.0
    assert bent.rungs["TanhRNN"] > bent.rungs["VAR"]
    assert linear.members[0].optimum.design.n == 0
    for found in (bent, linear):
        assert_allclose(sum(member.weight for member in found.members), 1.0)
        assert max(found.rungs.values()) == max(member.evidence for member in found.members)
