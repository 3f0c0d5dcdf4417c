"""From the difference between paper and picture to ink: how strong, how grainy, which strokes, where, how wide."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.normalize.windows import around, blocks, coarse, highest, mean_of

STROKE_GRID = 24
"""Cells on a side of the grid on which connected strokes are found."""

STRONGEST = 8
"""The full stroke is as dark as this cell, counted from the darkest: a speck does not count."""

CUT = 0.35
"""Ink above which a cell of the first look belongs to a stroke, 0 to 1."""

SPREADING = 8
"""Rounds in which a stroke is followed; each reaches further than the one before."""

LIGHTEST = 0.12
"""Strokes that hang together count when they weigh this share of the heaviest."""

LEAST_CONTRAST = 0.06
"""Difference between ground and stroke, 0 to 1, below which there is nothing to read."""

GRAINY = 0.06
"""Grain, as a share of the strokes' contrast, from which on it is averaged away before strokes are looked for; at twice
that, wholly."""

THIN = 1.7
"""Width of a stroke in pixels of the answer below which it is brought nearer to MNIST's."""


def full_scale(difference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Contrast of the strokes, standard deviation of the paper's grain, and the ink with a full stroke brought to 1.

    Args:
        difference: (batch, cells, cells) from the ground towards the ink.

    Returns:
        contrast: (batch), in units of the light.
        grain: (batch), the same.
        ink: (batch, cells, cells), 0 to 1.
    """
    strongest = difference.flatten(1).topk(STRONGEST, dim=1).values[:, -1]
    ink = (difference / strongest.clamp(min=LEAST_CONTRAST)[:, None, None]).clamp(0, 1)
    near = mean_of(ink, 5)
    is_paper = (1.5 - near / 0.12).clamp(0, 1)
    # the mean distance of a normal distribution from its middle is 0.8 of its standard deviation
    grain = (is_paper * difference.abs()).sum((1, 2)) / is_paper.sum((1, 2)).clamp(min=1) / 0.8
    # the strongest cells are those where the grain adds to the stroke
    contrast = torch.maximum(strongest - 2 * grain, strongest / 2)
    return contrast, grain, (difference / contrast.clamp(min=LEAST_CONTRAST)[:, None, None]).clamp(0, 1)


def calm(difference: Tensor, grain: Tensor, reach: int) -> Tensor:
    """The difference averaged over `reach` cells where the grain would else be taken for strokes.

    Args:
        difference: (batch, cells, cells).
        grain: (batch) standard deviation as a share of the strokes' contrast.
        reach: odd.
    """
    even = mean_of(difference, reach)
    share = ((grain - GRAINY) / GRAINY).clamp(0, 1)[:, None, None]
    return difference + share * (even - difference)


def connected(ink: Tensor, weight: Tensor) -> Tensor:
    """The coarse cells of the strokes that count, (batch, STROKE_GRID, STROKE_GRID), 0 or 1.

    Strokes that hang together get one label, spread from cell to cell; those that weigh little are specks.

    Args:
        ink: (batch, GRID, GRID), 0 to 1.
        weight: (batch, GRID, GRID), less near the picture's edge.
    """
    batch, count = ink.shape[0], STROKE_GRID * STROKE_GRID
    inked = (blocks(ink, STROKE_GRID).amax((2, 4)) > CUT).to(ink.dtype)  # (batch, STROKE_GRID, STROKE_GRID)
    mass = coarse(ink * weight, STROKE_GRID).flatten(1)  # (batch, count)
    # label 0 is no stroke; every other is the number of a cell of the same stroke, so its label can be taken over
    label = inked * (torch.arange(count, device=ink.device).to(ink.dtype) + 1).reshape(STROKE_GRID, STROKE_GRID)
    for _ in range(SPREADING):
        spread = (highest(around(label, 1, 1), 3, 3) * inked).flatten(1)
        label = F.pad(spread, (1, 0)).gather(1, spread.long()).reshape(label.shape)
    label = label.flatten(1).long()
    total = mass.new_zeros(batch, count + 1).scatter_add(1, label, mass).gather(1, label) * inked.flatten(1)
    heavy = total >= LIGHTEST * total.amax(1, keepdim=True)
    return (heavy.to(ink.dtype) * inked.flatten(1)).reshape(batch, STROKE_GRID, STROKE_GRID)


def extent(profile: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Where the ink begins and ends along an axis, in cells; (0, cells) where there is none.

    A cell between `low` and `high` counts in part, so that the box moves smoothly with the pixels.

    Args:
        profile: (batch, cells) strongest ink of each row or column, 0 to 1.
        low: (batch) ink that begins to count.
        high: (batch) ink that counts as a whole cell.

    Returns:
        (batch) each.
    """
    cells = profile.shape[1]
    position = torch.arange(cells, device=profile.device)
    part = ((profile - low[:, None]) / (high - low)[:, None]).clamp(0, 1)
    inked = part > 0
    begin = torch.where(inked, position + 1 - part, float(cells)).amin(1)
    end = torch.where(inked, position + part, 0.0).amax(1)
    found = end > begin
    return torch.where(found, begin, 0.0), torch.where(found, end, float(cells))


def centre_of_mass(profile: Tensor) -> Tensor:
    """Centre of mass along an axis in cells, (batch, cells) -> (batch); the middle where there is no ink.

    Source: MNIST, LeCun et al. 1998, "size-normalized and centered".
    """
    cells = profile.shape[1]
    position = torch.arange(cells, device=profile.device) + 0.5
    mass = profile.sum(1)
    found = mass > 0
    return torch.where(found, (profile * position).sum(1) / torch.where(found, mass, 1.0), cells / 2)


def fatten(ink: Tensor) -> Tensor:
    """Thin strokes brought nearer to the width that MNIST's have, (batch, 28, 28).

    The width is the ink's area over half of its outline; an outline crosses 1.27 edges of
    pixels for each of its length.
    """
    outline = (ink[:, 1:] - ink[:, :-1]).abs().sum((1, 2)) + (ink[:, :, 1:] - ink[:, :, :-1]).abs().sum((1, 2))
    width = ink.sum((1, 2)) / (outline / 2 / 1.27).clamp(min=1)
    share = (THIN - width).clamp(0, 1)[:, None, None]
    grown = highest(around(ink, 1, 1), 3, 3)
    return ink + share * (grown - ink)
