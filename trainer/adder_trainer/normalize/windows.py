"""Largest values, means and blocks over windows of cells, for batches of square grids (batch, 1, n, n)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

LARGE = 10.0
"""More than any difference of light."""


def highest_around(cells: Tensor, high: int, wide: int) -> Tensor:
    """The largest value in the window of high x wide cells (odd) around each cell, (batch, 1, n, n)."""
    if torch.compiler.is_exporting():
        # the same value, from fewer nodes
        return F.max_pool2d(cells, (high, wide), stride=1, padding=(high // 2, wide // 2))
    padded = F.pad(cells, (wide // 2, wide // 2, high // 2, high // 2), value=-LARGE)
    return over_windows(over_windows(padded, high, 2, torch.maximum), wide, 3, torch.maximum)


def mean_around(cells: Tensor, size: int) -> Tensor:
    """Mean over the window of size x size cells (odd) around each cell, (batch, 1, n, n); outside lies 0."""
    if torch.compiler.is_exporting():
        # the same but for the order of adding, from fewer nodes
        down = F.avg_pool2d(cells, (size, 1), stride=1, padding=(size // 2, 0))
        return F.avg_pool2d(down, (1, size), stride=1, padding=(0, size // 2))
    padded = F.pad(cells, (size // 2,) * 4)
    return over_windows(over_windows(padded, size, 2, torch.add), size, 3, torch.add) / (size * size)


def mean_inside(cells: Tensor, size: int) -> Tensor:
    """The same over what lies in the grid alone, (batch, 1, n, n)."""
    if torch.compiler.is_exporting():
        down = F.avg_pool2d(cells, (size, 1), stride=1, padding=(size // 2, 0), count_include_pad=False)
        return F.avg_pool2d(down, (1, size), stride=1, padding=(0, size // 2), count_include_pad=False)
    return mean_around(cells, size) / mean_around(torch.ones_like(cells[:1]), size)


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


def coarse(cells: Tensor, grid: int) -> Tensor:
    """(batch, 1, n, n) -> (batch, 1, grid, grid), means."""
    if torch.compiler.is_exporting():
        return F.avg_pool2d(cells, cells.shape[3] // grid)
    return _blocks(cells, grid).mean((3, 5))


def _blocks(cells: Tensor, grid: int) -> Tensor:
    return cells.reshape(*cells.shape[:2], grid, cells.shape[2] // grid, grid, cells.shape[3] // grid)
