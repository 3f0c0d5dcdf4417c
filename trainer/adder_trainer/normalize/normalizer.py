"""The one preprocessing: raw pixels of any size, light and polarity in, an MNIST-like picture out.

Training and the exported file both run this module, so that a picture is prepared once, in one way, everywhere. Only
operations with an exact ONNX form are used: no slice whose length depends on a value, no resize (runtimes differ in
it). Every crop, scale and shift is one pair of matrix products, `rows @ picture @ columns`, whose weights are computed
from the box that was found. Three looks: the whole picture on a coarse grid, in which a small network finds the digit,
on a finer one where it is sure of nothing; the box that was found there, in which the same network tells ink from
paper; and the 28x28 of the answer. What is decided changes smoothly with the pixels wherever that is possible, so that
rounding in another runtime cannot tip it.

Grids are (batch, 1, n, n) throughout, what is one value a picture is (batch, 1, 1, 1), and a pair of values down and
across is (batch, 2, 1, 1): nothing has to change its shape, and each node that a graph need not run is time.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from adder_runtime.contract import SIDE
from adder_trainer.normalize.finder import COARSER, Finder, shipped_finder
from adder_trainer.normalize.following import LOST, REACH, follow, none_followed, none_seen, seen_at, together
from adder_trainer.normalize.ink import (
    CUT,
    GRIDS,
    LEAST_CONTRAST,
    calm,
    centre_of_mass,
    contrast_of,
    extent,
    fatten,
    profiles,
    ramp,
    strongest,
    to_ink,
)
from adder_trainer.normalize.paper import EvenPaper, by_tone, lamp, paper_beside
from adder_trainer.normalize.picture import GRID, Picture, branch, places, sides
from adder_trainer.normalize.prepared import CENTRE, INK_SIDE, look_for_prepared
from adder_trainer.normalize.windows import coarse, highest_around, interpolated

NORMALIZER_VERSION = "15"
"""Raised when the same pixels give another ink."""

CLOSE_GRID = 64
"""Cells on a side of the second look, over the box that the first one found."""

FOUND = 0.3, 0.7
"""Probability of ink from which on a cell of the first look begins to add to the box, and adds a whole cell."""

CERTAIN = 0.9
"""Probability of ink in the likeliest cell of the first look, below which a small digit may have been overlooked: where
one is found at all, 98 of 100 are likelier."""

FINER, OVERLOOKED = 2, (4.0, 24.0)
"""How many times as many cells on a side are looked at then, in pictures that have so many pixels; and cells of the
finder's grid, there, on the longer side of a digit that was overlooked: less is a speck, more had been seen before."""

LEAST_FOUND = 0.05
"""Least probability of ink in the likeliest cell: below, nothing is read."""

MISSED = 0.5, 1.5
"""Cells of the finder's grid beyond the box that was found, on any side of it, up to which what else differs from even
paper is the digit's too, and from which on it is something beside it."""

FILLED, LONG, APART = (0.7, 0.8), (1.5, 2.5), (0.0, 1.0)
"""Shares of its box that a mere bar fills, how many times as long as it is wide it is, and cells of the finder's grid
between it and the picture's edges, on both sides down or across."""

MORE = 0.3
"""Cells of the finder's finest grid by which the box is wider than what was found: its edge may have been missed."""

MARGIN = 1.25
"""Side of the second look as a share of the box."""

INKED = 0.1, 0.7
"""Probability of ink in the second look from which on what is darker begins to be ink, and wholly is."""

SMALL = 19.2, 28.8
"""Pixels on the longer side between which a picture begins to be large enough to tell ink from what else there is; in
a smaller one all that differs from the paper is ink, and the tone tells which is paper."""

SURE = 0.5, 0.9
"""Probability of ink in several cells of the second look, below which nothing is read: of a small picture, in which the
tone tells what is ink, and of a large one."""

CALM_CLOSE, CALM_LAST = 5, 3
"""Cells of the second and the third look over which grain is averaged."""

MOST_GRAIN = 0.15
"""Of the full stroke: what is more is printed lines and shadows rather than grain."""

EDGE_LOW, EDGE_HIGH = 0.2, 0.6
"""In the second look, ink under the first adds nothing to the box and over the second a whole cell: with these,
MNIST keeps its size."""

GRAIN_OF_BOX, GRAIN_OF_INK = 3.0, 1.5
"""Standard deviations of the paper's grain that do not count for the box, and that are taken off the ink."""

LEAST_SIDE = 4.0
"""Pixels on the longer side of the box: what is smaller is a speck or a piece of grain, which no digit can be."""

LEAST_INK = 0.5
"""Where no pixel of the answer has as much, there was no stroke."""


class Normalized(NamedTuple):
    """What the network sees of a picture, and where it was."""

    ink: Tensor
    """(batch, 1, 28, 28) float32, 0 = paper, 1 = full stroke; all 0 where not readable."""
    readable: Tensor
    """(batch) bool, False where no stroke stands out from its ground."""
    box: Tensor
    """(batch, 4) float32: top, left, bottom, right of the ink in pixels of the picture; all of it if not readable."""


class Normalizer(nn.Module):
    """Turns raw pixels into the ink that the networks read. Its weights are the finder's."""

    def __init__(self, finder: Finder | None = None) -> None:
        """With a copy of the finder that ships, or with another one."""
        super().__init__()
        self.finder = deepcopy(shipped_finder()) if finder is None else finder

    def forward(self, image: Tensor) -> Normalized:
        """Ink sized and centred as in MNIST, whether there is any, and where.

        Args:
            image: (batch, height, width, channels) uint8, 1 to 4 channels: grey, grey and alpha, RGB, RGBA.
        """
        seen = look_for_prepared(image)
        ink, readable, box = branch(seen.is_so.all(), as_it_is, self.in_three_looks, (image, *seen))
        return Normalized(ink, readable.flatten(), box.flatten(1))

    def in_three_looks(
        self, image: Tensor, prepared: Tensor, box_of_prepared: Tensor, is_prepared: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Ink, whether there is any, and its box as `as_it_is` returns them, of any pictures.

        Those that are prepared keep what was seen of them, beside whatever others.
        """
        picture = Picture.of(image)
        size = picture.size
        longest = size.amax(1, keepdim=True)
        cell, cells = picture.cell * COARSER, picture.grid // COARSER  # of what is found
        light, weights, rest = picture.first_look()
        everywhere = size / 2, cell, cells
        inside = picture.inside(*everywhere)
        found = self.finder(light).sigmoid() * inside
        large = ramp(longest, SMALL)
        likeliest, found, kept = kept_of(torch.maximum(found, 1 - large))
        coarse_light = coarse(light, COARSER)
        even = EvenPaper.of(coarse_light, inside)
        unlike = even.unlike(coarse_light) * inside * large
        like_ink = even.is_so * unlike
        apart = like_ink * (1 - highest_around(kept, REACH, REACH))
        goes_on = (apart > LOST[0]).any()
        followed = branch(goes_on, follow, none_followed, (like_ink, apart, found, kept, size / cell))
        begin, end = extent(profiles(torch.maximum(kept, followed)), *FOUND)
        is_unsure = (likeliest < CERTAIN) & (longest >= FINER * GRID)
        look_finer = partial(self.look_finer, picture, weights, rest)
        given = (light, is_unsure, likeliest, begin, end)
        likeliest, begin, end = branch(is_unsure.any(), look_finer, as_before, given)
        begin, end, is_bar, alone = with_missed(even, unlike, begin, end, likeliest > LEAST_FOUND, size / cell)
        middle = size / 2 + ((begin + end) / 2 - cells / 2) * cell
        reach = (end - begin).amax(1, keepdim=True) * cell + longest * (COARSER * MORE / GRID)
        fine = reach * (MARGIN / CLOSE_GRID)

        light, _ = picture.look(middle, fine, CLOSE_GRID, weights, rest, repeat=True)
        inside = picture.inside(middle, fine * COARSER, CLOSE_GRID // COARSER)
        probability = self.finder(light).sigmoid() * inside
        coarse_light = coarse(light, COARSER)
        at = (places(middle, fine * COARSER, CLOSE_GRID // COARSER) - size / 2) / cell + cells / 2
        is_digit = torch.maximum(alone, branch(goes_on, seen_at, none_seen, (followed, at)))
        probability = torch.maximum(probability, is_digit * even.unlike(coarse_light) * inside * large)
        is_ink = torch.maximum(ramp(probability, INKED), (1 - large) * inside)
        tone = by_tone(coarse_light, picture.corners(middle, fine * COARSER, CLOSE_GRID // COARSER) * inside)
        is_found = tone + large * (probability - tone)
        ground, is_paper = paper_beside(coarse_light, is_found, inside, large)
        polarity = torch.where(((coarse_light - ground) * is_ink).sum(GRIDS, keepdim=True) < 0, -1.0, 1.0)
        paper = torch.cat([ground, lamp(ground, polarity), is_ink, is_paper], 1)  # (batch, 4, coarse cells, the same)
        each = ((torch.arange(CLOSE_GRID, device=image.device) + 0.5) / COARSER)[None, None, None]
        here, lit, where, is_paper = interpolated(paper, each, each).chunk(4, 1)
        beside = (light - here) * polarity / lit
        grain = (is_paper * beside.abs()).sum(GRIDS, keepdim=True) / is_paper.sum(GRIDS, keepdim=True)
        # the mean distance of a normal distribution from its middle is 0.8 of its standard deviation
        difference = beside * where
        grain = torch.minimum(grain / 0.8, MOST_GRAIN * strongest(difference))
        share = grain / contrast_of(difference, grain).clamp(min=LEAST_CONTRAST)
        difference = calm(difference, share, CALM_CLOSE)
        contrast = contrast_of(difference, grain)
        share = grain / contrast.clamp(min=LEAST_CONTRAST)
        ink = to_ink(difference, contrast)
        low = (GRAIN_OF_BOX * share).clamp(EDGE_LOW, CUT)
        begin, end = extent(profiles(ink), low, low + (EDGE_HIGH - EDGE_LOW))
        longer = (end - begin).amax(1, keepdim=True) * fine
        scale = longer / INK_SIDE
        box = torch.cat([edge(begin, middle, fine, size), edge(end, middle, fine, size)], 1)  # (batch, 4, 1, 1)
        ink = (ink - (GRAIN_OF_INK * share).clamp(max=CUT)).clamp(min=0)
        centre = middle + (centre_of_mass(ink) - CLOSE_GRID / 2) * fine - (CENTRE - SIDE / 2) * scale

        light, inside = picture.look(centre, scale, SIDE, weights, rest)
        offset = torch.arange(SIDE, device=image.device) + (0.5 - SIDE / 2)
        at_y, at_x = (((centre - middle + offset * scale) / fine + CLOSE_GRID / 2) / COARSER).chunk(2, 1)
        here, lit, where = interpolated(paper[:, :3], at_y, at_x).chunk(3, 1)
        difference = calm((light - here * inside) * polarity / lit * where, share, CALM_LAST)
        contrast = contrast_of(difference, grain)
        floor = (GRAIN_OF_INK * grain / contrast.clamp(min=LEAST_CONTRAST)).clamp(max=CUT)
        ink = ((to_ink(difference, contrast) - floor) / (1 - floor)).clamp(min=0)
        readable = (
            (torch.maximum(likeliest, is_bar) > LEAST_FOUND)
            & (strongest(is_found) > SURE[0] + (SURE[1] - SURE[0]) * large)
            & (contrast > LEAST_CONTRAST)
            & (longer > LEAST_SIDE)
            & (ink.amax(GRIDS, keepdim=True) > LEAST_INK)
        )
        ink = torch.where(readable, fatten(ink), 0.0)
        raw = sides(image.shape[1], image.shape[2], size)
        box = torch.where(readable, box * picture.step, torch.cat([torch.zeros_like(raw), raw], 1))
        ink = torch.where(is_prepared, prepared, ink)
        box = torch.where(is_prepared, box_of_prepared, box)
        return ink, readable | is_prepared, box

    def look_finer(
        self,
        picture: Picture,
        weights: Tensor,
        rest: Tensor,
        light: Tensor,
        is_unsure: Tensor,
        likeliest: Tensor,
        begin: Tensor,
        end: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Likeliest cell and box of the first look; where that is unsure, of one at finer cells, if that is sure.

        Args:
            picture: with FINER times as many pixels as cells, or more.
            weights: as from the first look.
            rest: as from the first look.
            light: of the first look.
            is_unsure: (batch, 1, 1, 1) bool.
            likeliest: of the first look.
            begin: of the first look.
            end: of the first look.
        """
        # not GRID: the file would hold what follows from the number of cells
        middle, cell, cells = picture.size / 2, picture.cell / FINER, FINER * light.shape[3]
        light, _ = picture.look(middle, cell, cells, weights, rest, repeat=True)
        inside = picture.inside(middle, cell * COARSER, cells // COARSER)
        again, _, kept = kept_of(self.finder(light).sigmoid() * inside)
        first, last = extent(profiles(kept), *FOUND)
        side = (last - first).amax(1, keepdim=True)
        smallest, largest = OVERLOOKED
        is_there = is_unsure & (again > CERTAIN) & (side > smallest) & (side < largest)
        return (
            torch.where(is_there, again, likeliest),
            torch.where(is_there, first / FINER, begin),
            torch.where(is_there, last / FINER, end),
        )


def as_before(
    light: Tensor, is_unsure: Tensor, likeliest: Tensor, begin: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What the first look saw."""
    return likeliest.clone(), begin.clone(), end.clone()


def kept_of(found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probability of ink in the likeliest cell (batch, 1, 1, 1), what was found beside that, and what of it is kept.

    Args:
        found: (batch, 1, n, n) probability of ink.
    """
    likeliest = found.amax(GRIDS, keepdim=True)
    found = found / likeliest.clamp(min=LEAST_FOUND)
    return likeliest, found, together(found)


def as_it_is(image: Tensor, ink: Tensor, box: Tensor, is_prepared: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Ink of pictures that are all prepared, (batch, 1, 1, 1) whether there is any, and its box (batch, 4, 1, 1)."""
    return ink.clone(), is_prepared.clone(), box.clone()


def with_missed(
    even: EvenPaper, unlike: Tensor, begin: Tensor, end: Tensor, is_found: Tensor, size: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The box of what was found and of what was missed: all that differs from even paper, if the digit is all there is.

    So it is where as good as all was found, or where it is a mere bar.

    Args:
        even: paper of the first look.
        unlike: (batch, 1, n, n) how far a cell differs from it.
        begin: (batch, 2, 1, 1) where the box that was found begins, in cells.
        end: (batch, 2, 1, 1) where it ends.
        is_found: (batch, 1, 1, 1) bool, whether anything was.
        size: (1, 2, 1, 1) of the picture, in cells.

    Returns:
        Where the box begins and ends, and how far all of it is a mere bar, and the digit, (batch, 1, 1, 1), 0 to 1.
    """
    first, last = extent(profiles(unlike), *FOUND)
    is_bar = even.is_so * bar(unlike, first, last, size)
    missed = torch.maximum(begin - first, last - end).amax(1, keepdim=True)
    alone = torch.maximum(even.is_so * is_found * (1 - ramp(missed, MISSED)), is_bar)
    return begin + alone * (first - begin), end + alone * (last - end), is_bar, alone


def bar(unlike: Tensor, first: Tensor, last: Tensor, size: Tensor) -> Tensor:
    """How far what differs from even paper is one bar that stands free in the picture, (batch, 1, 1, 1), 0 to 1.

    So many people draw a one, and so does whoever rules a line: beside nothing else it is a digit.

    Args:
        unlike: (batch, 1, n, n) how far a cell differs.
        first: (batch, 2, 1, 1) where the box of what differs begins, in cells.
        last: (batch, 2, 1, 1) where it ends.
        size: (1, 2, 1, 1) of the picture, in cells; its middle is that of the grid.
    """
    sides = (last - first).clamp(min=1)
    filled = unlike.sum(GRIDS, keepdim=True) / sides.prod(1, keepdim=True)
    long = sides.amax(1, keepdim=True) / sides.amin(1, keepdim=True)
    middle = unlike.shape[3] / 2
    apart = (size / 2 - torch.maximum(middle - first, last - middle)).amax(1, keepdim=True)
    return ramp(filled, FILLED) * ramp(long, LONG) * ramp(apart, APART)


def edge(place: Tensor, middle: Tensor, cell: Tensor, size: Tensor) -> Tensor:
    """Where an edge of the second look's box lies in the picture, never outside it, (batch, 2, 1, 1) in pixels.

    Args:
        place: (batch, 2, 1, 1) in cells of the second look.
        middle: (batch, 2, 1, 1) of that look, in pixels.
        cell: (batch, 1, 1, 1) width of its cells in pixels.
        size: (1, 2, 1, 1) of the picture in pixels.
    """
    return torch.minimum((middle + (place - CLOSE_GRID / 2) * cell).clamp(min=0), size)
