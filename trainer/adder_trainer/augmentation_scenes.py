"""Rows of the sheet of augmentations: ink on paper, what lies beside it, light, and what a camera makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Generator, Tensor

from adder_trainer import camera, ground, marks
from adder_trainer.augment import between
from adder_trainer.clutter import with_clutter
from adder_trainer.kinds import KINDS, ON_TABLE, Range
from adder_trainer.pattern import pattern
from adder_trainer.photo import TABLE, render
from adder_trainer.plane import column
from adder_trainer.unknown import noise, nothing

Part = tuple[str, Tensor | list[Tensor]]
"""Name of a part of the augmentation, and pictures (height, width) after it, 0 = black to 1 = white."""

EXAMPLES = 8
"""Pictures in a row."""

SIDE = 96
"""Height and width of those that are placed on paper, in pixels."""

PAPER, CONTRAST = 0.9, 0.75
"""Light of the paper, and the share of it that a full stroke takes away."""

SHADED = replace(KINDS[0], gradient=0.6, shadow=1.0)
"""A photo that surely has a shadow."""

CROWDED = replace(KINDS[0], neighbour=1.0)
"""A photo that surely shows a part of another digit."""

EMPTY = replace(KINDS[0], frame=0.0, neighbour=0.0, clutter=0.0)
"""A photo as training takes it of blank paper."""

TINY = next(kind for kind in KINDS if kind.name == "tiny")

CLUTTER = 0.15
"""Probability of each thing that may lie beside a digit."""

BLOCK, CROP = 8, 24
"""Sides in pixels of JPEG's blocks, and of the part of a picture in which they are to be seen."""


def scenes(tiles: Tensor, generator: Generator) -> list[Part]:
    """A row for each part that a scene is made of; limits are those of the kinds of pictures.

    Args:
        tiles: (EXAMPLES, 1, TILE, TILE) of `strokes.tile`.
        generator: draws them.
    """
    batch = len(tiles)
    size = batch, SIDE, SIDE
    ink = marks.place(tiles, SIDE, SIDE, between(batch, 0.5, 0.8, generator), generator)
    stretch = max(kind.stretch for kind in KINDS)
    wide = marks.place(tiles, SIDE, SIDE, torch.full((batch,), 0.98), generator, stretch)
    beside = marks.intruding(tiles.roll(1, 0), SIDE, SIDE, CROWDED, generator)
    papers, contrasts, lens = (
        widest(ranges)
        for ranges in ((kind.paper for kind in KINDS), (kind.contrast for kind in KINDS), (kind.blur for kind in KINDS))
    )
    uneven = 1 + ground.mottle(*size, max(kind.mottle for kind in KINDS), generator)
    contrast = torch.full((batch, 1, 1), CONTRAST)
    written = write(ink)
    grainy = camera.grain(written, max(kind.grain for kind in KINDS), generator)
    blurred = [camera.blur(one[None], sigma)[0] for one, sigma in zip(written, evenly(lens).tolist(), strict=True)]
    rounded = camera.jpeg(written, evenly(camera.QUALITY))
    blank, noisy = render(nothing(tiles, generator), EMPTY, generator), noise(batch, generator)
    return [
        (f"marks.place, {told(TINY.sides)} pixels", few_pixels(tiles, generator)),
        (f"marks.place, stretched by up to {stretch}", write(wide)),
        (f"ground.on_paper, light {told(papers)}", ground.on_paper(ink, column(evenly(papers)), CONTRAST)),
        (f"ground.on_paper, contrast {told(contrasts)}", ground.on_paper(ink, PAPER, column(evenly(contrasts)))),
        ("ground.mottle", write(ink, uneven)),
        ("ground.ruling", write(ink, 1 - ground.ruling(contrast, SIDE, SIDE, 1.0, generator))),
        ("ground.on_table (finder)", [on_table(one, generator) for one in ink]),
        ("ground.lamp", written * ground.lamp(*size, SHADED, generator)),
        ("pattern.pattern", written * pattern(*size, generator)),
        ("marks.texture", write(ink * (1 - marks.texture(*size, 0.8, generator)))),
        ("marks.frame_pieces", write(torch.maximum(ink, marks.frame_pieces(*size, 0.6, generator)))),
        ("marks.framed (finder)", [write(marks.framed(one[None], one[None], generator)[0][0]) for one in ink]),
        ("marks.specks", write(torch.maximum(ink, marks.specks(*size, 0.8, generator)))),
        ("marks.intruding", write(torch.maximum(ink, beside))),
        ("marks.with_pen (finder)", [write(marks.with_pen(one[None], one[None], generator)[0][0]) for one in ink]),
        ("clutter.with_clutter", cluttered(tiles, generator)),
        (f"camera.blur, {told(lens)} pixels", blurred),
        ("camera.grain", grainy),
        ("camera.two_tones", camera.two_tones(grainy, torch.tensor(PAPER), contrast)),
        ("camera.inverted", camera.inverted(written, 1.0, generator)),
        (f"camera.jpeg, quality {told(camera.QUALITY)}, {CROP} pixels of {SIDE}", blocks(rounded)),
        ("unknown.nothing, photographed", blank[:, :, :, 0] / 255),
        ("unknown.noise (finder)", noisy[:, :, :, 0] / 255),
    ]


def write(ink: Tensor, paper: Tensor | float = 1.0) -> Tensor:
    """Light of ink on paper, whose unevenness is a share of its light."""
    return ground.on_paper(ink, PAPER * paper, CONTRAST)


def widest(ranges: Iterable[Range]) -> Range:
    """From the least to the highest of all kinds."""
    lows, highs = zip(*ranges, strict=True)
    return min(lows), max(highs)


def evenly(limits: Range) -> Tensor:
    """(EXAMPLES) numbers from the lower limit to the upper one."""
    return torch.linspace(*limits, EXAMPLES)


def told(limits: Range) -> str:
    """Limits as a row's name tells them."""
    return f"{limits[0]:g} to {limits[1]:g}"


def few_pixels(tiles: Tensor, generator: Generator) -> list[Tensor]:
    """Digits in pictures of as few pixels as training renders, more from one to the next."""
    sides = evenly(TINY.sides).round().int().tolist()
    size = between(1, *TINY.size, generator)
    return [
        write(marks.place(each[None], side, side, size, generator))[0] for each, side in zip(tiles, sides, strict=True)
    ]


def on_table(ink: Tensor, generator: Generator) -> Tensor:
    """Ink (height, width) on paper that ends on a table, (higher, wider)."""
    placed, _, table = ground.on_table(ink[None], ink[None], ON_TABLE.room, generator)
    return write(placed).lerp(PAPER * between(1, *TABLE, generator), table)[0]


def cluttered(tiles: Tensor, generator: Generator) -> Tensor:
    """Digits that have something beside them, (EXAMPLES, SIDE, SIDE)."""
    more = tiles.repeat(4, 1, 1, 1)
    ink = marks.place(more, SIDE, SIDE, between(len(more), 0.3, 0.5, generator), generator)
    written = write(ink)
    beside = with_clutter(written, ink, torch.full((len(more), 1, 1), PAPER), CLUTTER, generator)
    return beside[(beside != written).flatten(1).any(1)][:EXAMPLES]


def blocks(light: Tensor) -> Tensor:
    """Of each picture the part of whole blocks in which ink and paper differ most, (batch, CROP, CROP)."""
    parts = light.unfold(1, CROP, BLOCK).unfold(2, CROP, BLOCK).flatten(1, 2)  # (batch, parts, CROP, CROP)
    return parts[torch.arange(len(light)), parts.std((2, 3)).argmax(1)]
