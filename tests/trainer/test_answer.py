"""From the heads to the six outputs: what is allowed, what is refused, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from adder_runtime.contract import DIGITS, NUMBERS, SUMS, UNREAD
from adder_trainer.answer import IMPOSSIBLE, LEAST_PROBABILITY, Answers, answer, clip, mask_sums

ROUNDING = 1e-6
"""float32 probabilities against the same formula in Python."""

READABLE = torch.tensor([True])


HEIGHT = 8.0
"""Logit of the label that a head says; the others have 0."""


def logits_for(label: int, classes: int) -> Tensor:
    """Logits (1, 1, classes) that say one label."""
    logits = torch.zeros(1, 1, classes)
    logits[0, 0, label] = HEIGHT
    return logits


def classify(digit: int, total: int, number: int, readable: bool = True, temperature: float = 1.0) -> Answers:
    heads = logits_for(digit, len(DIGITS)), logits_for(total, len(SUMS))
    return answer(*heads, torch.tensor([[number]]), torch.tensor([readable]), temperature)


def regress(digit: int, value: float, number: int, readable: bool = True, temperature: float = 1.0) -> Answers:
    heads = logits_for(digit, len(DIGITS)), torch.tensor([[[value]]])
    return answer(*heads, torch.tensor([[number]]), torch.tensor([readable]), temperature)


def test_outputs_have_the_types_and_shapes_of_the_contract() -> None:
    number = torch.arange(10, dtype=torch.int32).expand(3, -1)
    for width in (len(SUMS), 1):
        given = answer(torch.zeros(3, 10, 10), torch.zeros(3, 10, width), number, torch.ones(3, dtype=torch.bool), 1.0)
        assert [output.dtype for output in given] == [
            torch.int32, torch.int32, torch.float32, torch.bool, torch.float32, torch.float32,
        ]  # fmt: skip
        assert [tuple(output.shape) for output in given] == [(3, 10)] * 4 + [(3, 10, 10), (3, 10, width)]


@pytest.mark.parametrize("width", [len(SUMS), 1])
def test_one_number_for_each_image_is_answered_without_an_axis_of_numbers(width: int) -> None:
    generator = torch.Generator().manual_seed(1)
    digit_logits, sum_output = (torch.randn(14, classes, generator=generator) * 3 for classes in (10, width))
    number, readable = torch.arange(14) - 2, torch.arange(14) % 3 > 0
    plain = answer(digit_logits, sum_output, number, readable, 1.3)
    with_axis = answer(digit_logits[:, None], sum_output[:, None], number[:, None], readable, 1.3)
    for one, other in zip(plain, with_axis, strict=True):
        assert torch.equal(one, other[:, 0])


def test_clip_brings_any_number_into_range() -> None:
    assert clip(torch.tensor([-(2**31), -1, 0, 4, 9, 10, 2**31 - 1])).tolist() == [0, 0, 0, 4, 9, 9, 9]


@pytest.mark.parametrize("head", [classify, regress])
@pytest.mark.parametrize("number", [-(2**31), -1, 10, 2**31 - 1])
def test_number_out_of_range_has_a_digit_but_no_sum(head: Callable[..., Answers], number: int) -> None:
    given = head(7, 9, number)
    assert given.digit.item() == 7
    assert given.sum.item() == UNREAD
    assert given.confidence.item() == 0
    assert given.consistent.item() is False


@pytest.mark.parametrize("head", [classify, regress])
def test_unreadable_picture_has_neither_digit_nor_sum(head: Callable[..., Answers]) -> None:
    given = head(7, 9, 2, readable=False)
    assert (given.digit.item(), given.sum.item()) == (UNREAD, UNREAD)
    assert given.confidence.item() == 0
    assert given.consistent.item() is False


def test_each_image_is_refused_on_its_own() -> None:
    heads = logits_for(4, 10).expand(2, 3, -1), logits_for(6, 19).expand(2, 3, -1)
    given = answer(*heads, torch.tensor([[2, 11, 3], [2, 11, 3]]), torch.tensor([True, False]), 1.0)
    assert given.digit.tolist() == [[4, 4, 4], [-1, -1, -1]]
    assert given.sum.tolist() == [[6, -1, 6], [-1, -1, -1]]
    assert given.consistent.tolist() == [[True, False, False], [False, False, False]]


@pytest.mark.parametrize("number", NUMBERS)
def test_masked_sums_are_those_outside_number_to_number_plus_9(number: int) -> None:
    masked = mask_sums(torch.ones(1, 1, len(SUMS)), torch.tensor([[number]]))[0, 0]
    assert [total for total in SUMS if masked[total] == 1] == [number + digit for digit in DIGITS]
    assert masked.unique().tolist() == [IMPOSSIBLE, 1]


@pytest.mark.parametrize("number", NUMBERS)
def test_impossible_sum_is_never_chosen_and_has_probability_0(number: int) -> None:
    for favourite in SUMS:
        given = classify(0, favourite, number)
        assert number <= given.sum.item() <= number + 9
        if number <= favourite <= number + 9:
            assert given.sum.item() == favourite
        outside = [total for total in SUMS if not number <= total <= number + 9]
        assert given.sum_scores[0, 0, outside].tolist() == [0] * len(outside)
        assert given.sum_scores.sum().item() == pytest.approx(1, abs=ROUNDING)


@pytest.mark.parametrize(
    ("value", "total"),
    [(7.0, 7), (7.49, 7), (7.51, 8), (11.4, 11), (4.4, 4), (3.4, 4), (-1e9, 4), (13.4, 13), (13.6, 13), (1e9, 13)],
)
def test_regress_rounds_and_never_leaves_the_range_of_number_4(value: float, total: int) -> None:
    given = regress(0, value, 4)
    assert given.sum.item() == total
    assert given.sum_scores.item() == torch.tensor(value).item()


@pytest.mark.parametrize("head", [classify, regress])
@pytest.mark.parametrize(("total", "agrees"), [(9, True), (8, False), (10, False)])
def test_consistent_says_that_sum_is_digit_plus_number(head: Callable[..., Answers], total: int, agrees: bool) -> None:
    assert head(7, total, 2).consistent.item() is agrees


def test_confidence_of_classify_is_the_probability_of_the_sum() -> None:
    for temperature in (0.5, 1.0, 2.0):
        weight = math.exp(HEIGHT / temperature)
        given = classify(7, 9, 2, temperature=temperature)
        assert given.confidence.item() == pytest.approx(weight / (weight + 9), abs=ROUNDING)  # ten sums are allowed


def test_confidence_of_regress_is_the_probability_of_the_digit_that_the_sum_implies() -> None:
    for temperature in (0.5, 1.0, 2.0):
        weight = math.exp(HEIGHT / temperature)
        agreeing, other = (regress(7, value, 2, temperature=temperature).confidence.item() for value in (9.0, 8.0))
        assert agreeing == pytest.approx(weight / (weight + 9), abs=ROUNDING)
        assert other == pytest.approx(1 / (weight + 9), abs=ROUNDING)


@pytest.mark.parametrize("width", [len(SUMS), 1])
def test_confidence_is_from_0_to_1_whatever_the_heads_say(width: int) -> None:
    generator = torch.Generator().manual_seed(5)
    digit_logits, sum_output = (torch.randn(50, 10, n, generator=generator) * 30 for n in (10, width))
    number = torch.arange(10).expand(50, -1)
    given = answer(digit_logits, sum_output, number, READABLE.expand(50), 1.7)
    assert given.confidence.min() >= 0
    assert given.confidence.max() <= 1
    read = given.digit != UNREAD
    assert read.float().mean() > 0.9  # so few of such heads leave all digits unlikely
    assert ((given.sum >= number) & (given.sum <= number + 9))[read].all()
    assert (given.sum[~read] == UNREAD).all()


def test_digit_probabilities_are_not_tempered() -> None:
    given = classify(7, 9, 2, temperature=3.0)
    assert given.digit_probabilities[0, 0].tolist() == pytest.approx(logits_for(7, 10)[0, 0].softmax(0).tolist())
    assert given.sum_scores[0, 0, 9].item() == pytest.approx(logits_for(9, 10)[0, 0].softmax(0)[9].item())


@pytest.mark.parametrize(("probability", "digit"), [(LEAST_PROBABILITY - 0.01, UNREAD), (LEAST_PROBABILITY + 0.01, 4)])
def test_digit_of_which_nothing_speaks_is_nothing_to_read(probability: float, digit: int) -> None:
    logits = torch.full((1, 1, 10), math.log((1 - probability) / 9))
    logits[0, 0, 4] = math.log(probability)
    for scores in (logits_for(7, len(SUMS)), torch.tensor([[[7.0]]])):
        given = answer(logits, scores, torch.tensor([[3]]), READABLE, 1.0)
        assert given.digit.item() == digit
        assert given.sum.item() == (UNREAD if digit == UNREAD else 7)
        assert (given.confidence.item() > 0) is (digit != UNREAD)
        assert given.digit_probabilities[0, 0, 4].item() == pytest.approx(probability, abs=ROUNDING)
