"""The table under a sheet goes, on the grid of the first look; what is no table stays."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from torch import Tensor

from adder_runtime.pictures import draw_digit
from adder_trainer.normalize.picture import GRID
from adder_trainer.normalize.table import nothing_beside, without_table

PAPER, INK, TABLE = 0.9, 0.15, 0.35

PLACE = (torch.arange(GRID) + 0.5 - GRID / 2)[:, None], torch.arange(GRID) + 0.5 - GRID / 2
"""Down and across from the middle, in cells."""


def soft(distance: Tensor) -> Tensor:
    """1 inside, 0 outside of an edge that is one cell wide."""
    return (distance + 0.5).clamp(0, 1)


def sheet(high: float, wide: float, *, turned: float = 0.0) -> Tensor:
    """1 on a sheet in the middle of the picture, so many cells high and wide, turned by some degrees, (GRID, GRID)."""
    y, x = PLACE
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    down, across = y * cos - x * sin, y * sin + x * cos
    return soft(high / 2 - down.abs()) * soft(wide / 2 - across.abs())


def written(digit: int, side: int, pen: float = 0.11) -> Tensor:
    """A digit's ink in the middle of the picture, in a frame of so many cells, (GRID, GRID)."""
    ink = torch.zeros(GRID, GRID)
    begin = (GRID - side) // 2
    ink[begin : begin + side, begin : begin + side] = torch.from_numpy(draw_digit(digit, side, side, pen=pen))
    return ink


def lit(paper: Tensor, ink: Tensor, table: float = TABLE) -> Tensor:
    """The light of some paper on a table with some ink on it, (1, 1, GRID, GRID)."""
    light = table + paper * (PAPER - table)
    return (light + ink * (INK - light))[None, None]


HALF = soft(PLACE[1] + 20).expand(GRID, GRID)

PAPERS = {
    "a card": sheet(60, 70),
    "a turned card": sheet(60, 50, turned=12),
    "a sheet beside a table": HALF,
    "a sheet in a corner": HALF * soft(25 - PLACE[0]),
    "a sheet that lies askew": soft(PLACE[1] + 0.2 * PLACE[0] + 25),
    "bars on both sides": sheet(2 * GRID, 64),
    "bars above and below": sheet(64, 2 * GRID),
}


@pytest.mark.parametrize("table", [TABLE, 0.0, 1.0], ids=["dark", "black", "white"])
@pytest.mark.parametrize("paper", PAPERS)
def test_table_becomes_paper_and_the_digit_stays(paper: str, table: float) -> None:
    digit = written(5, 32)
    tone = 0.5 if table == 1 else PAPER
    light = table + PAPERS[paper] * (tone - table)
    light = light + digit * (INK - light)
    found, is_table = without_table(light[None, None]).chunk(2, 1)
    wanted = tone + digit * (INK - tone)
    assert (found[0, 0] - wanted).abs().max() < 0.08  # the edge's own cells are of both tones
    assert (is_table[0, 0][PAPERS[paper] == 0] == 1).all()
    assert (is_table[0, 0][digit > 0] == 0).all()


FALLS = {
    "from the left": 0.3 + 0.7 * (PLACE[1] / GRID + 0.5).expand(GRID, GRID),
    "from a corner": 0.3 + 0.7 * (PLACE[0] + PLACE[1] + GRID) / (2 * GRID),
}
"""Light that falls off to three tenths across the picture, (GRID, GRID)."""


@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.parametrize("paper", PAPERS)
def test_table_is_found_though_the_light_falls_off(paper: str, fall: str) -> None:
    digit = written(5, 32)
    light = lit(PAPERS[paper], digit)[0, 0] * FALLS[fall]
    found, is_table = without_table(light[None, None]).chunk(2, 1)
    wanted = lit(torch.ones(GRID, GRID), digit)[0, 0] * FALLS[fall]
    assert (is_table[0, 0][PAPERS[paper] == 0] == 1).all()
    assert (is_table[0, 0][digit > 0] == 0).all()
    assert ((found[0, 0] - wanted).abs() / FALLS[fall]).max() < 0.25  # a table that stayed is 0.55 away


@pytest.mark.parametrize("pen", [0.11, 0.2, 0.26])
@pytest.mark.parametrize("digit", range(10))
def test_digit_on_a_card_may_be_bold(digit: int, pen: float) -> None:
    light = lit(sheet(70, 70), written(digit, 36, pen))
    is_table = without_table(light)[0, 1]
    assert (is_table[sheet(70, 70) == 0] == 1).all()
    assert (is_table[sheet(64, 64) == 1] == 0).all()


def block_zero(thick: float, high: float = 84, wide: float = 50) -> Tensor:
    """Ink of a zero with corners, as seven segments show it, (GRID, GRID)."""
    return sheet(high, wide) * (1 - sheet(high - 2 * thick, wide - 2 * thick))


@pytest.mark.parametrize("thick", [4, 8, 12, 16])
def test_no_zero_with_corners_is_a_sheet_with_a_one_on_it(thick: int) -> None:
    for ink in (block_zero(thick), block_zero(thick, wide=72)):
        for light in (ink, 1 - ink, 0.3 + 0.5 * ink):
            assert not without_table(light[None, None])[:, 1].any()


def shadow(width: float) -> Tensor:
    """Light (GRID, GRID) as a share, half of it in a shadow whose edge is so many cells wide."""
    return 1 - 0.4 * torch.sigmoid((PLACE[1] + 20) / width * 4).expand(GRID, GRID)


ALONE = {
    "a digit": lit(torch.ones(GRID, GRID), written(5, 60)),
    "light that falls off": lit(torch.ones(GRID, GRID), written(5, 32)) * (0.4 + 0.6 * (PLACE[1] / GRID + 0.5)),
    "a soft shadow": lit(torch.ones(GRID, GRID), written(5, 32)) * shadow(30),
    "a card with nothing on it": lit(PAPERS["a turned card"], torch.zeros(GRID, GRID)),
    "paper with nothing on it": lit(torch.ones(GRID, GRID), torch.zeros(GRID, GRID)),
    "a pen": lit(1 - soft(3 - (PLACE[0] + 30 - 0.1 * PLACE[1]).abs()), written(5, 40), INK),
}


@pytest.mark.parametrize("picture", ALONE)
def test_what_is_no_table_stays_as_it_is(picture: str) -> None:
    assert torch.equal(without_table(ALONE[picture]), nothing_beside(ALONE[picture]))


@pytest.mark.parametrize("pen", [0.08, 0.14, 0.2, 0.26])
@pytest.mark.parametrize("digit", range(10))
def test_no_digit_is_a_sheet_with_its_hole_for_a_stroke(digit: int, pen: float) -> None:
    for side in (60, 80, 96):
        for light in (written(digit, side, pen), 1 - written(digit, side, pen)):
            assert not without_table(light[None, None])[:, 1].any()


def test_each_picture_of_a_batch_is_looked_at_on_its_own() -> None:
    on_paper = partial(lit, ink=written(5, 32))
    pictures = [*(on_paper(paper) for paper in PAPERS.values()), *ALONE.values()]
    together = without_table(torch.cat(pictures))
    for place, light in enumerate(pictures):
        assert torch.equal(together[place], without_table(light)[0])
