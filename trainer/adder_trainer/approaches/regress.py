"""regress: the digit as classes, then the sum as one value by mean squared error."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import DIGITS
from adder_trainer.approaches.numbers import for_each
from adder_trainer.approaches.targets import digit_targets, labels_of_sum
from adder_trainer.data import NO_DIGIT

WIDTHS = (14, 24)
"""Channels of the two convolution layers."""

HIDDEN = (120, 60)
"""Units of the fully connected layers between the convolutions and the digit."""

SUM_HIDDEN = 32
"""Units of the first of the two fully connected layers between the digit and the sum."""

SHARPNESS = 16.0
"""The digit is stacked as softmax(SHARPNESS x logits). Raw logits or a plain softmax put a sum between two integers
where the digit is in doubt; sharpened, the stack is nearly one-hot and the sum is as good as the digit."""

DROPOUT = 0.2
"""Share of the convolutions' outputs that are left out of each training step."""


class Regress(nn.Module):
    """Two convolution layers; fully connected 120 and 60; the digit; its output stacked with the number; the sum."""

    def __init__(self, sharpness: float = SHARPNESS, dropout: float = DROPOUT) -> None:
        """Take how the digit is stacked and the share of the convolutions' outputs that training leaves out.

        Args:
            sharpness: 0 stacks the raw logits, as the source does.
            dropout: 0 to 1.
        """
        super().__init__()
        self.sharpness = sharpness
        self.dropout = dropout
        first, second = WIDTHS
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, first, 5, padding=1, bias=False),  # 26x26
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 13x13
            nn.Conv2d(first, second, 5, padding=1, bias=False),  # 11x11
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 5x5
        )
        self.fully_connected = nn.Sequential(
            nn.Linear(second * 25, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.ReLU()
        )
        self.digit = nn.Linear(HIDDEN[1], len(DIGITS))
        self.sum = nn.Sequential(nn.Linear(len(DIGITS) + 1, SUM_HIDDEN), nn.ReLU(), nn.Linear(SUM_HIDDEN, 1))

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        """Digit logits (batch, n, 10) and the unrounded sum (batch, n, 1).

        Args:
            ink: (batch, 1, 28, 28) float, 0 = paper, 1 = full stroke.
            number: (batch, n) integer, 0 to 9: n numbers for each image, which share its digit; or (batch), one for
                each, and no axis of them in what is returned.
        """
        seen = F.dropout(self.convolutions(ink).flatten(1), self.dropout, self.training)  # (batch, 600)
        logits = self.digit(self.fully_connected(seen))  # (batch, 10)
        stacked = for_each(self.stack(logits), number)
        value = self.sum(torch.cat([stacked, number[..., None].to(logits.dtype)], -1))
        return for_each(logits, number), value

    def stack(self, logits: Tensor) -> Tensor:
        """What the digit output puts beside the number, (batch, 10) -> (batch, 10)."""
        if self.sharpness == 0:
            return logits
        # detached: through a sharp softmax the squared error, up to 81 for one wrong digit, outweighs the
        # cross-entropy and holds the digit at 69 % (4 epochs); each loss trains its own part instead
        return (logits.detach() * self.sharpness).softmax(-1)

    def loss(
        self,
        digit_logits: Tensor,
        value: Tensor,
        digit: Tensor,
        number: Tensor,
        wanted: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy of the digit in nats plus mean squared error of the sum, a scalar.

        A picture of no digit wants all ten digits to be equally likely, and has no sum.

        Args:
            digit_logits: (batch, n, 10), the same for each of the n numbers.
            value: (batch, n, 1).
            digit: (batch) integer label, or NO_DIGIT.
            number: (batch, n) integer, 0 to 9.
            wanted: (batch, 10) probabilities of the digits to learn instead of the label's; the sum stays the label's.
        """
        wanted = digit_targets(digit) if wanted is None else wanted
        known = (digit != NO_DIGIT).to(value.dtype)[:, None]
        error = (value[:, :, 0] - labels_of_sum(digit, number)).square() * known
        return F.cross_entropy(digit_logits[:, 0], wanted) + error.mean() / known.mean().clamp(min=1e-6)
