"""Sequences of different length side by side are each alone, whatever stands in the padding; and where they stop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from varnn.errors import ParameterError, ShapeError
from varnn.recursion.cells import CELLS
from varnn.recursion.loop import ends, present, unroll
from varnn.recursion.wiring import Layer, aligned, encode_decode, many_to_one, one_to_many

T, D, N, K = 9, 3, 4, 2
LENGTHS = torch.tensor([4, 9, 1, 6, 9])
GARBAGE = (0.0, 1e30, -math.inf, math.nan)


def layer(name: str, *, inputs: int = D, read: bool = True, dtype: torch.dtype = torch.float64) -> Layer:
    rng = np.random.default_rng(7)
    arrays = dict(CELLS[name].initial(inputs, N, rng, memory=5.0))
    if read:
        arrays |= {"readout": rng.standard_normal((K, N)), "offset": rng.standard_normal(K)}
    return Layer(CELLS[name], {key: torch.tensor(value, dtype=dtype) for key, value in arrays.items()})


def batch(garbage: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    x = torch.tensor(np.random.default_rng(1).standard_normal((T, len(LENGTHS), D)), dtype=dtype)
    return torch.where(present(T, LENGTHS)[..., None], x, garbage)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", sorted(CELLS))
def test_in_a_batch_a_sequence_is_what_it_is_alone(name, garbage):
    model, x = layer(name), batch(garbage)
    one, each = many_to_one(model, x, lengths=LENGTHS), aligned(model, x, lengths=LENGTHS)
    first = torch.ones(len(LENGTHS), K, dtype=torch.float64)
    writer = layer(name, inputs=K)
    told = encode_decode(model, writer, x, first, 3, lengths=LENGTHS)
    for b, length in enumerate(LENGTHS.tolist()):
        alone = x[:length, b:b + 1]
        assert_allclose(one[b], many_to_one(model, alone)[0], rtol=0, atol=1e-12)
        assert_allclose(each[:length, b], aligned(model, alone)[:, 0], rtol=0, atol=1e-12)
        assert each[length:, b].eq(0.0).all()
        assert_allclose(told[:, b], encode_decode(model, writer, alone, first[:1], 3)[:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_garbage_in_the_padding_changes_neither_results_nor_gradients(name):
    found = []
    for garbage in GARBAGE:
        model = layer(name)
        weights = {key: value.clone().requires_grad_() for key, value in model.weights.items()}
        x = batch(garbage).requires_grad_()
        loss = many_to_one(Layer(model.cell, weights), x, lengths=LENGTHS).square().sum()
        loss = loss + aligned(Layer(model.cell, weights), x, lengths=LENGTHS).square().sum()
        loss.backward()
        found.append([loss.detach(), x.grad, *(value.grad for value in weights.values())])
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            assert torch.equal(ours, theirs)
    assert found[0][1][~present(T, LENGTHS)].eq(0.0).all()


@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_start_and_lengths_together(name):
    model, x = layer(name), batch(math.nan)
    rng = np.random.default_rng(3)
    start = tuple(torch.tensor(rng.standard_normal((len(LENGTHS), N))) for _ in range(CELLS[name].carried))
    for given in (many_to_one(model, x, start, LENGTHS),
                  many_to_one(Layer(model.cell, model.weights, begin=start), x, lengths=LENGTHS)):
        for b, length in enumerate(LENGTHS.tolist()):
            alone = many_to_one(model, x[:length, b:b + 1], tuple(part[b:b + 1] for part in start))
            assert_allclose(given[b], alone[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", sorted(CELLS))
def test_outputs_are_the_states_that_the_loop_gives(name, dtype, lengths):
    model, x = layer(name, dtype=dtype), batch(0.0, dtype)
    outputs, reached = model.outputs(x, lengths=lengths)
    states = model.run(x, lengths=lengths)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6
    inside = present(T, torch.full((len(LENGTHS),), T) if lengths is None else lengths)
    assert_allclose(outputs[inside], states[0][inside], rtol=0, atol=tolerance)
    for ours, part in zip(reached, states, strict=True):
        assert_allclose(ours, ends(part, lengths), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("lengths", "message"), [
    (torch.tensor([1, 2]), "one whole number for each of the 5"), (torch.tensor([1.0] * 5), "float32"),
    (torch.tensor([1, 2, 0, 4, 5]), r"lengths\[2\] is 0; give 1 … 9"),
    (torch.tensor([1, 2, 3, 4, 10]), r"lengths\[4\] is 10"), (torch.tensor([[1]] * 5), "for each of the 5")])
def test_lengths_that_cannot_be_are_refused(lengths, message):
    with pytest.raises(ShapeError, match=message):
        many_to_one(layer("tanh"), batch(0.0), lengths=lengths)


def counter(*starts: float) -> tuple[Layer, torch.Tensor, tuple[torch.Tensor]]:
    weights = {"weight_ih": [[0.0]], "weight_hh": [[1.0]], "bias_ih": [1.0], "bias_hh": [0.0]}
    named = {key: torch.tensor(value, dtype=torch.float64) for key, value in weights.items()}
    begin = torch.tensor(starts, dtype=torch.float64)[:, None]
    return Layer(CELLS["linear"], named), torch.zeros_like(begin), (begin,)


def test_a_row_that_is_over_stays_and_outputs_end_with_the_last_row():
    model, first, start = counter(0.0, 3.0, -1.0)
    outputs = one_to_many(model, first, 50, start=start, stop=lambda entering: entering[:, 0] >= 4)
    assert outputs[..., 0].T.tolist() == [[1, 2, 3, 4, 4], [4, 4, 4, 4, 4], [0, 1, 2, 3, 4]]


def test_without_a_row_that_ends_there_are_as_many_outputs_as_asked():
    model, first, start = counter(0.0)
    outputs = one_to_many(model, first, 3, start=start, stop=lambda entering: entering[:, 0] >= 4)
    assert outputs.flatten().tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_stop_that_never_comes_changes_nothing(name):
    model = layer(name, inputs=K)
    first = torch.ones(3, K, dtype=torch.float64)
    plain = one_to_many(model, first, 6)
    never = one_to_many(model, first, 6, stop=lambda entering: torch.zeros(len(entering), dtype=torch.bool))
    assert torch.equal(plain, never)


def test_what_is_drawn_can_stop_a_row():
    model = layer("gru", inputs=K)
    codes: list[list[int]] = []

    def feed(output: torch.Tensor) -> torch.Tensor:
        code = torch.tensor([len(codes) % 2, 0])
        codes.append(code.tolist())
        return torch.nn.functional.one_hot(code, K).double()

    outputs = one_to_many(model, torch.ones(2, K, dtype=torch.float64), 5, feed=feed, stop=lambda x: x[:, 1] == 1)
    assert len(outputs) == 5                                     # the second row never draws the symbol of the end
    assert torch.equal(outputs[1, 0], outputs[4, 0])
    assert not torch.equal(outputs[1, 1], outputs[4, 1])


def test_encode_decode_begins_where_it_is_told_and_stops():
    model, first, start = counter(0.0, 1.0)
    read = encode_decode(model, model, torch.zeros(2, 2, 1, dtype=torch.float64), first, 9, start=start,
                         lengths=torch.tensor([2, 1]), stop=lambda entering: entering[:, 0] >= 5)
    assert read[..., 0].T.tolist() == [[3, 4, 5], [3, 4, 5]]


@pytest.mark.parametrize("name", ["linear", "tanh"])
def test_a_plain_cell_starts_with_an_orthogonal_memory(name):
    weights = CELLS[name].initial(3, 16, np.random.default_rng(0))
    assert_allclose(weights["weight_hh"] @ weights["weight_hh"].T, np.eye(16), atol=1e-12)
    assert not weights["bias_hh"].any()


@pytest.mark.parametrize("name", sorted(CELLS))
def test_initial_weights_have_the_shapes_of_the_cell_and_follow_the_seed(name):
    weights = CELLS[name].initial(3, 5, np.random.default_rng(0), memory=20)
    again = CELLS[name].initial(3, 5, np.random.default_rng(0), memory=20)
    assert {key: value.shape for key, value in weights.items()} == CELLS[name].shapes(3, 5)
    assert all(np.array_equal(weights[key], again[key]) for key in weights)


@pytest.mark.parametrize(("name", "block"), [("gru", 1), ("lstm", 1)])
def test_the_gate_that_keeps_remembers_for_the_steps_asked(name, block):
    n, memory = 4000, 50.0
    weights = CELLS[name].initial(1, n, np.random.default_rng(0), memory=memory)
    bias = (weights["bias_ih"] + weights["bias_hh"])[block * n:(block + 1) * n]
    steps = np.exp(bias)                                              # U(1, T − 1), Tallec and Ollivier (2018)
    assert steps.min() >= 1.0
    assert steps.max() <= memory - 1.0
    assert_allclose(steps.mean(), memory / 2, rtol=0.03)
    assert_allclose(1.0 / (1.0 - 1.0 / (1.0 + np.exp(-bias))), 1.0 + steps, rtol=1e-9)   # 1/(1 − σ(b)) is its memory


def test_the_gate_that_takes_in_mirrors_the_one_that_keeps():
    bias = CELLS["lstm"].initial(2, 6, np.random.default_rng(0), memory=30)["bias_hh"]
    assert_allclose(bias[:6], -bias[6:12], rtol=0)


@pytest.mark.parametrize("memory", [1.5, 0, -3, math.nan, math.inf])
def test_a_memory_that_cannot_be_is_refused(memory):
    with pytest.raises(ParameterError, match="at least 2"):
        CELLS["gru"].initial(2, 3, np.random.default_rng(0), memory=memory)


def test_a_loop_that_is_over_ends():
    states = unroll(lambda h, x: h + x, torch.zeros(1), lambda t, h: torch.ones(1), 10, lambda h: bool(h >= 3))
    assert states.flatten().tolist() == [1.0, 2.0, 3.0]
