"""What sequence models refuse: a clear error that names the place and the remedy."""

from __future__ import annotations

import numpy as np
import pytest

from varnn import SequenceClassifier, SequenceLabeler
from varnn.data.sequences import load_sequences, sequence_names
from varnn.errors import (
    DataNameError,
    DtypeError,
    InputError,
    MissingDataError,
    MissingDependencyError,
    NonFiniteError,
    ParameterError,
    ResourceLimitError,
    ShapeError,
    StoreError,
    TooShortError,
    UnknownSymbolsWarning,
)

SMALL = {"width": 3, "embed": 3, "epochs": 1}
X, Y = ["ab", "ba", "aab", "bba", "abab", "bb", "aa", "b"], [0, 1, 0, 1, 0, 1, 0, 1]
NUMBERS = [np.ones((3, 2)) * i for i in range(8)]
SPEC, LABELER = SequenceClassifier(**SMALL), SequenceLabeler(**SMALL)


@pytest.mark.parametrize(("x", "y", "error", "words"), [
    ([], [], TooShortError, "holds no sequence"),
    ("abc", [0], DtypeError, r"pass a list of sequences"),
    (5, [0], DtypeError, "is a int"),
    (["ab", ""], [0, 1], TooShortError, r"x\[1\] is empty"),
    (["ab", None], [0, 1], MissingDataError, r"x\[1\] is missing"),
    (["ab", float("nan")], [0, 1], MissingDataError, r"x\[1\] is missing"),
    (["ab", 3], [0, 1], DtypeError, r"x\[1\] is a int"),
    (["ab", ["a", "b"]], [0, 1], DtypeError, r"x\[1\] is a sequence of words"),
    (["ab", np.ones((2, 2))], [0, 1], DtypeError, r"x\[1\] is a sequence of numbers"),
    ([["a", 3], ["b"]], [0, 1], DtypeError, r"x\[0\]\[1\] is a int among str"),
    ([np.ones((2, 2)), np.ones((2, 3))], [0, 1], ShapeError, r"x\[1\] has 3 columns"),
    ([np.ones((2, 2)), np.zeros((0, 2))], [0, 1], TooShortError, r"x\[1\] is empty"),
    ([np.ones((2, 2)), np.array([[1, np.nan]])], [0, 1], MissingDataError, "at step 0, column 1"),
    ([np.ones((2, 2)), np.array([[1, np.inf]])], [0, 1], NonFiniteError, "at step 0, column 1"),
    ([np.ones((2, 2)), np.array([["a", "b"]])], [0, 1], DtypeError, r"x\[1\] is not an array of numbers"),
    ([np.ones((2, 2)), np.ones((2, 2, 2))], [0, 1], ShapeError, r"x\[1\] has shape"),
    (X, Y[:-1], ShapeError, "has 7 labels for 8 sequences"),
    (X, "01010101", DtypeError, "y is a str"),
    (X, [*Y[:-1], None], MissingDataError, r"y\[7\] is missing"),
    (X, [*Y[:-1], 0.5], DtypeError, r"y\[7\] is 0.5"),
    (X, [*Y[:-1], "a"], DtypeError, "mixes str and numbers"),
    (X, [1] * 8, InputError, "one class 1"),
])
def test_sequences_and_labels_that_cannot_be_used(x, y, error, words):
    with pytest.raises(error, match=words):
        SPEC.fit(x, y)


@pytest.mark.parametrize(("setting", "value"), [
    ("cell", "relu"), ("width", 0), ("width", 2.5), ("width", True), ("drop", 1.0), ("drop", -0.1), ("rate", 0.0),
    ("rate", float("nan")), ("dtype", "float16"), ("beside", "bag"), ("members", 0), ("both", "yes"), ("epochs", 0),
    ("unknown", 1.5), ("clip", -1.0), ("nesting", "sum"), ("memory", 0.0), ("batch", None),
])
@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceLabeler])
def test_settings_that_cannot_be_used(kind, setting, value):
    with pytest.raises(ParameterError, match=f"{setting}="):
        kind(**{setting: value})


def test_a_class_that_only_the_validation_part_has():
    with pytest.raises(InputError, match="class 2 has no sequence in the training part"):
        SPEC.fit([*X, "c"], [*Y, 2], groups=[*"aaaaaaaa", "c"], validation=0.5, rng=next(
            seed for seed in range(20) if np.random.default_rng(seed).permutation(2)[0] == 1))


def test_the_same_input_on_both_sides():
    with pytest.raises(InputError, match=r"validation\[0\]\[1\] is also among x"):
        SPEC.fit(X, Y, validation=(["bab", "ab"], [0, 0]))
    with pytest.raises(InputError, match=r"validation\[0\] is also among x"):
        LABELER.fit(X, validation=["ab"])


def test_equal_sequences_are_never_parted():
    fit = SPEC.fit(["ab"] * 20 + ["ba"] * 20, [0, 1] * 20, groups=None, validation=0.5, rng=0)
    assert sorted(fit.seen) == [20, 20]
    assert "2 different sequences came with more than one label" in fit.summary()
    with pytest.raises(TooShortError, match="1 different sequences or groups"):
        SPEC.fit(["ab"] * 20, [0, 1] * 10)


def test_label_sequences_of_another_length_and_none_for_numbers():
    labels = [[0, 1, 0]] * 8
    with pytest.raises(ShapeError, match=r"y\[2\] has 2 labels, x\[2\] has 3 steps"):
        LABELER.fit(NUMBERS, [*labels[:2], [0, 1], *labels[3:]])
    with pytest.raises(ShapeError, match="7 label sequences for 8"):
        LABELER.fit(NUMBERS, labels[:-1])
    with pytest.raises(InputError, match="y is missing, and x holds numbers"):
        LABELER.fit(NUMBERS)
    with pytest.raises(ParameterError, match="reads the future"):
        SequenceLabeler(both=True, **SMALL).fit(X)
    with pytest.raises(ParameterError, match="kneser_ney"):
        SequenceLabeler(beside="kneser_ney", **SMALL).fit(NUMBERS, labels)
    with pytest.raises(InputError, match="one class 0"):
        LABELER.fit(NUMBERS, [[0] * 3] * 8)


def test_a_linear_part_of_another_kind():
    with pytest.raises(ParameterError, match="does not suit sequences of characters"):
        SequenceClassifier(beside="moments", **SMALL).fit(X, Y)
    with pytest.raises(ParameterError, match="does not suit sequences of numbers"):
        SequenceClassifier(beside="ngrams", **SMALL).fit(NUMBERS, Y)


@pytest.mark.parametrize("validation", [0, 1, 1.5, True, -0.1])
def test_a_share_that_is_none(validation):
    with pytest.raises(ParameterError, match="validation="):
        SPEC.fit(X, Y, validation=validation)


def test_new_symbols_are_refused_or_read_as_unknown_and_another_alphabet_is_warned_of():
    strict = SequenceClassifier(unknown=0.0, **SMALL).fit(X, Y, rng=0)
    with pytest.raises(InputError, match=r"x\[1\] has the symbol 'z' at step 1"):
        strict.predict(["ab", "az"])
    loose = SPEC.fit(X, Y, rng=0)
    assert len(loose.predict(["az", "ab"])) == 2
    with pytest.warns(UnknownSymbolsWarning, match="2 of 2 sequences of x"):
        loose.predict(["xyz", "zz"])
    with pytest.raises(DtypeError, match="the fit was made on sequences of characters"):
        loose.predict([np.ones((2, 2))])
    with pytest.raises(ParameterError, match=r"y\[0\] is 7, a class that the fit does not know"):
        loose.score(["ab"], [7])


def test_sizes_beyond_memory(monkeypatch):
    import varnn.sequence.batch as batch

    monkeypatch.setattr(batch, "LARGEST", 1000)
    with pytest.raises(ResourceLimitError, match="filled up to the 400 steps of the longest"):
        SPEC.fit([*X, "a" * 400], [*Y, 1])


def test_devices():
    with pytest.raises(ParameterError, match="none that torch knows"):
        SequenceClassifier(device="abacus", **SMALL).fit(X, Y)
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(MissingDependencyError, match="use 'cpu'"):
            SequenceClassifier(device="cuda", **SMALL).fit(X, Y)


def test_questions_that_do_not_suit_a_fit():
    fit = SPEC.fit(X, Y, rng=0)
    with pytest.raises(ParameterError, match="linear part"):
        fit.against("counting")
    with pytest.raises(ParameterError, match="needs x"):
        fit.against(fit)
    with pytest.raises(ShapeError, match="groups has 1 entries for 8"):
        fit.score(X, Y, groups=["a"])
    tags = LABELER.fit(X, [list(row) for row in X], rng=0)
    for ask in (lambda: tags.next("a"), lambda: tags.sample(), lambda: tags.perplexity(X)):
        with pytest.raises(ParameterError, match="asked of a fit to labels"):
            ask()
    text = LABELER.fit(X, rng=0)
    with pytest.raises(ParameterError, match="temperature="):
        text.sample(temperature=0)
    with pytest.raises(ParameterError, match="count"):
        text.sample(0)
    with pytest.raises(ParameterError, match="leave it out"):
        text.score(X, Y)


def test_sets_of_sequences_that_are_not_there(monkeypatch, tmp_path):
    with pytest.raises(DataNameError, match="did you mean 'names_en'"):
        load_sequences("name_en")
    monkeypatch.setenv("VARNN_DATA", str(tmp_path))
    monkeypatch.setenv("VARNN_CACHE", str(tmp_path / "cache"))
    for name in sequence_names():
        if name not in ("xor", "adding", "recall", "regimes", "given_names"):
            with pytest.raises(StoreError, match=r"neither in VARNN_DATA|not in VARNN_DATA"):
                load_sequences(name, download=False)
    with pytest.raises(ParameterError, match="n=0"):
        load_sequences("xor", n=0)
    with pytest.raises(ParameterError, match="unexpected keyword"):
        load_sequences("xor", sides=3)
