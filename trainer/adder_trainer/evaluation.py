"""Every image with every number: accuracy, loss, confusion, and how sure the network should say it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from adder_runtime.contract import DIGITS, NUMBERS, SUMS, UNREAD, Approach
from adder_runtime.errors import UsageError
from adder_trainer.answer import Answers, answer, mask_sums
from adder_trainer.approaches import Network, labels_of_sum
from adder_trainer.data import NO_DIGIT, Digits

BATCH = 1000
"""Images evaluated at once."""

TEMPERATURES = torch.logspace(-2, 2, 401, base=2)
"""Candidates for the temperature: 0.25 to 4 in steps of 0.7 %."""


@dataclass(frozen=True)
class Evaluation:
    """What one pass over a split measured, over all its images with all ten numbers."""

    images: int
    loss: float
    """Mean of the approach's own loss."""
    digit_accuracy: float
    """Share of pairs whose digit is right, 0 to 1."""
    sum_accuracy: float
    """Share of pairs whose sum is right, 0 to 1."""
    digit_confusion: Tensor
    """(10, 10) pairs, row = true digit, column = answer."""
    sum_confusion: Tensor
    """(19, 19) pairs, row = true sum, column = answer."""
    right: Tensor
    """(images, 10) bool, whether the sum is right with each of the ten numbers."""
    answers: Answers
    """Of all images, each with the numbers 0 to 9."""

    @property
    def pairs(self) -> int:
        """How many sums were answered."""
        return self.images * len(NUMBERS)

    @property
    def wrong_numbers(self) -> Tensor:
        """(images) with how many of the ten numbers the sum is wrong."""
        return (~self.right).sum(1)


@torch.no_grad()
def run(network: Network, digits: Digits) -> tuple[Tensor, Tensor, Tensor]:
    """Digit logits (n, 10, 10), sum outputs (n, 10, 19 or 1) and numbers (n, 10): all images with all ten numbers."""
    network.eval()
    number = torch.arange(len(NUMBERS), device=digits.ink.device)
    heads = [network(ink, number.expand(len(ink), -1)) for ink in digits.ink.split(BATCH)]
    digit_logits, sum_output = (torch.cat(parts) for parts in zip(*heads, strict=True))
    return digit_logits.float(), sum_output.float(), number.expand(len(digits), -1)


def ask(network: Network, ink: Tensor, readable: Tensor, temperature: float) -> Answers:
    """What is answered to ink (n, 1, 28, 28), readable (n) or not, with all ten numbers; on their device."""
    digit_logits, sum_output, number = run(network, Digits(ink, torch.full((len(ink),), NO_DIGIT, device=ink.device)))
    return answer(digit_logits, sum_output, number, readable, temperature)


def evaluate(network: Network, digits: Digits, temperature: float = 1.0) -> Evaluation:
    """Measure a network on a split, all its images with all ten numbers.

    Raises:
        UsageError: the network answers with infinity or with no number at all.
    """
    digit_logits, sum_output, number = run(network, digits)
    if not (digit_logits.isfinite().all() and sum_output.isfinite().all()):
        raise UsageError("the training has run away, its network answers no numbers; train with a lower --lr")
    readable = digits.ink.flatten(1).any(1)  # the normaliser leaves no ink where there is nothing to read
    answers = answer(digit_logits, sum_output, number, readable, temperature)
    truth = labels_of_sum(digits.digit, number)
    digit_truth = digits.digit[:, None].expand_as(truth)
    return Evaluation(
        images=len(digits),
        loss=network.loss(digit_logits, sum_output, digits.digit, number).item(),
        digit_accuracy=(answers.digit == digit_truth).double().mean().item(),
        sum_accuracy=(answers.sum == truth).double().mean().item(),
        digit_confusion=confusion(digit_truth, answers.digit, len(DIGITS)),
        sum_confusion=confusion(truth, answers.sum, len(SUMS)),
        right=answers.sum == truth,
        answers=answers,
    )


def confusion(truth: Tensor, answered: Tensor, classes: int) -> Tensor:
    """Counts (classes, classes): row = truth, column = answer. Where nothing was read, nothing counts."""
    truth, answered = truth.flatten().long(), answered.flatten().long()
    index = (truth * classes + answered)[answered != UNREAD]
    return torch.bincount(index, minlength=classes * classes).reshape(classes, classes).cpu()


def fit_temperature(approach: Approach, network: Network, digits: Digits) -> float:
    """The temperature under which the confidence explains a split's labels best (least negative log-likelihood).

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    digit_logits, sum_output, number = run(network, digits)
    truth = labels_of_sum(digits.digit, number)
    match approach:
        case Approach.CLASSIFY:
            logits, label = mask_sums(sum_output, number).flatten(0, 1), truth.flatten()
        case Approach.REGRESS:
            logits, label = digit_logits[:, 0], digits.digit
    losses = torch.stack([torch.nn.functional.cross_entropy(logits / t, label) for t in TEMPERATURES.tolist()])
    return TEMPERATURES[losses.argmin().cpu()].item()
