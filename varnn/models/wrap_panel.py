"""Many separate series at once: one fit each, or weights shared by all with a level and a scale for each.

`Panel(model).fit(data)` takes a list, a mapping or a long DataFrame and returns a `FittedPanel` whose members are
ordinary fits. Not a `Forecaster`: its data are not one series.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from varnn.errors import InputError, ParameterError, ShapeError, TooShortError
from varnn.estimate.closed_form import LeastSquares, regressor_names
from varnn.estimate.order import default_max_lags
from varnn.estimate.threads import one_thread
from varnn.forecaster import Fitted, Forecaster, one_of
from varnn.models.beside_direct import Direct
from varnn.models.rung1_var import VAR, FittedVAR
from varnn.series import FloatArray, Series, generator

Sharing = Literal["global", "local"]
CRITERIA = ("aic", "bic", "hqic")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A model for many separate series.

    Parameters
    ----------
    model : Forecaster
        Any model for local fits; a VAR (trend "c", no X) or Direct for global ones.
    sharing : {"global", "local"}
        One set of weights, estimated on all series less their level and divided by their scale, so that each
        counts alike; or a fit for each series.

    References
    ----------
    Montero-Manso & Hyndman (2021), Principles and algorithms for forecasting groups of time series: locality and
    globality, Int. J. Forecasting 37(4), 1632–1653.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> walks = {name: rng.standard_normal(30).cumsum() for name in ("north", "south")}
    >>> fit = Panel(model=VAR(lags=1)).fit(walks)
    >>> shared = [round(fit[name].params.loc["L1.y1"].item(), 9) for name in fit]
    >>> fit.mean(2).shape, shared[0] == shared[1]
    ((4, 1), True)
    """

    model: Forecaster
    sharing: Sharing = "global"

    def __post_init__(self) -> None:
        if not isinstance(self.model, Forecaster):
            raise ParameterError(f"model={self.model!r} is not usable; give a model, for example VAR(lags=2)")
        one_of(self.sharing, "sharing", get_args(Sharing))
        if self.sharing == "global" and not isinstance(self.model, (VAR, Direct)):
            raise ParameterError(f"{self.model.label} has no global fit; use sharing='local', a VAR or Direct")
        if self.sharing == "global" and isinstance(self.model, VAR) and self.model.trend != "c":
            raise ParameterError(f"trend={self.model.trend!r} is not usable for a global fit, in which each series has "
                                 "its own level; use trend='c'")

    def fit(self, data: object, *, by: str | None = None, time: str | None = None, rng: object = None) -> FittedPanel:
        """Estimate the model on all series.

        Parameters
        ----------
        data : mapping of name to series, list of series, or DataFrame
            A DataFrame is long: indexed by (series, time), or with the columns named by `by` and `time`.
        by, time : str, optional
            Columns that name the series and the date; the rows of a series must be in the order of time.
        rng : int or numpy Generator, optional
            Seed; each series has its own stream from it.

        Raises
        ------
        InputError
            Naming the series at fault.
        """
        members = panel_of(data, by=by, time=time)
        with _collector_waiting():
            fits = self._fits(members, generator(rng).spawn(len(members)))
        return FittedPanel(self, dict(zip(members, fits, strict=True)))

    def _fits(self, members: dict[str, Series], streams: list[np.random.Generator]) -> list[Fitted]:
        if self.sharing == "local":
            return [_named(name, self.model, series, stream)
                    for (name, series), stream in zip(members.items(), streams, strict=True)]
        if isinstance(self.model, Direct):
            return list(self.model.fit_panel(list(members.values())))
        assert isinstance(self.model, VAR)
        return _global_var(self.model, members)


@dataclass(frozen=True, eq=False)
class FittedPanel(Mapping[str, Fitted]):
    """Fits by the name of their series; each is an ordinary `Fitted` that forecasts, updates and saves."""

    spec: Panel
    fits: Mapping[str, Fitted]

    def __getitem__(self, name: str) -> Fitted:
        return self.fits[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def mean(self, horizon: int) -> pd.DataFrame:
        """Return point forecasts of all series, a long DataFrame indexed by (series, step)."""
        points = [fit.forecast(horizon, n_paths=1, uncertainty="none").point for fit in self.fits.values()]
        index = pd.MultiIndex.from_product([list(self.fits), range(1, horizon + 1)], names=["series", "step"])
        return pd.DataFrame(np.vstack(points), index=index, columns=list(next(iter(self.fits.values())).series.names))

    def forecast(self, horizon: int, **options: Any) -> pd.DataFrame:
        """Return means and intervals of all series in one tidy table; options as for `Fitted.forecast`."""
        tables = [fit.forecast(horizon, **options).to_frame().assign(member=name) for name, fit in self.fits.items()]
        return pd.concat(tables, ignore_index=True)


def panel_of(data: object, *, by: str | None = None, time: str | None = None) -> dict[str, Series]:
    """Check many series and name them; see `Panel.fit`.

    Examples
    --------
    >>> long = pd.DataFrame({"shop": ["a", "a", "b", "b"], "week": [1, 2, 1, 2], "sales": [1.0, 2.0, 3.0, 4.0]})
    >>> {name: series.values[:, 0].tolist() for name, series in panel_of(long, by="shop", time="week").items()}
    {'a': [1.0, 2.0], 'b': [3.0, 4.0]}
    """
    parts: dict[str, object]
    if isinstance(data, pd.DataFrame):
        parts = _long(data, by, time)
    elif isinstance(data, Mapping):
        parts = {str(name): part for name, part in data.items()}
    elif isinstance(data, Sequence) and not isinstance(data, str):
        parts = {str(number): part for number, part in enumerate(data)}
    else:
        raise InputError(f"data of type {type(data).__name__} is no panel; pass a list or mapping of series, or a long "
                         "DataFrame")
    if not parts:
        raise TooShortError("data holds no series; a panel needs at least one")
    members = {name: _checked(name, part) for name, part in parts.items()}
    first = next(iter(members.values()))
    for name, series in members.items():
        if series.k != first.k:
            raise ShapeError(f"series {name!r} has {series.k} columns, the first one {first.k}; all need the same")
    return members


def _checked(name: str, part: object) -> Series:
    try:
        return Series.of(part)
    except InputError as problem:
        raise type(problem)(f"series {name!r}: {problem}") from None


def _long(data: pd.DataFrame, by: str | None, time: str | None) -> dict[str, object]:
    if by is not None:
        absent = [name for name in (by, time) if name is not None and name not in data.columns]
        if absent:
            raise InputError(f"data has no column {absent[0]!r}; it has {list(data.columns)}")
        data = data.set_index([by, time] if time is not None else [by])
    elif data.index.nlevels < 2:
        raise InputError("a long DataFrame needs to say which series a row belongs to: name that column with by=…, or "
                         "index the frame by (series, time)")
    groups = data.groupby(level=0, sort=False)
    if data.index.nlevels == 1:
        return {str(name): part.reset_index(drop=True) for name, part in groups}
    return {str(name): part.droplevel(0) for name, part in groups}


@contextmanager
def _collector_waiting() -> Iterator[None]:
    """Let the garbage collector wait: it would look at every kept fit again and again, a third of the time at 5,000."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _named(name: str, model: Forecaster, series: Series, stream: np.random.Generator) -> Fitted:
    try:
        return model.fit(series, rng=stream)
    except InputError as problem:
        raise type(problem)(f"series {name!r}: {problem}") from problem


# --- a VAR with shared lags ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Within:
    """Lagged rows of one series, scaled, less their means: z_t = (y_t, y_{t−1} … y_{t−p})."""

    rows: FloatArray
    means: FloatArray
    scale: FloatArray


def _within(series: Series, lags: int, start: int) -> _Within:
    y, k = series.values, series.k
    scale = y.std(axis=0)
    scale = np.where(scale > 1e-13 * np.abs(y).max(axis=0), scale, 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(y[start - lags:], lags + 1, axis=0)        # (n, k, p + 1)
    stacked = windows[:, :, ::-1].transpose(0, 2, 1).reshape(len(y) - start, -1)                  # newest first
    means = stacked.mean(axis=0)
    return _Within((stacked - means) / np.tile(scale, lags + 1), means, scale[:k])


def _global_var(model: VAR, members: Mapping[str, Series]) -> list[Fitted]:
    """Fit A_1 … A_p on all series less their means (fixed effects), in units of each series' scale."""
    panel = list(members.values())
    searched = not isinstance(model.lags, (int, np.integer))
    rows = int(np.median([len(series) for series in panel]))
    longest = (model.max_lags or default_max_lags(rows, panel[0].k)) if searched else int(model.lags or 0)
    for name, series in members.items():
        if len(series) < longest + 3:
            raise TooShortError(f"series {name!r} has {len(series)} rows; a global VAR with up to {longest} lags needs "
                                f"at least {longest + 3} of each: leave it out or use fewer lags")
    k = panel[0].k
    gram, n = np.zeros(((longest + 1) * k,) * 2), 0
    for series in panel:
        part = _within(series, longest, longest).rows
        gram += part.T @ part
        n += len(part)
    lags = _best_order(gram, k, n, str(model.lags or "aic")) if searched else longest
    if searched and lags < longest:
        parts = (_within(series, lags, lags).rows for series in panel)
        gram = np.sum([part.T @ part for part in parts], axis=0)
    slopes = np.linalg.pinv(gram[k:, k:], hermitian=True)
    shared = slopes @ gram[k:, :k]
    values, vectors = np.linalg.eigh(slopes)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    with one_thread():
        return [_member(VAR(lags=lags, trend="c"), series, lags, shared, root) for series in panel]


def _best_order(gram: FloatArray, k: int, n: int, criterion: str) -> int:
    if criterion not in CRITERIA:
        raise ParameterError(f"lags={criterion!r} is not usable for a global fit; use 'aic', 'bic', 'hqic' or a number")
    penalty = {"aic": 2.0, "bic": float(np.log(n)), "hqic": 2.0 * float(np.log(np.log(n)))}[criterion]
    scores = []
    for lags in range(gram.shape[0] // k):
        inside, cross = gram[k:(lags + 1) * k, k:(lags + 1) * k], gram[k:(lags + 1) * k, :k]
        explained = cross.T @ np.linalg.pinv(inside, hermitian=True) @ cross if lags else 0.0
        scores.append(np.linalg.slogdet((gram[:k, :k] - explained) / n)[1] + penalty * k * k * lags / n)
    return int(np.argmin(scores))


def _member(spec: VAR, series: Series, lags: int, shared: FloatArray, root: FloatArray) -> FittedVAR:
    """Return the fit of one series: the shared lags in its units, its own constant and residuals."""
    k, own = series.k, _within(series, lags, lags)
    n, scales = len(own.rows), np.tile(own.scale, lags)
    slopes = shared * own.scale / scales[:, None]                                                 # (kp, k)
    constant = own.means[:k] - own.means[k:] @ slopes
    resid = (own.rows[:, :k] - own.rows[:, k:] @ shared) * own.scale
    half = root / scales[:, None]
    full = np.block([[np.full((1, 1), 1 / np.sqrt(n)), -(own.means[k:] @ half)[None]],
                     [np.zeros((len(half), 1)), half]])
    coef = np.vstack([constant, slopes])
    sigma = resid.T @ resid / max(n - len(coef), 1)
    labels = regressor_names(series.names, lags, "c", ())
    params = pd.DataFrame(coef, index=list(labels), columns=list(series.names))
    return FittedVAR(spec=spec, series=series, exog=None, seen=series, seen_exog=None, params=params,
                     df_model=len(coef), estimate=LeastSquares(coef, full, resid, sigma), k_ar=lags)
