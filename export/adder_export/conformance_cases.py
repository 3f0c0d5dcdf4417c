"""The pictures and numbers that the conformance vectors ask: every kind, and the edges of what is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from adder_export.parity_cases import ODD_NUMBERS, TestImages
from adder_runtime.contract import CHANNELS, DIGITS, LARGE_SIDE, NUMBERS
from adder_runtime.pictures import draw_digit, draw_far, paint
from adder_trainer.kinds import KINDS
from adder_trainer.photo import render
from adder_trainer.strokes import tile
from adder_trainer.unknown import nothing

SEED = 20_261
"""Of all that is drawn."""

RENDERED_BYTES = 64_000
"""Pixels of each rendered kind, at most; a kind's pictures are of several sizes."""

RENDERED_TRIES = 40

Asked = tuple[str, NDArray[np.uint8], NDArray[np.int32]]
"""Kind, image (batch, height, width, channels) and number (batch)."""


def draw_cases(mnist: TestImages) -> Iterator[Asked]:
    """All that the vectors ask.

    Args:
        mnist: test images and digits, of which some are taken, and written anew as people would.
    """
    random = np.random.default_rng(SEED)

    def numbers(count: int) -> NDArray[np.int32]:
        return random.integers(len(NUMBERS), size=count).astype(np.int32)

    def one(kind: str, image: NDArray[np.uint8]) -> Asked:
        return kind, image[None], numbers(1)

    for place in range(150):
        yield one("mnist", mnist[0][place])
    for height, width in SIZES:
        for digit in (2, 7):
            yield one("sizes", paint(draw_digit(digit, height, width), 1))
    yield one("large", paint(draw_digit(4, 375, 500), 1).repeat(4, 0).repeat(4, 1))
    yield "far", np.stack([draw_far(3), draw_far(3, squared=False)]), numbers(2)
    for channels in CHANNELS:
        for digit in DIGITS:
            yield one("channels", paint(draw_digit(digit, 26, 30), channels))
    for digit in DIGITS:
        # strokes and ground of two colours, and the same with an alpha that shows the strokes alone
        ink = draw_digit(digit, 30, 26)[:, :, None]
        front, back = (random.integers(0, 256, 3) for _ in range(2))
        colour = np.round(ink * front + (1 - ink) * back).astype(np.uint8)
        yield one("colours", colour)
        yield one("transparent", np.concatenate([np.full_like(colour, front), np.uint8(255 * ink)], 2))
    for dark, light in ((0, 1), (1, 0), (0.4, 0.6), (0.6, 0.4), (0.45, 0.55), (0, 0.1), (1, 0.9)):
        for digit in (0, 3, 5, 6, 9):
            yield one("polarities", paint(draw_digit(digit, 28, 28), 1, dark=dark, light=light))
    for size in (2, 3, 5, 8, 17):
        image = np.stack([paint(draw_digit(int(digit), 22, 22), 1) for digit in random.integers(0, 10, size)])
        yield "batches", image, numbers(size)
    yield from rendered(mnist, numbers)
    for shape in ((1, 1, 1), (1, 1, 4), (28, 28, 1), (40, 30, 3), (1, 50, 2), (64, 64, 1)):
        for value in (0, 127, 255):
            yield one("blank", np.full(shape, value, np.uint8))
    for shape in ((28, 28, 1), (9, 7, 3), (5, 40, 2), (24, 24, 4), (2, 2, 1)):
        for _ in range(4):
            yield one("noise", random.integers(0, 256, shape).astype(np.uint8))
    for number in ODD_NUMBERS:
        yield "odd numbers", paint(draw_digit(5, 28, 28), 1)[None], np.array([number], np.int32)
    for side in (LARGE_SIDE - 1, LARGE_SIDE, 2 * LARGE_SIDE - 1, 2 * LARGE_SIDE, 2 * LARGE_SIDE + 1, 3 * LARGE_SIDE):
        for height, width in ((6, side), (side, 6)):
            yield one("edges", paint(draw_digit(1, height, width), 1))
    for contrast in np.geomspace(0.004, 0.1, 24):
        yield one("edges", paint(draw_digit(8, 24, 24), 1, dark=0.5, light=0.5 + contrast))


SIZES = (
    (1, 1), (1, 2), (2, 1), (1, 50), (50, 1), (2, 2), (3, 3), (5, 4), (7, 5), (9, 9), (8, 12), (14, 14), (17, 40),
    (20, 20), (27, 28), (28, 27), (28, 28), (29, 29), (31, 64), (48, 48), (56, 56), (64, 31), (64, 64), (77, 50),
    (90, 10), (96, 96), (97, 95), (100, 160), (128, 128), (192, 192), (30, 300), (300, 30),
)  # fmt: skip
"""Height and width in pixels: around those of the normaliser's grids, and odd ones."""


def rendered(mnist: TestImages, numbers: Callable[[int], NDArray[np.int32]]) -> Iterator[Asked]:
    """Digits and blank paper as they are rendered for training, some of each kind."""
    generator = torch.Generator().manual_seed(SEED)
    for kind in KINDS:
        left = RENDERED_BYTES
        for place in range(RENDERED_TRIES):
            ink, digit = mnist[0][1000 + place, :, :, 0] / 255, mnist[1][1000 + place]
            tiles = tile(torch.from_numpy(ink).float()[None, None], torch.tensor([digit]), generator)
            blank = place % 8 == 7
            image = render(nothing(tiles, generator) if blank else tiles, kind, generator).numpy()
            if image.size <= left:
                left -= image.size
                yield f"{kind.name}, blank" if blank else kind.name, image, numbers(1)
