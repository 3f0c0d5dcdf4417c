"""Thin strokes: where a picture has some, they alone are ink, whatever the light and the shadows on its paper are.

A digit that fills a tenth of a photo has strokes of a hundredth of it, and nothing else in the picture has edges so
hard so close together. Nothing of this is asked of a picture of so few pixels that no edge is softer than another.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from adder_trainer.normalize.ink import GRIDS, LEAST_CONTRAST, full_scale, ramp, strongest
from adder_trainer.normalize.picture import GRID, GROUND_GRID
from adder_trainer.normalize.windows import coarse, finer, highest_around, mean_around, opening

LARGE_CELL = 1.0, 1.25
"""Pixels on a side of a cell of the first look between which a picture begins to be large enough for all this."""

WIDER_STROKE = 8
"""Hard edges count where something is narrower than this many cells of the ground's grid: those of a shadow are not
beside anything, but that a round one has corners that no wide square fills."""

THIN_STROKE = 7
"""What is narrower than this many cells of the first look (7 % of the picture) is a thin stroke."""

HARD = 0.6, 0.8
"""Edges begin to count at the first share of the hardest edge's height, and wholly count from the second on."""

EXPLAINED = 0.3, 0.6
"""An edge begins to be a thin stroke's where what is thin beside it has the first share of its height."""

PENNED = 0.7, 0.9
"""Share of the hard edges that are thin strokes' from which on a picture begins to be a pen's, and wholly is one's."""

GROUND_OF_PEN = 5
"""What holds so many cells of the ground's grid is ground there."""

SOFT = 0.4, 0.5
"""Where the hardest edge is lower than the second share of what stands out from the ground, that begins to be a shadow,
and under the first it wholly is: digits reach 0.53 even when they are enlarged from 28 pixels."""

GRAIN_OF_EDGE = 3.0
"""Standard deviations of the paper's grain by which it makes the hardest edge higher."""

SURROUNDINGS = 15
"""Cells of the first look on a side from whose mean thin strokes stand out."""

LOCAL_EVIDENCE = 4.0
"""Weight of the skewness of what stands out so, beside the evidence of the whole picture."""


class Pen(NamedTuple):
    """What there is of thin strokes in a picture, (batch, 1, 1, 1) each."""

    share: Tensor
    """How far it is a picture of thin strokes, 0 to 1."""
    lighter: Tensor
    """What speaks for their being lighter than their ground, or darker, where it is negative."""
    hardest: Tensor
    """Height of the hardest edge, 0 to 1."""
    large: Tensor
    """How far the picture is large enough to tell, 0 to 1."""


def look_for_pen(light: Tensor, cell: Tensor) -> Pen:
    """What there is of thin strokes in a large picture.

    It is one of thin strokes if its hardest edges lie beside something thinner than THIN_STROKE, darker or lighter.

    Args:
        light: (batch, 1, GRID, GRID).
        cell: (batch, 1, 1, 1) width of a cell in pixels.
    """
    edge = highest_around(light, 3, 3) + highest_around(-light, 3, 3)
    hardest = strongest(edge)
    hard = ramp(edge / hardest.clamp(min=LEAST_CONTRAST / 2), HARD)
    stroke = finer(narrower(coarse(light, GROUND_GRID), WIDER_STROKE), GRID // GROUND_GRID)
    hard = hard * ramp(highest_around(stroke, 3, 3) / edge.clamp(min=1e-3), EXPLAINED)
    explained = ramp(highest_around(narrower(light, THIN_STROKE), 3, 3) / edge.clamp(min=1e-3), EXPLAINED)
    share = (hard * explained).sum(GRIDS, keepdim=True) / hard.sum(GRIDS, keepdim=True).clamp(min=1)
    large = ramp(cell, LARGE_CELL)
    share = ramp(share, PENNED) * large
    away = light - mean_around(light, SURROUNDINGS) / mean_around(torch.ones_like(light), SURROUNDINGS)
    cube = away * away * away
    skewness = cube.sum(GRIDS, keepdim=True) / cube.abs().sum(GRIDS, keepdim=True).clamp(min=1e-9)
    return Pen(share, share * LOCAL_EVIDENCE * skewness, hardest, large)


def narrower(cells: Tensor, width: int) -> Tensor:
    """How far what is narrower than so many cells, darker or lighter, is from what lies around it."""
    return torch.maximum(-opening(-cells, width, width) - cells, cells - opening(cells, width, width))


def with_shadows(towards_ink: Tensor, cells: Tensor, opened: Tensor, pen: Pen) -> Tensor:
    """The ground of a large picture, the edges of shadows with it, (batch, 1, GROUND_GRID, GROUND_GRID).

    Args:
        towards_ink: (batch, 1, GRID, GRID), larger where the ink is.
        cells: the same on the ground's grid.
        opened: the ground without what is narrower than the widest of strokes.
        pen: what was seen of thin strokes.
    """
    full, grain = full_scale(towards_ink - finer(opened, GRID // GROUND_GRID))
    hardness = (pen.hardest - GRAIN_OF_EDGE * grain) / full.clamp(min=LEAST_CONTRAST)
    shadow = (1 - ramp(hardness, SOFT)) * pen.large
    return opened + torch.maximum(pen.share, shadow) * (opening(cells, GROUND_OF_PEN, GROUND_OF_PEN) - opened)
