"""Starts for tanh units: the best of many cheap random units, one after another, on what is not yet explained.

Called by `search`.  Random numbers come in as a generator; nothing is estimated here beyond projections.
"""

from __future__ import annotations

import numpy as np

from varnn.estimate.tanh.design import Array

STEEPEST, FLATTEST = 150.0, 0.3  # slopes tried, in units of 1 / standard deviation of what a unit sees
ROWS = 20_000  # about as many rows, evenly spaced, tell the candidates apart; all 245,000 of a panel took 16 × as long


def candidates(inputs: Array, count: int, rng: np.random.Generator) -> Array:
    """Return weights of random threshold-like units, shape (count, 1 + q): few inputs, a data point at the centre.

    Parameters
    ----------
    inputs : array (T, q)       what the units see, in standard units, without the constant
    count : int
    rng : Generator

    Returns
    -------
    array (count, 1 + q)        bias and slopes
    """
    q = inputs.shape[1]
    slopes = rng.normal(size=(count, q)) * (rng.random((count, q)) < min(1.0, 1.5 / q))
    slopes[np.arange(count), rng.integers(q, size=count)] += rng.normal(size=count)
    spread = np.sqrt(np.maximum(((slopes @ np.cov(inputs.T, bias=True).reshape(q, q)) * slopes).sum(axis=1), 0.0))
    steepness = np.exp(rng.uniform(np.log(FLATTEST), np.log(STEEPEST), count)) / np.maximum(spread, 1e-12)
    centre = (inputs[rng.integers(len(inputs), size=count)] * slopes).sum(axis=1)
    return np.column_stack([-centre * steepness, slopes * steepness[:, None]])


def grow(inputs: Array, explained: Array, errors: Array, width: int, rng: np.random.Generator, *,
         pool: int = 600) -> Array:
    """Choose units greedily: each the candidate that explains most of what is left.

    Parameters
    ----------
    inputs : array (T, q)       what the units see
    explained : array (T, d)    columns already in the model; candidates are compared beyond them
    errors : array (T, k)       whitened residuals of the model so far
    width : int                 units wanted
    rng : Generator
    pool : int                  candidates

    Returns
    -------
    array (width, 1 + q)
    """
    every = -(-len(inputs) // ROWS)
    inputs, explained, errors = inputs[::every], explained[::every], errors[::every]
    weights = candidates(inputs, max(pool, 2 * width), rng)
    units = inputs @ weights[:, 1:].T                                                       # (T, pool), in place:
    units += weights[:, 0]                                                                  # fresh memory costs more
    np.tanh(units, out=units)                                                               # than the arithmetic
    directions, _ = np.linalg.qr(explained)  # what is in the model, and what the chosen units add
    sizes = np.einsum("tj,tj->j", units, units) - ((directions.T @ units) ** 2).sum(axis=0)  # of what each unit adds
    pulls = units.T @ (errors - directions @ (directions.T @ errors))                       # (pool, k)
    least, chosen = 1e-6 * len(units), np.empty(0, dtype=int)
    for _ in range(width):
        gain = (pulls * pulls).sum(axis=1) / (np.maximum(sizes, 0.0) + 1.0)
        gain[sizes < least] = -1.0
        gain[chosen] = -2.0
        best = int(np.argmax(gain))
        chosen = np.append(chosen, best)
        if sizes[best] > least:
            added = units[:, best] - directions @ (directions.T @ units[:, best])
            added /= np.sqrt(added @ added)
            shares = added @ units
            sizes -= shares * shares
            pulls -= np.outer(shares, added @ errors)
            directions = np.column_stack([directions, added])
    return weights[chosen]


def smooth(inputs: Array, count: int, rng: np.random.Generator, *, steepest: float) -> Array:
    """Return weights of random units that bend gently over the data, shape (count, 1 + q): all inputs, data-centred.

    For systems without noise, where many gentle bends resolve a smooth map far beyond what thresholds can.
    """
    slopes = rng.normal(size=(count, inputs.shape[1]))
    seen = inputs @ slopes.T
    steepness = np.exp(rng.uniform(np.log(steepest / 6), np.log(steepest), count)) / np.maximum(seen.std(axis=0), 1e-12)
    centre = seen[rng.integers(len(seen), size=count), np.arange(count)]
    return np.column_stack([-centre * steepness, slopes * steepness[:, None]])
