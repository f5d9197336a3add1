"""The tree stands on its floors: imports point down, and `import varnn` is light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import varnn

PACKAGE = Path(varnn.__file__).parent
FLOORS = {
    "errors": 0, "dates": 0, "series": 0, "forecast": 0, "deferred": 0, "counters": 0, "writing": 0, "kept": 0,
    "frames": 0, "habits": 0, "guide": 0, "display": 0, "picture": 0,
    "recursion": 1, "shocks": 1,
    "questions": 2, "forecaster": 2, "estimate": 2, "data": 2,
    "models": 3, "sequence": 3,
    "inference": 4, "evaluate": 4, "persist": 4,
    "comparison": 5, "report": 5, "harness": 5, "testing": 6,
    "adapters": 6, "cli": 6, "__main__": 6,
}
# `Fitted` offers statsmodels' names (irf, fevd, test_causality …) as one-line delegates, imported when called.
DELEGATES = {("questions", "inference"), ("questions", "models"), ("forecaster", "inference"), ("models", "inference"),
             ("forecaster", "persist"), ("models", "persist"), ("sequence", "persist")}
HEAVY = ("torch", "statsmodels", "numba", "matplotlib", "scipy.stats", "pydantic", "jinja2", "rich", "typer")


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Yield (module, line, inside a function) of each import that runs; those for type checking do not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += [(child, inside) for child in node.orelse]
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((f"{node.module}.{alias.name}", node.lineno, inside) for alias in node.names)
        deeper = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        waiting += [(child, deeper) for child in ast.iter_child_nodes(node)]


def place(path: Path) -> str:
    """Return the part of the tree (first name below varnn) a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_point_down(path):
    own = place(path)
    assert own in FLOORS, f"{own} has no floor; name one in this test and in the design"
    for module, line, inside in imports(path):
        if not module.startswith("varnn."):
            continue
        target = module.split(".")[1]
        if target == "__version__" or target == own or (inside and (own, target) in DELEGATES):
            continue
        assert FLOORS[target] <= FLOORS[own], f"{path.name}:{line} imports {module}, which is on a floor above"


@pytest.mark.parametrize("path", [path for path in FILES if place(path) in ("inference", "evaluate", "persist")],
                         ids=lambda path: path.name)
def test_inference_and_evaluate_know_neither_models_nor_each_other(path):
    others = {"inference": "evaluate", "evaluate": "inference"}
    for module, line, _ in imports(path):
        assert not module.startswith("varnn.models"), f"{path.name}:{line} imports {module}"
        assert not module.startswith(f"varnn.{others.get(place(path), 'models')}"), f"{path.name}:{line} {module}"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("models/rung*.py")), ids=lambda path: path.name)
def test_a_rung_imports_rungs_below_it_or_a_plainer_one_of_its_own_number(path):
    own = int(path.name[4])
    for module, line, _ in imports(path):
        if module.startswith("varnn.models."):
            other = module.split(".")[2]
            assert other.startswith("rung"), f"{path.name}:{line} imports {other}"
            assert int(other[4]) <= own, f"{path.name}:{line} imports {other}, which is above"
            back = [name for name, _, _ in imports(path.with_name(f"{other}.py"))]
            assert not any(name.startswith(f"varnn.models.{path.stem}.") for name in back), "in a circle"


@pytest.mark.parametrize("path", [path for path in FILES if place(path) != "adapters"],
                         ids=[name for name in NAMES if not name.startswith("adapters")])
def test_torch_and_statsmodels_are_imported_only_where_used(path):
    for module, line, inside in imports(path):
        guest = module.split(".")[0]
        if guest in ("torch", "statsmodels", "dask", "distributed", "pooch") or (
                guest == "matplotlib" and place(path) != "report"):
            assert inside, f"{path.name}:{line} imports {module} when it is imported itself"


def run(code: str) -> str:
    """Run a line of Python in a fresh interpreter and return what it printed."""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    return answer.stdout.strip()


def test_import_varnn_loads_nothing_heavy():
    loaded = run("import sys, varnn; print(' '.join(sys.modules))").split()
    assert not set(HEAVY) & set(loaded)


def test_import_varnn_takes_less_than_six_tenths_of_a_second():
    code = "import time; start = time.perf_counter(); import varnn; print(time.perf_counter() - start)"
    assert min(float(run(code)) for _ in range(3)) < 0.6


def test_a_floor_model_is_fitted_without_torch_and_statsmodels():
    loaded = run("import sys, varnn; varnn.Naive().fit([1.0, 2.0, 4.0]).forecast(2); print(' '.join(sys.modules))")
    assert not {"torch", "statsmodels", "matplotlib"} & set(loaded.split())


def test_every_public_name_exists():
    assert sorted(varnn.__all__) == dir(varnn)
    for name in varnn.__all__:
        assert getattr(varnn, name) is not None
