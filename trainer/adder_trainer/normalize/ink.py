"""From the difference between paper and picture to ink: how strong, how grainy, which strokes, where, how wide.

Grids are (batch, 1, n, n), and what is one value a picture is (batch, 1, 1, 1), so that they go together as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.windows import coarse, coarse_highest, highest_around, mean_around

STROKE_GRID = 24
"""Cells on a side of the grid on which connected strokes are found."""

STRONGEST, STRONGEST_OF_PEN = 8, 3
"""The full stroke is as dark as this cell, counted from the darkest: a speck does not count. Thin strokes of a small
digit fill few cells of the first look."""

CUT = 0.35
"""Ink above which a cell of the first look belongs to a stroke, 0 to 1."""

SPREADING = 8
"""Rounds in which a stroke is followed; each reaches further than the one before."""

LIGHTEST, LIGHTEST_FAR = 0.12, 0.48
"""Strokes that hang together count when they weigh this share of the heaviest: the first if they lie beside it."""

FAR = 0.6
"""What is further from the box of the heaviest than this share of its longer side does not lie beside it."""

LEAST_CONTRAST = 0.06
"""Difference between ground and stroke, 0 to 1, below which there is nothing to read."""

GRAINY = 0.06
"""Grain, as a share of the strokes' contrast, from which on it is averaged away before strokes are looked for; at twice
that, wholly."""

THIN = 1.7
"""Width of a stroke in pixels of the answer below which it is brought nearer to MNIST's."""

GRIDS = (1, 2, 3)
"""Axes over which one value a picture is made."""


def strongest(difference: Tensor, pen: Tensor | float = 0.0) -> Tensor:
    """How far the full stroke is from the ground, (batch, 1, 1, 1).

    Args:
        difference: (batch, 1, cells, cells) from the ground towards the ink.
        pen: (batch, 1, 1, 1) how far the strokes are thin ones, 0 to 1.
    """
    cells = difference.reshape(difference.shape[0], 1, 1, difference.shape[2] * difference.shape[3])
    top = cells.topk(STRONGEST, dim=3).values
    bold, thin = (top[:, :, :, rank - 1 : rank] for rank in (STRONGEST, STRONGEST_OF_PEN))
    return bold + pen * (thin - bold)


def full_scale(difference: Tensor, pen: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
    """Contrast of the strokes and standard deviation of the paper's grain, (batch, 1, 1, 1) in units of the light.

    Args:
        difference: (batch, 1, cells, cells) from the ground towards the ink.
        pen: (batch, 1, 1, 1) how far the strokes are thin ones, 0 to 1.
    """
    full = strongest(difference, pen)
    ink = (difference / full.clamp(min=LEAST_CONTRAST)).clamp(0, 1)
    is_paper = (1.5 - mean_around(ink, 5) / 0.12).clamp(0, 1)
    # the mean distance of a normal distribution from its middle is 0.8 of its standard deviation
    grain = (is_paper * difference.abs()).sum(GRIDS, keepdim=True) / (
        is_paper.sum(GRIDS, keepdim=True).clamp(min=1) * 0.8
    )
    # the strongest cells are those where the grain adds to the stroke
    return torch.maximum(full - 2 * grain, full / 2), grain


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


def connected(ink: Tensor, weight: Tensor) -> Tensor:
    """The coarse cells of the strokes that count, (batch, 1, STROKE_GRID, STROKE_GRID), 0 or 1.

    Strokes that hang together get one label, spread from cell to cell; those that weigh little are specks.

    Args:
        ink: (batch, 1, GRID, GRID), 0 to 1.
        weight: (batch, 1, GRID, GRID), less near the picture's edge.
    """
    batch, count = ink.shape[0], STROKE_GRID * STROKE_GRID
    grid, row = (batch, 1, STROKE_GRID, STROKE_GRID), (batch, count)
    inked = (coarse_highest(ink, STROKE_GRID) > CUT).to(ink.dtype)
    mass = (coarse(ink * weight, STROKE_GRID) * inked).reshape(row)
    # a label is the number of a cell of the same stroke, so its label can be taken over; 0 also means no stroke, which
    # has no mass and is the lowest of all
    label = inked * torch.arange(count, device=ink.device).to(ink.dtype).reshape(grid[1:])
    for _ in range(SPREADING):
        spread = highest_around(label, 3, 3).reshape(row)
        label = spread.gather(1, spread.long()).reshape(grid) * inked
    place = label.reshape(row).long()
    total = mass.new_zeros(batch, count).scatter_add(1, place, mass).gather(1, place).reshape(grid) * inked
    share = total / total.amax(GRIDS, keepdim=True).clamp(min=1e-6)
    least = LIGHTEST_FAR + beside((share > 0.999).to(ink.dtype)) * (LIGHTEST - LIGHTEST_FAR)
    return (share >= least).to(ink.dtype) * inked


def beside(cells: Tensor) -> Tensor:
    """Which cells lie beside the box around those that are 1, (batch, 1, STROKE_GRID, STROKE_GRID), 0 or 1."""
    begin, end = extent(profiles(cells), 0.4, 0.6)
    reach = FAR * (end - begin).amax(1, keepdim=True) + 1
    middle = torch.arange(STROKE_GRID, device=cells.device) + 0.5
    down, across = ((middle > begin - reach) & (middle < end + reach)).to(cells.dtype).chunk(2, 1)
    return down.transpose(2, 3) * across


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

    The width is the ink's area over half of its outline; an outline crosses 1.27 edges of
    pixels for each of its length.
    """
    outline = (ink[:, :, 1:] - ink[:, :, :-1]).abs().sum(GRIDS, keepdim=True) + (
        ink[:, :, :, 1:] - ink[:, :, :, :-1]
    ).abs().sum(GRIDS, keepdim=True)
    width = ink.sum(GRIDS, keepdim=True) / (outline / (2 * 1.27)).clamp(min=1)
    return ink + (THIN - width).clamp(0, 1) * (highest_around(ink, 3, 3) - ink)
