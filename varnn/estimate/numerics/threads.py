"""One thread while a fit runs, so that sums are taken in one order and bits repeat on any machine.

Called by estimators around their matrix products; the number of threads found is put back, also after an error.
Counts its users: fits in several Python threads pin once and release when the last of them is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from varnn.deferred import need

_lock = Lock()
_blas_users = 0
_torch_users = 0
_blas_found: list[tuple[Any, int]] = []  # library, its number of threads before
_torch_found = 1


@cache
def _libraries(with_torch: bool) -> tuple[Any, ...]:
    """Return the BLAS libraries of this process; looked up a second time once torch has brought its own."""
    import scipy.linalg  # noqa: F401  (loads the BLAS of scipy, so that the look-up sees it)
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS (numpy, scipy) to one thread.

    Two threads made an order search 20 times slower on a busy machine, and `numpy.linalg.lstsq` differs in its last
    bits between one and two. Costs 10 microseconds a use, and 5 to 25 ms once to find the libraries.

    Examples
    --------
    >>> with one_thread():
    ...     4 * 2
    8
    """
    global _blas_users, _blas_found
    libraries = _libraries("torch" in sys.modules)
    with _lock:
        if _blas_users == 0:
            _blas_found = [(library, library.num_threads) for library in libraries]
            for library in libraries:
                library.set_num_threads(1)
        _blas_users += 1
    try:
        yield
    finally:
        with _lock:
            _blas_users -= 1
            if _blas_users == 0:
                for library, found in _blas_found:
                    library.set_num_threads(found)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Hold BLAS and torch's CPU operators to one thread.

    torch keeps a number for each Python thread and one for those that come later; both are put back.

    Examples
    --------
    >>> import torch
    >>> before = torch.get_num_threads()
    >>> with one_torch_thread():
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    need("torch", "this model", "torch")
    import torch

    global _torch_users, _torch_found
    with one_thread():
        with _lock:
            if _torch_users == 0:
                _torch_found = torch.get_num_threads()
            _torch_users += 1
            torch.set_num_threads(1)
        try:
            yield
        finally:
            with _lock:
                _torch_users -= 1
                torch.set_num_threads(_torch_found)
