"""Forms of digits that MNIST's writers seldom use and others always: strokes that are added, and some that are bent.

Ones with a flag and a foot, sevens with a bar through the stem, a tick and a wavy head, nines with a tail and a
belly like a g's, fives whose top reaches over their back. All lengths are shares of the digit's height.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.plane import column

STROKES = 2
"""Most strokes that are added to a digit."""

PIECES = 4
"""Straight pieces of a bowed stroke."""

FLAGGED, BASED = 0.7, 0.25
"""Shares of the ones that get a flag down from the top, and a bar under the foot."""

CROSSED, TICKED, WAVY = 0.5, 0.4, 0.5
"""Shares of the sevens that get a bar through the stem, a tick down from the left end of their top, and a wavy top."""

TAILED, BULGING = 0.45, 0.4
"""Shares of the nines that get a tail from the foot to the left, and a stem that bulges to the right."""

OVERREACHING = 0.35
"""Share of the fives whose top reaches over their back."""

HEAD = 0.7
"""Share of a seven's height, from the top, that moves with its head, the less the lower."""

TOP = 0.35
"""Share of a seven's height, from the top, in which its top lies."""

LOOP = 0.4
"""Share of a nine's height, from the top, that its loop takes."""


class Stroke(NamedTuple):
    """A bowed stroke for each of some digits, (batch) each."""

    start_y: Tensor
    """In cells of the tile, as all places."""
    start_x: Tensor
    end_y: Tensor
    end_x: Tensor
    sag: Tensor
    """How far its middle lies to the left of the straight way, seen along it, as a share of its length."""
    drawn: Tensor
    """Bool."""


class Middle:
    """Where the middle lines of some digits lie, in cells of their tiles."""

    def __init__(self, lines: Tensor) -> None:
        """Measure them.

        Args:
            lines: (batch, 1, n, n), 0 to 1.
        """
        self.lines = lines[:, 0]
        self.cells = torch.arange(lines.shape[3], device=lines.device) + 0.5
        self.inked = self.lines > 0.3
        self.top, self.bottom = self.ends(self.inked.any(2))
        self.high = (self.bottom - self.top).clamp(min=1)

    def ends(self, inked: Tensor) -> tuple[Tensor, Tensor]:
        """The first and the last of some rows or columns (batch, n) that are inked, (batch) each."""
        first = torch.where(inked, self.cells, float(len(self.cells))).amin(1)
        return first, torch.where(inked, self.cells, 0.0).amax(1)

    def x_at(self, y: Tensor) -> Tensor:
        """Where the line is on the height y, on average, (batch) -> (batch)."""
        near = ((self.cells - y[:, None]).abs() < 2.0)[:, :, None] * self.lines
        return (near * self.cells).sum((1, 2)) / near.sum((1, 2)).clamp(min=1e-6)

    def y_at(self, x: Tensor, above: Tensor) -> Tensor:
        """On which height the line is in the column x, on average over what lies above a height, (batch) each."""
        near = ((self.cells - x[:, None]).abs() < 2.0)[:, None] * self.lines
        near = near * (self.cells < above[:, None])[:, :, None]
        return (near * self.cells[:, None]).sum((1, 2)) / near.sum((1, 2)).clamp(min=1e-6)

    def sides_above(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Left and right end of what lies above the height y, (batch) -> (batch) each."""
        return self.ends((self.inked & (self.cells < y[:, None])[:, :, None]).any(1))


def add_to_one(middle: Middle, generator: Generator) -> tuple[Stroke, Stroke]:
    """A flag down from the top, and a bar under the foot.

    Flatter or shorter, the flag is the top of many a seven; a bar without a flag is nothing that people write.
    """
    batch, top, bottom, high = len(middle.top), middle.top, middle.bottom, middle.high
    head, foot = middle.x_at(top + 1), middle.x_at(bottom - 1)
    angle, length = between(batch, 0.65, 1.4, generator), high * between(batch, 0.25, 0.9, generator)
    sag = between(batch, -0.2, 0.1, generator)
    chance = between(batch, 0, 1, generator)
    flag = Stroke(top + 0.5, head, top + length * angle.sin(), head - length * angle.cos(), sag, chance < FLAGGED)
    half, slope = high * between(batch, 0.12, 0.4, generator), uniform(batch, 0.12, generator)
    base = Stroke(bottom - slope * half, foot - half, bottom + slope * half, foot + half, sag * 0, chance < BASED)
    return flag, base


def add_to_seven(middle: Middle, generator: Generator) -> tuple[Stroke, Stroke]:
    """A bar through the stem, and a tick down from the left end of the top."""
    batch, top, high = len(middle.top), middle.top, middle.high
    stem = top + high * between(batch, 0.42, 0.74, generator)
    reach, tilt = high * between(batch, 0.14, 0.42, generator), between(batch, -0.35, 0.2, generator)
    x = middle.x_at(stem) + high * uniform(batch, 0.08, generator)
    chance = torch.rand(2, batch, generator=generator, device=generator.device)
    sag = uniform(batch, 0.1, generator)
    bar = Stroke(stem - tilt * reach, x - reach, stem + tilt * reach, x + reach, sag, chance[0] < CROSSED)
    head = top + high * TOP
    left, _ = middle.sides_above(head)
    begin = middle.y_at(left + 0.5, head)
    down, out = high * between(batch, 0.08, 0.42, generator), high * between(batch, -0.08, 0.2, generator)
    tick = Stroke(begin, left, begin + down, left - out, uniform(batch, 0.15, generator), chance[1] < TICKED)
    return bar, tick


def add_to_nine(middle: Middle, generator: Generator) -> tuple[Stroke, ...]:
    """A tail from the foot to the left, bowed downwards."""
    batch, bottom, high = len(middle.top), middle.bottom, middle.high
    foot = middle.x_at(bottom - 1)
    length, rise = high * between(batch, 0.2, 0.65, generator), high * between(batch, -0.02, 0.24, generator)
    chance = between(batch, 0, 1, generator)
    return (
        Stroke(
            bottom - 0.5, foot, bottom - rise, (foot - length).clamp(min=2), between(batch, 0.05, 0.35, generator),
            chance < TAILED,
        ),
    )  # fmt: skip


def add_to_five(middle: Middle, generator: Generator) -> tuple[Stroke, ...]:
    """A top that reaches over the back."""
    batch, top, high = len(middle.top), middle.top, middle.high
    left, right = middle.sides_above(top + high * 0.2)
    y, tilt = top + high * between(batch, -0.02, 0.08, generator), high * uniform(batch, 0.08, generator)
    over, on = high * between(batch, 0.05, 0.3, generator), high * between(batch, -0.1, 0.25, generator)
    sag, chance = uniform(batch, 0.06, generator), between(batch, 0, 1, generator)
    return (Stroke(y + tilt, left - over, y - tilt, right + on, sag, chance < OVERREACHING),)


ADDED: dict[int, Callable[[Middle, Generator], tuple[Stroke, ...]]] = {
    1: add_to_one,
    5: add_to_five,
    7: add_to_seven,
    9: add_to_nine,
}
"""What is added to which digit."""


def more_strokes(middle: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Bowed strokes for each digit and whether each is drawn.

    Args:
        middle: (batch, 1, n, n) middle lines, 0 to 1.
        digit: (batch) labels; those that ADDED does not name get none.
        generator: on the same device.

    Returns:
        ends: (batch, STROKES, PIECES, 4), of each straight piece y0, x0, y1, x1 in cells.
        drawn: (batch, STROKES) bool.
    """
    ends = middle.new_zeros(len(digit), STROKES, PIECES, 4)
    drawn = torch.zeros(len(digit), STROKES, dtype=torch.bool, device=middle.device)
    for label, add in ADDED.items():
        index = (digit == label).nonzero()[:, 0]
        for place, stroke in enumerate(add(Middle(middle[index]), generator)):
            ends[index, place] = pieces(stroke)
            drawn[index, place] = stroke.drawn
    return ends, drawn


def pieces(stroke: Stroke) -> Tensor:
    """The straight pieces along a parabola, (batch, PIECES, 4): y0, x0, y1, x1 of each."""
    part = torch.linspace(0, 1, PIECES + 1, device=stroke.sag.device)
    bow = 4 * part * (1 - part) * stroke.sag[:, None]
    along_y, along_x = ((stroke.end_y - stroke.start_y)[:, None], (stroke.end_x - stroke.start_x)[:, None])
    y = stroke.start_y[:, None] + part * along_y - bow * along_x
    x = stroke.start_x[:, None] + part * along_x + bow * along_y
    return torch.stack([y[:, :-1], x[:, :-1], y[:, 1:], x[:, 1:]], 2)


def bow(strokes: Tensor, digit: Tensor, generator: Generator) -> Tensor:
    """Some sevens with a wavy head and some nines with a bowed stem; all else as it is.

    Args:
        strokes: (batch, 1, n, n), 0 to 1.
        digit: (batch) labels.
        generator: on the same device.
    """
    bowed = strokes.clone()
    for label, (share, bend) in BENT.items():
        index = (digit == label).nonzero()[:, 0]
        index = index[between(len(index), 0, 1, generator) < share]
        if len(index):
            middle = Middle(strokes[index])
            y, x = middle.cells[None, :, None], middle.cells[None, None, :]
            down, right = bend(middle, y, x, generator)
            grid = torch.stack(torch.broadcast_tensors(x - right, y - down), 3)
            bowed[index] = F.grid_sample(
                strokes[index],
                grid * (2 / strokes.shape[3]) - 1,
                mode="bilinear",
                padding_mode="zeros",
                align_corners=False,
            )
    return bowed


def bend_head(middle: Middle, y: Tensor, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """How far down and right a seven's strokes move: its top sags between its ends, or rises.

    Args:
        middle: of the digits.
        y: (1, n, 1) rows of the tile.
        x: (1, 1, n) columns of the tile.
        generator: on the same device.

    Returns:
        (batch, n, n) or what expands to it, in cells.
    """
    left, right = map(column, middle.sides_above(middle.top + middle.high * TOP))
    top, high = column(middle.top), column(middle.high)
    across = ((x - left) / (right - left).clamp(min=1)).clamp(0, 1)
    near = (1 - (y - top).clamp(min=0) / (HEAD * high)).clamp(0, 1)
    sag = high * column(between(len(top), -0.1, 0.65, generator))
    return sag * (torch.pi * across).sin() * near, torch.zeros_like(x)


def bend_stem(middle: Middle, y: Tensor, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """The same of a nine: its stem bulges to the right under its loop."""
    top, high = column(middle.top), column(middle.high)
    below = ((y - top) / high - LOOP) / (1 - LOOP)
    bulge = high * column(between(len(top), -0.05, 0.3, generator))
    return torch.zeros_like(y), bulge * (torch.pi * below.clamp(0, 1)).sin()


BENT: dict[int, tuple[float, Callable[[Middle, Tensor, Tensor, Generator], tuple[Tensor, Tensor]]]] = {
    7: (WAVY, bend_head),
    9: (BULGING, bend_stem),
}
"""How often which digit is bent, and how."""
