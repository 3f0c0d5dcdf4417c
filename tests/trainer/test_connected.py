"""Strokes that hang together count together, and by where their ink lies."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adder_trainer.normalize.ink import STROKE_GRID, connected, labels
from adder_trainer.normalize.picture import GRID
from adder_trainer.normalize.windows import coarse_highest, finer

SIDE = GRID // STROKE_GRID
"""Cells of the first look on a side of a coarse one."""


def strokes(*boxes: tuple[int, int, int, int]) -> Tensor:
    """Ink (1, 1, GRID, GRID) in boxes of coarse cells: top, left, bottom, right."""
    cells = torch.zeros(1, 1, STROKE_GRID, STROKE_GRID)
    for top, left, bottom, right in boxes:
        cells[:, :, top:bottom, left:right] = 1
    return finer(cells, SIDE)


def kept(ink: Tensor) -> Tensor:
    """Which coarse cells of some ink count, where it lies as in a square picture."""
    place = torch.arange(GRID)
    inwards = torch.minimum(place, GRID - 1 - place)
    depth = torch.minimum(inwards[:, None], inwards)[None, None]
    found, aside = connected(ink, (depth / 14).clamp(max=1).square(), (depth == 0).float())
    inked = coarse_highest(ink, STROKE_GRID)
    assert torch.equal(found + aside, inked)
    return found


def counts(ink: Tensor, of: Tensor) -> bool:
    """Whether a stroke of some ink counts: all of it does, or none."""
    cells = kept(ink)[coarse_highest(of, STROKE_GRID) > 0]
    assert cells.min() == cells.max()
    return bool(cells.all())


DIGIT = strokes((8, 9, 10, 15), (10, 13, 16, 15))
"""A seven of about a third of the picture."""


def spiral(length: int) -> Tensor:
    """Cells (1, 1, STROKE_GRID, STROKE_GRID) of one line that winds inwards, with cells of paper between."""
    cells = torch.zeros(STROKE_GRID + 2, STROKE_GRID + 2)
    cells[0] = cells[-1] = cells[:, 0] = cells[:, -1] = 1  # the line turns before what is 1
    place, step = (2, 2), (0, 1)
    for _ in range(length):
        y, x = place
        cells[y, x] = 1
        if cells[y + 2 * step[0], x + 2 * step[1]]:
            step = step[1], -step[0]
        place = y + step[0], x + step[1]
    return cells[None, None, 1:-1, 1:-1]


def test_line_as_long_as_four_sides_is_followed_to_its_end() -> None:
    line = spiral(4 * STROKE_GRID)
    assert line.sum() == 4 * STROKE_GRID
    assert labels(line)[line > 0].unique().numel() == 1


def test_each_stroke_has_a_label_of_its_own() -> None:
    cells = coarse_highest(strokes((1, 1, 3, 3), (1, 5, 3, 7), (5, 1, 20, 2)), STROKE_GRID)
    assert labels(cells)[cells > 0].unique().numel() == 3
    assert (labels(cells)[cells == 0] == 0).all()


def test_digit_counts_in_parts() -> None:
    """A five whose upper bar does not touch the rest."""
    bar, rest = strokes((4, 8, 6, 16)), strokes((7, 8, 9, 10), (9, 8, 11, 16), (11, 14, 18, 16), (16, 8, 18, 14))
    assert counts(bar + rest, bar)
    assert counts(bar + rest, rest)


BESIDE = {
    "a speck": strokes((4, 4, 5, 6)),
    "a piece of a frame": strokes((0, 2, 1, 20)),
    "a finger that reaches in": strokes((15, 17, 20, 24)),
    "a pen that reaches in": strokes((3, 17, 4, 24)),
    "a long ruler": strokes((20, 2, 21, 22)),
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_lies_beside_a_digit_does_not_count(what: str) -> None:
    both = DIGIT + BESIDE[what]
    assert counts(both, DIGIT)
    assert not counts(both, BESIDE[what])


ALONE = {
    "a speck in one cell": strokes((5, 5, 6, 6)),
    "a one": strokes((3, 11, 21, 12)),
    "a digit at the edge": strokes((8, 0, 10, 8), (10, 6, 18, 8)),
    "a digit that fills the picture": strokes((0, 0, 4, 24), (4, 20, 24, 24)),
}


@pytest.mark.parametrize("what", ALONE)
def test_what_lies_alone_counts_wherever_it_lies(what: str) -> None:
    assert counts(ALONE[what], ALONE[what])
    assert counts(ALONE[what] + strokes((20, 2, 21, 3)), ALONE[what])


def test_nothing_counts_where_there_is_no_ink() -> None:
    assert not kept(torch.zeros(1, 1, GRID, GRID)).any()


def test_each_picture_of_a_batch_counts_on_its_own() -> None:
    inks = [DIGIT, *(DIGIT + each for each in BESIDE.values()), *ALONE.values()]
    together = kept(torch.cat(inks))
    for place, ink in enumerate(inks):
        assert torch.equal(together[place], kept(ink)[0])
