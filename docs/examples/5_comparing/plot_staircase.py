"""
What the gain is made of
========================

The gain over least squares taken apart: shrinkage, memory, tanh units. They add up.
"""

import matplotlib.pyplot as plt

import varnn

y = varnn.data.load("interest_inflation").frame
result = varnn.compare(y, horizon=1, origins=24, n_paths=50,
                       models=["Naive", "VAR", "ShrunkVAR", "LinearRNN", "TanhRNN"])
stairs = result.staircase
print(stairs[["part", "gain", "lower", "upper", "kept", "refits"]].round(1))

# %%
base = stairs["gain"].cumsum() - stairs["gain"]
plt.bar(stairs["part"], stairs["gain"], bottom=base, color="0.8", edgecolor="black")
plt.vlines(range(len(stairs)), base + stairs["lower"], base + stairs["upper"], color="black")
plt.axhline(0, color="black", linewidth=0.8)
plt.ylabel("RMSE below least squares, %")
plt.show()
