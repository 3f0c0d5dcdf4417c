"""Drawing with Pillow alone: the text, bars and pictures that an explained answer and a measured report are made of."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from adder_runtime.image_file import Pixels, to_png

PAPER, TEXT, FAINT, LINE = "#ffffff", "#1a1a1a", "#6b6b6b", "#c4c4c4"
GROUND = "#dcdcdc"
"""Around a picture that does not fill its frame."""
MAIN, OTHER, WRONG = "#0b5fa5", "#a9b4bf", "#b3261e"
"""What is told, what else there is, and what is amiss; apart in grey too."""

CHEQUER = (255, 214)
"""Light of the two kinds of squares under a transparent picture."""

CHEQUER_SIDE = 8
"""Of a square in pixels."""

ELLIPSIS = "…"

Canvas = ImageDraw.ImageDraw


class Frame(NamedTuple):
    """A rectangle of a drawing in pixels; right and bottom lie outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top


@dataclass(frozen=True)
class Fitted:
    """A picture as it is shown."""

    image: Image.Image
    scale: float
    """Pixels of the drawing for one of the picture."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font. It has ASCII and little else."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def new_drawing(width: int, height: int) -> tuple[Image.Image, Canvas]:
    """White paper, and what draws on it."""
    image = Image.new("RGB", (width, height), PAPER)
    return image, ImageDraw.Draw(image)


def encode(image: Image.Image) -> bytes:
    """A finished drawing as a PNG file."""
    return to_png(np.asarray(image))


def write(
    canvas: Canvas, place: tuple[float, float], text: str, size: int, *, colour: str = TEXT, anchor: str = "la"
) -> None:
    """Write one line; `anchor` says which point of the text lies at the place, in Pillow's two letters."""
    canvas.text(place, plain(text), colour, font(size), anchor)


def plain(text: str) -> str:
    """The text on one line and without accents, which the font lacks."""
    letters = unicodedata.normalize("NFKD", text.replace(ELLIPSIS, "\0"))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return kept.replace("\0", ELLIPSIS).replace("\n", " ")


def width_of(text: str, size: int) -> float:
    """Of a written line in pixels."""
    return font(size).getlength(plain(text))


def shorten(text: str, size: int, width: float) -> str:
    """The text, its middle left out where it is wider than `width` pixels: names differ at their ends."""
    if width_of(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        short = text[: kept // 2] + ELLIPSIS + text[len(text) - (kept + 1) // 2 :]
        if width_of(short, size) <= width:
            return short
    return ELLIPSIS


def share(value: float) -> str:
    """A probability as a whole percentage that never claims to be certain."""
    return f"{value:.0%}" if value < 0.995 else ">99%"


def fit_picture(pixels: Pixels, width: float, height: float) -> Fitted:
    """A picture as large as fits: its pixels seen where it grows, averaged where it shrinks, on a chequerboard.

    Args:
        pixels: (height, width, 1 to 4) uint8.
        width: largest in pixels.
        height: largest in pixels.
    """
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    picture = picture.resize(size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX).convert("RGBA")
    y, x = np.indices((size[1], size[0])) // CHEQUER_SIDE
    ground = np.where((x + y) % 2, *CHEQUER).astype(np.uint8)
    shown = Image.fromarray(ground).convert("RGBA")
    shown.alpha_composite(picture)
    return Fitted(shown.convert("RGB"), scale)


def ink_picture(ink: NDArray[np.float32], side: int) -> Image.Image:
    """Ink, black on white, each of its pixels a square.

    Args:
        ink: (28, 28), 0 = paper, 1 = full stroke.
        side: of the picture in pixels.
    """
    grey = np.rint((1 - ink.clip(0, 1)) * 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB").resize((side, side), Image.Resampling.NEAREST)


def paste_centred(image: Image.Image, part: Image.Image, frame: Frame) -> tuple[int, int]:
    """Put a picture in the middle of a frame; where its left and top came to lie."""
    place = round((frame.left + frame.right - part.width) / 2), round((frame.top + frame.bottom - part.height) / 2)
    image.paste(part, place)
    return place


def outline(canvas: Canvas, frame: Frame) -> None:
    """A line around a frame that is seen on any ground: coloured, between two white ones."""
    for grown, colour in ((6, PAPER), (4, MAIN), (2, PAPER)):
        box = frame.left - grown, frame.top - grown, frame.right + grown - 1, frame.bottom + grown - 1
        canvas.rectangle(box, outline=colour, width=2)


def draw_bars(
    canvas: Canvas, frame: Frame, values: Sequence[float], labels: Sequence[str], *, main: int | None, size: int
) -> None:
    """Upright bars of shares, labelled below, and their percentage above where it is 1 or more.

    Args:
        canvas: to draw on.
        frame: all of it, labels too.
        values: 0 to 1; a full bar is 1.
        labels: one for each.
        main: which bar is told, if any.
        size: of the text.
    """
    step = frame.width / len(values)
    base, full = frame.bottom - 1.5 * size, frame.top + 1.4 * size
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        middle = frame.left + (index + 0.5) * step
        colour = MAIN if index == main else OTHER
        top = base - value * (base - full)
        canvas.rectangle((middle - 0.36 * step, top, middle + 0.36 * step, base), colour)
        write(canvas, (middle, base + 0.4 * size), label, size, colour=TEXT if index == main else FAINT, anchor="ma")
        if value >= 0.01:
            write(canvas, (middle, top - 0.3 * size), share(value), size, anchor="md")
    canvas.line((frame.left, base, frame.right, base), TEXT)
