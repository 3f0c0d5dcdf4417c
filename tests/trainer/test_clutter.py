"""What lies beside a digit: it is there as often as is asked, and never on the digit."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from adder_trainer.clutter import THINGS, TOUCHES, Thing, with_clutter


def seeded(seed: int = 1) -> Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60), (5, 7)])
@pytest.mark.parametrize("thing", dict.fromkeys(THINGS), ids=lambda thing: thing.__name__)
def test_things_lie_in_the_picture_and_come_out_alike_again(thing: Thing, height: int, width: int) -> None:
    digit = torch.zeros(50, height, width)
    digit[:, height // 3 : height // 2, width // 3 : width // 2] = 1
    first, again = (thing(digit, seeded(3)) for _ in range(2))
    torch.testing.assert_close(first, again)
    assert first.shape == (50, height, width)
    assert 0 <= first.min() <= first.max() <= 1
    if height > 10:
        covered = first.mean((1, 2))
        assert (covered > 0).sum() > 20
        assert covered.mean() < 0.5


def test_nothing_touches_the_digit() -> None:
    digit = torch.zeros(200, 60, 60)
    digit[:, 20:40, 25:35] = 1
    paper = torch.full((200, 1, 1), 0.9)
    light = (0.9 - 0.5 * digit).clone()
    change = (with_clutter(light, digit, paper, 1.0, seeded()) - light).abs()
    # no more than the faint edge of what comes close
    assert change[:, 20:40, 25:35].max() <= TOUCHES
    assert (change > TOUCHES).flatten(1).any(1).float().mean() > 0.8


def test_what_would_touch_the_digit_leaves_a_field_free_or_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adder_trainer.clutter.STRAIGHT", ())
    monkeypatch.setattr("adder_trainer.clutter.ROUND", (lambda digit, _: torch.ones_like(digit),))
    digit = torch.zeros(200, 60, 60)
    digit[:, 20:40, 25:35] = 1
    light = (0.9 - 0.5 * digit).clone()
    changed = with_clutter(light, digit, torch.full((200, 1, 1), 0.9), 1.0, seeded()) != light
    assert not changed[:, 20:40, 25:35].any()
    assert 0.3 < changed[:, 0, 0].float().mean() < 0.7


def test_what_is_straight_is_left_out_where_it_may_be_a_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def thing(name: str) -> Thing:
        def nothing_there(digit: Tensor, generator: Generator) -> Tensor:
            asked.append(name)
            return torch.zeros_like(digit)

        return nothing_there

    for name in ("ROUND", "STRAIGHT"):
        monkeypatch.setattr(f"adder_trainer.clutter.{name}", (thing(name),))
    nothing, paper = torch.zeros(3, 40, 40), torch.full((3, 1, 1), 0.9)
    for straight in (True, False):
        with_clutter(nothing + 0.9, nothing, paper, 1.0, seeded(), straight=straight)
    assert asked == ["ROUND", "STRAIGHT", "ROUND"]


def test_probability_says_how_often() -> None:
    nothing, paper = torch.zeros(300, 40, 40), torch.full((300, 1, 1), 0.9)
    light = torch.full((300, 40, 40), 0.9)
    shares = [
        (with_clutter(light, nothing, paper, probability, seeded()) != light).flatten(1).any(1).float().mean().item()
        for probability in (0.0, 0.1, 0.5)
    ]
    assert shares[0] == 0
    assert shares[0] < shares[1] < shares[2]
    assert shares[1] == pytest.approx(1 - 0.9 ** len(THINGS), abs=0.12)
