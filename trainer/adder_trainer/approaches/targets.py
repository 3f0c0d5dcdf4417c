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


def sum_targets(digit: Tensor, sum_: Tensor) -> Tensor:
    """Probabilities of the sums, (batch, n, 19).

    Args:
        digit: (batch) labels or NO_DIGIT.
        sum_: (batch, n) digit + number.
    """
    certain = F.one_hot(sum_.clamp(min=0), len(SUMS)).float()
    above = torch.arange(len(SUMS), device=sum_.device) - (sum_ - digit[:, None])[:, :, None]  # sum less number
    allowed = ((above >= DIGITS[0]) & (above <= DIGITS[-1])).float() / len(DIGITS)
    return torch.where((digit == NO_DIGIT)[:, None, None], allowed, certain)
