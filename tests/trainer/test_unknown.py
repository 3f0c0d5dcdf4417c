"""What is shown as no digit: nothing, scribbles, pairs and digits cut apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from adder_trainer.data import Digits
from adder_trainer.strokes import TILE, tile
from adder_trainer.unknown import UNKNOWN, cut_apart, nothing, scribble, side_by_side


def seeded(seed: int = 1) -> Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def tiles(drawn: Digits) -> Tensor:
    return tile(drawn.ink[:20], drawn.digit[:20], seeded())


@pytest.mark.parametrize("make", dict.fromkeys(UNKNOWN), ids=lambda make: make.__name__)
def test_tiles_keep_size_and_range_and_come_out_alike_again(
    make: Callable[[Tensor, Generator], Tensor], tiles: Tensor
) -> None:
    before = tiles.clone()
    first, again = (make(tiles, seeded(3)) for _ in range(2))
    assert first.shape == (20, 1, TILE, TILE)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert torch.equal(tiles, before)


def test_nothing_has_no_ink(tiles: Tensor) -> None:
    assert nothing(tiles, seeded()).max() == 0


def test_nothing_is_shown_most() -> None:
    assert max(UNKNOWN, key=UNKNOWN.count) is nothing


def test_scribbles_are_ink_of_many_shapes_that_does_not_come_from_the_digit(tiles: Tensor) -> None:
    made = scribble(tiles, seeded())
    assert (made.flatten(1).amax(1) == 1).all()
    assert len({tuple(each.flatten().tolist()) for each in made}) == 20
    assert torch.equal(made, scribble(torch.zeros_like(tiles), seeded()))


def test_pair_holds_each_digit_at_half_its_width_beside_the_one_before(tiles: Tensor) -> None:
    made = side_by_side(tiles, seeded())
    halves = tiles.unflatten(3, (TILE // 2, 2)).mean(4)
    torch.testing.assert_close(made[:, :, :, : TILE // 2], halves)
    torch.testing.assert_close(made[1:, :, :, TILE // 2 :], halves[:-1])


def test_cut_digit_keeps_its_ink_and_exchanges_its_halves(tiles: Tensor) -> None:
    made = cut_apart(tiles, seeded())
    assert made.sum((1, 2, 3)).tolist() == pytest.approx(tiles.sum((1, 2, 3)).tolist())
    half = TILE // 2
    top_down = [torch.equal(one[:, :half], two[:, half:]) for one, two in zip(made, tiles, strict=True)]
    left_right = [torch.equal(one[:, :, :half], two[:, :, half:]) for one, two in zip(made, tiles, strict=True)]
    assert all(one != two for one, two in zip(top_down, left_right, strict=True))
    assert 3 < sum(top_down) < 17
