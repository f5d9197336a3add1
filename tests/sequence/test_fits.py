"""Fits to sequences: contained exactly, untouched by padding, the same by seed and after saving."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import varnn
from varnn import SequenceClassifier, SequenceLabeler
from varnn.data.sequences import load_sequences
from varnn.sequence.network import BESIDE, Drop, Network, pool_weights

CELLS = ("linear", "tanh", "gru", "lstm")
SMALL = {"width": 5, "embed": 4, "epochs": 2, "batch": 16}


def names(count=80, seed=0):
    rng = np.random.default_rng(seed)
    x = ["".join(rng.choice(list("abcde"), rng.integers(1, 9))) for _ in range(count)]
    return x, ["f" if row.count("a") > row.count("b") else "m" for row in x]


def frames(count=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return [rng.standard_normal((rng.integers(2, 9), 2)) + label for label in y], [int(label) for label in y]


def at_its_linear_part(fit):
    """The fit with W_hy = 0, c = 0 and weight 1."""
    members = tuple(replace(member, weights={
        **member.weights, "readout": 0 * member.weights["readout"], "offset": 0 * member.weights["offset"],
        BESIDE: np.ones_like(member.weights[BESIDE])}) for member in fit.members)
    return replace(fit, members=members)


@pytest.mark.parametrize("data", [names, frames])
@pytest.mark.parametrize("nesting", ["pool", "offset"])
def test_without_read_out_a_classifier_is_its_linear_part(data, nesting):
    x, y = data()
    fit = SequenceClassifier(cell="tanh", dtype="float64", nesting=nesting, **SMALL).fit(x, y, rng=0)
    own = at_its_linear_part(fit).log_proba(fit._checked(x))
    assert_allclose(own, fit.linear.log_proba(fit._checked(x)), rtol=0, atol=1e-12)
    assert abs(fit.log_proba(fit._checked(x)) - own).max() > 1e-6


@pytest.mark.parametrize("nesting", ["pool", "offset"])
def test_without_read_out_a_labeler_is_its_linear_part(nesting):
    fit = SequenceLabeler(cell="tanh", dtype="float64", nesting=nesting, **SMALL).fit(names()[0], rng=0)
    x = names(seed=1)[0]
    lost = at_its_linear_part(fit).losses(x)
    assert_allclose(lost.own, lost.linear, rtol=0, atol=1e-12)
    data = load_sequences("regimes", n=20, length=12)
    fit = SequenceLabeler(cell="gru", both=True, dtype="float64", nesting=nesting, **SMALL).fit(data.x, data.y, rng=0)
    lost = at_its_linear_part(fit).losses(data.x, data.y)
    assert_allclose(lost.own, lost.linear, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("both", [False, True])
def test_what_stands_in_the_padding_changes_nothing_and_is_no_gradient(cell, both):
    rng = np.random.default_rng(0)
    network = Network(cell=cell, inputs=3, width=4, outputs=2, both=both)
    weights = {name: torch.as_tensor(array).requires_grad_() for name, array in
               network.initial(rng, 5.0, "float64").items()}
    weights["readout"] = torch.as_tensor(rng.standard_normal((2, 4 * (1 + both)))).requires_grad_()
    rows = [torch.as_tensor(rng.standard_normal((length, 3))) for length in (2, 6, 1)]
    lengths = torch.tensor([2, 6, 1])
    batch = torch.full((6, 3, 3), torch.nan, dtype=torch.float64)
    for b, row in enumerate(rows):
        batch[:len(row), b] = row
    last = network.last(weights, batch, lengths, Drop())
    each = network.each(weights, batch, lengths, Drop())[0]
    for b, row in enumerate(rows):
        alone = row[:, None], torch.tensor([len(row)])
        assert torch.allclose(last[b], network.last(weights, *alone, Drop())[0], rtol=0, atol=1e-12)
        assert torch.allclose(each[:len(row), b], network.each(weights, *alone, Drop())[0][:, 0], rtol=0, atol=1e-12)
    last.sum().backward()
    assert all(bool(torch.isfinite(weight.grad).all()) for weight in weights.values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sequence_alone_and_among_others_is_predicted_alike(dtype):
    x, y = names()
    fit = SequenceClassifier(cell="lstm", dtype=dtype, both=True, **SMALL).fit(x, y, rng=0)
    near = 1e-12 if dtype == "float64" else 1e-6
    assert_allclose(fit.predict_proba(x[:9]), np.vstack([fit.predict_proba([row]) for row in x[:9]]), rtol=0, atol=near)
    text = SequenceLabeler(cell="gru", dtype=dtype, **SMALL).fit(x, rng=0)
    for together, row in zip(text.predict_proba(x[:9]), x[:9], strict=True):
        assert_allclose(together, text.predict_proba([row])[0], rtol=0, atol=near)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    x, y = names()
    spec = SequenceClassifier(members=2, **SMALL)
    first, second, other = (spec.fit(x, y, rng=seed).predict_proba(x).to_numpy() for seed in (0, 0, 1))
    assert_array_equal(first, second)
    assert (first != other).any()
    text = [SequenceLabeler(**SMALL).fit(x, rng=3) for _ in range(2)]
    assert_array_equal(text[0].losses(x).own, text[1].losses(x).own)
    assert text[0].sample(3, rng=1, longest=9) == text[1].sample(3, rng=1, longest=9)


def test_global_generators_are_left_alone():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    SequenceClassifier(**SMALL).fit(*names(), rng=0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("make", [
    lambda: (SequenceClassifier(cell="gru", **SMALL).fit(*names(), rng=0), names()),
    lambda: (SequenceClassifier(cell="lstm", both=True, **SMALL).fit(*frames(), rng=0), frames()),
    lambda: (SequenceLabeler(cell="lstm", members=2, **SMALL).fit(names()[0], rng=0), (names()[0], None)),
], ids=["names", "frames", "text"])
def test_a_saved_fit_is_the_same_to_the_bit(make, tmp_path):
    fit, (x, y) = make()
    back = varnn.load(fit.save(tmp_path / "fit.varnn"))
    assert_array_equal(back.losses(x, y).own, fit.losses(x, y).own)
    assert back.summary() == fit.summary()
    assert back.spec == fit.spec


def test_step_by_step_is_the_whole_at_once():
    fit = SequenceLabeler(cell="lstm", dtype="float64", **SMALL).fit(names()[0], rng=0)
    table = fit.predict_proba(["abca"])[0]
    for t in range(5):
        after = fit.next("abca"[:t])
        assert_allclose(after[table.columns], table.iloc[t], rtol=0, atol=1e-12)
        assert after.sum() == pytest.approx(1)


def test_a_long_text_read_in_pieces_is_the_text_read_at_once(monkeypatch):
    import varnn.sequence.aligned as aligned

    text = "".join(np.random.default_rng(0).choice(list("ab "), 3000))
    fit = SequenceLabeler(cell="gru", dtype="float64", window=20, width=4, embed=3, epochs=1).fit([text], rng=0)
    whole = fit.losses([text]).own
    monkeypatch.setattr(aligned, "PIECE", 97)
    assert_allclose(fit.losses([text]).own, whole, rtol=0, atol=1e-10)
    assert np.isfinite(fit.score([text]).standard_error)


def test_pooling_weighs_up_what_is_right():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 500)
    right, wrong = np.log(np.where(np.eye(2)[y] > 0, 0.8, 0.2)), np.log(rng.dirichlet([1, 1], 500))
    a, b = pool_weights(right, wrong, y)
    assert b > 10 * a


def test_scores_and_gains_are_their_definitions():
    x, y = names()
    z, w = names(seed=1)
    fit = SequenceClassifier(cell="gru", **SMALL).fit(x, y, rng=0)
    p = fit.predict_proba(z)
    lost = -np.log([p.loc[i, label] for i, label in enumerate(w)])
    score = fit.score(z, w)
    assert score.log_loss == pytest.approx(lost.mean())
    assert score.standard_error == pytest.approx(lost.std(ddof=1) / np.sqrt(len(z)))
    assert score.accuracy == (fit.predict(z) == np.array(w)).mean()
    linear = -fit.linear.log_proba(fit._checked(z))[np.arange(len(z)), [("f", "m").index(label) for label in w]]
    gain = fit.against("linear part", z, w)
    assert gain.gain == pytest.approx((linear - lost).mean())
    assert gain.standard_error == pytest.approx((linear - lost).std(ddof=1) / np.sqrt(len(z)))
    assert fit.against(fit, z, w).gain == 0
    assert "No evidence" in fit.against(fit, z, w).sentence


def test_repeated_rows_are_one_observation_where_groups_say_so():
    x, y = names()
    fit = SequenceClassifier(cell="gru", **SMALL).fit(x, y, rng=0)
    once = fit.score(x, y)
    four = fit.score(x * 4, y * 4, groups=[i % len(x) for i in range(4 * len(x))])
    assert four.standard_error == pytest.approx(once.standard_error)


def test_summary_is_at_most_a_screen_and_progress_is_told():
    told = []
    x, y = names()
    fit = SequenceClassifier(cell="gru", **SMALL).fit(x, y, rng=0, progress=lambda *said: told.append(said))
    assert len(repr(fit).splitlines()) < 25
    assert told
    assert told[-1][1] <= told[-1][2]


def test_words_and_characters_are_one_thing():
    x, y = names()
    apart = SequenceClassifier(cell="tanh", beside=None, **SMALL).fit([list(row) for row in x], y, rng=0)
    whole = SequenceClassifier(cell="tanh", beside=None, **SMALL).fit(x, y, rng=0)
    assert_array_equal(apart.predict_proba([list(row) for row in x]), whole.predict_proba(x))
    text = SequenceLabeler(**SMALL).fit([["the", "cat", "sat"], ["the", "dog", "sat"]] * 10, rng=0)
    assert text.next(["the"]).index[0] in ("cat", "dog")


def test_unrolled_says_what_prediction_says():
    x, y = names()
    fit = SequenceClassifier(cell="gru", **SMALL).fit(x, y, rng=0)
    seen = fit.unrolled("abca")
    assert seen.inputs == ("a", "b", "c", "a")
    assert seen.states.shape == (4, 5)
    assert np.isnan(seen.losses).all()
    assert_allclose(seen.probabilities.iloc[-1], fit.predict_proba(["abca"]).iloc[0], atol=1e-6)
    text = SequenceLabeler(**SMALL).fit(x, rng=0)
    after = text.unrolled("abca")
    assert len(after.losses) == len(after.probabilities) == len(after.outputs) == 4
    for t, following in enumerate("bca"):
        assert after.losses[t] == pytest.approx(-np.log(text.next("abca"[:t + 1])[following]), rel=1e-5)
    assert np.isnan(after.losses[3])


def test_the_states_shown_are_those_that_answers_are_read_from():
    fit = SequenceLabeler(cell="gru", beside=None, dtype="float64", **SMALL).fit(names()[0], rng=0)
    seen = fit.unrolled("abcab")
    weights = fit.tensors(fit.members[0])
    read = fit.network.logits(weights, torch.as_tensor(seen.states)).softmax(-1)
    assert_allclose(read.numpy(), seen.probabilities, atol=1e-12)
    x, y = names()
    fit = SequenceClassifier(cell="lstm", beside=None, dtype="float64", **SMALL).fit(x, y, rng=0)
    seen = fit.unrolled("abcab")
    read = fit.network.logits(fit.tensors(fit.members[0]), torch.as_tensor(seen.states)).softmax(-1)
    assert_allclose(read.numpy(), seen.probabilities, atol=1e-12)


def test_tanh_learns_exclusive_or_and_linear_cannot():
    train, test = (load_sequences("xor", n=n, length=4, seed=seed) for n, seed in ((1500, 0), (500, 1)))
    common = {"beside": None, "width": 16, "drop": 0.0, "noise": 0.0, "batch": 50, "epochs": 12, "rate": 1e-2}
    tanh = SequenceClassifier(cell="tanh", **common).fit(train.x, train.y, rng=0)
    linear = SequenceClassifier(cell="linear", **{**common, "epochs": 3}).fit(train.x, train.y, rng=0)
    assert tanh.score(test.x, test.y).accuracy > 0.98
    assert linear.score(test.x, test.y).accuracy < 0.8  # at most three of four
    gain = tanh.against(linear, test.x, test.y)
    assert gain.p_value < 1e-6
    assert "predicts better" in gain.sentence
