"""Columns that tell nothing new, and roots that explode: what a reader of coefficients has to be warned of.

Called by the rungs after a fit and before a forecast. Looks at the data once more; changes no number.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import qr, solve_triangular

from varnn.errors import CollinearWarning, SingularWarning, StationarityWarning, callers_level
from varnn.estimate.least_squares.order import OrderSearch, search_orders
from varnn.estimate.least_squares.regression import (
    Trend,
    column_of,
    fixed_regressors,
    in_words,
    regressor_names,
    scaled_design,
    undetermined_below,
)
from varnn.estimate.least_squares.regressors import labels
from varnn.series import FloatArray, Series

LEAST_OWN = 1e-6   # share of a column's variance that must be its own: a thousandth of its standard deviation
EXPLOSIVE = 1 + 1e-6  # modulus of the largest root: rounding moves a double root at 1 by up to a few 1e-8


def warn_of_cut_search(model: str, search: OrderSearch, series: Series, exog: Series | None, trend: Trend, *,
                       stacklevel: int = 2) -> None:
    """Warn where the lag search ended early because a regressor is a combination of others, naming them."""
    if cut := _cut(model, search, series, exog, trend):
        warnings.warn(cut, SingularWarning, stacklevel=stacklevel)


def cut_search(model: str, series: Series, exog: Series | None, trend: Trend, max_lags: int) -> str:
    """Say that a search of up to `max_lags` lags ends early because of a redundant column; empty where it does not."""
    if max_lags < 2:
        return ""
    search = search_orders(series.values, max_lags, trend, None if exog is None else exog.values,
                           names=regressor_names(series.names, max_lags, trend, () if exog is None else exog.names))
    return _cut(model, search, series, exog, trend)


def warn_of_redundant_lags(model: str, series: Series, exog: Series | None, trend: Trend, max_lags: int, *,
                           stacklevel: int = 2) -> None:
    """Do what `warn_of_cut_search` does for a model whose own search keeps no table."""
    if cut := cut_search(model, series, exog, trend, max_lags):
        warnings.warn(cut, SingularWarning, stacklevel=stacklevel)


def _cut(model: str, search: OrderSearch, series: Series, exog: Series | None, trend: Trend) -> str:
    undetermined = np.isposinf(search.criteria["aic"])
    if not undetermined.any():
        return ""
    longest, most = int(search.orders[~undetermined][-1]), int(search.orders[-1])
    column, others = redundant_column(series, exog, longest + 1, trend)
    return (f"{model} could try {longest} of {most} lags only: {in_words(column)} is a combination of "
            f"{', '.join(map(in_words, others))}, so longer lags are not determined; a column tells nothing new "
            f"(leave {column_of(column)!r} or one of the others out, or set lags)")


def redundant_column(series: Series, exog: Series | None, lags: int, trend: Trend) -> tuple[str, list[str]]:
    """Return the first regressor of a VAR that others determine, and those others, by their labels.

    Examples
    --------
    >>> a = np.random.default_rng(0).normal(size=50)
    >>> series = Series.of(np.column_stack([a[1:], a[:-1]]))                      # y2 is y1 one row later
    >>> redundant_column(series, None, 2, "c")
    ('L2.y1', ['L1.y2'])
    """
    z = fixed_regressors(len(series), trend, None if exog is None else exog.values)
    centre = trend != "n"
    names = labels(series.names, lags, trend, () if exog is None else exog.names)[0][int(centre):]
    d = z.shape[1] + lags * series.k
    design = scaled_design(series.values, z, lags, lags, centre)
    upper = np.asarray(qr(design.columns[:, :d], mode="r")[0][:d], dtype=np.float64)
    left = np.abs(np.diag(upper))
    short = np.flatnonzero(left <= undetermined_below(design.resolution[:d], len(design.columns)))
    j = int(short[0]) if short.size else int(np.argmin(left))
    mix = np.abs(solve_triangular(upper[:j, :j], upper[:j, j]))
    return names[j], [names[a] for a in np.argsort(-mix)[:4] if mix[a] > 1e-6 * mix.max()]


def warn_of_near_copies(model: str, series: Series, exog: Series | None, *, stacklevel: int = 2) -> None:
    """Warn where one column is all but a combination of the others at the same date, naming them.

    The share of its variance that is its own is 1/(variance inflation factor); below a millionth its coefficients are
    noise, though forecasts may be sound.

    References
    ----------
    Belsley, Kuh & Welsch (1980), Regression Diagnostics, ch. 3.
    """
    names = series.names if exog is None else (*series.names, *exog.names)
    values = series.values if exog is None else np.hstack([series.values, exog.values])
    if len(names) < 2 or len(values) <= len(names):
        return
    moved = values - values.mean(axis=0)
    size = np.abs(moved).max(axis=0)
    if not (size > 0).all():
        return
    moved = moved / size
    moved /= np.sqrt((moved**2).sum(axis=0))
    lengths, directions = np.linalg.eigh(moved.T @ moved)
    own = 1.0 / np.maximum(directions**2 / np.maximum(lengths, np.finfo(float).eps), 0.0).sum(axis=1)
    if own.min() >= LEAST_OWN:
        return
    weights = np.abs(directions[:, 0])
    alike = [names[j] for j in np.argsort(-weights)[:4] if weights[j] > 1e-3 * weights.max()]
    warnings.warn(f"{model}: {', '.join(map(repr, alike))} are all but a combination of each other (of the variance of "
                  f"{names[int(np.argmin(own))]!r} {own.min():.0e} is its own), so their coefficients mean nothing one "
                  "by one; leave one out, or replace one by their difference", CollinearWarning, stacklevel=stacklevel)


def warn_of_explosion(model: str, what: str, radius: float) -> None:
    """Warn that an answer comes from a recursion whose largest root has the modulus `radius`, if that is explosive."""
    if radius <= EXPLOSIVE:
        return
    doubles = np.log(2.0) / np.log(radius)
    warnings.warn(f"the fitted {model} is explosive (a root of modulus {_modulus(radius)}: shocks double every "
                  f"{doubles:.3g} steps), so {what}; difference the series, use fewer lags or trend='n'",
                  StationarityWarning, stacklevel=callers_level())


def _modulus(radius: float) -> str:
    """Return a number above 1 with at least three digits of what is above 1.

    Examples
    --------
    >>> _modulus(1.1041), _modulus(1.000412)
    ('1.104', '1.000412')
    """
    digits = max(4, 3 - int(np.floor(np.log10(radius - 1.0))))
    return f"{radius:.{digits}g}"


def spectral_radius(roots: FloatArray) -> float:
    """Return the largest modulus of the companion matrix, given moduli of the characteristic roots.

    Examples
    --------
    >>> spectral_radius(np.array([2.0, 4.0])), spectral_radius(np.empty(0))
    (0.5, 0.0)
    """
    return float(1.0 / roots.min()) if roots.size else 0.0
