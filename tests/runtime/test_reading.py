"""Reading ahead: in order, within its budget, and never stuck."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adder_runtime import Adder, reading
from adder_runtime.contract import DIGITS, LARGE_SIDE
from adder_runtime.errors import ImageError
from adder_runtime.image_file import Pixels, Read, read_enough, read_image, to_png
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.reading import read_ahead


@pytest.mark.parametrize("readers", [0, 1, 3])
def test_pictures_come_in_order_with_errors_in_their_places(tmp_path: Path, readers: int) -> None:
    paths = []
    for place in range(30):
        path = tmp_path / f"{place}.png"
        path.write_bytes(b"no" if place == 7 else to_png(np.full((3 + place, 5, 1), 9, np.uint8)))
        paths.append(path)
    found = list(read_ahead(paths, readers))
    assert isinstance(found[7], ImageError)
    assert [read.pixels.shape[0] - 3 for read in found if isinstance(read, Read)] == [
        place for place in range(30) if place != 7
    ]


def test_what_waits_keeps_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 100
    monkeypatch.setattr(reading, "AHEAD_BYTES", 5 * size)
    held, most, lock = 0, 0, threading.Lock()

    def pretend(source: object, admit: Callable[[int], None]) -> Read:
        nonlocal held, most
        admit(size)
        with lock:
            held += 1
            most = max(most, held)
        return Read(np.zeros((1, size, 1), np.uint8), (1.0, 1.0))

    monkeypatch.setattr(reading, "read_enough", pretend)
    for _ in read_ahead([b""] * 60, readers=4):
        threading.Event().wait(0.002)
        with lock:
            held -= 1
    assert 5 <= most <= 7  # one more is with whoever asked, and one may be let in since its turn has come


def test_a_picture_over_the_budget_is_read_when_its_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AHEAD_BYTES", 10)
    pictures = [to_png(np.full((20, 20 + place, 1), 9, np.uint8)) for place in range(9)]
    found = list(read_ahead(pictures, readers=3))
    assert [read.pixels.shape[1] for read in found if isinstance(read, Read)] == list(range(20, 29))


def test_leaving_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    pictures = read_ahead([to_png(np.full((20, 20, 1), 9, np.uint8))] * 600, readers=3)
    next(pictures)
    pictures.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == before


BOX_TOLERANCE = 1 / 128 + 1 / LARGE_SIDE
"""Share of the longer side: a cell of the first look, on which a box lies, and a pixel of the smaller picture."""

CONFIDENCE_TOLERANCE = 0.02
"""Of an answer; the most that was found in 1,920 pages is 0.0005."""

DRAWN = 500
"""Pixels in which a digit is drawn, and enlarged from there: drawing it larger takes seconds."""

PLACES = ((0.9, 0.5, 0.5), (0.35, 0.1, 0.8), (0.15, 0.9, 0.2), (0.08, 0.3, 0.4))
"""Frame of the digit as a share of the shorter side, and where it lies of the room that is left, down and across."""

QUALITIES = (50, 75, 92)


def page(digit: int, height: int, width: int, share: float, down: float, across: float) -> Pixels:
    """A digit on plain paper, (height, width, 3)."""
    side = int(min(height, width) * share)
    drawn = Image.fromarray(draw_digit(digit, min(side, DRAWN), min(side, DRAWN)).astype(np.float32))
    ink = np.zeros((height, width))
    top, left = int((height - side) * down), int((width - side) * across)
    ink[top : top + side, left : left + side] = np.asarray(drawn.resize((side, side))).clip(0, 1)
    return paint(ink, 3)


def jpeg(pixels: Pixels, quality: int = 92, turned: bool = False) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("height", "width"), [(300, 400), (1023, 700), (1024, 900), (1500, 2000), (3000, 4000)])
def test_large_jpegs_are_decoded_smaller(height: int, width: int, turned: bool) -> None:
    content = jpeg(page(4, height, width, *PLACES[0]), turned=turned)
    read, whole = read_enough(content), read_image(content)
    assert max(read.pixels.shape) >= min(LARGE_SIDE, height, width)
    assert (max(read.pixels.shape) < max(whole.shape)) == (max(height, width) >= 2 * LARGE_SIDE)
    assert [round(side * scale) for side, scale in zip(read.pixels.shape, read.scale, strict=False)] == list(
        whole.shape[:2]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(1024, 900), (1500, 2000), (2048, 1536), (4100, 2300)])
def test_jpegs_that_are_decoded_smaller_are_answered_alike(adder: Adder, height: int, width: int) -> None:
    for digit in DIGITS:
        place, quality = PLACES[(digit + height // 500) % len(PLACES)], QUALITIES[(digit + height) % len(QUALITIES)]
        content = jpeg(page(digit, height, width, *place), quality)
        fast, slow = adder.predict(content, 3), adder.predict(read_image(content), 3)
        assert (fast.digit, fast.sum) == (slow.digit, slow.sum) == (digit, digit + 3)
        assert fast.confidence == pytest.approx(slow.confidence, abs=CONFIDENCE_TOLERANCE)
        assert fast.box == pytest.approx(slow.box, abs=BOX_TOLERANCE * max(height, width))


def test_other_formats_are_read_whole() -> None:
    picture = paint(draw_digit(4, 1200, 1300), 1)
    assert read_enough(to_png(picture)).pixels.shape == picture.shape
