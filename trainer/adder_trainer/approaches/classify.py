"""classify: the digit and the sum as classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import DIGITS, NUMBERS, SIDE, SUMS
from adder_trainer.approaches.numbers import for_each
from adder_trainer.approaches.targets import digit_targets, sum_targets

WIDTHS = (16, 16, 32, 32, 48, 48, 64, 64)
"""Channels of the eight convolution layers; a pooling by 2 stands before each widening."""

DROPOUT = 0.2
"""Share of the last convolution's channels that are left out of each training step."""

HIDDEN = 64
"""Units of each of the two fully connected layers."""

ONE_HOT = torch.eye(len(NUMBERS))
"""(10, 10): what stands for each number beside what was seen."""


class Classify(nn.Module):
    """Eight convolution layers; the number one-hot beside them; two fully connected layers; two heads.

    What the last convolution found is averaged over the picture, each channel with a weight for each place: a bow at
    the top says something else than one at the bottom.
    """

    def __init__(self, dropout: float = DROPOUT) -> None:
        """Take the share of the last channels that are left out of each training step."""
        super().__init__()
        layers: list[nn.Module] = []
        before, side = 1, SIDE
        for width in WIDTHS:
            if before not in (1, width):
                # an odd side is padded, 7 -> 4: without it the last row and column would be left out
                layers.append(nn.MaxPool2d(2, padding=side % 2))
                side = (side + 1) // 2
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.convolutions = nn.Sequential(*layers, nn.Dropout2d(dropout))
        # a plain mean at first
        self.places = nn.Parameter(torch.ones(WIDTHS[-1], side, side))
        self.first = nn.Linear(WIDTHS[-1] + len(NUMBERS), HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.digit = nn.Linear(HIDDEN, len(DIGITS))
        self.sum = nn.Linear(HIDDEN, len(SUMS))

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        """Digit logits (batch, n, 10) and sum logits (batch, n, 19).

        Args:
            ink: (batch, 1, 28, 28) float, 0 = paper, 1 = full stroke.
            number: (batch, n) integer, 0 to 9: n numbers for each image, which share its convolutions; or (batch), one
                for each, and no axis of them in what is returned.
        """
        seen = (self.convolutions(ink) * self.places).mean((2, 3))  # (batch, 64)
        # a look into a table: one node of a graph, in place of three
        one_hot = F.embedding(number, ONE_HOT.to(seen))
        both = torch.cat([for_each(seen, number), one_hot], -1)  # (batch, n, 74)
        hidden = F.relu(self.second(F.relu(self.first(both))))
        return self.digit(hidden), self.sum(hidden)

    def loss(
        self,
        digit_logits: Tensor,
        sum_logits: Tensor,
        digit: Tensor,
        number: Tensor,
        wanted: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy of the digit plus cross-entropy of the sum, a scalar in nats.

        A picture of no digit wants all ten digits, and the ten sums that its number allows, to be equally likely.

        Args:
            digit_logits: (batch, n, 10).
            sum_logits: (batch, n, 19).
            digit: (batch) integer label, or NO_DIGIT.
            number: (batch, n) integer, 0 to 9.
            wanted: (batch, 10) probabilities of the digits to learn instead of the label's.
        """
        wanted = digit_targets(digit) if wanted is None else wanted
        digits = F.cross_entropy(digit_logits.flatten(0, 1), wanted[:, None].expand_as(digit_logits).flatten(0, 1))
        return digits + F.cross_entropy(sum_logits.flatten(0, 1), sum_targets(wanted, number).flatten(0, 1))
