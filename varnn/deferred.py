"""A table that is made when it is first read: most fits of a rolling evaluation are never asked for theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, cast

import pandas as pd


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


def later(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return for a `Deferred` field the function, best a `partial`, that will make its table."""
    return cast(pd.DataFrame, make)
