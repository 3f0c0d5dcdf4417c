"""Digits that are cut out to their ink, of any pen and of few pixels, in frames, on tables: by the shipped files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from adder_runtime import Adder, Answer
from adder_runtime.contract import DIGITS
from adder_runtime.pictures import draw_digit

pytestmark = pytest.mark.slow

Ink = NDArray[np.float64]

PICTURES = 100
"""Of each kind."""

READ_SHARE = 0.97
"""Least share of a kind whose digit is read."""


def written(side: int, pens: tuple[float, float], digits: Sequence[int] = DIGITS) -> Iterator[tuple[int, Ink]]:
    """PICTURES digits and their ink, (side, side), a little different each."""
    random = np.random.default_rng(side)
    for place in range(PICTURES):
        wobble = np.eye(2, 3) + random.uniform(-0.1, 0.1, (2, 3)) * (1, 1, 0.2)
        digit = digits[place % len(digits)]
        yield digit, draw_digit(digit, side, side, pen=random.uniform(*pens), wobble=wobble)


def cut_out(ink: Ink) -> Ink:
    inked = np.argwhere(ink > 0.5)
    (top, left), (bottom, right) = inked.min(0), inked.max(0) + 1
    return ink[top:bottom, left:right]


def reduced(ink: Ink, high: int, wide: int) -> Ink:
    """Means over as many parts of the rows and of the columns."""
    rows = np.stack([part.mean(0) for part in np.array_split(ink, high, 0)])
    return np.stack([part.mean(1) for part in np.array_split(rows, wide, 1)], 1)


FEW = "8 pixels high"


def few(ink: Ink) -> Ink:
    """8 pixels high, as wide as it was."""
    cut = cut_out(ink)
    return reduced(cut, 8, max(round(8 * cut.shape[1] / cut.shape[0]), 3))


def framed(ink: Ink, gap: int, line: int, margin: int) -> Ink:
    return np.pad(np.pad(np.pad(ink, gap), line, constant_values=1), margin)


def on_table(ink: Ink, turned: float, reach: tuple[float, float], tone: float = 0.7) -> Ink:
    """A sheet that is turned by some degrees and reaches so far from its middle, down and across, on a darker table.

    The reach is in halves of the picture; over 1 the sheet ends outside of it.
    """
    side = len(ink)
    y, x = (np.mgrid[:side, :side] + 0.5) * 2 / side - 1
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    is_sheet = (abs(y * cos - x * sin) < reach[0]) & (abs(y * sin + x * cos) < reach[1])
    return np.where(is_sheet, ink, tone)


def with_pen(ink: Ink) -> Ink:
    """A pen that lies below the digit, a little askew, as dark as its strokes, from the left edge on."""
    y, x = np.mgrid[: len(ink), : len(ink)] / len(ink)
    return np.where((abs(y - 0.9 + 0.05 * x) < 0.012) & (x < 0.8), 1, ink)


KINDS: dict[str, tuple[int, tuple[float, float], Callable[[Ink], Ink]]] = {
    "cut out": (28, (0.08, 0.14), cut_out),
    "cut out, bold": (28, (0.14, 0.24), cut_out),
    "cut out, bold and large": (300, (0.14, 0.24), cut_out),
    "stretched to 16x16": (90, (0.1, 0.2), lambda ink: reduced(cut_out(ink), 16, 16)),
    FEW: (90, (0.1, 0.16), few),
    "in a narrow frame": (40, (0.08, 0.14), lambda ink: framed(cut_out(ink), 2, 1, 0)),
    "in a frame at the edge": (28, (0.08, 0.14), lambda ink: framed(ink, 0, 2, 0)),
    "in a frame with a margin": (60, (0.08, 0.14), lambda ink: framed(ink, 1, 2, 5)),
    "in a large frame": (240, (0.06, 0.14), lambda ink: framed(ink, 10, 6, 30)),
    "beside a table": (100, (0.08, 0.14), lambda ink: np.pad(ink, ((0, 0), (0, 25)), constant_values=1)),
    "on a card on a table": (150, (0.08, 0.14), lambda ink: on_table(np.pad(ink, 50), 10, (0.7, 0.85))),
    "on a sheet that ends": (150, (0.08, 0.14), lambda ink: on_table(np.pad(ink, 50), -5, (2, 0.8))),
    "between bars": (150, (0.08, 0.14), lambda ink: on_table(np.pad(ink, 50), 0, (0.75, 2), 1.0)),
    "beside a pen": (150, (0.08, 0.14), lambda ink: with_pen(np.pad(ink, 50))),
}


WITHOUT_PAPER = ("cut out", "cut out, bold", "cut out, bold and large", "stretched to 16x16", FEW, "in a narrow frame")
"""Kinds that show a digit's box alone."""


@pytest.mark.parametrize("light_ink", [False, True], ids=["dark", "light"])
@pytest.mark.parametrize("kind", KINDS)
def test_digit_is_read(kind: str, light_ink: bool, adder: Adder) -> None:
    side, pens, make = KINDS[kind]
    # of a straight one that is cut out no paper is left, and in a frame that follows it, it is a box in a box
    shown = [digit for digit in DIGITS if digit != 1 or kind not in WITHOUT_PAPER]
    digits, inks = zip(*written(side, pens, shown), strict=True)
    lights = [make(ink) if light_ink else 1 - make(ink) for ink in inks]
    answers = adder.predict_each([np.asarray(np.rint(light * 255), np.uint8) for light in lights], 7)
    read = [isinstance(answer, Answer) and answer.digit == digit for digit, answer in zip(digits, answers, strict=True)]
    assert np.mean(read) >= READ_SHARE
