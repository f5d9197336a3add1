"""
How fast a recursion forgets
============================

Norms of :math:`\\partial h_T/\\partial h_{T-j}`: a linear memory fades at the rate :math:`\\ln\\rho(A)` a step.
"""

import matplotlib.pyplot as plt
import numpy as np

for radius, look in ((0.5, ":"), (0.8, "--"), (0.95, "-")):
    plt.semilogy(range(41), radius ** np.arange(41), look, color="black", label=f"ρ(A) = {radius}")
plt.ylim(1e-6, 1.5)
plt.xlabel("steps back, j")
plt.ylabel("left of a change of the state")
plt.legend()
plt.show()
