"""
What a band is made of
======================

``uncertainty="none"`` holds the errors alone, ``"full"`` also what is not known of the coefficients.
"""

import matplotlib.pyplot as plt

import varnn

y = varnn.data.load("macrodata").frame.iloc[-60:]
fit = varnn.VAR(lags=4).fit(y)
for uncertainty, look in (("none", "--"), ("full", "-")):
    lower, upper = fit.forecast(8, uncertainty=uncertainty, rng=0).interval(0.9)
    plt.plot(range(1, 9), (upper - lower).iloc[:, 0], look, color="black", label=uncertainty)
plt.xlabel("quarters ahead")
plt.ylabel(f"width of the 90 % band of {y.columns[0]}")
plt.legend()
plt.show()
