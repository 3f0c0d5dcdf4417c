"""What the paper lies on: a table along some sides of a photo or all around, or bars beside it.

From one side of the picture inwards all is of that side's tone, up to a sharp edge, and beyond the edge lies something
broad with strokes on it. That is the paper then, and what leads up to it is the table. From a side of the paper itself
the same way leads to the strokes, which are not broad, or to the table, on which there are none.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.normalize.ink import GRIDS, LEAST_CONTRAST, extent, outline, profiles, ramp, strongest
from adder_trainer.normalize.pen import narrower
from adder_trainer.normalize.picture import GRID, branch
from adder_trainer.normalize.windows import coarse, coarse_highest, finer, highest_around, opening

TABLE_GRID = 24
"""Cells on a side of the grid on which all this is looked for."""

DARKEST = 0.03
"""Light, 0 to 1, below which how it falls off is not asked."""

STEP_OF_LIGHT = 0.06, 0.1
"""Logarithm of the ratio of neighbouring cells up to which a step is the light's, and from which on it is an edge."""

SAME_TONE = 0.4
"""Share of the way to the tone that is furthest from a side's, up to which all is of that side's tone."""

ALL_ALONG = 0.85
"""Share of the side that is of its tone."""

FOLLOWED = 18
"""Cells over which the table is followed, from all sides where its tone is."""

BROAD = 5
"""Cells on a side of a square that fits everywhere into the paper."""

STROKE = 11
"""What is narrower than this many cells of the first look is a stroke."""

OTHER_TONE = 0.1, 0.25
"""How far from the tone of what it lies on a stroke begins to be one, and wholly is, as shares of the step between
table and paper: these may be as narrow themselves."""

PLAIN = 0.4
"""Share of the strongest strokes on the paper, up to which a cell is plain paper."""

STANDS_OUT, OF_OTHERS, OF_STEP = 1.5 * LEAST_CONTRAST, 2.0, 0.3
"""What the strokes on the paper have at least: so much of the light, as a share of what strokes elsewhere have, and as
a share of the step from the table to the paper."""

HOLE = 6
"""Cells on the paper of another tone that are no stroke's, from which on it is no paper but a digit with a hole."""

LEAST_STEP = 2 * LEAST_CONTRAST
"""Of that step, in units of the light."""

SHARP = 0.4, 0.6
"""Shares of that step which the table's edge has to have within three cells of the first look: a shadow has less."""

ALL_SHARP = 0.8
"""Share of the table's edge that has it."""

FAT, MARGIN = 0.25, 0.25
"""Mean width of the plain paper, and the widest margin around the strokes, as shares of the paper's longer side: a bold
zero is a sheet with a stroke in its middle, but a narrow one."""

FULL_WIDTH, OF_ROWS, MARGIN_OF_SHEET = 0.8, 0.72, 0.2
"""A sheet is as wide as that share of its widest row in so many of its rows, and as high in so many columns: an oval is
in 0.6 of them. So much of a sheet's longer side is enough then of a margin, and the digit may be as bold as it will. A
zero with corners whose strokes are bolder than a fifth of its height would be a sheet with a one on it."""

LEAST_PAPER = 20
"""Cells of plain paper that are left between all tables."""

SOFT = 0.5, 0.75
"""Shares as of SAME_TONE at which a cell of the first look at the table's edge begins to be the paper's, and is."""


def without_table(light: Tensor) -> Tensor:
    """The first look with the paper's tone in place of the table's, and 1 where the table is, (batch, 2, GRID, GRID).

    Args:
        light: (batch, 1, GRID, GRID).
    """
    gain = gain_of_light(coarse(light, TABLE_GRID))
    even = light * gain
    cells = coarse(even, TABLE_GRID)
    sides = torch.cat([each.mean(GRIDS, keepdim=True) for each in along_sides(cells)], 1)  # (batch, 4, 1, 1)
    furthest = (cells - sides).abs().amax((2, 3), keepdim=True).clamp(min=LEAST_CONTRAST)
    is_same = ((cells - sides).abs() < SAME_TONE * furthest).to(light.dtype)
    of_tone = [along_sides(is_same[:, side : side + 1])[side].mean(GRIDS, keepdim=True) for side in range(4)]
    is_along = torch.cat(of_tone, 1) > ALL_ALONG
    is_broad = opening(1 - is_same, BROAD, BROAD).amax((2, 3), keepdim=True) > 0.5
    given = light, gain, even, cells, sides, furthest, is_same, is_along
    return branch((is_along & is_broad).any(), without_those_found, as_it_was, given)


def gain_of_light(cells: Tensor) -> Tensor:
    """What to multiply light by that falls off across the picture, (batch, 1, GRID, GRID).

    Where neighbouring cells differ by little they are of one thing, be it paper or table, and it is the light that
    differs: by the same ratio on both.

    Args:
        cells: (batch, 1, TABLE_GRID, TABLE_GRID) light.
    """
    log = cells.clamp(min=DARKEST).log()
    place = (torch.arange(GRID, device=cells.device) + (0.5 - GRID / 2)) * (TABLE_GRID / GRID)
    down, across = log[:, :, 1:] - log[:, :, :-1], log[:, :, :, 1:] - log[:, :, :, :-1]

    def slope(steps: Tensor) -> Tensor:
        share = 1 - ramp(steps.abs(), STEP_OF_LIGHT)
        return (steps * share).sum(GRIDS, keepdim=True) / share.sum(GRIDS, keepdim=True).clamp(min=1)

    return (-(slope(down) * place[:, None] + slope(across) * place)).exp()


def as_it_was(light: Tensor, *given: Tensor) -> Tensor:
    """What `without_those_found` finds where there is nothing broad beside what a side's tone reaches."""
    return nothing_beside(light)


def nothing_beside(light: Tensor) -> Tensor:
    """What `without_table` finds where there is none."""
    return torch.cat([light, light * 0], 1)


def without_those_found(
    light: Tensor,
    gain: Tensor,
    even: Tensor,
    cells: Tensor,
    sides: Tensor,
    furthest: Tensor,
    is_same: Tensor,
    is_along: Tensor,
) -> Tensor:
    """What `without_table` finds.

    Args:
        light: (batch, 1, GRID, GRID).
        gain: of the light.
        even: the light times its gain.
        cells: the same on TABLE_GRID.
        sides: (batch, 4, 1, 1) the tone of each side.
        furthest: (batch, 4, 1, 1) how far from it the tone is that is furthest.
        is_same: (batch, 4, TABLE_GRID, TABLE_GRID), 1 where the tone is about the side's, else 0.
        is_along: (batch, 4, 1, 1) bool, whether all of the side is of its tone.
    """
    away = (even - sides).abs() / furthest
    table = is_same - F.pad(is_same[:, :, 1:-1, 1:-1], (1, 1, 1, 1))  # along all sides
    for _ in range(FOLLOWED):
        table = highest_around(table, 3, 3) * is_same
    is_paper, plain = paper_beside(even, cells, table, away)
    is_table = (is_along & is_paper).to(light.dtype)
    plain = (plain + (1 - is_table)).amin(1, keepdim=True)
    is_table = is_table * (plain.sum(GRIDS, keepdim=True) > LEAST_PAPER)
    fine = GRID // TABLE_GRID
    near = finer(highest_around((table * is_table).amax(1, keepdim=True), 3, 3), fine)
    table = highest_around(near * (1 - ramp((away + (1 - is_table)).amin(1, keepdim=True), SOFT)), 3, 3)
    plain = finer(plain, fine) * (1 - table)
    return torch.cat([light + table * (mean_within(even, plain) / gain - light), table], 1)


def along_sides(cells: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cells at the four sides: the first and the last row, the first and the last column."""
    return cells[:, :, :1], cells[:, :, -1:], cells[:, :, :, :1], cells[:, :, :, -1:]


def paper_beside(light: Tensor, cells: Tensor, table: Tensor, away: Tensor) -> tuple[Tensor, Tensor]:
    """Whether what lies beside each of some tables is paper with strokes on it, and where it is plain.

    Args:
        light: (batch, 1, GRID, GRID), falling evenly.
        cells: the same on TABLE_GRID.
        table: (batch, n, TABLE_GRID, TABLE_GRID), 1 where it would be, else 0.
        away: (batch, n, GRID, GRID) how far the light is from its tone, as a share of the furthest.

    Returns:
        (batch, n, 1, 1) bool, and (batch, n, TABLE_GRID, TABLE_GRID), 0 or 1.
    """
    paper = opening(1 - table, BROAD, BROAD)
    within, without = (1 - highest_around(each, 3, 3) for each in (1 - paper, paper))
    stroke = narrower(light, STROKE)
    narrow = coarse_highest(stroke, TABLE_GRID)
    plain = paper * (narrow < PLAIN * strongest(narrow * within, 1.0))
    tone, of_table = (mean_within(cells, each) for each in (plain, table))
    step = (tone - of_table).abs().clamp(min=1e-3)
    # paper that is narrow in places is no stroke on it, nor is a narrow table
    on_paper = coarse_highest(stroke * ramp((light - tone).abs() / step, OTHER_TONE), TABLE_GRID) * within
    strokes = strongest(on_paper, 1.0)
    others = strongest(coarse_highest(stroke * ramp(away, OTHER_TONE), TABLE_GRID) * without, 1.0)
    broad = paper * ((cells - tone).abs() > step / 2) * (narrow < OF_STEP * step)
    edge = coarse_highest(highest_around(light, 3, 3) + highest_around(-light, 3, 3), TABLE_GRID)
    ring = highest_around(table, 3, 3) - table
    sharp = ring * ramp(highest_around(edge, 3, 3) / step, SHARP)
    begin, end = extent(profiles(paper), 0.4, 0.6)
    first, last = extent(profiles((on_paper > strokes / 2).to(light.dtype)), 0.4, 0.6)
    margin = torch.maximum(*torch.maximum(first - begin, end - last).chunk(2, 1))
    longer = torch.maximum(*(end - begin).chunk(2, 1))
    is_sheet = (full_rows(1 - table, 3) > OF_ROWS) & (full_rows(1 - table, 2) > OF_ROWS)
    is_broad = (broad.sum((2, 3), keepdim=True) < HOLE) & (
        2 * plain.sum((2, 3), keepdim=True) > FAT * longer * outline(plain)
    )
    is_paper = (
        (strokes > STANDS_OUT)
        & (strokes > OF_OTHERS * others)
        & (strokes > OF_STEP * step)
        & (step > LEAST_STEP)
        & (sharp.sum((2, 3), keepdim=True) > ALL_SHARP * ring.sum((2, 3), keepdim=True))
        & ((is_broad & (margin > MARGIN * longer)) | (is_sheet & (margin > MARGIN_OF_SHEET * longer)))
    )
    return is_paper, plain


def full_rows(cells: Tensor, axis: int) -> Tensor:
    """Share of the rows, (batch, parts, 1, 1), of parts (batch, parts, n, n), that are about as long as their longest.

    Args:
        cells: 1 in the part, else 0.
        axis: along the rows: 3, or 2 for columns.
    """
    lengths = cells.sum(axis, keepdim=True)
    full = (lengths > FULL_WIDTH * lengths.amax((2, 3), keepdim=True)).to(cells.dtype)
    return full.sum((2, 3), keepdim=True) / (lengths > 0).to(cells.dtype).sum((2, 3), keepdim=True).clamp(min=1)


def mean_within(cells: Tensor, part: Tensor) -> Tensor:
    """Mean of the cells (batch, 1, n, n) in parts of them (batch, parts, n, n) that are 1, (batch, parts, 1, 1)."""
    return (cells * part).sum((2, 3), keepdim=True) / part.sum((2, 3), keepdim=True).clamp(min=1)
