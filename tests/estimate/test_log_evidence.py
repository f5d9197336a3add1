"""An evidence says what it is of, and refuses an unlike one."""

from __future__ import annotations

import numpy as np
import pytest

from varnn import GRU, LinearRNN, TanhRNN
from varnn.errors import InputError


@pytest.fixture(scope="module")
def y():
    e = np.random.default_rng(0).normal(size=(91, 1))
    return e[1:] + 0.6 * e[:-1]


def test_evidences_of_the_same_rows_differ_by_a_log_bayes_factor(y):
    wide, narrow = (LinearRNN(lags=1, width=n, likelihood="conditional").fit(y).evidence for n in (2, 1))
    assert wide - narrow == float(wide) - float(narrow)
    assert (wide < narrow) == (float(wide) < float(narrow))
    assert wide.sample.rows == narrow.sample.rows == 89


@pytest.mark.parametrize("other", [
    LinearRNN(lags=2, likelihood="conditional"), LinearRNN(lags=1, shrinkage=None),
    TanhRNN(lags=1, width=1, starts=1),
    GRU(lags=1, width=1, starts=1, max_steps=200)])
def test_unlike_evidences_refuse_to_be_compared(y, other):
    own, its = LinearRNN(lags=1, likelihood="conditional").fit(y).evidence, other.fit(y).evidence
    for compare in (lambda: own - its, lambda: own < its, lambda: own >= its, lambda: max(own, its)):
        with pytest.raises(InputError, match="89 rows, 1 … 89, marginal likelihood"):
            compare()


def test_other_data_and_other_units_are_unlike(y):
    own = LinearRNN(lags=1, likelihood="conditional").fit(y).evidence
    for data in (y + 1.0, 2.0 * y, y[::-1]):
        with pytest.raises(InputError, match="no Bayes factor"):
            own - LinearRNN(lags=1, likelihood="conditional").fit(data).evidence
