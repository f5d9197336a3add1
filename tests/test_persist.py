"""A fit survives the way to a file and back with all its bits; a damaged file is refused with a reason."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as bytes_of

from tests.contract.specimens import H, T, fitted, fitted_with_inputs, inputs, series, specimens
from varnn import persist
from varnn.errors import ChecksumError, ModelFileError, StoreError
from varnn.forecaster import Fitted
from varnn.models.rung0_naive import Mean, Naive
from varnn.models.rung1_var import VAR
from varnn.persist import load, save

NAMES = sorted(specimens())
WITH_INPUTS = [name for name in NAMES if specimens()[name].takes_exog]


def assert_same(one: object, other: object, where: str = "") -> None:
    """Walk two fits side by side; every array must agree in bits, type and memory order."""
    assert type(one) is type(other) or (isinstance(one, np.generic) and one == other), where
    if isinstance(one, np.ndarray):
        if one.dtype != object:
            assert one.tobytes("A") == other.tobytes("A"), where
            assert one.flags.f_contiguous == other.flags.f_contiguous, where
        assert_array_equal(one, other)
    elif isinstance(one, pd.Index):
        assert one.equals(other), where
        assert one.dtype == other.dtype
        assert one.name == other.name
        assert getattr(one, "freq", None) == getattr(other, "freq", None), where
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other), where
        for i, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{where}[{i}]")
    elif hasattr(one, "__dataclass_fields__"):
        for item in fields(one):
            assert_same(getattr(one, item.name), getattr(other, item.name), f"{where}.{item.name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_model_comes_back_with_the_same_bits(name, tmp_path):
    back = load(save(fitted(name), tmp_path / "fit.varnn"))
    assert_same(fitted(name), back, name)
    assert back.spec == fitted(name).spec
    one, other = fitted(name).forecast(H, rng=3), back.forecast(H, rng=3)
    assert_array_equal(one.paths, other.paths)
    assert_array_equal(one.point, other.point)
    assert one.mean.index.equals(other.mean.index)
    assert back.summary() == fitted(name).summary()


@pytest.mark.parametrize("name", WITH_INPUTS)
def test_every_model_with_inputs_comes_back_and_moves_on(name, tmp_path):
    fit = fitted_with_inputs(name).update(series(T + 2).iloc[T:], inputs(T + 2).iloc[T:])
    back = load(save(fit, tmp_path / "fit.varnn"))
    future = inputs().iloc[T + 2:T + 4]
    assert_array_equal(back.forecast(2, future).paths, fit.forecast(2, future).paths)


@pytest.mark.parametrize("index", [
    pd.period_range("2000Q1", periods=T, freq="Q", name="quarter"),
    pd.date_range("2020-01-31", periods=T, freq="ME", tz="Europe/Berlin"),
    pd.date_range("2020-03-28 00:00", periods=T, freq="h", tz="Europe/Berlin"),
    pd.date_range("2020-01-01", periods=T, freq="W-WED"),
    pd.date_range("2020-01-01", periods=T, freq="15min", tz="UTC"),
    pd.date_range("2020-01-01", periods=T, freq="B", tz="+02:00"),
    pd.RangeIndex(10, 10 + 2 * T, 2, name="day"),
], ids=["quarters", "month ends in Berlin", "hours over a clock change", "Wednesdays", "quarter hours",
        "business days at +02:00", "every second number"])
def test_every_kind_of_dates_comes_back(index, tmp_path):
    fit = Naive().fit(series().set_axis(index, axis=0))
    back = load(save(fit, tmp_path / "fit"))
    assert back.seen.index.equals(fit.seen.index)
    assert back.seen.index.name == fit.seen.index.name
    assert getattr(back.seen.index, "freq", None) == getattr(fit.seen.index, "freq", None)
    assert str(getattr(back.seen.index, "tz", None)) == str(getattr(fit.seen.index, "tz", None))
    assert back.forecast(3).mean.index.equals(fit.forecast(3).mean.index)


def test_names_in_any_script_come_back(tmp_path):
    y = series().set_axis(["Ausfuhr, preisbereinigt 🛳", "<script>'\"\\ 輸出"], axis=1)
    assert load(save(Mean().fit(y), tmp_path / "fit")).seen.names == tuple(y.columns)


def test_seen_and_series_stay_one_object(tmp_path):
    back = load(save(fitted("Naive"), tmp_path / "fit"))
    assert back.seen is back.series
    assert not back.seen.values.flags.writeable


def test_a_file_replaces_another_at_once_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "fit.varnn"
    save(fitted("Naive"), path)
    save(fitted("Mean"), path)
    assert load(path).spec == Mean()
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit.varnn"]
    assert save(fitted("Naive"), tmp_path / "again.varnn").read_bytes() == save(fitted("Naive"), path).read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save(fitted("Naive"), tmp_path / "fit.varnn")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="cannot be written \\(No space left on device\\)"):
        save(fitted("Mean"), path)
    assert load(path).spec == Naive()
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit.varnn"]


@pytest.fixture
def stored(tmp_path):
    return save(fitted("VAR"), tmp_path / "fit.varnn")


def test_a_file_cut_short_anywhere_is_refused(stored):
    content = stored.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        stored.write_bytes(content[:length])
        with pytest.raises((ModelFileError, ChecksumError), match=r"fit\.varnn"):
            load(stored)


def test_a_flipped_bit_anywhere_is_refused(stored):
    content = stored.read_bytes()
    rng = np.random.default_rng(0)
    for place in [*rng.integers(0, len(content), 150), len(content) - 1]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        stored.write_bytes(bytes(damaged))
        with pytest.raises((ModelFileError, ChecksumError), match=r"fit\.varnn"):
            load(stored)


def test_bytes_after_the_end_are_refused(stored):
    stored.write_bytes(stored.read_bytes() + b"\0")
    with pytest.raises((ModelFileError, ChecksumError)):
        load(stored)


def test_files_of_another_kind_are_refused(tmp_path):
    for content in (b"", b"PK\x03\x04" + bytes(100), b'{"a": 1}', bytes(1000), b"\xff" * 100):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ModelFileError, match="damaged, cut short or no model"):
            load(tmp_path / "other")
    (tmp_path / "weights").write_bytes(bytes_of({"w": np.ones(3)}, {"format": "pt"}))
    with pytest.raises(ModelFileError, match="something else, not a model saved by varnn"):
        load(tmp_path / "weights")


def forged(path: Path, change) -> Path:
    """Rewrite a stored model with a right checksum after `change` has altered its tree."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    head = json.loads(json.loads(content[8:8 + size])["__metadata__"]["varnn"][64:])
    arrays = tensors_of(content)
    change(head)
    body = json.dumps(head)
    path.write_bytes(bytes_of(arrays, {"varnn": persist._checksum(body, arrays) + body}))
    return path


def test_a_later_format_is_refused_and_the_remedy_named(stored):
    with pytest.raises(ModelFileError, match=r"in format 2; this is varnn .* reads up to format 1: upgrade varnn"):
        load(forged(stored, lambda head: head.update(format=2)))


@pytest.mark.parametrize(("name", "message"), [
    ("os:system", "no installed package of that name offers models"),
    ("subprocess:Popen", "no installed package of that name offers models"),
    ("varnn.persist:os", "is not installed"),
    ("varnn.nowhere:Model", "is not installed"),
    ("varnn.persist:Path", "is not installed"),
    ("varnn.errors:InputError", "is not a dataclass"),
    ("varnn.series:Series", "does not suit|not a fitted model"),
])
def test_only_fits_of_varnn_and_its_models_are_built(stored, name, message):
    def change(head):
        head["fit"]["class"] = name

    with pytest.raises(ModelFileError, match=message):
        load(forged(stored, change))


def test_a_field_that_this_version_does_not_know_is_refused(stored):
    with pytest.raises(ModelFileError, match="surprise"):
        load(forged(stored, lambda head: head["fit"]["fields"].update(surprise=1)))


def test_settings_that_are_not_accepted_are_refused_by_the_model_itself(stored):
    def change(head):
        head["fit"]["fields"]["spec"]["fields"]["trend"] = "sideways"

    with pytest.raises(ModelFileError, match="trend='sideways' is not usable"):
        load(forged(stored, change))


def test_absent_files_and_folders_are_named(tmp_path):
    with pytest.raises(StoreError, match="nowhere cannot be read"):
        load(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="is not a file"):
        load(tmp_path)
    with pytest.raises(StoreError, match="is a folder; give a file name"):
        save(fitted("Naive"), tmp_path)
    with pytest.raises(StoreError, match="choose a folder that exists"):
        save(fitted("Naive"), tmp_path / "no" / "fit")
    with pytest.raises(ModelFileError, match="got VAR; pass what fit\\(\\) returned"):
        save(VAR(), tmp_path / "fit")


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedElsewhere(Fitted):
    """A fit as another package would define it."""

    extra: object = None

    def _one_step(self, values, exog):
        return np.zeros_like(values)

    def _simulate(self, shocks, future_exog, draws=None):
        return np.asarray(shocks)


def elsewhere(extra: object) -> FittedElsewhere:
    naive = fitted("Naive")
    return FittedElsewhere(**{item.name: getattr(naive, item.name) for item in fields(Fitted)}, extra=extra)


def test_a_class_that_could_not_be_found_again_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"FittedElsewhere.* could not find again"):
        save(elsewhere(None), tmp_path / "fit")


@pytest.fixture
def offered(monkeypatch):
    package = FittedElsewhere.__module__.split(".")[0]
    monkeypatch.setattr(persist, "_packages", lambda: {"varnn", package})
    monkeypatch.setitem(sys.modules, FittedElsewhere.__module__, sys.modules[FittedElsewhere.__module__])


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("extra", [
    None, True, 3, -2.5, float("inf"), "text", (1, (2.0, "a")), [None, False], {"a": np.arange(3), 2: (1,)},
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3)[:, ::2],
    np.zeros((0, 3)), np.array(2.5),
    np.array(["a", "b"], dtype=object), np.array([True, False]), np.float64(0.1), np.int64(3),
    pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), pd.Index([1, 3, 4]),
], ids=str)
def test_everything_a_third_party_fit_may_hold_comes_back(extra, tmp_path):
    fit = elsewhere(extra)
    back = load(save(fit, tmp_path / "fit"))
    expected = extra.item() if isinstance(extra, np.generic) else extra
    if isinstance(expected, dict):
        assert list(back.extra) == list(expected)
        assert_array_equal(back.extra["a"], expected["a"])
    elif isinstance(expected, np.ndarray):
        assert_array_equal(back.extra, expected)
        assert back.extra.dtype == expected.dtype
    else:
        assert_same(expected, back.extra)
        assert isinstance(expected, (pd.DataFrame, pd.Index)) or back.extra == expected
    assert_array_equal(back.forecast(2).paths, fit.forecast(2).paths)


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(("extra", "message"), [
    (lambda x: x, r"extra is a builtins\.function"),
    (np.random.default_rng(0), r"extra is a numpy\.random.*Generator"),
    ([1, {2}], r"extra\[1\] is a builtins\.set"),
    (np.ones(2, dtype=complex), r"extra is an array of complex128"),
    (pd.DataFrame({"a": [1.0], "b": ["x"]}), r"extra \(columns of several types\)"),
    (b"bytes", r"extra is a builtins\.bytes"),
    (Path("/"), r"extra is a pathlib"),
], ids=["function", "generator", "set", "complex", "mixed table", "bytes", "path"])
def test_a_field_that_cannot_be_stored_is_named(extra, message, tmp_path):
    with pytest.raises(ModelFileError, match=r"FittedElsewhere\." + message):
        save(elsewhere(extra), tmp_path / "fit")
    assert not list(tmp_path.iterdir())


def test_a_calendar_that_cannot_be_told_in_words_is_refused(tmp_path):
    trading = pd.offsets.CustomBusinessDay(holidays=["2020-01-03"])
    fit = fitted("Naive")
    dates = pd.date_range("2020-01-01", periods=T, freq=trading)
    odd = replace(fit.series, index=dates)
    with pytest.raises(ModelFileError, match=r"series\.index \(dates of frequency 'C'"):
        save(replace(fit, series=odd, seen=odd), tmp_path / "fit")
