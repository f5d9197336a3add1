"""
Roots on the unit circle
========================

A recursion is stable where the inverse roots of its polynomial lie inside the unit circle.
"""

import varnn

fit = varnn.VAR(lags=4).fit(varnn.data.load("macrodata").frame)
print(fit.is_stable())
axes = fit.plot_roots()
