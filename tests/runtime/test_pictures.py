"""Generated pictures are the same everywhere, and of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from adder_runtime.contract import CHANNELS, DIGITS
from adder_runtime.pictures import draw_digit, generate, paint


def test_same_seed_gives_the_same_pictures() -> None:
    first, second, other = (list(generate(12, seed)) for seed in (5, 5, 6))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, other, strict=True))


def test_generated_pictures_hold_every_digit_channel_count_and_polarity() -> None:
    pictures = list(generate(60, seed=2, sides=(20, 60)))
    assert {picture.digit for picture in pictures} == set(DIGITS)
    assert {picture.pixels.shape[2] for picture in pictures} == set(CHANNELS)
    dark_ground = [picture.pixels[0, 0, 0] < 128 for picture in pictures]
    assert True in dark_ground
    assert False in dark_ground
    for picture in pictures:
        assert 20 <= min(picture.pixels.shape[:2]) <= max(picture.pixels.shape[:2]) <= 60


@pytest.mark.parametrize("digit", DIGITS)
def test_ink_fills_its_share_of_the_frame(digit: int) -> None:
    ink = draw_digit(digit, 100, 100)
    assert ink.min() == 0
    assert ink.max() == 1
    rows = np.flatnonzero(ink.max(1) > 0.5)
    # a digit is 0.72 of the frame high, and a pen of 0.11 of that wide
    assert rows[-1] - rows[0] == pytest.approx(100 * 0.72 * 1.11, abs=4)


def test_paint_gives_the_lights_that_are_asked_for() -> None:
    pixels = paint(np.array([[0.0, 1.0]]), 4, dark=0.2, light=1.0)
    assert pixels.tolist() == [[[255, 255, 255, 255], [51, 51, 51, 255]]]
