"""Today's code forecasts, estimates and answers what the code on record did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.golden.cases import cases

NUMBERS = Path(__file__).parent / "numbers.json"
PORTABLE = ("point", "sigma_u", "llf", "mean", "irfs", "standard errors", "fevd", "evidence",
            "Naive", "VAR", "LinearRNN", "TanhRNN", "GRU", "Direct", "Conformal", "Ensemble", "gaps")
# Optima so flat that processors differ by more than 1e-9; the digests of one machine hold them.
FLAT = ("LinearRNN by likelihood, with an input", "TanhRNN, yearly", "TanhRNN automatic, yearly",
        "TanhRNN pure, yearly")
RECORDED = json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}


@pytest.mark.filterwarnings("ignore::varnn.errors.VarnnWarning")
@pytest.mark.parametrize(("name", "compute"), [case for case in cases() if case[0] in RECORDED],
                         ids=[name for name, _ in cases() if name in RECORDED])
def test_the_numbers_on_record_are_found_again(name, compute):
    found = compute()
    for part, numbers in RECORDED[name].items():
        np.testing.assert_allclose(found[part], np.array(numbers, dtype=float), rtol=1e-9, atol=1e-9,
                                   err_msg=f"{name}: {part}")
