"""What MNIST's digits lose on their way through the normaliser: nothing as they are, and little in a wider frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from adder_runtime.contract import DIGITS
from adder_runtime.pictures import prepare
from adder_trainer import unchanged
from adder_trainer.approaches import Classify
from adder_trainer.data import Digits
from adder_trainer.evaluation import evaluate
from adder_trainer.unchanged import FRAMES, Passed, count_pictures, pass_through, unchanged_figures, unchanged_table

AS_THEY_ARE, WIDER = FRAMES


@pytest.fixture(scope="module")
def prepared() -> Digits:
    """Ten digits in MNIST's form."""
    pixels = np.stack([prepare(digit) for digit in DIGITS])
    return Digits(torch.from_numpy(pixels[:, None, :, :, 0]) / 255, torch.tensor(DIGITS))


class Known(Classify):
    """Says the digit whose picture is the nearest."""

    def __init__(self, digits: Digits) -> None:
        super().__init__()
        self.digits = digits

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        nearest = torch.cdist(ink.flatten(1), self.digits.ink.flatten(1)).argmin(1)
        digit = self.digits.digit[nearest][:, None].expand_as(number)
        return 9.0 * torch.eye(10)[digit], 9.0 * torch.eye(19)[digit + number]


def test_digits_in_mnists_form_pass_as_they_are_and_in_a_frame_nearly_so(prepared: Digits) -> None:
    told: list[int] = []
    same, moved = (pass_through(prepared.ink, frame, told.append) for frame in FRAMES.values())
    assert told == [10, 10]
    assert torch.equal(same.ink, prepared.ink)
    assert same.mean_difference == 0
    assert moved.readable.all()
    assert 0 < moved.mean_difference < 0.05
    assert moved.mean_difference == pytest.approx((moved.ink - prepared.ink).abs().mean().item())


def test_figures_tell_what_is_read_of_each_frame(prepared: Digits) -> None:
    network = Known(prepared)
    found = unchanged_figures(network, prepared, evaluate(network, prepared), 1.0)
    assert list(found) == [AS_THEY_ARE, WIDER]
    assert count_pictures(prepared) == sum(int(each["pictures"]) for each in found.values()) == 20
    for figures in found.values():
        assert (figures["same_digit"], figures["digit_accuracy"], figures["unread"]) == (1, 1, 0)


def test_digits_that_hang_on_the_number_count_by_pairs(prepared: Digits) -> None:
    class Fickle(Known):
        def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
            digit_logits, sum_output = super().forward(ink, number)
            return torch.where((number == 4)[:, :, None], digit_logits.roll(1, 2), digit_logits), sum_output

    network = Fickle(prepared)
    measured = evaluate(network, prepared)
    found = unchanged_figures(network, prepared, measured, 1.0)
    assert found[AS_THEY_ARE]["digit_accuracy"] == measured.digit_accuracy == 0.9
    assert found[AS_THEY_ARE]["same_digit"] == 1


def test_what_is_lost_and_what_is_read_otherwise_is_counted(prepared: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Known(prepared)
    measured = evaluate(network, prepared)
    wrong = Digits(prepared.ink, torch.where(prepared.digit == 2, 3, prepared.digit))

    def lost(ink: Tensor, frame: int, _: object) -> Passed:
        readable = torch.ones(len(ink), dtype=torch.bool)
        readable[0] = False
        return Passed(ink.clone().index_copy(0, torch.tensor([5]), ink[6:7]), readable, 0.25 * frame)

    monkeypatch.setattr(unchanged, "pass_through", lost)
    figures = unchanged_figures(network, wrong, measured, 1.0)[WIDER]
    assert figures == {
        "pictures": 10, "mean_difference": 0.25, "same_digit": 0.8, "digit_accuracy": 0.7, "unread": 0.1,
    }  # fmt: skip
    assert unchanged_table({"unchanged": {WIDER: figures}}).splitlines()[2:] == [
        f"| {WIDER} | 10 | 0.2500 | 80.00% | 70.00% | 10.00% |"
    ]
