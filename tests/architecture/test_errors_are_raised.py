"""Every warning class is given somewhere, and every error is also one of Python's own."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import varnn
from varnn import errors

PACKAGE = Path(varnn.__file__).parent
CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]
WARNINGS = [one for one in CLASSES if issubclass(one, errors.VarnnWarning) and one is not errors.VarnnWarning]
ERRORS = [one for one in CLASSES if issubclass(one, errors.VarnnError) and one is not errors.VarnnError]


def given() -> set[str]:
    """Return every name that is an argument of a call of `warn`, anywhere in the package."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn":
                found |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
    return found


def test_every_warning_class_is_given_somewhere():
    assert {one.__name__ for one in WARNINGS} - given() == set()


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: one.__name__)
def test_every_error_is_a_built_in_error_besides_ours(error):
    assert issubclass(error, (ValueError, TypeError, RuntimeError, OSError, ImportError))
