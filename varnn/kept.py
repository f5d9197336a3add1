"""The mark of what `varnn.save` stores: fits of forecasters and fits to sequences."""

from __future__ import annotations

from abc import ABC


class Kept(ABC):  # noqa: B024  (a mark has no methods)
    """A fit that can be saved and loaded: a frozen dataclass of arrays, tables, texts, numbers and the like."""
