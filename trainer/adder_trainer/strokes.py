"""MNIST's digits as pen strokes on a fine tile: any pen from hairline to marker, crossed sevens and flagged ones."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform

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

WIDEST_PEN = 3.4
"""Radius of the widest pen in cells, beyond the middle line's own width of about one cell."""

CROSSED, TICKED = 0.45, 0.3
"""Shares of the sevens that get a bar through the stem, and a tick down from the left end of their top."""

FLAGGED, BASED = 0.6, 0.25
"""Shares of the ones that get a flag down from the top, and a bar under the foot."""


def tile(ink: Tensor, digit: Tensor, generator: Generator) -> Tensor:
    """Each digit drawn by another pen.

    Args:
        ink: (batch, 1, 28, 28) float, 0 = paper, 1 = full stroke.
        digit: (batch) integer labels: sevens and ones get the strokes that MNIST's writers leave out.
        generator: on the device of the ink.

    Returns:
        (batch, 1, 56, 56) float, 0 to 1.
    """
    fine = F.interpolate(ink, scale_factor=FINE, mode="bicubic", align_corners=False)
    smooth = F.avg_pool2d(fine, 3, stride=1, padding=1)  # else each bump of an outline grows a spur
    middle = (skeleton(((smooth - 0.45) * EDGE).sigmoid()) * BOLD).clamp(max=1)
    batch = len(ink)
    # strokes are half as bright where MNIST's is thin: the level moves its outline by about a cell either way
    own = ((fine - between(batch, 0.25, 0.65, generator)[:, None, None, None]) * EDGE).sigmoid()
    own = ((own - 0.06) / 0.94).clamp(min=0)
    width = own.sum((1, 2, 3)) / middle.sum((1, 2, 3)).clamp(min=1)  # cells
    more = ((digit == 7) | (digit == 1)).nonzero()[:, 0]
    ends, is_drawn = more_strokes(middle[more], digit[more], generator)
    own[more] = torch.maximum(own[more], (line(ends, width[more] / 2) * is_drawn).amax(1, keepdim=True))
    thin = line(ends, torch.full_like(width[more], 0.6)) * is_drawn
    middle[more] = torch.maximum(middle[more], thin.amax(1, keepdim=True))
    drawn = dilate(middle, between(batch, 0, 1, generator).square() * WIDEST_PEN)
    keeps = torch.rand(batch, generator=generator, device=ink.device) < OWN_SHAPE
    return torch.where(keeps[:, None, None, None], own, drawn)


def skeleton(strokes: Tensor) -> Tensor:
    """The middle lines of strokes, about one cell wide, (batch, 1, TILE, TILE), 0 to 1.

    Source: Shit et al. 2021, "clDice", soft skeleton.
    """
    middle = F.relu(strokes - _opened(strokes))
    for _ in range(THINNING):
        strokes = -F.max_pool2d(-strokes, 3, stride=1, padding=1)
        rest = F.relu(strokes - _opened(strokes))
        middle = middle + F.relu(rest - middle * rest)
    return middle.clamp(0, 1)


def _opened(strokes: Tensor) -> Tensor:
    return F.max_pool2d(-F.max_pool2d(-strokes, 3, stride=1, padding=1), 3, stride=1, padding=1)


def dilate(strokes: Tensor, radius: Tensor) -> Tensor:
    """Strokes widened by a radius of up to WIDEST_PEN cells, (batch); what lies between whole cells is blended."""
    result = strokes * (1 - radius.clamp(0, 1))[:, None, None, None]
    grown = strokes
    for step in range(1, math.ceil(WIDEST_PEN) + 1):
        # a cross and a square in turn make an octagon
        grown = F.max_pool2d(grown, 3, stride=1, padding=1) if step % 2 else _cross(grown)
        share = (1 - (radius - step).abs()).clamp(0, 1)[:, None, None, None]
        result = result + grown * share
    return result


def _cross(strokes: Tensor) -> Tensor:
    along = F.max_pool2d(strokes, (1, 3), stride=1, padding=(0, 1))
    return torch.maximum(along, F.max_pool2d(strokes, (3, 1), stride=1, padding=(1, 0)))


def more_strokes(middle: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Two straight strokes for each digit and whether each is drawn.

    Args:
        middle: (batch, 1, TILE, TILE) middle lines.
        digit: (batch) labels.
        generator: on the same device.

    Returns:
        ends: (batch, 2, 4), of each stroke y0, x0, y1, x1 in cells.
        drawn: (batch, 2, 1, 1), 0 or 1.
    """
    batch, device = len(digit), middle.device
    cells = torch.arange(TILE, device=device) + 0.5
    inked = middle[:, 0] > 0.3
    rows, columns = inked.any(2), inked.any(1)
    top, bottom = _first(rows, cells), _last(rows, cells)
    left = _first(inked[:, : TILE // 2].any(1) & columns, cells)
    high = bottom - top

    def x_at(y: Tensor) -> Tensor:
        near = ((cells - y[:, None]).abs() < 2.0)[:, :, None] * middle[:, 0]
        return (near * cells).sum((1, 2)) / near.sum((1, 2)).clamp(min=1e-6)

    # seven: a bar through the stem, and a tick down from the left end of the top
    stem = top + high * between(batch, 0.42, 0.62, generator)
    reach, tilt = high * between(batch, 0.14, 0.36, generator), between(batch, -0.35, 0.2, generator)
    middle_x = x_at(stem) + high * uniform(batch, 0.06, generator)
    bar = torch.stack([stem - tilt * reach, middle_x - reach, stem + tilt * reach, middle_x + reach], 1)
    tick_top = top + high * between(batch, 0.0, 0.1, generator)
    tick = torch.stack(
        [
            tick_top,
            left,
            tick_top + high * between(batch, 0.08, 0.28, generator),
            left - high * uniform(batch, 0.08, generator),
        ],
        1,
    )
    # one: a flag down from the top, and a bar under the foot; flatter or shorter, the flag is the top of many a seven
    head, foot = x_at(top + 1), x_at(bottom - 1)
    angle, length = between(batch, 0.8, 1.4, generator), high * between(batch, 0.25, 0.8, generator)
    flag = torch.stack([top + 0.5, head, top + length * angle.sin(), head - length * angle.cos()], 1)
    half, slope = high * between(batch, 0.12, 0.36, generator), uniform(batch, 0.12, generator)
    base = torch.stack([bottom - slope * half, foot - half, bottom + slope * half, foot + half], 1)

    chance = torch.rand(2, batch, generator=generator, device=device)
    seven, one = digit == 7, digit == 1
    # a base without a flag looks like nothing that people write
    first = torch.where(seven, chance[0] < CROSSED, one & (chance[0] < FLAGGED))
    second = torch.where(seven, chance[1] < TICKED, one & (chance[0] < FLAGGED) & (chance[1] < BASED / FLAGGED))
    ends = torch.where(seven[:, None, None], torch.stack([bar, tick], 1), torch.stack([flag, base], 1))
    return ends, torch.stack([first, second], 1)[:, :, None, None].to(middle.dtype)


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


def _first(inked: Tensor, cells: Tensor) -> Tensor:
    return torch.where(inked, cells, float(TILE)).amin(1)


def _last(inked: Tensor, cells: Tensor) -> Tensor:
    return torch.where(inked, cells, 0.0).amax(1)
