"""Compiling: a word to the user once, from disk afterwards, and no error where nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest

from varnn.estimate.numerics import compiling

FIT = ("import varnn, numpy as np; "
       "print(varnn.{}(lags=1).fit(np.random.default_rng(0).normal(size=(50, 2))).forecast(1).point.tolist())")


def fit(model, cache):
    return subprocess.run([sys.executable, "-c", FIT.format(model)], capture_output=True, text=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(cache)})


def test_the_first_process_says_that_it_compiles_and_the_next_finds_it_on_disk(tmp_path):
    first, second = fit("LinearRNN", tmp_path), fit("LinearRNN", tmp_path)
    assert first.stderr.count(compiling.MESSAGE) == 1
    assert compiling.MESSAGE not in second.stderr
    assert first.stdout == second.stdout


WORKERS = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import numpy as np

def begin(barrier):
    barrier.wait()

def fit(seed):
    import varnn
    return varnn.LinearRNN(lags=1).fit(np.random.default_rng(seed).normal(size=(50, 2)))

if __name__ == "__main__":
    context = get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context, initializer=begin, initargs=(context.Barrier(3),)) as pool:
        print(len(list(pool.map(fit, range(6)))))
"""


def test_of_workers_that_compile_at_once_one_says_so(tmp_path):
    program = tmp_path / "workers.py"
    program.write_text(WORKERS, encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")})
    assert done.stdout == "6\n"
    assert done.stderr.count(compiling.MESSAGE) == 1


def test_a_var_needs_nothing_compiled(tmp_path):
    assert fit("VAR", tmp_path).stderr == ""
    assert not list(tmp_path.rglob("*.nb?"))


def test_functions_that_a_user_compiles_are_not_announced_as_ours():
    code = "import numba, varnn.estimate.numerics.compiling; print(numba.njit(lambda x: x + 1.0)(1.0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("2.0", "")


def test_where_no_folder_can_be_written_the_function_is_compiled_for_the_process(monkeypatch):
    def refusing(*signature, **options):
        if options.get("cache"):
            return lambda function: (_ for _ in ()).throw(RuntimeError("cannot cache function: no locator available"))
        return numba.njit(*signature, **options)

    monkeypatch.setattr(compiling, "_njit", refusing)
    assert compiling.compiled()(lambda x: x + 1.0)(1.0) == 2.0


def test_another_error_of_the_compiler_is_not_hidden(monkeypatch):
    def failing(*signature, **options):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(compiling, "_njit", failing)
    with pytest.raises(RuntimeError, match="out of memory"):
        compiling.compiled()(lambda x: x)
