"""Largest values, means and blocks over windows of cells, for batches of grids."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

LARGE = 10.0
"""More than any ink or difference of light."""

BLOCK = 4
"""Cells on a side of the blocks that a large window is made of: a sixteenth of the work, and nearly the same mean."""


def highest_around(cells: Tensor, high: int, wide: int) -> Tensor:
    """The largest value in the window of high x wide cells (odd) around each cell, (batch, 1, rows, columns)."""
    if torch.compiler.is_exporting():
        # the same value, from fewer nodes
        return F.max_pool2d(cells, (high, wide), stride=1, padding=(high // 2, wide // 2))
    padded = F.pad(cells, (wide // 2, wide // 2, high // 2, high // 2), value=-LARGE)
    return over_windows(over_windows(padded, high, 2, torch.maximum), wide, 3, torch.maximum)


def opening(cells: Tensor, size: int) -> Tensor:
    """The same without what is higher than its surroundings and narrower than `size` cells (odd)."""
    return highest_around(-highest_around(-cells, size, size), size, size)


def mean_around(cells: Tensor, size: int) -> Tensor:
    """Mean over the window of size x size cells (odd) around each cell, (batch, 1, n, n); outside lies 0."""
    if torch.compiler.is_exporting():
        # the same but for the order of adding, from fewer nodes
        down = F.avg_pool2d(cells, (size, 1), stride=1, padding=(size // 2, 0))
        return F.avg_pool2d(down, (1, size), stride=1, padding=(0, size // 2))
    padded = F.pad(cells, (size // 2,) * 4)
    return over_windows(over_windows(padded, size, 2, torch.add), size, 3, torch.add) / (size * size)


def mean_inside(cells: Tensor, shares: Tensor) -> Tensor:
    """Mean over a large window around each cell, of what of it lies in the grid, (batch, 1, n, n).

    Args:
        cells: (batch, 1, n, n).
        shares: of the window, as `in_blocks` gives them.
    """
    return shares @ (shares @ coarse(cells, BLOCK).transpose(2, 3)).transpose(2, 3)


def in_blocks(grid: int, size: int, device: torch.device) -> Tensor:
    """Share that each block of BLOCK cells has in the window of `size` cells around each cell, (grid, grid / BLOCK).

    A block that the window covers in part counts in part, and what lies outside the grid does not: each row sums to 1.
    """
    cell = torch.arange(grid, device=device)[:, None] + 0.5
    block = BLOCK * (torch.arange(grid // BLOCK, device=device) + 0.5)
    covered = ((size + BLOCK) / 2 - (cell - block).abs()).clamp(0, BLOCK)
    return covered / covered.sum(1, keepdim=True)


def over_windows(cells: Tensor, size: int, axis: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What `combine` makes of each window of `size` cells along an axis, which becomes shorter by size - 1.

    Windows of 1, 2, 4, ... cells are made from each other and put side by side: a pooling layer, which looks at each
    cell of each window, takes some 20 times as long for a batch in PyTorch.
    """
    count = cells.shape[axis] - size + 1
    part, width, done = cells, 1, 0
    result: Tensor | None = None
    while True:
        if size & width:
            piece = part.narrow(axis, done, count)
            result = piece if result is None else combine(result, piece)
            done += width
        if 2 * width > size:
            assert result is not None
            return result
        length = part.shape[axis] - width
        part = combine(part.narrow(axis, 0, length), part.narrow(axis, width, length))
        width *= 2


def coarse(cells: Tensor, by: int) -> Tensor:
    """Means of blocks of `by` x `by` cells, (batch, 1, n, n) -> (batch, 1, n / by, n / by)."""
    if torch.compiler.is_exporting():
        return F.avg_pool2d(cells, by)
    grid = cells.shape[3] // by
    return cells.reshape(*cells.shape[:2], grid, by, grid, by).mean((3, 5))


def interpolated(maps: Tensor, at_y: Tensor, at_x: Tensor) -> Tensor:
    """Grids as cells elsewhere see them, (batch, maps, cells, cells), linear; what is outside sees their edge.

    Args:
        maps: (batch, maps, n, n).
        at_y: (batch, 1, 1, cells) where the middle of each row of cells lies, in cells of the maps.
        at_x: the same of each column.
    """
    grid = maps.shape[3]
    node = torch.arange(grid, device=maps.device) + 0.5
    places = (at.clamp(0.5, grid - 0.5).transpose(2, 3) for at in (at_y, at_x))
    rows, columns = ((1 - (place - node).abs()).clamp(min=0) for place in places)  # (batch, 1, cells, n)
    # not times the columns turned over: where both are the same constant, the file holds it once
    return rows @ (columns @ maps.transpose(2, 3)).transpose(2, 3)
