"""A one that is a mere upright bar, as many write it, on a pad of any size: by the shipped files."""

from __future__ import annotations

import numpy as np
import pytest

from adder_runtime import Adder, Answer
from adder_runtime.image_file import Pixels
from adder_runtime.pictures import paint

PADS = (64, 140, 280, 560)
"""Sides of the pad in pixels."""

HIGH, THICK = (0.3, 0.5, 0.7, 0.85), (0.02, 0.04, 0.06, 0.08, 0.1)
"""Height of the bar and width of the pen, as shares of the pad's side."""


def draw_bar(side: int, high: float, thick: float, light_ink: bool) -> Pixels:
    """A bar with round ends in the middle of an even pad, (side, side, 1)."""
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    beyond = np.maximum(abs(y) - side * (high - thick) / 2, 0)
    ink = np.clip(side * thick / 2 - np.hypot(beyond, x) + 0.5, 0, 1)
    return paint(ink, 1, dark=float(light_ink), light=float(not light_ink))


@pytest.mark.parametrize("light_ink", [False, True], ids=["dark", "light"])
@pytest.mark.parametrize("side", PADS)
def test_upright_bar_is_a_one(side: int, light_ink: bool, adder: Adder) -> None:
    bars = [draw_bar(side, high, thick, light_ink) for high in HIGH for thick in THICK]
    answers = adder.predict_each(bars, 7)
    assert [isinstance(each, Answer) and (each.digit, each.sum) for each in answers] == [(1, 8)] * len(bars)
