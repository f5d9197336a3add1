"""One recursion for every simulated series: state -> conditional mean -> observation -> next state.

A `Process` is the truth, so it gives what no real series has: the best one-step forecast
E[y_t | past] exactly, and the best h-step forecast by sampling. The processes themselves are in
the folder `processes`, a family a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from varnn.display import Shown
from varnn.errors import DataNameError, ParameterError
from varnn.guide import guided
from varnn.series import checked_horizon, checked_memory, generator, whole_number

FloatArray = NDArray[np.float64]
Rng = np.random.Generator


class Start(Protocol):
    """States of m independent copies before the first observation, shape (m, s)."""

    def __call__(self, m: int, rng: Rng) -> FloatArray: ...  # noqa: D102


class Mean(Protocol):
    """E[y_t | past] from the states (m, s) before t, shape (m, k)."""

    def __call__(self, state: FloatArray, t: int) -> FloatArray: ...  # noqa: D102


class Step(Protocol):
    """Observation (m, k) and next states (m, s) from states (m, s) and shocks (m, q)."""

    def __call__(  # noqa: D102
        self, state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]: ...


Shock = Callable[[int, Rng], FloatArray]  # m, rng -> (m, q)


def normal_shocks(width: int, sd: float = 1.0) -> Shock:
    """Return a drawer of independent N(0, sd²) shocks, shape (m, width)."""
    return lambda m, rng: sd * rng.standard_normal((m, width))


def at_rest(width: int) -> Start:
    """Return a start with every state at zero, shape (m, width)."""
    return lambda m, rng: np.zeros((m, width))


@dataclass(frozen=True, kw_only=True)
class Process:
    """A data-generating process written as a recursion on a state of fixed width.

    mean_t = mean(state_{t−1}),  (y_t, state_t) = step(state_{t−1}, shock_t)

    Parameters
    ----------
    columns : tuple of str     names of the k observed series
    mean, step, shock, start   the recursion; see the protocols above
    burn : int                 steps thrown away before the first kept observation
    exog : callable or None    state (m, s) -> inputs (m, q) known when y_t is forecast
    exog_columns : tuple       their names
    belief : callable or None  state, rng -> state with the unobserved parts drawn anew from their
                               distribution given the past; None when the past determines the state
    symmetric : bool           the shocks are as likely as their negatives (lets means use both)
    """

    columns: tuple[str, ...]
    mean: Mean
    step: Step
    shock: Shock
    start: Start
    burn: int = 100
    exog: Callable[[FloatArray], FloatArray] | None = None
    exog_columns: tuple[str, ...] = ()
    belief: Callable[[FloatArray, Rng], FloatArray] | None = None
    symmetric: bool = False

    def run(
        self, n: int, rng: object = None, *, shocks: FloatArray | None = None, state: FloatArray | None = None
    ) -> Simulated:
        """Simulate n observations; given `shocks` (burn + n, q) and `state` (s,) are used as they are."""
        private = generator(rng)
        before = self.start(1, private) if state is None else np.atleast_2d(state)
        values, oracle, states = [], [], []
        for t in range(-self.burn, n):
            shock = self.shock(1, private) if shocks is None else shocks[t + self.burn][None, :]
            expected = self.mean(before, t)
            value, after = self.step(before, shock, t)
            if t >= 0:
                values.append(value[0])
                oracle.append(expected[0])
                states.append(before[0])
            before = after
        past = np.array(states)
        return Simulated(
            values=np.array(values), oracle=np.array(oracle), states=np.vstack([past, before]), process=self,
            exog=None if self.exog is None else self.exog(past),
        )

    def paths(self, m: int, horizon: int, rng: object = None, *, state: FloatArray | None = None,
              t: int = 0) -> FloatArray:
        """Draw m paths of `horizon` steps, shape (m, h, k), from one state (s,) at time t, or from fresh starts."""
        private = generator(rng)
        if state is None:
            now, t = self._burnt_in(m, private), 0
        else:
            now = np.repeat(np.atleast_2d(state), m, axis=0)
            now = now if self.belief is None else self.belief(now, private)
        drawn = []
        for ahead in range(horizon):
            value, now = self.step(now, self.shock(m, private), t + ahead)
            drawn.append(value)
        return np.stack(drawn, axis=1)

    def mean_ahead(self, horizon: int, rng: object, *, state: FloatArray, t: int, m: int) -> FloatArray:
        """Estimate E[y_{t+1} … y_{t+h} | state] from m draws, shape (h, k).

        Averages the conditional means E[y_{t+j} | draw up to j − 1], not the draws themselves, and pairs every
        shock with its negative where that is as likely: exact at one step, and at all steps of a linear process.
        """
        private = generator(rng)
        half = -(-m // 2) if self.symmetric else m
        now = np.repeat(np.atleast_2d(state), 2 * half if self.symmetric else half, axis=0)
        now = now if self.belief is None else self.belief(now, private)
        means = [self.mean(np.atleast_2d(state), t)[0]]
        for ahead in range(horizon - 1):
            shock = self.shock(half, private)
            _, now = self.step(now, np.vstack([shock, -shock]) if self.symmetric else shock, t + ahead)
            means.append(self.mean(now, t + ahead + 1).mean(axis=0))
        return np.array(means)

    def _burnt_in(self, m: int, rng: Rng) -> FloatArray:
        now = self.start(m, rng)
        for t in range(-self.burn, 0):
            _, now = self.step(now, self.shock(m, rng), t)
        return now


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated(Shown):
    """A simulated series and its best possible forecasts.

    Parameters
    ----------
    values : array (n, k)
    oracle : array (n, k)          one-step conditional means E[y_t | y_{t−1}, y_{t−2}, …]
    states : array (n + 1, s)      the state before each observation, and after the last
    exog : array (n, q) or None    inputs known when y_t is forecast
    process : Process

    Examples
    --------
    >>> drawn = simulate("sgn", 200, 0)
    >>> bool(np.square(drawn.values - drawn.oracle).mean() < np.square(drawn.values).mean())
    True
    """

    values: FloatArray
    oracle: FloatArray
    states: FloatArray = field(repr=False)
    process: Process = field(repr=False)
    exog: FloatArray | None = None

    def ahead(self, origin: int, horizon: int, *, paths: int = 1000, rng: object = None) -> FloatArray:
        """Sample the true distribution of what follows the first `origin` rows.

        Parameters
        ----------
        origin : int      rows seen, 0 … n
        horizon : int     h
        paths : int       m

        Returns
        -------
        array (m, h, k)   draws of y_{origin+1} … y_{origin+h} given the past; their mean over m is
                          the h-step oracle, their quantiles the best possible intervals

        Examples
        --------
        >>> simulate("ar", 50, 0).ahead(50, 4, paths=10).shape
        (10, 4, 1)
        """
        origin = whole_number(origin, "origin", least=0, most=len(self.values))
        horizon = checked_horizon(horizon)
        paths = whole_number(paths, "paths", least=1)
        return self.process.paths(paths, horizon, rng, state=self.states[origin], t=origin)

    def oracle_ahead(
        self, origins: Sequence[int], horizon: int, *, paths: int = 1000, rng: object = None
    ) -> FloatArray:
        """Return sampled E[y_{o+1} … y_{o+h} | first o rows] for each origin o, shape (origins, h, k).

        The first step is exact, and so is every step of a linear process; otherwise the Monte Carlo error is
        below sd/√paths.
        """
        private = generator(rng)
        horizon = checked_horizon(horizon)
        paths = whole_number(paths, "paths", least=1)
        rows = [whole_number(origin, "origin", least=0, most=len(self.values)) for origin in origins]
        return np.array([self.process.mean_ahead(horizon, private, state=self.states[row], t=row, m=paths)
                         for row in rows])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named way to build a process from its parameters; `length`, `train` and `season` are for `load`."""

    name: str
    title: str
    build: Callable[..., Process]
    citation: str
    length: int = 1000
    train: int | None = None
    season: int = 1
    protocol: Callable[[int, int], Simulated] | None = None

    def split(self, rows: int) -> tuple[int, int]:
        """Return the rows for training and testing: the customary number, or 70 % of all."""
        training = rows * 7 // 10 if self.train is None or self.train >= rows else self.train
        return training, rows - training

    @property
    def equation(self) -> str:
        """The equation, from the builder's docstring."""
        lines = (self.build.__doc__ or self.title).strip().splitlines()
        return " ".join(line.strip() for line in lines[2:] if line.strip()).split(" Parameters ")[0]


RECIPES: dict[str, Recipe] = {}


def process(name: str, title: str, *, citation: str, length: int = 1000, train: int | None = None,
            season: int = 1) -> Callable[[Callable[..., Process]], Callable[..., Process]]:
    """Register the decorated builder of a `Process` under a name."""

    def register(build: Callable[..., Process]) -> Callable[..., Process]:
        RECIPES[name] = Recipe(
            name=name, title=title, build=build, citation=citation, length=length, train=train, season=season
        )
        return build

    return register


def recipes() -> dict[str, Recipe]:
    """Return every process of the folder `processes`, by name."""
    _imported()
    return dict(sorted(RECIPES.items()))


@cache
def _imported() -> None:
    """Import every file of the folder once; to list the folder anew took a seventh of a simulation."""
    from importlib import import_module
    from pkgutil import iter_modules

    from varnn.data import processes

    for module in iter_modules(processes.__path__):
        import_module(f"{processes.__name__}.{module.name}")


@guided
def simulate(name: str, n: int | None = None, rng: object = None, **parameters: Any) -> Simulated:
    """Simulate a named process together with its best possible one-step forecasts.

    Parameters
    ----------
    name : str         one of `varnn.data.names(origin="simulated")`
    n : int            observations to keep; the recipe's own length when None
    rng : seed, Generator or None (seed 0)
    **parameters       coefficients of the process, see its builder in `varnn/data/processes`

    Returns
    -------
    Simulated

    Raises
    ------
    DataNameError      for an unknown name
    ParameterError     for an unknown parameter

    Examples
    --------
    >>> drawn = simulate("tar", 200, 1)
    >>> drawn.values.shape, drawn.oracle.shape
    ((200, 1), (200, 1))
    """
    from difflib import get_close_matches
    from inspect import signature

    known = recipes()
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise DataNameError(f"no process is named {name!r}; {hint}")
    recipe = known[name]
    accepted = [] if recipe.protocol is not None else list(signature(recipe.build).parameters)
    unknown = [given for given in parameters if given not in accepted]
    if unknown:
        raise ParameterError(f"process {name!r} has no parameter {unknown[0]!r}; "
                             f"it has {', '.join(accepted) or 'none, its protocol is fixed'}")
    n = whole_number(recipe.length if n is None else n, "n", least=1)
    checked_memory(f"n={n} rows", 10.0 * n, "simulate fewer")
    if recipe.protocol is not None:
        return recipe.protocol(n, whole_number(0 if rng is None else rng, "rng", least=0))
    return recipe.build(**parameters).run(n, rng)
