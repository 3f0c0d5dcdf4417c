"""Forms of other hands: what is added to ones, fives, sevens and nines, and where; sevens with a wavy head."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adder_trainer import hands
from adder_trainer.hands import ADDED, PIECES, STROKES, Stroke, bow, more_strokes, pieces
from adder_trainer.strokes import TILE

MANY = 300
"""Digits of each label; two standard deviations of a share are 6 points."""


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stem() -> Tensor:
    """An upright stroke of two cells, (1, 1, TILE, TILE)."""
    ink = torch.zeros(1, 1, TILE, TILE)
    ink[:, :, 10:46, 27:29] = 1
    return ink


def seven() -> Tensor:
    """A level top and an upright stem at its right end, (1, 1, TILE, TILE)."""
    ink = torch.zeros(1, 1, TILE, TILE)
    ink[:, :, 10:12, 16:40] = 1
    ink[:, :, 10:46, 38:40] = 1
    return ink


def added(ink: Tensor, label: int) -> tuple[Tensor, Tensor]:
    """Ends (MANY, STROKES, PIECES, 4) and whether each is drawn (MANY, STROKES) for the same digit many times."""
    return more_strokes(ink.expand(MANY, -1, -1, -1), torch.full((MANY,), label), seeded())


def test_only_named_digits_get_strokes_in_about_their_shares() -> None:
    digit = torch.arange(10).repeat(MANY)
    ends, drawn = more_strokes(stem().expand(len(digit), -1, -1, -1), digit, seeded())
    assert ends.shape == (10 * MANY, STROKES, PIECES, 4)
    share = drawn.reshape(MANY, 10, STROKES).float().mean(0)
    wanted = {
        1: (hands.FLAGGED, hands.BASED),
        5: (hands.OVERREACHING, 0),
        7: (hands.CROSSED, hands.TICKED),
        9: (hands.TAILED, 0),
    }
    assert wanted.keys() == ADDED.keys()
    for label in range(10):
        assert share[label].tolist() == pytest.approx(wanted.get(label, (0, 0)), abs=0.1)


def test_same_seed_adds_the_same() -> None:
    for first, again in zip(added(stem(), 7), added(stem(), 7), strict=True):
        assert torch.equal(first, again)


def test_one_has_no_base_without_a_flag() -> None:
    _, drawn = added(stem(), 1)
    flag, base = drawn.unbind(1)
    assert base.any()
    assert not (base & ~flag).any()


def test_flag_leaves_the_top_of_a_one_to_the_left_and_down_and_the_base_lies_under_its_foot() -> None:
    ends, _ = added(stem(), 1)
    y0, x0, _, _ = ends[:, 0, 0].unbind(1)
    _, _, y1, x1 = ends[:, 0, -1].unbind(1)
    assert (y0 - 11).abs().max() < 1
    assert (x0 - 28).abs().max() < 1
    assert ((y1 > y0) & (x1 < x0)).all()
    assert (ends[:, 1, 0, 0] - 46).abs().max() < 3
    assert ((ends[:, 1, 0, 1] < 28) & (ends[:, 1, -1, 3] > 28)).all()


def test_bar_crosses_the_stem_of_a_seven_and_the_tick_hangs_from_the_left_end_of_its_top() -> None:
    ends, _ = added(seven(), 7)
    assert ((ends[:, 0, 0, 1] < 37) & (ends[:, 0, -1, 3] > 40)).all()
    assert ((ends[:, 0, :, ::2] > 15) & (ends[:, 0, :, ::2] < 45)).all()
    assert (ends[:, 1, 0, 0] - 11).abs().max() < 1
    assert (ends[:, 1, 0, 1] - 16.5).abs().max() < 1
    assert (ends[:, 1, -1, 2] > ends[:, 1, 0, 0]).all()


def test_tail_leaves_the_foot_of_a_nine_to_the_left_and_sags() -> None:
    ends, _ = added(stem(), 9)
    first, last = ends[:, 0, 0], ends[:, 0, -1]
    assert (first[:, 0] - 45).abs().max() < 1
    assert (first[:, 1] - 28).abs().max() < 1
    assert (last[:, 3] < 24).all()
    straight = (first[:, 0] + last[:, 2]) / 2
    assert (ends[:, 0, PIECES // 2, 0] > straight).all()


def test_top_of_a_five_reaches_over_its_back() -> None:
    ends, _ = added(seven(), 5)
    assert (ends[:, 0, 0, 3] > ends[:, 0, 0, 1]).all()
    assert (ends[:, 0, 0, 1] < 16).all()
    assert (ends[:, 0, :, ::2] < 20).all()


def test_pieces_follow_each_other_from_end_to_end_and_sag_to_the_left_of_the_way() -> None:
    y0, x0, y1, x1, sag = (torch.tensor([value]) for value in (10.0, 30.0, 10.0, 10.0, 0.25))
    made = pieces(Stroke(y0, x0, y1, x1, sag, torch.tensor([True])))  # to the left of the picture
    assert made.shape == (1, PIECES, 4)
    assert made[0, 0, :2].tolist() == [10, 30]
    assert made[0, -1, 2:].tolist() == pytest.approx([10, 10])
    assert torch.equal(made[0, :-1, 2:], made[0, 1:, :2])
    assert made[0, :, 2].max().item() == pytest.approx(10 + 0.25 * 20)


def test_some_sevens_get_a_wavy_head_on_the_same_foot_and_nothing_else_changes() -> None:
    digit = torch.tensor([7, 4]).repeat(MANY)
    before = seven().expand(len(digit), -1, -1, -1)
    after = bow(before, digit, seeded())
    changed = ((after - before).abs() > 0.1).flatten(1).any(1)
    assert not changed[digit == 4].any()
    assert changed[digit == 7].float().mean().item() == pytest.approx(hands.WAVY, abs=0.1)
    wavy = after[changed]
    middle_of_top = (wavy[:, 0, :34, 28] * torch.arange(34)).sum(1) / wavy[:, 0, :34, 28].sum(1)
    assert middle_of_top.max() > 18
    assert middle_of_top.min() < 10.5
    assert (wavy[:, :, 40:] - before[: len(wavy), :, 40:]).abs().max() < 1e-3


def test_some_nines_get_a_stem_that_bulges_under_the_loop() -> None:
    before = stem().expand(MANY, -1, -1, -1)
    after = bow(before, torch.full((MANY,), 9), seeded())
    changed = ((after - before).abs() > 0.1).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(hands.BULGING, abs=0.1)
    at = (after[changed] * torch.arange(TILE)).sum(3)[:, 0] / after[changed].sum(3)[:, 0].clamp(min=1e-6)
    assert at[:, 35].max() > 34
    assert (at[:, [12, 45]] - 27.5).abs().max() < 1


def test_without_sevens_and_nines_nothing_is_bent() -> None:
    ink = stem()
    assert torch.equal(bow(ink, torch.tensor([3]), seeded()), ink)
