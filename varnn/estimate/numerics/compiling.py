"""Compiling the kernels: once for this machine, on first use, kept on disk, with a word to the user.

Called by every file of compiled loops.  What keeps compiling short is in the loops themselves: numba spends 3 s on one
`A[:] = B` and a tenth of a second on the same as a loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from multiprocessing import current_process, parent_process
from typing import Any

import numba
from numba.core import event

_njit: Any = numba.njit
LOG = logging.getLogger("varnn")
MESSAGE = "varnn compiles its recursions for this machine: once, a few seconds, kept on disk for later"


class _Announce(event.Listener):
    """Say once that compiling has begun; of worker processes that begin together only the first one speaks."""

    said = parent_process() is not None and not current_process().name.endswith("-1")

    def on_start(self, event: Any) -> None:
        """Log the message at the first compilation of a function of ours; loading from disk is none."""
        if not self.said and event.data["dispatcher"].py_func.__module__.startswith("varnn."):
            self.said = True
            LOG.warning(MESSAGE)

    def on_end(self, event: Any) -> None:
        """Nothing follows."""


def compiled(*signature: Any, error_model: str = "python") -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function without Python objects, holding no interpreter lock.

    Sums keep their order (no fastmath) and no work is shared between threads, so bits repeat.  The machine code is
    kept beside the file, or in the user's cache folder where that cannot be written, or, where neither can, for the
    process only.

    Parameters
    ----------
    signature : numba signature, optional      compile for these types, when the file is loaded
    error_model : {"python", "numpy"}          what a division by zero does; with "numpy" LLVM turns the loop over tanh
                                               into vectors, which took twice as long

    Examples
    --------
    >>> @compiled()
    ... def doubled(x):
    ...     return 2.0 * x
    >>> doubled(4.0)
    8.0
    """
    def decorate(function: Callable[..., Any]) -> Any:
        how = {"nogil": True, "error_model": error_model}
        try:
            return _njit(*signature, cache=True, **how)(function)
        except RuntimeError as problem:  # "cannot cache function …: no locator available"
            if "locator" not in str(problem):
                raise
            return _njit(*signature, **how)(function)

    return decorate


event.register("numba:compile", _Announce())  # type: ignore[no-untyped-call]
