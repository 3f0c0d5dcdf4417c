"""Augmentation of whole batches of ink on their device. Every random number comes from the generator that is given."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import SIDE
from adder_trainer.normalize.windows import highest_around

ROTATION = math.radians(9)
"""Largest turn to either side, in radians."""

SCALE = 0.1
"""Largest change of height and of width, each on its own: 0.9 to 1.1."""

SHEAR = 0.12
"""Largest slant: columns a row moves aside for each row."""

SHIFT = 0.7
"""Largest shift along each axis, in pixels: the normaliser has put the centre of mass in its place."""

ELASTIC = 0.8
"""Standard deviation of the elastic displacement at its knots, in pixels."""

GENTLE = 0.8
"""Strength with which MNIST's own ink is bent; what is rendered is bent by all of it.
A network of this size learns less of MNIST with more."""

KNOTS = 5
"""Knots of the elastic displacement on each side of the picture."""

THICKNESS = 0.3
"""Largest share by which strokes grow or shrink by one pixel's neighbourhood."""


def augment(ink: Tensor, generator: Generator) -> Tensor:
    """Ink of other hands: bent, turned, slanted, shifted, with thicker and thinner strokes.

    Args:
        ink: (batch, 1, 28, 28) float, 0 = paper, 1 = full stroke.
        generator: on the device of the ink.

    Returns:
        The same shape and range.
    """
    return thicken(warp(ink, generator, strength=GENTLE), generator)


def warp(ink: Tensor, generator: Generator, *, strength: float = 1.0) -> Tensor:
    """Affine and elastic distortion in one bilinear resampling.

    Args:
        ink: (batch, 1, side, side) float, 0 = paper, 1 = full stroke; all limits are of a side of 28.
        generator: on the device of the ink.
        strength: multiplies all limits.

    Source: Simard et al. 2003, "Best Practices for Convolutional Neural Networks".
    """
    batch = len(ink)
    angle = uniform(batch, ROTATION * strength, generator)
    high, wide = (1 + uniform(batch, SCALE * strength, generator) for _ in range(2))
    shear = uniform(batch, SHEAR * strength, generator)
    shift_x, shift_y = (uniform(batch, SHIFT * strength * 2 / SIDE, generator) for _ in range(2))
    cos, sin = angle.cos(), angle.sin()
    rows = (
        torch.stack([cos * wide, (shear * cos - sin) * wide, shift_x], 1),
        torch.stack([sin * high, (shear * sin + cos) * high, shift_y], 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), list(ink.shape), align_corners=False)  # (batch, 28, 28, 2)
    knots = torch.randn(batch, 2, KNOTS, KNOTS, generator=generator, device=ink.device) * (
        ELASTIC * strength * 2 / SIDE
    )
    bend = F.interpolate(knots, size=ink.shape[2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return F.grid_sample(ink, grid + bend, mode="bilinear", padding_mode="zeros", align_corners=False)


def thicken(ink: Tensor, generator: Generator) -> Tensor:
    """Strokes grown or shrunk: a blend with the strongest or the weakest of each 3x3 neighbourhood."""
    share = uniform(len(ink), THICKNESS, generator)[:, None, None, None]
    grown = highest_around(ink, 3, 3)
    shrunk = -highest_around(-ink, 3, 3)
    return torch.where(share > 0, ink.lerp(grown, share), ink.lerp(shrunk, -share))


def uniform(batch: int, limit: float, generator: Generator) -> Tensor:
    """(batch) numbers from -limit to limit, on the generator's device."""
    return (torch.rand(batch, generator=generator, device=generator.device) * 2 - 1) * limit


def between(batch: int, low: float, high: float, generator: Generator) -> Tensor:
    """(batch) numbers from low to high, on the generator's device."""
    return torch.rand(batch, generator=generator, device=generator.device) * (high - low) + low
