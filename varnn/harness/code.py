"""Which code a number comes from: every distribution that can change it, with a digest of its files.

Called by `jobs`, whose keys change when this does, and by `run`, which keeps the record beside a board. Packages with
models are read file by file, wherever they are installed from; of the large numerical libraries, what their installer
recorded and every file that was touched since.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import varnn
from varnn.errors import ChecksumError, StoreError
from varnn.forecaster import Forecaster
from varnn.writing import write_whole

DIGEST = 16  # hexadecimal digits of a distribution's digest
ALWAYS = ("numpy", "scipy", "pandas", "statsmodels", "numba", "llvmlite")  # every number passes through some of them
TORCH = ("torch", ("varnn.models.rung4_gated",))  # and the models of varnn whose numbers it makes
SHOWN_ONLY = ("varnn/report/", "varnn/cli/", "varnn/__main__.py")  # make no number
SKIPPED = {"__pycache__", "build", "dist", "node_modules", "site-packages"}
MODELS = "varnn.models"


@dataclass(frozen=True, order=True)
class Piece:
    """A distribution, or a module that belongs to none.

    Attributes
    ----------
    name, version : str
        The version is "-" where there is none.
    digest : str
        Of its files.
    """

    name: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.digest}"


def code_of(model: Forecaster) -> tuple[Piece, ...]:
    """Return all code that can change a number of this model, the models inside it included.

    That is varnn, Python, the numerical libraries, and for a model of another package: that package, every module
    that its source imports, and everything these require.
    """
    modules = sorted({cls.__module__ for cls in _classes(model)})
    found = {_own(), _python(), *(_library(name) for name in ALWAYS)}
    if any(module in TORCH[1] for module in modules):
        found.add(_library(TORCH[0]))
    foreign = frozenset(module for module in modules if _top(module) not in ("varnn", *ALWAYS))
    return tuple(sorted(found | _foreign(foreign)))


def all_code(models: Iterable[Forecaster]) -> tuple[Piece, ...]:
    """Return the code of several models together."""
    return tuple(sorted({piece for model in models for piece in code_of(model)}))


def write_record(path: Path, pieces: Iterable[Piece]) -> None:
    """Write one line a distribution, name, version and digest, and a checksum of these lines."""
    text = "".join(f"{piece}\n" for piece in sorted(pieces))
    write_whole(path, f"{text}checksum - {_sum(text)}\n")


def read_record(path: Path) -> tuple[Piece, ...]:
    """Return what `write_record` wrote; nothing where there is no such file.

    A record of one line, varnn's version and digest joined by "+", is one of an earlier version and is read too.

    Raises
    ------
    ChecksumError
        If the lines are not those that were written.
    StoreError
        If the file cannot be read or is no such record.
    """
    if not path.exists():
        return ()
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as problem:
        raise StoreError(f"{path} cannot be read ({getattr(problem, 'strerror', None) or problem}); restore it, or "
                         "delete it and write the report again") from None
    if old := re.fullmatch(r"(\d[\w.]*)\+(\w+)\n?", text):
        return (Piece("varnn", old[1], old[2]),)
    lines = [line.split() for line in text.splitlines()]
    if not lines or any(len(line) != 3 for line in lines) or lines[-1][:2] != ["checksum", "-"]:
        raise StoreError(f"{path} is no record of code, three words a line and a checksum; restore it, or delete it "
                         "and write the report again")
    if lines[-1][2] != _sum(text[:text.rindex("checksum - ")]):
        raise ChecksumError(f"{path} is not as it was written: its checksum differs; restore it, or delete it and "
                            "write the report again")
    return tuple(Piece(*line) for line in lines[:-1])


def differences(then: Iterable[Piece], now: Iterable[Piece]) -> list[str]:
    """Say which distributions differ between two records, one sentence each.

    Examples
    --------
    >>> differences([Piece("a", "1.0", "77"), Piece("b", "2.0", "88")], [Piece("a", "1.0", "78")])
    ['a 1.0 has other files', 'b 2.0 was used, and is not now']
    """
    before, after = ({piece.name: piece for piece in pieces} for pieces in (then, now))
    said = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            only = old or new
            said.append(f"{name} {only.version if only else ''} "
                        f"{'was used, and is not now' if new is None else 'is used, and was not recorded'}")
        elif old.version != new.version:
            said.append(f"{name} was {old.version}, is {new.version}")
        elif old.digest != new.digest:
            said.append(f"{name} {new.version} has other files")
    return said


# ------------------------------------------------------------------------------------------ whose code a model is


def _classes(value: object) -> Iterator[type]:
    """Yield every class a model is made of: its own, their parents, and those of its settings, nested ones too."""
    if isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _classes(one)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from (*_classes(key), *_classes(one))
    elif is_dataclass(value) and not isinstance(value, type):
        yield from type(value).__mro__
        for field in fields(value):
            yield from _classes(getattr(value, field.name))
    elif isinstance(value, type) or callable(value):  # a function or class handed in as a setting
        if isinstance(getattr(value, "__module__", None), str):
            yield value if isinstance(value, type) else type("function", (), {"__module__": value.__module__})
    else:
        yield from type(value).__mro__


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _foreign(modules: frozenset[str]) -> frozenset[Piece]:
    """Return the code behind modules outside varnn: follow what they import until it is a library or Python's own."""
    found, seen = set[Piece](), set[str]()
    waiting = [module for module in sorted(modules) if not _of_python(module)]
    while waiting:
        top = _top(module := waiting.pop())
        if top in seen or top == "varnn" or _of_python(top):
            continue
        seen.add(top)
        owner = _owner(top)
        offered = module in modules or (owner is not None and _offers_models(owner))
        if owner is not None and not offered:  # a library: itself, and what it requires
            found.add(_library(owner))
            waiting += [name for name in _required(owner) if _owner(name) is not None]
            continue
        roots = _roots(top)
        if owner is not None:
            tops = _tops(owner)
            seen.update(tops)
            roots = [root for name in {top, *tops} for root in _roots(name)]
            waiting += [name for name in _required(owner) if _owner(name) is not None]
        files = [file for root in roots for file in _files(root)]
        version = distribution(owner).version if owner is not None else "-"
        found.add(Piece(owner or top, version, _digest_of(files)))
        waiting += sorted({name for _, file in files if file.suffix == ".py" for name in _imports(file)})
    return frozenset(found)


def _of_python(module: str) -> bool:
    top = _top(module)
    if top == "__main__":
        return getattr(sys.modules["__main__"], "__file__", None) is None
    return top in sys.stdlib_module_names


@cache
def _owner(top: str) -> str | None:
    """Return the distribution that a module, or a distribution of that name, belongs to."""
    owners = _owners().get(top)
    if owners:
        return owners[0]
    for point in entry_points(group=MODELS):
        if _top(point.module) == top and point.dist is not None:
            return point.dist.name
    try:
        return distribution(top).name
    except (PackageNotFoundError, ValueError):
        return None


@cache
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _offers_models(owner: str) -> bool:
    return any(point.dist is not None and point.dist.name == owner for point in entry_points(group=MODELS))


def _tops(owner: str) -> set[str]:
    """Return the modules and packages at the top of a distribution, where its records name them."""
    found = distribution(owner)
    named = (found.read_text("top_level.txt") or "").split()
    named += [_top(point.module) for point in found.entry_points if point.group == MODELS]
    named += [file.parts[0].removesuffix(".py") for file in found.files or ()
              if file.suffix == ".py" and not file.parts[0].startswith(("_", ".", "__"))]
    return {name for name in named if name.isidentifier()}


def _required(owner: str) -> list[str]:
    """Return the distributions that one requires, without those of its extras."""
    lines = [line for line in distribution(owner).requires or () if "extra ==" not in line]
    return [found[0] for line in lines if (found := re.match(r"[\w.-]+", line)) and found[0] != "varnn"]


def _roots(top: str) -> list[Path]:
    """Return the file of a module, or the folders of a package."""
    module = sys.modules.get(top)
    try:
        spec = getattr(module, "__spec__", None) or find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.submodule_search_locations:
        return [Path(folder) for folder in spec.submodule_search_locations]
    file = getattr(module, "__file__", None) or (spec.origin if spec is not None else None)
    return [Path(file)] if file is not None and Path(file).is_file() else []


def _imports(file: Path) -> set[str]:
    """Return the top names of all absolute imports of a source file, those inside functions too."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return set()
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {_top(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(_top(node.module))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                found.add(_top(node.args[0].value))
    return {name for name in found if name and _roots(name)}


# ------------------------------------------------------------------------------------------ digests


@cache
def _own() -> Piece:
    folder = Path(varnn.__file__).parent
    files = [(name, file) for name, file in _files(folder) if file.suffix == ".py"
             and not name.startswith(SHOWN_ONLY)]
    return Piece("varnn", varnn.__version__, _digest_of(files))


@cache
def _python() -> Piece:
    """Return the interpreter, whose mathematics its version names."""
    built = sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag or "-"
    return Piece("python", sys.version.split()[0], built)


@cache
def _library(name: str) -> Piece:
    """Return a library from what its installer recorded, and from the contents of every file touched since then."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return Piece(name, "-", "absent")
    record = found.read_text("RECORD")
    if record is None or ("direct_url.json" in record and '"editable"' in (found.read_text("direct_url.json") or "")):
        files = [file for top in _tops(found.name) | {name} for root in _roots(top) for file in _files(root)]
        return Piece(found.name, found.version, _digest_of(files))
    return Piece(found.name, found.version, _digest_of_record(found, record))


def _digest_of_record(found: Distribution, record: str) -> str:
    installed = Path(str(found.locate_file("")))
    written = max((path.stat().st_mtime for path in installed.glob(f"{_folder_of(record)}/RECORD")), default=0.0)
    digest = hashlib.sha256()
    for line in sorted(csv.reader(record.splitlines())):
        name, recorded = line[0], line[1] if len(line) > 1 else ""
        if name.endswith(".pyc") or name.startswith("..") or ".dist-info/" in name or not recorded:
            continue
        digest.update(f"{name} {recorded}\n".encode())
        try:
            touched = (installed / name).stat().st_mtime > written + 1
        except OSError:
            digest.update(b"absent\n")
            continue
        if touched and not _as_recorded(content := (installed / name).read_bytes(), recorded):
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:DIGEST]


def _as_recorded(content: bytes, recorded: str) -> bool:
    from base64 import urlsafe_b64encode

    kind, _, value = recorded.partition("=")
    made = hashlib.new(kind, content).digest() if kind in hashlib.algorithms_guaranteed else b""
    return urlsafe_b64encode(made).rstrip(b"=").decode() == value


def _folder_of(record: str) -> str:
    return next((part[0] for line in record.splitlines() if ".dist-info/" in line
                 if (part := line.split("/"))), "*.dist-info")


def _files(root: Path) -> list[tuple[str, Path]]:
    """Return name and path of each file that belongs to a module or package; no caches, links out or hidden ones."""
    if root.is_file():
        return [(root.name, root)]
    return [(f"{root.name}/{path.relative_to(root).as_posix()}", path) for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix not in (".pyc", ".pyo", ".nbi", ".nbc") and not any(
                part.startswith(".") or part in SKIPPED for part in path.relative_to(root).parts)]


def _digest_of(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:DIGEST]


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
