"""The one loop over time, and the four ways to wire it, on tasks whose answers are known."""

from __future__ import annotations

import pytest
import torch

from varnn.errors import ParameterError, ShapeError
from varnn.estimate.numerics.threads import one_thread, one_torch_thread
from varnn.recursion.cells import CELLS
from varnn.recursion.loop import unroll
from varnn.recursion.wiring import Layer, aligned, encode_decode, many_to_one, one_to_many


def layer(cell: str, **weights: object) -> Layer:
    named = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in weights.items()}
    n = named["weight_hh"].shape[-1]
    zeros = torch.zeros(n, dtype=torch.float64)
    return Layer(CELLS[cell], {"bias_ih": zeros, "bias_hh": zeros, **named})


def columns(*sequences: list[float]) -> torch.Tensor:
    """Sequences as one batch (T, B, 1)."""
    return torch.tensor(sequences, dtype=torch.float64).T[..., None]


def test_unroll_is_the_loop_written_out():
    def step(state, drive):
        return 0.5 * state + drive

    states = unroll(step, torch.tensor([8.0]), lambda t, state: torch.tensor([float(t)]), 3)
    assert states.flatten().tolist() == [4.0, 3.0, 3.5]


def test_the_drive_may_depend_on_the_state_before():
    states = unroll(lambda state, drive: state + drive, torch.tensor([1.0]), lambda t, state: state, 5)
    assert states.flatten().tolist() == [2.0, 4.0, 8.0, 16.0, 32.0]


def test_a_state_of_several_tensors_comes_back_as_several():
    first, second = unroll(lambda state, drive: (state[1], state[0] + state[1]),
                           (torch.tensor([0]), torch.tensor([1])), lambda t, state: None, 6)
    assert first.flatten().tolist() == [1, 1, 2, 3, 5, 8]
    assert second.flatten().tolist() == [1, 2, 3, 5, 8, 13]


SUM = {"weight_ih": [[1.0]], "weight_hh": [[1.0]]}
# p_t = x_t XOR p_{t-1} by two saturated units: "at least one" and "both"; p = (h_1 − h_2) / 2.
PARITY = {"weight_ih": [[40.0], [40.0]], "weight_hh": [[20.0, -20.0], [20.0, -20.0]], "bias_ih": [-20.0, -60.0],
          "readout": [[0.5, -0.5]]}


def test_aligned_gives_the_running_sum():
    outputs = aligned(layer("linear", **SUM), columns([1, 2, 3], [5, -5, 1]))
    assert outputs[..., 0].T.tolist() == [[1.0, 3.0, 6.0], [5.0, 0.0, 1.0]]


def test_many_to_one_tells_the_parity_of_a_sequence_of_any_length():
    sequences = [[1, 0, 1, 1, 0, 0, 1] * 30, [0] * 209 + [1], [1] * 210]
    parity = many_to_one(layer("tanh", **PARITY), columns(*sequences))
    assert parity.flatten().round(decimals=9).tolist() == [sum(sequence) % 2 for sequence in sequences]


def test_one_to_many_counts():
    counter = layer("linear", weight_ih=[[1.0]], weight_hh=[[0.0]], bias_ih=[1.0])
    outputs = one_to_many(counter, torch.tensor([[0.0], [10.0]], dtype=torch.float64), 4)
    assert outputs[..., 0].T.tolist() == [[1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]]


def test_one_to_many_feeds_back_what_is_asked():
    counter = layer("linear", weight_ih=[[1.0]], weight_hh=[[0.0]], bias_ih=[1.0])
    outputs = one_to_many(counter, torch.zeros(1, 1, dtype=torch.float64), 4, feed=lambda output: output % 3)
    assert outputs.flatten().tolist() == [1.0, 2.0, 3.0, 1.0]


LENGTH = 5
PUSH = torch.diag(torch.ones(LENGTH - 1), -1)
EMPTY = torch.zeros(LENGTH, 1)


def test_encode_decode_copies_a_sequence_backwards():
    encoder = layer("linear", weight_ih=torch.eye(LENGTH)[:, :1], weight_hh=PUSH)
    popping = layer("linear", weight_ih=EMPTY, weight_hh=PUSH.T, readout=torch.eye(LENGTH)[:1])
    sequence = [3.0, 1.0, 4.0, 1.0, 5.0]
    begin = torch.zeros(1, 1, dtype=torch.float64)
    backwards = encode_decode(encoder, popping, columns(sequence), begin, LENGTH - 1)
    assert backwards.flatten().tolist() == [1.0, 4.0, 1.0, 3.0]


def test_encode_decode_copies_a_sequence_through_a_bridge():
    encoder = layer("linear", weight_ih=torch.eye(LENGTH)[:, :1], weight_hh=PUSH)
    popping = layer("linear", weight_ih=EMPTY, weight_hh=PUSH.T, readout=torch.eye(LENGTH)[:1])
    sequence = [3.0, 1.0, 4.0, 1.0, 5.0]
    begin = torch.zeros(1, 1, dtype=torch.float64)

    def turned_and_one_back(states):
        return (states[0].flip(-1) @ PUSH.T.double(),)

    copy = encode_decode(encoder, popping, columns([0.0, *sequence[:-1]]), begin, LENGTH - 1,
                         bridge=turned_and_one_back)
    assert copy.flatten().tolist() == [0.0, 3.0, 1.0, 4.0]


def test_wrong_shapes_are_named():
    counter = layer("linear", **SUM)
    with pytest.raises(ShapeError, match=r"inputs have shape \(3, 1\); pass \(T, B, d\)"):
        aligned(counter, torch.zeros(3, 1, dtype=torch.float64))
    with pytest.raises(ShapeError, match="inputs have 2 columns, weight_ih takes 1"):
        aligned(counter, torch.zeros(3, 1, 2, dtype=torch.float64))
    with pytest.raises(ParameterError, match="steps=0 is not usable"):
        one_to_many(counter, torch.zeros(1, 1, dtype=torch.float64), 0)


def test_threads_are_pinned_inside_and_put_back_outside_also_after_an_error():
    from threadpoolctl import threadpool_info

    def blas() -> list[int]:
        return sorted(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    before, torch_before = blas(), torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_torch_thread(), one_thread():  # noqa: PT012
        assert set(blas()) == {1}
        assert torch.get_num_threads() == 1
        1 / 0  # noqa: B018
    assert blas() == before
    assert torch.get_num_threads() == torch_before


def test_overlapping_fits_in_threads_leave_the_settings_as_they_were():
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    torch_before, meeting = torch.get_num_threads(), Barrier(3)

    def fit(number: int) -> int:
        meeting.wait(5)
        with one_torch_thread():
            torch.ones(50, 50) @ torch.ones(50, 50)
            return torch.get_num_threads()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(fit, range(3))) == [1, 1, 1]
        assert set(pool.map(lambda _: torch.get_num_threads(), range(3))) == {torch_before}
    assert torch.get_num_threads() == torch_before
