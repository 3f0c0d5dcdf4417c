"""What training does to MNIST's digits, each part on its own: a contact sheet with a row for each function."""

from __future__ import annotations

from dataclasses import replace

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer import camera, ground, marks
from adder_trainer.augment import between, thicken, warp
from adder_trainer.data import Digits
from adder_trainer.hands import ADDED, BENT, bow, more_strokes
from adder_trainer.kinds import KINDS
from adder_trainer.sheet import Row, draw_sheet
from adder_trainer.strokes import FINE, bowed, skeleton, tile

EXAMPLES = 8
"""Pictures in a row."""

SIDE = 96
"""Height and width of those that are placed on paper, in pixels."""

SEED = 11_213

PAPER, CONTRAST = 0.9, 0.75
"""Light of the paper, and the share of it that a full stroke takes away."""

SHADED = replace(KINDS[0], gradient=0.6, shadow=1.0)
"""A photo that surely has a shadow."""

CROWDED = replace(KINDS[0], neighbour=1.0)
"""A photo that surely shows a part of another digit."""

STROKE = 0.9
"""Radius in tile cells of the strokes that are added."""


def draw_augmentations(digits: Digits) -> Figure:
    """Eight digits after each part of the augmentation, always the same of the same digits; drawn on the CPU.

    What training draws by chance, such as a shadow, every picture of its row has.
    """
    return draw_sheet([_row(name, pictures) for name, pictures in augmentations(digits)])


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
        *((f"hands.more_strokes, of {label}", 1 - with_strokes(digits, label, generator)) for label in ADDED),
        *((f"hands.bow, of {label}", 1 - bent(digits, label, generator)) for label in BENT),
        *_on_paper(tiles, generator),
    ]


def with_strokes(digits: Digits, label: int, generator: Generator) -> Tensor:
    """Of one digit those that got a stroke which MNIST's writers leave out, (up to 8, TILE, TILE)."""
    fine, digit = _some(digits, label, generator)
    ends, is_drawn = more_strokes(skeleton(fine), digit, generator)
    drawn = torch.maximum(fine, bowed(ends, is_drawn, torch.full((len(digit),), STROKE)))
    return drawn[is_drawn.any(1), 0][:EXAMPLES]


def bent(digits: Digits, label: int, generator: Generator) -> Tensor:
    """Of one digit those that were bent, (up to 8, TILE, TILE)."""
    fine, digit = _some(digits, label, generator)
    other = bow(fine, digit, generator)
    return other[(other != fine).any(3).any(2)[:, 0], 0][:EXAMPLES]


def _some(digits: Digits, label: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Tiles of digits with a label, more than a row shows and some of them twice if there are few, and the labels."""
    of_label = (digits.digit == label).nonzero()[:, 0].cpu()
    of_label = of_label[torch.randint(len(of_label), (4 * EXAMPLES,), generator=generator)]
    fine = F.interpolate(digits.ink.cpu()[of_label], scale_factor=FINE, mode="bilinear", align_corners=False)
    return fine, digits.digit.cpu()[of_label]


def _on_paper(tiles: Tensor, generator: Generator) -> list[tuple[str, Tensor]]:
    batch = len(tiles)
    size = batch, SIDE, SIDE
    ink = marks.place(tiles, SIDE, SIDE, between(batch, 0.5, 0.8, generator), generator)
    contrast = torch.full((batch, 1, 1), CONTRAST)
    written = write(ink)
    uneven = 1 + ground.mottle(*size, 0.03, generator)
    grain = torch.randn(size, generator=generator) * 0.04
    return [
        ("ground.lamp", written * ground.lamp(*size, SHADED, generator)),
        ("ground.ruling", write(ink, 1 - ground.ruling(contrast, SIDE, SIDE, 1.0, generator))),
        ("ground.mottle, and grain", write(ink, uneven) + grain),
        ("marks.texture", write(ink * (1 - marks.texture(*size, 0.8, generator)))),
        ("marks.frame_pieces", write(torch.maximum(ink, marks.frame_pieces(*size, 0.6, generator)))),
        ("marks.specks", write(torch.maximum(ink, marks.specks(*size, 0.8, generator)))),
        (
            "marks.intruding",
            write(torch.maximum(ink, marks.intruding(tiles.roll(1, 0), SIDE, SIDE, CROWDED, generator))),
        ),
        ("camera.blur", torch.cat([camera.blur(one[None], 0.2 * (step + 1)) for step, one in enumerate(written)])),
        ("camera.jpeg", camera.jpeg(written, generator)),
        ("camera.two_tones", camera.two_tones(written + grain, torch.full((batch, 1, 1), PAPER), contrast)),
    ]


def write(ink: Tensor, paper: Tensor | float = 1.0) -> Tensor:
    """Light of ink on paper, whose unevenness is a share of its light."""
    return PAPER * paper * (1 - CONTRAST * ink)


def _row(name: str, pictures: Tensor) -> Row:
    return Row(name, [picture.clamp(0, 1).numpy() for picture in pictures])
