"""What waits until it is asked for: tables, which most fits of an evaluation never show, and optional packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from importlib import import_module
from typing import Any, cast

import pandas as pd

from varnn.errors import MissingDependencyError


class Deferred:
    """A dataclass field that holds a table, or what `later` returned, and reads as the table.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from functools import partial
    >>> @dataclass(frozen=True)
    ... class Fit:
    ...     params: Deferred = Deferred()
    >>> fit = Fit(later(partial(pd.DataFrame, {"y1": [0.5]})))
    >>> fit.params is fit.params, fit.params.shape
    (True, (1, 1))

    References
    ----------
    The Python library reference, dataclasses, section "Descriptor-typed fields".
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, instance: object, table: pd.DataFrame) -> None:
        vars(instance)[self.name] = table

    def __get__(self, instance: object, owner: type) -> pd.DataFrame:
        held: Any = MISSING if instance is None else vars(instance)[self.name]  # the class has no default
        if callable(held):
            held = vars(instance)[self.name] = held()
        return cast(pd.DataFrame, held)


def need(package: str, purpose: str, extra: str) -> None:
    """Raise MissingDependencyError where a package that is only asked for now is not installed.

    Examples
    --------
    >>> need("nothing_of_this_name", "a GRU", "torch")
    Traceback (most recent call last):
    ...
    varnn.errors.MissingDependencyError: a GRU needs nothing_of_this_name; install it with: pip install 'varnn[torch]'
    """
    try:
        import_module(package)
    except ImportError:
        raise MissingDependencyError(f"{purpose} needs {package}; install it with: pip install 'varnn[{extra}]'"
                                     ) from None


def later(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return for a `Deferred` field the function, best a `partial`, that will make its table."""
    return cast(pd.DataFrame, make)
