"""What training does to MNIST's digits, each part on its own: a contact sheet with a row for each function."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import thicken, warp
from adder_trainer.augmentation_scenes import EXAMPLES, Part, scenes
from adder_trainer.data import Digits
from adder_trainer.hands import ADDED, BENT, bow, more_strokes
from adder_trainer.sheet import Row, draw_sheet
from adder_trainer.strokes import FINE, bowed, skeleton, tile, with_bars
from adder_trainer.unknown import cut_apart, scribble, side_by_side

SEED = 11_213

STROKE = 0.9
"""Radius in tile cells of the strokes that are added."""


def draw_augmentations(digits: Digits) -> Figure:
    """Eight pictures after each part of the augmentation, always the same of the same digits; drawn on the CPU.

    What training draws by chance, such as a shadow, every picture of its row has.
    """
    rows = [(name, [picture.clamp(0, 1).numpy() for picture in pictures]) for name, pictures in augmentations(digits)]
    return draw_sheet([Row(name, pictures) for name, pictures in rows])


def augmentations(digits: Digits) -> list[Part]:
    """The name of each part and EXAMPLES pictures after it; finder: only what teaches that is drawn so."""
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
        ("strokes.with_bars (finder)", 1 - with_bars(tiles, 1.0, generator)[:, 0]),
        ("unknown.scribble", 1 - scribble(tiles, generator)[:, 0]),
        ("unknown.side_by_side", 1 - side_by_side(tiles, generator)[:, 0]),
        ("unknown.cut_apart", 1 - cut_apart(tiles, generator)[:, 0]),
        *scenes(tiles, generator),
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
