"""The charts of a report: what is drawn where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageColor

from adder_runtime import Adder
from adder_runtime.charts import (
    CELL,
    PAGE_COLUMNS,
    PAGE_ROWS,
    brief,
    describe_mistake,
    draw_confusion,
    draw_mistakes,
    draw_reliability,
    draw_risk,
    how_wrong,
)
from adder_runtime.drawing import MAIN, TEXT, WRONG
from adder_runtime.image_file import to_png
from adder_runtime.labels import Labelled
from adder_runtime.measure import Measured
from adder_runtime.pictures import draw_digit, paint


def area(image: Image.Image, colour: str) -> NDArray[np.intp]:
    """Rows and columns, (n, 2), of the pixels of a colour."""
    return np.argwhere((np.asarray(image) == ImageColor.getrgb(colour)).all(2))


def test_right_answers_fill_the_diagonal_of_the_confusion() -> None:
    right = np.concatenate([np.diag([10] * 10), np.zeros((10, 1), np.int64)], 1)
    assert len(area(draw_confusion(right), MAIN)) > 0.8 * 10 * CELL**2
    assert len(area(draw_confusion(right), WRONG)) == 0
    none = np.zeros((10, 11), np.int64)
    none[:, 10] = 7
    wrong = area(draw_confusion(none), WRONG)
    assert len(area(draw_confusion(none), MAIN)) == 0
    assert np.ptp(wrong[:, 1]) < CELL
    assert np.ptp(wrong[:, 0]) > 9 * CELL


def test_bars_of_reliability_stand_at_their_confidence_and_are_as_high_as_their_accuracy() -> None:
    confidence = np.array([0.95] * 4 + [0.05] * 2)
    image = draw_reliability(confidence, np.array([True, True, False, False, True, True]))
    bars = area(image, MAIN)
    left, right = bars[bars[:, 1] < 400], bars[bars[:, 1] > 600]
    assert len(left) + len(right) == len(bars)
    assert np.ptp(right[:, 0]) / np.ptp(left[:, 0]) == pytest.approx(0.5, abs=0.05)


def test_risk_rises_to_the_share_of_wrong_answers() -> None:
    confidence = np.linspace(0.5, 1, 100)
    line = area(draw_risk(confidence, confidence > 0.6), MAIN)
    # the curve lies on the axis until the first wrong answer
    assert np.ptp(line[line[:, 1] < 600][:, 0]) <= 3
    assert np.ptp(line[:, 0]) > 100
    assert draw_risk(confidence, np.ones(100, bool)).size == draw_risk(confidence, np.zeros(100, bool)).size


def mistake(path: Path, shown: int, digit: int, total: int, confidence: float) -> Measured:
    picture = Labelled(path, shown, ".")
    return Measured(picture, np.array([4]), np.array([digit]), np.array([total]), np.array([confidence]))


def test_words_about_the_risk_are_clear_of_its_line() -> None:
    confidence = np.linspace(0.5, 1, 50)
    frame = area(draw_risk(confidence, confidence < 0.75), MAIN)
    words = area(draw_risk(confidence, confidence < 0.75), TEXT)
    axis = int(np.bincount(words[:, 1]).argmax())  # the axis upwards, a column of that colour
    points = words[(words[:, 1] > axis + 10) & (words[:, 1] < 500) & (words[:, 0] < frame[:, 0].max())]
    assert points[:, 0].max() < frame[:, 0].min()


def test_every_mistake_is_drawn_sixty_on_a_page(classify: Adder, tmp_path: Path) -> None:
    path = tmp_path / "4_lie.png"
    path.write_bytes(to_png(paint(draw_digit(3, 40, 60), 4)))
    mistakes = [mistake(path, 4, 3, 7, 0.9)] * 63
    first, second = draw_mistakes(classify, mistakes)
    assert PAGE_COLUMNS * PAGE_ROWS == 60
    assert first.width == second.width
    assert first.height > 9 * second.height / 3
    assert list(draw_mistakes(classify, [])) == []


def test_mistake_is_told_by_what_is_wrong_with_it() -> None:
    told = {
        (3, 7, 0.97): ("4 read as 3", "97.00% sure, 1 of 1 wrong"),
        (4, 9, 0.6): ("4 + 4 given as 9", "60.00% sure, 1 of 1 wrong"),
        (-1, -1, 0.0): ("4, nothing read", "1 of 1 wrong"),
    }
    for (digit, total, confidence), words in told.items():
        found = mistake(Path("4_x.png"), 4, digit, total, confidence)
        assert (describe_mistake(found), how_wrong(found)) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (98765, "99k")])
def test_count_is_brief(count: int, words: str) -> None:
    assert brief(count) == words
