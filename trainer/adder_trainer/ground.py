"""What ink lies on and is seen by: uneven and ruled paper, the table beneath it, the light that falls on both.

Everything works on whole batches on their device, and every random number comes from the generator that is given.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.kinds import Kind, Range
from adder_trainer.pattern import rough
from adder_trainer.plane import chance, column, from_middle, some

TORN = 0.02
"""Largest unevenness of a paper's edge, as a share of its longer side."""


def on_paper(ink: Tensor, paper: Tensor | float, contrast: Tensor | float) -> Tensor:
    """Light of ink on paper, (batch, height, width).

    Args:
        ink: (batch, height, width), 0 to 1.
        paper: light of the paper, of each picture or of each pixel, 0 = black, 1 = white.
        contrast: share of that light which a full stroke takes away.
    """
    return paper * (1 - contrast * ink)


def mottle(batch: int, height: int, width: int, most: float, generator: Generator) -> Tensor:
    """The paper's unevenness as a share of its light, (batch, height, width)."""
    coarse = torch.randn(
        batch, 1, max(height // 5, 2), max(width // 5, 2), generator=generator, device=generator.device
    )
    smooth = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)[:, 0]
    return smooth * column(between(batch, 0, most, generator))


def ruling(contrast: Tensor, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Share of the light that printed lines take away, ruled or squared, (batch, height, width).

    Args:
        contrast: (batch, 1, 1) of the strokes; lines are fainter.
        height: of the frame in pixels.
        width: of the frame in pixels.
        probability: of lines.
        generator: draws them.
    """
    batch = len(contrast)
    y, x = from_middle(height, width, generator.device)
    longer = max(height, width)
    angle = column(uniform(batch, math.radians(5), generator))
    spacing = column(between(batch, 0.05, 0.35, generator))
    thick = column(between(batch, 0.2, 0.6 + longer / 250, generator)) / longer
    dark = column(between(batch, 0.05, 0.55, generator)) * contrast
    total = torch.zeros(batch, height, width, device=generator.device)
    squared = chance(batch, 0.5, generator)
    for across, shown in ((y * angle.cos() + x * angle.sin(), True), (x * angle.cos() - y * angle.sin(), squared)):
        phase = across / spacing + column(between(batch, 0, 1, generator))
        distance = (phase - phase.round()).abs() * spacing
        total = torch.maximum(total, ((thick - distance) * longer + 0.5).clamp(0, 1) * shown)
    return total * dark * chance(batch, probability, generator)


def on_table(ink: Tensor, digit: Tensor, room: Range, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Paper that ends, a little askew, cut or torn, at one side or at several, with room for a table beside it.

    Args:
        ink: (batch, height, width), all of it on the paper.
        digit: (batch, height, width) the digit's part of it.
        room: as a share of the longer side.
        generator: draws it.

    Returns:
        The ink in the larger frame, and 1 where the table is, 0 on paper, both (batch, higher, wider).
    """
    batch, high, wide = ink.shape
    longer = max(high, wide)
    wide_as = (some(4, *room, generator) * longer).round().int()
    has_end = between(4, 0, 1, generator) < 0.5
    has_end[int(between(1, 0, 4, generator))] = True
    before, after, left, right = torch.where(has_end, wide_as, 0).tolist()
    ink, digit = (F.pad(each, (left, right, before, after)) for each in (ink, digit))
    y, x = (torch.arange(side, device=ink.device) + 0.5 for side in ink.shape[1:])
    down, across = y[:, None] - before - high / 2, x - left - wide / 2  # from the paper's middle
    table = torch.zeros_like(ink)
    # its edge stands as far off as it leans over, so that no ink is cut
    for end, away, along, reach, length in (
        (before, -down, across, high, wide), (after, down, across, high, wide),
        (left, -across, down, wide, high), (right, across, down, wide, high),
    ):  # fmt: skip
        slope = column(uniform(batch, 0.12, generator))
        torn = column(some(batch, TORN / 100, TORN, generator)) * longer
        waves = (
            rough(batch, 2, max(along.shape), generator)[:, :1]
            .clamp(-1, 1)
            .reshape(batch, *torch.atleast_2d(along).shape)
        )
        beyond = away - reach / 2 - slope.abs() * length / 2 - slope * along - torn * (1 + waves)
        table = torch.maximum(table, (beyond + 0.5).clamp(0, 1) * (end > 0))
    return ink, digit, table


def lamp(batch: int, height: int, width: int, kind: Kind, generator: Generator) -> Tensor:
    """Light that falls on each pixel as a share of full light, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    towards = column(uniform(batch, math.pi, generator))
    bend = column(uniform(batch, 0.6, generator))
    along = x * towards.cos() + y * towards.sin()
    fall = column(between(batch, 0, kind.gradient, generator))
    light = 1 - fall * (along + bend * (x.square() + y.square()) + 0.5).clamp(0, 1)
    across = column(uniform(batch, math.pi, generator))
    edge = (
        x * across.cos()
        + y * across.sin()
        + column(uniform(batch, 1.5, generator)) * (y * across.cos() - x * across.sin()).square()
    )
    soft = column(some(batch, kind.hardest, 0.2, generator))
    dark = ((edge - column(uniform(batch, 0.4, generator))) / soft).sigmoid()
    depth = column(between(batch, 0.1, 0.5, generator)) * chance(batch, kind.shadow, generator)
    return light * (1 - depth * dark)
