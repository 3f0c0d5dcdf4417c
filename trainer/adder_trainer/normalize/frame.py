"""What lies around the paper: a frame about the digit, with a margin or without, or a darker ground under a card.

From the picture's edge inwards all is of one tone, and then again of one, until the digit begins: a frame and what is
inside of it; a margin, a frame and what is inside of it. The last such ring is the digit's paper.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.ink import CUT, GRIDS, LEAST_CONTRAST, extent, profiles, ramp, strongest
from adder_trainer.normalize.picture import GRID, branch
from adder_trainer.normalize.windows import coarse

EDGE = 1
"""Cells of the first look that are the picture's edge."""

ONE_TONE = 0.3
"""Share of the way to the tone that is furthest from the edge's, up to which all of the edge is of one tone."""

TONE_GRID = 24
"""Cells on a side of the grid on which the tone that is furthest from the edge's is looked for."""

OTHER, SAME = (0.25, 0.4), (0.5, 0.65)
"""Shares of the way to it at which another tone than the edge's begins, and at which what is of the edge's tone ends:
thin lines are blurred, and reach neither the one nor the other."""

RING = 0.15
"""Share of a box, from each of its sides, in which a line along all of it makes that side one of a ring."""

WITHIN = 2.0
"""Cells by which a side's first such line lies outside of the ring at most: paper has as many as it is wide."""

SHORTER = 1.5
"""Cells by which such a line may be shorter than the box at either end."""

BAND = 0.75
"""Share of a full stroke that all of such a band has at least; a shadow has less."""

BARE = 5
"""Cells after a band at the picture's edge of which one has to be bare."""

LEAST_RING = 18
"""Cells that a ring is wide and high at least: in fewer, a round stroke's corners are like those of a frame."""

SMALLEST = 0.25
"""What is inside of a ring and is no longer than this share of it is no digit."""


def without_frame(light: Tensor) -> tuple[Tensor, Tensor]:
    """The first look without what lies around the digit's paper, and 1 where that paper is, (batch, 1, GRID, GRID).

    Args:
        light: (batch, 1, GRID, GRID); where the square reaches out of the picture, its edge goes on.
    """
    edge = 1 - box(light.new_full((1, 2, 1, 1), EDGE), light.new_full((1, 2, 1, 1), GRID - EDGE))
    away = (light - (light * edge).sum(GRIDS, keepdim=True) / edge.sum()).abs()
    furthest = coarse(away, TONE_GRID).amax(GRIDS, keepdim=True).clamp(min=LEAST_CONTRAST)
    away = away / furthest
    begin, end, is_ring = ring(ramp(away, OTHER))
    is_ring = is_ring & ((away * edge).amax(GRIDS, keepdim=True) < ONE_TONE)
    # one output of a few numbers: whole grids that a branch passes on are copied
    found = branch(is_ring.any(), in_rings, everywhere, (light, away, begin, end, is_ring))
    inside = box(found[:, :2], found[:, 2:4])
    return torch.where(inside < 0.5, found[:, 4:], light), inside


def everywhere(light: Tensor, away: Tensor, begin: Tensor, end: Tensor, is_ring: Tensor) -> Tensor:
    """What `in_rings` finds where no picture has a ring."""
    return torch.cat([begin * 0, end * 0 + GRID, is_ring.to(light.dtype) * 0], 1)


def in_rings(light: Tensor, away: Tensor, begin: Tensor, end: Tensor, is_ring: Tensor) -> Tensor:
    """Where the paper within rings begins and ends, all of the picture where there are none, and its tone.

    Args:
        light: (batch, 1, GRID, GRID).
        away: (batch, 1, GRID, GRID), 0 where the tone is that of the picture's edge, 1 where it is furthest from that.
        begin: (batch, 2, 1, 1) of `ring` of what is not of the edge's tone.
        end: (batch, 2, 1, 1) of the same.
        is_ring: (batch, 1, 1, 1) bool.

    Returns:
        (batch, 5, 1, 1): where it begins and where it ends, down and across, in cells, and its light.
    """
    inside = box(begin, end)
    other, same = ramp(away, OTHER), (1 - ramp(away, SAME)) * inside
    # what is of the edge's tone again is the paper inside of a frame, or a digit on a card
    begin_again, end_again, is_framed = ring(same)
    within = box(begin_again, end_again)
    shown = torch.where(is_framed, other * within, same)
    is_ring = is_ring & is_large(shown, begin, end)
    paper = torch.where(is_framed, same * within, other * inside)
    tone = (light * paper).sum(GRIDS, keepdim=True) / paper.sum(GRIDS, keepdim=True).clamp(min=1)
    begin, end = torch.where(is_framed, begin_again, begin), torch.where(is_framed, end_again, end)
    return torch.cat([torch.where(is_ring, begin, 0.0), torch.where(is_ring, end, float(GRID)), tone], 1)


def beside_bands(difference: Tensor) -> Tensor:
    """0 in what lies beside the paper along the picture's sides and 1 elsewhere, (batch, 1, GRID, GRID).

    What fills the picture along one of its sides, from end to end and as dark as a stroke, and ends in a line of bare
    paper before the digit begins, is the ground that the paper lies on, or the paper's edge; no digit has such a part.

    Args:
        difference: (batch, 1, GRID, GRID) from the lowest level of the paper towards the ink.
    """
    inked = difference / strongest(difference).clamp(min=LEAST_CONTRAST)
    is_band, is_bare = -profiles(-inked) > BAND, profiles(inked) < CUT  # rows and columns
    place = torch.arange(GRID, device=difference.device) + 0.5
    begin = torch.where(is_band, float(GRID), place - 0.5).amin(3, keepdim=True)
    end = torch.where(is_band, 0.0, place + 0.5).amax(3, keepdim=True)
    begin = torch.where((is_bare & (place > begin) & (place < begin + BARE)).any(3, keepdim=True), begin, 0.0)
    end = torch.where((is_bare & (place < end) & (place > end - BARE)).any(3, keepdim=True), end, float(GRID))
    inside = box(begin, end)
    return torch.where((inked * inside).amax(GRIDS, keepdim=True) > BAND, inside, 1.0)


def ring(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The ring of what is 1 around all of what is 1.

    Args:
        values: (batch, 1, GRID, GRID), 0 to 1.

    Returns:
        begin, end: (batch, 2, 1, 1), what lies within it, down and across, in cells.
        is_ring: (batch, 1, 1, 1) bool, whether there are such lines near all four sides.
    """
    begin, end = extent(profiles(values), 0.4, 0.6)
    place = torch.arange(GRID, device=values.device) + 0.5
    short = ((place > begin + SHORTER) & (place < end - SHORTER)).to(values.dtype)
    down, across = short.chunk(2, 1)
    # the smallest value of each row, and of each column, of those that count
    rows = (values + (1 - across)).amin(3, keepdim=True).transpose(2, 3)
    columns = (values + (1 - down.transpose(2, 3))).amin(2, keepdim=True)
    least = torch.cat([rows, columns], 1)
    reach = RING * (end - begin) + 1
    is_line = least > 0.5
    first = torch.where(is_line, place, float(GRID)).amin(3, keepdim=True)
    last = torch.where(is_line, place, 0.0).amax(3, keepdim=True)
    near_begin = is_line & (place < begin + reach) & (place < first + WITHIN)
    near_end = is_line & (place > end - reach) & (place > last - WITHIN)
    begin = torch.where(near_begin, place + 0.5, 0.0).amax(3, keepdim=True)
    end = torch.where(near_end, place - 0.5, float(GRID)).amin(3, keepdim=True)
    found = (begin > 0) & (end < GRID) & (end - begin > LEAST_RING)
    return begin, end, found.all(1, keepdim=True)


def is_large(values: Tensor, begin: Tensor, end: Tensor) -> Tensor:
    """Whether what is 1 is longer than the SMALLEST share of a box, (batch, 1, 1, 1) bool."""
    profile = profiles(values)
    high, low = extent(profile, 0.4, 0.6)
    long = (low - high).amax(1, keepdim=True) > SMALLEST * (end - begin).amax(1, keepdim=True)
    return long & (profile.amax((1, 2, 3), keepdim=True) > 0.5)


def box(begin: Tensor, end: Tensor) -> Tensor:
    """1 inside of a box, 0 outside, (batch, 1, GRID, GRID); its edges (batch, 2, 1, 1) in cells, down and across."""
    place = torch.arange(GRID, device=begin.device) + 0.5
    down, across = ((place > begin) & (place < end)).to(begin.dtype).chunk(2, 1)
    return down.transpose(2, 3) * across
