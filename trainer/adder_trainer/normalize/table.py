"""What the paper lies on: a table along some sides of a photo or all around, bars beside it, the shadow of a hand.

From one side of the picture inwards all is of about that side's tone, up to an edge, and beyond the edge lies something
broad with strokes in it: that is the paper, and what leads up to it is the table. Where the strokes are in what leads
up to it, it is the paper itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.normalize.ink import GRIDS, LEAST_CONTRAST, ramp, strongest
from adder_trainer.normalize.pen import narrower
from adder_trainer.normalize.picture import GRID
from adder_trainer.normalize.windows import coarse, finer, highest_around, opening

TABLE_GRID = 24
"""Cells on a side of the grid on which this is looked for."""

AXES = (2, 3)

SAME_TONE = 0.35, 0.45
"""Shares of the way to the tone that is furthest from a side's, up to which all is of that side's tone, and from which
on nothing is."""

ALL_ALONG = 0.85
"""Share of a side that is of one tone, if it is a table's."""

FURTHER = 24
"""Cells that a table is followed over."""

BROAD = 4
"""Cells on a side of a square that paper holds everywhere."""

NARROW = 9
"""What is narrower than this many cells of the first look is a stroke."""

MORE = 1.4
"""How many times stronger the strokes on the paper are than any on the table."""

LEAST_STROKE = 1.5
"""How many times LEAST_CONTRAST they have."""

FAT = 0.25
"""Mean width of the paper without its strokes, as a share of its longer side: that of strokes is less."""


def without_table(light: Tensor) -> tuple[Tensor, Tensor]:
    """The first look with the paper's tone in place of what the paper lies on, and 1 where that is, 0 on paper.

    Args:
        light: (batch, 1, GRID, GRID).

    Returns:
        (batch, 1, GRID, GRID) each.
    """
    cells = coarse(light, TABLE_GRID)
    sides = torch.cat([cells[:, :, :1].mean(3, keepdim=True), cells[:, :, -1:].mean(3, keepdim=True),
                       cells[:, :, :, :1].mean(2, keepdim=True), cells[:, :, :, -1:].mean(2, keepdim=True)], 1)  # (batch, 4, 1, 1)
    away = (cells - sides).abs()
    furthest = away.amax(AXES, keepdim=True).clamp(min=LEAST_CONTRAST)
    same = 1 - ramp(away / furthest, SAME_TONE)
    place = torch.arange(TABLE_GRID, device=light.device)
    last = TABLE_GRID - 1
    seeds = torch.stack([(place == 0)[:, None] | (place < 0), (place == last)[:, None] | (place < 0), (place == 0) | (place < 0)[:, None], (place == last) | (place < 0)[:, None]]).to(light.dtype)[None]
    is_same = (same > 0.5).to(light.dtype)
    table = seeds * is_same
    is_along = table.sum(AXES, keepdim=True) > ALL_ALONG * TABLE_GRID
    for _ in range(FURTHER):
        table = _around(table) * is_same
    fine = (light - sides).abs() / furthest
    is_side, _, _ = judged(light, table, is_along, fine)
    table = (table * is_side).amax(1, keepdim=True)
    fine = (fine + (1 - is_side)).amin(1, keepdim=True)
    is_found, paper, _ = judged(light, table, is_side.amax(1, keepdim=True) > 0.5, fine)
    table = table * is_found
    # its edge, where it is sharp
    shown = finer(highest_around(table, 3, 3), GRID // TABLE_GRID)
    beside = 1 - ramp(fine, (0.5, 0.75))
    table = highest_around(shown * beside, 3, 3)
    paper = finer(paper, GRID // TABLE_GRID) * (1 - table)
    tone = (light * paper).sum(GRIDS, keepdim=True) / paper.sum(GRIDS, keepdim=True).clamp(min=1)
    return light + table * (tone - light), table


def judged(light: Tensor, table: Tensor, is_along: Tensor, away: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether what is left beside a table is paper with strokes on it, (batch, n, 1, 1), and where that is."""
    n = table.shape[1]
    paper = _opening(1 - table)
    rows = table.shape[0]
    stroke = narrower(light, NARROW)
    stroke_cells = coarse_max(stroke)
    inner = 1 - _around(1 - paper)
    outer = 1 - _around(paper)
    within = third(stroke_cells * inner)
    without = third(coarse_max(stroke * ramp(away, (0.1, 0.25))) * outer)
    plain = paper * (stroke_cells < 0.4 * within).to(light.dtype)
    outline = (plain[:, :, 1:] - plain[:, :, :-1]).abs().sum(AXES, keepdim=True) + (plain[:, :, :, 1:] - plain[:, :, :, :-1]).abs().sum(AXES, keepdim=True)
    area = plain.sum(AXES, keepdim=True)
    width = area / (outline / (2 * 1.27)).clamp(min=1)
    longer = torch.maximum(paper.amax(3, keepdim=True).sum(2, keepdim=True), paper.amax(2, keepdim=True).sum(3, keepdim=True))
    ok = is_along & (within > LEAST_STROKE * LEAST_CONTRAST) & (within > MORE * without) & (width > FAT * longer)
    global LAST
    LAST = dict(within=within.flatten(), without=without.flatten(), width=width.flatten(), longer=longer.flatten(), along=is_along.flatten(), ok=ok.flatten())
    return ok.to(light.dtype), plain, within


def third(values: Tensor) -> Tensor:
    b, n = values.shape[:2]
    return values.reshape(b, n, 1, -1).topk(3, dim=3).values[:, :, :, 2:]


def coarse_max(x: Tensor) -> Tensor:
    from adder_trainer.normalize.windows import coarse_highest
    return coarse_highest(x, TABLE_GRID)


def _around(x: Tensor) -> Tensor:
    b, n = x.shape[:2]
    return highest_around(x.reshape(b * n, 1, TABLE_GRID, TABLE_GRID), 3, 3).reshape(b, n, TABLE_GRID, TABLE_GRID)


def _opening(x: Tensor) -> Tensor:
    b, n = x.shape[:2]
    return opening(x.reshape(b * n, 1, TABLE_GRID, TABLE_GRID), BROAD, BROAD).reshape(b, n, TABLE_GRID, TABLE_GRID)
