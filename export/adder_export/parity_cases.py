"""What a model file is asked in the proof: pictures of many kinds, each of which stresses one thing, with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from adder_runtime.contract import CHANNELS, DIGITS, NUMBERS, SIDE, UNREAD
from adder_runtime.image_file import read_enough
from adder_runtime.labels import Labelled
from adder_runtime.pictures import draw_digit, draw_far, generate, paint
from adder_trainer.kinds import MEASURED
from adder_trainer.photo import render
from adder_trainer.strokes import tile
from adder_trainer.unknown import nothing

MNIST_TEST = "mnist_test"

FOLDER = "folder: "
"""Leads the name of a kind that is a folder of the user's own pictures."""

GENERATED = 300
"""Generated pictures that stand in for MNIST's test images where those are not at hand."""

SEED = 7
"""Of the generated pictures."""

BATCH = 100
"""Images in a run over MNIST."""

RENDERED = 40
"""Pictures of each rendered kind."""

EVERY_NUMBER = np.arange(len(NUMBERS), dtype=np.int32)

ODD_NUMBERS = np.array([-1, 10, 18, -(2**31), 2**31 - 1], np.int32)
"""Numbers that the contract answers with a sum of -1."""

TestImages = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""MNIST's test images (n, 28, 28, 1) and their digits (n)."""


@dataclass(frozen=True)
class Case:
    """Pictures of one shape, each asked with some numbers."""

    kind: str
    image: NDArray[np.uint8]
    """(pictures, height, width, channels)."""
    number: NDArray[np.int32]
    """(numbers), the same for each picture."""
    digit: NDArray[np.int64] | None = None
    """(pictures) what they show, -1 for nothing, where that is known."""

    @property
    def pairs(self) -> int:
        """Pairs of a picture and a number."""
        return len(self.image) * len(self.number)


def cases(mnist: TestImages | None, labelled: Sequence[Labelled] = ()) -> Iterator[Case]:
    """Everything that a model file is asked.

    Args:
        mnist: generated pictures take their place when None.
        labelled: the user's own pictures; the kind of each is its folder.

    Raises:
        ImageError: one of them cannot be read.
    """
    if mnist is None:
        for picture in generate(GENERATED, SEED):
            yield Case("generated", picture.pixels[None], EVERY_NUMBER, np.array([picture.digit]))
    else:
        for start in range(0, len(mnist[1]), BATCH):
            part = slice(start, start + BATCH)
            yield Case(MNIST_TEST, mnist[0][part], EVERY_NUMBER, mnist[1][part])
    yield from drawn_cases()
    yield from rendered_cases(mnist)
    for each in labelled:
        image = read_enough(each.path).pixels[None].copy()  # PyTorch warns of arrays that cannot be written
        yield Case(f"{FOLDER}{each.group}", image, EVERY_NUMBER, np.array([each.digit]))


def drawn_cases() -> Iterator[Case]:
    """The kinds that are drawn: sizes, polarities, channels, batches, noise, blank pictures, odd numbers."""
    for height, width in ((9, 9), (17, 40), (28, 28), (64, 64), (200, 31), (31, 200), (333, 500)):
        image = np.stack([paint(draw_digit(digit, height, width), 1) for digit in (3, 8)])
        yield Case("sizes", image, EVERY_NUMBER)
    large = paint(draw_digit(7, 270, 480), 1)[None].repeat(4, 1).repeat(4, 2)
    yield Case("sizes", large, EVERY_NUMBER[::9], np.array([7]))
    # beside one that the first look sees, those that it overlooks
    far = [draw_far(5, squared=False), *(draw_far(digit) for digit in DIGITS)]
    yield Case("far", np.stack(far), EVERY_NUMBER, np.array([5, *DIGITS]))
    for dark, light in ((0, 1), (1, 0), (0.4, 0.6), (0.6, 0.4), (0.45, 0.55), (0, 0.1), (1, 0.9)):
        image = np.stack([paint(draw_digit(digit, 60, 50), 1, dark=dark, light=light) for digit in DIGITS])
        yield Case("polarities", image, EVERY_NUMBER, np.array(DIGITS))
    for channels in CHANNELS:
        image = np.stack([paint(draw_digit(digit, 48, 64), channels) for digit in DIGITS])
        yield Case("channels", image, EVERY_NUMBER, np.array(DIGITS))
        if channels % 2 == 0:
            image = image.copy()
            image[..., -1] = 255 - image[..., 0]  # opaque where the ink is
            yield Case("transparent", image, EVERY_NUMBER, np.array(DIGITS))
    for size in (1, 2, 3, 17, 64, 256):
        image = np.stack([paint(draw_digit(index % len(DIGITS), 32, 32), 1) for index in range(size)])
        yield Case("batches", image, EVERY_NUMBER, np.arange(size) % len(DIGITS))
    random = np.random.default_rng(SEED)
    for height, width, channels in ((28, 28, 1), (90, 70, 3), (5, 200, 2), (64, 64, 4), (2, 2, 1)):
        yield Case("noise", random.integers(0, 256, (8, height, width, channels), np.uint8), EVERY_NUMBER)
    nothing = np.array([UNREAD])
    for shape in ((1, 1, 1), (1, 1, 4), (28, 28, 1), (300, 200, 3), (1, 50, 2)):
        for value in (0, 127, 255):
            yield Case("blank", np.full((1, *shape), value, np.uint8), EVERY_NUMBER, nothing)
    yield Case("odd_numbers", paint(draw_digit(5, 40, 40), 1)[None], ODD_NUMBERS)


@torch.no_grad()
def rendered_cases(mnist: TestImages | None) -> Iterator[Case]:
    """Pictures as people take and draw them, a batch of digits and one of blank paper for each of the kinds
    that the trainer measures.

    Nothing lies on the blank paper, as none does where it is trained as no digit. What lies there may look like half a
    digit: of 1,200 such pictures one was answered with a 0, 76 % sure by PyTorch and 0.1 points less by the file.

    Args:
        mnist: its first images are written and photographed; drawn digits take their place when None.
    """
    if mnist is None:
        digit = np.arange(RENDERED, dtype=np.int64) % len(DIGITS)
        ink = np.stack([draw_digit(each, SIDE, SIDE) for each in digit.tolist()])
    else:
        digit = mnist[1][:RENDERED]
        ink = mnist[0][:RENDERED, :, :, 0] / 255
    generator = torch.Generator().manual_seed(SEED)
    tiles = tile(torch.from_numpy(ink).float()[:, None], torch.from_numpy(digit), generator)
    for kind in MEASURED:
        yield Case("rendered", render(tiles, kind, generator).numpy(), EVERY_NUMBER, digit)
        blank = render(nothing(tiles, generator), replace(kind, clutter=0.0), generator).numpy()
        yield Case("blank_paper", blank, EVERY_NUMBER, np.full(RENDERED, UNREAD))


def count_pairs(mnist: TestImages | None, labelled: Sequence[Labelled] = ()) -> int:
    """How many pairs of a picture and a number `cases` gives."""
    digits = GENERATED if mnist is None else len(mnist[1])
    # not counted as they come: it takes half a minute to render them
    rendered = 2 * RENDERED * len(MEASURED)
    drawn = sum(case.pairs for case in drawn_cases())
    return (digits + rendered + len(labelled)) * len(EVERY_NUMBER) + drawn
