"""Accuracies, confusions and temperature, on networks whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from adder_runtime.contract import DIGITS, Approach
from adder_runtime.errors import UsageError
from adder_trainer import evaluation
from adder_trainer.approaches import Classify, Regress
from adder_trainer.data import Digits
from adder_trainer.evaluation import TEMPERATURES, confusion, evaluate, fit_temperature

HEIGHT = 5.0
"""Logit of what a known network says; the others have 0."""

GRID_STEP = 0.008
"""Candidates for the temperature lie 0.7 % apart."""

SAMPLED = 0.05
"""Temperature of logits from which 1,000 labels were drawn: 1 up to chance (measured: 0.99 and 1.01)."""


class KnownClassify(Classify):
    """Says the digit that stands in the first pixel, and the sum plus `off` from the number `off_from` on."""

    def __init__(self, off: int = 0, off_from: int = 0) -> None:
        super().__init__()
        self.off, self.off_from = off, off_from

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        digit = ink[:, 0, 0, :1].long().expand_as(number)
        total = digit + number + self.off * (number >= self.off_from)
        return HEIGHT * torch.eye(10)[digit], HEIGHT * torch.eye(19)[total]


class KnownRegress(Regress):
    """Says the digit that stands in the first pixel, and the sum plus `off`."""

    def __init__(self, off: float = 0.0) -> None:
        super().__init__()
        self.off = off

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        digit = ink[:, 0, 0, :1].long().expand_as(number)
        return HEIGHT * torch.eye(10)[digit], (digit + number + self.off)[:, :, None]


class TooSure(Regress):
    """Says the logits that stand in the first ten pixels, times `scale`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.scale * ink[:, 0, 0, None, :10].expand(-1, number.shape[1], -1)
        return logits, number[:, :, None].float()


class TooSureOfSums(Classify):
    """Says for the sum of a digit the digit's logit in the first ten pixels, times `scale`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.scale * ink[:, 0, 0, None, :10].expand(-1, number.shape[1], -1)
        digit = torch.arange(19) - number[:, :, None]
        # what the number does not allow is said most loudly: the mask must take it away
        sums = torch.where((digit >= 0) & (digit <= 9), logits.gather(2, digit.clamp(0, 9)), 50.0)
        return logits, sums


def known(said: list[int], true: list[int]) -> Digits:
    ink = torch.zeros(len(said), 1, 28, 28)
    ink[:, 0, 0, 0] = torch.tensor(said)
    ink[:, 0, 14, 14] = 1  # else a picture of a 0 would be a blank one
    return Digits(ink, torch.tensor(true))


def sampled() -> Digits:
    """1,000 images that hold logits, with labels drawn from their softmax."""
    generator = torch.Generator().manual_seed(3)
    ink = torch.zeros(1000, 1, 28, 28)
    ink[:, 0, 0, :10] = torch.randn(1000, 10, generator=generator) * 2
    return Digits(ink, ink[:, 0, 0, :10].softmax(1).multinomial(1, generator=generator)[:, 0])


def test_accuracies_are_shares_of_all_pairs() -> None:
    measured = evaluate(KnownClassify(), known([3, 5, 7, 0], [3, 3, 7, 0]))
    assert (measured.images, measured.pairs) == (4, 40)
    assert (measured.digit_accuracy, measured.sum_accuracy) == (0.75, 0.75)
    assert measured.wrong_numbers.tolist() == [0, 10, 0, 0]
    assert measured.answers.sum[1].tolist() == list(range(5, 15))


def test_picture_of_no_ink_is_answered_with_nothing() -> None:
    digits = known([0, 3], [0, 3])
    digits.ink[0] = 0
    measured = evaluate(KnownClassify(), digits)
    assert measured.answers.digit[:, 0].tolist() == [-1, 3]
    assert (measured.digit_accuracy, measured.sum_accuracy) == (0.5, 0.5)


def test_confusions_count_pairs_with_the_truth_in_the_row() -> None:
    measured = evaluate(KnownClassify(), known([3, 5], [3, 3]))
    digits = torch.zeros(10, 10, dtype=torch.int64)
    digits[3, 3] = digits[3, 5] = 10
    assert torch.equal(measured.digit_confusion, digits)
    sums = torch.zeros(19, 19, dtype=torch.int64)
    for number in range(10):
        sums[3 + number, 3 + number] += 1
        sums[3 + number, 5 + number] += 1
    assert torch.equal(measured.sum_confusion, sums)


def test_sum_is_measured_apart_from_the_digit() -> None:
    measured = evaluate(KnownClassify(off=1, off_from=6), known([2, 8], [2, 8]))
    assert (measured.digit_accuracy, measured.sum_accuracy) == (1.0, 0.6)
    assert measured.wrong_numbers.tolist() == [4, 4]
    assert measured.answers.consistent.sum(1).tolist() == [6, 6]


@pytest.mark.parametrize(("off", "accuracy"), [(0.0, 1.0), (0.49, 1.0), (-0.49, 1.0), (0.51, 0.0), (-0.51, 0.0)])
def test_sum_of_regress_is_right_where_it_rounds_to_the_truth(off: float, accuracy: float) -> None:
    measured = evaluate(KnownRegress(off), known([2, 5], [2, 5]))
    assert (measured.digit_accuracy, measured.sum_accuracy) == (1.0, accuracy)


def test_loss_is_the_approachs_own_over_all_pairs() -> None:
    of_digit, of_sum = (math.log1p((classes - 1) * math.exp(-HEIGHT)) for classes in (10, 19))
    digits = known([3, 5], [3, 4])
    classify = evaluate(KnownClassify(), digits)
    assert classify.loss == pytest.approx(of_digit + of_sum + HEIGHT)  # half of the pairs have it in each head
    regress = evaluate(KnownRegress(), digits)
    assert regress.loss == pytest.approx(of_digit + HEIGHT / 2 + 1 / 2)


def test_images_beyond_one_batch_are_all_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = known([d % 10 for d in range(25)], [d % 10 for d in range(25)])
    whole = evaluate(KnownClassify(), digits)
    monkeypatch.setattr(evaluation, "BATCH", 10)
    parts = evaluate(KnownClassify(), digits)
    assert parts.answers.sum.shape == (25, 10)
    assert torch.equal(parts.answers.sum, whole.answers.sum)
    assert parts.sum_accuracy == 1.0


def test_temperature_changes_the_confidence_and_no_answer() -> None:
    plain, tempered = (evaluate(KnownClassify(), known([3], [3]), temperature) for temperature in (1.0, 2.0))
    assert torch.equal(plain.answers.sum, tempered.answers.sum)
    assert plain.loss == tempered.loss
    for measured, logit in ((plain, HEIGHT), (tempered, HEIGHT / 2)):
        wanted = math.exp(logit) / (math.exp(logit) + len(DIGITS) - 1)
        assert measured.answers.confidence[0].tolist() == pytest.approx([wanted] * 10)


def test_network_that_ran_away_is_an_error() -> None:
    with pytest.raises(UsageError, match="train with a lower --lr"):
        evaluate(KnownRegress(float("nan")), known([3], [3]))


def test_confusion_keeps_classes_that_nobody_said() -> None:
    counts = confusion(torch.tensor([0, 2, 2]), torch.tensor([[0, 2, 1]]), 4)
    assert counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_confusion_leaves_out_where_nothing_was_read() -> None:
    assert confusion(torch.tensor([0, 1, 1]), torch.tensor([0, -1, 0]), 2).tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(("approach", "kind"), [(Approach.REGRESS, TooSure), (Approach.CLASSIFY, TooSureOfSums)])
def test_temperature_undoes_the_factor_by_which_a_network_is_too_sure(
    approach: Approach, kind: type[TooSure] | type[TooSureOfSums]
) -> None:
    digits = sampled()
    honest = fit_temperature(approach, kind(1.0), digits)
    assert honest == pytest.approx(1, abs=SAMPLED)
    for factor in (0.5, 3.0):
        assert fit_temperature(approach, kind(factor), digits) / honest == pytest.approx(factor, rel=GRID_STEP)


def test_temperature_stays_among_its_candidates() -> None:
    digits = sampled()
    assert fit_temperature(Approach.REGRESS, TooSure(100.0), digits) == TEMPERATURES[-1].item() == 4
    assert fit_temperature(Approach.REGRESS, TooSure(0.01), digits) == TEMPERATURES[0].item() == 0.25
