"""
Is a VAR enough?
================

``compare`` forecasts from many origins in the past, never looking ahead, and says what it found. Naive rows stand on
every board.
"""

import varnn

y = varnn.data.load("sunspots").frame.iloc[-160:]
result = varnn.compare(y, horizon=5, origins=24, n_paths=100)
print(result.verdict[0])

# %%
# The table behind the sentence; ``skill`` is the gain in RMSE over the VAR, in percent.
print(result.table[["rmsse", "skill", "coverage_90"]].round(2))

# %%
# The same by years ahead.
axes = result.plot()
