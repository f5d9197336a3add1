"""
From a CSV file
===============

``read_table`` finds the dates of a file, names what it leaves out, and asks where it would have to guess.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

import varnn
from varnn.data import read_table

rows = "\n".join(f"{2000 + i // 4},{i % 4 + 1},{100 + i + 8 * (i % 4 == 3)}" for i in range(40))
with TemporaryDirectory() as folder:
    file = Path(folder) / "sales.csv"
    file.write_text(f"year,quarter,sales\n{rows}\n", encoding="utf-8")
    frame, said = read_table(file)
print(frame.index[:3])
print(said)

# %%
axes = frame["sales"].plot(color="black", marker="o", markersize=3)
varnn.SeasonalNaive(season=4).fit(frame).forecast(6).mean["sales"].plot(ax=axes, color="0.5", marker="s")
axes.set(ylabel="sales", title="Year and quarter columns became dates")
plt.show()
