"""The models, one file each, found by name: a new file with a `Forecaster` in it is a new model.

`catalogue()` lists every public Forecaster defined in this folder and every one that another
installed package offers under the entry-point group ``varnn.models``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from importlib.metadata import entry_points

from varnn.errors import DataNameError
from varnn.forecaster import Forecaster

GROUP = "varnn.models"


def catalogue() -> dict[str, type[Forecaster]]:
    """Return every model by class name, rungs first, in the order of their files.

    Examples
    --------
    >>> "VAR" in catalogue()
    True
    """
    found: dict[str, type[Forecaster]] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: (module.name[:4] != "rung", module.name)):
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if _is_model(value) and value.__module__ == f"{__name__}.{module.name}":
                found[value.__name__] = value
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point.load())
    return found


def by_name(name: str) -> type[Forecaster]:
    """Return the model class called `name`; DataNameError names the nearest and lists the others when there is none."""
    models = catalogue()
    if name not in models:
        near = difflib.get_close_matches(name, models, n=1)
        hint = f"did you mean {near[0]!r}? T" if near else "t"
        raise DataNameError(f"no model is called {name!r}; {hint}here are {', '.join(models)}")
    return models[name]


def _is_model(value: object) -> bool:
    return (isinstance(value, type) and issubclass(value, Forecaster) and not value.__name__.startswith("_")
            and not getattr(value, "__abstractmethods__", None))
