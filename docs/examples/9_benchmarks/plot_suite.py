"""
A suite of your own
===================

A suite names data, models and windows. Each finished job is on disk at once, a stopped run goes on, and ``verify``
finds every number again.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

from varnn.harness.run import comparisons, run

SUITE = """
title = "Two questions"
n_paths = 50

[[data]]
name = "sunspots"
horizon = 1
origins = 20

[models.Naive]
[models.VAR]
[models.ShrunkVAR]
"""
with TemporaryDirectory() as folder:
    summary = run(SUITE, Path(folder) / "out")
    found = comparisons(Path(folder) / "out")
print(summary.done, "jobs done")

# %%
table = next(iter(found)).table
table["rmsse"].plot.barh(color="0.6", edgecolor="black", xlabel="RMSSE")
plt.show()
