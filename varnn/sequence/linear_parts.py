"""The linear part of a sequence model: what a table of counts or moments says before anything recurs.

Fitted first and contained exactly: the logits of a fit are those of its linear part plus W_hy h, so that W_hy = 0 is
the linear part. What it says of its own training rows is cross-fitted (said by a fit to the other rows), or the
recursion would learn to trust it too much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from varnn.sequence.symbols import MARKS, Sequences

Floats = NDArray[np.float64]
FOLDS = 5
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)  # 1 / ridge, as "C" elsewhere
ORDERS = (1, 2, 3, 4, 5)
SHARED_FRAMES = (3.0, 10.0, 30.0, 100.0)


class LinearPart(Protocol):
    """What stands beside the recursion."""

    def log_proba(self, sequences: Sequences) -> Floats:
        """Return log probabilities (N, c)."""

    @property
    def words(self) -> str:
        """What it is, in a few words."""


def folds(groups: NDArray[np.int64], rng: np.random.Generator, count: int = FOLDS) -> NDArray[np.int64]:
    """Return a fold number for each row, (N,); rows of one group share theirs."""
    kinds = int(groups.max()) + 1
    return (rng.permutation(kinds) % count)[groups]


# ------------------------------------------------------------------------------------------------ regression


def logistic(features: Any, classes: NDArray[np.int64], count: int, strength: float,
             start: Floats | None = None) -> Floats:
    """Return the weights (F + 1, c) of a multinomial logistic regression with a ridge; the constant is last and free.

    Minimises −Σ_i log softmax(x_i' W + b)[y_i] + ‖W‖² / (2 strength) by L-BFGS.

    Parameters
    ----------
    features : array or sparse array (N, F)
    classes : array (N,)
    count : int
        Number of classes, c.
    strength : float
        Inverse of the ridge.
    start : array (F + 1, c), optional
        Where to start.
    """
    rows, width = features.shape
    known = np.zeros((rows, count))
    known[np.arange(rows), classes] = 1.0
    ridge = 1.0 / strength

    def objective(theta: Floats) -> tuple[float, Floats]:
        weights = theta.reshape(width + 1, count)
        logs = log_softmax(features @ weights[:-1] + weights[-1], axis=1)
        errors = np.exp(logs) - known
        gradient = np.vstack([features.T @ errors + ridge * weights[:-1], errors.sum(0)])
        value = -float((logs * known).sum()) + 0.5 * ridge * float((weights[:-1] ** 2).sum())
        return value, gradient.ravel()

    first = np.zeros((width + 1) * count) if start is None else start.ravel()
    # the tolerance is one of the loss of a row in a million
    found = minimize(objective, first, jac=True, method="L-BFGS-B",
                     options={"maxiter": 500, "ftol": 1e-9, "gtol": 1e-4, "maxcor": 20})
    weights: Floats = found.x.reshape(width + 1, count)
    return weights


def n_grams(row: Sequence[str], order: int) -> set[str]:
    """Return the different n-grams of a sequence, up to an order, with its begin and end marked.

    Examples
    --------
    >>> sorted(gram.replace(MARKS[0], "^").replace(MARKS[1], "$") for gram in n_grams("ab", 2))
    ['$', '^', '^a', 'a', 'ab', 'b', 'b$']
    """
    between = "" if isinstance(row, str) else "\x1f"
    marked = [MARKS[0], *row, MARKS[1]]
    return {between.join(marked[i:i + n]) for n in range(1, order + 1) for i in range(len(marked) - n + 1)}


@dataclass(frozen=True, eq=False)
class NgramRegression:
    """Logistic regression on which n-grams a sequence has: what a VAR is to a series, this is to a name.

    Attributes
    ----------
    order : int
        Longest n-gram.
    strength : float
        Inverse of the ridge.
    grams : tuple of str
        Those of the training part, sorted; one that is new counts for nothing.
    weights : array (F + 1, c)
        The constant is last.
    """

    order: int
    strength: float
    grams: tuple[str, ...]
    weights: Floats

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        upto = "1-gram" if self.order == 1 else f"1- to {self.order}-gram"
        return f"{upto} logistic regression"

    def log_proba(self, sequences: Sequences) -> Floats:
        """Return log probabilities (N, c)."""
        table = _table(sequences, self.order, self.grams)
        logs: Floats = log_softmax(table @ self.weights[:-1] + self.weights[-1], axis=1)
        return logs


def _table(sequences: Sequences, order: int, grams: Sequence[str]) -> Any:
    place = {gram: i for i, gram in enumerate(grams)}
    rows = [sorted(place[gram] for gram in n_grams(row, order) if gram in place) for row in sequences.rows]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    columns = np.array([column for row in rows for column in row], dtype=np.int64)
    return sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(len(rows), len(grams)))


def _grams(sequences: Sequences, order: int) -> tuple[str, ...]:
    return tuple(sorted(Counter(gram for row in sequences.rows for gram in n_grams(row, order))))


def fit_ngrams(train: Sequences, classes: NDArray[np.int64], count: int, held: Sequences,
               held_classes: NDArray[np.int64]) -> NgramRegression:
    """Return the regression whose order and strength predict the validation part best in log loss."""
    best: tuple[float, NgramRegression] | None = None
    for order in ORDERS:
        grams = _grams(train, order)
        table = _table(train, order, grams)
        asked = _table(held, order, grams)
        weights: Floats | None = None
        before = np.inf
        for strength in STRENGTHS:
            weights = logistic(table, classes, count, strength, weights)
            loss = _loss(log_softmax(asked @ weights[:-1] + weights[-1], axis=1), held_classes)
            if best is None or loss < best[0]:
                best = (loss, NgramRegression(order, strength, grams, weights))
            if loss > before:  # the loss is smooth in the strength: beyond its lowest point it only rises
                break
            before = loss
    assert best is not None
    return best[1]


def refit_ngrams(like: NgramRegression, train: Sequences, classes: NDArray[np.int64]) -> NgramRegression:
    """Return the same regression fitted to other rows."""
    grams = _grams(train, like.order)
    weights = logistic(_table(train, like.order, grams), classes, like.weights.shape[1], like.strength)
    return NgramRegression(like.order, like.strength, grams, weights)


def cross_fitted(fit: Callable[[Sequences, NDArray[np.int64]], LinearPart], train: Sequences,
                 classes: NDArray[np.int64], fold: NDArray[np.int64], count: int) -> Floats:
    """Return what is said of every training row by a fit to the rows of the other folds, (N, c)."""
    said = np.zeros((len(train), count))
    for number in np.unique(fold):
        own = np.flatnonzero(fold == number)
        others = np.flatnonzero(fold != number)
        said[own] = fit(train.take(others), classes[others]).log_proba(train.take(own))
    return said


def _loss(logs: Floats, classes: NDArray[np.int64]) -> float:
    return -float(logs[np.arange(len(classes)), classes].mean())


# ------------------------------------------------------------------------------------------------ moments


@dataclass(frozen=True, eq=False)
class GaussianMoments:
    """One Gaussian a class for frames taken as independent: mean and covariance, no time.

    log p(class | x) ∝ log share + temper · Σ_t log N(x_t; mean, covariance); frames are far from independent, so
    their sum is tempered.

    Attributes
    ----------
    log_shares : array (c,)
    means : array (c, k)
    precisions : array (c, k, k)
    log_dets : array (c,)
        Of the covariances.
    temper : float
    frames : float
        Frames' worth of the common covariance in each class's own.
    """

    log_shares: Floats
    means: Floats
    precisions: Floats
    log_dets: Floats
    temper: float
    frames: float

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return "one Gaussian a class, frames independent"

    def raw(self, sequences: Sequences) -> Floats:
        """Return Σ_t log N(x_t; …) up to a constant, (N, c)."""
        lengths = sequences.lengths
        frames = np.concatenate(sequences.rows)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        sums = np.empty((len(sequences), len(self.means)))
        for c, mean in enumerate(self.means):
            apart = frames - mean
            each = -0.5 * (np.einsum("ti,ij,tj->t", apart, self.precisions[c], apart) + self.log_dets[c])
            sums[:, c] = np.add.reduceat(each, starts)
        return sums

    def log_proba(self, sequences: Sequences) -> Floats:
        """Return log probabilities (N, c)."""
        logs: Floats = log_softmax(self.log_shares + self.temper * self.raw(sequences), axis=1)
        return logs


def moments(train: Sequences, classes: NDArray[np.int64], count: int, frames: float,
            temper: float = 1.0) -> GaussianMoments:
    """Return mean and covariance of each class, drawn towards the common covariance."""
    everything = np.concatenate(train.rows)
    label = np.repeat(classes, train.lengths)
    columns = everything.shape[1]
    shares = np.bincount(classes, minlength=count) + 0.5
    overall = everything.mean(0)
    means = np.empty((count, columns))
    scatter = np.empty((count, columns, columns))
    sizes = np.bincount(label, minlength=count)
    for c in range(count):
        own = everything[label == c]
        means[c] = (own.sum(0) + overall) / (len(own) + 1)  # one frame's worth of the common mean
        apart = own - means[c]
        scatter[c] = apart.T @ apart
    within = scatter.sum(0) / len(everything)
    within = within + 1e-6 * np.trace(within) / columns * np.eye(columns) + 1e-12 * np.eye(columns)
    covariances = (scatter + frames * within) / (sizes + frames)[:, None, None]
    return GaussianMoments(np.log(shares / shares.sum()), means, np.linalg.inv(covariances),
                           np.linalg.slogdet(covariances)[1], temper, frames)


def fit_moments(train: Sequences, classes: NDArray[np.int64], count: int,
                fold: NDArray[np.int64]) -> tuple[GaussianMoments, Floats]:
    """Return the moments and their cross-fitted word on the training rows; temper and shrinkage chosen by that word."""
    best: tuple[float, GaussianMoments, Floats] | None = None
    for frames in SHARED_FRAMES:
        raw = np.zeros((len(train), count))
        shares = np.zeros((len(train), count))
        for number in np.unique(fold):
            own = np.flatnonzero(fold == number)
            others = np.flatnonzero(fold != number)
            part = moments(train.take(others), classes[others], count, frames)
            raw[own] = part.raw(train.take(own))
            shares[own] = part.log_shares

        def loss(log_temper: float, raw: Floats = raw, shares: Floats = shares) -> float:
            return _loss(log_softmax(shares + np.exp(log_temper) * raw, axis=1), classes)

        temper = float(np.exp(minimize_scalar(loss, bounds=(-7.0, 1.0), method="bounded").x))
        value = loss(float(np.log(temper)))
        if best is None or value < best[0]:
            best = (value, moments(train, classes, count, frames, temper), log_softmax(shares + temper * raw, axis=1))
    assert best is not None
    return best[1], best[2]


# ------------------------------------------------------------------------------------------------ shares only


@dataclass(frozen=True, eq=False)
class Shares:
    """Nothing but how frequent each class is: the linear part of a fit with `beside=None`, for comparison only."""

    log_shares: Floats

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return "the shares of the classes"

    def log_proba(self, sequences: Sequences) -> Floats:
        """Return log probabilities (N, c)."""
        return np.broadcast_to(self.log_shares, (len(sequences), len(self.log_shares))).copy()


def shares(classes: NDArray[np.int64], count: int) -> Shares:
    """Return the share of each class, half a case added to each."""
    found = np.bincount(classes, minlength=count) + 0.5
    return Shares(np.log(found / found.sum()))
