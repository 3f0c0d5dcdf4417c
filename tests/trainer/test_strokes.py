"""Pens on tiles: thin and thick, along MNIST's own middle line."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from adder_trainer.data import Digits
from adder_trainer.hands import ADDED
from adder_trainer.strokes import TILE, WIDEST_PEN, bowed, dilate, line, skeleton, tile, with_bars


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bar(half: int = 4) -> Tensor:
    """An upright stroke, 2 * half cells wide, (1, 1, TILE, TILE)."""
    ink = torch.zeros(1, 1, TILE, TILE)
    ink[:, :, 10:46, 28 - half : 28 + half] = 1
    return ink


def width_across(ink: Tensor) -> Tensor:
    """Cells of ink in the middle row of each tile, (batch)."""
    return ink[:, 0, TILE // 2].sum(1)


def test_tiles_have_their_size_and_range_and_come_out_alike_again(drawn: Digits) -> None:
    ink, digit = drawn.ink[:40], drawn.digit[:40]
    first, again, other = (tile(ink, digit, seeded(seed)) for seed in (1, 1, 2))
    assert first.shape == (40, 1, TILE, TILE)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_tile_leaves_the_given_ink_as_it_was(drawn: Digits) -> None:
    before = drawn.ink.clone()
    tile(drawn.ink, drawn.digit, seeded())
    assert torch.equal(drawn.ink, before)


def test_digit_is_drawn_by_pens_of_many_widths(drawn: Digits) -> None:
    (three,) = (drawn.digit == 3).nonzero()[:1, 0]
    many = drawn.ink[three].expand(200, -1, -1, -1)
    area = tile(many, torch.full((200,), 3), seeded()).sum((1, 2, 3))
    assert area.max() > 3 * area.min()


def test_tile_lies_where_the_ink_lay(drawn: Digits) -> None:
    keep = ~torch.isin(drawn.digit, torch.tensor(list(ADDED)))
    tiles = tile(drawn.ink[keep], drawn.digit[keep], seeded())
    reduced = torch.nn.functional.avg_pool2d(tiles, 2)
    near = torch.nn.functional.max_pool2d(drawn.ink[keep], 5, stride=1, padding=2)
    assert (reduced * (near < 0.3)).sum() < 0.01 * reduced.sum()


def test_skeleton_of_a_bar_is_a_line_of_one_or_two_cells_in_its_middle() -> None:
    for half in (2, 4, 6):
        middle = skeleton(bar(half))[0, 0, TILE // 2]
        assert middle.nonzero()[:, 0].tolist() == [27, 28]
        assert skeleton(bar(half)).max() <= 1


def test_hairline_is_thinner_than_a_marker() -> None:
    hair = line(torch.tensor([[[28.0, 10.0, 28.0, 46.0]]]), torch.tensor([0.6])).expand(2, -1, -1, -1)
    thin, thick = dilate(hair, torch.tensor([0.0, WIDEST_PEN])).sum((1, 2, 3))
    assert thick > 4 * thin
    assert torch.equal(dilate(hair[:1], torch.zeros(1)), hair[:1])


def test_wider_pens_never_draw_less() -> None:
    radius = torch.linspace(0, WIDEST_PEN, 18)
    widths = width_across(dilate(bar(1).expand(18, -1, -1, -1), radius))
    assert (widths[1:] >= widths[:-1]).all()
    assert widths.tolist() == pytest.approx((2 + 2 * radius).tolist(), abs=1e-4)  # float32


def test_line_has_its_length_width_and_round_ends() -> None:
    ends = torch.tensor([[[20.0, 10.0, 20.0, 40.0], [10.0, 30.0, 50.0, 30.0]]])
    both = line(ends, torch.tensor([2.0]))
    assert both.shape == (1, 2, TILE, TILE)
    assert both[0, 0, :, 25].sum().item() == pytest.approx(4, abs=0.01)
    assert both[0, 0, 20].sum().item() == pytest.approx(30 + 4, abs=0.5)  # the edge is a cell wide
    assert both[0, 0].sum().item() == pytest.approx(30 * 4 + math.pi * 4, rel=0.02)
    assert both[0, 1, 30, 30] == 1
    assert both[0, 1, 30, 40] == 0


def test_line_without_length_is_a_dot() -> None:
    dot = line(torch.full((1, 1, 4), 28.0), torch.tensor([3.0]))
    assert dot.sum().item() == pytest.approx(math.pi * 9, rel=0.05)


def test_strokes_are_inked_where_they_are_drawn() -> None:
    ends = torch.tensor([20.0, 10.0, 20.0, 40.0]).expand(2, 2, 4, 4)
    ink = bowed(ends, torch.tensor([[False, True], [False, False]]), torch.tensor([2.0, 2.0]))
    assert ink.shape == (2, 1, TILE, TILE)
    assert ink[0, 0, 20, 25] == 1
    assert ink[1].sum() == 0


def test_some_strokes_become_bars_and_the_others_stay(drawn: Digits) -> None:
    tiles = tile(drawn.ink[:200], drawn.digit[:200], seeded())
    changed = (with_bars(tiles, 0.2, seeded()) != tiles).flatten(1).any(1)
    assert 20 < changed.sum() < 60
    assert torch.equal(with_bars(tiles, 0.0, seeded()), tiles)


def test_a_bar_is_straight_and_mostly_upright() -> None:
    bars = with_bars(torch.zeros(200, 1, TILE, TILE), 1.0, seeded())[:, 0]
    rows = torch.arange(TILE // 2 - 10, TILE // 2 + 10)
    inked = bars[:, rows]
    column = torch.arange(TILE) + 0.5
    middle = (inked * column).sum(2) / inked.sum(2)  # (200, rows)
    lean = (middle[:, -1] - middle[:, 0]) / (len(rows) - 1)
    straight = middle.mean(1, keepdim=True) + lean[:, None] * (rows - rows.float().mean())
    assert (middle - straight).abs().max() < 0.3
    assert lean.abs().max() > 0.2
    assert lean.abs().median() < 0.1
