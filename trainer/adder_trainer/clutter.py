"""What lies beside a digit in a picture: pens, hands, print, a binding's holes, boxes, cells of a form, bars."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between
from adder_trainer.normalize.windows import highest_around
from adder_trainer.pattern import hand, rough, slab
from adder_trainer.plane import chance, column, from_corner, ink_box, some

Thing = Callable[[Tensor, Generator], Tensor]

APART = 0.02
"""Least distance of all this from the digit's ink, as a share of the picture's longer side."""

TOUCHES = 0.2
"""Ink, and share of a pixel that a thing covers, from which on the two touch."""

FIELD = 0.02, 0.15
"""How far the field reaches about the digit's box that some things leave free, as a share of the longer side."""

ROUGH = 0.12
"""Largest unevenness of a thing's tone."""


def with_clutter(
    light: Tensor, digit: Tensor, paper: Tensor, probability: float, generator: Generator, *, straight: bool = True
) -> Tensor:
    """Pictures with things beside their digits, (batch, height, width).

    What would touch a digit leaves a field about it free, or is left out.

    Args:
        light: (batch, height, width), 0 = black, 1 = white.
        digit: (batch, height, width) the digit's ink, 0 to 1.
        paper: (batch, 1, 1) or (batch, height, width) light of the paper.
        probability: of each of THINGS, in each picture.
        generator: draws them.
        straight: also what is straight, which alone may be a one.
    """
    batch, height, width = light.shape
    reach = max(round(APART * max(height, width)), 1)
    around = highest_around((digit > TOUCHES).to(light)[:, None], 2 * reach + 1, 2 * reach + 1)[:, 0]
    outside = 1 - field_about(digit, generator)
    paper, light = paper.expand_as(light), light.clone()
    for thing in (*ROUND, *STRAIGHT) if straight else ROUND:
        its = (between(batch, 0, 1, generator) < probability).nonzero()[:, 0]
        count = len(its)
        if not count:
            continue
        shape = thing(digit[its], generator)
        shape = torch.where(chance(count, 0.5, generator), shape * outside[its], shape)
        # mostly dark, as a pen is, some lighter than the paper
        tone = paper[its] * column(between(count, 0, 1.1, generator).square())
        uneven = 1 + column(between(count, 0, ROUGH, generator)) * rough(count, height, width, generator)
        opacity = column(between(count, 0.5, 1.0, generator))
        is_beside = (shape * around[its]).amax((1, 2)) <= TOUCHES
        light[its] = light[its].lerp(tone * uneven, shape * opacity * column(is_beside))
    return light


def field_about(digit: Tensor, generator: Generator) -> Tensor:
    """1 in a field about each digit's box, a margin wider, (batch, height, width); nowhere where there is no digit."""
    batch, height, width = digit.shape
    y, x, _, _ = from_corner(height, width, generator.device)
    top, left, bottom, right = _ends(digit)
    margin = column(between(batch, *FIELD, generator))
    inside = (y > top - margin) & (y < bottom + margin) & (x > left - margin) & (x < right + margin)
    return (inside & (bottom > top)).to(digit)


def bar(digit: Tensor, generator: Generator) -> Tensor:
    """A straight thing with round ends, thin as a line or thick as a thumb, that may reach out of the picture."""
    batch, height, width = digit.shape
    y, x, high, wide = from_corner(height, width, generator.device)
    thick = column(some(batch, 0.004, 0.09, generator))
    y0, x0, y1, x1 = (column(between(batch, -0.25, 1.25, generator)) * side for side in (high, wide) * 2)
    long_y, long_x = y1 - y0, x1 - x0
    part = ((y - y0) * long_y + (x - x0) * long_x) / (long_y.square() + long_x.square()).clamp(min=1e-4)
    part = part.clamp(0, 1)
    return _filled(thick - torch.hypot(y - y0 - part * long_y, x - x0 - part * long_x), height, width)


def print_(digit: Tensor, generator: Generator) -> Tensor:
    """Rows of small marks in an upright box: print, or writing that is much smaller than the digit."""
    batch, height, width = digit.shape
    y, x, high, wide = from_corner(height, width, generator.device)
    letter = float(some(1, 0.012, 0.06, generator))
    drawn = _marks(batch, height, width, letter, generator)
    top, left = (column(between(batch, -0.1, 1.0, generator)) * side for side in (high, wide))
    tall, long = (column(between(batch, *limits, generator)) for limits in ((letter, 10 * letter), (0.1, 0.8)))
    return drawn * ((y > top) & (y < top + tall) & (x > left) & (x < left + long))


def _marks(batch: int, height: int, width: int, letter: float, generator: Generator) -> Tensor:
    """Rows of marks in words, of which each is so high; the picture's longer side is 1."""
    _, _, high, wide = from_corner(height, width, generator.device)
    cell = letter / 3
    rows, columns = math.ceil(high / cell) + 1, math.ceil(wide / cell) + 1
    marks = torch.rand(batch, rows, columns, generator=generator, device=generator.device) < 0.55
    is_word = torch.rand(batch, 1, columns, generator=generator, device=generator.device) < 0.85
    pitch = int(between(1, 5, 9, generator))
    is_row = (torch.arange(rows, device=generator.device) % pitch < 3)[:, None]
    fine = (max(round(count * cell * max(height, width)), side) for count, side in ((rows, height), (columns, width)))
    drawn = F.interpolate((marks & is_word & is_row).float()[:, None], size=tuple(fine), mode="bilinear")[:, 0]
    return drawn[:, :height, :width]


def holes(digit: Tensor, generator: Generator) -> Tensor:
    """A row of round holes along one side."""
    batch, height, width = digit.shape
    y, x, high, wide = from_corner(height, width, generator.device)
    upright, near = (chance(batch, 0.5, generator) for _ in range(2))
    along, across = torch.where(upright, y, x), torch.where(upright, x, y)
    across = torch.where(near, across, torch.where(upright, wide, high) - across)
    offset, spacing = (column(between(batch, *limits, generator)) for limits in ((0.01, 0.08), (0.03, 0.15)))
    radius = spacing * column(between(batch, 0.15, 0.4, generator))
    phase = along / spacing + column(between(batch, 0, 1, generator))
    return _filled(radius - torch.hypot((phase - phase.round()) * spacing, across - offset), height, width)


def box(digit: Tensor, generator: Generator) -> Tensor:
    """An upright box, in outline or filled, as a program's button is."""
    batch, height, width = digit.shape
    y, x, high, wide = from_corner(height, width, generator.device)
    middle_y, middle_x = (column(between(batch, 0, 1, generator)) * side for side in (high, wide))
    tall = column(some(batch, 0.02, 0.5, generator))
    long = column(some(batch, 0.05, 1.0, generator))
    inside = torch.minimum(tall / 2 - (y - middle_y).abs(), long / 2 - (x - middle_x).abs())
    line = column(between(batch, 0.003, 0.02, generator))
    is_filled = chance(batch, 0.4, generator)
    return _filled(torch.where(is_filled, inside, torch.minimum(inside, line - inside)), height, width)


def sides(digit: Tensor, generator: Generator) -> Tensor:
    """Bars along two sides that face each other, as a screen leaves them around a picture of another shape."""
    batch, height, width = digit.shape
    y, x, high, wide = from_corner(height, width, generator.device)
    depth, slant = (column(between(batch, *limits, generator)) for limits in ((0.02, 0.25), (-0.02, 0.02)))
    outside = torch.where(
        chance(batch, 0.5, generator),
        (y - high / 2 + slant * x).abs() - high / 2,
        (x - wide / 2 + slant * y).abs() - wide / 2,
    )
    return _filled(outside + depth, height, width)


def page(digit: Tensor, generator: Generator) -> Tensor:
    """Rows of print all over the picture."""
    batch, height, width = digit.shape
    return _marks(batch, height, width, float(some(1, 0.01, 0.05, generator)), generator)


def hand_(digit: Tensor, generator: Generator) -> Tensor:
    """A hand that reaches into the picture, or lies in it."""
    batch, height, width = digit.shape
    return _filled(-hand(batch, height, width, generator), height, width)


def slab_(digit: Tensor, generator: Generator) -> Tensor:
    """A flat thing with round corners: a phone, a card, a rubber."""
    batch, height, width = digit.shape
    return _filled(-slab(batch, height, width, generator), height, width)


def cells(digit: Tensor, generator: Generator) -> Tensor:
    """The cells of a form, in the middle of one of which the digit stands."""
    batch, height, width = digit.shape
    y, x, _, _ = from_corner(height, width, generator.device)
    top, left, bottom, right = _ends(digit)
    longer = torch.maximum(bottom - top, right - left).clamp(min=0.05)
    line = column(some(batch, 0.001, 0.012, generator))
    shape = torch.zeros(batch, height, width, device=generator.device)
    for along, middle in ((y, (top + bottom) / 2), (x, (left + right) / 2)):
        apart = longer * column(between(batch, 1.2, 3.0, generator)) + 2 * APART
        phase = (along - middle) / apart + 0.5
        shape = torch.maximum(shape, _filled(line - (phase - phase.round()).abs() * apart, height, width))
    return shape


ROUND: tuple[Thing, ...] = (print_, page, holes, hand_)
STRAIGHT: tuple[Thing, ...] = (bar, bar, box, sides, slab_, cells)
THINGS = (*ROUND, *STRAIGHT)
"""What may lie beside a digit, each (digit, generator) -> (batch, height, width), 1 where it is."""


def _ends(digit: Tensor) -> list[Tensor]:
    """Top, left, bottom and right of each digit's box, (batch, 1, 1), as shares of the picture's longer side."""
    return [column(end) / max(digit.shape[1:]) for end in ink_box(digit).unbind(1)]


def _filled(inside: Tensor, height: int, width: int) -> Tensor:
    """1 where a distance inside of an edge, of which the longer side is 1, is positive; the edge is a pixel wide."""
    return (inside * max(height, width) + 0.5).clamp(0, 1)
