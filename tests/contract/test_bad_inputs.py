"""Bad input is refused by an error of ours that says where, or gets a right answer; never a silent number."""

from __future__ import annotations

import traceback
import warnings
from functools import cache
from pathlib import Path

import pytest

import varnn
from tests.contract.bad_inputs import CASES, Bench, Case
from tests.contract.specimens import fitted, fitted_with_inputs, specimens
from varnn.errors import VarnnError

NAMES = list(specimens())
HOME = Path(varnn.__file__).parent
SECOND = 1.0


@cache
def bench(name: str) -> Bench:
    spec = specimens()[name]
    return Bench(spec, fitted(name), fitted_with_inputs(name) if spec.takes_exog else None)


def outcome(case: Case, name: str) -> str:
    """Return what becomes of a case, in words; AssertionError if it is neither refused clearly nor right."""
    on = bench(name)
    if case.needs_inputs and on.fit_with_inputs is None:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", varnn.errors.VarnnWarning)
        try:
            answer = case.act(on)
        except VarnnError as problem:
            return _refusal(case, problem)
    assert case.right is not None, f"{case.what}: answered {answer!r} without a word"
    assert case.right(on, answer), f"{case.what}: a wrong answer\n{answer}"
    return "right answer"


def _refusal(case: Case, problem: VarnnError) -> str:
    where = Path(traceback.extract_tb(problem.__traceback__)[-1].filename)
    assert where.is_relative_to(HOME), f"{case.what}: the error comes from {where}"
    message = str(problem)
    says = case.says if not case.topic.startswith("X in fit") else (*case.says, "takes no exogenous")
    assert any(word in message for word in says), f"{case.what}: none of {says} is in {message!r}"
    assert len(message) > 25, message
    assert "\n" not in message, message
    return type(problem).__name__


def test_there_are_more_than_sixty_cases_and_none_twice():
    assert len(CASES) > 60
    assert len({(case.topic, case.what) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES, ids=[f"{case.topic}: {case.what}" for case in CASES])
def test_bad_input_is_refused_clearly_or_answered_rightly(case, name):
    held = bench(name).fit.seen.values.copy()
    outcome(case, name)
    assert (bench(name).fit.seen.values == held).all()
