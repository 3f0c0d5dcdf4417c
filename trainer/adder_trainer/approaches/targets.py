"""What the heads are to say: certain of a label, and undecided where a picture shows no digit."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import DIGITS, SUMS
from adder_trainer.data import NO_DIGIT


def digit_targets(digit: Tensor) -> Tensor:
    """Probabilities of the digits, (batch) labels or NO_DIGIT -> (batch, 10)."""
    certain = F.one_hot(digit.clamp(min=0), len(DIGITS)).float()
    return torch.where((digit == NO_DIGIT)[:, None], 1 / len(DIGITS), certain)


def sum_targets(wanted: Tensor, number: Tensor) -> Tensor:
    """Probabilities of the sums, (batch, n, 19): those of the digits, moved up by the number.

    Args:
        wanted: (batch, 10) probabilities of the digits.
        number: (batch, n), 0 to 9.
    """
    places = number[:, :, None] + torch.arange(len(DIGITS), device=number.device)  # (batch, n, 10)
    nothing = wanted.new_zeros(*number.shape, len(SUMS))
    return nothing.scatter(2, places, wanted[:, None].expand_as(places))


def labels_of_sum(digit: Tensor, number: Tensor) -> Tensor:
    """The sum for each image with each of its numbers: (batch) and (batch, n) -> (batch, n)."""
    return digit[:, None] + number
