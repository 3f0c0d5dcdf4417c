"""The one preprocessing: raw pixels of any size, light and polarity in, an MNIST-like picture out.

Training and the exported file both run this module, so that a picture is prepared once, in one way, everywhere. Only
operations with an exact ONNX form are used: no slice whose length depends on a value, no resize (runtimes differ in
it). Every crop, scale and shift is one pair of matrix products, `rows @ picture @ columns`, whose weights are computed
from the box that was found. Three looks: the whole picture on a coarse grid, where everything is decided; the box that
was found there, on a finer one; and the 28x28 of the answer. What is decided changes smoothly with the pixels wherever
that is possible, so that rounding in another runtime cannot tip it.

Grids are (batch, 1, n, n) throughout, what is one value a picture is (batch, 1, 1, 1), and a pair of values down and
across is (batch, 2, 1, 1): nothing has to change its shape, and each node that a graph need not run is time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from adder_runtime.contract import SIDE
from adder_trainer.normalize.frame import without_frame
from adder_trainer.normalize.ink import (
    CUT,
    GRIDS,
    LEAST_CONTRAST,
    STROKE_GRID,
    calm,
    centre_of_mass,
    connected,
    extent,
    fatten,
    full_scale,
    profiles,
    ramp,
    to_ink,
)
from adder_trainer.normalize.paper import (
    LINED_CELL,
    UNLIT_CELL,
    evenness,
    lamp,
    lighter,
    on_large,
    on_small,
    plane_through,
    printed,
)
from adder_trainer.normalize.picture import GRID, GROUND_GRID, Picture, branch, is_larger, sides
from adder_trainer.normalize.prepared import CENTRE, INK_SIDE, look_for_prepared
from adder_trainer.normalize.table import nothing_beside, without_table
from adder_trainer.normalize.windows import coarse, finer, highest_around

NORMALIZER_VERSION = "9"
"""Raised when the same pixels give another ink."""

CLOSE_GRID = 56
"""Cells on a side of the second look, over the box that the first one found."""

BORDER = 0.15
"""Ink nearer to the picture's edge than this share of the picture weighs less: pieces of a frame lie there."""

AT_EDGE = 0.1
"""Share of BORDER, from the picture's edge, in which ink lies at the edge."""

CALM, CALM_CLOSE, CALM_LAST = 7, 5, 3
"""Cells of the three looks over which grain is averaged."""

NEAR = 9
"""Cells of the first look around a stroke in which the later looks see anything."""

BOX_EDGE = CUT - 0.05, CUT + 0.05
"""In the first look, ink that begins to add to the box of the strokes, and that adds a whole cell: where this is
narrow, a rounding of the ink becomes a hundred times as large in the second look's box."""

EDGE_LOW, EDGE_HIGH = 0.2, 0.6
"""In the second look, ink under the first adds nothing to the box and over the second a whole cell: with these,
MNIST keeps its size."""

GRAIN_OF_BOX, GRAIN_OF_INK = 3.0, 1.5
"""Standard deviations of the paper's grain that do not count for the box, and that are taken off the ink."""

LEAST_SIGNAL, LEAST_SIGNAL_OF_PEN = 4.5, 3.5
"""Contrast of the first look, in standard deviations of the paper's grain, below which there is nothing to read: the
strongest cell of plain noise reaches 3.5. A pen's strokes fill few of its cells, and are asked for more edges."""

FULL, FULLER, FULLER_SMALL = 0.33, 6.0, 2.0
"""Strokes that cover more than the first share of the first look have to stand out more, by the second times as much of
what is more: grain that hangs together covers half of a picture, a digit seldom so much. In a picture of few pixels it
often does, and is asked for less."""

LEAST_OF_PEN = 0.05
"""LEAST_CONTRAST of a pen's strokes."""

LEAST_INK = 0.5
"""Where no pixel of the answer has as much, what the first look took for strokes was none."""


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
        seen = look_for_prepared(image)
        ink, readable, box = branch(seen.is_so.all(), as_it_is, in_three_looks, (image, *seen))
        return Normalized(ink, readable.flatten(), box.flatten(1))


def as_it_is(image: Tensor, ink: Tensor, box: Tensor, is_prepared: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Ink of pictures that are all prepared, (batch, 1, 1, 1) whether there is any, and its box (batch, 4, 1, 1)."""
    return ink.clone(), is_prepared.clone(), box.clone()


def in_three_looks(
    image: Tensor, prepared: Tensor, box_of_prepared: Tensor, is_prepared: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same of any pictures: those that are prepared keep what was seen of them, beside whatever others."""
    picture = Picture.of(image)
    size = picture.size
    cell = size.amax(1, keepdim=True) / GRID

    light, weights, rest = picture.first_look(cell)
    light, unframed = without_frame(light)
    light, table = branch(is_larger(image, GRID), without_table, nothing_beside, (light,)).chunk(2, 1)
    edge_y, edge_x = inwards(size / cell / 2).chunk(2, 1)
    edge_y = edge_y.transpose(2, 3)
    inwards_most = torch.minimum(edge_y, edge_x)
    weight = inwards_most.square()
    edge = (1 - inwards_most / AT_EDGE).clamp(min=0)
    even = evenness(light, cell)
    slope = plane_through(light) * (1 - even)
    flat, cells = light - slope, cell.expand(light.shape[0], -1, -1, -1)
    evidence = lighter(flat, weight, (1 - edge_y) * (1 - edge_x), even)
    # one branch for all: where several outputs of one go into another, OpenVINO 2026.4 answers the first
    # question wrongly
    polarity, paper, beside, pen = branch(is_larger(image, GRID), on_large, on_small, (flat, evidence, cells, even))
    ground = paper + coarse(slope, GROUND_GRID)
    lit = lamp(ground, polarity)

    def near(values: Tensor, middle: Tensor, fine: Tensor, cells: int) -> Tensor:
        """A grid over the whole picture as a look sees it, interpolated."""
        offset = torch.arange(cells, device=image.device) + (0.5 - cells / 2)
        at_y, at_x = ((middle - size / 2 + offset * fine) / cell + GRID / 2).chunk(2, 1)
        rows, columns = nodes(at_y.transpose(2, 3), values.shape[3]), nodes(at_x, values.shape[3], across=True)
        return rows @ values @ columns

    everywhere = size / 2, cell, GRID
    difference = (light - near(ground, *everywhere)) * polarity / near(lit, *everywhere) * beside
    begins, _ = LINED_CELL
    lines = branch(is_larger(image, round(GRID * begins)), printed, torch.zeros_like, (difference,))
    lines = lines * ramp(cell, LINED_CELL)
    difference = difference - lines
    contrast, grain = full_scale(difference, pen)
    signal = contrast / grain.clamp(min=1e-6)
    noise = grain / contrast.clamp(min=LEAST_CONTRAST)
    calmer = calm(difference, noise, CALM)
    difference = calmer + pen * (calm(difference, noise, CALM_LAST) - calmer)
    ink = to_ink(difference, full_scale(difference, pen)[0])

    kept, aside = connected(ink, weight, edge)  # (batch, 1, STROKE_GRID, STROKE_GRID)
    fuller = FULLER_SMALL + ramp(cell, UNLIT_CELL) * (FULLER - FULLER_SMALL)
    fuller = 1 + fuller * (kept.mean(GRIDS, keepdim=True) - FULL).clamp(min=0)
    stands_out = signal > (LEAST_SIGNAL + pen * (LEAST_SIGNAL_OF_PEN - LEAST_SIGNAL)) * fuller
    faint = ink * finer(highest_around(kept, 3, 3), GRID // STROKE_GRID)
    # strokes with what is faint beside them: the ends of strokes and their edges, not lines that lead away
    near_strokes = (highest_around(faint, NEAR, NEAR) * 4).clamp(max=1) * (unframed * beside * (1 - table))
    near_strokes = near_strokes * (1 - finer(aside, GRID // STROKE_GRID))
    begin, end = extent(profiles(ink * finer(kept, GRID // STROKE_GRID)), *BOX_EDGE)
    middle = size / 2 + ((begin + end) / 2 - GRID / 2) * cell
    # one cell more on each side: the first look may have cut a faint end
    fine = (end - begin + 2).amax(1, keepdim=True) * cell / CLOSE_GRID

    def look(middle: Tensor, fine: Tensor, cells: int) -> Tensor:
        place = middle, fine, cells
        light, inside = picture.look(*place, weights, rest)
        difference = (light - near(ground, *place) * inside) * polarity / near(lit, *place)
        return (difference - near(lines, *place)) * near(near_strokes, *place)

    difference = look(middle, fine, CLOSE_GRID)
    contrast, grain = full_scale(difference)
    difference = calm(difference, grain / contrast.clamp(min=LEAST_CONTRAST), CALM_CLOSE)
    contrast, grain = full_scale(difference)
    ink = to_ink(difference, contrast)
    grain = grain / contrast.clamp(min=LEAST_CONTRAST)
    low = (GRAIN_OF_BOX * grain).clamp(EDGE_LOW, CUT)
    begin, end = extent(profiles(ink), low, low + (EDGE_HIGH - EDGE_LOW))
    scale = (end - begin).amax(1, keepdim=True) * fine / INK_SIDE
    box = torch.cat([place(begin, middle, fine, size), place(end, middle, fine, size)], 1)  # (batch, 4, 1, 1)
    ink = (ink - (GRAIN_OF_INK * grain).clamp(max=CUT)).clamp(min=0)
    middle = middle + (centre_of_mass(ink) - CLOSE_GRID / 2) * fine - (CENTRE - SIDE / 2) * scale

    difference = calm(look(middle, scale, SIDE), grain, CALM_LAST)
    contrast, grain = full_scale(difference)
    floor = (GRAIN_OF_INK * grain / contrast.clamp(min=LEAST_CONTRAST)).clamp(max=CUT)
    ink = ((to_ink(difference, contrast) - floor) / (1 - floor)).clamp(min=0)
    # of the contrast the last look is asked, which sees the stroke itself: where rests of lines and of shadows were
    # taken for strokes, it is low there
    high = contrast > LEAST_CONTRAST + pen * (LEAST_OF_PEN - LEAST_CONTRAST)
    readable = stands_out & high & (ink.amax(GRIDS, keepdim=True) > LEAST_INK)
    ink = torch.where(readable, fatten(ink), 0.0)
    raw = sides(image.shape[1], image.shape[2], cell)
    box = torch.where(readable, box * picture.step, torch.cat([torch.zeros_like(raw), raw], 1))
    ink = torch.where(is_prepared, prepared, ink)
    box = torch.where(is_prepared, box_of_prepared, box)
    return ink, readable | is_prepared, box


def nodes(at: Tensor, grid: int, *, across: bool = False) -> Tensor:
    """Weights of linear interpolation between the middles of a coarser grid's cells.

    Args:
        at: (..., cells, 1), across (..., 1, cells): where the middle of each cell lies, in cells of the first
            look.
        grid: cells on a side of the coarser grid over the same square.
        across: for the grid's columns.

    Returns:
        (..., cells, grid), across (..., grid, cells); what a cell gets sums to 1.
    """
    node = torch.arange(grid, device=at.device) + 0.5
    at = (at * (grid / GRID)).clamp(0.5, grid - 0.5)
    return (1 - (at - (node[:, None] if across else node)).abs()).clamp(min=0)


def inwards(reach: Tensor) -> Tensor:
    """How far from the picture's edge each cell of the first look lies: 0 outside, 1 from BORDER on, (..., GRID).

    Args:
        reach: (..., 1) half of the picture in cells.
    """
    offset = (torch.arange(GRID, device=reach.device) + (0.5 - GRID / 2)).abs()
    return ((1 - offset / reach) / (2 * BORDER)).clamp(0, 1)


def place(edge: Tensor, middle: Tensor, cell: Tensor, size: Tensor) -> Tensor:
    """Where an edge of the second look's box lies in the picture, never outside it, (batch, 2, 1, 1) in pixels.

    Args:
        edge: (batch, 2, 1, 1) in cells of the second look.
        middle: (batch, 2, 1, 1) of that look, in pixels.
        cell: (batch, 1, 1, 1) width of its cells in pixels.
        size: (1, 2, 1, 1) of the picture in pixels.
    """
    return torch.minimum((middle + (edge - CLOSE_GRID / 2) * cell).clamp(min=0), size)
