"""The paper under the strokes: its light, its shadows, its printed lines, and whether it is lighter than they are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.normalize.frame import beside_bands
from adder_trainer.normalize.ink import GRIDS, LEAST_CONTRAST, full_scale, ramp
from adder_trainer.normalize.pen import Pen, look_for_pen, with_shadows
from adder_trainer.normalize.picture import GRID, GROUND_GRID
from adder_trainer.normalize.windows import coarse, finer, highest_around, mean_around, opening

WIDEST_STROKE = 16
"""What is wider than this many cells of the ground's grid (a third of the picture) is no stroke."""

WIDE_STROKE = 10
"""What is narrower than WIDEST_STROKE is no ground; nor is what is narrower than this many cells of the ground's grid,
and what lies between is, if it is much fainter than the strokes: a shadow."""

SHADOW = 0.6
"""Share of the strokes' contrast from which on what is wide is a stroke and no shadow."""

NEIGHBOURHOOD = 13
"""Cells of the ground's grid on a side over which the light of the paper is averaged."""

DARKEST_SHADOW = 0.15
"""Light that falls into the darkest shadow in which strokes are brought to full scale, as a share of the brightest."""

EDGE_EVIDENCE = 1.2
"""Weight of the light at the picture's edge beside the skewness, both in standard deviations of the light; in uneven
light, where a digit seldom reaches the edge on all sides."""

CORNER_EVIDENCE, NARROW_EVIDENCE = 1.5, 6.0
"""In even light, the same of the light in the picture's corners, where a digit seldom reaches even if it is cut out,
and of how much more of what is lighter is narrow than of what is darker."""

BROAD_GRID = 12
"""Cells on a side of the grid of which one at least is paper alone."""

AS_LOW = 0.1, 0.2
"""Shares of the way from the lowest cell to the ink up to which the paper reaches in even light."""

SHAPE_GRID = 24
"""Cells on a side of the grid on which this is asked."""

NARROW = 5
"""What holds no square of so many of its cells is narrow; what touches the picture's edge goes on behind it."""

MIDDLE_TONES = 0.15, 0.25
"""From the first to the second share of the way from the darkest tone to the lightest, tones of paper in uneven light
begin, and so they end before the lightest."""

SMOOTH = 0.2, 0.3
"""Difference between neighbours, as a share of that way, from which on a middle tone begins to be a stroke's edge, and
is wholly one."""

EVEN = 0.06, 0.12
"""Share of the picture in smooth middle tones up to which its light is even, and from which on it is not."""

SHARP = 0.5, 0.7
"""The largest such difference from which on what is dark begins to have a stroke's edges, and wholly has; with less it
may be a shadow."""

UNLIT_CELL = 0.2, 0.33
"""Pixels on a side of a cell of the first look between which a picture begins to be large enough to show how its light
falls; in a smaller one, of some 20 pixels, each tone is a stroke's or an edge's."""

LINE_THICK, LINE_LENGTH = 4, 25
"""Of printed lines, in cells of the first look: thinner than the one, straight over the other."""

LINED_CELL = 0.5, 0.7
"""Pixels on a side of a cell of the first look between which printed lines begin to be taken off: in a picture of fewer
pixels one pixel is no thin line."""

BAND_ROWS = 14
"""Rows of the first look that one printed line can cover; where lines are close, more hang together."""


def plane_through(light: Tensor) -> Tensor:
    """The light that falls evenly across the picture: the plane of least squares, (batch, 1, GRID, GRID), mean 0."""
    offset = (torch.arange(GRID, device=light.device) + (0.5 - GRID / 2)) / GRID
    down, across = offset[:, None], offset
    step = offset / (GRID * offset.square().sum())
    slope_y = (light * step[:, None]).sum(GRIDS, keepdim=True)
    slope_x = (light * step).sum(GRIDS, keepdim=True)
    return slope_y * down + slope_x * across


def evenness(light: Tensor, cell: Tensor) -> Tensor:
    """How far the light falls evenly, (batch, 1, 1, 1), 0 to 1: there are two tones then, and between them sharp edges.

    Args:
        light: (batch, 1, GRID, GRID).
        cell: (batch, 1, 1, 1) width of a cell in pixels.
    """
    cells = coarse(light, GROUND_GRID)
    broad = coarse(cells, SHAPE_GRID)
    darkest, lightest = broad.amin(GRIDS, keepdim=True), broad.amax(GRIDS, keepdim=True)
    tone = (cells - darkest) / (lightest - darkest).clamp(min=LEAST_CONTRAST)
    step = highest_around(tone, 3, 3) + highest_around(-tone, 3, 3)
    middle = ramp(torch.minimum(tone, 1 - tone), MIDDLE_TONES) * (1 - ramp(step, SMOOTH))
    even = (1 - ramp(middle.mean(GRIDS, keepdim=True), EVEN)) * ramp(step.amax(GRIDS, keepdim=True), SHARP)
    return 1 - (1 - even) * ramp(cell, UNLIT_CELL)


def lighter(light: Tensor, weight: Tensor, corner: Tensor, even: Tensor) -> Tensor:
    """How much speaks for strokes that are lighter than their ground, or darker, where it is negative.

    Strokes are few and paper is much, so they are where the distribution has its tail. Bold strokes that fill a tight
    frame are not few, but at the frame's edge there is paper, most of all in its corners, and it reaches on behind it.

    Args:
        light: (batch, 1, GRID, GRID).
        weight: (1, 1, GRID, GRID), 1 inside, 0 at the picture's edge.
        corner: (1, 1, GRID, GRID), 1 in the picture's corners, 0 elsewhere.
        even: (batch, 1, 1, 1) of `evenness`.

    Returns:
        (batch, 1, 1, 1).
    """
    edge = 1 - weight
    inside = weight / weight.sum(GRIDS, keepdim=True)
    away = light - (light * inside).sum(GRIDS, keepdim=True)
    square = away * away
    spread = (square * inside).sum(GRIDS, keepdim=True).clamp(min=1e-6)
    skewness = (square * away * inside).sum(GRIDS, keepdim=True) / spread
    outside = (away * (edge / edge.sum(GRIDS, keepdim=True))).sum(GRIDS, keepdim=True)
    corners = (away * (corner / corner.sum(GRIDS, keepdim=True))).sum(GRIDS, keepdim=True)
    in_even = NARROW_EVIDENCE * narrow(light) - CORNER_EVIDENCE * corners
    in_uneven = -EDGE_EVIDENCE * outside
    return (skewness + in_uneven + even * (in_even - in_uneven)) / spread.sqrt()


def narrow(light: Tensor) -> Tensor:
    """How much more light than dark there is in what is narrow, a mean over the picture, (batch, 1, 1, 1)."""
    # at the edge it goes on
    cells = F.pad(coarse(light, SHAPE_GRID), (NARROW,) * 4, mode="replicate")
    broad = opening(cells, NARROW, NARROW) - opening(-cells, NARROW, NARROW)
    return (2 * cells - broad)[:, :, NARROW:-NARROW, NARROW:-NARROW].mean(GRIDS, keepdim=True)


def on_large(flat: Tensor, evidence: Tensor, cell: Tensor, even: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a picture's strokes and its paper are, where it has pixels enough to tell a pen's strokes.

    Args:
        flat: (batch, 1, GRID, GRID) light without its slope.
        evidence: (batch, 1, 1, 1) of `lighter`.
        cell: (batch, 1, 1, 1) width of a cell in pixels.
        even: (batch, 1, 1, 1) of `evenness`.

    Returns:
        polarity: (batch, 1, 1, 1), -1 for ink that is darker than its ground, else 1.
        paper: (batch, 1, GROUND_GRID, GROUND_GRID) light of the paper.
        beside: (batch, 1, GRID, GRID), 0 where what lies beside the paper is, else 1.
        pen: (batch, 1, 1, 1) how far it is a picture of thin strokes, 0 to 1.
    """
    pen = look_for_pen(flat, cell)
    polarity = torch.where(evidence + pen.lighter < 0, -1.0, 1.0)
    ground, beside = paper(flat * polarity, pen, even)
    return polarity, ground * polarity, beside, pen.share


def on_small(flat: Tensor, evidence: Tensor, cell: Tensor, even: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same where it has not: nothing is asked of a pen."""
    polarity = torch.where(evidence < 0, -1.0, 1.0)
    ground, beside = paper(flat * polarity, None, even)
    return polarity, ground * polarity, beside, torch.zeros_like(polarity)


def paper(towards_ink: Tensor, pen: Pen | None, even: Tensor) -> tuple[Tensor, Tensor]:
    """What the picture would be without its strokes, and where it is not the paper's.

    An opening takes away what is narrower than WIDEST_STROKE and leaves the edges of shadows where they are; what the
    paper then still differs by is averaged over its neighbourhood. A curved edge of a shadow is narrower in places:
    where the strokes are thin, or nothing has an edge as hard as a stroke's, less is taken away. In even light the
    paper is as far from the ink as anything is, however wide the strokes are.

    Args:
        towards_ink: (batch, 1, GRID, GRID), larger where the ink is.
        pen: what was seen of thin strokes; None where the picture is too small.
        even: (batch, 1, 1, 1) how far the light is known to fall evenly, 0 to 1.

    Returns:
        (batch, 1, GROUND_GRID, GROUND_GRID), and (batch, 1, GRID, GRID), 0 in what lies beside the paper, else 1.
    """
    lowest = lowest_level(towards_ink)
    beside = beside_bands(towards_ink - lowest)
    towards_ink = lowest + (towards_ink - lowest) * beside
    cells = coarse(towards_ink, GROUND_GRID)
    opened = opening(cells, WIDEST_STROKE, WIDEST_STROKE)
    if pen is not None:
        opened = with_shadows(towards_ink, cells, opened, pen)
        even = even * (1 - pen.share)
    full = full_scale(towards_ink - finer(opened, GRID // GROUND_GRID))[0].clamp(min=LEAST_CONTRAST)
    wide = (opening(cells, WIDE_STROKE, WIDE_STROKE) - opened).clamp(min=0)
    opened = opened + wide * ((SHADOW - (cells - opened) / full) / 0.1).clamp(0, 1)
    above = cells - opened
    is_paper = (1.5 - above / (0.25 * full)).clamp(0, 1)
    found = mean_around(is_paper, NEIGHBOURHOOD)
    rest = mean_around(is_paper * above, NEIGHBOURHOOD)
    lit = opened + rest / found.clamp(min=1e-3)
    return lit + even * (lowest - lit), beside


def lowest_level(towards_ink: Tensor) -> Tensor:
    """Mean of what is about as far from the ink as anything is, (batch, 1, 1, 1)."""
    cells = coarse(towards_ink, GROUND_GRID)
    lowest = coarse(cells, BROAD_GRID).amin(GRIDS, keepdim=True)
    above = cells - lowest
    full = coarse(above, SHAPE_GRID).amax(GRIDS, keepdim=True).clamp(min=LEAST_CONTRAST)
    is_paper = 1 - ramp(above / full, AS_LOW)
    return lowest + (is_paper * above).sum(GRIDS, keepdim=True) / is_paper.sum(GRIDS, keepdim=True)


def lamp(ground: Tensor, polarity: Tensor) -> Tensor:
    """Share of the brightest light that falls on each cell: dark ink takes away less where there is less.

    Args:
        ground: (batch, 1, GROUND_GRID, GROUND_GRID).
        polarity: (batch, 1, 1, 1), -1 for ink darker than its ground; lighter ink shines by itself: 1 everywhere.
    """
    brightest = ground.amax((2, 3), keepdim=True).clamp(min=LEAST_CONTRAST)
    return torch.where(polarity < 0, (ground / brightest).clamp(min=DARKEST_SHADOW), 1.0)


def printed(difference: Tensor) -> Tensor:
    """The printed lines that cross the picture either way, to be taken off, (batch, 1, GRID, GRID)."""
    return ruled(difference) + ruled(difference.transpose(2, 3)).transpose(2, 3)


def ruled(difference: Tensor) -> Tensor:
    """The printed lines that cross the picture from left to right, to be taken off, (batch, 1, GRID, GRID).

    A line is thinner than LINE_THICK cells, keeps on for LINE_LENGTH cells with a slope of up to 4 degrees, and such
    pieces follow each other through most of the picture. One alone may be a digit's bar: there have to be two.

    Args:
        difference: (batch, 1, GRID, GRID) from the ground towards the ink.
    """
    ink = difference.clamp(min=0)
    thin = ink - opening(ink, LINE_THICK, 1)
    line = opening(highest_around(thin, 3, 1), 1, LINE_LENGTH)
    band = highest_around(line, 9, 1)  # 4 degrees across the picture
    level = band.mean(3, keepdim=True).clamp(min=LEAST_CONTRAST / 4)
    covered = (band / (0.2 * level) - 2).clamp(0, 1).mean(3, keepdim=True)  # (batch, 1, GRID, 1)
    crosses = ((covered - 0.65) / 0.15).clamp(0, 1)
    ends = F.pad(crosses, (0, 0, 1, 1))
    count = (ends[:, :, 1:] - ends[:, :, :-1]).abs().sum(GRIDS, keepdim=True) / 2
    rows = (crosses.sum(GRIDS, keepdim=True) - BAND_ROWS) / 4
    return line * (1.3 * crosses * torch.maximum(count - 1, rows).clamp(0, 1))
