"""The compiled judgement of one origin is the plain functions of the scores, number by number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from varnn.evaluate.backtest import LEVELS
from varnn.evaluate.calibration import joint_pit, pit
from varnn.evaluate.scores.at_origin import marks
from varnn.evaluate.scores.density import crps
from varnn.evaluate.scores.joint import energy


@pytest.mark.parametrize(("m", "h", "k", "decimals"), [(1, 1, 1, 9), (20, 2, 1, 9), (41, 3, 4, 9), (200, 2, 3, 1),
                                                       (37, 2, 1, 0), (30, 1, 2, 0)])
def test_one_call_finds_what_the_scores_find_one_by_one_also_with_ties(m, h, k, decimals):
    rng = np.random.default_rng(m)
    y, paths = rng.normal(size=(h, k)).round(decimals), rng.normal(size=(m, h, k)).round(decimals)
    scale = rng.uniform(0.5, 2.0, k)
    found = marks(y, paths, LEVELS, scale, np.random.default_rng(3))
    same = np.random.default_rng(3)
    assert_array_equal(found.quantiles, np.quantile(paths, LEVELS, axis=0))
    assert_allclose(found.crps, crps(y, paths), rtol=1e-12, atol=1e-15)
    assert_array_equal(found.pit, pit(y, paths, rng=same))
    assert_array_equal(found.joint_pit, joint_pit(y, paths, rng=same))
    assert_allclose(found.energy, [energy(y[step] / scale, paths[:, step] / scale) for step in range(h)], rtol=1e-12,
                    atol=1e-15)
