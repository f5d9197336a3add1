"""Transforms of each column as chains of small steps, each with its exact inverse: log+sdiff+diff, FRED's codes, log1p.

Used by the command line. Bands are inverted path by path, so that their quantiles are those of the levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from varnn.errors import InputError, ParameterError, TooShortError
from varnn.series import FloatArray

STEPS = ("log", "log1p", "percent", "diff", "sdiff", "growth")
WORDS: Mapping[str, tuple[str, ...]] = {
    "none": (), "diff2": ("diff", "diff"), "logdiff": ("log", "diff"), "logdiff2": ("log", "diff", "diff"),
    "logsdiff": ("log", "sdiff"),
    "1": (), "2": ("diff",), "3": ("diff", "diff"), "4": ("log", "percent"), "5": ("log", "percent", "diff"),
    "6": ("log", "percent", "diff", "diff"), "7": ("growth", "percent", "diff"),
}
"""Chains by name; the numbers are FRED-MD's codes, in per cent from 4 on, as `by_code` has them."""
LINEAR = {"percent", "diff", "sdiff"}


@dataclass(frozen=True)
class Steps:
    """What is done to each column before a model sees it, and how forecasts are brought back.

    Attributes
    ----------
    chains : tuple of tuple of str
        The steps of each column: log x, log1p ln(1 + x), percent 100 x, diff x_t − x_{t−1}, sdiff x_t − x_{t−s},
        growth x_t/x_{t−1} − 1.
    season : int
        Rows s in a season.
    """

    chains: tuple[tuple[str, ...], ...]
    season: int = 1

    @property
    def lost(self) -> int:
        """First rows that drop out of all columns, so that these stay side by side."""
        return max((sum(self._reach(step) for step in chain) for chain in self.chains), default=0)

    @property
    def linear(self) -> bool:
        """Whether means of forecasts are brought back like paths; elsewhere they are the means of the paths."""
        return all(step in LINEAR for chain in self.chains for step in chain)

    def apply(self, levels: pd.DataFrame) -> pd.DataFrame:
        """Return the transformed columns, without the rows that are lost.

        Raises
        ------
        InputError
            For a logarithm that does not exist, naming column and date.
        TooShortError
            When no row would be left.

        Examples
        --------
        >>> table = pd.DataFrame({"a": [1.0, 2.0, 4.0, 8.0], "b": [1.0, 4.0, 9.0, 16.0]})
        >>> steps_of("a=logdiff,b=diff2", table.columns).apply(table).round(3)["b"].tolist()
        [2.0, 2.0]
        """
        if len(levels) <= self.lost:
            raise TooShortError(f"the transform needs more than {self.lost} rows, got {len(levels)}")
        done = {}
        for (name, column), chain in zip(levels.items(), self.chains, strict=True):
            values = column.to_numpy(dtype=np.float64)
            for at, step in enumerate(chain):
                self._check(values, step, str(name), levels.index[len(levels) - len(values):], "+".join(chain[:at]))
                values = self._forward(values, step)
            done[name] = values[len(values) - (len(levels) - self.lost):]
        return pd.DataFrame(done, index=levels.index[self.lost:])

    def undo(self, changes: FloatArray, past: FloatArray) -> FloatArray:
        """Return paths (m, h, k) in levels, from paths of the transformed columns and the levels before them (T, k).

        Levels from log1p are kept from falling below 0.
        """
        columns = [self._inverted(changes[..., at], past[:, at], chain) for at, chain in enumerate(self.chains)]
        return np.stack(columns, axis=-1)

    def _inverted(self, paths: FloatArray, past: FloatArray, chain: Sequence[str]) -> FloatArray:
        before = []
        for step in chain:
            before.append(past)
            past = self._forward(past, step)
        for step, held in zip(reversed(chain), reversed(before), strict=True):
            paths = self._backward(paths, held, step)
        return np.maximum(paths, 0.0) if "log1p" in chain else paths

    def _reach(self, step: str) -> int:
        return {"diff": 1, "growth": 1, "sdiff": self.season}.get(step, 0)

    def _forward(self, values: FloatArray, step: str) -> FloatArray:
        if step == "log":
            return np.asarray(np.log(values))
        if step == "log1p":
            return np.asarray(np.log1p(values))
        if step == "percent":
            return 100 * values
        lag = self._reach(step)
        if step == "growth":
            return values[lag:] / values[:-lag] - 1
        return values[lag:] - values[:-lag]

    def _backward(self, paths: FloatArray, held: FloatArray, step: str) -> FloatArray:
        """Undo one step on paths (…, h); `held` are the values before it, up to the last one observed."""
        if step == "log":
            return np.asarray(np.exp(paths))
        if step == "log1p":
            return np.asarray(np.expm1(paths))
        if step == "percent":
            return paths / 100
        if step == "growth":
            return np.asarray(held[-1] * np.cumprod(1 + paths, axis=-1))
        lag = self._reach(step)
        whole = np.concatenate([np.broadcast_to(held[-lag:], (*paths.shape[:-1], lag)), paths], axis=-1)
        for at in range(lag, whole.shape[-1]):
            whole[..., at] += whole[..., at - lag]
        return np.asarray(whole[..., lag:])

    def _check(self, values: FloatArray, step: str, name: str, index: pd.Index, so_far: str) -> None:
        """Raise InputError where the step has no value."""
        least, words = {"log": (0.0, "logarithm"), "log1p": (-0.0, "log1p of a count"),
                        "growth": (0.0, "growth rate")}.get(step, (None, ""))
        if least is None:
            return
        bad = values < 0 if step == "log1p" else values <= 0
        if bad.any():
            row = int(np.argmax(bad))
            after = f" after {so_far}" if so_far else ""
            raise InputError(f"column {name!r} is {values[row]:g} at {index[row]}{after}, which has no {words} "
                             f"({int(bad.sum())} such values); give {name} another transform, for example "
                             f"{name}=diff or {name}=none")


def steps_of(how: str, columns: Sequence[object], *, season: int = 1, nonnegative: bool = False) -> Steps:
    """Return the steps that `how` asks for: one word for all columns, or `gdp=logdiff,rate=none`.

    Parameters
    ----------
    how : str
        Words of `WORDS`, steps of `STEPS` joined by +, FRED codes (5 or code5); columns that are not named stay.
    columns : list of str
    season : int
        Rows in a season, for sdiff.
    nonnegative : bool
        Let ln(1 + x) come first in every column that is not transformed, so that no forecast falls below 0.

    Raises
    ------
    InputError
        For a column that there is not, with the nearest; for one that is named twice.
    ParameterError
        For a word that there is not, with the nearest; for sdiff without a season.
    """
    names = [str(name) for name in columns]
    asked: dict[str, tuple[str, ...]] = {}
    if "=" not in how:
        asked = dict.fromkeys(names, _chain(how, season))
    else:
        for part in how.split(","):
            name, sign, word = (text.strip() for text in part.rpartition("="))
            if not sign or not name:
                raise ParameterError(f"--transform {how}: {part.strip()!r} names no column; write "
                                     "gdp=logdiff,rate=none, or one word for all columns")
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
                raise InputError(f"--transform: no series is called {name!r}; {hint}")
            if name in asked:
                raise InputError(f"--transform names {name!r} twice; name it once")
            asked[name] = _chain(word, season)
    chains = tuple(asked.get(name, ()) for name in names)
    if nonnegative:
        crossed = [name for name, chain in zip(names, chains, strict=True)
                   if chain and chain[0] not in ("log", "log1p")]
        if crossed:
            raise ParameterError(f"--nonnegative cannot hold for {crossed[0]!r}, whose transform "
                                 f"{'+'.join(asked[crossed[0]])} can lead below 0; let it begin with log or log1p, or "
                                 "leave it out")
        chains = tuple(chain or ("log1p",) for chain in chains)
    return Steps(chains, season)


def _chain(word: str, season: int) -> tuple[str, ...]:
    """Return the steps of one word."""
    steps: list[str] = []
    for one in word.split("+"):
        plain = one.strip().casefold().removeprefix("code")
        if plain not in WORDS and plain not in STEPS:
            known = [*WORDS, *STEPS]
            near = get_close_matches(plain, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(dict.fromkeys(known))}"
            raise ParameterError(f"transform {word!r} is not known; {hint}")
        steps += WORDS.get(plain, (plain,))
    if "sdiff" in steps and season < 2:
        raise ParameterError(f"transform {word!r} needs a season, and the dates tell none; give it with --season, for "
                             "example --season 12")
    return tuple(steps)
