"""The network that finds the ink: its form, and what the one that ships finds."""

from __future__ import annotations

from copy import deepcopy
from math import gcd

import numpy as np
import pytest
import torch
from torch import Tensor

from adder_runtime.pictures import draw_digit
from adder_trainer.normalize.finder import COARSER, LEVELS, Finder, features, rounded, shipped_finder
from adder_trainer.normalize.normalizer import CLOSE_GRID
from adder_trainer.normalize.picture import GRID, Picture


def page(digit: int, dark: float = 0.5) -> tuple[Tensor, Tensor]:
    """Light of a page with a digit in its lower right quarter, and where its ink is, (1, 1, GRID, GRID)."""
    ink = np.zeros((GRID, GRID))
    ink[GRID // 2 :, GRID // 2 :] = draw_digit(digit, GRID // 2, GRID // 2)
    drawn = torch.from_numpy(ink).float()[None, None]
    return 0.9 - dark * drawn, drawn


@pytest.mark.parametrize("grid", [CLOSE_GRID, GRID])
def test_each_piece_of_the_picture_gets_one_logit(grid: int) -> None:
    assert shipped_finder()(torch.rand(3, 1, grid, grid)).shape == (3, 1, grid // COARSER, grid // COARSER)


def test_features_are_the_same_in_any_light() -> None:
    torch.manual_seed(1)
    light = 10 * torch.rand(2, 1, GRID, GRID)
    torch.testing.assert_close(features(3 * light + 5), features(light), atol=0.01, rtol=0.01)
    torch.testing.assert_close(features(-light), -features(light))
    assert features(torch.full((1, 1, GRID, GRID), 0.7)).abs().max() < 1e-3


@pytest.mark.parametrize("sign", [1, -1])
def test_digits_are_found_where_they_are_and_nowhere_else(sign: int) -> None:
    missed = []
    for digit in range(10):
        light, ink = page(digit)
        found = shipped_finder()(sign * light).sigmoid() > 0.5
        there = torch.nn.functional.max_pool2d(ink, COARSER) > 0.5
        if found[there].float().mean() < 0.9:
            missed.append(digit)
        near = torch.nn.functional.max_pool2d(there.float(), 5, 1, 2) > 0
        assert not found[~near].any()
    assert set(missed) <= {2}  # its straight foot may be a line that lies there


def test_shipped_one_is_read_once_and_is_not_trained_on() -> None:
    finder = shipped_finder()
    assert finder is shipped_finder()
    assert not finder.training
    assert not any(parameter.requires_grad for parameter in finder.parameters())


def test_rounded_weights_are_multiples_of_a_step_of_their_channel() -> None:
    torch.manual_seed(2)
    plain = Finder()
    first = plain.get_parameter("down.0.weight")
    first.data[3] = 0  # a channel that is not used
    made = rounded(deepcopy(plain))
    for (name, before), after in zip(plain.named_parameters(), made.parameters(), strict=True):
        assert torch.equal(after, after.half().float())
        if before.ndim < 4:
            assert torch.equal(after, before.half().float())
            continue
        channels = after.transpose(0, 1) if name.startswith("finer") else after
        for one, was in zip(channels, before.transpose(0, 1) if name.startswith("finer") else before, strict=True):
            # in whole multiples of the smallest number in 16 bits
            whole = (one.double() * 2**24).long().abs().flatten().tolist()
            step = max(gcd(*whole), 1)
            assert max(whole) <= LEVELS * step
            assert (
                one - was
            ).abs().max() <= was.abs().max() / LEVELS  # half a step, which is up to an eighth too large


def test_it_is_small() -> None:
    assert sum(parameter.numel() for parameter in Finder().parameters()) < 60_000


@pytest.mark.parametrize(
    ("height", "width", "cells"),
    [
        (1, 1, 64),
        (28, 28, 64),
        (64, 20, 64),
        (65, 20, 80),
        (90, 96, 96),
        (97, 97, 112),
        (20, 128, 128),
        (900, 640, 128),
    ],
)
def test_small_pictures_are_seen_in_fewer_cells(height: int, width: int, cells: int) -> None:
    picture = Picture.of(torch.zeros(1, height, width, 1, dtype=torch.uint8))
    assert picture.grid == cells
    light, *_ = picture.first_look()
    assert light.shape == (1, 1, cells, cells)
