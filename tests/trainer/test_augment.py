"""Augmentation: repeatable, within range, of the strength that its constants say."""

from __future__ import annotations

import pytest
import torch

from adder_runtime.contract import SIDE
from adder_trainer import augment
from adder_trainer.data import Digits

STRENGTHS = ("ROTATION", "SCALE", "SHEAR", "SHIFT", "ELASTIC", "THICKNESS")

RESAMPLED = 1e-5
"""Ink that the identity's grid resamples: its float32 coordinates miss a pixel by some 1e-6 (measured: 1.6e-6)."""


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def only(monkeypatch: pytest.MonkeyPatch, **strengths: float) -> None:
    """Turn every distortion off but those that are named."""
    for name in STRENGTHS:
        monkeypatch.setattr(augment, name, strengths.get(name, 0.0))


def test_same_generator_gives_the_same_ink(drawn: Digits) -> None:
    ink = drawn.ink[:20]
    first, again, other = (augment.augment(ink, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_shape_type_and_range_stay(drawn: Digits) -> None:
    augmented = augment.augment(drawn.ink, seeded(1))
    assert (augmented.shape, augmented.dtype) == (drawn.ink.shape, torch.float32)
    assert augmented.min() >= 0
    assert augmented.max() <= 1 + RESAMPLED


def test_given_ink_is_left_as_it_was(drawn: Digits) -> None:
    before = drawn.ink.clone()
    augment.augment(drawn.ink, seeded(1))
    assert torch.equal(drawn.ink, before)


def test_each_image_of_a_batch_is_distorted_in_its_own_way(drawn: Digits) -> None:
    augmented = augment.augment(drawn.ink[:1].expand(8, -1, -1, -1), seeded(1))
    assert len({tuple(image.flatten().tolist()) for image in augmented}) == 8


def test_no_strength_leaves_the_ink_as_it_is(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    augmented = augment.augment(drawn.ink, seeded(1))
    torch.testing.assert_close(augmented, drawn.ink, atol=RESAMPLED, rtol=0)


def test_shift_moves_the_ink_by_up_to_so_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, SHIFT=3.0 / augment.GENTLE)
    ink = torch.zeros(200, 1, SIDE, SIDE)
    ink[:, :, 12:16, 12:16] = 1
    augmented = augment.augment(ink, seeded(1))[:, 0]
    position = torch.arange(SIDE) + 0.5 - SIDE / 2
    for axis in (1, 2):
        moved = (augmented.sum(3 - axis) * position).sum(1) / augmented.sum((1, 2))
        assert 2.9 < moved.abs().max() <= 3 + RESAMPLED
        assert -3 - RESAMPLED <= moved.min() < -2.5
        assert moved.max() > 2.5


def test_thickness_grows_and_shrinks_strokes_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, THICKNESS=0.5)
    ink = torch.zeros(100, 1, SIDE, SIDE)
    ink[:, :, 4:24, 12:16] = 1
    column = augment.augment(ink, seeded(1))[:, 0, 14]  # (100, 28), across the stroke
    grown = column[:, 11] > RESAMPLED
    assert 30 < grown.sum() < 70
    assert column[grown, 11].max() <= 0.5 + RESAMPLED
    assert column[~grown, 12].min() >= 0.5 - RESAMPLED
    assert column[:, 13:15].min() >= 1 - RESAMPLED
    assert column[:, :11].max() <= RESAMPLED
    assert column[:, 17:].max() <= RESAMPLED
