"""Save a fitted model to one file and load it back with the same bits, without pickle.

The file is a safetensors file: arrays as tensors, everything else as JSON in its header, and a checksum over both.
Works for any fit whose fields are arrays, tables, dates, names, numbers and frozen dataclasses of varnn or of a package
that offers models under the entry point "varnn.models". Loading runs no code from the file and opens no other file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn import __version__
from varnn.errors import ChecksumError, ModelFileError, StoreError, VarnnError
from varnn.guide import guided
from varnn.kept import Kept
from varnn.writing import write_whole

FORMAT = 1
KIND = "varnn fitted model"
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool")
Arrays = dict[str, NDArray[Any]]
MOVED = {  # where the classes in files saved by varnn 0.1.0 live now
    "varnn.estimate.by_statsmodels": "varnn.estimate.least_squares.statsmodels",
    "varnn.estimate.closed_form": "varnn.estimate.least_squares.regression",
    "varnn.estimate.companion": "varnn.estimate.numerics.companion",
    "varnn.estimate.compiling": "varnn.estimate.numerics.compiling",
    "varnn.estimate.descend": "varnn.estimate.numerics.lbfgs",
    "varnn.estimate.design": "varnn.estimate.tanh.design",
    "varnn.estimate.evidence": "varnn.estimate.tanh.evidence",
    "varnn.estimate.far_field": "varnn.estimate.tanh.extrapolation",
    "varnn.estimate.gaps": "varnn.estimate.missing.state_space",
    "varnn.estimate.gated": "varnn.estimate.gated.recursion",
    "varnn.estimate.gated_fit": "varnn.estimate.gated.gauss_newton",
    "varnn.estimate.gauss_newton": "varnn.estimate.tanh.gauss_newton",
    "varnn.estimate.growth": "varnn.estimate.tanh.starts",
    "varnn.estimate.kernels": "varnn.estimate.tanh.kernels",
    "varnn.estimate.kernels_linear": "varnn.estimate.linear.kernels",
    "varnn.estimate.kernels_var": "varnn.estimate.least_squares.kernels",
    "varnn.estimate.levels": "varnn.estimate.panel.effects",
    "varnn.estimate.likelihood": "varnn.estimate.linear.likelihood",
    "varnn.estimate.linear_choice": "varnn.estimate.linear.lag_choice",
    "varnn.estimate.linear_evidence": "varnn.estimate.linear.shrinkage",
    "varnn.estimate.linear_fit": "varnn.estimate.linear.maximum_likelihood",
    "varnn.estimate.linear_starts": "varnn.estimate.linear.starts",
    "varnn.estimate.linear_states": "varnn.estimate.linear.kalman",
    "varnn.estimate.linear_units": "varnn.estimate.linear.units",
    "varnn.estimate.memoryless": "varnn.estimate.tanh.memoryless",
    "varnn.estimate.mixture": "varnn.estimate.tanh.mixture",
    "varnn.estimate.moments": "varnn.estimate.least_squares.gram",
    "varnn.estimate.order": "varnn.estimate.least_squares.order",
    "varnn.estimate.pooled": "varnn.estimate.panel.pooled",
    "varnn.estimate.pooled_design": "varnn.estimate.panel.stacked",
    "varnn.estimate.posterior": "varnn.estimate.least_squares.posterior",
    "varnn.estimate.quasi_newton": "varnn.estimate.numerics.quasi_newton",
    "varnn.estimate.regressors": "varnn.estimate.least_squares.regressors",
    "varnn.estimate.rolling": "varnn.estimate.least_squares.rolling",
    "varnn.estimate.search": "varnn.estimate.tanh.search",
    "varnn.estimate.sensitivities": "varnn.estimate.tanh.jacobian",
    "varnn.estimate.simulation": "varnn.estimate.tanh.paths",
    "varnn.estimate.small_sample": "varnn.estimate.least_squares.small_sample",
    "varnn.estimate.stop": "varnn.estimate.numerics.stop",
    "varnn.estimate.structure": "varnn.estimate.tanh.structure",
    "varnn.estimate.symmetric": "varnn.estimate.numerics.covariance",
    "varnn.estimate.threads": "varnn.estimate.numerics.threads",
    "varnn.estimate.var_paths": "varnn.estimate.least_squares.paths",
    "varnn.estimate.weight_draws": "varnn.estimate.tanh.posterior",
    "varnn.estimate.window_maps": "varnn.estimate.direct",
}


@guided
def save(fit: Kept, path: str | os.PathLike[str]) -> Path:
    """Write a fit to `path`, replacing what is there in one step.

    Parameters
    ----------
    fit : Kept
        What `fit()` returned, of a forecaster or of a sequence model.
    path : path
        Any file name in a folder that exists.

    Returns
    -------
    Path

    Raises
    ------
    ModelFileError
        If a field of the fit is of a type that cannot be stored, naming the field.
    StoreError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from varnn.models.rung0_naive import Naive
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     back = load(save(Naive().fit([1.0, 2.0, 4.0]), Path(folder) / "naive.varnn"))
    >>> back.forecast(1).point.item()
    4.0
    """
    from safetensors.numpy import save as to_bytes

    if not isinstance(fit, Kept):
        raise ModelFileError(f"save() stores a fitted model, got {type(fit).__name__}; pass what fit() returned")
    arrays: Arrays = {}
    tree = _Writer(arrays).node(fit, type(fit).__name__)
    body = json.dumps({"kind": KIND, "format": FORMAT, "varnn": __version__, "fit": tree}, allow_nan=False)
    content = to_bytes(arrays, {"varnn": _checksum(body, arrays) + body})  # one entry: safetensors shuffles several
    return write_whole(path, content)


@guided
def load(path: str | os.PathLike[str]) -> Any:
    """Read a fit that `save` wrote; it predicts with the same bits as the one saved.

    Raises
    ------
    StoreError
        If there is no readable file at `path`.
    ModelFileError
        If the file is damaged, no varnn model, or of a later version.
    ChecksumError
        If the bytes are not those that were saved.

    Examples
    --------
    >>> import tempfile
    >>> from varnn.models.rung0_naive import Mean
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit = load(save(Mean().fit([1.0, 2.0, 3.0]), Path(folder) / "mean.varnn"))
    >>> fit.forecast(1).point.item()
    2.0
    """
    content = _read(Path(path))
    body, checksum, arrays = _opened(content, path)
    if _checksum(body, arrays) != checksum:
        raise ChecksumError(f"{path} is not as it was saved: its checksum differs; restore the file or fit again")
    try:
        head = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise ModelFileError(f"{path} is damaged: what it says of its arrays is no JSON ({problem})") from None
    if not isinstance(head, dict) or head.get("kind") != KIND or "fit" not in head:
        found = head.get("kind") if isinstance(head, dict) else type(head).__name__
        raise ModelFileError(f"{path} holds {found!r}, not a fitted model")
    if not isinstance(head.get("format"), int) or head["format"] > FORMAT:
        raise ModelFileError(f"{path} was saved by varnn {head.get('varnn')} in format {head.get('format')}; this is "
                             f"varnn {__version__}, which reads up to format {FORMAT}: upgrade varnn")
    try:
        fit = _Reader(arrays).value(head["fit"])
    except VarnnError as problem:
        raise ModelFileError(f"{path} (saved by varnn {head.get('varnn')}, this is {__version__}): {problem}") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, MemoryError,
            AssertionError) as problem:
        raise ModelFileError(f"{path}, saved by varnn {head.get('varnn')}, does not suit {__version__}: {problem}; "
                             "fit the model again") from problem
    if not isinstance(fit, Kept):
        raise ModelFileError(f"{path} holds a {type(fit).__name__}, not a fitted model")
    return fit


# ------------------------------------------------------------------------------------------------ to and from trees


class _Writer:
    """Turns objects into JSON trees; arrays go beside, each once, and an object met again is a reference."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.met: dict[int, int] = {}
        self.kept: list[object] = []    # keeps ids unique while writing

    def node(self, value: object, where: str) -> Any:
        """Return the tree of a value; `where` names it in errors."""
        if isinstance(value, Enum):
            return {"enum": _named(type(value), where), "value": value.name}
        if value is None or type(value) is str or isinstance(value, bool):
            return value
        if isinstance(value, (np.bool_, np.integer, np.floating, int, float)):
            number = value.item() if isinstance(value, np.generic) else value
            return number if np.isfinite(number) else {"number": repr(number)}
        if isinstance(value, (tuple, list)):
            items = [self.node(item, f"{where}[{i}]") for i, item in enumerate(value)]
            if type(value) not in (tuple, list):
                self.refuse(value, where)
            return {type(value).__name__: items}
        if isinstance(value, Mapping) and not isinstance(value, Kept):
            if type(value) is not dict:
                self.refuse(value, where)
            return {"dict": [[self.node(key, f"{where} key"), self.node(item, f"{where}[{key!r}]")]
                             for key, item in value.items()]}
        return self.shared(value, where)

    def shared(self, value: Any, where: str) -> Any:
        """Return the tree of an object that several fields may hold."""
        if id(value) in self.met:
            return {"same": self.met[id(value)]}
        if isinstance(value, np.ndarray):
            tree = self.array(value, where)
        elif isinstance(value, pd.Index):
            tree = self.index(value, where)
        elif isinstance(value, pd.DataFrame):
            tree = self.frame(value, where)
        elif isinstance(value, pd.Series):
            tree = {"column": self.node(value.to_numpy(), where), "index": self.node(value.index, f"{where}.index"),
                    "name": self.node(value.name, f"{where}.name")}
        elif _frozen(value):
            tree = {"class": _named(type(value), where),
                    "fields": {item.name: self.node(getattr(value, item.name), f"{where}.{item.name}")
                               for item in fields(value) if item.init}}
        else:
            self.refuse(value, where)
        self.met[id(value)] = len(self.kept)
        self.kept.append(value)
        return {"id": self.met[id(value)], **tree}

    def array(self, value: NDArray[Any], where: str) -> dict[str, Any]:
        """Store an array with its memory order, which BLAS results depend on in the last bit."""
        if value.dtype.kind in "OUT":
            return {"texts": [self.node(item, where) for item in value.ravel().tolist()], "shape": list(value.shape)}
        if value.dtype.name not in DTYPES or not value.dtype.isnative:
            raise ModelFileError(f"{where} is an array of {value.dtype}, which cannot be stored; stored are "
                                 f"{', '.join(DTYPES)} and text")
        turned = value.ndim > 1 and value.flags.f_contiguous and not value.flags.c_contiguous
        name = f"{len(self.arrays):05d} {where}"
        self.arrays[name] = np.ascontiguousarray(value.T if turned else value).reshape(
            value.T.shape if turned else value.shape)
        return {"array": name, "turned": turned, "frozen": not value.flags.writeable}

    def frame(self, value: pd.DataFrame, where: str) -> dict[str, Any]:
        if len(set(value.dtypes)) > 1:
            self.refuse(value, f"{where} (columns of several types)")
        return {"frame": self.node(value.to_numpy(), where), "index": self.node(value.index, f"{where}.index"),
                "columns": self.node(value.columns, f"{where}.columns")}

    def index(self, value: pd.Index[Any], where: str) -> dict[str, Any]:
        tree: dict[str, Any] = {"name": self.node(value.name, f"{where}.name")}
        if isinstance(value, pd.RangeIndex):
            tree |= {"range": [value.start, value.stop, value.step]}
        elif isinstance(value, pd.PeriodIndex):
            tree |= {"periods": self.node(value.asi8, where), "freq": value.freqstr}
        elif isinstance(value, pd.DatetimeIndex):
            tree |= {"dates": self.node(value.asi8, where), "unit": value.unit, "freq": value.freqstr,
                     "tz": None if value.tz is None else str(value.tz)}
        elif type(value) is pd.Index:
            tree |= {"labels": self.node(value.to_numpy(), where), "dtype": str(value.dtype)}
        else:
            self.refuse(value, where)
        try:
            same = _index(tree, value.asi8) if "periods" in tree or "dates" in tree else value  # type: ignore[attr-defined]
        except (ValueError, KeyError):
            same = None
        if same is None or not same.equals(value) or getattr(same, "freq", None) != getattr(value, "freq", None):
            self.refuse(value, f"{where} (dates of frequency {tree.get('freq')!r}, time zone {tree.get('tz')!r})")
        return tree

    def refuse(self, value: object, where: str) -> Any:
        raise ModelFileError(f"{where} is a {type(value).__module__}.{type(value).__name__}, which cannot be stored; "
                             "stored are arrays, tables, dates, texts, numbers, enums and frozen dataclasses of them")


class _Reader:
    """Builds objects from trees; classes come by name from varnn and packages with models, never from the file."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.built: dict[int, Any] = {}

    def value(self, tree: Any) -> Any:
        """Return the object that a tree describes."""
        if not isinstance(tree, dict):
            return tree
        if "same" in tree:
            return self.built[tree["same"]]
        built = self.build(tree)
        if "id" in tree:
            self.built[tree["id"]] = built
        return built

    def build(self, tree: dict[str, Any]) -> Any:
        if "class" in tree:
            kind = _class(tree["class"])
            if not is_dataclass(kind) or not callable(kind):
                raise ModelFileError(f"{tree['class']} is not a dataclass")
            return kind(**{name: self.value(item) for name, item in tree["fields"].items()})
        if "enum" in tree:
            kind = _class(tree["enum"])
            if not issubclass(kind, Enum):
                raise ModelFileError(f"{tree['enum']} is not an enumeration")
            return kind[tree["value"]]
        if "tuple" in tree:
            return tuple(self.value(item) for item in tree["tuple"])
        if "list" in tree:
            return [self.value(item) for item in tree["list"]]
        if "dict" in tree:
            return {self.value(key): self.value(item) for key, item in tree["dict"]}
        if "number" in tree:
            return float(tree["number"])
        if "texts" in tree:
            texts = np.empty(len(tree["texts"]), dtype=object)
            texts[:] = [self.value(item) for item in tree["texts"]]
            return texts.reshape(tree["shape"])
        if "array" in tree:
            array = self.arrays[tree["array"]].copy()
            array = array.T if tree["turned"] else array
            array.setflags(write=not tree["frozen"])
            return array
        if "frame" in tree:
            return pd.DataFrame(self.value(tree["frame"]), index=self.value(tree["index"]),
                                columns=self.value(tree["columns"]), copy=False)
        if "column" in tree:
            return pd.Series(self.value(tree["column"]), index=self.value(tree["index"]), name=self.value(tree["name"]))
        held = next((tree[key] for key in ("periods", "dates", "labels") if key in tree), None)
        return _index({**tree, "name": self.value(tree["name"])}, None if held is None else self.value(held))


def _index(tree: dict[str, Any], held: Any) -> Any:
    """Build a time index or labels from its tree and the numbers or texts that it holds."""
    name = tree["name"]
    if "range" in tree:
        return pd.RangeIndex(tree["range"][0], tree["range"][1], tree["range"][2], name=name)
    if "periods" in tree:
        return pd.PeriodIndex.from_ordinals(held, freq=tree["freq"], name=name)  # type: ignore[attr-defined]
    if "dates" in tree:
        dates = pd.DatetimeIndex(held.view(f"M8[{tree['unit']}]"), name=name)
        if tree["tz"] is not None:
            dates = dates.tz_localize("UTC").tz_convert(tree["tz"])
        return pd.DatetimeIndex(dates, freq=tree["freq"], name=name)
    return pd.Index(held, dtype=tree["dtype"], name=name)


def _frozen(value: Any) -> bool:
    """Return whether the value is an instance of a frozen dataclass."""
    return is_dataclass(value) and not isinstance(value, type) and bool(value.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def _packages() -> set[str]:
    """Return the packages whose classes may be stored: varnn and every one that offers models to it."""
    return {"varnn", *(point.value.split(".")[0].split(":")[0] for point in entry_points(group="varnn.models"))}


def _named(kind: type, where: str) -> str:
    """Return "module:Class" of a class that can be found again, or raise ModelFileError."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    if kind.__module__.split(".")[0] not in _packages():
        raise ModelFileError(f"{where} is a {name}, which load() could not find again; only classes of varnn and of "
                             "installed packages with the entry point 'varnn.models' are stored")
    if "." in kind.__qualname__:
        raise ModelFileError(f"{where} is a {name}, defined inside another class or function; define it in a module")
    return name


def _class(name: str) -> Any:
    """Return the class "module:Class", only from the packages allowed and only if defined in that module."""
    written, _, qualname = name.partition(":")
    module = MOVED.get(written, written)
    if module.split(".")[0] not in _packages():
        raise ModelFileError(f"it needs {name}, but no installed package of that name offers models to varnn")
    try:
        kind = getattr(import_module(module), qualname, None)
    except ImportError:
        kind = None
    if not isinstance(kind, type) or kind.__module__ != module:
        raise ModelFileError(f"it needs {name}, which is not installed; install the version that saved it")
    return kind


# ------------------------------------------------------------------------------------------------ bytes


def _checksum(body: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(body.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _opened(content: bytes, path: object) -> tuple[str, str, Arrays]:
    """Return JSON, checksum and arrays of a safetensors file held in memory."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        arrays = from_bytes(content)
        size = int.from_bytes(content[:8], "little")
        head = json.loads(content[8:8 + size]).get("__metadata__") or {}
        return head["varnn"][64:], head["varnn"][:64], arrays
    except KeyError:
        raise ModelFileError(f"{path} is a safetensors file of something else, not a model saved by varnn") from None
    except (SafetensorError, ValueError, TypeError, OverflowError, MemoryError) as problem:
        raise ModelFileError(f"{path} is damaged, cut short or no model saved by varnn ({problem})") from None


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is not a file; pass the file that save() wrote")
        return path.read_bytes()
    except StoreError:
        raise
    except (OSError, ValueError) as problem:  # a ValueError is a name that holds a null character
        why = getattr(problem, "strerror", None) or problem
        raise StoreError(f"{path} cannot be read ({why}); pass the file that save() wrote") from None
