"""Made pictures: what is asked, what is kept of the answers, and what the facts say of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from adder_trainer import abstention, rendered
from adder_trainer.answer import Answers
from adder_trainer.approaches import Regress
from adder_trainer.asked import EXAMPLES, Asked, ask_pictures
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.evaluation import Evaluation, evaluate
from adder_trainer.kinds import MEASURED
from adder_trainer.rendered import Rendered

KEPT = 1e-6
"""A share of float32 confidences against the same in Python."""


class Always(Regress):
    """Says one digit whatever it sees, rather surely, and its right sum."""

    def __init__(self, digit: int) -> None:
        super().__init__()
        self.said = digit

    def forward(self, ink: Tensor, number: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.zeros(len(ink), number.shape[1], 10)
        logits[:, :, self.said] = 5.0
        return logits, (self.said + number)[:, :, None].float()


def group(name: str, truth: Sequence[int], said: Sequence[int], confidence: Sequence[float]) -> Asked:
    """A picture for each truth, which is answered alike with all numbers; said -1 is nothing read."""
    digit = torch.tensor(said)[:, None].expand(-1, 10)
    answers = Answers(
        digit.int(),
        torch.where(digit < 0, -1, digit + torch.arange(10)).int(),
        torch.tensor(confidence)[:, None].expand(-1, 10),
        digit >= 0,
        torch.zeros(len(truth), 10, 10),
        torch.zeros(len(truth), 10, 1),
    )
    return Asked(name, torch.tensor(truth), answers, ())


def raw(digits: Digits) -> Tensor:
    """The digits as black on white, (n, 28, 28, 1) uint8."""
    return ((1 - digits.ink[:, 0, :, :, None]) * 255).round().to(torch.uint8)


def test_pictures_are_normalised_and_asked_with_all_numbers(drawn: Digits) -> None:
    pixels = raw(drawn)[:25]
    pixels[7] = 200  # blank
    told: list[int] = []
    asked = ask_pictures(
        "some", zip(pixels.split(10), drawn.digit[:25].split(10), strict=True), Always(3), 1.0, told.append
    )
    assert told == [10, 10, 5]
    assert len(asked) == 25
    assert asked.unread == 1 / 25
    wanted = torch.full((25,), 3)
    wanted[7] = -1
    assert asked.answers.digit.tolist() == wanted[:, None].expand(-1, 10).tolist()
    assert asked.answers.sum[0].tolist() == list(range(3, 13))
    assert torch.equal(asked.digit_right[:, 0], wanted == drawn.digit[:25])
    assert torch.equal(asked.digit_right, asked.sum_right)


def test_examples_are_spread_over_the_pictures_with_what_the_network_saw(drawn: Digits) -> None:
    pixels = raw(drawn)[:28]
    asked = ask_pictures("some", [(pixels, drawn.digit[:28])], Always(3), 1.0)
    assert [example.place for example in asked.examples] == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
    assert len(asked.examples) == EXAMPLES
    for example in asked.examples:
        assert (example.pixels == pixels[example.place, :, :, 0].numpy()).all()
        assert example.ink.shape == (28, 28)
        assert 0.9 < example.ink.max() <= 1
    few = ask_pictures("few", [(pixels[:3], drawn.digit[:3])], Always(3), 1.0)
    assert [example.place for example in few.examples] == [0, 1, 2]


def test_rendered_figures_count_unread_as_wrong() -> None:
    found = rendered.rendered_figures(
        [
            Rendered(
                group("photo", [3, 4, 5, 6], [3, 4, 8, -1], [0.75, 0.75, 0.75, 0.0]),
                group("photo", [3, 4, 5, 6], [3, 4, 5, -1], [0.75, 0.75, 0.75, 0.0]),
            ),
            Rendered(*[group("tiny", [1, 1], [1, 1], [1.0, 1.0])] * 2),
        ]
    )
    assert found["photo"] == {
        "pictures": 4,
        "digit_accuracy": 0.5,
        "sum_accuracy": 0.5,
        "unread": 0.25,
        "ink_alone": 0.75,
    }
    assert found["tiny"] == {"pictures": 2, "digit_accuracy": 1, "sum_accuracy": 1, "unread": 0, "ink_alone": 1}
    assert found["all"].pop("calibration_error") == pytest.approx((0.75 - 2 / 3) * 3 / 6, abs=KEPT)
    assert found["all"] == pytest.approx(
        {"pictures": 6, "digit_accuracy": 4 / 6, "sum_accuracy": 4 / 6, "unread": 1 / 6, "ink_alone": 5 / 6}
    )


def test_every_kind_shows_the_same_digits_and_comes_out_alike_again(
    drawn: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendered, "PICTURES", 12)
    told: list[int] = []
    first = rendered.ask_rendered(Always(3), drawn, 1.0, told.append)
    assert sum(told) == rendered.count_pictures(drawn) == 12 * len(MEASURED) * 2
    both = [asked for each in first for asked in (each.pictures, each.ink_alone)]
    assert [each.name for each in both] == [kind.name for kind in MEASURED for _ in range(2)]
    assert all(torch.equal(each.digit, both[0].digit) for each in both)
    assert len(set(both[0].digit.tolist())) > 3
    again = rendered.ask_rendered(Always(3), drawn, 1.0)
    for one, other in zip(first, again, strict=True):
        assert all(
            (a.pixels == b.pixels).all() for a, b in zip(one.pictures.examples, other.pictures.examples, strict=True)
        )
    assert len({example.pixels.shape for each in both for example in each.examples}) > len(MEASURED)


def test_ink_alone_is_the_same_strokes_without_all_else(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "PICTURES", 12)
    monkeypatch.setattr(rendered, "MEASURED", [kind for kind in MEASURED if kind.name == abstention.DRAWN])
    (found,) = rendered.ask_rendered(Always(3), drawn, 1.0)
    for picture, alone in zip(found.pictures.examples, found.ink_alone.examples, strict=True):
        inked = alone.pixels > 128
        assert 0 < inked.mean() < 0.5
        away = np.abs(picture.pixels - np.median(picture.pixels[~inked]))
        assert np.median(away[inked]) > 10 * np.median(away[~inked]) + 10


def test_digits_are_taken_once_each_and_always_the_same(drawn: Digits) -> None:
    some = rendered.take(drawn, 50)
    assert len(some) == 50
    assert len({tuple(ink.flatten().tolist()) for ink in some.ink}) > 45  # drawn ones may be alike
    assert torch.equal(some.ink, rendered.take(drawn, 50).ink)
    assert sorted(rendered.take(drawn, 1000).digit.tolist()) == sorted(drawn.digit.tolist())


def test_sheet_of_rendered_pictures_tells_truth_and_answer() -> None:
    pictures = torch.full((3, 20, 30, 1), 255, dtype=torch.uint8)
    pictures[:2, 5:15, 12:16] = 0
    asked = ask_pictures("scan", [(pictures, torch.tensor([3, 5, 3]))], Always(3), 1.0)
    drawn = rendered.draw_rendered([Rendered(asked, asked)])
    texts = {text.get_text(): text.get_color() for text in drawn.axes[0].texts}
    assert set(texts) == {"scan", "as the network sees it", "3 → 3", "5 → 3", "3 → none"}
    assert texts["3 → 3"] == "black"
    assert texts["5 → 3"] == texts["3 → none"] != "black"


@pytest.fixture
def known(drawn: Digits) -> Evaluation:
    return evaluate(Always(3), drawn)


def test_unknown_figures_tell_the_refused_and_who_is_surer(known: Evaluation) -> None:
    confidence = known.answers.confidence[0, 0].item()
    found = abstention.unknown_figures(
        [
            group("blank: noise", [NO_DIGIT] * 4, [-1, -1, -1, 8], [0, 0, 0, 1]),
            group("blank: black", [NO_DIGIT], [-1], [0]),
            group("letters", [NO_DIGIT] * 2, [1, 1], [confidence, 0.1]),
        ],
        known,
    )
    assert found == {
        "MNIST's digits": {"pictures": 240, "unread": 0},
        "blank: all": {"pictures": 5, "unread": 0.8, "auroc": 0.8},
        "blank: noise": {"pictures": 4, "unread": 0.75, "auroc": 0.75},
        "blank: black": {"pictures": 1, "unread": 1, "auroc": 1},
        "letters": {"pictures": 2, "unread": 0, "auroc": 0.75},
    }


def test_digit_that_is_refused_is_told(known: Evaluation) -> None:
    digit = known.answers.digit.clone()
    digit[:60] = -1
    refusing = Evaluation(**{**vars(known), "answers": known.answers._replace(digit=digit)})
    found = abstention.unknown_figures([group("blank: noise", [NO_DIGIT], [-1], [0])], refusing)
    assert found["MNIST's digits"]["unread"] == 0.25


@pytest.mark.usefixtures("few_pictures")
def test_unknown_pictures_come_in_their_groups_and_alike_again(drawn: Digits) -> None:
    told: list[int] = []
    first = abstention.ask_unknown(Always(3), drawn, 1.0, told.append)
    assert [each.name for each in first] == list(abstention.ORDER[3:])
    assert [len(each) for each in first] == [4, 4, 4, 4, 2, 2, 12, 4, 4, 4, 4, 4]
    assert sum(told) == abstention.count_pictures(drawn) == 52
    assert all((each.digit == NO_DIGIT).all() for each in first)
    again = abstention.ask_unknown(Always(3), drawn, 1.0)
    for one, other in zip(first, again, strict=True):
        assert all((a.pixels == b.pixels).all() for a, b in zip(one.examples, other.examples, strict=True))


def test_blank_pictures_show_no_piece_of_a_frame() -> None:
    for batch in abstention.blank("cell", 30, torch.Generator().manual_seed(2)):
        # a frame's piece is as dark as a stroke, and longer than any speck
        dark = batch[:, :, :, 0].float() < 0.5 * batch[:, :, :, 0].flatten(1).float().quantile(0.9, 1)[:, None, None]
        assert torch.maximum(dark.sum(1), dark.sum(2).amax(1, keepdim=True)).max() <= 4


def test_sheet_of_unknown_pictures_tells_the_digit_and_how_sure_it_is() -> None:
    pictures = torch.full((2, 20, 30, 1), 255, dtype=torch.uint8)
    pictures[0, 5:15, 12:16] = 0
    nothing = torch.full((2,), NO_DIGIT)
    asked = [ask_pictures(name, [(pictures, nothing)], Always(3), 1.0) for name in ("letters", "blank: cell")]
    texts = [(text.get_text(), text.get_color()) for text in abstention.draw_unknown(asked).axes[0].texts]
    assert [text for text, _ in texts] == ["letters", "3, 94%", "none", "blank: cell", "3, 94%", "none"]
    assert texts[1][1] == "black" != texts[4][1]  # a digit in a blank picture is a mistake
