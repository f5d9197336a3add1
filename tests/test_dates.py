"""What follows the last date: the right labels, and an error of ours where pandas has none."""

import numpy as np
import pandas as pd
import pytest

from varnn import VAR, Naive
from varnn.dates import following
from varnn.errors import HorizonLimitError


def frame(index):
    values = np.random.default_rng(0).normal(size=(len(index), 2))
    return pd.DataFrame(values, index=index, columns=["gdp", "oil"])


@pytest.mark.parametrize("freq", ["MS", "D", "B", "W", "QE", "YS", "h", "2MS"])
def test_a_horizon_beyond_pandas_dates_is_refused_with_the_longest_one_that_works(freq):
    index = pd.date_range("2200-01-03", periods=40, freq=freq, unit="ns")
    fit = Naive().fit(frame(index))
    with pytest.raises(HorizonLimitError, match=r"horizon=999999 .* use horizon <= (\d+), or number") as refused:
        fit.forecast(999_999, n_paths=2)
    most = int(str(refused.value).split("horizon <= ")[1].split(",")[0])
    assert len(following(index, most)) == most
    with pytest.raises(HorizonLimitError):
        following(index, most + 1)


@pytest.mark.parametrize("ask", [
    lambda fit: fit.forecast(3),
    lambda fit: fit.scenario(3, hard={"gdp": 1.0}),
    lambda fit: fit.update(np.zeros((3, 2))),
])
def test_every_question_at_the_end_of_the_dates_says_so(ask):
    fit = VAR(lags=1).fit(frame(pd.date_range("2250-01-31", periods=147, freq="MS", unit="ns")))
    with pytest.raises(HorizonLimitError, match="run beyond the last date that pandas can hold"):
        ask(fit)


def test_every_fourth_year_is_followed_by_the_fourth_year_after():
    index = pd.PeriodIndex([str(1900 + 4 * i) for i in range(20)], freq="Y")
    assert Naive().fit(frame(index)).forecast(2, n_paths=2).mean.index.astype(str).tolist() == ["1980", "1984"]
