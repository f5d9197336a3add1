"""Tasks that are drawn: each asks for one thing that a recursion may or may not be able to do.

Each function returns sequences, what is asked of them, and what is best possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from varnn.errors import ParameterError
from varnn.series import generator

Floats = NDArray[np.float64]
Drawn = tuple[list[Any], list[Any], dict[str, Floats]]


def _sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ParameterError(f"{name}={size!r} is not usable; give a whole number of at least 1")


def xor(*, n: int = 1000, length: int = 10, seed: int = 0) -> Drawn:
    """Exclusive or of the first and the last step.

    Each step has a number and a mark; the first and the last are marked and hold −1 or 1, those between are noise.
    The label says whether the two are unlike.
    A logit that is a sum of a function of the first and a function of the last names at most three of the four cases.
    """
    _sizes(n=n, length=length)
    rng = generator(seed)
    x = np.zeros((n, length, 2))
    x[:, :, 0] = rng.uniform(-1, 1, (n, length))
    first, last = rng.integers(0, 2, (2, n))
    x[:, 0], x[:, -1] = np.column_stack([2.0 * first - 1, np.ones(n)]), np.column_stack([2.0 * last - 1, np.ones(n)])
    return list(x), list(map(int, first ^ last)), {}


def adding(*, n: int = 1000, length: int = 50, seed: int = 0) -> Drawn:
    """Sum of the two numbers that are marked; Hochreiter & Schmidhuber (1997).

    One is in the first half and one in the second. The targets are numbers: their variance is 1/6.
    """
    _sizes(n=n, length=length)
    rng = generator(seed)
    x = np.zeros((n, length, 2))
    x[:, :, 0] = rng.uniform(0, 1, (n, length))
    half = max(1, length // 2)
    rows, early, late = np.arange(n), rng.integers(0, half, n), rng.integers(min(half, length - 1), length, n)
    x[rows, early, 1] = x[rows, late, 1] = 1.0
    return list(x), list(map(float, x[rows, early, 0] + x[rows, late, 0])), {}


def recall(*, n: int = 1000, length: int = 50, kinds: int = 8, seed: int = 0) -> Drawn:
    """Name the first of many symbols.

    The symbols are letters, all equally likely.
    """
    _sizes(n=n, length=length, kinds=kinds)
    codes = generator(seed).integers(0, kinds, (n, length))
    rows = ["".join(chr(ord("a") + code) for code in row) for row in codes]
    return rows, [row[0] for row in rows], {}


def regimes(*, n: int = 1000, length: int = 100, coefficients: tuple[float, float] = (0.9, -0.4),
            scales: tuple[float, float] = (0.6, 1.0), stay: float = 0.95, seed: int = 0) -> Drawn:
    """Name the hidden regime of a switching autoregression at each step; Hamilton (1989).

    y_t = a_s y_{t−1} + c_s e_t, where s follows a Markov chain of two states. Each step shows y_t and y_{t−1}.
    The oracle holds "filter", P(s_t = 1 | y_1 … y_t), and "smoother", P(s_t = 1 | y_1 … y_T), with the true parameters.
    """
    _sizes(n=n, length=length)
    if not 0 < stay < 1:
        raise ParameterError(f"stay={stay!r} is not usable; give a probability between 0 and 1")
    rng = generator(seed)
    a, c = np.array(coefficients), np.array(scales)
    s, y = np.zeros((n, length), dtype=np.int64), np.zeros((n, length))
    s[:, 0], y[:, 0] = rng.integers(0, 2, n), rng.standard_normal(n)
    for t in range(1, length):
        s[:, t] = np.where(rng.random(n) < stay, s[:, t - 1], 1 - s[:, t - 1])
        y[:, t] = a[s[:, t]] * y[:, t - 1] + c[s[:, t]] * rng.standard_normal(n)
    before = np.concatenate([np.zeros((n, 1)), y[:, :-1]], axis=1)
    filtered, smoothed = hamilton_kim(y, a, c, np.array([[stay, 1 - stay], [1 - stay, stay]]))
    x = list(np.stack([y, before], axis=2))
    return x, [row.tolist() for row in s], {"filter": filtered, "smoother": smoothed}


def hamilton_kim(y: Floats, coefficients: Floats, scales: Floats, chain: Floats) -> tuple[Floats, Floats]:
    """Return P(s_t = 1 | y up to t) and P(s_t = 1 | all of y), each (N, T), of a switching AR(1) with two states.

    y_1 says nothing of s_1, whose two states are equally likely.

    Parameters
    ----------
    y : array (N, T)
    coefficients, scales : array (2,)
    chain : array (2, 2)
        chain[i, j] = P(s_t = j | s_{t−1} = i).

    References
    ----------
    Hamilton (1989), equations 4.4–4.9; Kim (1994), equation 20.
    """
    n, length = y.shape
    likelihood = np.ones((length, n, 2))
    for t in range(1, length):
        apart = (y[:, t, None] - coefficients * y[:, t - 1, None]) / scales
        likelihood[t] = np.exp(-0.5 * apart**2) / scales
    filtered, ahead = np.full((length, n, 2), 0.5), np.full((length, n, 2), 0.5)
    for t in range(1, length):
        ahead[t] = filtered[t - 1] @ chain
        joint = ahead[t] * likelihood[t]
        filtered[t] = joint / joint.sum(1, keepdims=True)
    smoothed = filtered.copy()
    for t in range(length - 2, -1, -1):
        smoothed[t] = filtered[t] * ((smoothed[t + 1] / ahead[t + 1]) @ chain.T)
    return filtered[..., 1].T.copy(), smoothed[..., 1].T.copy()


def given_names(*, n: int = 1000, seed: int = 0) -> Drawn:
    """Made-up names of two or three characters with the sex of their bearers, for pages that run without files.

    Each character leans to one sex; the logit is the sum of the leanings, so that counting is enough.
    """
    _sizes(n=n)
    rng = generator(seed)
    leaning = {**dict.fromkeys("照美娟玉芳婷雅慧", 1.5), **dict.fromkeys("新一志雄俊豪剛宏", -1.5),
               **dict.fromkeys("李工藤清明文安平子華", 0.0)}
    symbols, weights = np.array(list(leaning)), np.array(list(leaning.values()))
    rows = [rng.integers(0, len(symbols), rng.integers(2, 4)) for _ in range(n)]
    odds = np.array([weights[row].sum() for row in rows])
    labels = rng.random(n) < 1 / (1 + np.exp(odds))
    return ["".join(symbols[row]) for row in rows], [int(label) for label in labels], {}


TASKS: dict[str, Callable[..., Drawn]] = {"xor": xor, "adding": adding, "recall": recall, "regimes": regimes,
                                        "given_names": given_names}
