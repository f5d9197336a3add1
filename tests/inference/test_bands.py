"""Bootstrap bands of pictures are percentiles of the replicates' own answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import varnn
from varnn.errors import ParameterError

RNG = np.random.default_rng(0)
Y = pd.DataFrame(RNG.normal(size=(120, 2)), columns=["a", "b"])
Y.iloc[1:] += 0.5 * Y.iloc[:-1].to_numpy()
FIT = varnn.VAR(lags=1).fit(Y)
BOOT = FIT.bootstrap(60, rng=0)
A = BOOT.params[:, 1:, :].swapaxes(1, 2)          # (B, k, k), below the constant
P = np.linalg.cholesky(BOOT.draws.sigma)


def drawn(axes, step):
    """Return the lower and upper limit of a band at a step."""
    corners = axes.collections[0].get_paths()[0].vertices
    here = corners[corners[:, 0] == step][:, 1]
    return here.min(), here.max()


@pytest.mark.parametrize(("options", "at_one"), [
    ({}, A), ({"cumulative": True}, np.eye(2) + A), ({"orth": True}, A @ P),
    ({"orth": True, "cumulative": True}, P + A @ P)], ids=str)
def test_bands_of_responses_are_percentiles_of_what_is_drawn(options, at_one):
    grid = FIT.irf(4).plot(**options, bands=BOOT)
    for i in range(2):
        for j in range(2):
            assert_allclose(drawn(grid[i, j], 1), np.quantile(at_one[:, i, j], [0.025, 0.975]))


def test_bands_of_shares_are_percentiles_of_the_shares():
    grid = FIT.fevd(3).plot(BOOT)
    share = P[:, 1, 0] ** 2 / (P[:, 1] ** 2).sum(axis=1)          # of b one step ahead, owed to a
    assert_allclose(drawn(grid[1, 0], 1), np.quantile(share, [0.025, 0.975]))
    assert_allclose(grid[1, 0].lines[1].get_ydata(), FIT.fevd(3).decomp[1, :, 0])


def test_a_linear_rnn_has_bands_too():
    fit = varnn.LinearRNN(lags=1, width=2, shrinkage=None, likelihood="conditional").fit(Y)
    boot = fit.bootstrap(5, rng=0)
    responses = np.array([refit.irf(2).irfs[1, 0, 1] for refit in boot.refits])
    assert_allclose(drawn(fit.irf(2).plot(bands=boot)[0, 1], 1), np.quantile(responses, [0.025, 0.975]))


def test_bands_of_other_series_and_of_fits_without_responses_are_refused():
    other = varnn.VAR(lags=1).fit(Y.rename(columns={"a": "c"})).bootstrap(5, rng=0)
    with pytest.raises(ParameterError, match="bands are of c, b, the picture is of a, b"):
        FIT.irf(2).plot(bands=other)
    naive = varnn.Naive().fit(Y).bootstrap(5, rng=0)
    with pytest.raises(ParameterError, match="Naive has no impulse responses"):
        naive.responses(2)
