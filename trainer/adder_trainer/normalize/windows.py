"""Largest values, means and blocks over windows of cells, for batches of square grids (batch, 1, n, n)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

LARGE = 10.0
"""More than any difference of light."""

SMALL_WINDOW = 3
"""Cells on a side up to which the exported graph looks at a window in one node; for larger ones two are faster."""


def opening(cells: Tensor, high: int, wide: int) -> Tensor:
    """Cells (batch, 1, n, n) without what is lighter than its surroundings and holds no window of high x wide cells.

    Source: Serra 1982, "Image Analysis and Mathematical Morphology"; only windows that lie in the picture count.
    """
    inside = F.pad(-highest(-cells, high, wide), (wide - 1, wide - 1, high - 1, high - 1), value=-LARGE)
    return highest(inside, high, wide)


def highest(cells: Tensor, high: int, wide: int) -> Tensor:
    """The largest value in each window of high x wide cells that lies in the picture, (batch, 1, fewer, fewer)."""
    if torch.compiler.is_exporting():
        return _pool(cells, high, wide)
    return over_windows(over_windows(cells, high, 2, torch.maximum), wide, 3, torch.maximum)


def highest_around(cells: Tensor, high: int, wide: int) -> Tensor:
    """The largest value in the window of high x wide cells (odd) around each cell, (batch, 1, n, n)."""
    if torch.compiler.is_exporting():
        return _pool(cells, high, wide, padded=True)
    padded = F.pad(cells, (wide // 2, wide // 2, high // 2, high // 2), value=-LARGE)
    return highest(padded, high, wide)


def _pool(cells: Tensor, high: int, wide: int, *, padded: bool = False) -> Tensor:
    # the same value as from `over_windows`, from fewer nodes
    windows = [(high, wide)] if max(high, wide) <= SMALL_WINDOW else [(high, 1), (1, wide)]
    for y, x in windows:
        if (y, x) != (1, 1):
            cells = F.max_pool2d(cells, (y, x), stride=1, padding=(y // 2, x // 2) if padded else 0)
    return cells


def mean_around(cells: Tensor, size: int) -> Tensor:
    """Mean over the window of size x size cells (odd) around each cell, (batch, 1, n, n); outside lies 0."""
    if torch.compiler.is_exporting():
        # the same but for the order of adding, from fewer nodes
        down = F.avg_pool2d(cells, (size, 1), stride=1, padding=(size // 2, 0))
        return F.avg_pool2d(down, (1, size), stride=1, padding=(0, size // 2))
    padded = F.pad(cells, (size // 2,) * 4)
    return over_windows(over_windows(padded, size, 2, torch.add), size, 3, torch.add) / (size * size)


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


def coarse_highest(cells: Tensor, grid: int) -> Tensor:
    """(batch, 1, n, n) -> (batch, 1, grid, grid), largest values."""
    if torch.compiler.is_exporting():
        return F.max_pool2d(cells, cells.shape[3] // grid)
    return _blocks(cells, grid).amax((3, 5))


def _blocks(cells: Tensor, grid: int) -> Tensor:
    return cells.reshape(*cells.shape[:2], grid, cells.shape[2] // grid, grid, cells.shape[3] // grid)


def finer(cells: Tensor, side: int) -> Tensor:
    """(batch, 1, n, n) -> (batch, 1, n * side, n * side), each cell as a block."""
    batch, _, grid, _ = cells.shape
    if torch.compiler.is_exporting():
        # the same; ONNX Runtime takes a third of the time for it
        wide = torch.cat([cells[..., None]] * side, 4).reshape(batch, 1, grid, grid * side)
        return torch.cat([wide] * side, 3).reshape(batch, 1, grid * side, grid * side)
    return (
        cells.reshape(batch, 1, grid, 1, grid, 1)
        .expand(-1, -1, -1, side, -1, side)
        .reshape(batch, 1, grid * side, grid * side)
    )
