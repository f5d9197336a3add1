"""Lütkepohl (2005), West German investment, income and consumption, VAR(2): every printed digit.

The numbers are those of the book (§3.2.3, 3.5.3, 3.6.2, 2.3.3 with df-corrected Σ), to the digits that statsmodels and
R's `vars` agree on. The data come with statsmodels.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.tsa.vector_ar.tests as bundled
from numpy.testing import assert_allclose

from varnn.models.rung1_var import VAR

NAMES = ["invest", "income", "cons"]
# const, L1.invest, L1.income, L1.cons, L2.invest, L2.income, L2.cons; coefficient and standard error
INVEST = [(-.016722, .017226), (-.319631, .125456), (.145989, .545666), (.961219, .664310), (-.160551, .124907),
          (.114605, .534570), (.934394, .665096)]
INCOME = [(.015767, .004375), (.043931, .031859), (-.152732, .138570), (.288502, .168700), (.050031, .031720),
          (.019166, .135752), (-.010205, .168899)]
CONS = [(.012926, .003526), (-.002423, .025676), (.224813, .111678), (-.263968, .135960), (.033880, .025564),
        (.354912, .109407), (-.022230, .136120)]


@pytest.fixture(scope="module", params=["qr", "statsmodels"])
def fit(request):
    path = Path(bundled.__file__).parent / "results" / "e1.dat"
    lines = [line.split() for line in path.read_text().splitlines() if line[:1].strip().isdigit() or line[:1] == " "]
    levels = np.array([line for line in lines if len(line) == 3 and line[0][0].isdigit()], dtype=float)
    assert levels.shape == (92, 3)
    growth = pd.DataFrame(np.diff(np.log(levels), axis=0)[:75], columns=NAMES,
                          index=pd.period_range("1960Q2", periods=75, freq="Q"))
    return VAR(lags=2, engine=request.param).fit(growth)


@pytest.mark.parametrize(("name", "rows"), list(zip(NAMES, (INVEST, INCOME, CONS), strict=True)))
def test_coefficients_and_standard_errors(fit, name, rows):
    assert fit.nobs == 73
    assert_allclose(fit.params[name], [row[0] for row in rows], rtol=0, atol=5e-7)
    assert_allclose(fit.bse[name], [row[1] for row in rows], rtol=0, atol=5e-7)


def test_likelihood_and_criteria(fit):
    assert_allclose([fit.llf, fit.aic, fit.bic, fit.hqic], [606.306968, -24.549439, -23.890539, -24.286856],
                    rtol=0, atol=5e-7)


def test_moduli_of_the_roots(fit):
    assert_allclose(np.abs(fit.roots), [2.694, 2.034, 2.034, 1.814, 1.814, 1.753], rtol=0, atol=5e-4)
    assert fit.is_stable()


def test_forecast_and_interval_at_known_parameters(fit):
    outlook = fit.forecast(1, coverage=0.95, uncertainty="none", n_paths=10)
    lower, upper = outlook.interval()
    assert_allclose(outlook.mean.iloc[0], [-.010811, .019911, .021629], rtol=0, atol=5e-7)
    assert_allclose(lower.iloc[0], [-.101259, -.003058, .003117], rtol=0, atol=5e-7)
    assert_allclose(upper.iloc[0], [.079637, .042880, .040140], rtol=0, atol=5e-7)


def test_approximate_forecast_mse_with_estimation_error(fit):
    found = fit.mse(2, estimation_error=True)[1] * 1e4
    assert_allclose(found[0], [25.12, .580, 1.300], rtol=0, atol=5e-3)
    assert_allclose([found[1, 1], found[1, 2], found[2, 2]], [1.581, .586, 1.009], rtol=0, atol=5e-4)


@pytest.mark.parametrize(("caused", "causing", "df", "statistic", "pvalue"), [
    ("invest", ["income", "cons"], (4, 198), 1.5917, .17797), ("cons", "income", (2, 198), 6.1465, .00257)])
def test_granger_causality(fit, caused, causing, df, statistic, pvalue):
    test = fit.test_causality(caused, causing)
    assert test.df == df
    assert_allclose(test.test_statistic, statistic, rtol=0, atol=5e-5)
    assert_allclose(test.pvalue, pvalue, rtol=0, atol=5e-6)


def test_instantaneous_causality(fit):
    test = fit.test_inst_causality("invest")
    assert test.df == 2
    assert_allclose(test.test_statistic, 5.4589, rtol=0, atol=5e-5)
    assert_allclose(test.pvalue, .06525, rtol=0, atol=5e-6)


@pytest.mark.parametrize("one", ["invest", "income", "cons"])
def test_instantaneous_causality_equals_statsmodels(fit, one):
    peer = fit.to_statsmodels().test_inst_causality(one)
    ours = fit.test_inst_causality(one)
    assert_allclose([ours.test_statistic, ours.pvalue], [peer.test_statistic, peer.pvalue], rtol=1e-9)


def test_variance_decomposition_of_consumption(fit):
    shares = fit.fevd(8).decomp[2]
    assert_allclose(shares[0], [.07995, .27292, .64713], rtol=0, atol=5e-6)
    assert_allclose(shares[1], [.07725, .27385, .64890], rtol=0, atol=5e-6)
    assert_allclose(shares[7], [.12870, .33968, .53161], rtol=0, atol=5e-6)
