"""Nixtla's way of speaking: long frames of `unique_id, ds, y` in, `fit`, `predict`, `forecast`, `cross_validation`.

Names and output columns are those of statsforecast (`VAR`, `VAR-lo-90`, `VAR-hi-90`, `cutoff`), so that code, scores
and plots written for it take varnn's models. The numbers are those of `varnn.Panel`, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from varnn.data.read.long import unstacked
from varnn.errors import DataNameError, ExogError, InputError, ParameterError, TooShortError
from varnn.forecaster import Fitted, Forecaster
from varnn.guide import Guided
from varnn.models.wrap_panel import FittedPanel, Panel, Sharing
from varnn.series import checked_horizon, whole_number


class VarnnForecast(Guided):
    """Forecast many series of one long frame by several models, as `StatsForecast` does.

    Parameters
    ----------
    models : list of Forecaster, or mapping of name to Forecaster
        A list takes the names of the classes, which must then differ.
    freq : str or int
        Frequency of `ds` in pandas' words ("ME", "QS", "h" …), or 1 for rows that are numbered.
    sharing : {"local", "global"}
        A fit for each series, or one shared by all; see `varnn.Panel`.
    id_col, time_col, target_col : str
        Names of the columns; any others are exogenous.
    n_paths, seed : int
        Sample paths behind intervals, and the seed of everything random.

    Examples
    --------
    >>> from varnn.models.rung0_naive import Drift, Naive
    >>> df = pd.DataFrame({"unique_id": ["a"] * 4 + ["b"] * 4, "y": [2.0, 1, 3, 5, 8, 30, 40, 20],
    ...                    "ds": [*pd.date_range("2024-01-31", periods=4, freq="ME")] * 2})
    >>> VarnnForecast([Naive(), Drift()], freq="ME").forecast(df, h=2)
      unique_id         ds  Naive  Drift
    0         a 2024-05-31    5.0    6.0
    1         a 2024-06-30    5.0    7.0
    2         b 2024-05-31   20.0   24.0
    3         b 2024-06-30   20.0   28.0

    References
    ----------
    Garza et al. (2022), StatsForecast: lightning fast forecasting with statistical and econometric models.
    """

    _is = "a forecaster of long frames"
    _called = "VarnnForecast(models, freq='ME')"

    def __init__(self, models: Sequence[Forecaster] | Mapping[str, Forecaster], freq: str | int, *,
                 sharing: Sharing = "local", id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y",
                 n_paths: int = 1000, seed: int = 0) -> None:
        self.models = {name: Panel(model=model, sharing=sharing) for name, model in _labelled(models).items()}
        if isinstance(freq, bool) or not isinstance(freq, (str, int)):
            raise ParameterError(f"freq={freq!r} is not usable; give pandas' words, for example 'ME', or 1 for rows "
                                 "that are numbered")
        self.freq = freq
        self.id_col, self.time_col, self.target_col = id_col, time_col, target_col
        self.n_paths = whole_number(n_paths, "n_paths", least=1)
        self.seed = whole_number(seed, "seed", least=0)
        self.fitted: dict[str, FittedPanel] = {}

    def fit(self, df: pd.DataFrame) -> Self:
        """Estimate every model on all rows; exogenous columns are those beside series, dates and values.

        Raises
        ------
        InputError
            Naming the series, the column and the row.
        """
        y, X = self._parts(df)
        self.fitted = self._fits(y, X)
        return self

    def predict(self, h: int, X_df: pd.DataFrame | None = None, level: Sequence[float] | None = None) -> pd.DataFrame:
        """Forecast h steps after the rows of `fit`.

        Parameters
        ----------
        h : int
        X_df : DataFrame, optional
            Future exogenous columns of each series, `futr_df` of neuralforecast.
        level : list of numbers, optional
            Per cent that intervals are to hold, for example [80, 95].

        Returns
        -------
        DataFrame
            unique_id, ds, and for each model its mean and the bounds of each level.
        """
        if not self.fitted:
            raise InputError("there is no fit yet; call .fit(df) first, or .forecast(df, h)")
        return self._predicted(self.fitted, checked_horizon(h), self._futures(X_df), _levels(level))

    def forecast(self, df: pd.DataFrame, h: int, X_df: pd.DataFrame | None = None,
                 level: Sequence[float] | None = None) -> pd.DataFrame:
        """Fit and predict at once, without keeping the fits; arguments as of `fit` and `predict`."""
        y, X = self._parts(df)
        fits = self._fits(y, X)
        return self._predicted(fits, checked_horizon(h), self._futures(X_df, fits), _levels(level))

    def cross_validation(self, df: pd.DataFrame, h: int, n_windows: int = 1, step_size: int = 1,
                         level: Sequence[float] | None = None, refit: bool | int = True) -> pd.DataFrame:
        """Forecast from several cutoffs near the end of each series, whose later values are then compared.

        Parameters
        ----------
        df : DataFrame
            Exogenous columns are taken as known in advance, as Nixtla does.
        h : int
        n_windows, step_size : int
            Number of cutoffs, and rows from one to the next; the last is h rows before the end.
        level : list of numbers, optional
        refit : bool or int
            Estimate anew at every cutoff, at the first only, or at every so many.

        Returns
        -------
        DataFrame
            unique_id, ds, cutoff, y, and the columns of `predict`.
        """
        horizon, levels = checked_horizon(h), _levels(level)
        windows = whole_number(n_windows, "n_windows", least=1)
        step = whole_number(step_size, "step_size", least=1)
        every = (1 if refit else windows) if isinstance(refit, bool) else whole_number(refit, "refit", least=1)
        y, X = self._parts(df)
        first = horizon + step * (windows - 1)                    # rows after the first cutoff
        short = [name for name, part in y.items() if len(part) <= first]
        if short:
            raise TooShortError(f"series {short[0]!r} has {len(y[short[0]])} rows; {windows} windows of {horizon} "
                                f"steps, {step} apart, need more than {first}; use fewer windows or a smaller h")
        tables, fits = [], {}
        for window in range(windows):
            ends = {name: len(part) - first + window * step for name, part in y.items()}
            if window % every == 0:
                fits = self._fits(_heads(y, ends), None if X is None else _heads(X, ends))
            else:
                before = {name: end - step for name, end in ends.items()}
                fits = {label: fit.update(_between(y, before, ends), None if X is None else _between(X, before, ends))
                        for label, fit in fits.items()}
            later = {name: end + horizon for name, end in ends.items()}
            known = None if X is None else _between(X, ends, later)
            tables.append(self._judged(self._predicted(fits, horizon, known, levels), y, ends, horizon))
        found = pd.concat(tables, ignore_index=True)
        order = found[self.id_col].map({name: at for at, name in enumerate(y)}).to_numpy()
        return found.iloc[np.lexsort((np.repeat(range(windows), len(y) * horizon), order))].reset_index(drop=True)

    # --- between Nixtla's frames and panels ------------------------------------------------------

    def _parts(self, df: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame] | None]:
        """Return values and exogenous columns of each series."""
        if not isinstance(df, pd.DataFrame):
            raise InputError(f"df is {type(df).__name__}; give a long pandas DataFrame with the columns {self.id_col}, "
                             f"{self.time_col} and {self.target_col}")
        if self.target_col not in df.columns:
            raise InputError(f"df has no column {self.target_col!r}; it has {list(df.columns)}; name it with "
                             "target_col")
        parts = self._unstacked(df, "df")
        y = {name: part[[self.target_col]] for name, part in parts.items()}
        others = [name for name in df.columns if name not in (self.id_col, self.time_col, self.target_col)]
        return y, {name: part[others] for name, part in parts.items()} if others else None

    def _unstacked(self, df: pd.DataFrame, argument: str, like: Mapping[str, Any] | None = None
                   ) -> dict[str, pd.DataFrame]:
        freq = self.freq if isinstance(self.freq, str) else None
        if freq is not None and self.time_col in df.columns:
            dates = df[self.time_col]
            if isinstance(dates.dtype, pd.PeriodDtype):
                freq = None
            elif not pd.api.types.is_datetime64_any_dtype(dates.dtype) and not pd.api.types.is_numeric_dtype(dates):
                df = df.assign(**{self.time_col: _iso(dates)})
        return unstacked(df, self.id_col, self.time_col, argument=argument, freq=freq, like=like)

    def _fits(self, y: Mapping[str, pd.DataFrame], X: Mapping[str, pd.DataFrame] | None) -> dict[str, FittedPanel]:
        return {label: panel.fit(y, X if panel.model.takes_exog else None, rng=self.seed)
                for label, panel in self.models.items()}

    def _futures(self, X_df: pd.DataFrame | None, fits: Mapping[str, FittedPanel] | None = None
                 ) -> dict[str, pd.DataFrame] | None:
        if X_df is None:
            return None
        fitted = next(iter((fits or self.fitted).values()))
        return self._unstacked(X_df, "X_df", {name: fit.seen.index for name, fit in fitted.items()})

    def _predicted(self, fits: Mapping[str, FittedPanel], horizon: int, X: Mapping[str, pd.DataFrame] | None,
                   levels: Sequence[float]) -> pd.DataFrame:
        tables = []
        for name in next(iter(fits.values())):
            columns: dict[str, Any] = {}
            for label, panel in fits.items():
                columns |= self._of_one(panel[name], name, label, horizon, X, levels)
            dates = panel[name].seen.future_index(horizon)
            ds = dates.to_timestamp() if isinstance(dates, pd.PeriodIndex) else dates
            tables.append(pd.DataFrame({self.id_col: name, self.time_col: ds, **columns}))
        return pd.concat(tables, ignore_index=True)

    def _of_one(self, fit: Fitted, name: str, label: str, horizon: int, X: Mapping[str, pd.DataFrame] | None,
                levels: Sequence[float]) -> dict[str, Any]:
        """Return one model's columns for one series, in statsforecast's order: mean, lower bounds, upper bounds."""
        ahead = None
        if fit.seen_exog is not None:
            if X is None or name not in X:
                raise ExogError(f"{label} was fitted with {', '.join(fit.seen_exog.names)}; give their future "
                                f"values for series {name!r} in X_df")
            ahead = X[name]
        outlook = fit.forecast(horizon, ahead, n_paths=self.n_paths if levels else 1, rng=self.seed,
                               uncertainty="full" if levels else "none")
        bounds = {level: outlook.interval(level / 100) for level in levels}
        return {label: outlook.point[:, 0],
                **{f"{label}-lo-{level:g}": bounds[level][0].iloc[:, 0].to_numpy() for level in reversed(levels)},
                **{f"{label}-hi-{level:g}": bounds[level][1].iloc[:, 0].to_numpy() for level in levels}}

    def _judged(self, table: pd.DataFrame, y: Mapping[str, pd.DataFrame], ends: Mapping[str, int], horizon: int
                ) -> pd.DataFrame:
        """Put the cutoff and the observed values beside forecasts."""
        cutoffs = [_stamp(part.index[ends[name] - 1]) for name, part in y.items()]
        observed = np.concatenate([part.to_numpy()[ends[name]:ends[name] + horizon, 0] for name, part in y.items()])
        table.insert(2, "cutoff", pd.Series(np.repeat(np.asarray(pd.Index(cutoffs)), horizon)))
        table.insert(3, self.target_col, observed)
        return table


def _labelled(models: object) -> dict[str, Forecaster]:
    """Return models by name; those of a list have the names of their classes."""
    if isinstance(models, Mapping):
        named = [(str(name), model) for name, model in models.items()]
    elif isinstance(models, Sequence) and not isinstance(models, str) and len(models):
        named = [(model.label if isinstance(model, Forecaster) else "", model) for model in models]
    else:
        raise ParameterError(f"models={models!r} is not usable; give a list of models, for example [Naive(), VAR()]")
    for name, model in named:
        if not isinstance(model, Forecaster):
            raise ParameterError(f"models holds {model!r}; give models of varnn, for example VAR(lags=2)")
        if [one for one, _ in named].count(name) > 1:
            raise DataNameError(f"two models are called {name!r}; give a mapping of names to models")
    return dict(named)


def _levels(level: Sequence[float] | float | None) -> list[float]:
    """Return the levels in rising order, or raise ParameterError where one is no per cent."""
    levels: list[Any] = [] if level is None else list(level) if isinstance(level, Sequence) else [level]
    for one in levels:
        if isinstance(one, bool) or not isinstance(one, (int, float)) or not 0 < one < 100:
            raise ParameterError(f"level={level!r} is not usable; give per cent between 0 and 100, for example "
                                 "[80, 95]")
        if one < 1:
            raise ParameterError(f"level={level!r} reads as a share; levels are per cent, for example [{100 * one:g}]")
    return sorted(levels)


def _iso(dates: pd.Series[Any]) -> pd.Series[Any]:
    """Return text dates as dates where they are ISO ones; others are left to the reader of files."""
    try:
        return pd.to_datetime(dates, format="ISO8601")
    except (ValueError, TypeError):
        return dates


def _stamp(label: Any) -> Any:
    return label.to_timestamp() if isinstance(label, pd.Period) else label


def _heads(parts: Mapping[str, pd.DataFrame], ends: Mapping[str, int]) -> dict[str, pd.DataFrame]:
    return {name: part.iloc[:ends[name]] for name, part in parts.items()}


def _between(parts: Mapping[str, pd.DataFrame], starts: Mapping[str, int], ends: Mapping[str, int]
             ) -> dict[str, pd.DataFrame]:
    return {name: part.iloc[starts[name]:ends[name]] for name, part in parts.items()}
