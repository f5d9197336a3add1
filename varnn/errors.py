"""Every error and warning varnn raises; each message carries the value seen and the remedy.

Imported by every other module; imports nothing of varnn. Catch `VarnnError` to catch them all, or the
built-in parent (`ValueError`, `TypeError`, `RuntimeError`, `OSError`) that fits the kind of mistake.
"""

from __future__ import annotations

import sys


class VarnnError(Exception):
    """Anything varnn refuses or cannot do."""


class InputError(VarnnError, ValueError):
    """An argument has a value that cannot be used."""


class MissingDataError(InputError):
    """Observations are missing where the method needs them."""


class NonFiniteError(InputError):
    """An infinite or unusably large number was found."""


class DtypeError(InputError, TypeError):
    """A column or argument has a type that is not a number."""


class ShapeError(InputError):
    """An array or frame has the wrong number of rows, columns or dimensions."""


class TimeIndexError(InputError):
    """The dates are duplicated, unsorted, irregular or do not follow on."""


class TooShortError(InputError):
    """There are fewer rows than the model has to estimate from."""


class RankDeficientError(InputError):
    """Columns are constant or collinear, so the coefficients are not determined."""


class ExogError(InputError):
    """Exogenous columns or their dates do not match what the model was fitted on."""


class HorizonError(InputError, TypeError):
    """The horizon is not a whole number of at least one step."""


class ParameterError(InputError, TypeError):
    """A model setting or option is not one of the accepted values."""


class DataNameError(InputError, KeyError):
    """No data set, model, score or suite has this name."""

    __str__ = Exception.__str__


class UnknownNameError(InputError, AttributeError):
    """An object or the package has no attribute of this name."""


class LookaheadError(VarnnError, ValueError):
    """Data from after the forecast origin reached a model."""


class ConvergenceError(VarnnError, RuntimeError):
    """The estimation could not produce a usable fit."""


class ResourceLimitError(VarnnError, ValueError):
    """The request would need more memory or time than allowed."""


class HorizonLimitError(HorizonError, ResourceLimitError):
    """The horizon is a whole number, but of more steps than can be held."""


class StoreError(VarnnError, OSError):
    """A file or folder could not be read or written as needed."""


class ChecksumError(StoreError):
    """The bytes found are not the bytes that were recorded."""


class ModelFileError(StoreError):
    """A saved model is damaged, of another kind or of a later version."""


class UnsafePathError(StoreError):
    """A path leads outside the folder it has to stay in."""


class MissingDependencyError(VarnnError, ImportError):
    """An optional package is needed and not installed."""


class VarnnWarning(UserWarning):
    """Something that does not stop the work but that a reader of the result must know."""


class ConvergenceWarning(VarnnWarning):
    """An optimiser stopped for another reason than a small gradient or step."""


class StationarityWarning(VarnnWarning):
    """The fitted recursion is explosive or has a unit root."""


class RationWarning(VarnnWarning):
    """A choice was searched less widely than the data would bear, to keep its cost in bounds."""


class SingularWarning(VarnnWarning):
    """A series, or a combination of some, follows from the past without error, so that a likelihood has no maximum."""


class ReadingWarning(VarnnWarning):
    """Something in a file was left out, or read as a number that may mark a missing value."""


class CollinearWarning(VarnnWarning):
    """Columns are all but copies or combinations of each other, so that single coefficients mean nothing."""


class UncheckedWarning(VarnnWarning):
    """What was read has no checksum, so that an alteration would not be noticed."""


class UnknownSymbolsWarning(VarnnWarning):
    """Most sequences hold no symbol that the fit has seen: another alphabet than it learnt."""


class UnfinishedWarning(VarnnWarning):
    """A sequence that was written had not come to its end when writing was stopped."""


def callers_level() -> int:
    """Return the `stacklevel` at which a warning points at the first line outside varnn, however deep it arises."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "varnn":
        frame, level = frame.f_back, level + 1
    return level
