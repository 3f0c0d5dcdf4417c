"""Places in pictures, and numbers that each picture of a batch draws for itself, of a shape that fits its pixels."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from adder_trainer.augment import between

INKED = 0.2
"""Ink of a pixel from which on it belongs to the box of what was written."""


def column(values: Tensor) -> Tensor:
    """(batch) as (batch, 1, 1)."""
    return values[:, None, None]


def to_pixels(light: Tensor) -> Tensor:
    """Light or ink (batch, height, width), 0 to 1, as grey pixels, (batch, height, width, 1) uint8."""
    return (light.clamp(0, 1) * 255).round().to(torch.uint8)[:, :, :, None]


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


def ink_box(ink: Tensor) -> Tensor:
    """Top, left, bottom and right of ink (batch, height, width) in pixels, (batch, 4); all 0 where there is none."""
    begins, ends = [], []
    for axis in (2, 1):
        inked = (ink > INKED).any(axis)
        place = torch.arange(inked.shape[1], device=ink.device)
        end = torch.where(inked, place + 1, 0).amax(1)
        ends.append(end)
        begins.append(torch.minimum(torch.where(inked, place, len(place)).amin(1), end))
    return torch.stack([*begins, *ends], 1)
