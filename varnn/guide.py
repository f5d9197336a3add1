"""What a call or a name that does not exist here is answered: the nearest name, and one line of remedy.

Public classes inherit `Guided`, specifications `Specified`, public functions are `guided`. What they refuse is an
error of ours that is also Python's TypeError or AttributeError. Other packages' words are in `habits`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache, wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Self, TypeVar, cast

from varnn.errors import ParameterError, UnknownNameError
from varnn.habits import NAMES, OPTIONS, Option

P = ParamSpec("P")
R = TypeVar("R")
Function = Callable[..., Any]

ALIKE, LOOSELY = 0.8, 0.6  # difflib's ratio from which a name is another one misspelt, or may be
SHORT = 32                 # characters of a value that a message repeats
FUNCTIONS: list[Function] = []


class Guided:
    """A class whose methods and attributes say what to write where a call or a name does not exist.

    A subclass says what it is, what examples call it, what to write in place of an index, and which other nouns it
    leads to, and how.
    """

    _is: ClassVar[str] = "an object"
    _called: ClassVar[str] = ""
    _indexed: ClassVar[str] = ""
    _leads: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, value in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if isinstance(value, FunctionType):
                setattr(cls, name, _answering(value, cls))
            elif isinstance(value, (classmethod, staticmethod)):
                inner = cast(FunctionType, value.__func__)
                setattr(cls, name, type(value)(_answering(inner, cls)))

    if not TYPE_CHECKING:  # type checkers are to go on finding names that do not exist

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that failed: let it say why
                return object.__getattribute__(self, name)
            raise no_attribute(self, name)

        def __getitem__(self, key: object) -> Any:
            instead = type(self)._indexed.replace("[key]", f"[{key!r}]") or "ask for an attribute by its name"
            raise ParameterError(f"{type(self).__name__} has no [{key!r}]: {instead}")


class _Signature:
    """The signature of a specification is that of its `__init__`, for tools that look at `__new__` first."""

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        own = inspect.signature(_initialiser(owner))
        return own.replace(parameters=list(own.parameters.values())[1:], return_annotation=own.empty)


def guided(function: Callable[P, R]) -> Callable[P, R]:
    """Return a public function that says what to write in place of arguments it does not take.

    Examples
    --------
    >>> @guided
    ... def forecast(horizon): return horizon
    >>> forecast(steps=8)
    Traceback (most recent call last):
    ...
    varnn.errors.ParameterError: forecast(steps=8): steps is called horizon here; write forecast(8)
    """
    FUNCTIONS.append(function)
    return cast("Callable[P, R]", _answering(cast(FunctionType, function), None))


def _answering(function: FunctionType, owner: type | None) -> Function:
    """Return the function behind a call that translates Python's complaints about its arguments, and no others."""
    answer = refusal
    called = _Call

    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except TypeError as problem:
            trace = problem.__traceback__
            if trace is None or trace.tb_next is not None:  # it comes from inside the function
                raise
            at = given[0] if owner is not None and given else None
            arguments = given if owner is None else given[1:]
            raise answer(called(function, owner, at, arguments, named), problem) from None

    # in the function's own module, where doctest, help and warnings look for it
    inner = cast(FunctionType, call)
    made = FunctionType(inner.__code__, function.__globals__, function.__name__, None, inner.__closure__)
    return wraps(function)(made)


# --- names that do not exist -----------------------------------------------------------------------


def no_attribute(owner: object, name: str) -> UnknownNameError:
    """Return the error for an attribute that an object lacks, with the way to what was probably meant."""
    kind = type(owner)
    if name.startswith("_"):
        return UnknownNameError(f"{kind.__name__!r} object has no attribute {name!r}")
    return UnknownNameError(f"{kind.__name__} has no {name!r}: {_way(owner, kind, name)}")


def no_name(module: str, name: str, public: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that a module lacks.

    Examples
    --------
    >>> print(no_name("varnn", "Var", ["VAR", "GRU"]))
    module 'varnn' has no attribute 'Var': did you mean VAR?
    """
    start = f"module {module!r} has no attribute {name!r}"
    if name.startswith("_"):
        return UnknownNameError(start)
    habit = NAMES.get((module, name))
    if habit is not None:
        return UnknownNameError(f"{start}: {habit.remedy}")
    near = nearest(name, public, LOOSELY)
    names = ", ".join(public)
    return UnknownNameError(f"{start}: " + (f"did you mean {near}?" if near else f"there are {names}"))


def nearest(word: str, known: Iterable[str], ratio: float) -> str | None:
    """Return the known word most like another, capitals and underscores aside.

    Examples
    --------
    >>> nearest("maxlags", ["lags", "max_lags"], 0.8)
    'max_lags'
    """
    plain = {_plain(one): one for one in known}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=ratio)
    return plain[found[0]] if found else None


def _plain(word: str) -> str:
    return word.casefold().replace("_", "")


def _way(owner: object, kind: type, name: str) -> str:
    habit = _habit(kind, name)
    if habit:
        return habit
    for how, whose in _leads(kind):
        found = _class(whose)
        other = found if found is None or how != ".spec" else type(getattr(owner, "spec", None))
        if other is None:
            continue
        verb = "call" if how.endswith(")") else "take"
        start = f"{kind.__name__} is {_what(kind)}; {verb} {how} first"
        if name in _public(other):
            return f"{start}: {_written_as(owner)}{how}.{name}{_brackets(other, name)}"
        habit = _habit(other, name)
        if habit:
            return f"{start}, then {habit}"
    near = nearest(name, _public(kind), LOOSELY)
    if near:
        return f"did you mean {near}?"
    root = next((one for one in reversed(kind.__mro__) if vars(one).get("_called")), kind)
    having = [one.__name__ for one in _family(root) if name in _public(one) and one is not root]
    if having:
        return f"this kind has none; {' and '.join(having[:3])} {'has' if len(having) == 1 else 'have'} it"
    return f"it is {_what(kind)}; it has {_some(_public(kind))}"


def _what(kind: type) -> str:
    return str(getattr(kind, "_is", "an object"))


def _some(names: Iterable[str], most: int = 12) -> str:
    listed = [name for name in names if name not in ("rung", "takes_exog", "draws_together", "draws_to_fit")]
    return ", ".join(listed[:most]) + (", … (see dir)" if len(listed) > most else "")


def _habit(kind: type, name: str) -> str:
    for one in kind.__mro__:
        habit = NAMES.get((one.__name__, name))
        if habit is not None:
            return habit.remedy
    return ""


def _leads(kind: type) -> tuple[tuple[str, str], ...]:
    return cast("tuple[tuple[str, str], ...]", getattr(kind, "_leads", ()))


def _family(kind: type) -> Iterator[type]:
    """Yield a class and all below it."""
    yield kind
    child: type
    for child in type.__subclasses__(kind):
        yield from _family(child)


def _class(name: str) -> type | None:
    return next((kind for kind in _family(Guided) if kind.__name__ == name), None)


def _public(kind: type) -> list[str]:
    """Return what a class or any below it offers."""
    names = {name for one in _family(kind) for name in (*dir(one), *getattr(one, "__dataclass_fields__", ()))}
    return sorted(name for name in names if not name.startswith("_"))


def _brackets(kind: type, name: str) -> str:
    found = next((vars(one)[name] for below in _family(kind) for one in below.__mro__ if name in vars(one)), None)
    return "(…)" if isinstance(found, (FunctionType, classmethod, staticmethod)) else ""


def _written_as(owner: object) -> str:
    """Return how an example calls an object: a short specification as itself, others by the usual name."""
    kind = owner if isinstance(owner, type) else type(owner)
    if not issubclass(kind, Specified):
        return str(getattr(kind, "_called", "")) or kind.__name__
    if inspect.isabstract(kind):
        return str(getattr(kind, "_called", ""))
    text = f"{kind.__name__}()" if isinstance(owner, type) else repr(owner)
    plain = isinstance(owner, type) or owner == _default(kind)
    return f"{kind.__name__}()" if plain else text if len(text) <= 2 * SHORT else f"{kind.__name__}(…)"


def _default(kind: type) -> object:
    try:
        return kind()
    except (TypeError, ValueError):  # a specification that has to be told something, or is told it here
        return None


# --- calls that cannot be made ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Call:
    """A function, whose it is, on what it was called, and with which arguments."""

    function: Function
    owner: type | None
    at: object
    given: tuple[Any, ...]
    named: Mapping[str, Any]

    @property
    def constructs(self) -> bool:
        return self.function.__name__ == "__init__"

    @property
    def name(self) -> str:
        return str(getattr(self.at, "__name__", "")) if self.constructs else self.function.__name__

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        found = inspect.signature(self.function).parameters
        return dict(list(found.items())[self.owner is not None:])

    @property
    def prefix(self) -> str:
        if self.constructs:
            return self.name
        if self.owner is None:
            return f"data.{self.name}" if self.function.__module__.startswith("varnn.data") else self.name
        kind = self.at if isinstance(self.at, self.owner) else self.owner
        return f"{_written_as(kind)}.{self.name}"

    def written(self, options: Mapping[str, str]) -> str:
        """Return the call with these options, what it needs besides by its name."""
        parts = []
        for name, one in self.parameters.items():
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                continue
            needed = one.default is one.empty
            if name not in options and not needed:
                continue
            by_place = one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and needed
            value = options.get(name, name if by_place else "…")
            parts.append(value if by_place else f"{name}={value}")
        return f"{self.prefix}({', '.join(parts)})"


def refusal(call: _Call, problem: TypeError) -> ParameterError:
    """Return the error for a call that Python could not make: each argument's own remedy, and the call to write."""
    if call.owner is not None and not call.constructs and not isinstance(call.at, (call.owner, type)):
        return ParameterError(f"{call.name} is asked of {_what(call.owner)}: write {call.written({})}")
    asked = call.parameters
    clauses, right, elsewhere = _by_place(call)
    for name, value in call.named.items():
        if name in asked and name in right:
            clauses.append(f"{name} is given twice")
        elif name in asked:
            right[name] = _value(value)
    for name, value in call.named.items():
        if name not in asked:
            clause, target, options = _told(call, name, value)
            clauses.append(clause)
            if target == call:
                right.update(options)
            elif target is not None:
                place = elsewhere.setdefault(target.prefix, (target, {}))
                place[1].update(options)
    clauses += [f"{name} is missing" for name in _needed(call) if name not in right]
    if not clauses:
        return ParameterError(f"{call.prefix}: {problem}")
    writes = _writes(call, right, list(elsewhere.values()))
    shown = ", ".join([*map(_value, call.given), *(f"{name}={_value(value)}" for name, value in call.named.items())])
    sentence = f"{call.name}({shown}): {', '.join(dict.fromkeys(clauses))}"
    if not right and not elsewhere and not _needed(call):  # no option is left to be shown
        return ParameterError(sentence)
    return ParameterError(f"{sentence}; write {' and '.join(dict.fromkeys(writes))}")


def _writes(call: _Call, right: Mapping[str, str], elsewhere: list[tuple[_Call, dict[str, str]]]) -> list[str]:
    """Return what to write: the call itself, what belongs elsewhere, and a model with its `fit` in one."""
    own = call.written(right)
    if call.constructs:
        first = [own] if right or not elsewhere else []
        writes = []
        for target, options in elsewhere:
            text = target.written(options)
            if target.owner is call.owner and text.startswith(f"{call.name}()."):
                first, text = [], own + text.removeprefix(f"{call.name}()")
            writes.append(text)
        return first + writes
    writes = []
    for target, options in elsewhere:
        text = target.written(options)
        if target.constructs and isinstance(call.at, target.owner or ()):
            text, own = text + own.removeprefix(_written_as(call.at)), ""
        elif target.constructs:
            text += ".fit(y)"
        writes.append(text)
    changed = not elsewhere or set(right) - set(_needed(call))
    return ([own] if own and changed else []) + writes


def _needed(call: _Call) -> list[str]:
    return [name for name, one in call.parameters.items() if one.default is one.empty
            and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def _by_place(call: _Call) -> tuple[list[str], dict[str, str], dict[str, tuple[_Call, dict[str, str]]]]:
    """Say what arguments without a name are: data, a list, or options that have to be named."""
    places = [name for name, one in call.parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    given = dict(zip(places, call.given, strict=False))
    needed = [name for name, one in call.parameters.items()
              if one.kind is one.KEYWORD_ONLY and one.default is one.empty and name not in call.named]
    right = {name: _value(value, name) for name, value in given.items() if value is not None}
    if needed and isinstance(given.get("X"), int):  # compare(y, 12)
        right[needed[0]] = right.pop("X")
        return ["options are named"], right, {}
    surplus = call.given[len(places):]
    if not surplus:
        return [], right, {}
    if call.constructs and _is_data(surplus[0]):
        fit = getattr(call.at, "fit", None)
        if fit is not None:
            unwrapped = inspect.unwrap(fit)
            target = _Call(unwrapped, cast(type, call.owner), call.at, (), {})
            return [f"{call.name} is a specification and takes no data"], right, {target.prefix: (target, {})}
    if places and call.constructs:
        listed = f"[{', '.join(map(_value, call.given))}]"
        return [f"{places[0]} is one list"], {places[0]: listed}, {}
    free = [name for name, one in call.parameters.items() if one.kind is one.KEYWORD_ONLY and name not in call.named]
    names = free[:1] if len(surplus) == 1 else []
    right.update({name: _value(surplus[0], "…") for name in names})
    return [f"options are named ({', '.join(free)})"], right, {}


def _is_data(value: object) -> bool:
    if isinstance(value, (Guided, type, str, bytes)):
        return False
    listed = isinstance(value, (list, tuple, dict)) and not any(isinstance(one, (Guided, type)) for one in value)
    return listed or hasattr(value, "shape") or hasattr(value, "__array__")


def _told(call: _Call, name: str, value: Any) -> tuple[str, _Call | None, dict[str, str]]:
    """Return what to say of an option that a call does not take, where it belongs, and what to write there."""
    habit, own = OPTIONS.get(name), list(call.parameters)
    if habit is not None:
        here = next((one for one in habit.here if one in own), None)
        if here is not None:
            return _named(name, here, habit), call, {here: _value(habit.translated(value), here)}
    near = nearest(name, own, ALIKE)
    place = None if near else _place_of(call, name)
    if place is not None:
        return f"{name} belongs to {place.prefix}", place, {name: _value(value, name)}
    if habit is not None and not near:
        for here in habit.here:
            place = _place_of(call, here)
            if place is not None:
                said = f"{_named(name, here, habit)} and belongs to {place.prefix}"
                return said, place, {here: _value(habit.translated(value), here)}
        return f"{name} has no place here: {habit.note}", None, {}
    near = near or nearest(name, own, LOOSELY)
    if near:
        return f"no option is called {name}, did you mean {near}?", call, {near: _value(value, near)}
    if isinstance(call.at, Specified):  # a misspelt option of the model, given to one of its methods
        place = _Call(_initialiser(type(call.at)), type(call.at), type(call.at), (), {})
        near = nearest(name, place.parameters, LOOSELY)
        if near:
            said = f"no option is called {name}, did you mean {near}, which belongs to {place.prefix}?"
            return said, place, {near: _value(value, near)}
    return f"no option is called {name} (there are {', '.join(own) or 'none'})", None, {}


def _named(name: str, here: str, habit: Option) -> str:
    note = f" ({habit.note})" if habit.note else ""
    return f"{name} is called {here} here{note}"


def _place_of(call: _Call, option: str) -> _Call | None:
    """Return the constructor or method that takes an option: the nearest to the call, along the ways from its noun."""
    for place in _places(call):
        if option in place.parameters and place.function is not call.function:
            return place
    return None


def _places(call: _Call) -> Iterator[_Call]:
    kind = None if call.owner is None else call.at if isinstance(call.at, type) else type(call.at)
    waiting: list[type] = [] if kind is None else [kind]
    seen: set[type] = set()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield from _calls(one)
        for how, whose in _leads(one):
            spec = type(getattr(call.at, "spec", None))
            other = spec if how == ".spec" and issubclass(spec, Guided) else _class(whose)
            waiting += [] if other is None else [other]
    for function in FUNCTIONS:
        yield _Call(function, None, None, (), {})
    for kind in _family(Specified):
        if not inspect.isabstract(kind) and not kind.__name__.startswith("_"):
            yield from (place for place in _calls(kind) if place.constructs)
    fit = _class("Fitted")
    if fit is not None and call.owner is None:
        yield from _calls(fit)


def _calls(kind: type) -> Iterator[_Call]:
    if issubclass(kind, Specified):
        yield _Call(_initialiser(kind), kind, kind, (), {})
    for name in dir(kind):
        value = inspect.getattr_static(kind, name)
        if isinstance(value, FunctionType) and not name.startswith("_"):
            yield _Call(inspect.unwrap(value), kind, kind, (), {})


def _value(value: Any, name: str = "…") -> str:
    """Return a value as a message repeats it, or the name it goes by where it is long."""
    if isinstance(value, (bool, int, float, str, type(None), list, tuple)):
        text = repr(value)
        return text if len(text) <= SHORT else name
    if isinstance(value, Specified):
        text = repr(value)
        return _written_as(value) if len(text) > SHORT or value == _default(type(value)) else text
    if name != "…":
        return name
    if isinstance(value, type):
        return f"{value.__name__}()" if issubclass(value, Specified) else value.__name__
    return type(value).__name__


@lru_cache(maxsize=256)
def _options(cls: type) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the options that a constructor needs and those that it takes; None where it takes any."""
    found = list(inspect.signature(_initialiser(cls)).parameters.values())[1:]
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in found):
        return None
    return (frozenset(one.name for one in found if one.default is one.empty), frozenset(one.name for one in found))


def _initialiser(cls: type) -> Function:
    return cast(Function, inspect.getattr_static(cls, "__init__"))


class Specified(Guided):
    """A frozen dataclass of options, whose constructor says what to write in place of unknown ones."""

    __signature__ = _Signature()

    if not TYPE_CHECKING:  # a dataclass writes `__init__` after `__init_subclass__`, so this is the one place before it

        def __new__(cls, *given: Any, **named: Any) -> Any:
            """Refuse what `__init__` does not take."""
            asked = _options(cls)
            if asked is not None and (given or not asked[0] <= named.keys() <= asked[1]):
                init = _initialiser(cls)
                try:
                    inspect.signature(init).bind(cls, *given, **named)
                except TypeError as problem:
                    raise refusal(_Call(init, cls, cls, given, named), problem) from None
            return object.__new__(cls)

    def __reduce__(self) -> tuple[Any, ...]:
        return object.__new__, (type(self),), vars(self)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options by name, as scikit-learn's estimators do, so that its `clone` and searches work.

        Parameters
        ----------
        deep : bool
            Also the options of a model among the options, as ``model__lags``.

        Examples
        --------
        >>> from varnn.models.rung1_var import VAR
        >>> from varnn.models.wrap_conformal import Conformal
        >>> Conformal(model=VAR(lags=2)).get_params()["model__lags"]
        2
        """
        held = {one.name: getattr(self, one.name) for one in fields(cast(Any, self)) if one.init}
        for name, inner in list(held.items()) if deep else ():
            if isinstance(inner, Specified):
                held |= {f"{name}__{below}": value for below, value in inner.get_params().items()}
        return held

    def set_params(self, **options: Any) -> Self:
        """Return a copy with other options, named as by `get_params`; the specification itself never changes.

        Raises
        ------
        ParameterError
            For an option that there is not, with the nearest one.

        Examples
        --------
        >>> from varnn.models.rung1_var import VAR
        >>> VAR(lags=2).set_params(trend="n")
        VAR(lags=2, max_lags=None, trend='n', engine='qr')
        """
        own = {name: value for name, value in options.items() if "__" not in name}
        below: dict[str, dict[str, Any]] = {}
        for name, value in options.items():
            if "__" in name:
                outer, _, inner = name.partition("__")
                below.setdefault(outer, {})[inner] = value
        held = self.get_params(deep=False)
        for outer, inner_options in below.items():
            inner_model = own.get(outer, held.get(outer))
            if not isinstance(inner_model, Specified):
                raise ParameterError(f"{outer}__{next(iter(inner_options))}: {type(self).__name__} has no model called "
                                     f"{outer!r}; its options are {', '.join(self.get_params())}")
            own[outer] = inner_model.set_params(**inner_options)
        return type(self)(**{**held, **own})
