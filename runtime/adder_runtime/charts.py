"""What a report of measured pictures shows: confusion, reliability, risk, and every mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from adder_runtime.contract import DIGITS, UNREAD
from adder_runtime.drawing import (
    FAINT,
    GROUND,
    LINE,
    MAIN,
    PAPER,
    TEXT,
    WRONG,
    Canvas,
    Frame,
    fit_picture,
    ink_picture,
    new_drawing,
    paste_centred,
    shorten,
    write,
)
from adder_runtime.image_file import read_image
from adder_runtime.measure import COVERAGES, Measured
from adder_runtime.metrics import BINS, expected_calibration_error, reliability, risk_at, risk_coverage
from adder_runtime.model import Adder
from adder_runtime.speech import how_likely

MARGIN, TITLE_SIZE, TEXT_SIZE, SMALL = 40, 30, 18, 15

CELL = 72
"""Side of a cell of the confusion in pixels."""

PAGE_COLUMNS, PAGE_ROWS = 6, 10
"""Mistakes on a page."""

TILE_WIDTH, TILE_HEIGHT, PICTURE_SIDE = 256, 224, 112
"""Of a mistake; its two pictures are 4 pixels for each of the ink's."""


def draw_confusion(counts: NDArray[np.int64]) -> Image.Image:
    """Answers by the digit shown, a row, and the digit answered, a column; right ones in another colour.

    Args:
        counts: (10, 11), the last column for none.
    """
    top, left = 150, 110
    image, canvas = new_drawing(left + (counts.shape[1] + 2) * CELL, top + len(counts) * CELL + MARGIN)
    write(canvas, (MARGIN, 28), "digits shown and answered", TITLE_SIZE)
    write(canvas, (left, top - 62), "answered", TEXT_SIZE, colour=FAINT)
    write(canvas, (MARGIN, top - 28), "shown", TEXT_SIZE, colour=FAINT)
    for column, label in enumerate([*map(str, DIGITS), "none", "right"]):
        write(canvas, (left + (column + 0.5) * CELL, top - 28), label, TEXT_SIZE, anchor="ma")
    shares = counts / counts.sum(1, keepdims=True).clip(min=1)
    for row, column in np.ndindex(*counts.shape):
        x, y = left + column * CELL, top + row * CELL
        # the root, since a mistake in a hundred is to be seen too
        strength = float(np.sqrt(shares[row, column]))
        colour = mix(MAIN if row == column else WRONG, strength)
        canvas.rectangle((x, y, x + CELL - 2, y + CELL - 2), colour)
        if counts[row, column]:
            number = f"{counts[row, column]:,}"
            ink = PAPER if strength > 0.5 else TEXT
            write(canvas, (x + CELL / 2, y + CELL / 2), number, TEXT_SIZE, colour=ink, anchor="mm")
    for row in DIGITS:
        y = top + (row + 0.5) * CELL
        write(canvas, (MARGIN + 25, y), str(row), TEXT_SIZE, anchor="mm")
        right = f"{shares[row, row]:.1%}" if counts[row].any() else "-"
        write(canvas, (left + (counts.shape[1] + 0.5) * CELL, y), right, TEXT_SIZE, anchor="mm")
    return image


def mix(colour: str, strength: float) -> tuple[int, int, int]:
    """A colour on very light grey; 0 = none of it, 1 = all."""
    ground = np.array(ImageColor.getrgb("#f2f2f2"))
    red, green, blue = np.rint(ground + (np.array(ImageColor.getrgb(colour)) - ground) * strength).astype(int).tolist()
    return red, green, blue


def draw_reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Image.Image:
    """Share of right sums by confidence, in 15 bins, with the number of answers under each; the line is perfect."""
    image, canvas = new_drawing(920, 840)
    frame = Frame(110, 150, 880, 690)
    write(canvas, (MARGIN, 28), "how often answers of a confidence are right", TITLE_SIZE)
    error = expected_calibration_error(confidence, right)
    words = f"mean confidence {confidence.mean():.2%}, right {right.mean():.2%}, expected calibration error {error:.2%}"
    write(canvas, (MARGIN, 72), words, TEXT_SIZE)
    found = reliability(confidence, right)
    step = frame.width / BINS
    for index, (count, accuracy) in enumerate(zip(found.count.tolist(), found.accuracy.tolist(), strict=True)):
        middle = frame.left + (index + 0.5) * step
        write(canvas, (middle, frame.bottom + 44), brief(count), SMALL, colour=TEXT if count else FAINT, anchor="ma")
        if count:
            top = frame.bottom - accuracy * frame.height
            canvas.rectangle((middle - 0.44 * step, top, middle + 0.44 * step, frame.bottom), MAIN)
    canvas.line((frame.left, frame.bottom, frame.right, frame.top), WRONG, 3)
    draw_axes(canvas, frame, across="confidence", up="right", highest=1.0, gap=90)
    write(canvas, (frame.left - 14, frame.bottom + 44), "answers", SMALL, colour=FAINT, anchor="ra")
    return image


def draw_risk(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Image.Image:
    """Share of wrong sums among the surest answers, over the share that is answered."""
    image, canvas = new_drawing(920, 840)
    frame = Frame(110, 150, 880, 720)
    write(canvas, (MARGIN, 28), "how often the surest answers are wrong", TITLE_SIZE)
    curve = risk_coverage(confidence, right)
    highest = next((each for each in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if each >= curve.risk.max()), 1.0)
    draw_axes(canvas, frame, across="answered, the surest first", up="wrong", highest=highest, gap=56)
    x = frame.left + curve.coverage * frame.width
    y = frame.bottom - curve.risk / highest * frame.height
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    canvas.line([(frame.left, points[0][1]), *points], MAIN, 3)
    for place, coverage in enumerate((1.0, *COVERAGES)):
        risk = risk_at(confidence, right, coverage)
        across, up = frame.left + coverage * frame.width, frame.bottom - risk / highest * frame.height
        canvas.ellipse((across - 5, up - 5, across + 5, up + 5), TEXT)
        words = f"of {coverage:.0%} answered, {risk:.2%} wrong"
        row, column = divmod(place, 2)
        write(canvas, (frame.left + 20 + column * 300, 76 + row * 26), words, TEXT_SIZE)
    return image


def draw_axes(canvas: Canvas, frame: Frame, *, across: str, up: str, highest: float, gap: float) -> None:
    """Two axes of shares with ticks and names: 0 to 1 across, 0 to `highest` up; `gap` pixels to the lower name."""
    for tick in range(6):
        x, y = frame.left + tick / 5 * frame.width, frame.bottom - tick / 5 * frame.height
        canvas.line((x, frame.bottom, x, frame.bottom + 6), TEXT)
        write(canvas, (x, frame.bottom + 12), f"{tick / 5:.0%}", SMALL, anchor="ma")
        canvas.line((frame.left - 6, y, frame.left, y), TEXT)
        write(canvas, (frame.left - 12, y), f"{100 * tick / 5 * highest:g}%", SMALL, anchor="rm")
    canvas.line((frame.left, frame.top, frame.left, frame.bottom, frame.right, frame.bottom), TEXT)
    write(canvas, ((frame.left + frame.right) / 2, frame.bottom + gap), across, TEXT_SIZE, anchor="ma")
    write(canvas, (frame.left, frame.top - 16), up, TEXT_SIZE, anchor="rs")


def brief(count: int) -> str:
    """A count in at most four letters."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k" if count < 9950 else f"{count / 1000:.0f}k"


def draw_mistakes(adder: Adder, mistakes: Sequence[Measured]) -> Iterator[Image.Image]:
    """Pages of 60 mistakes: each picture, what the network saw of it, and what was answered.

    Args:
        adder: what answered; it is asked once more what it sees.
        mistakes: each with a wrong answer, in the order to show them.
    """
    size = PAGE_COLUMNS * PAGE_ROWS
    for start in range(0, len(mistakes), size):
        page = mistakes[start : start + size]
        rows = -(-len(page) // PAGE_COLUMNS)
        image, canvas = new_drawing(PAGE_COLUMNS * TILE_WIDTH + 2 * MARGIN, rows * TILE_HEIGHT + 130)
        title = f"mistakes {start + 1:,} to {start + len(page):,} of {len(mistakes):,}, the surest first"
        write(canvas, (MARGIN, 28), title, TITLE_SIZE)
        for place, mistake in enumerate(page):
            row, column = divmod(place, PAGE_COLUMNS)
            corner = MARGIN + column * TILE_WIDTH, 100 + row * TILE_HEIGHT
            draw_mistake(image, canvas, corner=corner, adder=adder, mistake=mistake)
        yield image


def draw_mistake(
    image: Image.Image, canvas: Canvas, *, corner: tuple[int, int], adder: Adder, mistake: Measured
) -> None:
    """One mistake: its two pictures, and three lines under them."""
    left, top = corner
    pixels = read_image(mistake.picture.path)
    parts = fit_picture(pixels, PICTURE_SIDE, PICTURE_SIDE).image, ink_picture(adder.see(pixels), PICTURE_SIDE)
    for place, part in enumerate(parts):
        x = left + place * (PICTURE_SIDE + 8)
        canvas.rectangle((x - 1, top - 1, x + PICTURE_SIDE, top + PICTURE_SIDE), GROUND, LINE)
        paste_centred(image, part, Frame(x, top, x + PICTURE_SIDE, top + PICTURE_SIDE))
    lines = describe_mistake(mistake), how_wrong(mistake), "/".join(mistake.picture.path.parts[-2:])
    below = top + PICTURE_SIDE + 8
    for offset, text, size, colour in zip((0, 27, 47), lines, (22, SMALL, SMALL), (TEXT, TEXT, FAINT), strict=True):
        write(canvas, (left, below + offset), shorten(text, size, TILE_WIDTH - 16), size, colour=colour)


def describe_mistake(mistake: Measured) -> str:
    """What was shown and what was answered, of the surest wrong answer."""
    shown, worst = mistake.picture.digit, mistake.worst
    if mistake.digit[worst] == UNREAD:
        return f"{shown}, nothing read"
    if mistake.digit[worst] != shown:
        return f"{shown} read as {mistake.digit[worst]}"
    return f"{shown} + {mistake.number[worst]} given as {mistake.sum[worst]}"


def how_wrong(mistake: Measured) -> str:
    """How sure the surest wrong answer was, and how many of the picture's answers are wrong."""
    worst, count = mistake.worst, f"{mistake.wrong.sum()} of {len(mistake.wrong)} wrong"
    return count if mistake.digit[worst] == UNREAD else f"{how_likely(mistake.confidence[worst])}, {count}"
