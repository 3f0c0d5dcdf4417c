"""Places in pictures, and numbers that each picture of a batch draws for itself, of a shape that fits its pixels."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from adder_trainer.augment import between


def column(values: Tensor) -> Tensor:
    """(batch) as (batch, 1, 1)."""
    return values[:, None, None]


def chance(batch: int, probability: float, generator: Generator) -> Tensor:
    """(batch, 1, 1) bool, True with a probability."""
    return column(between(batch, 0, 1, generator) < probability)


def some(batch: int, low: float, high: float, generator: Generator) -> Tensor:
    """(batch) numbers from low to high, both over 0; small ones as often as large ones."""
    return between(batch, math.log(low), math.log(high), generator).exp()


def from_corner(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor, float, float]:
    """Places of the pixels' middles, (height, 1) down and (1, width) across, and both sides; the longer side is 1."""
    longer = max(height, width)
    y, x = ((torch.arange(side, device=device) + 0.5) / longer for side in (height, width))
    return y[:, None], x[None, :], height / longer, width / longer


def from_middle(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The same places, of which 0 is the picture's middle."""
    longer = max(height, width)
    y, x = ((torch.arange(side, device=device) + 0.5 - side / 2) / longer for side in (height, width))
    return y[:, None], x[None, :]
