"""Drawn digits among what else people photograph, not rendered as training does: by the shipped files."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from adder_runtime.contract import DIGITS
from adder_runtime.image_file import Pixels
from adder_runtime.pictures import draw_digit, paint

pytestmark = pytest.mark.slow

Light = NDArray[np.float64]
Shares = Callable[[list[Pixels], list[int]], tuple[float, float]]

SIZES = (0.1, 0.2, 0.35, 0.6)
"""Frame of the digit as a share of the picture's side."""

ROUNDS = 2
"""Times each digit is shown in each size."""

PAPER, INK, GRAIN = 0.85, 0.55, 0.01
"""Light of the paper, the share of it that ink takes away, and its standard deviation from pixel to pixel."""

READ_SHARE, WRONG_SHARE = 0.9, 0.04
"""Least share of a kind whose digit is read, and most of it that is read as another one."""


class Place(NamedTuple):
    """Where a digit stands in a square picture: in shares of its side, down and across from the upper left corner."""

    y: Light
    x: Light
    top: float
    left: float
    bottom: float
    right: float
    random: np.random.Generator

    @property
    def side(self) -> int:
        """In pixels."""
        return self.y.size

    def uneven(self, knots: int) -> Light:
        """About 0, over as many parts of the side, (side, side)."""
        coarse = self.random.normal(size=(knots + 1, knots + 1))
        at = np.linspace(0, knots, self.side)
        down = np.stack([np.interp(at, np.arange(knots + 1), each) for each in coarse.T], 1)
        return np.stack([np.interp(at, np.arange(knots + 1), each) for each in down])

    def about(self, margin: float) -> NDArray[np.bool_]:
        """Where a field about the digit is, so much wider than its box."""
        down = (self.y > self.top - margin) & (self.y < self.bottom + margin)
        return down & (self.x > self.left - margin) & (self.x < self.right + margin)


def note_on_a_desk(place: Place) -> Light:
    return np.where(place.about(0.06), PAPER, 0.45 + 0.05 * place.uneven(60) + 0.05 * place.uneven(9))


def torn_paper_on_a_desk(place: Place) -> Light:
    edge = place.bottom + 0.06 + 0.01 * place.uneven(30)[:1]
    return np.where(place.y < edge, PAPER, 0.3 + 0.03 * place.uneven(40))


def form(place: Place) -> Light:
    apart = [1.4 * (place.bottom - place.top), 1.7 * (place.right - place.left)]
    middles = [(place.top + place.bottom) / 2, (place.left + place.right) / 2]
    phases = [((at - middle) / each) % 1 for at, middle, each in zip((place.y, place.x), middles, apart, strict=True)]
    down, across = (abs(phase - 0.5) * each for phase, each in zip(phases, apart, strict=True))
    return np.where((down < 0.004) | (across < 0.004), 0.35, PAPER)


def print_above_and_below(place: Place) -> Light:
    side, rows = place.side, (place.y / 0.045) % 1 < 0.4
    line = (place.y / 0.045).astype(int)
    free = ((line + 1) * 0.045 > place.top - 0.03) & (line * 0.045 < place.bottom + 0.03)
    marks = np.repeat(place.random.random((side // 3 + 1, side // 3 + 1)) < 0.5, 3, 1)[line[:, 0], :side]
    words = np.repeat(place.random.random((side, side // 24 + 1)) < 0.85, 24, 1)[line[:, 0], :side]
    return np.where(rows & ~free & marks & words, 0.3, PAPER)


def strips_of_tape(place: Place) -> Light:
    light = np.full((place.side, place.side), PAPER)
    for _ in range(2):
        angle, (at_y, at_x) = place.random.uniform(0, np.pi), place.random.uniform(0.2, 0.8, 2)
        away = (place.y - at_y) * np.cos(angle) + (place.x - at_x) * np.sin(angle)
        light *= np.where(abs(away) < place.random.uniform(0.03, 0.08), place.random.uniform(0.75, 0.93), 1)
    return light


def wood(place: Place) -> Light:
    veins = np.sin(40 * (place.y + 0.3 * place.x) + 2 * place.uneven(12))
    return 0.62 + 0.08 * veins + 0.03 * place.uneven(place.side // 3)


def crumpled_paper(place: Place) -> Light:
    height = np.zeros((place.side, place.side))
    for _ in range(9):
        angle, at = place.random.uniform(0, 2 * np.pi), place.random.uniform(0.1, 0.9)
        along = (place.y - at) * np.sin(angle) + (place.x - at) * np.cos(angle)
        height += abs(along) * place.random.uniform(-1, 1)
    slopes = np.gradient(height * place.side)
    return 0.8 * (1 + 0.07 * np.clip(slopes[0] + slopes[1], -3, 3))


def thumb(place: Place) -> Light:
    """At the side on which there is more room."""
    on_right = place.left + place.right < 1
    middle = max(place.right + 0.28, 0.95) if on_right else min(place.left - 0.28, 0.05)
    inside = np.hypot((place.y - 0.7) / 1.3, place.x - middle) < 0.2
    return np.where(inside, 0.55 + 0.03 * place.uneven(8), PAPER)


SURROUNDINGS: dict[str, Callable[[Place], Light]] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        note_on_a_desk,
        torn_paper_on_a_desk,
        form,
        print_above_and_below,
        strips_of_tape,
        wood,
        crumpled_paper,
        thumb,
    )
}


def pictures_of(scene: Callable[[Place], Light]) -> tuple[list[int], list[Pixels]]:
    """Digits and their pictures, (side, side, 1)."""
    random = np.random.default_rng(11)
    shown, pictures = [], []
    for _ in range(ROUNDS):
        for size in SIZES:
            for digit in DIGITS:
                side = int(random.integers(200, 420))
                frame = int(side * size)
                top, left = random.integers(side // 40, side - side // 40 - frame + 1, 2)
                ink = np.zeros((side, side))
                wobble = np.eye(2, 3) + random.uniform(-0.1, 0.1, (2, 3)) * (1, 1, 0.2)
                ink[top : top + frame, left : left + frame] = draw_digit(
                    digit, frame, frame, pen=random.uniform(0.06, 0.15), wobble=wobble
                )
                inked = np.argwhere(ink > 0.5)
                (high, low), (begin, end) = inked.min(0) / side, (inked.max(0) + 1) / side
                at = (np.arange(side) + 0.5) / side
                light = scene(Place(at[:, None], at[None], high, low, begin, end, random)) * (1 - INK * ink)
                light += random.normal(0, GRAIN, light.shape)
                shown.append(digit)
                pictures.append(paint(light.clip(0, 1), 1, dark=1, light=0))
    return shown, pictures


SHORT = ("note on a desk", "form", "print above and below", "wood")
"""Those of which too few are read as yet, the small ones above all: what lies there is taken for ink, or ink for it."""

NEAR = ("print above and below",)
"""Those of them that are so near to their bound, 0.89 and 0.9, that one file or another machine may be within it."""


@pytest.mark.parametrize("scene", SURROUNDINGS)
def test_digit_is_read_among(scene: str, shares: Shares, request: pytest.FixtureRequest) -> None:
    if scene in SHORT:
        request.applymarker(pytest.mark.xfail(reason="too few are read", strict=scene not in NEAR))
    shown, pictures = pictures_of(SURROUNDINGS[scene])
    read, wrong = shares(pictures, shown)
    assert read >= READ_SHARE
    assert wrong <= WRONG_SHARE
