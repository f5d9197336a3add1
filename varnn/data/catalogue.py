"""Every data set by name: a file of the folder `sets`, or a simulated process.

A .py file has `ABOUT` and `load()`; a .toml file has an address, checksums and reading notes;
a process is a decorated builder in the folder `processes`. Adding a data set is adding one file, or, in a package of
your own, the entry point ``varnn.data`` of a module with `ABOUT` and `load()`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pandas as pd

from varnn.data.dataset import About, Dataset, Origin
from varnn.data.process import recipes, simulate
from varnn.data.read.parse import Reading, parse
from varnn.data.store import Source, contents, whereabouts
from varnn.data.store import fetch as fetch_file
from varnn.errors import DataNameError, ParameterError
from varnn.guide import guided

GROUP = "varnn.data"
SETS = Path(__file__).parent / "sets"


@dataclass(frozen=True)
class Remote:
    """A data set that a .toml file describes."""

    about: About
    files: Mapping[str, Source]
    reading: Reading


def names(*, origin: Origin | None = None) -> tuple[str, ...]:
    """Return the names of all data sets, or of those with one origin.

    Examples
    --------
    >>> "macrodata" in names(origin="bundled")
    True
    """
    return tuple(name for name, kind in sorted(_origins().items()) if origin in (None, kind))


@guided
def about(name: str) -> About:
    """Return what is known of a data set without loading it."""
    name = _resolved(name)
    origin = _origins()[name]
    if origin == "remote":
        return _remote(name).about
    if origin == "bundled":
        words: About = _home(name).ABOUT
        return words
    return _about_process(name)


@guided
def load(name: str, **options: Any) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str        see `names()` and `catalogue()`; case and hyphens do not matter
    **options
        remote sets: columns=[…] to choose some, raw=True for the file's own numbers,
        download=False to stay off the network;
        simulated sets: n, seed, and the parameters of the process; bundled sets: none.

    Returns
    -------
    Dataset

    Raises
    ------
    DataNameError     for an unknown name, with the nearest known one
    ParameterError    for an unknown option
    StoreError        when a remote set has no copy here and cannot be downloaded
    ChecksumError     when its bytes are not the recorded ones

    Examples
    --------
    >>> load("threshold_var", n=100, seed=1).oracle.shape
    (100, 2)
    """
    name = _resolved(name)
    origin = _origins()[name]
    if origin == "simulated":
        return _load_process(name, **options)
    if origin == "remote":
        return _load_remote(name, **options)
    if options:
        raise ParameterError(f"data set {name!r} takes no options, got {', '.join(options)}")
    loaded: Dataset = _home(name).load()
    return loaded


@guided
def fetch(name: str) -> tuple[Path, ...]:
    """Make sure verified copies of a remote set's files are on this machine, and return their paths.

    Examples
    --------
    >>> fetch("macrodata")                                         # comes with statsmodels: nothing to fetch
    ()
    """
    name = _resolved(name)
    if _origins()[name] != "remote":
        return ()
    return tuple(fetch_file(source) for source in _remote(name).files.values())


def catalogue() -> pd.DataFrame:
    """Return one row a data set: origin, where it is now, size, frequency, season, licence, title.

    Examples
    --------
    >>> catalogue().loc["elnino", "season"]
    np.int64(12)
    """
    rows = []
    for name in names():
        words = about(name)
        found = {"bundled": "installed", "simulated": "computed"}.get(words.origin)
        if found is None:
            places = {whereabouts(source) for source in _remote(name).files.values()}
            found = next(place for place in ("mirror only", "address", "cache", "mirror") if place in places)
        rows.append((name, words.origin, found, *words.shape, words.frequency, words.season, words.licence,
                     words.title))
    table = pd.DataFrame(rows, columns=["name", "origin", "found", "rows", "columns", "frequency", "season",
                                        "licence", "title"])
    return table.set_index("name")


@lru_cache(maxsize=1)
def _origins() -> dict[str, Origin]:
    known: dict[str, Origin] = dict.fromkeys(recipes(), "simulated")
    for path in SETS.iterdir():
        if path.name.startswith("_"):
            continue
        kind: Origin | None = {".py": "bundled", ".toml": "remote"}.get(path.suffix)  # type: ignore[assignment]
        if kind is None:
            continue
        if path.stem in known:
            raise ParameterError(f"two data sets are named {path.stem!r}; rename {path.name}")
        known[path.stem] = kind
    for name in _offered():
        if name in known:
            raise ParameterError(f"a package offers a data set named {name!r}, as one of varnn is called; rename it")
        known[name] = "bundled"
    return known


@lru_cache(maxsize=1)
def _offered() -> dict[str, EntryPoint]:
    """Return the data sets of other packages: each a module, or another object, with ABOUT and load()."""
    return {point.name.casefold().replace("-", "_"): point for point in entry_points(group=GROUP)}


def _home(name: str) -> Any:
    """Return what has ABOUT and load() of a bundled set."""
    offered = _offered().get(name)
    return import_module(f"varnn.data.sets.{name}") if offered is None else offered.load()


def _resolved(name: object) -> str:
    known = _origins()
    plain = str(name).casefold().replace("-", "_")
    if isinstance(name, str) and plain in known:
        return plain
    near = get_close_matches(plain, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "see `varnn data list`"
    raise DataNameError(f"no data set is named {name!r}; {hint}")


@lru_cache(maxsize=128)
def _remote(name: str) -> Remote:
    return described_by(SETS / f"{name}.toml")


def described_by(path: Path) -> Remote:
    """Read and check a .toml file that describes a data set."""
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    reading = Reading.of(written.pop("read", {}), path.name)
    files = {part: _source(entry, path.name) for part, entry in written.pop("file", {}).items()}
    if "main" not in files:
        raise ParameterError(f"{path.name} has no [file.main]")
    known = {item.name for item in fields(About)} - {"name", "origin", "source"}
    unknown = sorted(set(written) - known)
    if unknown:
        raise ParameterError(f"{path.name} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for key in ("shape", "split"):
        written[key] = tuple(written.get(key, ()))
    words = About(name=path.stem, origin="remote", source=files["main"].address, **written)
    return Remote(words, files, reading)


def _source(entry: Mapping[str, str], where: str) -> Source:
    needed = {item.name for item in fields(Source)} - {"converted"}
    if not needed <= set(entry) <= needed | {"converted"}:
        raise ParameterError(f"{where}: a [file.*] table has the keys {', '.join(sorted(needed))} and may have "
                             f"converted; got {', '.join(sorted(entry))}")
    return Source(**entry)


def _load_remote(name: str, *, columns: Sequence[str] | None = None, raw: bool = False, download: bool = True,
                 **unknown: Any) -> Dataset:
    if unknown:
        raise ParameterError(f"data set {name!r} takes columns, raw and download, not {next(iter(unknown))!r}")
    remote = _remote(name)
    files = {part: contents(source, download=download) for part, source in remote.files.items()}
    parsed = parse(files, remote.reading, columns=columns, raw=raw)
    words = replace(remote.about, transform="none: the file's own numbers", split=()) if raw else remote.about
    return words.with_data(parsed.frame, holdout=parsed.holdout)


def _about_process(name: str) -> About:
    recipe = recipes()[name]
    built = recipe.build()
    return About(
        name=name, title=recipe.title, origin="simulated", season=recipe.season, frequency="steps",
        shape=(recipe.length, len(built.columns)), licence="computed by varnn (BSD-3)", citation=recipe.citation,
        source=f"varnn.data.simulate({name!r})", notes=recipe.equation,
        split=recipe.split(recipe.length),
    )


def _load_process(name: str, *, n: int | None = None, seed: int = 0, **parameters: Any) -> Dataset:
    words = _about_process(name)
    drawn = simulate(name, n, seed, **parameters)
    rows = len(drawn.values)
    index = pd.RangeIndex(rows, name="step")
    columns = list(drawn.process.columns)
    settings = ", ".join([f"n={rows}", f"seed={seed}", *(f"{key}={value!r}" for key, value in parameters.items())])
    words = replace(words, source=f"varnn.data.simulate({name!r}, {settings})",
                    split=recipes()[name].split(rows))
    exog = None
    if drawn.exog is not None:
        exog = pd.DataFrame(drawn.exog, index=index, columns=list(drawn.process.exog_columns))
    return words.with_data(
        pd.DataFrame(drawn.values.copy(), index=index, columns=columns), exog=exog,
        oracle=pd.DataFrame(drawn.oracle.copy(), index=index, columns=columns), simulated=drawn,
    )
