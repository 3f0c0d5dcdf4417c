"""Patterns of light and stains: what they share, and what each looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from adder_trainer import pattern
from adder_trainer.kinds import KINDS
from adder_trainer.pattern import DEEPEST, SHAPES
from adder_trainer.photo import render
from adder_trainer.strokes import TILE

SIZE = (60, 80)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_share_of_the_light_is_over_0_and_up_to_1_and_alike_again() -> None:
    light, again, other = (pattern.pattern(200, *SIZE, seeded(seed)) for seed in (1, 1, 2))
    assert light.shape == (200, *SIZE)
    assert light.min() >= 1 - DEEPEST - 1e-6
    assert light.max() <= 1
    assert torch.equal(light, again)
    assert not torch.equal(light, other)


def test_patterns_are_hard_and_soft_faint_and_deep() -> None:
    light = pattern.pattern(400, *SIZE, seeded())
    depth = light.amax((1, 2)) - light.amin((1, 2))
    assert depth.min() < 0.05
    assert depth.max() > 0.7
    steepest = (light[:, :, 1:] - light[:, :, :-1]).abs().amax((1, 2)) / depth.clamp(min=0.05)
    assert steepest.min() < 0.1
    assert steepest.max() > 0.8


@pytest.mark.parametrize("shape", SHAPES)
def test_most_shapes_have_an_inside_and_an_outside(shape: pattern.Shape) -> None:
    inside = (shape(200, *SIZE, seeded()) < 0).float().mean((1, 2))
    assert ((inside > 0) & (inside < 1)).float().mean() > 0.8
    assert inside.std() > 0.01


@pytest.mark.parametrize("shape", pattern.NARROW)
def test_what_is_as_narrow_as_a_stroke_is_dark_and_never_very(
    shape: pattern.Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern, "SHAPES", (shape,))
    light = pattern.pattern(400, *SIZE, seeded())
    assert 0.6 < light.min() < 0.7
    assert (light > 0.9).float().mean() > 0.8


def test_a_finger_is_as_thick_all_along() -> None:
    y, x = torch.arange(7.0)[None, :, None] - 3, torch.arange(9.0)[None, None, :] - 2
    away = pattern._to_line(y, x, torch.zeros(1, 1, 1), torch.full((1, 1, 1), 4.0))
    torch.testing.assert_close(away[0, :, 2:7], y[0].abs().expand(7, 5))
    torch.testing.assert_close(away[0, 3], torch.tensor([2.0, 1, 0, 0, 0, 0, 0, 1, 2]))


def test_pictures_have_as_many_patterns_as_their_kind_asks_for() -> None:
    plain = replace(KINDS[0], gradient=0.0, shadow=0.0, pattern=0.0, lines=0.0, clutter=0.0, grain=0.0, mottle=0.0)
    even = replace(plain, frame=0.0, neighbour=0.0, specks=0.0, blur=(0.0, 0.0), jpeg=0.0)
    nothing = torch.zeros(100, 1, TILE, TILE)
    spread = [
        (render(nothing, replace(even, pattern=share), seeded()).float().std((1, 2, 3)) > 0.5).float().mean()
        for share in (0.0, 0.3, 1.0)
    ]
    assert spread[0] == 0
    assert 0.3 < spread[1] < 0.65
    assert spread[2] > 0.9
