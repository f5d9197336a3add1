"""What goes in: the one gate through which every observation enters varnn.

`Series.of` turns a user's data into frozen float64 values with names and a time index;
`Series.exog_of` and `Series.future_exog` do the same for exogenous columns, matched by name
and date. Called by `Forecaster.fit`, `Fitted.forecast` and `compare`. Never imputes, sorts or drops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.dates import following, joined, regular_index
from varnn.display import Shown
from varnn.errors import (
    DtypeError,
    ExogError,
    HorizonError,
    HorizonLimitError,
    InputError,
    LookaheadError,
    MissingDataError,
    NonFiniteError,
    ParameterError,
    ResourceLimitError,
    ShapeError,
    TimeIndexError,
)
from varnn.frames import as_pandas

FloatArray = NDArray[np.float64]
LARGEST = 1e150   # squares of anything larger overflow float64 in every likelihood
SMALLEST = 1e-150  # and squares of movements smaller than this vanish
MOST_BYTES = 8_000_000_000  # held at once by one request
MATRICES = 4  # information, precision, factor and inverse
COPIES = 6  # arrays of the size of its sample paths that a forecast holds at its peak, unless its model knows better
MOST_CELLS = MOST_BYTES // (8 * COPIES)  # numbers in the sample paths of one forecast


@dataclass(frozen=True, eq=False)
class Series(Shown):
    """Observations of k series at T equally spaced times, checked once and then trusted.

    Attributes
    ----------
    values : array (T, k)
        Observations, oldest first, in the units of the user; read-only.
    names : tuple of str
        Column names, unique.
    index : pandas.Index (T,)
        PeriodIndex, DatetimeIndex with a frequency, or RangeIndex.
    """

    values: FloatArray
    names: tuple[str, ...]
    index: pd.Index[Any]

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def k(self) -> int:
        """Number of series."""
        return int(self.values.shape[1])

    @classmethod
    def of(cls, data: object, *, argument: str = "y") -> Series:
        """Check `data` and freeze it.

        Parameters
        ----------
        data : DataFrame, pandas Series, array (T, k) or (T,), or Series
            Observations, oldest first. Arrays get the names y1 … yk and a RangeIndex. Frames of polars, xarray and
            pyarrow keep their names and dates.
        argument : str
            How error messages call the data.

        Returns
        -------
        Series

        Raises
        ------
        InputError
            Or one of its children, naming the column, the row and the remedy.

        Examples
        --------
        >>> Series.of([[1.0, 2.0], [3.0, 5.0]]).names
        ('y1', 'y2')
        >>> Series.of([1.0, float("nan")])
        Traceback (most recent call last):
        ...
        varnn.errors.MissingDataError: y has 1 missing value, the first in column 'y1' at 1; let the models bridge \
gaps with missing='filter' (--missing filter), drop or impute it, or start the series later (--start)
        """
        if isinstance(data, Series):
            return data
        if type(data) is np.ndarray and data.dtype == np.float64 and data.ndim == 2 and data.size:
            values = np.array(data, order="C")
            moved = np.minimum.reduce(np.abs(values[-1] - values[0]))
            if np.vdot(values, values) <= LARGEST**2 and moved >= SMALLEST:  # then `_check_finite` has no objection
                return cls(values, _array_names(argument, data.shape[1]), _array_index(len(values)).view())
        data = as_pandas(data, argument)
        frame = _frame(data, argument)
        _check_names(frame, argument)
        _check_dtypes(frame, argument)
        index = regular_index(frame.index, argument)
        values = np.array(frame.to_numpy(dtype=np.float64, na_value=np.nan), order="C")
        _check_finite(values, tuple(map(str, frame.columns)), index, argument)
        return cls(values, tuple(map(str, frame.columns)), index)

    def head(self, rows: int) -> Series:
        """Return the first `rows` observations as a copy that holds no reference to the rest."""
        return Series(self.values[:rows].copy(), self.names, self.index[:rows].copy())

    def window(self, start: int, stop: int) -> Series:
        """Return rows start … stop − 1 as a copy that holds no reference to the rest."""
        return Series(self.values[start:stop].copy(), self.names, self.index[start:stop].copy())

    def extend(self, data: object) -> Series:
        """Append later observations of the same series, whose dates must follow on at once.

        A frame must carry the columns and the very next dates; an array is taken by position.
        """
        data = as_pandas(data, "y_new")
        more = Series.of(data, argument="y_new")
        labelled = isinstance(data, (pd.DataFrame, pd.Series, Series))
        if labelled and more.names != self.names:
            raise ShapeError(f"y_new has columns {list(more.names)}, the fit has {list(self.names)}; "
                             "pass the same columns in the same order")
        if more.k != self.k:
            raise ShapeError(f"y_new has {more.k} columns, the fit has {self.k}: {list(self.names)}")
        expected = self.future_index(len(more))
        if labelled and not more.index.equals(expected):
            raise TimeIndexError(f"y_new covers {more.index[0]} … {more.index[-1]}, but the data seen so far end at "
                                 f"{self.index[-1]}; new rows must start at {expected[0]} and leave no gap")
        return Series(np.vstack([self.values, more.values]), self.names, joined(self.index, expected))

    def future_index(self, horizon: int) -> pd.Index[Any]:
        """Return the `horizon` time labels that follow the last observation, or raise HorizonLimitError."""
        last, index = self.index[-1], self.index
        if isinstance(index, (pd.PeriodIndex, pd.DatetimeIndex)):
            return following(index, horizon)
        step = index.step if isinstance(index, pd.RangeIndex) else 1
        return pd.RangeIndex(last + step, last + step * (horizon + 1), step, name=index.name)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame copy of the observations."""
        return pd.DataFrame(self.values.copy(), index=self.index, columns=list(self.names))

    def exog_of(self, data: object) -> Series:
        """Check in-sample exogenous data and align them to this series by date.

        A DataFrame must hold every date of the series (extra dates are ignored); an array is taken
        by position and must have exactly T rows. A column that is one of y's, by name or to the bit, is refused.
        """
        exog = _aligned(data, self.index, argument="X", names=None)
        both = sorted(set(exog.names) & set(self.names))
        if both:
            raise ExogError(f"X has a column named {both[0]!r} like one of y; a series cannot explain itself at the "
                            "same date. Rename the column if it is another variable, else leave it out")
        for name, x in zip(exog.names, exog.values.T, strict=True):
            for of, y in zip(self.names, self.values.T, strict=True):
                if np.array_equal(x, y) and np.ptp(y) > 0:
                    raise LookaheadError(f"X column {name!r} equals {of!r} at the same date; a forecast would be given "
                                         "what it has to forecast. Leave the column out, or lag it by the horizon")
        return exog

    def future_exog(self, data: object, horizon: int, names: Sequence[str]) -> FloatArray:
        """Check future exogenous data for the `horizon` steps after this series; shape (h, q).

        Columns are taken by name and rows by date; an array is taken by position and must have
        exactly `horizon` rows and one column for each name.
        """
        return _aligned(data, self.future_index(horizon), argument="X", names=tuple(names)).values


def whole_number(value: object, argument: str, *, least: int, most: int | None = None) -> int:
    """Return `value` as int if it is a whole number in [least, most], else raise ParameterError.

    Examples
    --------
    >>> whole_number(3, "lags", least=0)
    3
    """
    is_int = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    if not is_int or cast(int, value) < least or (most is not None and cast(int, value) > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ParameterError(f"{argument}={value!r} is not usable; give a whole number {bounds}")
    return int(cast(int, value))


def _brief(value: object, most: int = 32) -> str:
    """Return a value as a message repeats it, or its type where it is long."""
    text = repr(value)
    return text if len(text) <= most else f"<{type(value).__name__}>"


def checked_horizon(horizon: object) -> int:
    """Return the horizon as int, or raise HorizonError.

    Examples
    --------
    >>> checked_horizon(True)
    Traceback (most recent call last):
    ...
    varnn.errors.HorizonError: horizon=True is not usable; give a whole number of at least 1, for example 8
    """
    is_int = isinstance(horizon, (int, np.integer)) and not isinstance(horizon, (bool, np.bool_))
    if isinstance(horizon, (pd.DataFrame, pd.Series, np.ndarray, Series, list, tuple)):
        raise HorizonError(f"horizon={_brief(horizon)} is not usable; give a whole number of at least 1, for example "
                           "forecast(8): a fit knows its data, later rows go to update(y_new)")
    if not is_int or cast(int, horizon) < 1:
        raise HorizonError(f"horizon={horizon!r} is not usable; give a whole number of at least 1, for example 8")
    if cast(int, horizon) > 1_000_000:
        raise HorizonLimitError(f"horizon={horizon!r} is beyond 1,000,000 steps; give a smaller one")
    return int(cast(int, horizon))


def checked_paths(n_paths: object, horizon: int, k: int, held: Callable[[int], float] | None = None) -> int:
    """Return the number of sample paths as int, or raise: it is no count, or the paths would fill the memory.

    Parameters
    ----------
    n_paths : int
    horizon, k : int
    held : callable, optional
        Numbers that a forecast with so many paths holds at its peak; six arrays of their size when left out.
    """
    count = whole_number(n_paths, "n_paths", least=1)
    at_peak = held if held is not None else lambda paths: float(COPIES * paths * horizon * k)
    if at_peak(count) > MOST_BYTES / 8:
        fixed = at_peak(0)
        most = int((MOST_BYTES / 8 - fixed) / (at_peak(count) - fixed) * count)
        steps = int(MOST_BYTES / 8 / at_peak(count) * horizon)
        remedy = f"use n_paths <= {most} or a shorter horizon" if most > 0 else f"use horizon <= {steps}"
        raise ResourceLimitError(f"n_paths={count} paths of horizon={horizon} steps of {k} series are "
                                 f"{at_peak(count) * 8e-9:.0f} GB at the peak; {remedy}")
    return count


def checked_memory(request: str, numbers: float, remedy: str) -> None:
    """Raise ResourceLimitError where a request would hold so many numbers at once that they fill the memory.

    Examples
    --------
    >>> checked_memory("irf(periods=1000000000)", 3 * 4e9, "use a smaller periods")
    Traceback (most recent call last):
    ...
    varnn.errors.ResourceLimitError: irf(periods=1000000000) would hold about 96 GB at once, and 8 GB is the most; \
use a smaller periods
    """
    if 8 * numbers > MOST_BYTES:
        raise ResourceLimitError(f"{request} would hold about {8e-9 * numbers:.3g} GB at once, and "
                                 f"{MOST_BYTES / 1e9:.0f} GB is the most; {remedy}")


def checked_weights(model: str, argument: str, value: int, weights: int) -> None:
    """Raise ResourceLimitError where the information matrix of that many weights, and its factors, fill the memory.

    Examples
    --------
    >>> checked_weights("TanhRNN", "width", 10**6, 10**12)
    Traceback (most recent call last):
    ...
    varnn.errors.ResourceLimitError: TanhRNN(width=1000000) has 1e+12 weights, whose information matrix and \
factors need about 3e+16 GB; use a smaller width
    """
    held = 8 * MATRICES * weights**2
    if held > MOST_BYTES:
        raise ResourceLimitError(f"{model}({argument}={value}) has {weights:.0e} weights, whose information matrix "
                                 f"and factors need about {held / 1e9:.0e} GB; use a smaller {argument}")


def checked_coverage(coverage: object) -> float:
    """Return the coverage as float in (0, 1), or raise ParameterError naming the value."""
    number = isinstance(coverage, (float, np.floating))
    if not number or not 0.0 < cast(float, coverage) < 1.0:
        raise ParameterError(f"coverage={coverage!r} is not usable; give a number strictly between 0 and 1, "
                             "for example 0.9 for 90 % intervals")
    return float(cast(float, coverage))


def checked_coverages(coverage: object) -> tuple[float, ...]:
    """Return one coverage or several as a tuple of floats in (0, 1), or raise ParameterError.

    Examples
    --------
    >>> checked_coverages([0.5, 0.9])
    (0.5, 0.9)
    """
    several = isinstance(coverage, (list, tuple, np.ndarray)) and len(coverage) > 0
    return tuple(checked_coverage(one) for one in cast(Sequence[object], coverage)) if several else (
        checked_coverage(coverage),)


def generator(rng: object) -> np.random.Generator:
    """Return a private generator from a seed, a SeedSequence, a Generator or None (seed 0).

    None means the fixed seed 0, so that a call without a seed repeats; pass a Generator for fresh draws.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng(0)
    if isinstance(rng, np.random.SeedSequence):
        return np.random.default_rng(rng)
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and int(rng) >= 0:
        return np.random.default_rng(int(rng))
    raise ParameterError(f"rng={rng!r} is not usable; give a seed of at least 0, a numpy Generator or None")


def _frame(data: object, argument: str) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        frame = data
    elif isinstance(data, pd.Series):
        frame = data.to_frame(name=data.name if data.name is not None else "y1")
    else:
        frame = _frame_from_array(data, argument)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ShapeError(f"{argument} is empty ({frame.shape[0]} rows, {frame.shape[1]} columns); "
                         "pass at least one column with observations")
    return frame


def _frame_from_array(data: object, argument: str) -> pd.DataFrame:
    if data is None or isinstance(data, (str, bytes, bool, int, float, complex, dict, set)):
        raise DtypeError(f"{argument} is {type(data).__name__}; pass a DataFrame or a (T, k) array of numbers")
    try:
        array = np.asarray(data)
    except (ValueError, TypeError) as problem:
        raise ShapeError(f"{argument} is not rectangular ({problem}); pass a (T, k) array of numbers") from None
    except RuntimeError as problem:  # a torch tensor that requires gradients, or lies on an accelerator
        raise DtypeError(f"{argument} cannot be read as an array ({problem}); pass a (T, k) array of numbers") from None
    if np.ma.isMaskedArray(data) and np.ma.getmaskarray(data).any():
        raise MissingDataError(f"{argument} has masked values; drop or impute them first")
    if array.dtype.names:
        raise DtypeError(f"{argument} is a structured array with the fields {list(array.dtype.names)}; "
                         "pass a DataFrame of them")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ShapeError(f"{argument} has {array.ndim} dimensions; pass a (T, k) array, time down the rows")
    return pd.DataFrame(array, columns=list(_array_names(argument, array.shape[1])))


@lru_cache(maxsize=64)
def _array_names(argument: str, k: int) -> tuple[str, ...]:
    return tuple(f"{argument[0].lower()}{j + 1}" for j in range(k))


@lru_cache(maxsize=64)
def _array_index(T: int) -> pd.RangeIndex:
    return pd.RangeIndex(T)


def _check_names(frame: pd.DataFrame, argument: str) -> None:
    names = [str(name) for name in frame.columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{argument} has more than one column named {twice[0]!r}; rename so that names are unique")


def _check_dtypes(frame: pd.DataFrame, argument: str) -> None:
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            raise DtypeError(f"{argument} column {str(name)!r} has type {dtype}, not numbers; if it dates "
                             f"the rows, make it the index (.set_index({str(name)!r})), else leave it out")
        if pd.api.types.is_bool_dtype(dtype):
            raise DtypeError(f"{argument} column {str(name)!r} holds True/False; convert it with .astype(float) "
                             "if 1/0 is meant")
        if pd.api.types.is_complex_dtype(dtype) or not pd.api.types.is_numeric_dtype(dtype):
            raise DtypeError(f"{argument} column {str(name)!r} has type {dtype}, not numbers"
                             f"{_first_text(frame[name])}; "
                             "convert it (pd.to_numeric) or leave it out")


def _first_text(column: pd.Series[Any]) -> str:
    for label, value in column.items():
        if not isinstance(value, (int, float, np.number)):
            return f" (first seen: {value!r} at {label})"
    return ""


def _bridged(argument: str) -> str:
    """Return the way to let models fill gaps, which they can in what they forecast only."""
    return "let the models bridge gaps with missing='filter' (--missing filter), " if argument == "y" else ""


def _check_finite(values: FloatArray, names: tuple[str, ...], index: pd.Index[Any], argument: str) -> None:
    missing = np.isnan(values)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        count = int(missing.sum())
        raise MissingDataError(f"{argument} has {count} missing value{'s' if count > 1 else ''}, the first in column "
                               f"{names[column]!r} at {index[row]}; {_bridged(argument)}drop or impute "
                               f"{'them' if count > 1 else 'it'}, or start the series later (--start)")
    unusable = np.abs(values) > LARGEST
    if unusable.any():
        row, column = np.argwhere(unusable)[0]
        raise NonFiniteError(f"{argument} has {values[row, column]} in column {names[column]!r} at {index[row]}; "
                             f"replace it with a finite number below {LARGEST:g}")
    moves = np.ptp(values, axis=0)
    vanishing = (moves > 0) & (moves < SMALLEST)
    if vanishing.any():
        column = int(np.argmax(vanishing))
        raise NonFiniteError(f"{argument} column {names[column]!r} moves by no more than {moves[column]:.3g}, the "
                             "square of which is 0 in float64; multiply it by a power of ten")


def _aligned(data: object, wanted: pd.Index[Any], *, argument: str, names: tuple[str, ...] | None) -> Series:
    """Return exogenous data on the wanted dates, columns in the order of `names` (all when None)."""
    if data is None:
        raise ExogError(f"{argument} is missing; this model was fitted with exogenous columns {list(names or ())}, "
                        f"so pass them for {wanted[0]} … {wanted[-1]}")
    data = as_pandas(data, argument)
    by_label = isinstance(data, (pd.DataFrame, pd.Series, Series))
    frame = data.to_frame() if isinstance(data, Series) else _frame(data, argument)
    _check_names(frame, argument)
    _check_dtypes(frame, argument)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    if names is not None:
        frame = _columns(frame, names, by_label, argument)
    frame = _rows(frame, wanted, by_label, argument)
    values = np.array(frame.to_numpy(dtype=np.float64, na_value=np.nan), order="C")
    _check_finite(values, tuple(frame.columns), wanted, argument)
    return Series(values, tuple(frame.columns), wanted)


def _columns(frame: pd.DataFrame, names: tuple[str, ...], by_label: bool, argument: str) -> pd.DataFrame:
    if not by_label:
        if frame.shape[1] != len(names):
            raise ExogError(f"{argument} has {frame.shape[1]} columns, the fit used {len(names)}: {list(names)}")
        return frame.set_axis(list(names), axis=1)
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise ExogError(f"{argument} has no column {absent[0]!r}; it has {list(frame.columns)}, "
                        f"the fit used {list(names)}")
    return frame[list(names)]


def _rows(frame: pd.DataFrame, wanted: pd.Index[Any], by_label: bool, argument: str) -> pd.DataFrame:
    if not by_label:
        if len(frame) != len(wanted):
            raise ExogError(f"{argument} has {len(frame)} rows; {len(wanted)} are needed, "
                            f"for {wanted[0]} … {wanted[-1]}")
        return frame.set_axis(wanted, axis=0)
    if frame.index.has_duplicates:
        where = frame.index[frame.index.duplicated()][0]
        raise ExogError(f"{argument} has the date {where} more than once; keep one row for each date")
    same_kind = isinstance(frame.index, type(wanted)) or not isinstance(wanted, (pd.PeriodIndex, pd.DatetimeIndex))
    absent = wanted.difference(frame.index) if same_kind else wanted
    if len(absent):
        raise ExogError(f"{argument} has no row for {absent[0]} ({len(absent)} of the {len(wanted)} dates needed are "
                        f"absent); it covers {frame.index[0]} … {frame.index[-1]}, needed are "
                        f"{wanted[0]} … {wanted[-1]}")
    return frame.loc[wanted]
