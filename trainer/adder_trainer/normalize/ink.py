"""From the difference between paper and picture to ink: how strong, how grainy, which strokes, where, how wide.

Grids are (batch, 1, n, n), and what is one value a picture is (batch, 1, 1, 1), so that they go together as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.windows import coarse, coarse_highest, finer, highest_around, mean_around

STROKE_GRID = 24
"""Cells on a side of the grid on which connected strokes are found."""

PIECES = STROKE_GRID // 2
"""Pieces on a side, of 2x2 cells: those of one piece touch each other, so that they are of one stroke."""

STRONGEST, STRONGEST_OF_PEN = 8, 3
"""The full stroke is as dark as this cell, counted from the darkest: a speck does not count. Thin strokes of a small
digit fill few cells of the first look."""

CUT = 0.35
"""Ink above which a cell of the first look belongs to a stroke, 0 to 1."""

ROUNDS, STEPS = 4, 6
"""Rounds in which a stroke is followed, and cells that it is followed over in each before it is taken to where those
that were reached were followed to."""

CLOSE = 2.0
"""Variance of the place of a stroke's ink, in coarse cells squared, at which it weighs half, with what CELL
adds: a speck has less."""

CELL = 1 / 6
"""Variance of the place within one coarse cell: of a speck that lies in one alone, this is all there is."""

LONG = 50.0
"""The same at which a stroke along the picture's edge weighs half: pieces of a frame, a table, a pen have more."""

STRAIGHT = 0.04, 0.12
"""Four times the least variance of a stroke's place, along any axis, over the largest, from which on it is somewhat
bent or broad, and wholly so: below, it is a straight line."""

LONG_STRAIGHT = 6.0, 12.0
"""Variance of the place of a straight line's ink from which on it begins to weigh less: a ruler's, a pen's."""

LESS_IF_STRAIGHT = 0.9
"""Share by which a long straight line weighs less."""

REACHING = 0.001, 0.003
"""Ink at the picture's edge times its share of the stroke, in coarse cells, from which on the stroke begins to reach in
from there, and wholly does."""

REACHES_IN = 0.05
"""What a stroke weighs that reaches in from there, as a share of what it weighs for as much as it lies inside."""

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
    cells = difference.reshape(*difference.shape[:2], 1, difference.shape[2] * difference.shape[3])
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


def connected(ink: Tensor, weight: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
    """The cells of the strokes that count, and of those that do not, (batch, 1, STROKE_GRID, STROKE_GRID), 0 or 1.

    Strokes that hang together get one label, spread from cell to cell. They weigh what their ink does, but specks, what
    lies along the picture's edge and what reaches in from there weigh less, and what weighs little does not count.

    Args:
        ink: (batch, 1, GRID, GRID), 0 to 1.
        weight: (1, 1, GRID, GRID), 1 inside, 0 at the picture's edge.
        edge: (1, 1, GRID, GRID), 1 at the picture's edge, 0 inside.
    """
    batch = ink.shape[0]
    inked = (coarse_highest(ink, STROKE_GRID) > CUT).to(ink.dtype)
    mass = coarse(ink, STROKE_GRID) * inked
    place = torch.arange(STROKE_GRID, device=ink.device) + (0.5 - STROKE_GRID / 2)
    down, across = mass * place[:, None], mass * place
    moments = [mass, down, across, down * place[:, None], across * place, down * place]
    cells = torch.cat([*moments, *(coarse(ink * each, STROKE_GRID) * inked for each in (weight, edge))], 1)
    pieces = coarse(cells, PIECES).reshape(batch, 8, PIECES * PIECES) * (STROKE_GRID // PIECES) ** 2
    # a product of matrices: where numbers are added at given places, OpenCV 5.0 adds from several threads at once
    label = coarse_highest(labels(inked), PIECES).reshape(batch, PIECES * PIECES, 1)
    strokes = pieces @ (label == label.transpose(1, 2)).to(ink.dtype)
    whole = strokes[:, :1]
    down, across, down_down, across_across, down_across, inside, at_edge = (
        strokes[:, 1:] / whole.clamp(min=1e-6)
    ).chunk(7, 1)
    high, wide = down_down - down * down, across_across - across * across
    spread = (high + wide).clamp(min=1e-6)
    slant = down_across - down * across
    bent = 4 * (high * wide - slant * slant) / (spread * spread)
    straight = (1 - ramp(bent, STRAIGHT)) * ramp(spread, LONG_STRAIGHT)
    reaching = ramp(at_edge * at_edge * whole, REACHING) * (1 - REACHES_IN * inside)
    along = spread / (spread + LONG) * (1 - inside)
    close = CLOSE / (spread + CELL + CLOSE)
    weighs = whole * (1 - close) * (1 - along) * (1 - reaching) * (1 - LESS_IF_STRAIGHT * straight)
    weighs = finer(weighs.reshape(batch, 1, PIECES, PIECES), STROKE_GRID // PIECES) * inked
    share = weighs / weighs.amax(GRIDS, keepdim=True).clamp(min=1e-6)
    least = LIGHTEST_FAR + beside((share > 0.999).to(ink.dtype)) * (LIGHTEST - LIGHTEST_FAR)
    kept = (share >= least).to(ink.dtype) * inked
    return kept, inked - kept


def labels(inked: Tensor) -> Tensor:
    """One number for all cells of a stroke, that of one of them, (batch, 1, STROKE_GRID, STROKE_GRID); 0 elsewhere.

    Args:
        inked: (batch, 1, STROKE_GRID, STROKE_GRID), 1 in the strokes' cells, 0 elsewhere.
    """
    row = inked.shape[0], STROKE_GRID * STROKE_GRID
    label = inked * torch.arange(row[1], device=inked.device).to(inked.dtype).reshape(inked.shape[1:])
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            label = highest_around(label, 3, 3) * inked
        # a label is the number of a cell of the same stroke, so its label can be taken over
        spread = label.reshape(row)
        label = spread.gather(1, spread.long()).reshape(inked.shape) * inked
    return label


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
