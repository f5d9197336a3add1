"""
Roots on the unit circle
========================

A recursion is stable where the inverse roots of its polynomial lie inside the unit circle.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

fit = varnn.VAR(lags=4).fit(varnn.data.load("macrodata").frame)
inverse = 1 / np.asarray(fit.roots)
circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
plt.plot(circle.real, circle.imag, color="0.6")
plt.plot(inverse.real, inverse.imag, "o", color="black")
plt.gca().set_aspect("equal")
plt.xlabel("real part")
plt.ylabel("imaginary part")
plt.title("stable" if fit.is_stable() else "not stable")
plt.show()
