"""What a comparison is given: which series are forecast, which are scored, and what is known in advance.

Called by `compare` and by the jobs of a suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from varnn.errors import DataNameError, ParameterError
from varnn.inference.missing import with_gaps
from varnn.series import Series


def sample_of(y: object, X: object, past: object, target: str | Sequence[str] | None,
              missing: str) -> tuple[Series, Series | None, tuple[str, ...]]:
    """Return all series that are forecast, what is known in advance, and the names of the series that are scored."""
    series = Series.of(y) if missing == "raise" else with_gaps(y)
    exog = None if X is None else series.exog_of(X)
    inputs: Series | None = None
    if past is not None and not isinstance(past, str) and not are_names(past):
        inputs = series.exog_of(past)
        both = sorted(set(inputs.names) & set(() if exog is None else exog.names))
        if both:
            raise ParameterError(f"column {both[0]!r} is in X and in past; leave it in one of them")
    elif past is not None:
        held = (*(() if exog is None else exog.names), *series.names)
        moved = known(names_of(past, "past"), held, "past", "column of X or y")
        inputs, exog = parted(exog, moved)
    own = [name for name in series.names if not are_names(past) or name not in names_of(past, "past")]
    judged = tuple(own if target is None else known(names_of(target, "target"), series.names, "target", "series of y"))
    if not judged:
        raise ParameterError(f"past={past!r} leaves no series of y to score; leave one of {list(series.names)} "
                             "out of it")
    if target is not None and (twice := [name for name in judged if name not in own]):
        raise ParameterError(f"{twice[0]!r} is in target and in past; what is scored is no input, so leave it in "
                             "one of them")
    if inputs is not None:
        series = Series(np.hstack([series.values, inputs.values]), (*series.names, *inputs.names), series.index)
    return series, exog, judged


def parted(exog: Series | None, moved: Sequence[str]) -> tuple[Series | None, Series | None]:
    """Return the columns named, and the others; None where there are none."""
    if exog is None:
        return None, None
    parts = []
    for wanted in (True, False):
        some = [at for at, name in enumerate(exog.names) if (name in moved) == wanted]
        parts.append(Series(np.ascontiguousarray(exog.values[:, some]), tuple(exog.names[at] for at in some),
                            exog.index) if some else None)
    return parts[0], parts[1]


def are_names(given: object) -> bool:
    """Say whether this is a name or a list of names."""
    return isinstance(given, str) or (isinstance(given, (list, tuple)) and all(isinstance(one, str) for one in given))


def names_of(given: object, argument: str) -> list[str]:
    """Return one name or several as a list."""
    if not are_names(given):
        raise ParameterError(f"{argument}={given!r} is not usable; give a name or a list of names")
    names = [given] if isinstance(given, str) else list(given)  # type: ignore[call-overload]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ParameterError(f"{argument} names {twice[0]!r} twice; name it once")
    return names


def known(asked: list[str], held: Sequence[str], argument: str, what: str) -> list[str]:
    """Return the names asked for, or refuse the first that is not held."""
    for name in asked:
        if name not in held:
            near = get_close_matches(name, held, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, held))}"
            raise DataNameError(f"{argument}: no {what} is called {name!r}; {hint}")
    if not asked and argument == "target":
        raise ParameterError("target=[] is not usable; name at least one series of y, or leave it out")
    return asked
