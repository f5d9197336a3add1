"""The sets of sequences as their publishers have them; skipped where a file is not here."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from varnn.data.sequences import SequenceSet, about_sequences, load_sequences, sequence_names
from varnn.errors import StoreError
from varnn.sequence.kneser_ney import fit_kneser_ney
from varnn.sequence.symbols import NO_OUTCOME, Vocabulary


def here(name: str) -> SequenceSet:
    try:
        return load_sequences(name, download=False)
    except StoreError as problem:
        pytest.skip(str(problem))


def ceiling(data: SequenceSet) -> float:
    seen = defaultdict(list)
    for name, label in zip(data.x, data.y, strict=True):
        seen[name].append(label)
    return sum(max(map(labels.count, set(labels))) for labels in seen.values()) / len(data.y)


def test_every_set_says_its_licence_and_source():
    for name in sequence_names():
        words = about_sequences(name)
        assert words["licence"]
        assert words["title"]
        assert words["source"] == "drawn" or words["source"].startswith("https://")


def test_chinese_names_and_their_ceiling():
    data = here("names_zh")
    assert (len(data.x), len(set(data.x))) == (10_730, 8_374)
    assert ceiling(data) == pytest.approx(0.985, abs=5e-4)


def test_english_names_and_their_ceiling():
    data = here("names_en")
    assert len(data.x) == 7_944
    assert ceiling(data) == pytest.approx(0.954, abs=5e-4)


def test_japanese_vowels_have_their_customary_split():
    data = here("japanese_vowels")
    assert (len(data.x), len(data.test_x)) == (270, 370)
    lengths = [len(row) for row in data.x + data.test_x]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert {row.shape[1] for row in data.x} == {12}
    assert np.bincount(data.y)[1:].tolist() == [30] * 9


def test_kneser_ney_on_the_end_of_shakespeare():
    text = here("tiny_shakespeare").x[0]
    assert len(text) == 1_115_394
    first, last = text[:int(len(text) * 0.9)], text[int(len(text) * 0.95):]
    vocabulary = Vocabulary.of([first])
    asked = vocabulary.encode(last)
    counted = fit_kneser_ney([vocabulary.encode(first)], 4, len(vocabulary))
    # another implementation, in dictionaries, has 1.7728 nats
    assert -counted.log_each(asked, asked - NO_OUTCOME).mean() == pytest.approx(1.7728, abs=2e-4)


def test_chinese_sentences_are_there_once_each():
    data = here("tatoeba_zh")
    assert len(data.x) == len(set(data.x)) == len(data.y)
    assert not any(" " in line for line in data.x)
