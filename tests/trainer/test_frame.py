"""What lies around the paper goes, on the grid of the first look; a digit's own strokes stay."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adder_trainer.normalize.frame import LEAST_RING, beside_bands, box, is_large, ring, without_frame
from adder_trainer.normalize.picture import GRID


def grid(light: float = 0.0) -> Tensor:
    return torch.full((1, 1, GRID, GRID), light)


def filled(values: Tensor, begin: int, end: int, light: float) -> Tensor:
    """A square from one place to another, down and across alike."""
    values = values.clone()
    values[:, :, begin:end, begin:end] = light
    return values


def with_digit(values: Tensor, light: float) -> Tensor:
    """A seven in the middle: a bar and a stem, both thin."""
    values = values.clone()
    values[:, :, 34:38, 36:60] = light
    values[:, :, 34:66, 56:60] = light
    return values


def test_box_holds_the_middles_of_its_cells() -> None:
    inside = box(torch.tensor([10.0, 20.0]).reshape(1, 2, 1, 1), torch.tensor([12.0, 23.0]).reshape(1, 2, 1, 1))
    assert inside.sum() == 2 * 3
    assert inside[0, 0, 10:12, 20:23].all()


def test_ring_is_what_has_a_line_near_each_side() -> None:
    framed = filled(filled(grid(), 10, 80, 1.0), 12, 78, 0.0)
    begin, end, is_ring = ring(framed)
    assert is_ring.all()
    assert begin.flatten().tolist() == [12, 12]
    assert end.flatten().tolist() == [78, 78]


def test_ring_of_paper_begins_where_the_paper_does() -> None:
    """All of it are lines, of which the first two count."""
    begin, end, is_ring = ring(filled(grid(), 10, 80, 1.0))
    assert is_ring.all()
    assert begin.flatten().tolist() == [12, 12]
    assert end.flatten().tolist() == [78, 78]


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_three_sides_are_no_ring(side: str) -> None:
    framed = filled(filled(grid(), 10, 80, 1.0), 13, 77, 0.0)
    # a gap where that side was, and a dot that holds the box where it is
    if side in ("top", "bottom"):
        row = slice(10, 13) if side == "top" else slice(77, 80)
        framed[:, :, row, 30:60] = 0
    else:
        column = slice(10, 13) if side == "left" else slice(77, 80)
        framed[:, :, 30:60, column] = 0
    assert not ring(framed)[2].any()


def test_what_is_small_is_no_ring() -> None:
    assert not ring(filled(grid(), 40, 40 + LEAST_RING - 2, 1.0))[2].any()


def test_nothing_is_no_ring() -> None:
    assert not ring(grid())[2].any()


def test_what_is_large_is_so_beside_its_box() -> None:
    begin, end = (torch.full((1, 2, 1, 1), place) for place in (10.0, 80.0))
    assert is_large(filled(grid(), 30, 60, 1.0), begin, end)
    assert not is_large(filled(grid(), 30, 36, 1.0), begin, end)
    assert not is_large(grid(), begin, end)


PAPER, INK = 0.9, 0.2

AROUND = {
    "a frame at the edge": filled(grid(INK), 4, 92, PAPER),
    "a frame with a margin": filled(filled(grid(PAPER), 8, 88, INK), 11, 85, PAPER),
    "a card on a table": filled(grid(INK), 20, 76, PAPER),
}


@pytest.mark.parametrize("around", AROUND)
def test_frame_becomes_paper(around: str) -> None:
    light, inside = without_frame(with_digit(AROUND[around], INK))
    assert torch.allclose(light, with_digit(grid(PAPER), INK), atol=1e-5)
    assert inside[0, 0, 48, 48] == 1
    assert inside[0, 0, 2, 2] == 0


def test_digit_near_a_mat_is_not_cut() -> None:
    mat = filled(grid(INK), 12, 84, PAPER)
    mat[:, :, 16:60, 40:44] = INK
    light, _ = without_frame(mat)
    wanted = grid(PAPER)
    wanted[:, :, 16:60, 40:44] = INK
    assert torch.allclose(light, wanted, atol=1e-5)


KEPT = {
    "paper alone": grid(PAPER),
    "a digit on its paper": with_digit(grid(PAPER), INK),
    "a frame with nothing inside": AROUND["a frame at the edge"],
    "a square zero": filled(filled(grid(PAPER), 20, 76, INK), 32, 64, PAPER),
    "a bar": torch.cat([grid(PAPER)[:, :, :, :40], grid(INK)[:, :, :, :10], grid(PAPER)[:, :, :, :46]], 3),
    "light that falls off": torch.linspace(0, 1, GRID).expand(1, 1, GRID, GRID),
}


@pytest.mark.parametrize("picture", KEPT)
def test_what_has_no_frame_stays_as_it_is(picture: str) -> None:
    light, inside = without_frame(KEPT[picture])
    assert torch.equal(light, KEPT[picture])
    assert inside.all()


def test_each_picture_of_a_batch_is_looked_at_on_its_own() -> None:
    pictures = [*AROUND.values(), *KEPT.values()]
    together, inside = without_frame(torch.cat([with_digit(each, INK) for each in pictures]))
    for place, each in enumerate(pictures):
        alone, inside_alone = without_frame(with_digit(each, INK))
        assert torch.equal(together[place], alone[0])
        assert torch.equal(inside[place], inside_alone[0])


def band(first: int, last: int, *, down: bool) -> Tensor:
    values = grid()
    values[:, :, first:last] = 1.0
    return values if down else values.transpose(2, 3)


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize(("first", "last"), [(0, 12), (80, GRID), (0, 1)])
def test_band_along_a_side_is_beside_the_paper(first: int, last: int, down: bool) -> None:
    beside = beside_bands(with_digit(band(first, last, down=down), 1.0))
    assert torch.equal(beside, 1 - band(first, last, down=down))


def test_shadow_along_a_side_is_not() -> None:
    assert beside_bands(with_digit(band(0, 12, down=True) / 2, 1.0)).all()


def test_band_that_the_digit_grows_from_is_not() -> None:
    """The bar of a seven that is cut to its ink."""
    seven = band(0, 12, down=True)
    seven[:, :, 12:, 60:72] = 1.0
    assert beside_bands(seven).all()


def test_bar_beside_nothing_is_not() -> None:
    """A one that stands at the picture's edge."""
    assert beside_bands(band(0, 20, down=False)).all()
