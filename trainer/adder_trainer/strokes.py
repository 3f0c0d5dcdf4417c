"""MNIST's digits as pen strokes on a fine tile: any pen from hairline to marker, in the forms of other hands too."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.hands import bow, more_strokes
from adder_trainer.normalize.windows import highest_around, opening
from adder_trainer.plane import some

FINE = 2
"""Cells of the tile for each pixel of MNIST."""

TILE = 28 * FINE
"""Height and width of a tile in cells; the ink's box is 20 / 28 of it."""

EDGE = 12.0
"""How steeply paper turns into stroke on the tile, per unit of ink."""

THINNING = 6
"""Rounds of thinning: the thickest stroke of MNIST is some 12 cells wide."""

OWN_SHAPE = 0.4
"""Share of digits that keep MNIST's own stroke, made thinner or thicker; the others are drawn anew along its middle."""

BOLD = 1.5
"""Middle lines are brought to full ink by this; the thinning leaves them grey."""

WIDEST_PEN = 4.6
"""Radius of the widest pen in cells, beyond the middle line's own width of about one cell."""


def tile(ink: Tensor, digit: Tensor, generator: Generator) -> Tensor:
    """Each digit drawn by another pen.

    Args:
        ink: (batch, 1, 28, 28) float, 0 = paper, 1 = full stroke.
        digit: (batch) integer labels: some digits get a form that MNIST's writers seldom use.
        generator: on the device of the ink.

    Returns:
        (batch, 1, 56, 56) float, 0 to 1.
    """
    fine = bow(F.interpolate(ink, scale_factor=FINE, mode="bicubic", align_corners=False), digit, generator)
    smooth = F.avg_pool2d(fine, 3, stride=1, padding=1)  # else each bump of an outline grows a spur
    middle = (skeleton(((smooth - 0.45) * EDGE).sigmoid()) * BOLD).clamp(max=1)
    batch = len(ink)
    # strokes are half as bright where MNIST's is thin: the level moves its outline by about a cell either way
    own = ((fine - between(batch, 0.25, 0.65, generator)[:, None, None, None]) * EDGE).sigmoid()
    own = ((own - 0.06) / 0.94).clamp(min=0)
    width = own.sum((1, 2, 3)) / middle.sum((1, 2, 3)).clamp(min=1)  # cells
    ends, is_drawn = more_strokes(middle, digit, generator)
    more = is_drawn.any(1).nonzero()[:, 0]
    ends, is_drawn = ends[more], is_drawn[more]
    own[more] = torch.maximum(own[more], bowed(ends, is_drawn, width[more] / 2))
    middle[more] = torch.maximum(middle[more], bowed(ends, is_drawn, torch.full_like(width[more], 0.6)))
    drawn = dilate(middle, between(batch, 0, 1, generator).square() * WIDEST_PEN)
    keeps = torch.rand(batch, generator=generator, device=ink.device) < OWN_SHAPE
    return torch.where(keeps[:, None, None, None], own, drawn)


def skeleton(strokes: Tensor) -> Tensor:
    """The middle lines of strokes, about one cell wide, (batch, 1, TILE, TILE), 0 to 1.

    Source: Shit et al. 2021, "clDice", soft skeleton.
    """
    middle = F.relu(strokes - opening(strokes, 3))
    for _ in range(THINNING):
        strokes = -highest_around(-strokes, 3, 3)
        rest = F.relu(strokes - opening(strokes, 3))
        middle = middle + F.relu(rest - middle * rest)
    return middle.clamp(0, 1)


def dilate(strokes: Tensor, radius: Tensor) -> Tensor:
    """Strokes widened by a radius of up to WIDEST_PEN cells, (batch); what lies between whole cells is blended."""
    result = strokes * (1 - radius.clamp(0, 1))[:, None, None, None]
    grown = strokes
    for step in range(1, math.ceil(WIDEST_PEN) + 1):
        # a cross and a square in turn make an octagon
        grown = highest_around(grown, 3, 3) if step % 2 else _cross(grown)
        share = (1 - (radius - step).abs()).clamp(0, 1)[:, None, None, None]
        result = result + grown * share
    return result


def _cross(strokes: Tensor) -> Tensor:
    along = highest_around(strokes, 1, 3)
    return torch.maximum(along, highest_around(strokes, 3, 1))


def line(ends: Tensor, radius: Tensor) -> Tensor:
    """Straight strokes with round ends as ink.

    Args:
        ends: (batch, n, 4), of each y0, x0, y1, x1 in cells.
        radius: (batch) in cells.

    Returns:
        (batch, n, TILE, TILE), 0 to 1, with an edge one cell wide.
    """
    cells = torch.arange(TILE, device=ends.device) + 0.5
    y, x = cells[:, None], cells[None, :]
    y0, x0, y1, x1 = (part[:, :, None, None] for part in ends.unbind(2))
    along_y, along_x = y1 - y0, x1 - x0
    part = ((y - y0) * along_y + (x - x0) * along_x) / (along_y.square() + along_x.square()).clamp(min=1e-3)
    part = part.clamp(0, 1)
    distance = torch.hypot(y - y0 - part * along_y, x - x0 - part * along_x)
    return (radius[:, None, None, None] + 0.5 - distance).clamp(0, 1)


def with_bars(strokes: Tensor, share: float, generator: Generator) -> Tensor:
    """Strokes some of which are a straight bar instead, (batch, 1, TILE, TILE): a one as many write it.

    MNIST's writers seldom do, and distortions bend what they wrote, so that what is straight would seem to be no digit.

    Args:
        strokes: (batch, 1, TILE, TILE).
        share: of them that become one.
        generator: draws which, how long, how thick, and how far they lean, most of them next to nothing.
    """
    batch = len(strokes)
    is_bar = between(batch, 0, 1, generator) < share
    high, slant = between(batch, 0.3, 0.42, generator), uniform(batch, 1, generator) ** 3 * 0.14
    ends = torch.stack([0.5 - high, 0.5 + slant, 0.5 + high, 0.5 - slant], 1) * TILE
    bars = line(ends[:, None], some(batch, 0.6, 7, generator))
    return torch.where(is_bar[:, None, None, None], bars, strokes)


def bowed(ends: Tensor, is_drawn: Tensor, radius: Tensor) -> Tensor:
    """The strokes of `hands.more_strokes` as ink, (batch, 1, TILE, TILE), 0 to 1; radius (batch) in cells."""
    ink = line(ends.flatten(1, 2), radius)
    ink = ink.reshape(*ends.shape[:3], TILE, TILE).amax(2)
    return (ink * is_drawn[:, :, None, None]).amax(1, keepdim=True)
