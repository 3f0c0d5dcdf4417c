"""Printed letters as pictures, for what no digit network has been trained on."""

from __future__ import annotations

from string import ascii_letters

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from torch import Tensor

LIKE_DIGITS = "OoIlZzSsBbgq"
"""Letters that a person may read as a digit too."""

LETTERS = "".join(letter for letter in ascii_letters if letter not in LIKE_DIGITS)

FONTS = tuple(
    (family, weight)
    for family in ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif")
    for weight in ("normal", "bold")
)  # fmt: skip
"""Families and weights of the fonts that come with matplotlib."""

SIDE = 64
"""Height and width of a picture in pixels."""

SIZE = 0.7
"""Share of the picture that the longer side of the letter's box takes."""


def draw_letters(letters: str) -> Tensor:
    """Black letters in the middle of white pictures, (letters * fonts, 64, 64, 1) uint8; all fonts of one, then on."""
    return torch.stack([draw_letter(letter, *font) for letter in letters for font in FONTS])


def draw_letter(letter: str, family: str, weight: str) -> Tensor:
    """One letter, (64, 64, 1) uint8."""
    path = TextPath((0, 0), letter, size=SIDE, prop=FontProperties(family=family, weight=weight))
    box = path.get_extents()
    scale = SIZE * SIDE / max(box.width, box.height)
    middle = -(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2
    outline = path.transformed(Affine2D().translate(*middle).scale(scale).translate(SIDE / 2, SIDE / 2))
    figure = Figure(figsize=(1, 1), dpi=SIDE, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.add_artist(PathPatch(outline, facecolor="black", linewidth=0, transform=Affine2D()))
    canvas.draw()
    return torch.from_numpy(np.asarray(canvas.buffer_rgba())[:, :, :1].copy())
