"""Paper with nothing on it is nothing to read, and what is on it is read: by the shipped files, without PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from adder_runtime import Adder
from adder_runtime.contract import DIGITS, NUMBERS, UNREAD
from adder_runtime.image_file import Pixels
from adder_runtime.pictures import draw_digit, draw_far

Light = NDArray[np.float64]

SIDE = 128
"""Of a page in pixels."""

PAGES = 100
"""Of each kind."""

UNREAD_SHARE = 0.99
"""Least share of blank pages on which nothing is read."""


def draw_pages(make: Callable[[np.random.Generator], Light]) -> Pixels:
    """PAGES pages, (PAGES, SIDE, SIDE, 1) uint8."""
    random = np.random.default_rng(3)
    light = np.stack([make(random) for _ in range(PAGES)])
    return np.asarray(np.rint(light.clip(0, 1) * 255), np.uint8)[..., None]


def lit(random: np.random.Generator) -> Light:
    """Paper under a lamp at one side, with grain."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    turn = random.uniform(0, 2 * np.pi)
    fall = random.uniform(0, 0.5) * (np.cos(turn) * (x - 0.5) + np.sin(turn) * (y - 0.5) + 0.5)
    grain = random.normal(0, random.uniform(0, 0.03), (SIDE, SIDE))
    return np.asarray(random.uniform(0.5, 1) * (1 - fall) + grain)


def shadowed(random: np.random.Generator) -> Light:
    """The same with the soft shadow of a hand."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    turn = random.uniform(0, 2 * np.pi)
    edge = np.cos(turn) * (x - 0.5) + np.sin(turn) * (y - 0.5) - random.uniform(-0.3, 0.3)
    return np.asarray(lit(random) * (1 - random.uniform(0.1, 0.4) / (1 + np.exp(-edge / random.uniform(0.03, 0.2)))))


def ruled(random: np.random.Generator) -> Light:
    """The same, unshadowed, with printed lines."""
    y, x = np.mgrid[:SIDE, :SIDE]
    slope, spacing = random.uniform(-0.05, 0.05), random.uniform(10, 30)
    across = np.abs((y + slope * x) / spacing % 1 - 0.5) * spacing < random.uniform(0.5, 1)
    along = (np.abs((x - slope * y) / spacing % 1 - 0.5) * spacing < 0.7) & (random.random() < 0.5)
    return np.asarray(lit(random) * np.where(across | along, random.uniform(0.6, 0.9), 1))


def noisy(random: np.random.Generator) -> Light:
    """Nothing but noise."""
    return random.normal(0.5, random.uniform(0.05, 0.3), (SIDE, SIDE))


WRITTEN = {"under a lamp": lit, "with a shadow": shadowed, "with printed lines": ruled}
BLANK = WRITTEN | {"noise": noisy}


@pytest.mark.parametrize("kind", BLANK)
def test_nothing_is_read_on_blank_paper(kind: str, adder: Adder) -> None:
    found = adder.run(draw_pages(BLANK[kind]), np.full(PAGES, 7, np.int32))
    assert (found["digit"] == UNREAD).mean() >= UNREAD_SHARE
    unread = found["digit"] == UNREAD
    assert (found["sum"][unread] == UNREAD).all()
    assert (found["confidence"][unread] == 0).all()


@pytest.mark.parametrize("kind", WRITTEN)
def test_digits_on_that_paper_are_read(kind: str, adder: Adder) -> None:
    def write(random: np.random.Generator) -> Light:
        ink = np.zeros((SIDE, SIDE))
        side = int(random.integers(36, 110))
        top, left = random.integers(0, SIDE - side, 2)
        ink[top : top + side, left : left + side] = draw_digit(next(digit), side, side, pen=random.uniform(0.06, 0.14))
        return np.asarray(WRITTEN[kind](random) * (1 - random.uniform(0.6, 0.9) * ink))

    digit = iter(list(DIGITS) * PAGES)
    number = np.arange(PAGES, dtype=np.int32) % len(NUMBERS)
    found = adder.run(draw_pages(write), number)
    assert (found["digit"] == np.arange(PAGES) % len(DIGITS)).mean() >= READ_SHARE


def test_small_digits_on_squared_paper_are_read(adder: Adder) -> None:
    pages = np.stack([draw_far(digit) for digit in DIGITS])
    assert adder.run(pages, np.full(len(DIGITS), 7, np.int32))["digit"].tolist() == list(DIGITS)


READ_SHARE = 0.95
"""Least share of the drawn digits that are read: printed lines run through some of the small ones."""
