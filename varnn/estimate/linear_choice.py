"""Choices that the data make for the linear RNN: how many lags, and whether a stationary likelihood is defined.

Called by `models.rung2_linear`.  Every candidate is judged on the same rows.
"""

from __future__ import annotations

import numpy as np

from varnn.estimate import likelihood
from varnn.estimate.likelihood import Sample
from varnn.estimate.linear_fit import fit_evidence, fit_likelihood, var_below


def stationary_below(sample: Sample, width: int, *, intercept: bool) -> bool:
    """Is the VAR with the same lags clearly stationary?

    Under a unit root T(ρ̂ - 1) has 5 % of its distribution below about -14 (Dickey and Fuller 1979, with a constant),
    so that ρ̂ < 1 - 14/T says with 95 % confidence that the levels have a stationary distribution to start from.
    """
    T, k = sample.values.shape
    if sample.lags == 0:
        return False
    below = var_below(sample, k, exact=False, intercept=intercept)
    F, _ = likelihood.transition(below.weights, sample.lags, k)
    return likelihood.spectral_radius(F) < max(1.0 - 14.0 / T, 0.5)


def choose_lags(sample: Sample, width: int, max_lags: int | None, most: int, *, intercept: bool, shrunk: bool) -> int:
    """Number of lags p ≥ 1 beside the memory, from the training rows alone.

    Candidates run from 1 to the order that Akaike's criterion gives the VAR; each is fitted by the conditional
    likelihood on the rows that all share, and the one with the largest evidence (Schwarz's criterion without
    shrinkage) is kept.

    Parameters
    ----------
    sample : Sample
    width : int
    max_lags : int, optional      largest order considered; 12 (T/100)^¼ as in statsmodels when left out
    most : int                    largest order that leaves degrees of freedom

    Returns
    -------
    int
    """
    T, k = sample.values.shape
    wanted = round(12.0 * (T / 100.0) ** 0.25) if max_lags is None else max_lags
    top = max(min(wanted, most), 1)
    orders = range(1, top + 1)
    below = [var_below(Sample(sample.values, sample.inputs, p, top), width, exact=False, intercept=intercept)
             for p in orders]
    aic = [fit.value + float(fit.free.sum()) for fit in below]
    largest = 1 + int(np.argmin(aic))
    scores = []
    for p in range(1, largest + 1):
        candidate = Sample(sample.values, sample.inputs, p, top)
        if shrunk:
            scores.append(fit_evidence(candidate, width, exact=False, intercept=intercept).evidence)
        else:
            fit = fit_likelihood(candidate, width, exact=False, intercept=intercept)
            scores.append(-fit.value - 0.5 * float(fit.free.sum()) * np.log(fit.rows))
    return 1 + int(np.argmax(scores))
