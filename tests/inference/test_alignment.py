"""Refits whose units changed places or signs are put in order before they are pooled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from varnn import VAR, LinearRNN, TanhRNN
from varnn.inference.bootstrap import aligned_readout
from varnn.inference.residuals import usual_nlags


def test_units_in_any_order_and_with_any_signs_come_back():
    rng = np.random.default_rng(0)
    own, readout = rng.normal(size=(60, 4)), rng.normal(size=(4, 2))
    units = [f"unit{i + 1}" for i in range(4)]
    for _ in range(20):
        places, signs = rng.permutation(4), rng.choice([-1.0, 1.0], size=4)
        table = pd.DataFrame(signs[:, None] * readout[places], index=units)
        back = aligned_readout(table, units, own, signs * own[:, places])
        assert (back.to_numpy() == readout).all()


def test_the_bootstrap_error_of_a_sign_process_is_near_the_laplace_error():
    rng, y = np.random.default_rng(0), np.zeros(301)
    for t in range(1, 301):
        y[t] = np.sign(y[t - 1]) + rng.normal()
    fit = TanhRNN(lags=1, width=1).fit(y[1:])
    found = fit.bootstrap(20)
    assert 0.5 < found.bse.loc["unit1", "y1"] / fit.bse.loc["unit1", "y1"] < 2.5
    lower, upper = found.interval()
    assert 0.5 < lower.loc["unit1", "y1"] < fit.params.loc["unit1", "y1"] < upper.loc["unit1", "y1"] < 1.6


def test_a_default_whiteness_test_never_refuses_itself():
    y = np.random.default_rng(0).normal(size=(120, 1))
    assert VAR(lags=11).fit(y).test_whiteness().df == 11
    assert [usual_nlags(120, lags) for lags in (0, 9, 10, 14)] == [10, 10, 20, 28]


def test_whiteness_of_a_linear_rnn_is_judged_by_samples_of_the_fit():
    e = np.random.default_rng(3).normal(size=(81, 1))
    fit = LinearRNN(lags=1).fit(e[1:] + 0.6 * e[:-1])
    test = fit.test_whiteness(simulations=19, rng=1)
    assert test.pvalue == (1 + (test.simulated >= test.test_statistic).sum()) / 20
    assert test.simulated.mean() < 10  # χ²(10) has this mean; the fit has taken two degrees of freedom
