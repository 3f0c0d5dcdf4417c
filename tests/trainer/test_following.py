"""What was found is followed where it goes on, to the picture's edge and into no frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from adder_runtime.image_file import Pixels
from adder_trainer.normalize import Normalizer
from adder_trainer.normalize.following import RUN, along_edges, follow, seen_at, together

CELLS = 32

WHOLE = torch.full((1, 2, 1, 1), float(CELLS))
"""Size of a square picture, in cells."""

FOUR = ((0, 10, 16, 5), (16, 5, 12, 22), (9, 17, 28, 15))
"""Strokes of a four, from row and column to row and column: the first and the last run to the edge of 28 x 28."""

EDGE = 1.5
"""Pixels by which the box may end before the edge to which a stroke runs."""


def drawn(*lines: tuple[int, int, int, int]) -> Pixels:
    """Lines two pixels wide, black on white, (28, 28, 1)."""
    y, x = np.mgrid[:28, :28] + 0.5
    light = np.ones((28, 28))
    for top, left, bottom, right in lines:
        along = np.array([bottom - top, right - left]) / np.hypot(bottom - top, right - left)
        far = np.hypot(bottom - top, right - left)
        at = (y - top) * along[0] + (x - left) * along[1]
        aside = np.abs((y - top) * along[1] - (x - left) * along[0])
        light[(at >= -0.5) & (at <= far + 0.5) & (aside <= 1)] = 0
    return (255 * light[:, :, None]).astype(np.uint8)


def cells(*boxes: tuple[int, int, int, int]) -> Tensor:
    """A grid that is 1 in some boxes (top, left, bottom, right), (1, 1, CELLS, CELLS)."""
    grid = torch.zeros(1, 1, CELLS, CELLS)
    for top, left, bottom, right in boxes:
        grid[..., top:bottom, left:right] = 1
    return grid


def followed(like_ink: Tensor, kept: Tensor) -> Tensor:
    return follow(like_ink, like_ink * (1 - kept), kept, kept, WHOLE)


@pytest.mark.parametrize("turns", range(4))
def test_strokes_that_run_to_the_edge_are_in_the_box(turns: int) -> None:
    pixels = np.rot90(drawn(*FOUR), turns).copy()
    top, left, bottom, right = Normalizer()(torch.from_numpy(pixels)[None]).box[0].tolist()
    ends = (top, 28 - bottom) if turns % 2 == 0 else (left, 28 - right)
    assert max(ends) <= EDGE


DIGIT, LEG = (8, 10, 24, 20), (24, 14, CELLS, 16)
"""Boxes of what was found, and of a stroke below it that was not."""


def test_stroke_that_was_not_found_is_followed() -> None:
    assert torch.equal(followed(cells(DIGIT, LEG), cells(DIGIT)), cells(LEG))


NO_STROKES = {
    "a stroke apart": [(26, 24, CELLS, 26)],
    "a stroke that ends before the edge": [(12, 11, 14, 18)],
    "a frame's line below": [(30, 6, CELLS, 6 + RUN)],
    "lines of squared paper": [(row, 0, row + 1, CELLS) for row in (10, 16, 22)],
    "more than a stroke": [(20, 11, CELLS, 17)],
}


@pytest.mark.parametrize("what", NO_STROKES)
def test_what_is_no_stroke_of_it_is_not_followed(what: str) -> None:
    digit = cells((8, 8, 30, 11))
    assert followed(torch.maximum(digit, cells(*NO_STROKES[what])), digit).max() == 0


def test_lines_along_the_edges_are_told_from_strokes_that_end_there() -> None:
    along = (0, 4, 2, 4 + RUN), (10, CELLS - 2, 10 + RUN, CELLS)
    others = (20, 10, CELLS, 12), (14, 6, 15, 26)  # ends at an edge; far from all
    assert torch.equal(along_edges(cells(*along, *others), WHOLE), cells(*along))


def test_what_is_followed_is_seen_elsewhere_with_the_cells_beside_it() -> None:
    where = (torch.arange(4) + 4.5).expand(1, 2, 1, 4)
    assert seen_at(cells((6, 6, 7, 7)), where)[0, 0].tolist() == [[0, 0, 0, 0], *[[0, 1, 1, 1]] * 3]


def test_specks_far_from_the_strokes_do_not_hang_together_with_them() -> None:
    found = torch.zeros(1, 1, 48, 48)
    found[..., 10:20, 5:8] = 1
    found[..., 22:26, 5:8] = 1  # below it, over a gap
    found[..., 40:42, 40:42] = 1
    kept = together(found)
    assert kept[..., :30, :].sum() == found[..., :30, :].sum()
    assert kept[..., 30:, :].sum() == 0
