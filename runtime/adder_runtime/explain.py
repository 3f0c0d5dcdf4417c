"""An answer as one picture: what was given, what the network saw of it, how sure it was of what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adder_runtime.contract import DIGITS, SUM_SCORES, SUMS, Approach
from adder_runtime.drawing import (
    FAINT,
    GROUND,
    LINE,
    MAIN,
    OTHER,
    TEXT,
    WRONG,
    Canvas,
    Frame,
    draw_bars,
    encode,
    fit_picture,
    ink_picture,
    new_drawing,
    outline,
    paste_centred,
    shorten,
    width_of,
    write,
)
from adder_runtime.errors import OutputError, UsageError
from adder_runtime.image_file import ImageSource, Pixels, is_folder, read_image
from adder_runtime.model import Adder, Answer
from adder_runtime.output_file import write_whole
from adder_runtime.speech import falls_short, how_sure

WIDTH, HEIGHT = 1440, 720

MARGIN = 40

SIDE = 420
"""Of the two pictures: 15 pixels for each of the ink's."""

PICTURE = Frame(MARGIN, 260, MARGIN + SIDE, 260 + SIDE)
SEEN = Frame(500, 260, 500 + SIDE, 260 + SIDE)
DIGIT_BARS = Frame(970, 260, WIDTH - MARGIN, 440)
SUM_BARS = Frame(970, 500, WIDTH - MARGIN, 680)

TITLE_SIZE, REMARK_SIZE, TEXT_SIZE, LABEL_SIZE = 84, 32, 20, 16

SUFFIX = ".explain.png"
"""Ends the name of an explanation in a folder, after the picture's own."""

WAY_OUT = "name another place with --explain"


def place_explanations(out: Path, names: Sequence[str]) -> list[Path]:
    """Where the explanation of each picture goes: the file `out` for one, files of their names in the folder for more.

    Args:
        out: a file that ends in .png, or a folder, which need not be there.
        names: of the pictures, their paths.

    Raises:
        UsageError: `out` is a file of another kind.
        OutputError: `out` is one file for several pictures, or a picture lies where an explanation would go.
    """
    if is_folder(out) or not out.suffix:
        stems = [Path(name).stem.lstrip("-") or "picture" for name in names]  # "-" is standard input
        places = [out / f"{stem}{SUFFIX}" for stem in _distinct(stems)]
    elif out.suffix.lower() != ".png":
        raise UsageError(f"--explain is {out}, must end in .png, or be a folder")
    elif len(names) > 1:
        raise OutputError(f"{out} is one file for {len(names)} pictures; name a folder with --explain")
    else:
        places = [out]
    given = {_identity(Path(name)) for name in names} - {None}
    for place in places:
        if _identity(place) in given:
            raise OutputError(f"{place} is a picture to read, an explanation would replace it; {WAY_OUT}")
    return places


def _identity(path: Path) -> tuple[int, int] | None:
    # not the path: a link, or letters of another case, may lead to the same file
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _distinct(stems: Sequence[str]) -> list[str]:
    found: list[str] = []
    for stem in stems:
        numbered = (f"{stem}-{count}" for count in range(2, len(stems) + 1))
        found.append(next(each for each in (stem, *numbered) if each not in found))
    return found


def write_explanation(
    place: Path,
    adder: Adder,
    *,
    name: str,
    source: ImageSource,
    number: int,
    answer: Answer | None,
    least: float | None = None,
) -> None:
    """Write the explanation of an answer as a PNG file.

    Args:
        place: of the file.
        adder: what answered.
        name: of the picture.
        source: the picture, read once more.
        number: what was added.
        answer: None where there was nothing to read.
        least: the confidence that was wanted, if any was.

    Raises:
        OutputError: the file cannot be written.
    """
    pixels = read_image(source)
    ink = adder.see(pixels) if answer is None else answer.ink
    told = f"{adder}: {name}"
    image = explain(pixels, answer, ink=ink, number=number, least=least, source=told)
    write_whole(place, encode(image), way_out=WAY_OUT)


def explain(
    pixels: Pixels,
    answer: Answer | None,
    *,
    ink: NDArray[np.float32],
    number: int,
    least: float | None = None,
    source: str = "",
) -> Image.Image:
    """One picture of an answer, 1440 x 720.

    Args:
        pixels: (height, width, 1 to 4) uint8, the picture that was given.
        answer: None where there was nothing to read.
        ink: (28, 28), what the network saw of it.
        number: what was added.
        least: the confidence that was wanted; an answer that falls short of it is told as unsure.
        source: a line about what answered and to what.
    """
    image, canvas = new_drawing(WIDTH, HEIGHT)
    write_title(canvas, number, answer, least)
    write(canvas, (MARGIN, 180), shorten(source, TEXT_SIZE, WIDTH - 2 * MARGIN), TEXT_SIZE, colour=FAINT)

    caption(canvas, PICTURE, f"the picture, {pixels.shape[1]} x {pixels.shape[0]}")
    canvas.rectangle(PICTURE, GROUND)
    fitted = fit_picture(pixels, SIDE, SIDE)
    left, top = paste_centred(image, fitted.image, PICTURE)
    canvas.rectangle((PICTURE.left - 1, PICTURE.top - 1, PICTURE.right, PICTURE.bottom), outline=LINE)
    if answer:
        edges = [edge * fitted.scale for edge in answer.box]
        outline(canvas, Frame(left + edges[1], top + edges[0], left + edges[3], top + edges[2]))

    caption(canvas, SEEN, f"what the network saw, {ink.shape[1]} x {ink.shape[0]}")
    paste_centred(image, ink_picture(ink, SIDE), SEEN)
    canvas.rectangle((SEEN.left - 1, SEEN.top - 1, SEEN.right, SEEN.bottom), outline=LINE)

    if answer is None:
        for frame, name in ((DIGIT_BARS, "digit"), (SUM_BARS, "sum")):
            caption(canvas, frame, name)
            write(canvas, (frame.left, frame.top), "none", TEXT_SIZE, colour=FAINT)
        return image
    # the title's confidence is calibrated
    caption(canvas, DIGIT_BARS, "digit, before calibration")
    probabilities = answer.digit_probabilities
    draw_bars(canvas, DIGIT_BARS, probabilities, [str(digit) for digit in DIGITS], main=answer.digit, size=LABEL_SIZE)
    if len(answer.sum_scores) == SUM_SCORES[Approach.REGRESS]:
        caption(canvas, SUM_BARS, "sum, before rounding")
        draw_scale(canvas, SUM_BARS, value=answer.sum_scores[0], number=number, total=answer.sum)
    else:
        caption(canvas, SUM_BARS, "sum, before calibration")
        draw_bars(canvas, SUM_BARS, answer.sum_scores, [str(each) for each in SUMS], main=answer.sum, size=LABEL_SIZE)
    return image


def write_title(canvas: Canvas, number: int, answer: Answer | None, least: float | None) -> None:
    """The answer in large type and how sure it is, led by a warning where it falls short."""
    if answer is None:
        warning, title = "nothing to read", ""
        remark = "no stroke stands out from its ground, or none looks like a digit"
    else:
        warning = "unsure: " if falls_short([answer], least) else ""
        title, remark = f"{answer.digit} + {number} = {answer.sum}", how_sure(answer, least)
    write(canvas, (MARGIN, 20), warning, TITLE_SIZE, colour=WRONG)
    write(canvas, (MARGIN + width_of(warning, TITLE_SIZE), 20), title, TITLE_SIZE)
    write(canvas, (MARGIN, 130), remark, REMARK_SIZE, colour=WRONG if warning else TEXT)


def caption(canvas: Canvas, frame: Frame, text: str) -> None:
    """A line above a frame."""
    write(canvas, (frame.left, frame.top - 12), text, TEXT_SIZE, anchor="ls")


def draw_scale(canvas: Canvas, frame: Frame, *, value: float, number: int, total: int) -> None:
    """The unrounded sum on the scale of the sums that a number allows, and the one to which it is rounded."""
    step = frame.width / len(DIGITS)
    base = frame.bottom - 3 * LABEL_SIZE
    for digit in DIGITS:
        middle = frame.left + (digit + 0.5) * step
        main = number + digit == total
        canvas.rectangle((middle - step / 2 + 1, base - 14, middle + step / 2 - 1, base), MAIN if main else OTHER)
        write(canvas, (middle, base + 8), str(number + digit), LABEL_SIZE, colour=TEXT if main else FAINT, anchor="ma")
    # a value beyond the scale is marked at its end
    place = frame.left + min(max(value - number + 0.5, 0), len(DIGITS)) * step
    tip = base - 18
    canvas.polygon([(place, tip), (place - 10, tip - 18), (place + 10, tip - 18)], TEXT)
    words = f"{value:.2f}"
    half = width_of(words, REMARK_SIZE) / 2
    middle = min(max(place, frame.left + half), frame.right - half)
    write(canvas, (middle, tip - 28), words, REMARK_SIZE, anchor="ms")
