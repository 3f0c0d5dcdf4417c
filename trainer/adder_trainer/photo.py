"""Digits rendered as the pictures that people take and draw: pen on paper under a lamp, scans, cells, drawings.

A rendered picture is raw pixels, as an app would hand them over; training sends them through the normaliser that ships.
Everything works on whole batches on their device, and every random number comes from the generator that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator, Tensor

from adder_trainer.augment import between, warp
from adder_trainer.camera import QUALITY, blur, grain, inverted, jpeg, two_tones
from adder_trainer.clutter import with_clutter
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.ground import lamp, mottle, on_paper, on_table, ruling
from adder_trainer.kinds import FARTHER, KINDS, RULED, Kind
from adder_trainer.marks import frame_pieces, framed, intruding, place, specks, texture, with_pen
from adder_trainer.normalize import Normalizer
from adder_trainer.pattern import pattern, rough
from adder_trainer.plane import chance, column, ink_box, to_pixels
from adder_trainer.strokes import tile, with_bars
from adder_trainer.unknown import UNKNOWN, nothing

TABLE, TEXTURE = (0.1, 0.7), 0.15
"""Light of a table as a share of the paper's, and its largest unevenness."""

GOLDEN = 0.6180339887
"""Steps of this share visit each part of a whole evenly."""

BATCH = 100
"""Pictures rendered at once; they share their size and their lens."""

NO_DIGITS = 0.1
"""Share of rendered pictures that show no digit."""

PAPERS = 6
"""Times that blank paper is rendered for each that is asked for, as often RULED, and once FARTHER: the normaliser finds
nothing in most of it, and what it does find, rests of lines, shadows and specks, is what a network is to know. Not a
table: what is left of one at one side is a straight line, and such a line may be a one."""

FOUND_RIGHTLY = 0.6
"""Share of both boxes together that the box of the ink that was found and that of what was written have in common."""

PATTERNS = 2


@torch.no_grad()
def photograph(
    digits: Digits, count: int, generator: Generator, on_progress: Callable[[int], None] = lambda _: None
) -> Digits:
    """Some digits as the normaliser sees them after they were written, photographed, scanned or drawn.

    Args:
        digits: to take them from.
        count: pictures to render, blank paper several times; those in which the normaliser finds nothing, or not what
            was written, are left out.
        generator: on the device of the digits.
        on_progress: told how many more are done.

    Returns:
        About `count`, of which about NO_DIGITS show none and have the label NO_DIGIT.
    """
    normalizer = Normalizer().to(digits.ink.device)
    shares = torch.tensor([kind.share for kind in KINDS]).cumsum(0)
    order = torch.randint(len(digits), (count,), generator=generator, device=generator.device)
    inks, labels = [], []
    for number, index in enumerate(order.split(BATCH)):
        # evenly spread, not drawn: a few batches hold each kind already
        kind = KINDS[int((shares < (number * GOLDEN) % 1).sum())]
        digit = digits.digit[index]
        tiles = tile(digits.ink[index], digit, generator)
        rolls = [kind]
        if (number * NO_DIGITS) % 1 < NO_DIGITS:
            shown = UNKNOWN[int(number * NO_DIGITS) % len(UNKNOWN)]
            tiles = shown(tiles, generator)
            digit = torch.full_like(digit, NO_DIGIT)
            rolls = [replace(kind, frame=0.0, neighbour=0.0, clutter=0.0)]  # a straight line alone may be a one
            if shown is nothing:
                rolls = [*rolls * PAPERS, *[RULED] * PAPERS, FARTHER]
        for each in rolls:
            pixels, written = scene(tiles, each, generator)
            seen = normalizer(pixels)
            # where only a part of it was found, or something else, the label would be wrong
            is_right = seen.readable & (overlap(seen.box, ink_box(written)) > FOUND_RIGHTLY) | (
                seen.readable & (written.amax((1, 2)) == 0)
            )
            inks.append(seen.ink[is_right])
            labels.append(digit[is_right])
        on_progress(len(index))
    return Digits(torch.cat(inks), torch.cat(labels))


def overlap(one: Tensor, other: Tensor) -> Tensor:
    """Area that two boxes, (batch, 4) each, have in common, as a share of what either covers; (batch) 0 to 1."""
    begin, end = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    common = (end - begin).clamp(min=0).prod(1)
    first, second = ((each[:, 2:] - each[:, :2]).prod(1) for each in (one, other))
    return common / (first + second - common).clamp(min=1)


def render(tiles: Tensor, kind: Kind, generator: Generator) -> Tensor:
    """The pixels of a scene, (batch, height, width, 1) uint8."""
    return scene(tiles, kind, generator)[0]


def scene(
    tiles: Tensor, kind: Kind, generator: Generator, *, bars: float = 0.0, unbent: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Pictures of one kind, all of one size that is drawn, and where the digit's ink lies in them.

    Args:
        tiles: (batch, 1, TILE, TILE) ink of `strokes.tile`; all 0 for a picture of nothing.
        kind: one of KINDS.
        generator: on the device of the tiles.
        bars: share of the digits that become a mere bar.
        unbent: share of the digits that keep their form.

    Returns:
        pixels: (batch, height, width, 1) uint8.
        digit: (batch, height, width) 0 to 1.
    """
    batch = len(tiles)
    height = int(between(1, kind.sides[0], kind.sides[1] + 1, generator))
    width = max(round(height * float(between(1, 0.7, 1.4, generator))), 5)
    strokes = warp(tiles, generator)
    if unbent:
        strokes = torch.where(column(between(batch, 0, 1, generator) < unbent)[:, None], tiles, strokes)
    if bars:
        strokes = with_bars(strokes, bars, generator)
    ink = place(strokes, height, width, between(batch, *kind.size, generator), generator, kind.stretch)
    digit = ink
    if kind.neighbour:
        ink = torch.maximum(ink, intruding(strokes.roll(1, 0), height, width, kind, generator))
    if kind.texture:
        ink = ink * (1 - texture(batch, height, width, kind.texture, generator))
    if kind.frame:
        ink = torch.maximum(ink, frame_pieces(batch, height, width, kind.frame, generator))
    if kind.framed and float(between(1, 0, 1, generator)) < kind.framed:
        ink, digit = framed(ink, digit, generator)
        height, width = ink.shape[1:]
    if kind.specks:
        ink = torch.maximum(ink, specks(batch, height, width, kind.specks, generator))
    if kind.pen:
        ink, digit = with_pen(ink, digit, generator)
        height, width = ink.shape[1:]
    table: Tensor | None = None
    if kind.table:
        ink, digit, table = on_table(ink, digit, kind.room, generator)
        height, width = ink.shape[1:]
    paper = column(between(batch, *kind.paper, generator))
    beneath = column(between(batch, *TABLE, generator)) * paper if kind.table else paper
    contrast = column(between(batch, *kind.contrast, generator))
    if kind.mottle:
        paper = paper * (1 + mottle(batch, height, width, kind.mottle, generator))
    if kind.lines:
        paper = paper * (1 - ruling(contrast, height, width, kind.lines, generator))
    light = on_paper(ink, paper, contrast)
    if table is not None:
        uneven = 1 + column(between(batch, 0, TEXTURE, generator)) * rough(batch, height, width, generator)
        light = light.lerp(beneath * uneven, table)
    if kind.clutter:
        light = with_clutter(light, digit, paper, kind.clutter, generator, straight=kind.straight)
    if kind.gradient or kind.shadow:
        light = light * lamp(batch, height, width, kind, generator)
    if kind.pattern:
        for _ in range(PATTERNS):
            shade = pattern(batch, height, width, generator)
            light = light * torch.where(chance(batch, kind.pattern, generator), shade, 1.0)
    light = blur(light.clamp(0, 1), float(between(1, *kind.blur, generator)))
    if kind.grain:
        light = grain(light, kind.grain, generator)
    if kind.hard:
        light = torch.where(chance(batch, kind.hard, generator), two_tones(light, paper, contrast), light)
    light = inverted(light, kind.inverted, generator).clamp(0, 1)
    if kind.jpeg:
        light = torch.where(
            chance(batch, kind.jpeg, generator), jpeg(light, between(batch, *QUALITY, generator)), light
        )
    return to_pixels(light), digit
