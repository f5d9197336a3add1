"""Stata's exact log-likelihoods of VARMA models, as bundled with statsmodels (tsa/statespace/tests/results).

`results_varmax.py` and `manufac.dta` hold Stata's estimates (dfactor and sspace); at those parameters the linear RNN
has Stata's log-likelihood.  Stata prints parameters to 8 digits, hence the tolerance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from varnn.estimate.linear import likelihood
from varnn.estimate.linear.likelihood import Sample


@pytest.fixture(scope="module")
def stata():
    return pytest.importorskip("statsmodels.tsa.statespace.tests.results.results_varmax")


@pytest.fixture(scope="module")
def manufacturing(stata):
    frame = pd.read_stata(Path(stata.__file__).with_name("manufac.dta"))
    levels = frame.set_index(pd.DatetimeIndex(frame["month"]))[["lncaputil", "lnhours"]]
    return np.ascontiguousarray(levels.diff().loc["1972-02-01":].to_numpy(dtype=np.float64))


def _llf(y, phi, theta, sigma):
    """VARMA(1,1) without constant: A = -Θ, B = Φ + Θ."""
    T, k = y.shape
    weights = np.hstack([-theta, phi + theta, np.zeros((k, 1))])
    sample = Sample(np.ascontiguousarray(y), np.zeros((T, 0)), 1, 1)
    return -likelihood.exact(sample, weights, sigma).value - likelihood.constant(T, k)


def test_west_german_var1_has_statas_likelihood(stata):
    levels = np.array(stata.lutkepohl_data, dtype=float)
    y = np.diff(np.log(levels), axis=0)[:75]
    params = np.array(stata.lutkepohl_var1["params"])
    root = np.zeros((3, 3))
    root[np.tril_indices(3)] = params[9:]
    llf = _llf(y, params[:9].reshape(3, 3), np.zeros((3, 3)), root @ root.T)
    assert_allclose(llf, 587.8481018831948, rtol=1e-6)


def test_restricted_manufacturing_varma11_has_statas_likelihood(stata, manufacturing):
    params = np.array(stata.fred_varma11["params"])
    llf = _llf(manufacturing, params[:4].reshape(2, 2), params[4:8].reshape(2, 2), np.diag(params[8:]))
    assert_allclose(llf, 3156.056423235071, rtol=1e-6)


def test_manufacturing_vma1_has_statas_likelihood(stata, manufacturing):
    params = np.array(stata.fred_vma1["params"])
    llf = _llf(manufacturing, np.zeros((2, 2)), params[:4].reshape(2, 2), np.diag(params[4:]))
    assert_allclose(llf, 3088.909619417645, rtol=1e-6)
