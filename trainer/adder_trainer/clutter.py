"""What lies beside a digit in a picture: pens and fingers, print, a binding's holes, boxes, bars along the sides."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between

APART = 0.02
"""Least distance of all this from the digit's ink, as a share of the picture's longer side."""

TOUCHES = 0.2
"""Ink, and share of a pixel that a thing covers, from which on the two touch."""


def with_clutter(light: Tensor, digit: Tensor, paper: Tensor, probability: float, generator: Generator) -> Tensor:
    """Pictures with things beside their digits, (batch, height, width); what would touch a digit is left out.

    Args:
        light: (batch, height, width), 0 = black, 1 = white.
        digit: (batch, height, width) the digit's ink, 0 to 1.
        paper: (batch, 1, 1) or (batch, height, width) light of the paper.
        probability: of each of THINGS, in each picture.
        generator: draws them.
    """
    batch, height, width = light.shape
    reach = max(round(APART * max(height, width)), 1)
    around = F.max_pool2d((digit > TOUCHES).to(light)[:, None], 2 * reach + 1, 1, reach)[:, 0]
    for thing in THINGS:
        shape = thing(batch, height, width, generator)
        # mostly dark, as a pen is, some lighter than the paper
        tone = paper * _each(between(batch, 0, 1.1, generator).square())
        opacity = _each(between(batch, 0.5, 1.0, generator))
        touches = (shape * around).amax((1, 2)) > TOUCHES
        is_there = (between(batch, 0, 1, generator) < probability) & ~touches
        light = light.lerp(tone.expand_as(light), shape * opacity * _each(is_there))
    return light


def bar(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A straight thing with round ends, thin as a line or thick as a thumb, that may reach out of the picture."""
    y, x, high, wide = _plane(height, width, generator.device)
    thick = _each(between(batch, math.log(0.004), math.log(0.09), generator).exp())
    y0, x0, y1, x1 = (_each(between(batch, -0.25, 1.25, generator)) * side for side in (high, wide) * 2)
    long_y, long_x = y1 - y0, x1 - x0
    part = ((y - y0) * long_y + (x - x0) * long_x) / (long_y.square() + long_x.square()).clamp(min=1e-4)
    part = part.clamp(0, 1)
    return _filled(thick - torch.hypot(y - y0 - part * long_y, x - x0 - part * long_x), height, width)


def print_(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """Rows of small marks in an upright box: print, or writing that is much smaller than the digit."""
    y, x, high, wide = _plane(height, width, generator.device)
    letter = float(between(1, math.log(0.012), math.log(0.06), generator).exp())
    cell = letter / 3
    rows, columns = math.ceil(high / cell) + 1, math.ceil(wide / cell) + 1
    marks = torch.rand(batch, rows, columns, generator=generator, device=generator.device) < 0.55
    is_word = torch.rand(batch, 1, columns, generator=generator, device=generator.device) < 0.85
    pitch = int(between(1, 5, 9, generator))
    is_row = (torch.arange(rows, device=generator.device) % pitch < 3)[:, None]
    fine = (max(round(count * cell * max(height, width)), side) for count, side in ((rows, height), (columns, width)))
    drawn = F.interpolate((marks & is_word & is_row).float()[:, None], size=tuple(fine), mode="bilinear")[:, 0]
    top, left = (_each(between(batch, -0.1, 1.0, generator)) * side for side in (high, wide))
    tall, long = (_each(between(batch, *limits, generator)) for limits in ((letter, 10 * letter), (0.1, 0.8)))
    return drawn[:, :height, :width] * ((y > top) & (y < top + tall) & (x > left) & (x < left + long))


def holes(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A row of round holes along one side."""
    y, x, high, wide = _plane(height, width, generator.device)
    upright, near = (_chance(batch, 0.5, generator) for _ in range(2))
    along, across = torch.where(upright, y, x), torch.where(upright, x, y)
    across = torch.where(near, across, torch.where(upright, wide, high) - across)
    offset, spacing = (_each(between(batch, *limits, generator)) for limits in ((0.01, 0.08), (0.03, 0.15)))
    radius = spacing * _each(between(batch, 0.15, 0.4, generator))
    phase = along / spacing + _each(between(batch, 0, 1, generator))
    return _filled(radius - torch.hypot((phase - phase.round()) * spacing, across - offset), height, width)


def box(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """An upright box, in outline or filled, as a program's button is."""
    y, x, high, wide = _plane(height, width, generator.device)
    middle_y, middle_x = (_each(between(batch, 0, 1, generator)) * side for side in (high, wide))
    tall = _each(between(batch, math.log(0.02), math.log(0.5), generator).exp())
    long = _each(between(batch, math.log(0.05), math.log(1.0), generator).exp())
    inside = torch.minimum(tall / 2 - (y - middle_y).abs(), long / 2 - (x - middle_x).abs())
    line = _each(between(batch, 0.003, 0.02, generator))
    is_filled = _chance(batch, 0.4, generator)
    return _filled(torch.where(is_filled, inside, torch.minimum(inside, line - inside)), height, width)


def sides(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """Bars along two sides that face each other, as a screen leaves them around a picture of another shape."""
    y, x, high, wide = _plane(height, width, generator.device)
    depth, slant = (_each(between(batch, *limits, generator)) for limits in ((0.02, 0.25), (-0.02, 0.02)))
    outside = torch.where(
        _chance(batch, 0.5, generator),
        (y - high / 2 + slant * x).abs() - high / 2,
        (x - wide / 2 + slant * y).abs() - wide / 2,
    )
    return _filled(outside + depth, height, width)


THINGS = (bar, bar, print_, holes, box, sides)
"""What may lie there, each (batch, height, width, generator) -> (batch, height, width), 1 where it is."""


def _each(values: Tensor) -> Tensor:
    return values[:, None, None]


def _chance(batch: int, probability: float, generator: Generator) -> Tensor:
    return _each(between(batch, 0, 1, generator) < probability)


def _plane(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor, float, float]:
    """Places of the pixels' middles down and across, and both sides; the longer side is 1."""
    longer = max(height, width)
    y, x = ((torch.arange(side, device=device) + 0.5) / longer for side in (height, width))
    return y[:, None], x[None, :], height / longer, width / longer


def _filled(inside: Tensor, height: int, width: int) -> Tensor:
    """1 where a distance inside of an edge, of which the longer side is 1, is positive; the edge is a pixel wide."""
    return (inside * max(height, width) + 0.5).clamp(0, 1)
