"""What a camera, a scanner and a file format make of light: blur, grain, two tones, a negative, JPEG's rounding."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between
from adder_trainer.plane import chance, column

QUALITY = 20, 90
"""Least and highest quality of JPEG that is drawn, of 100."""

# ITU-T T.81, table K.1: steps of the luminance's 64 frequencies at quality 50
_JPEG_STEPS = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def blur(light: Tensor, sigma: float) -> Tensor:
    """The picture through a lens, (batch, height, width); `sigma` in pixels, the same for the batch."""
    if sigma < 0.2:
        return light
    reach = min(math.ceil(2.5 * sigma), min(light.shape[1:]) - 1)
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets / sigma).square())
    first, *others = (weights / weights.sum()).tolist()
    # pictures shifted and added up: a convolution of a single channel gives the same in ten times the time
    for axis, margins in ((1, (0, 0, reach, reach)), (2, (reach, reach, 0, 0))):
        padded = F.pad(light[:, None], margins, mode="reflect")[:, 0]
        light = padded.narrow(axis, 0, light.shape[axis]) * first
        for shift, weight in enumerate(others, 1):
            light.add_(padded.narrow(axis, shift, light.shape[axis]), alpha=weight)
    return light


def grain(light: Tensor, most: float, generator: Generator) -> Tensor:
    """The picture with white noise, (batch, height, width); its standard deviation is up to `most`, of each its own."""
    spread = column(between(len(light), 0, most, generator))
    return light + torch.randn(light.shape, generator=generator, device=light.device) * spread


def two_tones(light: Tensor, paper: Tensor, contrast: Tensor) -> Tensor:
    """Each pixel black or white by a fixed threshold, as cheap scanners write, (batch, height, width)."""
    return (light > paper * (1 - 0.5 * contrast)).to(light.dtype)


def inverted(light: Tensor, probability: float, generator: Generator) -> Tensor:
    """The picture, or its negative: light on dark, (batch, height, width)."""
    return torch.where(chance(len(light), probability, generator), 1 - light, light)


def jpeg(light: Tensor, quality: Tensor) -> Tensor:
    """The picture after JPEG's rounding of its frequencies, (batch, height, width).

    Args:
        light: (batch, height, width), 0 = black, 1 = white.
        quality: (batch) from over 0 to 100, as libjpeg counts it; QUALITY says what is drawn.

    Source: ITU-T T.81; the quality scales the steps as libjpeg does.
    """
    batch, height, width = light.shape
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    steps = (_JPEG_STEPS.to(light) * scale[:, None, None] / 255).clamp(min=1 / 255)[:, None, :, None, :]
    place = torch.arange(8, device=light.device)
    waves = torch.cos((place + 0.5) * place[:, None] * math.pi / 8) / 2
    waves[0] /= math.sqrt(2)
    more_y, more_x = -height % 8, -width % 8
    padded = F.pad(light[:, None], (0, more_x, 0, more_y), mode="replicate")[:, 0]
    blocks = padded.reshape(batch, padded.shape[1] // 8, 8, padded.shape[2] // 8, 8) - 0.5
    frequencies = torch.einsum("ij,bhjwk,lk->bhiwl", waves, blocks, waves)
    rounded = (frequencies / steps).round() * steps
    back = torch.einsum("ij,bhiwl,lk->bhjwk", waves, rounded, waves) + 0.5
    return back.reshape(padded.shape)[:, :height, :width].clamp(0, 1)
