"""What of a picture is paper, and how light it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adder_trainer.normalize.paper import by_tone, ground_of, paper_beside
from adder_trainer.normalize.picture import CORNER, Picture

CELLS = 32

PAPER, STROKE = 0.8, 0.2

LARGE, TINY = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)


def square(begin: int, end: int) -> Tensor:
    """1 in a square in the middle of the grid, (1, 1, CELLS, CELLS)."""
    cells = torch.zeros(1, 1, CELLS, CELLS)
    cells[:, :, begin:end, begin:end] = 1
    return cells


def written() -> Tensor:
    """A seven of bold strokes, 1 where they are."""
    ink = torch.zeros(1, 1, CELLS, CELLS)
    ink[:, :, 2:6, 4:28] = 1
    ink[:, :, 2:30, 22:26] = 1
    return ink


def nowhere() -> Tensor:
    return torch.zeros(1, 1, CELLS, CELLS)


def everywhere() -> Tensor:
    return torch.ones(1, 1, CELLS, CELLS)


@pytest.mark.parametrize("large", [LARGE, TINY], ids=["large", "tiny"])
def test_paper_is_what_is_no_ink(large: Tensor) -> None:
    ink = written()
    ground, is_paper = paper_beside(PAPER + (STROKE - PAPER) * ink, ink, everywhere(), large)
    assert ground.flatten().tolist() == pytest.approx([PAPER] * CELLS * CELLS, abs=1e-3)
    assert is_paper[ink > 0].max() < 0.01


def test_what_lies_outside_of_the_picture_is_no_paper() -> None:
    inside = square(6, 26)
    light = torch.where(inside > 0, PAPER, STROKE)
    ground, is_paper = paper_beside(light, nowhere(), inside, TINY)
    assert is_paper[inside == 0].max() == 0
    assert ground.flatten().tolist() == pytest.approx([PAPER] * CELLS * CELLS, abs=1e-4)


@pytest.mark.parametrize("sign", [1, -1], ids=["dark", "light"])
def test_frame_as_dark_as_the_ink_is_no_paper(sign: int) -> None:
    ink = square(10, 22) - square(13, 19)
    frame = square(6, 26) - square(7, 25)
    light = 0.5 + sign * (0.3 - 0.6 * torch.maximum(ink, frame))
    ground, is_paper = paper_beside(light, ink, everywhere(), LARGE)
    assert is_paper[frame > 0].max() < 0.01
    paper = 0.5 + sign * 0.3
    assert ground[ink > 0].tolist() == pytest.approx([paper] * int(ink.sum()), abs=0.01)


def test_ground_follows_the_light_in_a_large_picture_and_not_in_a_tiny_one() -> None:
    light = torch.linspace(0.2, 0.9, CELLS).expand(1, 1, CELLS, CELLS)
    assert ground_of(light, everywhere(), LARGE).std() > 0.1
    assert ground_of(light, everywhere(), TINY).std() < 1e-5


@pytest.mark.parametrize("light_ink", [False, True], ids=["dark", "light"])
def test_tone_tells_the_narrow_strokes_whichever_way_round(light_ink: bool) -> None:
    ink = written()
    light = STROKE + (PAPER - STROKE) * (ink if light_ink else 1 - ink)
    corners = nowhere()
    corners[:, :, ::31, ::31] = 1
    assert torch.allclose(by_tone(light, corners), ink, atol=1e-5)


def test_tone_of_one_light_is_finite() -> None:
    assert by_tone(torch.full((2, 1, CELLS, CELLS), 0.5), nowhere()).isfinite().all()


def test_corners_are_those_of_the_picture() -> None:
    picture = Picture.of(torch.zeros(1, 40, 20, 1, dtype=torch.uint8))
    cell = torch.ones(1, 1, 1, 1)
    corners = picture.corners(picture.size / 2, cell, 40)[0, 0]
    wide = slice(10, 30)  # the columns of the square that lie in the picture
    assert corners[0, 10] > 0.7
    assert (corners[0] == corners[-1]).all()
    assert corners[round(40 * CORNER) + 1 : -round(40 * CORNER) - 1].max() == 0
    assert corners[:, wide][:, round(20 * CORNER) + 1 : -round(20 * CORNER) - 1].max() == 0
    assert corners[0, 0] == corners[0, 10 - 1]
