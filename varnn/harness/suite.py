"""A suite: which data × models × windows × seeds make a benchmark, read from a small TOML file.

Called by `run`; knows names only and loads nothing.
"""

from __future__ import annotations

import difflib
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic

from varnn.errors import DataNameError, InputError, StoreError
from varnn.forecaster import Forecaster
from varnn.models import by_name

GROUP = "varnn.suites"
HERE = Path(__file__).parent / "suites"                        # in an installed package
SOURCE = Path(__file__).parents[2] / "benchmarks" / "suites"   # beside it, in a checkout

Whole = Annotated[int, pydantic.Field(ge=1, strict=True)]


def suites(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of all suites by name: those of a folder, of varnn, and of other packages.

    A package offers a folder of suites under the entry point ``varnn.suites``: an object whose `str` is the folder,
    for example a `Path`. Of two suites with one name, the first in this order counts.
    """
    homes = [] if folder is None else [folder]
    homes += [HERE, SOURCE, *(Path(str(point.load())) for point in entry_points(group=GROUP))]
    known: dict[str, Path] = {}
    for home in homes:
        for file in sorted(home.glob("*.toml")):
            known.setdefault(file.stem, file)
    return known


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DataEntry(_Strict):
    """One data set of a suite and the origins it is judged at; see `varnn.compare` for the settings.

    A data set has a name, or is a file of your own: file = "my.csv", from the folder that the suite is run in, with
    its date column and a transform where they are to be named.
    """

    name: str = ""
    file: str = ""
    date: str = ""
    transform: str = "none"
    label: str = ""
    horizon: Whole
    options: dict[str, Any] = {}
    columns: tuple[str, ...] = ()
    exog: bool = True
    past: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    missing: Literal["raise", "filter"] = "raise"
    origins: Whole | None = None
    first: Whole | None = None
    step: Whole | None = None
    gap: Annotated[int, pydantic.Field(ge=0, strict=True)] = 0
    refit: Whole | None = None
    window: Whole | None = None
    most_series: Whole | None = None

    @property
    def wanted(self) -> list[str]:
        """Columns to load, those of `past` among them; none where all are."""
        return [*self.columns, *(name for name in self.past if name not in self.columns)] if self.columns else []

    @property
    def title(self) -> str:
        """What tables call it."""
        return self.label or self.name or Path(self.file).stem

    @pydantic.model_validator(mode="after")
    def _has_data(self) -> Self:
        if bool(self.file) == bool(self.name):
            raise ValueError("give name (a data set) or file (your own), one of them")
        if self.name and (self.date or self.transform != "none"):
            raise ValueError("date and transform belong to a file")
        if self.file and self.options:
            raise ValueError("options belong to a data set with a name; a file has date, columns and transform")
        return self


class ModelEntry(_Strict):
    """A model by class name, with its settings."""

    kind: str = pydantic.Field(default="", alias="class")
    options: dict[str, Any] = {}


class Suite(_Strict):
    """A benchmark, frozen in a file.

    Attributes
    ----------
    title, question : str
        What it is and what it is to teach.
    data : tuple of DataEntry
    models : mapping of label to ModelEntry
    seeds : tuple of int
        Of simulated data and of everything random in the models; each is a run of its own.
    n_paths : int
        Sample paths for each forecast.
    p_values : {"asymptotic", "bootstrap"}
        "bootstrap" adds p-values from comparisons on `draws` series drawn from the VAR, jobs like all others.
    job_seconds : float, optional
        Time that a job may take; one that takes longer is a failure with that reason, and the others go on. It changes
        no number, and no job is done again because of it.
    """

    title: str
    question: str = ""
    data: Annotated[tuple[DataEntry, ...], pydantic.Field(min_length=1)]
    models: Annotated[dict[str, ModelEntry], pydantic.Field(min_length=1)]
    seeds: Annotated[tuple[Annotated[int, pydantic.Field(ge=0, strict=True)], ...], pydantic.Field(min_length=1)] = (0,)
    n_paths: Annotated[int, pydantic.Field(ge=20, strict=True)] = 200
    p_values: Literal["asymptotic", "bootstrap"] = "asymptotic"
    draws: Annotated[int, pydantic.Field(ge=9, strict=True)] = 99
    job_seconds: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None = None

    @staticmethod
    def find(name: str | Path, folder: Path) -> Path:
        """Return the file of a suite given by its path, or by its name in a folder of suites.

        Raises
        ------
        DataNameError
            With the nearest name, if there is neither.
        """
        if Path(name).is_file():
            return Path(name)
        known = suites(folder)
        if str(name) not in known:
            raise DataNameError(f"there is neither a file nor a suite called {str(name)!r}"
                                f"{_nearest(Path(name).stem, list(known)) if known else ''}; `varnn benchmark list` "
                                "shows them")
        return known[str(name)]

    @classmethod
    def read(cls, path: str | Path) -> Suite:
        """Read and check a suite file.

        Raises
        ------
        StoreError
            If the file cannot be read.
        InputError
            Naming the entry, what is wrong with it and, for an unknown key, the nearest one there is.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise StoreError(f"the suite {path} cannot be read: {problem}") from None
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str = "suite") -> Suite:
        """Check the text of a suite.

        Examples
        --------
        >>> Suite.parse("titel = 't'")
        Traceback (most recent call last):
        ...
        varnn.errors.InputError: suite: 'title' is missing; 'data' is missing; 'models' is missing; 'titel' is ...
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as problem:
            raise InputError(f"{name} is not TOML: {problem}") from None
        except pydantic.ValidationError as problem:
            raise InputError(f"{name}: " + "; ".join(_said(error) for error in problem.errors())) from None

    def forecasters(self) -> dict[str, Forecaster]:
        """Return the models by label, built from their settings.

        Raises
        ------
        DataNameError, InputError
            If a class or a setting does not exist.
        """
        return {label: _built(entry.kind or label, entry.options) for label, entry in self.models.items()}


def _built(kind: str, options: dict[str, Any]) -> Forecaster:
    """Build a model; a table with a `class` among the options is a model too."""
    model = by_name(kind)
    settings = {name: _setting(value) for name, value in options.items()}
    known = list(model.__dataclass_fields__)
    for name in settings:
        if name not in known:
            raise InputError(f"{kind} has no setting {name!r}{_nearest(name, known)}")
    return model(**settings)


def _setting(value: Any) -> Any:
    if isinstance(value, dict) and "class" in value:
        return _built(value["class"], {name: inner for name, inner in value.items() if name != "class"})
    return tuple(_setting(one) for one in value) if isinstance(value, list) else value


def _said(error: Any) -> str:
    where = [str(part) for part in error["loc"]]
    place = ".".join(where)
    if error["type"] == "missing":
        return f"{place!r} is missing"
    if error["type"] == "extra_forbidden":
        inner: dict[str, type[_Strict]] = {"data": DataEntry, "models": ModelEntry}
        fields = inner.get(where[0], Suite) if len(where) > 1 else Suite
        return f"{place!r} is not a setting{_nearest(where[-1], list(fields.model_fields))}"
    return f"{place!r} is {error.get('input')!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f", did you mean {close[0]!r}?" if close else ""
