"""What is measured of labelled pictures, on answers made by hand and on pictures whose labels lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adder_runtime import Adder, ImageError
from adder_runtime.contract import NUMBERS
from adder_runtime.image_file import to_png
from adder_runtime.labels import Labelled
from adder_runtime.measure import (
    Failed,
    Measured,
    answers_of,
    confusion,
    measure_each,
    mistakes_of,
    summarise,
    summarise_groups,
    table_rows,
)
from adder_runtime.pictures import draw_digit, paint


def made(shown: int, digits: Sequence[int], sums: Sequence[int], confidence: Sequence[float], group: str) -> Measured:
    """A picture asked with 0, 1, …"""
    picture = Labelled(Path(f"{group}/{shown}_x.png"), shown, group)
    return Measured(picture, np.arange(len(digits)), np.array(digits), np.array(sums), np.array(confidence))


RIGHT = made(3, [3, 3], [3, 4], [0.9, 0.8], "a")
HALF = made(7, [7, 1], [8, 2], [0.6, 0.7], "b")
"""Its first digit is right, both sums are wrong."""
UNREAD = made(5, [-1, -1], [-1, -1], [0, 0], "b")
FAILED = Failed(Labelled(Path("b/2_x.png"), 2, "b"), ImageError("b/2_x.png is empty, wanted a picture"))


def test_unread_counts_as_wrong_and_failed_in_no_share() -> None:
    found = summarise([RIGHT, HALF, UNREAD, FAILED])
    assert (found.pictures, found.failed, found.unread, found.answers) == (4, 1, 1, 6)
    assert found.digit_accuracy == pytest.approx(3 / 6)
    assert found.sum_accuracy == pytest.approx(2 / 6)
    assert found.mean_confidence == pytest.approx(3 / 6)
    # bins of 1/15: 0.9, 0.8, 0.7 and 0.6 are alone in theirs, both zeros are right to be
    assert found.calibration_error == pytest.approx((0.1 + 0.2 + 0.7 + 0.6) / 6)
    # what is left out of six answers comes off the two zeros, which are wrong
    wanted = {"0.99": (4 - 0.06) / 5.94, "0.95": (4 - 0.3) / 5.7, "0.9": (4 - 0.6) / 5.4}
    assert found.to_dict()["risk"] == pytest.approx(wanted)


def test_nothing_measured_has_no_shares() -> None:
    found = summarise([FAILED])
    assert (found.pictures, found.failed, found.answers) == (1, 1, 0)
    assert [value for value in found.to_dict().values() if value is None] == [None] * 5
    assert table_rows(found, {})[0] == ["all", "1", "1", "0", *["-"] * 7]


def test_groups_are_told_apart_where_there_are_several() -> None:
    found: list[Measured | Failed] = [RIGHT, HALF, UNREAD, FAILED]
    groups = summarise_groups(found)
    assert {name: summary.pictures for name, summary in groups.items()} == {"a": 1, "b": 3}
    assert groups["a"].sum_accuracy == 1
    rows = table_rows(summarise(found), groups)
    assert [row[0] for row in rows] == ["a", "b", "all"]
    assert rows[0][:8] == ["a", "1", "0", "0", "100.00%", "100.00%", "85.00%", "15.00%"]
    assert [row[0] for row in table_rows(summarise([RIGHT]), summarise_groups([RIGHT]))] == ["all"]


def test_confusion_counts_answers_and_has_a_column_for_none() -> None:
    counts = confusion([RIGHT, HALF, UNREAD])
    assert counts.shape == (10, 11)
    assert counts.sum() == 6
    assert (counts[3, 3], counts[7, 7], counts[7, 1], counts[5, 10]) == (2, 1, 1, 2)


def test_mistakes_come_the_surest_first_with_their_surest_wrong_answer() -> None:
    sure = made(4, [4, 9], [4, 10], [0.99, 0.95], "a")
    assert mistakes_of([UNREAD, RIGHT, HALF, sure]) == [sure, HALF, UNREAD]
    assert (sure.worst, HALF.worst) == (1, 1)
    assert sure.wrong.tolist() == [False, True]


def write(path: Path, digit: int | None) -> Labelled:
    drawn = np.zeros((60, 60)) if digit is None else draw_digit(digit, 60, 60)
    path.write_bytes(to_png(paint(drawn, 1)))
    return Labelled(path, int(path.name[0]), ".")


def test_each_picture_is_asked_with_each_number(classify: Adder, tmp_path: Path) -> None:
    pictures = [write(tmp_path / "3_a.png", 3), write(tmp_path / "4_lie.png", 3), write(tmp_path / "5_blank.png", None)]
    pictures.append(Labelled(tmp_path / "6_none.png", 6, "."))
    right, wrong, unread, failed = measure_each(classify, pictures, NUMBERS)
    assert isinstance(right, Measured)
    assert isinstance(wrong, Measured)
    assert isinstance(unread, Measured)
    assert isinstance(failed, Failed)
    assert right.sum.tolist() == [3 + number for number in NUMBERS]
    assert right.sum_right.all()
    assert wrong.sum.tolist() == right.sum.tolist()
    assert not wrong.sum_right.any()
    assert (unread.digit.tolist(), unread.confidence.tolist()) == ([-1] * 10, [0] * 10)
    assert "6_none.png not found" in str(failed.error)
    confidence, is_right = answers_of([right, wrong, unread])
    assert len(confidence) == 30
    assert is_right.sum() == 10


def test_one_number_is_one_answer(classify: Adder, tmp_path: Path) -> None:
    (found,) = measure_each(classify, [write(tmp_path / "3_a.png", 3)], [8])
    assert isinstance(found, Measured)
    assert (found.number.tolist(), found.sum.tolist()) == ([8], [11])
