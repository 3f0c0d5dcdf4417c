"""Metrics on values that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from adder_runtime.metrics import auroc, expected_calibration_error, reliability, risk_at, risk_coverage

CONFIDENCE = [0.95, 0.9, 0.9, 0.6, 0.55, 0.1]
RIGHT = [True, True, False, True, False, False]


def test_reliability_is_the_mean_of_each_bin() -> None:
    found = reliability(CONFIDENCE, RIGHT, bins=2)
    assert found.count.tolist() == [1, 5]
    assert found.confidence.tolist() == pytest.approx([0.1, (0.95 + 0.9 + 0.9 + 0.6 + 0.55) / 5])
    assert found.accuracy.tolist() == pytest.approx([0, 3 / 5])


def test_upper_edge_belongs_to_its_bin_and_zero_to_the_first() -> None:
    assert reliability([0, 0.25, 0.5, 0.75, 1], [True] * 5, bins=4).count.tolist() == [2, 1, 1, 1]


def test_empty_bin_has_no_mean() -> None:
    found = reliability([0.9], [True], bins=2)
    assert np.isnan([found.confidence[0], found.accuracy[0]]).all()


def test_calibration_error_weighs_each_bins_gap_by_its_answers() -> None:
    # bins of 0.5: |0.1 - 0| once and |0.78 - 0.6| five times
    assert expected_calibration_error(CONFIDENCE, RIGHT, bins=2) == pytest.approx((0.1 + 5 * 0.18) / 6)


def test_calibration_error_is_0_where_confidence_is_the_accuracy_and_1_at_worst() -> None:
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)
    assert expected_calibration_error([1.0, 1.0], [False, False]) == 1


def test_risk_coverage_takes_ties_in_together() -> None:
    curve = risk_coverage(CONFIDENCE, RIGHT)
    assert curve.confidence.tolist() == [0.95, 0.9, 0.6, 0.55, 0.1]
    assert curve.coverage.tolist() == pytest.approx([1 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 4, 2 / 5, 1 / 2])


def test_order_of_ties_changes_nothing() -> None:
    order = [5, 2, 1, 0, 4, 3]
    shuffled = [CONFIDENCE[index] for index in order], [RIGHT[index] for index in order]
    one, other = risk_coverage(CONFIDENCE, RIGHT), risk_coverage(*shuffled)
    assert one.coverage.tolist() == other.coverage.tolist()
    assert one.risk.tolist() == other.risk.tolist()


def test_risk_at_a_coverage_counts_a_tie_in_proportion() -> None:
    assert risk_at(CONFIDENCE, RIGHT, 1) == pytest.approx(3 / 6)
    assert risk_at(CONFIDENCE, RIGHT, 4 / 6) == pytest.approx(1 / 4)
    assert risk_at(CONFIDENCE, RIGHT, 2 / 6) == pytest.approx(0.5 / 2)  # one of two at 0.9, of which half are wrong
    assert risk_at([0.5] * 10, [True] * 9 + [False], 0.9) == pytest.approx(0.1)


def test_auroc_counts_pairs_in_the_right_order() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1
    assert auroc([0.1], [0.9, 0.8]) == 0
    assert auroc([0.5, 0.9], [0.5, 0.1, 0.95]) == pytest.approx((1.5 + 2) / 6)
    assert auroc([0.3, 0.3], [0.3]) == 0.5
