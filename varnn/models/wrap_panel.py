"""Many separate series at once: one fit each, or weights shared by all with a level and a scale for each.

`Panel(model).fit(data)` takes a list, a mapping or a long DataFrame and returns a `FittedPanel` whose members are
ordinary fits. Not a `Forecaster`: its data are not one series.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
import pandas as pd

from varnn.data.read.long import known_names, unstacked
from varnn.display import Sheet, Shown, count, listed
from varnn.errors import ExogError, InputError, ParameterError, ShapeError, TooShortError
from varnn.forecaster import Fitted, Forecaster, one_of
from varnn.guide import Guided, Specified
from varnn.kept import Kept
from varnn.models.beside_direct import Direct
from varnn.models.rung1_var import VAR
from varnn.models.rung2_linear import LinearRNN
from varnn.models.rung3_tanh import TanhRNN
from varnn.models.shared_weights import fit_shared
from varnn.series import Series, generator

if TYPE_CHECKING:
    from varnn.picture import Picture

Sharing = Literal["global", "local"]
MOST_DRAWN = 6
MOST_SHOWN = 500  # members whose coefficients a console is given


@dataclass(frozen=True, kw_only=True)
class Panel(Specified):
    """A model for many separate series.

    Parameters
    ----------
    model : Forecaster
        Any model for local fits; a VAR, LinearRNN, TanhRNN (trend "c") or Direct for global ones.
    sharing : {"global", "local"}
        One set of weights, estimated on all series less their level and divided by their scale, so that each
        counts alike; or a fit for each series. A global fit of RNNs maximises the sum of the objectives of all series;
        the members have a level, a scale and, as far as the series differ, a noise of their own, and forecast by
        filtering their own past. Their `nobs`, `llf` and criteria are the panel's.

    Notes
    -----
    Series less their means make an AR look less persistent than it is, by (1 + φ)/T (Nickell), and divided by their
    standard deviations by 2φ/T more; with many short series this passes for long lags, a memory or tanh units. So
    levels are estimated by generalised least squares under one VAR of all series and count as unknown beside the
    weights, and where series are alike but for their scale it is taken from their innovations. With exogenous columns
    levels and scales are means and standard deviations.

    References
    ----------
    Montero-Manso & Hyndman (2021), Principles and algorithms for forecasting groups of time series: locality and
    globality, Int. J. Forecasting 37(4), 1632–1653. Nickell (1981), Biases in dynamic models with fixed effects,
    Econometrica 49(6), 1417–1426.

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

    _is: ClassVar[str] = "a specification"
    _called: ClassVar[str] = "Panel(model=VAR())"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ((".fit(data)", "FittedPanel"),)

    def __post_init__(self) -> None:
        if not isinstance(self.model, Forecaster):
            raise ParameterError(f"model={self.model!r} is not usable; give a model, for example VAR(lags=2)")
        one_of(self.sharing, "sharing", get_args(Sharing))
        if self.sharing == "global" and not isinstance(self.model, (VAR, LinearRNN, TanhRNN, Direct)):
            raise ParameterError(f"{self.model.label} has no global fit; use sharing='local', a VAR, LinearRNN, "
                                 "TanhRNN or Direct")
        trend = getattr(self.model, "trend", "c")
        if self.sharing == "global" and trend != "c":
            raise ParameterError(f"trend={trend!r} is not usable for a global fit, in which each series has "
                                 "its own level; use trend='c'")

    def fit(self, data: object, X: object = None, *, by: str | None = None, time: str | None = None,
            rng: object = None) -> FittedPanel:
        """Estimate the model on all series.

        Parameters
        ----------
        data : mapping of name to series, list of series, or DataFrame
            A DataFrame is long: indexed by (series, time), or with the columns named by `by` and `time`; `unique_id`
            and `ds` (Nixtla), `item_id` and `timestamp` (gluonts) are found. Dates may be text.
        X : as `data`, optional
            Exogenous columns of each series, matched to it by its name and to its rows by date.
        by, time : str, optional
            Columns that name the series and the date; the rows of a series must be in the order of time.
        rng : int or numpy Generator, optional
            Seed; in local fits each series has its own stream from it, global RNNs draw levels and starts by it.

        Raises
        ------
        InputError
            Naming the series at fault.
        """
        if by is None and time is None and isinstance(data, pd.DataFrame) and data.index.nlevels < 2:
            by, time = known_names(list(data.columns)) or (None, None)
        members = panel_of(data, by=by, time=time)
        beside = None if X is None else _beside(members, parts_of(X, by=by, time=time, argument="X"))
        with _collector_waiting():
            fits = self._fits(members, beside, generator(rng))
        return FittedPanel(self, dict(zip(members, fits, strict=True)), by, time)

    def _fits(self, members: dict[str, Series], beside: dict[str, Series] | None, rng: np.random.Generator
              ) -> list[Fitted]:
        if self.sharing == "local":
            streams = rng.spawn(len(members))
            return [_named(name, self.model, series, None if beside is None else beside[name], stream)
                    for (name, series), stream in zip(members.items(), streams, strict=True)]
        if isinstance(self.model, Direct):
            if beside is not None:
                raise ParameterError("a global Direct takes no X; use LinearRNN or TanhRNN, which do")
            return list(self.model.fit_panel(list(members.values())))
        assert isinstance(self.model, (VAR, LinearRNN, TanhRNN))
        return fit_shared(self.model, members, beside, rng)


@dataclass(frozen=True, eq=False)
class FittedPanel(Guided, Shown, Kept, Mapping[str, Fitted]):
    """Fits by the name of their series; each is an ordinary `Fitted` that forecasts, updates and saves.

    Attributes
    ----------
    spec : Panel
    fits : dict of name to Fitted
    by, time : str or None
        Columns of the long frame that named the series and dated the rows; those of `X` and `y_new` are alike.

    Examples
    --------
    >>> import varnn
    >>> rng = np.random.default_rng(0)
    >>> shops = {name: rng.normal(size=40).cumsum() for name in ("north", "south")}
    >>> fits = varnn.Panel(model=varnn.VAR(lags=1)).fit(shops)
    >>> list(fits), fits["north"].forecast(2).mean.shape, fits.mean(2).shape
    (['north', 'south'], (2, 1), (4, 1))
    """

    spec: Panel
    fits: Mapping[str, Fitted]
    by: str | None = None
    time: str | None = None

    _is: ClassVar[str] = "the fits of a panel"
    _called: ClassVar[str] = "fits"
    _leads: ClassVar[tuple[tuple[str, str], ...]] = (("[name]", "Fitted"), (".spec", "Panel"))

    def _sheet(self) -> Sheet:
        rows = [len(fit.series) for fit in self.fits.values()]
        first = next(iter(self.fits.values()))
        facts = (("specification", repr(self.spec)), ("members", f"{len(self.fits)}: {listed(list(self.fits))}"),
                 ("columns", listed(first.series.names)),
                 ("rows", count(rows[0], "row") if min(rows) == max(rows) else f"{min(rows)} to {max(rows)} each"))
        return Sheet("Panel, fitted", facts, self._coefficients(),
                     "fits[name] is the fit of one; fits.forecast(horizon) of all")

    def _coefficients(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Return the first equation of each member, where they are few and of one shape; names differ by column."""
        params = [fit.params for fit in self.fits.values()] if len(self.fits) <= MOST_SHOWN else []
        if not params or not params[0].size or any(one.shape[0] != params[0].shape[0] for one in params):
            return ()
        alike = all(one.index.equals(params[0].index) for one in params)
        columns = params[0].index if alike else [_without(str(name), params[0].columns[0]) for name in params[0].index]
        caption = "coefficients" if params[0].shape[1] == 1 else f"of {params[0].columns[0]}"
        return ((caption, pd.DataFrame([one.iloc[:, 0].to_numpy() for one in params], index=list(self.fits),
                                       columns=list(columns))),)

    def __getitem__(self, name: str) -> Fitted:
        return self.fits[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def update(self, y_new: object, X_new: object = None) -> FittedPanel:
        """Return the same fits having seen more observations of some or all series; the parameters stay.

        Parameters
        ----------
        y_new : as `data` of `Panel.fit`
            Rows that follow the last ones seen; a series that is not in it stays as it is.
        X_new : as `y_new`, optional
            Exogenous columns at those dates, when the fit used them.

        Raises
        ------
        InputError
            Naming the series that is unknown, or does not go on at once.
        """
        new = self._parts(y_new, "y_new")
        beside = None if X_new is None else self._parts(X_new, "X_new")
        strange = [name for name in new if name not in self.fits]
        if strange:
            raise InputError(f"y_new has series {strange[0]!r}, which the panel was not fitted to; it has "
                             f"{listed(list(self.fits))}")
        moved = dict(self.fits)
        for name, part in new.items():
            if beside is not None and name not in beside:
                raise ExogError(f"X_new has nothing for series {name!r}, which has new rows; give both or neither")
            try:
                moved[name] = moved[name].update(part, None if beside is None else beside[name])
            except InputError as problem:
                raise type(problem)(f"series {name!r}: {problem}") from None
        return replace(self, fits=moved)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all fits to one file, which `varnn.load` reads back with the same bits."""
        from varnn.persist import save

        return save(self, path)

    def summary(self) -> str:
        """Return a text page: what was fitted, and one line a series with its sample and criteria."""
        rows = pd.DataFrame({name: (str(fit.series.index[0]), str(fit.series.index[-1]), fit.nobs,
                                    fit.df_model, fit.llf, fit.aic, fit.bic) for name, fit in self.fits.items()},
                            index=["from", "to", "dates", "regressors", "log-likelihood", "AIC", "BIC"]).T
        head = f"Panel of {self.spec.model.label}, {self.spec.sharing} fit, {len(self):,} series"
        return "\n".join([head, "=" * len(head), rows.to_string(float_format=lambda number: f"{number:.6g}")])

    def __str__(self) -> str:
        return self.summary()

    def plot(self, horizon: int, X: object = None, *, members: Sequence[str] | None = None,
             **options: Any) -> dict[str, Picture]:
        """Return the fan chart of each series by its name, of the first six when `members` is left out."""
        shown = list(self.fits)[:MOST_DRAWN] if members is None else list(members)
        for name in shown:
            if name not in self.fits:
                raise InputError(f"members: there is no series {name!r}; there are {listed(list(self.fits))}")
        futures = dict(zip(self.fits, self._futures(X), strict=True))
        return {name: self.fits[name].forecast(horizon, futures[name], **options).plot() for name in shown}

    def _parts(self, data: object, argument: str) -> dict[str, object]:
        """Return what belongs to each series; long frames have the columns they had in `fit`, or the same index."""
        indexed = isinstance(data, pd.DataFrame) and data.index.nlevels > 1
        return parts_of(data, by=None if indexed else self.by, time=None if indexed else self.time,
                        argument=argument, like={name: fit.seen.index for name, fit in self.fits.items()})

    def mean(self, horizon: int, X: object = None) -> pd.DataFrame:
        """Return point forecasts of all series, a long DataFrame indexed by (series, step).

        X is needed exactly when the fit used it: the future exogenous columns of each series, by its name.
        """
        points = [fit.forecast(horizon, future, n_paths=1, uncertainty="none").point
                  for fit, future in zip(self.fits.values(), self._futures(X), strict=True)]
        index = pd.MultiIndex.from_product([list(self.fits), range(1, horizon + 1)], names=["series", "step"])
        return pd.DataFrame(np.vstack(points), index=index, columns=list(next(iter(self.fits.values())).series.names))

    def forecast(self, horizon: int, X: object = None, **options: Any) -> pd.DataFrame:
        """Return means and intervals of all series in one tidy table; X as for `mean`, options as for a single fit."""
        tables = [fit.forecast(horizon, future, **options).to_frame().assign(member=name)
                  for (name, fit), future in zip(self.fits.items(), self._futures(X), strict=True)]
        return pd.concat(tables, ignore_index=True)

    def _futures(self, X: object) -> list[object]:
        if X is None:
            return [None] * len(self.fits)
        parts = self._parts(X, "X")
        _need_all(self.fits, parts)
        return [parts[name] for name in self.fits]


def _without(label: str, column: str) -> str:
    return label.removesuffix(f".{column}")


def panel_of(data: object, *, by: str | None = None, time: str | None = None) -> dict[str, Series]:
    """Check many series and name them; see `Panel.fit`.

    Examples
    --------
    >>> long = pd.DataFrame({"shop": ["a", "a", "b", "b"], "week": [1, 2, 1, 2], "sales": [1.0, 2.0, 3.0, 4.0]})
    >>> {name: series.values[:, 0].tolist() for name, series in panel_of(long, by="shop", time="week").items()}
    {'a': [1.0, 2.0], 'b': [3.0, 4.0]}
    """
    parts = parts_of(data, by=by, time=time)
    if not parts:
        raise TooShortError("data holds no series; a panel needs at least one")
    members = {name: _checked(name, part) for name, part in parts.items()}
    first = next(iter(members.values()))
    for name, series in members.items():
        if series.k != first.k:
            raise ShapeError(f"series {name!r} has {series.k} columns, the first one {first.k}; all need the same")
    return members


def parts_of(data: object, *, by: str | None = None, time: str | None = None, argument: str = "data",
             like: Mapping[str, pd.Index[Any]] | None = None) -> dict[str, object]:
    """Split a list, a mapping or a long DataFrame into what belongs to each series, by its name.

    `like` are the dates of the same series so far, for long frames too short to show how far apart theirs are.
    """
    if isinstance(data, pd.DataFrame):
        return _long(data, by, time, argument, like)
    if isinstance(data, Mapping):
        return {str(name): part for name, part in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return {str(number): part for number, part in enumerate(data)}
    raise InputError(f"{argument} of type {type(data).__name__} is no panel; pass a list or mapping of series, or a "
                     "long DataFrame")


def _need_all(members: Mapping[str, object], parts: Mapping[str, object]) -> None:
    absent = [name for name in members if name not in parts]
    if absent:
        raise ExogError(f"X has nothing for series {absent[0]!r}; it has {', '.join(map(repr, list(parts)[:5]))}"
                        f"{', …' if len(parts) > 5 else ''}: name its parts as those of the data")


def _beside(members: dict[str, Series], parts: dict[str, object]) -> dict[str, Series]:
    """Return the exogenous columns of each series at its dates, the same columns in the same order."""
    _need_all(members, parts)
    found: dict[str, Series] = {}
    for name, series in members.items():
        try:
            exog = series.exog_of(parts[name])
        except InputError as problem:
            raise type(problem)(f"series {name!r}: {problem}") from None
        first = next(iter(found.values()), exog)
        if sorted(exog.names) != sorted(first.names):
            raise ExogError(f"series {name!r} has the columns {list(exog.names)} in X, the first one "
                            f"{list(first.names)}; all need the same")
        both = sorted(set(exog.names) & set(series.names))
        if both:
            raise ExogError(f"X has a column named {both[0]!r} like one of the data; rename the column or leave it out")
        found[name] = exog if exog.names == first.names else series.exog_of(exog.to_frame()[list(first.names)])
    return found


def _checked(name: str, part: object) -> Series:
    try:
        return Series.of(part)
    except InputError as problem:
        raise type(problem)(f"series {name!r}: {problem}") from None


def _long(data: pd.DataFrame, by: str | None, time: str | None, argument: str,
          like: Mapping[str, pd.Index[Any]] | None) -> dict[str, object]:
    if by is not None:
        return dict(unstacked(data, by, time, argument=argument, like=like))
    if data.index.nlevels < 2:
        raise InputError("a long DataFrame needs to say which series a row belongs to: name that column with by=…, or "
                         "index the frame by (series, time)")
    return {str(name): part.droplevel(0) for name, part in data.groupby(level=0, sort=False)}


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


def _named(name: str, model: Forecaster, series: Series, exog: Series | None, stream: np.random.Generator) -> Fitted:
    try:
        return model.fit(series, exog, rng=stream)
    except InputError as problem:
        raise type(problem)(f"series {name!r}: {problem}") from problem
