"""Is there anything nonlinear left to learn? Neural-network tests of Teräsvirta and of White.

Pure functions on arrays, equal to R's. Not under changing variance: both take it to be constant, and reject linear
series with ARCH or fat tails far too often; `system_linearity` holds its size there, for all equations at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from varnn.display import Shown
from varnn.errors import ParameterError, RankDeficientError, ShapeError, TooShortError
from varnn.series import Series, generator, whole_number

FloatArray = NDArray[np.float64]
Form = Literal["F", "chi2"]


@dataclass(frozen=True)
class LinearityTest(Shown):
    """The outcome of a test that the conditional mean is linear.

    Attributes
    ----------
    name : str
    statistic, pvalue : float
    form : 'F' or 'chi2'
    df : tuple of int
        Degrees of freedom, (m, rest) or (m,).
    lags, n : int
        Lags (or regressors) and rows used in the regression.

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=200)
    >>> terasvirta(y, lags=1).pvalue > 0.05                        # white noise has nothing to bend
    True
    """

    name: str
    statistic: float
    pvalue: float
    form: Form
    df: tuple[int, ...]
    lags: int
    n: int

    def sentence(self, series: str = "the series") -> str:
        """Say the outcome in plain words.

        Examples
        --------
        >>> LinearityTest("Teräsvirta", 4.99, 6e-5, "F", (7, 105), 2, 112).sentence("lynx")
        'Of lynx, a linear model with 2 lags misses structure (Teräsvirta test, not under changing variance, F = 4.99, \
p < .001).'
        """
        finding = "misses structure" if self.pvalue < 0.05 else "misses nothing that this test can see"
        size = "p < .001" if self.pvalue < 0.001 else f"p = {self.pvalue:.3f}".replace("0.", ".", 1)
        return (f"Of {series}, a linear model with {self.lags} lag{'s' if self.lags > 1 else ''} {finding} "
                f"({self.name} test, not under changing variance, {self.form} = {self.statistic:.2f}, {size}).")


def terasvirta(y: ArrayLike, lags: int = 1, *, form: Form = "F") -> LinearityTest:
    """Test linearity of an autoregression against a tanh network, by its Taylor terms.

        u_t = π'(1, x_t) + Σ_{i≤j} δ_ij x_i x_j + Σ_{i≤j≤l} δ_ijl x_i x_j x_l + e_t,   x_t = (y_{t−1} … y_{t−p})
        χ² = T log(SSR₀/SSR₁) on m,   F = ((SSR₀ − SSR₁)/m) / (SSR₁/(T − p − m)) on (m, T − p − m)

    u are the residuals of the linear autoregression, m counts the products, T all rows. Equal to R's
    `tseries::terasvirta.test`. F keeps its size in short samples, χ² rejects too often.  Not under changing
    variance: see `varnn.linearity` for a test that holds there.

    Parameters
    ----------
    y : array (T,), or anything `Series.of` takes with one column
    lags : int
        p.
    form : 'F' or 'chi2'

    Returns
    -------
    LinearityTest

    Raises
    ------
    TooShortError, RankDeficientError, ShapeError, ParameterError

    References
    ----------
    Teräsvirta, Lin and Granger (1993), Journal of Time Series Analysis 14, section 3.

    Examples
    --------
    >>> rng, y = np.random.default_rng(0), np.zeros(300)
    >>> for t in range(1, 300):
    ...     y[t] = np.sign(y[t - 1]) + rng.normal()
    >>> terasvirta(y).pvalue < 0.01
    True
    """
    target, x, rows = _autoregression(y, lags)
    products = [np.prod(x[:, list(which)], axis=1) for power in (2, 3)
                for which in combinations_with_replacement(range(x.shape[1]), power)]
    return _added_terms("Teräsvirta", target, x, np.column_stack(products), rows, form)


def terasvirta_regression(residuals: ArrayLike, regressors: ArrayLike, *, form: Form = "F") -> LinearityTest:
    """Test whether the residuals of any linear fit hold second and third powers of its regressors.

    As `terasvirta`, for one equation of a VAR or a regression with exogenous columns. Cross products are
    left out above six regressors, where they would eat the degrees of freedom.

    Parameters
    ----------
    residuals : array (n,)
    regressors : array (n, q)
        Without the constant.
    form : 'F' or 'chi2'

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 2))
    >>> terasvirta_regression(x[:, 0] ** 2 - 1 + rng.normal(size=200), x).pvalue < 0.001
    True
    """
    u, x = np.asarray(residuals, dtype=np.float64), np.asarray(regressors, dtype=np.float64)
    if u.ndim != 1 or x.ndim != 2 or len(u) != len(x) or x.shape[1] == 0:
        raise ShapeError(f"residuals have shape {u.shape} and regressors {x.shape}; pass (n,) and (n, q)")
    u, x = _standardised(Series.of(u).values)[:, 0], _standardised(Series.of(x).values)
    which = [list(part) for power in (2, 3) for part in combinations_with_replacement(range(x.shape[1]), power)]
    if x.shape[1] > 6:
        which = [[j] * power for power in (2, 3) for j in range(x.shape[1])]
    return _added_terms("Teräsvirta", u, x, np.column_stack([np.prod(x[:, part], axis=1) for part in which]), len(x),
                        form)


def white(y: ArrayLike, lags: int = 1, *, units: int = 10, components: int = 2, reach: float = 4.0, form: Form = "F",
          rng: object = None) -> LinearityTest:
    """Test linearity of an autoregression against hidden units with random weights.

        u_t = π'(1, x_t) + Σ_{j≤q*} δ_j f_j(x_t) + e_t

    with f_j principal components 2 … q* + 1 of `units` logistic units 1/(1 + exp(−γ'(1, x_t))), γ uniform
    on ±reach/2. Statistics as in `terasvirta` with m = q*; defaults as in R's `tseries::white.test`. The
    outcome depends on the draw of γ: give `rng`. Not under changing variance, see `varnn.linearity`.

    Parameters
    ----------
    y : array (T,), or anything `Series.of` takes with one column
    lags, units, components : int
        p, hidden units, q*.
    reach : float
    form : 'F' or 'chi2'
    rng : seed or Generator

    References
    ----------
    White (1989), IJCNN. Lee, White and Granger (1993), Journal of Econometrics 56, section 2.

    Examples
    --------
    >>> rng, y = np.random.default_rng(0), np.zeros(300)
    >>> for t in range(1, 300):
    ...     y[t] = np.sign(y[t - 1]) + rng.normal()
    >>> white(y, rng=1).pvalue < 0.01
    True
    """
    units = whole_number(units, "units", least=2)
    components = whole_number(components, "components", least=1, most=units - 1)
    if not reach > 0:
        raise ParameterError(f"reach={reach!r} is not usable; give a number above zero, for example 4")
    target, x, rows = _autoregression(y, lags)
    gamma = generator(rng).uniform(-reach / 2.0, reach / 2.0, size=(x.shape[1] + 1, units))
    phantom = special.expit(np.column_stack([np.ones(len(x)), x]) @ gamma)                     # (n, units)
    left, size, _ = np.linalg.svd(_standardised(phantom), full_matrices=False)
    extra = left[:, 1:components + 1] * size[1:components + 1]
    return _added_terms("White", target, x, extra, rows, form)


def _autoregression(y: ArrayLike, lags: int) -> tuple[FloatArray, FloatArray, int]:
    """Return the standardised target (n,), its lags (n, p) newest first, and the rows T."""
    lags = whole_number(lags, "lags", least=1)
    series = Series.of(y)
    if series.k != 1:
        raise ShapeError(f"y has {series.k} series; test one at a time, or use terasvirta_regression on the residuals "
                         "of each equation")
    rows = len(series)
    if rows < 3 * lags + 10:
        raise TooShortError(f"a linearity test with {lags} lags needs at least {3 * lags + 10} rows, got {rows}")
    z = _standardised(series.values)[:, 0]
    return z[lags:], np.column_stack([z[lags - j:rows - j] for j in range(1, lags + 1)]), rows


def _standardised(columns: FloatArray) -> FloatArray:
    spread = columns.std(axis=0, ddof=1)
    flat = spread <= 1e-14 * np.abs(columns).max(axis=0)
    if flat.any():
        raise RankDeficientError(f"column {int(np.argmax(flat))} is constant, so there is nothing to test; drop it")
    return np.asarray((columns - columns.mean(axis=0)) / spread)


def _added_terms(name: str, target: FloatArray, x: FloatArray, extra: FloatArray, rows: int,
                 form: Form) -> LinearityTest:
    """Test whether `extra` explains what the linear regression of target on (1, x) leaves."""
    if form not in get_args(Form):
        raise ParameterError(f"form={form!r} is not one of {list(get_args(Form))}")
    lags, m = x.shape[1], extra.shape[1]
    rest = rows - lags - m
    if len(target) - 1 - lags - m < 5:
        raise TooShortError(f"{len(target)} rows are too few for {m} nonlinear terms of {lags} lags; use fewer lags")
    linear = np.column_stack([np.ones(len(x)), x])
    u, _ = _regress(target, linear)
    v, rank = _regress(u, np.column_stack([linear, extra]))
    if rank < 1 + lags + m:
        raise RankDeficientError(f"the {m} nonlinear terms are collinear with the lags (rank {rank} of "
                                 f"{1 + lags + m}); the series takes too few different values, use fewer lags")
    ssr0, ssr1 = float(u @ u), float(v @ v)
    if ssr1 <= 1e-24 * len(u):
        raise RankDeficientError("the series is predicted without error, so there is no noise to test against")
    if form == "F":
        statistic = ((ssr0 - ssr1) / m) / (ssr1 / rest)
        return LinearityTest(name, statistic, float(special.fdtrc(m, rest, statistic)), form, (m, rest), lags, len(u))
    statistic = rows * float(np.log(ssr0 / ssr1))
    return LinearityTest(name, statistic, float(special.chdtrc(m, statistic)), form, (m,), lags, len(u))


def _regress(y: FloatArray, x: FloatArray) -> tuple[FloatArray, int]:
    """Return the residuals of y on the columns of x, scaled to unit length first, and the rank."""
    scaled = x / np.linalg.norm(x, axis=0)
    coefficients, _, rank, _ = np.linalg.lstsq(scaled, y, rcond=1e-11)
    return np.asarray(y - scaled @ coefficients), int(rank)
