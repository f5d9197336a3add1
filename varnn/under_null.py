"""How large a gain over the VAR would chance give, were the VAR the truth? Comparisons on series drawn from it.

The unidentified weights of a network make textbook distributions wrong where the VAR holds (Davies' problem); this
needs none. Costs `draws` comparisons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from varnn.evaluate.board import Losses
from varnn.evaluate.pairwise import diebold_mariano
from varnn.evaluate.skill import bootstrap_pvalue
from varnn.forecaster import Forecaster
from varnn.inference.bootstrap import samples_of
from varnn.ladder import compare
from varnn.models.rung1_var import VAR
from varnn.series import Series, generator, whole_number
from varnn.shocks import Shocks


def bootstrapped_tests(y: object, X: object = None, *, horizon: int, model: Forecaster, null: VAR | None = None,
                       draws: int = 99, shocks: Shocks = "residuals", seed: int = 0, **windows: Any) -> pd.DataFrame:
    """Test whether a model beats the VAR, with p-values bootstrapped under the VAR.

        p = (1 + #{DM* ≤ DM}) / (B + 1)

    DM is the Diebold–Mariano statistic, negative where the model is better, and DM* the same on a series of the same
    length drawn from the VAR fitted to all rows, both models estimated anew at the same origins.

    Parameters
    ----------
    y, X, horizon, windows
        As for `varnn.compare`: origins, step, gap, refit, window, n_paths.
    model : Forecaster
    null : VAR, optional
        The restricted model; order by AIC when left out.
    draws : int
        B, series drawn; 99 resolves 1 %.
    shocks : {"residuals", "wild", "block", "gaussian", "student"}
        See `varnn.shocks.white_shocks`.
    seed : int

    Returns
    -------
    DataFrame
        One row a step: skill (% lower RMSSE than the VAR), dm, dm_p (textbook, two-sided), boot_p (one-sided: the
        model is better), draws (those that gave a statistic).

    References
    ----------
    Clark and McCracken (2012), JBES 30 (bootstrap of nested comparisons). Kilian (1999), J. Applied Econometrics 14.
    Davies (1987), Biometrika 74.

    Examples
    --------
    >>> from varnn import Naive
    >>> y = np.random.default_rng(0).standard_normal((60, 1))
    >>> found = bootstrapped_tests(y, horizon=1, model=Naive(), null=VAR(lags=1), draws=19, origins=15, n_paths=20)
    >>> float(found.loc[1, "boot_p"]) > 0.05
    True
    """
    draws = whole_number(draws, "draws", least=9)
    null = VAR() if null is None else null
    series = Series.of(y)
    exog = None if X is None else series.exog_of(X)

    def judged(values: np.ndarray) -> pd.DataFrame:
        ledger = compare(pd.DataFrame(values, index=series.index, columns=list(series.names)), X, horizon=horizon,
                         models={"VAR": null, "model": model}, seed=seed, **windows).ledger
        losses, rows = Losses.of(ledger), []
        for position, step in enumerate(losses.steps):
            mine, theirs = ((error**2).mean(axis=(1, 2)) for error in losses.pair("model", "VAR", position))
            test = diebold_mariano(mine, theirs, horizon=losses.overlap[position])
            skill = 100 * (1 - np.sqrt(mine.mean() / theirs.mean())) if test.valid else np.nan
            rows.append({"step": step, "skill": skill, "dm": test.statistic if test.valid else np.nan,
                         "dm_p": test.pvalue if test.valid else np.nan})
        return pd.DataFrame(rows).set_index("step")

    observed = judged(series.values)
    samples = samples_of(null.fit(series, exog), draws, shocks, generator(seed))
    drawn = pd.DataFrame([judged(sample)["dm"] for sample in samples]).to_numpy()                     # (B, h)
    pvalues, counts = [], []
    for statistic, of in zip(observed["dm"], drawn.T, strict=True):
        finite = of[np.isfinite(of)]
        pvalues.append(bootstrap_pvalue(-statistic, -finite) if np.isfinite(statistic) and len(finite) else np.nan)
        counts.append(len(finite))
    return observed.assign(boot_p=pvalues, draws=counts)
