"""Squares of cells seen in raw pixels: any place and size, any channels, in the colour in which strokes stand out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from adder_runtime.contract import CHANNELS

GRID = 96
"""Cells on a side of the first look, a square over the picture's longer side."""

TWO_TONES = 0.2
"""Spread of the light in the visible part above which a transparent picture brings its own ground, 0 to 1."""

WHITE = 255.0
"""The largest value of a pixel."""

# By channel count: what red, green, blue and the opacity take from each channel
_TONES = torch.zeros(5, 4, 4)
_TONES[1:3, :3, 0] = 1
_TONES[3:5, :3, :3] = torch.eye(3)
_TONES[2, 3, 1] = _TONES[4, 3, 3] = 1
_OPAQUE = torch.tensor([0, 1, 0, 1, 0])


class Picture(NamedTuple):
    """A batch of pictures in floating point, and how their channels are to be read."""

    planes: Tensor
    """(batch, height, width * channels), 0 to 255, colours multiplied by the opacity."""
    size: tuple[int, int, int]
    """height, width, channels."""
    tones_of: Tensor
    """(4, channels): what red, green, blue and the opacity take from each channel."""
    opaque: Tensor
    """(1): 1 where no channel is the opacity, which is 1 then."""

    @classmethod
    def of(cls, image: Tensor) -> Picture:
        """From raw pixels (batch, height, width, channels) uint8."""
        channels = image.shape[3]
        assert not isinstance(channels, int) or channels in CHANNELS
        # tables instead of branches: the channel count is known only when the file runs
        row = torch.full((1,), channels, dtype=torch.int64, device=image.device)
        used = torch.arange(channels, device=image.device)
        values = image.float()
        tones_of = _TONES.to(values).index_select(0, row)[0].index_select(1, used)
        opaque = _OPAQUE.to(values).index_select(0, row)
        if torch.compiler.is_exporting():
            planes = torch.cond(channels % 2 == 0, multiply_by_opacity, torch.clone, (values,))
        else:
            planes = multiply_by_opacity(values) if channels % 2 == 0 else values
        return cls(planes.flatten(2), (image.shape[1], image.shape[2], channels), tones_of, opaque)

    def first_look(self, middle_y: Tensor, middle_x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The whole picture in the colour in which its strokes differ most from the ground.

        Returns:
            light: (batch, GRID, GRID); where the square reaches out of the picture, its edge goes on.
            weights: (batch, channels) what each channel adds to the light.
            rest: (batch) what is added to it where the picture is.
        """
        height, width, channels = self.size
        rows = area_weights(middle_y, cell, GRID, height, repeat=True)
        columns = area_weights(middle_x, cell, GRID, width, repeat=True)
        reduced = (rows @ self.planes).unflatten(2, (width, channels))  # (batch, GRID, width, channels)
        # from the left: ONNX Runtime 1.32 fuses a transposition with a product by a vector into a wrong one
        tones = self.tones_of @ reduced.transpose(2, 3) @ columns.transpose(1, 2)[:, None] / WHITE
        alpha = tones[:, :, 3] + self.opaque  # (batch, GRID, GRID)
        colours = tones[:, :, :3]  # (batch, GRID, 3, GRID)
        behind = ground_behind(colours, alpha)  # (batch, 3)
        colours = colours + (1 - alpha)[:, :, None] * behind[:, None, :, None]
        tone = direction(colours)  # (batch, 3)
        rest = (tone * behind).sum(1)
        weights = (tone @ self.tones_of[:3] - rest[:, None] * self.tones_of[3]) / WHITE
        light = (colours * tone[:, None, :, None]).sum(2)
        return light, weights, rest * (1 - self.opaque)

    def look(
        self, middle_y: Tensor, middle_x: Tensor, cell: Tensor, cells: int, weights: Tensor, rest: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The light of a square of cells, and the share of each cell that lies in the picture; 0 outside.

        Returns:
            (batch, cells, cells) each.
        """
        height, width, _ = self.size
        rows = area_weights(middle_y, cell, cells, height)
        columns = area_weights(middle_x, cell, cells, width)
        inside = rows.sum(2)[:, :, None] * columns.sum(2)[:, None, :]
        weighed = (columns[..., None] * weights[:, None, None]).flatten(2)  # (batch, cells, width * channels)
        return rows @ (self.planes @ weighed.transpose(1, 2)) + rest[:, None, None] * inside, inside


def multiply_by_opacity(values: Tensor) -> Tensor:
    """The channels (batch, height, width, 2 or 4), 0 to 255, each but the last multiplied by the last as a share."""
    opacity = values.narrow(3, values.shape[3] - 1, 1)
    return torch.cat([values.narrow(3, 0, values.shape[3] - 1) * (opacity / WHITE), opacity], 3)


def area_weights(middle: Tensor, cell: Tensor, cells: int, size: int, *, repeat: bool = False) -> Tensor:
    """How much each pixel of one axis adds to each cell: the share of the cell that it covers.

    A cell narrower than a pixel is widened to one pixel, which is linear interpolation; at exactly one pixel a cell
    that lies on a pixel copies it.

    Args:
        middle: (batch) where the middle of all cells lies, in pixels from the edge of the picture.
        cell: (batch) width of a cell in pixels.
        cells: how many cells.
        size: pixels of the picture along this axis.
        repeat: cells outside the picture see what lies at its edge.

    Returns:
        (batch, cells, size); a row sums to 1, to less where the cell reaches out of the picture.
    """
    offsets = torch.arange(cells, device=middle.device) + (0.5 - cells / 2)
    centre = (middle[:, None] + offsets * cell[:, None])[:, :, None]  # (batch, cells, 1)
    width = cell.clamp(min=1)[:, None, None]
    if repeat:
        width = width.clamp(max=size)
        centre = torch.minimum(torch.maximum(centre, width / 2), size - width / 2)
    pixel = torch.arange(size, device=middle.device)
    covered = torch.minimum(centre + width / 2, pixel + 1) - torch.maximum(centre - width / 2, pixel)
    return covered.clamp(min=0) / width


def ground_behind(colours: Tensor, alpha: Tensor) -> Tensor:
    """The colour that goes under the transparent parts, so that the ink is seen, (batch, 3).

    Where the visible part holds two tones it brings its own ground, and its mean goes on under it. Where it holds one,
    its shape is the ink, and the ground is black or white, whichever is further away.

    Args:
        colours: (batch, GRID, 3, GRID), 0 to 1, multiplied by alpha.
        alpha: (batch, GRID, GRID), 0 = transparent.
    """
    visible = alpha.sum((1, 2)).clamp(min=1e-6)
    mean = colours.sum((1, 3)) / visible[:, None]  # (batch, 3)
    tone = colours / alpha.clamp(min=1e-6)[:, :, None]
    spread = ((tone - mean[:, None, :, None]).square().mean(2) * alpha).sum((1, 2)) / visible
    away = torch.where(mean.mean(1) < 0.5, 1.0, 0.0)
    return torch.where(spread[:, None] > TWO_TONES**2, mean, away[:, None])


def direction(colours: Tensor) -> Tensor:
    """How red, green and blue are to be added so that the strokes stand out, (batch, 3); the sizes add up to 1.

    Strokes are the few cells that are far from the rest: the third moment points to them, whatever their colour.

    Args:
        colours: (batch, GRID, 3, GRID).
    """
    away = colours - colours.mean((1, 3), keepdim=True)
    moment = (away * away.square().sum(2, keepdim=True)).sum((1, 3))
    size = moment.abs().sum(1, keepdim=True)
    # of either sign: what is ink is decided later. Next to no moment: the mean of the three
    grey = torch.where(moment.sum(1, keepdim=True) < 0, -1.0, 1.0) / 3
    return torch.where(size > 1e-4, moment / size.clamp(min=1e-4), grey) * torch.sign(grey)
