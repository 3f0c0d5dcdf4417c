"""Largest values, means and blocks over windows of cells, for batches of square grids (batch, n, n)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

LARGE = 10.0
"""More than any difference of light."""


def opening(cells: Tensor, high: int, wide: int) -> Tensor:
    """Cells (batch, n, n) without what is lighter than its surroundings and holds no window of high x wide cells.

    Source: Serra 1982, "Image Analysis and Mathematical Morphology"; only windows that lie in the picture count.
    """
    return highest(around(-highest(-cells, high, wide), high - 1, wide - 1), high, wide)


def highest(cells: Tensor, high: int, wide: int) -> Tensor:
    """The largest value in each window of high x wide cells that lies in the picture, (batch, fewer, fewer)."""
    if torch.compiler.is_exporting():
        # the same value, from fewer nodes
        down = F.max_pool2d(cells[:, None], (high, 1), stride=1)
        return F.max_pool2d(down, (1, wide), stride=1)[:, 0]
    return over_windows(over_windows(cells, high, 1, torch.maximum), wide, 2, torch.maximum)


def mean_of(cells: Tensor, size: int) -> Tensor:
    """Mean over the window of size x size cells (odd) around each cell, (batch, n, n); outside lies 0."""
    if torch.compiler.is_exporting():
        # the same but for the order of adding, from fewer nodes
        down = F.avg_pool2d(cells[:, None], (size, 1), stride=1, padding=(size // 2, 0))
        return F.avg_pool2d(down, (1, size), stride=1, padding=(0, size // 2))[:, 0]
    padded = F.pad(cells, (size // 2,) * 4)
    return over_windows(over_windows(padded, size, 1, torch.add), size, 2, torch.add) / (size * size)


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


def around(cells: Tensor, high: int, wide: int) -> Tensor:
    """The cells with some that are never the highest around them."""
    return F.pad(cells, (wide, wide, high, high), value=-LARGE)


def coarse(cells: Tensor, grid: int) -> Tensor:
    """(batch, n, n) -> (batch, grid, grid), means."""
    return blocks(cells, grid).mean((2, 4))


def blocks(cells: Tensor, grid: int) -> Tensor:
    """(batch, n, n) -> (batch, grid, n / grid, grid, n / grid): the cells of each coarser cell."""
    return cells.reshape(cells.shape[0], grid, cells.shape[1] // grid, grid, cells.shape[2] // grid)


def finer(cells: Tensor, side: int) -> Tensor:
    """(batch, n, n) -> (batch, n * side, n * side), each cell as a block."""
    batch, grid = cells.shape[:2]
    return cells[:, :, None, :, None].expand(batch, grid, side, grid, side).reshape(batch, grid * side, grid * side)
