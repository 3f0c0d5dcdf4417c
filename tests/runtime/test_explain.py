"""An explained answer: what is drawn where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageColor

from adder_runtime import Adder, UsageError
from adder_runtime.contract import SIDE
from adder_runtime.drawing import MAIN, WRONG, Frame
from adder_runtime.errors import OutputError
from adder_runtime.explain import (
    DIGIT_BARS,
    HEIGHT,
    PICTURE,
    SEEN,
    SUM_BARS,
    WIDTH,
    explain,
    place_explanations,
)
from adder_runtime.image_file import Pixels
from adder_runtime.model import Answer
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.speech import how_sure

PIXELS = paint(draw_digit(3, 80, 80), 1)

TITLE = Frame(0, 0, WIDTH, 120)


@pytest.fixture(scope="module")
def answer(classify: Adder) -> Answer:
    return classify.predict(PIXELS, 7)


def drawing(pixels: Pixels, answer: Answer, least: float | None = None) -> NDArray[np.uint8]:
    return np.asarray(explain(pixels, answer, ink=answer.ink, number=7, least=least))


def inside(drawn: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    return drawn[int(frame.top) : int(frame.bottom), int(frame.left) : int(frame.right)]


def where(drawn: NDArray[np.uint8], colour: str) -> NDArray[np.intp]:
    """Rows and columns, (n, 2), of the pixels of a colour."""
    return np.argwhere((drawn == ImageColor.getrgb(colour)).all(2))


def test_what_the_network_saw_is_drawn_pixel_by_pixel_black_on_white(answer: Answer) -> None:
    drawn = drawing(PIXELS, answer)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    seen = inside(drawn, SEEN)
    step = len(seen) // SIDE
    assert len(seen) == SIDE * step
    wanted = np.rint((1 - answer.ink) * 255)
    assert np.array_equal(seen, wanted.repeat(step, 0).repeat(step, 1)[:, :, None].repeat(3, 2))


@pytest.mark.parametrize(("height", "width"), [(80, 80), (40, 160), (900, 300)])
def test_box_is_outlined_where_it_was_found(classify: Adder, height: int, width: int) -> None:
    pixels = paint(draw_digit(5, height, width), 3)
    answer = classify.predict(pixels, 7)
    line = where(inside(drawing(pixels, answer), PICTURE), MAIN)
    scale = PICTURE.width / max(height, width)
    corner = (PICTURE.height - height * scale) / 2, (PICTURE.width - width * scale) / 2
    first, last = line.min(0), line.max(0) + 1
    around = 4  # the line lies outside of the box
    wanted = [corner[side % 2] + edge * scale for side, edge in enumerate(answer.box)]
    assert [*(first + around), *(last - around)] == pytest.approx(wanted, abs=1)


@pytest.mark.parametrize("light", [0, 11, 95, 165, 255])
def test_outline_is_seen_on_any_ground(answer: Answer, light: int) -> None:
    ground = np.full((80, 80, 1), light, np.uint8)
    drawn = drawing(ground, answer)
    without = drawing(ground, replace(answer, box=(0, 0, 0, 0)))
    changed = np.abs(drawn.astype(int) - without)[..., 0].max(initial=0)
    assert changed > 80


def test_bars_are_as_high_as_their_probability(answer: Answer) -> None:
    half = (0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)
    full = replace(answer, digit_probabilities=tuple(float(digit == 3) for digit in range(10)))
    heights = []
    for each in (full, replace(answer, digit_probabilities=half)):
        bar = where(inside(drawing(PIXELS, each), DIGIT_BARS), MAIN)
        heights.append(np.ptp(bar[:, 0]))
        assert 3 <= bar[:, 1].min() / DIGIT_BARS.width * 10 <= bar[:, 1].max() / DIGIT_BARS.width * 10 < 4
    assert heights[1] / heights[0] == pytest.approx(0.5, abs=0.02)


def test_regressed_sum_is_marked_on_the_scale_that_the_number_allows(answer: Answer) -> None:
    regressed = replace(answer, sum_scores=(10.4,))
    place = where(inside(drawing(PIXELS, regressed), SUM_BARS), MAIN)[:, 1].mean() / SUM_BARS.width * 10
    assert place == pytest.approx(3.5, abs=0.1)  # the middle of the fourth of ten: 7, 8, 9, 10
    for outside in (-5.0, 40.0):
        assert drawing(PIXELS, replace(answer, sum_scores=(outside,))).shape == (HEIGHT, WIDTH, 3)


def test_unsure_answer_is_led_by_a_warning(answer: Answer) -> None:
    doubtful = replace(answer, confidence=0.62)
    assert len(where(inside(drawing(PIXELS, doubtful), TITLE), WRONG)) == 0
    assert len(where(inside(drawing(PIXELS, doubtful, least=0.9), TITLE), WRONG)) > 500


def test_picture_with_nothing_to_read_is_drawn_and_says_so(classify: Adder) -> None:
    blank = np.full((60, 90, 3), 200, np.uint8)
    drawn = np.asarray(explain(blank, None, ink=classify.see(blank), number=7))
    assert len(where(inside(drawn, TITLE), WRONG)) > 500
    assert len(where(drawn, MAIN)) == 0


@pytest.mark.parametrize(
    ("confidence", "least", "words"),
    [
        (1.0, None, "99.99% sure"),
        (0.99994, None, "99.99% sure"),
        (0.62, None, "62.00% sure"),
        (0.62, 0.5, "62.00% sure"),
        (0.62, 0.9, "62.00% sure, wanted 90%"),
        (0.899999, 0.9, "89.99% sure, wanted 90%"),
        (0.5, 0.995, "50.00% sure, wanted 99.5%"),
    ],
)
def test_how_sure_is_never_rounded_up(answer: Answer, confidence: float, least: float | None, words: str) -> None:
    assert how_sure(replace(answer, confidence=confidence), least) == words


def test_disagreeing_heads_are_told(answer: Answer) -> None:
    assert how_sure(replace(answer, confidence=0.5, consistent=False)) == "50.00% sure, digit and sum disagree"


def test_places_are_the_file_or_names_in_the_folder(tmp_path: Path) -> None:
    assert place_explanations(Path("out.PNG"), ["three.png"]) == [Path("out.PNG")]
    assert place_explanations(tmp_path, ["a/three.png"]) == [tmp_path / "three.explain.png"]
    names = ["a/3.png", "b/3.jpg", "c/3.png", "4.png", "-"]
    wanted = ["3.explain.png", "3-2.explain.png", "3-3.explain.png", "4.explain.png", "picture.explain.png"]
    assert place_explanations(Path("out"), names) == [Path("out") / name for name in wanted]


def test_places_that_cannot_be_are_refused(three: Path) -> None:
    with pytest.raises(UsageError, match=r"--explain is out\.jpg, must end in \.png, or be a folder"):
        place_explanations(Path("out.jpg"), ["three.png"])
    with pytest.raises(OutputError, match=r"out\.png is one file for 2 pictures; name a folder with --explain"):
        place_explanations(Path("out.png"), ["three.png", "four.png"])
    link = three.with_name("link.png")
    link.symlink_to(three)
    with pytest.raises(OutputError, match="an explanation would replace it"):
        place_explanations(three, [str(link)])
