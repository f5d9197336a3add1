"""
Many to one: which came first and last?
=======================================

A label for a whole sequence: are its first and last symbols alike? No sum over symbols can tell, a recursion can.
"""

import matplotlib.pyplot as plt
import numpy as np

import varnn

rng = np.random.default_rng(0)
words = ["".join(rng.choice(list("ab"), size=rng.integers(3, 7))) for _ in range(400)]
labels = ["alike" if word[0] == word[-1] else "unlike" for word in words]
scores = {}
for cell in ("linear", "tanh"):
    model = varnn.SequenceClassifier(cell=cell, members=1)
    fit = model.fit(words[:300], labels[:300], rng=0)
    scores[cell] = float(np.mean([a == b for a, b in zip(fit.predict(words[300:]), labels[300:], strict=True)]))
plt.bar(list(scores), list(scores.values()), color=["0.8", "0.3"], edgecolor="black")
plt.axhline(0.5, color="black", linestyle=":")
plt.ylabel("share right on new words")
plt.show()
