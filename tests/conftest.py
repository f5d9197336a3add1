"""What every test starts from: one thread for linear algebra, no window for figures, repeatable hypotheses."""

from __future__ import annotations

import os

import hypothesis

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("repeatable")
