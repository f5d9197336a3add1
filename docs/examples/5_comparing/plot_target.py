"""
One series to judge, others as inputs
=====================================

``target`` names what is scored; averaging over all columns can hide that it is not forecast any better.
"""

import matplotlib.pyplot as plt

import varnn

y = varnn.data.load("macrodata").frame
everything = varnn.compare(y, horizon=1, origins=20, n_paths=50, models=["Naive", "Mean", "VAR"])
one = varnn.compare(y, horizon=1, origins=20, n_paths=50, models=["Naive", "Mean", "VAR"], target=y.columns[0])
table = everything.table[["rmsse"]].rename(columns={"rmsse": "all series"}).assign(
    **{f"{y.columns[0]} alone": one.table["rmsse"]})
print(table.round(2))

# %%
table.plot.bar(color=["0.8", "0.3"], edgecolor="black", ylabel="RMSSE", rot=0)
plt.show()
