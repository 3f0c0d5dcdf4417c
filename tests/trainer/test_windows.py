"""Largest values and means over windows of cells: in blocks, means are nearly those of the cells themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.normalize.windows import BLOCK, coarse, highest_around, in_blocks, mean_inside

SIZES = [(64, 17), (96, 21), (128, 25)]


def around(cells: Tensor, size: int) -> Tensor:
    """Mean of each cell's window, of what of it lies in the grid."""
    return F.avg_pool2d(cells, size, stride=1, padding=size // 2, count_include_pad=False)


@pytest.mark.parametrize(("high", "wide"), [(3, 3), (1, 3), (7, 1), (17, 17)])
def test_largest_values_are_those_of_a_pooling_layer(high: int, wide: int) -> None:
    cells = torch.rand(4, 1, 30, 41, generator=torch.Generator().manual_seed(1)) * 2 - 1
    pooled = F.max_pool2d(cells, (high, wide), stride=1, padding=(high // 2, wide // 2))
    assert torch.equal(highest_around(cells, high, wide), pooled)


@pytest.mark.parametrize(("grid", "size"), SIZES)
def test_each_window_is_shared_out_wholly(grid: int, size: int) -> None:
    shares = in_blocks(grid, size, torch.device("cpu"))
    assert shares.shape == (grid, grid // BLOCK)
    torch.testing.assert_close(shares.sum(1), torch.ones(grid))
    # what is further away than half a window counts for nothing
    cell, block = torch.arange(grid)[:, None] + 0.5, BLOCK * (torch.arange(grid // BLOCK) + 0.5)
    assert shares[(cell - block).abs() >= (size + BLOCK) / 2].max() == 0


@pytest.mark.parametrize(("grid", "size"), SIZES)
def test_mean_in_blocks_is_nearly_that_of_cells(grid: int, size: int) -> None:
    torch.manual_seed(grid)
    # neither turned nor mirrored it is the same
    cells = torch.rand(2, 1, grid, grid) * torch.linspace(0, 1, grid) + torch.linspace(0, 2, grid)[:, None]
    difference = mean_inside(cells, in_blocks(grid, size, cells.device)) - around(cells, size)
    assert difference.abs().max() < 0.03
    even = torch.full((1, 1, grid, grid), 0.7)
    torch.testing.assert_close(mean_inside(even, in_blocks(grid, size, cells.device)), even)


def test_blocks_are_averaged() -> None:
    cells = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert coarse(cells, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
