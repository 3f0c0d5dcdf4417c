"""The paper beside the ink, and the light that falls on it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from adder_trainer.normalize.ink import GRIDS, LEAST_CONTRAST, ramp
from adder_trainer.normalize.windows import highest_around, mean_around, opening

AVOIDED = 16.0
"""Weight of a cell as paper falls with the probability of ink in it as exp(-AVOIDED * probability): where there is ink
nearly everywhere, what is least so is paper."""

NEIGHBOURHOODS = ((7, 1.0), (15, 0.05))
"""Cells on a side of the windows over which the paper is averaged, and their weights: the wider one counts where the
narrower one holds next to no paper."""

EVERYWHERE = 1e-3
"""Weight of the paper of the whole grid."""

LIKE_INK, FOREIGN = (0.25, 0.5), 0.999
"""Shares of the ink's difference from the paper from which on a cell in which no ink was found begins to be something
else than paper, a frame or a table, and wholly is; and most that this takes from its weight."""

NARROW = 5
"""Cells on a side of a square that no stroke holds, in a picture of very few pixels."""

NARROW_EVIDENCE, CORNER_EVIDENCE = 6.0, 2.0
"""Weights beside the skewness of how much more of what is lighter is narrow than of what is darker, and of the light in
the picture's corners, all in units of the light. Chosen on rendered digits of 5 to 20 pixels, of which these three
together take none of 1,519 the wrong way round."""

ONE_TONE, EVEN = (0.01, 0.02), (0.5, 0.6)
"""Differences of light within which cells are of one tone, and shares of a picture that are of the lightest or of the
darkest tone from which on its paper begins to be even, and is: that of drawings, no photograph's."""

UNLIKE = 0.1, 0.3
"""Differences from even paper, as shares of the largest, from which on a cell begins to be something else, and is."""

DARKEST_SHADOW = 0.15
"""Light that falls into the darkest shadow in which strokes are brought to full scale, as a share of the brightest."""


def paper_beside(light: Tensor, ink: Tensor, inside: Tensor, large: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's light, also under the ink, and how far each cell is paper; (batch, 1, n, n) each.

    Args:
        light: (batch, 1, n, n).
        ink: (batch, 1, n, n) probability that a cell holds some ink.
        inside: (batch, 1, n, n) share of a cell that lies in the picture.
        large: (batch or 1, 1, 1, 1) how far the surroundings of a cell count beside the whole grid, 0 to 1.
    """
    is_paper = (-AVOIDED / 2 * (highest_around(ink, 3, 3) + ink)).exp() * inside
    away = light - ground_of(light, is_paper, large)
    full = (away * ink).sum(GRIDS, keepdim=True) / ink.sum(GRIDS, keepdim=True).clamp(min=1e-6)
    share = away * torch.where(full < 0, -1.0, 1.0) / full.abs().clamp(min=LEAST_CONTRAST)
    is_paper = is_paper * (1 - FOREIGN * large * ramp(share, LIKE_INK))
    return ground_of(light, is_paper, large), is_paper


def ground_of(light: Tensor, is_paper: Tensor, large: Tensor) -> Tensor:
    """Mean light of the paper around each cell, (batch, 1, n, n); arguments as of `paper_beside`."""
    both = torch.cat([is_paper * light, is_paper], 1)  # the paper's light, and how much of it there is
    total = EVERYWHERE * both.mean((2, 3), keepdim=True)
    for window, share in NEIGHBOURHOODS:
        total = total + large * share * mean_around(both, window)
    seen, weight = total.chunk(2, 1)
    return seen / weight


class EvenPaper(NamedTuple):
    """Paper of a single tone, the lightest or the darkest of a picture; (batch, 1, 1, 1) each."""

    light: Tensor
    contrast: Tensor
    """The largest difference from it."""
    is_so: Tensor
    """How far there is such paper, 0 to 1."""

    @classmethod
    def of(cls, light: Tensor, inside: Tensor) -> EvenPaper:
        """That of a whole picture's light (batch, 1, n, n), of which such a share of each cell is inside."""
        lightest, darkest = light.amax(GRIDS, keepdim=True), light.amin(GRIDS, keepdim=True)
        cells = inside.sum(GRIDS, keepdim=True)
        bright, dark = (
            ((1 - ramp(away, ONE_TONE)) * inside).sum(GRIDS, keepdim=True) / cells
            for away in (lightest - light, light - darkest)
        )
        return cls(
            torch.where(bright > dark, lightest, darkest),
            (lightest - darkest).clamp(min=LEAST_CONTRAST),
            ramp(torch.maximum(bright, dark), EVEN),
        )

    def unlike(self, light: Tensor) -> Tensor:
        """How far each cell is something else, (batch, 1, n, n), 0 to 1."""
        return ramp((light - self.light).abs() / self.contrast, UNLIKE)


def by_tone(light: Tensor, corners: Tensor) -> Tensor:
    """How far each cell is ink by its tone alone, 0 to 1: in so few pixels that no shape is to be seen.

    Strokes are few and paper is much, so they are where the distribution has its tail; they are narrow; and they seldom
    reach the picture's corners.

    Args:
        light: (batch, 1, n, n) of the whole picture, whose edge goes on around it.
        corners: (batch, 1, n, n) more than 0 in its corners.

    Returns:
        (batch, 1, n, n).
    """
    away = light - light.mean(GRIDS, keepdim=True)
    variance = away.square().mean(GRIDS, keepdim=True).clamp(min=1e-6)
    skewness = away.pow(3).mean(GRIDS, keepdim=True) / variance
    narrow = (2 * light - opening(light, NARROW) + opening(-light, NARROW)).mean(GRIDS, keepdim=True)
    in_corners = (away * corners).sum(GRIDS, keepdim=True) / corners.sum(GRIDS, keepdim=True).clamp(min=1e-6)
    is_light = skewness + NARROW_EVIDENCE * narrow - CORNER_EVIDENCE * in_corners > 0
    tone = torch.where(is_light, away, -away)
    least, most = tone.amin(GRIDS, keepdim=True), tone.amax(GRIDS, keepdim=True)
    return (tone - least) / (most - least).clamp(min=LEAST_CONTRAST)


def lamp(ground: Tensor, polarity: Tensor) -> Tensor:
    """Share of the brightest light that falls on each cell: dark ink takes away less where there is less.

    Args:
        ground: (batch, 1, n, n).
        polarity: (batch, 1, 1, 1), -1 for ink darker than its ground; lighter ink shines by itself: 1 everywhere.
    """
    brightest = ground.amax((2, 3), keepdim=True).clamp(min=LEAST_CONTRAST)
    return torch.where(polarity < 0, (ground / brightest).clamp(min=DARKEST_SHADOW), 1.0)
