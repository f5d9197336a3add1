"""
Is a VAR enough?
================

``compare`` forecasts from many origins in the past, never looking ahead, and says what it found. Naive rows stand on
every board.
"""

import matplotlib.pyplot as plt

import varnn

y = varnn.data.load("sunspots").frame.iloc[-160:]
result = varnn.compare(y, horizon=2, origins=24, n_paths=100)
print(result.verdict[0])

# %%
# The table behind the sentence; ``skill`` is the gain in RMSE over the VAR, in percent.
print(result.table[["rmsse", "skill", "coverage_90"]].round(2))

# %%
skill = result.by_horizon.pivot(index="step", columns="model", values="skill")[["ShrunkVAR", "LinearRNN", "TanhRNN"]]
axes = skill.plot(style=["o--", "s-.", "^-"], color=["0.5", "0.3", "0.0"], xticks=[1, 2])
axes.axhline(0, color="black", linewidth=0.8)
axes.set(xlabel="years ahead", ylabel="RMSE below the VAR's, %", title="Sunspots: gain over the VAR")
plt.show()
