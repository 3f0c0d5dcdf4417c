"""The one preprocessing: raw pixels of any size and polarity in, an MNIST-like picture out.

Training and the exported file both run this module, so that a picture is prepared once, in one way, everywhere. Only
operations with an exact ONNX form are used: no slice whose length depends on a value, no resize (runtimes differ in
it). Every crop, scale and shift is one pair of matrix products, `rows @ picture @ columns`, whose weights are computed
from the box that was found. What is decided (ground, polarity, box) is decided on the reduced picture and changes
smoothly with the pixels wherever that is possible, so that rounding in another runtime cannot tip it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from adder_runtime.contract import CHANNELS, SIDE

NORMALIZER_VERSION = "1"
"""Raised when the same pixels give another ink."""

INK_SIDE = 20
"""Longer side of the ink's box in the answer, in pixels, as in MNIST."""

GRID = 64
"""Cells on a side of the first look, over the whole picture."""

CLOSE_GRID = 56
"""Cells on a side of the second look, over the box that the first one found."""

GROUND_GRID = 32
"""Cells on a side in which the ground is measured: half of them must be paper."""

STRONGEST = 8
"""The full stroke is as dark as this cell, counted from the darkest (0.2 % of the cells): a speck does not count."""

CENTRE = SIDE / 2 + 0.5
"""Where the centre of mass goes, in pixels from the edge: where MNIST's own pictures have it on average."""

CUT = 0.35
"""Ink above which a cell of the first look belongs to the digit, 0 to 1."""

EDGE_LOW, EDGE_HIGH = 0.2, 0.6
"""In the second look, ink under the first adds nothing to the box and over the second a whole cell: with these,
MNIST keeps its size (scale 1.005 ± 0.005, n = 3,000)."""

LEAST_CONTRAST = 0.06
"""Difference between ground and stroke, 0 to 1, below which there is nothing to read."""

TWO_TONES = 0.2
"""Spread of the light in the visible part above which a transparent picture brings its own ground, 0 to 1."""

# Rows: channel count. ITU-R BT.601 luma, as Pillow's "L"
_LIGHT = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0.299, 0.587, 0.114, 0], [0.299, 0.587, 0.114, 0]])
_ALPHA = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
_OPAQUE = torch.tensor([0, 1, 0, 1, 0])


class Normalized(NamedTuple):
    """What was found in each picture of a batch."""

    ink: Tensor
    """(batch, 1, 28, 28) float32, 0 = paper, 1 = full stroke."""
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
        light, alpha = split_channels(image)
        whole_rows = area_weights(*whole(light, height), GRID, height)
        whole_columns = area_weights(*whole(light, width), GRID, width)
        light = lay_on_ground(light, alpha, whole_rows, whole_columns)

        seen = look(light, whole_rows, whole_columns)  # (batch, GRID, GRID)
        ground = median(nn.functional.avg_pool2d(seen[:, None], GRID // GROUND_GRID).flatten(1))
        polarity = torch.where((seen - ground[:, None, None]).pow(3).sum((1, 2)) < 0, -1.0, 1.0)
        contrast, ink = full_scale((seen - ground[:, None, None]) * polarity[:, None, None], LEAST_CONTRAST)
        readable = contrast > LEAST_CONTRAST

        # one cell more on each side: the first look may have cut a faint end
        top, bottom = extent(ink.amax(2), CUT, CUT + 0.01)
        left, right = extent(ink.amax(1), CUT, CUT + 0.01)
        middle_y, high = (top + bottom) / 2 * (height / GRID), (bottom - top + 2) * (height / GRID)
        middle_x, wide = (left + right) / 2 * (width / GRID), (right - left + 2) * (width / GRID)

        cell = torch.maximum(high, wide) / CLOSE_GRID
        rows = area_weights(middle_y, cell, CLOSE_GRID, height)
        columns = area_weights(middle_x, cell, CLOSE_GRID, width)
        _, ink = full_scale(difference(light, rows, columns, ground, polarity), LEAST_CONTRAST)

        top, bottom = extent(ink.amax(2), EDGE_LOW, EDGE_HIGH)
        left, right = extent(ink.amax(1), EDGE_LOW, EDGE_HIGH)
        edges = (
            place(top, middle_y, cell, readable, whole=0, size=height),
            place(left, middle_x, cell, readable, whole=0, size=width),
            place(bottom, middle_y, cell, readable, whole=height, size=height),
            place(right, middle_x, cell, readable, whole=width, size=width),
        )
        scale = torch.maximum(bottom - top, right - left) * cell / INK_SIDE
        middle_y = middle_y + (centre_of_mass(ink.sum(2)) - CLOSE_GRID / 2) * cell - (CENTRE - SIDE / 2) * scale
        middle_x = middle_x + (centre_of_mass(ink.sum(1)) - CLOSE_GRID / 2) * cell - (CENTRE - SIDE / 2) * scale

        rows = area_weights(middle_y, scale, SIDE, height)
        columns = area_weights(middle_x, scale, SIDE, width)
        _, ink = full_scale(difference(light, rows, columns, ground, polarity), LEAST_CONTRAST)
        return Normalized(ink[:, None], readable, torch.stack(edges, 1))


def split_channels(image: Tensor) -> tuple[Tensor, Tensor]:
    """Light and opacity of each pixel.

    Args:
        image: (batch, height, width, channels) uint8.

    Returns:
        light: (batch, height, width), 0 = black or transparent, 1 = white; already multiplied by the opacity.
        alpha: the same shape, 0 = transparent, 1 = opaque.
    """
    channels = image.shape[3]
    assert not isinstance(channels, int) or channels in CHANNELS
    # tables instead of branches: the channel count is known only when the file runs
    row = torch.full((1,), channels, dtype=torch.int64, device=image.device)
    used = torch.arange(channels, device=image.device)
    values = image.float() / 255
    light = values @ _LIGHT.to(values).index_select(0, row)[0].index_select(0, used)
    alpha = values @ _ALPHA.to(values).index_select(0, row)[0].index_select(0, used)
    alpha = alpha + _OPAQUE.to(values).index_select(0, row)
    return light * alpha, alpha


def whole(light: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Middle and cell width, in pixels, (batch) each, of a look over all `size` pixels of an axis."""
    zero = light.new_zeros(light.shape[0])
    return zero + size / 2, zero + size / GRID


def area_weights(middle: Tensor, cell: Tensor, cells: int, size: int) -> Tensor:
    """How much each pixel of one axis adds to each cell: the share of the cell that it covers.

    A cell narrower than a pixel is widened to one pixel, which is linear interpolation; at exactly one pixel a cell
    that lies on a pixel copies it.

    Args:
        middle: (batch) where the middle of all cells lies, in pixels from the edge of the picture.
        cell: (batch) width of a cell in pixels.
        cells: how many cells.
        size: pixels of the picture along this axis.

    Returns:
        (batch, cells, size); a row sums to 1, to less where the cell reaches out of the picture.
    """
    offsets = torch.arange(cells, device=middle.device) + (0.5 - cells / 2)
    centre = (middle[:, None] + offsets * cell[:, None])[:, :, None]  # (batch, cells, 1)
    width = cell.clamp(min=1)[:, None, None]
    pixel = torch.arange(size, device=middle.device)
    covered = torch.minimum(centre + width / 2, pixel + 1) - torch.maximum(centre - width / 2, pixel)
    return covered.clamp(min=0) / width


def look(light: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The picture reduced to cells, (batch, cells, cells); where a cell reaches out, the part inside stands for it."""
    rows = rows / rows.sum(2, keepdim=True)
    columns = columns / columns.sum(2, keepdim=True)
    return rows @ light @ columns.transpose(1, 2)


def difference(light: Tensor, rows: Tensor, columns: Tensor, ground: Tensor, polarity: Tensor) -> Tensor:
    """The cells' difference from the ground towards the ink, (batch, cells, cells); 0 outside the picture."""
    inside = rows.sum(2)[:, :, None] * columns.sum(2)[:, None, :]
    seen = rows @ light @ columns.transpose(1, 2)
    return (seen - ground[:, None, None] * inside) * polarity[:, None, None]


def lay_on_ground(light: Tensor, alpha: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The picture without transparency, laid on a ground that shows the ink; an opaque one stays as it is.

    Where the visible part holds two tones it brings its own ground, and its mean goes on under it. Where it holds one,
    its shape is the ink, and the ground is black or white, whichever is further away.

    Args:
        light: (batch, height, width), 0 to 1, multiplied by alpha.
        alpha: the same shape, 0 = transparent.
        rows: (batch, GRID, height) weights of the first look.
        columns: (batch, GRID, width).

    Returns:
        (batch, height, width), 0 = black, 1 = white.
    """
    seen, opacity = look(light, rows, columns), look(alpha, rows, columns)
    visible = opacity.sum((1, 2)).clamp(min=1e-6)
    mean = seen.sum((1, 2)) / visible
    tone = seen / opacity.clamp(min=1e-6)
    spread = ((tone - mean[:, None, None]).square() * opacity).sum((1, 2)) / visible
    ground = torch.where(spread > TWO_TONES**2, mean, torch.where(mean < 0.5, 1.0, 0.0))
    return light + (1 - alpha) * ground[:, None, None]


def median(cells: Tensor) -> Tensor:
    """Upper median of each row, (batch, cells) -> (batch)."""
    return cells.topk(cells.shape[1] // 2, dim=1).values[:, -1]


def full_scale(difference: Tensor, least: float) -> tuple[Tensor, Tensor]:
    """Contrast of the strokes, (batch), and the ink with a full stroke brought to 1.

    Args:
        difference: (batch, cells, cells) from the ground towards the ink.
        least: contrast below which nothing is strengthened further.
    """
    contrast = difference.flatten(1).topk(STRONGEST, dim=1).values[:, -1]
    return contrast, (difference / contrast.clamp(min=least)[:, None, None]).clamp(0, 1)


def extent(profile: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """Where the ink begins and ends along an axis, in cells; (0, cells) where there is none.

    A cell between `low` and `high` counts in part, so that the box moves smoothly with the pixels.

    Args:
        profile: (batch, cells) strongest ink of each row or column, 0 to 1.
        low: ink that begins to count.
        high: ink that counts as a whole cell.

    Returns:
        (batch) each.
    """
    cells = profile.shape[1]
    position = torch.arange(cells, device=profile.device)
    part = ((profile - low) / (high - low)).clamp(0, 1)
    inked = part > 0
    begin = torch.where(inked, position + 1 - part, float(cells)).amin(1)
    end = torch.where(inked, position + part, 0.0).amax(1)
    found = end > begin
    return torch.where(found, begin, 0.0), torch.where(found, end, float(cells))


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


def centre_of_mass(profile: Tensor) -> Tensor:
    """Centre of mass along an axis in cells, (batch, cells) -> (batch); the middle where there is no ink.

    Source: MNIST, LeCun et al. 1998, "size-normalized and centered".
    """
    cells = profile.shape[1]
    position = torch.arange(cells, device=profile.device) + 0.5
    mass = profile.sum(1)
    found = mass > 0
    return torch.where(found, (profile * position).sum(1) / torch.where(found, mass, 1.0), cells / 2)
