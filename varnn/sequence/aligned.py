"""Aligned: an answer at every step of a sequence, the symbol that comes next or a label of the step.

Logits = linear part + W_hy h_t + c. The linear part is Kneser–Ney counting for a next symbol and a regression on the
steps around for a label; it is fitted first, and W_hy = 0, c = 0 is the linear part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax

from varnn.errors import InputError, MissingDataError, ParameterError, ShapeError, TooShortError, UnfinishedWarning
from varnn.estimate.minibatch import Pace, descend
from varnn.estimate.numerics.threads import one_torch_thread
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
    where,
)
from varnn.sequence.kneser_ney import KneserNey, fit_kneser_ney
from varnn.sequence.linear_parts import FOLDS, Shares, folds, shares
from varnn.sequence.many_to_one import Reader
from varnn.sequence.network import BESIDE, Drop, Network, pool_weights
from varnn.sequence.steps import Unrolled, entered, states_along, unrolled
from varnn.sequence.symbols import (
    BEGIN,
    END,
    NO_OUTCOME,
    RESERVED,
    Sequences,
    Vocabulary,
    checked,
    class_numbers,
    classes_of,
    labels_of,
)
from varnn.sequence.warn import warn_of_unknown
from varnn.sequence.window import WindowRegression, fit_window, refit_window
from varnn.series import generator, whole_number

if TYPE_CHECKING:
    from torch import Tensor

Ints = NDArray[np.int64]
Said = Callable[[Ints], Floats]   # places (P,) -> log probabilities (P, c) of the linear part there
ORDERS = (2, 3, 4, 5, 6, 7)
CELLS_AT_ONCE = 4_000_000         # numbers of a table of predictions
PIECE = 4096                      # steps, over all sequences side by side, that are read at once
BLOCKS = 40                       # pieces that a long text is cut into for cross-fitting
TEXT_BLOCKS = 40                  # that a single sequence is scored by
LOOKS = 12                        # at the validation part, at most, in a descent over long texts


@dataclass(frozen=True, kw_only=True)
class SequenceLabeler:
    """Answer at every step: h_t = f(h_{t−1}, x_t), then softmax(linear part + W_hy h_t + c).

    Without labels the answer is the symbol that comes next, and the fit can write; with labels it is a label a step.

    Parameters
    ----------
    cell : "linear", "tanh", "gru" or "lstm"
    width : int
        Units in each direction, n.
    embed : int
        Numbers a symbol is turned into.
    both : bool
        Whether a second recursion reads each sequence from its end; not for a next symbol.
    beside : "auto", "kneser_ney", "window" or None
        The linear part whose logits are added: by itself counting for a next symbol, a regression on the steps around
        for labels; None for the recursion alone.
    nesting : "pool" or "offset"
        How the two are brought together. "pool": the recursion learns alone, then the weights of both logits are chosen
        on the validation part. "offset": the recursion learns what the linear part, cross-fitted, leaves over. Both are
        the same function, in which weight 1 and W_hy = 0 is the linear part.
    members : int
        Descents from different starts, whose probabilities are averaged.
    drop : float
        Share of the numbers of embedding and state that training holds at zero.
    unknown : float
        Share of the symbols that training reads as unknown; 0 refuses new symbols.
    noise : float
        Standard deviation of what training adds to numbers, in units of their spread.
    least : int
        Symbols seen less often are unknown.
    window : int
        Steps that a gradient goes back through in long texts; the state is carried on.
    memory : float, optional
        Steps that gates begin by keeping; left out, the longest sequence, at most a window. English text learns faster
        from few, such as 4.
    batch, epochs, patience : int
        Sequences (or columns of a long text) a step, passes at most, looks without an improvement before the end.
    rate, decay, clip : float
        Largest rate of learning, pull towards zero, largest norm of a gradient.
    dtype : "float32" or "float64"
    device : str

    Examples
    --------
    >>> fit = SequenceLabeler(cell="tanh", width=4, embed=3, epochs=2).fit(["abcabc", "bcabca", "cabcab"] * 8, rng=0)
    >>> fit.next("abca").idxmax()
    'b'
    """

    cell: str = "lstm"
    width: int = 64
    embed: int = 32
    both: bool = False
    beside: Literal["auto", "kneser_ney", "window"] | None = "auto"
    nesting: Literal["pool", "offset"] = "pool"
    members: int = 1
    drop: float = 0.1
    unknown: float = 0.01
    noise: float = 0.0
    least: int = 2
    window: int = 100
    memory: float | None = None
    batch: int = 32
    epochs: int = 10
    patience: int = 8
    rate: float = 4e-3
    decay: float = 1e-3
    clip: float = 1.0
    dtype: str = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_spec(self, ("auto", "kneser_ney", "window", None))
        if self.nesting not in ("pool", "offset"):
            raise ParameterError(f"nesting={self.nesting!r} is not usable; choose 'pool' or 'offset'")

    def fit(self, x: object, y: object = None, *, groups: object = None, validation: Any = 0.1, rng: object = None,
            progress: Progress | None = None) -> LabelerFit:
        """Learn to answer at every step.

        Parameters
        ----------
        x : list of N sequences
            Each a str (characters), a list of str (words) or, with labels, an array (T_i, k) of numbers.
        y : list of N label sequences, optional
            Each of the length of its sequence; left out, the next symbol is asked for.
        groups : list of N, optional
            What must not be split between fitting and validation; left out, equal sequences stay together.
        validation : float, x or (x, y)
            Share that decides when to stop, or sequences (and labels) of its own. A single long text gives its end.
        rng : int or numpy Generator, optional
            None is the seed 0; the same seed gives the same bits.
        progress : callable, optional
            (name, steps done, steps allowed).

        Returns
        -------
        LabelerFit

        Raises
        ------
        InputError
            One class only; a class that the training part lacks; numbers without labels.
        ShapeError
            A label sequence of another length than its sequence, with its place.
        """
        random = generator(rng)
        data = _parts(self, x, y, groups, validation, random)
        with one_torch_thread():
            return _fitted(self, data, random, progress)


@dataclass(frozen=True, eq=False)
class _Data:
    train: Sequences
    y: list[Ints] | None
    groups: Ints
    held: Sequences
    held_y: list[Ints] | None
    classes: tuple[Any, ...]


def _parts(spec: SequenceLabeler, x: object, y: object, groups: object, validation: Any,
           rng: np.random.Generator) -> _Data:
    everything = checked(x, "x")
    if y is None:
        _check_next(spec, everything)
    elif spec.beside == "kneser_ney":
        raise ParameterError("beside='kneser_ney' predicts a next symbol, not labels; use 'window', 'auto' or None")
    labels = None if y is None else label_rows(y, everything, "y")
    classes = () if labels is None else classes_of((label for row in labels for label in row), "y")
    numbers = None if labels is None else [class_numbers(row, classes, f"y[{i}]") for i, row in enumerate(labels)]
    own = numbered(groups, len(everything), "groups")
    own = group_numbers(everything.keys) if own is None else own
    if not isinstance(validation, (int, float)):
        held, held_y = _given(validation, everything, classes, y is not None)
        _check_classes(numbers, classes)
        return _Data(everything, numbers, own, held, held_y, classes)
    if isinstance(validation, bool) or not 0 < validation < 1:
        raise ParameterError(f"validation={validation!r} is not usable; give a share between 0 and 1, or sequences")
    if len(everything) == 1:
        return _cut_text(everything, numbers, classes, float(validation))
    fitted, kept = parted(own, float(validation), rng)

    def chosen(rows: Ints) -> list[Ints] | None:
        return None if numbers is None else [numbers[i] for i in rows]

    _check_classes(chosen(fitted), classes)
    return _Data(everything.take(fitted), chosen(fitted), group_numbers(own[fitted]), everything.take(kept),
                 chosen(kept), classes)


def _check_next(spec: SequenceLabeler, sequences: Sequences) -> None:
    if sequences.kind == "numbers":
        raise InputError("y is missing, and x holds numbers: a next symbol is asked of str or words only; give y, a "
                         "label for each step, or use a forecaster such as VAR for the next number")
    if spec.both:
        raise ParameterError("both=True reads the future, which holds the next symbol itself; use both=False, or give "
                             "y")
    if spec.beside == "window":
        raise ParameterError("beside='window' is for labels; a next symbol takes 'kneser_ney', 'auto' or None")


def _check_classes(numbers: list[Ints] | None, classes: tuple[Any, ...]) -> None:
    if numbers is None:
        return
    seen = set(np.concatenate(numbers).tolist())
    for number, label in enumerate(classes):
        if number not in seen:
            raise InputError(f"class {label!r} is at no step of the training part; give more sequences with it, leave "
                             "it out, or choose the validation part yourself: validation=(x, y)")


def _given(validation: Any, like: Sequences, classes: tuple[Any, ...], labelled: bool) -> tuple[Sequences,
                                                                                                 list[Ints] | None]:
    """Return a validation part that was given, with none of its sequences among those fitted to."""
    if labelled and (not isinstance(validation, tuple) or len(validation) != 2):
        raise ShapeError("validation is not (x, y); give sequences and their labels, or a share")
    held = checked(validation[0] if labelled else validation, "validation", like=like)
    both = set(like.keys) & set(held.keys)
    if both:
        place = next(i for i, key in enumerate(held.keys) if key in both)
        raise InputError(f"validation[{place}] is also among x, and {len(both)} in all: equal sequences on both sides "
                         "make a fit look better than it is; leave them out on one side, or give a share")
    if not labelled:
        return held, None
    rows = label_rows(validation[1], held, "validation[1]")
    return held, [class_numbers(row, classes, f"validation[1][{i}]") for i, row in enumerate(rows)]


def _cut_text(text: Sequences, numbers: list[Ints] | None, classes: tuple[Any, ...], share: float) -> _Data:
    """Return the beginning of a single sequence to fit to and its end to validate on."""
    row = text.rows[0]
    cut = len(row) - max(1, round(share * len(row)))
    if cut < 1:
        raise TooShortError(f"x holds one sequence of {len(row)} steps; at least two are needed to leave a part for "
                            "validation")
    first = None if numbers is None else [numbers[0][:cut]]
    second = None if numbers is None else [numbers[0][cut:]]
    _check_classes(first, classes)
    return _Data(Sequences(text.kind, (row[:cut],), text.columns), first, np.zeros(1, dtype=np.int64),
                 Sequences(text.kind, (row[cut:],), text.columns), second, classes)


def label_rows(y: object, sequences: Sequences, argument: str) -> list[list[object]]:
    """Return label sequences, each of the length of its sequence."""
    if isinstance(y, str) or not hasattr(y, "__iter__"):
        raise ShapeError(f"{argument} is a {type(y).__name__}; pass one label sequence for each sequence")
    rows = list(y)
    if len(rows) != len(sequences):
        raise ShapeError(f"{argument} has {len(rows)} label sequences for {len(sequences)} sequences; pass one for "
                         "each")
    found = []
    for i, (row, steps) in enumerate(zip(rows, sequences.lengths, strict=True)):
        if row is None or not hasattr(row, "__iter__"):
            error = MissingDataError if row is None else ShapeError
            raise error(f"{argument}[{i}] is {row!r}; pass a label for each of the {steps} steps of x[{i}]")
        labels = list(row)
        if len(labels) != steps:
            raise ShapeError(f"{argument}[{i}] has {len(labels)} labels, x[{i}] has {steps} steps; give one label a "
                             "step")
        found.append(labels_of(labels, len(labels), f"{argument}[{i}]"))
    return found


# ------------------------------------------------------------------------------------------------ places


@dataclass(frozen=True, eq=False)
class Places:
    """All steps of all sequences behind each other: what enters, what is asked, and where each sequence begins.

    Attributes
    ----------
    entering : array (P,) or (P, k)
    asked : array (P,)
        Class or outcome numbers.
    starts, lengths : array (N,)
    """

    entering: NDArray[Any]
    asked: Ints
    starts: Ints
    lengths: Ints

    @classmethod
    def of(cls, rows: list[NDArray[Any]], asked: list[Ints] | None, *, end: bool = True) -> Places:
        """Return the places of rows with labels, or of codes whose next symbol is asked for (and the end)."""
        if asked is None:
            tail = np.array([END])
            closed = [np.concatenate([row, tail]) if end else row for row in rows]
            rows = [np.concatenate([[BEGIN], row[:-1]]) for row in closed]
            asked = [row - NO_OUTCOME for row in closed]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        return cls(np.concatenate(rows), np.concatenate(asked), np.cumsum(lengths) - lengths, lengths)

    def side_by_side(self, chosen: Ints) -> Ints:
        """Return the places of some sequences, (T, B), −1 where one is over."""
        steps = np.arange(int(self.lengths[chosen].max()))[:, None]
        return np.where(steps < self.lengths[chosen], self.starts[chosen] + steps, -1)


def batches_of(places: Places, spec: SequenceLabeler, rng: np.random.Generator) -> Iterator[tuple[Ints, bool]]:
    """Yield places (T, B) of one pass, and whether the states go on from the batch before."""
    if places.lengths.mean() > spec.window and not spec.both:
        order = rng.permutation(len(places.lengths))
        flat = np.concatenate([places.starts[i] + np.arange(places.lengths[i]) for i in order])
        columns = min(spec.batch, max(1, len(flat) // 2))
        first = int(rng.integers(0, min(spec.window, len(flat) % columns + len(flat) // columns // 10 + 1)))
        steps = (len(flat) - first) // columns
        table = flat[first:first + steps * columns].reshape(columns, steps).T
        for at in range(0, steps, spec.window):
            yield table[at:at + spec.window], at > 0
        return
    order = rng.permutation(len(places.lengths))
    # sequences of like length together: less padding; a little noise, or the batches were the same in every pass
    order = order[np.argsort(places.lengths[order] * (1 + 0.2 * rng.random(len(order))), kind="stable")]
    chunks = [order[at:at + spec.batch] for at in range(0, len(order), spec.batch)]
    for i in rng.permutation(len(chunks)):
        yield places.side_by_side(chunks[i]), False


# ------------------------------------------------------------------------------------------------ linear parts


def _counted(data: _Data, vocabulary: Vocabulary, rng: np.random.Generator,
             crossed: bool) -> tuple[KneserNey, Said | None]:
    """Return the n-grams of the order that predicts the validation part best, and their cross-fitted word."""
    codes = len(vocabulary)
    end = np.array([END])
    rows = [np.concatenate([vocabulary.encode(row), end]) for row in data.train.rows]
    held = [np.concatenate([vocabulary.encode(row), end]) for row in data.held.rows]
    best: tuple[float, KneserNey] | None = None
    for order in ORDERS:
        counted = fit_kneser_ney(rows, order, codes)
        lost = -sum(float(counted.log_each(row, row - NO_OUTCOME).sum()) for row in held)
        if best is not None and lost >= best[0]:
            break
        best = (lost, counted)
    assert best is not None
    if not crossed:
        return best[1], None
    order = best[1].order
    pieces, begun, fold_of = _pieces(rows, data.groups, rng)
    fold = np.concatenate([np.full(len(piece), number) for piece, number in zip(pieces, fold_of, strict=True)])
    places = np.arange(len(fold))
    contexts = np.zeros((len(fold), order), dtype=np.int64)
    parts: list[KneserNey] = []
    for number in range(FOLDS):
        others = [i for i in range(len(pieces)) if fold_of[i] != number]
        part = fit_kneser_ney([pieces[i] for i in others], order, codes, [begun[i] for i in others])
        at = 0
        for row in rows:
            own = places[at:at + len(row)]
            mine = fold[own] == number
            if mine.any():
                contexts[own[mine]] = part.contexts(row)[:-1][mine]
            at += len(row)
        parts.append(part)

    def said(asked: Ints) -> Floats:
        logs = np.empty((len(asked), codes - NO_OUTCOME))
        for number, part in enumerate(parts):
            own = np.flatnonzero(fold[asked] == number)
            if len(own):
                logs[own] = np.log(part.of_contexts(contexts[asked[own]]))
        return logs

    return best[1], said


def _pieces(rows: list[Ints], groups: Ints, rng: np.random.Generator) -> tuple[list[Ints], list[bool], Ints]:
    """Return sequences, long ones cut, which of them begin one, and the fold of each."""
    if len(rows) >= BLOCKS:
        return rows, [True] * len(rows), folds(groups, rng)
    pieces: list[Ints] = []
    begun: list[bool] = []
    for row in rows:
        parts = np.array_split(row, min(BLOCKS, max(1, len(row) // 2)))
        pieces += parts
        begun += [True, *[False] * (len(parts) - 1)]
    return pieces, begun, rng.permutation(len(pieces)) % FOLDS


def _windowed(data: _Data, rows: list[NDArray[Any]], held: list[NDArray[Any]], symbols: int, both: bool,
              rng: np.random.Generator) -> tuple[WindowRegression, Said]:
    """Return the regression on the steps around and its cross-fitted word."""
    assert data.y is not None
    assert data.held_y is not None
    chosen = fit_window(rows, np.concatenate(data.y), len(data.classes), symbols, both, held,
                        np.concatenate(data.held_y))
    fold = folds(data.groups, rng) if len(rows) >= FOLDS else np.zeros(len(rows), dtype=np.int64)
    if len(np.unique(fold)) < 2:
        logs = chosen.log_proba(rows)
    else:
        step_fold = np.repeat(fold, [len(row) for row in rows])
        logs = np.zeros((len(step_fold), len(data.classes)))
        for number in np.unique(fold):
            others = np.flatnonzero(fold != number)
            part = refit_window(chosen, [rows[i] for i in others], np.concatenate([data.y[i] for i in others]))
            logs[step_fold == number] = part.log_proba([rows[i] for i in np.flatnonzero(fold == number)])
    return chosen, lambda asked: logs[asked]


# ------------------------------------------------------------------------------------------------ fitting


def _fitted(spec: SequenceLabeler, data: _Data, rng: np.random.Generator, progress: Progress | None) -> LabelerFit:
    vocabulary = mean = scale = None
    if data.train.kind == "numbers":
        frames = np.concatenate(data.train.rows)
        mean, spread = frames.mean(0), frames.std(0)
        scale = np.where(spread > 0, spread, 1.0)
    else:
        vocabulary = Vocabulary.of(data.train.rows, spec.least)
        if not vocabulary.symbols:
            raise InputError(f"every symbol of x is seen less than {spec.least} times, so that all are unknown; give "
                             "more sequences, or least=1")
    reader = Reader(data.train.kind, vocabulary, mean, scale)
    rows, held = reader.rows(data.train), reader.rows(data.held)
    symbols = 0 if vocabulary is None else len(vocabulary)
    next_symbol = data.y is None
    outputs = symbols - NO_OUTCOME if next_symbol else len(data.classes)
    network = Network(cell=spec.cell, inputs=spec.embed if symbols else data.train.columns, width=spec.width,
                      outputs=outputs, symbols=symbols, both=spec.both, tied=next_symbol,
                      beside=spec.beside is not None)
    places = Places.of(rows, data.y)
    linear: KneserNey | WindowRegression | Shares
    said: Said | None = None
    if spec.beside is None:
        linear = shares(places.asked, outputs)
    elif vocabulary is not None and next_symbol:
        linear, said = _counted(data, vocabulary, rng, spec.nesting == "offset")
    else:
        linear, said = _windowed(data, rows, held, symbols, spec.both, rng)
    said = said if spec.nesting == "offset" else None
    fit = LabelerFit(spec=spec, network=network, members=(), classes=data.classes, linear=linear, reader=reader,
                     held=Losses(*(np.zeros(0),) * 4), seen=(len(data.train), len(data.held)),
                     longest=int(data.train.lengths.max()), steps=len(places.asked))
    asked = [row - NO_OUTCOME for row in _ended(held)] if data.held_y is None else data.held_y
    members = tuple(_descent(spec, network, places, said, fit, (data.held, asked), int(rng.integers(2**62)),
                             f"member {i + 1}", progress) for i in range(spec.members))
    fit = replace(fit, members=members)
    return replace(fit, held=fit.losses_of(data.held, asked))


def _ended(rows: list[NDArray[Any]]) -> list[Ints]:
    return [np.concatenate([row, [END]]) for row in rows]


def _descent(spec: SequenceLabeler, network: Network, places: Places, said: Said | None, fit: LabelerFit,
             held: tuple[Sequences, list[Ints]], seed: int, name: str, progress: Progress | None) -> Member:
    import torch
    from torch.nn.functional import cross_entropy

    rng = np.random.default_rng(seed)
    device, dtype = where(spec.device), getattr(torch, spec.dtype)
    drop = Drop(spec.drop, spec.unknown, torch.Generator().manual_seed(int(rng.integers(2**62))), spec.noise)
    memory = float(min(places.lengths.max(), spec.window)) if spec.memory is None else spec.memory
    start = {key: torch.as_tensor(array, device=device)
             for key, array in network.initial(rng, memory, spec.dtype).items()}
    carried: list[tuple[Tensor, ...]] = []

    def loss(weights: Mapping[str, Tensor], batch: tuple[Ints, bool]) -> Tensor:
        table, goes_on = batch
        here = table >= 0
        entering = torch.as_tensor(places.entering[np.maximum(table, 0)], device=device)
        entering = entering.to(dtype) if entering.is_floating_point() else entering
        lengths = torch.as_tensor(here.sum(0), device=device)
        before = carried.pop() if goes_on and carried else None
        logits, after = network.each(weights, drop.blank(entering), lengths, drop, before)
        carried[:] = [tuple(state.detach() for state in after)]
        chosen = logits[torch.as_tensor(here, device=device)]
        if said is not None:
            beside = torch.as_tensor(said(table[here]), dtype=dtype, device=device)
            chosen = weights[BESIDE][0] * beside + weights[BESIDE][1] * chosen
        return cross_entropy(chosen, torch.as_tensor(places.asked[table[here]], device=device))

    learnt = fit if said is not None or not network.beside else fit.alone()

    def as_fit(weights: Mapping[str, Tensor]) -> LabelerFit:
        arrays = {key: weight.detach().cpu().numpy() for key, weight in weights.items()}
        return replace(learnt, members=(Member(arrays, "", 0, 0, np.zeros((0, 3))),))

    def validate(weights: Mapping[str, Tensor]) -> float:
        lost = as_fit(weights).losses_of(*held, linear_too=False)
        return float(lost.own.sum() / lost.steps.sum())

    a_pass = sum(1 for _ in batches_of(places, spec, np.random.default_rng(0)))
    steps = spec.epochs * a_pass
    pace = Pace(steps=steps, check=max(1, min(a_pass, -(-steps // LOOKS)) if a_pass > 50 else a_pass), rate=spec.rate,
                decay=spec.decay, clip=spec.clip, patience=spec.patience,
                rise=0.05 if places.lengths.mean() > spec.window else 0.2)
    found = descend(start, loss, lambda: batches_of(places, spec, rng), validate, pace, progress, name=name,
                    free_of_decay=("offset", BESIDE))
    weights = {key: weight.cpu().numpy() for key, weight in found.weights.items()}
    if learnt is not fit:
        weights[BESIDE] = pool_weights(*_both_logits(as_fit(found.weights), *held)).astype(spec.dtype)
    return Member(weights, found.stop.message, found.steps, found.best_step,
                  np.array(found.losses, dtype=np.float64).reshape(-1, 3))


def _both_logits(fit: LabelerFit, sequences: Sequences, asked: list[Ints]) -> tuple[Floats, Floats, Ints]:
    """Return log p of the recursion and of its linear part, (P, c), and what came true, at some steps of validation."""
    own, said, true = [], [], []
    wanted, every = CELLS_AT_ONCE // fit.network.outputs, max(1, len(sequences) // 2000)
    few = np.arange(0, len(sequences), every)
    for rows, lengths, logs, beside in fit._logs(sequences.take(few)):
        for b, i in enumerate(rows):
            own.append(logs[:lengths[b], b][:wanted])
            said.append(beside[:lengths[b], b][:wanted])
            true.append(asked[few[i]][:wanted])
    steps = min(wanted, sum(map(len, true)))
    return np.concatenate(own)[:steps], np.concatenate(said)[:steps], np.concatenate(true)[:steps]


@dataclass(frozen=True, eq=False, repr=False)
class LabelerFit(SequenceFit):
    """A labeler with its weights; immutable.

    Attributes
    ----------
    spec : SequenceLabeler
    network : Network
    members : tuple of Member
    classes : tuple
        Labels, in the order of the columns of `predict_proba`; empty where the next symbol is asked for.
    linear : KneserNey, WindowRegression or Shares
        The linear part; `Shares`, which does not enter, where there is none.
    reader : Reader
    held : Losses
        On the validation part.
    seen : tuple of int
        Sequences fitted to, and of the validation part.
    longest, steps : int
        Steps of the longest sequence fitted to, and of all.

    Examples
    --------
    >>> import varnn
    >>> texts = ["abcabc", "bcabca", "cabcab"] * 8
    >>> fit = varnn.SequenceLabeler(cell="tanh", width=4, embed=3, epochs=2).fit(texts, rng=0)
    >>> fit.next("abca").idxmax()
    'b'
    """

    spec: SequenceLabeler
    network: Network
    members: tuple[Member, ...]
    classes: tuple[Any, ...]
    linear: KneserNey | WindowRegression | Shares
    reader: Reader
    held: Losses = field(repr=False)
    seen: tuple[int, int] = (0, 0)
    longest: int = 0
    steps: int = 0

    @property
    def linear_words(self) -> str:
        """What the linear part is."""
        return self.linear.words

    @property
    def writes(self) -> bool:
        """Whether the next symbol is asked for."""
        return not self.classes

    @property
    def answers(self) -> tuple[Any, ...]:
        """What the columns of `predict_proba` stand for."""
        if self.reader.vocabulary is not None and self.writes:
            return self.reader.vocabulary.outcomes
        return self.classes

    def predict_proba(self, x: object) -> list[pd.DataFrame]:
        """Return the probability of each answer at each step, a table (T_i, c) for each sequence.

        Where the next symbol is asked for, row t is what was expected at step t, and a last row what may follow.
        """
        sequences = self._checked(x)
        tables: list[pd.DataFrame] = [pd.DataFrame()] * len(sequences)
        for rows, lengths, logs, _ in self._logs(sequences):
            for b, i in enumerate(rows):
                tables[i] = probabilities(np.exp(logs[:lengths[b], b]), self.answers)
        return tables

    def predict(self, x: object) -> list[NDArray[Any]]:
        """Return the most probable answer at each step, an array (T_i,) for each sequence."""
        names = np.array(self.answers, dtype=object if self.writes else None)
        return [names[table.to_numpy().argmax(1)] for table in self.predict_proba(x)]

    def next(self, prompt: object) -> pd.Series:
        """Return the probability of every symbol after a beginning, largest first; "<end>" closes the sequence.

        Parameters
        ----------
        prompt : str or list of str
            May be empty: then it is the first symbol that is asked for.
        """
        self._must_write("next")
        table = self._log_after([self._codes(prompt)])
        return pd.Series(np.exp(table[0]), index=pd.Index(self.answers, name="next"),
                         name="probability").sort_values(ascending=False, kind="stable")

    def perplexity(self, x: object) -> float:
        """Return exp(mean −log p) of the symbols of sequences and their ends."""
        self._must_write("perplexity")
        return self.score(x).perplexity

    def sample(self, count: int = 1, *, prompt: object = "", temperature: float = 1.0, longest: int | None = None,
               rng: object = None) -> list[Any]:
        """Write sequences.

        Parameters
        ----------
        count : int
        prompt : str or list of str
            How each begins.
        temperature : float
            p^(1 / temperature), made to sum to one; below 1 keeps to the likely.
        longest : int, optional
            Symbols after which writing stops; left out, half again as many as the longest seen, at most 400.
        rng : int or numpy Generator, optional

        Returns
        -------
        list of str, or of lists of words

        Warns
        -----
        UnfinishedWarning
            Where `longest` was left out and a sequence had not ended by then.
        """
        self._must_write("sample")
        whole_number(count, "count", least=1)
        if not isinstance(temperature, (int, float)) or isinstance(temperature, bool) or not temperature > 0:
            raise ParameterError(f"temperature={temperature!r} is not usable; give a number above 0")
        if longest is not None:
            whole_number(longest, "longest", least=1)
        most = longest if longest is not None else min(400, int(1.5 * self.longest) + 5)
        random = generator(rng)
        written = [list(self._codes(prompt)) for _ in range(count)]
        states: list[Any] = [None] * len(self.members)
        entering = [np.array([BEGIN, *row]) for row in written]
        open_rows = np.ones(count, dtype=bool)
        for _ in range(most):
            logs, states = self._log_step(entering, written, states)
            logs[:, 0] = -np.inf  # the unknown symbol cannot be written
            scaled = log_softmax(logs / temperature, axis=1)
            below = np.exp(scaled).cumsum(1) < random.random((count, 1))
            drawn = below.sum(1).clip(max=logs.shape[1] - 1) + NO_OUTCOME
            open_rows &= drawn != END
            if not open_rows.any():
                break
            for i in np.flatnonzero(open_rows):
                written[i].append(int(drawn[i]))
            entering = [np.array([code]) for code in drawn]
        if open_rows.any() and longest is None and self.longest <= 400:
            warnings.warn(f"{int(open_rows.sum())} of {count} sequences had not ended after {most} symbols; give "
                          "longest= to write on, or take them as they are", UnfinishedWarning, stacklevel=2)
        assert self.reader.vocabulary is not None
        names = {code: symbol for symbol, code in self.reader.vocabulary.numbers.items()}
        texts = [[names.get(code, "�") for code in row] for row in written]
        return ["".join(row) for row in texts] if self.reader.kind == "characters" else texts

    def losses(self, x: object, y: object = None) -> Losses:
        """Return what the fit and its linear part lose on sequences, sums over the steps of each."""
        sequences = self._checked(x)
        if self.writes:
            if y is not None:
                raise ParameterError("y is given to a fit that predicts the next symbol; leave it out")
            return self.losses_of(sequences, [row - NO_OUTCOME for row in _ended(self.reader.rows(sequences))])
        if y is None:
            raise ParameterError("y is missing; pass the labels of the steps")
        rows = label_rows(y, sequences, "y")
        return self.losses_of(sequences, [class_numbers(row, self.classes, f"y[{i}]") for i, row in enumerate(rows)])

    def losses_of(self, sequences: Sequences, asked: list[Ints], *, linear_too: bool = True) -> Losses:
        """Return the losses of sequences that have been looked at, with the numbers of what came true.

        A single long one counts as blocks, whose losses are nearly independent of each other: it has a standard error.
        Without `linear_too` a linear part that does not enter is not asked, which saves time while learning.
        """
        starts = [0]
        if len(sequences) == 1 and len(asked[0]) >= 2 * TEXT_BLOCKS:
            starts = [int(block[0]) for block in np.array_split(np.arange(len(asked[0])), TEXT_BLOCKS)]
        own, linear, right, steps = (np.zeros(max(len(sequences), len(starts))) for _ in range(4))
        said = self.linear.log_shares if isinstance(self.linear, Shares) else None
        for rows, lengths, logs, beside in self._logs(sequences, linear_too or self.network.beside):
            for b, i in enumerate(rows):
                t, true = np.arange(lengths[b]), asked[i]
                at = slice(int(i), int(i) + len(starts))
                own[at] = -np.add.reduceat(logs[t, b, true], starts)
                right[at] = np.add.reduceat((logs[t, b].argmax(1) == true).astype(float), starts)
                linear[at] = -np.add.reduceat(said[true] if said is not None else beside[t, b, true], starts)
                steps[at] = np.diff([*starts, len(true)])
        return Losses(own, linear, right, steps)

    def unrolled(self, sequence: object) -> Unrolled:
        """Return inputs, states and probabilities along one sequence, and the loss of what came next under each step.

        Where the next symbol is asked for, step t shows what was expected after it; what follows the last is not known.
        """
        row = self._checked([sequence])
        table, codes = self.predict_proba([sequence])[0], self.reader.rows(row)[0]
        losses = np.full(len(codes), np.nan)
        if not self.writes:
            return unrolled(entered(row), states_along(self, codes[None]), table, losses, cell_words(self.network))
        table = table.iloc[1:].reset_index(drop=True)
        losses[:-1] = -np.log(table.to_numpy()[np.arange(len(codes) - 1), codes[1:] - NO_OUTCOME])
        states = states_along(self, np.concatenate([[BEGIN], codes])[None])[1:]
        return unrolled(entered(row), states, table, losses, f"{cell_words(self.network)}: what comes next?")

    # -------------------------------------------------------------------------------------------- the inside

    def _logs(self, sequences: Sequences, linear_too: bool = True) -> Iterator[tuple[Ints, Ints, Floats, Floats]]:
        """Yield sequence numbers (B,), lengths (B,), log p (T, B, c) and the linear part's, some sequences at a time.

        A long one is read in pieces with its state carried, so only its own table is held.
        """
        rows = self.reader.rows(sequences)
        places = Places.of(rows, None if self.writes else [np.zeros(len(row), dtype=np.int64) for row in rows])
        order = np.argsort(places.lengths, kind="stable")
        at = 0
        while at < len(order):
            longest = places.lengths[order[at:]]
            fits = np.flatnonzero(longest * np.arange(1, len(longest) + 1) * self.network.outputs > CELLS_AT_ONCE)
            count = max(1, int(fits[0]) if len(fits) else len(longest))
            chosen = order[at:at + count]
            said = self._said([rows[i] for i in chosen], places.lengths[chosen], linear_too)
            with one_torch_thread():
                logs = [log_softmax(self._logits(member, places, chosen, said), axis=2) for member in self.members]
            yield (chosen, places.lengths[chosen],
                   logs[0] if len(logs) == 1 else np.logaddexp.reduce(logs, axis=0) - np.log(len(logs)), said)
            at += count

    def _logits(self, member: Member, places: Places, chosen: Ints, said: Floats) -> Floats:
        import torch

        weights, device = self.tensors(member), where(self.spec.device)
        table = places.side_by_side(chosen)
        lengths = (table >= 0).sum(0)
        piece = len(table) if self.network.both else max(1, min(len(table), PIECE // len(chosen)))
        out = np.empty((*table.shape, self.network.outputs))
        states = None
        with torch.no_grad():
            for at in range(0, len(table), piece):
                part = table[at:at + piece]
                entering = torch.as_tensor(places.entering[np.maximum(part, 0)], device=device)
                if entering.is_floating_point():
                    entering = entering.to(getattr(torch, self.spec.dtype))
                own = torch.as_tensor((lengths - at).clip(0, len(part)), device=device)
                logits, states = self.network.each(weights, entering, own, Drop(), states)
                out[at:at + piece] = logits.double().cpu().numpy()
        if self.network.beside:
            a, b = weights[BESIDE].double().cpu().numpy()
            out = a * said + b * out
        return out

    def _said(self, rows: list[NDArray[Any]], lengths: Ints, asked: bool) -> Floats:
        """Return the linear part's log probabilities (T, B, c); 0 in the padding, and all 0 where there is none."""
        said = np.zeros((int(lengths.max()), len(rows), self.network.outputs))
        if isinstance(self.linear, Shares) or not asked:
            return said
        if isinstance(self.linear, KneserNey):
            for b, row in enumerate(rows):
                said[:lengths[b], b] = np.log(self.linear.of_contexts(self.linear.contexts(row)))
            return said
        flat, at = self.linear.log_proba(rows), 0
        for b, length in enumerate(lengths):
            said[:length, b] = flat[at:at + length]
            at += length
        return said

    def _log_step(self, entering: list[Ints], written: list[list[int]], states: list[Any]) -> tuple[Floats, list[Any]]:
        """Return log p (B, c) of what comes next after codes of equal length have entered, and the members' states."""
        import torch

        batch = np.stack(entering, axis=1)
        said = np.zeros((len(written), self.network.outputs))
        if isinstance(self.linear, KneserNey):
            keep = self.linear.order - 1
            contexts = [self.linear.contexts(np.array(row[max(0, len(row) - keep):], dtype=np.int64))[-1]
                        for row in written]
            said = np.log(self.linear.of_contexts(np.array(contexts)))
        logs, after = [], []
        for member, before in zip(self.members, states, strict=True):
            weights, device = self.tensors(member), where(self.spec.device)
            with torch.no_grad(), one_torch_thread():
                lengths = torch.full((batch.shape[1],), len(batch), device=device)
                entering_now = torch.as_tensor(batch, device=device)
                logits, state = self.network.each(weights, entering_now, lengths, Drop(), before)
            raw = logits[-1].double().cpu().numpy()
            if self.network.beside:
                a, b = weights[BESIDE].double().cpu().numpy()
                raw = a * said + b * raw
            logs.append(log_softmax(raw, axis=1))
            after.append(state)
        return np.logaddexp.reduce(logs, axis=0) - np.log(len(logs)), after

    def _log_after(self, rows: list[Ints]) -> Floats:
        return self._log_step([np.array([BEGIN, *row]) for row in rows], [list(row) for row in rows],
                              [None] * len(self.members))[0]

    def _codes(self, prompt: object) -> Ints:
        assert self.reader.vocabulary is not None
        row = checked([prompt], "prompt", like=Sequences(self.reader.kind, ()), empty=True)  # type: ignore[arg-type]
        if self.spec.unknown == 0.0:
            self.reader.vocabulary.refuse_unknown(row.rows, "prompt")
        return self.reader.vocabulary.encode(row.rows[0])

    def _checked(self, x: object) -> Sequences:
        like = Sequences(self.reader.kind, (), 0 if self.reader.mean is None else len(self.reader.mean))  # type: ignore[arg-type]
        sequences = checked(x, "x", like=like)
        warn_of_unknown(self.reader.vocabulary, sequences, self.spec.unknown, "x")
        return sequences

    def _must_write(self, what: str) -> None:
        if not self.writes:
            raise ParameterError(f"{what}() is asked of a fit to labels; fit without y to predict the next symbol")

    def _about(self) -> list[str]:
        vocabulary = self.reader.vocabulary
        size = "" if vocabulary is None else f"; {len(vocabulary) - RESERVED} {self.reader.kind} known"
        shown = ", ".join(map(repr, self.classes[:6])) + (" …" if len(self.classes) > 6 else "")
        asked = "the next symbol" if self.writes else f"{len(self.classes)} labels: {shown}"
        return [f"sequences         {self.seen[0]} fitted to ({self.steps} steps), {self.seen[1]} for validation{size}",
                f"asked             {asked}"]
