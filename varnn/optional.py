"""Guests that not everybody has installed: the package asked for, or an error that says how to get it.

Used wherever a package of an extra is imported; nothing is imported before it is needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from varnn.errors import MissingDependencyError

EXTRAS = {"pooch": "data", "pyarrow": "parquet", "dask": "distributed", "distributed": "distributed"}


def optional(module: str, purpose: str) -> Any:
    """Import a package that need not be installed.

    Parameters
    ----------
    module : str
        What to import, for example "pyarrow.parquet".
    purpose : str
        What it is needed for, as the beginning of a sentence: "reading a Parquet file".

    Raises
    ------
    MissingDependencyError
        Naming the command that installs it; or the reason, where it is installed and cannot be imported.

    Examples
    --------
    >>> optional("json", "reading JSON").loads("1")
    1
    >>> optional("varnn_absent", "This example")
    Traceback (most recent call last):
    ...
    varnn.errors.MissingDependencyError: This example needs varnn_absent, which is not installed: pip install ...
    """
    try:
        return import_module(module)
    except ImportError as problem:
        package = module.partition(".")[0]
        extra = EXTRAS.get(package)
        install = f"pip install 'varnn[{extra}]'" if extra else f"pip install {package}"
        if isinstance(problem, ModuleNotFoundError) and (problem.name or package).partition(".")[0] == package:
            raise MissingDependencyError(f"{purpose} needs {package}, which is not installed: {install}") from None
        raise MissingDependencyError(f"{purpose} needs {package}, which is installed and cannot be imported "
                                     f"({problem}): repair it with {install} --force-reinstall") from problem
