"""Where the digit's ink lies: a small network, taught on rendered pictures, whose weights are part of the normaliser.

What is ink, and what is paper, a shadow on it, a printed line, a table, a pen that lies there, is a question of how
such things look; no rule of thumb answers it for all of them. Which digit it is, this network need not know.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.normalize.windows import in_blocks, mean_inside

NAME = "finder.safetensors"
"""File of the weights that ship."""

COARSER = 2
"""Cells of the light, on a side, for each that is answered."""

WIDTHS = (8, 16, 40, 80)
"""Channels on grids that are 2, 4, 8 and 16 times coarser than the light's."""

COARSEST: int = 2 ** len(WIDTHS)
"""Cells of the light, on a side, for each of the coarsest grid: what their number is a multiple of."""

LEVELS, LEAST_STEP = 127, 2**-18
"""Most multiples of the step in which the weights of a channel are held, on either side of 0, and the least step."""

ROUNDS = 4
"""Layers on the coarsest of them, each of which sees a cell further to all sides."""

SURROUNDINGS = 9, 8
"""Cells on a side of the surroundings with which each cell is compared: so many, and the grid's over the second. In a
close look, of fewer cells, what surrounds a stroke is more of the picture."""

LEAST_SPREAD, LEAST_LOCAL_SPREAD, OF_ALL = 0.02, 0.015, 0.3
"""What is added to the spread of the light over the picture, and over the surroundings of a cell, before a difference
is divided by it; and the share of all cells' that is added to that of the surroundings, so that grain on empty paper
stays small beside ink."""


class Finder(nn.Module):
    """Says of each piece of a picture how likely it holds some of the digit's ink.

    A pyramid of convolutions down to a sixteenth of the picture and up again, where each step sees what was seen on
    the way down. On the coarsest grids, a convolution in each channel and one across them stand for a full one.

    Source: Ronneberger et al. 2015, "U-Net"; Howard et al. 2017, "MobileNets".
    """

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = WIDTHS
        self.down = nn.ModuleList(
            [
                nn.Conv2d(2, half, 5, 2, 2),
                nn.Conv2d(half, quarter, 3, 2, 1),
                nn.Conv2d(quarter, eighth, 3, 2, 1),
                separable(eighth, sixteenth, 2),
            ]
        )
        self.around = nn.ModuleList([separable(sixteenth, sixteenth) for _ in range(ROUNDS)])
        self.finer = nn.ModuleList(
            [
                nn.ConvTranspose2d(before, after, 2, 2)
                for before, after in ((sixteenth, eighth), (eighth, quarter), (quarter, half))
            ]
        )
        self.up = nn.ModuleList(
            [separable(eighth, eighth), nn.Conv2d(quarter, quarter, 3, 1, 1), nn.Conv2d(half, half, 3, 1, 1)]
        )
        self.last = nn.Conv2d(half, 1, 3, 1, 1)

    def forward(self, light: Tensor) -> Tensor:
        """Logits of the probability.

        Args:
            light: (batch, 1, n, n) of any range, n a multiple of COARSEST.

        Returns:
            (batch, 1, n / COARSER, n / COARSER).
        """
        seen = features(light)
        before = []
        for layer in self.down:
            seen = F.relu(layer(seen))
            before.append(seen)
        for layer in self.around:
            seen = seen + F.relu(layer(seen))
        for finer, layer, same in zip(self.finer, self.up, before[-2::-1], strict=True):
            seen = F.relu(layer(finer(seen) + same))
        logits: Tensor = self.last(seen)
        return logits


def separable(before: int, after: int, step: int = 1) -> nn.Sequential:
    """A convolution of 3x3 in each channel, then one of 1x1 across them."""
    return nn.Sequential(nn.Conv2d(before, before, 3, step, 1, groups=before), nn.Conv2d(before, after, 1))


def features(light: Tensor) -> Tensor:
    """How far the light is from the picture's mean and from that of its surroundings, in spreads, (batch, 2, n, n)."""
    away = light - mean(light)
    spread = mean(away * away).sqrt()
    # of what is left, not of the light: the smaller the numbers, the smaller is what runtimes round otherwise
    least, part = SURROUNDINGS
    grid = light.shape[3]
    shares = in_blocks(grid, least + grid // part, light.device)
    local = away - mean_inside(away, shares)
    squared = local * local
    everywhere = mean(squared).sqrt()
    near = mean_inside(squared, shares).sqrt() + OF_ALL * everywhere
    return torch.cat([away / (spread + LEAST_SPREAD), local / (near + LEAST_LOCAL_SPREAD)], 1)


def mean(cells: Tensor) -> Tensor:
    """Mean of all cells, (batch, 1, n, n) -> (batch, 1, 1, 1): of rows, then of those.

    ONNX Runtime adds up all at once in turn, and is 50 times as far from the truth.
    """
    return cells.mean(3, keepdim=True).mean(2, keepdim=True)


@torch.no_grad()
def rounded(finder: Finder) -> Finder:
    """The same network, of which few bits hold each number.

    The weights of a channel become whole multiples, up to LEVELS, of one step, and all numbers what 16 bits hold.

    Args:
        finder: changed in place.
    """
    finder.half().float()
    for layer in finder.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            own = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
            largest = layer.weight.abs().amax([axis for axis in range(4) if axis != own], keepdim=True)
            # steps of 4 bits: times the 7 of a multiple, they are what the 11 of a number in 16 hold
            mantissa, exponent = (largest / LEVELS).clamp(min=LEAST_STEP).frexp()
            step = ((16 * mantissa).ceil() / 16).ldexp(exponent)
            layer.weight.copy_((layer.weight / step).round() * step)
    return finder


@cache
def shipped_finder() -> Finder:
    """The network with the weights that ship, in evaluation mode, on the CPU."""
    here = Path(__file__)
    # beside this module in a wheel, among the artifacts in a checkout
    path = next(path for path in (here.with_name(NAME), here.parents[3] / "artifacts" / NAME) if path.is_file())
    finder = Finder()
    finder.load_state_dict(load_file(path))
    return finder.requires_grad_(False).eval()
