"""Pictures of digits drawn by a pen made of numbers: for demos, and for tests that must run where MNIST is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adder_runtime.contract import CHANNELS, DIGITS, SIDE
from adder_runtime.image_file import Pixels

Curve = tuple[tuple[float, float], ...]
"""Control points (x, y) of a smooth stroke; x and y from 0 to 1, y downwards."""

STROKES: tuple[tuple[Curve, ...], ...] = (
    (
        (
            (0.5, 0.0), (0.12, 0.12), (0.1, 0.5), (0.2, 0.9), (0.5, 1.0),
            (0.85, 0.88), (0.9, 0.5), (0.84, 0.1), (0.5, 0.0),
        ),
    ),
    (((0.55, 0.0), (0.5, 0.5), (0.46, 1.0)),),
    (
        ((0.12, 0.22), (0.3, 0.02), (0.65, 0.0), (0.84, 0.2), (0.74, 0.46), (0.4, 0.78), (0.1, 1.0)),
        ((0.1, 1.0), (0.5, 0.97), (0.92, 0.98)),
    ),
    (
        ((0.14, 0.1), (0.45, 0.0), (0.8, 0.1), (0.8, 0.34), (0.42, 0.46)),
        ((0.42, 0.46), (0.84, 0.56), (0.88, 0.85), (0.5, 1.0), (0.1, 0.9)),
    ),
    (
        ((0.28, 0.04), (0.18, 0.32), (0.12, 0.58)),
        ((0.12, 0.58), (0.5, 0.57), (0.92, 0.55)),
        ((0.74, 0.2), (0.7, 0.6), (0.66, 1.0)),
    ),
    (
        ((0.84, 0.02), (0.5, 0.03), (0.26, 0.05)),
        ((0.26, 0.05), (0.22, 0.25), (0.2, 0.44)),
        ((0.2, 0.44), (0.55, 0.36), (0.86, 0.56), (0.82, 0.88), (0.45, 1.0), (0.12, 0.92)),
    ),
    (
        (
            (0.72, 0.0), (0.36, 0.24), (0.16, 0.62), (0.28, 0.95), (0.6, 1.0),
            (0.82, 0.8), (0.7, 0.58), (0.42, 0.58), (0.2, 0.76),
        ),
    ),
    (((0.1, 0.04), (0.5, 0.02), (0.9, 0.03)), ((0.9, 0.03), (0.64, 0.45), (0.42, 1.0))),
    (
        ((0.76, 0.16), (0.5, 0.0), (0.24, 0.16), (0.36, 0.4), (0.66, 0.58), (0.82, 0.82), (0.5, 1.0), (0.18, 0.84)),
        ((0.18, 0.84), (0.32, 0.6), (0.62, 0.4), (0.76, 0.16)),
    ),
    (
        ((0.8, 0.26), (0.6, 0.02), (0.3, 0.06), (0.22, 0.34), (0.44, 0.5), (0.7, 0.42), (0.8, 0.26)),
        ((0.8, 0.26), (0.76, 0.6), (0.66, 1.0)),
    ),
)  # fmt: skip
"""How each digit is written, by digit."""

POINTS = 6
"""Straight pieces between two control points."""


@dataclass(frozen=True)
class Picture:
    """A generated picture and what it shows."""

    pixels: Pixels
    digit: int


def draw_digit(
    digit: int, height: int, width: int, *, pen: float = 0.11, wobble: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The ink of one digit, as large as the frame allows with a margin.

    Args:
        digit: 0 to 9.
        height: of the frame in pixels.
        width: of the frame in pixels.
        pen: width of the stroke as a share of the digit's height, 0.05 to 0.2.
        wobble: (2, 3) affine map of the digit's plane, the centre being the origin; the identity unless given.

    Returns:
        (height, width), 0 = paper, 1 = ink, with soft edges one pixel wide.
    """
    scale = min(height, width / 0.75) * 0.72
    points = [_smooth(np.array(curve)) for curve in STROKES[digit]]
    begin = np.concatenate([curve[:-1] for curve in points])
    end = np.concatenate([curve[1:] for curve in points])
    if wobble is not None:
        begin, end = ((place - 0.5) @ wobble[:, :2].T + wobble[:, 2] + 0.5 for place in (begin, end))
    begin, end = (((place - 0.5) * (0.72 * scale, scale)) + (width / 2, height / 2) for place in (begin, end))
    y, x = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    ink = np.zeros((height, width))
    reach = pen * scale / 2 + 1
    for a, b in zip(begin, end, strict=True):
        (left, top), (right, bottom) = (
            np.array([np.minimum(a, b) - reach, np.maximum(a, b) + reach]).clip(0).astype(int)
        )
        near = np.s_[top : bottom + 1, left : right + 1]  # a piece inks nothing farther away
        here_x, here_y = x[near[1]] - a[0], y[near[0]] - a[1]
        along = b - a
        part = (here_x * along[0] + here_y * along[1]) / max(float(along @ along), 1e-9)
        part = part.clip(0, 1)
        distance = np.hypot(here_x - part * along[0], here_y - part * along[1])
        ink[near] = np.maximum(ink[near], (pen * scale / 2 + 0.5 - distance).clip(0, 1))
    return ink


def paint(ink: NDArray[np.float64], channels: int, *, dark: float = 0.1, light: float = 0.95) -> Pixels:
    """Ink as pixels: `dark` ink on a `light` ground, or the reverse where `dark` is the lighter.

    Args:
        ink: (height, width), 0 to 1.
        channels: 1 to 4; the last of 2 and 4 is an opaque alpha.
        dark: light of the ink, 0 = black, 1 = white.
        light: light of the ground.
    """
    grey = np.rint((light + (dark - light) * ink) * 255).astype(np.uint8)
    layers = [grey] * (1 if channels < 3 else 3)
    if channels in (2, 4):
        layers.append(np.full_like(grey, 255))
    return np.stack(layers, 2)


def prepare(digit: int) -> Pixels:
    """One digit in MNIST's own form, (28, 28, 1): light on black, in a box of 20 pixels, its mass in the middle."""
    frames = (draw_digit(digit, side, side) for side in range(20, SIDE))
    drawn = next(ink for ink in frames if np.ptp(np.flatnonzero(ink.max(1))) + 1 >= 19)
    ink = np.pad(drawn, (0, SIDE - len(drawn)))
    mass = [(ink.sum(axis) * (np.arange(SIDE) + 0.5)).sum() / ink.sum() for axis in (1, 0)]
    down, across = (round((SIDE + 1) / 2 - middle) for middle in mass)
    return paint(np.roll(ink, (down, across), (0, 1)), 1, dark=1, light=0)


FAR, FEW, SQUARE = 320, 24, 20
"""Sides in pixels of a page of squared paper, of the frame of a digit that is small on it, and of its squares."""


def draw_far(digit: int, *, squared: bool = True) -> Pixels:
    """One digit that is small on a page, (FAR, FAR, 1); between the lines of squared paper it is hard to see."""
    page = np.full((FAR, FAR), 0.9)
    top, left = (FAR // 4, FAR // 2) if digit % 2 else (FAR // 2, FAR // 7)
    page[top : top + FEW, left : left + FEW] *= 1 - 0.5 * draw_digit(digit, FEW, FEW, pen=0.1)
    if squared:
        y, x = np.mgrid[:FAR, :FAR]
        # a little askew; two pixels wide
        page -= 0.2 * (((y + x // 30) % SQUARE < 2) | ((x - y // 30) % SQUARE < 2))
    return paint(page.clip(0, 1), 1, dark=1, light=0)


def generate(count: int, seed: int, *, sides: tuple[int, int] = (20, 240)) -> Iterator[Picture]:
    """Pictures of all digits with random size, shape, pen, slant, channels, polarity and contrast.

    Args:
        count: how many.
        seed: the same seed gives the same pictures.
        sides: least and largest height and width in pixels.
    """
    random = np.random.default_rng(seed)
    for index in range(count):
        digit = index % len(DIGITS)
        height = int(random.integers(sides[0], sides[1] + 1))
        width = int(np.clip(height * random.uniform(0.7, 1.5), *sides))
        turn, slant, stretch = random.uniform(-0.1, 0.1), random.uniform(-0.2, 0.1), random.uniform(0.9, 1.05)
        shift = random.uniform(-0.06, 0.06, 2)
        wobble = np.array([[stretch, slant - turn, shift[0]], [turn, 1 / stretch, shift[1]]])
        ink = draw_digit(digit, height, width, pen=random.uniform(0.08, 0.15), wobble=wobble)
        dark, light = random.uniform(0, 0.3), random.uniform(0.6, 1)
        if random.random() < 0.5:
            dark, light = light, dark
        yield Picture(paint(ink, int(random.choice(CHANNELS)), dark=dark, light=light), digit)


def _smooth(control: NDArray[np.float64]) -> NDArray[np.float64]:
    # Catmull-Rom: through every control point, (n, 2) -> (POINTS (n - 1) + 1, 2)
    padded = np.concatenate([2 * control[:1] - control[1:2], control, 2 * control[-1:] - control[-2:-1]])
    before, here, there, after = (padded[start : start + len(control) - 1, None] for start in range(4))
    t = np.linspace(0, 1, POINTS, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * here
        + (there - before) * t
        + (2 * before - 5 * here + 4 * there - after) * t**2
        + (3 * here - before - 3 * there + after) * t**3
    )
    return np.concatenate([curve.reshape(-1, 2), control[-1:]])
