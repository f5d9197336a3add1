"""Options of models as a command line writes them: `--lags 2 --option TanhRNN.starts=4`.

Turns them into specifications; which options a model has is read from its class, never listed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Any

from varnn.errors import DataNameError, ParameterError
from varnn.forecaster import Forecaster
from varnn.models import by_name, catalogue

WORDS = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Settings:
    """Options by name for every model that has them, and by model and name for one."""

    of_all: dict[str, Any]
    of_one: dict[tuple[str, str], Any]

    def __bool__(self) -> bool:
        return bool(self.of_all or self.of_one)


def value_of(text: str) -> Any:
    """Return what an option's text means: a number, a word such as none or true, or the text.

    Examples
    --------
    >>> [value_of(text) for text in ("2", "0.5", "none", "true", "aic")]
    [2, 0.5, None, True, 'aic']
    """
    text = text.strip()
    if text.casefold() in WORDS:
        return WORDS[text.casefold()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def settings(lags: str | None = None, width: int | None = None, trend: str | None = None,
             options: Sequence[str] | None = None) -> Settings:
    """Return what was asked of the models.

    Raises
    ------
    ParameterError
        For text that is no NAME=VALUE, or an option that is given twice.
    """
    of_all: dict[str, Any] = {}
    of_one: dict[tuple[str, str], Any] = {}
    if lags is not None:
        of_all["lags"] = value_of(lags)
    if width is not None:
        of_all["width"] = width
    if trend is not None:
        of_all["trend"] = trend
    for text in options or ():
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name or not value:
            raise ParameterError(f"--option {text}: write NAME=VALUE or MODEL.NAME=VALUE, for example starts=4 or "
                                 "TanhRNN.starts=4")
        model, dot, inner = name.rpartition(".")
        if (inner in of_all and not dot) or (model.casefold(), inner) in of_one:
            raise ParameterError(f"--option {text}: {name} is given twice; give it once")
        if dot:
            of_one[model.casefold(), inner] = value_of(value)
        else:
            of_all[inner] = value_of(value)
    return Settings(of_all, of_one)


def specifications(names: Sequence[str] | None, asked: Settings, season: int | None, *,
                   always: bool = False) -> Any:
    """Return the models of these names with what was asked of them, by label.

    Names alone go on as they are where nothing was asked of them, unless `always`.

    Raises
    ------
    DataNameError
        For a model that there is not, with the nearest.
    ParameterError
        For an option that none of the models has, with the nearest.
    """
    from varnn.comparison.compare import DEFAULT_MODELS

    known = {one.casefold(): one for one in catalogue()}
    given = None if names is None else [known.get(name.casefold(), name) for name in names]
    if not asked and not always:
        return given
    if given is None:
        given = [name for name in DEFAULT_MODELS if name != "SeasonalNaive" or season not in (None, 1)]
    twice = [name for name in given if given.count(name) > 1]
    if twice:
        raise DataNameError(f"--models names {twice[0]} twice; name it once")
    kinds = {name: by_name(name) for name in given}
    _all_known(kinds, asked)
    made: dict[str, Forecaster] = {}
    for name, kind in kinds.items():
        held = {field.name for field in fields(kind)}
        options = {option: value for option, value in asked.of_all.items() if option in held}
        options |= {option: value for (model, option), value in asked.of_one.items() if model == name.casefold()}
        if name == "SeasonalNaive":
            options.setdefault("season", season)
        made[name] = kind(**options)
    return made


def _all_known(kinds: dict[str, type[Forecaster]], asked: Settings) -> None:
    """Refuse options that no model has, and models that are not among those asked for."""
    held = {name.casefold(): [field.name for field in fields(kind)] for name, kind in kinds.items()}
    every = sorted({option for options in held.values() for option in options})
    for option in asked.of_all:
        if option not in every:
            raise ParameterError(f"none of {', '.join(kinds)} has an option {option!r}{_hint(option, every)}")
    for model, option in asked.of_one:
        if model not in held:
            raise DataNameError(f"--option {model}.{option}: there is no {model!r} among the models"
                                f"{_hint(model, [name.casefold() for name in kinds])}")
        if option not in held[model]:
            raise ParameterError(f"--option {model}.{option}: that model has no option {option!r}"
                                 f"{_hint(option, held[model])}")


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known) or 'none'}"


def described() -> list[dict[str, Any]]:
    """Return every model with its rung and its options, for programs."""
    return [{"model": name, "rung": kind.rung, "exogenous": kind.takes_exog,
             "says": (kind.__doc__ or "").strip().splitlines()[0],
             "options": {field.name: None if field.default is MISSING else field.default for field in fields(kind)}}
            for name, kind in catalogue().items()]
