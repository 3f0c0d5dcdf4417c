"""Light and stains of any shape on paper: pools of lamps, discs, rings, folds, blinds, clouds, hands and phones."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.plane import column, from_corner, some

FINGERS = 4
"""Of a hand that are seen beside each other."""

Shape = Callable[[int, int, int, Generator], Tensor]

SOFT = 0.0015, 0.3
"""Width of a pattern's edge, as a share of the picture's longer side."""

DEEPEST, DEEPEST_LINE = 0.85, 0.35
"""Most light that a pattern takes away, as a share, and that a ring or a fold takes, which is as narrow as a stroke."""


def pattern(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """Share of the light that reaches each pixel, (batch, height, width), over 0 and up to 1; a shape for each picture.

    A shape is where a distance is negative; there it is darker, or everywhere else.
    """
    which = torch.randint(len(SHAPES), (batch,), generator=generator, device=generator.device)
    distance = torch.empty(batch, height, width, device=generator.device)
    for place, shape in enumerate(SHAPES):
        its = which == place
        distance[its] = shape(int(its.sum()), height, width, generator)
    soft = column(some(batch, *SOFT, generator))
    inside = (-distance / soft).sigmoid()
    is_line = torch.tensor([shape in NARROW for shape in SHAPES], device=generator.device)[which]
    is_lit = (between(batch, 0, 1, generator) < 0.5) & ~is_line
    deepest = torch.where(is_line, DEEPEST_LINE, DEEPEST)
    depth = column(between(batch, 0.05, 1, generator) * deepest)
    return 1 - depth * torch.where(column(is_lit), 1 - inside, inside)


def disc(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A round or an oval shape about any place, small or wider than the picture."""
    return _radius(batch, height, width, generator) - column(some(batch, 0.04, 0.5, generator))


def ring(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """The same in outline, as cups leave it."""
    radius = _radius(batch, height, width, generator) - column(between(batch, 0.05, 0.45, generator))
    return radius.abs() - column(some(batch, 0.002, 0.03, generator))


def fold(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A straight line across all of it, as a fold's shadow."""
    return _across(batch, height, width, generator).abs() - column(some(batch, 0.002, 0.05, generator))


def stripes(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """Many straight ones side by side, from two to some ten, as of a blind."""
    waves = column(some(batch, 6, 60, generator))
    phase = _across(batch, height, width, generator) * waves
    return (phase.sin() + column(uniform(batch, 0.8, generator))) / waves


def veins(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """The same, crooked and of uneven width, as of wood, marble and creased paper."""
    waves = column(some(batch, 6, 90, generator))
    phase = _across(batch, height, width, generator) * waves
    crooked = phase + column(some(batch, 0.3, 3, generator)) * rough(batch, height, width, generator)
    return (crooked.sin() + column(uniform(batch, 0.8, generator))) / waves


def cloud(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """Patches without a form, as of leaves before the sun, of damp, or of hands."""
    knots = int(between(1, 3, 8, generator))
    coarse = torch.randn(batch, 1, knots, knots, generator=generator, device=generator.device)
    smooth = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)[:, 0]
    return (smooth + column(uniform(batch, 1.0, generator))) / (2 * knots)


def hand(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A palm, spread fingers and the arm that they belong to, as of who writes or takes the picture."""
    y, x = _from_a_place(batch, height, width, generator)
    palm = column(some(batch, 0.06, 0.3, generator))
    angle = column(uniform(batch, math.pi, generator))
    spread = column(between(batch, 0.1, 0.4, generator))
    bent = column(between(batch, 0.3, 2.0, generator))
    thick = palm * column(between(batch, 0.18, 0.4, generator))
    distance = torch.hypot(y, x) - palm
    for finger in range(FINGERS):
        towards = angle + spread * (finger - (FINGERS - 1) / 2)
        reach = palm * (1 + bent * column(between(batch, 0.6, 1, generator)))
        distance = torch.minimum(distance, _to_line(y, x, towards, reach) - thick)
    return torch.minimum(distance, _to_line(y, x, angle + math.pi, torch.full_like(palm, 2.0)) - 0.7 * palm)


def slab(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """A rectangle with round corners, as of a phone that takes the picture, or of a sheet over the lamp."""
    y, x = _from_a_place(batch, height, width, generator)
    angle = column(uniform(batch, math.pi, generator))
    along, across = y * angle.cos() + x * angle.sin(), x * angle.cos() - y * angle.sin()
    long, short = (column(some(batch, *limits, generator)) for limits in ((0.15, 0.7), (0.08, 0.35)))
    corner = 0.3 * torch.minimum(long, short)
    beyond = torch.hypot((along.abs() - long + corner).clamp(min=0), (across.abs() - short + corner).clamp(min=0))
    return beyond - corner + torch.maximum(along.abs() - long, across.abs() - short).clamp(max=0)


SHAPES: tuple[Shape, ...] = (disc, disc, ring, ring, fold, stripes, veins, cloud, hand, hand, hand, slab)
"""What there is, each (batch, height, width, generator) -> (batch, height, width), below 0 inside; the picture's longer
side is 1."""

NARROW = (ring, fold)
"""Those that are always dark, and never very."""


def rough(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    """What is uneven over some pixels or over much of the picture, (batch, height, width), about 0, mostly -1 to 1."""
    knots = (max(round(float(some(1, 0.02, 0.5, generator)) * side), 2) for side in (height, width))
    coarse = torch.randn(batch, 1, *knots, generator=generator, device=generator.device)
    return F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)[:, 0]


def _from_a_place(batch: int, height: int, width: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """How far each pixel is from a place that is drawn, (batch, height, 1) down and (batch, 1, width) across."""
    y, x, high, wide = from_corner(height, width, generator.device)
    at_y, at_x = (column(between(batch, -0.1, 1.1, generator)) * side for side in (high, wide))
    return y - at_y, x - at_x


def _radius(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    y, x = _from_a_place(batch, height, width, generator)
    wider = column(uniform(batch, 0.4, generator).exp())
    return torch.hypot(y * wider, x / wider)


def _to_line(y: Tensor, x: Tensor, angle: Tensor, length: Tensor) -> Tensor:
    """How far each place is from a line that begins at 0 and goes so far in one direction."""
    sin, cos = angle.sin(), angle.cos()
    along = torch.minimum((y * sin + x * cos).clamp(min=0), length)
    return torch.hypot(y - along * sin, x - along * cos)


def _across(batch: int, height: int, width: int, generator: Generator) -> Tensor:
    y, x = _from_a_place(batch, height, width, generator)
    angle = column(uniform(batch, math.pi, generator))
    return y * angle.cos() + x * angle.sin()
