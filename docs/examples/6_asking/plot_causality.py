"""
Granger causality
=================

Does the past of one series help to forecast another?
"""

import matplotlib.pyplot as plt
import pandas as pd

import varnn

y = varnn.data.load("macrodata").frame
fit = varnn.VAR(lags=2).fit(y)
table = pd.DataFrame(index=y.columns, columns=y.columns, dtype=float)
for causing in y.columns:
    for caused in y.columns.drop(causing):
        table.loc[causing, caused] = fit.test_causality(caused, causing).pvalue
print(table.round(3))

# %%
picture = plt.imshow(table, cmap="Greys_r", vmin=0, vmax=1)
plt.xticks(range(len(y.columns)), y.columns)
plt.yticks(range(len(y.columns)), y.columns)
plt.xlabel("is caused")
plt.ylabel("causes")
plt.colorbar(picture, label="p-value")
plt.show()
