"""A picture in MNIST's form goes to the network as it is, alone and beside others; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from adder_runtime.contract import DIGITS
from adder_runtime.image_file import Pixels
from adder_runtime.pictures import prepare
from adder_trainer.data import load_mnist
from adder_trainer.normalize import Normalizer
from adder_trainer.normalize.prepared import look_for_prepared


def test_all_of_mnist_goes_as_it_is(mnist_folder: Path) -> None:
    images, _ = load_mnist(mnist_folder, train=True)
    for batch in images.split(10_000):
        assert look_for_prepared(batch).is_so.all()
    seen = Normalizer()(images[:100])
    torch.testing.assert_close(seen.ink[:, 0], images[:100, :, :, 0] / 255, atol=0, rtol=0)
    assert seen.readable.all()


AS_IT_IS: dict[str, Callable[[Pixels], Pixels]] = {
    "light on black": lambda grey: grey,
    "black on white": lambda grey: 255 - grey,
    "grey and opaque alpha": lambda grey: np.concatenate([grey, np.full_like(grey, 255)], 2),
    "RGB": lambda grey: grey.repeat(3, 2),
    "opaque RGBA": lambda grey: np.concatenate([grey.repeat(3, 2), np.full_like(grey, 255)], 2),
}


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("change", AS_IT_IS)
def test_a_prepared_picture_goes_as_it_is(change: str, digit: int) -> None:
    grey = prepare(digit)
    seen = Normalizer()(torch.from_numpy(AS_IT_IS[change](grey))[None])
    np.testing.assert_array_equal(seen.ink[0, 0].numpy(), np.float32(grey[:, :, 0]) / np.float32(255))
    rows, columns = np.flatnonzero(grey.max((1, 2))), np.flatnonzero(grey.max((0, 2)))
    assert seen.box[0].tolist() == [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]
    assert seen.readable.tolist() == [True]


def with_specks(grey: Pixels, light: int) -> Pixels:
    changed = grey.copy()
    changed[[1, 27], 0] = light
    return changed


OTHERWISE: dict[str, Callable[[Pixels], Pixels]] = {
    "moved by a pixel": lambda grey: np.roll(grey, 1, 0),
    "moved aside": lambda grey: np.roll(grey, -1, 1),
    "specks far away": lambda grey: with_specks(grey, 255),
    "the faintest grain": lambda grey: with_specks(grey, 1),
    "less contrast": lambda grey: grey - grey // 10,
    "coloured": lambda grey: np.concatenate([grey, grey, grey // 2], 2),
    "half transparent": lambda grey: np.concatenate([grey, np.full_like(grey, 254)], 2),
    "cropped": lambda grey: grey[1:],
    "twice as large": lambda grey: grey.repeat(2, 0).repeat(2, 1),
    "blank": np.zeros_like,
}


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("change", OTHERWISE)
def test_nothing_else_goes_as_it_is(change: str, digit: int) -> None:
    pixels = OTHERWISE[change](prepare(digit))
    assert not look_for_prepared(torch.from_numpy(np.ascontiguousarray(pixels))[None]).is_so.any()


def test_the_same_ink_beside_other_pictures() -> None:
    pictures = torch.from_numpy(np.stack([prepare(digit) for digit in DIGITS]))
    pictures[1] = pictures[1].roll(2, 0)
    together = Normalizer()(pictures)
    for index in range(len(DIGITS)):
        alone = Normalizer()(pictures[index : index + 1])
        for one, other in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], other[index], atol=1e-5, rtol=0)
