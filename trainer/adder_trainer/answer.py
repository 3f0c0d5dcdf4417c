"""From what the heads say to the answer: the last step of the exported graph and of every measurement."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import DIGITS, NUMBERS, SUM_SCORES, SUMS, UNREAD, Approach

LEAST_PROBABILITY = 0.25
"""Of the likeliest digit, below which there is nothing to read: networks that are trained on rendered pictures hold all
ten digits equally likely where there is none. Of MNIST's validation images none lies below, and up to 0.1 % would below
0.4, nearly all of them read rightly; blank pictures are refused nearly as often."""


class Answers(NamedTuple):
    """What the contract answers, in its order, for n numbers with each image; without that axis, if asked so."""

    digit: Tensor
    """(batch, n) int32, 0 to 9; -1 where there is nothing to read."""
    sum: Tensor
    """(batch, n) int32, number to number + 9; -1 where digit is -1 or number is not in 0 to 9."""
    confidence: Tensor
    """(batch, n) float32, calibrated probability that `sum` is right; 0 where it is -1."""
    consistent: Tensor
    """(batch, n) bool, sum == digit + number."""
    digit_probabilities: Tensor
    """(batch, n, 10) float32."""
    sum_scores: Tensor
    """(batch, n, 19) float32 probabilities for classify, (batch, n, 1) the unrounded sum for regress."""


def clip(number: Tensor) -> Tensor:
    """Any number brought into 0 to 9, so that a network can be asked; `answer` then refuses its sum."""
    # no clamp: onnxscript 0.7 turns one of integers into a Clip whose limits it then loses
    low = torch.where(number < NUMBERS[0], NUMBERS[0], number)
    return torch.where(low > NUMBERS[-1], NUMBERS[-1], low)


def answer(digit_logits: Tensor, sum_output: Tensor, number: Tensor, readable: Tensor, temperature: float) -> Answers:
    """What the network answers.

    The sum is always one of the ten that the number allows: classify chooses among those ten classes, regress rounds
    and clamps.

    Args:
        digit_logits: (batch, n, 10), or (batch, 10).
        sum_output: (batch, n, 19) logits for classify, (batch, n, 1) the value for regress; or (batch, 19 or 1).
        number: (batch, n) integer, any, or (batch); outside 0 to 9 the sum is -1.
        readable: (batch) bool, False where the normaliser found nothing to read. Where no digit has at least
            LEAST_PROBABILITY there is nothing to read either.
        temperature: divides the logits behind the confidence; fitted on the validation split.
    """
    allowed = clip(number)
    digit_probabilities = digit_logits.softmax(-1)
    digit = digit_logits.argmax(-1)  # (batch, n)
    if number.dim() > 1:
        readable = readable[:, None]
    readable = readable & (digit_probabilities.amax(-1) >= LEAST_PROBABILITY)
    valid = readable & (number >= NUMBERS[0]) & (number <= NUMBERS[-1])
    if sum_output.shape[-1] == SUM_SCORES[Approach.CLASSIFY]:
        logits = mask_sums(sum_output, allowed)
        total = logits.argmax(-1)
        confidence = (logits / temperature).softmax(-1).gather(-1, total[..., None])[..., 0]
        scores = logits.softmax(-1)
    else:
        value = sum_output[..., 0]
        total = torch.minimum(torch.maximum(value.round(), allowed.to(value)), allowed.to(value) + DIGITS[-1]).long()
        confidence = (digit_logits / temperature).softmax(-1).gather(-1, (total - allowed)[..., None])[..., 0]
        scores = sum_output
    # as the number is: OpenVINO calls an input that is made another integer by the other's name too
    digit, total = digit.int(), total.int()
    return Answers(
        torch.where(readable, digit, UNREAD),
        torch.where(valid, total, UNREAD),
        torch.where(valid, confidence, 0.0),
        valid & (total == digit + number),
        digit_probabilities,
        scores,
    )


IMPOSSIBLE = -1e4
"""Logit of a sum that the number does not allow: its probability is exactly 0, also in float16."""

ALLOWED = torch.tensor([[total - number in DIGITS for total in SUMS] for number in NUMBERS])
"""(10, 19) bool: the sums of each number."""


def mask_sums(logits: Tensor, number: Tensor) -> Tensor:
    """Sum logits (batch, n, 19) or (batch, 19) with those outside number to number + 9 made impossible."""
    # a look into a table: one node of a graph, in place of four
    return torch.where(F.embedding(number, ALLOWED.to(logits.device)), logits, IMPOSSIBLE)
