"""Figures of the confidence and of `consistent`, on answers that were made by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from matplotlib.patches import Rectangle
from torch import Tensor

from adder_trainer.answer import Answers
from adder_trainer.confidence import (
    calibration_table,
    confidence_figures,
    consistent_table,
    draw_reliability,
    draw_risk_coverage,
    risk_table,
)
from adder_trainer.evaluation import Evaluation

ROUNDING = 1e-6
"""A confidence of 0.9 or 0.6 is kept in float32."""


def evaluation(digit: Tensor, total: Tensor, confidence: Tensor) -> Evaluation:
    """Of pictures that all show a 3; digit, sum and confidence are (images, 10)."""
    number = torch.arange(10)
    right = total == 3 + number
    answers = Answers(
        digit.int(),
        total.int(),
        confidence,
        (total == digit + number) & (total >= 0),
        torch.zeros(len(digit), 10, 10),
        torch.zeros(len(digit), 10, 1),
    )
    return Evaluation(
        images=len(digit),
        loss=0.0,
        digit_accuracy=(digit == 3).double().mean().item(),
        sum_accuracy=right.double().mean().item(),
        digit_confusion=torch.zeros(10, 10, dtype=torch.int64),
        sum_confusion=torch.zeros(19, 19, dtype=torch.int64),
        right=right,
        answers=answers,
    )


@pytest.fixture
def mixed() -> Evaluation:
    """20 pictures: 18 right and 0.9 sure; one read as an 8 and 0.9 sure; one right in half of its sums, 0.6 sure."""
    digit = torch.full((20, 10), 3)
    total = 3 + torch.arange(10).repeat(20, 1)
    confidence = torch.full((20, 10), 0.9)
    digit[18], total[18] = 8, 8 + torch.arange(10)
    total[19, :5] += 1
    confidence[19] = 0.6
    return evaluation(digit, total, confidence)


def test_wrong_numbers_count_what_is_not_right(mixed: Evaluation) -> None:
    assert mixed.wrong_numbers.tolist() == [0] * 18 + [10, 5]


def test_figures_are_those_of_the_answers(mixed: Evaluation) -> None:
    found = confidence_figures(mixed)
    # 190 answers say 0.9 and 180 are right; ten say 0.6 and five are right
    assert found["calibration_error"] == pytest.approx(0.95 * abs(180 / 190 - 0.9) + 0.05 * 0.1, abs=ROUNDING)
    # of the surest 198, ten are wrong of those that say 0.9 and four of the eight that say 0.6
    assert found["sum_accuracy_at_99"] == pytest.approx(1 - 14 / 198)
    assert found["consistent_share"] == pytest.approx(195 / 200)
    assert found["error_consistent"] == pytest.approx(10 / 195)
    assert found["error_inconsistent"] == 1


def test_answers_without_inconsistent_ones_have_no_error_of_those() -> None:
    all_right = evaluation(torch.full((2, 10), 3), 3 + torch.arange(10).repeat(2, 1), torch.ones(2, 10))
    assert confidence_figures(all_right) == {
        "calibration_error": 0,
        "sum_accuracy_at_99": 1,
        "consistent_share": 1,
        "error_consistent": 0,
        "error_inconsistent": None,
    }


def test_unread_is_wrong_without_confidence_and_neither_consistent_nor_not() -> None:
    digit = torch.full((2, 10), 3)
    total = 3 + torch.arange(10).repeat(2, 1)
    digit[1] = total[1] = -1
    found = confidence_figures(evaluation(digit, total, torch.tensor([[1.0], [0.0]]).repeat(1, 10)))
    assert (found["calibration_error"], found["consistent_share"]) == (0, 1)
    assert found["sum_accuracy_at_99"] == pytest.approx(50 / 99)
    nothing = confidence_figures(evaluation(-torch.ones(1, 10), -torch.ones(1, 10), torch.zeros(1, 10)))
    assert (nothing["consistent_share"], nothing["error_consistent"], nothing["error_inconsistent"]) == (None,) * 3


def test_reliability_counts_every_answer_over_its_bin(mixed: Evaluation) -> None:
    above, below = draw_reliability(mixed, "test images").axes
    assert {(round(text.get_position()[0] * 15 - 0.5), text.get_text()) for text in below.texts} == {
        (9, "10"),  # 0.6 in float32 lies a little over the edge of its bin
        (13, "190"),
    }
    heights = [bar.get_height() for bar in above.patches if isinstance(bar, Rectangle)]
    assert (heights[9], heights[13], sum(heights)) == pytest.approx((0.5, 180 / 190, 0.5 + 180 / 190))
    assert "5.00%, 200 answers of the test images" in above.get_title()


def test_risk_chart_writes_the_risk_at_each_coverage(mixed: Evaluation) -> None:
    written = [text.get_text() for text in draw_risk_coverage(mixed).axes[0].texts]
    assert written == ["7.50%", "7.07%", "6.63%", "5.26%", "5.26%"]


def test_tables_tell_each_split_that_was_measured(mixed: Evaluation) -> None:
    facts: dict[str, Any] = {
        "validation": {"sum_accuracy": 0.925} | confidence_figures(mixed),
        "test": {"sum_accuracy": 0.9},  # of a checkpoint whose confidence was not measured
    }
    assert calibration_table(facts).splitlines()[2:] == ["| validation | 92.50% | 5.00% | 92.93% |"]
    assert consistent_table(facts).splitlines()[2:] == ["| validation | 97.50% | 5.13% | 100.00% | 20 times |"]
    assert risk_table(mixed).splitlines()[2:] == [
        "| 100% | 7.500% |",
        "| 99% | 7.071% |",
        "| 98% | 6.633% |",
        "| 95% | 5.263% |",
        "| 90% | 5.263% |",
    ]
    facts["validation"]["error_inconsistent"] = None
    assert consistent_table(facts).endswith("| - | - |")
