"""From the difference between paper and picture to ink: how strong, how grainy, where, how wide.

Grids are (batch, 1, n, n), and what is one value a picture is (batch, 1, 1, 1), so that they go together as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.windows import highest_around, mean_around

STRONGEST = 8
"""The full stroke is as dark as this cell, counted from the darkest: a speck does not count."""

CUT = 0.35
"""Most ink that grain may take away, 0 to 1."""

LEAST_CONTRAST = 0.02
"""Difference between ground and stroke, 0 to 1, below which there is nothing to read."""

GRAINY = 0.06
"""Grain, as a share of the strokes' contrast, from which on it is averaged away; at twice that, wholly."""

THIN = 1.7
"""Width of a stroke in pixels of the answer below which it is brought nearer to MNIST's."""

GRIDS = (1, 2, 3)
"""Axes over which one value a picture is made."""


def strongest(cells: Tensor) -> Tensor:
    """The value of the cell that is STRONGEST from the top, (batch, 1, n, n) -> (batch, 1, 1, 1)."""
    flat = cells.reshape(*cells.shape[:2], 1, cells.shape[2] * cells.shape[3])
    return flat.topk(STRONGEST, dim=3).values[:, :, :, -1:]


def contrast_of(difference: Tensor, grain: Tensor) -> Tensor:
    """Contrast of the strokes, (batch, 1, 1, 1) in units of the light.

    Args:
        difference: (batch, 1, cells, cells) from the ground towards the ink.
        grain: (batch, 1, 1, 1) standard deviation of the paper's light.
    """
    full = strongest(difference)
    # the strongest cells are those where the grain adds to the stroke
    return torch.maximum(full - 2 * grain, full / 2)


def to_ink(difference: Tensor, contrast: Tensor) -> Tensor:
    """The difference with a full stroke brought to 1, 0 to 1."""
    return (difference / contrast.clamp(min=LEAST_CONTRAST)).clamp(0, 1)


def calm(difference: Tensor, grain: Tensor, reach: int) -> Tensor:
    """The difference averaged over `reach` cells where the grain would else be taken for strokes.

    Args:
        difference: (batch, 1, cells, cells).
        grain: (batch, 1, 1, 1) standard deviation as a share of the strokes' contrast.
        reach: odd.
    """
    share = (grain / GRAINY - 1).clamp(0, 1)
    return difference + share * (mean_around(difference, reach) - difference)


def profiles(cells: Tensor) -> Tensor:
    """The largest value of each row, and of each column, (batch, 1, n, n) -> (batch, 2, 1, n)."""
    return torch.cat([cells.amax(3, keepdim=True).transpose(2, 3), cells.amax(2, keepdim=True)], 1)


def masses(values: Tensor) -> Tensor:
    """The sum of each row, and of each column, (batch, 1, n, n) -> (batch, 2, 1, n)."""
    return torch.cat([values.sum(3, keepdim=True).transpose(2, 3), values.sum(2, keepdim=True)], 1)


def extent(profile: Tensor, low: Tensor | float, high: Tensor | float) -> tuple[Tensor, Tensor]:
    """Where the ink begins and ends along an axis, in cells; (0, cells) where there is none.

    A cell between `low` and `high` counts in part, so that the box moves smoothly with the pixels.

    Args:
        profile: (batch, 2, 1, cells) strongest ink of each row and column, 0 to 1.
        low: (batch, 1, 1, 1) ink that begins to count.
        high: (batch, 1, 1, 1) ink that counts as a whole cell.

    Returns:
        (batch, 2, 1, 1) each.
    """
    cells = profile.shape[3]
    position = torch.arange(cells, device=profile.device)
    part = ((profile - low) / (high - low)).clamp(0, 1)
    inked = part > 0
    begin = torch.where(inked, position + 1 - part, float(cells)).amin(3, keepdim=True)
    end = torch.where(inked, position + part, 0.0).amax(3, keepdim=True)
    found = end > begin
    return torch.where(found, begin, 0.0), torch.where(found, end, float(cells))


def centre_of_mass(ink: Tensor) -> Tensor:
    """Centre of mass in cells, down and across, (batch, 1, n, n) -> (batch, 2, 1, 1); the middle where there is no ink.

    Source: MNIST, LeCun et al. 1998, "size-normalized and centered".
    """
    profile = masses(ink)
    cells = profile.shape[3]
    offset = torch.arange(cells, device=profile.device) + (0.5 - cells / 2)
    mass = profile.sum(3, keepdim=True)
    return (profile * offset).sum(3, keepdim=True) / torch.where(mass > 0, mass, 1.0) + cells / 2


def fatten(ink: Tensor) -> Tensor:
    """Thin strokes brought nearer to the width that MNIST's have, (batch, 1, 28, 28).

    The width is the ink's area over half of its outline.
    """
    width = ink.sum(GRIDS, keepdim=True) / (outline(ink) / 2).clamp(min=1)
    return ink + (THIN - width).clamp(0, 1) * (highest_around(ink, 3, 3) - ink)


def outline(ink: Tensor) -> Tensor:
    """Length of the ink's outline in cells, (batch, channels, 1, 1): one crosses 1.27 edges of cells for each."""
    down = (ink[:, :, 1:] - ink[:, :, :-1]).abs().sum((2, 3), keepdim=True)
    across = (ink[:, :, :, 1:] - ink[:, :, :, :-1]).abs().sum((2, 3), keepdim=True)
    return (down + across) / 1.27


def ramp(values: Tensor, between: tuple[float, float]) -> Tensor:
    """0 up to the first of the two, 1 from the second on, and straight between them."""
    low, high = between
    return ((values - low) / (high - low)).clamp(0, 1)
