"""The paper beside the ink, and the light that falls on it."""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.ink import LEAST_CONTRAST
from adder_trainer.normalize.windows import highest_around, mean_around

AVOIDED = 16.0
"""Weight of a cell as paper falls with the probability of ink in it as exp(-AVOIDED * probability): where there is ink
nearly everywhere, what is least so is paper."""

NEIGHBOURHOODS = ((7, 1.0), (15, 0.05))
"""Cells on a side of the windows over which the paper is averaged, and their weights: the wider one counts where the
narrower one holds next to no paper."""

EVERYWHERE = 1e-3
"""Weight of the paper of the whole grid."""

DARKEST_SHADOW = 0.15
"""Light that falls into the darkest shadow in which strokes are brought to full scale, as a share of the brightest."""


def paper_beside(light: Tensor, ink: Tensor, large: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's light, also under the ink, and how far each cell is paper; (batch, 1, n, n) each.

    Args:
        light: (batch, 1, n, n).
        ink: (batch, 1, n, n) probability that a cell holds some ink.
        large: (batch or 1, 1, 1, 1) how far the surroundings of a cell count beside the whole grid, 0 to 1.
    """
    is_paper = (-AVOIDED / 2 * (highest_around(ink, 3, 3) + ink)).exp()
    both = torch.cat([is_paper * light, is_paper], 1)  # the paper's light, and how much of it there is
    total = EVERYWHERE * both.mean((2, 3), keepdim=True)
    for window, share in NEIGHBOURHOODS:
        total = total + large * share * mean_around(both, window)
    seen, weight = total.chunk(2, 1)
    return seen / weight, is_paper


def lamp(ground: Tensor, polarity: Tensor) -> Tensor:
    """Share of the brightest light that falls on each cell: dark ink takes away less where there is less.

    Args:
        ground: (batch, 1, n, n).
        polarity: (batch, 1, 1, 1), -1 for ink darker than its ground; lighter ink shines by itself: 1 everywhere.
    """
    brightest = ground.amax((2, 3), keepdim=True).clamp(min=LEAST_CONTRAST)
    return torch.where(polarity < 0, (ground / brightest).clamp(min=DARKEST_SHADOW), 1.0)
