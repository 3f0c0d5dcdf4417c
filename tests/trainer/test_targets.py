"""What the heads are to say: certain of a label, and undecided where there is no digit."""

from __future__ import annotations

import pytest
import torch

from adder_runtime.contract import DIGITS, NUMBERS
from adder_trainer.approaches.targets import digit_targets, sum_targets
from adder_trainer.data import NO_DIGIT

EVERY = torch.arange(len(NUMBERS))[None]


def test_digit_target_is_certain_of_its_label() -> None:
    assert torch.equal(digit_targets(torch.arange(10)), torch.eye(10))


def test_digit_target_is_uniform_where_there_is_no_digit() -> None:
    targets = digit_targets(torch.tensor([NO_DIGIT, 3]))
    assert targets[0].tolist() == pytest.approx([0.1] * 10)
    assert targets[1].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("digit", DIGITS)
def test_sum_target_is_certain_of_digit_plus_number(digit: int) -> None:
    targets = sum_targets(digit_targets(torch.tensor([digit])), EVERY)
    assert targets.shape == (1, 10, 19)
    assert torch.equal(targets[0], torch.eye(19)[digit : digit + 10])


def test_sum_target_without_a_digit_is_uniform_over_what_the_number_allows() -> None:
    targets = sum_targets(digit_targets(torch.tensor([NO_DIGIT])), EVERY)[0]
    for number in NUMBERS:
        wanted = [0.1 if number <= total <= number + 9 else 0.0 for total in range(19)]
        assert targets[number].tolist() == pytest.approx(wanted)


def test_targets_are_probabilities_for_each_picture_of_a_batch() -> None:
    digit = torch.tensor([4, NO_DIGIT, 9])
    targets = sum_targets(digit_targets(digit), EVERY.expand(3, -1))
    assert targets.sum(2).flatten().tolist() == pytest.approx([1] * 30)
    assert targets[0, 2, 6] == targets[2, 9, 18] == 1


def test_doubt_between_two_digits_is_doubt_between_their_two_sums() -> None:
    targets = sum_targets(torch.tensor([[0, 0.75, 0, 0, 0, 0, 0, 0.25, 0, 0]]), torch.tensor([[4]]))[0, 0]
    assert targets.nonzero()[:, 0].tolist() == [5, 11]
    assert targets[[5, 11]].tolist() == [0.75, 0.25]
