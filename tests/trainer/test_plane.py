"""Places in pictures, and numbers that each picture of a batch draws."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from adder_trainer.plane import chance, column, from_corner, from_middle, some


def seeded(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def test_from_middle_is_one_along_the_longer_side_and_0_in_the_middle() -> None:
    y, x = from_middle(4, 8, torch.device("cpu"))
    assert (tuple(y.shape), tuple(x.shape)) == ((4, 1), (1, 8))
    assert y[:, 0].tolist() == [-0.1875, -0.0625, 0.0625, 0.1875]
    assert (x[0, -1] - x[0, 0]).item() == 0.875


def test_from_corner_is_0_at_the_corner_and_tells_both_sides() -> None:
    y, x, high, wide = from_corner(4, 8, torch.device("cpu"))
    assert (high, wide) == (0.5, 1.0)
    assert y[:, 0].tolist() == [0.0625, 0.1875, 0.3125, 0.4375]
    assert (x[0, 0].item(), x[0, -1].item()) == (0.0625, 0.9375)


def test_column_and_chance_stand_beside_pictures() -> None:
    assert column(torch.arange(3)).shape == (3, 1, 1)
    assert chance(500, 0.0, seeded()).any().item() is False
    assert chance(500, 1.0, seeded()).all().item() is True
    assert chance(2000, 0.3, seeded()).float().mean().item() == pytest.approx(0.3, abs=0.04)


def test_some_are_small_as_often_as_large() -> None:
    drawn = some(4000, 0.01, 1, seeded())
    assert ((drawn >= 0.01) & (drawn <= 1)).all()
    assert (drawn < 0.1).float().mean().item() == pytest.approx(0.5, abs=0.03)
