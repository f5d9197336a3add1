"""What every fit to sequences shares: how good it is, whether it beats its linear part, and its summary.

A score is an average of one loss a sequence with its standard error; sequences are independent, their steps are not.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from math import erf, exp, isnan, log, nan, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.display import Sheet, together
from varnn.errors import MissingDependencyError, ParameterError, ShapeError, TooShortError
from varnn.kept import Kept
from varnn.picture import INK, Picture, legend_outside, styled
from varnn.recursion.cells import CELLS
from varnn.sequence.network import BESIDE, Arrays, Network
from varnn.sequence.symbols import Sequences

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
LINEAR = "linear part"
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Score:
    """How well a fit predicts.

    Attributes
    ----------
    accuracy : float
        Share of right answers, of steps for a labeler.
    log_loss : float
        −log p of what came true, in nats, a mean over sequences or over their steps.
    n : int
        Sequences, or steps.
    standard_error : float
        Of the log loss; sequences (or the groups named) taken as independent.
    accuracy_error : float
        Standard error of the accuracy.
    """

    accuracy: float
    log_loss: float
    n: int
    standard_error: float
    accuracy_error: float

    @property
    def bits(self) -> float:
        """The log loss in bits."""
        return self.log_loss / log(2)

    @property
    def perplexity(self) -> float:
        """exp(log loss): among how many equally likely outcomes the fit is undecided."""
        return exp(self.log_loss)

    def __str__(self) -> str:
        return (f"accuracy {self.accuracy:.2%} (± {self.accuracy_error:.2%}), log loss {self.log_loss:.4f} nats "
                f"(± {self.standard_error:.4f}), n = {self.n}")


@dataclass(frozen=True)
class Gain:
    """A paired comparison: by how many nats a fit predicts better than another.

    Attributes
    ----------
    gain : float
        Mean of the other's log loss minus this one's; above zero where this one is better.
    standard_error : float
        Of the gain, from the differences sequence by sequence (or group by group).
    n : int
        Sequences or groups compared.
    fit, other : str
        What is compared, in words.
    on : str
        Which data.
    """

    gain: float
    standard_error: float
    n: int
    fit: str
    other: str
    on: str

    @property
    def z(self) -> float:
        """Gain over its standard error."""
        if self.standard_error == 0.0 or isnan(self.standard_error):
            return 0.0 if self.gain == 0.0 else nan
        return self.gain / self.standard_error

    @property
    def p_value(self) -> float:
        """Two-sided, of equal predictions, by the normal distribution."""
        return nan if isnan(self.z) else 1.0 - erf(abs(self.z) / sqrt(2.0))

    @property
    def sentence(self) -> str:
        """What follows, in words."""
        numbers = (f"{abs(self.gain):.4f} nats (± {self.standard_error:.4f}, p = {self.p_value:.3f}, "
                   f"n = {self.n}, {self.on})")
        if isnan(self.p_value):
            return f"{self.fit} against {self.other}: too few sequences to tell ({self.gain:+.4f} nats, n = {self.n})."
        if self.p_value >= 0.05:
            return f"No evidence that {self.fit} and {self.other} predict unlike: a difference of {numbers}."
        better, worse = (self.fit, self.other) if self.gain > 0 else (self.other, self.fit)
        return f"{better} predicts better than {worse} by {numbers}."

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, eq=False)
class Losses:
    """What a fit and its linear part lost on some sequences, each (N,): sums over the steps of a sequence.

    Attributes
    ----------
    own, linear : array (N,)
        −log p of what came true.
    right : array (N,)
        Right answers.
    steps : array (N,)
        Answers in all.
    """

    own: Floats
    linear: Floats
    right: Floats
    steps: Floats

    def score(self, groups: NDArray[np.int64] | None = None) -> Score:
        """Return mean and standard error, a ratio of sums over independent sequences or groups."""
        n = float(self.steps.sum())
        loss, accuracy = float(self.own.sum()) / n, float(self.right.sum()) / n
        return Score(accuracy, loss, int(n), ratio_error(self.own, self.steps, groups),
                     ratio_error(self.right, self.steps, groups))


def ratio_error(sums: Floats, steps: Floats, groups: NDArray[np.int64] | None = None) -> float:
    """Return the standard error of Σ sums / Σ steps, groups being independent; not a number for a single one.

    References
    ----------
    Cochran (1977), Sampling Techniques, equation 6.13 (linearised ratio).
    """
    if groups is not None:
        sums = np.bincount(groups, sums).astype(float)
        steps = np.bincount(groups, steps).astype(float)
    count = len(sums)
    if count < 2:
        return nan
    apart = sums - sums.sum() / steps.sum() * steps
    return float(np.sqrt(count / (count - 1) * (apart @ apart)) / steps.sum())


@dataclass(frozen=True, eq=False)
class Member:
    """One descent: weights by name and how it went.

    Attributes
    ----------
    weights : dict of str to array
    stop : str
        Why it ended, in a sentence.
    steps, best_step : int
    losses : array (looks, 3)
        Step, training loss, validation loss.
    """

    weights: Arrays
    stop: str
    steps: int
    best_step: int
    losses: Floats


class SequenceFit(Kept):
    """A fit to sequences; its two kinds differ in what is read out."""

    spec: Any
    network: Network
    members: tuple[Member, ...]
    held: Losses

    @abstractmethod
    def losses(self, x: object, y: object) -> Losses:
        """Return what the fit and its linear part lose on sequences, sequence by sequence."""

    @property
    @abstractmethod
    def linear_words(self) -> str:
        """What the linear part is."""

    @property
    def words(self) -> str:
        """What the fit is, in a few words."""
        count = f" (mean of {len(self.members)})" if len(self.members) > 1 else ""
        beside = f" beside {self.linear_words}" if self.network.beside else ""
        return f"{cell_words(self.network)}{beside}{count}"

    def score(self, x: object, y: object = None, *, groups: object = None) -> Score:
        """Return accuracy and log loss with standard errors, on sequences that were not fitted to.

        Parameters
        ----------
        x, y
            As for `fit`.
        groups : sequence, optional
            Sequences of one group are not independent, say rows of one name; the errors allow for it.
        """
        found = self.losses(x, y)
        return found.score(numbered(groups, len(found.own), "groups"))

    def against(self, other: str | SequenceFit = LINEAR, x: object = None, y: object = None, *,
                groups: object = None) -> Gain:
        """Test whether this fit predicts better than its own linear part, or than another fit.

        Parameters
        ----------
        other : "linear part" or a fit of the same kind
        x, y
            Sequences that neither was fitted to. Without them the validation part is used, which chose when to stop
            and so favours this fit a little; the sentence says so.
        groups : sequence, optional
            Which sequences are not independent of each other.

        Returns
        -------
        Gain
        """
        if other != LINEAR and not isinstance(other, SequenceFit):
            raise ParameterError(f"against() takes {LINEAR!r} or another fit to sequences, not {other!r}")
        if x is None:
            if isinstance(other, SequenceFit):
                raise ParameterError("against(another fit) needs x (and y): sequences that neither was fitted to")
            mine, on = self.held, "the validation part, which chose when to stop"
            theirs = mine.linear
        else:
            mine, on = self.losses(x, y), "sequences given"
            theirs = other.losses(x, y).own if isinstance(other, SequenceFit) else mine.linear
        clusters = numbered(groups, len(mine.own), "groups")
        steps = mine.steps if clusters is None else np.bincount(clusters, mine.steps)
        difference = theirs - mine.own
        return Gain(float(difference.sum() / mine.steps.sum()), ratio_error(difference, mine.steps, clusters),
                    len(steps), self.words, other.words if isinstance(other, SequenceFit) else self.linear_words, on)

    def alone(self) -> Self:
        """Return the recursion without its linear part: what it says by itself."""
        own = tuple(replace(member, weights={name: array for name, array in member.weights.items() if name != BESIDE})
                    for member in self.members)
        return replace(self, network=replace(self.network, beside=False), members=own)  # type: ignore[type-var]

    def summary(self) -> str:
        """Return what was fitted to what, how it went and what it is worth, as a few lines of text."""
        held = self.held.score()
        weights = sum(array.size for array in self.members[0].weights.values())
        ends = "; ".join(sorted({member.stop for member in self.members}))
        steps = ", ".join(f"{member.best_step} of {member.steps}" for member in self.members)
        lines = [self.words, *self._about(), f"weights           {weights} in each of {len(self.members)}",
                 f"steps (kept of)   {steps}", f"ended             {ends}", f"validation part   {held}",
                 self.against().sentence]
        return "\n".join(lines)

    @abstractmethod
    def _about(self) -> list[str]:
        """Return the lines of the summary on data and classes."""

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary as a table."""
        title, *lines = self.summary().splitlines()
        rows = [line.partition("  ") for line in lines]
        facts = [(name, said.strip()) if said else ("in words", name) for name, _, said in rows]
        return Sheet(f"{type(self).__name__}: {title}", tuple(facts)).html()

    def plot(self) -> Picture:
        """Draw how each descent went: training and validation loss by step, and the step whose weights were kept.

        The weights of the linear part and of the recursion are set after it; what the whole is worth says `score`.
        """
        from matplotlib.figure import Figure

        with styled():
            figure = Figure(figsize=(6.4, 3.4), layout="constrained")
            axes = figure.subplots()
            for i, member in enumerate(self.members):
                step, training, validation = member.losses.T
                axes.plot(step, training, color="0.6", ls="--", lw=1.2, label="training" if i == 0 else None)
                axes.plot(step, validation, color=INK, lw=1.2, label="validation" if i == 0 else None)
                axes.axvline(member.best_step, color="0.8", lw=0.8, label="kept" if i == 0 else None)
            axes.set(xlabel="step", ylabel="log loss in the descent, nats")
            legend_outside(figure, axes)
        kept = together([str(member.best_step) for member in self.members])
        return Picture.of(axes, f"Log loss in the descent of the {cell_words(self.network)}, in training and "
                                f"validation by step; the weights kept are those of step {kept}.")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fit to one file, without pickle; `varnn.load` gives it back with the same bits."""
        from varnn.persist import save

        return save(self, path)

    def tensors(self, member: Member, device: str | None = None) -> Mapping[str, Tensor]:
        """Return a member's weights as tensors."""
        import torch

        place = where(self.spec.device if device is None else device)
        return {name: torch.as_tensor(array.copy(), device=place) for name, array in member.weights.items()}


def cell_words(network: Network) -> str:
    """Return a recursion in a few words."""
    ways = ", both ways" if network.both else ""
    return f"{network.cell} recursion of {network.width} units{ways}"


def where(device: str) -> str:
    """Return the device, or refuse one that this machine lacks."""
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ParameterError(f"device={device!r} is none that torch knows; give 'cpu' or 'cuda'") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise MissingDependencyError(f"device={device!r} asks for CUDA, which torch does not find here; use 'cpu'")
    return device


def numbered(groups: object, count: int, argument: str) -> NDArray[np.int64] | None:
    """Return a whole number for each group, (N,), or None."""
    if groups is None:
        return None
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        raise ParameterError(f"{argument} is a {type(groups).__name__}; give one group for each sequence")
    found = list(groups)
    if len(found) != count:
        raise ShapeError(f"{argument} has {len(found)} entries for {count} sequences; give one for each")
    return group_numbers(found)


def group_numbers(keys: Iterable[object]) -> NDArray[np.int64]:
    """Return a number for each key, equal for equal keys, counted in order of appearance."""
    place: dict[object, int] = {}
    return np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)


def parted(groups: NDArray[np.int64], share: float, rng: np.random.Generator) -> tuple[NDArray[np.int64],
                                                                                       NDArray[np.int64]]:
    """Return the rows to fit to and those to validate on, no group on both sides."""
    kinds = int(groups.max()) + 1
    wanted = max(1, round(share * kinds))
    if kinds - wanted < 1:
        raise TooShortError(f"there are {kinds} different sequences or groups; at least two are needed to leave a part "
                            "for validation: give more, or validation=(x, y)")
    held = np.zeros(kinds, dtype=bool)
    held[rng.permutation(kinds)[:wanted]] = True
    return np.flatnonzero(~held[groups]), np.flatnonzero(held[groups])


def check_spec(spec: Any, beside: tuple[str | None, ...]) -> None:
    """Refuse settings that cannot be used, naming the setting."""
    choices: dict[str, tuple[Any, ...]] = {"cell": tuple(CELLS), "dtype": DTYPES, "beside": beside}
    for name, known in choices.items():
        if getattr(spec, name) not in known:
            raise ParameterError(f"{name}={getattr(spec, name)!r} is not usable; choose one of "
                                 f"{', '.join(map(repr, known))}")
    for name in ("width", "embed", "members", "batch", "epochs", "patience", "least", "window"):
        value = getattr(spec, name, 1)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ParameterError(f"{name}={value!r} is not usable; give a whole number of at least 1")
    for name in ("drop", "unknown"):
        value = getattr(spec, name, 0.0)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1:
            raise ParameterError(f"{name}={value!r} is not usable; give a share of at least 0 and below 1")
    for name, low in (("rate", True), ("decay", False), ("clip", True), ("noise", False), ("memory", True)):
        value = getattr(spec, name, 1.0)
        if value is None:
            continue
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
        if not sound or value < 0 or (low and value == 0):
            raise ParameterError(f"{name}={value!r} is not usable; give a number {'above' if low else 'of at least'} 0")
    if not isinstance(spec.both, (bool, np.bool_)):
        raise ParameterError(f"both={spec.both!r} is not usable; give True or False")


def revised(spec: Any, **changes: Any) -> Any:
    """Return a specification with some settings changed."""
    return type(spec)(**{item.name: changes.get(item.name, getattr(spec, item.name)) for item in fields(spec)})


def probabilities(table: Floats, names: Iterable[object]) -> pd.DataFrame:
    """Return a table with one row a sequence or step, one column a class."""
    return pd.DataFrame(table, columns=pd.Index(list(names), name="class"))


def standardised(sequences: Sequences, mean: Floats, scale: Floats) -> list[Floats]:
    """Return numbers in units of the training part's spread."""
    return [(row - mean) / scale for row in sequences.rows]
