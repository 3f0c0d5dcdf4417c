"""Squares of cells seen in raw pixels: any place and size, any channels, in the colour in which strokes stand out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import torch
from torch import Tensor

from adder_runtime.contract import LARGE_SIDE
from adder_trainer.normalize.finder import COARSEST

Result = TypeVar("Result")

GRID, LEAST_GRID = 128, 64
"""Most and fewest cells on a side of the first look, a square over the picture's longer side. In between there are as
many as pixels."""

TWO_TONES = 0.2
"""Spread of the light in the visible part above which a transparent picture brings its own ground, 0 to 1."""

SEEN = 2
"""Rows and columns of raw pixels, evenly spread, that are averaged where several become one: to touch all of a large
picture in floating point would take most of the time, and four times its memory."""

SEEN_FIRST = 192
"""The same as LARGE_SIDE for the rows of the first look: one and a half for each of its cells."""

CORNER = 0.15
"""How far a corner reaches, as a share of the picture's height and of its width."""

WHITE = 255.0
"""The largest value of a pixel."""

# By channel count: what red, green, blue and the opacity take from each channel
_TONES = torch.zeros(5, 4, 4)
_TONES[1:3, :3, 0] = 1
_TONES[3:5, :3, :3] = torch.eye(3)
_TONES[2, 3, 1] = _TONES[4, 3, 3] = 1
_OPAQUE = torch.tensor([0, 1, 0, 1, 0])


class Picture(NamedTuple):
    """A batch of pictures in floating point, and how their channels are to be read.

    Its pixels are those of the raw picture, or of a reduced one, where that has twice LARGE_SIDE or more.
    """

    planes: Tensor
    """(batch, 1, height, width * channels), 0 to 255, colours multiplied by the opacity."""
    shape: tuple[int, int, int]
    """height, width, channels."""
    size: Tensor
    """(1, 2, 1, 1): height and width."""
    step: int
    """Raw pixels on a side of each pixel."""
    tones_of: Tensor
    """(4, channels): what red, green, blue and the opacity take from each channel."""
    opaque: Tensor
    """(1): 1 where no channel is the opacity, which is 1 then."""
    grid: int
    """Cells on a side of the first look."""
    cell: Tensor
    """Width of each of them in pixels, (1, 1, 1, 1)."""

    @classmethod
    def of(cls, image: Tensor) -> Picture:
        """From raw pixels (batch, height, width, channels) uint8."""
        channels = image.shape[3]
        step = step_of(image)
        values = branch(step > 1, reduced, plain, (image,))
        # tables instead of branches: the channel count is known only when the file runs
        row = torch.full((1,), channels, dtype=torch.int64, device=image.device)
        used = torch.arange(channels, device=image.device)
        tones_of = _TONES.to(values).index_select(0, row)[0].index_select(1, used)
        opaque = _OPAQUE.to(values).index_select(0, row)
        values = branch(channels % 2 == 0, multiply_by_opacity, torch.clone, (values,))
        batch, height, width, _ = values.shape
        planes = values.reshape(batch, 1, height, width * channels)
        size = sides(height, width, planes)
        grid = grid_of(height, width)
        cell = size.amax(1, keepdim=True) / grid
        return cls(planes, (height, width, channels), size, step, tones_of, opaque, grid, cell)

    def first_look(self) -> tuple[Tensor, Tensor, Tensor]:
        """The whole picture in the colour in which its strokes differ most from the ground.

        Returns:
            light: (batch, 1, grid, grid); where the square reaches out of the picture, its edge goes on.
            weights: (batch, 1, channels, 1) what each channel adds to the light.
            rest: (batch, 1, 1, 1) what is added to it where the picture is.
        """
        batch, (height, width, channels) = self.planes.shape[0], self.shape
        middle_y, middle_x = self.size.chunk(2, 1)
        step = times(height, SEEN_FIRST)
        several = height // step
        few = self.planes.narrow(2, 0, several * step).reshape(batch, several, step, width * channels).mean(2)
        rows, high = covered(middle_y / 2 / step, self.cell / step, self.grid, several, repeat=True)
        columns, wide = covered(middle_x / 2, self.cell, self.grid, width, across=True, repeat=True)
        seen = (rows[:, 0] @ few).reshape(batch, self.grid, width, channels)
        given = (seen, columns[:, :, 0], (high * wide)[:, 0] * WHITE, self.tones_of, self.opaque)
        return branch(channels == 1, of_grey, of_colours, given)

    def look(
        self, middle: Tensor, cell: Tensor, cells: int, weights: Tensor, rest: Tensor, *, repeat: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The light of a square of cells, and the share of each cell that lies in the picture; 0 outside.

        Args:
            middle: (batch, 2, 1, 1) of the square in pixels, down and across.
            cell: (batch, 1, 1, 1) width of a cell in pixels.
            cells: on a side.
            weights: as from the first look.
            rest: as from the first look.
            repeat: where the square reaches out of the picture, its edge goes on.

        Returns:
            (batch, 1, cells, cells) each.
        """
        # not from self.shape: to an exporter, a branch of a condition holds no numbers but those of its tensors
        batch, _, height, row = self.planes.shape
        width = row // weights.shape[2]
        middle_y, middle_x = middle.chunk(2, 1)
        rows, high = covered(middle_y, cell, cells, height, repeat=repeat)  # (batch, 1, cells, height)
        columns, wide = covered(middle_x, cell, cells, width, across=True, repeat=repeat)  # (batch, width, 1, cells)
        area = high * wide
        inside = rows.sum(3, keepdim=True) * columns.sum(1, keepdim=True) / area
        weighed = (columns * (weights / area)).reshape(batch, 1, row, cells)
        return rows @ (self.planes @ weighed) + rest * inside, inside

    def inside(self, middle: Tensor, cell: Tensor, cells: int) -> Tensor:
        """The share of each cell of such a square that lies in the picture, (batch, 1, cells, cells)."""
        place = places(middle, cell, cells)
        nearest = torch.minimum(place, self.size - place)
        down, across = (nearest / cell + 0.5).clamp(0, 1).chunk(2, 1)
        return down.transpose(2, 3) * across

    def corners(self, middle: Tensor, cell: Tensor, cells: int) -> Tensor:
        """How near each cell of such a square is to a corner of the picture, (batch, 1, cells, cells), 0 to 1.

        1 in the corner itself and outside of it; 0 more than CORNER away from it, down or across.
        """
        away = (places(middle, cell, cells) / self.size - 0.5).abs()
        down, across = ((away - (0.5 - CORNER)) / CORNER).clamp(0, 1).chunk(2, 1)
        return down.transpose(2, 3) * across


def places(middle: Tensor, cell: Tensor, cells: int) -> Tensor:
    """Where the middles of a square's cells lie in the picture, down and across, (batch, 2, 1, cells) in pixels."""
    offset = torch.arange(cells, device=middle.device) + (0.5 - cells / 2)
    return middle + offset * cell


def of_grey(
    seen: Tensor, columns: Tensor, full: Tensor, tones_of: Tensor, opaque: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What `of_colours` finds where there is one channel, which is the light: without its three colours."""
    batch, grid, width, channels = seen.shape
    light = seen.narrow(3, 0, 1).reshape(batch, grid, width) @ columns / full
    return (
        dense(light.reshape(batch, 1, grid, grid)),
        light.new_full((batch, 1, channels, 1), 1 / WHITE),
        light.new_zeros(batch, 1, 1, 1),
    )


def of_colours(
    seen: Tensor, columns: Tensor, full: Tensor, tones_of: Tensor, opaque: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The light of the first look, and how it comes from the channels; as `Picture.first_look` returns them.

    Args:
        seen: (batch, grid, width, channels) pixels of the picture's rows.
        columns: (1, width, grid) weights of the columns.
        full: (1, 1, 1) what a cell of all white has by these.
        tones_of: of the picture.
        opaque: of the picture.
    """
    # from the left: ONNX Runtime 1.32 fuses a transposition with a product by a vector into a wrong one
    tones = tones_of @ seen.transpose(2, 3) @ columns[:, None] / full[:, None]  # (batch, grid, 4, grid)
    # not as slices, whose size an exporter cannot tell
    colours, opacity = tones.narrow(2, 0, 3), tones.narrow(2, 3, 1)
    alpha = opacity + opaque
    behind = ground_behind(colours, alpha)  # (batch, 1, 3, 1)
    colours = colours + (1 - alpha) * behind
    tone = direction(colours)  # (batch, 1, 3, 1)
    light = (colours * tone).sum(2)[:, None]
    rest = (tone * behind).sum(2, keepdim=True)
    of_channels = tones_of.T  # (channels, 4)
    weights = (of_channels.narrow(1, 0, 3) @ tone - of_channels.narrow(1, 3, 1) * rest) / WHITE
    return dense(light), dense(weights), dense(rest * (1 - opaque))


def branch(
    condition: bool | Tensor, then: Callable[..., Result], otherwise: Callable[..., Result], given: tuple[Tensor, ...]
) -> Result:
    """What one of two functions makes of some tensors; in the exported graph the file decides which, when it runs."""
    if torch.compiler.is_exporting():
        return cast(Result, torch.cond(condition, then, otherwise, given))
    return then(*given) if condition else otherwise(*given)


def times(size: int, wanted: int) -> int:
    """How many times a number of pixels goes into another one, and 1 at least."""
    return cast(int, torch.sym_max(1, size // wanted))


def grid_of(height: int, width: int) -> int:
    """Cells on a side of the first look at a picture of so many pixels."""
    longer = cast(int, torch.sym_max(height, width))
    wanted = torch.sym_min(GRID // COARSEST, (longer + COARSEST - 1) // COARSEST)
    # a multiple of whatever it is: so an exporter knows what half of it is
    return COARSEST * cast(int, torch.sym_max(LEAST_GRID // COARSEST, wanted))


def step_of(image: Tensor) -> int:
    """How many raw pixels (batch, height, width, channels) become one, along each axis."""
    return times(cast(int, torch.sym_max(image.shape[1], image.shape[2])), LARGE_SIDE)


def plain(image: Tensor) -> Tensor:
    """Raw pixels as floating point, where their step is 1: to an exporter the shape is that of `reduced`."""
    step = step_of(image)
    batch, height, width, channels = image.shape[0], image.shape[1] // step, image.shape[2] // step, image.shape[3]
    # all of them, in one piece
    pixels = image.flatten().narrow(0, 0, batch * height * width * channels)
    return dense(pixels.reshape(batch, height, width, channels).float())


def reduced(image: Tensor) -> Tensor:
    """Raw pixels as floating point, as many as their step as one, (batch, fewer, fewer, channels), 0 to 255.

    What is left over at the lower and the right edge, less than a step, is left out.

    Args:
        image: (batch, height, width, channels) uint8.
    """
    step = step_of(image)
    batch, height, width, channels = image.shape[0], image.shape[1] // step, image.shape[2] // step, image.shape[3]
    within = (2 * torch.arange(SEEN, device=image.device) + 1) * step // (2 * SEEN)
    rows = (torch.arange(height, device=image.device)[:, None] * step + within).flatten()
    columns = (within[:, None] + torch.arange(width, device=image.device) * step).flatten()
    seen = image.index_select(1, rows).index_select(2, columns).float()
    # the mean is over axes that large pieces follow and come before, which runtimes are fast at
    seen = seen.reshape(batch, height, SEEN, SEEN, width * channels).mean((2, 3))
    return dense(seen.reshape(batch, height, width, channels))


def dense(values: Tensor) -> Tensor:
    """The same values; to an exporter, which wants the branches of a condition alike, laid out in one way."""
    return values.clone(memory_format=torch.contiguous_format) if torch.compiler.is_exporting() else values


def sides(height: int, width: int, like: Tensor) -> Tensor:
    """Height and width as a tensor (1, 2, 1, 1) of the same type and on the same device as another one."""
    return torch.cat([like.new_full((1, 1, 1, 1), side) for side in (height, width)], 1)


def multiply_by_opacity(values: Tensor) -> Tensor:
    """The channels (batch, height, width, 2 or 4), 0 to 255, each but the last multiplied by the last as a share."""
    channels = values.shape[3]
    place = torch.arange(channels, device=values.device)
    is_last = place == channels - 1
    # a product of matrices: ONNX Runtime takes ten times as long to repeat a value for each channel
    to_colours = (is_last[:, None] & ~is_last).to(values) / WHITE
    by = torch.addmm(is_last.to(values), values.reshape(-1, channels), to_colours)
    return values * by.reshape(values.shape)


def covered(
    middle: Tensor, cell: Tensor, cells: int, size: int, *, across: bool = False, repeat: bool = False
) -> tuple[Tensor, Tensor]:
    """How much each cell along one axis covers of each pixel, 0 to 1, and of a row of pixels without end.

    A cell narrower than a pixel is widened to one pixel, which is linear interpolation; at exactly one pixel a cell
    that lies on a pixel copies it.

    Args:
        middle: (batch, 1, 1, 1) where the middle of all cells lies, in pixels from the edge of the picture.
        cell: (batch, 1, 1, 1) width of a cell in pixels.
        cells: how many cells.
        size: pixels of the picture along this axis.
        across: the axis is the picture's width.
        repeat: cells outside the picture see what lies at its edge.

    Returns:
        (batch, 1, cells, size), across (batch, size, 1, cells); and (batch, 1, 1, 1) what a cell covers in all, in
        pixels, which is its sum where it does not reach out of the picture.
    """
    pixel = torch.arange(size, device=middle.device) + 0.5
    offset = torch.arange(cells, device=middle.device) + (0.5 - cells / 2)
    pixel, offset = (pixel[:, None, None], offset) if across else (pixel, offset[:, None])
    width = cell.clamp(min=1)
    centre = middle + offset * cell
    if repeat:
        width = width.clamp(max=size)
        centre = torch.minimum(torch.maximum(centre, width / 2), size - width / 2)
    # two intervals, of one pixel and of a wider cell
    return ((width + 1) / 2 - (centre - pixel).abs()).clamp(0, 1), width


def ground_behind(colours: Tensor, alpha: Tensor) -> Tensor:
    """The colour that goes under the transparent parts, so that the ink is seen, (batch, 1, 3, 1).

    Where the visible part holds two tones it brings its own ground, and its mean goes on under it. Where it holds one,
    its shape is the ink, and the ground is black or white, whichever is further away.

    Args:
        colours: (batch, grid, 3, grid), 0 to 1, multiplied by alpha.
        alpha: (batch, grid, 1, grid), 0 = transparent.
    """
    visible = summed(alpha).clamp(min=1e-6)
    mean = summed(colours) / visible
    away = colours / alpha.clamp(min=1e-6) - mean
    spread = (away * away * alpha).sum((1, 2, 3), keepdim=True) / (3 * visible)
    other = torch.where(mean.mean(2, keepdim=True) < 0.5, 1.0, 0.0)
    return torch.where(spread > TWO_TONES**2, mean, other)


def direction(colours: Tensor) -> Tensor:
    """How red, green and blue are to be added so that the strokes stand out, (batch, 1, 3, 1); the sizes add up to 1.

    Strokes are the few cells that are far from the rest: the third moment points to them, whatever their colour.

    Args:
        colours: (batch, grid, 3, grid).
    """
    grid = colours.shape[1]
    away = colours - summed(colours) / (grid * grid)
    moment = summed(away * (away * away).sum(2, keepdim=True))
    size = moment.abs().sum(2, keepdim=True)
    # of either sign: what is ink is decided later. Next to no moment: the mean of the three
    sign = torch.where(moment.sum(2, keepdim=True) < 0, -1.0, 1.0)
    return torch.where(size > 1e-4, moment / size.clamp(min=1e-4) * sign, 1 / 3)


def summed(colours: Tensor) -> Tensor:
    """Sum of all cells, (batch, grid, n, grid) -> (batch, 1, n, 1): of rows, then of those.

    ONNX Runtime adds up all at once in turn, and is 50 times as far from the truth.
    """
    return colours.sum(3, keepdim=True).sum(1, keepdim=True)
