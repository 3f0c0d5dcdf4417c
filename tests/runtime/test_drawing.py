"""The parts that drawings are made of."""

from __future__ import annotations

import numpy as np
import pytest

from adder_runtime.drawing import CHEQUER, ELLIPSIS, fit_picture, plain, share, shorten, width_of


def test_picture_keeps_its_shape_and_fills_what_it_is_given() -> None:
    fitted = fit_picture(np.zeros((20, 40, 3), np.uint8), 100, 100)
    assert (fitted.image.size, fitted.scale) == ((100, 50), 2.5)
    assert fit_picture(np.zeros((5000, 1, 1), np.uint8), 100, 100).image.size == (1, 100)


def test_growing_picture_keeps_its_pixels_and_a_shrinking_one_its_mean() -> None:
    pixels = np.array([[0, 255], [255, 0]], np.uint8)[:, :, None]
    assert np.array_equal(
        np.asarray(fit_picture(pixels, 4, 4).image)[:, :, 0], pixels[:, :, 0].repeat(2, 0).repeat(2, 1)
    )
    assert np.asarray(fit_picture(pixels.repeat(2, 0).repeat(2, 1), 1, 1).image).tolist() == [[[128] * 3]]


@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_parts_show_a_chequerboard(channels: int) -> None:
    pixels = np.zeros((64, 64, channels), np.uint8)
    pixels[:32, :, -1] = 255
    shown = np.asarray(fit_picture(pixels, 64, 64).image)[:, :, 0]
    assert set(shown[:32].flat) == {0}
    assert set(shown[32:].flat) == set(CHEQUER)


def test_long_text_keeps_its_ends() -> None:
    name = "a-folder-with-a-long-name/and-a-picture.png"
    short = shorten(name, 20, 200)
    assert width_of(short, 20) <= 200
    begin, end = short.split(ELLIPSIS)
    assert name.startswith(begin)
    assert name.endswith(end)
    assert shorten("three.png", 20, 200) == "three.png"
    assert shorten("three.png", 20, 1) == ELLIPSIS


def test_text_is_one_line_without_accents() -> None:
    assert plain("ein Strich\nmüde…") == "ein Strich mude…"


@pytest.mark.parametrize(("value", "words"), [(0, "0%"), (0.014, "1%"), (0.994, "99%"), (0.996, ">99%"), (1, ">99%")])
def test_probability_is_never_told_as_certain(value: float, words: str) -> None:
    assert share(value) == words
