"""Results survive: torn lines, altered bytes, full disks and second runs cost at most the job they hit."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from varnn.errors import StoreError
from varnn.harness.store import RESULTS, Store

RESULTS_OF = {f"job{i}": f'{{"number": {i}}}' for i in range(20)}


def filled(folder) -> Store:
    store = Store(folder)
    for key, payload in RESULTS_OF.items():
        store.add({key: payload})
    return store


def test_what_was_added_is_read_back(tmp_path):
    filled(tmp_path)
    again = Store(tmp_path)
    assert {key: again.read(key) for key in RESULTS_OF} == RESULTS_OF


@settings(deadline=None, max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_costs_at_most_the_jobs_it_touches_and_never_gives_a_wrong_number(tmp_path_factory, place, flip):
    folder = tmp_path_factory.mktemp("store")
    filled(folder)
    raw = bytearray((folder / RESULTS).read_bytes())
    raw[int(place * len(raw))] ^= flip
    (folder / RESULTS).write_bytes(raw)
    again = Store(folder)
    assert len(again) >= 18                                    # a flipped line end costs two
    assert again.damaged >= 1
    assert all(again.read(key) == payload for key, payload in RESULTS_OF.items() if key in again)


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(1, 400))
def test_a_torn_end_costs_only_what_was_torn_and_the_next_result_is_safe(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("store")
    filled(folder)
    raw = (folder / RESULTS).read_bytes()
    (folder / RESULTS).write_bytes(raw[:-cut])
    again = Store(folder)
    complete = raw[:-cut].count(b"\n")
    assert complete <= len(again) <= complete + 1              # + 1: only the line end was lost
    with again.alone():
        again.add({"after": "x"})
    assert Store(folder).read("after") == "x"
    assert len(Store(folder)) == len(again)


def test_a_full_disk_leaves_what_was_there_and_says_so(tmp_path, monkeypatch):
    store = filled(tmp_path)
    before = (tmp_path / RESULTS).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; the 20 jobs finished before are safe"):
        store.add({"late": "x"})
    assert (tmp_path / RESULTS).read_bytes() == before


def test_a_second_run_in_the_same_folder_is_refused_at_once(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    with first.alone(), pytest.raises(StoreError, match="another run is at work"), second.alone():
        pass
    with second.alone():
        pass


def test_two_different_results_of_one_job_are_refused_and_other_seconds_are_not(tmp_path):
    store = Store(tmp_path)
    store.add({"a": '{"mean": 1.0, "seconds": 0.1}'})
    line = (tmp_path / "results.log").read_bytes()
    store.add({"a": '{"mean": 1.0, "seconds": 0.2}'})
    assert len(Store(tmp_path)) == 1
    store.add({"a": '{"mean": 2.0, "seconds": 0.1}'})
    with pytest.raises(StoreError, match="two different results of job a"):
        Store(tmp_path)
    (tmp_path / "results.log").write_bytes(line + line)
    assert Store(tmp_path).keys() == ["a"]


def test_a_lock_deleted_under_a_run_is_noticed(tmp_path):
    store = Store(tmp_path)
    with store.alone():
        store.add({"a": "{}"})
        (tmp_path / "lock").unlink()
        with pytest.raises(StoreError, match="was deleted while this run was at work"):
            store.add({"b": "{}"})
    assert Store(tmp_path).keys() == ["a"]
