"""The one preprocessing: raw pixels of any size, light and polarity in, an MNIST-like picture out.

Training and the exported file both run this module, so that a picture is prepared once, in one way, everywhere. Only
operations with an exact ONNX form are used: no slice whose length depends on a value, no resize (runtimes differ in
it). Every crop, scale and shift is one pair of matrix products, `rows @ picture @ columns`, whose weights are computed
from the box that was found. Three looks: the whole picture on a coarse grid, where everything is decided; the box that
was found there, on a finer one; and the 28x28 of the answer. What is decided changes smoothly with the pixels wherever
that is possible, so that rounding in another runtime cannot tip it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from adder_runtime.contract import SIDE
from adder_trainer.normalize.ink import (
    CUT,
    LEAST_CONTRAST,
    STROKE_GRID,
    calm,
    centre_of_mass,
    connected,
    extent,
    fatten,
    full_scale,
)
from adder_trainer.normalize.paper import GROUND_GRID, lamp, lighter, paper, plane_through, ruled
from adder_trainer.normalize.picture import GRID, Picture
from adder_trainer.normalize.windows import around, coarse, finer, highest

NORMALIZER_VERSION = "2"
"""Raised when the same pixels give another ink."""

INK_SIDE = 20
"""Longer side of the ink's box in the answer, in pixels, as in MNIST."""

CLOSE_GRID = 56
"""Cells on a side of the second look, over the box that the first one found."""

CENTRE = SIDE / 2 + 0.5
"""Where the centre of mass goes, in pixels from the edge: where MNIST's own pictures have it on average."""

BORDER = 0.15
"""Ink nearer to the picture's edge than this share of the picture weighs less: pieces of a frame lie there."""

CALM, CALM_CLOSE, CALM_LAST = 7, 5, 3
"""Cells of the three looks over which grain is averaged."""

NEAR = 9
"""Cells of the first look around a stroke in which the later looks see anything."""

EDGE_LOW, EDGE_HIGH = 0.2, 0.6
"""In the second look, ink under the first adds nothing to the box and over the second a whole cell: with these,
MNIST keeps its size."""

GRAIN_OF_BOX, GRAIN_OF_INK = 3.0, 1.5
"""Standard deviations of the paper's grain that do not count for the box, and that are taken off the ink."""

LEAST_SIGNAL = 4.5
"""The same in standard deviations of the paper's grain: the strongest cell of plain noise reaches 3.5."""


class Normalized(NamedTuple):
    """What the network sees of a picture, and where it was."""

    ink: Tensor
    """(batch, 1, 28, 28) float32, 0 = paper, 1 = full stroke; all 0 where not readable."""
    readable: Tensor
    """(batch) bool, False where no stroke stands out from its ground."""
    box: Tensor
    """(batch, 4) float32: top, left, bottom, right of the ink in pixels of the picture; all of it if not readable."""


class Normalizer(nn.Module):
    """Turns raw pixels into the ink that the networks read. It has no weights."""

    def forward(self, image: Tensor) -> Normalized:
        """Ink sized and centred as in MNIST, whether there is any, and where.

        Args:
            image: (batch, height, width, channels) uint8, 1 to 4 channels: grey, grey and alpha, RGB, RGBA.
        """
        height, width = image.shape[1], image.shape[2]
        picture = Picture.of(image)
        longer = torch.sym_max(height, width)
        zero = picture.planes.new_zeros(image.shape[0])
        cell = zero + longer / GRID

        light, weights, rest = picture.first_look(zero + height / 2, zero + width / 2, cell)
        edge_y, edge_x = inwards(cell, height), inwards(cell, width)  # (batch, GRID)
        weight = torch.minimum(edge_y[:, :, None], edge_x[:, None, :]).square()
        slope = plane_through(light)
        polarity = torch.where(lighter(light - slope, weight) < 0, -1.0, 1.0)[:, None, None]
        ground = paper((light - slope) * polarity) * polarity + coarse(
            slope, GROUND_GRID
        )  # (batch, GROUND_GRID, GROUND_GRID)
        lit = lamp(ground, polarity)
        between = nodes(zero + GRID / 2, zero + 1, GRID, GROUND_GRID)
        difference = (light - between @ ground @ between.transpose(1, 2)) * polarity
        difference = difference / (between @ lit @ between.transpose(1, 2))
        lines = ruled(difference) + ruled(difference.transpose(1, 2)).transpose(1, 2)
        difference = difference - lines * ((cell - 0.5) / 0.2).clamp(0, 1)[:, None, None]  # a pixel is no thin line
        contrast, grain, _ = full_scale(difference)
        readable = contrast > torch.maximum(LEAST_SIGNAL * grain, zero + LEAST_CONTRAST)
        _, _, ink = full_scale(calm(difference, grain / contrast.clamp(min=LEAST_CONTRAST), CALM))

        kept = connected(ink, weight)  # (batch, STROKE_GRID, STROKE_GRID)
        faint = ink * finer(highest(around(kept, 1, 1), 3, 3), GRID // STROKE_GRID)
        ink = ink * finer(kept, GRID // STROKE_GRID)
        # strokes with what is faint beside them: the ends of strokes and their edges, not lines that lead away
        kept = (highest(around(faint, NEAR // 2, NEAR // 2), NEAR, NEAR) * 4).clamp(max=1)
        top, bottom = extent(ink.amax(2), zero + CUT, zero + CUT + 0.01)
        left, right = extent(ink.amax(1), zero + CUT, zero + CUT + 0.01)
        # one cell more on each side: the first look may have cut a faint end
        middle_y, high = height / 2 + ((top + bottom) / 2 - GRID / 2) * cell, (bottom - top + 2) * cell
        middle_x, wide = width / 2 + ((left + right) / 2 - GRID / 2) * cell, (right - left + 2) * cell

        def look(middle_y: Tensor, middle_x: Tensor, fine: Tensor, cells: int) -> Tensor:
            at_y, at_x = (middle_y - height / 2) / cell + GRID / 2, (middle_x - width / 2) / cell + GRID / 2

            def near(values: Tensor) -> Tensor:
                rows, columns = (nodes(at, fine / cell, cells, values.shape[1]) for at in (at_y, at_x))
                return rows @ values @ columns.transpose(1, 2)

            light, inside = picture.look(middle_y, middle_x, fine, cells, weights, rest)
            return (light - near(ground) * inside) * polarity / near(lit) * near(kept)

        fine = torch.maximum(high, wide) / CLOSE_GRID
        difference = look(middle_y, middle_x, fine, CLOSE_GRID)
        contrast, grain, _ = full_scale(difference)
        contrast, grain, ink = full_scale(calm(difference, grain / contrast.clamp(min=LEAST_CONTRAST), CALM_CLOSE))
        grain = grain / contrast.clamp(min=LEAST_CONTRAST)
        low = (GRAIN_OF_BOX * grain).clamp(EDGE_LOW, CUT)
        top, bottom = extent(ink.amax(2), low, low + EDGE_HIGH - EDGE_LOW)
        left, right = extent(ink.amax(1), low, low + EDGE_HIGH - EDGE_LOW)
        scale = torch.maximum(bottom - top, right - left) * fine / INK_SIDE
        ink = (ink - (GRAIN_OF_INK * grain).clamp(max=CUT)[:, None, None]).clamp(min=0)
        edges = (
            place(top, middle_y, fine, readable, whole=0, size=height),
            place(left, middle_x, fine, readable, whole=0, size=width),
            place(bottom, middle_y, fine, readable, whole=height, size=height),
            place(right, middle_x, fine, readable, whole=width, size=width),
        )
        middle_y = middle_y + (centre_of_mass(ink.sum(2)) - CLOSE_GRID / 2) * fine - (CENTRE - SIDE / 2) * scale
        middle_x = middle_x + (centre_of_mass(ink.sum(1)) - CLOSE_GRID / 2) * fine - (CENTRE - SIDE / 2) * scale

        difference = look(middle_y, middle_x, scale, SIDE)
        contrast, grain, ink = full_scale(calm(difference, grain, CALM_LAST))
        floor = (GRAIN_OF_INK * grain / contrast.clamp(min=LEAST_CONTRAST)).clamp(max=CUT)
        ink = ((ink - floor[:, None, None]) / (1 - floor[:, None, None])).clamp(min=0)
        ink = torch.where(readable[:, None, None], fatten(ink), 0.0)
        return Normalized(ink[:, None], readable, torch.stack(edges, 1))


def nodes(middle: Tensor, cell: Tensor, cells: int, grid: int) -> Tensor:
    """Weights of linear interpolation between the middles of a coarser grid's cells.

    Args:
        middle: (batch) where the middle of all cells lies, in cells of the first look.
        cell: (batch) width of a cell, in cells of the first look.
        cells: how many.
        grid: cells on a side of the coarser grid over the same square.

    Returns:
        (batch, cells, grid); a row sums to 1.
    """
    offsets = torch.arange(cells, device=middle.device) + (0.5 - cells / 2)
    at = ((middle[:, None] + offsets * cell[:, None]) * (grid / GRID)).clamp(0.5, grid - 0.5)
    node = torch.arange(grid, device=middle.device) + 0.5
    return (1 - (at[:, :, None] - node).abs()).clamp(min=0)


def inwards(cell: Tensor, size: int) -> Tensor:
    """How far from the picture's edge each cell of the first look lies: 0 outside, 1 from BORDER on, (batch, GRID)."""
    offsets = torch.arange(GRID, device=cell.device) + (0.5 - GRID / 2)
    reach = size / cell / 2  # (batch), in cells
    return ((reach[:, None] - offsets.abs()) / (2 * BORDER * reach[:, None])).clamp(0, 1)


def place(edge: Tensor, middle: Tensor, cell: Tensor, readable: Tensor, *, whole: int, size: int) -> Tensor:
    """Where an edge of the second look's box lies, in pixels of the picture and never outside it.

    Args:
        edge: (batch) in cells of the second look.
        middle: (batch) of that look, in pixels.
        cell: (batch) width of its cells in pixels.
        readable: (batch) bool.
        whole: the answer where not readable.
        size: pixels of the picture along this axis.
    """
    found = (middle + (edge - CLOSE_GRID / 2) * cell).clamp(0, size)
    return torch.where(readable, found, torch.zeros_like(found) + whole)
