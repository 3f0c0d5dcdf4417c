"""Contact sheets: rows of small pictures under captions, each row with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

CELL, GAP, CAPTION, MARGIN = 84, 10, 18, 12
"""Pixels: side of a picture's place, between two, height of a caption, around the sheet."""

DPI = 100
"""Pixels for each of matplotlib's inches."""

FONT = 8
"""Size of names and captions in points, 72 of an inch."""

WRONG = "#c44e22"


@dataclass(frozen=True)
class Caption:
    """What stands above a picture."""

    text: str
    wrong: bool = False
    """Drawn in another colour."""


@dataclass(frozen=True)
class Row:
    """Pictures beside a name."""

    name: str
    pictures: Sequence[NDArray[np.uint8] | NDArray[np.float32]]
    """(height, width) of any size, 0 = black; uint8 with 255 = white, or float with 1 = white."""
    captions: Sequence[Caption] = ()
    """One for each picture, or none."""


def width_of(text: str) -> float:
    """Pixels that a name takes."""
    return TextPath((0, 0), text, size=FONT).get_extents().width * DPI / 72


def draw_sheet(rows: Sequence[Row]) -> Figure:
    """All rows below each other, each beside its name.

    A picture larger than its place is reduced, a smaller one enlarged; in both its proportions stay.
    """
    heights = [CELL + GAP + (CAPTION if row.captions else 0) for row in rows]
    columns = max(len(row.pictures) for row in rows)
    pictures_left = MARGIN * 2 + round(max(width_of(row.name) for row in rows))
    width = pictures_left + columns * (CELL + GAP) - GAP + MARGIN
    height = MARGIN * 2 + sum(heights)
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    # one pair of axes over all, in pixels: a pair for each of some hundred pictures takes seconds
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    top = MARGIN
    for row, step in zip(rows, heights, strict=True):
        bottom = top + step - GAP
        axes.text(MARGIN, bottom - CELL / 2, row.name, va="center", fontsize=FONT)
        for column, picture in enumerate(row.pictures):
            left = pictures_left + column * (CELL + GAP)
            if row.captions:
                caption = row.captions[column]
                colour = WRONG if caption.wrong else "black"
                middle, above = left + CELL / 2, bottom - CELL - 3
                axes.text(middle, above, caption.text, ha="center", va="bottom", fontsize=FONT, color=colour)
            high, wide = (CELL * side / max(picture.shape) for side in picture.shape)
            x, y = left + (CELL - wide) / 2, bottom - CELL + (CELL - high) / 2
            white = 255 if picture.dtype == np.uint8 else 1
            axes.imshow(picture, cmap="gray", vmin=0, vmax=white, extent=(x, x + wide, y + high, y), aspect="auto")
            axes.plot([x, x + wide, x + wide, x, x], [y, y, y + high, y + high, y], color="#b0b0b0", linewidth=0.6)
        top += step
    axes.set(xlim=(0, width), ylim=(height, 0))
    return figure
