"""What of the cells that were found is the digit: what hangs together, and what goes on where the finder saw no more.

Grids are (batch, 1, n, n), cells of the finder's grid.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.ink import GRIDS, ramp
from adder_trainer.normalize.windows import highest_around, interpolated, mean_around

AROUND, MUCH = 9, (0.54, 0.72)
"""Cells of the finder's grid on a side around each in which it is asked how much was found, and shares of the most from
which on it begins to be much, and is."""

ROUNDS, REACH = 8, 5
"""Rounds in which what hangs together is followed, and cells on a side of the window over which it does."""

LOST = 0.5, 0.9
"""How far a cell apart from all that was found, and one at the picture's edge, are like ink, from which on it begins to
be followed to them, and wholly is."""

TOO_MUCH = 0.25, 0.4
"""Shares of what was found from which on what was followed begins to be something else, lines of paper, and is."""

NEXT, FARTHER = 3, 8
"""Cells on a side of the window over which that is followed, and rounds."""

ENDS = 2
"""Cells from an edge of the picture within which a stroke has reached it."""

STRIP, RUN = 5, 7
"""Cells from an edge of the picture in which what is as long as so many cells along the edge is a frame's line."""


def together(found: Tensor) -> Tensor:
    """What was found that has much of it around, and what hangs together with that: no specks, (batch, 1, n, n)."""
    # what is hardly likely counts for little, however much there is of it
    # mean of means: what is near counts for more
    around = mean_around(mean_around(found * found * found, AROUND), AROUND)
    kept = ramp(around / around.amax(GRIDS, keepdim=True).clamp(min=1e-6), MUCH) * found
    for _ in range(ROUNDS):
        kept = torch.minimum(highest_around(kept, REACH, REACH), found)
    return kept


def follow(like_ink: Tensor, apart: Tensor, found: Tensor, kept: Tensor, size: Tensor) -> Tensor:
    """What hangs together with what is kept and is like ink, though the finder saw none there; without what is kept.

    In a cell of a sheet, a stroke that runs to the edge ends as a frame's line does, and the finder takes it for one.
    On even paper its ink can be followed.

    Args:
        like_ink: (batch, 1, n, n) how far a cell differs from even paper, 0 to 1; 0 where the paper is not even.
        apart: (batch, 1, n, n) the same where nothing near is kept.
        found: (batch, 1, n, n) probability of ink beside the likeliest cell's.
        kept: (batch, 1, n, n) what of that is.
        size: (1, 2, 1, 1) of the picture, in cells; its middle is that of the grid.
    """
    free = 1 - along_edges(like_ink, size)
    like_ink = like_ink * free
    followed, passable = kept, torch.maximum(found, like_ink)
    for _ in range(FARTHER):
        followed = torch.minimum(highest_around(followed, NEXT, NEXT), passable)
    followed = torch.minimum(followed, like_ink) * (1 - kept)
    lost = (apart * free).amax(GRIDS, keepdim=True)
    at_edge = (followed * torch.maximum(*near_edges(followed, size, ENDS))).amax(GRIDS, keepdim=True)
    share = followed.sum(GRIDS, keepdim=True) / kept.sum(GRIDS, keepdim=True).clamp(min=1e-6)
    return followed * ramp(torch.minimum(lost, at_edge), LOST) * (1 - ramp(share, TOO_MUCH))


def none_followed(like_ink: Tensor, apart: Tensor, found: Tensor, kept: Tensor, size: Tensor) -> Tensor:
    """The same where there is nothing to follow."""
    return torch.zeros_like(kept)


def along_edges(like_ink: Tensor, size: Tensor) -> Tensor:
    """How far each cell belongs to a line along an edge of the picture, near that edge, (batch, 1, n, n).

    Args:
        like_ink: (batch, 1, n, n).
        size: (1, 2, 1, 1) of the picture, in cells; its middle is that of the grid.
    """
    flat = highest_around(-highest_around(-like_ink, 1, RUN), 1, RUN)
    steep = highest_around(-highest_around(-like_ink, RUN, 1), RUN, 1)
    down, across = near_edges(like_ink, size, STRIP)
    return torch.maximum(flat * down, steep * across)


def near_edges(cells: Tensor, size: Tensor, strip: int) -> tuple[Tensor, Tensor]:
    """How far rows, (1, 1, n, 1), and columns, (1, 1, 1, n), of a grid are within a strip along the picture's edges."""
    grid = cells.shape[3]
    place = torch.arange(grid, device=cells.device) + (0.5 - grid / 2)
    down, across = (place.abs() - (size / 2 - strip - 0.5)).clamp(0, 1).chunk(2, 1)
    return down.transpose(2, 3), across


def seen_at(followed: Tensor, where: Tensor) -> Tensor:
    """What was followed, and the cells beside it, as cells elsewhere see them, (batch, 1, cells, cells).

    Args:
        followed: (batch, 1, n, n).
        where: (batch, 2, 1, cells) the middles of those cells, down and across, in cells of that grid.
    """
    return interpolated(highest_around(followed, NEXT, NEXT), *where.chunk(2, 1))


def none_seen(followed: Tensor, where: Tensor) -> Tensor:
    """The same where nothing was."""
    cells = where.shape[3]
    return followed.new_zeros(followed.shape[0], 1, cells, cells)
