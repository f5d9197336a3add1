"""Frames of other libraries — polars, xarray, pyarrow — as pandas frames, with their names and their dates.

Called by the input gate. Told by the module of their type, so that none of these libraries is imported.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from varnn.errors import DtypeError, InputError, ShapeError, TimeIndexError


def as_pandas(data: object, argument: str) -> object:
    """Return a frame of another library as a pandas frame; anything else as it is.

    A polars frame's only column of dates becomes the index; an xarray's coordinates become the index and the names.

    Raises
    ------
    InputError
        Dates or dimensions that could be taken in more than one way, naming them and the remedy.
    """
    library = type(data).__module__.partition(".")[0]
    reader = {"polars": _polars, "xarray": _xarray, "pyarrow": _pyarrow}.get(library)
    return data if reader is None else reader(data, argument)


def _polars(data: Any, argument: str) -> object:
    if not hasattr(data, "to_numpy"):
        raise DtypeError(f"{argument} is a polars {type(data).__name__}; call .collect() first")
    if not hasattr(data, "columns"):
        return pd.Series(data.to_numpy(), name=data.name or f"{argument[0].lower()}1")
    frame = pd.DataFrame({name: _column(data[name]) for name in data.columns})
    return _with_dates(frame, argument)


def _column(series: Any) -> Any:
    """Return a polars column as pandas would hold it, text as objects."""
    if series.dtype.is_temporal():
        zone = getattr(series.dtype, "time_zone", None)
        stamps = pd.Series(series.to_numpy())
        return stamps.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else stamps
    if series.dtype.is_numeric() and series.null_count() == 0:
        return series.to_numpy()
    return pd.Series(series.to_list(), dtype="float64" if series.dtype.is_numeric() else object)


def _pyarrow(data: Any, argument: str) -> object:
    if not hasattr(data, "column_names"):
        return data
    frame = data.to_pandas()
    return _with_dates(frame, argument) if isinstance(frame.index, pd.RangeIndex) else frame


def _with_dates(frame: pd.DataFrame, argument: str) -> pd.DataFrame:
    dates = [str(name) for name, dtype in frame.dtypes.items() if pd.api.types.is_datetime64_any_dtype(dtype)]
    if len(dates) > 1:
        raise InputError(f"{argument} has the columns of dates {', '.join(map(repr, dates))}; keep the one that dates "
                         "the rows")
    if not dates:
        return frame
    if frame[dates[0]].isna().any():
        raise TimeIndexError(f"{argument} has a missing date in column {dates[0]!r}; fill it in")
    return frame.set_index(dates[0])


def _xarray(data: Any, argument: str) -> object:
    dims = tuple(map(str, data.dims))
    if hasattr(data, "data_vars"):
        if len(dims) != 1:
            raise ShapeError(f"{argument} is an xarray Dataset with the dimensions {', '.join(dims)}; give one whose "
                             "variables share one dimension of time")
        return data.reset_coords(drop=True).to_dataframe()
    if len(dims) == 1:
        data = data.reset_coords(drop=True)
        return data.to_series().rename(data.name if data.name is not None else f"{argument[0].lower()}1")
    if len(dims) != 2:
        raise ShapeError(f"{argument} is an xarray DataArray with the dimensions {', '.join(dims)}; "
                         "give one of time and series")
    frame = data.reset_coords(drop=True).to_pandas()
    in_time = [isinstance(axis, (pd.DatetimeIndex, pd.PeriodIndex)) for axis in (frame.index, frame.columns)]
    turned = frame.T if in_time == [False, True] or (not any(in_time) and dims[1] == "time") else frame
    prefix = argument[0].lower()
    if dims[dims.index(str(turned.columns.name)) if turned.columns.name in dims else 1] not in data.coords:
        turned.columns = pd.Index([f"{prefix}{number + 1}" for number in range(turned.shape[1])])
    turned.columns.name = None
    return turned
