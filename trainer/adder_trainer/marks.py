"""What is drawn in a frame, as ink from 0 to 1: the digit, a part of another, specks, pieces of lines, a frame, a pen.

Everything works on whole batches on their device, and every random number comes from the generator that is given.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.kinds import Kind
from adder_trainer.normalize.picture import covered
from adder_trainer.plane import chance, column, from_middle
from adder_trainer.strokes import TILE

SPECKS = 3


def box(strokes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, bottom, left and right of the ink on tiles, (batch) each, in cells; the whole tile where there is none."""
    inked = strokes[:, 0] > 0.4
    cells = torch.arange(TILE, device=strokes.device)
    ends = []
    for axis in (2, 1):
        line = inked.any(axis)
        none = ~line.any(1)
        ends.append(torch.where(none, 0, torch.where(line, cells, TILE).amin(1)))
        ends.append(torch.where(none, TILE, torch.where(line, cells + 1, 0).amax(1)))
    top, bottom, left, right = (end.float() for end in ends)
    return top, bottom, left, right


def place(strokes: Tensor, height: int, width: int, size: Tensor, generator: Generator, stretch: float = 1.0) -> Tensor:
    """Ink somewhere in a frame, (batch, height, width), 0 to 1.

    Args:
        strokes: (batch, 1, TILE, TILE).
        height: of the frame in pixels.
        width: of the frame in pixels.
        size: (batch) of the ink's box, as a share of the largest that the frame holds.
        generator: draws the place.
        stretch: how many times longer than the other way the ink may become to fill the frame both ways.
    """
    batch = len(strokes)
    top, bottom, left, right = box(strokes)
    # tile cells a pixel, down and across
    fit_y, fit_x = (bottom - top) / height / size, (right - left) / width / size
    cell = torch.maximum(fit_y, fit_x)
    cell_y, cell_x = torch.maximum(fit_y, cell / stretch), torch.maximum(fit_x, cell / stretch)
    room_y, room_x = height - (bottom - top) / cell_y, width - (right - left) / cell_x
    middle_y = (top + bottom) / 2 + uniform(batch, 0.5, generator) * room_y * cell_y
    middle_x = (left + right) / 2 + uniform(batch, 0.5, generator) * room_x * cell_x
    sharp = column((between(batch, 0.5, 1.2, generator) / cell).clamp(min=1))
    ink = _lay(strokes, middle_y, middle_x, cell_y, cell_x, height, width)
    return ((ink - 0.5) * sharp + 0.5).clamp(0, 1) * (ink > 0)


def _lay(
    strokes: Tensor, middle_y: Tensor, middle_x: Tensor, cell_y: Tensor, cell_x: Tensor, height: int, width: int
) -> Tensor:
    middle_y, middle_x, cell_y, cell_x = (each[:, None, None, None] for each in (middle_y, middle_x, cell_y, cell_x))
    rows, high = covered(middle_y, cell_y, height, TILE)
    columns, wide = covered(middle_x, cell_x, width, TILE)
    return (rows / high @ strokes @ (columns / wide).transpose(2, 3))[:, 0]


def intruding(strokes: Tensor, height: int, width: int, kind: Kind, generator: Generator) -> Tensor:
    """A digit of which the frame shows no more than a strip at one side, (batch, height, width); often none."""
    batch = len(strokes)
    top, bottom, left, right = box(strokes)
    cell = torch.maximum((bottom - top) / height, (right - left) / width) / between(batch, 0.3, 0.9, generator)
    strip = between(batch, 0.02, 0.08, generator) * max(height, width)
    upright = between(batch, 0, 1, generator) < 0.5
    forward = between(batch, 0, 1, generator) < 0.5

    def beside(low: Tensor, high: Tensor, size: int, out: Tensor) -> Tensor:
        # where on the tile the frame's middle lies: the ink ends a strip inside of the frame's edge
        before = high + (size / 2 - strip) * cell
        after = low - (size / 2 - strip) * cell
        inside = (low + high) / 2 + uniform(batch, 0.4, generator) * size * cell
        return torch.where(out, torch.where(forward, before, after), inside)

    middle_y = beside(top, bottom, height, upright)
    middle_x = beside(left, right, width, ~upright)
    ink = _lay(strokes, middle_y, middle_x, cell, cell, height, width)
    return ink * chance(batch, kind.neighbour, generator)


def texture(batch: int, height: int, width: int, most: float, generator: Generator) -> Tensor:
    """How much of the stroke the paper's grain leaves white, (batch, height, width), 0 to `most`."""
    grain = torch.rand(batch, height, width, generator=generator, device=generator.device)
    return grain * column(between(batch, 0, most, generator))


def specks(batch: int, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Up to three small round specks as ink, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    ink = torch.zeros(batch, height, width, device=generator.device)
    for _ in range(SPECKS):
        at_y, at_x = (column(uniform(batch, 0.5, generator)) for _ in range(2))
        radius = column(between(batch, 0.003, 0.012, generator))
        edge = (radius - torch.hypot(y - at_y, x - at_x)) * max(height, width) + 0.5
        strength = column(between(batch, 0.3, 1.0, generator)) * chance(batch, probability, generator)
        ink = torch.maximum(ink, edge.clamp(0, 1) * strength)
    return ink


def frame_pieces(batch: int, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Pieces of straight lines along the frame's sides, as ink, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    tall, wide = height / max(height, width) / 2, width / max(height, width) / 2
    ink = torch.zeros(batch, height, width, device=generator.device)
    for across, along, reach in ((y + tall, x, wide), (tall - y, x, wide), (x + wide, y, tall), (wide - x, y, tall)):
        offset, thick = (column(between(batch, *limits, generator)) for limits in ((0.0, 0.05), (0.01, 0.04)))
        begin, length = (column(between(batch, *limits, generator)) for limits in ((-1.0, 0.4), (0.3, 2.0)))
        lies = (
            (across >= offset)
            & (across < offset + thick)
            & (along > begin * reach)
            & (along < (begin + length) * reach)
        )
        strength = column(between(batch, 0.4, 1.0, generator)) * chance(batch, probability, generator)
        ink = torch.maximum(ink, lies * strength)
    return ink


def framed(ink: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A line all around the picture, and often a margin around that, (batch, higher, wider)."""
    line, margin = (float(between(1, *limits, generator)) for limits in ((0.01, 0.06), (-0.1, 0.1)))
    longer = max(ink.shape[1:])
    inner, width, outer = (max(round(0.03 * longer), 1), max(round(line * longer), 1), max(round(margin * longer), 0))
    ink = F.pad(F.pad(F.pad(ink, (inner,) * 4), (width,) * 4, value=1.0), (outer,) * 4)
    return ink, F.pad(digit, (inner + width + outer,) * 4)


def with_pen(ink: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A pen that lies beside all other ink, as dark as that, along the longer side of a frame that is wider by it.

    Args:
        ink: (batch, height, width).
        generator: draws it.

    Returns:
        (batch, height, wider), or (batch, higher, width) where that was the shorter side.
    """
    batch, high, wide = ink.shape
    if wide > high:
        turned = with_pen(ink.transpose(1, 2), digit.transpose(1, 2), generator)
        return turned[0].transpose(1, 2), turned[1].transpose(1, 2)
    room = round(wide * float(between(1, 0.3, 0.6, generator)))
    on_left = float(between(1, 0, 1, generator)) < 0.5
    ink, digit = (F.pad(each, (room, 0) if on_left else (0, room)) for each in (ink, digit))
    y = (torch.arange(high, device=ink.device) + 0.5)[:, None]
    x = torch.arange(room + wide, device=ink.device) + 0.5 - (0 if on_left else wide)
    thick = column(between(batch, 0.004, 0.015, generator)) * high
    begin, end = (column(between(batch, *part, generator)) * high for part in ((0.0, 0.2), (0.8, 1.2)))
    at_begin, at_end = (thick + column(between(batch, 0, 1, generator)) * (room - 2 * thick) for _ in range(2))
    long_y, long_x = end - begin, at_end - at_begin
    along = ((y - begin) * long_y + (x - at_begin) * long_x) / (long_y.square() + long_x.square())
    along = along.clamp(0, 1)
    distance = torch.hypot(y - begin - along * long_y, x - at_begin - along * long_x)
    return torch.maximum(ink, (thick - distance + 0.5).clamp(0, 1)), digit
