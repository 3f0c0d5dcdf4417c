"""What is no digit: nothing at all, scribbles, two digits side by side, digits cut apart."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.plane import column, to_pixels
from adder_trainer.strokes import TILE, dilate, line

TURNS = 6
"""Most straight pieces of a scribble."""

FEWEST_TURNS = 4
"""Fewest: one piece may be a one, two a seven, three a two."""


def nothing(tiles: Tensor, generator: Generator) -> Tensor:
    """Paper, (batch, 1, TILE, TILE) of 0."""
    return torch.zeros_like(tiles)


def scribble(tiles: Tensor, generator: Generator) -> Tensor:
    """A pen led here and there, (batch, 1, TILE, TILE), 0 to 1."""
    batch = len(tiles)
    places = torch.stack([between(batch, 0.15, 0.85, generator) for _ in range(2 * (TURNS + 1))], 1) * TILE
    places = places.reshape(batch, TURNS + 1, 2)
    ends = torch.cat([places[:, :-1], places[:, 1:]], 2)  # (batch, TURNS, 4)
    drawn = between(batch, FEWEST_TURNS, TURNS + 1, generator)[:, None] > torch.arange(TURNS, device=tiles.device)
    strokes = (line(ends, torch.full((batch,), 0.6, device=tiles.device)) * drawn[:, :, None, None]).amax(
        1, keepdim=True
    )
    return dilate(strokes, between(batch, 0, 1, generator).square() * 3)


def side_by_side(tiles: Tensor, generator: Generator) -> Tensor:
    """Each digit with another one at its right, (batch, 1, TILE, TILE), 0 to 1."""
    narrow = F.avg_pool2d(tiles, (1, 2))  # (batch, 1, TILE, TILE / 2)
    return torch.cat([narrow, narrow.roll(1, 0)], 3)


def cut_apart(tiles: Tensor, generator: Generator) -> Tensor:
    """Each digit cut across the middle, or along it, and its halves exchanged, (batch, 1, TILE, TILE)."""
    upright = (uniform(len(tiles), 1, generator) < 0)[:, None, None, None]
    return torch.where(upright, tiles.roll(TILE // 2, 2), tiles.roll(TILE // 2, 3))


def noise(batch: int, generator: Generator) -> Tensor:
    """Grey pictures with grain of any strength, (batch, side, side, 1) uint8."""
    side = int(between(1, 28, 129, generator))
    light, spread = (column(between(batch, *limits, generator)) for limits in ((0.1, 0.9), (0.01, 0.3)))
    return to_pixels(light + spread * torch.randn(batch, side, side, generator=generator, device=generator.device))


def black(batch: int, generator: Generator) -> Tensor:
    """Pictures of a covered lens, black but for the sensor's noise, (batch, side, side, 1) uint8."""
    side = int(between(1, 28, 129, generator))
    spread = column(between(batch, 0, 0.02, generator))
    return to_pixels(spread * torch.randn(batch, side, side, generator=generator, device=generator.device))


UNKNOWN = (nothing, nothing, scribble, side_by_side, cut_apart)
"""What is shown as no digit, evenly; blank paper is what people hand over most."""
