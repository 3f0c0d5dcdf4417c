"""What training does to MNIST's digits, each part on its own: a contact sheet with a row for each function."""

from __future__ import annotations

from dataclasses import replace

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer import photo
from adder_trainer.augment import between, thicken, warp
from adder_trainer.data import Digits
from adder_trainer.sheet import Row, draw_sheet
from adder_trainer.strokes import FINE, line, more_strokes, skeleton, tile

EXAMPLES = 8
"""Pictures in a row."""

SIDE = 96
"""Height and width of those that are placed on paper, in pixels."""

SEED = 11_213

PAPER, CONTRAST = 0.9, 0.75
"""Light of the paper, and the share of it that a full stroke takes away."""

SHADED = replace(photo.KINDS[0], gradient=0.6, shadow=1.0)
"""A photo that surely has a shadow."""

CROWDED = replace(photo.KINDS[0], neighbour=1.0)
"""A photo that surely shows a part of another digit."""

STROKE = 0.9
"""Radius in tile cells of the strokes that are added to sevens and ones."""


def draw_augmentations(digits: Digits) -> Figure:
    """Eight digits after each part of the augmentation, always the same of the same digits; drawn on the CPU.

    What training draws by chance, such as a shadow, every picture of its row has.
    """
    return draw_sheet([_row(name, pictures) for name, pictures in augmentations(digits)], name_width=230)


def augmentations(digits: Digits) -> list[tuple[str, Tensor]]:
    """The name of each part, and pictures (up to 8, height, width) after it, 0 = black to 1 = white."""
    generator = torch.Generator().manual_seed(SEED)
    index = torch.randperm(len(digits), generator=generator)[:EXAMPLES]
    ink, digit = digits.ink.cpu()[index], digits.digit.cpu()[index]
    tiles = tile(ink, digit, generator)
    return [
        ("plain MNIST", 1 - ink[:, 0]),
        ("augment.warp", 1 - warp(ink, generator)[:, 0]),
        ("augment.thicken", 1 - thicken(ink, generator)[:, 0]),
        ("strokes.tile", 1 - tiles[:, 0]),
        ("strokes.more_strokes, of 7 and 1", 1 - sevens_and_ones(digits, generator)),
        *((f"photo.{name}", pictures) for name, pictures in _on_paper(tiles, generator)),
    ]


def sevens_and_ones(digits: Digits, generator: Generator) -> Tensor:
    """Sevens and ones that got a stroke which MNIST's writers leave out, (up to 8, TILE, TILE)."""
    both = ((digits.digit == 7) | (digits.digit == 1)).nonzero()[:, 0].cpu()
    both = both[torch.randperm(len(both), generator=generator)][: 4 * EXAMPLES]
    ink, digit = digits.ink.cpu()[both], digits.digit.cpu()[both]
    fine = F.interpolate(ink, scale_factor=FINE, mode="bilinear", align_corners=False)
    ends, is_drawn = more_strokes(skeleton(fine), digit, generator)
    strokes = line(ends, torch.full((len(both),), STROKE)) * is_drawn
    drawn = torch.maximum(fine[:, 0], strokes.amax(1))
    return drawn[is_drawn.amax((1, 2, 3)) > 0][:EXAMPLES]


def _on_paper(tiles: Tensor, generator: Generator) -> list[tuple[str, Tensor]]:
    batch = len(tiles)
    size = batch, SIDE, SIDE
    ink = photo.place(tiles, SIDE, SIDE, between(batch, 0.5, 0.8, generator), generator)
    contrast = torch.full((batch, 1, 1), CONTRAST)
    written = write(ink)
    uneven = 1 + photo.mottle(*size, 0.03, generator)
    grain = torch.randn(size, generator=generator) * 0.04
    return [
        ("lamp", written * photo.lamp(*size, SHADED, generator)),
        ("ruling", write(ink, 1 - photo.ruling(contrast, SIDE, SIDE, 1.0, generator))),
        ("mottle, and grain", write(ink, uneven) + grain),
        ("texture", write(ink * (1 - photo.texture(*size, 0.8, generator)))),
        ("frame_pieces", write(torch.maximum(ink, photo.frame_pieces(*size, 0.6, generator)))),
        ("specks", write(torch.maximum(ink, photo.specks(*size, 0.8, generator)))),
        ("intruding", write(torch.maximum(ink, photo.intruding(tiles.roll(1, 0), SIDE, SIDE, CROWDED, generator)))),
        ("blur", torch.cat([photo.blur(one[None], 0.2 * (step + 1)) for step, one in enumerate(written)])),
        ("jpeg", photo.jpeg(written, generator)),
        ("two_tones", photo.two_tones(written + grain, torch.full((batch, 1, 1), PAPER), contrast)),
    ]


def write(ink: Tensor, paper: Tensor | float = 1.0) -> Tensor:
    """Light of ink on paper, whose unevenness is a share of its light."""
    return PAPER * paper * (1 - CONTRAST * ink)


def _row(name: str, pictures: Tensor) -> Row:
    return Row(name, [picture.clamp(0, 1).numpy() for picture in pictures])
