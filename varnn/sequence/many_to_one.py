"""Many to one: a sequence is read to its end and then named, as a given name by the sex of its bearer.

Logits = linear part + W_hy h_T + c. The linear part is a regression on n-grams for symbols and one Gaussian a class for
numbers; it is fitted first, and W_hy = 0, c = 0 is the linear part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax

from varnn.errors import InputError, ParameterError, ShapeError
from varnn.estimate.minibatch import Pace, descend
from varnn.estimate.numerics.threads import one_torch_thread
from varnn.sequence.batch import padded
from varnn.sequence.fitted import (
    Floats,
    Losses,
    Member,
    Progress,
    SequenceFit,
    cell_words,
    check_spec,
    group_numbers,
    numbered,
    parted,
    probabilities,
    standardised,
    where,
)
from varnn.sequence.linear_parts import (
    GaussianMoments,
    NgramRegression,
    Shares,
    cross_fitted,
    fit_moments,
    fit_ngrams,
    folds,
    refit_ngrams,
    shares,
)
from varnn.sequence.network import BESIDE, Drop, Network, pool_weights
from varnn.sequence.steps import Unrolled, entered, states_along, unrolled
from varnn.sequence.symbols import (
    RESERVED,
    Sequences,
    Vocabulary,
    checked,
    class_numbers,
    classes_of,
    labels_of,
)
from varnn.sequence.warn import warn_of_unknown
from varnn.series import generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

Ints = NDArray[np.int64]
AT_ONCE = 1024  # sequences that are predicted side by side


@dataclass(frozen=True, kw_only=True)
class SequenceClassifier:
    """Name each sequence after reading it: h_t = f(h_{t−1}, x_t), then softmax(linear part + W_hy h_T + c).

    Parameters
    ----------
    cell : "linear", "tanh", "gru" or "lstm"
        Does recurrence pay, does bending pay? Fit two of them and ask `fit.against(other, x, y)`.
    width : int
        Units in each direction, n.
    embed : int
        Numbers a symbol is turned into.
    both : bool
        Whether a second recursion reads each sequence from its end.
    beside : "auto", "ngrams", "moments" or None
        The linear part whose logits are added: by itself a regression on n-grams for symbols, one Gaussian a class for
        numbers; None for the recursion alone.
    nesting : "pool" or "offset"
        How the two are brought together. "pool": the recursion learns alone, then the weights of both logits are chosen
        on the validation part. "offset": the recursion learns what the linear part, cross-fitted, leaves over. Both are
        the same function, in which weight 1 and W_hy = 0 is the linear part.
    members : int
        Descents from different starts, whose probabilities are averaged.
    drop : float
        Share of the numbers of embedding and state that training holds at zero.
    unknown : float
        Share of the symbols that training reads as unknown, so that new symbols are no surprise; 0 refuses new symbols.
    noise : float
        Standard deviation of what training adds to numbers, in units of their spread.
    least : int
        Symbols seen less often are unknown.
    memory : float, optional
        Steps that gates begin by keeping; left out, the longest sequence.
    batch, epochs, patience : int
        Sequences a step, passes over them at most, passes without an improvement before the end.
    rate, decay, clip : float
        Largest rate of learning, pull towards zero, largest norm of a gradient.
    dtype : "float32" or "float64"
    device : str
        "cpu" or "cuda", where torch finds one.

    Examples
    --------
    >>> names = ["anna", "ella", "mia", "lena", "otto", "hugo", "bruno", "theo"] * 4
    >>> sexes = ["f", "f", "f", "f", "m", "m", "m", "m"] * 4
    >>> fit = SequenceClassifier(cell="tanh", width=4, embed=3, epochs=2).fit(names, sexes, rng=0)
    >>> fit.predict(["clara", "marco"]).tolist()
    ['f', 'm']

    References
    ----------
    Elman (1990), Finding structure in time; Cho et al. (2014); Hochreiter & Schmidhuber (1997).
    """

    cell: str = "gru"
    width: int = 64
    embed: int = 32
    both: bool = False
    beside: Literal["auto", "ngrams", "moments"] | None = "auto"
    nesting: Literal["pool", "offset"] = "pool"
    members: int = 1
    drop: float = 0.3
    unknown: float = 0.05
    noise: float = 0.1
    least: int = 1
    memory: float | None = None
    batch: int = 128
    epochs: int = 30
    patience: int = 8
    rate: float = 5e-3
    decay: float = 1e-3
    clip: float = 1.0
    dtype: str = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_spec(self, ("auto", "ngrams", "moments", None))
        if self.nesting not in ("pool", "offset"):
            raise ParameterError(f"nesting={self.nesting!r} is not usable; choose 'pool' or 'offset'")

    def fit(self, x: object, y: object, *, groups: object = None, validation: Any = 0.1, rng: object = None,
            progress: Progress | None = None) -> ClassifierFit:
        """Learn to name sequences.

        Parameters
        ----------
        x : list of N sequences
            Each a str (characters), a list of str (words) or an array (T_i, k) of numbers.
        y : list of N labels
            str or whole numbers.
        groups : list of N, optional
            What must not be split between fitting and validation; left out, equal sequences stay together.
        validation : float or (x, y)
            Share of the groups that decides when to stop, or sequences and labels of its own.
        rng : int or numpy Generator, optional
            None is the seed 0; the same seed gives the same bits.
        progress : callable, optional
            (name, steps done, steps allowed).

        Returns
        -------
        ClassifierFit

        Raises
        ------
        InputError
            One class only; a class that the training part lacks.
        TooShortError, DtypeError, MissingDataError, NonFiniteError, ShapeError
            Sequences or labels that cannot be used, with their place.
        """
        random = generator(rng)
        data = _parts(x, y, groups, validation, random)
        _check_beside(self.beside, data.train)
        with one_torch_thread():
            return _fitted(self, data, random, progress)


@dataclass(frozen=True, eq=False)
class _Data:
    """The sequences and class numbers of both parts, and who belongs together."""

    train: Sequences
    y: Ints
    groups: Ints
    held: Sequences
    held_y: Ints
    classes: tuple[Any, ...]
    two_names: int


def _parts(x: object, y: object, groups: object, validation: Any, rng: np.random.Generator) -> _Data:
    everything = checked(x, "x")
    labels = labels_of(y, len(everything), "y")
    classes = classes_of(labels, "y")
    numbers = class_numbers(labels, classes, "y")
    own = numbered(groups, len(everything), "groups")
    own = group_numbers(everything.keys) if own is None else own
    if isinstance(validation, tuple):
        if len(validation) != 2:
            raise ShapeError(f"validation has {len(validation)} parts; give (x, y) or a share")
        held = checked(validation[0], "validation[0]", like=everything)
        held_y = class_numbers(labels_of(validation[1], len(held), "validation[1]"), classes, "validation[1]")
        both = set(everything.keys) & set(held.keys)
        if both:
            place = next(i for i, key in enumerate(held.keys) if key in both)
            raise InputError(f"validation[0][{place}] is also among x, and {len(both)} in all: equal sequences on both "
                             "sides make a fit look better than it is; leave them out on one side, or give a share")
        train, train_y = everything, numbers
    else:
        if isinstance(validation, bool) or not isinstance(validation, (int, float)) or not 0 < validation < 1:
            raise ParameterError(f"validation={validation!r} is not usable; give a share between 0 and 1, or (x, y)")
        fitted, kept = parted(own, float(validation), rng)
        held, held_y = everything.take(kept), numbers[kept]
        train, train_y, own = everything.take(fitted), numbers[fitted], group_numbers(own[fitted])
    for number, label in enumerate(classes):
        if not (train_y == number).any():
            raise InputError(f"class {label!r} has no sequence in the training part; give more sequences of it, "
                             "leave it out, or choose the validation part yourself: validation=(x, y)")
    return _Data(train, train_y, own, held, held_y, classes, _two_names(everything, numbers))


def _two_names(sequences: Sequences, numbers: Ints) -> int:
    """Return how many different sequences come with more than one label."""
    seen: dict[object, set[int]] = {}
    for key, number in zip(sequences.keys, numbers, strict=True):
        seen.setdefault(key, set()).add(int(number))
    return sum(len(found) > 1 for found in seen.values())


def _check_beside(beside: str | None, train: Sequences) -> None:
    fits = {"ngrams": train.kind != "numbers", "moments": train.kind == "numbers"}
    if beside in fits and not fits[beside]:
        raise ParameterError(f"beside={beside!r} does not suit sequences of {train.kind}; use "
                             f"{'moments' if train.kind == 'numbers' else 'ngrams'!r}, 'auto' or None")


def _linear_part(spec: SequenceClassifier, data: _Data, rng: np.random.Generator) -> tuple[
        NgramRegression | GaussianMoments | Shares, Floats]:
    """Return the linear part and its cross-fitted word on the training rows, (N, c)."""
    count = len(data.classes)
    if spec.beside is None:
        part = shares(data.y, count)
        return part, np.zeros((len(data.train), count))
    fold = folds(data.groups, rng)
    if data.train.kind == "numbers":
        return fit_moments(data.train, data.y, count, fold)
    chosen = fit_ngrams(data.train, data.y, count, data.held, data.held_y)
    if spec.nesting == "pool":  # the recursion learns without it
        return chosen, np.zeros((len(data.train), count))
    return chosen, cross_fitted(lambda rows, y: refit_ngrams(chosen, rows, y), data.train, data.y, fold, count)


def _fitted(spec: SequenceClassifier, data: _Data, rng: np.random.Generator,
            progress: Progress | None) -> ClassifierFit:
    linear, said = _linear_part(spec, data, rng)
    vocabulary = mean = scale = None
    if data.train.kind == "numbers":
        frames = np.concatenate(data.train.rows)
        mean, spread = frames.mean(0), frames.std(0)
        scale = np.where(spread > 0, spread, 1.0)
        network = Network(cell=spec.cell, inputs=data.train.columns, width=spec.width, outputs=len(data.classes),
                          both=spec.both, beside=spec.beside is not None)
    else:
        vocabulary = Vocabulary.of(data.train.rows, spec.least)
        network = Network(cell=spec.cell, inputs=spec.embed, width=spec.width, outputs=len(data.classes),
                          symbols=len(vocabulary), both=spec.both, beside=spec.beside is not None)
    reader = Reader(data.train.kind, vocabulary, mean, scale)
    held_said = linear.log_proba(data.held) if network.beside else np.zeros((len(data.held), len(data.classes)))
    work = _Work(spec, network, reader.table(data.train), data.train.lengths, said, data.y,
                 reader.table(data.held), data.held.lengths, held_said, data.held_y)
    members = tuple(work.descent(int(rng.integers(2**62)), f"member {i + 1}", progress) for i in range(spec.members))
    fit = ClassifierFit(spec=spec, network=network, members=members, classes=data.classes, linear=linear, reader=reader,
                        held=Losses(*(np.zeros(0),) * 4), seen=(len(data.train), len(data.held)),
                        two_names=data.two_names, longest=int(data.train.lengths.max()))
    return replace(fit, held=fit.losses_of(data.held, data.held_y))


@dataclass(frozen=True, eq=False)
class Reader:
    """How sequences become the numbers that a network reads.

    Attributes
    ----------
    kind : str
    vocabulary : Vocabulary or None
    mean, scale : array (k,) or None
        Of the training part's frames.
    """

    kind: str
    vocabulary: Vocabulary | None
    mean: Floats | None
    scale: Floats | None

    def rows(self, sequences: Sequences) -> list[NDArray[Any]]:
        """Return codes (T,) or standardised numbers (T, k) of each."""
        if self.vocabulary is not None:
            return [self.vocabulary.encode(row) for row in sequences.rows]
        assert self.mean is not None
        assert self.scale is not None
        return list(standardised(sequences, self.mean, self.scale))

    def table(self, sequences: Sequences) -> NDArray[Any]:
        """Return all of them side by side, (N, T) or (N, T, k)."""
        return padded(self.rows(sequences))


@dataclass(frozen=True, eq=False)
class _Work:
    """All that a descent needs, as arrays."""

    spec: SequenceClassifier
    network: Network
    table: NDArray[Any]
    lengths: Ints
    said: Floats
    y: Ints
    held: NDArray[Any]
    held_lengths: Ints
    held_said: Floats
    held_y: Ints

    def descent(self, seed: int, name: str, progress: Progress | None) -> Member:
        """Return one member."""
        import torch
        from torch.nn.functional import cross_entropy

        spec, rng = self.spec, np.random.default_rng(seed)
        device, dtype = where(spec.device), getattr(torch, spec.dtype)
        drop = Drop(spec.drop, spec.unknown, torch.Generator().manual_seed(int(rng.integers(2**62))), spec.noise)
        memory = float(self.lengths.max()) if spec.memory is None else spec.memory
        start = {key: torch.as_tensor(array, device=device)
                 for key, array in self.network.initial(rng, memory, spec.dtype).items()}

        def loss(weights: Mapping[str, Tensor], rows: Ints) -> Tensor:
            batch, lengths = side_by_side(self.table[rows], self.lengths[rows], dtype, device)
            logits = self.network.last(weights, drop.blank(batch), lengths, drop)
            if self.network.beside and spec.nesting == "offset":
                said = torch.as_tensor(self.said[rows], dtype=dtype, device=device)
                logits = weights[BESIDE][0] * said + weights[BESIDE][1] * logits
            return cross_entropy(logits, torch.as_tensor(self.y[rows], device=device))

        def batches() -> Iterator[Ints]:
            order = rng.permutation(len(self.y))
            for first in range(0, len(order), spec.batch):
                yield order[first:first + spec.batch]

        def validate(weights: Mapping[str, Tensor]) -> float:
            network = self.network if spec.nesting == "offset" else replace(self.network, beside=False)
            logits = logits_of(network, weights, self.held, self.held_lengths, self.held_said, spec.dtype, device)
            return -float(log_softmax(logits, axis=1)[np.arange(len(self.held_y)), self.held_y].mean())

        a_pass = -(-len(self.y) // spec.batch)
        pace = Pace(steps=spec.epochs * a_pass, check=a_pass, rate=spec.rate, decay=spec.decay, clip=spec.clip,
                    patience=spec.patience)
        found = descend(start, loss, batches, validate, pace, progress, name=name, free_of_decay=("offset", BESIDE))
        weights = {key: weight.cpu().numpy() for key, weight in found.weights.items()}
        if self.network.beside and spec.nesting == "pool":
            own = logits_of(replace(self.network, beside=False), found.weights, self.held, self.held_lengths,
                            self.held_said, spec.dtype, device)
            weights[BESIDE] = pool_weights(own, self.held_said, self.held_y).astype(spec.dtype)
        return Member(weights, found.stop.message, found.steps, found.best_step,
                      np.array(found.losses, dtype=np.float64).reshape(-1, 3))


def side_by_side(table: NDArray[Any], lengths: Ints, dtype: Any, device: str) -> tuple[Tensor, Tensor]:
    """Return a batch, time first and no longer than its longest sequence, and its lengths."""
    import torch

    cut = np.swapaxes(table[:, :int(lengths.max())], 0, 1)
    batch = torch.as_tensor(np.ascontiguousarray(cut), device=device)
    return batch.to(dtype) if batch.is_floating_point() else batch, torch.as_tensor(lengths, device=device)


def logits_of(network: Network, weights: Mapping[str, Tensor], table: NDArray[Any], lengths: Ints, said: Floats,
              dtype: str, device: str) -> Floats:
    """Return logits (N, c) in float64, some sequences of like length at a time."""
    import torch

    out = np.empty((len(table), network.outputs))
    order = np.argsort(lengths, kind="stable")
    with torch.no_grad():
        for first in range(0, len(order), AT_ONCE):
            rows = order[first:first + AT_ONCE]
            batch, own = side_by_side(table[rows], lengths[rows], getattr(torch, dtype), device)
            out[rows] = network.last(weights, batch, own, Drop()).double().cpu().numpy()
    if network.beside:
        a, b = weights[BESIDE].detach().double().cpu().numpy()
        out = a * said + b * out
    return out


@dataclass(frozen=True, eq=False, repr=False)
class ClassifierFit(SequenceFit):
    """A classifier with its weights; immutable.

    Attributes
    ----------
    spec : SequenceClassifier
    network : Network
    members : tuple of Member
    classes : tuple
        In the order of the columns of `predict_proba`.
    linear : NgramRegression, GaussianMoments or Shares
        The linear part; `Shares`, which does not enter, where there is none.
    reader : Reader
    held : Losses
        On the validation part.
    seen : tuple of int
        Sequences fitted to, and of the validation part.
    two_names : int
        Different sequences that came with more than one label: nobody can name all of those right.
    longest : int
        Steps of the longest sequence fitted to.

    Examples
    --------
    >>> import varnn
    >>> names = ["anna", "maria", "julia", "peter", "oskar", "viktor"] * 20
    >>> sexes = ["f", "f", "f", "m", "m", "m"] * 20
    >>> fit = varnn.SequenceClassifier(cell="tanh", width=4, embed=3, epochs=2).fit(names, sexes, rng=0)
    >>> fit.classes, fit.predict(["anna"]).tolist()
    (('f', 'm'), ['f'])
    """

    spec: SequenceClassifier
    network: Network
    members: tuple[Member, ...]
    classes: tuple[Any, ...]
    linear: NgramRegression | GaussianMoments | Shares
    reader: Reader
    held: Losses = field(repr=False)
    seen: tuple[int, int] = (0, 0)
    two_names: int = 0
    longest: int = 0

    @property
    def linear_words(self) -> str:
        """What the linear part is."""
        return self.linear.words

    def log_proba(self, sequences: Sequences) -> Floats:
        """Return log probabilities (N, c), of the mean of the members' probabilities."""
        said = np.zeros((len(sequences), len(self.classes)))
        if self.network.beside:
            said = self.linear.log_proba(sequences)
        table, device = self.reader.table(sequences), where(self.spec.device)
        with one_torch_thread():
            logs = [log_softmax(logits_of(self.network, self.tensors(member), table, sequences.lengths, said,
                                          self.spec.dtype, device), axis=1) for member in self.members]
        mixed: Floats = np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))
        return mixed

    def predict_proba(self, x: object) -> pd.DataFrame:
        """Return the probability of each class, (N, c)."""
        return probabilities(np.exp(self.log_proba(self._checked(x))), self.classes)

    def predict(self, x: object) -> NDArray[Any]:
        """Return the most probable class of each sequence, (N,)."""
        best = self.log_proba(self._checked(x)).argmax(1)
        named: NDArray[Any] = np.array(self.classes)[best]
        return named

    def losses(self, x: object, y: object) -> Losses:
        """Return what the fit and its linear part lose on sequences, sequence by sequence."""
        if y is None:
            raise ParameterError("y is missing; pass the labels of the sequences")
        sequences = self._checked(x)
        return self.losses_of(sequences, class_numbers(labels_of(y, len(sequences), "y"), self.classes, "y"))

    def losses_of(self, sequences: Sequences, numbers: Ints) -> Losses:
        """Return the losses of sequences that have been looked at, with class numbers (N,)."""
        logs, linear, rows = self.log_proba(sequences), self.linear.log_proba(sequences), np.arange(len(sequences))
        return Losses(-logs[rows, numbers], -linear[rows, numbers], (logs.argmax(1) == numbers).astype(float),
                      np.ones(len(sequences)))

    def unrolled(self, sequence: object) -> Unrolled:
        """Return inputs, states and class probabilities along one sequence, as if it ended at each step."""
        row = self._checked([sequence])
        steps = len(row.rows[0])
        prefixes = Sequences(row.kind, tuple(row.rows[0][:t + 1] for t in range(steps)), row.columns)
        table = probabilities(np.exp(self.log_proba(prefixes)), self.classes)
        return unrolled(entered(row), states_along(self, self.reader.table(row)), table, np.full(steps, np.nan),
                        cell_words(self.network))

    def _checked(self, x: object) -> Sequences:
        like = Sequences(self.reader.kind, (), 0 if self.reader.mean is None else len(self.reader.mean))  # type: ignore[arg-type]
        sequences = checked(x, "x", like=like)
        warn_of_unknown(self.reader.vocabulary, sequences, self.spec.unknown, "x")
        return sequences

    def _about(self) -> list[str]:
        size = "" if self.reader.mean is None else f"{len(self.reader.mean)} numbers a step"
        if self.reader.vocabulary is not None:
            size = f"{len(self.reader.vocabulary) - RESERVED} {self.reader.kind} known"
        shown = ", ".join(map(repr, self.classes[:6])) + (" …" if len(self.classes) > 6 else "")
        lines = [f"sequences         {self.seen[0]} fitted to, {self.seen[1]} for validation; {size}",
                 f"classes           {len(self.classes)}: {shown}"]
        if self.two_names:
            lines.append(f"two labels        {self.two_names} different sequences came with more than one label")
        return lines
